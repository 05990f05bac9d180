//! Measurements of existing code: what is asked about a function, the answer, and a certificate that re-proves it.
//!
//! | module | holds |
//! | --- | --- |
//! | [`question`] | [`Question`]: what is asked, made numeric and checked |
//! | [`subject`] | [`SubjectInput`]: foreign functions and mathsmith programs, ready to be called |
//! | [`run`](mod@run) | [`measure`]: subjects put to a question |
//! | [`verdict`] | demands judged, and what is wrong with a subject besides |
//! | [`record`] | [`Measurement`] and its parts: the record that tables, plots, JSON and certificates are made of |
//! | [`certificate`] | [`Certificate`]: a measurement that can be proven again |
//! | [`render`] | the table and the plot that a person reads |

pub mod certificate;
pub mod question;
pub mod record;
pub mod render;
pub mod run;
pub mod subject;
pub mod verdict;

pub use certificate::{Certificate, CertificateError, Proof};
pub use question::{Demand, Question, QuestionError};
pub use record::{Asked, Cpu, Finding, Measurement, Source, SubjectFailure, SubjectRecord, Verdict};
pub use run::{MeasureError, Options, Outcome, measure};
pub use subject::{Build, Host, SubjectInput, SubjectProblem};
