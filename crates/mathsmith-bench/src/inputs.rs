//! The inputs of a timing: a seeded mix over the useful part of the domain.
//!
//! Times of scalar functions depend on their arguments (fast paths for small ones, slow ones for huge or subnormal ones), so
//! what was fed in is part of every result. Half of the inputs are uniform in value, half uniform in the binades, each
//! over the *useful range*: the domain as far as results are finite and, towards an infinite end, neither zero nor subnormal
//! (which many processors compute slowly, whatever the code), nor what they stay at to the end (`tanh` where it is one).

use crate::BenchError;
use mathsmith_ir::sample::SplitMix;
use mathsmith_oracle::{FloatFormat, Reference};
use serde::{Deserialize, Serialize};

/// How inputs are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mix {
    /// Half in value, half in binades.
    #[default]
    Mix,
    /// Uniform in value over the useful range.
    Value,
    /// Uniform over the binades of normal numbers in the useful range.
    Binades,
    /// Uniform in value over the part of the useful range between -8 and 8, where scalar and vector functions alike have their
    /// fast paths.
    Small,
}

impl Mix {
    /// The way of that name.
    pub fn named(name: &str) -> Option<Mix> {
        match name {
            "mix" => Some(Mix::Mix),
            "value" => Some(Mix::Value),
            "binades" => Some(Mix::Binades),
            "small" => Some(Mix::Small),
            _ => None,
        }
    }

    /// What is drawn, in words.
    pub fn words(self) -> &'static str {
        match self {
            Mix::Mix => "half uniform in value, half uniform in binades",
            Mix::Value => "uniform in value",
            Mix::Binades => "uniform in binades",
            Mix::Small => "uniform in value",
        }
    }
}

/// The inputs of a timing.
#[derive(Clone, Debug, PartialEq)]
pub struct Inputs {
    /// The numbers.
    pub values: Vec<f32>,
    /// First and last number of the useful range.
    pub range: [f32; 2],
}

const F32: FloatFormat = FloatFormat::F32;

/// Points looked at in each binade when the useful range is sought.
const PER_BINADE: i64 = 16;

/// Largest magnitude of small inputs.
const SMALL: f64 = 8.0;

/// Tries for one input before the range counts as without results.
const TRIES: usize = 200;

/// Draws `count` inputs from the part of `ends` in which `reference` has results that are worth computing.
///
/// # Errors
/// [`BenchError::Inputs`] where there are none.
pub fn draw(reference: &Reference, ends: [f64; 2], count: usize, mix: Mix, seed: u64) -> Result<Inputs, BenchError> {
    let none = || BenchError::Inputs { reference: reference.source().to_owned(), lo: ends[0], hi: ends[1] };
    let mut range = useful_range(reference, ends).ok_or_else(none)?;
    if mix == Mix::Small && range[0] < SMALL && range[1] > -SMALL {
        range = [range[0].max(-SMALL), range[1].min(SMALL)];
    }
    let [lo, hi] = range.map(|x| x as f32);
    let mut rng = SplitMix::new(seed);
    let mut values = Vec::with_capacity(count);
    let finite = |x: f32| reference.round_f32(&[f64::from(x)]).is_finite();
    for i in 0..count {
        let by_value = match mix {
            Mix::Mix => i % 2 == 0,
            Mix::Value | Mix::Small => true,
            Mix::Binades => false,
        };
        let mut draw = || if by_value { in_value(&mut rng, range) } else { in_binades(&mut rng, range) };
        let x = (0..TRIES).map(|_| draw().clamp(lo, hi)).find(|x| finite(*x)).ok_or_else(none)?;
        values.push(x);
    }
    Ok(Inputs { values, range: [lo, hi] })
}

/// A number in 0..1 with 53 random bits.
fn unit(rng: &mut SplitMix) -> f64 {
    (rng.bits() >> 11) as f64 / (1u64 << 53) as f64
}

fn in_value(rng: &mut SplitMix, [lo, hi]: [f64; 2]) -> f32 {
    // The difference of two singles does not overflow in double.
    (lo + (hi - lo) * unit(rng)) as f32
}

/// A random normal number: each sign and binade of the range with the weight of the part of it that lies inside.
fn in_binades(rng: &mut SplitMix, [lo, hi]: [f64; 2]) -> f32 {
    // Bit patterns of positive floats are linear within a binade, and equally many in each.
    let span = |from: f64, to: f64| -> (u64, u64) {
        let bits = |x: f64| u64::from((x.max(F32.min_normal()) as f32).to_bits());
        if to < F32.min_normal() { (0, 0) } else { (bits(from), bits(to) + 1) }
    };
    let negative = if lo < 0.0 { span((-hi).max(0.0), -lo) } else { (0, 0) };
    let positive = if hi > 0.0 { span(lo.max(0.0), hi) } else { (0, 0) };
    let (n, p) = (negative.1 - negative.0, positive.1 - positive.0);
    if n + p == 0 {
        return in_value(rng, [lo, hi]);
    }
    let at = (unit(rng) * (n + p) as f64) as u64;
    if at < n { -f32::from_bits((negative.0 + at) as u32) } else { f32::from_bits((positive.0 + at - n) as u32) }
}

/// First and last input with a result that is worth computing, to a sixteenth of a binade. An end that was asked for by
/// its number stays where it is as long as there are results.
fn useful_range(reference: &Reference, ends: [f64; 2]) -> Option<[f64; 2]> {
    let max = F32.max();
    let (lo, hi) = (ends[0].max(-max), ends[1].min(max));
    let (first, last) = (F32.key(lo), F32.key(hi));
    let step = (1i64 << 23) / PER_BINADE;
    let mut keys: Vec<i64> = vec![first];
    // Round keys, so that the range does not depend on where the domain begins.
    keys.extend((first.div_euclid(step) + 1..=last.div_euclid(step)).map(|k| k * step).filter(|k| *k < last));
    keys.push(last);
    keys.dedup();
    let value = |key: i64| f64::from(reference.round_f32(&[F32.from_key(key)]));
    let values: Vec<f64> = keys.iter().map(|&k| value(k)).collect();
    let dull = |y: f64| !y.is_finite() || y.abs() < F32.min_normal();
    let one_sided = |mut ordered: Box<dyn Iterator<Item = (i64, f64)> + '_>, open: bool| -> Option<i64> {
        if !open {
            return ordered.find(|(_, y)| y.is_finite()).map(|(key, _)| key);
        }
        let (key, end) = ordered.next()?;
        if !dull(end) {
            // A number at the end: saturated if the next ones are the same.
            let mut before = key;
            for (key, y) in ordered {
                if y != end {
                    return Some(before);
                }
                before = key;
            }
            return Some(before);
        }
        ordered.find(|(_, y)| !dull(*y)).map(|(key, _)| key)
    };
    let pairs = || keys.iter().copied().zip(values.iter().copied());
    let from = one_sided(Box::new(pairs()), ends[0].is_infinite())?;
    let to = one_sided(Box::new(pairs().rev()), ends[1].is_infinite())?;
    // A constant is useful nowhere, and is timed where it was asked for.
    if from >= to { Some([lo, hi]) } else { Some([F32.from_key(from), F32.from_key(to)]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str, ends: [f64; 2]) -> [f64; 2] {
        useful_range(&reference(text), ends).expect("a range")
    }

    fn reference(text: &str) -> Reference {
        Reference::new(&mathsmith_dsl::parse_expr(text).unwrap()).unwrap()
    }

    const ALL: [f64; 2] = [f64::NEG_INFINITY, f64::INFINITY];

    #[test]
    fn useful_ranges_leave_out_what_is_saturated() {
        let [lo, hi] = range("exp2(x)", ALL);
        assert!((-126.0..=-120.0).contains(&lo) && (124.0..128.0).contains(&hi), "{lo} {hi}");
        let [lo, hi] = range("tanh(x)", ALL);
        assert!((8.0..=10.0).contains(&hi) && lo == -hi, "{lo} {hi}");
        let [lo, hi] = range("log(x)", ALL);
        assert!(lo > 0.0 && lo <= F32.min_normal() && hi == F32.max(), "{lo} {hi}");
        assert_eq!(range("sin(x)", [-131072.0, 131072.0]), [-131072.0, 131072.0]);
        assert_eq!(range("exp2(x)", [0.0, 1.0]), [0.0, 1.0]);
    }

    #[test]
    fn inputs_are_those_of_the_seed_and_lie_in_the_range() {
        let log = reference("log(x)");
        let a = draw(&log, ALL, 256, Mix::Mix, 1).unwrap();
        assert_eq!(a, draw(&log, ALL, 256, Mix::Mix, 1).unwrap());
        assert_ne!(a, draw(&log, ALL, 256, Mix::Mix, 2).unwrap());
        assert!(a.values.iter().all(|x| *x > 0.0 && x.is_finite()));
        let near = draw(&log, ALL, 64, Mix::Small, 1).unwrap();
        assert_eq!(near.range[1], 8.0);
        let small = a.values.iter().skip(1).step_by(2).filter(|x| **x < 1.0).count();
        assert!((40..90).contains(&small), "half of the binades lie below 1: {small}");
        let e = draw(&reference("sqrt(x)"), [-2.0, -1.0], 4, Mix::Mix, 1);
        assert!(matches!(e, Err(BenchError::Inputs { .. })), "{e:?}");
    }
}
