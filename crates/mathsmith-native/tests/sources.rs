//! Subjects given as source files: what is built has the bits of the file, and what cannot be built is explained.
//!
//! The well-behaved subjects of `tests/subjects` are loaded into this process and compared: C with Rust, gcc with clang.
//! The bad ones run in their child processes.

use mathsmith_ir::{ColumnMut, ColumnRef, EngineError};
use mathsmith_native::subject::source::{build, build_with, default_flags};
use mathsmith_native::subject::{
    BLOCK_SYMBOL, BuiltSource, Element, HostOptions, Request, Shape, Signature, SourceRequest, Spec, SubjectError,
    prepare,
};
use mathsmith_native::{Compiler, Language, NativeError, Toolchain};
use std::ffi::c_void;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// A file of the corpus.
fn corpus(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/subjects").join(name)
}

/// A source file, what is asked of it, and the folder for what is built.
struct Case {
    path: PathBuf,
    symbol: Option<&'static str>,
    element: Option<Element>,
    arity: u8,
    compiler: Option<Compiler>,
    flags: Option<Vec<String>>,
    output_first: bool,
    folder: TempDir,
}

impl Case {
    fn at(path: PathBuf) -> Case {
        let folder = TempDir::new().expect("a temporary folder");
        let (symbol, element, compiler, flags) = (None, None, None, None);
        Case { path, symbol, element, arity: 1, compiler, flags, output_first: false, folder }
    }

    fn of(name: &str) -> Case {
        Case::at(corpus(name))
    }

    /// A file with this text, in the folder for what is built.
    fn text(name: &str, text: &str) -> Case {
        let case = Case::at(PathBuf::new());
        let path = case.folder.path().join(name);
        std::fs::write(&path, text).expect("a temporary file");
        Case { path, ..case }
    }

    fn symbol(self, symbol: &'static str) -> Case {
        Case { symbol: Some(symbol), ..self }
    }

    fn flags(self, flags: &str) -> Case {
        Case { flags: Some(flags.split_whitespace().map(String::from).collect()), ..self }
    }

    fn request(&self) -> SourceRequest<'_> {
        SourceRequest {
            path: &self.path,
            language: if self.path.extension().is_some_and(|e| e == "rs") { Language::Rust } else { Language::C },
            symbol: self.symbol,
            element: self.element,
            arity: self.arity,
            compiler: self.compiler,
            cflags: self.flags.as_deref(),
            output_first: self.output_first,
            folder: self.folder.path(),
        }
    }

    fn built(&self) -> BuiltSource {
        build(&self.request()).unwrap_or_else(|e| panic!("{}: {e}", self.path.display()))
    }

    fn refused(&self) -> SubjectError {
        build(&self.request()).expect_err(&self.path.display().to_string())
    }

    /// The library in this process.
    fn loaded(&self) -> Loaded {
        let built = self.built();
        // SAFETY: the file has been written by us and does nothing when it is loaded.
        let library = unsafe { libloading::Library::new(&built.library) }.expect("a library");
        Loaded { built, library }
    }
}

type Block = unsafe extern "C" fn(*const *const c_void, *mut c_void, u64, *mut u64);

struct Loaded {
    built: BuiltSource,
    library: libloading::Library,
}

impl Loaded {
    /// Results for columns of one length; the row noted last is checked.
    fn results<T: Copy + Default>(&self, columns: &[&[T]]) -> Vec<T> {
        assert_eq!(columns.len(), usize::from(self.built.signature.arity));
        let n = columns[0].len();
        assert!(columns.iter().all(|c| c.len() == n));
        let size = match self.built.signature.element {
            Element::F32 => 4,
            Element::F64 => 8,
            Element::U16 => 2,
        };
        assert_eq!(size_of::<T>(), size);
        let inputs: Vec<*const c_void> = columns.iter().map(|c| c.as_ptr().cast()).collect();
        let mut results = vec![T::default(); n];
        let mut at = u64::MAX;
        // SAFETY: the exported function has the type documented at `BLOCK_SYMBOL`, and the columns are of the size
        // that its element type has.
        unsafe {
            let block = self.library.get::<Block>(BLOCK_SYMBOL).expect("the exported function");
            block(inputs.as_ptr(), results.as_mut_ptr().cast(), n as u64, &mut at);
        }
        let scalar = self.built.signature.shape == Shape::Scalar;
        assert_eq!(at, if scalar { n as u64 - 1 } else { 0 });
        results
    }

    fn bits(&self, columns: &[&[f32]]) -> Vec<u32> {
        let results: Vec<f32> = self.results(columns);
        results.iter().map(|x| if x.is_nan() { 0x7fc0_0000 } else { x.to_bits() }).collect()
    }
}

/// Floats of every binade and both signs, infinities and NaN among them, and the neighbourhood of zero to 128.
fn spread() -> Vec<f32> {
    let all = (0..40_000_u32).map(|i| f32::from_bits(i.wrapping_mul(0x9e37_79b9)));
    let usual = (0..60_000).map(|i| -150.0 + 0.005 * i as f32);
    let special = [0.0, -0.0, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, 1.0, -1.0, 0.5, f32::from_bits(1), f32::MAX];
    all.chain(usual).chain(special).collect()
}

fn scalar(element: Element, arity: u8) -> Signature {
    Signature { element, arity, shape: Shape::Scalar }
}

/// Whether clang is here; says so loudly if not.
fn clang() -> bool {
    let found = Toolchain::detect().get(Compiler::Clang).is_some();
    if !found {
        println!("NOT TESTED with clang: it is not installed");
    }
    found
}

/// Builds `NAME.c` with both compilers and `NAME.rs`, symbols left out, and hands over the libraries.
fn family(name: &str, arity: u8, symbol: &str, signature: Signature) -> Vec<Loaded> {
    let mut cases = vec![
        Case { arity, compiler: Some(Compiler::Gcc), ..Case::of(&format!("{name}.c")) },
        Case { arity, ..Case::of(&format!("{name}.rs")) },
    ];
    if clang() {
        cases.push(Case { arity, compiler: Some(Compiler::Clang), ..Case::of(&format!("{name}.c")) });
    }
    let loaded: Vec<Loaded> = cases.iter().map(Case::loaded).collect();
    for one in &loaded {
        assert_eq!((one.built.symbol.as_str(), one.built.signature), (symbol, signature), "{:?}", one.built);
        assert_eq!(one.built.warnings, "");
    }
    loaded
}

fn agree32(name: &str, arity: u8, symbol: &str, signature: Signature) -> Vec<u32> {
    let x = spread();
    let mut y = x.clone();
    y.rotate_left(31_337);
    let columns = [&x[..], &y];
    let all: Vec<Vec<u32>> =
        family(name, arity, symbol, signature).iter().map(|one| one.bits(&columns[..arity.into()])).collect();
    for (i, other) in all.iter().enumerate() {
        let differs = all[0].iter().zip(other).position(|(a, b)| a != b);
        assert_eq!(differs.map(|row| (x[row], all[0][row], other[row])), None, "{name}, build {i}");
    }
    all[0].clone()
}

/// Largest error relative to `max(|y|, floor)` where the reference in double precision is finite.
fn error(results: &[u32], floor: f64, reference: impl Fn(f64, f64) -> f64) -> f64 {
    let x = spread();
    let mut second = x.clone();
    second.rotate_left(31_337);
    let rows = results.iter().zip(x.iter().zip(&second));
    let errors = rows.filter_map(|(&bits, (&x, &y))| {
        let exact = reference(x.into(), y.into());
        let got = f64::from(f32::from_bits(bits));
        (exact.is_finite() && exact.abs() < f32::MAX.into()).then(|| (got - exact).abs() / exact.abs().max(floor))
    });
    errors.fold(0.0, |worst, e| if e <= worst { worst } else { e })
}

#[test]
fn a_kernel_with_bit_tricks_has_the_same_bits_in_c_and_rust() {
    let bits = agree32("exp_bits", 1, "my_expf", scalar(Element::F32, 1));
    let e = error(&bits, f32::MIN_POSITIVE.into(), |x, _| x.exp());
    assert!(e < 4e-7, "{e}");
}

#[test]
fn a_ratio_has_the_same_bits_in_c_and_rust() {
    let bits = agree32("tanh_ratio", 1, "my_tanhf", scalar(Element::F32, 1));
    let e = error(&bits, 1e-30, |x, _| x.tanh());
    assert!(e < 2e-4, "{e}");
}

#[test]
fn a_table_has_the_same_bits_in_c_and_rust() {
    let bits = agree32("log2_table", 1, "my_log2f", scalar(Element::F32, 1));
    let e = error(&bits, 1.0, |x, _| x.log2());
    assert!(e < 6e-5, "{e}");
}

#[test]
fn two_regimes_have_the_same_bits_in_c_and_rust() {
    let bits = agree32("asin_regimes", 1, "my_asinf", scalar(Element::F32, 1));
    let e = error(&bits, 1e-30, |x, _| x.asin());
    assert!(e < 1e-6, "{e}");
}

#[test]
fn two_arguments_have_the_same_bits_in_c_and_rust() {
    let bits = agree32("atan2_pair", 2, "my_atan2f", scalar(Element::F32, 2));
    let e = error(&bits, 1e-30, |y, x| y.atan2(x));
    assert!(e < 1e-6, "{e}");
}

#[test]
fn an_array_function_has_the_same_bits_in_c_and_rust() {
    let signature = Signature { element: Element::F32, arity: 1, shape: Shape::Array { output_first: false } };
    let bits = agree32("exp2_array", 1, "my_exp2f_array", signature);
    let e = error(&bits, 2.0_f64.powi(-126), |x, _| x.clamp(-126.0, 128.0).exp2());
    assert!(e < 4e-7, "{e}");
}

#[test]
fn fused_operations_have_the_same_bits_with_and_without_the_instruction() {
    let bits = agree32("exp2_fma", 1, "my_exp2f", scalar(Element::F32, 1));
    let e = error(&bits, f32::MIN_POSITIVE.into(), |x, _| x.exp2());
    assert!(e < 4e-7, "{e}");
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("fma") {
        let c = Case::of("exp2_fma.c").flags("-O2 -mfma").loaded();
        assert!(c.built.notes.iter().any(|n| n.contains("the target has FMA")), "{:?}", c.built.notes);
        let rust = Case::of("exp2_fma.rs").flags("-C opt-level=3 -C target-feature=+fma").loaded();
        let x = spread();
        assert!(c.bits(&[&x]) == bits && rust.bits(&[&x]) == bits);
    }
}

#[test]
fn doubles_have_the_same_bits_in_c_and_rust() {
    let x: Vec<f64> = (0..100_000).map(|i| -760.0 + 0.015 * f64::from(i)).chain([f64::INFINITY, -0.0]).collect();
    let all: Vec<Vec<u64>> = family("exp_bits_f64", 1, "my_exp", scalar(Element::F64, 1))
        .iter()
        .map(|one| one.results(&[&x]).iter().map(|y: &f64| y.to_bits()).collect())
        .collect();
    assert!(all.iter().all(|bits| *bits == all[0]));
    let worst = x.iter().zip(&all[0]).filter(|(x, _)| x.abs() < 700.0).fold(0.0_f64, |worst, (x, &y)| {
        let exact = x.exp();
        worst.max((f64::from_bits(y) - exact).abs() / exact)
    });
    assert!(worst < 1e-15, "{worst}");
}

#[test]
fn sixteen_bits_have_the_same_bits_in_c_and_rust() {
    let x: Vec<u16> = (0..=u16::MAX).collect();
    let all: Vec<Vec<u16>> =
        family("tanh_bf16", 1, "my_tanh_bf16", scalar(Element::U16, 1)).iter().map(|one| one.results(&[&x])).collect();
    assert!(all.iter().all(|bits| *bits == all[0]));
    // tanh(1) is 0.76159, next to the bfloat16 0.76171875.
    assert_eq!(all[0][0x3f80], 0x3f43);
}

/// Runs a bad subject in its child process on 5000 rows of ones with `x` in row 4321.
fn run_bad(name: &str, x: f32) -> Result<Vec<f32>, EngineError> {
    let (path, symbol) = (corpus(&format!("bad/{name}")), None);
    let spec = if name.ends_with(".rs") { Spec::Rust { path, symbol } } else { Spec::C { path, symbol } };
    let subject = prepare(&spec, &Request::default()).unwrap_or_else(|e| panic!("{name}: {e}"));
    assert_eq!(subject.signature, scalar(Element::F32, 1), "{name}");
    let host = HostOptions::new(vec![env!("CARGO_BIN_EXE_mathsmith-subject-host").into()]);
    let timeout = Duration::from_millis(if name.starts_with("hang") { 500 } else { 10_000 });
    let mut engine = subject.start(&HostOptions { timeout, ..host }).expect("a host");
    let mut rows = vec![1.0_f32; 5000];
    rows[4321] = x;
    let mut results = vec![0.0_f32; rows.len()];
    engine.run(&[], &[ColumnRef::F32(&rows)], &mut [ColumnMut::F32(&mut results)])?;
    Ok(results)
}

#[test]
fn bad_subjects_are_reported_with_the_row() {
    for (name, x, words) in [
        ("null.c", 1.5, "SIGSEGV"),
        ("null.rs", 1.5, "SIGSEGV"),
        ("division.c", 2.5, "SIGFPE"),
        ("division.rs", 2.5, "attempt to divide by zero"),
        ("index.rs", 1.5, "index out of bounds: the len is 4 but the index is 4"),
        // The runtime of Rust tells an overflow of the stack from other invalid accesses, and aborts.
        ("recursion.c", 1.5, "SIG"),
        ("recursion.rs", 1.5, "SIG"),
        ("hang.c", 1.5, "did not return within 500ms"),
        ("hang.rs", 1.5, "did not return within 500ms"),
        ("exits.c", 1.5, "exit code 7"),
        ("exits.rs", 1.5, "exit code 7"),
        ("rounding_mode.c", 1.5, "changed the rounding mode"),
        #[cfg(target_arch = "x86_64")]
        ("rounding_mode.rs", 1.5, "changed the rounding mode"),
    ] {
        match run_bad(name, x) {
            Err(EngineError::Failed { row, what }) => {
                assert_eq!(row, Some(4321), "{name}: {what}");
                assert!(what.contains(words), "{name}: {what}");
            }
            other => panic!("{name}: {:?}", other.map(|results| results.len())),
        }
    }
}

#[test]
fn bad_subjects_that_return_are_run() {
    for extension in ["c", "rs"] {
        let results =
            |name: &str| run_bad(&format!("{name}.{extension}"), 1.5).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(results("nan").iter().all(|y| y.is_nan()));
        let counted = results("impure");
        assert!(counted[0] != counted[1] && counted[0] == counted[2], "{:?}", &counted[..3]);
        let heard = results("noisy");
        assert!(heard[0] == 1.0 && heard[4321] == 1.5);
    }
}

#[test]
fn several_files_at_a_time() {
    // All become crates of one name, so their compilers must not share a folder.
    let names = ["nan.rs", "null.rs", "exits.rs", "index.rs", "impure.rs", "division.rs"];
    std::thread::scope(|scope| {
        for turn in 0..4 {
            for name in names {
                scope.spawn(move || {
                    let spec = Spec::Rust { path: corpus(&format!("bad/{name}")), symbol: None };
                    prepare(&spec, &Request::default()).unwrap_or_else(|e| panic!("{turn} {name}: {e}"));
                });
            }
        }
    });
}

#[test]
fn the_output_says_how_it_was_compiled() {
    let built = Case::of("exp_bits.c").built();
    assert_eq!(built.flags, ["-O2"]);
    assert_eq!(built.flags, default_flags(Language::C));
    assert!(built.command.contains("-O2 -fPIC -fno-semantic-interposition -c"), "{}", built.command);
    assert!(built.command.contains("exp_bits.c"), "{}", built.command);
    assert!(built.notes.iter().any(|n| n.contains("-ffp-contract=")), "{:?}", built.notes);
    assert!(built.compiler.contains("gcc") || built.compiler.contains("clang"), "{}", built.compiler);
    let case = Case::text("warns.c", "float f(float x) { int unused; return x; }\n").flags("-O1 -Wall");
    let built = case.built();
    assert!(built.warnings.contains("unused"), "{}", built.warnings);
    assert_eq!(built.flags, ["-O1", "-Wall"]);
}

/// The message contains all of `parts`.
fn says(error: &SubjectError, parts: &[&str]) {
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in:\n{text}");
    }
}

#[test]
fn emitted_functions_need_no_symbol() {
    let inside: Vec<f32> = (0..50_000).map(|i| i as f32 / 50_000.0).collect();
    for name in ["emitted_fma", "emitted_plain"] {
        let (c, rust) = (Case::of(&format!("{name}.c")).loaded(), Case::of(&format!("{name}.rs")).loaded());
        assert_eq!((c.built.symbol.as_str(), rust.built.symbol.as_str()), ("exp2_f32", "exp2_f32"));
        let bits = c.bits(&[&inside]);
        assert!(bits == rust.bits(&[&inside]), "{name}");
        assert!(inside.iter().zip(&bits).all(|(x, &y)| (f32::from_bits(y) - x.exp2()).abs() < 3e-7), "{name}");
    }
}

#[test]
fn the_compilers_message_is_shown_as_it_is() {
    for (name, words) in [
        ("bad/does_not_compile.c", "undeclared_constant"),
        ("bad/does_not_compile.rs", "cannot find value `UNDECLARED_CONSTANT`"),
    ] {
        let error = Case::of(name).symbol("my_expf").refused();
        assert!(matches!(error, SubjectError::Native(NativeError::Compile { .. })), "{error}");
        says(&error, &["refuses", name, words, "command: "]);
    }
}

#[test]
fn a_missing_symbol_names_those_near() {
    for extension in ["c", "rs"] {
        let file = format!("exp_bits.{extension}");
        let error = Case::of(&file).symbol("my_epxf").refused();
        assert!(matches!(error, SubjectError::NoSymbol { .. }));
        says(&error, &[&file, "has no function `my_epxf`", "did you mean `my_expf`?"]);
        says(&Case::of(&file).symbol("gamma").refused(), &["the file defines ", "`my_expf`"]);
        says(&Case::of(&file).symbol("my expf").refused(), &["has no function `my expf`"]);
    }
    // Static and private functions are near names too, used or not.
    let text = "static float reduce(float x) { return x; }\nfloat f(float x) { return x; }\n";
    says(&Case::text("a.c", text).symbol("reduec").refused(), &["`reduce`"]);
    if clang() {
        let case = Case { compiler: Some(Compiler::Clang), ..Case::text("a.c", text).symbol("reduec") };
        says(&case.refused(), &["`reduce`"]);
    }
    says(&Case::of("asin_regimes.rs").symbol("near_zreo").refused(), &["`near_zero`"]);
    // A function that a header declares is not the file's.
    let text = "#include <math.h>\nfloat my_tanhf(float x) { return tanhf(x); }\n";
    says(&Case::text("a.c", text).symbol("tanhf").refused(), &["has no function `tanhf`", "`my_tanhf`"]);
}

#[test]
fn wrong_types_are_shown_and_the_right_ones_listed() {
    for (symbol, ty) in [
        ("my_int", "int my_int(int)"),
        ("my_lerpf", "float my_lerpf(float, float, float)"),
        ("my_narrow", "float my_narrow(double)"),
    ] {
        let error = Case::of("bad/wrong_types.c").symbol(symbol).refused();
        assert!(matches!(error, SubjectError::Signature { .. }));
        says(&error, &["wrong_types.c", ty, "supported: float f(float)"]);
    }
    for (symbol, ty) in [("my_int", "fn my_int(i32) -> i32"), ("my_lerpf", "fn my_lerpf(f32, f32, f32) -> f32")] {
        let error = Case::of("bad/wrong_types.rs").symbol(symbol).refused();
        assert!(matches!(error, SubjectError::Signature { .. }));
        says(&error, &["wrong_types.rs", ty, "supported: fn(f32) -> f32"]);
    }
    says(&Case::of("bad/wrong_types.rs").symbol("my_generic").refused(), &["generic", "f_f32(x: f32)"]);
    if clang() {
        let case = Case { compiler: Some(Compiler::Clang), ..Case::of("bad/wrong_types.c") };
        says(&case.symbol("my_int").refused(), &["int my_int(int)"]);
    }
    // Without a symbol all of them are listed.
    says(&Case::of("bad/wrong_types.c").refused(), &["none of its functions fits", "int my_int(int)", "my_narrow"]);
    says(&Case::text("v.c", "float f = 1.0f;\n").symbol("f").refused(), &["not a function"]);
    says(&Case::text("k.c", "double f(x) double x; { return x; }\n").symbol("f").refused(), &["prototype"]);
}

#[test]
fn another_type_than_the_questions_is_said() {
    let case = Case { element: Some(Element::F64), ..Case::of("exp_bits.c") };
    says(&case.refused(), &["`my_expf`", "computes in f32, the question asks for f64", "--type f32"]);
    let case = Case { arity: 2, ..Case::of("exp_bits.rs") };
    says(&case.refused(), &["`my_expf`", "takes one argument, the question has two arguments"]);
    let case = Case { element: Some(Element::F32), ..Case::of("tanh_bf16.c") };
    says(&case.refused(), &["computes in 16 bits", "--type bf16"]);
    // A question decides between functions of one file.
    let text = "float f(float x) { return x; }\ndouble g(double x) { return x; }\nvoid set_up(void) {}\n";
    let case = Case { element: Some(Element::F64), ..Case::text("two.c", text) };
    assert_eq!(case.built().symbol, "g");
    says(&Case::text("two.c", text).refused(), &["several functions that fit: `f`, `g`", "--symbol NAME"]);
    let text = "pub fn f(x: f32) -> f32 { x }\npub fn g(x: f32) -> f32 { -x }\nfn h(x: f32) -> f32 { x }\n";
    says(&Case::text("two.rs", text).refused(), &["several functions that fit: `f`, `g`", "--symbol NAME"]);
    says(&Case::text("none.c", "int x = 3;\n").refused(), &["defines no function"]);
    says(&Case::text("none.rs", "pub const X: i32 = 3;\n").refused(), &["defines no function"]);
}

#[test]
fn paths_and_compilers_that_are_missing() {
    says(&Case::of("nowhere.c").refused(), &["nowhere.c", "check the path"]);
    says(&Case::of("bad").refused(), &["is not a file"]);
    let case = Case { compiler: Some(Compiler::Rustc), ..Case::of("exp_bits.c") };
    says(&case.refused(), &["rustc does not compile C"]);
    let empty = TempDir::new().unwrap();
    let nothing = Toolchain::search(empty.path().as_os_str());
    for (name, way_out) in [("exp_bits.c", "apt-get install gcc"), ("exp_bits.rs", "rustup.rs")] {
        let case = Case::of(name);
        says(&build_with(&nothing, &case.request()).expect_err("no compiler"), &[way_out]);
    }
    // What a file lacks is the linker's message.
    let text = "float elsewhere(float);\nfloat f(float x) { return elsewhere(x); }\n";
    says(&Case::text("part.c", text).refused(), &["does not link by itself", "elsewhere", "-lNAME", "command: "]);
}

#[test]
fn static_and_inline_functions_and_programs() {
    let x = [0.0_f32, 1.0, -2.5];
    let text = "#include <stdio.h>\n#include \"factor.h\"\n\
                static float twice(float x) { return FACTOR * x; }\n\
                inline float thrice(float x) { return 3.0f * x; }\n\
                int main(void) { printf(\"%g\\n\", twice(1.0f)); return 0; }\n";
    for compiler in [Compiler::Gcc, Compiler::Clang].into_iter().filter(|&c| c == Compiler::Gcc || clang()) {
        let case = Case { compiler: Some(compiler), ..Case::text("it's odd.c", text) };
        std::fs::write(case.folder.path().join("factor.h"), "#define FACTOR 2.0f\n").unwrap();
        let case = case.symbol("twice");
        assert_eq!(case.loaded().results::<f32>(&[&x]), [0.0, 2.0, -5.0]);
        let case = Case { symbol: Some("thrice"), ..case };
        assert_eq!(case.loaded().results::<f32>(&[&x]), [0.0, 3.0, -7.5]);
        // Neither is exported: both fit, none is taken.
        says(&Case { symbol: None, ..case }.refused(), &["`thrice`, `twice`"]);
    }
}

#[test]
fn a_name_of_the_systems_library_is_the_files_own() {
    let x = [1.0_f32, 2.0];
    let c = Case::text("own.c", "float expf(float x) { return x + 1.0f; }\nfloat g(float x) { return expf(x); }\n");
    assert_eq!(c.symbol("expf").loaded().results::<f32>(&[&x]), [2.0, 3.0]);
    let text = "#[no_mangle]\npub extern \"C\" fn expf(x: f32) -> f32 { x + 1.0 }\n";
    assert_eq!(Case::text("own.rs", text).loaded().results::<f32>(&[&x]), [2.0, 3.0]);
}

#[test]
fn inlining_is_that_of_a_program() {
    // With FMA gcc contracts the helper's product with the caller's sum if it inlines the helper, as it does in programs.
    let text = "float product(float x) { return x * x; }\nfloat f(float x) { return product(x) - 1.0f; }\n";
    let x = [1.0 + f32::EPSILON];
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("fma") {
        let case = Case { compiler: Some(Compiler::Gcc), ..Case::text("fused.c", text).symbol("f") };
        let fused = case.flags("-O2 -mfma").loaded();
        assert_eq!(fused.results::<f32>(&[&x]), [x[0].mul_add(x[0], -1.0)]);
        let case = Case { compiler: Some(Compiler::Gcc), ..Case::text("apart.c", text).symbol("f") };
        let apart = case.flags("-O2 -mfma -ffp-contract=off").loaded();
        assert_eq!(apart.results::<f32>(&[&x]), [x[0] * x[0] - 1.0]);
    }
    // Link-time optimisation keeps the wrapper out as well.
    let case = Case { compiler: Some(Compiler::Gcc), ..Case::text("lto.c", text).symbol("f") };
    assert_eq!(case.flags("-O2 -flto").loaded().results::<f32>(&[&x]), [x[0] * x[0] - 1.0]);
}

#[test]
fn orders_of_arrays() {
    let x = [1.0_f32, 2.0, 3.0];
    let y = [10.0_f32, 20.0, 30.0];
    for (arguments, arity, output_first) in [
        ("const float *a, const float *b, float *r, unsigned n", 2, false),
        ("float *restrict r, const float a[], const float *b, long n", 2, true),
        ("int n, const float *a, float *r", 1, false),
    ] {
        let second = if arity == 2 { "+ b[i]" } else { "" };
        let text = format!("void f({arguments}) {{ for (int i = 0; i < (int)n; i++) r[i] = 2.0f * a[i] {second}; }}\n");
        let loaded = Case { arity, ..Case::text("array.c", &text) }.loaded();
        assert_eq!(loaded.built.signature.shape, Shape::Array { output_first }, "{arguments}");
        let columns = [&x[..], &y];
        let results = loaded.results::<f32>(&columns[..usize::from(arity)]);
        assert_eq!(results, if arity == 2 { [12.0, 24.0, 36.0] } else { [2.0, 4.0, 6.0] }, "{arguments}");
    }
    // A type that leaves the order open: what was assumed is said, and can be asked for.
    let text = "void f(float *p, float *q, int n) { while (n-- > 0) q[n] = p[n] + 1.0f; }\n";
    let loaded = Case::text("open.c", text).loaded();
    assert_eq!(loaded.results::<f32>(&[&x]), [2.0, 3.0, 4.0]);
    assert!(loaded.built.notes.iter().any(|n| n.contains("taken to be the last array")), "{:?}", loaded.built.notes);
    let text = "void f(float *p, float *q, int n) { while (n-- > 0) p[n] = q[n] + 1.0f; }\n";
    let loaded = Case { output_first: true, ..Case::text("open.c", text) }.loaded();
    assert_eq!(loaded.results::<f32>(&[&x]), [2.0, 3.0, 4.0]);
    assert!(loaded.built.notes.iter().any(|n| n.contains("as asked for")), "{:?}", loaded.built.notes);
    // What the type tells goes before what is asked for.
    let text = "void f(const float *p, float *q, int n) { while (n-- > 0) q[n] = p[n]; }\n";
    let built = Case { output_first: true, ..Case::text("told.c", text) }.built();
    assert_eq!(built.signature.shape, Shape::Array { output_first: false });

    let text = "pub fn f(r: &mut [f32], a: &[f32], b: &[f32]) { for i in 0..r.len() { r[i] = 2.0 * a[i] + b[i]; } }\n";
    let loaded = Case { arity: 2, ..Case::text("slices.rs", text) }.loaded();
    assert_eq!(loaded.built.signature.shape, Shape::Array { output_first: true });
    assert_eq!(loaded.results::<f32>(&[&x, &y]), [12.0, 24.0, 36.0]);
    let text = "/// # Safety\npub unsafe extern \"C\" fn f(a: *const f64, r: *mut f64, n: usize) \
                { for i in 0..n { *r.add(i) = -*a.add(i); } }\n";
    assert_eq!(Case::text("pointers.rs", text).loaded().results::<f64>(&[&[1.0, 2.0]]), [-1.0, -2.0]);
}

#[test]
fn half_precision_of_the_compiler() {
    let text = "_Float16 f(_Float16 x) { return x + (_Float16)1; }\n";
    let case = Case { compiler: Some(Compiler::Gcc), ..Case::text("half.c", text) };
    match build(&case.request()) {
        Ok(built) => {
            assert_eq!(built.signature, scalar(Element::U16, 1));
            assert!(built.notes.iter().any(|n| n.contains("measure it as f16")), "{:?}", built.notes);
            assert_eq!(case.loaded().results::<u16>(&[&[0x3c00, 0x0000]]), [0x4000, 0x3c00]);
        }
        Err(e) => println!("NOT TESTED with _Float16, which this gcc lacks: {e}"),
    }
}

#[test]
fn rust_files_of_every_kind() {
    let x = [1.0_f32, -2.0];
    // Without std, with a module in the file and one in another, attributes, an alias, a main.
    let text = "#![no_std]\n#![forbid(unsafe_code)]\nmod other;\nuse core::ops::Neg;\ntype Real = f32;\n\
                pub mod kernels { #[inline(always)] pub fn f(x: super::Real) -> f32 { super::hidden(x) } }\n\
                fn hidden(x: Real) -> Real { other::four().neg() * x }\n// no end of line";
    let case = Case::text("lib.rs", text);
    std::fs::write(case.folder.path().join("other.rs"), "pub fn four() -> f32 { 4.0 }\n").unwrap();
    let case = case.symbol("kernels::f");
    assert_eq!(case.loaded().results::<f32>(&[&x]), [-4.0, 8.0]);
    // Private: measured from inside.
    let case = Case { symbol: Some("hidden"), ..case };
    let loaded = case.loaded();
    assert_eq!(loaded.results::<f32>(&[&x]), [-4.0, 8.0]);
    assert!(loaded.built.notes.iter().any(|n| n.contains("private")), "{:?}", loaded.built.notes);
    let case = Case { symbol: Some("hiden"), ..case };
    says(&case.refused(), &["did you mean `hidden`"]);

    let text = "#![crate_name = \"kernels\"]\n#[target_feature(enable = \"sse2\")]\n\
                unsafe fn only(x: f32) -> f32 { x * 0.5 }\nfn main() { println!(\"{}\", unsafe { only(1.0) }); }\n";
    let loaded = Case::text("a-program.rs", text).loaded();
    assert_eq!(loaded.built.symbol, "only");
    assert_eq!(loaded.results::<f32>(&[&x]), [0.5, -1.0]);

    let text = "mod inner { pub fn f(x: f32) -> f32 { g(x) }\nfn g(x: f32) -> f32 { x } }\npub use inner::f;\n";
    let case = Case::text("deep.rs", text).symbol("inner::g");
    says(&case.refused(), &["`inner::g`", "private within a module", "write `pub`"]);
    let case = Case { symbol: Some("inner::f"), ..case };
    assert_eq!(case.loaded().results::<f32>(&[&x]), x);
    says(&Case { symbol: Some("inner"), ..case }.refused(), &["no function"]);
}
