//! Float questions: from structures to verified programs.
//!
//! 1. [`search`](crate::structure::search) keeps the best structures of every operation count, judged by their computed
//!    error on a small adversarial set ([`objective`]).
//! 2. The shortlist gets minimax constants, rounded and improved against the computed error on a larger set ([`polish`]).
//! 3. Every input of the domain decides. Where the sweep finds worse than the set had shown, its failing inputs join the
//!    set and the constants are improved again.

pub mod objective;
pub mod polish;

use crate::observe::{Event, Observer, time_left};
use crate::question::Question;
use mathsmith_ir::Program;
use mathsmith_oracle::Reference;
use mathsmith_verify::{AdversarialSet, ErrorReport, FloatDomain, SweepOptions, VerifyError, sweep};
use polish::{Candidate, Draft, Polisher};
use std::time::Instant;

/// Rounds of sweep and improvement; what is left after them is what the programs are.
const ROUNDS: usize = 3;
/// Programs of a variant that one sweep judges.
const MOST_PROGRAMS: usize = 12;
/// A sweep that finds this much more than the set had shown sends the constants back.
const SURPRISE: f64 = 1.002;

/// A program with its exhaustive report.
#[derive(Clone, Debug)]
pub struct Verified {
    /// What was verified.
    pub candidate: Candidate,
    /// What the sweep found.
    pub report: ErrorReport,
}

impl Verified {
    /// The figure that the question bounds.
    pub fn figure(&self, question: &Question) -> f64 {
        figure(question, &self.report)
    }
}

/// The figure of a report that the question bounds; -0 beside the domain counts.
pub fn figure(question: &Question, report: &ErrorReport) -> f64 {
    use objective::Figure;
    match question.figure {
        Figure::Ulp => report.max_ulp_with_specials(),
        Figure::Rel => report.max_rel.value,
        Figure::Abs => report.max_abs.value,
    }
}

/// Sweeps programs with progress.
///
/// # Errors
/// [`VerifyError`], cancellation included.
pub fn sweep_all(
    reference: &Reference,
    domain: &FloatDomain,
    programs: &[Program],
    threads: usize,
    observer: &dyn Observer,
) -> Result<Vec<ErrorReport>, VerifyError> {
    let start = Instant::now();
    let progress = |done, total| {
        observer.event(&Event::Sweep {
            done,
            total,
            programs: programs.len(),
            left: time_left(done, total, start.elapsed()),
        });
    };
    sweep(
        reference,
        domain,
        programs,
        &SweepOptions { threads, progress: Some(&progress), cancel: Some(observer.stop()) },
    )
}

/// Improves, sweeps and returns every program that a sweep has judged, best first within its cost.
///
/// # Errors
/// [`VerifyError`], cancellation included.
pub fn prove(
    question: &Question,
    domain: &FloatDomain,
    set: &mut AdversarialSet,
    drafts: Vec<Draft>,
    threads: usize,
    observer: &dyn Observer,
) -> Result<Vec<Verified>, VerifyError> {
    let mut verified: Vec<Verified> = Vec::new();
    let mut open = drafts;
    for round in 0..ROUNDS {
        if open.is_empty() {
            break;
        }
        observer.event(&Event::Stage(format!("rounding the constants of {} programs", open.len())));
        let polisher = Polisher::new(question, set);
        let candidates = polisher.all(&open, threads, observer);
        if observer.stopped() {
            return Err(VerifyError::Cancelled { done: 0, total: domain.count() });
        }
        let known = |c: &Candidate| verified.iter().any(|v| v.candidate.program == c.program);
        let mut fresh: Vec<Candidate> = Vec::new();
        for arithmetic in question.variants() {
            let own = candidates.iter().filter(|c| c.draft.arithmetic == arithmetic && !known(c)).cloned().collect();
            fresh.extend(polish::select(own, question.problem.minimize, MOST_PROGRAMS));
        }
        if fresh.is_empty() {
            break;
        }
        observer.event(&Event::Stage(format!("sweeping {} programs over every input", fresh.len())));
        let programs: Vec<Program> = fresh.iter().map(|c| c.program.clone()).collect();
        let reports = sweep_all(&question.reference, domain, &programs, threads, observer)?;
        let mut again = Vec::new();
        for (candidate, report) in fresh.into_iter().zip(reports) {
            set.insert(&question.reference, &report.adversarial_inputs());
            let item = Verified { candidate, report };
            if round + 1 < ROUNDS && item.figure(question) > item.candidate.screened * SURPRISE {
                again.push(item.candidate.draft.clone());
            }
            verified.push(item);
        }
        open = again;
    }
    Ok(verified)
}
