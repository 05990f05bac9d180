//! Measurements that cannot be exhaustive: doubles, and functions of two arguments. The worst input is searched for; what
//! is found is a lower bound, and every such record says `sampled`, with the count of evaluations and the seed.
//!
//! The evaluations asked for are spent in three parts.
//!
//! 1. **Special points** ([`special`]): ends, zeros, ones, seams, powers of two, the places where the function vanishes,
//!    turns, over- or underflows, becomes undefined or saturates, and the numbers of the format nearest to multiples of
//!    pi/2, each with neighbours at distances 1, 2, 4, … . At most a quarter of the evaluations; all judged by MPFR.
//! 2. **The random part**: at most a sixteenth of the evaluations and at most 2^20 of them, the same number in every binade
//!    (for two arguments in random pairs of binades), uniform over the floats of each. All are judged by MPFR: the mean, the
//!    histogram, the count of results not correctly rounded, the counts of the binades and `flushed` are those of this
//!    part, whose size is the sum of the histogram. Symmetry is observed on all of its inputs; pairs of neighbours and
//!    second calls on a part.
//! 3. **The search** for the rest, in rounds. What a round does follows from the figures of the rounds before, frozen at
//!    its start, and from generators keyed by (seed, part, piece); so the result does not depend on threads. A quarter
//!    explores: stretches of the domain where larger errors were found get more draws, and the best are divided
//!    ([`stretch`]). An eighth climbs from the worst inputs, by steps of every size ([`climb`]). The rest looks for hard
//!    cases: inputs whose exact value lies between two floats where that of the worst inputs lies, or near a tie
//!    ([`phase`]).
//!
//! In the search MPFR settles an input only if it can beat the greatest error so far, which the oracle's fast value with
//! its bound tells ([`worker`]). Where more inputs of a piece could do so than [`worker::SETTLED`], those with the largest
//! errors by the fast figures are settled and the others are given up: the maximum is that of the settled ones, a true
//! lower bound.

mod climb;
mod domain;
mod phase;
mod special;
mod stretch;
mod worker;

pub use domain::SampleDomain;

use crate::gather::{Gather, How};
use crate::inspect::{Inspection, Subject};
use crate::judge::{Judge, Point};
use crate::measured::Parity;
use crate::observe::specials;
use crate::report::Coverage;
use crate::workers::in_order;
use crate::{Measured, VerifyError, checksum::mix64, plain};
use domain::Axis;
use mathsmith_ir::sample::SplitMix;
use mathsmith_oracle::{FloatFormat, Reference};
use std::sync::atomic::{AtomicBool, Ordering};
use stretch::Stretches;
use worker::{Lanes, Pool, Worker};

/// How a sample is drawn.
#[derive(Clone, Copy)]
pub struct SampleOptions<'a> {
    /// Evaluations of each subject; the special inputs and second calls come on top.
    pub evals: u64,
    /// Seed of every draw.
    pub seed: u64,
    /// Worker threads; 0 is taken as 1. They change no figure.
    pub threads: usize,
    /// Called on the calling thread with the evaluations done and those in all, over all subjects.
    pub progress: Option<&'a dyn Fn(u64, u64)>,
    /// Raised by another thread to give up.
    pub cancel: Option<&'a AtomicBool>,
}

impl Default for SampleOptions<'_> {
    /// A million evaluations, seed 1, one thread.
    fn default() -> Self {
        SampleOptions { evals: 1_000_000, seed: 1, threads: 1, progress: None, cancel: None }
    }
}

/// Lanes of a piece of work.
const PIECE: u64 = 1 << 14;
/// Most inputs of the random part.
const RANDOM: u64 = 1 << 20;
/// Rounds of the search.
const ROUNDS: u64 = 16;

/// Parts of the work; each has generators of its own.
#[derive(Clone, Copy)]
#[repr(u64)]
enum Part {
    Special = 1,
    Random = 2,
    Search = 3,
}

/// The generator of a piece.
fn generator(seed: u64, part: Part, piece: u64) -> SplitMix {
    SplitMix::new(mix64(mix64(mix64(seed ^ 0x5eed) ^ part as u64).wrapping_add(piece)))
}

/// What all subjects share.
pub(crate) struct Question<'a> {
    pub judge: Judge<'a>,
    pub domain: &'a SampleDomain,
    pub inspection: &'a Inspection<'a>,
    /// Binades of each argument.
    pub binades: Vec<Vec<[i64; 2]>>,
    pub seed: u64,
}

impl Question<'_> {
    /// Uniform over the floats of a random binade (of each argument).
    pub(crate) fn draw(&self, rng: &mut SplitMix) -> Point {
        let mut keys = [0; 2];
        for (key, binades) in keys.iter_mut().zip(&self.binades) {
            let stretch = binades[rng.below(binades.len())];
            *key = Axis::draw(rng, stretch);
        }
        self.domain.point(keys)
    }

    /// The reference's symmetry, where the domain shares it.
    pub(crate) fn parity(&self) -> Option<Parity> {
        self.inspection.parity.filter(|_| self.domain.is_symmetric())
    }

    /// Whether a point is one of the inputs: subnormal ones are left out with flushing.
    pub(crate) fn wanted(&self, x: &Point) -> bool {
        let f = self.domain.format();
        !(self.judge.ftz && x[..self.domain.arity()].iter().any(|&x| crate::observe::subnormal(f, x)))
    }
}

/// Measures subjects on a sample of a domain and searches for their worst inputs. One result a subject, in order; a subject
/// that fails does not stop the others. The first argument of a subject is the first variable of the reference.
///
/// # Errors
/// [`VerifyError`] if the question makes no sense for anyone: [`VerifyError::Arity`] if the reference has more variables
/// than the domain has arguments, [`VerifyError::EmptyBox`] for no evaluations at all, [`VerifyError::Cancelled`].
pub fn sample(
    reference: &Reference,
    domain: &SampleDomain,
    subjects: &[Subject<'_>],
    inspection: &Inspection<'_>,
    options: &SampleOptions<'_>,
) -> Result<Vec<Result<Measured, VerifyError>>, VerifyError> {
    plain::check(reference, domain)?;
    let question = Question {
        judge: Judge::new(reference, inspection),
        domain,
        inspection,
        binades: (0..domain.arity()).map(|a| domain.binades(a)).collect(),
        seed: options.seed,
    };
    let special = special::points(&question, (options.evals / 4) as usize);
    let mut all = Vec::with_capacity(subjects.len());
    for (i, subject) in subjects.iter().enumerate() {
        let before = i as u64 * options.evals;
        let total = subjects.len() as u64 * options.evals;
        let progress = |done: u64| {
            if let Some(progress) = options.progress {
                progress(before + done.min(options.evals), total);
            }
        };
        match measure(&question, subject, &special, options, &progress) {
            Err(VerifyError::Cancelled { done, .. }) => {
                return Err(VerifyError::Cancelled { done: before + done, total });
            }
            other => all.push(other),
        }
    }
    Ok(all)
}

/// One subject through all parts.
fn measure(
    q: &Question<'_>,
    subject: &Subject<'_>,
    special: &[Point],
    options: &SampleOptions<'_>,
    progress: &dyn Fn(u64),
) -> Result<Measured, VerifyError> {
    let pool = Pool::new(subject, q);
    let mut sum = Gather::new();
    let job =
        Job { pool: &pool, options_threads: options.threads, cancel: options.cancel, evals: options.evals, progress };

    job.run(&mut sum, (special.len() as u64).div_ceil(PIECE), |worker, piece| {
        let start = (piece * PIECE) as usize;
        let mut gather = Gather::new();
        let end = special.len().min(start + PIECE as usize);
        worker.judge_all(q, &special[start..end], false, &mut gather)?;
        Ok((gather, Vec::new()))
    })?;

    // Every input costs up to two evaluations and a fraction.
    let random = (options.evals / 16).clamp(1, RANDOM);
    job.run(&mut sum, random.div_ceil(PIECE / 4), |worker, piece| {
        let start = piece * (PIECE / 4);
        let points = random_points(q, start, random.min(start + PIECE / 4), piece);
        let mut gather = Gather::new();
        worker.random_part(q, &points, &mut gather)?;
        Ok((gather, Vec::new()))
    })?;

    let mut stretches = Stretches::new(q, &sum);
    for round in 0..ROUNDS {
        let left = options.evals.saturating_sub(sum.inputs);
        let lanes = if round + 1 == ROUNDS { left } else { left / (ROUNDS - round) };
        let bars = sum.bars();
        let tops = climb::tops(q.domain, &sum);
        let ranked = stretches.ranked();
        let work = |worker: &mut Worker<'_>, piece: u64| {
            let count = PIECE.min(lanes - piece * PIECE) as usize;
            let mut rng = generator(q.seed, Part::Search, round << 40 | piece);
            let mut lanes = Lanes::default();
            match piece % 8 {
                0 | 1 => ranked.explore(q, &mut rng, count, &mut lanes),
                2 => climb::moves(q, &tops, &mut rng, count, &mut lanes),
                _ => phase::hard_cases(q, &tops, &ranked, &mut rng, count, &mut lanes),
            }
            worker.search(q, &mut lanes, bars)
        };
        let found = job.run(&mut sum, lanes.div_ceil(PIECE), work)?;
        stretches.learn(q, &found, &sum);
    }

    let mut worker = pool.take()?;
    let specials = specials(&q.judge, q.domain, q.inspection.seams, worker.runner())?;
    let one = q.domain.arity() == 1;
    let how = How { coverage: Coverage::Sampled, seed: Some(q.seed), specials, monotone: one, parity: q.parity() };
    let [lo, hi] = q.domain.ends().next().unwrap_or([f64::NAN; 2]);
    sum.measured(&q.judge, q.domain, how).ok_or(VerifyError::EmptyBox { lo, hi, format: q.domain.format().name })
}

/// What runs pieces of work.
struct Job<'a> {
    pool: &'a Pool<'a>,
    options_threads: usize,
    cancel: Option<&'a AtomicBool>,
    evals: u64,
    progress: &'a dyn Fn(u64),
}

/// Figures of a piece and the largest errors of the stretches that it explored.
type Found = (Gather, Vec<(u32, f64)>);

impl Job<'_> {
    /// Runs pieces on all threads and merges them in order.
    fn run(
        &self,
        sum: &mut Gather,
        pieces: u64,
        work: impl Fn(&mut Worker<'_>, u64) -> Result<Found, VerifyError> + Sync,
    ) -> Result<Vec<(u32, f64)>, VerifyError> {
        let (pool, cancel, evals) = (self.pool, self.cancel, self.evals);
        let mut explored = Vec::new();
        let work = |worker: &mut worker::Lease<'_, '_>, piece: u64| {
            if cancel.is_some_and(|c| c.load(Ordering::Relaxed)) {
                return Err(VerifyError::Cancelled { done: 0, total: evals });
            }
            work(worker, piece)
        };
        let take = |_, (gather, found): Found| {
            sum.merge(gather);
            explored.extend(found);
            (self.progress)(sum.inputs);
            true
        };
        let outcome = in_order(self.options_threads, pieces, || pool.take(), work, take);
        match outcome {
            Err(VerifyError::Cancelled { total, .. }) => Err(VerifyError::Cancelled { done: sum.inputs, total }),
            Err(e) => Err(e),
            Ok(()) => Ok(explored),
        }
    }
}

/// The inputs `start..end` of the random part: one binade after another, so that each gets its share.
fn random_points(q: &Question<'_>, start: u64, end: u64, piece: u64) -> Vec<Point> {
    let mut rng = generator(q.seed, Part::Random, piece);
    let draw = |i: u64| {
        if q.domain.arity() == 1 {
            let binades = &q.binades[0];
            q.domain.point([Axis::draw(&mut rng, binades[(i % binades.len() as u64) as usize]), 0])
        } else {
            q.draw(&mut rng)
        }
    };
    (start..end).map(draw).filter(|x| q.wanted(x)).collect()
}

/// Bits of the fraction of a format: keys of numbers one binade apart differ by `2^fraction_bits`.
fn fraction_bits(f: FloatFormat) -> u32 {
    f.precision - 1
}
