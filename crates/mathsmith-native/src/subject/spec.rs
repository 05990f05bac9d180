//! What a person types for a subject, and how it is printed.

use super::{Isa, Spec, SubjectError};
use std::fmt;
use std::path::Path;

/// What may be written, for messages.
const POSSIBLE: &str = "write a C or Rust file (`mine.c`, `mine.rs`), a shared library (`libmine.so`, with --symbol), or a \
                        function: `libm:expf`, `libmvec:expf`, `libmvec:expf@avx2`, `sleef:expf_u10`, `core-math:expf`, \
                        `libm-crate:expf`";

impl Isa {
    /// Every vector width, the narrowest first.
    pub const VECTORS: [Isa; 4] = [Isa::Sse, Isa::Avx, Isa::Avx2, Isa::Avx512];

    /// As written behind `@`.
    pub fn name(self) -> &'static str {
        match self {
            Isa::Scalar => "scalar",
            Isa::Sse => "sse",
            Isa::Avx => "avx",
            Isa::Avx2 => "avx2",
            Isa::Avx512 => "avx512",
        }
    }

    /// Bits of a register; 0 for scalar functions.
    pub fn bits(self) -> u32 {
        match self {
            Isa::Scalar => 0,
            Isa::Sse => 128,
            Isa::Avx | Isa::Avx2 => 256,
            Isa::Avx512 => 512,
        }
    }

    /// Whether this processor, and this program, can call functions of that width.
    pub fn available(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        return match self {
            Isa::Scalar | Isa::Sse => true,
            Isa::Avx => is_x86_feature_detected!("avx"),
            Isa::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            Isa::Avx512 => is_x86_feature_detected!("avx512f"),
        };
        #[cfg(not(target_arch = "x86_64"))]
        return self == Isa::Scalar;
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Isa::Scalar => "scalar",
            Isa::Sse => "SSE",
            Isa::Avx => "AVX",
            Isa::Avx2 => "AVX2",
            Isa::Avx512 => "AVX-512",
        })
    }
}

impl fmt::Display for Spec {
    /// As it is typed; the symbol of a file stands behind a space.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = |isa: &Option<Isa>| isa.map(|isa| format!("@{}", isa.name())).unwrap_or_default();
        match self {
            Spec::C { path, symbol: Some(symbol) } | Spec::Rust { path, symbol: Some(symbol) } => {
                write!(f, "{} {symbol}", path.display())
            }
            Spec::C { path, symbol: None } | Spec::Rust { path, symbol: None } => path.display().fmt(f),
            Spec::Library { path, symbol } => write!(f, "{} {symbol}", path.display()),
            Spec::Libm { symbol } => write!(f, "libm:{symbol}"),
            Spec::Libmvec { symbol, isa } => write!(f, "libmvec:{symbol}{}", at(isa)),
            Spec::Sleef { symbol, isa } => write!(f, "sleef:{symbol}{}", at(isa)),
            Spec::CoreMath { symbol } => write!(f, "core-math:{symbol}"),
            Spec::LibmCrate { symbol } => write!(f, "libm-crate:{symbol}"),
        }
    }
}

impl Spec {
    /// Reads what a person typed.
    ///
    /// `symbol` is the value of `--symbol`: for source files and shared libraries, several names with commas between
    /// them; each gives one result. It means nothing to the other kinds, which carry their function's name. Vector
    /// functions without a width give one result for each width that this processor has (SLEEF's: the scalar one first).
    ///
    /// # Errors
    /// [`SubjectError::Spec`] says what may be written.
    pub fn parse(text: &str, symbol: Option<&str>) -> Result<Vec<Spec>, SubjectError> {
        let refuse = |what: String, help: &str| SubjectError::Spec { text: text.into(), what, help: help.into() };
        let given: Vec<String> = symbol.into_iter().flat_map(|s| s.split(',')).map(|s| s.trim().to_string()).collect();
        if given.iter().any(String::is_empty) {
            return Err(refuse(
                "--symbol has an empty name".into(),
                "write names with commas between them, as in --symbol f,g",
            ));
        }
        let path = Path::new(text).to_path_buf();
        let optional = || if given.is_empty() { vec![None] } else { given.iter().cloned().map(Some).collect() };
        if text.ends_with(".c") {
            return Ok(optional().into_iter().map(|symbol| Spec::C { path: path.clone(), symbol }).collect());
        }
        if text.ends_with(".rs") {
            return Ok(optional().into_iter().map(|symbol| Spec::Rust { path: path.clone(), symbol }).collect());
        }
        if is_library(text) {
            if given.is_empty() {
                return Err(refuse("a shared library has many functions".into(), "name one with --symbol"));
            }
            return Ok(given.into_iter().map(|symbol| Spec::Library { path: path.clone(), symbol }).collect());
        }
        let Some((prefix, function)) = text.split_once(':') else {
            return Err(refuse("this is no subject".into(), POSSIBLE));
        };
        let (name, isa) = match function.split_once('@') {
            Some((name, isa)) => (name, Some(isa)),
            None => (function, None),
        };
        let identifier = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || !name.chars().all(identifier) {
            let help = format!("write the function's name behind the colon, as in `{prefix}:expf`");
            return Err(refuse(format!("`{name}` is no name of a function"), &help));
        }
        let isa =
            isa.map(|isa| width(isa).ok_or_else(|| refuse(format!("`@{isa}` is no width"), WIDTHS))).transpose()?;
        let symbol = name.to_string();
        let scalar = match prefix {
            "libm" => Spec::Libm { symbol },
            "core-math" => Spec::CoreMath { symbol },
            "libm-crate" | "libm-rs" => Spec::LibmCrate { symbol },
            "libmvec" if isa == Some(Isa::Scalar) => {
                let help = format!("write `libm:{name}` for the scalar function");
                return Err(refuse("libmvec has vector functions only".into(), &help));
            }
            "libmvec" => {
                return Ok(widths(isa, false).map(|isa| Spec::Libmvec { symbol: symbol.clone(), isa }).collect());
            }
            "sleef" if name.starts_with("Sleef_") => {
                let help = format!("write `sleef:{}`, with a width where one is meant, as in @avx2", &name[6..]);
                return Err(refuse("names of SLEEF are written without `Sleef_`".into(), &help));
            }
            "sleef" => return Ok(widths(isa, true).map(|isa| Spec::Sleef { symbol: symbol.clone(), isa }).collect()),
            _ => return Err(refuse(format!("`{prefix}:` is no kind of subject"), POSSIBLE)),
        };
        match isa {
            None => Ok(vec![scalar]),
            Some(isa) => {
                Err(refuse(format!("`@{}` means nothing here", isa.name()), "only libmvec and sleef have widths"))
            }
        }
    }
}

/// The widths, for messages.
const WIDTHS: &str = "write @sse, @avx, @avx2 or @avx512, for SLEEF also @scalar";

/// The width of that name.
fn width(name: &str) -> Option<Isa> {
    [Isa::Scalar].into_iter().chain(Isa::VECTORS).find(|isa| isa.name() == name)
}

/// The one that was asked for, else those that this processor has.
fn widths(asked: Option<Isa>, scalar: bool) -> impl Iterator<Item = Option<Isa>> {
    let all = scalar.then_some(Isa::Scalar).into_iter().chain(Isa::VECTORS);
    let fitting = all.filter(move |isa| asked.is_none() && isa.available());
    asked.into_iter().chain(fitting).map(Some)
}

/// Whether a file is called like a shared library: `libfoo.so`, `libfoo.so.3`, `libfoo.dylib`.
fn is_library(text: &str) -> bool {
    let file = text.rsplit('/').next().unwrap_or(text);
    let version = |tail: &str| tail.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    text.ends_with(".so") || text.ends_with(".dylib") || file.rsplit_once(".so.").is_some_and(|(_, tail)| version(tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str, symbol: Option<&str>) -> Spec {
        let specs = Spec::parse(text, symbol).unwrap();
        assert_eq!(specs.len(), 1, "{text}: {specs:?}");
        specs.into_iter().next().unwrap()
    }

    #[test]
    fn every_kind_is_read() {
        assert_eq!(one("a/mine.c", None), Spec::C { path: "a/mine.c".into(), symbol: None });
        assert_eq!(one("mine.rs", Some("f")), Spec::Rust { path: "mine.rs".into(), symbol: Some("f".into()) });
        assert_eq!(one("libfoo.so.3.5", Some("f")), Spec::Library { path: "libfoo.so.3.5".into(), symbol: "f".into() });
        for text in ["libm:expf", "core-math:expf", "libm-crate:expf", "libmvec:expf@avx512", "sleef:expf_u10@scalar"] {
            assert_eq!(one(text, None).to_string(), text);
        }
        assert_eq!(one("libm-rs:expf", None), one("libm-crate:expf", None));
        assert_eq!(one("libm:expf", Some("g")), one("libm:expf", None));
    }

    #[test]
    fn several_symbols_and_widths_are_several_subjects() {
        let specs = Spec::parse("mine.c", Some("f, g")).unwrap();
        assert_eq!(specs.iter().map(Spec::to_string).collect::<Vec<_>>(), ["mine.c f", "mine.c g"]);
        let specs = Spec::parse("sleef:expf_u10", None).unwrap();
        assert_eq!(specs[0].to_string(), "sleef:expf_u10@scalar");
        assert_eq!(specs.len(), 1 + Isa::VECTORS.iter().filter(|isa| isa.available()).count());
        assert_eq!(Spec::parse("libmvec:expf", None).unwrap().len(), specs.len() - 1);
    }

    #[test]
    fn messages_say_what_is_possible() {
        let message = |text: &str, symbol| Spec::parse(text, symbol).unwrap_err().to_string();
        for text in ["mine", "mine.cpp", "glibc:expf", "C:expf"] {
            let message = message(text, None);
            assert!(message.contains("help: ") && message.contains("libmvec:expf@avx2"), "{message}");
        }
        assert!(message("libfoo.so", None).contains("--symbol"));
        assert!(message("libm:", None).contains("`libm:expf`"));
        assert!(message("libm:exp(x)", None).contains("`exp(x)`"));
        assert!(message("libm:expf@avx", None).contains("only libmvec and sleef"));
        assert!(message("libmvec:expf@neon", None).contains("@avx512"));
        assert!(message("libmvec:expf@scalar", None).contains("`libm:expf`"));
        assert!(message("mine.c", Some("f,,g")).contains("empty"));
        assert!(message("sleef:Sleef_expf_u10", None).contains("`sleef:expf_u10`"));
    }

    #[test]
    fn specs_survive_being_written() {
        for text in ["libmvec:expf@avx2", "libm:expf"] {
            let spec = one(text, None);
            let json = serde_json::to_string(&spec).unwrap();
            assert_eq!(serde_json::from_str::<Spec>(&json).unwrap(), spec);
        }
    }
}
