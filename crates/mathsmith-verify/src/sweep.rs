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

use crate::block::BLOCK;
use crate::conclude::report;
use crate::error::{check_variables, unary};
use crate::report::ErrorReport;
use crate::tally::{High, Job, Sweep, Tally, Worker, sweep_chunk};
use crate::truth::Truth;
use crate::workers::in_order;
use crate::{FloatDomain, VerifyError};
use mathsmith_ir::{Engine, EngineError, Program, Type};
use std::sync::atomic::{AtomicBool, Ordering};

/// Makes the engine that runs a program; called once a thread and program.
pub type EngineMaker<'a> = dyn Fn(&Program) -> Result<Box<dyn Engine>, EngineError> + Sync + 'a;

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
pub(crate) const STRETCHES: u64 = 256;
/// Longest chunk.
const MAX_CHUNK: u64 = 1 << 18;
/// Blocks of the first look.
const FIRST_LOOK: u64 = 512;

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
    engines: &EngineMaker<'_>,
    options: &SweepOptions<'_>,
) -> Result<Vec<ErrorReport>, VerifyError> {
    sweep_margin(truth, domain, programs, engines, options, 1.0)
}

/// The sweep with its margin scaled: anything but 1 breaks the guarantee, which a test shows.
fn sweep_margin<T: Truth>(
    truth: &T,
    domain: &FloatDomain,
    programs: &[Program],
    engines: &EngineMaker<'_>,
    options: &SweepOptions<'_>,
    margin: f64,
) -> Result<Vec<ErrorReport>, VerifyError> {
    check_variables(truth)?;
    let params = programs.iter().map(|p| unary(p, Type::F32)).collect::<Result<Vec<_>, _>>()?;
    let total = domain.count();
    let chunk = chunk_len(total);
    let (cancel, progress) = (options.cancel, options.progress);
    let cancelled = || cancel.is_some_and(|c| c.load(Ordering::Relaxed));
    let init = || {
        let engines = programs.iter().map(|p| engines(p).map_err(|e| VerifyError::engine(p, e)));
        Ok(Worker::new(engines.collect::<Result<Vec<_>, _>>()?))
    };
    let floors = vec![[f64::NEG_INFINITY; 3]; programs.len()];
    let job = Job { truth, domain, margin, strict: false };
    let mut sweep = Sweep { job, programs, params: &params, floors };

    // A first look at blocks spread over the domain: errors attained there spare most of it a closer look.
    let blocks = total.div_ceil(BLOCK as u64);
    let looks = blocks.min(FIRST_LOOK);
    let mut floors = sweep.floors.clone();
    let look = |worker: &mut Worker<T::Scratch>, i: u64| {
        if cancelled() {
            return Err(VerifyError::Cancelled { done: 0, total });
        }
        let start = (u128::from(i) * u128::from(blocks) / u128::from(looks)) as u64 * BLOCK as u64;
        sweep_chunk(&sweep, worker, start, (total - start).min(BLOCK as u64))
    };
    let learn = |_, tallies: Vec<Tally>| {
        for (floor, tally) in floors.iter_mut().zip(tallies) {
            for (floor, top) in floor.iter_mut().zip(&tally.tops) {
                *floor = floor.max(top.bar());
            }
        }
        true
    };
    in_order(options.threads, looks, init, look, learn)?;
    sweep.floors = floors;

    let mut sums: Vec<Tally> = sweep.floors.iter().map(|&f| Tally::new(f)).collect();
    let mut high: Vec<Vec<High>> = programs.iter().map(|_| Vec::new()).collect();
    let mut done = 0;
    let work = |worker: &mut Worker<T::Scratch>, piece: u64| {
        if cancelled() {
            return Err(VerifyError::Cancelled { done: 0, total });
        }
        let start = piece * chunk;
        sweep_chunk(&sweep, worker, start, chunk.min(total - start))
    };
    let take = |piece: u64, tallies: Vec<Tally>| {
        for ((sum, tally), high) in sums.iter_mut().zip(tallies).zip(&mut high) {
            high.extend(tally.high);
            sum.merge(tally, &sweep.job);
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
    sums.into_iter()
        .zip(high)
        .enumerate()
        .map(|(i, (sum, high))| report(&sweep, i, &mut *engines[i], sum, &high))
        .collect()
}

/// Whole blocks, at least a thousand chunks where the domain is large enough.
pub(crate) fn chunk_len(total: u64) -> u64 {
    (total / (4 * STRETCHES)).next_multiple_of(BLOCK as u64).clamp(BLOCK as u64, MAX_CHUNK)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum;
    use crate::tally::same;
    use crate::truth::PointError;
    use crate::truth::inverse_ulp;
    use mathsmith_ir::{ColumnMut, ColumnRef, Literal};

    /// `x^2`, which doubles hold exactly, given out with an error inside a stated bound.
    struct Square {
        /// Bound as a fraction of the value; the given value is off by up to 9/10 of it, differently for each input.
        bound: f64,
    }

    impl Truth for Square {
        type Scratch = ();
        type Grid = crate::grid::Single;
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
