//! The test beside an emitted function of two arguments: a replay of pairs, since no test tries 2^64 of them.
//!
//! The templates are `support/test_pairs.c` and `support/test_pairs.rs`. Both draw the pairs that [`drawn`] draws.

use crate::header::grouped;
use crate::{EmitError, Lang, check, names};
use mathsmith_ir::{Program, Type};
use mathsmith_verify::checksum::mix64;
use mathsmith_verify::report::hex;
use std::fmt::Write;

/// A pair with the program's result there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairRow {
    /// The inputs.
    pub x: [f32; 2],
    /// The program's result.
    pub result: f32,
    /// The exact value as a sum of two doubles, the larger first; used for the worst pairs.
    pub exact: (f64, f64),
}

/// What the test of a function of two arguments holds a build against.
#[derive(Clone, Debug, PartialEq)]
pub struct Replay {
    /// Keys (`mathsmith_verify::domain::key`) of the least and the greatest input of each argument.
    pub ends: [[i64; 2]; 2],
    /// Seed of the pairs.
    pub seed: u64,
    /// How many pairs are drawn.
    pub count: u64,
    /// The sum of [`replay_term`] over them, modulo 2^64.
    pub checksum: u64,
    /// Largest error in ULP that was found.
    pub stated: f64,
    /// Pairs of large errors, of finite exact values and results.
    pub worst: Vec<PairRow>,
    /// Special pairs.
    pub special: Vec<PairRow>,
}

/// The pair with number `i`, drawn evenly over the floats of a box.
pub fn drawn(ends: &[[i64; 2]; 2], seed: u64, i: u64) -> [f32; 2] {
    std::array::from_fn(|a| {
        let random = mix64(mix64(seed.wrapping_add(1)).wrapping_add(2 * i + a as u64)) >> 32;
        let [first, last] = ends[a];
        // At most 2^32 floats, so the product fits.
        mathsmith_verify::domain::from_key(first + ((random * (last - first + 1) as u64) >> 32) as i64)
    })
}

/// The term of one pair in the checksum of a replay.
pub fn replay_term(x: [f32; 2], result: f32) -> u64 {
    let bits = mathsmith_verify::checksum::canonical_bits(result);
    mix64(mix64(u64::from(x[0].to_bits()) << 32 | u64::from(x[1].to_bits())) ^ u64::from(bits))
}

/// The test for a function of two arguments, as [`crate::emit_test`] for one.
///
/// # Errors
/// [`EmitError::NoTest`] if the program is not two `f32` to one `f32`, or its largest error is not finite; otherwise as
/// [`crate::emit_source`].
pub fn emit_pair_test(
    program: &Program,
    lang: Lang,
    name: &str,
    stem: &str,
    replay: &Replay,
) -> Result<String, EmitError> {
    check(program, lang)?;
    names::check(name, lang)?;
    let no = |why: &str| EmitError::NoTest { program: program.name().to_owned(), why: why.to_owned() };
    let inputs: Vec<Type> = program.inputs().iter().map(|i| i.ty).collect();
    let outputs: Vec<Type> = program.outputs().iter().map(|&v| program.ty(v)).collect();
    if inputs != [Type::F32; 2] || outputs != [Type::F32] {
        return Err(no("this one has other inputs or outputs than two of `f32` to one"));
    }
    if !replay.stated.is_finite() {
        return Err(no("it returns NaN or an infinity where the function has a number"));
    }
    let (mut worst, mut special) = (String::new(), String::new());
    let bits = |row: &PairRow| {
        let result = mathsmith_verify::checksum::canonical_bits(row.result);
        format!("0x{:08x}, 0x{:08x}, 0x{result:08x}", row.x[0].to_bits(), row.x[1].to_bits())
    };
    for row in &replay.worst {
        let (bits, (hi, lo)) = (bits(row), row.exact);
        // Writing to a string cannot fail.
        let _ = match lang {
            Lang::C => writeln!(worst, "    {{ {bits}, {}, {} }},", hex(hi), hex(lo)),
            Lang::Rust => writeln!(worst, "    ({bits}, {hi:?}, {lo:?}),"),
        };
    }
    for row in &replay.special {
        let _ = match lang {
            Lang::C => writeln!(special, "    {{ {} }},", bits(row)),
            Lang::Rust => writeln!(special, "    ({}),", bits(row)),
        };
    }
    let (template, stated, compile) = match lang {
        Lang::C => {
            // C has no empty arrays: each ends with a row that is not counted.
            worst.push_str("    { 0, 0, 0, 0, 0 },\n");
            special.push_str("    { 0, 0, 0 },\n");
            let compile = format!("cc -O2 -march=native {stem}_test.c -o {stem}_test -lm");
            (include_str!("support/test_pairs.c"), hex(replay.stated), compile)
        }
        Lang::Rust => {
            let compile = format!("rustc -O -Ctarget-cpu=native {stem}_test.rs");
            (include_str!("support/test_pairs.rs"), format!("{:?}", replay.stated), compile)
        }
    };
    let [[first_x, last_x], [first_y, last_y]] = replay.ends.map(|ends| ends.map(|key| key.to_string()));
    Ok(template
        .replace("@NAME@", name)
        .replace("@STEM@", stem)
        .replace("@COMPILE@", &compile)
        .replace("@COUNT@", &grouped(replay.count))
        .replace("@REPLAYS@", &replay.count.to_string())
        .replace("@SEED@", &replay.seed.to_string())
        .replace("@FIRST_X@", &first_x)
        .replace("@LAST_X@", &last_x)
        .replace("@FIRST_Y@", &first_y)
        .replace("@LAST_Y@", &last_y)
        .replace("@CHECKSUM@", &format!("0x{:016x}", replay.checksum))
        .replace("@STATED@", &stated)
        .replace("@WORST@", &worst)
        .replace("@SPECIAL@", &special))
}
