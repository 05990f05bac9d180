//! The axes of the plot: where a value stands, and which values are labelled.
//!
//! Inputs stand by their position among the numbers of their format, as the stretches of a profile do: every binade is as
//! wide as the next, and zero stands in the middle of the whole format. Of most functions nine tenths of all floats show
//! nothing: every result there is correctly rounded, or has the error of its neighbours. Such *quiet* binades are drawn
//! narrower, all by one factor, where they would leave less than [`ACTIVE`] of the width to the others.
//!
//! Errors stand linearly, or, where the largest would squeeze the half ULP out of sight, linearly up to 1 ULP and then by
//! octaves, linear within each. Nothing needs a logarithm, so the same record gives the same bytes on every machine.

use super::text::{decimal, plain};
use mathsmith_oracle::FloatFormat;

/// Share of the width that the other binades get at least.
const ACTIVE: f64 = 0.6;

/// Longest run of quiet binades that keeps its width between others.
const SHORT: usize = 3;

/// A labelled place on an axis.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    /// In pixels.
    pub(super) at: f64,
    pub(super) label: String,
}

/// Neighbouring inputs drawn at one scale.
#[derive(Clone, Copy, Debug)]
struct Piece {
    first: i64,
    last: i64,
    left: f64,
    right: f64,
    quiet: bool,
}

/// Inputs, left to right.
#[derive(Clone, Debug)]
pub(super) struct Across {
    format: FloatFormat,
    pieces: Vec<Piece>,
    /// How much narrower quiet binades are; 1 where they are not.
    narrower: f64,
}

impl Across {
    /// Inputs from `lo` to `hi` on `width` pixels from `left`. `quiet` says of a sign and the exponent of a binade (one less
    /// than the least normal exponent for zero and subnormals) whether it may be narrow.
    pub(super) fn new(
        format: FloatFormat,
        [lo, hi]: [f64; 2],
        [left, width]: [f64; 2],
        quiet: impl Fn(bool, i32) -> bool,
    ) -> Self {
        let (first, last) = (format.key(lo), format.key(hi).max(format.key(lo) + 1));
        let mut pieces = binades(format, first, last, quiet);
        keep_short_ones(&mut pieces);
        let total = |pieces: &[Piece], quiet: bool| {
            pieces.iter().filter(|p| p.quiet == quiet).map(|p| span(p.first, p.last)).sum::<f64>()
        };
        let (active, still) = (total(&pieces, false), total(&pieces, true));
        let mut narrower = 1.0;
        if active > 0.0 && active < ACTIVE * (active + still) {
            // Whole factors, so that the axis can say it.
            narrower = (still * ACTIVE / (active * (1.0 - ACTIVE))).ceil();
        } else {
            pieces.iter_mut().for_each(|p| p.quiet = false);
        }
        let weight = |p: &Piece| span(p.first, p.last) / if p.quiet { narrower } else { 1.0 };
        let all: f64 = pieces.iter().map(weight).sum();
        let mut at = left;
        let end = pieces.len() - 1;
        for (i, p) in pieces.iter_mut().enumerate() {
            p.left = at;
            at = if i == end { left + width } else { at + width * weight(p) / all };
            p.right = at;
        }
        pieces = merged(pieces);
        Across { format, pieces, narrower }
    }

    /// Where a value stands, within the axis.
    pub(super) fn at(&self, x: f64) -> f64 {
        let (start, end) = (self.pieces[0], self.pieces[self.pieces.len() - 1]);
        if x.is_nan() {
            return start.left;
        }
        let key = self.format.key(x).clamp(start.first, end.last);
        let p = self.pieces.iter().find(|p| key <= p.last).unwrap_or(&end);
        p.left + (p.right - p.left) * (span(p.first, key) / span(p.first, p.last)).max(0.0)
    }

    /// How much narrower quiet binades are drawn, and where, in pixels; `None` where all are alike.
    pub(super) fn narrow(&self) -> Option<(f64, Vec<[f64; 2]>)> {
        let places: Vec<[f64; 2]> = self.pieces.iter().filter(|p| p.quiet).map(|p| [p.left, p.right]).collect();
        (!places.is_empty()).then_some((self.narrower, places))
    }

    /// Ends, zero, and as many powers of ten, and round numbers between them, as are readable.
    pub(super) fn ticks(&self) -> Vec<Tick> {
        /// Pixels between labels, and between their texts.
        const APART: [f64; 2] = [44.0, 12.0];
        let (start, end) = (self.pieces[0], self.pieces[self.pieces.len() - 1]);
        let [lo, hi] = [start.first, end.last].map(|k| self.format.from_key(k));
        let mut ticks: Vec<Tick> = Vec::new();
        // Where a text stands: centred, at the ends inside; a sign counts on both sides, for symmetry.
        let text = |at: f64, label: &str| {
            let width = 6.7 * (label.trim_start_matches('-').chars().count() + 1) as f64;
            let middle = at.clamp(start.left + 0.5 * width, (end.right - 0.5 * width).max(start.left + 0.5 * width));
            [middle - 0.5 * width, middle + 0.5 * width]
        };
        let mut add = |x: f64, label: String| {
            let at = self.at(x);
            let [from, to] = text(at, &label);
            let clear = |t: &Tick| {
                let [a, b] = text(t.at, &t.label);
                (t.at - at).abs() >= APART[0] && (from - b >= APART[1] || a - to >= APART[1])
            };
            if ticks.iter().all(clear) {
                ticks.push(Tick { at, label });
            }
        };
        let inside = |x: f64| (lo..=hi).contains(&x);
        for x in [lo, hi] {
            add(x, self.short(x));
        }
        if inside(0.0) {
            add(0.0, "0".into());
        }
        let power = |k: i32, m: i32| format!("{m}e{k}").parse::<f64>().unwrap_or(0.0);
        // Pixels between powers of ten on either side of zero, whichever are in the domain.
        let reach = |from: i32, to: i32| {
            let of = |sign: f64| self.at(sign * power(to, 1)) - self.at(sign * power(from, 1));
            of(1.0).abs().max(of(-1.0).abs())
        };
        let mut candidates: Vec<f64> = Vec::new();
        // Each step divides the one before, so finer ticks fall between coarser ones, where a step is wide enough.
        for step in [100, 20, 10, 5, 1] {
            // From 1 outwards.
            for k in (0..=330 / step).map(|k| k * step) {
                for (k, outer) in [(k, k + step), (-k, -k - step)] {
                    if reach(k, outer).max(reach(k, 2 * k - outer)) >= APART[0] {
                        candidates.push(power(k, 1));
                    }
                }
            }
        }
        for k in (0..=330).flat_map(|k| [k, -k]).filter(|&k| reach(k, k + 1) >= 3.0 * APART[0]) {
            candidates.extend([power(k, 2), power(k, 5)]);
        }
        candidates.retain(|x| x.is_finite() && *x > 0.0);
        if lo > 0.1 * hi || hi < 0.1 * lo {
            candidates.extend(round_numbers(lo, hi));
        }
        for x in candidates {
            // Zeros of both signs are one.
            for x in [x, -x] {
                if inside(x) && x != 0.0 {
                    let (long, short) = (plain(&format!("{x:e}")), format!("{x:e}"));
                    add(x, if short.len() < long.len() { short } else { long });
                }
            }
        }
        ticks.sort_by(|a, b| a.at.total_cmp(&b.at));
        ticks
    }

    /// An end of the domain in few digits.
    fn short(&self, x: f64) -> String {
        let exact = decimal(x, self.format);
        if exact.trim_start_matches('-').len() <= 6 { exact } else { plain(&format!("{x:.1e}")) }
    }
}

/// Numbers between two keys; differences of keys of doubles exceed 63 bits.
fn span(first: i64, last: i64) -> f64 {
    (i128::from(last) - i128::from(first)) as f64
}

/// The binades between two keys, ascending.
fn binades(format: FloatFormat, first: i64, last: i64, quiet: impl Fn(bool, i32) -> bool) -> Vec<Piece> {
    let step = 1i64 << (format.precision - 1);
    // Keys of the powers of two are multiples of the numbers in a binade.
    let mut edges: Vec<i64> = (first.div_euclid(step) + 1..=last.div_euclid(step)).map(|k| k * step).collect();
    edges.insert(0, first);
    if edges.last() != Some(&last) {
        edges.push(last);
    }
    let piece = |w: &[i64]| {
        let middle = w[0] + (w[1] - w[0]) / 2;
        let exponent = format.min_exponent - 1 + (middle.unsigned_abs() / step as u64) as i32;
        Piece { first: w[0], last: w[1], left: 0.0, right: 0.0, quiet: quiet(middle < 0, exponent) }
    };
    edges.windows(2).map(piece).collect()
}

/// Short quiet runs between others are not worth a change of scale.
fn keep_short_ones(pieces: &mut [Piece]) {
    for run in pieces.chunk_by_mut(|a, b| a.quiet == b.quiet) {
        if run.len() <= SHORT {
            run.iter_mut().for_each(|p| p.quiet = false);
        }
    }
}

/// Neighbours of one scale as one.
fn merged(pieces: Vec<Piece>) -> Vec<Piece> {
    let join = |run: &[Piece]| Piece { last: run[run.len() - 1].last, right: run[run.len() - 1].right, ..run[0] };
    pieces.chunk_by(|a, b| a.quiet == b.quiet).map(join).collect()
}

/// Multiples of 1, 2 or 5 times a power of ten, about ten of them in the domain.
fn round_numbers(lo: f64, hi: f64) -> Vec<f64> {
    let span = hi - lo;
    let mut steps = (-320..309).flat_map(|k| [1, 2, 5].map(|m| format!("{m}e{k}").parse::<f64>().unwrap_or(0.0)));
    let Some(step) = steps.find(|s| *s > 0.0 && span / s <= 12.0) else { return Vec::new() };
    let from = (lo / step).ceil();
    // Products of small integers and the step, read back at few digits: 0.30000000000000004 is not a label.
    let round = |k: f64| format!("{:.12e}", k * step).parse::<f64>().unwrap_or(0.0);
    (0..=12).map(|i| round(from + f64::from(i))).collect()
}

/// Errors, bottom to top.
#[derive(Clone, Copy, Debug)]
pub(super) struct Up {
    top: f64,
    height: f64,
    reach: f64,
    octaves: bool,
    /// How much an octave is of what the first ULP is.
    octave: f64,
}

impl Up {
    /// Errors up to `max` ULP on either side of zero, on `height` pixels from `top`.
    pub(super) fn new(max: f64, top: f64, height: f64) -> Self {
        let octaves = max > 8.0;
        // The first ULP takes a fifth of the height or more.
        let octave = if octaves { 4.0 / (stretched(max, 1.0) - 1.0).max(4.0) } else { 1.0 };
        let reach = if octaves { stretched(max, octave) * 1.2 } else { max.max(0.5) * 1.28 };
        Up { top, height, reach, octaves, octave }
    }

    /// The same axis on other pixels.
    pub(super) fn moved(self, top: f64) -> Self {
        Up { top, ..self }
    }

    /// Whether errors above 1 ULP stand by octaves.
    pub(super) fn octaves(&self) -> bool {
        self.octaves
    }

    /// Where an error stands, within the axis.
    pub(super) fn at(&self, error: f64) -> f64 {
        let size = if self.octaves { stretched(error.abs(), self.octave) } else { error.abs() };
        let part = (size / self.reach).min(1.0).copysign(error);
        self.top + 0.5 * self.height * (1.0 - part)
    }

    /// Zero, and round errors on either side.
    pub(super) fn ticks(&self) -> Vec<Tick> {
        /// Pixels between labels.
        const APART: f64 = 17.0;
        let sizes: Vec<f64> = if self.octaves {
            let mut sizes = vec![1.0];
            let mut power = 10.0f64;
            while power.is_finite() && stretched(power, self.octave) <= self.reach {
                sizes.push(power);
                power *= 10.0;
            }
            // Powers of ten, or every other, third …, whichever leaves room.
            let room = (0.5 * self.height / APART) as usize;
            let every = sizes.len().div_ceil(room.max(1));
            sizes.into_iter().step_by(every.max(1)).collect()
        } else {
            let steps = [0.1, 0.25, 0.5, 1.0, 2.0];
            let room = |s: &f64| 0.5 * self.height * s / self.reach >= APART;
            let step = steps.into_iter().find(room).unwrap_or(4.0);
            (1..=(self.reach / step) as u32).map(|k| f64::from(k) * step).collect()
        };
        let mut ticks = vec![Tick { at: self.at(0.0), label: "0".into() }];
        for size in sizes {
            // 0.30000000000000004 is not a label.
            let text = if size >= 1e5 { format!("{size:e}") } else { format!("{size:.2}") };
            let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').into() } else { text };
            ticks.push(Tick { at: self.at(size), label: format!("+{text}") });
            ticks.push(Tick { at: self.at(-size), label: format!("-{text}") });
        }
        ticks
    }
}

/// Linear up to 1, `octave` more for every doubling, linear between.
fn stretched(u: f64, octave: f64) -> f64 {
    if u <= 1.0 {
        return u;
    }
    let bits = u.min(f64::MAX).to_bits();
    let exponent = ((bits >> 52) & 0x7ff) as i32 - 1023;
    let fraction = f64::from_bits((bits & ((1 << 52) - 1)) | (1023 << 52)) - 1.0;
    1.0 + octave * (f64::from(exponent) + fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(across: Across) -> Vec<String> {
        across.ticks().into_iter().map(|t| t.label).collect()
    }

    #[test]
    fn the_whole_format_is_symmetric() {
        let max = FloatFormat::F32.max();
        let axis = Across::new(FloatFormat::F32, [-max, max], [0.0, 900.0], |_, _| false);
        assert_eq!(axis.at(0.0), 450.0);
        let labels = labels(axis);
        assert!(
            labels.contains(&"0".to_owned()) && labels.contains(&"1".to_owned()) && labels.contains(&"-1".to_owned())
        );
        assert!(labels.iter().any(|l| l.starts_with("1e-")), "{labels:?}");
        let mirrored: Vec<String> =
            labels.iter().rev().map(|l| l.strip_prefix('-').map_or(format!("-{l}"), str::to_owned)).collect();
        assert_eq!(labels, mirrored.into_iter().map(|l| if l == "-0" { "0".into() } else { l }).collect::<Vec<_>>());
    }

    #[test]
    fn few_binades_have_round_numbers() {
        let labels = labels(Across::new(FloatFormat::F32, [1.0, 2.0], [0.0, 900.0], |_, _| false));
        assert!(labels.contains(&"1.5".to_owned()) && labels.len() >= 6, "{labels:?}");
        assert!(labels.iter().all(|l| l.len() <= 6), "{labels:?}");
    }

    #[test]
    fn labels_keep_apart_and_rise() {
        for (lo, hi) in [(0.0, 1.0), (-20.0, 20.0), (1e-300, 1e300), (0.7, 0.700_01), (-1e-3, 5.0), (3.0, 3.0)] {
            let ticks = Across::new(FloatFormat::F64, [lo, hi], [60.0, 860.0], |_, e| e < -3).ticks();
            assert!(ticks.len() >= 2, "{lo}..{hi}");
            assert!(ticks.windows(2).all(|w| w[1].at - w[0].at >= 44.0), "{ticks:?}");
        }
    }

    #[test]
    fn quiet_binades_are_narrow_by_one_factor() {
        let format = FloatFormat::F32;
        let max = format.max();
        let quiet = |_: bool, e: i32| !(-24..8).contains(&e);
        let axis = Across::new(format, [-max, max], [0.0, 1000.0], quiet);
        let (factor, places) = axis.narrow().expect("most binades are quiet");
        assert_eq!((factor, places.len()), (11.0, 3));
        let binade = |e: i32| axis.at(2f64.powi(e + 1)) - axis.at(2f64.powi(e));
        assert!((binade(0) / binade(20) - factor).abs() < 1e-6);
        assert!((binade(0) - binade(-20)).abs() < 1e-6 && (binade(-100) - binade(100)).abs() < 1e-6);
        assert!(axis.at(256.0) - axis.at(2f64.powi(-24)) > 0.5 * ACTIVE * 1000.0 - 1e-6);
        let axis = Across::new(format, [-max, max], [0.0, 1000.0], |_, _| true);
        assert_eq!(axis.narrow(), None, "all alike");
    }

    #[test]
    fn positions_rise_and_end_at_the_ends() {
        for format in FloatFormat::ALL {
            let max = format.max();
            let axis = Across::new(format, [-max, max], [10.0, 800.0], |negative, e| negative || e > 3);
            let keys: Vec<i64> = (-1000..=1000).map(|i| format.key(max) / 1000 * i).collect();
            let at: Vec<f64> = keys.iter().map(|&k| axis.at(format.from_key(k))).collect();
            assert!(at.windows(2).all(|w| w[0] <= w[1]), "{}", format.name);
            assert_eq!((axis.at(-max), axis.at(max), axis.at(f64::INFINITY)), (10.0, 810.0, 810.0));
        }
    }

    #[test]
    fn errors_stand_in_order_on_both_scales() {
        for max in [0.5, 0.98, 4.0, 20.0, 1e6, 1e300] {
            let up = Up::new(max, 10.0, 200.0);
            let at: Vec<f64> = [max, 0.5, 0.25, 0.0, -0.25, -0.5, -max].map(|e| up.at(e)).to_vec();
            assert!(at.windows(2).all(|w| w[0] <= w[1]), "{at:?}");
            assert!(at[0] >= 10.0 && at[6] <= 210.0);
            assert!(up.ticks().len() >= 3, "{max}");
            assert!(up.at(0.5) < up.at(0.0) - 8.0, "half an ULP is visible");
        }
    }
}
