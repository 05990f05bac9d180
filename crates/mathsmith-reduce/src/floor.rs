//! The error that a frame has by itself: the frame evaluated with cores that are exact up to rounding.
//!
//! A core's value is that of its function at the argument that the frame computes, correctly rounded to the type of the
//! hole; at an argument that is not finite it is NaN, as no core is fitted there. A *part* is different: it may be reduced
//! further, and then has a value at infinity. What is left of the error then is the
//! frame's: no core can make it smaller. It is `sampled`, and a lower bound.

use crate::plan::{Core, Plan};
use mathsmith_dsl::Expr;
use mathsmith_ir::sample::SplitMix;
use mathsmith_ir::{Column, Engine, Interpreter, Literal, Program, Type};
use mathsmith_oracle::{FloatFormat, OracleError, Reference, Scratch};
use rug::Float;
use std::collections::HashMap;

/// Beyond this distance, relative to values and to 1, a result is another value and not one with an error of rounding.
pub(crate) const ASTRAY: f64 = 1.0 / 128.0;
/// Bits of exact values: 2^-20 ulp of the single format, and the same for every expression of a function.
const EXACT_BITS: u32 = 44;

/// An input at which a result is of another kind than the correctly rounded one: NaN, infinite, or a zero of other sign.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wrong {
    /// The input.
    pub input: f64,
    /// The correctly rounded result.
    pub wanted: f64,
    /// The frame's result.
    pub got: f64,
}

/// What a frame does with exact cores.
#[derive(Clone, Debug, PartialEq)]
pub struct Floor {
    /// Inputs that were looked at.
    pub inputs: usize,
    /// Largest error among finite results, in ulp of the format of x.
    pub worst: f64,
    /// The input of the largest error.
    pub at: f64,
    /// Results of the wrong kind, in the order of the inputs.
    pub wrong: Vec<Wrong>,
    /// The result that is farthest from its value, if any is beyond every error of rounding: by more than 2^-7 of the
    /// value, or of 1, or of the greatest value that there is, whatever of the last two is less.
    pub astray: Option<Wrong>,
    /// Least and greatest finite argument of each core, where the function has a value; `None` where there is none.
    pub ranges: Vec<Option<(f64, f64)>>,
}

/// A frame with exact cores, ready to be evaluated.
pub struct Exact {
    frame: Program,
    cores: Vec<ExactCore>,
    /// Values of cores so far; only looked up, so its order does not matter.
    known: Vec<HashMap<u64, f64>>,
}

struct ExactCore {
    reference: Reference,
    ty: Type,
    /// Whether it has values at infinities.
    part: bool,
}

fn format_of(ty: Type) -> FloatFormat {
    if ty == Type::F32 { FloatFormat::F32 } else { FloatFormat::F64 }
}

/// A column of floats of a type; the values must be in the type.
fn column(ty: Type, values: &[f64]) -> Column {
    match ty {
        Type::F32 => Column::F32(values.iter().map(|&v| v as f32).collect()),
        _ => Column::F64(values.to_vec()),
    }
}

fn doubles(column: Column) -> Vec<f64> {
    match column {
        Column::F32(values) => values.into_iter().map(f64::from).collect(),
        Column::F64(values) => values,
        _ => Vec::new(),
    }
}

impl Exact {
    /// Prepares the frame of a plan; `parts` says which cores may be reduced further, none of those that it does not list.
    ///
    /// # Errors
    /// [`OracleError`] where the function of a core cannot be evaluated.
    pub fn new(plan: &Plan, parts: &[bool]) -> Result<Exact, OracleError> {
        let core = |(i, core): (usize, &Core)| {
            let part = parts.get(i).copied().unwrap_or(false);
            Ok(ExactCore { reference: Reference::new(&core.target)?, ty: core.value, part })
        };
        let cores = plan.cores.iter().enumerate().map(core);
        let cores = cores.collect::<Result<Vec<_>, OracleError>>()?;
        Ok(Exact { frame: plan.frame.clone(), known: vec![HashMap::new(); cores.len()], cores })
    }

    /// The result of the frame at each input, and the arguments of the cores there, core by core.
    pub fn run(&mut self, inputs: &[f64]) -> (Vec<f64>, Vec<Vec<f64>>) {
        self.run_columns(&[inputs])
    }

    /// As [`Exact::run`] for a frame of as many variables as there are columns, all of one length.
    pub fn run_columns(&mut self, columns: &[&[f64]]) -> (Vec<f64>, Vec<Vec<f64>>) {
        let mut given: Vec<Vec<f64>> = columns.iter().map(|column| column.to_vec()).collect();
        given.resize(self.frame.inputs().len(), vec![0.0; columns[0].len()]);
        let mut arguments = Vec::new();
        for core in 0..self.cores.len() {
            let found = self.output(core + 1, &given);
            given[columns.len() + core] = self.core(core, &found);
            arguments.push(found);
        }
        (self.output(0, &given), arguments)
    }

    /// One output of the frame.
    fn output(&self, index: usize, given: &[Vec<f64>]) -> Vec<f64> {
        let mut program = self.frame.clone();
        program.set_outputs(vec![self.frame.outputs()[index]]);
        let zero = |ty: Type| Literal::zero(ty);
        let params: Vec<Literal> = program.params().iter().map(|p| p.value.unwrap_or(zero(p.ty))).collect();
        let columns: Vec<Column> =
            program.inputs().iter().zip(given).map(|(input, values)| column(input.ty, values)).collect();
        let refs: Vec<_> = columns.iter().map(Column::as_ref).collect();
        let mut out = Column::zeros(program.ty(program.outputs()[0]), given[0].len());
        let mut engine = Interpreter::new(&program).expect("frames hold no reals: the parser and the plans see to it");
        engine.run(&params, &refs, &mut [out.as_mut()]).expect("the columns have the types of the frame");
        doubles(out)
    }

    /// Correctly rounded values of a core.
    fn core(&mut self, core: usize, arguments: &[f64]) -> Vec<f64> {
        let ExactCore { reference, ty, part } = &self.cores[core];
        let known = &mut self.known[core];
        let mut fresh: Vec<f64> = Vec::new();
        for &t in arguments.iter().filter(|t| t.is_finite() || *part && t.is_infinite()) {
            known.entry(t.to_bits()).or_insert_with(|| {
                fresh.push(t);
                f64::NAN
            });
        }
        if *ty == Type::F32 {
            let mut values = vec![0.0f32; fresh.len()];
            reference.round_block_f32(&[&fresh], &mut values, &mut Scratch::default());
            known.extend(fresh.iter().zip(values).map(|(t, v)| (t.to_bits(), f64::from(v))));
        } else {
            known.extend(fresh.iter().map(|t| (t.to_bits(), reference.round_f64(&[*t]))));
        }
        arguments.iter().map(|t| known.get(&t.to_bits()).copied().unwrap_or(f64::NAN)).collect()
    }
}

/// Inputs of a domain for looking at a program: ends, special values, evenly and randomly by exponent, linearly where
/// most functions do most, next to simple numbers. Ascending, -0 before 0; where an end is infinite it is among them, and
/// NaN is the last: the domain is the whole format. About three times `density` of them, the same for the same domain.
pub fn inputs(ty: Type, domain: (f64, f64), density: u32) -> Vec<f64> {
    let format = format_of(ty);
    let (lo, hi) = domain;
    let mut out = vec![lo, hi, -0.0, 0.0, format.max(), -format.max()];
    out.extend([format.min_positive(), format.min_normal()].iter().flat_map(|&x| [x, -x]));
    let inside = |x: f64| x.clamp(-format.max(), format.max());
    let (first, last) = (format.key(format.nearest_f64(inside(lo))), format.key(format.nearest_f64(inside(hi))));
    let span = (last - first) as f64;
    let mut random = SplitMix::new(3);
    for i in 0..=density {
        let even = first + (span * (f64::from(i) / f64::from(density))) as i64;
        let any = first + (span * ((random.bits() >> 11) as f64 / 9_007_199_254_740_992.0)) as i64;
        out.extend([format.from_key(even), format.from_key(any)]);
    }
    for bound in [2.0, 128.0, f64::INFINITY] {
        let (a, b) = (inside(lo).max(-bound), inside(hi).min(bound));
        if a < b {
            let count = density / 3;
            out.extend((0..=count).map(|i| a + (b - a) * (f64::from(i) / f64::from(count))));
        }
    }
    let simple = (0..=16).map(|i| f64::from(i) * 0.5).chain((0..=140).map(|e| f64::from_bits((1023 - 100 + e) << 52)));
    for x in simple {
        let key = format.key(format.nearest_f64(x));
        out.extend([key - 1, key, key + 1].iter().flat_map(|&key| [format.from_key(key), -format.from_key(key)]));
    }
    for x in &mut out {
        *x = format.nearest_f64(*x);
    }
    out.retain(|&x| x >= lo && x <= hi);
    out.sort_by(f64::total_cmp);
    out.dedup_by_key(|x| x.to_bits());
    if lo.is_infinite() || hi.is_infinite() {
        out.push(f64::NAN);
    }
    out
}

/// The frame's own error and what it gets wrong, on some inputs of a domain ([`inputs`] with `density`). `parts` as in
/// [`Exact::new`].
///
/// # Errors
/// [`OracleError`] where the function or that of a core cannot be evaluated.
pub fn measure(
    plan: &Plan,
    parts: &[bool],
    function: &Expr,
    domain: (f64, f64),
    density: u32,
) -> Result<Floor, OracleError> {
    let ty = plan.frame.inputs()[0].ty;
    let truth = Truth::new(function, ty, inputs(ty, domain, density))?;
    let mut exact = Exact::new(plan, parts)?;
    Ok(truth.judge(&mut exact))
}

/// Inputs with the values of a function there, for frames of this function.
pub struct Truth {
    format: FloatFormat,
    inputs: Vec<f64>,
    /// Correctly rounded values.
    wanted: Vec<f64>,
    /// Values to [`EXACT_BITS`] bits, where the format is f32.
    exact: Vec<f64>,
    reference: Reference,
}

impl Truth {
    /// The values of `function` at `inputs`, which are numbers of the type `ty`.
    ///
    /// # Errors
    /// [`OracleError`] where the function cannot be evaluated.
    pub fn new(function: &Expr, ty: Type, inputs: Vec<f64>) -> Result<Truth, OracleError> {
        let (format, reference) = (format_of(ty), Reference::new(function)?);
        let mut exact = vec![0.0; inputs.len()];
        if ty == Type::F32 {
            reference.round_block_bits(&[&inputs], EXACT_BITS, &mut exact, &mut Scratch::default());
        }
        let mut wanted = Vec::with_capacity(inputs.len());
        if ty == Type::F32 {
            let mut rounded = vec![0.0f32; inputs.len()];
            reference.round_block_f32(&[&inputs], &mut rounded, &mut Scratch::default());
            wanted.extend(rounded.into_iter().map(f64::from));
        } else {
            wanted.extend(inputs.iter().map(|&x| reference.round_f64(&[x])));
        }
        Ok(Truth { format, inputs, wanted, exact, reference })
    }

    /// The correctly rounded values.
    pub fn values(&self) -> &[f64] {
        &self.wanted
    }

    /// The inputs.
    pub fn inputs(&self) -> &[f64] {
        &self.inputs
    }

    /// Runs a frame with exact cores on the inputs.
    pub fn judge(&self, frame: &mut Exact) -> Floor {
        let (results, arguments) = frame.run(&self.inputs);
        let ranges = arguments.iter().map(|ts| range(self.defined(ts), f64::is_finite)).collect();
        let (inputs, at) = (self.inputs.len(), self.inputs[0]);
        let mut floor = Floor { inputs, worst: 0.0, at, wrong: vec![], astray: None, ranges };
        let finite = self.wanted.iter().filter(|y| y.is_finite());
        let least = finite.fold(0.0f64, |most, y| most.max(y.abs())).min(1.0);
        let mut farthest = ASTRAY;
        for (i, (&input, &got)) in self.inputs.iter().zip(&results).enumerate() {
            let wanted = self.wanted[i];
            let zeros = wanted == 0.0 && got == 0.0;
            let finite = wanted.is_finite() && got.is_finite();
            if (zeros || !finite) && kind(wanted) != kind(got) {
                floor.wrong.push(Wrong { input, wanted, got });
            }
            if finite {
                let error = self.error(i, got);
                if error > floor.worst {
                    (floor.worst, floor.at) = (error, input);
                }
                let distance = (got - wanted).abs() / wanted.abs().max(least);
                if distance > farthest {
                    (farthest, floor.astray) = (distance, Some(Wrong { input, wanted, got }));
                }
            }
        }
        floor
    }

    /// Those of some values, one for each input, where the function has a value: elsewhere what a core does is of no
    /// matter.
    fn defined<'a>(&'a self, values: &'a [f64]) -> impl Iterator<Item = f64> + 'a {
        values.iter().zip(&self.wanted).filter(|(_, wanted)| !wanted.is_nan()).map(|(value, _)| *value)
    }

    /// Error of a finite result in ulp.
    fn error(&self, i: usize, got: f64) -> f64 {
        let value = |y: &Float| {
            let error = Float::with_val(80, y - got).abs() >> self.format.ulp_exponent(y);
            error.to_f64()
        };
        match self.format {
            // The difference of two doubles that are near each other is exact, of others good enough.
            FloatFormat::F32 => value(&Float::with_val(53, self.exact[i])),
            _ => value(&self.reference.value(&[self.inputs[i]], 80)),
        }
    }
}

/// What must be right however large an error may be: NaN, infinity with its sign, zero with its sign.
pub(crate) fn kind(x: f64) -> (bool, bool, bool) {
    (x.is_nan(), x.is_infinite(), (x.is_infinite() || x == 0.0) && x.is_sign_negative())
}

/// Least and greatest of those values that count.
fn range(values: impl Iterator<Item = f64>, counts: impl Fn(f64) -> bool) -> Option<(f64, f64)> {
    values
        .filter(|&t| counts(t))
        .fold(None, |range: Option<(f64, f64)>, t| Some(range.map_or((t, t), |(lo, hi)| (lo.min(t), hi.max(t)))))
}

/// The domains of cores, where the function has a value: least and greatest arguments, with infinities for parts, widened
/// by what is found between the neighbours of the extremal inputs. An argument that jumps, such as what is left of x by a
/// multiple of a period, has its extremes between any inputs.
pub fn extents(frame: &mut Exact, truth: &Truth, rounds: u32) -> Vec<Option<(f64, f64)>> {
    let format = truth.format;
    let (_, arguments) = frame.run(&truth.inputs);
    let part = |core: usize| frame.cores[core].part;
    let counts = |core: usize, t: f64| t.is_finite() || part(core) && t.is_infinite();
    let mut found: Vec<_> =
        (0..arguments.len()).map(|core| range(truth.defined(&arguments[core]), |t| counts(core, t))).collect();
    let finite = |i: &usize| truth.inputs[*i].is_finite() && !truth.wanted[*i].is_nan();
    let finite: Vec<usize> = (0..truth.inputs.len()).filter(finite).collect();
    for core in 0..arguments.len() {
        for greatest in [false, true] {
            let mut xs: Vec<f64> = finite.iter().map(|&i| truth.inputs[i]).collect();
            let mut ts: Vec<f64> = finite.iter().map(|&i| arguments[core][i]).collect();
            for _ in 0..rounds {
                let key = |t: f64| if greatest { t } else { -t };
                let usable = (0..ts.len()).filter(|&i| ts[i].is_finite());
                let Some(best) = usable.max_by(|&a, &b| key(ts[a]).total_cmp(&key(ts[b]))) else { break };
                let first = format.key(xs[best.saturating_sub(1)]);
                let last = format.key(xs[(best + 1).min(xs.len() - 1)]);
                let steps = 48.min(last - first);
                if steps < 2 {
                    break;
                }
                let at = |i: i64| first + (i128::from(last - first) * i128::from(i) / i128::from(steps)) as i64;
                xs = (0..=steps).map(|i| format.from_key(at(i))).collect();
                ts = frame.run(&xs).1.swap_remove(core);
                if let Some((lo, hi)) = range(ts.iter().copied(), f64::is_finite) {
                    found[core] = Some(found[core].map_or((lo, hi), |(a, b)| (a.min(lo), b.max(hi))));
                }
            }
        }
    }
    found
}
