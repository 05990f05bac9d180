//! Time of both canonical stages over random skeletons of ten operations, and what they merge.

use mathsmith_egraph::{Contraction, Limits, RuleClass, canonical, field, lang, quick_key};
use mathsmith_ir::{Op, Program, Type, Value};
use std::time::{Duration, Instant};

/// A random skeleton of `ops` operations on `x` and free constants; each value is used, as the next argument.
fn random(seed: u64, ops: u64) -> Program {
    let mut p = Program::new("random");
    let x = p.input("x", Type::Real);
    let mut values: Vec<Value> = vec![x];
    let mut word = seed;
    let mut draw = |n: usize| {
        word = field::mix(word);
        (word >> 20) as usize % n
    };
    for i in 0..ops {
        let a = values[values.len() - 1];
        let b = match draw(4) {
            0 | 1 => p.param(format!("c{i}"), Type::Real, None),
            2 => values[draw(values.len())],
            _ => x,
        };
        let op = [Op::Add, Op::Mul, Op::Sub, Op::Div, Op::Add, Op::Mul][draw(6)];
        let args = if draw(2) == 0 { [a, b] } else { [b, a] };
        values.push(p.must(op, &args));
    }
    p.output(values[values.len() - 1]);
    p
}

/// CPU time of this process's main thread where the system tells it (Linux), else elapsed time: other work on the machine
/// does not count.
fn now(origin: Instant) -> Duration {
    let cpu = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let cpu = cpu.and_then(|s| s.split_whitespace().next().and_then(|n| n.parse().ok()));
    cpu.map_or_else(|| origin.elapsed(), Duration::from_nanos)
}

fn main() {
    let origin = Instant::now();
    let programs: Vec<Program> = (0..400).map(|s| random(s << 32 | 7, 10)).collect();
    let start = now(origin);
    for p in (0..20).flat_map(|_| &programs) {
        std::hint::black_box(quick_key(p, RuleClass::Real));
    }
    println!("quick key: {:?} a skeleton", (now(origin) - start) / (20 * programs.len() as u32));
    let base = Limits { contraction: Contraction::Separate, ..Limits::default() };
    for (iterations, nodes) in [(2, 200), (3, 200), (4, 150), (4, 250), (4, 400), (5, 800)] {
        let limits = Limits { iterations, nodes, ..base };
        canonical(&programs[0], &limits);
        let begin = now(origin);
        let (mut before, mut after, mut keys) = (0, 0, Vec::new());
        for p in &programs {
            let c = canonical(p, &limits);
            before += lang::operations(p);
            after += lang::operations(&c.program);
            keys.push(c.key);
        }
        let mean = (now(origin) - begin) / programs.len() as u32;
        keys.sort_unstable();
        keys.dedup();
        println!(
            "{iterations} iterations, {nodes} nodes: {mean:?} a skeleton; operations {before} -> {after}; {} different",
            keys.len()
        );
    }
}
