//! What a search did, as counts: typed, serialisable, the same for any thread count.

use serde::{Deserialize, Serialize};

/// Counts since the start of a search. `proposed = pruned + duplicate + evaluated` holds
/// always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// Children asked for.
    pub proposed: u64,
    /// Children that the problem itself withdrew (beyond a limit, or an operator that found no place).
    pub pruned: u64,
    /// Children whose key was seen before.
    pub duplicate: u64,
    /// Children good enough for the archive whose class was there already: equal to a resident by more than the way they
    /// are written. The better of the two stays.
    pub merged: u64,
    /// Children evaluated.
    pub evaluated: u64,
    /// Evaluated children without a result (a pole on the domain, no convergence).
    pub failed: u64,
    /// Children that entered an archive.
    pub inserted: u64,
}

impl Stats {
    /// Adds the counts of another record.
    pub fn add(&mut self, o: &Stats) {
        self.proposed += o.proposed;
        self.pruned += o.pruned;
        self.duplicate += o.duplicate;
        self.merged += o.merged;
        self.evaluated += o.evaluated;
        self.failed += o.failed;
        self.inserted += o.inserted;
    }
}
