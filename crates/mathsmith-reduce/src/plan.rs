//! A plan: a frame with its constants in place, and what belongs into its holes.

use mathsmith_dsl::Expr;
use mathsmith_ir::{Node, Op, Program, Type, Value};

/// What belongs into a hole of a frame.
#[derive(Clone, Debug)]
pub struct Core {
    /// Name of the hole: the frame's input.
    pub name: String,
    /// The function that the core has to be, of one variable: the core's argument.
    pub target: Expr,
    /// Type of its argument.
    pub argument: Type,
    /// Type of its value.
    pub value: Type,
}

/// A way to compute a function: a frame and its cores.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Names of the reductions, outermost first, with `/` between them and the labels of frames after a dot:
    /// `mirror/doubling.short`. Where a reduction has several parts, they stand in brackets: `split/[none, mirror]`. The
    /// plan without any is `none`.
    pub name: String,
    /// How many variables the function has: 1 or 2.
    pub variables: usize,
    /// Inputs: the variables, then the value of each core. Outputs: the result, then the argument of each core.
    /// Parameters are constants that fitting may change; they have values.
    pub frame: Program,
    /// The cores, in the order of the frame's inputs.
    pub cores: Vec<Core>,
}

/// Why cores do not fit a plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ComposeError {
    /// Not one program for each core.
    #[error("the plan has {wanted} cores, {given} were given")]
    Count {
        /// Cores of the plan.
        wanted: usize,
        /// Programs given.
        given: usize,
    },
    /// A core with the wrong inputs, outputs or types.
    #[error("the core `{0}` does not have the types of its hole")]
    Types(String),
    /// A core's argument depends on the core itself or on a later one.
    #[error("the argument of the core `{0}` depends on a core that is not yet known")]
    Cycle(String),
}

impl Plan {
    /// The plan without a reduction: one core that is the function itself.
    pub fn none(function: &Expr, ty: Type) -> Plan {
        let mut frame = Program::new("frame");
        let x = frame.input("x", ty);
        let y = frame.input("y", ty);
        frame.set_outputs(vec![y, x]);
        let core = Core { name: "y".into(), target: function.clone(), argument: ty, value: ty };
        Plan { name: "none".into(), variables: 1, frame, cores: vec![core] }
    }

    /// The plan in which another takes the place of the hole `hole`: its frame is computed there, and its cores stand in
    /// the hole's place, in their order. `inner` is a plan for the function of that hole.
    ///
    /// Names of cores and parameters that are taken get the hole's name in front.
    ///
    /// # Errors
    /// [`ComposeError`] if there is no such hole, or `inner` has other types than it.
    pub fn nest(&self, hole: usize, inner: &Plan) -> Result<Plan, ComposeError> {
        let core = self.cores.get(hole).ok_or(ComposeError::Count { wanted: self.cores.len(), given: hole + 1 })?;
        let (x, result) = (inner.frame.inputs()[0].ty, inner.frame.ty(inner.frame.outputs()[0]));
        if inner.variables != 1 || (x, result) != (core.argument, core.value) {
            return Err(ComposeError::Types(core.name.clone()));
        }
        let mut builder = Builder::new(self.frame.name(), &self.frame);
        let (x, params) = builder.begin(self.variables);
        let mut holes: Vec<Option<Value>> = vec![None; self.cores.len()];
        let (mut arguments, mut cores): (Vec<Value>, Vec<Core>) = (Vec::new(), Vec::new());
        for (i, core) in self.cores.iter().enumerate() {
            let cycle = || ComposeError::Cycle(core.name.clone());
            let t = builder.copy(self.frame.outputs()[i + 1], &x, &params, &holes).ok_or_else(cycle)?;
            if i != hole {
                holes[i] = Some(builder.to.input(&core.name, core.value));
                arguments.push(t);
                cores.push(core.clone());
                continue;
            }
            let mut part = Builder::new("", &inner.frame);
            std::mem::swap(&mut part.to, &mut builder.to);
            let taken = |name: &str, to: &Program| {
                let others = self.cores.iter().enumerate().filter(|(j, _)| *j != hole).map(|(_, core)| &core.name);
                let inputs = to.inputs().iter().map(|input| &input.name);
                let params = self.frame.params().iter().chain(to.params()).map(|param| &param.name);
                others.chain(inputs).chain(params).any(|other| other == name)
            };
            let free = |name: &str, to: &Program| {
                let mut name = name.to_string();
                while taken(&name, to) {
                    name = format!("{}_{name}", core.name);
                }
                name
            };
            let mut own = Vec::new();
            for param in inner.frame.params() {
                let name = free(&param.name, &part.to);
                own.push(part.to.param(name, param.ty, param.value));
            }
            let mut within: Vec<Option<Value>> = vec![None; inner.cores.len()];
            for (j, core) in inner.cores.iter().enumerate() {
                let cycle = || ComposeError::Cycle(core.name.clone());
                let u = part.copy(inner.frame.outputs()[j + 1], &[t], &own, &within).ok_or_else(cycle)?;
                let name = free(&core.name, &part.to);
                within[j] = Some(part.to.input(&name, core.value));
                arguments.push(u);
                cores.push(Core { name, ..core.clone() });
            }
            holes[hole] = Some(part.copy(inner.frame.outputs()[0], &[t], &own, &within).ok_or_else(cycle)?);
            std::mem::swap(&mut part.to, &mut builder.to);
        }
        let last = self.cores.last().map_or_else(String::new, |c| c.name.clone());
        let result = builder.copy(self.frame.outputs()[0], &x, &params, &holes).ok_or(ComposeError::Cycle(last))?;
        builder.to.set_outputs(std::iter::once(result).chain(arguments).collect());
        let name = format!("{}/{}", self.name, inner.name);
        Ok(Plan { name, variables: self.variables, frame: builder.to.compacted(), cores })
    }

    /// Operations of the frame, as they are counted in programs: bit casts are none.
    pub fn operations(&self) -> usize {
        let live = self.frame.live();
        let counts = |node: &Node| matches!(node, Node::Op(op, _) if !matches!(op, Op::Bitcast(_)));
        self.frame.nodes().iter().zip(live).filter(|(node, live)| *live && counts(node)).count()
    }

    /// The plan for the function with its two variables exchanged, and `turned` in the name of its outermost reduction;
    /// `None` for a plan of one variable.
    pub fn turned(&self) -> Option<Plan> {
        if self.variables != 2 {
            return None;
        }
        let inputs = self.frame.inputs();
        let mut frame = Program::new(self.frame.name());
        let [x, y] = [frame.input(&inputs[0].name, inputs[1].ty), frame.input(&inputs[1].name, inputs[0].ty)];
        let mut given = vec![y, x];
        given.extend(inputs[2..].iter().map(|hole| frame.input(&hole.name, hole.ty)));
        let params: Vec<Value> = self.frame.params().iter().map(|p| frame.param(&p.name, p.ty, p.value)).collect();
        let mut map: Vec<Option<Value>> = Vec::with_capacity(self.frame.nodes().len());
        for v in self.frame.values() {
            let new = match self.frame.node(v) {
                Node::Input(i) => Some(given[i as usize]),
                Node::Param(i) => Some(params[i as usize]),
                Node::Lit(literal) => Some(frame.lit(literal)),
                node => copied(&mut frame, &self.frame, &node, |a| map[a.index()]),
            };
            map.push(new);
        }
        let outputs: Vec<Value> = self.frame.outputs().iter().filter_map(|v| map[v.index()]).collect();
        frame.set_outputs(outputs);
        let (outer, rest) = self.name.split_at(self.name.find('/').unwrap_or(self.name.len()));
        Some(Plan { name: format!("{outer}.turned{rest}"), variables: 2, frame, cores: self.cores.clone() })
    }

    /// The program of the frame with `cores` in its holes: its inputs are the variables, its output the result. The parameters are those of the
    /// frame, then those of each core in order, named `NAME_c` after the core and its parameter; all keep their values.
    ///
    /// # Errors
    /// [`ComposeError`] if the cores do not fit.
    pub fn compose(&self, name: &str, cores: &[Program]) -> Result<Program, ComposeError> {
        if cores.len() != self.cores.len() {
            return Err(ComposeError::Count { wanted: self.cores.len(), given: cores.len() });
        }
        for (core, program) in self.cores.iter().zip(cores) {
            let inputs: Vec<Type> = program.inputs().iter().map(|i| i.ty).collect();
            let outputs: Vec<Type> = program.outputs().iter().map(|&v| program.ty(v)).collect();
            if inputs != [core.argument] || outputs != [core.value] {
                return Err(ComposeError::Types(core.name.clone()));
            }
        }
        let mut builder = Builder::new(name, &self.frame);
        let (x, params) = builder.begin(self.variables);
        let mut holes: Vec<Option<Value>> = vec![None; cores.len()];
        for (i, (core, program)) in self.cores.iter().zip(cores).enumerate() {
            let argument = self.frame.outputs()[i + 1];
            let t =
                builder.copy(argument, &x, &params, &holes).ok_or_else(|| ComposeError::Cycle(core.name.clone()))?;
            holes[i] = Some(inline(&mut builder.to, program, t, &core.name));
        }
        let last = self.cores.last().map_or_else(String::new, |c| c.name.clone());
        let result = builder.copy(self.frame.outputs()[0], &x, &params, &holes).ok_or(ComposeError::Cycle(last))?;
        builder.to.output(result);
        Ok(builder.to.compacted())
    }
}

struct Builder<'a> {
    to: Program,
    frame: &'a Program,
    map: Vec<Option<Value>>,
}

impl<'a> Builder<'a> {
    fn new(name: &str, frame: &'a Program) -> Builder<'a> {
        Builder { to: Program::new(name), frame, map: vec![None; frame.nodes().len()] }
    }

    /// Adds the first inputs and the parameters of the frame.
    fn begin(&mut self, variables: usize) -> (Vec<Value>, Vec<Value>) {
        let x = self.frame.inputs()[..variables].iter().map(|x| self.to.input(&x.name, x.ty)).collect();
        (x, self.frame.params().iter().map(|p| self.to.param(&p.name, p.ty, p.value)).collect())
    }

    /// The value of the new program that a value of the frame becomes; `None` while a core below it is unknown.
    /// `x` are the values of the variables.
    fn copy(&mut self, v: Value, x: &[Value], params: &[Value], holes: &[Option<Value>]) -> Option<Value> {
        // Nodes are in topological order: all below `v`, in order, without recursion.
        let needed = below(self.frame, v);
        for w in self.frame.values().take(v.index() + 1) {
            if !needed[w.index()] || self.map[w.index()].is_some() {
                continue;
            }
            let new = match self.frame.node(w) {
                Node::Input(i) if (i as usize) < x.len() => x[i as usize],
                Node::Input(i) => holes[i as usize - x.len()]?,
                Node::Param(i) => params[i as usize],
                Node::Lit(literal) => self.to.lit(literal),
                node => copied(&mut self.to, self.frame, &node, |a| self.map[a.index()])?,
            };
            self.map[w.index()] = Some(new);
        }
        self.map[v.index()]
    }
}

/// Which values `v` depends on, itself included.
pub(crate) fn below(program: &Program, v: Value) -> Vec<bool> {
    let mut needed = vec![false; program.nodes().len()];
    needed[v.index()] = true;
    for w in program.values().rev() {
        if needed[w.index()] {
            for a in program.node(w).args() {
                needed[a.index()] = true;
            }
        }
    }
    needed
}

/// Adds an operation of `from` to `to`; `None` if an argument has no counterpart yet.
pub(crate) fn copied(
    to: &mut Program,
    from: &Program,
    node: &Node,
    map: impl Fn(Value) -> Option<Value>,
) -> Option<Value> {
    let Node::Op(op, _) = *node else { return None };
    let args = node.args().iter().map(|&a| map(a)).collect::<Option<Vec<Value>>>()?;
    let op = match op {
        Op::Table(t) => Op::Table(to.table(from.tables()[t as usize].values.clone())),
        op => op,
    };
    Some(to.must(op, &args))
}

/// Puts a program of one input and one output into `to`, with `t` for its input, and returns its result.
fn inline(to: &mut Program, core: &Program, t: Value, name: &str) -> Value {
    let params: Vec<Value> =
        core.params().iter().map(|p| to.param(format!("{name}_{}", p.name), p.ty, p.value)).collect();
    let mut map: Vec<Option<Value>> = Vec::with_capacity(core.nodes().len());
    for v in core.values() {
        let new = match core.node(v) {
            Node::Input(_) => Some(t),
            Node::Param(i) => Some(params[i as usize]),
            Node::Lit(literal) => Some(to.lit(literal)),
            node => copied(to, core, &node, |a| map[a.index()]),
        };
        map.push(new);
    }
    map[core.outputs()[0].index()].expect("arguments precede their users")
}

#[cfg(test)]
mod tests {
    use super::*;
    use mathsmith_ir::Literal;

    /// f(x) = y(x*x) * x with y(t) = t + c.
    fn example() -> (Plan, Program) {
        let expr = mathsmith_dsl::parse_expr("x^3 + x").expect("an expression");
        let mut frame = Program::new("frame");
        let x = frame.input("x", Type::F32);
        let y = frame.input("y", Type::F32);
        let t = frame.must(Op::Mul, &[x, x]);
        let r = frame.must(Op::Mul, &[x, y]);
        frame.set_outputs(vec![r, t]);
        let core = Core { name: "y".into(), target: expr, argument: Type::F32, value: Type::F32 };
        let mut form = Program::new("core");
        let t = form.input("t", Type::F32);
        let c = form.param("c", Type::F32, Some(Literal::F32(1.0)));
        let y = form.must(Op::Add, &[t, c]);
        form.output(y);
        (Plan { name: "example".into(), variables: 1, frame, cores: vec![core] }, form)
    }

    #[test]
    fn a_core_takes_its_place() {
        let (plan, core) = example();
        let whole = plan.compose("f", &[core]).expect("the core fits");
        assert_eq!(whole.inputs().len(), 1);
        assert_eq!(whole.params()[0].name, "y_c");
        let text = whole.to_string();
        assert!(text.contains("mul x, x") && text.contains("add"), "{text}");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let (plan, core) = example();
        assert_eq!(plan.compose("f", &[]), Err(ComposeError::Count { wanted: 1, given: 0 }));
        let wide = Plan::none(&plan.cores[0].target, Type::F64);
        assert_eq!(wide.compose("f", &[core]), Err(ComposeError::Types("y".into())));
    }

    #[test]
    fn a_core_whose_argument_depends_on_itself_is_refused() {
        let (mut plan, core) = example();
        let y = plan.frame.outputs()[0];
        plan.frame.set_outputs(vec![y, y]);
        assert_eq!(plan.compose("f", &[core]), Err(ComposeError::Cycle("y".into())));
    }
}
