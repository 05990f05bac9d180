//! The engine: generations on a pool of threads, budgets, progress, checkpoints, and the reason it stopped.

use crate::checkpoint::{self, CheckpointError};
use crate::{Problem, State, Stats};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Generations without a single evaluation after which the search space counts as exhausted.
const IDLE_GENERATIONS: u64 = 200;

/// What shapes a search; every field changes the result, so all are recorded in checkpoints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EngineSettings {
    /// Seed of every random draw.
    pub seed: u64,
    /// Number of islands, at least 1.
    pub islands: u32,
    /// Children proposed in a generation of an island.
    pub children: usize,
    /// Archive places for each size.
    pub slots: usize,
    /// Relative difference up to which two errors are equal.
    pub tolerance: f64,
    /// Keys remembered by each island.
    pub cache: usize,
    /// Generations between exchanges of elites; 0 for never. Without meaning for one island.
    pub migrate_every: u64,
}

impl Default for EngineSettings {
    fn default() -> Self {
        EngineSettings {
            seed: 1,
            islands: 4,
            children: 256,
            slots: 100,
            tolerance: 1e-3,
            cache: 1 << 20,
            migrate_every: 1000,
        }
    }
}

/// How long to search. Both limits are looked at between generations, so a run ends with a whole generation.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Budget {
    /// Evaluations since the start of the search (not of this call); the run ends with the generation that reaches it.
    pub evaluations: Option<u64>,
    /// Time since the start of this call. [`Finish::evaluations`] says how many evaluations it allowed: the same number
    /// as `evaluations` gives the same result without a clock.
    pub time: Option<Duration>,
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// The budget of evaluations is used up.
    Evaluations,
    /// The time is up.
    Time,
    /// Someone asked for it (Ctrl-C).
    Interrupted,
    /// Many generations in a row proposed nothing new.
    Exhausted,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finish {
    /// Why.
    pub reason: StopReason,
    /// Evaluations since the start of the search.
    pub evaluations: u64,
}

/// Where and how often to write checkpoints.
#[derive(Clone, Debug, PartialEq)]
pub struct SavePolicy {
    /// The checkpoint file; its folder must exist.
    pub path: PathBuf,
    /// Time between two checkpoints; one more is written at the end of every run.
    pub every: Duration,
}

/// State of affairs, for a person.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// Counts since the start of the search.
    pub stats: Stats,
    /// Generations done by each island.
    pub generation: u64,
    /// Time since the start of this call.
    pub elapsed: Duration,
    /// Evaluations a second in this call.
    pub rate: f64,
    /// Size and least error, ascending by size.
    pub best: Vec<(u32, f64)>,
    /// Time until the budget is used up, as far as the rate so far tells; `None` without a budget or a rate.
    pub left: Option<Duration>,
}

/// What a run is watched and steered by. Nothing here changes a result.
#[derive(Default)]
pub struct Control<'a> {
    /// When it becomes true, the run ends after the current generation.
    pub stop: Option<&'a AtomicBool>,
    /// Checkpoints.
    pub save: Option<SavePolicy>,
    /// Called at the start, at the end, and in between at most every [`Control::progress_every`].
    pub progress: Option<&'a mut dyn FnMut(&Progress)>,
    /// Least time between two calls of `progress`.
    pub progress_every: Duration,
}

/// A search under way.
pub struct Engine<'p, P: Problem> {
    problem: &'p P,
    settings: EngineSettings,
    fingerprint: String,
    state: State<P::Genome>,
    pool: rayon::ThreadPool,
    workers: Vec<Mutex<P::Worker>>,
}

/// The threads of a search could not be started.
#[derive(Debug, thiserror::Error)]
#[error("cannot start {threads} threads ({source}); ask for fewer with --threads")]
pub struct ThreadError {
    /// Threads asked for.
    pub threads: usize,
    /// What the system said.
    pub source: rayon::ThreadPoolBuildError,
}

impl<'p, P: Problem> Engine<'p, P> {
    /// A search at its beginning, on `threads` threads (at least 1).
    ///
    /// `fingerprint` identifies the problem and its settings beyond [`EngineSettings`]: a checkpoint is resumed only
    /// under the same one.
    ///
    /// # Errors
    /// [`ThreadError`] if the system refuses the threads.
    pub fn new(
        problem: &'p P,
        settings: EngineSettings,
        fingerprint: impl Into<String>,
        threads: usize,
    ) -> Result<Self, ThreadError> {
        let state = State::new(&settings);
        Self::with_state(problem, settings, fingerprint.into(), threads, state)
    }

    fn with_state(
        problem: &'p P,
        settings: EngineSettings,
        fingerprint: String,
        threads: usize,
        state: State<P::Genome>,
    ) -> Result<Self, ThreadError> {
        let threads = threads.max(1);
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|n| format!("search-{n}"))
            .build()
            .map_err(|source| ThreadError { threads, source })?;
        let workers = (0..threads).map(|_| Mutex::new(problem.worker())).collect();
        Ok(Engine { problem, settings, fingerprint, state, pool, workers })
    }

    /// Takes up the state that a checkpoint holds.
    ///
    /// # Errors
    /// [`CheckpointError`] if the file cannot be read, is damaged, or belongs to another problem, other settings or
    /// another version. The engine is unchanged then.
    pub fn resume(&mut self, path: &Path) -> Result<(), CheckpointError> {
        self.state = checkpoint::load(path, &self.settings, &self.fingerprint)?;
        Ok(())
    }

    /// Writes a checkpoint.
    ///
    /// # Errors
    /// [`CheckpointError::Io`] if the file cannot be written; a checkpoint that was there before is still there then.
    pub fn save(&self, path: &Path) -> Result<(), CheckpointError> {
        checkpoint::save(path, &self.state, &self.settings, &self.fingerprint)
    }

    /// The state so far.
    pub fn state(&self) -> &State<P::Genome> {
        &self.state
    }

    /// The settings of the search.
    pub fn settings(&self) -> &EngineSettings {
        &self.settings
    }

    fn progress(&self, budget: &Budget, start: Instant, before: u64) -> Progress {
        let stats = self.state.stats();
        let elapsed = start.elapsed();
        let rate = (stats.evaluated - before) as f64 / elapsed.as_secs_f64().max(1e-9);
        let by_count = budget
            .evaluations
            .filter(|_| rate > 0.0)
            .and_then(|n| Duration::try_from_secs_f64(n.saturating_sub(stats.evaluated) as f64 / rate).ok());
        let by_time = budget.time.map(|t| t.saturating_sub(elapsed));
        Progress {
            stats,
            generation: self.state.islands.iter().map(|i| i.generation).min().unwrap_or(0),
            elapsed,
            rate,
            best: self.state.best_per_size().iter().map(|e| (e.size, e.error)).collect(),
            left: by_count.into_iter().chain(by_time).min(),
        }
    }

    fn stop_reason(&self, budget: &Budget, start: Instant, stop: Option<&AtomicBool>) -> Option<StopReason> {
        if stop.is_some_and(|s| s.load(Ordering::Relaxed)) {
            Some(StopReason::Interrupted)
        } else if budget.evaluations.is_some_and(|n| self.state.stats().evaluated >= n) {
            Some(StopReason::Evaluations)
        } else if self.state.islands.iter().all(|i| i.idle >= IDLE_GENERATIONS) {
            Some(StopReason::Exhausted)
        } else if budget.time.is_some_and(|t| start.elapsed() >= t) {
            Some(StopReason::Time)
        } else {
            None
        }
    }

    /// One generation on every island, and the exchange of elites when it is due.
    fn generation(&mut self) {
        let (problem, workers, settings, state) = (self.problem, &self.workers, &self.settings, &mut self.state);
        self.pool.install(|| {
            // Side by side, so that a thread with nothing left to do on one island helps on the next.
            state.islands.par_iter_mut().for_each(|island| island.step(problem, workers, settings));
        });
        let done = self.state.islands.first().map_or(0, |i| i.generation);
        if self.settings.migrate_every > 0 && done.is_multiple_of(self.settings.migrate_every) {
            self.state.migrate();
        }
    }

    /// Searches until the budget is used up, the stop flag is set, or nothing new is proposed any more; then writes a
    /// checkpoint if a [`SavePolicy`] is given. Without any budget only the last two end it.
    ///
    /// # Errors
    /// [`CheckpointError::Io`] if a checkpoint cannot be written. The state is kept and can be read.
    pub fn run(&mut self, budget: &Budget, control: &mut Control<'_>) -> Result<Finish, CheckpointError> {
        let start = Instant::now();
        let before = self.state.stats().evaluated;
        let (mut saved, mut shown) = (start, start);
        let mut show = |engine: &Self| {
            if let Some(show) = control.progress.as_mut() {
                show(&engine.progress(budget, start, before));
            }
        };
        show(self);
        let reason = loop {
            if let Some(reason) = self.stop_reason(budget, start, control.stop) {
                break reason;
            }
            self.generation();
            if shown.elapsed() >= control.progress_every {
                shown = Instant::now();
                show(self);
            }
            if let Some(policy) = control.save.as_ref().filter(|p| saved.elapsed() >= p.every) {
                self.save(&policy.path)?;
                saved = Instant::now();
            }
        };
        if let Some(policy) = &control.save {
            self.save(&policy.path)?;
        }
        show(self);
        Ok(Finish { reason, evaluations: self.state.stats().evaluated })
    }
}
