//! Machine models: data files with a source for every figure.

use mathsmith_ir::{Node, Op, Program, Value};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Why there is no estimate.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CostError {
    /// No model of that name is built in.
    #[error("there is no machine model `{name}`; did you mean `{nearest}`? built in: {}", all.join(", "))]
    UnknownModel {
        /// The name asked for.
        name: String,
        /// The built-in name that is nearest to it.
        nearest: String,
        /// All built-in names.
        all: Vec<&'static str>,
    },
    /// The file does not say what it should.
    #[error("machine model `{name}`: {message}")]
    Malformed {
        /// Name of the model or file.
        name: String,
        /// What is wrong, with the line where that is known.
        message: String,
    },
    /// The model has no figure for an operation of the program.
    #[error("machine model `{model}` has no figure for `{key}`: add it under [op], or choose another --target")]
    MissingOp {
        /// Name of the model.
        model: String,
        /// Key of the operation, such as `fma.f32`.
        key: String,
    },
    /// The program computes with reals, which take no time.
    #[error("program `{program}` computes with reals: it has operation counts but no cycles; choose a machine type")]
    Real {
        /// Name of the program.
        program: String,
    },
}

/// Cost of one operation on one vector.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpCost {
    /// Cycles from operand to result.
    pub latency: f64,
    /// Reciprocal throughput in cycles when nothing else runs.
    pub cycles: f64,
    /// Micro-operations that the front end issues.
    pub uops: u32,
    /// Pipes that can execute it.
    pub pipes: Vec<String>,
    /// Instruction or sequence that the figures are of.
    pub instruction: String,
    /// Where the figures come from; the file's head says what the word stands for.
    pub source: String,
    /// Why a figure departs from its source.
    pub note: Option<String>,
}

/// A machine.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Version of the file format: 1.
    pub schema: u32,
    /// Name.
    pub name: String,
    /// One line on what it models.
    pub description: String,
    /// Bits of a vector.
    pub vector_bits: u32,
    /// Micro-operations issued a cycle.
    pub issue_width: u32,
    /// Names of the execution pipes.
    pub pipes: Vec<String>,
    /// Costs by key: mnemonic and type of the first argument (`fma.f32`); for `select` and `table` the type of the result,
    /// for `convert` both types (`convert.f32.i32`).
    pub op: BTreeMap<String, OpCost>,
}

const BUILTIN: &[(&str, &str)] = &[("x86-64-v3", include_str!("../models/x86-64-v3.toml"))];

impl Model {
    /// Names of the built-in models.
    pub fn names() -> Vec<&'static str> {
        BUILTIN.iter().map(|(n, _)| *n).collect()
    }

    /// A built-in model.
    ///
    /// # Errors
    /// [`CostError::UnknownModel`] with the nearest name.
    pub fn builtin(name: &str) -> Result<Model, CostError> {
        match BUILTIN.iter().find(|(n, _)| *n == name) {
            Some((n, text)) => Model::parse(n, text),
            None => Err(CostError::UnknownModel {
                name: name.to_owned(),
                nearest: nearest(name).to_owned(),
                all: Model::names(),
            }),
        }
    }

    /// Reads a model from TOML text; `name` names it in messages.
    ///
    /// # Errors
    /// [`CostError::Malformed`] if the text is not such a file, or a figure makes no sense.
    pub fn parse(name: &str, text: &str) -> Result<Model, CostError> {
        let bad = |message: String| CostError::Malformed { name: name.to_owned(), message };
        let model: Model = toml::from_str(text).map_err(|e| bad(e.to_string()))?;
        if model.schema != 1 {
            return Err(bad(format!("schema {} is not known to this version, which reads 1", model.schema)));
        }
        if !(32..=4096).contains(&model.vector_bits) || model.issue_width == 0 {
            return Err(bad("vector_bits must lie in 32..4096 and issue_width must not be 0".into()));
        }
        if model.pipes.is_empty() || model.pipes.len() > 16 {
            return Err(bad(format!("{} pipes; give 1 to 16", model.pipes.len())));
        }
        for (key, op) in &model.op {
            let figures = [op.latency, op.cycles];
            if figures.iter().any(|f| !f.is_finite() || *f < 0.0) {
                return Err(bad(format!("`{key}`: latency and cycles must be finite and not negative")));
            }
            if op.pipes.is_empty() {
                return Err(bad(format!("`{key}`: no pipe")));
            }
            if let Some(p) = op.pipes.iter().find(|p| !model.pipes.contains(p)) {
                return Err(bad(format!("`{key}`: there is no pipe `{p}`; the model has {}", model.pipes.join(", "))));
            }
        }
        Ok(model)
    }

    /// Cost of the operation that computes a value.
    ///
    /// # Errors
    /// [`CostError::MissingOp`].
    pub(crate) fn cost(&self, program: &Program, v: Value, op: Op) -> Result<&OpCost, CostError> {
        let key = key(program, v, op);
        self.op.get(&key).ok_or_else(|| CostError::MissingOp { model: self.name.clone(), key })
    }
}

pub(crate) fn key(program: &Program, v: Value, op: Op) -> String {
    let node = program.node(v);
    let of = |node: &Node| program.ty(node.args()[0]).name();
    match op {
        Op::Select | Op::Table(_) => format!("{}.{}", op.name(), program.ty(v)),
        Op::Convert(to) => format!("convert.{}.{to}", of(&node)),
        _ => format!("{}.{}", op.name(), of(&node)),
    }
}

/// The built-in name with the smallest edit distance.
fn nearest(name: &str) -> &'static str {
    BUILTIN.iter().map(|(n, _)| *n).min_by_key(|n| distance(n, name)).expect("there is a built-in model")
}

fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let up = row[j + 1];
            row[j + 1] = (diagonal + usize::from(ca != *cb)).min(up + 1).min(row[j] + 1);
            diagonal = up;
        }
    }
    row[b.len()]
}
