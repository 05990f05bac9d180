//! The exhaustive sweep: every input of a domain, one reference evaluation for all programs.
//!
//! # Why the figures are exact
//!
//! The reference gives each value as a double with a bound, from which [`crate::block`] derives an interval that holds
//! the exact error of a result. [`crate::extreme::Tracker`] keeps every input whose interval reaches the greatest lower
//! bound, and MPFR settles those at the end; an input that was dropped has an error strictly below that of an input that
//! was kept. So `max_ulp`, `max_rel`, `max_abs` and their inputs are those of exact arithmetic (rounded to a double at the
//! very end, ties to the smallest input), and depend neither on the bound nor on the order of evaluation. A result is
//! compared with the correctly rounded one where `y - e` and `y + e` round to the same float, and with MPFR's where not.
//! The mean and the histogram are sums of the fast figures.
//!
//! The domain is cut into chunks whose length depends on the domain alone. Threads evaluate chunks in any order; they
//! are merged in the order of the domain.

use crate::block::{BLOCK, Outcome, RefBlock, Work, judge};
use crate::error::{check_variables, unary};
use crate::extreme::{Candidate, Tracker};
use crate::report::{Coverage, ErrorReport, Extreme, Histogram, SpecialCheck, WorstPoint, hex};
use crate::truth::{PointError, Truth};
use crate::workers::in_order;
use crate::{FloatDomain, VerifyError, checksum};
use mathsmith_ir::{ColumnMut, ColumnRef, Engine, EngineError, Literal, Program, Type};
use std::sync::atomic::{AtomicBool, Ordering};

/// How a sweep runs; nothing here changes a figure.
#[derive(Clone, Copy, Default)]
pub struct SweepOptions<'a> {
    /// Worker threads; 0 is taken as 1.
    pub threads: usize,
    /// Called on the calling thread with the inputs done and the inputs in all.
    pub progress: Option<&'a dyn Fn(u64, u64)>,
    /// Raised by another thread to give up.
    pub cancel: Option<&'a AtomicBool>,
}

/// Stretches of the domain whose worst inputs are reported.
const STRETCHES: u64 = 256;
/// Longest chunk.
const MAX_CHUNK: u64 = 1 << 18;

/// Sweeps `domain` with the engine that [`mathsmith_jit::engine_for`] picks for each program.
///
/// Each program maps one `f32` to one `f32`, and its parameters have values. One report a program, in order.
///
/// # Errors
/// [`VerifyError`] if a program does not fit, an engine refuses it, or the cancel flag is raised.
pub fn sweep<T: Truth>(
    truth: &T,
    domain: &FloatDomain,
    programs: &[Program],
    options: &SweepOptions<'_>,
) -> Result<Vec<ErrorReport>, VerifyError> {
    sweep_with(truth, domain, programs, &|p| Ok(mathsmith_jit::engine_for(p)?.0), options)
}

/// [`sweep`] with engines of the caller's choice.
///
/// # Errors
/// As [`sweep`].
pub fn sweep_with<T: Truth>(
    truth: &T,
    domain: &FloatDomain,
    programs: &[Program],
    engines: &(dyn Fn(&Program) -> Result<Box<dyn Engine>, EngineError> + Sync),
    options: &SweepOptions<'_>,
) -> Result<Vec<ErrorReport>, VerifyError> {
    sweep_margin(truth, domain, programs, engines, options, 1.0)
}

/// The sweep with its margin scaled: anything but 1 breaks the guarantee, which a test shows.
fn sweep_margin<T: Truth>(
    truth: &T,
    domain: &FloatDomain,
    programs: &[Program],
    engines: &(dyn Fn(&Program) -> Result<Box<dyn Engine>, EngineError> + Sync),
    options: &SweepOptions<'_>,
    margin: f64,
) -> Result<Vec<ErrorReport>, VerifyError> {
    check_variables(truth)?;
    let params = programs.iter().map(|p| unary(p, Type::F32)).collect::<Result<Vec<_>, _>>()?;
    let total = domain.count();
    let chunk = chunk_len(total);
    let mut sums: Vec<Tally> = programs.iter().map(|_| Tally::new()).collect();
    let mut tops: Vec<Vec<Worst>> = programs.iter().map(|_| Vec::new()).collect();
    let mut done = 0;
    let (cancel, progress) = (options.cancel, options.progress);
    let cancelled = || cancel.is_some_and(|c| c.load(Ordering::Relaxed));
    let init = || {
        let engines = programs.iter().map(|p| engines(p).map_err(|e| VerifyError::engine(p, e)));
        Ok(Worker { engines: engines.collect::<Result<Vec<_>, _>>()?, block: RefBlock::new(), work: Work::new() })
    };
    let work = |worker: &mut Worker<T::Scratch>, piece: u64| {
        let start = piece * chunk;
        let len = chunk.min(total - start);
        if cancelled() {
            return Err(VerifyError::Cancelled { done: 0, total });
        }
        sweep_chunk(truth, domain, programs, &params, worker, start, len, margin)
    };
    let take = |piece: u64, tallies: Vec<Tally>| {
        for ((sum, tally), top) in sums.iter_mut().zip(tallies).zip(&mut tops) {
            top.extend(tally.worst);
            sum.merge(tally, &mut Exact { truth, domain });
        }
        done = total.min((piece + 1) * chunk);
        if let Some(progress) = progress {
            progress(done, total);
        }
        true
    };
    match in_order(options.threads, total.div_ceil(chunk), init, work, take) {
        Err(VerifyError::Cancelled { .. }) => return Err(VerifyError::Cancelled { done, total }),
        other => other?,
    }
    let mut engines = init()?.engines;
    programs
        .iter()
        .zip(sums)
        .zip(tops)
        .enumerate()
        .map(|(i, ((program, sum), top))| report(truth, domain, program, &params[i], &mut *engines[i], sum, &top))
        .collect()
}

/// Whole blocks, at least a thousand chunks where the domain is large enough.
fn chunk_len(total: u64) -> u64 {
    (total / (4 * STRETCHES)).next_multiple_of(BLOCK as u64).clamp(BLOCK as u64, MAX_CHUNK)
}

struct Worker<S> {
    engines: Vec<Box<dyn Engine>>,
    block: RefBlock<S>,
    work: Work,
}

/// The worst input of a chunk as the fast figures show it.
#[derive(Clone, Copy)]
struct Worst {
    index: u64,
    ulp: f64,
}

/// Exact figures on request.
struct Exact<'a, T> {
    truth: &'a T,
    domain: &'a FloatDomain,
}

impl<T: Truth> Exact<'_, T> {
    fn at(&self, c: &Candidate) -> PointError {
        self.truth.errors(f64::from(self.domain.get(c.index)), c.computed)
    }
}

/// Figures of one program over a stretch of the domain.
struct Tally {
    ulp: Tracker,
    rel: Tracker,
    abs: Tracker,
    sum_ulp: f64,
    wrong: u64,
    wrong_class: u64,
    settled: u64,
    checksum: u64,
    histogram: Histogram,
    worst: Option<Worst>,
}

impl Tally {
    fn new() -> Self {
        Tally {
            ulp: Tracker::default(),
            rel: Tracker::default(),
            abs: Tracker::default(),
            sum_ulp: 0.0,
            wrong: 0,
            wrong_class: 0,
            settled: 0,
            checksum: 0,
            histogram: Histogram::new(),
            worst: None,
        }
    }

    fn merge<T: Truth>(&mut self, later: Tally, exact: &mut Exact<'_, T>) {
        self.ulp.merge(&later.ulp, &mut |c| exact.at(c).ulp);
        self.rel.merge(&later.rel, &mut |c| exact.at(c).rel);
        self.abs.merge(&later.abs, &mut |c| exact.at(c).abs);
        self.sum_ulp += later.sum_ulp;
        self.wrong += later.wrong;
        self.wrong_class += later.wrong_class;
        self.settled += later.settled;
        self.checksum = self.checksum.wrapping_add(later.checksum);
        for (a, b) in self.histogram.counts.iter_mut().zip(later.histogram.counts) {
            *a += b;
        }
    }

    fn raise(&mut self, index: u64, ulp: f64) {
        if self.worst.is_none_or(|w| ulp > w.ulp) {
            self.worst = Some(Worst { index, ulp });
        }
    }
}

/// Whether two results count as the same rounded value: equal, or both NaN.
fn same(a: f32, b: f32) -> bool {
    a == b || (a.is_nan() && b.is_nan())
}

#[expect(clippy::too_many_arguments, reason = "the parts of a sweep, passed once")]
fn sweep_chunk<T: Truth>(
    truth: &T,
    domain: &FloatDomain,
    programs: &[Program],
    params: &[Vec<Literal>],
    worker: &mut Worker<T::Scratch>,
    start: u64,
    len: u64,
    margin: f64,
) -> Result<Vec<Tally>, VerifyError> {
    let mut tallies: Vec<Tally> = programs.iter().map(|_| Tally::new()).collect();
    let mut c = [0f32; BLOCK];
    let mut at = 0;
    while at < len {
        let n = (len - at).min(BLOCK as u64) as usize;
        let block = &mut worker.block;
        domain.fill(start + at, &mut block.x[..n]);
        let judged = block.load(truth, n, margin);
        for (i, tally) in tallies.iter_mut().enumerate() {
            worker.engines[i]
                .run(&params[i], &[ColumnRef::F32(&block.x[..n])], &mut [ColumnMut::F32(&mut c[..n])])
                .map_err(|e| VerifyError::engine(&programs[i], e))?;
            tally.settled += judged;
            // Slow lanes are rare: keep their results before the fast loops overwrite them.
            let slow: Vec<f32> = block.slow.iter().map(|s| c[usize::from(s.lane)]).collect();
            let outcome = judge(block, &mut c, &mut worker.work, &mut tally.histogram);
            let apart = lanes_apart(truth, block, &slow, &outcome, tally);
            account(truth, block, &worker.work, &c, start + at, &outcome, &apart, tally);
        }
        at += n as u64;
    }
    Ok(tallies)
}

/// A lane that the fast loops did not judge, with its exact figures.
struct Apart {
    lane: usize,
    computed: f32,
    error: PointError,
}

/// Judges slow and odd lanes exactly, in ascending order.
fn lanes_apart<T: Truth>(
    truth: &T,
    block: &RefBlock<T::Scratch>,
    slow: &[f32],
    outcome: &Outcome,
    tally: &mut Tally,
) -> Vec<Apart> {
    if block.slow.is_empty() && outcome.odd.is_empty() {
        return Vec::new();
    }
    let mut apart = Vec::with_capacity(block.slow.len() + outcome.odd.len());
    for (s, &computed) in block.slow.iter().zip(slow) {
        let right = same(computed, s.rounded);
        // An infinite or undefined reference that the result agrees with leaves nothing to measure.
        let error = if right && !s.rounded.is_finite() {
            PointError::NONE
        } else {
            tally.settled += 1;
            truth.errors(f64::from(block.x[usize::from(s.lane)]), computed)
        };
        tally.wrong += u64::from(!right);
        tally.histogram.counts[Histogram::bin(error.ulp)] += 1;
        if error.ulp.is_finite() {
            tally.sum_ulp += error.ulp;
        } else {
            tally.wrong_class += 1;
        }
        apart.push(Apart { lane: usize::from(s.lane), computed, error });
    }
    for &lane in &outcome.odd {
        let lane = usize::from(lane);
        tally.wrong += 1;
        tally.wrong_class += 1;
        tally.histogram.counts[Histogram::BINS - 1] += 1;
        // Which of NaN and the infinities it was does not matter: each is of the wrong class.
        apart.push(Apart { lane, computed: f32::NAN, error: PointError::WRONG_CLASS });
    }
    apart.sort_by_key(|a| a.lane);
    apart
}

/// Adds a block's outcome to a tally.
#[expect(clippy::too_many_arguments, reason = "the parts of a block, passed once")]
fn account<T: Truth>(
    truth: &T,
    block: &RefBlock<T::Scratch>,
    work: &Work,
    c: &[f32],
    start: u64,
    outcome: &Outcome,
    apart: &[Apart],
    tally: &mut Tally,
) {
    tally.checksum = tally.checksum.wrapping_add(outcome.checksum);
    tally.sum_ulp += outcome.sum_u;
    tally.wrong += outcome.wrong;
    let x = |k: &Candidate| f64::from(block.x[(k.index - start) as usize]);
    let top = |fast: f64, pick: fn(&PointError) -> f64| apart.iter().map(|a| pick(&a.error)).fold(fast, f64::max);
    let scan = |tracker: &mut Tracker, pick: fn(&PointError) -> f64, interval: &dyn Fn(usize, f32) -> (f64, f64)| {
        let mut rest = apart.iter().peekable();
        for lane in 0..block.len {
            let (lower, upper, computed) = match rest.next_if(|a| a.lane == lane) {
                Some(a) => (pick(&a.error), pick(&a.error), a.computed),
                None => {
                    let (lower, upper) = interval(lane, c[lane]);
                    (lower, upper, c[lane])
                }
            };
            let k = Candidate { lower, upper, index: start + lane as u64, computed };
            tracker.offer(k, &mut |k| pick(&truth.errors(x(k), k.computed)));
        }
    };
    if top(outcome.top_ulp, |e| e.ulp) > tally.ulp.bar() {
        scan(&mut tally.ulp, |e| e.ulp, &|lane, c| block.ulp_interval(lane, c));
    }
    if top(outcome.top_rel, |e| e.rel) > tally.rel.bar() {
        scan(&mut tally.rel, |e| e.rel, &|lane, c| block.rel_interval(lane, c));
    }
    if top(outcome.top_abs, |e| e.abs) > tally.abs.bar() {
        scan(&mut tally.abs, |e| e.abs, &|lane, c| block.abs_interval(lane, c));
    }
    if tally.worst.is_none_or(|w| outcome.max_u > w.ulp) {
        // The first lane that attains the maximum; odd lanes hold a stand-in and are raised below.
        if let Some(lane) = (0..block.len).find(|&l| work.ulps[l] == outcome.max_u) {
            tally.raise(start + lane as u64, outcome.max_u);
        }
    }
    for a in apart {
        tally.raise(start + a.lane as u64, a.error.ulp);
    }
}

fn report<T: Truth>(
    truth: &T,
    domain: &FloatDomain,
    program: &Program,
    params: &[Literal],
    engine: &mut dyn Engine,
    mut sum: Tally,
    tops: &[Worst],
) -> Result<ErrorReport, VerifyError> {
    let exact = Exact { truth, domain };
    let mut run = |xs: &[f32]| -> Result<Vec<f32>, VerifyError> {
        let mut out = vec![0f32; xs.len()];
        engine
            .run(params, &[ColumnRef::F32(xs)], &mut [ColumnMut::F32(&mut out)])
            .map_err(|e| VerifyError::engine(program, e))?;
        Ok(out)
    };
    let settled = sum.settled + (sum.ulp.len() + sum.rel.len() + sum.abs.len()) as u64;
    let found = [
        sum.ulp.settle(&mut |c| exact.at(c).ulp),
        sum.rel.settle(&mut |c| exact.at(c).rel),
        sum.abs.settle(&mut |c| exact.at(c).abs),
    ]
    .map(|c| c.expect("a domain has at least one input"));
    let worst_inputs = found.map(|c| domain.get(c.index));
    let outputs = run(&worst_inputs)?;
    let extreme = |i: usize| Extreme {
        value: found[i].lower,
        input: worst_inputs[i],
        input_hex: hex(f64::from(worst_inputs[i])),
        output_hex: hex(f64::from(outputs[i])),
    };

    let specials = domain.specials();
    let got = run(&specials)?;
    let specials = specials.iter().zip(got).map(|(&x, got)| special(truth, x, got)).collect();

    // The worst chunk of each stretch, then the exact maximum in front.
    let chunk = chunk_len(domain.count());
    let stretch = domain.count().div_ceil(STRETCHES).next_multiple_of(chunk);
    let mut picked: Vec<Worst> = Vec::new();
    for &w in tops {
        match picked.last_mut() {
            Some(last) if last.index / stretch == w.index / stretch => {
                if w.ulp > last.ulp {
                    *last = w;
                }
            }
            _ => picked.push(w),
        }
    }
    picked.retain(|w| w.index != found[0].index);
    picked.push(Worst { index: found[0].index, ulp: f64::INFINITY });
    let xs: Vec<f32> = picked.iter().map(|w| domain.get(w.index)).collect();
    let outputs = run(&xs)?;
    let mut adversarial: Vec<WorstPoint> = xs.iter().zip(outputs).map(|(&x, c)| worst_point(truth, x, c)).collect();
    // Worst first; equal errors by input; the maximum was pushed last and must stay in front of its equals.
    let first = adversarial.pop().expect("the maximum was pushed");
    adversarial.sort_by(|a, b| b.ulp.total_cmp(&a.ulp).then(a.x().total_cmp(&b.x())));
    adversarial.insert(0, first);

    let regular = domain.count() - sum.wrong_class;
    Ok(ErrorReport {
        coverage: Coverage::Exhaustive,
        inputs: domain.count(),
        seed: None,
        lo: domain.lo(),
        hi: domain.hi(),
        max_ulp: extreme(0),
        max_rel: extreme(1),
        max_abs: extreme(2),
        mean_ulp: if regular == 0 { 0.0 } else { sum.sum_ulp / regular as f64 },
        not_correctly_rounded: sum.wrong,
        wrong_class: sum.wrong_class,
        histogram: sum.histogram,
        checksum: sum.checksum,
        specials,
        adversarial,
        settled,
    })
}

fn worst_point<T: Truth>(truth: &T, x: f32, c: f32) -> WorstPoint {
    let (y_hi, y_lo) = truth.value_dd(f64::from(x));
    WorstPoint {
        x_bits: x.to_bits(),
        output_bits: checksum::canonical_bits(c),
        rounded_bits: checksum::canonical_bits(truth.round_f32(f64::from(x))),
        y_hi,
        y_lo,
        ulp: truth.errors(f64::from(x), c).ulp,
    }
}

fn special<T: Truth>(truth: &T, x: f32, got: f32) -> SpecialCheck {
    let expected = truth.round_f32(f64::from(x));
    let same_class = match (expected, got) {
        (e, g) if e.is_nan() || g.is_nan() => e.is_nan() && g.is_nan(),
        (e, g) if e.is_infinite() || g.is_infinite() => e == g,
        (e, g) if e == 0.0 || g == 0.0 => true,
        (e, g) => e.is_sign_negative() == g.is_sign_negative(),
    };
    let both_zero = expected == 0.0 && got == 0.0;
    let error = if same(expected, got) && !expected.is_finite() {
        PointError::NONE
    } else if x.is_nan() || !same_class {
        PointError::WRONG_CLASS
    } else {
        truth.errors(f64::from(x), got)
    };
    SpecialCheck {
        input: if x.is_nan() {
            "nan".to_owned()
        } else if x == 0.0 {
            "-0".to_owned()
        } else {
            hex(f64::from(x))
        },
        x_bits: checksum::canonical_bits(x),
        expected_bits: checksum::canonical_bits(expected),
        got_bits: checksum::canonical_bits(got),
        same_class,
        same_zero_sign: !both_zero || expected.is_sign_negative() == got.is_sign_negative(),
        ulp: error.ulp,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::truth::inverse_ulp;

    /// `x^2`, which doubles hold exactly, given out with an error inside a stated bound.
    struct Square {
        /// Bound as a fraction of the value; the given value is off by up to 9/10 of it, differently for each input.
        bound: f64,
    }

    impl Truth for Square {
        type Scratch = ();
        fn fast_block(&self, xs: &[f64], ys: &mut [f64], errs: &mut [f64], (): &mut ()) {
            for (i, &x) in xs.iter().enumerate() {
                let noise = (checksum::mix64(x.to_bits()) >> 11) as f64 / (1u64 << 52) as f64 - 1.0;
                ys[i] = x * x * (1.0 + 0.9 * self.bound * noise);
                errs[i] = x * x * self.bound;
            }
        }
        fn round_f32(&self, x: f64) -> f32 {
            (x * x) as f32
        }
        fn errors(&self, x: f64, c: f32) -> PointError {
            let (y, c) = (x * x, f64::from(c));
            if (y as f32).is_infinite() || !c.is_finite() {
                return if y as f32 == c as f32 { PointError::NONE } else { PointError::WRONG_CLASS };
            }
            let d = (c - y).abs();
            PointError { ulp: d * inverse_ulp(y), rel: if d == 0.0 { 0.0 } else { d / y }, abs: d }
        }
        fn value_dd(&self, x: f64) -> (f64, f64) {
            (x * x, 0.0)
        }
    }

    struct Plain(fn(f32) -> f32);

    impl Engine for Plain {
        fn run(&mut self, _: &[Literal], x: &[ColumnRef<'_>], y: &mut [ColumnMut<'_>]) -> Result<(), EngineError> {
            let (ColumnRef::F32(x), ColumnMut::F32(y)) = (x[0], &mut y[0]) else {
                return Err(EngineError::Signature("f32 columns".into()));
            };
            for (y, x) in y.iter_mut().zip(x) {
                *y = (self.0)(*x);
            }
            Ok(())
        }
    }

    fn program() -> Program {
        let mut p = Program::new("test");
        let x = p.input("x", Type::F32);
        p.output(x);
        p
    }

    fn run(truth: &Square, lo: f32, hi: f32, f: fn(f32) -> f32, threads: usize, margin: f64) -> ErrorReport {
        let domain = FloatDomain::new(lo, hi).unwrap();
        let options = SweepOptions { threads, ..SweepOptions::default() };
        sweep_margin(truth, &domain, &[program()], &|_| Ok(Box::new(Plain(f))), &options, margin).unwrap().remove(0)
    }

    /// The same figures the plain way: one input after another, exact values only.
    fn slow(truth: &Square, lo: f32, hi: f32, f: fn(f32) -> f32) -> ([(f64, f32); 3], u64, u64) {
        let domain = FloatDomain::new(lo, hi).unwrap();
        let (mut best, mut wrong, mut sum) = ([(-1.0, 0.0f32); 3], 0, 0u64);
        for i in 0..domain.count() {
            let x = domain.get(i);
            let c = f(x);
            let e = truth.errors(f64::from(x), c);
            for (b, v) in best.iter_mut().zip([e.ulp, e.rel, e.abs]) {
                if v > b.0 {
                    *b = (v, x);
                }
            }
            wrong += u64::from(!same(c, truth.round_f32(f64::from(x))));
            sum = sum.wrapping_add(checksum::term(x, c));
        }
        (best, wrong, sum)
    }

    fn agree(truth: &Square, lo: f32, hi: f32, f: fn(f32) -> f32) {
        let got = run(truth, lo, hi, f, 2, 1.0);
        let (best, wrong, sum) = slow(truth, lo, hi, f);
        for (e, b) in [&got.max_ulp, &got.max_rel, &got.max_abs].into_iter().zip(best) {
            assert_eq!((e.value, e.input), b, "{lo:e}..{hi:e}");
        }
        assert_eq!(got.not_correctly_rounded, wrong);
        assert_eq!(got.checksum, sum);
        assert_eq!(got.histogram.counts.iter().sum::<u64>(), got.inputs);
        assert_eq!(got.adversarial[0].x(), got.max_ulp.input);
        assert_eq!(got, run(truth, lo, hi, f, 1, 1.0), "threads do not matter");
    }

    #[test]
    fn agrees_with_one_input_at_a_time() {
        for bound in [0.0, 1e-16, 5e-13, 1e-11] {
            let t = Square { bound };
            agree(&t, 1.0, 1.0 + 3e-2, |x| x * x);
            agree(&t, 0.999, 1.001, |x| (x * x) * 1.000_000_1);
            agree(&t, -0.25, -0.249, |x| 0.062_25 - x * 0.0001);
            // Zero, subnormal and underflowing values; a result that is always zero: relative error 1, first input.
            agree(&t, -1e-41, 1e-41, |x| x * x);
            agree(&t, 1.1e-21, 1.101e-21, |_| 0.0);
            // Overflow: infinity is right above 2^64, wrong below.
            agree(&t, 1.844_67e19, 1.844_68e19, |x| x * x);
            agree(&t, 1.844_67e19, 1.844_68e19, |_| f32::INFINITY);
            agree(&t, 1.844_67e19, 1.844_68e19, |_| f32::MAX);
            agree(&t, 1.0, 1.0001, |x| if x > 1.000_05 { f32::NAN } else { x });
        }
    }

    #[test]
    fn without_its_margin_a_sweep_names_the_wrong_input() {
        // Correct rounding: among 1.6 million inputs several errors lie closer to 1/2 ULP than the given values tell.
        let t = Square { bound: 5e-13 };
        let f = |x: f32| x * x;
        let (lo, hi) = (1.0, 1.2);
        let (best, wrong, _) = slow(&t, lo, hi, f);
        let right = run(&t, lo, hi, f, 1, 1.0);
        assert_eq!((right.max_ulp.value, right.max_ulp.input), best[0]);
        assert_eq!(right.not_correctly_rounded, wrong);
        let narrowed = run(&t, lo, hi, f, 1, 0.0);
        assert_ne!(narrowed.max_ulp.input, best[0].1, "the planted case no longer shows what the margin is for");
    }

    #[test]
    fn specials_are_classed() {
        let t = Square { bound: 0.0 };
        let whole = FloatDomain::new(-0.0, 1e-44).unwrap();
        let f: fn(f32) -> f32 = |x| x;
        let r = sweep_with(&t, &whole, &[program()], &|_| Ok(Box::new(Plain(f))), &SweepOptions::default()).unwrap();
        let s = &r[0].specials[0];
        assert_eq!((s.input.as_str(), s.same_class, s.same_zero_sign), ("-0", true, false));
        assert!(!r[0].specials_agree());
    }

    #[test]
    fn refusals_and_cancelling() {
        let t = Square { bound: 0.0 };
        let d = FloatDomain::new(1.0, 2.0).unwrap();
        let mut p = Program::new("two");
        let x = p.input("x", Type::F32);
        p.input("y", Type::F32);
        p.output(x);
        let f: fn(f32) -> f32 = |x| x;
        let engines = |_: &Program| -> Result<Box<dyn Engine>, EngineError> { Ok(Box::new(Plain(f))) };
        assert!(matches!(
            sweep_with(&t, &d, &[p], &engines, &SweepOptions::default()),
            Err(VerifyError::Signature { .. })
        ));
        let refuse = |_: &Program| Err(EngineError::Unsupported { engine: "test engine", what: "anything".into() });
        assert!(matches!(
            sweep_with(&t, &d, &[program()], &refuse, &SweepOptions::default()),
            Err(VerifyError::Engine { .. })
        ));
        let cancel = AtomicBool::new(false);
        let progress = |done: u64, total: u64| {
            assert!(done <= total);
            cancel.store(true, Ordering::Relaxed);
        };
        let options = SweepOptions { threads: 2, progress: Some(&progress), cancel: Some(&cancel) };
        match sweep_with(&t, &d, &[program()], &engines, &options) {
            Err(VerifyError::Cancelled { done, total }) => assert!(done > 0 && done < total),
            other => panic!("{other:?}"),
        }
    }
}
