//! Certificates: a measurement with everything that is needed to make it again.
//!
//! # The schema
//!
//! | field | holds |
//! | --- | --- |
//! | `schema` | 1 |
//! | `kind` | `mathsmith-certificate` |
//! | `digest` | SHA-256 over the rest, as compact JSON: tells a file that was edited from a subject that changed |
//! | `build` | compiler asked for, flags and order of arrays, as they were given ([`Build`]) |
//! | `measurement` | the record of [`crate::record`]: subject with file, hash, compiler and flags; question; rounding, flushing, processor; every figure; verdicts and findings |
//!
//! [`Certificate::check`] compares the subject's hash first, then measures again with the same settings and compares every
//! field of the figures. Another processor, compiler or version of mathsmith is noted; whether it matters is for the
//! figures to say.

use crate::question::{Question, QuestionError};
use crate::record::{Measurement, Source};
use crate::run::{MeasureError, Options, Outcome, measure};
use crate::subject::{Build, SubjectInput, SubjectProblem, sha256};
use mathsmith_native::subject::Spec;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::Path;

const SCHEMA: u64 = 1;
const KIND: &str = "mathsmith-certificate";

/// A measurement that can be proven again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// Version of this shape.
    pub schema: u64,
    /// What the file is.
    pub kind: String,
    /// SHA-256 over `build` and `measurement`.
    pub digest: String,
    /// How the subject was asked for.
    pub build: Build,
    /// The measurement.
    pub measurement: Measurement,
}

/// Why a certificate could not be checked at all.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The text is no certificate of this version.
    #[error("not a certificate that this version reads: {what}\n  help: {help}")]
    Content {
        /// What is wrong.
        what: String,
        /// What to do.
        help: &'static str,
    },
    /// The question in it cannot be asked.
    #[error("the question in the certificate: {0}")]
    Question(#[from] QuestionError),
    /// The subject cannot be found or built.
    #[error("{0}")]
    Subject(#[from] SubjectProblem),
    /// It could not be measured.
    #[error(transparent)]
    Measure(#[from] MeasureError),
}

/// One field that is not as certified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Path of the field, such as `measured.max_ulp.value`.
    pub field: String,
    /// In the certificate.
    pub certified: String,
    /// Now.
    pub now: String,
}

/// What a check has found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Proof {
    /// Circumstances that changed and do not matter by themselves: processor, compiler, version.
    pub notes: Vec<String>,
    /// Every field that differs; empty if the certificate holds.
    pub differences: Vec<Difference>,
    /// The measurement made now; `None` where the subject is another one or failed.
    pub measurement: Option<Box<Measurement>>,
}

/// Digest of what a certificate says.
fn digest(build: &Value, measurement: &Value) -> String {
    sha256(format!("{build}{measurement}").as_bytes())
}

fn value(x: &impl Serialize) -> Value {
    serde_json::to_value(x).expect("records are plain data with string keys")
}

impl Certificate {
    /// The certificate of a measurement.
    pub fn new(build: Build, measurement: Measurement) -> Certificate {
        let digest = digest(&value(&build), &value(&measurement));
        Certificate { schema: SCHEMA, kind: KIND.into(), digest, build, measurement }
    }

    /// The file's text.
    pub fn to_json(&self) -> String {
        let json = serde_json::to_string_pretty(self).expect("records are plain data with string keys");
        format!("{json}\n")
    }

    /// Reads a certificate, and says whether it is as it was written.
    ///
    /// # Errors
    /// [`CertificateError::Content`] for anything but a certificate of this schema.
    pub fn read(text: &str) -> Result<(Certificate, Option<Difference>), CertificateError> {
        let bad = |what: String, help| CertificateError::Content { what, help };
        let json: Value = serde_json::from_str(text).map_err(|e| {
            bad(format!("it is no JSON: {e}"), "name a file that `mathsmith measure --cert` has written")
        })?;
        let kind = json.get("kind").and_then(Value::as_str);
        if kind != Some(KIND) {
            let what = kind.map_or_else(|| "it has no `kind`".into(), |k| format!("its kind is `{k}`"));
            return Err(bad(what, "name a file that `mathsmith measure --cert` has written"));
        }
        match json.get("schema").and_then(Value::as_u64) {
            Some(SCHEMA) => {}
            other => {
                let known = other.map_or_else(|| "no schema".into(), |s| format!("schema {s}"));
                let what = format!("it has {known}, and this version knows {SCHEMA}");
                return Err(bad(what, "check it with the version of mathsmith that wrote it"));
            }
        }
        let certificate: Certificate = serde_json::from_value(json.clone())
            .map_err(|e| bad(e.to_string(), "the file was changed; measure again with `--cert`"))?;
        let found = digest(&json["build"], &json["measurement"]);
        let changed = (found != certificate.digest).then(|| Difference {
            field: "digest (the file was changed after it was written)".into(),
            certified: certificate.digest.clone(),
            now: found,
        });
        Ok((certificate, changed))
    }

    /// The question it answers.
    ///
    /// # Errors
    /// [`CertificateError::Question`].
    pub fn question(&self) -> Result<Question, CertificateError> {
        Ok(Question::new(self.measurement.asked.clone())?)
    }

    /// Proves the certificate again. `file` takes the place of the subject's file.
    ///
    /// # Errors
    /// [`CertificateError`] where there is nothing to compare: the subject is missing, does not compile, or the question
    /// cannot be asked.
    pub fn check(&self, file: Option<&Path>, options: &Options<'_>) -> Result<Proof, CertificateError> {
        let question = self.question()?;
        let old = &self.measurement;
        let mut proof = Proof { notes: self.version_notes(), differences: Vec::new(), measurement: None };
        let subject = match &old.subject.source {
            Source::Native(origin) => SubjectInput::native(&with_file(&origin.spec, file), &self.build, &question)?,
            Source::Program { path, .. } => {
                let path = file.map_or_else(|| path.clone(), |f| f.display().to_string());
                SubjectInput::program(&path, &question)?
            }
        };
        proof.compare_source(&old.subject.source, &subject.record.source);
        if !proof.differences.is_empty() {
            return Ok(proof);
        }
        let outcome = measure(&question, std::slice::from_ref(&subject), options)?.pop();
        match outcome {
            Some(Outcome::Measured(now)) => {
                for (field, a, b) in [
                    ("signature", value(&old.subject.signature), value(&now.subject.signature)),
                    ("rounding", value(&old.rounding), value(&now.rounding)),
                    ("measured", value(&old.measured), value(&now.measured)),
                    ("verdicts", value(&old.verdicts), value(&now.verdicts)),
                    ("findings", value(&old.findings), value(&now.findings)),
                ] {
                    compare(field, &a, &b, &mut proof.differences);
                }
                if old.cpu != now.cpu {
                    proof.notes.push(format!(
                        "certified on {} with {}; this processor is {} with {}",
                        old.cpu.arch,
                        old.cpu.features.join(" "),
                        now.cpu.arch,
                        now.cpu.features.join(" ")
                    ));
                }
                proof.measurement = Some(now);
            }
            Some(Outcome::Failed(failure)) => proof.differences.push(Difference {
                field: "outcome".into(),
                certified: "measured".into(),
                now: format!("failed: {}", failure.what),
            }),
            None => unreachable!("one subject has one outcome"),
        }
        Ok(proof)
    }

    fn version_notes(&self) -> Vec<String> {
        let (old, now) = (&self.measurement.version, env!("CARGO_PKG_VERSION"));
        if old == now { Vec::new() } else { vec![format!("certified by mathsmith {old}; this is {now}")] }
    }
}

fn with_file(spec: &Spec, file: Option<&Path>) -> Spec {
    let mut spec = spec.clone();
    if let (Some(file), Spec::C { path, .. } | Spec::Rust { path, .. } | Spec::Library { path, .. }) = (file, &mut spec)
    {
        *path = file.to_path_buf();
    }
    spec
}

impl Proof {
    /// Whether everything is as certified.
    pub fn holds(&self) -> bool {
        self.differences.is_empty()
    }

    fn compare_source(&mut self, old: &Source, now: &Source) {
        let mut differ = |field: &str, a: &str, b: &str| {
            if a != b {
                self.differences.push(Difference { field: field.into(), certified: a.into(), now: b.into() });
            }
        };
        match (old, now) {
            (Source::Native(old), Source::Native(now)) => {
                differ("subject (SHA-256 of its file)", &old.hash, &now.hash);
                differ("symbol", &old.symbol, &now.symbol);
                differ("flags", &old.flags.join(" "), &now.flags.join(" "));
                if old.compiler != now.compiler {
                    let name = |c: &Option<String>| c.clone().unwrap_or_else(|| "none".into());
                    let (old, now) = (name(&old.compiler), name(&now.compiler));
                    self.notes.push(format!("certified with {old}; the compiler is now {now}"));
                }
            }
            (Source::Program { hash: old, .. }, Source::Program { hash: now, .. }) => {
                differ("subject (SHA-256 of its file)", old, now);
            }
            _ => differ("kind of subject", "another", "this"),
        }
    }
}

/// The leaves in which two values differ.
fn compare(path: &str, a: &Value, b: &Value, out: &mut Vec<Difference>) {
    match (a, b) {
        (Value::Object(x), Value::Object(y)) => {
            let keys: std::collections::BTreeSet<&String> = x.keys().chain(y.keys()).collect();
            for key in keys {
                let (a, b) = (x.get(key).unwrap_or(&Value::Null), y.get(key).unwrap_or(&Value::Null));
                compare(&format!("{path}.{key}"), a, b, out);
            }
        }
        (Value::Array(x), Value::Array(y)) if x.len() == y.len() => {
            for (i, (a, b)) in x.iter().zip(y).enumerate() {
                compare(&format!("{path}[{i}]"), a, b, out);
            }
        }
        _ if a == b => {}
        _ => out.push(Difference { field: path.into(), certified: short(a), now: short(b) }),
    }
}

/// A value for a line of a message.
fn short(v: &Value) -> String {
    let text = v.to_string();
    if text.chars().count() <= 80 { text } else { text.chars().take(77).chain("...".chars()).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn differences_are_named_by_their_path() {
        let a = json!({"x": [1, {"y": 2.5}], "same": "s", "gone": 1, "len": [1, 2]});
        let b = json!({"x": [1, {"y": 2.75}], "same": "s", "new": null, "len": [1]});
        let mut found = Vec::new();
        compare("m", &a, &b, &mut found);
        let lines: Vec<String> = found.iter().map(|d| format!("{} {} {}", d.field, d.certified, d.now)).collect();
        assert_eq!(lines, ["m.gone 1 null", "m.len [1,2] [1]", "m.x[1].y 2.5 2.75"]);
    }

    #[test]
    fn what_is_no_certificate_is_refused() {
        for (text, what) in [
            ("{", "no JSON"),
            ("{}", "no `kind`"),
            ("{\"kind\": \"mathsmith-front\"}", "`mathsmith-front`"),
            ("{\"kind\": \"mathsmith-certificate\", \"schema\": 7}", "schema 7"),
            ("{\"kind\": \"mathsmith-certificate\", \"schema\": 1}", "missing field"),
        ] {
            let error = Certificate::read(text).expect_err(text).to_string();
            assert!(error.contains(what) && error.contains("help:"), "{error}");
        }
    }
}
