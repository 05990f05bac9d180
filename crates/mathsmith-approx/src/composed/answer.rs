//! From a question to verified programs: cheapest first, sweeps decide, failing inputs join the screen, and round again.
//!
//! Plans with classical cores are many and cheap to make. Each is judged on the screen once; those that could meet the bound
//! after their constants are improved wait in order of price. They are *refined* in waves from the cheapest on, until enough
//! keep the bound on the screen; these are made smaller, put to the binades in which their errors are largest, and proven.
//! What a sweep refuses is refined again against the inputs that refused it. Near misses that are cheaper than what was
//! found get more evaluations before the answer stands, since a few more constants tried cost less than an operation.
//!
//! Work is counted in evaluations: candidates judged on the screen, refused ones included. Every wave is chosen from what
//! the waves before have found, is worked on by all threads, and is taken in its order, so nothing depends on the threads.

use super::Composed;
use super::answer_work::{FIRST_EVALUATIONS, Work};
use super::assemble_sites::AssembleError;
use super::evolve::EvolveError;
use super::screen::{Exact, Screen, ScreenLayout, Standard, Unit};
use crate::float::Verified;
use crate::observe::{Event, Observer};
use crate::pareto;
use crate::question::Question;
use crate::space::Arithmetic;
use mathsmith_ir::EngineError;
use mathsmith_reduce::Plan;
use mathsmith_verify::VerifyError;
use serde::Serialize;
use std::sync::Arc;
use std::time::Instant;

/// Whole sweeps.
const PROOFS: usize = 4;
/// Programs of a variant in one whole sweep.
const PROVEN_TOGETHER: usize = 2;
/// Entries of a variant's front where no bound is asked for.
const FRONT: usize = 6;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// A core cannot be fitted.
    #[error(transparent)]
    Assemble(#[from] AssembleError),
    /// Cores cannot be searched.
    #[error(transparent)]
    Evolve(#[from] EvolveError),
    /// A program cannot be run.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A sweep failed or was cancelled.
    #[error(transparent)]
    Verify(#[from] VerifyError),
}

/// What a run may spend: evaluations, or time, which then counts the evaluations that it allowed.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Evaluations at most.
    pub evaluations: u64,
    /// When to stop at the next safe point.
    pub deadline: Option<Instant>,
}

/// What was found, and what it took.
#[derive(Debug)]
pub struct Answer {
    /// Every program that a whole sweep has judged.
    pub verified: Vec<Verified>,
    /// Evaluations spent.
    pub evaluations: u64,
    /// Whether the deadline ended the work.
    pub out_of_time: bool,
}

/// A step of the work, for the log.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// What was done.
    pub what: String,
    /// Seconds since the work began, at its end.
    pub seconds: f64,
    /// Evaluations until then.
    pub evaluations: u64,
    /// Cheapest first, with errors on the screen: the programs that keep the bound.
    pub kept: Vec<(f64, f64, String)>,
    /// The programs that are to be swept.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub programs: Vec<String>,
}
/// The screen's view of a question.
pub fn standard(question: &Question) -> Standard {
    Standard {
        unit: match &question.tolerance {
            Some(tolerance) => Unit::Within(Arc::new(tolerance.clone())),
            None => question.figure.into(),
        },
        judged_at: question.judged_at,
        exact: question.exact().map(|(at, value)| Exact { at, value }).collect(),
        specials: Some(question.specials()),
        flush: question.problem.flush,
    }
}

/// Answers a question with the given plans, each with the arithmetic that it is for. `known` inputs join the screen; `log`
/// hears of every step.
///
/// # Errors
/// [`AnswerError`], cancellation included.
pub fn answer(
    question: &Question,
    plans: &[(Arithmetic, Arc<Plan>)],
    effort: Effort,
    known: &[f32],
    threads: usize,
    observer: &dyn Observer,
    log: &mut dyn FnMut(&Step),
) -> Result<Answer, AnswerError> {
    let Some(domain) = question.domain else {
        return Ok(Answer { verified: Vec::new(), evaluations: 0, out_of_time: false });
    };
    observer.event(&Event::Stage("choosing the inputs on which programs are judged".into()));
    let layout = ScreenLayout { seed: question.problem.seed, ..ScreenLayout::default() };
    let mut screen = Screen::new(&question.reference, &domain, standard(question), layout);
    screen.insert(known);
    let mut work = Work {
        question,
        domain,
        screen,
        effort,
        spent: 0,
        out_of_time: false,
        threads,
        observer,
        assembled: Vec::new(),
        evolved: Vec::new(),
        candidates: Vec::new(),
        verified: Vec::new(),
        started: Instant::now(),
        log,
    };
    work.assemble(plans, layout)?;
    work.solve()?;
    Ok(Answer { verified: work.verified, evaluations: work.spent, out_of_time: work.out_of_time })
}
impl Work<'_> {
    fn solve(&mut self) -> Result<(), AnswerError> {
        let bounded = self.question.bound().is_some();
        if !bounded {
            return self.solve_front();
        }
        for _ in 0..PROOFS {
            for arithmetic in self.arithmetics() {
                self.observer.event(&Event::Stage(format!("improving constants of {} programs", arithmetic.word())));
                self.search(arithmetic)?;
                self.shrink(arithmetic)?;
                self.evolve(arithmetic)?;
                self.search(arithmetic)?;
                self.shrink(arithmetic)?;
                self.search(arithmetic)?;
            }
            self.hunt()?;
            self.polish()?;
            self.harden()?;
            let chosen = self.promising(PROVEN_TOGETHER);
            if chosen.is_empty() {
                let open = self.arithmetics().into_iter().any(|a| !self.wave(a).is_empty());
                if open && self.may_spend() {
                    continue;
                }
                break;
            }
            self.prove(&chosen)?;
        }
        self.show_the_best()
    }

    /// Without a bound: the best of each price, proven.
    fn solve_front(&mut self) -> Result<(), AnswerError> {
        let mut chosen = Vec::new();
        for arithmetic in self.arithmetics() {
            let own: Vec<usize> =
                (0..self.candidates.len()).filter(|&i| self.candidates[i].composed.arithmetic == arithmetic).collect();
            let minimize = self.question.problem.minimize;
            let of = |i: &usize| &self.candidates[*i];
            let front = pareto::front(&own, minimize, 1.0, |i| of(i).composed.price, |i| of(i).judged.error);
            let step = front.len().div_ceil(FRONT).max(1);
            // The most accurate is the last, and always among them.
            chosen.extend(front.iter().rev().step_by(step).map(|&k| (own[k], FIRST_EVALUATIONS)));
        }
        self.refine(&chosen)?;
        let chosen: Vec<usize> = chosen.into_iter().map(|c| c.0).collect();
        if chosen.is_empty() { Ok(()) } else { self.prove(&chosen) }
    }

    /// Where a variant has no answer, its best program is proven all the same: it shows how far the bound is.
    fn show_the_best(&mut self) -> Result<(), AnswerError> {
        let mut chosen = Vec::new();
        for arithmetic in self.arithmetics() {
            if self.verified.iter().any(|v| v.arithmetic == arithmetic) {
                continue;
            }
            let own = |i: &usize| self.candidates[*i].composed.arithmetic == arithmetic;
            let rank = |i: &usize| (self.candidates[*i].judged.broken, self.candidates[*i].judged.error);
            let best = (0..self.candidates.len()).filter(own).min_by(|a, b| {
                let (a, b) = (rank(a), rank(b));
                a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
            });
            chosen.extend(best);
        }
        if chosen.is_empty() { Ok(()) } else { self.prove(&chosen) }
    }
}

impl Composed {
    /// Where the program comes from: its reductions and the shapes of its cores.
    pub fn origin(&self) -> String {
        let shapes: Vec<&str> = self.cores.iter().map(|c| c.shape.as_str()).collect();
        format!("{}: {}", self.plan.name, shapes.join("; "))
    }
}
