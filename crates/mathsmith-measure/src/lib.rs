//! Measurements of existing code: what is asked about a function, the answer, and a certificate that re-proves it.
//!
//! | module | holds |
//! | --- | --- |
//! | [`record`] | [`Measurement`] and its parts: the record that tables, plots, JSON and certificates are made of |

pub mod record;

pub use record::{Asked, Cpu, Finding, Measurement, Source, SubjectFailure, SubjectRecord, Verdict};
