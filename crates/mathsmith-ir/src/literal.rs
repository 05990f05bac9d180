//! Literals: exact constants, compared and hashed by their bits.

use crate::Type;
use crate::exact::Ratio;
use serde::{Deserialize, Serialize};

/// A real constant: the exact sum of three doubles of decreasing magnitude (about 160 bits).
///
/// Canonical form: each term is the double nearest to what the terms before it leave, and zeros are `+0`, so that equal
/// reals written with enough digits are equal bit for bit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RealLit(pub [f64; 3]);

impl RealLit {
    /// The real that is exactly `x`.
    pub fn new(x: f64) -> Self {
        RealLit([x + 0.0, 0.0, 0.0])
    }

    /// Nearest double: the first term.
    pub fn to_f64(self) -> f64 {
        self.0[0]
    }

    /// Nearest `f32`, rounded once (rounding [`RealLit::to_f64`] again would round twice).
    pub fn to_f32(self) -> f32 {
        if self.0.iter().all(|t| t.is_finite()) { self.exact().to_f32() } else { self.0[0] as f32 }
    }

    /// The canonical literal of the exact sum of three doubles in any order. A sum that is not finite, which is no real,
    /// becomes one infinite or NaN term.
    pub fn from_sum(terms: [f64; 3]) -> Self {
        let lit = RealLit(terms.map(|t| t + 0.0));
        if lit.is_canonical() {
            return lit;
        }
        let sum = terms[0] + terms[1] + terms[2];
        if !terms.iter().all(|t| t.is_finite()) {
            return RealLit([if sum.is_nan() { f64::NAN } else { sum }, 0.0, 0.0]);
        }
        lit.exact().to_real().unwrap_or(RealLit([sum, 0.0, 0.0]))
    }

    /// Whether the terms are the canonical ones of a finite real.
    pub fn is_canonical(self) -> bool {
        let [a, b, c] = self.0;
        if !self.0.iter().all(|t| t.is_finite() && t.to_bits() != (-0.0f64).to_bits()) {
            return false;
        }
        if c == 0.0 {
            return a + b == a;
        }
        if b == 0.0 || a == 0.0 || b + c != b {
            return false;
        }
        // `b + c` lies between `b` and its neighbour on the side of `c`: if both leave `a` alone, so does the sum.
        let outwards = (c > 0.0) == (b > 0.0);
        let neighbour = f64::from_bits(if outwards { b.to_bits() + 1 } else { b.to_bits() - 1 });
        if a + b == a && a + neighbour == a {
            return true;
        }
        self.exact().to_real().is_some_and(|r| r == self)
    }

    fn exact(self) -> Ratio {
        self.0[1..].iter().fold(Ratio::from_f64(self.0[0]), |sum, &t| sum.plus(&Ratio::from_f64(t)))
    }
}

/// A constant of one of the six types.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum Literal {
    /// A `real`.
    Real(RealLit),
    /// An `f32`, exact bits.
    F32(f32),
    /// An `f64`, exact bits.
    F64(f64),
    /// An `i32`.
    I32(i32),
    /// An `i64`.
    I64(i64),
    /// A `bool`.
    Bool(bool),
}

impl Literal {
    /// The literal's type.
    pub fn ty(self) -> Type {
        match self {
            Literal::Real(_) => Type::Real,
            Literal::F32(_) => Type::F32,
            Literal::F64(_) => Type::F64,
            Literal::I32(_) => Type::I32,
            Literal::I64(_) => Type::I64,
            Literal::Bool(_) => Type::Bool,
        }
    }

    /// A float literal of type `ty` nearest to `x`; `None` if `ty` is not a float type.
    pub fn float(ty: Type, x: f64) -> Option<Literal> {
        match ty {
            Type::Real => Some(Literal::Real(RealLit::new(x))),
            Type::F32 => Some(Literal::F32(x as f32)),
            Type::F64 => Some(Literal::F64(x)),
            _ => None,
        }
    }

    /// Nearest double of a float literal; `None` for integers and `bool`.
    pub fn to_f64(self) -> Option<f64> {
        match self {
            Literal::Real(r) => Some(r.to_f64()),
            Literal::F32(x) => Some(f64::from(x)),
            Literal::F64(x) => Some(x),
            _ => None,
        }
    }

    /// The real number that a finite float literal is; `None` for infinities, NaN, integers and `bool`.
    pub fn to_real(self) -> Option<RealLit> {
        match self {
            Literal::Real(r) => r.0.iter().all(|t| t.is_finite()).then_some(r),
            Literal::F32(x) => x.is_finite().then(|| RealLit::new(f64::from(x))),
            Literal::F64(x) => x.is_finite().then(|| RealLit::new(x)),
            _ => None,
        }
    }

    /// The literal with its real terms in canonical form; every other literal as it is.
    pub fn canonical(self) -> Literal {
        match self {
            Literal::Real(r) => Literal::Real(RealLit::from_sum(r.0)),
            other => other,
        }
    }

    /// Zero of a type (`false` for `bool`).
    pub fn zero(ty: Type) -> Literal {
        match ty {
            Type::Real => Literal::Real(RealLit::new(0.0)),
            Type::F32 => Literal::F32(0.0),
            Type::F64 => Literal::F64(0.0),
            Type::I32 => Literal::I32(0),
            Type::I64 => Literal::I64(0),
            Type::Bool => Literal::Bool(false),
        }
    }

    /// The bits that identify the literal within its type.
    pub fn key(self) -> [u64; 3] {
        match self {
            Literal::Real(r) => r.0.map(f64::to_bits),
            Literal::F32(x) => [u64::from(x.to_bits()), 0, 0],
            Literal::F64(x) => [x.to_bits(), 0, 0],
            Literal::I32(x) => [u64::from(x as u32), 0, 0],
            Literal::I64(x) => [x as u64, 0, 0],
            Literal::Bool(x) => [u64::from(x), 0, 0],
        }
    }
}

impl PartialEq for Literal {
    fn eq(&self, other: &Self) -> bool {
        self.ty() == other.ty() && self.key() == other.key()
    }
}
impl Eq for Literal {}
impl std::hash::Hash for Literal {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.ty().hash(state);
        self.key().hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_become_canonical() {
        let tiny = 2f64.powi(-53);
        for (terms, want) in [
            ([1.0, 1.0, 0.0], [2.0, 0.0, 0.0]),
            ([0.0, 0.0, 3.0], [3.0, 0.0, 0.0]),
            ([1.0, tiny, 0.0], [1.0, tiny, 0.0]),
            // A tie that a third term decides.
            ([1.0, tiny, tiny.powi(3)], [1.0 + 2.0 * tiny, -tiny, tiny.powi(3)]),
            ([1.0, -1.0, -0.0], [0.0, 0.0, 0.0]),
            ([1e300, -1e300, 5e-324], [5e-324, 0.0, 0.0]),
        ] {
            let got = RealLit::from_sum(terms);
            assert_eq!(got.0.map(f64::to_bits), want.map(f64::to_bits), "{terms:?}");
            assert!(got.is_canonical());
        }
        assert!(!RealLit([1.0, tiny, tiny.powi(3)]).is_canonical());
        assert!(!RealLit([f64::INFINITY, 0.0, 0.0]).is_canonical());
    }

    #[test]
    fn f32_of_a_real_rounds_once() {
        // Halfway between two f32 by its first term; the second decides, which rounding twice would lose.
        let half = 1.0 + 2f64.powi(-24);
        assert_eq!(RealLit::from_sum([half, 1e-30, 0.0]).to_f32(), 1.0 + f32::EPSILON);
        assert_eq!(RealLit::from_sum([half, -1e-30, 0.0]).to_f32(), 1.0);
    }
}
