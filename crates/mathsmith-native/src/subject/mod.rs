//! Subjects: foreign functions that are measured, each in a child process of its own.
//!
//! A [`Spec`] is what a person typed; [`prepare()`] finds or compiles it and yields a [`Subject`] with its [`Signature`] and
//! [`Origin`]; [`Subject::start`] starts a child process (the *host*, [`host`]) and returns an [`mathsmith_ir::Engine`].

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What a subject was given as.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Spec {
    /// A C file; the symbol may be left out where the file defines one function only.
    C { path: PathBuf, symbol: Option<String> },
    /// A Rust file (a library or module source with public functions).
    Rust { path: PathBuf, symbol: Option<String> },
    /// A shared library.
    Library { path: PathBuf, symbol: String },
    /// A function of the system's mathematics library: `libm:expf`.
    Libm { symbol: String },
    /// A function of glibc's vector library: `libmvec:expf` (every width the processor has), `libmvec:expf@avx2`.
    Libmvec { symbol: String, isa: Option<Isa> },
    /// A function of SLEEF: `sleef:expf_u10` (scalar and every width), `sleef:expf_u10@avx2`.
    Sleef { symbol: String, isa: Option<Isa> },
    /// A function of the core-math crate: `core-math:expf`.
    CoreMath { symbol: String },
    /// A function of the libm crate: `libm-crate:expf`.
    LibmCrate { symbol: String },
}

/// Instruction sets of vector functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Isa {
    /// One lane.
    Scalar,
    /// 128 bits.
    Sse,
    /// 256 bits without FMA.
    Avx,
    /// 256 bits with AVX2 and FMA.
    Avx2,
    /// 512 bits.
    Avx512,
}

/// Type of the arguments and the result, which is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Element {
    /// `float`, `f32`.
    F32,
    /// `double`, `f64`.
    F64,
    /// Bits of a 16-bit float as `uint16_t`, `u16`; `_Float16` where the compiler has it.
    U16,
}

/// How a function is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// `T f(T)`, `T f(T, T)`.
    Scalar,
    /// `void f(const T *in, T *out, size_t n)` (two `const T *` for two arguments); the result first: `output_first`.
    /// In Rust slices of one length.
    Array {
        /// The array of results comes first.
        output_first: bool,
    },
    /// The vector ABI: `V f(V)`, `V f(V, V)`.
    Vector(Isa),
}

/// Type of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// Type of arguments and result.
    pub element: Element,
    /// Arguments, 1 or 2.
    pub arity: u8,
    /// How it is called.
    pub shape: Shape,
}

/// Where a subject comes from: what a certificate needs to find the same code again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// As given.
    pub spec: Spec,
    /// Symbol called, with the vector mangling.
    pub symbol: String,
    /// The file: source, or the library that the loader found.
    pub file: Option<PathBuf>,
    /// SHA-256 of that file, in hexadecimal; of a crate that is linked in, its name and version.
    pub hash: String,
    /// Compiler and its version; `None` for what was not compiled here.
    pub compiler: Option<String>,
    /// Flags given to it.
    pub flags: Vec<String>,
}
