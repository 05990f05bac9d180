//! The shared corpus through emitted C and Rust: the same bits as the interpreter, whatever compiler and flags.

mod common;

use mathsmith_emit::{Lang, emit_function};
use mathsmith_ir::corpus::{self, Case, Run};
use mathsmith_ir::{Literal, Program, Type, staged};
use std::fmt::Write;
use std::path::Path;

/// One function to emit: a case with one setting of its parameters.
struct Unit<'a> {
    name: String,
    program: Program,
    case: &'a Case,
    runs: Vec<&'a Run>,
}

fn cases() -> Vec<Case> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases");
    let cases = corpus::load_dir(dir).expect("the corpus is readable");
    let (reducing, cases): (Vec<Case>, Vec<Case>) = cases.into_iter().partition(|c| staged::has_reductions(&c.program));
    assert!(reducing.iter().all(|c| c.path.ends_with("reductions.case")), "only this file reduces");
    assert!(cases.len() >= 150, "{} cases", cases.len());
    cases
}

fn units(cases: &[Case]) -> Vec<Unit<'_>> {
    let mut out: Vec<Unit<'_>> = Vec::new();
    for case in cases {
        let mut rest: Vec<&Run> = case.runs.iter().collect();
        while let Some(first) = rest.first().copied() {
            let (runs, others): (Vec<&Run>, Vec<&Run>) = rest.into_iter().partition(|r| r.params == first.params);
            rest = others;
            let mut program = case.program.clone();
            for (i, &p) in first.params.iter().enumerate() {
                program.set_param(i, p);
            }
            out.push(Unit { name: format!("case_{}", out.len()), program, case, runs });
        }
    }
    out
}

fn bits(l: Literal) -> u64 {
    l.key()[0]
}

fn from_bits(ty: Type, b: u64) -> Literal {
    match ty {
        Type::F32 => Literal::F32(f32::from_bits(b as u32)),
        Type::F64 => Literal::F64(f64::from_bits(b)),
        Type::I32 => Literal::I32(b as u32 as i32),
        Type::I64 => Literal::I64(b as i64),
        _ => Literal::Bool(b != 0),
    }
}

/// A program that prints the bits of every output of every run, one a line.
fn c_source(units: &[Unit<'_>]) -> String {
    let mut s = String::from("#include <inttypes.h>\n#include <stdio.h>\n");
    for u in units {
        s.push_str(&emit_function(&u.program, Lang::C, &u.name, &[]).unwrap());
    }
    s.push_str(
        "static void pf(float x) { uint32_t b; memcpy(&b, &x, 4); printf(\"%\" PRIx64 \"\\n\", (uint64_t)b); }\n\
         static void pd(double x) { uint64_t b; memcpy(&b, &x, 8); printf(\"%\" PRIx64 \"\\n\", b); }\n\
         static void pi(int32_t x) { printf(\"%\" PRIx64 \"\\n\", (uint64_t)(uint32_t)x); }\n\
         static void pl(int64_t x) { printf(\"%\" PRIx64 \"\\n\", (uint64_t)x); }\n\
         static void pb(bool x) { printf(\"%d\\n\", (int)x); }\n\
         static float f(uint64_t b) { uint32_t w = (uint32_t)b; float x; memcpy(&x, &w, 4); return x; }\n\
         static double d(uint64_t b) { double x; memcpy(&x, &b, 8); return x; }\n\
         static int32_t i(uint64_t b) { return (int32_t)(uint32_t)b; }\n\
         static int64_t l(uint64_t b) { return (int64_t)b; }\n\
         static bool b(uint64_t x) { return x != 0; }\n",
    );
    let letter = |ty: Type| match ty {
        Type::F32 => ("f", "float"),
        Type::F64 => ("d", "double"),
        Type::I32 => ("i", "int32_t"),
        Type::I64 => ("l", "int64_t"),
        _ => ("b", "bool"),
    };
    for u in units {
        let outputs: Vec<Type> = u.program.outputs().iter().map(|&v| u.program.ty(v)).collect();
        // The runs as data that the compiler may not look at: code for each would take it half a minute.
        let columns = u.program.inputs().len();
        let _ = writeln!(s, "static volatile uint64_t runs_{}[{}][{}] = {{", u.name, u.runs.len(), columns.max(1));
        for r in &u.runs {
            let row: Vec<String> = r.inputs.iter().map(|&x| format!("UINT64_C(0x{:x})", bits(x))).collect();
            let _ = writeln!(s, "{{{}}},", if row.is_empty() { "0".to_owned() } else { row.join(", ") });
        }
        let _ = writeln!(
            s,
            "}};\nstatic void run_{0}(void) {{\nfor (int n = 0; n < {1}; n++) {{\n(void)runs_{0};",
            u.name,
            u.runs.len()
        );
        let mut args: Vec<String> = u
            .program
            .inputs()
            .iter()
            .enumerate()
            .map(|(k, i)| format!("{}(runs_{}[n][{k}])", letter(i.ty).0, u.name))
            .collect();
        if let [ty] = outputs[..] {
            let _ = writeln!(s, "p{}({}({}));", letter(ty).0, u.name, args.join(", "));
        } else {
            for (k, ty) in outputs.iter().enumerate() {
                let _ = write!(s, "{} o{k}; ", letter(*ty).1);
                args.push(format!("&o{k}"));
            }
            let _ = write!(s, "{}({}); ", u.name, args.join(", "));
            for (k, ty) in outputs.iter().enumerate() {
                let _ = write!(s, "p{}(o{k}); ", letter(*ty).0);
            }
        }
        s.push_str("}\n}\n");
    }
    s.push_str("int main(void) {\n");
    for u in units {
        let _ = writeln!(s, "run_{}();", u.name);
    }
    s.push_str("return 0;\n}\n");
    s
}

fn rust_library(units: &[Unit<'_>]) -> String {
    let mut s = String::from("#![no_std]\n#![deny(warnings)]\n");
    for u in units {
        s.push_str(&emit_function(&u.program, Lang::Rust, &u.name, &["A case of the corpus.".to_owned()]).unwrap());
    }
    s
}

fn rust_main(units: &[Unit<'_>]) -> String {
    let mut s =
        String::from("#![allow(dead_code)]\n#[path = \"lib.rs\"]\nmod cases;\nuse std::hint::black_box as h;\n");
    s.push_str(
        "fn pf(x: f32) { println!(\"{:x}\", x.to_bits()) }\n#[inline(never)] fn pd(x: f64) { println!(\"{:x}\", x.to_bits()) }\n",
    );
    s.push_str("#[inline(never)] fn pi(x: i32) { println!(\"{:x}\", x) }\n#[inline(never)] fn pl(x: i64) { println!(\"{:x}\", x) }\n#[inline(never)] fn pb(x: bool) { println!(\"{}\", x as u8) }\n");
    let letter = |ty: Type| match ty {
        Type::F32 => "f",
        Type::F64 => "d",
        Type::I32 => "i",
        Type::I64 => "l",
        _ => "b",
    };
    for u in units {
        // Through a pointer that the compiler cannot see through: one copy of each function, not one for each run.
        let outputs: Vec<Type> = u.program.outputs().iter().map(|&v| u.program.ty(v)).collect();
        let types: Vec<&str> = u.program.inputs().iter().map(|i| i.ty.name()).collect();
        let results: Vec<&str> = outputs.iter().map(|t| t.name()).collect();
        let result = if results.len() == 1 { results[0].to_owned() } else { format!("({})", results.join(", ")) };
        let _ = writeln!(s, "fn run_{0}() {{\nlet g = h(cases::{0} as fn({1}) -> {result});", u.name, types.join(", "));
        // The runs as data: code for each would take the compiler a minute.
        let _ = writeln!(s, "const RUNS: [[u64; {}]; {}] = [", types.len(), u.runs.len());
        for r in &u.runs {
            let row: Vec<String> = r.inputs.iter().map(|&x| format!("0x{:x}", bits(x))).collect();
            let _ = writeln!(s, "[{}],", row.join(", "));
        }
        let args: Vec<String> = u
            .program
            .inputs()
            .iter()
            .enumerate()
            .map(|(k, i)| match i.ty {
                Type::F32 => format!("f32::from_bits(r[{k}] as u32)"),
                Type::F64 => format!("f64::from_bits(r[{k}])"),
                Type::I32 => format!("r[{k}] as u32 as i32"),
                Type::I64 => format!("r[{k}] as i64"),
                _ => format!("r[{k}] != 0"),
            })
            .collect();
        let _ = writeln!(s, "];\nfor r in h(&RUNS) {{ let o = g({});", args.join(", "));
        for (k, &ty) in outputs.iter().enumerate() {
            let field = if outputs.len() == 1 { String::new() } else { format!(".{k}") };
            let _ = write!(s, "p{}(o{field}); ", letter(ty));
        }
        s.push_str("}\n}\n");
    }
    s.push_str("fn main() {\n");
    for u in units {
        let _ = writeln!(s, "run_{}();", u.name);
    }
    s.push_str("}\n");
    s
}

fn compare(units: &[Unit<'_>], printed: &str, how: &str) {
    let mut lines = printed.lines();
    for u in units {
        for r in &u.runs {
            for (k, &want) in r.expected.iter().enumerate() {
                let line = lines.next().unwrap_or_else(|| panic!("{how}: the output ends early"));
                let got = from_bits(want.ty(), u64::from_str_radix(line, 16).unwrap());
                assert!(
                    corpus::agree(got, want),
                    "{how}: {}:{}: output {k} of `{}` is {}, {} expected",
                    u.case.path.display(),
                    r.line,
                    u.program.name(),
                    corpus::bits_text(got),
                    corpus::bits_text(want)
                );
            }
        }
    }
    assert_eq!(lines.next(), None, "{how}: more output than runs");
}

#[test]
fn c_agrees_with_the_interpreter() {
    let cases = cases();
    let units = units(&cases);
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("corpus.c"), c_source(&units)).unwrap();
    let native = if cfg!(target_arch = "x86_64") && is_fma() { "-mfma" } else { "-O1" };
    let settings: &[&[&str]] = &[
        &["gcc", "-O2", native],
        &["gcc", "-std=c99", "-pedantic-errors", "-Wall", "-Wextra", "-Werror", "-O1"],
        &["clang", "-O2", native],
        &["clang", "-std=c99", "-pedantic-errors", "-Wall", "-Wextra", "-Werror", "-O2", "-ffp-contract=off"],
    ];
    for (i, s) in settings.iter().enumerate() {
        let out = format!("corpus{i}");
        let mut args = s[1..].to_vec();
        args.extend(["corpus.c", "-o", &out, "-lm"]);
        common::must(dir.path(), s[0], &args);
        compare(&units, &common::must(dir.path(), &dir.path().join(&out).to_string_lossy(), &[]), &s.join(" "));
    }
}

#[test]
fn rust_agrees_with_the_interpreter() {
    let cases = cases();
    let units = units(&cases);
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("lib.rs"), rust_library(&units)).unwrap();
    std::fs::write(dir.path().join("main.rs"), rust_main(&units)).unwrap();
    // As a crate of its own: nothing outside `core`, no warning.
    common::must(dir.path(), "rustc", &["--edition=2021", "--crate-type=lib", "--emit=metadata", "lib.rs"]);
    // The attribute of the crate has no place in a module.
    let module = rust_library(&units).replace("#![no_std]\n", "");
    std::fs::write(dir.path().join("lib.rs"), module).unwrap();
    let mut settings: Vec<Vec<&str>> = vec![vec!["-O"], vec!["-Copt-level=0", "-Cdebug-assertions=on"]];
    if is_fma() {
        settings.push(vec!["-O", "-Ctarget-feature=+fma,+avx2"]);
    }
    for s in settings {
        let mut args = s.clone();
        args.extend(["--edition=2021", "main.rs", "-o", "main"]);
        common::must(dir.path(), "rustc", &args);
        compare(&units, &common::must(dir.path(), &dir.path().join("main").to_string_lossy(), &[]), &s.join(" "));
    }
}

fn is_fma() -> bool {
    #[cfg(target_arch = "x86_64")]
    return is_x86_feature_detected!("fma") && is_x86_feature_detected!("avx2");
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}
