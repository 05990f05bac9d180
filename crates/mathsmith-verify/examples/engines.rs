//! Sweeps one program over a domain by the interpreter and by the engine of this machine, and compares every exact figure
//! and the checksum over every output bit: `cargo run --release -p mathsmith-verify --example engines -- PROGRAM.ir 'exp2(x)' 0 1`.

use mathsmith_ir::{Engine, Interpreter, Program};
use mathsmith_oracle::Reference;
use mathsmith_verify::{FloatDomain, SweepOptions, sweep, sweep_with};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [file, reference, lo, hi] = &args[..] else {
        return Err("usage: engines PROGRAM.ir REFERENCE LO HI".into());
    };
    let program: Program = std::fs::read_to_string(file)?.parse()?;
    let reference = Reference::new(&mathsmith_dsl::parse_expr(reference)?)?;
    let domain = FloatDomain::new(lo.parse()?, hi.parse()?)?;
    let options = SweepOptions { threads: 2, ..SweepOptions::default() };
    let programs = [program];
    let native = sweep(&reference, &domain, &programs, &options)?.remove(0);
    let interpreter = |p: &Program| Ok(Box::new(Interpreter::new(p)?) as Box<dyn Engine>);
    let defined = sweep_with(&reference, &domain, &programs, &interpreter, &options)?.remove(0);
    for (name, report) in [("native", &native), ("interpreter", &defined)] {
        println!(
            "{name:>12}: {} inputs, {}, max ULP {} at {}, checksum {:016x}",
            report.inputs,
            report.coverage.word(),
            report.max_ulp.value,
            report.max_ulp.input_hex,
            report.checksum
        );
    }
    if native == defined { Ok(()) } else { Err("the engines differ".into()) }
}
