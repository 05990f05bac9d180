//! The axes of the plot: where a value stands, and which values are labelled.
//!
//! Inputs stand by their position among the numbers of their format, as the stretches of a profile do: every binade is as
//! wide as the next, and zero stands in the middle of the whole format. Errors stand linearly, or, where the largest would
//! squeeze the half ULP out of sight, linearly up to 1 ULP and then by octaves, linear within each. Neither needs a logarithm,
//! so the same record gives the same bytes on every machine.

use super::text::{decimal, plain};
use mathsmith_oracle::FloatFormat;

/// A labelled place on an axis.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    /// In pixels.
    pub(super) at: f64,
    pub(super) label: String,
}

/// Inputs, left to right.
#[derive(Clone, Copy, Debug)]
pub(super) struct Across {
    format: FloatFormat,
    first: i64,
    last: i64,
    left: f64,
    width: f64,
}

impl Across {
    /// Inputs from `lo` to `hi` on `width` pixels from `left`.
    pub(super) fn new(format: FloatFormat, [lo, hi]: [f64; 2], left: f64, width: f64) -> Self {
        let (first, last) = (format.key(lo), format.key(hi));
        Across { format, first, last: last.max(first + 1), left, width }
    }

    /// Where a value stands, within the axis.
    pub(super) fn at(&self, x: f64) -> f64 {
        if x.is_nan() {
            return self.left;
        }
        let key = self.format.key(x).clamp(self.first, self.last);
        // Differences of keys of doubles can exceed 63 bits.
        let part = (key as i128 - self.first as i128) as f64 / (self.last as i128 - self.first as i128) as f64;
        self.left + part * self.width
    }

    /// Ends, zero, and as many powers of ten, or round numbers between them, as are readable.
    pub(super) fn ticks(&self) -> Vec<Tick> {
        /// Pixels between labels.
        const APART: f64 = 62.0;
        let [lo, hi] = [self.first, self.last].map(|k| self.format.from_key(k));
        let mut ticks: Vec<Tick> = Vec::new();
        let mut add = |x: f64, label: String| {
            let at = self.at(x);
            if ticks.iter().all(|t| (t.at - at).abs() >= APART) {
                ticks.push(Tick { at, label });
            }
        };
        let inside = |x: f64| (lo..=hi).contains(&x);
        for end in [lo, hi] {
            add(end, self.short(end));
        }
        if inside(0.0) {
            add(0.0, "0".into());
        }
        // The finest step of powers of ten that leaves room; the powers are multiples of the step, 1 among them.
        let power = |k: i32| format!("1e{k}").parse::<f64>().unwrap_or(f64::INFINITY);
        // In the upper half of the exponents of every format, so that subnormals do not count.
        let decade = self.at_free(power(2)) - self.at_free(power(1));
        let step = [1, 2, 5, 10, 20, 30, 50, 100].into_iter().find(|&d| f64::from(d) * decade.abs() >= APART);
        let step = step.unwrap_or(200);
        let reach = 400 / step;
        let exponents = (-reach..=reach).map(|k| k * step);
        let mut candidates: Vec<f64> = exponents.map(power).filter(|x| x.is_finite() && *x > 0.0).collect();
        if decade.abs() >= 2.0 * APART {
            candidates.extend(self.round_numbers(lo, hi));
        }
        for x in candidates {
            for x in [x, -x] {
                if inside(x) {
                    add(x, plain(&format!("{x:e}")));
                }
            }
        }
        ticks.sort_by(|a, b| a.at.total_cmp(&b.at));
        ticks
    }

    /// [`Across::at`] beyond the ends.
    fn at_free(&self, x: f64) -> f64 {
        let part =
            (self.format.key(x) as i128 - self.first as i128) as f64 / (self.last as i128 - self.first as i128) as f64;
        self.left + part * self.width
    }

    /// Multiples of 1, 2 or 5 times a power of ten, about ten of them in the domain.
    fn round_numbers(&self, lo: f64, hi: f64) -> Vec<f64> {
        let span = hi - lo;
        let steps = (-320..309).flat_map(|k| [1, 2, 5].map(|m| format!("{m}e{k}").parse::<f64>().unwrap_or(0.0)));
        let Some(step) = steps.into_iter().find(|s| *s > 0.0 && span / s <= 12.0) else { return Vec::new() };
        let from = (lo / step).ceil();
        // Products of small integers and the step, read back at few digits: 0.30000000000000004 is not a label.
        let round = |k: f64| format!("{:.12e}", k * step).parse::<f64>().unwrap_or(0.0);
        (0..=12)
            .map(|i| round(from + f64::from(i)))
            .filter(|x| *x != 0.0 && x.abs() <= hi.abs().max(lo.abs()))
            .collect()
    }

    /// An end of the domain in at most four digits.
    fn short(&self, x: f64) -> String {
        let exact = decimal(x, self.format);
        if exact.trim_start_matches('-').len() <= 6 {
            return exact;
        }
        let rounded = format!("{x:.2e}");
        plain(&rounded)
    }
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
        let axis = Across::new(FloatFormat::F32, [-max, max], 0.0, 900.0);
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
        let labels = labels(Across::new(FloatFormat::F32, [1.0, 2.0], 0.0, 900.0));
        assert!(labels.contains(&"1.5".to_owned()) && labels.len() >= 6, "{labels:?}");
        assert!(labels.iter().all(|l| l.len() <= 6), "{labels:?}");
    }

    #[test]
    fn labels_keep_apart_and_rise() {
        for (lo, hi) in [(0.0, 1.0), (-20.0, 20.0), (1e-300, 1e300), (0.7, 0.700_01), (-1e-3, 5.0), (3.0, 3.0)] {
            let ticks = Across::new(FloatFormat::F64, [lo, hi], 60.0, 860.0).ticks();
            assert!(ticks.len() >= 2, "{lo}..{hi}");
            assert!(ticks.windows(2).all(|w| w[1].at - w[0].at >= 60.0), "{ticks:?}");
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
