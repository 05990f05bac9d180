//! Operators of variation: from parents to a child.
//!
//! Each operator changes the graph at an *edge*: a place where an instruction (or the result) takes an argument. It may
//! leave dead code, wrong order or even a cycle behind; [`super::normal::normalise`] clears up the first two and refuses
//! the third, and the child is drawn again. Constants are carried along, so that a child's fit starts where its parent
//! ended.

use super::genome::{Arg, Genome, Instr, NO_ARG};
use super::normal::normalise;
use super::regroup::regroup;
use super::space::SearchSpace;
use mathsmith_ir::Op;
use mathsmith_search::KeyedRng;

/// Bit of the salts of perturbed genomes: no start of another kind has it.
pub const FRESH_START: u32 = 1 << 31;

/// Draws before a child is given up.
const ATTEMPTS: usize = 8;

/// An operator of variation, in the order of the weights of [`super::space::Variation`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// Insertion of an operation that does nothing.
    InsertNeutral,
    /// Insertion of an operation with another value.
    Insert,
    /// Deletion of an operation.
    Delete,
    /// Exchange of an operation.
    Change,
    /// Exchange of an argument.
    Rewire,
    /// New small tree.
    Subtree,
    /// Part of another parent.
    Crossover,
    /// Square.
    Square,
    /// Macro.
    Macros,
    /// Constants moved.
    Perturb,
    /// Constant split.
    Split,
}

impl Operator {
    /// All operators in the order of their weights.
    pub const ALL: [Operator; 11] = [
        Operator::InsertNeutral,
        Operator::Insert,
        Operator::Delete,
        Operator::Change,
        Operator::Rewire,
        Operator::Subtree,
        Operator::Crossover,
        Operator::Square,
        Operator::Macros,
        Operator::Perturb,
        Operator::Split,
    ];
}

/// A place that takes an argument: (instruction, argument number), or the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Edge {
    Argument(usize, usize),
    Root,
}

/// A child of `parent` in normal form within the space: one mutation, or a few. `mate` supplies a second parent where
/// an operator asks for one. `None` if no draw led to a child.
pub fn child<'a>(
    parent: &'a Genome,
    mate: &dyn Fn(&mut KeyedRng) -> Option<&'a Genome>,
    space: &SearchSpace,
    rng: &mut KeyedRng,
) -> Option<Genome> {
    let weights = space.variation.weights();
    (0..ATTEMPTS).find_map(|_| {
        let mut genome = parent.clone();
        genome.salt = 0;
        while rng.chance(space.regroup) && regroup(&mut genome, space, rng) {
            genome = normalise(&genome, space.allowed())?;
        }
        loop {
            let operator = Operator::ALL[rng.weighted(&weights)?];
            if !apply(operator, &mut genome, mate, space, rng) {
                return None;
            }
            // Every mutation ends in normal form: the next one must find no cycle and no dead code.
            genome = normalise(&genome, space.allowed())?;
            if !rng.chance(space.again) {
                break;
            }
        }
        space.contains(&genome).then_some(genome)
    })
}

/// Applies one operator; false where it finds no place. The result is not in normal form.
pub fn apply<'a>(
    operator: Operator,
    genome: &mut Genome,
    mate: &dyn Fn(&mut KeyedRng) -> Option<&'a Genome>,
    space: &SearchSpace,
    rng: &mut KeyedRng,
) -> bool {
    match operator {
        Operator::InsertNeutral => insert_neutral(genome, space, rng),
        Operator::Insert => insert(genome, space, rng),
        Operator::Delete => delete(genome, rng),
        Operator::Change => change(genome, space, rng),
        Operator::Rewire => {
            let edge = any_edge(genome, rng);
            let to = any_value(genome, rng);
            set(genome, edge, to);
            true
        }
        Operator::Subtree => {
            let edge = any_edge(genome, rng);
            let depth = 1 + rng.below(2);
            let Some(tree) = tree(genome, space, rng, depth) else { return false };
            set(genome, edge, tree);
            true
        }
        Operator::Crossover => {
            let Some(mate) = mate(rng) else { return false };
            let edge = any_edge(genome, rng);
            let part = match mate.instrs.len() {
                0 => mate.root,
                n => Arg::Node(rng.below(n) as u16),
            };
            let part = graft(genome, mate, part, &mut vec![None; mate.instrs.len()], None);
            set(genome, edge, part);
            true
        }
        Operator::Square => {
            let edge = value_edge(genome, rng);
            let y = get(genome, edge);
            if !space.has(Op::Mul) || y.is_const() {
                return false;
            }
            let square = push(genome, Op::Mul, &[y, y]);
            set(genome, edge, square);
            true
        }
        Operator::Macros => {
            let weights: Vec<f64> = space.macros.iter().map(|m| m.weight).collect();
            let Some(at) = rng.weighted(&weights) else { return false };
            let edge = value_edge(genome, rng);
            let body = &space.macros[at].body;
            let holes = [get(genome, edge), any_node(genome, rng)];
            let mut body = body.clone();
            if rng.chance(0.5) {
                // Neutral constants start no worse, but what they grow into may lie across a ridge.
                let constants: Vec<f64> = body.constants().iter().map(|_| constant_value(rng)).collect();
                body.set_constants(&constants);
            }
            let grown = graft(genome, &body, body.root, &mut vec![None; body.instrs.len()], Some(&holes));
            set(genome, edge, grown);
            true
        }
        Operator::Perturb => {
            let scale = [0.01, 0.1, 0.5][rng.below(3)];
            let args = genome.instrs.iter_mut().flat_map(|i| i.args_mut()).chain(std::iter::once(&mut genome.root));
            for arg in args {
                if let Arg::Free(x) = arg {
                    *x = *x * (1.0 + scale * rng.bell()) + 0.01 * scale * rng.bell();
                }
            }
            // Another start is always wanted, however often the structure was fitted.
            genome.salt = FRESH_START | rng.bits() as u32;
            true
        }
        Operator::Split => split(genome, space, rng),
    }
}

fn edge_count(genome: &Genome) -> usize {
    1 + genome.instrs.iter().map(|i| i.op.arity()).sum::<usize>()
}

fn edge_at(genome: &Genome, mut n: usize) -> Edge {
    for (i, instr) in genome.instrs.iter().enumerate() {
        if n < instr.op.arity() {
            return Edge::Argument(i, n);
        }
        n -= instr.op.arity();
    }
    Edge::Root
}

/// Any edge, uniformly.
fn any_edge(genome: &Genome, rng: &mut KeyedRng) -> Edge {
    edge_at(genome, rng.below(edge_count(genome)))
}

/// An edge that carries no constant if a few draws find one: operations on constants alone fold away.
fn value_edge(genome: &Genome, rng: &mut KeyedRng) -> Edge {
    let mut edge = any_edge(genome, rng);
    for _ in 0..4 {
        if !get(genome, edge).is_const() {
            break;
        }
        edge = any_edge(genome, rng);
    }
    edge
}

fn get(genome: &Genome, edge: Edge) -> Arg {
    match edge {
        Edge::Argument(i, k) => genome.instrs[i].args[k],
        Edge::Root => genome.root,
    }
}

fn set(genome: &mut Genome, edge: Edge, to: Arg) {
    match edge {
        Edge::Argument(i, k) => genome.instrs[i].args[k] = to,
        Edge::Root => genome.root = to,
    }
}

fn push(genome: &mut Genome, op: Op, args: &[Arg]) -> Arg {
    genome.instrs.push(Instr::new(op, args));
    Arg::Node(genome.instrs.len() as u16 - 1)
}

/// An input or a node, uniformly.
fn any_node(genome: &Genome, rng: &mut KeyedRng) -> Arg {
    let inputs = usize::from(genome.inputs);
    match rng.below((inputs + genome.instrs.len()).max(1)) {
        n if n < inputs => Arg::Input(n as u16),
        n if n - inputs < genome.instrs.len() => Arg::Node((n - inputs) as u16),
        _ => Arg::Free(1.0),
    }
}

/// A free constant of either sign, its size uniform on a logarithmic scale between 2^-5 and 2^10: fitted constants of
/// compound forms span that range, and a fit crosses an order of magnitude much less easily than a factor of two.
fn constant_value(rng: &mut KeyedRng) -> f64 {
    let octave = rng.below(15) as i32 - 5;
    let size = (0..octave.abs()).fold(1.0 + rng.unit(), |x, _| if octave < 0 { 0.5 * x } else { 2.0 * x });
    if rng.chance(0.5) { size } else { -size }
}

/// A free constant of any size.
fn any_constant(rng: &mut KeyedRng) -> Arg {
    Arg::Free(constant_value(rng))
}

/// An input, a node, or, one time in four, a new constant.
fn any_value(genome: &Genome, rng: &mut KeyedRng) -> Arg {
    if rng.chance(0.25) { any_constant(rng) } else { any_node(genome, rng) }
}

/// An operation of the space by weight.
fn any_op(space: &SearchSpace, rng: &mut KeyedRng, fits: impl Fn(Op) -> bool) -> Option<Op> {
    let weights: Vec<f64> = space.ops.iter().map(|&(op, w)| if fits(op) { w } else { 0.0 }).collect();
    rng.weighted(&weights).map(|i| space.ops[i].0)
}

/// `y + 0`, `y - 0`, `y * 1`, `y / 1`, `fma(y, 1, 0)`.
fn insert_neutral(genome: &mut Genome, space: &SearchSpace, rng: &mut KeyedRng) -> bool {
    let neutral = |op| matches!(op, Op::Add | Op::Sub | Op::Mul | Op::Div | Op::Fma);
    let Some(op) = any_op(space, rng, neutral) else { return false };
    let edge = value_edge(genome, rng);
    let y = get(genome, edge);
    let node = match op {
        Op::Add | Op::Sub => push(genome, op, &[y, Arg::Free(0.0)]),
        Op::Mul | Op::Div => push(genome, op, &[y, Arg::Free(1.0)]),
        _ => push(genome, op, &[y, Arg::Free(1.0), Arg::Free(0.0)]),
    };
    set(genome, edge, node);
    true
}

/// An operation between the value on an edge and other values, in any order.
fn insert(genome: &mut Genome, space: &SearchSpace, rng: &mut KeyedRng) -> bool {
    let Some(op) = any_op(space, rng, |_| true) else { return false };
    let edge = value_edge(genome, rng);
    let mut args = [NO_ARG; 3];
    let place = rng.below(op.arity());
    for (k, arg) in args.iter_mut().enumerate().take(op.arity()) {
        *arg = if k == place { get(genome, edge) } else { any_value(genome, rng) };
    }
    let node = push(genome, op, &args[..op.arity()]);
    set(genome, edge, node);
    true
}

fn delete(genome: &mut Genome, rng: &mut KeyedRng) -> bool {
    if genome.instrs.is_empty() {
        return false;
    }
    let n = rng.below(genome.instrs.len());
    let instr = genome.instrs[n];
    let to = instr.args[rng.below(instr.op.arity())];
    // Either at one use or at all of them.
    let everywhere = rng.chance(0.5);
    let mut edges: Vec<Edge> =
        (0..edge_count(genome)).map(|e| edge_at(genome, e)).filter(|&e| get(genome, e).node() == Some(n)).collect();
    if !everywhere && edges.len() > 1 {
        edges = vec![edges[rng.below(edges.len())]];
    }
    edges.into_iter().for_each(|e| set(genome, e, to));
    true
}

fn change(genome: &mut Genome, space: &SearchSpace, rng: &mut KeyedRng) -> bool {
    if genome.instrs.is_empty() {
        return false;
    }
    let n = rng.below(genome.instrs.len());
    let Instr { op, mut args } = genome.instrs[n];
    if op.arity() > 1 && !op.commutes() && rng.chance(0.3) {
        args.swap(0, 1);
        genome.instrs[n].args = args;
        return true;
    }
    let Some(new) = any_op(space, rng, |o| o != op) else { return false };
    for arg in args.iter_mut().take(new.arity()).skip(op.arity()) {
        *arg = any_value(genome, rng);
    }
    for arg in args.iter_mut().skip(new.arity()) {
        *arg = NO_ARG;
    }
    genome.instrs[n] = Instr { op: new, args };
    true
}

/// A random tree of at most `depth` levels whose leaves are values of the genome and constants.
fn tree(genome: &mut Genome, space: &SearchSpace, rng: &mut KeyedRng, depth: usize) -> Option<Arg> {
    let op = any_op(space, rng, |_| true)?;
    let mut args = [NO_ARG; 3];
    for arg in args.iter_mut().take(op.arity()) {
        *arg = match rng.below(10) {
            0..=2 if depth > 1 => tree(genome, space, rng, depth - 1)?,
            3..=6 => any_constant(rng),
            _ => any_node(genome, rng),
        };
    }
    Some(push(genome, op, &args[..op.arity()]))
}

/// Copies a part of another genome; its inputs are the same inputs, or the given values.
fn graft(genome: &mut Genome, from: &Genome, part: Arg, map: &mut Vec<Option<Arg>>, holes: Option<&[Arg; 2]>) -> Arg {
    match part {
        Arg::Input(i) => holes.and_then(|h| h.get(usize::from(i)).copied()).unwrap_or(part),
        Arg::Node(n) => {
            if let Some(done) = map[usize::from(n)] {
                return done;
            }
            let mut instr = from.instrs[usize::from(n)];
            for arg in instr.args_mut() {
                *arg = graft(genome, from, *arg, map, holes);
            }
            let done = push(genome, instr.op, instr.args());
            map[usize::from(n)] = Some(done);
            done
        }
        Arg::Free(_) | Arg::Fixed(_) => part,
    }
}

/// `c -> c + 0 * z`, with two operations and no change of value, or `c -> z op c`.
fn split(genome: &mut Genome, space: &SearchSpace, rng: &mut KeyedRng) -> bool {
    let edges: Vec<Edge> = (0..edge_count(genome))
        .map(|e| edge_at(genome, e))
        .filter(|&e| matches!(get(genome, e), Arg::Free(_)))
        .collect();
    let Some(&edge) = rng.pick(&edges) else { return false };
    let c = get(genome, edge);
    let z = any_node(genome, rng);
    let node = if space.has(Op::Fma) && rng.chance(0.5) {
        push(genome, Op::Fma, &[z, Arg::Free(0.0), c])
    } else if space.has(Op::Add) && space.has(Op::Mul) && rng.chance(0.5) {
        let product = push(genome, Op::Mul, &[z, Arg::Free(0.0)]);
        push(genome, Op::Add, &[product, c])
    } else {
        let Some(op) = any_op(space, rng, |op| op.arity() == 2) else { return false };
        if rng.chance(0.5) { push(genome, op, &[z, c]) } else { push(genome, op, &[c, z]) }
    };
    set(genome, edge, node);
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use mathsmith_ir::{Type, verify};
    use mathsmith_search::DrawKey;

    fn rng(index: u64) -> KeyedRng {
        KeyedRng::new(DrawKey { seed: 11, island: 0, generation: 0, index })
    }

    fn spaces() -> Vec<SearchSpace> {
        vec![
            SearchSpace::new(&[Op::Add, Op::Sub, Op::Mul, Op::Div], 9),
            SearchSpace::new(&[Op::Add, Op::Sub, Op::Mul, Op::Fma], 7),
            SearchSpace::new(&[Op::Fma], 5),
            SearchSpace::new(&[Op::Add, Op::Mul, Op::Sqrt, Op::Abs, Op::Min, Op::Neg], 8),
        ]
    }

    /// Random walks through a space: a parent becomes its child whenever there is one.
    fn walk(space: &SearchSpace, steps: u64, mut see: impl FnMut(&Genome, &Genome)) {
        let mut parent = Genome { root: Arg::Input(0), ..Genome::constant(1, 1.0) };
        let mut mate = parent.clone();
        for step in 0..steps {
            let child = child(&parent, &|_| Some(&mate), space, &mut rng(step));
            if let Some(child) = child {
                see(&parent, &child);
                mate = std::mem::replace(&mut parent, child);
            }
        }
    }

    #[test]
    fn children_are_valid_programs_in_normal_form_within_the_space() {
        for space in spaces() {
            let mut sizes = std::collections::BTreeSet::new();
            walk(&space, 3000, |_, child| {
                assert!(space.contains(child), "{child:?}");
                assert_eq!(normalise(child, space.allowed()).as_ref(), Some(child));
                let program = child.to_program("child", Type::Real);
                verify::check(&program).unwrap_or_else(|e| panic!("{child:?}: {e:?}"));
                assert_eq!(program.params().len(), child.constants().len());
                sizes.insert(child.instrs.len());
            });
            assert!(sizes.len() as u32 >= space.max_ops.min(5), "{sizes:?}");
        }
    }

    #[test]
    fn every_operator_yields_children() {
        let space = &spaces()[0];
        for operator in Operator::ALL {
            let mut made = 0;
            walk(space, 400, |mate, parent| {
                let mut genome = parent.clone();
                let applied = apply(operator, &mut genome, &|_| Some(mate), space, &mut rng(made));
                let child = applied.then(|| normalise(&genome, space.allowed())).flatten();
                if let Some(child) = child {
                    let program = child.to_program("child", Type::F64);
                    verify::check(&program).unwrap_or_else(|e| panic!("{operator:?} {child:?}: {e:?}"));
                    made += 1;
                }
            });
            assert!(made > 50, "{operator:?} made {made} children");
        }
    }

    #[test]
    fn neutral_insertions_keep_the_value() {
        for space in &spaces()[..3] {
            let mut made = 0;
            walk(space, 600, |_, parent| {
                let mut grown = parent.clone();
                if !insert_neutral(&mut grown, space, &mut rng(made)) {
                    return;
                }
                made += 1;
                let grown = normalise(&grown, space.allowed()).expect("an insertion makes no cycle");
                for x in [0.11, 0.5, 0.97] {
                    let values = (parent.eval(&[x]), grown.eval(&[x]));
                    let (Some(a), Some(b)) = values else { panic!("no value for {parent:?}") };
                    let size = parent.constants().iter().fold(1.0 + a.abs(), |m, c| m.max(c.abs()));
                    // Exact in the reals; normalisation may add constants up in another order.
                    let same = a == b || (a - b).abs() <= 1e-9 * size || !a.is_finite() || a.abs() > 1e9;
                    assert!(same, "{parent:?} has {a}, {grown:?} has {b} at {x}");
                }
            });
            assert!(made > 100);
        }
    }
}
