//! The table for a person, made from the record alone.

use crate::record::{Bench, Choice, Comparison, Contestant, Error, Side};
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
    let notes: Vec<String> =
        bench.contestants.iter().flat_map(|c| c.notes.iter().map(move |n| format!("  {}: {n}\n", c.name))).collect();
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
        Choice::AtMost { own: true, .. } => "the fastest peer that errs no more".into(),
        Choice::AtMost { max_ulp, .. } => format!("the fastest peer of at most {max_ulp} ULP"),
        Choice::VectorAtMost { max_ulp } => format!("the fastest vector peer of at most {max_ulp} ULP"),
        Choice::Fastest => "the fastest peer of all".into(),
        Choice::Named => "a peer that was named".into(),
    }
}

fn ratios(bench: &Bench) -> String {
    if bench.comparisons.is_empty() {
        return String::new();
    }
    let mut rows = vec![["own code", "times as fast (quartiles)", "in a chain", "as"].map(String::from).to_vec()];
    let row = |c: &Comparison| {
        let peer = c.peer.as_ref().map_or_else(
            || format!("(there is none) {}", why(&c.choice)),
            |peer| format!("{peer}, {}", why(&c.choice)),
        );
        let speedup = c.speedup.as_ref().map_or("-".into(), spread);
        let chain = c.latency_speedup.as_ref().map_or("-".into(), |q| short(q.median));
        vec![c.own.clone(), speedup, chain, peer]
    };
    rows.extend(bench.comparisons.iter().map(row));
    format!("\n{}", columns(&rows))
}

fn models(bench: &Bench) -> String {
    if bench.models.is_empty() {
        return String::new();
    }
    let heads =
        ["own code", "model", "modelled cycles", "measured", "ratio", "modelled latency", "measured ", "ratio "];
    let mut rows = vec![heads.map(|h| h.trim().to_owned()).to_vec()];
    for m in &bench.models {
        let ratio = |measured: f64, modelled: f64| if modelled > 0.0 { short(measured / modelled) } else { "-".into() };
        rows.push(vec![
            m.own.clone(),
            m.model.clone(),
            short(m.cycles),
            short(m.measured),
            ratio(m.measured, m.cycles),
            short(m.latency),
            m.measured_latency.map_or("-".into(), short),
            m.measured_latency.map_or("-".into(), |l| ratio(l, m.latency)),
        ]);
    }
    let mut out = format!(
        "\nmodel and machine, in cycles an element (the loop is in the measured ones only)\n{}",
        columns(&rows)
    );
    for r in &bench.ranks {
        out.push_str(&format!(
            "  {} ranks {} of {} pairs of entries as {} does on this machine\n",
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
