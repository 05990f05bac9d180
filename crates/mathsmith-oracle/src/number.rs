//! MPFR number types in which programs over the reals are evaluated.

use crate::enclosure::Enclosure;
use crate::function::{Unary, unary};
use mathsmith_ir::{Number, RealLit};
use rug::Float;
use rug::float::Round;

/// An MPFR float: every operation is correctly rounded to the precision of its left operand.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
pub struct MpReal(pub Float);

impl MpReal {
    /// The double `x` at `prec` bits (exact from 53 bits on).
    pub fn new(x: f64, prec: u32) -> MpReal {
        MpReal(Float::with_val(prec, x))
    }

    fn prec(&self) -> u32 {
        self.0.prec()
    }
}

impl Number for MpReal {
    fn lit(lit: RealLit, like: &MpReal) -> MpReal {
        MpReal(Float::with_val(like.prec(), Float::sum(terms(lit).iter())))
    }
    fn add(&self, b: &MpReal) -> MpReal {
        MpReal(Float::with_val(self.prec(), &self.0 + &b.0))
    }
    fn sub(&self, b: &MpReal) -> MpReal {
        MpReal(Float::with_val(self.prec(), &self.0 - &b.0))
    }
    fn mul(&self, b: &MpReal) -> MpReal {
        MpReal(Float::with_val(self.prec(), &self.0 * &b.0))
    }
    fn div(&self, b: &MpReal) -> MpReal {
        MpReal(Float::with_val(self.prec(), &self.0 / &b.0))
    }
    fn fma(&self, b: &MpReal, c: &MpReal) -> MpReal {
        MpReal(Float::with_val(self.prec(), self.0.mul_add_ref(&b.0, &c.0)))
    }
    fn neg(&self) -> MpReal {
        MpReal(Float::with_val(self.prec(), -&self.0))
    }
    fn abs(&self) -> MpReal {
        MpReal(Float::with_val(self.prec(), self.0.abs_ref()))
    }
    fn sqrt(&self) -> MpReal {
        MpReal(Float::with_val(self.prec(), self.0.sqrt_ref()))
    }
    fn floor(&self) -> MpReal {
        MpReal(Float::with_val(self.prec(), self.0.floor_ref()))
    }
    fn less(&self, b: &MpReal) -> Option<bool> {
        self.0.partial_cmp(&b.0).map(|o| o.is_lt())
    }
}

/// An interval of MPFR floats, rounded outward: it contains the exact result for all reals in its operands.
///
/// Undefined results (square root of a negative interval, division by exactly zero) have NaN ends.
#[derive(Clone, Debug)]
pub struct MpInterval {
    enclosure: Enclosure,
    prec: u32,
}

impl MpInterval {
    /// The interval `[lo, hi]`, evaluated at `prec` bits from here on.
    pub fn new(lo: Float, hi: Float, prec: u32) -> MpInterval {
        MpInterval { enclosure: Enclosure::new(lo, hi), prec }
    }

    /// The one number `x`.
    pub fn point(x: Float, prec: u32) -> MpInterval {
        MpInterval { enclosure: Enclosure::point(x), prec }
    }

    /// The ends and where in the operands the result is defined.
    pub fn enclosure(&self) -> &Enclosure {
        &self.enclosure
    }

    /// Lower end.
    pub fn lo(&self) -> &Float {
        &self.enclosure.lo
    }

    /// Upper end.
    pub fn hi(&self) -> &Float {
        &self.enclosure.hi
    }

    fn wrap(&self, enclosure: Enclosure) -> MpInterval {
        MpInterval { enclosure, prec: self.prec }
    }
}

fn terms(lit: RealLit) -> [Float; 3] {
    lit.0.map(|x| Float::with_val(53, x))
}

impl Number for MpInterval {
    fn lit(lit: RealLit, like: &MpInterval) -> MpInterval {
        let terms = terms(lit);
        let at = |round| Float::with_val_round(like.prec, Float::sum(terms.iter()), round).0;
        like.wrap(Enclosure::new(at(Round::Down), at(Round::Up)))
    }
    fn add(&self, b: &MpInterval) -> MpInterval {
        self.wrap(self.enclosure.add(&b.enclosure, self.prec))
    }
    fn sub(&self, b: &MpInterval) -> MpInterval {
        self.wrap(self.enclosure.sub(&b.enclosure, self.prec))
    }
    fn mul(&self, b: &MpInterval) -> MpInterval {
        self.wrap(self.enclosure.mul(&b.enclosure, self.prec))
    }
    fn div(&self, b: &MpInterval) -> MpInterval {
        self.wrap(self.enclosure.div(&b.enclosure, self.prec))
    }
    fn neg(&self) -> MpInterval {
        self.wrap(self.enclosure.neg())
    }
    fn abs(&self) -> MpInterval {
        self.wrap(self.enclosure.abs())
    }
    fn sqrt(&self) -> MpInterval {
        self.wrap(unary(Unary::Sqrt, &self.enclosure, self.prec, false))
    }
    fn floor(&self) -> MpInterval {
        self.wrap(unary(Unary::Floor, &self.enclosure, self.prec, false))
    }
    fn less(&self, b: &MpInterval) -> Option<bool> {
        self.enclosure.less(&b.enclosure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_keep_all_their_terms() {
        let lit = RealLit([1.0, 2.0_f64.powi(-60), 2.0_f64.powi(-130)]);
        let like = MpReal::new(0.0, 200);
        let mut want = Float::with_val(200, 1);
        want += Float::with_val(200, 1) >> 60;
        want += Float::with_val(200, 1) >> 130;
        assert_eq!(MpReal::lit(lit, &like).0, want);
        let narrow = MpInterval::point(Float::with_val(100, 0), 100);
        let i = MpInterval::lit(lit, &narrow);
        assert!(*i.lo() < want && want < *i.hi());
    }

    #[test]
    fn intervals_contain_exact_results() {
        let third = MpInterval::point(Float::with_val(53, 1), 64).div(&MpInterval::point(Float::with_val(53, 3), 64));
        let one = third.mul(&MpInterval::point(Float::with_val(53, 3), 64));
        assert!(*one.lo() <= 1 && *one.hi() >= 1);
        assert_eq!(one.less(&MpInterval::point(Float::with_val(53, 1), 64)), None);
        assert_eq!(third.less(&one), Some(true));
        assert!(third.neg().sqrt().lo().is_nan());
    }
}
