//! Constants of a format, chosen by the error that the program computes with them.
//!
//! The best real constants are the centre of the search, not its answer: each must be a number of the format, and the
//! program rounds every intermediate result as well. Candidates are, first, the roundings whose *values* come nearest
//! (see [`crate::lattice`]), then their neighbours in steps of the format, one and two constants at a time, then the
//! same around random displacements. A candidate counts by its largest computed error on the points, then by the sum of
//! squares; most are refused after the few points that refused their predecessors.

use crate::lattice::Grid;
use crate::points::Results;
use crate::rng::SplitMix;
use crate::{Dd, FitError, Fitter, Nodes, PointSet, Tape};
use mathsmith_ir::{ColumnMut, ColumnRef, Engine, Literal, Program, Type};

/// Settings of [`Fitter::round_constants`].
#[derive(Clone, Copy, Debug)]
pub struct RoundOptions {
    /// Candidates at most.
    pub max_evaluations: usize,
    /// How many roundings nearest in value to try first.
    pub nearest: usize,
    /// From how many of them to search neighbours.
    pub starts: usize,
    /// Random displacements of the best, each with a search of its own.
    pub restarts: usize,
    /// Key of the random displacements.
    pub seed: u64,
}

impl Default for RoundOptions {
    fn default() -> Self {
        RoundOptions { max_evaluations: 6000, nearest: 256, starts: 3, restarts: 12, seed: 0 }
    }
}

/// Result of [`Fitter::round_constants`]. Errors are in the unit of the points.
#[derive(Clone, Debug, PartialEq)]
pub struct Rounded {
    /// All parameters in order, of their own types, fixed ones included.
    pub params: Vec<Literal>,
    /// Largest computed error on the points.
    pub max_error: f64,
    /// The same for every constant rounded to nearest.
    pub nearest_error: f64,
    /// Candidates looked at.
    pub evaluations: usize,
}

/// Largest error, then sum of squared errors.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
struct Score(f64, f64);

const HOPELESS: Score = Score(f64::INFINITY, f64::INFINITY);

impl Fitter {
    /// Chooses constants for the parameters that `tape` (the tape of `program`) leaves free, around the real values
    /// `start`, so that the program as run by `engine` has a small largest error on `points`.
    ///
    /// A fixed parameter keeps the program's value, or the rounding of `start` where the program has none.
    ///
    /// # Errors
    /// [`FitError::Shape`], [`FitError::Format`] if a parameter or the output is neither `f32` nor `f64`, and
    /// [`FitError::Engine`] if the engine refuses to run the program.
    pub fn round_constants(
        &mut self,
        program: &Program,
        tape: &Tape,
        engine: &mut dyn Engine,
        start: &[Dd],
        points: &PointSet,
        options: &RoundOptions,
    ) -> Result<Rounded, FitError> {
        if start.len() != tape.params || program.params().len() != tape.params {
            return Err(FitError::Shape { what: "starting values", given: start.len(), wanted: tape.params });
        }
        let &[output] = program.outputs() else { return Err(FitError::Outputs(program.outputs().len())) };
        let types = program.params().iter().map(|p| p.ty).chain([program.ty(output)]);
        if let Some(ty) = types.into_iter().find(|t| !matches!(t, Type::F32 | Type::F64)) {
            return Err(FitError::Format(ty));
        }
        let mut origin = Vec::with_capacity(start.len());
        for (i, (param, &value)) in program.params().iter().zip(start).enumerate() {
            let nearest = nearest_literal(param.ty, value)?;
            origin.push(if tape.free.contains(&i) { nearest } else { param.value.unwrap_or(nearest) });
        }
        let judge = Judge::new(engine, points, program.ty(output));
        let mut search = Search { judge, free: tape.free.clone(), options: *options };
        let Some(nearest) = search.judge.score(&origin, HOPELESS)? else {
            // Not a number anywhere near: there is nothing to improve.
            return Ok(Rounded {
                params: origin,
                max_error: f64::INFINITY,
                nearest_error: f64::INFINITY,
                evaluations: 1,
            });
        };
        let (mut best, mut best_score) = (origin.clone(), nearest);
        if !tape.free.is_empty() && !points.is_empty() {
            let grid = self.grid(tape, start, &origin, points)?;
            let free = vec![None; tape.free.len()];
            let mut found = vec![(nearest, origin.clone())];
            for steps in grid.nearest(options.nearest, &free) {
                let candidate = search.displaced(&origin, &steps);
                let limit = found.get(options.starts.max(1) - 1).map_or(HOPELESS, |f| f.0);
                if let Some(score) = search.try_score(&candidate, limit)? {
                    found.push((score, candidate));
                    found.sort_by(|a, b| a.0.0.total_cmp(&b.0.0).then(a.0.1.total_cmp(&b.0.1)));
                    found.dedup_by(|a, b| a.1 == b.1);
                    found.truncate(options.starts.max(1));
                }
            }
            for (score, candidate) in found {
                let (score, candidate) = search.descend(candidate, score)?;
                if score < best_score {
                    (best, best_score) = (candidate, score);
                }
            }
            let mut rng = SplitMix::new(options.seed);
            for _ in 0..options.restarts {
                // Hold two random constants a few steps off the best, let the others make up for it.
                let mut held = free.clone();
                for _ in 0..2 {
                    let k = rng.below(held.len());
                    let now = steps_between(origin[tape.free[k]], best[tape.free[k]]);
                    held[k] = Some(now + rng.below(7) as i64 - 3);
                }
                let mut start = (HOPELESS, None);
                for steps in grid.nearest(16, &held) {
                    let candidate = search.displaced(&origin, &steps);
                    if let Some(score) = search.try_score(&candidate, start.0)? {
                        start = (score, Some(candidate));
                    }
                }
                let (score, Some(candidate)) = start else { continue };
                let (score, candidate) = search.descend(candidate, score)?;
                if score < best_score {
                    (best, best_score) = (candidate, score);
                }
            }
        }
        Ok(Rounded {
            params: best,
            max_error: best_score.0,
            nearest_error: nearest.0,
            evaluations: search.judge.evaluations,
        })
    }

    /// The closest-vector problem of the free constants around `origin`, in the metric of a sample of the points.
    fn grid(&mut self, tape: &Tape, start: &[Dd], origin: &[Literal], points: &PointSet) -> Result<Grid, FitError> {
        let every = points.len().div_ceil(256);
        let sample: Vec<usize> = (0..points.len()).step_by(every).collect();
        let nodes = Nodes {
            x: vec![sample.iter().map(|&i| points.input(i)).collect()],
            target: sample.iter().map(|&i| points.y[i]).collect(),
            target_lo: Vec::new(),
            weight: sample.iter().map(|&i| 1.0 / points.unit[i]).collect(),
        };
        self.load(tape, &nodes)?;
        let real: Vec<f64> = start.iter().map(|d| d.to_f64()).collect();
        self.evaluate(tape, &real);
        self.jacobian(tape);
        let p = tape.free.len();
        let step: Vec<f64> = tape.free.iter().map(|&i| spacing(origin[i])).collect();
        let offset = |&i: &usize| (start[i] - Dd::from(origin[i].to_f64().unwrap_or(0.0))).to_f64();
        let centre = tape.free.iter().map(offset).zip(&step).map(|(o, s)| o / s).collect();
        let mut triangle = vec![0.0; p * p];
        if self.factor().is_some() {
            for i in 0..p {
                for j in i..p {
                    triangle[i * p + j] = self.linear.r[i * p + j] * self.linear.norms[j] * step[j];
                }
            }
        }
        Ok(Grid { triangle, centre })
    }
}

/// The search around a candidate.
struct Search<'a> {
    judge: Judge<'a>,
    free: Vec<usize>,
    options: RoundOptions,
}

impl Search<'_> {
    /// `origin` with the free constants moved by whole steps of the format.
    fn displaced(&self, origin: &[Literal], steps: &[i64]) -> Vec<Literal> {
        let mut out = origin.to_vec();
        for (&i, &k) in self.free.iter().zip(steps) {
            out[i] = moved(origin[i], k);
        }
        out
    }

    /// The score if it is better than `limit` and evaluations are left.
    fn try_score(&mut self, candidate: &[Literal], limit: Score) -> Result<Option<Score>, FitError> {
        if self.judge.evaluations >= self.options.max_evaluations {
            return Ok(None);
        }
        self.judge.score(candidate, limit)
    }

    /// First-improvement descent over single and paired steps; ends at a candidate none of whose neighbours is better,
    /// or with the evaluations.
    fn descend(&mut self, mut at: Vec<Literal>, mut score: Score) -> Result<(Score, Vec<Literal>), FitError> {
        let moves = neighbour_moves(self.free.len());
        // Start behind the last success: the moves just refused come last.
        let (mut next, mut refused) = (0, 0);
        while refused < moves.len() && self.judge.evaluations < self.options.max_evaluations {
            let mut candidate = at.clone();
            for &(k, step) in &moves[next] {
                candidate[self.free[k]] = moved(candidate[self.free[k]], step);
            }
            match self.try_score(&candidate, score)? {
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
        Ok((score, at))
    }
}

/// Single constants by one and two steps, pairs by one step each.
fn neighbour_moves(p: usize) -> Vec<Vec<(usize, i64)>> {
    let mut moves = Vec::new();
    for step in [1, -1, 2, -2] {
        moves.extend((0..p).map(|k| vec![(k, step)]));
    }
    for a in 0..p {
        for b in a + 1..p {
            for (x, y) in [(1, -1), (-1, 1), (1, 1), (-1, -1)] {
                moves.push(vec![(a, x), (b, y)]);
            }
        }
    }
    moves
}

/// Runs the program and compares with the reference.
struct Judge<'a> {
    engine: &'a mut dyn Engine,
    points: &'a PointSet,
    results: Results,
    /// Points that refused recent candidates, gathered for one short run.
    probes: Vec<usize>,
    probe_set: PointSet,
    oldest: usize,
    evaluations: usize,
}

/// Points of one run.
const RUN: usize = 1024;
/// Points looked at before all others.
const PROBES: usize = 48;

impl<'a> Judge<'a> {
    fn new(engine: &'a mut dyn Engine, points: &'a PointSet, output: Type) -> Judge<'a> {
        Judge {
            engine,
            points,
            results: Results::new(output, RUN),
            probes: Vec::new(),
            probe_set: points.emptied(),
            oldest: 0,
            evaluations: 0,
        }
    }

    /// The score if it is below `limit`.
    fn score(&mut self, params: &[Literal], limit: Score) -> Result<Option<Score>, FitError> {
        self.evaluations += 1;
        if !self.probes.is_empty() {
            let n = self.probes.len();
            run(self.engine, params, self.probe_set.slice(0, n), self.results.first(n))?;
            if (0..n).any(|i| self.probe_set.error(i, self.results.get(i)) > limit.0) {
                return Ok(None);
            }
        }
        let mut score = Score(0.0, 0.0);
        for from in (0..self.points.len()).step_by(RUN) {
            let n = RUN.min(self.points.len() - from);
            run(self.engine, params, self.points.slice(from, from + n), self.results.first(n))?;
            let mut worst = from;
            for i in 0..n {
                let e = self.points.error(from + i, self.results.get(i));
                score.1 += e * e;
                if e > score.0 {
                    score.0 = e;
                    worst = from + i;
                }
            }
            if score.0 > limit.0 {
                self.remember(worst);
                return Ok(None);
            }
        }
        Ok((score < limit).then_some(score))
    }

    fn remember(&mut self, point: usize) {
        if self.probes.len() < PROBES {
            self.probes.push(point);
            self.probe_set.copy_from(self.points, point, None);
        } else {
            self.probes[self.oldest] = point;
            self.probe_set.copy_from(self.points, point, Some(self.oldest));
            self.oldest = (self.oldest + 1) % PROBES;
        }
    }
}

fn run(
    engine: &mut dyn Engine,
    params: &[Literal],
    inputs: ColumnRef<'_>,
    outputs: ColumnMut<'_>,
) -> Result<(), FitError> {
    Ok(engine.run(params, &[inputs], &mut [outputs])?)
}

/// Error of the program at every point, in units of the points.
pub(crate) fn computed_errors(
    engine: &mut dyn Engine,
    output: Type,
    params: &[Literal],
    points: &PointSet,
) -> Result<Vec<f64>, FitError> {
    let n = points.len();
    let mut results = Results::new(output, n);
    run(engine, params, points.slice(0, n), results.first(n))?;
    Ok((0..n).map(|i| points.error(i, results.get(i))).collect())
}

/// The number of a format nearest to a double-double.
pub(crate) fn nearest_literal(ty: Type, x: Dd) -> Result<Literal, FitError> {
    match ty {
        Type::F32 => Ok(Literal::F32(nearest_f32(x))),
        Type::F64 => Ok(Literal::F64(x.hi)),
        ty => Err(FitError::Format(ty)),
    }
}

/// The `f32` nearest to a double-double, ties to even.
///
/// Rounding the leading double first would round twice: where it lies exactly between two floats, the low term decides.
pub(crate) fn nearest_f32(x: Dd) -> f32 {
    let f = x.hi as f32;
    if x.lo == 0.0 || !f.is_finite() {
        return f;
    }
    let rest = x.hi - f64::from(f);
    let neighbour = if rest > 0.0 { f.next_up() } else { f.next_down() };
    let tie = rest != 0.0 && rest == f64::from(neighbour) - x.hi;
    if tie && (x.lo > 0.0) == (rest > 0.0) { neighbour } else { f }
}

/// Distance to the next number of the format, away from zero.
fn spacing(lit: Literal) -> f64 {
    match lit {
        Literal::F32(x) => f64::from(x.abs().next_up()) - f64::from(x.abs()),
        Literal::F64(x) => x.abs().next_up() - x.abs(),
        _ => 0.0,
    }
}

/// The number `k` steps of the format above, stopping at the largest finite ones; a literal that is neither `f32` nor `f64`
/// as it is.
pub fn moved(lit: Literal, k: i64) -> Literal {
    match lit {
        Literal::F32(x) => {
            let to = order(i64::from(x.to_bits() as i32), i64::from(i32::MIN)).saturating_add(k);
            let most = i64::from(f32::MAX.to_bits());
            let bits = order(to.clamp(-most, most), i64::from(i32::MIN));
            Literal::F32(f32::from_bits(bits as i32 as u32))
        }
        Literal::F64(x) => {
            let to = order(x.to_bits() as i64, i64::MIN).saturating_add(k);
            let most = f64::MAX.to_bits() as i64;
            Literal::F64(f64::from_bits(order(to.clamp(-most, most), i64::MIN) as u64))
        }
        other => other,
    }
}

/// Steps of the format from `a` to `b`, of the same type.
fn steps_between(a: Literal, b: Literal) -> i64 {
    match (a, b) {
        (Literal::F32(a), Literal::F32(b)) => {
            let low = i64::from(i32::MIN);
            order(i64::from(b.to_bits() as i32), low) - order(i64::from(a.to_bits() as i32), low)
        }
        (Literal::F64(a), Literal::F64(b)) => {
            order(b.to_bits() as i64, i64::MIN).saturating_sub(order(a.to_bits() as i64, i64::MIN))
        }
        _ => 0,
    }
}

/// Between a float's bits as a signed integer and its place in the order of floats; its own inverse. `low` is the
/// integer with only the sign bit set.
fn order(bits: i64, low: i64) -> i64 {
    if bits < 0 { low.wrapping_sub(bits) } else { bits }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_walk_the_floats_in_order() {
        for x in [1.0f32, -1.0, 0.5, -0.1, 1e-45, 0.0, -1e-45] {
            let up = moved(Literal::F32(x), 1);
            assert_eq!(up.to_f64(), Some(f64::from(x.next_up())), "{x}");
            assert_eq!(steps_between(Literal::F32(x), up), 1);
            assert_eq!(moved(up, -1).to_f64(), Some(f64::from(x)));
        }
        for x in [1.0f64, -1.0, 5e-324, -5e-324, 0.0] {
            assert_eq!(moved(Literal::F64(x), 1).to_f64(), Some(x.next_up()), "{x}");
            assert_eq!(moved(Literal::F64(x), -1).to_f64(), Some(x.next_down()), "{x}");
        }
        assert_eq!(moved(Literal::F32(f32::MAX), 5), Literal::F32(f32::MAX));
        assert_eq!(moved(Literal::F64(-f64::MAX), -5), Literal::F64(-f64::MAX));
        assert_eq!(steps_between(Literal::F32(-1e-45), Literal::F32(1e-45)), 2);
    }

    #[test]
    fn a_float_is_rounded_once() {
        let tie = 1.0 + 2f64.powi(-24);
        assert_eq!(nearest_f32(Dd::new(tie, 0.0)), 1.0);
        assert_eq!(nearest_f32(Dd::new(tie, 1e-20)), 1.0f32.next_up());
        assert_eq!(nearest_f32(Dd::new(tie, -1e-20)), 1.0);
        assert_eq!(nearest_f32(Dd::new(-tie, -1e-20)), -(1.0f32.next_up()));
        let odd = f64::from(1.0f32.next_up()) + 2f64.powi(-24);
        assert_eq!(nearest_f32(Dd::new(odd, -1e-20)), 1.0f32.next_up());
    }
}
