//! The interpreter against the corpus, and against itself: blocks, loops for two instruction sets, tracing.

use mathsmith_ir::sample::{self, SplitMix};
use mathsmith_ir::{Column, Engine, EngineError, Interpreter, Literal, Op, Program, Type, corpus, interp, staged};
use std::path::Path;

const MACHINE: [Type; 5] = [Type::F32, Type::F64, Type::I32, Type::I64, Type::Bool];

fn run(engine: &mut dyn Engine, p: &Program, params: &[Literal], inputs: &[Column], rows: usize) -> Vec<Column> {
    let mut outputs: Vec<Column> = p.outputs().iter().map(|&v| Column::zeros(p.ty(v), rows)).collect();
    let input_refs: Vec<_> = inputs.iter().map(Column::as_ref).collect();
    let mut output_refs: Vec<_> = outputs.iter_mut().map(Column::as_mut).collect();
    engine.run(params, &input_refs, &mut output_refs).unwrap();
    outputs
}

#[test]
fn corpus_agrees() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases");
    if std::env::var("MATHSMITH_BLESS").is_ok_and(|v| v == "1") {
        for path in corpus::case_files(&dir).unwrap() {
            corpus::bless(&path, |p| Ok(Box::new(Interpreter::new(p)?))).unwrap();
        }
    }
    let cases = corpus::load_dir(&dir).unwrap_or_else(|e| panic!("{e}"));
    assert!(cases.len() >= 150, "the corpus has {} programs", cases.len());
    for case in &cases {
        let mut fast = Interpreter::new(&case.program).unwrap();
        corpus::check(&mut fast, case).unwrap_or_else(|e| panic!("{e}"));
        let mut plain = Interpreter::new(&case.program).unwrap().without_vectors();
        corpus::check(&mut plain, case).unwrap_or_else(|e| panic!("without vectors: {e}"));
    }
}

#[test]
fn corpus_covers_every_operation_and_type() {
    let cases = corpus::load_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases")).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for p in cases.iter().map(|c| &c.program) {
        for node in p.nodes() {
            if let mathsmith_ir::Node::Op(op, _) = node {
                let types: Vec<Type> = node.args().iter().map(|&a| p.ty(a)).collect();
                let op = if let Op::Table(_) = op { Op::Table(p.tables()[0].ty as u32) } else { *op };
                seen.insert((op, types));
            }
        }
    }
    let payloads = MACHINE.iter().flat_map(|&t| [Op::Convert(t), Op::Bitcast(t), Op::Table(t as u32)]);
    let mut missing = Vec::new();
    for op in Op::named().chain(payloads) {
        for a in MACHINE {
            for b in MACHINE {
                let args = match (op.arity(), op) {
                    (1, _) if a == b => vec![a],
                    (3, Op::Select) if a == b => vec![Type::Bool, a, a],
                    (3, _) if a == b => vec![a; 3],
                    (2, _) => vec![a, b],
                    _ => continue,
                };
                if op.infer(&args, |_| Some(Type::F32)).is_some() && !seen.contains(&(op, args.clone())) {
                    missing.push((op, args));
                }
            }
        }
    }
    assert!(missing.is_empty(), "the corpus has no case for {missing:?}");
}

#[test]
fn blocks_instruction_sets_and_tracing_agree() {
    let mut rng = SplitMix::new(3);
    for seed in 0..600 {
        let size = 4 + (seed % 40) as usize;
        let p = if seed < 400 {
            sample::program(seed, &MACHINE, size)
        } else {
            sample::program_with(seed, &MACHINE, size, &Op::ELEMENTARY)
        };
        let params: Vec<Literal> = p.params().iter().map(|q| sample::literal(&mut rng, q.ty)).collect();
        let rows = [1, 31, 255, 256, 257, 600][(seed % 6) as usize];
        let values: Vec<Vec<Literal>> =
            p.inputs().iter().map(|i| (0..rows).map(|_| sample::literal(&mut rng, i.ty)).collect()).collect();
        let inputs: Vec<Column> = p.inputs().iter().zip(&values).map(|(i, v)| Column::from_literals(i.ty, v)).collect();
        let mut fast = Interpreter::new(&p).unwrap();
        let outputs = run(&mut fast, &p, &params, &inputs, rows);
        let plain = run(&mut Interpreter::new(&p).unwrap().without_vectors(), &p, &params, &inputs, rows);
        for row in (0..rows).step_by(37).chain([rows - 1]) {
            let at: Vec<Literal> = values.iter().map(|v| v[row]).collect();
            let trace = interp::trace(&p, &params, &at).unwrap();
            for (k, v) in p.outputs().iter().enumerate() {
                let (got, want) = (outputs[k].get(row), trace[v.index()]);
                assert!(corpus::agree(got, want), "seed {seed} row {row}: {got:?} {want:?}\n{p}");
                assert!(corpus::agree(got, plain[k].get(row)), "seed {seed} row {row}\n{p}");
            }
        }
    }
}

#[test]
fn parameters_are_bound_anew_for_each_call() {
    let p: Program = "program f(x: f64) -> (f64) {\n param c: f64\n y = mul x, c\n return y\n}".parse().unwrap();
    let mut engine = Interpreter::new(&p).unwrap();
    let x = [Column::F64(vec![3.0, 4.0])];
    for c in [2.0, 5.0, 5.0, -0.0] {
        let y = run(&mut engine, &p, &[Literal::F64(c)], &x, 2);
        assert_eq!(y, [Column::F64(vec![3.0 * c, 4.0 * c])]);
    }
}

#[test]
fn misfits_are_refused() {
    let p: Program = "program f(x: f64) -> (f64) {\n param c: f64\n y = mul x, c\n return y\n}".parse().unwrap();
    let mut engine = Interpreter::new(&p).unwrap();
    let c = [Literal::F64(1.0)];
    let (x, narrow) = (Column::F64(vec![1.0; 3]), Column::F32(vec![1.0; 3]));
    let mut refused = |params: &[Literal], inputs: &[&Column], rows: usize| {
        let mut out = Column::F64(vec![0.0; rows]);
        let inputs: Vec<_> = inputs.iter().map(|c| c.as_ref()).collect();
        match engine.run(params, &inputs, &mut [out.as_mut()]) {
            Err(EngineError::Signature(message)) => message,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused(&[], &[&x], 3), "1 parameters wanted, 0 given");
    assert_eq!(refused(&[Literal::F32(1.0)], &[&x], 3), "parameter 0 is f64, f32 given");
    assert_eq!(refused(&c, &[], 3), "1 input columns wanted, 0 given");
    assert_eq!(refused(&c, &[&narrow], 3), "input 0 is f64, the column holds f32");
    assert_eq!(refused(&c, &[&x], 2), "output 0 has 2 rows, the first column 3");
    let real: Program = "program f(x: real) -> (real) {\n return x\n}".parse().unwrap();
    let error = Interpreter::new(&real).err().unwrap().to_string();
    assert!(error.contains("real::eval"), "{error}");
}

/// A program with reductions is its passes, run by hand and reduced by the documented order.
#[test]
fn reductions_are_passes_and_one_order() {
    let mut rng = SplitMix::new(5);
    let mut reductions = 0;
    for seed in 0..300 {
        let p =
            sample::program_with(seed, &[Type::F32, Type::F64, Type::Bool], 5 + (seed % 20) as usize, &Op::REDUCTIONS);
        let rows = [1, 2, 9, 255, 257, 600][(seed % 6) as usize];
        let mut params: Vec<Literal> = p.params().iter().map(|q| sample::literal(&mut rng, q.ty)).collect();
        let inputs: Vec<Column> = p
            .inputs()
            .iter()
            .map(|i| {
                Column::from_literals(i.ty, &(0..rows).map(|_| sample::literal(&mut rng, i.ty)).collect::<Vec<_>>())
            })
            .collect();
        let whole = run(&mut Interpreter::new(&p).unwrap(), &p, &params, &inputs, rows);
        let plain = run(&mut Interpreter::new(&p).unwrap().without_vectors(), &p, &params, &inputs, rows);
        let mut last = Vec::new();
        for pass in staged::passes(&p) {
            last = run(&mut Interpreter::new(&pass.program).unwrap(), &pass.program, &params, &inputs, rows);
            for r in &pass.reductions {
                let columns: Vec<_> = r.columns.iter().map(|&c| last[c].as_ref()).collect();
                params.push(staged::reduce(r.op, &columns).unwrap());
                reductions += 1;
            }
        }
        for (a, (b, c)) in whole.iter().zip(plain.iter().zip(&last)) {
            for row in 0..rows {
                assert!(
                    corpus::agree(a.get(row), b.get(row)) && corpus::agree(a.get(row), c.get(row)),
                    "seed {seed}\n{p}"
                );
            }
        }
    }
    assert!(reductions > 200, "only {reductions} reductions were compared");
}
