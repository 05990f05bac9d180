//! Lists the reductions that ship, `grammars/*.reduction`, in the order of their names, and puts their texts into the crate.

use std::fmt::Write;
use std::path::{Path, PathBuf};

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../grammars");
    println!("cargo:rerun-if-changed={}", folder.display());
    let listing = std::fs::read_dir(&folder).expect("the folder `grammars` of the repository can be listed");
    let mut files: Vec<PathBuf> = listing.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "reduction"));
    files.sort_by_key(|path| path.file_stem().map(std::ffi::OsStr::to_os_string));
    let mut code = String::from("&[\n");
    for path in &files {
        let path = path.canonicalize().expect("a file that was just listed is there");
        let name = path.file_stem().and_then(|name| name.to_str()).expect("names of reductions are plain words");
        writeln!(code, "    ({name:?}, include_str!({path:?})),").expect("writing to a string cannot fail");
    }
    code.push_str("]\n");
    let out = std::env::var_os("OUT_DIR").expect("cargo names the folder for generated code");
    std::fs::write(Path::new(&out).join("builtin.rs"), code).expect("the folder for generated code can be written to");
}
