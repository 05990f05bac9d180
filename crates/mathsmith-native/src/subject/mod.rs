//! Subjects: foreign functions that are measured, each in a child process of its own.
//!
//! A [`Spec`] is what a person typed; [`prepare()`] finds or compiles it and yields a [`Subject`] with its [`Signature`]
//! and [`Origin`]; [`Subject::start`] starts a child process (the *host*, [`host`]) and returns a
//! [`mathsmith_ir::Engine`] over columns.
//!
//! Foreign code may crash, never return, print, or change the rounding mode. None of it is loaded here but libraries of
//! the system, to ask the loader where they are: whatever is called is called in the host, which says in shared memory
//! what row it is at before every call, so that the input of a crash can be named.

use crate::Compiler;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// What a subject was given as.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Spec {
    /// A C file; the symbol may be left out where the file defines one function only.
    C {
        /// The file.
        path: PathBuf,
        /// Name of the function.
        symbol: Option<String>,
    },
    /// A Rust file (a library or module source with public functions).
    Rust {
        /// The file.
        path: PathBuf,
        /// Name of the function.
        symbol: Option<String>,
    },
    /// A shared library.
    Library {
        /// The file.
        path: PathBuf,
        /// Exported name of the function.
        symbol: String,
    },
    /// A function of the system's mathematics library: `libm:expf`.
    Libm {
        /// Name in C.
        symbol: String,
    },
    /// A function of glibc's vector library: `libmvec:expf` (every width the processor has), `libmvec:expf@avx2`.
    Libmvec {
        /// Name of the scalar function in C.
        symbol: String,
        /// Width; [`Spec::parse`] always sets it.
        isa: Option<Isa>,
    },
    /// A function of SLEEF: `sleef:expf_u10` (scalar and every width), `sleef:expf_u10@avx2`.
    Sleef {
        /// Name of the scalar function without `Sleef_`.
        symbol: String,
        /// Width; [`Spec::parse`] always sets it.
        isa: Option<Isa>,
    },
    /// A function of the core-math crate: `core-math:expf`.
    CoreMath {
        /// Name in the crate.
        symbol: String,
    },
    /// A function of the libm crate: `libm-crate:expf`.
    LibmCrate {
        /// Name in the crate.
        symbol: String,
    },
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

/// What is asked of a subject beside its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Type that the question is about; `None` takes the subject's own (`float` where it does not say).
    pub element: Option<Element>,
    /// Variables of the question, 1 or 2.
    pub arity: u8,
    /// Compiler for C sources; `None` takes the first that is installed.
    pub compiler: Option<Compiler>,
    /// Flags for the compiler; `None` takes the default of the language.
    pub cflags: Option<Vec<String>>,
    /// Whether the result comes first in an array function whose type leaves the order open: `void f(float *, float *, n)`.
    pub output_first: bool,
}

impl Default for Request {
    /// One variable, everything else by default.
    fn default() -> Self {
        Request { element: None, arity: 1, compiler: None, cflags: None, output_first: false }
    }
}

/// What `source::build` is asked for.
#[derive(Clone, Copy, Debug)]
pub struct SourceRequest<'a> {
    /// The source file.
    pub path: &'a Path,
    /// Its language.
    pub language: crate::Language,
    /// Name of the function; `None` takes the only one with a fitting signature.
    pub symbol: Option<&'a str>,
    /// As in [`Request`].
    pub element: Option<Element>,
    /// As in [`Request`].
    pub arity: u8,
    /// As in [`Request`].
    pub compiler: Option<Compiler>,
    /// As in [`Request`].
    pub cflags: Option<&'a [String]>,
    /// As in [`Request`].
    pub output_first: bool,
    /// An existing folder for whatever is built; it lives as long as the subject.
    pub folder: &'a Path,
}

/// A compiled source: a shared library that exports [`BLOCK_SYMBOL`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuiltSource {
    /// The shared library.
    pub library: PathBuf,
    /// Name of the function that is measured.
    pub symbol: String,
    /// Its type, found in the source.
    pub signature: Signature,
    /// Compiler and its version, for [`Origin::compiler`].
    pub compiler: String,
    /// The flags used.
    pub flags: Vec<String>,
    /// The command that compiled the file, as it would be typed.
    pub command: String,
    /// What the compiler warned of.
    pub warnings: String,
    /// What a person should know beside the figures, a sentence each: whether products and sums are fused, what was
    /// assumed of the order of arrays, what was left out of the flags.
    pub notes: Vec<String>,
}

/// The function that a built source exports:
///
/// ```c
/// void mathsmith_block(const void *const *in, void *out, uint64_t n, uint64_t *at);
/// ```
///
/// `in` has as many arrays as the subject has arguments, each of `n` elements of its type, like `out`. `*at = i` is
/// stored (`volatile`) before the call for row `i`; for array functions once, 0, before the only call.
pub const BLOCK_SYMBOL: &str = "mathsmith_block";

/// A function that can be measured: found or compiled, its type known, not loaded yet.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Type.
    pub signature: Signature,
    /// Where it comes from.
    pub origin: Origin,
    /// What the compiler warned of; empty for what was not compiled here.
    pub warnings: String,
    /// Keeps what was built until the last clone has gone.
    _folder: Option<Arc<TempDir>>,
}
