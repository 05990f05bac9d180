//! The text form.

use crate::Program;
use std::{fmt, str::FromStr};

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

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Program {
    type Err = ParseError;
    fn from_str(_: &str) -> Result<Self, ParseError> {
        Err(ParseError { line: 1, column: 1, message: "not written yet".into() })
    }
}
