//! Error metrics and exhaustive sweeps: what a program's error is, exactly.
//!
//! The definitions are those of every error figure that mathsmith prints. For a real value `y` in a format with `p` bits
//! and least exponent `e_min`, `ulp(y) = 2^(max(e, e_min) - p + 1)` with `2^e <= |y| < 2^(e+1)`; the error in ULP of a
//! computed `c` is `|c - y| / ulp(y)`, where `y` is the real value and not the rounded one. Beside it stand
//! `|c - y|` and `|c / y - 1|`. MPFR is the judge of every maximum ([`sweep()`]); the fast double-precision values only
//! decide which inputs need not be looked at again.
//!
//! | module | holds |
//! | --- | --- |
//! | [`domain`] | ordered sets of `f32` inputs |
//! | [`truth`] | what a sweep asks of the reference |
//! | [`grid`] | the formats in which results are judged |
//! | [`block`] | the vectorised inner loops |
//! | [`extreme`] | running maxima with a margin, settled at the end |
//! | [`sweep`](mod@sweep) | the exhaustive sweep |
//! | [`inspect`](mod@inspect) | the exhaustive measurement: everything about one function |
//! | [`measured`] | [`Measured`]: the record of every measurement |
//! | [`report`] | [`ErrorReport`] and its parts |
//! | [`checksum`] | the order-independent sum over every output bit |
//! | [`points`] | exact errors at points, and the adversarial set |
//! | [`real`] | sampled error of `real` programs at 200 bits |
//! | [`store`] | worst inputs kept per reference, in a file |
//! | [`sampled`] | doubles and two arguments: samples with a search for the worst input |
//! | [`plain`](mod@plain) | 16-bit formats exhaustively, every figure by MPFR |
//! | [`files`] | files that are never half-written |

pub mod block;
pub mod checksum;
mod conclude;
pub mod domain;
mod error;
pub mod extreme;
pub mod files;
mod gather;
pub mod grid;
pub mod inspect;
mod judge;
pub mod measured;
mod observe;
pub mod plain;
pub mod points;
pub mod real;
mod record;
pub mod report;
pub mod sampled;
pub mod store;
pub mod sweep;
mod tally;
pub mod truth;
mod workers;

pub use domain::FloatDomain;
pub use error::VerifyError;
pub use inspect::{Inspection, Subject, Tolerance, inspect};
pub use measured::Measured;
pub use plain::{exhaust_half, plain};
pub use points::{AdversarialSet, Screened, point_error};
pub use real::{RealErrorReport, real_error};
pub use report::{Coverage, ErrorReport, Extreme, Histogram, SpecialCheck, WorstPoint};
pub use sampled::{SampleDomain, SampleOptions, sample};
pub use store::{AdversarialStore, StoreError};
pub use sweep::{EngineMaker, SweepOptions, sweep, sweep_with};
pub use truth::{PointError, Truth};
