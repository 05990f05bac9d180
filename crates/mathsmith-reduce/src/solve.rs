//! Roots of equations in one unknown, from the least magnitude outwards.
//!
//! The interval is scanned at points that are dense near zero and logarithmic outwards, and evenly spaced besides. The
//! sign at each is certain (an enclosure decides it), so a root is found wherever two neighbours have opposite signs or a
//! point is a root itself; roots at which the sign does not change are found only there. Bisection isolates the root
//! and the secant method refines it; at last the function must be small on both sides of it, next to what it is at the
//! ends of its bracket (poles and jumps are not), and not zero there (an equation that holds everywhere has no root).

use mathsmith_oracle::Status;
use mathsmith_oracle::{Enclosure, Reference, Scratch};
use rug::Float;
use std::cmp::Ordering;

/// Bits to which a root is known.
const ROOT_BITS: u32 = 380;
/// Working precision of the refinement.
const WORK_BITS: u32 = 560;
/// Precision of the final look to both sides.
const JUDGE_BITS: u32 = 1200;
/// Points in an octave, and evenly spaced ones in the interval.
const PER_OCTAVE: u32 = 32;
const EVEN: u32 = 512;
/// Octaves below 1, or below the end of an interval that does not reach 1.
const OCTAVES: i32 = 40;
/// Roots that are looked at.
const MOST_ROOTS: usize = 12;

/// Where a root may be: between two points, or at one (both the same).
struct Bracket {
    near: f64,
    far: f64,
}

/// Roots of `g` in `from..to`, in the order of their magnitude, to about [`ROOT_BITS`] bits; not 0.
pub(crate) fn roots(g: &Reference, from: f64, to: f64) -> impl Iterator<Item = Float> {
    let (from, to) = (from.max(-1e36), to.min(1e36));
    let mut brackets = Vec::new();
    if to > 0.0 {
        scan(g, from.max(0.0), to, 1.0, &mut brackets);
    }
    if from < 0.0 {
        scan(g, (-to).max(0.0), -from, -1.0, &mut brackets);
    }
    brackets.sort_by(|a, b| a.near.abs().total_cmp(&b.near.abs()).then(b.near.total_cmp(&a.near)));
    brackets.truncate(MOST_ROOTS);
    let g = g.clone();
    brackets.into_iter().filter_map(move |bracket| refined(&g, &bracket))
}

/// Magnitudes between `from` and `to` that are looked at, ascending.
fn magnitudes(from: f64, to: f64) -> Vec<f64> {
    let mut points: Vec<f64> = (0..=EVEN).map(|i| from + (to - from) * f64::from(i) / f64::from(EVEN)).collect();
    let least = from.max(to.min(1.0) * power_of_two(-OCTAVES));
    let mut octave = power_of_two(exponent(least));
    while octave <= to {
        points.extend((0..PER_OCTAVE).map(|i| octave * (1.0 + f64::from(i) / f64::from(PER_OCTAVE))));
        octave *= 2.0;
    }
    points.retain(|&x| x >= from && x <= to && x >= least.min(to) && x > 0.0);
    points.sort_by(f64::total_cmp);
    points.dedup();
    points
}

fn exponent(x: f64) -> i32 {
    ((x.to_bits() >> 52) & 0x7ff) as i32 - 1023
}

fn power_of_two(e: i32) -> f64 {
    f64::from_bits(((e + 1023).clamp(1, 2046) as u64) << 52)
}

fn scan(g: &Reference, from: f64, to: f64, side: f64, brackets: &mut Vec<Bracket>) {
    let points: Vec<f64> = magnitudes(from, to).into_iter().map(|x| side * x).collect();
    let signs = signs(g, &points);
    for (i, sign) in signs.iter().enumerate() {
        let before = i.checked_sub(1).and_then(|j| signs[j]);
        let after = signs.get(i + 1).copied().flatten();
        match *sign {
            // Zeros side by side: the equation holds on a whole stretch.
            Some(Ordering::Equal) if before != Some(Ordering::Equal) && after != Some(Ordering::Equal) => {
                brackets.push(Bracket { near: points[i], far: points[i] });
            }
            Some(sign @ (Ordering::Less | Ordering::Greater)) if before == Some(sign.reverse()) => {
                brackets.push(Bracket { near: points[i - 1], far: points[i] });
            }
            _ => {}
        }
    }
}

/// The sign at each point; `None` where there is no value.
fn signs(g: &Reference, points: &[f64]) -> Vec<Option<Ordering>> {
    let (mut y, mut err) = (vec![0.0; points.len()], vec![0.0; points.len()]);
    g.fast_block(&[points], &mut y, &mut err, &mut Scratch::default());
    let sign = |i: usize| {
        let (y, err): (f64, f64) = (y[i], err[i]);
        if y.is_infinite() && err.is_finite() || y.abs() > err {
            return y.partial_cmp(&0.0);
        }
        sign_at(g, &Float::with_val(53, points[i]), 128)
    };
    (0..points.len()).map(sign).collect()
}

fn enclosed(g: &Reference, x: &Float, bits: u32) -> Enclosure {
    g.enclose_box(&[Enclosure::point(x.clone())], bits)
}

/// The sign at a point: zero where [`WORK_BITS`] bits (or those given, if more) do not tell it from zero.
fn sign_at(g: &Reference, x: &Float, bits: u32) -> Option<Ordering> {
    for bits in [bits, bits.max(WORK_BITS)] {
        let e = enclosed(g, x, bits);
        match e.status {
            Status::Undefined => break,
            Status::Partial => continue,
            Status::Defined => {}
        }
        if e.lo > 0 {
            return Some(Ordering::Greater);
        }
        if e.hi < 0 {
            return Some(Ordering::Less);
        }
        if bits >= WORK_BITS || e.is_thin() {
            return Some(Ordering::Equal);
        }
    }
    // No value as it is written; a limit perhaps.
    g.value_at(std::slice::from_ref(x), 64).cmp0()
}

fn refined(g: &Reference, bracket: &Bracket) -> Option<Float> {
    let ends = [bracket.near, bracket.far].map(|x| Float::with_val(WORK_BITS, x));
    let root = if bracket.near == bracket.far {
        ends[0].clone()
    } else {
        let (near, far) = bisected(g, &ends[0], &ends[1], 48, 160)?;
        // Nearer to a pole or a jump the values do not become smaller; without this look it would be approached to the end.
        let size = |a: &Float, b: &Float| enclosed(g, a, 160).hi.abs().max(&enclosed(g, b, 160).hi.abs());
        if near != far && size(&near, &far) > size(&ends[0], &ends[1]) >> 8u32 {
            return None;
        }
        match secant(g, &near, &far) {
            Some(root) => root,
            None => bisected(g, &near, &far, ROOT_BITS + 8, JUDGE_BITS)?.0,
        }
    };
    judged(g, &root, &ends).then_some(root)
}

/// Halves a bracket until it is narrower than its ends by `bits`; both ends are the root where it was met.
fn bisected(g: &Reference, a: &Float, b: &Float, bits: u32, precision: u32) -> Option<(Float, Float)> {
    let (mut a, mut b) = (Float::with_val(WORK_BITS, a), Float::with_val(WORK_BITS, b));
    let sign = sign_at(g, &a, precision)?;
    for _ in 0..2 * bits {
        let width = Float::with_val(64, &b - &a);
        if width.is_zero() || width.get_exp()? < a.get_exp()?.max(b.get_exp()?) - bits as i32 {
            break;
        }
        let middle = Float::with_val(WORK_BITS, &a + &b) >> 1;
        match sign_at(g, &middle, precision)? {
            Ordering::Equal => return Some((middle.clone(), middle)),
            found if found == sign => a = middle,
            _ => b = middle,
        }
    }
    Some((a, b))
}

/// The value to [`WORK_BITS`] bits, zero where they do not tell it from zero.
fn value(g: &Reference, x: &Float) -> Option<Float> {
    let e = enclosed(g, x, WORK_BITS);
    match e.status {
        Status::Defined if e.lo > 0 || e.hi < 0 => Some(e.mid(WORK_BITS)),
        Status::Defined => Some(Float::new(WORK_BITS)),
        _ => Some(Float::with_val(WORK_BITS, g.value_at(std::slice::from_ref(x), ROOT_BITS))).filter(|v| !v.is_nan()),
    }
}

/// The secant method; `None` where it leaves the bracket or is slow.
fn secant(g: &Reference, a: &Float, b: &Float) -> Option<Float> {
    if a == b {
        return Some(a.clone());
    }
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    let (mut x0, mut x1) = (a.clone(), b.clone());
    let (mut y0, mut y1) = (value(g, &x0)?, value(g, &x1)?);
    for _ in 0..24 {
        if y1.is_zero() {
            return Some(x1);
        }
        if y0 == y1 {
            return None;
        }
        let step = Float::with_val(WORK_BITS, &x1 - &x0) * &y1 / Float::with_val(WORK_BITS, &y1 - &y0);
        let next = Float::with_val(WORK_BITS, &x1 - &step);
        if next < *low || next > *high || !next.is_finite() {
            return None;
        }
        let small = step.get_exp().is_none_or(|e| e < next.get_exp().unwrap_or(0) - (ROOT_BITS + 40) as i32);
        if small {
            return Some(next);
        }
        (x0, y0) = (x1, y1);
        y1 = value(g, &next)?;
        x1 = next;
    }
    None
}

/// Whether the function crosses or touches zero at `root`, to [`ROOT_BITS`] bits, and does not hold around it.
fn judged(g: &Reference, root: &Float, ends: &[Float; 2]) -> bool {
    let mut offset = Float::with_val(JUDGE_BITS, root);
    offset >>= ROOT_BITS;
    let sides = [Float::with_val(JUDGE_BITS, root - &offset), Float::with_val(JUDGE_BITS, root + &offset)];
    let [Some(below), Some(above)] = sides.each_ref().map(|x| sign_at(g, x, JUDGE_BITS)) else { return false };
    if below == Ordering::Equal || above == Ordering::Equal {
        return false;
    }
    let met = ends[0] == ends[1];
    if !met && below == above {
        return false;
    }
    let size = |x: &Float| enclosed(g, x, 160).hi.abs();
    let far = if met { Float::with_val(160, root * 1.0625f64) } else { ends[0].clone() };
    let mut there = size(&far);
    if !met && size(&ends[1]) > there {
        there = size(&ends[1]);
    }
    if there.is_nan() || there.is_infinite() || met {
        // A point that is a root was computed to be one: no pole.
        return met;
    }
    sides.iter().all(|x| size(x) < Float::with_val(160, &there >> 100))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(text: &str, from: f64, to: f64) -> Option<Float> {
        let g = mathsmith_dsl::parse_expr(text).expect(text);
        roots(&Reference::new(&g).expect(text), from, to).next()
    }

    #[test]
    fn simple_roots_come_out_exactly() {
        for text in [
            "2^x - 2",
            "exp2(x) - 2",
            "exp(x*ln2) - 2",
            "exp(x*0.693147180559945309) * exp(x*(ln2 - 0.693147180559945309)) - 2",
        ] {
            let root = first(text, -200.0, 200.0).expect(text);
            assert_eq!(Float::with_val(320, root), 1, "{text}");
        }
        assert_eq!(Float::with_val(320, first("exp(x*ln2/3) - 2", -50.0, 50.0).expect("a root")), 3);
    }

    #[test]
    fn roots_are_known_to_their_bits() {
        let pi = Float::with_val(360, rug::float::Constant::Pi);
        let half = Float::with_val(360, &pi >> 1);
        assert_eq!(Float::with_val(360, first("cos(x)", 0.0, 100.0).expect("a root")), half);
        assert_eq!(Float::with_val(360, first("sin(x)", 0.0, 100.0).expect("a root")), pi);
        // Of a threefold root.
        assert_eq!(Float::with_val(360, first("sin(x)^3", 1.0, 100.0).expect("a root")), pi);
        let ln2 = Float::with_val(360, rug::float::Constant::Log2);
        assert_eq!(Float::with_val(360, first("exp(x) - 2", -10.0, 200.0).expect("a root")), ln2);
    }

    #[test]
    fn the_smaller_magnitude_comes_first_of_both_signs() {
        let all = |text: &str, from: f64, to: f64| -> Vec<f64> {
            let g = mathsmith_dsl::parse_expr(text).expect(text);
            roots(&Reference::new(&g).expect(text), from, to).map(|r| r.to_f64()).collect()
        };
        assert_eq!(all("(x - 3)*(x + 2)*(x - 7)", -10.0, 10.0), [-2.0, 3.0, 7.0]);
        assert_eq!(all("(x - 3)*(x + 2)*(x - 7)", 0.0, 5.0), [3.0]);
    }

    #[test]
    fn poles_jumps_and_identities_are_no_roots() {
        for text in ["1/(x - 1.1)", "floor(x) - 0.5", "x - x", "tan(x) - tan(x)", "sin(x)^2 + cos(x)^2 - 1"] {
            assert_eq!(first(text, -3.0, 3.0), None, "{text}");
        }
        // The pole of the tangent is passed over on the way to its zero.
        let zero = first("tan(x)", 0.1, 4.0).expect("a root").to_f64();
        assert_eq!(zero, std::f64::consts::PI);
    }
}
