//! What went wrong, who must act, and the exit code that says so.

use mathsmith_approx::question::QuestionError;
use mathsmith_approx::run::RunError;
use mathsmith_dsl::{Code, Diagnostic, RawSettings};
use std::io::IsTerminal;

/// How a command ended that did its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Found and verified.
    Found,
    /// The bound was not met, or nothing was found.
    NotMet,
}

/// A command that could not do its work.
#[derive(Debug)]
pub enum Failure {
    /// Bad input, shown where it was written.
    Diagnostics(Vec<Diagnostic>),
    /// Bad input or environment, in words.
    Input(String),
    /// Stopped by Ctrl-C; the text says how to go on.
    Interrupted(String),
}

impl Failure {
    /// Bad input or environment.
    pub fn input(message: impl Into<String>) -> Failure {
        Failure::Input(message.into())
    }

    /// A setting that cannot be used, shown where it was written if it was written at all.
    pub fn question(error: &QuestionError, raw: Option<&RawSettings>) -> Failure {
        match raw.and_then(|raw| raw.place(error.setting)) {
            Some(place) => Failure::Diagnostics(vec![place.error(Code::Value, &*error.message, "here", &*error.help)]),
            None => Failure::Input(error.to_string()),
        }
    }

    /// A run that failed; `dir` is its folder.
    pub fn run(error: &RunError, raw: Option<&RawSettings>, dir: Option<&std::path::Path>) -> Failure {
        match error {
            RunError::Question(q) => Failure::question(q, raw),
            RunError::Interrupted => Failure::Interrupted(match dir {
                Some(dir) => format!("interrupted; go on with: mathsmith resume {}", dir.display()),
                None => "interrupted; nothing was saved, because no --out was given".into(),
            }),
            other => Failure::Input(other.to_string()),
        }
    }

    /// Shows it on standard error.
    pub fn print(&self) {
        let color = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        match self {
            Failure::Diagnostics(all) => {
                for diagnostic in all {
                    eprintln!("{}", diagnostic.report(color).trim_end());
                }
            }
            Failure::Input(message) => eprintln!("error: {message}"),
            Failure::Interrupted(message) => eprintln!("{message}"),
        }
    }

    /// The exit code.
    pub fn code(&self) -> u8 {
        match self {
            Failure::Diagnostics(_) | Failure::Input(_) => 2,
            Failure::Interrupted(_) => 130,
        }
    }
}

impl From<Diagnostic> for Failure {
    fn from(d: Diagnostic) -> Failure {
        Failure::Diagnostics(vec![d])
    }
}

impl From<Vec<Diagnostic>> for Failure {
    fn from(d: Vec<Diagnostic>) -> Failure {
        Failure::Diagnostics(d)
    }
}
