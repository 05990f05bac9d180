//! Real-arithmetic questions: few operations, small largest relative error.

use crate::observe::{Event, Observer};
use crate::pareto::{self, Price};
use crate::question::Question;
use crate::structure::{FrontEntry, Genome};
use mathsmith_dsl::Minimize;
use mathsmith_egraph::{Limits, RuleClass, simplify};
use mathsmith_fit::{Dd, Fitter, Metric, MinimaxOptions, Tape};
use mathsmith_ir::{Literal, Program, RealLit, Type};
use mathsmith_verify::{RealErrorReport, VerifyError, real_error};
use rayon::prelude::*;

/// Structures of one operation count that get minimax constants.
const PER_SIZE: usize = 6;
/// Bits of the final check.
const BITS: u32 = 256;

/// A program with its error at [`BITS`] bits.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The program, constants as literals.
    pub program: Program,
    /// Operations.
    pub price: Price,
    /// The error.
    pub report: RealErrorReport,
}

impl Checked {
    fn figure(&self, metric: Metric) -> f64 {
        match metric {
            Metric::Absolute => self.report.max_abs,
            _ => self.report.max_rel,
        }
    }
}

/// The front of a search's archive with minimax constants, each program checked in MPFR.
///
/// # Errors
/// [`VerifyError`] if a check cannot be carried out or is cancelled.
pub fn answer(
    question: &Question,
    archive: &[FrontEntry],
    threads: usize,
    observer: &dyn Observer,
) -> Result<Vec<Checked>, VerifyError> {
    let mut chosen: Vec<&FrontEntry> = Vec::new();
    let mut sorted: Vec<&FrontEntry> = archive.iter().collect();
    sorted.sort_by(|a, b| a.ops.cmp(&b.ops).then(a.error.total_cmp(&b.error)));
    for entry in sorted {
        if chosen.iter().filter(|e| e.ops == entry.ops).count() < PER_SIZE {
            chosen.push(entry);
        }
    }
    observer.event(&Event::Stage(format!("minimax constants of {} programs, checked at {BITS} bits", chosen.len())));
    let work = || {
        chosen
            .par_iter()
            .map_init(Fitter::new, |fitter, entry| one(question, fitter, &entry.genome))
            .collect::<Result<Vec<_>, _>>()
    };
    let checked = match rayon::ThreadPoolBuilder::new().num_threads(threads.max(1)).build() {
        Ok(pool) => pool.install(work)?,
        // The same results on the threads that there are.
        Err(_) => work()?,
    };
    let checked: Vec<Checked> = checked.into_iter().flatten().collect();
    let metric = question.metric();
    let kept = pareto::front(&checked, Minimize::Ops, 1.0, |c| c.price, |c| c.figure(metric));
    Ok(kept.into_iter().map(|i| checked[i].clone()).collect())
}

/// The better of the constants that the search found and those of the minimax refinement.
fn one(question: &Question, fitter: &mut Fitter, genome: &Genome) -> Result<Option<Checked>, VerifyError> {
    let form = genome.to_program(&question.problem.name, Type::Real);
    let start: Vec<Dd> = genome.constants().into_iter().map(Dd::from).collect();
    let target = |x: f64| question.value(x);
    let metric = question.metric();
    let refined = Tape::new(&form)
        .and_then(|tape| {
            let domain = (question.lo, question.hi);
            fitter.minimax(&tape, &target, domain, metric, &start, &MinimaxOptions::default())
        })
        .ok()
        .map(|m| m.params);
    let mut best: Option<Checked> = None;
    for constants in [Some(start), refined].into_iter().flatten() {
        if constants.iter().any(|c| !c.hi.is_finite()) {
            continue;
        }
        let mut program = form.clone();
        for (i, c) in constants.iter().enumerate() {
            program.set_param(i, Literal::Real(RealLit::from_sum([c.hi, c.lo, 0.0])));
        }
        let program = simplify(&program.bound(), RuleClass::Exact, &Limits::default());
        let report = real_error(&question.reference, &program, question.lo, question.hi, BITS, 1)?;
        let price = question.price(&program);
        let candidate = Checked { program, price, report };
        let figure = candidate.figure(metric);
        if figure.is_finite() && best.as_ref().is_none_or(|b| figure < b.figure(metric)) {
            best = Some(candidate);
        }
    }
    Ok(best)
}
