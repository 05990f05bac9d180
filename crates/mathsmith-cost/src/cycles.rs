//! Modelled time of a program.
//!
//! # Machines that reorder
//!
//! **Throughput** is that of a loop over arrays with independent iterations, on full vectors or, in scalar code, on one
//! element at a time: the pipes' work, spread as well as possible. The least time in which work that may go to several pipes
//! can be done is the largest, over all sets of pipes, of the work that only that set can do divided by its size (Hall's
//! condition for a fractional matching); the front end bounds it too. Loads, stores and loop control are left out: they are
//! the same for all programs.
//!
//! **Latency** is the longest path from an input to an output of one evaluation.
//!
//! # Machines that issue in order
//!
//! An instruction that waits holds up all behind it. A loop that evaluates and stores one result an iteration therefore ends
//! each iteration by waiting for the result: nothing of the next one has begun, so the time of an iteration is that of one
//! evaluation. **Latency** is the time at which a list schedule (critical path first, as compilers order code for such
//! machines) has the last result, with `issue_width` micro-operations a cycle and every pipe busy for as long as the model
//! says; **throughput** is the same time for a vector, divided by its elements, and in scalar code the latency itself. A
//! compiler that interleaves iterations does better; the order of programs changes little by that.

use crate::schedule::{self, Step};
use crate::{CostError, Model, is_free};
use mathsmith_ir::{Node, Program, Type, Value, kernels};
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
    let ops = priced(program, model)?;
    if model.in_order { Ok(in_order(program, model, &ops)) } else { Ok(reordered(program, model, &ops)) }
}

/// An operation that costs something, with its row of the model.
pub(crate) struct Priced<'a> {
    /// The value that it computes.
    pub value: Value,
    /// Key of the row.
    pub key: &'a str,
    /// The row.
    pub cost: &'a crate::OpCost,
    /// Elements that it works on at a time.
    pub lanes: f64,
}

/// The operations of a lowered program that are live and not free, in the program's order.
pub(crate) fn priced<'a>(program: &Program, model: &'a Model) -> Result<Vec<Priced<'a>>, CostError> {
    let free = is_free(program);
    let live = program.live();
    let bits = |t: Type| t.bits().unwrap_or(0);
    let mut out = Vec::new();
    for v in program.values().filter(|v| live[v.index()]) {
        if program.ty(v) == Type::Real {
            return Err(CostError::Real { program: program.name().to_owned() });
        }
        let node = program.node(v);
        if let (Node::Op(op, _), false) = (node, free[v.index()]) {
            let (key, cost) = model.cost(program, v, op)?;
            // Conversions between widths fill vectors of the wider type; truth values are as wide as what they come from.
            let width = node.args().iter().map(|&a| bits(program.ty(a))).fold(bits(program.ty(v)), u32::max).max(32);
            out.push(Priced { value: v, key, cost, lanes: model.lanes(width) });
        }
    }
    Ok(out)
}

fn reordered(program: &Program, model: &Model, ops: &[Priced]) -> Cost {
    let mut ready = vec![0f64; program.nodes().len()];
    let mut next = ops.iter().peekable();
    // Work by the set of pipes that can do it.
    let mut work: Vec<(u32, f64)> = Vec::new();
    let mut uops = 0.0;
    for v in program.values() {
        let start = program.node(v).args().iter().map(|a| ready[a.index()]).fold(0.0, f64::max);
        ready[v.index()] = start;
        if let Some(p) = next.next_if(|p| p.value == v) {
            ready[v.index()] = start + p.cost.latency;
            work.extend(p.cost.work.iter().map(|(set, w)| (*set, w / p.lanes)));
            uops += f64::from(p.cost.uops) / p.lanes;
        }
    }
    let latency = program.outputs().iter().map(|v| ready[v.index()]).fold(0.0, f64::max);
    Cost { throughput: busiest(&work).max(uops / f64::from(model.issue_width)), latency }
}

/// The least time in which pipes can do work that is bound to sets of them. Only unions of the sets that occur can decide:
/// a pipe that belongs to none of the sets inside a union only makes the quotient smaller.
pub(crate) fn busiest(work: &[(u32, f64)]) -> f64 {
    let mut unions: Vec<u32> = Vec::new();
    for &(set, _) in work {
        if !unions.contains(&set) {
            let with: Vec<u32> = unions.iter().map(|u| u | set).chain([set]).collect();
            unions.extend(with);
            unions.sort_unstable();
            unions.dedup();
        }
    }
    let of = |union: u32| work.iter().filter(|(s, _)| s & !union == 0).map(|(_, w)| w).sum::<f64>();
    unions.iter().map(|&u| of(u) / f64::from(u.count_ones())).fold(0.0, f64::max)
}

fn in_order(program: &Program, model: &Model, ops: &[Priced]) -> Cost {
    // Steps that a value waits for: its own, or, where it is free, those of its arguments.
    let mut behind: Vec<Vec<usize>> = vec![Vec::new(); program.nodes().len()];
    let mut waits = Vec::with_capacity(ops.len());
    for v in program.values() {
        let mut before: Vec<usize> =
            program.node(v).args().iter().flat_map(|a| behind[a.index()].iter().copied()).collect();
        before.sort_unstable();
        before.dedup();
        behind[v.index()] = match ops.get(waits.len()) {
            Some(p) if p.value == v => {
                waits.push(before);
                vec![waits.len() - 1]
            }
            _ => before,
        };
    }
    // A vector of the narrowest type takes several of the operations on wider ones.
    let lanes = ops.iter().map(|p| p.lanes).fold(1.0, f64::max);
    let time = |filled: bool| {
        let steps: Vec<Step> = ops
            .iter()
            .zip(&waits)
            .map(|(p, waits)| {
                let times = if filled { lanes / p.lanes } else { 1.0 };
                Step {
                    waits,
                    latency: p.cost.latency,
                    uops: (f64::from(p.cost.uops) * times) as u32,
                    work: p.cost.work.iter().map(|(set, w)| (*set, w * times)).collect(),
                }
            })
            .collect();
        schedule::makespan(&steps, model.issue_width, model.pipes.len())
    };
    Cost { throughput: time(true) / lanes, latency: time(false) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mathsmith_ir::{Literal, Op};

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
    fn sets_of_pipes() {
        // Three units that pipes 0 and 1 share, and one that only pipe 1 can do: (3 + 1) / 2.
        assert_eq!(busiest(&[(0b11, 3.0), (0b10, 1.0)]), 2.0);
        // Four that only pipe 1 can do decide alone.
        assert_eq!(busiest(&[(0b11, 3.0), (0b10, 4.0)]), 4.0);
        assert_eq!(busiest(&[(0b011, 2.0), (0b110, 2.0), (0b101, 2.0)]), 2.0);
        assert_eq!(busiest(&[]), 0.0);
        // The same as over all sets of pipes, on random work.
        let mut state = 7u64;
        let mut draw = |n: u64| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) % n
        };
        for _ in 0..500 {
            let work: Vec<(u32, f64)> =
                (0..draw(6) + 1).map(|_| (draw(31) as u32 + 1, draw(16) as f64 / 4.0)).collect();
            let all = (1u32..32).map(|set| {
                let inside: f64 = work.iter().filter(|(s, _)| s & !set == 0).map(|(_, w)| w).sum();
                inside / f64::from(set.count_ones())
            });
            assert_eq!(busiest(&work), all.fold(0.0, f64::max), "{work:?}");
        }
    }

    #[test]
    fn in_order_machines_pay_for_chains() {
        let m = Model::builtin("cortex-m7").unwrap();
        let fma = m.op["fma.f32"].latency;
        // A chain: every fma waits for the one before, and the next element for the result.
        let c = cycles(&horner(6), &m).unwrap();
        assert_eq!((c.throughput, c.latency), (6.0 * fma, 6.0 * fma));
        // Four independent products and their sum: the products issue one a cycle.
        let mut p = Program::new("t");
        let x = p.input("x", Type::F32);
        let mut parts: Vec<Value> = (0..4)
            .map(|i| {
                let c = p.lit(Literal::F32(i as f32 + 2.5));
                p.must(Op::Mul, &[x, c])
            })
            .collect();
        while let [a, b, ref rest @ ..] = parts[..] {
            let s = p.must(Op::Add, &[a, b]);
            parts = rest.iter().copied().chain([s]).collect();
        }
        p.output(parts[0]);
        // Issue: products at 0 to 3, sums at 4 and 6, the last at 9; the result at 12.
        assert_eq!(cycles(&p, &m).unwrap().latency, 12.0);
    }

    #[test]
    fn messages() {
        let e = Model::builtin("x86_64-v3").unwrap_err().to_string();
        assert!(e.contains("did you mean `x86-64-v3`"), "{e}");
        assert!(Model::parse("mine", "schema = 2").unwrap_err().to_string().contains("mine"));
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
