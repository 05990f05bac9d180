//! Whole programs out of parts: a frame with cores in its holes, fitted, improved and made smaller against the *computed*
//! error of the whole.
//!
//! | step | module | from | to |
//! | --- | --- | --- | --- |
//! | plan | `mathsmith_reduce` | function, domain | [`Plan`]s: frames and what their cores have to be |
//! | assemble | `assemble` | plan | [`Composed`] programs with classical cores at minimax constants |
//! | evolve | `evolve` | composed program | the same with searched cores |
//! | screen | `screen` | program | computed error and broken demands on the adversarial inputs and special values |
//! | refine | `refine` | composed program | constants of the format, chosen by the computed error |
//! | shrink | `shrink` | composed program | operations left out that the domain and the bound do not need |
//! | answer | `answer` | question | verified programs: sweeps decide, failing inputs join the screen, and round again |

pub mod answer;
mod answer_proof;
mod answer_work;
pub mod assemble;
pub mod assemble_forms;
pub mod assemble_sites;
#[cfg(test)]
mod assemble_tests;
pub mod evolve;
mod evolve_remainder;
mod evolve_size;
#[cfg(test)]
mod evolve_tests;
pub mod prove;
pub mod refine;
pub mod refine_hunt;
mod refine_sensitivity;
pub mod screen;
pub mod screen_hunt;
mod screen_points;
pub mod shrink;
mod shrink_build;
mod shrink_rules;

use crate::pareto::Price;
use crate::space::Arithmetic;
use mathsmith_ir::Program;
use mathsmith_reduce::Plan;
use std::sync::Arc;

/// A core in place: what fills a hole of a plan.
#[derive(Clone, Debug)]
pub struct CoreForm {
    /// Shape in words for the log, such as `polynomial 6, Horner`.
    pub shape: String,
    /// One input, one output; parameters have values.
    pub program: Program,
    /// Largest error that it brings into the result, in the question's unit, in exact arithmetic with exact constants.
    pub error: f64,
}

/// A whole program with its origin.
#[derive(Clone, Debug)]
pub struct Composed {
    /// The plan that it follows.
    pub plan: Arc<Plan>,
    /// What fills the plan's holes, as it was when the program was composed; [`Composed::program`] may have moved on.
    pub cores: Vec<CoreForm>,
    /// Fused operations or not.
    pub arithmetic: Arithmetic,
    /// One input, one output; parameters are the constants that may be improved, and have values.
    pub program: Program,
    /// What it costs on the question's machine.
    pub price: Price,
}

impl Composed {
    /// What the cores' own errors add up to, in the question's unit: without any rounding.
    pub fn error(&self) -> f64 {
        self.cores.iter().map(|c| c.error).sum()
    }
}

/// What a screen says about a program.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judged {
    /// Largest value of the question's error figure on the screen's inputs.
    pub error: f64,
    /// Demands that are broken: special values of the wrong class or sign, points that must be met exactly.
    pub broken: u32,
    /// The input of the largest error.
    pub worst: f32,
}
