//! The result of a verification.

use serde::{Deserialize, Serialize};

/// How much an error figure covers. Every figure that is shown carries one of these words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Coverage {
    /// Every input was evaluated.
    Exhaustive,
    /// A proven upper bound.
    Certified,
    /// The largest error seen: a lower bound.
    Sampled,
}

impl Coverage {
    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Coverage::Exhaustive => "exhaustive",
            Coverage::Certified => "certified",
            Coverage::Sampled => "sampled",
        }
    }
}

/// The largest value of one error measure and where it occurs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Extreme {
    /// The double nearest to the exact error, or an upper bound within 2^-24 of it where that many inputs share nearly one
    /// error; infinite where a result has the wrong class.
    #[serde(with = "any_f64")]
    pub value: f64,
    /// The first (smallest) input that attains it.
    pub input: f32,
    /// That input as a hexadecimal float.
    pub input_hex: String,
    /// The program's result there, as a hexadecimal float (`nan`, `inf` where it is one).
    pub output_hex: String,
}

/// Counts of results by error in ULP.
///
/// Bin 0 holds errors below [`Histogram::FIRST`]; then four bins an octave, linear within it, bin `1 + 4 k + j` holding
/// `2^(k-5) (1 + j/4) <= u < 2^(k-5) (1 + (j+1)/4)`; the last bin holds everything above, wrong classes included. The
/// figures are the fast ones: an error within 2^-28 of an edge may be counted on either side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Histogram {
    /// Count of each bin; [`Histogram::BINS`] of them.
    pub counts: Vec<u64>,
}

impl Histogram {
    /// Upper edge of bin 0.
    pub const FIRST: f64 = 0.03125;
    /// Number of bins: the last begins at 1024 ULP.
    pub const BINS: usize = 62;
    /// High bits (sign, exponent, two fraction bits) of the double `FIRST`, less one bin.
    pub(crate) const BASE: i32 = ((1023 - 5) << 2) - 1;

    pub(crate) fn new() -> Self {
        Histogram { counts: vec![0; Self::BINS] }
    }

    /// Lower edge of a bin.
    pub fn lower_edge(bin: usize) -> f64 {
        if bin == 0 { 0.0 } else { f64::from_bits(((Self::BASE as u64) + bin as u64) << 50) }
    }

    /// Bin of a non-negative error.
    #[inline(always)]
    pub fn bin(ulp: f64) -> usize {
        (((ulp.to_bits() >> 50) as i32).wrapping_sub(Self::BASE)).clamp(0, Self::BINS as i32 - 1) as usize
    }
}

/// An input with a large error, with everything a test needs to judge it again without MPFR.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorstPoint {
    /// Bits of the input.
    pub x_bits: u32,
    /// Bits of the program's result.
    pub output_bits: u32,
    /// Bits of the correctly rounded result (MPFR).
    pub rounded_bits: u32,
    /// The exact value as a sum of two doubles: the larger.
    #[serde(with = "any_f64")]
    pub y_hi: f64,
    /// The smaller.
    #[serde(with = "any_f64")]
    pub y_lo: f64,
    /// Exact error in ULP, to the nearest double.
    #[serde(with = "any_f64")]
    pub ulp: f64,
}

impl WorstPoint {
    /// The input.
    pub fn x(&self) -> f32 {
        f32::from_bits(self.x_bits)
    }
}

/// The check of one input that stands beside the domain: -0, an infinity, NaN.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpecialCheck {
    /// `-0`, `-inf`, `inf` or `nan`.
    pub input: String,
    /// Bits of the input.
    pub x_bits: u32,
    /// Bits of the correctly rounded result; NaN is `0x7fc00000`.
    pub expected_bits: u32,
    /// Bits of the program's result; NaN is `0x7fc00000`.
    pub got_bits: u32,
    /// Same class: both NaN, the same infinity, both zero, or finite with the same sign.
    pub same_class: bool,
    /// Where both are zero: whether the signs agree. True otherwise.
    pub same_zero_sign: bool,
    /// Error in ULP; infinite for a wrong class.
    #[serde(with = "any_f64")]
    pub ulp: f64,
}

/// What is known about a program's error on a domain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ErrorReport {
    /// How much the figures cover.
    pub coverage: Coverage,
    /// Inputs evaluated, specials not counted.
    pub inputs: u64,
    /// Seed of a sample; `None` for an exhaustive check.
    pub seed: Option<u64>,
    /// Smallest input.
    pub lo: f32,
    /// Largest input.
    pub hi: f32,
    /// Largest error in ULP.
    pub max_ulp: Extreme,
    /// Largest relative error.
    pub max_rel: Extreme,
    /// Largest absolute error.
    pub max_abs: Extreme,
    /// Mean error in ULP over the inputs of the right class.
    pub mean_ulp: f64,
    /// Results that are not the correctly rounded ones (a zero of either sign is the rounded zero).
    pub not_correctly_rounded: u64,
    /// Results of the wrong class: NaN or an infinity for a number, or the reverse.
    pub wrong_class: u64,
    /// Distribution of the error in ULP.
    pub histogram: Histogram,
    /// [`crate::checksum`] over all inputs and results.
    pub checksum: u64,
    /// Inputs beside the domain.
    pub specials: Vec<SpecialCheck>,
    /// The worst inputs of up to 256 stretches of the domain, worst first: they feed the adversarial set and the
    /// emitted tests. The first is the input of `max_ulp`.
    pub adversarial: Vec<WorstPoint>,
    /// Inputs that were settled by MPFR.
    pub settled: u64,
}

impl ErrorReport {
    /// Whether every special has the right class, and a zero the right sign.
    pub fn specials_agree(&self) -> bool {
        self.specials.iter().all(|s| s.same_class && s.same_zero_sign)
    }

    /// Largest error in ULP, finite specials (-0) included.
    pub fn max_ulp_with_specials(&self) -> f64 {
        self.specials.iter().map(|s| s.ulp).fold(self.max_ulp.value, f64::max)
    }

    /// The worst inputs as plain numbers.
    pub fn adversarial_inputs(&self) -> Vec<f32> {
        self.adversarial.iter().map(WorstPoint::x).collect()
    }
}

/// A float as C and most readers write it in hexadecimal: `0x1.8p-1`, `-0x0p+0`, `inf`, `nan`. Every `f32` is also a
/// double, so one function serves both; an `f32` subnormal is written normalised.
pub fn hex(x: f64) -> String {
    let sign = if x.is_sign_negative() { "-" } else { "" };
    if x.is_nan() {
        return "nan".to_owned();
    }
    if x.is_infinite() {
        return format!("{sign}inf");
    }
    let bits = x.to_bits();
    let (biased, mut fraction) = ((bits >> 52) as i64 & 0x7ff, bits & ((1 << 52) - 1));
    if biased == 0 && fraction == 0 {
        return format!("{sign}0x0p+0");
    }
    let mut exponent = biased - 1023;
    if biased == 0 {
        let shift = fraction.leading_zeros() - 11;
        fraction = (fraction << shift) & ((1 << 52) - 1);
        exponent = -1022 - i64::from(shift);
    }
    let digits = format!("{fraction:013x}");
    let digits = digits.trim_end_matches('0');
    let point = if digits.is_empty() { "" } else { "." };
    format!("{sign}0x1{point}{digits}p{exponent:+}")
}

/// The number that [`hex`] wrote; decimal is read as well, and rounded to the nearest double. `None` for anything else.
pub fn unhex(text: &str) -> Option<f64> {
    match mathsmith_ir::text::parse_literal(text, mathsmith_ir::Type::F64) {
        Ok(mathsmith_ir::Literal::F64(x)) => Some(x),
        _ => None,
    }
}

/// JSON has no infinities: a double that is not finite is written as a string.
pub(crate) mod any_f64 {
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(x: &f64, s: S) -> Result<S::Ok, S::Error> {
        if x.is_finite() { s.serialize_f64(*x) } else { s.serialize_str(&super::hex(*x)) }
    }

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Form {
        Number(f64),
        Word(String),
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<f64, D::Error> {
        match Form::deserialize(d)? {
            Form::Number(x) => Ok(x),
            Form::Word(w) => match w.as_str() {
                "inf" => Ok(f64::INFINITY),
                "-inf" => Ok(f64::NEG_INFINITY),
                "nan" => Ok(f64::NAN),
                other => Err(serde::de::Error::custom(format!("`{other}` is not a number, `inf`, `-inf` or `nan`"))),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_floats() {
        for (x, text) in [
            (0.75, "0x1.8p-1"),
            (1.0, "0x1p+0"),
            (-0.0, "-0x0p+0"),
            (f64::from(f32::from_bits(1)), "0x1p-149"),
            (5e-324, "0x1p-1074"),
            (f64::from(f32::MAX), "0x1.fffffep+127"),
            (-f64::INFINITY, "-inf"),
            (f64::NAN, "nan"),
            (0.1, "0x1.999999999999ap-4"),
        ] {
            assert_eq!(hex(x), text);
            assert_eq!(unhex(text).map(f64::to_bits), Some(x.to_bits()), "{text}");
        }
    }

    #[test]
    fn only_numbers_are_read() {
        for text in ["", "x", "0x", "1 2", "0x1p+0 ", "1:f64"] {
            let read = unhex(text);
            assert!(read.is_none() || read == Some(1.0), "{text}: {read:?}");
        }
    }

    #[test]
    fn histogram_edges() {
        assert_eq!(Histogram::lower_edge(1), Histogram::FIRST);
        assert_eq!(Histogram::lower_edge(Histogram::BINS - 1), 1024.0);
        for bin in 1..Histogram::BINS {
            let edge = Histogram::lower_edge(bin);
            assert_eq!(Histogram::bin(edge), bin);
            assert_eq!(Histogram::bin(edge.next_down()), bin - 1);
        }
        assert_eq!(Histogram::bin(0.0), 0);
        assert_eq!(Histogram::bin(f64::INFINITY), Histogram::BINS - 1);
        assert!((0..Histogram::BINS).any(|b| Histogram::lower_edge(b) == 0.5), "correct rounding ends at an edge");
    }
}
