//! Where a screen looks: inputs chosen by what the function does there.
//!
//! On a whole format most inputs say nothing. An exponential is 0, 1 or infinite on nine of ten binades, a sine equals its
//! argument below 2^-12. So the function is first sampled at a few places in every binade, and from these results follow
//!
//! * how many inputs a binade deserves: in proportion to how many different results it shows; a binade in which the function
//!   repeats the results of a neighbouring one up to a power of two (`sqrt`, `1/x`, arguments so small that the function is
//!   linear) gets a handful;
//! * where the regime changes: from values to none, to infinity, zero, subnormal or constant results, or the sign changes.
//!   Each such place is found by bisection to the last bit, and is looked at from both sides at distances that double.
//!
//! Nothing here knows a function by its name.

use super::screen::ScreenLayout;
use mathsmith_oracle::{FloatFormat, Reference, Scratch};
use mathsmith_verify::FloatDomain;
use mathsmith_verify::domain::{from_key, key};

/// Places at which each binade is sampled first.
const SAMPLES: i64 = 16;
/// Keys of a binade.
const BINADE: i64 = 1 << 23;
/// Inputs of a binade that shows nothing of its own.
const FEW: usize = 3;
/// Changes of one kind that are located; a function with more is periodic, and its binades are rich everywhere.
const CHANGES: usize = 24;

/// Bits of the values on a screen: 2^-20 ulp of the single format, and few enough for every expression of a function to have
/// the same.
const VALUE_BITS: u32 = 44;
/// 2^-43, above their error.
const SLACK: f64 = 1.0 / (1u64 << 43) as f64;

/// A value of the function and what it rounds to in the format of the judgement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Value {
    /// The value, good to 2^-20 ulp of the format or better; the sign of a zero is that of the rounded result.
    pub y: f64,
    /// Rounded; where it is finite good enough to tell its class.
    pub rounded: f64,
}

/// The function at some inputs, a column a variable, in their order: in doubles where their bound allows, by MPFR elsewhere.
pub(crate) fn values(reference: &Reference, format: FloatFormat, columns: &[&[f32]]) -> Vec<Value> {
    let doubles = |column: &&[f32]| column.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>();
    let columns: Vec<Vec<f64>> = columns.iter().map(doubles).collect();
    let slices: Vec<&[f64]> = columns.iter().map(|column| &column[..]).collect();
    let count = slices.first().map_or(0, |column| column.len());
    let mut ys = vec![0.0; count];
    reference.round_block_bits(&slices, VALUE_BITS, &mut ys, &mut Scratch::default());
    let one = |(i, &y): (usize, &f64)| {
        let a = y.abs();
        if a > format.max() * 2.0 {
            return Value { y, rounded: f64::INFINITY.copysign(y) };
        }
        if y.is_nan() {
            return Value { y, rounded: f64::NAN };
        }
        // What the value lacks matters where a result changes: next to halfway points, and the sign of a zero.
        let near = |y: f64| format.nearest_f64(y);
        let (below, above) = (near(y * (1.0 - SLACK)), near(y * (1.0 + SLACK)));
        if a > 0.0 && below.to_bits() == above.to_bits() && a < format.max() * 0.999 {
            return Value { y, rounded: below };
        }
        let x: Vec<f64> = slices.iter().map(|column| column[i]).collect();
        let rounded = reference.round_to(&x, format);
        Value { y: if y == 0.0 { y.copysign(rounded) } else { y }, rounded }
    };
    ys.iter().enumerate().map(one).collect()
}

/// A function at some inputs to about a double's precision.
pub(super) fn plain_values(reference: &Reference, inputs: &[f32]) -> Vec<f64> {
    let xs: Vec<f64> = inputs.iter().map(|&x| f64::from(x)).collect();
    if reference.vars().is_empty() {
        let value = reference.value_dd(&[]).0;
        return vec![value; xs.len()];
    }
    let mut ys = vec![0.0; xs.len()];
    reference.round_block_bits(&[&xs], VALUE_BITS, &mut ys, &mut Scratch::default());
    ys
}

/// What kind of result the function has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Regime {
    Undefined,
    Infinite(bool),
    Zero,
    Subnormal,
    Normal,
}

fn regime(format: FloatFormat, rounded: f64) -> Regime {
    match rounded {
        r if r.is_nan() => Regime::Undefined,
        r if r.is_infinite() => Regime::Infinite(r > 0.0),
        0.0 => Regime::Zero,
        r if r.abs() < format.min_normal() => Regime::Subnormal,
        _ => Regime::Normal,
    }
}

/// Inputs for a screen, in no particular order, with duplicates.
pub(super) fn inputs(
    reference: &Reference,
    domain: &FloatDomain,
    format: FloatFormat,
    layout: ScreenLayout,
) -> Vec<f32> {
    let (first, last) = (key(domain.lo()), key(domain.hi()));
    let mut keys: Vec<i64> = grid(first, last);
    let at = |keys: &[i64]| {
        let xs: Vec<f32> = keys.iter().map(|&k| from_key(k)).collect();
        values(reference, format, &[&xs])
    };
    let sampled = at(&keys);
    let mut out: Vec<i64> = Vec::new();
    let near = |place: i64, out: &mut Vec<i64>| {
        for shift in 0..22 {
            out.extend([place - (1 << shift), place + (1 << shift)]);
        }
        out.push(place);
    };
    for place in [first, last, 0].into_iter().chain([1.0f32, -1.0].map(key)) {
        near(place, &mut out);
    }
    for place in changes(format, &keys, &sampled, &at) {
        near(place, &mut out);
    }
    let shares = shares(format, &keys, &sampled, layout.points as usize);
    let mut draw = layout.seed;
    for (&(from, to), &share) in pieces(first, last).iter().zip(&shares) {
        let width = to - from + 1;
        for i in 0..share as i64 {
            draw = draw.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let jitter = mathsmith_search::rng::mix64(draw) >> 40;
            // Stratified: one input from each of `share` equal parts.
            let place = (i128::from(width) * (i128::from(i) * (1 << 24) + i128::from(jitter)))
                / (i128::from(share as i64) << 24);
            out.push(from + place as i64);
        }
    }
    keys.clear();
    out.retain(|k| (first..=last).contains(k));
    out.into_iter().map(from_key).collect()
}

/// The binades of a range of keys, cut at its ends.
fn pieces(first: i64, last: i64) -> Vec<(i64, i64)> {
    let mut out = Vec::new();
    let mut from = first;
    while from <= last {
        let to = (from.div_euclid(BINADE) * BINADE + BINADE - 1).min(last);
        out.push((from, to));
        from = to + 1;
    }
    out
}

/// Sampling places: [`SAMPLES`] in each piece.
fn grid(first: i64, last: i64) -> Vec<i64> {
    let places = |&(from, to): &(i64, i64)| (0..SAMPLES).map(move |i| from + (to - from) * i / (SAMPLES - 1));
    pieces(first, last).iter().flat_map(places).collect()
}

/// How many inputs each piece gets.
fn shares(format: FloatFormat, keys: &[i64], sampled: &[Value], total: usize) -> Vec<usize> {
    let per = SAMPLES as usize;
    let rounded: Vec<&[Value]> = sampled.chunks_exact(per).collect();
    let riches: Vec<f64> = rounded
        .iter()
        .enumerate()
        .map(|(i, piece)| {
            let finite: Vec<f64> = piece.iter().map(|v| v.rounded).filter(|r| r.is_finite() && *r != 0.0).collect();
            let mut distinct = finite.clone();
            distinct.sort_by(f64::total_cmp);
            distinct.dedup();
            let whole = keys[i * per + per - 1] - keys[i * per] == BINADE - 1;
            // A binade shown by a neighbour on the side of 1, where functions are least alike.
            let magnitude = from_key(keys[i * per]).abs();
            let towards_one = if (magnitude < 1.0) == (keys[i * per] >= 0) { i + 1 } else { i.wrapping_sub(1) };
            let alike = whole && rounded.get(towards_one).is_some_and(|other| scaled(format, piece, other));
            match distinct.len() {
                0 | 1 => 0.0,
                _ if alike => 0.0,
                n => n as f64 / per as f64,
            }
        })
        .collect();
    let rich: f64 = riches.iter().sum();
    let poor = riches.iter().filter(|r| **r == 0.0).count() * FEW;
    let budget = total.saturating_sub(poor).max(total / 4) as f64;
    riches.iter().map(|r| if *r == 0.0 { FEW } else { (budget * r / rich) as usize + FEW }).collect()
}

/// Whether the results of two pieces are the same up to one power of two and up to rounding.
fn scaled(format: FloatFormat, a: &[Value], b: &[Value]) -> bool {
    let ulps = 4.0 * f64::EPSILON * f64::from(1u32 << (53 - format.precision).min(31));
    let ratio = a[0].y / b[0].y;
    let power = ratio.is_finite() && ratio != 0.0 && ratio.to_bits() << 12 == 0;
    let power = if power { ratio } else { nearest_power(ratio) };
    power != 0.0 && a.iter().zip(b).all(|(a, b)| (a.y - b.y * power).abs() <= ulps * a.y.abs() && a.y.is_finite())
}

/// The power of two next to a number, with its sign; 0 if there is none.
fn nearest_power(x: f64) -> f64 {
    if !x.is_normal() {
        return 0.0;
    }
    let half = 1u64 << 51;
    f64::from_bits((x.to_bits() + half) & !((1u64 << 52) - 1))
}

/// Places at which the regime changes.
fn changes(format: FloatFormat, keys: &[i64], sampled: &[Value], at: &dyn Fn(&[i64]) -> Vec<Value>) -> Vec<i64> {
    let mut out = Vec::new();
    let mut between = |found: &mut usize, i: usize, left: &dyn Fn(&Value) -> bool| {
        if *found >= CHANGES {
            return;
        }
        *found += 1;
        let (mut lo, mut hi) = (keys[i], keys[i + 1]);
        while lo + 1 < hi {
            let mid = lo + (hi - lo) / 2;
            if left(&at(&[mid])[0]) { lo = mid } else { hi = mid }
        }
        out.push(hi);
    };
    // Zeros nearest to the origin first: those of a periodic function go on for ever.
    let mut order: Vec<usize> = (0..keys.len().saturating_sub(1)).collect();
    order.sort_by_key(|&i| (keys[i].abs(), keys[i]));
    let (mut kinds, mut signs, mut flats) = (0, 0, 0);
    for i in order {
        let (a, b) = (sampled[i].rounded, sampled[i + 1].rounded);
        let kind = regime(format, a);
        if kind != regime(format, b) {
            between(&mut kinds, i, &|v| regime(format, v.rounded) == kind);
        } else if kind == Regime::Normal && a.is_sign_negative() != b.is_sign_negative() {
            between(&mut signs, i, &|v| v.rounded.is_sign_negative() == a.is_sign_negative());
        }
        // Constant over several samples on one side, not on the other.
        let same = |j: usize| sampled.get(j).is_some_and(|v| v.rounded == sampled[i].rounded);
        let constant_left = i >= 3 && (i - 3..i).all(same);
        let end = sampled[i + 1].rounded;
        let constant_right = (i + 2..i + 5).all(|j| sampled.get(j).is_some_and(|v| v.rounded == end));
        if a != b && kind == Regime::Normal && constant_left {
            between(&mut flats, i, &|v| v.rounded == a);
        }
        if a != b && regime(format, b) == Regime::Normal && constant_right {
            between(&mut flats, i, &|v| v.rounded != b);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn screened(text: &str, domain: &FloatDomain) -> Vec<f32> {
        let reference = Reference::new(&mathsmith_dsl::parse_expr(text).unwrap()).unwrap();
        let mut xs = inputs(&reference, domain, FloatFormat::F32, ScreenLayout::default());
        xs.sort_by(f32::total_cmp);
        xs.dedup();
        xs
    }

    #[test]
    fn inputs_are_where_results_differ() {
        let xs = screened("exp2(x)", &FloatDomain::whole());
        assert!((8000..20_000).contains(&xs.len()), "{}", xs.len());
        let working = xs.iter().filter(|x| x.abs() > 1e-7 && x.abs() < 150.0).count();
        assert!(working * 10 > xs.len() * 7, "{working} of {}", xs.len());
        // The ends of overflow, of normal results and, where half of the least number is a tie, of zero, to the last bit.
        for edge in [128.0f32, -126.0, -150.0] {
            assert!(xs.contains(&edge), "{edge}");
            assert!(xs.contains(&edge.next_down()) && xs.contains(&edge.next_up()), "{edge}");
        }
    }

    #[test]
    fn saturation_zeros_and_undefined_stretches_are_found() {
        let xs = screened("tanh(x)", &FloatDomain::whole());
        let one = xs.iter().filter(|x| (8.9..9.1).contains(*x)).count();
        assert!(one > 30, "{one} inputs where tanh becomes 1");
        let xs = screened("log(x)", &FloatDomain::whole());
        let close = xs.iter().filter(|x| (**x - 1.0).abs() < 1e-5).count();
        assert!(close > 10, "{close} inputs around the zero of the logarithm");
        let negative = xs.iter().filter(|x| **x < 0.0).count();
        assert!(negative > 100 && negative < xs.len() / 3, "{negative} of {}", xs.len());
    }

    #[test]
    fn narrow_domains_are_covered() {
        let domain = FloatDomain::new(0.5, 1.0).unwrap();
        let xs = screened("sqrt(x)", &domain);
        assert!(xs.len() > 6000 && xs.iter().all(|&x| domain.contains(x)), "{}", xs.len());
        let domain = FloatDomain::new(1.0, 1.0f32.next_up()).unwrap();
        assert_eq!(screened("exp(x)", &domain).len(), 2);
    }
}
