//! The table for a person, made from the record alone.

use crate::record::{Bench, Choice, Contestant, Error, Side};
use crate::run::SAME_CODE;
use crate::stats::Quartiles;
use mathsmith_measure::render::grouped;

/// Columns as wide as their content, the last one left-aligned, two blanks between.
pub(crate) fn columns(rows: &[Vec<String>]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |c: usize| rows.iter().filter_map(|r| r.get(c)).map(|s| s.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..count).map(width).collect();
    let mut out = String::new();
    for row in rows {
        let cell =
            |(c, s): (usize, &String)| if c + 1 == count { s.clone() } else { format!("{s:>w$}", w = widths[c]) };
        let cells: Vec<String> = row.iter().enumerate().map(cell).collect();
        out.push_str(&format!("  {}\n", cells.join("  ").trim_end()));
    }
    out
}

/// A time or a ratio: three digits that count.
pub(crate) fn short(x: f64) -> String {
    match x.abs() {
        a if a >= 100.0 => format!("{x:.0}"),
        a if a >= 10.0 => format!("{x:.1}"),
        a if a >= 1.0 => format!("{x:.2}"),
        _ => format!("{x:.3}"),
    }
}

fn spread(q: &Quartiles) -> String {
    format!("{} ({}..{})", short(q.median), short(q.q1), short(q.q3))
}

/// An error in ULP with the word for how it was found.
pub(crate) fn ulp(error: Option<&Error>) -> String {
    let Some(e) = error else { return "not known".into() };
    let figure = match e.max_ulp {
        Some(u) if u >= 1e4 => format!("{u:.1e}"),
        Some(u) => format!("{u:.3}"),
        None => "infinite".into(),
    };
    let kind = if e.wrong_class { ", wrong in kind" } else { "" };
    let word = if e.coverage == "exhaustive" { String::new() } else { format!(" ({})", e.coverage) };
    format!("{figure}{kind}{word}")
}

/// The whole bench as text.
pub fn table(bench: &Bench) -> String {
    let mut out = head(bench);
    out.push('\n');
    out.push_str(&contestants(bench));
    out.push_str(&ratios(bench));
    out.push_str(&models(bench));
    let notes: Vec<String> = bench
        .contestants
        .iter()
        .flat_map(|c| c.notes.iter().filter(|n| !n.ends_with(SAME_CODE)).map(move |n| format!("  {}: {n}\n", c.name)))
        .collect();
    if !notes.is_empty() {
        out.push_str(&format!("\nnotes\n{}", notes.concat()));
    }
    if !bench.missing.is_empty() {
        out.push_str("\nnot there\n");
        for m in &bench.missing {
            out.push_str(&format!("  {}: {}\n", m.what, m.why.lines().next().unwrap_or_default()));
        }
    }
    out
}

fn head(bench: &Bench) -> String {
    let domain = bench.domain.as_deref().map_or("the whole format".into(), |d| format!("on {d}"));
    let machine = &bench.machine;
    let core = machine.core.map_or("no fixed core".into(), |c| format!("core {c}"));
    let mut out = format!(
        "{}: {}, {domain}, {}\n{}, {}, {} GHz measured, {core}\n",
        bench.subject,
        bench.reference,
        bench.format,
        machine.cpu,
        machine.arch,
        short(machine.ghz.median)
    );
    for tool in &bench.compilers {
        out.push_str(&format!("{}: {}; {}\n", tool.name, tool.version, tool.flags.join(" ")));
    }
    let i = &bench.inputs;
    out.push_str(&format!(
        "{} inputs in the first cache, {}, from {:e} to {:e}, seed {}; {} rounds in turn\n",
        grouped(i.batch as u64),
        i.mix.words(),
        i.range[0],
        i.range[1],
        i.seed,
        bench.rounds
    ));
    if let Some(nothing) = &bench.nothing {
        out.push_str(&format!(
            "a loop that only copies takes {} ns an element; what the chain costs is taken off every latency\n",
            short(nothing.throughput.median)
        ));
    }
    out
}

fn contestants(bench: &Bench) -> String {
    let mut rows = vec![["ns/element (quartiles)", "cycles", "latency ns", "max ULP", ""].map(String::from).to_vec()];
    let row = |c: &Contestant| {
        vec![
            spread(&c.timing.throughput),
            short(c.timing.throughput.median * bench.machine.ghz.median),
            c.timing.latency.map_or("-".into(), |l| short(l.median)),
            ulp(c.error.as_ref()),
            c.name.clone(),
        ]
    };
    let of = |side: Side| bench.contestants.iter().filter(move |c| c.side == side).map(row);
    rows.extend(of(Side::Own));
    let own = rows.len();
    rows.extend(of(Side::Peer));
    let text = columns(&rows);
    // A line between own code and peers.
    let mut lines: Vec<&str> = text.lines().collect();
    if own < lines.len() {
        lines.insert(own, "");
    }
    lines.join("\n") + "\n"
}

fn why(choice: &Choice) -> String {
    match choice {
        Choice::AtMost { max_ulp, own: true } => format!("that errs no more ({max_ulp:.3} ULP)"),
        Choice::AtMost { max_ulp, .. } => format!("of at most {max_ulp} ULP"),
        Choice::VectorAtMost { max_ulp } => format!("of vector functions of at most {max_ulp} ULP"),
        Choice::Fastest => "of all".into(),
        Choice::Named => "named".into(),
    }
}

/// One line for own code and peer, with everything that the peer is the fastest of.
fn ratios(bench: &Bench) -> String {
    if bench.comparisons.is_empty() {
        return String::new();
    }
    let heads = ["own code", "times as fast (quartiles)", "in a chain", "as (the fastest peer ...)"];
    let mut rows = vec![heads.map(String::from).to_vec()];
    let mut shown: Vec<(&str, Option<&str>)> = Vec::new();
    for c in &bench.comparisons {
        let pair = (c.own.as_str(), c.peer.as_deref());
        if shown.contains(&pair) {
            continue;
        }
        shown.push(pair);
        let same: Vec<&Choice> = bench
            .comparisons
            .iter()
            .filter(|o| (o.own.as_str(), o.peer.as_deref()) == pair)
            .map(|o| &o.choice)
            .collect();
        // The fastest vector function is worth a word only where something else is faster.
        let said = |choice: &&&Choice| match choice {
            Choice::VectorAtMost { max_ulp } => {
                !same.iter().any(|o| **o == Choice::AtMost { max_ulp: *max_ulp, own: false })
            }
            _ => true,
        };
        let reasons = same.iter().filter(said).map(|c| why(c)).collect::<Vec<_>>().join(", ");
        let speedup = c.speedup.as_ref().map_or("-".into(), spread);
        let chain = c.latency_speedup.as_ref().map_or("-".into(), |q| short(q.median));
        rows.push(vec![c.own.clone(), speedup, chain, format!("{}: {reasons}", c.peer.as_deref().unwrap_or("none"))]);
    }
    format!("\n{}", columns(&rows))
}

/// One line for own code: measured cycles, and those of each model with the ratio of measured to modelled.
fn models(bench: &Bench) -> String {
    if bench.models.is_empty() {
        return String::new();
    }
    let mut names: Vec<&str> = Vec::new();
    let mut own: Vec<&str> = Vec::new();
    for m in &bench.models {
        for (list, name) in [(&mut names, &m.model), (&mut own, &m.own)] {
            if !list.contains(&name.as_str()) {
                list.push(name);
            }
        }
    }
    let mut head = vec!["cycles an element".to_owned()];
    head.extend(names.iter().map(|n| format!("{n} (ratio)")));
    head.push("latency".into());
    head.extend(names.iter().map(|n| format!("{n} (ratio)")));
    head.push(String::new());
    let mut rows = vec![head];
    for name in own {
        let of = |model: &str| bench.models.iter().find(|m| m.own == name && m.model == model);
        let any = bench.models.iter().find(|m| m.own == name);
        let beside = |measured: Option<f64>, modelled: Option<f64>| match (measured, modelled) {
            (Some(a), Some(b)) if b > 0.0 => format!("{} ({})", short(b), short(a / b)),
            (_, Some(b)) => short(b),
            _ => "-".into(),
        };
        let mut row = vec![any.map_or("-".into(), |m| short(m.measured))];
        row.extend(names.iter().map(|n| beside(any.map(|m| m.measured), of(n).map(|m| m.cycles))));
        let latency = any.and_then(|m| m.measured_latency);
        row.push(latency.map_or("-".into(), short));
        row.extend(names.iter().map(|n| beside(latency, of(n).map(|m| m.latency))));
        row.push(name.to_owned());
        rows.push(row);
    }
    let mut out = format!(
        "\nmeasured cycles, the loop and its loads and stores included, and modelled ones, without (ratio: measured to \
         modelled)\n{}",
        columns(&rows)
    );
    for r in &bench.ranks {
        out.push_str(&format!(
            "  {} ranks {} of {} pairs of entries by {} as this machine does\n",
            r.model, r.agree, r.pairs, r.compiler
        ));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_keep_three_digits() {
        assert_eq!([0.0871, 1.234, 12.34, 1234.5].map(short), ["0.087", "1.23", "12.3", "1234"].map(String::from));
        assert_eq!(ulp(None), "not known");
        let error = Error {
            coverage: "sampled".into(),
            inputs: 9,
            max_ulp: Some(0.98765),
            at: String::new(),
            wrong_class: true,
        };
        assert_eq!(ulp(Some(&error)), "0.988, wrong in kind (sampled)");
    }
}
