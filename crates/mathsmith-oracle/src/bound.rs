//! Error bounds of single operations: the running error analysis of the fast path.
//!
//! For arguments known to within `d`, each rule bounds `|f(a + t) - f(a)|` for all `|t| <= d` in plain double operations
//! on `a`, `d` and the computed value. Every rule comes from an addition theorem or from a bound of the derivative over
//! the interval, stated beside it. The bounds themselves are computed with roundings of at most a few units of 2^-53
//! relative: the caller multiplies by [`INFLATE`], which covers more than 30 of them; sums of subnormals are exact.

use crate::function::Unary;

/// 1 + 2^-47.
pub(crate) const INFLATE: f64 = 1.0 + 7.105_427_357_601_002e-15;
const LN2_UP: f64 = 0.693_147_180_559_945_4;
const LN10_UP: f64 = 2.302_585_092_994_046_4;
/// Above 2/sqrt(pi), the slope of erf at 0.
const SLOPE_ERF: f64 = 1.129;
const NEVER: f64 = f64::INFINITY;

/// Upper bound of `expm1(t)` for `0 <= t <= 1`; the series beyond `t` is below `t^2`.
#[inline(always)]
fn expm1_up(t: f64) -> f64 {
    if t <= 1.0 { t * (1.0 + t) } else { NEVER }
}

/// Upper bound of `|f(a + t) - f(a)|` for `|t| <= d`, with `y` the correctly rounded `f(a)`, `a` and `d` finite.
#[inline(always)]
pub(crate) fn spread(op: Unary, a: f64, d: f64, y: f64) -> f64 {
    use Unary as U;
    let near = (a.abs() - d).max(0.0);
    match op {
        U::Neg | U::Abs | U::Sin | U::Cos => d,
        // sqrt(a) + sqrt(a + t) >= sqrt(a).
        U::Sqrt => {
            if d == 0.0 {
                0.0
            } else if a > d {
                d / y
            } else {
                NEVER
            }
        }
        // Derivative |y| / (3 |a|) at a, at most 2^(2/3) < 1.6 times that as near as |a|/2.
        U::Cbrt => {
            if d <= 0.5 * a.abs() {
                if d == 0.0 { 0.0 } else { y.abs() * (d / a.abs()) * 0.54 }
            } else {
                NEVER
            }
        }
        // f(a + t) - f(a) = f(a) expm1(t); f(a) may exceed a subnormal y by half a unit.
        U::Exp => (y + 5e-324) * expm1_up(d),
        U::Exp2 => (y + 5e-324) * expm1_up(d * LN2_UP),
        U::Exp10 => (y + 5e-324) * expm1_up(d * LN10_UP),
        U::Expm1 => (y + 1.0) * expm1_up(d),
        U::Exp2m1 => (y + 1.0) * expm1_up(d * LN2_UP),
        U::Exp10m1 => (y + 1.0) * expm1_up(d * LN10_UP),
        // log(1 + t/a) is at most d / (a - d).
        U::Log => log_spread(a, d, 1.0),
        U::Log2 => log_spread(a, d, 1.442_695_040_888_963_6),
        U::Log10 => log_spread(a, d, 0.434_294_481_903_251_9),
        U::Log1p => log_spread((1.0 + a) * (1.0 - 4.5e-16), d, 1.0),
        U::Log2p1 => log_spread((1.0 + a) * (1.0 - 4.5e-16), d, 1.442_695_040_888_963_6),
        U::Log10p1 => log_spread((1.0 + a) * (1.0 - 4.5e-16), d, 0.434_294_481_903_251_9),
        // tan(a + t) - tan(a) = (1 + y^2) tan t / (1 - y tan t).
        U::Tan => {
            let t = d * (1.0 + d * d);
            if d <= 0.5 && y.abs() * t <= 0.5 { (1.0 + y * y) * t / (1.0 - y.abs() * t) } else { NEVER }
        }
        U::Sinpi | U::Cospi => 3.141_592_653_589_794 * d,
        // 1/sqrt(1 - m^2) with m the farthest point.
        U::Asin | U::Acos => {
            let m = a.abs() + d;
            if d == 0.0 {
                0.0
            } else if m < 1.0 - 1e-9 {
                d / ((1.0 - m) * (1.0 + m)).sqrt() * (1.0 + 1e-6)
            } else {
                NEVER
            }
        }
        U::Atan => d / (1.0 + near * near),
        // |cosh a sinh t| + |sinh a (cosh t - 1)| <= cosh(a) expm1(t), cosh a <= |sinh a| + 1.
        U::Sinh => (y.abs() + 1.0) * expm1_up(d),
        U::Cosh => y * expm1_up(d),
        // 1 - tanh^2 falls by at most exp(2 t) within t; beyond 20 the function is within 1e-17 of its limit.
        U::Tanh => {
            if near >= 20.0 {
                1e-17
            } else if d <= 0.25 {
                (d * ((1.0 - y.abs()) + 1.2e-16) * 2.0 * (1.0 + 4.0 * d)).min(d)
            } else {
                d
            }
        }
        U::Asinh => d / (1.0 + near * near).sqrt(),
        U::Acosh => {
            let n = a - d;
            if d == 0.0 {
                0.0
            } else if n > 1.0 + 1e-9 {
                d / ((n - 1.0) * (n + 1.0)).sqrt() * (1.0 + 1e-6)
            } else {
                NEVER
            }
        }
        U::Atanh => {
            let m = a.abs() + d;
            if d == 0.0 {
                0.0
            } else if m < 1.0 - 1e-9 {
                d / ((1.0 - m) * (1.0 + m)) * (1.0 + 1e-6)
            } else {
                NEVER
            }
        }
        // 2/sqrt(pi) at most; beyond 6 the function is within 2.2e-17 of its limit.
        U::Erf => {
            if near >= 6.0 {
                2.2e-17
            } else {
                SLOPE_ERF * d
            }
        }
        // erfc(a) >= 2 exp(-a^2) / (sqrt(pi) (a + sqrt(a^2 + 2))), so exp(-a^2) <= sqrt(pi) (a + sqrt(1/2)) erfc(a); d less
        // multiplies it by exp(2 a d) <= 1 + 4 a d. A subnormal y may be half a unit too small, and so may each product.
        // Below -6 the function is within 2.2e-17 of its limit.
        U::Erfc => {
            if a > 0.0 && 2.0 * a * d <= 1.0 {
                let slope = 2.000_001 * (a + 0.7072) * (y + 5e-324) * (1.0 + 4.0 * a * d);
                (slope * d + 2e-323).min(SLOPE_ERF * d)
            } else if a + d <= -6.0 {
                2.2e-17
            } else {
                SLOPE_ERF * d
            }
        }
        // |digamma(t)| <= max(0.58, log t) for t >= 1.
        U::Gamma => {
            if d == 0.0 {
                0.0
            } else if a - d >= 1.0 {
                y * expm1_up(d * digamma_up(a + d))
            } else {
                NEVER
            }
        }
        U::Lgamma => {
            if d == 0.0 {
                0.0
            } else if a - d >= 1.0 {
                d * digamma_up(a + d)
            } else {
                NEVER
            }
        }
        U::Floor => {
            if (a - d * INFLATE).next_down().floor() == y && (a + d * INFLATE).next_up().floor() == y || d == 0.0 {
                0.0
            } else {
                NEVER
            }
        }
        U::Digamma | U::J0 | U::J1 | U::Y0 | U::Y1 | U::AiryAi => NEVER,
    }
}

#[inline(always)]
fn log_spread(a: f64, d: f64, scale: f64) -> f64 {
    if d == 0.0 {
        0.0
    } else if a > 2.0 * d {
        scale * d / (a - d)
    } else {
        NEVER
    }
}

/// Upper bound of `max(0.58, log t)` from the exponent: `t < 2^(e+1)`.
#[inline(always)]
fn digamma_up(t: f64) -> f64 {
    let e = (t.to_bits() >> 52) as f64 - 1022.0;
    (e * LN2_UP * INFLATE).max(0.58)
}
