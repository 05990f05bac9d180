//! Inputs a second of an exhaustive sweep of exp2 on 0..1 with some programs:
//! `cargo run --release -p mathsmith-verify --example rate -- [log2 of the number of inputs] [threads]
//! [programs]`. On a busy machine read the processor time (`perf stat`) rather than the clock.

use mathsmith_ir::{Literal, Op, Program, Type};
use mathsmith_oracle::Reference;
use mathsmith_verify::{FloatDomain, SweepOptions, sweep};
use std::time::Instant;

fn program(last: f32) -> Program {
    let mut p = Program::new("exp2");
    let x = p.input("x", Type::F32);
    let mut y = p.lit(Literal::F32(0.001_877_576_7));
    for c in [0.008_989_341, 0.055_826_318, 0.240_153_62, 0.693_153_1, last] {
        let c = p.lit(Literal::F32(c));
        y = p.must(Op::Fma, &[y, x, c]);
    }
    p.output(y);
    p
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1).map(|a| a.parse::<u32>());
    let log2 = args.next().transpose()?.unwrap_or(26).min(29);
    let threads = args.next().transpose()?.unwrap_or(1) as usize;
    let count = args.next().transpose()?.unwrap_or(1);
    let expr = mathsmith_dsl::parse_expr("exp2(x)").map_err(|e| format!("{e:?}"))?;
    let reference = Reference::new(&expr)?;
    // The floats below 1, where most of the work of a whole sweep has the same shape.
    let domain = FloatDomain::new(f32::from_bits(0x3f80_0000 - (1 << log2)), 1.0)?;
    {
        let programs: Vec<Program> = (0..count).map(|i| program(1.0 - 1e-7 * i as f32)).collect();
        let start = Instant::now();
        let options = SweepOptions { threads, ..SweepOptions::default() };
        let reports = sweep(&reference, &domain, &programs, &options)?;
        let seconds = start.elapsed().as_secs_f64();
        println!(
            "{count} program(s), {threads} thread(s): {} inputs, {seconds:.2} s, {:.1} million inputs a second; {} ULP at {}",
            domain.count(),
            domain.count() as f64 / seconds / 1e6,
            reports[0].max_ulp.value,
            reports[0].max_ulp.input_hex
        );
    }
    Ok(())
}
