//! One form from free constants to constants of its format: least squares from many starts, minimax, rounding.

use crate::rng::SplitMix;
use crate::round::{computed_errors, nearest_literal};
use crate::{
    Dd, FitError, Fitter, LmOptions, LmResult, Metric, MinimaxOptions, MinimaxResult, Nodes, PointSet, RoundOptions,
    Rounded, Tape, set_params,
};
use mathsmith_ir::{Engine, Interpreter, Literal, Program, Type};

/// What is to be fitted.
pub struct FormProblem<'a> {
    /// The form: one input, one output, unknown constants as parameters. A parameter's value, where it has one, is a
    /// starting value.
    pub program: &'a Program,
    /// The reference.
    pub target: &'a dyn Fn(f64) -> Dd,
    /// Closed interval.
    pub domain: (f64, f64),
    /// What is minimised.
    pub metric: Metric,
    /// Parameters that are given and not fitted: index and value.
    pub fixed: &'a [(usize, Literal)],
    /// Inputs known to be hard, such as the failures of an exhaustive check.
    pub hard: &'a [f64],
}

/// Settings of [`Fitter::fit_form`].
#[derive(Clone, Copy, Debug)]
pub struct FormOptions {
    /// The least-squares fits.
    pub least_squares: LmOptions,
    /// The minimax refinement; its own least-squares start is not used.
    pub minimax: MinimaxOptions,
    /// The search for constants of the format.
    pub round: RoundOptions,
    /// Least-squares fits, each from another start: the parameters' own values, zeros, ones, then random ones.
    pub starts: usize,
    /// Points on which computed error is measured, besides the hard ones and those around extrema.
    pub points: usize,
    /// How often the rounded program is tried on four times as many fresh points, the worst of which are added before
    /// rounding again; it ends early when a trial finds nothing worse.
    pub trials: usize,
    /// Key of the random starts and points.
    pub seed: u64,
}

impl Default for FormOptions {
    fn default() -> Self {
        FormOptions {
            least_squares: LmOptions { max_iterations: 200, ..LmOptions::default() },
            minimax: MinimaxOptions::default(),
            round: RoundOptions::default(),
            starts: 32,
            points: 4096,
            trials: 8,
            seed: 0,
        }
    }
}

/// Result of [`Fitter::fit_form`].
#[derive(Clone, Debug)]
pub struct FitReport {
    /// The form with the constants found as values of its parameters.
    pub program: Program,
    /// Least squares, from the start that led to the best minimax.
    pub least_squares: LmResult,
    /// The form in real arithmetic with real constants.
    pub minimax: MinimaxResult,
    /// Constants of the format and their computed error on `points`; `None` for a form over `real`.
    pub rounded: Option<Rounded>,
    /// The points of that error; more can be added and the rounding repeated from `minimax.params`.
    pub points: Option<PointSet>,
}

impl Fitter {
    /// Fits one form. `engine` runs the program (parameters as in `problem.program`); without one the interpreter does.
    ///
    /// The computed error is that on a few thousand points: a lower bound of the true one, which only a sweep over all
    /// inputs or a proof can tell.
    ///
    /// # Errors
    /// [`FitError`] for forms of several inputs or outputs, integer operations, a bad domain, a reference that is not
    /// finite, fixed values that do not fit, or a form that is finite nowhere.
    pub fn fit_form(
        &mut self,
        problem: &FormProblem<'_>,
        engine: Option<&mut dyn Engine>,
        options: &FormOptions,
    ) -> Result<FitReport, FitError> {
        let mut program = problem.program.clone();
        let mut tape = Tape::new(&program)?;
        if tape.inputs() != 1 {
            return Err(FitError::Shape { what: "inputs", given: tape.inputs(), wanted: 1 });
        }
        for &(i, value) in problem.fixed {
            let Some(param) = program.params().get(i) else {
                return Err(FitError::Shape { what: "fixed parameters", given: i + 1, wanted: tape.params() });
            };
            if param.ty != value.ty() || !value.to_f64().is_some_and(f64::is_finite) {
                return Err(FitError::Fixed(param.name.clone()));
            }
            program.set_param(i, value);
            tape.fix(i);
        }
        let (least_squares, minimax) = self.best_start(problem, &program, &tape, options)?;
        let input = program.inputs()[0].ty;
        if !matches!(input, Type::F32 | Type::F64) {
            let fixed = |&(i, v): &(usize, Literal)| (i, v);
            set_params(&mut program, &minimax.params);
            // What was given is kept digit for digit.
            problem.fixed.iter().map(fixed).for_each(|(i, v)| program.set_param(i, v));
            return Ok(FitReport { program, least_squares, minimax, rounded: None, points: None });
        }
        let mut points = adversarial_points(problem, &minimax, input, options)?;
        let mut interpreter;
        let engine = match engine {
            Some(engine) => engine,
            None => {
                interpreter = Interpreter::new(&program)?;
                &mut interpreter
            }
        };
        // Starting values are not results: only what is fixed keeps its value.
        let mut rng = SplitMix::new(options.seed ^ 0x7472_6961_6c73);
        let mut rounded = self.round_constants(&program, &tape, engine, &minimax.params, &points, &options.round)?;
        for _ in 0..options.trials {
            let xs = random_inputs(problem.domain, input, 4 * options.points, &mut rng);
            let fresh = point_set(xs, problem, input)?;
            let worse = worst_points(&program, engine, &rounded, &fresh)?;
            if worse.is_empty() {
                break;
            }
            for i in worse {
                points.copy_from(&fresh, i, None);
            }
            rounded = self.round_constants(&program, &tape, engine, &minimax.params, &points, &options.round)?;
        }
        for (i, &value) in rounded.params.iter().enumerate() {
            program.set_param(i, value);
        }
        Ok(FitReport { program, least_squares, minimax, rounded: Some(rounded), points: Some(points) })
    }

    /// Least squares from many starts, minimax from the best few that differ.
    fn best_start(
        &mut self,
        problem: &FormProblem<'_>,
        program: &Program,
        tape: &Tape,
        options: &FormOptions,
    ) -> Result<(LmResult, MinimaxResult), FitError> {
        let count = 32.max(4 * (tape.free().len() + 1));
        let nodes = Nodes::chebyshev(problem.domain, count, problem.target, problem.metric)?;
        let mut fits: Vec<LmResult> = Vec::new();
        for start in starts(program, tape, options) {
            let fit = self.least_squares(tape, &nodes, &start, &options.least_squares)?;
            if fit.sum_sq.is_finite() {
                fits.push(fit);
            }
            if tape.free().is_empty() {
                break;
            }
        }
        fits.sort_by(|a, b| a.sum_sq.total_cmp(&b.sum_sq));
        fits.dedup_by(|b, a| b.sum_sq <= 1.01 * a.sum_sq);
        fits.truncate(4);
        let mut best: Option<(LmResult, MinimaxResult)> = None;
        for fit in fits {
            let mut start: Vec<Dd> = fit.params.iter().map(|&p| Dd::from(p)).collect();
            for &(i, value) in problem.fixed {
                start[i] = literal_dd(value);
            }
            let refine = MinimaxOptions { least_squares: None, ..options.minimax };
            let m = self.minimax(tape, problem.target, problem.domain, problem.metric, &start, &refine)?;
            if best.as_ref().is_none_or(|(_, b)| m.max_error < b.max_error) && m.max_error.is_finite() {
                best = Some((fit, m));
            }
        }
        best.ok_or(FitError::NoStart)
    }
}

/// The real that a float literal stands for.
fn literal_dd(value: Literal) -> Dd {
    match value {
        Literal::Real(r) => Dd::new(r.0[0], r.0[1] + r.0[2]),
        other => Dd::from(other.to_f64().unwrap_or(f64::NAN)),
    }
}

/// Starting constants: the given values (zero where there is none), zeros, ones, then random ones of several sizes.
fn starts(program: &Program, tape: &Tape, options: &FormOptions) -> Vec<Vec<f64>> {
    let given: Vec<Option<f64>> = program.params().iter().map(|p| p.value.and_then(Literal::to_f64)).collect();
    let mut rng = SplitMix::new(options.seed);
    let free = |i: usize| tape.free().contains(&i);
    let mut out = Vec::new();
    for round in 0..options.starts.max(1) {
        let size = 2f64.powi((round % 7) as i32 - 2);
        let start = given.iter().enumerate().map(|(i, value)| match (value, round) {
            (Some(v), _) if round == 0 || !free(i) => *v,
            (_, 0 | 1) => 0.0,
            (_, 2) => 1.0,
            _ => (rng.unit() * 2.0 - 1.0) * size,
        });
        out.push(start.collect());
    }
    out
}

/// Inputs where a program is likely to be at its worst: extrema of the form, ends of the domain and the floats beside
/// them, hard ones, and two samples of the rest, one regular and one random.
fn adversarial_points(
    problem: &FormProblem<'_>,
    minimax: &MinimaxResult,
    ty: Type,
    options: &FormOptions,
) -> Result<PointSet, FitError> {
    let (a, b) = problem.domain;
    let mut xs: Vec<f64> = problem.hard.to_vec();
    let centres = minimax.extrema.iter().map(|e| e.0).chain([a, b]);
    for centre in centres {
        let (mut up, mut down) = (nearest(ty, centre), nearest(ty, centre));
        for _ in 0..12 {
            xs.extend([up, down]);
            (up, down) = (next(ty, up, true), next(ty, down, false));
        }
    }
    let half = (options.points / 2).max(1);
    xs.extend((0..=half).map(|k| a + (b - a) * (k as f64 / half as f64)));
    let mut rng = SplitMix::new(options.seed ^ 0x706f_696e_7473);
    xs.extend(random_inputs(problem.domain, ty, half, &mut rng));
    point_set(xs, problem, ty)
}

/// Random inputs: three of four even in value, the others even among the floats, most of which are tiny where the domain
/// reaches zero.
fn random_inputs((a, b): (f64, f64), ty: Type, count: usize, rng: &mut SplitMix) -> Vec<f64> {
    let (low, high) = (rank(nearest(ty, a)), rank(nearest(ty, b)));
    let draw = |k: usize| match k % 4 {
        0 => unrank((low + ((high - low) as f64 * rng.unit()) as i128) as i64),
        _ => a + (b - a) * rng.unit(),
    };
    (0..count).map(draw).collect()
}

/// The inputs of the format in the domain, each once, with their reference values.
fn point_set(xs: Vec<f64>, problem: &FormProblem<'_>, ty: Type) -> Result<PointSet, FitError> {
    let (a, b) = problem.domain;
    let mut xs: Vec<f64> = xs.into_iter().map(|x| nearest(ty, x)).filter(|x| (a..=b).contains(x)).collect();
    xs.sort_by(f64::total_cmp);
    xs.dedup();
    let mut points = PointSet::new(ty, problem.metric)?;
    for x in xs {
        points.push(x, problem.target)?;
    }
    Ok(points)
}

/// The at most 32 worst of the points whose error is above the one that `rounded` states, worst first.
fn worst_points(
    program: &Program,
    engine: &mut dyn Engine,
    rounded: &Rounded,
    points: &PointSet,
) -> Result<Vec<usize>, FitError> {
    let &[output] = program.outputs() else { return Err(FitError::Outputs(program.outputs().len())) };
    let errors = computed_errors(engine, program.ty(output), &rounded.params, points)?;
    let mut worse: Vec<usize> = (0..errors.len()).filter(|&i| errors[i] > rounded.max_error).collect();
    worse.sort_by(|&i, &j| errors[j].total_cmp(&errors[i]).then(i.cmp(&j)));
    worse.truncate(32);
    Ok(worse)
}

fn nearest(ty: Type, x: f64) -> f64 {
    nearest_literal(ty, Dd::from(x)).ok().and_then(Literal::to_f64).unwrap_or(x)
}

/// The next number of the format.
fn next(ty: Type, x: f64, up: bool) -> f64 {
    match (ty, up) {
        (Type::F32, true) => f64::from((x as f32).next_up()),
        (Type::F32, false) => f64::from((x as f32).next_down()),
        (_, true) => x.next_up(),
        (_, false) => x.next_down(),
    }
}

/// Place of a double among the doubles; its floats are about evenly spread there.
fn rank(x: f64) -> i128 {
    let bits = x.to_bits() as i64;
    i128::from(if bits < 0 { i64::MIN.wrapping_sub(bits) } else { bits })
}

fn unrank(at: i64) -> f64 {
    f64::from_bits(if at < 0 { i64::MIN.wrapping_sub(at) } else { at } as u64)
}
