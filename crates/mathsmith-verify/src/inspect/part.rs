//! Figures of one subject over a stretch of the domain, and their sums.

use crate::extreme::{Judge, Tracker};
use crate::record::{Count, Wrong};
use crate::tally::{Tally, Worst};

/// Least and greatest result, and the positions where first.
pub(crate) type Extent = crate::record::Extent<f32, u64>;

/// Takes the least and the greatest of the results `c`, from position `start` on, into an extent.
pub(crate) fn widen(extent: &mut Extent, (least, greatest): (f32, f32), c: &[f32], start: u64) {
    let beyond = extent.least.is_none_or(|(v, _)| least < v) || extent.greatest.is_none_or(|(v, _)| greatest > v);
    if beyond {
        for end in [least, greatest] {
            if let Some(lane) = c.iter().position(|&c| c == end) {
                extent.add(end, start + lane as u64);
            }
        }
    }
}

/// One input with its result and what the fast values know of the reference there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lane {
    pub index: u64,
    pub c: f32,
    pub y: f64,
    /// Bound of `y`; NaN where the fast values say nothing that an order could be taken from.
    pub e: f64,
}

/// Greatest and least signed error.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Swing {
    pub above: f64,
    pub below: f64,
}

impl Swing {
    pub(crate) const NONE: Swing = Swing { above: f64::NEG_INFINITY, below: f64::INFINITY };

    pub(crate) fn merge(&mut self, other: Swing) {
        self.above = self.above.max(other.above);
        self.below = self.below.min(other.below);
    }
}

/// Errors that some input attains: what lies below is no candidate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Floors {
    pub errors: [f64; 3],
    pub normal: f64,
    pub tolerated: f64,
}

impl Floors {
    pub(crate) const NONE: Floors =
        Floors { errors: [f64::NEG_INFINITY; 3], normal: f64::NEG_INFINITY, tolerated: f64::NEG_INFINITY };

    /// Learns from a stretch that was looked at.
    pub(crate) fn learn(&mut self, part: &Part) {
        for (floor, top) in self.errors.iter_mut().zip(&part.tally.tops) {
            *floor = floor.max(top.bar());
        }
        self.normal = self.normal.max(part.normal.bar());
        self.tolerated = self.tolerated.max(part.tolerated.bar());
    }
}

/// A second call that gave another result.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Impure {
    pub x: f32,
    pub first: f32,
    pub second: f32,
}

/// Figures of one subject over a stretch.
pub(crate) struct Part {
    pub tally: Tally,
    /// Candidates for the largest relative error where the value is normal.
    pub normal: Tracker,
    /// Candidates for the largest multiple of the tolerance.
    pub tolerated: Tracker,
    pub beyond: Count<u64>,
    pub classes: [Count<u64>; Wrong::COUNT],
    pub flushed: u64,
    pub swing: Swing,
    pub got: Extent,
    pub first: Option<Lane>,
    pub last: Option<Lane>,
    /// The first pair of neighbours whose results move against the reference.
    pub inversion: Option<[Lane; 2]>,
    /// Inputs compared with their negatives, and the first that breaks the symmetry with both results.
    pub mirrored: u64,
    pub asymmetric: Option<(u64, [f32; 2])>,
    /// Inputs called twice, and the first that had two results.
    pub twice: u64,
    pub impure: Option<Impure>,
}

impl Part {
    pub(crate) fn new(floors: &Floors) -> Part {
        Part {
            tally: Tally::new(floors.errors),
            normal: Tracker::new(floors.normal),
            tolerated: Tracker::new(floors.tolerated),
            beyond: Count::default(),
            classes: [Count::default(); Wrong::COUNT],
            flushed: 0,
            swing: Swing::NONE,
            got: Extent::default(),
            first: None,
            last: None,
            inversion: None,
            mirrored: 0,
            asymmetric: None,
            twice: 0,
            impure: None,
        }
    }

    /// Adds a later stretch, but for errors ([`Tally::merge`]) and what lies between the two. Returns how many exact
    /// figures were asked for.
    pub(crate) fn merge(&mut self, later: &Part, normal: &mut dyn Judge, tolerated: &mut dyn Judge) {
        self.normal.merge(&later.normal, normal);
        self.tolerated.merge(&later.tolerated, tolerated);
        self.beyond.merge(later.beyond);
        for (a, b) in self.classes.iter_mut().zip(later.classes) {
            a.merge(b);
        }
        self.flushed += later.flushed;
        self.swing.merge(later.swing);
        self.got.merge(later.got);
        self.first = self.first.or(later.first);
        self.last = later.last.or(self.last);
        self.inversion = self.inversion.or(later.inversion);
        self.mirrored += later.mirrored;
        self.asymmetric = self.asymmetric.or(later.asymmetric);
        self.twice += later.twice;
        self.impure = self.impure.or(later.impure);
    }
}

/// Figures of one binade.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Binade {
    pub sum: f64,
    pub regular: u64,
    pub wrong: u64,
    pub worst: Option<Worst>,
}

impl Binade {
    pub(crate) fn add(&mut self, len: u64, tally: &Tally) {
        self.sum += tally.sum_ulp;
        self.regular += len - tally.wrong_class;
        self.wrong += tally.wrong;
        if let Some(w) = tally.worst
            && self.worst.is_none_or(|now| w.ulp > now.ulp)
        {
            self.worst = Some(w);
        }
    }
}

/// A stretch of the plot: positions of its ends and its extremes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub number: u64,
    pub first: u64,
    pub last: u64,
    pub swing: Swing,
}
