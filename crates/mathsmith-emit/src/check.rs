//! Whether a language can express a program, decided before anything is written.

use mathsmith_ir::{Node, Op, Program, Type, Value, kernels, staged};

/// A language of emitted code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lang {
    /// Rust without `std` and without dependencies.
    Rust,
    /// C99.
    C,
}

impl Lang {
    /// File name extension.
    pub fn extension(self) -> &'static str {
        match self {
            Lang::Rust => "rs",
            Lang::C => "c",
        }
    }

    /// Name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Lang::Rust => "Rust",
            Lang::C => "C",
        }
    }
}

/// Why nothing was emitted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmitError {
    /// The program computes with exact reals.
    #[error(
        "program `{program}` computes with reals, which {lang} has not: choose a machine type (--type f32 or f64), or \
         take the formula"
    )]
    Real {
        /// Name of the program.
        program: String,
        /// Name of the language.
        lang: &'static str,
    },
    /// A result depends on all rows of a call, but an emitted function takes one.
    #[error(
        "program `{program}` reduces over rows with `{op}`, which a {lang} function of one row cannot: emit what comes \
         before and after it, and pass the reduced value as an input"
    )]
    Reduction {
        /// Name of the program.
        program: String,
        /// Name of the operation.
        op: &'static str,
        /// Name of the language.
        lang: &'static str,
    },
    /// A parameter has no value.
    #[error("program `{program}`: parameter `{param}` has no value; fit the program before emitting it")]
    FreeParameter {
        /// Name of the program.
        program: String,
        /// Name of the parameter.
        param: String,
    },
    /// The program has no output.
    #[error("program `{program}` has no output, so there is nothing to emit")]
    NoOutput {
        /// Name of the program.
        program: String,
    },
    /// The name given to the function cannot be used.
    #[error("`{name}` cannot be the name of a {lang} function ({why}); choose another with --name")]
    Name {
        /// The name.
        name: String,
        /// Name of the language.
        lang: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A test is only emitted for functions whose whole domain can be swept.
    #[error("program `{program}`: a test is written for functions of one f32 with one f32 result; {why}")]
    NoTest {
        /// Name of the program.
        program: String,
        /// What is different.
        why: String,
    },
}

/// Whether `lang` can express `program`: it computes with machine types, row by row, every live parameter has a value, and
/// there is an output.
///
/// # Errors
/// [`EmitError`] names the first obstacle.
pub fn check(program: &Program, lang: Lang) -> Result<(), EmitError> {
    let name = || program.name().to_owned();
    if program.outputs().is_empty() {
        return Err(EmitError::NoOutput { program: name() });
    }
    if program.inputs().iter().any(|i| i.ty == Type::Real) {
        return Err(EmitError::Real { program: name(), lang: lang.name() });
    }
    if let Some(op) = staged::first_reduction(program) {
        return Err(EmitError::Reduction { program: name(), op: op.name(), lang: lang.name() });
    }
    let live = program.live();
    for v in program.values().filter(|v| live[v.index()]) {
        if program.ty(v) == Type::Real {
            return Err(EmitError::Real { program: name(), lang: lang.name() });
        }
        if let Node::Param(i) = program.node(v) {
            let p = &program.params()[i as usize];
            if p.value.is_none() {
                return Err(EmitError::FreeParameter { program: name(), param: p.name.clone() });
            }
        }
    }
    Ok(())
}

/// Whether a compiler that contracts could fuse a product of this program into a sum: a float product, perhaps negated,
/// that feeds an addition or subtraction.
pub fn needs_contraction_guard(program: &Program) -> bool {
    let program = &*kernels::lower(program);
    let live = program.live();
    // Whether a value is a product, looking through negations.
    let mut product = vec![false; program.nodes().len()];
    for v in program.values() {
        let Node::Op(op, _) = program.node(v) else { continue };
        let feeds = |a: &Value| product[a.index()];
        let node = program.node(v);
        match op {
            Op::Mul if program.ty(v).is_float() => product[v.index()] = true,
            Op::Neg if program.ty(v).is_float() => product[v.index()] = feeds(&node.args()[0]),
            Op::Add | Op::Sub if program.ty(v).is_float() && live[v.index()] && node.args().iter().any(feeds) => {
                return true;
            }
            // Conditional moves may be sunk by a compiler: a product chosen by select counts as a product.
            Op::Select | Op::Min | Op::Max | Op::Abs if program.ty(v).is_float() => {
                product[v.index()] = node.args().iter().any(feeds);
            }
            _ => {}
        }
    }
    false
}
