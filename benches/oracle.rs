//! Reference values: blocks in doubles with error bounds, and single points through MPFR.
//!
//! A sweep asks for blocks, and sends to MPFR what the bounds leave open, so both ends matter. `exp2(x)` is one call of
//! CORE-MATH, the others compose several; `digamma(x)` has no fast path, so every value of it comes from MPFR.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mathsmith_oracle::{Reference, Scratch};
use std::hint::black_box;

/// Arguments of a block.
const BLOCK: usize = 4096;

/// One function, a quotient, a composition with cancellation near zero, an activation with `erf`.
const FAST: [&str; 4] = ["exp2(x)", "tanh(x)/x", "log2(1+x)/x", "x*0.5*(1+erf(x/sqrt(2)))"];

fn reference(text: &str) -> Reference {
    let expr = mathsmith_dsl::parse_expr(text).expect("a well-formed expression");
    Reference::new(&expr).expect("a function with values")
}

/// Floats between 0 and 1 as a sweep meets them, none of them 0.
fn arguments(count: usize) -> Vec<f64> {
    (0..count).map(|i| f64::from(f32::from_bits(0x3e80_0000 + (i * (0x0100_0000 / count)) as u32))).collect()
}

/// Calls `f` on every item, so that the compiler can neither drop nor share the calls.
fn for_all<T, R>(items: &[T], f: impl Fn(&T) -> R) {
    for item in items {
        black_box(f(black_box(item)));
    }
}

fn blocks(c: &mut Criterion) {
    let x = arguments(BLOCK);
    let mut scratch = Scratch::default();
    let (mut ys, mut errs, mut rounded) = (vec![0.0; BLOCK], vec![0.0; BLOCK], vec![0.0f32; BLOCK]);
    let mut group = c.benchmark_group("oracle/block");
    group.throughput(Throughput::Elements(BLOCK as u64));
    for text in FAST {
        let f = reference(text);
        assert!(f.has_fast_path(), "`{text}` needs a processor of level x86-64-v3 here");
        group.bench_function(format!("{text}, value and bound"), |b| {
            b.iter(|| f.fast_block(&[black_box(&x)], &mut ys, &mut errs, &mut scratch));
        });
        group.bench_function(format!("{text}, rounded to f32"), |b| {
            b.iter(|| f.round_block_f32(&[black_box(&x)], &mut rounded, &mut scratch));
        });
    }
    group.finish();
}

fn points(c: &mut Criterion) {
    let x = arguments(64);
    let mut group = c.benchmark_group("oracle/64 points by MPFR");
    group.throughput(Throughput::Elements(x.len() as u64));
    for text in ["exp2(x)", "x*0.5*(1+erf(x/sqrt(2)))", "digamma(x)"] {
        let f = reference(text);
        group.bench_function(format!("{text}, rounded to f32"), |b| {
            b.iter(|| for_all(&x, |&x| f.round_f32(&[x])));
        });
        group.bench_function(format!("{text}, two doubles"), |b| {
            b.iter(|| for_all(&x, |&x| f.value_dd(&[x])));
        });
    }
    group.finish();
}

fn compile(c: &mut Criterion) {
    let expr = mathsmith_dsl::parse_expr(FAST[3]).expect("a well-formed expression");
    c.bench_function("oracle/compilation of an expression", |b| {
        b.iter(|| Reference::new(black_box(&expr)).expect("a function with values"));
    });
}

criterion_group!(benches, blocks, points, compile);
criterion_main!(benches);
