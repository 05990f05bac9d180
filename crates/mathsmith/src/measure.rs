//! `mathsmith measure`: the error of code that is there already.

use crate::args::MeasureArgs;
use crate::failure::{Failure, Outcome};
use crate::print;
use crate::progress::{Terminal, stop_flag_saying};
use mathsmith_dsl::{Code, Diagnostic, Format, Located, Place, flags};
use mathsmith_measure::render::{Detail, svg, table};
use mathsmith_measure::run::TIMEOUT;
use mathsmith_measure::{
    Asked, Build, Certificate, Host, MeasureError, Measurement, Options, Outcome as Measured, Question, QuestionError,
    SubjectFailure, SubjectInput, measure,
};
use mathsmith_verify::files::{self, FileError};
use mathsmith_verify::report::unhex;
use mathsmith_verify::{AdversarialStore, StoreError};
use serde::Serialize;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Evaluations of a sample where `--evals` is not given.
const EVALS: u64 = 1_000_000;

/// What is written into `measurement.json` and printed with `--json`.
#[derive(Serialize)]
struct Record<'a> {
    schema: u32,
    measurements: &'a [Measurement],
    failures: &'a [SubjectFailure],
}

/// The flags, read; each with its place where it was given.
struct Flags {
    asked: Asked,
    places: Vec<(&'static str, Place)>,
    folder: Option<PathBuf>,
    threads: usize,
    timeout: Duration,
}

/// Keeps a value and remembers where it was written; gathers what is wrong.
#[derive(Default)]
struct Reader {
    places: Vec<(&'static str, Place)>,
    errors: Vec<Diagnostic>,
}

impl Reader {
    fn read<T>(
        &mut self,
        name: &'static str,
        value: Option<&String>,
        parse: impl FnOnce(&str) -> Result<T, Diagnostic>,
    ) -> Option<T> {
        match flags::flag(name, value?, parse) {
            Ok(Located { value, place }) => {
                self.places.push((name, place));
                Some(value)
            }
            Err(error) => {
                self.errors.push(error);
                None
            }
        }
    }
}

/// Threads and time of a subject, as `measure` and `check` read them.
///
/// # Errors
/// Diagnostics of the flags.
pub fn limits(threads: Option<&String>, timeout: Option<&String>) -> Result<(usize, Duration), Failure> {
    let mut reader = Reader::default();
    let threads = reader.read("threads", threads, |t| flags::count(t, 1, 4096));
    let timeout = reader.read("timeout", timeout, flags::duration);
    if !reader.errors.is_empty() {
        return Err(reader.errors.into());
    }
    let timeout = timeout.map_or(TIMEOUT, Duration::from_millis);
    Ok((crate::approx::threads(threads.map(|t| t as usize)), timeout))
}

/// A float format by name.
fn float_format(text: &str) -> Result<String, Diagnostic> {
    let format = Format::parse(text)?;
    if format == Format::Real {
        let span = mathsmith_dsl::Span::new(0, text.len());
        return Err(Diagnostic::error(Code::Value, span, "code does not compute with real numbers", "not a format")
            .with_help("write f32, f64, f16 or bf16"));
    }
    Ok(format.name().to_owned())
}

fn read_flags(args: &MeasureArgs) -> Result<Flags, Failure> {
    let mut r = Reader::default();
    let named = r.read("args", args.args.as_ref(), flags::variables);
    let given: Option<Vec<&str>> = named.as_ref().map(|names| names.iter().map(String::as_str).collect());
    let reference = r.read("ref", Some(&args.reference), |t| flags::expression(t, given.as_deref()));
    let variables = reference.as_ref().map_or_else(|| vec!["x".to_owned()], |e| e.vars.clone());
    let names: Vec<&str> = variables.iter().map(String::as_str).collect();
    let domain = r.read("on", args.on.as_ref(), |t| flags::domains(t, &names));
    let format = r.read("type", args.ty.as_ref(), float_format).unwrap_or_else(|| "f32".into());
    let require = r.read("require", args.require.as_ref(), flags::requirements).unwrap_or_default();
    let max_ulp = r.read("max-ulp", args.max_ulp.as_ref(), flags::positive);
    let max_rel = r.read("max-rel", args.max_rel.as_ref(), flags::positive);
    let max_abs = r.read("max-abs", args.max_abs.as_ref(), flags::positive);
    let mut of_tolerance = names.clone();
    if !of_tolerance.contains(&"y") {
        of_tolerance.push("y");
    }
    let tolerance = r.read("tol", args.tol.as_ref(), |t| flags::expression(t, Some(&of_tolerance)));
    let seams: Vec<_> = args.seam.iter().filter_map(|s| r.read("seam", Some(s), flags::constant)).collect();
    let evals = r.read("evals", args.evals.as_ref(), |t| flags::count(t, 1, 1_000_000_000_000));
    let seed = r.read("seed", args.seed.as_ref(), |t| flags::count(t, 0, u64::MAX));
    let (out, folder) = outputs(&args.out, &mut r)?;
    if !r.errors.is_empty() {
        return Err(r.errors.into());
    }
    let (threads, timeout) = limits(args.threads.as_ref(), args.timeout.as_ref())?;
    let asked = Asked {
        reference: reference.map(|e| e.source).unwrap_or_default(),
        domain: match domain {
            Some(all) => all.into_iter().map(|d| d.map(|d| d.to_string())).collect(),
            None => vec![None; variables.len()],
        },
        variables,
        out: out.unwrap_or_else(|| format.clone()),
        format,
        require: require.iter().map(ToString::to_string).collect(),
        max_ulp,
        max_rel,
        max_abs,
        tolerance: tolerance.map(|e| e.source),
        seams: seams.into_iter().map(|e| e.source).collect(),
        ftz: args.ftz,
        evals: evals.unwrap_or(EVALS),
        seed: seed.unwrap_or(1),
    };
    Ok(Flags { asked, places: r.places, folder, threads, timeout })
}

/// The two meanings of `--out`: a format to judge at, and a folder.
fn outputs(all: &[String], r: &mut Reader) -> Result<(Option<String>, Option<PathBuf>), Failure> {
    let (mut format, mut folder) = (None, None);
    for text in all {
        let is_format = Format::ALL.iter().any(|f| f.name() == text);
        if is_format && format.is_none() {
            format = r.read("out", Some(text), float_format);
        } else if !is_format && folder.is_none() && !text.trim().is_empty() {
            folder = Some(PathBuf::from(text));
        } else {
            return Err(Failure::input(format!(
                "--out {text}: one format to judge at and one folder are all that --out can name\n  help: write \
                 `--out bf16 --out results/`; a folder with the name of a format is written `./f16`"
            )));
        }
    }
    Ok((format, folder))
}

/// A part of the question that cannot be used, shown at its flag.
fn question_failure(error: &QuestionError, places: &[(&'static str, Place)]) -> Failure {
    let mut at = places.iter().filter(|(name, _)| *name == error.setting);
    match (at.next(), at.next()) {
        (Some((_, place)), None) => place.error(Code::Value, &*error.message, "here", &*error.help).into(),
        _ => Failure::Input(format!("--{}: {error}", error.setting)),
    }
}

/// How child processes are started: this program with its hidden command.
///
/// # Errors
/// Where the system does not say what program this is.
pub fn host(timeout: Duration) -> Result<Host, Failure> {
    let own = std::env::current_exe().map_err(|e| {
        Failure::input(format!("cannot tell where this program is: {e}\n  help: start it by its full path"))
    })?;
    Ok(Host { command: vec![own.into_os_string(), OsString::from("subject-host")], timeout })
}

/// Flags as a shell would split them, quotes included.
///
/// # Errors
/// A quote that is not closed.
pub fn words(name: &str, text: Option<&String>) -> Result<Option<Vec<String>>, Failure> {
    let Some(text) = text else { return Ok(None) };
    shlex::split(text).map(Some).ok_or_else(|| {
        Failure::input(format!(
            "--{name} {text}: a quote is not closed\n  help: write it as for a shell, as in --{name} \"-DNAME='a b' -O2\""
        ))
    })
}

fn build(args: &MeasureArgs) -> Result<Build, Failure> {
    if let Some(name) = args.compiler.as_deref().filter(|name| !["gcc", "clang", "cc"].contains(name)) {
        return Err(Failure::input(format!("--compiler {name}: no such C compiler\n  help: write gcc, clang or cc")));
    }
    Ok(Build {
        compiler: args.compiler.clone(),
        cflags: words("cflags", args.cflags.as_ref())?,
        rustflags: words("rustflags", args.rustflags.as_ref())?,
        output_first: args.output_first,
    })
}

/// All subjects, or everything that is wrong with them.
fn prepare(args: &MeasureArgs, build: &Build, question: &Question) -> Result<Vec<SubjectInput>, Failure> {
    let (mut subjects, mut errors) = (Vec::new(), Vec::new());
    for text in &args.subjects {
        match SubjectInput::prepare(text, args.symbol.as_deref(), build, question) {
            Ok(found) => subjects.extend(found),
            Err(e) => errors.push(e.to_string()),
        }
    }
    if errors.is_empty() { Ok(subjects) } else { Err(Failure::Input(errors.join("\nerror: "))) }
}

/// What is said when Ctrl-C is pressed.
pub const STOPPING: &str = "stopping: nothing is kept of an unfinished measurement (Ctrl-C again ends at once)";

/// A measurement that did not end.
pub fn measure_failure(error: &MeasureError, question: &Question) -> Failure {
    match error {
        MeasureError::Interrupted => {
            Failure::Interrupted("interrupted: nothing was written; measurements start anew".into())
        }
        MeasureError::Question(e) => Failure::Input(format!(
            "{} cannot be measured so: {e}\n  help: change the domain, the tolerance or the format",
            question.asked.reference
        )),
    }
}

/// Measures subjects; prints and writes what was found.
///
/// # Errors
/// [`Failure`].
pub fn run(args: &MeasureArgs) -> Result<Outcome, Failure> {
    let flags = read_flags(args)?;
    let question = Question::new(flags.asked).map_err(|e| question_failure(&e, &flags.places))?;
    let build = build(args)?;
    let lock = flags.folder.as_deref().map(open_folder).transpose()?;
    let subjects = prepare(args, &build, &question)?;
    if args.cert.is_some() && subjects.len() > 1 {
        return Err(Failure::input(format!(
            "--cert names one file, and there are {} subjects\n  help: with `--out DIR` each gets its certificate",
            subjects.len()
        )));
    }
    check_targets(args)?;
    if !args.quiet {
        remarks(args, &question, &subjects);
    }
    let host = host(flags.timeout)?;
    let terminal = Terminal::new(args.quiet);
    let progress = |done, total| terminal.measured(subjects.len(), done, total);
    let options = Options {
        threads: flags.threads,
        host: &host,
        progress: Some(&progress),
        cancel: Some(stop_flag_saying(STOPPING)),
    };
    let outcomes = measure(&question, &subjects, &options);
    terminal.clear();
    let outcomes = outcomes.map_err(|e| measure_failure(&e, &question))?;

    let (mut measured, mut failures) = (Vec::new(), Vec::new());
    for (outcome, subject) in outcomes.into_iter().zip(&subjects) {
        match outcome {
            Measured::Measured(m) => measured.push((*m, subject.build.clone())),
            Measured::Failed(failure) => failures.push(failure),
        }
    }
    let certificates: Vec<Certificate> =
        measured.iter().map(|(m, build)| Certificate::new(build.clone(), m.clone())).collect();
    let measurements: Vec<Measurement> = measured.into_iter().map(|(m, _)| m).collect();
    if let (Some(path), Some(certificate)) = (&args.cert, certificates.first()) {
        files::write_atomic(path, certificate.to_json().as_bytes()).map_err(file_failure)?;
    }
    if let Some(path) = &args.svg {
        files::write_atomic(path, svg(&measurements).as_bytes()).map_err(file_failure)?;
    }
    if let Some(dir) = &flags.folder {
        write_records(dir, &question, &measurements, &failures, &certificates)?;
    }
    drop(lock);
    if args.json {
        print(&json(&measurements, &failures)?)?;
    } else {
        let detail = if args.full { Detail::Full } else { Detail::Summary };
        print(&table(&measurements, &failures, detail))?;
    }
    let sound = failures.is_empty() && measurements.iter().all(Measurement::sound);
    Ok(if sound { Outcome::Found } else { Outcome::NotMet })
}

/// Files are replaced whole: what is not a plain file, or is a subject, must not be named by mistake.
///
/// # Errors
/// [`Failure`] before anything is measured.
fn check_targets(args: &MeasureArgs) -> Result<(), Failure> {
    let same = |a: &Path, b: &Path| match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => a == b,
    };
    let targets: Vec<(&str, &Path)> = [("cert", &args.cert), ("svg", &args.svg)]
        .into_iter()
        .filter_map(|(flag, path)| Some((flag, path.as_deref()?)))
        .collect();
    for (flag, path) in &targets {
        let refuse = |what: &str, help: &str| {
            Err(Failure::input(format!("--{flag} {}: {what}\n  help: {help}", path.display())))
        };
        if args.subjects.iter().any(|s| same(Path::new(s), path)) {
            return refuse("this is the subject itself", "name another file; it would be replaced");
        }
        if std::fs::symlink_metadata(path).is_ok_and(|m| !m.is_file()) {
            return refuse("this is there and is not a plain file", "name a file; what is there would be replaced");
        }
    }
    if let [(_, cert), (_, svg)] = targets[..]
        && same(cert, svg)
    {
        return Err(Failure::input("--cert and --svg name the same file\n  help: name two files"));
    }
    Ok(())
}

fn open_folder(dir: &Path) -> Result<files::Lock, Failure> {
    files::prepare_dir(dir).map_err(file_failure)?;
    // What is not a set there would be found too late, after the measurement.
    AdversarialStore::load(&dir.join(STORE)).map_err(store_failure)?;
    files::lock(dir).map_err(file_failure)
}

/// What a person should know before a long wait.
fn remarks(args: &MeasureArgs, question: &Question, subjects: &[SubjectInput]) {
    let exhaustive = question.arity() == 1 && question.format.name != "f64";
    if exhaustive && (args.evals.is_some() || args.seed.is_some()) {
        eprintln!("note: --evals and --seed are for samples; here every input is evaluated");
    }
    for subject in subjects {
        let warnings = subject.warnings.trim();
        if !warnings.is_empty() {
            eprintln!("note: the compiler warns of {}:\n{warnings}", subject.record.name);
        }
    }
}

fn file_failure(error: FileError) -> Failure {
    Failure::Input(format!("{error}\n  help: name a file or folder that can be written"))
}

fn store_failure(error: StoreError) -> Failure {
    Failure::Input(error.to_string())
}

fn json(measurements: &[Measurement], failures: &[SubjectFailure]) -> Result<String, Failure> {
    let record = Record { schema: mathsmith_measure::record::SCHEMA, measurements, failures };
    let text = serde_json::to_string_pretty(&record).map_err(|e| Failure::input(e.to_string()))?;
    Ok(format!("{text}\n"))
}

/// The file of the adversarial set in a folder of records.
const STORE: &str = "adversarial.json";

/// Records of all subjects, a certificate and a plot for each, and the worst inputs beside those that are there.
fn write_records(
    dir: &Path,
    question: &Question,
    measurements: &[Measurement],
    failures: &[SubjectFailure],
    certificates: &[Certificate],
) -> Result<(), Failure> {
    let write = |name: &str, text: &str| files::write_atomic(&dir.join(name), text.as_bytes()).map_err(file_failure);
    write("measurement.json", &json(measurements, failures)?)?;
    for (name, (m, certificate)) in file_names(measurements).iter().zip(measurements.iter().zip(certificates)) {
        write(&format!("{name}.cert.json"), &certificate.to_json())?;
        write(&format!("{name}.svg"), &svg(std::slice::from_ref(m)))?;
    }
    let path = dir.join(STORE);
    let mut store = AdversarialStore::load(&path).map_err(store_failure)?;
    for m in measurements {
        let inputs = m.measured.adversarial.iter().filter_map(|x| x.iter().map(|x| unhex(x)).collect());
        store.merge(&question.expr, question.format.name, inputs);
    }
    store.save(&path).map_err(store_failure)
}

/// A name for the files of each subject: what is typed, without what file systems take ill; numbered where two are one.
fn file_names(measurements: &[Measurement]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for m in measurements {
        let plain = |c: char| if c.is_ascii_alphanumeric() || "._".contains(c) { c } else { '-' };
        let last = m.subject.name.rsplit('/').next().unwrap_or(&m.subject.name);
        let name: String = last.chars().map(plain).collect();
        let taken = |name: &str| names.iter().any(|n| n == name);
        let mut free = name.clone();
        let mut number = 2;
        while taken(&free) {
            free = format!("{name}-{number}");
            number += 1;
        }
        names.push(free);
    }
    names
}
