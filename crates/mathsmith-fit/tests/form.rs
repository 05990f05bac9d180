//! Whole forms: from free constants to constants of a format.

mod common;

use common::{exp2, sin, tanh_ratio};
use mathsmith_fit::{Dd, FitError, FitReport, Fitter, FormOptions, FormProblem, Metric, polynomial_form, rational_form};
use mathsmith_ir::{Column, Engine, Interpreter, Literal, Op, Program, Type};

fn fit(program: &Program, target: &dyn Fn(f64) -> Dd, fixed: &[(usize, Literal)]) -> FitReport {
    let problem =
        FormProblem { program, target, domain: (0.0, 1.0), metric: Metric::Ulp(Type::F32), fixed, hard: &[] };
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
