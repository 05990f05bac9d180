//! Subjects put to a question.
//!
//! Functions of one `f32` are measured at every input, in one sweep for all subjects, so that the reference is evaluated
//! once; functions of one 16-bit float at every input as well; doubles and functions of two arguments are sampled. A
//! subject that fails is reported with its input and leaves the others alone.

use crate::question::Question;
use crate::record::{Cpu, Measurement, ROUNDING, SCHEMA, SubjectFailure};
use crate::subject::{Host, SubjectInput};
use crate::verdict::{findings, rounded, verdicts};
use mathsmith_ir::{ColumnMut, ColumnRef, EngineError};
use mathsmith_oracle::FloatFormat;
use mathsmith_verify::inspect::{Inspection, Subject, inspect};
use mathsmith_verify::measured::Parity;
use mathsmith_verify::report::hex;
use mathsmith_verify::{
    FloatDomain, Measured, SampleDomain, SampleOptions, SweepOptions, VerifyError, exhaust_half, sample,
};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// Time without a call returning after which a subject is given up, unless another is asked for.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// How a measurement runs; nothing here changes a figure.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// Worker threads.
    pub threads: usize,
    /// How foreign code is run.
    pub host: &'a Host,
    /// Called with the inputs done and the inputs in all.
    pub progress: Option<&'a dyn Fn(u64, u64)>,
    /// Raised by another thread to give up.
    pub cancel: Option<&'a AtomicBool>,
}

/// What became of one subject.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Measured.
    Measured(Box<Measurement>),
    /// It crashed, did not return, or could not be called to the end.
    Failed(SubjectFailure),
}

/// Why nothing was measured.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum MeasureError {
    /// The cancel flag was raised.
    #[error("interrupted")]
    Interrupted,
    /// The question makes no sense for any subject.
    #[error("{0}")]
    Question(VerifyError),
}

/// Measures all subjects, which fit the question. One outcome a subject, in order.
///
/// # Errors
/// [`MeasureError`].
pub fn measure(
    question: &Question,
    subjects: &[SubjectInput],
    options: &Options<'_>,
) -> Result<Vec<Outcome>, MeasureError> {
    let cpu = Cpu::detect();
    let outcome = |(subject, measured): (&SubjectInput, Result<Measured, VerifyError>)| match measured
        .and_then(|m| conclude(question, subject, m, &cpu, options))
    {
        Ok(measurement) => Outcome::Measured(Box::new(measurement)),
        Err(e) => failed(subject, &e),
    };
    Ok(subjects.iter().zip(figures(question, subjects, options)?).map(outcome).collect())
}

/// The figures of each subject.
fn figures(
    question: &Question,
    subjects: &[SubjectInput],
    options: &Options<'_>,
) -> Result<Vec<Result<Measured, VerifyError>>, MeasureError> {
    let started: Vec<Subject<'_>> = subjects.iter().map(|s| startable(question, s, options)).collect();
    let parity = question.parity();
    let inspection = Inspection {
        judged_at: question.out,
        ftz: question.asked.ftz,
        tolerance: question.tolerance.as_ref(),
        seams: &question.seams,
        parity,
        ..Inspection::default()
    };
    let sweep = SweepOptions { threads: options.threads, progress: options.progress, cancel: options.cancel };
    let result = if question.format == FloatFormat::F32 && question.arity() == 1 {
        let [lo, hi] = question.ends[0].map(|x| x as f32);
        FloatDomain::new(lo, hi).and_then(|domain| inspect(&question.reference, &domain, &started, &inspection, &sweep))
    } else {
        beyond_singles(question, &started, &inspection, &sweep)
    };
    result.map_err(|e| match e {
        VerifyError::Cancelled { .. } => MeasureError::Interrupted,
        e => MeasureError::Question(e),
    })
}

/// Formats and arguments that the sweep over singles does not take.
fn beyond_singles(
    question: &Question,
    subjects: &[Subject<'_>],
    inspection: &Inspection<'_>,
    sweep: &SweepOptions<'_>,
) -> Result<Vec<Result<Measured, VerifyError>>, VerifyError> {
    let ends: Vec<(f64, f64)> = question.ends.iter().map(|&[lo, hi]| (lo, hi)).collect();
    let domain = SampleDomain::new(question.format, &ends)?;
    let half = matches!(question.format, FloatFormat::F16 | FloatFormat::BF16);
    if half && question.arity() == 1 {
        return exhaust_half(&question.reference, &domain, subjects, inspection, sweep);
    }
    let sample_options = SampleOptions {
        evals: question.asked.evals,
        seed: question.asked.seed,
        threads: sweep.threads,
        progress: sweep.progress,
        cancel: sweep.cancel,
    };
    sample(&question.reference, &domain, subjects, inspection, &sample_options)
}

fn startable<'a>(question: &Question, subject: &'a SubjectInput, options: &Options<'a>) -> Subject<'a> {
    let (format, ftz, host) = (question.format, question.asked.ftz, options.host);
    Subject {
        name: subject.record.name.clone(),
        params: subject.params().to_vec(),
        start: Box::new(move || subject.start(format, ftz, host)),
    }
}

fn conclude(
    question: &Question,
    subject: &SubjectInput,
    mut measured: Measured,
    cpu: &Cpu,
    options: &Options<'_>,
) -> Result<Measurement, VerifyError> {
    measured.heed_special_pairs();
    let mut points = |xs: &[f64]| results(question, subject, xs, options);
    let verdicts = verdicts(question, &measured, &mut points)?;
    Ok(Measurement {
        schema: SCHEMA,
        version: env!("CARGO_PKG_VERSION").into(),
        subject: subject.record.clone(),
        asked: question.asked.clone(),
        rounding: ROUNDING.into(),
        cpu: cpu.clone(),
        findings: findings(&measured),
        measured,
        verdicts,
    })
}

/// Results at a few points of one argument, rounded to the format judged at.
fn results(
    question: &Question,
    subject: &SubjectInput,
    xs: &[f64],
    options: &Options<'_>,
) -> Result<Vec<f64>, VerifyError> {
    let refused =
        |e: EngineError| VerifyError::NotStarted { subject: subject.record.name.clone(), what: e.to_string() };
    let mut engine = subject.start(question.format, question.asked.ftz, options.host).map_err(refused)?;
    let run = if question.format == FloatFormat::F64 {
        let mut out = vec![0f64; xs.len()];
        let run = engine.run(subject.params(), &[ColumnRef::F64(xs)], &mut [ColumnMut::F64(&mut out)]);
        run.map(|()| out)
    } else {
        let narrow: Vec<f32> = xs.iter().map(|&x| x as f32).collect();
        let mut out = vec![0f32; xs.len()];
        let run = engine.run(subject.params(), &[ColumnRef::F32(&narrow)], &mut [ColumnMut::F32(&mut out)]);
        run.map(|()| out.into_iter().map(f64::from).collect())
    };
    match run {
        Ok(ys) => Ok(ys.into_iter().map(|y| rounded(y, question.out)).collect()),
        Err(e) => Err(VerifyError::of_call(&subject.record.name, question.format, xs.len(), |i| vec![xs[i]], e)),
    }
}

fn failed(subject: &SubjectInput, error: &VerifyError) -> Outcome {
    let at = match error {
        VerifyError::Failed { at, .. } => at.iter().map(|&x| hex(x)).collect(),
        _ => Vec::new(),
    };
    Outcome::Failed(SubjectFailure { name: subject.record.name.clone(), what: error.to_string(), at })
}

impl Question {
    /// The symmetry to look for: the one demanded, else the one that the reference provably has.
    pub fn parity(&self) -> Option<Parity> {
        let demanded = self.demands.iter().find_map(|(_, d)| match d {
            crate::Demand::Parity(p) => Some(*p),
            _ => None,
        });
        demanded.or_else(|| {
            self.reference.parity().map(|p| match p {
                mathsmith_oracle::Parity::Odd => Parity::Odd,
                mathsmith_oracle::Parity::Even => Parity::Even,
            })
        })
    }
}
