//! The evidence in front of an emitted function.

use crate::{EmitError, Lang, emit_function, needs_contraction_guard};
use mathsmith_ir::{Node, Op, Program};
use mathsmith_verify::ErrorReport;

/// Where a program comes from: what the comment says beside the error.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Provenance {
    /// The reference function as the person wrote it: `exp2(x)`.
    pub function: String,
    /// The domain as the person wrote it: `0..1`.
    pub domain: String,
    /// Statements that follow the figures: what was asked beside the error, and what holds outside of the domain.
    pub statements: Vec<String>,
    /// Seed of the search, where there was one.
    pub seed: Option<u64>,
    /// Version of mathsmith.
    pub version: String,
    /// The command that makes this file again.
    pub command: String,
}

/// Whether a program holds a fused operation.
fn fused(program: &Program) -> bool {
    let live = program.live();
    program.nodes().iter().zip(live).any(|(n, l)| l && matches!(n, Node::Op(Op::Fma, _)))
}

/// 1065353217 as `1 065 353 217`.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, d) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(d);
    }
    out
}

/// The lines of the header comment.
pub(crate) fn lines(
    program: &Program,
    lang: Lang,
    name: &str,
    provenance: &Provenance,
    report: Option<&ErrorReport>,
) -> Vec<String> {
    let mut out = vec![format!("{name}: {} on {}.", provenance.function, provenance.domain), String::new()];
    if let Some(r) = report {
        let coverage = format!("{}, {} inputs", r.coverage.word(), grouped(r.inputs));
        let seed = r.seed.map(|s| format!(", sample seed {s}")).unwrap_or_default();
        out.push(format!("Error against the exact value, {coverage}{seed}:"));
        for (what, e) in [("ULP", &r.max_ulp), ("relative", &r.max_rel), ("absolute", &r.max_abs)] {
            out.push(format!("  at most {} {what}, at x = {:e} ({})", six_digits_up(e.value), e.input, e.input_hex));
        }
        out.push(format!("  not correctly rounded: {} of the results", grouped(r.not_correctly_rounded)));
        if r.wrong_class > 0 {
            out.push(format!("  NaN or infinite where a number was due, or the reverse: {}", grouped(r.wrong_class)));
        }
        for s in &r.specials {
            let got = f32::from_bits(s.got_bits);
            let good = s.same_class && s.same_zero_sign;
            let expected = f32::from_bits(s.expected_bits);
            let note = if good { String::new() } else { format!(" (the function has {expected:?})") };
            out.push(format!("  {name}({}) = {got:?}{note}", s.input));
        }
        out.push(String::new());
    }
    if !provenance.statements.is_empty() {
        out.extend(provenance.statements.iter().cloned());
        out.push(String::new());
    }
    out.push(match (fused(program), lang) {
        (true, Lang::Rust) => {
            "Uses fused multiply-add: compile with -Ctarget-feature=+fma (or -Ctarget-cpu=native). Without it the same bits \
             come from a slow software path."
                .to_owned()
        }
        (true, Lang::C) => "Uses fmaf or fma: compile with -mfma (or -march=native) and link with -lm. Without FMA the C \
                            library computes the same bits slowly."
            .to_owned(),
        (false, Lang::C) if needs_contraction_guard(program) => {
            "No fused multiply-add, and none may be made: the pragmas below switch contraction off for clang and gcc. gcc \
             inlines the function into loops (and vectorises them) only if the build says -ffp-contract=off as well. With \
             another compiler switch contraction off yourself. -ffast-math breaks the bound."
                .to_owned()
        }
        (false, _) => "No fused multiply-add.".to_owned(),
    });
    let seed = provenance.seed.map(|s| format!(", seed {s}")).unwrap_or_default();
    out.push(format!("Made by mathsmith {}{seed}, with", provenance.version));
    out.push(format!("  {}", provenance.command));
    out.push("Generated code carries no licence: use it freely.".to_owned());
    out.iter().flat_map(|l| wrap(l, 100)).collect()
}

/// A figure to six digits, rounded up so that the statement stays true.
pub fn six_digits_up(x: f64) -> String {
    if !x.is_finite() || x == 0.0 {
        return format!("{x}");
    }
    let mut text = format!("{x:.5e}");
    if text.parse::<f64>().is_ok_and(|t| t < x) {
        // Half a unit of the sixth digit is at most 5e-6 of the figure, so what is rounded now lies above it.
        text = format!("{:.5e}", x * (1.0 + 5.000_001e-6));
    }
    match text.parse::<f64>() {
        Ok(v) if (1e-3..1e6).contains(&v) => format!("{v}"),
        _ => text,
    }
}

fn wrap(line: &str, width: usize) -> Vec<String> {
    if line.len() <= width || line.starts_with("  ") {
        return vec![line.to_owned()];
    }
    let mut out = vec![String::new()];
    for word in line.split(' ') {
        let last = out.last_mut().expect("starts with one line");
        if !last.is_empty() && last.len() + word.len() >= width {
            out.push(word.to_owned());
        } else {
            if !last.is_empty() {
                last.push(' ');
            }
            last.push_str(word);
        }
    }
    out
}

/// A source file: the function under a comment that says what it is, how wrong it can be and how that is known.
///
/// `report` is `None` for a program whose error was not measured; the comment then says nothing about it.
///
/// # Errors
/// As [`emit_function`].
pub fn emit_source(
    program: &Program,
    lang: Lang,
    name: &str,
    provenance: &Provenance,
    report: Option<&ErrorReport>,
) -> Result<String, EmitError> {
    emit_function(program, lang, name, &lines(program, lang, name, provenance, report))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stated_bounds_are_not_below_the_truth() {
        let mut x = 1.234_567_890_123e-9;
        for _ in 0..200 {
            let text = six_digits_up(x);
            let shown: f64 = text.parse().unwrap();
            assert!(shown >= x && shown <= x * 1.000_02, "{x:e} shown as {text}");
            x *= 1.377;
        }
        assert_eq!(six_digits_up(0.5), "0.5");
        assert_eq!(six_digits_up(f64::INFINITY), "inf");
        assert_eq!(grouped(1_065_353_217), "1 065 353 217");
        assert_eq!(grouped(12), "12");
    }
}
