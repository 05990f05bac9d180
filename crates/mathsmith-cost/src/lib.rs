//! Operation counts and machine models as data.
//!
//! [`count_ops`] counts by the rule that every printed count follows; [`cycles()`] estimates time on a [`Model`], a table of
//! latency, throughput and execution pipes read from a TOML file with the source of each figure. The estimate is
//! deterministic, which a measurement is not, so searches rank by it.

mod count;
mod cycles;
mod model;

pub use count::{OpCount, count_ops, is_free};
pub use cycles::{Cost, cycles};
pub use model::{CostError, Model, OpCost};
