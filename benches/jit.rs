//! Cranelift kernels: what a compilation costs, and what it buys per element against the interpreter.
//!
//! The run benches use one column of 4096 values, which stays in the first-level cache together with its results.

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use mathsmith_ir::{Column, Engine, Interpreter, Literal, Op, Program, Type};
use mathsmith_jit::{Compiler, Host, Lanes};
use std::hint::black_box;

/// Rows of the run benches.
const ROWS: usize = 4096;

/// Horner's scheme in `fma`, every coefficient a parameter.
fn horner(ty: Type, degree: usize) -> Program {
    let mut p = Program::new(format!("horner{degree}_{ty}"));
    let x = p.input("x", ty);
    let mut sum = p.param("c", ty, None);
    for i in (0..degree).rev() {
        let c = p.param(format!("c{i}"), ty, None);
        sum = p.must(Op::Fma, &[sum, x, c]);
    }
    p.output(sum);
    p
}

/// A power of two on the whole line in the usual form: round, polynomial in the remainder, exponent by a shift.
fn scaled_horner(degree: usize) -> Program {
    let mut p = Program::new(format!("scaled_horner{degree}_f32"));
    let x = p.input("x", Type::F32);
    let whole = p.must(Op::RoundEven, &[x]);
    let rest = p.must(Op::Sub, &[x, whole]);
    let mut sum = p.param("c", Type::F32, None);
    for i in (0..degree).rev() {
        let c = p.param(format!("c{i}"), Type::F32, None);
        sum = p.must(Op::Fma, &[sum, rest, c]);
    }
    let exponent = p.must(Op::Convert(Type::I32), &[whole]);
    let place = p.lit(Literal::I32(23));
    let shifted = p.must(Op::Shl, &[exponent, place]);
    let bits = p.must(Op::Bitcast(Type::I32), &[sum]);
    let scaled = p.must(Op::Add, &[bits, shifted]);
    let y = p.must(Op::Bitcast(Type::F32), &[scaled]);
    p.output(y);
    p
}

fn programs() -> Vec<Program> {
    vec![horner(Type::F32, 6), horner(Type::F64, 6), horner(Type::F32, 20), scaled_horner(6)]
}

fn params(program: &Program) -> Vec<Literal> {
    let value = |i: usize| 1.0 / (i + 1) as f64;
    program.params().iter().enumerate().map(|(i, p)| Literal::float(p.ty, value(i)).expect("floats")).collect()
}

fn compile(c: &mut Criterion) {
    let mut group = c.benchmark_group("jit/compile");
    let mut compiler = Compiler::new(&Host::detect()).expect("a machine that kernels can be compiled for");
    for program in programs() {
        for lanes in [Lanes::Scalar, Lanes::Simd128] {
            let id = BenchmarkId::new(program.name(), format!("{lanes:?}"));
            // The kernel is dropped outside of the measurement: unmapping is a system call of its own.
            group.bench_function(id, |b| {
                b.iter_batched(|| (), |()| compiler.compile(black_box(&program), lanes), BatchSize::SmallInput);
            });
        }
    }
    let batch = horner(Type::F32, 6);
    let batch = vec![&batch; 50];
    group.throughput(Throughput::Elements(batch.len() as u64));
    group.bench_function("batch of 50", |b| {
        b.iter_batched(|| (), |()| compiler.compile_batch(black_box(&batch), Lanes::Simd128), BatchSize::SmallInput);
    });
    group.finish();
}

fn run(c: &mut Criterion) {
    let mut group = c.benchmark_group("jit/run");
    group.throughput(Throughput::Elements(ROWS as u64));
    let mut compiler = Compiler::new(&Host::detect()).expect("a machine that kernels can be compiled for");
    for program in programs() {
        let params = params(&program);
        let x = match program.inputs()[0].ty {
            Type::F32 => Column::F32((0..ROWS).map(|i| i as f32 / ROWS as f32).collect()),
            _ => Column::F64((0..ROWS).map(|i| i as f64 / ROWS as f64).collect()),
        };
        let mut y = Column::zeros(x.ty(), ROWS);
        let mut engines: Vec<(&str, Box<dyn Engine>)> =
            vec![("interpreter", Box::new(Interpreter::new(&program).expect("machine types")))];
        for (name, lanes) in [("scalar", Lanes::Scalar), ("simd128", Lanes::Simd128)] {
            engines.push((name, Box::new(compiler.compile(&program, lanes).expect("compiles"))));
        }
        for (name, engine) in &mut engines {
            group.bench_function(BenchmarkId::new(program.name(), *name), |b| {
                b.iter(|| engine.run(black_box(&params), &[x.as_ref()], &mut [y.as_mut()]).expect("fits"));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, compile, run);
criterion_main!(benches);
