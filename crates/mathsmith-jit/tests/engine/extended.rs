//! Elementary functions and reductions: kernels, alone and in passes, compute the interpreter's bits.

use crate::common::run;
use mathsmith_ir::sample::{self, SplitMix};
use mathsmith_ir::{Column, EngineError, Interpreter, Literal, Node, Op, Program, Type, corpus, staged};
use mathsmith_jit::{Compiler, EngineKind, Host, Kernel, Lanes, engine_for, engine_on};
use std::collections::BTreeSet;

const MIXED: &[Type] = &[Type::F32, Type::F64, Type::I32, Type::I64, Type::Bool];
const WIDE: &[Type] = &[Type::F64, Type::I64, Type::Bool];

/// Whether the program looks at the bits of a float that it computed: those of a NaN are not defined.
fn looks_at_bits(p: &Program) -> bool {
    p.values().any(|v| match (p.node(v), p.node(v).args()) {
        (Node::Op(Op::Bitcast(_), _), &[a]) => p.ty(a).is_float() && matches!(p.node(a), Node::Op(..)),
        (Node::Op(Op::CopySign, _), &[_, a]) => matches!(p.node(a), Node::Op(..)),
        _ => false,
    })
}

fn inputs(rng: &mut SplitMix, p: &Program, rows: usize) -> (Vec<Literal>, Vec<Column>) {
    let params = p.params().iter().map(|q| sample::literal(rng, q.ty)).collect();
    // Half of the columns are small numbers, on which functions and sums have values worth comparing.
    let mut value = |ty: Type, small: bool| match (ty, small) {
        (Type::F32, true) => Literal::F32((rng.below(4001) as f32 - 2000.0) / 256.0),
        (Type::F64, true) => Literal::F64((rng.below(4001) as f64 - 2000.0) / 300.0),
        _ => sample::literal(rng, ty),
    };
    let column = |(i, ty): (usize, Type)| {
        Column::from_literals(ty, &(0..rows).map(|_| value(ty, i % 2 == 0)).collect::<Vec<_>>())
    };
    (params, p.inputs().iter().map(|i| i.ty).enumerate().map(column).collect())
}

fn assert_same(p: &Program, expected: &[Column], computed: &[Column], how: &str) {
    for (output, (e, c)) in expected.iter().zip(computed).enumerate() {
        for row in 0..e.len() {
            let (e, c) = (e.get(row), c.get(row));
            assert!(corpus::agree(e, c), "{how}, output {output}, row {row}: interpreter {e:?}, kernel {c:?}\n{p}");
        }
    }
}

fn live_names(p: &Program) -> impl Iterator<Item = &'static str> + '_ {
    let live = p.live();
    p.values().filter(move |v| live[v.index()]).filter_map(|v| match p.node(v) {
        Node::Op(op, _) => Some(op.name()),
        _ => None,
    })
}

#[test]
fn elementary_functions_equal_the_interpreter() {
    let mut rng = SplitMix::new(31);
    let mut compiler = Compiler::new(&Host::detect()).expect("the machine that runs the tests compiles kernels");
    let mut seen = BTreeSet::new();
    for seed in 0..220 {
        let (types, lanes) = if seed % 2 == 0 { (MIXED, Lanes::Scalar) } else { (WIDE, Lanes::Simd128) };
        let p = sample::program_with(seed, types, 2 + (seed % 9) as usize, &Op::ELEMENTARY);
        if looks_at_bits(&p) {
            continue;
        }
        let mut kernel = compiler.compile(&p, lanes).unwrap_or_else(|e| panic!("seed {seed}: {e}\n{p}"));
        let rows = [1, 3, 16, 61][(seed % 4) as usize];
        let (params, columns) = inputs(&mut rng, &p, rows);
        let expected = run(&mut Interpreter::new(&p).unwrap(), &p, &params, &columns, rows);
        assert_same(&p, &expected, &run(&mut kernel, &p, &params, &columns, rows), &format!("seed {seed}, {lanes:?}"));
        seen.extend(live_names(&p));
    }
    let missing: Vec<&str> = Op::ELEMENTARY.into_iter().map(Op::name).filter(|name| !seen.contains(name)).collect();
    assert!(missing.is_empty(), "functions that no program used: {missing:?}");
}

#[test]
fn reductions_equal_the_interpreter() {
    let mut rng = SplitMix::new(37);
    let extra: Vec<Op> = Op::REDUCTIONS.into_iter().chain([Op::Exp, Op::Sin]).collect();
    let mut seen = BTreeSet::new();
    let (mut native, mut compared) = (0, 0);
    for seed in 1000..1150 {
        let p = sample::program_with(seed, MIXED, 4 + (seed % 9) as usize, &extra);
        if looks_at_bits(&p) || !staged::has_reductions(&p) {
            continue;
        }
        let rows = [1, 5, 9, 64, 300][(seed % 5) as usize];
        let (params, columns) = inputs(&mut rng, &p, rows);
        let expected = run(&mut Interpreter::new(&p).unwrap(), &p, &params, &columns, rows);
        let fma = p.nodes().iter().any(|n| matches!(n, Node::Op(Op::Fma, _)));
        for host in [Host::detect(), Host::without_fma(), Host::interpreter_only("a test")] {
            let (mut engine, kind) = engine_on(&host, &p).unwrap();
            assert_same(
                &p,
                &expected,
                &run(engine.as_mut(), &p, &params, &columns, rows),
                &format!("seed {seed}, {kind}"),
            );
            native += usize::from(matches!(kind, EngineKind::Jit { .. }));
            assert!(fma || !host.has_fma() || matches!(kind, EngineKind::Jit { .. }), "{kind}");
        }
        compared += 1;
        seen.extend(live_names(&p));
    }
    assert!(compared > 40 && native > compared, "{compared} programs, {native} of their engines native");
    assert!(Op::REDUCTIONS.iter().all(|op| seen.contains(op.name())), "{seen:?}");
}

#[test]
fn a_single_kernel_refuses_a_reduction_by_name() {
    let p: Program = "program f(x: f32) -> (f32) {\n n = norm x\n y = div x, n\n return y\n}".parse().unwrap();
    let Err(EngineError::Unsupported { what, .. }) = Kernel::compile(&p, Lanes::Auto) else {
        panic!("one kernel cannot reduce");
    };
    assert!(what.contains("`norm`") && what.contains("engine_for"), "{what}");
    let (_, kind) = engine_for(&p).unwrap();
    assert_eq!(kind, EngineKind::Jit { lanes: 4 });
}
