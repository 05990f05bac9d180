//! Which function of C a reference is, found numerically.
//!
//! Libraries know their functions by name; a person may write `exp2(x)`, `2^x` or `exp(x*ln2)` and means one function. So
//! the reference is compared with the functions of C at points of the domain, in double-double arithmetic: names find peers
//! to compare with and nothing else.

use mathsmith_dsl::functions::FUNCTIONS;
use mathsmith_dsl::{Expr, parse_expr};
use mathsmith_ir::sample::SplitMix;
use mathsmith_oracle::Reference;

/// Names in C of functions that are called otherwise in expressions; `None` for what C has not.
const OTHER_NAMES: &[(&str, Option<&str>)] =
    &[("abs", Some("fabs")), ("gamma", Some("tgamma")), ("digamma", None), ("airyai", None)];

/// Functions of C23, section 7.12, that are written as several in expressions.
const COMPOSED: &[(&str, &str)] = &[
    ("rsqrt", "1/sqrt(x)"),
    ("exp2m1", "expm1(x*ln2)"),
    ("exp10m1", "expm1(x*log(10))"),
    ("log2p1", "log1p(x)/ln2"),
    ("log10p1", "log1p(x)/log(10)"),
    ("tanpi", "sinpi(x)/cospi(x)"),
    ("asinpi", "asin(x)/pi"),
    ("acospi", "acos(x)/pi"),
    ("atanpi", "atan(x)/pi"),
];

/// Points at which functions are compared.
const POINTS: usize = 24;

/// Relative difference up to which two values are the same: double-double values have about 100 bits.
const SAME: f64 = 1e-25;

/// A function's name in C for double precision; the one for floats has an `f` behind it.
pub fn name_in_c(function: &str) -> Option<&str> {
    match OTHER_NAMES.iter().find(|(name, _)| *name == function) {
        Some((_, other)) => *other,
        None => Some(function),
    }
}

/// The name in C, for double precision, of the function that `reference` is between `lo` and `hi`, if it is one.
pub fn function(reference: &Reference, lo: f64, hi: f64) -> Option<String> {
    let points = points(lo, hi);
    let wanted: Vec<(f64, f64)> = points.iter().map(|x| reference.value_dd(&[*x])).collect();
    let is = |text: &str| {
        let Some(candidate) = parse_expr(text).ok().and_then(|e: Expr| Reference::new(&e).ok()) else { return false };
        points.iter().zip(&wanted).all(|(x, y)| same(*y, || candidate.value_dd(&[*x])))
    };
    let simple = FUNCTIONS.iter().filter(|f| f.arity == 1).filter_map(|f| Some((f.name, name_in_c(f.name)?)));
    let simple = simple.map(|(name, in_c)| (format!("{name}(x)"), in_c));
    let composed = COMPOSED.iter().map(|(in_c, text)| ((*text).to_owned(), *in_c));
    simple.chain(composed).find(|(text, _)| is(text)).map(|(_, in_c)| in_c.to_owned())
}

fn points(lo: f64, hi: f64) -> Vec<f64> {
    // From a fixed seed: the answer is a property of the function, not of the run.
    let mut rng = SplitMix::new(0x6d61_7468);
    let unit = |rng: &mut SplitMix| (rng.bits() >> 11) as f64 / (1u64 << 53) as f64;
    // Of a huge range the middle, where functions differ most: all of them are tame below 10.
    let (near_lo, near_hi) = (lo.max(-8.0).min(hi), hi.min(8.0).max(lo));
    (0..POINTS)
        .map(|i| {
            let (a, b) = if i % 4 == 3 { (lo, hi) } else { (near_lo, near_hi) };
            a + (b - a) * unit(&mut rng)
        })
        .collect()
}

/// Whether two values are the same function's; what has none has none in both.
fn same((high, low): (f64, f64), other: impl FnOnce() -> (f64, f64)) -> bool {
    let (h, l) = other();
    match (high.is_finite(), h.is_finite()) {
        (true, true) => ((high - h) + (low - l)).abs() <= SAME * high.abs(),
        (false, false) => high.to_bits() == h.to_bits() || (high.is_nan() && h.is_nan()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, lo: f64, hi: f64) -> Option<String> {
        function(&Reference::new(&parse_expr(text).unwrap()).unwrap(), lo, hi)
    }

    #[test]
    fn a_function_is_found_however_it_is_written() {
        for text in ["exp2(x)", "2^x", "exp(x*ln2)", "1/exp2(-x)"] {
            assert_eq!(found(text, -149.0, 128.0).as_deref(), Some("exp2"), "{text}");
        }
        assert_eq!(found("x^(-1/2)", 1e-30, 1e30).as_deref(), Some("rsqrt"));
        assert_eq!(found("log(1 + x)", -0.9, 5.0).as_deref(), Some("log1p"));
        assert_eq!(found("sinh(x)/cosh(x)", -9.0, 9.0).as_deref(), Some("tanh"));
        assert_eq!(found("1/(1 + exp(-x))", -80.0, 80.0), None);
        assert_eq!(found("exp(x) + 1e-9", -1.0, 1.0), None);
    }
}
