//! Prints the canonical form of skeletons given as arguments, with what it took.

use mathsmith_egraph::{Contraction, Limits, RuleClass, canonical, expr, lang, quick_canonical};
use mathsmith_ir::{Node, Program, Type};
use std::time::Instant;

fn main() {
    let mut limits = Limits::default();
    for text in std::env::args().skip(1) {
        match text.as_str() {
            "--fused" => limits.contraction = Contraction::Fused,
            "--thorough" => limits = Limits { contraction: limits.contraction, ..Limits::thorough(limits.class) },
            t if t.starts_with("--iterations=") => limits.iterations = t[13..].parse().unwrap_or(limits.iterations),
            "--exact" => limits.class = RuleClass::Exact,
            text => match expr::skeleton(text, Type::Real) {
                Ok(p) => report(text, &p, &limits),
                Err(e) => {
                    eprintln!("{text}: {e}");
                    std::process::exit(2);
                }
            },
        }
    }
}

fn report(text: &str, p: &Program, limits: &Limits) {
    let start = Instant::now();
    let c = canonical(p, limits);
    let cold = start.elapsed();
    let start = Instant::now();
    for _ in 0..20 {
        std::hint::black_box(canonical(p, limits));
    }
    let warm = start.elapsed() / 20;
    let start = Instant::now();
    for _ in 0..200 {
        std::hint::black_box(quick_canonical(p, limits.class));
    }
    let quick = start.elapsed() / 200;
    println!("{text}   ->   {}", show(&c.program));
    println!(
        "    key {:032x}, {} -> {} operations, {:?} after {} iterations, {} nodes; {warm:?} ({cold:?} cold), quick {quick:?}",
        c.key,
        lang::operations(p),
        lang::operations(&c.program),
        c.stop,
        c.iterations,
        c.nodes,
    );
}

/// The first output as one expression, shared values repeated.
fn show(p: &Program) -> String {
    let mut texts: Vec<String> = Vec::new();
    for node in p.nodes() {
        let a: Vec<&str> = node.args().iter().map(|v| texts[v.index()].as_str()).collect();
        texts.push(match node {
            Node::Input(i) => p.inputs()[*i as usize].name.clone(),
            Node::Param(i) => p.params()[*i as usize].name.clone(),
            Node::Lit(l) => format!("{}", l.to_f64().unwrap_or(f64::NAN)),
            Node::Op(op, _) => match op.name() {
                "add" => format!("({} + {})", a[0], a[1]),
                "sub" => format!("({} - {})", a[0], a[1]),
                "mul" => format!("{}*{}", a[0], a[1]),
                "div" => format!("({}/{})", a[0], a[1]),
                name => format!("{name}({})", a.join(", ")),
            },
        });
    }
    p.outputs().first().map_or_else(String::new, |v| texts[v.index()].clone())
}
