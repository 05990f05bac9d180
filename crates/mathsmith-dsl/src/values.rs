//! The values that settings take, and how each is read from text. Spans of the diagnostics here start at the value.

use crate::diagnostic::quote;
use crate::lines;
use crate::parse::parse_constant;
use crate::suggest::nearest;
use crate::{Code, Diagnostic, Expr, OpName, Span, parse_domain, parse_expr};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;

macro_rules! choice {
    ($(#[$meta:meta])* $name:ident ($what:literal) { $($(#[$doc:meta])* $variant:ident $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $text)] $variant,)*
        }

        impl $name {
            /// Every choice, in declaration order.
            pub const ALL: &[$name] = &[$($name::$variant),*];

            /// How it is written.
            pub fn name(self) -> &'static str {
                match self {
                    $($name::$variant => $text,)*
                }
            }

            /// The choice that `text` names.
            ///
            /// # Errors
            ///
            /// A diagnostic over the whole of `text` that names the choices.
            pub fn parse(text: &str) -> Result<$name, Diagnostic> {
                let found = $name::ALL.iter().copied().find(|choice| choice.name() == text);
                found.ok_or_else(|| not_a_choice(text, $what, $name::ALL.iter().map(|choice| choice.name())))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

choice! {
    /// A number format.
    Format ("number format") {
        /// Real numbers without rounding.
        Real "real",
        /// IEEE 754 binary32.
        F32 "f32",
        /// IEEE 754 binary64.
        F64 "f64",
        /// IEEE 754 binary16.
        F16 "f16",
        /// bfloat16: the upper half of a binary32.
        BF16 "bf16",
    }
}

choice! {
    /// Whether programs may use fused multiply-add.
    Variant ("variant") {
        /// For machines that have it.
        Fma "fma",
        /// For machines that have not.
        Plain "plain",
        /// A program for each.
        Both "both",
    }
}

choice! {
    /// What makes a program cheap.
    Minimize ("cost") {
        /// Number of operations.
        Ops "ops",
        /// Modelled reciprocal throughput.
        Throughput "throughput",
        /// Modelled latency.
        Latency "latency",
        /// Bytes of code and constants.
        Size "size",
    }
}

choice! {
    /// How an error is measured.
    BoundKind ("error measure") {
        /// In units in the last place of the real value.
        MaxUlp "max-ulp",
        /// Relative to the real value.
        MaxRel "max-rel",
        /// Absolute.
        MaxAbs "max-abs",
    }
}

/// The largest error allowed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bound {
    /// How it is measured.
    pub kind: BoundKind,
    /// Its value: positive and finite.
    pub value: f64,
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if (1e-4..1e6).contains(&self.value) {
            write!(f, "{} {}", self.kind, self.value)
        } else {
            write!(f, "{} {:e}", self.kind, self.value)
        }
    }
}

/// Range reduction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reduce {
    /// Chosen by the search.
    Auto,
    /// None: the program works on the whole domain.
    None,
    /// The one of this name.
    Named(String),
}

impl Reduce {
    pub(crate) fn parse(text: &str) -> Result<Reduce, Diagnostic> {
        Ok(match word(text)?.as_str() {
            "auto" => Reduce::Auto,
            "none" => Reduce::None,
            name => Reduce::Named(name.to_string()),
        })
    }
}

impl fmt::Display for Reduce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reduce::Auto => "auto",
            Reduce::None => "none",
            Reduce::Named(name) => name,
        })
    }
}

pub(crate) fn shift(error: Diagnostic, by: usize) -> Diagnostic {
    error.shifted(Span::new(by, by).start)
}

/// A constant with blanks around it.
pub(crate) fn constant(text: &str, infinity: bool) -> Result<Expr, Diagnostic> {
    parse_constant(text.trim(), infinity).map_err(|error| shift(error, text.len() - text.trim_start().len()))
}

fn not_a_choice<'a>(text: &str, what: &str, known: impl Iterator<Item = &'a str> + Clone) -> Diagnostic {
    let all = known.clone().collect::<Vec<_>>().join(", ");
    let help = match nearest(text, known) {
        Some(name) => format!("did you mean `{name}`? The choices are {all}"),
        None => format!("write one of {all}"),
    };
    let span = Span::new(0, text.len());
    Diagnostic::error(Code::Value, span, format!("{} is no {what}", quote(text)), "not one of the choices")
        .with_help(help)
}

/// A reference expression; blanks around it are dropped and line ends within it become blanks, so that its text fits
/// on one line of a file.
pub(crate) fn expression(text: &str) -> Result<Expr, Diagnostic> {
    let lead = text.len() - text.trim_start().len();
    let one_line = text.trim().replace(|c: char| c.is_ascii_whitespace(), " ");
    parse_expr(&one_line).map_err(|error| shift(error, lead))
}

/// A bound: a positive finite number, written as such or as `2^-24`.
pub(crate) fn positive(text: &str) -> Result<f64, Diagnostic> {
    let help = "write a positive number, as in `1`, `0.75`, `1e-9` or `2^-24`";
    let span = Span::new(0, text.len());
    let wrong = |why: &str| {
        let message = format!("{} is no bound: {why}", quote(text.trim()));
        Diagnostic::error(Code::Value, span, message, "not a bound").with_help(help)
    };
    let bare = text.trim().trim_start_matches(['-', '+']).to_ascii_lowercase();
    match bare.as_str() {
        "nan" => return Err(wrong("it is not a number")),
        "inf" | "infinity" => return Err(wrong("it must be finite")),
        _ => {}
    }
    let expr = constant(text, false)?;
    match expr.plain_f64() {
        Some(value) if value > 0.0 && value.is_finite() => Ok(value),
        Some(_) => Err(wrong("it must be above zero")),
        None => Err(wrong("it must be a plain number within the range of doubles")),
    }
}

/// A format that a program's `f32` results can be stored in.
pub(crate) fn judged_at(text: &str) -> Result<Format, Diagnostic> {
    let known = [Format::F32, Format::BF16, Format::F16];
    let found = Format::parse(text).ok().filter(|format| known.contains(format));
    found.ok_or_else(|| not_a_choice(text, "format to store results in", known.into_iter().map(Format::name)))
}

/// One domain for all variables, or one for each: `x:0..1,y:-1..1`.
pub(crate) fn domain(text: &str) -> Result<crate::Domain, Diagnostic> {
    if !text.contains(':') {
        return interval(text);
    }
    let mut each = crate::flags::domains(text, &["x", "y"])?.into_iter();
    let each = [each.next().flatten(), each.next().flatten()];
    let first = each.iter().flatten().next().cloned();
    let Some(first) = first else { return interval(text) };
    Ok(crate::Domain { source: text.trim().to_string(), each: Some(Box::new(each)), ..first })
}

pub(crate) fn interval(text: &str) -> Result<crate::Domain, Diagnostic> {
    let one_line = text.replace(|c: char| c.is_ascii_whitespace(), " ");
    parse_domain(&one_line)
}

pub(crate) fn operations(text: &str) -> Result<Vec<OpName>, Diagnostic> {
    let mut found: Vec<OpName> = Vec::new();
    for (name, span) in lines::words(text) {
        let op = OpName::parse(name, span)?;
        if found.contains(&op) {
            let message = format!("the operation {} is given twice", quote(name));
            return Err(Diagnostic::error(Code::Duplicate, span, message, "again here").with_help("keep one of them"));
        }
        found.push(op);
    }
    if found.is_empty() {
        return Err(empty_list(text, "operations", "add,sub,mul,div"));
    }
    Ok(found)
}

pub(crate) fn empty_list(text: &str, what: &str, example: &str) -> Diagnostic {
    let help = format!("write them as in `{example}`, or leave the setting out");
    let span = Span::new(0, text.len());
    Diagnostic::error(Code::Missing, span, format!("the list of {what} is empty"), "nothing here").with_help(help)
}

/// A whole number, which may also be written as `1e6` or `2^20`.
pub(crate) fn count(text: &str, least: u64, most: u64) -> Result<u64, Diagnostic> {
    lines::count(text, least, most).or_else(|error| {
        let fraction = constant(text, false).ok().and_then(|expr| expr.fraction());
        let whole = fraction.filter(|f| f.den == 1).and_then(|f| u64::try_from(f.num).ok());
        whole.filter(|n| (least..=most).contains(n)).ok_or(error)
    })
}

/// A length of time in milliseconds: a number with one of the units ms, s, m, h.
pub(crate) fn duration(text: &str) -> Result<u64, Diagnostic> {
    const LONGEST: f64 = 1000.0 * 3600.0 * 24.0 * 365.0;
    let wrong = |message: String, help: &str| {
        Diagnostic::error(Code::Value, Span::new(0, text.len()), message, "not a length of time").with_help(help)
    };
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = &text[number.len()..];
    let scale = match unit {
        "ms" => 1.0,
        "s" | "sec" => 1000.0,
        "m" | "min" => 60_000.0,
        "h" => 3_600_000.0,
        "" if lines::decimal(number).is_some() => {
            return Err(wrong(
                format!("{} has no unit", quote(text)),
                &format!("write `{text}s` for seconds, `{text}m` for minutes"),
            ));
        }
        _ => {
            return Err(wrong(
                format!("{} is no length of time", quote(text)),
                "write it as in `120s`, `2m`, `1.5h` or `500ms`",
            ));
        }
    };
    let Some(value) = lines::decimal(number.trim_end()) else {
        return Err(wrong(
            format!("{} is no length of time", quote(text)),
            "write it as in `120s`, `2m`, `1.5h` or `500ms`",
        ));
    };
    let milliseconds = (value * scale).round();
    if !(1.0..=LONGEST).contains(&milliseconds) {
        return Err(wrong(format!("{} is out of range", quote(text)), "write a time from 1ms to a year (8760h)"));
    }
    Ok(milliseconds as u64)
}

/// How a length of time is written into a file.
pub(crate) fn written_duration(milliseconds: u64) -> String {
    if milliseconds.is_multiple_of(1000) { format!("{}s", milliseconds / 1000) } else { format!("{milliseconds}ms") }
}

/// A name without blanks, such as a machine model's.
pub(crate) fn word(text: &str) -> Result<String, Diagnostic> {
    let shaped = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'+'));
    if shaped && !text.is_empty() && text.len() <= 64 {
        return Ok(text.to_string());
    }
    let help = "write one word of letters, digits, `-`, `_`, `.` and `+`";
    let span = Span::new(0, text.len());
    Err(Diagnostic::error(Code::Value, span, format!("{} is no name", quote(text)), "not a name").with_help(help))
}

/// A machine model: a name, or the path of a file, which holds a `/` or ends in `.toml`.
pub(crate) fn model(text: &str) -> Result<String, Diagnostic> {
    if text.contains(['/', '\\']) || text.ends_with(".toml") { path(text) } else { word(text) }
}

/// A path or a name of any kind.
pub(crate) fn path(text: &str) -> Result<String, Diagnostic> {
    if text.trim().is_empty() || text.contains('\0') {
        let span = Span::new(0, text.len());
        let message = format!("{} is no path", quote(text));
        return Err(
            Diagnostic::error(Code::Value, span, message, "not a path").with_help("write the path of a file or folder")
        );
    }
    Ok(text.to_string())
}

/// Words that C, C++ or Rust reserve and that have the shape of a name.
const RESERVED: &[&str] = &[
    "abstract",
    "alignas",
    "alignof",
    "as",
    "asm",
    "async",
    "auto",
    "await",
    "become",
    "bool",
    "box",
    "break",
    "case",
    "catch",
    "char",
    "class",
    "const",
    "constexpr",
    "continue",
    "crate",
    "default",
    "delete",
    "do",
    "double",
    "dyn",
    "else",
    "enum",
    "explicit",
    "extern",
    "false",
    "final",
    "float",
    "fn",
    "for",
    "friend",
    "gen",
    "goto",
    "if",
    "impl",
    "in",
    "inline",
    "int",
    "let",
    "long",
    "loop",
    "macro",
    "main",
    "match",
    "mod",
    "move",
    "mut",
    "namespace",
    "new",
    "noexcept",
    "nullptr",
    "operator",
    "override",
    "priv",
    "private",
    "protected",
    "pub",
    "public",
    "ref",
    "register",
    "restrict",
    "return",
    "self",
    "Self",
    "short",
    "signed",
    "sizeof",
    "static",
    "struct",
    "super",
    "switch",
    "template",
    "this",
    "throw",
    "trait",
    "true",
    "try",
    "type",
    "typedef",
    "typename",
    "typeof",
    "union",
    "unsafe",
    "unsigned",
    "unsized",
    "use",
    "using",
    "virtual",
    "void",
    "volatile",
    "where",
    "while",
    "yield",
];

/// A name for the emitted function, valid in C and Rust.
pub(crate) fn identifier(text: &str) -> Result<String, Diagnostic> {
    let start = text.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    let shaped = start && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') && text.len() <= 64;
    let (why, help) = if !shaped {
        ("no name of a function", "write a letter, then letters, digits and `_`, 64 at most")
    } else if RESERVED.contains(&text) {
        ("a word of C or Rust, not a free name", "choose another, such as one that ends in `_f32`")
    } else if text.starts_with('_') {
        ("reserved: C keeps names that begin with `_` for itself", "begin the name with a letter")
    } else {
        return Ok(text.to_string());
    };
    let span = Span::new(0, text.len());
    Err(Diagnostic::error(Code::Value, span, format!("{} is {why}", quote(text)), "not usable").with_help(help))
}

/// `true` (also the empty text: the bare key or flag) or `false`.
pub(crate) fn switch(text: &str) -> Result<bool, Diagnostic> {
    match text {
        "" | "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(not_a_choice(text, "truth value", ["true", "false"].into_iter())),
    }
}

macro_rules! serde_as_text {
    ($($ty:ty => $parse:expr;)*) => {$(
        impl Serialize for $ty {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $ty {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$ty, D::Error> {
                let text = String::deserialize(deserializer)?;
                $parse(&text).map_err(de::Error::custom)
            }
        }
    )*};
}

serde_as_text! {
    crate::Domain => domain;
    crate::Requirement => crate::Requirement::parse;
    Reduce => Reduce::parse;
}

/// An expression that may be missing, as its text.
pub(crate) mod optional_expression_text {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(expr: &Option<Expr>, serializer: S) -> Result<S::Ok, S::Error> {
        expr.as_ref().map(|expr| &expr.source).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Expr>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| expression(&text).map_err(de::Error::custom)).transpose()
    }
}

/// A reference expression as its text.
pub(crate) mod expression_text {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(expr: &Expr, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&expr.source)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Expr, D::Error> {
        expression(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}
