//! What a problem file may say about the code in use that an answer has to beat: its error, its operations, its time.
//!
//! None of it steers a search. `mathsmith cases` holds the answer against it.

use crate::diagnostic::quote;
use crate::lines::{self, decimal};
use crate::values::{positive, shift};
use crate::{Bound, BoundKind, Code, Diagnostic, Span};
use std::fmt;

/// How the error of code in use is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// Measured on every input of the domain.
    Exhaustive,
    /// Measured on a sample: a lower bound.
    Sampled,
    /// Said by its authors.
    Claimed,
}

impl Evidence {
    /// Every kind, in the order of the manual.
    pub const ALL: [Evidence; 3] = [Evidence::Exhaustive, Evidence::Sampled, Evidence::Claimed];

    /// How it is written.
    pub fn name(self) -> &'static str {
        match self {
            Evidence::Exhaustive => "exhaustive",
            Evidence::Sampled => "sampled",
            Evidence::Claimed => "claimed",
        }
    }
}

/// Error of code in use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IncumbentError {
    /// The figure and its value.
    pub bound: Bound,
    /// How it is known.
    pub evidence: Evidence,
}

impl fmt::Display for IncumbentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.bound, self.evidence.name())
    }
}

/// So many operations of one kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Counted {
    /// How many: whole for operations; nanoseconds may have a fraction.
    pub count: f64,
    /// Name of the operation; who prices it knows the names.
    pub name: String,
}

impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.count, self.name)
    }
}

/// What is known of the code in use.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Incumbent {
    /// Its largest error on the domain.
    pub error: Option<IncumbentError>,
    /// Its operations.
    pub ops: Vec<Counted>,
    /// Its time in nanoseconds an element, on a machine that the manual names.
    pub time_ns: Option<f64>,
}

impl fmt::Display for Incumbent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(error) = &self.error {
            writeln!(f, "incumbent-error {error}")?;
        }
        if !self.ops.is_empty() {
            let list: Vec<String> = self.ops.iter().map(Counted::to_string).collect();
            writeln!(f, "incumbent-ops {}", list.join(", "))?;
        }
        if let Some(ns) = self.time_ns {
            writeln!(f, "incumbent-time {ns}")?;
        }
        Ok(())
    }
}

/// Reads an error such as `max-rel 8.77e-5 exhaustive`.
///
/// # Errors
/// A diagnostic whose spans point into `text`.
pub(crate) fn error(text: &str) -> Result<IncumbentError, Diagnostic> {
    let words = lines::words(text);
    let [(kind, kind_span), (value, value_span), (evidence, evidence_span)] = words[..] else {
        let message = format!("{} is no error of code in use", quote(text));
        let help = "write figure, value and how it is known, as in `max-rel 8.77e-5 exhaustive`";
        let whole = Span::new(0, text.len());
        return Err(Diagnostic::error(Code::Value, whole, message, "three words are needed").with_help(help));
    };
    let kind = BoundKind::parse(kind).map_err(|e| shift(e, kind_span.start as usize))?;
    let value = positive(value).map_err(|e| shift(e, value_span.start as usize))?;
    let Some(evidence) = Evidence::ALL.into_iter().find(|e| e.name() == evidence) else {
        let message = format!("{} does not say how the error is known", quote(evidence));
        let help = "write one of exhaustive, sampled, claimed";
        return Err(Diagnostic::error(Code::Value, evidence_span, message, "not one of the choices").with_help(help));
    };
    Ok(IncumbentError { bound: Bound { kind, value }, evidence })
}

/// Reads operations such as `3 fma, 1 max, 2 sub`.
///
/// # Errors
/// A diagnostic whose spans point into `text`.
pub(crate) fn operations(text: &str) -> Result<Vec<Counted>, Diagnostic> {
    let mut found: Vec<Counted> = Vec::new();
    for (item, span) in lines::items(text) {
        let fail = |code, message: String, label: &str| {
            let help = "write a count and a name for each, as in `3 fma, 1 max, 2 sub`";
            Err(Diagnostic::error(code, span, message, label).with_help(help))
        };
        let Some((count, name)) = item.split_once(char::is_whitespace).map(|(c, n)| (c, n.trim())) else {
            return fail(Code::Syntax, format!("{} is not a count and a name", quote(item)), "incomplete");
        };
        let shaped = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b':');
        if name.is_empty() || !name.bytes().all(shaped) {
            return fail(Code::Syntax, format!("{} is no name of an operation", quote(name)), "not a name");
        }
        let Some(count) = decimal(count).filter(|c| *c > 0.0 && *c <= 10_000.0) else {
            return fail(Code::Number, format!("{} is no count", quote(count)), "above 0, at most 10000");
        };
        if found.iter().any(|c| c.name == name) {
            return fail(Code::Duplicate, format!("{} is counted twice", quote(name)), "again here");
        }
        found.push(Counted { count, name: name.to_owned() });
    }
    if found.is_empty() {
        return Err(crate::values::empty_list(text, "operations", "3 fma, 1 max, 2 sub"));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_written_again() {
        for text in ["max-rel 0.0000877 exhaustive", "max-ulp 4.98 claimed", "max-abs 1e-7 sampled"] {
            let read = error(text).expect(text);
            assert_eq!(error(&read.to_string()), Ok(read), "{text}");
        }
        let ops = operations("3 fma,1  max, 0.51 ns:x6").expect("operations");
        assert_eq!(ops.iter().map(Counted::to_string).collect::<Vec<_>>(), ["3 fma", "1 max", "0.51 ns:x6"]);
    }

    #[test]
    fn refusals_name_the_place() {
        for (text, place) in [
            ("8.77e-5", "8.77e-5"),
            ("max-rel x exhaustive", "x"),
            ("rel 1 sampled", "rel"),
            ("max-ulp 1 guessed", "guessed"),
        ] {
            let d = error(text).expect_err(text);
            assert_eq!(d.labels[0].0.of(text), place, "{text}: {d}");
        }
        for (text, place) in [
            ("3 fma, max", "max"),
            ("3 fma, -1 max", "-1 max"),
            ("1 fma, 2 fma", "2 fma"),
            ("2 f/a", "2 f/a"),
            (" ", " "),
        ] {
            let d = operations(text).expect_err(text);
            assert_eq!(d.labels[0].0.of(text), place, "{text}: {d}");
        }
    }
}
