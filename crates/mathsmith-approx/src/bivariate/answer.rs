//! From plans of two variables to sampled programs: cheapest first, samples decide, their worst inputs join the pairs on which
//! programs are judged, and round again.
//!
//! This is the way of `composed::answer` without its exhaustive sweeps. Work is counted in evaluations: candidates judged on
//! the screen. The evaluations of a sample are another count, and stand beside its figures.

use super::{Sampled, points};
use crate::composed::answer::{AnswerError, Effort, Step, standard};
use crate::composed::assemble::{AssembleOptions, assemble_at};
use crate::composed::assemble_sites::{AssembleError, sites_of_pairs};
use crate::composed::refine::{RefineOptions, refine_until};
use crate::composed::screen::{Screen, judge_program};
use crate::composed::shrink::{ShrinkOptions, shrink};
use crate::composed::{Composed, Judged};
use crate::float::objective::Figure;
use crate::observe::{Event, Observer, time_left};
use crate::pareto::{self, Price};
use crate::question::Question;
use crate::space::Arithmetic;
use mathsmith_ir::{Literal, Program};
use mathsmith_reduce::Plan;
use mathsmith_verify::report::unhex;
use mathsmith_verify::{Inspection, Measured, SampleDomain, SampleOptions, Subject, VerifyError, sample};
use rayon::prelude::*;
use std::cmp::Ordering;
use std::sync::Arc;
use std::time::Instant;

/// Evaluations of a first sample, whose worst inputs teach, and of the one that is stated.
const FIRST_SAMPLE: u64 = 1 << 16;
const SAMPLE: u64 = 1 << 21;
/// Rounds of refining, shrinking and sampling of a variant.
const ROUNDS: usize = 6;
/// Programs of a variant that keep the bound on the screen before any is sampled, and programs refined together.
const ENOUGH: usize = 2;
const WAVE: usize = 4;
/// Evaluations of a refinement, and of a search for smaller programs.
const REFINE: u64 = 3_000;
const SHRINK: u64 = 12_000;
/// Refinements of one program.
const MOST_REFINEMENTS: u32 = 4;
/// Share of the bound that constants are refined to.
const GOAL: f64 = 0.97;
/// What a program may be above the bound before its constants are improved, in units of the bound and of an ulp.
const HOPE: (f64, f64) = (1.25, 1.5);
/// Programs that are sampled where no bound is asked for.
const FRONT: usize = 5;

/// What was found, and what it took.
#[derive(Debug)]
pub struct Answer {
    /// Programs with their samples; of each variant at least one, unless nothing could be made.
    pub sampled: Vec<Sampled>,
    /// Evaluations spent.
    pub evaluations: u64,
    /// Whether the deadline ended the work.
    pub out_of_time: bool,
    /// What was done, for the log.
    pub steps: Vec<Step>,
}

/// A program on its way.
struct Candidate {
    composed: Composed,
    judged: Judged,
    refinements: u32,
    shrunk: bool,
    sampled: bool,
}

/// Answers a question of two variables with the given plans.
///
/// # Errors
/// [`AnswerError`], cancellation included.
pub fn answer(
    question: &Question,
    plans: &[(Arithmetic, Arc<Plan>)],
    effort: Effort,
    threads: usize,
    observer: &dyn Observer,
) -> Result<Answer, AnswerError> {
    let Some(domain) = &question.pairs else {
        return Ok(Answer { sampled: Vec::new(), evaluations: 0, out_of_time: false, steps: Vec::new() });
    };
    observer.event(&Event::Stage("choosing the pairs on which programs are judged".into()));
    let inputs = points::inputs(&question.reference, domain, question.judged_at, question.problem.seed);
    let mut work = Work {
        question,
        domain,
        screen: Screen::of_pairs(&question.reference, domain, standard(question), &inputs),
        effort,
        threads,
        observer,
        candidates: Vec::new(),
        sampled: Vec::new(),
        spent: 0,
        out_of_time: false,
        started: Instant::now(),
        steps: Vec::new(),
    };
    work.assemble(plans, &inputs)?;
    for arithmetic in question.variants() {
        match question.bound() {
            Some(bound) => work.solve(arithmetic, bound)?,
            None => work.show_all(arithmetic)?,
        }
    }
    let Work { sampled, spent, out_of_time, steps, .. } = work;
    Ok(Answer { sampled, evaluations: spent, out_of_time, steps })
}

struct Work<'a> {
    question: &'a Question,
    domain: &'a SampleDomain,
    screen: Screen,
    effort: Effort,
    threads: usize,
    observer: &'a dyn Observer,
    /// Cheapest first.
    candidates: Vec<Candidate>,
    sampled: Vec<Sampled>,
    spent: u64,
    out_of_time: bool,
    started: Instant,
    steps: Vec<Step>,
}

impl Work<'_> {
    /// Runs `one` on every item with all threads; the results are in the order of the items.
    fn each<T: Sync, R: Send>(&self, items: &[T], one: impl Fn(&T) -> R + Sync + Send) -> Vec<R> {
        let work = || items.par_iter().map(&one).collect();
        match rayon::ThreadPoolBuilder::new().num_threads(self.threads.max(1)).build() {
            Ok(pool) => pool.install(work),
            // The same results on the threads that there are.
            Err(_) => work(),
        }
    }

    fn step(&mut self, what: String) {
        let kept = self.candidates.iter().filter(|c| c.judged.broken == 0).take(8);
        let minimize = self.question.problem.minimize;
        let kept = kept.map(|c| (c.composed.price.order(minimize).0, c.judged.error, c.composed.origin())).collect();
        let seconds = self.started.elapsed().as_secs_f64();
        self.steps.push(Step { what, seconds, evaluations: self.spent, kept, programs: Vec::new() });
    }

    /// Refuses to go on when the run is asked to stop.
    fn go_on(&self) -> Result<(), AnswerError> {
        match self.observer.stopped() {
            true => Err(VerifyError::Cancelled { done: 0, total: SAMPLE }.into()),
            false => Ok(()),
        }
    }

    fn may_spend(&mut self) -> bool {
        self.out_of_time |= self.effort.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        !self.out_of_time && self.spent < self.effort.evaluations
    }

    fn order(&self, a: &Price, b: &Price) -> Ordering {
        let (a, b) = (a.order(self.question.problem.minimize), b.order(self.question.problem.minimize));
        a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2))
    }

    fn sort(&mut self) {
        let mut all = std::mem::take(&mut self.candidates);
        all.sort_by(|a, b| {
            self.order(&a.composed.price, &b.composed.price).then(a.judged.error.total_cmp(&b.judged.error))
        });
        self.candidates = all;
    }

    /// Every plan with classical cores.
    fn assemble(&mut self, plans: &[(Arithmetic, Arc<Plan>)], inputs: &[[f32; 2]]) -> Result<(), AnswerError> {
        self.observer.event(&Event::Stage(format!("fitting the cores of {} plans", plans.len())));
        let columns = [0, 1].map(|a| inputs.iter().map(|x| x[a]).collect::<Vec<f32>>());
        let question = self.question;
        let found = self.each(plans, |(arithmetic, plan)| {
            let sites = sites_of_pairs(question, plan, [&columns[0], &columns[1]])?;
            let all = assemble_at(question, plan, *arithmetic, &sites, &AssembleOptions::default())?;
            let judged = all.into_iter().filter(|c| question.admits(&c.program)).filter_map(|composed| {
                let judged = judge_program(&self.screen, &composed.program)?;
                Some(Candidate { composed, judged, refinements: 0, shrunk: false, sampled: false })
            });
            Ok(judged.collect::<Vec<Candidate>>())
        });
        self.go_on()?;
        for found in found {
            let found: Result<Vec<Candidate>, AssembleError> = found;
            self.candidates.extend(found?);
        }
        self.spent += self.candidates.len() as u64;
        self.sort();
        self.step(format!("assembled {} programs", self.candidates.len()));
        Ok(())
    }

    fn own(&self, arithmetic: Arithmetic) -> impl Iterator<Item = usize> {
        (0..self.candidates.len()).filter(move |&i| self.candidates[i].composed.arithmetic == arithmetic)
    }

    /// The candidates of a variant that keep the bound on the screen and are not sampled, cheapest first.
    fn kept(&self, arithmetic: Arithmetic, bound: f64) -> Vec<usize> {
        let keeps = |i: &usize| {
            let c = &self.candidates[*i];
            !c.sampled && c.refinements > 0 && c.judged.broken == 0 && c.judged.error <= bound
        };
        self.own(arithmetic).filter(keeps).collect()
    }

    /// The cheapest answer of a variant.
    fn found(&self, arithmetic: Arithmetic) -> Option<Price> {
        let answers = self.sampled.iter().filter(|s| s.arithmetic == arithmetic && self.answers(s));
        answers.map(|s| s.price).min_by(|a, b| self.order(a, b))
    }

    fn answers(&self, sampled: &Sampled) -> bool {
        sampled.broken.is_empty() && self.question.meets(sampled.figure)
    }

    /// Finds the cheapest program of a variant that keeps a bound.
    fn solve(&mut self, arithmetic: Arithmetic, bound: f64) -> Result<(), AnswerError> {
        for _ in 0..ROUNDS {
            self.search(arithmetic, bound)?;
            self.shrink(arithmetic, bound)?;
            let found = self.found(arithmetic);
            let cheaper = |i: &usize| {
                let price = &self.candidates[*i].composed.price;
                found.is_none_or(|found| self.order(price, &found) == Ordering::Less)
            };
            let next: Vec<usize> = self.kept(arithmetic, bound).into_iter().filter(cheaper).take(1).collect();
            if next.is_empty() {
                break;
            }
            self.sample(&next, true)?;
        }
        if self.sampled.iter().all(|s| s.arithmetic != arithmetic) {
            // Nothing keeps the bound: the best is shown for what it is.
            let best = self.own(arithmetic).min_by(|&a, &b| {
                let (a, b) = (&self.candidates[a].judged, &self.candidates[b].judged);
                a.broken.cmp(&b.broken).then(a.error.total_cmp(&b.error))
            });
            self.sample(&best.into_iter().collect::<Vec<usize>>(), false)?;
        }
        Ok(())
    }

    /// Without a bound: a front of what the screen shows, sampled.
    fn show_all(&mut self, arithmetic: Arithmetic) -> Result<(), AnswerError> {
        let own: Vec<usize> = self.own(arithmetic).filter(|&i| self.candidates[i].judged.broken == 0).collect();
        let minimize = self.question.problem.minimize;
        let candidates = &self.candidates;
        let price = |i: &usize| candidates[*i].composed.price;
        let front = pareto::front(&own, minimize, 1.0, price, |i| candidates[*i].judged.error);
        let every = front.len().div_ceil(FRONT).max(1);
        // The most exact one is among them.
        let chosen: Vec<usize> = front.into_iter().rev().step_by(every).map(|i| own[i]).collect();
        self.refine(&chosen, 0.0)?;
        self.sample(&chosen, false)
    }

    /// Refines from the cheapest on, until enough keep the bound.
    fn search(&mut self, arithmetic: Arithmetic, bound: f64) -> Result<(), AnswerError> {
        loop {
            let kept = self.kept(arithmetic, bound);
            let ceiling = kept.get(ENOUGH - 1).map(|&i| self.candidates[i].composed.price);
            let ceiling = [ceiling, self.found(arithmetic)].into_iter().flatten().min_by(|a, b| self.order(a, b));
            let worth = |i: &usize| {
                let c = &self.candidates[*i];
                let price = &c.composed.price;
                let cheaper = ceiling.is_none_or(|ceiling| self.order(price, &ceiling) == Ordering::Less);
                let unit = if self.question.figure == Figure::Ulp { 1.0 } else { bound };
                let first = c.refinements == 0 && c.judged.error <= HOPE.0 * bound + HOPE.1 * unit;
                let missed = c.refinements > 0
                    && c.refinements < MOST_REFINEMENTS
                    && c.judged.error > bound
                    && c.judged.error <= HOPE.0 * bound;
                !c.sampled && c.judged.broken == 0 && cheaper && (first || missed)
            };
            let wave: Vec<usize> = self.own(arithmetic).filter(worth).take(WAVE).collect();
            if wave.is_empty() || !self.may_spend() {
                return Ok(());
            }
            self.refine(&wave, bound * GOAL)?;
            self.step(format!("refined {} of {}", wave.len(), arithmetic.word()));
        }
    }

    fn refine(&mut self, chosen: &[usize], goal: f64) -> Result<(), AnswerError> {
        let seed = self.question.problem.seed;
        let results = self.each(chosen, |&i| {
            let c = &self.candidates[i];
            let options =
                RefineOptions { evaluations: REFINE, seed: seed.wrapping_add(u64::from(c.refinements) << 32) };
            let program = &c.composed.program;
            let start: Option<Vec<Literal>> = program.params().iter().map(|p| p.value).collect();
            let Some(start) = start.filter(|_| !self.observer.stopped()) else { return Ok(None) };
            let mut engine = mathsmith_jit::engine_for(program)?.0;
            refine_until(&self.screen, &mut *engine, &start, &options, Some(goal)).map(Some)
        });
        self.go_on()?;
        for (&i, refined) in chosen.iter().zip(results) {
            let refined: Result<_, mathsmith_ir::EngineError> = refined;
            let c = &mut self.candidates[i];
            c.refinements += 1;
            let Some(refined) = refined? else { continue };
            self.spent += refined.evaluations;
            refined.apply(&mut c.composed.program);
            c.judged = refined.judged;
        }
        Ok(())
    }

    /// Looks for smaller programs from the cheapest that keeps the bound.
    fn shrink(&mut self, arithmetic: Arithmetic, bound: f64) -> Result<(), AnswerError> {
        let start = self.kept(arithmetic, bound).into_iter().find(|&i| !self.candidates[i].shrunk);
        let Some(start) = start.filter(|_| self.may_spend()) else { return Ok(()) };
        self.observer.event(&Event::Stage(format!("making a {} program smaller", arithmetic.word())));
        let options = ShrinkOptions {
            limit: bound,
            minimize: self.question.problem.minimize,
            fused: arithmetic == Arithmetic::Fma,
            evaluations: SHRINK,
            seed: self.question.problem.seed,
        };
        let price = |program: &Program| self.question.admits(program).then(|| self.question.price(program));
        let smaller = shrink(&self.screen, &self.candidates[start].composed.program, &price, &options);
        self.go_on()?;
        self.spent += SHRINK;
        self.candidates[start].shrunk = true;
        for s in smaller {
            let known = |c: &Candidate| c.composed.arithmetic == arithmetic && c.composed.program == s.program;
            if s.judged.broken == 0 && s.judged.error <= bound && !self.candidates.iter().any(known) {
                let composed =
                    Composed { program: s.program, price: s.price, ..self.candidates[start].composed.clone() };
                let candidate = Candidate { composed, judged: s.judged, refinements: 1, shrunk: true, sampled: false };
                self.candidates.push(candidate);
            }
        }
        self.sort();
        self.step(format!("made a program of {} smaller", arithmetic.word()));
        Ok(())
    }

    /// Samples programs: first a little, then as much as is stated. Inputs that refuse one join the screen, on which all are
    /// judged again, and the program waits for another refinement, unless it is not to `teach` any more; what the stated
    /// sample has seen is recorded.
    fn sample(&mut self, chosen: &[usize], teach: bool) -> Result<(), AnswerError> {
        let mut refusing: Vec<[f32; 2]> = Vec::new();
        for &i in chosen {
            let program = self.candidates[i].composed.program.bound();
            let mut last = None;
            for evaluations in [FIRST_SAMPLE, SAMPLE] {
                let measured = self.measure(&program, evaluations)?;
                let sampled = self.conclude(&self.candidates[i].composed, program.clone(), measured);
                let holds = self.answers(&sampled) || self.question.bound().is_none();
                let worst = failures(&sampled.measured);
                let taught = teach && !holds && self.candidates[i].refinements < MOST_REFINEMENTS;
                if taught && self.screen.insert_pairs(&worst) > 0 {
                    last = None;
                    refusing.extend(worst);
                    break;
                }
                last = Some(sampled);
            }
            if let Some(sampled) = last {
                self.candidates[i].sampled = true;
                self.sampled.push(sampled);
            }
        }
        if refusing.is_empty() {
            return Ok(());
        }
        for c in self.candidates.iter_mut() {
            if let Some(judged) = judge_program(&self.screen, &c.composed.program) {
                c.judged = judged;
            }
            self.spent += 1;
        }
        self.step(format!("{} inputs of a sample joined", refusing.len()));
        Ok(())
    }

    fn measure(&self, program: &Program, evals: u64) -> Result<Measured, AnswerError> {
        let start = Instant::now();
        let progress = |done, total| {
            let left = time_left(done, total, start.elapsed());
            self.observer.event(&Event::Sweep { done, total, programs: 1, left });
        };
        let options = SampleOptions {
            evals,
            seed: self.question.problem.seed,
            threads: self.threads,
            progress: Some(&progress),
            cancel: Some(self.observer.stop()),
        };
        let inspection = Inspection {
            judged_at: self.question.judged_at,
            ftz: self.question.problem.flush,
            twice: 0,
            ..Inspection::default()
        };
        let subject = Subject::new(program.name(), || Ok(mathsmith_jit::engine_for(program)?.0));
        let mut all = sample(&self.question.reference, self.domain, &[subject], &inspection, &options)?;
        Ok(all.swap_remove(0)?)
    }

    fn conclude(&self, composed: &Composed, program: Program, measured: Measured) -> Sampled {
        let problem = &self.question.problem;
        let ulps = measured.specials.iter().map(|s| s.ulp).filter(|ulp| ulp.is_finite());
        let figure = match self.question.figure {
            Figure::Ulp if problem.domain_only => measured.max_ulp.value,
            Figure::Ulp => ulps.fold(measured.max_ulp.value, f64::max),
            Figure::Rel => measured.max_rel.value,
            Figure::Abs => measured.max_abs.value,
        };
        let agrees = |s: &mathsmith_verify::measured::SpecialPoint| s.same_class && s.same_zero_sign;
        let wrong = measured.specials.iter().filter(|s| !problem.domain_only && !agrees(s));
        let broken = wrong.map(|s| format!("f({}) is {}, the function is {}", s.what, s.got, s.expected));
        let broken: Vec<String> = broken.take(8).collect();
        let arithmetic = composed.arithmetic;
        Sampled { arithmetic, program, price: composed.price, origin: composed.origin(), measured, figure, broken }
    }
}

/// Inputs at which a sample was worst, and the special ones at which results are of the wrong kind.
pub(super) fn failures(measured: &Measured) -> Vec<[f32; 2]> {
    let wrong = measured.specials.iter().filter(|s| !(s.same_class && s.same_zero_sign)).map(|s| &s.x);
    let pair = |x: &Vec<String>| match x.as_slice() {
        [x, y] => Some([unhex(x)? as f32, unhex(y)? as f32]),
        _ => None,
    };
    measured.adversarial.iter().chain(wrong).filter_map(pair).collect()
}
