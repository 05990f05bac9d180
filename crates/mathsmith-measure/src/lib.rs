//! Measurements of existing code: what is asked about a function, the answer, and a certificate that re-proves it.
//!
//! | module | holds |
//! | --- | --- |
//! | [`question`] | [`Question`]: what is asked, made numeric and checked |
//! | [`verdict`] | demands judged, and what is wrong with a subject besides |
//! | [`record`] | [`Measurement`] and its parts: the record that tables, plots, JSON and certificates are made of |
//! | [`render`] | the table and the plot that a person reads |

pub mod question;
pub mod record;
pub mod render;
pub mod verdict;

pub use question::{Demand, Question, QuestionError};
pub use record::{Asked, Cpu, Finding, Measurement, Source, SubjectFailure, SubjectRecord, Verdict};
