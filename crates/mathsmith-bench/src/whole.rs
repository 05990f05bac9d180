//! One table of many benches: every function beside the fastest peer of an accuracy, in Markdown.

use crate::BenchError;
use crate::record::{Bench, Choice, Comparison, Contestant, Side};
use crate::render::{short, ulp};
use crate::run::SAME_CODE;
use crate::stats::geometric_mean;
use std::path::Path;

/// What a table of benches says.
#[derive(Clone, Debug)]
pub struct Question {
    /// Compiler of the own code that counts.
    pub compiler: String,
    /// Bound of the peers' error in ULP.
    pub max_ulp: f64,
}

/// One function of a table.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    name: String,
    /// Nanoseconds an element.
    own: Option<f64>,
    /// Its error, with the word for how it was found where that is not at every input.
    own_ulp: String,
    /// Name, time and error.
    peer: Option<(String, f64, String)>,
    ratio: Option<f64>,
    /// Whether a vector peer of that accuracy exists: only then it counts.
    counts: bool,
}

/// Reads a bench's record.
///
/// # Errors
/// [`BenchError::File`].
pub fn read(path: &Path) -> Result<Bench, BenchError> {
    let bad = |what: String| BenchError::File {
        path: path.into(),
        what,
        help: "name a record that `mathsmith bench --out` has written".into(),
    };
    let text = std::fs::read_to_string(path).map_err(|e| bad(format!("cannot be read: {e}")))?;
    let bench: Bench = serde_json::from_str(&text).map_err(|e| bad(format!("is no record of a bench: {e}")))?;
    if bench.schema == crate::record::SCHEMA { Ok(bench) } else { Err(bad(format!("has schema {}", bench.schema))) }
}

/// The table of some benches, each with a name for its row, and what it amounts to.
pub fn markdown(benches: &[(String, Bench)], question: &Question) -> String {
    let rows: Vec<Row> = benches.iter().map(|(name, bench)| row(name, bench, question)).collect();
    let bound = question.max_ulp;
    let mut out = format!(
        "| function | ours ns | our max ULP | fastest peer of at most {bound} ULP | its ns | its max ULP | times as fast | counts |\n\
         | :-- | --: | --: | :-- | --: | --: | --: | :-- |\n"
    );
    let figure = |x: Option<f64>| x.map_or("-".into(), short);
    for r in &rows {
        let (peer, ns, ulp) = match &r.peer {
            Some((name, ns, ulp)) => (format!("`{name}`"), short(*ns), ulp.as_str()),
            None => ("none".into(), "-".into(), "-"),
        };
        let counts = if r.counts { "yes" } else { "no vector peer" };
        let (own, own_ulp, ratio) = (figure(r.own), &r.own_ulp, figure(r.ratio));
        out.push_str(&format!("| {} | {own} | {own_ulp} | {peer} | {ns} | {ulp} | {ratio} | {counts} |\n", r.name));
    }
    let counted: Vec<f64> = rows.iter().filter(|r| r.counts).filter_map(|r| r.ratio).collect();
    let how_many = |test: &dyn Fn(f64) -> bool| counted.iter().filter(|x| test(**x)).count();
    out.push_str(&format!(
        "\n{} functions count, of {}: {} times as fast in the geometric mean; at least twice as fast: {}; slower than 0.9: {}.\n",
        counted.len(),
        rows.len(),
        geometric_mean(&counted).map_or("-".into(), |m| format!("{m:.2}")),
        how_many(&|x| x >= 2.0),
        how_many(&|x| x < 0.9)
    ));
    out
}

fn row(name: &str, bench: &Bench, question: &Question) -> Row {
    let compiled = |c: &&Contestant| {
        // Its own name, or that of a variant whose code was the same.
        let others = c.notes.iter().filter_map(|n| n.strip_suffix(SAME_CODE));
        let by = |name: &str| name.split_once(' ').is_some_and(|(_, how)| how == question.compiler);
        c.side == Side::Own && others.chain([c.name.as_str()]).any(by)
    };
    let own = bench
        .contestants
        .iter()
        .filter(compiled)
        .min_by(|a, b| a.timing.throughput.median.total_cmp(&b.timing.throughput.median));
    let of = |choice: fn(&Choice) -> Option<f64>| -> Option<&Comparison> {
        let own = own?;
        bench.comparisons.iter().find(|c| c.own == own.name && choice(&c.choice) == Some(question.max_ulp))
    };
    let any = of(|c| if let Choice::AtMost { max_ulp, own: false } = c { Some(*max_ulp) } else { None });
    let vector = of(|c| if let Choice::VectorAtMost { max_ulp } = c { Some(*max_ulp) } else { None });
    let peer = any.and_then(|c| c.peer.as_ref()).and_then(|p| bench.contestants.iter().find(|c| c.name == *p));
    let error = |c: &Contestant| ulp(c.error.as_ref());
    Row {
        name: name.to_owned(),
        own: own.map(|c| c.timing.throughput.median),
        own_ulp: own.map_or("-".into(), error),
        peer: peer.map(|c| (c.name.clone(), c.timing.throughput.median, error(c))),
        ratio: any.and_then(|c| c.speedup).map(|q| q.median),
        counts: vector.is_some_and(|c| c.peer.is_some()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_that_are_none_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bench.json");
        assert!(read(&path).unwrap_err().to_string().contains("cannot be read"));
        std::fs::write(&path, "{}").unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("no record of a bench"));
    }
}
