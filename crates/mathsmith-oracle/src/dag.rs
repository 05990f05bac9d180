//! The compiled form of an expression: a hash-consed graph in which constants are folded exactly and the forms that
//! lose digits by cancellation are replaced by identities of real analysis.
//!
//! `exp(u) - 1` becomes expm1, `log(1 + u)` log1p, `1 + erf(u)` is `erfc(-u)`, `1 + tanh(u)` is `2 / (1 + exp(-2u))`,
//! `1 - cos(u)` is `2 sin(u/2)^2`, `log(1 + exp(u))` is `max(u, 0) + log1p(exp(-|u|))`, and `sin(pi u)` is sinpi. Each
//! holds for all real arguments, so the function is the same one; only the arithmetic that evaluates it is better, in
//! MPFR (fewer bits) as on the fast path (a bound that decides).

use crate::OracleError;
use crate::enclosure::{Enclosure, Status, bracket};
use crate::function::{self, Unary};
use mathsmith_dsl::{Cmp, Constant, ExactNumber, Expr, ExprNode, Func};
use rug::float::{self, Round, Special};
use rug::ops::Pow;
use rug::{Float, Integer, Rational};
use std::cmp::Ordering;

/// Exponents of literals beyond this are refused: the exact value would have that many digits.
const EXPONENT_LIMIT: i64 = 20_000;

/// A function of two arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the definitions")]
pub(crate) enum Binary {
    Add,
    Sub,
    Mul,
    Div,
    Pow,
    Min,
    Max,
    Atan2,
    Hypot,
}

/// An exact constant.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Exact {
    /// A rational number.
    Rational(Rational),
    /// A rational multiple of pi.
    Pi(Rational),
    /// Base of the natural logarithm.
    E,
    /// Natural logarithm of 2.
    Ln2,
    /// Positive or negative infinity (domain ends).
    Infinity(bool),
}

/// A node; arguments have smaller indices.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    Const(Exact),
    Var(usize),
    Unary(Unary, usize),
    Binary(Binary, usize, usize),
    If { cmp: Cmp, lhs: usize, rhs: usize, then: usize, otherwise: usize },
}

impl Node {
    /// Whether the node costs much more than arithmetic, and is hardly ever exact.
    pub(crate) fn dear(&self) -> bool {
        match self {
            Node::Unary(op, _) => !matches!(op, Unary::Neg | Unary::Abs | Unary::Sqrt | Unary::Floor),
            Node::Binary(op, ..) => matches!(op, Binary::Pow | Binary::Atan2 | Binary::Hypot),
            _ => false,
        }
    }
}

/// The graph; the root is the last node that is needed.
#[derive(Clone, Debug)]
pub(crate) struct Dag {
    pub(crate) nodes: Vec<Node>,
    pub(crate) root: usize,
}

impl Dag {
    /// Compiles an expression; infinities are accepted only with `ends`.
    pub(crate) fn compile(expr: &Expr, ends: bool) -> Result<Dag, OracleError> {
        let mut dag = Dag { nodes: Vec::new(), root: 0 };
        let mut map: Vec<usize> = Vec::with_capacity(expr.nodes.len());
        for (index, node) in expr.nodes.iter().enumerate() {
            let arg = |id: mathsmith_dsl::ExprId| {
                let malformed = OracleError::Malformed { node: index, what: "an argument does not precede it" };
                map.get(id.0 as usize).copied().ok_or(malformed)
            };
            let span = expr.spans.get(index).copied().unwrap_or_default();
            let value = match node {
                ExprNode::Number(n) => {
                    let range = OracleError::NumberRange { start: span.start, end: span.end, limit: EXPONENT_LIMIT };
                    dag.push(Node::Const(Exact::Rational(number(n).ok_or(range)?)))
                }
                ExprNode::Constant(Constant::Pi) => dag.push(Node::Const(Exact::Pi(Rational::from(1)))),
                ExprNode::Constant(Constant::E) => dag.push(Node::Const(Exact::E)),
                ExprNode::Constant(Constant::Ln2) => dag.push(Node::Const(Exact::Ln2)),
                ExprNode::Constant(Constant::Infinity) => {
                    if !ends {
                        return Err(OracleError::Infinity { start: span.start, end: span.end });
                    }
                    dag.push(Node::Const(Exact::Infinity(false)))
                }
                ExprNode::Var(v) => {
                    if *v as usize >= expr.vars.len() {
                        return Err(OracleError::Malformed {
                            node: index,
                            what: "it names a variable that is not listed",
                        });
                    }
                    dag.push(Node::Var(*v as usize))
                }
                ExprNode::Call(func, a, b) => {
                    let a = arg(*a)?;
                    match (unary_of(*func), binary_of(*func), b) {
                        (Some(op), _, None) => dag.unary(op, a),
                        (_, Some(op), Some(b)) => {
                            let b = arg(*b)?;
                            dag.binary(op, a, b)
                        }
                        _ => return Err(OracleError::Malformed { node: index, what: "wrong number of arguments" }),
                    }
                }
                ExprNode::If { cmp, lhs, rhs, then, otherwise } => {
                    let node = Node::If {
                        cmp: *cmp,
                        lhs: arg(*lhs)?,
                        rhs: arg(*rhs)?,
                        then: arg(*then)?,
                        otherwise: arg(*otherwise)?,
                    };
                    dag.push(node)
                }
            };
            map.push(value);
        }
        let malformed = OracleError::Malformed { node: expr.root.0 as usize, what: "the root does not exist" };
        dag.root = map.get(expr.root.0 as usize).copied().ok_or(malformed)?;
        Ok(dag.compacted())
    }

    fn push(&mut self, node: Node) -> usize {
        if let Some(i) = self.nodes.iter().position(|n| *n == node) {
            return i;
        }
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    fn rational(&mut self, q: impl Into<Rational>) -> usize {
        self.push(Node::Const(Exact::Rational(q.into())))
    }

    fn as_rational(&self, i: usize) -> Option<&Rational> {
        match &self.nodes[i] {
            Node::Const(Exact::Rational(q)) => Some(q),
            _ => None,
        }
    }

    fn is(&self, i: usize, n: i32) -> bool {
        self.as_rational(i).is_some_and(|q| *q == n)
    }

    /// `u` where the node is `op(u)`.
    fn under(&self, i: usize, op: Unary) -> Option<usize> {
        match self.nodes[i] {
            Node::Unary(o, u) if o == op => Some(u),
            _ => None,
        }
    }

    /// The node divided by pi, where it has a factor pi.
    fn without_pi(&mut self, i: usize) -> Option<usize> {
        match self.nodes[i].clone() {
            Node::Const(Exact::Pi(q)) => Some(self.rational(q)),
            Node::Unary(Unary::Neg, a) => {
                let a = self.without_pi(a)?;
                Some(self.unary(Unary::Neg, a))
            }
            Node::Binary(Binary::Mul, a, b) => {
                if let Some(a) = self.without_pi(a) {
                    return Some(self.binary(Binary::Mul, a, b));
                }
                let b = self.without_pi(b)?;
                Some(self.binary(Binary::Mul, a, b))
            }
            Node::Binary(Binary::Div, a, b) => {
                let a = self.without_pi(a)?;
                Some(self.binary(Binary::Div, a, b))
            }
            _ => None,
        }
    }

    fn unary(&mut self, op: Unary, a: usize) -> usize {
        use Unary as U;
        if let Node::Const(c) = &self.nodes[a] {
            let folded = match (op, c) {
                (U::Neg, Exact::Rational(q)) => Some(Exact::Rational(Rational::from(-q))),
                (U::Neg, Exact::Pi(q)) => Some(Exact::Pi(Rational::from(-q))),
                (U::Neg, Exact::Infinity(minus)) => Some(Exact::Infinity(!minus)),
                (U::Abs, Exact::Rational(q)) => Some(Exact::Rational(q.clone().abs())),
                (U::Floor, Exact::Rational(q)) => Some(Exact::Rational(q.clone().floor())),
                _ => None,
            };
            // The sign of a negated zero matters, and a rational has none.
            if let Some(c) = folded
                && !matches!(&c, Exact::Rational(q) if q.is_zero() && op == U::Neg)
            {
                return self.push(Node::Const(c));
            }
        }
        match op {
            U::Neg => {
                if let Some(u) = self.under(a, U::Neg) {
                    return u;
                }
            }
            U::Sin | U::Cos => {
                if let Some(u) = self.without_pi(a) {
                    return self.push(Node::Unary(if op == U::Sin { U::Sinpi } else { U::Cospi }, u));
                }
            }
            U::Log | U::Log2 | U::Log10 => {
                let plus = match op {
                    U::Log => U::Log1p,
                    U::Log2 => U::Log2p1,
                    _ => U::Log10p1,
                };
                match self.nodes[a] {
                    Node::Binary(Binary::Add, u, v) if self.is(v, 1) => return self.unary(plus, u),
                    Node::Binary(Binary::Add, v, u) if self.is(v, 1) => return self.unary(plus, u),
                    Node::Binary(Binary::Sub, v, u) if self.is(v, 1) => {
                        let minus = self.unary(U::Neg, u);
                        return self.unary(plus, minus);
                    }
                    _ => {}
                }
            }
            U::Log1p => {
                if let Some(u) = self.under(a, U::Exp) {
                    let zero = self.rational(0);
                    let top = self.binary(Binary::Max, u, zero);
                    let size = self.unary(U::Abs, u);
                    let minus = self.unary(U::Neg, size);
                    let decay = self.unary(U::Exp, minus);
                    let rest = self.push(Node::Unary(U::Log1p, decay));
                    return self.binary(Binary::Add, top, rest);
                }
            }
            _ => {}
        }
        self.push(Node::Unary(op, a))
    }

    /// `2 / (1 + exp(2u))`.
    fn twice_logistic(&mut self, u: usize) -> usize {
        let two = self.rational(2);
        let doubled = self.binary(Binary::Mul, two, u);
        let e = self.unary(Unary::Exp, doubled);
        let one = self.rational(1);
        let below = self.binary(Binary::Add, one, e);
        self.binary(Binary::Div, two, below)
    }

    /// `1 + sign * node`, where that cancels and another form does not.
    fn one_plus(&mut self, node: usize, minus: bool) -> Option<usize> {
        use Unary as U;
        let Node::Unary(op, u) = self.nodes[node] else { return None };
        Some(match (op, minus) {
            (U::Erf, true) => self.unary(U::Erfc, u),
            (U::Erf, false) => {
                let v = self.unary(U::Neg, u);
                self.unary(U::Erfc, v)
            }
            (U::Erfc, true) => self.unary(U::Erf, u),
            (U::Tanh, true) => self.twice_logistic(u),
            (U::Tanh, false) => {
                let v = self.unary(U::Neg, u);
                self.twice_logistic(v)
            }
            (U::Exp | U::Exp2 | U::Exp10, true) => {
                let e = self.minus_one(node)?;
                self.unary(U::Neg, e)
            }
            (U::Cos | U::Cospi, true) => {
                let half = self.rational((1, 2));
                let v = self.binary(Binary::Mul, half, u);
                let s = self.unary(if op == U::Cos { U::Sin } else { U::Sinpi }, v);
                let square = self.binary(Binary::Mul, s, s);
                let two = self.rational(2);
                self.binary(Binary::Mul, two, square)
            }
            _ => return None,
        })
    }

    /// `node - 1`, where that cancels and another form does not.
    fn minus_one(&mut self, node: usize) -> Option<usize> {
        let Node::Unary(op, u) = self.nodes[node] else { return None };
        let to = match op {
            Unary::Exp => Unary::Expm1,
            Unary::Exp2 => Unary::Exp2m1,
            Unary::Exp10 => Unary::Exp10m1,
            _ => {
                let r = self.one_plus(node, true)?;
                return Some(self.unary(Unary::Neg, r));
            }
        };
        Some(self.unary(to, u))
    }

    fn binary(&mut self, op: Binary, a: usize, b: usize) -> usize {
        if let (Node::Const(x), Node::Const(y)) = (&self.nodes[a], &self.nodes[b])
            && let Some(c) = fold(op, x, y)
        {
            return self.push(Node::Const(c));
        }
        let better = match op {
            Binary::Add if self.is(a, 1) => self.one_plus(b, false),
            Binary::Add if self.is(b, 1) => self.one_plus(a, false),
            Binary::Add if self.is(a, -1) => self.minus_one(b),
            Binary::Add if self.is(b, -1) => self.minus_one(a),
            Binary::Sub if self.is(a, 1) => self.one_plus(b, true),
            Binary::Sub if self.is(b, 1) => self.minus_one(a),
            _ => None,
        };
        better.unwrap_or_else(|| self.push(Node::Binary(op, a, b)))
    }

    /// Only the nodes that the root needs, in the same order.
    fn compacted(self) -> Dag {
        let mut used = vec![false; self.nodes.len()];
        used[self.root] = true;
        for i in (0..self.nodes.len()).rev() {
            if used[i] {
                for a in args(&self.nodes[i]) {
                    used[a] = true;
                }
            }
        }
        let mut map = vec![0; self.nodes.len()];
        let mut nodes = Vec::new();
        for (i, node) in self.nodes.into_iter().enumerate() {
            if used[i] {
                map[i] = nodes.len();
                nodes.push(match node {
                    Node::Unary(op, a) => Node::Unary(op, map[a]),
                    Node::Binary(op, a, b) => Node::Binary(op, map[a], map[b]),
                    Node::If { cmp, lhs, rhs, then, otherwise } => {
                        Node::If { cmp, lhs: map[lhs], rhs: map[rhs], then: map[then], otherwise: map[otherwise] }
                    }
                    leaf => leaf,
                });
            }
        }
        Dag { root: map[self.root], nodes }
    }

    /// Enclosure of the root for enclosures of the variables, at `p` bits. With `last`, what `p` bits cannot tell apart
    /// is taken as equal.
    pub(crate) fn eval(&self, vars: &[Enclosure], p: u32, last: bool) -> Enclosure {
        self.all(vars, p, last).swap_remove(self.root)
    }

    /// As [`Dag::eval`], of every node.
    pub(crate) fn all(&self, vars: &[Enclosure], p: u32, last: bool) -> Vec<Enclosure> {
        let mut values: Vec<Enclosure> = Vec::with_capacity(self.nodes.len());
        for i in 0..self.nodes.len() {
            let v = self.node(i, vars, &values, p, last);
            values.push(v);
        }
        values
    }

    /// Enclosure of one node from those before it.
    #[inline]
    fn node(&self, index: usize, vars: &[Enclosure], values: &[Enclosure], p: u32, last: bool) -> Enclosure {
        match &self.nodes[index] {
            Node::Const(c) => constant(c, p),
            Node::Var(i) => vars[*i].clone(),
            Node::Unary(op, a) => function::unary(*op, &values[*a], p, last),
            Node::Binary(op, a, b) => binary(*op, &values[*a], &values[*b], p),
            Node::If { cmp, lhs, rhs, then, otherwise } => {
                let (l, r) = (&values[*lhs], &values[*rhs]);
                if l.status == Status::Undefined || r.status == Status::Undefined {
                    return l.sub(r, p);
                }
                let chosen = match compare(*cmp, l, r, last) {
                    Some(true) => values[*then].clone(),
                    Some(false) => values[*otherwise].clone(),
                    None => {
                        let mut u = Enclosure::union(&values[*then], &values[*otherwise]);
                        u.jump = true;
                        u
                    }
                };
                chosen.inherit(l).inherit(r)
            }
        }
    }
}

impl Dag {
    /// The value at a point of several variables where the expression has none by itself: quotients and powers of the
    /// variables are what IEEE 754-2019 (section 9.2.1) says of zeros and infinities as such, so `x/y` is infinite at
    /// `y = 0` with the sign of the zero, and `x^0` is 1 for every `x`. Limits of several variables are not taken.
    pub(crate) fn conventional(&self, vars: &[Enclosure], p: u32) -> Enclosure {
        let given = |i: usize| matches!(self.nodes[i], Node::Var(_) | Node::Const(_));
        let mut values: Vec<Enclosure> = Vec::with_capacity(self.nodes.len());
        for (i, node) in self.nodes.iter().enumerate() {
            let mut v = self.node(i, vars, &values, p, false);
            if let Node::Binary(op @ (Binary::Div | Binary::Pow), a, b) = node
                && v.status == Status::Undefined
                && v.edge
                && given(*a)
                && given(*b)
                && values[*a].is_thin()
                && values[*b].is_thin()
            {
                let (x, y) = (&values[*a].lo, &values[*b].lo);
                let down = match op {
                    Binary::Div => Float::with_val_round(p, x / y, Round::Down),
                    _ => Float::with_val_round(p, Pow::pow(x, y), Round::Down),
                };
                if !down.0.is_nan() {
                    v = bracket(down);
                }
            }
            values.push(v);
        }
        values.swap_remove(self.root)
    }
}

/// Arguments of a node.
pub(crate) fn args(node: &Node) -> Vec<usize> {
    match node {
        Node::Const(_) | Node::Var(_) => vec![],
        Node::Unary(_, a) => vec![*a],
        Node::Binary(_, a, b) => vec![*a, *b],
        Node::If { lhs, rhs, then, otherwise, .. } => vec![*lhs, *rhs, *then, *otherwise],
    }
}

/// The function of two enclosures.
pub(crate) fn binary(op: Binary, a: &Enclosure, b: &Enclosure, p: u32) -> Enclosure {
    match op {
        Binary::Add => a.add(b, p),
        Binary::Sub => a.sub(b, p),
        Binary::Mul => a.mul(b, p),
        Binary::Div => a.div(b, p),
        Binary::Pow => function::pow(a, b, p),
        Binary::Min => a.extremum(b, Ordering::Less),
        Binary::Max => a.extremum(b, Ordering::Greater),
        Binary::Atan2 => function::atan2(a, b, p),
        Binary::Hypot => function::hypot(a, b, p),
    }
}

/// The truth of a comparison, `None` where the enclosures overlap (with `last`: taken as equal).
pub(crate) fn compare(cmp: Cmp, l: &Enclosure, r: &Enclosure, last: bool) -> Option<bool> {
    let order = if l.hi < r.lo {
        Ordering::Less
    } else if l.lo > r.hi {
        Ordering::Greater
    } else if last || (l.is_thin() && r.is_thin()) {
        Ordering::Equal
    } else {
        return match cmp {
            Cmp::Lt if l.lo >= r.hi => Some(false),
            Cmp::Ge if l.lo >= r.hi => Some(true),
            Cmp::Gt if l.hi <= r.lo => Some(false),
            Cmp::Le if l.hi <= r.lo => Some(true),
            _ => None,
        };
    };
    Some(match cmp {
        Cmp::Lt => order.is_lt(),
        Cmp::Le => order.is_le(),
        Cmp::Gt => order.is_gt(),
        Cmp::Ge => order.is_ge(),
        Cmp::Eq => order.is_eq(),
        Cmp::Ne => order.is_ne(),
    })
}

/// Enclosure of a constant at `p` bits.
pub(crate) fn constant(c: &Exact, p: u32) -> Enclosure {
    let down = match c {
        Exact::Rational(q) => return bracket(Float::with_val_round(p, q, Round::Down)),
        Exact::Pi(q) => {
            let pi = bracket(Float::with_val_round(p, float::Constant::Pi, Round::Down));
            return pi.mul(&bracket(Float::with_val_round(p, q, Round::Down)), p);
        }
        Exact::E => function::at(Unary::Exp, &Float::with_val(2, 1), p, Round::Down),
        Exact::Ln2 => Float::with_val_round(p, float::Constant::Log2, Round::Down),
        Exact::Infinity(minus) => {
            let s = if *minus { Special::NegInfinity } else { Special::Infinity };
            return Enclosure::point(Float::with_val(p, s));
        }
    };
    bracket(down)
}

fn number(n: &ExactNumber) -> Option<Rational> {
    if n.exponent.abs() > EXPONENT_LIMIT || n.digits.len() as i64 > EXPONENT_LIMIT {
        return None;
    }
    let digits = Integer::from_str_radix(&n.digits, n.radix as i32).ok()?;
    let base = Integer::from(if n.radix == 16 { 2 } else { 10 });
    let power = base.pow(n.exponent.unsigned_abs() as u32);
    Some(if n.exponent < 0 { Rational::from((digits, power)) } else { Rational::from(digits * power) })
}

/// Exact folding of constants; results stay small enough to be cheap.
fn fold(op: Binary, x: &Exact, y: &Exact) -> Option<Exact> {
    use Exact::{Pi, Rational as Q};
    let r = match (op, x, y) {
        (Binary::Add, Q(a), Q(b)) => Q(Rational::from(a + b)),
        (Binary::Sub, Q(a), Q(b)) => Q(Rational::from(a - b)),
        (Binary::Mul, Q(a), Q(b)) => Q(Rational::from(a * b)),
        (Binary::Div, Q(a), Q(b)) if !b.is_zero() => Q(Rational::from(a / b)),
        (Binary::Add, Pi(a), Pi(b)) => Pi(Rational::from(a + b)),
        (Binary::Sub, Pi(a), Pi(b)) => Pi(Rational::from(a - b)),
        (Binary::Mul, Pi(a), Q(b)) | (Binary::Mul, Q(b), Pi(a)) => Pi(Rational::from(a * b)),
        (Binary::Div, Pi(a), Q(b)) if !b.is_zero() => Pi(Rational::from(a / b)),
        (Binary::Div, Pi(a), Pi(b)) if !b.is_zero() => Q(Rational::from(a / b)),
        (Binary::Pow, Q(a), Q(b)) if b.is_integer() && (*b >= 0 || !a.is_zero()) => {
            let n = b.numer().to_i32().filter(|n| n.unsigned_abs() <= EXPONENT_LIMIT as u32)?;
            if size(a).saturating_mul(n.unsigned_abs()) > 100_000 {
                return None;
            }
            Q(Rational::from(Pow::pow(a, n)))
        }
        _ => return None,
    };
    match &r {
        Q(q) if size(q) > 200_000 => None,
        // pi * 0 is the rational 0.
        Pi(q) if q.is_zero() => Some(Q(Rational::new())),
        _ => Some(r),
    }
}

fn size(q: &Rational) -> u32 {
    q.numer().significant_bits() + q.denom().significant_bits()
}

fn unary_of(f: Func) -> Option<Unary> {
    use Unary as U;
    Some(match f {
        Func::Neg => U::Neg,
        Func::Abs => U::Abs,
        Func::Sqrt => U::Sqrt,
        Func::Cbrt => U::Cbrt,
        Func::Exp => U::Exp,
        Func::Exp2 => U::Exp2,
        Func::Exp10 => U::Exp10,
        Func::Expm1 => U::Expm1,
        Func::Log => U::Log,
        Func::Log2 => U::Log2,
        Func::Log10 => U::Log10,
        Func::Log1p => U::Log1p,
        Func::Sin => U::Sin,
        Func::Cos => U::Cos,
        Func::Tan => U::Tan,
        Func::Sinpi => U::Sinpi,
        Func::Cospi => U::Cospi,
        Func::Asin => U::Asin,
        Func::Acos => U::Acos,
        Func::Atan => U::Atan,
        Func::Sinh => U::Sinh,
        Func::Cosh => U::Cosh,
        Func::Tanh => U::Tanh,
        Func::Asinh => U::Asinh,
        Func::Acosh => U::Acosh,
        Func::Atanh => U::Atanh,
        Func::Erf => U::Erf,
        Func::Erfc => U::Erfc,
        Func::Gamma => U::Gamma,
        Func::Lgamma => U::Lgamma,
        Func::Digamma => U::Digamma,
        Func::J0 => U::J0,
        Func::J1 => U::J1,
        Func::Y0 => U::Y0,
        Func::Y1 => U::Y1,
        Func::AiryAi => U::AiryAi,
        Func::Floor => U::Floor,
        Func::Add
        | Func::Sub
        | Func::Mul
        | Func::Div
        | Func::Pow
        | Func::Min
        | Func::Max
        | Func::Atan2
        | Func::Hypot => {
            return None;
        }
    })
}

fn binary_of(f: Func) -> Option<Binary> {
    Some(match f {
        Func::Add => Binary::Add,
        Func::Sub => Binary::Sub,
        Func::Mul => Binary::Mul,
        Func::Div => Binary::Div,
        Func::Pow => Binary::Pow,
        Func::Min => Binary::Min,
        Func::Max => Binary::Max,
        Func::Atan2 => Binary::Atan2,
        Func::Hypot => Binary::Hypot,
        _ => return None,
    })
}
