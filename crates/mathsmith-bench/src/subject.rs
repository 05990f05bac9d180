//! What a bench is about: the entries of a run's folder, or a source file.

use crate::BenchError;
use mathsmith_ir::Program;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The parts of `front.json` (`docs/front.md`) that a bench reads.
#[derive(Debug, Deserialize)]
struct FrontFile {
    schema: u32,
    problem: ProblemPart,
    front: Vec<EntryPart>,
}

#[derive(Debug, Deserialize)]
struct ProblemPart {
    approx: String,
    on: Option<String>,
    #[serde(rename = "type")]
    format: String,
    /// Format judged at, where it is another one.
    out: Option<String>,
    name: String,
}

#[derive(Debug, Deserialize)]
struct EntryPart {
    id: String,
    cost: Option<CostPart>,
    error: ErrorPart,
    meets_bound: bool,
    program: String,
    files: FilesPart,
}

#[derive(Debug, Deserialize)]
struct CostPart {
    model: String,
    cycles: Option<f64>,
}

#[derive(Debug, Deserialize)]
struct ErrorPart {
    coverage: String,
    inputs: u64,
    max_ulp: Option<f64>,
    worst_input: WorstPart,
}

#[derive(Debug, Deserialize)]
struct WorstPart {
    ulp: Option<String>,
}

#[derive(Debug, Deserialize)]
struct FilesPart {
    rust: Option<String>,
    c: Option<String>,
}

/// An entry of a run.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its name within the run.
    pub id: String,
    /// The program.
    pub program: Program,
    /// The emitted C.
    pub c: Option<PathBuf>,
    /// The emitted Rust.
    pub rust: Option<PathBuf>,
    /// Its error, as the run has proved it.
    pub error: crate::record::Error,
    /// The model it was searched for, and its cycles there.
    pub model: Option<String>,
    cycles: Option<f64>,
    meets_bound: bool,
}

/// A run that is benched.
#[derive(Clone, Debug)]
pub struct Run {
    /// The reference.
    pub reference: String,
    /// The domain; `None` is the whole format.
    pub domain: Option<String>,
    /// Format in which results are judged.
    pub out: String,
    /// Name of the emitted functions.
    pub name: String,
    /// The entries.
    pub entries: Vec<Entry>,
}

/// Which entries are timed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pick {
    /// The cheapest that meets the bound; without one that does, the most accurate.
    Cheapest,
    /// Every one.
    All,
    /// One by name.
    Id(String),
}

impl Run {
    /// Reads a run's folder.
    ///
    /// # Errors
    /// [`BenchError::File`] if there is no record, or nothing in it that can be compiled; [`BenchError::Question`] for an
    /// entry that is not there, or a format that is not timed.
    pub fn read(folder: &Path, pick: &Pick) -> Result<Run, BenchError> {
        let path = folder.join("front.json");
        let bad = |what: String, help: &str| BenchError::File { path: path.clone(), what, help: help.into() };
        let text = std::fs::read_to_string(&path).map_err(|e| {
            bad(
                format!("cannot be read: {e}"),
                "name the folder that `mathsmith approx --out` has written, or a .c or .rs file",
            )
        })?;
        let file: FrontFile = serde_json::from_str(&text)
            .map_err(|e| bad(format!("is no record of a run: {e}"), "make the run again with this version"))?;
        if file.schema != 1 {
            let what = format!("has schema {}, and this version reads 1", file.schema);
            return Err(bad(what, "make the run again with this version"));
        }
        if file.problem.format != "f32" {
            let what = format!("{}: programs over {} are not timed", folder.display(), file.problem.format);
            return Err(BenchError::Question { what, help: "bench a run of --type f32".into() });
        }
        let parsed = file.front.into_iter().map(|e| entry(folder, e));
        let entries = parsed
            .collect::<Result<Vec<_>, String>>()
            .map_err(|what| bad(what, "make the run again with this version"))?;
        let entries = picked(entries, pick, &bad)?;
        Ok(Run {
            reference: file.problem.approx,
            domain: file.problem.on,
            out: file.problem.out.unwrap_or_else(|| "f32".into()),
            name: file.problem.name,
            entries,
        })
    }
}

fn entry(folder: &Path, e: EntryPart) -> Result<Entry, String> {
    let program: Program =
        e.program.parse().map_err(|why| format!("the program of the entry {} cannot be read: {why}", e.id))?;
    let error = crate::record::Error {
        coverage: e.error.coverage,
        inputs: e.error.inputs,
        max_ulp: e.error.max_ulp.filter(|u| u.is_finite()),
        at: e.error.worst_input.ulp.unwrap_or_default(),
        wrong_class: false,
    };
    let (model, cycles) = e.cost.map_or((None, None), |c| (Some(c.model), c.cycles));
    Ok(Entry {
        id: e.id,
        program,
        c: e.files.c.map(|f| folder.join(f)),
        rust: e.files.rust.map(|f| folder.join(f)),
        error,
        model,
        cycles,
        meets_bound: e.meets_bound,
    })
}

fn picked(
    entries: Vec<Entry>,
    pick: &Pick,
    bad: &dyn Fn(String, &str) -> BenchError,
) -> Result<Vec<Entry>, BenchError> {
    let ids: Vec<String> = entries.iter().map(|e| e.id.clone()).collect();
    if entries.is_empty() {
        return Err(bad("has no entry: the run has found nothing".into(), "give the run more evaluations"));
    }
    Ok(match pick {
        Pick::All => entries,
        Pick::Id(id) => {
            let found: Vec<Entry> = entries.into_iter().filter(|e| e.id == *id).collect();
            if found.is_empty() {
                let what = format!("the run has no entry `{id}`");
                return Err(BenchError::Question { what, help: format!("it has {}", ids.join(", ")) });
            }
            found
        }
        Pick::Cheapest => {
            let price = |e: &Entry| e.cycles.unwrap_or(f64::INFINITY);
            let ulp = |e: &Entry| e.error.max_ulp.unwrap_or(f64::INFINITY);
            let met = entries.iter().filter(|e| e.meets_bound).min_by(|a, b| price(a).total_cmp(&price(b)));
            let best = met.or_else(|| entries.iter().min_by(|a, b| ulp(a).total_cmp(&ulp(b))));
            best.cloned().into_iter().collect()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(entries: &str) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let text = format!(
            r#"{{"schema":1,"problem":{{"approx":"2^x","on":"0..1","type":"f32","name":"f"}},"front":[{entries}]}}"#
        );
        std::fs::write(dir.path().join("front.json"), text).unwrap();
        dir
    }

    fn row(id: &str, cycles: f64, ulp: f64, met: bool) -> String {
        format!(
            r#"{{"id":"{id}","cost":{{"model":"x86-64-v3","cycles":{cycles}}},"error":{{"coverage":"exhaustive","inputs":3,
            "max_ulp":{ulp},"worst_input":{{"ulp":"0x1p+0"}}}},"meets_bound":{met},
            "program":"program f(x: f32) -> (f32) {{\n  return x\n}}\n","files":{{"rust":null,"c":"f.c"}}}}"#
        )
    }

    #[test]
    fn the_cheapest_that_answers_comes_first() {
        let rows = [row("a", 1.0, 9.0, false), row("b", 3.0, 0.6, true), row("c", 2.0, 0.9, true)].join(",");
        let dir = folder(&rows);
        let ids = |pick| Run::read(dir.path(), &pick).map(|r| r.entries.into_iter().map(|e| e.id).collect::<Vec<_>>());
        assert_eq!(ids(Pick::Cheapest).unwrap(), ["c"]);
        assert_eq!(ids(Pick::All).unwrap(), ["a", "b", "c"]);
        assert_eq!(ids(Pick::Id("a".into())).unwrap(), ["a"]);
        let message = ids(Pick::Id("z".into())).unwrap_err().to_string();
        assert!(message.contains("`z`") && message.contains("a, b, c"), "{message}");
        let unmet = folder(&[row("a", 1.0, 9.0, false), row("b", 3.0, 2.0, false)].join(","));
        assert_eq!(Run::read(unmet.path(), &Pick::Cheapest).unwrap().entries[0].id, "b");
    }

    #[test]
    fn other_folders_are_refused_in_words() {
        let empty = tempfile::tempdir().unwrap();
        let message = Run::read(empty.path(), &Pick::All).unwrap_err().to_string();
        assert!(message.contains("front.json") && message.contains("help: "), "{message}");
        let message = Run::read(folder("").path(), &Pick::All).unwrap_err().to_string();
        assert!(message.contains("no entry"), "{message}");
    }
}
