//! The worst cases of this machine's own double-precision functions, sampled in process.
//!
//! `cargo run --release -p mathsmith-verify --example worst_f64 -- [evaluations] [threads] [names...]`; the functions are those
//! of the C library that Rust's standard library calls, except where the compiler has its own.

use mathsmith_ir::{ColumnMut, ColumnRef, Engine, EngineError, Literal};
use mathsmith_oracle::{FloatFormat, Reference};
use mathsmith_verify::{Inspection, SampleDomain, SampleOptions, Subject, sample};
use std::process::ExitCode;
use std::time::Instant;

#[derive(Clone, Copy)]
enum Function {
    One(fn(f64) -> f64),
    Two(fn(f64, f64) -> f64),
}

const FUNCTIONS: &[(&str, &str, Function)] = &[
    ("exp", "exp(x)", Function::One(f64::exp)),
    ("log", "log(x)", Function::One(f64::ln)),
    ("sin", "sin(x)", Function::One(f64::sin)),
    ("cos", "cos(x)", Function::One(f64::cos)),
    ("tanh", "tanh(x)", Function::One(f64::tanh)),
    ("cbrt", "cbrt(x)", Function::One(f64::cbrt)),
    ("pow", "x^y", Function::Two(f64::powf)),
    ("atan2", "atan2(x, y)", Function::Two(f64::atan2)),
    ("hypot", "hypot(x, y)", Function::Two(f64::hypot)),
];

struct Native(Function);

impl Engine for Native {
    fn run(&mut self, _: &[Literal], x: &[ColumnRef<'_>], y: &mut [ColumnMut<'_>]) -> Result<(), EngineError> {
        match (self.0, x, y) {
            (Function::One(f), [ColumnRef::F64(x)], [ColumnMut::F64(y)]) => {
                y.iter_mut().zip(*x).for_each(|(y, x)| *y = f(*x));
            }
            (Function::Two(f), [ColumnRef::F64(a), ColumnRef::F64(b)], [ColumnMut::F64(y)]) => {
                y.iter_mut().zip(a.iter().zip(*b)).for_each(|(y, (a, b))| *y = f(*a, *b));
            }
            _ => return Err(EngineError::Signature("f64 columns".into())),
        }
        Ok(())
    }
}

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let mut number = |default| args.next().map_or(Ok(default), |a| a.parse::<u64>());
    let (Ok(evals), Ok(threads)) = (number(1_000_000), number(2)) else {
        eprintln!("error: evaluations and threads are whole numbers\n  help: worst_f64 100000000 2 exp");
        return ExitCode::from(2);
    };
    let names: Vec<String> = args.collect();
    for &(name, text, function) in FUNCTIONS {
        if !names.is_empty() && !names.iter().any(|n| n == name) {
            continue;
        }
        let reference = mathsmith_dsl::parse_expr(text).map(|e| Reference::new(&e));
        let Ok(Ok(reference)) = reference else {
            eprintln!("error: `{text}` is no reference");
            return ExitCode::FAILURE;
        };
        let arity = if matches!(function, Function::One(_)) { 1 } else { 2 };
        let subject = Subject {
            name: name.to_owned(),
            params: Vec::new(),
            start: Box::new(move || Ok(Box::new(Native(function)))),
        };
        let inspection = Inspection { judged_at: FloatFormat::F64, ..Inspection::default() };
        let options = SampleOptions { evals, threads: threads as usize, ..SampleOptions::default() };
        let started = Instant::now();
        let found = SampleDomain::whole(FloatFormat::F64, arity)
            .and_then(|domain| sample(&reference, &domain, &[subject], &inspection, &options));
        match found.map(|mut all| all.remove(0)) {
            Ok(Ok(m)) => println!(
                "{name:6} {} ULP at {} ({}), {} {} inputs, {} judged, {} of {} random ones not correctly rounded, {:.1} s",
                m.max_ulp.value,
                m.max_ulp.x.join(", "),
                m.max_ulp.x_decimal.join(", "),
                m.inputs,
                m.coverage.word(),
                m.settled,
                m.not_correctly_rounded,
                m.histogram.counts.iter().sum::<u64>(),
                started.elapsed().as_secs_f64(),
            ),
            Ok(Err(e)) | Err(e) => {
                eprintln!("error: {e}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}
