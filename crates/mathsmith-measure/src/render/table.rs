//! The answer as text: what was asked, a comparison, then each subject.

use super::text::{Align, Columns, arguments, grouped, labelled, mean, place, share, ulp};
use super::{Detail, details};
use crate::record::{Asked, Measurement, SubjectFailure};
use mathsmith_verify::measured::Measured;

/// Longest name of a subject in the comparison.
const NAME: usize = 24;

/// One readable answer for subjects measured against the same reference, and for those that could not be.
///
/// Lines are at most 110 characters wide except where a single word (a path, a long argument) is wider. A comparison leads
/// where there are several subjects. The text ends with a line feed; it holds no colours or control characters.
pub fn table(measurements: &[Measurement], failures: &[SubjectFailure], detail: Detail) -> String {
    let mut out = String::new();
    if let Some(first) = measurements.first() {
        out.push_str(&question(first));
    }
    if measurements.len() > 1 {
        out.push_str(&comparison(measurements));
    }
    for m in measurements {
        out.push_str(&details::subject(m, detail));
    }
    for f in failures {
        out.push_str(&format!("\n{}\n", f.name));
        let at = if f.at.is_empty() { String::new() } else { format!(", at {}", place(&[], &f.at)) };
        out.push_str(&labelled(2, "NOT MEASURED", &format!("{}{at}", f.what)));
    }
    out
}

/// Domain as asked, for a heading: `x on 0..1`, `x in the whole format`.
fn domain(asked: &Asked) -> String {
    let one = |(name, on): (&String, &Option<String>)| match on {
        Some(on) => format!("{name} on {on}"),
        None => format!("{name} on all of {}", asked.format),
    };
    asked.variables.iter().zip(&asked.domain).map(one).collect::<Vec<_>>().join(", ")
}

/// What all subjects share.
fn question(m: &Measurement) -> String {
    let a = &m.asked;
    let judged = if a.out == a.format { String::new() } else { format!(", judged after a rounding to {}", a.out) };
    let zero = if a.ftz {
        "subnormals flushed to zero: subnormal inputs are left out, a zero for a subnormal result is right"
    } else {
        "subnormals kept"
    };
    let mut out = format!("{}, {}, {}{judged}\n", a.reference, domain(a), a.format);
    out.push_str(&labelled(0, "coverage", &coverage(&m.measured)));
    out.push_str(&labelled(0, "rounding", &format!("{}; {zero}", m.rounding)));
    out.push_str(&labelled(0, "processor", &format!("{} {}", m.cpu.arch, m.cpu.features.join(" "))));
    out
}

/// The coverage word with what it means.
pub(super) fn coverage(m: &Measured) -> String {
    use mathsmith_verify::Coverage;
    let seed = m.seed.map_or_else(String::new, |s| format!(", seed {s}"));
    let n = grouped(m.inputs);
    match m.coverage {
        Coverage::Exhaustive => format!("exhaustive: every one of {n} inputs was evaluated and judged"),
        Coverage::Certified => format!("certified: proven bounds, {n} inputs evaluated"),
        Coverage::Sampled => format!("sampled: {n} inputs{seed}; the largest errors are lower bounds"),
    }
}

/// A name cut at its left to fit a column.
fn short(name: &str) -> String {
    let n = name.chars().count();
    if n <= NAME { name.to_owned() } else { format!("…{}", name.chars().skip(n - NAME + 1).collect::<String>()) }
}

/// Results of a wrong class.
pub(super) fn wrong_classes(m: &Measured) -> u64 {
    details::classes(m).iter().map(|(_, t)| t.count).sum()
}

/// Results that the mean, the histogram and the count of those not correctly rounded are about: all, or the random part of
/// a sample.
pub(super) fn judged(m: &Measured) -> u64 {
    match m.coverage {
        mathsmith_verify::Coverage::Sampled => m.histogram.counts.iter().sum(),
        _ => m.inputs,
    }
}

/// The largest error where the class is right, for a maximum that is infinite. It stems from the profile, which has
/// 16 bits behind the point.
pub(super) fn right_class_max(m: &Measured) -> Option<f64> {
    if m.max_ulp.value.is_finite() {
        return None;
    }
    let sides = m.profile.iter().flat_map(|p| [p.above.abs(), p.below.abs()]);
    sides.filter(|u| u.is_finite()).reduce(f64::max)
}

fn comparison(all: &[Measurement]) -> String {
    let mut t = Columns::new()
        .column("subject", Align::Left)
        .column("max ULP", Align::Right)
        .column("at", Align::Left)
        .column("not correctly\nrounded", Align::Right)
        .column("mean\nULP", Align::Right)
        .column("wrong\nclasses", Align::Right)
        .column("mono-\ntone", Align::Left)
        .column("coverage", Align::Left)
        .optional("share not\nrounded", Align::Right);
    for m in all {
        let f = &m.measured;
        let monotone = match &f.monotone {
            None => "-",
            Some(c) if c.broken.is_some() => "no",
            Some(_) => "yes",
        };
        t.row(vec![
            short(&m.subject.name),
            ulp(f.max_ulp.value),
            arguments(&f.max_ulp.x),
            grouped(f.not_correctly_rounded),
            mean(f.mean_ulp),
            grouped(wrong_classes(f)),
            monotone.into(),
            f.coverage.word().into(),
            share(f.not_correctly_rounded, judged(f)),
        ]);
    }
    let mut out = format!("\n{}", t.text(2));
    for m in all {
        for f in &m.findings {
            out.push_str(&labelled(2, "WRONG", &format!("{}: {}", m.subject.name, f.what)));
        }
        let unmet: Vec<&str> = m.verdicts.iter().filter(|v| !v.met).map(|v| v.demand.as_str()).collect();
        if !unmet.is_empty() {
            out.push_str(&labelled(2, "NOT MET", &format!("{}: {}", m.subject.name, unmet.join(", "))));
        }
    }
    out
}
