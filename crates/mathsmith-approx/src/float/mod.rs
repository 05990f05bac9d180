//! Float questions: from structures to verified programs.
//!
//! 1. [`search`](crate::structure::search) keeps the best structures of every operation count, judged by their computed
//!    error on a small adversarial set ([`objective`]).
//! 2. The shortlist gets minimax constants, rounded and improved against the computed error on a larger set ([`polish`]).
//! 3. Every input of the domain decides. Where the sweep finds worse than the set had shown, its failing inputs join the
//!    set and the constants are improved again.

pub mod objective;
pub mod polish;

use crate::composed::prove::{self, Proof};
use crate::observe::{Event, Observer, time_left};
use crate::pareto::Price;
use crate::question::Question;
use crate::space::Arithmetic;
use mathsmith_ir::Program;
use mathsmith_oracle::Reference;
use mathsmith_verify::{AdversarialSet, ErrorReport, FloatDomain, SweepOptions, VerifyError, domain, sweep};
use polish::{Candidate, Draft, Polisher};
use std::time::Instant;

/// Rounds of improvement against the hottest binades, before any whole sweep.
const HOT_ROUNDS: usize = 3;
/// Binades that such a round sweeps.
const HOT_BINADES: usize = 2;
/// Whole sweeps; what is left after them is what the programs are.
const ROUNDS: usize = 2;
/// Programs of a variant that one sweep judges.
const MOST_PROGRAMS: usize = 9;
/// Worst inputs of one program and sweep that join the set.
const FAILURES: usize = 48;

/// A program with its proof.
#[derive(Clone, Debug)]
pub struct Verified {
    /// The variant it belongs to.
    pub arithmetic: Arithmetic,
    /// The program, constants as literals.
    pub program: Program,
    /// Its price.
    pub price: Price,
    /// Where it comes from: the reductions and the shapes of the cores, or the search of structures.
    pub origin: String,
    /// What is proven of it.
    pub proof: Proof,
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

/// Adds the worst inputs of reports to the set.
fn learn(question: &Question, set: &mut AdversarialSet, reports: &[ErrorReport]) {
    let worst = reports.iter().flat_map(|r| r.adversarial_inputs().into_iter().take(FAILURES));
    set.insert(&question.reference, &worst.collect::<Vec<_>>());
}

/// The binades of the domain in which candidates have their largest errors on the set, hottest first.
///
/// The rounding errors of a program are erratic: a set of some thousand points misses the worst by a tenth of an ulp or
/// more. But where in the domain the worst lies it shows well, and a binade has at most 2^23 inputs.
fn hot_binades(domain: &FloatDomain, set: &AdversarialSet, candidates: &[Candidate]) -> Vec<FloatDomain> {
    let mut votes: Vec<(i64, usize)> = Vec::new();
    for candidate in candidates {
        let Some(x) = polish::worst_input(set, &candidate.program) else { continue };
        // The key of a float over 2^23 is its sign and exponent.
        let binade = domain::key(x).div_euclid(1 << 23);
        match votes.iter_mut().find(|v| v.0 == binade) {
            Some(v) => v.1 += 1,
            None => votes.push((binade, 1)),
        }
    }
    votes.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    let part = |&(binade, _): &(i64, usize)| {
        let (first, last) = (binade << 23, (binade << 23) + (1 << 23) - 1);
        let lo = domain::from_key(first.max(domain::key(domain.lo())));
        let hi = domain::from_key(last.min(domain::key(domain.hi())));
        FloatDomain::new(lo, hi).ok()
    };
    votes.iter().take(HOT_BINADES).filter_map(part).collect()
}

/// What a variant sends to a sweep: nothing that is beaten, far off the bound, or known already.
fn chosen(question: &Question, candidates: &[Candidate], verified: &[Verified]) -> Vec<Candidate> {
    let known = |c: &Candidate| verified.iter().any(|v| v.program == c.program);
    let mut all = Vec::new();
    for arithmetic in question.variants() {
        let own =
            candidates.iter().filter(|c| c.draft.arithmetic == arithmetic && question.near(c.screened) && !known(c));
        all.extend(polish::select(own.cloned().collect(), question.problem.minimize, MOST_PROGRAMS));
    }
    all
}

/// Improves, sweeps and returns every program that a whole sweep has judged.
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
        let mut candidates = Vec::new();
        for hot in 0..=HOT_ROUNDS {
            if open.is_empty() {
                break;
            }
            observer.event(&Event::Stage(format!("rounding the constants of {} programs", open.len())));
            candidates = Polisher::new(question, set).all(&open, threads, observer);
            if observer.stopped() {
                return Err(VerifyError::Cancelled { done: 0, total: domain.count() });
            }
            let chosen = chosen(question, &candidates, &verified);
            // From here on only what has a chance is worth the effort.
            open = chosen.iter().map(|c| c.draft.clone()).collect();
            // A sweep by MPFR alone is too slow to be repeated.
            if hot == HOT_ROUNDS || domain.count() < 1 << 24 || !question.reference.has_fast_path() {
                break;
            }
            let programs: Vec<Program> = chosen.iter().map(|c| c.program.clone()).collect();
            let before = set.len();
            for binade in hot_binades(domain, set, &chosen) {
                learn(question, set, &sweep_all(&question.reference, &binade, &programs, threads, observer)?);
            }
            if set.len() == before {
                break;
            }
        }
        let fresh = chosen(question, &candidates, &verified);
        if fresh.is_empty() {
            break;
        }
        observer.event(&Event::Stage(format!("sweeping {} programs over every input", fresh.len())));
        let programs: Vec<Program> = fresh.iter().map(|c| c.program.clone()).collect();
        let proofs = prove::prove(question, &programs, threads, observer)?;
        open.clear();
        for (candidate, proof) in fresh.into_iter().zip(proofs) {
            learn(question, set, std::slice::from_ref(&proof.report));
            // Only where the set promised the bound and the sweep refused it is there something to win.
            let promised = question.meets(candidate.screened);
            if round + 1 < ROUNDS && promised && !question.meets(proof.figure) {
                open.push(candidate.draft.clone());
            }
            verified.push(Verified {
                arithmetic: candidate.draft.arithmetic,
                program: candidate.program,
                price: candidate.price,
                origin: "search of structures".into(),
                proof,
            });
        }
    }
    Ok(verified)
}
