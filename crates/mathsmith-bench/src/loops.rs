//! The loops that are timed, as source: around a function of a file, a function of a library, or an expression.
//!
//! The function's own file is part of the same translation unit, so that a compiler inlines and vectorises it as it would in a
//! program. The chain adds zero times the last result to the next input: nothing that a compiler may leave out, as
//! infinities and NaN would show, and `zero` is known at run time only.

use crate::host::{LATENCY_SYMBOL, THROUGHPUT_SYMBOL};
use mathsmith_native::subject::{Isa, Shape};
use std::path::Path;

/// A C string literal's content: paths with quotes or backslashes.
fn quoted(path: &Path) -> String {
    path.display().to_string().replace('\\', "\\\\").replace('"', "\\\"")
}

/// Loops in C around `function`, a name or a macro of one `float`.
fn c_scalar(function: &str) -> String {
    format!(
        "__attribute__((visibility(\"default\")))\n\
         void {THROUGHPUT_SYMBOL}(const float *restrict x, float *restrict y, __SIZE_TYPE__ n) {{\n\
         \x20   for (__SIZE_TYPE__ i = 0; i < n; i++) y[i] = {function}(x[i]);\n\
         }}\n\n\
         __attribute__((visibility(\"default\")))\n\
         float {LATENCY_SYMBOL}(const float *restrict x, float zero, __SIZE_TYPE__ n) {{\n\
         \x20   float y = 0;\n\
         \x20   for (__SIZE_TYPE__ i = 0; i < n; i++) y = {function}(x[i] + zero * y);\n\
         \x20   return y;\n\
         }}\n"
    )
}

/// Loops around a function of a C file; array functions are called as they are and have no chain.
pub fn c_file(path: &Path, symbol: &str, shape: Shape) -> String {
    let head = format!("#include \"{}\"\n\n", quoted(path));
    let arguments = match shape {
        Shape::Array { output_first: true } => "y, x, n",
        Shape::Array { output_first: false } => "x, y, n",
        Shape::Scalar | Shape::Vector(_) => return head + &c_scalar(symbol),
    };
    format!(
        "{head}__attribute__((visibility(\"default\")))\n\
         void {THROUGHPUT_SYMBOL}(const float *restrict x, float *restrict y, __SIZE_TYPE__ n) {{\n\
         \x20   {symbol}({arguments});\n\
         }}\n"
    )
}

/// Loops around a function of a Rust file.
pub fn rust_file(path: &Path, symbol: &str, shape: Shape) -> String {
    let head = format!(
        "#![allow(warnings)]\n\
         #[path = \"{}\"]\n\
         mod subject;\n\n",
        quoted(path)
    );
    let throughput = |body: &str| {
        format!(
            "/// # Safety\n/// `x` and `y` have `n` elements.\n\
             #[no_mangle]\n\
             pub unsafe extern \"C\" fn {THROUGHPUT_SYMBOL}(x: *const f32, y: *mut f32, n: usize) {{\n\
             \x20   let (x, y) = (std::slice::from_raw_parts(x, n), std::slice::from_raw_parts_mut(y, n));\n\
             \x20   {body}\n\
             }}\n"
        )
    };
    match shape {
        Shape::Array { output_first: true } => head + &throughput(&format!("subject::{symbol}(y, x);")),
        Shape::Array { output_first: false } => head + &throughput(&format!("subject::{symbol}(x, y);")),
        Shape::Scalar | Shape::Vector(_) => {
            let each = format!("for (x, y) in x.iter().zip(y) {{ *y = subject::{symbol}(*x); }}");
            format!(
                "{head}{}\n\
                 /// # Safety\n/// `x` has `n` elements.\n\
                 #[no_mangle]\n\
                 pub unsafe extern \"C\" fn {LATENCY_SYMBOL}(x: *const f32, zero: f32, n: usize) -> f32 {{\n\
                 \x20   std::slice::from_raw_parts(x, n).iter().fold(0.0, |y, x| subject::{symbol}(x + zero * y))\n\
                 }}\n",
                throughput(&each)
            )
        }
    }
}

/// Loops around a scalar function of a library.
pub fn c_library(symbol: &str) -> String {
    format!("float {symbol}(float);\n\n{}", c_scalar(symbol))
}

/// A file with an expression of `x` as a function: what is measured and, included in loops, timed.
pub fn c_expression(symbol: &str, body: &str) -> String {
    format!("#define _GNU_SOURCE\n#include <math.h>\n\nfloat {symbol}(float x) {{\n    return {body};\n}}\n")
}

/// Exported beside the loops around an expression of vectors: the expression at one `float`, for measuring its error.
pub const ONE_SYMBOL: &str = "mathsmith_bench_one";

/// Lanes of single precision.
pub fn lanes(isa: Isa) -> u32 {
    (isa.bits() / 32).max(1)
}

/// Types of vectors: `V` in registers, `U` anywhere in memory.
fn vector_types(isa: Isa) -> String {
    let bytes = isa.bits() / 8;
    format!(
        "typedef float V __attribute__((vector_size({bytes})));\n\
         typedef float U __attribute__((vector_size({bytes}), aligned(4), may_alias));\n\n"
    )
}

/// Loops around `function`, of one vector.
fn c_vector(function: &str, isa: Isa) -> String {
    let lanes = lanes(isa);
    format!(
        "__attribute__((visibility(\"default\")))\n\
         void {THROUGHPUT_SYMBOL}(const float *restrict x, float *restrict y, __SIZE_TYPE__ n) {{\n\
         \x20   for (__SIZE_TYPE__ i = 0; i + {lanes} <= n; i += {lanes}) *(U *)(y + i) = {function}(*(const U *)(x + i));\n\
         }}\n\n\
         __attribute__((visibility(\"default\")))\n\
         float {LATENCY_SYMBOL}(const float *restrict x, float zero, __SIZE_TYPE__ n) {{\n\
         \x20   V y = {{0}};\n\
         \x20   for (__SIZE_TYPE__ i = 0; i + {lanes} <= n; i += {lanes}) y = {function}(*(const U *)(x + i) + zero * y);\n\
         \x20   return y[0];\n\
         }}\n"
    )
}

/// Loops around a vector function of a library.
pub fn c_library_vector(symbol: &str, isa: Isa) -> String {
    format!("{}V {symbol}(V);\n\n{}", vector_types(isa), c_vector(symbol, isa))
}

/// Loops around an expression of a vector `x`, with the functions of a library that it calls, each with its arguments.
pub fn c_expression_vector(body: &str, calls: &[(String, u8)], isa: Isa) -> String {
    let declared: String = calls
        .iter()
        .map(|(symbol, arity)| format!("V {symbol}({});\n", vec!["V"; usize::from(*arity)].join(", ")))
        .collect();
    format!(
        "{}{declared}\nstatic inline V composed(V x) {{\n    return {body};\n}}\n\n{}\n\
         __attribute__((visibility(\"default\")))\n\
         float {ONE_SYMBOL}(float x) {{\n    V all = x - (V){{0}};\n    return composed(all)[0];\n}}\n",
        vector_types(isa),
        c_vector("composed", isa)
    )
}

/// Flags that give a compiler the registers of a vector function.
pub fn vector_flags(isa: Isa) -> Vec<String> {
    let flags: &[&str] = match isa {
        Isa::Scalar | Isa::Sse => &[],
        Isa::Avx => &["-mavx"],
        Isa::Avx2 => &["-mavx2", "-mfma"],
        Isa::Avx512 => &["-mavx512f", "-mprefer-vector-width=512"],
    };
    std::iter::once("-O3").chain(flags.iter().copied()).map(String::from).collect()
}

/// Loops around nothing: what every timing has beside the function.
pub fn c_nothing() -> String {
    format!("#define NOTHING(x) (x)\n{}", c_scalar("NOTHING"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_name_what_they_call() {
        let c = c_file(Path::new("/tmp/a \"b\".c"), "f", Shape::Scalar);
        assert!(c.starts_with("#include \"/tmp/a \\\"b\\\".c\"") && c.contains("y[i] = f(x[i])"), "{c}");
        let array = c_file(Path::new("a.c"), "f", Shape::Array { output_first: true });
        assert!(array.contains("f(y, x, n);") && !array.contains(LATENCY_SYMBOL), "{array}");
        let rust = rust_file(Path::new("a.rs"), "f", Shape::Scalar);
        assert!(rust.contains("subject::f(*x)") && rust.contains(LATENCY_SYMBOL), "{rust}");
        let vector = c_library_vector("_ZGVdN8v_expf", Isa::Avx2);
        assert!(vector.contains("vector_size(32)") && vector.contains("i += 8"), "{vector}");
    }
}
