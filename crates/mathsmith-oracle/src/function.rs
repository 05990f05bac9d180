//! Interval extensions of the elementary and special functions.
//!
//! A thin argument is one correctly rounded MPFR call. On a wide argument `[a, b]` with midpoint `m` and radius `r`:
//!
//! * **monotone functions** (exp, log and their relatives, roots, inverse trigonometric, hyperbolic but cosh, erf, erfc,
//!   and digamma between its poles): directed rounding at both ends, after clipping to where the function exists.
//! * **sin, cos, sinpi, cospi**: `f(m) ± L r` with the Lipschitz constant `L` = 1 or 3.1417, cut to [-1, 1]; where
//!   `|f'(m)| > L r` the derivative (itself `L`-Lipschitz after scaling) keeps its sign, so the ends bound.
//! * **tan**: monotone where the enclosure of cos excludes 0; otherwise a pole may be inside.
//! * **cosh**: even and monotone on each side of 0.
//! * **lgamma**: `log|gamma|` is convex between its poles (its second derivative, trigamma, is positive), so it lies below
//!   the greater end and above each tangent: `g(m) - |psi(m)| r`. **gamma**: `|gamma|` is the exponential of a convex
//!   function, so convex too, with the tangent `|gamma(m)| (1 - |psi(m)| r)`; its sign is fixed between poles.
//! * **j0, j1**: `J0' = -J1`, `|J1| < 0.6`; `J1' = (J0 - J2)/2`, below 0.75 in magnitude.
//! * **y0, y1** on x > 0: `|Y0'| = |Y1| <= M1(a)` and `|Y1'| = |Y0 - Y1/x| <= M0(a) + M1(a)/a`, where
//!   `M_n = sqrt(J_n^2 + Y_n^2)` decreases on x > 0 (Nicholson's integral, DLMF 10.9.30).
//! * **Ai**: decreasing on x >= -1.01; further left `|Ai'(x)| <= 0.54 sqrt(max(1, -x))`: with `E(t) = y'^2 + t y^2` for
//!   `y(t) = Ai(-t)`, `E' = y^2 <= E/t`, so `E(t) <= E(1) t` and `E(1) < 0.29`.
//! * **floor**: both ends; a jump where they differ.
//!
//! At -inf `lgamma` is +inf, the convention of C and MPFR, although no limit exists there.

use crate::airy;
use crate::enclosure::{Enclosure, Status, bracket};
use rug::Float;
use rug::float::{Round, Special};
use rug::ops::AssignRound;
use std::cmp::Ordering;

/// A function of one argument. Beyond [`mathsmith_dsl::Func`] there are the forms without cancellation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names are the definitions")]
pub(crate) enum Unary {
    Neg,
    Abs,
    Sqrt,
    Cbrt,
    Exp,
    Exp2,
    Exp10,
    Expm1,
    Exp2m1,
    Exp10m1,
    Log,
    Log2,
    Log10,
    Log1p,
    Log2p1,
    Log10p1,
    Sin,
    Cos,
    Tan,
    Sinpi,
    Cospi,
    Asin,
    Acos,
    Atan,
    Sinh,
    Cosh,
    Tanh,
    Asinh,
    Acosh,
    Atanh,
    Erf,
    Erfc,
    Gamma,
    Lgamma,
    Digamma,
    J0,
    J1,
    Y0,
    Y1,
    AiryAi,
    Floor,
}

use Unary as U;

/// The function at one number, rounded to `p` bits as asked for, with MPFR's verdict on exactness.
pub(crate) fn at(op: Unary, x: &Float, p: u32, round: Round) -> (Float, Ordering) {
    match op {
        U::Neg => Float::with_val_round(p, -x, round),
        U::Abs => Float::with_val_round(p, x.abs_ref(), round),
        U::Sqrt => Float::with_val_round(p, x.sqrt_ref(), round),
        U::Cbrt => Float::with_val_round(p, x.cbrt_ref(), round),
        U::Exp => Float::with_val_round(p, x.exp_ref(), round),
        U::Exp2 => Float::with_val_round(p, x.exp2_ref(), round),
        U::Exp10 => Float::with_val_round(p, x.exp10_ref(), round),
        U::Expm1 => Float::with_val_round(p, x.exp_m1_ref(), round),
        U::Exp2m1 => Float::with_val_round(p, x.exp2_m1_ref(), round),
        U::Exp10m1 => Float::with_val_round(p, x.exp10_m1_ref(), round),
        U::Log => Float::with_val_round(p, x.ln_ref(), round),
        U::Log2 => Float::with_val_round(p, x.log2_ref(), round),
        U::Log10 => Float::with_val_round(p, x.log10_ref(), round),
        U::Log1p => Float::with_val_round(p, x.ln_1p_ref(), round),
        U::Log2p1 => Float::with_val_round(p, x.log2_1p_ref(), round),
        U::Log10p1 => Float::with_val_round(p, x.log10_1p_ref(), round),
        U::Sin => Float::with_val_round(p, x.sin_ref(), round),
        U::Cos => Float::with_val_round(p, x.cos_ref(), round),
        U::Tan => Float::with_val_round(p, x.tan_ref(), round),
        U::Sinpi => Float::with_val_round(p, x.sin_pi_ref(), round),
        U::Cospi => Float::with_val_round(p, x.cos_pi_ref(), round),
        U::Asin => Float::with_val_round(p, x.asin_ref(), round),
        U::Acos => Float::with_val_round(p, x.acos_ref(), round),
        U::Atan => Float::with_val_round(p, x.atan_ref(), round),
        U::Sinh => Float::with_val_round(p, x.sinh_ref(), round),
        U::Cosh => Float::with_val_round(p, x.cosh_ref(), round),
        U::Tanh => Float::with_val_round(p, x.tanh_ref(), round),
        U::Asinh => Float::with_val_round(p, x.asinh_ref(), round),
        U::Acosh => Float::with_val_round(p, x.acosh_ref(), round),
        U::Atanh => Float::with_val_round(p, x.atanh_ref(), round),
        U::Erf => Float::with_val_round(p, x.erf_ref(), round),
        U::Erfc => Float::with_val_round(p, x.erfc_ref(), round),
        U::Gamma => Float::with_val_round(p, x.gamma_ref(), round),
        U::Lgamma => {
            let mut pair = (Float::new(p), Ordering::Equal);
            let ord = (&mut pair.0, &mut pair.1).assign_round(x.ln_abs_gamma_ref(), round);
            (pair.0, ord)
        }
        U::Digamma => Float::with_val_round(p, x.digamma_ref(), round),
        U::J0 => Float::with_val_round(p, x.j0_ref(), round),
        U::J1 => Float::with_val_round(p, x.j1_ref(), round),
        U::Y0 => Float::with_val_round(p, x.y0_ref(), round),
        U::Y1 => Float::with_val_round(p, x.y1_ref(), round),
        U::AiryAi => Float::with_val_round(p, x.ai_ref(), round),
        U::Floor => {
            let mut y = Float::with_val(x.prec(), x);
            y.floor_mut();
            let ord = Ordering::Equal;
            (y, ord)
        }
    }
}

/// Enclosure of the function at one number.
fn thin(op: Unary, x: &Float, p: u32) -> Enclosure {
    if op == U::AiryAi
        && let Some(y) = airy::asymptotic(x, p)
    {
        return y;
    }
    let down = at(op, x, p, Round::Down);
    if down.0.is_nan() {
        // Towards minus infinity the poles of gamma never end, so that no limit can exist.
        let gamma = matches!(op, U::Gamma | U::Digamma);
        let limit = if gamma { x.is_integer() } else { x.is_infinite() };
        return Enclosure::undefined(limit);
    }
    if down.0.is_infinite() && x.is_finite() && down.1 == Ordering::Equal {
        if matches!(op, U::Gamma | U::Digamma) {
            // The sign depends on the side, which a computed zero does not know.
            return Enclosure::undefined(true);
        }
        let mut y = Enclosure::point(down.0);
        y.edge = true;
        return y;
    }
    bracket(down)
}

/// Where a function of one argument has values: the ends and whether they are poles.
fn domain(op: Unary) -> (Option<i32>, Option<i32>, bool) {
    match op {
        U::Sqrt => (Some(0), None, false),
        U::Log | U::Log2 | U::Log10 | U::Y0 | U::Y1 => (Some(0), None, true),
        U::Log1p | U::Log2p1 | U::Log10p1 => (Some(-1), None, true),
        U::Asin | U::Acos => (Some(-1), Some(1), false),
        U::Acosh => (Some(1), None, false),
        U::Atanh => (Some(-1), Some(1), true),
        _ => (None, None, false),
    }
}

/// Enclosure of the function on a box. With `last`, an argument that may equal a point of discontinuity is taken to.
pub(crate) fn unary(op: Unary, a: &Enclosure, p: u32, last: bool) -> Enclosure {
    if a.status == Status::Undefined {
        return a.clone();
    }
    match op {
        U::Neg => return a.neg(),
        U::Abs => return a.abs(),
        _ => {}
    }
    if a.is_thin() {
        return thin(op, &a.lo, p).inherit(a);
    }
    let (from, to, pole) = domain(op);
    let below = |x: &Float, end: Option<i32>| end.is_some_and(|e| *x < e);
    let above = |x: &Float, end: Option<i32>| end.is_some_and(|e| *x > e);
    if below(&a.hi, from) || above(&a.lo, to) {
        return Enclosure::undefined(false).inherit(a);
    }
    if below(&a.lo, from) || above(&a.hi, to) {
        let clip = |x: &Float| match (below(x, from), above(x, to)) {
            (true, _) => Float::with_val(32, from.unwrap_or(0)),
            (_, true) => Float::with_val(32, to.unwrap_or(0)),
            _ => x.clone(),
        };
        let inner = Enclosure::new(clip(&a.lo), clip(&a.hi));
        let mut r = if inner.is_thin() { thin(op, &inner.lo, p) } else { wide(op, &inner, p, last) };
        if r.status == Status::Defined {
            r.status = Status::Partial;
        }
        r.edge |= pole;
        return r.inherit(a);
    }
    let mut r = wide(op, a, p, last);
    let touches = |x: &Float| from.is_some_and(|e| *x == e) || to.is_some_and(|e| *x == e);
    if pole && (touches(&a.lo) || touches(&a.hi)) {
        r.edge = true;
    }
    r.inherit(a)
}

fn ends(op: Unary, lo: &Float, hi: &Float, p: u32) -> Enclosure {
    let (lo, hi) = (at(op, lo, p, Round::Down).0, at(op, hi, p, Round::Up).0);
    if lo.is_nan() || hi.is_nan() {
        return Enclosure::anything(p);
    }
    Enclosure::new(lo, hi)
}

/// `f(m) ± lipschitz * r`.
fn lipschitz(op: Unary, a: &Enclosure, bound: &Float, p: u32) -> Enclosure {
    let m = a.mid(p);
    let mut r = a.radius(&m, p);
    if !r.is_finite() {
        return Enclosure::anything(p);
    }
    r = Float::with_val_round(p, &r * bound, Round::Up).0;
    let y = thin(op, &m, p);
    let minus = Float::with_val(p, -&r);
    y.add(&Enclosure::new(minus, r), p)
}

fn wide(op: Unary, a: &Enclosure, p: u32, last: bool) -> Enclosure {
    match op {
        U::Acos | U::Erfc => ends(op, &a.hi, &a.lo, p),
        U::Sin | U::Cos | U::Sinpi | U::Cospi => circular(op, a, p),
        U::Tan => {
            if circular(U::Cos, a, p).has_zero() {
                Enclosure::anything(p)
            } else {
                ends(op, &a.lo, &a.hi, p)
            }
        }
        U::Cosh => {
            let b = a.abs();
            ends(op, &b.lo, &b.hi, p)
        }
        U::Gamma | U::Lgamma | U::Digamma => gamma_family(op, a, p),
        U::J0 => cut(lipschitz(op, a, &Float::with_val(p, 0.6), p), 1.0, p),
        U::J1 => cut(lipschitz(op, a, &Float::with_val(p, 0.75), p), 0.6, p),
        U::Y0 | U::Y1 => bessel_y(op, a, p),
        U::AiryAi => airy_wide(a, p),
        U::Floor => {
            let (lo, hi) = (a.lo.clone().floor(), a.hi.clone().floor());
            if lo == hi {
                return Enclosure::new(lo, hi);
            }
            if last && Float::with_val(p, &hi - &lo) == 1 {
                return Enclosure::point(hi);
            }
            let mut r = Enclosure::new(lo, hi);
            r.jump = true;
            r
        }
        _ => ends(op, &a.lo, &a.hi, p),
    }
}

/// The part of an enclosure within `[-limit, limit]`, a bound on the whole function.
fn cut(mut y: Enclosure, limit: f64, p: u32) -> Enclosure {
    if y.lo < -limit {
        y.lo = Float::with_val(p.max(53), -limit);
    }
    if y.hi > limit {
        y.hi = Float::with_val(p.max(53), limit);
    }
    y.status = Status::Defined;
    y.edge = false;
    y
}

fn circular(op: Unary, a: &Enclosure, p: u32) -> Enclosure {
    let (derivative, slope, flip) = match op {
        U::Sin => (U::Cos, 1.0, false),
        U::Cos => (U::Sin, 1.0, true),
        U::Sinpi => (U::Cospi, 3.1417, false),
        _ => (U::Sinpi, 3.1417, true),
    };
    let m = a.mid(p);
    let r = a.radius(&m, p);
    if !r.is_finite() || r > 2 {
        return Enclosure::new(Float::with_val(2, -1), Float::with_val(2, 1));
    }
    let reach = Float::with_val_round(p, &r * slope, Round::Up).0;
    let d = at(derivative, &m, p, Round::Zero).0;
    if d.cmp_abs(&reach) == Some(Ordering::Greater) {
        let rising = d.is_sign_positive() != flip;
        return if rising { ends(op, &a.lo, &a.hi, p) } else { ends(op, &a.hi, &a.lo, p) };
    }
    cut(lipschitz(op, a, &Float::with_val(p.max(53), slope), p), 1.0, p)
}

/// Whether a pole of gamma (0, -1, -2, ...) lies in the box.
fn gamma_pole(a: &Enclosure) -> bool {
    if a.lo > 0 {
        return false;
    }
    let top = if a.hi > 0 { Float::new(32) } else { a.hi.clone().floor() };
    top >= a.lo
}

fn gamma_family(op: Unary, a: &Enclosure, p: u32) -> Enclosure {
    if gamma_pole(a) || a.lo.is_infinite() {
        return Enclosure::anything(p);
    }
    if op == U::Digamma {
        return ends(op, &a.lo, &a.hi, p);
    }
    let magnitude = |x: &Float, round: Round| {
        let inward = if op == U::Gamma && at(U::Gamma, x, 2, Round::Nearest).0.is_sign_negative() {
            if round == Round::Up { Round::Down } else { Round::Up }
        } else {
            round
        };
        let y = at(op, x, p, inward).0;
        if op == U::Gamma { y.abs() } else { y }
    };
    let (top_a, top_b) = (magnitude(&a.lo, Round::Up), magnitude(&a.hi, Round::Up));
    let hi = if top_a > top_b { top_a } else { top_b };
    let lo = if at(U::Digamma, &a.lo, p, Round::Down).0 >= 0 {
        magnitude(&a.lo, Round::Down)
    } else if at(U::Digamma, &a.hi, p, Round::Up).0 <= 0 {
        magnitude(&a.hi, Round::Down)
    } else if a.hi.is_infinite() {
        // gamma >= 0.8856 and log gamma >= -0.1215 on the positive axis.
        Float::with_val(p.max(53), if op == U::Gamma { 0.8856 } else { -0.1215 })
    } else {
        let m = a.mid(p);
        let slope = at(U::Digamma, &m, p, Round::Up).0.abs();
        let mut slope = Float::with_val(p, slope);
        slope.next_up();
        let drop = Float::with_val_round(p, &slope * a.radius(&m, p), Round::Up).0;
        let g = magnitude(&m, Round::Down);
        if op == U::Lgamma {
            Float::with_val_round(p, &g - &drop, Round::Down).0
        } else {
            let rest = Float::with_val_round(p, 1 - &drop, Round::Down).0;
            if rest.is_sign_negative() { Float::new(p) } else { Float::with_val_round(p, &g * &rest, Round::Down).0 }
        }
    };
    let r = Enclosure::new(lo, hi);
    if op == U::Gamma && at(U::Gamma, &a.lo, 2, Round::Nearest).0.is_sign_negative() { r.neg() } else { r }
}

fn bessel_y(op: Unary, a: &Enclosure, p: u32) -> Enclosure {
    if a.lo.is_zero() {
        let mut r = if a.hi < 0.5 {
            // Y0 and Y1 increase up to their first zeros (0.89 and 2.19).
            Enclosure::new(Float::with_val(p, Special::NegInfinity), at(op, &a.hi, p, Round::Up).0)
        } else {
            Enclosure::new(Float::with_val(p, Special::NegInfinity), Float::with_val(53, 0.6))
        };
        r.edge = true;
        return r;
    }
    let modulus = |j: Unary, y: Unary| {
        let (j, y) = (at(j, &a.lo, p, Round::AwayZero).0, at(y, &a.lo, p, Round::AwayZero).0);
        Float::with_val_round(p, j.hypot_ref(&y), Round::Up).0
    };
    let m1 = modulus(U::J1, U::Y1);
    let bound = if op == U::Y0 {
        m1
    } else {
        let m0 = modulus(U::J0, U::Y0);
        let ratio = Float::with_val_round(p, &m1 / &a.lo, Round::Up).0;
        Float::with_val_round(p, &m0 + &ratio, Round::Up).0
    };
    let y = lipschitz(op, a, &bound, p);
    // Both functions stay below 0.6 on the whole positive axis (maxima 0.521 and 0.417).
    let ceiling = Float::with_val(53, 0.6);
    if y.hi > ceiling || y.status != Status::Defined {
        let lo = if y.lo.is_finite() {
            y.lo
        } else {
            Float::with_val(p, -&modulus(U::J1, U::Y1)).min(&Float::with_val(2, -1))
        };
        return Enclosure::new(lo, ceiling);
    }
    y
}

fn airy_wide(a: &Enclosure, p: u32) -> Enclosure {
    if a.lo >= -1.01 {
        return Enclosure::new(thin(U::AiryAi, &a.hi, p).lo, thin(U::AiryAi, &a.lo, p).hi);
    }
    if a.lo.is_infinite() {
        return Enclosure::new(Float::with_val(53, -0.42), Float::with_val(53, 0.54));
    }
    let far = Float::with_val_round(p, -&a.lo, Round::Up).0;
    let root = far.sqrt_ref();
    let mut slope = Float::with_val_round(p, root, Round::Up).0;
    slope = Float::with_val_round(p, &slope * 0.54, Round::Up).0;
    let mut y = lipschitz(U::AiryAi, a, &slope, p);
    // The greatest and least values of Ai are 0.5357 (at -1.019) and -0.4190 (at -3.248).
    if y.lo < -0.42 {
        y.lo = Float::with_val(53, -0.42);
    }
    if y.hi > 0.54 {
        y.hi = Float::with_val(53, 0.54);
    }
    y
}

/// Enclosure of `a ^ b`; a negative base needs an exponent that is an integer for certain.
pub(crate) fn pow(a: &Enclosure, b: &Enclosure, p: u32) -> Enclosure {
    if a.status == Status::Undefined || b.status == Status::Undefined {
        return a.mul(b, p);
    }
    let raise = |x: &Float, y: &Float, round| Float::with_val_round(p, rug::ops::Pow::pow(x, y), round).0;
    if a.is_thin() && b.is_thin() {
        let down = Float::with_val_round(p, rug::ops::Pow::pow(&a.lo, &b.lo), Round::Down);
        let endless = a.lo.is_infinite() && b.lo.is_zero() || (a.lo == 1 || a.lo == -1) && b.lo.is_infinite();
        let r = if down.0.is_nan() {
            Enclosure::undefined(false)
        } else if endless || (a.lo.is_zero() && b.lo < 0) {
            Enclosure::undefined(true)
        } else {
            bracket(down)
        };
        return r.inherit(a).inherit(b);
    }
    if a.lo > 0 {
        return a.corners(b, p, raise).inherit(a).inherit(b);
    }
    if b.is_thin() && b.lo.is_integer() {
        let even = Float::with_val(b.lo.prec(), &b.lo / 2).is_integer();
        let r = if b.lo < 0 && a.has_zero() {
            Enclosure::anything(p)
        } else if even {
            let m = a.abs();
            let (x, y) = if b.lo < 0 { (&m.hi, &m.lo) } else { (&m.lo, &m.hi) };
            Enclosure::new(raise(x, &b.lo, Round::Down), raise(y, &b.lo, Round::Up))
        } else {
            let (x, y) = if b.lo < 0 { (&a.hi, &a.lo) } else { (&a.lo, &a.hi) };
            Enclosure::new(raise(x, &b.lo, Round::Down), raise(y, &b.lo, Round::Up))
        };
        return r.inherit(a).inherit(b);
    }
    let integer_inside = b.hi.clone().floor() >= b.lo;
    if a.hi < 0 && !integer_inside {
        return Enclosure::undefined(false).inherit(a).inherit(b);
    }
    // The base may be zero or negative: where it is not, the value is not negative.
    let non_negative = !integer_inside || a.lo.is_zero();
    if b.lo > 0 && a.hi >= 0 && non_negative {
        let base = Enclosure::new(Float::new(p), a.hi.clone());
        let mut r = base.corners(b, p, raise);
        if a.lo < 0 {
            r.status = Status::Partial;
        }
        return r.inherit(a).inherit(b);
    }
    Enclosure::anything(p).inherit(a).inherit(b)
}

/// Enclosure of `atan2(y, x)`.
pub(crate) fn atan2(y: &Enclosure, x: &Enclosure, p: u32) -> Enclosure {
    if x.status == Status::Undefined || y.status == Status::Undefined {
        return y.add(x, p);
    }
    if y.is_thin() && x.is_thin() {
        return bracket(Float::with_val_round(p, y.lo.atan2_ref(&x.lo), Round::Down)).inherit(y).inherit(x);
    }
    if y.has_zero() && x.lo <= 0 {
        // The box meets the branch cut or the origin.
        let hi = Float::with_val_round(p, rug::float::Constant::Pi, Round::Up).0;
        let mut r = Enclosure::new(Float::with_val(p, -&hi), hi);
        r.jump = true;
        return r.inherit(y).inherit(x);
    }
    y.corners(x, p, |y, x, round| Float::with_val_round(p, y.atan2_ref(x), round).0).inherit(y).inherit(x)
}

/// Enclosure of `sqrt(a^2 + b^2)`.
pub(crate) fn hypot(a: &Enclosure, b: &Enclosure, p: u32) -> Enclosure {
    if a.status == Status::Undefined || b.status == Status::Undefined {
        return a.add(b, p);
    }
    let (u, v) = (a.abs(), b.abs());
    Enclosure::new(
        Float::with_val_round(p, u.lo.hypot_ref(&v.lo), Round::Down).0,
        Float::with_val_round(p, u.hi.hypot_ref(&v.hi), Round::Up).0,
    )
    .inherit(a)
    .inherit(b)
}
