//! Range reductions as data: files of identities and frames (`docs/reductions.md`), and the plans that a function admits.
//!
//! A [`Reduction`] is a file of `grammars/`. [`Reduction::instantiate`] tries it on a function: solves for its constants,
//! tests its identities, and makes [`Plan`]s of what fits. A plan is a frame, a program with holes, and what belongs into
//! the holes.

pub mod floor;
mod identity;
mod instantiate;
mod misfit;
mod parse;
pub mod plan;
mod reduction;
mod scope;
mod solve;

pub use instantiate::Fit;
pub use misfit::Misfit;
pub use parse::{KEYS, parse};
pub use plan::{ComposeError, Core, Plan};
pub use reduction::{Arithmetic, Reduction};
