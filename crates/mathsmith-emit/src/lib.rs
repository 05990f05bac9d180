//! Rust and C with the tests that re-prove them.
//!
//! A [`Program`] becomes a function that can be pasted into a code base: Rust that needs neither
//! `std` nor a crate, or C99. The emitted function computes what the interpreter computes, bit for bit, whatever the
//! compiler and its level of optimisation (short of flags that give up IEEE arithmetic, which the emitted tests detect):
//!
//! * products and sums are never contracted, and a fused operation is fused on every machine, in software where the
//!   processor has none;
//! * integers wrap without undefined behaviour; conversions saturate; shift counts are taken modulo the width;
//! * `min` and `max` are the comparisons that the operation is defined by;
//! * elementary functions are written out as the kernels that define them.
//!
//! [`check()`] says beforehand whether a language can express a program. [`emit_source`] writes function and evidence,
//! [`emit_test`] the test beside it, [`emit_real`] the formula of a program over the reals.

mod c;
mod check;
mod harness;
mod harness_pairs;
mod header;
mod literal;
mod names;
mod real;
mod rust;

pub use check::{EmitError, Lang, check, needs_contraction_guard};
pub use harness::emit_test;
pub use harness_pairs::{PairRow, Replay, drawn, emit_pair_test, replay_term};
pub use header::{Provenance, emit_source, six_digits_up};
pub use names::check as check_name;
pub use real::{digits_for, emit_real};

use mathsmith_ir::{Program, kernels};

/// The function alone, under a comment of the given lines.
///
/// # Errors
/// [`EmitError`] if the name is not an identifier of the language or the program cannot be expressed in it.
pub fn emit_function(program: &Program, lang: Lang, name: &str, comment: &[String]) -> Result<String, EmitError> {
    check(program, lang)?;
    names::check(name, lang)?;
    // Elementary functions are emitted as their kernels: the bits are ours, not those of a library.
    let program = &*kernels::lower(program);
    Ok(match lang {
        Lang::Rust => rust::function(program, name, comment),
        Lang::C => c::function(program, name, comment),
    })
}
