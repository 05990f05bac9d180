//! Best forms: the proof is the alternation itself.
//!
//! By de la Vallée-Poussin's theorem no polynomial of degree n has a smaller largest error than the smallest of n + 2
//! alternating errors of any one polynomial of that degree, and likewise for ratios without defect. So nothing here
//! relies on tabulated optima.

mod common;

use common::{ALL, exp2, sin};
use mathsmith_fit::{
    ContinuedFraction, Dd, FitError, Fitter, Metric, MinimaxOptions, Nodes, StopReason, Tape, polynomial_form,
};
use mathsmith_ir::{Op, Program, Type};

#[test]
fn polynomials_up_to_degree_ten_level_out() {
    let mut fitter = Fitter::new();
    for (name, f) in ALL {
        for degree in 1..=10 {
            for metric in [Metric::Relative, Metric::Absolute, Metric::Ulp(Type::F32)] {
                let m = fitter.polynomial(degree, &f, (0.0, 1.0), metric).expect("valid problem").minimax;
                assert_eq!(m.extrema.len(), degree + 2, "{name} {degree} {metric:?}");
                assert!(m.extrema.windows(2).all(|w| w[0].0 < w[1].0 && w[0].1 * w[1].1 < 0.0));
                assert!(m.equioscillates && m.levelled >= 0.99, "{name} {degree} {m:?}");
            }
        }
    }
}

#[test]
fn ratios_up_to_five_over_five_level_out() {
    let mut fitter = Fitter::new();
    for (name, f) in ALL {
        for (m, n) in [(0, 1), (1, 1), (2, 1), (1, 3), (2, 2), (3, 2), (3, 3), (4, 4), (5, 3), (5, 5)] {
            let r = fitter.rational(m, n, &f, (0.0, 1.0), Metric::Relative).expect("valid problem").minimax;
            assert!(r.equioscillates, "{name} [{m}/{n}] {r:?}");
            assert_eq!(r.extrema.len(), m + n + 2);
        }
    }
}

#[test]
fn errors_far_below_a_double_are_reached() {
    // Below 1e-26, where only double-double residuals and derivatives mean anything.
    let m = Fitter::new().polynomial(16, &exp2, (0.0, 1.0), Metric::Relative).expect("valid problem").minimax;
    assert!(m.max_error < 1e-26 && m.equioscillates, "{m:?}");
}

#[test]
fn a_continued_fraction_is_as_good_as_its_ratio() {
    let mut fitter = Fitter::new();
    for (m, n) in [(1, 1), (2, 2), (3, 2), (3, 3), (2, 3), (1, 3)] {
        let ratio = fitter.rational(m, n, &exp2, (0.0, 1.0), Metric::Relative).expect("valid").minimax;
        let seed = fitter.continued_fraction(m, n, &exp2, (0.0, 1.0), Metric::Relative).expect("valid");
        let fraction = seed.expect("no leading coefficient vanishes").minimax;
        assert!((fraction.max_error / ratio.max_error - 1.0).abs() < 0.01, "[{m}/{n}] {fraction:?} {ratio:?}");
    }
}

#[test]
fn a_ratio_that_divides_evenly_has_no_fraction_left() {
    // (x + 1)(x + 2) / (x + 2) = x + 1: the remainder vanishes, which is reported and not divided by.
    let above = [2.0, 3.0, 1.0].map(Dd::from);
    let below = [2.0, 1.0].map(Dd::from);
    assert!(ContinuedFraction::of_ratio(&above, &below).is_none());
}

/// `x * (c0 + c1 x^2 + c2 x^4)`
fn odd_form() -> Program {
    let mut p = Program::new("odd");
    let x = p.input("x", Type::Real);
    let c: Vec<_> = (0..3).map(|i| p.param(format!("c{i}"), Type::Real, None)).collect();
    let s = p.must(Op::Mul, &[x, x]);
    let y = p.must(Op::Fma, &[c[2], s, c[1]]);
    let y = p.must(Op::Fma, &[y, s, c[0]]);
    let y = p.must(Op::Mul, &[y, x]);
    p.output(y);
    p
}

#[test]
fn relative_error_is_level_although_the_function_vanishes_at_an_end() {
    let tape = Tape::new(&odd_form()).expect("a sound form");
    let start = [Dd::ZERO; 3];
    let options = MinimaxOptions::default();
    let m = Fitter::new().minimax(&tape, &sin, (0.0, 1.5), Metric::Relative, &start, &options).expect("valid");
    assert!(m.levelled > 0.98 && m.max_error < 1e-4, "{m:?}");
}

#[test]
fn fixed_parameters_stay_and_the_others_level_out() {
    let mut tape = Tape::new(&polynomial_form(4, Type::Real, false)).expect("a sound form");
    tape.fix(0);
    let start = [1.0, 0.0, 0.0, 0.0, 0.0].map(Dd::from);
    let options = MinimaxOptions::default();
    let m = Fitter::new().minimax(&tape, &exp2, (0.0, 1.0), Metric::Relative, &start, &options).expect("valid");
    assert_eq!(m.params[0], Dd::ONE);
    // x times a cubic is a Chebyshev system of four: five extrema.
    assert!(m.equioscillates && m.extrema.len() == 5, "{m:?}");
    let free = Fitter::new().polynomial(4, &exp2, (0.0, 1.0), Metric::Relative).expect("valid").minimax;
    assert!(m.max_error > free.max_error);
}

#[test]
fn redundant_parameters_do_no_harm() {
    // c0 + (c1 + c2) * x: rank 2 of 3.
    let mut p = Program::new("redundant");
    let x = p.input("x", Type::Real);
    let c: Vec<_> = (0..3).map(|i| p.param(format!("c{i}"), Type::Real, None)).collect();
    let s = p.must(Op::Add, &[c[1], c[2]]);
    let y = p.must(Op::Mul, &[s, x]);
    let y = p.must(Op::Add, &[y, c[0]]);
    p.output(y);
    let tape = Tape::new(&p).expect("a sound form");
    let mut fitter = Fitter::new();
    let options = MinimaxOptions::default();
    let m = fitter.minimax(&tape, &exp2, (0.0, 1.0), Metric::Relative, &[Dd::ZERO; 3], &options).expect("valid");
    let line = fitter.polynomial(1, &exp2, (0.0, 1.0), Metric::Relative).expect("valid").minimax;
    assert!(m.equioscillates && (m.max_error / line.max_error - 1.0).abs() < 1e-3, "{m:?}");
}

#[test]
fn degenerate_problems_end_with_a_reason() {
    let mut fitter = Fitter::new();
    let options = MinimaxOptions::default();
    // No parameters.
    let mut p = Program::new("identity");
    let x = p.input("x", Type::Real);
    p.output(x);
    let tape = Tape::new(&p).expect("a sound form");
    let m = fitter.minimax(&tape, &exp2, (0.0, 1.0), Metric::Absolute, &[], &options).expect("valid");
    assert_eq!(m.stop, StopReason::Nothing);
    assert!((m.max_error - 1.0).abs() < 1e-3);
    // A constant function, met exactly.
    let one = |_: f64| Dd::ONE;
    let m = fitter.polynomial(2, &one, (0.0, 1.0), Metric::Relative).expect("valid").minimax;
    assert!(m.max_error < 1e-30);
    // Empty domain, reference undefined.
    let reversed = fitter.polynomial(2, &one, (1.0, 0.0), Metric::Relative);
    assert!(matches!(reversed, Err(FitError::Domain(..))));
    let nan = |x: f64| Dd::from(if x > 0.5 { f64::NAN } else { 1.0 });
    assert!(matches!(fitter.polynomial(2, &nan, (0.0, 1.0), Metric::Relative), Err(FitError::Target(_))));
    // A start where the form is infinite.
    let mut p = Program::new("pole");
    let x = p.input("x", Type::Real);
    let c = p.param("c", Type::Real, None);
    let y = p.must(Op::Div, &[c, x]);
    let y = p.must(Op::Div, &[x, y]);
    p.output(y);
    let tape = Tape::new(&p).expect("a sound form");
    let m = fitter.minimax(&tape, &exp2, (0.0, 1.0), Metric::Absolute, &[Dd::ZERO], &options).expect("valid");
    assert_eq!(m.stop, StopReason::NotFinite);
    // Wrong shapes.
    let nodes = Nodes { x: vec![], ..Nodes::default() };
    assert!(matches!(fitter.least_squares(&tape, &nodes, &[0.0], &Default::default()), Err(FitError::Shape { .. })));
}

#[test]
fn weights_of_nodes_decide_where_a_form_is_good() {
    let mut fitter = Fitter::new();
    for (name, f) in ALL {
        let even = Nodes::dense((0.0, 1.0), 400, &f, Metric::Absolute).expect("valid domain");
        let mut uneven = even.clone();
        for (w, &x) in uneven.weight.iter_mut().zip(&uneven.x[0]) {
            *w = if x < 0.5 { 16.0 } else { 1.0 };
        }
        for (m, n) in [(4, 0), (2, 2)] {
            let a = fitter.rational_on_nodes(m, n, &even).expect("columns of one length");
            let interval = fitter.rational(m, n, &f, (0.0, 1.0), Metric::Absolute).expect("valid problem").minimax;
            assert!((a.max_error / interval.max_error - 1.0).abs() < 0.01, "{name} [{m}/{n}]");
            let b = fitter.rational_on_nodes(m, n, &uneven).expect("columns of one length");
            // Better by the new weights than the old constants are, and no better than sixteen times smaller errors.
            assert!(b.max_error > a.max_error && b.max_error < 14.0 * a.max_error, "{name} [{m}/{n}] {b:?} {a:?}");
        }
    }
}
