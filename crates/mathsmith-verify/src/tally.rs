//! Evaluating a stretch of the domain for all programs, and adding stretches up.

use crate::block::{BLOCK, Outcome, RefBlock, Slow, Work, abs_bounds, agrees, judge, rel_bounds, uniform_outcome};
use crate::extreme::{Judge, Run, Tracker};
use crate::grid::Grid;
use crate::report::Histogram;
use crate::truth::{PointError, Truth};
use crate::{FloatDomain, VerifyError};
use mathsmith_ir::{ColumnMut, ColumnRef, Engine, Literal, Program};

/// What one thread works with.
pub(crate) struct Worker<S> {
    pub engines: Vec<Box<dyn Engine>>,
    block: RefBlock<S>,
    work: Work,
}

impl<S: Default> Worker<S> {
    pub(crate) fn new(engines: Vec<Box<dyn Engine>>) -> Self {
        Worker { engines, block: RefBlock::new(), work: Work::new() }
    }
}

/// The worst input of a chunk as the fast figures show it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Worst {
    pub index: u64,
    pub ulp: f64,
}

/// The first input of a chunk whose error has the highest level.
///
/// A level is 2^-10 ulp wide: coarse enough for another expression of the same function, whose fast figures differ by some
/// 2^-28, to lead to the same inputs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct High {
    pub index: u64,
    pub level: f64,
}

fn level(ulp: f64) -> f64 {
    (ulp * 1024.0).floor()
}

/// The three error measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Measure {
    Ulp,
    Rel,
    Abs,
}

impl Measure {
    pub(crate) const ALL: [Measure; 3] = [Measure::Ulp, Measure::Rel, Measure::Abs];

    pub(crate) fn of(self, e: &PointError) -> f64 {
        match self {
            Measure::Ulp => e.ulp,
            Measure::Rel => e.rel,
            Measure::Abs => e.abs,
        }
    }
}

/// Exact figures of one measure, counted.
pub(crate) struct Exact<'a, T> {
    pub truth: &'a T,
    pub domain: &'a FloatDomain,
    pub measure: Measure,
    pub asked: u64,
}

impl<T: Truth> Judge for Exact<'_, T> {
    fn exact(&mut self, index: u64, computed: f32) -> f64 {
        self.asked += 1;
        self.measure.of(&self.truth.errors(f64::from(self.domain.get(index)), computed))
    }

    fn bound(&mut self, first: u64, last: u64, computed: f32) -> f64 {
        self.asked += 1;
        let [lo, hi] = [first, last].map(|i| f64::from(self.domain.get(i)));
        self.measure.of(&self.truth.errors_bound(lo, hi, computed))
    }
}

/// What errors are measured against.
pub(crate) struct Job<'a, T> {
    pub truth: &'a T,
    pub domain: &'a FloatDomain,
    /// 1, except in the test that shows what the margin is for.
    pub margin: f64,
    /// Whether a finite result in place of an infinity counts as one of the wrong class, whatever its distance.
    pub strict: bool,
}

/// What all threads of a sweep share.
pub(crate) struct Sweep<'a, T> {
    pub job: Job<'a, T>,
    pub programs: &'a [Program],
    pub params: &'a [Vec<Literal>],
    /// For each program errors that some input attains, by measure: what lies below is no candidate.
    pub floors: Vec<[f64; 3]>,
}

/// Figures of one program over a stretch of the domain.
pub(crate) struct Tally {
    /// Candidates by [`Measure`].
    pub tops: [Tracker; 3],
    pub sum_ulp: f64,
    pub wrong: u64,
    pub wrong_class: u64,
    pub settled: u64,
    pub checksum: u64,
    pub histogram: Histogram,
    pub worst: Option<Worst>,
    pub high: Option<High>,
}

impl Tally {
    pub(crate) fn new(floors: [f64; 3]) -> Self {
        Tally {
            tops: floors.map(Tracker::new),
            sum_ulp: 0.0,
            wrong: 0,
            wrong_class: 0,
            settled: 0,
            checksum: 0,
            histogram: Histogram::new(),
            worst: None,
            high: None,
        }
    }

    /// Adds what a later stretch of the domain gave.
    pub(crate) fn merge<T: Truth>(&mut self, later: Tally, job: &Job<'_, T>) {
        for (measure, (top, later)) in Measure::ALL.into_iter().zip(self.tops.iter_mut().zip(&later.tops)) {
            let mut exact = job.exact(measure);
            top.merge(later, &mut exact);
            self.settled += exact.asked;
        }
        self.sum_ulp += later.sum_ulp;
        self.wrong += later.wrong;
        self.wrong_class += later.wrong_class;
        self.settled += later.settled;
        self.checksum = self.checksum.wrapping_add(later.checksum);
        for (a, b) in self.histogram.counts.iter_mut().zip(later.histogram.counts) {
            *a += b;
        }
    }

    fn raise(&mut self, index: u64, ulp: f64) {
        if self.worst.is_none_or(|w| ulp > w.ulp) {
            self.worst = Some(Worst { index, ulp });
        }
        let level = level(ulp);
        if self.high.is_none_or(|h| level > h.level) {
            self.high = Some(High { index, level });
        }
    }
}

impl<T: Truth> Job<'_, T> {
    pub(crate) fn exact(&self, measure: Measure) -> Exact<'_, T> {
        Exact { truth: self.truth, domain: self.domain, measure, asked: 0 }
    }
}

/// Whether two results count as the same rounded value: equal, or both NaN.
pub(crate) fn same(a: f32, b: f32) -> bool {
    a == b || (a.is_nan() && b.is_nan())
}

/// Evaluates a stretch of the domain: one tally a program.
pub(crate) fn sweep_chunk<T: Truth>(
    sweep: &Sweep<'_, T>,
    worker: &mut Worker<T::Scratch>,
    start: u64,
    len: u64,
) -> Result<Vec<Tally>, VerifyError> {
    let job = &sweep.job;
    let mut tallies: Vec<Tally> = sweep.floors.iter().map(|&f| Tally::new(f)).collect();
    let mut c = [0f32; BLOCK];
    let mut at = 0;
    while at < len {
        let n = (len - at).min(BLOCK as u64) as usize;
        let block = &mut worker.block;
        job.domain.fill(start + at, &mut block.x[..n]);
        let judged = block.load(job.truth, n, job.margin);
        for (i, tally) in tallies.iter_mut().enumerate() {
            worker.engines[i]
                .run(&sweep.params[i], &[ColumnRef::F32(&block.x[..n])], &mut [ColumnMut::F32(&mut c[..n])])
                .map_err(|e| VerifyError::engine(&sweep.programs[i], e))?;
            tally.settled += judged;
            tally_block(job, block, &mut worker.work, &mut c, start + at, tally);
        }
        at += n as u64;
    }
    Ok(tallies)
}

/// Adds the results of a uniform block to a tally: no lane has anything but an infinity or NaN as its correctly rounded
/// result. Returns the lanes whose results differ from it, the first and how many.
pub(crate) fn tally_uniform<T: Truth>(
    job: &Job<'_, T>,
    block: &RefBlock<T::Scratch>,
    rounded: f32,
    c: &[f32],
    start: u64,
    tally: &mut Tally,
) -> Option<(usize, u64)> {
    let outcome = uniform_outcome(block, c);
    tally.checksum = tally.checksum.wrapping_add(outcome.checksum);
    let mut exact = Measure::ALL.map(|m| job.exact(m));
    if agrees(rounded, c) {
        tally.histogram.counts[0] += c.len() as u64;
        for (top, exact) in tally.tops.iter_mut().zip(&mut exact) {
            top.offer(Run::single(start, c[0], (0.0, 0.0)), exact);
        }
        tally.settled += exact.iter().map(|e| e.asked).sum::<u64>();
        tally.raise(start, 0.0);
        return None;
    }
    if rounded.is_nan() {
        // Each result is right or infinitely wrong: the first of either kind stands for all of it.
        let right = c.iter().map(|c| u64::from(c.is_nan())).sum::<u64>();
        let lanes = c.len() as u64 - right;
        let wrong = c.iter().position(|c| !c.is_nan()).map(|first| (first, lanes));
        let firsts = [(c.iter().position(|c| c.is_nan()), 0.0), (wrong.map(|w| w.0), f64::INFINITY)];
        for (lane, error) in firsts.into_iter().filter_map(|(lane, error)| lane.map(|lane| (lane, error))) {
            let index = start + lane as u64;
            for (top, exact) in tally.tops.iter_mut().zip(&mut exact) {
                top.offer(Run::single(index, c[lane], (error, error)), exact);
            }
            tally.raise(index, error);
        }
        tally.histogram.counts[0] += right;
        tally.histogram.counts[Histogram::BINS - 1] += lanes;
        tally.wrong += lanes;
        tally.wrong_class += lanes;
        tally.settled += exact.iter().map(|e| e.asked).sum::<u64>();
        return wrong;
    }
    let mut wrong = None;
    for (lane, &computed) in c.iter().enumerate() {
        let index = start + lane as u64;
        let mut error = [(0.0, 0.0); 3];
        if !same(computed, rounded) {
            wrong = Some(wrong.map_or((lane, 1), |(first, lanes)| (first, lanes + 1)));
            let slow = Slow { lane: lane as u16, rounded, y: block.y[lane], e: block.e[lane] };
            let finite = if computed.is_finite() { overflow_intervals::<T::Grid>(&slow, computed) } else { None };
            error = finite.unwrap_or([(f64::INFINITY, f64::INFINITY); 3]);
            let open = |m: usize| error[m].0 < error[m].1 && error[m].1 == f64::INFINITY;
            if (0..3).any(|m| open(m) && tally.tops[m].wants(f64::INFINITY)) {
                // Beyond the doubles only MPFR knows how far.
                let e = job.truth.errors(f64::from(block.x[lane]), computed);
                error = [e.ulp, e.rel, e.abs].map(|v| (v, v));
                tally.settled += 1;
            }
        }
        tally.histogram.counts[Histogram::bin(error[0].0)] += 1;
        for ((top, error), exact) in tally.tops.iter_mut().zip(error).zip(&mut exact) {
            top.offer(Run::single(index, computed, error), exact);
        }
        tally.raise(index, error[0].0);
    }
    let (_, lanes) = wrong.unwrap_or((0, 0));
    tally.wrong += lanes;
    tally.wrong_class += lanes;
    tally.settled += exact.iter().map(|e| e.asked).sum::<u64>();
    wrong
}

/// Adds the results of one block, which the first lanes of `c` hold, to a tally. Results of slow and odd lanes are
/// overwritten.
pub(crate) fn tally_block<T: Truth>(
    job: &Job<'_, T>,
    block: &mut RefBlock<T::Scratch>,
    work: &mut Work,
    c: &mut [f32; BLOCK],
    start: u64,
    tally: &mut Tally,
) -> (Outcome, Vec<Apart>) {
    let n = block.len;
    if let Some(rounded) = block.uniform {
        if agrees(rounded, &c[..n]) {
            tally_uniform(job, block, rounded, &c[..n], start, tally);
            return (Outcome::default(), Vec::new());
        }
        block.expand();
    }
    // Slow lanes are rare: keep their results before the fast loops overwrite them.
    let slow: Vec<f32> = block.slow.iter().map(|s| c[usize::from(s.lane)]).collect();
    let outcome = judge(block, c, work, &mut tally.histogram);
    let apart = lanes_apart(job, block, &slow, &outcome, tally);
    tally.checksum = tally.checksum.wrapping_add(outcome.checksum);
    tally.sum_ulp += outcome.sum_u;
    tally.wrong += outcome.wrong;
    for measure in Measure::ALL {
        offer(job, measure, block, &c[..n], start, &outcome, &apart, tally);
    }
    raise(work, n, start, &outcome, &apart, tally);
    (outcome, apart)
}

/// A lane that the fast loops did not judge, with its exact figures.
pub(crate) struct Apart {
    pub lane: usize,
    pub computed: f32,
    /// Bounds of the error by measure.
    pub error: [(f64, f64); 3],
}

impl Apart {
    fn exact(lane: usize, computed: f32, error: PointError) -> Self {
        Apart { lane, computed, error: [error.ulp, error.rel, error.abs].map(|v| (v, v)) }
    }
}

/// Judges slow and odd lanes, in ascending order.
fn lanes_apart<T: Truth>(
    job: &Job<'_, T>,
    block: &RefBlock<T::Scratch>,
    slow: &[f32],
    outcome: &Outcome,
    tally: &mut Tally,
) -> Vec<Apart> {
    if block.slow.is_empty() && outcome.odd.is_empty() {
        return Vec::new();
    }
    let mut apart = Vec::with_capacity(block.slow.len() + outcome.odd.len());
    for (s, &computed) in block.slow.iter().zip(slow) {
        let lane = usize::from(s.lane);
        let right = same(computed, s.rounded);
        // An infinite or undefined reference that the result agrees with leaves nothing to measure, and one of them in
        // the other's place or in that of a number has no error but an infinite one.
        let a = if right && !s.rounded.is_finite() {
            Apart::exact(lane, computed, PointError::NONE)
        } else if s.rounded.is_nan() || !computed.is_finite() {
            Apart::exact(lane, computed, PointError::WRONG_CLASS)
        } else if job.strict
            && let Some(error) = overflow_intervals::<T::Grid>(s, computed)
            && (error[0].1.is_finite()
                || !Measure::ALL.iter().any(|&m| tally.tops[m as usize].wants(error[m as usize].1)))
        {
            Apart { lane, computed, error }
        } else {
            tally.settled += 1;
            Apart::exact(lane, computed, job.truth.errors(f64::from(block.x[lane]), computed))
        };
        let ulp = a.error[0].0;
        tally.wrong += u64::from(!right);
        tally.histogram.counts[Histogram::bin(ulp)] += 1;
        if a.error[0].1.is_finite() && !(job.strict && s.rounded.is_infinite() && !right) {
            tally.sum_ulp += ulp;
        } else {
            tally.wrong_class += 1;
        }
        apart.push(a);
    }
    for &lane in &outcome.odd {
        tally.wrong += 1;
        tally.wrong_class += 1;
        tally.histogram.counts[Histogram::BINS - 1] += 1;
        // Which of NaN and the infinities it was does not matter: each is of the wrong class.
        apart.push(Apart::exact(usize::from(lane), f32::NAN, PointError::WRONG_CLASS));
    }
    apart.sort_by_key(|a| a.lane);
    apart
}

/// Bounds of the errors, by measure, of a finite result where the value overflows.
fn overflow_intervals<G: Grid>(s: &Slow, c: f32) -> Option<[(f64, f64); 3]> {
    if !s.rounded.is_infinite() {
        return None;
    }
    // The ulp of the greatest numbers goes on above them.
    let scale = G::inverse_ulp(G::OVERFLOW.next_down());
    if s.y.is_infinite() {
        // At least 2^(1023 - e), e < 800, which no f32 comes near: relative to it they are all zero.
        let least = f64::from_bits((1022 - s.e.ceil() as u64) << 52);
        return Some([(least * scale, f64::INFINITY), (1.0, 1.0), (least, f64::INFINITY)]);
    }
    let abs = abs_bounds(s.y, s.e, c);
    Some([(abs.0 * scale, abs.1 * scale), rel_bounds(s.y, s.e, c), abs])
}

/// Offers what a block holds to the tracker of a measure.
#[expect(clippy::too_many_arguments, reason = "the parts of a block, passed once")]
fn offer<T: Truth>(
    job: &Job<'_, T>,
    measure: Measure,
    block: &RefBlock<T::Scratch>,
    c: &[f32],
    start: u64,
    outcome: &Outcome,
    apart: &[Apart],
    tally: &mut Tally,
) {
    let tracker = &mut tally.tops[measure as usize];
    let fast = match measure {
        Measure::Ulp => outcome.top_ulp,
        Measure::Rel => outcome.top_rel,
        Measure::Abs => outcome.top_abs,
    };
    let top = apart.iter().map(|a| a.error[measure as usize].1).fold(fast, f64::max);
    if !tracker.wants(top) {
        return;
    }
    let interval = |lane: usize, c: f32| match measure {
        Measure::Ulp => block.ulp_interval::<T::Grid>(lane, c),
        Measure::Rel => block.rel_interval(lane, c),
        Measure::Abs => block.abs_interval(lane, c),
    };
    let mut exact = job.exact(measure);
    if apart.is_empty() && c.iter().all(|x| x.to_bits() == c[0].to_bits()) {
        // A flat stretch: one run, of which one lane's lower bound is known to be attained.
        let (lower, upper) = interval(0, c[0]);
        let last = start + c.len() as u64 - 1;
        let run = Run { lower, upper: top.max(upper), first: start, last, computed: c[0] };
        tracker.offer(run, &mut exact);
    } else {
        let mut rest = apart.iter().peekable();
        for (lane, &c) in c.iter().enumerate() {
            let run = match rest.next_if(|a| a.lane == lane) {
                Some(a) => Run::single(start + lane as u64, a.computed, a.error[measure as usize]),
                None => Run::single(start + lane as u64, c, interval(lane, c)),
            };
            tracker.offer(run, &mut exact);
        }
    }
    tally.settled += exact.asked;
}

/// Keeps the worst input of the chunk by the fast figures.
fn raise(work: &Work, len: usize, start: u64, outcome: &Outcome, apart: &[Apart], tally: &mut Tally) {
    // Odd lanes hold a stand-in and are raised below.
    let first = |attains: &dyn Fn(f64) -> bool| (0..len).find(|&l| attains(work.ulps[l])).map(|l| start + l as u64);
    if tally.worst.is_none_or(|w| outcome.max_u > w.ulp)
        && let Some(index) = first(&|u| u == outcome.max_u)
    {
        tally.worst = Some(Worst { index, ulp: outcome.max_u });
    }
    let top = level(outcome.max_u);
    if tally.high.is_none_or(|h| top > h.level)
        && let Some(index) = first(&|u| level(u) == top)
    {
        tally.high = Some(High { index, level: top });
    }
    for a in apart {
        tally.raise(start + a.lane as u64, a.error[0].0);
    }
}
