//! A running maximum of figures that are known only to within a margin.
//!
//! Each input offers an interval `[lower, upper]` that holds its exact error (rounded to a double). The tracker keeps the
//! greatest lower bound seen and every input whose upper bound reaches it; any other input has an error strictly below
//! some other input's and cannot be the worst. What is left at the end is settled by the exact figure, so the maximum
//! and the input that attains it do not depend on the margin, as long as the intervals are true.
//!
//! Ties go to the first input, so an input whose upper bound does not *exceed* the bar set by an earlier one is dropped.

/// One input that may be the worst.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// Lower bound of its error.
    pub lower: f64,
    /// Upper bound of its error.
    pub upper: f64,
    /// Position in the domain.
    pub index: u64,
    /// The program's result.
    pub computed: f32,
}

/// The candidates for one maximum.
#[derive(Clone, Debug)]
pub struct Tracker {
    bar: f64,
    candidates: Vec<Candidate>,
}

/// Candidates above which dominated ones are removed.
const TIDY: usize = 64;
/// Candidates above which the exact figures are asked for at once, which bounds memory.
const SETTLE: usize = 4096;

impl Default for Tracker {
    fn default() -> Self {
        Tracker { bar: f64::NEG_INFINITY, candidates: Vec::new() }
    }
}

impl Tracker {
    /// The greatest lower bound so far; an input whose upper bound does not exceed it need not be offered.
    #[inline(always)]
    pub fn bar(&self) -> f64 {
        self.bar
    }

    /// Takes an input into account. Inputs come in ascending order. `exact` gives the exact error of a candidate.
    pub fn offer(&mut self, c: Candidate, exact: &mut dyn FnMut(&Candidate) -> f64) {
        if c.upper > self.bar {
            self.candidates.push(c);
            self.bar = self.bar.max(c.lower);
            if self.candidates.len().is_multiple_of(TIDY) {
                self.candidates.retain(|k| k.upper >= self.bar);
                if self.candidates.len() >= SETTLE {
                    self.settle(exact);
                }
            }
        }
    }

    /// Adds the candidates of a later stretch of the domain.
    pub fn merge(&mut self, later: &Tracker, exact: &mut dyn FnMut(&Candidate) -> f64) {
        for &c in &later.candidates {
            self.offer(c, exact);
        }
    }

    /// Replaces the candidates by the one whose exact error is the largest, the first of equals, and returns it with
    /// that error as both bounds; `None` if nothing was offered.
    pub fn settle(&mut self, exact: &mut dyn FnMut(&Candidate) -> f64) -> Option<Candidate> {
        self.candidates.retain(|k| k.upper >= self.bar);
        let mut best: Option<Candidate> = None;
        for c in &self.candidates {
            let e = exact(c);
            if best.is_none_or(|b| e > b.lower) {
                best = Some(Candidate { lower: e, upper: e, ..*c });
            }
        }
        if let Some(b) = best {
            self.bar = b.lower;
            self.candidates.clear();
            self.candidates.push(b);
        }
        best
    }

    /// Number of inputs still in question.
    pub fn len(&self) -> usize {
        self.candidates.len()
    }

    /// Whether no input was offered.
    pub fn is_empty(&self) -> bool {
        self.candidates.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(t: &mut Tracker, truth: &[f64], margin: f64, noise: impl Fn(usize) -> f64) {
        for (i, &e) in truth.iter().enumerate() {
            let seen = e + noise(i) * margin;
            t.offer(
                Candidate { lower: seen - margin, upper: seen + margin, index: i as u64, computed: 0.0 },
                &mut |c| truth[c.index as usize],
            );
        }
    }

    #[test]
    fn the_exact_maximum_is_found_whatever_the_noise() {
        // Many near-equal errors; the noise would pick another one.
        let truth: Vec<f64> = (0..20_000u64).map(|i| 1.0 + ((i * 7919) % 20_011) as f64 * 1e-9).collect();
        let noise = |i: usize| ((i * 31) % 17) as f64 / 8.0 - 1.0;
        let want = truth.iter().cloned().fold(0.0, f64::max);
        let mut t = Tracker::default();
        offer(&mut t, &truth, 1e-5, noise);
        let best = t.settle(&mut |c| truth[c.index as usize]).unwrap();
        assert_eq!(best.lower, want);
        assert_eq!(truth[best.index as usize], want);
    }

    #[test]
    fn ties_go_to_the_first_even_across_merges() {
        let mut whole = Tracker::default();
        for part in 0..3 {
            let mut t = Tracker::default();
            for i in 0..1000 {
                let e = 1.0;
                t.offer(Candidate { lower: e, upper: e, index: part * 1000 + i, computed: 0.0 }, &mut |_| 1.0);
            }
            assert_eq!(t.len(), 1);
            whole.merge(&t, &mut |_| 1.0);
        }
        assert_eq!(whole.settle(&mut |_| 1.0).unwrap().index, 0);
    }
}
