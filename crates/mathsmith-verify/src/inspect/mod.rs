//! The exhaustive measurement: every input of an `f32` domain, everything that a [`Measured`] says.
//!
//! The domain is cut into binades, those into chunks, those into blocks ([`plan`]); a thread evaluates a chunk for all
//! subjects, against one evaluation of the reference, and chunks are merged in the order of the domain, so that nothing
//! depends on the number of threads. Errors are measured as in a [`sweep()`](crate::sweep()), with the same loops, trackers
//! and margin ([`crate::block`]); what is said besides them is exact as well:
//!
//! * *Classes, range, parity, checksum* compare bits.
//! * *Order*: of two neighbours with different results, the doubles decide which value is greater where they differ by
//!   more than their bounds, and [`Reference::compare`] where not. Equal results are never against the function.
//! * *Purity*: blocks at equal distances over the domain are called a second time after the rest of their chunk, in the
//!   opposite order, and the specials at the end.
//! * *Tolerance*: see [`Tolerance`].
//!
//! The exceptions are sums and pictures: the mean, the histogram, the profile, and which input of a binade is shown as its
//! worst, go by the doubles. Figures below 2^-150 ULP may be given as 0: the judge knows values to 200 bits.

mod finish;
mod hand;
mod lanes;
mod observe;
mod order;
mod part;
mod plan;
mod run;
#[cfg(test)]
mod tests;
mod tolerance;

pub use tolerance::Tolerance;

use crate::grid::{Brain, Half, Single};
use crate::measured::Parity;
use crate::sweep::SweepOptions;
use crate::{FloatDomain, Measured, VerifyError};
use mathsmith_ir::{Engine, EngineError, Literal};
use mathsmith_oracle::{FloatFormat, Reference};

/// Starts the engine of a subject.
pub type Start<'a> = dyn Fn() -> Result<Box<dyn Engine>, EngineError> + Sync + 'a;

/// Something that maps one `f32` to one `f32`.
pub struct Subject<'a> {
    /// What messages call it.
    pub name: String,
    /// Parameters passed with every call.
    pub params: Vec<Literal>,
    /// Starts it; called once a worker thread, and again after a failure.
    pub start: Box<Start<'a>>,
}

impl<'a> Subject<'a> {
    /// A subject without parameters.
    pub fn new(
        name: impl Into<String>,
        start: impl Fn() -> Result<Box<dyn Engine>, EngineError> + Sync + 'a,
    ) -> Subject<'a> {
        Subject { name: name.into(), params: Vec::new(), start: Box::new(start) }
    }
}

/// What is observed besides the errors.
#[derive(Clone, Copy)]
pub struct Inspection<'a> {
    /// Format in which results are judged (`f32`, `bf16`, `f16`): a result is rounded to it first.
    pub judged_at: FloatFormat,
    /// Whether subjects run with subnormals flushed to zero: see [`Measured::ftz`].
    pub ftz: bool,
    /// A tolerance to hold results against.
    pub tolerance: Option<&'a Tolerance>,
    /// Points that are looked at with both neighbours.
    pub seams: &'a [f64],
    /// The reference's symmetry, if it has one.
    pub parity: Option<Parity>,
    /// About how many inputs are called a second time, besides the specials.
    pub twice: u64,
}

impl Default for Inspection<'_> {
    fn default() -> Self {
        Inspection {
            judged_at: FloatFormat::F32,
            ftz: false,
            tolerance: None,
            seams: &[],
            parity: None,
            twice: 1 << 26,
        }
    }
}

/// Measures `subjects` against `reference` at every input of `domain`, with one evaluation of the reference for all of
/// them. One result a subject, in order; a subject that fails does not stop the others.
///
/// # Errors
/// [`VerifyError`] if the question makes no sense for anyone: the reference has several variables, the format is not one
/// that `f32` results can be judged at, no input is left, the tolerance is negative or has no value somewhere, or the
/// cancel flag is raised.
pub fn inspect(
    reference: &Reference,
    domain: &FloatDomain,
    subjects: &[Subject<'_>],
    inspection: &Inspection<'_>,
    options: &SweepOptions<'_>,
) -> Result<Vec<Result<Measured, VerifyError>>, VerifyError> {
    crate::error::check_variables(reference)?;
    match inspection.judged_at {
        FloatFormat::F32 => run::measure::<Single>(reference, domain, subjects, inspection, options, 1.0),
        FloatFormat::BF16 => run::measure::<Brain>(reference, domain, subjects, inspection, options, 1.0),
        FloatFormat::F16 => run::measure::<Half>(reference, domain, subjects, inspection, options, 1.0),
        other => Err(VerifyError::JudgedAt { format: other.name }),
    }
}
