//! From what was typed to a function whose type and place are known.

use super::libraries::{self, LibraryFile, SystemLibrary};
use super::protocol::Target;
use super::{
    BuiltSource, Element, Isa, Origin, Request, Shape, Signature, SourceRequest, Spec, Subject, SubjectError, names,
    source, tables,
};
use crate::Language;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

/// Finds or compiles a subject.
///
/// Compilers run here, under their limits; nothing of the subject does.
///
/// # Errors
/// Every kind of [`SubjectError`] but [`SubjectError::Spec`].
pub fn prepare(spec: &Spec, request: &Request) -> Result<Subject, SubjectError> {
    match spec {
        Spec::C { path, symbol } => from_source(spec, Language::C, path, symbol.as_deref(), request),
        Spec::Rust { path, symbol } => from_source(spec, Language::Rust, path, symbol.as_deref(), request),
        Spec::Library { path, symbol } => from_library(spec, path, symbol, request),
        Spec::Libm { symbol } => {
            let (library, element, arity) = of_system(spec, &libraries::LIBM, symbol, Isa::Scalar, request)?;
            let exported = symbol.clone();
            Ok(in_library(spec, library, exported, Signature { element, arity, shape: Shape::Scalar }))
        }
        Spec::Libmvec { symbol, isa } => {
            let isa = isa.unwrap_or(Isa::Sse);
            let (library, element, arity) = of_system(spec, &libraries::LIBMVEC, symbol, isa, request)?;
            let exported = exported(spec, symbol, element, arity, isa);
            Ok(in_library(spec, library, exported, Signature { element, arity, shape: shape(isa) }))
        }
        Spec::Sleef { symbol, isa } => {
            let isa = isa.unwrap_or(Isa::Scalar);
            let (library, element, arity) = of_system(spec, &libraries::SLEEF, symbol, isa, request)?;
            let exported = exported(spec, symbol, element, arity, isa);
            Ok(in_library(spec, library, exported, Signature { element, arity, shape: shape(isa) }))
        }
        Spec::CoreMath { symbol } => {
            let target = Target::CoreMath { symbol: symbol.clone() };
            from_crate(spec, "core-math", tables::CORE_MATH_VERSION, tables::CORE_MATH, symbol, target, request)
        }
        Spec::LibmCrate { symbol } => {
            let target = Target::LibmCrate { symbol: symbol.clone() };
            from_crate(spec, "libm", tables::LIBM_VERSION, tables::LIBM, symbol, target, request)
        }
    }
}

/// The function of one `f32` that a subject of a crate names: it is linked into this program and can be called here.
/// `None` for every other subject, and for names that the crate does not have.
pub fn crate_function(spec: &Spec) -> Option<fn(f32) -> f32> {
    let (table, symbol) = match spec {
        Spec::CoreMath { symbol } => (tables::CORE_MATH, symbol),
        Spec::LibmCrate { symbol } => (tables::LIBM, symbol),
        _ => return None,
    };
    match tables::find(table, symbol)?.0 {
        super::call::Function::RustF32(function) => Some(function),
        _ => None,
    }
}

/// The exported name of a function of a library of the system.
fn exported(spec: &Spec, name: &str, element: Element, arity: u8, isa: Isa) -> String {
    let mangled = match spec {
        Spec::Libmvec { .. } => libraries::mangled(name, element, arity, isa),
        Spec::Sleef { .. } => libraries::sleef(name, element, isa),
        _ => None,
    };
    mangled.unwrap_or_else(|| name.into())
}

/// The function's name as the exported symbol carries it, for those of a library that have a type that can be measured.
fn measurable<'a>(spec: &Spec, symbol: &'a str, isa: Isa) -> Option<&'a str> {
    let name = match spec {
        Spec::Libmvec { .. } => libraries::demangled(symbol).filter(|d| d.3 == isa)?.0,
        Spec::Sleef { .. } => symbol.strip_prefix("Sleef_")?,
        _ => symbol,
    };
    names::signature(names::split_bound(name).0).map(|_| name)
}

fn shape(isa: Isa) -> Shape {
    if isa == Isa::Scalar { Shape::Scalar } else { Shape::Vector(isa) }
}

/// A library of the system that has the function, and the function's type.
fn of_system(
    spec: &Spec,
    system: &SystemLibrary,
    name: &str,
    isa: Isa,
    request: &Request,
) -> Result<(LibraryFile, Element, u8), SubjectError> {
    let text = spec.to_string();
    need(&text, isa)?;
    let library = system.find(&text)?;
    // Only SLEEF writes the bound of the error into the name.
    let base = if matches!(spec, Spec::Sleef { .. }) { names::split_bound(name).0 } else { name };
    let known = names::signature(base);
    let symbol = known.map_or_else(|| name.into(), |(element, arity)| exported(spec, name, element, arity, isa));
    // What has a type that cannot be measured is no missing name: the message below says so.
    let present = library.has(&symbol) || known.is_none() && library.has(&format!("Sleef_{name}"));
    if !present {
        let near = names::near(name, library.functions.iter().filter_map(|s| measurable(spec, s, isa)));
        let help = format!("look at the library's names with `nm -D {}`", library.path.display());
        let place = format!("{} ({})", system.name, library.path.display());
        return Err(SubjectError::NoSymbol { symbol: name.into(), place, near, help });
    }
    let Some((element, arity)) = known else {
        let what = format!("`{name}` is not known as a function of one or two arguments of its result's type");
        let help =
            format!("if it is one, write {} --symbol {symbol}, and its type with --type", library.path.display());
        return Err(SubjectError::Signature { subject: text, what, help });
    };
    fits(spec, base, element, arity, request)?;
    Ok((library, element, arity))
}

/// Refuses an instruction set that this processor lacks.
fn need(subject: &str, isa: Isa) -> Result<(), SubjectError> {
    if isa.available() {
        return Ok(());
    }
    let present: Vec<String> =
        Isa::VECTORS.iter().filter(|i| i.available()).map(|i| format!("@{}", i.name())).collect();
    let help = match present.as_slice() {
        [] => "vector functions are called on x86-64 only; measure the scalar one".into(),
        present => format!("this processor has {}", present.join(", ")),
    };
    let what = format!("this processor cannot run {isa} code");
    Err(SubjectError::Machine { subject: subject.into(), what, help })
}

/// Checks type and arguments against the question.
fn fits(spec: &Spec, name: &str, element: Element, arity: u8, request: &Request) -> Result<(), SubjectError> {
    let refuse = |what, help| Err(SubjectError::Signature { subject: spec.to_string(), what, help });
    if let Some(asked) = request.element.filter(|&asked| asked != element) {
        let what = format!("`{name}` computes in {}, the question is about {}", element.name(), asked.name());
        let text = spec.to_string();
        let other = names::other_precision(name).filter(|_| asked != Element::U16);
        let written = other.map(|other| format!("write `{}`, or ", text.replacen(name, &other, 1))).unwrap_or_default();
        return refuse(what, format!("{written}ask with --type {}", element.name()));
    }
    if arity != request.arity {
        let count = |n: u8| if n == 1 { "1 argument".to_string() } else { format!("{n} arguments") };
        let what = format!("`{name}` takes {}", count(arity));
        let help = format!(
            "write a reference of {arity} variable{}, not {}",
            if arity == 1 { "" } else { "s" },
            request.arity
        );
        return refuse(what, help);
    }
    Ok(())
}

/// A subject that is an exported function.
fn in_library(spec: &Spec, library: LibraryFile, symbol: String, signature: Signature) -> Subject {
    let isa = if let Shape::Vector(isa) = signature.shape { isa } else { Isa::Scalar };
    let Signature { element, arity, .. } = signature;
    let target = Target::Symbol { library: library.path.clone(), symbol: symbol.clone(), element, arity, isa };
    let origin = Origin {
        spec: spec.clone(),
        symbol,
        file: Some(library.path),
        hash: library.hash,
        compiler: None,
        flags: Vec::new(),
    };
    existing(signature, origin, target)
}

/// A function of a library that a person names. Its type is the question's, unless its name says more.
fn from_library(spec: &Spec, path: &Path, symbol: &str, request: &Request) -> Result<Subject, SubjectError> {
    let library = LibraryFile::read(path)?;
    if !library.has(symbol) {
        let near = names::near(symbol, library.functions.iter().map(String::as_str));
        let help = format!("look at the library's names with `nm -D {}`", path.display());
        return Err(SubjectError::NoSymbol { symbol: symbol.into(), place: path.display().to_string(), near, help });
    }
    let (element, arity, isa) = match (libraries::demangled(symbol), names::signature(symbol)) {
        (Some((_, element, arity, isa)), _) => (element, arity, isa),
        (None, Some((element, arity))) => (element, arity, Isa::Scalar),
        (None, None) => (request.element.unwrap_or(Element::F32), request.arity, Isa::Scalar),
    };
    need(&spec.to_string(), isa)?;
    fits(spec, symbol, element, arity, request)?;
    Ok(in_library(spec, library, symbol.into(), Signature { element, arity, shape: shape(isa) }))
}

/// A function of a crate that is linked in.
fn from_crate(
    spec: &Spec,
    name: &str,
    version: &str,
    table: &[(&str, super::call::Function)],
    symbol: &str,
    target: Target,
    request: &Request,
) -> Result<Subject, SubjectError> {
    let Some((_, signature)) = tables::find(table, symbol) else {
        let near = names::near(symbol, table.iter().map(|(known, _)| *known));
        let place = format!("the crate {name} {version}");
        let help = "functions of one or two arguments are there under their names in C, as in `expf`".into();
        return Err(SubjectError::NoSymbol { symbol: symbol.into(), place, near, help });
    };
    fits(spec, symbol, signature.element, signature.arity, request)?;
    let origin = Origin {
        spec: spec.clone(),
        symbol: symbol.into(),
        file: None,
        hash: format!("{name} {version}"),
        compiler: None,
        flags: if matches!(spec, Spec::CoreMath { .. }) { vec![tables::core_math_level()] } else { Vec::new() },
    };
    Ok(existing(signature, origin, target))
}

/// A function of a source file, compiled into a folder of its own.
fn from_source(
    spec: &Spec,
    language: Language,
    path: &Path,
    symbol: Option<&str>,
    request: &Request,
) -> Result<Subject, SubjectError> {
    let unreadable = |e: std::io::Error| SubjectError::File {
        path: path.into(),
        what: format!("cannot be read: {e}"),
        help: "name a source file that exists".into(),
    };
    let text = std::fs::read(path).map_err(unreadable)?;
    let no_folder = |e: std::io::Error| SubjectError::Machine {
        subject: spec.to_string(),
        what: format!("cannot create a folder in {}: {e}", std::env::temp_dir().display()),
        help: "set TMPDIR to a folder that can be written".into(),
    };
    let folder = TempDir::with_prefix("mathsmith-").map_err(no_folder)?;
    let Request { element, arity, compiler, ref cflags, output_first } = *request;
    let asked = SourceRequest {
        path,
        language,
        symbol,
        element,
        arity,
        compiler,
        cflags: cflags.as_deref(),
        output_first,
        folder: folder.path(),
    };
    let BuiltSource { library, symbol, signature, compiler, flags, command, warnings, notes } = source::build(&asked)?;
    let target = Target::Block { library, element: signature.element, arity: signature.arity };
    let origin = Origin {
        spec: spec.clone(),
        symbol,
        file: Some(path.into()),
        hash: libraries::sha256(&text),
        compiler: Some(compiler),
        flags,
    };
    let folder = Some(Arc::new(folder));
    Ok(Subject { signature, origin, warnings, command: Some(command), notes, target, _folder: folder })
}

/// A subject that was not built here.
fn existing(signature: Signature, origin: Origin, target: Target) -> Subject {
    Subject { signature, origin, warnings: String::new(), command: None, notes: Vec::new(), target, _folder: None }
}
