//! The reductions that ship: every `grammars/*.reduction`.

use crate::{Reduction, parse};
use std::sync::OnceLock;

/// Names of the files, without their ending, and their texts, sorted by name.
const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/builtin.rs"));

/// The reductions that ship, in the order of their names. A file with a mistake would not be offered; a test finds it.
pub fn builtin() -> &'static [Reduction] {
    static PARSED: OnceLock<Vec<Reduction>> = OnceLock::new();
    PARSED.get_or_init(|| FILES.iter().filter_map(|(name, text)| parse(&path(name), text).ok()).collect())
}

/// Where the file of a reduction stands in the repository.
fn path(name: &str) -> String {
    format!("grammars/{name}.reduction")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_a_reduction() {
        for (name, text) in FILES {
            if let Err(errors) = parse(&path(name), text) {
                panic!("{}", errors.iter().map(|error| error.report(false)).collect::<String>());
            }
        }
    }

    #[test]
    fn every_file_ships_under_its_own_name() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../grammars");
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .expect("the folder can be listed")
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter_map(|name| Some(name.strip_suffix(".reduction")?.to_string()))
            .collect();
        names.sort();
        let shipped: Vec<&str> = builtin().iter().map(|reduction| reduction.name.as_str()).collect();
        assert_eq!(shipped, names);
    }
}
