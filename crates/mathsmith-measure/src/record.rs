//! The records of a measurement. They hold no times, no thread counts and no paths but those of the subject, so that the
//! same subject and question give the same bytes.
//!
//! # JSON
//!
//! serde writes the fields in the order of declaration. Inputs and results are hexadecimal floats in strings (`0x1.8p-1`,
//! `inf`, `nan`); a figure is a number, or a string where it is not finite.

use mathsmith_native::subject::{Origin, Signature};
use mathsmith_verify::Measured;
use serde::{Deserialize, Serialize};

/// Version of the shape of [`Measurement`].
pub const SCHEMA: u32 = 1;

/// How results are rounded by the machine while a subject runs: the only mode that is measured.
pub const ROUNDING: &str = "to nearest, ties to even";

/// A question as text: everything that determines the figures, besides the subject and the machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// The reference expression, as typed.
    pub reference: String,
    /// Names of the variables, in the order of the subject's arguments.
    pub variables: Vec<String>,
    /// Domain of each variable as typed (`-pi/4..<pi/4`); `null` is the whole format.
    pub domain: Vec<Option<String>>,
    /// Format of the arguments: `f32`, `f64`, `f16`, `bf16`.
    #[serde(rename = "type")]
    pub format: String,
    /// Format in which results are judged.
    pub out: String,
    /// Demands, as they are written after `--require`.
    pub require: Vec<String>,
    /// Largest error in ULP allowed, if one was.
    pub max_ulp: Option<f64>,
    /// Largest relative error allowed.
    pub max_rel: Option<f64>,
    /// Largest absolute error allowed.
    pub max_abs: Option<f64>,
    /// Tolerance as an expression of the variables and of `y`, the exact value.
    pub tolerance: Option<String>,
    /// Points to look at with their neighbours.
    pub seams: Vec<String>,
    /// Whether the subject runs with subnormals flushed to zero.
    pub ftz: bool,
    /// Evaluations of a sample; without meaning where every input is evaluated.
    pub evals: u64,
    /// Seed of a sample.
    pub seed: u64,
}

/// Where the code that was measured comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "made_by", rename_all = "kebab-case")]
pub enum Source {
    /// Compiled or loaded, called in a child process.
    Native(Origin),
    /// A mathsmith program in text form, run in this process.
    Program {
        /// The file.
        path: String,
        /// SHA-256 of the file, in hexadecimal.
        hash: String,
        /// Which engine ran it.
        engine: String,
    },
}

/// What was measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubjectRecord {
    /// As typed: `mine.c`, `libm:expf`. The heading of its column.
    pub name: String,
    /// Types and shape of the call.
    pub signature: Signature,
    /// Where it comes from.
    pub source: Source,
    /// What else decides about its bits, in sentences: whether products and sums may be fused and whose choice that is, flags
    /// added to those given, the order assumed of arrays.
    pub notes: Vec<String>,
}

/// The processor as far as it decides which code runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cpu {
    /// Architecture, such as `x86_64`.
    pub arch: String,
    /// Extensions that libraries and compilers choose code by, in a fixed order.
    pub features: Vec<String>,
}

/// Whether one demand is met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The demand as it is written: `monotone`, `exact:0->1`, `max-ulp 1`, `tol 1e-6*abs(y)`.
    pub demand: String,
    /// Whether it is met.
    pub met: bool,
    /// What was found: the figure, or the place where it fails.
    pub detail: String,
    /// The input concerned, a hexadecimal float an argument; empty where there is none.
    pub at: Vec<String>,
}

/// Something wrong with a subject whatever was demanded: it makes the command fail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// In words: `returns NaN for every input`, `not pure: two calls at 0x1p+0 differ: ...`.
    pub what: String,
    /// The input concerned; empty where there is none.
    pub at: Vec<String>,
}

/// One subject measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Version of mathsmith.
    pub version: String,
    /// What was measured.
    pub subject: SubjectRecord,
    /// What was asked.
    pub asked: Asked,
    /// [`ROUNDING`].
    pub rounding: String,
    /// Where it ran.
    pub cpu: Cpu,
    /// The figures.
    pub measured: Measured,
    /// One for each demand, in the order asked: bounds, tolerance, then the list of `--require`.
    pub verdicts: Vec<Verdict>,
    /// What is wrong with the subject besides; empty for a sound one.
    pub findings: Vec<Finding>,
}

impl Measurement {
    /// Whether every demand is met and nothing else is wrong.
    pub fn sound(&self) -> bool {
        self.findings.is_empty() && self.verdicts.iter().all(|v| v.met)
    }
}

/// A subject that could not be measured to the end: it crashed or did not return.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubjectFailure {
    /// As typed.
    pub name: String,
    /// What happened, the input included.
    pub what: String,
    /// The input, a hexadecimal float an argument; empty where it is not known.
    pub at: Vec<String>,
}

impl Cpu {
    /// The processor this runs on.
    pub fn detect() -> Cpu {
        let features = mathsmith_native::subject::cpu_features().into_iter().map(String::from).collect();
        Cpu { arch: std::env::consts::ARCH.to_owned(), features }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_is_described_the_same_each_time() {
        assert_eq!(Cpu::detect(), Cpu::detect());
        assert_eq!(Cpu::detect().arch, std::env::consts::ARCH);
    }
}
