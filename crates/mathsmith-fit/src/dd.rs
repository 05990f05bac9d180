//! Double-double arithmetic: an unevaluated sum of two doubles, about 106 bits.
//!
//! Fitting works in doubles until the error of a form nears 1e-15; beyond that the *residual* is what loses its digits.
//! Carrying parameters and residuals as double-doubles, with the Jacobian still in doubles, restores them at the price
//! of a few Newton steps. The algorithms are the ones analysed by Joldes, Muller and Popescu, "Tight and rigorous error
//! bounds for basic building blocks of double-word arithmetic" (ACM TOMS 44, 2017): accurate sum, product and quotient
//! with relative errors of a few 2^-106. Signed zeros and infinities follow the leading term only.

use mathsmith_ir::{Number, RealLit};
use std::ops::{Add, Div, Mul, Neg, Sub};

/// A double-double: `hi + lo` with `hi` the double nearest to the sum.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Dd {
    /// Leading term.
    pub hi: f64,
    /// What the leading term leaves.
    pub lo: f64,
}

/// `a + b` as the rounded sum and its exact error (Knuth).
#[inline(always)]
pub(crate) fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let s = a + b;
    let bb = s - a;
    (s, (a - (s - bb)) + (b - bb))
}

/// [`two_sum`] where `|a| >= |b|` or `a` is zero (Dekker).
#[inline(always)]
fn fast_two_sum(a: f64, b: f64) -> (f64, f64) {
    let s = a + b;
    (s, b - (s - a))
}

/// `a * b` as the rounded product and its exact error.
#[inline(always)]
fn two_prod(a: f64, b: f64) -> (f64, f64) {
    let p = a * b;
    (p, a.mul_add(b, -p))
}

impl Dd {
    /// Zero.
    pub const ZERO: Dd = Dd { hi: 0.0, lo: 0.0 };
    /// One.
    pub const ONE: Dd = Dd { hi: 1.0, lo: 0.0 };

    /// The double-double nearest to `hi + lo`, for any two doubles.
    #[inline(always)]
    pub fn new(hi: f64, lo: f64) -> Dd {
        let (hi, lo) = two_sum(hi, lo);
        Dd { hi, lo }
    }

    /// Nearest double.
    #[inline(always)]
    pub fn to_f64(self) -> f64 {
        self.hi
    }

    /// Neither term is infinite or NaN.
    pub fn is_finite(self) -> bool {
        self.hi.is_finite() && self.lo.is_finite()
    }

    /// Absolute value.
    #[inline(always)]
    pub fn abs(self) -> Dd {
        if self.hi < 0.0 || (self.hi == 0.0 && self.lo < 0.0) { -self } else { self }
    }

    /// Square root (one Newton step from the double's); NaN for negative numbers.
    #[inline(always)]
    pub fn sqrt(self) -> Dd {
        let s = self.hi.sqrt();
        if s == 0.0 || !s.is_finite() {
            return Dd { hi: s, lo: 0.0 };
        }
        let rest = s.mul_add(-s, self.hi) + self.lo;
        let (hi, lo) = fast_two_sum(s, rest / (2.0 * s));
        Dd { hi, lo }
    }

    /// Applies an integral rounding of doubles (`floor`, `ceil`, `trunc`) term by term.
    #[inline(always)]
    fn integral(self, round: fn(f64) -> f64) -> Dd {
        let r = round(self.hi);
        if r == self.hi { Dd::new(r, round(self.lo)) } else { Dd { hi: r, lo: 0.0 } }
    }

    /// Largest integer not above.
    #[inline(always)]
    pub fn floor(self) -> Dd {
        self.integral(f64::floor)
    }

    /// Smallest integer not below.
    #[inline(always)]
    pub fn ceil(self) -> Dd {
        self.integral(f64::ceil)
    }

    /// Integral part towards zero.
    #[inline(always)]
    pub fn trunc(self) -> Dd {
        if self.hi < 0.0 { self.ceil() } else { self.floor() }
    }

    /// Nearest integer, ties to even.
    #[inline(always)]
    pub fn round_ties_even(self) -> Dd {
        let low = self.floor();
        let part = self - low;
        let half = Dd::from(0.5);
        let odd = {
            let halved = low * half;
            halved.floor() != halved
        };
        if half.lt(part) || (part == half && odd) { low + Dd::ONE } else { low }
    }

    /// `self < b`; false with a NaN.
    #[inline(always)]
    pub fn lt(self, b: Dd) -> bool {
        self.hi < b.hi || (self.hi == b.hi && self.lo < b.lo)
    }

    /// `self * b + c`.
    #[inline(always)]
    pub fn mul_add(self, b: Dd, c: Dd) -> Dd {
        self * b + c
    }
}

impl From<f64> for Dd {
    #[inline(always)]
    fn from(x: f64) -> Dd {
        Dd { hi: x, lo: 0.0 }
    }
}

impl Neg for Dd {
    type Output = Dd;
    #[inline(always)]
    fn neg(self) -> Dd {
        Dd { hi: -self.hi, lo: -self.lo }
    }
}

impl Add for Dd {
    type Output = Dd;
    #[inline(always)]
    fn add(self, b: Dd) -> Dd {
        let (sh, sl) = two_sum(self.hi, b.hi);
        let (th, tl) = two_sum(self.lo, b.lo);
        let (vh, vl) = fast_two_sum(sh, sl + th);
        let (hi, lo) = fast_two_sum(vh, tl + vl);
        Dd { hi, lo }
    }
}

impl Sub for Dd {
    type Output = Dd;
    #[inline(always)]
    fn sub(self, b: Dd) -> Dd {
        self + -b
    }
}

impl Mul for Dd {
    type Output = Dd;
    #[inline(always)]
    fn mul(self, b: Dd) -> Dd {
        let (ch, cl) = two_prod(self.hi, b.hi);
        let low = self.lo.mul_add(b.hi, self.hi.mul_add(b.lo, self.lo * b.lo));
        let (hi, lo) = fast_two_sum(ch, cl + low);
        Dd { hi, lo }
    }
}

impl Div for Dd {
    type Output = Dd;
    #[inline(always)]
    fn div(self, b: Dd) -> Dd {
        let q = self.hi / b.hi;
        let rest = self - b * Dd::from(q);
        let (hi, lo) = fast_two_sum(q, rest.hi / b.hi);
        Dd { hi, lo }
    }
}

impl Number for Dd {
    fn lit(lit: RealLit, _: &Dd) -> Dd {
        Dd::new(lit.0[0], lit.0[1] + lit.0[2])
    }
    fn add(&self, b: &Dd) -> Dd {
        *self + *b
    }
    fn sub(&self, b: &Dd) -> Dd {
        *self - *b
    }
    fn mul(&self, b: &Dd) -> Dd {
        *self * *b
    }
    fn div(&self, b: &Dd) -> Dd {
        *self / *b
    }
    fn neg(&self) -> Dd {
        -*self
    }
    fn abs(&self) -> Dd {
        Dd::abs(*self)
    }
    fn sqrt(&self) -> Dd {
        Dd::sqrt(*self)
    }
    fn floor(&self) -> Dd {
        Dd::floor(*self)
    }
    fn less(&self, b: &Dd) -> Option<bool> {
        let decided = !self.hi.is_nan() && !b.hi.is_nan();
        decided.then(|| self.lt(*b))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::SplitMix;
    use rug::Float;

    fn big(x: Dd) -> Float {
        Float::with_val(400, x.hi) + x.lo
    }

    fn close(got: Dd, want: Float) {
        let err = Float::with_val(400, big(got) - &want).abs();
        let bound = Float::with_val(400, want.abs() * 2f64.powi(-102));
        assert!(err <= bound, "{got:?}: error {err}, bound {bound}");
    }

    fn draw(rng: &mut SplitMix) -> Dd {
        let hi = (rng.unit() - 0.5) * 2f64.powi((rng.next() % 40) as i32 - 20);
        Dd::new(hi, hi * (rng.unit() - 0.5) * 2f64.powi(-53))
    }

    #[test]
    fn operations_are_within_a_few_units_of_106_bits() {
        let mut rng = SplitMix::new(1);
        for _ in 0..20_000 {
            let (a, b) = (draw(&mut rng), draw(&mut rng));
            close(a * b, big(a) * big(b));
            close(a / b, big(a) / big(b));
            close(a.abs().sqrt(), big(a.abs()).sqrt());
            // The sum is accurate relative to its terms, and to itself unless they cancel.
            let sum = big(a) + big(b);
            let err = (big(a + b) - sum).abs();
            assert!(err <= (big(a).abs() + big(b).abs()) * 2f64.powi(-104));
        }
    }

    #[test]
    fn integral_roundings_look_at_both_terms() {
        let below = Dd::new(3.0, -1e-20);
        assert_eq!(below.floor(), Dd::from(2.0));
        assert_eq!(below.ceil(), Dd::from(3.0));
        assert_eq!((-below).trunc(), Dd::from(-2.0));
        assert_eq!(Dd::from(2.5).round_ties_even(), Dd::from(2.0));
        assert_eq!(Dd::from(3.5).round_ties_even(), Dd::from(4.0));
        assert_eq!(Dd::new(2.5, 1e-20).round_ties_even(), Dd::from(3.0));
        assert_eq!(Dd::from(-2.5).round_ties_even(), Dd::from(-2.0));
    }

    #[test]
    fn a_literal_keeps_its_second_term() {
        let third = Dd::lit(RealLit([1.0 / 3.0, 1.0 / 3.0 * 2f64.powi(-54), 0.0]), &Dd::ZERO);
        close(third, Float::with_val(400, 1) / 3);
    }
}
