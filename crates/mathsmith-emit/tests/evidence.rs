//! Emitted functions with their tests, as a person gets them: compiled, run, and run again on a broken build.

mod common;

use mathsmith_emit::{
    EmitError, Lang, Provenance, check, emit_function, emit_source, emit_test, needs_contraction_guard,
};
use mathsmith_ir::{Literal, Op, Program, Type};
use mathsmith_oracle::Reference;
use mathsmith_verify::{ErrorReport, FloatDomain, SweepOptions, sweep};
use std::path::Path;

/// A polynomial for exp2, by fma or by products and sums.
fn program(fused: bool) -> Program {
    let mut p = Program::new("exp2");
    let x = p.input("x", Type::F32);
    let mut y = p.lit(Literal::F32(0.001_877_576_7));
    for c in [0.008_989_341, 0.055_826_318, 0.240_153_62, 0.693_153_1, 0.999_999_94] {
        let c = p.lit(Literal::F32(c));
        y = if fused {
            p.must(Op::Fma, &[y, x, c])
        } else {
            let t = p.must(Op::Mul, &[y, x]);
            p.must(Op::Add, &[t, c])
        };
    }
    p.output(y);
    p
}

fn verified(p: &Program, lo: f32, hi: f32) -> ErrorReport {
    let f = Reference::new(&mathsmith_dsl::parse_expr("exp2(x)").unwrap()).unwrap();
    let options = SweepOptions { threads: 2, ..SweepOptions::default() };
    sweep(&f, &FloatDomain::new(lo, hi).unwrap(), std::slice::from_ref(p), &options).unwrap().remove(0)
}

fn provenance() -> Provenance {
    Provenance {
        function: "exp2(x)".into(),
        domain: "-1/8..1/8".into(),
        statements: Vec::new(),
        seed: Some(7),
        version: "0.1.0".into(),
        command: "mathsmith approx \"exp2(x)\" --on -1/8..1/8 --type f32 --seed 7".into(),
    }
}

/// Writes function and test in a language; the folder's files are named after `name`.
fn write(dir: &Path, p: &Program, lang: Lang, name: &str, report: &ErrorReport) -> String {
    let source = emit_source(p, lang, name, &provenance(), Some(report)).unwrap();
    let test = emit_test(p, lang, name, name, report).unwrap();
    std::fs::write(dir.join(format!("{name}.{}", lang.extension())), &source).unwrap();
    std::fs::write(dir.join(format!("{name}_test.{}", lang.extension())), test).unwrap();
    source
}

fn has_fma() -> bool {
    #[cfg(target_arch = "x86_64")]
    return is_x86_feature_detected!("fma");
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}

#[test]
fn tests_pass_on_honest_builds_and_fail_on_others() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    for fused in [true, false] {
        let p = program(fused);
        // A narrow domain keeps the software fma of the builds without FMA affordable; it crosses zero and ends at
        // floats that the command line could name.
        let report = verified(&p, 0.0625, 0.125);
        assert!(report.max_ulp.value > 0.5 && report.max_ulp.value < 40.0, "{:?}", report.max_ulp);
        let name = if fused { "exp2_fma" } else { "exp2_plain" };
        for lang in [Lang::Rust, Lang::C] {
            let source = write(dir, &p, lang, name, &report);
            for needed in
                [report.max_ulp.input_hex.as_str(), "exhaustive", "seed 7", "--on -1/8..1/8", "no licence", "8 388 609"]
            {
                assert!(source.contains(needed), "{needed} is missing in\n{source}");
            }
            assert_eq!(source.contains("pragma"), lang == Lang::C && !fused);
        }
        let c = format!("{name}_test.c");
        let mut builds: Vec<Vec<&str>> = vec![vec!["gcc", "-O2"], vec!["clang", "-O2"]];
        if has_fma() {
            builds.push(vec!["gcc", "-O2", "-mfma"]);
            builds.push(vec!["clang", "-O3", "-mfma", "-ffp-contract=off"]);
            builds.push(vec!["gcc", "-O3", "-march=native", "-std=gnu11"]);
            builds.push(vec!["clang", "-O2", "-march=native"]);
        }
        for b in &builds {
            let mut args = b[1..].to_vec();
            args.extend([c.as_str(), "-o", "t", "-lm"]);
            common::must(dir, b[0], &args);
            let out = common::binary(dir, "t");
            let text = String::from_utf8_lossy(&out.stdout).into_owned();
            assert!(out.status.success(), "{name} {b:?}: {text}");
            assert!(text.contains(&format!("{:016x}", report.checksum)), "{text}");
        }
        let rs = format!("{name}_test.rs");
        for flags in [vec!["-O"], vec!["--test", "-O"]] {
            let mut args = flags.clone();
            args.extend(["--edition=2021", &rs, "-o", "t"]);
            common::must(dir, "rustc", &args);
            assert!(common::binary(dir, "t").status.success(), "{name} {flags:?}");
        }
        // A changed constant changes bits somewhere: the test must say so.
        let path = dir.join(format!("{name}.c"));
        let text = std::fs::read_to_string(&path).unwrap();
        let changed = text.replacen("p-6f", "p-7f", 1).replacen("p-5f", "p-6f", 1);
        assert_ne!(text, changed);
        std::fs::write(&path, changed).unwrap();
        common::must(dir, "gcc", &["-O2", c.as_str(), "-o", "t", "-lm"]);
        let out = common::binary(dir, "t");
        assert_eq!(out.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&out.stdout).contains("-ffp-contract=off"));
    }
    if has_fma() {
        // Without its guard the plain variant is contracted, and the test finds it out.
        let p = program(false);
        let report = verified(&p, 0.0625, 0.125);
        let source = write(dir, &p, Lang::C, "bare", &report);
        let bare: String = source.lines().filter(|l| !l.contains("pragma")).map(|l| format!("{l}\n")).collect();
        std::fs::write(dir.join("bare.c"), bare).unwrap();
        common::must(dir, "gcc", &["-O2", "-mfma", "bare_test.c", "-o", "t", "-lm"]);
        assert_eq!(common::binary(dir, "t").status.code(), Some(1), "a contracted build passed its test");
    }
}

#[test]
fn guards_only_where_a_product_feeds_a_sum() {
    assert!(needs_contraction_guard(&program(false)));
    assert!(!needs_contraction_guard(&program(true)));
    let mut p = Program::new("p");
    let x = p.input("x", Type::F64);
    let y = p.must(Op::Mul, &[x, x]);
    p.set_outputs(vec![y]);
    assert!(!needs_contraction_guard(&p));
    let n = p.must(Op::Neg, &[y]);
    let z = p.must(Op::Sub, &[x, n]);
    p.set_outputs(vec![z]);
    assert!(needs_contraction_guard(&p), "a negation does not hide a product");
}

#[test]
fn refusals() {
    let mut p = Program::new("r");
    let x = p.input("x", Type::Real);
    p.output(x);
    assert!(matches!(check(&p, Lang::C), Err(EmitError::Real { .. })));
    let mut p = Program::new("q");
    let x = p.input("x", Type::F32);
    assert!(matches!(check(&p, Lang::Rust), Err(EmitError::NoOutput { .. })));
    let c = p.param("c0", Type::F32, None);
    let y = p.must(Op::Add, &[x, c]);
    p.output(y);
    assert!(matches!(check(&p, Lang::Rust), Err(EmitError::FreeParameter { .. })));
    p.set_param(0, Literal::F32(1.0));
    for bad in ["", "2x", "a-b", "while", "fmaf", "_x"] {
        assert!(matches!(emit_function(&p, Lang::C, bad, &[]), Err(EmitError::Name { .. })), "{bad}");
    }
    assert!(emit_function(&p, Lang::Rust, "match", &[]).is_err());
    assert!(emit_function(&p, Lang::C, "exp2_f32", &["a */ b".into()]).unwrap().contains("a * / b"));
    let mut two = program(true);
    let report = verified(&two, 0.5, 0.500_1);
    let v = two.outputs()[0];
    two.output(v);
    assert!(matches!(emit_test(&two, Lang::C, "f", "f", &report), Err(EmitError::NoTest { .. })));
}

#[test]
fn reductions_are_refused_by_name_and_functions_are_written_out() {
    for (op, args) in [("sum", "x"), ("norm", "x"), ("dot", "x, x")] {
        let text = format!("program f(x: f32) -> (f32) {{\n s = {op} {args}\n y = mul s, x\n return y\n}}");
        let p: Program = text.parse().unwrap();
        for lang in [Lang::C, Lang::Rust] {
            let refused = emit_function(&p, lang, "f", &[]).unwrap_err();
            assert!(matches!(refused, EmitError::Reduction { op: name, .. } if name == op), "{refused}");
            assert!(refused.to_string().contains(&format!("`{op}`")), "{refused}");
        }
        let mut dead = p.clone();
        dead.set_outputs(vec![mathsmith_ir::Value(0)]);
        assert_eq!(check(&dead, Lang::C), Ok(()), "a reduction that nothing needs is not written");
    }
    let p: Program = "program f(x: f32) -> (f32) {\n y = exp x\n return y\n}".parse().unwrap();
    for lang in [Lang::C, Lang::Rust] {
        let source = emit_function(&p, lang, "f", &[]).unwrap();
        assert!(!source.contains("exp"), "no library is called:\n{source}");
    }
    assert!(needs_contraction_guard(&p), "the kernel has products that feed sums");
}
