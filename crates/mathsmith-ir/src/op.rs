//! The operations and their typing rules.
//!
//! The exact meaning of each operation is fixed by the interpreter ([`crate::interp`]); every other engine agrees with
//! it bit for bit, NaN being one class. Points that are easy to get wrong:
//!
//! * `min a b` is `a < b ? a : b` and `max a b` is `a > b ? a : b`: with a NaN or two zeros the *second* is returned.
//! * `mul` and `add` are never contracted; only `fma` rounds once.
//! * float to integer conversion truncates, saturates, and takes NaN to 0.
//! * shift counts are taken modulo the width of the shifted value.
//! * `sign` is -1, 0 or 1 with the sign of a zero kept; `sign NaN` is NaN.
//! * the elementary functions ([`Op::ELEMENTARY`]) are programs of the other operations: [`crate::kernels`] defines them.
//! * the reductions ([`Op::REDUCTIONS`]) combine the rows of a call in one fixed order: [`crate::staged`] defines it.

use crate::Type;
use serde::{Deserialize, Serialize};

/// An operation. Its result type follows from its arguments by [`Op::infer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Op {
    /// `a + b` on floats and integers (integers wrap).
    Add,
    /// `a - b` on floats and integers (integers wrap).
    Sub,
    /// `a * b` on floats and integers (integers wrap).
    Mul,
    /// `a / b` on floats.
    Div,
    /// `a * b + c`, rounded once.
    Fma,
    /// `-a` on floats (sign bit flipped) and integers (wraps).
    Neg,
    /// `|a|` on floats (sign bit cleared) and integers (wraps).
    Abs,
    /// `a < b ? a : b` on floats and integers.
    Min,
    /// `a > b ? a : b` on floats and integers.
    Max,
    /// Square root, correctly rounded.
    Sqrt,
    /// Sign: -1, the zero itself, or 1.
    Sign,
    /// Largest integral value not above `a`.
    Floor,
    /// Smallest integral value not below `a`.
    Ceil,
    /// Nearest integral value, ties to even.
    RoundEven,
    /// Integral part towards zero.
    Trunc,
    /// Magnitude of `a` with the sign bit of `b` (floats).
    CopySign,
    /// `a == b`.
    Eq,
    /// `a != b` (true with a NaN).
    Ne,
    /// `a < b`.
    Lt,
    /// `a <= b`.
    Le,
    /// `a > b`.
    Gt,
    /// `a >= b`.
    Ge,
    /// `c ? a : b`; the condition comes first.
    Select,
    /// Value conversion to the named type (see the module documentation for float to integer).
    Convert(Type),
    /// The same bits as another type of equal width (`f32`/`i32`, `f64`/`i64`).
    Bitcast(Type),
    /// Bitwise and, on integers and `bool`.
    And,
    /// Bitwise or, on integers and `bool`.
    Or,
    /// Bitwise exclusive or, on integers and `bool`.
    Xor,
    /// Bitwise complement, on integers and `bool`.
    Not,
    /// `a << (b mod width)`; `b` is `i32` or the type of `a`.
    Shl,
    /// Arithmetic `a >> (b mod width)`.
    Shr,
    /// Logical `a >> (b mod width)`.
    ShrLogical,
    /// Entry of a constant table ([`crate::Program::tables`]) at an integer index, clamped to the table's ends.
    Table(u32),
    /// `e^a`.
    Exp,
    /// Natural logarithm of `a`.
    Log,
    /// `a^b`.
    Pow,
    /// Sine of `a` radians.
    Sin,
    /// Cosine of `a` radians.
    Cos,
    /// Tangent of `a` radians.
    Tan,
    /// Arc sine, in -pi/2 to pi/2.
    Asin,
    /// Arc cosine, in 0 to pi.
    Acos,
    /// Arc tangent, in -pi/2 to pi/2.
    Atan,
    /// Sum of `a` over all rows of the call, the same in every row.
    Sum,
    /// Square root of the sum of the squares of `a` over all rows.
    Norm,
    /// Sum of the products `a * b` over all rows.
    Dot,
}

impl Op {
    /// Every operation without a payload that an engine carries out itself, row by row.
    pub const PLAIN: [Op; 30] = [
        Op::Add,
        Op::Sub,
        Op::Mul,
        Op::Div,
        Op::Fma,
        Op::Neg,
        Op::Abs,
        Op::Min,
        Op::Max,
        Op::Sqrt,
        Op::Sign,
        Op::Floor,
        Op::Ceil,
        Op::RoundEven,
        Op::Trunc,
        Op::CopySign,
        Op::Eq,
        Op::Ne,
        Op::Lt,
        Op::Le,
        Op::Gt,
        Op::Ge,
        Op::Select,
        Op::And,
        Op::Or,
        Op::Xor,
        Op::Not,
        Op::Shl,
        Op::Shr,
        Op::ShrLogical,
    ];

    /// The elementary functions, which [`crate::kernels::lower`] writes in the operations of [`Op::PLAIN`].
    pub const ELEMENTARY: [Op; 9] =
        [Op::Exp, Op::Log, Op::Pow, Op::Sin, Op::Cos, Op::Tan, Op::Asin, Op::Acos, Op::Atan];

    /// The operations whose result depends on all rows of a call.
    pub const REDUCTIONS: [Op; 3] = [Op::Sum, Op::Norm, Op::Dot];

    /// Every operation without a payload: plain ones, elementary functions, reductions.
    pub fn named() -> impl Iterator<Item = Op> {
        Op::PLAIN.into_iter().chain(Op::ELEMENTARY).chain(Op::REDUCTIONS)
    }

    /// Whether the operation is one of [`Op::ELEMENTARY`].
    pub fn is_elementary(self) -> bool {
        Op::ELEMENTARY.contains(&self)
    }

    /// Whether the operation is one of [`Op::REDUCTIONS`].
    pub fn is_reduction(self) -> bool {
        Op::REDUCTIONS.contains(&self)
    }

    /// The mnemonic of the text form, without payload.
    pub fn name(self) -> &'static str {
        match self {
            Op::Add => "add",
            Op::Sub => "sub",
            Op::Mul => "mul",
            Op::Div => "div",
            Op::Fma => "fma",
            Op::Neg => "neg",
            Op::Abs => "abs",
            Op::Min => "min",
            Op::Max => "max",
            Op::Sqrt => "sqrt",
            Op::Sign => "sign",
            Op::Floor => "floor",
            Op::Ceil => "ceil",
            Op::RoundEven => "round_even",
            Op::Trunc => "trunc",
            Op::CopySign => "copysign",
            Op::Eq => "eq",
            Op::Ne => "ne",
            Op::Lt => "lt",
            Op::Le => "le",
            Op::Gt => "gt",
            Op::Ge => "ge",
            Op::Select => "select",
            Op::Convert(_) => "convert",
            Op::Bitcast(_) => "bitcast",
            Op::And => "and",
            Op::Or => "or",
            Op::Xor => "xor",
            Op::Not => "not",
            Op::Shl => "shl",
            Op::Shr => "shr",
            Op::ShrLogical => "shr_logical",
            Op::Table(_) => "table",
            Op::Exp => "exp",
            Op::Log => "log",
            Op::Pow => "pow",
            Op::Sin => "sin",
            Op::Cos => "cos",
            Op::Tan => "tan",
            Op::Asin => "asin",
            Op::Acos => "acos",
            Op::Atan => "atan",
            Op::Sum => "sum",
            Op::Norm => "norm",
            Op::Dot => "dot",
        }
    }

    /// Number of arguments: 1, 2 or 3.
    pub fn arity(self) -> usize {
        match self {
            Op::Neg
            | Op::Abs
            | Op::Sqrt
            | Op::Sign
            | Op::Floor
            | Op::Ceil
            | Op::RoundEven
            | Op::Trunc
            | Op::Convert(_)
            | Op::Bitcast(_)
            | Op::Not
            | Op::Table(_)
            | Op::Exp
            | Op::Log
            | Op::Sin
            | Op::Cos
            | Op::Tan
            | Op::Asin
            | Op::Acos
            | Op::Atan
            | Op::Sum
            | Op::Norm => 1,
            Op::Fma | Op::Select => 3,
            _ => 2,
        }
    }

    /// Whether the first two arguments may be exchanged without changing a bit (NaN payloads aside).
    pub fn commutes(self) -> bool {
        matches!(self, Op::Add | Op::Mul | Op::Fma | Op::And | Op::Or | Op::Xor | Op::Eq | Op::Ne | Op::Dot)
    }

    /// Result type for the given argument types, or `None` where the operation is not defined on them.
    ///
    /// `table_type` gives the element type of a constant table.
    pub fn infer(self, args: &[Type], table_type: impl Fn(u32) -> Option<Type>) -> Option<Type> {
        if args.len() != self.arity() {
            return None;
        }
        let a = args[0];
        let same = args.iter().all(|&t| t == a);
        let number = a != Type::Bool;
        match self {
            Op::Add | Op::Sub | Op::Mul | Op::Min | Op::Max | Op::Neg | Op::Abs => (same && number).then_some(a),
            Op::Div | Op::Fma | Op::Sqrt | Op::Floor | Op::Ceil | Op::RoundEven | Op::Trunc | Op::CopySign => {
                (same && a.is_float()).then_some(a)
            }
            Op::Sign => (a.is_float()).then_some(a),
            Op::Exp | Op::Log | Op::Pow | Op::Sin | Op::Cos | Op::Tan | Op::Asin | Op::Acos | Op::Atan => {
                (same && a.is_float()).then_some(a)
            }
            Op::Sum | Op::Norm | Op::Dot => (same && a.is_float()).then_some(a),
            Op::Eq | Op::Ne => same.then_some(Type::Bool),
            Op::Lt | Op::Le | Op::Gt | Op::Ge => (same && number).then_some(Type::Bool),
            Op::Select => (a == Type::Bool && args[1] == args[2]).then_some(args[1]),
            Op::Convert(to) => {
                let real = a == Type::Real || to == Type::Real;
                (a != to && number && to != Type::Bool && !real).then_some(to)
            }
            Op::Bitcast(to) => {
                let wide = a.bits() == to.bits() && matches!(a.bits(), Some(32 | 64));
                (wide && a.is_float() != to.is_float()).then_some(to)
            }
            Op::And | Op::Or | Op::Xor | Op::Not => (same && (a.is_int() || a == Type::Bool)).then_some(a),
            Op::Shl | Op::Shr | Op::ShrLogical => (a.is_int() && (args[1] == a || args[1] == Type::I32)).then_some(a),
            Op::Table(t) => a.is_int().then(|| table_type(t)).flatten(),
        }
    }
}
