//! Subjects: foreign functions that are measured, each in a child process of its own.
//!
//! A [`Spec`] is what a person typed; [`prepare()`] finds or compiles it and yields a [`Subject`] with its [`Signature`]
//! and [`Origin`]; [`Subject::start`] starts a child process (the *host*, [`host`]) and returns a
//! [`mathsmith_ir::Engine`] over columns.
//!
//! Foreign code may crash, never return, print, or change the rounding mode. None of it is loaded here but libraries of
//! the system, to ask the loader where they are: whatever is called is called in the host, which says in shared memory
//! what row it is at before every call, so that the input of a crash can be named.

mod call;
mod child;
mod control;
mod engine;
mod error;
pub mod host;
mod libraries;
mod names;
mod prepare;
mod protocol;
pub mod source;
mod spec;
mod tables;
mod vector;

use crate::Compiler;
use mathsmith_ir::Engine;
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

pub use error::SubjectError;
pub use host::host_main;
pub use libraries::cpu_features;
pub use prepare::{crate_function, prepare};

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

impl Element {
    /// Name of the format, as for `--type`; 16 bits are `f16` or `bf16`, which the type does not say.
    pub fn name(self) -> &'static str {
        match self {
            Element::F32 => "f32",
            Element::F64 => "f64",
            Element::U16 => "16 bits",
        }
    }
}

/// Formats of 16 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HalfFormat {
    /// IEEE 754 binary16.
    F16,
    /// The upper half of a binary32.
    Bf16,
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

/// What [`source::build`] is asked for.
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

/// How a subject runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostOptions {
    /// Program and arguments that start the host: something that runs [`host_main`] with the standard streams it is given,
    /// such as the own executable with `subject-host`.
    pub command: Vec<OsString>,
    /// Whether subnormal arguments and results are flushed to zero by the processor.
    pub ftz: bool,
    /// Time without a call returning after which the subject counts as one that never returns.
    pub timeout: Duration,
    /// Format of 16-bit subjects, which need it; nothing to others.
    pub half: Option<HalfFormat>,
}

impl HostOptions {
    /// Subnormals kept, 10 seconds, no 16-bit format.
    pub fn new(command: Vec<OsString>) -> HostOptions {
        HostOptions { command, ftz: false, timeout: Duration::from_secs(10), half: None }
    }
}

/// A function that can be measured: found or compiled, its type known, not loaded yet.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Type.
    pub signature: Signature,
    /// Where it comes from.
    pub origin: Origin,
    /// What the compiler warned of; empty for what was not compiled here.
    pub warnings: String,
    /// The command that compiled the source, as it would be typed.
    pub command: Option<String>,
    /// What a person should know beside the figures, a sentence each ([`BuiltSource::notes`]).
    pub notes: Vec<String>,
    target: protocol::Target,
    /// Keeps what was built until the last clone has gone.
    _folder: Option<Arc<TempDir>>,
}

impl Subject {
    /// A short name for tables: `libmvec expf AVX2`, `mine.c my_tanhf`.
    pub fn label(&self) -> String {
        let file = |path: &Path| path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let wide = |isa: &Option<Isa>| match isa {
            None | Some(Isa::Scalar) => String::new(),
            Some(isa) => format!(" {isa}"),
        };
        match &self.origin.spec {
            Spec::C { path, .. } | Spec::Rust { path, .. } => format!("{} {}", file(path), self.origin.symbol),
            Spec::Library { path, symbol } => format!("{} {symbol}", file(path)),
            Spec::Libm { symbol } => format!("libm {symbol}"),
            Spec::Libmvec { symbol, isa } => format!("libmvec {symbol}{}", wide(isa)),
            Spec::Sleef { symbol, isa } => format!("sleef {symbol}{}", wide(isa)),
            Spec::CoreMath { symbol } => format!("core-math {symbol}"),
            Spec::LibmCrate { symbol } => format!("libm crate {symbol}"),
        }
    }

    /// Starts a host, which loads the subject, and returns the engine that calls it there.
    ///
    /// The engine takes `signature.arity` columns and gives one: `f64` for double precision, `f32` otherwise (16-bit values
    /// exactly converted). Each engine has a process of its own, and several run side by side. A call that fails is
    /// [`mathsmith_ir::EngineError::Failed`] with the row at fault, and the next call starts a new host.
    ///
    /// # Errors
    /// [`SubjectError::Host`] if the process cannot be started, ends, or does not answer in time while the subject is
    /// loaded; [`SubjectError::Signature`] for a 16-bit subject without a format; [`SubjectError::Machine`] where subnormals
    /// cannot be flushed.
    pub fn start(&self, options: &HostOptions) -> Result<Box<dyn Engine>, SubjectError> {
        Ok(Box::new(engine::HostEngine::start(self, options)?))
    }
}
