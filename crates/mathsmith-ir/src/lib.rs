//! The one intermediate representation of mathsmith: a typed, hash-consed, straight-line program graph.
//!
//! Every stage speaks it: search proposes it, fitting fills its parameters, the interpreter in [`interp`] defines what
//! it means, and the JIT and the emitters must agree with that bit for bit.

mod canon;
pub mod columns;
pub mod corpus;
mod exact;
pub mod interp;
mod literal;
pub mod number;
mod op;
mod program;
pub mod real;
pub mod sample;
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
pub use types::Type;
