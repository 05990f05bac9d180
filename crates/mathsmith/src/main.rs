//! The command line.
//!
//! Exit codes: 0 found and verified; 1 the bound was not met or nothing was found; 2 bad input or environment; 3 a bug of
//! ours; 130 interrupted, with everything saved.

mod approx;
mod args;
mod dev;
mod failure;
mod fit;
mod progress;
mod table;

use args::{Cli, Command};
use clap::Parser;
use failure::{Failure, Outcome};
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    std::panic::set_hook(Box::new(|info| {
        eprintln!(
            "\nmathsmith: internal error: {info}\nThis is a bug of ours: please report it with the command that led to it."
        );
    }));
    let run = || match cli.command {
        Command::Approx { question, settings } => approx::approx(&question, &settings),
        Command::Fit { form, reference, fix, settings } => fit::fit(&form, &reference, &fix, &settings),
        Command::Resume { run, threads, json } => approx::resume(&run, threads.as_deref(), json),
        Command::Dev(dev) => dev::dev(&dev),
    };
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)) {
        Ok(Ok(Outcome::Found)) => ExitCode::SUCCESS,
        Ok(Ok(Outcome::NotMet)) => ExitCode::from(1),
        Ok(Err(failure)) => {
            failure.print();
            ExitCode::from(failure.code())
        }
        Err(_) => ExitCode::from(3),
    }
}

/// Prints to standard output; a reader that went away (`| head`) is no error.
pub fn print(text: &str) -> Result<(), Failure> {
    use std::io::Write;
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::input(format!("cannot write to standard output: {e}")))
        }
        _ => Ok(()),
    }
}
