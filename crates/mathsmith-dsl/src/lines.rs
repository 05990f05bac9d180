//! The outer syntax that problem files and grammar files share: one `key value` a line.
//!
//! A `#` at the start of a line or after a blank begins a comment. A value that itself needs a ` #`, or blanks at its
//! ends, stands in double quotes, where `\"`, `\\`, `\n` and `\t` are understood. Expressions need no quotes, which is
//! why this is not TOML: the formula is what a person came to write, and it stays as on the command line.

use crate::diagnostic::quote;
use crate::lex::LONGEST_SOURCE;
use crate::{Code, Diagnostic, Span};
use std::borrow::Cow;
use std::ops::Range;

/// More errors than this are not collected.
pub(crate) const MOST_ERRORS: usize = 20;

/// One setting of a file.
pub(crate) struct Line<'a> {
    pub key: &'a str,
    pub key_span: Span,
    /// Without comment and quotes; empty where only the key was written.
    pub value: Cow<'a, str>,
    /// Where the value stands; behind the key if there is none.
    pub value_span: Span,
}

/// The settings of a file in order, and what is wrong with its outer syntax.
pub(crate) fn lines(source: &str) -> (Vec<Line<'_>>, Vec<Diagnostic>) {
    let (mut found, mut errors) = (Vec::new(), Vec::new());
    if source.len() > LONGEST_SOURCE {
        let message = format!("the file has {} bytes, more than the {LONGEST_SOURCE} that are read", source.len());
        let help = "a problem or grammar file is a page of text; is this the right file?";
        errors.push(Diagnostic::error(Code::Limit, Span::default(), message, "too long").with_help(help));
        return (found, errors);
    }
    let mut start = 0;
    for text in source.split_inclusive('\n') {
        match line(source, start..start + text.len()) {
            Ok(None) => {}
            Ok(Some(line)) => found.push(line),
            Err(error) if errors.len() < MOST_ERRORS => errors.push(*error),
            Err(_) => break,
        }
        start += text.len();
    }
    (found, errors)
}

fn line(source: &str, range: Range<usize>) -> Result<Option<Line<'_>>, Box<Diagnostic>> {
    let text = &source[range.clone()];
    let trimmed = text.trim_start();
    if trimmed.is_empty() || trimmed.starts_with('#') {
        return Ok(None);
    }
    let key_start = range.start + text.len() - trimmed.len();
    let key_length = trimmed.find(char::is_whitespace).unwrap_or(trimmed.len());
    let key = &trimmed[..key_length];
    let key_span = Span::new(key_start, key_start + key_length);
    let rest = &trimmed[key_length..];
    let value_text = rest.trim_start();
    let value_start = key_start + key_length + rest.len() - value_text.len();
    if key.ends_with([':', '=']) || value_text.starts_with('=') {
        let name = key.trim_end_matches([':', '=']);
        let help = format!("write the value behind the key, as in `{} ...`", name.escape_debug());
        let message = "a key is followed by a blank, not by `=` or `:`";
        return Err(Box::new(Diagnostic::error(Code::Syntax, key_span, message, "in this line").with_help(help)));
    }
    let (value, value_span) = if value_text.starts_with('"') {
        quoted(value_text, value_start)?
    } else {
        let value = without_comment(value_text);
        let value_start = if value.is_empty() { key_start + key_length } else { value_start };
        (Cow::Borrowed(value), Span::new(value_start, value_start + value.len()))
    };
    Ok(Some(Line { key, key_span, value, value_span }))
}

/// The text in front of a comment, without blanks at its end.
fn without_comment(text: &str) -> &str {
    let mut blank_before = true;
    for (at, c) in text.char_indices() {
        if c == '#' && blank_before {
            return text[..at].trim_end();
        }
        blank_before = c.is_whitespace();
    }
    text.trim_end()
}

/// A value in quotes, and the span of what is between them.
fn quoted(text: &str, start: usize) -> Result<(Cow<'_, str>, Span), Box<Diagnostic>> {
    let fail = |from: usize, to: usize, message: &str, help: &str| {
        let span = Span::new(start + from, start + to);
        Err(Box::new(Diagnostic::error(Code::Syntax, span, message, "here").with_help(help)))
    };
    let mut value = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => {
                let rest = without_comment(&text[at + 1..]);
                if !rest.trim().is_empty() {
                    return fail(
                        at + 1,
                        at + 1 + rest.len(),
                        "text behind a closing quote",
                        "remove it, or quote the whole value",
                    );
                }
                return Ok((Cow::Owned(value), Span::new(start + 1, start + at)));
            }
            '\\' => match chars.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, 't')) => value.push('\t'),
                Some((_, c @ ('"' | '\\'))) => value.push(c),
                _ => return fail(at, at + 1, "an unknown escape", "write `\\\\` for a backslash, `\\\"` for a quote"),
            },
            '\n' => break,
            c => value.push(c),
        }
    }
    fail(0, 1, "a quote is never closed", "close it with `\"` on the same line")
}

/// A value as it is written into a file: quoted where it must be.
pub(crate) fn written(value: &str) -> Cow<'_, str> {
    let plain = !value.starts_with(['"', '='])
        && value.trim() == value
        && without_comment(value) == value
        && !value.contains(['\n', '\r', '\t'])
        && !value.is_empty();
    if plain {
        return Cow::Borrowed(value);
    }
    let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\t', "\\t");
    Cow::Owned(format!("\"{escaped}\""))
}

/// A word of a value with its place in it.
pub(crate) type Word<'a> = (&'a str, Span);

/// The words of a list, separated by commas or blanks outside brackets.
pub(crate) fn words(value: &str) -> Vec<Word<'_>> {
    split(value, |byte| byte == b',' || byte.is_ascii_whitespace())
}

/// The items of a list, separated by commas outside brackets, without blanks at their ends.
pub(crate) fn items(value: &str) -> Vec<Word<'_>> {
    let trim = |(text, span): Word<'_>| {
        let lead = text.len() - text.trim_start().len();
        let start = span.start as usize + lead;
        (start, start + text.trim().len())
    };
    let ranges = split(value, |byte| byte == b',').into_iter().map(trim).filter(|(start, end)| start < end);
    ranges.map(|(start, end)| (&value[start..end], Span::new(start, end))).collect()
}

fn split(value: &str, separates: impl Fn(u8) -> bool) -> Vec<Word<'_>> {
    let bytes = value.as_bytes();
    let mut found: Vec<Word<'_>> = Vec::new();
    let (mut depth, mut start) = (0u32, None);
    for (at, &byte) in bytes.iter().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        let separates = depth == 0 && separates(byte);
        match (separates, start) {
            (false, None) => start = Some(at),
            (true, Some(from)) => {
                found.push((&value[from..at], Span::new(from, at)));
                start = None;
            }
            _ => {}
        }
    }
    if let Some(from) = start {
        found.push((&value[from..], Span::new(from, value.len())));
    }
    found
}

/// A list of `name:weight`, or `name` alone for weight 1.
pub(crate) fn weights(value: &str) -> Result<Vec<(Word<'_>, f64)>, Diagnostic> {
    let mut found: Vec<(Word<'_>, f64)> = Vec::new();
    for (word, span) in words(value) {
        let (name, weight) = match word.split_once(':') {
            None => (word, 1.0),
            Some((name, text)) => {
                let at = Span { start: span.start + name.len() as u32 + 1, end: span.end };
                (name, weight(text, at)?)
            }
        };
        if found.iter().any(|((other, _), _)| *other == name) {
            let message = format!("{} is listed twice", quote(name));
            return Err(Diagnostic::error(Code::Duplicate, span, message, "again here").with_help("keep one of them"));
        }
        found.push(((name, Span { end: span.start + name.len() as u32, ..span }), weight));
    }
    if found.iter().all(|(_, weight)| *weight == 0.0) {
        let message = if found.is_empty() { "the list is empty" } else { "every weight is 0" };
        let help = "write what may be chosen and how often, as in `add:2 mul:1`";
        let span = Span::new(0, value.len());
        return Err(Diagnostic::error(Code::Value, span, message, "nothing to choose from").with_help(help));
    }
    Ok(found)
}

fn weight(text: &str, span: Span) -> Result<f64, Diagnostic> {
    match decimal(text) {
        Some(value) if (0.0..=1e6).contains(&value) => Ok(value),
        _ => {
            let message = format!("{} is no weight", quote(text));
            let help = "a weight is a decimal number from 0 to 1e6, as in `mul:1.5`";
            Err(Diagnostic::error(Code::Number, span, message, "not a weight").with_help(help))
        }
    }
}

/// A finite number in decimal notation; not `inf`, `nan` or hexadecimal.
pub(crate) fn decimal(text: &str) -> Option<f64> {
    let shaped = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    text.parse::<f64>().ok().filter(|value| shaped && value.is_finite())
}

/// A whole number within a range.
pub(crate) fn count(text: &str, least: u64, most: u64) -> Result<u64, Diagnostic> {
    let span = Span::new(0, text.len());
    let help = format!("write a whole number from {least} to {most}");
    let digits: String = text.chars().filter(|c| *c != '_').collect();
    let whole = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    match digits.parse::<u64>() {
        Ok(value) if whole && (least..=most).contains(&value) => Ok(value),
        _ if whole => {
            let message = format!("{} is out of range", quote(text));
            Err(Diagnostic::error(Code::Number, span, message, "out of range").with_help(help))
        }
        _ => {
            let message = format!("{} is no whole number", quote(text));
            Err(Diagnostic::error(Code::Number, span, message, "not a whole number").with_help(help))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_values_and_comments() {
        let source = "# head\n\n  on -1..1   # the domain\r\nflag\nout \"a # \\\"b\\\\\"\nout a#b\n";
        let (found, errors) = lines(source);
        assert!(errors.is_empty());
        let pairs: Vec<(&str, &str)> = found.iter().map(|l| (l.key, l.value.as_ref())).collect();
        assert_eq!(pairs, [("on", "-1..1"), ("flag", ""), ("out", "a # \"b\\"), ("out", "a#b")]);
        assert_eq!(found[0].value_span.of(source), "-1..1");
        assert_eq!(found[2].value_span.of(source), "a # \\\"b\\\\");
    }

    #[test]
    fn written_values_read_back() {
        for value in
            ["plain", "", " a", "a # b", "#x", "a#b", "\"q\"", "back\\slash", "tab\tnew\nline", "= 3", "\u{e9} \u{a0}"]
        {
            let source = format!("key {}\n", written(value));
            let (found, errors) = lines(&source);
            assert!(errors.is_empty(), "{source}");
            assert_eq!(found[0].value, value, "{source}");
        }
    }

    #[test]
    fn habits_of_other_formats_are_answered() {
        for source in
            ["type = f32", "type: f32", "type=f32\n type= f32", "out \"never closed", "out \"a\" b", "out \"\\q\""]
        {
            let (_, errors) = lines(source);
            assert!(!errors.is_empty() || source.starts_with("type=f32"), "{source}");
        }
    }

    #[test]
    fn lists_and_weights() {
        let names = |v: &str| words(v).into_iter().map(|(w, _)| w.to_string()).collect::<Vec<_>>();
        assert_eq!(names("a, b  c,,d(1, 2)e "), ["a", "b", "c", "d(1, 2)e"]);
        let found = weights("add mul:1.5, div:0").unwrap();
        assert_eq!(found.iter().map(|(_, w)| *w).collect::<Vec<_>>(), [1.0, 1.5, 0.0]);
        for bad in ["add:-1", "add:nan", "add:", "add:1 add:2", "", "add:0", "add:1e99"] {
            assert!(weights(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn whole_numbers_are_checked() {
        assert_eq!(count("1_000", 1, 2000), Ok(1000));
        for bad in ["", "-1", "1.5", "0", "99999999999999999999999", "2001", "_", "1e3"] {
            assert!(count(bad, 1, 2000).is_err(), "{bad}");
        }
    }
}
