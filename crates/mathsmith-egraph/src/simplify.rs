//! Simplification of winners: fewer operations for the same program.
//!
//! Parameters are symbols here, not free constants: the result computes what the program computes, for the same
//! parameters. With [`RuleClass::Exact`] that is meant bit for bit (NaN being one class), which is what a rounded program
//! needs; with [`RuleClass::Real`] over the reals.

use crate::analysis::{Facts, Graph};
use crate::canonical::with_rules;
use crate::extract::Extractor;
use crate::lang::{operations, to_expr};
use crate::rules::RuleClass;
use crate::saturate::{Limits, saturate};
use mathsmith_ir::{Node, Program};

/// The program with the fewest operations that the shipped rules of `class` reach under `limits`, the wide ones included.
/// [`Limits::class`] is overridden by `class`. Inputs and parameters keep their names; parameters that are no longer
/// needed are dropped. The result never has more operations than the program, and is the program itself (without dead
/// code) where nothing was gained.
pub fn simplify(program: &Program, class: RuleClass, limits: &Limits) -> Program {
    let limits = Limits { class, ..*limits };
    let mut best = program.compacted();
    with_rules(program, &limits, false, true, |c| {
        for _ in 0..limits.rounds.max(1) {
            let mut graph = Graph::new(Facts::new(&best, c.ty(), class, false));
            let root = graph.add_expr(&to_expr(&best));
            saturate(&mut graph, c.rules(), &limits);
            debug_assert_eq!(graph.analysis.conflicts, 0, "a rule merged different functions in {}", program.name());
            let found =
                Extractor::new(&graph, c.fuse()).program(root, &best).map(|(p, origin)| named(p, &origin, &best));
            match found {
                Some(p) if operations(&p) < operations(&best) => best = p,
                _ => break,
            }
        }
    });
    best
}

/// `p` with its parameters under the names they have in `like`, in the order of `like`.
fn named(p: Program, origin: &[Option<u32>], like: &Program) -> Program {
    let mut out = Program::new(like.name());
    let mut map = Vec::with_capacity(p.nodes().len());
    let inputs: Vec<_> = like.inputs().iter().map(|i| out.input(i.name.clone(), i.ty)).collect();
    let params: Vec<_> = like.params().iter().map(|q| out.param(q.name.clone(), q.ty, q.value)).collect();
    for t in p.tables() {
        out.table(t.values.clone());
    }
    for node in p.nodes() {
        map.push(match *node {
            Node::Input(i) => inputs[i as usize],
            Node::Param(i) => {
                params[origin[i as usize].expect("without free constants every parameter is an old one") as usize]
            }
            Node::Lit(l) => out.lit(l),
            Node::Op(op, args) => {
                let args: Vec<_> = args[..op.arity()].iter().map(|a| map[a.index()]).collect();
                out.must(op, &args)
            }
        });
    }
    out.set_outputs(p.outputs().iter().map(|v| map[v.index()]).collect());
    out.compacted()
}
