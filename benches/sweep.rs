//! Sweeps: what verifying one program, or several at once, costs for each input.
//!
//! The target is at least 60 million inputs a second on one core where CORE-MATH has the function and one program is
//! swept. The reference is evaluated once for all programs of a sweep.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mathsmith_ir::{Literal, Op, Program, Type};
use mathsmith_oracle::Reference;
use mathsmith_verify::points::Layout;
use mathsmith_verify::{AdversarialSet, FloatDomain, SweepOptions, sweep};
use std::hint::black_box;

/// Degree 5 by Horner's rule; `last` tells the programs of one sweep apart.
fn polynomial(last: f32) -> Program {
    let mut p = Program::new("exp2");
    let x = p.input("x", Type::F32);
    let mut y = p.lit(Literal::F32(0.001_877_576_7));
    for c in [0.008_989_341, 0.055_826_318, 0.240_153_62, 0.693_153_1, last] {
        let c = p.lit(Literal::F32(c));
        y = p.must(Op::Fma, &[y, x, c]);
    }
    p.output(y);
    p
}

fn reference(text: &str) -> Reference {
    let expr = mathsmith_dsl::parse_expr(text).expect("a well-formed expression");
    Reference::new(&expr).expect("a function with values")
}

fn sweeps(c: &mut Criterion) {
    let mut group = c.benchmark_group("sweep");
    group.sample_size(10);
    // 2^22 inputs below 1.
    let domain = FloatDomain::new(f32::from_bits(0x3f80_0000 - (1 << 22)), 1.0).expect("a domain");
    group.throughput(Throughput::Elements(domain.count()));
    let options = SweepOptions { threads: 1, ..SweepOptions::default() };
    for text in ["exp2(x)", "sin(x)", "tanh(x)", "erf(x)", "x*0.5*(1+erf(x/sqrt(2)))"] {
        let f = reference(text);
        for count in [1, 4] {
            let programs: Vec<Program> = (0..count).map(|i| polynomial(1.0 - 1e-7 * i as f32)).collect();
            group.bench_function(format!("{text}, {count} program(s), one thread"), |b| {
                b.iter(|| sweep(&f, &domain, black_box(&programs), &options).expect("a program of one f32"));
            });
        }
    }
    group.finish();
}

fn screening(c: &mut Criterion) {
    let f = reference("exp2(x)");
    let domain = FloatDomain::new(0.0, 1.0).expect("a domain");
    let set = AdversarialSet::initial(&f, &domain, Layout::default());
    let (mut engine, _) = mathsmith_jit::engine_for(&polynomial(1.0)).expect("f32 programs compile");
    let mut scratch = Vec::new();
    let mut group = c.benchmark_group("screen");
    group.throughput(Throughput::Elements(set.len() as u64));
    group.bench_function("initial adversarial set of exp2 on 0..1", |b| {
        b.iter(|| set.screen(&mut *engine, &[], black_box(&mut scratch)).expect("the signature fits"));
    });
    group.finish();
}

criterion_group!(benches, sweeps, screening);
criterion_main!(benches);
