//! The front as a table for a person.

use mathsmith_approx::front::{Entry, Front};
use mathsmith_dsl::{BoundKind, Format, Variant};
use mathsmith_measure::render::grouped;

fn figure(x: f64) -> String {
    if x == 0.0 || (1e-3..1e6).contains(&x) { format!("{x:.4}") } else { format!("{x:.3e}") }
}

/// A table with columns as wide as their content, right-aligned, two blanks between.
fn columns(rows: &[Vec<String>]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |c: usize| rows.iter().filter_map(|r| r.get(c)).map(|s| s.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..count).map(width).collect();
    let mut out = String::new();
    for row in rows {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(s, w)| format!("{s:>w$}")).collect();
        out.push_str("  ");
        out.push_str(cells.join("  ").trim_end());
        out.push('\n');
    }
    out
}

/// `met` or `-`; nothing where no bound was asked for.
fn bound_cell(e: &Entry, bounded: bool) -> String {
    match (bounded, e.meets_bound) {
        (false, _) => "".into(),
        (true, true) => "met".into(),
        (true, false) => "-".into(),
    }
}

/// The figure that was asked for leads; ulp where none was.
fn float_rows(entries: &[&Entry], bound: Option<BoundKind>, bounded: bool) -> Vec<Vec<String>> {
    let inputs = entries.first().map_or(0, |e| e.error.inputs);
    let coverage = entries.first().map_or("", |e| e.error.coverage.as_str());
    let (lead, beside) = match bound {
        Some(BoundKind::MaxRel) => ("max rel", "max ULP"),
        Some(BoundKind::MaxAbs) => ("max abs", "max ULP"),
        _ => ("max ULP", "max rel"),
    };
    let ulp = |e: &Entry| e.error.max_ulp.map_or("-".into(), figure);
    let rel = |e: &Entry| format!("{:.3e}", e.error.max_rel);
    let mut rows = vec![vec![
        "ops".into(),
        "fma".into(),
        "model cycles".into(),
        format!("{lead} ({coverage}, {} inputs)", grouped(inputs)),
        "worst input".into(),
        beside.into(),
        "not correctly rounded".into(),
        if bounded { "bound" } else { "" }.into(),
        "file".into(),
    ]];
    for e in entries {
        let worst = &e.error.worst_input;
        let (first, at, second) = match bound {
            Some(BoundKind::MaxRel) => (rel(e), worst.rel.clone(), ulp(e)),
            Some(BoundKind::MaxAbs) => (format!("{:.3e}", e.error.max_abs), worst.abs.clone(), ulp(e)),
            _ => (ulp(e), worst.ulp.clone().unwrap_or_default(), rel(e)),
        };
        rows.push(vec![
            e.ops.to_string(),
            e.fma.to_string(),
            e.cost.cycles.map_or("-".into(), |c| format!("{c:.2}")),
            first,
            at,
            second,
            e.error.not_correctly_rounded.map_or("-".into(), grouped),
            bound_cell(e, bounded),
            e.files.c.clone().unwrap_or_default(),
        ]);
    }
    rows
}

fn real_rows(entries: &[&Entry], bounded: bool) -> Vec<Vec<String>> {
    let points = entries.first().map_or(0, |e| e.error.inputs);
    let mut rows = vec![vec![
        "ops".into(),
        format!("max rel (sampled, about {} points at 256 bits)", grouped(points)),
        "max abs".into(),
        "worst input".into(),
        if bounded { "bound" } else { "" }.into(),
    ]];
    for e in entries {
        rows.push(vec![
            e.ops.to_string(),
            format!("{:.3e}", e.error.max_rel),
            format!("{:.3e}", e.error.max_abs),
            e.error.worst_input.rel.clone(),
            bound_cell(e, bounded),
        ]);
    }
    rows
}

/// Whether an error was bounded, by a figure or by a tolerance.
pub fn bounded(front: &Front) -> bool {
    front.problem.bound.is_some() || front.problem.tol.is_some()
}

/// The variants that were asked for, in the order of the record.
pub fn variants(front: &Front) -> Vec<&'static str> {
    match (front.problem.format, front.problem.variant) {
        (Format::Real, _) => vec!["real"],
        (_, Variant::Fma) => vec!["fma"],
        (_, Variant::Plain) => vec!["plain"],
        (_, Variant::Both) => vec!["fma", "plain"],
    }
}

/// The whole answer as text.
pub fn front(front: &Front) -> String {
    let mut out = String::new();
    for note in &front.notes {
        out.push_str(&format!("note: {note}\n"));
    }
    for variant in variants(front) {
        let own: Vec<&Entry> = front.front.iter().filter(|e| e.variant == variant).collect();
        out.push_str(&format!("\n{variant} variant"));
        out.push_str(&match own.len() {
            0 => String::from(": no program found\n"),
            n => format!(", {n} programs\n"),
        });
        if own.is_empty() {
            continue;
        }
        let bounded = bounded(front);
        let rows = if variant == "real" {
            real_rows(&own, bounded)
        } else {
            float_rows(&own, front.problem.bound.as_ref().map(|b| b.kind), bounded)
        };
        out.push_str(&columns(&rows));
        // The cheapest that answers; without a bound the most accurate.
        let best = own.iter().find(|e| bounded && e.meets_bound).or(own.last());
        if let Some(e) = best {
            out.push_str(&format!("  {}, {}: {}\n", e.id, e.origin, e.formula.replace('\n', "\n    ")));
        }
        if let Some(e) = own.iter().find(|e| !e.broken.is_empty()) {
            out.push_str(&format!("  {} breaks what was asked: {}\n", e.id, e.broken.join("; ")));
        }
    }
    if front.composed > 0 {
        out.push_str(&format!("\nwhole programs: {} evaluations", grouped(front.composed)));
    }
    for s in &front.searches {
        out.push_str(&format!(
            "\n{}: {} evaluations; {} candidates, {} known by hash-consing, {} more merged by the e-graph",
            s.variant,
            grouped(s.evaluations),
            grouped(s.equalities.proposed),
            grouped(s.equalities.hash_consing),
            grouped(s.equalities.egraph)
        ));
    }
    out.push_str(&format!("\nseed {}, mathsmith {}\n", front.seed, front.version));
    out
}
