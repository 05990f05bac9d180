//! The serialised shape of a program: its text form, so that a stored program is readable and is checked when read.

use crate::{Program, text};
use serde::{Deserialize, Serialize};

/// Text form of a program, as serde sees it.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProgramWire(String);

impl From<Program> for ProgramWire {
    fn from(p: Program) -> Self {
        ProgramWire(p.to_string())
    }
}

impl TryFrom<ProgramWire> for Program {
    type Error = text::ParseError;
    fn try_from(w: ProgramWire) -> Result<Self, Self::Error> {
        w.0.parse()
    }
}
