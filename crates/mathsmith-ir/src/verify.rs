//! The verifier: invariants of a [`Program`].
//!
//! [`Program::op`] keeps most of them by construction; a pass that builds programs another way, or that sets outputs, is
//! checked here, after every pass in debug and test builds. The invariants, by number:
//!
//! 1. Arguments precede their users, every argument in use exists, and unused argument places hold [`NO_VALUE`].
//! 2. Every operation is typed by [`Op::infer`], and the stored type of every node is the inferred one.
//! 3. No two nodes are equal, and the hash-consing index finds every node at its place and nothing else.
//! 4. Every input and parameter has exactly one node, and no node names one that does not exist.
//! 5. The outputs exist.
//! 6. Every literal is canonical: real ones are finite sums in the canonical form of [`crate::RealLit`].
//! 7. The first two arguments of a commutative operation are in index order.
//! 8. Every table has an entry, its entries have its type, and a table that is read exists.
//! 9. A parameter's value has the parameter's type.

use crate::program::Parts;
use crate::{Literal, NO_VALUE, Node, Op, Program, Type, Value};

/// A broken invariant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invariant {invariant} of the program is broken: {message}")]
pub struct Violation {
    /// Number of the invariant in the module documentation.
    pub invariant: u8,
    /// The node, where it is one node's.
    pub node: Option<Value>,
    /// What is wrong.
    pub message: String,
}

/// Checks every invariant.
///
/// # Errors
/// All violations found, in the order of the nodes.
pub fn check(program: &Program) -> Result<(), Vec<Violation>> {
    let mut checker = Checker { parts: program.parts(), found: Vec::new() };
    checker.run();
    if checker.found.is_empty() { Ok(()) } else { Err(checker.found) }
}

struct Checker<'a> {
    parts: Parts<'a>,
    found: Vec<Violation>,
}

impl Checker<'_> {
    fn report(&mut self, invariant: u8, node: Option<usize>, message: String) {
        self.found.push(Violation { invariant, node: node.map(|i| Value(i as u32)), message });
    }

    fn run(&mut self) {
        let nodes = self.parts.nodes;
        if self.parts.types.len() != nodes.len() {
            let message = format!("{} nodes have {} types", nodes.len(), self.parts.types.len());
            self.report(2, None, message);
            return;
        }
        for (i, node) in nodes.iter().enumerate() {
            self.identity(i, node);
            match *node {
                Node::Input(k) => self.declared(i, "input", k, self.parts.inputs.get(k as usize).map(|x| x.ty)),
                Node::Param(k) => self.declared(i, "parameter", k, self.parts.params.get(k as usize).map(|x| x.ty)),
                Node::Lit(l) => self.literal(i, l),
                Node::Op(op, args) => self.operation(i, op, args),
            }
        }
        if self.parts.cons.len() != nodes.len() {
            let message = format!("the index has {} entries for {} nodes", self.parts.cons.len(), nodes.len());
            self.report(3, None, message);
        }
        self.one_node_each("input", self.parts.inputs.len(), Node::Input);
        self.one_node_each("parameter", self.parts.params.len(), Node::Param);
        for (k, v) in self.parts.outputs.iter().enumerate() {
            if v.index() >= nodes.len() {
                self.report(5, None, format!("output {k} is v{}, the program has {} nodes", v.0, nodes.len()));
            }
        }
        self.constants();
    }

    fn identity(&mut self, i: usize, node: &Node) {
        match self.parts.cons.get(node) {
            Some(v) if v.index() == i => {}
            Some(v) => self.report(3, Some(i), format!("v{i} is found as v{}: the node is not unique", v.0)),
            None => self.report(3, Some(i), format!("v{i} is missing from the hash-consing index")),
        }
    }

    fn declared(&mut self, i: usize, what: &str, k: u32, ty: Option<Type>) {
        match ty {
            None => self.report(4, Some(i), format!("v{i} is {what} {k}, which does not exist")),
            Some(ty) => self.stored(i, ty),
        }
    }

    fn stored(&mut self, i: usize, ty: Type) {
        let stored = self.parts.types[i];
        if stored != ty {
            self.report(2, Some(i), format!("v{i} is stored as {stored}, but is {ty}"));
        }
    }

    fn literal(&mut self, i: usize, l: Literal) {
        if !canonical(l) {
            self.report(6, Some(i), format!("v{i} is {l:?}, which is not canonical"));
        }
        self.stored(i, l.ty());
    }

    fn operation(&mut self, i: usize, op: Op, args: [Value; 3]) {
        let (used, unused) = args.split_at(op.arity());
        if let Some(a) = used.iter().find(|a| a.index() >= i) {
            self.report(1, Some(i), format!("v{i} uses v{}, which does not come before it", a.0));
            return;
        }
        if unused.iter().any(|&a| a != NO_VALUE) {
            self.report(1, Some(i), format!("v{i} has an argument in a place that `{}` does not use", op.name()));
        }
        if op.commutes() && args[0] > args[1] {
            self.report(7, Some(i), format!("the arguments v{}, v{} of v{i} are out of order", args[0].0, args[1].0));
        }
        if let Op::Table(t) = op
            && t as usize >= self.parts.tables.len()
        {
            self.report(8, Some(i), format!("v{i} reads table {t}, which does not exist"));
            return;
        }
        let types: Vec<Type> = used.iter().map(|a| self.parts.types[a.index()]).collect();
        match op.infer(&types, |t| self.parts.tables.get(t as usize).map(|t| t.ty)) {
            Some(ty) => self.stored(i, ty),
            None => self.report(2, Some(i), format!("`{}` at v{i} is not defined on {types:?}", op.name())),
        }
    }

    fn one_node_each(&mut self, what: &str, count: usize, node: impl Fn(u32) -> Node) {
        for k in 0..count as u32 {
            if !self.parts.nodes.contains(&node(k)) {
                self.report(4, None, format!("{what} {k} has no node"));
            }
        }
    }

    fn constants(&mut self) {
        for (t, table) in self.parts.tables.iter().enumerate() {
            if table.values.is_empty() {
                self.report(8, None, format!("table {t} is empty"));
            }
            if let Some(l) = table.values.iter().find(|l| l.ty() != table.ty) {
                self.report(8, None, format!("table {t} of type {} has an entry of type {}", table.ty, l.ty()));
            }
            if table.values.iter().any(|&l| !canonical(l)) {
                self.report(6, None, format!("table {t} has an entry that is not canonical"));
            }
        }
        for (k, param) in self.parts.params.iter().enumerate() {
            let Some(value) = param.value else { continue };
            if value.ty() != param.ty {
                self.report(9, None, format!("parameter {k} is {}, its value is {}", param.ty, value.ty()));
            }
            if !canonical(value) {
                self.report(6, None, format!("the value of parameter {k} is not canonical"));
            }
        }
    }
}

fn canonical(l: Literal) -> bool {
    match l {
        Literal::Real(r) => r.is_canonical(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::PartsMut;
    use crate::{RealLit, sample};

    /// `x, c, 1.0, x + 1.0, (x + 1.0) * c, table[k]` with the index input `k`.
    fn sound() -> Program {
        let mut p = Program::new("p");
        let x = p.input("x", Type::F32);
        let c = p.param("c", Type::F32, Some(Literal::F32(2.0)));
        let one = p.lit(Literal::F32(1.0));
        let sum = p.must(Op::Add, &[x, one]);
        let y = p.must(Op::Mul, &[sum, c]);
        let k = p.input("k", Type::I32);
        let t = p.table(vec![Literal::F32(1.0), Literal::F32(2.0)]);
        let z = p.must(Op::Table(t), &[k]);
        p.output(y);
        p.output(z);
        p
    }

    fn broken(invariant: u8, corrupt: impl FnOnce(&mut PartsMut<'_>)) {
        let mut p = sound();
        assert_eq!(check(&p), Ok(()));
        corrupt(&mut p.parts_mut());
        let found = check(&p).expect_err("a corrupted program passed");
        assert!(found.iter().any(|v| v.invariant == invariant), "invariant {invariant} not among {found:?}");
    }

    /// Replaces a node and keeps the index consistent, so that only the intended invariant breaks.
    fn replace(parts: &mut PartsMut<'_>, i: usize, node: Node) {
        parts.cons.remove(&parts.nodes[i]);
        parts.nodes[i] = node;
        parts.cons.insert(node, Value(i as u32));
    }

    #[test]
    fn random_programs_are_sound() {
        for seed in 0..300 {
            let p = sample::program(seed, &Type::ALL, 20);
            assert_eq!(check(&p), Ok(()), "{p}");
            assert_eq!(check(&p.compacted()), Ok(()), "{p}");
            assert_eq!(check(&p.bound()), Ok(()), "{p}");
        }
    }

    #[test]
    fn order_of_arguments() {
        broken(1, |p| replace(p, 3, Node::Op(Op::Sub, [Value(0), Value(4), NO_VALUE])));
        broken(1, |p| replace(p, 3, Node::Op(Op::Sub, [Value(0), Value(3), NO_VALUE])));
        broken(1, |p| replace(p, 3, Node::Op(Op::Sub, [Value(0), NO_VALUE, NO_VALUE])));
        broken(1, |p| replace(p, 3, Node::Op(Op::Neg, [Value(0), Value(0), NO_VALUE])));
    }

    #[test]
    fn types() {
        broken(2, |p| p.types[3] = Type::F64);
        broken(2, |p| p.types[0] = Type::I32);
        broken(2, |p| p.types.truncate(3));
        broken(2, |p| replace(p, 3, Node::Op(Op::Not, [Value(0), NO_VALUE, NO_VALUE])));
    }

    #[test]
    fn uniqueness() {
        broken(3, |p| p.nodes[4] = p.nodes[3]);
        broken(3, |p| p.cons.retain(|node, _| *node != Node::Input(0)));
        broken(3, |p| p.cons.extend([(Node::Input(9), Value(0))]));
    }

    #[test]
    fn declarations() {
        broken(4, |p| replace(p, 0, Node::Input(7)));
        broken(4, |p| replace(p, 1, Node::Param(7)));
        broken(4, |p| p.params.push(p.params[0].clone()));
        broken(4, |p| p.inputs.push(p.inputs[0].clone()));
    }

    #[test]
    fn outputs() {
        broken(5, |p| p.outputs.push(Value(99)));
        broken(5, |p| p.outputs.push(NO_VALUE));
    }

    #[test]
    fn literals() {
        let bad = Literal::Real(RealLit([1.0, 1.0, 0.0]));
        broken(6, |p| {
            replace(p, 2, Node::Lit(bad));
            p.types[2] = Type::Real;
        });
        broken(6, |p| p.params[0].value = Some(bad));
        broken(6, |p| p.tables[0].values[0] = bad);
        let infinite = Literal::Real(RealLit([f64::INFINITY, 0.0, 0.0]));
        broken(6, |p| p.params[0].value = Some(infinite));
    }

    #[test]
    fn commutative_order() {
        broken(7, |p| replace(p, 3, Node::Op(Op::Add, [Value(2), Value(0), NO_VALUE])));
    }

    #[test]
    fn tables() {
        broken(8, |p| p.tables[0].values.clear());
        broken(8, |p| p.tables[0].values[1] = Literal::I32(1));
        broken(8, |p| p.tables.clear());
    }

    #[test]
    fn parameter_values() {
        broken(9, |p| p.params[0].value = Some(Literal::F64(1.0)));
    }
}
