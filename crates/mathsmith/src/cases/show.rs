//! What the suite prints: a line for each case as it ends, a summary, the table in Markdown, a record for machines.

use super::verdict::{Answer, Standing};
use super::{Case, VERSION};
use mathsmith_measure::render::grouped;
use serde::Serialize;

/// Longest function that a line shows.
const LONGEST: usize = 30;

/// An error with three digits, or as many as its whole part has.
pub fn error(x: f64) -> String {
    if x != 0.0 && !(1e-3..1e5).contains(&x) {
        return format!("{x:.2e}");
    }
    let digits = [100.0, 10.0, 1.0, 0.1, 0.01].iter().filter(|limit| x < **limit).count();
    let text = format!("{x:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn function(case: &Case) -> String {
    let source = &case.problem.reference.source;
    if source.chars().count() <= LONGEST {
        return source.clone();
    }
    source.chars().take(LONGEST - 3).chain("...".chars()).collect()
}

fn domain(case: &Case) -> String {
    let source = case.problem.on.as_ref().map_or("the whole format", |d| d.source.as_str());
    match source {
        "-0x1.fffffep127..0x1.fffffep127" => "all finite".into(),
        "0x1p-149..0x1.fffffep127" => "positive".into(),
        "0x1p-126..0x1.fffffep127" => "positive normal".into(),
        other => other.into(),
    }
}

/// `max-rel` without its `max-`.
fn figure(case: &Case) -> &'static str {
    case.incumbent.error.map_or("", |e| e.bound.kind.name().trim_start_matches("max-"))
}

fn their_error(case: &Case) -> String {
    case.incumbent.error.map_or_else(String::new, |e| format!("{} {}", figure(case), error(e.bound.value)))
}

fn their_cycles(case: &Case) -> String {
    format!("{}{:.2}", if case.price.estimated { "~" } else { "" }, case.price.cycles)
}

fn our_error(answer: &Answer) -> String {
    answer.best.as_ref().map_or_else(|| "-".into(), |b| error(b.figures.error))
}

fn our_cycles(answer: &Answer) -> String {
    answer.best.as_ref().map_or_else(|| "-".into(), |b| format!("{:.2}", b.figures.cycles))
}

/// Widths of the first two columns.
fn widths(cases: &[Case]) -> (usize, usize) {
    let of = |f: &dyn Fn(&Case) -> String| cases.iter().map(|c| f(c).chars().count()).max().unwrap_or(0);
    (of(&|c| c.id.clone()).max(4), of(&function).max(8))
}

/// The head of the lines.
pub fn heading(cases: &[Case]) -> String {
    let (a, b) = widths(cases);
    format!(
        "{:a$}  {:b$}  {:>12} {:>7}  {:>9} {:>7}  verdict\n",
        "case", "function", "in use", "cycles", "ours", "cycles"
    )
}

/// A case that has ended.
pub fn line(cases: &[Case], case: &Case, answer: &Answer) -> String {
    let (a, b) = widths(cases);
    let text = format!(
        "{:a$}  {:b$}  {:>12} {:>7}  {:>9} {:>7}  {:5}  {}",
        case.id,
        function(case),
        their_error(case),
        their_cycles(case),
        our_error(answer),
        our_cycles(answer),
        answer.standing.word(),
        answer.reason
    );
    format!("{}\n", text.trim_end())
}

fn counts(answers: &[Answer]) -> [usize; 3] {
    [Standing::Won, Standing::Drawn, Standing::Lost].map(|s| answers.iter().filter(|a| a.standing == s).count())
}

/// The last line.
pub fn summary(answers: &[Answer]) -> String {
    let [won, drawn, lost] = counts(answers);
    format!("\n{} cases: {won} won, {drawn} drawn, {lost} lost\n", answers.len())
}

/// The budget of the first case, which is that of all unless their files say otherwise.
fn budget(cases: &[Case]) -> String {
    let Some(problem) = cases.first().map(|c| &c.problem) else { return String::from("none") };
    match (problem.evals, problem.time_ms) {
        (Some(n), _) => format!("{} evaluations a case", grouped(n)),
        (None, Some(ms)) => format!("{} s a case", ms as f64 / 1000.0),
        (None, None) => {
            "that of `mathsmith approx` where none is given (three million constants tried in whole programs, and 60 000 \
             structures where those are searched)"
                .into()
        }
    }
}

/// The table of results as a document.
pub fn markdown(cases: &[Case], answers: &[Answer], origin: &str) -> String {
    let [won, drawn, lost] = counts(answers);
    let seed = cases.first().map_or(0, |c| c.problem.seed);
    let target = cases.first().map_or("", |c| c.problem.target.as_str());
    let mut out = format!(
        "# The case suite: found by mathsmith against what is in use\n\n\
         **{won} won, {drawn} drawn, {lost} lost** of {} cases, printed by `mathsmith cases --markdown`, mathsmith {VERSION}, \
         seed {seed}, budget {}; {origin}. Cycles are modelled on {target}, an element; `~` marks a price converted from a time. \
         Errors of ours are of every input of the domain (`exhaustive`), those in use as the column says; `s` is the time of a case \
         in seconds. What the columns \
         mean and how operations are priced: [docs/cases.md](../docs/cases.md).\n\n\
         | case | function | domain | in use: error | known | cycles | ours: error | cycles | s | verdict | program, or why not |\n\
         | --- | --- | --- | --- | --- | ---: | --- | ---: | ---: | --- | --- |\n",
        cases.len(),
        budget(cases)
    );
    for (case, answer) in cases.iter().zip(answers) {
        let known = case.incumbent.error.map_or("", |e| e.evidence.name());
        let program = answer.best.as_ref().map(|b| format!("{} operations ({})", b.ops, b.id));
        let last = match (answer.standing, program) {
            (Standing::Won, Some(program)) => program,
            _ => answer.reason.clone(),
        };
        let cells = [
            case.id.clone(),
            format!("`{}`", function(case)),
            domain(case),
            their_error(case),
            known.into(),
            their_cycles(case),
            our_error(answer),
            our_cycles(answer),
            answer.seconds.map_or_else(|| "-".into(), |s| format!("{s:.0}")),
            if answer.standing == Standing::Won { "**won**".into() } else { answer.standing.word().into() },
            last,
        ];
        let cells: Vec<String> = cells.iter().map(|c| c.replace('|', "\\|")).collect();
        out.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    out
}

/// The record of a suite, schema 1.
#[derive(Serialize)]
pub struct Record {
    schema: u32,
    version: &'static str,
    won: usize,
    drawn: usize,
    lost: usize,
    cases: Vec<CaseRecord>,
}

#[derive(Serialize)]
struct CaseRecord {
    id: String,
    function: String,
    domain: Option<String>,
    figure: &'static str,
    in_use: Side,
    in_use_evidence: &'static str,
    in_use_estimated: bool,
    ours: Option<Side>,
    entry: Option<String>,
    ops: Option<u32>,
    evaluations: Option<u64>,
    verdict: &'static str,
    reason: String,
}

#[derive(Serialize)]
struct Side {
    error: f64,
    cycles: f64,
}

/// The record that `--json` prints.
pub fn record(cases: &[Case], answers: &[Answer]) -> Record {
    let [won, drawn, lost] = counts(answers);
    let one = |(case, answer): (&Case, &Answer)| CaseRecord {
        id: case.id.clone(),
        function: case.problem.reference.source.clone(),
        domain: case.problem.on.as_ref().map(|d| d.source.clone()),
        figure: figure(case),
        in_use: Side { error: case.incumbent.error.map_or(f64::NAN, |e| e.bound.value), cycles: case.price.cycles },
        in_use_evidence: case.incumbent.error.map_or("", |e| e.evidence.name()),
        in_use_estimated: case.price.estimated,
        ours: answer.best.as_ref().map(|b| Side { error: b.figures.error, cycles: b.figures.cycles }),
        entry: answer.best.as_ref().map(|b| b.id.clone()),
        ops: answer.best.as_ref().map(|b| b.ops),
        evaluations: answer.evaluations,
        verdict: answer.standing.word(),
        reason: answer.reason.clone(),
    };
    let cases = cases.iter().zip(answers).map(one).collect();
    Record { schema: 1, version: VERSION, won, drawn, lost, cases }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_three_digits() {
        for (x, text) in [
            (8.77e-5, "8.77e-5"),
            (1.954, "1.95"),
            (2.0, "2"),
            (186.4, "186"),
            (1745.0, "1745"),
            (0.118, "0.118"),
            (0.00374, "0.00374"),
            (0.0, "0"),
            (9.9999, "10"),
        ] {
            assert_eq!(error(x), text);
        }
    }
}
