//! Every rule, by name: over a finite field, in doubles, and bit for bit in `f32` for the exact ones.

use mathsmith_egraph::expr::{Head, Tree, TreeNode};
use mathsmith_egraph::lang::Arith;
use mathsmith_egraph::rules::{Condition, Rule, RuleClass, is_power2, names};
use mathsmith_egraph::{RuleBook, arithmetic, arithmetic_f32, field};

/// Values of the nodes, given those of the names and how to compute.
fn evaluate<T: Copy>(
    tree: &Tree,
    name: &dyn Fn(&str) -> T,
    number: &dyn Fn(f64) -> T,
    op: &dyn Fn(Arith, &[T]) -> T,
) -> T {
    let mut values: Vec<T> = Vec::new();
    for node in &tree.nodes {
        let v = match node {
            TreeNode::Name(n) => name(n),
            TreeNode::Number(x) => number(*x),
            TreeNode::Call(Head::Arith(a), args) => op(*a, &args.iter().map(|&i| values[i]).collect::<Vec<_>>()),
            TreeNode::Call(Head::Other(o), _) => panic!("rules have no {o:?}"),
        };
        values.push(v);
    }
    *values.last().expect("an expression has a node")
}

fn rational(tree: &Tree) -> bool {
    tree.nodes
        .iter()
        .all(|n| !matches!(n, TreeNode::Call(Head::Arith(Arith::Min | Arith::Max | Arith::Abs | Arith::Sqrt), _)))
}

fn conditions<'a>(rule: &'a Rule, name: &'a str) -> impl Iterator<Item = Condition> + 'a {
    rule.conditions.iter().filter(move |(_, n)| n == name).map(|(c, _)| *c)
}

/// A double in ±(2^-4, 2^4) that meets the conditions.
fn double(rule: &Rule, name: &str, word: u64) -> f64 {
    let mut x = (1.0 + (word & 0xfff) as f64 / 4096.0) * [0.0625, 0.25, 0.5, 1.0, 2.0, 8.0][(word >> 12) as usize % 6];
    if word >> 40 & 1 == 1 {
        x = -x;
    }
    for c in conditions(rule, name) {
        x = match c {
            Condition::Nonneg => x.abs(),
            Condition::Power2 => [0.0625, 0.25, 0.5, 1.0, 2.0, 8.0, -4.0][(word >> 20) as usize % 7],
            Condition::Nonzero | Condition::Const => x,
        };
    }
    x
}

/// In the field, where both sides are fractions of polynomials, so that agreement at one random point decides.
fn check_field(rule: &Rule) -> usize {
    let vars = names(&rule.lhs);
    let side = |tree: &Tree, stream: u64| {
        let defined = std::cell::Cell::new(true);
        let op = |a: Arith, v: &[u64]| match a {
            Arith::Add => field::add(v[0], v[1]),
            Arith::Sub => field::sub(v[0], v[1]),
            Arith::Mul => field::mul(v[0], v[1]),
            Arith::Div => field::inv(v[1]).map_or_else(
                || {
                    defined.set(false);
                    0
                },
                |i| field::mul(v[0], i),
            ),
            Arith::Neg => field::neg(v[0]),
            Arith::Fma => field::add(field::mul(v[0], v[1]), v[2]),
            Arith::Fms => field::sub(field::mul(v[0], v[1]), v[2]),
            Arith::Fnma => field::sub(v[2], field::mul(v[0], v[1])),
            Arith::Fnms => field::neg(field::add(field::mul(v[0], v[1]), v[2])),
            other => panic!("{other:?} is not rational"),
        };
        let name = |n: &str| field::random(stream, vars.iter().position(|v| *v == n).expect("a known name") as u64);
        let number = |x: f64| field::from_f64(x).expect("rules have finite numbers");
        let value = evaluate(tree, &name, &number, &op);
        defined.get().then_some(value)
    };
    let mut points = 0;
    for stream in 100..140 {
        if let (Some(l), Some(r)) = (side(&rule.lhs, stream), side(&rule.rhs, stream)) {
            assert_eq!(l, r, "`{}` is wrong over the rationals", rule.name);
            points += 1;
        }
    }
    points
}

/// In doubles, within rounding.
fn check_doubles(rule: &Rule) -> usize {
    let mut points = 0;
    for i in 0..400u64 {
        let name = |n: &str| double(rule, n, field::mix(i << 8 | u64::from(n.as_bytes()[0])));
        let value = |t: &Tree| evaluate(t, &name, &|x| x, &|a, v: &[f64]| arithmetic(a, v));
        let (l, r) = (value(&rule.lhs), value(&rule.rhs));
        if l.is_finite() && r.is_finite() {
            // Operands are within 2^±4, so a sum cancels at most what this scale allows.
            assert!((l - r).abs() <= 1e-9 * (1.0 + l.abs().max(r.abs())), "`{}`: {l} and {r}", rule.name);
            points += 1;
        }
    }
    points
}

const SPECIAL: [u32; 20] = [
    0,
    0x8000_0000,
    1,
    0x8000_0001,
    0x007f_ffff,
    0x0080_0000,
    0x8080_0000,
    0x3f80_0000,
    0xbf80_0000,
    0x3f7f_ffff,
    0x3f80_0001,
    0x4000_0000,
    0x3f00_0000,
    0x7f7f_ffff,
    0xff7f_ffff,
    0x7f80_0000,
    0xff80_0000,
    0x7fc0_0000,
    0x2000_0000,
    0x5f00_0000,
];

/// Bit for bit in `f32`, NaN being one class: every combination of special values, then random ones.
fn check_bits(rule: &Rule) -> usize {
    let vars = names(&rule.lhs);
    let mut points = 0;
    let mut check = |values: &[f32]| {
        let meets = |n: &str, x: f32| {
            conditions(rule, n).all(|c| match c {
                Condition::Nonzero => x != 0.0,
                Condition::Nonneg => x >= 0.0,
                Condition::Power2 => is_power2(f64::from(x)),
                Condition::Const => true,
            })
        };
        if !vars.iter().zip(values).all(|(n, &x)| meets(n, x)) {
            return;
        }
        let name = |n: &str| values[vars.iter().position(|v| *v == n).expect("a known name")];
        let value = |t: &Tree| evaluate(t, &name, &|x| x as f32, &|a, v: &[f32]| arithmetic_f32(a, v));
        let (l, r) = (value(&rule.lhs), value(&rule.rhs));
        let same = l.to_bits() == r.to_bits() || (l.is_nan() && r.is_nan());
        assert!(same, "`{}` at {values:?}: {l:?} ({:#x}) and {r:?} ({:#x})", rule.name, l.to_bits(), r.to_bits());
        points += 1;
    };
    let n = SPECIAL.len();
    for i in 0..n.pow(vars.len() as u32) {
        let values: Vec<f32> = (0..vars.len()).map(|k| f32::from_bits(SPECIAL[i / n.pow(k as u32) % n])).collect();
        check(&values);
    }
    let mut word = 1;
    for i in 0..20_000 {
        let values: Vec<f32> = (0..vars.len())
            .map(|k| {
                word = field::mix(word + k as u64);
                // Every third time near 1, where cancellation and rounding happen at once.
                let bits = if i % 3 == 0 { (word as u32 & 0x80ff_ffff) | 0x3f00_0000 } else { word as u32 };
                let power = conditions(rule, vars[k]).any(|c| c == Condition::Power2);
                f32::from_bits(if power { bits & 0xff80_0000 } else { bits })
            })
            .collect();
        check(&values);
    }
    points
}

#[test]
fn every_rule_passes_its_test() {
    let book = RuleBook::builtin();
    for rule in &book.rules {
        let mut points = 0;
        if rational(&rule.lhs) && rational(&rule.rhs) {
            points += check_field(rule);
        }
        points += check_doubles(rule);
        assert!(points >= 40, "`{}`: only {points} test points meet its conditions", rule.name);
        if rule.class == RuleClass::Exact {
            let bits = check_bits(rule);
            assert!(bits >= 400, "`{}`: only {bits} bit patterns meet its conditions", rule.name);
        }
    }
    println!("{} rules tested", book.rules.len());
}

/// The tests above find a wrong rule of each kind.
#[test]
fn wrong_rules_are_caught() {
    let one = |text: &str| {
        let mut book = RuleBook::default();
        book.read("wrong", text).expect("well-formed");
        book.rules.remove(0)
    };
    let caught = |f: fn(&Rule) -> usize, text: &str| std::panic::catch_unwind(|| f(&one(text))).is_err();
    assert!(caught(check_field, "[real]\na: a*(b + c) => a*b + c"));
    assert!(caught(check_field, "[real]\na: a - b => b - a"));
    assert!(caught(check_doubles, "[real]\na: sqrt(a*a) => a"));
    assert!(caught(check_doubles, "[real]\na: min(a*c, b*c) => min(a, b)*c"));
    assert!(caught(check_bits, "[exact]\na: a + 0 => a"));
    assert!(caught(check_bits, "[exact]\na: -(a - b) => b - a"));
    assert!(caught(check_bits, "[exact]\na: min(a, b) => min(b, a)"));
    assert!(caught(check_bits, "[exact]\na: (a + b) + c => a + (b + c)"));
    assert!(caught(check_bits, "[exact]\na: fma(a, b, c) => a*b + c"));
    assert!(caught(check_bits, "[exact]\na: a/a => 1"));
}
