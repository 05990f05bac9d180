//! Tests of the kernels on random programs: derivatives against differences, and equal bits at every level.

use crate::fitter::Fitter;
use crate::kernel::{LANES, Level};
use crate::rng::SplitMix;
use crate::{Dd, LmOptions, Metric, MinimaxOptions, Nodes, Tape};
use mathsmith_ir::{Literal, Op, Program, RealLit, Type, Value};

/// A random program of one input, four parameters and `ops` operations of every kind that a tape knows.
fn random_program(rng: &mut SplitMix, ops: usize) -> Program {
    const BINARY: [Op; 7] = [Op::Add, Op::Sub, Op::Mul, Op::Div, Op::Min, Op::Max, Op::CopySign];
    const UNARY: [Op; 8] = [Op::Neg, Op::Abs, Op::Sqrt, Op::Floor, Op::Ceil, Op::Trunc, Op::RoundEven, Op::Sign];
    const TESTS: [Op; 6] = [Op::Lt, Op::Le, Op::Gt, Op::Ge, Op::Eq, Op::Ne];
    const LOGIC: [Op; 3] = [Op::And, Op::Or, Op::Xor];
    let mut p = Program::new("random");
    let mut values = vec![p.input("x", Type::Real)];
    for i in 0..4 {
        values.push(p.param(format!("c{i}"), Type::Real, None));
    }
    values.push(p.lit(Literal::Real(RealLit::new(1.5))));
    for _ in 0..ops {
        let mut pick = |n: usize| -> Vec<Value> {
            (0..n).map(|_| values[values.len() - 1 - rng.below(values.len().min(7))]).collect()
        };
        let v = match pick(1)[0].0 as usize + pick(1)[0].0 as usize {
            k if k % 5 == 0 => p.must(Op::Fma, &pick(3)),
            k if k % 5 == 1 => p.must(UNARY[k % 8], &pick(1)),
            k if k % 5 == 2 && k % 3 == 0 => {
                let test = p.must(TESTS[k % 6], &pick(2));
                let other = p.must(TESTS[(k + 1) % 6], &pick(2));
                let both = p.must(LOGIC[k % 3], &[test, other]);
                let both = if k % 2 == 0 { p.must(Op::Not, &[both]) } else { both };
                let arms = pick(2);
                p.must(Op::Select, &[both, arms[0], arms[1]])
            }
            k => p.must(BINARY[(k / 5) % 7], &pick(2)),
        };
        values.push(v);
    }
    // Take in every parameter, so that most programs have all derivatives.
    let sum = values[1..5].iter().fold(values[values.len() - 1], |s, &c| p.must(Op::Fma, &[c, values[0], s]));
    p.output(sum);
    p
}

fn some_nodes() -> Nodes {
    Nodes::chebyshev((0.25, 1.75), 45, &|x| Dd::from(1.0 + x * x), Metric::Relative).expect("a sound problem")
}

#[test]
fn derivatives_agree_with_differences_where_the_program_is_smooth() {
    let mut rng = SplitMix::new(11);
    let nodes = some_nodes();
    let (mut compared, mut skipped) = (0, 0);
    for case in 0..400 {
        let program = random_program(&mut rng, 3 + case % 12);
        let tape = Tape::new(&program).expect("only real operations");
        let mut fitter = Fitter::new();
        fitter.load(&tape, &nodes).expect("shapes fit");
        let params: Vec<f64> = (0..4).map(|_| rng.unit() * 3.0 - 1.0).collect();
        fitter.evaluate(&tape, &params);
        fitter.jacobian(&tape);
        let columns = fitter.columns.clone();
        for j in 0..4 {
            let mut at = |h: f64| {
                let mut moved = params.clone();
                moved[j] += h;
                fitter.evaluate(&tape, &moved);
                fitter.residual.clone()
            };
            // Differences of two widths: where they disagree the program is not smooth on that scale.
            let h = 1e-4;
            let (up, down, up2, down2) = (at(h), at(-h), at(h / 2.0), at(-h / 2.0));
            for k in 0..fitter.blocks {
                for i in 0..LANES {
                    let wide = (up[k].0[i] - down[k].0[i]) / (2.0 * h);
                    let narrow = (up2[k].0[i] - down2[k].0[i]) / h;
                    let exact = columns[j * fitter.blocks + k].0[i];
                    let tolerance = 1e-5 * (1.0 + exact.abs());
                    if (wide - narrow).abs() <= 0.1 * tolerance && wide.abs() < 1e4 {
                        assert!((narrow - exact).abs() <= tolerance, "case {case}, parameter {j}: {narrow} {exact}");
                        compared += 1;
                    } else {
                        skipped += 1;
                    }
                }
            }
        }
    }
    assert!(compared > 10 * skipped, "{compared} compared, {skipped} skipped");
}

#[test]
fn double_doubles_agree_with_doubles() {
    let mut rng = SplitMix::new(12);
    let nodes = some_nodes();
    for case in 0..100 {
        // Sums and products only: a rounding operation may tip over between the two.
        let mut p = Program::new("smooth");
        let x = p.input("x", Type::Real);
        let mut v: Vec<Value> = (0..4).map(|i| p.param(format!("c{i}"), Type::Real, None)).collect();
        v.push(x);
        for _ in 0..6 {
            let (a, b) = (v[rng.below(v.len())], v[rng.below(v.len())]);
            let op = [Op::Add, Op::Mul, Op::Sub][rng.below(3)];
            v.push(p.must(op, &[a, b]));
        }
        let out = v.iter().fold(x, |s, &c| p.must(Op::Add, &[s, c]));
        p.output(out);
        let tape = Tape::new(&p).expect("only real operations");
        let params: Vec<f64> = (0..4).map(|_| rng.unit()).collect();
        let mut fitter = Fitter::new();
        fitter.load(&tape, &nodes).expect("shapes fit");
        fitter.evaluate(&tape, &params);
        fitter.jacobian(&tape);
        let wide: Vec<Dd> = params.iter().map(|&p| Dd::from(p)).collect();
        let mut errors = Vec::new();
        fitter.evaluate_dd(&tape, &wide, &mut errors);
        let (columns, norms) = fitter.jacobian_dd(&tape);
        for (at, e) in errors.iter().enumerate() {
            let r = fitter.residual[at / LANES].0[at % LANES];
            assert!((r - e).abs() < 1e-12 * (1.0 + r.abs()), "case {case}: {r} {e}");
            for (j, norm) in norms.iter().enumerate() {
                let place = j * fitter.blocks + at / LANES;
                let (d, dd) = (fitter.columns[place].0[at % LANES], columns[place].0[at % LANES] * *norm);
                assert!((d - dd.to_f64()).abs() < 1e-12 * (1.0 + d.abs()), "case {case}: {d} {dd:?}");
            }
        }
    }
}

#[test]
fn every_instruction_set_gives_the_same_bits() {
    let levels = Level::available();
    let mut rng = SplitMix::new(13);
    let nodes = some_nodes();
    for case in 0..60 {
        let program = random_program(&mut rng, 3 + case % 12);
        let tape = Tape::new(&program).expect("only real operations");
        let start: Vec<f64> = (0..4).map(|_| rng.unit() * 3.0 - 1.0).collect();
        let wide: Vec<Dd> = start.iter().map(|&p| Dd::from(p)).collect();
        let run = |&level: &Level| {
            let mut fitter = Fitter::at_level(level);
            let fit = fitter.least_squares(&tape, &nodes, &start, &LmOptions::default()).expect("shapes fit");
            let options = MinimaxOptions { max_iterations: 4, ..MinimaxOptions::default() };
            let minimax = fitter.minimax_on_nodes(&tape, &nodes, &wide, &options).expect("shapes fit");
            let bits: Vec<u64> = fit.params.iter().map(|p| p.to_bits()).collect();
            let wide: Vec<[u64; 2]> = minimax.params.iter().map(|p| [p.hi.to_bits(), p.lo.to_bits()]).collect();
            (bits, fit.sum_sq.to_bits(), fit.iterations, fit.stop, wide, minimax.max_error.to_bits(), minimax.stop)
        };
        let all: Vec<_> = levels.iter().map(run).collect();
        assert!(all.windows(2).all(|w| w[0] == w[1]), "case {case}: {all:?}");
    }
}
