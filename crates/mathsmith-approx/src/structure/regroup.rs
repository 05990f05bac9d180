//! Regrouping sums and products without changing their value.
//!
//! An archive that refuses equal errors keeps one of several ways to write a function, and which mutations lead on
//! depends on that way: in `(y + m) + c/y` the value `y + c/y` is no node that could be built upon. So a parent may be
//! regrouped before it is changed: `(a + b) + c -> a + (b + c)`, with all combinations of `+` and `-`, and the same for
//! `*` and `/`. Values stay the same in the reals, wherever both ways are defined.

use super::genome::{Arg, Genome, Instr};
use super::space::SearchSpace;
use mathsmith_ir::Op;
use mathsmith_search::KeyedRng;

/// The inverse pair that an operation belongs to: (direct, inverse).
fn family(op: Op) -> Option<(Op, Op)> {
    match op {
        Op::Add | Op::Sub => Some((Op::Add, Op::Sub)),
        Op::Mul | Op::Div => Some((Op::Mul, Op::Div)),
        _ => None,
    }
}

/// A term of a sum, or a factor of a product, and whether it is subtracted or divided by.
type Term = (Arg, bool);

/// Writes `a` and `b` as one operation: the operation, its arguments, and whether its value is inverted.
fn join((a, a_inverse): Term, (b, b_inverse): Term, (direct, inverse): (Op, Op)) -> (Instr, bool) {
    match (a_inverse, b_inverse) {
        (false, false) => (Instr::new(direct, &[a, b]), false),
        (false, true) => (Instr::new(inverse, &[a, b]), false),
        (true, false) => (Instr::new(inverse, &[b, a]), false),
        (true, true) => (Instr::new(direct, &[a, b]), true),
    }
}

/// Regroups one sum or product of three terms; false if there is none, or the draw would need a negation or an
/// operation that the space does not have. The result is not in normal form: the old inner node may be dead.
pub fn regroup(genome: &mut Genome, space: &SearchSpace, rng: &mut KeyedRng) -> bool {
    // Places: an operation and the argument of it that is an operation of the same family.
    let mut places: Vec<(usize, usize)> = Vec::new();
    for (n, instr) in genome.instrs.iter().enumerate() {
        let Some(ops) = family(instr.op) else { continue };
        let inner = |k: usize| instr.args[k].node().is_some_and(|m| family(genome.instrs[m].op) == Some(ops));
        places.extend((0..2).filter(|&k| inner(k)).map(|k| (n, k)));
    }
    let Some(&(n, k)) = rng.pick(&places) else { return false };
    let outer = genome.instrs[n];
    let (Some(ops), Some(m)) = (family(outer.op), outer.args[k].node()) else { return false };
    let inner = genome.instrs[m];
    let inverted = k == 1 && outer.op == ops.1;
    let first: Term = (inner.args[0], inverted);
    let second: Term = (inner.args[1], inverted != (inner.op == ops.1));
    let third: Term = (outer.args[1 - k], k == 0 && outer.op == ops.1);
    let (pair, alone) = if rng.chance(0.5) { ((first, third), second) } else { ((second, third), first) };
    let (joined, flipped) = join(pair.0, pair.1, ops);
    genome.instrs.push(joined);
    let joined_at = Arg::Node(genome.instrs.len() as u16 - 1);
    let (whole, negative) = join((joined_at, flipped), alone, ops);
    if negative || !space.has(whole.op) || !space.has(joined.op) {
        genome.instrs.pop();
        return false;
    }
    genome.instrs[n] = whole;
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::structure::normal::normalise;
    use mathsmith_search::DrawKey;
    use std::collections::BTreeSet;

    #[test]
    fn every_grouping_is_reached_and_has_the_same_value() {
        let space = SearchSpace::new(&[Op::Add, Op::Sub, Op::Mul, Op::Div], 5);
        let x = Arg::Input(0);
        for (direct, inverse) in [(Op::Add, Op::Sub), (Op::Mul, Op::Div)] {
            // (x^2 . c) . (c / x) in the four ways to place the inverse.
            for (first, second) in [(direct, direct), (direct, inverse), (inverse, direct), (inverse, inverse)] {
                let start = Genome {
                    inputs: 1,
                    instrs: vec![
                        Instr::new(Op::Max, &[x, Arg::Fixed(0.4)]),
                        Instr::new(Op::Sqrt, &[x]),
                        Instr::new(first, &[x, Arg::Node(0)]),
                        Instr::new(second, &[Arg::Node(1), Arg::Node(2)]),
                    ],
                    root: Arg::Node(3),
                    salt: 0,
                };
                let mut ways = BTreeSet::new();
                for index in 0..64 {
                    let mut genome = start.clone();
                    let key = DrawKey { seed: 1, island: 0, generation: 0, index };
                    if !regroup(&mut genome, &space, &mut KeyedRng::new(key)) {
                        continue;
                    }
                    let genome = normalise(&genome, space.allowed()).expect("no cycle");
                    assert_eq!(genome.instrs.len(), 4);
                    for x in [0.2, 0.7, 1.9] {
                        let (a, b) = (start.eval(&[x]).expect("in order"), genome.eval(&[x]).expect("in order"));
                        assert!((a - b).abs() <= 1e-14 * (1.0 + a.abs()), "{start:?} {genome:?}");
                    }
                    ways.insert(format!("{:?}", genome.instrs));
                }
                assert!(ways.len() >= 2, "{first:?} {second:?}: {ways:?}");
            }
        }
    }
}
