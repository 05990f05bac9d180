//! Building changed copies of a program: operations that do nothing are left out, constants computed.
//!
//! These simplifications hold for numbers, not for NaN, infinities and signed zeros: a copy is a proposal, and the screen
//! judges it.

use mathsmith_ir::{Literal, NO_VALUE, Node, Op, Program, Type, Value};

/// One way to change a program.
pub(super) struct Change {
    /// The node that is made anew.
    pub at: Value,
    /// Which of the ways to change that node this is.
    pub way: u32,
    /// The changed program.
    pub program: Program,
}

/// [`Change::way`] of plain constants begins here, that of narrower types at twice as much; below are the rules.
pub(super) const WAYS: u32 = 1 << 20;

/// The value of a literal, or of a parameter that has one.
pub(super) fn constant(program: &Program, v: Value) -> Option<Literal> {
    match program.node(v) {
        Node::Lit(l) => Some(l),
        Node::Param(i) => program.params()[i as usize].value,
        _ => None,
    }
}

/// A literal as a number.
pub(super) fn number(literal: Literal) -> Option<f64> {
    match literal {
        Literal::I32(x) => Some(f64::from(x)),
        Literal::I64(x) => Some(x as f64),
        Literal::Bool(_) => None,
        other => other.to_f64(),
    }
}

/// Adds an operation, or what it comes to: an argument, a constant, a cheaper operation. `None` if the types do not fit.
pub(super) fn construct(out: &mut Program, op: Op, args: &[Value]) -> Option<Value> {
    if let Some(v) = idle(out, op, args) {
        return Some(v);
    }
    let parameter = args.iter().any(|&a| matches!(out.node(a), Node::Param(_)));
    if parameter && let Some(v) = merged(out, op, args) {
        return Some(v);
    }
    out.op(op, args).ok()
}

/// What an operation that does nothing, or less than it seems, comes to.
fn idle(out: &mut Program, op: Op, args: &[Value]) -> Option<Value> {
    let is = |i: usize, x: f64| matches!(out.node(args[i]), Node::Lit(l) if number(l) == Some(x));
    let truth = |i: usize| match out.node(args[i]) {
        Node::Lit(Literal::Bool(b)) => Some(b),
        _ => None,
    };
    let inner = |i: usize| match out.node(args[i]) {
        Node::Op(op, args) => Some((op, args[0])),
        _ => None,
    };
    match op {
        Op::Add | Op::Or | Op::Xor if is(0, 0.0) => Some(args[1]),
        Op::Add | Op::Sub | Op::Or | Op::Xor | Op::Shl | Op::Shr | Op::ShrLogical if is(1, 0.0) => Some(args[0]),
        Op::Sub | Op::Xor if args[0] == args[1] && out.ty(args[0]) != Type::Bool => {
            let zero = Literal::zero(out.ty(args[0]));
            Some(out.lit(zero))
        }
        Op::Sub if is(0, 0.0) => construct(out, Op::Neg, &[args[1]]),
        Op::Mul if is(0, 1.0) => Some(args[1]),
        Op::Mul | Op::Div if is(1, 1.0) => Some(args[0]),
        Op::Mul | Op::And if is(0, 0.0) => Some(args[0]),
        Op::Mul | Op::And if is(1, 0.0) => Some(args[1]),
        Op::Mul if is(0, -1.0) => construct(out, Op::Neg, &[args[1]]),
        Op::Mul if is(1, -1.0) => construct(out, Op::Neg, &[args[0]]),
        Op::Fma if is(0, 0.0) || is(1, 0.0) => Some(args[2]),
        Op::Fma if is(2, 0.0) => construct(out, Op::Mul, &args[..2]),
        Op::Fma if is(0, 1.0) => construct(out, Op::Add, &[args[1], args[2]]),
        Op::Fma if is(1, 1.0) => construct(out, Op::Add, &[args[0], args[2]]),
        Op::Fma if is(0, -1.0) => construct(out, Op::Sub, &[args[2], args[1]]),
        Op::Fma if is(1, -1.0) => construct(out, Op::Sub, &[args[2], args[0]]),
        Op::And | Op::Or | Op::Min | Op::Max | Op::CopySign if args[0] == args[1] => Some(args[0]),
        Op::And if truth(0) == Some(true) => Some(args[1]),
        Op::And if truth(1) == Some(true) => Some(args[0]),
        Op::And if truth(0) == Some(false) => Some(args[0]),
        Op::And if truth(1) == Some(false) => Some(args[1]),
        Op::Or if truth(0) == Some(true) => Some(args[0]),
        Op::Or if truth(1) == Some(true) => Some(args[1]),
        Op::Or if truth(0) == Some(false) => Some(args[1]),
        Op::Or if truth(1) == Some(false) => Some(args[0]),
        Op::Select if args[1] == args[2] || truth(0) == Some(true) => Some(args[1]),
        Op::Select if truth(0) == Some(false) => Some(args[2]),
        Op::Neg | Op::Not => inner(0).filter(|i| i.0 == op).map(|i| i.1),
        Op::Abs | Op::Floor | Op::Ceil | Op::Trunc | Op::RoundEven => inner(0).filter(|i| i.0 == op).map(|_| args[0]),
        Op::Bitcast(to) => inner(0).filter(|i| matches!(i.0, Op::Bitcast(_)) && out.ty(i.1) == to).map(|i| i.1),
        Op::Convert(to) if out.ty(args[0]) == to => Some(args[0]),
        Op::Convert(to) => {
            let same = |i: &(Op, Value)| matches!(i.0, Op::Convert(_)) && out.ty(i.1) == to && to.is_float();
            inner(0).filter(same).map(|i| i.1)
        }
        _ => None,
    }
}

/// An operation on constants of which one is a parameter: a parameter of its own.
fn merged(out: &mut Program, op: Op, args: &[Value]) -> Option<Value> {
    let values = args.iter().map(|&a| constant(out, a)?.to_f64()).collect::<Option<Vec<f64>>>()?;
    let ty = out.ty(args[0]);
    let value = match op {
        Op::Add => values[0] + values[1],
        Op::Sub => values[0] - values[1],
        Op::Mul => values[0] * values[1],
        Op::Div => values[0] / values[1],
        Op::Fma => values[0].mul_add(values[1], values[2]),
        Op::Neg => -values[0],
        Op::Convert(_) => values[0],
        _ => return None,
    };
    let ty = if let Op::Convert(to) = op { to } else { ty };
    let literal = Literal::float(ty, value).filter(|_| value.is_finite() && ty.is_float())?;
    let name = (0..).map(|i| format!("m{i}")).find(|n| out.params().iter().all(|p| p.name != *n))?;
    Some(out.param(name, ty, Some(literal)))
}

/// A copy of a program in the making.
pub(super) struct Rebuild<'a> {
    from: &'a Program,
    out: Program,
    map: Vec<Value>,
}

impl<'a> Rebuild<'a> {
    pub fn new(from: &'a Program) -> Rebuild<'a> {
        let mut out = Program::new(from.name());
        let mut map = vec![NO_VALUE; from.nodes().len()];
        for table in from.tables() {
            out.table(table.values.clone());
        }
        for (i, input) in from.inputs().iter().enumerate() {
            let v = out.input(input.name.clone(), input.ty);
            if let Some(old) = from.find(Node::Input(i as u32)) {
                map[old.index()] = v;
            }
        }
        for (i, p) in from.params().iter().enumerate() {
            let v = out.param(p.name.clone(), p.ty, p.value);
            if let Some(old) = from.find(Node::Param(i as u32)) {
                map[old.index()] = v;
            }
        }
        Rebuild { from, out, map }
    }

    /// The copy in which each use of `v` is one of what `make` adds; `make` is given the counterparts of the nodes before `v`.
    /// `None` if it makes nothing, or if what it makes does not fit its users.
    pub fn replacing(
        mut self,
        v: Value,
        make: impl FnOnce(&mut Program, &dyn Fn(Value) -> Option<Value>) -> Option<Value>,
    ) -> Option<Program> {
        let mut make = Some(make);
        self.run(|out, at, map| {
            let make = make.take_if(|_| at == v)?;
            Some(make(out, &|old: Value| map.get(old.index()).copied().filter(|n| *n != NO_VALUE)))
        })
    }

    /// The copy with some nodes made anew: `change` gives `Some(None)` to give up, `None` to leave a node as it is.
    pub fn run(
        &mut self,
        mut change: impl FnMut(&mut Program, Value, &[Value]) -> Option<Option<Value>>,
    ) -> Option<Program> {
        for v in self.from.values() {
            self.map[v.index()] = match change(&mut self.out, v, &self.map) {
                Some(new) => new?,
                None => match self.from.node(v) {
                    Node::Input(_) | Node::Param(_) => self.map[v.index()],
                    Node::Lit(l) => self.out.lit(l),
                    Node::Op(op, _) => {
                        let args: Vec<Value> = self.from.node(v).args().iter().map(|a| self.map[a.index()]).collect();
                        construct(&mut self.out, op, &args)?
                    }
                },
            };
        }
        let outputs: Vec<Value> = self.from.outputs().iter().map(|o| self.map[o.index()]).collect();
        let kept = outputs.iter().zip(self.from.outputs()).all(|(n, o)| self.out.ty(*n) == self.from.ty(*o));
        self.out.set_outputs(outputs);
        kept.then(|| std::mem::take(&mut self.out).folded())
    }
}

/// The program without operations that do nothing.
pub(super) fn tidied(program: &Program) -> Option<Program> {
    Rebuild::new(program).run(|_, _, _| None)
}

/// Every program in which one constant is a plainer one (0, 1, -1, 2, 1/2, the next power of two), or one node is a constant:
/// conditions true and false, integers 0, floats 0 and 1.
pub(super) fn with_plain_constants(program: &Program) -> Vec<Change> {
    let live = program.live();
    let mut out = Vec::new();
    for v in program.values().filter(|v| live[v.index()]) {
        let ty = program.ty(v);
        let choices: Vec<Literal> = match (ty, constant(program, v)) {
            _ if matches!(program.node(v), Node::Input(_)) => continue,
            (Type::Bool, None) => vec![Literal::Bool(true), Literal::Bool(false)],
            (Type::F32 | Type::F64, Some(l)) => {
                let x = l.to_f64().unwrap_or(0.0);
                [0.0, 1.0, -1.0, 2.0, 0.5, power(x)].into_iter().filter_map(|c| Literal::float(ty, c)).collect()
            }
            (Type::I32, _) => vec![Literal::I32(0)],
            (Type::F32, None) => vec![Literal::F32(0.0), Literal::F32(1.0)],
            _ => continue,
        };
        let same = |l: &Literal| constant(program, v).is_some_and(|c| c.key() == l.key() && !is_param(program, v));
        for (i, literal) in choices.into_iter().enumerate().filter(|(_, l)| !same(l)) {
            let made = Rebuild::new(program).replacing(v, |out, _| Some(out.lit(literal)));
            out.extend(made.map(|program| Change { at: v, way: WAYS + i as u32, program }));
        }
    }
    out
}

fn is_param(program: &Program, v: Value) -> bool {
    matches!(program.node(v), Node::Param(_))
}

/// The power of two nearest to a number, with its sign; 1 for what has none.
fn power(x: f64) -> f64 {
    if !x.is_normal() {
        return 1.0;
    }
    f64::from_bits((x.to_bits() + (1u64 << 51)) & !((1u64 << 52) - 1))
}

/// Every program in which arithmetic on doubles became arithmetic on `f32`: the whole, and each operation at the border, towards
/// its arguments (`op(convert a)` is `convert(op a)`) and towards its users.
pub(super) fn narrowed(program: &Program) -> Vec<Change> {
    let live = program.live();
    let mut out = Vec::new();
    let wide = |v: &Value| live[v.index()] && program.ty(*v) == Type::F64;
    let Some(first) = program.values().find(wide) else { return out };
    if let Ok(p) = program.convert_type(Type::F64, Type::F32) {
        out.push(Change { at: first, way: 2 * WAYS, program: p.folded() });
    }
    let arithmetic = |op: Op| !matches!(op, Op::Convert(_) | Op::Bitcast(_) | Op::Table(_) | Op::Select);
    for v in program.values().filter(|v| live[v.index()]) {
        let node = program.node(v);
        let Node::Op(op, _) = node else { continue };
        let args = node.args();
        if program.ty(v) == Type::F64 && arithmetic(op) {
            let narrow = |out: &mut Program, new: Value| match out.node(new) {
                Node::Op(Op::Convert(Type::F64), [a, ..]) if out.ty(a) == Type::F32 => Some(a),
                _ => narrow_constant(out, new),
            };
            let made = Rebuild::new(program).replacing(v, |out, map| {
                let args = args.iter().map(|&a| narrow(out, map(a)?)).collect::<Option<Vec<Value>>>()?;
                let new = construct(out, op, &args)?;
                construct(out, Op::Convert(Type::F64), &[new])
            });
            out.extend(made.map(|program| Change { at: v, way: 2 * WAYS + 1, program }));
        }
        if op == Op::Convert(Type::F32)
            && let Node::Op(inner, _) = program.node(args[0])
            && arithmetic(inner)
            && program.ty(args[0]) == Type::F64
        {
            let below = program.node(args[0]);
            let made = Rebuild::new(program).replacing(v, |out, map| {
                let mut args = Vec::new();
                for &a in below.args() {
                    let a = map(a)?;
                    args.push(match narrow_constant(out, a) {
                        Some(c) => c,
                        None => construct(out, Op::Convert(Type::F32), &[a])?,
                    });
                }
                construct(out, inner, &args)
            });
            out.extend(made.map(|program| Change { at: v, way: 2 * WAYS + 2, program }));
        }
    }
    out
}

/// A constant as an `f32`.
fn narrow_constant(out: &mut Program, v: Value) -> Option<Value> {
    let x = Literal::F32(constant(out, v)?.to_f64()? as f32);
    match out.node(v) {
        Node::Param(i) => {
            let name = format!("{}n", out.params()[i as usize].name);
            let index = out.params().iter().position(|p| p.name == name && p.ty == Type::F32);
            match index.and_then(|i| out.find(Node::Param(i as u32))) {
                Some(v) => Some(v),
                None => Some(out.param(name, Type::F32, Some(x))),
            }
        }
        _ => Some(out.lit(x)),
    }
}
