//! What a person gets back when their input is wrong: the place, what is wrong there, and what to do.
//!
//! A diagnostic carries byte spans; text is only drawn at the edge, by [`Diagnostic::render`]. The drawing is left to
//! `ariadne`, which needs care with hostile input: spans are clamped to character boundaries, control characters are
//! masked so that a file cannot drive the terminal, and a line of a thousand brackets is shown as an excerpt.

use crate::Span;
use ariadne::{Color, Config, IndexType, Label, Report, ReportKind, Source};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// Lines longer than this many bytes are drawn as an excerpt around the first label.
const LONGEST_DRAWN_LINE: usize = 160;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing can be done with the input.
    Error,
    /// The input is usable, but probably not what was meant.
    Warning,
}

/// The kinds of diagnostics, one for each way of acting on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Code {
    /// A character, token or line that does not fit the syntax.
    Syntax,
    /// An opening or closing bracket without its partner.
    Bracket,
    /// A name that is no function, constant, variable, key or operation.
    UnknownName,
    /// A function with the wrong number of arguments.
    Arity,
    /// Too long, too deep or too large to be meant.
    Limit,
    /// A number that is malformed or out of range.
    Number,
    /// A domain that holds no number, or whose ends are no constants.
    Domain,
    /// A setting whose value is not one of those it can take.
    Value,
    /// A setting given twice.
    Duplicate,
    /// Settings that exclude one another.
    Conflict,
    /// Something that must be said and was not.
    Missing,
}

impl Code {
    /// The short form shown in brackets, such as `unknown-name`.
    pub fn as_str(self) -> &'static str {
        match self {
            Code::Syntax => "syntax",
            Code::Bracket => "bracket",
            Code::UnknownName => "unknown-name",
            Code::Arity => "arity",
            Code::Limit => "limit",
            Code::Number => "number",
            Code::Domain => "domain",
            Code::Value => "value",
            Code::Duplicate => "duplicate",
            Code::Conflict => "conflict",
            Code::Missing => "missing",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text with a name: a file, or a piece of the command line.
#[derive(Debug, PartialEq, Eq)]
pub struct SourceText {
    /// Path of the file, or `command line`.
    pub name: String,
    /// The whole text.
    pub text: String,
}

impl SourceText {
    /// Pairs a name and a text for sharing among diagnostics.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Arc<SourceText> {
        Arc::new(SourceText { name: name.into(), text: text.into() })
    }
}

/// One finding about a source text.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// Which kind of finding.
    pub code: Code,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// Places, each with what is to be seen there; the first is the principal one.
    pub labels: Vec<(Span, String)>,
    /// What to do about it.
    pub help: Option<String>,
    /// Background that explains the rule.
    pub note: Option<String>,
    /// The text that the spans point into, where the diagnostic has left the parser that knows it.
    pub text: Option<Arc<SourceText>>,
}

impl Diagnostic {
    /// An error at one place.
    pub fn error(code: Code, span: Span, message: impl Into<String>, label: impl Into<String>) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            code,
            message: message.into(),
            labels: vec![(span, label.into())],
            help: None,
            note: None,
            text: None,
        }
    }

    /// Adds what to do about it.
    pub fn with_help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = Some(help.into());
        self
    }

    /// Adds background.
    pub fn with_note(mut self, note: impl Into<String>) -> Diagnostic {
        self.note = Some(note.into());
        self
    }

    /// Adds a further place.
    pub fn with_label(mut self, span: Span, label: impl Into<String>) -> Diagnostic {
        self.labels.push((span, label.into()));
        self
    }

    /// Moves every span by `offset` bytes: for text that was parsed as part of a larger one.
    pub fn shifted(mut self, offset: u32) -> Diagnostic {
        for (span, _) in &mut self.labels {
            *span = span.shifted(offset);
        }
        self
    }

    /// Attaches the text that the spans point into.
    pub fn with_text(mut self, text: &Arc<SourceText>) -> Diagnostic {
        self.text = Some(Arc::clone(text));
        self
    }

    /// Draws the diagnostic with the attached text; without one, the message, note and help alone.
    pub fn report(&self, color: bool) -> String {
        match &self.text {
            Some(text) => self.render(&text.name, &text.text, color),
            None => {
                let mut out = format!("{}: {}\n", self.kind_name(), self.message);
                for (word, text) in [("help", &self.help), ("note", &self.note)] {
                    if let Some(text) = text {
                        out.push_str(&format!("  {word}: {text}\n"));
                    }
                }
                out
            }
        }
    }

    fn kind_name(&self) -> &'static str {
        match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }

    /// Draws the diagnostic over `source`: file, line and column, the text with its places marked, note and help.
    ///
    /// Spans that lie outside `source` are clamped to it.
    pub fn render(&self, file_name: &str, source: &str, color: bool) -> String {
        let first = self.labels.first().map_or(Span::default(), |(span, _)| *span);
        let drawn = Drawn::new(source, clamp(first, source));
        let kind = match self.severity {
            Severity::Error => ReportKind::Error,
            Severity::Warning => ReportKind::Warning,
        };
        let config = Config::default().with_color(color).with_index_type(IndexType::Byte).with_tab_width(4);
        let at = drawn.place(clamp(first, source)).unwrap_or(0..0);
        let mut report =
            Report::build(kind, (file_name, at)).with_config(config).with_code(self.code).with_message(&self.message);
        for (index, (span, text)) in self.labels.iter().enumerate() {
            let Some(range) = drawn.place(clamp(*span, source)) else { continue };
            let mut label = Label::new((file_name, range)).with_message(text);
            if color {
                label = label.with_color(if index == 0 { Color::Red } else { Color::Blue });
            }
            report.add_label(label);
        }
        if let Some(cut) = &drawn.cut {
            report.add_note(cut);
        }
        if let Some(note) = &self.note {
            report.add_note(note);
        }
        if let Some(help) = &self.help {
            report.add_help(help);
        }
        let text = Source::from(drawn.text.as_str()).with_display_line_offset(drawn.line_offset);
        let mut out = Vec::new();
        match report.finish().write((file_name, text), &mut out) {
            Ok(()) => {
                // ariadne pads some lines; trailing blanks would only disturb a log.
                let text = String::from_utf8_lossy(&out);
                text.lines().map(str::trim_end).fold(String::new(), |all, line| all + line + "\n")
            }
            Err(error) => format!("{}: {} ({error})\n", self.kind_name(), self.message),
        }
    }
}

impl fmt::Display for Diagnostic {
    /// One line: the message and the way out. [`Diagnostic::render`] shows the place as well.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.help {
            Some(help) => write!(f, " ({help})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Diagnostic {}

/// The part of the source that is drawn.
struct Drawn {
    text: String,
    /// Byte range of the source that `text` shows; marks of omission lie outside it.
    shown: Range<usize>,
    /// Bytes of omission mark in front.
    lead: usize,
    /// Lines of the source in front of `text`.
    line_offset: usize,
    /// Said when a line was cut.
    cut: Option<String>,
}

impl Drawn {
    fn new(source: &str, first: Range<usize>) -> Drawn {
        let start = source[..first.start].rfind('\n').map_or(0, |at| at + 1);
        let end = source[first.start..].find('\n').map_or(source.len(), |at| first.start + at);
        if end - start <= LONGEST_DRAWN_LINE {
            return Drawn { text: masked(source), shown: 0..source.len(), lead: 0, line_offset: 0, cut: None };
        }
        let from = floor_boundary(source, first.start.saturating_sub(LONGEST_DRAWN_LINE / 2).max(start));
        let to = floor_boundary(source, (first.start + LONGEST_DRAWN_LINE / 2).min(end));
        let (lead, tail) = (if from > start { "..." } else { "" }, if to < end { "..." } else { "" });
        let column = source[start..first.start].chars().count() + 1;
        Drawn {
            text: format!("{lead}{}{tail}", masked(&source[from..to])),
            shown: from..to,
            lead: lead.len(),
            line_offset: source[..start].matches('\n').count(),
            cut: Some(format!("an excerpt of a line of {} bytes; the place is column {column}", end - start)),
        }
    }

    /// Where a range of the source lies in the drawn text.
    fn place(&self, range: Range<usize>) -> Option<Range<usize>> {
        if range.start < self.shown.start || range.start > self.shown.end {
            return None;
        }
        let move_by = |at: usize| at.min(self.shown.end) - self.shown.start + self.lead;
        Some(move_by(range.start)..move_by(range.end))
    }
}

/// The span as a range inside `source`, on character boundaries.
fn clamp(span: Span, source: &str) -> Range<usize> {
    let start = floor_boundary(source, span.start as usize);
    let end = floor_boundary(source, span.end as usize);
    start..end.max(start)
}

fn floor_boundary(source: &str, at: usize) -> usize {
    let mut at = at.min(source.len());
    while !source.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Replaces control characters and exotic line ends by marks of the same length in bytes, so that spans stay valid.
fn masked(source: &str) -> String {
    let mask = |c: char| match c {
        '\n' | '\t' => c,
        '\r' => ' ',
        c if c.is_control() => ['?', '\u{bf}'][c.len_utf8() - 1],
        '\u{2028}' | '\u{2029}' => '\u{2423}',
        c => c,
    };
    source.chars().map(mask).collect()
}

/// User text inside a message: quoted, control characters escaped, cut to a length that can be read.
pub(crate) fn quote(text: &str) -> String {
    let mut shown: String = text.chars().take(40).flat_map(char::escape_debug).collect();
    if text.chars().nth(40).is_some() {
        shown.push_str("...");
    }
    format!("`{shown}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_rendering_shows_place_cause_and_way_out() {
        let d = Diagnostic::error(Code::UnknownName, Span::new(5, 9), "unknown name `sine`", "not known")
            .with_help("did you mean `sin`?");
        let text = d.render("p.smith", "1+1\n2*sine(x)\n", false);
        assert!(text.contains("unknown name `sine`"), "{text}");
        assert!(text.contains("p.smith:2:2"), "{text}");
        assert!(text.contains("did you mean"), "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
        assert!(d.render("p.smith", "1+1\n2*sine(x)\n", true).contains('\u{1b}'));
    }

    #[test]
    fn hostile_places_and_texts_are_drawn_without_panic() {
        for source in ["", "\n", "π", "a\u{1b}[31mb", "\r\n\r\n", "x\u{2028}y", &"(".repeat(5000), "é\u{85}\u{c}\u{b}"]
        {
            for start in [0, 1, 2, 3, 7, 2500, u32::MAX] {
                for end in [0, 1, 2, 9, 2600, u32::MAX] {
                    let d = Diagnostic::error(Code::Syntax, Span { start, end }, "m", "l")
                        .with_label(Span { start: end, end: start }, "other");
                    let text = d.render("f", source, false);
                    assert!(text.contains('m') && !text.contains('\u{1b}'), "{source:?}");
                    assert!(text.len() < 4000, "{source:?} {}", text.len());
                }
            }
        }
    }

    #[test]
    fn a_cut_line_keeps_its_line_number() {
        let source = format!("ok\n{}?{}\n", "x+".repeat(1000), "+x".repeat(1000));
        let d = Diagnostic::error(Code::Syntax, Span::new(2003, 2004), "stray", "here");
        let text = d.render("f", &source, false);
        assert!(text.contains("f:2:") && text.contains("column 2001"), "{text}");
    }
}
