//! What a structure is worth in a float format: constants fitted in the reals, rounded to the format, and the error of
//! the program *as the format computes it* on the adversarial set.
//!
//! A polynomial's error is not the program's error: in `f32` the rounding of every operation weighs as much as the
//! approximation does, so a search that ranked by the fit alone would keep adding terms that change nothing.

use crate::structure::{Fitted, Genome, Objective, Standing};
use mathsmith_fit::{Fitter, LmOptions, Nodes, Tape};
use mathsmith_ir::{Interpreter, Literal, Op, Program, Type};
use mathsmith_verify::{AdversarialSet, Screened};

/// The error figure that a question bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// Units in the last place of the real value.
    Ulp,
    /// Relative to the real value.
    Rel,
    /// Absolute.
    Abs,
}

impl Figure {
    /// The figure of a screening.
    pub fn of(self, s: &Screened) -> f64 {
        match self {
            Figure::Ulp => s.ulp,
            Figure::Rel => s.rel,
            Figure::Abs => s.abs,
        }
    }
}

/// Fit in the reals, judge in the format.
pub struct FloatObjective<'a> {
    nodes: &'a Nodes,
    set: &'a AdversarialSet,
    figure: Figure,
    max_fma: u32,
    options: LmOptions,
}

/// Scratch of one thread.
pub struct FloatWorker {
    fitter: Fitter,
    tape: Tape,
    out: Vec<f32>,
}

impl<'a> FloatObjective<'a> {
    /// The objective on `nodes` (weighted by the metric that `figure` names) and the adversarial `set`.
    /// Programs with more than `max_fma` fused multiply-adds have no value.
    pub fn new(nodes: &'a Nodes, set: &'a AdversarialSet, figure: Figure, max_fma: u32) -> Self {
        FloatObjective { nodes, set, figure, max_fma, options: LmOptions::default() }
    }
}

/// The values of a program's parameters.
///
/// # Panics
/// If a parameter has no value; genomes always give one.
pub fn values(program: &Program) -> Vec<Literal> {
    program.params().iter().map(|p| p.value.expect("a genome's constants have values")).collect()
}

impl Objective for FloatObjective<'_> {
    type Worker = FloatWorker;

    fn worker(&self) -> FloatWorker {
        FloatWorker { fitter: Fitter::new(), tape: Tape::default(), out: Vec::new() }
    }

    fn evaluate(&self, worker: &mut FloatWorker, genome: &Genome, standing: Standing) -> Option<Fitted> {
        let FloatWorker { fitter, tape, out } = worker;
        let fused = genome.instrs.iter().filter(|i| i.op == Op::Fma).count();
        if fused > self.max_fma as usize {
            return None;
        }
        tape.rebuild(&genome.to_program("candidate", Type::Real)).ok()?;
        let fit = fitter.least_squares(tape, self.nodes, &genome.constants(), &self.options).ok()?;
        // Rounding may help a little, never by this much.
        if !fit.sum_sq.is_finite() || fit.max_error > standing.bar * 4.0 {
            return None;
        }
        let mut fitted = genome.clone();
        fitted.set_constants(&fit.params);
        let program = fitted.to_program("candidate", Type::F32);
        let mut engine = Interpreter::new(&program).ok()?;
        let screened = self.set.screen(&mut engine, &values(&program), out).ok()?;
        let error = self.figure.of(&screened);
        let size = genome.instrs.len() as u32;
        error.is_finite().then_some(Fitted { constants: fit.params, error, size })
    }
}
