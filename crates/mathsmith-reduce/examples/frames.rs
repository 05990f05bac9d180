//! Shows what a reduction makes of a function: constants, cores, and the error that each frame has by itself.
//!
//! ```text
//! cargo run -p mathsmith-reduce --example frames -- FILE "EXPR" [A..B] [fma|plain]
//! ```

use mathsmith_oracle::DomainEnds;
use mathsmith_reduce::{floor, parse};
use std::process::ExitCode;

/// Inputs looked at are some three times as many.
const DENSITY: u32 = 1500;

fn run(args: &[String]) -> Result<(), String> {
    let [file, expr, rest @ ..] = args else {
        return Err("error: nothing to show\n  help: frames FILE EXPR [A..B] [fma|plain]".into());
    };
    let mut domain = (f64::NEG_INFINITY, f64::INFINITY);
    let mut fused = true;
    for arg in rest {
        match arg.as_str() {
            "fma" => fused = true,
            "plain" => fused = false,
            text => {
                let parsed = mathsmith_dsl::parse_domain(text).map_err(|e| e.render("command line", text, false))?;
                let ends = DomainEnds::new(&parsed).and_then(|ends| ends.f64_range());
                domain = ends.map_err(|e| format!("error: {e}"))?;
            }
        }
    }
    let text =
        std::fs::read_to_string(file).map_err(|e| format!("error: {file}: {e}\n  help: name a readable file"))?;
    let show = |errors: Vec<mathsmith_dsl::Diagnostic>| errors.iter().map(|e| e.report(false)).collect::<String>();
    let reduction = parse(file, &text).map_err(show)?;
    let function = mathsmith_dsl::parse_expr(expr).map_err(|e| e.render("command line", expr, false))?;
    let fit = reduction.fit(&function, domain, fused).map_err(|misfit| format!("does not fit: {misfit}"))?;
    println!("{}: {}", reduction.name, reduction.about);
    println!("every identity and condition holds on {:e}..{:e}", domain.0, domain.1);
    for (name, value) in &fit.constants {
        println!("  {name} = {}", value.to_string_radix(10, Some(40)));
    }
    for plan in &fit.plans {
        println!("\nframe {}: {} operations", plan.name, plan.operations());
        let found = floor::measure(plan, &fit.parts, &function, domain, DENSITY).map_err(|e| format!("error: {e}"))?;
        for (core, range) in plan.cores.iter().zip(&found.ranges) {
            let range = range.map_or("no finite argument".into(), |(lo, hi)| format!("arguments in {lo:?}..{hi:?}"));
            println!("  core {}: {} -> {}, {range}, {}", core.name, core.argument, core.value, core.target.source);
        }
        println!("  with exact cores: {:.4} ulp at {:?} ({} inputs)", found.worst, found.at, found.inputs);
        println!("  results of the wrong kind: {}", found.wrong.len());
        for wrong in found.wrong.iter().take(12) {
            println!("    f({:?}) = {:?}, not {:?}", wrong.input, wrong.wanted, wrong.got);
        }
    }
    Ok(())
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{}", message.trim_end());
            ExitCode::from(2)
        }
    }
}
