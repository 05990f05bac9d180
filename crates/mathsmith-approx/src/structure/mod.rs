//! Search for the structure of programs: constants are never searched, every child is fitted.
//!
//! A [`Genome`] is changed by the operators of [`mutate`], brought to [`normal`] form, and judged by an [`Objective`];
//! [`mathsmith_search`] does the rest. [`search_real`] asks for few operations and a small error in real arithmetic;
//! [`search`] takes any objective, such as the computed error of a float program with rounded constants.

pub mod genome;
pub mod mutate;
pub mod normal;
pub mod objective;
pub mod points;
mod problem;
mod regroup;
pub mod space;

pub use genome::{Arg, Genome, GenomeError, Instr};
pub use objective::{Fitted, Objective, RealObjective, RealTarget, Standing};
pub use problem::{ClassOf, FrontEntry, Hooks, Outcome, SearchError, SearchSettings, search, search_real};
pub use space::{Macro, SearchSpace, SpaceError, Variation};
