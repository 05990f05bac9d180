//! Registers and the order of operations, decided once for each program.

use crate::{EngineError, Literal, Node, Op, Program, Table, Type, Value};

/// A column register: the bank of its type, and the place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Register {
    pub ty: Type,
    pub index: usize,
}

/// One operation on registers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub op: Op,
    /// Type of the first argument; of the alternatives for [`Op::Select`].
    pub from: Type,
    /// Type of the second argument, which decides the form of a shift.
    pub second: Type,
    /// Type of the result.
    pub to: Type,
    /// Places in the banks of the arguments' types.
    pub args: [usize; 3],
    /// Place in the bank of the result's type; never one of the arguments.
    pub dst: usize,
}

/// A planned program.
#[derive(Debug)]
pub(super) struct Plan {
    pub steps: Vec<Step>,
    /// Type and, if it is used, register of each input.
    pub inputs: Vec<(Type, Option<Register>)>,
    /// Type and, if it is used, register of each parameter.
    pub params: Vec<(Type, Option<Register>)>,
    pub literals: Vec<(Register, Literal)>,
    pub outputs: Vec<Register>,
    pub tables: Vec<Table>,
    /// Number of registers of each type, in the order of [`Type::ALL`].
    pub sizes: [usize; 6],
}

/// Free registers of each type.
struct Pool {
    free: [Vec<usize>; 6],
    sizes: [usize; 6],
}

impl Pool {
    fn take(&mut self, ty: Type) -> Register {
        let t = ty as usize;
        let index = self.free[t].pop().unwrap_or_else(|| {
            self.sizes[t] += 1;
            self.sizes[t] - 1
        });
        Register { ty, index }
    }
}

pub(super) fn no_reals(what: String) -> EngineError {
    EngineError::Unsupported {
        engine: "interpreter",
        what: format!("{what}; give the program float types, or evaluate it with `real::eval`"),
    }
}

impl Plan {
    /// Plans the computation of `wanted`. With `reuse` a register is free again after its last reader.
    pub fn new(program: &Program, wanted: &[Value], reuse: bool) -> Result<Plan, EngineError> {
        // Position of the last reader of each value; `None` if it is not needed, the number of nodes if it is wanted.
        let mut last: Vec<Option<usize>> = vec![None; program.nodes().len()];
        let end = last.len();
        for v in wanted {
            last[v.index()] = Some(end);
        }
        for v in program.values().rev() {
            if last[v.index()].is_some() {
                for a in program.node(v).args() {
                    last[a.index()] = last[a.index()].max(Some(v.index()));
                }
            }
        }
        let mut plan = Plan {
            steps: Vec::new(),
            inputs: program.inputs().iter().map(|i| (i.ty, None)).collect(),
            params: program.params().iter().map(|p| (p.ty, None)).collect(),
            literals: Vec::new(),
            outputs: Vec::new(),
            tables: program.tables().to_vec(),
            sizes: [0; 6],
        };
        let mut pool = Pool { free: Default::default(), sizes: [0; 6] };
        let mut registers = vec![Register { ty: Type::Real, index: usize::MAX }; end];
        // Inputs, parameters and literals are written before the steps run, so their registers come first.
        for v in program.values().filter(|v| last[v.index()].is_some()) {
            let ty = program.ty(v);
            if ty == Type::Real {
                return Err(no_reals(format!("v{} of type real", v.0)));
            }
            let node = program.node(v);
            if matches!(node, Node::Op(..)) {
                continue;
            }
            let register = pool.take(ty);
            registers[v.index()] = register;
            match node {
                Node::Input(i) => plan.inputs[i as usize].1 = Some(register),
                Node::Param(i) => plan.params[i as usize].1 = Some(register),
                Node::Lit(l) => plan.literals.push((register, l)),
                Node::Op(..) => {}
            }
        }
        for v in program.values().filter(|v| last[v.index()].is_some()) {
            let node = program.node(v);
            let Node::Op(op, _) = node else { continue };
            // Taken before the arguments are given back: a result never overwrites what it is computed from.
            let register = pool.take(program.ty(v));
            registers[v.index()] = register;
            let args = node.args();
            let mut places = [0; 3];
            for (place, a) in places.iter_mut().zip(args) {
                *place = registers[a.index()].index;
            }
            plan.steps.push(Step {
                op,
                from: program.ty(if op == Op::Select { args[1] } else { args[0] }),
                second: program.ty(*args.get(1).unwrap_or(&args[0])),
                to: program.ty(v),
                args: places,
                dst: register.index,
            });
            for (i, a) in args.iter().enumerate() {
                // Parameters and literals are written once for all blocks, so theirs are never given back.
                let free = matches!(program.node(*a), Node::Op(..) | Node::Input(_));
                if reuse && free && last[a.index()] == Some(v.index()) && !args[..i].contains(a) {
                    pool.free[program.ty(*a) as usize].push(registers[a.index()].index);
                }
            }
        }
        plan.outputs = wanted.iter().map(|v| registers[v.index()]).collect();
        plan.sizes = pool.sizes;
        Ok(plan)
    }
}
