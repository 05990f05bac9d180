//! Balls of doubles: a midpoint and a radius, closed under arithmetic.
//!
//! Each operation adds the rounding error of its midpoint to the radius that the operands' radii give, and enlarges the
//! result by [`INFLATE`] for the roundings of the radius itself; products that may underflow add a few least subnormals.
//! A ball that overflowed or divided by zero has an infinite or NaN radius, which no test below takes for an answer
//! (Rump, "Fast and parallel interval arithmetic", BIT 39, 1999, has the representation).

use crate::bound::INFLATE;
use crate::decide::half_ulp;
use crate::enclosure::{Enclosure, Status};
use crate::fast::cpu_supported;
use crate::function::{Unary, unary};
use rug::Float;
use rug::float::Round;
use std::cmp::Ordering;

const TINY: f64 = 5e-324;
/// Bits at which MPFR evaluates the functions: enough for a double.
const VALUE_BITS: u32 = 64;

/// All reals within `r` of `m`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Ball {
    pub(crate) m: f64,
    pub(crate) r: f64,
}

impl Ball {
    pub(crate) const ZERO: Ball = Ball::exact(0.0);

    pub(crate) const fn exact(m: f64) -> Ball {
        Ball { m, r: 0.0 }
    }

    pub(crate) fn is_zero(self) -> bool {
        self.m == 0.0 && self.r == 0.0
    }

    pub(crate) fn is_finite(self) -> bool {
        self.m.is_finite() && self.r.is_finite()
    }

    /// Upper bound of the magnitude.
    pub(crate) fn magnitude(self) -> f64 {
        (self.m.abs() + self.r) * INFLATE
    }

    /// `Greater` or `Less` where every element is above or below zero, `Equal` for zero itself.
    pub(crate) fn sign(self) -> Option<Ordering> {
        if self.is_zero() {
            Some(Ordering::Equal)
        } else if self.m.abs() > self.r {
            Some(if self.m > 0.0 { Ordering::Greater } else { Ordering::Less })
        } else {
            None
        }
    }

    pub(crate) fn neg(self) -> Ball {
        Ball { m: -self.m, r: self.r }
    }

    pub(crate) fn add(self, b: Ball) -> Ball {
        if self.is_zero() {
            return b;
        }
        if b.is_zero() {
            return self;
        }
        let m = self.m + b.m;
        // A sum that comes out as zero is exact.
        let rounding = if m == 0.0 { 0.0 } else { half_ulp(m) };
        Ball { m, r: (self.r + b.r + rounding) * INFLATE }
    }

    pub(crate) fn sub(self, b: Ball) -> Ball {
        self.add(b.neg())
    }

    pub(crate) fn mul(self, b: Ball) -> Ball {
        if self.is_zero() || b.is_zero() {
            return Ball::ZERO;
        }
        let m = self.m * b.m;
        let r = self.m.abs() * b.r + b.m.abs() * self.r + self.r * b.r + half_ulp(m) + 4.0 * TINY;
        Ball { m, r: r * INFLATE }
    }

    pub(crate) fn div(self, b: Ball) -> Ball {
        let below = (b.m.abs() - b.r) * (1.0 - 1e-15);
        if below <= 0.0 || below.is_nan() {
            return Ball { m: 0.0, r: f64::INFINITY };
        }
        if self.is_zero() {
            return Ball::ZERO;
        }
        let m = self.m / b.m;
        // |A/B - a/b| <= (ra + |a/b| rb) / |B|; the quotient as rounded is within a factor INFLATE of a/b.
        let r = (self.r + m.abs() * b.r * INFLATE + 2.0 * TINY) / below + half_ulp(m) + 4.0 * TINY;
        Ball { m, r: r * INFLATE }
    }

    /// Product with an integer below 2^53.
    pub(crate) fn times(self, k: usize) -> Ball {
        if k == 1 { self } else { self.mul(Ball::exact(k as f64)) }
    }

    /// Quotient by a positive integer below 2^53.
    pub(crate) fn over(self, k: usize) -> Ball {
        if k == 1 { self } else { self.div(Ball::exact(k as f64)) }
    }

    /// The least ball found around an enclosure that has values everywhere, without a pole or a jump.
    pub(crate) fn around(e: &Enclosure) -> Option<Ball> {
        if e.status != Status::Defined || e.edge || e.jump || !e.lo.is_finite() || !e.hi.is_finite() {
            return None;
        }
        let (lo, hi) = (e.lo.to_f64_round(Round::Down), e.hi.to_f64_round(Round::Up));
        if !lo.is_finite() || !hi.is_finite() {
            return None;
        }
        if lo == hi {
            return Some(Ball::exact(lo));
        }
        let m = 0.5 * lo + 0.5 * hi;
        Some(Ball { m, r: (m - lo).max(hi - m).next_up() })
    }

    /// The enclosure with the ball's ends.
    pub(crate) fn enclosure(self) -> Enclosure {
        if self.r == 0.0 {
            return Enclosure::point(Float::with_val(53, self.m));
        }
        // Rounded to nearest, then one step outwards.
        let mut lo = Float::with_val(53, self.m - self.r);
        let mut hi = Float::with_val(53, self.m + self.r);
        lo.next_down();
        hi.next_up();
        Enclosure::new(lo, hi)
    }

    /// A function of the ball; `None` where it has a pole, a jump or no value inside.
    pub(crate) fn apply(self, op: Unary) -> Option<Ball> {
        if !self.is_finite() {
            return None;
        }
        if let Some(ball) = monotone(op).and_then(|f| self.between(f)) {
            return Some(ball);
        }
        Ball::around(&unary(op, &self.enclosure(), VALUE_BITS, false))
    }

    /// The values of a monotone function that is correctly rounded, from those at the ends.
    fn between(self, f: fn(f64) -> f64) -> Option<Ball> {
        let (a, b) = if self.r == 0.0 {
            (f(self.m), f(self.m))
        } else {
            (f((self.m - self.r).next_down()), f((self.m + self.r).next_up()))
        };
        // The exact ends lie strictly within the neighbours of the rounded ones.
        let (lo, hi) = (a.min(b).next_down(), a.max(b).next_up());
        let m = 0.5 * lo + 0.5 * hi;
        let usual = lo.is_normal() && hi.is_normal() && m.is_normal() && (lo > 0.0) == (hi > 0.0);
        usual.then(|| Ball { m, r: (m - lo).max(hi - m).next_up() })
    }

    /// A function of two balls, as [`Ball::apply`].
    pub(crate) fn apply2(self, b: Ball, f: impl Fn(&Enclosure, &Enclosure, u32) -> Enclosure) -> Option<Ball> {
        if !self.is_finite() || !b.is_finite() {
            return None;
        }
        Ball::around(&f(&self.enclosure(), &b.enclosure(), VALUE_BITS))
    }
}

/// The correctly rounded version of a function that has values everywhere and is monotone, a thousand times as fast as an
/// enclosure.
fn monotone(op: Unary) -> Option<fn(f64) -> f64> {
    if !cpu_supported() {
        return None;
    }
    Some(match op {
        Unary::Exp => core_math::exp,
        Unary::Exp2 => core_math::exp2,
        Unary::Exp10 => core_math::exp10,
        Unary::Expm1 => core_math::expm1,
        Unary::Tanh => core_math::tanh,
        Unary::Erf => core_math::erf,
        Unary::Erfc => core_math::erfc,
        Unary::Atan => core_math::atan,
        Unary::Cbrt => core_math::cbrt,
        Unary::Sinh => core_math::sinh,
        Unary::Asinh => core_math::asinh,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(b: Ball, x: &Float) -> bool {
        Float::with_val(300, x - b.m).abs() <= b.r
    }

    #[test]
    fn operations_contain_the_exact_results() {
        let mut state = 1u64;
        let mut next = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
        };
        for _ in 0..3000 {
            let scale = 2f64.powi((next() * 300.0) as i32);
            let a = Ball { m: next() * scale, r: next().abs() * 1e-3 * scale };
            let b = Ball { m: next(), r: next().abs() * 0.1 };
            // Elements of both, the ends among them.
            let (s, t) = (next().signum(), next());
            let x = Float::with_val(300, a.m) + Float::with_val(300, a.r * s);
            let y = Float::with_val(300, b.m) + Float::with_val(300, b.r) * t;
            assert!(has(a.add(b), &Float::with_val(300, &x + &y)));
            assert!(has(a.sub(b), &Float::with_val(300, &x - &y)));
            assert!(has(a.mul(b), &Float::with_val(300, &x * &y)));
            assert!(has(a.div(b), &Float::with_val(300, &x / &y)) || b.sign().is_none());
            let e = b.enclosure();
            assert!(e.lo <= y && e.hi >= y);
            assert!(has(Ball::around(&e).expect("a finite enclosure"), &y));
            let erfc = Float::with_val(300, y.erfc_ref());
            assert!(has(b.apply(Unary::Erfc).expect("erfc has values"), &erfc));
            assert!(has(b.apply(Unary::Exp).expect("exp has values"), &Float::with_val(300, y.exp_ref())));
        }
        assert!(!Ball::exact(1.0).div(Ball { m: 1.0, r: 1.0 }).is_finite());
    }
}
