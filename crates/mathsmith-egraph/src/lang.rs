//! The e-graph's language and its conversion from and to programs.
//!
//! Arithmetic of one float type, the program's main type, is visible to rules. Everything else (integers, comparisons,
//! rounding, other float types) is carried as an opaque operation: congruent, never rewritten. Signs in front of an
//! `fma`'s arguments are part of the operation (`fms`, `fnma`, `fnms`), because a sign folded into an `fma` is free.
//! Nothing here is an interned symbol, so the derived order of nodes is the same in every run.

use crate::field::chain;
use egg::{Id, Language, RecExpr};
use mathsmith_ir::{BuildError, Literal, NO_VALUE, Node, Op, Program, RealLit, Type, Value};

/// An arithmetic operation that rules can mention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Arith {
    /// `a + b`.
    Add,
    /// `a - b`.
    Sub,
    /// `a * b`.
    Mul,
    /// `a / b`.
    Div,
    /// `a < b ? a : b`.
    Min,
    /// `a > b ? a : b`.
    Max,
    /// `a*b + c`, rounded once.
    Fma,
    /// `a*b - c`, rounded once.
    Fms,
    /// `c - a*b`, rounded once.
    Fnma,
    /// `-(a*b) - c`, rounded once.
    Fnms,
    /// `-a`.
    Neg,
    /// `|a|`.
    Abs,
    /// Square root.
    Sqrt,
}

impl Arith {
    /// Every operation.
    pub const ALL: [Arith; 13] = [
        Arith::Add,
        Arith::Sub,
        Arith::Mul,
        Arith::Div,
        Arith::Min,
        Arith::Max,
        Arith::Fma,
        Arith::Fms,
        Arith::Fnma,
        Arith::Fnms,
        Arith::Neg,
        Arith::Abs,
        Arith::Sqrt,
    ];

    /// Name in rules and corpora.
    pub fn name(self) -> &'static str {
        match self {
            Arith::Add => "add",
            Arith::Sub => "sub",
            Arith::Mul => "mul",
            Arith::Div => "div",
            Arith::Min => "min",
            Arith::Max => "max",
            Arith::Fma => "fma",
            Arith::Fms => "fms",
            Arith::Fnma => "fnma",
            Arith::Fnms => "fnms",
            Arith::Neg => "neg",
            Arith::Abs => "abs",
            Arith::Sqrt => "sqrt",
        }
    }

    /// Inverse of [`Arith::name`].
    pub fn from_name(name: &str) -> Option<Arith> {
        Arith::ALL.into_iter().find(|a| a.name() == name)
    }

    /// Number of arguments.
    pub fn arity(self) -> usize {
        match self {
            Arith::Neg | Arith::Abs | Arith::Sqrt => 1,
            Arith::Fma | Arith::Fms | Arith::Fnma | Arith::Fnms => 3,
            _ => 2,
        }
    }

    /// Whether the first two arguments may be exchanged over the reals.
    pub fn commutes(self) -> bool {
        !matches!(self, Arith::Sub | Arith::Div | Arith::Neg | Arith::Abs | Arith::Sqrt)
    }

    /// One of the four signs of `fma`.
    pub fn is_fused(self) -> bool {
        matches!(self, Arith::Fma | Arith::Fms | Arith::Fnma | Arith::Fnms)
    }

    /// The fused operation `±a*b ± c`.
    pub fn fused(product_negative: bool, addend_negative: bool) -> Arith {
        match (product_negative, addend_negative) {
            (false, false) => Arith::Fma,
            (false, true) => Arith::Fms,
            (true, false) => Arith::Fnma,
            (true, true) => Arith::Fnms,
        }
    }

    /// The operation of the IR with the same meaning, where there is one without signs.
    fn from_op(op: Op) -> Option<Arith> {
        Some(match op {
            Op::Add => Arith::Add,
            Op::Sub => Arith::Sub,
            Op::Mul => Arith::Mul,
            Op::Div => Arith::Div,
            Op::Min => Arith::Min,
            Op::Max => Arith::Max,
            Op::Fma => Arith::Fma,
            Op::Neg => Arith::Neg,
            Op::Abs => Arith::Abs,
            Op::Sqrt => Arith::Sqrt,
            _ => return None,
        })
    }

    /// Adds the operation to a program.
    ///
    /// # Errors
    /// [`BuildError`] if the arguments do not fit.
    pub fn build(self, program: &mut Program, args: &[Value]) -> Result<Value, BuildError> {
        let (op, product, addend) = match self {
            Arith::Add => (Op::Add, false, false),
            Arith::Sub => (Op::Sub, false, false),
            Arith::Mul => (Op::Mul, false, false),
            Arith::Div => (Op::Div, false, false),
            Arith::Min => (Op::Min, false, false),
            Arith::Max => (Op::Max, false, false),
            Arith::Neg => (Op::Neg, false, false),
            Arith::Abs => (Op::Abs, false, false),
            Arith::Sqrt => (Op::Sqrt, false, false),
            Arith::Fma => (Op::Fma, false, false),
            Arith::Fms => (Op::Fma, false, true),
            Arith::Fnma => (Op::Fma, true, false),
            Arith::Fnms => (Op::Fma, true, true),
        };
        if !product && !addend {
            return program.op(op, args);
        }
        let mut signed = [NO_VALUE; 3];
        signed[..args.len().min(3)].copy_from_slice(&args[..args.len().min(3)]);
        if product {
            // Always the later factor, so that reading and writing a program is stable.
            let i = usize::from(signed[1] > signed[0]);
            signed[i] = program.op(Op::Neg, &signed[i..=i])?;
        }
        if addend {
            signed[2] = program.op(Op::Neg, &signed[2..])?;
        }
        program.op(op, &signed[..args.len().min(3)])
    }
}

/// A node of the e-graph. Unused argument places hold `Id` 0.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lang {
    /// The program's n-th input.
    Input(u32),
    /// The program's n-th parameter.
    Const(u32),
    /// A constant that the analysis derived from parameters ([`crate::analysis`]).
    Derived(u32),
    /// A literal by type and bits ([`Literal::key`]).
    Lit(Type, [u64; 3]),
    /// Arithmetic on the main type.
    Arith(Arith, [Id; 3]),
    /// An operation that rules do not touch.
    Other(Op, [Id; 3]),
    /// The outputs in order: the root.
    List(Box<[Id]>),
}

/// What nodes must have in common to match the same pattern node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A leaf.
    Leaf,
    /// Arithmetic.
    Arith(Arith),
    /// An opaque operation.
    Other(Op),
    /// The root.
    List,
}

impl Lang {
    /// The literal of type `ty` nearest to `x`, as a node; `ty` must be a float type.
    pub fn number(ty: Type, x: f64) -> Option<Lang> {
        Literal::float(ty, x).map(Lang::literal)
    }

    /// A literal as a node.
    pub fn literal(l: Literal) -> Lang {
        Lang::Lit(l.ty(), l.key())
    }

    /// The literal of a node.
    pub fn as_literal(&self) -> Option<Literal> {
        let Lang::Lit(ty, k) = *self else { return None };
        Some(match ty {
            Type::Real => Literal::Real(RealLit(k.map(f64::from_bits))),
            Type::F32 => Literal::F32(f32::from_bits(k[0] as u32)),
            Type::F64 => Literal::F64(f64::from_bits(k[0])),
            Type::I32 => Literal::I32(k[0] as i32),
            Type::I64 => Literal::I64(k[0] as i64),
            Type::Bool => Literal::Bool(k[0] != 0),
        })
    }
}

impl Language for Lang {
    type Discriminant = Kind;

    fn discriminant(&self) -> Kind {
        match self {
            Lang::Arith(a, _) => Kind::Arith(*a),
            Lang::Other(o, _) => Kind::Other(*o),
            Lang::List(_) => Kind::List,
            _ => Kind::Leaf,
        }
    }

    fn matches(&self, other: &Self) -> bool {
        match (self, other) {
            (Lang::Arith(a, _), Lang::Arith(b, _)) => a == b,
            (Lang::Other(a, _), Lang::Other(b, _)) => a == b,
            (Lang::List(a), Lang::List(b)) => a.len() == b.len(),
            (Lang::Input(_) | Lang::Const(_) | Lang::Derived(_) | Lang::Lit(..), _) => self == other,
            _ => false,
        }
    }

    fn children(&self) -> &[Id] {
        match self {
            Lang::Arith(a, args) => &args[..a.arity()],
            Lang::Other(o, args) => &args[..o.arity()],
            Lang::List(args) => args,
            _ => &[],
        }
    }

    fn children_mut(&mut self) -> &mut [Id] {
        match self {
            Lang::Arith(a, args) => &mut args[..a.arity()],
            Lang::Other(o, args) => &mut args[..o.arity()],
            Lang::List(args) => args,
            _ => &mut [],
        }
    }
}

/// Hash of a term's shape from its top node and the hashes of its arguments (unused places 0). One constant is like
/// another, and the arguments of operations that commute over the reals have no order.
pub(crate) fn shape_hash(node: &Lang, mut args: [u64; 3]) -> u64 {
    let start = match node {
        Lang::Const(_) | Lang::Derived(_) => return 11,
        Lang::Input(i) => return chain(12, u64::from(*i)),
        Lang::Lit(ty, k) => return k.iter().fold(chain(13, *ty as u64), |h, &x| chain(h, x)),
        Lang::Arith(op, _) => 100 + *op as u64,
        Lang::Other(op, _) => {
            let payload = match op {
                Op::Convert(t) | Op::Bitcast(t) => *t as u64,
                Op::Table(t) => u64::from(*t),
                _ => 0,
            };
            op.name().bytes().fold(chain(14, payload), |h, b| chain(h, u64::from(b)))
        }
        Lang::List(_) => 15,
    };
    if matches!(node, Lang::Arith(op, _) if op.commutes()) {
        args[..2].sort_unstable();
    }
    args.iter().fold(start, |h, &a| chain(h, a))
}

/// The float type whose arithmetic rules see: that of the first float output, else of the first float node, else `real`.
pub fn main_type(program: &Program) -> Type {
    let outputs = program.outputs().iter().copied();
    outputs.chain(program.values()).map(|v| program.ty(v)).find(|t| t.is_float()).unwrap_or(Type::Real)
}

/// The live part of a program as an expression whose root lists the outputs.
pub fn to_expr(program: &Program) -> RecExpr<Lang> {
    let main = main_type(program);
    let mut needed = vec![false; program.nodes().len()];
    for v in program.outputs() {
        needed[v.index()] = true;
    }
    for v in program.values().rev() {
        if needed[v.index()] {
            let (node, args) = shape(program, main, v);
            for a in &args[..node.children().len()] {
                needed[a.index()] = true;
            }
        }
    }
    let mut expr = RecExpr::default();
    let mut ids = vec![Id::from(0); program.nodes().len()];
    for v in program.values().filter(|v| needed[v.index()]) {
        let (mut node, args) = shape(program, main, v);
        for (slot, a) in node.children_mut().iter_mut().zip(&args) {
            *slot = ids[a.index()];
        }
        ids[v.index()] = expr.add(node);
    }
    expr.add(Lang::List(program.outputs().iter().map(|v| ids[v.index()]).collect()));
    expr
}

/// The node of a value with its arguments still to be filled in, signs folded into fused operations.
fn shape(program: &Program, main: Type, v: Value) -> (Lang, [Value; 3]) {
    let none = [Id::from(0); 3];
    match program.node(v) {
        Node::Input(i) => (Lang::Input(i), [NO_VALUE; 3]),
        Node::Param(i) => (Lang::Const(i), [NO_VALUE; 3]),
        Node::Lit(l) => (Lang::literal(l), [NO_VALUE; 3]),
        Node::Op(Op::Fma, args) if program.ty(v) == main => {
            let mut negative = [false; 3];
            let mut args = args;
            for (a, sign) in args.iter_mut().zip(&mut negative) {
                while let Node::Op(Op::Neg, [inner, ..]) = program.node(*a) {
                    *a = inner;
                    *sign = !*sign;
                }
            }
            (Lang::Arith(Arith::fused(negative[0] != negative[1], negative[2]), none), args)
        }
        Node::Op(op, args) => match Arith::from_op(op).filter(|_| program.ty(v) == main) {
            Some(a) => (Lang::Arith(a, none), args),
            None => (Lang::Other(op, none), args),
        },
    }
}

/// An expression made by [`to_expr`] (or rewritten from one) as a program; `like` supplies name, inputs, parameters and
/// tables. Parameters that the expression does not mention are dropped.
///
/// # Errors
/// [`BuildError`] if the expression does not fit `like`: it mentions an input or parameter that is not there, has a
/// constant that only an e-graph knows, or does not end in a list of outputs.
pub fn from_expr(expr: &RecExpr<Lang>, like: &Program) -> Result<Program, BuildError> {
    let mut out = Program::new(like.name());
    let inputs: Vec<Value> = like.inputs().iter().map(|i| out.input(i.name.clone(), i.ty)).collect();
    let params: Vec<Value> = like.params().iter().map(|p| out.param(p.name.clone(), p.ty, p.value)).collect();
    for table in like.tables() {
        out.table(table.values.clone());
    }
    let mut values: Vec<Value> = Vec::with_capacity(expr.as_ref().len());
    let leaf = |list: &[Value], i: u32| list.get(i as usize).copied().ok_or(BuildError::Undefined(i));
    for node in expr.as_ref() {
        let args: Vec<Value> = node.children().iter().map(|&id| values[usize::from(id)]).collect();
        let v = match node {
            Lang::Input(i) => leaf(&inputs, *i)?,
            Lang::Const(i) => leaf(&params, *i)?,
            Lang::Derived(i) => return Err(BuildError::Undefined(*i)),
            Lang::Lit(..) => match node.as_literal() {
                Some(l) => out.lit(l),
                None => return Err(BuildError::Undefined(0)),
            },
            Lang::Arith(a, _) => a.build(&mut out, &args)?,
            Lang::Other(op, _) => out.op(*op, &args)?,
            Lang::List(_) => {
                out.set_outputs(args);
                return Ok(out.compacted());
            }
        };
        values.push(v);
    }
    Err(BuildError::Undefined(values.len() as u32))
}

/// Number of operations as DESIGN.md counts them: inputs, literals, parameters and bitcasts are free, so is a negation
/// whose every use is an argument of an `fma`; everything else is one. Dead operations are not counted.
pub fn operations(program: &Program) -> usize {
    let live = program.live();
    let mut kept = vec![false; program.nodes().len()];
    for v in program.outputs() {
        kept[v.index()] = true;
    }
    for (v, node) in program.nodes().iter().enumerate().filter(|(v, _)| live[*v]) {
        if !matches!(node, Node::Op(Op::Fma, _)) {
            node.args().iter().for_each(|a| kept[a.index()] = true);
        }
        debug_assert!(node.args().iter().all(|a| a.index() < v));
    }
    let counts = |v: usize, node: &Node| match node {
        Node::Op(Op::Bitcast(_), _) => false,
        Node::Op(Op::Neg, _) => kept[v],
        Node::Op(..) => true,
        _ => false,
    };
    program.nodes().iter().enumerate().filter(|(v, n)| live[*v] && counts(*v, n)).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::skeleton;

    #[test]
    fn programs_round_trip() {
        for text in [
            "s = x + C; s*s - 2*fnma(x, y, 1)",
            "fma(-x, -y, -z) + min(x, abs(y))/sqrt(p0 + p0*x)",
            "floor(x) + copysign(y, -x)",
            "fma(-floor(x), y, neg(neg(z)))",
        ] {
            for ty in [Type::Real, Type::F32] {
                let p = skeleton(text, ty).unwrap().compacted();
                let q = from_expr(&to_expr(&p), &p).unwrap();
                let r = from_expr(&to_expr(&q), &q).unwrap();
                assert_eq!(q, r, "{text}");
                assert!(operations(&q) <= operations(&p), "{text}");
            }
        }
    }

    #[test]
    fn several_outputs_and_other_types_are_carried() {
        let mut p = Program::new("p");
        let x = p.input("x", Type::F32);
        let i = p.must(Op::Bitcast(Type::I32), &[x]);
        let two = p.lit(Literal::I32(2));
        let j = p.must(Op::Add, &[i, two]);
        let y = p.must(Op::Bitcast(Type::F32), &[j]);
        let t = p.table(vec![Literal::F32(1.0), Literal::F32(-0.0)]);
        let z = p.must(Op::Table(t), &[j]);
        p.output(y);
        p.output(z);
        p.output(y);
        let e = to_expr(&p);
        assert!(e.as_ref().iter().any(|n| matches!(n, Lang::Other(Op::Add, _))), "integer addition is opaque");
        assert_eq!(from_expr(&e, &p).unwrap(), p.compacted());
        assert_eq!(operations(&p), 2);
    }

    #[test]
    fn a_sign_is_free_only_inside_an_fma() {
        let count = |t| operations(&skeleton(t, Type::F32).unwrap());
        assert_eq!(count("fma(-x, y, -z)"), 1);
        assert_eq!(count("fma(-x, y, z) + -x"), 3);
        assert_eq!(count("-x"), 1);
    }
}
