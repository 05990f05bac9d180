//! The plain judge: 16-bit formats exhaustively, with subjects whose errors are known.

mod subjects;

use mathsmith_oracle::FloatFormat;
use mathsmith_verify::measured::{BinadeRow, Measured, Parity};
use mathsmith_verify::{
    Coverage, Inspection, SampleDomain, SweepOptions, Tolerance, VerifyError, exhaust_half, plain, report,
};
use subjects::{one, reference, subject};

const F16: FloatFormat = FloatFormat::F16;
const BF16: FloatFormat = FloatFormat::BF16;

fn run(
    text: &str,
    format: FloatFormat,
    judged_at: FloatFormat,
    f: impl Fn(f64) -> f64 + Send + Sync + 'static,
) -> Measured {
    let inspection = Inspection { judged_at, parity: Some(Parity::Odd), ..Inspection::default() };
    let options = SweepOptions { threads: 2, ..SweepOptions::default() };
    let domain = SampleDomain::whole(format, 1).unwrap();
    exhaust_half(&reference(text), &domain, &[one(f)], &inspection, &options).unwrap().remove(0).unwrap()
}

/// Finite numbers of a format, one zero only.
fn finite(format: FloatFormat) -> u64 {
    2 * format.key(format.max()) as u64 + 1
}

#[test]
fn the_identity_is_right_everywhere() {
    for format in [F16, BF16] {
        let m = run("x", format, format, |x| x);
        assert_eq!((m.coverage, m.seed, m.inputs), (Coverage::Exhaustive, None, finite(format)));
        assert_eq!(m.format, format.name);
        assert_eq!((m.max_ulp.value, m.max_rel.value, m.max_abs.value), (0.0, 0.0, 0.0));
        assert_eq!((m.not_correctly_rounded, m.mean_ulp), (0, 0.0));
        assert_eq!(m.histogram.counts[0], m.inputs);
        assert_eq!(m.settled, m.inputs);
        let monotone = m.monotone.unwrap();
        assert_eq!((monotone.looked_at, monotone.broken), (m.inputs - 1, None));
        let (parity, check) = m.parity.unwrap();
        assert!(parity == Parity::Odd && check.broken.is_none());
        // Every positive number, and zero.
        assert_eq!(check.looked_at, finite(format) / 2 + 1);
        assert_eq!((m.pure.looked_at, m.pure.broken), (m.inputs, None));
        assert!(m.specials.iter().all(|s| s.same_class && s.same_zero_sign && s.ulp == 0.0));
        assert_eq!(m.specials.len(), 7);
        assert_eq!(m.range.got, m.range.expected);
        assert_eq!(m.range.got[1], report::hex(format.max()));
        assert_eq!(m.adversarial, std::slice::from_ref(&m.max_ulp.x));
        let per_binade = 1u64 << (format.precision - 1);
        // The subnormals of each sign have no zero or the only one.
        let negative = |b: &&BinadeRow| b.negative && b.exponent < format.min_exponent;
        assert_eq!(m.binades.iter().find(negative).unwrap().inputs, per_binade - 1);
        assert_eq!(m.binades.iter().filter(|b| b.inputs == per_binade).count(), m.binades.len() - 1);
    }
}

#[test]
fn figures_agree_with_arithmetic_in_doubles() {
    // Squares of 8-bit significands are exact in doubles as far as they are in range.
    let domain = SampleDomain::new(BF16, &[(-3.0, 5.0)]).unwrap();
    let inspection = Inspection { judged_at: BF16, ..Inspection::default() };
    let f = |x: f64| x * x * 1.003;
    let m = plain(&reference("x^2"), &domain, &[one(f)], &inspection, &SweepOptions::default());
    let m = m.unwrap().remove(0).unwrap();
    let (first, last) = (BF16.key(-3.0), BF16.key(5.0));
    let (mut worst, mut wrong, mut sum, mut greatest) = ((-1.0, 0.0), 0, 0.0, [0.0f64; 2]);
    for key in first..=last {
        let x = BF16.from_key(key);
        let (y, c) = (x * x, BF16.nearest_f64(f64::from(f(x) as f32)));
        let exponent = (((y.to_bits() >> 52) as i32) - 1023).max(-126);
        // In doubles y is exact only while it is not subnormal there, which squares of bf16 never are but for 0.
        let ulp = (c - y).abs() * 2f64.powi(7 - exponent);
        if ulp > worst.0 {
            worst = (ulp, x);
        }
        wrong += u64::from(c != BF16.nearest_f64(y));
        sum += ulp;
        greatest[0] = greatest[0].max((c - y).abs());
        greatest[1] = greatest[1].max(if c == y { 0.0 } else { ((c - y) / y).abs() });
    }
    assert_eq!(m.inputs, (last - first + 1) as u64);
    assert_eq!((m.max_ulp.value, &m.max_ulp.x), (worst.0, &vec![report::hex(worst.1)]));
    assert_eq!(m.not_correctly_rounded, wrong);
    assert!((m.mean_ulp - sum / m.inputs as f64).abs() < 1e-12);
    assert_eq!(m.max_abs.value, greatest[0]);
    assert!((m.max_rel.value - greatest[1]).abs() < 1e-15);
    assert_eq!(m.histogram.counts.iter().sum::<u64>(), m.inputs);
    assert_eq!(m.adversarial.len(), 256);
    assert!(m.parity.is_none());
}

#[test]
fn results_are_judged_after_the_last_rounding() {
    // x/3 in f32 is never a tie of bf16, so a second rounding does no harm.
    let right = run("x/3", BF16, BF16, |x| f64::from(x as f32 / 3.0));
    assert_eq!(right.not_correctly_rounded, 0);
    assert!((right.max_ulp.value - 1.0 / 3.0).abs() < 1e-15, "{:?}", right.max_ulp);
    // Judged at f32 the truncated result is far off.
    let short = run("x/3", BF16, FloatFormat::F32, |x| BF16.nearest_f64(x / 3.0));
    assert!(short.max_ulp.value > 20_000.0 && short.judged_at == "f32", "{:?}", short.max_ulp);
}

#[test]
fn planted_faults_are_each_found() {
    let third = |x: f64| f64::from(x as f32 / 3.0);
    let at = f64::from(1.5f32);
    let spot = |m: &Measured| m.max_ulp.x == vec![report::hex(at)];

    let nan = run("x/3", BF16, BF16, move |x| if x == at { f64::NAN } else { third(x) });
    assert_eq!((nan.classes.nan_for_number.count, nan.max_ulp.value), (1, f64::INFINITY));
    assert!(spot(&nan) && nan.not_correctly_rounded == 1);
    assert_eq!(nan.classes.nan_for_number.first, Some(vec![report::hex(at)]));

    let infinite = run("x/3", F16, F16, move |x| if x == at { f64::INFINITY } else { third(x) });
    assert_eq!(infinite.classes.infinity_for_finite.count, 1);
    assert_eq!(infinite.range.got[1], "inf");

    let zero = run("x/3", F16, F16, move |x| if x == at { 0.0 } else { third(x) });
    assert_eq!((zero.classes.zero_for_nonzero.count, zero.max_rel.value), (1, 1.0));
    let sign = run("x/3", F16, F16, move |x| if x == at { -third(x) } else { third(x) });
    assert_eq!((sign.classes.wrong_sign.count, sign.max_rel.value > 1.99), (1, true));
    assert!(sign.monotone.unwrap().broken.is_some() && sign.parity.unwrap().1.broken.is_some());

    // 16 x overflows for the largest sixteenth of the exponents: infinity is right there, the greatest number is not.
    let over = run("16*x", F16, F16, |x| (16.0 * x).clamp(-F16.max(), F16.max()));
    assert!(over.classes.finite_for_infinity.count > 4000 && over.max_ulp.value.is_finite());
    let right = run("16*x", F16, F16, |x| 16.0 * x);
    assert_eq!((right.not_correctly_rounded, &right.classes), (0, &Default::default()));

    let undefined = run("sqrt(x)", BF16, BF16, |x| x.abs().sqrt());
    assert_eq!(undefined.classes.number_for_nan.count, finite(BF16) / 2);
}

#[test]
fn flushing_is_forgiven_and_counted() {
    let flush = |x: f64| if x.abs() < F16.min_normal() { 0.0 } else { x };
    let half = move |x: f64| flush(flush(x) / 2.0);
    let domain = SampleDomain::whole(F16, 1).unwrap();
    let inspection = Inspection { judged_at: F16, ftz: true, ..Inspection::default() };
    let run = |inspection: &Inspection<'_>| {
        let m = exhaust_half(&reference("x/2"), &domain, &[one(half)], inspection, &SweepOptions::default());
        m.unwrap().remove(0).unwrap()
    };
    let m = run(&inspection);
    assert_eq!(m.inputs, finite(F16) - 2 * 1023);
    // The least normal binade of each sign.
    assert_eq!((m.flushed, m.not_correctly_rounded, m.max_ulp.value), (2 * 1024, 0, 0.5));
    let strict = run(&Inspection { ftz: false, ..inspection });
    // Half of the least number is a tie, which goes to zero.
    assert_eq!((strict.flushed, strict.not_correctly_rounded), (0, 2 * (1023 + 1024 - 1)));
}

#[test]
fn tolerances_hold_or_not() {
    let function = mathsmith_dsl::parse_expr("x/3").unwrap();
    let text = mathsmith_dsl::parse_expr("max(0.002*abs(y), 1e-9)").unwrap();
    let tolerance = Tolerance::new(&text, &function).unwrap();
    let inspection = Inspection { judged_at: F16, tolerance: Some(&tolerance), ..Inspection::default() };
    let domain = SampleDomain::new(F16, &[(0.5, 2.0)]).unwrap();
    let subjects = [one(|x| x / 3.0), one(|x| if x == 1.0 { 0.335 } else { x / 3.0 })];
    let all = plain(&reference("x/3"), &domain, &subjects, &inspection, &SweepOptions::default()).unwrap();
    let found: Vec<_> = all.into_iter().map(|m| m.unwrap().tolerated.unwrap()).collect();
    assert!(found[0].worst.value < 0.25 && found[0].beyond.count == 0);
    assert_eq!((found[1].beyond.count, found[1].beyond.first.clone()), (1, Some(vec!["0x1p+0".to_owned()])));
    let c = F16.nearest_f64(f64::from(0.335f32));
    assert!((found[1].worst.value - (c - 1.0 / 3.0) / (0.002 / 3.0)).abs() < 1e-9);
}

#[test]
fn refusals() {
    let inspection = Inspection::default();
    let options = SweepOptions::default();
    let whole = SampleDomain::whole(FloatFormat::F32, 1).unwrap();
    let subjects = [one(|x| x)];
    let refused = exhaust_half(&reference("x"), &whole, &subjects, &inspection, &options);
    assert!(matches!(refused, Err(VerifyError::TooMany { format: "f32", .. })));
    let two = SampleDomain::whole(F16, 2).unwrap();
    let refused = exhaust_half(&reference("x*y"), &two, &[subject(|x| x[0])], &inspection, &options);
    assert!(matches!(refused, Err(VerifyError::TooMany { format: "f16", arguments: 2 })));
    let doubles = SampleDomain::whole(FloatFormat::F64, 1).unwrap();
    assert!(plain(&reference("x"), &doubles, &subjects, &inspection, &options).is_err());
    let few = SampleDomain::new(FloatFormat::F64, &[(1.0, 1.0 + 1e-13)]).unwrap();
    let inspection = Inspection { judged_at: FloatFormat::F64, ..inspection };
    let m = plain(&reference("x"), &few, &subjects, &inspection, &options).unwrap().remove(0).unwrap();
    assert_eq!((m.inputs, m.not_correctly_rounded), (451, 0));
}

/// A reference, the first input, and a subject.
type Case = (&'static str, f32, fn(f32) -> f32);

/// What a processor that flushes makes of a result.
fn flush(y: f32) -> f32 {
    if y.is_subnormal() { 0.0f32.copysign(y) } else { y }
}

#[test]
fn the_fast_measurement_agrees_with_the_plain_one() {
    // Stretches with subnormal results, overflow, a zero of the function, a pole, no values; subjects of middling quality.
    let cases: [Case; 9] = [
        ("x^3", 1.1e-13, |x| x * x * x),
        // About the least normal numbers of the wide formats, flushed and a little too small.
        ("x/4", 4.701_8e-38, |x| flush(x * 0.249_999_97)),
        ("-x/3", -1e-42, |x| flush(x / -3.0)),
        // Numbers in place of infinities.
        ("x^3", 6.981_4e12, |x| (x * x * x).clamp(f32::MIN, f32::MAX)),
        ("x^3", 6.981_4e12, |x| x * x * x),
        ("1-x", 0.999_9, |x| (1.0 - x) * 1.000_000_1),
        ("sqrt(x)", -1e-43, |x| x.abs().sqrt()),
        ("1/x", -3e-42, |x| 1.0 / x + 1.0),
        ("x/3", 1e-39, |x| x * 0.333_333_34),
    ];
    for (text, start, f) in cases {
        let reference = reference(text);
        let mut hi = start;
        for _ in 0..2500 {
            hi = hi.next_up();
        }
        let subjects = [one(move |x| f64::from(f(x as f32)))];
        let seams = [f64::from(start.next_up().next_up())];
        let parse = |text| mathsmith_dsl::parse_expr(text).unwrap();
        let tolerance = Tolerance::new(&parse("abs(y)*2^-24 + 2^-160"), &parse(text)).unwrap();
        let formats = [FloatFormat::F32, BF16, F16];
        for (judged_at, ftz) in formats.into_iter().flat_map(|f| [(f, false), (f, true)]) {
            let tolerance = Some(&tolerance);
            let inspection = Inspection { judged_at, ftz, tolerance, seams: &seams, ..Inspection::default() };
            let options = SweepOptions { threads: 2, ..SweepOptions::default() };
            let domain = mathsmith_verify::FloatDomain::new(start, hi).unwrap();
            let fast = mathsmith_verify::inspect(&reference, &domain, &subjects, &inspection, &options);
            if ftz && matches!(fast, Err(VerifyError::EmptyDomain { .. })) {
                continue;
            }
            let fast = fast.unwrap().remove(0).unwrap();
            let domain = SampleDomain::new(FloatFormat::F32, &[(f64::from(start), f64::from(hi))]).unwrap();
            let slow = plain(&reference, &domain, &subjects, &inspection, &options).unwrap().remove(0).unwrap();
            let name = format!("{text} from {start:e} at {}, ftz {ftz}", judged_at.name);
            for (a, b) in
                [(&fast.max_ulp, &slow.max_ulp), (&fast.max_rel, &slow.max_rel), (&fast.max_abs, &slow.max_abs)]
            {
                assert_eq!(a, b, "{name}");
            }
            assert_eq!(fast.max_rel_normal, slow.max_rel_normal, "{name}");
            assert_eq!(fast.not_correctly_rounded, slow.not_correctly_rounded, "{name}");
            assert_eq!(fast.classes, slow.classes, "{name}");
            assert_eq!(fast.range, slow.range, "{name}");
            assert_eq!(fast.flushed, slow.flushed, "{name}");
            assert_eq!(fast.tolerated, slow.tolerated, "{name}");
            assert_eq!(fast.histogram.counts.iter().sum::<u64>(), fast.inputs, "{name}");
            assert_eq!(fast.monotone, slow.monotone, "{name}");
            assert_eq!((fast.inputs, &fast.checksum), (slow.inputs, &slow.checksum), "{name}");
            assert!((fast.mean_ulp - slow.mean_ulp).abs() <= 1e-6 * slow.mean_ulp, "{name}");
            assert_eq!(fast.adversarial.first(), slow.adversarial.first(), "{name}");
            let counts = |m: &Measured| -> Vec<_> {
                let rows = m.binades.iter().filter(|b| b.inputs > 0);
                rows.map(|b| (b.negative, b.exponent, b.inputs, b.not_correctly_rounded, b.max_ulp)).collect()
            };
            assert_eq!(counts(&fast), counts(&slow), "{name}");
            for s in &fast.specials {
                let same = slow.specials.iter().find(|t| t.what == s.what);
                assert_eq!(Some(s), same, "{name}");
            }
        }
    }
}
