//! Climbing from the worst inputs found so far: steps of every size, because it is not known how wide the place is in which
//! errors are large.

use super::worker::Lanes;
use super::{Question, SampleDomain, fraction_bits};
use crate::gather::{Gather, Spot};
use crate::judge::Point;
use mathsmith_ir::sample::SplitMix;

/// Inputs that are climbed from.
const TOPS: usize = 64;
/// Of these, the worst that may lie as close together as they like.
const CLOSE: usize = 8;

/// The worst inputs of finite error, not all from one place.
pub(crate) fn tops(domain: &SampleDomain, found: &Gather) -> Vec<Spot> {
    let apart = 1i64 << (fraction_bits(domain.format()) / 2);
    let mut tops: Vec<Spot> = Vec::new();
    for spot in found.finite.iter().filter(|s| s.value > 0.0) {
        let keys = domain.keys(&spot.x);
        let near = |s: &Spot| {
            let other = domain.keys(&s.x);
            (0..domain.arity()).all(|a| keys[a].wrapping_sub(other[a]).unsigned_abs() < apart as u64)
        };
        if tops.len() < CLOSE || !tops.iter().any(near) {
            tops.push(*spot);
        }
        if tops.len() == TOPS {
            break;
        }
    }
    tops
}

/// One of the worst inputs, the worse the likelier.
pub(crate) fn pick<'t>(tops: &'t [Spot], rng: &mut SplitMix) -> Option<&'t Spot> {
    let u = (rng.bits() >> 11) as f64 / (1u64 << 53) as f64;
    tops.get((u * u * tops.len() as f64) as usize)
}

/// An input some way off: a step of random size along one argument, or along each.
pub(crate) fn step(q: &Question<'_>, x: &Point, rng: &mut SplitMix) -> Point {
    let mut keys = q.domain.keys(x);
    let arity = q.domain.arity();
    // One argument or the other, or both.
    let which = if arity == 1 { 0 } else { rng.below(3) };
    for (a, key) in keys[..arity].iter_mut().enumerate() {
        if arity == 2 && which == 1 - a {
            continue;
        }
        let axis = &q.domain.axes[a];
        let bits = 64 - (axis.last.wrapping_sub(axis.first) as u64).leading_zeros();
        let fraction = fraction_bits(q.domain.format());
        let by = if rng.below(8) == 0 {
            // The same significand in a binade near by.
            (1 + rng.below(16) as i64) << fraction
        } else {
            let size = rng.below(bits.min(fraction + 2).max(1) as usize);
            1 + (rng.bits() & ((1u64 << size) - 1)) as i64
        };
        *key = axis.shifted(*key, if rng.bits() & 1 == 0 { by } else { -by });
    }
    q.domain.point(keys)
}

/// Fills `lanes` with inputs around the worst.
pub(crate) fn moves(q: &Question<'_>, tops: &[Spot], rng: &mut SplitMix, count: usize, lanes: &mut Lanes) {
    let mut drawn = 0;
    while drawn < count {
        let x = match pick(tops, rng) {
            Some(top) => step(q, &top.x, rng),
            None => q.draw(rng),
        };
        drawn += 1;
        if q.wanted(&x) {
            lanes.points.push(x);
        }
    }
}
