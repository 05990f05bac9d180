//! Kernels against the interpreter and the corpus.

mod common;
mod corpus;
mod kernel;
mod random;
