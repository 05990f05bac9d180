//! The `approx` problem: from a question to a verified front.
//!
//! [`question::Question`] makes a resolved problem numeric; [`run::run`] answers it. [`structure`] searches programs,
//! [`float`] and [`real`] turn what it finds into verified programs, [`entry`] into the record of [`front`] and files.

pub mod bivariate;
pub mod composed;
pub mod demand;
pub mod entry;
pub mod fitting;
pub mod float;
pub mod form;
pub mod front;
pub mod observe;
pub mod pareto;
pub mod question;
pub mod real;
pub mod run;
pub mod seeds;
pub mod space;
pub mod structure;

pub use mathsmith_verify::files;
