//! Why a reduction does not fit a function.

use std::fmt;

/// A number in a message: as people write it, short where it can be.
pub(crate) struct Number(pub(crate) f64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let x = self.0;
        if x == 0.0 || !x.is_finite() || (1e-4..1e6).contains(&x.abs()) { write!(f, "{x}") } else { write!(f, "{x:e}") }
    }
}

/// Why a reduction does not fit a function on a domain.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Misfit {
    /// A reduction is for functions of one variable, or of two.
    #[error("it is for functions of {wanted} variable{}, and this one has {found}", if *.wanted == 1 { "" } else { "s" })]
    Variables {
        /// How many it has.
        found: usize,
        /// How many those have that are asked for.
        wanted: usize,
    },
    /// The function itself cannot be evaluated.
    #[error("the function cannot be evaluated: {0}")]
    Function(String),
    /// A constant has no value.
    #[error("`{formula}` is needed, but {why}")]
    Constant {
        /// The formula as in the file.
        formula: String,
        /// What is wrong.
        why: String,
    },
    /// An equation without a root.
    #[error("no {name} other than 0 between {} and {} solves `{equation}`", Number(*.from), Number(*.to))]
    Root {
        /// The unknown.
        name: String,
        /// The equation as in the file.
        equation: String,
        /// Lower end.
        from: f64,
        /// Upper end.
        to: f64,
    },
    /// An identity that does not hold.
    #[error("`{identity}` does not hold: at {at} the left side is {}, the right side {}", Number(*.left), Number(*.right))]
    Identity {
        /// The identity as in the file.
        identity: String,
        /// The point, such as `x = 0.5`.
        at: String,
        /// Value of the left side, rounded.
        left: f64,
        /// Value of the right side, rounded.
        right: f64,
    },
    /// An identity that could hardly be tested.
    #[error("`{identity}` cannot be tested: both sides have values at {points} points of the domain only")]
    Points {
        /// The identity as in the file.
        identity: String,
        /// Points at which both sides are defined and finite.
        points: usize,
    },
    /// A condition that is not met.
    #[error("`{condition}` is not met: the left side is {}, the right side {}", Number(*.left), Number(*.right))]
    Condition {
        /// The condition as in the file.
        condition: String,
        /// Value of the left side, rounded.
        left: f64,
        /// Value of the right side, rounded.
        right: f64,
    },
    /// A constant that its type cannot hold.
    #[error("the constant {name} = {} is not in the range of {ty}", Number(*.value))]
    Range {
        /// The constant.
        name: String,
        /// Its value, rounded.
        value: f64,
        /// The type.
        ty: &'static str,
    },
    /// No frame for this arithmetic.
    #[error("it has no frame for programs {} fused operations", if *.fused { "with" } else { "without" })]
    Frame {
        /// Whether programs with fused operations are asked for.
        fused: bool,
    },
}
