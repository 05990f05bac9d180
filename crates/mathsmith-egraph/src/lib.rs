//! Rewrite rules as data, canonical form and simplification with egg.

mod absorb;
pub mod analysis;
mod canonical;
pub mod expr;
mod extract;
pub mod field;
pub mod lang;
mod literals;
mod quick;
pub mod rules;
mod saturate;
mod simplify;

pub use canonical::{Canonical, Canonicalizer, canonical};
pub use literals::{compute as arithmetic, compute_f32 as arithmetic_f32};
pub use quick::{Quick, quick_canonical, quick_key, structural_key};
pub use rules::{RuleBook, RuleClass};
pub use saturate::{Contraction, Limits, StopReason};
pub use simplify::simplify;
