//! Searched cores: the structure search with a core for its genome and the whole program's computed error for its aim.
//!
//! Classical schemes are where it starts, not what it is bound to: mixtures of Horner's rule and pairs, values used twice,
//! products of factors come out of mutation. A child is fitted by least squares on the core's weighted nodes, which
//! refuses most; what is left gets its constants rounded and runs, with what comes after it in the program, on the inputs
//! at which the core matters most. Size is what the question minimises, in units of its cheapest operation, so that the
//! archive keeps the best for each price and a division has to earn its own.

use super::assemble::compose;
use super::assemble_forms::as_core;
use super::assemble_sites::{AssembleError, Site};
use super::evolve_remainder::Remainder;
use super::evolve_size::Sizes;
use super::{Composed, CoreForm};
use crate::question::{Question, QuestionError};
use crate::space;
use crate::structure::{Fitted, FrontEntry, Genome, Hooks, Objective, SearchError, SearchSpace, Standing, search};
use mathsmith_fit::{Dd, Fitter, LmOptions, MinimaxOptions, Nodes, Tape, set_params};
use mathsmith_ir::{Literal, Op, Program, Type};
use mathsmith_search::{Budget, Finish, Stats};

/// Nodes of the least-squares fit of a child.
const FIT_NODES: usize = 48;
/// A fit this many times worse than what a place in the archive takes is refused before anything runs.
const HOPELESS: f64 = 4.0;
/// Searched cores of one size that are worth exact constants: the search's ranking is rough.
const PER_SIZE: usize = 4;
/// Computed errors this many times the bound, or the error of something cheaper, are beyond what better constants can win.
const REACH: f64 = 2.0;

/// Settings of [`evolve`].
#[derive(Clone, Copy, Debug)]
pub struct EvolveOptions {
    /// When to end.
    pub budget: Budget,
    /// Programs returned at most.
    pub most: usize,
}

/// Why a search of cores did not run.
#[derive(Debug, thiserror::Error)]
pub enum EvolveError {
    /// The program around the core.
    #[error(transparent)]
    Assemble(#[from] AssembleError),
    /// The operations that the question allows.
    #[error(transparent)]
    Question(#[from] QuestionError),
    /// The search itself.
    #[error(transparent)]
    Search(#[from] SearchError),
}

/// What a search of cores found.
#[derive(Debug)]
pub struct Evolved {
    /// Programs with searched cores at minimax constants, cheapest first.
    pub programs: Vec<Composed>,
    /// Counts of the search; `None` where there was nothing to search.
    pub stats: Option<(Stats, Finish)>,
}

/// Searches core number `core` of `base`, whose other cores stay. `seeds` are programs of the same plan whose cores at
/// that place are starting points; a question that forbids seeds starts from a constant and from the argument alone.
///
/// The same arguments and number of evaluations give the same programs. `hooks.fingerprint` is extended by the program
/// around the core; `hooks.class_of` may stay empty: with
/// [`Question::egraph`]'s classes fewer children are the same in disguise, but judging that takes as long as fitting.
///
/// # Errors
/// [`EvolveError`].
pub fn evolve(
    question: &Question,
    base: &Composed,
    core: usize,
    site: &Site,
    seeds: &[Composed],
    options: &EvolveOptions,
    hooks: Hooks<'_>,
) -> Result<Evolved, EvolveError> {
    let nothing = Evolved { programs: Vec::new(), stats: None };
    let Some((mut space, grammar)) = question.space(base.arithmetic)? else { return Ok(nothing) };
    let Some(objective) = CoreObjective::new(question, base, core, site, &space)? else { return Ok(nothing) };
    let mut settings = space::settings(question, &grammar);
    let ops = |p: &Program| mathsmith_cost::count_ops(p).total;
    let around = ops(&base.program).saturating_sub(ops(&base.cores[core].program));
    if !question.problem.from_scratch {
        let programs = seeds.iter().filter_map(|s| s.cores.get(core)).filter_map(|c| c.program.to_real().ok());
        for genome in programs.filter_map(|p| Genome::from_program(&p, false).ok()) {
            if !settings.seeds.contains(&genome) {
                settings.seeds.push(genome);
            }
        }
        // What is larger than the largest seed could only be more exact than is of interest.
        space.max_ops = settings.seeds.iter().map(|g| g.instrs.len() as u32).max().unwrap_or(space.max_ops);
    }
    if let Some(most) = question.problem.max_ops {
        space.max_ops = space.max_ops.min(most.saturating_sub(around));
    }
    space.max_constants = space.max_ops as usize + 2;
    settings.seeds.retain(|g| space.contains(g));
    let mut hooks = hooks;
    hooks.fingerprint = format!("{}\n{}\n{core} of {}", hooks.fingerprint, base.plan.name, base.program);
    let outcome = search(&objective, Type::Real, &space, &settings, &options.budget, hooks)?;
    let programs = objective.finished(base, &outcome.archive, options.most)?;
    Ok(Evolved { programs, stats: Some((outcome.stats, outcome.finish)) })
}

/// Fits a core on its nodes, judges the program around it.
struct CoreObjective<'a> {
    question: &'a Question,
    core: usize,
    ty: Type,
    site: &'a Site,
    nodes: Nodes,
    remainder: Remainder,
    /// Exact results and units of the error at the remainder's inputs.
    truth: Vec<(f32, Dd)>,
    inverse_units: Vec<f64>,
    sizes: Sizes<'a>,
    max_fma: usize,
    options: LmOptions,
}

/// Scratch of one thread.
struct CoreWorker {
    fitter: Fitter,
    tape: Tape,
    out: Vec<f32>,
}

impl<'a> CoreObjective<'a> {
    /// `None` where there is nothing to search for: nothing depends on the core.
    fn new(
        question: &'a Question,
        base: &'a Composed,
        core: usize,
        site: &'a Site,
        space: &SearchSpace,
    ) -> Result<Option<Self>, AssembleError> {
        let exact = site.inputs.iter().map(|&x| (x, question.value(f64::from(x))));
        let (truth, inverse_units): (Vec<(f32, Dd)>, Vec<f64>) = exact
            .filter(|(_, y)| y.is_finite() && (y.hi as f32).is_finite())
            .map(|(x, y)| ((x, y), 1.0 / question.unit(x, y.hi)))
            .filter(|(_, inverse)| inverse.is_finite())
            .unzip();
        let inputs: Vec<f32> = truth.iter().map(|(x, _)| *x).collect();
        if site.nodes.is_empty() || inputs.is_empty() {
            return Ok(None);
        }
        let Some(remainder) = Remainder::new(base, core, &inputs)? else { return Ok(None) };
        let ty = base.plan.cores[core].value;
        let others = mathsmith_cost::count_ops(&base.program).fma();
        let own = mathsmith_cost::count_ops(&base.cores[core].program).fma();
        Ok(Some(CoreObjective {
            question,
            core,
            ty,
            site,
            nodes: thinned(&site.nodes, FIT_NODES),
            remainder,
            truth,
            inverse_units,
            sizes: Sizes::new(question, base, core, space),
            max_fma: question.max_fma().saturating_sub(others.saturating_sub(own)) as usize,
            options: LmOptions::default(),
        }))
    }

    /// Largest error of a program with this core in place, in the question's figure.
    fn computed(&self, core: &Program, out: &mut Vec<f32>) -> Option<f64> {
        let params: Option<Vec<Literal>> = core.params().iter().map(|p| p.value).collect();
        self.remainder.run(&self.remainder.candidate(core), &params?, out)?;
        let mut worst = 0.0f64;
        for ((&c, (_, y)), inverse) in out.iter().zip(&self.truth).zip(&self.inverse_units) {
            let error = ((f64::from(c) - y.hi) - y.lo).abs() * inverse;
            if !error.is_finite() {
                return None;
            }
            worst = worst.max(error);
        }
        Some(worst)
    }

    /// Whole programs with the best cores of an archive, at minimax constants.
    fn finished(&self, base: &Composed, archive: &[FrontEntry], most: usize) -> Result<Vec<Composed>, AssembleError> {
        let mut fitter = Fitter::new();
        let mut found: Vec<(f64, Composed)> = Vec::new();
        for entry in self.shortlist(archive, most) {
            let real = entry.genome.to_program("core", Type::Real);
            let Ok(tape) = Tape::new(&real) else { continue };
            let start: Vec<Dd> = entry.genome.constants().into_iter().map(Dd::from).collect();
            let Ok(fit) = fitter.minimax_on_nodes(&tape, &self.site.nodes, &start, &MinimaxOptions::default()) else {
                continue;
            };
            if !fit.max_error.is_finite() || !fit.params.iter().all(|p| p.is_finite()) {
                continue;
            }
            let mut program = entry.genome.to_program("core", self.ty);
            set_params(&mut program, &fit.params);
            let mut cores = base.cores.clone();
            cores[self.core] = CoreForm {
                shape: format!("searched, {} operations", entry.genome.instrs.len()),
                program: as_core(&base.plan.cores[self.core], &program),
                error: fit.max_error,
            };
            let composed = compose(self.question, &base.plan, base.arithmetic, cores)?;
            if self.question.admits(&composed.program) && !found.iter().any(|(_, c)| c.program == composed.program) {
                found.push((entry.error, composed));
            }
        }
        let minimize = self.question.problem.minimize;
        found.sort_by(|(a, x), (b, y)| {
            let (p, q) = (x.price.order(minimize), y.price.order(minimize));
            p.0.total_cmp(&q.0).then(p.1.total_cmp(&q.1)).then(a.total_cmp(b))
        });
        Ok(found.into_iter().map(|(_, composed)| composed).collect())
    }

    /// The best few of each size, of these the ones that come closest to the best that costs no more.
    fn shortlist<'e>(&self, archive: &'e [FrontEntry], most: usize) -> Vec<&'e FrontEntry> {
        // Better constants win a part of the error, not all of it.
        let bound = self.question.bound().unwrap_or(f64::INFINITY);
        let mut sorted: Vec<&FrontEntry> = archive.iter().filter(|e| e.error <= REACH * bound).collect();
        if sorted.is_empty() {
            sorted = archive.iter().collect();
        }
        sorted.sort_by(|a, b| a.ops.cmp(&b.ops).then(a.error.total_cmp(&b.error)));
        let mut ranked: Vec<(f64, &FrontEntry)> = Vec::new();
        let mut best = f64::INFINITY;
        for same in sorted.chunk_by(|a, b| a.ops == b.ops) {
            best = best.min(same[0].error);
            ranked.extend(same.iter().take(PER_SIZE).map(|e| (e.error / best, *e)));
        }
        ranked.retain(|(excess, _)| *excess <= REACH);
        ranked.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.ops.cmp(&b.1.ops)));
        ranked.into_iter().take(most).map(|(_, e)| e).collect()
    }
}

impl Objective for CoreObjective<'_> {
    type Worker = CoreWorker;

    fn worker(&self) -> CoreWorker {
        CoreWorker { fitter: Fitter::new(), tape: Tape::default(), out: Vec::new() }
    }

    fn size(&self, genome: &Genome) -> u32 {
        self.sizes.of(genome)
    }

    fn evaluate(&self, worker: &mut CoreWorker, genome: &Genome, standing: Standing) -> Option<Fitted> {
        let CoreWorker { fitter, tape, out } = worker;
        if genome.instrs.iter().filter(|i| i.op == Op::Fma).count() > self.max_fma {
            return None;
        }
        tape.rebuild(&genome.to_program("core", Type::Real)).ok()?;
        let fit = fitter.least_squares(tape, &self.nodes, &genome.constants(), &self.options).ok()?;
        if !fit.sum_sq.is_finite() || fit.max_error > standing.bar * HOPELESS {
            return None;
        }
        let mut fitted = genome.clone();
        fitted.set_constants(&fit.params);
        let error = self.computed(&fitted.to_program("core", self.ty), out)?;
        Some(Fitted { constants: fit.params, error, size: self.size(genome) })
    }
}

/// Every so manieth node, the ends included.
fn thinned(nodes: &Nodes, count: usize) -> Nodes {
    if nodes.len() <= count {
        return nodes.clone();
    }
    let at = |k: usize| k * (nodes.len() - 1) / (count - 1);
    let pick = |column: &[f64]| (0..count).map(|k| column[at(k)]).collect::<Vec<f64>>();
    let target_lo = if nodes.target_lo.is_empty() { Vec::new() } else { pick(&nodes.target_lo) };
    Nodes { x: vec![pick(&nodes.x[0])], target: pick(&nodes.target), target_lo, weight: pick(&nodes.weight) }
}
