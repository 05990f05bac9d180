//! `measure` and `check` from end to end: subjects of every kind, verdicts, certificates, records, and bad input.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const BIN: &str = env!("CARGO_BIN_EXE_mathsmith");

/// A file of the corpus of subjects.
fn corpus(name: &str) -> String {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/subjects").join(name);
    path.to_str().expect("a path in UTF-8").to_owned()
}

fn temp() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn start(dir: &Path, args: &[&str]) -> Output {
    Command::new(BIN).args(args).current_dir(dir).stdin(Stdio::null()).output().expect("the binary starts")
}

/// Runs and asserts the exit code.
fn run(dir: &Path, code: i32, args: &[&str]) -> (String, String) {
    let out = start(dir, args);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&out.stdout), text(&out.stderr));
    assert_eq!(out.status.code(), Some(code), "{args:?}\nstdout: {stdout}\nstderr: {stderr}");
    (stdout, stderr)
}

/// Runs `measure ... --json` and parses what it prints.
fn measured(code: i32, args: &[&str]) -> Value {
    let dir = temp();
    let mut all = vec!["measure", "--json"];
    all.extend(args);
    let (stdout, stderr) = run(dir.path(), code, &all);
    serde_json::from_str(&stdout).unwrap_or_else(|e| panic!("{args:?}: {e}\n{stdout}\n{stderr}"))
}

fn figure(v: &Value) -> f64 {
    v.as_f64().unwrap_or_else(|| panic!("a number, not {v}"))
}

/// Whether a library that is no part of every system is there; says so where it is not.
fn available(subject: &str, reference: &str) -> bool {
    let dir = temp();
    let out = start(dir.path(), &["measure", subject, "--ref", reference, "--on", "1..1"]);
    let there = out.status.code() == Some(0);
    if !there {
        eprintln!("NOT TESTED: {subject}: {}", String::from_utf8_lossy(&out.stderr));
    }
    there
}

const NEAR_ONE: [&str; 2] = ["--on", "1..1.001"];

/// Single floats in 1..1.001.
const COUNT: u64 = 8389;

#[test]
fn sources_in_c_and_rust_have_the_same_figures() {
    for (stem, reference, extra) in [
        ("exp_bits", "exp(x)", &[][..]),
        ("tanh_ratio", "tanh(x)", &[]),
        ("log2_table", "log2(x)", &["--on", "3..3.001"]),
        ("asin_regimes", "asin(x)", &["--on", "0.4999..0.5001"]),
        ("exp2_array", "exp2(x)", &[]),
    ] {
        let (c, rust) = (corpus(&format!("{stem}.c")), corpus(&format!("{stem}.rs")));
        let on = if extra.is_empty() { &NEAR_ONE[..] } else { extra };
        let mut args = vec![c.as_str(), rust.as_str(), "--ref", reference];
        args.extend(on);
        let record = measured(0, &args);
        let [a, b] = [0, 1].map(|i| &record["measurements"][i]);
        assert_eq!(a["measured"], b["measured"], "{stem}");
        assert_eq!(a["measured"]["coverage"], "exhaustive");
        let ulp = figure(&a["measured"]["max_ulp"]["value"]);
        assert!(ulp > 0.4 && ulp < 64.0, "{stem}: {ulp}");
        for (m, compiler) in [(a, "gcc"), (b, "rustc")] {
            let source = &m["subject"]["source"];
            assert!(source["hash"].as_str().is_some_and(|h| h.len() == 64), "{source}");
            let said = source["compiler"].as_str().unwrap_or_default().to_lowercase();
            assert!(said.contains(compiler) || (compiler == "gcc" && !said.is_empty()), "{said}");
            assert!(source["flags"].as_array().is_some_and(|f| !f.is_empty()), "flags are stated: {source}");
        }
    }
}

#[test]
fn libraries_crates_and_programs_share_a_sweep() {
    let dir = temp();
    // 1 + x: at 1..1.001 far from exp, but a program all the same.
    std::fs::write(dir.path().join("line.ir"), "program line(x: f32) -> (f32) { y = add x, 1:f32 return y }")
        .expect("written");
    let mut args =
        vec!["measure", "--json", "libm:expf", "core-math:expf", "libm-crate:expf", "line.ir", "--ref", "exp(x)"];
    args.extend(NEAR_ONE);
    let (stdout, _) = run(dir.path(), 0, &args);
    let record: Value = serde_json::from_str(&stdout).expect("JSON");
    let all = record["measurements"].as_array().expect("a list");
    assert_eq!(all.len(), 4);
    assert!(all.iter().all(|m| m["measured"]["inputs"] == COUNT));
    assert_eq!(all[1]["measured"]["not_correctly_rounded"], 0, "core-math is correctly rounded");
    assert!(figure(&all[0]["measured"]["max_ulp"]["value"]) < 0.51);
    assert_eq!(all[3]["subject"]["source"]["made_by"], "program");
    assert!(figure(&all[3]["measured"]["max_abs"]["value"]) > 0.5);
    for m in all {
        assert_eq!(m["rounding"], "to nearest, ties to even");
        assert_eq!(m["asked"]["ftz"], false);
        assert!(m["cpu"]["arch"].is_string());
    }
    for (subject, least) in [("libmvec:expf", 1), ("sleef:expf_u10", 2)] {
        if available(subject, "exp(x)") {
            let mut args = vec![subject, "--ref", "exp(x)"];
            args.extend(NEAR_ONE);
            let widths = measured(0, &args)["measurements"].as_array().map_or(0, Vec::len);
            assert!(widths >= least, "{subject}: {widths} widths");
        }
    }
}

#[test]
fn doubles_and_two_arguments_are_sampled_and_say_so() {
    let record = measured(0, &["libm:exp", "--ref", "exp(x)", "--type", "f64", "--evals", "20000", "--seed", "3"]);
    let m = &record["measurements"][0]["measured"];
    assert_eq!((&m["coverage"], &m["seed"], &m["format"]), (&"sampled".into(), &3.into(), &"f64".into()));
    let ulp = figure(&m["max_ulp"]["value"]);
    assert!(ulp > 0.5 && ulp < 0.55, "{ulp}");

    let (c, rust) = (corpus("atan2_pair.c"), corpus("atan2_pair.rs"));
    let pair = ["--ref", "atan2(y, x)", "--args", "y,x", "--on", "x:0..1,y:-1..1", "--evals", "5000"];
    let mut args = vec![c.as_str(), rust.as_str()];
    args.extend(pair);
    let record = measured(0, &args);
    let m = &record["measurements"][0];
    assert_eq!(m["asked"]["variables"], serde_json::json!(["y", "x"]));
    assert_eq!(m["asked"]["domain"], serde_json::json!(["-1..1", "0..1"]));
    assert_eq!(m["measured"], record["measurements"][1]["measured"]);
    assert!(figure(&m["measured"]["max_ulp"]["value"]) < 4.0, "the arguments are in order");
    // The other order is another function.
    let wrong = measured(0, &["libm:atan2f", "--ref", "atan2(y, x)", "--on", "0.1..1", "--evals", "5000"]);
    assert!(figure(&wrong["measurements"][0]["measured"]["max_ulp"]["value"]) > 1e5);
}

#[test]
fn narrow_formats_in_and_out() {
    let (c, rust) = (corpus("tanh_bf16.c"), corpus("tanh_bf16.rs"));
    let record = measured(0, &[&c, &rust, "libm:tanhf", "--ref", "tanh(x)", "--type", "bf16", "--on", "0.5..2"]);
    for m in record["measurements"].as_array().expect("a list") {
        assert_eq!(m["measured"]["inputs"], 257, "every bfloat16 of 0.5..2");
        assert_eq!((&m["measured"]["format"], &m["measured"]["judged_at"]), (&"bf16".into(), &"bf16".into()));
        assert_eq!(m["measured"]["coverage"], "exhaustive");
    }
    let record = measured(0, &["core-math:expf", "--ref", "exp(x)", "--on", "1..1.001", "--out", "bf16"]);
    let m = &record["measurements"][0]["measured"];
    assert_eq!((&m["format"], &m["judged_at"], &m["inputs"]), (&"f32".into(), &"bf16".into(), &COUNT.into()));
    assert!(figure(&m["max_ulp"]["value"]) <= 0.5, "no double rounding here");
}

#[test]
fn one_thread_or_two_give_the_same_bytes() {
    let dir = temp();
    let mut outputs = Vec::new();
    for threads in ["1", "2"] {
        let file = corpus("exp_bits.c");
        let args = [
            "measure",
            &file,
            "--ref",
            "exp(x)",
            "--on",
            "0.99..1.02",
            "--json",
            "--threads",
            threads,
            "--out",
            threads,
        ];
        let (stdout, _) = run(dir.path(), 0, &args);
        let read = |name: &str| std::fs::read(dir.path().join(threads).join(name)).expect(name);
        let files = ["measurement.json", "exp_bits.c.cert.json", "exp_bits.c.svg", "adversarial.json"].map(read);
        outputs.push((stdout, files));
        let two =
            ["measure", "libm:powf", "--ref", "x^y", "--on", "1..2", "--evals", "3000", "--json", "--threads", threads];
        outputs.push((run(dir.path(), 0, &two).0, [const { Vec::new() }; 4]));
    }
    assert_eq!(outputs[0], outputs[2]);
    assert_eq!(outputs[1], outputs[3]);
}

/// A function with every fault that a demand can name, and one without.
const FAULTY: &str = "
#include <math.h>
float steps(float x) { return x < 1.0005f ? x : x + 0x1p-21f; }
float falls(float x) { return x == 1.0005f ? x - 0x1p-21f : x; }
float odd(float x) { return x < 0.0f ? x - 0x1p-20f : x; }
float plain(float x) { return x; }
float high(float x) { return x > 1.00099f ? 2.0f : x; }
float minus(float x) { return x == 0.0f ? -0.0f : x; }
float twice(float x) { return x + x; }
";

/// The verdicts of one function of [`FAULTY`] against a reference.
fn verdicts(code: i32, symbol: &str, reference: &str, extra: &[&str]) -> Vec<(String, bool, String)> {
    let dir = temp();
    std::fs::write(dir.path().join("faulty.c"), FAULTY).expect("written");
    let mut args = vec!["measure", "faulty.c", "--json", "--symbol", symbol, "--ref", reference];
    args.extend(extra);
    let (stdout, _) = run(dir.path(), code, &args);
    let record: Value = serde_json::from_str(&stdout).expect("JSON");
    let all = record["measurements"][0]["verdicts"].as_array().expect("a list");
    let text = |v: &Value| v.as_str().expect("a text").to_owned();
    all.iter().map(|v| (text(&v["demand"]), v["met"] == true, text(&v["detail"]))).collect()
}

#[test]
fn every_demand_is_met_or_not_with_the_place() {
    let demand = |code: i32, symbol: &str, on: &str, require: &str| {
        let mut all = verdicts(code, symbol, "x", &["--on", on, "--require", require]);
        assert_eq!(all.len(), 1, "{require}");
        all.remove(0)
    };
    // Around zero a range of floats is long; -1e-44..1e-44 holds few.
    for (require, on, good, bad) in [
        ("monotone", "1..1.001", "plain", "falls"),
        ("join:1.0005", "1..1.001", "plain", "steps"),
        ("saturate", "1..1.001", "plain", "high"),
        ("odd", "-1e-44..1e-44", "plain", "odd"),
        ("exact:0->0", "-1e-44..1e-44", "plain", "minus"),
        ("exact:1->1", "1..1.001", "plain", "twice"),
    ] {
        let (name, met, _) = demand(0, good, on, require);
        assert!(met && name == require, "{require}: {good}");
        let (name, met, detail) = demand(1, bad, on, require);
        assert!(!met && name == require, "{require}: {bad}");
        assert!(detail.contains("0x"), "{require} says where: {detail}");
    }
    // A symmetry that the reference has not can be demanded, and fails.
    let (_, met, _) = demand(1, "plain", "-1e-44..1e-44", "even");
    assert!(!met);
}

#[test]
fn bounds_and_tolerances_are_judged() {
    for (flag, value, met) in [
        ("--max-ulp", "1", true),
        ("--max-ulp", "0.4", false),
        ("--max-rel", "1e-6", true),
        ("--max-rel", "2^-40", false),
        ("--max-abs", "1e-6", true),
        ("--max-abs", "1e-12", false),
        ("--tol", "max(1e-6*abs(y), 1e-8)", true),
        ("--tol", "x*1e-12", false),
    ] {
        let mut args = vec!["libm:expf", "--ref", "exp(x)", flag, value];
        args.extend(NEAR_ONE);
        let record = measured(i32::from(!met), &args);
        let verdicts = record["measurements"][0]["verdicts"].as_array().expect("a list");
        assert_eq!(verdicts.len(), 1);
        assert_eq!(verdicts[0]["met"], met, "{flag} {value}");
        assert!(verdicts[0]["detail"].as_str().is_some_and(|d| d.contains("0x")), "{}", verdicts[0]);
    }
    // All at once, in a fixed order; seams appear among the special inputs.
    let args =
        ["libm:expf", "--ref", "exp(x)", "--max-abs", "1", "--max-ulp", "1", "--tol", "1", "--require", "monotone"];
    let mut args = args.to_vec();
    args.extend(["--on", "1..1.001", "--seam", "1.0005", "--seam", "1.0001"]);
    let record = measured(0, &args);
    let m = &record["measurements"][0];
    let demands: Vec<&str> =
        m["verdicts"].as_array().expect("a list").iter().filter_map(|v| v["demand"].as_str()).collect();
    assert_eq!(demands, ["max-ulp 1", "max-abs 1", "tol 1", "monotone"]);
    let specials = m["measured"]["specials"].as_array().expect("a list");
    assert_eq!(specials.iter().filter(|s| s["what"] == "seam").count(), 2);
}

#[test]
fn flushing_is_stated_and_changes_what_is_judged() {
    let dir = temp();
    std::fs::write(dir.path().join("faulty.c"), FAULTY).expect("written");
    let args = ["measure", "faulty.c", "--symbol", "twice", "--ref", "2*x", "--on", "1.1754e-38..1.1755e-38", "--json"];
    let counted = |extra: &[&str]| {
        let (stdout, _) = run(dir.path(), 0, &[&args[..], extra].concat());
        let record: Value = serde_json::from_str(&stdout).expect("JSON");
        let m = record["measurements"][0].clone();
        assert_eq!((&m["asked"]["ftz"], &m["measured"]["ftz"]), (&extra.contains(&"--ftz").into(), &m["asked"]["ftz"]));
        figure(&m["measured"]["inputs"])
    };
    // The least normal number, 1.17549435e-38, lies inside; what is below is left out with flushing.
    let (kept, flushed) = (counted(&[]), counted(&["--ftz"]));
    assert!(kept > flushed && flushed > 0.0, "{kept} {flushed}");
}

#[test]
fn subjects_that_fail_are_named_with_their_input_and_stop_nobody() {
    for (name, what) in [
        ("bad/null.c", "SIGSEGV"),
        ("bad/exits.c", "exit code 7"),
        ("bad/hang.c", "did not return within 500ms"),
        ("bad/rounding_mode.c", "rounding mode"),
        ("bad/index.rs", "index out of bounds"),
    ] {
        let path = corpus(name);
        let record =
            measured(1, &[&path, "libm:expf", "--ref", "exp(x)", "--on", "1.4999..1.5001", "--timeout", "500ms"]);
        assert_eq!(record["measurements"].as_array().map(Vec::len), Some(1), "the other is measured");
        let failure = &record["failures"][0];
        assert_eq!(failure["at"], serde_json::json!(["0x1.8p+0"]), "{name}: {failure}");
        assert!(failure["what"].as_str().is_some_and(|w| w.contains(what)), "{name}: {failure}");
    }
}

#[test]
fn nan_everywhere_and_impure_functions_are_said() {
    let dir = temp();
    for (name, what) in
        [("bad/nan.c", "returns NaN for every input"), ("bad/impure.rs", "not pure: two calls at 0x1p+0 differ")]
    {
        let path = corpus(name);
        let mut args = vec!["measure", path.as_str(), "--ref", "x"];
        args.extend(NEAR_ONE);
        let (stdout, _) = run(dir.path(), 1, &args);
        assert!(stdout.contains(what), "{name}: {stdout}");
    }
    // What a subject prints disturbs nothing.
    let path = corpus("bad/noisy.c");
    let mut args = vec![path.as_str(), "--ref", "x"];
    args.extend(NEAR_ONE);
    measured(0, &args);
}

#[test]
fn bad_input_is_refused_with_place_and_way_out() {
    let dir = temp();
    std::fs::write(dir.path().join("two.c"), "float f(float x) { return x; }\nfloat g(float x) { return x; }\n")
        .expect("written");
    std::fs::write(dir.path().join("broken.ir"), "program p(x: f32) -> (f32) { y = sine x return y }")
        .expect("written");
    std::fs::write(dir.path().join("wide.ir"), "program p(x: f64) -> (f64) { y = add x, x return y }")
        .expect("written");
    std::fs::write(dir.path().join("taken"), "a file").expect("written");
    let not_c = corpus("bad/does_not_compile.c");
    let not_rust = corpus("bad/does_not_compile.rs");
    let types = corpus("bad/wrong_types.c");
    let good = ["libm:expf", "--ref", "exp(x)", "--on", "1..1.001"];
    let with = |extra: &[&'static str]| good.iter().chain(extra).map(ToString::to_string).collect::<Vec<_>>();
    let of = |all: &[&str]| all.iter().map(ToString::to_string).collect::<Vec<_>>();
    let cases = [
        (of(&["libm:expf", "--ref", "expp(x)"]), "did you mean `exp`", "--ref expp(x)"),
        (of(&["libm:expf", "--ref", "exp(x"]), "close it", "--ref exp(x"),
        (of(&["libm:expf", "--ref", "exp(x)", "--on", "2..1"]), "`1..2`", "--on 2..1"),
        (of(&["libm:expf", "--ref", "exp(x)", "--on", "z:0..1"]), "the variables are x", "--on z:0..1"),
        (with(&["--type", "real"]), "f32, f64, f16 or bf16", "--type real"),
        (with(&["--out", "f64"]), "wider", "--out f64"),
        (with(&["--out", "a", "--out", "b"]), "one folder", "--out b"),
        (with(&["--require", "no-div"]), "results only", "--require no-div"),
        (with(&["--require", "monoton"]), "did you mean `monotone`", "--require monoton"),
        (with(&["--require", "odd,even"]), "exclude each other", "--require odd,even"),
        (with(&["--require", "join:3"]), "outside of the domain", "--require join:3"),
        (with(&["--seam", "7"]), "outside of the domain", "--seam 7"),
        (with(&["--tol", "z"]), "unknown name", "--tol z"),
        (with(&["--tol", "-1"]), "negative", "-1"),
        (with(&["--max-ulp", "0"]), "above zero", "--max-ulp 0"),
        (with(&["--evals", "0"]), "whole number", "--evals 0"),
        (with(&["--timeout", "10"]), "10s", "--timeout 10"),
        (with(&["--compiler", "tcc"]), "gcc, clang or cc", "--compiler tcc"),
        (with(&["--out", "taken"]), "help:", "taken"),
        (with(&["libm:sinf", "--cert", "c.json"]), "--out DIR", "--cert"),
        (of(&["libm:exp", "--ref", "exp(x)"]), "`libm:expf`", "libm:exp"),
        (of(&["libm:expff", "--ref", "exp(x)"]), "did you mean", "expff"),
        (of(&["libm:atan2f", "--ref", "exp(x)"]), "2 variables", "atan2f"),
        (of(&["libn:expf", "--ref", "exp(x)"]), "libm:expf", "libn:"),
        (of(&["missing.c", "--ref", "exp(x)"]), "help:", "missing.c"),
        (of(&["missing.so", "--symbol", "f", "--ref", "exp(x)"]), "help:", "missing.so"),
        (of(&["two.c", "--ref", "x"]), "--symbol", "two.c"),
        (of(&["two.c", "--symbol", "ff", "--ref", "x"]), "did you mean", "`ff`"),
        (of(&[&not_c, "--ref", "x"]), "undeclared_constant", "gcc"),
        (of(&[&not_rust, "--ref", "x"]), "UNDECLARED_CONSTANT", "rustc"),
        (of(&[&types, "--ref", "x"]), "help:", "wrong_types.c"),
        (of(&["broken.ir", "--ref", "x"]), "column", "broken.ir"),
        (of(&["wide.ir", "--ref", "x"]), "--type", "wide.ir"),
        (of(&["wide.ir", "--ref", "x", "--type", "f64", "--ftz"]), "--ftz", "wide.ir"),
    ];
    for (args, way_out, place) in cases {
        let args: Vec<&str> = std::iter::once("measure").chain(args.iter().map(String::as_str)).collect();
        let (stdout, stderr) = run(dir.path(), 2, &args);
        assert!(stdout.is_empty(), "{args:?}: {stdout}");
        assert!(
            stderr.contains(way_out) && stderr.contains(place),
            "{args:?}: wants {way_out:?} and {place:?} in {stderr}"
        );
        assert!(stderr.to_lowercase().contains("error"), "{stderr}");
    }
    run(dir.path(), 2, &["measure", "libm:expf"]);
    // A reference without a value anywhere is measured, and said to be one.
    let (stdout, _) = run(dir.path(), 1, &["measure", "libm:expf", "--ref", "log(-x)", "--on", "1..1.001"]);
    assert!(stdout.contains("the reference has no value at any input"), "{stdout}");
}

/// Makes a certificate of a source of its own.
fn certified(dir: &Path) {
    std::fs::write(dir.join("mine.c"), "#include <math.h>\nfloat mine(float x) { return expf(x); }\n")
        .expect("written");
    let args =
        ["measure", "mine.c", "--ref", "exp(x)", "--on", "1..1.001", "--require", "monotone", "--cert", "mine.cert"];
    run(dir, 0, &args);
}

#[test]
fn a_certificate_is_proven_again_and_every_change_is_found() {
    let dir = temp();
    certified(dir.path());
    let path = dir.path().join("mine.cert");
    let text = std::fs::read_to_string(&path).expect("the certificate");
    let json: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((&json["schema"], &json["kind"]), (&1.into(), &"mathsmith-certificate".into()));
    let (stdout, _) = run(dir.path(), 0, &["check", "mine.cert"]);
    assert!(stdout.contains("proven again: exhaustive, 8 389 inputs"), "{stdout}");

    // One digit of one figure.
    let ulp = json["measurement"]["measured"]["max_ulp"]["value"].to_string();
    let last = ulp.chars().last().expect("a digit");
    let other = if last == '1' { '2' } else { '1' };
    let tampered = text.replacen(&ulp, &format!("{}{other}", &ulp[..ulp.len() - 1]), 1);
    assert_ne!(tampered, text);
    std::fs::write(&path, &tampered).expect("written");
    let (stdout, _) = run(dir.path(), 1, &["check", "mine.cert"]);
    assert!(
        stdout.contains("measured.max_ulp.value") && stdout.contains(&ulp) && stdout.contains("digest"),
        "{stdout}"
    );
    let (stdout, _) = run(dir.path(), 1, &["check", "mine.cert", "--json"]);
    let proof: Value = serde_json::from_str(&stdout).expect("JSON");
    assert_eq!(proof["holds"], false);
    assert_eq!(proof["differences"].as_array().map(Vec::len), Some(2), "{proof}");
    // A field that no figure depends on.
    std::fs::write(&path, text.replacen("\"seed\": 1", "\"seed\": 2", 1)).expect("written");
    assert!(run(dir.path(), 1, &["check", "mine.cert"]).0.contains("digest"));

    // Another source, elsewhere or in its place.
    std::fs::write(&path, &text).expect("written");
    let changed = "#include <math.h>\nfloat mine(float x) { return expf(x) * 1.0f; }\n";
    std::fs::write(dir.path().join("other.c"), changed).expect("written");
    let (stdout, _) = run(dir.path(), 1, &["check", "mine.cert", "--subject", "other.c"]);
    assert!(stdout.contains("SHA-256") && stdout.contains("NOT proven"), "{stdout}");
    std::fs::rename(dir.path().join("mine.c"), dir.path().join("moved.c")).expect("moved");
    let (_, stderr) = run(dir.path(), 2, &["check", "mine.cert"]);
    assert!(stderr.contains("mine.c") && stderr.contains("help:"), "{stderr}");
    run(dir.path(), 0, &["check", "mine.cert", "--subject", "moved.c"]);
    std::fs::write(dir.path().join("mine.c"), changed).expect("written");
    run(dir.path(), 1, &["check", "mine.cert"]);

    for (content, what) in [
        (text.replacen("\"schema\": 1", "\"schema\": 2", 1), "schema 2"),
        (text.replacen("mathsmith-certificate", "birth-certificate", 1), "birth-certificate"),
        (text[..text.len() / 2].to_owned(), "no JSON"),
        (text.replacen("\"rounding\"", "\"rounded\"", 1), "`rounding`"),
    ] {
        std::fs::write(&path, content).expect("written");
        let (_, stderr) = run(dir.path(), 2, &["check", "mine.cert"]);
        assert!(stderr.contains(what) && stderr.contains("help:"), "{what}: {stderr}");
    }
    assert!(run(dir.path(), 2, &["check", "none.cert"]).1.contains("none.cert"));
}

#[test]
fn records_are_written_and_the_adversarial_set_grows() {
    let dir = temp();
    let out = dir.path().join("out");
    let args = |on: &'static str| {
        ["measure", "libm:expf", "core-math:expf", "--ref", "exp( x )", "--on", on, "--out", "out", "--svg", "both.svg"]
    };
    run(dir.path(), 0, &args("1..1.001"));
    for name in
        ["measurement.json", "libm-expf.cert.json", "libm-expf.svg", "core-math-expf.cert.json", "adversarial.json"]
    {
        assert!(out.join(name).is_file(), "{name}");
    }
    assert!(std::fs::read_to_string(dir.path().join("both.svg")).expect("the plot").starts_with("<svg"));
    run(dir.path(), 0, &["check", "out/core-math-expf.cert.json"]);
    let inputs = || {
        let text = std::fs::read_to_string(out.join("adversarial.json")).expect("the set");
        let json: Value = serde_json::from_str(&text).expect("JSON");
        let list = json["references"]["exp(x) f32"].as_array().expect("the reference").clone();
        (text, list.len())
    };
    let (first, few) = inputs();
    assert!(few > 0);
    run(dir.path(), 0, &args("1..1.001"));
    assert_eq!(inputs().0, first, "the same measurement adds nothing");
    run(dir.path(), 0, &args("2..2.001"));
    assert!(inputs().1 > few);
    let left: Vec<_> =
        std::fs::read_dir(&out).expect("the folder").filter_map(Result::ok).map(|e| e.file_name()).collect();
    assert!(left.iter().all(|n| !n.to_string_lossy().ends_with(".tmp")), "{left:?}");
    // What is no set is not overwritten.
    std::fs::write(out.join("adversarial.json"), "{}").expect("written");
    let (_, stderr) = run(dir.path(), 2, &args("1..1.001"));
    assert!(stderr.contains("adversarial.json"), "{stderr}");
}

#[test]
fn an_interrupted_measurement_leaves_no_records() {
    let dir = temp();
    let mut child = Command::new(BIN)
        .args(["measure", "libm:expf", "--ref", "exp(x)", "--out", "out", "--threads", "1"])
        .current_dir(dir.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    // The folder is made before the sweep, the handler before its first input.
    for _ in 0..200 {
        if dir.path().join("out/.mathsmith.lock").exists() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    std::thread::sleep(std::time::Duration::from_millis(300));
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill runs");
    assert!(sent.success());
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    let names: Vec<_> = std::fs::read_dir(dir.path().join("out"))
        .expect("the folder")
        .filter_map(Result::ok)
        .map(|e| e.file_name())
        .collect();
    assert!(names.is_empty(), "{names:?}");
}

#[test]
fn a_host_is_nothing_to_start_by_hand() {
    let dir = temp();
    let (_, stderr) = run(dir.path(), 2, &["subject-host"]);
    assert!(stderr.contains("help:"), "{stderr}");
    let (stdout, _) = run(dir.path(), 0, &["--help"]);
    assert!(stdout.contains("measure") && stdout.contains("check") && !stdout.contains("subject-host"), "{stdout}");
}

#[test]
fn symmetry_holds_at_the_zeros_and_infinities_too() {
    let dir = temp();
    let source = "float zero(float x) { return x == 0 ? 0.0f : x; }\n\
                  float end(float x) { return x == -__builtin_inff() ? __builtin_inff() : x; }\n\
                  float good(float x) { return x; }\n";
    std::fs::write(dir.path().join("odd.c"), source).expect("written");
    for (symbol, code) in [("zero", 1), ("end", 1), ("good", 0)] {
        let args = ["measure", "odd.c", "--symbol", symbol, "--ref", "x", "--require", "odd", "--type", "bf16"];
        let (stdout, _) = run(dir.path(), code, &args);
        assert_eq!(stdout.contains("NOT MET"), code == 1, "{stdout}");
        if symbol == "zero" {
            assert!(stdout.contains("each special input below"), "{stdout}");
        }
    }
}

#[test]
fn what_is_there_already_is_not_replaced_by_mistake() {
    let dir = temp();
    let source = "float f(float x) { return x; }\n";
    std::fs::write(dir.path().join("f.c"), source).expect("written");
    let base = ["measure", "f.c", "--ref", "x", "--on", "1..1.1"];
    for (extra, what) in [
        (&["--cert", "./f.c"][..], "the subject itself"),
        (&["--svg", "f.c"], "the subject itself"),
        (&["--svg", "."], "not a plain file"),
        (&["--cert", "same", "--svg", "same"], "the same file"),
    ] {
        let args: Vec<&str> = base.iter().chain(extra).copied().collect();
        let (_, stderr) = run(dir.path(), 2, &args);
        assert!(stderr.contains(what) && stderr.contains("help:"), "{stderr}");
    }
    assert_eq!(std::fs::read_to_string(dir.path().join("f.c")).expect("still there"), source);
}
