//! Simplification: exact rules keep every bit, real rules the mathematics.

use mathsmith_egraph::expr::skeleton;
use mathsmith_egraph::lang::operations;
use mathsmith_egraph::{Limits, RuleClass, canonical, quick_canonical, simplify};
use mathsmith_ir::sample::{self, SplitMix};
use mathsmith_ir::{Column, ColumnMut, ColumnRef, Engine, Interpreter, Literal, Node, Op, Program, Type, real};

const ROWS: usize = 96;

/// A column of special and random values.
fn column(rng: &mut SplitMix, ty: Type) -> Column {
    let l: Vec<Literal> = (0..ROWS).map(|_| sample::literal(rng, ty)).collect();
    match ty {
        Type::F32 => Column::F32(l.iter().map(|l| if let Literal::F32(x) = l { *x } else { 0.0 }).collect()),
        Type::F64 => Column::F64(l.iter().map(|l| if let Literal::F64(x) = l { *x } else { 0.0 }).collect()),
        Type::I32 => Column::I32(l.iter().map(|l| if let Literal::I32(x) = l { *x } else { 0 }).collect()),
        Type::I64 => Column::I64(l.iter().map(|l| if let Literal::I64(x) = l { *x } else { 0 }).collect()),
        _ => Column::Bool(l.iter().map(|l| matches!(l, Literal::Bool(true))).collect()),
    }
}

fn run(p: &Program, params: &[Literal], inputs: &[Column]) -> Vec<Column> {
    let mut out: Vec<Column> = p.outputs().iter().map(|v| Column::zeros(p.ty(*v), ROWS)).collect();
    let columns: Vec<ColumnRef<'_>> = inputs.iter().map(Column::as_ref).collect();
    let mut outs: Vec<ColumnMut<'_>> = out.iter_mut().map(Column::as_mut).collect();
    Interpreter::new(p).and_then(|mut i| i.run(params, &columns, &mut outs)).unwrap_or_else(|e| panic!("{e}\n{p}"));
    out
}

/// Bits of each value, all NaNs being one.
fn bits(c: &Column) -> Vec<u64> {
    match c {
        Column::F32(v) => v.iter().map(|x| if x.is_nan() { u64::MAX } else { u64::from(x.to_bits()) }).collect(),
        Column::F64(v) => v.iter().map(|x| if x.is_nan() { u64::MAX } else { x.to_bits() }).collect(),
        Column::I32(v) => v.iter().map(|x| *x as u64).collect(),
        Column::I64(v) => v.iter().map(|x| *x as u64).collect(),
        Column::Bool(v) => v.iter().map(|x| u64::from(*x)).collect(),
    }
}

/// The parameters of `q`, which are some of `p`'s, with the values given for `p`'s.
fn params_of(q: &Program, p: &Program, values: &[Literal]) -> Vec<Literal> {
    let find = |name: &str| p.params().iter().position(|o| o.name == name).expect("parameters keep their names");
    q.params().iter().map(|o| values[find(&o.name)]).collect()
}

fn same_bits(p: &Program, q: &Program, rng: &mut SplitMix) {
    let params: Vec<Literal> = p.params().iter().map(|o| sample::literal(rng, o.ty)).collect();
    let inputs: Vec<Column> = p.inputs().iter().map(|i| column(rng, i.ty)).collect();
    let (a, b) = (run(p, &params, &inputs), run(q, &params_of(q, p, &params), &inputs));
    for (a, b) in a.iter().zip(&b) {
        assert_eq!(bits(a), bits(b), "\n{p}\nbecame\n{q}");
    }
}

/// What reads the bits of a NaN is not defined by the IR, so such programs cannot be compared.
fn reads_nan_bits(p: &Program) -> bool {
    p.nodes().iter().any(|n| matches!(n, Node::Op(Op::Bitcast(_) | Op::CopySign, _)))
}

#[test]
fn exact_simplification_keeps_every_bit_of_random_programs() {
    let mut rng = SplitMix::new(7);
    let limits = Limits { nodes: 1500, iterations: 6, ..Limits::thorough(RuleClass::Exact) };
    let (mut shorter, mut compared) = (0, 0);
    for seed in 0..600u64 {
        let types: &[Type] = match seed % 3 {
            0 => &[Type::F32],
            1 => &[Type::F64],
            _ => &[Type::F32, Type::I32, Type::Bool],
        };
        let p = sample::program(seed, types, 4 + (seed % 14) as usize);
        if reads_nan_bits(&p) || p.outputs().is_empty() {
            continue;
        }
        let q = simplify(&p, RuleClass::Exact, &limits);
        assert!(operations(&q) <= operations(&p), "\n{p}\nbecame\n{q}");
        shorter += usize::from(operations(&q) < operations(&p));
        compared += 1;
        same_bits(&p, &q, &mut rng);
    }
    assert!(compared >= 200 && shorter >= 40, "{shorter} of {compared} became shorter");
}

#[test]
fn elementary_functions_and_reductions_are_opaque() {
    let mut rng = SplitMix::new(17);
    let limits = Limits { nodes: 800, iterations: 5, ..Limits::thorough(RuleClass::Exact) };
    let extra: Vec<Op> = Op::ELEMENTARY.into_iter().chain(Op::REDUCTIONS).collect();
    let mut compared = 0;
    for seed in 0..160u64 {
        let types: &[Type] = if seed % 2 == 0 { &[Type::F32] } else { &[Type::F64, Type::Bool] };
        let p = sample::program_with(seed, types, 4 + (seed % 8) as usize, &extra);
        if reads_nan_bits(&p) {
            continue;
        }
        let q = simplify(&p, RuleClass::Exact, &limits);
        assert!(operations(&q) <= operations(&p), "\n{p}\nbecame\n{q}");
        same_bits(&p, &q, &mut rng);
        compared += 1;
    }
    assert!(compared >= 60, "{compared}");
    // What is around and inside of them is simplified all the same.
    for (text, after) in [("exp(x*1) + 0*0", 2), ("sum(x - 0)", 1), ("-(-dot(x, y*1))", 1)] {
        let p = skeleton(text, Type::F32).expect("a skeleton");
        assert_eq!(operations(&simplify(&p, RuleClass::Exact, &Limits::thorough(RuleClass::Exact))), after, "{text}");
    }
}

#[test]
fn exact_simplification_finds_what_is_free() {
    for (text, after) in [
        ("(x*1 - 0)*-1", 1),
        ("-(-(x*y))", 1),
        ("fma(-x, y, z)", 1),
        ("z - -(x*-1)*(y*1)", 2),
        ("abs(-x)*abs(-y)", 2),
        ("-min(-x, -y)", 1),
        ("(x + y)*1 + (y + x)", 2),
        ("fma(x, 1, y)*fma(x, y, -0)", 3),
        ("x/4 + x*0.25", 2),
        ("x + 0", 1),
        ("(x + y) - y", 2),
        ("x*y + z", 2),
    ] {
        for ty in [Type::F32, Type::F64] {
            let p = skeleton(text, ty).expect("a skeleton");
            let q = simplify(&p, RuleClass::Exact, &Limits::thorough(RuleClass::Exact));
            assert_eq!(operations(&q), after, "{text} became\n{q}");
            let mut rng = SplitMix::new(3);
            for _ in 0..10 {
                same_bits(&p, &q, &mut rng);
            }
        }
    }
}

#[test]
fn real_simplification_keeps_the_function() {
    for (text, after) in [
        ("((x + y)*z - x*z)/z", 0),
        ("x*y + x*z + x*w", 3),
        ("p0*x + p0*y", 2),
        ("(x*x - y*y)/(x - y)", 5),
        ("x/y/z*y", 1),
        ("2*x + 3*x", 1),
        ("sqrt(x*x)*abs(y)", 2),
        ("1/(1/x + 1/x)", 1),
        ("p0 + (x - p0)", 0),
        ("fma(x, y, x*z)", 2),
        ("min(x, max(x, y)) + 0*y", 0),
    ] {
        let p = skeleton(text, Type::Real).expect("a skeleton");
        let q = simplify(&p, RuleClass::Real, &Limits::thorough(RuleClass::Real));
        assert!(operations(&q) <= after, "{text} became\n{q}");
        for seed in 1..20u64 {
            let mut rng = SplitMix::new(seed);
            let mut draw = |_| 0.5 + (rng.bits() >> 11) as f64 / (1u64 << 53) as f64;
            let params: Vec<f64> = (0..p.params().len()).map(&mut draw).collect();
            let inputs: Vec<f64> = (0..p.inputs().len()).map(&mut draw).collect();
            let kept: Vec<f64> = params.iter().copied().take(q.params().len()).collect();
            let a = real::eval(&p, &params, &inputs, &0.0).expect("real operations")[0];
            let b = real::eval(&q, &kept, &inputs, &0.0).expect("real operations")[0];
            assert!((a - b).abs() <= 1e-9 * (1.0 + a.abs()), "{text}: {a} and {b}, from\n{q}");
        }
    }
}

/// Exact canonical forms with the constants' values carried along: only the constants were touched, and only by signs
/// and by operations among themselves, which round.
#[test]
fn exact_quick_forms_keep_every_bit_without_constants() {
    let mut rng = SplitMix::new(11);
    let mut compared = 0;
    for seed in 1000..1600u64 {
        let p = sample::program(seed, &[Type::F32], 5 + (seed % 10) as usize);
        if reads_nan_bits(&p) || p.nodes().iter().any(|n| matches!(n, Node::Param(_))) || p.outputs().is_empty() {
            continue;
        }
        compared += 1;
        same_bits(&p, &quick_canonical(&p, RuleClass::Exact).program, &mut rng);
        same_bits(&p, &canonical(&p, &Limits { class: RuleClass::Exact, ..Limits::default() }).program, &mut rng);
    }
    assert!(compared >= 10, "{compared}");
}

#[test]
fn any_program_converts() {
    for seed in 0..400u64 {
        let p = sample::program(seed, &Type::ALL, 3 + (seed % 20) as usize);
        for class in [RuleClass::Exact, RuleClass::Real] {
            let limits = Limits { class, nodes: 200, iterations: 3, ..Limits::default() };
            let c = canonical(&p, &limits);
            assert!(operations(&c.program) <= operations(&p), "\n{p}\nbecame\n{}", c.program);
            assert_eq!(c.program.outputs().len(), p.outputs().len());
            let types = |p: &Program| p.outputs().iter().map(|v| p.ty(*v)).collect::<Vec<_>>();
            assert_eq!(types(&c.program), types(&p));
            assert_eq!(canonical(&c.program, &limits).key, c.key, "\n{p}\nbecame\n{}", c.program);
        }
    }
}
