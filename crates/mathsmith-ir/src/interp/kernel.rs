//! One loop for each operation and type: where every operation is defined.

use super::Interpreter;
use super::plan::{Plan, Register, Step};
use crate::{Column, ColumnMut, ColumnRef, Literal, Op, Type};
use std::mem::take;

/// The registers: one bank a type, each register a column of a block's rows.
#[derive(Debug, Default)]
pub(super) struct Banks {
    f32: Vec<Vec<f32>>,
    f64: Vec<Vec<f64>>,
    i32: Vec<Vec<i32>>,
    i64: Vec<Vec<i64>>,
    bool: Vec<Vec<bool>>,
    tables: Vec<Column>,
    /// Rows of the current block, rounded up so that the loops have no scalar tail; what the extra rows compute is
    /// never read.
    rows: usize,
}

/// A machine type and its bank.
trait Elem: Copy + Default {
    fn bank(banks: &Banks) -> &[Vec<Self>];
    fn bank_mut(banks: &mut Banks) -> &mut [Vec<Self>];
    fn table(column: &Column) -> &[Self];
}

macro_rules! elem {
    ($($t:ident $variant:ident),*) => {$(
        impl Elem for $t {
            #[inline(always)]
            fn bank(banks: &Banks) -> &[Vec<$t>] {
                &banks.$t
            }
            #[inline(always)]
            fn bank_mut(banks: &mut Banks) -> &mut [Vec<$t>] {
                &mut banks.$t
            }
            #[inline(always)]
            fn table(column: &Column) -> &[$t] {
                match column {
                    Column::$variant(v) => v,
                    _ => unreachable!("a table's type was checked when its reader was built"),
                }
            }
        }
    )*};
}
elem!(f32 F32, f64 F64, i32 I32, i64 I64, bool Bool);

fn bank_of<T: Elem>(count: usize) -> Vec<Vec<T>> {
    vec![vec![T::default(); Interpreter::BLOCK]; count]
}

impl Banks {
    pub fn new(plan: &Plan) -> Self {
        let count = |t: Type| plan.sizes[t as usize];
        let mut banks = Banks {
            f32: bank_of(count(Type::F32)),
            f64: bank_of(count(Type::F64)),
            i32: bank_of(count(Type::I32)),
            i64: bank_of(count(Type::I64)),
            bool: bank_of(count(Type::Bool)),
            tables: plan.tables.iter().map(|t| Column::from_literals(t.ty, &t.values)).collect(),
            rows: 32,
        };
        for &(register, literal) in &plan.literals {
            banks.fill(register, literal);
        }
        banks
    }

    /// Writes one value to every row of a register of its type.
    pub fn fill(&mut self, register: Register, literal: Literal) {
        let i = register.index;
        match literal {
            Literal::F32(x) => self.f32[i].fill(x),
            Literal::F64(x) => self.f64[i].fill(x),
            Literal::I32(x) => self.i32[i].fill(x),
            Literal::I64(x) => self.i64[i].fill(x),
            Literal::Bool(x) => self.bool[i].fill(x),
            Literal::Real(_) => unreachable!("a plan holds no real"),
        }
    }

    /// The first row of a register.
    pub fn first(&self, register: Register) -> Literal {
        let i = register.index;
        match register.ty {
            Type::F32 => Literal::F32(self.f32[i][0]),
            Type::F64 => Literal::F64(self.f64[i][0]),
            Type::I32 => Literal::I32(self.i32[i][0]),
            Type::I64 => Literal::I64(self.i64[i][0]),
            Type::Bool => Literal::Bool(self.bool[i][0]),
            Type::Real => unreachable!("a plan holds no real"),
        }
    }

    /// Copies `len` rows of an input into a register, and makes them the rows of the next block.
    pub fn load(&mut self, register: Register, column: &ColumnRef<'_>, start: usize, len: usize) {
        let i = register.index;
        let rows = start..start + len;
        match column {
            ColumnRef::F32(v) => self.f32[i][..len].copy_from_slice(&v[rows]),
            ColumnRef::F64(v) => self.f64[i][..len].copy_from_slice(&v[rows]),
            ColumnRef::I32(v) => self.i32[i][..len].copy_from_slice(&v[rows]),
            ColumnRef::I64(v) => self.i64[i][..len].copy_from_slice(&v[rows]),
            ColumnRef::Bool(v) => self.bool[i][..len].copy_from_slice(&v[rows]),
        }
    }

    /// Sets the number of rows that the next block computes.
    pub fn set_rows(&mut self, len: usize) {
        self.rows = len.next_multiple_of(32).min(Interpreter::BLOCK);
    }

    /// Copies the first `len` rows of a register into an output.
    pub fn store(&self, register: Register, column: &mut ColumnMut<'_>, start: usize, len: usize) {
        let i = register.index;
        let rows = start..start + len;
        match column {
            ColumnMut::F32(v) => v[rows].copy_from_slice(&self.f32[i][..len]),
            ColumnMut::F64(v) => v[rows].copy_from_slice(&self.f64[i][..len]),
            ColumnMut::I32(v) => v[rows].copy_from_slice(&self.i32[i][..len]),
            ColumnMut::I64(v) => v[rows].copy_from_slice(&self.i64[i][..len]),
            ColumnMut::Bool(v) => v[rows].copy_from_slice(&self.bool[i][..len]),
        }
    }
}

/// Whether the loops for AVX2 and FMA can run here.
pub(super) fn vector_available() -> bool {
    #[cfg(target_arch = "x86_64")]
    return is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}

/// Runs every step of the plan over the block in the registers. `vector` must come from [`vector_available`].
pub(super) fn run_block(plan: &Plan, banks: &mut Banks, vector: bool) {
    #[cfg(target_arch = "x86_64")]
    if vector {
        debug_assert!(vector_available());
        // SAFETY: `vector` is true only where `vector_available` has found AVX2 and FMA.
        unsafe { run_block_avx2(plan, banks) };
        return;
    }
    let _ = vector;
    run_steps(plan, banks);
}

/// [`run_steps`] compiled for AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn run_block_avx2(plan: &Plan, banks: &mut Banks) {
    run_steps(plan, banks);
}

#[inline(always)]
fn unary<A: Elem, R: Elem>(banks: &mut Banks, s: &Step, f: impl Fn(A) -> R) {
    let mut dst = take(&mut R::bank_mut(banks)[s.dst]);
    let n = banks.rows;
    let a = &A::bank(banks)[s.args[0]][..n];
    for (d, &a) in dst[..n].iter_mut().zip(a) {
        *d = f(a);
    }
    R::bank_mut(banks)[s.dst] = dst;
}

#[inline(always)]
fn binary<A: Elem, B: Elem, R: Elem>(banks: &mut Banks, s: &Step, f: impl Fn(A, B) -> R) {
    let mut dst = take(&mut R::bank_mut(banks)[s.dst]);
    let n = banks.rows;
    let (a, b) = (&A::bank(banks)[s.args[0]][..n], &B::bank(banks)[s.args[1]][..n]);
    for ((d, &a), &b) in dst[..n].iter_mut().zip(a).zip(b) {
        *d = f(a, b);
    }
    R::bank_mut(banks)[s.dst] = dst;
}

#[inline(always)]
fn ternary<A: Elem, T: Elem>(banks: &mut Banks, s: &Step, f: impl Fn(A, T, T) -> T) {
    let mut dst = take(&mut T::bank_mut(banks)[s.dst]);
    let n = banks.rows;
    let a = &A::bank(banks)[s.args[0]][..n];
    let (b, c) = (&T::bank(banks)[s.args[1]][..n], &T::bank(banks)[s.args[2]][..n]);
    for (((d, &a), &b), &c) in dst[..n].iter_mut().zip(a).zip(b).zip(c) {
        *d = f(a, b, c);
    }
    T::bank_mut(banks)[s.dst] = dst;
}

#[inline(always)]
fn lookup<I: Elem, T: Elem>(banks: &mut Banks, s: &Step, table: u32, clamp: impl Fn(I, usize) -> usize) {
    let mut dst = take(&mut T::bank_mut(banks)[s.dst]);
    let n = banks.rows;
    let entries = T::table(&banks.tables[table as usize]);
    for (d, &i) in dst[..n].iter_mut().zip(&I::bank(banks)[s.args[0]][..n]) {
        *d = entries[clamp(i, entries.len() - 1)];
    }
    T::bank_mut(banks)[s.dst] = dst;
}

#[inline(always)]
fn table<T: Elem>(banks: &mut Banks, s: &Step, t: u32) {
    match s.from {
        Type::I32 => lookup::<i32, T>(banks, s, t, |i, last| (i.max(0) as usize).min(last)),
        _ => lookup::<i64, T>(banks, s, t, |i, last| i.clamp(0, last as i64) as usize),
    }
}

fn not_typed(s: &Step) -> ! {
    unreachable!("`{}` is not typed on {}: `Op::infer` and the interpreter differ", s.op.name(), s.from)
}

/// A loop over each of the listed types, chosen by the type of the first argument.
macro_rules! typed {
    ($kind:ident, $banks:ident, $s:ident, [$($t:ident $variant:ident),*], $f:tt) => {
        match $s.from {
            $(Type::$variant => typed!(@ $kind $t, $banks, $s, $f),)*
            _ => not_typed($s),
        }
    };
    (@ unary $t:ident, $banks:ident, $s:ident, (|$a:ident| $body:expr)) => {
        unary($banks, $s, |$a: $t| $body)
    };
    (@ binary $t:ident, $banks:ident, $s:ident, (|$a:ident, $b:ident| $body:expr)) => {
        binary($banks, $s, |$a: $t, $b: $t| $body)
    };
    (@ ternary $t:ident, $banks:ident, $s:ident, (|$a:ident, $b:ident, $c:ident| $body:expr)) => {
        ternary($banks, $s, |$a: $t, $b: $t, $c: $t| $body)
    };
    (@ select $t:ident, $banks:ident, $s:ident, (|$a:ident, $b:ident, $c:ident| $body:expr)) => {
        ternary($banks, $s, |$a: bool, $b: $t, $c: $t| $body)
    };
}

macro_rules! floats {
    ($kind:ident, $banks:ident, $s:ident, $($f:tt)*) => {
        typed!($kind, $banks, $s, [f32 F32, f64 F64], ($($f)*))
    };
}

macro_rules! bits {
    ($kind:ident, $banks:ident, $s:ident, $($f:tt)*) => {
        typed!($kind, $banks, $s, [i32 I32, i64 I64, bool Bool], ($($f)*))
    };
}

macro_rules! numbers {
    ($kind:ident, $banks:ident, $s:ident, $($f:tt)*) => {
        typed!($kind, $banks, $s, [f32 F32, f64 F64, i32 I32, i64 I64], ($($f)*))
    };
}

macro_rules! all_types {
    ($kind:ident, $banks:ident, $s:ident, $($f:tt)*) => {
        typed!($kind, $banks, $s, [f32 F32, f64 F64, i32 I32, i64 I64, bool Bool], ($($f)*))
    };
}

/// Arithmetic that is one thing on floats and wraps on integers.
trait Arithmetic: Copy {
    fn plus(self, b: Self) -> Self;
    fn minus(self, b: Self) -> Self;
    fn times(self, b: Self) -> Self;
    fn negated(self) -> Self;
    fn magnitude(self) -> Self;
}

macro_rules! arithmetic {
    ($($t:ident: $add:ident $sub:ident $mul:ident $neg:ident $abs:ident;)*) => {$(
        impl Arithmetic for $t {
            #[inline(always)]
            fn plus(self, b: $t) -> $t {
                self.$add(b)
            }
            #[inline(always)]
            fn minus(self, b: $t) -> $t {
                self.$sub(b)
            }
            #[inline(always)]
            fn times(self, b: $t) -> $t {
                self.$mul(b)
            }
            #[inline(always)]
            fn negated(self) -> $t {
                self.$neg()
            }
            #[inline(always)]
            fn magnitude(self) -> $t {
                self.$abs()
            }
        }
    )*};
}
use std::ops::{Add, Mul, Neg, Sub};
arithmetic! {
    f32: add sub mul neg abs;
    f64: add sub mul neg abs;
    i32: wrapping_add wrapping_sub wrapping_mul wrapping_neg wrapping_abs;
    i64: wrapping_add wrapping_sub wrapping_mul wrapping_neg wrapping_abs;
}

#[inline(always)]
fn run_steps(plan: &Plan, banks: &mut Banks) {
    for s in &plan.steps {
        run_step(s, banks);
    }
}

#[inline(always)]
fn run_step(s: &Step, banks: &mut Banks) {
    match s.op {
        Op::Add => numbers!(binary, banks, s, |a, b| a.plus(b)),
        Op::Sub => numbers!(binary, banks, s, |a, b| a.minus(b)),
        Op::Mul => numbers!(binary, banks, s, |a, b| a.times(b)),
        Op::Div => floats!(binary, banks, s, |a, b| a / b),
        Op::Fma => floats!(ternary, banks, s, |a, b, c| a.mul_add(b, c)),
        Op::Neg => numbers!(unary, banks, s, |a| a.negated()),
        Op::Abs => numbers!(unary, banks, s, |a| a.magnitude()),
        Op::Min => numbers!(binary, banks, s, |a, b| if a < b { a } else { b }),
        Op::Max => numbers!(binary, banks, s, |a, b| if a > b { a } else { b }),
        Op::Sqrt => floats!(unary, banks, s, |a| a.sqrt()),
        Op::Sign => floats!(unary, banks, s, |a| if a > 0.0 {
            1.0
        } else if a < 0.0 {
            -1.0
        } else {
            a
        }),
        Op::Floor => floats!(unary, banks, s, |a| a.floor()),
        Op::Ceil => floats!(unary, banks, s, |a| a.ceil()),
        Op::RoundEven => floats!(unary, banks, s, |a| a.round_ties_even()),
        Op::Trunc => floats!(unary, banks, s, |a| a.trunc()),
        Op::CopySign => floats!(binary, banks, s, |a, b| a.copysign(b)),
        Op::Eq => all_types!(binary, banks, s, |a, b| a == b),
        Op::Ne => all_types!(binary, banks, s, |a, b| a != b),
        Op::Lt => numbers!(binary, banks, s, |a, b| a < b),
        Op::Le => numbers!(binary, banks, s, |a, b| a <= b),
        Op::Gt => numbers!(binary, banks, s, |a, b| a > b),
        Op::Ge => numbers!(binary, banks, s, |a, b| a >= b),
        Op::Select => all_types!(select, banks, s, |c, a, b| if c { a } else { b }),
        Op::Convert(_) => convert(s, banks),
        Op::Bitcast(_) => match s.from {
            Type::F32 => unary(banks, s, |a: f32| a.to_bits() as i32),
            Type::F64 => unary(banks, s, |a: f64| a.to_bits() as i64),
            Type::I32 => unary(banks, s, |a: i32| f32::from_bits(a as u32)),
            Type::I64 => unary(banks, s, |a: i64| f64::from_bits(a as u64)),
            _ => not_typed(s),
        },
        Op::And => bits!(binary, banks, s, |a, b| a & b),
        Op::Or => bits!(binary, banks, s, |a, b| a | b),
        Op::Xor => bits!(binary, banks, s, |a, b| a ^ b),
        Op::Not => bits!(unary, banks, s, |a| !a),
        Op::Shl => shift(s, banks, i32::wrapping_shl, i64::wrapping_shl),
        Op::Shr => shift(s, banks, i32::wrapping_shr, i64::wrapping_shr),
        Op::ShrLogical => {
            shift(s, banks, |a, n| (a as u32).wrapping_shr(n) as i32, |a, n| (a as u64).wrapping_shr(n) as i64)
        }
        Op::Table(t) => match s.to {
            Type::F32 => table::<f32>(banks, s, t),
            Type::F64 => table::<f64>(banks, s, t),
            Type::I32 => table::<i32>(banks, s, t),
            Type::I64 => table::<i64>(banks, s, t),
            Type::Bool => table::<bool>(banks, s, t),
            Type::Real => not_typed(s),
        },
        Op::Exp | Op::Log | Op::Pow | Op::Sin | Op::Cos | Op::Tan | Op::Asin | Op::Acos | Op::Atan => {
            unreachable!("`{}` was lowered before the program was planned", s.op.name())
        }
        Op::Sum | Op::Norm | Op::Dot => unreachable!("`{}` is no operation on rows", s.op.name()),
    }
}

/// Shifts take their count modulo the width, a power of two: the low 32 bits of the count decide.
#[inline(always)]
fn shift(s: &Step, banks: &mut Banks, narrow: impl Fn(i32, u32) -> i32, wide: impl Fn(i64, u32) -> i64) {
    match (s.from, s.second) {
        (Type::I32, _) => binary(banks, s, |a: i32, n: i32| narrow(a, n as u32)),
        (Type::I64, Type::I32) => binary(banks, s, |a: i64, n: i32| wide(a, n as u32)),
        (Type::I64, _) => binary(banks, s, |a: i64, n: i64| wide(a, n as u32)),
        _ => not_typed(s),
    }
}

/// Rust's `as` is the definition wanted: nearest with ties to even towards floats, truncation that saturates and takes
/// NaN to 0 towards integers, wrapping from `i64` to `i32`.
#[inline(always)]
fn convert(s: &Step, banks: &mut Banks) {
    macro_rules! pairs {
        ($($from:ident $a:ident -> $to:ident $b:ident),*) => {
            match (s.from, s.to) {
                $((Type::$from, Type::$to) => unary(banks, s, |x: $a| x as $b),)*
                _ => not_typed(s),
            }
        };
    }
    pairs!(
        F32 f32 -> F64 f64, F32 f32 -> I32 i32, F32 f32 -> I64 i64,
        F64 f64 -> F32 f32, F64 f64 -> I32 i32, F64 f64 -> I64 i64,
        I32 i32 -> F32 f32, I32 i32 -> F64 f64, I32 i32 -> I64 i64,
        I64 i64 -> F32 f32, I64 i64 -> F64 f64, I64 i64 -> I32 i32
    )
}
