//! Compiling and running emitted code in a temporary folder.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::path::Path;
use std::process::{Command, Output};

/// Runs a program in a folder and returns its output; a program that cannot be started fails the test by name.
pub fn run(dir: &Path, program: &str, args: &[&str]) -> Output {
    let tool = if program == "rustc" {
        std::env::var("RUSTC").unwrap_or_else(|_| program.to_owned())
    } else {
        program.to_owned()
    };
    Command::new(&tool)
        .args(args)
        .current_dir(dir)
        .output()
        .unwrap_or_else(|e| panic!("{tool} is needed for this test and did not start: {e}"))
}

/// Runs a program that must succeed; its standard output.
pub fn must(dir: &Path, program: &str, args: &[&str]) -> String {
    let out = run(dir, program, args);
    assert!(
        out.status.success(),
        "{program} {args:?}: {}\n{}{}",
        out.status,
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr)
    );
    String::from_utf8_lossy(&out.stdout).into_owned()
}

/// Runs a binary of the folder.
pub fn binary(dir: &Path, name: &str) -> Output {
    run(dir, &dir.join(name).to_string_lossy(), &[])
}
