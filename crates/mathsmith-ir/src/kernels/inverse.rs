//! `atan`, `asin` and `acos` in `f64`.
//!
//! **atan.** `|x| > 1` goes to `pi/2 - atan(1/|x|)`. For `t` from 0 to 1 the nearest quarter `c` is taken out by the
//! addition theorem, `atan t = atan c + atan((t - c)/(1 + t c))`, the constant as a pair of doubles; the rest is at most
//! 1/8 and goes through its Taylor series.
//!
//! **asin, acos.** `asin x = atan(x / sqrt((1 - x)(1 + x)))` and `acos x = 2 atan(sqrt((1 - x)/(1 + x)))`: the differences
//! lose nothing where they cancel, and the ends come out by themselves, an infinite quotient being a right angle. Beyond
//! them the root is NaN.

use super::builder::Builder;
use crate::Value;

/// `atan(k/4)` for k from 1 to 4: the nearest double and the nearest double to what it leaves.
const ATAN_QUARTERS: [(u64, u64); 4] = [
    (0x3fcf_5b75_f92c_80dd, 0x3c68_ab6e_3cf7_afbd),
    (0x3fdd_ac67_0561_bb4f, 0x3c7a_2b7f_222f_65e2),
    (0x3fe4_978f_a326_9ee1, 0x3c72_419a_87f2_a458),
    (0x3fe9_21fb_5444_2d18, 0x3c81_a626_3314_5c07),
];
/// pi/2 in the same way.
const HALF_PI: (u64, u64) = (0x3ff9_21fb_5444_2d18, 0x3c91_a626_3314_5c07);

pub(super) fn atan(b: &mut Builder, x: Value) -> Value {
    let (zero, one) = (b.f(0.0), b.f(1.0));
    let magnitude = b.abs(x);
    let steep = b.gt(magnitude, one);
    let inverse = b.div(one, magnitude);
    let t = b.select(steep, inverse, magnitude);

    let (four, quarter) = (b.f(4.0), b.f(0.25));
    let scaled = b.mul(t, four);
    let rounded = b.round_even(scaled);
    let c = b.mul(rounded, quarter);
    let (mut hi, mut lo) = (zero, zero);
    for (k, (high, low)) in (1..).zip(ATAN_QUARTERS) {
        let k = b.f(f64::from(k));
        let here = b.eq(rounded, k);
        let (high, low) = (b.f(f64::from_bits(high)), b.f(f64::from_bits(low)));
        hi = b.select(here, high, hi);
        lo = b.select(here, low, lo);
    }

    let (above, product) = (b.sub(t, c), b.mul(t, c));
    let below = b.add(one, product);
    let u = b.div(above, below);
    let z = b.mul(u, u);
    let series: Vec<f64> = (1..=9).map(|n| if n % 2 == 0 { 1.0 } else { -1.0 } / f64::from(2 * n + 1)).collect();
    let tail = b.horner(z, &series);
    let cube = b.mul(u, z);
    let tail = b.mul(cube, tail);

    // hi + u + (tail + lo); the sum of the first two keeps its error, and u is the larger one only where hi is 0.
    let gentle = b.quick_two_sum(hi, u);
    let rest = b.add(tail, lo);
    let rest = b.add(gentle.lo, rest);
    let (right_high, right_low) = (b.f(f64::from_bits(HALF_PI.0)), b.f(f64::from_bits(HALF_PI.1)));
    let minus = b.neg(gentle.hi);
    let complement = b.quick_two_sum(right_high, minus);
    let other_rest = b.sub(right_low, rest);
    let other_rest = b.add(complement.lo, other_rest);
    let (gentle, steep_angle) = (b.add(gentle.hi, rest), b.add(complement.hi, other_rest));
    let y = b.select(steep, steep_angle, gentle);
    b.copysign(y, x)
}

pub(super) fn asin(b: &mut Builder, x: Value) -> Value {
    let one = b.f(1.0);
    let (below, above) = (b.sub(one, x), b.add(one, x));
    let square = b.mul(below, above);
    let adjacent = b.sqrt(square);
    let tangent = b.div(x, adjacent);
    atan(b, tangent)
}

pub(super) fn acos(b: &mut Builder, x: Value) -> Value {
    let one = b.f(1.0);
    let (below, above) = (b.sub(one, x), b.add(one, x));
    let square = b.div(below, above);
    let tangent = b.sqrt(square);
    let half = atan(b, tangent);
    b.add(half, half)
}
