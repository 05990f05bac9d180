//! What a sweep asks of the reference.

use crate::grid::{Grid, Single};
use mathsmith_oracle::{Enclosure, FloatFormat, Reference, Scratch, Status};
use rug::Float;
use std::cmp::Ordering;
use std::marker::PhantomData;

/// Exact error figures of one computed value, each the double nearest to the exact figure.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct PointError {
    /// `|c - y| / ulp(y)`.
    pub ulp: f64,
    /// `|c / y - 1|`; 0 or infinite where `y` is 0.
    pub rel: f64,
    /// `|c - y|`.
    pub abs: f64,
}

impl PointError {
    /// The figures where the computed value is of the wrong class: NaN for a number, finite for infinite.
    pub const WRONG_CLASS: PointError = PointError { ulp: f64::INFINITY, rel: f64::INFINITY, abs: f64::INFINITY };
    /// No error.
    pub const NONE: PointError = PointError { ulp: 0.0, rel: 0.0, abs: 0.0 };
}

/// A reference function of one variable, as a sweep sees it: fast values with a bound, and exact answers on request.
pub trait Truth: Sync {
    /// Working memory of [`Truth::fast_block`].
    type Scratch: Default + Send;

    /// The format in which results are judged: what values are rounded to, and whose ulp errors are measured in.
    type Grid: Grid;

    /// Number of variables: 1, or 0 for a constant.
    fn variables(&self) -> usize {
        1
    }

    /// For every `xs[i]` a value with `|ys[i] - f(xs[i])| <= errs[i]`; a bound of infinity where none is known. A bound of
    /// 0 says that the value is exact. Beyond the range of doubles, as [`Reference::fast_block`] has it: an infinite
    /// value with a finite bound says that `|f| >= 2^(1023 - bound)` with that sign, NaN with a bound of 0 that there is
    /// no value.
    fn fast_block(&self, xs: &[f64], ys: &mut [f64], errs: &mut [f64], scratch: &mut Self::Scratch);

    /// `f(x)` correctly rounded to the format (ties to even, subnormals and overflow as IEEE 754 has it); NaN where `f` is
    /// not defined.
    fn round_f32(&self, x: f64) -> f32;

    /// Exact errors of `computed`, a number of the format, as an approximation of `f(x)`.
    ///
    /// Classes first: an undefined `f(x)` asks for NaN, an infinite one for that infinity, one that rounds to an infinity
    /// accepts that infinity; each other combination with NaN or an infinity is [`PointError::WRONG_CLASS`].
    fn errors(&self, x: f64, computed: f32) -> PointError;

    /// Upper bounds of the errors of `computed` at every input from `lo` to `hi`; infinite where none is known.
    fn errors_bound(&self, lo: f64, hi: f64, computed: f32) -> PointError {
        let _ = (lo, hi, computed);
        PointError::WRONG_CLASS
    }

    /// `f(x)` as an unevaluated sum of two doubles, the second at most half an ulp of the first; NaN where not defined.
    fn value_dd(&self, x: f64) -> (f64, f64);
}

/// Bits to which the judge knows a value when an error is measured.
pub(crate) const JUDGE_BITS: u32 = 200;

impl Truth for Reference {
    type Scratch = Scratch;
    type Grid = Single;

    fn variables(&self) -> usize {
        self.vars().len()
    }

    fn fast_block(&self, xs: &[f64], ys: &mut [f64], errs: &mut [f64], scratch: &mut Scratch) {
        // Adjacent floats, as a sweep has them, share polynomials.
        Reference::fast_run(self, xs, ys, errs, scratch);
    }

    fn round_f32(&self, x: f64) -> f32 {
        Reference::round_f32(self, point(self, &x))
    }

    fn errors(&self, x: f64, computed: f32) -> PointError {
        errors_at::<Single>(self, x, computed)
    }

    fn errors_bound(&self, lo: f64, hi: f64, computed: f32) -> PointError {
        bound_at::<Single>(self, lo, hi, computed)
    }

    fn value_dd(&self, x: f64) -> (f64, f64) {
        Reference::value_dd(self, point(self, &x))
    }
}

/// A reference whose values are judged in another format than `f32`.
pub struct Judged<'a, G> {
    reference: &'a Reference,
    grid: PhantomData<G>,
}

impl<'a, G: Grid> Judged<'a, G> {
    /// The reference, judged at `G`.
    pub fn new(reference: &'a Reference) -> Self {
        Judged { reference, grid: PhantomData }
    }

    /// The reference itself.
    pub fn reference(&self) -> &'a Reference {
        self.reference
    }

    /// The order of the values at two inputs; `None` where one of them has none.
    pub fn compare(&self, a: f64, b: f64) -> Option<Ordering> {
        self.reference.compare(point(self.reference, &a), point(self.reference, &b))
    }
}

impl<G: Grid> Truth for Judged<'_, G> {
    type Scratch = Scratch;
    type Grid = G;

    fn variables(&self) -> usize {
        self.reference.vars().len()
    }

    fn fast_block(&self, xs: &[f64], ys: &mut [f64], errs: &mut [f64], scratch: &mut Scratch) {
        Truth::fast_block(self.reference, xs, ys, errs, scratch);
    }

    fn round_f32(&self, x: f64) -> f32 {
        self.reference.round_to(point(self.reference, &x), G::FORMAT) as f32
    }

    fn errors(&self, x: f64, computed: f32) -> PointError {
        errors_at::<G>(self.reference, x, computed)
    }

    fn errors_bound(&self, lo: f64, hi: f64, computed: f32) -> PointError {
        bound_at::<G>(self.reference, lo, hi, computed)
    }

    fn value_dd(&self, x: f64) -> (f64, f64) {
        Truth::value_dd(self.reference, x)
    }
}

fn errors_at<G: Grid>(reference: &Reference, x: f64, computed: f32) -> PointError {
    let x = point(reference, &x);
    let v = reference.value(x, JUDGE_BITS);
    if v.is_nan() || v.is_infinite() || !computed.is_finite() {
        let rounded = reference.round_to(x, G::FORMAT) as f32;
        let right = rounded == computed || (rounded.is_nan() && computed.is_nan());
        // A finite value that rounds to an infinity is met by that infinity only; a finite result has an error.
        return if right && !rounded.is_finite() { PointError::NONE } else { PointError::WRONG_CLASS };
    }
    figures(&v, computed, G::FORMAT)
}

/// Each figure is largest where the value lies at an end of its enclosure, but for what happens at zero: there the ulp is
/// least, the relative error of a zero is 1 (or 0) and that of anything else has no bound.
fn bound_at<G: Grid>(reference: &Reference, lo: f64, hi: f64, computed: f32) -> PointError {
    let f = if reference.vars().is_empty() {
        reference.enclose_box(&[], JUDGE_BITS)
    } else {
        let [lo, hi] = [lo, hi].map(|x| Float::with_val(53, x));
        reference.enclose_box(&[Enclosure::new(lo, hi)], JUDGE_BITS)
    };
    if f.status != Status::Defined || !f.lo.is_finite() || !f.hi.is_finite() || !computed.is_finite() {
        return PointError::WRONG_CLASS;
    }
    let [a, b] = [&f.lo, &f.hi].map(|v| figures(v, computed, G::FORMAT));
    let (below, above) = (f.lo.cmp0(), f.hi.cmp0());
    let one_sign = below == above && below != Some(Ordering::Equal);
    // The ulp is that of the smaller end, where it is smaller.
    let exponent = [&f.lo, &f.hi].map(|v| G::FORMAT.ulp_exponent(v)).into_iter().min();
    let least = if one_sign { exponent } else { None }.unwrap_or(ulp_exponent_of_zero(G::FORMAT));
    let abs = Float::with_val(64, a.abs.max(b.abs));
    let ulp = (abs >> least).to_f64();
    let rel = match (one_sign, computed == 0.0) {
        (true, _) => a.rel.max(b.rel),
        (false, true) => 1.0,
        (false, false) => f64::INFINITY,
    };
    PointError { ulp: ulp.max(a.ulp).max(b.ulp), rel, abs: a.abs.max(b.abs) }
}

fn ulp_exponent_of_zero(format: FloatFormat) -> i32 {
    format.min_exponent - format.precision as i32 + 1
}

/// Figures of a finite result against a finite value.
fn figures(v: &Float, computed: f32, format: FloatFormat) -> PointError {
    let d = Float::with_val(JUDGE_BITS + 64, v - computed).abs();
    // Above the format's range the last ulp goes on.
    let ulp = Float::with_val(JUDGE_BITS, &d >> format.ulp_exponent(v)).to_f64();
    let rel = match (d.is_zero(), v.is_zero()) {
        (true, _) => 0.0,
        (false, true) => f64::INFINITY,
        (false, false) => Float::with_val(JUDGE_BITS, &d / v).abs().to_f64(),
    };
    PointError { ulp, rel, abs: d.to_f64() }
}

/// The argument of a reference: a constant has none.
pub(crate) fn point<'a>(reference: &Reference, x: &'a f64) -> &'a [f64] {
    if reference.vars().is_empty() { &[] } else { std::slice::from_ref(x) }
}

/// `1 / ulp(y)` in the `f32` format for `0 <= y < 2^128`.
#[inline(always)]
pub fn inverse_ulp(y: f64) -> f64 {
    Single::inverse_ulp(y)
}
