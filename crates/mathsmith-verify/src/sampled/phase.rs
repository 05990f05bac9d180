//! Hard cases: inputs whose exact value lies at a chosen place between two neighbouring floats.
//!
//! A result is wrong by more than half an ulp only where the error before the last rounding carries it over a tie, so the
//! largest errors of a good function are at values near ties, which random inputs hit once in a thousand. Around a centre
//! `x0` the value at the `n`-th input is `f(x0) + U (s n + q n^2)` to well below an ulp `U`, with `s` and `q` from three
//! values by MPFR (the idea of Lefèvre's search for worst cases, "An algorithm that computes a lower bound on the distance
//! between a segment and Z^2", 1999, with a scan of the window in place of the lattice). The scan costs a nanosecond an
//! input; inputs whose phase, the position between floats, is within 1/256 of the target are evaluated. A fourth value
//! checks the model. The target is a tie, or the phase of one of the worst inputs. It is the same search for any function,
//! along either argument, and where the model does not fit (jumps, steep places) steps of random size take its place.

use super::Question;
use super::climb::{pick, step};
use super::stretch::Ranked;
use super::worker::{Forecast, Lanes};
use crate::gather::Spot;
use crate::judge::{JUDGE_BITS, Point};
use mathsmith_ir::sample::SplitMix;
use rug::Float;

/// Inputs of the window on each side of the centre.
const HALF: i64 = 4096;
/// Distance from the target, in ULP.
const NEAR: f64 = 1.0 / 256.0;
/// Most inputs of one centre.
const MOST: usize = 128;
/// Fewest: exact values at a few phases only, such as those of `x + 1`, are no hard cases.
const FEWEST: usize = 16;
/// Inputs around a centre without a model.
const INSTEAD: usize = 64;
/// Largest disagreement of the model with the fourth value, in ULP.
const FITS: f64 = 1.0 / 256.0;
/// Most ulps that a value may move over half the window: further, doubles do not tell the phase.
const FAR: f64 = (1u64 << 40) as f64;

/// The model around a centre.
struct Model {
    /// The number nearest to the value at the centre.
    anchor: f64,
    /// `1 / ulp`.
    inverse: f64,
    /// Of the value at the centre.
    phase: f64,
    s: f64,
    q: f64,
    /// Disagreement with the fourth value.
    off: f64,
}

/// Fills `lanes` with hard cases around the worst inputs and in the best stretches, in turn.
pub(crate) fn hard_cases(
    q: &Question<'_>,
    tops: &[Spot],
    ranked: &Ranked,
    rng: &mut SplitMix,
    count: usize,
    lanes: &mut Lanes,
) {
    let mut drawn = 0;
    while drawn < count {
        let top = if rng.below(4) == 0 { None } else { pick(tops, rng) };
        let (centre, phase_of) = match top {
            Some(top) => (step(q, &top.x, rng), Some(top)),
            None => (ranked.draw(q, rng), None),
        };
        let before = lanes.points.len();
        let room = count - drawn;
        if !around(q, &centre, phase_of, rng, room, lanes) {
            for _ in 0..INSTEAD.min(room) {
                let x = step(q, &centre, rng);
                if q.wanted(&x) {
                    lanes.points.push(x);
                    lanes.forecasts.push(Forecast::NONE);
                }
                drawn += 1;
            }
        } else {
            drawn += (lanes.points.len() - before).max(1);
        }
    }
}

/// Adds the hard cases of a window around a centre; `false` if there is no model.
fn around(
    q: &Question<'_>,
    centre: &Point,
    top: Option<&Spot>,
    rng: &mut SplitMix,
    room: usize,
    lanes: &mut Lanes,
) -> bool {
    let arity = q.domain.arity();
    let a = rng.below(arity);
    let mut keys = q.domain.keys(centre);
    // Inside one binade keys are equidistant numbers.
    let binades = &q.binades[a];
    let [first, last] = binades[binades.partition_point(|b| b[1] < keys[a]).min(binades.len() - 1)];
    let largest = (last - first) / (2 * HALF);
    if largest == 0 {
        return false;
    }
    let bits = 64 - (largest as u64).leading_zeros() as usize;
    let mut size = rng.below(bits).min(rng.below(bits));
    for _ in 0..3 {
        let stride = 1i64 << size;
        keys[a] = keys[a].clamp(first + HALF * stride, last - HALF * stride);
        match model(q, keys, a, stride) {
            Ok(m) => {
                let target = top.and_then(|t| phase(q, &t.x)).unwrap_or(0.5);
                return fill(q, &m, keys, a, stride, target, room, lanes);
            }
            Err(Misfit::Flat) if size + 1 < bits => size = (size + 8).min(bits - 1),
            Err(Misfit::Bent) if size > 0 => size /= 4,
            Err(_) => return false,
        }
    }
    false
}

/// Why there is no model.
enum Misfit {
    /// The value hardly moves over the window.
    Flat,
    /// It does not move like a parabola.
    Bent,
    /// No finite value that is normal, or an ulp beyond doubles.
    None,
}

fn model(q: &Question<'_>, keys: [i64; 2], a: usize, stride: i64) -> Result<Model, Misfit> {
    let value = |n: i64| {
        let mut keys = keys;
        keys[a] += n * stride;
        q.judge.reference.value(q.judge.args(&q.domain.point(keys)), JUDGE_BITS)
    };
    let centre = value(0);
    if !centre.is_finite() || centre.is_zero() {
        return Err(Misfit::None);
    }
    let format = q.judge.format;
    let (anchor, exponent) = (format.nearest(&centre), format.ulp_exponent(&centre));
    if !anchor.is_finite() || anchor == 0.0 || exponent < -1000 {
        return Err(Misfit::None);
    }
    let moved = |v: &Float| Float::with_val(JUDGE_BITS, Float::with_val(JUDGE_BITS, v - &centre) << -exponent).to_f64();
    let (below, above, check) = (moved(&value(-HALF)), moved(&value(HALF)), moved(&value(HALF / 2)));
    if !(below.abs() < FAR && above.abs() < FAR && check.abs() < FAR) {
        return Err(Misfit::Bent);
    }
    if below.abs().max(above.abs()) < 1.0 {
        return Err(Misfit::Flat);
    }
    let h = HALF as f64;
    let (s, curve) = ((above - below) / (2.0 * h), (above + below) / (2.0 * h * h));
    let off = ((s + curve * (h / 2.0)) * (h / 2.0) - check).abs();
    if off.is_nan() || off >= FITS {
        return Err(Misfit::Bent);
    }
    let phase = Float::with_val(JUDGE_BITS, Float::with_val(JUDGE_BITS, &centre - anchor) << -exponent).to_f64();
    let inverse = f64::from_bits(((1023 - exponent) as u64) << 52);
    Ok(Model { anchor, inverse, phase, s, q: curve, off })
}

/// Position of the exact value between floats, in ULP from the nearest.
fn phase(q: &Question<'_>, x: &Point) -> Option<f64> {
    let value = q.judge.reference.value(q.judge.args(x), JUDGE_BITS);
    let nearest = q.judge.format.nearest(&value);
    let exponent = q.judge.format.ulp_exponent(&value);
    (value.is_finite() && nearest.is_finite())
        .then(|| Float::with_val(JUDGE_BITS, Float::with_val(JUDGE_BITS, &value - nearest) << -exponent).to_f64())
}

/// Scans the window for inputs near the target phase; `false` if there are too few to be worth the model.
#[expect(clippy::too_many_arguments, reason = "one inner step of `around`, with everything that it has found out")]
fn fill(
    q: &Question<'_>,
    m: &Model,
    keys: [i64; 2],
    a: usize,
    stride: i64,
    target: f64,
    room: usize,
    lanes: &mut Lanes,
) -> bool {
    // Adding and subtracting 1.5 * 2^52 rounds to an integer.
    const MAGIC: f64 = 6_755_399_441_055_744.0;
    let mut found: Vec<(i64, f64)> = Vec::with_capacity(2 * MOST);
    for n in -HALF..=HALF {
        let t = n as f64;
        let moved = m.phase + t * (m.s + m.q * t);
        let distance = moved - target;
        let distance = distance - ((distance + MAGIC) - MAGIC);
        if distance.abs() < NEAR {
            found.push((n, moved));
        }
    }
    if found.len() < FEWEST {
        return false;
    }
    let every = found.len().div_ceil(MOST.min(room)).max(1);
    for &(n, moved) in found.iter().step_by(every) {
        let mut keys = keys;
        keys[a] += n * stride;
        let x = q.domain.point(keys);
        if q.wanted(&x) {
            lanes.points.push(x);
            let slack = 2.0 * m.off + 1.0 / 4096.0;
            lanes.forecasts.push(Forecast { anchor: m.anchor, inverse: m.inverse, offset: moved, slack });
        }
    }
    true
}
