//! The front as a record: what `front.json` holds. Its shape is an interface (schema 1, see `docs/front.md`).

use mathsmith_dsl::Problem;
use serde::{Deserialize, Serialize};

/// Version of the record's shape.
pub const SCHEMA: u32 = 1;

/// A finished run's answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Front {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The question, resolved; without anything that does not change the answer (threads, output folder).
    pub problem: Problem,
    /// Seed of every random draw.
    pub seed: u64,
    /// Version of mathsmith that answered.
    pub version: String,
    /// Candidates fitted and scored.
    pub evaluations: u64,
    /// Points at which the reference takes its limit, and other remarks on the domain.
    pub notes: Vec<String>,
    /// Whether at least one entry meets the bound that was asked for (true when none was asked for).
    pub bound_met: bool,
    /// Candidates for the constants of whole programs that were tried, over all variants; counted in `evaluations`.
    #[serde(default)]
    pub composed: u64,
    /// The searches of structures behind the entries, one a variant; none where a range reduction is needed.
    pub searches: Vec<Search>,
    /// One entry a program and variant, by variant and then by operations.
    pub front: Vec<Entry>,
}

/// One search.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Search {
    /// `fma`, `plain` or `real`.
    pub variant: String,
    /// Candidates fitted and scored; the same number as `--evals` gives the same search.
    pub evaluations: u64,
    /// How candidates were recognised as equal.
    pub equalities: Equalities,
}

/// Counts of candidates recognised as equal to an earlier one, by the stage that saw it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Equalities {
    /// Candidates proposed.
    pub proposed: u64,
    /// Equal after hash-consing and normalisation.
    pub hash_consing: u64,
    /// Equal only for the e-graph: hash-consing had not merged them.
    pub egraph: u64,
}

/// One verified program.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// Name within the run, such as `fma-6`.
    pub id: String,
    /// `fma`, `plain` or `real`.
    pub variant: String,
    /// Operations by the counting rule of the manual.
    pub ops: u32,
    /// Fused multiply-adds among them.
    pub fma: u32,
    /// Modelled cost.
    pub cost: Cost,
    /// Measured error.
    pub error: ErrorRecord,
    /// Whether the error meets the bound that was asked for, and every demand is met.
    pub meets_bound: bool,
    /// Demands that are not met, special values of the wrong class among them, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub broken: Vec<String>,
    /// Where the program comes from: its reductions and the shapes of its cores, or the search of structures.
    #[serde(default)]
    pub origin: String,
    /// The program in text form.
    pub program: String,
    /// The program as a formula.
    pub formula: String,
    /// Files beside `front.json`.
    pub files: Files,
}

/// Modelled cost of a program.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Cost {
    /// Machine model; `null` for real arithmetic.
    pub model: Option<String>,
    /// Reciprocal throughput in cycles per element; `null` for real arithmetic.
    pub cycles: Option<f64>,
    /// Latency in cycles; `null` for real arithmetic.
    pub latency: Option<f64>,
    /// Bytes of code and constants; `null` for real arithmetic and in results that do not have it.
    #[serde(default)]
    pub size: Option<f64>,
}

/// Error of a program with the word that says how it was found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ErrorRecord {
    /// `exhaustive`, `certified` or `sampled`.
    pub coverage: String,
    /// Inputs that were evaluated.
    pub inputs: u64,
    /// Seed of a sample.
    pub seed: Option<u64>,
    /// Largest error in ulp of the real value; `null` for real arithmetic.
    pub max_ulp: Option<f64>,
    /// Largest relative error.
    pub max_rel: f64,
    /// Largest absolute error.
    pub max_abs: f64,
    /// Where the largest errors are.
    pub worst_input: WorstInput,
    /// Mean error in ulp.
    pub mean_ulp: Option<f64>,
    /// Results that are not the correctly rounded one.
    pub not_correctly_rounded: Option<u64>,
    /// Sum of a mix of every (input, output) pair, hexadecimal; what the emitted tests compare.
    pub checksum: Option<String>,
    /// Format to which results were rounded before they were judged, where it is not that of the results or zeros were
    /// accepted below the least normal number: the figures are then those of that judgement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged_at: Option<String>,
    /// Zeros accepted in place of results below the least normal number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flushed: Option<u64>,
    /// The error against the tolerance, where that is the bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerated: Option<ToleratedRecord>,
    /// Special values checked beside the domain, with the result.
    pub specials: Vec<String>,
}

/// Results against a tolerance.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ToleratedRecord {
    /// The tolerance as asked.
    pub tolerance: String,
    /// Largest error as a multiple of it.
    pub worst: f64,
    /// Where that is, a hexadecimal float.
    pub at: String,
    /// Inputs beyond it.
    pub beyond: u64,
}

/// Inputs with the largest errors, as hexadecimal floats.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WorstInput {
    /// For the error in ulp.
    pub ulp: Option<String>,
    /// For the relative error.
    pub rel: String,
    /// For the absolute error.
    pub abs: String,
}

/// Files of an entry, relative to the run directory.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Files {
    /// Rust source.
    pub rust: Option<String>,
    /// Rust test that re-proves it.
    pub rust_test: Option<String>,
    /// C source.
    pub c: Option<String>,
    /// C program that re-proves it.
    pub c_test: Option<String>,
    /// Program in text form.
    pub text: Option<String>,
}

impl Files {
    /// Every file that is there.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        [&self.rust, &self.rust_test, &self.c, &self.c_test, &self.text].into_iter().flatten().map(String::as_str)
    }
}
