//! The six value types of the program graph.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Type of a value in a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Type {
    /// A real number without rounding: the type of operation-count work. Engines choose how many digits they carry.
    Real,
    /// IEEE 754 binary32.
    F32,
    /// IEEE 754 binary64.
    F64,
    /// 32-bit two's complement integer; arithmetic wraps.
    I32,
    /// 64-bit two's complement integer; arithmetic wraps.
    I64,
    /// Truth value.
    Bool,
}

impl Type {
    /// Every type, in declaration order.
    pub const ALL: [Type; 6] = [Type::Real, Type::F32, Type::F64, Type::I32, Type::I64, Type::Bool];

    /// `real`, `f32` or `f64`.
    pub fn is_float(self) -> bool {
        matches!(self, Type::Real | Type::F32 | Type::F64)
    }

    /// `i32` or `i64`.
    pub fn is_int(self) -> bool {
        matches!(self, Type::I32 | Type::I64)
    }

    /// Width in bits of a machine value; `None` for `real`, 1 for `bool`.
    pub fn bits(self) -> Option<u32> {
        match self {
            Type::Real => None,
            Type::F32 | Type::I32 => Some(32),
            Type::F64 | Type::I64 => Some(64),
            Type::Bool => Some(1),
        }
    }

    /// The name used in the text form.
    pub fn name(self) -> &'static str {
        match self {
            Type::Real => "real",
            Type::F32 => "f32",
            Type::F64 => "f64",
            Type::I32 => "i32",
            Type::I64 => "i64",
            Type::Bool => "bool",
        }
    }

    /// Inverse of [`Type::name`].
    pub fn from_name(name: &str) -> Option<Type> {
        Type::ALL.into_iter().find(|t| t.name() == name)
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
