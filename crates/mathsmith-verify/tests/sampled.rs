//! Samples of doubles and of two arguments, with subjects whose errors are known.

mod subjects;

use mathsmith_oracle::FloatFormat;
use mathsmith_verify::measured::{Measured, Parity};
use mathsmith_verify::{Coverage, Inspection, SampleDomain, SampleOptions, VerifyError, report, sample};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use subjects::{one, reference, subject};

const F64: FloatFormat = FloatFormat::F64;
const F32: FloatFormat = FloatFormat::F32;

fn at_f64() -> Inspection<'static> {
    Inspection { judged_at: F64, ..Inspection::default() }
}

/// A sample of one `f64` function.
fn run(text: &str, ends: (f64, f64), evals: u64, f: impl Fn(f64) -> f64 + Send + Sync + 'static) -> Measured {
    let domain = SampleDomain::new(F64, &[ends]).unwrap();
    let options = SampleOptions { evals, threads: 2, ..SampleOptions::default() };
    sample(&reference(text), &domain, &[one(f)], &at_f64(), &options).unwrap().remove(0).unwrap()
}

/// A sample of one function of two arguments.
fn run_two(
    text: &str,
    domain: &SampleDomain,
    evals: u64,
    f: impl Fn(f64, f64) -> f64 + Send + Sync + 'static,
) -> Measured {
    let options = SampleOptions { evals, threads: 2, ..SampleOptions::default() };
    let inspection = Inspection { judged_at: domain.format(), ..Inspection::default() };
    let subject = subject(move |x| f(x[0], x[1]));
    sample(&reference(text), domain, &[subject], &inspection, &options).unwrap().remove(0).unwrap()
}

/// Correctly rounded result moved by some ulps.
fn steps(y: f64, by: i64) -> f64 {
    f64::from_bits(y.to_bits().wrapping_add_signed(by))
}

/// A root that is off by `by` ulps before it is rounded.
fn root_off(x: f64, by: f64) -> f64 {
    let s = x.sqrt();
    // sqrt(x) - s to 2^-50 of itself: a double cannot hold it better.
    let rest = (-s).mul_add(s, x) / (2.0 * s);
    let ulp = steps(s, 1) - s;
    let place = rest / ulp + by;
    if place > 0.5 {
        steps(s, 1)
    } else if place < -0.5 {
        steps(s, -1)
    } else {
        s
    }
}

fn read(hex: &str) -> f64 {
    let (sign, body) = hex.strip_prefix('-').map_or((1.0, hex), |b| (-1.0, b));
    if let "inf" | "nan" = body {
        return sign * body.parse::<f64>().unwrap();
    }
    let (digits, exponent) = body.strip_prefix("0x").unwrap().split_once('p').unwrap();
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let significand = u64::from_str_radix(&format!("{whole}{fraction}"), 16).unwrap() as f64;
    let exponent = exponent.parse::<i32>().unwrap() - 4 * fraction.len() as i32;
    // In two steps, so that subnormals are met.
    sign * significand * 2f64.powi(exponent / 2) * 2f64.powi(exponent - exponent / 2)
}

#[test]
fn a_narrow_place_inside_wider_ones_is_climbed_to() {
    // 1 ULP on 2^-8 of the domain, 2 ULP on 2^-16 of it, 3 ULP on 2^30 doubles: 2^-22.
    let centre = 1.234_567_f64.to_bits();
    let f = move |x: f64| {
        let off = x.to_bits().abs_diff(centre);
        let by = if off < 1 << 29 {
            3
        } else if off < 1 << 35 {
            2
        } else {
            i64::from(off < 1 << 43)
        };
        steps(x.sqrt(), by)
    };
    let m = run("sqrt(x)", (1.0, 2.0), 400_000, f);
    assert!(m.max_ulp.value > 3.49 && m.max_ulp.value < 3.5, "{:?}", m.max_ulp);
    assert!(read(&m.max_ulp.x[0]).to_bits().abs_diff(centre) < 1 << 29);
    assert_eq!((m.coverage, m.seed, m.format.as_str()), (Coverage::Sampled, Some(1), "f64"));
    assert_eq!(m.adversarial[0], m.max_ulp.x);
    let mut distinct = m.adversarial.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!((distinct.len(), m.adversarial.len()), (256, 256));
}

#[test]
fn hard_cases_are_found_where_random_inputs_miss_them() {
    let m = run("sqrt(x)", (1.0, 4.0), 200_000, |x| root_off(x, 0.01));
    assert!(m.max_ulp.value > 0.5098 && m.max_ulp.value < 0.510_01, "{:?}", m.max_ulp);
    let right = run("sqrt(x)", (1.0, 4.0), 100_000, f64::sqrt);
    assert!(right.max_ulp.value > 0.4999 && right.max_ulp.value <= 0.5, "{:?}", right.max_ulp);
    assert_eq!(right.not_correctly_rounded, 0);
}

#[test]
fn threads_change_nothing_and_seeds_do() {
    let domain = SampleDomain::whole(F64, 1).unwrap();
    let f = |x: f64| if x < 0.0 { f64::NAN } else { root_off(x, 0.2 + 0.1 * (x % 1.0)) };
    let with = |threads, seed| {
        let options = SampleOptions { evals: 150_000, seed, threads, ..SampleOptions::default() };
        let m = sample(&reference("sqrt(x)"), &domain, &[one(f)], &at_f64(), &options).unwrap().remove(0).unwrap();
        serde_json::to_string(&m).unwrap()
    };
    let first = with(1, 1);
    assert_eq!(first, with(2, 1));
    assert_eq!(first, with(8, 1));
    assert_ne!(first, with(1, 2));

    let domain = SampleDomain::whole(F32, 2).unwrap();
    let inspection = Inspection::default();
    let with = |threads| {
        let options = SampleOptions { evals: 60_000, seed: 3, threads, ..SampleOptions::default() };
        let subject = subject(|x| f64::from(((x[0] * x[0] + x[1] * x[1]) as f32).sqrt()));
        let found = sample(&reference("hypot(x, y)"), &domain, &[subject], &inspection, &options);
        serde_json::to_string(&found.unwrap().remove(0).unwrap()).unwrap()
    };
    assert_eq!(with(1), with(8));
}

#[test]
fn counts_add_up() {
    let calls = std::sync::Arc::new(AtomicU64::new(0));
    let counted = calls.clone();
    let m = run("x^3", (0.5, 8.0), 100_000, move |x| {
        counted.fetch_add(1, Ordering::Relaxed);
        x * x * x
    });
    let random: u64 = m.histogram.counts.iter().sum();
    assert_eq!(random, 100_000 / 16);
    assert_eq!(m.binades.iter().map(|b| b.inputs).sum::<u64>(), random);
    assert_eq!(m.binades.iter().map(|b| b.not_correctly_rounded).sum::<u64>(), m.not_correctly_rounded);
    assert!(
        m.not_correctly_rounded > random / 10 && m.not_correctly_rounded < random / 2,
        "{}",
        m.not_correctly_rounded
    );
    let not_right: u64 = m.histogram.counts[17..].iter().sum();
    assert_eq!(report::Histogram::lower_edge(17), 0.5);
    assert!(not_right <= m.not_correctly_rounded);
    assert_eq!(m.inputs, 100_000);
    assert_eq!(calls.load(Ordering::Relaxed), m.inputs + m.pure.looked_at + m.specials.len() as u64);
    let greatest = m.binades.iter().map(|b| b.max_ulp).fold(0.0, f64::max);
    assert_eq!(greatest, m.max_ulp.value);
    assert!(m.binades.windows(2).all(|w| w[0].exponent < w[1].exponent) && m.binades.len() == 5);
    assert!(m.profile.iter().all(|p| p.lo <= p.hi && p.below <= p.above && p.above <= m.max_ulp.value));
    assert!(m.pure.looked_at > 0 && m.pure.broken.is_none());
    let monotone = m.monotone.unwrap();
    assert!(monotone.looked_at > random / 12 && monotone.broken.is_none(), "{monotone:?}");
    // Two roundings of half an ulp each, the first scaled by at most 2.
    assert!(m.max_ulp.value > 0.9 && m.max_ulp.value < 1.5, "{}", m.max_ulp.value);
    assert!(m.settled < 60_000, "{} of 100000 settled by MPFR", m.settled);
    assert_eq!(m.range.expected, m.range.got.clone());
}

#[test]
fn a_constant_bias_shows_in_every_figure() {
    let m = run("sqrt(x)", (1.0, 3.9), 60_000, |x| steps(x.sqrt(), 2));
    assert!(m.max_ulp.value > 2.49 && m.max_ulp.value <= 2.5, "{:?}", m.max_ulp);
    assert!((m.mean_ulp - 2.0).abs() < 0.02, "{}", m.mean_ulp);
    assert_eq!(m.not_correctly_rounded, m.histogram.counts.iter().sum::<u64>());
    assert!(m.profile.iter().all(|p| p.below >= 1.5));
    assert!(m.max_rel.value > 1.2 * 2f64.powi(-51) && m.max_rel.value < 1.26 * 2f64.powi(-51));
    assert_eq!(m.max_rel_normal, Some(m.max_rel.clone()));
    assert!(m.max_abs.value > 2.49 * 2f64.powi(-52));
    assert_eq!(m.classes, Default::default());
}

#[test]
fn nan_and_other_classes() {
    let nan = run("sqrt(x)", (1.0, 4.0), 20_000, |_| f64::NAN);
    assert_eq!(nan.max_ulp.value, f64::INFINITY);
    assert_eq!(nan.range.got, ["nan", "nan"]);
    assert!(nan.classes.nan_for_number.count > 1000 && nan.classes.nan_for_number.first.is_some());
    assert_eq!(nan.max_ulp.result, "nan");

    // Half of the floats have no root.
    let m = run("sqrt(x)", (f64::NEG_INFINITY, f64::INFINITY), 60_000, |x| x.abs().sqrt());
    assert!(m.classes.number_for_nan.count > 1000);
    assert_eq!(m.classes.nan_for_number.count, 0);
    assert_eq!(m.max_ulp.value, f64::INFINITY);
    let special = |what: &str| m.specials.iter().find(|s| s.what == what).unwrap().clone();
    assert!(!special("-inf").same_class && special("inf").same_class && special("nan").same_class);
    assert!(special("-0").same_class && !special("-0").same_zero_sign);

    // A class wrong in a narrow place does not stop the search for finite errors.
    let m = run("sqrt(x)", (1.0, 4.0), 100_000, |x| match x {
        _ if x < 1.001 => f64::INFINITY,
        _ if x > 3.0 => steps(x.sqrt(), 1),
        _ => x.sqrt(),
    });
    assert!(m.classes.infinity_for_finite.count > 10);
    assert!(m.binades.iter().any(|b| b.max_ulp > 1.49 && b.max_ulp < 1.5), "{:?}", m.binades);
    let flipped = run("x^3", (0.5, 1.0), 5_000, |x| -x);
    assert!(flipped.classes.wrong_sign.count > 300 && flipped.max_ulp.value.is_finite());
}

#[test]
fn properties_are_observed() {
    let domain = SampleDomain::new(F64, &[(-4.0, 4.0)]).unwrap();
    let inspection = Inspection { parity: Some(Parity::Odd), seams: &[1.0], ..at_f64() };
    let options = SampleOptions { evals: 40_000, ..SampleOptions::default() };
    let calls = Cell::new(0u64);
    let subjects = [
        one(|x| x * x * x),
        one(|x| if x < 0.0 { steps(x * x * x, 1) } else { x * x * x }),
        one(|x| if x.to_bits() & 1 == 0 { 1.0001 * (x * x * x) } else { x * x * x }),
        one({
            let n = AtomicU64::new(0);
            move |x| x * x * x + if n.fetch_add(1, Ordering::Relaxed).is_multiple_of(97) { 1e-3 } else { 0.0 }
        }),
    ];
    let progress = |done: u64, total: u64| {
        assert!(done <= total && done >= calls.get());
        calls.set(done);
    };
    let options = SampleOptions { progress: Some(&progress), ..options };
    let all = sample(&reference("x^3"), &domain, &subjects, &inspection, &options).unwrap();
    assert_eq!(calls.get(), 4 * 40_000);
    let all: Vec<Measured> = all.into_iter().map(Result::unwrap).collect();
    let broken = |m: &Measured| {
        let parity = m.parity.as_ref().unwrap();
        assert!(parity.0 == Parity::Odd && parity.1.looked_at > 2000);
        (parity.1.broken.is_some(), m.monotone.as_ref().unwrap().broken.is_some(), m.pure.broken.is_some())
    };
    assert_eq!(broken(&all[0]), (false, false, false));
    assert_eq!(broken(&all[1]), (true, false, false));
    let (parity, monotone, pure) = broken(&all[2]);
    assert_eq!((parity, monotone, pure), (false, true, false));
    let at = &all[2].monotone.as_ref().unwrap().broken.as_ref().unwrap().at;
    assert_eq!(read(&at[0]).next_up(), read(&at[1]));
    assert!(broken(&all[3]).2, "two calls differ somewhere");
    let seams: Vec<&str> = all[0].specials.iter().map(|s| s.what.as_str()).filter(|w| w.contains("seam")).collect();
    assert_eq!(seams, ["below seam", "seam", "above seam"]);
}

#[test]
fn edges_of_the_range_are_visited() {
    // A result that overflows one float too early, and one that turns to zero where subnormals are due.
    let m = run("1e200*x", (1e100, 1e120), 30_000, |x| {
        let y = 1e200 * x;
        if y > 1.797_69e308 { f64::INFINITY } else { y }
    });
    assert!(m.classes.infinity_for_finite.count > 0, "{:?}", m.classes);
    let m = run("x^2", (1e-170, 1e-150), 30_000, |x| if x * x < f64::MIN_POSITIVE { 0.0 } else { x * x });
    assert!(m.classes.zero_for_nonzero.count > 0);
    assert!(m.max_rel.value == 1.0 && m.max_rel_normal.as_ref().unwrap().value < 2e-16, "{:?}", m.max_rel_normal);
    // The same subject is right where subnormals are flushed.
    let domain = SampleDomain::new(F64, &[(1e-170, 1e-150)]).unwrap();
    let options = SampleOptions { evals: 30_000, ..SampleOptions::default() };
    let flush = Inspection { ftz: true, ..at_f64() };
    let subjects = [one(|x| if x * x < f64::MIN_POSITIVE { 0.0 } else { x * x })];
    let m = sample(&reference("x^2"), &domain, &subjects, &flush, &options).unwrap().remove(0).unwrap();
    assert!(m.flushed > 0 && m.not_correctly_rounded == 0 && m.max_ulp.value <= 0.5, "{:?}", m.max_ulp);
}

#[test]
fn two_arguments() {
    let whole = SampleDomain::whole(F32, 2).unwrap();
    // Doubles hold the squares of floats exactly, and their sum to half an ulp of a double.
    let good = run_two("hypot(x, y)", &whole, 60_000, |x, y| (x * x + y * y).sqrt());
    assert!(good.max_ulp.value > 0.499 && good.max_ulp.value < 0.500_001, "{:?}", good.max_ulp);
    assert_eq!(good.classes, Default::default());
    assert_eq!((good.format.as_str(), good.domain.len(), good.max_ulp.x.len()), ("f32", 2, 2));
    assert!(good.specials.len() > 100 && good.monotone.is_none() && good.parity.is_none());
    // In floats the squares overflow and underflow.
    let naive = run_two("hypot(x, y)", &whole, 60_000, |x, y| {
        let (x, y) = (x as f32, y as f32);
        f64::from((x * x + y * y).sqrt())
    });
    assert!(naive.classes.infinity_for_finite.count > 100 && naive.classes.zero_for_nonzero.count > 100);

    let unit = SampleDomain::new(F32, &[(1.0, 2.0), (1.0, 2.0)]).unwrap();
    let m = run_two("x*y", &unit, 60_000, |x, y| {
        let p = (x as f32) * (y as f32);
        // Off by 3 in a square of 2^-14 of the domain, by 2 around it and by 1 around that.
        let off = (x - 1.3).abs().max((y - 1.7).abs());
        let by = if off < 0.004 {
            3
        } else if off < 0.02 {
            2
        } else {
            u32::from(off < 0.1)
        };
        f64::from(f32::from_bits(p.to_bits() + by))
    });
    assert!(m.max_ulp.value > 3.45 && m.max_ulp.value <= 3.5, "{:?}", m.max_ulp);
}

#[test]
fn correctly_rounded_functions_of_two_arguments_have_no_error() {
    for (text, ends) in
        [("pow(x, y)", [(0.0, f64::INFINITY), (-50.0, 50.0)]), ("atan2(x, y)", [(-1e3, 1e3), (-1e3, 1e3)])]
    {
        for format in [F32, F64] {
            let domain = SampleDomain::new(format, &ends).unwrap();
            let exact = reference(text);
            let m = run_two(text, &domain, 6_000, move |x, y| {
                if format == F32 { f64::from(exact.round_f32(&[x, y])) } else { exact.round_f64(&[x, y]) }
            });
            assert_eq!((m.not_correctly_rounded, &m.classes), (0, &Default::default()), "{text} {format:?}");
            assert!(m.max_ulp.value > 0.48 && m.max_ulp.value <= 0.5, "{text} {format:?} {:?}", m.max_ulp);
            assert!(m.specials.iter().all(|s| s.same_class), "{text} {:?}", m.specials);
        }
    }
}

#[test]
fn refusals_and_cancelling() {
    let domain = SampleDomain::whole(F64, 1).unwrap();
    let options = SampleOptions::default();
    let refused = sample(&reference("x^y"), &domain, &[one(|x| x)], &at_f64(), &options);
    assert!(matches!(refused, Err(VerifyError::Arity { arguments: 1, variables: 2 })));

    let cancel = AtomicBool::new(false);
    let progress = |_, _| cancel.store(true, Ordering::Relaxed);
    let options = SampleOptions { progress: Some(&progress), cancel: Some(&cancel), ..options };
    match sample(&reference("x^3"), &domain, &[one(|x| x * x * x)], &at_f64(), &options) {
        Err(VerifyError::Cancelled { done, total }) => assert!(done > 0 && done < total),
        other => panic!("{other:?}"),
    }

    // One subject fails, the other is measured; the input is named.
    let subjects = [subjects::failing(|x| x[0] == 1.0), one(|x| x * x * x)];
    let options = SampleOptions { evals: 5_000, ..SampleOptions::default() };
    let all = sample(&reference("x^3"), &domain, &subjects, &at_f64(), &options).unwrap();
    match &all[0] {
        Err(VerifyError::Failed { at, input, .. }) => assert_eq!((&at[..], &input[..]), (&[1.0][..], "0x1p+0 (1.0)")),
        other => panic!("{other:?}"),
    }
    assert!(all[1].is_ok());
}

#[test]
fn few_evaluations_are_enough_for_a_record() {
    for evals in [0, 1, 2, 17, 100] {
        let m = run("sqrt(x)", (1.0, 2.0), evals, f64::sqrt);
        assert!(m.inputs <= evals.max(2) + 1, "{} for {evals}", m.inputs);
    }
    // A domain of one number.
    let m = run("sqrt(x)", (2.0, 2.0), 1000, f64::sqrt);
    assert!(m.max_ulp.value < 0.5 && m.adversarial.len() == 1);
}

#[test]
fn zeros_have_the_sign_of_what_vanishes() {
    let max = f64::MAX;
    // (reference, domain, the special, what is due)
    let cases = [
        ("exp(x)", (-max, 0.0), "lower end", 0.0),
        ("exp(x)", (f64::NEG_INFINITY, 0.0), "-inf", 0.0),
        ("exp(x)", (-1e308, 0.0), "lower end", 0.0),
        ("exp(x)", (-800.0, 0.0), "lower end", 0.0),
        ("exp(x)", (-1e9, 0.0), "lower end", 0.0),
        ("exp(x)", (-3e9, 0.0), "lower end", 0.0),
        ("exp(x)", (-6.4e18, 0.0), "lower end", 0.0),
        ("-exp(x)", (-max, 0.0), "lower end", -0.0),
        ("-exp(x)", (f64::NEG_INFINITY, 0.0), "-inf", -0.0),
        ("-exp(x)", (-800.0, 0.0), "lower end", -0.0),
        ("exp(-x)", (0.0, max), "upper end", 0.0),
        ("exp(-x^2)", (-max, max), "lower end", 0.0),
        ("exp(-x^2)", (-max, max), "upper end", 0.0),
        ("x*exp(x)", (-max, 0.0), "lower end", -0.0),
        ("1/(1+exp(-x))", (-max, 0.0), "lower end", 0.0),
        ("x^3", (-1e-200, 1e-200), "lower end", -0.0),
        ("x^3", (-1e-200, 1e-200), "upper end", 0.0),
        ("sin(x)", (-1.0, 1.0), "-0", -0.0),
        ("sin(x)", (-1.0, 1.0), "0", 0.0),
        ("-x/3", (-1.0, 1.0), "0", -0.0),
        ("-x/3", (-5e-324, 5e-324), "lower end", 0.0),
    ];
    for (text, ends, what, due) in cases {
        for format in FloatFormat::ALL {
            let domain = SampleDomain::new(format, &[ends]).unwrap();
            let moved = domain.ends().any(|[lo, hi]| (lo == 0.0) != (ends.0 == 0.0) || (hi == 0.0) != (ends.1 == 0.0));
            if moved {
                // The format has no numbers so close to zero.
                continue;
            }
            let inspection = Inspection { judged_at: format, ..Inspection::default() };
            let options = SampleOptions { evals: 64, ..SampleOptions::default() };
            let m = sample(&reference(text), &domain, &[one(|_| 1.0)], &inspection, &options);
            let m = m.unwrap().remove(0).unwrap();
            let special = m.specials.iter().find(|s| s.what == what).unwrap();
            assert_eq!(special.expected, report::hex(due), "{text} on {ends:?}, {what}, {}", format.name);
            // The range knows no other zero than those of the function.
            if text == "exp(x)" || text == "-exp(x)" {
                let wrong = report::hex(if text == "exp(x)" { -0.0 } else { 0.0 });
                assert!(!m.range.expected.contains(&wrong), "{text} on {ends:?}: {:?}", m.range);
            }
        }
    }
}
