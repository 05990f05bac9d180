//! The binary from end to end: answers, their records, determinism, interruption, and bad input.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const BIN: &str = env!("CARGO_BIN_EXE_mathsmith");

fn run_in(dir: &Path, args: &[&str]) -> Output {
    Command::new(BIN).args(args).current_dir(dir).stdin(Stdio::null()).output().expect("the binary starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs and asserts the exit code.
fn run(dir: &Path, code: i32, args: &[&str]) -> (String, String) {
    let out = run_in(dir, args);
    let (stdout, stderr) = (text(&out.stdout), text(&out.stderr));
    assert_eq!(out.status.code(), Some(code), "{args:?}\nstdout: {stdout}\nstderr: {stderr}");
    (stdout, stderr)
}

fn temp() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn listing(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(dir)
        .expect("the folder can be read")
        .map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn json(path: &Path) -> serde_json::Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).expect("valid JSON")
}

/// A question whose sweep takes a moment: 2^20 inputs.
const SMALL: [&str; 12] = [
    "approx",
    "exp2(x)",
    "--on",
    "0.5..<0.5625",
    "--type",
    "f32",
    "--max-ulp",
    "1",
    "--evals",
    "3000",
    "--max-ops",
    "6",
];

fn small(extra: &[&str]) -> Vec<String> {
    SMALL.iter().chain(extra).map(ToString::to_string).collect()
}

fn run_small(dir: &Path, code: i32, extra: &[&str]) -> (String, String) {
    let args = small(extra);
    run(dir, code, &args.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn a_question_is_answered_with_verified_programs() {
    let dir = temp();
    let (stdout, _) = run_small(dir.path(), 0, &["--out", "run"]);
    assert!(stdout.contains("exhaustive, 1 048 576 inputs"), "{stdout}");
    let run = dir.path().join("run");
    let front = json(&run.join("front.json"));
    assert_eq!(front["schema"], 1);
    assert_eq!(front["seed"], 1);
    assert_eq!(front["bound_met"], true);
    assert_eq!(front["problem"]["approx"], "exp2(x)");
    let entries = front["front"].as_array().expect("entries");
    for variant in ["fma", "plain"] {
        assert!(entries.iter().any(|e| e["variant"] == variant && e["meets_bound"] == true), "{variant}: {front:#}");
    }
    for e in entries {
        assert_eq!(e["error"]["coverage"], "exhaustive");
        assert_eq!(e["error"]["inputs"], 1 << 20);
        assert!(e["error"]["max_ulp"].as_f64().is_some_and(|u| u > 0.0), "{e:#}");
        assert_eq!(e["variant"] == "plain", e["fma"] == 0, "only fma programs hold fma: {e:#}");
        for kind in ["rust", "rust_test", "c", "c_test"] {
            let name = e["files"][kind].as_str().expect("a file name");
            assert!(run.join(name).is_file(), "{name}");
        }
        // The text form is a program again.
        let program: mathsmith_ir::Program = e["program"].as_str().expect("text").parse().expect("a program");
        assert_eq!(mathsmith_cost::count_ops(&program).total as u64, e["ops"].as_u64().expect("a count"));
    }
    assert!(listing(&run).iter().all(|n| !n.ends_with(".tmp")));
}

#[test]
fn emitted_tests_prove_the_figures_under_gcc_clang_and_rustc() {
    let dir = temp();
    run_small(dir.path(), 0, &["--out", "run"]);
    let run = dir.path().join("run");
    let front = json(&run.join("front.json"));
    let mut proved = 0;
    for e in front["front"].as_array().expect("entries").iter().filter(|e| e["meets_bound"] == true) {
        let c = e["files"]["c_test"].as_str().expect("a C test");
        let rust = e["files"]["rust_test"].as_str().expect("a Rust test");
        let builds: [(&str, Vec<&str>); 4] = [
            ("gcc", vec!["-O2", "-march=native", c, "-o", "t", "-lm"]),
            ("clang", vec!["-O2", "-march=native", c, "-o", "t", "-lm"]),
            ("gcc", vec!["-O3", "-std=gnu17", c, "-o", "t", "-lm"]),
            ("rustc", vec!["-O", "-Ctarget-cpu=native", rust, "-o", "t"]),
        ];
        for (compiler, args) in builds {
            let built = Command::new(compiler).args(&args).current_dir(&run).output();
            let built = built.unwrap_or_else(|e| panic!("{compiler}: {e}; `make setup` installs it"));
            assert!(built.status.success(), "{compiler} {args:?}: {}", text(&built.stderr));
            let proof = Command::new(run.join("t")).output().expect("the test starts");
            assert!(proof.status.success(), "{compiler}: {}{}", text(&proof.stdout), text(&proof.stderr));
            proved += 1;
        }
    }
    assert!(proved >= 8, "{proved}");
}

#[test]
fn a_changed_constant_fails_the_emitted_test() {
    let dir = temp();
    run_small(dir.path(), 0, &["--out", "run", "--variant", "plain"]);
    let run = dir.path().join("run");
    let front = json(&run.join("front.json"));
    let e = front["front"].as_array().and_then(|a| a.last()).expect("an entry").clone();
    let source = run.join(e["files"]["c"].as_str().expect("a file"));
    let body = std::fs::read_to_string(&source).expect("readable");
    let at = body.rfind("p-").or(body.rfind("p+")).expect("a hexadecimal float");
    let digit = body[..at].chars().last().expect("a digit");
    let other = if digit == '2' { '4' } else { '2' };
    let changed = format!("{}{other}{}", &body[..at - 1], &body[at..]);
    std::fs::write(&source, changed).expect("writable");
    let test = e["files"]["c_test"].as_str().expect("a test");
    let built =
        Command::new("gcc").args(["-O2", test, "-o", "t", "-lm"]).current_dir(&run).output().expect("gcc starts");
    assert!(built.status.success(), "{}", text(&built.stderr));
    let proof = Command::new(run.join("t")).output().expect("the test starts");
    assert_eq!(proof.status.code(), Some(1), "{}", text(&proof.stdout));
}

fn front_bytes(dir: &Path, name: &str, extra: &[&str]) -> Vec<u8> {
    let mut args = vec!["--out", name];
    args.extend(extra);
    run_small(dir, 0, &args);
    std::fs::read(dir.join(name).join("front.json")).expect("a front")
}

#[test]
fn the_front_does_not_depend_on_threads() {
    let dir = temp();
    let one = front_bytes(dir.path(), "one", &["--threads", "1"]);
    for threads in ["2", "8"] {
        assert!(one == front_bytes(dir.path(), threads, &["--threads", threads]), "{threads} threads differ");
    }
}

#[cfg(unix)]
fn interrupt(child: &std::process::Child) {
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill starts");
    assert!(sent.success());
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_resumes_to_the_same_bytes() {
    let dir = temp();
    let whole = {
        let args: Vec<String> =
            small(&["--out", "whole"]).into_iter().map(|a| if a == "3000" { "12000".into() } else { a }).collect();
        run(dir.path(), 0, &args.iter().map(String::as_str).collect::<Vec<_>>());
        std::fs::read(dir.path().join("whole/front.json")).expect("a front")
    };
    let mut interrupted = 0;
    for (n, wait) in [150u64, 400, 900, 1500].into_iter().enumerate() {
        let name = format!("cut{n}");
        let args: Vec<String> =
            small(&["--out", &name]).into_iter().map(|a| if a == "3000" { "12000".into() } else { a }).collect();
        let mut child = Command::new(BIN)
            .args(&args)
            .current_dir(dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts");
        std::thread::sleep(std::time::Duration::from_millis(wait));
        if child.try_wait().expect("a status").is_none() {
            interrupt(&child);
        }
        let code = child.wait().expect("a status").code();
        let run_dir = dir.path().join(&name);
        if code == Some(130) && run_dir.join("run.json").is_file() {
            interrupted += 1;
            assert!(!run_dir.join("front.json").exists(), "an interrupted run has no front");
            run(dir.path(), 0, &["resume", &name, "--threads", "1"]);
        } else {
            // Cut before there was a folder, or too late: the run counts for nothing here.
            continue;
        }
        assert!(whole == std::fs::read(run_dir.join("front.json")).expect("a front"), "cut after {wait} ms");
    }
    assert!(interrupted > 0, "no run was cut in the middle");
}

#[test]
fn real_questions_run_by_the_same_command() {
    let dir = temp();
    for (question, limit) in [("exp2(x)", 1e-5), ("log2(1+x)/x", 1e-3), ("cos(pi/4*x)", 1e-4), ("tanh(x)/x", 1e-3)] {
        let args =
            ["approx", question, "--on", "0..1", "--type", "real", "--max-ops", "6", "--evals", "20000", "--json"];
        let (stdout, _) = run(dir.path(), 0, &args);
        let front: serde_json::Value = serde_json::from_str(&stdout).expect("JSON");
        let entries = front["front"].as_array().expect("entries");
        let best = entries.iter().filter_map(|e| e["error"]["max_rel"].as_f64()).fold(f64::INFINITY, f64::min);
        assert!(best < limit, "{question}: {best:e}");
        assert!(entries.iter().all(|e| e["error"]["coverage"] == "sampled"));
        let noted = front["notes"].as_array().expect("notes").iter().any(|n| n.to_string().contains("limit"));
        assert_eq!(noted, question.ends_with("/x"), "{question}: {}", front["notes"]);
    }
}

#[test]
fn forms_are_fitted_and_swept() {
    let dir = temp();
    let args =
        ["fit", "1 + x*(c1 + x*(c2 + x*c3))", "--ref", "exp2(x)", "--on", "0..0x1p-4", "--type", "f32", "--json"];
    let (stdout, _) = run(dir.path(), 0, &args);
    let all: serde_json::Value = serde_json::from_str(&stdout).expect("JSON");
    assert_eq!(all.as_array().map(Vec::len), Some(2), "fma and plain");
    for f in all.as_array().expect("forms") {
        assert_eq!(f["error"]["coverage"], "exhaustive");
        assert!(f["error"]["max_ulp"].as_f64().is_some_and(|u| u < 1.0), "{f:#}");
    }
    // A ratio, and a constant that is held.
    let args = ["fit", "(a + b*x)/(c + x)", "--ref", "tanh(x)", "--on", "0.25..0.5", "--fix", "c=2", "--json"];
    let (stdout, _) = run(dir.path(), 0, &args);
    let all: serde_json::Value = serde_json::from_str(&stdout).expect("JSON");
    for f in all.as_array().expect("forms") {
        let held = f["constants"].as_array().expect("constants").iter().find(|c| c["name"] == "c").expect("c");
        assert_eq!(held["exact"], "0x1p+1");
    }
}

#[test]
fn demands_are_obeyed_and_verdicts_said() {
    let dir = temp();
    let (stdout, _) = run(
        dir.path(),
        0,
        &[
            "approx",
            "exp2(x)",
            "--on",
            "0.5..<0.5625",
            "--max-ulp",
            "1000",
            "--evals",
            "2000",
            "--max-ops",
            "6",
            "--require",
            "max-fma:2",
            "--json",
        ],
    );
    let front: serde_json::Value = serde_json::from_str(&stdout).expect("JSON");
    for e in front["front"].as_array().expect("entries") {
        assert!(e["fma"].as_u64().is_some_and(|n| n <= 2), "{e:#}");
        assert!(e["files"]["c"].is_null(), "nothing is written, nothing is named");
    }
    let form = ["fit", "a + b*x", "--ref", "exp2(x)", "--on", "0.5..0.75", "--max-ulp", "1", "--variant", "fma"];
    let (stdout, _) = run(dir.path(), 1, &form);
    assert!(stdout.contains("not met"), "{stdout}");
}

#[cfg(unix)]
#[test]
fn two_runs_do_not_share_a_folder() {
    let dir = temp();
    let args: Vec<String> =
        small(&["--out", "run"]).into_iter().map(|a| if a == "3000" { "200000".into() } else { a }).collect();
    let mut first = Command::new(BIN)
        .args(&args)
        .current_dir(dir.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary starts");
    while !dir.path().join("run/log.jsonl").is_file() {
        assert!(first.try_wait().expect("a status").is_none(), "the first run ended early");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let (_, stderr) = run_small(dir.path(), 2, &["--out", "run"]);
    assert!(stderr.contains("another run"), "{stderr}");
    interrupt(&first);
    first.wait().expect("a status");
}

#[test]
fn a_problem_file_says_what_the_command_line_says() {
    let dir = temp();
    std::fs::write(
        dir.path().join("q.smith"),
        "# the same question\napprox exp2(x)\non 0.5..<0.5625\ntype f32\nmax-ulp 1\nevals 3000\nmax-ops 6\n",
    )
    .expect("writable");
    let typed = front_bytes(dir.path(), "typed", &[]);
    run(dir.path(), 0, &["approx", "q.smith", "--out", "file"]);
    assert!(typed == std::fs::read(dir.path().join("file/front.json")).expect("a front"));
    // And the file that a run leaves is that question again.
    run(dir.path(), 0, &["approx", "file/problem.smith", "--out", "again"]);
    assert!(typed == std::fs::read(dir.path().join("again/front.json")).expect("a front"));
}

#[test]
fn a_bound_out_of_reach_is_not_claimed() {
    let dir = temp();
    let args = [
        "approx",
        "exp2(x)",
        "--on",
        "0..1",
        "--type",
        "real",
        "--max-ops",
        "3",
        "--max-rel",
        "1e-12",
        "--evals",
        "2000",
    ];
    let (stdout, _) = run(dir.path(), 1, &args);
    assert!(stdout.contains("not met"), "{stdout}");
}

/// Bad input: arguments, what the message must contain, each with a way out and no file left.
#[test]
fn bad_input_is_answered_with_place_and_way_out() {
    let cases: &[(&[&str], &[&str])] = &[
        (&["approx", "exq2(x)", "--on", "0..1"], &["exq2", "exp2"]),
        (&["approx", "exp2(x", "--on", "0..1"], &["exp2(x", "Help"]),
        (&["approx", "exp2(x)", "--on", "1..0"], &["1..0", "Help"]),
        (&["approx", "exp2(x)", "--on", "pi..e"], &["reversed"]),
        (&["approx", "exp2(x)", "--on", "0..<0"], &["0..<0", "Help"]),
        (&["approx", "exp2(x)", "--on", "1.00000001..1.00000002"], &["no f32"]),
        (&["approx", "1/x", "--on", "-1..1"], &["pole at 0"]),
        (&["approx", "log(x)", "--on", "-1..1"], &["undefined", "-1"]),
        (&["approx", "exp2(x)", "--on", "0..nan"], &["nan", "Help"]),
        (&["approx", "exp2(x)", "--on", "0..0/0"], &["not a number"]),
        (&["approx", "exp2(x)", "--on", "0..1", "--type", "f33"], &["f33", "f32"]),
        (&["approx", "exp2(x)", "--on", "0..1", "--max-ulp", "-1"], &["--max-ulp -1", "Help"]),
        (&["approx", "exp2(x)", "--on", "0..1", "--target", "z80"], &["z80"]),
        (&["approx", "exp2(x)", "--on", "0..1", "--grammar", "nothing"], &["nothing", "fma"]),
        (&["approx", "exp2(x)", "--on", "0..1", "--require", "odd"], &["odd", "Help"]),
        (&["approx", "exp2(x)", "--on", "0..1", "--name", "sinf"], &["sinf", "Help"]),
        (&["approx", "exp2(x)", "--on", "1..1"], &["single number", "Help"]),
        (&["approx", "sin(x)", "--reduce", "doubling", "--on", "-9..9"], &["does not hold", "Help"]),
        (&["approx", "sin(x)", "--reduce", "doublin", "--on", "-9..9"], &["doublin", "doubling"]),
        (&["approx", "exp2(x)", "--on", "0..1", "--max-ulp", "1", "--require", "exact:0->2"], &["exact:0->2", "Help"]),
        (&["approx", "missing.smith"], &["missing.smith"]),
        (&["approx"], &["approx"]),
        (&["resume", "nowhere"], &["nowhere"]),
        (&["fit", "c1 + exp(x)", "--ref", "exp2(x)", "--on", "0..1"], &["form", "exp(x)"]),
        (&["fit", "c1 + x", "--ref", "exp2(x)", "--on", "0..1", "--fix", "c9=1"], &["c9", "c1"]),
        (&["fit", "c1 + x", "--ref", "exp2(x)", "--on", "0..1", "--fix", "c1=1", "--fix", "c1=2"], &["c1", "twice"]),
        (&["fit", "c1 + x", "--ref", "exp2(x)", "--on", "0..1", "--evals", "3"], &["evals", "Help"]),
        (&["dev", "eval", "exp2(x)", "--at", "1..2"], &["--at"]),
        (&["dev", "ir", "c1 +* x"], &["form"]),
    ];
    for (args, wanted) in cases {
        let dir = temp();
        let mut args = args.to_vec();
        if args[0] == "approx" {
            args.extend(["--out", "run"]);
        }
        let (_, stderr) = run(dir.path(), 2, &args);
        for part in *wanted {
            assert!(stderr.contains(part), "{args:?} lacks {part:?}:\n{stderr}");
        }
        assert!(!stderr.contains("panicked"), "{stderr}");
        assert!(listing(dir.path()).is_empty(), "{args:?} left {:?}", listing(dir.path()));
    }
}

#[test]
fn an_output_folder_that_cannot_be_written_is_refused_before_the_work() {
    let dir = temp();
    std::fs::write(dir.path().join("file"), "in the way").expect("writable");
    let (_, stderr) = run_small(dir.path(), 2, &["--out", "file/run"]);
    assert!(stderr.contains("file/run"), "{stderr}");
    assert_eq!(listing(dir.path()), ["file"]);
}

#[test]
fn misspelt_keys_and_damaged_checkpoints_are_named() {
    let dir = temp();
    std::fs::write(dir.path().join("q.smith"), "approx exp2(x)\non 0..1\nmax-upl 1\n").expect("writable");
    let (_, stderr) = run(dir.path(), 2, &["approx", "q.smith", "--out", "run"]);
    assert!(stderr.contains("q.smith:3") && stderr.contains("max-ulp"), "{stderr}");
    assert_eq!(listing(dir.path()), ["q.smith"]);

    run_small(dir.path(), 0, &["--out", "run"]);
    let checkpoint: PathBuf = dir.path().join("run/checkpoint-fma.bin");
    let bytes = std::fs::read(&checkpoint).expect("a checkpoint");
    std::fs::write(&checkpoint, &bytes[..bytes.len() / 2]).expect("writable");
    std::fs::remove_file(dir.path().join("run/front.json")).expect("a front");
    let (_, stderr) = run(dir.path(), 2, &["resume", "run"]);
    assert!(stderr.contains("checkpoint-fma.bin") && stderr.contains("truncated"), "{stderr}");
    assert!(!dir.path().join("run/front.json").exists());
}

#[test]
fn every_stage_can_be_printed() {
    let dir = temp();
    let form = "1 + x*(c1 + x*c2)";
    for (args, wanted) in [
        (vec!["dev", "parse", "x*0.5*(1+erf(x/sqrt(2)))"], "Erf"),
        (vec!["dev", "ir", form, "--fma"], "fma"),
        (vec!["dev", "egraph", "c1*(c2*x)"], "canonical"),
        (vec!["dev", "fit", form, "--ref", "exp2(x)", "--on", "0..0x1p-6"], "max_ulp"),
        (vec!["dev", "jit", form, "--fma"], "engine here"),
        (vec!["dev", "eval", "exp2(x)", "--at", "0.5"], "1.4142135"),
    ] {
        let (stdout, _) = run(dir.path(), 0, &args);
        assert!(stdout.contains(wanted), "{args:?}: {stdout}");
    }
    // What `ir` prints can be fed back, with values for the constants, to `eval`.
    let program = "program p(x: f32) -> (f32) {\n  v0 = add x, x\n  return v0\n}\n";
    std::fs::write(dir.path().join("p.ir"), program).expect("writable");
    let (stdout, _) = run(dir.path(), 0, &["dev", "eval", "p.ir", "--at", "1.5"]);
    assert!(stdout.contains("3.0"), "{stdout}");
}

#[test]
fn worst_inputs_are_kept_and_join_the_search_where_it_is_told_to() {
    let dir = temp();
    run_small(dir.path(), 0, &["--out", "run"]);
    let kept = json(&dir.path().join("run/adversarial.json"));
    let inputs = kept["references"]["exp2(x) f32"].as_array().expect("inputs of this reference");
    assert!(!inputs.is_empty());
    let front = json(&dir.path().join("run/front.json"));
    let worst = &front["front"][0]["error"]["worst_input"]["ulp"];
    assert!(inputs.contains(worst), "{worst} is not among {inputs:?}");
    // What lies in the folder changes nothing unless it is named.
    run_small(dir.path(), 0, &["--out", "run"]);
    assert_eq!(json(&dir.path().join("run/front.json")), front);
    run_small(dir.path(), 0, &["--out", "told", "--adversarial", "run"]);
    let told = json(&dir.path().join("told/run.json"));
    assert_eq!(told["known"].as_array().map(Vec::len), Some(inputs.len()), "all of them lie in the domain");
    assert_eq!(json(&dir.path().join("told/front.json"))["problem"]["adversarial"], "run");
    let (_, stderr) = run_small(dir.path(), 2, &["--adversarial", "nowhere"]);
    assert!(stderr.contains("there is no file nowhere") && stderr.contains("mathsmith measure --out"), "{stderr}");
}
