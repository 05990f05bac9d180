//! From a structure to constants of the format: minimax, then rounding against the computed error.

use super::objective::{Figure, Scale};
use crate::observe::{Event, Observer};
use crate::pareto::{self, Price};
use crate::question::Question;
use crate::space::Arithmetic;
use crate::structure::{FrontEntry, Genome};
use mathsmith_dsl::Minimize;
use mathsmith_egraph::{Limits, RuleClass, simplify};
use mathsmith_fit::{Dd, Fitter, Metric, MinimaxOptions, PointSet, RoundOptions, Tape};
use mathsmith_ir::{ColumnMut, ColumnRef, Program, Type};
use mathsmith_verify::AdversarialSet;
use rayon::prelude::*;
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Structures of one price that are worth the exact treatment: the search's ranking is rough.
const PER_PRICE: usize = 3;
/// Structures of a variant that are treated.
const MOST_DRAFTS: usize = 40;

/// A structure chosen for exact treatment.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The variant it belongs to.
    pub arithmetic: Arithmetic,
    /// The structure with its real constants.
    pub genome: Genome,
    /// Its price.
    pub price: Price,
    /// Error that the search saw.
    pub rough: f64,
}

/// A program with constants of the format.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Where it comes from.
    pub draft: Draft,
    /// The program, constants as literals.
    pub program: Program,
    /// Its price.
    pub price: Price,
    /// Largest error on the adversarial set.
    pub screened: f64,
}

/// The structures of a search's archive that deserve constants of the format.
pub fn shortlist(question: &Question, arithmetic: Arithmetic, archive: &[FrontEntry]) -> Vec<Draft> {
    let drafts: Vec<Draft> = archive
        .iter()
        .map(|e| {
            let price = question.price(&e.genome.to_program("candidate", Type::F32));
            Draft { arithmetic, genome: e.genome.clone(), price, rough: e.error }
        })
        .collect();
    // The best few of each price, and of these the ones that come closest to the best that costs no more.
    let minimize = question.problem.minimize;
    let mut sorted: Vec<&Draft> = drafts.iter().filter(|d| question.near(d.rough)).collect();
    if sorted.is_empty() {
        // Nothing comes near; what there is shows how far it is.
        sorted = drafts.iter().collect();
    }
    sorted.sort_by(|a, b| {
        let (x, y) = (a.price.order(minimize), b.price.order(minimize));
        x.0.total_cmp(&y.0).then(x.1.total_cmp(&y.1)).then(a.rough.total_cmp(&b.rough))
    });
    let mut few: Vec<&Draft> = Vec::new();
    for draft in sorted {
        if few.iter().filter(|d| d.price == draft.price).count() < PER_PRICE {
            few.push(draft);
        }
    }
    let excess = |d: &Draft| {
        let no_dearer = few.iter().filter(|o| o.price.at_most(&d.price, minimize));
        d.rough / no_dearer.map(|o| o.rough).fold(f64::INFINITY, f64::min)
    };
    let mut ranked: Vec<(f64, usize)> = few.iter().enumerate().map(|(i, d)| (excess(d), i)).collect();
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    ranked.truncate(MOST_DRAFTS);
    let mut kept: Vec<usize> = ranked.into_iter().map(|(_, i)| i).collect();
    kept.sort_unstable();
    kept.into_iter().map(|i| few[i].clone()).collect()
}

/// At most `most` candidates that nothing on the set beats, with those that come close; of too many the coarsest go.
pub fn select(candidates: Vec<Candidate>, minimize: Minimize, most: usize) -> Vec<Candidate> {
    let front = |slack| pareto::front(&candidates, minimize, slack, |c| c.price, |c| c.screened);
    let first = front(1.0);
    // Within two percent the sweep may decide otherwise than the set.
    let close = front(0.98).into_iter().filter(|i| !first.contains(i));
    let by_error = |a: &usize, b: &usize| candidates[*a].screened.total_cmp(&candidates[*b].screened);
    let mut chosen = first.clone();
    chosen.sort_by(by_error);
    chosen.extend(close);
    chosen.truncate(most);
    chosen.sort_unstable();
    chosen.into_iter().map(|i| candidates[i].clone()).collect()
}

/// The input of the set on which a program has its largest error in ulp; `None` if it cannot be run.
pub fn worst_input(set: &AdversarialSet, program: &Program) -> Option<f32> {
    let mut engine = mathsmith_jit::engine_for(program).ok()?.0;
    let mut out = vec![0.0; set.len()];
    engine.run(&[], &[ColumnRef::F32(set.inputs())], &mut [ColumnMut::F32(&mut out)]).ok()?;
    set.errors_ulp(&out).enumerate().max_by(|a, b| a.1.total_cmp(&b.1)).map(|(i, _)| set.inputs()[i])
}

/// Everything that rounding needs beside the structure.
pub struct Polisher<'a> {
    question: &'a Question,
    set: &'a AdversarialSet,
    metric: Metric,
    scale: Scale,
    points: Option<PointSet>,
}

impl<'a> Polisher<'a> {
    /// For the question's metric, on an adversarial set.
    pub fn new(question: &'a Question, set: &'a AdversarialSet) -> Self {
        let metric = question.metric();
        let points = points(set, metric);
        Polisher { question, set, metric, scale: Scale::new(question, set), points }
    }

    /// Rounds every draft; what has no constants of the format is left out. The order is that of the drafts.
    pub fn all(&self, drafts: &[Draft], threads: usize, observer: &dyn Observer) -> Vec<Candidate> {
        let done = AtomicUsize::new(0);
        let work = || {
            drafts
                .par_iter()
                .map_init(Fitter::new, |fitter, draft| {
                    if observer.stopped() {
                        return None;
                    }
                    let candidate = self.one(fitter, draft);
                    let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                    observer.event(&Event::Round { done, total: drafts.len() });
                    candidate
                })
                .collect::<Vec<_>>()
        };
        let found = match rayon::ThreadPoolBuilder::new().num_threads(threads.max(1)).build() {
            Ok(pool) => pool.install(work),
            // The same results on the threads that there are.
            Err(_) => work(),
        };
        let mut unique: Vec<Candidate> = Vec::new();
        for candidate in found.into_iter().flatten() {
            let same =
                |c: &Candidate| c.program == candidate.program && c.draft.arithmetic == candidate.draft.arithmetic;
            if !unique.iter().any(same) {
                unique.push(candidate);
            }
        }
        unique
    }

    fn one(&self, fitter: &mut Fitter, draft: &Draft) -> Option<Candidate> {
        let name = &self.question.problem.name;
        let real = draft.genome.to_program(name, Type::Real);
        let tape = Tape::new(&real).ok()?;
        let start: Vec<Dd> = draft.genome.constants().into_iter().map(Dd::from).collect();
        let target = |x: f64| self.question.value(x);
        let domain = (self.question.lo, self.question.hi);
        let minimax = fitter
            .minimax(&tape, &target, domain, self.metric, &start, &MinimaxOptions::default())
            .map_or(start, |m| m.params);
        let mut program = draft.genome.to_program(name, Type::F32);
        let (mut engine, _) = mathsmith_jit::engine_for(&program).ok()?;
        let options = RoundOptions { seed: self.question.problem.seed, ..RoundOptions::default() };
        let points = self.points.as_ref()?;
        let rounded = fitter.round_constants(&program, &tape, &mut *engine, &minimax, points, &options).ok()?;
        for (i, literal) in rounded.params.iter().enumerate() {
            program.set_param(i, *literal);
        }
        let program = simplify(&program.bound(), RuleClass::Exact, &Limits::default());
        let mut engine = mathsmith_jit::engine_for(&program).ok()?.0;
        let mut out = vec![0.0; self.set.len()];
        engine.run(&[], &[ColumnRef::F32(self.set.inputs())], &mut [ColumnMut::F32(&mut out)]).ok()?;
        let screened = self.scale.error(self.set, &out);
        let price = self.question.price(&program);
        screened.is_finite().then(|| Candidate { draft: draft.clone(), program, price, screened })
    }
}

/// The adversarial set in the shape that rounding takes; `None` if it has no point with a defined error.
fn points(set: &AdversarialSet, metric: Metric) -> Option<PointSet> {
    let mut points = PointSet::new(Type::F32, metric).ok()?;
    let at = Cell::new(0);
    let known = |_: f64| Dd { hi: set.values()[at.get()], lo: set.values_low()[at.get()] };
    for (i, &x) in set.inputs().iter().enumerate() {
        at.set(i);
        points.push(f64::from(x), &known).ok()?;
    }
    (!points.is_empty()).then_some(points)
}

/// The metric that a figure is fitted by.
pub fn metric(figure: Figure, ty: Type) -> Metric {
    match figure {
        Figure::Ulp => Metric::Ulp(ty),
        Figure::Rel => Metric::Relative,
        Figure::Abs => Metric::Absolute,
    }
}
