//! Rust: one function with everything it needs inside it.
//!
//! `core` has neither `mul_add` nor `sqrt` nor rounding, and `std`'s are library calls on a target without the
//! instruction. The helpers in `support/` are plain source with the same bits on every target; they are nested in the
//! function, so that two emitted functions can stand in one module.

use crate::{Lang, literal, names};
use mathsmith_ir::{Literal, Node, Op, Program, Type, Value};
use std::collections::BTreeSet;
use std::fmt::Write;

/// Helpers in the order in which they are written, each with those it calls.
const HELPERS: &[(&str, &str, &[&str])] = &[
    ("fma_f32", include_str!("support/fma_f32.rs"), &[]),
    ("fma_f64", include_str!("support/fma_f64.rs"), &[]),
    ("sqrt_f32", include_str!("support/sqrt_f32.rs"), &[]),
    ("sqrt_f64", include_str!("support/sqrt_f64.rs"), &[]),
    ("copysign_f32", include_str!("support/copysign_f32.rs"), &[]),
    ("copysign_f64", include_str!("support/copysign_f64.rs"), &[]),
    ("ceil_f32", include_str!("support/ceil_f32.rs"), &["floor_f32", "round_even_f32"]),
    ("ceil_f64", include_str!("support/ceil_f64.rs"), &["floor_f64", "round_even_f64"]),
    ("trunc_f32", include_str!("support/trunc_f32.rs"), &["floor_f32", "round_even_f32"]),
    ("trunc_f64", include_str!("support/trunc_f64.rs"), &["floor_f64", "round_even_f64"]),
    ("floor_f32", include_str!("support/floor_f32.rs"), &["round_even_f32"]),
    ("floor_f64", include_str!("support/floor_f64.rs"), &["round_even_f64"]),
    ("round_even_f32", include_str!("support/round_even_f32.rs"), &[]),
    ("round_even_f64", include_str!("support/round_even_f64.rs"), &[]),
];

/// The source of a function; the caller has checked program and name.
pub(crate) fn function(program: &Program, name: &str, comment: &[String]) -> String {
    let mut w = Writer { program, inputs: names::inputs(program, name, Lang::Rust), helpers: BTreeSet::new() };
    let live = program.live();
    let mut body = String::new();
    for v in program.values().filter(|v| live[v.index()]) {
        if let Node::Op(op, _) = program.node(v) {
            let text = w.operation(op, v);
            // Writing to a string cannot fail.
            let _ = writeln!(body, "    let t{}: {} = {text};", v.0, program.ty(v));
        }
    }
    let outputs: Vec<String> = program.outputs().iter().map(|&v| w.operand(v, true)).collect();
    let types: Vec<&str> = program.outputs().iter().map(|&v| program.ty(v).name()).collect();
    let (result, value) = match (&types[..], &outputs[..]) {
        ([t], [o]) => ((*t).to_owned(), o.clone()),
        _ => (format!("({})", types.join(", ")), format!("({})", outputs.join(", "))),
    };
    let arguments: Vec<String> = w.inputs.iter().zip(program.inputs()).map(|(n, i)| format!("{n}: {}", i.ty)).collect();

    let mut out = String::new();
    for line in comment {
        let _ = writeln!(out, "{}", format!("/// {line}").trim_end());
    }
    // Generated constants look like well-known ones, and inputs may go unused.
    out.push_str("#[allow(clippy::all, dead_code, unused_variables, unused_unsafe, unused_parens)]\n#[inline]\n");
    let _ = writeln!(out, "pub fn {name}({}) -> {result} {{", arguments.join(", "));
    for (i, table) in program.tables().iter().enumerate() {
        if w.uses_table(i, &live) {
            let entries: Vec<String> = table.values.iter().map(|&l| literal::rust(l, false)).collect();
            let _ = writeln!(
                out,
                "    const TABLE{i}: [{}; {}] = [\n{}    ];",
                table.ty,
                entries.len(),
                wrapped(&entries, "        ")
            );
        }
    }
    for (helper, source, _) in HELPERS.iter().filter(|(h, ..)| w.helpers.contains(h)) {
        debug_assert!(source.contains(helper));
        for line in source.lines() {
            let _ = writeln!(out, "{}", format!("    {line}").trim_end());
        }
    }
    out.push_str(&body);
    let _ = writeln!(out, "    {value}\n}}");
    out
}

/// Entries of a table, as many to a line as fit into 110 columns.
pub(crate) fn wrapped(entries: &[String], indent: &str) -> String {
    let mut out = String::new();
    let mut line = indent.to_owned();
    for e in entries {
        if line.len() + e.len() > 110 && line.len() > indent.len() {
            out.push_str(line.trim_end());
            out.push('\n');
            line = indent.to_owned();
        }
        line.push_str(e);
        line.push_str(", ");
    }
    out.push_str(line.trim_end());
    out.push('\n');
    out
}

struct Writer<'a> {
    program: &'a Program,
    inputs: Vec<String>,
    helpers: BTreeSet<&'static str>,
}

impl Writer<'_> {
    fn uses_table(&self, table: usize, live: &[bool]) -> bool {
        self.program
            .nodes()
            .iter()
            .zip(live)
            .any(|(n, &l)| l && matches!(n, Node::Op(Op::Table(t), _) if *t as usize == table))
    }

    fn constant(&self, v: Value) -> Option<Literal> {
        match self.program.node(v) {
            Node::Lit(l) => Some(l),
            Node::Param(i) => self.program.params()[i as usize].value,
            _ => None,
        }
    }

    fn operand(&self, v: Value, typed: bool) -> String {
        match (self.program.node(v), self.constant(v)) {
            (_, Some(l)) => literal::rust(l, typed),
            (Node::Input(i), _) => self.inputs[i as usize].clone(),
            _ => format!("t{}", v.0),
        }
    }

    fn helper(&mut self, base: &str, ty: Type) -> &'static str {
        let name = format!("{base}_{ty}");
        let (name, _, calls) =
            HELPERS.iter().find(|(n, ..)| *n == name).expect("every helper that is called is in the table");
        self.helpers.insert(name);
        self.helpers.extend(calls.iter());
        // The portable root of f32 goes through that of f64.
        if *name == "sqrt_f32" {
            self.helpers.insert("sqrt_f64");
        }
        name
    }

    fn operation(&mut self, op: Op, v: Value) -> String {
        let node = self.program.node(v);
        let args = node.args();
        let ty = self.program.ty(v);
        let of = self.program.ty(args[0]);
        // A type suffix is needed only where no operand has a type of its own.
        let bare = args.iter().all(|&a| self.constant(a).is_some());
        let a = self.operand(args[0], bare);
        let b = args.get(1).map(|&b| self.operand(b, bare)).unwrap_or_default();
        let c = args.get(2).map(|&c| self.operand(c, bare)).unwrap_or_default();
        let unsigned = if of == Type::I64 { "u64" } else { "u32" };
        match op {
            Op::Add | Op::Sub | Op::Mul if of.is_int() => format!("{of}::wrapping_{}({a}, {b})", op.name()),
            Op::Neg | Op::Abs if of.is_int() => format!("{of}::wrapping_{}({a})", op.name()),
            Op::Add => format!("{a} + {b}"),
            Op::Sub => format!("{a} - {b}"),
            Op::Mul => format!("{a} * {b}"),
            Op::Div => format!("{a} / {b}"),
            Op::Neg => format!("-{a}"),
            Op::Abs if of == Type::F32 => format!("f32::from_bits(f32::to_bits({a}) & 0x7fff_ffff)"),
            Op::Abs => format!("f64::from_bits(f64::to_bits({a}) & 0x7fff_ffff_ffff_ffff)"),
            Op::Min => format!("if {a} < {b} {{ {a} }} else {{ {b} }}"),
            Op::Max => format!("if {a} > {b} {{ {a} }} else {{ {b} }}"),
            Op::Sign => format!("if {a} > 0.0 {{ 1.0 }} else if {a} < 0.0 {{ -1.0 }} else {{ {a} }}"),
            Op::Fma => format!("{}({a}, {b}, {c})", self.helper("fma", of)),
            Op::CopySign => format!("{}({a}, {b})", self.helper("copysign", of)),
            Op::Sqrt | Op::Floor | Op::Ceil | Op::RoundEven | Op::Trunc => {
                format!("{}({a})", self.helper(op.name(), of))
            }
            Op::Eq => format!("{a} == {b}"),
            Op::Ne => format!("{a} != {b}"),
            Op::Lt => format!("{a} < {b}"),
            Op::Le => format!("{a} <= {b}"),
            Op::Gt => format!("{a} > {b}"),
            Op::Ge => format!("{a} >= {b}"),
            Op::Select => format!("if {a} {{ {b} }} else {{ {c} }}"),
            Op::Convert(to) => format!("{} as {to}", self.operand(args[0], true)),
            Op::Bitcast(Type::I32) => format!("f32::to_bits({a}) as i32"),
            Op::Bitcast(Type::I64) => format!("f64::to_bits({a}) as i64"),
            Op::Bitcast(_) => format!("{ty}::from_bits({} as {unsigned})", self.operand(args[0], true)),
            Op::And => format!("{a} & {b}"),
            Op::Or => format!("{a} | {b}"),
            Op::Xor => format!("{a} ^ {b}"),
            Op::Not => format!("!{a}"),
            Op::Shl => format!("{of}::wrapping_shl({a}, {} as u32)", self.operand(args[1], true)),
            Op::Shr => format!("{of}::wrapping_shr({a}, {} as u32)", self.operand(args[1], true)),
            Op::ShrLogical => format!(
                "{unsigned}::wrapping_shr({} as {unsigned}, {} as u32) as {of}",
                self.operand(args[0], true),
                self.operand(args[1], true)
            ),
            Op::Exp
            | Op::Log
            | Op::Pow
            | Op::Sin
            | Op::Cos
            | Op::Tan
            | Op::Asin
            | Op::Acos
            | Op::Atan
            | Op::Sum
            | Op::Norm
            | Op::Dot => {
                unreachable!("`{}` is lowered or refused before anything is written", op.name())
            }
            Op::Table(t) => {
                let last = self.program.tables()[t as usize].values.len() - 1;
                format!("TABLE{t}[{of}::min({of}::max({a}, 0), {last}) as usize]")
            }
        }
    }
}
