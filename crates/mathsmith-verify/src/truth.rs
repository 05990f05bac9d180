//! What a sweep asks of the reference.

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

    /// For every `xs[i]` a value with `|ys[i] - f(xs[i])| <= errs[i]`; a bound of infinity where none is known. A bound of
    /// 0 says that the value is exact.
    fn fast_block(&self, xs: &[f64], ys: &mut [f64], errs: &mut [f64], scratch: &mut Self::Scratch);

    /// `f(x)` correctly rounded to `f32` (ties to even, subnormals and overflow as IEEE 754 has it); NaN where `f` is not
    /// defined.
    fn round_f32(&self, x: f64) -> f32;

    /// Exact errors of `computed` as an `f32` approximation of `f(x)`.
    ///
    /// Classes first: an undefined `f(x)` asks for NaN, an infinite one for that infinity, one that rounds to an infinity
    /// accepts that infinity; each other combination with NaN or an infinity is [`PointError::WRONG_CLASS`].
    fn errors(&self, x: f64, computed: f32) -> PointError;

    /// `f(x)` as an unevaluated sum of two doubles, the second at most half an ulp of the first; NaN where not defined.
    fn value_dd(&self, x: f64) -> (f64, f64);
}

/// `1 / ulp(y)` in the `f32` format for `0 <= y < 2^128`.
#[inline(always)]
pub fn inverse_ulp(y: f64) -> f64 {
    // Biased exponent of the double; binade -126 is the least of f32, and every zero or subnormal double lies below it.
    let biased = (y.to_bits() >> 52) & 0x7ff;
    let biased = if biased < 1023 - 126 { 1023 - 126 } else { biased };
    // 1/ulp = 2^(23 - e), biased again.
    f64::from_bits((2 * 1023 + 23 - biased) << 52)
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
