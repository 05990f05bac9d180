//! What can go wrong when a form is prepared for fitting.

/// Why a program cannot be fitted, or was given unfit data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FitError {
    /// The program does not have exactly one output.
    #[error("fitting needs a program with one output, this one has {0}; set one output before fitting")]
    Outputs(usize),
    /// An operation has no meaning on reals, or none that can be differentiated.
    #[error("value v{value}: `{what}` cannot be fitted; fit the real-valued part of the program on its own")]
    Unsupported {
        /// Index of the program's node.
        value: u32,
        /// Mnemonic and type.
        what: String,
    },
    /// The program has more values than a tape can address.
    #[error("the program has {0} values, a fit takes at most 65535; split it")]
    TooLarge(usize),
    /// Columns or parameters of the wrong number or length.
    #[error("{what}: {given} given, {wanted} expected")]
    Shape {
        /// Which argument.
        what: &'static str,
        /// What was passed.
        given: usize,
        /// What the program needs.
        wanted: usize,
    },
    /// The domain is empty, reversed or not finite.
    #[error("the domain {0}..{1} is not an interval of positive finite length; give it as A..B with A < B")]
    Domain(String, String),
    /// A target value is NaN or infinite.
    #[error("the reference is not finite at x = {0}; exclude the point from the domain")]
    Target(String),
    /// No starting point gave finite residuals.
    #[error("the form is not finite on the domain for any starting constants; give starting values or change the form")]
    NoStart,
    /// A fixed parameter's value is not a float.
    #[error("parameter `{0}` is fixed to a value that is not a finite float of its type")]
    Fixed(String),
    /// Rounding needs a machine format.
    #[error("constants can be rounded to f32 and f64, not to {0}; give the form one of these types")]
    Format(mathsmith_ir::Type),
    /// The engine refused to run the program.
    #[error("the program cannot be run: {0}")]
    Engine(#[from] mathsmith_ir::EngineError),
}
