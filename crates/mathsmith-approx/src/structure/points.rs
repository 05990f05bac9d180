//! Largest error of a genome on a fixed set of points, in doubles where they suffice and in double-doubles beyond.
//!
//! A double evaluation of ten operations carries noise of about 1e-15 relative; an archive that sorts errors of 1e-14 by
//! it would select for lucky rounding. So errors below [`PRECISE`] are taken again in double-double arithmetic.

use super::genome::{Arg, Genome};
use super::normal::apply;
use mathsmith_fit::{Dd, Nodes};
use mathsmith_ir::Op;

/// Weighted errors below this are computed in double-double arithmetic.
pub const PRECISE: f64 = 1e-12;

/// Points with reference values and weights, in columns.
#[derive(Clone, Debug)]
pub struct Points {
    x: Vec<f64>,
    y: Vec<Dd>,
    weight: Vec<f64>,
}

/// Buffers of one thread.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    columns: Vec<f64>,
}

impl Points {
    /// The first input's points of a set of nodes that have a weight, zero left out.
    pub fn new(nodes: &Nodes) -> Self {
        let xs: &[f64] = nodes.x.first().map_or(&[], Vec::as_slice);
        let used = || (0..nodes.len().min(xs.len())).filter(|&i| nodes.weight[i] != 0.0 && xs[i] != 0.0);
        Points {
            x: used().map(|i| xs[i]).collect(),
            y: used().map(|i| nodes.value(i)).collect(),
            weight: used().map(|i| nodes.weight[i]).collect(),
        }
    }

    /// Largest weighted error, `None` if a value is not finite or an operation cannot be evaluated here.
    pub fn max_error(&self, genome: &Genome, scratch: &mut Scratch) -> Option<f64> {
        let coarse = self.max_error_f64(genome, scratch)?;
        if coarse < PRECISE { self.max_error_dd(genome) } else { Some(coarse) }
    }

    fn max_error_f64(&self, genome: &Genome, scratch: &mut Scratch) -> Option<f64> {
        let n = self.x.len();
        scratch.columns.resize(n * genome.instrs.len(), 0.0);
        for (i, instr) in genome.instrs.iter().enumerate() {
            let (done, rest) = scratch.columns.split_at_mut(i * n);
            let out = &mut rest[..n];
            let column = |arg: Arg| match arg {
                Arg::Input(_) => Column::Values(&self.x),
                Arg::Node(v) => Column::Values(&done[usize::from(v) * n..][..n]),
                Arg::Free(c) | Arg::Fixed(c) => Column::Constant(c),
            };
            let [a, b, c] = instr.args.map(column);
            match instr.op {
                Op::Add => zip(out, a, b, |a, b| a + b),
                Op::Sub => zip(out, a, b, |a, b| a - b),
                Op::Mul => zip(out, a, b, |a, b| a * b),
                Op::Div => zip(out, a, b, |a, b| a / b),
                op => {
                    for (k, out) in out.iter_mut().enumerate() {
                        *out = apply(op, [a.at(k), b.at(k), c.at(k)])?;
                    }
                }
            }
        }
        let result = match genome.root {
            Arg::Input(_) => Column::Values(&self.x),
            Arg::Node(v) => Column::Values(&scratch.columns[usize::from(v) * n..][..n]),
            Arg::Free(c) | Arg::Fixed(c) => Column::Constant(c),
        };
        let mut largest = 0.0f64;
        for (k, (y, weight)) in self.y.iter().zip(&self.weight).enumerate() {
            let error = ((result.at(k) - y.hi) - y.lo).abs() * weight;
            if !error.is_finite() {
                return None;
            }
            largest = largest.max(error);
        }
        Some(largest)
    }

    fn max_error_dd(&self, genome: &Genome) -> Option<f64> {
        let mut values = Vec::with_capacity(genome.instrs.len());
        let mut largest = 0.0f64;
        for ((&x, &y), &weight) in self.x.iter().zip(&self.y).zip(&self.weight) {
            values.clear();
            let value_of = |arg: Arg, values: &[Dd]| match arg {
                Arg::Input(_) => Dd::from(x),
                Arg::Node(v) => values[usize::from(v)],
                Arg::Free(c) | Arg::Fixed(c) => Dd::from(c),
            };
            for instr in &genome.instrs {
                let [a, b, c] = instr.args.map(|arg| value_of(arg, &values));
                values.push(apply_dd(instr.op, a, b, c)?);
            }
            let error = (value_of(genome.root, &values) - y).abs().to_f64() * weight;
            if !error.is_finite() {
                return None;
            }
            largest = largest.max(error);
        }
        Some(largest)
    }
}

/// An argument at every point.
#[derive(Clone, Copy)]
enum Column<'a> {
    Values(&'a [f64]),
    Constant(f64),
}

impl Column<'_> {
    fn at(&self, k: usize) -> f64 {
        match self {
            Column::Values(v) => v[k],
            Column::Constant(c) => *c,
        }
    }
}

/// Element-wise operation, written so that each of the cases is a loop that vectorises.
fn zip(out: &mut [f64], a: Column<'_>, b: Column<'_>, f: impl Fn(f64, f64) -> f64) {
    match (a, b) {
        (Column::Values(a), Column::Values(b)) => {
            out.iter_mut().zip(a).zip(b).for_each(|((o, a), b)| *o = f(*a, *b));
        }
        (Column::Values(a), Column::Constant(b)) => out.iter_mut().zip(a).for_each(|(o, a)| *o = f(*a, b)),
        (Column::Constant(a), Column::Values(b)) => out.iter_mut().zip(b).for_each(|(o, b)| *o = f(a, *b)),
        (Column::Constant(a), Column::Constant(b)) => out.fill(f(a, b)),
    }
}

fn apply_dd(op: Op, a: Dd, b: Dd, c: Dd) -> Option<Dd> {
    Some(match op {
        Op::Add => a + b,
        Op::Sub => a - b,
        Op::Mul => a * b,
        Op::Div => a / b,
        Op::Fma => a.mul_add(b, c),
        Op::Neg => -a,
        Op::Abs => a.abs(),
        Op::Min => {
            if a.lt(b) {
                a
            } else {
                b
            }
        }
        Op::Max => {
            if b.lt(a) {
                a
            } else {
                b
            }
        }
        Op::Sqrt => a.sqrt(),
        Op::Floor => a.floor(),
        _ => return None,
    })
}
