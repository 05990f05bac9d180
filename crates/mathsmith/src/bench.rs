//! `mathsmith bench`: emitted code and peers, compiled, timed in turn and compared.

use crate::failure::{Failure, Outcome};
use crate::measure::{STOPPING, host, limits};
use crate::print;
use crate::progress::{Terminal, stop_flag_saying};
use clap::Args;
use mathsmith_bench::BenchError;
use mathsmith_bench::errors::Measuring;
use mathsmith_bench::inputs::Mix;
use mathsmith_bench::peers::Family;
use mathsmith_bench::render::table;
use mathsmith_bench::run::{Own, Settings, bench};
use mathsmith_bench::subject::{Pick, Run};
use mathsmith_cost::Model;
use mathsmith_dsl::{Code, Diagnostic, Span, flags};
use mathsmith_measure::{Asked, Question};
use mathsmith_native::Compiler;
use mathsmith_native::subject::Isa;
use mathsmith_verify::files;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// What `bench` is asked.
#[derive(Args)]
pub struct BenchArgs {
    /// A run's folder, or a .c or .rs file
    #[arg(value_name = "RUN|FILE")]
    pub subject: PathBuf,
    /// The entry of the run [default: the cheapest that meets the bound]
    #[arg(long, value_name = "ENTRY", conflicts_with = "all")]
    pub id: Option<String>,
    /// Every entry of the run
    #[arg(long)]
    pub all: bool,
    /// Function of a file
    #[arg(long, value_name = "NAME")]
    pub symbol: Option<String>,
    /// Reference expression of a file, such as "tanh(x)"
    #[arg(long = "ref", value_name = "EXPR", allow_hyphen_values = true)]
    pub reference: Option<String>,
    /// Domain A..B of a file [default: the whole format]
    #[arg(long, value_name = "A..B", allow_hyphen_values = true)]
    pub on: Option<String>,
    /// Libraries to compare with: libm, libmvec, sleef, core-math, libm-crate, composed, or none [default: all]
    #[arg(long, value_name = "LIST")]
    pub peers: Option<String>,
    /// Another peer, written as for measure: mine.c, libmvec:expf@avx2 (may be repeated)
    #[arg(long, value_name = "SUBJECT")]
    pub peer: Vec<String>,
    /// Compilers: gcc, clang, cc, rustc [default: those that are installed]
    #[arg(long, value_name = "LIST")]
    pub compiler: Option<String>,
    /// Flags for C, split as a shell does [default: -O3 -march=native, and with -mprefer-vector-width=512]
    #[arg(long, value_name = "FLAGS", allow_hyphen_values = true)]
    pub cflags: Option<String>,
    /// Flags for rustc, split as a shell does [default: -Copt-level=3 -Ctarget-cpu=native]
    #[arg(long, value_name = "FLAGS", allow_hyphen_values = true)]
    pub rustflags: Option<String>,
    /// Also compare with the fastest peer of at most this error (may be repeated)
    #[arg(long, value_name = "ULP", allow_hyphen_values = true)]
    pub at_most: Vec<String>,
    /// Elements of the array [default: 4096]
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub batch: Option<String>,
    /// How inputs are drawn: mix, value, binades or small [default: mix]
    #[arg(long, value_name = "HOW")]
    pub inputs: Option<String>,
    /// Seed of the inputs [default: 1]
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub seed: Option<String>,
    /// Rounds in which everybody is timed once [default: 200]
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub rounds: Option<String>,
    /// Errors of peers from a sample instead of every input
    #[arg(long)]
    pub quick: bool,
    /// No errors of peers
    #[arg(long, conflicts_with = "quick")]
    pub no_errors: bool,
    /// Where measured errors are kept [default: errors.json in the run's folder]
    #[arg(long, value_name = "FILE")]
    pub cache: Option<PathBuf>,
    /// A machine model to hold against the machine, beside the entry's own (may be repeated)
    #[arg(long, value_name = "MODEL|FILE")]
    pub target: Vec<String>,
    /// Threads that measure errors [default: all]
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub threads: Option<String>,
    /// Time after which a call is given up [default: 10s]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub timeout: Option<String>,
    /// Print one JSON object instead of a table
    #[arg(long)]
    pub json: bool,
    /// Also write the record to a file
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// No progress
    #[arg(long, short)]
    pub quiet: bool,
}

/// Evaluations of a sample of `--quick`.
const SAMPLE: u64 = 200_000;

/// A value of one of a few names.
fn one_of<T: Copy>(text: &str, what: &str, known: &[(&str, T)]) -> Result<T, Diagnostic> {
    let text = text.trim();
    known.iter().find(|(name, _)| *name == text).map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        let span = Span::new(0, text.len());
        Diagnostic::error(Code::Value, span, format!("`{text}` is no {what}"), "not known")
            .with_help(format!("write {}", names.join(", ")))
    })
}

fn list<T: Copy>(text: &str, what: &str, known: &[(&str, T)]) -> Result<Vec<T>, Diagnostic> {
    text.split(',').map(|item| one_of(item, what, known)).collect()
}

/// The value of a flag, or what is meant without it.
fn read<T>(
    name: &str,
    value: Option<&String>,
    default: T,
    parse: impl FnOnce(&str) -> Result<T, Diagnostic>,
) -> Result<T, Failure> {
    match value {
        Some(text) => Ok(flags::flag(name, text, parse)?.value),
        None => Ok(default),
    }
}

fn families(text: &str) -> Result<Vec<Family>, Diagnostic> {
    if text.trim() == "none" {
        return Ok(Vec::new());
    }
    let known: Vec<(&str, Family)> = Family::ALL.iter().map(|f| (f.name(), *f)).collect();
    list(text, "library of peers", &known)
}

fn compilers(text: &str) -> Result<Vec<Compiler>, Diagnostic> {
    let known: Vec<(&str, Compiler)> = Compiler::ALL.iter().map(|c| (c.name(), *c)).collect();
    list(text, "compiler", &known)
}

fn models(args: &BenchArgs) -> Result<Vec<Model>, Failure> {
    let mut names = args.target.clone();
    if names.is_empty() && cfg!(target_arch = "x86_64") {
        names.push("x86-64-v3".into());
        names.extend(Isa::Avx512.available().then(|| "x86-64-v4".to_owned()));
    } else if names.is_empty() && cfg!(target_arch = "aarch64") {
        names.push("aarch64".into());
    }
    let load = |name: &String| {
        Model::load(name).map_err(|e| Failure::input(format!("--target {name}: {e}\n  help: name a model or its file")))
    };
    names.iter().map(load).collect()
}

fn settings(args: &BenchArgs, host: Vec<OsString>) -> Result<Settings, Failure> {
    let words = crate::measure::words;
    let at_most =
        args.at_most.iter().map(|t| read("at-most", Some(t), 0.0, flags::positive)).collect::<Result<_, _>>()?;
    let ways = [("mix", Mix::Mix), ("value", Mix::Value), ("binades", Mix::Binades), ("small", Mix::Small)];
    Ok(Settings {
        subject: args.subject.display().to_string(),
        compilers: read("compiler", args.compiler.as_ref(), Vec::new(), compilers)?,
        cflags: words("cflags", args.cflags.as_ref())?,
        rustflags: words("rustflags", args.rustflags.as_ref())?,
        families: read("peers", args.peers.as_ref(), Family::ALL.to_vec(), families)?,
        given: args.peer.clone(),
        at_most,
        // Both arrays of the greatest one fit into 256 KiB, the first cache of nothing but the second of everything.
        batch: read("batch", args.batch.as_ref(), 4096, |t| flags::count(t, 16, 32768))? as usize,
        rounds: read("rounds", args.rounds.as_ref(), 200, |t| flags::count(t, 1, 100_000))? as u32,
        mix: read("inputs", args.inputs.as_ref(), Mix::Mix, |t| one_of(t, "way of drawing inputs", &ways))?,
        seed: read("seed", args.seed.as_ref(), 1, |t| flags::count(t, 0, u64::MAX))?,
        models: models(args)?,
        host,
        cache: args.cache.clone().or_else(|| is_run(&args.subject).then(|| args.subject.join("errors.json"))),
        errors: !args.no_errors,
    })
}

fn is_run(subject: &Path) -> bool {
    !subject.extension().is_some_and(|e| e == "c" || e == "rs")
}

/// The code, and what is asked of it.
fn subject(args: &BenchArgs) -> Result<(Own, Question), Failure> {
    let (own, reference, domain, out) = if is_run(&args.subject) {
        for (flag, given) in [("symbol", &args.symbol), ("ref", &args.reference), ("on", &args.on)] {
            if given.is_some() {
                let message = format!("--{flag} is for files: a run says itself what it computes");
                return Err(Failure::input(format!("{message}\n  help: leave --{flag} out")));
            }
        }
        let pick = match (&args.id, args.all) {
            (Some(id), _) => Pick::Id(id.clone()),
            (None, true) => Pick::All,
            (None, false) => Pick::Cheapest,
        };
        let run = Run::read(&args.subject, &pick).map_err(failure)?;
        let (reference, domain, out) = (run.reference.clone(), run.domain.clone(), run.out.clone());
        (Own::Run(run), reference, domain, out)
    } else {
        let Some(reference) = &args.reference else {
            let what = format!("{}: what should it compute?", args.subject.display());
            return Err(Failure::input(format!("{what}\n  help: say it with --ref, as in --ref \"exp(x)\"")));
        };
        if args.all || args.id.is_some() {
            return Err(Failure::input("--id and --all are for runs\n  help: name a function with --symbol"));
        }
        let reference = flags::flag("ref", reference, |t| flags::expression(t, None))?.value.source;
        let domain = match &args.on {
            Some(on) => flags::flag("on", on, |t| flags::domains(t, &["x"]))?.value.remove(0),
            None => None,
        };
        let own = Own::File { path: args.subject.clone(), symbol: args.symbol.clone() };
        (own, reference, domain.map(|d| d.to_string()), "f32".to_owned())
    };
    let asked = Asked {
        reference,
        variables: vec!["x".into()],
        domain: vec![domain],
        format: "f32".into(),
        out,
        require: Vec::new(),
        max_ulp: None,
        max_rel: None,
        max_abs: None,
        tolerance: None,
        seams: Vec::new(),
        ftz: false,
        evals: SAMPLE,
        seed: 1,
    };
    let question = Question::new(asked).map_err(|e| Failure::input(format!("{}: {e}", args.subject.display())))?;
    Ok((own, question))
}

/// A bench that did not come to its end.
pub fn failure(error: BenchError) -> Failure {
    match error {
        BenchError::Interrupted => Failure::Interrupted("interrupted: nothing was written".into()),
        e => Failure::input(e.to_string()),
    }
}

/// Times, compares, prints and writes.
///
/// # Errors
/// [`Failure`].
pub fn run(args: &BenchArgs) -> Result<Outcome, Failure> {
    let (threads, timeout) = limits(args.threads.as_ref(), args.timeout.as_ref())?;
    let subjects = host(timeout)?;
    let (own, question) = subject(args)?;
    let settings = settings(args, timing_host(&subjects.command))?;
    let terminal = Terminal::new(args.quiet);
    let progress = |count, done, total| terminal.measured(count, done, total);
    let measuring = Measuring {
        threads,
        host: &subjects,
        progress: Some(&progress),
        cancel: Some(stop_flag_saying(STOPPING)),
        sample: args.quick.then_some(SAMPLE),
    };
    let done = bench(&own, &question, &settings, &measuring);
    terminal.clear();
    let done = done.map_err(failure)?;
    let json = serde_json::to_string_pretty(&done).map_err(|e| Failure::input(e.to_string()))? + "\n";
    if let Some(path) = &args.out {
        files::write_atomic(path, json.as_bytes())
            .map_err(|e| Failure::input(format!("{e}\n  help: name a file that can be written")))?;
    }
    print(&if args.json { json } else { table(&done) })?;
    Ok(Outcome::Found)
}

/// This program with the hidden command that takes times.
pub fn timing_host(subjects: &[OsString]) -> Vec<OsString> {
    subjects.iter().take(1).cloned().chain([OsString::from("bench-host")]).collect()
}

/// The records of many benches as one table; the name of a row is that of the record's folder.
///
/// # Errors
/// [`Failure`] for a record that cannot be read.
pub fn whole(records: &[PathBuf], at_most: &str, compiler: &str) -> Result<String, Failure> {
    let max_ulp = flags::flag("at-most", at_most, flags::positive)?.value;
    let read = |path: &PathBuf| {
        let folder = path.parent().and_then(Path::file_name).or(path.file_name());
        let name = folder.map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        Ok((name, mathsmith_bench::whole::read(path).map_err(failure)?))
    };
    let benches = records.iter().map(read).collect::<Result<Vec<_>, Failure>>()?;
    let question = mathsmith_bench::whole::Question { compiler: compiler.to_owned(), max_ulp };
    Ok(mathsmith_bench::whole::markdown(&benches, &question))
}
