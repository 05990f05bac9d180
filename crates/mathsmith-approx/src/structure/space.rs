//! What a structure search may write and how it moves: operations with weights, limits, weights of the operators, macros.
//!
//! A [`SearchSpace`] is data: grammar files are read into it, and nothing in it or in the operators knows the function
//! that is searched for.

use super::genome::{Arg, Genome, Instr, is_numeric};
use super::normal::Allowed;
use mathsmith_ir::Op;
use serde::{Deserialize, Serialize};

/// Weights of the operators that make children; a weight of 0 switches one off.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Variation {
    /// An operation with the constant that makes it do nothing (`+0`, `*1`) on an edge.
    pub insert_neutral: f64,
    /// An operation between an edge and another value.
    pub insert: f64,
    /// A node replaced by one of its arguments.
    pub delete: f64,
    /// Another operation with the same arguments, or its arguments in another order.
    pub change: f64,
    /// An argument replaced by another value, input or constant.
    pub rewire: f64,
    /// An argument replaced by a small new tree.
    pub subtree: f64,
    /// An argument replaced by a part of another parent.
    pub crossover: f64,
    /// `y -> y * y`: the node used twice.
    pub square: f64,
    /// One of the macros of the space on an edge.
    pub macros: f64,
    /// Every constant moved a little, the structure kept: another start for the fit.
    pub perturb: f64,
    /// A constant replaced by a value times or plus a constant.
    pub split: f64,
}

impl Default for Variation {
    fn default() -> Self {
        Variation {
            insert_neutral: 1.0,
            insert: 2.0,
            delete: 1.0,
            change: 1.0,
            rewire: 2.0,
            subtree: 1.0,
            crossover: 1.0,
            square: 0.5,
            macros: 1.0,
            perturb: 0.25,
            split: 0.5,
        }
    }
}

impl Variation {
    /// The weights in the order of the operators of [`super::mutate`].
    pub(super) fn weights(&self) -> [f64; 11] {
        [
            self.insert_neutral,
            self.insert,
            self.delete,
            self.change,
            self.rewire,
            self.subtree,
            self.crossover,
            self.square,
            self.macros,
            self.perturb,
            self.split,
        ]
    }
}

/// A compound insertion: a genome over two inputs, the value on the edge (`x0`) and some other value (`x1`). Written so
/// that its constants start neutral (`y + 0 / y`), a child starts no worse than its parent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Macro {
    /// Name, for logs.
    pub name: String,
    /// The body.
    pub body: Genome,
    /// Weight among the macros.
    pub weight: f64,
}

/// The search space of one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SearchSpace {
    /// Operations that a program may have, with the weight with which a new node gets them.
    pub ops: Vec<(Op, f64)>,
    /// Most operations of a program.
    pub max_ops: u32,
    /// Most free constants of a program.
    pub max_constants: usize,
    /// Inputs.
    pub inputs: u16,
    /// Weights of the operators.
    pub variation: Variation,
    /// Compound insertions.
    pub macros: Vec<Macro>,
    /// Probability that a child gets one more mutation after each.
    pub again: f64,
    /// Probability that a sum or product of the parent is regrouped before it is mutated, and then once more.
    pub regroup: f64,
}

/// Why a search space cannot be searched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpaceError {
    /// An operation that is no map from numbers to a number of the same type.
    #[error("`{0}` cannot be searched: only operations from numbers of one type to a number of that type can")]
    Op(&'static str),
    /// A weight or probability that is no number of the allowed range.
    #[error("the weight of {0} must be a finite number of at least 0")]
    Weight(String),
    /// Nothing to search with.
    #[error("no operation has a positive weight; name at least one with --ops")]
    NoOps,
    /// A macro that uses what the space does not have.
    #[error("macro `{name}` uses `{op}`, which is not among the operations; add it with --ops or drop the macro")]
    Macro {
        /// Name of the macro.
        name: String,
        /// Mnemonic.
        op: &'static str,
    },
    /// No variation at all.
    #[error("no operator of variation has a positive weight")]
    NoVariation,
}

impl SearchSpace {
    /// A space over the given operations, all with weight 1, one input, default weights, and those of the general
    /// macros (`y + b/y`, `y + b*z`, `(y + b) * z` …) that the operations can say.
    pub fn new(ops: &[Op], max_ops: u32) -> Self {
        let mut space = SearchSpace {
            ops: ops.iter().map(|&op| (op, 1.0)).collect(),
            max_ops,
            max_constants: max_ops as usize + 1,
            inputs: 1,
            variation: Variation::default(),
            macros: general_macros(),
            again: 0.3,
            regroup: 0.5,
        };
        let has = |op| ops.contains(&op);
        space.macros.retain(|m| m.body.instrs.iter().all(|i| has(i.op)));
        space
    }

    /// Whether the space has an operation (with any weight).
    pub fn has(&self, op: Op) -> bool {
        self.ops.iter().any(|(o, _)| *o == op)
    }

    /// What normalisation may write.
    pub fn allowed(&self) -> Allowed {
        Allowed { add: self.has(Op::Add), mul: self.has(Op::Mul) }
    }

    /// Whether a genome lies within the space.
    pub fn contains(&self, genome: &Genome) -> bool {
        genome.instrs.len() <= self.max_ops as usize
            && genome.inputs == self.inputs
            && genome.instrs.iter().all(|i| self.has(i.op))
            && genome.constants().len() <= self.max_constants
    }

    /// Checks operations, weights and macros.
    ///
    /// # Errors
    /// [`SpaceError`] for the first thing that is wrong.
    pub fn check(&self) -> Result<(), SpaceError> {
        let fine = |w: f64| w.is_finite() && w >= 0.0;
        for &(op, weight) in &self.ops {
            if !is_numeric(op) {
                return Err(SpaceError::Op(op.name()));
            }
            if !fine(weight) {
                return Err(SpaceError::Weight(format!("`{}`", op.name())));
            }
        }
        if !self.ops.iter().any(|(_, w)| *w > 0.0) {
            return Err(SpaceError::NoOps);
        }
        let weights = self.variation.weights();
        if !weights.iter().all(|w| fine(*w)) {
            return Err(SpaceError::Weight("every operator of variation".to_string()));
        }
        if !weights.iter().any(|w| *w > 0.0) {
            return Err(SpaceError::NoVariation);
        }
        for m in &self.macros {
            if !fine(m.weight) {
                return Err(SpaceError::Weight(format!("macro `{}`", m.name)));
            }
            if let Some(i) = m.body.instrs.iter().find(|i| !self.has(i.op)) {
                return Err(SpaceError::Macro { name: m.name.clone(), op: i.op.name() });
            }
        }
        let below_one = |p: f64| (0.0..1.0).contains(&p);
        if !below_one(self.again) || !below_one(self.regroup) {
            return Err(SpaceError::Weight("a further mutation or regrouping (a probability below 1)".to_string()));
        }
        Ok(())
    }
}

/// The macros that a space starts with: short compounds with a neutral constant, from the ways in which elementary
/// functions compose (continued fractions, duplication, Horner steps).
fn general_macros() -> Vec<Macro> {
    let (y, z, zero) = (Arg::Input(0), Arg::Input(1), Arg::Free(0.0));
    let two = |name: &str, inner: (Op, [Arg; 2]), outer: Op| Macro {
        name: name.to_string(),
        body: Genome {
            inputs: 2,
            instrs: vec![Instr::new(inner.0, &inner.1), Instr::new(outer, &[y, Arg::Node(0)])],
            root: Arg::Node(1),
            salt: 0,
        },
        weight: 1.0,
    };
    vec![
        two("y + b/y", (Op::Div, [zero, y]), Op::Add),
        two("y + b/z", (Op::Div, [zero, z]), Op::Add),
        two("y + b*z", (Op::Mul, [zero, z]), Op::Add),
        two("y + b*y", (Op::Mul, [zero, y]), Op::Add),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn macros_start_neutral_and_follow_the_operations() {
        let space = SearchSpace::new(&[Op::Add, Op::Sub, Op::Mul, Op::Div], 10);
        assert_eq!(space.check(), Ok(()));
        assert!(space.macros.len() >= 4);
        for m in &space.macros {
            assert_eq!(m.body.eval(&[1.75, -3.5]), Some(1.75), "{}", m.name);
        }
        let fma = SearchSpace::new(&[Op::Fma], 6);
        assert!(fma.macros.is_empty());
        assert_eq!(fma.check(), Ok(()));
    }

    #[test]
    fn what_cannot_be_searched_is_refused() {
        let good = SearchSpace::new(&[Op::Add, Op::Mul], 5);
        let mut bad = good.clone();
        bad.ops.push((Op::Lt, 1.0));
        assert_eq!(bad.check(), Err(SpaceError::Op("lt")));
        let mut bad = good.clone();
        bad.ops[0].1 = -1.0;
        assert!(matches!(bad.check(), Err(SpaceError::Weight(_))));
        let mut bad = good.clone();
        bad.ops.clear();
        assert_eq!(bad.check(), Err(SpaceError::NoOps));
        let mut bad = good.clone();
        bad.ops.retain(|(op, _)| *op == Op::Add);
        assert!(matches!(bad.check(), Err(SpaceError::Macro { op: "mul", .. })));
        let mut bad = good;
        bad.again = 1.0;
        assert!(matches!(bad.check(), Err(SpaceError::Weight(_))));
    }
}
