//! Machine models: data files with a source for every figure.

use crate::keys::{self, key};
use mathsmith_ir::{Op, Program, Value};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Why there is no estimate.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CostError {
    /// No model of that name is built in.
    #[error(
        "there is no machine model `{name}`; did you mean `{nearest}`? built in: {}; or give the path of a file, such as \
         ./mine.toml",
        all.join(", ")
    )]
    UnknownModel {
        /// The name asked for.
        name: String,
        /// The built-in name that is nearest to it.
        nearest: String,
        /// All built-in names.
        all: Vec<&'static str>,
    },
    /// A model's file cannot be read.
    #[error("machine model `{path}` cannot be read: {message}; built in: {}", all.join(", "))]
    Unreadable {
        /// The path as it was given.
        path: String,
        /// What the system says.
        message: String,
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

/// Cost of one operation on one vector, or on one element in scalar code.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpCost {
    /// Cycles from operand to result.
    pub latency: f64,
    /// Micro-operations that the front end issues.
    pub uops: u32,
    /// Bytes of its code.
    pub bytes: u32,
    /// Bytes of constants that its code reads and that are not the program's; a program pays them once.
    #[serde(default)]
    pub data: u32,
    /// Cycles for which sets of pipes are busy, the work shared evenly: `"FP0 FP1" = 0.5` is a reciprocal throughput of half
    /// a cycle on either pipe.
    pub pipes: BTreeMap<String, f64>,
    /// Instruction or sequence that the figures are of, separated by `;`.
    pub code: String,
    /// Where the figures come from; the file's head says what the word stands for.
    pub source: String,
    /// Why a figure departs from its source, or what it was estimated from.
    pub note: Option<String>,
    /// `pipes` for computing: bits of the pipes in the model's order, and pipe-cycles (cycles times pipes).
    #[serde(skip)]
    pub(crate) work: Vec<(u32, f64)>,
}

impl OpCost {
    /// Reciprocal throughput in cycles when only this operation runs.
    pub fn cycles(&self) -> f64 {
        crate::cycles::busiest(&self.work)
    }
}

/// Where `scripts/machine_models.py` asks for the figures of a model.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Version of LLVM whose tables were read.
    pub llvm: String,
    /// Target triple.
    pub triple: String,
    /// Processor.
    pub cpu: String,
    /// Features beside the processor's.
    pub features: Option<String>,
    /// Resources of LLVM's model that are a pipe; `#1` is the second instance of one.
    pub resources: BTreeMap<String, Vec<String>>,
}

/// A machine.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Version of the file format: 2.
    pub schema: u32,
    /// Name.
    pub name: String,
    /// One line on what it models.
    pub description: String,
    /// Bits of a vector; `None` for scalar code, which works on one element at a time.
    pub vector_bits: Option<u32>,
    /// Whether code is scalar: said in so many words, so that a forgotten `vector_bits` is noticed.
    #[serde(default)]
    pub scalar: bool,
    /// Whether instructions issue in the order of the program: see [`crate::cycles()`].
    #[serde(default)]
    pub in_order: bool,
    /// Micro-operations issued a cycle.
    pub issue_width: u32,
    /// Names of the execution pipes.
    pub pipes: Vec<String>,
    /// Bytes of code that bring a constant of the program to where it is used.
    pub literal_bytes: u32,
    /// Bytes of code that every function has: its return.
    pub function_bytes: u32,
    /// Where figures were asked for; `None` for a model written or measured otherwise.
    pub schedule: Option<Schedule>,
    /// Costs by key: mnemonic and type of the first argument (`fma.f32`); for `select` and `table` the type of the result,
    /// for `convert` both types (`convert.f32.i32`). [`crate::keys()`] lists them.
    pub op: BTreeMap<String, OpCost>,
}

const BUILTIN: &[(&str, &str)] = &[
    ("x86-64-v3", include_str!("../models/x86-64-v3.toml")),
    ("x86-64-v4", include_str!("../models/x86-64-v4.toml")),
    ("aarch64", include_str!("../models/aarch64.toml")),
    ("x86-64-scalar", include_str!("../models/x86-64-scalar.toml")),
    ("cortex-m7", include_str!("../models/cortex-m7.toml")),
];

/// Most pipes of a model.
const MOST_PIPES: usize = 16;

/// Largest figure that is believed, in cycles, micro-operations or bytes: sums of it stay exact.
const LARGEST: f64 = 1e6;

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
                nearest: keys::nearest(name, Model::names()).unwrap_or("x86-64-v3").to_owned(),
                all: Model::names(),
            }),
        }
    }

    /// The model that a `--target` names: a built-in one, or a file. What ends in `.toml` or holds a `/` is a file's path.
    ///
    /// # Errors
    /// [`CostError::UnknownModel`] for another name, [`CostError::Unreadable`] and [`CostError::Malformed`] for a file.
    pub fn load(name: &str) -> Result<Model, CostError> {
        if Model::names().contains(&name) || !(name.ends_with(".toml") || name.contains(['/', '\\'])) {
            return Model::builtin(name);
        }
        let text = std::fs::read_to_string(Path::new(name)).map_err(|e| CostError::Unreadable {
            path: name.to_owned(),
            message: e.to_string(),
            all: Model::names(),
        })?;
        Model::parse(name, &text)
    }

    /// Reads a model from TOML text; `name` names it in messages.
    ///
    /// # Errors
    /// [`CostError::Malformed`] if the text is not such a file, or a figure makes no sense.
    pub fn parse(name: &str, text: &str) -> Result<Model, CostError> {
        let bad = |message: String| CostError::Malformed { name: name.to_owned(), message };
        // The version first: a file of another one fails for reasons that would mislead.
        let table: toml::Table = toml::from_str(text).map_err(|e| bad(e.to_string()))?;
        match table.get("schema").map(toml::Value::as_integer) {
            Some(Some(2)) => {}
            Some(Some(n)) => return Err(bad(format!("schema {n} is not known to this version, which reads 2"))),
            _ => return Err(bad("it does not begin with the version of the format, `schema = 2`".into())),
        }
        let mut model: Model = toml::from_str(text).map_err(|e| bad(e.to_string()))?;
        model.check_machine().map_err(bad)?;
        let known = keys::keys();
        for (key, op) in &mut model.op {
            if !known.contains(key) {
                let hint = keys::nearest(key, known.iter().map(String::as_str));
                let hint = hint.map(|k| format!("; did you mean `{k}`?")).unwrap_or_default();
                return Err(bad(format!("`{key}` is no operation of a program{hint}")));
            }
            op.work = work(&model.pipes, op).map_err(|what| bad(format!("`{key}`: {what}")))?;
        }
        Ok(model)
    }

    /// Cycles for one vector of each of some independent operations, named by their keys, when they run together again and
    /// again; `None` if the model lacks one. In-order machines are asked for what their pipes can do at best.
    pub fn together(&self, keys: &[&str]) -> Option<f64> {
        let ops = keys.iter().map(|key| self.op.get(*key)).collect::<Option<Vec<_>>>()?;
        let work: Vec<(u32, f64)> = ops.iter().flat_map(|op| op.work.iter().copied()).collect();
        let uops: f64 = ops.iter().map(|op| f64::from(op.uops)).sum();
        Some(crate::cycles::busiest(&work).max(uops / f64::from(self.issue_width)))
    }

    fn check_machine(&self) -> Result<(), String> {
        match (self.scalar, self.vector_bits) {
            (true, Some(_)) => return Err("`scalar = true` and `vector_bits` exclude each other; leave one out".into()),
            (false, None) => return Err("give `vector_bits`, or `scalar = true` for scalar code".into()),
            (false, Some(bits)) if !(64..=4096).contains(&bits) || !bits.is_power_of_two() => {
                return Err(format!("vector_bits is {bits}; give a power of two from 64 to 4096, or `scalar = true`"));
            }
            _ => {}
        }
        if !(1..=64).contains(&self.issue_width) {
            return Err(format!("issue_width is {}; give 1 to 64", self.issue_width));
        }
        if self.pipes.is_empty() || self.pipes.len() > MOST_PIPES {
            return Err(format!("{} pipes; give 1 to {MOST_PIPES}", self.pipes.len()));
        }
        for (i, p) in self.pipes.iter().enumerate() {
            if p.is_empty() || p.contains(char::is_whitespace) || self.pipes[..i].contains(p) {
                return Err(format!("the pipe `{p}` occurs twice, is empty or has a blank in its name"));
            }
        }
        if f64::from(self.literal_bytes.max(self.function_bytes)) > LARGEST {
            return Err(format!("literal_bytes and function_bytes must not exceed {LARGEST}"));
        }
        Ok(())
    }

    /// Elements that an operation whose widest type has `width` bits works on at a time.
    pub(crate) fn lanes(&self, width: u32) -> f64 {
        self.vector_bits.map_or(1.0, |bits| f64::from(bits) / f64::from(width))
    }

    /// Cost of the operation that computes a value.
    ///
    /// # Errors
    /// [`CostError::MissingOp`].
    pub(crate) fn cost(&self, program: &Program, v: Value, op: Op) -> Result<(&str, &OpCost), CostError> {
        let key = key(program, v, op);
        match self.op.get_key_value(&key) {
            Some((key, cost)) => Ok((key, cost)),
            None => Err(CostError::MissingOp { model: self.name.clone(), key }),
        }
    }
}

/// Sets of pipes and their pipe-cycles.
fn work(pipes: &[String], op: &OpCost) -> Result<Vec<(u32, f64)>, String> {
    let sound = |f: f64| f > 0.0 && f <= LARGEST;
    if !sound(op.latency) {
        return Err(format!("latency is {}; give cycles above 0 and at most {LARGEST}", op.latency));
    }
    if !sound(f64::from(op.uops)) || !sound(f64::from(op.bytes)) || f64::from(op.data) > LARGEST {
        return Err(format!("uops and bytes must lie in 1..{LARGEST}, and data must not exceed it"));
    }
    if op.pipes.is_empty() {
        return Err("no pipe does it".into());
    }
    if op.source.trim().is_empty() {
        return Err("the figures have no source: say where they come from".into());
    }
    let mut sets = Vec::new();
    for (names, &cycles) in &op.pipes {
        if !sound(cycles) {
            return Err(format!("`{names}` is busy for {cycles}; give cycles above 0 and at most {LARGEST}"));
        }
        let mut set = 0u32;
        for name in names.split_whitespace() {
            let Some(i) = pipes.iter().position(|p| p == name) else {
                return Err(format!("there is no pipe `{name}`; the model has {}", pipes.join(", ")));
            };
            set |= 1 << i;
        }
        if set == 0 {
            return Err("a set of pipes is empty".into());
        }
        sets.push((set, cycles * f64::from(set.count_ones())));
    }
    Ok(sets)
}
