//! Least squares on forms with known answers.

use mathsmith_fit::{Fitter, LmOptions, Nodes, StopReason, Tape};
use mathsmith_ir::{Literal, Op, Program, RealLit, Type};

/// `c0 * x + c1` is fitted exactly; weights of zero skip a node, whatever stands there.
#[test]
fn a_line_is_found_exactly_and_nodes_without_weight_do_not_count() {
    let mut p = Program::new("line");
    let x = p.input("x", Type::F64);
    let (a, b) = (p.param("a", Type::F64, None), p.param("b", Type::F64, None));
    let y = p.must(Op::Fma, &[a, x, b]);
    p.output(y);
    let tape = Tape::new(&p).expect("a sound form");
    let xs: Vec<f64> = (0..50).map(f64::from).collect();
    let mut nodes = Nodes {
        target: xs.iter().map(|x| 3.0 * x - 7.0).collect(),
        weight: vec![1.0; 50],
        x: vec![xs],
        target_lo: Vec::new(),
    };
    nodes.weight[13] = 0.0;
    nodes.target[13] = f64::NAN;
    let fit = Fitter::new().least_squares(&tape, &nodes, &[0.0, 0.0], &LmOptions::default()).expect("shapes fit");
    assert!((fit.params[0] - 3.0).abs() < 1e-12 && (fit.params[1] + 7.0).abs() < 1e-12, "{fit:?}");
    assert!(fit.max_error < 1e-11 && fit.iterations < 20);
    nodes.weight[13] = 1.0;
    let fit = Fitter::new().least_squares(&tape, &nodes, &[0.0, 0.0], &LmOptions::default()).expect("shapes fit");
    assert_eq!(fit.stop, StopReason::NotFinite);
    assert_eq!(fit.max_error, f64::INFINITY);
}

#[test]
fn two_inputs_and_a_hidden_square_root_are_fitted() {
    // sqrt(x^2 + c y^2) with c = 2.5
    let mut p = Program::new("norm");
    let (x, y) = (p.input("x", Type::Real), p.input("y", Type::Real));
    let c = p.param("c", Type::Real, None);
    let one = p.lit(Literal::Real(RealLit::new(1.0)));
    let xx = p.must(Op::Mul, &[x, x]);
    let yy = p.must(Op::Mul, &[y, y]);
    let s = p.must(Op::Fma, &[c, yy, xx]);
    let s = p.must(Op::Sqrt, &[s]);
    let s = p.must(Op::Div, &[s, one]);
    p.output(s);
    let tape = Tape::new(&p).expect("a sound form");
    let xs: Vec<f64> = (0..70).map(|i| 0.1 + f64::from(i % 7)).collect();
    let ys: Vec<f64> = (0..70).map(|i| 0.2 + f64::from(i % 11)).collect();
    let target = xs.iter().zip(&ys).map(|(x, y)| (x * x + 2.5 * y * y).sqrt()).collect();
    let nodes = Nodes { x: vec![xs, ys], target, target_lo: Vec::new(), weight: vec![1.0; 70] };
    let fit = Fitter::new().least_squares(&tape, &nodes, &[1.0], &LmOptions::default()).expect("shapes fit");
    assert!((fit.params[0] - 2.5).abs() < 1e-13, "{fit:?}");
}

#[test]
fn a_singular_jacobian_does_not_stop_a_fit() {
    // c0 * c1 * x + 0 * c2: rank 1 of 3, and every derivative but one is zero at the start.
    let mut p = Program::new("singular");
    let x = p.input("x", Type::Real);
    let c: Vec<_> = (0..3).map(|i| p.param(format!("c{i}"), Type::Real, None)).collect();
    let zero = p.lit(Literal::Real(RealLit::new(0.0)));
    let a = p.must(Op::Mul, &[c[0], c[1]]);
    let a = p.must(Op::Mul, &[a, x]);
    let b = p.must(Op::Mul, &[zero, c[2]]);
    let y = p.must(Op::Add, &[a, b]);
    p.output(y);
    let tape = Tape::new(&p).expect("a sound form");
    let xs: Vec<f64> = (1..20).map(f64::from).collect();
    let nodes = Nodes {
        target: xs.iter().map(|x| 6.0 * x).collect(),
        weight: vec![1.0; xs.len()],
        x: vec![xs],
        target_lo: Vec::new(),
    };
    let fit = Fitter::new().least_squares(&tape, &nodes, &[1.0, 0.5, 9.0], &LmOptions::default()).expect("fits");
    assert!((fit.params[0] * fit.params[1] - 6.0).abs() < 1e-12 && fit.params[2] == 9.0, "{fit:?}");
}
