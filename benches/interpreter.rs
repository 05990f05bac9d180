//! The interpreter: rows a second for short kernels, and the cost of preparing a program.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use mathsmith_ir::{Column, Engine, Interpreter, Program, RealPlan, Type};
use std::hint::black_box;

/// Rows that fit in the first-level cache together with the registers.
const ROWS: usize = 4096;

/// Horner's form of the given degree by `fma`, with literal coefficients.
fn horner(degree: usize, ty: Type) -> Program {
    let mut text = format!("program horner(x: {ty}) -> ({ty}) {{\n a0 = fma x, 0.001, 0.01\n");
    for k in 1..degree {
        text += &format!(" a{k} = fma a{}, x, {}\n", k - 1, 1.0 / k as f64);
    }
    text += &format!(" return a{}\n}}", degree - 1);
    text.parse().expect("the text is a program")
}

/// Range reduction, polynomial and scaling, as in an exponential over its whole domain.
const EXP2: &str = "program exp2(x: f32) -> (f32) {
  n = round_even x
  r = sub x, n
  a = fma r, 0.0013, 0.0096
  b = fma a, r, 0.0555
  c = fma b, r, 0.2402
  d = fma c, r, 0.6931
  e = fma d, r, 1.0
  k = convert.i32 n
  s = shl k, 23
  i = bitcast.i32 e
  j = add i, s
  y = bitcast.f32 j
  return y
}";

fn inputs(ty: Type) -> Column {
    match ty {
        Type::F32 => Column::F32((0..ROWS).map(|i| i as f32 / ROWS as f32).collect()),
        _ => Column::F64((0..ROWS).map(|i| i as f64 / ROWS as f64).collect()),
    }
}

fn run(c: &mut Criterion) {
    let mut group = c.benchmark_group("interpreter");
    group.throughput(Throughput::Elements(ROWS as u64));
    let programs = [
        ("horner6", horner(6, Type::F32)),
        ("horner6", horner(6, Type::F64)),
        ("exp2", EXP2.parse().expect("the text is a program")),
    ];
    for (name, program) in programs {
        let ty = program.inputs()[0].ty;
        let mut engine = Interpreter::new(&program).expect("machine types");
        let (x, mut y) = (inputs(ty), Column::zeros(ty, ROWS));
        group.bench_function(BenchmarkId::new(name, ty), |b| {
            b.iter(|| {
                engine.run(&[], &[black_box(x.as_ref())], &mut [y.as_mut()]).expect("the columns fit");
                black_box(&y);
            })
        });
    }
    group.finish();
}

fn prepare(c: &mut Criterion) {
    let program: Program = EXP2.parse().expect("the text is a program");
    let real = horner(10, Type::Real);
    let mut group = c.benchmark_group("program");
    group.bench_function("plan", |b| b.iter(|| Interpreter::new(black_box(&program)).map(|_| ())));
    group.bench_function("structural_hash", |b| b.iter(|| black_box(&program).structural_hash()));
    group.bench_function("print", |b| b.iter(|| black_box(&program).to_string()));
    group.bench_function("parse", |b| b.iter(|| black_box(EXP2).parse::<Program>().map(|_| ())));
    let mut plan = RealPlan::new(&real, &0.0f64).expect("a real program");
    let mut out = Vec::new();
    group.bench_function("real_eval_f64", |b| b.iter(|| plan.eval_into(&[], &[black_box(0.5)], &mut out)));
    group.finish();
}

criterion_group!(benches, run, prepare);
criterion_main!(benches);
