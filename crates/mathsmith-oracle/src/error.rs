//! What can go wrong before a reference value exists.

/// Why an expression cannot serve as a reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OracleError {
    /// `inf` was used as a number.
    #[error("`inf` is not a number (bytes {start}..{end}): it can only be the end of a domain")]
    Infinity {
        /// First byte in the source.
        start: u32,
        /// One past the last byte.
        end: u32,
    },
    /// A literal so large or small that its exact value would not fit in memory.
    #[error("the number at bytes {start}..{end} has an exponent beyond {limit}: write it as a power, such as `2^1000`")]
    NumberRange {
        /// First byte in the source.
        start: u32,
        /// One past the last byte.
        end: u32,
        /// Largest accepted magnitude of the exponent.
        limit: i64,
    },
    /// The tree breaks its own invariants (a child after its parent, a second argument missing).
    #[error("expression node {node} is malformed: {what}; this is a bug in whatever built the expression")]
    Malformed {
        /// Index of the node.
        node: usize,
        /// What is wrong with it.
        what: &'static str,
    },
    /// An expression with variables where a constant is needed.
    #[error("`{name}` is a variable, but a constant is needed here: use numbers, pi, e and ln2")]
    NotConstant {
        /// The variable.
        name: String,
    },
    /// A constant expression without a value.
    #[error("`{source_text}` has no value: write an expression that is defined, such as `pi/4`")]
    UndefinedConstant {
        /// The expression as written.
        source_text: String,
    },
}

/// Why a domain cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DomainError {
    /// An end that cannot be evaluated.
    #[error("the {which} end of the domain: {cause}")]
    End {
        /// `lower` or `upper`.
        which: &'static str,
        /// What is wrong with it.
        cause: OracleError,
    },
    /// An end that is not a number.
    #[error("the {which} end of the domain is not a number: write a value such as `0` or `pi/4`")]
    NotANumber {
        /// `lower` or `upper`.
        which: &'static str,
    },
    /// Lower end above the upper one.
    #[error("the domain {lo}..{hi} is reversed: write {hi}..{lo}")]
    Reversed {
        /// Lower end as written, rounded to a double.
        lo: f64,
        /// Upper end, rounded to a double.
        hi: f64,
    },
    /// No number of the format lies inside.
    #[error("the domain {lo}..{hi} holds no {format} number: widen it")]
    Empty {
        /// Lower end, rounded to a double.
        lo: f64,
        /// Upper end, rounded to a double.
        hi: f64,
        /// `f32` or `f64`.
        format: &'static str,
    },
    /// The analysis needs a function of one variable.
    #[error("a domain a..b fits a function of one variable; this one has {vars}")]
    Variables {
        /// Number of variables.
        vars: usize,
    },
    /// The function grows without bound at a point of the domain.
    #[error("pole at {at}{}: choose a domain without it{}", if *.end { ", an end of the domain" } else { "" },
        .suggestion.as_ref().map(|s| format!(", such as {s}")).unwrap_or_default())]
    Pole {
        /// Where; the nearest double when the pole is not at one.
        at: f64,
        /// Whether this is an end of the domain.
        end: bool,
        /// A domain that avoids it, as it would be written.
        suggestion: Option<String>,
    },
    /// The function has no value on a stretch of the domain.
    #[error("undefined on {}: choose a domain without it{}", stretch((*.from, *.from_included), (*.to, *.to_included)),
        .suggestion.as_ref().map(|s| format!(", such as {s}")).unwrap_or_default())]
    Undefined {
        /// First point.
        from: f64,
        /// Whether `from` itself is undefined.
        from_included: bool,
        /// Last point.
        to: f64,
        /// Whether `to` itself is undefined.
        to_included: bool,
        /// A domain that avoids it, as it would be written.
        suggestion: Option<String>,
    },
}

fn stretch((from, from_included): (f64, bool), (to, to_included): (f64, bool)) -> String {
    if from == to {
        return format!("the point {from}");
    }
    format!("{}{from}, {to}{}", if from_included { "[" } else { "(" }, if to_included { "]" } else { ")" })
}
