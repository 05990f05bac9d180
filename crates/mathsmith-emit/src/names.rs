//! Identifiers.

use crate::{EmitError, Lang};
use mathsmith_ir::Program;

const RUST_WORDS: &[&str] = &[
    "Self", "abstract", "as", "async", "await", "become", "bool", "box", "break", "char", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "f32", "f64", "false", "final", "fn", "for", "gen", "i32", "i64", "if",
    "impl", "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return",
    "self", "static", "struct", "super", "trait", "true", "try", "type", "typeof", "u32", "u64", "unsafe", "unsized",
    "use", "usize", "virtual", "where", "while", "yield",
];

const C_WORDS: &[&str] = &[
    "alignas",
    "alignof",
    "asm",
    "auto",
    "bool",
    "break",
    "case",
    "char",
    "const",
    "constexpr",
    "continue",
    "default",
    "do",
    "double",
    "else",
    "enum",
    "extern",
    "false",
    "float",
    "for",
    "goto",
    "if",
    "inline",
    "int",
    "int32_t",
    "int64_t",
    "long",
    "main",
    "nullptr",
    "register",
    "restrict",
    "return",
    "short",
    "signed",
    "sizeof",
    "static",
    "static_assert",
    "struct",
    "switch",
    "thread_local",
    "true",
    "typedef",
    "typeof",
    "uint32_t",
    "uint64_t",
    "union",
    "unsigned",
    "void",
    "volatile",
    "while",
    // Macros and functions that the emitted code itself uses from the standard headers.
    "INFINITY",
    "NAN",
    "INT32_MAX",
    "INT32_MIN",
    "INT64_MAX",
    "INT64_MIN",
    "ceil",
    "ceilf",
    "copysign",
    "copysignf",
    "fabs",
    "fabsf",
    "floor",
    "floorf",
    "fma",
    "fmaf",
    "memcpy",
    "rint",
    "rintf",
    "sqrt",
    "sqrtf",
    "trunc",
    "truncf",
];

fn words(lang: Lang) -> &'static [&'static str] {
    match lang {
        Lang::Rust => RUST_WORDS,
        Lang::C => C_WORDS,
    }
}

fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
        && name != "_"
}

/// Functions of C's mathematical library (with those of common systems), each also with an `f` or `l` behind it. A
/// compiler may take a call to one of these for its own.
const C_MATHEMATICS: &[&str] = &[
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cbrt",
    "ceil",
    "copysign",
    "cos",
    "cosh",
    "drem",
    "erf",
    "erfc",
    "exp",
    "exp10",
    "exp2",
    "expm1",
    "fabs",
    "fdim",
    "finite",
    "floor",
    "fma",
    "fmax",
    "fmin",
    "fmod",
    "frexp",
    "gamma",
    "hypot",
    "ilogb",
    "isinf",
    "isnan",
    "j0",
    "j1",
    "jn",
    "ldexp",
    "lgamma",
    "llrint",
    "llround",
    "log",
    "log10",
    "log1p",
    "log2",
    "logb",
    "lrint",
    "lround",
    "modf",
    "nan",
    "nearbyint",
    "nextafter",
    "nexttoward",
    "pow",
    "pow10",
    "remainder",
    "remquo",
    "rint",
    "round",
    "roundeven",
    "scalb",
    "scalbln",
    "scalbn",
    "significand",
    "sin",
    "sincos",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
    "tgamma",
    "trunc",
    "y0",
    "y1",
    "yn",
];

/// Other functions that the headers of an emitted file or of its test declare.
const C_LIBRARY: &[&str] = &[
    "abs", "abort", "atexit", "atof", "atoi", "calloc", "clock", "div", "exit", "fclose", "fopen", "fprintf", "fputs",
    "fread", "free", "fwrite", "getc", "getenv", "labs", "llabs", "malloc", "memchr", "memcmp", "memcpy", "memmove",
    "memset", "perror", "printf", "putc", "putchar", "puts", "qsort", "rand", "random", "realloc", "remove", "rename",
    "scanf", "signgam", "sprintf", "srand", "stderr", "stdin", "stdout", "strcmp", "strcpy", "strlen", "system",
    "time",
];

fn is_c_library(name: &str) -> bool {
    let base = name.strip_suffix(['f', 'l']).unwrap_or(name);
    C_LIBRARY.contains(&name) || C_MATHEMATICS.contains(&name) || C_MATHEMATICS.contains(&base)
}

/// Whether `name` can name a function in a language.
///
/// # Errors
/// [`EmitError::Name`] with the reason.
pub fn check(name: &str, lang: Lang) -> Result<(), EmitError> {
    let why = if !is_identifier(name) {
        "letters, digits and underscores only, not beginning with a digit"
    } else if words(lang).contains(&name) {
        "the language or its library uses the word"
    } else if lang == Lang::C && is_c_library(name) {
        "the C library has a function of this name"
    } else if name.starts_with("proof_") || name.starts_with("PROOF_") {
        "names of the emitted test begin so"
    } else if lang == Lang::C && name.starts_with('_') {
        "names with a leading underscore are reserved"
    } else {
        return Ok(());
    };
    Err(EmitError::Name { name: name.to_owned(), lang: lang.name(), why })
}

/// Names of a program's inputs: its own where they are usable, `x0`, `x1`, … otherwise.
pub(crate) fn inputs(program: &Program, function: &str, lang: Lang) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for (i, input) in program.inputs().iter().enumerate() {
        let n = &input.name;
        // `t1`, `out1`, `table1` name intermediate values, results and tables.
        let ours = ["t", "out", "table", "TABLE", "x"]
            .iter()
            .any(|p| n.strip_prefix(p).is_some_and(|d| !d.is_empty() && d.bytes().all(|b| b.is_ascii_digit())));
        let usable = is_identifier(n)
            && !words(lang).contains(&n.as_str())
            && !ours
            && !n.starts_with(function)
            && !n.starts_with('_')
            && !n.contains("_f32")
            && !n.contains("_f64")
            && !out.contains(n);
        out.push(if usable { n.clone() } else { format!("x{i}") });
    }
    out
}
