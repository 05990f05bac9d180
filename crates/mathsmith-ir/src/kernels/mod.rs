//! The elementary functions, each one program of base operations that every engine runs.
//!
//! `exp`, `log`, `pow`, `sin`, `cos`, `tan`, `asin`, `acos` and `atan` are not computed by an engine: [`lower`] puts their
//! kernels in their place, and what is left are operations whose bits are defined. Interpreter, native code, emitted Rust
//! and emitted C begin with it, so that they agree by construction, and no library of the platform is asked.
//!
//! A kernel computes in `f64`; on `f32` it converts, computes and rounds once more, which is accurate and leaves `f32`
//! programs with 64-bit values. There are no fitted coefficients: every series is a Taylor series whose coefficients are
//! rationals rounded to the format, and the other constants are parts of ln 2, pi and arc tangents of quarters, by the
//! rounding that their comments state.
//!
//! # Accuracy
//!
//! The largest error in ulp found on 200,000 sampled arguments for each of two to four distributions a function (seed, points
//! and limits are in `crates/mathsmith-oracle/tests/kernels.rs`; a sampled error is a lower bound):
//!
//! | function | `f32` | `f64` |
//! | --- | --- | --- |
//! | `exp` | 0.501 | 0.86 |
//! | `log` | 0.501 | 0.84 |
//! | `pow` | 0.501 | 0.93 |
//! | `sin`, magnitudes up to 2^30 | 0.501 | 0.75 |
//! | `cos`, magnitudes up to 2^30 | 0.501 | 0.77 |
//! | `tan`, magnitudes up to 2^30 | 0.501 | 2.06 |
//! | `asin` | 0.501 | 2.52 |
//! | `acos` | 0.501 | 2.14 |
//! | `atan` | 0.501 | 0.89 |
//!
//! `sin`, `cos` and `tan` of an argument beyond 2^30 in magnitude ([`LARGEST_ANGLE`]) are NaN: the reduction is not
//! accurate there. Special values follow IEEE 754: `pow x 0` and `pow 1 y` are 1 even with a NaN, a negative base with an
//! exponent that is not an integer gives NaN, zeros keep the sign that the function gives them.

mod builder;
mod circular;
mod exponential;
mod inverse;

pub use circular::LARGEST_ANGLE;

use crate::{NO_VALUE, Node, Op, Program, Type, Value, staged, verify};
use builder::Builder;
use std::borrow::Cow;

/// The program with the kernel of every elementary function in its place; the program itself where it has none.
///
/// Name, inputs, parameters, tables and outputs stay. Functions of `real` stay too: kernels are written for the formats.
pub fn lower(program: &Program) -> Cow<'_, Program> {
    let wanted = |v: Value| matches!(program.node(v), Node::Op(op, _) if op.is_elementary());
    if !program.values().any(|v| wanted(v) && program.ty(v) != Type::Real) {
        return Cow::Borrowed(program);
    }
    let (mut lowered, map) = rewritten(program, |out, op, args| {
        (op.is_elementary() && out.ty(args[0]) != Type::Real).then(|| expand(out, op, args))
    });
    lowered.set_outputs(program.outputs().iter().map(|v| map[v.index()]).collect());
    debug_assert_eq!(verify::check(&lowered), Ok(()));
    Cow::Owned(lowered)
}

/// The program as it acts on a column of one row, where reductions are element-wise too, and where each of its nodes is.
pub(crate) fn lower_one_row(program: &Program) -> (Program, Vec<Value>) {
    rewritten(program, |out, op, args| {
        if op.is_reduction() {
            return Some(staged::of_one_row(out, op, args));
        }
        (op.is_elementary() && out.ty(args[0]) != Type::Real).then(|| expand(out, op, args))
    })
}

/// A copy node by node without outputs, in which `replace` may put something else in the place of an operation; with the
/// place of each node in it.
fn rewritten(
    program: &Program,
    mut replace: impl FnMut(&mut Program, Op, &[Value]) -> Option<Value>,
) -> (Program, Vec<Value>) {
    let mut out = Program::new(program.name());
    for table in program.tables() {
        out.table(table.values.clone());
    }
    let mut map = vec![NO_VALUE; program.nodes().len()];
    // Declared in their order, which is not always that of their nodes.
    for (k, input) in program.inputs().iter().enumerate() {
        let v = out.input(input.name.clone(), input.ty);
        if let Some(old) = program.find(Node::Input(k as u32)) {
            map[old.index()] = v;
        }
    }
    for (k, param) in program.params().iter().enumerate() {
        let v = out.param(param.name.clone(), param.ty, param.value);
        if let Some(old) = program.find(Node::Param(k as u32)) {
            map[old.index()] = v;
        }
    }
    for v in program.values() {
        let node = program.node(v);
        match node {
            Node::Input(_) | Node::Param(_) => {}
            Node::Lit(l) => map[v.index()] = out.lit(l),
            Node::Op(op, _) => {
                let args: Vec<Value> = node.args().iter().map(|a| map[a.index()]).collect();
                map[v.index()] = match replace(&mut out, op, &args) {
                    Some(value) => value,
                    None => out.must(op, &args),
                };
            }
        }
    }
    (out, map)
}

/// Appends the kernel of an elementary function.
fn expand(program: &mut Program, op: Op, args: &[Value]) -> Value {
    let narrow = program.ty(args[0]) == Type::F32;
    let mut b = Builder { p: program };
    let wide: Vec<Value> = args.iter().map(|&a| if narrow { b.widen(a) } else { a }).collect();
    let y = match op {
        Op::Exp => exponential::exp(&mut b, wide[0]),
        Op::Log => exponential::log(&mut b, wide[0]),
        Op::Pow if narrow => exponential::pow_for_f32(&mut b, wide[0], wide[1]),
        Op::Pow => exponential::pow(&mut b, wide[0], wide[1]),
        Op::Sin => circular::sin(&mut b, wide[0]),
        Op::Cos => circular::cos(&mut b, wide[0]),
        Op::Tan => circular::tan(&mut b, wide[0]),
        Op::Asin => inverse::asin(&mut b, wide[0]),
        Op::Acos => inverse::acos(&mut b, wide[0]),
        Op::Atan => inverse::atan(&mut b, wide[0]),
        op => unreachable!("`{}` is not an elementary function", op.name()),
    };
    if narrow { program.must(Op::Convert(Type::F32), &[y]) } else { y }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Column, Engine, Interpreter, Literal, interp};

    fn program(op: Op, ty: Type) -> Program {
        let mut p = Program::new(op.name());
        let args: Vec<Value> = ["x", "y"][..op.arity()].iter().map(|name| p.input(*name, ty)).collect();
        let y = p.must(op, &args);
        p.output(y);
        p
    }

    fn at(op: Op, args: &[f64]) -> f64 {
        let p = program(op, Type::F64);
        let args: Vec<Literal> = args.iter().map(|&x| Literal::F64(x)).collect();
        interp::values_at(&p, &[], &args, p.outputs()).unwrap()[0].to_f64().unwrap()
    }

    #[test]
    fn kernels_are_base_operations_without_fma_and_tables() {
        for op in Op::ELEMENTARY {
            for ty in [Type::F32, Type::F64] {
                let p = program(op, ty);
                let lowered = lower(&p);
                assert_eq!(verify::check(&lowered), Ok(()));
                assert_eq!(lowered.inputs(), p.inputs());
                assert!(lowered.tables().is_empty());
                for node in lowered.nodes() {
                    let Node::Op(op, _) = node else { continue };
                    assert!(!op.is_elementary() && !matches!(op, Op::Fma | Op::Table(_)), "{}", op.name());
                }
                assert!(matches!(lower(&lowered), Cow::Borrowed(_)));
            }
            let p = program(op, Type::Real);
            assert!(matches!(lower(&p), Cow::Borrowed(_)), "a function of reals has no kernel");
            assert!(Interpreter::new(&p).is_err() && crate::real::eval(&p, &[], &vec![0.5; op.arity()], &0.0).is_err());
        }
    }

    #[test]
    fn special_values() {
        let (inf, nan) = (f64::INFINITY, f64::NAN);
        let tiny = f64::from_bits(1);
        let half_pi = std::f64::consts::FRAC_PI_2;
        for (op, args, want) in [
            (Op::Exp, vec![0.0], 1.0),
            (Op::Exp, vec![-0.0], 1.0),
            (Op::Exp, vec![inf], inf),
            (Op::Exp, vec![-inf], 0.0),
            (Op::Exp, vec![nan], nan),
            (Op::Exp, vec![709.79], inf),
            (Op::Exp, vec![-745.2], 0.0),
            (Op::Exp, vec![-745.1], tiny),
            (Op::Log, vec![1.0], 0.0),
            (Op::Log, vec![0.0], -inf),
            (Op::Log, vec![-0.0], -inf),
            (Op::Log, vec![-1.0], nan),
            (Op::Log, vec![-inf], nan),
            (Op::Log, vec![inf], inf),
            (Op::Log, vec![nan], nan),
            (Op::Sin, vec![0.0], 0.0),
            (Op::Sin, vec![-0.0], -0.0),
            (Op::Sin, vec![tiny], tiny),
            (Op::Sin, vec![inf], nan),
            (Op::Sin, vec![nan], nan),
            (Op::Sin, vec![2.0 * LARGEST_ANGLE], nan),
            (Op::Cos, vec![-0.0], 1.0),
            (Op::Cos, vec![-inf], nan),
            (Op::Tan, vec![-0.0], -0.0),
            (Op::Tan, vec![inf], nan),
            (Op::Asin, vec![-0.0], -0.0),
            (Op::Asin, vec![1.0], half_pi),
            (Op::Asin, vec![-1.0], -half_pi),
            (Op::Asin, vec![1.0 + f64::EPSILON], nan),
            (Op::Acos, vec![1.0], 0.0),
            (Op::Acos, vec![0.0], half_pi),
            (Op::Acos, vec![-1.0], std::f64::consts::PI),
            (Op::Acos, vec![-2.0], nan),
            (Op::Atan, vec![-0.0], -0.0),
            (Op::Atan, vec![tiny], tiny),
            (Op::Atan, vec![inf], half_pi),
            (Op::Atan, vec![-inf], -half_pi),
            (Op::Atan, vec![nan], nan),
            (Op::Pow, vec![nan, 0.0], 1.0),
            (Op::Pow, vec![nan, -0.0], 1.0),
            (Op::Pow, vec![1.0, nan], 1.0),
            (Op::Pow, vec![1.0, -inf], 1.0),
            (Op::Pow, vec![-1.0, inf], 1.0),
            (Op::Pow, vec![nan, 1.0], nan),
            (Op::Pow, vec![2.0, nan], nan),
            (Op::Pow, vec![0.0, 3.0], 0.0),
            (Op::Pow, vec![-0.0, 3.0], -0.0),
            (Op::Pow, vec![-0.0, 2.0], 0.0),
            (Op::Pow, vec![-0.0, -3.0], -inf),
            (Op::Pow, vec![-0.0, -2.5], inf),
            (Op::Pow, vec![0.0, -inf], inf),
            (Op::Pow, vec![0.0, inf], 0.0),
            (Op::Pow, vec![inf, 0.5], inf),
            (Op::Pow, vec![inf, -0.5], 0.0),
            (Op::Pow, vec![-inf, 3.0], -inf),
            (Op::Pow, vec![-inf, 0.5], inf),
            (Op::Pow, vec![-inf, -3.0], -0.0),
            (Op::Pow, vec![-inf, -0.5], 0.0),
            (Op::Pow, vec![0.5, inf], 0.0),
            (Op::Pow, vec![0.5, -inf], inf),
            (Op::Pow, vec![-2.0, inf], inf),
            (Op::Pow, vec![-2.0, -inf], 0.0),
            (Op::Pow, vec![-2.0, 0.5], nan),
            (Op::Pow, vec![-2.0, 3.0], -8.0),
            (Op::Pow, vec![-2.0, 9_007_199_254_740_992.0], inf),
            (Op::Pow, vec![-1.0, 9_007_199_254_740_991.0], -1.0),
            (Op::Pow, vec![2.0, -1074.0], tiny),
            (Op::Pow, vec![2.0, -1075.5], 0.0),
            (Op::Pow, vec![2.0, 1024.0], inf),
            (Op::Pow, vec![tiny, 2.0], 0.0),
            (Op::Pow, vec![tiny, -1.0], inf),
            (Op::Pow, vec![3.0, 4.0], 81.0),
            (Op::Pow, vec![0.5, 1e300], 0.0),
            (Op::Pow, vec![0.5, -1e300], inf),
        ] {
            let got = at(op, &args);
            assert!(got.to_bits() == want.to_bits() || got.is_nan() && want.is_nan(), "{} {args:?}: {got}", op.name());
        }
    }

    #[test]
    fn programs_around_a_function_keep_their_shape() {
        let p: Program = "program f(x: f32, k: i32) -> (f32, bool) {
            table t: f32 = [1, 2]
            param c: f32 = 3
            a = exp x
            b = table.t k
            d = mul a, b
            e = pow d, c
            q = lt e, x
            return e, q
        }"
        .parse()
        .unwrap();
        let (trace_p, trace_lowered) = (
            interp::trace(&p, &[Literal::F32(3.0)], &[Literal::F32(0.5), Literal::I32(1)]).unwrap(),
            interp::trace(&lower(&p), &[Literal::F32(3.0)], &[Literal::F32(0.5), Literal::I32(1)]).unwrap(),
        );
        for (v, w) in p.outputs().iter().zip(lower(&p).outputs()) {
            assert_eq!(trace_p[v.index()], trace_lowered[w.index()]);
        }
        assert_eq!(trace_p.len(), p.nodes().len());
        // A constant argument is folded to the value that engines compute.
        let text = "program g(x: f32) -> (f32, f32) {\n a = exp 0.5:f32\n b = sum 2.0:f32\n return a, b\n}";
        let g: Program = text.parse().unwrap();
        let folded = g.folded();
        assert!(!folded.to_string().contains("exp") && folded.to_string().contains("sum"), "{folded}");
        for q in [&g, &folded] {
            let (mut a, mut b) = (Column::zeros(Type::F32, 3), Column::zeros(Type::F32, 3));
            let x = Column::zeros(Type::F32, 3);
            Interpreter::new(q).unwrap().run(&[], &[x.as_ref()], &mut [a.as_mut(), b.as_mut()]).unwrap();
            assert_eq!(b, Column::F32(vec![6.0; 3]));
            assert_eq!(a, Column::F32(vec![at(Op::Exp, &[0.5]) as f32; 3]));
        }
    }
}
