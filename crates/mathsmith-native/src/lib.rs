//! Foreign code in child processes: finding compilers, building C and Rust, running the result under limits.
//!
//! Generated code is proven by compiling it with the compilers that people use and comparing every bit with the
//! interpreter. Code that is wrong may crash, hang or print without end, so it never runs in this process:
//! [`process::run`] keeps time and size limits, and reports a signal, a timeout or an exit code as what it is.
//!
//! * [`Toolchain`] finds gcc, clang, cc and rustc and calls them; a missing one is an error that names the package.
//! * [`process`] runs a program with standard input and collects its output.
//! * [`rows`] wraps many generated functions into one program that maps rows of inputs to rows of outputs, and makes an
//!   [`mathsmith_ir::Engine`] of each, so that the shared corpus checks compiled code like any other engine.
//! * [`subject`] finds or compiles a foreign function, and calls it in a child process that names the input of a crash.

mod error;
pub mod process;
pub mod rows;
pub mod subject;
mod toolchain;

pub use error::NativeError;
pub use process::{Limits, Output, run};
pub use rows::{Call, Language, RowBinary, RowEngine, RowFunction, RowProgram};
pub use toolchain::{Built, Compiler, Tool, Toolchain};
