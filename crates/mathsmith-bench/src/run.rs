//! A bench from end to end: contestants found, compiled, tried alone, measured, timed together, compared.

use crate::errors::{Cache, Measuring, errors};
use crate::host::{Answer, Entrant, Job, Request, Times};
use crate::inputs::{Inputs, Mix, draw};
use crate::peers::{Candidate, Family, Judged, Search, given, own};
use crate::record::{Bench, Contestant, Error, InputRecord, Machine, Missing, SCHEMA, Side, Tool as ToolRecord};
use crate::subject::Run;
use crate::{BenchError, compare, known, loops};
use mathsmith_cost::Model;
use mathsmith_measure::{Build, Cpu, Question, SubjectInput};
use mathsmith_native::subject::Spec;
use mathsmith_native::{Compiler, Limits, NativeError, Tool, Toolchain, process::run_command};
use serde::de::DeserializeOwned;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Code that is benched.
#[derive(Clone, Debug)]
pub enum Own {
    /// Entries of a run.
    Run(Run),
    /// A C or Rust file.
    File {
        /// The file.
        path: PathBuf,
        /// Name of the function.
        symbol: Option<String>,
    },
}

/// How a bench is done.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What is benched, as typed.
    pub subject: String,
    /// Compilers for own code; those that are not there are noted. Empty: every one that is there.
    pub compilers: Vec<Compiler>,
    /// Flags for C; `None` takes [`C_FLAGS`] and adds a variant with full vector width where the processor has AVX-512.
    pub cflags: Option<Vec<String>>,
    /// Flags for Rust; `None` takes [`RUST_FLAGS`].
    pub rustflags: Option<Vec<String>>,
    /// Libraries that peers come from.
    pub families: Vec<Family>,
    /// Peers named by hand.
    pub given: Vec<String>,
    /// Bounds of error at which the fastest peer is sought, besides the own error.
    pub at_most: Vec<f64>,
    /// Elements of the array.
    pub batch: usize,
    /// Rounds.
    pub rounds: u32,
    /// How inputs are drawn.
    pub mix: Mix,
    /// Seed of the inputs.
    pub seed: u64,
    /// Models beside the entries' own.
    pub models: Vec<Model>,
    /// Program and arguments that run [`crate::host::host_main`].
    pub host: Vec<OsString>,
    /// Where errors are kept.
    pub cache: Option<PathBuf>,
    /// Whether errors of peers are looked for at all.
    pub errors: bool,
}

/// Flags for own C: those of the claim that a compiler vectorises it by itself.
pub const C_FLAGS: [&str; 2] = ["-O3", "-march=native"];
/// Flags for own Rust.
pub const RUST_FLAGS: [&str; 2] = ["-Copt-level=3", "-Ctarget-cpu=native"];
/// What compilers need beside them to use the whole width of AVX-512, which they avoid on processors they do not know.
const WIDE: &str = "-mprefer-vector-width=512";
/// What compilers need beside them to turn square roots, and conditions, into vector instructions: without them a loop has to
/// set `errno` and floating-point flags as C says, which no value depends on.
pub const NO_ERRNO: [&str; 2] = ["-fno-math-errno", "-fno-trapping-math"];
/// Emitted C forbids fusing a product and a sum by itself where that matters; gcc inlines such a function only into code that
/// is compiled so as well.
const UNFUSED: &str = "-ffp-contract=off";
/// Time of one timing before a round moves on, in nanoseconds: short beside the time slices of the system.
const SLICE_NS: u32 = 40_000;
/// Time within which one contestant alone, and the whole bench, must be done.
const PATIENCE: Duration = Duration::from_secs(30);

/// Somebody ready to be timed.
struct Ready {
    candidate: Candidate,
    side: Side,
    entry: Option<String>,
    known: Option<Error>,
    entrant: Entrant,
    library: Option<PathBuf>,
    command: String,
}

/// Does a bench.
///
/// # Errors
/// [`BenchError`]; what concerns one contestant is in the record.
pub fn bench(
    own: &Own,
    question: &Question,
    settings: &Settings,
    measuring: &Measuring<'_>,
) -> Result<Bench, BenchError> {
    let folder = tempfile::Builder::new().prefix("mathsmith-bench-").tempdir();
    let folder = folder.map_err(|cause| BenchError::Io { what: "cannot create a folder".into(), cause })?;
    let toolchain = Toolchain::detect();
    let batch = settings.batch.next_multiple_of(16);
    let inputs = draw(&question.reference, question.ends[0], batch, settings.mix, settings.seed)?;
    let mut missing = Vec::new();
    let compilers = compilers(&toolchain, settings, &mut missing);

    let mut waiting = own_code(own, &compilers, &mut missing);
    waiting.extend(peers(question, &inputs, settings, &toolchain, folder.path(), &mut missing));
    let mut ready = Vec::new();
    for (i, (candidate, side, entry, known)) in waiting.into_iter().enumerate() {
        let name = candidate.name.clone();
        match build(candidate, i, &toolchain, folder.path()).and_then(|(candidate, library, command)| {
            let entrant = candidate.entrant(library.clone()).ok_or_else(|| "it was not compiled".to_owned())?;
            alone(&entrant, settings)?;
            Ok(Ready { candidate, side, entry, known, entrant, library, command })
        }) {
            // Flags that change nothing: the same bytes need not be timed twice.
            Ok(one) => match same_code(&ready, &one) {
                Some(other) => ready[other].candidate.notes.push(format!("{name}{SAME_CODE}")),
                None => ready.push(one),
            },
            Err(why) => missing.push(Missing { what: name, why }),
        }
    }
    if !ready.iter().any(|r| r.side == Side::Own) {
        let reasons: Vec<String> = missing.iter().map(|m| format!("\n    {}: {}", m.what, m.why)).collect();
        let what = format!("nothing of {} can be timed:{}", settings.subject, reasons.concat());
        return Err(BenchError::Question { what, help: "install what is missing, or mend the source".into() });
    }
    let found = measured(&mut ready, question, settings, measuring, &mut missing)?;
    let (nothing, answer) = timed(&ready, &inputs, settings, &toolchain, folder.path())?;
    Ok(record(own, question, settings, &compilers, ready, found, &inputs, nothing, answer, missing))
}

/// The compilers for own code with their flags and what is added to a contestant's name.
fn compilers(
    toolchain: &Toolchain,
    settings: &Settings,
    missing: &mut Vec<Missing>,
) -> Vec<(Tool, Vec<String>, String)> {
    let mut wanted = settings.compilers.clone();
    if wanted.is_empty() {
        wanted = vec![Compiler::Clang, Compiler::Gcc, Compiler::Rustc];
        if !toolchain.tools().iter().any(|t| matches!(t.compiler, Compiler::Gcc | Compiler::Clang)) {
            wanted.insert(0, Compiler::Cc);
        }
    }
    let mut all = Vec::new();
    for compiler in wanted {
        let tool = match toolchain.require(compiler) {
            Ok(tool) => tool.clone(),
            Err(e) => {
                missing.push(Missing { what: format!("code by {compiler}"), why: e.to_string() });
                continue;
            }
        };
        let (given, default) = match compiler {
            Compiler::Rustc => (&settings.rustflags, &RUST_FLAGS[..]),
            _ => (&settings.cflags, &C_FLAGS[..]),
        };
        let flags = given.clone().unwrap_or_else(|| default.iter().map(|f| (*f).to_owned()).collect());
        all.push((tool.clone(), flags.clone(), String::new()));
        if compiler == Compiler::Rustc || given.is_some() {
            continue;
        }
        let with =
            |more: &[&str]| flags.iter().cloned().chain(more.iter().map(|f| (*f).to_owned())).collect::<Vec<_>>();
        let wide = mathsmith_native::subject::Isa::Avx512.available();
        if wide {
            all.push((tool.clone(), with(&[WIDE]), " 512".into()));
        }
        let most: Vec<&str> = NO_ERRNO.into_iter().chain([UNFUSED]).chain(wide.then_some(WIDE)).collect();
        all.push((tool, with(&most), " no-errno".into()));
    }
    all
}

/// What a note about a contestant says behind the name of another that was not timed.
pub const SAME_CODE: &str = " is the same code";

/// Who has the same bytes, by the same compiler.
fn same_code(ready: &[Ready], one: &Ready) -> Option<usize> {
    let bytes = |r: &Ready| r.library.as_ref().and_then(|path| std::fs::read(path).ok());
    let compiler = |r: &Ready| r.candidate.source.as_ref().map(|s| s.compiler);
    let like = |r: &Ready| r.side == one.side && r.entry == one.entry && compiler(r) == compiler(one);
    let own = bytes(one)?;
    ready.iter().position(|r| like(r) && bytes(r).as_ref() == Some(&own))
}

type Waiting = (Candidate, Side, Option<String>, Option<Error>);

fn own_code(own_code: &Own, compilers: &[(Tool, Vec<String>, String)], missing: &mut Vec<Missing>) -> Vec<Waiting> {
    let mut all = Vec::new();
    let mut add = |label: &str, path: &Path, symbol: Option<&str>, tool: &Tool, flags: &[String], suffix: &str| {
        let name = format!("{label} {}{suffix}", tool.compiler);
        match own(name.clone(), path, symbol, tool, flags) {
            Ok(candidate) => Some(candidate),
            Err(why) => {
                missing.push(Missing { what: name, why });
                None
            }
        }
    };
    for (tool, flags, suffix) in compilers {
        let is_rust = tool.compiler == Compiler::Rustc;
        match own_code {
            Own::Run(run) => {
                for e in &run.entries {
                    let Some(path) = (if is_rust { &e.rust } else { &e.c }) else { continue };
                    let candidate = add(&e.id, path, Some(&run.name), tool, flags, suffix);
                    all.extend(candidate.map(|c| (c, Side::Own, Some(e.id.clone()), Some(e.error.clone()))));
                }
            }
            Own::File { path, symbol } => {
                if is_rust != path.extension().is_some_and(|e| e == "rs") {
                    continue;
                }
                let label = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
                let candidate = add(&label, path, symbol.as_deref(), tool, flags, suffix);
                all.extend(candidate.map(|c| (c, Side::Own, None, None)));
            }
        }
    }
    all
}

fn peers(
    question: &Question,
    inputs: &Inputs,
    settings: &Settings,
    toolchain: &Toolchain,
    folder: &Path,
    missing: &mut Vec<Missing>,
) -> Vec<Waiting> {
    let [lo, hi] = inputs.range.map(f64::from);
    let function = known::function(&question.reference, lo, hi);
    let search =
        Search { function: function.as_deref(), expr: &question.expr, families: &settings.families, toolchain, folder };
    let (mut found, more) = search.all();
    missing.extend(more);
    for text in &settings.given {
        match given(text, toolchain, None) {
            Ok(candidates) => found.extend(candidates),
            Err(why) => missing.push(Missing { what: text.clone(), why }),
        }
    }
    found.into_iter().map(|c| (c, Side::Peer, None, None)).collect()
}

/// Compiles a candidate.
fn build(
    candidate: Candidate,
    index: usize,
    toolchain: &Toolchain,
    folder: &Path,
) -> Result<(Candidate, Option<PathBuf>, String), String> {
    let Some(source) = &candidate.source else { return Ok((candidate, None, String::new())) };
    let ending = if source.compiler == Compiler::Rustc { "rs" } else { "c" };
    // A folder for each: the same name makes the same bytes, by which errors are kept.
    let own = folder.join(index.to_string());
    std::fs::create_dir(&own).map_err(|e| e.to_string())?;
    let (file, out) = (own.join(format!("loops.{ending}")), own.join("loops.so"));
    std::fs::write(&file, &source.text).map_err(|e| e.to_string())?;
    let built = toolchain
        .compile_shared(source.compiler, &file, &out, &source.flags, &source.libraries)
        .map_err(|e| e.to_string())?;
    let command = built.command;
    Ok((candidate, Some(out), command))
}

/// Runs one contestant alone, for an instant: whoever crashes or hangs is left out of the rounds.
fn alone(entrant: &Entrant, settings: &Settings) -> Result<(), String> {
    let inputs = (0..16).map(|i| (0.25f32 + i as f32 / 32.0).to_bits()).collect();
    let job = Job { inputs, entrants: vec![entrant.clone()], rounds: 1, slice_ns: 1 };
    ask(&job, &settings.host).map(|_| ()).map_err(|e| match e {
        BenchError::Host(e) => e.to_string(),
        e => e.to_string(),
    })
}

/// Puts a job to a child process.
fn ask(job: &Job, host: &[OsString]) -> Result<Answer, BenchError> {
    // Two timings a contestant and round, some of them longer than a slice.
    let work = u64::from(job.rounds) * job.entrants.len() as u64 * u64::from(job.slice_ns.max(100_000)) * 4;
    let answer: Answer = ask_host(&Request::Bench(job.clone()), host, PATIENCE + Duration::from_nanos(work))?;
    let complete = answer.times.len() == job.entrants.len() && answer.ghz().is_some();
    if complete { Ok(answer) } else { Err(BenchError::Answer { what: "too few times".into() }) }
}

/// Puts a request to a child process, which has so much time.
pub(crate) fn ask_host<T: DeserializeOwned>(
    request: &Request,
    host: &[OsString],
    patience: Duration,
) -> Result<T, BenchError> {
    let (program, arguments) = host.split_first().ok_or_else(|| BenchError::Answer { what: "nothing".into() })?;
    let mut command = Command::new(program);
    command.args(arguments);
    let text = serde_json::to_vec(request).map_err(|e| BenchError::Answer { what: e.to_string() })?;
    let output = run_command(command, text, Limits::within(patience)).map_err(BenchError::Host)?;
    if output.code != 0 {
        let (program, code, stderr) = (PathBuf::from(program), output.code, output.stderr);
        return Err(BenchError::Host(NativeError::Exit { program, code, stderr }));
    }
    serde_json::from_slice(&output.stdout).map_err(|e| BenchError::Answer { what: format!("no times: {e}") })
}

/// The errors of everyone whose error is not known, in the order of `ready`.
fn measured(
    ready: &mut [Ready],
    question: &Question,
    settings: &Settings,
    measuring: &Measuring<'_>,
    missing: &mut Vec<Missing>,
) -> Result<Vec<Option<Error>>, BenchError> {
    let mut found: Vec<Option<Error>> = ready.iter().map(|r| r.known.clone()).collect();
    if !settings.errors {
        return Ok(found);
    }
    let (mut subjects, mut whose) = (Vec::new(), Vec::new());
    for (i, one) in ready.iter_mut().enumerate().filter(|(i, _)| found[*i].is_none()) {
        let mut build = Build::default();
        if let (Judged::Source(_), Some(source)) = (&one.candidate.judged, &one.candidate.source) {
            build.compiler = Some(source.compiler.name().to_owned());
            build.cflags = Some(source.flags.clone());
            build.rustflags = Some(source.flags.clone());
        }
        let spec = match (&one.candidate.judged, &one.library) {
            (Judged::Spec(spec) | Judged::Source(spec), _) => spec.clone(),
            (Judged::Compiled(symbol), Some(path)) => {
                Spec::Library { path: path.clone(), symbol: (*symbol).to_owned() }
            }
            (Judged::Compiled(_), None) => continue,
        };
        match SubjectInput::native(&spec, &build, question) {
            Ok(subject) => {
                subjects.push(subject);
                whose.push(i);
            }
            Err(e) => one.candidate.notes.push(format!("its error is not known: {e}")),
        }
    }
    let mut cache = settings.cache.as_deref().map(Cache::load).transpose()?.unwrap_or_default();
    let before = cache.clone();
    let outcomes = errors(question, &subjects, &mut cache, measuring)?;
    if let Some(path) = settings.cache.as_deref().filter(|_| cache != before) {
        cache.save(path)?;
    }
    for (i, outcome) in whose.into_iter().zip(outcomes) {
        match outcome {
            Ok(error) => found[i] = Some(error),
            Err(why) => {
                let what = format!("the error of {}", ready[i].candidate.name);
                missing.push(Missing { what, why });
            }
        }
    }
    Ok(found)
}

/// Everybody's times, and those of the loops alone.
fn timed(
    ready: &[Ready],
    inputs: &Inputs,
    settings: &Settings,
    toolchain: &Toolchain,
    folder: &Path,
) -> Result<(Option<Times>, Answer), BenchError> {
    let mut entrants: Vec<Entrant> = ready.iter().map(|r| r.entrant.clone()).collect();
    let nothing = toolchain.require_c().ok().and_then(|tool| {
        let (file, out) = (folder.join("nothing.c"), folder.join("nothing.so"));
        std::fs::write(&file, loops::c_nothing()).ok()?;
        let flags = C_FLAGS.map(String::from);
        toolchain.compile_shared(tool.compiler, &file, &out, &flags, &[]).ok()?;
        Some(Entrant { code: crate::host::Code::Library(out), lanes: 1, latency: true })
    });
    let with_nothing = nothing.is_some();
    entrants.extend(nothing);
    let bits = inputs.values.iter().map(|x| x.to_bits()).collect();
    let job = Job { inputs: bits, entrants, rounds: settings.rounds, slice_ns: SLICE_NS };
    let mut answer = ask(&job, &settings.host)?;
    let nothing = if with_nothing { answer.times.pop() } else { None };
    Ok((nothing, answer))
}

#[expect(clippy::too_many_arguments, reason = "the parts of the record, gathered in one place")]
fn record(
    own: &Own,
    question: &Question,
    settings: &Settings,
    compilers: &[(Tool, Vec<String>, String)],
    ready: Vec<Ready>,
    errors: Vec<Option<Error>>,
    inputs: &Inputs,
    nothing: Option<Times>,
    answer: Answer,
    missing: Vec<Missing>,
) -> Bench {
    let ghz = answer.ghz().expect("asked for in `ask`");
    let chain = nothing.as_ref().and_then(|n| compare::quartiles(&n.latency)).map_or(0.0, |q| q.median);
    let bare = nothing.as_ref().and_then(|n| compare::timing(n, 0.0));
    let mut rows: Vec<(Contestant, Times)> = Vec::new();
    for ((one, error), times) in ready.into_iter().zip(errors).zip(answer.times) {
        let Some(timing) = compare::timing(&times, chain) else { continue };
        let mut notes = one.candidate.notes;
        if one.candidate.latency && timing.latency.is_none() {
            notes.push("its chain met results that are not finite: no latency".into());
        }
        let contestant = Contestant {
            name: one.candidate.name,
            side: one.side,
            entry: one.entry,
            compiler: one.candidate.source.map(|s| s.compiler.name().to_owned()),
            command: one.command,
            lanes: one.candidate.lanes,
            vector: one.candidate.vector,
            timing,
            error,
            notes,
        };
        rows.push((contestant, times));
    }
    rows.sort_by(|(a, _), (b, _)| {
        let side = |c: &Contestant| c.side == Side::Peer;
        let time = |c: &Contestant| c.timing.throughput.median;
        side(a).cmp(&side(b)).then(time(a).total_cmp(&time(b)))
    });
    let comparisons = compare::comparisons(&rows, &settings.at_most, &settings.given);
    let (models, ranks) = match own {
        Own::Run(run) => compare::models(run, &rows, &settings.models, ghz.median),
        Own::File { .. } => (Vec::new(), Vec::new()),
    };
    let cpu = Cpu::detect();
    let tools = compilers.iter().map(|(tool, flags, _)| ToolRecord {
        name: tool.compiler.name().to_owned(),
        version: tool.version.clone(),
        flags: flags.clone(),
    });
    Bench {
        schema: SCHEMA,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        subject: settings.subject.clone(),
        reference: question.asked.reference.clone(),
        domain: question.asked.domain.first().cloned().flatten(),
        format: question.format.name.to_owned(),
        machine: Machine { cpu: cpu_name(), arch: cpu.arch, features: cpu.features, ghz, core: answer.core },
        compilers: tools.collect(),
        missing,
        inputs: InputRecord {
            batch: inputs.values.len(),
            mix: settings.mix,
            range: inputs.range.map(f64::from),
            seed: settings.seed,
        },
        rounds: settings.rounds,
        nothing: bare,
        contestants: rows.into_iter().map(|(c, _)| c).collect(),
        comparisons,
        models,
        ranks,
    }
}

/// What the processor calls itself.
pub fn cpu_name() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let named = text.lines().find(|l| l.starts_with("model name")).and_then(|l| l.split_once(':'));
    named.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.trim().to_owned())
}
