//! Structure search as a problem of the search engine, and its entry points.

use super::genome::Genome;
use super::objective::{Objective, RealObjective, RealTarget, Standing};
use super::space::{SearchSpace, SpaceError};
use super::{mutate, normal};
use mathsmith_ir::{Program, Type};
use mathsmith_search::engine::ThreadError;
use mathsmith_search::{
    Archive, Budget, CheckpointError, Control, Engine, EngineSettings, Finish, KeyedRng, Problem, Scored, Stats,
};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Equality beyond the normal form: the class of a genome, such as the hash of its canonical form in an e-graph.
pub type ClassOf<'a> = &'a (dyn Fn(&Genome) -> Option<u128> + Sync);

/// Settings of a structure search beyond its space.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SearchSettings {
    /// Seed, archive, generations.
    pub engine: EngineSettings,
    /// Genomes that the search starts from, beside a constant and the first input.
    pub seeds: Vec<Genome>,
    /// Exponent of the rank: 1 takes parents of a size uniformly, greater prefers the better ones.
    pub pressure: u32,
    /// Fits that a structure gets, each from the constants of another parent: the first may start in a bad valley.
    pub starts: u32,
}

impl Default for SearchSettings {
    fn default() -> Self {
        SearchSettings { engine: EngineSettings::default(), seeds: Vec::new(), pressure: 2, starts: 3 }
    }
}

/// How a search is run, watched and taken up again. Nothing here changes what a number of evaluations leads to, except
/// `class_of`, which decides what is a duplicate and so belongs in the fingerprint.
#[derive(Default)]
pub struct Hooks<'a> {
    /// Threads, at least 1.
    pub threads: usize,
    /// Stop flag, checkpoints, progress.
    pub control: Control<'a>,
    /// A checkpoint to continue from.
    pub resume: Option<PathBuf>,
    /// What identifies the question beyond space and settings: reference, domain, metric, version of the rules.
    pub fingerprint: String,
    /// Equality beyond the normal form.
    pub class_of: Option<ClassOf<'a>>,
}

/// One program of the front.
#[derive(Clone, Debug, PartialEq)]
pub struct FrontEntry {
    /// Size under which it is kept: operations, unless the objective counts otherwise.
    pub ops: u32,
    /// The program; its parameters carry their fitted values.
    pub program: Program,
    /// The genome behind it.
    pub genome: Genome,
    /// Error that the objective gave it.
    pub error: f64,
}

/// What a search found.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// For ascending size the best program, where it is better than everything smaller.
    pub front: Vec<FrontEntry>,
    /// All that the archives hold, by size and error: more material for a caller who judges differently.
    pub archive: Vec<FrontEntry>,
    /// Counts.
    pub stats: Stats,
    /// Why and after how many evaluations it ended.
    pub finish: Finish,
}

/// Why a search did not run.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The space makes no sense.
    #[error(transparent)]
    Space(#[from] SpaceError),
    /// A seed lies outside the space.
    #[error("starting program {0} has operations, a size or inputs that the search space does not allow")]
    Seed(usize),
    /// Threads could not be started.
    #[error(transparent)]
    Threads(#[from] ThreadError),
    /// A checkpoint could not be read or written.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

struct StructureProblem<'a, O> {
    objective: &'a O,
    space: &'a SearchSpace,
    seeds: Vec<Genome>,
    pressure: u32,
    starts: u32,
    class_of: Option<ClassOf<'a>>,
}

impl<O> StructureProblem<'_, O> {
    /// A parent: all sizes equally often, within a size the better ones more often.
    fn parent<'g>(&self, rng: &mut KeyedRng, archive: &'g Archive<Genome>) -> Option<&'g Genome> {
        let sizes: Vec<u32> = archive.sizes().collect();
        let entries = archive.of_size(*rng.pick(&sizes)?);
        let rank = (0..self.pressure.max(1)).map(|_| rng.unit()).fold(1.0, |product, u| product * u);
        entries.get((rank * entries.len() as f64) as usize).map(|e| &e.genome)
    }
}

impl<O: Objective> Problem for StructureProblem<'_, O> {
    type Genome = Genome;
    type Worker = O::Worker;

    fn worker(&self) -> O::Worker {
        self.objective.worker()
    }

    fn seeds(&self) -> Vec<Genome> {
        self.seeds.clone()
    }

    fn propose(&self, rng: &mut KeyedRng, archive: &Archive<Genome>) -> Option<Genome> {
        let parent = self.parent(rng, archive)?;
        let mut child = mutate::child(parent, &|rng| self.parent(rng, archive), self.space, rng)?;
        if child.salt == 0 {
            child.salt = rng.below(self.starts.max(1) as usize) as u32;
        }
        Some(child)
    }

    fn key(&self, genome: &Genome) -> u128 {
        normal::key(genome)
    }

    fn class(&self, genome: &Genome) -> Option<u128> {
        self.class_of.and_then(|f| f(genome))
    }

    fn evaluate(
        &self,
        worker: &mut O::Worker,
        mut genome: Genome,
        archive: &Archive<Genome>,
    ) -> Option<Scored<Genome>> {
        let size = self.objective.size(&genome);
        let best = archive.best(size).map_or(f64::INFINITY, |e| e.error);
        let fitted = self.objective.evaluate(worker, &genome, Standing { bar: archive.bar(size), best })?;
        genome.set_constants(&fitted.constants);
        Some(Scored { genome, size: fitted.size, error: fitted.error })
    }
}

/// Searches for structures under an objective.
///
/// # Errors
/// [`SearchError`]: an inconsistent space, a seed outside it, or a checkpoint that cannot be read or written.
pub fn search<O: Objective>(
    objective: &O,
    ty: Type,
    space: &SearchSpace,
    settings: &SearchSettings,
    budget: &Budget,
    mut hooks: Hooks<'_>,
) -> Result<Outcome, SearchError> {
    space.check()?;
    let constant = Genome::constant(space.inputs, 1.0);
    let input = Genome { root: super::Arg::Input(0), ..constant.clone() };
    let mut seeds = vec![constant, input];
    for (i, seed) in settings.seeds.iter().enumerate() {
        let seed = normal::normalise(seed, space.allowed()).filter(|g| space.contains(g));
        seeds.push(seed.ok_or(SearchError::Seed(i))?);
    }
    let problem = StructureProblem {
        objective,
        space,
        seeds,
        pressure: settings.pressure,
        starts: settings.starts,
        class_of: hooks.class_of,
    };
    // Plain data without maps: serialising it cannot fail, and its text identifies it.
    let described = serde_json::to_string(&(space, settings)).unwrap_or_default();
    let fingerprint = format!("{}\n{described}", hooks.fingerprint);
    let mut engine = Engine::new(&problem, settings.engine.clone(), fingerprint, hooks.threads)?;
    if let Some(path) = &hooks.resume {
        engine.resume(path)?;
    }
    let finish = engine.run(budget, &mut hooks.control)?;
    let entry = |e: &mathsmith_search::Entry<Genome>| FrontEntry {
        ops: e.size,
        program: e.genome.to_program("candidate", ty),
        genome: e.genome.clone(),
        error: e.error,
    };
    let state = engine.state();
    Ok(Outcome {
        front: state.front().into_iter().map(entry).collect(),
        archive: state.islands.iter().flat_map(|i| i.archive.iter()).map(entry).collect(),
        stats: state.stats(),
        finish,
    })
}

/// Searches for few operations and a small largest error in real arithmetic.
///
/// # Errors
/// As [`search`].
pub fn search_real(
    target: &RealTarget,
    space: &SearchSpace,
    settings: &SearchSettings,
    budget: &Budget,
    hooks: Hooks<'_>,
) -> Result<Outcome, SearchError> {
    search(&RealObjective::new(target.clone()), Type::Real, space, settings, budget, hooks)
}
