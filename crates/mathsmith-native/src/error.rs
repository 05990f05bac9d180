//! What can go wrong outside of this process.

use crate::Compiler;
use std::path::PathBuf;
use std::time::Duration;

/// Why foreign code could not be compiled or run.
#[derive(Debug, thiserror::Error)]
pub enum NativeError {
    /// No such compiler on this machine.
    #[error("no {wanted} found in PATH: {way_out}")]
    MissingCompiler {
        /// What was looked for.
        wanted: String,
        /// How to get it.
        way_out: String,
    },
    /// The compiler refused the source.
    #[error("{compiler} refuses {}:\n{message}\ncommand: {command}", source_file.display())]
    Compile {
        /// Which compiler.
        compiler: Compiler,
        /// The source given to it.
        source_file: PathBuf,
        /// Its own words (standard error, then standard output).
        message: String,
        /// The command line, for a repetition by hand.
        command: String,
    },
    /// A program could not be started.
    #[error("cannot start {}: {cause}", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// The system's reason.
        cause: std::io::Error,
    },
    /// A program ran longer than allowed and was killed.
    #[error("{} did not end within {limit:?} and was killed{}", program.display(), said(stderr))]
    Timeout {
        /// The program.
        program: PathBuf,
        /// The limit.
        limit: Duration,
        /// What it wrote to standard error.
        stderr: String,
    },
    /// A program was ended by a signal.
    #[error("{} was ended by signal {signal} ({}){}", program.display(), signal_name(*signal), said(stderr))]
    Signal {
        /// The program.
        program: PathBuf,
        /// The signal's number.
        signal: i32,
        /// What it wrote to standard error.
        stderr: String,
    },
    /// A program ended with an exit code that says failure.
    #[error("{} ended with exit code {code}{}", program.display(), said(stderr))]
    Exit {
        /// The program.
        program: PathBuf,
        /// The exit code.
        code: i32,
        /// What it wrote to standard error.
        stderr: String,
    },
    /// A program wrote more than allowed and was killed.
    #[error("{} wrote more than {limit} bytes to standard output and was killed", program.display())]
    TooMuchOutput {
        /// The program.
        program: PathBuf,
        /// The limit in bytes.
        limit: usize,
    },
    /// A program answered with another number of bytes than its rows have.
    #[error("{} wrote {got} bytes where {expected} were expected", program.display())]
    OutputLength {
        /// The program.
        program: PathBuf,
        /// Bytes that the rows have.
        expected: usize,
        /// Bytes written.
        got: usize,
    },
    /// A file or a pipe failed.
    #[error("{what}: {cause}")]
    Io {
        /// What was being done, with the path.
        what: String,
        /// The system's reason.
        cause: std::io::Error,
    },
    /// The functions or arguments given cannot be wrapped.
    #[error("{0}")]
    Request(String),
}

/// What a program said, as the tail of a message.
fn said(stderr: &str) -> String {
    let stderr = stderr.trim();
    if stderr.is_empty() { String::new() } else { format!("; it said: {stderr}") }
}

/// Name of a signal whose number is the same on Linux and macOS.
pub(crate) fn signal_name(signal: i32) -> &'static str {
    match signal {
        1 => "SIGHUP, hang-up",
        2 => "SIGINT, interrupt",
        3 => "SIGQUIT, quit",
        4 => "SIGILL, an instruction that this CPU does not have",
        5 => "SIGTRAP, trap",
        6 => "SIGABRT, abort",
        7 if cfg!(target_os = "linux") => "SIGBUS, access to memory that is not there",
        8 => "SIGFPE, integer division or overflow",
        9 => "SIGKILL, killed, perhaps for lack of memory",
        11 => "SIGSEGV, invalid memory access",
        13 => "SIGPIPE, closed pipe",
        15 => "SIGTERM, terminated",
        31 if cfg!(target_os = "linux") => "SIGSYS, a forbidden system call",
        _ => "see `kill -l`",
    }
}
