//! Everything known about one subject.

use super::text::{
    Align, Columns, WIDTH, arguments, bar, both, decimal, grouped, labelled, mean, place, share, small, ulp, value,
};
use super::{Detail, binades, declaration, symbol, table};
use crate::record::{Measurement, Source};
use mathsmith_native::subject::Spec;
use mathsmith_oracle::FloatFormat;
use mathsmith_verify::measured::{Check, Measured, Parity, Peak, SpecialPoint, Tally};
use mathsmith_verify::report::Histogram;

/// Longest list of special inputs in a summary; those that are wrong are always shown.
const SPECIALS: usize = 16;

/// Every count of wrong classes with its words.
pub(super) fn classes(m: &Measured) -> [(&'static str, &Tally); 6] {
    let c = &m.classes;
    [
        ("NaN for a number", &c.nan_for_number),
        ("a number for NaN", &c.number_for_nan),
        ("infinity for a finite value", &c.infinity_for_finite),
        ("a finite value for infinity", &c.finite_for_infinity),
        ("zero for a nonzero value", &c.zero_for_nonzero),
        ("the wrong sign", &c.wrong_sign),
    ]
}

/// One subject, in sections.
pub(super) fn subject(m: &Measurement, detail: Detail) -> String {
    let f = &m.measured;
    let input = FloatFormat::named(&f.format);
    let subnormal = input.map_or(-127, |i| i.min_exponent - 1);
    let names = &m.asked.variables;
    let mut out = format!("\n{}\n", m.subject.name);
    out.push_str(&origin(m));
    if !m.findings.is_empty() || !m.verdicts.is_empty() {
        out.push_str(&verdicts(m));
    }
    out.push_str(&figures(f, names));
    out.push_str(&histogram(f, detail));
    out.push_str(&properties(f, names));
    out.push_str(&specials(f, detail));
    out.push_str(&binades::table(f, names.first().map_or("x", String::as_str), subnormal, detail == Detail::Full));
    out
}

/// Where the code comes from.
fn origin(m: &Measurement) -> String {
    let mut out = String::new();
    let mut line = |label: &str, text: &str| out.push_str(&labelled(2, label, text));
    line("function", &declaration(symbol(m).unwrap_or("f"), &m.subject.signature));
    match &m.subject.source {
        Source::Native(o) => {
            let label = match o.spec {
                Spec::C { .. } | Spec::Rust { .. } => "source",
                Spec::CoreMath { .. } | Spec::LibmCrate { .. } => "crate",
                _ => "library",
            };
            match &o.file {
                Some(path) => {
                    line(label, &path.display().to_string());
                    line("sha-256", &o.hash);
                }
                None => line(label, &o.hash),
            }
            if let Some(compiler) = &o.compiler {
                line("compiler", compiler);
                line("flags", if o.flags.is_empty() { "none".into() } else { o.flags.join(" ") }.as_str());
            }
        }
        Source::Program { path, hash, engine } => {
            line("program", path);
            line("sha-256", hash);
            line("run by", engine);
        }
    }
    for note in &m.subject.notes {
        line("", note);
    }
    out
}

/// Demands and findings, what is not met first.
fn verdicts(m: &Measurement) -> String {
    let mut out = String::from("\n");
    for f in &m.findings {
        let at = if f.at.is_empty() { String::new() } else { format!(" (at {})", place(&m.asked.variables, &f.at)) };
        out.push_str(&labelled(2, "WRONG", &format!("{}{at}", f.what)));
    }
    let mut sorted: Vec<_> = m.verdicts.iter().collect();
    sorted.sort_by_key(|v| v.met);
    for v in sorted {
        let label = if v.met { "met" } else { "NOT MET" };
        let at = match v.at.is_empty() {
            false if !v.detail.contains(&v.at[0]) => format!(" (at {})", place(&m.asked.variables, &v.at)),
            _ => String::new(),
        };
        out.push_str(&labelled(2, label, &format!("{}: {}{at}", v.demand, v.detail)));
    }
    out
}

/// The largest errors, the mean and the count.
fn figures(f: &Measured, names: &[String]) -> String {
    let word = f.coverage.word();
    let count = grouped(f.inputs);
    let bound = match f.coverage {
        mathsmith_verify::Coverage::Sampled => format!("{word}, {count} inputs, lower bounds"),
        _ => format!("{word}, {count} inputs"),
    };
    let seed = f.seed.map_or_else(String::new, |s| format!(", seed {s}"));
    let mut out = format!("\n  largest errors ({bound}{seed})\n");
    let mut rows: Vec<(&str, String, &Peak)> =
        vec![("max ULP", ulp(f.max_ulp.value), &f.max_ulp), ("max relative", small(f.max_rel.value), &f.max_rel)];
    if let Some(p) = &f.max_rel_normal {
        rows.push(("max relative, normal results", small(p.value), p));
    }
    rows.push(("max absolute", small(f.max_abs.value), &f.max_abs));
    // Beside each other where all fit; else the decimal under the hexadecimal float.
    let wide = rows.iter().map(|r| arguments(&r.2.x).len() + arguments(&r.2.x_decimal).len()).max();
    let beside = wide.unwrap_or(0) + 4 + 28 + 14 + 10 <= WIDTH;
    let start = 4 + 28 + 2 + 12 + 2;
    let mut last: Option<&Peak> = None;
    for (name, figure, p) in rows {
        let x = place(names, &p.x);
        out.push_str(&format!("    {name:<28}  {figure:>12}  at {x}"));
        let digits = arguments(&p.x_decimal);
        if p.x_decimal != p.x {
            out.push_str(&if beside {
                format!("  ({digits})")
            } else {
                format!("\n{:start$}   in decimal {digits}", "")
            });
        }
        out.push('\n');
        if last.is_none_or(|l| l.x != p.x) {
            out.push_str(&format!("{:start$}result {}, exact {}\n", "", p.result, p.exact));
        }
        last = Some(p);
    }
    if let Some(u) = table::right_class_max(f) {
        let text = format!("{u:.4}");
        out.push_str(&format!("    {:<28}  {text:>12}  (plotted, to 2^-16 ULP)\n", "max ULP, right classes"));
    }
    // Of a sample the search's results are left out: they are where errors are large.
    let judged = table::judged(f);
    let of =
        if judged == f.inputs { String::new() } else { format!(" of the random part, {} inputs", grouped(judged)) };
    let line = format!("{:<28}  {:>12} {of}", "mean ULP", mean(f.mean_ulp));
    out.push_str(&format!("    {}\n", line.trim_end()));
    let part = share(f.not_correctly_rounded, judged);
    let whole = if of.is_empty() { format!(" of {count}") } else { of };
    let line = format!("{:<28}  {:>12} {whole} ({part})", "not correctly rounded", grouped(f.not_correctly_rounded));
    out.push_str(&format!("    {line}\n"));
    out
}

/// Lower edges of the lines of a summary's histogram; each is an edge of a bin.
const EDGES: [f64; 19] =
    [0.0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0, 8.0, 16.0, 64.0, 256.0, 1024.0];

/// Counts by error, with bars as long as the share.
fn histogram(f: &Measured, detail: Detail) -> String {
    let counts = &f.histogram.counts;
    let edges: Vec<f64> = match detail {
        Detail::Summary => EDGES.to_vec(),
        Detail::Full => (0..counts.len()).map(Histogram::lower_edge).collect(),
    };
    let mut lines = vec![0u64; edges.len()];
    for (bin, &n) in counts.iter().enumerate() {
        let lower = Histogram::lower_edge(bin);
        // Every bin begins at or above the first edge, which is 0.
        let line = edges.iter().rposition(|&e| e <= lower).unwrap_or(0);
        lines[line] += n;
    }
    let total: u64 = lines.iter().sum();
    let shown = lines.iter().rposition(|&n| n > 0).map_or(0, |i| i + 1);
    let mut out = format!(
        "\n  results by error in ULP ({}, {} results; correctly rounded ones lie at 0.5 and below)\n",
        f.coverage.word(),
        grouped(total)
    );
    let mut t = Columns::new()
        .column("from", Align::Right)
        .column("to", Align::Left)
        .column("results", Align::Right)
        .column("share", Align::Right)
        .column("", Align::Left);
    let mut i = 0;
    while i < shown {
        // A stretch without results is one line.
        let next = if lines[i] > 0 { i + 1 } else { (i..shown).find(|&k| lines[k] > 0).unwrap_or(shown) };
        let to = edges.get(next).map_or("or a wrong class".to_owned(), f64::to_string);
        let part = lines[i] as f64 / total.max(1) as f64;
        t.row(vec![edges[i].to_string(), to, grouped(lines[i]), share(lines[i], total), bar(part, 40)]);
        i = next;
    }
    out.push_str(&t.text(4));
    out
}

/// A check in words; a break with its inputs and results, a line each.
fn check(c: &Check, unit: &str, names: &[String], format: Option<FloatFormat>) -> String {
    let Some(b) = &c.broken else {
        return if c.looked_at == 0 {
            "not shown: there was nothing to look at".into()
        } else {
            format!("yes, {} {unit}", grouped(c.looked_at))
        };
    };
    let inputs: Vec<String> = b.at.iter().map(|x| both(x, format)).collect();
    let mut out = format!("NO: {}; first at", b.what);
    if names.len() < 2 && inputs.len() == b.results.len() {
        for (x, y) in inputs.iter().zip(&b.results) {
            out.push_str(&format!("\n{}: {y}", place(names, &[x])));
        }
    } else {
        out.push_str(&format!("\n{}: {}", place(names, &inputs), b.results.join(" and ")));
    }
    out
}

/// Monotone, symmetric, pure, range, tolerance, classes: one line each.
fn properties(f: &Measured, names: &[String]) -> String {
    let format = FloatFormat::named(&f.format);
    let mut out = String::from("\n");
    let mut line = |label: &str, text: &str| out.push_str(&labelled(2, label, text));
    match &f.monotone {
        Some(c) => line("monotone", &check(c, "pairs of neighbours, none against the reference", names, format)),
        None => line("monotone", "not looked at (two arguments)"),
    }
    match &f.parity {
        Some((Parity::Odd, c)) => line("odd", &check(c, "pairs, f(-x) = -f(x) bit for bit", names, format)),
        Some((Parity::Even, c)) => line("even", &check(c, "pairs, f(-x) = f(x) bit for bit", names, format)),
        None => line("odd, even", "the reference is neither on this domain"),
    }
    line("pure", &check(&f.pure, "inputs called twice gave the same bits", names, format));
    let end = |i: usize| {
        let expected = if f.range.expected[i] == f.range.got[i] {
            "as is right".into()
        } else {
            format!("right: {}", f.range.expected[i])
        };
        format!("{} at {} ({expected})", f.range.got[i], place(names, &f.range.at[i]))
    };
    if f.range.got.iter().all(|y| y == "nan") {
        let [least, greatest] = &f.range.expected;
        line("results", &format!("none is a number; the right ones lie in {least} .. {greatest}"));
    } else {
        line("results", &format!("least {}\ngreatest {}", end(0), end(1)));
    }
    if let Some(t) = &f.tolerated {
        let verdict = if t.beyond.count == 0 { "met at every input evaluated" } else { "NOT met" };
        let first = first(&t.beyond, names, format);
        line(
            "tolerance",
            &format!(
                "{}: {verdict}\nlargest error {} of it at {}\nbeyond it {} inputs{first}",
                t.tolerance,
                small(t.worst.value),
                place(names, &t.worst.x),
                grouped(t.beyond.count)
            ),
        );
    }
    let wrong = table::wrong_classes(f);
    if wrong == 0 {
        line(
            "classes",
            &format!(
                "all right: NaN, infinities, zeros and signs as they should be at {} inputs{}",
                grouped(f.inputs),
                if f.specials.iter().all(|s| s.same_class && s.same_zero_sign) {
                    ""
                } else {
                    ", but not at each special input below"
                }
            ),
        );
    } else {
        line("classes", &format!("{} WRONG of {}", grouped(wrong), grouped(f.inputs)));
        for (words, t) in classes(f).into_iter().filter(|(_, t)| t.count > 0) {
            line("", &format!("{}: {}{}", words, grouped(t.count), first(t, names, format)));
        }
    }
    if f.ftz {
        line("flushed", &format!("{} zeros accepted in place of subnormal results", grouped(f.flushed)));
    }
    line("settled", &format!("{} inputs by MPFR; the others by bounds", grouped(f.settled)));
    line("checksum", &f.checksum);
    out
}

fn first(t: &Tally, names: &[String], format: Option<FloatFormat>) -> String {
    match &t.first {
        Some(x) => format!(", first at {}", place(names, &x.iter().map(|x| both(x, format)).collect::<Vec<_>>())),
        None => String::new(),
    }
}

/// Class of a value in words.
fn class(text: &str) -> &'static str {
    match value(text) {
        Some(x) if x.is_nan() => "NaN",
        Some(x) if x.is_infinite() => "infinity",
        Some(0.0) => "zero",
        Some(x) if x < 0.0 => "negative",
        Some(_) => "positive",
        None => "?",
    }
}

/// Zeros, infinities, NaN, ends, seams: what was expected, what came.
fn specials(f: &Measured, detail: Detail) -> String {
    if f.specials.is_empty() {
        return String::new();
    }
    let good = |s: &SpecialPoint| s.same_class && s.same_zero_sign;
    let mut shown: Vec<&SpecialPoint> = f.specials.iter().collect();
    let mut left = 0;
    if detail == Detail::Summary && shown.len() > SPECIALS {
        let mut room = SPECIALS.saturating_sub(shown.iter().filter(|s| !good(s)).count());
        let all = shown.len();
        shown.retain(|s| {
            let keep = !good(s) || room > 0;
            room = room.saturating_sub(usize::from(good(s)));
            keep
        });
        left = all - shown.len();
    }
    let format = FloatFormat::named(&f.format);
    let mut out = String::from("\n  special inputs: what is right, what came\n");
    let mut t = Columns::new()
        .column("input", Align::Left)
        .column("x", Align::Left)
        .optional("decimal", Align::Left)
        .column("correctly\nrounded", Align::Left)
        .column("result", Align::Left)
        .column("ULP", Align::Right)
        .column("", Align::Left);
    for s in shown {
        let judged = match (s.same_class, s.same_zero_sign) {
            (false, _) => format!("WRONG CLASS: {} for {}", class(&s.got), class(&s.expected)),
            (true, false) => "zero of the other sign".into(),
            _ => "right class".into(),
        };
        let digits = s.x.iter().map(|x| match (value(x), format) {
            (Some(x), Some(format)) => decimal(x, format),
            _ => x.clone(),
        });
        let digits = arguments(&digits.collect::<Vec<_>>());
        t.row(vec![s.what.clone(), arguments(&s.x), digits, s.expected.clone(), s.got.clone(), ulp(s.ulp), judged]);
    }
    out.push_str(&t.text(4));
    if left > 0 {
        out.push_str(&format!("    {left} more of the right class; --full lists them\n"));
    }
    out
}
