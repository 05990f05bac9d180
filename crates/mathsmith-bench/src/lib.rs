//! Speed of compiled emitted code beside that of peers, and calibration of machine models.
//!
//! Speed that is reported comes from emitted source, compiled by the compilers that people use, timed in one process with
//! everything else that computes the function and is found on the machine, round after round in turn; what is printed is
//! medians and ratios. Times never steer a search.
//!
//! | module | holds |
//! | --- | --- |
//! | [`subject`] | what is benched: entries of a run, or a file |
//! | [`known`] | which function of C a reference is, found numerically |
//! | [`peers`] | who else computes it |
//! | [`compose`] | a reference as C with calls of a library |
//! | [`loops`] | the loops that are timed, as source |
//! | [`inputs`] | what is fed in |
//! | [`host`] | the child process that takes the times |
//! | [`errors`] | errors of peers, measured and kept |
//! | [`run`](mod@run) | a bench from end to end |
//! | [`compare`] | ratios; modelled beside measured figures |
//! | [`record`] | the record that tables and JSON are made of |
//! | [`render`] | the table for a person |
//! | [`whole`] | one table of many benches, in Markdown |
//! | [`calibrate`] | a machine model measured on this machine |

pub mod calibrate;
pub mod compare;
pub mod compose;
mod error;
pub mod errors;
pub mod host;
pub mod inputs;
pub mod known;
pub mod loops;
pub mod peers;
pub mod record;
pub mod render;
pub mod run;
pub mod stats;
pub mod subject;
pub mod whole;

pub use error::BenchError;
