//! The names an expression can use. The parser, the printer and the reference documentation read these tables, so they
//! cannot disagree.

use crate::{Constant, Func};

/// A function with its names.
#[derive(Clone, Copy, Debug)]
pub struct FunctionInfo {
    /// What it means in the tree.
    pub func: Func,
    /// Its own name: printed back, and the stem of the emitted function's name.
    pub name: &'static str,
    /// Other spellings that are understood.
    pub aliases: &'static [&'static str],
    /// Number of arguments, 1 or 2.
    pub arity: usize,
    /// What it computes, in one phrase; `a` and `b` are its arguments.
    pub definition: &'static str,
    /// Where it is defined on the reals.
    pub domain: &'static str,
}

/// An operator of the syntax.
#[derive(Clone, Copy, Debug)]
pub struct OperatorInfo {
    /// What it means in the tree.
    pub func: Func,
    /// How it is written.
    pub symbol: &'static str,
    /// Number of operands, 1 or 2.
    pub arity: usize,
    /// What it computes; `a` and `b` are its operands.
    pub definition: &'static str,
}

/// A named constant.
#[derive(Clone, Copy, Debug)]
pub struct ConstantInfo {
    /// What it means in the tree.
    pub constant: Constant,
    /// Its own name, printed back.
    pub name: &'static str,
    /// Other spellings that are understood.
    pub aliases: &'static [&'static str],
    /// What it is.
    pub definition: &'static str,
}

/// A function that is written out in terms of others where it is used; the tree never holds it.
#[derive(Clone, Copy, Debug)]
pub struct CompositeInfo {
    /// Its name.
    pub name: &'static str,
    /// Other spellings that are understood.
    pub aliases: &'static [&'static str],
    /// Names of its arguments.
    pub params: &'static [&'static str],
    /// The expression it stands for.
    pub definition: &'static str,
}

const fn unary(
    func: Func,
    name: &'static str,
    aliases: &'static [&'static str],
    definition: &'static str,
    domain: &'static str,
) -> FunctionInfo {
    FunctionInfo { func, name, aliases, arity: 1, definition, domain }
}

const fn binary(
    func: Func,
    name: &'static str,
    aliases: &'static [&'static str],
    definition: &'static str,
    domain: &'static str,
) -> FunctionInfo {
    FunctionInfo { func, name, aliases, arity: 2, definition, domain }
}

const ALL: &str = "all reals";

/// Every function that is written as a call.
pub const FUNCTIONS: &[FunctionInfo] = &[
    binary(Func::Pow, "pow", &["power"], "a^b", "a > 0, or a = 0 and b > 0, or a < 0 and b integral"),
    unary(Func::Abs, "abs", &["fabs"], "absolute value", ALL),
    binary(Func::Min, "min", &["fmin"], "the smaller of a and b", ALL),
    binary(Func::Max, "max", &["fmax"], "the larger of a and b", ALL),
    unary(Func::Sqrt, "sqrt", &[], "square root", "a >= 0"),
    unary(Func::Cbrt, "cbrt", &[], "real cube root", ALL),
    unary(Func::Exp, "exp", &[], "e^a", ALL),
    unary(Func::Exp2, "exp2", &[], "2^a", ALL),
    unary(Func::Exp10, "exp10", &[], "10^a", ALL),
    unary(Func::Expm1, "expm1", &[], "e^a - 1", ALL),
    unary(Func::Log, "log", &["ln"], "natural logarithm", "a > 0"),
    unary(Func::Log2, "log2", &[], "logarithm to base 2", "a > 0"),
    unary(Func::Log10, "log10", &[], "logarithm to base 10", "a > 0"),
    unary(Func::Log1p, "log1p", &["ln1p"], "natural logarithm of 1 + a", "a > -1"),
    unary(Func::Sin, "sin", &[], "sine of a in radians", ALL),
    unary(Func::Cos, "cos", &[], "cosine of a in radians", ALL),
    unary(Func::Tan, "tan", &[], "tangent of a in radians", "a not an odd multiple of pi/2"),
    unary(Func::Sinpi, "sinpi", &[], "sine of pi a", ALL),
    unary(Func::Cospi, "cospi", &[], "cosine of pi a", ALL),
    unary(Func::Asin, "asin", &["arcsin"], "inverse sine, in -pi/2..pi/2", "-1 <= a <= 1"),
    unary(Func::Acos, "acos", &["arccos"], "inverse cosine, in 0..pi", "-1 <= a <= 1"),
    unary(Func::Atan, "atan", &["arctan"], "inverse tangent, in -pi/2..pi/2", ALL),
    binary(Func::Atan2, "atan2", &["arctan2"], "angle of the point with ordinate a and abscissa b", "not both zero"),
    unary(Func::Sinh, "sinh", &[], "hyperbolic sine", ALL),
    unary(Func::Cosh, "cosh", &[], "hyperbolic cosine", ALL),
    unary(Func::Tanh, "tanh", &[], "hyperbolic tangent", ALL),
    unary(Func::Asinh, "asinh", &["arsinh", "arcsinh"], "inverse hyperbolic sine", ALL),
    unary(Func::Acosh, "acosh", &["arcosh", "arccosh"], "inverse hyperbolic cosine", "a >= 1"),
    unary(Func::Atanh, "atanh", &["artanh", "arctanh"], "inverse hyperbolic tangent", "-1 < a < 1"),
    unary(Func::Erf, "erf", &[], "error function", ALL),
    unary(Func::Erfc, "erfc", &[], "1 - erf(a)", ALL),
    unary(Func::Gamma, "gamma", &["tgamma"], "gamma function", "a not 0, -1, -2, ..."),
    unary(Func::Lgamma, "lgamma", &["lngamma", "loggamma"], "log(abs(gamma(a)))", "a not 0, -1, -2, ..."),
    unary(Func::Digamma, "digamma", &["psi"], "logarithmic derivative of gamma", "a not 0, -1, -2, ..."),
    unary(Func::J0, "j0", &["besselj0"], "Bessel function of the first kind, order 0", ALL),
    unary(Func::J1, "j1", &["besselj1"], "Bessel function of the first kind, order 1", ALL),
    unary(Func::Y0, "y0", &["bessely0"], "Bessel function of the second kind, order 0", "a > 0"),
    unary(Func::Y1, "y1", &["bessely1"], "Bessel function of the second kind, order 1", "a > 0"),
    unary(Func::AiryAi, "airyai", &["ai", "airy_ai", "airy"], "Airy function of the first kind", ALL),
    binary(Func::Hypot, "hypot", &[], "sqrt(a^2 + b^2)", ALL),
    unary(Func::Floor, "floor", &[], "largest integer not above a", ALL),
];

/// Every operator, loosest first.
pub const OPERATORS: &[OperatorInfo] = &[
    OperatorInfo { func: Func::Add, symbol: "+", arity: 2, definition: "sum" },
    OperatorInfo { func: Func::Sub, symbol: "-", arity: 2, definition: "difference" },
    OperatorInfo { func: Func::Mul, symbol: "*", arity: 2, definition: "product" },
    OperatorInfo { func: Func::Div, symbol: "/", arity: 2, definition: "quotient; `1/3` is the exact third" },
    OperatorInfo { func: Func::Neg, symbol: "-", arity: 1, definition: "negation; `-x^2` is `-(x^2)`" },
    OperatorInfo { func: Func::Pow, symbol: "^", arity: 2, definition: "power; `a^b^c` is `a^(b^c)`" },
];

/// Every named constant.
pub const CONSTANTS: &[ConstantInfo] = &[
    ConstantInfo { constant: Constant::Pi, name: "pi", aliases: &[], definition: "circle constant, 3.14159..." },
    ConstantInfo { constant: Constant::E, name: "e", aliases: &[], definition: "base of the natural logarithm" },
    ConstantInfo { constant: Constant::Ln2, name: "ln2", aliases: &[], definition: "natural logarithm of 2" },
    ConstantInfo {
        constant: Constant::Infinity,
        name: "inf",
        aliases: &["infinity"],
        definition: "positive infinity, as the end of a domain only",
    },
];

/// Functions that stand for a combination of others.
pub const COMPOSITES: &[CompositeInfo] = &[
    CompositeInfo { name: "fma", aliases: &[], params: &["a", "b", "c"], definition: "a*b + c" },
    CompositeInfo { name: "square", aliases: &["sqr"], params: &["a"], definition: "a^2" },
    CompositeInfo { name: "recip", aliases: &[], params: &["a"], definition: "1/a" },
    CompositeInfo { name: "rsqrt", aliases: &["invsqrt"], params: &["a"], definition: "1/sqrt(a)" },
    CompositeInfo { name: "exp2m1", aliases: &[], params: &["a"], definition: "expm1(a*ln2)" },
    CompositeInfo { name: "log2p1", aliases: &[], params: &["a"], definition: "log1p(a)/ln2" },
    CompositeInfo { name: "tanpi", aliases: &[], params: &["a"], definition: "sinpi(a)/cospi(a)" },
    CompositeInfo { name: "sigmoid", aliases: &["logistic"], params: &["a"], definition: "1/(1 + exp(-a))" },
    CompositeInfo { name: "logit", aliases: &[], params: &["a"], definition: "log(a/(1 - a))" },
    CompositeInfo { name: "softplus", aliases: &[], params: &["a"], definition: "log1p(exp(a))" },
    CompositeInfo { name: "silu", aliases: &["swish"], params: &["a"], definition: "a/(1 + exp(-a))" },
    CompositeInfo { name: "gelu", aliases: &[], params: &["a"], definition: "a*erfc(-a/sqrt(2))/2" },
    CompositeInfo { name: "normcdf", aliases: &["ncdf"], params: &["a"], definition: "erfc(-a/sqrt(2))/2" },
];

impl FunctionInfo {
    /// The entry for a name or alias.
    pub fn by_name(name: &str) -> Option<&'static FunctionInfo> {
        FUNCTIONS.iter().find(|f| f.name == name || f.aliases.contains(&name))
    }

    /// The entry for a function; `None` for the operators that have no call form.
    pub fn of(func: Func) -> Option<&'static FunctionInfo> {
        FUNCTIONS.iter().find(|f| f.func == func)
    }
}

impl ConstantInfo {
    /// The entry for a name or alias.
    pub fn by_name(name: &str) -> Option<&'static ConstantInfo> {
        CONSTANTS.iter().find(|c| c.name == name || c.aliases.contains(&name))
    }
}

impl CompositeInfo {
    /// The entry for a name or alias.
    pub fn by_name(name: &str) -> Option<&'static CompositeInfo> {
        COMPOSITES.iter().find(|c| c.name == name || c.aliases.contains(&name))
    }
}

/// Every name that can be called, aliases included.
pub fn callable_names() -> impl Iterator<Item = &'static str> {
    let functions = FUNCTIONS.iter().map(|f| (f.name, f.aliases));
    let composites = COMPOSITES.iter().map(|c| (c.name, c.aliases));
    functions.chain(composites).flat_map(|(name, aliases)| std::iter::once(name).chain(aliases.iter().copied()))
}

/// Every name of a constant, aliases included.
pub fn constant_names() -> impl Iterator<Item = &'static str> {
    CONSTANTS.iter().flat_map(|c| std::iter::once(c.name).chain(c.aliases.iter().copied()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_name_means_two_things() {
        let mut seen = BTreeSet::new();
        for name in callable_names().chain(constant_names()).chain(["if", "then", "else", "x", "y", "nan"]) {
            assert!(seen.insert(name), "{name} is listed twice");
        }
    }
}
