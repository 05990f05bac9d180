//! Odd and even functions, proven on the graph.
//!
//! The expression is brought to a normal form twice, for `x` and for `-x`, in one table of hash-consed terms. A sign is
//! pulled out of every operation that lets it pass: odd functions, products, quotients, integer powers, sums of two
//! negated terms; an even function drops it. Every such step is an identity of the reals (extended by the infinities), so
//! where both forms are one term the function is odd or even by proof: `(exp(x) - exp(-x))/2` as well as `x*tanh(x)`.
//! What the normal form does not know stays undecided; nothing is tried numerically.

use crate::dag::{Binary, Dag, Exact, Node};
use crate::function::Unary;
use mathsmith_dsl::Cmp;
use rug::Rational;

/// What a function of one variable does when its argument changes sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parity {
    /// `f(-x) = -f(x)` wherever `f` has values.
    Odd,
    /// `f(-x) = f(x)`.
    Even,
}

/// A term that begins with no sign; arguments are numbers of terms.
#[derive(Clone, Debug, PartialEq)]
enum Term {
    Const(Exact),
    Var,
    Negated(usize),
    Unary(Unary, usize),
    /// The second argument is taken with a minus where the flag says so.
    Sum(usize, usize, bool),
    Binary(Binary, usize, usize),
    /// Comparisons are `<`, `<=`, `==`, `!=`; the last flag is the sign of the second branch.
    If(Cmp, usize, usize, usize, usize, bool),
}

/// A term with its sign: `true` is minus.
type Signed = (bool, usize);

#[derive(Default)]
struct Terms(Vec<Term>);

impl Terms {
    fn push(&mut self, t: Term) -> usize {
        if let Some(i) = self.0.iter().position(|u| *u == t) {
            return i;
        }
        self.0.push(t);
        self.0.len() - 1
    }

    /// The term with its sign made part of it.
    fn whole(&mut self, (minus, t): Signed) -> usize {
        if minus { self.push(Term::Negated(t)) } else { t }
    }

    fn rational(&self, t: usize) -> Option<&Rational> {
        match &self.0[t] {
            Term::Const(Exact::Rational(q)) => Some(q),
            _ => None,
        }
    }

    fn constant(&mut self, c: &Exact) -> Signed {
        let (minus, c) = match c {
            Exact::Rational(q) => (*q < 0, Exact::Rational(q.clone().abs())),
            Exact::Pi(q) => (*q < 0, Exact::Pi(q.clone().abs())),
            Exact::Infinity(minus) => (*minus, Exact::Infinity(false)),
            Exact::E | Exact::Ln2 => (false, c.clone()),
        };
        (minus, self.push(Term::Const(c)))
    }

    fn unary(&mut self, op: Unary, (minus, a): Signed) -> Signed {
        use Unary as U;
        match op {
            U::Neg => (!minus, a),
            U::Cbrt
            | U::Sin
            | U::Tan
            | U::Sinpi
            | U::Asin
            | U::Atan
            | U::Sinh
            | U::Tanh
            | U::Asinh
            | U::Atanh
            | U::Erf
            | U::J1 => (minus, self.push(Term::Unary(op, a))),
            U::Abs | U::Cos | U::Cospi | U::Cosh | U::J0 => (false, self.push(Term::Unary(op, a))),
            _ => {
                let a = self.whole((minus, a));
                (false, self.push(Term::Unary(op, a)))
            }
        }
    }

    fn sum(&mut self, mut a: Signed, mut b: Signed) -> Signed {
        // Ordered by term, a plus before a minus.
        if (b.1, b.0) < (a.1, a.0) {
            std::mem::swap(&mut a, &mut b);
        }
        (a.0, self.push(Term::Sum(a.1, b.1, a.0 != b.0)))
    }

    fn binary(&mut self, op: Binary, a: Signed, b: Signed) -> Signed {
        let sorted = |a: usize, b: usize| (a.min(b), a.max(b));
        match op {
            Binary::Add => self.sum(a, b),
            Binary::Sub => self.sum(a, (!b.0, b.1)),
            Binary::Mul => {
                let (x, y) = sorted(a.1, b.1);
                (a.0 != b.0, self.push(Term::Binary(op, x, y)))
            }
            Binary::Div => (a.0 != b.0, self.push(Term::Binary(op, a.1, b.1))),
            Binary::Hypot => {
                let (x, y) = sorted(a.1, b.1);
                (false, self.push(Term::Binary(op, x, y)))
            }
            Binary::Min | Binary::Max => {
                // min(-a, -b) is -max(a, b).
                let minus = a.0 && b.0;
                let other = if op == Binary::Min { Binary::Max } else { Binary::Min };
                let (x, y) = if minus { (a.1, b.1) } else { (self.whole(a), self.whole(b)) };
                let (x, y) = sorted(x, y);
                (minus, self.push(Term::Binary(if minus { other } else { op }, x, y)))
            }
            Binary::Pow => {
                let integer = self.rational(b.1).filter(|q| q.is_integer()).map(|q| q.numer().is_odd());
                let (minus, base) = match integer {
                    Some(odd) => (a.0 && odd, a.1),
                    None => (false, self.whole(a)),
                };
                let exponent = self.whole(b);
                (minus, self.push(Term::Binary(op, base, exponent)))
            }
            Binary::Atan2 => {
                // Off the branch cut the angle is odd in the ordinate.
                let right = !b.0 && self.rational(b.1).is_some_and(|q| *q > 0);
                let (minus, y) = if right { a } else { (false, self.whole(a)) };
                let x = self.whole(b);
                (minus, self.push(Term::Binary(op, y, x)))
            }
        }
    }

    fn choice(&mut self, cmp: Cmp, mut l: Signed, mut r: Signed, then: Signed, otherwise: Signed) -> Signed {
        // A zero has the sign that suits the other side.
        let zero = |s: &Self, t: Signed| s.rational(t.1).is_some_and(Rational::is_zero);
        if zero(self, l) {
            l.0 = r.0;
        }
        if zero(self, r) {
            r.0 = l.0;
        }
        let turned = l.0 && r.0;
        if turned {
            (l.0, r.0) = (false, false);
        }
        let (cmp, swap) = match cmp {
            Cmp::Lt => (Cmp::Lt, turned),
            Cmp::Le => (Cmp::Le, turned),
            Cmp::Gt => (Cmp::Lt, !turned),
            Cmp::Ge => (Cmp::Le, !turned),
            Cmp::Eq | Cmp::Ne => (cmp, l.1 > r.1),
        };
        let (l, r) = (self.whole(l), self.whole(r));
        let (l, r) = if swap { (r, l) } else { (l, r) };
        let branches = (then.1, otherwise.1, then.0 != otherwise.0);
        (then.0, self.push(Term::If(cmp, l, r, branches.0, branches.1, branches.2)))
    }

    /// The root at `x`, or at `-x` where `mirrored`.
    fn root(&mut self, dag: &Dag, mirrored: bool) -> Signed {
        let mut all: Vec<Signed> = Vec::with_capacity(dag.nodes.len());
        for node in &dag.nodes {
            let t = match node {
                Node::Const(c) => self.constant(c),
                Node::Var(_) => (mirrored, self.push(Term::Var)),
                Node::Unary(op, a) => self.unary(*op, all[*a]),
                Node::Binary(op, a, b) => self.binary(*op, all[*a], all[*b]),
                Node::If { cmp, lhs, rhs, then, otherwise } => {
                    self.choice(*cmp, all[*lhs], all[*rhs], all[*then], all[*otherwise])
                }
            };
            all.push(t);
        }
        all[dag.root]
    }
}

/// The parity of a function of one variable, where it has one that the normal form shows.
pub(crate) fn parity(dag: &Dag) -> Option<Parity> {
    let mut terms = Terms::default();
    let (plain, mirrored) = (terms.root(dag, false), terms.root(dag, true));
    (plain.1 == mirrored.1).then_some(if plain.0 == mirrored.0 { Parity::Even } else { Parity::Odd })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Reference;

    #[test]
    fn proofs_agree_with_the_functions() {
        let odd = [
            "x",
            "sin(x)",
            "tanh(x)",
            "erf(x)",
            "x^3-x",
            "x*cos(x)",
            "sin(x)^3/(1+x^2)",
            "1/x",
            "cbrt(sinh(x))",
            "(exp(x)-exp(-x))/2",
            "atan2(x,2)",
            "if abs(x) < 1 then sin(x) else x",
            "atan(1/x)",
            "-j1(x)",
            "min(x,2*x)+max(x,2*x)",
            "x^(-3)",
            "sinpi(x)*cospi(x)",
            "if x*x == 4 then x else -x",
            "log(exp2(x)+1)-log(exp2(-x)+1)",
        ];
        let even = [
            "cos(x)",
            "x^2",
            "abs(sin(x))",
            "x*tanh(x)",
            "exp(-x^2)",
            "sin(x)/x",
            "1-cos(x)",
            "hypot(x,1)",
            "exp(x)+exp(-x)",
            "max(x,-x)",
            "log(cosh(x))",
            "3",
            "gamma(1+x)*gamma(1-x)",
            "sqrt(x^2)",
            "x^(-2)",
        ];
        let none = [
            "exp(x)",
            "log(x)",
            "1+x",
            "x^3+1",
            "sin(x)+cos(x)",
            "x^2.5",
            "atan2(x,-1)",
            "if x < 0 then -x else x",
            "if x < 1 then sin(x) else x",
            "max(x,0)",
            "floor(x)",
            "acos(x)",
            "x^x",
        ];
        let of = |text: &str| Reference::new(&mathsmith_dsl::parse_expr(text).expect("parses")).expect("compiles");
        for (texts, want) in [(&odd[..], Some(Parity::Odd)), (&even, Some(Parity::Even)), (&none, None)] {
            for text in texts {
                let f = of(text);
                assert_eq!(f.parity(), want, "{text}");
                for x in [0.3, 0.75, 2.0, 5.5] {
                    let (a, b) = if f.vars().is_empty() { (&[][..], &[][..]) } else { (&[x][..], &[-x][..]) };
                    let (a, b) = (f.value(a, 100), f.value(b, 100));
                    match want {
                        Some(Parity::Odd) => assert!(a == -b.clone() || (a.is_nan() && b.is_nan()), "{text} at {x}"),
                        Some(Parity::Even) => assert!(a == b || (a.is_nan() && b.is_nan()), "{text} at {x}"),
                        None => {}
                    }
                }
            }
        }
        assert_eq!(of("x+y").parity(), None);
    }
}
