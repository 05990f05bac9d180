//! Executable memory is returned: in a process of its own, because it counts the process's mappings.
#![cfg(target_os = "linux")]

use mathsmith_ir::{ColumnMut, ColumnRef, Literal, Op, Program, Type};
use mathsmith_jit::{Compiler, Host, Lanes};

/// Executable mappings that no file backs.
fn anonymous_code() -> usize {
    let maps = std::fs::read_to_string("/proc/self/maps").expect("Linux lists its mappings");
    let code = |line: &&str| line.split(' ').nth(1).is_some_and(|p| p.contains('x')) && !line.contains(['/', '[']);
    maps.lines().filter(code).count()
}

#[test]
fn dropped_kernels_return_their_memory() {
    let mut p = Program::new("line");
    let x = p.input("x", Type::F32);
    let c = p.lit(Literal::F32(3.0));
    let y = p.must(Op::Mul, &[x, c]);
    p.output(y);
    let mut compiler = Compiler::new(&Host::detect()).expect("compiles here");
    let before = anonymous_code();
    let held: Vec<_> = (0..50).map(|_| compiler.compile(&p, Lanes::Auto).expect("compiles")).collect();
    assert!(anonymous_code() > before, "the count sees live kernels");
    drop(held);
    for _ in 0..500 {
        let kernel = compiler.compile(&p, Lanes::Auto).expect("compiles");
        let mut y = [0.0; 2];
        kernel.call(&[], &[ColumnRef::F32(&[1.0, 2.0])], &mut [ColumnMut::F32(&mut y)]).expect("fits");
        assert_eq!(y, [3.0, 6.0]);
    }
    assert_eq!(anonymous_code(), before, "every module was unmapped");
}
