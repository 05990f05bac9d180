//! From a question's grammar and settings to the search space of one variant.

use crate::question::{Question, QuestionError};
use crate::structure::{SearchSettings, SearchSpace, Variation};
use mathsmith_dsl::{Grammar, Requirement};
use mathsmith_ir::{Op, Type};
use mathsmith_search::EngineSettings;
use serde::{Deserialize, Serialize};

/// One kind of arithmetic, searched and verified for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Arithmetic {
    /// Floats, products and sums may be fused.
    Fma,
    /// Floats, every operation rounds.
    Plain,
    /// Real numbers.
    Real,
}

impl Arithmetic {
    /// The word of `front.json`.
    pub fn word(self) -> &'static str {
        match self {
            Arithmetic::Fma => "fma",
            Arithmetic::Plain => "plain",
            Arithmetic::Real => "real",
        }
    }

    /// Name of the grammar that ships for it.
    pub fn grammar(self) -> &'static str {
        self.word()
    }

    /// Budget of a search where none is given.
    pub fn default_evaluations(self) -> u64 {
        match self {
            Arithmetic::Real => 1_000_000,
            _ => 60_000,
        }
    }

    /// Type of the programs.
    pub fn ty(self) -> Type {
        match self {
            Arithmetic::Real => Type::Real,
            _ => Type::F32,
        }
    }
}

/// The search space of one variant; `None` where the operations that were asked for leave it nothing of its own (the fma
/// variant without `fma`).
///
/// # Errors
/// [`QuestionError`] where nothing is left to search with.
pub fn space(
    question: &Question,
    grammar: &Grammar,
    arithmetic: Arithmetic,
) -> Result<Option<SearchSpace>, QuestionError> {
    let problem = &question.problem;
    let forbidden = |op: Op| match op {
        Op::Div => problem.require.contains(&Requirement::NoDiv),
        Op::Fma => arithmetic != Arithmetic::Fma,
        _ => false,
    };
    let listed: Vec<(Op, f64)> = match &problem.ops {
        Some(names) => names
            .iter()
            .filter_map(|name| Some((name.op()?, grammar.weight(*name).filter(|w| *w > 0.0).unwrap_or(1.0))))
            .collect(),
        None => grammar.ops.iter().filter_map(|(name, weight)| Some((name.op()?, *weight))).collect(),
    };
    if arithmetic == Arithmetic::Fma && !listed.iter().any(|(op, _)| *op == Op::Fma) {
        return Ok(None);
    }
    let ops: Vec<(Op, f64)> = listed.into_iter().filter(|(op, _)| !forbidden(*op)).collect();
    if ops.is_empty() {
        let only_fma = arithmetic == Arithmetic::Plain;
        if only_fma && problem.ops.is_some() {
            return Ok(None);
        }
        return Err(QuestionError::new(
            "ops",
            "no operation is left to search with",
            "name operations such as add,sub,mul,div that the other settings do not forbid",
        ));
    }
    let names: Vec<Op> = ops.iter().map(|(op, _)| *op).collect();
    let mut space = SearchSpace::new(&names, problem.max_ops.unwrap_or(grammar.max_ops));
    space.ops = ops;
    space.max_constants = grammar.max_params as usize;
    space.variation = variation(grammar);
    Ok(Some(space))
}

fn variation(grammar: &Grammar) -> Variation {
    let m = &grammar.mutations;
    Variation {
        insert_neutral: m.neutral,
        insert: m.insert,
        delete: m.delete,
        change: m.change_op,
        rewire: m.rewire,
        subtree: m.subtree,
        crossover: m.crossover,
        square: m.square,
        macros: m.macros,
        perturb: m.perturb,
        split: m.split,
    }
}

/// Archive and generation sizes of a grammar, with the question's seed.
pub fn settings(question: &Question, grammar: &Grammar) -> SearchSettings {
    SearchSettings {
        engine: EngineSettings {
            seed: question.problem.seed,
            islands: grammar.islands,
            children: grammar.batch as usize,
            slots: grammar.archive as usize,
            ..EngineSettings::default()
        },
        ..SearchSettings::default()
    }
}
