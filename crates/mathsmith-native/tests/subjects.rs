//! Subjects of every kind in their child processes: the same bits as a call in this process, and every way to fail named
//! with its row.

use mathsmith_ir::{ColumnMut, ColumnRef, Engine, EngineError};
use mathsmith_native::Toolchain;
use mathsmith_native::subject::{
    Element, HalfFormat, HostOptions, Isa, Request, Shape, Spec, Subject, SubjectError, cpu_features, prepare,
};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;

fn options() -> HostOptions {
    HostOptions::new(vec![env!("CARGO_BIN_EXE_mathsmith-subject-host").into()])
}

fn asked(element: Element, arity: u8) -> Request {
    Request { element: Some(element), arity, ..Request::default() }
}

fn subject(text: &str, request: &Request) -> Subject {
    let specs = Spec::parse(text, None).unwrap();
    assert_eq!(specs.len(), 1, "{text}");
    prepare(&specs[0], request).unwrap()
}

/// A subject compiled from C, with the folder of its source.
fn c_subject(source: &str, request: &Request) -> (TempDir, Subject) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("subject.c");
    std::fs::write(&path, source).unwrap();
    let subject = prepare(&Spec::C { path, symbol: Some("f".into()) }, request).unwrap();
    (folder, subject)
}

fn run32(engine: &mut dyn Engine, inputs: &[&[f32]]) -> Result<Vec<f32>, EngineError> {
    let mut results = vec![f32::NAN; inputs[0].len()];
    let columns: Vec<ColumnRef<'_>> = inputs.iter().map(|x| ColumnRef::F32(x)).collect();
    engine.run(&[], &columns, &mut [ColumnMut::F32(&mut results)])?;
    Ok(results)
}

fn run64(engine: &mut dyn Engine, inputs: &[&[f64]]) -> Result<Vec<f64>, EngineError> {
    let mut results = vec![f64::NAN; inputs[0].len()];
    let columns: Vec<ColumnRef<'_>> = inputs.iter().map(|x| ColumnRef::F64(x)).collect();
    engine.run(&[], &columns, &mut [ColumnMut::F64(&mut results)])?;
    Ok(results)
}

/// Floats of every binade and both signs, infinities and NaN among them.
fn spread32(n: usize) -> Vec<f32> {
    (0..n as u32).map(|i| f32::from_bits(i.wrapping_mul(0x9e37_79b9))).collect()
}

fn spread64(n: usize) -> Vec<f64> {
    (0..n as u64).map(|i| f64::from_bits(i.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect()
}

fn bits32(values: &[f32]) -> Vec<u32> {
    values.iter().map(|x| if x.is_nan() { 0x7fc0_0000 } else { x.to_bits() }).collect()
}

fn bits64(values: &[f64]) -> Vec<u64> {
    values.iter().map(|x| if x.is_nan() { 0x7ff8 << 48 } else { x.to_bits() }).collect()
}

/// The row and the words of a failure.
fn failure(result: Result<Vec<f32>, EngineError>) -> (Option<usize>, String) {
    match result {
        Err(EngineError::Failed { row, what }) => (row, what),
        Err(other) => panic!("another error: {other}"),
        Ok(results) => panic!("{} results and no failure", results.len()),
    }
}

/// Children of this process that have ended and that nobody has waited for.
fn zombies() -> usize {
    let own = format!("\nPPid:\t{}\n", std::process::id());
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let statuses = processes.filter_map(|p| std::fs::read_to_string(p.path().join("status")).ok());
    statuses.filter(|status| status.contains(&own) && status.contains("\nState:\tZ")).count()
}

#[test]
fn libm_gives_the_bits_of_a_call_in_this_process() {
    let found = subject("libm:expf", &asked(Element::F32, 1));
    assert_eq!((found.signature.element, found.signature.shape), (Element::F32, Shape::Scalar));
    assert_eq!(found.label(), "libm expf");
    assert_eq!(found.origin.hash.len(), 64);
    assert!(found.origin.file.as_ref().is_some_and(|f| f.is_absolute() && f.is_file()), "{:?}", found.origin);
    let mut engine = found.start(&options()).unwrap();
    // More than one batch, and not a multiple of anything.
    let x = spread32(engine.batch() * 2 + 77);
    let y = run32(&mut *engine, &[&x]).unwrap();
    // The standard library calls the same function of the same library.
    let expected: Vec<f32> = x.iter().map(|x| x.exp()).collect();
    assert_eq!(bits32(&y), bits32(&expected));
    assert_eq!(run32(&mut *engine, &[&[]]).unwrap(), Vec::<f32>::new());
}

#[test]
fn double_precision_and_two_arguments() {
    let x = spread64(5000);
    let mut exp = subject("libm:exp", &asked(Element::F64, 1)).start(&options()).unwrap();
    assert_eq!(bits64(&run64(&mut *exp, &[&x]).unwrap()), bits64(&x.iter().map(|x| x.exp()).collect::<Vec<_>>()));
    let (a, b) = (spread32(5000), spread32(6001)[1001..].to_vec());
    let mut atan2 = subject("libm:atan2f", &asked(Element::F32, 2)).start(&options()).unwrap();
    let expected: Vec<f32> = a.iter().zip(&b).map(|(a, b)| a.atan2(*b)).collect();
    assert_eq!(bits32(&run32(&mut *atan2, &[&a, &b]).unwrap()), bits32(&expected));
}

#[test]
fn crates_are_linked_in() {
    let x = spread32(3000);
    let mut ours = subject("core-math:expf", &asked(Element::F32, 1)).start(&options()).unwrap();
    let expected: Vec<f32> = x.iter().map(|&x| core_math::expf(x)).collect();
    assert_eq!(bits32(&run32(&mut *ours, &[&x]).unwrap()), bits32(&expected));
    let found = subject("libm-rs:pow", &asked(Element::F64, 2));
    assert_eq!(found.origin.hash, "libm 0.2.16");
    assert_eq!(found.label(), "libm crate pow");
    let (a, b) = (spread64(3000), spread64(4000)[1000..].to_vec());
    let expected: Vec<f64> = a.iter().zip(&b).map(|(&a, &b)| libm::pow(a, b)).collect();
    assert_eq!(bits64(&run64(&mut *found.start(&options()).unwrap(), &[&a, &b]).unwrap()), bits64(&expected));
}

/// Every width agrees with itself whatever the lane and the neighbours are: lengths that are no multiple of the lanes give
/// the same bits as whole vectors, and a value that is off by more than 4 ULP would be another function.
fn widths_agree(prefix: &str, function: &str) {
    let specs = Spec::parse(&format!("{prefix}:{function}"), None).unwrap();
    let isas: Vec<Isa> = specs
        .iter()
        .filter_map(|s| match s {
            Spec::Libmvec { isa, .. } | Spec::Sleef { isa, .. } => *isa,
            _ => None,
        })
        .collect();
    println!("{prefix}:{function} runs as {isas:?}");
    assert!(isas.contains(&Isa::Sse));
    let x: Vec<f32> = (0..1000).map(|i| -80.0 + 0.16 * i as f32).collect();
    for spec in &specs {
        let found = prepare(spec, &asked(Element::F32, 1)).unwrap();
        let mut engine = found.start(&options()).unwrap();
        let all = run32(&mut *engine, &[&x]).unwrap();
        for (x, y) in x.iter().zip(&all) {
            let exact = core_math::expf(*x);
            assert!((y - exact).abs() <= 4.0 * f32::EPSILON * exact, "{} at {x}: {y} for {exact}", found.label());
        }
        for n in 0..40 {
            assert_eq!(run32(&mut *engine, &[&x[n..2 * n + 1]]).unwrap(), all[n..2 * n + 1], "{} {n}", found.label());
        }
    }
}

#[test]
fn libmvec_in_every_width() {
    if !cfg!(all(target_arch = "x86_64", target_env = "gnu")) {
        println!("NOT TESTED: libmvec exists with glibc on x86-64 only");
        return;
    }
    widths_agree("libmvec", "expf");
    let avx = Spec::parse("libmvec:powf@sse", None).unwrap();
    let pow = prepare(&avx[0], &asked(Element::F32, 2)).unwrap();
    assert_eq!(pow.origin.symbol, "_ZGVbN4vv_powf");
    let y = run32(&mut *pow.start(&options()).unwrap(), &[&[2.0, 3.0, 2.0, 4.0, 9.0], &[3.0, 2.0, -1.0, 0.5, 0.5]]);
    assert_eq!(y.unwrap(), [8.0, 9.0, 0.5, 2.0, 3.0]);
    for spec in Spec::parse("libmvec:exp", None).unwrap() {
        let exp = prepare(&spec, &asked(Element::F64, 1)).unwrap();
        let y = run64(&mut *exp.start(&options()).unwrap(), &[&[0.0, 1.0, 0.0, -1.0, 0.0, 1.0, 0.0]]).unwrap();
        assert_eq!((y[0], y[2], y[4], y[6]), (1.0, 1.0, 1.0, 1.0), "{}", exp.label());
        assert!((y[1] - std::f64::consts::E).abs() < 1e-14 && y[1] == y[5], "{}", exp.label());
    }
}

#[test]
fn sleef_scalar_and_in_every_width() {
    let found = prepare(&Spec::Sleef { symbol: "expf_u10".into(), isa: None }, &asked(Element::F32, 1));
    match found {
        Err(e @ SubjectError::Machine { .. }) => {
            assert!(e.to_string().contains("apt-get install libsleef3"), "{e}");
            println!("NOT TESTED: SLEEF is not installed");
            return;
        }
        found => assert_eq!(found.unwrap().label(), "sleef expf_u10"),
    }
    widths_agree("sleef", "expf_u10");
    let missing = prepare(&Spec::Sleef { symbol: "expf".into(), isa: None }, &asked(Element::F32, 1)).unwrap_err();
    assert!(missing.to_string().contains("`expf_u10`"), "{missing}");
}

#[test]
fn wrong_names_and_types_are_explained() {
    let refused = |text: &str, element, arity| {
        prepare(&Spec::parse(text, None).unwrap()[0], &asked(element, arity)).unwrap_err().to_string()
    };
    let message = refused("libm:exp", Element::F32, 1);
    assert!(message.contains("`libm:expf`") && message.contains("f64"), "{message}");
    let message = refused("libm:erf", Element::F32, 1);
    assert!(message.contains("`libm:erff`"), "{message}");
    let message = refused("core-math:expf", Element::F64, 1);
    assert!(message.contains("`core-math:exp`"), "{message}");
    let message = refused("libm:epxf", Element::F32, 1);
    assert!(message.contains("did you mean `expf`"), "{message}");
    let message = refused("core-math:tanh_f", Element::F32, 1);
    assert!(message.contains("`tanhf`"), "{message}");
    let message = refused("libm:powf", Element::F32, 1);
    assert!(message.contains("2 arguments"), "{message}");
    let message = refused("libm:ldexpf", Element::F32, 1);
    assert!(message.contains("not known as a function of one or two arguments"), "{message}");
    let own = asked(Element::F32, 1);
    let found = prepare(&Spec::Library { path: "/nowhere/libx.so".into(), symbol: "f".into() }, &own).unwrap_err();
    assert!(found.to_string().contains("/nowhere/libx.so: cannot be read"), "{found}");
    assert!(!cfg!(target_arch = "x86_64") || cpu_features().contains(&"sse2"));
}

#[test]
fn columns_that_do_not_fit_are_refused() {
    let mut engine = subject("libm:expf", &asked(Element::F32, 1)).start(&options()).unwrap();
    let refused = |result: Result<Vec<f32>, EngineError>| matches!(result, Err(EngineError::Signature(_)));
    assert!(refused(run32(&mut *engine, &[&[1.0], &[1.0]])));
    let x = [1.0f64];
    let wrong = engine.run(&[], &[ColumnRef::F64(&x)], &mut [ColumnMut::F32(&mut [0.0])]);
    assert!(matches!(wrong, Err(EngineError::Signature(_))));
    let short = engine.run(&[], &[ColumnRef::F32(&[1.0, 2.0])], &mut [ColumnMut::F32(&mut [0.0])]);
    assert!(matches!(short, Err(EngineError::Signature(_))));
    assert_eq!(run32(&mut *engine, &[&[0.0]]).unwrap(), [1.0]);
}

#[test]
fn flushing_of_subnormals_is_observable() {
    let (_folder, half) = c_subject("float f(float x) { return 0.5f * x; }", &asked(Element::F32, 1));
    let x = [f32::MIN_POSITIVE, -f32::MIN_POSITIVE, f32::from_bits(2), 1.0];
    let kept = run32(&mut *half.start(&options()).unwrap(), &[&x]).unwrap();
    assert_eq!(kept, [f32::MIN_POSITIVE / 2.0, -f32::MIN_POSITIVE / 2.0, f32::from_bits(1), 0.5]);
    let flushing = half.start(&HostOptions { ftz: true, ..options() });
    let flushed = run32(&mut *flushing.unwrap(), &[&x]).unwrap();
    assert_eq!(bits32(&flushed), [0, 0x8000_0000, 0, 0.5f32.to_bits()]);
}

#[test]
fn sixteen_bits_are_converted_exactly() {
    let source = "unsigned short f(unsigned short x) { return x ^ 0x8000; }";
    let (_folder, negate) = c_subject(source, &Request { element: Some(Element::U16), ..Request::default() });
    assert_eq!(negate.signature.element, Element::U16);
    let without = negate.start(&options()).err().map(|e| e.to_string()).unwrap_or_default();
    assert!(without.contains("--type f16"), "{without}");
    for format in [HalfFormat::F16, HalfFormat::Bf16] {
        let mut engine = negate.start(&HostOptions { half: Some(format), ..options() }).unwrap();
        let x = [0.0, 1.0, -2.5, f32::INFINITY];
        assert_eq!(bits32(&run32(&mut *engine, &[&x]).unwrap()), bits32(&x.map(|x| -x)), "{format:?}");
        let off = run32(&mut *engine, &[&[1.0 + f32::EPSILON]]);
        assert!(matches!(off, Err(EngineError::Signature(_))), "{off:?}");
    }
}

/// Runs a C function that fails at 1000.0, which stands in row 70001, and returns the row and the words.
fn fails(body: &str, timeout: Duration) -> (Option<usize>, String) {
    let source = format!(
        "#include <math.h>\n#include <signal.h>\n#include <stdio.h>\n#include <stdlib.h>\n#include <fenv.h>\n\
         float f(float x) {{ if (x == 1000.0f) {{ {body} }} return x; }}\n"
    );
    let (_folder, bad) = c_subject(&source, &asked(Element::F32, 1));
    let mut engine = bad.start(&HostOptions { timeout, ..options() }).unwrap();
    let mut x = vec![1.0f32; 80_000];
    x[70_001] = 1000.0;
    let found = failure(run32(&mut *engine, &[&x]));
    // The engine goes on with a new host.
    assert_eq!(run32(&mut *engine, &[&[3.0, 4.0]]).unwrap(), [3.0, 4.0]);
    drop(engine);
    // Those of other tests are zombies for a moment between their end and the wait for it; ours would stay.
    assert!(
        (0..300).any(|_| zombies() == 0 || {
            std::thread::sleep(Duration::from_millis(10));
            false
        }),
        "zombies stay"
    );
    found
}

const PATIENT: Duration = Duration::from_secs(10);

#[test]
fn crashes_name_their_row() {
    let (row, what) = fails("fputs(\"about to\\n\", stderr); *(volatile int *)8 = 1;", PATIENT);
    assert_eq!(row, Some(70_001), "{what}");
    assert!(what.contains("crashed with SIGSEGV, invalid memory access") && what.contains("about to"), "{what}");
    let (row, what) = fails("abort();", PATIENT);
    assert_eq!((row, what.contains("SIGABRT")), (Some(70_001), true), "{what}");
    let (row, what) = fails("raise(SIGFPE);", PATIENT);
    assert_eq!((row, what.contains("SIGFPE")), (Some(70_001), true), "{what}");
}

#[test]
fn ends_of_the_process_name_their_row() {
    let (row, what) = fails("exit(0);", PATIENT);
    assert_eq!((row, what.as_str()), (Some(70_001), "ended its process with exit code 0"));
    let (row, what) = fails("_Exit(3);", PATIENT);
    assert_eq!((row, what.as_str()), (Some(70_001), "ended its process with exit code 3"));
}

#[test]
fn a_call_that_never_returns_names_its_row() {
    let start = Instant::now();
    let (row, what) = fails("for (;;) { volatile int i = 0; (void)i; }", Duration::from_millis(600));
    assert_eq!(row, Some(70_001), "{what}");
    assert!(what.contains("did not return within 600ms"), "{what}");
    assert!(start.elapsed() < Duration::from_secs(8));
}

#[test]
fn a_changed_rounding_mode_names_its_row() {
    let (row, what) = fails("fesetround(FE_UPWARD);", PATIENT);
    assert_eq!((row, what.as_str()), (Some(70_001), "changed the rounding mode of its caller"));
}

/// A library from C, as people make one by themselves.
fn library(source: &str) -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let (file, path) = (folder.path().join("own.c"), folder.path().join("libown.so"));
    std::fs::write(&file, source).unwrap();
    let toolchain = Toolchain::detect();
    let compiler = toolchain.require_c().unwrap().compiler;
    toolchain.compile_c_with(compiler, &file, &path, &["-O2", "-shared", "-fPIC"]).unwrap();
    (folder, path)
}

#[test]
fn libraries_of_ones_own() {
    let source = "#include <stdint.h>\nfloat twice(float x) { return 2 * x; }\n\
                  double least(double x, double y) { return x < y ? x : y; }\nuint16_t same(uint16_t x) { return x; }\n";
    let (_folder, path) = library(source);
    let prepared =
        |symbol: &str, request| prepare(&Spec::Library { path: path.clone(), symbol: symbol.into() }, &request);
    let twice = prepared("twice", Request::default()).unwrap();
    assert_eq!(twice.label(), "libown.so twice");
    assert_eq!(run32(&mut *twice.start(&options()).unwrap(), &[&[1.5, -2.0]]).unwrap(), [3.0, -4.0]);
    let least = prepared("least", asked(Element::F64, 2)).unwrap();
    assert_eq!(run64(&mut *least.start(&options()).unwrap(), &[&[1.0, 5.0], &[2.0, 3.0]]).unwrap(), [1.0, 3.0]);
    let same = prepared("same", asked(Element::U16, 1)).unwrap();
    let engine = same.start(&HostOptions { half: Some(HalfFormat::F16), ..options() });
    assert_eq!(run32(&mut *engine.unwrap(), &[&[1.5, 65504.0]]).unwrap(), [1.5, 65504.0]);
    let message = prepared("twcie", Request::default()).unwrap_err().to_string();
    assert!(message.contains("did you mean `twice`"), "{message}");
}

#[test]
fn vector_functions_that_crash_are_narrowed_to_the_lane() {
    if !cfg!(target_arch = "x86_64") {
        println!("NOT TESTED: the vector ABI is that of x86-64");
        return;
    }
    let source = "#include <stdlib.h>\ntypedef float v __attribute__((vector_size(16)));\n\
                  v _ZGVbN4v_f(v x) { for (int i = 0; i < 4; i++) if (x[i] == 1000.0f) abort(); return x + x; }\n";
    let (_folder, path) = library(source);
    let bad = prepare(&Spec::Library { path, symbol: "_ZGVbN4v_f".into() }, &asked(Element::F32, 1)).unwrap();
    assert_eq!(bad.signature.shape, Shape::Vector(Isa::Sse));
    let mut engine = bad.start(&options()).unwrap();
    let mut x = vec![1.0f32; 70_003];
    assert_eq!(run32(&mut *engine, &[&x]).unwrap(), vec![2.0; 70_003]);
    for row in [66_666, 70_002] {
        x[row] = 1000.0;
        let (found, what) = failure(run32(&mut *engine, &[&x]));
        assert_eq!((found, what.contains("SIGABRT")), (Some(row), true), "{what}");
        x[row] = 1.0;
    }
}

#[test]
fn failures_before_any_call_are_told_apart() {
    let start = |source: &str, options: &HostOptions| {
        let (_folder, bad) = c_subject(source, &asked(Element::F32, 1));
        bad.start(options).err().map(|e| e.to_string()).unwrap_or_default()
    };
    let boom = "#include <stdlib.h>\n__attribute__((constructor)) static void boom(void) { abort(); }\n\
                float f(float x) { return x; }\n";
    let message = start(boom, &options());
    assert!(message.contains("SIGABRT, abort while it was loaded") && message.contains("help: "), "{message}");
    let stuck = "__attribute__((constructor)) static void stuck(void) { for (volatile int i = 0;;) (void)i; }\n\
                 float f(float x) { return x; }\n";
    let message = start(stuck, &HostOptions { timeout: Duration::from_millis(600), ..options() });
    assert!(message.contains("did not return within 600ms"), "{message}");
    let message = start("float f(float x) { return x; }\n", &HostOptions::new(vec!["/nowhere/host".into()]));
    assert!(message.contains("`/nowhere/host`"), "{message}");
    // A program that is no host: it ends at once, or says something else.
    let message = start("float f(float x) { return x; }\n", &HostOptions::new(vec!["true".into()]));
    assert!(message.contains("exit code 0"), "{message}");
}

#[test]
fn the_host_says_that_it_is_not_for_people() {
    let host = std::process::Command::new(env!("CARGO_BIN_EXE_mathsmith-subject-host"))
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&host.stderr).into_owned();
    assert_eq!(host.status.code(), Some(2));
    assert!(said.starts_with("error: ") && said.contains("help: ") && host.stdout.is_empty(), "{said}");
}

#[test]
fn engines_run_side_by_side() {
    let found = subject("libm:expf", &asked(Element::F32, 1));
    let x = spread32(200_000);
    let expected = bits32(&x.iter().map(|x| x.exp()).collect::<Vec<_>>());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut engine = found.start(&options()).unwrap();
                assert_eq!(bits32(&run32(&mut *engine, &[&x]).unwrap()), expected);
            });
        }
    });
}

#[test]
fn array_functions_are_narrowed_to_the_row() {
    let source = "#include <stddef.h>\n#include <stdlib.h>\n\
                  void f(const float *x, float *y, size_t n)\n\
                  { for (size_t i = 0; i < n; i++) { if (x[i] == 1000.0f) abort(); y[i] = x[i] + 1.0f; } }\n";
    let (_folder, bad) = c_subject(source, &asked(Element::F32, 1));
    assert_eq!(bad.signature.shape, Shape::Array { output_first: false });
    let mut engine = bad.start(&options()).unwrap();
    let mut x = vec![1.0f32; 70_000];
    assert_eq!(run32(&mut *engine, &[&x]).unwrap(), vec![2.0; 70_000]);
    x[66_666] = 1000.0;
    let (row, what) = failure(run32(&mut *engine, &[&x]));
    assert_eq!((row, what.contains("SIGABRT")), (Some(66_666), true), "{what}");
}

#[test]
fn failures_that_do_not_recur_name_their_stretch() {
    let source = "#include <stddef.h>\n#include <stdlib.h>\n\
                  void f(const float *x, float *y, size_t n)\n\
                  { if (n > 900) abort(); for (size_t i = 0; i < n; i++) y[i] = x[i]; }\n";
    let (_folder, bad) = c_subject(source, &asked(Element::F32, 1));
    let mut engine = bad.start(&options()).unwrap();
    let x: Vec<f32> = (0..1000).map(|i| i as f32).collect();
    let (row, what) = failure(run32(&mut *engine, &[&x]));
    assert_eq!(row, None);
    assert!(what.contains("SIGABRT") && what.contains("0e0 (0x00000000)") && what.contains("9.99e2"), "{what}");
}

#[test]
fn what_a_subject_prints_and_reads_disturbs_nothing() {
    let source = "#include <stdio.h>\n\
                  float f(float x) { printf(\"{\\\"Ran\\\":{}} %g\\n\", x); fflush(stdout); return x + (getchar() == EOF); }\n";
    let (_folder, noisy) = c_subject(source, &asked(Element::F32, 1));
    let mut engine = noisy.start(&options()).unwrap();
    let x = vec![1.0f32; 20_000];
    assert_eq!(run32(&mut *engine, &[&x]).unwrap(), vec![2.0; 20_000]);
}

#[test]
fn a_subject_cannot_keep_its_children() {
    // The subject starts a process that would outlive it by a minute, and says its number.
    let folder = TempDir::new().unwrap();
    let note = folder.path().join("pid");
    let source = format!(
        "#include <stdio.h>\n#include <unistd.h>\n\
         float f(float x) {{ pid_t p = fork(); if (p == 0) {{ sleep(60); _exit(0); }}\n\
         FILE *n = fopen(\"{}\", \"w\"); fprintf(n, \"%d\", (int)p); fclose(n); return x; }}\n",
        note.display()
    );
    let (_source, forking) = c_subject(&source, &asked(Element::F32, 1));
    let mut engine = forking.start(&options()).unwrap();
    run32(&mut *engine, &[&[1.0]]).unwrap();
    let pid = std::fs::read_to_string(&note).unwrap();
    let process = Path::new("/proc").join(&pid);
    assert!(process.exists());
    drop(engine);
    let gone = || !process.exists() || std::fs::read_to_string(process.join("stat")).is_ok_and(|s| s.contains(") Z "));
    assert!(
        (0..200).any(|_| gone() || {
            std::thread::sleep(Duration::from_millis(10));
            false
        }),
        "{pid} lives"
    );
}

#[test]
fn a_host_ends_with_its_parent_even_while_a_call_hangs() {
    // This test in a second process plays the parent: it starts a host in a call that never returns, and is killed.
    let own_name = "a_host_ends_with_its_parent_even_while_a_call_hangs";
    let variable = "MATHSMITH_TEST_HANGING_SOURCE";
    if let Some(path) = std::env::var_os(variable) {
        let hanging = prepare(&Spec::C { path: path.into(), symbol: None }, &asked(Element::F32, 1)).unwrap();
        let mut engine = hanging.start(&HostOptions { timeout: Duration::from_secs(60), ..options() }).unwrap();
        panic!("the call returned: {:?}", run32(&mut *engine, &[&[1.0]]));
    }
    let folder = TempDir::new().unwrap();
    let source = folder.path().join("hang.c");
    std::fs::write(&source, "#include <unistd.h>\nfloat f(float x) { for (;;) pause(); return x; }\n").unwrap();
    let host = PathBuf::from(env!("CARGO_BIN_EXE_mathsmith-subject-host"));
    let mut parent = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", own_name])
        .env(variable, &source)
        .env("TMPDIR", folder.path())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let children = || -> Vec<String> {
        let own = format!("\nPPid:\t{}\n", parent.id());
        let processes = std::fs::read_dir("/proc").unwrap().flatten().map(|p| p.path());
        let ours = processes.filter(|p| std::fs::read_to_string(p.join("status")).is_ok_and(|s| s.contains(&own)));
        let hosts = ours.filter(|p| std::fs::read_link(p.join("exe")).is_ok_and(|exe| exe == host));
        hosts.map(|p| p.display().to_string()).collect()
    };
    let wait = |done: &dyn Fn() -> bool| {
        (0..1500).any(|_| {
            done() || {
                std::thread::sleep(Duration::from_millis(10));
                false
            }
        })
    };
    assert!(wait(&|| !children().is_empty()), "no host was started");
    let hosts = children();
    std::thread::sleep(Duration::from_millis(300));
    parent.kill().unwrap();
    parent.wait().unwrap();
    assert!(wait(&|| hosts.iter().all(|host| !Path::new(host).join("exe").exists())), "{hosts:?} live on");
}
