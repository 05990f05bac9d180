//! Why a verification could not be carried out.

use crate::record::decimal;
use crate::report::hex;
use mathsmith_ir::{EngineError, Type};
use mathsmith_oracle::FloatFormat;

/// Why a verification could not be carried out.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum VerifyError {
    /// No float lies between the ends.
    #[error("the domain {lo:e}..{hi:e} is empty: no f32 lies in it; give a lower end that is not above the upper end")]
    EmptyDomain {
        /// Lower end as given.
        lo: f32,
        /// Upper end as given.
        hi: f32,
    },
    /// An end is NaN.
    #[error("an end of the domain is NaN: give two numbers (or infinities)")]
    NanEnd,
    /// The program has the wrong inputs, outputs or parameters for this check.
    #[error("program `{program}`: {what}")]
    Signature {
        /// Name of the program.
        program: String,
        /// What does not fit and what is needed.
        what: String,
    },
    /// The engine refused the program.
    #[error("program `{program}`: {source}")]
    Engine {
        /// Name of the program.
        program: String,
        /// The engine's reason.
        source: EngineError,
    },
    /// The code under measurement failed while it ran: it crashed, did not return, or ended its process.
    #[error("`{subject}` failed at {input}: {what}")]
    Failed {
        /// Name of the subject.
        subject: String,
        /// The input, one coordinate an argument; empty where it is not known.
        at: Vec<f64>,
        /// The input in hexadecimal and decimal (`0x1.8p+0 (1.5)`, one an argument), or the inputs of the call where it
        /// is not known.
        input: String,
        /// What happened.
        what: String,
    },
    /// The code under measurement could not be started.
    #[error("`{subject}` could not be started: {what}")]
    NotStarted {
        /// Name of the subject.
        subject: String,
        /// Why.
        what: String,
    },
    /// Results of a 32-bit function cannot be judged in this format.
    #[error("f32 results cannot be judged at {format}; choose f32, bf16 or f16")]
    JudgedAt {
        /// Name of the format.
        format: &'static str,
    },
    /// A tolerance that cannot be used.
    #[error("the tolerance `{tolerance}`: {what}")]
    Tolerance {
        /// The tolerance as written.
        tolerance: String,
        /// What is wrong with it, and where.
        what: String,
    },
    /// The reference has several variables.
    #[error("the reference has {variables} variables, and a sweep runs over one: fix the others to numbers")]
    Variables {
        /// How many it has.
        variables: usize,
    },
    /// No number of the format lies between the ends of an argument.
    #[error(
        "the domain {lo:e}..{hi:e} is empty: no {format} number lies in it; give a lower end that is not above the upper end"
    )]
    EmptyBox {
        /// Lower end as given.
        lo: f64,
        /// Upper end as given.
        hi: f64,
        /// Name of the format.
        format: &'static str,
    },
    /// The question does not have as many arguments as the reference has variables.
    #[error(
        "{arguments} arguments are given and the reference has {variables} variables; measurements take one or two arguments, as many as the reference has"
    )]
    Arity {
        /// Arguments of the domain.
        arguments: usize,
        /// Variables of the reference.
        variables: usize,
    },
    /// Inputs of this format are too many to evaluate all of them this way.
    #[error("{format} inputs in {arguments} arguments are not evaluated exhaustively one by one; sample them")]
    TooMany {
        /// Name of the format.
        format: &'static str,
        /// Arguments of the domain.
        arguments: usize,
    },
    /// The cancel flag was raised.
    #[error("verification was cancelled after {done} of {total} inputs")]
    Cancelled {
        /// Inputs finished.
        done: u64,
        /// Inputs of the domain.
        total: u64,
    },
    /// The reference has no usable value where one is needed.
    #[error("the reference has no finite value at x = {x:e}; leave the point out of the domain")]
    Undefined {
        /// The input.
        x: f64,
    },
}

impl VerifyError {
    pub(crate) fn engine(program: &mathsmith_ir::Program, source: EngineError) -> Self {
        VerifyError::Engine { program: program.name().to_owned(), source }
    }

    /// What an engine said of a call on `rows` inputs of a format, of which `at` gives the coordinates:
    /// [`VerifyError::Failed`] with the input that it failed at, or the engine's own reason.
    pub fn of_call(
        subject: &str,
        format: FloatFormat,
        rows: usize,
        at: impl Fn(usize) -> Vec<f64>,
        error: EngineError,
    ) -> Self {
        let subject = subject.to_owned();
        let EngineError::Failed { row, what } = error else {
            return VerifyError::Engine { program: subject, source: error };
        };
        let name = |row: usize| {
            let all: Vec<String> = at(row).iter().map(|&x| format!("{} ({})", hex(x), decimal(format, x))).collect();
            all.join(", ")
        };
        match row.filter(|&row| row < rows).or((rows == 1).then_some(0)) {
            Some(row) => VerifyError::Failed { subject, at: at(row), input: name(row), what },
            None => {
                let last = rows.checked_sub(1);
                let ends = last.map_or_else(String::new, |last| format!(", from {} to {}", name(0), name(last)));
                VerifyError::Failed { subject, at: Vec::new(), input: format!("one of {rows} inputs{ends}"), what }
            }
        }
    }

    pub(crate) fn signature(program: &mathsmith_ir::Program, what: impl Into<String>) -> Self {
        VerifyError::Signature { program: program.name().to_owned(), what: what.into() }
    }
}

/// Checks that a program maps one value of type `ty` to one value of type `ty` and that every parameter has a value;
/// returns those values.
pub(crate) fn unary(program: &mathsmith_ir::Program, ty: Type) -> Result<Vec<mathsmith_ir::Literal>, VerifyError> {
    let inputs = program.inputs();
    if inputs.len() != 1 || inputs[0].ty != ty {
        return Err(VerifyError::signature(
            program,
            format!("one input of type {ty} is needed, it has {}", {
                let types: Vec<_> = inputs.iter().map(|i| i.ty.name()).collect();
                if types.is_empty() { "none".to_owned() } else { types.join(", ") }
            }),
        ));
    }
    let outputs = program.outputs();
    if outputs.len() != 1 || program.ty(outputs[0]) != ty {
        return Err(VerifyError::signature(program, format!("one output of type {ty} is needed")));
    }
    program
        .params()
        .iter()
        .map(|p| {
            p.value.ok_or_else(|| {
                VerifyError::signature(program, format!("parameter `{}` has no value; fit the program first", p.name))
            })
        })
        .collect()
}

/// Checks that a sweep over one variable makes sense for a reference.
pub(crate) fn check_variables<T: crate::Truth>(truth: &T) -> Result<(), VerifyError> {
    match truth.variables() {
        0 | 1 => Ok(()),
        variables => Err(VerifyError::Variables { variables }),
    }
}
