//! Hand-made records, one of each kind that a renderer meets. Figures are plausible, not measured.

use mathsmith_measure::record::{ROUNDING, SCHEMA};
use mathsmith_measure::{Asked, Cpu, Finding, Measurement, Source, SubjectRecord, Verdict};
use mathsmith_native::subject::{Element, Isa, Origin, Shape, Signature, Spec};
use mathsmith_oracle::FloatFormat;
use mathsmith_verify::Coverage;
use mathsmith_verify::measured::{
    BinadeRow, Break, Check, Classes, Measured, Parity, Peak, ProfileRow, Range, SpecialPoint, Tally, Tolerated,
};
use mathsmith_verify::report::{Histogram, hex};

fn peak(value: f64, x: f64, x_decimal: &str, result: &str, exact: &str) -> Peak {
    Peak { value, x: vec![hex(x)], x_decimal: vec![x_decimal.into()], result: result.into(), exact: exact.into() }
}

fn tally(count: u64, first: f64) -> Tally {
    Tally { count, first: Some(vec![hex(first)]) }
}

fn special(what: &str, x: &str, expected: &str, got: &str, same_class: bool, ulp: f64) -> SpecialPoint {
    let (what, x) = (what.into(), vec![x.into()]);
    SpecialPoint { what, x, expected: expected.into(), got: got.into(), same_class, same_zero_sign: true, ulp }
}

/// A number in [0, 1) that depends on `i` alone: uneven figures without a generator.
fn scatter(i: i64) -> f64 {
    ((i.rem_euclid(9973) * 7919) % 9973) as f64 / 9973.0
}

/// Stretches of `[lo, hi]`, the errors given by `edges(x, i)`.
fn profile(format: FloatFormat, [lo, hi]: [f64; 2], edges: impl Fn(f64, i64) -> [f64; 2]) -> Vec<ProfileRow> {
    const STRETCHES: i128 = 1024;
    let (first, last) = (i128::from(format.key(lo)), i128::from(format.key(hi)));
    let at = |i: i128| format.from_key((first + (last - first) * i / STRETCHES) as i64);
    let row = |i: i128| {
        let (lo, hi) = (at(i), at(i + 1));
        let [above, below] = edges(lo, i as i64);
        ProfileRow { lo, hi, above, below }
    };
    (0..STRETCHES).map(row).collect()
}

/// Binades of both signs of a format, ascending inputs.
fn binades(format: FloatFormat, negative: bool, figures: impl Fn(bool, i32) -> (f64, u64)) -> Vec<BinadeRow> {
    let of = |negative: bool, exponent: i32| {
        let (max_ulp, wrong) = figures(negative, exponent);
        let x = hex(if negative { -1.25 } else { 1.25 }).replace("p+0", &format!("p{exponent:+}"));
        let inputs = 1 << (format.precision - 1);
        BinadeRow { negative, exponent, inputs, max_ulp, worst: vec![x], mean_ulp: 0.25, not_correctly_rounded: wrong }
    };
    let exponents = format.min_exponent - 1..=format.max_exponent;
    let minus = exponents.clone().rev().filter(|_| negative).map(|e| of(true, e));
    minus.chain(exponents.map(|e| of(false, e))).collect()
}

fn histogram(parts: &[(f64, u64)]) -> Histogram {
    let mut counts = vec![0; Histogram::BINS];
    for &(ulp, n) in parts {
        counts[Histogram::bin(ulp)] += n;
    }
    Histogram { counts }
}

/// All of binary32: an exponential function, good.
pub fn good() -> Measurement {
    let format = FloatFormat::F32;
    let all = [-format.max(), format.max()];
    let x = f64::from_bits(0x3fe0_4a30_0000_0000);
    let top = peak(0.501_640_193, x, "0.50905609", "0x1.a9d07ep+0", "1.663688520000000000000001");
    let inputs = 4_278_190_081;
    let measured = Measured {
        coverage: Coverage::Exhaustive,
        inputs,
        seed: None,
        format: "f32".into(),
        judged_at: "f32".into(),
        ftz: false,
        domain: vec![["-inf".into(), "inf".into()]],
        max_ulp: top.clone(),
        max_rel: peak(1.0, -103.5, "-103.5", "0x1p-149", "1.118900000000000000000001e-45"),
        max_rel_normal: Some(Peak { value: 5.979e-8, ..top.clone() }),
        max_abs: peak(1.014e31, f64::from(88.722f32), "88.722", "0x1.ffe0p+127", "3.401e38"),
        mean_ulp: 0.013_271,
        not_correctly_rounded: 170_648,
        classes: Classes::default(),
        histogram: histogram(&[
            (0.01, 4_165_000_000),
            (0.1, 28_000_000),
            (0.2, 28_000_000),
            (0.3, 28_500_000),
            (0.45, 28_519_433),
            (0.5016, 170_648),
        ]),
        specials: vec![
            special("-inf", "-inf", "0x0p+0", "0x0p+0", true, 0.0),
            special("-0", "-0x0p+0", "0x1p+0", "0x1p+0", true, 0.0),
            special("0", "0x0p+0", "0x1p+0", "0x1p+0", true, 0.0),
            special("inf", "inf", "inf", "inf", true, 0.0),
            special("nan", "nan", "nan", "nan", true, 0.0),
        ],
        binades: binades(format, true, |_, e| match e {
            ..=-26 => (1e-3, 0),
            -25..=6 => (0.5 + 0.0016 * scatter(i64::from(e)), (2000.0 * scatter(i64::from(e) + 3)) as u64),
            _ => (0.0, 0),
        }),
        profile: profile(format, all, |x, i| {
            let inside = x.abs() > 1e-9 && x.abs() < 105.0;
            let edge = if inside { 0.5 + 0.0016 * scatter(i) } else { 0.0 };
            [edge, -edge]
        }),
        monotone: Some(Check { looked_at: inputs - 1, broken: None }),
        parity: None,
        pure: Check { looked_at: 65_536, broken: None },
        range: Range {
            got: ["0x0p+0".into(), "inf".into()],
            at: [vec!["-inf".into()], vec!["0x1.62e430p+6".into()]],
            expected: ["0x0p+0".into(), "inf".into()],
        },
        tolerated: None,
        flushed: 0,
        checksum: "0x5f1e0d3c2b1a0987".into(),
        adversarial: vec![vec![hex(x)]],
        settled: 412,
    };
    measurement("libm:expf", "exp(x)", libm("expf"), measured)
}

/// The same function from a vector library, worse, with a bound that it misses.
pub fn vector() -> Measurement {
    let mut m = good();
    m.subject = SubjectRecord {
        name: "libmvec:expf@avx2".into(),
        signature: Signature { element: Element::F32, arity: 1, shape: Shape::Vector(Isa::Avx2) },
        source: Source::Native(Origin {
            spec: Spec::Libmvec { symbol: "expf".into(), isa: Some(Isa::Avx2) },
            symbol: "_ZGVdN8v_expf".into(),
            file: Some("/usr/lib/x86_64-linux-gnu/libmvec.so.1".into()),
            hash: "9a".repeat(32),
            compiler: None,
            flags: Vec::new(),
        }),
        notes: Vec::new(),
    };
    m.measured.max_ulp.value = 0.987_59;
    m.measured.not_correctly_rounded = 51_248_976;
    m.measured.histogram = histogram(&[(0.01, 4_165_000_000), (0.3, 61_941_105), (0.7, 51_248_976)]);
    m.measured.profile = profile(FloatFormat::F32, [-FloatFormat::F32.max(), FloatFormat::F32.max()], |x, i| {
        let inside = x.abs() > 1e-9 && x.abs() < 105.0;
        let edge = if inside { 0.5 + 0.4875 * scatter(i) } else { 0.0 };
        [edge * 0.8, -edge]
    });
    m.asked.max_ulp = Some(0.6);
    m.verdicts = vec![
        verdict("max-ulp 0.6", false, "0.987590 ULP, exhaustive", &["0x1.04a3p-1"]),
        verdict("monotone", true, "4 278 190 080 pairs", &[]),
    ];
    m
}

/// C code that returns NaN whatever it is given.
pub fn nan_everywhere() -> Measurement {
    let mut m = own("nan.c");
    let f = &mut m.measured;
    f.max_ulp = peak(f64::INFINITY, -1.0, "-1", "nan", "-0.761594155955764888119458");
    f.max_rel = f.max_ulp.clone();
    f.max_rel_normal = Some(f.max_ulp.clone());
    f.max_abs = f.max_ulp.clone();
    f.mean_ulp = 0.0;
    f.not_correctly_rounded = f.inputs;
    f.classes.nan_for_number = tally(f.inputs, -1.0);
    f.histogram = histogram(&[(f64::INFINITY, f.inputs)]);
    f.profile.clear();
    for b in &mut f.binades {
        (b.max_ulp, b.mean_ulp, b.not_correctly_rounded) = (f64::INFINITY, 0.0, b.inputs);
    }
    f.specials = vec![special("0", "0x0p+0", "0x0p+0", "nan", false, f64::INFINITY)];
    f.monotone = Some(Check { looked_at: 0, broken: None });
    f.parity = Some((Parity::Odd, Check { looked_at: 0, broken: None }));
    f.range = Range {
        got: ["nan".into(), "nan".into()],
        at: [vec![], vec![]],
        expected: ["-0x1.85efacp-1".into(), "0x1.85efacp-1".into()],
    };
    m.findings = vec![Finding { what: "returns NaN for every input".into(), at: vec![] }];
    m
}

/// C code whose second call gives other bits.
pub fn impure() -> Measurement {
    let mut m = own("counter.c");
    m.measured.pure = Check {
        looked_at: 65_536,
        broken: Some(Break {
            at: vec!["0x1p-1".into()],
            results: vec!["0x1.d9353cp-2".into(), "0x1.d9353ep-2".into()],
            what: "two calls with the same input gave different results".into(),
        }),
    };
    m.findings = vec![Finding {
        what: "not pure: two calls with the same input gave different results".into(),
        at: vec!["0x1p-1".into()],
    }];
    m
}

/// C code of one's own on -1..1, with wrong classes, an inversion, a broken symmetry, a tolerance missed.
pub fn broken() -> Measurement {
    let mut m = own("mine.c");
    let f = &mut m.measured;
    f.max_ulp = peak(f64::INFINITY, 0.75, "0.75", "inf", "0.6351489523872873192");
    f.max_rel.value = f64::INFINITY;
    f.max_abs.value = f64::INFINITY;
    f.classes = Classes {
        nan_for_number: tally(3, -0.5),
        number_for_nan: Tally::default(),
        infinity_for_finite: tally(1_048_576, 0.75),
        finite_for_infinity: Tally::default(),
        zero_for_nonzero: tally(16_777_214, f64::from_bits(0x36a0_0000_0000_0000)),
        wrong_sign: tally(1, -0.125),
    };
    for b in &mut f.binades {
        if b.exponent == -1 || b.exponent == -127 && !b.negative {
            b.max_ulp = f64::INFINITY;
        }
    }
    f.histogram = histogram(&[
        (0.1, 1_500_000_000),
        (0.7, 600_000_000),
        (2.2, 12_879_643),
        (30.0, 1200),
        (f64::INFINITY, 17_825_794),
    ]);
    f.profile = profile(FloatFormat::F32, [-1.0, 1.0], |x, i| {
        if x.abs() > 0.01 {
            [0.5 + 29.0 * scatter(i) * (scatter(i + 1) * scatter(i + 1) * scatter(i + 1)), -2.2 * scatter(i)]
        } else {
            [0.4, -0.4]
        }
    });
    f.monotone = Some(Check {
        looked_at: 2_130_706_432,
        broken: Some(Break {
            at: vec!["0x1.3ffffep-2".into(), "0x1.4p-2".into()],
            results: vec!["0x1.34a1c4p-2".into(), "0x1.34a1cp-2".into()],
            what: "the result falls where the reference rises".into(),
        }),
    });
    f.parity = Some((
        Parity::Odd,
        Check {
            looked_at: 1_065_353_216,
            broken: Some(Break {
                at: vec!["0x1p-2".into(), "-0x1p-2".into()],
                results: vec!["0x1.f597eap-3".into(), "-0x1.f597ecp-3".into()],
                what: "f(-x) is not -f(x)".into(),
            }),
        },
    ));
    f.tolerated = Some(Tolerated {
        tolerance: "max(1e-6*abs(y), 1e-8)".into(),
        worst: peak(f64::INFINITY, 0.75, "0.75", "inf", "0.6351489523872873192"),
        beyond: tally(17_826_000, -0.5),
    });
    f.specials = vec![
        special("lower end", "-0x1p+0", "-0x1.85efacp-1", "-0x1.85efacp-1", true, 0.21),
        SpecialPoint { same_zero_sign: false, ..special("-0", "-0x0p+0", "-0x0p+0", "0x0p+0", true, 0.0) },
        special("seam", "0x1.8p-1", "0x1.453204p-1", "inf", false, f64::INFINITY),
        special("upper end", "0x1p+0", "0x1.85efacp-1", "0x1.85efbp-1", true, 2.21),
    ];
    m.verdicts = vec![
        verdict("monotone", false, "the result falls at 0x1.4p-2", &["0x1.4p-2"]),
        verdict("exact:0->0", true, "0x0p+0", &["0x0p+0"]),
        verdict("join:0.75", false, "the step across 0.75 is infinite, at most 1 ULP is asked", &["0x1.8p-1"]),
        verdict("tol max(1e-6*abs(y), 1e-8)", false, "17 826 000 inputs are beyond it", &["-0x1p-1"]),
    ];
    m
}

/// Doubles, sampled.
pub fn sampled() -> Measurement {
    let mut m = good();
    let format = FloatFormat::F64;
    let all = [-format.max(), format.max()];
    m.subject.name = "libm:exp".into();
    m.subject.signature.element = Element::F64;
    m.subject.source = libm("exp");
    (m.asked.format, m.asked.out) = ("f64".into(), "f64".into());
    (m.asked.evals, m.asked.seed) = (100_000_000, 7);
    let f = &mut m.measured;
    (f.coverage, f.inputs, f.seed) = (Coverage::Sampled, 100_000_000, Some(7));
    (f.format, f.judged_at) = ("f64".into(), "f64".into());
    f.max_ulp =
        peak(0.507_112, 0.1 + 1e-17, "0.1234567890123456", "0x1.1b89c1a3f2a71p+0", "1.107590012345678901234567");
    f.max_rel = Peak { value: 1.0, ..peak(0.0, -745.13, "-745.1332191019411", "0x1p-1074", "3.1e-324") };
    f.max_rel_normal = Some(Peak { value: 1.11e-16, ..f.max_ulp.clone() });
    f.max_abs =
        Peak { value: 9.98e291, ..peak(0.0, 709.78, "709.782712893384", "0x1.fffffffffff2ap+1023", "1.79769e308") };
    f.not_correctly_rounded = 811;
    f.histogram = histogram(&[(0.01, 700_000), (0.2, 200_000), (0.4, 147_765), (0.507, 811)]);
    f.binades = binades(format, true, |_, e| {
        if (-54..10).contains(&e) { (0.5 + 0.007 * scatter(i64::from(e)), 17) } else { (0.0, 0) }
    });
    for b in &mut f.binades {
        (b.inputs, b.worst) = (24_000, vec![b.worst[0].replace("1.4", "1.921fb54442d18")]);
    }
    f.profile = profile(format, all, |x, i| {
        if x.abs() > 1e-17 && x.abs() < 746.0 { [0.5 + 0.007 * scatter(i), -0.5] } else { [0.0, 0.0] }
    });
    f.monotone = None;
    f.pure.looked_at = 4096;
    m
}

/// Two arguments, sampled.
pub fn two_arguments() -> Measurement {
    let mut m = sampled();
    m.subject.name = "libm:atan2f".into();
    m.subject.signature = Signature { element: Element::F32, arity: 2, shape: Shape::Scalar };
    m.subject.source = libm("atan2f");
    m.asked = asked("atan2(y, x)");
    m.asked.variables = vec!["y".into(), "x".into()];
    m.asked.domain = vec![None, Some("-1e6..1e6".into())];
    (m.asked.evals, m.asked.seed) = (10_000_000, 1);
    let f = &mut m.measured;
    (f.inputs, f.seed) = (10_000_000, Some(1));
    (f.format, f.judged_at) = ("f32".into(), "f32".into());
    f.domain = vec![["-inf".into(), "inf".into()], ["-0x1.e848p+19".into(), "0x1.e848p+19".into()]];
    let pair = |value: f64| Peak {
        value,
        x: vec!["-0x1.9a3c5ep-13".into(), "0x1.fffffep-126".into()],
        x_decimal: vec!["-0.00019561477".into(), "2.3509886e-38".into()],
        result: "-0x1.921fb6p+0".into(),
        exact: "-1.570796326794896619231322".into(),
    };
    (f.max_ulp, f.max_rel, f.max_abs) = (pair(0.551_21), pair(6.2e-8), pair(1.2e-7));
    f.max_rel_normal = Some(pair(6.2e-8));
    f.histogram = histogram(&[(0.1, 500_000), (0.4, 123_189), (0.52, 1_811)]);
    f.binades = binades(FloatFormat::F32, true, |_, e| (0.5 + 0.05 * scatter(i64::from(e)), 400));
    for b in &mut f.binades {
        (b.inputs, b.worst) = (39_000, vec![b.worst[0].clone(), "-0x1.123456p+19".into()]);
    }
    let max = FloatFormat::F32.max();
    f.profile = profile(FloatFormat::F32, [-max, max], |_, i| [0.5 + 0.05 * scatter(i), -0.5 - 0.05 * scatter(i + 1)]);
    f.range.at = [vec!["-0x1p-149".into(), "-0x1p-149".into()], vec!["0x0p+0".into(), "-0x1p+0".into()]];
    (f.range.got, f.range.expected) =
        (["-0x1.921fb6p+1".into(), "0x1.921fb6p+1".into()], ["-0x1.921fb6p+1".into(), "0x1.921fb6p+1".into()]);
    f.specials = vec![
        SpecialPoint {
            x: vec!["-0x0p+0".into(), "-0x1p+0".into()],
            ..special("-0", "", "-0x1.921fb6p+1", "-0x1.921fb6p+1", true, 0.3)
        },
        SpecialPoint { x: vec!["nan".into(), "inf".into()], ..special("nan", "", "nan", "nan", true, 0.0) },
    ];
    m
}

/// A `float` function judged after a rounding to bfloat16, with subnormals flushed.
pub fn bf16() -> Measurement {
    let mut m = own("mine.c");
    (m.asked.out, m.asked.ftz) = ("bf16".into(), true);
    let f = &mut m.measured;
    (f.judged_at, f.ftz, f.flushed) = ("bf16".into(), true, 65_280);
    (f.max_ulp.value, f.not_correctly_rounded) = (0.500_000_04, 214);
    f.max_ulp.result = "0x1.86p-1".into();
    m
}

fn verdict(demand: &str, met: bool, detail: &str, at: &[&str]) -> Verdict {
    let at = at.iter().map(|&x| x.into()).collect();
    Verdict { demand: demand.into(), met, detail: detail.into(), at }
}

fn libm(symbol: &str) -> Source {
    Source::Native(Origin {
        spec: Spec::Libm { symbol: symbol.into() },
        symbol: symbol.into(),
        file: Some("/usr/lib/x86_64-linux-gnu/libm.so.6".into()),
        hash: "3c".repeat(32),
        compiler: None,
        flags: Vec::new(),
    })
}

/// tanh on -1..1 by C code of one's own.
fn own(file: &str) -> Measurement {
    let mut m = good();
    let format = FloatFormat::F32;
    let f = &mut m.measured;
    f.inputs = 2_130_706_433;
    f.domain = vec![["-0x1p+0".into(), "0x1p+0".into()]];
    f.max_ulp = peak(1.842_31, f64::from(0.3375f32), "0.3375", "0x1.4d0ab8p-2", "0.3252381672937421");
    f.max_rel = Peak { value: 1.7e-7, ..f.max_ulp.clone() };
    f.max_rel_normal = Some(f.max_rel.clone());
    f.max_abs = Peak { value: 8.1e-8, ..f.max_ulp.clone() };
    f.not_correctly_rounded = 12_881_021;
    f.histogram = histogram(&[(0.1, 1_500_000_000), (0.4, 617_825_412), (0.7, 12_000_000), (1.8, 881_021)]);
    f.binades = binades(format, true, |_, e| if e > -12 { (0.6 + 0.1 * f64::from(e + 12), 7000) } else { (0.4, 0) });
    f.binades.retain(|b| b.exponent < 0);
    f.profile = profile(format, [-1.0, 1.0], |x, i| {
        let edge = if x.abs() > 2e-4 { 0.5 + 1.3 * scatter(i) } else { 0.4 };
        [edge, -edge * 0.9]
    });
    f.monotone = Some(Check { looked_at: f.inputs - 1, broken: None });
    f.parity = Some((Parity::Odd, Check { looked_at: 1_065_353_216, broken: None }));
    f.range = Range {
        got: ["-0x1.85efacp-1".into(), "0x1.85efacp-1".into()],
        at: [vec!["-0x1p+0".into()], vec!["0x1p+0".into()]],
        expected: ["-0x1.85efacp-1".into(), "0x1.85efacp-1".into()],
    };
    f.specials = vec![
        special("lower end", "-0x1p+0", "-0x1.85efacp-1", "-0x1.85efacp-1", true, 0.21),
        special("0", "0x0p+0", "0x0p+0", "0x0p+0", true, 0.0),
        special("upper end", "0x1p+0", "0x1.85efacp-1", "0x1.85efacp-1", true, 0.21),
    ];
    let source = Source::Native(Origin {
        spec: Spec::C { path: file.into(), symbol: Some("my_tanhf".into()) },
        symbol: "my_tanhf".into(),
        file: Some(file.into()),
        hash: "5b".repeat(32),
        compiler: Some("gcc (Debian 12.2.0-14+deb12u1) 12.2.0".into()),
        flags: ["-O2", "-march=x86-64-v3", "-ffp-contract=off"].map(String::from).to_vec(),
    });
    let mut m = measurement(file, "tanh(x)", source, m.measured);
    m.asked.domain = vec![Some("-1..1".into())];
    m
}

fn asked(reference: &str) -> Asked {
    Asked {
        reference: reference.into(),
        variables: vec!["x".into()],
        domain: vec![None],
        format: "f32".into(),
        out: "f32".into(),
        require: Vec::new(),
        max_ulp: None,
        max_rel: None,
        max_abs: None,
        tolerance: None,
        seams: Vec::new(),
        ftz: false,
        evals: 0,
        seed: 0,
    }
}

fn measurement(name: &str, reference: &str, source: Source, measured: Measured) -> Measurement {
    Measurement {
        schema: SCHEMA,
        version: "0.1.0".into(),
        subject: SubjectRecord {
            name: name.into(),
            signature: Signature { element: Element::F32, arity: 1, shape: Shape::Scalar },
            notes: match &source {
                Source::Native(o) if o.compiler.is_some() => {
                    vec!["products and sums are not fused: the target has no FMA (-ffp-contract=fast, the compiler's default)".into()]
                }
                _ => Vec::new(),
            },
            source,
        },
        asked: asked(reference),
        rounding: ROUNDING.into(),
        cpu: Cpu { arch: "x86_64".into(), features: ["sse2", "avx", "avx2", "fma"].map(String::from).to_vec() },
        measured,
        verdicts: Vec::new(),
        findings: Vec::new(),
    }
}
