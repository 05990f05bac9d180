//! Compilers and children that behave, and those that do not.

use mathsmith_ir::{Column, ColumnMut, ColumnRef, Engine, EngineError, Literal, Type};
use mathsmith_native::{
    Call, Compiler, Language, Limits, NativeError, RowFunction, RowProgram, Toolchain, process, run,
};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;

fn toolchain() -> Toolchain {
    Toolchain::detect()
}

/// Writes `source` to a file of that name and compiles it.
fn built_c(folder: &TempDir, source: &str) -> PathBuf {
    let (file, out) = (folder.path().join("test.c"), folder.path().join("test"));
    std::fs::write(&file, source).expect("a temporary file");
    toolchain().compile_c(&file, &out, &["-O1"]).expect("valid C").path
}

fn folder() -> TempDir {
    TempDir::new().expect("a temporary folder")
}

#[test]
fn compilers_are_found_with_their_versions() {
    let tools = toolchain();
    let rustc = tools.require(Compiler::Rustc).expect("rustc has compiled this test");
    assert!(rustc.version.starts_with("rustc 1."), "{}", rustc.version);
    let c = tools.require_c().expect("the tests of this crate need a C compiler");
    assert!(c.path.is_absolute() && !c.version.is_empty(), "{c:?}");
}

#[test]
fn a_missing_compiler_names_the_package() {
    let empty = folder();
    let tools = Toolchain::search(empty.path().as_os_str());
    assert_eq!(tools.tools(), []);
    let error = tools.compile_c(Path::new("a.c"), Path::new("a"), &[]).expect_err("nothing to compile with");
    assert!(matches!(error, NativeError::MissingCompiler { .. }));
    assert!(error.to_string().contains("apt-get install gcc"), "{error}");
    let error = tools.require(Compiler::Clang).expect_err("no clang");
    assert!(error.to_string().contains("apt-get install clang"), "{error}");
    let error = tools.compile_rust(Path::new("a.rs"), Path::new("a"), &[]).expect_err("no rustc");
    assert!(error.to_string().contains("rustup.rs"), "{error}");
    assert_eq!(Toolchain::search(OsStr::new("")).tools(), []);
}

#[test]
fn the_compilers_own_message_is_shown() {
    let folder = folder();
    let (file, out) = (folder.path().join("bad.c"), folder.path().join("bad"));
    std::fs::write(&file, "int main(void) { return nonsense; }\n").unwrap();
    let error = toolchain().compile_c(&file, &out, &["-O2"]).expect_err("not C");
    let text = error.to_string();
    assert!(text.contains("bad.c:1") && text.contains("nonsense") && text.contains("-O2"), "{text}");
    assert!(!out.exists());

    let file = folder.path().join("bad.rs");
    std::fs::write(&file, "fn main() { nonsense() }\n").unwrap();
    let error = toolchain().compile_rust(&file, &out, &["-O"]).expect_err("not Rust");
    assert!(error.to_string().contains("cannot find function `nonsense`"), "{error}");
}

#[test]
fn a_missing_symbol_is_the_linkers_message() {
    let folder = folder();
    let (file, out) = (folder.path().join("link.c"), folder.path().join("link"));
    std::fs::write(&file, "float elsewhere(float);\nint main(void) { return (int)elsewhere(1.0f); }\n").unwrap();
    let error = toolchain().compile_c(&file, &out, &[]).expect_err("the symbol is nowhere");
    assert!(matches!(error, NativeError::Compile { .. }));
    assert!(error.to_string().contains("elsewhere"), "{error}");
}

#[test]
fn a_program_that_cannot_start_is_named() {
    let error = run(Path::new("/nowhere/at/all"), &[], Vec::new(), Limits::default()).expect_err("does not exist");
    assert!(error.to_string().contains("/nowhere/at/all"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_program_that_hangs_is_killed_with_its_children() {
    let folder = folder();
    let mark = folder.path().join("mark");
    // The grandchild keeps standard output open and would leave a mark after the timeout.
    let script = format!("echo started >&2; (sleep 1; echo late > {}) & sleep 60", mark.display());
    let start = Instant::now();
    let limits = Limits::within(Duration::from_millis(300));
    let error = run(Path::new("/bin/sh"), &["-c", &script], Vec::new(), limits).expect_err("sleeps for a minute");
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    match &error {
        NativeError::Timeout { stderr, .. } => assert_eq!(stderr, "started\n"),
        other => panic!("{other}"),
    }
    assert!(error.to_string().contains("was killed; it said: started"), "{error}");
    std::thread::sleep(Duration::from_millis(1200));
    assert!(!mark.exists(), "the grandchild outlived its parent");
}

#[cfg(unix)]
#[test]
fn a_program_that_closes_its_output_and_hangs_is_killed() {
    let limits = Limits::within(Duration::from_millis(300));
    let error = run(Path::new("/bin/sh"), &["-c", "exec >&-; sleep 60"], Vec::new(), limits).expect_err("sleeps");
    assert!(matches!(error, NativeError::Timeout { .. }), "{error}");
}

#[cfg(unix)]
#[test]
fn a_crash_is_reported_with_its_signal() {
    let folder = folder();
    let exe = built_c(
        &folder,
        "#include <stdlib.h>\n#include <stdio.h>\nint main(void) { fputs(\"last words\", stderr); abort(); }\n",
    );
    let error = run(&exe, &[], Vec::new(), Limits::default()).expect_err("aborts");
    match &error {
        NativeError::Signal { signal: 6, stderr, .. } => assert_eq!(stderr, "last words"),
        other => panic!("{other}"),
    }
    assert!(error.to_string().contains("SIGABRT"), "{error}");
}

#[cfg(unix)]
#[test]
fn output_without_end_is_stopped() {
    let limits = Limits { stdout: 1000, ..Limits::within(Duration::from_secs(30)) };
    let start = Instant::now();
    let error = run(Path::new("/bin/sh"), &["-c", "while :; do echo yes; done"], Vec::new(), limits);
    assert!(matches!(error, Err(NativeError::TooMuchOutput { limit: 1000, .. })), "{error:?}");
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[cfg(unix)]
#[test]
fn more_than_a_pipe_holds_goes_through_both_ways() {
    let input: Vec<u8> = (0..3_000_000_u32).map(|i| i as u8).collect();
    let output = run(Path::new("/bin/cat"), &[], input.clone(), Limits::default()).expect("cat");
    assert_eq!((output.code, output.stdout == input), (0, true));
    // A program that ends without reading its input is no error.
    let output = run(Path::new("/bin/sh"), &["-c", "exit 7"], input, Limits::default()).expect("sh");
    assert_eq!((output.code, output.stdout.len()), (7, 0));
}

#[cfg(unix)]
#[test]
fn messages_are_kept_up_to_their_limit() {
    let limits = Limits { stderr: 10, ..Limits::default() };
    let script = "i=0; while [ $i -lt 20000 ]; do echo 0123456789 >&2; i=$((i+1)); done";
    let output = run(Path::new("/bin/sh"), &["-c", script], Vec::new(), limits).expect("sh");
    assert_eq!((output.code, output.stderr.as_str()), (0, "0123456789"));
}

#[test]
fn a_prepared_command_keeps_its_environment() {
    let folder = folder();
    let exe = built_c(
        &folder,
        "#include <stdlib.h>\n#include <stdio.h>\nint main(void) { puts(getenv(\"WORD\")); return 0; }\n",
    );
    let mut command = std::process::Command::new(exe);
    command.env("WORD", "said");
    let output = process::run_command(command, Vec::new(), Limits::default()).expect("runs");
    assert_eq!(output.stdout, b"said\n");
}

const C_SOURCES: [&str; 4] = [
    "static float twice(float x) { return x + x; }",
    "static void split(double x, int32_t n, bool up, double *scaled, int64_t *wide, bool *down) {
         *scaled = up ? x * n : x; *wide = (int64_t)n << 32; *down = !up; }",
    "static int64_t answer(void) { return 42; }",
    "static float boom(float x) { if (x > 1.0f) abort(); return x; }",
];

const RUST_SOURCES: [&str; 4] = [
    "fn twice(x: f32) -> f32 { x + x }",
    "fn split(x: f64, n: i32, up: bool) -> (f64, i64, bool) {
         (if up { x * f64::from(n) } else { x }, i64::from(n) << 32, !up) }",
    "fn answer() -> i64 { 42 }",
    "fn boom(x: f32) -> f32 { if x > 1.0 { std::process::abort() } x }",
];

/// The same four functions in both languages.
fn row_program(language: Language) -> RowProgram {
    let (prelude, sources, call) = match language {
        Language::C => ("/* functions under test */", C_SOURCES, Call::OutPointers),
        Language::Rust => ("#![deny(warnings)]", RUST_SOURCES, Call::Tuple),
    };
    let inputs = vec![Type::F64, Type::I32, Type::Bool];
    let outputs = vec![Type::F64, Type::I64, Type::Bool];
    let functions = [
        RowFunction::returning("twice", &[Type::F32], Type::F32),
        RowFunction { name: "split".into(), inputs, outputs, call },
        RowFunction::returning("answer", &[], Type::I64),
        RowFunction::returning("boom", &[Type::F32], Type::F32),
    ];
    let mut program = RowProgram::new(language, prelude);
    for (index, (source, function)) in sources.iter().zip(functions).enumerate() {
        assert_eq!(program.add(source, function).expect("fits"), index);
    }
    program
}

fn rows_go_through(language: Language, compiler: Compiler, flags: &[&str]) {
    let binary = row_program(language).build(&toolchain(), compiler, flags).expect("compiles");
    let path = binary.built().path.clone();

    let x: Vec<f32> = (0..10_000).map(|i| i as f32 / 8.0).collect();
    let mut y = vec![0.0_f32; x.len()];
    let mut twice = binary.engine(0, &[]);
    twice.run(&[], &[ColumnRef::F32(&x)], &mut [ColumnMut::F32(&mut y)]).expect("runs");
    assert!(x.iter().zip(&y).all(|(x, y)| *y == x + x));

    let inputs = [
        Column::F64(vec![1.5, -0.0, f64::INFINITY]),
        Column::I32(vec![-2, i32::MAX, i32::MIN]),
        Column::Bool(vec![true, false, true]),
    ];
    let refs: Vec<ColumnRef<'_>> = inputs.iter().map(Column::as_ref).collect();
    let mut outputs = [Type::F64, Type::I64, Type::Bool].map(|ty| Column::zeros(ty, 3));
    let mut muts: Vec<ColumnMut<'_>> = outputs.iter_mut().map(Column::as_mut).collect();
    binary.engine(1, &[]).run(&[], &refs, &mut muts).expect("runs");
    let Column::F64(scaled) = &outputs[0] else { unreachable!() };
    assert_eq!(
        scaled.iter().map(|v| v.to_bits()).collect::<Vec<_>>(),
        [(-3.0_f64).to_bits(), (-0.0_f64).to_bits(), f64::NEG_INFINITY.to_bits()]
    );
    assert_eq!(outputs[1], Column::I64(vec![-2 << 32, i64::from(i32::MAX) << 32, i64::from(i32::MIN) << 32]));
    assert_eq!(outputs[2], Column::Bool(vec![false, true, false]));

    let mut answers = [0_i64; 3];
    binary.engine(2, &[]).run(&[], &[], &mut [ColumnMut::I64(&mut answers)]).expect("runs");
    assert_eq!(answers, [42; 3]);

    let crash = binary.engine(3, &[]).run(&[], &[ColumnRef::F32(&[2.0])], &mut [ColumnMut::F32(&mut [0.0])]);
    let message = crash.expect_err("aborts").to_string();
    assert!(message.contains("signal 6") || !cfg!(unix), "{message}");

    // Input that ends early, an index that does not exist.
    let short = binary.run_rows(0, 3, vec![0; 8]).expect_err("two rows of three");
    assert!(matches!(short, NativeError::Exit { code: 3, .. }), "{short}");
    assert!(matches!(binary.run_rows(9, 1, Vec::new()), Err(NativeError::Request(_))));
    let wrong = binary.engine(0, &[]).run(&[], &[ColumnRef::I32(&[1])], &mut [ColumnMut::F32(&mut [0.0])]);
    assert!(matches!(wrong, Err(EngineError::Signature(_))));
    let free = binary.engine(0, &[Literal::F32(1.0)]).run(&[], &[], &mut []);
    assert!(free.expect_err("a constant is missing").to_string().contains("constants of the compiled code"));

    drop((binary, twice));
    assert!(!path.exists(), "the temporary folder goes with the last user");
}

#[test]
fn rows_go_through_gcc() {
    rows_go_through(Language::C, Compiler::Gcc, &["-std=c99", "-O2", "-Wall", "-Werror"]);
}

#[test]
fn rows_go_through_clang() {
    rows_go_through(Language::C, Compiler::Clang, &["-std=c99", "-O2", "-Wall", "-Werror"]);
}

#[test]
fn rows_go_through_rustc() {
    rows_go_through(Language::Rust, Compiler::Rustc, &["-O"]);
}

#[test]
fn requests_that_cannot_be_wrapped_are_refused() {
    let mut c = RowProgram::new(Language::C, "");
    let real = RowFunction::returning("f", &[Type::Real], Type::F32);
    assert!(c.add("", real).expect_err("real").to_string().contains("no machine form"));
    let tuple = RowFunction { call: Call::Tuple, ..RowFunction::returning("f", &[], Type::F32) };
    assert!(c.add("", tuple).expect_err("tuple").to_string().contains("C returns no tuples"));
    let two = RowFunction { outputs: vec![Type::F32; 2], ..RowFunction::returning("f", &[], Type::F32) };
    assert!(c.add("", two).expect_err("two").to_string().contains("2 outputs"));
    let error = c.build(&toolchain(), Compiler::Rustc, &[]).expect_err("C by rustc");
    assert!(matches!(error, NativeError::Request(_)));
}
