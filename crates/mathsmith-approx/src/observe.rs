//! What a run tells whoever watches it, and how it is asked to stop.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A step of a run, for progress display. Nothing in it may steer the run.
#[derive(Clone, Debug)]
pub enum Event {
    /// A stage begins.
    Stage(String),
    /// The search goes on.
    Search {
        /// `fma`, `plain` or `real`.
        variant: String,
        /// Candidates scored so far in this search.
        evaluations: u64,
        /// Budget in evaluations; `None` under a time limit.
        total: Option<u64>,
        /// Operations and error of the best candidates so far, fewest operations first.
        best: Vec<(u32, f64)>,
        /// Estimate of what is left.
        left: Option<Duration>,
    },
    /// Constants of chosen programs are rounded and improved.
    Round {
        /// Programs done.
        done: usize,
        /// Programs in all.
        total: usize,
    },
    /// An exhaustive sweep goes on.
    Sweep {
        /// Inputs done.
        done: u64,
        /// Inputs in all.
        total: u64,
        /// Programs judged in the same sweep.
        programs: usize,
        /// Estimate of what is left.
        left: Option<Duration>,
    },
    /// A remark that belongs into the output.
    Note(String),
}

/// Receives events; asked now and then whether to stop.
pub trait Observer: Sync {
    /// Called from the thread that drives the run.
    fn event(&self, event: &Event);
    /// Set to end the run at the next safe point: what is there is saved and the run can be resumed.
    fn stop(&self) -> &AtomicBool;
    /// Whether the run has been asked to stop.
    fn stopped(&self) -> bool {
        self.stop().load(Ordering::Relaxed)
    }
}

/// An observer that shows nothing.
#[derive(Default)]
pub struct Silent(AtomicBool);

impl Observer for Silent {
    fn event(&self, _: &Event) {}
    fn stop(&self) -> &AtomicBool {
        &self.0
    }
}

/// What is left of `total` when `done` took `elapsed`, at the same pace.
pub fn time_left(done: u64, total: u64, elapsed: Duration) -> Option<Duration> {
    (done > 0 && total >= done).then(|| elapsed.mul_f64((total - done) as f64 / done as f64))
}
