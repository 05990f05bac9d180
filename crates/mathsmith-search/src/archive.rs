//! The steady archive: the best few genomes of every size, each structure once.
//!
//! A front of error against size has no single best: a program of five operations is no worse than one of ten, it
//! answers another question. So each size has slots of its own, and parents come from all sizes: the good ten-operation
//! program is most often a child of a nine-operation one.
//!
//! Two genomes with the same error are almost always the same function written in two ways, and would fill the slots
//! with copies; a newcomer whose error is within [`Archive::tolerance`] (relative) of that of a resident of its size, or
//! of a smaller size (the additional operation does nothing then), is refused. The
//! tolerance is relative because equal functions are fitted from different starts and end equal only up to the fit's
//! stopping rule. A wider one keeps variants out that differ by a constant next to nothing and would fill the slots.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a problem takes for one structure, however it is written; two words, since JSON has no 128-bit numbers.
pub type Class = [u64; 2];

/// How an archive received a newcomer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// It has a place of its own.
    Kept,
    /// It took the place of a resident of its class that it beats.
    Replaced,
    /// A resident of its class is no worse and no larger.
    Merged,
    /// There is no place for it.
    Refused,
}

/// A genome with its size and error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry<G> {
    /// The genome as evaluation left it.
    pub genome: G,
    /// Number of the entry in order of insertion into its archive.
    pub birth: u64,
    /// Size (operation count or another integer cost).
    pub size: u32,
    /// Error: finite, at least 0, smaller is better.
    pub error: f64,
    /// Its class, where the problem knows one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<Class>,
}

/// The best entries of each size, sorted by error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Archive<G> {
    slots: usize,
    tolerance: f64,
    births: u64,
    sizes: BTreeMap<u32, Vec<Entry<G>>>,
}

impl<G> Archive<G> {
    /// An empty archive with `slots` places for each size, that takes errors within the relative `tolerance` for equal.
    ///
    /// # Panics
    /// If `slots` is 0 or `tolerance` is negative or not finite.
    pub fn new(slots: usize, tolerance: f64) -> Self {
        assert!(slots > 0, "an archive has at least one slot for each size");
        assert!(tolerance >= 0.0 && tolerance.is_finite(), "the tolerance is a finite number of at least 0");
        Archive { slots, tolerance, births: 0, sizes: BTreeMap::new() }
    }

    /// Places for each size.
    pub fn slots(&self) -> usize {
        self.slots
    }

    /// Relative difference up to which errors are equal.
    pub fn tolerance(&self) -> f64 {
        self.tolerance
    }

    /// Sizes that have entries, ascending.
    pub fn sizes(&self) -> impl ExactSizeIterator<Item = u32> + '_ {
        self.sizes.keys().copied()
    }

    /// Entries of one size, best first.
    pub fn of_size(&self, size: u32) -> &[Entry<G>] {
        self.sizes.get(&size).map_or(&[], Vec::as_slice)
    }

    /// Best entry of one size.
    pub fn best(&self, size: u32) -> Option<&Entry<G>> {
        self.of_size(size).first()
    }

    /// All entries, by size and then by error.
    pub fn iter(&self) -> impl Iterator<Item = &Entry<G>> {
        self.sizes.values().flatten()
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.sizes.values().map(Vec::len).sum()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.sizes.is_empty()
    }

    /// The Pareto front: for ascending size the best entry, where it is better than everything smaller.
    pub fn front(&self) -> Vec<&Entry<G>> {
        let mut least = f64::INFINITY;
        let mut front = Vec::new();
        for best in self.sizes.values().filter_map(|entries| entries.first()) {
            if best.error < least {
                least = best.error;
                front.push(best);
            }
        }
        front
    }

    /// The error that a newcomer of this size must fall below to have a place: infinite while there are free slots.
    pub fn bar(&self, size: u32) -> f64 {
        match self.of_size(size) {
            full if full.len() >= self.slots => full[full.len() - 1].error,
            _ => f64::INFINITY,
        }
    }

    /// Whether an error of a size would find a place now, whatever the class.
    pub fn admits(&self, size: u32, error: f64) -> bool {
        if !(error >= 0.0 && error.is_finite()) || error >= self.bar(size) {
            return false;
        }
        let equal = |e: &Entry<G>| (e.error - error).abs() <= self.tolerance * error;
        self.sizes.range(..=size).all(|(_, entries)| {
            let at = entries.partition_point(|e| e.error < error);
            !(entries.get(at).is_some_and(equal) || at.checked_sub(1).is_some_and(|i| equal(&entries[i])))
        })
    }

    /// Puts a genome where it belongs.
    ///
    /// Refused are errors that are not finite or negative, errors equal to that of a resident of the same or a smaller
    /// size, and errors not below the worst of a full size. Of a class the archive holds one entry: a newcomer that is
    /// better than it, and not larger, takes its place; another one is merged into it. The order of insertion matters
    /// only among equals: the first one stays.
    pub fn insert(&mut self, genome: G, size: u32, error: f64, class: Option<Class>) -> Received {
        if !self.admits(size, error) {
            return Received::Refused;
        }
        let mut received = Received::Kept;
        if class.is_some() {
            let resident = self.sizes.iter().find_map(|(&s, entries)| {
                entries.iter().position(|e| e.class == class).map(|i| (s, i, entries[i].error))
            });
            if let Some((s, i, e)) = resident {
                if e <= error || s < size {
                    return Received::Merged;
                }
                if let Some(entries) = self.sizes.get_mut(&s) {
                    entries.remove(i);
                }
                self.sizes.retain(|_, entries| !entries.is_empty());
                received = Received::Replaced;
            }
        }
        let entries = self.sizes.entry(size).or_default();
        let at = entries.partition_point(|e| e.error < error);
        entries.insert(at, Entry { genome, birth: self.births, size, error, class });
        self.births += 1;
        entries.truncate(self.slots);
        received
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DrawKey, KeyedRng};

    #[test]
    fn keeps_the_best_of_each_size_in_order() {
        let mut rng = KeyedRng::new(DrawKey { seed: 3, island: 0, generation: 0, index: 0 });
        let mut archive = Archive::new(5, 1e-9);
        let mut all: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
        for n in 0..2000u32 {
            let (size, error) = (rng.below(4) as u32, rng.unit());
            archive.insert(n, size, error, None);
            all.entry(size).or_default().push(error);
        }
        for (size, mut errors) in all {
            errors.sort_by(f64::total_cmp);
            let kept: Vec<f64> = archive.of_size(size).iter().map(|e| e.error).collect();
            assert_eq!(kept, errors[..5], "size {size}");
            assert_eq!(archive.bar(size), errors[4]);
        }
        assert_eq!(archive.len(), 20);
    }

    #[test]
    fn refuses_equals_and_what_is_no_number() {
        let mut archive = Archive::new(3, 1e-9);
        assert_eq!(archive.insert('a', 1, 0.5, None), Received::Kept);
        assert_eq!(archive.insert('b', 1, 0.5, None), Received::Refused);
        assert_eq!(archive.insert('c', 1, 0.5 * (1.0 + 1e-10), None), Received::Refused);
        assert_eq!(archive.insert('d', 1, 0.5 * (1.0 - 1e-10), None), Received::Refused);
        assert_eq!(archive.insert('e', 1, 0.5 * (1.0 + 1e-8), None), Received::Kept);
        assert_eq!(archive.insert('f', 2, 0.5, None), Received::Refused);
        assert_eq!(archive.insert('f', 2, 0.4, None), Received::Kept);
        assert_eq!(archive.insert('f', 0, 0.4, None), Received::Kept);
        for error in [f64::NAN, f64::INFINITY, -1.0] {
            assert_eq!(archive.insert('g', 1, error, None), Received::Refused);
        }
        assert_eq!(archive.insert('z', 1, 0.0, None), Received::Kept);
        assert_eq!(archive.insert('z', 1, 0.0, None), Received::Refused);
        assert_eq!(archive.of_size(1).iter().map(|e| e.genome).collect::<String>(), "zae");
    }

    #[test]
    fn a_class_has_one_entry_the_best_of_the_smallest() {
        let mut archive = Archive::new(3, 1e-9);
        let class = Some([7, 0]);
        assert_eq!(archive.insert('a', 3, 0.5, class), Received::Kept);
        assert_eq!(archive.insert('b', 3, 0.6, class), Received::Merged);
        assert_eq!(archive.insert('c', 3, 0.4, class), Received::Replaced);
        assert_eq!(archive.insert('d', 4, 0.1, class), Received::Merged);
        assert_eq!(archive.insert('e', 2, 0.45, class), Received::Merged);
        assert_eq!(archive.insert('f', 2, 0.3, class), Received::Replaced);
        assert_eq!(archive.insert('g', 3, 0.4, Some([8, 0])), Received::Kept);
        assert_eq!(archive.iter().map(|e| e.genome).collect::<String>(), "fg");
    }

    #[test]
    fn the_front_falls_strictly() {
        let mut archive = Archive::new(2, 0.0);
        for (size, error) in [(1, 0.5), (2, 0.7), (3, 0.2), (4, 0.2), (5, 0.1)] {
            archive.insert((), size, error, None);
        }
        let front: Vec<u32> = archive.front().iter().map(|e| e.size).collect();
        assert_eq!(front, [1, 3, 5]);
    }

    #[test]
    fn serialises_to_the_same_bytes() {
        let mut archive = Archive::new(4, 1e-9);
        for n in 0..20u64 {
            archive.insert(n, (n % 3) as u32, 1.0 / (n as f64 + 0.3), Some([n, n]));
        }
        let text = serde_json::to_string(&archive).expect("an archive is plain data");
        let back: Archive<u64> = serde_json::from_str(&text).expect("its own text");
        assert_eq!(back, archive);
        assert_eq!(serde_json::to_string(&back).expect("an archive is plain data"), text);
    }
}
