//! The front of error against operation count in real arithmetic, for experiments with the search itself:
//!
//! ```text
//! cargo run --release -p mathsmith-approx --example real_front -- "exp2(x)" 0 1 --ops 10 --seconds 120 --seed 1
//! ```
//!
//! `--evals N` instead of `--seconds` repeats a run. Errors are those of the search: largest relative error on 128
//! points, in double-doubles where it is small. A line every ten seconds shows how far each size has come.

use mathsmith_approx::structure::{Hooks, RealTarget, SearchSettings, SearchSpace, search_real};
use mathsmith_fit::{Dd, Metric};
use mathsmith_ir::Op;
use mathsmith_oracle::Reference;
use mathsmith_search::{Budget, Control, Progress};
use std::error::Error;
use std::time::{Duration, Instant};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    // What stands before the first flag: function and domain.
    let places: Vec<&String> = args.iter().take_while(|a| !a.starts_with("--")).collect();
    let place = |i: usize, default: &str| places.get(i).map_or(default.to_string(), |a| a.to_string());
    let flag = |name: &str| -> Result<Option<f64>, Box<dyn Error>> {
        let Some(at) = args.iter().position(|a| a == name) else { return Ok(None) };
        let value = args.get(at + 1).ok_or_else(|| format!("{name} needs a number"))?;
        Ok(Some(value.parse().map_err(|_| format!("{name}: `{value}` is no number"))?))
    };
    let expression = mathsmith_dsl::parse_expr(&place(0, "exp2(x)")).map_err(|e| e.report(false))?;
    let reference = Reference::new(&expression)?;
    let domain: (f64, f64) = (place(1, "0").parse()?, place(2, "1").parse()?);
    let value = |x: f64| {
        let (hi, lo) = reference.value_dd(&[x]);
        Dd::new(hi, lo)
    };
    let target = RealTarget::new(domain, &value, Metric::Relative)?;

    let space = SearchSpace::new(&[Op::Add, Op::Sub, Op::Mul, Op::Div], flag("--ops")?.unwrap_or(10.0) as u32);
    let mut settings = SearchSettings::default();
    settings.engine.seed = flag("--seed")?.unwrap_or(1.0) as u64;
    settings.engine.islands = flag("--islands")?.unwrap_or(4.0) as u32;
    let evaluations = flag("--evals")?.map(|n| n as u64);
    let seconds = flag("--seconds")?.unwrap_or(60.0);
    let time = evaluations.is_none().then(|| Duration::try_from_secs_f64(seconds)).transpose()?;
    let mut show = |p: &Progress| {
        print!("{:6.1} s {:9} evaluations {:6.0}/s ", p.elapsed.as_secs_f64(), p.stats.evaluated, p.rate);
        p.best.iter().for_each(|(size, error)| print!(" {size}:{:.2}", error.log10()));
        println!();
    };
    let control = Control { progress: Some(&mut show), progress_every: Duration::from_secs(10), ..Default::default() };
    let threads = flag("--threads")?.unwrap_or(2.0) as usize;
    let start = Instant::now();
    let outcome = search_real(
        &target,
        &space,
        &settings,
        &Budget { evaluations, time },
        Hooks { threads, control, ..Default::default() },
    )?;
    println!("{:?} in {:.1} s, {:?}", outcome.finish, start.elapsed().as_secs_f64(), outcome.stats);
    for entry in &outcome.front {
        println!("\n{} operations, 1e{:.3}\n{}", entry.ops, entry.error.log10(), entry.program);
    }
    Ok(())
}
