//! What a person writes: expressions, problem files, grammar files; and the diagnostics they get back.

mod diagnostic;
mod expr;
pub mod functions;
mod grammar;
mod lex;
mod lines;
mod ops;
mod parse;
mod print;
pub mod suggest;

pub use diagnostic::{Code, Diagnostic, Severity, SourceText};
pub use expr::{Cmp, Constant, ExactNumber, Expr, ExprId, ExprNode, Func, Span};
pub use functions::{CONSTANTS, FUNCTIONS};
pub use grammar::{GRAMMAR_TABLE, Grammar, GrammarKey, Mutations, parse_grammar};
pub use ops::OpName;
pub use parse::{parse_expr, parse_expr_with_vars};
