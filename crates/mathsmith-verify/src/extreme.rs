//! A running maximum of figures that are known only to within a margin.
//!
//! Each input offers an interval `[lower, upper]` that holds its exact error. The tracker keeps the greatest lower bound
//! seen and every input whose upper bound reaches it; any other input has an error strictly below some other input's and
//! cannot be the worst. What is left at the end is settled by exact figures, so the maximum and the input that attains
//! it do not depend on the margin, as long as the intervals are true.
//!
//! Where a function is flat, millions of neighbouring inputs share one result and nearly one value (2^x is 1 to within
//! 2^-53 for every second float of 0..1). They are kept as one [`Run`] and settled by branch and bound: an enclosure of
//! the function over the whole run bounds its errors; a run is split only while that bound exceeds the best exact figure.
//!
//! Where a result is a function of the input to within less than the doubles tell (`x` with its last bit dropped, for a
//! function that is `x` to 2^-60), millions of inputs that are no neighbours have one error to within 2^-26 of it, and no
//! bound speaks for all of them. Once a sample of such candidates shows no difference that matters ([`ALIKE`]) they are no
//! longer told apart: the first stays, and the greatest of their upper bounds is the maximum that is stated.
//!
//! Ties go to the first input, so an input whose upper bound does not *exceed* the bar set by an earlier one is dropped.

/// Neighbouring inputs with the same result, any of which may be the worst.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Run {
    /// Lower bound of the largest error among them.
    pub lower: f64,
    /// Upper bound of the errors of all of them.
    pub upper: f64,
    /// Position of the first in the domain.
    pub first: u64,
    /// Position of the last.
    pub last: u64,
    /// The program's result.
    pub computed: f32,
}

impl Run {
    /// A single input.
    pub fn single(index: u64, computed: f32, (lower, upper): (f64, f64)) -> Self {
        Run { lower, upper, first: index, last: index, computed }
    }
}

/// The input that attains a maximum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settled {
    /// The error, exact to rounding; an upper bound within [`ALIKE`] of it where candidates are too many and too much alike.
    pub value: f64,
    /// Position in the domain.
    pub index: u64,
    /// The program's result.
    pub computed: f32,
}

/// Exact figures on request.
pub trait Judge {
    /// The error of an input with a given result.
    fn exact(&mut self, index: u64, computed: f32) -> f64;
    /// A bound of the errors of all inputs from `first` to `last`, were `computed` the result of each.
    fn bound(&mut self, first: u64, last: u64, computed: f32) -> f64;
}

/// The candidates for one maximum.
#[derive(Clone, Debug)]
pub struct Tracker {
    bar: f64,
    floor: f64,
    /// Upper bound of the errors of candidates that were not told apart.
    ceiling: f64,
    runs: Vec<Run>,
}

/// Candidates above which dominated ones are removed.
const TIDY: usize = 64;
/// Candidates above which exact figures are asked for at once, which bounds memory.
const SETTLE: usize = 4096;
/// Relative difference of errors below which very many candidates are not told apart.
pub const ALIKE: f64 = 1.0 / (1u64 << 24) as f64;
/// Candidates of which exact figures are asked for to see whether all are alike.
const SAMPLE: usize = 32;

impl Tracker {
    /// A tracker that ignores errors below `floor`, an error that some input of the domain is known to attain.
    pub fn new(floor: f64) -> Self {
        Tracker { bar: f64::NEG_INFINITY, floor, ceiling: f64::NEG_INFINITY, runs: Vec::new() }
    }

    /// Whether an input with this upper bound has to be offered.
    #[inline(always)]
    pub fn wants(&self, upper: f64) -> bool {
        upper > self.bar && upper >= self.floor && upper > self.ceiling
    }

    /// The greatest lower bound so far.
    pub fn bar(&self) -> f64 {
        self.bar
    }

    /// Takes inputs into account, in ascending order.
    pub fn offer(&mut self, run: Run, judge: &mut dyn Judge) {
        if !self.wants(run.upper) {
            return;
        }
        self.bar = self.bar.max(run.lower);
        if let Some(last) = self.runs.last_mut()
            && last.last + 1 == run.first
            && last.computed.to_bits() == run.computed.to_bits()
        {
            last.last = run.last;
            last.lower = last.lower.max(run.lower);
            last.upper = last.upper.max(run.upper);
            return;
        }
        self.runs.push(run);
        if self.runs.len().is_multiple_of(TIDY) {
            self.tidy();
            if self.runs.len() >= SETTLE && !self.merged(judge) {
                self.settle(judge);
            }
        }
    }

    /// Keeps the first of candidates that are alike, with the upper bound of all; false where they differ.
    fn merged(&mut self, judge: &mut dyn Judge) -> bool {
        let upper = self.runs.iter().map(|r| r.upper).fold(f64::NEG_INFINITY, f64::max);
        let step = self.runs.len().div_ceil(SAMPLE);
        let alike = |error: f64| error.is_finite() && error >= upper * (1.0 - ALIKE);
        if !self.runs.iter().step_by(step).all(|r| alike(judge.exact(r.first, r.computed))) {
            return false;
        }
        self.ceiling = self.ceiling.max(upper);
        self.runs.truncate(1);
        true
    }

    fn tidy(&mut self) {
        let limit = self.bar.max(self.floor);
        self.runs.retain(|k| k.upper >= limit);
    }

    /// Adds the candidates of a later stretch of the domain.
    pub fn merge(&mut self, later: &Tracker, judge: &mut dyn Judge) {
        if later.ceiling > self.ceiling && later.ceiling >= self.floor {
            // Its candidate is the first to have that bound.
            self.runs.extend(later.runs.first().filter(|r| r.upper > self.bar));
            self.ceiling = later.ceiling;
        }
        for &run in &later.runs {
            self.offer(run, judge);
        }
    }

    /// Number of runs still in question.
    pub fn len(&self) -> usize {
        self.runs.len()
    }

    /// Whether no input was offered.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// The input with the largest exact error, the first of equals; it becomes the only candidate. `None` if nothing was
    /// offered.
    pub fn settle(&mut self, judge: &mut dyn Judge) -> Option<Settled> {
        self.tidy();
        let mut best = f64::NEG_INFINITY;
        let mut firsts = Vec::with_capacity(self.runs.len());
        for r in &self.runs {
            let first = judge.exact(r.first, r.computed);
            firsts.push(first);
            best = best.max(first);
            if r.last > r.first {
                best = best.max(judge.exact(r.last, r.computed));
            }
        }
        // The value: split what can still hold a larger one. The ends of each piece have been looked at.
        let mut open: Vec<Run> = self.runs.iter().filter(|r| r.last > r.first + 1).copied().collect();
        while let Some(r) = open.pop() {
            if r.last <= r.first + 1 || judge.bound(r.first, r.last, r.computed) <= best {
                continue;
            }
            let middle = r.first + (r.last - r.first) / 2;
            best = best.max(judge.exact(middle, r.computed));
            open.push(Run { last: middle, ..r });
            open.push(Run { first: middle, ..r });
        }
        if self.ceiling > best {
            // Not told apart: the best of those kept stands for all of them.
            let exact =
                self.runs.iter().zip(&firsts).max_by(|a, b| a.1.total_cmp(b.1).then(b.0.first.cmp(&a.0.first)))?.0;
            return Some(Settled { value: self.ceiling, index: exact.first, computed: exact.computed });
        }
        // The first input that attains it.
        let found = self.runs.iter().zip(&firsts).find_map(|(r, &first)| {
            let index = if first == best { Some(r.first) } else { first_in(*r, best, judge) };
            index.map(|index| Settled { value: best, index, computed: r.computed })
        })?;
        self.bar = best;
        self.runs.clear();
        self.runs.push(Run::single(found.index, found.computed, (best, best)));
        Some(found)
    }
}

/// The first input after the first one of a run whose error is `best`.
fn first_in(run: Run, best: f64, judge: &mut dyn Judge) -> Option<u64> {
    // Pieces from right to left, so that the leftmost is on top; a piece's first input is looked at when it is taken.
    let mut open = Vec::new();
    if run.last > run.first {
        open.push((run.first + 1, run.last));
    }
    while let Some((first, last)) = open.pop() {
        if last > first && judge.bound(first, last, run.computed) < best {
            continue;
        }
        if judge.exact(first, run.computed) == best {
            return Some(first);
        }
        if last > first {
            let middle = first + (last - first) / 2;
            if last > middle {
                open.push((middle + 1, last));
            }
            if middle > first {
                open.push((first + 1, middle));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Table<'a> {
        truth: &'a [f64],
        asked: usize,
    }

    impl Judge for Table<'_> {
        fn exact(&mut self, index: u64, _: f32) -> f64 {
            self.asked += 1;
            self.truth[index as usize]
        }
        fn bound(&mut self, first: u64, last: u64, _: f32) -> f64 {
            self.asked += 1;
            self.truth[first as usize..=last as usize].iter().cloned().fold(0.0, f64::max)
        }
    }

    fn check(truth: &[f64], margin: f64, computed: impl Fn(usize) -> f32, noise: impl Fn(usize) -> f64) -> usize {
        let mut judge = Table { truth, asked: 0 };
        let mut t = Tracker::new(0.0);
        for (i, &e) in truth.iter().enumerate() {
            let seen = e + noise(i) * margin;
            t.offer(Run::single(i as u64, computed(i), (seen - margin, seen + margin)), &mut judge);
        }
        let best = t.settle(&mut judge).unwrap();
        let want = truth.iter().cloned().fold(0.0, f64::max);
        assert_eq!((best.value, best.index), (want, truth.iter().position(|&e| e == want).unwrap() as u64));
        judge.asked
    }

    #[test]
    fn the_exact_maximum_is_found_whatever_the_noise() {
        // Many near-equal errors; the noise would pick another one.
        let truth: Vec<f64> = (0..20_000u64).map(|i| 1.0 + ((i * 7919) % 20_011) as f64 * 1e-9).collect();
        let noise = |i: usize| ((i * 31) % 17) as f64 / 8.0 - 1.0;
        check(&truth, 1e-5, |i| i as f32, noise);
        check(&truth, 1e-5, |i| (i / 100) as f32, noise);
    }

    #[test]
    fn flat_stretches_are_settled_by_halving() {
        // 2^17 inputs with one result whose errors the fast figures cannot tell apart.
        let n = 1 << 17;
        let noise = |i: usize| if i.is_multiple_of(2) { 0.5 } else { -0.5 };
        let rising: Vec<f64> = (0..n).map(|i| 0.5 + f64::from(i / 1000) * 1e-12).collect();
        let falling: Vec<f64> = rising.iter().rev().copied().collect();
        let hill: Vec<f64> = (0..n).map(|i| 0.5 - f64::from((i - 77_777i32).abs()) * 1e-14).collect();
        for truth in [rising, falling, hill, vec![0.5; n as usize]] {
            let asked = check(&truth, 1e-7, |_| 1.0, noise);
            assert!(asked < 1000, "{asked} figures asked for");
        }
    }

    #[test]
    fn candidates_that_are_alike_are_not_told_apart() {
        // Scattered inputs, each with a result of its own, whose errors differ by less than anyone asks for.
        let truth: Vec<f64> = (0..60_000u64).map(|i| 1.0 - ((i * 7919) % 20_011) as f64 * 1e-15).collect();
        let mut judge = Table { truth: &truth, asked: 0 };
        let mut whole = Tracker::new(0.5);
        for part in truth.chunks(20_000).enumerate() {
            let mut t = Tracker::new(0.5);
            for (i, e) in part.1.iter().enumerate() {
                let index = (part.0 * 20_000 + i) as u64;
                t.offer(Run::single(index, index as f32, (e - 1e-9, e + 1e-9)), &mut judge);
            }
            whole.merge(&t, &mut judge);
        }
        let best = whole.settle(&mut judge).unwrap();
        assert!(best.value >= 1.0 && best.value <= 1.0 + ALIKE, "{best:?}");
        assert!(truth[best.index as usize] > 1.0 - ALIKE);
        assert!(judge.asked < 1000, "{} figures asked for", judge.asked);
    }

    #[test]
    fn ties_go_to_the_first_even_across_merges() {
        let truth = vec![1.0; 3000];
        let mut judge = Table { truth: &truth, asked: 0 };
        let mut whole = Tracker::new(0.0);
        for part in 0..3 {
            let mut t = Tracker::new(1.0);
            for i in 0..1000 {
                t.offer(Run::single(part * 1000 + i, i as f32, (1.0, 1.0)), &mut judge);
            }
            assert_eq!(t.len(), 1);
            whole.merge(&t, &mut judge);
        }
        assert_eq!(whole.settle(&mut judge).unwrap().index, 0);
    }
}
