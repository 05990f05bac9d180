//! What a program's constants do to its results, measured.
//!
//! A result is a step function of each constant, so a derivative needs a step that moves results by many units in the last
//! place: it is doubled until one result has moved by [`CLEAR`] of them. Constants of little influence are given a stride of
//! several steps of their format, so that one stride of any constant matters about as much as of another.

use super::screen::Screen;
use mathsmith_fit::{ChebyshevLp, ChebyshevProblem, Grid, moved};
use mathsmith_ir::{ColumnMut, ColumnRef, Engine, EngineError, Literal, Type};

/// Movement of a result, in units in its last place, that counts as clear of rounding.
const CLEAR: f64 = 4096.0;
/// Influence of one stride on some result that is small enough, in units in the last place.
const FINE: f64 = 1.0 / 16.0;
/// Steps that are made one by one.
const SINGLE: i64 = 64;
/// Rows of the linear problem.
const ROWS: usize = 3000;
/// How much more a point that has to be met exactly weighs than the others.
const DEMANDED: f64 = 64.0;
/// Furthest displacement of a linear step, in units of the largest error.
const RADIUS: f64 = 8.0;

/// The derivatives of weighted errors at the screen's inputs.
pub(super) struct Sensitivity {
    /// Parameters that matter.
    pub free: Vec<usize>,
    /// Steps of the format that make one stride, for each of them.
    pub stride: Vec<i64>,
    /// Q of the QR factorisation of the changes of each row's weighted error by one stride of each parameter.
    basis: Vec<f64>,
    /// Inputs of the rows, a column a variable, with exact value and weight.
    x: Vec<Vec<f32>>,
    y: Vec<f64>,
    weight: Vec<f64>,
    /// R of that factorisation, row-major.
    triangle: Vec<f64>,
}

fn results(engine: &mut dyn Engine, params: &[Literal], x: &[Vec<f32>]) -> Result<Vec<f32>, EngineError> {
    let mut out = vec![0.0; x.first().map_or(0, Vec::len)];
    let columns: Vec<ColumnRef<'_>> = x.iter().map(|column| ColumnRef::F32(column)).collect();
    engine.run(params, &columns, &mut [ColumnMut::F32(&mut out)])?;
    Ok(out)
}

/// A literal displaced by steps of its format: few steps one by one, many as so many times the distance to the next number,
/// so that the displacement stays linear across binades.
pub(super) fn shifted(literal: Literal, steps: i64) -> Literal {
    if steps.abs() <= SINGLE {
        return moved(literal, steps);
    }
    match literal {
        Literal::F32(x) => Literal::F32((f64::from(x) + steps as f64 * last_place(x)) as f32),
        Literal::F64(x) => Literal::F64(x + steps as f64 * (x.abs().next_up() - x.abs())),
        other => other,
    }
}

impl Sensitivity {
    /// Measures around `at`. The screen's first inputs are taken, and the others at equal distances.
    pub fn measure(screen: &Screen, engine: &mut dyn Engine, at: &[Literal]) -> Result<Sensitivity, EngineError> {
        let n = screen.inputs().len();
        let every = n.div_ceil(ROWS / 2).max(1);
        let chosen: Vec<usize> = (0..n).filter(|i| *i < ROWS / 2 || i % every == 0).collect();
        let pick = |column: &[f32]| chosen.iter().map(|&i| column[i]).collect::<Vec<f32>>();
        let mut x: Vec<Vec<f32>> = screen.columns().into_iter().map(pick).collect();
        let mut y: Vec<f64> = chosen.iter().map(|&i| screen.values()[i]).collect();
        let mut weight: Vec<f64> = chosen.iter().map(|&i| screen.weights()[i]).collect();
        for e in &screen.standard().exact {
            x[0].push(e.at);
            y.push(f64::from(e.value));
            weight.push(DEMANDED / last_place(e.value));
        }
        let centre = results(engine, at, &x)?;
        let scale: Vec<f64> = centre.iter().map(|&c| 1.0 / last_place(c)).collect();
        let (mut free, mut stride) = (Vec::new(), Vec::new());
        let mut columns: Vec<Vec<f64>> = Vec::new();
        for (i, &value) in at.iter().enumerate() {
            let most = match value.ty() {
                Type::F32 => 22,
                Type::F64 => 51,
                _ => continue,
            };
            let mut found = None;
            for doubling in 0..=most {
                let step = 1i64 << doubling;
                let mut moved_to = |by: i64| {
                    let mut params = at.to_vec();
                    params[i] = shifted(value, by);
                    results(engine, &params, &x)
                };
                let (up, down) = (moved_to(step)?, moved_to(-step)?);
                let change: Vec<f64> = up.iter().zip(&down).map(|(u, d)| f64::from(*u) - f64::from(*d)).collect();
                let largest = change.iter().zip(&scale).map(|(c, s)| c.abs() * s).filter(|c| c.is_finite());
                let largest = largest.fold(0.0, f64::max);
                if largest > 0.0 {
                    found = Some((2.0 * step as f64, largest, change));
                }
                if largest >= CLEAR {
                    break;
                }
            }
            let Some((width, largest, change)) = found else { continue };
            // Whole powers of two of the format's step.
            let mut steps = 1i64;
            while largest / width * ((2 * steps) as f64) <= FINE && steps < 1 << 50 {
                steps *= 2;
            }
            let by = steps as f64 / width;
            columns.push(change.iter().zip(&weight).map(|(c, w)| finite(c * w * by)).collect());
            free.push(i);
            stride.push(steps);
        }
        let p = free.len();
        let triangle = factor(&mut columns);
        let mut basis = vec![0.0; y.len() * p];
        for (k, column) in columns.iter().enumerate() {
            for (i, v) in column.iter().enumerate() {
                basis[i * p + k] = *v;
            }
        }
        Ok(Sensitivity { free, stride, basis, x, y, weight, triangle })
    }

    /// The closest-vector problem around a centre in strides.
    pub fn grid(&self, centre: Vec<f64>) -> Grid {
        Grid { triangle: self.triangle.clone(), centre }
    }

    /// The displacement, in strides, that makes the largest error least as far as the errors are linear in it, and that error;
    /// `None` where there is none to be found.
    pub fn minimax(
        &self,
        screen: &Screen,
        engine: &mut dyn Engine,
        at: &[Literal],
    ) -> Result<Option<(Vec<f64>, f64)>, EngineError> {
        debug_assert!(!screen.is_empty());
        let p = self.free.len();
        let computed = results(engine, at, &self.x)?;
        let errors: Vec<f64> = computed
            .iter()
            .zip(self.y.iter().zip(&self.weight))
            .map(|(&c, (y, w))| if c.is_finite() { finite((f64::from(c) - y) * w) } else { 0.0 })
            .collect();
        let size = errors.iter().fold(0.0f64, |m, e| m.max(e.abs()));
        let mut scales = vec![0.0f64; p];
        for row in self.basis.chunks_exact(p) {
            for (s, v) in scales.iter_mut().zip(row) {
                *s = s.max(v.abs());
            }
        }
        if !(size.is_normal() && scales.iter().all(|s| s.is_normal())) {
            return Ok(None);
        }
        // Orthogonal unknowns, errors and derivatives of order one: what the solver wants.
        let scaled = |row: &[f64]| row.iter().zip(&scales).map(|(v, s)| v / s).collect::<Vec<f64>>();
        let rows: Vec<f64> = self.basis.chunks_exact(p).flat_map(scaled).collect();
        let errors: Vec<f64> = errors.iter().map(|e| e / size).collect();
        let problem = ChebyshevProblem { rows: &rows, errors: &errors, width: p, radius: RADIUS };
        let mut step = vec![0.0; p];
        let Some(level) = ChebyshevLp::default().solve(&problem, &mut step) else { return Ok(None) };
        let mut centre: Vec<f64> = step.iter().zip(&scales).map(|(d, s)| d * size / s).collect();
        for i in (0..p).rev() {
            for j in i + 1..p {
                centre[i] -= self.triangle[i * p + j] * centre[j];
            }
            centre[i] /= self.triangle[i * p + i];
        }
        Ok(Some((centre, level * size)).filter(|(c, _)| c.iter().all(|c| c.is_finite())))
    }
}

fn finite(x: f64) -> f64 {
    if x.is_finite() { x } else { 0.0 }
}

/// Distance to the next number away from zero.
fn last_place(x: f32) -> f64 {
    let a = x.abs().min(f32::MAX.next_down());
    f64::from(a.next_up()) - f64::from(a)
}

/// The QR factorisation by modified Gram-Schmidt: the columns become those of Q, R is returned row-major.
fn factor(columns: &mut [Vec<f64>]) -> Vec<f64> {
    let p = columns.len();
    let mut r = vec![0.0; p * p];
    for k in 0..p {
        let norm = columns[k].iter().map(|v| v * v).sum::<f64>().sqrt();
        r[k * p + k] = norm;
        if norm == 0.0 {
            continue;
        }
        let (done, rest) = columns.split_at_mut(k + 1);
        let q = &mut done[k];
        for v in q.iter_mut() {
            *v /= norm;
        }
        for (j, column) in rest.iter_mut().enumerate() {
            let dot: f64 = q.iter().zip(column.iter()).map(|(a, b)| a * b).sum();
            r[k * p + k + 1 + j] = dot;
            for (v, a) in column.iter_mut().zip(q.iter()) {
                *v -= dot * a;
            }
        }
    }
    r
}
