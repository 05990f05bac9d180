//! From a verified program to its entry on the front and the files beside it.

use crate::composed::prove::Proof;
use crate::float::Verified;
use crate::front::{Cost, Entry, ErrorRecord, Files, ToleratedRecord, WorstInput};
use crate::question::Question;
use crate::real::Checked;
use crate::run::VERSION;
use crate::space::Arithmetic;
use mathsmith_dsl::{Problem, Setting};
use mathsmith_emit::{EmitError, Lang, Provenance, digits_for, emit_real, emit_source, emit_test, six_digits_up};
use mathsmith_fit::Metric;
use mathsmith_ir::Program;
use mathsmith_oracle::FloatFormat;
use mathsmith_verify::ErrorReport;
use mathsmith_verify::measured::Peak;

/// Decimal digits that tell any two floats apart.
pub(crate) const F32_DIGITS: u32 = 9;

/// An entry and its files: names and texts.
pub type WithFiles = (Entry, Vec<(String, String)>);

/// The command that asks a question again: what is not the default, without what changes no result. A time limit is
/// given as the evaluations that it allowed.
pub fn command(problem: &Problem, allowed: Option<u64>) -> String {
    let mut words = vec![String::from("mathsmith approx")];
    for line in problem.to_string().lines() {
        let (key, value) = line.split_once(' ').unwrap_or((line, ""));
        let value = value.trim().trim_matches('"');
        let default = Setting::by_name(key).and_then(|s| s.default);
        match key {
            "approx" => words.push(quoted(&problem.reference.to_string())),
            "time" | "evals" if allowed.is_some() => {}
            "from-scratch" | "flush" | "domain-only" if value == "true" => words.push(format!("--{key}")),
            "judged-at" => words.push(format!("--out {value}")),
            _ if default == Some(value) => {}
            "on" => words.push(format!("--on {}", quoted(problem.on.as_ref().map_or("", |d| &d.source)))),
            _ => words.push(format!("--{key} {}", quoted(value))),
        }
    }
    words.extend(allowed.map(|n| format!("--evals {n}")));
    words.join(" ")
}

/// A word for a shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._/:,+-=".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.into() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

/// Names for entries: variant and operations, with a letter where several have the same number.
pub(crate) fn ids(variant: &str, ops: &[u32]) -> Vec<String> {
    ops.iter()
        .enumerate()
        .map(|(i, n)| {
            let same = ops.iter().filter(|m| *m == n).count();
            let before = ops[..i].iter().filter(|m| *m == n).count();
            match char::from_digit(before as u32 + 10, 36).filter(|_| same > 1) {
                Some(letter) => format!("{variant}-{n}{letter}"),
                None if same > 1 => format!("{variant}-{n}-{before}"),
                None => format!("{variant}-{n}"),
            }
        })
        .collect()
}

/// Entries of float programs with their sources and tests.
///
/// # Errors
/// [`EmitError`] if a program cannot be written in a language.
pub fn float(
    question: &Question,
    arithmetic: Arithmetic,
    programs: &[&Verified],
    command: &str,
) -> Result<Vec<WithFiles>, EmitError> {
    let counts: Vec<u32> = programs.iter().map(|v| v.price.ops).collect();
    ids(arithmetic.word(), &counts)
        .into_iter()
        .zip(programs)
        .map(|(id, verified)| one_float(question, arithmetic, id, verified, command))
        .collect()
}

fn one_float(
    question: &Question,
    arithmetic: Arithmetic,
    id: String,
    verified: &Verified,
    command: &str,
) -> Result<WithFiles, EmitError> {
    let Verified { program, price, origin, proof, .. } = verified;
    let report = &proof.report;
    let name = &question.problem.name;
    let stem = format!("{name}_{}", id.replace('-', "_"));
    let provenance = Provenance {
        function: question.problem.reference.to_string(),
        domain: question.problem.on.as_ref().map_or_else(|| "every f32".into(), |d| d.source.clone()),
        statements: statements(question, proof),
        seed: Some(question.problem.seed),
        version: VERSION.into(),
        command: command.to_owned(),
    };
    let mut files = Vec::new();
    let mut add = |file: String, text: String| {
        files.push((file.clone(), text));
        Some(file)
    };
    let mut names = Files {
        rust: add(format!("{stem}.rs"), emit_source(program, Lang::Rust, name, &provenance, Some(report))?),
        c: add(format!("{stem}.c"), emit_source(program, Lang::C, name, &provenance, Some(report))?),
        ..Files::default()
    };
    // A program that is infinitely wrong somewhere has no bound to re-prove.
    if report.max_ulp.value.is_finite() {
        names.rust_test = add(format!("{stem}_test.rs"), emit_test(program, Lang::Rust, name, &stem, report)?);
        names.c_test = add(format!("{stem}_test.c"), emit_test(program, Lang::C, name, &stem, report)?);
    }
    let entry = Entry {
        id,
        variant: arithmetic.word().into(),
        ops: price.ops,
        fma: fma_count(program),
        cost: Cost {
            model: Some(question.problem.target.clone()),
            cycles: Some(price.cycles),
            latency: Some(price.latency),
            size: Some(price.size),
        },
        error: with_measured(error_record(report), question, proof),
        meets_bound: proof.answers(question),
        broken: proof.broken.clone(),
        origin: origin.clone(),
        program: program.to_string(),
        formula: program
            .to_real()
            .map_or_else(|_| program.to_string(), |real| emit_real(&real, F32_DIGITS))
            .trim_end()
            .to_owned(),
        files: names,
    };
    Ok((entry, files))
}

/// What the emitted header says beside the figures of the sweep.
fn statements(question: &Question, proof: &Proof) -> Vec<String> {
    let problem = &question.problem;
    let mut lines = Vec::new();
    if question.judged_at != FloatFormat::F32 || problem.flush || question.tolerance.is_some() {
        let stored = match question.judged_at {
            FloatFormat::F32 => String::new(),
            format => format!(", rounded to {}", format.name),
        };
        let flushed = if problem.flush { ", results below the least normal number may be zero" } else { "" };
        let figure = six_digits_up(proof.figure);
        lines.push(format!("As asked{stored}{flushed}: at most {figure} {}.", question.unit_word()));
    }
    if !problem.require.is_empty() {
        let list: Vec<String> = problem.require.iter().map(ToString::to_string).collect();
        let shown = if proof.broken.is_empty() { "shown as well" } else { "NOT all met" };
        lines.push(format!("Demands, {shown}: {}.", list.join(", ")));
    }
    lines.extend(proof.broken.iter().map(|what| format!("  broken: {what}")));
    lines.push(match (&problem.on, problem.domain_only) {
        (None, false) => "NaN, infinities and signed zeros are as the function has them.".into(),
        (None, true) => "NaN, infinities and -0 were left out and may give anything.".into(),
        (Some(_), true) => "Anything outside of the domain, NaN included, may give anything.".into(),
        (Some(_), false) => "Outside of the domain nothing is said, but NaN gives NaN.".into(),
    });
    lines
}

/// The record of a sweep with the figures of the measurement in place of those that it judges otherwise.
fn with_measured(mut record: ErrorRecord, question: &Question, proof: &Proof) -> ErrorRecord {
    let Some(m) = &proof.measured else { return record };
    let at = |peak: &Peak| peak.x.first().cloned().unwrap_or_default();
    if question.judged_at != FloatFormat::F32 || question.problem.flush {
        record.max_ulp = Some(m.max_ulp.value);
        (record.max_rel, record.max_abs) = (m.max_rel.value, m.max_abs.value);
        record.worst_input = WorstInput { ulp: Some(at(&m.max_ulp)), rel: at(&m.max_rel), abs: at(&m.max_abs) };
        record.mean_ulp = Some(m.mean_ulp);
        record.not_correctly_rounded = Some(m.not_correctly_rounded);
        record.judged_at = Some(m.judged_at.clone());
        record.flushed = question.problem.flush.then_some(m.flushed);
    }
    record.tolerated = m.tolerated.as_ref().map(|t| ToleratedRecord {
        tolerance: t.tolerance.clone(),
        worst: t.worst.value,
        at: at(&t.worst),
        beyond: t.beyond.count,
    });
    record
}

pub(crate) fn fma_count(program: &Program) -> u32 {
    mathsmith_cost::count_ops(program).fma()
}

/// The report of a sweep as the record has it.
pub fn error_record(report: &ErrorReport) -> ErrorRecord {
    ErrorRecord {
        coverage: report.coverage.word().into(),
        inputs: report.inputs,
        seed: report.seed,
        max_ulp: Some(report.max_ulp.value),
        max_rel: report.max_rel.value,
        max_abs: report.max_abs.value,
        worst_input: WorstInput {
            ulp: Some(report.max_ulp.input_hex.clone()),
            rel: report.max_rel.input_hex.clone(),
            abs: report.max_abs.input_hex.clone(),
        },
        mean_ulp: Some(report.mean_ulp),
        not_correctly_rounded: Some(report.not_correctly_rounded),
        checksum: Some(format!("{:016x}", report.checksum)),
        judged_at: None,
        flushed: None,
        tolerated: None,
        specials: report
            .specials
            .iter()
            .map(|s| {
                let verdict = if s.same_class && s.same_zero_sign { "agrees" } else { "differs" };
                format!("f({}) = {:?}: {verdict}", s.input, f32::from_bits(s.got_bits))
            })
            .collect(),
    }
}

/// Entry of a real program, with its formula and text form in one file.
pub fn real(question: &Question, checked: &Checked, command: &str) -> WithFiles {
    let report = &checked.report;
    let figure = match question.metric() {
        Metric::Absolute => report.max_abs,
        _ => report.max_rel,
    };
    let id = format!("real-{}", checked.price.ops);
    let digits = digits_for(report.max_rel);
    let formula = emit_real(&checked.program, digits).trim_end().to_owned();
    let file = format!("{}_{}.txt", question.problem.name, id.replace('-', "_"));
    let skipped = match report.skipped.as_slice() {
        [] => String::new(),
        points => format!("# undefined as written, and left out, at: {}\n", points.join(", ")),
    };
    let text = format!(
        "# {} on {}, {} operations\n# max relative error {:.6e}, max absolute error {:.6e}: sampled, {} points at {} bits\n\
         {skipped}# {}\n\n{formula}\n\n# as a program graph, constants in full\n{}\n",
        question.problem.reference,
        question.problem.on.as_ref().map_or("", |d| d.source.as_str()),
        checked.price.ops,
        report.max_rel,
        report.max_abs,
        report.points,
        report.precision_bits,
        command,
        checked.program,
    );
    let entry = Entry {
        id,
        variant: Arithmetic::Real.word().into(),
        ops: checked.price.ops,
        fma: fma_count(&checked.program),
        cost: Cost { model: None, cycles: None, latency: None, size: None },
        error: ErrorRecord {
            coverage: report.coverage.word().into(),
            inputs: report.points,
            // The points are laid out by the domain alone: nothing is drawn.
            seed: None,
            max_ulp: None,
            max_rel: report.max_rel,
            max_abs: report.max_abs,
            worst_input: WorstInput { ulp: None, rel: report.worst_rel.clone(), abs: report.worst_abs.clone() },
            mean_ulp: None,
            not_correctly_rounded: None,
            checksum: None,
            judged_at: None,
            flushed: None,
            tolerated: None,
            specials: report.skipped.iter().map(|x| format!("undefined as written at {x}, left out")).collect(),
        },
        meets_bound: question.meets(figure),
        broken: Vec::new(),
        origin: "search of structures".into(),
        program: checked.program.to_string(),
        formula,
        files: Files { text: Some(file.clone()), ..Files::default() },
    };
    (entry, vec![(file, text)])
}
