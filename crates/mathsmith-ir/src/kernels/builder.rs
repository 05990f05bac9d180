//! Shorthands for writing kernels in `f64` and `i64`, and the error-free transformations that they share.
//!
//! Nothing here is fused: a kernel then runs as native code on a machine without fused multiply-add too, and emitted C
//! needs no library for it.

use crate::{Literal, Op, Program, Type, Value};

/// A sum of two doubles, the second a correction of the first.
#[derive(Clone, Copy)]
pub(super) struct Pair {
    pub hi: Value,
    pub lo: Value,
}

/// Appends operations to a program; equal ones are one node, so kernels of one argument share what they have in common.
pub(super) struct Builder<'a> {
    pub p: &'a mut Program,
}

macro_rules! binary {
    ($($name:ident $op:ident;)*) => {$(
        pub fn $name(&mut self, a: Value, b: Value) -> Value {
            self.p.must(Op::$op, &[a, b])
        }
    )*};
}

macro_rules! unary {
    ($($name:ident $op:expr;)*) => {$(
        pub fn $name(&mut self, a: Value) -> Value {
            self.p.must($op, &[a])
        }
    )*};
}

impl Builder<'_> {
    binary! {
        add Add; sub Sub; mul Mul; div Div; min Min; max Max; copysign CopySign;
        eq Eq; ne Ne; lt Lt; le Le; gt Gt;
        and And; or Or; shl Shl; shr Shr;
    }
    unary! {
        neg Op::Neg; abs Op::Abs; sqrt Op::Sqrt; trunc Op::Trunc; round_even Op::RoundEven; not Op::Not;
        bits Op::Bitcast(Type::I64); double_of_bits Op::Bitcast(Type::F64); widen Op::Convert(Type::F64);
    }

    /// A double.
    pub fn f(&mut self, x: f64) -> Value {
        self.p.lit(Literal::F64(x))
    }

    /// A 64-bit integer.
    pub fn i(&mut self, x: i64) -> Value {
        self.p.lit(Literal::I64(x))
    }

    /// `c ? a : b`.
    pub fn select(&mut self, c: Value, a: Value, b: Value) -> Value {
        self.p.must(Op::Select, &[c, a, b])
    }

    /// `c[0] + z * (c[1] + z * (...))`, rounded after each operation.
    pub fn horner(&mut self, z: Value, coefficients: &[f64]) -> Value {
        let (last, rest) = coefficients.split_last().expect("a polynomial has a coefficient");
        let mut sum = self.f(*last);
        for &c in rest.iter().rev() {
            let product = self.mul(sum, z);
            let c = self.f(c);
            sum = self.add(product, c);
        }
        sum
    }

    /// The sum of two numbers of which the first is larger in magnitude, or zero, with its rounding error (Dekker 1971).
    pub fn quick_two_sum(&mut self, a: Value, b: Value) -> Pair {
        let hi = self.add(a, b);
        let rounded = self.sub(hi, a);
        let lo = self.sub(b, rounded);
        Pair { hi, lo }
    }

    /// `a + b` with its rounding error, in any order of magnitude.
    pub fn two_sum(&mut self, a: Value, b: Value) -> Pair {
        let minus = self.neg(b);
        self.two_difference(a, minus)
    }

    /// `a - b` with its rounding error, in any order of magnitude (Knuth, TAOCP 2, 4.2.2, theorem B).
    pub fn two_difference(&mut self, a: Value, b: Value) -> Pair {
        let hi = self.sub(a, b);
        let minus_b = self.sub(hi, a);
        let rounded_a = self.sub(hi, minus_b);
        let (error_a, error_b) = (self.sub(a, rounded_a), self.add(b, minus_b));
        let lo = self.sub(error_a, error_b);
        Pair { hi, lo }
    }

    /// `a * b` with its rounding error (Veltkamp and Dekker 1971). Exact for factors below 2^996 in magnitude whose
    /// product does not underflow.
    pub fn two_product(&mut self, a: Value, b: Value) -> Pair {
        let hi = self.mul(a, b);
        let ((a1, a2), (b1, b2)) = (self.halves(a), self.halves(b));
        let high = self.mul(a1, b1);
        let mut lo = self.sub(high, hi);
        for (x, y) in [(a1, b2), (a2, b1), (a2, b2)] {
            let part = self.mul(x, y);
            lo = self.add(lo, part);
        }
        Pair { hi, lo }
    }

    /// A double as a sum of two of at most 26 bits each.
    fn halves(&mut self, a: Value) -> (Value, Value) {
        let splitter = self.f(134_217_729.0); // 2^27 + 1
        let scaled = self.mul(splitter, a);
        let rest = self.sub(scaled, a);
        let high = self.sub(scaled, rest);
        let low = self.sub(a, high);
        (high, low)
    }

    /// `x` where it is a NaN, else `result`.
    pub fn or_nan(&mut self, x: Value, result: Value) -> Value {
        let nan = self.ne(x, x);
        self.select(nan, x, result)
    }

    /// The integer nearest to `x`, for `|x| < 2^51`: as a double, and as an integer whose low 32 bits are right.
    pub fn nearest(&mut self, x: Value) -> (Value, Value) {
        // Added to 1.5 * 2^52, whose last bit is worth 1, a number leaves its integer part in the low bits.
        let shift = self.f(6_755_399_441_055_744.0);
        let shifted = self.add(x, shift);
        let rounded = self.sub(shifted, shift);
        let (bits, base) = (self.bits(shifted), self.i(6_755_399_441_055_744.0f64.to_bits() as i64));
        (rounded, self.p.must(Op::Sub, &[bits, base]))
    }
}
