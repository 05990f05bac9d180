//! Constants of a whole program, chosen by the error that the program computes.
//!
//! The program is opaque here: integers, selects and doubles inside, no tape. What a constant does to the results is
//! measured by difference quotients, over steps long enough for the rounding of the results not to matter. From the
//! derivatives follow
//!
//! * the best real displacement of all constants together, by linear programming on the computed errors, and the grid points
//!   next to it (the closest-vector problem of Brisebarre and Chevillard, "Efficient polynomial L-infinity approximations",
//!   ARITH 2007, solved by `mathsmith_fit::Grid`);
//! * moves: single constants by few steps, and the shortest vectors of that grid, which are constants moved against each
//!   other so that the results hardly change. Where rounding decides, those are the moves that help.
//!
//! A descent over the moves takes each that improves the score; from its end the search starts again at a random
//! displacement, compensated by the grid. Everything is counted in evaluations and keyed by the seed.

use super::Judged;
use super::refine_sensitivity::{Sensitivity, shifted};
use super::screen::{Score, Scratch, Screen};
use mathsmith_ir::{Engine, EngineError, Literal, Program, Type};
use mathsmith_search::rng::{DrawKey, KeyedRng};

/// Settings of [`refine`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefineOptions {
    /// Candidates at most, refused ones included.
    pub evaluations: u64,
    /// Key of the random displacements.
    pub seed: u64,
}

impl Default for RefineOptions {
    fn default() -> Self {
        RefineOptions { evaluations: 12_000, seed: 0 }
    }
}

/// Result of [`refine`].
#[derive(Clone, Debug, PartialEq)]
pub struct Refined {
    /// All parameters in order.
    pub params: Vec<Literal>,
    /// What the screen says about them.
    pub judged: Judged,
    /// Candidates looked at.
    pub evaluations: u64,
}

impl Refined {
    /// Puts the constants into the program that they were found for.
    ///
    /// # Panics
    /// If the program has other parameters.
    pub fn apply(&self, program: &mut Program) {
        for (i, &literal) in self.params.iter().enumerate() {
            program.set_param(i, literal);
        }
    }
}

/// Linearised rounds: after the first the errors are those of rounded constants.
const LINEAR_ROUNDS: usize = 3;
/// Grid points tried in each.
const NEAREST: usize = 48;
/// Short vectors of the grid among the moves, for each constant and displacement.
const SHORT: usize = 6;
/// What lies this many times above a goal after the linear rounds will not reach it.
const HOPELESS: f64 = 2.0;
/// As far above a goal the best real constants may lie: what is left is rounding, of which some luck may be hoped for.
const OUT_OF_REACH: f64 = 1.1;
/// A restart that begins this much above the best is given up.
const HOPE: f64 = 1.3;

/// Improves the values of a program's parameters on a screen; never returns worse than it was given.
///
/// # Errors
/// [`EngineError`] if a parameter has no value or no engine runs the program.
pub fn refine(screen: &Screen, program: &Program, options: &RefineOptions) -> Result<Refined, EngineError> {
    let missing = || EngineError::Signature("a parameter has no value to start from".into());
    let start = program.params().iter().map(|p| p.value.ok_or_else(missing)).collect::<Result<Vec<_>, _>>()?;
    let mut engine = mathsmith_jit::engine_for(program)?.0;
    refine_at(screen, &mut *engine, &start, options)
}

/// As [`refine`], for an engine that is there already and the values to start from.
///
/// # Errors
/// What the engine says.
pub fn refine_at(
    screen: &Screen,
    engine: &mut dyn Engine,
    start: &[Literal],
    options: &RefineOptions,
) -> Result<Refined, EngineError> {
    refine_until(screen, engine, start, options, None)
}

/// As [`refine_at`], but content with an error of `goal`, and soon done where that is out of reach.
///
/// # Errors
/// What the engine says.
pub(crate) fn refine_until(
    screen: &Screen,
    engine: &mut dyn Engine,
    start: &[Literal],
    options: &RefineOptions,
    goal: Option<f64>,
) -> Result<Refined, EngineError> {
    let errors = screen.errors(engine, start)?;
    let hot = screen.hottest_first(&errors);
    let first = screen.judge(engine, start, &mut Scratch::default())?;
    let mut scratch = Scratch::new(first.error);
    let score = hot.trial(engine, start, Score::WORST, &mut scratch)?.unwrap_or(Score::WORST);
    let tunable = start.iter().any(|l| matches!(l.ty(), Type::F32 | Type::F64));
    if !tunable || options.evaluations <= scratch.evaluations {
        return Ok(Refined { params: start.to_vec(), judged: first, evaluations: scratch.evaluations });
    }
    let sensitivity = Sensitivity::measure(&hot, engine, start)?;
    let mut search = Search {
        screen: &hot,
        engine,
        scratch,
        sensitivity,
        best: start.to_vec(),
        score,
        budget: options.evaluations,
        goal: goal.unwrap_or(0.0),
        rng: KeyedRng::new(DrawKey { seed: options.seed, island: 0, generation: 0, index: 0 }),
    };
    if !search.sensitivity.free.is_empty() {
        let within_reach = search.linear()?;
        if within_reach && goal.is_none_or(|g| search.score.error <= g * HOPELESS) {
            search.wander()?;
        }
    }
    let Search { best, scratch, .. } = search;
    let evaluations = scratch.evaluations;
    let judged = screen.judge(engine, &best, &mut Scratch::default())?;
    Ok(Refined { params: best, judged, evaluations })
}

/// A displacement: steps of some parameters, in steps of their formats.
type Move = Vec<(usize, i64)>;

struct Search<'a> {
    screen: &'a Screen,
    engine: &'a mut dyn Engine,
    scratch: Scratch,
    sensitivity: Sensitivity,
    best: Vec<Literal>,
    score: Score,
    budget: u64,
    goal: f64,
    rng: KeyedRng,
}

fn displaced(at: &[Literal], by: &[(usize, i64)]) -> Vec<Literal> {
    let mut out = at.to_vec();
    for &(i, k) in by {
        out[i] = shifted(out[i], k);
    }
    out
}

impl Search<'_> {
    fn left(&self) -> bool {
        self.scratch.evaluations < self.budget && (self.score.error > self.goal || self.score.broken > 0)
    }

    fn trial(&mut self, candidate: &[Literal], limit: Score) -> Result<Option<Score>, EngineError> {
        self.screen.trial(self.engine, candidate, limit, &mut self.scratch)
    }

    /// Steps of the format from whole strides of the sensitivity's grid.
    fn steps(&self, strides: &[i64]) -> Move {
        let Sensitivity { free, stride, .. } = &self.sensitivity;
        free.iter()
            .zip(stride)
            .zip(strides)
            .map(|((&i, &s), &k)| (i, s.saturating_mul(k)))
            .filter(|(_, k)| *k != 0)
            .collect()
    }

    /// Linearised minimax displacements and the grid points next to them. False if no constants come near the goal.
    fn linear(&mut self) -> Result<bool, EngineError> {
        for _ in 0..LINEAR_ROUNDS {
            let found = self.sensitivity.minimax(self.screen, self.engine, &self.best)?;
            let Some((centre, level)) = found else { return Ok(true) };
            if self.goal > 0.0 && level > self.goal * OUT_OF_REACH {
                return Ok(false);
            }
            let from = self.best.clone();
            let before = self.score;
            for strides in self.sensitivity.grid(centre).nearest(NEAREST, &vec![None; self.sensitivity.free.len()]) {
                if !self.left() {
                    return Ok(true);
                }
                let candidate = displaced(&from, &self.steps(&strides));
                if let Some(score) = self.trial(&candidate, self.score)? {
                    (self.best, self.score) = (candidate, score);
                }
            }
            if self.score >= before {
                return Ok(true);
            }
        }
        Ok(true)
    }

    /// All moves, those that change the results least first.
    fn moves(&self) -> Vec<Move> {
        let p = self.sensitivity.free.len();
        let grid = self.sensitivity.grid(vec![0.0; p]);
        let mut moves: Vec<Move> = Vec::new();
        for k in 0..p {
            for step in [1, -1, 2, -2, 4, -4] {
                let mut one = vec![0; p];
                one[k] = step;
                moves.push(self.steps(&one));
                // Finer than the stride: too little to matter for the approximation, enough to turn a rounding.
                if self.sensitivity.stride[k] > 1 {
                    moves.push(vec![(self.sensitivity.free[k], step)]);
                }
            }
        }
        for k in 0..p {
            for step in [1, -1, 2, -2] {
                let mut held = vec![None; p];
                held[k] = Some(step);
                moves.extend(grid.nearest(SHORT, &held).iter().map(|strides| self.steps(strides)));
            }
        }
        moves.sort_by_key(Vec::len);
        let mut unique: Vec<Move> = Vec::new();
        for one in moves {
            if !one.is_empty() && !unique.contains(&one) {
                unique.push(one);
            }
        }
        unique
    }

    /// Descents from the best and from displacements of it, until the budget is used.
    fn wander(&mut self) -> Result<(), EngineError> {
        let moves = self.moves();
        let (at, score) = self.descend(&moves, self.best.clone(), self.score)?;
        (self.best, self.score) = (at, score);
        let p = self.sensitivity.free.len();
        let grid = self.sensitivity.grid(vec![0.0; p]);
        // Where nothing is left to try, restarts end without an evaluation; so many in a row are the end.
        let mut idle = 0;
        while self.left() && idle < 64 {
            let used = self.scratch.evaluations;
            let mut held = vec![None; p];
            for _ in 0..1 + self.rng.below(2) {
                let k = self.rng.below(p);
                let reach = [3, 3, 8, 24][self.rng.below(4)];
                held[k] = Some(self.rng.below(2 * reach + 1) as i64 - reach as i64);
            }
            let limit = Score { error: self.score.error * HOPE, power: f64::INFINITY, ..self.score };
            let mut start = None;
            let mut bar = limit;
            for strides in grid.nearest(8, &held) {
                let candidate = displaced(&self.best, &self.steps(&strides));
                if candidate != self.best
                    && let Some(score) = self.trial(&candidate, bar)?
                {
                    bar = score;
                    start = Some((candidate, score));
                }
            }
            if let Some((candidate, score)) = start {
                let (at, score) = self.descend(&moves, candidate, score)?;
                if score < self.score {
                    (self.best, self.score) = (at, score);
                }
            }
            idle = if self.scratch.evaluations == used { idle + 1 } else { 0 };
        }
        Ok(())
    }

    /// First-improvement descent; ends where no move helps, or with the budget.
    fn descend(
        &mut self,
        moves: &[Move],
        mut at: Vec<Literal>,
        mut score: Score,
    ) -> Result<(Vec<Literal>, Score), EngineError> {
        // Start behind the last success: the moves just refused come last.
        let (mut next, mut refused) = (0, 0);
        while refused < moves.len() && self.left() {
            let candidate = displaced(&at, &moves[next]);
            match self.trial(&candidate, score)? {
                Some(better) => {
                    (at, score) = (candidate, better);
                    refused = 0;
                }
                None => {
                    refused += 1;
                    next = (next + 1) % moves.len();
                }
            }
        }
        Ok((at, score))
    }
}

#[cfg(test)]
#[path = "refine_tests.rs"]
pub(crate) mod tests;
