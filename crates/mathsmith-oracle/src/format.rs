//! Binary floating-point formats: which numbers they hold, and rounding to them.
//!
//! Every value of the four formats is a double, so values travel as `f64`; a [`FloatFormat`] says which doubles belong to
//! it, what the next one is, and what a real number rounds to (IEEE 754-2019, section 4.3.1: to nearest, ties to even).

use rug::Float;
use rug::float::Round;
use std::cmp::Ordering;

/// A binary format by its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FloatFormat {
    /// `f16`, `bf16`, `f32`, `f64`.
    pub name: &'static str,
    /// Bits of the significand, the leading one included.
    pub precision: u32,
    /// Exponent of the least normal number, `2^min_exponent`.
    pub min_exponent: i32,
    /// Exponent of the greatest numbers, below `2^(max_exponent + 1)`.
    pub max_exponent: i32,
}

impl FloatFormat {
    /// IEEE binary16.
    pub const F16: FloatFormat = FloatFormat { name: "f16", precision: 11, min_exponent: -14, max_exponent: 15 };
    /// The upper half of binary32.
    pub const BF16: FloatFormat = FloatFormat { name: "bf16", precision: 8, min_exponent: -126, max_exponent: 127 };
    /// IEEE binary32.
    pub const F32: FloatFormat = FloatFormat { name: "f32", precision: 24, min_exponent: -126, max_exponent: 127 };
    /// IEEE binary64.
    pub const F64: FloatFormat = FloatFormat { name: "f64", precision: 53, min_exponent: -1022, max_exponent: 1023 };
    /// All of them.
    pub const ALL: [FloatFormat; 4] = [Self::F16, Self::BF16, Self::F32, Self::F64];

    /// The format of a name.
    pub fn named(name: &str) -> Option<FloatFormat> {
        Self::ALL.into_iter().find(|f| f.name == name)
    }

    /// Bits of the fraction field.
    fn fraction_bits(self) -> u32 {
        self.precision - 1
    }

    /// The greatest finite number.
    pub fn max(self) -> f64 {
        self.from_key((i64::from(self.max_exponent - self.min_exponent) + 2) * (1 << self.fraction_bits()) - 1)
    }

    /// The least positive normal number.
    pub fn min_normal(self) -> f64 {
        exp2(self.min_exponent)
    }

    /// The least positive number.
    pub fn min_positive(self) -> f64 {
        exp2(self.min_exponent - self.fraction_bits() as i32)
    }

    /// Position of a number of the format in the order of values: 0 for both zeros, one more for the next number; the
    /// infinities follow the greatest finite numbers. For NaN the key is meaningless.
    pub fn key(self, x: f64) -> i64 {
        let a = x.abs();
        let magnitude = if a >= self.min_normal() {
            let shift = 52 - self.fraction_bits();
            let bias = i64::from(1023 + self.min_exponent - 1) << self.fraction_bits();
            if a.is_infinite() {
                i64::from(self.max_exponent - self.min_exponent + 2) << self.fraction_bits()
            } else {
                ((a.to_bits() >> shift) as i64) - bias
            }
        } else {
            // Below the normal numbers the format counts in steps of its least one.
            (a / self.min_positive()) as i64
        };
        if x.is_sign_negative() { -magnitude } else { magnitude }
    }

    /// The number at a position; inverse of [`FloatFormat::key`], with +0 for 0.
    pub fn from_key(self, key: i64) -> f64 {
        let magnitude = key.unsigned_abs();
        let normal = 1u64 << self.fraction_bits();
        let a = if magnitude < normal {
            magnitude as f64 * self.min_positive()
        } else if magnitude >= ((self.max_exponent - self.min_exponent + 2) as u64) << self.fraction_bits() {
            f64::INFINITY
        } else {
            let bias = ((1023 + self.min_exponent - 1) as u64) << self.fraction_bits();
            f64::from_bits((magnitude + bias) << (52 - self.fraction_bits()))
        };
        if key < 0 { -a } else { a }
    }

    /// Whether a double is a number of the format (an infinity and NaN are).
    pub fn contains(self, x: f64) -> bool {
        !x.is_finite() || self.nearest_f64(x) == x
    }

    /// The number of the format nearest to a double, ties to even; beyond the range an infinity.
    pub fn nearest_f64(self, x: f64) -> f64 {
        if !x.is_finite() || x == 0.0 || self == Self::F64 {
            return x;
        }
        let exponent = (((x.to_bits() >> 52) & 0x7ff) as i32 - 1023).max(self.min_exponent);
        // Adding and subtracting 1.5 * 2^52 ulps rounds to a multiple of the ulp, ties to even.
        let ulp = exponent - self.fraction_bits() as i32;
        let scaled = x * exp2(-ulp.max(-1000)) * if ulp < -1000 { exp2(-1000 - ulp) } else { 1.0 };
        let magic = 6_755_399_441_055_744.0;
        let y = ((scaled + magic) - magic).abs() * exp2(ulp);
        (if y > self.max() { f64::INFINITY } else { y }).copysign(x)
    }

    /// The number of the format nearest to a real number, ties to even; beyond the range an infinity. The sign of a zero
    /// is that of `x`.
    pub fn nearest(self, x: &Float) -> f64 {
        if x.is_nan() {
            return f64::NAN;
        }
        // MPFR has these two.
        match (self.precision, self.min_exponent, self.max_exponent) {
            (24, -126, 127) => return f64::from(x.to_f32_round(Round::Nearest)),
            (53, -1022, 1023) => return x.to_f64_round(Round::Nearest),
            _ => {}
        }
        let Some(e) = x.get_exp() else { return x.to_f64() };
        // MPFR puts the significand in [1/2, 1).
        let exponent = i64::from(e) - 1;
        let bits = i64::from(self.precision) + (exponent - i64::from(self.min_exponent)).min(0);
        let negative = x.is_sign_negative();
        let magnitude = if bits < 1 {
            // Below half of the least number, or at it, which is a tie with the even zero.
            let half = Float::with_val(53, 0.5 * self.min_normal()) >> self.fraction_bits();
            let above = bits == 0 && x.cmp_abs(&half) == Some(Ordering::Greater);
            if above { self.min_positive() } else { 0.0 }
        } else {
            let y = Float::with_val_round(bits as u32, x, Round::Nearest).0.abs().to_f64();
            if y > self.max() { f64::INFINITY } else { y }
        };
        if negative { -magnitude } else { magnitude }
    }

    /// Exponent of `ulp(y) = 2^(max(e, min_exponent) - precision + 1)`, `2^e <= |y| < 2^(e+1)`; above the range the ulp is
    /// that of the greatest numbers.
    pub fn ulp_exponent(self, y: &Float) -> i32 {
        let e = y.get_exp().map_or(self.min_exponent, |e| (e - 1).clamp(self.min_exponent, self.max_exponent));
        e - self.fraction_bits() as i32
    }
}

/// `2^e`, also for subnormal results; 0 below them.
fn exp2(e: i32) -> f64 {
    match e {
        -1022..=1023 => f64::from_bits(((e + 1023) as u64) << 52),
        -1074..=-1023 => f64::from_bits(1 << (e + 1074)),
        _ if e < 0 => 0.0,
        _ => f64::INFINITY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_of_the_formats() {
        assert_eq!(FloatFormat::F32.max(), f64::from(f32::MAX));
        assert_eq!(FloatFormat::F64.max(), f64::MAX);
        assert_eq!(FloatFormat::F16.max(), 65504.0);
        assert_eq!(FloatFormat::BF16.max(), f64::from(f32::from_bits(0x7f7f_0000)));
        assert_eq!(FloatFormat::F32.min_positive(), f64::from(f32::from_bits(1)));
        assert_eq!(FloatFormat::F64.min_positive(), f64::from_bits(1));
        assert_eq!(FloatFormat::F16.min_positive(), 2f64.powi(-24));
    }

    #[test]
    fn keys_number_the_values() {
        for f in FloatFormat::ALL {
            let top = f.key(f.max());
            assert_eq!(f.from_key(top + 1), f64::INFINITY);
            assert_eq!(f.key(f64::NEG_INFINITY), -top - 1);
            let step = (top / 5000).max(1);
            let mut last = f64::NEG_INFINITY;
            for key in (-top..=top).step_by(step as usize) {
                let x = f.from_key(key);
                assert_eq!(f.key(x), key, "{f:?}");
                assert!(x > last && f.contains(x), "{f:?} {x:e}");
                assert!(f == FloatFormat::F64 || !f.contains(x.next_up()));
                last = x;
            }
        }
        for bits in (0..0x7f80_0000u32).step_by(7919) {
            assert_eq!(FloatFormat::F32.key(f64::from(f32::from_bits(bits))), i64::from(bits));
        }
    }

    #[test]
    fn both_roundings_agree_with_the_hardware_and_each_other() {
        let mut state = 1u64;
        for _ in 0..200_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let x = f64::from_bits(state ^ (state >> 29));
            if x.is_nan() {
                continue;
            }
            // Half of them where the narrow formats live.
            let x = if state & 1 == 0 { x } else { f64::from_bits(x.to_bits() & 0xbfff_ffff_ffff_ffff | 0x3800 << 48) };
            let exact = Float::with_val(53, x);
            assert_eq!(FloatFormat::F32.nearest_f64(x).to_bits(), f64::from(x as f32).to_bits(), "{x:e}");
            assert_eq!(FloatFormat::F64.nearest(&exact).to_bits(), x.to_bits());
            for f in FloatFormat::ALL {
                assert_eq!(f.nearest(&exact).to_bits(), f.nearest_f64(x).to_bits(), "{f:?} {x:e}");
            }
        }
        // Ties and the edge of overflow.
        let f = FloatFormat::F16;
        for (x, y) in [
            (65519.0, 65504.0),
            (65520.0, f64::INFINITY),
            (2f64.powi(-25), 0.0),
            (3.0 * 2f64.powi(-25), 2f64.powi(-23)),
        ] {
            assert_eq!(f.nearest_f64(x), y);
            assert_eq!(f.nearest(&Float::with_val(53, x)), y);
            assert_eq!(f.nearest(&Float::with_val(53, -x)), -y);
        }
    }
}
