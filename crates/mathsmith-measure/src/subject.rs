//! Subjects of a measurement: foreign functions in child processes, and mathsmith programs run in this one.

use crate::question::Question;
use crate::record::{Source, SubjectRecord};
use mathsmith_ir::{Engine, EngineError, Literal, Program, Type};
use mathsmith_native::Compiler;
use mathsmith_native::subject::{
    self as native, Element, HalfFormat, HostOptions, Request, Shape, Signature, Spec, SubjectError,
};
use mathsmith_oracle::FloatFormat;
use mathsmith_verify::files::{self, FileError};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

/// How a subject was asked for, beside its name: what a certificate repeats.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Build {
    /// C compiler by name (`gcc`, `clang`, `cc`); `None` takes the first that is installed.
    pub compiler: Option<String>,
    /// Flags for C sources; `None` takes the default.
    pub cflags: Option<Vec<String>>,
    /// Flags for Rust sources; `None` takes the default.
    pub rustflags: Option<Vec<String>>,
    /// Whether the result comes first where the type of an array function leaves the order open.
    pub output_first: bool,
}

/// How child processes for foreign code are started and watched.
#[derive(Clone, Debug)]
pub struct Host {
    /// Program and arguments that run [`mathsmith_native::subject::host_main`].
    pub command: Vec<OsString>,
    /// Time without a call returning after which a subject counts as one that never returns.
    pub timeout: Duration,
}

/// Why a subject cannot be measured: bad input, or an environment that lacks something.
#[derive(Debug, thiserror::Error)]
pub enum SubjectProblem {
    /// A foreign subject.
    #[error(transparent)]
    Native(#[from] SubjectError),
    /// A program file that cannot be read.
    #[error("{0}\n  help: name a file that can be read")]
    File(#[from] FileError),
    /// A program file that holds no program, or one of another type.
    #[error("{path}: {what}\n  help: {help}")]
    Program {
        /// The file.
        path: String,
        /// What is wrong.
        what: String,
        /// What to do.
        help: String,
    },
    /// A subject that does not fit the question.
    #[error("{subject}: {what}\n  help: {help}")]
    Misfit {
        /// As typed.
        subject: String,
        /// What does not fit.
        what: String,
        /// What to do.
        help: String,
    },
}

#[derive(Clone, Debug)]
enum Code {
    Native(native::Subject),
    Program(Program, Vec<Literal>),
}

/// A subject that is ready to be called.
#[derive(Clone, Debug)]
pub struct SubjectInput {
    /// What it is and where it comes from.
    pub record: SubjectRecord,
    /// How it was asked for.
    pub build: Build,
    /// What the compiler warned of; empty for what was not compiled here.
    pub warnings: String,
    code: Code,
}

/// SHA-256 in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// Whether a subject is a mathsmith program in text form.
pub fn is_program(text: &str) -> bool {
    [".smith", ".ir"].iter().any(|ending| text.ends_with(ending))
}

fn compiler(name: &str) -> Option<Compiler> {
    [Compiler::Gcc, Compiler::Clang, Compiler::Cc].into_iter().find(|c| c.name() == name)
}

impl Build {
    /// What the native crate is asked for.
    fn request(&self, question: &Question, spec: &Spec) -> Request {
        let flags = if matches!(spec, Spec::Rust { .. }) { &self.rustflags } else { &self.cflags };
        Request {
            element: match question.format {
                FloatFormat::F32 => Some(Element::F32),
                FloatFormat::F64 => Some(Element::F64),
                // Functions of 16-bit floats take their bits, or a float that holds the value.
                _ => None,
            },
            arity: question.arity() as u8,
            compiler: self.compiler.as_deref().and_then(compiler),
            cflags: flags.clone(),
            output_first: self.output_first,
        }
    }
}

impl SubjectInput {
    /// Finds, compiles or reads the subjects that a text names: several where it names several symbols or widths.
    ///
    /// # Errors
    /// [`SubjectProblem`], with the compiler's own words where a source does not compile.
    pub fn prepare(
        text: &str,
        symbol: Option<&str>,
        build: &Build,
        question: &Question,
    ) -> Result<Vec<SubjectInput>, SubjectProblem> {
        if is_program(text) {
            return Ok(vec![Self::program(text, question)?]);
        }
        Spec::parse(text, symbol)?.iter().map(|spec| Self::native(spec, build, question)).collect()
    }

    /// Prepares one foreign subject.
    ///
    /// # Errors
    /// As [`SubjectInput::prepare`].
    pub fn native(spec: &Spec, build: &Build, question: &Question) -> Result<SubjectInput, SubjectProblem> {
        let subject = native::prepare(spec, &build.request(question, spec))?;
        let name = spec.to_string();
        let narrow = !matches!(question.format, FloatFormat::F32 | FloatFormat::F64);
        if narrow && subject.signature.element == Element::F64 {
            let what = format!("it computes in f64, and the question is about {} inputs", question.format.name);
            let help = "measure the float version, as in expf, or ask with --type f64".into();
            return Err(SubjectProblem::Misfit { subject: name, what, help });
        }
        if subject.signature.element == Element::U16 && question.out.precision > question.format.precision {
            let what =
                format!("its results are {} and cannot be judged in {}", question.format.name, question.out.name);
            let help = format!("leave `--out {}` out", question.out.name);
            return Err(SubjectProblem::Misfit { subject: name, what, help });
        }
        let record = SubjectRecord {
            name,
            signature: subject.signature,
            source: Source::Native(subject.origin.clone()),
            notes: subject.notes.clone(),
        };
        let warnings = subject.warnings.clone();
        Ok(SubjectInput { record, build: build.clone(), warnings, code: Code::Native(subject) })
    }

    /// Reads a program in text form.
    ///
    /// # Errors
    /// [`SubjectProblem::File`], [`SubjectProblem::Program`].
    pub fn program(path: &str, question: &Question) -> Result<SubjectInput, SubjectProblem> {
        let text = files::read(Path::new(path))?;
        let refuse = |what: String, help: &str| SubjectProblem::Program { path: path.into(), what, help: help.into() };
        let program: Program = text.parse().map_err(|e: mathsmith_ir::text::ParseError| {
            refuse(e.to_string(), "a program is a file as `mathsmith dev ir` prints it, or `program` in front.json")
        })?;
        if let Err(violations) = mathsmith_ir::verify::check(&program) {
            let all: Vec<String> = violations.iter().map(ToString::to_string).collect();
            return Err(refuse(format!("the program is broken: {}", all.join("; ")), "mend the file"));
        }
        let ty = if question.format == FloatFormat::F64 { Type::F64 } else { Type::F32 };
        let inputs: Vec<&str> = program.inputs().iter().map(|i| i.ty.name()).collect();
        let outputs: Vec<&str> = program.outputs().iter().map(|&v| program.ty(v).name()).collect();
        if inputs != vec![ty.name(); question.arity()] || outputs != [ty.name()] {
            let what = format!("it maps ({}) to ({})", inputs.join(", "), outputs.join(", "));
            let wanted = vec![ty.name(); question.arity()].join(", ");
            let help = format!("the question needs ({wanted}) to ({}); see --type and the reference", ty.name());
            return Err(refuse(what, &help));
        }
        let params: Option<Vec<Literal>> = program.params().iter().map(|p| p.value).collect();
        let Some(params) = params else {
            return Err(refuse("a parameter has no value".into(), "write `= value` behind each param"));
        };
        if question.asked.ftz {
            let help = "leave --ftz out, or measure the emitted C function";
            return Err(refuse("programs run without flushing of subnormals".into(), help));
        }
        let (_, engine) = mathsmith_jit::engine_for(&program).map_err(|e| refuse(e.to_string(), "see docs/ir.md"))?;
        let element = if ty == Type::F64 { Element::F64 } else { Element::F32 };
        let record = SubjectRecord {
            name: path.to_owned(),
            signature: Signature { element, arity: question.arity() as u8, shape: Shape::Scalar },
            source: Source::Program { path: path.into(), hash: sha256(text.as_bytes()), engine: engine.to_string() },
            notes: Vec::new(),
        };
        let code = Code::Program(program, params);
        Ok(SubjectInput { record, build: Build::default(), warnings: String::new(), code })
    }

    /// Parameters that every call of the engine gets.
    pub fn params(&self) -> &[Literal] {
        match &self.code {
            Code::Native(_) => &[],
            Code::Program(_, params) => params,
        }
    }

    /// Starts the subject: an engine over columns of `f64` for that format, of `f32` for all others.
    ///
    /// # Errors
    /// [`EngineError`] if it cannot be started.
    pub fn start(&self, format: FloatFormat, ftz: bool, host: &Host) -> Result<Box<dyn Engine>, EngineError> {
        match &self.code {
            Code::Program(program, _) => Ok(mathsmith_jit::engine_for(program)?.0),
            Code::Native(subject) => {
                let half = match format {
                    FloatFormat::F16 => Some(HalfFormat::F16),
                    FloatFormat::BF16 => Some(HalfFormat::Bf16),
                    _ => None,
                };
                let options = HostOptions { command: host.command.clone(), ftz, timeout: host.timeout, half };
                subject.start(&options).map_err(|e| EngineError::Failed { row: None, what: e.to_string() })
            }
        }
    }
}
