//! Kernels against the interpreter and the corpus.

mod common;
mod corpus;
mod extended;
mod kernel;
mod random;
