//! The one intermediate representation of mathsmith: a typed, hash-consed, straight-line program graph.
//!
//! Every stage speaks it: search proposes it, fitting fills its parameters, the interpreter in [`interp`] defines what
//! it means, and the JIT and the emitters must agree with that bit for bit.
//!
//! ```
//! use mathsmith_ir::{Column, Engine, Interpreter, Program};
//!
//! let program: Program = "
//!     program line(x: f32) -> (f32) {
//!       param slope: f32 = 2
//!       y = fma x, slope, 0.5
//!       return y
//!     }".parse()?;
//! let (x, mut y) = (Column::F32(vec![1.0, -3.0]), Column::F32(vec![0.0; 2]));
//! let slope = program.params()[0].value.expect("the text gives it");
//! Interpreter::new(&program)?.run(&[slope], &[x.as_ref()], &mut [y.as_mut()])?;
//! assert_eq!(y, Column::F32(vec![2.5, -5.5]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | module | what it does |
//! | --- | --- |
//! | [`text`] | the text form, read and printed exactly; also what serde stores |
//! | [`verify`] | the invariants of a program, checked |
//! | [`interp`], [`columns`] | the reference interpreter; the trait that all engines share |
//! | [`kernels`] | the elementary functions as programs of base operations |
//! | [`staged`] | reductions over rows: their order, and engines for programs that have them |
//! | [`real`], [`number`] | evaluation on reals, in any number type |
//! | [`corpus`] | the programs with expected bits that every engine must agree with |
//! | [`sample`] | random programs for property tests |
//!
//! `Program` itself has the passes: [`Program::compacted`], [`Program::bound`], [`Program::folded`],
//! [`Program::renumbered`], [`Program::structural_hash`], [`Program::convert_type`], [`Program::to_real`].

mod canon;
pub mod columns;
pub mod corpus;
mod exact;
pub mod interp;
pub mod kernels;
mod literal;
pub mod number;
mod op;
mod program;
pub mod real;
pub mod sample;
pub mod staged;
pub mod text;
mod transform;
mod types;
pub mod verify;
mod wire;

pub use columns::{Column, ColumnMut, ColumnRef, Engine, EngineError};
pub use interp::Interpreter;
pub use literal::{Literal, RealLit};
pub use number::Number;
pub use op::Op;
pub use program::{BuildError, Input, NO_VALUE, Node, NodeHasher, Param, Program, Table, Value};
pub use real::RealPlan;
pub use staged::Staged;
pub use types::Type;
