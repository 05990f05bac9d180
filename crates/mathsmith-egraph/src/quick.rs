//! The first stage of canonicalisation: directional rules in one walk over the graph, without an e-graph.
//!
//! It runs on every candidate, in a few microseconds: dead code, sorted commutative arguments, signs pushed out of
//! products and folded into sums, constants absorbed into constants (`x - C -> x + C`, `x/C -> x*C`, `C*C -> C`,
//! `(x + C) + C -> x + C`), neutral elements. `rules/wild.rules` lists each absorption with the constants on both sides
//! as functions of each other; the crate's tests check the equations and that this module does what they say.
//!
//! A constant is absorbed only if its one use is here (counted in the graph, so a constant inside a shared value is
//! still one constant): it then ranges over all reals whatever the others are, which is the elimination argument of
//! [`crate::analysis`] for a single step.
//!
//! The result is numbered canonically. Arguments of commutative operations are ordered by a hash of their shape that does
//! not tell one constant from another; where shapes are equal, by a second hash that also knows how each value is used
//! elsewhere (two rounds of colour refinement, up and down the graph). Then nodes are numbered in depth-first order from the
//! outputs. Graphs with ties beyond that may keep two numberings; they are then missed as duplicates, never confused.

use crate::field::{chain, mix};
use crate::lang::{Arith, Lang, main_type, to_expr};
use crate::rules::RuleClass;
use egg::{Id, Language};
use mathsmith_ir::{Literal, NO_VALUE, NodeHasher, Op, Program, Type, Value};
use std::collections::HashMap;
use std::hash::BuildHasherDefault;

/// A program in quick canonical form.
#[derive(Clone, Debug)]
pub struct Quick {
    /// The program, canonically numbered, parameters named `c0`, `c1`, ….
    pub program: Program,
    /// Hash of the structure, all constants anonymous.
    pub key: u128,
    /// For each parameter, the parameter of the given program that it is, if it is one.
    pub origin: Vec<Option<u32>>,
}

/// Quick canonical form of a program under the rules of `class`.
pub fn quick_canonical(program: &Program, class: RuleClass) -> Quick {
    Worker::run(program, class)
}

/// Only the key of [`quick_canonical`].
pub fn quick_key(program: &Program, class: RuleClass) -> u128 {
    let mut worker = Worker::new(program, class);
    let root = worker.reduce(to_expr(program).into(), true);
    let order = worker.order(root);
    worker.key(&order)
}

/// Canonical numbering and its key without any rewriting: equal for programs that hash-consing with sorted arguments
/// makes one, constants being anonymous.
pub fn structural_key(program: &Program) -> u128 {
    let mut worker = Worker::new(program, RuleClass::Exact);
    let root = worker.reduce(to_expr(program).into(), false);
    let order = worker.order(root);
    worker.key(&order)
}

/// A constant: its value and where it is from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Free {
    pub(crate) ty: Type,
    pub(crate) value: Option<Literal>,
    origin: Option<u32>,
}

/// The graph being rewritten: nodes are [`Lang`] with indices into `nodes` as arguments, `Lang::Const` into `constants`.
pub(crate) struct Worker {
    pub(crate) ty: Type,
    pub(crate) class: RuleClass,
    pub(crate) nodes: Vec<Lang>,
    /// Uses of each node, as far as the walk has come; constants that are used once are free to change.
    pub(crate) uses: Vec<u32>,
    pub(crate) constants: Vec<Free>,
    index: HashMap<Lang, u32, BuildHasherDefault<NodeHasher>>,
    signature: u64,
}

impl Worker {
    fn new(program: &Program, class: RuleClass) -> Self {
        let ty = main_type(program);
        let constants = program
            .params()
            .iter()
            .enumerate()
            .map(|(i, p)| Free { ty: p.ty, value: p.value, origin: Some(i as u32) })
            .collect();
        let mut signature = chain(ty as u64, program.outputs().len() as u64);
        for input in program.inputs() {
            signature = chain(signature, input.ty as u64);
        }
        for table in program.tables() {
            signature = chain(signature, table.ty as u64);
            for l in &table.values {
                signature = l.key().iter().fold(signature, |h, &x| chain(h, x));
            }
        }
        Worker { ty, class, nodes: Vec::new(), uses: Vec::new(), constants, index: HashMap::default(), signature }
    }

    fn run(program: &Program, class: RuleClass) -> Quick {
        let mut worker = Worker::new(program, class);
        let root = worker.reduce(to_expr(program).into(), true);
        let order = worker.order(root);
        let (out, origin) = worker.build(&order, program);
        Quick { program: out, key: worker.key(&order), origin }
    }

    /// Rewrites until nothing changes; returns the root.
    fn reduce(&mut self, mut nodes: Vec<Lang>, rewrite: bool) -> usize {
        loop {
            let root = nodes.len() - 1;
            let uses = count_uses(&nodes, root);
            self.nodes.clear();
            self.uses.clear();
            self.index.clear();
            let mut map = vec![Id::from(0); nodes.len()];
            let mut changed = false;
            for (i, node) in nodes.iter().enumerate() {
                if uses[i] == 0 {
                    continue;
                }
                let node = node.clone().map_children(|id| map[usize::from(id)]);
                let (id, rewritten) = if rewrite { self.make(node) } else { (self.intern(node), false) };
                changed |= rewritten;
                self.uses[usize::from(id)] += uses[i];
                map[i] = id;
            }
            let root = usize::from(map[root]);
            if !changed {
                return root;
            }
            nodes.clear();
            nodes.extend_from_slice(&self.nodes[..=root]);
        }
    }

    /// Whether the first two arguments may be exchanged; over the reals, those of `min` and `max` too.
    fn commutes(&self, node: &Lang) -> bool {
        match node {
            Lang::Arith(Arith::Min | Arith::Max, _) => self.class == RuleClass::Real,
            Lang::Arith(op, _) => op.commutes(),
            Lang::Other(op, _) => op.commutes(),
            _ => false,
        }
    }

    /// The node with its commutative arguments in order, hash-consed, without a use.
    pub(crate) fn intern(&mut self, mut node: Lang) -> Id {
        if self.commutes(&node) {
            let args = node.children_mut();
            if args[0] > args[1] {
                args.swap(0, 1);
            }
        }
        let next = self.nodes.len() as u32;
        let id = *self.index.entry(node.clone()).or_insert(next);
        if id == next {
            self.nodes.push(node);
            self.uses.push(0);
        }
        Id::from(id as usize)
    }

    pub(crate) fn constant(&mut self, ty: Type, value: Option<Literal>) -> Id {
        self.constants.push(Free { ty, value, origin: None });
        self.intern(Lang::Const(self.constants.len() as u32 - 1))
    }

    /// Canonical order of the live nodes: arguments before users, the root last.
    fn order(&mut self, root: usize) -> Vec<usize> {
        let color = self.colors(root);
        for i in 0..=root {
            let mut node = self.nodes[i].clone();
            if self.commutes(&node) {
                node.children_mut()[..2].sort_by_key(|&a| color[usize::from(a)]);
                self.nodes[i] = node;
            }
        }
        let mut order = Vec::with_capacity(root + 1);
        let mut done = vec![false; root + 1];
        let mut stack = vec![root];
        while let Some(&i) = stack.last() {
            let depth = stack.len();
            let pending = self.nodes[i].children().iter().rev().map(|&a| usize::from(a)).filter(|&a| !done[a]);
            stack.extend(pending);
            if stack.len() == depth {
                stack.pop();
                if !done[i] {
                    done[i] = true;
                    order.push(i);
                }
            }
        }
        order
    }

    /// A hash of each node's shape and of the ways it is used: up, down, up.
    fn colors(&self, root: usize) -> Vec<u64> {
        let n = root + 1;
        let symmetric = |node: &Lang| self.commutes(node);
        let up = |context: Option<&[u64]>| {
            let mut shape = vec![0u64; n];
            for i in 0..n {
                let node = &self.nodes[i];
                let mut args = [0u64; 3];
                let start = match node {
                    Lang::Const(k) => chain(21, self.constants[*k as usize].ty as u64),
                    other => head(other),
                };
                let mut h = context.map_or(start, |c| chain(start, c[i]));
                if let Lang::List(list) = node {
                    shape[i] = list.iter().fold(h, |h, &a| chain(h, shape[usize::from(a)]));
                    continue;
                }
                let children = node.children();
                for (slot, &a) in args.iter_mut().zip(children) {
                    *slot = shape[usize::from(a)];
                }
                if symmetric(node) {
                    args[..2].sort_unstable();
                }
                for &a in &args[..children.len()] {
                    h = chain(h, a);
                }
                shape[i] = h;
            }
            shape
        };
        let shape = up(None);
        let mut context = vec![0u64; n];
        context[root] = 1;
        for i in (0..n).rev() {
            if context[i] == 0 {
                continue;
            }
            let node = &self.nodes[i];
            let from = chain(context[i], shape[i]);
            for (place, &a) in node.children().iter().enumerate() {
                let place = if symmetric(node) && place < 2 { 0 } else { place as u64 };
                // A sum, because the order of users must not matter; odd, so that a live node's context is not 0.
                let slot = &mut context[usize::from(a)];
                *slot = slot.wrapping_add(chain(from, place) | 1).max(1);
            }
        }
        up(Some(&context))
    }

    fn key(&self, order: &[usize]) -> u128 {
        let mut number = vec![0u64; self.nodes.len()];
        let mut parameters = 0;
        let (mut low, mut high) = (mix(self.signature), mix(!self.signature));
        let mut absorb = |x: u64| {
            low = chain(low, x);
            high = chain(high, x ^ 0x5851_f42d_4c95_7f2d);
        };
        for (n, &i) in order.iter().enumerate() {
            number[i] = n as u64;
            match &self.nodes[i] {
                Lang::Const(k) => {
                    absorb(chain(31, self.constants[*k as usize].ty as u64));
                    absorb(parameters);
                    parameters += 1;
                }
                node => {
                    absorb(head(node));
                    let mut args: Vec<u64> = node.children().iter().map(|&a| number[usize::from(a)]).collect();
                    if self.commutes(node) {
                        args[..2].sort_unstable();
                    }
                    args.into_iter().for_each(&mut absorb);
                }
            }
        }
        u128::from(high) << 64 | u128::from(low)
    }

    fn build(&self, order: &[usize], like: &Program) -> (Program, Vec<Option<u32>>) {
        let mut out = Program::new(like.name());
        let inputs: Vec<Value> = like.inputs().iter().map(|i| out.input(i.name.clone(), i.ty)).collect();
        for table in like.tables() {
            out.table(table.values.clone());
        }
        let mut values = vec![NO_VALUE; self.nodes.len()];
        let mut origin = Vec::new();
        for &i in order {
            let node = &self.nodes[i];
            let mut args = [NO_VALUE; 3];
            let children = node.children();
            for (slot, &a) in args.iter_mut().zip(children) {
                *slot = values[usize::from(a)];
            }
            let args = &args[..children.len().min(3)];
            let built = match node {
                Lang::Input(k) => Ok(inputs[*k as usize]),
                Lang::Const(k) => {
                    let c = self.constants[*k as usize];
                    origin.push(c.origin);
                    Ok(out.param(format!("c{}", origin.len() - 1), c.ty, c.value))
                }
                Lang::Lit(..) => Ok(out.lit(node.as_literal().expect("the node is a literal"))),
                Lang::Arith(op, _) => op.build(&mut out, args),
                Lang::Other(op, _) => out.op(*op, args),
                Lang::List(list) => {
                    out.set_outputs(list.iter().map(|&a| values[usize::from(a)]).collect());
                    break;
                }
                Lang::Derived(_) => unreachable!("only an e-graph derives constants"),
            };
            values[i] = built.expect("rewriting keeps types");
        }
        (out, origin)
    }
}

/// Hash of a node without its arguments.
fn head(node: &Lang) -> u64 {
    match node {
        Lang::Input(i) => chain(22, u64::from(*i)),
        Lang::Const(_) | Lang::Derived(_) => 21,
        Lang::Lit(ty, k) => k.iter().fold(chain(23, *ty as u64), |h, &x| chain(h, x)),
        Lang::Arith(op, _) => mix(200 + *op as u64),
        Lang::Other(op, _) => {
            let payload = match op {
                Op::Convert(t) | Op::Bitcast(t) => *t as u64,
                Op::Table(t) => u64::from(*t),
                _ => 0,
            };
            op.name().bytes().fold(chain(24, payload), |h, b| chain(h, u64::from(b)))
        }
        Lang::List(list) => chain(25, list.len() as u64),
    }
}

/// How often each node is used by nodes that the root needs (the root by one).
fn count_uses(nodes: &[Lang], root: usize) -> Vec<u32> {
    let mut uses = vec![0; nodes.len()];
    uses[root] = 1;
    for i in (0..=root).rev() {
        if uses[i] > 0 {
            for &a in nodes[i].children() {
                uses[usize::from(a)] += 1;
            }
        }
    }
    uses
}
