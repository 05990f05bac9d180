//! The command line.
//!
//! Exit codes: 0 found and verified; 1 the bound was not met, nothing was found, or a subject failed; 2 bad input or
//! environment; 3 a bug of ours; 130 interrupted, with everything saved (of a measurement there is nothing to save).

mod approx;
mod args;
mod bench;
mod calibrate;
mod cases;
mod check;
mod dev;
mod failure;
mod fit;
mod measure;
mod progress;
mod table;

use args::{Cli, Command};
use clap::Parser;
use failure::{Failure, Outcome};
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Command::SubjectHost = cli.command {
        return mathsmith_native::subject::host_main();
    }
    if let Command::BenchHost = cli.command {
        return mathsmith_bench::host::host_main();
    }
    std::panic::set_hook(Box::new(|info| {
        eprintln!(
            "\nmathsmith: internal error: {info}\nThis is a bug of ours: please report it with the command that led to it."
        );
    }));
    let run = || match cli.command {
        Command::Approx { question, settings } => approx::approx(&question, &settings),
        Command::Fit { form, reference, fix, settings } => fit::fit(&form, &reference, &fix, &settings),
        Command::Resume { run, threads, json } => approx::resume(&run, threads.as_deref(), json),
        Command::Measure(args) => measure::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Cases(args) => cases::run(&args),
        Command::Dev(dev) => dev::dev(&dev),
        Command::Bench(args) => bench::run(&args),
        Command::Calibrate(args) => calibrate::run(&args),
        Command::SubjectHost | Command::BenchHost => unreachable!("a host has been started above"),
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
