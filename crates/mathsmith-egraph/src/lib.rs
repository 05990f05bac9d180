//! Rewrite rules as data, canonical form and simplification with egg.
//!
//! Search proposes far more structures than there are functions: `C*(x + C)` and `C*x + C` are one family once constants
//! are free, `x/C` is `x*C`, and every sum has many orders. Each duplicate that is fitted is work done twice. This crate
//! gives a program a canonical form, so that equal structures are counted once, and makes winners shorter.
//!
//! | call | what it does | how long (10 operations) |
//! | --- | --- | --- |
//! | [`quick_key`], [`quick_canonical`] | directional rules in one walk; for every candidate | a few µs |
//! | [`canonical()`] | the e-graph under [`Limits`], for what the first did not recognise | about 1 ms |
//! | [`Merger`] | both, with counts of what each merged | |
//! | [`simplify()`] | fewest operations for the same function or the same bits; for winners | ms |
//!
//! ```
//! use mathsmith_egraph::{Limits, canonical, expr::skeleton, quick_key, RuleClass};
//! use mathsmith_ir::Type;
//!
//! let a = skeleton("C/(C*x + C)", Type::Real)?; // three operations, three constants
//! let b = skeleton("C/(x + C)", Type::Real)?;   // the same functions
//! assert_ne!(quick_key(&a, RuleClass::Real), quick_key(&b, RuleClass::Real));
//! assert_eq!(canonical(&a, &Limits::default()).key, canonical(&b, &Limits::default()).key);
//! # Ok::<(), mathsmith_egraph::expr::ExprError>(())
//! ```
//!
//! - What "free constant" means, and why merging never enlarges a family: [`analysis`].
//! - Rules, their two classes, their conditions, how to add one: [`rules`]. They are in `rules/*.rules`; those of the quick
//!   stage are specified in `rules/wild.rules`.
//! - What is found and what is told apart: `corpus/equal.pairs` and `corpus/near.pairs`.
//!
//! Everything is deterministic: limits count nodes and iterations, never time; no interned symbol and no hash map's
//! order takes part in any choice.

mod absorb;
pub mod analysis;
mod canonical;
pub mod expr;
mod extract;
pub mod field;
pub mod lang;
mod literals;
mod merge;
mod quick;
pub mod rules;
mod saturate;
mod simplify;

pub use canonical::{Canonical, Canonicalizer, canonical};
pub use literals::{compute as arithmetic, compute_f32 as arithmetic_f32};
pub use merge::{Found, MergeStats, Merger};
pub use quick::{Quick, quick_canonical, quick_key, structural_key};
pub use rules::{RuleBook, RuleClass};
pub use saturate::{Contraction, Limits, StopReason};
pub use simplify::simplify;
