//! A reference expression as C with calls of a library: what people write where there is no function for it.

use crate::known::name_in_c;
use mathsmith_dsl::functions::FunctionInfo;
use mathsmith_dsl::{Constant, Expr, ExprId, ExprNode, Func};

/// The body of a C function of `x` in single precision; `call` names the library's function for a name of C without its
/// final `f`, and is not asked for square roots, absolute values and extremes where `plain` has them in C's own words.
///
/// # Errors
/// What of the expression the library does not have.
pub fn body(expr: &Expr, call: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    write(expr, expr.root, call)
}

/// Whether the expression is nothing but a call of one function of `x`.
pub fn is_single_call(expr: &Expr) -> bool {
    match expr.node(expr.root) {
        ExprNode::Call(func, a, None) => !matches!(func, Func::Neg) && matches!(expr.node(*a), ExprNode::Var(_)),
        _ => false,
    }
}

fn write(expr: &Expr, id: ExprId, call: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let of = |id: ExprId| write(expr, id, call);
    Ok(match expr.node(id) {
        ExprNode::Number(n) => {
            let text = match n.radix {
                16 => format!("0x{}p{}", n.digits, n.exponent),
                _ => format!("{}e{}", n.digits, n.exponent),
            };
            format!("{text}f")
        }
        ExprNode::Constant(Constant::Pi) => "3.14159265358979323846f".into(),
        ExprNode::Constant(Constant::E) => "2.71828182845904523536f".into(),
        ExprNode::Constant(Constant::Ln2) => "0.693147180559945309417f".into(),
        ExprNode::Constant(Constant::Infinity) => return Err("an infinity".into()),
        ExprNode::Var(_) => "x".into(),
        ExprNode::If { cmp, lhs, rhs, then, otherwise } => {
            format!("({} {cmp} {} ? {} : {})", of(*lhs)?, of(*rhs)?, of(*then)?, of(*otherwise)?)
        }
        ExprNode::Call(func, a, None) => {
            let argument = of(*a)?;
            if *func == Func::Neg {
                return Ok(format!("(-{argument})"));
            }
            format!("{}({argument})", named(*func, call)?)
        }
        ExprNode::Call(func, a, Some(b)) => {
            let (left, right) = (of(*a)?, of(*b)?);
            let operator = match func {
                Func::Add => "+",
                Func::Sub => "-",
                Func::Mul => "*",
                Func::Div => "/",
                Func::Pow if square(expr, *b) => return Ok(format!("({left} * {left})")),
                _ => return Ok(format!("{}({left}, {right})", named(*func, call)?)),
            };
            format!("({left} {operator} {right})")
        }
    })
}

/// Whether an exponent is 2, which everybody writes as a product.
fn square(expr: &Expr, id: ExprId) -> bool {
    matches!(expr.node(id), ExprNode::Number(n) if n.digits == "2" && n.exponent == 0)
}

fn named(func: Func, call: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let name = FunctionInfo::of(func).map_or("", |f| f.name);
    let in_c = match func {
        Func::Min => Some("fmin"),
        Func::Max => Some("fmax"),
        _ => name_in_c(name),
    };
    in_c.and_then(call).ok_or_else(|| format!("no {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(source: &str) -> Result<String, String> {
        body(&mathsmith_dsl::parse_expr(source).unwrap(), &|name| (name != "sinpi").then(|| format!("{name}f")))
    }

    #[test]
    fn expressions_become_c() {
        assert_eq!(text("1/(1 + exp(-x))").unwrap(), "(1e0f / (1e0f + expf((-x))))");
        assert_eq!(text("max(x, 0)^2").unwrap(), "(fmaxf(x, 0e0f) * fmaxf(x, 0e0f))");
        assert_eq!(text("if x < 0.5 then abs(x) else x^1.5").unwrap(), "(x < 5e-1f ? fabsf(x) : powf(x, 15e-1f))");
        assert_eq!(text("sinpi(x)").unwrap_err(), "no sinpi");
        assert_eq!(text("digamma(x)").unwrap_err(), "no digamma");
        let single = |t: &str| is_single_call(&mathsmith_dsl::parse_expr(t).unwrap());
        assert!(single("tanh(x)") && !single("2^x") && !single("-x") && !single("exp(2*x)"));
    }
}
