//! Subjects given as source files: compiled as they are, with a wrapper that cannot change a bit.
//!
//! [`build`] compiles a C or a Rust file with the flags given and links a shared library that exports one function,
//! [`BLOCK_SYMBOL`](super::BLOCK_SYMBOL), whatever the type of the subject. The type is found by the compiler, never
//! guessed from the text: [`c`] and [`rust`] say how, and why the wrapper leaves the subject's code alone. What they share
//! is here: which function is meant, whether it fits the question, and the messages when there is none.

mod c;
mod c_forms;
mod rust;
mod rust_forms;
pub(crate) mod symbols;

use super::{BuiltSource, Element, Signature, SourceRequest, SubjectError};
use crate::process::{Limits, Output, run_command};
use crate::{Language, NativeError, Tool, Toolchain};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;
use symbols::Defined;

/// The compilers of this machine; looking for them takes longer than a small compilation.
static TOOLCHAIN: LazyLock<Toolchain> = LazyLock::new(Toolchain::detect);

/// Time for one question to a compiler.
const QUESTION_TIMEOUT: Duration = Duration::from_secs(120);

/// What is compiled with if the request names no flags.
pub fn default_flags(language: Language) -> Vec<String> {
    match language {
        Language::C => c::DEFAULT_FLAGS.map(String::from).to_vec(),
        Language::Rust => rust::DEFAULT_FLAGS.map(String::from).to_vec(),
    }
}

/// Compiles a source file into a shared library that exports [`BLOCK_SYMBOL`](super::BLOCK_SYMBOL), with the compilers
/// that are in `PATH`.
///
/// Without a name the function is the only one that the file exports and that fits the question; if it exports none, the
/// only one of its own. In array functions `n` has to fit the type that they count with.
///
/// # Errors
/// [`SubjectError::File`] if the file cannot be read, does not link, or leaves open which function is meant;
/// [`SubjectError::NoSymbol`]; [`SubjectError::Signature`] for a type that cannot be measured or is another than the
/// question's; [`SubjectError::Native`] if a compiler is missing or refuses the file, with its own message.
pub fn build(request: &SourceRequest) -> Result<BuiltSource, SubjectError> {
    build_with(&TOOLCHAIN, request)
}

/// [`build`] with other compilers.
///
/// # Errors
/// As for [`build`].
pub fn build_with(toolchain: &Toolchain, request: &SourceRequest) -> Result<BuiltSource, SubjectError> {
    // The compilers' words for a missing file differ; ours say what to do.
    std::fs::File::open(request.path).map_err(|e| io(request.path, &e))?;
    if !request.path.is_file() {
        let (what, help) = ("is not a file".into(), "name a C or Rust source file".into());
        return Err(SubjectError::File { path: request.path.into(), what, help });
    }
    let flags = request.cflags.map_or_else(|| default_flags(request.language), <[String]>::to_vec);
    let compiled = match request.language {
        Language::C => c::build(request, toolchain, &flags)?,
        Language::Rust => rust::build(request, toolchain, &flags)?,
    };
    let Compiled { library, symbol, signature, tool, command, warnings, notes } = compiled;
    Ok(BuiltSource { library, symbol, signature, compiler: tool.version, flags, command, warnings, notes })
}

/// What the languages' builders hand back.
struct Compiled {
    library: PathBuf,
    symbol: String,
    signature: Signature,
    tool: Tool,
    command: String,
    warnings: String,
    notes: Vec<String>,
}

/// A function that may be the subject.
struct Candidate<F> {
    name: String,
    /// Reachable from outside the file.
    public: bool,
    /// The supported types that it has: one, or none; several if it is generic.
    forms: Vec<F>,
    /// Its type has parameters.
    generic: bool,
}

/// A type of function in one of the languages.
trait FunctionType: Copy {
    /// Its place in the record of a subject.
    fn signature(&self, output_first: bool) -> Signature;
}

/// The candidate that is meant.
struct Chosen<F> {
    index: usize,
    form: F,
}

/// Picks the function: the one that was named, or the only one that fits. `declared` asks the compiler for the type of a
/// function in its own words.
fn choose<F: FunctionType>(
    request: &SourceRequest,
    candidates: &[Candidate<F>],
    declared: &dyn Fn(&str) -> Option<String>,
    supported: &str,
) -> Result<Chosen<F>, SubjectError> {
    let fits = |&i: &usize| {
        let candidate = &candidates[i];
        !candidate.generic && candidate.forms.len() == 1 && misfit(request, &candidate.forms[0]).is_none()
    };
    // Helpers do not count where there is something to call from outside.
    let public = candidates.iter().any(|c| c.public);
    let considered: Vec<usize> = (0..candidates.len()).filter(|&i| candidates[i].public == public).collect();
    let fitting: Vec<usize> = considered.iter().copied().filter(fits).collect();
    let list = |which: &[usize]| {
        let names: Vec<String> = which.iter().map(|&i| format!("`{}`", candidates[i].name)).collect();
        names.join(", ")
    };
    let index = match (&fitting[..], &considered[..]) {
        (&[i], _) | (_, &[i]) => i,
        ([], []) => {
            return Err(SubjectError::File {
                path: request.path.into(),
                what: "defines no function that could be measured".into(),
                help: format!("generic functions are not counted; supported: {supported}"),
            });
        }
        ([], several) => {
            let types = several.iter().map(|&i| declared(&candidates[i].name));
            let lines =
                several.iter().zip(types).map(|(&i, ty)| format!("\n    {}", ty.unwrap_or(candidates[i].name.clone())));
            return Err(SubjectError::Signature {
                subject: path_text(request),
                what: format!(
                    "none of its functions fits the question ({}):{}",
                    question(request),
                    lines.collect::<String>()
                ),
                help: format!("supported: {supported}"),
            });
        }
        (several, _) => {
            return Err(SubjectError::File {
                path: request.path.into(),
                what: format!("defines several functions that fit: {}", list(several)),
                help: "name one: `--symbol NAME`".into(),
            });
        }
    };
    let candidate = &candidates[index];
    let subject = format!("`{}` in {}", candidate.name, path_text(request));
    let refuse = |what, help| Err(SubjectError::Signature { subject: subject.clone(), what, help });
    match &candidate.forms[..] {
        &[form] if !candidate.generic => match misfit(request, &form) {
            None => Ok(Chosen { index, form }),
            Some((what, help)) => refuse(what, help),
        },
        [] if !candidate.generic => {
            let ty = declared(&candidate.name).map_or("its type".into(), |ty| format!("the type `{ty}`"));
            refuse(format!("{ty} is none that can be measured"), format!("supported: {supported}"))
        }
        _ => refuse(
            "the function is generic, so it is one function for each type".into(),
            "write one that calls it with the type meant, like `pub fn f_f32(x: f32) -> f32 { f(x) }`".into(),
        ),
    }
}

/// What of a function's type is not what the question asks for, with the way out.
fn misfit<F: FunctionType>(request: &SourceRequest, form: &F) -> Option<(String, String)> {
    let signature = form.signature(request.output_first);
    match request.element {
        Some(wanted) if wanted != signature.element => {
            let (is, wanted) = (element_name(signature.element), element_name(wanted));
            return Some((
                format!("the function computes in {is}, the question asks for {wanted}"),
                match signature.element {
                    Element::U16 => "ask with `--type f16` or `--type bf16`, or name a function of another type".into(),
                    _ => format!("ask with `--type {is}`, or name a function of {wanted}"),
                },
            ));
        }
        _ => {}
    }
    if signature.arity != request.arity {
        let count = |n: u8| if n == 1 { "one argument".to_string() } else { "two arguments".to_string() };
        return Some((
            format!("the function takes {}, the question has {}", count(signature.arity), count(request.arity)),
            format!(
                "write the reference with {} variable{}",
                signature.arity,
                if signature.arity == 1 { "" } else { "s" }
            ),
        ));
    }
    None
}

/// What is asked for, in words.
fn question(request: &SourceRequest) -> String {
    let element = request.element.map_or("any element type", element_name);
    format!("{element}, {}", if request.arity == 1 { "one argument" } else { "two arguments" })
}

fn element_name(element: Element) -> &'static str {
    match element {
        Element::F32 => "f32",
        Element::F64 => "f64",
        Element::U16 => "16 bits",
    }
}

/// The error for a name that is not in the file.
fn no_symbol(request: &SourceRequest, symbol: &str, known: &[String]) -> SubjectError {
    let near = symbols::near(symbol, known.iter().map(String::as_str));
    let help = match known {
        [] => "the file defines no function".into(),
        names => {
            let shown: Vec<String> = names.iter().take(12).map(|n| format!("`{n}`")).collect();
            let rest = if names.len() > 12 { format!(" and {} more", names.len() - 12) } else { String::new() };
            format!("the file defines {}{rest}", shown.join(", "))
        }
    };
    SubjectError::NoSymbol { symbol: symbol.into(), place: path_text(request), near, help }
}

/// What was assumed of an array function whose type leaves the order open.
fn order_note(open: bool, output_first: bool) -> Option<String> {
    open.then(|| match output_first {
        true => "the type does not tell inputs from the result: the result is the first array, as asked for".into(),
        false => "the type does not tell inputs from the result: the result is taken to be the last array (make the \
                  inputs `const`, or say that the output comes first)"
            .into(),
    })
}

fn names_of(functions: &[Defined]) -> Vec<String> {
    functions.iter().map(|d| d.name.clone()).collect()
}

fn path_text(request: &SourceRequest) -> String {
    request.path.display().to_string()
}

/// Runs a compiler whose refusal is an answer too.
fn ask(command: Command) -> Result<Output, NativeError> {
    run_command(command, Vec::new(), Limits::within(QUESTION_TIMEOUT))
}

/// The error for a file that cannot be read or written.
fn io(path: &Path, cause: &std::io::Error) -> SubjectError {
    let help = match cause.kind() {
        std::io::ErrorKind::NotFound => "check the path",
        _ => "check its permissions and the space that is left",
    };
    SubjectError::File { path: path.into(), what: cause.to_string(), help: help.into() }
}
