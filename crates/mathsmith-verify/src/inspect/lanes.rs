//! Judging one block of results: classes, errors, tolerance and range of each subject.

use super::hand::Hand;
use super::observe::{
    Columns, Results, ends_fast, flush_fast, normal_fast, settle_fast, stray_fast, swing_fast, unsettled_fast,
};
use super::part::{Extent, Lane, Part, Swing, widen};
use super::run::{Gathered, Question};
use super::tolerance::{Allowed, Ratio};
use crate::VerifyError;
use crate::block::{BLOCK, Outcome, RefBlock, Work, uniform_outcome};
use crate::extreme::{Judge, Run};
use crate::grid::Grid;
use crate::record::Wrong;
use crate::tally::{Apart, Measure, tally_block, tally_uniform};
use crate::truth::{PointError, Truth};
use mathsmith_oracle::{FloatFormat, Scratch};

/// What is known of a block for all subjects.
pub(crate) struct Shared {
    /// Lanes whose value is certainly normal, and that may be.
    normal: (u32, u32),
    /// For each lane one more than its place among the slow ones; 0 for fast ones.
    slow: [u16; BLOCK],
}

impl Shared {
    fn has_slow(&self, block: &RefBlock<Scratch>) -> bool {
        !block.slow.is_empty()
    }

    /// The correctly rounded result of a lane.
    fn rounded(&self, block: &RefBlock<Scratch>, lane: usize) -> f32 {
        match self.slow[lane] {
            0 => block.rounded[lane],
            place => block.slow[usize::from(place) - 1].rounded,
        }
    }
}

impl<G: Grid> Question<'_, G> {
    /// Exact errors of a result as it is judged: a zero accepted in place of a subnormal result has those of the
    /// correctly rounded one.
    pub(crate) fn error(&self, x: f32, c: f32) -> PointError {
        let mut c = c;
        if self.inspection.ftz && c == 0.0 && self.is_below_normal(f64::from(x)) {
            let rounded = self.truth().round_f32(f64::from(x));
            c = if rounded.is_finite() { rounded } else { c };
        }
        self.truth().errors(f64::from(x), c)
    }

    /// Judges one block for all subjects: `len` inputs from `from` on of those in hand.
    pub(super) fn observe(
        &self,
        hand: &mut Hand,
        found: &mut Gathered,
        from: usize,
        len: usize,
        start: u64,
    ) -> Result<(), VerifyError> {
        let Hand { block, work, allowed, x, c, .. } = hand;
        block.x[..len].copy_from_slice(&x[from..from + len]);
        found.judged += block.load(self.job.truth, len, self.job.margin);
        let mut shared = Shared { normal: (0, 0), slow: [0; BLOCK] };
        if block.uniform.is_none() {
            for (i, s) in block.slow.iter().enumerate() {
                shared.slow[usize::from(s.lane)] = i as u16 + 1;
            }
            shared.normal = normal_fast::<G>(&block.y[..len], &block.e[..len]);
            if let Some(ratio) = self.ratio() {
                found.judged += allowed.load(&ratio, block)?;
            }
        }
        self.extend_expected(block, &mut found.expected, start);
        for (s, slot) in found.parts.iter_mut().enumerate() {
            let Some(Ok(part)) = slot else { continue };
            let raw = &c[s][from..from + len];
            self.observe_one(s, raw, block, work, allowed, &mut shared, start, part);
        }
        Ok(())
    }

    /// Takes the correctly rounded results of a block into their range.
    fn extend_expected(&self, block: &RefBlock<Scratch>, expected: &mut Extent, start: u64) {
        let n = block.len;
        if let Some(rounded) = block.uniform {
            expected.add(rounded, start);
        } else if block.slow.is_empty() {
            widen(expected, ends_fast(&block.rounded[..n]), &block.rounded[..n], start);
        } else {
            let mut rounded = block.rounded[..n].to_vec();
            for s in &block.slow {
                rounded[usize::from(s.lane)] = s.rounded;
            }
            widen(expected, ends_fast(&rounded), &rounded, start);
        }
    }

    /// Judges one block of one subject.
    #[expect(clippy::too_many_arguments, reason = "the parts of a worker, borrowed apart")]
    fn observe_one(
        &self,
        s: usize,
        raw: &[f32],
        block: &mut RefBlock<Scratch>,
        work: &mut Work,
        allowed: &Allowed,
        shared: &mut Shared,
        start: u64,
        part: &mut Part,
    ) {
        let n = block.len;
        let mut c: Results = [0.0; BLOCK];
        settle_fast::<G>(raw, &mut c);
        if self.inspection.ftz && block.uniform.is_none() {
            self.flush(block, shared, &mut c[..n], part);
        }
        widen(&mut part.got, ends_fast(&c[..n]), &c[..n], start);
        if let Some(rounded) = block.uniform {
            self.observe_uniform(s, rounded, &c[..n], block, start, part);
            self.replace_checksum(block, raw, &c[..n], part);
            return;
        }
        let before = part.last;
        let plain = !shared.has_slow(block) && !stray_fast(&block.rounded[..n], &c[..n]);
        if !plain {
            self.classify(block, shared, &c[..n], start, part);
        }
        let pairs = shared.has_slow(block) || unsettled_fast(Columns::of(block), &c[..n]);
        self.neighbours(s, pairs, before, |lane| self.lane(block, shared, &c, lane, start), n, part);
        let mut judged = c;
        let (outcome, apart) = tally_block(&self.job, block, work, &mut judged, start, &mut part.tally);
        // No signed error is beyond the largest that the block can hold: most blocks change nothing.
        if plain && outcome.top_ulp > part.swing.above.min(-part.swing.below) {
            part.swing.merge(swing_fast(Columns::of(block), &c[..n]));
        }
        self.replace_checksum(block, raw, &c[..n], part);
        self.offer_normal(block, shared, &judged[..n], &outcome, &apart, start, part);
        if let Some(mut ratio) = self.ratio() {
            self.tolerate(&mut ratio, block, allowed, &c[..n], &judged[..n], &outcome, &apart, start, part);
            part.tally.settled += ratio.asked;
        }
    }

    /// The sum is over what the subject returned, whatever was judged in its place.
    fn replace_checksum(&self, block: &RefBlock<Scratch>, raw: &[f32], judged: &[f32], part: &mut Part) {
        if G::FORMAT != FloatFormat::F32 || self.inspection.ftz {
            let [judged, raw] = [judged, raw].map(|c| uniform_outcome(block, c).checksum);
            part.tally.checksum = part.tally.checksum.wrapping_sub(judged).wrapping_add(raw);
        }
    }

    /// Classes and order where the reference overflows throughout, or has no value.
    fn observe_uniform(
        &self,
        s: usize,
        rounded: f32,
        c: &[f32],
        block: &RefBlock<Scratch>,
        start: u64,
        part: &mut Part,
    ) {
        let wrong = tally_uniform(&self.job, block, rounded, c, start, &mut part.tally);
        if let Some((first, lanes)) = wrong {
            let one_class = rounded.is_nan();
            let alike = if one_class { first + 1 } else { c.len() };
            for (lane, &c) in c.iter().enumerate().take(alike).skip(first) {
                if let Some(class) = Wrong::of(f64::from(c), f64::from(rounded)) {
                    let class = class as usize;
                    part.classes[class].add(start + lane as u64);
                    part.classes[class].count += if one_class { lanes - 1 } else { 0 };
                }
            }
            // A number for an infinity or NaN is beyond any tolerance.
            part.beyond.count += lanes;
            part.beyond.first.get_or_insert(start + first as u64);
        }
        if let Some(mut ratio) = self.ratio() {
            let (lane, error) = wrong.map_or((0, 0.0), |(first, _)| (first, f64::INFINITY));
            part.tolerated.offer(Run::single(start + lane as u64, c[lane], (error, error)), &mut ratio);
            part.tally.settled += ratio.asked;
        }
        let before = part.last;
        let moves = !rounded.is_nan() && c.iter().any(|v| *v != c[0]);
        let lane = |lane: usize| {
            // Values beyond the doubles are ordered by MPFR alone.
            let (y, e) = (block.y[lane], block.e[lane]);
            let e = if y.is_finite() { e } else { f64::NAN };
            Lane { index: start + lane as u64, c: c[lane], y, e }
        };
        self.neighbours(s, moves, before, lane, c.len(), part);
    }

    fn lane(&self, block: &RefBlock<Scratch>, shared: &Shared, c: &Results, lane: usize, start: u64) -> Lane {
        let known = shared.slow[lane] == 0 || block.slow.is_empty();
        let e = if known { block.e[lane] } else { f64::NAN };
        Lane { index: start + lane as u64, c: c[lane], y: block.y[lane], e }
    }

    /// Zeros in place of subnormal results become the correctly rounded ones.
    fn flush(&self, block: &RefBlock<Scratch>, shared: &Shared, c: &mut [f32], part: &mut Part) {
        let (flushed, open) = flush_fast::<G>(Columns::of(block), c);
        part.flushed += u64::from(flushed);
        if !open && !shared.has_slow(block) {
            return;
        }
        for (lane, c) in c.iter_mut().enumerate() {
            let rounded = shared.rounded(block, lane);
            if *c == 0.0 && rounded != 0.0 && !rounded.is_nan() && self.is_below_normal(block.xd[lane]) {
                *c = rounded;
                part.flushed += 1;
            }
        }
    }

    fn is_below_normal(&self, x: f64) -> bool {
        let (y, low) = self.truth().value_dd(x);
        // The least normal number is a double: the larger part of the sum tells, unless it is that number.
        if y.abs() == G::MIN_NORMAL {
            return low * y.signum() < 0.0;
        }
        y.abs() < G::MIN_NORMAL
    }

    /// Counts classes and takes in signed errors, lane by lane.
    fn classify(&self, block: &RefBlock<Scratch>, shared: &Shared, c: &[f32], start: u64, part: &mut Part) {
        let scale = block.scale();
        for (lane, &c) in c.iter().enumerate() {
            let rounded = shared.rounded(block, lane);
            let class = Wrong::of(f64::from(c), f64::from(rounded));
            if let Some(class) = class {
                part.classes[class as usize].add(start + lane as u64);
            }
            // A zero or a sign is wrong by a finite distance; of slow lanes the fast values say nothing.
            if shared.slow[lane] == 0 && c.is_finite() && class.is_none() {
                let signed = (f64::from(c) - block.y[lane]) * scale[lane];
                part.swing.merge(Swing { above: signed, below: signed });
            }
        }
    }

    /// Offers relative errors where the value is normal.
    #[expect(clippy::too_many_arguments, reason = "the parts of a block, passed once")]
    fn offer_normal(
        &self,
        block: &RefBlock<Scratch>,
        shared: &Shared,
        c: &[f32],
        outcome: &Outcome,
        apart: &[Apart],
        start: u64,
        part: &mut Part,
    ) {
        let (_, maybe) = shared.normal;
        let finite = |a: &&Apart| shared.rounded(block, a.lane).is_finite();
        let top = apart.iter().filter(finite).map(|a| a.error[Measure::Rel as usize].1).fold(0.0, f64::max);
        let top = if maybe > 0 { top.max(outcome.top_rel) } else { top };
        if (maybe == 0 && apart.is_empty()) || !part.normal.wants(top) {
            return;
        }
        let mut exact = self.job.exact(Measure::Rel);
        let mut rest = apart.iter().peekable();
        for (lane, &c) in c.iter().enumerate() {
            let index = start + lane as u64;
            let a = rest.next_if(|a| a.lane == lane);
            let slow = shared.slow[lane] != 0;
            let size = block.y[lane].abs();
            let normal = if slow {
                shared.rounded(block, lane).is_finite() && !self.is_below_normal(block.xd[lane])
            } else if size - block.e[lane] >= G::MIN_NORMAL {
                true
            } else {
                size + block.e[lane] >= G::MIN_NORMAL && !self.is_below_normal(block.xd[lane])
            };
            if normal {
                let run = match a {
                    Some(a) => Run::single(index, a.computed, a.error[Measure::Rel as usize]),
                    None => Run::single(index, c, block.rel_interval(lane, c)),
                };
                part.normal.offer(run, &mut exact);
            }
        }
        part.tally.settled += exact.asked;
    }

    /// Holds results against the tolerance. `kept` has what `c` had in slow and odd lanes.
    #[expect(clippy::too_many_arguments, reason = "the parts of a block, passed once")]
    fn tolerate(
        &self,
        ratio: &mut Ratio<'_, G>,
        block: &RefBlock<Scratch>,
        allowed: &Allowed,
        kept: &[f32],
        c: &[f32],
        outcome: &Outcome,
        apart: &[Apart],
        start: u64,
        part: &mut Part,
    ) {
        let held = allowed.hold(block, c);
        let plain = apart.is_empty() && outcome.odd.is_empty();
        if plain && !held.look && !part.tolerated.wants(held.top) {
            return;
        }
        let mut rest = apart.iter().peekable();
        for (lane, (&c, &own)) in c.iter().zip(kept).enumerate() {
            let index = start + lane as u64;
            let interval = match rest.next_if(|a| a.lane == lane) {
                Some(_) => {
                    let v = ratio.exact(index, own);
                    (v, v)
                }
                None => allowed.interval(block, lane, c),
            };
            let beyond = if interval.0 > 1.0 {
                true
            } else if interval.1 <= 1.0 {
                false
            } else {
                ratio.exact(index, own) > 1.0
            };
            if beyond {
                part.beyond.add(index);
            }
            part.tolerated.offer(Run::single(index, own, interval), ratio);
        }
    }
}
