//! The intermediate forms of a kernel as text, for people.

use crate::shape::Lanes;
use crate::{Compiler, Host, unsupported};
use mathsmith_ir::{EngineError, Program};

/// Cranelift's IR of the kernel of `program`, before optimisation.
///
/// # Errors
/// As for [`crate::Kernel::compile`].
pub fn clif(program: &Program, lanes: Lanes, host: &Host) -> Result<String, EngineError> {
    let mut compiler = Compiler::new(host)?;
    compiler.build(program, lanes)?;
    Ok(compiler.context().func.display().to_string())
}

/// Machine code of the kernel of `program` in assembly, one instruction per line.
///
/// # Errors
/// As for [`crate::Kernel::compile`].
pub fn disassembly(program: &Program, lanes: Lanes, host: &Host) -> Result<String, EngineError> {
    let mut compiler = Compiler::new(host)?;
    compiler.build(program, lanes)?;
    let context = compiler.context();
    context.set_disasm(true);
    let compiled = context
        .compile(&**host.isa()?, &mut Default::default())
        .map_err(|e| unsupported(format!("program `{}`: {}", program.name(), e.inner)))?;
    compiled.vcode.clone().ok_or_else(|| unsupported("disassembly of this target"))
}
