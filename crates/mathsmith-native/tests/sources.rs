//! Subjects given as source files: what is built has the bits of the file, and what cannot be built is explained.
//!
//! The well-behaved subjects of `tests/subjects` are loaded into this process and compared: C with Rust, gcc with clang.

use mathsmith_native::subject::source::{build, build_with, default_flags};
use mathsmith_native::subject::{BLOCK_SYMBOL, BuiltSource, Element, Shape, Signature, SourceRequest, SubjectError};
use mathsmith_native::{Compiler, Language, NativeError, Toolchain};
use std::ffi::c_void;
use std::path::{Path, PathBuf};
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
    let all: Vec<Vec<u16>> = family("tanh_bf16", 1, "my_tanh_bf16", scalar(Element::U16, 1))
        .iter()
        .map(|one| one.results(&[&x]))
        .collect();
    assert!(all.iter().all(|bits| *bits == all[0]));
    // tanh(1) is 0.76159, next to the bfloat16 0.76171875.
    assert_eq!(all[0][0x3f80], 0x3f43);
}

#[test]
fn bad_subjects_that_compile_are_built() {
    let names = ["null", "division", "recursion", "hang", "exits", "nan", "impure", "noisy", "rounding_mode"];
    for name in names {
        let case = Case::of(&format!("bad/{name}.c"));
        assert_eq!(case.built().signature, scalar(Element::F32, 1), "{name}");
    }
    // The Rust ones share a shape; two stand for them here, and all of them are run in the host's tests.
    for name in ["null", "index"] {
        assert_eq!(Case::of(&format!("bad/{name}.rs")).built().signature, scalar(Element::F32, 1), "{name}");
    }
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
