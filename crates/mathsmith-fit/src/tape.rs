//! A program compiled for fitting: a flat list of real-valued instructions over numbered slots.
//!
//! `real`, `f32` and `f64` are all treated as reals: fitting asks what the form could reach, rounding
//! ([`crate::round`]) asks what it reaches. A search builds one tape for every candidate, so building is a single pass
//! and [`Tape::rebuild`] reuses the buffers.

use crate::{Dd, FitError};
use mathsmith_ir::{Literal, Node, Op, Program, Type};

/// Operation of an instruction. Truth values are 1 and 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    Add,
    Sub,
    Mul,
    Div,
    Fma,
    Neg,
    Abs,
    Min,
    Max,
    Sqrt,
    Sign,
    Floor,
    Ceil,
    RoundEven,
    Trunc,
    CopySign,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Select,
    And,
    Or,
    Xor,
    Not,
}

/// One instruction. Arguments have smaller slots than `out`; unused arguments repeat the first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ins {
    pub code: Code,
    pub out: u16,
    pub a: u16,
    pub b: u16,
    pub c: u16,
    /// Which of a, b, c lead to a free parameter: where the reverse pass has to go.
    pub active: [bool; 3],
}

/// A program as a list of instructions; see the module documentation.
///
/// Slots are numbered inputs first, then parameters, literals, and results in program order.
#[derive(Clone, Debug, Default)]
pub struct Tape {
    pub(crate) inputs: usize,
    pub(crate) params: usize,
    pub(crate) free: Vec<usize>,
    pub(crate) lits: Vec<Dd>,
    pub(crate) ins: Vec<Ins>,
    pub(crate) slots: usize,
    pub(crate) out: usize,
    pub(crate) active: Vec<bool>,
    map: Vec<u16>,
}

/// Marks of `map` while a tape is built.
const DEAD: u16 = u16::MAX;
const LIVE: u16 = u16::MAX - 1;

impl Tape {
    /// Compiles a program with one output. All its parameters are free; see [`Tape::fix`].
    ///
    /// # Errors
    /// [`FitError::Outputs`], [`FitError::Unsupported`] for integer operations that the output depends on,
    /// [`FitError::TooLarge`].
    pub fn new(program: &Program) -> Result<Tape, FitError> {
        let mut tape = Tape::default();
        tape.rebuild(program)?;
        Ok(tape)
    }

    /// [`Tape::new`] into the buffers of this tape. After an error the tape is empty and must be rebuilt before use.
    ///
    /// # Errors
    /// As [`Tape::new`].
    pub fn rebuild(&mut self, program: &Program) -> Result<(), FitError> {
        let nodes = program.nodes();
        self.lits.clear();
        self.ins.clear();
        self.free.clear();
        self.active.clear();
        self.slots = 0;
        self.inputs = program.inputs().len();
        self.params = program.params().len();
        let &[output] = program.outputs() else { return Err(FitError::Outputs(program.outputs().len())) };
        if nodes.len() + self.inputs + self.params >= usize::from(LIVE) {
            return Err(FitError::TooLarge(nodes.len()));
        }
        self.map.clear();
        self.map.resize(nodes.len(), DEAD);
        self.map[output.index()] = LIVE;
        let mut lits = 0;
        for i in (0..=output.index()).rev() {
            if self.map[i] == LIVE {
                lits += usize::from(matches!(nodes[i], Node::Lit(_)));
                for a in nodes[i].args() {
                    self.map[a.index()] = LIVE;
                }
            }
        }
        let first_lit = self.inputs + self.params;
        let mut next = first_lit + lits;
        for (i, node) in nodes[..=output.index()].iter().enumerate() {
            if self.map[i] != LIVE {
                continue;
            }
            self.map[i] = match *node {
                Node::Input(k) => k as u16,
                Node::Param(k) => (self.inputs + k as usize) as u16,
                Node::Lit(lit) => {
                    self.lits.push(real_value(lit).ok_or_else(|| unsupported(i, "integer literal"))?);
                    (first_lit + self.lits.len() - 1) as u16
                }
                Node::Op(op, args) => {
                    let arg_types = node.args().iter().map(|&a| program.ty(a));
                    let real = |t: Type| t.is_float() || t == Type::Bool;
                    if !real(program.ty(mathsmith_ir::Value(i as u32))) || !arg_types.clone().all(real) {
                        return Err(unsupported(i, op.name()));
                    }
                    let slot = |k: usize| self.map[args[if k < op.arity() { k } else { 0 }].index()];
                    let (a, b, c) = (slot(0), slot(1), slot(2));
                    if let Op::Convert(_) = op {
                        a
                    } else {
                        let code = code_of(op).ok_or_else(|| unsupported(i, op.name()))?;
                        self.ins.push(Ins { code, out: next as u16, a, b, c, active: [false; 3] });
                        next += 1;
                        next as u16 - 1
                    }
                }
            };
        }
        self.slots = next;
        self.out = usize::from(self.map[output.index()]);
        self.free.extend(0..self.params);
        self.mark();
        Ok(())
    }

    /// Keeps parameter `index` at its starting value in every fit.
    pub fn fix(&mut self, index: usize) {
        self.free.retain(|&p| p != index);
        self.mark();
    }

    /// Makes every parameter free again.
    pub fn free_all(&mut self) {
        self.free.clear();
        self.free.extend(0..self.params);
        self.mark();
    }

    /// Number of inputs.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Number of parameters, fixed ones included.
    pub fn params(&self) -> usize {
        self.params
    }

    /// Indices of the parameters that a fit may change, ascending.
    pub fn free(&self) -> &[usize] {
        &self.free
    }

    /// Finds which slots depend on a free parameter.
    fn mark(&mut self) {
        self.active.clear();
        self.active.resize(self.slots, false);
        for &p in &self.free {
            self.active[self.inputs + p] = true;
        }
        for ins in &mut self.ins {
            ins.active = [ins.a, ins.b, ins.c].map(|s| self.active[usize::from(s)]);
            let flat =
                matches!(
                    ins.code,
                    Code::Sign
                        | Code::Floor
                        | Code::Ceil
                        | Code::RoundEven
                        | Code::Trunc
                        | Code::And
                        | Code::Or
                        | Code::Xor
                ) || matches!(ins.code, Code::Not | Code::Eq | Code::Ne | Code::Lt | Code::Le | Code::Gt | Code::Ge);
            let on = match ins.code {
                _ if flat => false,
                Code::CopySign => ins.active[0],
                Code::Select => ins.active[1] || ins.active[2],
                _ => ins.active != [false; 3],
            };
            self.active[usize::from(ins.out)] = on;
        }
    }
}

fn unsupported(value: usize, what: &str) -> FitError {
    FitError::Unsupported { value: value as u32, what: what.into() }
}

/// The real that a literal stands for; truth values are 1 and 0.
fn real_value(lit: Literal) -> Option<Dd> {
    match lit {
        Literal::Real(r) => Some(Dd::new(r.0[0], r.0[1] + r.0[2])),
        Literal::F32(x) => Some(Dd::from(f64::from(x))),
        Literal::F64(x) => Some(Dd::from(x)),
        Literal::Bool(b) => Some(Dd::from(f64::from(u8::from(b)))),
        Literal::I32(_) | Literal::I64(_) => None,
    }
}

fn code_of(op: Op) -> Option<Code> {
    Some(match op {
        Op::Add => Code::Add,
        Op::Sub => Code::Sub,
        Op::Mul => Code::Mul,
        Op::Div => Code::Div,
        Op::Fma => Code::Fma,
        Op::Neg => Code::Neg,
        Op::Abs => Code::Abs,
        Op::Min => Code::Min,
        Op::Max => Code::Max,
        Op::Sqrt => Code::Sqrt,
        Op::Sign => Code::Sign,
        Op::Floor => Code::Floor,
        Op::Ceil => Code::Ceil,
        Op::RoundEven => Code::RoundEven,
        Op::Trunc => Code::Trunc,
        Op::CopySign => Code::CopySign,
        Op::Eq => Code::Eq,
        Op::Ne => Code::Ne,
        Op::Lt => Code::Lt,
        Op::Le => Code::Le,
        Op::Gt => Code::Gt,
        Op::Ge => Code::Ge,
        Op::Select => Code::Select,
        Op::And => Code::And,
        Op::Or => Code::Or,
        Op::Xor => Code::Xor,
        Op::Not => Code::Not,
        Op::Convert(_) | Op::Bitcast(_) | Op::Shl | Op::Shr | Op::ShrLogical | Op::Table(_) => return None,
        // No derivatives of these here, and a reduction has none of one point.
        Op::Exp | Op::Log | Op::Pow | Op::Sin | Op::Cos | Op::Tan | Op::Asin | Op::Acos | Op::Atan => return None,
        Op::Sum | Op::Norm | Op::Dot => return None,
    })
}
