//! Functions of two variables, from the question to the emitted test.

use mathsmith_approx::front::Front;
use mathsmith_approx::observe::Silent;
use mathsmith_approx::question::{Question, QuestionError};
use mathsmith_approx::run::{RunOptions, run};
use mathsmith_dsl::{RawSettings, parse_problem};
use std::path::Path;
use std::process::Command;

fn question(text: &str) -> Result<Question, QuestionError> {
    let raw: RawSettings = parse_problem("test.smith", text).unwrap_or_else(|e| panic!("{e:?}"));
    Question::new(raw.resolve().unwrap_or_else(|e| panic!("{e:?}")).problem)
}

fn front(text: &str, out: &Path, threads: usize) -> Front {
    let question = question(text).unwrap_or_else(|e| panic!("{e}"));
    let options = RunOptions { threads, out: Some(out.to_path_buf()), resume: false };
    run(&question, &options, &Silent::default()).unwrap_or_else(|e| panic!("{e}"))
}

/// Compiles the emitted test with the system's compiler and runs it.
fn holds(out: &Path, test: &str) {
    let binary = out.join("emitted_test");
    let compiled = Command::new("cc")
        .args(["-O2", "-mfma", "-ffp-contract=off"])
        .arg(out.join(test))
        .arg("-o")
        .arg(&binary)
        .arg("-lm")
        .output()
        .expect("a C compiler is installed");
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    let ran = Command::new(&binary).output().expect("the test runs");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stdout));
}

fn answered(text: &str, plan: &str) {
    let dir = tempfile::tempdir().expect("a folder for the run");
    let found = front(text, &dir.path().join("run"), 2);
    assert!(found.bound_met, "{:?}", found.front);
    let entry = &found.front[0];
    assert!(entry.origin.starts_with(plan), "{}", entry.origin);
    assert_eq!((entry.error.coverage.as_str(), entry.error.seed), ("sampled", Some(found.seed)));
    assert!(entry.error.inputs > 1 << 20 && entry.error.max_ulp.is_some_and(|ulp| ulp > 0.3));
    assert!(entry.error.specials.iter().all(|s| s.ends_with("agrees")), "{:?}", entry.error.specials);
    let source = std::fs::read_to_string(dir.path().join("run").join(entry.files.c.as_deref().expect("C")));
    let source = source.expect("the source is there");
    assert!(source.contains("sampled") && source.contains("x and y, in this order") && !source.contains("at most"));
    holds(&dir.path().join("run"), entry.files.c_test.as_deref().expect("a test in C"));
}

#[test]
fn sums_of_squares() {
    answered("approx hypot(x, y)\nmax-ulp 4\nvariant fma\nevals 2000\n", "hypotenuse");
}

#[test]
fn angles() {
    answered("approx atan2(y, x)\nmax-ulp 4\nvariant plain\nevals 6000\n", "angle.turned");
}

#[test]
fn what_has_no_meaning_for_two_variables_is_refused() {
    for (line, setting) in [
        ("require odd", "require"),
        ("tol 1e-6*abs(y)", "tol"),
        ("type real\non x:0..1,y:0..1", "type"),
        ("adversarial folder", "adversarial"),
        ("on x:2..1,y:0..1", ""),
    ] {
        let text = format!("approx hypot(x, y)\n{line}\n");
        match (parse_problem("test.smith", &text), setting) {
            (Err(_), "") => {}
            (Ok(_), setting) => assert_eq!(question(&text).err().map(|e| e.setting), Some(setting), "{line}"),
            (Err(e), _) => panic!("{line}: {e:?}"),
        }
    }
    assert_eq!(question("approx exp(x)\non x:0..1,y:0..1\n").err().map(|e| e.setting), Some("on"));
    let boxed = question("approx hypot(x, y)\non x:0..1,y:-2..2\n").unwrap_or_else(|e| panic!("{e}"));
    let ends: Vec<[f64; 2]> = boxed.pairs.iter().flat_map(|pairs| pairs.ends()).collect();
    assert_eq!(ends, [[0.0, 1.0], [-2.0, 2.0]]);
}
