//! Whole forms: from free constants to constants of a format.

mod common;

use common::{exp2, sin, tanh_ratio};
use mathsmith_fit::{
    Dd, FitError, FitReport, Fitter, FormOptions, FormProblem, Metric, polynomial_form, rational_form,
};
use mathsmith_ir::{Column, Engine, Interpreter, Literal, Op, Program, Type};

fn fit(program: &Program, target: &dyn Fn(f64) -> Dd, fixed: &[(usize, Literal)]) -> FitReport {
    let problem = FormProblem { program, target, domain: (0.0, 1.0), metric: Metric::Ulp(Type::F32), fixed, hard: &[] };
    Fitter::new().fit_form(&problem, None, &FormOptions::default()).expect("a sound form")
}

/// Largest error in ulp on every `step`-th float of 0..1.
fn swept(report: &FitReport, target: &dyn Fn(f64) -> Dd, step: usize) -> f64 {
    let xs: Vec<f32> = (0..=1.0f32.to_bits()).step_by(step).map(f32::from_bits).collect();
    let params: Vec<Literal> = report.program.params().iter().map(|p| p.value.expect("fitted")).collect();
    let mut out = Column::zeros(Type::F32, xs.len());
    let mut engine = Interpreter::new(&report.program).expect("an f32 program");
    engine.run(&params, &[Column::F32(xs.clone()).as_ref()], &mut [out.as_mut()]).expect("signature fits");
    let Column::F32(out) = out else { panic!("an f32 program") };
    let error = |(&x, &c): (&f32, &f32)| {
        let y = target(f64::from(x));
        ((f64::from(c) - y.hi) - y.lo).abs() / mathsmith_fit::ulp(Type::F32, y)
    };
    xs.iter().zip(&out).map(error).fold(0.0, f64::max)
}

#[test]
fn six_fused_steps_of_exp2_reach_one_ulp() {
    let report = fit(&polynomial_form(6, Type::F32, true), &exp2, &[]);
    let rounded = report.rounded.clone().expect("f32");
    let found = swept(&report, &exp2, 10_007);
    println!("{rounded:?}\n{found}");
    assert!(report.minimax.equioscillates);
    assert!(rounded.max_error <= rounded.nearest_error);
    assert!(rounded.max_error < 1.0 && found < 1.0);
}

#[test]
fn a_ratio_is_rounded_as_well_as_a_polynomial() {
    let report = fit(&rational_form(3, 3, Type::F32, true), &tanh_ratio, &[]);
    let rounded = report.rounded.clone().expect("f32");
    let found = swept(&report, &tanh_ratio, 20_011);
    println!("{rounded:?}\n{found}");
    assert!(report.minimax.equioscillates);
    // The search never ends above nearest rounding, and here it must gain.
    assert!(rounded.max_error < rounded.nearest_error);
    assert!(found <= rounded.max_error * 1.05);
}

#[test]
fn a_fixed_constant_is_the_one_that_was_given() {
    let ln2 = Literal::F32(std::f32::consts::LN_2);
    let report = fit(&polynomial_form(5, Type::F32, false), &exp2, &[(1, ln2)]);
    assert_eq!(report.program.params()[1].value, Some(ln2));
    let free = fit(&polynomial_form(5, Type::F32, false), &exp2, &[]);
    let error = |r: &FitReport| r.rounded.as_ref().expect("f32").max_error;
    assert!(error(&free) <= error(&report) + 0.05, "{} {}", error(&free), error(&report));
}

#[test]
fn the_same_seed_gives_the_same_constants() {
    let form = rational_form(2, 1, Type::F32, false);
    let runs: Vec<_> = (0..2).map(|_| fit(&form, &exp2, &[]).rounded).collect();
    assert_eq!(runs[0], runs[1]);
}

#[test]
fn doubles_are_rounded_with_references_beyond_double() {
    let problem = FormProblem {
        program: &polynomial_form(11, Type::F64, true),
        target: &exp2,
        domain: (0.0, 1.0),
        metric: Metric::Ulp(Type::F64),
        fixed: &[],
        hard: &[0.125],
    };
    let report = Fitter::new().fit_form(&problem, None, &FormOptions::default()).expect("a sound form");
    let rounded = report.rounded.expect("f64");
    println!("{rounded:?}");
    // The form itself is off by a few hundredths of an ulp, the last operation rounds by half a one.
    assert!(report.minimax.max_error < 0.05);
    assert!(rounded.max_error < 0.9 && rounded.max_error <= rounded.nearest_error);
}

#[test]
fn a_form_over_reals_is_not_rounded() {
    let pi = Literal::float(Type::Real, std::f64::consts::PI).expect("a float type");
    let problem = FormProblem {
        program: &polynomial_form(3, Type::Real, false),
        target: &sin,
        domain: (0.0, 1.0),
        metric: Metric::Absolute,
        fixed: &[(3, pi)],
        hard: &[],
    };
    let report = Fitter::new().fit_form(&problem, None, &FormOptions::default()).expect("a sound form");
    assert!(report.rounded.is_none() && report.points.is_none());
    assert_eq!(report.program.params()[3].value, Some(pi));
    assert!(report.minimax.equioscillates);
}

#[test]
fn forms_that_cannot_be_fitted_say_why() {
    let fit = |program: &Program, fixed: &[(usize, Literal)]| {
        let problem =
            FormProblem { program, target: &exp2, domain: (0.0, 1.0), metric: Metric::Relative, fixed, hard: &[] };
        Fitter::new().fit_form(&problem, None, &FormOptions::default()).map(|_| ())
    };
    let line = polynomial_form(1, Type::F32, false);
    assert!(matches!(fit(&line, &[(0, Literal::F32(f32::NAN))]), Err(FitError::Fixed(name)) if name == "c0"));
    assert!(matches!(fit(&line, &[(0, Literal::F64(1.0))]), Err(FitError::Fixed(_))));
    assert!(matches!(fit(&line, &[(7, Literal::F32(1.0))]), Err(FitError::Shape { .. })));
    assert!(matches!(fit(&Program::new("empty"), &[]), Err(FitError::Outputs(0))));
    // sqrt(c - 1e9 - x^2) is finite for none of the starts.
    let mut p = Program::new("nowhere");
    let x = p.input("x", Type::F32);
    let c = p.param("c", Type::F32, None);
    let far = p.lit(Literal::F32(1e9));
    let s = p.must(Op::Mul, &[x, x]);
    let y = p.must(Op::Sub, &[c, far]);
    let y = p.must(Op::Sub, &[y, s]);
    let y = p.must(Op::Sqrt, &[y]);
    p.output(y);
    assert_eq!(fit(&p, &[]), Err(FitError::NoStart));
    // Integer operations have no derivative.
    let mut p = Program::new("bits");
    let x = p.input("x", Type::F32);
    let bits = p.must(Op::Bitcast(Type::I32), &[x]);
    let y = p.must(Op::Bitcast(Type::F32), &[bits]);
    p.output(y);
    assert!(matches!(fit(&p, &[]), Err(FitError::Unsupported { .. })));
    // Elementary functions and reductions have none here either; the refusal names them.
    for op in Op::ELEMENTARY.into_iter().chain(Op::REDUCTIONS) {
        let mut p = Program::new("opaque");
        let x = p.input("x", Type::F32);
        let c = p.param("c", Type::F32, None);
        let y = p.must(Op::Mul, &[x, c]);
        let y = p.must(op, &vec![y; op.arity()]);
        p.output(y);
        match fit(&p, &[]) {
            Err(FitError::Unsupported { what, .. }) => assert!(what.contains(op.name()), "{what}"),
            other => panic!("`{}`: {other:?}", op.name()),
        }
    }
}
