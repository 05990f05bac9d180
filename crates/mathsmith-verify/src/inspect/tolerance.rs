//! A tolerance `t(x, y)`: how far a result may lie from the exact value `y` at `x`.
//!
//! The exact value is put in the place of `y`, so that what is evaluated is one function of the arguments alone, with a
//! rigorous bound in doubles and any precision in MPFR, like every reference.

use super::observe::Columns;
use crate::block::{BLOCK, RefBlock, dispatched};
use crate::extreme::Judge;
use crate::grid::Grid;
use crate::report::hex;
use crate::truth::{JUDGE_BITS, Judged, Truth, point};
use crate::{FloatDomain, VerifyError};
use mathsmith_dsl::{Expr, ExprId, ExprNode};
use mathsmith_oracle::{Enclosure, Reference, Scratch, Status};
use rug::Float;
use std::marker::PhantomData;

/// A tolerance as an expression of the arguments and of `y`, the exact value.
#[derive(Clone, Debug)]
pub struct Tolerance {
    text: String,
    value: Reference,
}

impl Tolerance {
    /// The tolerance `tolerance` for results of `function`. The variables of `tolerance` are those of `function`, `x` for
    /// the only one of a function of one variable, and `y` for the exact value.
    ///
    /// # Errors
    /// [`VerifyError::Tolerance`] if it names another variable, if `y` could mean an argument as well, or if the oracle
    /// refuses it.
    pub fn new(tolerance: &Expr, function: &Expr) -> Result<Tolerance, VerifyError> {
        let text = tolerance.source.clone();
        let refuse = |what: String| VerifyError::Tolerance { tolerance: text.clone(), what };
        let mut nodes = function.nodes.clone();
        let mut spans = function.spans.clone();
        let mut place: Vec<ExprId> = Vec::with_capacity(tolerance.nodes.len());
        for (node, &span) in tolerance.nodes.iter().zip(&tolerance.spans) {
            let at = |id: &ExprId| place[id.0 as usize];
            let moved = match node {
                ExprNode::Var(v) => {
                    let name = &tolerance.vars[*v as usize];
                    let argument = function.vars.iter().position(|f| f == name);
                    match (name.as_str(), argument) {
                        ("y", Some(_)) => {
                            return Err(refuse(
                                "`y` is an argument of the reference, and in a tolerance it means the exact value; \
                                 rename the argument"
                                    .to_owned(),
                            ));
                        }
                        ("y", None) => {
                            place.push(function.root);
                            continue;
                        }
                        (_, Some(index)) => ExprNode::Var(index as u32),
                        ("x", None) if function.vars.len() == 1 => ExprNode::Var(0),
                        _ => {
                            return Err(refuse(format!(
                                "`{name}` is neither an argument of the reference nor `y`, the exact value"
                            )));
                        }
                    }
                }
                ExprNode::Number(_) | ExprNode::Constant(_) => node.clone(),
                ExprNode::Call(f, a, b) => ExprNode::Call(*f, at(a), b.as_ref().map(at)),
                ExprNode::If { cmp, lhs, rhs, then, otherwise } => {
                    ExprNode::If { cmp: *cmp, lhs: at(lhs), rhs: at(rhs), then: at(then), otherwise: at(otherwise) }
                }
            };
            place.push(ExprId(nodes.len() as u32));
            nodes.push(moved);
            spans.push(span);
        }
        let composed = Expr {
            source: text.clone(),
            vars: function.vars.clone(),
            nodes,
            spans,
            root: place[tolerance.root.0 as usize],
        };
        let value = Reference::new(&composed).map_err(|e| refuse(e.to_string()))?;
        Ok(Tolerance { text, value })
    }

    /// The tolerance as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The tolerance as a function of the arguments.
    pub fn value(&self) -> &Reference {
        &self.value
    }
}

/// 2^-50, more than the roundings of a figure.
const SLACK: f64 = 1.0 / (1u64 << 50) as f64;

/// The tolerance at the inputs of a block, with its bound.
pub(crate) struct Allowed {
    t: Vec<f64>,
    e: Vec<f64>,
    scratch: Scratch,
}

impl Allowed {
    pub(crate) fn new() -> Self {
        Allowed { t: vec![0.0; BLOCK], e: vec![0.0; BLOCK], scratch: Scratch::default() }
    }

    /// Evaluates the tolerance at the inputs of a block. Returns how many inputs MPFR looked at.
    pub(crate) fn load<G: Grid>(
        &mut self,
        ratio: &Ratio<'_, G>,
        block: &RefBlock<Scratch>,
    ) -> Result<u64, VerifyError> {
        let n = block.len;
        let (t, e) = (&mut self.t[..n], &mut self.e[..n]);
        ratio.tolerance.value.fast_run(&block.xd[..n], t, e, &mut self.scratch);
        let mut looked = 0;
        for lane in 0..n {
            // Certainly a number that is not negative; where the reference overflows or is undefined nothing is asked.
            if t[lane] - e[lane] >= 0.0 {
                continue;
            }
            looked += 1;
            let x = block.xd[lane];
            let exact = ratio.tolerance.value.value(point(&ratio.tolerance.value, &x), JUDGE_BITS);
            if exact.is_nan() || exact < 0 {
                let rounded = ratio.truth.round_f32(x);
                if rounded.is_finite() {
                    return Err(ratio.tolerance.refusal(x, exact.is_nan()));
                }
            }
        }
        Ok(looked)
    }

    pub(crate) fn hold(&self, block: &RefBlock<Scratch>, c: &[f32]) -> Held {
        let n = block.len;
        hold_fast(Columns::of(block), &self.t[..n], &self.e[..n], c)
    }

    /// Bounds of the error at a fast lane, divided by the tolerance.
    pub(crate) fn interval(&self, block: &RefBlock<Scratch>, lane: usize, c: f32) -> (f64, f64) {
        let (lower, upper) = block.abs_interval(lane, c);
        let (t, e) = (self.t[lane], self.e[lane]);
        let (least, greatest) = ((t - e) * (1.0 - SLACK), (t + e) * (1.0 + SLACK));
        let low = if lower > 0.0 { lower / greatest * (1.0 - SLACK) } else { 0.0 };
        let high = if upper == 0.0 { 0.0 } else { upper / least * (1.0 + SLACK) };
        // A tolerance that may be 0, or of which nothing is known.
        if least > 0.0 { (low, high) } else { (if low > 0.0 { low } else { 0.0 }, f64::INFINITY) }
    }
}

impl Tolerance {
    fn refusal(&self, x: f64, undefined: bool) -> VerifyError {
        let what = if undefined { "has no value" } else { "is negative" };
        VerifyError::Tolerance {
            tolerance: self.text.clone(),
            what: format!(
                "it {what} at x = {} ({:?}); write one that is at least 0 on the whole domain",
                hex(x),
                x as f32
            ),
        }
    }
}

/// Results of a block against the tolerance, as far as the fast values tell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
    /// No lane's error is a greater multiple of the tolerance.
    pub top: f64,
    /// Some lane lies beyond the tolerance, or the bounds do not say on which side it lies.
    pub look: bool,
}

#[inline(always)]
fn hold(columns: Columns<'_>, t: &[f64], e: &[f64], c: &[f32]) -> Held {
    let n = c.len();
    let (y, ey, t, e) = (&columns.y[..n], &columns.e[..n], &t[..n], &e[..n]);
    let mut top = [0.0f64; 8];
    let mut look = 0u32;
    let mut lane = |i: usize, top: &mut f64| {
        let d = (f64::from(c[i]) - y[i]).abs();
        let upper = d * (1.0 + SLACK) + ey[i];
        let least = (t[i] - e[i]) * (1.0 - SLACK);
        let q = upper / least * (1.0 + SLACK);
        let q = if upper == 0.0 { 0.0 } else { q };
        let q = if least > 0.0 || upper == 0.0 { q } else { f64::INFINITY };
        // What is not certainly within, NaN included.
        look |= 1 - u32::from(upper <= least);
        *top = if q > *top { q } else { *top };
    };
    let whole = n - n % 8;
    for at in (0..whole).step_by(8) {
        for (k, top) in top.iter_mut().enumerate() {
            lane(at + k, top);
        }
    }
    for i in whole..n {
        lane(i, &mut top[0]);
    }
    Held { top: top.into_iter().fold(0.0, f64::max), look: look != 0 }
}

dispatched!(hold_fast = hold(columns: Columns<'_>, t: &[f64], e: &[f64], c: &[f32]) -> Held);

/// Exact multiples of the tolerance.
///
/// A result of a wrong class (NaN or an infinity where the correctly rounded result is another, a number where it is one
/// of those) is infinitely far beyond any tolerance.
pub(crate) struct Ratio<'a, G> {
    truth: &'a Judged<'a, G>,
    tolerance: &'a Tolerance,
    domain: &'a FloatDomain,
    pub asked: u64,
    grid: PhantomData<G>,
}

impl<'a, G: Grid> Ratio<'a, G> {
    pub(crate) fn new(truth: &'a Judged<'a, G>, tolerance: &'a Tolerance, domain: &'a FloatDomain) -> Self {
        Ratio { truth, tolerance, domain, asked: 0, grid: PhantomData }
    }

    /// `|c - y| / t`; 0 for an exact result, infinite for another where `t` is 0.
    pub(crate) fn at(&self, x: f64, c: f32) -> f64 {
        let reference = self.truth.reference();
        let y = reference.value(point(reference, &x), JUDGE_BITS);
        let beyond = !y.is_finite() || Float::with_val(JUDGE_BITS, y.abs_ref()) >= G::OVERFLOW;
        if beyond || !c.is_finite() {
            return if crate::tally::same(self.truth.round_f32(x), c) { 0.0 } else { f64::INFINITY };
        }
        let d = Float::with_val(JUDGE_BITS + 64, &y - c).abs();
        if d.is_zero() {
            return 0.0;
        }
        let t = &self.tolerance.value;
        let t = t.value(point(t, &x), JUDGE_BITS);
        if t.is_nan() || t <= 0 {
            return f64::INFINITY;
        }
        let beyond = d > t;
        let q = Float::with_val(JUDGE_BITS, d / t).to_f64();
        // What lies beyond shall not be rounded to lie within.
        if beyond { q.max(1.0f64.next_up()) } else { q }
    }
}

impl<G: Grid> Judge for Ratio<'_, G> {
    fn exact(&mut self, index: u64, computed: f32) -> f64 {
        self.asked += 1;
        self.at(f64::from(self.domain.get(index)), computed)
    }

    fn bound(&mut self, first: u64, last: u64, computed: f32) -> f64 {
        self.asked += 1;
        let [lo, hi] = [first, last].map(|i| f64::from(self.domain.get(i)));
        let abs = self.truth.errors_bound(lo, hi, computed).abs;
        let [lo, hi] = [lo, hi].map(|x| Float::with_val(53, x));
        let t = &self.tolerance.value;
        let ends = [Enclosure::new(lo, hi)];
        let t = t.enclose_box(&ends[..t.vars().len()], JUDGE_BITS);
        let least = Float::with_val_round(53, &t.lo, rug::float::Round::Down).0.to_f64();
        if t.status != Status::Defined || least.is_nan() || least <= 0.0 {
            return f64::INFINITY;
        }
        abs / least * (1.0 + SLACK)
    }
}
