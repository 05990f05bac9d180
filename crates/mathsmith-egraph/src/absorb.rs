//! The directional rules of [`crate::quick`]: what becomes of one node whose arguments are already reduced.
//!
//! Every rule keeps or lowers the number of operations. A rule that takes an argument apart asks that its one use is
//! here, so that no operation is done twice; a rule that changes a constant asks the same of the constant.

use crate::extract::finite;
use crate::lang::{Arith, Lang};
use crate::literals;
use crate::quick::Worker;
use crate::rules::{RuleClass, is_power2};
use egg::Id;
use mathsmith_ir::{Literal, RealLit};

use Arith::{Abs, Add, Div, Max, Min, Mul, Neg, Sub};

impl Worker {
    /// Adds a node in reduced form; whether a rule applied.
    pub(crate) fn make(&mut self, node: Lang) -> (Id, bool) {
        let found = match &node {
            Lang::Arith(op, args) => self.absorb(*op, *args),
            Lang::Lit(ty, _) if *ty == self.ty && self.real() => {
                // A real has no negative zero.
                let zero = node.as_literal().and_then(Literal::to_f64).is_some_and(|x| x == 0.0);
                Literal::float(self.ty, 0.0).map(Lang::literal).filter(|z| zero && *z != node).map(|z| self.intern(z))
            }
            _ => None,
        };
        match found {
            Some(id) => (id, true),
            None => (self.intern(node), false),
        }
    }

    fn real(&self) -> bool {
        self.class == RuleClass::Real
    }

    fn node(&self, id: Id) -> &Lang {
        &self.nodes[usize::from(id)]
    }

    /// An intermediate result: reduced, and used once more.
    fn op(&mut self, op: Arith, args: &[Id]) -> Id {
        let mut full = [Id::from(0); 3];
        full[..args.len()].copy_from_slice(args);
        self.make(Lang::Arith(op, full)).0
    }

    /// [`Worker::op`] for a value that the caller then uses as an argument.
    fn part(&mut self, op: Arith, args: &[Id]) -> Id {
        let id = self.op(op, args);
        self.uses[usize::from(id)] += 1;
        id
    }

    /// A constant of the main type whose one use is here.
    fn wild(&self, id: Id) -> bool {
        let Lang::Const(k) = self.node(id) else { return false };
        self.uses[usize::from(id)] == 1 && self.constants[*k as usize].ty == self.ty
    }

    /// The arguments of a value that is `op` and is used only here.
    fn inner(&self, id: Id, op: Arith) -> Option<[Id; 3]> {
        match self.node(id) {
            Lang::Arith(o, args) if *o == op && self.uses[usize::from(id)] == 1 => Some(*args),
            _ => None,
        }
    }

    /// The argument of a negation, wherever else it is used.
    fn negated(&self, id: Id) -> Option<Id> {
        match self.node(id) {
            Lang::Arith(Neg, [a, ..]) => Some(*a),
            _ => None,
        }
    }

    /// `(y, c)` of a value used only here that is `op` of some `y` and a wild constant `c`, in either order.
    fn with_wild(&self, id: Id, op: Arith) -> Option<(Id, Id)> {
        let [a, b, _] = self.inner(id, op)?;
        if self.wild(b) {
            Some((a, b))
        } else if self.wild(a) {
            Some((b, a))
        } else {
            None
        }
    }

    /// `(c, y)` of a value used only here that is `op(c, y)` with a wild constant `c`.
    fn wild_first(&self, id: Id, op: Arith) -> Option<(Id, Id)> {
        self.inner(id, op).filter(|a| self.wild(a[0])).map(|a| (a[0], a[1]))
    }

    fn number(&self, id: Id) -> Option<f64> {
        self.node(id).as_literal().filter(|l| l.ty() == self.ty)?.to_f64()
    }

    fn is(&self, id: Id, x: f64) -> bool {
        self.number(id).is_some_and(|n| n == x)
    }

    /// Present value of a constant or literal.
    fn value(&self, id: Id) -> Option<Literal> {
        match self.node(id) {
            Lang::Const(k) => self.constants[*k as usize].value,
            node => node.as_literal(),
        }
    }

    /// A new constant with the value that `op` gives to the values of `args`.
    fn compute(&mut self, op: Arith, args: &[Id]) -> Id {
        let mut values = [Literal::Bool(false); 3];
        let mut known = true;
        for (slot, &a) in values.iter_mut().zip(args) {
            match self.value(a) {
                Some(l) => *slot = l,
                None => known = false,
            }
        }
        let value = match (known, op, values[0]) {
            (false, ..) => None,
            // A sign loses no digit of a real.
            (true, Neg, Literal::Real(r)) => Some(Literal::Real(RealLit(r.0.map(|t| 0.0 - t)))),
            _ => {
                let v = values.map(|l| l.to_f64().unwrap_or(f64::NAN));
                Literal::float(self.ty, literals::compute(op, &v[..args.len()])).filter(finite)
            }
        };
        let id = self.constant(self.ty, value);
        self.uses[usize::from(id)] += 1;
        id
    }

    fn minus(&mut self, c: Id) -> Id {
        self.compute(Neg, &[c])
    }

    fn literal(&mut self, x: f64) -> Option<Id> {
        let l = Literal::float(self.ty, x)?;
        Some(self.intern(Lang::literal(l)))
    }

    /// The reduced form of an operation, if it is not the operation itself.
    fn absorb(&mut self, op: Arith, args: [Id; 3]) -> Option<Id> {
        let list = &args[..op.arity()];
        if let Some(id) = self.fold(op, list) {
            return Some(id);
        }
        let [a, b, c] = args;
        match op {
            Add => self.add(a, b).or_else(|| self.add(b, a)),
            Sub => self.sub(a, b),
            Mul => self.mul(a, b).or_else(|| self.mul(b, a)),
            Div => self.div(a, b),
            Neg => self.neg(a),
            Abs => match (self.negated(a), self.node(a)) {
                (Some(w), _) => Some(self.op(Abs, &[w])),
                (_, Lang::Arith(Abs, _)) => Some(a),
                _ => None,
            },
            Min | Max => (a == b).then_some(a),
            Arith::Sqrt => None,
            _ => self.fused(op, [a, b, c]),
        }
    }

    /// An operation on constants only: a constant if one of them is wild and the result can be any number.
    fn fold(&mut self, op: Arith, args: &[Id]) -> Option<Id> {
        let mut literals = [Literal::Bool(false); 3];
        let mut all = true;
        for (slot, &a) in literals.iter_mut().zip(args) {
            match self.node(a) {
                Lang::Const(k) if self.constants[*k as usize].ty == self.ty => all = false,
                node => *slot = node.as_literal().filter(|l| l.ty() == self.ty)?,
            }
        }
        if all {
            let l = literals::fold(op, &literals[..args.len()], self.class)?;
            return Some(self.intern(Lang::literal(l)));
        }
        let wild = |i: usize| self.wild(args[i]);
        let factor = |i: usize, j: usize| wild(i) && !self.is(args[j], 0.0);
        let free = match op {
            Add | Sub => wild(0) || wild(1),
            Mul | Div => factor(0, 1) || factor(1, 0),
            Neg => wild(0),
            op if op.is_fused() => wild(2) || factor(0, 1) || factor(1, 0),
            _ => false,
        };
        free.then(|| {
            let id = self.compute(op, args);
            self.uses[usize::from(id)] -= 1;
            id
        })
    }

    fn add(&mut self, u: Id, v: Id) -> Option<Id> {
        if let Some(x) = self.number(v)
            && x == 0.0
            && (self.real() || x.is_sign_negative())
        {
            return Some(u);
        }
        if let Some(w) = self.negated(v) {
            return Some(self.op(Sub, &[u, w]));
        }
        if !self.real() || !self.wild(v) {
            return None;
        }
        if let Some((y, k)) = self.with_wild(u, Add) {
            let k = self.compute(Add, &[k, v]);
            return Some(self.op(Add, &[y, k]));
        }
        if let Some((k, y)) = self.wild_first(u, Sub) {
            let k = self.compute(Add, &[k, v]);
            return Some(self.op(Sub, &[k, y]));
        }
        for op in [Arith::Fma, Arith::Fnma] {
            if let Some([p, q, k]) = self.inner(u, op).filter(|a| self.wild(a[2])) {
                let k = self.compute(Add, &[k, v]);
                return Some(self.op(op, &[p, q, k]));
            }
        }
        None
    }

    fn sub(&mut self, a: Id, b: Id) -> Option<Id> {
        if let Some(x) = self.number(b)
            && x == 0.0
            && (self.real() || x.is_sign_positive())
        {
            return Some(a);
        }
        if let Some(w) = self.negated(b) {
            return Some(self.op(Add, &[a, w]));
        }
        if self.wild(b) {
            let k = self.minus(b);
            return Some(self.op(Add, &[a, k]));
        }
        if !self.real() {
            return None;
        }
        if a == b {
            return self.literal(0.0);
        }
        if self.is(a, 0.0) {
            return Some(self.op(Neg, &[b]));
        }
        if let Some([w, ..]) = self.inner(a, Neg) {
            let s = self.part(Add, &[w, b]);
            return Some(self.op(Neg, &[s]));
        }
        if !self.wild(a) {
            return None;
        }
        if let Some((y, k)) = self.with_wild(b, Add) {
            let k = self.compute(Sub, &[a, k]);
            return Some(self.op(Sub, &[k, y]));
        }
        if let Some((k, y)) = self.wild_first(b, Sub) {
            let k = self.compute(Sub, &[a, k]);
            return Some(self.op(Add, &[y, k]));
        }
        for (op, flipped) in [(Arith::Fma, Arith::Fnma), (Arith::Fnma, Arith::Fma)] {
            if let Some([p, q, k]) = self.inner(b, op).filter(|x| self.wild(x[2])) {
                let k = self.compute(Sub, &[a, k]);
                return Some(self.op(flipped, &[p, q, k]));
            }
        }
        None
    }

    fn mul(&mut self, u: Id, v: Id) -> Option<Id> {
        if self.is(v, 1.0) {
            return Some(u);
        }
        if self.is(v, -1.0) {
            return Some(self.op(Neg, &[u]));
        }
        if self.real() && self.is(v, 0.0) {
            return Some(v);
        }
        if let (Some(p), Some(q)) = (self.negated(u), self.negated(v)) {
            return Some(self.op(Mul, &[p, q]));
        }
        if self.wild(v) {
            if let Some(w) = self.negated(u) {
                let k = self.minus(v);
                return Some(self.op(Mul, &[w, k]));
            }
            if !self.real() {
                return None;
            }
            if let Some((y, k)) = self.with_wild(u, Mul) {
                let k = self.compute(Mul, &[k, v]);
                return Some(self.op(Mul, &[y, k]));
            }
            if let Some((k, y)) = self.wild_first(u, Div) {
                let k = self.compute(Mul, &[k, v]);
                return Some(self.op(Div, &[k, y]));
            }
            return None;
        }
        let [w, ..] = self.inner(u, Neg)?;
        let p = self.part(Mul, &[w, v]);
        Some(self.op(Neg, &[p]))
    }

    fn div(&mut self, a: Id, b: Id) -> Option<Id> {
        if self.is(b, 1.0) {
            return Some(a);
        }
        if self.is(b, -1.0) {
            return Some(self.op(Neg, &[a]));
        }
        if let Some(x) = self.number(b).filter(|&x| is_power2(x)) {
            let r = self.literal(1.0 / x)?;
            self.uses[usize::from(r)] += 1;
            return Some(self.op(Mul, &[a, r]));
        }
        if self.real() {
            if a == b {
                return self.literal(1.0);
            }
            if self.is(a, 0.0) && !self.is(b, 0.0) {
                return Some(a);
            }
            if self.wild(b) {
                let one = self.literal(1.0)?;
                let k = self.compute(Div, &[one, b]);
                return Some(self.op(Mul, &[a, k]));
            }
            if let Some((k, y)) = self.wild_first(b, Div) {
                let one = self.literal(1.0)?;
                let k = self.compute(Div, &[one, k]);
                let p = self.part(Mul, &[a, y]);
                return Some(self.op(Mul, &[p, k]));
            }
        }
        if self.wild(a) {
            if let Some(w) = self.negated(b) {
                let k = self.minus(a);
                return Some(self.op(Div, &[k, w]));
            }
            if let Some((y, k)) = self.with_wild(b, Mul).filter(|_| self.real()) {
                let k = self.compute(Div, &[a, k]);
                return Some(self.op(Div, &[k, y]));
            }
            return None;
        }
        if let (Some(p), Some(q)) = (self.negated(a), self.negated(b)) {
            return Some(self.op(Div, &[p, q]));
        }
        let (p, q) = match (self.inner(a, Neg), self.inner(b, Neg)) {
            (Some([w, ..]), _) => (w, b),
            (_, Some([w, ..])) => (a, w),
            _ => return None,
        };
        let d = self.part(Div, &[p, q]);
        Some(self.op(Neg, &[d]))
    }

    fn neg(&mut self, a: Id) -> Option<Id> {
        if let Some(w) = self.negated(a) {
            return Some(w);
        }
        if let Some((y, k)) = self.with_wild(a, Mul) {
            let k = self.minus(k);
            return Some(self.op(Mul, &[y, k]));
        }
        if let Some((k, y)) = self.wild_first(a, Div) {
            let k = self.minus(k);
            return Some(self.op(Div, &[k, y]));
        }
        if !self.real() {
            return None;
        }
        if let Some((y, k)) = self.with_wild(a, Add) {
            let k = self.minus(k);
            return Some(self.op(Sub, &[k, y]));
        }
        if let Some([p, q, _]) = self.inner(a, Sub) {
            return Some(self.op(Sub, &[q, p]));
        }
        let flips = [
            (Arith::Fma, Arith::Fnms),
            (Arith::Fnms, Arith::Fma),
            (Arith::Fms, Arith::Fnma),
            (Arith::Fnma, Arith::Fms),
        ];
        for (op, flipped) in flips {
            if let Some(args) = self.inner(a, op) {
                return Some(self.op(flipped, &args));
            }
        }
        None
    }

    /// `±a*b ± c`.
    fn fused(&mut self, op: Arith, args: [Id; 3]) -> Option<Id> {
        let mut product = matches!(op, Arith::Fnma | Arith::Fnms);
        let mut addend = matches!(op, Arith::Fms | Arith::Fnms);
        let [mut a, mut b, mut c] = args;
        for x in [&mut a, &mut b] {
            if let Some(w) = self.negated(*x) {
                (*x, product) = (w, !product);
            }
        }
        if let Some(w) = self.negated(c) {
            (c, addend) = (w, !addend);
        }
        if addend && self.wild(c) {
            (c, addend) = (self.minus(c), false);
        }
        if product && self.wild(a) {
            (a, product) = (self.minus(a), false);
        } else if product && self.wild(b) {
            (b, product) = (self.minus(b), false);
        }
        let op = Arith::fused(product, addend);
        if let Some(id) = self.unfused(product, addend, [a, b, c]) {
            return Some(id);
        }
        if self.real() {
            for (u, v) in [(a, b), (b, a)] {
                if let Some((y, k)) = self.with_wild(u, Mul).filter(|_| self.wild(v)) {
                    let k = self.compute(Mul, &[k, v]);
                    return Some(self.op(op, &[y, k, c]));
                }
            }
        }
        ([a, b, c] != args).then(|| self.op(op, &[a, b, c]))
    }

    /// A fused operation that is a sum, a product or its addend.
    fn unfused(&mut self, product: bool, addend: bool, [a, b, c]: [Id; 3]) -> Option<Id> {
        for (u, v) in [(a, b), (b, a)] {
            if self.is(u, 1.0) && !(product && addend) {
                return Some(match (product, addend) {
                    (false, false) => self.op(Add, &[v, c]),
                    (false, true) => self.op(Sub, &[v, c]),
                    _ => self.op(Sub, &[c, v]),
                });
            }
            if self.real() && self.is(u, 0.0) {
                return Some(if addend { self.op(Neg, &[c]) } else { c });
            }
        }
        if !self.real() {
            return None;
        }
        if self.is(c, 0.0) {
            let p = self.part(Mul, &[a, b]);
            return Some(if product { self.op(Neg, &[p]) } else { p });
        }
        let constant = |w: &Self, id: Id| matches!(w.node(id), Lang::Const(_)) || w.number(id).is_some();
        if constant(self, a) && constant(self, b) && (self.wild(a) || self.wild(b)) {
            let k = self.compute(Mul, &[a, b]);
            let k = if product { self.minus(k) } else { k };
            return Some(if addend { self.op(Sub, &[k, c]) } else { self.op(Add, &[c, k]) });
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use crate::expr::skeleton;
    use crate::lang::operations;
    use crate::quick::quick_canonical;
    use crate::rules::RuleClass;
    use mathsmith_ir::Type;

    fn same(class: RuleClass, a: &str, b: &str) -> bool {
        let key = |t| quick_canonical(&skeleton(t, Type::F32).unwrap(), class).key;
        key(a) == key(b)
    }

    #[test]
    fn constants_are_absorbed() {
        for (a, b) in [
            ("x - C", "x + C"),
            ("x/C", "C*x"),
            ("(x + C) - C", "x + C"),
            ("C*(x*C)/C", "x*C"),
            ("C/(C*x)", "C/x"),
            ("-(x + C)", "C - x"),
            ("(-x)*C", "x*C"),
            ("fma(x, C*C, C - C)", "fma(C, x, C)"),
            ("fnma(x, -y, C) + C", "fma(x, y, C)"),
            ("C - (C - x)", "x + C"),
            ("p0*C*x + p0", "p0 + C*x"),
            ("x/(C/y)", "C*(x*y)"),
        ] {
            assert!(same(RuleClass::Real, a, b), "{a} and {b}");
        }
    }

    #[test]
    fn shared_constants_are_not() {
        for (a, b) in [
            ("p0*p0*x", "C*x"),
            ("x*p0 + p0", "x*C + C"),
            ("(x - p0)*p0", "(x + p0)*p0"),
            ("s = x + C; s*s", "(x + C)*(x + C)"),
            ("s = x + C; (s + C)*s", "s = x + C; s*s"),
            ("C*0*x + C*x", "(C + C*y)*x"),
            ("sqrt(C)*x", "C*x"),
        ] {
            assert!(!same(RuleClass::Real, a, b), "{a} and {b}");
        }
    }

    #[test]
    fn exact_mode_leaves_rounding_alone() {
        for (a, b) in [("x/C", "x*C"), ("(x + C) + C", "x + C"), ("x + 0", "x"), ("-(x - y)", "y - x"), ("x*0", "0")] {
            assert!(!same(RuleClass::Exact, a, b), "{a} and {b}");
        }
        for (a, b) in [("x - C", "x + C"), ("-(-x)", "x"), ("x + -y", "x - y"), ("x*1 + -0", "x"), ("x/4", "x*0.25")] {
            assert!(same(RuleClass::Exact, a, b), "{a} and {b}");
        }
    }

    #[test]
    fn never_more_operations() {
        for text in ["s = -x; s*y + s/z", "s = -(x + C); s*s + s", "fma(-x, C, y) - -x", "n = -x; fma(n, y, n)"] {
            let p = skeleton(text, Type::F32).unwrap();
            let q = quick_canonical(&p, RuleClass::Real).program;
            assert!(operations(&q) <= operations(&p), "{text}");
        }
    }
}
