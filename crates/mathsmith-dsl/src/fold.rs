//! Values of constant expressions that need no function: exact fractions, and doubles for bounds.
//!
//! Everything else about the value of an expression belongs to the oracle; this is just enough to see that `1..0` is
//! empty and that `2^-24` is a number.

use crate::{Constant, ExactNumber, Expr, ExprId, ExprNode, Func};
use std::cmp::Ordering;

/// A fraction in lowest terms with a positive denominator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fraction {
    /// Numerator.
    pub num: i128,
    /// Denominator, at least 1.
    pub den: i128,
}

impl Fraction {
    fn new(num: i128, den: i128) -> Option<Fraction> {
        let (mut a, mut b) = (num.unsigned_abs(), den.unsigned_abs());
        while b != 0 {
            (a, b) = (b, a % b);
        }
        let divisor = i128::try_from(a).ok().filter(|&d| d != 0)?;
        let (num, den) = (num / divisor, den / divisor);
        if den < 0 {
            Some(Fraction { num: num.checked_neg()?, den: den.checked_neg()? })
        } else {
            (den > 0).then_some(Fraction { num, den })
        }
    }

    fn add(self, other: Fraction) -> Option<Fraction> {
        let left = self.num.checked_mul(other.den)?;
        let right = other.num.checked_mul(self.den)?;
        Fraction::new(left.checked_add(right)?, self.den.checked_mul(other.den)?)
    }

    fn neg(self) -> Option<Fraction> {
        Some(Fraction { num: self.num.checked_neg()?, ..self })
    }

    fn mul(self, other: Fraction) -> Option<Fraction> {
        Fraction::new(self.num.checked_mul(other.num)?, self.den.checked_mul(other.den)?)
    }

    fn recip(self) -> Option<Fraction> {
        Fraction::new(self.den, self.num)
    }

    fn pow(self, exponent: Fraction) -> Option<Fraction> {
        let times = u32::try_from(exponent.num.unsigned_abs()).ok().filter(|_| exponent.den == 1)?;
        let power = Fraction { num: self.num.checked_pow(times)?, den: self.den.checked_pow(times)? };
        if exponent.num < 0 { power.recip() } else { Some(power) }
    }

    /// Order of two fractions; `None` where the comparison overflows.
    pub fn compare(self, other: Fraction) -> Option<Ordering> {
        Some(self.num.checked_mul(other.den)?.cmp(&other.num.checked_mul(self.den)?))
    }
}

/// What is known of a constant without evaluating functions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Folded {
    Infinite {
        negative: bool,
    },
    Exact(Fraction),
    /// The nearest double of a plain number beyond fractions of 128 bits.
    Near(f64),
}

impl Expr {
    /// The exact value of an expression made of numbers and `+ - * / ^` alone, where it fits into 128 bits.
    pub fn fraction(&self) -> Option<Fraction> {
        let mut values: Vec<Option<Fraction>> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let value = |id: &ExprId| values[id.0 as usize];
            values.push(match node {
                ExprNode::Number(number) => number.fraction(),
                ExprNode::Call(func, a, None) if *func == Func::Neg => value(a).and_then(Fraction::neg),
                ExprNode::Call(func, a, Some(b)) => value(a).zip(value(b)).and_then(|(a, b)| match func {
                    Func::Add => a.add(b),
                    Func::Sub => b.neg().and_then(|b| a.add(b)),
                    Func::Mul => a.mul(b),
                    Func::Div => b.recip().and_then(|b| a.mul(b)),
                    Func::Pow => a.pow(b),
                    _ => None,
                }),
                _ => None,
            });
        }
        values[self.root.0 as usize]
    }

    /// The double nearest to an expression made of numbers and `+ - * / ^` alone (within an ulp for quotients whose
    /// terms exceed 53 bits); `None` for anything else.
    pub fn plain_f64(&self) -> Option<f64> {
        match self.fold()? {
            Folded::Infinite { .. } => None,
            Folded::Exact(fraction) => Some(fraction.num as f64 / fraction.den as f64),
            Folded::Near(value) => Some(value),
        }
    }

    pub(crate) fn fold(&self) -> Option<Folded> {
        if let Some(fraction) = self.fraction() {
            return Some(Folded::Exact(fraction));
        }
        let (mut id, mut negative) = (self.root, false);
        while let ExprNode::Call(Func::Neg, inner, None) = self.node(id) {
            (id, negative) = (*inner, !negative);
        }
        match self.node(id) {
            ExprNode::Constant(Constant::Infinity) => Some(Folded::Infinite { negative }),
            ExprNode::Number(number) => {
                let value = number.nearest_f64()?;
                Some(Folded::Near(if negative { -value } else { value }))
            }
            _ => None,
        }
    }
}

impl ExactNumber {
    fn fraction(&self) -> Option<Fraction> {
        let digits = i128::from_str_radix(&self.digits, self.radix).ok()?;
        let base: i128 = if self.radix == 16 { 2 } else { 10 };
        let scale = base.checked_pow(u32::try_from(self.exponent.unsigned_abs()).ok()?)?;
        if self.exponent < 0 { Fraction::new(digits, scale) } else { Fraction::new(digits.checked_mul(scale)?, 1) }
    }

    /// The nearest finite double of a decimal number, or of a hexadecimal one of up to 128 bits that is no subnormal.
    fn nearest_f64(&self) -> Option<f64> {
        let value = if self.radix == 10 {
            format!("{}e{}", self.digits, self.exponent).parse::<f64>().ok()?
        } else {
            let digits = u128::from_str_radix(&self.digits, 16).ok()? as f64;
            // Two steps, since 2^exponent alone may be out of range where the product is not; both are exact.
            let half = self.exponent / 2;
            digits * power_of_two(half)? * power_of_two(self.exponent - half)?
        };
        value.is_finite().then_some(value)
    }
}

fn power_of_two(exponent: i64) -> Option<f64> {
    let biased = u64::try_from(exponent + 1023).ok().filter(|b| (1..=2046).contains(b))?;
    Some(f64::from_bits(biased << 52))
}

#[cfg(test)]
mod tests {
    use crate::parse::parse_constant;

    fn value(source: &str) -> Option<f64> {
        parse_constant(source, true).expect(source).plain_f64()
    }

    #[test]
    fn plain_numbers_have_values() {
        let cases = [
            ("1.5e-3", 1.5e-3),
            ("2^-24", 1.0 / 16_777_216.0),
            ("0x1.8p-1", 0.75),
            ("-(3 - 1)/4", -0.5),
            ("0x1.fffffep127", f64::from(f32::MAX)),
            ("0x1p-1000", f64::from_bits(23 << 52)),
            ("1e300", 1e300),
            ("-1e-300", -1e-300),
            ("(2/3)^3", 8.0 / 27.0),
            ("0^0", 1.0),
        ];
        for (source, expected) in cases {
            assert_eq!(value(source), Some(expected), "{source}");
        }
        for source in ["pi", "1/0", "0^-1", "inf", "sqrt(4)", "2^0.5", "1e400", "2^1000", "1e300 + 1"] {
            assert_eq!(value(source), None, "{source}");
        }
    }

    #[test]
    fn fractions_are_exact() {
        let fraction = |s: &str| parse_constant(s, false).expect(s).fraction().map(|f| (f.num, f.den));
        assert_eq!(fraction("1/3 + 1/6"), Some((1, 2)));
        assert_eq!(fraction("0.1 - 1/10"), Some((0, 1)));
        assert_eq!(fraction("-(1/-3)"), Some((1, 3)));
        assert_eq!(fraction("2^127"), None);
        assert_eq!(fraction("-(2^126)*2"), Some((i128::MIN, 1)));
        assert_eq!(fraction("1/(-(2^126)*2)"), None);
    }
}
