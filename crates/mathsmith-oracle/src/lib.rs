//! Reference values: CORE-MATH fast path, MPFR judge, correct rounding, enclosures.
//!
//! A [`Reference`] is a function in exact mathematics. MPFR encloses its value at any precision ([`enclosure`],
//! [`function`]); rounding raises the precision until the enclosure rounds to one float, the strategy of Ziv ("Fast
//! evaluation of elementary mathematical functions with correctly rounded last bit", ACM TOMS 17, 1991). Where the
//! processor allows, [`Reference::fast_block`] computes in doubles by CORE-MATH with a rigorous error bound for each
//! lane, and only lanes on which the bound does not decide go to MPFR ([`Reference::round_block_f32`]). Over runs of
//! neighbouring arguments [`Reference::fast_run`] does the same by Taylor polynomials, several times as fast.
//! [`DomainEnds`] and [`analyse()`] say which inputs a domain holds and whether the function has values on all of it.

#![allow(rustdoc::private_intra_doc_links)]

mod airy;
mod analyse;
mod ball;
mod bound;
mod dag;
mod decide;
mod domain;
pub mod enclosure;
mod error;
mod fast;
mod flat;
mod format;
mod function;
mod limit;
mod number;
mod parity;
mod reference;
mod rotate;
mod run;
mod series;
mod taylor;
mod tie;

pub use analyse::{DomainReport, Note, Removable, analyse, analyse_floats};
pub use decide::{decide_f32, half_ulp};
pub use domain::{DomainEnds, const_enclosure};
pub use enclosure::{Enclosure, Status};
pub use error::{DomainError, OracleError};
pub use fast::{Scratch, cpu_supported};
pub use format::FloatFormat;
pub use number::{MpInterval, MpReal};
pub use parity::Parity;
pub use reference::{HARD_CAP, Reference, TIE_BITS};
