//! What a person writes: expressions, problem files, grammar files; and the diagnostics they get back.
//!
//! | text | parsed by | gives |
//! | --- | --- | --- |
//! | `x*0.5*(1 + erf(x/sqrt(2)))` | [`parse_expr`] | [`Expr`], exact mathematics with spans |
//! | `-pi/4..pi/4` | [`parse_domain`] | [`Domain`] |
//! | a `.smith` file | [`parse_problem`] | [`RawSettings`], resolved to a [`Problem`] |
//! | a `.grammar` file | [`parse_grammar`] | [`Grammar`] |
//!
//! Flags of the command line that no problem file has are read by [`flags`].
//!
//! Whatever is wrong becomes a [`Diagnostic`] with the place, the cause and a way out; no text makes a parser panic or
//! recurse without limit. The names of functions and settings stand in tables ([`functions`], [`TABLE`],
//! [`GRAMMAR_TABLE`]) that the parsers themselves use, so that documentation made from them is complete.

mod diagnostic;
mod domain;
mod expr;
pub mod flags;
mod fold;
pub mod functions;
mod grammar;
mod incumbent;
mod lex;
mod lines;
mod ops;
mod parse;
mod print;
mod problem;
mod requirement;
mod settings;
pub mod suggest;
mod values;

pub use diagnostic::{Code, Diagnostic, Severity, SourceText};
pub use domain::{Domain, parse_domain};
pub use expr::{Cmp, Constant, ExactNumber, Expr, ExprId, ExprNode, Func, Span};
pub use fold::Fraction;
pub use functions::{CONSTANTS, FUNCTIONS};
pub use grammar::{GRAMMAR_TABLE, Grammar, GrammarKey, MUTATION_TABLE, Mutations, parse_grammar};
pub use incumbent::{Counted, Evidence, Incumbent, IncumbentError};
pub use ops::OpName;
pub use parse::{Meaning, free_names, parse_expr, parse_expr_with_definitions, parse_expr_with_vars};
pub use problem::{Problem, Resolved, RunOptions};
pub use requirement::Requirement;
pub use settings::{Located, Place, RawSettings, Setting, TABLE, parse_problem};
pub use values::{Bound, BoundKind, Format, Minimize, Reduce, Variant};
