//! The counting rule: every operation is one (fma, select, compare, integer operation and conversion included); inputs,
//! parameters, literals, bitcasts, and a sign folded into an fma or a subtraction are none.
//!
//! A negation is folded, that is free, in two cases. Its argument is an fma that nothing else uses: machines have
//! `-(a b + c)`. Or each of its users takes the sign in: an fma in any operand; an addition whose other operand is not a
//! negation too (`a + (-b)` is `a - b`); the second operand of a subtraction (`a - (-b)` is `a + b`). Both forms compute
//! the same bits. A negation that is an output, or feeds anything else, counts.

use mathsmith_ir::{Node, Op, Program, Value};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Operations of a program.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpCount {
    /// All counted operations.
    pub total: u32,
    /// Counted operations by mnemonic, in alphabetical order; those that do not occur are absent.
    pub by_op: BTreeMap<String, u32>,
}

impl OpCount {
    /// How often an operation occurs.
    pub fn of(&self, op: Op) -> u32 {
        self.by_op.get(op.name()).copied().unwrap_or(0)
    }

    /// Fused multiply-adds.
    pub fn fma(&self) -> u32 {
        self.of(Op::Fma)
    }

    /// Counted operations other than fma.
    pub fn other(&self) -> u32 {
        self.total - self.fma()
    }
}

/// Which nodes cost nothing: everything that is not a live operation, bitcasts, folded negations.
pub fn is_free(program: &Program) -> Vec<bool> {
    let live = program.live();
    let mut users: Vec<Vec<Value>> = vec![Vec::new(); program.nodes().len()];
    for v in program.values().filter(|v| live[v.index()]) {
        for a in program.node(v).args() {
            users[a.index()].push(v);
        }
    }
    let is_output = |v: Value| program.outputs().contains(&v);
    let is_negation = |v: Value| matches!(program.node(v), Node::Op(Op::Neg, _)) && program.ty(v).is_float();
    let absorbs = |user: Value, v: Value| match program.node(user) {
        Node::Op(Op::Fma, _) => true,
        Node::Op(Op::Add, [a, b, _]) => a != b && !is_negation(if a == v { b } else { a }),
        Node::Op(Op::Sub, [a, b, _]) => b == v && a != v,
        _ => false,
    };
    program
        .values()
        .map(|v| match program.node(v) {
            _ if !live[v.index()] => true,
            Node::Op(Op::Bitcast(_), _) => true,
            Node::Op(Op::Neg, [a, ..]) if is_negation(v) => {
                let into_fma =
                    matches!(program.node(a), Node::Op(Op::Fma, _)) && users[a.index()].len() == 1 && !is_output(a);
                into_fma
                    || (!is_output(v)
                        && !users[v.index()].is_empty()
                        && users[v.index()].iter().all(|&u| absorbs(u, v)))
            }
            Node::Op(..) => false,
            _ => true,
        })
        .collect()
}

/// Counts the operations that the outputs depend on.
pub fn count_ops(program: &Program) -> OpCount {
    let mut out = OpCount::default();
    for (node, free) in program.nodes().iter().zip(is_free(program)) {
        if let (Node::Op(op, _), false) = (node, free) {
            out.total += 1;
            *out.by_op.entry(op.name().to_owned()).or_default() += 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use mathsmith_ir::{Literal, Type};

    fn build(f: impl Fn(&mut Program, Value, Value) -> Vec<Value>) -> OpCount {
        let mut p = Program::new("t");
        let (x, y) = (p.input("x", Type::F32), p.input("y", Type::F32));
        let out = f(&mut p, x, y);
        p.set_outputs(out);
        count_ops(&p)
    }

    #[test]
    fn what_counts() {
        let horner = build(|p, x, _| {
            let (a, b) = (p.lit(Literal::F32(1.0)), p.lit(Literal::F32(2.0)));
            let t = p.must(Op::Fma, &[x, a, b]);
            let dead = p.must(Op::Mul, &[t, t]);
            let _ = p.must(Op::Div, &[dead, x]);
            vec![p.must(Op::Fma, &[t, x, b])]
        });
        assert_eq!((horner.total, horner.fma(), horner.other()), (2, 2, 0));
        let shift = build(|p, x, _| {
            let i = p.must(Op::Convert(Type::I32), &[x]);
            let s = p.lit(Literal::I32(23));
            let e = p.must(Op::Shl, &[i, s]);
            let f = p.must(Op::Bitcast(Type::F32), &[e]);
            let c = p.must(Op::Lt, &[x, f]);
            vec![p.must(Op::Select, &[c, x, f])]
        });
        assert_eq!(shift.total, 4, "convert, shl, lt, select: {:?}", shift.by_op);
    }

    #[test]
    fn signs() {
        let neg = Op::Neg;
        // Alone, into a product, or as an output, a negation counts.
        assert_eq!(build(|p, x, _| vec![p.must(neg, &[x])]).total, 1);
        assert_eq!(
            build(|p, x, y| {
                let n = p.must(neg, &[x]);
                vec![p.must(Op::Mul, &[n, y])]
            })
            .total,
            2
        );
        // Folded into fma, an addition, the right of a subtraction; a negated fma.
        assert_eq!(
            build(|p, x, y| {
                let n = p.must(neg, &[x]);
                vec![p.must(Op::Fma, &[n, y, x])]
            })
            .total,
            1
        );
        assert_eq!(
            build(|p, x, y| {
                let n = p.must(neg, &[x]);
                vec![p.must(Op::Add, &[y, n]), p.must(Op::Sub, &[y, n])]
            })
            .total,
            2
        );
        assert_eq!(
            build(|p, x, y| {
                let n = p.must(neg, &[x]);
                vec![p.must(Op::Sub, &[n, y])]
            })
            .total,
            2
        );
        assert_eq!(
            build(|p, x, y| {
                let f = p.must(Op::Fma, &[x, y, y]);
                vec![p.must(neg, &[f])]
            })
            .total,
            1
        );
        // -x + -y is one subtraction and one sign too many.
        assert_eq!(
            build(|p, x, y| {
                let (a, b) = (p.must(neg, &[x]), p.must(neg, &[y]));
                vec![p.must(Op::Add, &[a, b])]
            })
            .total,
            3
        );
        // A fused product that is used as it is too keeps its sign change.
        assert_eq!(
            build(|p, x, y| {
                let f = p.must(Op::Fma, &[x, y, y]);
                vec![p.must(neg, &[f]), f]
            })
            .total,
            2
        );
    }
}
