//! From a plan to whole programs: each hole filled with classical cores of several sizes, constants at their minimax.
//!
//! What a hole needs is measured ([`assemble_sites`](super::assemble_sites)), not known: the fit of a core minimises its
//! share of the whole program's error. Shapes are of interest from the largest error that the bound allows down to where
//! the rounding errors of the frame drown the rest, and only those that no cheaper shape equals. With several cores their
//! errors add up, so combinations are kept by the sum of errors against the sum of
//! prices, as a front of fronts.

use super::assemble_forms::{Scheme, polynomial, ratio};
use super::assemble_sites::{AssembleError, Site, sites};
use super::{Composed, CoreForm};
use crate::pareto::{self, Price};
use crate::question::Question;
use crate::space::Arithmetic;
use mathsmith_dsl::{Minimize, Requirement};
use mathsmith_fit::{Dd, FitError, Fitter};
use mathsmith_ir::{Op, Program};
use mathsmith_reduce::{Core, Plan};
use std::sync::Arc;

/// How far [`assemble`] goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AssembleOptions {
    /// Highest degree of a polynomial.
    pub degree: usize,
    /// Highest sum of the degrees of a ratio; 0 for none.
    pub ratio: usize,
    /// Programs of a plan at most: of too many those go whose errors lie closest together.
    pub most: usize,
}

impl Default for AssembleOptions {
    fn default() -> Self {
        AssembleOptions { degree: 16, ratio: 8, most: 24 }
    }
}

/// Real error of a core, as a share of the bound or of an ulp, below which more terms gain nothing.
const NEGLIGIBLE: f64 = 0.02;
/// Where no bound is given: units in the last place beyond which a core is no approximation worth showing.
const COARSEST: f64 = 1000.0;
/// A higher degree must lower the error by this factor to be another shape: an even function gains nothing by odd terms.
const GAIN: f64 = 0.98;
/// Degrees in a row without gain that end the series.
const PATIENCE: usize = 3;

/// The programs of a plan with classical cores, cheapest first. `inputs` shows how the frame behaves
/// ([`sample`](super::assemble_sites::sample)).
///
/// Where the question forbids seeds there is one program, whose cores are constants, for
/// [`evolve`](super::evolve::evolve) to start from.
///
/// # Errors
/// [`AssembleError`] if the plan's programs cannot be run, or a core has no reference.
pub fn assemble(
    question: &Question,
    plan: &Arc<Plan>,
    arithmetic: Arithmetic,
    inputs: &[f32],
    options: &AssembleOptions,
) -> Result<Vec<Composed>, AssembleError> {
    assemble_at(question, plan, arithmetic, &sites(question, plan, inputs)?, options)
}

/// [`assemble`] for a plan whose sites are known.
///
/// # Errors
/// [`AssembleError::Compose`], [`AssembleError::Fit`].
pub fn assemble_at(
    question: &Question,
    plan: &Arc<Plan>,
    arithmetic: Arithmetic,
    sites: &[Site],
    options: &AssembleOptions,
) -> Result<Vec<Composed>, AssembleError> {
    let mut fitter = Fitter::new();
    let range = range(question, sites);
    let fused = arithmetic == Arithmetic::Fma;
    let empty: Vec<Program> = plan.cores.iter().map(|c| polynomial(c, &[Dd::ONE], Scheme::Horner, fused)).collect();
    let fault = |error| AssembleError::Compose { plan: plan.name.clone(), error };
    plan.compose("empty", &empty).map_err(fault)?;
    let mut choices: Vec<Vec<(CoreForm, Price)>> = Vec::new();
    for (i, (core, site)) in plan.cores.iter().zip(sites).enumerate() {
        // Pipes that the frame leaves idle are free, so a core is priced where it stands.
        let price = |program: &Program| {
            let mut cores = empty.clone();
            cores[i] = program.clone();
            plan.compose("priced", &cores).map_or_else(|_| question.price(program), |whole| question.price(&whole))
        };
        let shapes = Shapes { question, core, site, fused, range, options: *options, price: &price };
        let fault = |error| AssembleError::Fit { plan: plan.name.clone(), error };
        choices.push(shapes.all(&mut fitter).map_err(fault)?);
    }
    let mut composed = Vec::new();
    for pick in combinations(question.problem.minimize, &choices, range.1, options.most) {
        let cores = pick.iter().zip(&choices).map(|(&i, forms)| forms[i].0.clone()).collect();
        composed.push(compose(question, plan, arithmetic, cores)?);
    }
    if composed.iter().any(|c| question.admits(&c.program)) {
        composed.retain(|c| question.admits(&c.program));
    }
    let minimize = question.problem.minimize;
    composed.sort_by(|a, b| {
        let (x, y) = (a.price.order(minimize), b.price.order(minimize));
        x.0.total_cmp(&y.0).then(x.1.total_cmp(&y.1)).then(a.error().total_cmp(&b.error()))
    });
    Ok(composed)
}

/// A plan with cores in its holes.
///
/// # Errors
/// [`AssembleError::Compose`] if they do not fit.
pub fn compose(
    question: &Question,
    plan: &Arc<Plan>,
    arithmetic: Arithmetic,
    cores: Vec<CoreForm>,
) -> Result<Composed, AssembleError> {
    let programs: Vec<Program> = cores.iter().map(|c| c.program.clone()).collect();
    let fault = |error| AssembleError::Compose { plan: plan.name.clone(), error };
    let program = plan.compose(&question.problem.name, &programs).map_err(fault)?;
    let price = question.price(&program);
    Ok(Composed { plan: Arc::clone(plan), cores, arithmetic, program, price })
}

/// Real errors, least and largest, between which a core is of interest.
fn range(question: &Question, sites: &[Site]) -> (f64, f64) {
    let resolution = sites.iter().map(|site| site.resolution).fold(0.0, f64::max);
    match question.bound() {
        Some(bound) => (NEGLIGIBLE * bound.max(resolution), bound),
        None => (NEGLIGIBLE * resolution, COARSEST * resolution),
    }
}

/// The shapes of one core.
struct Shapes<'a> {
    question: &'a Question,
    core: &'a Core,
    site: &'a Site,
    fused: bool,
    range: (f64, f64),
    options: AssembleOptions,
    /// What the whole program costs with a core in place.
    price: &'a dyn Fn(&Program) -> Price,
}

impl Shapes<'_> {
    /// Every shape whose error is of interest and that no cheaper one of its kind equals; ratios only where they beat the
    /// polynomials. At least one: the best there is, where none is good enough.
    fn all(&self, fitter: &mut Fitter) -> Result<Vec<(CoreForm, Price)>, FitError> {
        let mut polynomials = self.polynomials(fitter)?;
        let mut ratios =
            if self.question.problem.from_scratch { Vec::new() } else { self.ratios(fitter, &polynomials)? };
        let all = || polynomials.iter().chain(&ratios);
        if all().all(|(f, _)| f.error > self.range.1) {
            let best = all().min_by(|a, b| a.0.error.total_cmp(&b.0.error));
            return Ok(best.cloned().into_iter().collect());
        }
        let minimize = self.question.problem.minimize;
        polynomials.retain(|(f, _)| f.error <= self.range.1);
        ratios.retain(|(f, price)| {
            let beaten = |(p, q): &(CoreForm, Price)| q.at_most(price, minimize) && p.error <= f.error;
            f.error <= self.range.1 && !polynomials.iter().any(beaten)
        });
        let front = |forms: Vec<(CoreForm, Price)>| {
            let kept = pareto::front(&forms, minimize, 1.0, |f| f.1, |f| f.0.error);
            kept.into_iter().map(|i| forms[i].clone()).collect::<Vec<_>>()
        };
        Ok([front(polynomials), front(ratios)].concat())
    }

    fn priced(&self, shape: String, program: Program, error: f64) -> (CoreForm, Price) {
        let price = (self.price)(&program);
        (CoreForm { shape, program, error }, price)
    }

    fn constant(&self, value: Dd, error: f64) -> (CoreForm, Price) {
        self.priced("constant".into(), polynomial(self.core, &[value], Scheme::Horner, self.fused), error)
    }

    fn polynomials(&self, fitter: &mut Fitter) -> Result<Vec<(CoreForm, Price)>, FitError> {
        if self.site.nodes.is_empty() {
            // Nothing depends on it.
            return Ok(vec![self.constant(Dd::ONE, 0.0)]);
        }
        let highest = if self.question.problem.from_scratch { 0 } else { self.options.degree };
        let mut forms: Vec<(CoreForm, Price)> = Vec::new();
        let (mut best, mut idle) = (f64::INFINITY, 0);
        for degree in 0..=highest {
            let fit = fitter.polynomial_on_nodes(degree, &self.site.nodes)?;
            let finite = fit.max_error.is_finite() && fit.params.iter().all(|p| p.is_finite());
            if !finite || fit.max_error > best * GAIN {
                idle += 1;
                if idle == PATIENCE {
                    break;
                }
                continue;
            }
            (best, idle) = (fit.max_error, 0);
            if degree == 0 {
                forms.push(self.constant(fit.params[0], fit.max_error));
            } else {
                forms.extend(Scheme::ALL.into_iter().filter(|s| s.differs(degree)).map(|scheme| {
                    let shape = format!("polynomial {degree}, {}", scheme.word());
                    self.priced(shape, polynomial(self.core, &fit.params, scheme, self.fused), fit.max_error)
                }));
            }
            if fit.max_error <= self.range.0 {
                break;
            }
        }
        if forms.is_empty() {
            // Powers of the argument beyond the doubles: the value in the middle is all there is.
            let middle = self.site.nodes.value(self.site.nodes.len() / 2);
            forms.push(self.constant(middle, f64::INFINITY));
        }
        Ok(forms)
    }

    /// Ratios that could pay: cheaper than the dearest polynomial that is of interest, or where no polynomial is good
    /// enough.
    fn ratios(
        &self,
        fitter: &mut Fitter,
        polynomials: &[(CoreForm, Price)],
    ) -> Result<Vec<(CoreForm, Price)>, FitError> {
        let problem = &self.question.problem;
        let listed = problem.ops.as_ref().is_none_or(|ops| ops.iter().any(|o| o.op() == Some(Op::Div)));
        if self.site.nodes.is_empty() || !listed || problem.require.contains(&Requirement::NoDiv) {
            return Ok(Vec::new());
        }
        let cost = |price: &Price| price.order(problem.minimize).0;
        let mut rivals: Vec<(f64, f64)> = polynomials.iter().map(|(f, price)| (cost(price), f.error)).collect();
        let mut forms: Vec<(CoreForm, Price)> = Vec::new();
        for sum in 2..=self.options.ratio {
            for n in 1..=sum / 2 {
                let m = sum - n;
                let blank = vec![Dd::ONE; m + n + 1];
                let price = cost(&(self.price)(&ratio(self.core, m, &blank, self.fused)));
                // What costs no more is already below what counts, or nothing dearer is left to replace.
                let reached = rivals.iter().filter(|r| r.0 <= price).map(|r| r.1).fold(f64::INFINITY, f64::min);
                if reached <= self.range.0 || rivals.iter().all(|r| r.0 <= price) && reached <= self.range.1 {
                    continue;
                }
                let fit = fitter.rational_on_nodes(m, n, &self.site.nodes)?;
                let finite = fit.max_error.is_finite() && fit.params.iter().all(|p| p.is_finite());
                if finite && fit.max_error < reached * GAIN {
                    rivals.push((price, fit.max_error));
                    let program = ratio(self.core, m, &fit.params, self.fused);
                    forms.push(self.priced(format!("ratio {m}/{n}"), program, fit.max_error));
                }
            }
        }
        Ok(forms)
    }
}

/// A choice of one form for each core so far.
struct Pick {
    chosen: Vec<usize>,
    price: Price,
    error: f64,
}

/// Which forms go together: for each price the combination with the least sum of errors, of those at most `largest`
/// or, where none is, the best.
fn combinations(minimize: Minimize, choices: &[Vec<(CoreForm, Price)>], largest: f64, most: usize) -> Vec<Vec<usize>> {
    let nothing = Price { ops: 0, cycles: 0.0, latency: 0.0, size: 0.0 };
    let mut picks = vec![Pick { chosen: Vec::new(), price: nothing, error: 0.0 }];
    for forms in choices {
        // A single core's forms are a front already, with ratios beside polynomials.
        let single = choices.len() == 1;
        let mut next: Vec<Pick> = Vec::new();
        for pick in &picks {
            for (i, (form, q)) in forms.iter().enumerate() {
                let p = &pick.price;
                next.push(Pick {
                    chosen: pick.chosen.iter().copied().chain([i]).collect(),
                    price: Price {
                        ops: p.ops + q.ops,
                        cycles: p.cycles + q.cycles,
                        latency: p.latency + q.latency,
                        size: p.size + q.size,
                    },
                    error: pick.error + form.error,
                });
            }
        }
        if single {
            picks = next;
            break;
        }
        let kept = pareto::front(&next, minimize, 1.0, |p| p.price, |p| p.error);
        let mut next: Vec<Option<Pick>> = next.into_iter().map(Some).collect();
        picks = kept.into_iter().filter_map(|i| next[i].take()).collect();
    }
    if picks.iter().any(|p| p.error <= largest) {
        picks.retain(|p| p.error <= largest);
    } else {
        picks.sort_by(|a, b| a.error.total_cmp(&b.error));
        picks.truncate(1);
    }
    while picks.len() > most.max(1) {
        // Of two neighbours with nearly the same error the dearer one adds least; the most exact one stays.
        let ratio = |i: usize| picks[i].error / picks[i - 1].error;
        let last = picks.len() - 1;
        let least = (1..last).max_by(|&a, &b| ratio(a).total_cmp(&ratio(b)));
        picks.remove(least.unwrap_or(0));
    }
    picks.into_iter().map(|p| p.chosen).collect()
}
