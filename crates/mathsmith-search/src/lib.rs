//! Populations, archives, islands, checkpoints, deterministic for any thread count.
//!
//! This crate knows neither functions nor optimizers: a [`Problem`] says how to propose a genome from an archive, how
//! to recognise one that was seen before, and what it is worth. The [`Engine`] does the rest: every random draw comes
//! from a generator keyed by (seed, island, generation, index), a generation is proposed from a frozen archive,
//! evaluated in any order on any number of threads, and inserted in index order. The bytes of the [`State`] therefore
//! depend on the seed and the number of evaluations alone; [`checkpoint`] writes them to disk and takes them up again.

pub mod archive;
pub mod cache;
pub mod checkpoint;
pub mod engine;
pub mod island;
pub mod rng;
pub mod stats;

pub use archive::{Archive, Entry};
pub use cache::SeenKeys;
pub use checkpoint::CheckpointError;
pub use engine::{Budget, Control, Engine, EngineSettings, Finish, Progress, SavePolicy, StopReason};
pub use island::{Island, Problem, Scored, State};
pub use rng::{DrawKey, KeyedRng};
pub use stats::Stats;
