//! The rewriting loop: egg's searchers and appliers under limits that count nodes and iterations, never time.
//!
//! egg's own runner reads the clock and records an iteration; in a loop of some 50 µs both would be felt.

use crate::analysis::{Facts, Graph};
use crate::lang::Lang;
use crate::rules::RuleClass;
use egg::Rewrite;
use serde::{Deserialize, Serialize};

/// What to do with products that feed sums.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Contraction {
    /// As the program does: fused if it has an `fma`, separate if it has none. A search that compares keys of programs with
    /// and without `fma` sets one of the other two.
    #[default]
    AsWritten,
    /// Never fused: for grammars without `fma`. An `fma` in the program is split.
    Separate,
    /// Fused wherever that saves an operation: for grammars with `fma`.
    Fused,
}

/// Stopping rules and settings of a canonicalisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Limits {
    /// Iterations of one saturation.
    pub iterations: usize,
    /// Nodes of one e-graph; checked after each rule, so it may be overshot by one rule's matches.
    pub nodes: usize,
    /// Saturations one after the other, each from the result of the one before while that improves.
    pub rounds: usize,
    /// Which rules.
    pub class: RuleClass,
    /// Fused or separate products.
    pub contraction: Contraction,
}

impl Default for Limits {
    /// The inner loop's: real rules, 4 iterations, 250 nodes, at most 12 rounds. The corpus of equal pairs needs no more.
    fn default() -> Self {
        Limits { iterations: 4, nodes: 250, rounds: 12, class: RuleClass::Real, contraction: Contraction::AsWritten }
    }
}

impl Limits {
    /// For winners: time matters less.
    pub fn thorough(class: RuleClass) -> Self {
        Limits { iterations: 10, nodes: 6000, rounds: 12, class, contraction: Contraction::AsWritten }
    }
}

/// Why saturation stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopReason {
    /// No rule has anything to add: all forms within the rules were considered.
    Saturated,
    /// [`Limits::iterations`] was reached.
    Iterations,
    /// [`Limits::nodes`] was reached.
    Nodes,
    /// [`Limits::rounds`] was reached while results still improved; the result may then not be a fixed point.
    Rounds,
}

/// Applies `rules` until nothing changes or a limit is met; returns the reason and the iterations done.
pub fn saturate(graph: &mut Graph, rules: &[Rewrite<Lang, Facts>], limits: &Limits) -> (StopReason, usize) {
    graph.rebuild();
    for iteration in 0..limits.iterations {
        let before = (graph.total_size(), graph.number_of_classes());
        let matches: Vec<_> = rules.iter().map(|r| r.search(graph)).collect();
        let mut changed = false;
        for (rule, matches) in rules.iter().zip(&matches) {
            changed |= !rule.apply(graph, matches).is_empty();
            if graph.total_size() > limits.nodes {
                graph.rebuild();
                return (StopReason::Nodes, iteration + 1);
            }
        }
        graph.rebuild();
        if !changed && before == (graph.total_size(), graph.number_of_classes()) {
            return (StopReason::Saturated, iteration + 1);
        }
    }
    (StopReason::Iterations, limits.iterations)
}
