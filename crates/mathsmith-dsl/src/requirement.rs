//! Properties that a program must have, as the setting `require` lists them.

use crate::diagnostic::quote;
use crate::lines;
use crate::suggest::nearest;
use crate::values::{constant, empty_list, shift};
use crate::{Code, Diagnostic, Expr, Span};
use std::fmt;

/// A property that the program must have.
#[derive(Clone, Debug, PartialEq)]
pub enum Requirement {
    /// The value at a point is exactly a given one.
    Exact {
        /// The point.
        at: Expr,
        /// The value.
        value: Expr,
    },
    /// `p(-x) = -p(x)`, bit for bit.
    Odd,
    /// `p(-x) = p(x)`, bit for bit.
    Even,
    /// The result never moves against the function.
    Monotone,
    /// No jump at a point beyond the bound.
    Join(Expr),
    /// No result lies outside the interval between the least and the greatest correctly rounded value on the domain, and
    /// at the ends of the domain (infinities included) the result is the correctly rounded one.
    Saturate,
    /// No division.
    NoDiv,
    /// No branch and no selection.
    NoBranch,
    /// No table.
    NoTable,
    /// At most this many fused multiply-adds.
    MaxFma(u32),
}

const REQUIREMENTS: &[&str] =
    &["exact:A->B", "odd", "even", "monotone", "join:C", "saturate", "no-div", "no-branch", "no-table", "max-fma:N"];

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Requirement::Exact { at, value } => write!(f, "exact:{}->{}", at.source, value.source),
            Requirement::Odd => f.write_str("odd"),
            Requirement::Even => f.write_str("even"),
            Requirement::Monotone => f.write_str("monotone"),
            Requirement::Join(at) => write!(f, "join:{}", at.source),
            Requirement::Saturate => f.write_str("saturate"),
            Requirement::NoDiv => f.write_str("no-div"),
            Requirement::NoBranch => f.write_str("no-branch"),
            Requirement::NoTable => f.write_str("no-table"),
            Requirement::MaxFma(n) => write!(f, "max-fma:{n}"),
        }
    }
}

impl Requirement {
    /// Parses one requirement, such as `odd` or `exact:0->1`.
    ///
    /// # Errors
    ///
    /// A diagnostic whose spans point into `text`.
    pub fn parse(text: &str) -> Result<Requirement, Diagnostic> {
        let (name, rest) = match text.split_once(':') {
            Some((name, rest)) => (name, Some(rest)),
            None => (text, None),
        };
        let offset = name.len() + 1;
        let plain = |requirement: Requirement| match rest {
            None => Ok(requirement),
            Some(_) => {
                let help = format!("write `{name}` alone");
                let span = Span::new(name.len(), text.len());
                Err(Diagnostic::error(Code::Value, span, format!("`{name}` takes no value"), "not needed")
                    .with_help(help))
            }
        };
        let needed = |example: &str| {
            let help = format!("write it as in `{example}`");
            let span = Span::new(0, text.len());
            Diagnostic::error(Code::Missing, span, format!("`{name}` needs a value"), "incomplete").with_help(help)
        };
        match name {
            "odd" => plain(Requirement::Odd),
            "even" => plain(Requirement::Even),
            "monotone" => plain(Requirement::Monotone),
            "saturate" => plain(Requirement::Saturate),
            "no-div" => plain(Requirement::NoDiv),
            "no-branch" => plain(Requirement::NoBranch),
            "no-table" => plain(Requirement::NoTable),
            "max-fma" => {
                let rest = rest.ok_or_else(|| needed("max-fma:6"))?;
                let n = lines::count(rest, 0, 1000).map_err(|error| shift(error, offset))?;
                Ok(Requirement::MaxFma(n as u32))
            }
            "join" => {
                let rest = rest.filter(|r| !r.trim().is_empty()).ok_or_else(|| needed("join:1"))?;
                Ok(Requirement::Join(constant(rest, false).map_err(|error| shift(error, offset))?))
            }
            "exact" => {
                let rest = rest.ok_or_else(|| needed("exact:0->1"))?;
                let (at, value) = rest.split_once("->").ok_or_else(|| needed("exact:0->1"))?;
                if at.trim().is_empty() || value.trim().is_empty() {
                    return Err(needed("exact:0->1"));
                }
                Ok(Requirement::Exact {
                    at: constant(at, true).map_err(|error| shift(error, offset))?,
                    value: constant(value, true).map_err(|error| shift(error, offset + at.len() + 2))?,
                })
            }
            _ => {
                let names = REQUIREMENTS.iter().map(|r| r.split(':').next().unwrap_or(r));
                let help = match nearest(name, names) {
                    Some(known) => format!("did you mean `{known}`?"),
                    None => format!("the requirements are {}", REQUIREMENTS.join(", ")),
                };
                let message = format!("unknown requirement {}", quote(name));
                let span = Span::new(0, name.len());
                Err(Diagnostic::error(Code::UnknownName, span, message, "not known").with_help(help))
            }
        }
    }
}

/// A list of requirements, separated by commas.
pub(crate) fn requirements(text: &str) -> Result<Vec<Requirement>, Diagnostic> {
    let one_line = text.replace(|c: char| c.is_ascii_whitespace(), " ");
    let mut found: Vec<Requirement> = Vec::new();
    for (item, span) in lines::items(&one_line) {
        let requirement = Requirement::parse(item).map_err(|error| shift(error, span.start as usize))?;
        let (code, what) = if found.contains(&requirement) {
            (Code::Duplicate, "is given twice")
        } else if matches!(requirement, Requirement::Odd) && found.contains(&Requirement::Even)
            || matches!(requirement, Requirement::Even) && found.contains(&Requirement::Odd)
        {
            (Code::Conflict, "leaves nothing but zero: `odd` and `even` exclude each other")
        } else {
            found.push(requirement);
            continue;
        };
        let message = format!("the requirement {} {what}", quote(item));
        return Err(Diagnostic::error(code, span, message, "here").with_help("keep one of them"));
    }
    if found.is_empty() {
        return Err(empty_list(text, "requirements", "odd,exact:0->0"));
    }
    Ok(found)
}
