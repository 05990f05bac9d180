//! Settings as typed: every one optional, each with the place where it was written.
//!
//! Settings go through three types. [`RawSettings`] is what one source says, a problem file or the command line;
//! [`RawSettings::over`] merges two of them; [`RawSettings::resolve`] checks the whole and gives a
//! [`Problem`](crate::Problem), which no longer changes. One table, [`TABLE`], drives the file parser, the command line
//! and the reference documentation: a setting that is not in it does not exist.

use crate::diagnostic::quote;
use crate::grammar::{duplicate_key, unknown_key};
use crate::lines::{self, MOST_ERRORS};
use crate::{
    Code, Counted, Diagnostic, Domain, Expr, Format, IncumbentError, Minimize, OpName, Reduce, Requirement, SourceText,
    Span, Variant, incumbent, requirement, values,
};
use std::sync::Arc;

/// A piece of a source text.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// The text: a file, or one flag with its value.
    pub text: Arc<SourceText>,
    /// Where in it.
    pub span: Span,
}

impl Place {
    /// An error at this place, ready to be drawn.
    pub fn error(&self, code: Code, message: impl Into<String>, label: &str, help: impl Into<String>) -> Diagnostic {
        Diagnostic::error(code, self.span, message, label).with_help(help).with_text(&self.text)
    }
}

/// A value and where it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Where it was written.
    pub place: Place,
}

/// One row of [`TABLE`].
pub struct Setting {
    /// The key in a problem file; on the command line `--` and the key, or the bare value for `approx`.
    pub name: &'static str,
    /// What its value looks like.
    pub syntax: &'static str,
    /// The value where it is not given, as it would be written; `None` where there is none.
    pub default: Option<&'static str>,
    /// What it says, in one sentence.
    pub doc: &'static str,
    set: fn(&mut RawSettings, &str, Place) -> Result<(), Diagnostic>,
    place: fn(&RawSettings) -> Option<&Place>,
}

fn read<T>(
    slot: &mut Option<Located<T>>,
    parse: impl Fn(&str) -> Result<T, Diagnostic>,
    text: &str,
    place: Place,
) -> Result<(), Diagnostic> {
    match parse(text) {
        Ok(value) => {
            *slot = Some(Located { value, place });
            Ok(())
        }
        Err(error) => Err(error.shifted(place.span.start).with_text(&place.text)),
    }
}

macro_rules! settings {
    ($($field:ident: $ty:ty = $name:literal $syntax:literal, $default:expr, $doc:literal, $parse:expr;)*) => {
        /// What one source says; see [`TABLE`] for the meaning of each setting.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct RawSettings {
            $(#[doc = $doc] pub $field: Option<Located<$ty>>,)*
        }

        /// Every setting, in the order in which a problem file is written.
        pub const TABLE: &[Setting] = &[$(Setting {
            name: $name,
            syntax: $syntax,
            default: $default,
            doc: $doc,
            set: |raw, text, place| read(&mut raw.$field, $parse, text, place),
            place: |raw| raw.$field.as_ref().map(|found| &found.place),
        },)*];

        impl RawSettings {
            fn fill(&mut self, under: RawSettings) {
                $(if self.$field.is_none() { self.$field = under.$field; })*
            }
        }
    };
}

settings! {
    approx: Expr = "approx" "EXPR", None,
        "The reference: the function that is asked for, such as `exp2(x)`.", values::expression;
    on: Domain = "on" "A..B", None,
        "The domain; `A..<B` leaves its upper end out, `x:A..B,y:C..D` gives each of two variables its own. By default the whole format.", values::domain;
    format: Format = "type" "real|f32|f64|f16|bf16", Some("f32"),
        "The number format of input and output.", Format::parse;
    max_ulp: f64 = "max-ulp" "V", None,
        "The largest error allowed, in units in the last place of the real value.", values::positive;
    max_rel: f64 = "max-rel" "V", None,
        "The largest relative error allowed.", values::positive;
    max_abs: f64 = "max-abs" "V", None,
        "The largest absolute error allowed.", values::positive;
    tol: Expr = "tol" "EXPR", None,
        "The largest error allowed at each input, as an expression of x and of y, the exact value there, such as `max(1e-6*abs(y), 1e-8)`.",
        values::expression;
    judged_at: Format = "judged-at" "f32|bf16|f16", None,
        "The format to which results are rounded before they are judged, where they are stored so; by default that of `type`.",
        values::judged_at;
    flush: bool = "flush" "true|false", Some("false"),
        "Whether a result below the least normal number of the format may be zero; the bare key means true.", values::switch;
    domain_only: bool = "domain-only" "true|false", Some("false"),
        "Whether what lies outside of the domain, infinities, NaN and -0 included, may give anything; the bare key means true.",
        values::switch;
    require: Vec<Requirement> = "require" "LIST", None,
        "Properties that the program must have, separated by commas: exact:A->B, odd, even, monotone, join:C, saturate, no-div, no-branch, no-table, max-fma:N.",
        requirement::requirements;
    ops: Vec<OpName> = "ops" "LIST", None,
        "The operations that may be used; by default those of the grammar.", values::operations;
    max_ops: u64 = "max-ops" "N", None,
        "The most operations a program may have; by default that of the grammar.", |text| values::count(text, 1, 1000);
    variant: Variant = "variant" "fma|plain|both", Some("both"),
        "Whether programs may use fused multiply-add.", Variant::parse;
    minimize: Minimize = "minimize" "ops|throughput|latency|size", Some("ops"),
        "What makes a program cheap.", Minimize::parse;
    target: String = "target" "MODEL|FILE", Some("x86-64-v3"),
        "The machine model that gives the modelled cost: the name of one that ships, or a file.", values::model;
    reduce: Reduce = "reduce" "auto|none|NAME", Some("auto"),
        "The range reduction.", Reduce::parse;
    evals: u64 = "evals" "N", None,
        "The budget in evaluations.", |text| values::count(text, 1, 1_000_000_000_000_000);
    time: u64 = "time" "120s|2m|1h", None,
        "The budget in time; recorded as the evaluations that it allowed.", values::duration;
    threads: u64 = "threads" "N", None,
        "The number of threads, which changes no result; by default all.", |text| values::count(text, 1, 4096);
    seed: u64 = "seed" "N", Some("1"),
        "The seed of every random draw.", |text| values::count(text, 0, u64::MAX);
    name: String = "name" "NAME", None,
        "The name of the emitted function; by default the reference's own with its type, such as `exp2_f32`.",
        values::identifier;
    from_scratch: bool = "from-scratch" "true|false", Some("false"),
        "Whether the search starts from nothing, without known forms as seeds; the bare key means true.", values::switch;
    grammar: String = "grammar" "NAME|FILE", None,
        "The search space: the name of a grammar that ships, or a file.", values::path;
    adversarial: String = "adversarial" "FILE|DIR", None,
        "Worst inputs that measurements have kept (`adversarial.json`): they join the inputs that candidates are judged on.",
        values::path;
    out: String = "out" "DIR", None,
        "The folder for the results.", values::path;
    incumbent_error: IncumbentError = "incumbent-error" "FIGURE V EVIDENCE", None,
        "The error of the code in use that an answer is held against, such as `max-rel 8.77e-5 exhaustive`; steers nothing.",
        incumbent::error;
    incumbent_ops: Vec<Counted> = "incumbent-ops" "LIST", None,
        "The operations of the code in use, such as `3 fma, 1 max, 2 sub`; steers nothing.", incumbent::operations;
    incumbent_time: f64 = "incumbent-time" "NS", None,
        "The time of the code in use in nanoseconds an element, where it is known; steers nothing.", values::positive;
}

/// The name under which pieces of the command line appear in diagnostics.
pub(crate) const COMMAND_LINE: &str = "command line";

/// Settings whose bare key or flag has a meaning.
fn may_be_bare(name: &str) -> bool {
    matches!(name, "from-scratch" | "flush" | "domain-only")
}

impl Setting {
    /// The setting of a key.
    pub fn by_name(name: &str) -> Option<&'static Setting> {
        TABLE.iter().find(|setting| setting.name == name)
    }

    fn read(&self, raw: &mut RawSettings, value: &str, place: Place) -> Result<(), Diagnostic> {
        if value.is_empty() && !may_be_bare(self.name) {
            let message = format!("the setting `{}` has no value", self.name);
            let help = format!("write `{} {}`: {}", self.name, self.syntax, self.doc);
            return Err(place.error(Code::Missing, message, "expected a value here", help));
        }
        (self.set)(raw, value, place)
    }
}

impl RawSettings {
    /// Reads one setting of the command line: `name` without its dashes, `value` as typed (empty for a bare flag). The
    /// reference itself is the setting `approx`.
    ///
    /// A setting that is given again replaces the earlier one.
    ///
    /// # Errors
    ///
    /// A diagnostic that shows the flag with its value.
    ///
    /// ```
    /// let mut raw = mathsmith_dsl::RawSettings::default();
    /// raw.set("type", "f64").unwrap();
    /// let error = raw.set("max-ulp", "-1").unwrap_err();
    /// assert!(error.report(false).contains("--max-ulp -1"));
    /// ```
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), Diagnostic> {
        let lead = if name == "approx" { String::new() } else { format!("--{name} ") };
        let text = SourceText::new(COMMAND_LINE, format!("{lead}{value}"));
        let span = Span::new(lead.len(), lead.len() + value.len());
        match Setting::by_name(name) {
            Some(setting) => setting.read(self, value, Place { text, span }),
            None => {
                let span = Span::new(0, lead.trim_end().len());
                Err(unknown_key(name, span, TABLE.iter().map(|setting| setting.name)).with_text(&text))
            }
        }
    }

    /// These settings, and where they say nothing those of `under`. A bound of any kind replaces one of any kind.
    pub fn over(mut self, mut under: RawSettings) -> RawSettings {
        if self.max_ulp.is_some() || self.max_rel.is_some() || self.max_abs.is_some() || self.tol.is_some() {
            (under.max_ulp, under.max_rel, under.max_abs, under.tol) = (None, None, None, None);
        }
        self.fill(under);
        self
    }

    /// Where a setting was written, if it was.
    pub fn place(&self, name: &str) -> Option<&Place> {
        Setting::by_name(name).and_then(|setting| (setting.place)(self))
    }

    /// Where the settings were written, in the order of the table.
    pub(crate) fn places(&self) -> impl Iterator<Item = &Place> {
        TABLE.iter().filter_map(|setting| (setting.place)(self))
    }

    /// The defaults of [`TABLE`].
    pub(crate) fn defaults() -> RawSettings {
        let mut raw = RawSettings::default();
        for setting in TABLE {
            if let Some(default) = setting.default {
                let text = SourceText::new("defaults", default);
                let place = Place { text, span: Span::new(0, default.len()) };
                (setting.set)(&mut raw, default, place).expect("defaults are parsed by a test");
            }
        }
        raw
    }
}

/// Parses a problem file: one setting of [`TABLE`] a line, `#` begins a comment.
///
/// ```text
/// # 2^x, as good as the platform's
/// approx exp2(x)
/// on 0..1
/// type f32
/// max-ulp 1
/// ```
///
/// # Errors
///
/// Everything that is wrong with the file, in the order of its lines, each finding with the text attached (see
/// [`Diagnostic::report`]).
pub fn parse_problem(file_name: &str, source: &str) -> Result<RawSettings, Vec<Diagnostic>> {
    let text = SourceText::new(file_name, source);
    let (found, mut errors) = lines::lines(source);
    let mut raw = RawSettings::default();
    let mut seen: Vec<(&str, Span)> = Vec::new();
    for line in &found {
        if errors.len() >= MOST_ERRORS {
            break;
        }
        let Some(setting) = Setting::by_name(line.key) else {
            errors.push(unknown_line(line.key, line.key_span));
            continue;
        };
        if let Some((_, first)) = seen.iter().find(|(key, _)| *key == line.key) {
            errors.push(duplicate_key(line, *first));
            continue;
        }
        seen.push((line.key, line.key_span));
        let place = Place { text: Arc::clone(&text), span: line.value_span };
        if let Err(error) = setting.read(&mut raw, &line.value, place) {
            errors.push(error);
        }
    }
    if errors.is_empty() {
        return Ok(raw);
    }
    errors.sort_by_key(|error| error.labels.first().map(|(span, _)| span.start));
    Err(errors.into_iter().map(|error| error.with_text(&text)).collect())
}

/// A line with a key that is no setting; perhaps a key's line without its key.
fn unknown_line(key: &str, span: Span) -> Diagnostic {
    match key.strip_prefix("--") {
        Some(name) if Setting::by_name(name).is_some() => {
            let message = format!("{} is written as on the command line", quote(key));
            let help = format!("in a file the key stands without dashes: `{name} ...`");
            Diagnostic::error(Code::Syntax, span, message, "not a key").with_help(help)
        }
        _ => unknown_key(key, span, TABLE.iter().map(|setting| setting.name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_a_distinct_key_and_a_default_that_parses() {
        for (index, row) in TABLE.iter().enumerate() {
            assert!(TABLE[..index].iter().all(|other| other.name != row.name), "{}", row.name);
            assert!(row.doc.ends_with('.'), "{}", row.name);
            assert_eq!(RawSettings::defaults().place(row.name).is_some(), row.default.is_some(), "{}", row.name);
        }
    }

    #[test]
    fn the_command_line_wins_over_the_file() {
        let file = parse_problem("p.smith", "approx exp2(x)\non 0..1\nmax-rel 1e-9\nseed 7").expect("parses");
        let mut typed = RawSettings::default();
        typed.set("max-ulp", "2").expect("parses");
        typed.set("seed", "8").expect("parses");
        let merged = typed.over(file);
        assert_eq!(merged.max_ulp.as_ref().map(|v| v.value), Some(2.0));
        assert!(merged.max_rel.is_none(), "one bound replaces another");
        assert_eq!(merged.seed.as_ref().map(|v| v.value), Some(8));
        assert_eq!(merged.on.as_ref().map(|v| v.value.to_string()).as_deref(), Some("0..1"));
        assert_eq!(merged.place("on").map(|p| p.text.name.as_str()), Some("p.smith"));
    }
}
