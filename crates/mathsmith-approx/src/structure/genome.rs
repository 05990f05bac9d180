//! The genome of structure search: a small program over one number type with its constants in place.
//!
//! A [`Program`] is built for being checked, printed and compiled; a search makes a hundred thousand changes a second,
//! most of which come to nothing. So the genome is a plain list of instructions whose arguments hold their constants
//! themselves: a child that copies a part of its parent inherits the constants of that part, and a constant is never
//! shared, which gives fitting all the freedom that costs no operation. [`Genome::to_program`] turns it into a skeleton.

use mathsmith_ir::{Literal, NO_VALUE, Node, Op, Program, RealLit, Type, Value};
use serde::{Deserialize, Serialize};

/// An argument of an instruction, or the result of the genome.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Arg {
    /// The n-th input.
    #[serde(rename = "x")]
    Input(u16),
    /// The result of the n-th instruction.
    #[serde(rename = "v")]
    Node(u16),
    /// A constant that fitting may change, with its present value.
    #[serde(rename = "c")]
    Free(f64),
    /// A constant that stays as it is.
    #[serde(rename = "k")]
    Fixed(f64),
}

impl Arg {
    /// Whether this is a constant of either kind.
    pub fn is_const(self) -> bool {
        matches!(self, Arg::Free(_) | Arg::Fixed(_))
    }

    /// The index of the instruction behind it.
    pub fn node(self) -> Option<usize> {
        match self {
            Arg::Node(n) => Some(usize::from(n)),
            _ => None,
        }
    }
}

/// One operation. Arguments beyond the operation's arity are `Fixed(0)`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Instr {
    /// The operation: one whose arguments and result have the same float type.
    pub op: Op,
    /// Its arguments.
    pub args: [Arg; 3],
}

/// Filler of unused argument places.
pub const NO_ARG: Arg = Arg::Fixed(0.0);

impl Instr {
    /// An instruction.
    ///
    /// # Panics
    /// If the number of arguments is not the operation's arity.
    pub fn new(op: Op, args: &[Arg]) -> Self {
        assert_eq!(args.len(), op.arity(), "`{}` takes {} arguments", op.name(), op.arity());
        let mut full = [NO_ARG; 3];
        full[..args.len()].copy_from_slice(args);
        Instr { op, args: full }
    }

    /// The arguments in use.
    pub fn args(&self) -> &[Arg] {
        &self.args[..self.op.arity()]
    }

    /// The arguments in use.
    pub fn args_mut(&mut self) -> &mut [Arg] {
        &mut self.args[..self.op.arity()]
    }
}

/// Whether an operation maps numbers of one float type to a number of the same type, and so can be part of a genome.
pub fn is_numeric(op: Op) -> bool {
    matches!(op.arity(), 1..=3)
        && op.infer(&[Type::F64; 3][..op.arity()], |_| None) == Some(Type::F64)
        && op.infer(&[Type::Real; 3][..op.arity()], |_| None) == Some(Type::Real)
}

/// A straight-line program over one number type; see the module documentation.
///
/// In normal form ([`crate::structure::normal`]) instructions come after their arguments; mutation may leave them in
/// any order in between.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Genome {
    /// Number of inputs.
    pub inputs: u16,
    /// The instructions.
    pub instrs: Vec<Instr>,
    /// The result.
    pub root: Arg,
    /// Number of the start: genomes of one structure that are fitted from other constants have other numbers.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub salt: u32,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
fn is_zero(salt: &u32) -> bool {
    *salt == 0
}

/// Why a program cannot be a genome.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GenomeError {
    /// Not one output.
    #[error("a search needs a program with one output, this one has {0}")]
    Outputs(usize),
    /// An operation outside the numeric ones.
    #[error("value v{value}: `{op}` does not take numbers of one type to a number; search the real-valued part alone")]
    Op {
        /// Index of the node.
        value: usize,
        /// Mnemonic.
        op: &'static str,
    },
    /// A constant that is not a finite float.
    #[error("value v{0}: the constant is not a finite float")]
    Constant(usize),
    /// Too many values.
    #[error("the program has {0} values; a genome has at most 65535")]
    TooLarge(usize),
}

impl Genome {
    /// A genome with nothing but a constant.
    pub fn constant(inputs: u16, value: f64) -> Self {
        Genome { inputs, instrs: Vec::new(), root: Arg::Free(value), salt: 0 }
    }

    /// The genome of a program over one float type. Parameters become free constants (1 where they have no value yet),
    /// literals become fixed ones, or free ones with `free_literals`.
    ///
    /// # Errors
    /// [`GenomeError`] for what a genome cannot say.
    pub fn from_program(program: &Program, free_literals: bool) -> Result<Self, GenomeError> {
        let &[output] = program.outputs() else { return Err(GenomeError::Outputs(program.outputs().len())) };
        if program.nodes().len() > usize::from(u16::MAX) {
            return Err(GenomeError::TooLarge(program.nodes().len()));
        }
        let mut genome = Genome { inputs: program.inputs().len() as u16, instrs: Vec::new(), root: NO_ARG, salt: 0 };
        let mut map = vec![NO_ARG; program.nodes().len()];
        let live = program.live();
        for (i, node) in program.nodes().iter().enumerate().filter(|(i, _)| live[*i]) {
            map[i] = match *node {
                Node::Input(k) => Arg::Input(k as u16),
                Node::Param(k) => {
                    let value = program.params()[k as usize].value.map_or(Some(1.0), Literal::to_f64);
                    Arg::Free(value.filter(|v| v.is_finite()).ok_or(GenomeError::Constant(i))?)
                }
                Node::Lit(lit) => {
                    let value = lit.to_f64().filter(|v| v.is_finite()).ok_or(GenomeError::Constant(i))?;
                    if free_literals { Arg::Free(value) } else { Arg::Fixed(value) }
                }
                Node::Op(op, args) if is_numeric(op) => {
                    let args = args.map(|a| if a == NO_VALUE { NO_ARG } else { map[a.index()] });
                    genome.instrs.push(Instr { op, args });
                    Arg::Node(genome.instrs.len() as u16 - 1)
                }
                Node::Op(op, _) => return Err(GenomeError::Op { value: i, op: op.name() }),
            };
        }
        genome.root = map[output.index()];
        Ok(genome)
    }

    /// The skeleton: a program over `ty` whose parameters are the free constants in the order of
    /// [`Genome::constants`], named `c0`, `c1`, … and carrying their present values.
    ///
    /// # Panics
    /// If `ty` is no float type, or the instructions are not in order (a genome in normal form is).
    pub fn to_program(&self, name: &str, ty: Type) -> Program {
        let literal = |x| Literal::float(ty, x).expect("a genome is over a float type");
        let mut program = Program::new(name);
        for i in 0..self.inputs {
            program.input(if self.inputs == 1 { "x".to_string() } else { format!("x{i}") }, ty);
        }
        let inputs: Vec<Value> = program.values().collect();
        let mut free = 0;
        let mut values: Vec<Value> = Vec::with_capacity(self.instrs.len());
        let mut value_of = |program: &mut Program, arg: Arg, values: &[Value]| match arg {
            Arg::Input(i) => inputs[usize::from(i)],
            Arg::Node(n) => values[usize::from(n)],
            Arg::Fixed(x) => program.lit(literal(x)),
            Arg::Free(x) => {
                free += 1;
                program.param(format!("c{}", free - 1), ty, Some(literal(x)))
            }
        };
        for instr in &self.instrs {
            let mut args = [NO_VALUE; 3];
            for (slot, &arg) in args.iter_mut().zip(instr.args()) {
                *slot = value_of(&mut program, arg, &values);
            }
            values.push(program.must(instr.op, &args[..instr.op.arity()]));
        }
        let root = value_of(&mut program, self.root, &values);
        program.output(root);
        program
    }

    /// The free constants in order: by instruction, then by argument, the root last.
    pub fn constants(&self) -> Vec<f64> {
        let args = self.instrs.iter().flat_map(|i| i.args()).chain(std::iter::once(&self.root));
        args.filter_map(|a| if let Arg::Free(x) = a { Some(*x) } else { None }).collect()
    }

    /// Replaces the free constants, in the order of [`Genome::constants`].
    ///
    /// # Panics
    /// If there are fewer values than constants.
    pub fn set_constants(&mut self, values: &[f64]) {
        let mut next = values.iter();
        let args = self.instrs.iter_mut().flat_map(|i| i.args_mut()).chain(std::iter::once(&mut self.root));
        for arg in args {
            if let Arg::Free(x) = arg {
                *x = *next.next().expect("one value for each free constant");
            }
        }
    }

    /// How often each instruction is used, the result counting once.
    pub fn uses(&self) -> Vec<u16> {
        let mut uses = vec![0; self.instrs.len()];
        let args = self.instrs.iter().flat_map(|i| i.args()).chain(std::iter::once(&self.root));
        for n in args.filter_map(|a| a.node()) {
            uses[n] += 1;
        }
        uses
    }

    /// Value in doubles, for tests and for choosing starting constants. `None` if the instructions are out of order or
    /// contain an operation that has no quick value here.
    pub fn eval(&self, inputs: &[f64]) -> Option<f64> {
        let mut values: Vec<f64> = Vec::with_capacity(self.instrs.len());
        let value_of = |arg: Arg, values: &[f64]| match arg {
            Arg::Input(i) => inputs.get(usize::from(i)).copied(),
            Arg::Node(n) => values.get(usize::from(n)).copied(),
            Arg::Free(x) | Arg::Fixed(x) => Some(x),
        };
        for instr in &self.instrs {
            let mut v = [0.0; 3];
            for (slot, &arg) in v.iter_mut().zip(instr.args()) {
                *slot = value_of(arg, &values)?;
            }
            values.push(super::normal::apply(instr.op, v)?);
        }
        value_of(self.root, &values)
    }
}

/// A real literal of a double, as [`Genome::to_program`] writes it.
pub fn real(x: f64) -> Literal {
    Literal::Real(RealLit::new(x))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `c0 + x * (c1 + x * 3)`.
    fn sample() -> Program {
        let mut p = Program::new("p");
        let x = p.input("x", Type::Real);
        let c0 = p.param("c0", Type::Real, Some(real(0.5)));
        let c1 = p.param("c1", Type::Real, Some(real(0.25)));
        let three = p.lit(real(3.0));
        let t = p.must(Op::Mul, &[x, three]);
        let t = p.must(Op::Add, &[c1, t]);
        let t = p.must(Op::Mul, &[x, t]);
        let t = p.must(Op::Add, &[c0, t]);
        p.output(t);
        p
    }

    #[test]
    fn programs_round_trip_through_genomes() {
        let genome = Genome::from_program(&sample(), false).expect("a numeric program");
        assert_eq!(genome.instrs.len(), 4);
        assert_eq!(genome.constants().len(), 2);
        assert_eq!(genome.eval(&[2.0]), Some(0.5 + 2.0 * (0.25 + 6.0)));
        let program = genome.to_program("p", Type::F64);
        assert_eq!(program.params().len(), 2);
        assert_eq!(Genome::from_program(&program, false).expect("numeric").eval(&[2.0]), genome.eval(&[2.0]));
        let freed = Genome::from_program(&sample(), true).expect("a numeric program");
        assert_eq!(freed.constants().len(), 3);
        let text = serde_json::to_string(&freed).expect("plain data");
        assert_eq!(serde_json::from_str::<Genome>(&text).expect("its own text"), freed);
    }

    #[test]
    fn what_is_not_numeric_is_refused() {
        let mut p = Program::new("p");
        let x = p.input("x", Type::F32);
        let i = p.must(Op::Bitcast(Type::I32), &[x]);
        let x = p.must(Op::Bitcast(Type::F32), &[i]);
        p.output(x);
        assert!(matches!(Genome::from_program(&p, false), Err(GenomeError::Op { .. })));
        assert!(matches!(Genome::from_program(&Program::new("none"), false), Err(GenomeError::Outputs(0))));
        assert!(!is_numeric(Op::Lt) && !is_numeric(Op::Select) && is_numeric(Op::Fma) && is_numeric(Op::Sqrt));
    }
}
