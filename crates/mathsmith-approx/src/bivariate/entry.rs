//! From a sampled program to its entry on the front and the files beside it.

use super::Sampled;
use super::answer::failures;
use crate::entry::{F32_DIGITS, WithFiles, fma_count, ids};
use crate::front::{Cost, Entry, ErrorRecord, Files, WorstInput};
use crate::pareto;
use crate::question::Question;
use crate::run::VERSION;
use crate::space::Arithmetic;
use mathsmith_emit::{
    Lang, PairRow, Provenance, Replay, drawn, emit_pair_test, emit_real, emit_source, replay_term, six_digits_up,
};
use mathsmith_ir::{ColumnMut, ColumnRef, Engine};
use mathsmith_oracle::FloatFormat;
use mathsmith_verify::measured::Peak;
use mathsmith_verify::report::unhex;
use mathsmith_verify::{SampleDomain, VerifyError, domain};

/// Pairs that an emitted test replays, and of them in one call.
const REPLAYS: u64 = 1 << 22;
const BLOCK: u64 = 1 << 14;
/// Worst pairs that an emitted test holds.
const WORST: usize = 64;

/// A variant's front with its sources and tests, as [`crate::entry::float`] for one variable.
///
/// # Errors
/// [`crate::run::RunError`] if a program cannot be written in a language, or be run.
pub fn entries(
    question: &Question,
    arithmetic: Arithmetic,
    all: &[Sampled],
    command: &str,
) -> Result<Vec<WithFiles>, crate::run::RunError> {
    let own: Vec<&Sampled> = all.iter().filter(|s| s.arithmetic == arithmetic).collect();
    let sound: Vec<&Sampled> = own.iter().copied().filter(|s| s.broken.is_empty()).collect();
    let own = if sound.is_empty() { own } else { sound };
    let kept = pareto::front(&own, question.problem.minimize, 1.0, |s| s.price, |s| s.figure);
    let kept: Vec<&Sampled> = kept.into_iter().map(|i| own[i]).collect();
    let counts: Vec<u32> = kept.iter().map(|s| s.price.ops).collect();
    ids(arithmetic.word(), &counts).into_iter().zip(kept).map(|(id, s)| one(question, id, s, command)).collect()
}

fn one(question: &Question, id: String, s: &Sampled, command: &str) -> Result<WithFiles, crate::run::RunError> {
    let problem = &question.problem;
    let name = &problem.name;
    let stem = format!("{name}_{}", id.replace('-', "_"));
    let provenance = Provenance {
        function: problem.reference.to_string(),
        domain: problem.on.as_ref().map_or_else(|| "every pair of f32".into(), |d| d.source.clone()),
        statements: statements(question, s),
        seed: Some(problem.seed),
        version: VERSION.into(),
        command: command.to_owned(),
    };
    let mut files = Vec::new();
    let mut add = |file: String, text: String| {
        files.push((file.clone(), text));
        Some(file)
    };
    let program = &s.program;
    let mut names = Files {
        rust: add(format!("{stem}.rs"), emit_source(program, Lang::Rust, name, &provenance, None)?),
        c: add(format!("{stem}.c"), emit_source(program, Lang::C, name, &provenance, None)?),
        ..Files::default()
    };
    if s.measured.max_ulp.value.is_finite() {
        let replay = replay(question, s)?;
        let test = |lang| emit_pair_test(program, lang, name, &stem, &replay);
        names.rust_test = add(format!("{stem}_test.rs"), test(Lang::Rust)?);
        names.c_test = add(format!("{stem}_test.c"), test(Lang::C)?);
    }
    let entry = Entry {
        id,
        variant: s.arithmetic.word().into(),
        ops: s.price.ops,
        fma: fma_count(program),
        cost: Cost {
            model: Some(problem.target.clone()),
            cycles: Some(s.price.cycles),
            latency: Some(s.price.latency),
            size: Some(s.price.size),
        },
        error: record(question, s),
        meets_bound: s.broken.is_empty() && question.meets(s.figure),
        broken: s.broken.clone(),
        origin: s.origin.clone(),
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

/// A pair of inputs as one text.
fn at(peak: &Peak) -> String {
    peak.x.join(", ")
}

/// The sample as the record has it. There is no checksum over all inputs; that of the replay is in the emitted tests.
fn record(question: &Question, s: &Sampled) -> ErrorRecord {
    let m = &s.measured;
    let narrower = question.judged_at != FloatFormat::F32 || question.problem.flush;
    ErrorRecord {
        coverage: m.coverage.word().into(),
        inputs: m.inputs,
        seed: m.seed,
        max_ulp: Some(m.max_ulp.value),
        max_rel: m.max_rel.value,
        max_abs: m.max_abs.value,
        worst_input: WorstInput { ulp: Some(at(&m.max_ulp)), rel: at(&m.max_rel), abs: at(&m.max_abs) },
        mean_ulp: Some(m.mean_ulp),
        not_correctly_rounded: Some(m.not_correctly_rounded),
        checksum: Some(m.checksum.clone()),
        judged_at: narrower.then(|| m.judged_at.clone()),
        flushed: question.problem.flush.then_some(m.flushed),
        tolerated: None,
        specials: m
            .specials
            .iter()
            .map(|s| {
                let verdict = if s.same_class && s.same_zero_sign { "agrees" } else { "differs" };
                format!("f({}) = {}: {verdict}", s.what, s.got)
            })
            .collect(),
    }
}

/// What the emitted header says.
fn statements(question: &Question, s: &Sampled) -> Vec<String> {
    let (problem, m) = (&question.problem, &s.measured);
    let names = question.reference.vars().join(" and ");
    let seed = m.seed.map(|seed| format!(", seed {seed}")).unwrap_or_default();
    let mut lines = vec![
        format!("The arguments are {names}, in this order."),
        format!("Error against the exact value, sampled, {} evaluations{seed}; the largest found:", m.inputs),
    ];
    let peaks = [("ULP", &m.max_ulp), ("relative", &m.max_rel), ("absolute", &m.max_abs)];
    lines.extend(peaks.map(|(what, peak)| format!("  {} {what}, at ({})", six_digits_up(peak.value), at(peak))));
    lines.push("  A search for the worst pairs found nothing larger, which is no proof.".into());
    if question.judged_at != FloatFormat::F32 {
        lines.push(format!("Results are rounded to {} before they are judged.", question.judged_at.name));
    }
    if problem.flush {
        lines.push("Results below the least normal number may be zero.".into());
    }
    if !problem.require.is_empty() {
        let list: Vec<String> = problem.require.iter().map(ToString::to_string).collect();
        lines.push(format!("Made as asked: {}.", list.join(", ")));
    }
    lines.extend(s.broken.iter().map(|what| format!("  broken: {what}")));
    lines.push(match (&problem.on, problem.domain_only) {
        (None, false) => {
            "NaN, infinities and signed zeros are as the function has them, for all special pairs tried.".into()
        }
        (None, true) => "NaN and infinities were left out and may give anything.".into(),
        (Some(_), _) => "Outside of the domain nothing is said.".into(),
    });
    lines
}

/// What the emitted tests hold a build against.
fn replay(question: &Question, s: &Sampled) -> Result<Replay, VerifyError> {
    let refused = |e: mathsmith_ir::EngineError| VerifyError::NotStarted {
        subject: s.program.name().to_owned(),
        what: e.to_string(),
    };
    let mut engine = mathsmith_jit::engine_for(&s.program).map_err(refused)?.0;
    let seed = question.problem.seed;
    let mut ends = question.pairs.iter().flat_map(SampleDomain::ends);
    let mut next = || ends.next().unwrap_or([0.0; 2]).map(|x| domain::key(x as f32));
    let ends = [next(), next()];
    let mut checksum = 0u64;
    for from in (0..REPLAYS).step_by(BLOCK as usize) {
        let pairs: Vec<[f32; 2]> = (from..from + BLOCK).map(|i| drawn(&ends, seed, i)).collect();
        let results = results(&mut *engine, &pairs).map_err(refused)?;
        let terms = pairs.iter().zip(&results).map(|(&x, &y)| replay_term(x, y));
        checksum = terms.fold(checksum, u64::wrapping_add);
    }
    let mut worst: Vec<[f32; 2]> = failures(&s.measured);
    worst.truncate(WORST);
    let number = |x: &String| unhex(x).map(|x| x as f32);
    let special = s.measured.specials.iter().filter_map(|p| match p.x.as_slice() {
        [x, y] => Some([number(x)?, number(y)?]),
        _ => None,
    });
    let special: Vec<[f32; 2]> = special.collect();
    let mut rows = |pairs: &[[f32; 2]]| -> Result<Vec<PairRow>, VerifyError> {
        let results = results(&mut *engine, pairs).map_err(refused)?;
        let row = |(&x, &result): (&[f32; 2], &f32)| {
            let exact = question.reference.value_dd(&x.map(f64::from));
            PairRow { x, result, exact }
        };
        Ok(pairs.iter().zip(&results).map(row).collect())
    };
    let (worst, special) = (rows(&worst)?, rows(&special)?);
    let stated = s.measured.max_ulp.value;
    let finite = |row: &PairRow| row.exact.0.is_finite() && row.result.is_finite();
    let worst = worst.into_iter().filter(finite).collect();
    Ok(Replay { ends, seed, count: REPLAYS, checksum, stated, worst, special })
}

fn results(engine: &mut dyn Engine, pairs: &[[f32; 2]]) -> Result<Vec<f32>, mathsmith_ir::EngineError> {
    let columns = [0, 1].map(|a| pairs.iter().map(|x| x[a]).collect::<Vec<f32>>());
    let mut out = vec![0.0; pairs.len()];
    engine.run(&[], &[ColumnRef::F32(&columns[0]), ColumnRef::F32(&columns[1])], &mut [ColumnMut::F32(&mut out)])?;
    Ok(out)
}
