//! Functions of two variables: the same steps as for one, and a proof that is a sample.
//!
//! No machine sees 2^64 pairs of floats. So the error of a program of two arguments is *sampled*: `mathsmith_verify::sample`
//! looks at special pairs, at random ones and at what a search for the worst leads to, and what it finds is a lower bound,
//! with the count of evaluations and the seed beside it.
//!
//! | step | module | from | to |
//! | --- | --- | --- | --- |
//! | domain | [`domain`] | problem | the box of inputs; what cannot be asked of two variables |
//! | inputs | [`points`] | function, box | pairs on which programs are judged |
//! | answer | [`answer`] | question, plans | programs with their samples, worst inputs joining the pairs until the bound holds |
//! | entry | [`entry`] | program, sample | record and sources |
//!
//! Plans come from `mathsmith_reduce::plans_of_two`: their cores are functions of one number, so fitting, refining and
//! shrinking are those of functions of one variable.

pub mod answer;
pub mod domain;
pub mod entry;
pub mod points;

use crate::pareto::Price;
use crate::space::Arithmetic;
use mathsmith_ir::Program;
use mathsmith_verify::Measured;

/// A program of two arguments with its sample.
#[derive(Clone, Debug)]
pub struct Sampled {
    /// The variant it belongs to.
    pub arithmetic: Arithmetic,
    /// The program, constants as literals.
    pub program: Program,
    /// Its price.
    pub price: Price,
    /// Its reductions and the shapes of its cores.
    pub origin: String,
    /// What the sample says.
    pub measured: Measured,
    /// The figure that the question bounds.
    pub figure: f64,
    /// Demands that are not met, in words.
    pub broken: Vec<String>,
}
