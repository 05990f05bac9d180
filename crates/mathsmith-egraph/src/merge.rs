//! Counting structures once, and how many were found equal by which stage.

use crate::canonical::canonical;
use crate::quick::{quick_canonical, structural_key};
use crate::saturate::Limits;
use mathsmith_ir::Program;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// What became of the programs that a [`Merger`] has seen. `seen` is the sum of the other counts and
/// [`MergeStats::distinct`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergeStats {
    /// Programs seen.
    pub seen: u64,
    /// Equal to an earlier one by hash-consing with sorted arguments, constants being anonymous.
    pub hash_consed: u64,
    /// Equal beyond that by the directional rules of the quick stage.
    pub quick_merged: u64,
    /// Equal beyond that through the e-graph.
    pub egg_merged: u64,
    /// Programs that needed an e-graph.
    pub saturations: u64,
}

impl MergeStats {
    /// Different canonical structures.
    pub fn distinct(&self) -> u64 {
        self.seen - self.hash_consed - self.quick_merged - self.egg_merged
    }
}

impl std::ops::AddAssign for MergeStats {
    fn add_assign(&mut self, o: Self) {
        self.seen += o.seen;
        self.hash_consed += o.hash_consed;
        self.quick_merged += o.quick_merged;
        self.egg_merged += o.egg_merged;
        self.saturations += o.saturations;
    }
}

impl std::fmt::Display for MergeStats {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} candidates: {} equal by hash-consing, {} more by directional rules, {} more through the e-graph, {} different",
            self.seen,
            self.hash_consed,
            self.quick_merged,
            self.egg_merged,
            self.distinct()
        )
    }
}

/// How a program was recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// No equal one was known.
    New,
    /// By hash-consing.
    HashConsed,
    /// By the quick stage.
    Quick,
    /// Through the e-graph.
    Egg,
}

/// A canonical key for each structure, with an e-graph only for quick forms not seen before.
///
/// Feed it in a fixed order (a generation's index order): the counts, not the keys, depend on the order.
#[derive(Clone, Debug)]
pub struct Merger {
    limits: Limits,
    structures: HashMap<u128, u128>,
    quick: HashMap<u128, u128>,
    canonical: HashMap<u128, u64>,
    stats: MergeStats,
}

impl Merger {
    /// A merger that knows nothing yet.
    pub fn new(limits: Limits) -> Self {
        let (structures, quick, canonical) = (HashMap::new(), HashMap::new(), HashMap::new());
        Merger { limits, structures, quick, canonical, stats: MergeStats::default() }
    }

    /// The canonical key of a program and how it was found.
    pub fn insert(&mut self, program: &Program) -> (u128, Found) {
        self.stats.seen += 1;
        let structure = structural_key(program);
        if let Some(&key) = self.structures.get(&structure) {
            self.stats.hash_consed += 1;
            *self.canonical.entry(key).or_default() += 1;
            return (key, Found::HashConsed);
        }
        let quick = quick_canonical(program, self.limits.class);
        let known = self.quick.get(&quick.key).copied();
        let key = known.unwrap_or_else(|| {
            self.stats.saturations += 1;
            canonical(program, &self.limits).key
        });
        self.structures.insert(structure, key);
        self.quick.insert(quick.key, key);
        let count = self.canonical.entry(key).or_default();
        *count += 1;
        let found = match (known, *count) {
            (Some(_), _) => Found::Quick,
            (None, 1) => Found::New,
            (None, _) => Found::Egg,
        };
        self.stats.quick_merged += u64::from(found == Found::Quick);
        self.stats.egg_merged += u64::from(found == Found::Egg);
        (key, found)
    }

    /// How often the structure of this key was seen.
    pub fn count(&self, key: u128) -> u64 {
        self.canonical.get(&key).copied().unwrap_or(0)
    }

    /// The counts so far.
    pub fn stats(&self) -> MergeStats {
        self.stats
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::skeleton;
    use mathsmith_ir::Type;

    #[test]
    fn each_stage_is_counted() {
        let mut merger = Merger::new(Limits::default());
        let mut found = Vec::new();
        for text in ["C*x + C", "C + x*C", "C*x - C", "C*(x + C)", "x/C + C", "x*x", "p0*x + p0"] {
            found.push(merger.insert(&skeleton(text, Type::Real).unwrap()).1);
        }
        use Found::{Egg, HashConsed, New, Quick};
        assert_eq!(found, [New, HashConsed, Quick, Egg, Quick, New, New]);
        let s = merger.stats();
        assert_eq!((s.seen, s.hash_consed, s.quick_merged, s.egg_merged, s.saturations), (7, 1, 2, 1, 4));
        assert_eq!(s.distinct(), 3);
        let key = merger.insert(&skeleton("C*x + C", Type::Real).unwrap()).0;
        assert_eq!(merger.count(key), 6);
    }
}
