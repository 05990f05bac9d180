//! Range reductions as data: files of identities and frames (`docs/reductions.md`), and the plans that a function admits.
//!
//! A [`Reduction`] is a file of `grammars/`. [`Reduction::instantiate`] tries it on a function: solves for its constants,
//! tests its identities, and makes [`Plan`]s of what fits. A plan is a frame, a program with holes, and what belongs into
//! the holes. [`plans`] tries all reductions that ship, and again on the parts of what they give.
//!
//! ```
//! use mathsmith_dsl::{Reduce, parse_expr};
//! let exp2 = parse_expr("2^x").unwrap();
//! let plans = mathsmith_reduce::plans(&exp2, (f64::NEG_INFINITY, f64::INFINITY), true, &Reduce::Auto).unwrap();
//! assert!(plans.iter().any(|plan| plan.name.starts_with("doubling")));
//! ```

mod builtin;
pub mod floor;
mod identity;
mod instantiate;
mod misfit;
mod pairs;
mod parse;
pub mod plan;
mod planner;
mod reduction;
mod scope;
mod solve;

pub use builtin::builtin;
pub use instantiate::Fit;
pub use misfit::Misfit;
pub use pairs::{WrongPair, plans_of_two, plans_of_two_with};
pub use parse::{KEYS, parse};
pub use plan::{ComposeError, Core, Plan};
pub use planner::{ReduceError, plans, plans_with};
pub use reduction::{Arithmetic, Reduction};
