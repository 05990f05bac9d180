//! The program graph: a dense arena of hash-consed nodes with typed indices.

use crate::{Literal, Op, Type};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Index of a node within its [`Program`]. Arguments always have smaller indices than the node that uses them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Value(pub u32);

impl Value {
    /// The index as a `usize`.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// One node of the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Node {
    /// The program's n-th input.
    Input(u32),
    /// The program's n-th parameter: a constant that is free while fitting and bound at run time.
    Param(u32),
    /// A constant with exact bits.
    Lit(Literal),
    /// An operation; unused argument places hold `Value(u32::MAX)`.
    Op(Op, [Value; 3]),
}

/// Filler of unused argument places.
pub const NO_VALUE: Value = Value(u32::MAX);

impl Node {
    /// The arguments in use.
    pub fn args(&self) -> &[Value] {
        match self {
            Node::Op(op, args) => &args[..op.arity()],
            _ => &[],
        }
    }
}

/// Name and type of an input.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Input {
    /// Name in text form and emitted code.
    pub name: String,
    /// Type of the values fed in.
    pub ty: Type,
}

/// A parameter: a named constant that fitting may change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Param {
    /// Name in text form.
    pub name: String,
    /// Type of the constant.
    pub ty: Type,
    /// Value, once fitted.
    pub value: Option<Literal>,
}

/// A constant table; all entries have the type `ty`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Table {
    /// Element type.
    pub ty: Type,
    /// Elements, at least one.
    pub values: Vec<Literal>,
}

/// Why a node could not be added.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// The operation is not defined on these argument types.
    #[error("`{op}` is not defined on ({})", args.iter().map(|t| t.name()).collect::<Vec<_>>().join(", "))]
    Type {
        /// Mnemonic.
        op: &'static str,
        /// Types of the arguments given.
        args: Vec<Type>,
    },
    /// An argument does not exist yet.
    #[error("value v{0} is used before it is defined")]
    Undefined(u32),
}

/// A deterministic multiply-rotate hasher: the maps below are never iterated, and SipHash dominates their cost.
#[derive(Clone, Default)]
pub struct NodeHasher(u64);

impl Hasher for NodeHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }
    fn write_u64(&mut self, x: u64) {
        self.0 = (self.0.rotate_left(23) ^ x).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 ^= self.0 >> 29;
    }
    fn write_u32(&mut self, x: u32) {
        self.write_u64(u64::from(x));
    }
    fn write_u8(&mut self, x: u8) {
        self.write_u64(u64::from(x));
    }
    fn write_usize(&mut self, x: usize) {
        self.write_u64(x as u64);
    }
}

pub(crate) type ConsMap = HashMap<Node, Value, BuildHasherDefault<NodeHasher>>;

/// A straight-line, acyclic, typed, hash-consed program with inputs, parameters and outputs.
///
/// Built through [`Program::op`] and its shorthands, which check types and return the existing node when an equal one is
/// already there. Equality compares names, nodes and parameter values.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(try_from = "crate::wire::ProgramWire", into = "crate::wire::ProgramWire")]
pub struct Program {
    name: String,
    inputs: Vec<Input>,
    params: Vec<Param>,
    tables: Vec<Table>,
    nodes: Vec<Node>,
    types: Vec<Type>,
    outputs: Vec<Value>,
    cons: ConsMap,
}

impl PartialEq for Program {
    fn eq(&self, o: &Self) -> bool {
        self.name == o.name
            && self.inputs == o.inputs
            && self.params == o.params
            && self.tables == o.tables
            && self.nodes == o.nodes
            && self.outputs == o.outputs
    }
}

/// Every field of a program, for the verifier.
#[derive(Clone, Copy)]
pub(crate) struct Parts<'a> {
    pub inputs: &'a [Input],
    pub params: &'a [Param],
    pub tables: &'a [Table],
    pub nodes: &'a [Node],
    pub types: &'a [Type],
    pub outputs: &'a [Value],
    pub cons: &'a ConsMap,
}

/// Every field of a program, to break it in tests of the verifier.
#[cfg(test)]
pub(crate) struct PartsMut<'a> {
    pub inputs: &'a mut Vec<Input>,
    pub params: &'a mut Vec<Param>,
    pub tables: &'a mut Vec<Table>,
    pub nodes: &'a mut Vec<Node>,
    pub types: &'a mut Vec<Type>,
    pub outputs: &'a mut Vec<Value>,
    pub cons: &'a mut ConsMap,
}

impl Program {
    pub(crate) fn parts(&self) -> Parts<'_> {
        Parts {
            inputs: &self.inputs,
            params: &self.params,
            tables: &self.tables,
            nodes: &self.nodes,
            types: &self.types,
            outputs: &self.outputs,
            cons: &self.cons,
        }
    }

    #[cfg(test)]
    pub(crate) fn parts_mut(&mut self) -> PartsMut<'_> {
        PartsMut {
            inputs: &mut self.inputs,
            params: &mut self.params,
            tables: &mut self.tables,
            nodes: &mut self.nodes,
            types: &mut self.types,
            outputs: &mut self.outputs,
            cons: &mut self.cons,
        }
    }

    /// An empty program.
    pub fn new(name: impl Into<String>) -> Self {
        Program { name: name.into(), ..Program::default() }
    }

    /// Name of the program.
    pub fn name(&self) -> &str {
        &self.name
    }
    /// Renames the program.
    pub fn set_name(&mut self, name: impl Into<String>) {
        self.name = name.into();
    }
    /// Inputs in order.
    pub fn inputs(&self) -> &[Input] {
        &self.inputs
    }
    /// Parameters in order.
    pub fn params(&self) -> &[Param] {
        &self.params
    }
    /// Constant tables.
    pub fn tables(&self) -> &[Table] {
        &self.tables
    }
    /// All nodes; the position is the [`Value`].
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }
    /// Output values in order.
    pub fn outputs(&self) -> &[Value] {
        &self.outputs
    }
    /// The node behind a value.
    pub fn node(&self, v: Value) -> Node {
        self.nodes[v.index()]
    }
    /// Type of a value.
    pub fn ty(&self, v: Value) -> Type {
        self.types[v.index()]
    }
    /// Every value in topological order.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = Value> + ExactSizeIterator + use<> {
        (0..self.nodes.len() as u32).map(Value)
    }

    /// The value of a node that is in the program.
    pub fn find(&self, node: Node) -> Option<Value> {
        self.cons.get(&node).copied()
    }

    fn push(&mut self, node: Node, ty: Type) -> Value {
        if let Some(&v) = self.cons.get(&node) {
            return v;
        }
        let v = Value(self.nodes.len() as u32);
        self.nodes.push(node);
        self.types.push(ty);
        self.cons.insert(node, v);
        v
    }

    /// Adds an input and returns its value.
    pub fn input(&mut self, name: impl Into<String>, ty: Type) -> Value {
        let index = self.inputs.len() as u32;
        self.inputs.push(Input { name: name.into(), ty });
        self.push(Node::Input(index), ty)
    }

    /// Adds a parameter and returns its value.
    pub fn param(&mut self, name: impl Into<String>, ty: Type, value: Option<Literal>) -> Value {
        let index = self.params.len() as u32;
        self.params.push(Param { name: name.into(), ty, value: value.map(Literal::canonical) });
        self.push(Node::Param(index), ty)
    }

    /// Sets the value of parameter `index`.
    ///
    /// # Panics
    /// If there is no such parameter or the literal has another type.
    pub fn set_param(&mut self, index: usize, value: Literal) {
        assert_eq!(self.params[index].ty, value.ty(), "parameter {index} has another type");
        self.params[index].value = Some(value.canonical());
    }

    /// Adds a constant table and returns its index for [`Op::Table`].
    ///
    /// # Panics
    /// If the table is empty or mixes types.
    pub fn table(&mut self, values: Vec<Literal>) -> u32 {
        let ty = values.first().expect("a table has at least one entry").ty();
        assert!(values.iter().all(|l| l.ty() == ty), "a table's entries have one type");
        let values = values.into_iter().map(Literal::canonical).collect();
        self.tables.push(Table { ty, values });
        self.tables.len() as u32 - 1
    }

    /// Adds a literal; a real one is put in canonical form.
    pub fn lit(&mut self, literal: Literal) -> Value {
        let literal = literal.canonical();
        self.push(Node::Lit(literal), literal.ty())
    }

    /// Adds an operation; arguments of commutative operations are put in index order.
    ///
    /// # Errors
    /// [`BuildError`] if an argument does not exist or the types do not fit.
    pub fn op(&mut self, op: Op, args: &[Value]) -> Result<Value, BuildError> {
        let mut types = [Type::Real; 3];
        for (slot, &a) in types.iter_mut().zip(args) {
            *slot = *self.types.get(a.index()).ok_or(BuildError::Undefined(a.0))?;
        }
        let types = &types[..args.len().min(3)];
        if args.len() != op.arity() {
            return Err(BuildError::Type { op: op.name(), args: types.to_vec() });
        }
        let ty = op
            .infer(types, |t| self.tables.get(t as usize).map(|t| t.ty))
            .ok_or_else(|| BuildError::Type { op: op.name(), args: types.to_vec() })?;
        let mut full = [NO_VALUE; 3];
        full[..args.len()].copy_from_slice(args);
        if op.commutes() && full[0] > full[1] {
            full.swap(0, 1);
        }
        Ok(self.push(Node::Op(op, full), ty))
    }

    /// [`Program::op`] for code that builds well-typed programs by construction.
    ///
    /// # Panics
    /// If the arguments do not exist or the types do not fit.
    pub fn must(&mut self, op: Op, args: &[Value]) -> Value {
        match self.op(op, args) {
            Ok(v) => v,
            Err(e) => panic!("{e}"),
        }
    }

    /// Adds an output.
    pub fn output(&mut self, v: Value) {
        self.outputs.push(v);
    }

    /// Replaces the outputs.
    pub fn set_outputs(&mut self, outputs: Vec<Value>) {
        self.outputs = outputs;
    }

    /// Which nodes the outputs depend on.
    pub fn live(&self) -> Vec<bool> {
        let mut live = vec![false; self.nodes.len()];
        for v in &self.outputs {
            live[v.index()] = true;
        }
        for i in (0..self.nodes.len()).rev() {
            if live[i] {
                for a in self.nodes[i].args() {
                    live[a.index()] = true;
                }
            }
        }
        live
    }

    /// The program without dead nodes, unused parameters and unused tables; inputs stay. Parameters keep their order.
    pub fn compacted(&self) -> Program {
        let live = self.live();
        let mut out = Program::new(self.name.clone());
        let mut map = vec![NO_VALUE; self.nodes.len()];
        let mut tables = HashMap::new();
        for (i, input) in self.inputs.iter().enumerate() {
            let v = out.input(input.name.clone(), input.ty);
            if let Some(old) = self.cons.get(&Node::Input(i as u32)) {
                map[old.index()] = v;
            }
        }
        for (i, param) in self.params.iter().enumerate() {
            if let Some(old) = self.cons.get(&Node::Param(i as u32)).filter(|v| live[v.index()]) {
                map[old.index()] = out.param(param.name.clone(), param.ty, param.value);
            }
        }
        for (i, node) in self.nodes.iter().enumerate().filter(|(i, _)| live[*i]) {
            map[i] = match *node {
                Node::Input(_) | Node::Param(_) => map[i],
                Node::Lit(l) => out.lit(l),
                Node::Op(op, args) => {
                    let op = match op {
                        Op::Table(t) => Op::Table(
                            *tables.entry(t).or_insert_with(|| out.table(self.tables[t as usize].values.clone())),
                        ),
                        op => op,
                    };
                    let args = args.map(|a| if a == NO_VALUE { a } else { map[a.index()] });
                    out.must(op, &args[..op.arity()])
                }
            };
        }
        out.outputs = self.outputs.iter().map(|v| map[v.index()]).collect();
        out
    }

    /// The program with every parameter that has a value replaced by that literal.
    pub fn bound(&self) -> Program {
        let mut out = Program::new(self.name.clone());
        out.tables = self.tables.clone();
        let mut map = Vec::with_capacity(self.nodes.len());
        for input in &self.inputs {
            out.input(input.name.clone(), input.ty);
        }
        for node in &self.nodes {
            let v = match *node {
                Node::Input(i) => out.cons[&Node::Input(i)],
                Node::Param(i) => {
                    let p = &self.params[i as usize];
                    match p.value {
                        Some(l) => out.lit(l),
                        None => out.param(p.name.clone(), p.ty, None),
                    }
                }
                Node::Lit(l) => out.lit(l),
                Node::Op(op, args) => {
                    let args = args.map(|a| if a == NO_VALUE { a } else { map[a.index()] });
                    out.must(op, &args[..op.arity()])
                }
            };
            map.push(v);
        }
        out.outputs = self.outputs.iter().map(|v| map[v.index()]).collect();
        out.compacted()
    }
}
