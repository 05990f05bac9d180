//! The engine on a problem of its own: the bytes of a search do not depend on threads or interruptions, and damaged
//! checkpoints are refused.

use mathsmith_search::{
    Archive, Budget, CheckpointError, Control, Engine, EngineSettings, KeyedRng, Problem, SavePolicy, Scored,
    StopReason, checkpoint,
};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Sums of distinct squares of small integers near a number: the size is the number of terms.
struct Squares {
    goal: f64,
    limit: u32,
}

impl Problem for Squares {
    type Genome = Vec<u32>;
    type Worker = Vec<f64>;

    fn worker(&self) -> Vec<f64> {
        Vec::new()
    }
    fn seeds(&self) -> Vec<Vec<u32>> {
        vec![vec![1], vec![2]]
    }
    fn propose(&self, rng: &mut KeyedRng, archive: &Archive<Vec<u32>>) -> Option<Vec<u32>> {
        let sizes: Vec<u32> = archive.sizes().collect();
        let size = *rng.pick(&sizes)?;
        let mut child = rng.pick(archive.of_size(size))?.genome.clone();
        let term = rng.below(self.limit as usize) as u32;
        match rng.below(3) {
            0 => child.push(term),
            1 => child[rng.below(size as usize)] = term,
            _ => {
                child.remove(rng.below(size as usize));
            }
        }
        child.sort_unstable();
        child.dedup();
        (!child.is_empty() && child.len() <= 6).then_some(child)
    }
    fn key(&self, genome: &Vec<u32>) -> u128 {
        genome.iter().fold(1, |key, &term| key * 1009 + u128::from(term))
    }
    /// Genomes that differ only in the last bit of terms count as equal.
    fn class(&self, genome: &Vec<u32>) -> Option<u128> {
        Some(genome.iter().fold(1, |key, &term| key * 1009 + u128::from(term & !1)))
    }
    fn evaluate(&self, worker: &mut Vec<f64>, genome: Vec<u32>, _: &Archive<Vec<u32>>) -> Option<Scored<Vec<u32>>> {
        worker.clear();
        worker.extend(genome.iter().map(|&t| f64::from(t).sqrt()));
        // A little work, so that several threads really take part.
        let sum = (0..200).fold(worker.iter().sum::<f64>(), |s, _| s.mul_add(1.0, 0.0));
        let size = genome.len() as u32;
        (genome[0] != 13).then(|| Scored { genome, size, error: (sum - self.goal).abs() })
    }
}

const GOAL: Squares = Squares { goal: 98.765_432_1, limit: 1000 };

fn settings(islands: u32) -> EngineSettings {
    EngineSettings { seed: 5, islands, children: 64, slots: 10, cache: 3000, migrate_every: 4, ..Default::default() }
}

fn bytes_of(engine: &Engine<'_, Squares>) -> Vec<u8> {
    checkpoint::to_bytes(engine.state(), engine.settings(), "squares").expect("plain data")
}

fn run(threads: usize, islands: u32, evaluations: u64) -> Vec<u8> {
    let mut engine = Engine::new(&GOAL, settings(islands), "squares", threads).expect("threads");
    let budget = Budget { evaluations: Some(evaluations), time: None };
    let finish = engine.run(&budget, &mut Control::default()).expect("nothing is saved");
    assert_eq!(finish.reason, StopReason::Evaluations);
    let stats = engine.state().stats();
    assert_eq!(stats.proposed, stats.pruned + stats.duplicate + stats.evaluated);
    assert!(stats.merged > 0, "{stats:?}");
    assert!(stats.failed > 0 && stats.duplicate > 0 && stats.pruned > 0 && stats.inserted > 0, "{stats:?}");
    let front = engine.state().front();
    assert!(front.len() >= 3 && front.last().is_some_and(|e| e.error < 0.05), "{front:?}");
    bytes_of(&engine)
}

#[test]
fn the_same_bytes_for_any_number_of_threads() {
    for islands in [1, 3] {
        let one = run(1, islands, 12_000);
        assert!(one == run(2, islands, 12_000), "two threads, {islands} islands");
        assert!(one == run(8, islands, 12_000), "eight threads, {islands} islands");
    }
}

#[test]
fn a_time_limit_is_reproduced_by_the_evaluations_it_allowed() {
    let mut timed = Engine::new(&GOAL, settings(1), "squares", 2).expect("threads");
    let budget = Budget { evaluations: None, time: Some(Duration::from_millis(60)) };
    let finish = timed.run(&budget, &mut Control::default()).expect("nothing is saved");
    assert_eq!(finish.reason, StopReason::Time);
    let mut counted = Engine::new(&GOAL, settings(1), "squares", 1).expect("threads");
    let budget = Budget { evaluations: Some(finish.evaluations), time: None };
    counted.run(&budget, &mut Control::default()).expect("nothing is saved");
    assert!(bytes_of(&timed) == bytes_of(&counted));
}

/// Interrupts a run at the first progress report with at least `at` evaluations, saving to `path`.
fn interrupted(path: &Path, at: u64, islands: u32) {
    let mut engine = Engine::new(&GOAL, settings(islands), "squares", 2).expect("threads");
    let stop = AtomicBool::new(false);
    let mut watch = |p: &mathsmith_search::Progress| {
        if p.stats.evaluated >= at {
            stop.store(true, Ordering::Relaxed);
        }
    };
    let mut control = Control {
        stop: Some(&stop),
        save: Some(SavePolicy { path: path.to_path_buf(), every: Duration::ZERO }),
        progress: Some(&mut watch),
        progress_every: Duration::ZERO,
    };
    let finish = engine.run(&Budget::default(), &mut control).expect("the folder is writable");
    assert_eq!(finish.reason, StopReason::Interrupted);
    assert!(finish.evaluations < at + 300, "the run went on after the flag: {}", finish.evaluations);
}

#[test]
fn a_resumed_run_ends_with_the_same_bytes() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("state");
    for islands in [1, 2] {
        let whole = run(1, islands, 9_000);
        for at in [0, 1, 500, 3_100, 8_900] {
            interrupted(&path, at, islands);
            let mut engine = Engine::new(&GOAL, settings(islands), "squares", 1).expect("threads");
            engine.resume(&path).expect("its own checkpoint");
            let budget = Budget { evaluations: Some(9_000), time: None };
            engine.run(&budget, &mut Control::default()).expect("nothing is saved");
            assert!(bytes_of(&engine) == whole, "cut at {at}, {islands} islands");
        }
        let files = std::fs::read_dir(folder.path()).expect("the folder").count();
        assert_eq!(files, 1, "a temporary file was left");
    }
}

#[test]
fn damaged_and_foreign_checkpoints_are_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("state");
    interrupted(&path, 2000, 1);
    let good = std::fs::read(&path).expect("it was just written");
    let mut engine = Engine::new(&GOAL, settings(1), "squares", 1).expect("threads");
    let mut attempt = |bytes: &[u8]| {
        std::fs::write(&path, bytes).expect("the folder is writable");
        let error = engine.resume(&path).expect_err("it must be refused");
        let text = error.to_string();
        assert!(text.contains(&*path.to_string_lossy()), "no place in: {text}");
        assert_eq!(engine.state().stats().evaluated, 0, "the engine changed");
        error
    };
    for cut in [0, 5, 25, 60, good.len() / 2, good.len() - 1] {
        assert!(matches!(attempt(&good[..cut]), CheckpointError::Truncated { .. }), "cut at {cut}");
    }
    let start = good.iter().position(|&b| b == b'\n').expect("a first line") + 1;
    for at in [start, start + 20, good.len() / 2, good.len() - 1] {
        let mut bad = good.clone();
        bad[at] ^= 4;
        assert!(matches!(attempt(&bad), CheckpointError::Damaged { .. }), "flipped at {at}");
    }
    assert!(matches!(attempt(b"{\"schema\":1}\n"), CheckpointError::NotACheckpoint { .. }));
    let newer = [b"mathsmith-checkpoint 99 ".as_slice(), &good[24..]].concat();
    assert!(matches!(attempt(&newer), CheckpointError::Version { .. }));

    std::fs::write(&path, &good).expect("the folder is writable");
    let mut other = Engine::new(&GOAL, settings(1), "cubes", 1).expect("threads");
    assert!(matches!(other.resume(&path), Err(CheckpointError::OtherRun { .. })));
    let reseeded = EngineSettings { seed: 6, ..settings(1) };
    let mut other = Engine::new(&GOAL, reseeded, "squares", 1).expect("threads");
    assert!(matches!(other.resume(&path), Err(CheckpointError::OtherRun { .. })));
    assert!(matches!(other.resume(&folder.path().join("none")), Err(CheckpointError::Io { .. })));
    let nowhere = folder.path().join("missing").join("state");
    assert!(matches!(other.save(&nowhere), Err(CheckpointError::Io { .. })));
    engine.resume(&path).expect("the undamaged file");
}

#[test]
fn an_exhausted_space_ends_the_run() {
    let tiny = Squares { goal: 3.0, limit: 2 };
    let mut engine = Engine::new(&tiny, settings(1), "tiny", 2).expect("threads");
    let finish = engine.run(&Budget::default(), &mut Control::default()).expect("nothing is saved");
    assert_eq!(finish.reason, StopReason::Exhausted);
}
