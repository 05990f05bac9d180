//! The rules of shrinking: patterns and replacements, read from `shrink.rules`, and what they match in a program.
//!
//! A rule is an ordinary term on both sides. Replacements are built by [`construct`], which
//! computes what is constant and drops what does nothing, so a deletion carries through to everything that becomes idle.

use super::shrink_build::{Change, Rebuild, constant, construct, number};
use mathsmith_ir::{Literal, Node, Op, Program, Type, Value};
use std::sync::OnceLock;

/// One side of a rule.
#[derive(Clone, Debug, PartialEq)]
enum Term {
    /// A letter: any value, or a constant if it is a capital.
    Name(char),
    /// A number; integers match integer literals, all match floats of that value.
    Number(f64),
    Op(Op, Vec<Term>),
}

/// A pattern with its replacements.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pattern: Term,
    replacements: Vec<Term>,
}

/// What the letters of a pattern stand for.
type Bindings = Vec<(char, Value)>;

/// The rules that ship.
pub(super) fn rules() -> &'static [Rule] {
    static RULES: OnceLock<Vec<Rule>> = OnceLock::new();
    RULES.get_or_init(|| parse(include_str!("shrink.rules")).expect("a test reads the rules that ship"))
}

fn parse(text: &str) -> Result<Vec<Rule>, String> {
    let lines = text.lines().map(|l| l.split('#').next().unwrap_or_default().trim()).filter(|l| !l.is_empty());
    lines
        .map(|line| {
            let (left, right) = line.split_once("=>").ok_or_else(|| format!("`{line}` has no =>"))?;
            let replacements = right.split('|').map(term).collect::<Result<Vec<Term>, String>>()?;
            Ok(Rule { pattern: term(left)?, replacements })
        })
        .collect()
}

fn term(text: &str) -> Result<Term, String> {
    let spaced = text.replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let found = read(&words, &mut at)?;
    if at == words.len() { Ok(found) } else { Err(format!("`{text}` goes on behind its end")) }
}

fn read(words: &[&str], at: &mut usize) -> Result<Term, String> {
    let word = *words.get(*at).ok_or("a term is missing")?;
    *at += 1;
    if word != "(" {
        let hexadecimal = word.strip_prefix("0x").map(|h| u32::from_str_radix(h, 16));
        return match (word.chars().next(), hexadecimal) {
            (_, Some(Ok(bits))) => Ok(Term::Number(f64::from(bits as i32))),
            (Some(c), _) if c.is_ascii_alphabetic() && word.len() == 1 => Ok(Term::Name(c)),
            _ => word.parse().map(Term::Number).map_err(|_| format!("`{word}` is neither a letter nor a number")),
        };
    }
    let name = *words.get(*at).ok_or("an operation is missing")?;
    *at += 1;
    let op = op(name).ok_or_else(|| format!("`{name}` is no operation"))?;
    let mut args = Vec::new();
    while words.get(*at) != Some(&")") {
        args.push(read(words, at)?);
    }
    *at += 1;
    if args.len() == op.arity() {
        Ok(Term::Op(op, args))
    } else {
        Err(format!("`{name}` with {} arguments", args.len()))
    }
}

fn op(name: &str) -> Option<Op> {
    let ty = |name: &str| [Type::F32, Type::F64, Type::I32, Type::I64].into_iter().find(|t| t.name() == name);
    match name.split_once('.') {
        Some(("convert", to)) => ty(to).map(Op::Convert),
        Some(("bitcast", to)) => ty(to).map(Op::Bitcast),
        _ => Op::PLAIN.into_iter().find(|op| op.name() == name),
    }
}

impl Term {
    fn fuses(&self) -> bool {
        matches!(self, Term::Op(op, args) if *op == Op::Fma || args.iter().any(Term::fuses))
    }

    fn matches(&self, program: &Program, v: Value, bound: &mut Bindings) -> bool {
        match self {
            Term::Name(name) => {
                if name.is_ascii_uppercase() && constant(program, v).is_none() {
                    return false;
                }
                match bound.iter().find(|b| b.0 == *name) {
                    Some(b) => b.1 == v,
                    None => {
                        bound.push((*name, v));
                        true
                    }
                }
            }
            Term::Number(x) => matches!(program.node(v), Node::Lit(l) if number(l) == Some(*x)),
            Term::Op(op, terms) => {
                let Node::Op(found, args) = program.node(v) else { return false };
                if found != *op {
                    return false;
                }
                let known = bound.len();
                let mut in_order = |order: [usize; 3]| {
                    bound.truncate(known);
                    terms.iter().zip(order).all(|(t, i)| t.matches(program, args[i], bound))
                };
                in_order([0, 1, 2]) || (op.commutes() && in_order([1, 0, 2]))
            }
        }
    }

    /// Adds the term to a program; a number has type `hint`. `None` where types do not fit.
    fn build(&self, out: &mut Program, bound: &dyn Fn(char) -> Option<Value>, hint: Type) -> Option<Value> {
        match self {
            Term::Name(name) => bound(*name),
            Term::Number(x) => typed(hint, *x).map(|l| out.lit(l)),
            Term::Op(op, terms) => {
                // Numbers take the type of an argument that has one of its own.
                let mut args: Vec<Option<Value>> = vec![None; terms.len()];
                let mut ty = hint;
                for (slot, term) in args.iter_mut().zip(terms) {
                    if !matches!(term, Term::Number(_)) {
                        let v = term.build(out, bound, hint)?;
                        ty = if out.ty(v) == Type::Bool { ty } else { out.ty(v) };
                        *slot = Some(v);
                    }
                }
                for (slot, term) in args.iter_mut().zip(terms) {
                    if slot.is_none() {
                        *slot = Some(term.build(out, bound, ty)?);
                    }
                }
                construct(out, *op, &args.into_iter().collect::<Option<Vec<Value>>>()?)
            }
        }
    }
}

fn typed(ty: Type, x: f64) -> Option<Literal> {
    match ty {
        Type::I32 => Some(Literal::I32(x as i32)),
        Type::I64 => Some(Literal::I64(x as i64)),
        Type::Bool => None,
        ty => Literal::float(ty, x),
    }
}

/// Every program that one use of one rule makes, in the order of nodes and rules.
pub(super) fn applied(program: &Program, fused: bool) -> Vec<Change> {
    let live = program.live();
    let mut out = Vec::new();
    for v in program.values().filter(|v| live[v.index()]) {
        for (i, rule) in rules().iter().enumerate() {
            let mut bound = Bindings::new();
            if !rule.pattern.matches(program, v, &mut bound) {
                continue;
            }
            for (k, replacement) in rule.replacements.iter().enumerate() {
                if !fused && replacement.fuses() && !rule.pattern.fuses() {
                    continue;
                }
                let ty = program.ty(v);
                let new = Rebuild::new(program).replacing(v, |out, map| {
                    let value = |name: char| bound.iter().find(|b| b.0 == name).and_then(|b| map(b.1));
                    replacement.build(out, &value, ty).filter(|&new| out.ty(new) == ty)
                });
                let way = (i * 16 + k) as u32;
                out.extend(new.map(|program| Change { at: v, way, program }));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(body: &str) -> Program {
        let text = format!("program f(x: f32) -> (f32) {{\n{body}\n}}");
        text.parse().unwrap_or_else(|e| panic!("{e}\n{text}"))
    }

    fn made(body: &str, fused: bool) -> Vec<String> {
        applied(&program(body), fused).into_iter().map(|c| c.program.to_string()).collect()
    }

    #[test]
    fn the_rules_are_read() {
        assert!(rules().len() > 80);
        assert!(parse("(add a b)").is_err() && parse("(add a) => a").is_err() && parse("(plus a b) => a").is_err());
        // Every letter of a replacement is one of its pattern, so that every rule can apply.
        fn letters(t: &Term, out: &mut Vec<char>) {
            match t {
                Term::Name(c) => out.push(*c),
                Term::Op(_, args) => args.iter().for_each(|a| letters(a, out)),
                Term::Number(_) => {}
            }
        }
        for rule in rules() {
            let (mut left, mut right) = (Vec::new(), Vec::new());
            letters(&rule.pattern, &mut left);
            rule.replacements.iter().for_each(|r| letters(r, &mut right));
            assert!(right.iter().all(|c| left.contains(c)), "{rule:?}");
        }
    }

    #[test]
    fn constants_meet_in_one() {
        let all = made("param a: f32 = 2\nb = mul x, a\nc = mul b, 3.0\nreturn c", false);
        assert!(all.iter().any(|p| p.contains("0x1.8p+2") && p.matches("mul").count() == 1), "{all:#?}");
    }

    #[test]
    fn products_and_sums_fuse_only_where_they_may() {
        let body = "b = mul x, x\nc = add b, x\nreturn c";
        assert!(made(body, true).iter().any(|p| p.contains("fma")));
        assert!(made(body, false).iter().all(|p| !p.contains("fma")));
    }

    #[test]
    fn a_power_of_two_goes_into_the_exponent() {
        let body = "n = convert.i32 x\ne = add n, 127\ns = shl e, 23\nf = bitcast.f32 s\ny = mul x, f\nreturn y";
        let all = made(body, true);
        assert!(
            all.iter().any(|p| !p.contains("127") && !p.contains("mul") && p.contains("bitcast.i32 x")),
            "{all:#?}"
        );
    }
}
