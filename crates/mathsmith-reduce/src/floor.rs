//! The error that a frame has by itself: the frame evaluated with cores that are exact up to rounding.
//!
//! A core's value is that of its function at the argument that the frame computes, correctly rounded to the type of the
//! hole; at an argument that is not finite it is NaN, as no core is fitted there. What is left of the error then is the
//! frame's: no core can make it smaller. It is `sampled`, and a lower bound.

use crate::plan::Plan;
use mathsmith_dsl::Expr;
use mathsmith_ir::sample::SplitMix;
use mathsmith_ir::{Column, Engine, Interpreter, Literal, Program, Type};
use mathsmith_oracle::{FloatFormat, OracleError, Reference, Scratch};
use rug::Float;
use std::collections::HashMap;

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
    /// Least and greatest finite argument of each core; `None` where there is none.
    pub ranges: Vec<Option<(f64, f64)>>,
}

/// A frame with exact cores, ready to be evaluated.
pub struct Exact {
    frame: Program,
    cores: Vec<(Reference, Type)>,
    /// Values of cores so far; only looked up, so its order does not matter.
    known: Vec<HashMap<u64, f64>>,
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
    /// Prepares the frame of a plan.
    ///
    /// # Errors
    /// [`OracleError`] where the function of a core cannot be evaluated.
    pub fn new(plan: &Plan) -> Result<Exact, OracleError> {
        let cores = plan.cores.iter().map(|core| Ok((Reference::new(&core.target)?, core.value)));
        let cores = cores.collect::<Result<Vec<_>, OracleError>>()?;
        Ok(Exact { frame: plan.frame.clone(), known: vec![HashMap::new(); cores.len()], cores })
    }

    /// The result of the frame at each input, and the arguments of the cores there, core by core.
    pub fn run(&mut self, inputs: &[f64]) -> (Vec<f64>, Vec<Vec<f64>>) {
        let mut given = vec![inputs.to_vec()];
        given.resize(self.frame.inputs().len(), vec![0.0; inputs.len()]);
        let mut arguments = Vec::new();
        for core in 0..self.cores.len() {
            let found = self.output(core + 1, &given);
            given[core + 1] = self.core(core, &found);
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
        let (reference, ty) = &self.cores[core];
        let known = &mut self.known[core];
        let mut fresh: Vec<f64> = Vec::new();
        for &t in arguments.iter().filter(|t| t.is_finite()) {
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
/// most functions do most, next to simple numbers. Ascending, -0 before 0, NaN last; infinities where an end is one.
/// About three times `density` of them, the same for the same domain.
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
    out.push(f64::NAN);
    out
}

/// The frame's own error and what it gets wrong, on some inputs of a domain ([`inputs`] with `density`).
///
/// # Errors
/// [`OracleError`] where the function or that of a core cannot be evaluated.
pub fn measure(plan: &Plan, function: &Expr, domain: (f64, f64), density: u32) -> Result<Floor, OracleError> {
    let ty = plan.frame.inputs()[0].ty;
    let format = format_of(ty);
    let reference = Reference::new(function)?;
    let inputs = inputs(ty, domain, density);
    let (results, arguments) = Exact::new(plan)?.run(&inputs);
    let mut floor =
        Floor { inputs: inputs.len(), worst: 0.0, at: inputs[0], wrong: vec![], ranges: ranges(&arguments) };
    for (&input, &got) in inputs.iter().zip(&results) {
        let wanted = reference.round_to(&[input], format);
        let kinds = |x: f64| (x.is_nan(), x.is_infinite(), (x.is_infinite() || x == 0.0) && x.is_sign_negative());
        let zeros = wanted == 0.0 && got == 0.0;
        let finite = wanted.is_finite() && got.is_finite();
        if (zeros || !finite) && kinds(wanted) != kinds(got) {
            floor.wrong.push(Wrong { input, wanted, got });
        }
        if finite {
            let exact = reference.value(&[input], 80);
            let error = Float::with_val(80, &exact - got).abs() >> format.ulp_exponent(&exact);
            if error.to_f64() > floor.worst {
                (floor.worst, floor.at) = (error.to_f64(), input);
            }
        }
    }
    Ok(floor)
}

/// Least and greatest finite value of each column.
pub(crate) fn ranges(arguments: &[Vec<f64>]) -> Vec<Option<(f64, f64)>> {
    let range = |values: &Vec<f64>| {
        let finite = values.iter().copied().filter(|t| t.is_finite());
        finite.fold(None, |range: Option<(f64, f64)>, t| Some(range.map_or((t, t), |(lo, hi)| (lo.min(t), hi.max(t)))))
    };
    arguments.iter().map(range).collect()
}
