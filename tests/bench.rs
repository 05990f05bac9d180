//! `bench` and `calibrate` from end to end. No test depends on how long anything takes: what is looked at is who was timed,
//! against whom, and how bad input is answered.

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Stdio};

const BIN: &str = env!("CARGO_BIN_EXE_mathsmith");

/// Runs and asserts the exit code; what was printed, and what was complained of.
fn run(dir: &Path, code: i32, args: &[&str]) -> (String, String) {
    let out = Command::new(BIN).args(args).current_dir(dir).stdin(Stdio::null()).output().expect("the binary starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&out.stdout), text(&out.stderr));
    assert_eq!(out.status.code(), Some(code), "{args:?}\nstdout: {stdout}\nstderr: {stderr}");
    (stdout, stderr)
}

fn temp() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// Few rounds of few elements: enough to see who takes part.
const TINY: [&str; 6] = ["--rounds", "2", "--batch", "64", "--quick", "--quiet"];

fn bench(dir: &Path, args: &[&str]) -> Value {
    let all: Vec<&str> = ["bench"].iter().chain(args).chain(&TINY).chain(&["--json"]).copied().collect();
    let (stdout, _) = run(dir, 0, &all);
    serde_json::from_str(&stdout).unwrap_or_else(|e| panic!("{args:?}: {e}\n{stdout}"))
}

fn list<'a>(v: &'a Value, key: &str) -> &'a [Value] {
    v[key].as_array().unwrap_or_else(|| panic!("`{key}` is a list in {v}"))
}

/// The contestant of that name.
fn contestant<'a>(bench: &'a Value, name: &str) -> &'a Value {
    let found = list(bench, "contestants").iter().find(|c| c["name"] == name);
    found.unwrap_or_else(|| panic!("{name} is among {:#?} (missing: {:#})", bench["contestants"], bench["missing"]))
}

/// A crude exponential near zero.
const CRUDE: &str = "float crude(float x) { return 1.0f + x * (1.0f + x * (0.5f + x * 0.16666667f)); }\n";

#[test]
fn a_file_is_timed_beside_the_function_that_its_reference_is() {
    let dir = temp();
    std::fs::write(dir.path().join("mine.c"), CRUDE).expect("a source");
    // However the function is written its peers are the same; only an expression is also composed.
    let families = ["--peers", "libm,core-math,libm-crate,composed"];
    let args = ["mine.c", "--ref", "exp2(x/ln2)", "--on=-0.5..0.5", "--compiler", "gcc", "--at-most", "1.1"];
    let b = bench(dir.path(), &[&args[..], &families[..]].concat());
    assert_eq!((b["schema"].as_u64(), b["reference"].as_str()), (Some(1), Some("exp2(x/ln2)")));
    assert_eq!(b["inputs"]["batch"], 64);
    let own = contestant(&b, "mine.c gcc");
    assert_eq!(own["side"], "own");
    assert!(own["error"]["max_ulp"].as_f64().expect("an error") > 100.0, "{own}");
    for name in ["libm:expf", "core-math:expf", "libm-crate:expf", "libm: exp2(x/ln2)"] {
        let peer = contestant(&b, name);
        assert_eq!(peer["error"]["coverage"], "sampled");
        assert!(peer["error"]["max_ulp"].as_f64().expect("an error") < 4.0, "{peer}");
        let (q1, q3) = (&peer["timing"]["throughput"]["q1"], &peer["timing"]["throughput"]["q3"]);
        assert!(q1.as_f64() > Some(0.0) && q1.as_f64() <= q3.as_f64(), "{peer}");
    }
    let comparison =
        list(&b, "comparisons").iter().find(|c| c["choice"]["kind"] == "at_most" && c["choice"]["own"] == false);
    let comparison = comparison.expect("the bound of the command line is compared at");
    assert!(comparison["peer"].is_string() && comparison["speedup"]["median"].as_f64() > Some(0.0), "{comparison}");
}

/// A run with one program, as `approx` writes it.
fn a_run(dir: &Path) {
    std::fs::create_dir(dir.join("run")).expect("a folder");
    let program = "program twice(x: f32) -> (f32) {\\n  v1 = add x, x\\n  return v1\\n}\\n";
    let front = format!(
        r#"{{"schema":1,"problem":{{"approx":"2*x","on":"0..1","type":"f32","name":"twice"}},"front":[{{"id":"fma-1",
        "cost":{{"model":"x86-64-v3","cycles":0.06}},"error":{{"coverage":"exhaustive","inputs":7,"max_ulp":0.0,
        "worst_input":{{"ulp":"0x0p+0"}}}},"meets_bound":true,"program":"{program}",
        "files":{{"rust":"twice.rs","c":"twice.c"}}}}]}}"#
    );
    std::fs::write(dir.join("run/front.json"), front).expect("a record");
    std::fs::write(dir.join("run/twice.c"), "float twice(float x) {\n    return x + x;\n}\n").expect("C");
    std::fs::write(dir.join("run/twice.rs"), "pub fn twice(x: f32) -> f32 {\n    x + x\n}\n").expect("Rust");
}

#[test]
fn a_run_is_compiled_by_every_compiler_and_held_against_its_model() {
    let dir = temp();
    a_run(dir.path());
    let b = bench(dir.path(), &["run", "--out", "bench.json", "--peers", "none"]);
    let compilers: Vec<&str> = list(&b, "contestants").iter().filter_map(|c| c["compiler"].as_str()).collect();
    assert!(compilers.contains(&"rustc"), "{compilers:?}, {}", b["missing"]);
    assert!(compilers.contains(&"gcc") || compilers.contains(&"cc"), "{compilers:?}, {}", b["missing"]);
    // The error is the run's own, which was proved.
    assert!(list(&b, "contestants").iter().all(|c| c["error"]["inputs"] == 7));
    let model = list(&b, "models").iter().find(|m| m["model"] == "x86-64-v3").expect("the entry's own model");
    assert!(model["cycles"].as_f64() > Some(0.0) && model["measured"].as_f64() > Some(0.0), "{model}");
    // The record on disk is the one that was printed, and makes a table.
    let (table, _) =
        run(dir.path(), 0, &["dev", "bench-table", "bench.json", "--at-most", "1.1", "--compiler", "rustc"]);
    assert!(table.starts_with("| function |") && table.contains("no vector peer"), "{table}");
    assert!(table.contains("0 functions count, of 1"), "{table}");
    let (text, _) = run(dir.path(), 0, &[&["bench", "run", "--peers", "none"][..], &TINY].concat());
    assert!(text.contains("fma-1 rustc") && text.contains("x86-64-v3"), "{text}");
}

#[test]
fn bad_questions_are_answered_with_a_way_out() {
    let dir = temp();
    a_run(dir.path());
    std::fs::write(dir.path().join("mine.c"), CRUDE).expect("a source");
    for (args, named, help) in [
        (vec!["nowhere"], "nowhere/front.json", "approx --out"),
        (vec!["mine.c"], "mine.c", "--ref"),
        (vec!["mine.c", "--ref", "exq(x)"], "exq", "exp"),
        (vec!["mine.c", "--ref", "exp(x)", "--all"], "--all", "--symbol"),
        (vec!["run", "--ref", "exp(x)"], "--ref", "leave --ref out"),
        (vec!["run", "--id", "fma-9"], "fma-9", "fma-1"),
        (vec!["run", "--peers", "glibc"], "glibc", "libmvec"),
        (vec!["run", "--compiler", "tcc"], "tcc", "clang"),
        (vec!["run", "--target", "z80"], "z80", "x86-64"),
        (vec!["run", "--batch", "1000000"], "1000000", "32768"),
        (vec!["mine.c", "--symbol", "other", "--ref", "exp(x)", "--compiler", "gcc"], "other", "help: "),
    ] {
        let all: Vec<&str> = ["bench"].into_iter().chain(args.iter().copied()).collect();
        let (stdout, stderr) = run(dir.path(), 2, &all);
        assert!(stdout.is_empty(), "{args:?}: {stdout}");
        assert!(stderr.contains(named) && stderr.contains(help), "{args:?}: {stderr}");
    }
}

#[test]
fn calibrate_writes_a_model_that_prices_programs() {
    let dir = temp();
    let args = ["calibrate", "--rounds", "1", "--base", "x86-64-v3", "--out", "mine.toml"];
    if !mathsmith_bench::calibrate::bases().contains(&"x86-64-v3") {
        let (_, stderr) = run(dir.path(), 2, &args);
        assert!(stderr.contains("help: "), "{stderr}");
        return;
    }
    let (stdout, _) = run(dir.path(), 0, &args);
    assert!(stdout.contains("operations within") && stdout.contains("pairs of operations"), "{stdout}");
    let path = dir.path().join("mine.toml");
    let model = mathsmith_cost::Model::load(path.to_str().expect("a path in UTF-8")).expect("a model");
    let shipped = mathsmith_cost::Model::builtin("x86-64-v3").expect("a model");
    assert!(model.op.keys().eq(shipped.op.keys()), "every operation has its figures");
    assert!(model.op.values().all(|op| op.source.starts_with("measured on ")));
    let program = "program p(x: f32) -> (f32) {\n  v1 = fma x, x, x\n  v2 = div v1, x\n  return v2\n}\n";
    let program: mathsmith_ir::Program = program.parse().expect("a program");
    let cost = mathsmith_cost::cycles(&program, &model).expect("a price");
    assert!(cost.throughput > 0.0 && cost.latency > 0.0);
    let (_, stderr) = run(dir.path(), 2, &["calibrate", "--out", "mine"]);
    assert!(stderr.contains(".toml"), "{stderr}");
    let (_, stderr) = run(dir.path(), 2, &["calibrate", "--base", "cortex-m7"]);
    assert!(stderr.contains("cortex-m7") && stderr.contains("x86-64-v3"), "{stderr}");
}
