//! The text form: exact, readable, and the form in which programs are stored.
//!
//! ```text
//! program exp2_f32(x: f32) -> (f32) {
//!   param c0: f32 = 0x1p+0            # a parameter; the value may be absent
//!   table t0: f32 = [0x1p+0, 0x1.8p+0]
//!   v2 = fma x, c0, 0x1.8p+1:f32
//!   v3 = convert.i32 v2
//!   v4 = table.t0 v3
//!   return v4
//! }
//! ```
//!
//! # Grammar
//!
//! ```text
//! program   = "program" name "(" [ input { "," input } ] ")" "->" "(" [ type { "," type } ] ")" "{" { statement } "}"
//! input     = name ":" type
//! statement = [ label "=" ] "input" name ":" type
//!           | [ label "=" ] "param" name ":" type [ "=" literal ]
//!           | "table" ident ":" type "=" "[" literal { "," literal } "]"
//!           | label "=" "lit" literal
//!           | label "=" op [ "." ( type | table ) ] operand { "," operand }
//!           | "return" [ operand { "," operand } ]
//! operand   = label | name | literal
//! literal   = ( "true" | "false" | [ sign ] number { sign number } ) [ ":" type ]
//! number    = decimal | hexadecimal | "inf" | "nan" | "nan" "(" bits ")"
//! name      = ident | string
//! type      = "real" | "f32" | "f64" | "i32" | "i64" | "bool"
//! ```
//!
//! * `convert.f64`, `bitcast.i32` and `table.t0` carry their payload after a dot.
//! * A literal is rounded once, correctly, to its type: decimal (`1.5e-3`), hexadecimal (`0x1.8p-3`) or, for integers,
//!   whole numbers and their bits in hexadecimal. Beyond the type's range it is an error, not an infinity. A sum of
//!   several numbers is for `real`, whose literals have three terms. `nan` is the positive quiet NaN of its type,
//!   `nan(0x7f800001)` the NaN with those bits.
//! * The type of a literal may be left out where the operation fixes it from another operand.
//! * `#` starts a comment. Line breaks are white space.
//! * Labels are any identifiers; names and labels are defined once, before use. `return` comes last.
//! * Names that are not identifiers are written as strings with `\"` and `\\`, and are referred to by a label.
//!
//! # Exactness
//!
//! The order of the statements is the order of the nodes, and a literal becomes a node where it is first written (in an
//! operand or, where that is not its place, by `lit`), so that reading what was printed gives an equal program with
//! equal indices: `v7` is the node with index 7. Equal nodes are one: a program that says the same thing twice has one
//! node for it.

mod lex;
mod parse;
mod print;

pub use parse::parse_literal;
pub use print::literal_text;

use crate::Program;
use std::str::FromStr;

/// Why a text is not a program, with the 1-based line and column.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct ParseError {
    /// 1-based line.
    pub line: usize,
    /// 1-based column in characters.
    pub column: usize,
    /// What is wrong and what to do.
    pub message: String,
}

impl FromStr for Program {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        parse::parse_program(text)
    }
}

/// Words that cannot name a value, as they mean something else where a value or statement may stand.
const RESERVED: [&str; 9] = ["program", "input", "param", "table", "return", "inf", "nan", "true", "false"];

fn is_identifier(s: &str) -> bool {
    let mut chars = s.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !RESERVED.contains(&s)
}

/// Whether a name looks like the labels that the printer makes.
fn is_printed_label(s: &str) -> bool {
    s.strip_prefix('v').is_some_and(|d| !d.is_empty() && d.bytes().all(|b| b.is_ascii_digit()))
}
