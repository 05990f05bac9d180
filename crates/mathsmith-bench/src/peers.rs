//! Who else computes the same function: everything that is found on this machine.

use crate::host::{Code, Entrant};
use crate::record::Missing;
use crate::run::NO_ERRNO;
use crate::{compose, loops};
use mathsmith_dsl::Expr;
use mathsmith_native::subject::{self, Isa, Origin, Request, Shape, Spec, Subject};
use mathsmith_native::{Compiler, Language, Tool, Toolchain};
use std::path::{Path, PathBuf};

/// A library that peers come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// glibc's scalar function, called in a loop.
    Libm,
    /// glibc's vector functions.
    Libmvec,
    /// SLEEF.
    Sleef,
    /// The core-math crate.
    CoreMath,
    /// The libm crate.
    LibmCrate,
    /// The reference as an expression of a library's functions.
    Composed,
}

impl Family {
    /// All, in the order of tables.
    pub const ALL: [Family; 6] =
        [Family::Libm, Family::Libmvec, Family::Sleef, Family::CoreMath, Family::LibmCrate, Family::Composed];

    /// As written in `--peers`.
    pub fn name(self) -> &'static str {
        match self {
            Family::Libm => "libm",
            Family::Libmvec => "libmvec",
            Family::Sleef => "sleef",
            Family::CoreMath => "core-math",
            Family::LibmCrate => "libm-crate",
            Family::Composed => "composed",
        }
    }
}

/// How a contestant's error is found out.
#[derive(Clone, Debug)]
pub enum Judged {
    /// As this subject of a measurement.
    Spec(Spec),
    /// A function of the library that was compiled for the timing.
    Compiled(&'static str),
    /// A C or Rust file, compiled alone with the same compiler and flags.
    Source(Spec),
}

/// Something that can be timed once it is compiled.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Its name in tables.
    pub name: String,
    /// What is compiled; `None` for a function of this program.
    pub source: Option<Source>,
    /// A function of this program.
    pub function: Option<Spec>,
    /// Elements of a call.
    pub lanes: u32,
    /// Whether it works on vectors by itself.
    pub vector: bool,
    /// Whether it has a chain.
    pub latency: bool,
    /// How its error is found out.
    pub judged: Judged,
    /// What else is to be said.
    pub notes: Vec<String>,
}

/// Source that is compiled for a timing.
#[derive(Clone, Debug)]
pub struct Source {
    /// The text.
    pub text: String,
    /// The compiler.
    pub compiler: Compiler,
    /// Its flags.
    pub flags: Vec<String>,
    /// Libraries that it calls.
    pub libraries: Vec<PathBuf>,
}

impl Candidate {
    /// The contestant, given the library that was compiled from its source.
    pub fn entrant(&self, library: Option<PathBuf>) -> Option<Entrant> {
        let code = match (&self.function, library) {
            (Some(spec), _) => Code::Crate(spec.clone()),
            (None, Some(library)) => Code::Library(library),
            (None, None) => return None,
        };
        Some(Entrant { code, lanes: self.lanes, latency: self.latency })
    }
}

/// Flags for loops around functions that are compiled already.
fn loop_flags() -> Vec<String> {
    ["-O3", "-march=native"].map(String::from).into()
}

/// What is looked for, and with what.
pub struct Search<'a> {
    /// The reference's name in C for doubles, if it is a function of C.
    pub function: Option<&'a str>,
    /// The reference.
    pub expr: &'a Expr,
    /// Which libraries.
    pub families: &'a [Family],
    /// The compilers of this machine.
    pub toolchain: &'a Toolchain,
    /// A folder for files.
    pub folder: &'a Path,
}

impl Search<'_> {
    /// Every peer of those libraries, and what is not there.
    pub fn all(&self) -> (Vec<Candidate>, Vec<Missing>) {
        let (mut found, mut missing) = (Vec::new(), Vec::new());
        let compiler = match self.toolchain.require_c() {
            Ok(tool) => Some(tool.compiler),
            Err(e) => {
                missing.push(Missing { what: "peers in C".into(), why: e.to_string() });
                None
            }
        };
        for &family in self.families {
            if family == Family::Composed {
                self.composed(compiler, &mut found, &mut missing);
            } else if let Some(function) = self.function {
                self.named(family, &format!("{function}f"), compiler, &mut found, &mut missing);
            }
        }
        (found, missing)
    }

    fn named(
        &self,
        family: Family,
        name: &str,
        compiler: Option<Compiler>,
        found: &mut Vec<Candidate>,
        missing: &mut Vec<Missing>,
    ) {
        let texts: Vec<String> = match family {
            Family::Sleef => ["u05", "u10", "u15", "u35"].iter().map(|u| format!("sleef:{name}_{u}")).collect(),
            _ => vec![format!("{}:{name}", family.name())],
        };
        let mut why = String::new();
        let before = found.len();
        for text in texts {
            let specs = match Spec::parse(&text, None) {
                Ok(specs) => specs,
                Err(e) => {
                    why = e.to_string();
                    continue;
                }
            };
            for spec in specs {
                match prepared(&spec).and_then(|subject| candidate(&subject, compiler)) {
                    Ok(candidate) => found.push(candidate),
                    Err(e) => why = e,
                }
            }
        }
        if found.len() == before {
            missing.push(Missing { what: format!("{} {name}", family.name()), why: first_line(&why) });
        }
    }

    /// The reference as an expression, with glibc's functions in a loop, and with SLEEF's at every width.
    fn composed(&self, compiler: Option<Compiler>, found: &mut Vec<Candidate>, missing: &mut Vec<Missing>) {
        let Some(compiler) = compiler.filter(|_| !compose::is_single_call(self.expr)) else { return };
        let libm = compose::body(self.expr, &|name| {
            let spec = Spec::Libm { symbol: format!("{name}f") };
            let arities = [1, 2].into_iter();
            let there = |arity| subject::prepare(&spec, &Request { arity, ..Request::default() }).is_ok();
            arities.into_iter().any(there).then(|| format!("{name}f"))
        });
        match libm.and_then(|body| self.composed_scalar(&body, compiler)) {
            Ok(candidates) => found.extend(candidates),
            Err(why) => missing.push(Missing { what: format!("libm: {}", self.expr.source), why }),
        }
        let widths: Vec<Isa> = Isa::VECTORS.into_iter().filter(|isa| isa.available()).collect();
        let mut why = None;
        let before = found.len();
        for isa in widths {
            match self.composed_vector(isa, compiler) {
                Ok(candidate) => found.push(candidate),
                Err(e) => why = Some(e),
            }
        }
        if let (true, Some(why)) = (found.len() == before, why) {
            missing.push(Missing { what: format!("sleef: {}", self.expr.source), why });
        }
    }

    /// With the flags of other loops, and with those by which square roots become vectors.
    fn composed_scalar(&self, body: &str, compiler: Compiler) -> Result<Vec<Candidate>, String> {
        let path = self.folder.join("composed.c");
        std::fs::write(&path, loops::c_expression("composed", body)).map_err(|e| e.to_string())?;
        let text = loops::c_file(&path, "composed", Shape::Scalar);
        let candidate = |suffix: &str, more: &[&str]| Candidate {
            name: format!("libm: {}{suffix}", self.expr.source),
            source: Some(Source {
                text: text.clone(),
                compiler,
                flags: loop_flags().into_iter().chain(more.iter().map(|f| (*f).to_owned())).collect(),
                libraries: Vec::new(),
            }),
            function: None,
            lanes: 1,
            vector: false,
            latency: true,
            judged: Judged::Source(Spec::C { path: path.clone(), symbol: Some("composed".into()) }),
            notes: vec![format!("the reference as an expression with libm's functions: {body}")],
        };
        Ok(vec![candidate("", &[]), candidate(" no-errno", &NO_ERRNO)])
    }

    fn composed_vector(&self, isa: Isa, compiler: Compiler) -> Result<Candidate, String> {
        use std::cell::RefCell;
        let calls: RefCell<Vec<(String, u8)>> = RefCell::default();
        let libraries: RefCell<Vec<PathBuf>> = RefCell::default();
        let name = |name: &str| {
            // Of the versions of a function the most careful of those that all functions have.
            let bounds = ["_u10", "_u15", "_u05", ""];
            let tries = bounds.iter().flat_map(|bound| [1u8, 2].map(|arity| (bound, arity)));
            let mut prepared = tries.filter_map(|(bound, arity)| {
                let spec = Spec::Sleef { symbol: format!("{name}f{bound}"), isa: Some(isa) };
                let subject = subject::prepare(&spec, &Request { arity, ..Request::default() }).ok()?;
                Some((subject.origin, arity))
            });
            let (Origin { symbol, file, .. }, arity) = prepared.next()?;
            let mut calls = calls.borrow_mut();
            if !calls.iter().any(|(known, _)| *known == symbol) {
                calls.push((symbol.clone(), arity));
            }
            let mut libraries = libraries.borrow_mut();
            if let Some(file) = file.filter(|f| !libraries.contains(f)) {
                libraries.push(file);
            }
            Some(symbol)
        };
        let body = compose::body(self.expr, &name)?;
        let text = loops::c_expression_vector(&body, &calls.borrow(), isa);
        let notes = vec![format!("the reference as an expression with SLEEF's functions: {body}")];
        Ok(Candidate {
            name: format!("sleef: {} @{}", self.expr.source, isa.name()),
            source: Some(Source { text, compiler, flags: loops::vector_flags(isa), libraries: libraries.into_inner() }),
            function: None,
            lanes: loops::lanes(isa),
            vector: true,
            latency: true,
            judged: Judged::Compiled(loops::ONE_SYMBOL),
            notes,
        })
    }
}

/// A candidate for a subject that a person has named, or several where it names several widths.
///
/// # Errors
/// Why it cannot be timed.
pub fn given(text: &str, toolchain: &Toolchain, symbol: Option<&str>) -> Result<Vec<Candidate>, String> {
    let compiler = toolchain.require_c().map_err(|e| e.to_string())?.compiler;
    let specs = Spec::parse(text, symbol).map_err(|e| e.to_string())?;
    specs.iter().map(|spec| prepared(spec).and_then(|s| candidate(&s, Some(compiler)))).collect()
}

/// The subject, of one `float`.
fn prepared(spec: &Spec) -> Result<Subject, String> {
    let request = Request { element: Some(subject::Element::F32), ..Request::default() };
    subject::prepare(spec, &request).map_err(|e| e.to_string())
}

/// The candidate that a subject is; sources are compiled anew, in one unit with their loops.
fn candidate(subject: &Subject, compiler: Option<Compiler>) -> Result<Candidate, String> {
    let spec = &subject.origin.spec;
    let shape = subject.signature.shape;
    let isa = if let Shape::Vector(isa) = shape { isa } else { Isa::Scalar };
    if let Spec::CoreMath { .. } | Spec::LibmCrate { .. } = spec {
        let flags = subject.origin.flags.join(" ");
        let notes = if flags.is_empty() { Vec::new() } else { vec![format!("compiled into mathsmith with {flags}")] };
        return Ok(Candidate {
            name: spec.to_string(),
            source: None,
            function: Some(spec.clone()),
            lanes: 1,
            vector: false,
            latency: true,
            judged: Judged::Spec(spec.clone()),
            notes,
        });
    }
    let need = || compiler.ok_or_else(|| "there is no C compiler".to_owned());
    let symbol = &subject.origin.symbol;
    let library = || subject.origin.file.clone().into_iter().collect::<Vec<_>>();
    let (text, compiler, flags, libraries) = match (spec, shape) {
        (Spec::C { path, .. }, _) => {
            (loops::c_file(&absolute(path)?, symbol, shape), need()?, loop_flags(), Vec::new())
        }
        (Spec::Rust { path, .. }, _) => {
            let flags = ["-Copt-level=3", "-Ctarget-cpu=native"].map(String::from).to_vec();
            (loops::rust_file(&absolute(path)?, symbol, shape), Compiler::Rustc, flags, Vec::new())
        }
        (_, Shape::Vector(isa)) => (loops::c_library_vector(symbol, isa), need()?, loops::vector_flags(isa), library()),
        // The linker takes libm by itself, and its file may be a script.
        (Spec::Libm { .. }, _) => (loops::c_library(symbol), need()?, loop_flags(), Vec::new()),
        _ => (loops::c_library(symbol), need()?, loop_flags(), library()),
    };
    let judged = match spec {
        Spec::C { .. } | Spec::Rust { .. } => Judged::Source(spec.clone()),
        _ => Judged::Spec(spec.clone()),
    };
    Ok(Candidate {
        name: spec.to_string(),
        source: Some(Source { text, compiler, flags, libraries }),
        function: None,
        lanes: loops::lanes(isa),
        vector: !matches!(shape, Shape::Scalar),
        latency: !matches!(shape, Shape::Array { .. }),
        judged,
        notes: Vec::new(),
    })
}

/// A path that an `#include` from elsewhere finds.
pub fn absolute(path: &Path) -> Result<PathBuf, String> {
    path.canonicalize().map_err(|e| format!("{}: {e}", path.display()))
}

/// Own code: a file, compiled with one compiler and its flags.
///
/// # Errors
/// Why it cannot be timed.
pub fn own(
    name: String,
    path: &Path,
    symbol: Option<&str>,
    tool: &Tool,
    flags: &[String],
) -> Result<Candidate, String> {
    let language = if tool.compiler == Compiler::Rustc { Language::Rust } else { Language::C };
    let symbol = symbol.map(str::to_owned);
    let spec = match language {
        Language::Rust => Spec::Rust { path: path.into(), symbol },
        Language::C => Spec::C { path: path.into(), symbol },
    };
    let request = Request {
        element: Some(subject::Element::F32),
        compiler: (language == Language::C).then_some(tool.compiler),
        cflags: Some(flags.to_vec()),
        ..Request::default()
    };
    let subject = subject::prepare(&spec, &request).map_err(|e| e.to_string())?;
    let shape = subject.signature.shape;
    let path = absolute(path)?;
    let text = match language {
        Language::Rust => loops::rust_file(&path, &subject.origin.symbol, shape),
        Language::C => loops::c_file(&path, &subject.origin.symbol, shape),
    };
    Ok(Candidate {
        name,
        source: Some(Source { text, compiler: tool.compiler, flags: flags.to_vec(), libraries: Vec::new() }),
        function: None,
        lanes: 1,
        vector: matches!(shape, Shape::Array { .. }),
        latency: !matches!(shape, Shape::Array { .. }),
        judged: Judged::Source(spec),
        notes: Vec::new(),
    })
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(text: &str, function: Option<&str>) -> (Vec<Candidate>, Vec<Missing>) {
        let expr = mathsmith_dsl::parse_expr(text).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let toolchain = Toolchain::detect();
        let families = Family::ALL;
        Search { function, expr: &expr, families: &families, toolchain: &toolchain, folder: folder.path() }.all()
    }

    #[test]
    fn a_function_of_c_has_its_peers() {
        let (found, missing) = search("exp(x)", Some("exp"));
        let names: Vec<&str> = found.iter().map(|c| c.name.as_str()).collect();
        for name in ["libm:expf", "core-math:expf", "libm-crate:expf"] {
            assert!(names.contains(&name), "{names:?} {missing:?}");
        }
        assert!(!names.iter().any(|n| n.contains("exp(x)")), "a single call needs no composition: {names:?}");
    }

    #[test]
    fn an_expression_is_composed_and_what_is_not_there_is_said() {
        let (found, _) = search("1/(1 + exp(-x))", None);
        assert!(found.iter().any(|c| c.name == "libm: 1/(1 + exp(-x))" && !c.vector), "{found:?}");
        let (found, missing) = search("x*digamma(x)", None);
        assert!(found.is_empty() && missing.iter().any(|m| m.why.contains("digamma")), "{missing:?}");
    }
}
