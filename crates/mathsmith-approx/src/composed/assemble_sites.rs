//! What a plan asks of its cores: on which arguments, and how exactly.
//!
//! The frame is run on a sample of the domain with exact values in its holes. That shows each core's arguments; and how
//! far the result moves when a core's value is displaced, in the question's unit of error, is the weight that an error of
//! the core has at that argument. Many inputs share an argument, and the most sensitive of them counts: a fit with these
//! weights minimises the largest error of the whole program, up to its rounding errors. An input at which the result is no
//! finite number, or does not move, asks nothing of the core, so clamps and selections in the frame need no rules here.

use crate::question::Question;
use mathsmith_fit::{Dd, FitError, Metric, Nodes, ulp};
use mathsmith_ir::{Column, ColumnMut, ColumnRef, Engine, EngineError, Interpreter, Type};
use mathsmith_oracle::{OracleError, Reference, Scratch};
use mathsmith_reduce::Plan;
use mathsmith_verify::{FloatDomain, domain};

/// Why a plan cannot be filled.
#[derive(Debug, thiserror::Error)]
pub enum AssembleError {
    /// The frame or a program with cores in place cannot be run.
    #[error(
        "a program of the plan `{plan}` cannot be run: {error}\n  help: the frames of a reduction are programs over f32 and f64 inputs"
    )]
    Engine {
        /// Name of the plan.
        plan: String,
        /// What the engine says.
        error: EngineError,
    },
    /// The function of a core cannot be evaluated.
    #[error(
        "the core `{core}` of the plan `{plan}` has no reference: {error}\n  help: write its function with the functions of the reference language"
    )]
    Reference {
        /// Name of the plan.
        plan: String,
        /// Name of the core.
        core: String,
        /// What is wrong with it.
        error: OracleError,
    },
    /// A core that is not a function of one variable over f32 or f64.
    #[error(
        "the core `{core}` of the plan `{plan}` is no function of one number\n  help: a core takes one f32 or f64 and gives one"
    )]
    Signature {
        /// Name of the plan.
        plan: String,
        /// Name of the core.
        core: String,
    },
    /// Cores do not fit their holes.
    #[error("the plan `{plan}` cannot be put together: {error}\n  help: mend the reduction's frame")]
    Compose {
        /// Name of the plan.
        plan: String,
        /// What does not fit.
        error: mathsmith_reduce::ComposeError,
    },
    /// Constants could not be fitted.
    #[error("the cores of the plan `{plan}` cannot be fitted: {error}\n  help: choose another reduction")]
    Fit {
        /// Name of the plan.
        plan: String,
        /// What the fit says.
        error: FitError,
    },
}

/// What a plan asks of one of its cores.
#[derive(Clone, Debug)]
pub struct Site {
    /// Least and greatest argument at which the core's value matters; equal for a core with one argument, and NaN where it
    /// matters nowhere.
    pub interval: (f64, f64),
    /// Arguments with the core's exact values and weights: error of the whole result, in the question's unit, for each
    /// unit of the core's error. Ascending.
    pub nodes: Nodes,
    /// For each stretch of arguments the input at which the result is most sensitive to the core; none of functions of two
    /// variables.
    pub inputs: Vec<f32>,
    /// What the last place of a normal result is in the question's unit, at most.
    pub resolution: f64,
}

/// Stretches of a core's interval, as dense towards its ends as Chebyshev nodes.
const STRETCHES: usize = 240;
/// Empty stretches between seen arguments that are taken to be gaps of the sample, and not of the arguments.
const GAP: usize = 16;
/// Arguments this far (in binades) below the largest are told apart by their binade too, down to `DEEPEST`.
const DEEP: i32 = 6;
/// Below this many binades under the largest, arguments are zero for every smooth function.
const DEEPEST: i32 = 30;
/// Relative displacement of a core's value: large against rounding errors, small against the curvature of a frame.
const DISPLACEMENT: f64 = 1.0 / 256.0;
/// Rounds of looking closer at the ends of the arguments, and steps between two inputs each time.
const CLOSER: usize = 2;
const BETWEEN: i64 = 32;
/// Bits of a double in a hole while sensitivity is measured.
const FILLING_BITS: u32 = 48;

/// Inputs that show how a frame behaves: the ends of the domain with their neighbours, zero with its own, equal steps of
/// value, and steps within each binade that are the finer the closer the binade is to 1. Ascending, each once.
pub fn sample(of: &FloatDomain) -> Vec<f32> {
    const EVEN: u32 = 2048;
    const NEIGHBOURS: i64 = 8;
    let (lo, hi) = (f64::from(of.lo()), f64::from(of.hi()));
    let mut xs: Vec<f32> = Vec::new();
    for i in 0..NEIGHBOURS {
        let ends = [domain::key(of.lo()) + i, domain::key(of.hi()) - i, i, -i];
        xs.extend(ends.into_iter().map(domain::from_key));
    }
    xs.extend((0..=EVEN).map(|i| {
        let t = f64::from(i) / f64::from(EVEN);
        (lo * (1.0 - t) + hi * t) as f32
    }));
    for exponent in -126i32..=127 {
        let steps = 16 + 512 / (1 + exponent.unsigned_abs());
        for i in 0..steps {
            // An odd multiple of half a step: no input is a round number more often than chance has it.
            let fraction = (f64::from(i) + 0.5) / f64::from(steps);
            let bits = ((exponent + 127) as u32) << 23 | (fraction * f64::from(1 << 23)) as u32;
            let x = f32::from_bits(bits);
            xs.extend([x, -x]);
        }
    }
    xs.retain(|&x| of.contains(x));
    xs.sort_by(f32::total_cmp);
    xs.dedup_by(|a, b| a.to_bits() == b.to_bits());
    xs
}

/// What `plan` asks of its cores, seen at `inputs` and at some more around those with the least and greatest arguments.
///
/// # Errors
/// [`AssembleError`] if the frame cannot be run, or a core has no reference.
pub fn sites(question: &Question, plan: &Plan, inputs: &[f32]) -> Result<Vec<Site>, AssembleError> {
    let references = references(plan)?;
    let mut known = inputs.to_vec();
    let mut seen = look(question, plan, &references, &[inputs])?.0;
    for _ in 0..CLOSER {
        known.sort_by(f32::total_cmp);
        let more: Vec<f32> = seen.iter().flat_map(|s| around(&known, s)).collect();
        for (all, new) in seen.iter_mut().zip(look(question, plan, &references, &[&more])?.0) {
            all.extend(new);
        }
        known.extend(more);
    }
    let mut sites: Vec<Site> = references.iter().zip(seen).map(|(reference, seen)| site(reference, seen)).collect();
    for site in &mut sites {
        let values = site.inputs.iter().map(|&x| (x, question.value(f64::from(x)).hi));
        site.resolution = resolution(question, values);
    }
    Ok(sites)
}

/// [`sites`] of a plan of two variables, seen at pairs of inputs: a column a variable.
///
/// # Errors
/// As [`sites`].
pub fn sites_of_pairs(question: &Question, plan: &Plan, columns: [&[f32]; 2]) -> Result<Vec<Site>, AssembleError> {
    let references = references(plan)?;
    let (seen, results) = look(question, plan, &references, &columns)?;
    let resolution = resolution(question, columns[0].iter().copied().zip(results));
    let sites = references.iter().zip(seen).map(|(reference, seen)| site(reference, seen));
    Ok(sites.map(|site| Site { inputs: Vec::new(), resolution, ..site }).collect())
}

/// The largest last place among normal results, in the unit of the question.
fn resolution(question: &Question, results: impl Iterator<Item = (f32, f64)>) -> f64 {
    results
        .filter(|(_, y)| y.is_finite() && y.abs() >= question.judged_at.min_normal())
        .map(|(x, y)| question.ulp(y) / question.unit(x, y))
        .filter(|r| r.is_finite())
        .fold(0.0, f64::max)
}

/// The functions of a plan's cores, one argument each.
fn references(plan: &Plan) -> Result<Vec<Reference>, AssembleError> {
    let mut references = Vec::new();
    for core in &plan.cores {
        let named = |error| AssembleError::Reference { plan: plan.name.clone(), core: core.name.clone(), error };
        let reference = Reference::new(&core.target).map_err(named)?;
        let float = |ty| matches!(ty, Type::F32 | Type::F64);
        if reference.vars().len() > 1 || !float(core.argument) || !float(core.value) {
            return Err(AssembleError::Signature { plan: plan.name.clone(), core: core.name.clone() });
        }
        references.push(reference);
    }
    Ok(references)
}

/// Where a core matters, core by core, and the results of the frame at the inputs.
type Looked = (Vec<Vec<Seen>>, Vec<f64>);

/// Where each core matters, at which inputs, and how much. Inputs are a column a variable.
fn look(
    question: &Question,
    plan: &Plan,
    references: &[Reference],
    columns: &[&[f32]],
) -> Result<Looked, AssembleError> {
    // A tolerance is a function of one variable, and so is what is placed by its input.
    let inputs = columns[0];
    let mut frame = Frame::new(plan, columns)?;
    for (i, (core, reference)) in plan.cores.iter().zip(references).enumerate() {
        frame.run()?;
        let values = exact(reference, &frame.arguments(i), core.value);
        frame.cores[i] = column(core.value, values.iter().copied());
    }
    frame.run()?;
    let results = floats(&frame.outputs[0]);
    // With exact cores a result is the function's value but for its last bits, which is near enough for a unit.
    let units: Vec<f64> = inputs.iter().zip(&results).map(|(&x, &r)| question.unit(x, r)).collect();
    let arguments: Vec<Vec<f64>> = (0..plan.cores.len()).map(|i| frame.arguments(i)).collect();
    let mut found = Vec::new();
    for (i, arguments) in arguments.iter().enumerate() {
        let weights = frame.sensitivity(i, &results, &units)?;
        let all = inputs.iter().zip(arguments).zip(&weights);
        let seen = all.map(|((&input, &argument), &weight)| Seen { argument: argument + 0.0, weight, input });
        found.push(seen.filter(|s| s.argument.is_finite() && s.weight > 0.0).collect());
    }
    Ok((found, results))
}

/// Inputs between the known neighbours of those with the least and the greatest argument. `known` ascends.
fn around(known: &[f32], seen: &[Seen]) -> Vec<f32> {
    let least = seen.iter().min_by(|a, b| a.argument.total_cmp(&b.argument));
    let greatest = seen.iter().max_by(|a, b| a.argument.total_cmp(&b.argument));
    let mut more = Vec::new();
    for end in [least, greatest].into_iter().flatten() {
        let at = known.partition_point(|x| x.total_cmp(&end.input).is_lt());
        let (below, above) = (known[at.saturating_sub(1)], known[(at + 1).min(known.len() - 1)]);
        for (from, to) in [(below, end.input), (end.input, above)] {
            let (from, to) = (domain::key(from), domain::key(to));
            let step = ((to - from) / BETWEEN).max(1);
            more.extend((1..BETWEEN).map(|i| from + i * step).take_while(|&k| k < to).map(domain::from_key));
        }
    }
    more
}

/// A frame at work on fixed inputs.
struct Frame<'a> {
    plan: &'a Plan,
    engine: Interpreter,
    /// A column a variable.
    inputs: &'a [&'a [f32]],
    cores: Vec<Column>,
    outputs: Vec<Column>,
}

impl<'a> Frame<'a> {
    fn new(plan: &'a Plan, inputs: &'a [&'a [f32]]) -> Result<Frame<'a>, AssembleError> {
        let bound = plan.frame.bound();
        let fault = |error| AssembleError::Engine { plan: plan.name.clone(), error };
        let engine = Interpreter::new(&bound).map_err(fault)?;
        let cores = plan.cores.iter().map(|c| column(c.value, inputs[0].iter().map(|_| 1.0))).collect();
        let outputs = bound.outputs().iter().map(|&v| Column::zeros(bound.ty(v), inputs[0].len())).collect();
        Ok(Frame { plan, engine, inputs, cores, outputs })
    }

    fn run(&mut self) -> Result<(), AssembleError> {
        let mut columns: Vec<ColumnRef<'_>> = self.inputs.iter().map(|column| ColumnRef::F32(column)).collect();
        columns.extend(self.cores.iter().map(Column::as_ref));
        let mut outputs: Vec<ColumnMut<'_>> = self.outputs.iter_mut().map(Column::as_mut).collect();
        let fault = |error| AssembleError::Engine { plan: self.plan.name.clone(), error };
        self.engine.run(&[], &columns, &mut outputs).map_err(fault)
    }

    fn arguments(&self, core: usize) -> Vec<f64> {
        floats(&self.outputs[core + 1])
    }

    /// How far each result moves, in its unit, for each unit by which the value of a core does; 0 where it does not.
    fn sensitivity(&mut self, core: usize, results: &[f64], units: &[f64]) -> Result<Vec<f64>, AssembleError> {
        let ty = self.plan.cores[core].value;
        let values = floats(&self.cores[core]);
        let typical = median(values.iter().map(|v| v.abs()).filter(|v| v.is_finite()).collect());
        let mut weights = vec![0.0; values.len()];
        for sign in [1.0, -1.0] {
            // A value near a zero of the core is displaced like its neighbours.
            let size = |v: f64| DISPLACEMENT * v.abs().max(DISPLACEMENT * typical);
            let displaced = column(ty, values.iter().map(|&v| v + sign * size(v)));
            let original = std::mem::replace(&mut self.cores[core], displaced);
            self.run()?;
            let displaced = floats(&std::mem::replace(&mut self.cores[core], original));
            for (i, moved) in floats(&self.outputs[0]).into_iter().enumerate() {
                // What rounding alone may do is no influence.
                let noise = ulp(Type::F32, Dd::from(results[i]));
                let weight = ((moved - results[i]).abs() - noise) / (displaced[i] - values[i]).abs() / units[i];
                if weight.is_finite() && weight > weights[i] {
                    weights[i] = weight;
                }
            }
        }
        Ok(weights)
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(1.0)
}

/// A column of a float type.
fn column(ty: Type, values: impl Iterator<Item = f64>) -> Column {
    match ty {
        Type::F64 => Column::F64(values.collect()),
        _ => Column::F32(values.map(|v| v as f32).collect()),
    }
}

/// A float column as doubles; empty for other types, which no core has.
fn floats(column: &Column) -> Vec<f64> {
    match column {
        Column::F32(v) => v.iter().map(|&x| f64::from(x)).collect(),
        Column::F64(v) => v.clone(),
        _ => Vec::new(),
    }
}

/// Values of a reference at many arguments, rounded to a float type.
///
/// Correctly so for `f32`, and a double to the bits of which every expression of the function and every processor has the
/// same: how the values were computed must not show in the weights.
fn exact(reference: &Reference, arguments: &[f64], ty: Type) -> Vec<f64> {
    if reference.vars().is_empty() {
        return vec![reference.round_f64(&[]); arguments.len()];
    }
    let mut distinct: Vec<f64> = arguments.to_vec();
    distinct.sort_by(f64::total_cmp);
    distinct.dedup_by(|a, b| a.to_bits() == b.to_bits());
    let mut scratch = Scratch::default();
    let mut values = vec![0.0; distinct.len()];
    if ty == Type::F32 {
        let mut rounded = vec![0f32; distinct.len()];
        reference.round_block_f32(&[&distinct], &mut rounded, &mut scratch);
        values = rounded.into_iter().map(f64::from).collect();
    } else {
        reference.round_block_bits(&[&distinct], FILLING_BITS, &mut values, &mut scratch);
    }
    let place = |t: &f64| distinct.partition_point(|d| d.total_cmp(t).is_lt());
    arguments.iter().map(|t| values[place(t)]).collect()
}

/// An argument at which a core matters: the argument, its weight, the input.
#[derive(Clone, Copy)]
struct Seen {
    argument: f64,
    weight: f64,
    input: f32,
}

/// Nodes of a core from where it was seen to matter.
fn site(reference: &Reference, mut seen: Vec<Seen>) -> Site {
    seen.sort_by(|a, b| a.argument.total_cmp(&b.argument).then(a.input.total_cmp(&b.input)));
    let (Some(first), Some(last)) = (seen.first().copied(), seen.last().copied()) else {
        return Site {
            interval: (f64::NAN, f64::NAN),
            nodes: nodes(reference, &[]),
            inputs: Vec::new(),
            resolution: 0.0,
        };
    };
    let interval = (first.argument, last.argument);
    let edges = edges(interval);
    let largest = interval.0.abs().max(interval.1.abs());
    let stretch = |t: f64| (edges.partition_point(|&e| e <= t), binade(t, largest));
    let mut points: Vec<(f64, f64)> = Vec::new();
    let mut heaviest: Vec<f32> = Vec::new();
    for run in seen.chunk_by(|a, b| stretch(a.argument) == stretch(b.argument)) {
        let top = run.iter().copied().reduce(|a, b| if b.weight > a.weight { b } else { a });
        let Some(top) = top else { continue };
        let here = stretch(top.argument).0;
        if let Some(&(before, weight)) = points.last() {
            let from = stretch(before).0;
            // Stretches that no sampled input reaches, if they are few: weights as their neighbours have them.
            for empty in (from + 1..here).filter(|_| here - from <= GAP) {
                let t = 0.5 * (edges[empty - 1] + edges[empty]);
                let share = (empty - from) as f64 / (here - from) as f64;
                points.push((t, weight + share * (top.weight - weight)));
            }
        }
        points.push((top.argument, top.weight));
        heaviest.push(top.input);
    }
    // The ends, with the weights of their stretches.
    if let Some(&(start, w)) = points.first()
        && start > interval.0
    {
        points.insert(0, (interval.0, w));
    }
    if let Some(&(end, w)) = points.last()
        && end < interval.1
    {
        points.push((interval.1, w));
    }
    heaviest.extend([first.input, last.input]);
    heaviest.sort_by(f32::total_cmp);
    heaviest.dedup();
    Site { interval, nodes: nodes(reference, &points), inputs: heaviest, resolution: 0.0 }
}

/// Edges of the stretches of an interval.
fn edges(interval: (f64, f64)) -> Vec<f64> {
    // A single argument, or an interval longer than the doubles reach, is one stretch.
    Nodes::dense(interval, STRETCHES + 1, &|_| Dd::ONE, Metric::Absolute)
        .map_or_else(|_| vec![interval.0], |mut nodes| nodes.x.swap_remove(0))
}

/// Tells arguments near zero apart: sign, binade and half of the binade, where they are small against the largest.
fn binade(t: f64, largest: f64) -> i64 {
    let code = |x: f64| (x.to_bits() >> 51) as i64;
    let (near, zero) = (code(largest) - 2 * i64::from(DEEP), code(largest) - 2 * i64::from(DEEPEST));
    let size = code(t.abs()).max(zero);
    match size >= near {
        true => 0,
        false if t < 0.0 => zero - size - 1,
        false => size - zero + 1,
    }
}

/// Nodes with exact values; where the core has no finite value nothing can be asked of it.
fn nodes(reference: &Reference, points: &[(f64, f64)]) -> Nodes {
    let mut nodes = Nodes { x: vec![Vec::new()], ..Nodes::default() };
    for &(t, weight) in points {
        let (hi, lo) = if reference.vars().is_empty() { reference.value_dd(&[]) } else { reference.value_dd(&[t]) };
        if hi.is_finite() {
            nodes.x[0].push(t);
            nodes.target.push(hi);
            nodes.target_lo.push(lo);
            nodes.weight.push(weight);
        }
    }
    nodes
}
