//! Lists the plans that a function admits; one of two variables on the same domain in both.
//!
//! ```text
//! cargo run -p mathsmith-reduce --example plans -- "EXPR" [A..B] [fma|plain] [auto|none|NAME]
//! ```

use mathsmith_dsl::Reduce;
use mathsmith_oracle::DomainEnds;
use std::process::ExitCode;

fn run(args: &[String]) -> Result<(), String> {
    let [expr, rest @ ..] = args else {
        return Err("error: no function\n  help: plans EXPR [A..B] [fma|plain] [auto|none|NAME]".into());
    };
    let (mut domain, mut fused, mut choice) = ((f64::NEG_INFINITY, f64::INFINITY), true, Reduce::Auto);
    for arg in rest {
        match arg.as_str() {
            "fma" | "plain" => fused = arg == "fma",
            "auto" => choice = Reduce::Auto,
            "none" => choice = Reduce::None,
            text if text.contains("..") => {
                let parsed = mathsmith_dsl::parse_domain(text).map_err(|e| e.render("command line", text, false))?;
                let ends = DomainEnds::new(&parsed).and_then(|ends| ends.f64_range());
                domain = ends.map_err(|e| format!("error: {e}"))?;
            }
            name => choice = Reduce::Named(name.to_string()),
        }
    }
    let function = mathsmith_dsl::parse_expr(expr).map_err(|e| e.render("command line", expr, false))?;
    let plans = match function.vars.len() {
        2 => mathsmith_reduce::plans_of_two(&function, [domain, domain], fused, &choice),
        _ => mathsmith_reduce::plans(&function, domain, fused, &choice),
    };
    let plans = plans.map_err(|e| format!("error: {e}"))?;
    for plan in plans {
        println!("{} ({} operations)", plan.name, plan.operations());
        for core in &plan.cores {
            println!("  {}: {} -> {}: {}", core.name, core.argument, core.value, core.target.source);
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
