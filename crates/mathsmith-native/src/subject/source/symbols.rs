//! What functions an object file defines, and the small constants that a question left in it.

pub(super) use crate::subject::names::near;
use object::{Object, ObjectSection, ObjectSymbol, SymbolKind};
use std::path::Path;

/// A function that an object file defines.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Defined {
    /// Name as in the source (C), or as the linker sees it (Rust).
    pub(super) name: String,
    /// Whether other objects can refer to it.
    pub(super) global: bool,
}

/// An object file in memory.
pub(super) struct ObjectFile(Vec<u8>);

impl ObjectFile {
    /// Reads the file that a compiler has just written.
    ///
    /// # Errors
    /// The system's reason.
    pub(super) fn read(path: &Path) -> std::io::Result<ObjectFile> {
        Ok(ObjectFile(std::fs::read(path)?))
    }

    /// The functions defined, by name; the parts that compilers split off (`f.cold`, `f.part.0`) are none.
    ///
    /// Empty for what is no object file: some flags make compilers write their own intermediate form.
    pub(super) fn functions(&self) -> Vec<Defined> {
        let Ok(file) = object::File::parse(&*self.0) else { return Vec::new() };
        let mut found: Vec<Defined> = file
            .symbols()
            .filter(|s| s.is_definition() && s.kind() == SymbolKind::Text)
            .filter_map(|s| Some(Defined { name: source_name(&file, s.name().ok()?).into(), global: s.is_global() }))
            .filter(|d| !d.name.is_empty() && !d.name.contains('.'))
            .collect();
        found.sort();
        found.dedup_by(|a, b| a.name == b.name);
        found
    }

    /// The first `N` bytes of the datum `name`.
    pub(super) fn datum<const N: usize>(&self, name: &str) -> Option<[u8; N]> {
        let file = object::File::parse(&*self.0).ok()?;
        let symbol = file.symbols().find(|s| s.name().is_ok_and(|n| source_name(&file, n) == name))?;
        let section = file.section_by_index(symbol.section_index()?).ok()?;
        let bytes = section.data_range(symbol.address(), N as u64).ok()??;
        bytes.try_into().ok()
    }
}

/// Mach-O writes an underscore before every name of C.
fn source_name<'a>(file: &object::File<'_>, name: &'a str) -> &'a str {
    match file.format() {
        object::BinaryFormat::MachO => name.strip_prefix('_').unwrap_or(name),
        _ => name,
    }
}

/// Path of a plain function (no method, no closure, not generic, not nested in another function) of the crate `krate`,
/// from its mangled name: `my_expf`, `kernels::my_expf`.
///
/// The scheme is Rust's "v0" (RFC 2603): `_R`, then a path in which `C` is a crate, `Nt` a module of a path and `Nv` a
/// function of one; names are preceded by their length.
pub(super) fn rust_path(mangled: &str, krate: &str) -> Option<String> {
    let mut rest = mangled.strip_prefix("_RNv")?;
    let mut depth = 0;
    while let Some(inner) = rest.strip_prefix("Nt") {
        rest = inner;
        depth += 1;
    }
    rest = rest.strip_prefix('C')?;
    let (root, mut rest) = identifier(rest)?;
    if root != krate {
        return None;
    }
    let mut path = Vec::new();
    for _ in 0..=depth {
        let (name, after) = identifier(rest)?;
        path.push(name);
        rest = after;
    }
    Some(path.join("::"))
}

/// A name with its length before it, perhaps after a disambiguator (`s`, digits and letters, `_`).
fn identifier(text: &str) -> Option<(&str, &str)> {
    let text = match text.strip_prefix('s') {
        Some(rest) => rest.split_once('_')?.1,
        None => text,
    };
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let length: usize = text.get(..digits)?.parse().ok()?;
    // An underscore separates the length from names that begin with a digit or an underscore.
    let rest = &text[digits..];
    let rest = rest.strip_prefix('_').unwrap_or(rest);
    Some((rest.get(..length)?, rest.get(length..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mangled_paths() {
        let path = |mangled| rust_path(mangled, "subject");
        assert_eq!(path("_RNvCs6awm7tFNy2C_7subject7my_expf").as_deref(), Some("my_expf"));
        assert_eq!(path("_RNvCs6awm7tFNy2C_7subject3inlB1_").as_deref(), Some("inl"));
        assert_eq!(path("_RNvNtCs6awm7tFNy2C_7subject1m1f").as_deref(), Some("m::f"));
        assert_eq!(path("_RNvC7subject4__f32").as_deref(), Some("_f32"));
        // A nested function, a method, another crate.
        assert_eq!(path("_RNvNvCs6awm7tFNy2C_7subject7my_expf6nested"), None);
        assert_eq!(path("_RNvMCs6awm7tFNy2C_7subjectNtB2_1S4meth"), None);
        assert_eq!(path("_RNvNtCsgEmfK2I1SDS_4core10intrinsics9cold_pathCs6awm7tFNy2C_7subject"), None);
        for broken in ["", "_R", "_RNvC", "_RNvC99subject", "_RNvCs7subject", "expf"] {
            assert_eq!(path(broken), None, "{broken}");
        }
    }
}
