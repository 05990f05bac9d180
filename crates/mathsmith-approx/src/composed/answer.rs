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

use super::assemble::{AssembleOptions, assemble};
use super::assemble_sites::{AssembleError, sample};
use super::prove::prove;
use super::refine::{RefineOptions, Refined, refine_until};
use super::screen::{Exact, Screen, ScreenLayout, Standard, Unit, judge_program};
use super::screen_hunt::hunt;
use super::shrink::{ShrinkOptions, shrink};
use super::{Composed, Judged};
use crate::float::objective::Figure;
use crate::float::{Verified, sweep_all};
use crate::observe::{Event, Observer};
use crate::pareto::{self, Price};
use crate::question::Question;
use crate::space::Arithmetic;
use mathsmith_dsl::Minimize;
use mathsmith_egraph::{Limits, RuleClass, simplify};
use mathsmith_ir::{EngineError, Literal, Program};
use mathsmith_reduce::Plan;
use mathsmith_verify::{FloatDomain, VerifyError, domain};
use rayon::prelude::*;
use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// Points of the screen on which every assembled program is judged once.
const QUICK_POINTS: u32 = 3_000;
/// Programs refined together.
const WAVE: usize = 8;
/// Programs of a variant that keep the bound on the screen before any is proven.
const ENOUGH: usize = 3;
/// Share of the bound that constants are refined to: the screen misses the worst inputs by a little.
const GOAL: f64 = 0.97;
/// Evaluations of a first refinement, and by how much each further one of the same program has more.
const FIRST_EVALUATIONS: u64 = 4_000;
const MORE: u64 = 4;
/// Refinements of one program.
const MOST_REFINEMENTS: u32 = 3;
/// A refined program this much above the bound is worth more evaluations if it is cheaper than the best.
const NEAR_MISS: f64 = 1.15;
/// What the rounding of constants and operations may add to the bound before constants are improved, in units of the bound
/// and of the format's resolution.
const HOPE: (f64, f64) = (1.25, 1.5);
/// Programs of a variant, each of another plan, from which smaller ones are looked for at once.
const SHRUNK_TOGETHER: usize = 2;
/// Evaluations of such a search.
const SHRINK_EVALUATIONS: u64 = 60_000;
/// Rounds of hunts for worse inputs.
const HUNTS: usize = 6;
/// Rounds of sweeps over the hottest binades before a whole sweep.
const HOT_ROUNDS: usize = 4;
/// Binades of such a round.
const HOT_BINADES: usize = 3;
/// Whole sweeps.
const PROOFS: usize = 4;
/// Programs of a variant in one whole sweep.
const PROVEN_TOGETHER: usize = 2;
/// Worst inputs of one program and sweep that join the screen.
const FAILURES: usize = 64;
/// Entries of a variant's front where no bound is asked for.
const FRONT: usize = 6;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// A core cannot be fitted.
    #[error(transparent)]
    Assemble(#[from] AssembleError),
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

/// A program on its way.
#[derive(Clone, Debug)]
struct Candidate {
    composed: Composed,
    judged: Judged,
    refinements: u32,
    /// Whether smaller programs have been looked for from here.
    shrunk: bool,
    proven: bool,
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
        candidates: Vec::new(),
        verified: Vec::new(),
        started: Instant::now(),
        log,
    };
    work.assemble(plans, layout)?;
    work.solve()?;
    Ok(Answer { verified: work.verified, evaluations: work.spent, out_of_time: work.out_of_time })
}

struct Work<'a> {
    question: &'a Question,
    domain: FloatDomain,
    screen: Screen,
    effort: Effort,
    spent: u64,
    out_of_time: bool,
    threads: usize,
    observer: &'a dyn Observer,
    /// Cheapest first.
    candidates: Vec<Candidate>,
    verified: Vec<Verified>,
    started: Instant,
    log: &'a mut dyn FnMut(&Step),
}

impl Work<'_> {
    /// Notes a step for the log; nothing of it is read again.
    fn step(&mut self, what: impl Into<String>) {
        self.step_with(what, Vec::new());
    }

    fn step_with(&mut self, what: impl Into<String>, programs: Vec<String>) {
        let minimize = self.question.problem.minimize;
        let kept = self.arithmetics().into_iter().flat_map(|a| self.kept(a));
        let kept = kept.map(|i| &self.candidates[i]).map(|c| {
            (
                c.composed.price.order(minimize).0,
                c.judged.error,
                format!("{} {}", c.composed.arithmetic.word(), c.composed.origin()),
            )
        });
        let kept = kept.take(12).collect();
        let seconds = self.started.elapsed().as_secs_f64();
        (self.log)(&Step { what: what.into(), seconds, evaluations: self.spent, kept, programs });
    }

    /// Runs `one` on every item with all threads; the results are in the order of the items.
    fn each<T: Sync, R: Send>(&self, items: &[T], one: impl Fn(usize, &T) -> R + Sync + Send) -> Vec<R> {
        let done = AtomicUsize::new(0);
        let step = |(i, item)| {
            let result = one(i, item);
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            self.observer.event(&Event::Round { done, total: items.len() });
            result
        };
        let work = || items.par_iter().enumerate().map(step).collect();
        match rayon::ThreadPoolBuilder::new().num_threads(self.threads.max(1)).build() {
            Ok(pool) => pool.install(work),
            // The same results on the threads that there are.
            Err(_) => work(),
        }
    }

    /// Refuses to go on when the run is asked to stop.
    fn go_on(&self) -> Result<(), AnswerError> {
        if self.observer.stopped() {
            return Err(VerifyError::Cancelled { done: 0, total: self.domain.count() }.into());
        }
        Ok(())
    }

    /// Whether the budget allows another wave.
    fn may_spend(&mut self) -> bool {
        if self.effort.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            self.out_of_time = true;
        }
        !self.out_of_time && self.spent < self.effort.evaluations
    }

    fn bound(&self) -> f64 {
        self.question.bound().unwrap_or(f64::INFINITY)
    }

    /// Every plan with classical cores, as far as one could meet the bound.
    fn assemble(&mut self, plans: &[(Arithmetic, Arc<Plan>)], layout: ScreenLayout) -> Result<(), AnswerError> {
        self.observer.event(&Event::Stage(format!("fitting the cores of {} plans", plans.len())));
        let question = self.question;
        let inputs = sample(&self.domain);
        let quick = ScreenLayout { points: QUICK_POINTS, ..layout };
        let quick = Screen::new(&question.reference, &self.domain, standard(question), quick);
        let found = self.each(plans, |_, (arithmetic, plan)| {
            if self.observer.stopped() {
                return Ok(Vec::new());
            }
            let all = assemble(question, plan, *arithmetic, &inputs, &AssembleOptions::default())?;
            let judged = all.into_iter().filter(|c| question.admits(&c.program)).filter_map(|composed| {
                let judged = judge_program(&quick, &composed.program)?;
                Some(Candidate { composed, judged, refinements: 0, shrunk: false, proven: false })
            });
            Ok(judged.collect::<Vec<_>>())
        });
        self.go_on()?;
        let mut all = Vec::new();
        for found in found {
            let found: Result<Vec<Candidate>, AssembleError> = found;
            all.extend(found?);
        }
        self.spent += all.len() as u64;
        self.candidates = all;
        self.sort();
        self.step(format!("assembled {} programs", self.candidates.len()));
        Ok(())
    }

    /// Whether a program that is not yet refined could meet the bound.
    fn hopeful(&self, c: &Candidate) -> bool {
        let bound = self.bound();
        let own = c.composed.error();
        let exact = self.question.exact().count() as u32;
        // The error beyond the cores' own comes from rounding; how much of it constants can make up for is seen by trying.
        c.judged.broken <= exact && own <= bound && c.judged.error <= HOPE.0 * bound + HOPE.1 * self.resolution()
    }

    /// The format's resolution in the question's unit: what rounding alone costs about.
    fn resolution(&self) -> f64 {
        match (&self.question.tolerance, self.question.figure) {
            (None, Figure::Ulp) => 1.0,
            (None, Figure::Rel) => self.question.ulp(1.0),
            // What an absolute error can be depends on the size of the values; the bound was chosen with it in mind.
            _ => self.bound(),
        }
    }

    fn arithmetics(&self) -> Vec<Arithmetic> {
        self.question.variants()
    }

    /// Indices of a variant's candidates that keep the bound on the screen, cheapest first.
    fn kept(&self, arithmetic: Arithmetic) -> Vec<usize> {
        let keeps = |c: &Candidate| {
            c.composed.arithmetic == arithmetic
                && c.refinements > 0
                && c.judged.broken == 0
                && c.judged.error <= self.bound()
        };
        (0..self.candidates.len()).filter(|&i| keeps(&self.candidates[i])).collect()
    }

    /// The least price among a variant's candidates that keep the bound, and proven answers.
    fn ceiling(&self, arithmetic: Arithmetic) -> Option<Price> {
        let kept = self.kept(arithmetic).into_iter().filter(|&i| !self.candidates[i].proven);
        let kept = kept.map(|i| self.candidates[i].composed.price);
        let minimize = self.question.problem.minimize;
        kept.chain(self.answers(arithmetic).map(|v| v.price)).min_by(|a, b| order(a, b, minimize))
    }

    fn answers(&self, arithmetic: Arithmetic) -> impl Iterator<Item = &Verified> {
        self.verified.iter().filter(move |v| v.arithmetic == arithmetic && v.proof.answers(self.question))
    }

    /// The next candidates of a variant worth refining, with their evaluations: only what is cheaper than what there is.
    fn wave(&self, arithmetic: Arithmetic) -> Vec<(usize, u64)> {
        let ceiling = self.ceiling(arithmetic);
        let minimize = self.question.problem.minimize;
        let cheaper = |c: &Candidate| {
            ceiling.is_none_or(|ceiling| order(&c.composed.price, &ceiling, minimize) == std::cmp::Ordering::Less)
        };
        let own = |c: &Candidate| c.composed.arithmetic == arithmetic && !c.proven && cheaper(c);
        let fresh = |c: &Candidate| own(c) && c.refinements == 0 && self.hopeful(c);
        let missed = |c: &Candidate| {
            let near =
                c.judged.broken == 0 && c.judged.error > self.bound() && c.judged.error <= NEAR_MISS * self.bound();
            // A screen that has grown since asks another question.
            own(c) && near && (1..MOST_REFINEMENTS).contains(&c.refinements)
        };
        let indices = |take: &dyn Fn(&Candidate) -> bool| -> Vec<usize> {
            (0..self.candidates.len()).filter(|&i| take(&self.candidates[i])).collect()
        };
        let mut chosen = indices(&fresh);
        chosen.truncate(WAVE);
        if chosen.is_empty() || ceiling.is_some() {
            chosen.extend(indices(&missed).into_iter().take(WAVE));
        }
        let evaluations =
            |i: &usize| FIRST_EVALUATIONS * MORE.pow(self.candidates[*i].refinements.min(MOST_REFINEMENTS));
        chosen.iter().map(|i| (*i, evaluations(i))).collect()
    }

    /// Refines candidates on the screen.
    fn refine(&mut self, chosen: &[(usize, u64)]) -> Result<(), AnswerError> {
        let seed = self.question.problem.seed;
        let results = self.each(chosen, |_, &(i, evaluations)| {
            let c = &self.candidates[i];
            // Another seed for each time, so that more evaluations are not the same again.
            let options = RefineOptions { evaluations, seed: seed.wrapping_add(u64::from(c.refinements) << 32) };
            if self.observer.stopped() {
                return Ok(None);
            }
            let program = &c.composed.program;
            let start: Option<Vec<Literal>> = program.params().iter().map(|p| p.value).collect();
            let Some(start) = start else { return Ok(None) };
            let mut engine = mathsmith_jit::engine_for(program)?.0;
            let goal = self.question.bound().map(|bound| bound * GOAL);
            refine_until(&self.screen, &mut *engine, &start, &options, goal).map(Some)
        });
        self.go_on()?;
        for (&(i, _), refined) in chosen.iter().zip(results) {
            let refined: Result<Option<Refined>, EngineError> = refined;
            let Some(refined) = refined? else { continue };
            self.spent += refined.evaluations;
            let c = &mut self.candidates[i];
            refined.apply(&mut c.composed.program);
            c.judged = refined.judged;
            c.refinements += 1;
        }
        Ok(())
    }

    /// Refines from the cheapest on until a variant has a program that keeps the bound and nothing cheaper is likely to.
    fn search(&mut self, arithmetic: Arithmetic) -> Result<(), AnswerError> {
        loop {
            let wave = self.wave(arithmetic);
            if wave.is_empty() || !self.may_spend() {
                return Ok(());
            }
            self.refine(&wave)?;
            self.show(arithmetic);
            self.step(format!("refined {} of {}", wave.len(), arithmetic.word()));
        }
    }

    /// Looks for smaller programs from the cheapest of each plan that keep the bound.
    fn shrink(&mut self, arithmetic: Arithmetic) -> Result<(), AnswerError> {
        let minimize = self.question.problem.minimize;
        let mut starts: Vec<usize> = Vec::new();
        for i in self.kept(arithmetic) {
            let c = &self.candidates[i];
            let known = |&j: &usize| Arc::ptr_eq(&self.candidates[j].composed.plan, &c.composed.plan);
            if !c.shrunk && !starts.iter().any(known) && starts.len() < SHRUNK_TOGETHER {
                starts.push(i);
            }
        }
        if starts.is_empty() || !self.may_spend() {
            return Ok(());
        }
        self.observer.event(&Event::Stage(format!("making {} {} programs smaller", starts.len(), arithmetic.word())));
        let options = ShrinkOptions {
            limit: self.bound(),
            minimize,
            fused: arithmetic == Arithmetic::Fma,
            evaluations: SHRINK_EVALUATIONS,
            seed: self.question.problem.seed,
        };
        let price = |program: &Program| self.question.admits(program).then(|| self.question.price(program));
        let results = self.each(&starts, |_, &i| {
            if self.observer.stopped() {
                return Vec::new();
            }
            shrink(&self.screen, &self.candidates[i].composed.program, &price, &options)
        });
        self.go_on()?;
        for (&i, smaller) in starts.iter().zip(results) {
            self.spent += SHRINK_EVALUATIONS;
            self.candidates[i].shrunk = true;
            for s in smaller {
                let known = |c: &Candidate| c.composed.arithmetic == arithmetic && c.composed.program == s.program;
                if s.judged.broken == 0
                    && s.judged.error <= NEAR_MISS * self.bound()
                    && !self.candidates.iter().any(known)
                {
                    let composed =
                        Composed { program: s.program, price: s.price, ..self.candidates[i].composed.clone() };
                    let candidate =
                        Candidate { composed, judged: s.judged, refinements: 1, shrunk: true, proven: false };
                    self.candidates.push(candidate);
                }
            }
        }
        self.sort();
        self.step(format!("made {} smaller", starts.len()));
        Ok(())
    }

    /// Cheapest first, the more accurate of equal price in front.
    fn sort(&mut self) {
        let minimize = self.question.problem.minimize;
        self.candidates.sort_by(|a, b| {
            order(&a.composed.price, &b.composed.price, minimize).then(a.judged.error.total_cmp(&b.judged.error))
        });
    }

    fn show(&self, arithmetic: Arithmetic) {
        let own = |c: &&Candidate| c.composed.arithmetic == arithmetic && c.refinements > 0 && c.judged.broken == 0;
        let own: Vec<&Candidate> = self.candidates.iter().filter(own).collect();
        let front = pareto::front(&own, self.question.problem.minimize, 1.0, |c| c.composed.price, |c| c.judged.error);
        self.observer.event(&Event::Search {
            variant: arithmetic.word().into(),
            evaluations: self.spent,
            total: self.effort.deadline.is_none().then_some(self.effort.evaluations),
            best: front.into_iter().map(|i| (own[i].composed.price.ops, own[i].judged.error)).collect(),
            left: None,
        });
    }

    /// Judges all refined candidates again after the screen has grown.
    fn judge_again(&mut self) {
        let screen = &self.screen;
        for c in self.candidates.iter_mut().filter(|c| c.refinements > 0) {
            if let Some(judged) = judge_program(screen, &c.composed.program) {
                c.judged = judged;
            }
            self.spent += 1;
        }
    }

    /// The binades in which programs have their largest errors on the screen, hottest first: a screen misses the worst
    /// inputs, but where they lie it shows well.
    fn hot_binades(&self, chosen: &[usize]) -> Result<Vec<FloatDomain>, AnswerError> {
        let mut hottest: Vec<(f64, i64)> = Vec::new();
        for &i in chosen {
            let program = self.candidates[i].composed.program.bound();
            let errors = self.screen.errors(&mut *mathsmith_jit::engine_for(&program)?.0, &[])?;
            for (&x, &error) in self.screen.inputs().iter().zip(&errors) {
                let binade = domain::key(x).div_euclid(1 << 23);
                match hottest.iter_mut().find(|h| h.1 == binade) {
                    Some(h) => h.0 = h.0.max(error),
                    None => hottest.push((error, binade)),
                }
            }
        }
        hottest.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let part = |&(_, binade): &(f64, i64)| {
            let (first, last) = (binade << 23, (binade << 23) + (1 << 23) - 1);
            let lo = domain::from_key(first.max(domain::key(self.domain.lo())));
            let hi = domain::from_key(last.min(domain::key(self.domain.hi())));
            FloatDomain::new(lo, hi).ok()
        };
        Ok(hottest.iter().take(HOT_BINADES).filter_map(part).collect())
    }

    /// The cheapest of each variant that keep the bound on the screen and are not proven.
    fn promising(&self, most: usize) -> Vec<usize> {
        let mut all = Vec::new();
        for arithmetic in self.arithmetics() {
            let mut own = self.kept(arithmetic);
            let minimize = self.question.problem.minimize;
            let found = self.answers(arithmetic).map(|v| v.price).min_by(|a, b| order(a, b, minimize));
            own.retain(|&i| {
                let c = &self.candidates[i];
                let cheaper = found.is_none_or(|p| order(&c.composed.price, &p, minimize) == std::cmp::Ordering::Less);
                !c.proven && cheaper
            });
            all.extend(own.into_iter().take(most));
        }
        all
    }

    /// Lets a hunt around the worst inputs refuse what it can, and refines what it refuses.
    fn hunt(&mut self) -> Result<(), AnswerError> {
        for round in 0..HUNTS {
            let chosen = self.promising(ENOUGH);
            if chosen.is_empty() || !self.may_spend() {
                break;
            }
            let seed = self.question.problem.seed.wrapping_add(round as u64);
            let found = self.each(&chosen, |_, &i| hunt(&self.screen, &self.candidates[i].composed.program, seed));
            let new: usize = found.iter().map(|worse| self.screen.insert(worse)).sum();
            if new == 0 {
                break;
            }
            self.judge_again();
            if !self.refine_refused(&chosen)? {
                break;
            }
        }
        self.step("hunted");
        Ok(())
    }

    /// Refines those of the chosen that no longer keep the bound; false where all do.
    fn refine_refused(&mut self, chosen: &[usize]) -> Result<bool, AnswerError> {
        let refused = chosen.iter().filter(|&&i| self.candidates[i].judged.error > self.bound());
        let refused: Vec<(usize, u64)> = refused.map(|&i| (i, FIRST_EVALUATIONS * MORE)).collect();
        if !refused.is_empty() {
            self.refine(&refused)?;
        }
        Ok(!refused.is_empty())
    }

    /// Lets the hottest binades refuse what they can, and refines what they refuse.
    fn harden(&mut self) -> Result<(), AnswerError> {
        // A sweep by MPFR alone is too slow to be repeated, and a small domain is swept as a whole.
        if self.domain.count() < 1 << 24 || !self.question.reference.has_fast_path() {
            return Ok(());
        }
        for _ in 0..HOT_ROUNDS {
            let chosen = self.promising(ENOUGH);
            if chosen.is_empty() || !self.may_spend() {
                break;
            }
            let programs: Vec<Program> = chosen.iter().map(|&i| self.candidates[i].composed.program.bound()).collect();
            let before = self.screen.len();
            for binade in self.hot_binades(&chosen)? {
                let question = self.question;
                let reports = sweep_all(&question.reference, &binade, &programs, self.threads, self.observer)?;
                for report in reports {
                    let mut worst = report.adversarial_inputs();
                    worst.truncate(FAILURES);
                    worst.extend([report.max_rel.input, report.max_abs.input]);
                    self.screen.insert(&worst);
                }
            }
            if self.screen.len() == before {
                break;
            }
            self.judge_again();
            self.step("swept hot binades");
            if !self.refine_refused(&chosen)? {
                break;
            }
        }
        Ok(())
    }

    /// Proves candidates; what their proofs find worst joins the screen.
    fn prove(&mut self, chosen: &[usize]) -> Result<(), AnswerError> {
        self.observer.event(&Event::Stage(format!("sweeping {} programs over every input", chosen.len())));
        // The simplified program is the one that is proven.
        let programs: Vec<Program> = chosen
            .iter()
            .map(|&i| simplify(&self.candidates[i].composed.program.bound(), RuleClass::Exact, &Limits::default()))
            .collect();
        self.step_with("proving", programs.iter().map(Program::to_string).collect());
        let proofs = prove(self.question, &programs, self.threads, self.observer)?;
        for ((&i, program), proof) in chosen.iter().zip(programs).zip(proofs) {
            let mut worst = proof.failures();
            worst.truncate(2 * FAILURES);
            self.screen.insert(&worst);
            let answers = proof.answers(self.question);
            let c = &mut self.candidates[i];
            // What a sweep refuses for its error may be refined; a broken demand no constant mends.
            c.proven = answers || !proof.broken.is_empty();
            let composed = &c.composed;
            self.verified.push(Verified {
                arithmetic: composed.arithmetic,
                price: self.question.price(&program),
                program,
                origin: composed.origin(),
                proof,
            });
        }
        self.judge_again();
        self.step(format!("proved {}", chosen.len()));
        Ok(())
    }

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
                self.search(arithmetic)?;
            }
            self.hunt()?;
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

/// Order of prices by what the question minimises.
fn order(a: &Price, b: &Price, minimize: Minimize) -> std::cmp::Ordering {
    let (a, b) = (a.order(minimize), b.order(minimize));
    a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1))
}

impl Composed {
    /// Where the program comes from: its reductions and the shapes of its cores.
    pub fn origin(&self) -> String {
        let shapes: Vec<&str> = self.cores.iter().map(|c| c.shape.as_str()).collect();
        format!("{}: {}", self.plan.name, shapes.join("; "))
    }
}
