//! Canonical forms: what the search pays to know that a structure is not new.
//!
//! Every candidate goes through the quick form, what it does not recognise through the e-graph. The skeletons are random,
//! with ten operations, as the search proposes them: on one input with free constants, each value an argument of a later
//! one. Figures are for each skeleton, over a batch of them, because the time of one depends on its structure.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mathsmith_egraph::{
    Limits, RuleBook, RuleClass, canonical, lang, quick_canonical, quick_key, simplify, structural_key,
};
use mathsmith_ir::sample::SplitMix;
use mathsmith_ir::{Op, Program, Type, Value};
use std::hint::black_box;

const OPERATIONS: usize = 10;

/// A chain of operations whose other arguments are constants, the input, or earlier values.
fn skeleton(seed: u64) -> Program {
    const OPS: [Op; 6] = [Op::Add, Op::Add, Op::Mul, Op::Mul, Op::Sub, Op::Div];
    let mut rng = SplitMix::new(seed);
    let mut p = Program::new("skeleton");
    let x = p.input("x", Type::Real);
    let mut values: Vec<Value> = vec![x];
    // Hash-consing may find a value again, which adds no operation.
    while lang::operations(&p) < OPERATIONS {
        let last = values[values.len() - 1];
        let other = match rng.below(4) {
            0 | 1 => p.param(format!("c{}", p.params().len()), Type::Real, None),
            2 => rng.pick(&values),
            _ => x,
        };
        let args = if rng.below(2) == 0 { [last, other] } else { [other, last] };
        let v = p.must(rng.pick(&OPS), &args);
        values.push(v);
        p.set_outputs(vec![v]);
    }
    p
}

fn skeletons(count: u64) -> Vec<Program> {
    let all: Vec<Program> = (0..count).map(skeleton).collect();
    assert!(all.iter().all(|p| lang::operations(p) == OPERATIONS), "every skeleton has ten operations");
    all
}

/// Calls `f` on every item, so that the compiler can neither drop nor share the calls.
fn for_all<T, R>(items: &[T], f: impl Fn(&T) -> R) {
    for item in items {
        black_box(f(black_box(item)));
    }
}

fn quick(c: &mut Criterion) {
    let programs = skeletons(256);
    let mut group = c.benchmark_group("egraph/256 skeletons of 10 operations");
    group.throughput(Throughput::Elements(programs.len() as u64));
    group.bench_function("structural key", |b| {
        b.iter(|| for_all(&programs, structural_key));
    });
    group.bench_function("quick key", |b| {
        b.iter(|| for_all(&programs, |p| quick_key(p, RuleClass::Real)));
    });
    group.bench_function("quick canonical form", |b| {
        b.iter(|| for_all(&programs, |p| quick_canonical(p, RuleClass::Real)));
    });
    group.finish();
}

fn saturation(c: &mut Criterion) {
    let programs = skeletons(32);
    let mut group = c.benchmark_group("egraph/32 skeletons of 10 operations");
    group.sample_size(10);
    group.throughput(Throughput::Elements(programs.len() as u64));
    group.bench_function("canonical form", |b| {
        b.iter(|| for_all(&programs, |p| canonical(p, &Limits::default())));
    });
    let limits = Limits::default();
    for (name, class) in [("simplified over the reals", RuleClass::Real), ("simplified bit for bit", RuleClass::Exact)]
    {
        group.bench_function(name, |b| {
            b.iter(|| for_all(&programs, |p| simplify(p, class, &limits)));
        });
    }
    group.finish();
}

fn rules(c: &mut Criterion) {
    c.bench_function("egraph/reading the shipped rules", |b| b.iter(RuleBook::builtin));
}

criterion_group!(benches, quick, saturation, rules);
criterion_main!(benches);
