//! What a sweep asks of the reference.

use mathsmith_oracle::{Enclosure, Reference, Scratch, Status};
use rug::Float;

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

    /// Number of variables: 1, or 0 for a constant.
    fn variables(&self) -> usize {
        1
    }

    /// For every `xs[i]` a value with `|ys[i] - f(xs[i])| <= errs[i]`; a bound of infinity where none is known. A bound of
    /// 0 says that the value is exact. Beyond the range of doubles, as [`Reference::fast_block`] has it: an infinite
    /// value with a finite bound says that `|f| >= 2^(1023 - bound)` with that sign, NaN with a bound of 0 that there is
    /// no value.
    fn fast_block(&self, xs: &[f64], ys: &mut [f64], errs: &mut [f64], scratch: &mut Self::Scratch);

    /// `f(x)` correctly rounded to `f32` (ties to even, subnormals and overflow as IEEE 754 has it); NaN where `f` is not
    /// defined.
    fn round_f32(&self, x: f64) -> f32;

    /// Exact errors of `computed` as an `f32` approximation of `f(x)`.
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
const JUDGE_BITS: u32 = 200;

impl Truth for Reference {
    type Scratch = Scratch;

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
        let v = self.value(point(self, &x), JUDGE_BITS);
        if v.is_nan() || v.is_infinite() || !computed.is_finite() {
            let rounded = Truth::round_f32(self, x);
            let right = rounded == computed || (rounded.is_nan() && computed.is_nan());
            // A finite value that rounds to an infinity is met by that infinity only; a finite result has an error.
            return if right && !rounded.is_finite() { PointError::NONE } else { PointError::WRONG_CLASS };
        }
        figures(&v, computed)
    }

    fn errors_bound(&self, lo: f64, hi: f64, computed: f32) -> PointError {
        let ends = [lo, hi].map(|x| Float::with_val(53, x));
        let f = if self.vars().is_empty() {
            self.enclose_box(&[], JUDGE_BITS)
        } else {
            let [lo, hi] = ends;
            self.enclose_box(&[Enclosure::new(lo, hi)], JUDGE_BITS)
        };
        let (below, above) = (f.lo.cmp0(), f.hi.cmp0());
        let usable = f.status == Status::Defined && f.lo.is_finite() && f.hi.is_finite() && computed.is_finite();
        // Away from zero and from overflow each figure is largest at an end of the enclosure.
        if !usable || below != above || below == Some(std::cmp::Ordering::Equal) || f.hi.to_f32().is_infinite() {
            return PointError::WRONG_CLASS;
        }
        let (a, b) = (figures(&f.lo, computed), figures(&f.hi, computed));
        // The ulp is that of the smaller end, where it is smaller.
        let scale = |v: &Float| inverse_ulp(v.to_f64().abs());
        let ulp = a.abs.max(b.abs) * scale(&f.lo).max(scale(&f.hi));
        PointError { ulp: ulp.max(a.ulp).max(b.ulp), rel: a.rel.max(b.rel), abs: a.abs.max(b.abs) }
    }

    fn value_dd(&self, x: f64) -> (f64, f64) {
        Reference::value_dd(self, point(self, &x))
    }
}

/// Figures of a finite result against a finite value.
fn figures(v: &Float, computed: f32) -> PointError {
    let d = Float::with_val(JUDGE_BITS + 64, v - computed).abs();
    // MPFR puts the significand in [1/2, 1); above the format's range the last ulp goes on.
    let e = v.get_exp().map_or(-126, |e| (e - 1).clamp(-126, 127));
    let ulp = Float::with_val(JUDGE_BITS, &d << (23 - e)).to_f64();
    let rel = match (d.is_zero(), v.is_zero()) {
        (true, _) => 0.0,
        (false, true) => f64::INFINITY,
        (false, false) => Float::with_val(JUDGE_BITS, &d / v).abs().to_f64(),
    };
    PointError { ulp, rel, abs: d.to_f64() }
}

/// The argument of a reference: a constant has none.
fn point<'a>(reference: &Reference, x: &'a f64) -> &'a [f64] {
    if reference.vars().is_empty() { &[] } else { std::slice::from_ref(x) }
}

/// `1 / ulp(y)` in the `f32` format for `0 <= y < 2^128`.
#[inline(always)]
pub fn inverse_ulp(y: f64) -> f64 {
    // Biased exponent of the double; binade -126 is the least of f32, and every zero or subnormal double lies below it.
    let biased = (y.to_bits() >> 52) & 0x7ff;
    let biased = if biased < 1023 - 126 { 1023 - 126 } else { biased };
    // 1/ulp = 2^(23 - e), biased again.
    f64::from_bits((2 * 1023u64 + 23).wrapping_sub(biased) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ulp_of_binades() {
        assert_eq!(inverse_ulp(1.0), 8388608.0);
        assert_eq!(inverse_ulp(1.0f64.next_down()), 16777216.0);
        let least = f64::from(f32::from_bits(1));
        for y in [0.0, 1e-300, least, least * 8388607.0, least * 8388608.0, f64::from(f32::MIN_POSITIVE).next_up()] {
            assert_eq!(inverse_ulp(y) * least, 1.0, "{y:e}");
        }
        assert_eq!(inverse_ulp(f64::from(f32::MIN_POSITIVE) * 2.0) * least, 0.5);
        assert_eq!(inverse_ulp(f64::from(f32::MAX)) * 2f64.powi(104), 1.0);
    }
}
