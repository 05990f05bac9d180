//! What every measurement writes into its record in the same way, however its inputs are walked.

use crate::measured::{Break, Classes, Measured, Parity, Peak, Tally};
use crate::report::hex;
use mathsmith_oracle::FloatFormat;
use rug::Float;

/// The ways in which a result can be of another class than the correctly rounded one, in the order of [`Classes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    NanForNumber,
    NumberForNan,
    InfinityForFinite,
    FiniteForInfinity,
    ZeroForNonzero,
    Sign,
}

impl Wrong {
    /// Number of kinds.
    pub(crate) const COUNT: usize = 6;

    /// How the class of a result differs from that of the correctly rounded one, if it does. Any number may stand where
    /// zero is due.
    pub(crate) fn of(c: f64, rounded: f64) -> Option<Wrong> {
        if rounded.is_nan() || c.is_nan() {
            return match (rounded.is_nan(), c.is_nan()) {
                (true, true) => None,
                (false, _) => Some(Wrong::NanForNumber),
                (true, false) => Some(Wrong::NumberForNan),
            };
        }
        if c.is_infinite() {
            return (c != rounded).then_some(Wrong::InfinityForFinite);
        }
        if rounded.is_infinite() {
            return Some(Wrong::FiniteForInfinity);
        }
        if rounded == 0.0 {
            return None;
        }
        if c == 0.0 {
            return Some(Wrong::ZeroForNonzero);
        }
        (c.is_sign_negative() != rounded.is_sign_negative()).then_some(Wrong::Sign)
    }
}

/// How often something happens, and where first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Count<P> {
    pub count: u64,
    pub first: Option<P>,
}

impl<P> Default for Count<P> {
    fn default() -> Self {
        Count { count: 0, first: None }
    }
}

impl<P: Copy> Count<P> {
    pub(crate) fn add(&mut self, place: P) {
        self.count += 1;
        self.first.get_or_insert(place);
    }

    /// Adds what happens later.
    pub(crate) fn merge(&mut self, later: Self) {
        self.count += later.count;
        self.first = self.first.or(later.first);
    }

    /// As records have it.
    pub(crate) fn tally(self, name: impl Fn(P) -> Vec<String>) -> Tally {
        Tally { count: self.count, first: self.first.map(name) }
    }
}

/// Counts of wrong classes as records have them.
pub(crate) fn classes<P: Copy>(counts: [Count<P>; Wrong::COUNT], name: impl Fn(P) -> Vec<String>) -> Classes {
    let [nan, number, infinity, finite, zero, sign] = counts.map(|c| c.tally(&name));
    Classes {
        nan_for_number: nan,
        number_for_nan: number,
        infinity_for_finite: infinity,
        finite_for_infinity: finite,
        zero_for_nonzero: zero,
        wrong_sign: sign,
    }
}

/// The least and the greatest of some results, and where they occur first. NaN is left out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent<V, P> {
    pub least: Option<(V, P)>,
    pub greatest: Option<(V, P)>,
}

impl<V, P> Default for Extent<V, P> {
    fn default() -> Self {
        Extent { least: None, greatest: None }
    }
}

impl<V: Copy + PartialOrd, P: Copy> Extent<V, P> {
    pub(crate) fn add(&mut self, v: V, place: P) {
        if v.partial_cmp(&v).is_none() {
            return;
        }
        if self.least.is_none_or(|(least, _)| v < least) {
            self.least = Some((v, place));
        }
        if self.greatest.is_none_or(|(greatest, _)| v > greatest) {
            self.greatest = Some((v, place));
        }
    }

    /// Adds results from later inputs.
    pub(crate) fn merge(&mut self, later: Self) {
        for (v, place) in [later.least, later.greatest].into_iter().flatten() {
            self.add(v, place);
        }
    }
}

/// A sum over `count` results as a mean; 0 of none.
pub(crate) fn mean(sum: f64, count: u64) -> f64 {
    if count == 0 { 0.0 } else { sum / count as f64 }
}

/// Same bits, every NaN being one.
pub(crate) fn same_bits(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
}

/// A figure with everything that a person wants to see of it: the input, the result and the exact value there.
pub(crate) fn peak(format: FloatFormat, value: f64, x: &[f64], result: f64, exact: &Float) -> Peak {
    Peak {
        value,
        x: x.iter().map(|&x| hex(x)).collect(),
        x_decimal: x.iter().map(|&x| decimal(format, x)).collect(),
        result: hex(result),
        exact: digits(exact),
    }
}

/// A number in decimal, with as many digits as read back to it in its format.
pub(crate) fn decimal(format: FloatFormat, x: f64) -> String {
    if format == FloatFormat::F32 {
        return format!("{:?}", x as f32);
    }
    for precision in 0..17 {
        let text = format!("{x:.precision$e}");
        let back: f64 = text.parse().unwrap_or(f64::NAN);
        if format.nearest_f64(back) == x {
            return format!("{back:?}");
        }
    }
    format!("{x:?}")
}

/// 25 significant decimal digits; below the exponents that MPFR has, what is known.
fn digits(y: &Float) -> String {
    if y.get_exp().is_some_and(|e| e <= rug::float::exp_min() + 1) {
        return if y.is_sign_negative() { "-0 (not zero)" } else { "0 (not zero)" }.to_owned();
    }
    if y.is_finite() { y.to_string_radix(10, Some(25)) } else { hex(y.to_f64()) }
}

impl Measured {
    /// Takes the pairs of zeros and of infinities, which stand among the special inputs, into the check of symmetry: the
    /// sweeps and samples look at finite pairs other than zero.
    pub fn heed_special_pairs(&mut self) {
        let Some((parity, check)) = &mut self.parity else { return };
        for (positive, negative) in [("0", "-0"), ("inf", "-inf")] {
            let result = |what: &str| {
                let point = self.specials.iter().find(|s| s.what == what && s.x.len() == 1)?;
                Some(crate::report::unhex(&point.got).unwrap_or(f64::NAN))
            };
            let (Some(at_x), Some(at_minus_x)) = (result(positive), result(negative)) else { continue };
            check.looked_at += 1;
            let mirrored = if *parity == Parity::Odd { -at_x } else { at_x };
            let same = mirrored.to_bits() == at_minus_x.to_bits() || (at_x.is_nan() && at_minus_x.is_nan());
            if !same && check.broken.is_none() {
                let x = if positive == "0" { 0.0 } else { f64::INFINITY };
                check.broken = Some(Break::asymmetric(*parity, x, [at_x, at_minus_x]));
            }
        }
    }
}

impl Break {
    fn of(at: &[f64], results: [f64; 2], what: &str) -> Break {
        let hex = |all: &[f64]| all.iter().map(|&v| hex(v)).collect();
        Break { at: hex(at), results: hex(&results), what: what.to_owned() }
    }

    /// Two calls at one input.
    pub(crate) fn impure(x: &[f64], results: [f64; 2]) -> Break {
        Break::of(x, results, "two calls with the same input gave two results")
    }

    /// `x` and `-x`.
    pub(crate) fn asymmetric(parity: Parity, x: f64, results: [f64; 2]) -> Break {
        let what = match parity {
            Parity::Odd => "f(-x) is not -f(x)",
            Parity::Even => "f(-x) is not f(x)",
        };
        Break::of(&[x, -x], results, what)
    }

    /// Neighbouring inputs.
    pub(crate) fn inverted(x: [f64; 2], results: [f64; 2]) -> Break {
        Break::of(&x, results, "the result moves against the function between neighbouring inputs")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_wrong_class() {
        let (nan, inf) = (f64::NAN, f64::INFINITY);
        let cases = [
            (nan, nan, None),
            (nan, 1.0, Some(Wrong::NanForNumber)),
            (nan, inf, Some(Wrong::NanForNumber)),
            (inf, nan, Some(Wrong::NumberForNan)),
            (0.0, nan, Some(Wrong::NumberForNan)),
            (inf, inf, None),
            (-inf, inf, Some(Wrong::InfinityForFinite)),
            (inf, 1.0, Some(Wrong::InfinityForFinite)),
            (1.0, inf, Some(Wrong::FiniteForInfinity)),
            (-1.0, 0.0, None),
            (-0.0, 0.0, None),
            (-0.0, 1.0, Some(Wrong::ZeroForNonzero)),
            (-1.0, 1.0, Some(Wrong::Sign)),
            (2.0, 1.0, None),
        ];
        for (c, rounded, wrong) in cases {
            assert_eq!(Wrong::of(c, rounded), wrong, "{c} for {rounded}");
        }
    }

    #[test]
    fn extents_keep_first_places_and_leave_nan_out() {
        let mut all = Extent::default();
        for (i, v) in [f64::NAN, 2.0, 1.0, 2.0, 1.0].into_iter().enumerate() {
            all.add(v, i);
        }
        assert_eq!((all.least, all.greatest), (Some((1.0, 2)), Some((2.0, 1))));
        let mut later = Extent::default();
        later.add(1.0, 7);
        later.add(3.0, 8);
        all.merge(later);
        all.merge(Extent::default());
        assert_eq!((all.least, all.greatest), (Some((1.0, 2)), Some((3.0, 8))));
    }
}
