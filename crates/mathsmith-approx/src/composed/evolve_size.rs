//! What a searched core costs, as the integer under which an archive keeps it.
//!
//! Throughput and operations depend on which operations there are and not on how they are joined, so a core is priced
//! within the whole program, where idle pipes are free, once for each multiset of operations. Latency is the longest path
//! through the core; code size counts constants too and is taken of the core by itself.

use super::Composed;
use super::assemble_forms::{Scheme, as_core, polynomial};
use crate::question::Question;
use crate::structure::{Arg, Genome, Instr, SearchSpace};
use mathsmith_dsl::Minimize;
use mathsmith_fit::Dd;
use mathsmith_ir::{Op, Program, Type};
use std::collections::BTreeMap;
use std::sync::RwLock;

/// Prices of the cores of one hole, in units of the cheapest operation.
pub struct Sizes<'a> {
    question: &'a Question,
    base: &'a Composed,
    core: usize,
    ty: Type,
    unit: f64,
    /// Price of the whole with a constant in the hole.
    empty: f64,
    /// Price of each operation by itself, in units.
    alone: Vec<(Op, f64)>,
    known: RwLock<BTreeMap<Vec<Op>, u32>>,
}

impl<'a> Sizes<'a> {
    /// Sizes of genomes over `space` as core number `core` of `base`.
    pub fn new(question: &'a Question, base: &'a Composed, core: usize, space: &SearchSpace) -> Sizes<'a> {
        let ty = base.plan.cores[core].value;
        let price = |op: Op| {
            let mut program = Program::new("operation");
            let args: Vec<_> = (0..op.arity()).map(|i| program.input(format!("x{i}"), ty)).collect();
            let y = program.must(op, &args);
            program.output(y);
            question.price(&program).order(question.problem.minimize).0
        };
        let prices: Vec<(Op, f64)> = space.ops.iter().map(|(op, _)| (*op, price(*op))).collect();
        let positive = prices.iter().map(|p| p.1).filter(|p| *p > 0.0 && *p < f64::MAX);
        let least = positive.fold(f64::INFINITY, f64::min);
        let unit = if least.is_finite() { least } else { 1.0 };
        // What the model has no figure for is out of the question, but a number all the same.
        let alone = prices.into_iter().map(|(op, p)| (op, (p / unit).min(MOST))).collect();
        let constant = polynomial(&base.plan.cores[core], &[Dd::ONE], Scheme::Horner, true);
        let mut sizes = Sizes { question, base, core, ty, unit, empty: 0.0, alone, known: RwLock::default() };
        sizes.empty = sizes.whole(&constant);
        sizes
    }

    /// The size of a genome in normal form.
    pub fn of(&self, genome: &Genome) -> u32 {
        match self.question.problem.minimize {
            Minimize::Latency => self.path(genome),
            Minimize::Size => self.rounded(self.price(&genome.to_program("core", self.ty))),
            Minimize::Throughput | Minimize::Ops => {
                let mut ops: Vec<Op> = genome.instrs.iter().map(|i| i.op).collect();
                ops.sort_unstable();
                let known = self.known.read().ok().and_then(|k| k.get(&ops).copied());
                known.unwrap_or_else(|| {
                    let core = as_core(&self.base.plan.cores[self.core], &chain(&ops).to_program("core", self.ty));
                    let size = self.rounded(self.whole(&core) - self.empty);
                    if let Ok(mut known) = self.known.write() {
                        known.insert(ops, size);
                    }
                    size
                })
            }
        }
    }

    fn rounded(&self, price: f64) -> u32 {
        (price / self.unit).clamp(0.0, MOST).round() as u32
    }

    fn price(&self, program: &Program) -> f64 {
        self.question.price(program).order(self.question.problem.minimize).0
    }

    /// Price of the whole program with a core in place.
    fn whole(&self, core: &Program) -> f64 {
        let mut cores: Vec<Program> = self.base.cores.iter().map(|c| c.program.clone()).collect();
        cores[self.core] = core.clone();
        // A core of the hole's types fits; if it did not, its own price would still order it.
        self.base.plan.compose("priced", &cores).map_or_else(|_| self.price(core), |whole| self.price(&whole))
    }

    /// The longest path through the core.
    fn path(&self, genome: &Genome) -> u32 {
        let price = |op: Op| self.alone.iter().find(|(o, _)| *o == op).map_or(MOST, |p| p.1);
        let mut ready: Vec<f64> = Vec::with_capacity(genome.instrs.len());
        for instr in &genome.instrs {
            let start = instr.args().iter().filter_map(|a| a.node()).map(|n| ready[n]).fold(0.0, f64::max);
            ready.push(start + price(instr.op));
        }
        genome.root.node().map_or(0, |n| ready[n].min(MOST).round() as u32)
    }
}

/// Above every size that is worth anything.
const MOST: f64 = 1e6;

/// A genome with the given operations, each on the result of the one before.
fn chain(ops: &[Op]) -> Genome {
    let mut last = Arg::Input(0);
    let mut instrs = Vec::with_capacity(ops.len());
    for (i, &op) in ops.iter().enumerate() {
        let args = [last, Arg::Input(0), Arg::Fixed(1.5)];
        instrs.push(Instr::new(op, &args[..op.arity()]));
        last = Arg::Node(i as u16);
    }
    Genome { inputs: 1, instrs, root: last, salt: 0 }
}
