//! Nanoseconds a row that the interpreter takes for a Horner form of degree 6 by fma in `f32`.

use mathsmith_ir::{ColumnMut, ColumnRef, Engine, Interpreter, Literal, Op, Program, Type};
use std::time::Instant;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut p = Program::new("horner6");
    let x = p.input("x", Type::F32);
    let mut y = p.lit(Literal::F32(1.0));
    for k in 1..=6 {
        let c = p.lit(Literal::F32(1.0 / k as f32));
        y = p.op(Op::Fma, &[y, x, c])?;
    }
    p.output(y);
    let mut interpreter = Interpreter::new(&p)?;
    let xs: Vec<f32> = (0..1 << 16).map(|i| i as f32 / 65536.0).collect();
    let mut ys = vec![0.0f32; xs.len()];
    let mut best = f64::INFINITY;
    for _ in 0..50 {
        let start = Instant::now();
        interpreter.run(&[], &[ColumnRef::F32(&xs)], &mut [ColumnMut::F32(&mut ys)])?;
        best = best.min(start.elapsed().as_secs_f64() / xs.len() as f64);
    }
    println!("{:.3} ns a row (last result {})", best * 1e9, ys[ys.len() - 1]);
    Ok(())
}
