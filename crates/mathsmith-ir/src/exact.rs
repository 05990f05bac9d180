//! Exact rationals, just large enough to round a written number correctly to any float format.
//!
//! A decimal or hexadecimal numeral is a ratio of two integers; rounding it is one long division whose remainder decides
//! the tie. The same routine makes `f32`, `f64` and the three terms of a [`RealLit`], so that they cannot disagree.

use crate::RealLit;
use std::cmp::Ordering;

/// A natural number: 32-bit limbs, least significant first, no leading zero limb.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Natural(Vec<u32>);

impl Natural {
    pub(crate) fn from_u64(x: u64) -> Self {
        let mut n = Natural(vec![x as u32, (x >> 32) as u32]);
        n.trim();
        n
    }

    fn trim(&mut self) {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    fn bits(&self) -> i64 {
        match self.0.last() {
            Some(top) => self.0.len() as i64 * 32 - i64::from(top.leading_zeros()),
            None => 0,
        }
    }

    /// `self * m + a`.
    pub(crate) fn mul_add(&mut self, m: u64, a: u64) {
        let mut carry = u128::from(a);
        for limb in &mut self.0 {
            carry += u128::from(*limb) * u128::from(m);
            *limb = carry as u32;
            carry >>= 32;
        }
        while carry > 0 {
            self.0.push(carry as u32);
            carry >>= 32;
        }
        self.trim();
    }

    fn shl(&mut self, bits: u64) {
        self.mul_add(1 << (bits % 32), 0);
        if !self.is_zero() {
            self.0.splice(0..0, std::iter::repeat_n(0, (bits / 32) as usize));
        }
    }

    /// `self - other`, which must not be negative.
    fn sub(&mut self, other: &Natural) {
        let mut borrow = false;
        for (i, limb) in self.0.iter_mut().enumerate() {
            let (a, b0) = limb.overflowing_sub(other.0.get(i).copied().unwrap_or(0));
            let (a, b1) = a.overflowing_sub(u32::from(borrow));
            *limb = a;
            borrow = b0 | b1;
        }
        debug_assert!(!borrow, "subtraction of a larger number");
        self.trim();
    }

    fn add(&mut self, other: &Natural) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        let mut carry = 0u64;
        for (i, limb) in self.0.iter_mut().enumerate() {
            carry += u64::from(*limb) + u64::from(other.0.get(i).copied().unwrap_or(0));
            *limb = carry as u32;
            carry >>= 32;
        }
        if carry > 0 {
            self.0.push(carry as u32);
        }
    }

    fn times(&self, other: &Natural) -> Natural {
        let mut product = Natural::from_u64(0);
        for &limb in other.0.iter().rev() {
            product.shl(32);
            let mut term = self.clone();
            term.mul_add(u64::from(limb), 0);
            product.add(&term);
        }
        product
    }

    /// The number, if it fits.
    pub(crate) fn to_u64(&self) -> Option<u64> {
        (self.0.len() <= 2).then(|| self.0.iter().rev().fold(0, |n, &limb| n << 32 | u64::from(limb)))
    }

    fn cmp(&self, other: &Natural) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }

    /// Quotient of a division that is known to fit in 64 bits; `self` becomes the remainder.
    fn div_small_quotient(&mut self, by: &Natural) -> u64 {
        let mut quotient = 0;
        for shift in (0..=(self.bits() - by.bits()).max(0) as u64).rev() {
            let mut part = by.clone();
            part.shl(shift);
            quotient <<= 1;
            if self.cmp(&part) != Ordering::Less {
                self.sub(&part);
                quotient |= 1;
            }
        }
        quotient
    }
}

/// A rational number.
#[derive(Clone, Debug)]
pub(crate) struct Ratio {
    negative: bool,
    num: Natural,
    den: Natural,
}

/// A binary float format as rounding sees it.
#[derive(Clone, Copy)]
struct Format {
    /// Bits of the significand.
    precision: i64,
    /// Exponent of the smallest subnormal.
    lowest: i64,
    /// Results of `2^overflow` and above are infinite.
    overflow: i64,
}

const F32: Format = Format { precision: 24, lowest: -149, overflow: 128 };
const F64: Format = Format { precision: 53, lowest: -1074, overflow: 1024 };

impl Ratio {
    /// `±num * 10^ten * 2^two`.
    pub(crate) fn new(negative: bool, num: Natural, ten: i64, two: i64) -> Self {
        let mut r = Ratio { negative, num, den: Natural::from_u64(1) };
        let power = if ten >= 0 { &mut r.num } else { &mut r.den };
        let mut left = ten.unsigned_abs();
        while left > 0 {
            let step = left.min(19);
            power.mul_add(10u64.pow(step as u32), 0);
            left -= step;
        }
        r.scale(two);
        r
    }

    fn scale(&mut self, two: i64) {
        let side = if two >= 0 { &mut self.num } else { &mut self.den };
        side.shl(two.unsigned_abs());
    }

    /// A finite double, exactly.
    pub(crate) fn from_f64(x: f64) -> Self {
        let bits = x.to_bits();
        let (field, fraction) = ((bits >> 52) & 0x7ff, bits & ((1 << 52) - 1));
        let significand = if field == 0 { fraction } else { fraction | 1 << 52 };
        Ratio::new(x < 0.0, Natural::from_u64(significand), 0, field.max(1) as i64 - 1075)
    }

    /// `self - x` for a finite double.
    fn minus(&self, x: f64) -> Self {
        self.plus(&Ratio::from_f64(-x))
    }

    /// `self + other`.
    pub(crate) fn plus(&self, other: &Ratio) -> Self {
        let mut a = self.num.times(&other.den);
        let mut b = other.num.times(&self.den);
        let den = self.den.times(&other.den);
        if self.negative == other.negative {
            a.add(&b);
            return Ratio { negative: self.negative, num: a, den };
        }
        if a.cmp(&b) == Ordering::Less {
            b.sub(&a);
            return Ratio { negative: other.negative, num: b, den };
        }
        a.sub(&b);
        Ratio { negative: self.negative, num: a, den }
    }

    /// The nearest value of the format as a double, ties to even.
    fn round(&self, format: Format) -> f64 {
        let sign = if self.negative { -1.0 } else { 1.0 };
        if self.num.is_zero() {
            return sign * 0.0;
        }
        // The quotient by 2^q has the precision's bits or one more.
        let mut q = (self.num.bits() - self.den.bits() - format.precision).max(format.lowest);
        if q > format.overflow {
            return sign * f64::INFINITY;
        }
        let mut scaled = self.clone();
        scaled.scale(-q);
        if scaled.num.bits() < scaled.den.bits() - 1 {
            return sign * 0.0;
        }
        let mut m = scaled.num.div_small_quotient(&scaled.den);
        let mut rest = scaled.num;
        let exact = rest.is_zero();
        let (half, above) = if m >> format.precision != 0 {
            let low = m & 1;
            m >>= 1;
            q += 1;
            (low == 1, !exact)
        } else {
            rest.mul_add(2, 0);
            let order = rest.cmp(&scaled.den);
            (order != Ordering::Less, order == Ordering::Greater)
        };
        if half && (above || m & 1 == 1) {
            m += 1;
        }
        if m.ilog2_or_zero() + q >= format.overflow {
            return sign * f64::INFINITY;
        }
        sign * times_power_of_two(m, q)
    }

    /// Nearest `f32`, ties to even; infinite beyond the format.
    pub(crate) fn to_f32(&self) -> f32 {
        self.round(F32) as f32
    }

    /// Nearest `f64`, ties to even; infinite beyond the format.
    pub(crate) fn to_f64(&self) -> f64 {
        self.round(F64)
    }

    /// The canonical literal: each term the nearest double of what the terms before it leave. `None` on overflow.
    pub(crate) fn to_real(&self) -> Option<RealLit> {
        let mut terms = [0.0; 3];
        let mut rest = self.clone();
        for term in &mut terms {
            *term = rest.to_f64() + 0.0;
            if term.is_infinite() {
                return None;
            }
            rest = rest.minus(*term);
        }
        Some(RealLit(terms))
    }
}

trait Log2 {
    fn ilog2_or_zero(self) -> i64;
}
impl Log2 for u64 {
    fn ilog2_or_zero(self) -> i64 {
        i64::from(self.checked_ilog2().unwrap_or(0))
    }
}

/// `m * 2^q` for `m <= 2^53`, where the result is a double.
fn times_power_of_two(m: u64, q: i64) -> f64 {
    let power = |e: i64| {
        if e >= -1022 { f64::from_bits(((e + 1023) as u64) << 52) } else { f64::from_bits(1 << (e + 1074)) }
    };
    m as f64 * power(q)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(digits: u64, ten: i64) -> Ratio {
        Ratio::new(false, Natural::from_u64(digits), ten, 0)
    }

    #[test]
    fn agrees_with_the_standard_library() {
        let mut x = 0x1234_5678_9abc_def1u64;
        for i in 0..2000 {
            x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let digits = x >> (x % 60);
            let ten = (i % 700) - 360;
            let text = format!("{digits}e{ten}");
            assert_eq!(decimal(digits, ten).to_f64(), text.parse::<f64>().unwrap(), "{text}");
            assert_eq!(decimal(digits, ten / 8).to_f32(), format!("{digits}e{}", ten / 8).parse::<f32>().unwrap());
        }
        for (digits, ten) in [(17_976_931_348_623_157, 292), (17_976_931_348_623_159, 292), (49, -325), (24, -325)] {
            assert_eq!(decimal(digits, ten).to_f64(), format!("{digits}e{ten}").parse::<f64>().unwrap());
        }
    }

    #[test]
    fn doubles_are_exact() {
        for x in [0.1, -3.5e300, 5e-324, f64::MIN_POSITIVE, f64::MAX, 1.0, -0.0] {
            assert_eq!(Ratio::from_f64(x).to_f64(), x);
            assert!(Ratio::from_f64(x).minus(x).num.is_zero());
        }
        assert_eq!(Ratio::from_f64(0.1).minus(0.3).to_f64(), -0.19999999999999998);
    }

    #[test]
    fn three_terms_of_a_third() {
        let mut third = decimal(1, 0);
        third.den = Natural::from_u64(3);
        let RealLit([a, b, c]) = third.to_real().unwrap();
        assert_eq!(a, 1.0 / 3.0);
        assert_eq!(b, a / 2f64.powi(54));
        assert_eq!(c, b / 2f64.powi(54));
    }
}
