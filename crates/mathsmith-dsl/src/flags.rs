//! Values of flags that are no settings of a problem file, read by the same parsers, so that a message about a value is the
//! same wherever the value was written.

use crate::diagnostic::quote;
use crate::lines;
use crate::settings::COMMAND_LINE;
use crate::suggest::nearest;
use crate::values::{self, shift};
use crate::{
    Code, Diagnostic, Domain, Expr, Located, Place, Requirement, SourceText, Span, parse_expr, parse_expr_with_vars,
    requirement,
};

/// Reads the value of the flag `name` (without its dashes); a diagnostic shows the flag with its value.
///
/// # Errors
/// What `parse` says, with its place on the command line.
pub fn flag<T>(
    name: &str,
    value: &str,
    parse: impl FnOnce(&str) -> Result<T, Diagnostic>,
) -> Result<Located<T>, Diagnostic> {
    let lead = format!("--{name} ");
    let text = SourceText::new(COMMAND_LINE, format!("{lead}{value}"));
    let place = Place { span: Span::new(lead.len(), lead.len() + value.len()), text };
    if value.trim().is_empty() {
        let help = format!("write a value behind `--{name}`, or leave the flag out");
        return Err(place.error(Code::Missing, format!("`--{name}` has no value"), "expected a value here", help));
    }
    match parse(value) {
        Ok(value) => Ok(Located { value, place }),
        Err(error) => Err(error.shifted(place.span.start).with_text(&place.text)),
    }
}

/// An expression of the given variables, or of `x` (and `y`, where it occurs) if none are given.
///
/// # Errors
/// A diagnostic whose spans point into `text`, as for all parsers of this module.
pub fn expression(text: &str, variables: Option<&[&str]>) -> Result<Expr, Diagnostic> {
    let lead = text.len() - text.trim_start().len();
    let one_line = text.trim().replace(|c: char| c.is_ascii_whitespace(), " ");
    let parsed = match variables {
        Some(names) => parse_expr_with_vars(&one_line, names),
        None => parse_expr(&one_line),
    };
    parsed.map_err(|error| shift(error, lead))
}

/// A constant expression; infinities are no constants here.
///
/// # Errors
/// See [`expression`].
pub fn constant(text: &str) -> Result<Expr, Diagnostic> {
    values::constant(text, false)
}

/// A positive finite number.
///
/// # Errors
/// See [`expression`].
pub fn positive(text: &str) -> Result<f64, Diagnostic> {
    values::positive(text)
}

/// A whole number in a range.
///
/// # Errors
/// See [`expression`].
pub fn count(text: &str, least: u64, most: u64) -> Result<u64, Diagnostic> {
    values::count(text, least, most)
}

/// A length of time, in milliseconds.
///
/// # Errors
/// See [`expression`].
pub fn duration(text: &str) -> Result<u64, Diagnostic> {
    values::duration(text)
}

/// Requirements, separated by commas.
///
/// # Errors
/// See [`expression`].
pub fn requirements(text: &str) -> Result<Vec<Requirement>, Diagnostic> {
    requirement::requirements(text)
}

/// Names of variables, separated by commas.
///
/// # Errors
/// See [`expression`].
pub fn variables(text: &str) -> Result<Vec<String>, Diagnostic> {
    let mut names: Vec<String> = Vec::new();
    for (name, span) in lines::items(text) {
        values::identifier(name).map_err(|error| shift(error, span.start as usize))?;
        if names.iter().any(|other| other == name) {
            let message = format!("the variable {} is named twice", quote(name));
            return Err(Diagnostic::error(Code::Duplicate, span, message, "again here")
                .with_help("name each argument once, in the order in which the function takes them"));
        }
        names.push(name.to_owned());
    }
    if names.is_empty() {
        return Err(values::empty_list(text, "variables", "x,y"));
    }
    Ok(names)
}

/// Domains of several variables: `0..1` for all of them, or `x:0..1,y:-1..1`. One for each of `variables`; `None` for those
/// that are not mentioned.
///
/// # Errors
/// See [`expression`].
///
/// ```
/// let domains = mathsmith_dsl::flags::domains("y: -1..1", &["x", "y"]).unwrap();
/// assert!(domains[0].is_none());
/// assert_eq!(domains[1].as_ref().unwrap().to_string(), "-1..1");
/// ```
pub fn domains(text: &str, variables: &[&str]) -> Result<Vec<Option<Domain>>, Diagnostic> {
    if !text.contains(':') {
        let one = values::interval(text)?;
        return Ok(vec![Some(one); variables.len()]);
    }
    let mut found: Vec<Option<Domain>> = vec![None; variables.len()];
    for (item, span) in lines::items(text) {
        let start = span.start as usize;
        let Some((name, rest)) = item.split_once(':') else {
            let help = format!("write a variable in front of each domain, as in `{}:0..1`", variables[0]);
            return Err(Diagnostic::error(Code::Syntax, span, "a domain without its variable", "whose is this?")
                .with_help(help));
        };
        let Some(at) = variables.iter().position(|v| *v == name.trim()) else {
            let help = match nearest(name.trim(), variables.iter().copied()) {
                Some(known) => format!("did you mean `{known}`?"),
                None => format!("the variables are {}", variables.join(", ")),
            };
            let span = Span::new(start, start + name.len());
            let message = format!("{} is no variable of the reference", quote(name.trim()));
            return Err(Diagnostic::error(Code::UnknownName, span, message, "not known").with_help(help));
        };
        if found[at].is_some() {
            let message = format!("{} has two domains", quote(name.trim()));
            return Err(
                Diagnostic::error(Code::Duplicate, span, message, "the second one").with_help("keep one of them")
            );
        }
        found[at] = Some(values::interval(rest).map_err(|error| shift(error, start + name.len() + 1))?);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_for_each_variable_or_one_for_all() {
        let text = |s: &str| -> Vec<Option<String>> {
            domains(s, &["x", "y"])
                .unwrap_or_else(|e| panic!("{s}: {e}"))
                .into_iter()
                .map(|d| d.map(|d| d.to_string()))
                .collect()
        };
        let both = |a: Option<&str>, b: Option<&str>| vec![a.map(String::from), b.map(String::from)];
        assert_eq!(text("0..1"), both(Some("0..1"), Some("0..1")));
        assert_eq!(text("y:0..<max(1, 2), x : -1..1"), both(Some("-1..1"), Some("0..<max(1, 2)")));
        assert_eq!(text("y:0..1"), both(None, Some("0..1")));
    }

    #[test]
    fn refusals_show_the_flag() {
        for (value, place, help) in [
            ("x:0..1,z:0..1", "z", "the variables are x, y"),
            ("x:0..1,x:1..2", "x:1..2", "keep one"),
            ("x:0..1,1..2", "1..2", "x:0..1"),
            ("y:1..0", "1..0", "0..1"),
        ] {
            let error = flag("on", value, |v| domains(v, &["x", "y"])).expect_err(value);
            let text = error.text.as_ref().expect("placed").text.clone();
            assert_eq!(text, format!("--on {value}"));
            assert_eq!(error.labels[0].0.of(&text), place, "{value}");
            assert!(error.help.as_deref().unwrap_or("").contains(help), "{value}: {:?}", error.help);
        }
        assert!(flag("seam", " ", constant).is_err());
        assert!(variables("x,x").is_err() && variables("2x").is_err() && variables(",").is_err());
        assert_eq!(variables("y, x").expect("names"), ["y", "x"]);
        assert_eq!(flag("ref", "tahn(x)", |v| expression(v, None)).expect_err("typo").labels[0].0, Span::new(6, 10));
    }
}
