//! What a structure is worth: the seam between the search and whatever judges its programs.

use super::genome::Genome;
use super::points::Points;
use mathsmith_fit::{Dd, FitError, Fitter, LmOptions, Metric, Nodes, StopReason, Tape};
use mathsmith_ir::Type;

/// What the archive looks like for genomes of the candidate's size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standing {
    /// Error that a newcomer must fall below to have a place; infinite while there are free places.
    pub bar: f64,
    /// Least error so far; infinite if there is none.
    pub best: f64,
}

/// A judged structure.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    /// Values for the free constants, in the order of [`Genome::constants`].
    pub constants: Vec<f64>,
    /// Error, smaller is better.
    pub error: f64,
    /// Size under which the archive keeps it: the operation count, or another integer cost.
    pub size: u32,
}

/// Fits and judges structures. Results may depend on the arguments only, not on what a worker did before.
pub trait Objective: Sync {
    /// Scratch of one thread.
    type Worker: Send;

    /// Scratch for one thread.
    fn worker(&self) -> Self::Worker;

    /// Size under which the archive keeps a genome, known before it is fitted: operations, or what they cost in whole
    /// units. [`Fitted::size`] repeats it.
    fn size(&self, genome: &Genome) -> u32 {
        genome.instrs.len() as u32
    }

    /// Fits a genome in normal form, starting from the constants that it carries; `None` if it has no value. What
    /// cannot fall below `standing.bar` may be given up early.
    fn evaluate(&self, worker: &mut Self::Worker, genome: &Genome, standing: Standing) -> Option<Fitted>;
}

/// A function of one variable to be met in real arithmetic, as values on two sets of points.
#[derive(Clone, Debug)]
pub struct RealTarget {
    fit: Nodes,
    check: Points,
}

/// Points that a structure is fitted on: enough for the about twenty oscillations of the error of the largest forms.
pub const FIT_POINTS: usize = 32;
/// Points that its error is taken on.
pub const CHECK_POINTS: usize = 128;

impl RealTarget {
    /// The target `f` on `domain` with the metric of the error, relative or absolute.
    ///
    /// At exactly 0 nothing is asked: a form may divide by `x`, which leaves a hole there that its limit fills. Whoever
    /// reports the form says so.
    ///
    /// # Errors
    /// [`FitError`] if the domain is empty or `f` is not finite on it.
    pub fn new(domain: (f64, f64), f: &dyn Fn(f64) -> Dd, metric: Metric) -> Result<Self, FitError> {
        let fit = Nodes::chebyshev(domain, FIT_POINTS, f, metric)?;
        let check = Points::new(&Nodes::dense(domain, CHECK_POINTS, f, metric)?);
        Ok(RealTarget { fit, check })
    }
}

/// Real arithmetic: least squares on Chebyshev nodes, largest error on a denser set, both weighted by the metric.
#[derive(Clone, Debug)]
pub struct RealObjective {
    target: RealTarget,
    options: LmOptions,
}

/// Most continuations of a fit that ran out of iterations on its way into the archive.
const CONTINUATIONS: usize = 20;
/// Least factor by which a continuation lowers the sum of squares to be followed by another.
const WORTH: f64 = 0.9;
/// Distance from the best of its size within which a fit is continued.
const NEAR: f64 = 10.0;

/// Scratch of [`RealObjective`].
#[derive(Debug)]
pub struct RealWorker {
    fitter: Fitter,
    tape: Tape,
    points: super::points::Scratch,
}

impl RealObjective {
    /// The objective of a target.
    pub fn new(target: RealTarget) -> Self {
        RealObjective { target, options: LmOptions::default() }
    }
}

impl Objective for RealObjective {
    type Worker = RealWorker;

    fn worker(&self) -> RealWorker {
        RealWorker { fitter: Fitter::new(), tape: Tape::default(), points: super::points::Scratch::default() }
    }

    fn evaluate(&self, worker: &mut RealWorker, genome: &Genome, standing: Standing) -> Option<Fitted> {
        let RealWorker { fitter, tape, points } = worker;
        tape.rebuild(&genome.to_program("candidate", Type::Real)).ok()?;
        let nodes = &self.target.fit;
        let mut fit = fitter.least_squares(tape, nodes, &genome.constants(), &self.options).ok()?;
        if !fit.sum_sq.is_finite() {
            return None;
        }
        // Compound forms have long curved valleys: what is on its way into the archive may go on.
        for _ in 0..CONTINUATIONS {
            if fit.stop != StopReason::Iterations || fit.max_error > standing.bar.min(standing.best * NEAR) {
                break;
            }
            let more = fitter.least_squares(tape, nodes, &fit.params, &self.options).ok()?;
            let worth = more.sum_sq < WORTH * fit.sum_sq;
            if more.sum_sq < fit.sum_sq {
                fit = more;
            }
            if !worth {
                break;
            }
        }
        // The largest error on the nodes is nearly a lower bound of the one on the domain.
        if fit.max_error > standing.bar * 1.5 {
            return None;
        }
        let mut fitted = genome.clone();
        fitted.set_constants(&fit.params);
        let error = self.target.check.max_error(&fitted, points)?;
        Some(Fitted { constants: fit.params, error, size: genome.instrs.len() as u32 })
    }
}
