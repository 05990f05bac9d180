//! The proof: every input of the domain, special values and demands included, for several programs in one pass.
//!
//! One sweep gives the exact errors, the checksum that the emitted tests compare, and the results at the special inputs.
//! What it does not look at is measured beside it, only where the question asks: symmetry, order and range of the results,
//! a tolerance, results stored in a narrower format, and flushed ones. A program that breaks a demand is no answer, however
//! small its error.

use crate::demand::unsettled;
use crate::float::{self, objective::Figure};
use crate::observe::{Event, Observer, time_left};
use crate::question::Question;
use mathsmith_ir::Program;
use mathsmith_oracle::Parity as Known;
use mathsmith_verify::measured::Parity;
use mathsmith_verify::report::unhex;
use mathsmith_verify::{ErrorReport, FloatDomain, Inspection, Measured, Subject, SweepOptions, VerifyError, inspect};
use std::time::Instant;

/// What is proven of one program.
#[derive(Clone, Debug)]
pub struct Proof {
    /// The sweep: figures of the `f32` results against the function.
    pub report: ErrorReport,
    /// The measurement beside it, where the question needs one.
    pub measured: Option<Box<Measured>>,
    /// The figure that the question bounds.
    pub figure: f64,
    /// Demands that are not met, in words.
    pub broken: Vec<String>,
}

impl Proof {
    /// Whether the program is an answer: the bound holds and so does every demand.
    pub fn answers(&self, question: &Question) -> bool {
        self.broken.is_empty() && question.meets(self.figure)
    }

    /// Inputs at which the program fails the question, or comes near to it: what a screen should know. Worst first.
    pub fn failures(&self) -> Vec<f32> {
        let mut inputs = self.report.adversarial_inputs();
        let measured = self.measured.iter().flat_map(|m| &m.adversarial);
        inputs.extend(measured.filter_map(|x| x.first().and_then(|x| unhex(x))).map(|x| x as f32));
        let tolerated = self.measured.iter().filter_map(|m| m.tolerated.as_ref());
        inputs.extend(tolerated.filter_map(|t| t.worst.x.first().and_then(|x| unhex(x))).map(|x| x as f32));
        inputs
    }
}

/// Sweeps programs over every input of the question's domain. One proof a program, in order.
///
/// # Errors
/// [`VerifyError`], cancellation included.
///
/// # Panics
/// If the question is one of real arithmetic.
pub fn prove(
    question: &Question,
    programs: &[Program],
    threads: usize,
    observer: &dyn Observer,
) -> Result<Vec<Proof>, VerifyError> {
    let domain = question.domain.expect("a float question has inputs");
    let reports = float::sweep_all(&question.reference, &domain, programs, threads, observer)?;
    let measured = if question.needs_measurement() {
        measure(question, &domain, programs, threads, observer)?.into_iter().map(Some).collect()
    } else {
        vec![None; programs.len()]
    };
    let proofs = programs.iter().zip(reports).zip(measured);
    proofs.map(|((program, report), measured)| conclude(question, program, report, measured)).collect()
}

fn conclude(
    question: &Question,
    program: &Program,
    report: ErrorReport,
    measured: Option<Measured>,
) -> Result<Proof, VerifyError> {
    let mut broken = question.broken(program, measured.as_ref())?;
    if !question.problem.domain_only {
        broken.extend(unsettled(&report, measured.as_ref()));
    }
    let figure = match &measured {
        Some(m) => measured_figure(question, m),
        None if question.problem.domain_only => question.figure.of_report(&report),
        None => float::figure(question, &report),
    };
    // A NaN or an infinity in the place of a number is wrong whatever is allowed to be flushed or tolerated.
    let figure = if report.max_abs.value.is_finite() || measured.is_some() { figure } else { f64::INFINITY };
    Ok(Proof { report, measured: measured.map(Box::new), figure, broken })
}

fn measured_figure(question: &Question, m: &Measured) -> f64 {
    match (&m.tolerated, question.figure) {
        (Some(t), _) => t.worst.value,
        (None, Figure::Ulp) => m.max_ulp.value,
        (None, Figure::Rel) => m.max_rel.value,
        (None, Figure::Abs) => m.max_abs.value,
    }
}

/// The measurement of what a sweep does not look at.
fn measure(
    question: &Question,
    domain: &FloatDomain,
    programs: &[Program],
    threads: usize,
    observer: &dyn Observer,
) -> Result<Vec<Measured>, VerifyError> {
    let subjects: Vec<Subject<'_>> =
        programs.iter().map(|p| Subject::new(p.name(), move || Ok(mathsmith_jit::engine_for(p)?.0))).collect();
    let known = question.reference.parity().map(|p| match p {
        Known::Odd => Parity::Odd,
        Known::Even => Parity::Even,
    });
    let inspection = Inspection {
        judged_at: question.judged_at,
        ftz: question.problem.flush,
        tolerance: question.tolerance.as_ref(),
        parity: question.demanded_parity().or(known),
        // Our engines have no state that a second call could show.
        twice: 0,
        ..Inspection::default()
    };
    let start = Instant::now();
    let progress = |done, total| {
        observer.event(&Event::Sweep {
            done,
            total,
            programs: programs.len(),
            left: time_left(done, total, start.elapsed()),
        });
    };
    let options = SweepOptions { threads, progress: Some(&progress), cancel: Some(observer.stop()) };
    inspect(&question.reference, domain, &subjects, &inspection, &options)?
        .into_iter()
        .map(|result| {
            result.map(|mut m| {
                m.heed_special_pairs();
                m
            })
        })
        .collect()
}
