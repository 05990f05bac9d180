//! Whole programs through the binary: range reductions, special values, demands, tolerances, narrower formats, and what
//! contradicts itself. Domains are narrow, so that a sweep takes a moment.

use std::path::Path;
use std::process::{Command, Stdio};

const BIN: &str = env!("CARGO_BIN_EXE_mathsmith");

/// Runs in a folder and asserts the exit code.
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

fn front(stdout: &str) -> serde_json::Value {
    serde_json::from_str(stdout).unwrap_or_else(|e| panic!("{e}: {stdout}"))
}

fn entries(front: &serde_json::Value) -> &[serde_json::Value] {
    front["front"].as_array().expect("entries")
}

/// A question that needs a range reduction, on 2^24 inputs and the infinity beyond them.
const LOGARITHM: &[&str] = &[
    "approx",
    "log(x)",
    "--on",
    "0x1p126..inf",
    "--max-ulp",
    "1",
    "--minimize",
    "throughput",
    "--variant",
    "fma",
    "--evals",
    "20000",
];

#[test]
fn a_range_reduction_answers_up_to_infinity_with_the_same_bytes_for_any_threads() {
    let dir = temp();
    let with = |threads: &str, out: &str| {
        let args = [LOGARITHM, &["--threads", threads, "--out", out]].concat();
        run(dir.path(), 0, &args);
        std::fs::read_to_string(dir.path().join(out).join("front.json")).expect("a front")
    };
    let one = with("1", "one");
    assert_eq!(one, with("2", "two"));
    let front = front(&one);
    assert_eq!(front["bound_met"], true);
    let best = entries(&front).iter().find(|e| e["meets_bound"] == true).expect("an answer");
    let origin = best["origin"].as_str().expect("an origin");
    assert!(origin.contains("polynomial") || origin.contains("ratio"), "{origin}");
    let specials = best["error"]["specials"].as_array().expect("specials");
    assert!(specials.iter().any(|s| s == "f(inf) = inf: agrees"), "{specials:?}");
    assert!(best["program"].as_str().is_some_and(|p| p.contains("bitcast")), "{best:#}");

    // What is emitted proves itself, and a compiler makes vectors of it.
    let folder = dir.path().join("one");
    let source = best["files"]["c"].as_str().expect("a C file");
    let build = |compiler: &str, args: &[&str]| {
        let out = Command::new(compiler).args(args).current_dir(&folder).output();
        let out = out.unwrap_or_else(|e| panic!("{compiler}: {e}; `make setup` installs it"));
        let text = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(out.status.success(), "{compiler} {args:?}: {text}");
        text
    };
    let test = best["files"]["c_test"].as_str().expect("a test");
    build("gcc", &["-O2", "-march=native", test, "-o", "t", "-lm"]);
    let proof = Command::new(folder.join("t")).output().expect("the test starts");
    assert!(proof.status.success(), "{}", String::from_utf8_lossy(&proof.stdout));
    let caller = format!(
        "#include \"{source}\"\nvoid all(float *restrict y, const float *restrict x, int n) {{\n    \
         for (int i = 0; i < n; i++) y[i] = log_f32(x[i]);\n}}\n"
    );
    std::fs::write(folder.join("all.c"), caller).expect("writable");
    let said = build("clang", &["-O3", "-march=x86-64-v3", "-Rpass=loop-vectorize", "-c", "all.c", "-o", "all.o"]);
    assert!(said.contains("vectorized loop"), "{said}");
}

#[test]
fn points_that_are_asked_for_are_met_exactly_and_order_is_kept() {
    let dir = temp();
    let args = [
        "approx",
        "exp2(x-1)",
        "--on",
        "1..1.03125",
        "--max-ulp",
        "1",
        "--require",
        "exact:1->1,monotone",
        "--evals",
        "3000",
        "--max-ops",
        "6",
        "--variant",
        "fma",
        "--json",
    ];
    let front = front(&run(dir.path(), 0, &args).0);
    let best = entries(&front).iter().find(|e| e["meets_bound"] == true).expect("an answer");
    let program: mathsmith_ir::Program = best["program"].as_str().expect("text").parse().expect("a program");
    let mut engine = mathsmith_jit::engine_for(&program).expect("an engine").0;
    let mut out = [0f32];
    let (x, y) = (mathsmith_ir::ColumnRef::F32(&[1.0]), mathsmith_ir::ColumnMut::F32(&mut out));
    engine.run(&[], &[x], &mut [y]).expect("it runs");
    assert_eq!(out, [1.0]);
}

#[test]
fn tolerances_and_narrower_formats_are_what_is_judged() {
    let dir = temp();
    let common =
        ["approx", "exp2(x)", "--on", "0.5..0.53125", "--evals", "2000", "--max-ops", "6", "--variant", "plain"];
    let args = [&common[..], &["--tol", "2^-12*y", "--json"]].concat();
    let with_tolerance = front(&run(dir.path(), 0, &args).0);
    let best = entries(&with_tolerance).iter().find(|e| e["meets_bound"] == true).expect("an answer");
    let worst = best["error"]["tolerated"]["worst"].as_f64().expect("a figure");
    assert!(worst <= 1.0 && best["error"]["tolerated"]["beyond"] == 0, "{best:#}");
    let args = [&common[..], &["--out", "bf16", "--max-ulp", "0.6", "--json"]].concat();
    let stored = front(&run(dir.path(), 0, &args).0);
    let best = entries(&stored).iter().find(|e| e["meets_bound"] == true).expect("an answer");
    assert_eq!(best["error"]["judged_at"], "bf16");
    assert!(best["ops"].as_u64().is_some_and(|n| n <= 3), "eight bits need no more: {best:#}");
}

#[test]
fn a_bound_that_nothing_meets_shows_the_best_and_claims_nothing() {
    let dir = temp();
    let args = [
        "approx",
        "exp2(x)",
        "--on",
        "0.5..0.53125",
        "--max-ulp",
        "0.4",
        "--evals",
        "2000",
        "--max-ops",
        "6",
        "--variant",
        "fma",
        "--out",
        "run",
    ];
    let (stdout, _) = run(dir.path(), 1, &args);
    assert!(stdout.contains("max-ulp 0.4 not met"), "{stdout}");
    let text = std::fs::read_to_string(dir.path().join("run/front.json")).expect("a front");
    let front = front(&text);
    assert_eq!(front["bound_met"], false);
    assert!(!entries(&front).is_empty() && entries(&front).iter().all(|e| e["meets_bound"] == false));
}

#[test]
fn contradictions_are_refused_before_anything_is_written() {
    let cases: &[(&[&str], &[&str])] = &[
        (&["cos(x)", "--on", "-1..1", "--require", "odd,exact:0->1"], &["exact:0.0->1.0", "odd", "Help"]),
        (&["exp2(x)", "--on", "-1..1", "--max-ulp", "4", "--require", "even"], &["contradicts the bound", "Help"]),
        (&["sin(x)", "--on", "0..1", "--require", "odd"], &["not symmetric", "Help"]),
        (&["sin(x)", "--on", "-1..1", "--require", "exact:2->1"], &["outside of the domain", "Help"]),
        (&["exp2(x)", "--on", "0..1", "--require", "exact:0->1,exact:0->2"], &["two values", "Help"]),
        (&["log(x)", "--on", "-1..1"], &["undefined on [-1", "help"]),
        (&["exp2(x)", "--on", "0..1", "--max-ulp", "1", "--tol", "1e-6"], &["two bounds", "Help"]),
        (&["exp2(x)", "--on", "0..1", "--tol", "z"], &["`z`", "Help"]),
        (&["exp2(x)", "--on", "0..1", "--out", "f64"], &["no format to store results in", "bf16"]),
        (&["exp2(x)", "--on", "0..1", "--type", "real", "--require", "monotone"], &["real arithmetic", "Help"]),
        (&["exp2(x)", "--max-ulp", "1", "--reduce", "none"], &["without a reduction", "Help"]),
    ];
    for (args, wanted) in cases {
        let dir = temp();
        let args = [&["approx"], *args, &["--out", "run"]].concat();
        let (_, stderr) = run(dir.path(), 2, &args);
        for part in *wanted {
            assert!(stderr.to_lowercase().contains(&part.to_lowercase()), "{args:?} lacks {part:?}:\n{stderr}");
        }
        assert!(!stderr.contains("panicked"), "{stderr}");
        let left = std::fs::read_dir(dir.path()).expect("a folder").count();
        assert_eq!(left, 0, "{args:?} left files");
    }
}
