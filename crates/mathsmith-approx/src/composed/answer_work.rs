//! Candidates on their way: assembled, refined in waves from the cheapest on, made smaller, and with searched cores.

use super::answer::{AnswerError, Effort, Step, standard};
use super::assemble::{AssembleOptions, assemble};
use super::assemble_sites::{AssembleError, sample, sites};
use super::evolve::{EvolveOptions, evolve};
use super::refine::{RefineOptions, Refined, refine_until};
use super::screen::{Screen, ScreenLayout, judge_program};
use super::shrink::{ShrinkOptions, shrink};
use super::{Composed, Judged};
use crate::float::Verified;
use crate::float::objective::Figure;
use crate::observe::{Event, Observer};
use crate::pareto::{self, Price};
use crate::question::Question;
use crate::space::Arithmetic;
use crate::structure::Hooks;
use mathsmith_dsl::Minimize;
use mathsmith_ir::{EngineError, Literal, Program};
use mathsmith_reduce::Plan;
use mathsmith_search::{Budget, Control};
use mathsmith_verify::{FloatDomain, VerifyError};
use rayon::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Points of the screen on which every assembled program is judged once.
const QUICK_POINTS: u32 = 3_000;
/// Programs refined together.
const WAVE: usize = 8;
/// Share of the bound that constants are refined to: the screen misses the worst inputs by a little.
const GOAL: f64 = 0.97;
/// Evaluations of a first refinement, and by how much each further one of the same program has more.
pub(super) const FIRST_EVALUATIONS: u64 = 4_000;
pub(super) const MORE: u64 = 4;
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
/// Evaluations of the search of one core's structure.
const EVOLVE_EVALUATIONS: u64 = 12_000;
/// Programs with searched cores that are taken from it.
const EVOLVED: usize = 12;

/// A program on its way.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) composed: Composed,
    pub(super) judged: Judged,
    pub(super) refinements: u32,
    /// Whether smaller programs have been looked for from here.
    pub(super) shrunk: bool,
    pub(super) proven: bool,
}

/// The work on one question.
pub(super) struct Work<'a> {
    pub(super) question: &'a Question,
    pub(super) domain: FloatDomain,
    pub(super) screen: Screen,
    pub(super) effort: Effort,
    pub(super) spent: u64,
    pub(super) out_of_time: bool,
    pub(super) threads: usize,
    pub(super) observer: &'a dyn Observer,
    /// Every assembled program as it was.
    pub(super) assembled: Vec<Composed>,
    /// Variants whose cores have been searched.
    pub(super) evolved: Vec<Arithmetic>,
    /// Cheapest first.
    pub(super) candidates: Vec<Candidate>,
    pub(super) verified: Vec<Verified>,
    pub(super) started: Instant,
    pub(super) log: &'a mut dyn FnMut(&Step),
}

impl Work<'_> {
    /// Notes a step for the log; nothing of it is read again.
    pub(super) fn step(&mut self, what: impl Into<String>) {
        self.step_with(what, Vec::new());
    }

    pub(super) fn step_with(&mut self, what: impl Into<String>, programs: Vec<String>) {
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
    pub(super) fn each<T: Sync, R: Send>(&self, items: &[T], one: impl Fn(usize, &T) -> R + Sync + Send) -> Vec<R> {
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
    pub(super) fn go_on(&self) -> Result<(), AnswerError> {
        if self.observer.stopped() {
            return Err(VerifyError::Cancelled { done: 0, total: self.domain.count() }.into());
        }
        Ok(())
    }

    /// Whether the budget allows another wave.
    pub(super) fn may_spend(&mut self) -> bool {
        if self.effort.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            self.out_of_time = true;
        }
        !self.out_of_time && self.spent < self.effort.evaluations
    }

    pub(super) fn bound(&self) -> f64 {
        self.question.bound().unwrap_or(f64::INFINITY)
    }

    /// Every plan with classical cores, as far as one could meet the bound.
    pub(super) fn assemble(
        &mut self,
        plans: &[(Arithmetic, Arc<Plan>)],
        layout: ScreenLayout,
    ) -> Result<(), AnswerError> {
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
        self.assembled = all.iter().map(|c| c.composed.clone()).collect();
        self.candidates = all;
        self.sort();
        self.step(format!("assembled {} programs", self.candidates.len()));
        Ok(())
    }

    /// Whether a program that is not yet refined could meet the bound.
    pub(super) fn hopeful(&self, c: &Candidate) -> bool {
        let bound = self.bound();
        let own = c.composed.error();
        let exact = self.question.exact().count() as u32;
        // The error beyond the cores' own comes from rounding; how much of it constants can make up for is seen by trying.
        c.judged.broken <= exact && own <= bound && c.judged.error <= HOPE.0 * bound + HOPE.1 * self.resolution()
    }

    /// The format's resolution in the question's unit: what rounding alone costs about.
    pub(super) fn resolution(&self) -> f64 {
        match (&self.question.tolerance, self.question.figure) {
            (None, Figure::Ulp) => 1.0,
            (None, Figure::Rel) => self.question.ulp(1.0),
            // What an absolute error can be depends on the size of the values; the bound was chosen with it in mind.
            _ => self.bound(),
        }
    }

    pub(super) fn arithmetics(&self) -> Vec<Arithmetic> {
        self.question.variants()
    }

    /// Indices of a variant's candidates that keep the bound on the screen, cheapest first.
    pub(super) fn kept(&self, arithmetic: Arithmetic) -> Vec<usize> {
        let keeps = |c: &Candidate| {
            c.composed.arithmetic == arithmetic
                && c.refinements > 0
                && c.judged.broken == 0
                && c.judged.error <= self.bound()
        };
        (0..self.candidates.len()).filter(|&i| keeps(&self.candidates[i])).collect()
    }

    /// The least price among a variant's candidates that keep the bound, and proven answers.
    pub(super) fn ceiling(&self, arithmetic: Arithmetic) -> Option<Price> {
        let kept = self.kept(arithmetic).into_iter().filter(|&i| !self.candidates[i].proven);
        let kept = kept.map(|i| self.candidates[i].composed.price);
        let minimize = self.question.problem.minimize;
        kept.chain(self.answers(arithmetic).map(|v| v.price)).min_by(|a, b| order(a, b, minimize))
    }

    pub(super) fn answers(&self, arithmetic: Arithmetic) -> impl Iterator<Item = &Verified> {
        self.verified.iter().filter(move |v| v.arithmetic == arithmetic && v.proof.answers(self.question))
    }

    /// The next candidates of a variant worth refining, with their evaluations: only what is cheaper than what there is.
    pub(super) fn wave(&self, arithmetic: Arithmetic) -> Vec<(usize, u64)> {
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
        let share = self.effort.evaluations.saturating_sub(self.spent) / (chosen.len() as u64).max(1);
        chosen.iter().map(|i| (*i, evaluations(i).min(share))).collect()
    }

    /// Refines candidates on the screen until they are safely within the bound.
    pub(super) fn refine(&mut self, chosen: &[(usize, u64)]) -> Result<(), AnswerError> {
        self.refine_to(chosen, self.question.bound().map(|bound| bound * GOAL))
    }

    /// Refines candidates on the screen until they reach a goal; without one until their evaluations are used.
    pub(super) fn refine_to(&mut self, chosen: &[(usize, u64)], goal: Option<f64>) -> Result<(), AnswerError> {
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
    pub(super) fn search(&mut self, arithmetic: Arithmetic) -> Result<(), AnswerError> {
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

    /// Searches other structures for the cores of a variant's cheapest program that keeps the bound, or of its most accurate
    /// one; what is found waits among the candidates.
    pub(super) fn evolve(&mut self, arithmetic: Arithmetic) -> Result<(), AnswerError> {
        if self.evolved.contains(&arithmetic) || !self.may_spend() {
            return Ok(());
        }
        self.evolved.push(arithmetic);
        let own = |c: &&Composed| c.arithmetic == arithmetic;
        let best = match self.kept(arithmetic).first() {
            Some(&i) => Some(&self.candidates[i].composed),
            None => self.assembled.iter().filter(own).min_by(|a, b| a.error().total_cmp(&b.error())),
        };
        let Some(best) = best else { return Ok(()) };
        let of_plan = |c: &&Composed| own(c) && Arc::ptr_eq(&c.plan, &best.plan);
        let seeds: Vec<Composed> = self.assembled.iter().filter(of_plan).cloned().collect();
        let shapes = |c: &Composed| c.cores.iter().map(|c| c.shape.clone()).collect::<Vec<_>>();
        let Some(base) = seeds.iter().find(|c| shapes(c) == shapes(best)).or(seeds.first()).cloned() else {
            return Ok(());
        };
        self.observer.event(&Event::Stage(format!(
            "searching cores of {} programs: {}",
            arithmetic.word(),
            base.plan.name
        )));
        let sites = sites(self.question, &base.plan, &sample(&self.domain))?;
        let mut spent = 0;
        let mut found = Vec::new();
        for (core, site) in sites.iter().enumerate() {
            let left = self.effort.evaluations.saturating_sub(self.spent + spent);
            let budget = Budget { evaluations: Some(EVOLVE_EVALUATIONS.min(left)), time: None };
            let control = Control {
                stop: Some(self.observer.stop()),
                save: None,
                progress: None,
                progress_every: Duration::from_secs(1),
            };
            let hooks = Hooks { threads: self.threads, control, resume: None, ..Hooks::default() };
            let options = EvolveOptions { budget, most: EVOLVED };
            let evolved = evolve(self.question, &base, core, site, &seeds, &options, hooks)?;
            spent += evolved.stats.map_or(0, |(_, finish)| finish.evaluations);
            found.extend(evolved.programs);
        }
        self.go_on()?;
        self.spent += spent;
        for composed in found {
            let known = self.candidates.iter().any(|c| c.composed.program == composed.program);
            if known || !self.question.admits(&composed.program) {
                continue;
            }
            if let Some(judged) = judge_program(&self.screen, &composed.program) {
                self.candidates.push(Candidate { composed, judged, refinements: 0, shrunk: false, proven: false });
            }
        }
        self.sort();
        self.step(format!("searched cores of {}", arithmetic.word()));
        Ok(())
    }

    /// Looks for smaller programs from the cheapest of each plan that keep the bound.
    pub(super) fn shrink(&mut self, arithmetic: Arithmetic) -> Result<(), AnswerError> {
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
    pub(super) fn sort(&mut self) {
        let minimize = self.question.problem.minimize;
        self.candidates.sort_by(|a, b| {
            order(&a.composed.price, &b.composed.price, minimize).then(a.judged.error.total_cmp(&b.judged.error))
        });
    }

    pub(super) fn show(&self, arithmetic: Arithmetic) {
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
    pub(super) fn judge_again(&mut self) {
        let screen = &self.screen;
        for c in self.candidates.iter_mut().filter(|c| c.refinements > 0) {
            if let Some(judged) = judge_program(screen, &c.composed.program) {
                c.judged = judged;
            }
            self.spent += 1;
        }
    }
}

/// Order of prices by what the question minimises.
pub(super) fn order(a: &Price, b: &Price, minimize: Minimize) -> std::cmp::Ordering {
    let (a, b) = (a.order(minimize), b.order(minimize));
    a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1))
}
