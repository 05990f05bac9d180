//! Operation counts and machine models as data.
//!
//! [`count_ops`] counts by the rule that every printed count follows; [`cycles()`] estimates time and [`size()`] bytes of code
//! on a [`Model`], a table of latency, pipes, micro-operations and encodings read from a TOML file with the source of each
//! figure. The estimate is deterministic, which a measurement is not, so searches rank by it. [`cycles_of_counts`] prices code of
//! which only the operations are known.
//!
//! Built in are `x86-64-v3` (AVX2, Zen 3), `x86-64-v4` (AVX-512, Zen 4), `aarch64` (NEON, Neoverse V1), `x86-64-scalar`
//! (SSE2 without fma, Sandy Bridge) and `cortex-m7` (scalar, in order); [`Model::load`] also reads a file. Figures that
//! LLVM's scheduling tables give are filled in and checked by `scripts/machine_models.py`.

mod bag;
mod count;
mod cycles;
mod keys;
mod model;
mod schedule;
mod size;

pub use bag::{counts, cycles_of_counts};
pub use count::{OpCount, count_ops, is_free};
pub use cycles::{Cost, cycles};
pub use keys::keys;
pub use model::{CostError, Model, OpCost, Schedule};
pub use size::size;
