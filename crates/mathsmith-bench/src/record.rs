//! The record of a bench: what tables and JSON are made of. `docs/bench.md` describes it.

use crate::inputs::Mix;
use crate::stats::Quartiles;
use serde::{Deserialize, Serialize};

/// Version of the record.
pub const SCHEMA: u32 = 1;

/// A bench.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bench {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Version of mathsmith.
    pub version: String,
    /// The run's folder or the source file, as given.
    pub subject: String,
    /// The reference.
    pub reference: String,
    /// The domain, as asked for; `None` is the whole format.
    pub domain: Option<String>,
    /// The format.
    pub format: String,
    /// Where it ran.
    pub machine: Machine,
    /// Compilers that were used.
    pub compilers: Vec<Tool>,
    /// What could not be timed, and why.
    pub missing: Vec<Missing>,
    /// What was fed in.
    pub inputs: InputRecord,
    /// Rounds in which everybody was timed.
    pub rounds: u32,
    /// The loops alone, without a function; `None` without a C compiler.
    pub nothing: Option<Timing>,
    /// Who was timed, own code first, each group from fast to slow.
    pub contestants: Vec<Contestant>,
    /// Ratios of own code to peers.
    pub comparisons: Vec<Comparison>,
    /// Modelled figures of own code beside measured ones.
    pub models: Vec<ModelRow>,
    /// How often each model ranks two of the entries as the machine does.
    pub ranks: Vec<Rank>,
}

/// The machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// Name of the processor.
    pub cpu: String,
    /// Architecture.
    pub arch: String,
    /// Extensions, as for measurements.
    pub features: Vec<String>,
    /// Cycles a nanosecond while this ran.
    pub ghz: Quartiles,
    /// The core everything ran on; `None` where none could be chosen.
    pub core: Option<usize>,
}

/// A compiler.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// What it says of itself.
    pub version: String,
    /// Flags for own code.
    pub flags: Vec<String>,
}

/// Something that was left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// What.
    pub what: String,
    /// Why.
    pub why: String,
}

/// The inputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InputRecord {
    /// Elements of the array, which stays in the first cache.
    pub batch: usize,
    /// How they were drawn.
    pub mix: Mix,
    /// First and last number of the range they were drawn from.
    pub range: [f64; 2],
    /// Seed.
    pub seed: u64,
}

/// Times.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// Nanoseconds an element of an array.
    pub throughput: Quartiles,
    /// Nanoseconds a call of a chain of dependent ones, the chain's own cost taken off; `None` where there is no chain.
    pub latency: Option<Quartiles>,
}

/// Own code or a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// What the bench is about.
    Own,
    /// What it is compared with.
    Peer,
}

/// Somebody who was timed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contestant {
    /// Unique name: `fma-6 clang`, `libmvec:expf@avx2`.
    pub name: String,
    /// Own code or a peer.
    pub side: Side,
    /// Entry of the run; `None` for other code.
    pub entry: Option<String>,
    /// Compiler of the loop, by name; `None` for functions that are called in this program.
    pub compiler: Option<String>,
    /// The command that compiled it; empty where nothing was.
    pub command: String,
    /// Elements of a call.
    pub lanes: u32,
    /// Whether it works on vectors by itself: a vector function or an array function. A compiler may vectorise others.
    pub vector: bool,
    /// Times.
    pub timing: Timing,
    /// Its error on the domain; `None` where it is not known.
    pub error: Option<Error>,
    /// What else is to be said.
    pub notes: Vec<String>,
}

/// An error that was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Error {
    /// `exhaustive`, `certified` or `sampled`.
    pub coverage: String,
    /// Inputs looked at.
    pub inputs: u64,
    /// Largest error in ULP of the real value; `None` if it is infinite or not known.
    pub max_ulp: Option<f64>,
    /// Where, as a hexadecimal float.
    pub at: String,
    /// Whether results are wrong in kind somewhere: NaN for a number, a finite one for an infinity and the like.
    pub wrong_class: bool,
}

/// Which peer a comparison is with.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Choice {
    /// The fastest of those with at most this error in ULP.
    AtMost {
        /// The bound.
        max_ulp: f64,
        /// Whether the bound is the own code's error.
        own: bool,
    },
    /// The fastest vector function of those with at most this error.
    VectorAtMost {
        /// The bound.
        max_ulp: f64,
    },
    /// The fastest of all.
    Fastest,
    /// One that was named.
    Named,
}

/// A ratio.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Own code.
    pub own: String,
    /// Why this peer.
    pub choice: Choice,
    /// The peer; `None` if none qualifies.
    pub peer: Option<String>,
    /// The peer's time an element over the own one, round by round: above one the own code is faster.
    pub speedup: Option<Quartiles>,
    /// The same of latencies.
    pub latency_speedup: Option<Quartiles>,
}

/// A model's figure beside the machine's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelRow {
    /// Own code, compiled.
    pub own: String,
    /// Name of the model.
    pub model: String,
    /// Modelled cycles an element.
    pub cycles: f64,
    /// Modelled cycles from input to output.
    pub latency: f64,
    /// Measured cycles an element, the loop included.
    pub measured: f64,
    /// Measured cycles of a call in a chain.
    pub measured_latency: Option<f64>,
}

/// How a model ranks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rank {
    /// Name of the model.
    pub model: String,
    /// Compiler of the entries.
    pub compiler: String,
    /// Pairs of entries whose modelled and measured cycles both differ by more than 2 %.
    pub pairs: u32,
    /// Those that the model ranks as the machine does.
    pub agree: u32,
}
