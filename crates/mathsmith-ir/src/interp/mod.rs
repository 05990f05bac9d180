//! The block-wise reference interpreter: the definition of every operation.
//!
//! A program is planned once: dead nodes are dropped, and each live node is given a register, a column of
//! [`Interpreter::BLOCK`] values, that is used again as soon as its last reader is done. A run then goes through the
//! rows block by block; within a block each operation is one loop over a few kilobytes that stay in the first-level
//! cache, so that the cost of choosing the loop is spread over the block. The loops are compiled twice, for AVX2 with FMA
//! and for the base instruction set, and chosen when the interpreter is made; both give the same bits, as every
//! operation is exact or rounded once by IEEE 754 (the second calls a software `fma` and is slow at it).
//!
//! Elementary functions are replaced by their kernels first ([`crate::kernels`]), and a program with reductions is run in
//! passes ([`crate::staged`]), so that neither is known here. What each other operation means is stated in [`crate::Op`]
//! and in `docs/ir.md`, and implemented in `kernel`.

mod kernel;
mod plan;

use crate::{ColumnMut, ColumnRef, Engine, EngineError, Literal, Node, Program, Staged, Type, Value, kernels, staged};
use plan::Plan;

/// Runs a program in blocks of [`Interpreter::BLOCK`] rows; one with reductions in several passes over all rows.
pub struct Interpreter(Inner);

enum Inner {
    Rows(Box<Rows>),
    Staged(Staged<Rows>),
}

/// A program without elementary functions and reductions.
struct Rows {
    plan: Plan,
    banks: kernel::Banks,
    /// The parameters last written into the registers.
    bound: Vec<Literal>,
    vector: bool,
}

impl Interpreter {
    /// Rows per block.
    pub const BLOCK: usize = 256;

    /// Prepares a program.
    ///
    /// # Errors
    /// [`EngineError::Unsupported`] for a program over `real`: see [`crate::real::eval`].
    pub fn new(program: &Program) -> Result<Self, EngineError> {
        let program = &*kernels::lower(program);
        Ok(Interpreter(match staged::has_reductions(program) {
            true => Inner::Staged(Staged::new(program, Rows::new)?),
            false => Inner::Rows(Box::new(Rows::new(program)?)),
        }))
    }

    /// Forces the loops for the base instruction set; for tests that both give the same bits.
    #[doc(hidden)]
    pub fn without_vectors(self) -> Self {
        let plain = |rows: Rows| Rows { vector: false, ..rows };
        Interpreter(match self.0 {
            Inner::Rows(rows) => Inner::Rows(Box::new(plain(*rows))),
            Inner::Staged(staged) => Inner::Staged(staged.map(plain)),
        })
    }
}

impl Engine for Interpreter {
    fn run(
        &mut self,
        params: &[Literal],
        inputs: &[ColumnRef<'_>],
        outputs: &mut [ColumnMut<'_>],
    ) -> Result<(), EngineError> {
        match &mut self.0 {
            Inner::Rows(rows) => rows.run(params, inputs, outputs),
            Inner::Staged(staged) => staged.run(params, inputs, outputs),
        }
    }
}

impl Rows {
    fn new(program: &Program) -> Result<Self, EngineError> {
        let signature = program.inputs().iter().map(|i| i.ty).chain(program.params().iter().map(|p| p.ty));
        if let Some(ty) = signature.into_iter().find(|&t| t == Type::Real) {
            return Err(plan::no_reals(format!("an input or parameter of type {ty}")));
        }
        Ok(Rows::with_plan(Plan::new(program, program.outputs(), true)?))
    }

    fn with_plan(plan: Plan) -> Self {
        let banks = kernel::Banks::new(&plan);
        Rows { plan, banks, bound: Vec::new(), vector: kernel::vector_available() }
    }

    fn bind(&mut self, params: &[Literal]) -> Result<(), EngineError> {
        let want = &self.plan.params;
        if params.len() != want.len() {
            return Err(signature(format!("{} parameters wanted, {} given", want.len(), params.len())));
        }
        for (i, (&(ty, _), p)) in want.iter().zip(params).enumerate() {
            if p.ty() != ty {
                return Err(signature(format!("parameter {i} is {ty}, {} given", p.ty())));
            }
        }
        if self.bound != params {
            for (&(_, register), &p) in want.iter().zip(params) {
                if let Some(register) = register {
                    self.banks.fill(register, p);
                }
            }
            self.bound = params.to_vec();
        }
        Ok(())
    }

    fn check_columns(&self, inputs: &[ColumnRef<'_>], outputs: &[ColumnMut<'_>]) -> Result<usize, EngineError> {
        let count = |what, want: usize, got: usize| match want == got {
            true => Ok(()),
            false => Err(signature(format!("{want} {what} columns wanted, {got} given"))),
        };
        count("input", self.plan.inputs.len(), inputs.len())?;
        count("output", self.plan.outputs.len(), outputs.len())?;
        let rows = inputs.first().map(ColumnRef::len).or(outputs.first().map(ColumnMut::len)).unwrap_or(0);
        let check = |what, i: usize, want: Type, ty: Type, len: usize| {
            if want != ty {
                return Err(signature(format!("{what} {i} is {want}, the column holds {ty}")));
            }
            if len != rows {
                return Err(signature(format!("{what} {i} has {len} rows, the first column {rows}")));
            }
            Ok(())
        };
        for (i, (c, want)) in inputs.iter().zip(&self.plan.inputs).enumerate() {
            check("input", i, want.0, c.ty(), c.len())?;
        }
        for (i, (c, want)) in outputs.iter().zip(&self.plan.outputs).enumerate() {
            check("output", i, want.ty, c.ty(), c.len())?;
        }
        Ok(rows)
    }
}

impl Engine for Rows {
    fn run(
        &mut self,
        params: &[Literal],
        inputs: &[ColumnRef<'_>],
        outputs: &mut [ColumnMut<'_>],
    ) -> Result<(), EngineError> {
        let rows = self.check_columns(inputs, outputs)?;
        self.bind(params)?;
        for start in (0..rows).step_by(Interpreter::BLOCK) {
            let len = Interpreter::BLOCK.min(rows - start);
            self.banks.set_rows(len);
            for (column, &(_, register)) in inputs.iter().zip(&self.plan.inputs) {
                if let Some(register) = register {
                    self.banks.load(register, column, start, len);
                }
            }
            kernel::run_block(&self.plan, &mut self.banks, self.vector);
            for (column, &register) in outputs.iter_mut().zip(&self.plan.outputs) {
                self.banks.store(register, column, start, len);
            }
        }
        Ok(())
    }
}

/// The value of every node at one row, in node order, dead nodes included; reductions are over this row alone.
///
/// # Errors
/// [`EngineError::Unsupported`] if the program holds a `real`, [`EngineError::Signature`] if the literals do not fit.
pub fn trace(program: &Program, params: &[Literal], inputs: &[Literal]) -> Result<Vec<Literal>, EngineError> {
    let all: Vec<Value> = program.values().collect();
    values_at(program, params, inputs, &all)
}

/// The values of some nodes at one row; only what they depend on is computed.
pub(crate) fn values_at(
    program: &Program,
    params: &[Literal],
    inputs: &[Literal],
    wanted: &[Value],
) -> Result<Vec<Literal>, EngineError> {
    let rewrites =
        program.nodes().iter().any(|n| matches!(n, Node::Op(op, _) if op.is_elementary() || op.is_reduction()));
    let (lowered, map) = if rewrites { kernels::lower_one_row(program) } else { (Program::default(), Vec::new()) };
    let moved: Vec<Value> = wanted.iter().filter_map(|v| map.get(v.index()).copied()).collect();
    let (program, wanted) = if rewrites { (&lowered, &moved[..]) } else { (program, wanted) };
    let mut interpreter = Rows::with_plan(Plan::new(program, wanted, false)?);
    interpreter.bind(params)?;
    let want = &interpreter.plan.inputs;
    if want.len() != inputs.len() {
        return Err(signature(format!("{} inputs wanted, {} given", want.len(), inputs.len())));
    }
    for (i, (&(ty, register), &x)) in want.iter().zip(inputs).enumerate() {
        if x.ty() != ty {
            return Err(signature(format!("input {i} is {ty}, {} given", x.ty())));
        }
        if let Some(register) = register {
            interpreter.banks.fill(register, x);
        }
    }
    kernel::run_block(&interpreter.plan, &mut interpreter.banks, interpreter.vector);
    Ok(interpreter.plan.outputs.iter().map(|&r| interpreter.banks.first(r)).collect())
}

fn signature(what: String) -> EngineError {
    EngineError::Signature(what)
}
