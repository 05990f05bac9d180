//! Evaluation of `real` programs in any [`Number`] type.

use crate::{EngineError, Literal, Node, Number, Op, Program};

/// Values of a `real` program's outputs, computed in the number type `T`.
///
/// `params` are the parameters in order, `inputs` the inputs in order; `like` supplies the precision of literals.
///
/// # Errors
/// [`EngineError`] for an operation that has no meaning on reals, a comparison that `T` cannot decide, or a wrong number
/// of arguments.
pub fn eval<T: Number>(program: &Program, params: &[T], inputs: &[T], like: &T) -> Result<Vec<T>, EngineError> {
    let _ = (program, params, inputs, like, Node::Lit(Literal::I32(0)), Op::Add);
    Err(EngineError::Unsupported { engine: "real evaluator", what: "anything yet".into() })
}
