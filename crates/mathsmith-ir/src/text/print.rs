//! Printing.

use super::{is_identifier, is_printed_label};
use crate::{Literal, Node, Op, Program, RealLit, Value};
use std::collections::HashSet;
use std::fmt::{self, Write};

/// A finite double in hexadecimal, `0x1.8p+1`; subnormals are normalised.
fn hex_float(x: f64) -> String {
    let sign = if x.is_sign_negative() { "-" } else { "" };
    let bits = x.to_bits();
    let (mut exponent, mut fraction) = (((bits >> 52) & 0x7ff) as i64 - 1023, bits & ((1 << 52) - 1));
    if exponent == -1023 {
        if fraction == 0 {
            return format!("{sign}0x0p+0");
        }
        let shift = fraction.leading_zeros() - 11;
        fraction = (fraction << shift) & ((1 << 52) - 1);
        exponent = -1022 - i64::from(shift);
    }
    let digits = format!("{fraction:013x}");
    let digits = digits.trim_end_matches('0');
    let point = if digits.is_empty() { "" } else { "." };
    format!("{sign}0x1{point}{digits}p{exponent:+}")
}

/// Text of a number that may be infinite or NaN; `nan` says how its payload is written.
fn number(x: f64, nan: impl Fn() -> String) -> String {
    if x.is_nan() {
        nan()
    } else if x.is_infinite() {
        (if x > 0.0 { "inf" } else { "-inf" }).into()
    } else {
        hex_float(x)
    }
}

/// The literal in the text form, without its type.
pub fn literal_text(literal: Literal) -> String {
    match literal {
        Literal::F32(x) => number(f64::from(x), || match x.to_bits() {
            0x7fc0_0000 => "nan".into(),
            bits => format!("nan({bits:#010x})"),
        }),
        Literal::F64(x) => number(x, || match x.to_bits() {
            0x7ff8_0000_0000_0000 => "nan".into(),
            bits => format!("nan({bits:#018x})"),
        }),
        Literal::Real(RealLit(terms)) => {
            let mut text = number(terms[0], || "nan".into());
            for term in terms[1..].iter().take_while(|t| **t != 0.0) {
                let sign = if *term < 0.0 { '-' } else { '+' };
                let _ = write!(text, " {sign} {}", hex_float(term.abs()));
            }
            text
        }
        Literal::I32(x) => x.to_string(),
        Literal::I64(x) => x.to_string(),
        Literal::Bool(x) => x.to_string(),
    }
}

fn typed_literal(literal: Literal) -> String {
    match literal {
        Literal::Bool(x) => x.to_string(),
        l => format!("{}:{}", literal_text(l), l.ty()),
    }
}

fn name_text(name: &str) -> String {
    if is_identifier(name) {
        return name.into();
    }
    let escaped = name.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{escaped}\"")
}

struct Printer<'a> {
    program: &'a Program,
    /// How each input and parameter is referred to; `None` means by its label.
    refer: Vec<Option<&'a str>>,
}

impl<'a> Printer<'a> {
    fn new(program: &'a Program) -> Self {
        // A name refers to its first bearer only, and never looks like a label.
        let mut seen = HashSet::new();
        let refer = program
            .nodes()
            .iter()
            .map(|node| {
                let name = declared_name(program, node)?;
                (is_identifier(name) && !is_printed_label(name) && seen.insert(name)).then_some(name)
            })
            .collect();
        Printer { program, refer }
    }

    fn operand(&self, v: Value) -> String {
        match (self.program.node(v), self.refer[v.index()]) {
            (Node::Lit(l), _) => typed_literal(l),
            (_, Some(name)) => name.into(),
            _ => format!("v{}", v.0),
        }
    }

    /// Whether operands written in this order make exactly the literals `pending..end` in that order.
    fn makes(&self, operands: &[Value], pending: usize, end: usize) -> bool {
        let mut next = pending;
        for v in operands {
            if v.index() == next && next < end {
                next += 1;
            } else if v.index() > next && v.index() < end {
                return false;
            }
        }
        next == end
    }

    fn flush(&self, f: &mut fmt::Formatter<'_>, literals: std::ops::Range<usize>) -> fmt::Result {
        for i in literals {
            if let Node::Lit(l) = self.program.nodes()[i] {
                writeln!(f, "  v{i} = lit {}", typed_literal(l))?;
            }
        }
        Ok(())
    }

    fn statement(&self, f: &mut fmt::Formatter<'_>, i: usize) -> fmt::Result {
        let node = &self.program.nodes()[i];
        match *node {
            Node::Input(k) => {
                let input = &self.program.inputs()[k as usize];
                self.label(f, i)?;
                writeln!(f, "input {}: {}", name_text(&input.name), input.ty)
            }
            Node::Param(k) => {
                let param = &self.program.params()[k as usize];
                self.label(f, i)?;
                write!(f, "param {}: {}", name_text(&param.name), param.ty)?;
                match param.value {
                    Some(value) if value.ty() == param.ty => writeln!(f, " = {}", literal_text(value)),
                    Some(value) => writeln!(f, " = {}", typed_literal(value)),
                    None => writeln!(f),
                }
            }
            Node::Lit(_) => Ok(()),
            Node::Op(op, _) => {
                let operands: Vec<String> = node.args().iter().map(|&a| self.operand(a)).collect();
                let payload = match op {
                    Op::Convert(ty) | Op::Bitcast(ty) => format!(".{ty}"),
                    Op::Table(t) => format!(".t{t}"),
                    _ => String::new(),
                };
                writeln!(f, "  v{i} = {}{payload} {}", op.name(), operands.join(", "))
            }
        }
    }

    /// Indentation, and the label of an input or parameter that needs one.
    fn label(&self, f: &mut fmt::Formatter<'_>, i: usize) -> fmt::Result {
        match self.refer[i] {
            Some(_) => f.write_str("  "),
            None => write!(f, "  v{i} = "),
        }
    }
}

fn declared_name<'a>(program: &'a Program, node: &Node) -> Option<&'a str> {
    match *node {
        Node::Input(k) => Some(&program.inputs()[k as usize].name),
        Node::Param(k) => Some(&program.params()[k as usize].name),
        _ => None,
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let printer = Printer::new(self);
        let nodes = self.nodes();
        let head =
            (0..nodes.len()).take_while(|&i| nodes[i] == Node::Input(i as u32) && printer.refer[i].is_some()).count();
        let inputs: Vec<String> = self.inputs()[..head].iter().map(|i| format!("{}: {}", i.name, i.ty)).collect();
        let types: Vec<&str> = self.outputs().iter().map(|&v| self.ty(v).name()).collect();
        writeln!(f, "program {}({}) -> ({}) {{", name_text(self.name()), inputs.join(", "), types.join(", "))?;
        for (t, table) in self.tables().iter().enumerate() {
            let values: Vec<String> = table.values.iter().map(|&l| literal_text(l)).collect();
            writeln!(f, "  table t{t}: {} = [{}]", table.ty, values.join(", "))?;
        }
        // Literals wait for the next operation and are written in its operands if it makes them in the right order.
        let mut pending = head;
        for (i, node) in nodes.iter().enumerate().skip(head) {
            if matches!(node, Node::Lit(_)) {
                continue;
            }
            if !printer.makes(node.args(), pending, i) {
                printer.flush(f, pending..i)?;
            }
            printer.statement(f, i)?;
            pending = i + 1;
        }
        if !printer.makes(self.outputs(), pending, nodes.len()) {
            printer.flush(f, pending..nodes.len())?;
        }
        let outputs: Vec<String> = self.outputs().iter().map(|&v| printer.operand(v)).collect();
        writeln!(f, "  return{}{}\n}}", if outputs.is_empty() { "" } else { " " }, outputs.join(", "))
    }
}
