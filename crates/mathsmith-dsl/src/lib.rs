//! What a person writes: expressions, problem files, grammar files; and the diagnostics they get back.

mod expr;

pub use expr::{Cmp, Constant, ExactNumber, Expr, ExprId, ExprNode, Func, Span};
