//! Many generated functions in one program that maps rows of inputs to rows of outputs.
//!
//! # Protocol
//!
//! `program INDEX ROWS` reads `ROWS` rows from standard input, calls function `INDEX` on each, and writes a row of
//! outputs for each to standard output. A row is its values one after the other without padding: 4 bytes for `f32` and
//! `i32`, 8 for `f64` and `i64`, one byte 0 or 1 for `bool`, in the machine's byte order. The exit code is 0, or 2 for
//! arguments it does not understand, 3 if the input ends early, 4 if the output cannot be written.
//!
//! Compilation dominates the cost of checking generated code, so all functions under test go into one translation unit
//! and one process start checks one function on as many rows as wanted.

mod layout;
mod source;

use crate::process::{Limits, run};
use crate::{Built, Compiler, NativeError, Toolchain};
use mathsmith_ir::{ColumnMut, ColumnRef, Engine, EngineError, Literal, Program, Type};
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

pub use layout::{pack, unpack, unpacked};

/// The languages that can be wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    /// C99.
    C,
    /// Rust, edition 2021.
    Rust,
}

/// How a function is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// `out0 = NAME(in0, in1, …)`: one output, returned. The convention of emitted functions.
    Returns,
    /// C: `NAME(in0, …, &out0, …)`. Rust: `NAME(in0, …, &mut out0, …)`. Any number of outputs, nothing returned.
    OutPointers,
    /// Rust only: `(out0, out1, …) = NAME(in0, …)`.
    Tuple,
    /// Any statements that set the variables `out0`, `out1`, … from `in0`, `in1`, ….
    Statements(String),
}

/// A function under test: its source defines it, this says how it is called.
#[derive(Clone, Debug, PartialEq)]
pub struct RowFunction {
    /// Name that the source defines.
    pub name: String,
    /// Types of the inputs.
    pub inputs: Vec<Type>,
    /// Types of the outputs.
    pub outputs: Vec<Type>,
    /// How it is called.
    pub call: Call,
}

impl RowFunction {
    /// A function that returns its only output.
    pub fn returning(name: impl Into<String>, inputs: &[Type], output: Type) -> RowFunction {
        RowFunction { name: name.into(), inputs: inputs.to_vec(), outputs: vec![output], call: Call::Returns }
    }

    /// Signature and name of `program`; one output is returned, several go through [`Call::OutPointers`] in C and
    /// [`Call::Tuple`] in Rust.
    pub fn of(program: &Program, name: impl Into<String>, language: Language) -> RowFunction {
        let outputs: Vec<Type> = program.outputs().iter().map(|&v| program.ty(v)).collect();
        let call = match (outputs.len(), language) {
            (1, _) => Call::Returns,
            (_, Language::C) => Call::OutPointers,
            (_, Language::Rust) => Call::Tuple,
        };
        RowFunction { name: name.into(), inputs: program.inputs().iter().map(|i| i.ty).collect(), outputs, call }
    }
}

/// Source of generated functions, to be compiled into a [`RowBinary`].
#[derive(Clone, Debug)]
pub struct RowProgram {
    language: Language,
    source: String,
    functions: Vec<RowFunction>,
}

impl RowProgram {
    /// A program without functions.
    ///
    /// `prelude` stands once in front of everything: the includes and pragmas, or attributes, that the functions need.
    pub fn new(language: Language, prelude: &str) -> RowProgram {
        RowProgram { language, source: format!("{prelude}\n"), functions: Vec::new() }
    }

    /// Adds a function with the source that defines it, and returns its index.
    ///
    /// # Errors
    /// [`NativeError::Request`] for a signature over `real`, or a call that the language or the number of outputs does
    /// not allow.
    pub fn add(&mut self, source: &str, function: RowFunction) -> Result<usize, NativeError> {
        let name = &function.name;
        let refuse = |what: String| Err(NativeError::Request(format!("function `{name}`: {what}")));
        if function.inputs.iter().chain(&function.outputs).any(|&ty| ty == Type::Real) {
            return refuse("`real` has no machine form; round the program to f32 or f64 first".into());
        }
        match function.call {
            Call::Returns if function.outputs.len() != 1 => {
                return refuse(format!("{} outputs cannot be returned as one value", function.outputs.len()));
            }
            Call::Tuple if self.language == Language::C => return refuse("C returns no tuples".into()),
            _ => {}
        }
        self.source.push_str(source);
        self.source.push('\n');
        self.functions.push(function);
        Ok(self.functions.len() - 1)
    }

    /// The functions added so far.
    pub fn functions(&self) -> &[RowFunction] {
        &self.functions
    }

    /// The whole source with its `main`.
    pub fn source(&self) -> String {
        match self.language {
            Language::C => source::c(&self.source, &self.functions),
            Language::Rust => source::rust(&self.source, &self.functions),
        }
    }

    /// Compiles the program. Everything lies in a temporary folder that goes with the last clone of the result.
    ///
    /// `compiler` must fit the language; `flags` are passed on.
    ///
    /// # Errors
    /// [`NativeError::MissingCompiler`], [`NativeError::Compile`], [`NativeError::Request`] for a compiler of another
    /// language, [`NativeError::Io`] if the folder cannot be written.
    pub fn build(&self, toolchain: &Toolchain, compiler: Compiler, flags: &[&str]) -> Result<RowBinary, NativeError> {
        let fits = (self.language == Language::Rust) == (compiler == Compiler::Rustc);
        if !fits {
            return Err(NativeError::Request(format!("{compiler} does not compile {:?}", self.language)));
        }
        let io = |what: String| move |cause| NativeError::Io { what, cause };
        let folder = TempDir::with_prefix("mathsmith-")
            .map_err(io(format!("cannot create a folder in {}", std::env::temp_dir().display())))?;
        let source = folder.path().join(match self.language {
            Language::C => "rows.c",
            Language::Rust => "rows.rs",
        });
        std::fs::write(&source, self.source()).map_err(io(format!("cannot write {}", source.display())))?;
        let out = folder.path().join(format!("rows{}", std::env::consts::EXE_SUFFIX));
        let built = match self.language {
            Language::C => toolchain.compile_c_with(compiler, &source, &out, flags)?,
            Language::Rust => toolchain.compile_rust(&source, &out, flags)?,
        };
        let shared = Shared { built, functions: self.functions.clone(), limits: Limits::default(), _folder: folder };
        Ok(RowBinary(Arc::new(shared)))
    }
}

/// A compiled [`RowProgram`]; clones share the executable, whose folder goes with the last of them.
#[derive(Clone, Debug)]
pub struct RowBinary(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    built: Built,
    functions: Vec<RowFunction>,
    limits: Limits,
    _folder: TempDir,
}

impl RowBinary {
    /// What the compiler made: path, command, warnings.
    pub fn built(&self) -> &Built {
        &self.0.built
    }

    /// The functions, by index.
    pub fn functions(&self) -> &[RowFunction] {
        &self.0.functions
    }

    /// Runs function `index` on `rows` rows in the protocol's form and returns the rows of outputs.
    ///
    /// # Errors
    /// [`NativeError::Request`] for an index that does not exist; otherwise as for [`run_rows`].
    pub fn run_rows(&self, index: usize, rows: usize, input: Vec<u8>) -> Result<Vec<u8>, NativeError> {
        let Some(function) = self.0.functions.get(index) else {
            let count = self.0.functions.len();
            return Err(NativeError::Request(format!("there is no function {index}, only {count}")));
        };
        let expected = rows * layout::row_size(&function.outputs);
        let limits = Limits { stdout: expected + 1, ..self.0.limits };
        run_rows(&self.0.built.path, index, rows, input, expected, limits)
    }

    /// Function `index` as an engine. `params` are the parameters that its source has as constants.
    pub fn engine(&self, index: usize, params: &[Literal]) -> RowEngine {
        RowEngine { binary: self.clone(), index, params: params.to_vec() }
    }
}

/// Runs an executable that speaks the protocol of this module and checks the length of its answer.
///
/// # Errors
/// [`NativeError::Exit`] for another exit code than 0, [`NativeError::OutputLength`] for another number of bytes than
/// `expected`, and the errors of [`run`].
pub fn run_rows(
    program: &Path,
    index: usize,
    rows: usize,
    input: Vec<u8>,
    expected: usize,
    limits: Limits,
) -> Result<Vec<u8>, NativeError> {
    let output = run(program, &[&index.to_string(), &rows.to_string()], input, limits)?;
    if output.code != 0 {
        return Err(NativeError::Exit { program: program.into(), code: output.code, stderr: output.stderr });
    }
    if output.stdout.len() != expected {
        return Err(NativeError::OutputLength { program: program.into(), expected, got: output.stdout.len() });
    }
    Ok(output.stdout)
}

/// Compiled foreign code behind the interface of all engines: each run is one start of the child process.
#[derive(Clone, Debug)]
pub struct RowEngine {
    binary: RowBinary,
    index: usize,
    params: Vec<Literal>,
}

impl Engine for RowEngine {
    /// Runs the function; a failure of the child process is reported as [`EngineError::Unsupported`] with its message.
    fn run(
        &mut self,
        params: &[Literal],
        inputs: &[ColumnRef<'_>],
        outputs: &mut [ColumnMut<'_>],
    ) -> Result<(), EngineError> {
        let refused = |e: NativeError| EngineError::Unsupported { engine: "compiled code", what: e.to_string() };
        if params != self.params {
            let message = "the parameters are constants of the compiled code and cannot be changed";
            return Err(EngineError::Signature(message.into()));
        }
        let Some(function) = self.binary.functions().get(self.index) else {
            return Err(refused(NativeError::Request(format!("there is no function {}", self.index))));
        };
        let lengths = || inputs.iter().map(ColumnRef::len).chain(outputs.iter().map(ColumnMut::len));
        let rows = lengths().next().unwrap_or(0);
        let types_fit = inputs.iter().map(ColumnRef::ty).eq(function.inputs.iter().copied())
            && outputs.iter().map(ColumnMut::ty).eq(function.outputs.iter().copied());
        if !types_fit || lengths().any(|len| len != rows) {
            let message = format!("`{}` takes {:?} to {:?}", function.name, function.inputs, function.outputs);
            return Err(EngineError::Signature(message));
        }
        let answer = self.binary.run_rows(self.index, rows, pack(inputs, rows)).map_err(refused)?;
        unpack(&answer, outputs);
        Ok(())
    }
}
