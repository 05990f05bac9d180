//! Kernels from outside: shapes, signatures, batches, tails, refusals.

use crate::common::{Rng, class_bits, column, run};
use mathsmith_ir::{Column, ColumnMut, ColumnRef, Engine, EngineError, Interpreter, Literal, Op, Program, Type, Value};
use mathsmith_jit::{Compiler, EngineKind, Host, Kernel, Lanes, clif, disassembly, engine_for, engine_on};

/// Horner's scheme of the given degree, every coefficient a parameter.
fn horner(ty: Type, degree: usize) -> Program {
    let mut p = Program::new("horner");
    let x = p.input("x", ty);
    let mut sum = p.param("c", ty, None);
    for i in (0..degree).rev() {
        let c = p.param(format!("c{i}"), ty, None);
        sum = p.must(Op::Fma, &[sum, x, c]);
    }
    p.output(sum);
    p
}

fn coefficients(ty: Type, degree: usize) -> Vec<Literal> {
    (0..=degree).map(|i| Literal::float(ty, 1.0 / (i as f64 - 2.5)).expect("a float type")).collect()
}

/// Compares kernel and interpreter on every length from 0 to `longest`.
fn every_length(program: &Program, kernel: &mut dyn Engine, params: &[Literal], longest: usize) {
    let mut interpreter = Interpreter::new(program).expect("machine types");
    let mut rng = Rng::new(77);
    for rows in 0..=longest {
        let inputs: Vec<Column> = program.inputs().iter().map(|i| column(&mut rng, i.ty, rows)).collect();
        let expected = run(&mut interpreter, program, params, &inputs, rows);
        let computed = run(kernel, program, params, &inputs, rows);
        for (e, c) in expected.iter().zip(&computed) {
            for row in 0..rows {
                assert_eq!(class_bits(e, row), class_bits(c, row), "row {row} of {rows}: {e:?} {c:?}");
            }
        }
    }
}

#[test]
fn every_length_of_column_is_covered() {
    for ty in [Type::F32, Type::F64] {
        for degree in [1, 6, 20] {
            let (program, params) = (horner(ty, degree), coefficients(ty, degree));
            for lanes in [Lanes::Scalar, Lanes::Simd128] {
                let mut kernel = Kernel::compile(&program, lanes).expect("fma in hardware");
                every_length(&program, &mut kernel, &params, 40);
            }
        }
    }
}

#[test]
fn nothing_beyond_the_columns_is_written() {
    let program = horner(Type::F32, 6);
    let kernel = Kernel::compile(&program, Lanes::Simd128).expect("fma in hardware");
    for rows in 1..40 {
        let x = vec![1.0_f32; 64];
        let mut y = vec![-7.0_f32; 64];
        let params = coefficients(Type::F32, 6);
        kernel.call(&params, &[ColumnRef::F32(&x[8..8 + rows])], &mut [ColumnMut::F32(&mut y[8..8 + rows])]).unwrap();
        assert!(y[..8].iter().chain(&y[8 + rows..]).all(|&v| v == -7.0), "{rows} rows: {y:?}");
        assert!(y[8..8 + rows].iter().all(|&v| v != -7.0), "{rows} rows: {y:?}");
    }
}

#[test]
fn parameters_are_inputs_of_one_compilation() {
    let program = horner(Type::F64, 3);
    let kernel = Kernel::compile(&program, Lanes::Auto).expect("fma in hardware");
    for scale in [1.0, -3.0, f64::INFINITY] {
        let params: Vec<Literal> = (0..4).map(|i| Literal::F64(scale * f64::from(i))).collect();
        let mut y = [0.0; 5];
        kernel.call(&params, &[ColumnRef::F64(&[1.0; 5])], &mut [ColumnMut::F64(&mut y)]).unwrap();
        let mut interpreter = Interpreter::new(&program).unwrap();
        let mut expected = [0.0; 5];
        interpreter.run(&params, &[ColumnRef::F64(&[1.0; 5])], &mut [ColumnMut::F64(&mut expected)]).unwrap();
        assert_eq!(y.map(f64::to_bits), expected.map(f64::to_bits));
    }
}

#[test]
fn the_shape_follows_the_types() {
    let lanes = |p: &Program| Kernel::compile(p, Lanes::Auto).expect("compiles").lanes();
    assert_eq!(lanes(&horner(Type::F32, 3)), 4);
    assert_eq!(lanes(&horner(Type::F64, 3)), 2);

    let mut mixed = Program::new("mixed");
    let x = mixed.input("x", Type::F32);
    let wide = mixed.must(Op::Convert(Type::F64), &[x]);
    mixed.output(wide);
    assert_eq!(lanes(&mixed), 1);
    let refused = Kernel::compile(&mixed, Lanes::Simd128).expect_err("two widths");
    assert!(refused.to_string().contains("mixes 32-bit and 64-bit"), "{refused}");

    let mut table = Program::new("table");
    let i = table.input("i", Type::I32);
    let t = table.table(vec![Literal::F32(1.0), Literal::F32(2.0)]);
    let entry = table.must(Op::Table(t), &[i]);
    table.output(entry);
    assert_eq!(lanes(&table), 1, "a lookup alone has no vector form");
}

#[test]
fn constant_programs_fill_their_columns() {
    let mut p = Program::new("constants");
    let c = p.param("c", Type::F64, None);
    let l = p.lit(Literal::I32(-5));
    let t = p.lit(Literal::Bool(true));
    let negated = p.must(Op::Neg, &[c]);
    p.set_outputs(vec![negated, l, t, c]);
    for lanes in [Lanes::Scalar, Lanes::Auto] {
        let mut kernel = Kernel::compile(&p, lanes).expect("compiles");
        every_length(&p, &mut kernel, &[Literal::F64(2.5)], 9);
    }
}

#[test]
fn arguments_that_do_not_fit_are_refused() {
    let kernel = Kernel::compile(&horner(Type::F32, 1), Lanes::Auto).expect("compiles");
    let (x, mut y) = ([1.0_f32; 4], [0.0_f32; 4]);
    let params = coefficients(Type::F32, 1);
    let mut call = |params: &[Literal], x: &[ColumnRef<'_>], rows: usize| match kernel.call(
        params,
        x,
        &mut [ColumnMut::F32(&mut y[..rows])],
    ) {
        Err(EngineError::Signature(message)) => message,
        other => panic!("not refused: {other:?}"),
    };
    let fits = [ColumnRef::F32(&x)];
    assert!(call(&params[..1], &fits, 4).contains("2 parameters, 1 were given"));
    assert!(call(&[params[0], Literal::F64(1.0)], &fits, 4).contains("parameter 1 is f64"));
    assert!(call(&params, &[], 4).contains("1 inputs, 0 were given"));
    assert!(call(&params, &[ColumnRef::I32(&[0; 4])], 4).contains("input 0 is i32"));
    assert!(call(&params, &fits, 3).contains("output 0 has 3 rows"));
}

#[test]
fn a_program_over_reals_is_refused() {
    let mut p = Program::new("real");
    let x = p.input("x", Type::Real);
    let y = p.must(Op::Neg, &[x]);
    p.output(y);
    let refused = Kernel::compile(&p, Lanes::Auto).expect_err("reals have no machine form");
    assert!(refused.to_string().contains("type `real`"), "{refused}");
}

#[test]
fn a_batch_shares_memory_and_outlives_its_parts() {
    let programs: Vec<Program> = (1..6).map(|degree| horner(Type::F32, degree)).collect();
    let mut real = Program::new("real");
    let x = real.input("x", Type::Real);
    real.output(x);
    let mut all: Vec<&Program> = programs.iter().collect();
    all.insert(2, &real);
    let mut compiler = Compiler::new(&Host::detect()).expect("compiles here");
    let mut kernels = compiler.compile_batch(&all, Lanes::Auto);
    assert!(kernels.remove(2).is_err(), "the program over reals is refused alone");
    let last = kernels.pop().expect("five kernels").expect("compiles");
    drop(kernels);
    drop(compiler);
    // The other kernels of the module are gone, the code of this one is not; another thread may use it.
    let mut last = last;
    std::thread::spawn(move || every_length(&horner(Type::F32, 5), &mut last, &coefficients(Type::F32, 5), 10))
        .join()
        .expect("the kernel works on another thread");
}

#[test]
fn one_kernel_serves_several_threads() {
    let program = horner(Type::F32, 6);
    let kernel = Kernel::compile(&program, Lanes::Auto).expect("compiles");
    let params = coefficients(Type::F32, 6);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let mut kernel = kernel.clone();
            let (program, params) = (&program, &params);
            scope.spawn(move || every_length(program, &mut kernel, params, 20));
        }
    });
}

#[test]
fn without_fma_hardware_the_interpreter_runs_and_says_why() {
    let program = horner(Type::F32, 4);
    let params = coefficients(Type::F32, 4);
    let (mut engine, kind) = engine_on(&Host::without_fma(), &program).expect("the interpreter runs it");
    match &kind {
        EngineKind::Interpreter { reason } => assert!(reason.contains("no fused multiply-add"), "{reason}"),
        kind => panic!("native code without FMA: {kind}"),
    }
    assert!(kind.to_string().starts_with("interpreter, because"), "{kind}");
    let mut native = Kernel::compile(&program, Lanes::Auto).expect("this machine has FMA");
    let inputs = [column(&mut Rng::new(3), Type::F32, 33)];
    let slow = run(&mut *engine, &program, &params, &inputs, 33);
    let fast = run(&mut native, &program, &params, &inputs, 33);
    assert!((0..33).all(|row| class_bits(&slow[0], row) == class_bits(&fast[0], row)));
    let refused = Compiler::new(&Host::without_fma()).unwrap().compile(&program, Lanes::Auto).expect_err("no FMA");
    assert!(refused.to_string().contains("no fused multiply-add"), "{refused}");
}

#[test]
fn without_fma_hardware_other_programs_are_native() {
    let mut p = Program::new("plain");
    let x = p.input("x", Type::F32);
    let square = p.must(Op::Mul, &[x, x]);
    let sum = p.must(Op::Add, &[square, x]);
    p.output(sum);
    let (mut engine, kind) = engine_on(&Host::without_fma(), &p).expect("compiles");
    assert_eq!(kind, EngineKind::Jit { lanes: 4 });
    every_length(&p, &mut *engine, &[], 20);
    let text = disassembly(&p, Lanes::Auto, &Host::without_fma()).expect("compiles");
    assert!(!text.contains("fmadd"), "a product and a sum are never contracted:\n{text}");
}

#[test]
fn an_unused_fma_does_not_matter() {
    let mut p = horner(Type::F32, 2);
    p.set_outputs(vec![Value(0)]);
    let (_, kind) = engine_on(&Host::without_fma(), &p).expect("compiles");
    assert_eq!(kind, EngineKind::Jit { lanes: 4 });
}

#[test]
fn a_host_without_code_generation_interprets_everything() {
    let host = Host::interpreter_only("the user asked for it");
    let (_, kind) = engine_on(&host, &horner(Type::F64, 2)).expect("the interpreter runs it");
    assert_eq!(kind, EngineKind::Interpreter { reason: "the user asked for it".into() });
    assert!(Compiler::new(&host).is_err());
}

#[test]
fn this_machine_compiles_what_it_can() {
    let (mut engine, kind) = engine_for(&horner(Type::F32, 6)).expect("some engine");
    let expected = if Host::detect().has_fma() { "native code, 4 rows at a time" } else { "interpreter, because" };
    assert!(kind.to_string().starts_with(expected), "{kind}");
    every_length(&horner(Type::F32, 6), &mut *engine, &coefficients(Type::F32, 6), 20);
}

#[test]
fn intermediate_forms_are_text() {
    let program = horner(Type::F32, 2);
    let ir = clif(&program, Lanes::Simd128, &Host::detect()).expect("compiles");
    assert!(ir.contains("splat.f32x4") && ir.contains(" fma"), "{ir}");
    let assembly = disassembly(&program, Lanes::Simd128, &Host::detect()).expect("compiles");
    let fused = if cfg!(target_arch = "x86_64") { "vfmadd" } else { "fmla" };
    assert!(assembly.contains(fused), "{assembly}");
}

#[test]
fn long_programs_spill_and_the_longest_are_interpreted() {
    // 1,500 coefficients do not fit into registers, and their copies in vectors exceed a page of stack.
    let (program, params) = (horner(Type::F32, 1500), coefficients(Type::F32, 1500));
    let mut kernel = Kernel::compile(&program, Lanes::Simd128).expect("compiles");
    every_length(&program, &mut kernel, &params, 12);
    let (_, kind) = engine_for(&horner(Type::F32, 6000)).expect("the interpreter runs it");
    assert!(matches!(&kind, EngineKind::Interpreter { reason } if reason.contains("12002 values")), "{kind}");
}

#[test]
fn minimum_is_one_instruction() {
    let mut p = Program::new("min");
    let (x, y) = (p.input("x", Type::F32), p.input("y", Type::F32));
    let (low, high) = (p.must(Op::Min, &[x, y]), p.must(Op::Max, &[x, y]));
    p.set_outputs(vec![low, high]);
    if cfg!(target_arch = "x86_64") {
        for (lanes, instructions) in [(Lanes::Scalar, ["minss", "maxss"]), (Lanes::Simd128, ["minps", "maxps"])] {
            let text = disassembly(&p, lanes, &Host::detect()).expect("compiles");
            assert!(instructions.iter().all(|i| text.contains(i)), "{lanes:?}:\n{text}");
            assert!(!text.contains("cmp") || !text.contains("blend"), "{lanes:?}:\n{text}");
        }
    }
    let mut kernel = Kernel::compile(&p, Lanes::Simd128).expect("compiles");
    let x = [0.0_f32, -0.0, f32::NAN, 1.0, 2.0];
    let y = [-0.0_f32, 0.0, 1.0, f32::NAN, 3.0];
    let (mut low, mut high) = ([9.0_f32; 5], [9.0_f32; 5]);
    let mut outputs = [ColumnMut::F32(&mut low), ColumnMut::F32(&mut high)];
    kernel.run(&[], &[ColumnRef::F32(&x), ColumnRef::F32(&y)], &mut outputs).unwrap();
    // Two zeros or a NaN: the second argument.
    assert_eq!(low.map(f32::to_bits)[..3], [(-0.0_f32).to_bits(), 0, 1.0_f32.to_bits()]);
    assert_eq!(high.map(f32::to_bits)[..3], [(-0.0_f32).to_bits(), 0, 1.0_f32.to_bits()]);
    assert!(low[3].is_nan() && high[3].is_nan() && low[4] == 2.0 && high[4] == 3.0);
}
