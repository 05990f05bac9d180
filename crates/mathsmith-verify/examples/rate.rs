//! Inputs a second of an exhaustive sweep, for several functions: with polynomials over neighbouring inputs
//! ([`Reference::fast_run`]), and with one evaluation an input ([`Reference::fast_block`]).
//!
//! `cargo run --release -p mathsmith-verify --example rate -- [log2 of the most inputs] [threads] [programs]`. On a busy
//! machine read the processor time (`perf stat`) rather than the clock.

use mathsmith_ir::{Literal, Op, Program, Type};
use mathsmith_oracle::{Reference, Scratch};
use mathsmith_verify::grid::Single;
use mathsmith_verify::{FloatDomain, PointError, SweepOptions, Truth, sweep};
use std::time::Instant;

/// Functions with a stretch of inputs on which they are of interest.
const CASES: &[(&str, f32, f32)] = &[
    ("exp2(x)", 0.0, 1.0),
    ("exp(x)", -10.0, 10.0),
    ("sin(x)", 0.0, 100.0),
    ("cos(x)", 0.0, 100.0),
    ("tanh(x)", -10.0, 10.0),
    ("erf(x)", -4.0, 4.0),
    ("log2(x)", 0.001, 1000.0),
    ("atan(x)", -100.0, 100.0),
    ("cbrt(x)", 0.001, 1000.0),
    ("lgamma(x)", 0.1, 30.0),
    ("x*0.5*(1+erf(x/sqrt(2)))", -8.0, 8.0),
    ("1/(1+exp(-x))", -20.0, 20.0),
    ("sin(x)/x", 0.0, 1.0),
    ("log(1+exp(x))", -20.0, 20.0),
];

/// The reference without its polynomials.
struct Direct(Reference);

impl Truth for Direct {
    type Scratch = Scratch;
    type Grid = Single;

    fn fast_block(&self, xs: &[f64], ys: &mut [f64], errs: &mut [f64], scratch: &mut Scratch) {
        self.0.fast_block(&[xs], ys, errs, scratch);
    }

    fn round_f32(&self, x: f64) -> f32 {
        Truth::round_f32(&self.0, x)
    }

    fn errors(&self, x: f64, computed: f32) -> PointError {
        Truth::errors(&self.0, x, computed)
    }

    fn errors_bound(&self, lo: f64, hi: f64, computed: f32) -> PointError {
        Truth::errors_bound(&self.0, lo, hi, computed)
    }

    fn value_dd(&self, x: f64) -> (f64, f64) {
        Truth::value_dd(&self.0, x)
    }
}

fn program(last: f32) -> Program {
    let mut p = Program::new("polynomial");
    let x = p.input("x", Type::F32);
    let mut y = p.lit(Literal::F32(0.001_877_576_7));
    for c in [0.008_989_341, 0.055_826_318, 0.240_153_62, 0.693_153_1, last] {
        let c = p.lit(Literal::F32(c));
        y = p.must(Op::Fma, &[y, x, c]);
    }
    p.output(y);
    p
}

/// The part of `lo..hi` with at most `most` inputs that ends where `hi` does.
fn domain(lo: f32, hi: f32, most: u64) -> Result<FloatDomain, mathsmith_verify::VerifyError> {
    let whole = FloatDomain::new(lo, hi)?;
    let from = whole.get(whole.count().saturating_sub(most));
    FloatDomain::new(from, hi)
}

fn rate<T: Truth>(
    truth: &T,
    domain: &FloatDomain,
    programs: &[Program],
    threads: usize,
) -> Result<(f64, u64), mathsmith_verify::VerifyError> {
    let options = SweepOptions { threads, ..SweepOptions::default() };
    let start = Instant::now();
    let reports = sweep(truth, domain, programs, &options)?;
    let settled = reports[0].settled;
    Ok((domain.count() as f64 / start.elapsed().as_secs_f64() / 1e6, settled))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1).map(|a| a.parse::<u32>());
    let log2 = args.next().transpose()?.unwrap_or(24).min(32);
    let threads = args.next().transpose()?.unwrap_or(1) as usize;
    let count = args.next().transpose()?.unwrap_or(1);
    let programs: Vec<Program> = (0..count).map(|i| program(1.0 - 1e-7 * i as f32)).collect();
    println!("{count} program(s), {threads} thread(s), million inputs a second (inputs settled by MPFR)");
    for &(text, lo, hi) in CASES {
        let expr = mathsmith_dsl::parse_expr(text).map_err(|e| format!("{text}: {e:?}"))?;
        let reference = Reference::new(&expr)?;
        let domain = domain(lo, hi, 1 << log2)?;
        let run = rate(&reference, &domain, &programs, threads)?;
        let direct = rate(&Direct(reference), &domain, &programs, threads)?;
        println!(
            "{text:<26} {:>11} inputs: {:>6.1} ({}), one by one {:>6.1} ({})",
            domain.count(),
            run.0,
            run.1,
            direct.0,
            direct.1
        );
    }
    Ok(())
}
