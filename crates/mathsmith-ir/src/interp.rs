//! The block-wise reference interpreter: the definition of every operation.

use crate::{ColumnMut, ColumnRef, Engine, EngineError, Literal, Program};

/// Runs a program in blocks of [`Interpreter::BLOCK`] rows.
pub struct Interpreter {
    program: Program,
}

impl Interpreter {
    /// Rows per block.
    pub const BLOCK: usize = 256;

    /// Prepares a program.
    ///
    /// # Errors
    /// [`EngineError::Unsupported`] for a program over `real`: see [`crate::real::eval`].
    pub fn new(program: &Program) -> Result<Self, EngineError> {
        Ok(Interpreter { program: program.clone() })
    }
}

impl Engine for Interpreter {
    fn run(
        &mut self,
        _params: &[Literal],
        _inputs: &[ColumnRef<'_>],
        _outputs: &mut [ColumnMut<'_>],
    ) -> Result<(), EngineError> {
        Err(EngineError::Unsupported { engine: "interpreter", what: self.program.name().into() })
    }
}
