//! The judge of single results: every figure from one MPFR value, for any format and any number of arguments.
//!
//! The value is known with a relative error below 2^-160, so a figure is the nearest double to the exact one unless that
//! lies within 2^-100 of a tie. Where both ends of the value's interval round to one number, that is the correctly rounded
//! result; elsewhere the oracle raises its precision until it knows.

use crate::VerifyError;
use crate::inspect::{Inspection, Subject, Tolerance};
use crate::record::Wrong;
use crate::truth::PointError;
use mathsmith_ir::{ColumnMut, ColumnRef, Engine, EngineError, Literal};
use mathsmith_oracle::{FloatFormat, Reference};
use rug::Float;

/// Bits to which values are known.
pub(crate) const JUDGE_BITS: u32 = 160;

/// Arguments of a function; those beyond its arity are 0.
pub(crate) type Point = [f64; 2];

/// The exact value at a point and what it rounds to.
#[derive(Clone, Debug)]
pub(crate) struct Exact {
    /// To [`JUDGE_BITS`] bits; NaN where the function has no value.
    pub value: Float,
    /// Correctly rounded.
    pub rounded: f64,
    /// The tolerance there.
    pub tolerance: Option<Float>,
}

/// What there is to say about one result.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Verdict {
    /// The result as judged: where a zero was accepted, the correctly rounded one.
    pub c: f64,
    /// Exact figures; infinite for NaN, infinities and numbers in each other's place.
    pub error: PointError,
    /// `(computed - exact) / ulp(exact)`; NaN where the error is infinite.
    pub signed: f64,
    /// Whether the result is the correctly rounded one.
    pub right: bool,
    /// What is wrong with its class.
    pub class: Option<Wrong>,
    /// A zero accepted in place of a subnormal result.
    pub flushed: bool,
    /// Whether the exact value is normal in the format and does not overflow.
    pub normal: bool,
    /// Error divided by the tolerance.
    pub tolerated: Option<f64>,
}

/// Judges results of one reference at one format.
#[derive(Clone, Copy)]
pub(crate) struct Judge<'a> {
    pub reference: &'a Reference,
    pub format: FloatFormat,
    pub ftz: bool,
    pub tolerance: Option<&'a Tolerance>,
}

impl<'a> Judge<'a> {
    pub(crate) fn new(reference: &'a Reference, inspection: &Inspection<'a>) -> Judge<'a> {
        Judge { reference, format: inspection.judged_at, ftz: inspection.ftz, tolerance: inspection.tolerance }
    }

    /// Arguments as the reference takes them.
    pub(crate) fn args<'x>(&self, x: &'x Point) -> &'x [f64] {
        &x[..self.reference.vars().len()]
    }

    /// The exact value at a point.
    pub(crate) fn exact(&self, x: &Point) -> Exact {
        let value = self.reference.value(self.args(x), JUDGE_BITS);
        let rounded = self.round(x, &value);
        let tolerance = self.tolerance.map(|t| {
            let t = t.value();
            t.value(&x[..t.vars().len()], JUDGE_BITS)
        });
        Exact { value, rounded, tolerance }
    }

    /// The value at a point, correctly rounded: that of both ends of its interval, or else the oracle's.
    fn round(&self, x: &Point, value: &Float) -> f64 {
        if value.is_finite() && !value.is_zero() {
            let [lo, hi] = [Float::next_down, Float::next_up].map(|step| self.format.nearest(&beyond(value, step)));
            if lo.to_bits() == hi.to_bits() {
                return lo;
            }
        }
        self.reference.round_to(self.args(x), self.format)
    }

    /// Judges a result, which is a number of the format.
    pub(crate) fn verdict(&self, exact: &Exact, c: f64) -> Verdict {
        let (y, r) = (&exact.value, exact.rounded);
        let below = y.is_finite() && y.get_exp().is_none_or(|e| e <= self.format.min_exponent);
        let normal = r.is_finite() && !below;
        let flushed = self.ftz && c == 0.0 && r != 0.0 && below;
        let right = r == c || (r.is_nan() && c.is_nan()) || flushed;
        let class = if flushed { None } else { Wrong::of(c, r) };
        // What is accepted in place of the correctly rounded result has its error.
        let c = if flushed { r } else { c };
        let error = if right && !r.is_finite() {
            PointError::NONE
        } else if !y.is_finite() || !c.is_finite() {
            PointError::WRONG_CLASS
        } else {
            figures(self.format, y, c)
        };
        let signed = match (error.ulp.is_finite(), y.is_finite() && c.is_finite()) {
            (true, true) if Float::with_val(JUDGE_BITS, c) < *y => -error.ulp,
            (true, _) => error.ulp,
            _ => f64::NAN,
        };
        let tolerated = exact.tolerance.as_ref().map(|t| {
            if !r.is_finite() || !c.is_finite() {
                return if right { 0.0 } else { f64::INFINITY };
            }
            let d = Float::with_val(JUDGE_BITS + 64, y - c).abs();
            if d.is_zero() {
                return 0.0;
            }
            if t.is_nan() || *t <= 0 {
                return f64::INFINITY;
            }
            let beyond = d > *t;
            let ratio = Float::with_val(JUDGE_BITS, d / t).to_f64();
            // What lies beyond shall not be rounded to lie within.
            if beyond { ratio.max(1.0f64.next_up()) } else { ratio }
        });
        Verdict { c, error, signed, right, class, flushed, normal, tolerated }
    }
}

/// Two steps outwards: further than the relative error of a value.
fn beyond(value: &Float, step: impl Fn(&mut Float)) -> Float {
    let mut v = value.clone();
    step(&mut v);
    step(&mut v);
    v
}

/// Figures of a finite result against a finite value.
pub(crate) fn figures(format: FloatFormat, y: &Float, c: f64) -> PointError {
    let d = Float::with_val(JUDGE_BITS + 64, y - c).abs();
    let ulp = Float::with_val(JUDGE_BITS, &d << -format.ulp_exponent(y)).to_f64();
    let rel = match (d.is_zero(), y.is_zero()) {
        (true, _) => 0.0,
        (false, true) => f64::INFINITY,
        (false, false) => Float::with_val(JUDGE_BITS, &d / y).abs().to_f64(),
    };
    PointError { ulp, rel, abs: d.to_f64() }
}

/// Runs a subject over points: columns of its machine type in and out, values of every format as doubles.
pub(crate) struct Runner<'a> {
    name: &'a str,
    params: &'a [Literal],
    engine: Box<dyn Engine>,
    arity: usize,
    format: FloatFormat,
    judged_at: FloatFormat,
    wide_in: [Vec<f64>; 2],
    narrow_in: [Vec<f32>; 2],
    narrow_out: Vec<f32>,
}

impl<'a> Runner<'a> {
    /// Starts a subject on `arity` columns of `format`.
    pub(crate) fn start(
        subject: &'a Subject<'_>,
        format: FloatFormat,
        arity: usize,
        judged_at: FloatFormat,
    ) -> Result<Self, VerifyError> {
        let refused = |e: EngineError| VerifyError::NotStarted { subject: subject.name.clone(), what: e.to_string() };
        Ok(Runner {
            name: &subject.name,
            params: &subject.params,
            engine: (subject.start)().map_err(refused)?,
            arity,
            format,
            judged_at,
            wide_in: Default::default(),
            narrow_in: Default::default(),
            narrow_out: Vec::new(),
        })
    }

    /// Results at points as the subject returns them.
    pub(crate) fn raw(&mut self, points: &[Point], out: &mut Vec<f64>) -> Result<(), VerifyError> {
        out.clear();
        if points.is_empty() {
            return Ok(());
        }
        let arity = self.arity;
        let outcome = if self.format == FloatFormat::F64 {
            for (a, column) in self.wide_in[..arity].iter_mut().enumerate() {
                column.clear();
                column.extend(points.iter().map(|x| x[a]));
            }
            out.resize(points.len(), 0.0);
            let columns: Vec<ColumnRef<'_>> = self.wide_in[..arity].iter().map(|c| ColumnRef::F64(c)).collect();
            self.engine.run(self.params, &columns, &mut [ColumnMut::F64(out)])
        } else {
            for (a, column) in self.narrow_in[..arity].iter_mut().enumerate() {
                column.clear();
                column.extend(points.iter().map(|x| x[a] as f32));
            }
            self.narrow_out.resize(points.len(), 0.0);
            let columns: Vec<ColumnRef<'_>> = self.narrow_in[..arity].iter().map(|c| ColumnRef::F32(c)).collect();
            let outcome = self.engine.run(self.params, &columns, &mut [ColumnMut::F32(&mut self.narrow_out)]);
            out.extend(self.narrow_out.iter().map(|&y| f64::from(y)));
            outcome
        };
        let at = |i: usize| points[i][..arity].to_vec();
        outcome.map_err(|e| VerifyError::of_call(self.name, self.format, points.len(), at, e))
    }

    /// Results at points, rounded to the format in which they are judged.
    pub(crate) fn run(&mut self, points: &[Point], out: &mut Vec<f64>) -> Result<(), VerifyError> {
        self.raw(points, out)?;
        for y in out.iter_mut() {
            *y = self.judged_at.nearest_f64(*y);
        }
        Ok(())
    }
}
