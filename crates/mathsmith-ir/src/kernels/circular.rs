//! `sin`, `cos` and `tan` in `f64`, for |x| up to 2^30; NaN beyond.
//!
//! `x = k pi/2 + r`, `|r|` up to about pi/4, with pi/2 in four parts (Cody and Waite): three of 23 bits, whose products
//! with `k < 2^30` are exact, and a double. The first two subtractions are exact too, because what they leave is small and
//! a multiple of a small power of two; the errors of the last two are kept, so that `r` is a pair of doubles and stays
//! accurate where x is next to a multiple of pi/2. Taylor series in `r^2` follow, to degree 17 and 16.
//!
//! Beyond 2^30 the products would round and the error would grow with x. A NaN says so; a wrong digit would not.

use super::builder::{Builder, Pair};
use crate::{Op, Value};

/// pi/2 as a sum, each part the nearest of its length to what the parts before it leave: 23, 23, 23 and 53 bits.
const HALF_PI: [u64; 4] = [0x3ff9_21fb_4000_0000, 0x3e74_442d_0000_0000, 0x3cf8_4698_8000_0000, 0x3b78_cc51_701b_839a];

/// The largest magnitude that is reduced.
pub const LARGEST_ANGLE: f64 = 1_073_741_824.0;

/// An angle taken to the first octants.
struct Reduced {
    r: Pair,
    /// Its low bits are the quadrant.
    quadrant: Value,
    /// Whether the reduction is right.
    inside: Value,
}

fn reduce(b: &mut Builder, x: Value) -> Reduced {
    let (magnitude, limit, zero) = (b.abs(x), b.f(LARGEST_ANGLE), b.f(0.0));
    let inside = b.le(magnitude, limit);
    let x = b.select(inside, x, zero);
    let per_quadrant = b.f(std::f64::consts::FRAC_2_PI);
    let quotient = b.mul(x, per_quadrant);
    let (k, quadrant) = b.nearest(quotient);
    let parts = HALF_PI.map(|part| {
        let part = b.f(f64::from_bits(part));
        b.mul(k, part)
    });
    let first = b.sub(x, parts[0]);
    let second = b.sub(first, parts[1]);
    let third = b.two_difference(second, parts[2]);
    let fourth = b.two_difference(third.hi, parts[3]);
    let lo = b.add(third.lo, fourth.lo);
    let r = b.quick_two_sum(fourth.hi, lo);
    Reduced { r, quadrant, inside }
}

/// `1/n!` with alternating signs, beginning with a negative one at `first` and going on in steps of two.
fn alternating(first: u32, last: u32) -> Vec<f64> {
    let mut sign = 1.0;
    (first..=last)
        .step_by(2)
        .map(|n| {
            sign = -sign;
            // An exact integer up to 18!, so that the quotient is the rational rounded once.
            sign / (1..=n).map(f64::from).product::<f64>()
        })
        .collect()
}

/// `sin(r)`: `r + (r z S(z) + lo (1 - z/2))`.
fn sine(b: &mut Builder, r: Pair) -> Value {
    let z = b.mul(r.hi, r.hi);
    let series = b.horner(z, &alternating(3, 17));
    let cube = b.mul(r.hi, z);
    let tail = b.mul(cube, series);
    let (one, half) = (b.f(1.0), b.f(0.5));
    let bent = b.mul(z, half);
    let slope = b.sub(one, bent);
    let correction = b.mul(r.lo, slope);
    let tail = b.add(tail, correction);
    b.add(r.hi, tail)
}

/// `cos(r)`: `1 - z/2`, what that rounded away, and `z^2 C(z) - hi lo`.
fn cosine(b: &mut Builder, r: Pair) -> Value {
    let z = b.mul(r.hi, r.hi);
    let coefficients: Vec<f64> = alternating(4, 16).into_iter().map(|c| -c).collect();
    let series = b.horner(z, &coefficients);
    let square = b.mul(z, z);
    let tail = b.mul(square, series);
    let correction = b.mul(r.hi, r.lo);
    let tail = b.sub(tail, correction);
    let (one, half) = (b.f(1.0), b.f(0.5));
    let bent = b.mul(z, half);
    let main = b.sub(one, bent);
    let taken = b.sub(one, main);
    let lost = b.sub(taken, bent);
    let tail = b.add(lost, tail);
    b.add(main, tail)
}

/// Whether a bit of an integer is set.
fn has_bit(b: &mut Builder, x: Value, bit: i64) -> Value {
    let (mask, zero) = (b.i(bit), b.i(0));
    let masked = b.and(x, mask);
    b.ne(masked, zero)
}

/// The sine of the reduced angle, `quarters` quadrants on.
fn wave(b: &mut Builder, reduced: &Reduced, quarters: i64) -> Value {
    let (sine, cosine) = (sine(b, reduced.r), cosine(b, reduced.r));
    let quadrant = if quarters == 0 {
        reduced.quadrant
    } else {
        let on = b.i(quarters);
        b.p.must(Op::Add, &[reduced.quadrant, on])
    };
    let (odd, upper) = (has_bit(b, quadrant, 1), has_bit(b, quadrant, 2));
    let y = b.select(odd, cosine, sine);
    let negated = b.neg(y);
    let y = b.select(upper, negated, y);
    let nan = b.f(f64::NAN);
    b.select(reduced.inside, y, nan)
}

/// `x` where it is a zero, whose sign the reduction loses.
fn keep_zero(b: &mut Builder, x: Value, y: Value) -> Value {
    let zero = b.f(0.0);
    let is_zero = b.eq(x, zero);
    b.select(is_zero, x, y)
}

pub(super) fn sin(b: &mut Builder, x: Value) -> Value {
    let reduced = reduce(b, x);
    let y = wave(b, &reduced, 0);
    keep_zero(b, x, y)
}

pub(super) fn cos(b: &mut Builder, x: Value) -> Value {
    let reduced = reduce(b, x);
    wave(b, &reduced, 1)
}

pub(super) fn tan(b: &mut Builder, x: Value) -> Value {
    let reduced = reduce(b, x);
    let (sine, cosine) = (sine(b, reduced.r), cosine(b, reduced.r));
    let odd = has_bit(b, reduced.quadrant, 1);
    let minus_cosine = b.neg(cosine);
    let (above, below) = (b.select(odd, minus_cosine, sine), b.select(odd, sine, cosine));
    let y = b.div(above, below);
    let nan = b.f(f64::NAN);
    let y = b.select(reduced.inside, y, nan);
    keep_zero(b, x, y)
}
