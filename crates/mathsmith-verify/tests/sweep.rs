//! Sweeps of small programs against the real oracle, judged again input by input with MPFR.

use mathsmith_ir::{Literal, Op, Program, Type};
use mathsmith_oracle::Reference;
use mathsmith_verify::{
    AdversarialSet, ErrorReport, FloatDomain, SweepOptions, Truth, checksum, point_error, points::Layout, sweep,
};

fn reference(text: &str) -> Reference {
    Reference::new(&mathsmith_dsl::parse_expr(text).expect("parses")).expect("compiles")
}

/// Horner's rule by fma.
fn polynomial(coefficients: &[f32]) -> Program {
    let mut p = Program::new("polynomial");
    let x = p.input("x", Type::F32);
    let mut y = p.lit(Literal::F32(coefficients[0]));
    for &c in &coefficients[1..] {
        let c = p.lit(Literal::F32(c));
        y = p.must(Op::Fma, &[y, x, c]);
    }
    p.output(y);
    p
}

/// A plain Taylor-like polynomial for exp2 with a few ULP of error.
fn exp2_program() -> Program {
    polynomial(&[0.001_877_576_7, 0.008_989_341, 0.055_826_318, 0.240_153_62, 0.693_153_1, 0.999_999_94])
}

fn one(f: &Reference, lo: f32, hi: f32, p: &Program, threads: usize) -> ErrorReport {
    let domain = FloatDomain::new(lo, hi).expect("a domain");
    let options = SweepOptions { threads, ..SweepOptions::default() };
    sweep(f, &domain, std::slice::from_ref(p), &options).expect("sweeps").remove(0)
}

#[test]
fn figures_are_those_of_mpfr() {
    for (text, lo, hi) in [
        ("exp2(x)", 0.999, 0.9991f32),
        ("exp2(x)", 0.0, 1e-42),
        ("x^3-x", 0.9999, 1.0001),
        ("log2(1+x)/x", -1e-42, 1e-42),
        ("exp(x)", 88.722, 88.724),
        ("exp(x)", -103.974, -103.971),
        ("erf(x)", 3.83, 3.8301),
    ] {
        let f = reference(text);
        let p = exp2_program();
        let r = one(&f, lo, hi, &p, 2);
        let domain = FloatDomain::new(lo, hi).unwrap();
        let xs: Vec<f32> = (0..domain.count()).map(|i| domain.get(i)).collect();
        let errors = point_error(&f, &p, &xs).unwrap();
        let first = |pick: &dyn Fn(usize) -> f64| {
            (0..xs.len()).fold((-1.0, 0.0f32), |best, i| if pick(i) > best.0 { (pick(i), xs[i]) } else { best })
        };
        assert_eq!((r.max_ulp.value, r.max_ulp.input), first(&|i| errors[i].ulp), "{text} ulp");
        assert_eq!((r.max_rel.value, r.max_rel.input), first(&|i| errors[i].rel), "{text} rel");
        assert_eq!((r.max_abs.value, r.max_abs.input), first(&|i| errors[i].abs), "{text} abs");
        assert_eq!(r, one(&f, lo, hi, &p, 1), "{text}: threads");
    }
}

#[test]
fn correct_rounding_has_half_an_ulp() {
    // x/2 and a reference that is met exactly; then a reference rounded once.
    let mut p = Program::new("half");
    let x = p.input("x", Type::F32);
    let h = p.lit(Literal::F32(0.5));
    let y = p.must(Op::Mul, &[x, h]);
    p.output(y);
    let r = one(&reference("x/2"), 1.0, 1.001, &p, 2);
    assert_eq!((r.max_ulp.value, r.max_ulp.input, r.not_correctly_rounded), (0.0, 1.0, 0));
    let r = one(&reference("x/2"), 0.0, 1e-42, &p, 2);
    assert_eq!((r.max_ulp.value, r.not_correctly_rounded), (0.5, 0), "ties to even among subnormals");
    assert!(r.specials_agree(), "{:?}", r.specials);
}

#[test]
fn a_checksum_is_the_sum_of_its_terms() {
    let (f, p) = (reference("exp2(x)"), exp2_program());
    let r = one(&f, 0.5, 0.501, &p, 2);
    let d = FloatDomain::new(0.5, 0.501).unwrap();
    let xs: Vec<f32> = (0..d.count()).map(|i| d.get(i)).collect();
    let mut ys = vec![0f32; xs.len()];
    mathsmith_jit::engine_for(&p)
        .unwrap()
        .0
        .run(&[], &[mathsmith_ir::ColumnRef::F32(&xs)], &mut [mathsmith_ir::ColumnMut::F32(&mut ys)])
        .unwrap();
    let sum = xs.iter().zip(&ys).fold(0u64, |s, (&x, &y)| s.wrapping_add(checksum::term(x, y)));
    assert_eq!(r.checksum, sum);
}

#[test]
fn reports_survive_json() {
    let r = one(&reference("exp2(x)"), 0.25, 0.2501, &exp2_program(), 2);
    let text = serde_json::to_string(&r).unwrap();
    assert_eq!(serde_json::from_str::<ErrorReport>(&text).unwrap(), r);
    assert_eq!(r.adversarial[0].x(), r.max_ulp.input);
    assert!(r.adversarial.iter().all(|w| w.ulp <= r.max_ulp.value));
}

#[test]
fn screening_is_a_lower_bound_that_grows_by_failures() {
    let (f, p) = (reference("exp2(x)"), exp2_program());
    let domain = FloatDomain::new(0.5, 0.52).unwrap();
    let layout = Layout { chebyshev: 16, random: 16, ..Layout::default() };
    let mut set = AdversarialSet::initial(&f, &domain, layout);
    assert!(set.len() > 30 && set.inputs().windows(2).all(|w| w[0] < w[1]));
    assert_eq!(set, AdversarialSet::initial(&f, &domain, layout), "the same seed, the same set");
    let mut engine = mathsmith_jit::engine_for(&p).unwrap().0;
    let mut scratch = Vec::new();
    let before = set.screen(&mut *engine, &[], &mut scratch).unwrap();
    let report = one(&f, 0.5, 0.52, &p, 2);
    assert!(before.ulp <= report.max_ulp.value * (1.0 + 1e-9));
    let mut other = set.clone();
    set.insert(&f, &report.adversarial_inputs());
    for x in report.adversarial_inputs().iter().rev() {
        other.insert(&f, &[*x]);
    }
    assert_eq!(set, other, "the order of insertion does not matter");
    let after = set.screen(&mut *engine, &[], &mut scratch).unwrap();
    assert!((after.ulp / report.max_ulp.value - 1.0).abs() < 1e-9, "{} {}", after.ulp, report.max_ulp.value);
}

#[test]
fn whole_format_classes() {
    // At an infinite end the reference is its limit.
    let f = reference("exp2(x)");
    assert_eq!(Truth::round_f32(&f, f64::INFINITY), f32::INFINITY);
    let mut p = Program::new("identity");
    let x = p.input("x", Type::F32);
    p.output(x);
    let r = one(&f, 3.4028e38, f32::INFINITY, &p, 2);
    assert_eq!(r.wrong_class, r.inputs, "a finite result where the function overflows");
    assert!(r.max_ulp.value.is_infinite());
    assert_eq!(r.specials.len(), 1);
    assert!(r.specials_agree(), "inf -> inf: {:?}", r.specials);
    let text = serde_json::to_string(&r).unwrap();
    assert_eq!(serde_json::from_str::<ErrorReport>(&text).unwrap(), r);
}

#[test]
fn flat_stretches_cost_no_more_than_others() {
    // 2^x is 1 to within the fast path's bound on all of both domains, and so is the program: nothing but MPFR tells
    // the errors apart, and branch and bound asks it about few of a million inputs.
    let f = reference("exp2(x)");
    for (lo, hi, at_hi) in [(1e-25f32, 1.05e-25f32, false), (1e-12, 1.1e-12, true)] {
        let r = one(&f, lo, hi, &exp2_program(), 2);
        assert!(r.inputs > 300_000, "{}", r.inputs);
        // The program gives 1 - 2^-24, off by 2^-24 + x ln 2.
        let want = 0.5 + f64::from(if at_hi { hi } else { lo }) * std::f64::consts::LN_2 * 8_388_608.0;
        assert!((r.max_ulp.value - want).abs() < 1e-15, "{} {want}", r.max_ulp.value);
        assert_eq!(r.max_ulp.input, if at_hi { hi } else { lo });
        assert_eq!(r.max_abs.input, if at_hi { hi } else { lo });
        assert!(r.settled < 5000, "{} inputs went to MPFR", r.settled);
    }
}
