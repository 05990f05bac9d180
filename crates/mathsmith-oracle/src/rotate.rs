//! Sine, cosine and tangent of neighbouring large floats by the addition theorem.
//!
//! Far from zero adjacent floats of the single format lie far apart, so that no polynomial serves them, and each call of a
//! correctly rounded sine reduces its argument by pi anew. Within a binade the floats are `x = a + j u` with `u` their
//! spacing; for an *anchor* `a` every [`STEPS`] floats and `b = j u`,
//!
//! ```text
//! sin(a + b) = sin a cos b + cos a sin b,    cos(a + b) = cos a cos b - sin a sin b.
//! ```
//!
//! Sine and cosine of the anchors and of all `b` of a binade are correctly rounded by CORE-MATH (`a`, `b` and `a + b` are
//! exact in doubles); a table of the latter is made once a process. What remains is a product and a fused multiply-add.
//!
//! # The bound
//!
//! Each of the four factors is within 2^-54 of the real one, being below 1 in magnitude or 1. So is the rounded product,
//! of magnitude at most 1. The sum is exact but for its one rounding, which is below 2^-53 even where errors have carried
//! it past 1. With `|sin| + |cos| <= sqrt(2)` for `a` and for `b`,
//!
//! `|y - f| <= 2^-54 (2 sqrt(2) + 1 + 2) + 2^-106 < 2^-54 5.83`; [`BOUND`] is 5.9 * 2^-54.
//!
//! The error is absolute: values below [`LEAST`] in magnitude, one in 6,000, are left to CORE-MATH. A tangent is the
//! quotient of the two, with the rule that quotients have everywhere ([`crate::fast`]).

use crate::bound::INFLATE;
use crate::decide::half_ulp;
use crate::function::Unary;
use std::sync::OnceLock;

/// Floats that share an anchor.
const STEPS: usize = 256;
/// See the module's documentation.
pub(crate) const BOUND: f64 = 5.9 / (1u64 << 54) as f64;
/// 2^-12: below it the relative error would be felt by single-format results.
const LEAST: f64 = 1.0 / 4096.0;
/// Arguments below 2^FIRST are near enough to each other for polynomials.
const FIRST: i32 = 4;
/// Exponents of the single format end here.
const LAST: i32 = 127;
/// Lanes below which a table is not worth its look.
const SHORTEST: usize = 32;
/// Bits of the single format's fraction.
const FRACTION: i32 = 23;

/// Sines and cosines of `j u`, for a second index that runs on past the last anchor's.
struct Table {
    sines: [f64; STEPS],
    cosines: [f64; STEPS],
}

static TABLES: [OnceLock<Box<Table>>; (LAST - FIRST + 1) as usize] = [const { OnceLock::new() }; _];

/// `0.0, 1.0, 2.0, ...`
static COUNT: [f64; STEPS] = {
    let mut a = [0.0; STEPS];
    let mut i = 0;
    while i < STEPS {
        a[i] = i as f64;
        i += 1;
    }
    a
};

fn power_of_two(e: i32) -> f64 {
    f64::from_bits(((1023 + e) as u64) << 52)
}

/// Where a float lies: exponent of its binade, anchor below it, and its number from there. `None` for a double that is
/// no float of the single format, or of another size than this is for.
fn place(x: f64) -> Option<(i32, f64, usize)> {
    let bits = x.to_bits();
    let e = ((bits >> 52) & 0x7ff) as i32 - 1023;
    if !(FIRST..=LAST).contains(&e) || bits & ((1 << (52 - FRACTION)) - 1) != 0 {
        return None;
    }
    let m = ((bits & ((1 << 52) - 1)) >> (52 - FRACTION)) as usize + (1 << FRACTION);
    // Anchors lie at multiples of STEPS, never above the argument.
    let (anchor, j) = if x > 0.0 {
        (m - m % STEPS, m % STEPS)
    } else {
        let up = m.next_multiple_of(STEPS);
        (up, up - m)
    };
    Some((e, (anchor as f64 * power_of_two(e - FRACTION)).copysign(x), j))
}

fn table(e: i32) -> &'static Table {
    TABLES[(e - FIRST) as usize].get_or_init(|| {
        let b = |j: usize| j as f64 * power_of_two(e - FRACTION);
        Box::new(Table {
            sines: std::array::from_fn(|j| core_math::sin(b(j))),
            cosines: std::array::from_fn(|j| core_math::cos(b(j))),
        })
    })
}

/// Values and bounds of sin, cos or tan at the beginning of a column of arguments, as far as they are adjacent floats;
/// how many were done. The caller has checked that this processor runs CORE-MATH.
#[inline(always)]
pub(crate) fn run(op: Unary, xs: &[f64], ys: &mut [f64], errs: &mut [f64]) -> usize {
    let mut done = 0;
    if xs.len() < SHORTEST {
        return 0;
    }
    while done < xs.len() {
        let Some((e, a, j)) = place(xs[done]) else { break };
        let n = (STEPS - j).min(xs.len() - done);
        let (x, y, err) = (&xs[done..][..n], &mut ys[done..][..n], &mut errs[done..][..n]);
        let unit = power_of_two(e - FRACTION);
        let mut adjacent = true;
        for (x, count) in x.iter().zip(&COUNT[j..]) {
            // Exact: a multiple of the spacing with at most 24 bits.
            adjacent &= *x == count.mul_add(unit, a);
        }
        if !adjacent {
            break;
        }
        let t = table(e);
        let (sines, cosines) = (&t.sines[j..][..n], &t.cosines[j..][..n]);
        segment(op, (core_math::sin(a), core_math::cos(a)), (sines, cosines), y, err);
        small(op, x, y, err);
        done += n;
    }
    done
}

/// The addition theorem over one anchor's floats. An infinite bound marks what [`small`] takes up.
#[inline(always)]
fn segment(op: Unary, (sa, ca): (f64, f64), (sb, cb): (&[f64], &[f64]), y: &mut [f64], e: &mut [f64]) {
    let n = y.len();
    let (sb, cb, e) = (&sb[..n], &cb[..n], &mut e[..n]);
    let mark = |v: f64| if v.abs() < LEAST { f64::INFINITY } else { BOUND };
    match op {
        Unary::Sin => {
            for i in 0..n {
                y[i] = sa.mul_add(cb[i], ca * sb[i]);
                e[i] = mark(y[i]);
            }
        }
        Unary::Cos => {
            for i in 0..n {
                y[i] = ca.mul_add(cb[i], -(sa * sb[i]));
                e[i] = mark(y[i]);
            }
        }
        _ => {
            for i in 0..n {
                let s = sa.mul_add(cb[i], ca * sb[i]);
                let c = ca.mul_add(cb[i], -(sa * sb[i]));
                let q = s / c;
                y[i] = q;
                let bound = (BOUND + q.abs() * BOUND * INFLATE) / ((c.abs() - BOUND) * (1.0 - 1e-15)) + half_ulp(q);
                e[i] = if (s.abs() < LEAST) | (c.abs() < LEAST) { f64::INFINITY } else { bound * INFLATE };
            }
        }
    }
}

/// The marked lanes, correctly rounded.
#[inline(always)]
fn small(op: Unary, x: &[f64], y: &mut [f64], e: &mut [f64]) {
    let mut marked = false;
    for e in e.iter() {
        marked |= *e == f64::INFINITY;
    }
    if marked {
        singly(op, x, y, e);
    }
}

#[cold]
fn singly(op: Unary, x: &[f64], y: &mut [f64], e: &mut [f64]) {
    for i in 0..x.len() {
        if e[i] == f64::INFINITY {
            y[i] = match op {
                Unary::Sin => core_math::sin(x[i]),
                Unary::Cos => core_math::cos(x[i]),
                _ => core_math::tan(x[i]),
            };
            e[i] = half_ulp(y[i]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fast::cpu_supported;
    use rug::Float;

    /// `count` adjacent floats from a bit pattern on, upwards in value.
    fn floats(bits: u32, count: u32) -> Vec<f64> {
        let up = |i: u32| if bits >> 31 == 1 { bits - i } else { bits + i };
        (0..count).map(|i| f64::from(f32::from_bits(up(i)))).collect()
    }

    /// The greatest error of sin and cos over runs in every binade, in units of [`BOUND`], and how many lanes were turned.
    fn greatest() -> (f64, usize) {
        let (mut worst, mut turned) = (0.0f64, 0);
        for e in FIRST..=LAST {
            for (op, sign) in [(Unary::Sin, 0u32), (Unary::Cos, 1), (Unary::Sin, 1)] {
                let start =
                    (sign << 31) | ((e + 127) as u32) << 23 | (0x2a_aaaa_u32.wrapping_mul(e as u32) & 0x7f_f000);
                let x = floats(start + 2000, 700);
                let (mut y, mut err) = (vec![0.0; x.len()], vec![0.0; x.len()]);
                assert_eq!(run(op, &x, &mut y, &mut err), x.len());
                for i in (0..x.len()).step_by(3).filter(|&i| err[i] == BOUND) {
                    let exact = Float::with_val(500, x[i]);
                    let exact = if op == Unary::Sin { exact.sin() } else { exact.cos() };
                    worst = worst.max((exact - y[i]).abs().to_f64() / BOUND);
                    turned += 1;
                }
            }
        }
        (worst, turned)
    }

    #[test]
    fn the_bound_holds_and_a_third_of_it_would_not() {
        if !cpu_supported() {
            return;
        }
        let (worst, turned) = greatest();
        assert!(turned > 80_000, "{turned}");
        assert!(worst <= 1.0, "{worst}");
        assert!(worst > 1.0 / 3.0, "{worst}");
    }

    #[test]
    fn only_adjacent_floats_are_turned() {
        if !cpu_supported() {
            return;
        }
        let done = |x: &[f64]| run(Unary::Sin, x, &mut vec![0.0; x.len()], &mut vec![0.0; x.len()]);
        let x = floats(0x5000_0000, 300);
        assert_eq!(done(&x), 300);
        let with = |i: usize, v: f64| {
            let mut x = x.clone();
            x[i] = v;
            x
        };
        // The anchor's floats are turned together or not at all.
        assert_eq!(done(&with(299, x[298])), 256);
        assert_eq!(done(&with(255, x[255].next_up())), 0);
        assert_eq!(done(&with(0, f64::NAN)), 0);
        assert_eq!(done(&with(0, f64::INFINITY)), 0);
        assert_eq!(done(&x[..SHORTEST - 1]), 0);
        assert_eq!(done(&x.iter().rev().copied().collect::<Vec<_>>()), 0);
        // Across the end of a binade, upwards from above and from below zero.
        assert_eq!(done(&floats(0x507f_ff80, 256)), 256);
        assert_eq!(done(&floats(0xd080_0040, 128)), 64);
        assert_eq!(done(&floats(0x7f7f_ff00, 256)), 256);
        assert_eq!(done(&floats(0xff7f_ffff, 256)), 256);
    }

    #[test]
    fn anchors_are_exact() {
        for bits in (0x4180_0000..0x7f80_0000u32).step_by(77_777) {
            for x in [f64::from(f32::from_bits(bits)), -f64::from(f32::from_bits(bits))] {
                let (e, a, j) = place(x).expect("a float of the range");
                assert!(j < STEPS && a <= x, "{x:e}");
                assert_eq!(a + j as f64 * power_of_two(e - FRACTION), x);
            }
        }
        assert!([1.0, 15.9, 0.0, -0.0, 1e300, f64::INFINITY, f64::NAN, 20.1].iter().all(|&x| place(x).is_none()));
    }
}
