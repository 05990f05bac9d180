//! Literals: exact constants, compared and hashed by their bits.

use crate::Type;
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
