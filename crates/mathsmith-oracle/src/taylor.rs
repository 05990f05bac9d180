//! Taylor coefficients of an expression over a ball, in doubles.
//!
//! [`expand`] gives `f^(k)(x) h^k / k!` for `k = 0 ..= ORDER`, each as a ball that holds the coefficient for *every* `x` of
//! the given ball: the recurrences of automatic differentiation (Griewank and Walther, "Evaluating Derivatives",
//! chapter 13) are identities at each point, so in ball arithmetic they enclose what they compute at all points (Moore,
//! "Interval Analysis", chapter 11). Over a point they are the coefficients of a Taylor polynomial; over a box the
//! coefficient of order `d + 1` encloses Lagrange's remainder of the polynomial of degree `d`. Unlike
//! [`crate::series`], which expands at singular points with many digits, this is for stretches where the function is
//! analytic, and costs a few microseconds.
//!
//! Most functions obey `y' = u' g` with a `g` made of `y` and `u`. Those without such a relation have a Taylor series in
//! their argument that is composed with the argument's: lgamma's coefficients are Hurwitz zeta values (DLMF 5.15.1,
//! 25.11), those of the Bessel functions follow from their differential equation (DLMF 10.2.1).

use crate::ball::Ball;
use crate::dag::{Binary, Dag, Node};
use crate::function::{self, Unary};
use mathsmith_dsl::Cmp;
use std::cmp::Ordering;

/// Highest order of a coefficient.
pub(crate) const ORDER: usize = 13;
const LEN: usize = ORDER + 1;

/// Coefficients of orders `0 ..= ORDER`.
pub(crate) type Series = [Ball; LEN];

const NONE: Series = [Ball::ZERO; LEN];

/// Coefficients at every point of `x`, in units of `h^-k`; `constants` has the balls of the constant nodes. `None` where
/// the function may not be analytic on the ball, or the method has no rule for it.
pub(crate) fn expand(dag: &Dag, constants: &[Ball], x: Ball, h: f64) -> Option<Series> {
    let mut all: Vec<Option<Series>> = Vec::with_capacity(dag.nodes.len());
    for (i, node) in dag.nodes.iter().enumerate() {
        let get = |i: usize| all[i].as_ref();
        let s = match node {
            Node::Const(_) => Some(constant(constants[i])),
            Node::Var(_) => {
                let mut s = constant(x);
                s[1] = Ball::exact(h);
                Some(s)
            }
            Node::Unary(op, a) => get(*a).and_then(|a| of_unary(*op, a)),
            Node::Binary(op, a, b) => get(*a).zip(get(*b)).and_then(|(a, b)| of_binary(*op, a, b)),
            Node::If { cmp, lhs, rhs, then, otherwise } => get(*lhs).zip(get(*rhs)).and_then(|(l, r)| {
                let order = l[0].sub(r[0]).sign()?;
                let holds = match cmp {
                    Cmp::Lt => order.is_lt(),
                    Cmp::Le => order.is_le(),
                    Cmp::Gt => order.is_gt(),
                    Cmp::Ge => order.is_ge(),
                    Cmp::Eq => order.is_eq(),
                    Cmp::Ne => order.is_ne(),
                };
                get(if holds { *then } else { *otherwise }).copied()
            }),
        };
        all.push(s);
    }
    let s = all.swap_remove(dag.root)?;
    s.iter().all(|c| c.is_finite()).then_some(s)
}

/// Whether [`expand`] has a rule for the function.
pub(crate) fn has_rule(op: Unary) -> bool {
    op != Unary::AiryAi
}

fn constant(c: Ball) -> Series {
    let mut s = NONE;
    s[0] = c;
    s
}

fn each(f: impl FnMut(usize) -> Ball) -> Series {
    std::array::from_fn(f)
}

fn neg(a: &Series) -> Series {
    a.map(Ball::neg)
}

fn add(a: &Series, b: &Series) -> Series {
    each(|k| a[k].add(b[k]))
}

fn sub(a: &Series, b: &Series) -> Series {
    each(|k| a[k].sub(b[k]))
}

fn scale(a: &Series, c: Ball) -> Series {
    a.map(|t| t.mul(c))
}

fn product(a: &Series, b: &Series, k: usize) -> Ball {
    (0..=k).fold(Ball::ZERO, |sum, j| sum.add(a[j].mul(b[k - j])))
}

fn mul(a: &Series, b: &Series) -> Series {
    each(|k| product(a, b, k))
}

fn div(a: &Series, b: &Series) -> Option<Series> {
    b[0].sign().filter(|s| s.is_ne())?;
    let mut q = NONE;
    for k in 0..LEN {
        let known = (0..k).fold(Ball::ZERO, |sum, j| sum.add(q[j].mul(b[k - j])));
        q[k] = a[k].sub(known).div(b[0]);
    }
    Some(q)
}

/// Coefficients of `u'`, those of order `k - 1` at index `k`.
fn slope(u: &Series) -> Series {
    each(|k| u[k].times(k))
}

/// Coefficient `k` of a `y` with `y' = u' g`, from [`slope`] of `u` and the first `k` coefficients of `g`.
fn chain(slope: &Series, g: &Series, k: usize) -> Ball {
    (1..=k).fold(Ball::ZERO, |sum, j| sum.add(slope[j].mul(g[k - j]))).over(k)
}

/// The `y` with `y' = u' g` and the given constant term.
fn integral(u: &Series, g: &Series, first: Ball) -> Series {
    let w = slope(u);
    each(|k| if k == 0 { first } else { chain(&w, g, k) })
}

fn exp(u: &Series, first: Ball) -> Series {
    let (w, mut y) = (slope(u), constant(first));
    for k in 1..LEN {
        y[k] = chain(&w, &y, k);
    }
    y
}

/// `s' = c u'`, `c' = -s u'` (circular) or `c' = s u'`.
fn pair(u: &Series, s0: Ball, c0: Ball, circular: bool) -> (Series, Series) {
    let (w, mut s, mut c) = (slope(u), constant(s0), constant(c0));
    for k in 1..LEN {
        let (next_s, next_c) = (chain(&w, &c, k), chain(&w, &s, k));
        s[k] = next_s;
        c[k] = if circular { next_c.neg() } else { next_c };
    }
    (s, c)
}

/// `y' = u' (1 + y^2)` (tan) or `y' = u' (1 - y^2)` (tanh).
fn riccati(u: &Series, first: Ball, circular: bool) -> Series {
    let signed = |b: Ball| if circular { b } else { b.neg() };
    let (w, mut y, mut g) = (slope(u), constant(first), NONE);
    g[0] = Ball::exact(1.0).add(signed(first.mul(first)));
    for k in 1..LEN {
        y[k] = chain(&w, &g, k);
        g[k] = signed(product(&y, &y, k));
    }
    y
}

/// `u^q` with the given first coefficient, from `u y' = q u' y`.
fn power(u: &Series, q: Ball, first: Ball) -> Option<Series> {
    u[0].sign().filter(|s| s.is_ne())?;
    let mut y = constant(first);
    for k in 1..LEN {
        let sum = (1..=k).fold(Ball::ZERO, |sum, j| {
            let factor = q.times(j).sub(Ball::exact((k - j) as f64));
            sum.add(factor.mul(u[j]).mul(y[k - j]))
        });
        y[k] = sum.div(u[0].times(k));
    }
    Some(y)
}

/// `u^(-1/2)`.
fn inverse_root(u: &Series) -> Option<Series> {
    power(u, Ball::exact(-0.5), Ball::exact(1.0).div(u[0].apply(Unary::Sqrt)?))
}

fn of_unary(op: Unary, u: &Series) -> Option<Series> {
    use Unary as U;
    let one = constant(Ball::exact(1.0));
    let at = |op: U| u[0].apply(op);
    let ln = |n: f64| Ball::exact(n).apply(U::Log);
    let pi = || Ball::exact(1.0).apply(U::Atan).map(|b| b.times(4));
    let one_plus_square = || add(&one, &mul(u, u));
    let one_minus_square = || mul(&sub(&one, u), &add(&one, u));
    let exponential = |rate: Option<Ball>, whole: U| {
        let v = rate.map_or(*u, |r| scale(u, r));
        let mut y = exp(&v, at(whole)?);
        if whole != op {
            // exp(u) - 1 has the coefficients of exp(u) but the first.
            y[0] = at(op)?;
        }
        Some(y)
    };
    let logarithm = |base: Option<f64>, argument: &Series| {
        let mut g = div(&one, argument)?;
        if let Some(base) = base {
            let rate = Ball::exact(1.0).div(ln(base)?);
            g = scale(&g, rate);
        }
        Some(integral(u, &g, at(op)?))
    };
    Some(match op {
        U::Neg => neg(u),
        U::Abs => {
            if u[0].sign()?.is_lt() {
                neg(u)
            } else if u[0].sign()?.is_gt() {
                *u
            } else {
                return None;
            }
        }
        U::Sqrt => power(u, Ball::exact(0.5), at(op)?)?,
        U::Cbrt => power(u, Ball::exact(1.0).over(3), at(op)?)?,
        U::Exp => exponential(None, op)?,
        U::Exp2 => exponential(Some(ln(2.0)?), op)?,
        U::Exp10 => exponential(Some(ln(10.0)?), op)?,
        U::Expm1 => exponential(None, U::Exp)?,
        U::Exp2m1 => exponential(Some(ln(2.0)?), U::Exp2)?,
        U::Exp10m1 => exponential(Some(ln(10.0)?), U::Exp10)?,
        U::Log => logarithm(None, u)?,
        U::Log2 => logarithm(Some(2.0), u)?,
        U::Log10 => logarithm(Some(10.0), u)?,
        U::Log1p => logarithm(None, &add(&one, u))?,
        U::Log2p1 => logarithm(Some(2.0), &add(&one, u))?,
        U::Log10p1 => logarithm(Some(10.0), &add(&one, u))?,
        U::Sin => pair(u, at(U::Sin)?, at(U::Cos)?, true).0,
        U::Cos => pair(u, at(U::Sin)?, at(U::Cos)?, true).1,
        U::Sinpi => pair(&scale(u, pi()?), at(U::Sinpi)?, at(U::Cospi)?, true).0,
        U::Cospi => pair(&scale(u, pi()?), at(U::Sinpi)?, at(U::Cospi)?, true).1,
        U::Sinh => pair(u, at(U::Sinh)?, at(U::Cosh)?, false).0,
        U::Cosh => pair(u, at(U::Sinh)?, at(U::Cosh)?, false).1,
        U::Tan => riccati(u, at(op)?, true),
        U::Tanh => riccati(u, at(op)?, false),
        U::Atan => integral(u, &div(&one, &one_plus_square())?, at(op)?),
        U::Atanh => integral(u, &div(&one, &one_minus_square())?, at(op)?),
        U::Asin => integral(u, &inverse_root(&one_minus_square())?, at(op)?),
        U::Acos => integral(u, &neg(&inverse_root(&one_minus_square())?), at(op)?),
        U::Asinh => integral(u, &inverse_root(&one_plus_square())?, at(op)?),
        U::Acosh => integral(u, &inverse_root(&neg(&one_minus_square()))?, at(op)?),
        U::Erf | U::Erfc => {
            let v = neg(&mul(u, u));
            let c = Ball::exact(if op == U::Erf { 2.0 } else { -2.0 }).div(pi()?.apply(U::Sqrt)?);
            let density = scale(&exp(&v, v[0].apply(U::Exp)?), c);
            integral(u, &density, at(op)?)
        }
        U::Floor => constant(at(op)?),
        U::Lgamma => log_gamma(u, at(op)?)?,
        U::Gamma => {
            // gamma' = gamma lgamma' on either side of the sign.
            let l = log_gamma(u, Ball::ZERO)?;
            exp(&l, at(op)?)
        }
        U::Digamma => {
            let (unit, zeta) = zetas(u)?;
            let inverse = Ball::exact(1.0).div(Ball::exact(unit));
            let g = each(|k| {
                let c = if k == 0 { return Ball::ZERO } else { zeta[k + 1].mul(inverse) };
                if k % 2 == 0 { c.neg() } else { c }
            });
            compose(&g, at(op)?, u, unit)
        }
        U::J0 | U::J1 => bessel(u, at(U::J0)?, at(U::J1)?, op == U::J1)?,
        U::Y0 | U::Y1 => bessel(u, at(U::Y0)?, at(U::Y1)?, op == U::Y1)?,
        U::AiryAi => return None,
    })
}

/// A power of two by which the terms of `u` beyond the first are brought to size 1.
fn unit_of(u: &Series) -> Option<f64> {
    let top = u[1..].iter().map(|c| c.magnitude()).fold(0.0, f64::max);
    // The significand is cut off; zero and subnormals have no unit.
    let unit = f64::from_bits(top.to_bits() & 0x7ff0_0000_0000_0000);
    (unit > 0.0 && unit.is_finite() && (1.0 / unit).is_normal()).then_some(unit)
}

/// `g(u)` from the coefficients of `g` at `u[0]` in units of `unit`; the constant term is given apart.
fn compose(g: &Series, first: Ball, u: &Series, unit: f64) -> Series {
    let mut v = u.map(|c| c.mul(Ball::exact(1.0 / unit)));
    v[0] = Ball::ZERO;
    let mut y = constant(g[ORDER]);
    for k in (0..ORDER).rev() {
        y = mul(&y, &v);
        y[0] = y[0].add(g[k]);
    }
    y[0] = first;
    y
}

/// Numerator and denominator of the Bernoulli numbers of orders 2, 4, ..., 18.
const BERNOULLI: [(f64, f64); 9] = [
    (1.0, 6.0),
    (-1.0, 30.0),
    (1.0, 42.0),
    (-1.0, 30.0),
    (5.0, 66.0),
    (-691.0, 2730.0),
    (7.0, 6.0),
    (-3617.0, 510.0),
    (43867.0, 798.0),
];
/// Where the Euler-Maclaurin sum takes over, and how far from there an argument may lie.
const SHIFT_TO: f64 = 24.0;
const MOST_SHIFTS: usize = 200;

/// A unit (see [`unit_of`]) and the Hurwitz zeta values `unit^k zeta(k, u[0])` for `k >= 2`.
///
/// The recurrence `zeta(k, w) = w^-k + zeta(k, w + 1)` leads to `w >= 24`; there Euler and Maclaurin's formula (DLMF
/// 25.11.5) is cut off, its error being below the first term left out because the derivatives of `w^-k` of even order
/// have one sign.
fn zetas(u: &Series) -> Option<(f64, [Ball; LEN + 1])> {
    let unit = unit_of(u)?;
    let mut sums = [Ball::ZERO; LEN + 1];
    let mut w = u[0];
    let mut shifts = 0;
    let ratio = |w: Ball| Ball::exact(unit).div(w);
    while w.m - w.r < SHIFT_TO {
        shifts += 1;
        if shifts > MOST_SHIFTS || w.sign().is_none_or(Ordering::is_eq) {
            return None;
        }
        let q = ratio(w);
        let mut term = q;
        for sum in &mut sums[2..] {
            term = term.mul(q);
            *sum = sum.add(term);
        }
        w = w.add(Ball::exact(1.0));
    }
    if !w.is_finite() {
        return None;
    }
    let (q, inverse) = (ratio(w), Ball::exact(1.0).div(w));
    let inverse_square = inverse.mul(inverse);
    let mut head = q;
    for (k, sum) in sums.iter_mut().enumerate().skip(2) {
        head = head.mul(q);
        let mut tail = w.over(k - 1).add(Ball::exact(0.5));
        // (k)_(2i-1) w^(1-2i) / (2i)!.
        let mut factor = inverse.times(k).over(2);
        for (i, &(n, d)) in BERNOULLI.iter().enumerate() {
            let term = factor.mul(Ball::exact(n).div(Ball::exact(d)));
            if i + 1 == BERNOULLI.len() {
                tail.r = (tail.r + term.magnitude()) * (1.0 + 1e-15);
            } else {
                tail = tail.add(term);
            }
            let j = 2 * (i + 1);
            factor = factor.mul(inverse_square).times((k + j - 1) * (k + j)).over((j + 1) * (j + 2));
        }
        *sum = sum.add(head.mul(tail));
    }
    Some((unit, sums))
}

/// `log |gamma(u)|` with the given constant term: `lgamma^(k) / k! = (-1)^k zeta(k, u) / k` for `k >= 2`.
fn log_gamma(u: &Series, first: Ball) -> Option<Series> {
    let (unit, zeta) = zetas(u)?;
    let slope = u[0].apply(Unary::Digamma)?.mul(Ball::exact(unit));
    let g = each(|k| match k {
        0 => Ball::ZERO,
        1 => slope,
        _ if k % 2 == 0 => zeta[k].over(k),
        _ => zeta[k].over(k).neg(),
    });
    Some(compose(&g, first, u, unit))
}

/// A Bessel function of order 0 from its value and that of order 1, or the one of order 1: `z'' + z'/w + z = 0` and
/// `z1 = -z0'` (DLMF 10.6.3), for either kind.
fn bessel(u: &Series, zero: Ball, one: Ball, first_order: bool) -> Option<Series> {
    let unit = Ball::exact(unit_of(u)?);
    u[0].sign().filter(|s| s.is_ne())?;
    let square = unit.mul(unit);
    let mut g = [Ball::ZERO; LEN + 1];
    (g[0], g[1]) = (zero, one.mul(unit).neg());
    for k in 0..LEN - 1 {
        let older = if k == 0 { Ball::ZERO } else { g[k - 1] };
        let forcing = u[0].mul(g[k]).add(unit.mul(older)).mul(square);
        let sum = unit.mul(g[k + 1]).times((k + 1) * (k + 1)).add(forcing);
        g[k + 2] = sum.div(u[0].times((k + 1) * (k + 2))).neg();
    }
    Some(if first_order {
        compose(&each(|k| g[k + 1].times(k + 1).div(unit).neg()), one, u, unit.m)
    } else {
        compose(&each(|k| g[k]), zero, u, unit.m)
    })
}

/// Greatest integer power by repeated products, which do not mind a base that may be zero.
const PRODUCTS: i32 = 8;

fn of_binary(op: Binary, a: &Series, b: &Series) -> Option<Series> {
    let lower = |minus: &Series| minus[0].sub(a[0]).sign().filter(|s| s.is_ne()).map(Ordering::is_gt);
    Some(match op {
        Binary::Add => add(a, b),
        Binary::Sub => sub(a, b),
        Binary::Mul => mul(a, b),
        Binary::Div => div(a, b)?,
        Binary::Min => *(if lower(b)? { a } else { b }),
        Binary::Max => *(if lower(b)? { b } else { a }),
        Binary::Hypot => {
            let sum = add(&mul(a, a), &mul(b, b));
            power(&sum, Ball::exact(0.5), a[0].apply2(b[0], function::hypot)?)?
        }
        Binary::Atan2 => {
            // (b a' - a b') / (a^2 + b^2).
            let inverse = div(&constant(Ball::exact(1.0)), &add(&mul(a, a), &mul(b, b)))?;
            let first = a[0].apply2(b[0], function::atan2)?;
            let (p, q) = (integral(a, &mul(b, &inverse), first), integral(b, &mul(a, &inverse), Ball::ZERO));
            sub(&p, &q)
        }
        Binary::Pow => {
            let e = b[0];
            let fixed = b[1..].iter().all(|c| c.is_zero());
            if fixed && e.r == 0.0 && e.m == e.m.floor() && e.m >= 1.0 && e.m <= f64::from(PRODUCTS) {
                return Some((1..e.m as i32).fold(*a, |y, _| mul(&y, a)));
            }
            let first = a[0].apply2(e, function::pow)?;
            if fixed && (e.r == 0.0 || a[0].sign()?.is_gt()) {
                return power(a, e, first);
            }
            if !a[0].sign()?.is_gt() {
                return None;
            }
            exp(&mul(b, &of_unary(Unary::Log, a)?), first)
        }
    })
}
