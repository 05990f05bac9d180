//! Names of operations in machine models: mnemonic and type.

use mathsmith_ir::{Literal, Node, Op, Program, Type, Value};
use std::collections::BTreeSet;
use std::sync::OnceLock;

/// The types of machines.
const MACHINE: [Type; 5] = [Type::F32, Type::F64, Type::I32, Type::I64, Type::Bool];

/// The key under which a model has the cost of the operation that computes `v`.
pub(crate) fn key(program: &Program, v: Value, op: Op) -> String {
    let node = program.node(v);
    let of = |node: &Node| program.ty(node.args()[0]).name();
    match op {
        Op::Select | Op::Table(_) => format!("{}.{}", op.name(), program.ty(v)),
        Op::Convert(to) => format!("convert.{}.{to}", of(&node)),
        _ => format!("{}.{}", op.name(), of(&node)),
    }
}

/// Every key that a program can ask for: all typings of the operations that an engine carries out row by row, from the
/// typing rules themselves. Bitcasts are free and have none; elementary functions cost what their kernels cost.
pub fn keys() -> &'static BTreeSet<String> {
    static KEYS: OnceLock<BTreeSet<String>> = OnceLock::new();
    KEYS.get_or_init(|| {
        let mut keys = BTreeSet::new();
        for_each_typing(|program, v, op| {
            keys.insert(key(program, v, op));
        });
        keys
    })
}

/// Calls `f` with a program of one operation for each typing of each operation.
pub(crate) fn for_each_typing(mut f: impl FnMut(&Program, Value, Op)) {
    let ops = Op::PLAIN.into_iter().chain(MACHINE.map(Op::Convert)).chain([Op::Table(0)]);
    for op in ops {
        for a in MACHINE {
            for b in MACHINE {
                let mut p = Program::new("t");
                if op == Op::Table(0) {
                    p.table(vec![entry(b)]);
                }
                let args: Vec<Value> = match op {
                    Op::Select => vec![p.input("c", Type::Bool), p.input("a", b), p.input("b", b)],
                    _ => (0..op.arity()).map(|i| p.input(format!("x{i}"), if i == 0 { a } else { b })).collect(),
                };
                if let Ok(v) = p.op(op, &args) {
                    p.output(v);
                    f(&p, v, op);
                }
            }
        }
    }
}

fn entry(ty: Type) -> Literal {
    match ty {
        Type::F64 => Literal::F64(1.0),
        Type::I32 => Literal::I32(1),
        Type::I64 => Literal::I64(1),
        Type::Bool => Literal::Bool(true),
        _ => Literal::F32(1.0),
    }
}

/// The name with the smallest edit distance; of equals the first.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known.into_iter().min_by_key(|n| distance(n, name))
}

fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let up = row[j + 1];
            row[j + 1] = (diagonal + usize::from(ca != *cb)).min(up + 1).min(row[j] + 1);
            diagonal = up;
        }
    }
    row[b.len()]
}
