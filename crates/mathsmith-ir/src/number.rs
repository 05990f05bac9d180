//! The number types that a program of `real` operations can be evaluated in.

use crate::RealLit;

/// A number type for [`crate::real::eval`]: doubles, double-doubles, MPFR floats, intervals.
///
/// Types that carry a precision take it from `self`; [`Number::lit`] is given any number of the same evaluation as a
/// model for it.
pub trait Number: Clone {
    /// The literal in this type; `like` supplies the precision where the type has one.
    fn lit(lit: RealLit, like: &Self) -> Self;
    /// `self + b`.
    fn add(&self, b: &Self) -> Self;
    /// `self - b`.
    fn sub(&self, b: &Self) -> Self;
    /// `self * b`.
    fn mul(&self, b: &Self) -> Self;
    /// `self / b`.
    fn div(&self, b: &Self) -> Self;
    /// `self * b + c` (rounded as the type does it; exact in the reals).
    fn fma(&self, b: &Self, c: &Self) -> Self {
        self.mul(b).add(c)
    }
    /// `-self`.
    fn neg(&self) -> Self;
    /// `|self|`.
    fn abs(&self) -> Self;
    /// Square root.
    fn sqrt(&self) -> Self;
    /// Largest integer not above `self`.
    fn floor(&self) -> Self;
    /// `self < b`; `None` where the type cannot decide (overlapping intervals, NaN).
    fn less(&self, b: &Self) -> Option<bool>;
    /// The smaller of two numbers; `None` where the type cannot decide. Sets such as intervals can answer without
    /// deciding and override this.
    fn min(&self, b: &Self) -> Option<Self> {
        self.less(b).map(|less| if less { self.clone() } else { b.clone() })
    }
    /// The larger of two numbers; `None` where the type cannot decide.
    fn max(&self, b: &Self) -> Option<Self> {
        b.less(self).map(|less| if less { self.clone() } else { b.clone() })
    }
}

impl Number for f64 {
    fn lit(lit: RealLit, _: &f64) -> f64 {
        lit.to_f64()
    }
    fn add(&self, b: &f64) -> f64 {
        self + b
    }
    fn sub(&self, b: &f64) -> f64 {
        self - b
    }
    fn mul(&self, b: &f64) -> f64 {
        self * b
    }
    fn div(&self, b: &f64) -> f64 {
        self / b
    }
    fn neg(&self) -> f64 {
        -self
    }
    fn abs(&self) -> f64 {
        f64::abs(*self)
    }
    fn sqrt(&self) -> f64 {
        f64::sqrt(*self)
    }
    fn floor(&self) -> f64 {
        f64::floor(*self)
    }
    fn less(&self, b: &f64) -> Option<bool> {
        self.partial_cmp(b).map(|o| o.is_lt())
    }
}
