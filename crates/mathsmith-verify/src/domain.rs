//! Ordered sets of `f32` inputs.
//!
//! The floats of a format, ordered by value, are numbered by a *key*: the bits of a non-negative float, and minus the
//! bits of the magnitude for a negative one. Keys are consecutive integers, so a domain is an interval of keys, and
//! walking it costs an increment. -0 has no key of its own (it equals +0); where a domain holds +0, -0 is one of its
//! [specials](FloatDomain::specials), as are the infinities at an infinite end and NaN for the whole format.

use crate::VerifyError;
use serde::{Deserialize, Serialize};

/// Every finite `f32` from a lower to an upper end, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FloatDomain {
    first: i64,
    last: i64,
    neg_inf: bool,
    pos_inf: bool,
}

/// Key of a finite float: its position in the order of values, 0 for both zeros.
pub fn key(x: f32) -> i64 {
    let magnitude = i64::from(x.to_bits() & 0x7fff_ffff);
    if x.is_sign_negative() { -magnitude } else { magnitude }
}

/// Inverse of [`key`].
pub fn from_key(k: i64) -> f32 {
    let magnitude = k.unsigned_abs() as u32;
    f32::from_bits(if k < 0 { magnitude | 0x8000_0000 } else { magnitude })
}

impl FloatDomain {
    /// The closed domain `lo..hi`. An infinite end means the largest finite float, with the infinity as a special. For a
    /// half-open domain pass the neighbour of the open end ([`f32::next_down`], [`f32::next_up`]).
    ///
    /// # Errors
    /// [`VerifyError::NanEnd`], or [`VerifyError::EmptyDomain`] if `lo > hi`.
    pub fn new(lo: f32, hi: f32) -> Result<Self, VerifyError> {
        if lo.is_nan() || hi.is_nan() {
            return Err(VerifyError::NanEnd);
        }
        let (first, last) = (key(lo.clamp(f32::MIN, f32::MAX)), key(hi.clamp(f32::MIN, f32::MAX)));
        if lo > hi || (lo == hi && lo.is_infinite()) {
            return Err(VerifyError::EmptyDomain { lo, hi });
        }
        Ok(FloatDomain { first, last, neg_inf: lo == f32::NEG_INFINITY, pos_inf: hi == f32::INFINITY })
    }

    /// Every finite float, with -0, the infinities and NaN as specials.
    pub fn whole() -> Self {
        FloatDomain { first: key(f32::MIN), last: key(f32::MAX), neg_inf: true, pos_inf: true }
    }

    /// Number of inputs, specials not counted: `0..1` has 1 065 353 217.
    pub fn count(&self) -> u64 {
        (self.last - self.first + 1) as u64
    }

    /// Smallest input.
    pub fn lo(&self) -> f32 {
        from_key(self.first)
    }

    /// Largest input.
    pub fn hi(&self) -> f32 {
        from_key(self.last)
    }

    /// Whether `x` is one of the inputs (-0 counts as +0).
    pub fn contains(&self, x: f32) -> bool {
        x.is_finite() && (self.first..=self.last).contains(&key(x))
    }

    /// The input at a position; positions grow with the value.
    ///
    /// # Panics
    /// If `index >= count()`.
    pub fn get(&self, index: u64) -> f32 {
        assert!(index < self.count(), "input {index} of {}", self.count());
        from_key(self.first + index as i64)
    }

    /// Position of an input; `None` if it is not in the domain.
    pub fn index_of(&self, x: f32) -> Option<u64> {
        self.contains(x).then(|| (key(x) - self.first) as u64)
    }

    /// Writes the inputs at `start`, `start + 1`, … into `out`.
    ///
    /// # Panics
    /// If the run leaves the domain.
    pub fn fill(&self, start: u64, out: &mut [f32]) {
        assert!(start + out.len() as u64 <= self.count(), "inputs {start} and {} more", out.len());
        let k = self.first + start as i64;
        // One sign per loop keeps both loops a plain counter, which vectorises.
        let negative = ((-k).clamp(0, out.len() as i64)) as usize;
        let (below, rest) = out.split_at_mut(negative);
        let top = k.unsigned_abs() as u32;
        for (i, x) in below.iter_mut().enumerate() {
            *x = f32::from_bits(0x8000_0000 | top.wrapping_sub(i as u32));
        }
        let base = k.max(0) as u32;
        for (i, x) in rest.iter_mut().enumerate() {
            *x = f32::from_bits(base.wrapping_add(i as u32));
        }
    }

    /// The inputs that stand beside the finite ones: -0 if +0 is in the domain, an infinity at an infinite end, NaN if
    /// both ends are infinite.
    pub fn specials(&self) -> Vec<f32> {
        let mut out = Vec::new();
        if self.contains(0.0) {
            out.push(-0.0);
        }
        if self.neg_inf {
            out.push(f32::NEG_INFINITY);
        }
        if self.pos_inf {
            out.push(f32::INFINITY);
        }
        if self.neg_inf && self.pos_inf {
            out.push(f32::NAN);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts() {
        assert_eq!(FloatDomain::new(0.0, 1.0).unwrap().count(), 1_065_353_217);
        assert_eq!(FloatDomain::new(-0.0, 1.0).unwrap().count(), 1_065_353_217);
        assert_eq!(FloatDomain::new(1.0, 1.0).unwrap().count(), 1);
        assert_eq!(FloatDomain::new(-1.0, 1.0).unwrap().count(), 2 * 1_065_353_216 + 1);
        assert_eq!(FloatDomain::whole().count(), 2 * 0x7f80_0000 - 1);
        assert_eq!(FloatDomain::new(f32::NEG_INFINITY, f32::INFINITY).unwrap(), FloatDomain::whole());
        assert_eq!(FloatDomain::whole().specials().len(), 4);
        assert_eq!(FloatDomain::new(1.0, 2.0).unwrap().specials().len(), 0);
    }

    #[test]
    fn refusals() {
        assert!(matches!(FloatDomain::new(1.0, 0.0), Err(VerifyError::EmptyDomain { .. })));
        assert!(matches!(FloatDomain::new(f32::NAN, 0.0), Err(VerifyError::NanEnd)));
        assert!(FloatDomain::new(f32::INFINITY, f32::INFINITY).is_err());
    }

    #[test]
    fn fill_agrees_with_get_and_is_monotone_across_zero() {
        let d = FloatDomain::new(-1e-43, 1e-43).unwrap();
        for start in 0..d.count() {
            for len in 0..=(d.count() - start).min(9) as usize {
                let mut xs = vec![0.0f32; len];
                d.fill(start, &mut xs);
                for (i, x) in xs.iter().enumerate() {
                    assert_eq!(x.to_bits(), d.get(start + i as u64).to_bits());
                    assert_eq!(d.index_of(*x), Some(start + i as u64));
                }
            }
        }
        let all: Vec<f32> = (0..d.count()).map(|i| d.get(i)).collect();
        assert!(all.windows(2).all(|w| w[0] < w[1] && w[0].next_up() == w[1]));
        assert!(all.iter().all(|x| x.to_bits() != 0x8000_0000), "-0 has no place of its own");
    }
}
