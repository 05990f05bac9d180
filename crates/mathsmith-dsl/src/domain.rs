//! Domains: `a..b` closed, `a..<b` without its upper end, `a<..b` without its lower one.

use crate::fold::Folded;
use crate::lex::{self, Token};
use crate::parse::parse_constant;
use crate::{Code, Diagnostic, Expr, Span};
use std::cmp::Ordering;
use std::fmt;

/// An interval whose ends are constant expressions. What they are worth is the oracle's business; here it is only
/// seen to that an interval between plain numbers is not empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Domain {
    /// Lower end, without variables; infinity is allowed.
    pub lo: Expr,
    /// Upper end, without variables; infinity is allowed.
    pub hi: Expr,
    /// Whether the lower end is left out.
    pub lo_open: bool,
    /// Whether the upper end is left out.
    pub hi_open: bool,
    /// The text it was read from, without blanks at its ends.
    pub source: String,
    /// Where the lower end stands in `source`.
    pub lo_span: Span,
    /// Where the upper end stands in `source`.
    pub hi_span: Span,
    /// The domains of x and of y where they were given one by one, as in `x:0..1,y:-1..1`; the ends above are then those of
    /// the first that is there. A variable without one has the whole format.
    pub each: Option<Box<[Option<Domain>; 2]>>,
}

fn fail<T>(span: Span, message: &str, label: &str, help: impl Into<String>) -> Result<T, Diagnostic> {
    Err(Diagnostic::error(Code::Domain, span, message, label).with_help(help))
}

/// Parses a domain; blanks around it are ignored.
///
/// # Errors
///
/// A diagnostic whose spans point into `text`: for bad syntax, for a variable in an end, for a domain between plain
/// numbers that is empty. Ends that need a function, such as `pi/4`, are not compared.
///
/// ```
/// let domain = mathsmith_dsl::parse_domain("-pi/4..<pi/4").unwrap();
/// assert!(domain.hi_open && !domain.lo_open);
/// assert!(mathsmith_dsl::parse_domain("1..0").is_err());
/// ```
pub fn parse_domain(text: &str) -> Result<Domain, Diagnostic> {
    let source = text.trim();
    let lead = Span::new(text.len() - text.trim_start().len(), 0).start;
    parse_trimmed(source).map_err(|error| error.shifted(lead))
}

fn parse_trimmed(source: &str) -> Result<Domain, Diagnostic> {
    let whole = Span::new(0, source.len());
    let Some(dots) = source.find("..") else {
        let help = "write its two ends with two points between them: `0..1`, `-pi/4..pi/4`, `0..<1`, `-inf..inf`";
        let label = if source.is_empty() { "nothing here" } else { "no `..` in this" };
        return fail(whole, "a domain has two ends", label, help);
    };
    if source[dots..].starts_with("..=") {
        let help = "`a..b` holds both its ends; `a..<b` leaves the upper one out";
        return fail(Span::new(dots, dots + 3), "`..=` is no range of this syntax", "write `..`", help);
    }
    let tokens = lex::tokens(source).map_err(|error| *error)?;
    let ranges: Vec<usize> = (0..tokens.len()).filter(|&i| tokens[i].0 == Token::Range).collect();
    let range = match ranges[..] {
        [one] => one,
        [_, second, ..] => {
            let help = "a domain is one interval with two ends: `a..b`";
            return fail(tokens[second].1, "a domain with a second `..`", "one too many", help);
        }
        [] => return fail(whole, "a domain has two ends", "no `..` in this", "write `a..b`"),
    };
    let lo_open = range > 0 && tokens[range - 1].0 == Token::Lt;
    let hi_open = tokens[range + 1].0 == Token::Lt;
    let lo_end = if lo_open { tokens[range - 1].1 } else { tokens[range].1 };
    let hi_start = if hi_open { tokens[range + 1].1 } else { tokens[range].1 };
    let (lo, lo_span) = end(source, 0..lo_end.start as usize, "lower")?;
    let (hi, hi_span) = end(source, hi_start.end as usize..source.len(), "upper")?;
    let domain = Domain { lo, hi, lo_open, hi_open, source: source.to_string(), lo_span, hi_span, each: None };
    domain.check_order()?;
    Ok(domain)
}

fn end(source: &str, range: std::ops::Range<usize>, which: &str) -> Result<(Expr, Span), Diagnostic> {
    let text = &source[range.clone()];
    let trimmed = text.trim();
    let start = range.start + text.len() - text.trim_start().len();
    if trimmed.is_empty() {
        let message = format!("the domain has no {which} end");
        let help = "write both ends; an unbounded one is `-inf` or `inf`";
        return fail(Span::new(range.start, range.start), &message, "an end is missing here", help);
    }
    let expr = parse_constant(trimmed, true).map_err(|error| error.shifted(Span::new(start, 0).start))?;
    Ok((expr, Span::new(start, start + trimmed.len())))
}

impl Domain {
    /// The domain of a variable, x being 0: the one domain of all, or its own.
    pub fn of_variable(&self, variable: usize) -> Option<&Domain> {
        match &self.each {
            None => Some(self),
            Some(each) => each.get(variable).and_then(Option::as_ref),
        }
    }

    fn check_order(&self) -> Result<(), Diagnostic> {
        let (Some(lo), Some(hi)) = (self.lo.fold(), self.hi.fold()) else { return Ok(()) };
        let order = match (lo, hi) {
            (Folded::Infinite { negative: true }, Folded::Infinite { negative: false }) => Some(Ordering::Less),
            (Folded::Infinite { negative: false }, _) | (_, Folded::Infinite { negative: true }) => {
                let help = "an interval reaches from `-inf` up to `inf`";
                return fail(self.lo_span.to(self.hi_span), "the domain holds no number", "empty", help);
            }
            (Folded::Infinite { .. }, _) | (_, Folded::Infinite { .. }) => Some(Ordering::Less),
            (Folded::Exact(a), Folded::Exact(b)) => a.compare(b),
            // Nearest doubles keep the order except that different numbers may become equal.
            _ => {
                self.lo.plain_f64().zip(self.hi.plain_f64()).and_then(|(a, b)| a.partial_cmp(&b)).filter(|o| o.is_ne())
            }
        };
        let both = self.lo_span.to(self.hi_span);
        match order {
            Some(Ordering::Greater) => {
                let (lo, hi) = (self.lo_span.of(&self.source), self.hi_span.of(&self.source));
                let help = match lo.len() + hi.len() {
                    0..=40 => format!("write the smaller end first: `{hi}..{lo}`"),
                    _ => "write the smaller end first".to_string(),
                };
                fail(both, "the domain is empty: its lower end is above its upper end", "empty", help)
            }
            Some(Ordering::Equal) if self.lo_open || self.hi_open => {
                let help = "the ends are equal and one of them is left out; write `a..b` to keep both";
                fail(both, "the domain is empty", "holds no number", help)
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_and_openness() {
        let ends = |s: &str| {
            let d = parse_domain(s).unwrap_or_else(|e| panic!("{s}: {}", e.render("t", s, false)));
            (d.lo.to_string(), d.hi.to_string(), d.lo_open, d.hi_open)
        };
        let case = |lo: &str, hi: &str, lo_open, hi_open| (lo.to_string(), hi.to_string(), lo_open, hi_open);
        assert_eq!(ends("0..1"), case("0", "1", false, false));
        assert_eq!(ends(" 0 ..< 1 "), case("0", "1", false, true));
        assert_eq!(ends("0<..1"), case("0", "1", true, false));
        assert_eq!(ends("0<..<.5"), case("0", "0.5", true, true));
        assert_eq!(ends("-pi/4..pi/4"), case("-pi/4", "pi/4", false, false));
        assert_eq!(ends("-inf..inf"), case("-inf", "inf", false, false));
        assert_eq!(ends("0x1p-126..0x1.8p3"), case("0x1p-126", "0x1.8p3", false, false));
        assert_eq!(ends("1..1"), case("1", "1", false, false));
        assert_eq!(ends("-.5...5"), case("-0.5", "0.5", false, false));
        assert_eq!(ends("max(1, 2)..sqrt(17)"), case("max(1, 2)", "sqrt(17)", false, false));
        let d = parse_domain("  -1 .. 2*pi").unwrap();
        assert_eq!((d.lo_span.of(&d.source), d.hi_span.of(&d.source)), ("-1", "2*pi"));
        assert_eq!(parse_domain(&d.to_string()), Ok(d));
    }

    #[test]
    fn refusals_name_the_place() {
        let cases = [
            ("1..0", "1..0", "`0..1`"),
            ("0.5..1/3", "0.5..1/3", "`1/3..0.5`"),
            ("1e300..1e200", "1e300..1e200", "smaller"),
            ("1..<1.0", "1..<1.0", "left out"),
            ("inf..1", "inf..1", "-inf"),
            ("0..-inf", "0..-inf", "-inf"),
            ("", "", "two points"),
            ("[0, 1]", "[0, 1]", "two points"),
            ("0..=1", "..=", "both its ends"),
            ("..1", "", "-inf"),
            ("0..", "", "-inf"),
            ("0..1..2", "..", "one interval"),
            ("0..x", "x", "a number"),
            ("nan..1", "nan", "real number"),
            ("0..1e", "1e", "exponent"),
            ("0..(1", "(", "close it"),
            ("0..1)", ")", "remove"),
        ];
        for (source, place, help) in cases {
            for lead in ["", "  "] {
                let text = format!("{lead}{source}");
                let d = parse_domain(&text).expect_err(source);
                assert_eq!(d.labels[0].0.of(&text), place, "{source}: {d}");
                assert!(d.help.as_deref().unwrap_or("").contains(help), "{source}: {:?}", d.help);
            }
        }
    }
}
