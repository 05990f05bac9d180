//! Nonlinear least squares by Levenberg and Marquardt.
//!
//! Columns of the Jacobian are scaled to length one, so the damping term has no units; the damped step comes from an
//! orthogonal factorisation (Moré, "The Levenberg-Marquardt algorithm: implementation and theory", 1978); the damping
//! falls fast after steps that were predicted well, since near a good form the problem is almost linear and the last
//! digits are found only without damping, and grows geometrically with consecutive refusals (Nielsen, 1999).

use crate::{FitError, Fitter, Nodes, Tape};

/// Settings of [`Fitter::least_squares`].
#[derive(Clone, Copy, Debug)]
pub struct LmOptions {
    /// Evaluations of the form at most.
    pub max_iterations: usize,
    /// Stop when the part of the residual within the span of the Jacobian's columns is at most this fraction of it.
    pub gradient: f64,
    /// First damping, relative to columns of length one.
    pub damping: f64,
}

impl Default for LmOptions {
    fn default() -> Self {
        LmOptions { max_iterations: 60, gradient: 1e-8, damping: 1e-4 }
    }
}

/// Why an iteration ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// The relative gradient reached the tolerance, or the residual is zero.
    Gradient,
    /// What remains of the gradient is rounding noise of double arithmetic.
    Precision,
    /// The iterations are used up.
    Iterations,
    /// No step, however short, lowers the error.
    Stalled,
    /// Residuals or derivatives at the start are not finite.
    NotFinite,
    /// There is nothing to fit: no free parameter or no node.
    Nothing,
}

/// Result of [`Fitter::least_squares`]. Errors are weighted: they have the metric of the nodes.
#[derive(Clone, Debug)]
pub struct LmResult {
    /// All parameters in order, fixed ones included.
    pub params: Vec<f64>,
    /// Sum of squared errors.
    pub sum_sq: f64,
    /// Root of the mean squared error.
    pub rms: f64,
    /// Largest error at a node.
    pub max_error: f64,
    /// Evaluations of the form after the first.
    pub iterations: usize,
    /// Why it ended.
    pub stop: StopReason,
}

/// Smallest damping that is kept; below it a step is a Gauss-Newton step.
const LEAST_DAMPING: f64 = 1e-20;
/// Beyond this damping a step no longer changes anything.
const MOST_DAMPING: f64 = 1e12;

impl Fitter {
    /// Fits the free parameters of `tape` to the nodes, starting from `start` (all parameters in order).
    ///
    /// A trial point with a residual that is not finite is refused like one that is worse.
    ///
    /// # Errors
    /// [`FitError::Shape`] if columns or `start` do not fit the tape.
    pub fn least_squares(
        &mut self,
        tape: &Tape,
        nodes: &Nodes,
        start: &[f64],
        options: &LmOptions,
    ) -> Result<LmResult, FitError> {
        self.load(tape, nodes)?;
        self.least_squares_loaded(tape, start, options)
    }

    /// [`Fitter::least_squares`] on the nodes loaded last.
    pub(crate) fn least_squares_loaded(
        &mut self,
        tape: &Tape,
        start: &[f64],
        options: &LmOptions,
    ) -> Result<LmResult, FitError> {
        if start.len() != tape.params {
            return Err(FitError::Shape { what: "starting values", given: start.len(), wanted: tape.params });
        }
        let mut params = start.to_vec();
        let (mut sum, mut size) = self.evaluate(tape, &params);
        let mut iterations = 0;
        let stop = if !sum.is_finite() {
            StopReason::NotFinite
        } else if tape.free.is_empty() || self.count == 0 {
            StopReason::Nothing
        } else {
            let mut trial = params.clone();
            let mut lambda = options.damping;
            let mut growth = 8.0;
            'outer: loop {
                self.jacobian(tape);
                let Some(reach) = self.factor() else { break StopReason::NotFinite };
                if let Some(stop) = Self::converged(reach, sum, size, options.gradient) {
                    break stop;
                }
                loop {
                    if iterations == options.max_iterations {
                        break 'outer StopReason::Iterations;
                    }
                    iterations += 1;
                    let predicted = self.linear.solve(lambda);
                    let moved = self.trial(tape, &params, &mut trial);
                    if !moved {
                        break 'outer StopReason::Stalled;
                    }
                    let (new_sum, new_size) = self.evaluate(tape, &trial);
                    if new_sum < sum {
                        let gain = (sum - new_sum) / predicted;
                        lambda *= match gain {
                            g if g > 0.9 => 0.01,
                            g if g > 0.5 => 0.1,
                            g if g > 0.1 => 1.0,
                            _ => 4.0,
                        };
                        lambda = lambda.max(LEAST_DAMPING);
                        growth = 8.0;
                        std::mem::swap(&mut params, &mut trial);
                        (sum, size) = (new_sum, new_size);
                        break;
                    }
                    // A refused step that promised almost nothing failed for want of digits.
                    if predicted <= 1e-9 * sum {
                        break 'outer StopReason::Precision;
                    }
                    lambda = (lambda * growth).max(1e-10);
                    growth *= 4.0;
                    if lambda > MOST_DAMPING {
                        break 'outer StopReason::Stalled;
                    }
                }
            }
        };
        // The last evaluation may have been of a refused point.
        self.evaluate(tape, &params);
        let largest = self.largest();
        let rms = (sum / self.count.max(1) as f64).sqrt();
        Ok(LmResult { params, sum_sq: sum, rms, max_error: largest, iterations, stop })
    }

    /// Largest absolute residual of the last evaluation; infinite if one is NaN.
    fn largest(&self) -> f64 {
        let all = self.residual.iter().flat_map(|b| b.0);
        all.fold(0.0, |m, e| if e.is_nan() { f64::INFINITY } else { f64::max(m, e.abs()) })
    }

    /// Whether `reach`, the squared length of the residual's part within the span of the Jacobian, is small enough
    /// relative to the residual, or to its rounding noise.
    ///
    /// The cosine with each single column would not do: for nearly dependent columns it can be tiny while a step still
    /// gains orders of magnitude.
    fn converged(reach: f64, sum: f64, size: f64, tolerance: f64) -> Option<StopReason> {
        if reach <= tolerance * tolerance * sum {
            Some(StopReason::Gradient)
        } else if reach <= f64::EPSILON * f64::EPSILON * size {
            Some(StopReason::Precision)
        } else {
            None
        }
    }

    /// Writes `params` plus the step into `trial`; false if no parameter changed.
    fn trial(&self, tape: &Tape, params: &[f64], trial: &mut [f64]) -> bool {
        trial.copy_from_slice(params);
        let mut moved = false;
        for (j, &p) in tape.free.iter().enumerate() {
            if self.linear.norms[j] > 0.0 {
                trial[p] += self.linear.step[j] / self.linear.norms[j];
                moved |= trial[p] != params[p];
            }
        }
        moved
    }
}
