//! Least squares, minimax refinement, rounding constants to a format.
//!
//! A form is a program whose constants are parameters. Fitting finds them in three steps, each a method that can be
//! used on its own:
//!
//! 1. [`Fitter::least_squares`]: Levenberg-Marquardt on a few dozen nodes, the step that a search runs thousands of
//!    times a second on each core;
//! 2. [`Fitter::minimax`]: the best largest error over an interval, in double-double where that is needed;
//! 3. [`Fitter::round_constants`]: constants of the format, chosen by the error that the program *computes*.
//!
//! [`Fitter::fit_form`] runs all three on one form.

mod classical;
mod dd;
mod error;
mod fitter;
mod form;
mod kernel;
#[cfg(test)]
mod kernel_tests;
mod lattice;
mod lm;
mod lp;
mod minimax;
mod nodes;
mod points;
mod rng;
mod round;
mod tape;

pub use classical::{ContinuedFraction, Seed, polynomial_form, rational_form, set_params};
pub use dd::Dd;
pub use error::FitError;
pub use fitter::Fitter;
pub use form::{FitReport, FormOptions, FormProblem};
pub use lattice::Grid;
pub use lm::{LmOptions, LmResult, StopReason};
pub use lp::{ChebyshevLp, ChebyshevProblem};
pub use minimax::{MinimaxOptions, MinimaxResult, NodeMinimax};
pub use nodes::{Metric, Nodes, ulp};
pub use points::PointSet;
pub use round::{RoundOptions, Rounded, moved};
pub use tape::Tape;
