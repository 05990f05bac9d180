//! What a structure is worth in a float format: constants fitted in the reals, rounded to the format, and the error of
//! the program *as the format computes it* on the adversarial set.
//!
//! A polynomial's error is not the program's error: in `f32` the rounding of every operation weighs as much as the
//! approximation does, so a search that ranked by the fit alone would keep adding terms that change nothing.

use crate::question::Question;
use crate::structure::{Fitted, Genome, Objective, Standing};
use mathsmith_fit::{Fitter, LmOptions, Nodes, Tape};
use mathsmith_ir::{ColumnMut, ColumnRef, Engine, Interpreter, Literal, Op, Program, Type};
use mathsmith_oracle::FloatFormat;
use mathsmith_verify::{AdversarialSet, ErrorReport};

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
    /// The figure of a report, without the special inputs.
    pub fn of_report(self, report: &ErrorReport) -> f64 {
        match self {
            Figure::Ulp => report.max_ulp.value,
            Figure::Rel => report.max_rel.value,
            Figure::Abs => report.max_abs.value,
        }
    }
}

/// Fit in the reals, judge in the format.
pub struct FloatObjective<'a> {
    nodes: &'a Nodes,
    set: &'a AdversarialSet,
    scale: Scale,
    max_fma: u32,
    options: LmOptions,
}

/// The question's figure on an adversarial set.
pub struct Scale {
    /// One over what an error of 1 is at each input of the set.
    weights: Vec<f64>,
    judged_at: FloatFormat,
}

impl Scale {
    /// The units of a question at the inputs of a set.
    pub fn new(question: &Question, set: &AdversarialSet) -> Scale {
        // A large finite number stands for one over zero: zero times it stays zero.
        let weight = |(&x, &y): (&f32, &f64)| (1.0 / question.unit(x, y)).min(f64::MAX);
        let weights = set.inputs().iter().zip(set.values()).map(weight).collect();
        Scale { weights, judged_at: question.judged_at }
    }

    /// The largest error of the results at the inputs of the set; infinite where one is not finite.
    pub fn error(&self, set: &AdversarialSet, computed: &[f32]) -> f64 {
        let mut worst = 0.0;
        for ((&c, &y), weight) in computed.iter().zip(set.values()).zip(&self.weights) {
            let c = match self.judged_at {
                FloatFormat::F32 => f64::from(c),
                format => format.nearest_f64(f64::from(c)),
            };
            let error = (c - y).abs() * weight;
            // NaN is no error below any other.
            worst = if error <= worst { worst } else { error };
        }
        if worst.is_nan() { f64::INFINITY } else { worst }
    }
}

/// Scratch of one thread.
pub struct FloatWorker {
    fitter: Fitter,
    tape: Tape,
    out: Vec<f32>,
}

impl<'a> FloatObjective<'a> {
    /// The objective on `nodes` (weighted by the question's metric) and the adversarial `set`. Programs with more fused
    /// multiply-adds than the question allows have no value.
    pub fn new(nodes: &'a Nodes, set: &'a AdversarialSet, question: &Question) -> Self {
        let scale = Scale::new(question, set);
        FloatObjective { nodes, set, scale, max_fma: question.max_fma(), options: LmOptions::default() }
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
        out.resize(self.set.len(), 0.0);
        engine.run(&values(&program), &[ColumnRef::F32(self.set.inputs())], &mut [ColumnMut::F32(out)]).ok()?;
        let error = self.scale.error(self.set, out);
        let size = genome.instrs.len() as u32;
        error.is_finite().then_some(Fitted { constants: fit.params, error, size })
    }
}
