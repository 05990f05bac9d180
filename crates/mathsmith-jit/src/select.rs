//! Choice of engine: native code where the machine can, otherwise the interpreter, and the reason said.

use crate::{Compiler, Host, Lanes};
use mathsmith_ir::{Engine, EngineError, Interpreter, Program, Staged, staged};
use std::fmt;

/// Which engine runs a program, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EngineKind {
    /// Native code.
    Jit {
        /// Rows per operation: 1, 2 or 4.
        lanes: usize,
    },
    /// The interpreter, which computes the same bits, slower.
    Interpreter {
        /// Why not native code.
        reason: String,
    },
}

impl fmt::Display for EngineKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EngineKind::Jit { lanes: 1 } => f.write_str("native code, scalar"),
            EngineKind::Jit { lanes } => write!(f, "native code, {lanes} rows at a time"),
            EngineKind::Interpreter { reason } => write!(f, "interpreter, because {reason}"),
        }
    }
}

/// The fastest engine for `program` on this machine.
///
/// # Errors
/// [`EngineError::Unsupported`] if the interpreter cannot run the program either (`real` values).
pub fn engine_for(program: &Program) -> Result<(Box<dyn Engine>, EngineKind), EngineError> {
    engine_on(&Host::detect(), program)
}

/// The fastest engine for `program` on `host`. One with reductions runs in passes, each a kernel of its own; the kind
/// then tells the lanes of the last one, or why a pass has no kernel.
///
/// # Errors
/// As for [`engine_for`].
pub fn engine_on(host: &Host, program: &Program) -> Result<(Box<dyn Engine>, EngineKind), EngineError> {
    if let Some(reason) = host.refusal(program) {
        return interpreter(program, reason);
    }
    if staged::has_reductions(program) {
        return in_passes(host, program);
    }
    match Compiler::new(host).and_then(|mut compiler| compiler.compile(program, Lanes::Auto)) {
        Ok(kernel) => {
            let lanes = kernel.lanes();
            Ok((Box::new(kernel), EngineKind::Jit { lanes }))
        }
        Err(refused) => interpreter(program, refused.to_string()),
    }
}

fn interpreter(program: &Program, reason: String) -> Result<(Box<dyn Engine>, EngineKind), EngineError> {
    Ok((Box::new(Interpreter::new(program)?), EngineKind::Interpreter { reason }))
}

/// Kernels for the passes of a program with reductions; the interpreter if one of them has none.
fn in_passes(host: &Host, program: &Program) -> Result<(Box<dyn Engine>, EngineKind), EngineError> {
    let mut lanes = 1;
    let staged = Compiler::new(host).and_then(|mut compiler| {
        Staged::new(program, |pass| {
            let kernel = compiler.compile(pass, Lanes::Auto)?;
            lanes = kernel.lanes();
            Ok(kernel)
        })
    });
    match staged {
        Ok(staged) => Ok((Box::new(staged), EngineKind::Jit { lanes })),
        Err(refused) => interpreter(program, refused.to_string()),
    }
}
