//! The measurement against a naive one: MPFR at 200 bits, one input after another, nothing shared with the fast path.
//!
//! `cargo run --release -p mathsmith-verify --example naive -- [log2 of the inputs in each place] [threads]`; 24 takes some
//! ten minutes of two cores. In each place two subjects are measured: one whose results are the naive sweep's own correctly
//! rounded values, of which [`inspect`] must find every one correctly rounded, so the two agree on each single input; and
//! one of mediocre accuracy (the argument and the result lose bits), whose greatest errors, first worst inputs and counts
//! must be the naive sweep's.

use mathsmith_ir::{ColumnMut, ColumnRef, Engine, EngineError, Literal};
use mathsmith_oracle::Reference;
use mathsmith_verify::domain::{from_key, key};
use mathsmith_verify::{FloatDomain, Inspection, Subject, SweepOptions, inspect};
use rug::Float;
use rug::float::Round;
use std::process::ExitCode;
use std::sync::Arc;

/// Bits of the naive values.
const BITS: u32 = 200;

/// A function of MPFR by itself.
type Function = fn(Float) -> Float;

/// Where the two are compared: a name, the function, and the first input as a distance from a float.
const PLACES: &[(&str, &str, Function, f32, Start)] = &[
    ("zero and subnormal inputs of both signs", "exp(x)", Float::exp, 0.0, Start::Centre),
    ("the end of the range above", "exp(x)", Float::exp, 88.8, Start::Last),
    ("the end of the range below, subnormal results", "exp(x)", Float::exp, -104.5, Start::First),
    ("subnormal results", "exp2(x)", Float::exp2, -149.5, Start::First),
    ("around the zero of the function", "log(x)", Float::ln, 1.0, Start::Centre),
    ("the end of the format", "log(x)", Float::ln, f32::MAX, Start::Last),
    ("from zero over the subnormal inputs", "log2(x)", Float::log2, 0.0, Start::First),
    ("around a zero of the function", "sin(x)", Float::sin, std::f32::consts::PI, Start::Centre),
    ("the end of the format", "sin(x)", Float::sin, f32::MAX, Start::Last),
    ("around a zero of the function", "cos(x)", Float::cos, std::f32::consts::FRAC_PI_2, Start::Centre),
    ("zero and subnormal results of both signs", "tanh(x)", Float::tanh, 0.0, Start::Centre),
    ("where it saturates", "erf(x)", Float::erf, 4.0, Start::Last),
];

/// Which input of a place is given.
#[derive(Clone, Copy)]
enum Start {
    First,
    Centre,
    Last,
}

/// Results looked up by position: a subject without arithmetic of its own.
struct Listed {
    first: i64,
    results: Arc<Vec<f32>>,
}

impl Engine for Listed {
    fn run(&mut self, _: &[Literal], x: &[ColumnRef<'_>], y: &mut [ColumnMut<'_>]) -> Result<(), EngineError> {
        let (ColumnRef::F32(x), ColumnMut::F32(y)) = (x[0], &mut y[0]) else {
            return Err(EngineError::Signature("f32 columns".into()));
        };
        for (y, &x) in y.iter_mut().zip(x) {
            *y = self.results[(key(x) - self.first) as usize];
        }
        Ok(())
    }
}

/// What the naive sweep finds of one subject.
#[derive(Clone, Copy)]
struct Naive {
    /// Greatest errors in ULP, relative and absolute, with their first inputs.
    worst: [(f64, f32); 3],
    wrong: u64,
}

/// Errors of a finite result against a finite value.
fn errors(y: &Float, c: f32) -> [f64; 3] {
    let d = Float::with_val(300, y - c).abs();
    let e = y.get_exp().map_or(-126, |e| (e - 1).clamp(-126, 127));
    let ulp = Float::with_val(300, &d << (23 - e)).to_f64();
    let rel = if d.is_zero() { 0.0 } else { Float::with_val(300, &d / y).abs().to_f64() };
    [ulp, rel, d.to_f64()]
}

/// A mediocre implementation: MPFR's value at 26 bits of an argument cut to 22 bits.
fn mediocre(f: Function, x: f32) -> f32 {
    f(Float::with_val(22, x)).to_f32_round(Round::Nearest)
}

/// One stretch, one input after another.
fn sweep(f: Function, first: i64, count: usize) -> (Vec<f32>, Vec<f32>, Naive) {
    let (mut right, mut poor) = (Vec::with_capacity(count), Vec::with_capacity(count));
    let mut naive = Naive { worst: [(-1.0, 0.0); 3], wrong: 0 };
    for k in 0..count {
        let x = from_key(first + k as i64);
        let y = f(Float::with_val(BITS, x));
        let rounded = y.to_f32_round(Round::Nearest);
        let c = mediocre(f, x);
        let same = c == rounded || (c.is_nan() && rounded.is_nan());
        naive.wrong += u64::from(!same);
        let found = match (rounded.is_finite(), c.is_finite()) {
            (true, true) => errors(&y, c),
            _ if same => [0.0; 3],
            _ => [f64::INFINITY; 3],
        };
        for (worst, e) in naive.worst.iter_mut().zip(found) {
            if e > worst.0 {
                *worst = (e, x);
            }
        }
        right.push(rounded);
        poor.push(c);
    }
    (right, poor, naive)
}

/// The whole of a place on several threads.
fn sweep_all(f: Function, first: i64, count: usize, threads: usize) -> (Vec<f32>, Vec<f32>, Naive) {
    let part = count.div_ceil(threads);
    let parts: Vec<_> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..count)
            .step_by(part)
            .map(|at| scope.spawn(move || sweep(f, first + at as i64, part.min(count - at))))
            .collect();
        workers.into_iter().map(|w| w.join().expect("a worker does not panic")).collect()
    });
    let mut parts = parts.into_iter();
    let (mut right, mut poor, mut naive) = parts.next().expect("one part at least");
    for (r, p, n) in parts {
        right.extend(r);
        poor.extend(p);
        naive.wrong += n.wrong;
        for (worst, e) in naive.worst.iter_mut().zip(n.worst) {
            if e.0 > worst.0 {
                *worst = e;
            }
        }
    }
    (right, poor, naive)
}

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1).map(|a| a.parse::<usize>().expect("a number"));
    let count = 1usize << args.next().unwrap_or(16);
    let threads = args.next().unwrap_or(2);
    let mut bad = 0;
    for &(place, text, f, x, start) in PLACES {
        let first = match start {
            Start::First => key(x),
            Start::Centre => key(x) - count as i64 / 2,
            Start::Last => key(x) - count as i64 + 1,
        };
        let domain = FloatDomain::new(from_key(first), from_key(first + count as i64 - 1)).expect("a domain");
        let (right, poor, naive) = sweep_all(f, first, count, threads);
        let reference = Reference::new(&mathsmith_dsl::parse_expr(text).expect("parses")).expect("compiles");
        let subject = |name: &str, results: Vec<f32>| {
            let results = Arc::new(results);
            Subject::new(name, move || Ok(Box::new(Listed { first, results: results.clone() }) as Box<dyn Engine>))
        };
        let subjects = [subject("correctly rounded", right), subject("mediocre", poor)];
        let options = SweepOptions { threads, ..SweepOptions::default() };
        let found = inspect(&reference, &domain, &subjects, &Inspection::default(), &options).expect("measures");
        let found: Vec<_> = found.into_iter().map(|m| m.expect("a table does not fail")).collect();
        let differ = found[0].not_correctly_rounded;
        let peaks = [&found[1].max_ulp, &found[1].max_rel, &found[1].max_abs];
        let hex = |x: f32| mathsmith_verify::report::hex(f64::from(x));
        let same = found[1].not_correctly_rounded == naive.wrong
            && peaks.iter().zip(naive.worst).all(|(p, (e, x))| p.value == e && p.x == [hex(x)]);
        bad += u64::from(differ != 0 || !same);
        println!(
            "{text:8} {place}: {count} inputs from {}, {differ} differ; mediocre: {:.6} ULP at {}, {} not correctly rounded, {}",
            hex(domain.lo()),
            naive.worst[0].0,
            hex(naive.worst[0].1),
            naive.wrong,
            if same { "the same figures" } else { "OTHER FIGURES" }
        );
        if !same {
            println!(
                "  naive {:?} {}, measured {peaks:?} {}",
                naive.worst, naive.wrong, found[1].not_correctly_rounded
            );
        }
    }
    if bad == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
