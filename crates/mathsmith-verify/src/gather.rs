//! Everything said about judged results, added up into a [`Measured`].
//!
//! Results come in the order in which inputs are drawn or counted. Stretches of work are gathered apart and merged in
//! order, so that sums of doubles, first places and the winners of ties do not depend on threads.

use crate::checksum::{self, mix64};
use crate::judge::{Exact, Judge, Point, Verdict};
use crate::measured::{BinadeRow, Break, Check, Measured, Parity, ProfileRow, Range, SpecialPoint, Tolerated};
use crate::record::{Count, Extent, Wrong, classes, mean, peak};
use crate::report::{Coverage, Histogram, hex};
use crate::sampled::SampleDomain;
use mathsmith_oracle::FloatFormat;
use std::collections::BTreeMap;

/// Worst inputs that are kept.
pub(crate) const KEPT: usize = 256;
/// Columns of the plot.
const COLUMNS: usize = 512;

/// A judged input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spot {
    pub x: Point,
    /// The result, rounded to the format judged at.
    pub c: f64,
    /// The figure in question.
    pub value: f64,
}

#[derive(Clone, Debug, Default)]
struct Binade {
    inputs: u64,
    regular: u64,
    sum: f64,
    wrong: u64,
    max: Option<Spot>,
}

/// A property under observation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watch {
    pub looked_at: u64,
    pub broken: Option<Break>,
}

impl Watch {
    /// Adds what was looked at later.
    fn merge(&mut self, later: Watch) {
        self.looked_at += later.looked_at;
        self.broken = self.broken.take().or(later.broken);
    }

    fn check(self) -> Check {
        Check { looked_at: self.looked_at, broken: self.broken }
    }
}

/// Figures of one subject over some inputs.
#[derive(Clone, Debug)]
pub(crate) struct Gather {
    /// Inputs evaluated.
    pub inputs: u64,
    /// Inputs judged by MPFR.
    pub settled: u64,
    checksum: u64,
    /// Greatest error in ULP, relative, relative where normal, absolute.
    tops: [Option<Spot>; 4],
    tolerated: Option<Spot>,
    beyond: Count<Point>,
    regular: u64,
    sum: f64,
    wrong: u64,
    flushed: u64,
    classes: [Count<Point>; Wrong::COUNT],
    histogram: Histogram,
    binades: BTreeMap<i32, Binade>,
    /// Greatest and least signed error of each column.
    profile: Vec<Option<[f64; 2]>>,
    got: Extent<f64, Point>,
    expected: Extent<f64, Point>,
    /// Worst distinct inputs, worst first.
    pub worst: Vec<Spot>,
    /// Worst distinct inputs with a finite error.
    pub finite: Vec<Spot>,
    pub monotone: Watch,
    pub parity: Watch,
    pub pure: Watch,
}

impl Gather {
    pub(crate) fn new() -> Gather {
        Gather {
            inputs: 0,
            settled: 0,
            checksum: 0,
            tops: [None; 4],
            tolerated: None,
            beyond: Count::default(),
            regular: 0,
            sum: 0.0,
            wrong: 0,
            flushed: 0,
            classes: Default::default(),
            histogram: Histogram::new(),
            binades: BTreeMap::new(),
            profile: vec![None; COLUMNS],
            got: Extent::default(),
            expected: Extent::default(),
            worst: Vec::new(),
            finite: Vec::new(),
            monotone: Watch::default(),
            parity: Watch::default(),
            pure: Watch::default(),
        }
    }

    /// Takes note of results, judged or not: their number and their checksum.
    pub(crate) fn seen(&mut self, domain: &SampleDomain, points: &[Point], results: &[f64]) {
        self.inputs += points.len() as u64;
        for (x, &c) in points.iter().zip(results) {
            self.checksum = self.checksum.wrapping_add(term(domain, x, c));
        }
    }

    /// Takes a judged result into account; `counted` ones make the mean, the histogram, the binades and every count.
    pub(crate) fn judged(
        &mut self,
        domain: &SampleDomain,
        x: &Point,
        c: f64,
        exact: &Exact,
        v: &Verdict,
        counted: bool,
    ) {
        self.settled += 1;
        let e = &v.error;
        raise(&mut self.tops[0], x, c, e.ulp);
        raise(&mut self.tops[1], x, c, e.rel);
        if v.normal {
            raise(&mut self.tops[2], x, c, e.rel);
        }
        raise(&mut self.tops[3], x, c, e.abs);
        if let Some(t) = v.tolerated {
            raise(&mut self.tolerated, x, c, t);
            if t > 1.0 {
                self.beyond.add(*x);
            }
        }
        if let Some(class) = v.class {
            self.classes[class as usize].add(*x);
        }
        let c = v.c;
        self.got.add(c, *x);
        self.expected.add(exact.rounded, *x);
        let spot = Spot { x: *x, c, value: e.ulp };
        keep(&mut self.worst, spot);
        if e.ulp.is_finite() {
            keep(&mut self.finite, spot);
        }
        if e.ulp.is_finite() && v.class.is_none() {
            let column = &mut self.profile[domain.column(x[0], COLUMNS)];
            let [above, below] = column.get_or_insert([v.signed; 2]);
            *above = above.max(v.signed);
            *below = below.min(v.signed);
        }
        let binade = self.binades.entry(binade_of(domain.format(), x[0])).or_default();
        raise(&mut binade.max, x, c, e.ulp);
        if !counted {
            return;
        }
        binade.inputs += 1;
        self.flushed += u64::from(v.flushed);
        self.histogram.counts[Histogram::bin(e.ulp)] += 1;
        // A number in the place of an infinity has an error, but not one that means could make sense of.
        if e.ulp.is_finite() && v.class != Some(Wrong::FiniteForInfinity) {
            self.regular += 1;
            self.sum += e.ulp;
            binade.regular += 1;
            binade.sum += e.ulp;
        }
        self.wrong += u64::from(!v.right);
        binade.wrong += u64::from(!v.right);
    }

    /// Adds what was gathered later.
    pub(crate) fn merge(&mut self, later: Gather) {
        self.inputs += later.inputs;
        self.settled += later.settled;
        self.checksum = self.checksum.wrapping_add(later.checksum);
        for (top, later) in self.tops.iter_mut().zip(later.tops) {
            if let Some(s) = later {
                raise(top, &s.x, s.c, s.value);
            }
        }
        if let Some(s) = later.tolerated {
            raise(&mut self.tolerated, &s.x, s.c, s.value);
        }
        self.beyond.merge(later.beyond);
        self.regular += later.regular;
        self.sum += later.sum;
        self.wrong += later.wrong;
        self.flushed += later.flushed;
        for (count, later) in self.classes.iter_mut().zip(later.classes) {
            count.merge(later);
        }
        for (count, later) in self.histogram.counts.iter_mut().zip(later.histogram.counts) {
            *count += later;
        }
        for (at, later) in later.binades {
            let binade = self.binades.entry(at).or_default();
            binade.inputs += later.inputs;
            binade.regular += later.regular;
            binade.sum += later.sum;
            binade.wrong += later.wrong;
            if let Some(s) = later.max {
                raise(&mut binade.max, &s.x, s.c, s.value);
            }
        }
        for (column, later) in self.profile.iter_mut().zip(later.profile) {
            if let Some([above, below]) = later {
                let mine = column.get_or_insert([above, below]);
                *mine = [mine[0].max(above), mine[1].min(below)];
            }
        }
        self.got.merge(later.got);
        self.expected.merge(later.expected);
        for s in later.worst {
            keep(&mut self.worst, s);
        }
        for s in later.finite {
            keep(&mut self.finite, s);
        }
        self.monotone.merge(later.monotone);
        self.parity.merge(later.parity);
        self.pure.merge(later.pure);
    }

    /// Greatest finite error in ULP of the inputs judged in the binade of `x`; 0 if there are none.
    pub(crate) fn binade_max(&self, domain: &SampleDomain, x: &Point) -> f64 {
        let max = self.binades.get(&binade_of(domain.format(), x[0])).and_then(|b| b.max);
        max.map_or(0.0, |s| s.value).min(f64::MAX)
    }

    /// Greatest figures that are finite: error in ULP, relative, absolute. Below them nothing is of interest to a search.
    pub(crate) fn bars(&self) -> [f64; 3] {
        let finite = |top: Option<Spot>| top.map_or(-1.0, |s| s.value);
        [self.finite.first().map_or(-1.0, |s| s.value), finite(self.tops[1]), finite(self.tops[3])]
    }

    /// The record. `None` if nothing was judged.
    pub(crate) fn measured(self, judge: &Judge<'_>, domain: &SampleDomain, how: How) -> Option<Measured> {
        let format = domain.format();
        let peak = |s: Spot| peak(format, s.value, &s.x[..domain.arity()], s.c, &judge.exact(&s.x).value);
        let place = |x: &Point| domain.hex(x);
        let extent = |e: Extent<f64, Point>| Some([e.least?, e.greatest?]);
        // A subject that is NaN everywhere has no least result.
        let nowhere = [(f64::NAN, self.tops[0]?.x); 2];
        let (got, expected) = (extent(self.got).unwrap_or(nowhere), extent(self.expected).unwrap_or(nowhere));
        // The input of the maximum, and whatever else has an error.
        let first = self.tops[0].map(|s| s.x);
        let nonzero = |s: &&Spot| s.value > 0.0 || Some(s.x) == first;
        let binades = self.binades.into_iter().map(|(at, b)| BinadeRow {
            negative: at < 0,
            exponent: if at < 0 { -1 - at } else { at } + format.min_exponent - 1,
            inputs: b.inputs,
            max_ulp: b.max.map_or(0.0, |s| s.value),
            worst: b.max.map_or_else(Vec::new, |s| place(&s.x)),
            mean_ulp: mean(b.sum, b.regular),
            not_correctly_rounded: b.wrong,
        });
        let profile = self.profile.iter().enumerate().filter_map(|(i, column)| {
            let [above, below] = (*column)?;
            let [lo, hi] = domain.column_ends(i, COLUMNS);
            Some(ProfileRow { lo, hi, above, below })
        });
        Some(Measured {
            coverage: how.coverage,
            inputs: self.inputs,
            seed: how.seed,
            format: format.name.to_owned(),
            judged_at: judge.format.name.to_owned(),
            ftz: judge.ftz,
            domain: domain.ends().map(|[lo, hi]| [hex(lo), hex(hi)]).collect(),
            max_ulp: peak(self.tops[0]?),
            max_rel: peak(self.tops[1]?),
            max_rel_normal: self.tops[2].map(peak),
            max_abs: peak(self.tops[3]?),
            mean_ulp: mean(self.sum, self.regular),
            not_correctly_rounded: self.wrong,
            classes: classes(self.classes, |x| place(&x)),
            histogram: self.histogram,
            specials: how.specials,
            binades: binades.collect(),
            profile: profile.collect(),
            monotone: how.monotone.then(|| self.monotone.check()),
            parity: how.parity.map(|p| (p, self.parity.check())),
            pure: self.pure.check(),
            range: Range {
                got: got.map(|(y, _)| hex(y)),
                at: got.map(|(_, x)| place(&x)),
                expected: expected.map(|(y, _)| hex(y)),
            },
            tolerated: match (judge.tolerance, self.tolerated) {
                (Some(t), Some(worst)) => Some(Tolerated {
                    tolerance: t.text().to_owned(),
                    worst: peak(worst),
                    beyond: self.beyond.tally(|x| place(&x)),
                }),
                _ => None,
            },
            flushed: self.flushed,
            checksum: format!("{:016x}", self.checksum),
            adversarial: self.worst.iter().take_while(nonzero).map(|s| place(&s.x)).collect(),
            settled: self.settled,
        })
    }
}

/// What a record says besides the figures.
pub(crate) struct How {
    pub coverage: Coverage,
    pub seed: Option<u64>,
    pub specials: Vec<SpecialPoint>,
    pub monotone: bool,
    pub parity: Option<Parity>,
}

/// Puts a figure in the place of a smaller one.
fn raise(top: &mut Option<Spot>, x: &Point, c: f64, value: f64) {
    if top.is_none_or(|t| value > t.value) {
        *top = Some(Spot { x: *x, c, value });
    }
}

/// Keeps a spot among the worst distinct ones; of equals the earlier.
fn keep(worst: &mut Vec<Spot>, spot: Spot) {
    if worst.len() == KEPT && worst.last().is_some_and(|last| last.value >= spot.value) {
        return;
    }
    let end = worst.partition_point(|s| s.value >= spot.value);
    let start = worst.partition_point(|s| s.value > spot.value);
    if worst[start..end].iter().any(|s| s.x == spot.x) {
        return;
    }
    worst.insert(end, spot);
    worst.truncate(KEPT);
}

/// Position of an input's binade: 0 for +0 and positive subnormals, 1 for the least normal binade; -1, -2, … for negative
/// inputs.
fn binade_of(format: FloatFormat, x: f64) -> i32 {
    let a = x.abs();
    let row = if a < format.min_normal() {
        0
    } else {
        // The exponent field of a normal double; subnormal doubles are subnormal in every format.
        ((a.to_bits() >> 52) as i32 - 1023) - format.min_exponent + 1
    };
    if x < 0.0 { -1 - row } else { row }
}

/// The term of one input in the checksum.
fn term(domain: &SampleDomain, x: &Point, c: f64) -> u64 {
    if domain.arity() == 1 && domain.format() != FloatFormat::F64 {
        return checksum::term(x[0] as f32, c as f32);
    }
    let c = if c.is_nan() { f64::NAN } else { c };
    let mut sum = 0;
    for &x in &x[..domain.arity()] {
        sum = mix64(sum ^ x.to_bits());
    }
    mix64(sum ^ c.to_bits() ^ 1)
}
