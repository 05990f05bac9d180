//! Shared libraries: where the loader finds them, what they export, and how their vector functions are called.

use super::{Element, Isa, SubjectError, names};
use object::{Object, ObjectSymbol, SymbolKind};
use sha2::{Digest, Sha256};
use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// A library as it lies on disk; nothing of it is loaded.
#[derive(Clone, Debug)]
pub(super) struct LibraryFile {
    /// The file, with links resolved.
    pub(super) path: PathBuf,
    /// SHA-256 in hexadecimal.
    pub(super) hash: String,
    /// Names of the exported functions, in alphabetical order.
    pub(super) functions: Vec<String>,
}

impl LibraryFile {
    /// Reads the dynamic symbols of a shared library.
    ///
    /// # Errors
    /// [`SubjectError::File`] if it cannot be read or is no shared library.
    pub(super) fn read(path: &Path) -> Result<LibraryFile, SubjectError> {
        let refuse = |what: String, help: &str| SubjectError::File { path: path.into(), what, help: help.into() };
        let unreadable =
            |e: std::io::Error| refuse(format!("cannot be read: {e}"), "name a shared library that exists");
        let real = path.canonicalize().map_err(unreadable)?;
        let bytes = std::fs::read(&real).map_err(unreadable)?;
        let no_library = |e: object::Error| {
            refuse(
                format!("is no shared library: {e}"),
                "name the library itself; one that is text is a script of the linker",
            )
        };
        let file = object::File::parse(bytes.as_slice()).map_err(no_library)?;
        let mut functions: Vec<String> = if file.format() == object::BinaryFormat::MachO {
            // Mach-O writes an underscore in front of C's names.
            let defined = file.symbols().filter(|s| s.is_definition() && s.is_global() && s.kind() == SymbolKind::Text);
            defined.filter_map(|s| Some(s.name().ok()?.strip_prefix('_')?.to_string())).collect()
        } else {
            // Not `is_definition`, which leaves out functions whose version is chosen at load time (STT_GNU_IFUNC).
            let defined = file.dynamic_symbols().filter(|s| !s.is_undefined() && s.kind() == SymbolKind::Text);
            defined.filter_map(|s| s.name().ok().map(String::from)).collect()
        };
        functions.sort_unstable();
        functions.dedup();
        Ok(LibraryFile { path: real, hash: sha256(&bytes), functions })
    }

    /// Whether a function of that name is exported.
    pub(super) fn has(&self, name: &str) -> bool {
        self.functions.binary_search_by(|known| known.as_str().cmp(name)).is_ok()
    }
}

/// SHA-256 in hexadecimal.
pub(super) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A library of the system: what it is called, and one function that it has.
#[derive(Debug)]
pub(super) struct SystemLibrary {
    /// Its name, for people.
    pub(super) name: &'static str,
    /// File names to ask the loader for, in this order.
    files: &'static [&'static str],
    /// A function that every version has: it leads to the file.
    anchor: &'static str,
    /// How to get the library.
    help: &'static str,
}

/// The C library's mathematical part.
pub(super) static LIBM: SystemLibrary = SystemLibrary {
    name: "libm",
    files: &["libm.so.6", "libm.so", "libm.dylib"],
    anchor: "exp",
    help: "this system's C library has no shared libm; name a shared library with --symbol instead",
};

/// glibc's vector functions.
pub(super) static LIBMVEC: SystemLibrary = SystemLibrary {
    name: "libmvec",
    files: &["libmvec.so.1"],
    anchor: "_ZGVbN4v_expf",
    help: "it comes with glibc 2.22 or later on x86-64, on Debian in the package libc6",
};

/// SLEEF.
pub(super) static SLEEF: SystemLibrary = SystemLibrary {
    name: "SLEEF",
    files: &["libsleef.so.3", "libsleef.so", "libsleef.3.dylib", "libsleef.dylib"],
    anchor: "Sleef_exp_u10",
    help: "install it, on Debian and Ubuntu with `apt-get install libsleef3`, on Fedora with `dnf install sleef`",
};

impl SystemLibrary {
    /// Asks the loader for the library, and reads the file it has found.
    ///
    /// This is the one place where a library is loaded into this process; nothing of it is called.
    ///
    /// # Errors
    /// [`SubjectError::Machine`] if it is not installed.
    pub(super) fn find(&self, subject: &str) -> Result<LibraryFile, SubjectError> {
        use libloading::os::unix::{Library, RTLD_LAZY, RTLD_LOCAL};
        for &file in self.files {
            // SAFETY: runs the start-up code of a library of the system, which many programs load.
            let Ok(library) = (unsafe { Library::open(Some(file), RTLD_LAZY | RTLD_LOCAL) }) else { continue };
            // SAFETY: the address is looked at and not called.
            let Ok(anchor) = (unsafe { library.get::<*const ()>(self.anchor.as_bytes()) }) else { continue };
            if let Some(path) = file_of(anchor.as_raw_ptr().cast()) {
                return LibraryFile::read(&path);
            }
        }
        let what = format!("{} is not installed on this machine", self.name);
        Err(SubjectError::Machine { subject: subject.into(), what, help: self.help.into() })
    }
}

/// `Dl_info` of the C library.
#[repr(C)]
struct DlInfo {
    file: *const c_char,
    base: *mut c_void,
    symbol: *const c_char,
    address: *mut c_void,
}

unsafe extern "C" {
    fn dladdr(address: *const c_void, info: *mut DlInfo) -> c_int;
}

/// The file from which the code at an address was loaded, with links resolved.
pub(super) fn file_of(address: *const ()) -> Option<PathBuf> {
    let mut info = DlInfo {
        file: std::ptr::null(),
        base: std::ptr::null_mut(),
        symbol: std::ptr::null(),
        address: std::ptr::null_mut(),
    };
    // SAFETY: `dladdr` takes any address and fills the structure, whose layout is the same on every system that has it.
    let found = unsafe { dladdr(address.cast(), &mut info) };
    if found == 0 || info.file.is_null() {
        return None;
    }
    // SAFETY: a string of the loader, which lives as long as the library.
    let file = unsafe { CStr::from_ptr(info.file) };
    Path::new(OsStr::from_bytes(file.to_bytes())).canonicalize().ok()
}

/// Name of a function in glibc's vector ABI: `_ZGVdN8v_expf` (Intel's vector function ABI, section 2.6).
pub(super) fn mangled(name: &str, element: Element, arity: u8, isa: Isa) -> Option<String> {
    let letter = isa_letter(isa)?;
    let lanes = lanes(element, isa)?;
    Some(format!("_ZGV{letter}N{lanes}{}_{name}", "v".repeat(arity.into())))
}

/// What a name in the vector ABI says: name of the scalar function, type of the lanes, arguments, width. `None` for other
/// names, and for functions with masks or pointers.
pub(super) fn demangled(symbol: &str) -> Option<(&str, Element, u8, Isa)> {
    let rest = symbol.strip_prefix("_ZGV")?;
    let isa = Isa::VECTORS.into_iter().find(|&isa| isa_letter(isa) == rest.chars().next())?;
    let (shape, name) = rest[1..].strip_prefix('N')?.split_once('_')?;
    let count: u32 = shape.trim_end_matches('v').parse().ok()?;
    let arity = shape.bytes().filter(|&b| b == b'v').count();
    let element = [Element::F32, Element::F64].into_iter().find(|&e| lanes(e, isa) == Some(count))?;
    matches!(arity, 1 | 2).then_some((name, element, arity as u8, isa))
}

/// Lanes of a register.
pub(super) fn lanes(element: Element, isa: Isa) -> Option<u32> {
    match (isa, element) {
        (Isa::Scalar, _) | (_, Element::U16) => None,
        (_, Element::F32) => Some(isa.bits() / 32),
        (_, Element::F64) => Some(isa.bits() / 64),
    }
}

fn isa_letter(isa: Isa) -> Option<char> {
    match isa {
        Isa::Scalar => None,
        Isa::Sse => Some('b'),
        Isa::Avx => Some('c'),
        Isa::Avx2 => Some('d'),
        Isa::Avx512 => Some('e'),
    }
}

/// SLEEF's exported name: `Sleef_expf_u10`, `Sleef_expf8_u10avx2`.
///
/// The vector names without an instruction set behind them choose one at run time; these always are the same code. SSE is
/// SSE2, the least that x86-64 has.
pub(super) fn sleef(name: &str, element: Element, isa: Isa) -> Option<String> {
    let (base, bound) = names::split_bound(name);
    let Some(lanes) = lanes(element, isa) else { return (isa == Isa::Scalar).then(|| format!("Sleef_{name}")) };
    let (stem, letter) = match element {
        Element::F64 => (base, 'd'),
        _ => (base.strip_suffix('f')?, 'f'),
    };
    let set = match isa {
        Isa::Scalar => return None,
        Isa::Sse => "sse2",
        Isa::Avx => "avx",
        Isa::Avx2 => "avx2",
        Isa::Avx512 => "avx512f",
    };
    let bound = if bound.is_empty() { "_" } else { bound };
    Some(format!("Sleef_{stem}{letter}{lanes}{bound}{set}"))
}

/// Features of this processor that libraries choose their code by, in the order of this list.
///
/// glibc and others pick one of several versions of a function when they are loaded; the result of a measurement holds for
/// processors with the same features.
pub fn cpu_features() -> Vec<&'static str> {
    #[cfg(target_arch = "x86_64")]
    {
        let known = [
            ("sse2", is_x86_feature_detected!("sse2")),
            ("sse3", is_x86_feature_detected!("sse3")),
            ("ssse3", is_x86_feature_detected!("ssse3")),
            ("sse4.1", is_x86_feature_detected!("sse4.1")),
            ("sse4.2", is_x86_feature_detected!("sse4.2")),
            ("avx", is_x86_feature_detected!("avx")),
            ("f16c", is_x86_feature_detected!("f16c")),
            ("fma", is_x86_feature_detected!("fma")),
            ("avx2", is_x86_feature_detected!("avx2")),
            ("bmi2", is_x86_feature_detected!("bmi2")),
            ("avx512f", is_x86_feature_detected!("avx512f")),
            ("avx512bw", is_x86_feature_detected!("avx512bw")),
            ("avx512cd", is_x86_feature_detected!("avx512cd")),
            ("avx512dq", is_x86_feature_detected!("avx512dq")),
            ("avx512vl", is_x86_feature_detected!("avx512vl")),
        ];
        known.into_iter().filter_map(|(name, present)| present.then_some(name)).collect()
    }
    #[cfg(target_arch = "aarch64")]
    {
        use std::arch::is_aarch64_feature_detected;
        let known = [
            ("neon", is_aarch64_feature_detected!("neon")),
            ("fp16", is_aarch64_feature_detected!("fp16")),
            ("sve", is_aarch64_feature_detected!("sve")),
            ("sve2", is_aarch64_feature_detected!("sve2")),
        ];
        known.into_iter().filter_map(|(name, present)| present.then_some(name)).collect()
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vector_names_are_those_of_the_abi() {
        assert_eq!(mangled("expf", Element::F32, 1, Isa::Sse).as_deref(), Some("_ZGVbN4v_expf"));
        assert_eq!(mangled("exp", Element::F64, 1, Isa::Avx).as_deref(), Some("_ZGVcN4v_exp"));
        assert_eq!(mangled("powf", Element::F32, 2, Isa::Avx512).as_deref(), Some("_ZGVeN16vv_powf"));
        for isa in Isa::VECTORS {
            for (name, element, arity) in [("expf", Element::F32, 1), ("pow", Element::F64, 2)] {
                let symbol = mangled(name, element, arity, isa).unwrap();
                assert_eq!(demangled(&symbol), Some((name, element, arity, isa)), "{symbol}");
            }
        }
        for other in ["expf", "_ZGVbM4v_expf", "_ZGVbN2vvv_sincos", "_ZGVbN4l_f", "_ZGVzN4v_expf", "_ZGVdé"] {
            assert_eq!(demangled(other), None, "{other}");
        }
    }

    #[test]
    fn sleef_names_are_those_of_one_instruction_set() {
        assert_eq!(sleef("expf_u10", Element::F32, Isa::Scalar).as_deref(), Some("Sleef_expf_u10"));
        assert_eq!(sleef("expf_u10", Element::F32, Isa::Avx2).as_deref(), Some("Sleef_expf8_u10avx2"));
        assert_eq!(sleef("exp_u10", Element::F64, Isa::Avx512).as_deref(), Some("Sleef_expd8_u10avx512f"));
        assert_eq!(sleef("fabsf", Element::F32, Isa::Sse).as_deref(), Some("Sleef_fabsf4_sse2"));
    }

    #[test]
    fn a_hash_is_the_known_one() {
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn the_loader_names_its_file() {
        let libm = LIBM.find("test").unwrap();
        assert!(libm.path.is_absolute() && libm.has("expf") && !libm.has("expg"), "{}", libm.path.display());
        assert_eq!(libm.hash.len(), 64);
    }

    #[test]
    fn other_files_are_refused() {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let message = LibraryFile::read(&manifest).unwrap_err().to_string();
        assert!(message.contains("is no shared library"), "{message}");
        let message = LibraryFile::read(Path::new("/nowhere/libfoo.so")).unwrap_err().to_string();
        assert!(message.contains("cannot be read"), "{message}");
    }
}
