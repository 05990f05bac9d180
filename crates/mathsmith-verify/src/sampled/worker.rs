//! Evaluating points: all judged by MPFR, or filtered by the oracle's fast values.
//!
//! With `|y - f| <= e` the exact error of `c` lies between `(d - e) / ulp(|y| + e)` and `(d + e) / ulp(|y| - e)`,
//! `d = |c - y|`; the difference is rounded once and each operation after it once, which the factor 1 ± 2^-50 covers. An
//! input whose upper bound does not exceed the greatest error known is no candidate. Points from [`super::phase`] come with
//! a forecast of the exact value; it only decides which candidates are looked at, MPFR decides what they are worth.

use super::Question;
use crate::VerifyError;
use crate::gather::Gather;
use crate::inspect::Subject;
use crate::judge::{Exact, Point, Runner};
use crate::observe::{watch_monotone, watch_parity, watch_purity};
use mathsmith_oracle::{FloatFormat, Scratch};
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};

/// Most inputs of a piece that MPFR settles.
pub(crate) const SETTLED: usize = 512;
/// Of these, results of a class that looks wrong.
const SUSPECTS: usize = 64;
/// Of the random part, the inputs that are called twice, and those that are looked at with their upper neighbours: one in
/// so many.
const TWICE: usize = 16;
const PAIRS: usize = 8;
/// Relative slack for roundings of the figures.
const SLACK: f64 = 1.0 / (1u64 << 50) as f64;

/// A forecast of the exact value: `anchor + offset / inverse`, `1 / inverse` being the ulp.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Forecast {
    pub anchor: f64,
    pub inverse: f64,
    pub offset: f64,
    /// How far off it may be, in ULP.
    pub slack: f64,
}

impl Forecast {
    pub(crate) const NONE: Forecast = Forecast { anchor: 0.0, inverse: 0.0, offset: f64::NAN, slack: 0.0 };
}

/// Points to evaluate.
#[derive(Default)]
pub(crate) struct Lanes {
    pub points: Vec<Point>,
    /// One a point, or none at all.
    pub forecasts: Vec<Forecast>,
    /// First point and stretch of each run of points from one stretch.
    pub runs: Vec<(usize, u32)>,
}

/// What one thread works with.
pub(crate) struct Worker<'a> {
    runner: Runner<'a>,
    scratch: Scratch,
    columns: [Vec<f64>; 2],
    y: Vec<f64>,
    e: Vec<f64>,
    /// Results as the subject gives them, and rounded to the format judged at.
    raw: Vec<f64>,
    c: Vec<f64>,
}

/// Workers at rest: a subject's process is started once a thread, not once a round.
pub(crate) struct Pool<'a> {
    subject: &'a Subject<'a>,
    q: &'a Question<'a>,
    idle: Mutex<Vec<Worker<'a>>>,
}

/// A worker that goes back to its pool.
pub(crate) struct Lease<'p, 'a> {
    pool: &'p Pool<'a>,
    worker: Option<Worker<'a>>,
}

impl<'a> Pool<'a> {
    pub(crate) fn new(subject: &'a Subject<'a>, q: &'a Question<'a>) -> Self {
        Pool { subject, q, idle: Mutex::new(Vec::new()) }
    }

    pub(crate) fn take(&self) -> Result<Lease<'_, 'a>, VerifyError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let worker = match idle {
            Some(worker) => worker,
            None => Worker {
                runner: Runner::start(
                    self.subject,
                    self.q.domain.format(),
                    self.q.domain.arity(),
                    self.q.judge.format,
                )?,
                scratch: Scratch::default(),
                columns: Default::default(),
                y: Vec::new(),
                e: Vec::new(),
                raw: Vec::new(),
                c: Vec::new(),
            },
        };
        Ok(Lease { pool: self, worker: Some(worker) })
    }
}

impl<'a> Deref for Lease<'_, 'a> {
    type Target = Worker<'a>;
    fn deref(&self) -> &Worker<'a> {
        self.worker.as_ref().expect("a lease holds its worker until it is dropped")
    }
}

impl DerefMut for Lease<'_, '_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.worker.as_mut().expect("a lease holds its worker until it is dropped")
    }
}

impl Drop for Lease<'_, '_> {
    fn drop(&mut self) {
        if let Some(worker) = self.worker.take() {
            self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner).push(worker);
        }
    }
}

/// An input that may beat the greatest error known.
struct Candidate {
    lane: usize,
    /// Upper bounds: ULP (or forecast), relative, absolute.
    upper: [f64; 3],
    /// The error as far as it is known.
    figure: f64,
}

impl<'a> Worker<'a> {
    pub(crate) fn runner(&mut self) -> &mut Runner<'a> {
        &mut self.runner
    }

    /// Evaluates points.
    fn evaluate(&mut self, q: &Question<'_>, points: &[Point], gather: &mut Gather) -> Result<(), VerifyError> {
        self.runner.raw(points, &mut self.raw)?;
        gather.seen(q.domain, points, &self.raw);
        self.c.clear();
        self.c.extend(self.raw.iter().map(|&y| q.judge.format.nearest_f64(y)));
        Ok(())
    }

    /// Evaluates points and judges each.
    pub(crate) fn judge_all(
        &mut self,
        q: &Question<'_>,
        points: &[Point],
        counted: bool,
        gather: &mut Gather,
    ) -> Result<Vec<Exact>, VerifyError> {
        self.evaluate(q, points, gather)?;
        let mut all = Vec::with_capacity(points.len());
        for (x, &c) in points.iter().zip(&self.c) {
            let exact = q.judge.exact(x);
            gather.judged(q.domain, x, c, &exact, &q.judge.verdict(&exact, c), counted);
            all.push(exact);
        }
        Ok(all)
    }

    /// The random part: figures, second calls, symmetry, neighbours.
    pub(crate) fn random_part(
        &mut self,
        q: &Question<'_>,
        points: &[Point],
        gather: &mut Gather,
    ) -> Result<(), VerifyError> {
        let exact = self.judge_all(q, points, true, gather)?;
        let first = std::mem::take(&mut self.raw);
        let mut other = Vec::new();

        let twice = &points[..points.len().div_ceil(TWICE)];
        self.runner.raw(twice, &mut other)?;
        watch_purity(&mut gather.pure, q.domain, twice, &first, &other);
        if q.domain.arity() == 1 {
            if let Some(parity) = q.parity() {
                let mirror: Vec<Point> = points.iter().map(|x| [-x[0], 0.0]).collect();
                self.runner.raw(&mirror, &mut other)?;
                gather.seen(q.domain, &mirror, &other);
                for ((x, &at_x), &at_minus_x) in points.iter().zip(&first).zip(&other) {
                    watch_parity(&mut gather.parity, parity, x[0], at_x, at_minus_x);
                }
            }
            // A stride, so that every binade has its pairs.
            let stride = |i: &usize| i % PAIRS == (i / PAIRS) % PAIRS;
            let f = q.domain.format();
            let next = |i: usize| [f.from_key(f.key(points[i][0]) + 1), 0.0];
            let lower: Vec<usize> = (0..points.len())
                .filter(stride)
                .filter(|&i| q.domain.contains(&next(i)[..1]) && q.wanted(&next(i)))
                .collect();
            let upper: Vec<Point> = lower.iter().map(|&i| next(i)).collect();
            self.runner.raw(&upper, &mut other)?;
            gather.seen(q.domain, &upper, &other);
            for ((&i, x), &c) in lower.iter().zip(&upper).zip(&other) {
                let above = q.judge.exact(x);
                let judged = |e: &Exact, c: f64| q.judge.verdict(e, q.judge.format.nearest_f64(c)).c;
                let (at, at_next) = (judged(&exact[i], first[i]), judged(&above, c));
                watch_monotone(&mut gather.monotone, &q.judge, (&points[i], at, &exact[i]), (x, at_next, &above));
            }
        }
        self.raw = first;
        Ok(())
    }

    /// Evaluates points and settles those that may beat `bars` (greatest errors in ULP, relative, absolute). Returns with
    /// each run of points its stretch and the largest error seen in it.
    pub(crate) fn search(
        &mut self,
        q: &Question<'_>,
        lanes: &mut Lanes,
        mut bars: [f64; 3],
    ) -> Result<(Gather, Vec<(u32, f64)>), VerifyError> {
        let mut gather = Gather::new();
        let points = &lanes.points[..];
        self.evaluate(q, points, &mut gather)?;
        self.fast(q, points);

        let mut best: Vec<(u32, f64)> = lanes.runs.iter().map(|&(_, stretch)| (stretch, 0.0)).collect();
        let (mut candidates, mut suspects) = (Vec::new(), Vec::new());
        let (mut run, mut least, mut greatest) = (0, 0, 0);
        for (lane, &c) in self.c.iter().enumerate() {
            while lanes.runs.get(run + 1).is_some_and(|&(start, _)| start <= lane) {
                run += 1;
            }
            if c < self.c[least] || self.c[least].is_nan() {
                least = lane;
            }
            if c > self.c[greatest] || self.c[greatest].is_nan() {
                greatest = lane;
            }
            match interval(q.judge.format, q.judge.ftz, c, self.y[lane], self.e[lane]) {
                Look::Agrees => {}
                Look::Suspect => {
                    if suspects.len() < SUSPECTS {
                        suspects.push(Candidate { lane, upper: [f64::INFINITY; 3], figure: f64::INFINITY });
                    }
                }
                Look::Between { lower, mut upper } => {
                    let mut figure = lower;
                    if let Some(f) = lanes.forecasts.get(lane) {
                        let told = ((c - f.anchor) * f.inverse - f.offset).abs();
                        if told + f.slack >= lower && told - f.slack <= upper[0] {
                            figure = told;
                            upper = [told + f.slack, -1.0, -1.0];
                        }
                    }
                    if let Some((_, best)) = best.get_mut(run) {
                        *best = best.max(figure);
                    }
                    if (0..3).any(|m| upper[m] > bars[m]) {
                        candidates.push(Candidate { lane, upper, figure });
                    }
                }
            }
        }
        // Largest first; of equals the first drawn.
        candidates.sort_by(|a, b| b.figure.total_cmp(&a.figure).then(a.lane.cmp(&b.lane)));
        candidates.truncate(SETTLED - suspects.len());
        // The ends of the range are judged too, so that the range expected covers them.
        let mut ends = Vec::new();
        if !points.is_empty() {
            for lane in [least, greatest] {
                ends.push(Candidate { lane, upper: [f64::INFINITY; 3], figure: 0.0 });
            }
        }
        let mut done = Vec::new();
        for candidate in suspects.iter().chain(&candidates).chain(&ends) {
            let lane = candidate.lane;
            if !(0..3).any(|m| candidate.upper[m] > bars[m]) || done.contains(&lane) && candidate.figure == 0.0 {
                continue;
            }
            let exact = q.judge.exact(&points[lane]);
            let verdict = q.judge.verdict(&exact, self.c[lane]);
            gather.judged(q.domain, &points[lane], self.c[lane], &exact, &verdict, false);
            done.push(lane);
            let e = &verdict.error;
            for (bar, value) in bars.iter_mut().zip([e.ulp, e.rel, e.abs]) {
                if value.is_finite() {
                    *bar = bar.max(value);
                }
            }
            let run = lanes.runs.partition_point(|&(start, _)| start <= lane);
            if let Some((_, best)) = run.checked_sub(1).and_then(|run| best.get_mut(run))
                && e.ulp.is_finite()
            {
                *best = best.max(e.ulp);
            }
        }
        Ok((gather, best))
    }

    /// Fast values and bounds of points.
    fn fast(&mut self, q: &Question<'_>, points: &[Point]) {
        let variables = q.judge.reference.vars().len();
        for (a, column) in self.columns[..variables].iter_mut().enumerate() {
            column.clear();
            column.extend(points.iter().map(|x| x[a]));
        }
        self.y.resize(points.len(), 0.0);
        self.e.resize(points.len(), 0.0);
        let columns: Vec<&[f64]> = self.columns[..variables].iter().map(|c| &c[..]).collect();
        q.judge.reference.fast_block(&columns, &mut self.y, &mut self.e, &mut self.scratch);
    }
}

/// What the fast value says about a result.
enum Look {
    /// The class is right and there is no error to speak of.
    Agrees,
    /// The class looks wrong.
    Suspect,
    /// The error in ULP is at least `lower`; upper bounds in ULP, relative, absolute.
    Between { lower: f64, upper: [f64; 3] },
}

/// The interval of the exact errors of `c`, given `|y - f| <= e` in the sense of
/// [`mathsmith_oracle::Reference::fast_block`].
fn interval(format: FloatFormat, ftz: bool, c: f64, y: f64, e: f64) -> Look {
    if e.is_nan() || e == f64::INFINITY {
        return Look::Between { lower: 0.0, upper: [f64::INFINITY; 3] };
    }
    if y.is_nan() {
        return if c.is_nan() { Look::Agrees } else { Look::Suspect };
    }
    if y.is_infinite() || !c.is_finite() {
        // At the very edge of overflow this may be too kind; the special points look there.
        let over = y.abs() - e >= format.max() || y.is_infinite();
        return if over && c.is_infinite() && c.is_sign_negative() == y.is_sign_negative() {
            Look::Agrees
        } else {
            Look::Suspect
        };
    }
    let (a, d) = (y.abs(), (c - y).abs());
    if ftz && c == 0.0 && a + e < format.min_normal() {
        return Look::Agrees;
    }
    let above = (d + e) * (1.0 + SLACK);
    let below = ((d - e) * (1.0 - SLACK)).max(0.0);
    let rel = match a > e {
        // A zero for a number is off by exactly 1.
        true if c == 0.0 => 1.0,
        true => above / (a - e) * (1.0 + SLACK),
        false if above == 0.0 => 0.0,
        false if c == 0.0 && y != 0.0 => 1.0,
        false => f64::INFINITY,
    };
    // The exponent of the value may be that of either end, and the ends themselves are rounded.
    let [inner, outer] = if e == 0.0 { [a, a] } else { [(a - e).next_down().max(0.0), (a + e).next_up()] };
    Look::Between { lower: below / ulp(format, outer), upper: [above / ulp(format, inner), rel, above] }
}

/// `ulp(y)` in a format for `y >= 0`.
fn ulp(format: FloatFormat, y: f64) -> f64 {
    let exponent = (((y.to_bits() >> 52) & 0x7ff) as i32 - 1023).clamp(format.min_exponent, format.max_exponent);
    let e = exponent - (format.precision as i32 - 1);
    if e >= -1022 { f64::from_bits(((e + 1023) as u64) << 52) } else { f64::from_bits(1 << (e + 1074)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rug::Float;

    #[test]
    fn ulps_are_those_of_the_format() {
        for f in FloatFormat::ALL {
            for y in [0.0, 5e-324, 1e-310, 1e-40, 6e-8, 0.9, 1.0, 1.5, 3e4, 1e38, 1e300, f64::MAX] {
                let exact = Float::with_val(53, 1) << f.ulp_exponent(&Float::with_val(53, y));
                assert_eq!(ulp(f, y), exact.to_f64(), "{f:?} {y:e}");
            }
        }
    }

    #[test]
    fn intervals_hold_the_exact_error() {
        let mut rng = mathsmith_ir::sample::SplitMix::new(7);
        for f in FloatFormat::ALL {
            for i in 0..20_000 {
                let exact = f.from_key((rng.bits() >> 1) as i64 % f.key(f.max()));
                let e = exact * 2f64.powi(-(20 + rng.below(29) as i32));
                let y = exact + e * ((rng.bits() >> 11) as f64 / (1u64 << 53) as f64 * 1.8 - 0.9);
                let steps = rng.below(7) as i64 - 3;
                let c = if i % 50 == 0 { 0.0 } else { f.from_key((f.key(exact) + steps).clamp(0, f.key(f.max()))) };
                let figures = crate::judge::figures(f, &Float::with_val(60, exact), c);
                let Look::Between { lower, upper } = interval(f, false, c, y, e) else {
                    panic!("{f:?} {exact:e} {c:e}")
                };
                assert!(lower <= figures.ulp && figures.ulp <= upper[0], "{f:?} {exact:e} {c:e} {y:e} {e:e}");
                assert!(figures.rel <= upper[1] && figures.abs <= upper[2], "{f:?} {exact:e} {c:e} {y:e} {e:e}");
            }
        }
    }
}
