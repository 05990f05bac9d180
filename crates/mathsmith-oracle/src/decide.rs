//! From a double and a bound on its error to the correctly rounded f32, where the bound allows.

const EXPONENT: u64 = 0x7ff0_0000_0000_0000;
const MIN_SUBNORMAL: f64 = 5e-324;

/// 2^k as a double, for normal results.
const fn pow2(k: i32) -> f64 {
    f64::from_bits(((1023 + k) as u64) << 52)
}

/// Half a unit in the last place of a double, rounded up to what a double can hold: the most by which a correctly
/// rounded result differs from the value it stands for. Infinity for infinities and NaN.
#[inline(always)]
pub fn half_ulp(y: f64) -> f64 {
    let h = f64::from_bits(y.to_bits() & EXPONENT) * pow2(-53);
    if h > MIN_SUBNORMAL { h } else { MIN_SUBNORMAL }
}

/// The f32 that every real within `err` of `y` rounds to, or `None` if there are several (or the bound says nothing).
///
/// The pairs mean what [`crate::Reference::fast_block`] documents: a NaN or an infinity with a finite bound is certain.
/// For a correctly rounded double and its half ulp, only a `y` exactly halfway between two f32 stays undecided (the
/// halfway points are doubles, so any other `y` is a whole ulp away from them), apart from zeros of unknown sign.
#[inline]
pub fn decide_f32(y: f64, err: f64) -> Option<f32> {
    let (r, clear) = quick(y, err);
    if clear { Some(r) } else { decide_special(y, err) }
}

/// The rounded value, and whether the plain test already settles it: normal results away from halfway points. Without
/// branches, so that a loop over it is vectorised.
#[inline(always)]
pub(crate) fn quick(y: f64, err: f64) -> (f32, bool) {
    let r = y as f32;
    let rf = f64::from(r);
    // Distance between r and the halfway points; at a power of two the inner one is half as far.
    let binade = f64::from_bits(rf.to_bits() & EXPONENT);
    let power = rf.to_bits() & !EXPONENT & !(1 << 63) == 0;
    let gap = binade * if power { pow2(-25) } else { pow2(-24) };
    (r, (err < gap - (y - rf).abs()) & (binade >= pow2(-126)) & (binade <= pow2(127)))
}

/// The rest: subnormals, zeros, infinities, NaN, powers of two, exact ties.
#[cold]
fn decide_special(y: f64, err: f64) -> Option<f32> {
    /// Halfway between the greatest f32 and 2^128.
    const OVERFLOW: f64 = pow2(128) - pow2(103);
    if err.is_nan() || err == f64::INFINITY {
        return None;
    }
    let r = y as f32;
    if y.is_nan() || err == 0.0 {
        return Some(r);
    }
    if y.is_infinite() {
        // |f| >= 2^(1023 - err).
        return (err <= 890.0).then_some(r);
    }
    if r.is_infinite() {
        // The rounded difference exceeds err only if the exact one does: rounding is monotone and err a double.
        return (y.abs() - OVERFLOW > err).then_some(r);
    }
    if r == 0.0 {
        let signed = err <= y.abs() && y != 0.0;
        return (signed && y.abs() + err < pow2(-150)).then_some(r);
    }
    let rf = f64::from(r);
    let binade = f64::from_bits(rf.to_bits() & EXPONENT).max(pow2(-126));
    let power = r.to_bits() & 0x007f_ffff == 0;
    // Signed distance outwards from r, exact; the halfway points are at -inner and +outer.
    let d = y.abs() - rf.abs();
    let outer = binade * pow2(-24);
    let inner = if power && binade > pow2(-126) { binade * pow2(-25) } else { outer };
    (err < outer - d && err < inner + d).then_some(r)
}

/// 2^-1000 and 2^1000: what lies beyond is clamped by [`clamped`].
const LIMITS: (f64, f64) = (pow2(-1000), pow2(1000));

/// A rounded value without the magnitudes that doubles hold badly or not at all: 2^-1000 below, infinity above.
pub(crate) fn clamped(y: f64, negative: bool) -> f64 {
    let (least, most) = LIMITS;
    let sign = if negative { -1.0 } else { 1.0 };
    match y.abs() {
        a if a.is_nan() || y == 0.0 && !negative => y,
        a if a >= most => f64::INFINITY * sign,
        a if a < least => least * sign,
        _ => y,
    }
}

/// The nearest double of `bits` significant bits, of two the one farther from 0.
pub(crate) fn shortened(y: f64, bits: u32) -> f64 {
    let cut = 53 - bits;
    f64::from_bits((y.to_bits() + (1 << (cut - 1))) >> cut << cut)
}

/// The number of `bits` bits, or what [`clamped`] makes of it, that every real within `err` of `y` rounds to.
pub(crate) fn decide_bits(y: f64, err: f64, bits: u32) -> Option<f64> {
    let (least, most) = LIMITS;
    if err.is_nan() || err == f64::INFINITY {
        return None;
    }
    if y.is_nan() {
        return Some(y);
    }
    if y.is_infinite() {
        // |f| >= 2^(1023 - err).
        return (err <= 20.0).then_some(y);
    }
    if err == 0.0 && y == 0.0 {
        return Some(y);
    }
    let a = y.abs();
    if a + err < least * 0.5 {
        // The sign is known where the bound does not reach over 0.
        return (err <= a && y != 0.0).then_some(least.copysign(y));
    }
    if a - err > most * 2.0 {
        return Some(f64::INFINITY.copysign(y));
    }
    if a - err < least * 2.0 || a + err > most * 0.5 {
        return None;
    }
    let (lo, hi) = (shortened((a - err).next_down(), bits), shortened((a + err).next_up(), bits));
    (lo == hi).then(|| lo.copysign(y))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rounds both ends of the interval exactly, with MPFR.
    fn slow(y: f64, err: f64) -> Option<f32> {
        let at = |e: f64| rug::Float::with_val(2200, rug::Float::with_val(2200, y) + e).to_f32();
        let (lo, hi) = (at(-err), at(err));
        (lo.to_bits() == hi.to_bits()).then_some(lo)
    }

    #[test]
    fn agrees_with_exact_ends() {
        let mut state = 1_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state ^ (state >> 29)
        };
        let mut decided = 0;
        for i in 0..200_000 {
            let base = f32::from_bits(next() as u32);
            if base.is_nan() {
                continue;
            }
            let base = f64::from(base.clamp(-f32::MAX, f32::MAX));
            let ulp = (f64::from((base as f32).abs().next_up().min(f32::MAX)) - base.abs()).abs();
            // Around floats, halfway points and binade ends, at distances from far below to about an ulp.
            let offset = match i % 4 {
                0 => 0.0,
                1 => 0.5 * ulp,
                2 => -0.25 * ulp,
                _ => (next() as f64 / u64::MAX as f64 - 0.5) * ulp,
            };
            let mut y = base + offset;
            if i % 7 == 0 {
                y = f64::from_bits(y.to_bits() & 0xfff0_0000_0000_0000);
            }
            let err = match i % 5 {
                0 => half_ulp(y),
                1 => 0.0,
                2 => ulp * (next() as f64 / u64::MAX as f64),
                3 => 0.25 * ulp,
                _ => y.abs() * 1e-12,
            };
            let (got, want) = (decide_f32(y, err), slow(y, err));
            if let Some(r) = got {
                decided += 1;
                assert_eq!(want.map(f32::to_bits), Some(r.to_bits()), "{y:e} ± {err:e}");
            } else if y != 0.0 && want.is_some() {
                // A refusal is right only where an end touches a halfway point.
                let touches = slow(y, err * 1.000_001).is_none() || slow(y, err + 5e-324).is_none();
                assert!(touches, "{y:e} ± {err:e} is {want:?}");
            }
        }
        assert!(decided > 80_000);
    }

    #[test]
    fn short_values_are_those_of_the_enclosed_reals() {
        assert_eq!(shortened(1.0 + f64::EPSILON, 50), 1.0);
        assert_eq!(shortened(-(1.0 + 4.0 * f64::EPSILON), 50), -(1.0 + 8.0 * f64::EPSILON));
        for i in 0..20_000_u64 {
            let y = f64::from_bits(0x3ff0_0000_0000_0000 | (i.wrapping_mul(0x0123_4567_89ab_cdef) >> 12))
                * if i % 2 == 0 { 1.0 } else { -1.0 };
            let err = half_ulp(y) * (i % 5) as f64;
            let Some(short) = decide_bits(y, err, 44) else { continue };
            assert!((short - y).abs() <= y.abs() * pow2(-44), "{y:e}");
            for end in [y - err, y + err] {
                assert_eq!(shortened(end, 44), short, "{y:e} ± {err:e}");
            }
        }
        assert_eq!(decide_bits(1.0 + pow2(-44), half_ulp(1.0), 44), None);
        assert_eq!(decide_bits(5e-324, 5e-324, 44), Some(pow2(-1000)));
        assert_eq!(decide_bits(-1e308, 1e290, 44), Some(f64::NEG_INFINITY));
        assert_eq!(decide_bits(1e-320, 1e-310, 44), None);
        assert_eq!(decide_bits(0.0, 0.0, 44), Some(0.0));
    }

    #[test]
    fn a_correctly_rounded_double_is_undecided_only_halfway() {
        for bits in (0x3f80_0000_u32..0x4080_0000).step_by(997) {
            let r = f64::from(f32::from_bits(bits));
            let half = half_ulp(r) * pow2(29);
            assert_eq!(decide_f32(r + half, half_ulp(r)), None);
            assert!(decide_f32((r + half).next_down(), half_ulp(r)).is_some());
            assert!(decide_f32((r + half).next_up(), half_ulp(r)).is_some());
        }
    }
}
