//! `mathsmith approx` and `mathsmith resume`.

use crate::args::Settings;
use crate::failure::{Failure, Outcome};
use crate::progress::Terminal;
use crate::{print, table};
use mathsmith_approx::front::Front;
use mathsmith_approx::question::Question;
use mathsmith_approx::run::{self, RunOptions};
use mathsmith_dsl::{Format, RawSettings, Resolved, parse_problem};
use std::path::{Path, PathBuf};

/// The settings of the command line.
///
/// # Errors
/// Every flag that cannot be read.
pub fn flags(settings: &Settings) -> Result<RawSettings, Failure> {
    let given = [
        ("on", &settings.on),
        ("type", &settings.ty),
        ("max-ulp", &settings.max_ulp),
        ("max-rel", &settings.max_rel),
        ("max-abs", &settings.max_abs),
        ("tol", &settings.tol),
        ("require", &settings.require),
        ("ops", &settings.ops),
        ("max-ops", &settings.max_ops),
        ("variant", &settings.variant),
        ("minimize", &settings.minimize),
        ("target", &settings.target),
        ("reduce", &settings.reduce),
        ("grammar", &settings.grammar),
        ("evals", &settings.evals),
        ("time", &settings.time),
        ("threads", &settings.threads),
        ("seed", &settings.seed),
        ("name", &settings.name),
        ("adversarial", &settings.adversarial),
    ];
    let mut raw = RawSettings::default();
    let mut errors = Vec::new();
    // As for `measure`: the name of a format says how results are stored, anything else is a folder.
    for value in &settings.out {
        let name = if Format::parse(value).is_ok() { "judged-at" } else { "out" };
        if raw.place(name).is_some() {
            return Err(Failure::input(
                "--out is given twice for the same thing\n  help: give it once for a folder and once for a format",
            ));
        }
        if let Err(error) = raw.set(name, value) {
            errors.push(error);
        }
    }
    for (name, value) in given {
        if let Some(value) = value
            && let Err(error) = raw.set(name, value)
        {
            errors.push(error);
        }
    }
    let switches =
        [("from-scratch", settings.from_scratch), ("flush", settings.flush), ("domain-only", settings.domain_only)];
    for (name, _) in switches.into_iter().filter(|(_, on)| *on) {
        if let Err(error) = raw.set(name, "") {
            errors.push(error);
        }
    }
    if errors.is_empty() { Ok(raw) } else { Err(errors.into()) }
}

/// Threads asked for, or all there are.
pub fn threads(asked: Option<usize>) -> usize {
    asked.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
}

/// Whether the positional argument names a problem file.
fn is_file(question: &str) -> bool {
    question.ends_with(".smith") || Path::new(question).is_file()
}

/// Answers a question.
///
/// # Errors
/// [`Failure`].
pub fn approx(question: &str, settings: &Settings) -> Result<Outcome, Failure> {
    let typed = flags(settings);
    let raw = if is_file(question) {
        let text = std::fs::read_to_string(question).map_err(|e| {
            Failure::input(format!("cannot read {question}: {e}\n  help: name a .smith file, or write an expression"))
        })?;
        typed?.over(parse_problem(question, &text)?)
    } else {
        let mut expression = RawSettings::default();
        match (typed, expression.set("approx", question)) {
            (Ok(typed), Ok(())) => typed.over(expression),
            (Err(Failure::Diagnostics(mut all)), Err(d)) => {
                all.insert(0, d);
                return Err(all.into());
            }
            (Err(failure), _) => return Err(failure),
            (_, Err(d)) => return Err(d.into()),
        }
    };
    let Resolved { problem, run, .. } = raw.clone().resolve()?;
    let question = Question::new(problem).map_err(|e| Failure::question(&e, Some(&raw)))?;
    let options = RunOptions { threads: threads(run.threads), out: run.out.map(PathBuf::from), resume: false };
    answer(&question, &options, Some(&raw), settings.json, settings.quiet)
}

/// Goes on with an interrupted run.
///
/// # Errors
/// [`Failure`].
pub fn resume(dir: &Path, asked: Option<&str>, json: bool) -> Result<Outcome, Failure> {
    let mut raw = RawSettings::default();
    if let Some(text) = asked {
        raw.set("threads", text)?;
    }
    let asked = raw.threads.map(|t| t.value as usize);
    let record = run::record(dir).map_err(|e| Failure::run(&e, None, Some(dir)))?;
    let question = Question::new(record.problem).map_err(|e| Failure::question(&e, None))?;
    let options = RunOptions { threads: threads(asked), out: Some(dir.to_path_buf()), resume: true };
    answer(&question, &options, None, json, false)
}

fn answer(
    question: &Question,
    options: &RunOptions,
    raw: Option<&RawSettings>,
    json: bool,
    quiet: bool,
) -> Result<Outcome, Failure> {
    let terminal = Terminal::new(quiet);
    if let Some(text) = question.slow_engine() {
        eprintln!("note: {text}");
    }
    let result = run::run(question, options, &terminal);
    terminal.clear();
    let front = result.map_err(|e| Failure::run(&e, raw, options.out.as_deref()))?;
    if json {
        let text = serde_json::to_string_pretty(&front).map_err(|e| Failure::input(e.to_string()))?;
        print(&format!("{text}\n"))?;
    } else {
        print(&table::front(&front))?;
        print(&verdict(&front, options.out.as_deref()))?;
    }
    Ok(if front.bound_met { Outcome::Found } else { Outcome::NotMet })
}

/// What the answer means for the question that was asked.
fn verdict(front: &Front, out: Option<&Path>) -> String {
    let mut text = String::new();
    if table::bounded(front) {
        let problem = &front.problem;
        let tolerance = problem.tol.as_ref().map(|tol| format!("tol {}", tol.source));
        let bound = problem.bound.map_or_else(|| tolerance.unwrap_or_default(), |b| b.to_string());
        for variant in table::variants(front) {
            let met = front.front.iter().find(|e| e.variant == variant && e.meets_bound);
            text.push_str(&match met {
                Some(e) => format!("{variant}: {bound} met by {} with {} operations\n", e.id, e.ops),
                None => {
                    format!("{variant}: {bound} not met; raise --evals or --max-ops, or loosen the bound\n")
                }
            });
        }
    }
    match out {
        Some(dir) if !front.front.is_empty() => {
            text.push_str(&format!("written: {} and the files it names\n", dir.join("front.json").display()));
        }
        None if !front.front.is_empty() => {
            text.push_str("nothing written: give --out DIR for sources and tests\n");
        }
        _ => {}
    }
    text
}
