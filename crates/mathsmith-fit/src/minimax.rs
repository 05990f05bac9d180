//! Minimax refinement: constants with the smallest largest error.
//!
//! Each step solves the linearised problem exactly, as a linear program in a box whose size follows the agreement of
//! promise and result (Osborne and Watson, "An algorithm for minimax approximation in the nonlinear case", 1969; Madsen,
//! 1975). For a polynomial that is the Remez exchange; near the solution of a form with p independent constants and
//! p + 1 extrema it is Newton's method on the levelled equations; where a form equioscillates at fewer points it still
//! descends. Residuals and parameters are double-doubles, and so is the Jacobian where its columns are nearly dependent,
//! so the result is not limited by the digits of a double.
//!
//! The interval is represented by a dense grid. Extrema are then refined between its points against the reference, and
//! those that stand out are added to the grid.

use crate::kernel::{self, Block, LANES};
use crate::lp::ChebyshevProblem;
use crate::nodes::check_domain;
use crate::{Dd, FitError, Fitter, LmOptions, LmResult, Metric, Nodes, StopReason, Tape};

/// Settings of [`Fitter::minimax`].
#[derive(Clone, Copy, Debug)]
pub struct MinimaxOptions {
    /// Trial steps at most.
    pub max_iterations: usize,
    /// Points of the dense grid at least; it has 48 for each parameter in any case.
    pub grid: usize,
    /// Stop when the linearised problem promises less than this relative gain.
    pub gain: f64,
    /// Begin with a least-squares fit.
    pub least_squares: Option<LmOptions>,
}

impl Default for MinimaxOptions {
    fn default() -> Self {
        MinimaxOptions { max_iterations: 60, grid: 384, gain: 1e-4, least_squares: Some(LmOptions::default()) }
    }
}

/// Result of [`Fitter::minimax_on_nodes`].
#[derive(Clone, Debug)]
pub struct NodeMinimax {
    /// All parameters in order, fixed ones included.
    pub params: Vec<Dd>,
    /// Largest weighted error at a node.
    pub max_error: f64,
    /// Largest error that the last linearised problem promised: for a form that is linear in its parameters a lower
    /// bound of what any parameters can reach.
    pub level: f64,
    /// Number of parameters that move the values independently.
    pub rank: usize,
    /// Trial steps.
    pub iterations: usize,
    /// Why it ended: [`StopReason::Gradient`] when no first-order gain is left.
    pub stop: StopReason,
}

/// Result of [`Fitter::minimax`]. Errors are weighted by the metric.
#[derive(Clone, Debug)]
pub struct MinimaxResult {
    /// All parameters in order, fixed ones included.
    pub params: Vec<Dd>,
    /// Largest error found on the domain.
    pub max_error: f64,
    /// Points of alternation `(x, error)` in order of x: the signs alternate.
    pub extrema: Vec<(f64, f64)>,
    /// Smallest over largest error in size among `extrema`: 1 when level.
    pub levelled: f64,
    /// One more extremum than independent parameters, level to within 1%: for polynomials and ratios the proof, by de
    /// la Vallée-Poussin's theorem, that no constants are better by more than that.
    pub equioscillates: bool,
    /// Trial steps.
    pub iterations: usize,
    /// Why the iteration ended.
    pub stop: StopReason,
    /// The least-squares fit it began with.
    pub least_squares: Option<LmResult>,
}

/// In a triangle of unit columns, below this a double's diagonal entry has lost most of its digits.
const NEARLY_DEPENDENT: f64 = 1e-11;
/// In a double-double's triangle, below this a column is the combination of earlier ones.
const DEPENDENT: f64 = 1e-26;

/// An orthogonal basis of the ways in which the parameters move the values at the nodes, to first order.
///
/// Steps are sought in this basis and not in the parameters: its columns are independent however nearly dependent the
/// parameters are (those of a ratio of degrees 4 and 4 to one part in 1e13), and a box around a step bounds the change
/// of the values.
struct Tangent {
    /// Row-major, a row for each node; entries of order one.
    rows: Vec<f64>,
    /// Which free parameters move the values independently.
    kept: Vec<usize>,
    norms: Vec<Dd>,
    triangle: Vec<Dd>,
    scale: f64,
}

impl Tangent {
    /// From the lengths of the derivative columns, their triangle and the orthonormal columns `entry(column, block,
    /// lane)`.
    fn new(count: usize, norms: Vec<Dd>, triangle: Vec<Dd>, entry: impl Fn(usize, usize, usize) -> f64) -> Tangent {
        let p = norms.len();
        let kept: Vec<usize> = (0..p).filter(|&j| norms[j].hi > 0.0 && triangle[j * p + j].hi > DEPENDENT).collect();
        let scale = (count as f64).sqrt();
        let mut rows = Vec::with_capacity(count * kept.len());
        for i in 0..count {
            rows.extend(kept.iter().map(|&j| scale * entry(j, i / LANES, i % LANES)));
        }
        Tangent { rows, kept, norms, triangle, scale }
    }

    /// The change of the kept parameters that makes the given step.
    fn params(&self, step: &[f64]) -> Vec<Dd> {
        let (n, p) = (self.kept.len(), self.norms.len());
        let mut d: Vec<Dd> = step.iter().map(|&s| Dd::from(s * self.scale)).collect();
        for k in (0..n).rev() {
            let row = &self.triangle[self.kept[k] * p..][..p];
            for l in k + 1..n {
                d[k] = d[k] - row[self.kept[l]] * d[l];
            }
            d[k] = d[k] / row[self.kept[k]];
        }
        for (d, &j) in d.iter_mut().zip(&self.kept) {
            *d = *d / self.norms[j];
        }
        d
    }
}

impl MinimaxResult {
    /// The parameters rounded to doubles.
    pub fn params_f64(&self) -> Vec<f64> {
        self.params.iter().map(|p| p.to_f64()).collect()
    }
}

impl Fitter {
    /// Minimises the largest weighted error on the nodes, starting from `start` (all parameters in order).
    ///
    /// # Errors
    /// [`FitError::Shape`] if columns or `start` do not fit the tape.
    pub fn minimax_on_nodes(
        &mut self,
        tape: &Tape,
        nodes: &Nodes,
        start: &[Dd],
        options: &MinimaxOptions,
    ) -> Result<NodeMinimax, FitError> {
        if start.len() != tape.params {
            return Err(FitError::Shape { what: "starting values", given: start.len(), wanted: tape.params });
        }
        self.load(tape, nodes)?;
        let mut params = start.to_vec();
        let mut errors = Vec::new();
        self.evaluate_dd(tape, &params, &mut errors);
        let mut worst = largest(&errors);
        let mut out = NodeMinimax {
            params: Vec::new(),
            max_error: worst,
            level: worst,
            rank: 0,
            iterations: 0,
            stop: StopReason::Nothing,
        };
        out.stop = if !worst.is_finite() {
            StopReason::NotFinite
        } else if tape.free.is_empty() || self.count == 0 {
            StopReason::Nothing
        } else if worst == 0.0 {
            StopReason::Gradient
        } else {
            self.descend(tape, &mut params, &mut errors, &mut worst, &mut out, options)
        };
        out.params = params;
        out.max_error = worst;
        Ok(out)
    }

    /// The trust region iteration of [`Fitter::minimax_on_nodes`].
    fn descend(
        &mut self,
        tape: &Tape,
        params: &mut Vec<Dd>,
        errors: &mut Vec<f64>,
        worst: &mut f64,
        out: &mut NodeMinimax,
        options: &MinimaxOptions,
    ) -> StopReason {
        let mut radius = 1e8;
        let mut trial_errors = Vec::new();
        let mut lp = std::mem::take(&mut self.lp);
        let stop = 'outer: loop {
            let Some(tangent) = self.tangent(tape, params) else { break StopReason::NotFinite };
            let width = tangent.kept.len();
            out.rank = width;
            if width == 0 {
                break StopReason::Nothing;
            }
            let scaled: Vec<f64> = errors.iter().map(|e| e / *worst).collect();
            let mut step = vec![0.0; width];
            loop {
                if out.iterations == options.max_iterations {
                    break 'outer StopReason::Iterations;
                }
                let problem = ChebyshevProblem { rows: &tangent.rows, errors: &scaled, width, radius };
                let Some(level) = lp.solve(&problem, &mut step) else { break 'outer StopReason::Stalled };
                let length = step.iter().fold(0.0, |m: f64, d| m.max(d.abs()));
                if 1.0 - level <= options.gain {
                    out.level = *worst * level;
                    break 'outer if length < radius { StopReason::Gradient } else { StopReason::Stalled };
                }
                out.iterations += 1;
                let mut trial = params.clone();
                for (&j, d) in tangent.kept.iter().zip(tangent.params(&step)) {
                    let p = tape.free[j];
                    trial[p] = trial[p] + d * Dd::from(*worst);
                }
                self.evaluate_dd(tape, &trial, &mut trial_errors);
                let reached = largest(&trial_errors);
                let ratio = (1.0 - reached / *worst) / (1.0 - level);
                if reached < *worst {
                    out.level = *worst * level;
                    if ratio < 0.25 {
                        radius = 0.5 * length;
                    } else if ratio > 0.75 {
                        radius = radius.max(4.0 * length);
                    }
                    // The radius is relative to the largest error, which has just shrunk.
                    radius = (radius * (*worst / reached)).min(1e8);
                    *params = trial;
                    std::mem::swap(errors, &mut trial_errors);
                    *worst = reached;
                    if *worst == 0.0 {
                        break 'outer StopReason::Gradient;
                    }
                    break;
                }
                radius = 0.25 * length;
                if radius < 1e-7 {
                    break 'outer StopReason::Stalled;
                }
            }
        };
        self.lp = lp;
        stop
    }

    /// The directions in which the values at the loaded nodes can move; see [`Tangent`]. `None` if a derivative is not
    /// finite.
    fn tangent(&mut self, tape: &Tape, params: &[Dd]) -> Option<Tangent> {
        let rounded: Vec<f64> = params.iter().map(|p| p.to_f64()).collect();
        self.evaluate(tape, &rounded);
        self.jacobian(tape);
        self.factor()?;
        let p = tape.free.len();
        let diagonal = |j: usize| self.linear.r[j * p + j];
        if (0..p).all(|j| self.linear.norms[j] == 0.0 || diagonal(j) > NEARLY_DEPENDENT) {
            let norms = self.linear.norms.iter().map(|&n| Dd::from(n)).collect();
            let r = self.linear.r.iter().map(|&x| Dd::from(x)).collect();
            let entry = |j: usize, k: usize, i: usize| self.columns[j * self.blocks + k].0[i];
            return Some(Tangent::new(self.count, norms, r, entry));
        }
        // Doubles cannot tell what the last columns add to the first ones; double-doubles can.
        let mut scratch = Vec::new();
        self.evaluate_dd(tape, params, &mut scratch);
        let (mut columns, norms) = self.jacobian_dd(tape);
        let mut rhs = vec![Block::splat(Dd::ZERO); self.blocks];
        let (mut r, mut z) = (vec![Dd::ZERO; p * p], vec![Dd::ZERO; p]);
        kernel::orthogonalise_dd(self.level, &mut columns, &mut rhs, &mut r, &mut z);
        let entry = |j: usize, k: usize, i: usize| columns[j * self.blocks + k].0[i].to_f64();
        Some(Tangent::new(self.count, norms, r, entry))
    }

    /// Minimises the largest error of a form of one variable over `domain`, starting from `start` (all parameters in
    /// order).
    ///
    /// # Errors
    /// [`FitError::Shape`] for a form of several variables or a wrong number of starting values, [`FitError::Domain`],
    /// and [`FitError::Target`] where the reference is not finite.
    pub fn minimax(
        &mut self,
        tape: &Tape,
        target: &dyn Fn(f64) -> Dd,
        domain: (f64, f64),
        metric: Metric,
        start: &[Dd],
        options: &MinimaxOptions,
    ) -> Result<MinimaxResult, FitError> {
        check_domain(domain)?;
        if tape.inputs != 1 {
            return Err(FitError::Shape { what: "inputs", given: tape.inputs, wanted: 1 });
        }
        let p = tape.free.len();
        let mut start = start.to_vec();
        let mut least_squares = None;
        if let Some(lm) = &options.least_squares {
            let nodes = Nodes::chebyshev(domain, LANES.max(4 * (p + 1)), target, metric)?;
            let doubles: Vec<f64> = start.iter().map(|d| d.to_f64()).collect();
            let fit = self.least_squares(tape, &nodes, &doubles, lm)?;
            for &j in &tape.free {
                start[j] = Dd::from(fit.params[j]);
            }
            least_squares = Some(fit);
        }
        let mut nodes = Nodes::dense(domain, options.grid.max(48 * (p + 1)), target, metric)?;
        let scan = nodes.clone();
        let mut left = options.max_iterations;
        loop {
            let mut round = *options;
            round.max_iterations = left;
            let fit = self.minimax_on_nodes(tape, &nodes, &start, &round)?;
            left -= fit.iterations;
            let extrema = self.extrema(tape, &fit.params, &scan, target, metric)?;
            let max_error = extrema.iter().fold(fit.max_error, |m, e| m.max(e.1.abs()));
            let new = extrema.iter().filter(|e| e.1.abs() > 1.001 * fit.max_error);
            let before = nodes.len();
            for &(x, _) in new {
                nodes.push(x, target(x), metric)?;
            }
            if nodes.len() == before || left == 0 || fit.stop == StopReason::NotFinite {
                let extrema = alternation(&extrema, fit.rank + 1);
                let smallest = extrema.iter().fold(f64::INFINITY, |m, e| m.min(e.1.abs()));
                let levelled = if extrema.is_empty() || max_error == 0.0 { 0.0 } else { smallest / max_error };
                return Ok(MinimaxResult {
                    equioscillates: extrema.len() > fit.rank && levelled >= 0.99,
                    params: fit.params,
                    max_error,
                    extrema,
                    levelled,
                    iterations: options.max_iterations - left,
                    stop: fit.stop,
                    least_squares,
                });
            }
            start = fit.params;
        }
    }

    /// Weighted errors of a form of one variable at any points.
    ///
    /// # Errors
    /// As [`Fitter::minimax`].
    pub fn errors_at(
        &mut self,
        tape: &Tape,
        params: &[Dd],
        points: &[f64],
        target: &dyn Fn(f64) -> Dd,
        metric: Metric,
    ) -> Result<Vec<f64>, FitError> {
        let nodes = Nodes::new(points.to_vec(), target, metric)?;
        self.errors_on_nodes(tape, params, &nodes)
    }

    /// Weighted errors at every node; zero where the weight is.
    pub(crate) fn errors_on_nodes(&mut self, tape: &Tape, params: &[Dd], nodes: &Nodes) -> Result<Vec<f64>, FitError> {
        self.load(tape, nodes)?;
        let mut loaded = Vec::new();
        self.evaluate_dd(tape, params, &mut loaded);
        let mut loaded = loaded.into_iter();
        Ok(nodes.weight.iter().map(|&w| if w == 0.0 { 0.0 } else { loaded.next().unwrap_or(0.0) }).collect())
    }

    /// Local extrema of the error, in order, refined between the nodes of `scan` by successive parabolas.
    fn extrema(
        &mut self,
        tape: &Tape,
        params: &[Dd],
        scan: &Nodes,
        target: &dyn Fn(f64) -> Dd,
        metric: Metric,
    ) -> Result<Vec<(f64, f64)>, FitError> {
        let e = self.errors_on_nodes(tape, params, scan)?;
        let x = &scan.x[0];
        let n = e.len();
        // Brackets (left, middle, right) with errors; the middle is at least as large in size, with its sign.
        let mut found: Vec<[(f64, f64); 3]> = Vec::new();
        for i in 0..n {
            let s = if e[i] < 0.0 { -1.0 } else { 1.0 };
            let left_lower = i == 0 || s * e[i - 1] < s * e[i];
            let right_lower = i + 1 == n || s * e[i + 1] <= s * e[i];
            if left_lower && right_lower && e[i] != 0.0 {
                found.push([i.saturating_sub(1), i, (i + 1).min(n - 1)].map(|k| (x[k], e[k])));
            }
        }
        for _ in 0..3 {
            let points: Vec<f64> = found.iter().map(vertex).collect();
            let values = self.errors_at(tape, params, &points, target, metric)?;
            for (bracket, v) in found.iter_mut().zip(points.into_iter().zip(values)) {
                narrow(bracket, v);
            }
        }
        Ok(found.into_iter().map(|b| b[1]).collect())
    }
}

/// Where the parabola through a bracket has its extremum, kept inside it.
fn vertex(bracket: &[(f64, f64); 3]) -> f64 {
    let [(a, fa), (b, fb), (c, fc)] = *bracket;
    let (p, q) = ((b - a) * (fb - fc), (b - c) * (fb - fa));
    let shift = 0.5 * ((b - a) * p - (b - c) * q) / (p - q);
    let v = b - shift;
    if v > a && v < c { v } else { b }
}

/// Takes a new point into a bracket.
fn narrow(bracket: &mut [(f64, f64); 3], v: (f64, f64)) {
    let [a, b, c] = *bracket;
    if v.0 == b.0 || v.0 <= a.0 || v.0 >= c.0 || !v.1.is_finite() {
        return;
    }
    let better = if b.1 < 0.0 { v.1 < b.1 } else { v.1 > b.1 };
    *bracket = match (better, v.0 < b.0) {
        (true, true) => [a, v, b],
        (true, false) => [b, v, c],
        (false, true) => [v, b, c],
        (false, false) => [a, b, v],
    };
}

/// Largest size; infinite if an error is NaN.
fn largest(errors: &[f64]) -> f64 {
    errors.iter().fold(0.0, |m, e| if e.is_nan() { f64::INFINITY } else { f64::max(m, e.abs()) })
}

/// An alternating selection of at most `count` extrema whose smallest member is as large as possible, greedily: of each
/// run of one sign the largest; then the smallest goes, with its smaller neighbour unless it is at an end.
fn alternation(extrema: &[(f64, f64)], count: usize) -> Vec<(f64, f64)> {
    let mut out: Vec<(f64, f64)> = Vec::new();
    for &e in extrema {
        match out.last_mut() {
            Some(last) if (last.1 < 0.0) == (e.1 < 0.0) => {
                if e.1.abs() > last.1.abs() {
                    *last = e;
                }
            }
            _ => out.push(e),
        }
    }
    while out.len() > count {
        let size = |i: usize| out[i].1.abs();
        let end = if size(0) <= size(out.len() - 1) { 0 } else { out.len() - 1 };
        let smallest = (0..out.len()).fold(0, |m, i| if size(i) < size(m) { i } else { m });
        if out.len() == count + 1 || smallest == 0 || smallest == out.len() - 1 {
            out.remove(end);
        } else {
            let neighbour = if size(smallest - 1) < size(smallest + 1) { smallest - 1 } else { smallest };
            out.drain(neighbour..neighbour + 2);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alternation_keeps_signs_and_drops_the_smallest() {
        let e = [(0.0, 1.0), (1.0, 2.0), (2.0, -3.0), (3.0, 0.1), (4.0, -2.5), (5.0, 4.0)];
        assert_eq!(alternation(&e, 5), [(1.0, 2.0), (2.0, -3.0), (3.0, 0.1), (4.0, -2.5), (5.0, 4.0)]);
        assert_eq!(alternation(&e, 3), [(1.0, 2.0), (2.0, -3.0), (5.0, 4.0)]);
        assert_eq!(alternation(&e, 2), [(2.0, -3.0), (5.0, 4.0)]);
    }

    #[test]
    fn parabolas_find_the_top() {
        let f = |x: f64| 1.0 - (x - 0.3) * (x - 0.3);
        let mut b = [0.0, 0.4, 1.0].map(|x| (x, f(x)));
        let v = vertex(&b);
        narrow(&mut b, (v, f(v)));
        assert!((b[1].0 - 0.3).abs() < 1e-12);
    }
}
