//! `mathsmith cases`: the functions that public code bases ship, one problem file each, and whether what is found beats them.
//!
//! Each file says a question and what it has to beat ([`incumbent`]): the error of the code in use and its operations, which
//! are priced by the machine model that prices programs. A case is run as `mathsmith approx` would run its file; every
//! verified entry of the front is held against the figures ([`verdict`]). A case that cannot be run is lost, and says why.

mod incumbent;
mod origin;
mod show;
mod verdict;

use crate::approx::threads;
use crate::args::CasesArgs;
use crate::failure::{Failure, Outcome};
use crate::print;
use crate::progress::Terminal;
use incumbent::{Priced, Rates};
use mathsmith_approx::front::Front;
use mathsmith_approx::observe::{Event, Observer};
use mathsmith_approx::question::Question;
use mathsmith_approx::run::{self, RunError, RunOptions, VERSION};
use mathsmith_cost::Model;
use mathsmith_dsl::{Code, Diagnostic, Incumbent, Problem, RawSettings, parse_problem};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Instant;
use verdict::{Answer, Standing};

/// Where the suite is, seen from the repository.
const FOLDER: &str = "benches/cases";

/// A case with everything that its run needs.
struct Case {
    /// Name of its file without the ending.
    id: String,
    problem: Problem,
    /// What it has to beat.
    incumbent: Incumbent,
    /// What that costs.
    price: Priced,
}

/// Runs the suite.
///
/// # Errors
/// [`Failure`]: a folder or a file that cannot be used, or an interruption. A case that cannot be answered is no error.
pub fn run(args: &CasesArgs) -> Result<Outcome, Failure> {
    let typed = flags(args)?;
    let (asked, out) = (typed.threads.as_ref().map(|t| t.value as usize), args.out.as_ref().map(PathBuf::from));
    let cases = chosen(load(&args.folder, &typed)?, args.only.as_deref())?;
    let terminal = Terminal::new(args.quiet);
    let lines = !args.json && !args.markdown;
    if lines {
        print(&show::heading(&cases))?;
    }
    let mut answers = Vec::new();
    let mut broken = None;
    for case in &cases {
        let options =
            RunOptions { threads: threads(asked), out: out.as_ref().map(|dir| dir.join(&case.id)), resume: false };
        let dir = options.out.clone();
        let known = dir.as_deref().is_some_and(|dir| finished(dir, &case.problem).is_some());
        let started = Instant::now();
        let mut answer = match catch_unwind(AssertUnwindSafe(|| front(case, options, &terminal))) {
            Ok(Ok(front)) => verdict::answer(case, &front),
            Ok(Err(Stopped::Interrupted)) => return Err(interrupted(&cases, &answers, out.as_deref())),
            Ok(Err(Stopped::Reason(reason))) => Answer::none(reason),
            Err(panic) => {
                broken = Some(panic);
                Answer::none("internal error: a bug of ours".into())
            }
        };
        answer.seconds = match &dir {
            Some(dir) if known => origin::seconds(dir),
            _ => Some(started.elapsed().as_secs_f64()),
        };
        if let (Some(dir), Some(seconds), false) = (&dir, answer.seconds, known) {
            origin::keep_seconds(dir, seconds);
        }
        terminal.clear();
        if lines {
            print(&show::line(&cases, case, &answer))?;
        }
        answers.push(answer);
    }
    if args.json {
        let text =
            serde_json::to_string_pretty(&show::record(&cases, &answers)).map_err(|e| Failure::input(e.to_string()))?;
        print(&format!("{text}\n"))?;
    } else if args.markdown {
        print(&show::markdown(&cases, &answers, &origin::describe(&args.folder, threads(asked))))?;
    } else {
        print(&show::summary(&answers))?;
    }
    match broken {
        Some(panic) => std::panic::resume_unwind(panic),
        None => Ok(Outcome::Found),
    }
}

/// The flags that replace what the files say.
fn flags(args: &CasesArgs) -> Result<RawSettings, Failure> {
    let given = [("evals", &args.evals), ("time", &args.time), ("threads", &args.threads), ("seed", &args.seed)];
    let mut raw = RawSettings::default();
    let mut errors = Vec::new();
    for (name, value) in given {
        if let Some(value) = value {
            errors.extend(raw.set(name, value).err());
        }
    }
    if errors.is_empty() { Ok(raw) } else { Err(errors.into()) }
}

/// The problem files of a folder: paths and names without the ending, in the order of the manual (`x2` before `x10`).
fn files(folder: &Path) -> Result<Vec<(PathBuf, String)>, Failure> {
    let unreadable = |e: std::io::Error| {
        let help = format!("name the folder of the cases, which is {FOLDER} in mathsmith's repository");
        Failure::input(format!("cannot read the folder {}: {e}\n  help: {help}", folder.display()))
    };
    let mut found = Vec::new();
    for item in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = item.map_err(unreadable)?.path();
        if path.extension().is_some_and(|e| e == "smith")
            && let Some(id) = path.file_stem().and_then(|s| s.to_str())
        {
            let id = id.to_owned();
            found.push((path, id));
        }
    }
    if found.is_empty() {
        let help = format!("name a folder with .smith files, such as {FOLDER} in mathsmith's repository");
        return Err(Failure::input(format!("there is no case in {}\n  help: {help}", folder.display())));
    }
    found.sort_by_cached_key(|(_, id)| order(id));
    Ok(found)
}

/// Letters, then the number behind them, then the rest.
fn order(id: &str) -> (String, u64, String) {
    let letters = id.len() - id.trim_start_matches(|c: char| c.is_ascii_alphabetic()).len();
    let digits = id[letters..].len() - id[letters..].trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (name, rest) = id.split_at(letters);
    (name.to_owned(), rest[..digits].parse().unwrap_or(0), rest[digits..].to_owned())
}

/// Reads every case, since the price of one may stand on another's; all that is wrong with all of them is said at once.
fn load(folder: &Path, typed: &RawSettings) -> Result<Vec<Case>, Failure> {
    let mut errors: Vec<Diagnostic> = Vec::new();
    let mut read = Vec::new();
    for (path, id) in files(folder)? {
        let text = std::fs::read_to_string(&path).map_err(|e| {
            Failure::input(format!("cannot read {}: {e}\n  help: mend or remove the file", path.display()))
        })?;
        let name = path.display().to_string();
        let resolved = parse_problem(&name, &text).and_then(|file| {
            let raw = typed.clone().over(file);
            Ok((raw.clone(), raw.resolve()?))
        });
        match resolved {
            Ok((raw, resolved)) => read.push((id, raw, resolved)),
            Err(found) => errors.extend(found),
        }
    }
    let rates: Rates = read.iter().map(|(id, _, resolved)| (id.clone(), resolved.incumbent.clone())).collect();
    let mut cases = Vec::new();
    for (id, raw, resolved) in read {
        let incumbent = resolved.incumbent;
        let missing = |what: &str, example: &str| {
            let place = raw.place("approx").expect("a resolved problem has a reference");
            place.error(
                Code::Missing,
                format!("the case `{id}` has no `{what}`"),
                "the answer to this is held against nothing",
                format!("say what is in use, as in `{what} {example}`"),
            )
        };
        if incumbent.error.is_none() {
            errors.push(missing("incumbent-error", "max-rel 8.77e-5 exhaustive"));
        }
        if incumbent.ops.is_empty() {
            errors.push(missing("incumbent-ops", "3 fma, 1 max, 2 sub"));
            continue;
        }
        let priced = Model::load(&resolved.problem.target)
            .map_err(|e| (e.to_string(), "target"))
            .and_then(|model| incumbent::price(&id, &rates, &model).map_err(|e| (e.to_string(), "incumbent-ops")));
        match priced {
            Ok(price) => cases.push(Case { id, problem: resolved.problem, incumbent, price }),
            Err((message, setting)) => match raw.place(setting) {
                Some(place) => errors.push(place.error(Code::Value, message, "here", incumbent::HELP)),
                None => return Err(Failure::input(message)),
            },
        }
    }
    if errors.is_empty() { Ok(cases) } else { Err(errors.into()) }
}

/// The cases that `--only` names: by file, or by row, which may have several files (`x2` is `x2-deg1` and its like).
fn chosen(cases: Vec<Case>, only: Option<&str>) -> Result<Vec<Case>, Failure> {
    let Some(only) = only else { return Ok(cases) };
    let names: Vec<String> = only.split(',').map(|n| n.trim().to_ascii_lowercase()).filter(|n| !n.is_empty()).collect();
    let of = |id: &str, name: &str| id == name || id.split('-').next() == Some(name);
    if let Some(unknown) = names.iter().find(|name| !cases.iter().any(|c| of(&c.id, name))) {
        let known: Vec<&str> = cases.iter().map(|c| c.id.as_str()).collect();
        return Err(Failure::input(format!(
            "there is no case `{unknown}`\n  help: the cases are {}",
            known.join(", ")
        )));
    }
    if names.is_empty() {
        return Err(Failure::input("`--only` names no case\n  help: write names with commas, as in `--only x1,m1`"));
    }
    Ok(cases.into_iter().filter(|c| names.iter().any(|name| of(&c.id, name))).collect())
}

/// Why there is no front.
enum Stopped {
    /// By Ctrl-C.
    Interrupted,
    /// The case cannot be answered, for this reason.
    Reason(String),
}

/// The front of a case: the one that its folder holds already, or that of a run, begun or gone on with.
fn front(case: &Case, mut options: RunOptions, terminal: &Terminal) -> Result<Front, Stopped> {
    if let Some(dir) = &options.out {
        if let Some(front) = finished(dir, &case.problem) {
            return Ok(front);
        }
        options.resume =
            run::record(dir).is_ok_and(|record| record.problem == case.problem) && !dir.join("front.json").exists();
    }
    let reason = |text: String| {
        let line = text.lines().next().unwrap_or_default().to_owned();
        Stopped::Reason(line)
    };
    let question = Question::new(case.problem.clone()).map_err(|e| reason(e.message))?;
    let watch = Watch { id: &case.id, terminal };
    run::run(&question, &options, &watch).map_err(|e| match e {
        RunError::Interrupted => Stopped::Interrupted,
        other => reason(other.to_string()),
    })
}

/// The answer that a folder holds to the very same question, by the very same version.
fn finished(dir: &Path, problem: &Problem) -> Option<Front> {
    let text = std::fs::read_to_string(dir.join("front.json")).ok()?;
    let front: Front = serde_json::from_str(&text).ok()?;
    (front.problem == *problem && front.version == VERSION).then_some(front)
}

/// Shows where in the suite a run is; stages and remarks of single runs would hide the suite's own lines.
struct Watch<'a> {
    id: &'a str,
    terminal: &'a Terminal,
}

impl Observer for Watch<'_> {
    fn event(&self, event: &Event) {
        match event {
            Event::Note(_) => {}
            Event::Stage(name) => self.terminal.doing(&format!("{}: {name}", self.id)),
            other => self.terminal.event(other),
        }
    }

    fn stop(&self) -> &AtomicBool {
        self.terminal.stop()
    }
}

fn interrupted(cases: &[Case], answers: &[Answer], out: Option<&Path>) -> Failure {
    let won = answers.iter().filter(|a| a.standing == Standing::Won).count();
    let done = format!("interrupted after {} of {} cases, {won} of them won", answers.len(), cases.len());
    Failure::Interrupted(match out {
        Some(dir) => format!("{done}; the same command goes on with what {} holds", dir.display()),
        None => format!("{done}; nothing was saved, because no --out was given"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suite() -> Vec<Case> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(FOLDER);
        load(&folder, &RawSettings::default()).unwrap_or_else(|e| {
            e.print();
            panic!("a case cannot be read")
        })
    }

    #[test]
    fn every_case_reads_and_says_what_it_has_to_beat() {
        let cases = suite();
        assert!(cases.len() >= 80, "{}", cases.len());
        for case in &cases {
            let error = case.incumbent.error.expect("checked when read");
            assert_eq!(case.problem.bound, Some(error.bound), "{}: the bound is the error to beat", case.id);
            assert!(case.price.cycles > 0.0 && case.price.cycles < 20.0, "{}: {:?}", case.id, case.price);
            assert!(
                case.problem.evals.is_none() && case.problem.time_ms.is_none(),
                "{}: the command says the budget",
                case.id
            );
        }
    }

    #[test]
    fn the_whole_functions_are_asked_for_in_forty_files() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../benches/whole");
        let all = files(&folder).unwrap_or_else(|e| panic!("{e:?}"));
        assert_eq!(all.len(), 40);
        for (path, id) in all {
            let text = std::fs::read_to_string(&path).expect("a readable file");
            let resolved = parse_problem(&id, &text).and_then(RawSettings::resolve);
            let problem = resolved.unwrap_or_else(|e| panic!("{}: {e:?}", path.display())).problem;
            // A name says the bound: u10 is 1.0.
            let tenths = id.split_once("-u").and_then(|(_, tenths)| tenths.parse().ok());
            assert_eq!(problem.bound.map(|b| b.value * 10.0), tenths, "{id}");
        }
    }

    #[test]
    fn names_are_in_the_order_of_their_numbers_and_choose_files_or_rows() {
        let ids = |only: &str| -> Vec<String> {
            chosen(suite(), Some(only)).map(|c| c.into_iter().map(|c| c.id).collect()).unwrap_or_default()
        };
        assert_eq!(ids("X10, x2"), ["x2-deg1", "x2-deg2", "x2-deg4", "x2-deg5", "x10"]);
        assert_eq!(ids("t2"), ["t2", "t2-est"]);
        assert_eq!(ids("t2-est"), ["t2-est"]);
        assert!(chosen(suite(), Some("x99")).is_err() && chosen(suite(), Some(",")).is_err());
    }
}
