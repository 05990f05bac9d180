//! What is left of a whole program when only one of its cores changes.
//!
//! A search tries many cores in one hole, on the same inputs. The core's arguments and every value of the frame that does
//! not depend on the core are the same each time, so they are computed once (partial evaluation in the sense of Futamura,
//! 1971); a candidate runs the core and what comes after it.

use super::Composed;
use super::assemble_forms::inline;
use super::assemble_sites::AssembleError;
use mathsmith_ir::{
    Column, ColumnMut, ColumnRef, Engine, Interpreter, Literal, NO_VALUE, Node, Op, Program, Type, Value,
};
use mathsmith_reduce::{Core, Plan};

/// A program without one of its cores, on fixed inputs.
#[derive(Debug)]
pub struct Remainder {
    core: Core,
    /// The whole program with a parameter in the core's place.
    open: Program,
    /// Which of its values depend on the core.
    after: Vec<bool>,
    /// Values that do not and that those use: the candidates' further inputs.
    carried: Vec<Value>,
    /// The core's arguments, then the carried values.
    columns: Vec<Column>,
    rows: usize,
}

/// Name of the parameter that stands for the core.
const HOLE: &str = "hole";

impl Remainder {
    /// What is left of `composed` at `inputs` without its core number `core`. `None` if the result does not depend on that
    /// core, or it has the wrong types for a search.
    ///
    /// # Errors
    /// [`AssembleError`] if the program cannot be put together or run.
    pub fn new(composed: &Composed, core: usize, inputs: &[f32]) -> Result<Option<Remainder>, AssembleError> {
        let plan = &*composed.plan;
        let Some(hole) = plan.cores.get(core) else { return Ok(None) };
        let mut stand_in = Program::new(HOLE);
        stand_in.input("t", hole.argument);
        let value = stand_in.param(HOLE, hole.value, None);
        stand_in.output(value);
        let mut cores: Vec<Program> = composed.cores.iter().map(|c| c.program.clone()).collect();
        cores[core] = stand_in;
        let compose = |plan: &Plan| {
            let fault = |error| AssembleError::Compose { plan: plan.name.clone(), error };
            plan.compose("remainder", &cores).map(|p| p.bound()).map_err(fault)
        };
        let open = compose(plan)?;
        // The argument, by a plan that returns it instead of the result.
        let mut argument = plan.clone();
        let mut outputs = argument.frame.outputs().to_vec();
        outputs[0] = outputs[core + 1];
        argument.frame.set_outputs(outputs);
        let argument = compose(&argument)?;

        let mut after = vec![false; open.nodes().len()];
        for v in open.values() {
            let node = open.node(v);
            after[v.index()] = matches!(node, Node::Param(_)) || node.args().iter().any(|a| after[a.index()]);
        }
        if !after[open.outputs()[0].index()] || open.ty(open.outputs()[0]) != Type::F32 {
            return Ok(None);
        }
        let live = open.live();
        let mut carried: Vec<Value> = Vec::new();
        for v in open.values().filter(|v| live[v.index()] && after[v.index()]) {
            for &a in open.node(v).args() {
                if !after[a.index()] && !matches!(open.node(a), Node::Lit(_)) && !carried.contains(&a) {
                    carried.push(a);
                }
            }
        }
        let fault = |error| AssembleError::Engine { plan: plan.name.clone(), error };
        let mut columns = run(&argument, inputs).map_err(fault)?;
        let mut before = open.clone();
        before.set_outputs(carried.clone());
        columns.extend(run(&before.compacted(), inputs).map_err(fault)?);
        Ok(Some(Remainder { core: hole.clone(), open, after, carried, columns, rows: inputs.len() }))
    }

    /// The candidate: `core` (from and to the type of the hole's value) and what comes after it, a program of
    /// [`Remainder::columns`].
    pub fn candidate(&self, core: &Program) -> Program {
        let mut to = Program::new("candidate");
        let mut argument = to.input("t", self.core.argument);
        let mut map = vec![NO_VALUE; self.open.nodes().len()];
        for (i, &v) in self.carried.iter().enumerate() {
            map[v.index()] = to.input(format!("v{i}"), self.open.ty(v));
        }
        for table in self.open.tables() {
            to.table(table.values.clone());
        }
        if self.core.argument != self.core.value {
            argument = to.must(Op::Convert(self.core.value), &[argument]);
        }
        let y = inline(&mut to, core, argument);
        for v in self.open.values() {
            map[v.index()] = match self.open.node(v) {
                Node::Param(_) => y,
                Node::Lit(literal) => to.lit(literal),
                Node::Op(op, args) if self.after[v.index()] => {
                    let mut new = [NO_VALUE; 3];
                    let used = &args[..op.arity()];
                    for (slot, a) in new.iter_mut().zip(used) {
                        *slot = map[a.index()];
                    }
                    to.must(op, &new[..used.len()])
                }
                _ => continue,
            };
        }
        to.output(map[self.open.outputs()[0].index()]);
        to
    }

    /// Runs a candidate into `out`, which gets one result for each input; `None` if the engine refuses it.
    pub fn run(&self, candidate: &Program, params: &[Literal], out: &mut Vec<f32>) -> Option<()> {
        let mut engine = Interpreter::new(candidate).ok()?;
        out.resize(self.rows, 0.0);
        let columns: Vec<ColumnRef<'_>> = self.columns.iter().map(Column::as_ref).collect();
        engine.run(params, &columns, &mut [ColumnMut::F32(out)]).ok()
    }
}

/// All outputs of a program of one `f32`.
fn run(program: &Program, inputs: &[f32]) -> Result<Vec<Column>, mathsmith_ir::EngineError> {
    let mut outputs: Vec<Column> =
        program.outputs().iter().map(|&v| Column::zeros(program.ty(v), inputs.len())).collect();
    let mut results: Vec<ColumnMut<'_>> = outputs.iter_mut().map(Column::as_mut).collect();
    Interpreter::new(program)?.run(&[], &[ColumnRef::F32(inputs)], &mut results)?;
    Ok(outputs)
}
