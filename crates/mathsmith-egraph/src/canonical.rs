//! Canonical skeletons.
//!
//! [`canonical()`] reduces a program quickly, saturates an e-graph from it under [`Limits`], reads out the best program, and
//! repeats from there. Each step is a function of the program alone and never goes up in (operations, weight of constants
//! and divisions), so the sequence ends in a cycle, mostly of one program; the cycle's program of least key is the
//! result. Starting from it again ends in the same cycle: canonising a canonical program gives it back, key and all.
//! Whether two equal families end at the same point depends on the limits, as it must; the corpora in
//! `corpus/` say what is found within the default ones. Two different families never share a key (up to collisions of a
//! 128-bit hash, and of random values modulo 2^61 - 1).

use crate::analysis::{Facts, Graph};
use crate::extract::Extractor;
use crate::lang::{Lang, main_type, operations, to_expr};
use crate::quick::{Quick, quick_canonical};
use crate::rules::{RuleBook, RuleClass};
use crate::saturate::{Contraction, Limits, StopReason, saturate};
use egg::Rewrite;
use mathsmith_ir::{Node, Op, Program, Type};
use std::sync::{Arc, OnceLock};

/// A canonical program.
#[derive(Clone, Debug)]
pub struct Canonical {
    /// The representative: canonically numbered, parameters `c0`, `c1`, … with the values that make it equal to the given
    /// program, where those had values and the correspondence has no division by zero.
    pub program: Program,
    /// Hash of the structure, constants anonymous: the same on every platform and in every run.
    pub key: u128,
    /// Why the last saturation stopped.
    pub stop: StopReason,
    /// Iterations of all saturations.
    pub iterations: usize,
    /// Nodes of the largest e-graph.
    pub nodes: usize,
    /// For each parameter of [`Canonical::program`], the parameter of the given program that it is unchanged; `None` for
    /// one whose value was computed from several.
    pub origin: Vec<Option<u32>>,
}

/// Compiled rules for one kind of program.
pub struct Canonicalizer {
    ty: Type,
    limits: Limits,
    fuse: bool,
    wild: bool,
    rules: Arc<Vec<Rewrite<Lang, Facts>>>,
}

impl Canonicalizer {
    /// Compiles `book` for programs of main type `ty`. `fuse` decides about `fma` whatever [`Limits::contraction`] says;
    /// with `wild`, parameters are free constants; with `wide`, the rules kept out of the inner loop take part.
    pub fn new(book: &RuleBook, ty: Type, limits: Limits, fuse: bool, wild: bool, wide: bool) -> Self {
        let rules = Arc::new(book.compile(ty, limits.class, wide, fuse));
        Canonicalizer { ty, limits, fuse, wild, rules }
    }

    /// The canonical form of a program.
    pub fn run(&self, program: &Program) -> Canonical {
        let mut path = vec![self.quick(program)];
        let (mut iterations, mut nodes) = (0, 0);
        let mut stop = StopReason::Rounds;
        let mut cycle = 0;
        for _ in 0..self.limits.rounds.max(1) {
            let best = &path[path.len() - 1];
            let mut graph = Graph::new(Facts::new(&best.program, self.ty, self.limits.class, self.wild));
            let root = graph.add_expr(&to_expr(&best.program));
            let (why, n) = saturate(&mut graph, &self.rules, &self.limits);
            debug_assert_eq!(graph.analysis.conflicts, 0, "a rule merged different functions in {}", program.name());
            iterations += n;
            nodes = nodes.max(graph.total_size());
            let found = Extractor::new(&graph, self.fuse).program(root, &best.program).map(|(p, origin)| {
                let mut q = self.quick(&p);
                let through = |o: &Option<u32>, map: &[Option<u32>]| o.and_then(|i| map[i as usize]);
                q.origin = q.origin.iter().map(|o| through(&through(o, &origin), &best.origin)).collect();
                q
            });
            let next = found.filter(|q| self.rank(q) <= self.rank(best));
            // A fixed point is a cycle of one.
            let back = next.as_ref().map_or(Some(path.len() - 1), |q| path.iter().position(|p| p.key == q.key));
            if let Some(start) = back {
                (cycle, stop) = (start, why);
                break;
            }
            path.extend(next);
            cycle = path.len() - 1;
        }
        let best = path.drain(cycle..).min_by_key(|q| (self.rank(q), q.key)).expect("the path is never empty");
        let Quick { program, key, origin, .. } = best;
        Canonical { program, key, stop, iterations, nodes, origin }
    }

    pub(crate) fn ty(&self) -> Type {
        self.ty
    }

    pub(crate) fn rules(&self) -> &[Rewrite<Lang, Facts>] {
        &self.rules
    }

    pub(crate) fn fuse(&self) -> bool {
        self.fuse
    }

    fn quick(&self, program: &Program) -> Quick {
        quick_canonical(program, self.limits.class)
    }

    /// What results are compared by: fused operations where none may be, operations, constants and dear operations.
    fn rank(&self, q: &Quick) -> (usize, usize, usize) {
        let count = |f: fn(&Op) -> usize| {
            let ops = q.program.nodes().iter().map(|n| if let Node::Op(op, _) = n { f(op) } else { 0 });
            ops.sum::<usize>()
        };
        let barred = if self.fuse { 0 } else { count(|o| usize::from(*o == Op::Fma)) };
        let weight = count(|o| match o {
            Op::Div | Op::Sqrt => 6,
            Op::Sub | Op::Neg => 1,
            _ => 0,
        });
        (barred, operations(&q.program), weight + 4 * q.program.params().len())
    }
}

/// Whether fused operations may be used in the result.
fn fuses(program: &Program, contraction: Contraction) -> bool {
    match contraction {
        Contraction::AsWritten => program.nodes().iter().any(|n| matches!(n, Node::Op(Op::Fma, _))),
        Contraction::Separate => false,
        Contraction::Fused => true,
    }
}

/// Canonical form of a program under the shipped rules.
///
/// Parameters are free constants: the result's family is the program's (see [`crate::analysis`]). Under
/// [`RuleClass::Exact`] only rules that keep every bit are used beside the absorption of constants into constants.
pub fn canonical(program: &Program, limits: &Limits) -> Canonical {
    with_rules(program, limits, true, false, |c| c.run(program))
}

/// Runs `f` with the shipped rules compiled for a program: from the cache for default rules, since compiling costs more
/// than using them.
pub(crate) fn with_rules<R>(
    program: &Program,
    limits: &Limits,
    wild: bool,
    wide: bool,
    f: impl FnOnce(&Canonicalizer) -> R,
) -> R {
    type Rules = [OnceLock<Arc<Vec<Rewrite<Lang, Facts>>>>; 24];
    static CACHE: Rules = [const { OnceLock::new() }; 24];
    let ty = main_type(program);
    let fuse = fuses(program, limits.contraction);
    let slot = match ty {
        Type::F32 => 0,
        Type::F64 => 1,
        _ => 2,
    };
    let slot =
        ((slot * 2 + usize::from(limits.class == RuleClass::Real)) * 2 + usize::from(wide)) * 2 + usize::from(fuse);
    let rules = CACHE[slot].get_or_init(|| Arc::new(RuleBook::builtin().compile(ty, limits.class, wide, fuse)));
    f(&Canonicalizer { ty, limits: *limits, fuse, wild, rules: Arc::clone(rules) })
}
