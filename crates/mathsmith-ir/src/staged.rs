//! Reductions over the rows of a call, in one order for every engine.
//!
//! `sum a`, `norm a` and `dot a, b` have one value for all rows of a call. Their order is part of their meaning, because
//! float addition is not associative:
//!
//! * up to eight rows are added from the first to the last, beginning with the first row's term itself;
//! * more rows are split after the largest power of two below their number, and the sums of both sides are added.
//!
//! The terms are the rows of `a` for `sum`, `a * a` for `norm` and `a * b` for `dot`, each rounded to the type; nothing is
//! fused, nothing is carried in a wider type and nothing is scaled, so a norm overflows where its largest square does.
//! `norm` is the correctly rounded square root of its sum. The error of a sum grows with the logarithm of the number of
//! rows (Higham, The Accuracy of Floating Point Summation, SIAM J. Sci. Comput. 14, 1993).
//!
//! Engines run rows independently of each other. [`passes`] therefore cuts a program at its reductions into programs
//! without any, each of which may use the scalars of those before it as parameters, and [`Staged`] runs them with any
//! engine and reduces the columns between them by [`reduce`], the only code that adds rows up.

use crate::{
    Column, ColumnMut, ColumnRef, Engine, EngineError, Literal, NO_VALUE, Node, Op, Program, Type, Value, verify,
};

/// The number of rows that are added one after the other.
const LEAF: usize = 8;

/// A reduction that a pass prepares: the operation, and which outputs of the pass it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reduction {
    /// One of [`Op::REDUCTIONS`].
    pub op: Op,
    /// Outputs of the pass, as many as the operation has arguments.
    pub columns: Vec<usize>,
}

/// A part of a program that computes every row on its own.
///
/// Its inputs are those of the whole program; its parameters are those of the whole program followed by one for each
/// reduction of the passes before it, in their order.
#[derive(Clone, Debug, PartialEq)]
pub struct Pass {
    /// The computation: columns to be reduced, or, in the last pass, the outputs of the whole program.
    pub program: Program,
    /// What is reduced after the pass; nothing after the last.
    pub reductions: Vec<Reduction>,
}

/// Whether an output depends on a reduction.
pub fn has_reductions(program: &Program) -> bool {
    first_reduction(program).is_some()
}

/// The first reduction that an output depends on.
pub fn first_reduction(program: &Program) -> Option<Op> {
    let live = program.live();
    program.nodes().iter().zip(live).find_map(|(node, live)| match node {
        Node::Op(op, _) if live && op.is_reduction() => Some(*op),
        _ => None,
    })
}

/// Cuts a program at its live reductions. The last pass has the outputs of the program; a program without reductions is
/// one pass. A pass computes again what it shares with those before it.
pub fn passes(program: &Program) -> Vec<Pass> {
    let live = program.live();
    // How many reductions lie one behind the other up to each value, itself included.
    let mut depth = vec![0usize; program.nodes().len()];
    let mut order: Vec<Vec<Value>> = Vec::new();
    for v in program.values().filter(|v| live[v.index()]) {
        let node = program.node(v);
        let before = node.args().iter().map(|a| depth[a.index()]).max().unwrap_or(0);
        depth[v.index()] = before;
        if matches!(node, Node::Op(op, _) if op.is_reduction()) {
            depth[v.index()] = before + 1;
            order.resize(order.len().max(before + 1), Vec::new());
            order[before].push(v);
        }
    }
    let mut passes = Vec::with_capacity(order.len() + 1);
    let mut known: Vec<Value> = Vec::new();
    for stage in &order {
        let mut columns: Vec<Value> = Vec::new();
        let reductions = stage
            .iter()
            .map(|&v| {
                let node = program.node(v);
                let Node::Op(op, _) = node else { unreachable!("reductions are operations") };
                let place = |a: &Value| {
                    columns.iter().position(|c| c == a).unwrap_or_else(|| {
                        columns.push(*a);
                        columns.len() - 1
                    })
                };
                Reduction { op, columns: node.args().iter().map(place).collect() }
            })
            .collect();
        passes.push(Pass { program: pass_program(program, &known, &columns), reductions });
        known.extend(stage);
    }
    passes.push(Pass { program: pass_program(program, &known, program.outputs()), reductions: Vec::new() });
    passes
}

/// The program with the reductions in `known` as parameters and other outputs, without what these do not need.
fn pass_program(program: &Program, known: &[Value], outputs: &[Value]) -> Program {
    let mut needed = vec![false; program.nodes().len()];
    for v in outputs {
        needed[v.index()] = true;
    }
    for v in program.values().rev().filter(|v| !known.contains(v)) {
        if needed[v.index()] {
            program.node(v).args().iter().for_each(|a| needed[a.index()] = true);
        }
    }
    let mut out = Program::new(program.name());
    let mut map = vec![NO_VALUE; program.nodes().len()];
    for table in program.tables() {
        out.table(table.values.clone());
    }
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
    for &v in known {
        map[v.index()] = out.param(format!("reduced v{}", v.0), program.ty(v), None);
    }
    for v in program.values().filter(|v| needed[v.index()]) {
        let node = program.node(v);
        map[v.index()] = match node {
            Node::Lit(l) => out.lit(l),
            Node::Op(op, _) if map[v.index()] == NO_VALUE => {
                let args: Vec<Value> = node.args().iter().map(|a| map[a.index()]).collect();
                out.must(op, &args)
            }
            _ => map[v.index()],
        };
    }
    out.set_outputs(outputs.iter().map(|v| map[v.index()]).collect());
    debug_assert_eq!(verify::check(&out), Ok(()));
    out
}

/// A float format that rows are added in.
trait Float: Copy {
    const ZERO: Self;
    fn plus(self, b: Self) -> Self;
    fn times(self, b: Self) -> Self;
    fn root(self) -> Self;
}

macro_rules! float {
    ($($t:ty),*) => {$(
        impl Float for $t {
            const ZERO: $t = 0.0;
            fn plus(self, b: $t) -> $t {
                self + b
            }
            fn times(self, b: $t) -> $t {
                self * b
            }
            fn root(self) -> $t {
                self.sqrt()
            }
        }
    )*};
}
float!(f32, f64);

/// The terms `start` to `start + rows`, of which there is at least one, in the order of the module's documentation.
fn tree<T: Float>(term: &impl Fn(usize) -> T, start: usize, rows: usize) -> T {
    if rows <= LEAF {
        return (start + 1..start + rows).fold(term(start), |sum, row| sum.plus(term(row)));
    }
    let left = rows.next_power_of_two() / 2;
    tree(term, start, left).plus(tree(term, start + left, rows - left))
}

fn reduce_as<T: Float>(op: Op, a: &[T], b: &[T]) -> T {
    if a.is_empty() {
        return T::ZERO;
    }
    match op {
        Op::Sum => tree(&|i| a[i], 0, a.len()),
        Op::Norm => tree(&|i| a[i].times(a[i]), 0, a.len()).root(),
        Op::Dot => tree(&|i| a[i].times(b[i]), 0, a.len()),
        op => unreachable!("`{}` is not a reduction", op.name()),
    }
}

/// The value of a reduction of columns, zero where they have no rows.
///
/// # Errors
/// [`EngineError::Signature`] if `op` is not a reduction, or number, types or lengths of the columns do not fit it.
pub fn reduce(op: Op, columns: &[ColumnRef<'_>]) -> Result<Literal, EngineError> {
    let fits = op.is_reduction()
        && columns.len() == op.arity()
        && columns.iter().all(|c| c.len() == columns[0].len() && c.ty() == columns[0].ty());
    match (fits, columns) {
        (true, [ColumnRef::F32(a)]) => Ok(Literal::F32(reduce_as(op, a, a))),
        (true, [ColumnRef::F64(a)]) => Ok(Literal::F64(reduce_as(op, a, a))),
        (true, [ColumnRef::F32(a), ColumnRef::F32(b)]) => Ok(Literal::F32(reduce_as(op, a, b))),
        (true, [ColumnRef::F64(a), ColumnRef::F64(b)]) => Ok(Literal::F64(reduce_as(op, a, b))),
        _ => {
            let given: Vec<String> = columns.iter().map(|c| format!("{} rows of {}", c.len(), c.ty())).collect();
            Err(EngineError::Signature(format!("`{}` does not reduce {}", op.name(), given.join(" and "))))
        }
    }
}

/// Appends what a reduction is on a column of one row.
pub(crate) fn of_one_row(program: &mut Program, op: Op, args: &[Value]) -> Value {
    match op {
        Op::Sum => args[0],
        Op::Norm => {
            let square = program.must(Op::Mul, &[args[0], args[0]]);
            program.must(Op::Sqrt, &[square])
        }
        Op::Dot => program.must(Op::Mul, args),
        op => unreachable!("`{}` is not a reduction", op.name()),
    }
}

/// A program with reductions on an engine that knows none.
pub struct Staged<E> {
    stages: Vec<(E, Vec<Reduction>, Vec<Type>)>,
    inputs: Vec<Type>,
    params: Vec<Type>,
}

impl<E: Engine> Staged<E> {
    /// Prepares `program` with an engine from `make` for each of its [`passes`].
    ///
    /// # Errors
    /// The first error of `make`.
    pub fn new(
        program: &Program,
        mut make: impl FnMut(&Program) -> Result<E, EngineError>,
    ) -> Result<Self, EngineError> {
        let stages = passes(program)
            .into_iter()
            .map(|pass| {
                let outputs = pass.program.outputs().iter().map(|&v| pass.program.ty(v)).collect();
                Ok((make(&pass.program)?, pass.reductions, outputs))
            })
            .collect::<Result<_, EngineError>>()?;
        Ok(Staged {
            stages,
            inputs: program.inputs().iter().map(|i| i.ty).collect(),
            params: program.params().iter().map(|p| p.ty).collect(),
        })
    }

    /// The engines with each replaced by what `change` makes of it.
    pub fn map<F: Engine>(self, mut change: impl FnMut(E) -> F) -> Staged<F> {
        let stages = self.stages.into_iter().map(|(e, r, o)| (change(e), r, o)).collect();
        Staged { stages, inputs: self.inputs, params: self.params }
    }

    /// What the inner engines cannot check, because theirs are other parameters and outputs.
    fn check(
        &self,
        params: &[Literal],
        inputs: &[ColumnRef<'_>],
        outputs: &[ColumnMut<'_>],
    ) -> Result<usize, EngineError> {
        let wrong = |message: String| Err(EngineError::Signature(message));
        if params.len() != self.params.len() {
            return wrong(format!("{} parameters wanted, {} given", self.params.len(), params.len()));
        }
        for (i, (want, p)) in self.params.iter().zip(params).enumerate() {
            if p.ty() != *want {
                return wrong(format!("parameter {i} is {want}, {} given", p.ty()));
            }
        }
        let wanted = self.stages.last().map_or(0, |(_, _, outputs)| outputs.len());
        for (what, want, given) in [("input", self.inputs.len(), inputs.len()), ("output", wanted, outputs.len())] {
            if want != given {
                return wrong(format!("{want} {what} columns wanted, {given} given"));
            }
        }
        let lengths = inputs.iter().map(|c| ("input", c.len())).chain(outputs.iter().map(|c| ("output", c.len())));
        let mut rows = None;
        for (what, len) in lengths {
            let first = *rows.get_or_insert(len);
            if len != first {
                return wrong(format!("an {what} column has {len} rows, the first column {first}"));
            }
        }
        Ok(rows.unwrap_or(0))
    }
}

impl<E: Engine> Engine for Staged<E> {
    fn run(
        &mut self,
        params: &[Literal],
        inputs: &[ColumnRef<'_>],
        outputs: &mut [ColumnMut<'_>],
    ) -> Result<(), EngineError> {
        let rows = self.check(params, inputs, outputs)?;
        let mut params = params.to_vec();
        let Some(((last, ..), before)) = self.stages.split_last_mut() else { return Ok(()) };
        for (engine, reductions, types) in before {
            let mut columns: Vec<Column> = types.iter().map(|&ty| Column::zeros(ty, rows)).collect();
            let mut targets: Vec<ColumnMut<'_>> = columns.iter_mut().map(Column::as_mut).collect();
            engine.run(&params, inputs, &mut targets)?;
            for reduction in reductions.iter() {
                let arguments: Vec<ColumnRef<'_>> = reduction.columns.iter().map(|&c| columns[c].as_ref()).collect();
                params.push(reduce(reduction.op, &arguments)?);
            }
        }
        last.run(&params, inputs, outputs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Program {
        text.parse().unwrap_or_else(|e| panic!("{e}\n{text}"))
    }

    /// The order written as the sums it stands for.
    #[test]
    fn the_order_is_the_documented_one() {
        let mut x = 1u64;
        let a: Vec<f32> = (0..41)
            .map(|_| {
                x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (x >> 40) as f32 * 2f32.powi((x % 9) as i32)
            })
            .collect();
        let run = |r: std::ops::Range<usize>| a[r.start + 1..r.end].iter().fold(a[r.start], |s, &t| s + t);
        let sum = |n: usize| reduce(Op::Sum, &[ColumnRef::F32(&a[..n])]).unwrap();
        assert_eq!(sum(1), Literal::F32(a[0]));
        assert_eq!(sum(8), Literal::F32(run(0..8)));
        assert_eq!(sum(9), Literal::F32(run(0..8) + a[8]));
        let sixteen = run(0..8) + run(8..16);
        assert_eq!(sum(16), Literal::F32(sixteen));
        assert_eq!(sum(20), Literal::F32(sixteen + run(16..20)));
        assert_eq!(sum(41), Literal::F32((sixteen + (run(16..24) + run(24..32))) + (run(32..40) + a[40])));
        let straight = run(0..41);
        assert_ne!(sum(41), Literal::F32(straight), "these numbers do not tell two orders apart");
        assert_eq!(reduce(Op::Sum, &[ColumnRef::F64(&[-0.0])]).unwrap(), Literal::F64(-0.0));
        assert_eq!(reduce(Op::Dot, &[ColumnRef::F64(&[]), ColumnRef::F64(&[])]).unwrap(), Literal::F64(0.0));
        for wrong in
            [reduce(Op::Add, &[ColumnRef::F32(&a)]), reduce(Op::Dot, &[ColumnRef::F32(&a), ColumnRef::F64(&[1.0])])]
        {
            assert!(matches!(wrong, Err(EngineError::Signature(_))));
        }
    }

    #[test]
    fn passes_follow_the_reductions() {
        let p = parse(
            "program clip(g: f32, x: f32) -> (f32, f32) {
            param limit: f32 = 1
            n = norm g
            s = div g, n
            d = dot s, x
            e = sum g
            t = mul d, limit
            r = add t, e
            return s, r
        }",
        );
        let passes = passes(&p);
        assert_eq!(passes.len(), 3);
        let ops = |i: usize| passes[i].reductions.iter().map(|r| (r.op, r.columns.clone())).collect::<Vec<_>>();
        assert_eq!(ops(0), [(Op::Norm, vec![0]), (Op::Sum, vec![0])]);
        assert_eq!(passes[0].program.outputs().len(), 1);
        let dot = ops(1);
        assert_eq!((dot.len(), dot[0].0, dot[0].1.len()), (1, Op::Dot, 2));
        assert!(ops(2).is_empty());
        for (pass, params) in passes.iter().zip([1, 3, 4]) {
            assert_eq!(verify::check(&pass.program), Ok(()));
            assert!(!has_reductions(&pass.program));
            assert_eq!((pass.program.params().len(), pass.program.inputs().len()), (params, 2));
        }
        let plain = parse("program f(x: f32) -> (f32) {\n s = sum x\n return x\n}");
        assert!(!has_reductions(&plain), "a dead reduction is none");
    }

    #[test]
    fn misfits_are_refused_and_columns_may_be_empty() {
        let p = parse("program f(x: f64) -> (f64) {\n param c: f64\n s = sum x\n y = mul s, c\n return y\n}");
        let mut engine = Staged::new(&p, crate::Interpreter::new).unwrap();
        let (c, x) = (Literal::F64(2.0), [1.0, 2.0, 4.0]);
        let mut y = [0.0; 3];
        engine.run(&[c], &[ColumnRef::F64(&x)], &mut [ColumnMut::F64(&mut y)]).unwrap();
        assert_eq!(y, [14.0; 3]);
        engine.run(&[c], &[ColumnRef::F64(&[])], &mut [ColumnMut::F64(&mut [])]).unwrap();
        let mut refused = |params: &[Literal], inputs: &[ColumnRef<'_>]| {
            matches!(engine.run(params, inputs, &mut [ColumnMut::F64(&mut y)]), Err(EngineError::Signature(_)))
        };
        assert!(refused(&[], &[ColumnRef::F64(&x)]));
        assert!(refused(&[Literal::F32(1.0)], &[ColumnRef::F64(&x)]));
        assert!(refused(&[c, c], &[ColumnRef::F64(&x)]));
        assert!(refused(&[c], &[]));
        assert!(refused(&[c], &[ColumnRef::F64(&x[..2])]));
        assert!(refused(&[c], &[ColumnRef::F32(&[1.0; 3])]));
    }
}
