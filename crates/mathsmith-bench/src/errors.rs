//! The error of peers, measured by mathsmith itself and kept between benches.
//!
//! An exhaustive measurement of all peers of a function takes minutes, a timing seconds; errors do not change as long as the
//! code, the compiler, its flags, the question and the processor's extensions are the same. So they are kept in a file, each
//! with all of these, and measured again where one differs.

use crate::BenchError;
use crate::record::Error;
use mathsmith_measure::{Cpu, Host, MeasureError, Options, Outcome, Question, Source, SubjectInput, measure};
use mathsmith_oracle::FloatFormat;
use mathsmith_verify::measured::{Classes, Measured, Tally};
use mathsmith_verify::{Inspection, SampleDomain, SampleOptions, Subject, VerifyError, files, sample};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// Version of the file.
const SCHEMA: u32 = 1;

/// Errors that were measured before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cache {
    schema: u32,
    errors: Vec<Kept>,
}

/// One error with all that it depends on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Kept {
    reference: String,
    domain: Option<String>,
    judged_at: String,
    name: String,
    symbol: String,
    hash: String,
    compiler: Option<String>,
    flags: Vec<String>,
    cpu: Cpu,
    version: String,
    error: Error,
}

impl Default for Cache {
    fn default() -> Self {
        Cache { schema: SCHEMA, errors: Vec::new() }
    }
}

impl Cache {
    /// Reads the file; one that is not there, or is of another version, is an empty one.
    ///
    /// # Errors
    /// [`BenchError::File`] if the file holds something else: it would be overwritten.
    pub fn load(path: &Path) -> Result<Cache, BenchError> {
        let Ok(text) = std::fs::read_to_string(path) else { return Ok(Cache::default()) };
        let table: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        match table.get("schema").and_then(serde_json::Value::as_u64) {
            Some(schema) if schema != u64::from(SCHEMA) => Ok(Cache::default()),
            _ => serde_json::from_value(table).map_err(|_| BenchError::File {
                path: path.into(),
                what: "is not a file of measured errors".into(),
                help: "name another file with --cache, or remove this one".into(),
            }),
        }
    }

    /// Writes the file.
    ///
    /// # Errors
    /// [`BenchError::File`].
    pub fn save(&self, path: &Path) -> Result<(), BenchError> {
        let text = serde_json::to_string_pretty(self).unwrap_or_default() + "\n";
        files::write_atomic(path, text.as_bytes()).map_err(|e| BenchError::File {
            path: path.into(),
            what: e.to_string(),
            help: "name a file that can be written with --cache".into(),
        })
    }
}

/// How errors are measured.
#[derive(Clone, Copy)]
pub struct Measuring<'a> {
    /// Worker threads.
    pub threads: usize,
    /// How foreign code is run.
    pub host: &'a Host,
    /// Called with subjects, inputs done and inputs in all.
    pub progress: Option<&'a dyn Fn(usize, u64, u64)>,
    /// Raised to give up.
    pub cancel: Option<&'a AtomicBool>,
    /// Evaluations of a sample instead of every input.
    pub sample: Option<u64>,
}

/// The error of each subject, or why there is none.
///
/// # Errors
/// [`BenchError::Question`] if the reference cannot be judged on the domain; [`MeasureError::Interrupted`] is passed on in
/// the outer result's words.
pub fn errors(
    question: &Question,
    subjects: &[SubjectInput],
    cache: &mut Cache,
    measuring: &Measuring<'_>,
) -> Result<Vec<Result<Error, String>>, BenchError> {
    let keys: Vec<Kept> = subjects.iter().map(|s| key(question, s)).collect();
    let wanted = |coverage: &str| measuring.sample.is_some() || coverage != "sampled";
    let find = |cache: &Cache, key: &Kept| {
        let same = |k: &&Kept| Kept { error: key.error.clone(), ..(*k).clone() } == *key && wanted(&k.error.coverage);
        cache.errors.iter().find(same).map(|k| k.error.clone())
    };
    let mut found: Vec<Option<Result<Error, String>>> = keys.iter().map(|k| find(cache, k).map(Ok)).collect();
    let unknown: Vec<usize> = (0..subjects.len()).filter(|&i| found[i].is_none()).collect();
    if !unknown.is_empty() {
        let ask: Vec<SubjectInput> = unknown.iter().map(|&i| subjects[i].clone()).collect();
        for (&i, outcome) in unknown.iter().zip(measured(question, &ask, measuring)?) {
            if let Ok(error) = &outcome {
                cache.errors.retain(|k| Kept { error: keys[i].error.clone(), ..k.clone() } != keys[i]);
                cache.errors.push(Kept { error: error.clone(), ..keys[i].clone() });
            }
            found[i] = Some(outcome);
        }
    }
    Ok(found.into_iter().map(|f| f.expect("every subject was found or measured")).collect())
}

fn key(question: &Question, subject: &SubjectInput) -> Kept {
    let (symbol, hash, compiler, flags) = match &subject.record.source {
        Source::Native(o) => (o.symbol.clone(), o.hash.clone(), o.compiler.clone(), o.flags.clone()),
        Source::Program { hash, .. } => (String::new(), hash.clone(), None, Vec::new()),
    };
    // Temporary files have another path each time, and their content in the hash.
    let name = match &subject.record.source {
        Source::Native(o) if o.file.is_some() && o.compiler.is_some() => "source".to_owned(),
        Source::Native(o) if matches!(o.spec, mathsmith_native::subject::Spec::Library { .. }) => "library".to_owned(),
        _ => subject.record.name.clone(),
    };
    let none = Error { coverage: String::new(), inputs: 0, max_ulp: None, at: String::new(), wrong_class: false };
    Kept {
        reference: question.asked.reference.clone(),
        domain: question.asked.domain.first().cloned().flatten(),
        judged_at: question.out.name.to_owned(),
        name,
        symbol,
        hash,
        compiler,
        flags,
        cpu: Cpu::detect(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        error: none,
    }
}

fn measured(
    question: &Question,
    subjects: &[SubjectInput],
    measuring: &Measuring<'_>,
) -> Result<Vec<Result<Error, String>>, BenchError> {
    let refused = |what: String| BenchError::Question {
        what,
        help: "name another domain with --on, or leave the errors out with --no-errors".into(),
    };
    let count = subjects.len();
    let progress = |done: u64, total: u64| {
        if let Some(progress) = measuring.progress {
            progress(count, done, total);
        }
    };
    if let Some(evals) = measuring.sample {
        let (format, host) = (FloatFormat::F32, measuring.host);
        let started = subjects.iter().map(|s| Subject {
            name: s.record.name.clone(),
            params: s.params().to_vec(),
            start: Box::new(move || s.start(format, false, host)),
        });
        let started: Vec<Subject<'_>> = started.collect();
        let ends: Vec<(f64, f64)> = question.ends.iter().map(|&[lo, hi]| (lo, hi)).collect();
        let options = SampleOptions {
            evals,
            seed: 1,
            threads: measuring.threads,
            progress: Some(&progress),
            cancel: measuring.cancel,
        };
        let inspection = Inspection { judged_at: question.out, ..Inspection::default() };
        let all = SampleDomain::new(format, &ends)
            .and_then(|domain| sample(&question.reference, &domain, &started, &inspection, &options));
        let all = all.map_err(|e| match e {
            VerifyError::Cancelled { .. } => BenchError::Interrupted,
            e => refused(e.to_string()),
        })?;
        return Ok(all.into_iter().map(|m| m.map(|m| figure(&m)).map_err(|e| e.to_string())).collect());
    }
    let options = Options {
        threads: measuring.threads,
        host: measuring.host,
        progress: Some(&progress),
        cancel: measuring.cancel,
    };
    let outcomes = measure(question, subjects, &options).map_err(|e| match e {
        MeasureError::Interrupted => BenchError::Interrupted,
        e => refused(e.to_string()),
    })?;
    Ok(outcomes
        .into_iter()
        .map(|o| match o {
            Outcome::Measured(m) => Ok(figure(&m.measured)),
            Outcome::Failed(f) => Err(f.what),
        })
        .collect())
}

fn figure(m: &Measured) -> Error {
    let Classes {
        nan_for_number,
        number_for_nan,
        infinity_for_finite,
        finite_for_infinity,
        zero_for_nonzero: _,
        wrong_sign: _,
    } = &m.classes;
    let any = |t: &Tally| t.count > 0;
    let kinds = [nan_for_number, number_for_nan, infinity_for_finite, finite_for_infinity];
    Error {
        coverage: m.coverage.word().to_owned(),
        inputs: m.inputs,
        max_ulp: Some(m.max_ulp.value).filter(|u| u.is_finite()),
        at: m.max_ulp.x.first().cloned().unwrap_or_default(),
        wrong_class: kinds.into_iter().any(any) || m.specials.iter().any(|s| !s.same_class),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_survives_and_other_files_are_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("errors.json");
        assert_eq!(Cache::load(&path).unwrap(), Cache::default());
        Cache::default().save(&path).unwrap();
        assert_eq!(Cache::load(&path).unwrap(), Cache::default());
        std::fs::write(&path, "{\"schema\": 99}").unwrap();
        assert_eq!(Cache::load(&path).unwrap(), Cache::default());
        std::fs::write(&path, "my notes").unwrap();
        let message = Cache::load(&path).unwrap_err().to_string();
        assert!(message.contains("errors.json") && message.contains("--cache"), "{message}");
    }
}
