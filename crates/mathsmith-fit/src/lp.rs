//! The linear Chebyshev problem in a box: the step of the minimax iteration.
//!
//! Find the d within `|d_j| <= radius` that minimises `max_i |e_i + J_i d|`. As a linear program its dual has only
//! p + 1 rows, and the simplex method on the dual is the exchange algorithm of Remez and Stiefel: the basis is a set
//! of p + 1 reference points (or active sides of the box), each pivot exchanges one of them for the point that violates
//! the current level most. Unlike the textbook exchange it needs no alternation of signs, so it serves forms that do
//! not satisfy the Haar condition. The basis is factored anew for each pivot: it is at most a few dozen wide, and
//! nothing drifts.

#![allow(clippy::needless_range_loop, reason = "rows and columns are indexed as the formulas are")]

/// A column of the dual: a point with a sign, or a side of the box.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Column {
    Point(usize, f64),
    Side(usize, f64),
}

/// Scratch memory of the solver.
#[derive(Debug, Default)]
pub struct ChebyshevLp {
    basis: Vec<Column>,
    lu: Vec<f64>,
    pivots: Vec<usize>,
    prices: Vec<f64>,
    entering: Vec<f64>,
    weights: Vec<f64>,
}

/// The problem: `rows` is row-major, `errors.len()` rows of `width` derivatives.
#[derive(Clone, Copy, Debug)]
pub struct ChebyshevProblem<'a> {
    /// Derivatives, a row for each error.
    pub rows: &'a [f64],
    /// Errors where nothing has moved.
    pub errors: &'a [f64],
    /// Number of unknowns.
    pub width: usize,
    /// Largest magnitude of each unknown.
    pub radius: f64,
}

impl ChebyshevProblem<'_> {
    fn row(&self, i: usize) -> &[f64] {
        &self.rows[i * self.width..(i + 1) * self.width]
    }

    fn write(&self, column: Column, out: &mut [f64]) {
        match column {
            Column::Point(i, s) => {
                for (o, x) in out.iter_mut().zip(self.row(i)) {
                    *o = s * x;
                }
                out[self.width] = 1.0;
            }
            Column::Side(j, s) => {
                out.fill(0.0);
                out[j] = s;
            }
        }
    }

    fn cost(&self, column: Column) -> f64 {
        match column {
            Column::Point(i, s) => s * self.errors[i],
            Column::Side(..) => -self.radius,
        }
    }
}

impl ChebyshevLp {
    /// Solves the problem, whose errors and derivatives are of order one. Writes d into `step` and returns the level
    /// reached; `None` if the arithmetic breaks down.
    ///
    /// If the pivots run out the step is that of the last basis: a caller that compares promise and result refuses it
    /// where it is bad.
    ///
    /// # Panics
    /// If `rows` or `step` do not have the width that the problem says.
    pub fn solve(&mut self, problem: &ChebyshevProblem<'_>, step: &mut [f64]) -> Option<f64> {
        let p = problem.width;
        let n = p + 1;
        self.lu.resize(n * n, 0.0);
        self.pivots.resize(n, 0);
        for v in [&mut self.prices, &mut self.entering, &mut self.weights] {
            v.resize(n, 0.0);
        }
        // The first basis is feasible by construction: the worst point, held in balance by sides of the box.
        let (worst, error) = (0..problem.errors.len())
            .map(|i| (i, problem.errors[i]))
            .max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()).then(b.0.cmp(&a.0)))?;
        let sign = if error < 0.0 { -1.0 } else { 1.0 };
        self.basis.clear();
        for (j, x) in problem.row(worst).iter().enumerate() {
            self.basis.push(Column::Side(j, if sign * x > 0.0 { -1.0 } else { 1.0 }));
        }
        self.basis.push(Column::Point(worst, sign));
        let most = 60 + 30 * n;
        for pivot in 0..=most {
            if !self.factor(problem) {
                return None;
            }
            for (k, &c) in self.basis.iter().enumerate() {
                self.prices[k] = problem.cost(c);
            }
            self.solve_transposed();
            for j in 0..p {
                step[j] = -self.prices[j];
            }
            let level = self.prices[p];
            let Some(entering) = self.violated(problem, step, level).filter(|_| pivot < most) else {
                return level.is_finite().then_some(level);
            };
            problem.write(entering, &mut self.entering);
            self.weights.fill(0.0);
            self.weights[p] = 1.0;
            solve(&self.lu, &self.pivots, &mut self.entering);
            solve(&self.lu, &self.pivots, &mut self.weights);
            let leaving = self.leaving()?;
            self.basis[leaving] = entering;
        }
        None
    }

    /// The constraint that the current step violates most, if any does beyond rounding.
    fn violated(&self, problem: &ChebyshevProblem<'_>, step: &[f64], level: f64) -> Option<Column> {
        let mut most = 1e-9 * level.abs().max(1e-4);
        let mut found = None;
        for (i, &e) in problem.errors.iter().enumerate() {
            let mut v = e;
            for (x, d) in problem.row(i).iter().zip(step) {
                v += x * d;
            }
            if v.abs() - level > most {
                most = v.abs() - level;
                found = Some(Column::Point(i, if v < 0.0 { -1.0 } else { 1.0 }));
            }
        }
        for (j, d) in step.iter().enumerate() {
            let over = d.abs() - problem.radius;
            if over > most && over > 1e-9 * problem.radius {
                most = over;
                found = Some(Column::Side(j, if *d > 0.0 { 1.0 } else { -1.0 }));
            }
        }
        found.filter(|c| !self.basis.contains(c))
    }

    /// Ratio test; among near ties the largest pivot.
    fn leaving(&self) -> Option<usize> {
        let mut best: Option<(usize, f64)> = None;
        for (k, (&w, &a)) in self.weights.iter().zip(&self.entering).enumerate() {
            if a <= 1e-11 {
                continue;
            }
            let ratio = w.max(0.0) / a;
            let better = match best {
                None => true,
                Some((b, r)) => ratio < r - 1e-12 || (ratio <= r + 1e-12 && a > self.entering[b]),
            };
            if better {
                best = Some((k, ratio));
            }
        }
        best.map(|(k, _)| k)
    }

    /// LU factors of the basis (columns are basis columns), with row exchanges.
    fn factor(&mut self, problem: &ChebyshevProblem<'_>) -> bool {
        let n = self.pivots.len();
        for k in 0..n {
            problem.write(self.basis[k], &mut self.entering);
            for i in 0..n {
                self.lu[i * n + k] = self.entering[i];
            }
        }
        for k in 0..n {
            let Some(row) =
                (k..n).max_by(|&a, &b| self.lu[a * n + k].abs().total_cmp(&self.lu[b * n + k].abs()).then(b.cmp(&a)))
            else {
                return false;
            };
            self.pivots[k] = row;
            if row != k {
                for j in 0..n {
                    self.lu.swap(k * n + j, row * n + j);
                }
            }
            let d = self.lu[k * n + k];
            if d == 0.0 || !d.is_finite() {
                return false;
            }
            for i in k + 1..n {
                let f = self.lu[i * n + k] / d;
                self.lu[i * n + k] = f;
                for j in k + 1..n {
                    self.lu[i * n + j] -= f * self.lu[k * n + j];
                }
            }
        }
        true
    }

    /// Solves `B^T y = prices` in place.
    fn solve_transposed(&mut self) {
        let n = self.pivots.len();
        let y = &mut self.prices;
        for i in 0..n {
            for j in 0..i {
                y[i] -= self.lu[j * n + i] * y[j];
            }
            y[i] /= self.lu[i * n + i];
        }
        for i in (0..n).rev() {
            for j in i + 1..n {
                y[i] -= self.lu[j * n + i] * y[j];
            }
        }
        for k in (0..n).rev() {
            y.swap(k, self.pivots[k]);
        }
    }
}

/// Solves `B y = v` in place from the LU factors.
fn solve(lu: &[f64], pivots: &[usize], v: &mut [f64]) {
    let n = pivots.len();
    for k in 0..n {
        v.swap(k, pivots[k]);
    }
    for i in 0..n {
        for j in 0..i {
            v[i] -= lu[i * n + j] * v[j];
        }
    }
    for i in (0..n).rev() {
        for j in i + 1..n {
            v[i] -= lu[i * n + j] * v[j];
        }
        v[i] /= lu[i * n + i];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::SplitMix;

    #[test]
    fn a_line_through_a_parabola_levels_at_an_eighth() {
        // min max |x^2 - (a + b x)| on 0..1 is 1/8, at 0, 1/2, 1.
        let xs: Vec<f64> = (0..=100).map(|i| f64::from(i) / 100.0).collect();
        let rows: Vec<f64> = xs.iter().flat_map(|&x| [1.0, x]).collect();
        let errors: Vec<f64> = xs.iter().map(|x| -x * x).collect();
        let mut step = [0.0; 2];
        let problem = ChebyshevProblem { rows: &rows, errors: &errors, width: 2, radius: 1e6 };
        let level = ChebyshevLp::default().solve(&problem, &mut step).expect("solvable");
        assert!((level - 0.125).abs() < 1e-12 && (step[1] - 1.0).abs() < 1e-12, "{level} {step:?}");
    }

    #[test]
    fn no_random_step_in_the_box_does_better() {
        let mut rng = SplitMix::new(5);
        for case in 0..50 {
            let (m, p) = (20 + case, 1 + case % 6);
            let mut draw = |n: usize| (0..n).map(|_| rng.unit() * 2.0 - 1.0).collect::<Vec<_>>();
            let (rows, errors) = (draw(m * p), draw(m));
            let radius = if case % 2 == 0 { 0.1 } else { 10.0 };
            let problem = ChebyshevProblem { rows: &rows, errors: &errors, width: p, radius };
            let mut step = vec![0.0; p];
            let level = ChebyshevLp::default().solve(&problem, &mut step).expect("solvable");
            let reach = |d: &[f64]| {
                (0..m)
                    .map(|i| (errors[i] + problem.row(i).iter().zip(d).map(|(a, b)| a * b).sum::<f64>()).abs())
                    .fold(0.0, f64::max)
            };
            assert!((reach(&step) - level).abs() < 1e-7, "the level is reached");
            assert!(step.iter().all(|d| d.abs() <= radius * (1.0 + 1e-8)));
            for k in 0..500 {
                let size = radius * 0.5f64.powi(k % 12);
                let other: Vec<f64> =
                    step.iter().zip(draw(p)).map(|(s, r)| (s + r * size).clamp(-radius, radius)).collect();
                assert!(reach(&other) >= level - 1e-9);
            }
        }
    }
}
