//! Modelled time of a program.
//!
//! **Throughput** is that of a loop over arrays on full vectors with independent iterations: the pipes' work, spread as
//! well as possible. The least time in which work that may go to several pipes can be done is the largest, over all sets
//! of pipes, of the work that only that set can do divided by its size (Hall's condition for a fractional matching); the
//! front end bounds it too. Loads, stores and loop control are left out: they are the same for all programs.
//!
//! **Latency** is the longest path from an input to an output of one evaluation.

use crate::model::key;
use crate::{CostError, Model, is_free};
use mathsmith_ir::{Node, Program, Type, kernels};
use serde::{Deserialize, Serialize};

/// Modelled cycles.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Cycles for each element of a long array.
    pub throughput: f64,
    /// Cycles from input to output.
    pub latency: f64,
}

/// Estimates a program on a model.
///
/// # Errors
/// [`CostError::Real`] for a program over reals, [`CostError::MissingOp`] for an operation without figures.
pub fn cycles(program: &Program, model: &Model) -> Result<Cost, CostError> {
    // An elementary function costs what its kernel costs. Reductions have no figure: they are not work of one row.
    let program = &*kernels::lower(program);
    let free = is_free(program);
    let live = program.live();
    let bits = |t: Type| t.bits().unwrap_or(0);
    let mut ready = vec![0f64; program.nodes().len()];
    // Work by the set of pipes that can do it.
    let mut work: Vec<(u32, f64)> = Vec::new();
    let mut uops = 0.0;
    for v in program.values().filter(|v| live[v.index()]) {
        if program.ty(v) == Type::Real {
            return Err(CostError::Real { program: program.name().to_owned() });
        }
        let node = program.node(v);
        let Node::Op(op, _) = node else { continue };
        let start = node.args().iter().map(|a| ready[a.index()]).fold(0.0, f64::max);
        ready[v.index()] = start;
        if free[v.index()] {
            continue;
        }
        let cost = model.cost(program, v, op)?;
        debug_assert!(model.op.contains_key(&key(program, v, op)));
        ready[v.index()] = start + cost.latency;
        // Conversions between widths fill vectors of the wider type; truth values are as wide as what they come from.
        let width = node.args().iter().map(|&a| bits(program.ty(a))).fold(bits(program.ty(v)), u32::max).max(32);
        let lanes = f64::from(model.vector_bits) / f64::from(width);
        let set =
            cost.pipes.iter().filter_map(|p| model.pipes.iter().position(|q| q == p)).fold(0u32, |s, i| s | 1 << i);
        work.push((set, cost.cycles * cost.pipes.len() as f64 / lanes));
        uops += f64::from(cost.uops) / lanes;
    }
    let mut throughput = uops / f64::from(model.issue_width);
    for set in 1u32..1 << model.pipes.len() {
        let bound: f64 = work.iter().filter(|(s, _)| s & !set == 0).map(|(_, w)| w).sum();
        throughput = throughput.max(bound / f64::from(set.count_ones()));
    }
    let latency = program.outputs().iter().map(|v| ready[v.index()]).fold(0.0, f64::max);
    Ok(Cost { throughput, latency })
}

#[cfg(test)]
mod tests {
    use super::*;
    use mathsmith_ir::{Literal, Op, Value};

    fn horner(degree: usize) -> Program {
        let mut p = Program::new("horner");
        let x = p.input("x", Type::F32);
        let mut y = p.lit(Literal::F32(0.5));
        for i in 0..degree {
            let c = p.lit(Literal::F32(i as f32 + 1.5));
            y = p.must(Op::Fma, &[y, x, c]);
        }
        p.output(y);
        p
    }

    #[test]
    fn a_chain_of_fma() {
        let m = Model::builtin("x86-64-v3").unwrap();
        let c = cycles(&horner(6), &m).unwrap();
        assert_eq!((c.throughput, c.latency), (6.0 * 0.5 / 8.0, 24.0));
    }

    #[test]
    fn pipes_run_side_by_side() {
        let m = Model::builtin("x86-64-v3").unwrap();
        let mut p = horner(4);
        let f = p.outputs()[0];
        let mut y = f;
        for i in 0..4 {
            let c = p.lit(Literal::F32(i as f32 - 7.25));
            y = p.must(Op::Add, &[y, c]);
        }
        p.set_outputs(vec![y]);
        // Four fma on two pipes and four additions on the other two: the time of one of them.
        let c = cycles(&p, &m).unwrap();
        assert_eq!((c.throughput, c.latency), (4.0 * 0.5 / 8.0, 4.0 * 4.0 + 4.0 * 3.0));
    }

    #[test]
    fn functions_cost_their_kernels_and_reductions_have_no_figure() {
        let m = Model::builtin("x86-64-v3").unwrap();
        for op in Op::ELEMENTARY {
            for ty in [Type::F32, Type::F64] {
                let mut p = Program::new("t");
                let args: Vec<Value> = (0..op.arity()).map(|i| p.input(format!("x{i}"), ty)).collect();
                let y = p.must(op, &args);
                p.output(y);
                let cost = cycles(&p, &m).unwrap_or_else(|e| panic!("{e}"));
                assert_eq!(cost, cycles(&kernels::lower(&p), &m).unwrap());
                assert!(cost.latency > 40.0 && cost.throughput > 3.0, "{} {ty}: {cost:?}", op.name());
                assert_eq!(crate::count_ops(&p).total, 1);
            }
        }
        for op in Op::REDUCTIONS {
            let mut p = Program::new("t");
            let x = p.input("x", Type::F32);
            let y = p.must(op, &vec![x; op.arity()]);
            p.output(y);
            assert!(matches!(cycles(&p, &m), Err(CostError::MissingOp { .. })));
            assert_eq!(crate::count_ops(&p).total, 1);
        }
    }

    #[test]
    fn every_operation_has_a_figure() {
        let m = Model::builtin("x86-64-v3").unwrap();
        let machine = [Type::F32, Type::F64, Type::I32, Type::I64, Type::Bool];
        let ops = Op::PLAIN.into_iter().chain(machine.map(Op::Convert)).chain([Op::Table(0)]);
        let mut seen = 0;
        for op in ops {
            for a in machine {
                for b in machine {
                    let mut p = Program::new("t");
                    let t = p.table(vec![Literal::F32(1.0)]);
                    assert_eq!(t, 0);
                    let values: Vec<Value> = match op {
                        Op::Select => vec![p.input("c", Type::Bool), p.input("a", b), p.input("b", b)],
                        _ => (0..op.arity()).map(|i| p.input(format!("x{i}"), if i == 0 { a } else { b })).collect(),
                    };
                    if let Ok(v) = p.op(op, &values) {
                        p.output(v);
                        cycles(&p, &m).unwrap_or_else(|e| panic!("{e}"));
                        seen += 1;
                    }
                }
            }
        }
        assert!(seen > 100, "{seen} typings");
    }

    #[test]
    fn messages() {
        let e = Model::builtin("x86_64-v3").unwrap_err().to_string();
        assert!(e.contains("did you mean `x86-64-v3`"), "{e}");
        assert!(Model::parse("mine", "schema = 1").unwrap_err().to_string().contains("mine"));
        let mut p = Program::new("r");
        let x = p.input("x", Type::Real);
        p.output(x);
        let m = Model::builtin("x86-64-v3").unwrap();
        assert!(matches!(cycles(&p, &m), Err(CostError::Real { .. })));
        let mut small = m.clone();
        small.op.remove("fma.f32");
        assert!(matches!(cycles(&horner(1), &small), Err(CostError::MissingOp { .. })));
    }
}
