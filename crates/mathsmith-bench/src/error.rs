//! Why there is no timing.

use mathsmith_native::NativeError;
use std::path::PathBuf;

/// What makes a whole bench or calibration impossible. What concerns one contestant is a note in the record.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// A file that cannot be read, or does not hold what it should.
    #[error("{}: {what}\n  help: {help}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
        /// What to do.
        help: String,
    },
    /// Nothing in the domain has a result.
    #[error("{reference} has no finite results between {lo:?} and {hi:?}\n  help: name another domain with --on")]
    Inputs {
        /// The reference.
        reference: String,
        /// First number of the domain.
        lo: f64,
        /// Last number of the domain.
        hi: f64,
    },
    /// A question that cannot be timed.
    #[error("{what}\n  help: {help}")]
    Question {
        /// What is wrong.
        what: String,
        /// What to do.
        help: String,
    },
    /// The child process that takes the times.
    #[error("the timing failed: {0}\n  help: repeat it; with --peers none only your own code is run")]
    Host(#[source] NativeError),
    /// A compiler that is needed and does not work, or is not there.
    #[error(transparent)]
    Native(#[from] NativeError),
    /// The child process answered with something else than times.
    #[error("the process that takes the times answered with {what}\n  help: repeat it; if it happens again, report it")]
    Answer {
        /// What it said.
        what: String,
    },
    /// A file could not be written.
    #[error(
        "{what}: {cause}\n  help: check the space that is left, and permissions; TMPDIR names the folder for what is compiled"
    )]
    Io {
        /// What was being done.
        what: String,
        /// The system's reason.
        cause: std::io::Error,
    },
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}
