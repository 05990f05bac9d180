//! The inputs on which code has been seen to go wrong, kept per reference function in one file.
//!
//! Each measurement ends with its worst inputs; whoever judges other code against the same function looks there first.
//! The set is a plain JSON file:
//!
//! ```json
//! { "schema": 1, "references": { "exp(x) f32": ["-0x1.9d1da4p-126", "0x1.62f6dep-1"] } }
//! ```
//!
//! A key is the reference as the printer writes it, so that `exp( x )` and `exp(x)` are one, and the format of the inputs.
//! An input of several arguments has a comma between them. Inputs are sorted by value; the same measurements in the same
//! order give the same bytes.

use crate::files::{self, FileError};
use crate::report::{hex, unhex};
use mathsmith_dsl::Expr;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::path::Path;

const SCHEMA: u32 = 1;

/// Most inputs kept for one reference and format.
pub const MOST_INPUTS: usize = 4096;

/// Why a store could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file system's answer.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file is there and is no store.
    #[error("{path} is no adversarial set: {what}\n  help: move the file away, or name another folder")]
    Content {
        /// The file.
        path: String,
        /// What is wrong with it.
        what: String,
    },
}

/// Worst inputs per reference and format.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AdversarialStore {
    references: BTreeMap<String, Vec<Vec<f64>>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    schema: u32,
    references: BTreeMap<String, Vec<String>>,
}

fn key(reference: &Expr, format: &str) -> String {
    format!("{reference} {format}")
}

fn order(a: &[f64], b: &[f64]) -> Ordering {
    a.iter().zip(b).map(|(a, b)| a.total_cmp(b)).find(|o| o.is_ne()).unwrap_or(a.len().cmp(&b.len()))
}

fn text(input: &[f64]) -> String {
    input.iter().map(|&x| hex(x)).collect::<Vec<_>>().join(",")
}

impl AdversarialStore {
    /// The store of a file; an empty one where there is no file.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be read or is no store of this schema.
    pub fn load(path: &Path) -> Result<AdversarialStore, StoreError> {
        if !path.exists() {
            return Ok(AdversarialStore::default());
        }
        let source = files::read(path)?;
        let bad = |what: String| StoreError::Content { path: path.display().to_string(), what };
        let wire: Wire = serde_json::from_str(&source).map_err(|e| bad(e.to_string()))?;
        if wire.schema != SCHEMA {
            return Err(bad(format!("schema {}, and this version knows {SCHEMA}", wire.schema)));
        }
        let mut store = AdversarialStore::default();
        for (reference, inputs) in wire.references {
            let read = |input: &String| {
                let values: Option<Vec<f64>> = input.split(',').map(unhex).collect();
                values.ok_or_else(|| bad(format!("`{input}` is no input")))
            };
            let inputs = inputs.iter().map(read).collect::<Result<Vec<_>, _>>()?;
            store.insert(reference, inputs);
        }
        Ok(store)
    }

    /// The inputs kept for a reference, in ascending order, one value an argument. `format` is that of the inputs (`f32`).
    pub fn inputs_for(&self, reference: &Expr, format: &str) -> &[Vec<f64>] {
        self.references.get(&key(reference, format)).map_or(&[], Vec::as_slice)
    }

    /// Adds inputs. Beyond [`MOST_INPUTS`] the older ones are thinned out evenly: what a measurement has just found stays.
    pub fn merge(&mut self, reference: &Expr, format: &str, inputs: impl IntoIterator<Item = Vec<f64>>) {
        self.insert(key(reference, format), inputs);
    }

    fn insert(&mut self, key: String, inputs: impl IntoIterator<Item = Vec<f64>>) {
        let mut new: Vec<Vec<f64>> = inputs.into_iter().filter(|i| !i.iter().any(|x| x.is_nan())).collect();
        new.sort_by(|a, b| order(a, b));
        new.dedup_by(|a, b| order(a, b).is_eq());
        new = thinned(new, MOST_INPUTS);
        if new.is_empty() {
            return;
        }
        let kept = self.references.entry(key).or_default();
        kept.retain(|old| new.binary_search_by(|n| order(n, old)).is_err());
        let mut all = thinned(std::mem::take(kept), MOST_INPUTS - new.len());
        all.append(&mut new);
        all.sort_by(|a, b| order(a, b));
        *kept = all;
    }

    /// The file's text.
    pub fn to_json(&self) -> String {
        let texts = |inputs: &Vec<Vec<f64>>| inputs.iter().map(|i| text(i)).collect();
        let references = self.references.iter().map(|(key, inputs)| (key.clone(), texts(inputs))).collect();
        let wire = Wire { schema: SCHEMA, references };
        let json = serde_json::to_string_pretty(&wire).expect("strings and a map with string keys are JSON");
        format!("{json}\n")
    }

    /// Writes the file whole or not at all.
    ///
    /// # Errors
    /// [`StoreError::File`].
    pub fn save(&self, path: &Path) -> Result<(), StoreError> {
        Ok(files::write_atomic(path, self.to_json().as_bytes())?)
    }
}

/// At most `most` of the inputs, spread evenly over them.
fn thinned(inputs: Vec<Vec<f64>>, most: usize) -> Vec<Vec<f64>> {
    let count = inputs.len();
    if count <= most {
        return inputs;
    }
    let mut due = 0;
    let keep = |(i, _): &(usize, Vec<f64>)| {
        // The i-th is kept when it is the first at or beyond the next multiple of count / most.
        let take = due < most && i * most >= due * count;
        due += usize::from(take);
        take
    };
    inputs.into_iter().enumerate().filter(keep).map(|(_, input)| input).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exp() -> Expr {
        mathsmith_dsl::parse_expr("exp( x )").expect("an expression")
    }

    #[test]
    fn a_store_comes_back_as_it_was_saved_and_grows() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("adversarial.json");
        let mut store = AdversarialStore::load(&path).expect("none yet");
        assert!(store.inputs_for(&exp(), "f32").is_empty());
        store.merge(&exp(), "f32", [vec![2.0], vec![-0.0], vec![0.0], vec![2.0], vec![f64::NAN], vec![-1.5]]);
        store.merge(&mathsmith_dsl::parse_expr("atan2(y, x)").expect("parses"), "f64", [vec![1.0, -0.1]]);
        store.save(&path).expect("written");
        let text = std::fs::read_to_string(&path).expect("read");
        assert!(text.contains("\"exp(x) f32\"") && text.contains("\"0x1p+0,-0x1.999999999999ap-4\""), "{text}");
        let mut again = AdversarialStore::load(&path).expect("read");
        assert_eq!(again, store);
        assert_eq!(again.to_json(), text);
        let same = mathsmith_dsl::parse_expr("exp(x)").expect("parses");
        assert_eq!(again.inputs_for(&same, "f32"), [vec![-1.5], vec![-0.0], vec![0.0], vec![2.0]]);
        assert!(again.inputs_for(&same, "f64").is_empty());
        again.merge(&same, "f32", [vec![1.0]]);
        assert_eq!(again.inputs_for(&same, "f32").len(), 5);
    }

    #[test]
    fn the_newest_inputs_survive_the_cap() {
        let mut store = AdversarialStore::default();
        store.merge(&exp(), "f32", (0..2 * MOST_INPUTS).map(|i| vec![i as f64]));
        let first = store.inputs_for(&exp(), "f32").to_vec();
        assert_eq!(first.len(), MOST_INPUTS);
        assert!(first.windows(2).all(|w| w[1][0] - w[0][0] == 2.0), "evenly");
        let new: Vec<Vec<f64>> = (0..100).map(|i| vec![-f64::from(i)]).collect();
        store.merge(&exp(), "f32", new.clone());
        let kept = store.inputs_for(&exp(), "f32");
        assert_eq!(kept.len(), MOST_INPUTS);
        assert!(new.iter().all(|n| kept.iter().any(|k| order(k, n).is_eq())));
        assert!(kept.windows(2).all(|w| order(&w[0], &w[1]).is_lt()));
    }

    #[test]
    fn what_is_no_store_is_said() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("adversarial.json");
        for (content, what) in [
            ("{", "EOF"),
            ("{\"schema\": 9, \"references\": {}}", "schema 9"),
            ("{\"schema\": 1, \"references\": {\"exp(x) f32\": [\"zwei\"]}}", "`zwei`"),
        ] {
            std::fs::write(&path, content).expect("written");
            let error = AdversarialStore::load(&path).expect_err(content).to_string();
            assert!(error.contains(what) && error.contains("help:"), "{error}");
        }
    }
}
