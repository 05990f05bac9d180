//! The result of a measurement, whatever was measured and however: the one record that tables, plots, certificates and
//! machines read.
//!
//! An [`crate::ErrorReport`] serves the search and the emitted tests of one `f32` domain; a [`Measured`] says everything that a
//! person who owns a function wants to know, for every format, one or two arguments, exhaustive or sampled.

use crate::report::{Coverage, Histogram, any_f64};
use serde::{Deserialize, Serialize};

/// The largest value of one figure and where it occurs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Peak {
    /// The double nearest to the exact figure at that input, or an upper bound within 2^-24 of it where that many inputs
    /// share nearly one figure; infinite where a result has the wrong class.
    #[serde(with = "any_f64")]
    pub value: f64,
    /// The input, one hexadecimal float an argument.
    pub x: Vec<String>,
    /// The same in decimal, with as many digits as read back to the same float of the input format.
    pub x_decimal: Vec<String>,
    /// The subject's result there.
    pub result: String,
    /// The exact value, rounded to 25 decimal digits (`nan`, `inf` where it is one).
    pub exact: String,
}

/// Results of a class that the reference does not have there. Each count has the first input at which it happens.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Classes {
    /// NaN where the reference has a value.
    pub nan_for_number: Tally,
    /// A number or an infinity where the reference is undefined.
    pub number_for_nan: Tally,
    /// An infinity where the correctly rounded result is finite, or the other infinity.
    pub infinity_for_finite: Tally,
    /// A finite result where the correctly rounded one is an infinity.
    pub finite_for_infinity: Tally,
    /// Zero where the correctly rounded result is not zero.
    pub zero_for_nonzero: Tally,
    /// The other sign than a nonzero correctly rounded result.
    pub wrong_sign: Tally,
}

/// How often something happens, and where first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    /// How often, among the inputs evaluated.
    pub count: u64,
    /// The first input (the smallest; for samples the first drawn), a hexadecimal float an argument.
    pub first: Option<Vec<String>>,
}

/// One special input: a zero, an infinity, NaN, an end of the domain, a seam.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpecialPoint {
    /// What it is: `-0`, `0`, `inf`, `-inf`, `nan`, `lower end`, `upper end`, `seam`, `below seam`, `above seam`.
    pub what: String,
    /// The input, one hexadecimal float an argument.
    pub x: Vec<String>,
    /// The correctly rounded result, a hexadecimal float.
    pub expected: String,
    /// The subject's result, a hexadecimal float.
    pub got: String,
    /// Both NaN, the same infinity, both zero, or finite with the same sign.
    pub same_class: bool,
    /// Where both are zero: whether the signs agree. True otherwise.
    pub same_zero_sign: bool,
    /// Exact error in ULP; infinite for a wrong class.
    #[serde(with = "any_f64")]
    pub ulp: f64,
}

/// Figures of the inputs that share sign and binade (of the first argument).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BinadeRow {
    /// Whether the inputs are negative.
    pub negative: bool,
    /// `e` for inputs with `2^e <= |x| < 2^(e+1)`; one less than the least normal exponent stands for zero and subnormals.
    pub exponent: i32,
    /// Inputs evaluated.
    pub inputs: u64,
    /// Largest error in ULP: exact at its input, which is the worst one as far as doubles tell (to 2^-16 ULP).
    #[serde(with = "any_f64")]
    pub max_ulp: f64,
    /// Where, a hexadecimal float an argument.
    pub worst: Vec<String>,
    /// Mean error in ULP over results of the right class.
    pub mean_ulp: f64,
    /// Results that are not the correctly rounded ones.
    pub not_correctly_rounded: u64,
}

/// One column of the plot of error against input: a stretch of adjacent inputs with its extreme signed errors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProfileRow {
    /// Smallest input of the stretch.
    #[serde(with = "any_f64")]
    pub lo: f64,
    /// Largest.
    #[serde(with = "any_f64")]
    pub hi: f64,
    /// Greatest `(computed - exact) / ulp(exact)`, to about 2^-16 ULP; wrong classes are left out.
    pub above: f64,
    /// Least one.
    pub below: f64,
}

/// A property that was checked on every input evaluated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// Pairs or points looked at.
    pub looked_at: u64,
    /// The first place where it does not hold; `None` where it always holds.
    pub broken: Option<Break>,
}

/// Where a property does not hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Break {
    /// The inputs concerned, a hexadecimal float each (for one of several arguments: all of them).
    pub at: Vec<String>,
    /// The results there.
    pub results: Vec<String>,
    /// In words.
    pub what: String,
}

/// What a reference does under a change of sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Parity {
    /// `f(-x) = -f(x)`.
    Odd,
    /// `f(-x) = f(x)`.
    Even,
}

/// Least and greatest results, of the subject and as correctly rounded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Range {
    /// Least and greatest result of the subject as judged (NaN left out), hexadecimal floats.
    pub got: [String; 2],
    /// Where they occur first.
    pub at: [Vec<String>; 2],
    /// Least and greatest correctly rounded result.
    pub expected: [String; 2],
}

/// Results against a tolerance `|computed - y| <= t(x, y)`.
///
/// Where the correctly rounded result is an infinity or NaN the same is 0 times the tolerance off, and anything else is
/// infinitely beyond any tolerance; so is an infinity or NaN in the place of a number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tolerated {
    /// The tolerance as written.
    pub tolerance: String,
    /// Largest `|computed - y| / t(x, y)`: at most 1 where the tolerance holds everywhere.
    pub worst: Peak,
    /// Inputs beyond it.
    pub beyond: Tally,
}

/// Everything measured of one subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// How much the figures cover.
    pub coverage: Coverage,
    /// Inputs evaluated, specials not counted.
    pub inputs: u64,
    /// Seed of a sample; `None` for an exhaustive measurement.
    pub seed: Option<u64>,
    /// Format of the inputs: `f32`, `f64`, `f16`, `bf16`.
    pub format: String,
    /// Format in which results are judged, after a rounding to it.
    pub judged_at: String,
    /// Whether the subject ran with subnormals flushed to zero. Then subnormal inputs are not counted, and a zero where
    /// the exact value is not zero but below the least normal number counts as the correctly rounded result in every
    /// figure: its error is that of the correctly rounded result, at most 1/2 ULP. Only the results that
    /// [`Peak`], [`SpecialPoint`] and the symmetry show, and the checksum, are as the subject gave them.
    pub ftz: bool,
    /// Smallest and largest input of each argument, hexadecimal floats.
    pub domain: Vec<[String; 2]>,
    /// Largest error in ULP.
    pub max_ulp: Peak,
    /// Largest relative error.
    pub max_rel: Peak,
    /// Largest relative error where the exact value is normal in the format judged at and does not overflow, that is
    /// where its magnitude is at least the least normal number and its correctly rounded result is finite: below, a
    /// format has absolute precision only, and beyond its range none. `None` if no exact value is such.
    pub max_rel_normal: Option<Peak>,
    /// Largest absolute error.
    pub max_abs: Peak,
    /// Mean error in ULP over the results for which neither an infinity nor NaN stands in the place of something else, nor
    /// something else in theirs (of a sample: over its random part).
    pub mean_ulp: f64,
    /// Results that are not the correctly rounded ones (a zero of either sign is the rounded zero); of a sample: in its
    /// random part, whose size is the sum of the histogram.
    pub not_correctly_rounded: u64,
    /// Results of a wrong class; of a sample: among the inputs that MPFR judged.
    pub classes: Classes,
    /// Distribution of the error in ULP (of a sample: over its random part).
    pub histogram: Histogram,
    /// Special inputs: zeros, infinities, NaN, ends, seams.
    pub specials: Vec<SpecialPoint>,
    /// By binade of the first argument, ascending inputs.
    pub binades: Vec<BinadeRow>,
    /// Signed error against the first argument, ascending.
    pub profile: Vec<ProfileRow>,
    /// Whether the result never moves against the function between neighbouring inputs. `None` where neighbours are not
    /// looked at (two arguments); of a sample on drawn pairs.
    pub monotone: Option<Check>,
    /// The reference's symmetry and whether the subject has it bit for bit. `None` where the reference has none or the
    /// domain is not symmetric.
    pub parity: Option<(Parity, Check)>,
    /// Whether a second call gave the same bits, on the inputs that were called twice.
    pub pure: Check,
    /// Least and greatest results.
    pub range: Range,
    /// The tolerance, if one was asked for.
    pub tolerated: Option<Tolerated>,
    /// Zeros accepted in place of subnormal results (with `ftz`).
    pub flushed: u64,
    /// [`crate::checksum`] over all inputs and results; for two arguments and doubles see [`crate::checksum`] too.
    pub checksum: String,
    /// Worst inputs, worst first, a hexadecimal float an argument each: the adversarial set's food.
    pub adversarial: Vec<Vec<String>>,
    /// Inputs that MPFR settled.
    pub settled: u64,
}
