//! Fitting: what a search pays for one candidate, and what the finished form pays.
//!
//! The target is at least 8,000 least-squares fits a second on one core for a program of ten operations on 32 nodes.
//! References here are Taylor sums in double-double, so that the bench needs no reference library.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mathsmith_fit::{
    Dd, Fitter, FormOptions, FormProblem, LmOptions, LmResult, Metric, Nodes, StopReason, Tape, polynomial_form,
    rational_form,
};
use mathsmith_ir::sample::SplitMix;
use mathsmith_ir::{Op, Program, Type};
use std::f64::consts::LN_2;
use std::hint::black_box;

/// `2^x` for x in 0..1.
fn exp2(x: f64) -> Dd {
    let ln2 = Dd::new(LN_2, 2.319_046_813_846_299_6e-17);
    let y = ln2 * Dd::from(x);
    (1..=30).rev().fold(Dd::ONE, |sum, k| sum * y / Dd::from(f64::from(k)) + Dd::ONE)
}

/// Ten operations, five constants: `(c0 + c1 / (x + c2 + c3 / (x + c4)))^16`, a form of the kind that searches find.
fn ten_operations() -> Program {
    let mut p = Program::new("ten");
    let x = p.input("x", Type::Real);
    let c: Vec<_> = (0..5).map(|i| p.param(format!("c{i}"), Type::Real, None)).collect();
    let y = p.must(Op::Add, &[x, c[4]]);
    let y = p.must(Op::Div, &[c[3], y]);
    let z = p.must(Op::Add, &[x, c[2]]);
    let y = p.must(Op::Add, &[y, z]);
    let y = p.must(Op::Div, &[c[1], y]);
    let mut y = p.must(Op::Add, &[y, c[0]]);
    for _ in 0..4 {
        y = p.must(Op::Mul, &[y, y]);
    }
    p.output(y);
    p
}

/// Least squares as the search pays for it: many candidates of one structure, each with its own start.
///
/// The starts are constants as a child inherits them, up to a tenth off those of the reference; the figure is fits a second
/// over all of them, and the line printed before says how they end and after how many evaluations.
fn least_squares(c: &mut Criterion) {
    let nodes = Nodes::chebyshev((0.0, 1.0), 32, &exp2, Metric::Relative).expect("a sound problem");
    let mut fitter = Fitter::new();
    // The continued fraction of 2^(x/16) about 1/2; Taylor coefficients of 2^x.
    let fraction = [1.02, 280.0, -138.0, 6350.0, -0.48];
    let taylor = [0.001_333, 0.009_618, 0.055_50, 0.240_2, LN_2, 1.0];
    let horner = polynomial_form(5, Type::Real, false);
    let forms: [(&str, Program, &[f64]); 2] =
        [("continued fraction to the 16th", ten_operations(), &fraction), ("Horner, degree 5", horner, &taylor)];
    let mut group = c.benchmark_group("fit/least squares, 10 operations, 32 nodes");
    let mut tape = Tape::default();
    let options = LmOptions::default();
    for (name, program, constants) in &forms {
        let starts = starts(constants, 256);
        tape.rebuild(program).expect("a sound form");
        let mut fit = |start: &[f64]| fitter.least_squares(&tape, &nodes, start, &options).expect("shapes fit");
        let ends: Vec<LmResult> = starts.iter().map(|s| fit(s)).collect();
        let count = |stop| ends.iter().filter(|r| r.stop == stop).count();
        let evaluations = ends.iter().map(|r| r.iterations).sum::<usize>() as f64 / ends.len() as f64;
        println!(
            "{name}: {} fits end by gradient, {} at the precision of doubles, {} stalled, {} after {} evaluations; \
             {evaluations:.1} evaluations a fit",
            count(StopReason::Gradient),
            count(StopReason::Precision),
            count(StopReason::Stalled),
            count(StopReason::Iterations),
            options.max_iterations,
        );
        assert_eq!(count(StopReason::NotFinite) + count(StopReason::Nothing), 0, "every fit is one");
        group.throughput(Throughput::Elements(starts.len() as u64));
        group.bench_function(format!("{} fits, {name}", starts.len()), |b| {
            b.iter(|| {
                for start in &starts {
                    tape.rebuild(program).expect("a sound form");
                    let fit = fitter.least_squares(&tape, &nodes, black_box(start), &options);
                    black_box(fit.expect("shapes fit"));
                }
            });
        });
    }
    group.finish();
}

/// Constants up to a tenth off the given ones.
fn starts(constants: &[f64], count: u64) -> Vec<Vec<f64>> {
    let mut rng = SplitMix::new(1);
    let mut off = || (rng.bits() >> 11) as f64 / (1u64 << 53) as f64 * 0.2 - 0.1;
    (0..count).map(|_| constants.iter().map(|c| c * (1.0 + off())).collect()).collect()
}

fn refinement(c: &mut Criterion) {
    let mut fitter = Fitter::new();
    for degree in [5, 10] {
        c.bench_function(&format!("fit/minimax, degree {degree}"), |b| {
            b.iter(|| fitter.polynomial(degree, &exp2, (0.0, 1.0), Metric::Relative).expect("a sound problem"));
        });
    }
    c.bench_function("fit/minimax, ratio 4 over 4", |b| {
        b.iter(|| fitter.rational(4, 4, &exp2, (0.0, 1.0), Metric::Relative).expect("a sound problem"));
    });
}

fn rounding(c: &mut Criterion) {
    let mut fitter = Fitter::new();
    let mut group = c.benchmark_group("fit/whole form, f32");
    group.sample_size(10);
    for (name, program) in [
        ("degree 6, fma", polynomial_form(6, Type::F32, true)),
        ("ratio 2 over 2", rational_form(2, 2, Type::F32, false)),
    ] {
        let problem = FormProblem {
            program: &program,
            target: &exp2,
            domain: (0.0, 1.0),
            metric: Metric::Ulp(Type::F32),
            fixed: &[],
            hard: &[],
        };
        group.bench_function(name, |b| {
            b.iter(|| fitter.fit_form(&problem, None, &FormOptions::default()).expect("a sound form"));
        });
    }
}

criterion_group!(benches, least_squares, refinement, rounding);
criterion_main!(benches);
