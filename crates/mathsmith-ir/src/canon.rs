//! Structure without numbering: a hash and a canonical order of nodes.
//!
//! Two programs that differ only in the numbering of nodes, in names, in parameter values or in the order of commutative
//! arguments have one [`Program::structural_hash`]. Parameters are anonymous, so they must be told apart by how they are
//! used. That is colour refinement (the Weisfeiler-Leman method on ordered acyclic graphs): a pass from the leaves
//! upwards hashes what each node computes, a pass from the outputs downwards hashes where each node is used, and a
//! second upward pass starts from parameters coloured by their use. A traversal from the outputs that visits the
//! arguments of commutative operations in the order of those colours then numbers the parameters by first use, and a
//! last upward pass hashes the program with those numbers. Parameters that still have one colour are exchangeable in
//! all but contrived programs; for those the hash may depend on the numbering, which costs a duplicate, never a mix-up
//! beyond the collisions of 128 bits.

use crate::{Literal, NO_VALUE, Node, Op, Program, Type, Value, verify};

/// 128 bits as two lanes that are mixed differently.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Digest([u64; 2]);

impl Digest {
    fn of(words: &[u64]) -> Digest {
        words.iter().fold(Digest([0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344]), |d, &w| d.with(w))
    }

    fn with(self, word: u64) -> Digest {
        let Digest([a, b]) = self;
        Digest([
            mix(a.rotate_left(29) ^ word.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
            mix(b.wrapping_mul(0xd6e8_feb8_6659_fd93) ^ word.rotate_left(32) ^ (a >> 7)),
        ])
    }

    fn and(self, other: Digest) -> Digest {
        self.with(other.0[0]).with(other.0[1])
    }

    /// A sum: independent of the order in which uses are met.
    fn plus(self, other: Digest) -> Digest {
        Digest([self.0[0].wrapping_add(other.0[0]), self.0[1].wrapping_add(other.0[1])])
    }
}

/// The finaliser of SplitMix64: a bijection that spreads every bit.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A number for each operation with its payload; tables are told apart by what they hold.
fn op_digest(op: Op, tables: &[Digest]) -> Digest {
    let name = op.name().bytes().fold(0u64, |h, b| h.wrapping_mul(257).wrapping_add(u64::from(b)));
    let base = Digest::of(&[4, name]);
    match op {
        Op::Convert(ty) | Op::Bitcast(ty) => base.with(ty as u64),
        Op::Table(t) => base.and(tables[t as usize]),
        _ => base,
    }
}

fn literal_digest(l: Literal) -> Digest {
    let [a, b, c] = l.key();
    Digest::of(&[3, l.ty() as u64, a, b, c])
}

struct Canon<'a> {
    program: &'a Program,
    live: Vec<bool>,
    ops: Vec<Digest>,
}

impl<'a> Canon<'a> {
    fn new(program: &'a Program) -> Self {
        let tables: Vec<Digest> = program
            .tables()
            .iter()
            .map(|t| t.values.iter().fold(Digest::of(&[5, t.ty as u64]), |d, &l| d.and(literal_digest(l))))
            .collect();
        let ops = program
            .nodes()
            .iter()
            .map(|node| match *node {
                Node::Op(op, _) => op_digest(op, &tables),
                _ => Digest::default(),
            })
            .collect();
        Canon { program, live: program.live(), ops }
    }

    /// What each live node computes, given what its parameters are.
    fn upwards(&self, param: impl Fn(u32, Type) -> Digest) -> Vec<Digest> {
        let mut up = vec![Digest::default(); self.live.len()];
        for v in self.program.values().filter(|v| self.live[v.index()]) {
            let node = self.program.node(v);
            up[v.index()] = match node {
                Node::Input(i) => Digest::of(&[1, u64::from(i), self.program.ty(v) as u64]),
                Node::Param(k) => param(k, self.program.ty(v)),
                Node::Lit(l) => literal_digest(l),
                Node::Op(op, _) => {
                    let mut args: [Digest; 3] = [Digest::default(); 3];
                    for (slot, a) in args.iter_mut().zip(node.args()) {
                        *slot = up[a.index()];
                    }
                    if op.commutes() && args[0] > args[1] {
                        args.swap(0, 1);
                    }
                    args[..op.arity()].iter().fold(self.ops[v.index()], |d, &a| d.and(a))
                }
            };
        }
        up
    }

    /// Where each live node is used: every path to an output, with what is computed beside it.
    fn downwards(&self, up: &[Digest]) -> Vec<Digest> {
        let mut down = vec![Digest::default(); self.live.len()];
        for (k, v) in self.program.outputs().iter().enumerate() {
            down[v.index()] = down[v.index()].plus(Digest::of(&[6, k as u64]));
        }
        for v in self.program.values().rev().filter(|v| self.live[v.index()]) {
            let node = self.program.node(v);
            let Node::Op(op, _) = node else { continue };
            let user = self.ops[v.index()].and(down[v.index()]).and(up[v.index()]);
            for (k, a) in node.args().iter().enumerate() {
                let place = if op.commutes() && k < 2 { 0 } else { k as u64 };
                down[a.index()] = down[a.index()].plus(user.with(place));
            }
        }
        down
    }

    /// Live nodes in a depth-first order from the outputs, arguments before users; the order of commutative arguments
    /// follows the colours.
    fn order(&self) -> Vec<Value> {
        let plain = self.upwards(|_, ty| Digest::of(&[2, ty as u64]));
        let down = self.downwards(&plain);
        let colour = |k: u32, ty: Type| {
            let used = self.program.find(Node::Param(k)).map(|v| down[v.index()]).unwrap_or_default();
            Digest::of(&[2, ty as u64]).and(used)
        };
        let up = self.upwards(colour);
        let down = self.downwards(&up);
        let mut order = Vec::new();
        let mut seen = vec![false; self.live.len()];
        let mut stack: Vec<(Value, bool)> = self.program.outputs().iter().rev().map(|&v| (v, false)).collect();
        while let Some((v, done)) = stack.pop() {
            if done {
                order.push(v);
                continue;
            }
            if std::mem::replace(&mut seen[v.index()], true) {
                continue;
            }
            stack.push((v, true));
            let node = self.program.node(v);
            let mut args = node.args().to_vec();
            if let Node::Op(op, _) = node
                && op.commutes()
                && args[0] != args[1]
            {
                let key = |a: Value| (up[a.index()], down[a.index()]);
                if key(args[0]) > key(args[1]) {
                    args.swap(0, 1);
                }
            }
            stack.extend(args.iter().rev().map(|&a| (a, false)));
        }
        order
    }
}

impl Program {
    /// A hash of what the live part of the program computes: independent of the numbering of nodes and parameters, of
    /// names, of parameter values and of the order of commutative arguments. Inputs and outputs count by position,
    /// parameters by where they are used, literals by their bits.
    pub fn structural_hash(&self) -> u128 {
        let canon = Canon::new(self);
        let order = canon.order();
        let mut number = vec![u64::MAX; self.params().len()];
        let mut next = 0;
        for &v in &order {
            if let Node::Param(k) = self.node(v) {
                number[k as usize] = next;
                next += 1;
            }
        }
        let up = canon.upwards(|k, ty| Digest::of(&[2, ty as u64, number[k as usize]]));
        let start = self.inputs().iter().fold(Digest::of(&[7]), |d, i| d.with(i.ty as u64));
        let Digest([a, b]) = self.outputs().iter().fold(start, |d, v| d.and(up[v.index()]));
        u128::from(a) << 64 | u128::from(b)
    }

    /// The live part of the program in canonical order: inputs, then parameters by first use, then the other nodes by
    /// first use from the outputs, arguments before users. Dead nodes, unused parameters and unused tables are gone;
    /// the parameters that remain keep name and value, but may have new indices.
    pub fn renumbered(&self) -> Program {
        let order = Canon::new(self).order();
        let mut out = Program::new(self.name());
        let mut map = vec![NO_VALUE; self.nodes().len()];
        for (k, input) in self.inputs().iter().enumerate() {
            let v = out.input(input.name.clone(), input.ty);
            if let Some(old) = self.find(Node::Input(k as u32)) {
                map[old.index()] = v;
            }
        }
        for &v in &order {
            if let Node::Param(k) = self.node(v) {
                let p = &self.params()[k as usize];
                map[v.index()] = out.param(p.name.clone(), p.ty, p.value);
            }
        }
        let mut tables = vec![None; self.tables().len()];
        for &v in &order {
            let node = self.node(v);
            map[v.index()] = match node {
                Node::Input(_) | Node::Param(_) => map[v.index()],
                Node::Lit(l) => out.lit(l),
                Node::Op(op, _) => {
                    let op = match op {
                        Op::Table(t) => {
                            let values = &self.tables()[t as usize].values;
                            Op::Table(*tables[t as usize].get_or_insert_with(|| out.table(values.clone())))
                        }
                        op => op,
                    };
                    let args: Vec<Value> = node.args().iter().map(|a| map[a.index()]).collect();
                    out.must(op, &args)
                }
            };
        }
        out.set_outputs(self.outputs().iter().map(|v| map[v.index()]).collect());
        debug_assert_eq!(verify::check(&out), Ok(()));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{self, SplitMix};
    use std::collections::BTreeMap;

    /// The same program with nodes added in another random topological order, parameters permuted and renamed.
    fn shuffled(p: &Program, seed: u64) -> Program {
        let mut rng = SplitMix::new(seed);
        let mut out = Program::new("shuffled");
        let mut map = vec![NO_VALUE; p.nodes().len()];
        for (k, input) in p.inputs().iter().enumerate() {
            let old = p.find(Node::Input(k as u32)).unwrap();
            map[old.index()] = out.input(format!("in{k}"), input.ty);
        }
        for t in p.tables() {
            out.table(t.values.clone());
        }
        let mut open: Vec<Value> = p.values().filter(|v| map[v.index()] == NO_VALUE).collect();
        while !open.is_empty() {
            let ready: Vec<usize> = (0..open.len())
                .filter(|&i| p.node(open[i]).args().iter().all(|a| map[a.index()] != NO_VALUE))
                .collect();
            let v = open.remove(rng.pick(&ready));
            map[v.index()] = match p.node(v) {
                Node::Input(_) => unreachable!("inputs are done"),
                Node::Param(k) => out.param(format!("q{}", k + 3), p.params()[k as usize].ty, None),
                Node::Lit(l) => out.lit(l),
                Node::Op(op, _) => {
                    let mut args: Vec<Value> = p.node(v).args().iter().map(|a| map[a.index()]).collect();
                    if op.commutes() && rng.below(2) == 0 {
                        args.swap(0, 1);
                    }
                    out.must(op, &args)
                }
            };
        }
        out.set_outputs(p.outputs().iter().map(|v| map[v.index()]).collect());
        out
    }

    #[test]
    fn numbering_does_not_matter() {
        for seed in 0..600 {
            let (types, size) = ([Type::F32, Type::I32, Type::Bool], 6 + (seed % 30) as usize);
            let p = match seed % 3 {
                0 => sample::program_with(seed, &types, size, &Op::REDUCTIONS),
                1 => sample::program_with(seed, &types, size, &Op::ELEMENTARY),
                _ => sample::program(seed, &types, size),
            };
            let q = shuffled(&p, seed + 1);
            assert_eq!(p.structural_hash(), q.structural_hash(), "{p}\n{q}");
            assert_eq!(p.structural_hash(), p.renumbered().structural_hash());
            assert_eq!(verify::check(&p.renumbered()), Ok(()));
            let (a, b) = (p.renumbered(), q.renumbered());
            assert_eq!(a.nodes(), b.nodes(), "{p}\n{q}\n{a}\n{b}");
            assert_eq!(a.outputs(), b.outputs());
            assert_eq!(a.renumbered(), a);
        }
    }

    #[test]
    fn structure_does() {
        let same = |a: &str, b: &str| {
            let parse = |body: &str| {
                let text = format!("program f(x: f32, y: f32) -> (f32) {{\n{body}\n}}");
                text.parse::<Program>().unwrap().structural_hash()
            };
            parse(a) == parse(b)
        };
        let c = "param c: f32\nparam d: f32\n";
        assert!(same("a = add x, y\nreturn a", "a = add y, x\nreturn a"));
        assert!(!same("a = sub x, y\nreturn a", "a = sub y, x\nreturn a"));
        assert!(!same("a = add x, 1.0\nreturn a", "a = add x, 2.0\nreturn a"));
        assert!(!same("a = add x, 0.0\nreturn a", "a = add x, -0.0\nreturn a"));
        // Parameters: exchanged names are one structure, one used twice is another.
        assert!(same(&format!("{c}a = fma x, c, d\nreturn a"), &format!("{c}a = fma x, d, c\nreturn a")));
        assert!(!same(&format!("{c}a = fma x, c, d\nreturn a"), &format!("{c}a = fma x, c, c\nreturn a")));
        // Which of two symmetric terms a third use belongs to must not depend on the numbering.
        let third = |term: &str| format!("{c}p = mul x, c\nq = mul x, d\ns = add p, q\nr = div s, {term}\nreturn r");
        assert!(same(&third("c"), &third("d")));
        let parts = |v: &str| format!("{c}p = mul x, c\nq = mul y, d\ns = add p, q\nr = div s, {v}\nreturn r");
        assert!(!same(&parts("c"), &parts("d")));
    }

    #[test]
    fn different_programs_differ() {
        let mut seen: BTreeMap<u128, Program> = BTreeMap::new();
        for seed in 0..3000 {
            let p = sample::program(seed, &[Type::F32, Type::I32], 5).renumbered();
            if let Some(q) = seen.insert(p.structural_hash(), p.clone()) {
                assert_eq!(q.nodes(), p.nodes(), "{p}{q}");
                assert_eq!(q.outputs(), p.outputs());
            }
        }
    }
}
