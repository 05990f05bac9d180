//! One island: an archive, the keys it has seen, and the step from one generation to the next.
//!
//! A step is a function of the island's state alone. The children of a generation are proposed from the archive as it
//! stands, each with the generator of its own key; children whose key is known are dropped in index order; the rest is
//! evaluated in whatever order the threads find; the results are inserted in index order. Islands exchange nothing but
//! [`Entry`] values at fixed generations, so that an island's work could as well be done in another process.

use crate::archive::{Class, Received};
use crate::{Archive, DrawKey, EngineSettings, Entry, KeyedRng, SeenKeys, Stats};
use rayon::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::sync::Mutex;

/// A genome after evaluation.
#[derive(Clone, Debug, PartialEq)]
pub struct Scored<G> {
    /// The genome, with whatever evaluation added to it (fitted constants).
    pub genome: G,
    /// Size: an integer cost, such as the number of operations.
    pub size: u32,
    /// Error, smaller is better; what is not finite is refused.
    pub error: f64,
}

/// What is searched: everything that the engine does not know.
///
/// The methods are called from several threads. Results may depend on their arguments and on the problem, not on the
/// history of a worker, the time or the thread: that is what makes a run reproducible.
pub trait Problem: Sync {
    /// A candidate. It must come back from its serialised form unchanged.
    type Genome: Clone + Send + Sync + Serialize + DeserializeOwned;
    /// Scratch of one thread. Nothing in it may change a result.
    type Worker: Send;

    /// Scratch for one thread.
    fn worker(&self) -> Self::Worker;

    /// Genomes that every island evaluates first.
    fn seeds(&self) -> Vec<Self::Genome>;

    /// A child of the archive, or `None` where this draw leads to nothing.
    fn propose(&self, rng: &mut KeyedRng, archive: &Archive<Self::Genome>) -> Option<Self::Genome>;

    /// Identity of a genome as it is written: of several with one key only the first is evaluated (while the key is
    /// remembered). Cheap, since every child is asked for it.
    fn key(&self, genome: &Self::Genome) -> u128;

    /// Identity of a genome up to whatever equality the problem knows beyond [`Problem::key`], or `None` if it knows
    /// none. Only children that would enter the archive are asked for it, so it may cost a hundred times an evaluation.
    /// Of the genomes of one class the archive keeps one.
    fn class(&self, genome: &Self::Genome) -> Option<u128> {
        let _ = genome;
        None
    }

    /// Size and error of a genome, or `None` if it has none. The archive is the one that it was proposed from: work
    /// that pays only for genomes that enter it can be spared for the others.
    fn evaluate(
        &self,
        worker: &mut Self::Worker,
        genome: Self::Genome,
        archive: &Archive<Self::Genome>,
    ) -> Option<Scored<Self::Genome>>;
}

/// State of one island.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "G: Serialize", deserialize = "G: DeserializeOwned"))]
pub struct Island<G> {
    /// Number of the island, part of every key.
    pub number: u64,
    /// Generations done; 0 before the seeds are evaluated.
    pub generation: u64,
    /// Generations since the last one that evaluated anything.
    pub idle: u64,
    /// Best genomes of each size.
    pub archive: Archive<G>,
    /// Counts.
    pub stats: Stats,
    /// Keys seen; written apart from the rest, as bytes.
    #[serde(skip, default = "no_keys")]
    pub seen: SeenKeys,
}

fn no_keys() -> SeenKeys {
    SeenKeys::new(2)
}

/// State of a whole search: what a checkpoint holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "G: Serialize", deserialize = "G: DeserializeOwned"))]
pub struct State<G> {
    /// The islands in order of their numbers; all have done the same number of generations.
    pub islands: Vec<Island<G>>,
}

impl<G: Clone> State<G> {
    /// The state before anything was done.
    pub fn new(settings: &EngineSettings) -> Self {
        let island = |number| Island {
            number,
            generation: 0,
            idle: 0,
            archive: Archive::new(settings.slots.max(1), settings.tolerance.max(0.0)),
            stats: Stats::default(),
            seen: SeenKeys::new(settings.cache),
        };
        State { islands: (0..u64::from(settings.islands.max(1))).map(island).collect() }
    }

    /// Counts over all islands.
    pub fn stats(&self) -> Stats {
        self.islands.iter().fold(Stats::default(), |mut sum, island| {
            sum.add(&island.stats);
            sum
        })
    }

    /// Best entry of each size over all islands (of equals the one on the first island), ascending by size.
    pub fn best_per_size(&self) -> Vec<&Entry<G>> {
        let mut sizes: Vec<u32> = self.islands.iter().flat_map(|i| i.archive.sizes()).collect();
        sizes.sort_unstable();
        sizes.dedup();
        let best = |size| {
            let candidates = self.islands.iter().filter_map(move |i| i.archive.best(size));
            candidates.reduce(|a, b| if b.error < a.error { b } else { a })
        };
        sizes.into_iter().filter_map(best).collect()
    }

    /// The Pareto front over all islands: [`State::best_per_size`] without what something smaller beats.
    pub fn front(&self) -> Vec<&Entry<G>> {
        let mut least = f64::INFINITY;
        let mut front = self.best_per_size();
        front.retain(|e| {
            let better = e.error < least;
            least = least.min(e.error);
            better
        });
        front
    }

    /// Each island gets the best of every size of the island before it, in a ring. A no-op on a single island.
    pub fn migrate(&mut self) {
        let elites: Vec<Vec<Entry<G>>> = self
            .islands
            .iter()
            .map(|i| i.archive.sizes().filter_map(|size| i.archive.best(size)).cloned().collect())
            .collect();
        let count = self.islands.len();
        if count < 2 {
            return;
        }
        for (n, island) in self.islands.iter_mut().enumerate() {
            for elite in &elites[(n + count - 1) % count] {
                island.archive.insert(elite.genome.clone(), elite.size, elite.error, elite.class);
            }
        }
    }
}

impl<G: Clone + Send + Sync> Island<G> {
    /// One generation: propose, drop what is known, evaluate, insert. Runs on the rayon pool that it is called in, which
    /// must have at most as many threads as there are `workers`.
    pub fn step<P: Problem<Genome = G>>(
        &mut self,
        problem: &P,
        workers: &[Mutex<P::Worker>],
        settings: &EngineSettings,
    ) {
        let archive = &self.archive;
        let key_of = |genome: G| {
            let key = problem.key(&genome);
            (genome, key)
        };
        let children: Vec<Option<(G, u128)>> = if self.generation == 0 {
            problem.seeds().into_iter().map(|g| Some(key_of(g))).collect()
        } else {
            let draw = |index| {
                let (seed, island) = (settings.seed, self.number);
                let key = DrawKey { seed, island, generation: self.generation, index };
                problem.propose(&mut KeyedRng::new(key), archive).map(key_of)
            };
            (0..settings.children as u64).into_par_iter().map(draw).collect()
        };
        let stats = &mut self.stats;
        let mut fresh = Vec::with_capacity(children.len());
        for child in children {
            stats.proposed += 1;
            match child {
                None => stats.pruned += 1,
                Some((genome, key)) if self.seen.insert(key) => fresh.push(genome),
                Some(_) => stats.duplicate += 1,
            }
        }
        let evaluate = |genome: G| {
            let index = rayon::current_thread_index().unwrap_or(0) % workers.len();
            // A poisoned lock means that an evaluation panicked; that panic is on its way to the caller already.
            let mut worker = workers[index].lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            let scored = problem.evaluate(&mut worker, genome, archive)?;
            let class = if archive.admits(scored.size, scored.error) { problem.class(&scored.genome) } else { None };
            let words = |c: u128| [c as u64, (c >> 64) as u64];
            Some((scored, class.map(words)))
        };
        let scored: Vec<Option<(Scored<G>, Option<Class>)>> =
            fresh.into_par_iter().with_max_len(1).map(evaluate).collect();
        stats.evaluated += scored.len() as u64;
        self.idle = if scored.is_empty() { self.idle + 1 } else { 0 };
        for result in scored {
            match result {
                None => stats.failed += 1,
                Some((s, class)) => match self.archive.insert(s.genome, s.size, s.error, class) {
                    Received::Kept => stats.inserted += 1,
                    Received::Replaced => {
                        stats.inserted += 1;
                        stats.merged += 1;
                    }
                    Received::Merged => stats.merged += 1,
                    Received::Refused => {}
                },
            }
        }
        self.generation += 1;
    }
}
