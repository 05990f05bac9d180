//! Truncated Laurent series with enclosed coefficients: what a removable singularity's limit is, rigorously.
//!
//! `f(x0 + s h)` for `h > 0` (side `s` = 1 or -1) is carried as `h^v (c0 + c1 h + ...)`, known up to some term. Numerator
//! and denominator of `sin(x)/x` both start at `h^1`, so the quotient starts at `h^0` with a coefficient that is an
//! enclosure of the limit, as narrow as the working precision makes it. A leading coefficient is dropped only when it is
//! *exactly* zero, which MPFR tells (`sin(0)`, `exp(0) - 1`, `log(1)`, `lgamma(1)`); where an enclosure merely contains
//! zero the series gives up, and so do points at which a function is not analytic. The recurrences are those of
//! automatic differentiation (Griewank and Walther, "Evaluating Derivatives", chapter 13).

use crate::dag::{self, Binary, Dag, Exact, Node};
use crate::enclosure::Enclosure;
use crate::function::{Unary, unary};
use mathsmith_dsl::Cmp;
use rug::Float;
use std::cmp::Ordering;

/// Terms carried.
const TERMS: usize = 14;

/// `h^start (terms[0] + terms[1] h + ... + O(h^len))`.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    /// Exponent of the first term; its coefficient is not zero unless `terms` is all zero.
    pub(crate) start: i32,
    /// Coefficients known.
    pub(crate) terms: Vec<Enclosure>,
}

struct Ring {
    p: u32,
}

/// Series of the node `root` at `x0`, on the side `side` (1: above, -1: below); `None` where the method does not apply.
pub(crate) fn expand(dag: &Dag, root: usize, x0: &Float, side: i32, p: u32) -> Option<Series> {
    let ring = Ring { p };
    let mut all: Vec<Option<Series>> = Vec::with_capacity(dag.nodes.len());
    for node in &dag.nodes {
        let get = |i: usize| all[i].clone();
        let s = match node {
            Node::Const(Exact::Infinity(_)) => None,
            Node::Const(c) => Some(ring.constant(dag::constant(c, p))),
            Node::Var(_) => {
                let mut s = ring.constant(Enclosure::point(x0.clone()));
                s.terms[1] = Enclosure::int(side);
                ring.normal(s)
            }
            Node::Unary(op, a) => get(*a).and_then(|a| ring.unary(*op, &a)),
            Node::Binary(op, a, b) => get(*a).zip(get(*b)).and_then(|(a, b)| ring.binary(*op, &a, &b)),
            Node::If { cmp, lhs, rhs, then, otherwise } => get(*lhs).zip(get(*rhs)).and_then(|(l, r)| {
                let order = ring.order(&l, &r)?;
                let holds = match cmp {
                    Cmp::Lt => order.is_lt(),
                    Cmp::Le => order.is_le(),
                    Cmp::Gt => order.is_gt(),
                    Cmp::Ge => order.is_ge(),
                    Cmp::Eq => order.is_eq(),
                    Cmp::Ne => order.is_ne(),
                };
                get(if holds { *then } else { *otherwise })
            }),
        };
        all.push(s);
    }
    all.swap_remove(root)
}

impl Ring {
    fn constant(&self, c: Enclosure) -> Series {
        let mut terms = vec![Enclosure::int(0); TERMS];
        terms[0] = c;
        Series { start: 0, terms }
    }

    /// Drops leading exact zeros; `None` if the first coefficient may be zero without being it.
    fn normal(&self, mut s: Series) -> Option<Series> {
        if s.terms.iter().any(|t| !t.lo.is_finite() || !t.hi.is_finite()) {
            return None;
        }
        if let Some(k) = s.terms.iter().position(|t| !t.is_zero()) {
            if s.terms[k].has_zero() {
                return None;
            }
            s.terms.drain(..k);
            s.start += k as i32;
        }
        (!s.terms.is_empty()).then_some(s)
    }

    /// Sign of the function for small `h`; `Equal` only where every known term is exactly zero and none is cut off.
    fn sign(&self, s: &Series) -> Option<Ordering> {
        let first = s.terms.first()?.sign()?;
        if first != Ordering::Equal { Some(first) } else { None }
    }

    fn order(&self, l: &Series, r: &Series) -> Option<Ordering> {
        self.sign(&self.add(l, r, true)?)
    }

    /// Coefficients of `h^0, h^1, ...` of a series without a pole.
    fn dense(&self, s: &Series) -> Option<Vec<Enclosure>> {
        if s.start < 0 {
            return None;
        }
        let mut out = vec![Enclosure::int(0); s.start as usize];
        out.extend(s.terms.iter().cloned());
        out.truncate(TERMS);
        Some(out)
    }

    fn add(&self, a: &Series, b: &Series, minus: bool) -> Option<Series> {
        let start = a.start.min(b.start);
        let end = (a.start + a.terms.len() as i32).min(b.start + b.terms.len() as i32);
        let at = |s: &Series, k: i32| {
            if k < s.start { Enclosure::int(0) } else { s.terms[(k - s.start) as usize].clone() }
        };
        let terms = (start..end.min(start + TERMS as i32))
            .map(|k| {
                let (x, y) = (at(a, k), at(b, k));
                if minus { x.sub(&y, self.p) } else { x.add(&y, self.p) }
            })
            .collect();
        self.normal(Series { start, terms })
    }

    fn mul(&self, a: &Series, b: &Series) -> Option<Series> {
        let n = a.terms.len().min(b.terms.len());
        let terms = (0..n).map(|k| self.dot(k + 1, |j| (&a.terms[j], &b.terms[k - j]))).collect();
        self.normal(Series { start: a.start + b.start, terms })
    }

    fn dot<'a>(&self, n: usize, item: impl Fn(usize) -> (&'a Enclosure, &'a Enclosure)) -> Enclosure {
        (0..n).fold(Enclosure::int(0), |sum, j| {
            let (x, y) = item(j);
            sum.add(&x.mul(y, self.p), self.p)
        })
    }

    fn div(&self, a: &Series, b: &Series) -> Option<Series> {
        let head = b.terms.first()?;
        if head.has_zero() {
            return None;
        }
        let n = a.terms.len().min(b.terms.len());
        let mut q: Vec<Enclosure> = Vec::with_capacity(n);
        for k in 0..n {
            let known = self.dot(k, |j| (&q[j], &b.terms[k - j]));
            q.push(a.terms[k].sub(&known, self.p).div(head, self.p));
        }
        self.normal(Series { start: a.start - b.start, terms: q })
    }

    fn scale(&self, u: &[Enclosure], c: &Enclosure) -> Vec<Enclosure> {
        u.iter().map(|t| t.mul(c, self.p)).collect()
    }

    fn gather(&self, terms: Vec<Enclosure>) -> Option<Series> {
        self.normal(Series { start: 0, terms })
    }

    fn over(&self, x: &Enclosure, k: usize) -> Enclosure {
        x.div(&Enclosure::int(k as i32), self.p)
    }

    fn times(&self, x: &Enclosure, k: usize) -> Enclosure {
        x.mul(&Enclosure::int(k as i32), self.p)
    }

    /// Coefficients of `exp(u)` whose first one is given.
    fn exp(&self, u: &[Enclosure], first: Enclosure) -> Vec<Enclosure> {
        let mut e = vec![first];
        for k in 1..u.len() {
            let weighted: Vec<Enclosure> = (1..=k).map(|j| self.times(&u[j], j)).collect();
            let sum = self.dot(k, |j| (&weighted[j], &e[k - 1 - j]));
            e.push(self.over(&sum, k));
        }
        e
    }

    /// Coefficients of sine-like and cosine-like functions: `s' = c u'`, `c' = sign * s u'`.
    fn pair(&self, u: &[Enclosure], s0: Enclosure, c0: Enclosure, minus: bool) -> (Vec<Enclosure>, Vec<Enclosure>) {
        let (mut s, mut c) = (vec![s0], vec![c0]);
        for k in 1..u.len() {
            let weighted: Vec<Enclosure> = (1..=k).map(|j| self.times(&u[j], j)).collect();
            let next_s = self.over(&self.dot(k, |j| (&weighted[j], &c[k - 1 - j])), k);
            let next_c = self.over(&self.dot(k, |j| (&weighted[j], &s[k - 1 - j])), k);
            s.push(next_s);
            c.push(if minus { next_c.neg() } else { next_c });
        }
        (s, c)
    }

    /// The integral of `u' g` with the given constant term.
    fn integral(&self, u: &[Enclosure], g: &Series, first: Enclosure) -> Option<Series> {
        let g = self.dense(g)?;
        let n = u.len().min(g.len() + 1);
        let mut out = vec![first];
        for k in 1..n {
            let weighted: Vec<Enclosure> = (1..=k).map(|j| self.times(&u[j], j)).collect();
            out.push(self.over(&self.dot(k, |j| (&weighted[j], &g[k - 1 - j])), k));
        }
        self.gather(out)
    }

    /// `u^q` for a rational `q = num/den` at a positive first coefficient, whose power is given.
    fn power(&self, u: &Series, num: i32, den: i32, first: Enclosure) -> Option<Series> {
        if u.start % den != 0 || u.terms[0].has_zero() {
            return None;
        }
        let q = Enclosure::int(num).div(&Enclosure::int(den), self.p);
        let mut s = vec![first];
        for k in 1..u.terms.len() {
            let weighted: Vec<Enclosure> = (1..=k)
                .map(|j| {
                    let factor = self.times(&q, j).sub(&Enclosure::int((k - j) as i32), self.p);
                    factor.mul(&u.terms[j], self.p)
                })
                .collect();
            let sum = self.dot(k, |j| (&weighted[j], &s[k - 1 - j]));
            s.push(sum.div(&self.times(&u.terms[0], k), self.p));
        }
        self.normal(Series { start: u.start / den * num, terms: s })
    }

    fn value(&self, op: Unary, x: &Enclosure) -> Option<Enclosure> {
        let y = unary(op, x, self.p, false);
        (y.status == crate::Status::Defined && y.lo.is_finite() && y.hi.is_finite()).then_some(y)
    }

    fn unary(&self, op: Unary, a: &Series) -> Option<Series> {
        use Unary as U;
        let p = self.p;
        match op {
            U::Neg => return Some(Series { start: a.start, terms: a.terms.iter().map(Enclosure::neg).collect() }),
            U::Abs => return if self.sign(a)?.is_lt() { self.unary(U::Neg, a) } else { Some(a.clone()) },
            U::Sqrt | U::Cbrt => {
                let den = if op == U::Sqrt { 2 } else { 3 };
                return self.power(a, 1, den, self.value(op, &a.terms[0])?);
            }
            _ => {}
        }
        let u = self.dense(a)?;
        if matches!(op, U::Gamma | U::Digamma) && u[0].is_thin() && u[0].lo <= 0 && u[0].lo.is_integer() {
            return self.gamma_pole(op, &u);
        }
        let at = |op: Unary| self.value(op, &u[0]);
        let one = self.constant(Enclosure::int(1));
        let square = || self.mul(a, a);
        let inverse = |s: Series| self.div(&one, &s);
        let inverse_root = |s: Series| {
            let first = self.value(U::Sqrt, &s.terms[0])?;
            self.power(&s, -1, 2, Enclosure::int(1).div(&first, p))
        };
        let ln10 = || self.value(U::Log, &Enclosure::int(10));
        let ln2 = || dag::constant(&Exact::Ln2, p);
        let pi = || dag::constant(&Exact::Pi(1.into()), p);
        let exponential = |rate: Option<Enclosure>, op: Unary, minus_one: Option<Unary>| {
            let v = match &rate {
                Some(r) => self.scale(&u, r),
                None => u.clone(),
            };
            let mut e = self.exp(&v, at(op)?);
            if let Some(m) = minus_one {
                e[0] = at(m)?;
            }
            self.gather(e)
        };
        let logarithm = |base: Option<Enclosure>, argument: &Series| {
            // l' = u' / argument.
            let s = self.integral(&u, &inverse(argument.clone())?, at(op)?)?;
            let Some(base) = base else { return Some(s) };
            let mut d = self.dense(&s)?;
            for t in d.iter_mut().skip(1) {
                *t = t.div(&base, p);
            }
            d[0] = at(op)?;
            self.gather(d)
        };
        match op {
            U::Exp => exponential(None, U::Exp, None),
            U::Exp2 => exponential(Some(ln2()), U::Exp2, None),
            U::Exp10 => exponential(Some(ln10()?), U::Exp10, None),
            U::Expm1 => exponential(None, U::Exp, Some(op)),
            U::Exp2m1 => exponential(Some(ln2()), U::Exp2, Some(op)),
            U::Exp10m1 => exponential(Some(ln10()?), U::Exp10, Some(op)),
            U::Log => logarithm(None, a),
            U::Log2 => logarithm(Some(ln2()), a),
            U::Log10 => logarithm(Some(ln10()?), a),
            U::Log1p => logarithm(None, &self.add(&one, a, false)?),
            U::Log2p1 => logarithm(Some(ln2()), &self.add(&one, a, false)?),
            U::Log10p1 => logarithm(Some(ln10()?), &self.add(&one, a, false)?),
            U::Sin => self.gather(self.pair(&u, at(U::Sin)?, at(U::Cos)?, true).0),
            U::Cos => self.gather(self.pair(&u, at(U::Sin)?, at(U::Cos)?, true).1),
            U::Sinpi => self.gather(self.pair(&self.scale(&u, &pi()), at(U::Sinpi)?, at(U::Cospi)?, true).0),
            U::Cospi => self.gather(self.pair(&self.scale(&u, &pi()), at(U::Sinpi)?, at(U::Cospi)?, true).1),
            U::Sinh => self.gather(self.pair(&u, at(U::Sinh)?, at(U::Cosh)?, false).0),
            U::Cosh => self.gather(self.pair(&u, at(U::Sinh)?, at(U::Cosh)?, false).1),
            U::Tan => self.div(&self.unary(U::Sin, a)?, &self.unary(U::Cos, a)?),
            U::Tanh => self.div(&self.unary(U::Sinh, a)?, &self.unary(U::Cosh, a)?),
            U::Atan => self.integral(&u, &inverse(self.add(&one, &square()?, false)?)?, at(op)?),
            U::Atanh => self.integral(&u, &inverse(self.add(&one, &square()?, true)?)?, at(op)?),
            U::Asin => self.integral(&u, &inverse_root(self.add(&one, &square()?, true)?)?, at(op)?),
            U::Acos => {
                let g = inverse_root(self.add(&one, &square()?, true)?)?;
                self.integral(&u, &self.unary(U::Neg, &g)?, at(op)?)
            }
            U::Asinh => self.integral(&u, &inverse_root(self.add(&one, &square()?, false)?)?, at(op)?),
            U::Acosh => self.integral(&u, &inverse_root(self.add(&square()?, &one, true)?)?, at(op)?),
            U::Erf | U::Erfc => {
                let e = self.unary(U::Exp, &self.unary(U::Neg, &square()?)?)?;
                let root_pi = self.value(U::Sqrt, &pi())?;
                let c = Enclosure::int(if op == U::Erf { 2 } else { -2 }).div(&root_pi, p);
                self.integral(&u, &self.mul(&e, &self.constant(c))?, at(op)?)
            }
            U::Floor => {
                let f = at(op)?;
                let mut tail = u.clone();
                tail[0] = u[0].sub(&f, p);
                let down = self.sign(&self.gather(tail)?)?.is_lt();
                let low = if down { f.sub(&Enclosure::int(1), p) } else { f };
                low.is_thin().then(|| self.constant(low))
            }
            U::Gamma | U::Lgamma | U::Digamma | U::J0 | U::J1 | U::Y0 | U::Y1 | U::AiryAi => {
                let first = at(op)?;
                let slope = match op {
                    U::Lgamma => Some(at(U::Digamma)?),
                    U::Gamma => Some(first.mul(&at(U::Digamma)?, p)),
                    U::J0 => Some(at(U::J1)?.neg()),
                    U::Y0 => Some(at(U::Y1)?.neg()),
                    U::J1 if u[0].is_zero() => Some(Enclosure::int(1).div(&Enclosure::int(2), p)),
                    U::J1 => Some(at(U::J0)?.sub(&first.div(&u[0], p), p)),
                    U::Y1 => Some(at(U::Y0)?.sub(&first.div(&u[0], p), p)),
                    _ => None,
                };
                self.linear(&u, first, slope)
            }
            U::Neg | U::Abs | U::Sqrt | U::Cbrt => None,
        }
    }

    /// `f(u0) + f'(u0) (u - u0)`, known up to the square of the rest (or only its first term without a derivative).
    fn linear(&self, u: &[Enclosure], first: Enclosure, slope: Option<Enclosure>) -> Option<Series> {
        let order = (1..u.len()).find(|&k| !u[k].is_zero()).unwrap_or(u.len());
        let mut out = vec![Enclosure::int(0); order.min(u.len())];
        out[0] = first;
        if let Some(slope) = slope {
            out.extend((order..u.len().min(2 * order)).map(|k| u[k].mul(&slope, self.p)));
        }
        self.gather(out)
    }

    /// Leading term at a pole `-n`: `gamma(-n + w) = (-1)^n / (n! w) + O(1)`, `digamma(-n + w) = -1/w + O(1)`.
    fn gamma_pole(&self, op: Unary, u: &[Enclosure]) -> Option<Series> {
        let mut w = u.to_vec();
        w[0] = Enclosure::int(0);
        let w = self.gather(w)?;
        let n = u[0].lo.to_i32_saturating()?.unsigned_abs();
        if n > 10_000 {
            return None;
        }
        let sign = if op == Unary::Digamma || n % 2 == 1 { -1 } else { 1 };
        let mut c = Enclosure::int(sign).div(&w.terms[0], self.p);
        if op == Unary::Gamma {
            let factorial = Float::with_val_round(self.p, Float::factorial(n), rug::float::Round::Down);
            c = c.div(&crate::enclosure::bracket(factorial), self.p);
        }
        self.normal(Series { start: -w.start, terms: vec![c] })
    }

    fn binary(&self, op: Binary, a: &Series, b: &Series) -> Option<Series> {
        match op {
            Binary::Add => self.add(a, b, false),
            Binary::Sub => self.add(a, b, true),
            Binary::Mul => self.mul(a, b),
            Binary::Div => self.div(a, b),
            Binary::Min => Some(if self.order(a, b)?.is_lt() { a.clone() } else { b.clone() }),
            Binary::Max => Some(if self.order(a, b)?.is_lt() { b.clone() } else { a.clone() }),
            Binary::Hypot => {
                let sum = self.add(&self.mul(a, a)?, &self.mul(b, b)?, false)?;
                self.unary(Unary::Sqrt, &sum)
            }
            Binary::Atan2 => {
                let right = b.start == 0 && self.sign(b)?.is_gt();
                if right { self.unary(Unary::Atan, &self.div(a, b)?) } else { None }
            }
            Binary::Pow => {
                let constant = b.start == 0 && b.terms.iter().skip(1).all(Enclosure::is_zero);
                let e = &b.terms[0];
                if constant && e.is_thin() && e.lo.is_integer() {
                    let n = e.lo.to_i32_saturating()?;
                    if n.unsigned_abs() > 1000 {
                        return None;
                    }
                    let first = crate::function::pow(&a.terms[0], e, self.p);
                    return self.power(a, n, 1, first);
                }
                if self.sign(a)?.is_lt() || a.start != 0 {
                    return None;
                }
                self.unary(Unary::Exp, &self.mul(b, &self.unary(Unary::Log, a)?)?)
            }
        }
    }
}
