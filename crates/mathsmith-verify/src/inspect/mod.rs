//! The exhaustive measurement: every input of an `f32` domain, everything that a [`Measured`] says.

mod finish;
mod observe;
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
