//! `mathsmith calibrate`: a machine model measured on this machine.

use crate::bench::{failure, timing_host};
use crate::failure::{Failure, Outcome};
use crate::measure::host;
use crate::print;
use clap::Args;
use mathsmith_bench::calibrate::{bases, calibrate};
use mathsmith_dsl::flags;
use mathsmith_verify::files;
use std::path::PathBuf;
use std::time::Duration;

/// What `calibrate` is asked.
#[derive(Args)]
pub struct CalibrateArgs {
    /// Write the model to a file, for --target FILE.toml
    #[arg(long, value_name = "FILE.toml")]
    pub out: Option<PathBuf>,
    /// The shipped model whose instructions are measured: x86-64-v3 or x86-64-v4 [default: the widest that runs here]
    #[arg(long, value_name = "MODEL")]
    pub base: Option<String>,
    /// Name of the model [default: the base's, with -measured behind it]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Rounds in which every kernel is timed once [default: 41]
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub rounds: Option<String>,
    /// Print one JSON object instead of a comparison
    #[arg(long)]
    pub json: bool,
}

/// Measures, compares with the shipped models, writes.
///
/// # Errors
/// [`Failure`].
pub fn run(args: &CalibrateArgs) -> Result<Outcome, Failure> {
    let rounds = match &args.rounds {
        Some(text) => flags::flag("rounds", text, |t| flags::count(t, 1, 10_000))?.value as u32,
        None => 41,
    };
    if let Some(out) = args.out.as_ref().filter(|out| out.extension().is_none_or(|e| e != "toml")) {
        let what = format!("--out {}: `--target` takes a name for a file if it ends in .toml", out.display());
        return Err(Failure::input(format!("{what}\n  help: write `--out {}.toml`", out.display())));
    }
    let host = timing_host(&host(Duration::from_secs(10))?.command);
    // The one that is written comes last; the others are compared only.
    let wanted = args.base.as_deref().or(bases().last().copied()).unwrap_or("x86-64-v3").to_owned();
    let mut all: Vec<&str> = bases().into_iter().filter(|b| *b != wanted && args.base.is_none()).collect();
    all.push(&wanted);
    let mut last = None;
    for base in all {
        let name = match (&args.name, base == wanted) {
            (Some(name), true) => name.clone(),
            _ => format!("{base}-measured"),
        };
        let done = calibrate(base, &name, rounds, &host).map_err(failure)?;
        if !args.json {
            print(&format!("{}\n", done.table()))?;
        }
        last = Some(done);
    }
    let Some(done) = last else { return Ok(Outcome::NotMet) };
    if args.json {
        let json = serde_json::to_string_pretty(&done).map_err(|e| Failure::input(e.to_string()))?;
        print(&format!("{json}\n"))?;
    }
    match &args.out {
        Some(out) => {
            files::write_atomic(out, done.toml.as_bytes())
                .map_err(|e| Failure::input(format!("{e}\n  help: name a file that can be written")))?;
            if !args.json {
                print(&format!("written: {}, for --target\n", out.display()))?;
            }
        }
        None if !args.json => print("nothing was written: name a file with --out FILE.toml\n")?,
        None => {}
    }
    Ok(Outcome::Found)
}
