//! Why a subject cannot be measured, before any call of it.

use crate::NativeError;
use std::path::PathBuf;

/// Why a subject cannot be measured.
#[derive(Debug, thiserror::Error)]
pub enum SubjectError {
    /// The text names no subject.
    #[error("{text}: {what}\n  help: {help}")]
    Spec {
        /// As typed.
        text: String,
        /// What is wrong.
        what: String,
        /// What to write.
        help: String,
    },
    /// A file cannot be read, or is not what its name says.
    #[error("{}: {what}\n  help: {help}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
        /// What to do.
        help: String,
    },
    /// There is no such function.
    #[error("{place} has no function `{symbol}`\n  help: {}", nearest(near, help))]
    NoSymbol {
        /// The name asked for.
        symbol: String,
        /// Where it was looked for.
        place: String,
        /// Existing names near it, the nearest first; may be empty.
        near: Vec<String>,
        /// What to do where no name is near.
        help: String,
    },
    /// The function has another type than the question.
    #[error("{subject}: {what}\n  help: {help}")]
    Signature {
        /// The subject.
        subject: String,
        /// What does not fit.
        what: String,
        /// What to do.
        help: String,
    },
    /// This machine lacks what the subject needs: a library, an instruction set, shared memory.
    #[error("{subject}: {what}\n  help: {help}")]
    Machine {
        /// The subject.
        subject: String,
        /// What is missing.
        what: String,
        /// What to do.
        help: String,
    },
    /// The child process could not be started, or failed before any call.
    #[error("{subject}: {what}\n  help: {help}")]
    Host {
        /// The subject.
        subject: String,
        /// What happened.
        what: String,
        /// What to do.
        help: String,
    },
    /// A compiler is missing or refuses the source.
    #[error(transparent)]
    Native(#[from] NativeError),
}

/// The way out of a missing name.
fn nearest(near: &[String], help: &str) -> String {
    match near {
        [] => help.into(),
        names => format!("did you mean {}?", names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(" or ")),
    }
}
