//! Modelled size of the emitted function.

use crate::cycles::priced;
use crate::{CostError, Model};
use mathsmith_ir::{Node, Op, Program, Value, kernels};
use std::collections::BTreeSet;

/// Bytes of code and constants of a program on a model.
///
/// An estimate: the encodings of each operation's instructions; for each constant its own width and the code that brings it
/// to where it is used; the constants that the sequences read, once for each kind of operation; the tables; the return.
/// Constants that are shift counts stand in the instruction and cost nothing; parameters count as the constants that they
/// become. Left out are loads and stores of inputs and outputs, loop control, copies of registers and padding.
///
/// How near that is: of `tests/programs/exp2_plain.model` clang 14 makes 98 bytes for scalar x86-64, where this says 97, and
/// 80 for a Cortex-M7, where this says 98, as clang joins products and sums (`vmla`) and has 1.0 in an instruction.
///
/// # Errors
/// As [`crate::cycles()`].
pub fn size(program: &Program, model: &Model) -> Result<u32, CostError> {
    // The emitted source has the kernel of an elementary function in its place.
    let program = &*kernels::lower(program);
    let ops = priced(program, model)?;
    let code: u64 = ops.iter().map(|p| u64::from(p.cost.bytes)).sum();
    let kinds: BTreeSet<&str> = ops.iter().map(|p| p.key).collect();
    let data: u64 = kinds.iter().map(|k| u64::from(model.op[*k].data)).sum();
    // A truth value takes a byte.
    let width = |bits: Option<u32>| u64::from(bits.unwrap_or(8)).div_ceil(8);
    let constants: u64 =
        constants(program).into_iter().map(|v| u64::from(model.literal_bytes) + width(program.ty(v).bits())).sum();
    let live = program.live();
    let used: BTreeSet<u32> = program
        .values()
        .filter(|v| live[v.index()])
        .filter_map(|v| if let Node::Op(Op::Table(t), _) = program.node(v) { Some(t) } else { None })
        .collect();
    let tables: u64 =
        used.iter().map(|&t| &program.tables()[t as usize]).map(|t| t.values.len() as u64 * width(t.ty.bits())).sum();
    let total = u64::from(model.function_bytes) + code + data + constants + tables;
    Ok(u32::try_from(total).unwrap_or(u32::MAX))
}

/// Literals and parameters that are read from somewhere.
fn constants(program: &Program) -> BTreeSet<Value> {
    let live = program.live();
    let constant = |v: &Value| matches!(program.node(*v), Node::Lit(_) | Node::Param(_));
    let mut out: BTreeSet<Value> = program.outputs().iter().copied().filter(constant).collect();
    for v in program.values().filter(|v| live[v.index()]) {
        let node = program.node(v);
        let count = matches!(node, Node::Op(Op::Shl | Op::Shr | Op::ShrLogical, _));
        let read = if count { &node.args()[..1] } else { node.args() };
        out.extend(read.iter().copied().filter(constant));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use mathsmith_ir::{Literal, Type};

    fn sizes(p: &Program) -> Vec<u32> {
        Model::names().iter().map(|n| size(p, &Model::builtin(n).unwrap()).unwrap()).collect()
    }

    #[test]
    fn counted_by_hand() {
        let m = Model::builtin("x86-64-v3").unwrap();
        let mut p = Program::new("t");
        let x = p.input("x", Type::F32);
        let (a, b) = (p.lit(Literal::F32(2.5)), p.lit(Literal::F32(1.5)));
        let y = p.must(Op::Fma, &[x, a, b]);
        let z = p.must(Op::Fma, &[y, x, a]);
        p.output(z);
        // Two fma of 5 bytes, two constants of 9 + 4, `vzeroupper` and `ret`.
        assert_eq!(size(&p, &m).unwrap(), 2 * 5 + 2 * 13 + 4);
        // A shift by a constant: the count is in the instruction.
        let mut p = Program::new("t");
        let i = p.input("i", Type::I32);
        let n = p.lit(Literal::I32(23));
        let s = p.must(Op::Shl, &[i, n]);
        p.output(s);
        assert_eq!(size(&p, &m).unwrap(), m.op["shl.i32"].bytes + 4);
    }

    #[test]
    fn more_is_larger() {
        let program = |entries: usize, abs: usize| {
            let mut p = Program::new("t");
            let i = p.input("i", Type::I32);
            let t = p.table((0..entries).map(|k| Literal::F64(k as f64)).collect());
            let mut y = p.must(Op::Table(t), &[i]);
            for k in 0..abs {
                let c = p.lit(Literal::F64(k as f64 + 0.5));
                let s = p.must(Op::Sub, &[y, c]);
                y = p.must(Op::Abs, &[s]);
            }
            p.output(y);
            p
        };
        let (small, long, more) = (sizes(&program(4, 1)), sizes(&program(8, 1)), sizes(&program(4, 2)));
        for ((a, b), c) in small.iter().zip(&long).zip(&more) {
            assert_eq!(b - a, 4 * 8);
            assert!(c > a);
        }
        // The mask of the second absolute value is that of the first.
        let m = Model::builtin("x86-64-v3").unwrap();
        let step = m.op["sub.f64"].bytes + m.op["abs.f64"].bytes + m.literal_bytes + 8;
        assert_eq!(more[0] - small[0], step);
    }
}
