//! `exp`, `log` and `pow` in `f64`.
//!
//! **exp.** `x = k ln 2 + r` with ln 2 in two parts (Cody and Waite, Software Manual for the Elementary Functions, 1980),
//! `|r| <= ln(2)/2`; the Taylor polynomial of degree 13; the power of two in two factors, of which only the second can
//! round, so that a subnormal result is rounded once from the polynomial's value.
//!
//! **log.** `x = 2^k m` with m from about sqrt(1/2) to sqrt(2); `log m = 2 atanh(s)`, `s = (m - 1)/(m + 1)`, by its Taylor
//! series. With `f = m - 1`, which is exact, `2 s = f - s f`, which keeps the large term free of rounding.
//!
//! **pow.** `exp(y log|x|)`, the logarithm and the product carried as pairs of doubles: an error of the exponent is a
//! relative error of the result, and the exponent reaches 745.

use super::builder::{Builder, Pair};
use crate::Value;

/// ln 2 to 40 bits: its product with an exponent is exact.
const LN2_HIGH: u64 = 0x3fe6_2e42_fefa_4000;
/// The nearest double to what [`LN2_HIGH`] leaves of ln 2.
const LN2_LOW: u64 = 0xbd48_432a_1b0e_2634;
/// The nearest double to what one third leaves in the double nearest to it.
const THIRD_LOW: u64 = 0x3c75_5555_5555_5555;
/// The bits of a double slightly below sqrt(1/2), where the significand's interval begins.
const SQRT_HALF: i64 = 0x3fe6_a09e_0000_0000;

pub(super) fn exp(b: &mut Builder, x: Value) -> Value {
    let zero = b.f(0.0);
    let y = exp_of_pair(b, Pair { hi: x, lo: zero });
    b.or_nan(x, y)
}

/// `exp(hi + lo)` for a small correction `lo`; any number where `hi` is NaN.
fn exp_of_pair(b: &mut Builder, x: Pair) -> Value {
    // Beyond these ends every result is infinite or rounds to zero; a NaN becomes the upper one.
    let (lowest, highest) = (b.f(-746.0), b.f(710.0));
    let below = b.min(x.hi, highest);
    let clamped = b.max(below, lowest);
    let per_ln2 = b.f(std::f64::consts::LOG2_E);
    let quotient = b.mul(clamped, per_ln2);
    let (k, k_bits) = b.nearest(quotient);
    let (high, low) = (b.f(f64::from_bits(LN2_HIGH)), b.f(f64::from_bits(LN2_LOW)));
    let whole = b.mul(k, high);
    let first = b.sub(clamped, whole);
    let rest = b.mul(k, low);
    // `lo` may reach 2^-43 where `hi` is large, so it belongs into the polynomial's argument.
    let rest = b.sub(rest, x.lo);
    let r = b.sub(first, rest);
    // What the last subtraction rounded away, which the result takes with factor 1.
    let taken = b.sub(first, r);
    let lost = b.sub(taken, rest);

    let mut factorial = 1.0;
    let series: Vec<f64> = (2..=13)
        .map(|n| {
            factorial *= f64::from(n);
            1.0 / factorial
        })
        .collect();
    let q = b.horner(r, &series);
    let square = b.mul(r, r);
    let tail = b.mul(square, q);
    let tail = b.add(tail, lost);
    let above_one = b.add(r, tail);
    let one = b.f(1.0);
    let y = b.add(one, above_one);

    let one_bit = b.i(1);
    let half = b.shr(k_bits, one_bit);
    let other = b.p.must(crate::Op::Sub, &[k_bits, half]);
    let (first, second) = (power_of_two(b, half), power_of_two(b, other));
    let y = b.mul(y, first);
    b.mul(y, second)
}

/// `2^k` for an exponent of normal numbers.
fn power_of_two(b: &mut Builder, k: Value) -> Value {
    let (bias, places) = (b.i(1023), b.i(52));
    let field = b.add(k, bias);
    let bits = b.shl(field, places);
    b.double_of_bits(bits)
}

/// `x = 2^k (1 + f)` for a positive finite `x`, `f` from about -0.293 to 0.414; returns `k` and `f`, both exact.
fn decompose(b: &mut Builder, x: Value) -> (Value, Value) {
    let smallest_normal = b.f(f64::MIN_POSITIVE);
    let subnormal = b.lt(x, smallest_normal);
    let two_to_54 = b.f(18_014_398_509_481_984.0);
    let scaled = b.mul(x, two_to_54);
    let normal = b.select(subnormal, scaled, x);
    let (start, places, fifty_four, zero) = (b.i(SQRT_HALF), b.i(52), b.i(54), b.i(0));
    let bits = b.bits(normal);
    let above = b.p.must(crate::Op::Sub, &[bits, start]);
    let k = b.shr(above, places);
    let field = b.shl(k, places);
    let significand = b.p.must(crate::Op::Sub, &[bits, field]);
    let m = b.double_of_bits(significand);
    let shift = b.select(subnormal, fifty_four, zero);
    let k = b.p.must(crate::Op::Sub, &[k, shift]);
    let k = b.widen(k);
    let one = b.f(1.0);
    let f = b.sub(m, one);
    (k, f)
}

pub(super) fn log(b: &mut Builder, x: Value) -> Value {
    let y = log_of_positive(b, x);
    let (zero, infinity, nan) = (b.f(0.0), b.f(f64::INFINITY), b.f(f64::NAN));
    let minus_infinity = b.f(f64::NEG_INFINITY);
    let (is_zero, negative, infinite) = (b.eq(x, zero), b.lt(x, zero), b.eq(x, infinity));
    let y = b.select(is_zero, minus_infinity, y);
    let y = b.select(negative, nan, y);
    let y = b.select(infinite, infinity, y);
    b.or_nan(x, y)
}

/// `log x` for a positive finite `x`; any number elsewhere.
fn log_of_positive(b: &mut Builder, x: Value) -> Value {
    let (k, f) = decompose(b, x);
    let two = b.f(2.0);
    let denominator = b.add(two, f);
    let s = b.div(f, denominator);
    let z = b.mul(s, s);
    // atanh(s) = s (1 + z/3 + z^2/5 + ...), and log(1 + f) = f - s (f - 2 (z/3 + z^2/5 + ...)).
    let series: Vec<f64> = (1..=10).map(|n| 2.0 / f64::from(2 * n + 1)).collect();
    let tail = b.horner(z, &series);
    let tail = b.mul(tail, z);
    let inner = b.sub(f, tail);
    let product = b.mul(s, inner);
    let (high, low) = (b.f(f64::from_bits(LN2_HIGH)), b.f(f64::from_bits(LN2_LOW)));
    let (whole, rest) = (b.mul(k, high), b.mul(k, low));
    let correction = b.sub(product, rest);
    let y = b.sub(f, correction);
    b.add(whole, y)
}

/// `log x` for a positive finite `x` as a pair of doubles, to about 64 bits; any numbers elsewhere.
fn log_pair(b: &mut Builder, x: Value) -> Pair {
    let (k, f) = decompose(b, x);
    // s = f / (2 + f), the quotient corrected by the remainder of the division.
    let two = b.f(2.0);
    let d = b.quick_two_sum(two, f);
    let s_hi = b.div(f, d.hi);
    let product = b.two_product(s_hi, d.hi);
    let remainder = b.sub(f, product.hi);
    let remainder = b.sub(remainder, product.lo);
    let rest = b.mul(s_hi, d.lo);
    let remainder = b.sub(remainder, rest);
    let s_lo = b.div(remainder, d.hi);
    // z = s^2.
    let square = b.two_product(s_hi, s_hi);
    let cross = b.mul(s_hi, s_lo);
    let cross = b.add(cross, cross);
    let z_lo = b.add(square.lo, cross);
    let z = Pair { hi: square.hi, lo: z_lo };
    // t = z/3 + z^2/5 + ...: the first term as a pair, the rest is small enough for a double.
    let third = Pair { hi: b.f(1.0 / 3.0), lo: b.f(f64::from_bits(THIRD_LOW)) };
    let first = multiply(b, z, third);
    let series: Vec<f64> = (2..=12).map(|n| 1.0 / f64::from(2 * n + 1)).collect();
    let q = b.horner(z.hi, &series);
    let zz = b.mul(z.hi, z.hi);
    let q = b.mul(zz, q);
    let t = b.quick_two_sum(first.hi, q);
    let t_lo = b.add(t.lo, first.lo);
    let t = Pair { hi: t.hi, lo: t_lo };
    // 2 s + 2 s t + k ln 2.
    let s2 = Pair { hi: b.add(s_hi, s_hi), lo: b.add(s_lo, s_lo) };
    let st = multiply(b, s2, t);
    let m = b.quick_two_sum(s2.hi, st.hi);
    let low = b.add(s2.lo, st.lo);
    let m_lo = b.add(m.lo, low);
    let (ln2_high, ln2_low) = (b.f(f64::from_bits(LN2_HIGH)), b.f(f64::from_bits(LN2_LOW)));
    let (whole, rest) = (b.mul(k, ln2_high), b.mul(k, ln2_low));
    let sum = b.quick_two_sum(whole, m.hi);
    let low = b.add(sum.lo, m_lo);
    // The low part of k ln 2 reaches 2^-32 and has rounding errors of its own to be kept.
    let with_rest = b.two_sum(sum.hi, rest);
    let low = b.add(low, with_rest.lo);
    b.quick_two_sum(with_rest.hi, low)
}

/// The product of two pairs, without the product of the low parts.
fn multiply(b: &mut Builder, x: Pair, y: Pair) -> Pair {
    let product = b.two_product(x.hi, y.hi);
    let (one, other) = (b.mul(x.hi, y.lo), b.mul(x.lo, y.hi));
    let cross = b.add(one, other);
    let lo = b.add(product.lo, cross);
    b.quick_two_sum(product.hi, lo)
}

/// `pow` for results that are to be right as doubles.
pub(super) fn pow(b: &mut Builder, x: Value, y: Value) -> Value {
    let magnitude = b.abs(x);
    let log = log_pair(b, magnitude);
    // Beyond 2^65 the exponent overflows or underflows for every x but 1; the bound keeps the product below finite.
    let (least, most) = (b.f(-36_893_488_147_419_103_232.0), b.f(36_893_488_147_419_103_232.0));
    let bounded = b.min(y, most);
    let bounded = b.max(bounded, least);
    let product = b.two_product(bounded, log.hi);
    let rest = b.mul(bounded, log.lo);
    let lo = b.add(product.lo, rest);
    // A correction means something only where `exp` does not clamp its argument.
    let (size, limit, zero) = (b.abs(product.hi), b.f(746.0), b.f(0.0));
    let inside = b.le(size, limit);
    let lo = b.select(inside, lo, zero);
    let power = exp_of_pair(b, Pair { hi: product.hi, lo });
    specials_of_pow(b, x, y, power)
}

/// `pow` for results that are rounded to `f32`: a logarithm of one double is enough.
pub(super) fn pow_for_f32(b: &mut Builder, x: Value, y: Value) -> Value {
    let magnitude = b.abs(x);
    let log = log_of_positive(b, magnitude);
    let product = b.mul(y, log);
    let zero = b.f(0.0);
    let power = exp_of_pair(b, Pair { hi: product, lo: zero });
    specials_of_pow(b, x, y, power)
}

/// The result of `pow` from `|x|^y`, as IEEE 754 (9.2.1, `pow`) has it.
fn specials_of_pow(b: &mut Builder, x: Value, y: Value, power: Value) -> Value {
    let (zero, half, one, infinity) = (b.f(0.0), b.f(0.5), b.f(1.0), b.f(f64::INFINITY));
    let (nan, minus_infinity) = (b.f(f64::NAN), b.f(f64::NEG_INFINITY));
    // |x| 0 or infinite: the sign of y decides.
    let magnitude = b.abs(x);
    let (is_zero, infinite) = (b.eq(magnitude, zero), b.eq(magnitude, infinity));
    let y_negative = b.lt(y, zero);
    let (of_zero, of_infinity) = (b.select(y_negative, infinity, zero), b.select(y_negative, zero, infinity));
    let r = b.select(is_zero, of_zero, power);
    let r = b.select(infinite, of_infinity, r);
    // |x| = 1 with an infinite exponent.
    let unit = b.eq(magnitude, one);
    let r = b.select(unit, one, r);
    // An odd integer passes the sign of x on, that of a zero too; infinities and all from 2^53 on are even.
    let whole = b.trunc(y);
    let integer = b.eq(whole, y);
    let halved = b.mul(y, half);
    let half_whole = b.trunc(halved);
    let uneven = b.ne(half_whole, halved);
    let odd = b.and(integer, uneven);
    let (x_bits, zero_bits) = (b.bits(x), b.i(0));
    let sign = b.lt(x_bits, zero_bits);
    let flips = b.and(sign, odd);
    let negated = b.neg(r);
    let r = b.select(flips, negated, r);
    // A finite negative base has no power that is not an integer.
    let (negative, finite) = (b.lt(x, zero), b.gt(x, minus_infinity));
    let fraction = b.not(integer);
    let undefined = b.and(negative, finite);
    let undefined = b.and(undefined, fraction);
    let r = b.select(undefined, nan, r);
    let r = b.or_nan(x, r);
    let r = b.or_nan(y, r);
    let (zeroth, base_one) = (b.eq(y, zero), b.eq(x, one));
    let trivial = b.or(zeroth, base_one);
    b.select(trivial, one, r)
}
