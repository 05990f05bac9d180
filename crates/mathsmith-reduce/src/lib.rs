//! Range reductions as data: files of identities and frames (`docs/reductions.md`), and the plans that a function admits.
//!
//! A `Reduction` is a file of `grammars/`. `plans` tries each on a function: solves for its constants, tests its
//! identity, and makes [`Plan`]s of what fits. A plan is a frame, a program with holes, and what belongs into the holes.

pub mod plan;

pub use plan::{ComposeError, Core, Plan};
