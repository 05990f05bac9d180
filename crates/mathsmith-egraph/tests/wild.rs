//! The absorption of free constants: each line of `rules/wild.rules` is right, and the quick stage does what it says.

use mathsmith_egraph::expr::{Head, Tree, TreeNode, parse, skeleton};
use mathsmith_egraph::rules::names;
use mathsmith_egraph::{RuleClass, arithmetic, field, quick_canonical};
use mathsmith_ir::{Literal, RealLit, Type};
use std::collections::BTreeMap;

type Values = BTreeMap<String, f64>;

struct Wild {
    name: &'static str,
    left: &'static str,
    right: &'static str,
    forward: Vec<(&'static str, Tree)>,
    backward: Vec<(&'static str, Tree)>,
}

fn rules() -> Vec<Wild> {
    let assignments = |text: &'static str| -> Vec<(&'static str, Tree)> {
        text.split(", ")
            .map(|a| a.split_once('=').expect("name = value"))
            .map(|(n, e)| (n.trim(), parse(e.trim()).unwrap_or_else(|x| panic!("{e}: {x}"))))
            .collect()
    };
    include_str!("../rules/wild.rules")
        .lines()
        .filter(|l| !l.starts_with('#') && !l.is_empty())
        .map(|line| {
            let (name, rest) = line.split_once(':').expect("name: rule");
            let (sides, maps) = rest.split_once(" with ").expect("a mapping");
            let (left, right) = sides.split_once("=>").expect("two sides");
            let (forward, backward) = maps.split_once(';').expect("two mappings");
            let (forward, backward) = (assignments(forward), assignments(backward));
            Wild { name, left: left.trim(), right: right.trim(), forward, backward }
        })
        .collect()
}

fn value(tree: &Tree, v: &Values) -> f64 {
    let mut out: Vec<f64> = Vec::new();
    for node in &tree.nodes {
        out.push(match node {
            TreeNode::Name(n) => v[n],
            TreeNode::Number(x) => *x,
            TreeNode::Call(Head::Arith(a), args) => arithmetic(*a, &args.iter().map(|&i| out[i]).collect::<Vec<_>>()),
            TreeNode::Call(Head::Other(o), _) => panic!("no {o:?} in wild rules"),
        });
    }
    out[out.len() - 1]
}

fn constant(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
}

fn draw(seed: u64) -> f64 {
    let w = field::mix(seed);
    let x = 0.25 + (w >> 40) as f64 / (1u64 << 23) as f64;
    if w & 1 == 0 { x } else { -x }
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * (1.0 + a.abs().max(b.abs()))
}

/// Fixes the constants of `known` at random, computes those of the other side by `map`, and compares the sides.
fn contained(rule: &Wild, known: &Tree, other: &Tree, map: &[(&str, Tree)]) {
    for seed in 0..50 {
        let mut v = Values::new();
        for (i, n) in names(known).into_iter().chain(["x", "y", "p0"]).enumerate() {
            v.insert(n.to_owned(), draw(seed << 8 | i as u64));
        }
        let mut w: Values = v.iter().filter(|(n, _)| !constant(n)).map(|(n, x)| (n.clone(), *x)).collect();
        for (n, e) in map {
            w.insert((*n).to_owned(), value(e, &v));
        }
        let (l, r) = (value(known, &v), value(other, &w));
        assert!(close(l, r), "`{}`: {l} and {r} at {v:?}", rule.name);
    }
}

#[test]
fn each_family_contains_the_other() {
    let rules = rules();
    assert!(rules.len() >= 30);
    for rule in &rules {
        let (left, right) = (parse(rule.left).expect("an expression"), parse(rule.right).expect("an expression"));
        contained(rule, &left, &right, &rule.forward);
        contained(rule, &right, &left, &rule.backward);
    }
}

/// The text with every capital as a free constant, and the capitals in the order of the parameters.
fn free(text: &str) -> (String, Vec<String>) {
    let mut order = Vec::new();
    let mut out = String::new();
    for c in text.chars() {
        if c.is_ascii_uppercase() {
            order.push(c.to_string());
            out.push('C');
        } else {
            out.push(c);
        }
    }
    (out, order)
}

#[test]
fn the_quick_stage_does_it_and_carries_the_values() {
    for rule in rules() {
        let (left, order) = free(rule.left);
        let mut p = skeleton(&left, Type::Real).expect("a skeleton");
        let q = skeleton(&free(rule.right).0, Type::Real).expect("a skeleton");
        let mut v = Values::new();
        for i in 0..p.params().len() {
            // Parameters are named c0, c1, … by position, or p0.
            let name = p.params()[i].name.clone();
            let letter = if name == "p0" { name } else { order[i - usize::from(has_shared_before(&p, i))].clone() };
            let x = draw(900 + i as u64);
            p.set_param(i, Literal::Real(RealLit::new(x)));
            v.insert(letter, x);
        }
        let (a, b) = (quick_canonical(&p, RuleClass::Real), quick_canonical(&q, RuleClass::Real));
        assert_eq!(a.key, b.key, "`{}`", rule.name);
        let mut wanted: Vec<f64> = rule.forward.iter().map(|(_, e)| value(e, &v)).collect();
        wanted.extend(v.get("p0"));
        let got: Vec<f64> =
            a.program.params().iter().map(|p| p.value.and_then(|l| l.to_f64()).expect("a value")).collect();
        assert_eq!(got.len(), wanted.len(), "`{}`", rule.name);
        for w in wanted {
            assert!(got.iter().any(|g| close(*g, w)), "`{}`: {w} is not among {got:?}", rule.name);
        }
    }
}

fn has_shared_before(p: &mathsmith_ir::Program, i: usize) -> bool {
    p.params()[..i].iter().any(|q| q.name == "p0")
}

#[test]
fn a_value_that_would_divide_by_zero_is_unknown() {
    let mut p = skeleton("x/C", Type::F32).expect("a skeleton");
    p.set_param(0, Literal::F32(0.0));
    let q = quick_canonical(&p, RuleClass::Real);
    assert_eq!(q.program.params()[0].value, None);
    assert_eq!(q.origin, [None]);
}
