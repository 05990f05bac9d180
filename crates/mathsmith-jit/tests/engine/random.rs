//! Random programs: kernels in every shape compute the interpreter's bits.

use crate::common::{RandomProgram, Rng, class_bits, column, is_nan, literal, random_program, run};
use mathsmith_ir::{Interpreter, Literal, Node, Op, Type};
use mathsmith_jit::{Compiler, Host, Lanes};
use std::collections::BTreeSet;

const NARROW: &[Type] = &[Type::F32, Type::I32, Type::Bool];
const WIDE: &[Type] = &[Type::F64, Type::I64, Type::Bool];
const MIXED: &[Type] = &[Type::F32, Type::F64, Type::I32, Type::I64, Type::Bool];

/// Compares kernel and interpreter on `programs` random programs; returns the operations that were compared.
fn compare(seed: u64, types: &[Type], lanes: Lanes, programs: usize) -> BTreeSet<&'static str> {
    let mut rng = Rng::new(seed);
    let mut compiler = Compiler::new(&Host::detect()).expect("the machine that runs the tests compiles kernels");
    let mut seen = BTreeSet::new();
    let (mut compared, mut skipped) = (0_usize, 0_usize);
    for case in 0..programs {
        let ops = 1 + rng.below(24);
        let RandomProgram { program, witnesses } = random_program(&mut rng, types, ops);
        let kernel = compiler.compile(&program, lanes);
        let mut kernel = match kernel {
            Ok(kernel) => kernel,
            Err(e) => panic!("seed {seed}, case {case}: {e}\n{program}"),
        };
        let mut interpreter = Interpreter::new(&program).expect("the interpreter runs machine types");
        let rows = rng.pick(&[1, 2, 3, 4, 5, 7, 15, 16, 17, 31, 61]);
        let params: Vec<Literal> = program.params().iter().map(|p| literal(&mut rng, p.ty)).collect();
        let inputs: Vec<_> = program.inputs().iter().map(|i| column(&mut rng, i.ty, rows)).collect();
        let expected = run(&mut interpreter, &program, &params, &inputs, rows);
        let computed = run(&mut kernel, &program, &params, &inputs, rows);
        let first_witness = expected.len() - witnesses;
        for row in 0..rows {
            if expected[first_witness..].iter().any(|c| is_nan(c, row)) {
                skipped += 1;
                continue;
            }
            compared += 1;
            for (output, (e, c)) in expected.iter().zip(&computed).enumerate() {
                assert_eq!(
                    class_bits(e, row),
                    class_bits(c, row),
                    "seed {seed}, case {case}, {lanes:?}, output {output}, row {row} of {rows}: interpreter {e:?}, \
                     kernel {c:?}, inputs {inputs:?}, params {params:?}\n{program}"
                );
            }
        }
        let live = program.live();
        seen.extend(program.nodes().iter().zip(live).filter_map(|(node, live)| match node {
            Node::Op(op, _) if live => Some(op.name()),
            _ => None,
        }));
    }
    assert!(compared > skipped, "more than half of the rows must count: {compared} compared, {skipped} skipped");
    seen
}

fn every_operation(seen: &BTreeSet<&str>) {
    let all = Op::PLAIN.iter().copied().chain([Op::Convert(Type::F32), Op::Bitcast(Type::F32), Op::Table(0)]);
    let missing: Vec<&str> = all.map(Op::name).filter(|name| !seen.contains(name)).collect();
    assert!(missing.is_empty(), "operations that no random program used: {missing:?}");
}

#[test]
fn scalar_kernels_equal_the_interpreter() {
    every_operation(&compare(1, MIXED, Lanes::Scalar, 1500));
}

#[test]
fn vectors_of_four_equal_the_interpreter() {
    every_operation(&compare(2, NARROW, Lanes::Simd128, 1500));
}

#[test]
fn vectors_of_two_equal_the_interpreter() {
    every_operation(&compare(3, WIDE, Lanes::Simd128, 1500));
}

#[test]
fn the_automatic_shape_equals_the_interpreter() {
    compare(4, MIXED, Lanes::Auto, 400);
    compare(5, NARROW, Lanes::Auto, 400);
}
