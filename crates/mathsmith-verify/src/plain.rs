//! The plain judge: every input of a format, one after another, every figure from MPFR.
//!
//! Nothing here is fast and nothing needs an argument: a value is computed to 160 bits, rounded, and compared. That is
//! enough for the 65 536 inputs of the 16-bit formats, whose measurements are therefore exhaustive, and it is what the
//! fast measurements are compared with in tests.

use crate::gather::{Gather, How};
use crate::inspect::{Inspection, Subject};
use crate::judge::{Exact, Judge, Point, Runner};
use crate::measured::Parity;
use crate::observe::{specials, subnormal, watch_monotone, watch_parity, watch_purity};
use crate::report::Coverage;
use crate::sampled::SampleDomain;
use crate::sweep::SweepOptions;
use crate::workers::in_order;
use crate::{Measured, VerifyError};
use mathsmith_oracle::{FloatFormat, Reference};
use std::sync::atomic::Ordering;

/// Inputs handled together.
const CHUNK: u64 = 2048;
/// Most inputs: a day's work.
const MOST: u64 = 1 << 34;

/// Measures subjects at every input of a 16-bit format (`f16`, `bf16`) in a domain. Subjects get `f32` columns that hold
/// values of the format.
///
/// # Errors
/// [`VerifyError::TooMany`] for another format or two arguments; else as [`plain`].
pub fn exhaust_half(
    reference: &Reference,
    domain: &SampleDomain,
    subjects: &[Subject<'_>],
    inspection: &Inspection<'_>,
    options: &SweepOptions<'_>,
) -> Result<Vec<Result<Measured, VerifyError>>, VerifyError> {
    if domain.format().precision > FloatFormat::F16.precision {
        return Err(VerifyError::TooMany { format: domain.format().name, arguments: domain.arity() });
    }
    plain(reference, domain, subjects, inspection, options)
}

/// Measures subjects at every input of a domain of one argument. One result a subject, in order; a subject that fails
/// does not stop the others.
///
/// # Errors
/// [`VerifyError`] if the question makes no sense for anyone: two arguments or more than 2^34 inputs, a reference with
/// other variables, or the cancel flag is raised.
pub fn plain(
    reference: &Reference,
    domain: &SampleDomain,
    subjects: &[Subject<'_>],
    inspection: &Inspection<'_>,
    options: &SweepOptions<'_>,
) -> Result<Vec<Result<Measured, VerifyError>>, VerifyError> {
    check(reference, domain)?;
    let axis = domain.axes[0];
    let total = axis.last.wrapping_sub(axis.first) as u64;
    if domain.arity() != 1 || total >= MOST {
        return Err(VerifyError::TooMany { format: domain.format().name, arguments: domain.arity() });
    }
    let total = total + 1;
    let judge = Judge::new(reference, inspection);
    let mut states: Vec<Result<State<'_>, VerifyError>> =
        subjects.iter().map(|s| State::start(s, domain, &judge, inspection)).collect();
    let cancel = options.cancel;
    let work = |(): &mut (), chunk: u64| {
        if cancel.is_some_and(|c| c.load(Ordering::Relaxed)) {
            return Err(VerifyError::Cancelled { done: chunk * CHUNK, total });
        }
        let start = chunk * CHUNK;
        let points = (start..total.min(start + CHUNK))
            .map(|i| [domain.format().from_key(axis.first + i as i64), 0.0])
            .filter(|x| !(inspection.ftz && subnormal(domain.format(), x[0])));
        Ok(points.map(|x| (x, judge.exact(&x))).collect::<Vec<_>>())
    };
    let take = |chunk: u64, exact: Vec<(Point, Exact)>| {
        for state in &mut states {
            if let Ok(running) = state
                && let Err(e) = running.add(domain, &judge, inspection, &exact)
            {
                *state = Err(e);
            }
        }
        if let Some(progress) = options.progress {
            progress(total.min((chunk + 1) * CHUNK), total);
        }
        true
    };
    in_order(options.threads, total.div_ceil(CHUNK), || Ok(()), work, take)?;
    Ok(states.into_iter().map(|s| s.and_then(|s| s.finish(domain, &judge, inspection))).collect())
}

/// Checks that a measurement over a domain makes sense for a reference.
pub(crate) fn check(reference: &Reference, domain: &SampleDomain) -> Result<(), VerifyError> {
    let variables = reference.vars().len();
    if variables > domain.arity() {
        return Err(VerifyError::Arity { arguments: domain.arity(), variables });
    }
    Ok(())
}

/// The reference's symmetry, where the domain shares it.
fn parity(domain: &SampleDomain, inspection: &Inspection<'_>) -> Option<Parity> {
    inspection.parity.filter(|_| domain.is_symmetric())
}

/// One subject under way.
struct State<'a> {
    runner: Runner<'a>,
    gather: Gather,
    /// The last input with its result, for the pair with the next one.
    last: Option<(Point, f64, Exact)>,
    /// Inputs still to be called twice.
    twice: u64,
}

impl<'a> State<'a> {
    fn start(
        subject: &'a Subject<'_>,
        domain: &SampleDomain,
        judge: &Judge<'_>,
        inspection: &Inspection<'_>,
    ) -> Result<Self, VerifyError> {
        let runner = Runner::start(subject, domain.format(), 1, judge.format)?;
        Ok(State { runner, gather: Gather::new(), last: None, twice: inspection.twice })
    }

    /// Judges adjacent inputs that follow those before.
    fn add(
        &mut self,
        domain: &SampleDomain,
        judge: &Judge<'_>,
        inspection: &Inspection<'_>,
        exact: &[(Point, Exact)],
    ) -> Result<(), VerifyError> {
        let points: Vec<Point> = exact.iter().map(|(x, _)| *x).collect();
        let (mut raw, mut again) = (Vec::new(), Vec::new());
        self.runner.raw(&points, &mut raw)?;
        let again_for = points.len().min(usize::try_from(self.twice).unwrap_or(usize::MAX));
        self.runner.raw(&points[..again_for], &mut again)?;
        self.twice -= again_for as u64;
        watch_purity(&mut self.gather.pure, domain, &points[..again_for], &raw, &again);
        let results: Vec<f64> = raw.iter().map(|&y| judge.format.nearest_f64(y)).collect();
        self.gather.seen(domain, &points, &raw);
        for ((x, e), &c) in exact.iter().zip(&results) {
            let verdict = judge.verdict(e, c);
            self.gather.judged(domain, x, c, e, &verdict, true);
            let c = verdict.c;
            // With flushing the neighbours of zero are the least normal numbers.
            if let Some((x0, c0, e0)) = &self.last {
                watch_monotone(&mut self.gather.monotone, judge, (x0, *c0, e0), (x, c, e));
            }
            self.last = Some((*x, c, e.clone()));
        }
        if let Some(parity) = parity(domain, inspection) {
            let positive: Vec<usize> = (0..points.len()).filter(|&i| points[i][0] >= 0.0).collect();
            let negative: Vec<Point> = positive.iter().map(|&i| [-points[i][0], 0.0]).collect();
            self.runner.raw(&negative, &mut again)?;
            for (&i, &at_minus_x) in positive.iter().zip(&again) {
                watch_parity(&mut self.gather.parity, parity, points[i][0], raw[i], at_minus_x);
            }
        }
        Ok(())
    }

    fn finish(
        mut self,
        domain: &SampleDomain,
        judge: &Judge<'_>,
        inspection: &Inspection<'_>,
    ) -> Result<Measured, VerifyError> {
        let specials = specials(judge, domain, inspection.seams, &mut self.runner)?;
        let how =
            How { coverage: Coverage::Exhaustive, seed: None, specials, monotone: true, parity: inspection.parity };
        let [lo, hi] = [domain.axes[0].first, domain.axes[0].last].map(|k| domain.format().from_key(k));
        // Only a domain of subnormals, all left out, holds no input.
        self.gather.measured(judge, domain, how).ok_or(VerifyError::EmptyBox { lo, hi, format: domain.format().name })
    }
}
