//! The test beside an emitted function: a file that a person runs in their own tree, without mathsmith.
//!
//! The templates are `support/test.c` and `support/test.rs`. Both sweep the domain, compare
//! [`mathsmith_verify::checksum`] with the one recorded, and judge the worst inputs by exact values that they carry.

use crate::header::grouped;
use crate::{EmitError, Lang, check, names};
use mathsmith_ir::{Program, Type};
use mathsmith_verify::report::{Coverage, hex};
use mathsmith_verify::{ErrorReport, domain};
use std::fmt::Write;

/// The test for a function that [`emit_source`](crate::emit_source) wrote to the file `STEM.rs` or `STEM.c` in the same
/// folder; the test itself belongs into `STEM_test.rs` or `STEM_test.c`. The stem needs not be the function's name, so that
/// several programs of one function can lie side by side.
///
/// # Errors
/// [`EmitError::NoTest`] if the program is not one `f32` to one `f32`, the report is not exhaustive or its largest error
/// is not finite; otherwise as [`emit_source`](crate::emit_source).
pub fn emit_test(
    program: &Program,
    lang: Lang,
    name: &str,
    stem: &str,
    report: &ErrorReport,
) -> Result<String, EmitError> {
    check(program, lang)?;
    names::check(name, lang)?;
    let no = |why: &str| EmitError::NoTest { program: program.name().to_owned(), why: why.to_owned() };
    let one = |n: usize, ty: Option<Type>| n == 1 && ty == Some(Type::F32);
    if !one(program.inputs().len(), program.inputs().first().map(|i| i.ty))
        || !one(program.outputs().len(), program.outputs().first().map(|&v| program.ty(v)))
    {
        return Err(no("this one has other inputs or outputs"));
    }
    if report.coverage != Coverage::Exhaustive {
        return Err(no("its error was not measured exhaustively, so there is no checksum"));
    }
    if !report.max_ulp.value.is_finite() {
        return Err(no("it returns NaN or an infinity where the function has a number"));
    }
    let (mut worst, mut special) = (String::new(), String::new());
    for w in report.adversarial.iter().filter(|w| w.y_hi.is_finite()) {
        let bits = [w.x_bits, w.output_bits, w.rounded_bits].map(|b| format!("0x{b:08x}")).join(", ");
        // Writing to a string cannot fail.
        let _ = match lang {
            Lang::C => writeln!(worst, "    {{ {bits}, {}, {} }},", hex(w.y_hi), hex(w.y_lo)),
            Lang::Rust => writeln!(worst, "    ({bits}, {:?}, {:?}),", w.y_hi, w.y_lo),
        };
    }
    for s in &report.specials {
        let (x, y) = (s.x_bits, s.got_bits);
        let _ = match lang {
            Lang::C => writeln!(special, "    {{ 0x{x:08x}, 0x{y:08x} }},"),
            Lang::Rust => writeln!(special, "    (0x{x:08x}, 0x{y:08x}),"),
        };
    }
    let (template, checksum, stated, compile) = match lang {
        Lang::C => {
            // C has no empty arrays: each ends with a row that is not counted.
            worst.push_str("    { 0, 0, 0, 0, 0 },\n");
            special.push_str("    { 0, 0 },\n");
            (
                include_str!("support/test.c"),
                format!("0x{:016x}", report.checksum),
                hex(report.max_ulp.value),
                format!("cc -O2 -march=native {stem}_test.c -o {stem}_test -lm"),
            )
        }
        Lang::Rust => (
            include_str!("support/test.rs"),
            format!("0x{:016x}", report.checksum),
            format!("{:?}", report.max_ulp.value),
            format!("rustc -O -Ctarget-cpu=native {stem}_test.rs"),
        ),
    };
    Ok(template
        .replace("@NAME@", name)
        .replace("@STEM@", stem)
        .replace("@COMPILE@", &compile)
        .replace("@LO@", &format!("{:e}", report.lo))
        .replace("@HI@", &format!("{:e}", report.hi))
        .replace("@COUNT@", &grouped(report.inputs))
        .replace("@FIRST@", &domain::key(report.lo).to_string())
        .replace("@LAST@", &domain::key(report.hi).to_string())
        .replace("@CHECKSUM@", &checksum)
        .replace("@STATED@", &stated)
        .replace("@WORST@", &worst)
        .replace("@SPECIAL@", &special))
}
