//! Why a reduction does not fit a function.

/// Why a reduction does not fit a function on a domain.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Misfit {
    /// A reduction is for functions of one variable.
    #[error("the function has {0} variables, not one")]
    Variables(usize),
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
    #[error("no {name} between {from:e} and {to:e}, other than 0, solves `{equation}`")]
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
    #[error("`{identity}` does not hold: at {at} the left side is {left:e}, the right side {right:e}")]
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
    #[error("`{condition}` is not met: the left side is {left:e}, the right side {right:e}")]
    Condition {
        /// The condition as in the file.
        condition: String,
        /// Value of the left side, rounded.
        left: f64,
        /// Value of the right side, rounded.
        right: f64,
    },
    /// A constant that its type cannot hold.
    #[error("the constant {name} = {value:e} is not in the range of {ty}")]
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
