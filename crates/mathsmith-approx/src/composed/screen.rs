//! The screen: a program's computed error on some ten thousand inputs, special values included.
//!
//! A sweep over 2^32 inputs takes seconds, a candidate's constants are tried in microseconds. The screen holds inputs with
//! their exact values and answers two questions about a program: its largest error on them, and how many *demands* it
//! breaks: a NaN, an infinity or the sign of a zero in the wrong place, or a point that has to be met exactly. A demand is
//! no error that could be traded against others, so the two are counted apart.
//!
//! Every figure is an absolute error times a weight: one over the ulp, the magnitude, or the tolerance at that point. The
//! loop is `mathsmith_verify::points::weigh`, so the arithmetic is that of the other judges.
//!
//! Most candidates are refused. [`Screen::trial`] looks first at the points that refused recent candidates, as the oldest
//! exchange algorithms do, and stops at the first block that a limit does not allow.

use super::Judged;
use super::screen_points;
pub(crate) use super::screen_points::{Value, values};
use crate::float::objective::Figure;
use mathsmith_ir::{ColumnMut, ColumnRef, Engine, EngineError, Literal, Program};
use mathsmith_oracle::{FloatFormat, Reference};
use mathsmith_verify::points::weigh;
use mathsmith_verify::{FloatDomain, SampleDomain, Tolerance};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Points of one run of an engine: results and exact values stay in the first-level cache.
const RUN: usize = 1024;
/// Share of the unit that the least normal number counts where it may be flushed.
const FLUSHED: f64 = 1e-9;
/// Points looked at before all others.
const PROBES: usize = 64;

/// What errors are measured in.
#[derive(Clone, Debug)]
pub enum Unit {
    /// Units in the last place of the exact value, in the format of the judgement.
    Ulp,
    /// The exact value.
    Rel,
    /// One.
    Abs,
    /// A tolerance: an expression of x and of the exact value.
    Within(Arc<Tolerance>),
}

impl From<Figure> for Unit {
    fn from(figure: Figure) -> Unit {
        match figure {
            Figure::Ulp => Unit::Ulp,
            Figure::Rel => Unit::Rel,
            Figure::Abs => Unit::Abs,
        }
    }
}

/// A point that has to be met exactly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exact {
    /// The input.
    pub at: f32,
    /// The result, as a number of the format of the judgement; of a zero the sign is free.
    pub value: f32,
}

/// How a screen is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScreenLayout {
    /// About how many inputs, special values not counted.
    pub points: u32,
    /// Seed of the inputs' places within their stretches.
    pub seed: u64,
}

impl Default for ScreenLayout {
    fn default() -> Self {
        ScreenLayout { points: 12_000, seed: 0 }
    }
}

/// What is asked of a program besides the function.
#[derive(Clone, Debug)]
pub struct Standard {
    /// The error figure.
    pub unit: Unit,
    /// Format in which results are judged: `f32`, `bf16` or `f16`; results are rounded to it first.
    pub judged_at: FloatFormat,
    /// Points that have to be met exactly.
    pub exact: Vec<Exact>,
    /// Special inputs whose results count; `None` for those of the domain.
    pub specials: Option<Vec<f32>>,
    /// Whether results below the least normal number of the format may be zero.
    pub flush: bool,
}

impl Standard {
    /// A figure at `f32`, without demands.
    pub fn new(unit: impl Into<Unit>) -> Standard {
        Standard { unit: unit.into(), judged_at: FloatFormat::F32, exact: Vec::new(), specials: None, flush: false }
    }
}

/// Inputs with finite exact values. Of functions of one variable the second ones are 0.
#[derive(Clone, Debug, Default)]
struct Points {
    x: Vec<f32>,
    second: Vec<f32>,
    y: Vec<f64>,
    weight: Vec<f64>,
}

impl Points {
    fn push(&mut self, point: ([f32; 2], f64, f64)) {
        self.x.push(point.0[0]);
        self.second.push(point.0[1]);
        self.y.push(point.1);
        self.weight.push(point.2);
    }

    fn get(&self, i: usize) -> ([f32; 2], f64, f64) {
        ([self.x[i], self.second[i]], self.y[i], self.weight[i])
    }

    /// Columns of inputs.
    fn inputs(&self, from: usize, to: usize) -> [&[f32]; 2] {
        [&self.x[from..to], &self.second[from..to]]
    }

    fn chosen(&self, indices: &[u32]) -> Points {
        let mut out = Points::default();
        for &i in indices {
            out.push(self.get(i as usize));
        }
        out
    }
}

/// Inputs whose results are settled bit for bit, NaN being one class.
#[derive(Clone, Debug, Default)]
struct Settled {
    x: Vec<f32>,
    second: Vec<f32>,
    /// The result; where `figure` is set, the infinity that a finite result may stand in for at an error.
    want: Vec<f32>,
    /// Exact value and weight where it is finite but beyond the format.
    figure: Vec<Option<(f64, f64)>>,
}

impl Settled {
    fn push(&mut self, x: [f32; 2], want: f32, figure: Option<(f64, f64)>) {
        self.x.push(x[0]);
        self.second.push(x[1]);
        self.want.push(want);
        self.figure.push(figure);
    }

    fn only(&self, i: usize) -> Settled {
        Settled {
            x: vec![self.x[i]],
            second: vec![self.second[i]],
            want: vec![self.want[i]],
            figure: vec![self.figure[i]],
        }
    }
}

/// Order of candidates: fewer broken demands, then the smaller largest error, then the smaller sum of high powers.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Score {
    /// Broken demands.
    pub broken: u32,
    /// Largest error.
    pub error: f64,
    /// Sum of the 32nd powers of the errors in units of the scratch: what breaks ties.
    pub power: f64,
}

impl Score {
    /// Above every score.
    pub const WORST: Score = Score { broken: u32::MAX, error: f64::INFINITY, power: f64::INFINITY };
}

/// Working memory of one search, with the points that refused recent candidates.
#[derive(Clone, Debug)]
pub struct Scratch {
    out: Vec<f32>,
    probes: Points,
    oldest: usize,
    /// Error that counts 1 in [`Score::power`].
    unit: f64,
    /// Candidates judged with this memory, refused ones included.
    pub evaluations: u64,
}

impl Scratch {
    /// Fresh memory; `unit` is the error that counts 1 in [`Score::power`], about the one that is aimed at.
    pub fn new(unit: f64) -> Scratch {
        let unit = if unit.is_finite() && unit > 0.0 { unit } else { 1.0 };
        Scratch { out: vec![0.0; RUN], probes: Points::default(), oldest: 0, unit, evaluations: 0 }
    }

    fn remember(&mut self, point: ([f32; 2], f64, f64)) {
        if self.probes.x.len() < PROBES {
            self.probes.push(point);
        } else {
            let i = self.oldest;
            let (x, y, weight) = point;
            (self.probes.x[i], self.probes.second[i]) = (x[0], x[1]);
            (self.probes.y[i], self.probes.weight[i]) = (y, weight);
            self.oldest = (i + 1) % PROBES;
        }
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Scratch::new(1.0)
    }
}

/// Inputs and what the function is there.
#[derive(Clone, Debug)]
pub struct Screen {
    reference: Reference,
    domain: FloatDomain,
    /// The inputs of a function of two variables.
    pairs: Option<SampleDomain>,
    standard: Standard,
    points: Points,
    settled: Settled,
}

impl Screen {
    /// The screen of a function on a domain.
    ///
    /// # Panics
    /// If the function does not have exactly one variable.
    pub fn new(reference: &Reference, domain: &FloatDomain, standard: Standard, layout: ScreenLayout) -> Screen {
        assert_eq!(reference.vars().len(), 1, "a screen is for a function of one variable");
        let inputs = screen_points::inputs(reference, domain, standard.judged_at, layout);
        let mut screen = Screen {
            reference: reference.clone(),
            domain: *domain,
            pairs: None,
            standard,
            points: Points::default(),
            settled: Settled::default(),
        };
        let specials = screen.standard.specials.clone().unwrap_or_else(|| domain.specials());
        let exact: Vec<f32> = screen.standard.exact.iter().map(|e| e.at).collect();
        screen.add(&[specials, exact, inputs].concat());
        screen
    }

    /// The screen of a function of two variables: the given inputs, and no others. What has to be met exactly is not asked
    /// of pairs, and a tolerance neither.
    ///
    /// # Panics
    /// If the function does not have exactly two variables.
    pub fn of_pairs(reference: &Reference, pairs: &SampleDomain, standard: Standard, inputs: &[[f32; 2]]) -> Screen {
        assert_eq!(reference.vars().len(), 2, "a screen of pairs is for a function of two variables");
        let mut screen = Screen {
            reference: reference.clone(),
            domain: FloatDomain::whole(),
            pairs: Some(pairs.clone()),
            standard,
            points: Points::default(),
            settled: Settled::default(),
        };
        screen.insert_pairs(inputs);
        screen
    }

    /// Adds pairs; those already there are left out. Returns how many were new.
    pub fn insert_pairs(&mut self, inputs: &[[f32; 2]]) -> usize {
        let bits = |x: [f32; 2]| x.map(f32::to_bits);
        let (p, s) = (&self.points, &self.settled);
        let there = p.x.iter().zip(&p.second).chain(s.x.iter().zip(&s.second));
        let mut known: BTreeSet<[u32; 2]> = there.map(|(&x, &y)| bits([x, y])).collect();
        let new: Vec<[f32; 2]> = inputs.iter().copied().filter(|&x| known.insert(bits(x))).collect();
        let columns = [0, 1].map(|a| new.iter().map(|x| x[a]).collect::<Vec<f32>>());
        let values = values(&self.reference, self.standard.judged_at, &[&columns[0], &columns[1]]);
        for (&x, value) in new.iter().zip(&values) {
            let weight = self.weight(value.y, None);
            if value.rounded.is_finite() {
                self.points.push((x, value.y, weight));
            } else {
                let figure = value.y.is_finite().then_some((value.y, weight));
                self.settled.push(x, value.rounded as f32, figure);
            }
        }
        new.len()
    }

    /// How many variables the function has.
    fn arity(&self) -> usize {
        if self.pairs.is_some() { 2 } else { 1 }
    }

    /// Adds inputs; those already there or outside the domain are left out. Returns how many were new.
    pub fn insert(&mut self, inputs: &[f32]) -> usize {
        let inside: Vec<f32> = inputs.iter().copied().filter(|&x| self.domain.contains(x)).collect();
        self.add(&inside)
    }

    fn add(&mut self, inputs: &[f32]) -> usize {
        let mut known: Vec<u32> = self.points.x.iter().chain(&self.settled.x).map(|x| x.to_bits()).collect();
        known.sort_unstable();
        let mut new: Vec<f32> = inputs.iter().copied().filter(|x| known.binary_search(&x.to_bits()).is_err()).collect();
        new.sort_by(f32::total_cmp);
        new.dedup_by_key(|x| x.to_bits());
        let values = values(&self.reference, self.standard.judged_at, &[&new]);
        let tolerances = match &self.standard.unit {
            Unit::Within(t) => screen_points::plain_values(t.value(), &new),
            _ => Vec::new(),
        };
        for (i, (&x, value)) in new.iter().zip(&values).enumerate() {
            let exact = self.standard.exact.iter().find(|e| e.at == x);
            let weight = self.weight(value.y, tolerances.get(i).copied());
            if let Some(e) = exact {
                self.settled.push([x, 0.0], e.value, None);
            }
            // What is demanded may be another value than the function's; only where it is not, the function is asked too.
            if exact.is_none_or(|e| f64::from(e.value) == value.rounded) {
                if value.rounded.is_finite() {
                    self.points.push(([x, 0.0], value.y, weight));
                } else {
                    let figure = value.y.is_finite().then_some((value.y, weight));
                    self.settled.push([x, 0.0], value.rounded as f32, figure);
                }
            }
        }
        new.len()
    }

    /// One over what the unit is at a point. A large finite number stands for one over zero: zero times it stays zero.
    fn weight(&self, y: f64, tolerance: Option<f64>) -> f64 {
        let least = self.standard.judged_at.min_normal();
        if self.standard.flush && y != 0.0 && y.abs() < least {
            // A zero is no error here, nor is any other result so small; only a sweep tells these apart.
            return FLUSHED / least;
        }
        let over = |d: f64| if d > 0.0 { (1.0 / d).min(f64::MAX) } else { f64::MAX };
        match &self.standard.unit {
            Unit::Ulp => inverse_ulp(self.standard.judged_at, y),
            Unit::Rel => over(y.abs()),
            Unit::Abs => 1.0,
            Unit::Within(_) => over(tolerance.unwrap_or(0.0)),
        }
    }

    /// Number of inputs.
    pub fn len(&self) -> usize {
        self.points.x.len() + self.settled.x.len()
    }

    /// Whether there are no inputs.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The inputs with finite results, in the order of [`Screen::errors`].
    pub fn inputs(&self) -> &[f32] {
        &self.points.x
    }

    /// The columns of inputs with finite results: one a variable.
    pub(super) fn columns(&self) -> Vec<&[f32]> {
        let Points { x, second, .. } = &self.points;
        [&x[..], &second[..]][..self.arity()].to_vec()
    }

    /// The exact values at [`Screen::inputs`].
    pub fn values(&self) -> &[f64] {
        &self.points.y
    }

    /// What errors at [`Screen::inputs`] are multiplied by.
    pub fn weights(&self) -> &[f64] {
        &self.points.weight
    }

    /// The domain.
    pub fn domain(&self) -> &FloatDomain {
        &self.domain
    }

    /// The function.
    pub fn reference(&self) -> &Reference {
        &self.reference
    }

    /// What is asked besides the function.
    pub fn standard(&self) -> &Standard {
        &self.standard
    }

    /// Judges a program on all inputs.
    ///
    /// # Errors
    /// What the engine says.
    pub fn judge(
        &self,
        engine: &mut dyn Engine,
        params: &[Literal],
        scratch: &mut Scratch,
    ) -> Result<Judged, EngineError> {
        scratch.evaluations += 1;
        let (mut broken, mut error, mut worst) = self.settle(engine, params, scratch)?;
        let format = self.standard.judged_at;
        let mut hot = None;
        for from in (0..self.points.x.len()).step_by(RUN) {
            let to = (from + RUN).min(self.points.x.len());
            let (y, weight) = (&self.points.y[from..to], &self.points.weight[from..to]);
            let out = run(engine, params, self.arity(), self.points.inputs(from, to), &mut scratch.out)?;
            let w = weigh(format, out, y, weight, scratch.unit);
            broken += w.wrong;
            if w.max > error {
                error = w.max;
                hot = Some(hottest(format, out, y, weight, w.max).map_or(from, |i| from + i));
            }
        }
        if let Some(i) = hot {
            worst = self.points.x[i];
        }
        Ok(Judged { error, broken, worst })
    }

    /// The score of a program with these parameters if it is below `limit`; `None` otherwise, as soon as that is known.
    ///
    /// # Errors
    /// What the engine says.
    pub fn trial(
        &self,
        engine: &mut dyn Engine,
        params: &[Literal],
        limit: Score,
        scratch: &mut Scratch,
    ) -> Result<Option<Score>, EngineError> {
        scratch.evaluations += 1;
        let format = self.standard.judged_at;
        if !scratch.probes.x.is_empty() && limit.broken == 0 {
            let Points { x, second, y, weight } = &scratch.probes;
            let out = run(engine, params, self.arity(), [x, second], &mut scratch.out)?;
            let w = weigh(format, out, y, weight, scratch.unit);
            if w.wrong > 0 || w.max > limit.error {
                return Ok(None);
            }
        }
        let mut score = Score { broken: 0, error: 0.0, power: 0.0 };
        for from in (0..self.points.x.len()).step_by(RUN) {
            let to = (from + RUN).min(self.points.x.len());
            let (y, weight) = (&self.points.y[from..to], &self.points.weight[from..to]);
            let out = run(engine, params, self.arity(), self.points.inputs(from, to), &mut scratch.out)?;
            let w = weigh(format, out, y, weight, scratch.unit);
            score.broken += w.wrong;
            score.error = score.error.max(w.max);
            score.power += w.power;
            if score.broken > limit.broken || (limit.broken == 0 && w.max > limit.error) {
                if let Some(i) = hottest(format, out, y, weight, w.max) {
                    scratch.remember(self.points.get(from + i));
                }
                return Ok(None);
            }
        }
        let (broken, error, _) = self.settle(engine, params, scratch)?;
        score.broken += broken;
        score.error = score.error.max(error);
        Ok((score < limit).then_some(score))
    }

    /// Broken demands and largest error, with its input, at the inputs whose results are settled.
    fn settle(
        &self,
        engine: &mut dyn Engine,
        params: &[Literal],
        scratch: &mut Scratch,
    ) -> Result<(u32, f64, f32), EngineError> {
        let format = self.standard.judged_at;
        let (mut broken, mut error) = (0, 0.0);
        let mut worst = self.points.x.first().or(self.settled.x.first()).copied().unwrap_or(0.0);
        for from in (0..self.settled.x.len()).step_by(RUN) {
            let to = (from + RUN).min(self.settled.x.len());
            let inputs = [&self.settled.x[from..to], &self.settled.second[from..to]];
            let out = run(engine, params, self.arity(), inputs, &mut scratch.out)?;
            for (i, &c) in (from..to).zip(out.iter()) {
                let c = format.nearest_f64(f64::from(c));
                let want = f64::from(self.settled.want[i]);
                match self.settled.figure[i] {
                    _ if c == want || (c.is_nan() && want.is_nan()) => {}
                    Some((y, weight)) if c.is_finite() => {
                        let e = (c - y).abs() * weight;
                        if e > error {
                            (error, worst) = (e, self.settled.x[i]);
                        }
                    }
                    _ => broken += 1,
                }
            }
        }
        Ok((broken, error, worst))
    }

    /// The error of a program at each of [`Screen::inputs`]; infinite for a wrong class.
    ///
    /// # Errors
    /// What the engine says.
    pub fn errors(&self, engine: &mut dyn Engine, params: &[Literal]) -> Result<Vec<f64>, EngineError> {
        let mut out = vec![0.0; self.points.x.len()];
        let columns: Vec<ColumnRef<'_>> = self.columns().into_iter().map(ColumnRef::F32).collect();
        engine.run(params, &columns, &mut [ColumnMut::F32(&mut out)])?;
        let Points { y, weight, .. } = &self.points;
        let one = |(i, &c): (usize, &f32)| error_of(self.standard.judged_at, c, y[i], weight[i]);
        Ok(out.iter().enumerate().map(one).collect())
    }

    /// The inputs at which a program breaks a demand, at most [`RUN`] of them; empty where it cannot be run.
    pub fn broken_inputs(&self, program: &Program) -> Vec<f32> {
        let params: Option<Vec<Literal>> = program.params().iter().map(|p| p.value).collect();
        let (Some(params), Ok((mut engine, _))) = (params, mathsmith_jit::engine_for(program)) else {
            return Vec::new();
        };
        let errors = self.errors(&mut *engine, &params).unwrap_or_default();
        let wrong = errors.iter().zip(&self.points.x).filter(|(e, _)| e.is_infinite()).map(|(_, &x)| x);
        let mut out: Vec<f32> = wrong.collect();
        for i in 0..self.settled.x.len() {
            let one = Screen { settled: self.settled.only(i), points: Points::default(), ..self.clone() };
            let judged = one.judge(&mut *engine, &params, &mut Scratch::default());
            if judged.is_ok_and(|j| j.broken > 0) {
                out.push(self.settled.x[i]);
            }
        }
        out
    }

    /// A screen of the same function and standard with other inputs; those outside the domain are left out.
    pub(super) fn of(&self, inputs: &[f32]) -> Screen {
        let mut other = self.with_points(&[]);
        other.settled = Settled::default();
        other.insert(inputs);
        other
    }

    /// The same inputs with those first on which errors are largest, so that [`Screen::trial`] refuses sooner. `errors`
    /// are those of [`Screen::errors`].
    ///
    /// # Panics
    /// If there is not one error for each input.
    pub fn hottest_first(&self, errors: &[f64]) -> Screen {
        assert_eq!(errors.len(), self.points.x.len(), "one error for each input");
        let mut order: Vec<u32> = (0..errors.len() as u32).collect();
        order.sort_by(|&a, &b| errors[b as usize].total_cmp(&errors[a as usize]).then(a.cmp(&b)));
        self.with_points(&order)
    }

    /// A smaller screen for a first look: all settled results, and `count` inputs at equal places of the order that they
    /// have, the first half of them from the beginning.
    pub fn thinned(&self, count: usize) -> Screen {
        let n = self.points.x.len();
        let first = (count / 2).min(n);
        let every = (n - first).div_ceil((count - count / 2).max(1)).max(1);
        let rest = (first..n).step_by(every);
        self.with_points(&(0..first).chain(rest).map(|i| i as u32).collect::<Vec<u32>>())
    }

    fn with_points(&self, order: &[u32]) -> Screen {
        Screen {
            reference: self.reference.clone(),
            domain: self.domain,
            pairs: self.pairs.clone(),
            standard: self.standard.clone(),
            points: self.points.chosen(order),
            settled: self.settled.clone(),
        }
    }
}

/// Judges a program with the values of its parameters; `None` if one has none or no engine runs it.
pub fn judge_program(screen: &Screen, program: &Program) -> Option<Judged> {
    let params = program.params().iter().map(|p| p.value).collect::<Option<Vec<Literal>>>()?;
    let mut engine = mathsmith_jit::engine_for(program).ok()?.0;
    screen.judge(&mut *engine, &params, &mut Scratch::default()).ok()
}

fn run<'a>(
    engine: &mut dyn Engine,
    params: &[Literal],
    arity: usize,
    x: [&[f32]; 2],
    out: &'a mut [f32],
) -> Result<&'a [f32], EngineError> {
    let out = &mut out[..x[0].len()];
    engine.run(params, &x.map(ColumnRef::F32)[..arity], &mut [ColumnMut::F32(out)])?;
    Ok(out)
}

/// The error of one result, as [`weigh`] has it; infinite for a wrong class.
fn error_of(format: FloatFormat, c: f32, y: f64, weight: f64) -> f64 {
    let c = if format == FloatFormat::F32 { f64::from(c) } else { format.nearest_f64(f64::from(c)) };
    let wrong = !c.is_finite() || (c == 0.0 && c.is_sign_negative() != y.is_sign_negative());
    if wrong { f64::INFINITY } else { (c - y).abs() * weight }
}

/// The first point of a wrong class or, if there is none, with the error `max`.
fn hottest(format: FloatFormat, c: &[f32], y: &[f64], weight: &[f64], max: f64) -> Option<usize> {
    let mut at = None;
    for i in 0..c.len() {
        let e = error_of(format, c[i], y[i], weight[i]);
        if e == f64::INFINITY {
            return Some(i);
        }
        if at.is_none() && e == max {
            at = Some(i);
        }
    }
    at
}

/// `1 / ulp(y)`; above the range the ulp is that of the greatest numbers.
fn inverse_ulp(format: FloatFormat, y: f64) -> f64 {
    let exponent = ((y.to_bits() >> 52) & 0x7ff) as i32 - 1023;
    let exponent = exponent.clamp(format.min_exponent, format.max_exponent);
    let power = format.precision as i32 - 1 - exponent;
    f64::from_bits(((power + 1023) as u64) << 52)
}

#[cfg(test)]
#[path = "screen_tests.rs"]
mod tests;
