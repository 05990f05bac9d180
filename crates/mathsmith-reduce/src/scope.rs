//! What the names in a reduction's formulas mean for one function: constants with their values, and `f`.

use crate::misfit::{Misfit, Number};
use crate::reduction::Formula;
use mathsmith_dsl::{Constant, ExactNumber, Expr, ExprId, ExprNode, Func, Meaning, Span, parse_expr_with_definitions};
use mathsmith_oracle::{Reference, const_enclosure};
use rug::{Float, Integer};
use std::cell::RefCell;

/// Bits of a named constant. Its computation carries more, so that another way to write the same function, whose noise
/// lies beyond, gives the same constant, and an exact simple number comes out exactly.
pub(crate) const CONSTANT_BITS: u32 = 320;
/// Bits of a value of the function at a constant, inside of formulas.
const VALUE_BITS: u32 = 400;
/// Bits beyond those asked for, for what is rounded afterwards.
const GUARD_BITS: u32 = 64;

/// A constant of a reduction.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) value: Float,
    literal: Expr,
}

/// A function of one variable, for all reductions that are tried on it.
pub(crate) struct Subject<'a> {
    function: &'a Expr,
    reference: Reference,
    /// Values at constants so far: a limit takes long, and many reductions ask for the same one.
    known: RefCell<Vec<(Float, Float)>>,
}

impl<'a> Subject<'a> {
    pub(crate) fn new(function: &'a Expr) -> Result<Subject<'a>, Misfit> {
        if function.vars.len() != 1 {
            return Err(Misfit::Variables(function.vars.len()));
        }
        let reference = Reference::new(function).map_err(|e| Misfit::Function(e.to_string()))?;
        Ok(Subject { function, reference, known: RefCell::default() })
    }

    /// The value at a constant, to [`VALUE_BITS`]; limits are taken.
    fn at(&self, x: &Float) -> Float {
        if let Some((_, value)) = self.known.borrow().iter().find(|(known, _)| known == x) {
            return value.clone();
        }
        let value = self.reference.value_at(std::slice::from_ref(x), VALUE_BITS + GUARD_BITS);
        let value = Float::with_val(VALUE_BITS, value);
        self.known.borrow_mut().push((x.clone(), value.clone()));
        value
    }
}

/// A function and the constants of a reduction so far.
pub(crate) struct Scope<'a> {
    subject: &'a Subject<'a>,
    pub(crate) constants: Vec<Named>,
}

impl<'a> Scope<'a> {
    /// A scope without constants.
    pub(crate) fn new(subject: &'a Subject<'a>) -> Scope<'a> {
        Scope { subject, constants: Vec::new() }
    }

    /// Adds a constant, rounded to [`CONSTANT_BITS`].
    pub(crate) fn define(&mut self, name: &str, value: &Float) {
        let value = Float::with_val(CONSTANT_BITS, value);
        let literal = literal(&value);
        self.constants.push(Named { name: name.to_string(), value, literal });
    }

    /// The value of a constant.
    pub(crate) fn get(&self, name: &str) -> Option<&Float> {
        self.constants.iter().find(|named| named.name == name).map(|named| &named.value)
    }

    /// A formula as an ordinary expression in `vars`: the function substituted, constants in their places.
    pub(crate) fn expr(&self, formula: &Formula, vars: &[&str]) -> Result<Expr, Misfit> {
        let apply = |argument: &Expr| {
            let varies = argument.nodes.iter().any(|node| matches!(node, ExprNode::Var(_)));
            if varies { Ok(self.subject.function.applied(argument)) } else { self.at_constant(argument) }
        };
        let mut definitions = vec![("f", Meaning::Function(&apply))];
        definitions.extend(self.constants.iter().map(|named| (named.name.as_str(), Meaning::Constant(&named.literal))));
        parse_expr_with_definitions(&formula.text, vars, &definitions)
            .map_err(|error| Misfit::Constant { formula: formula.text.clone(), why: error.message })
    }

    /// A formula as a reference.
    pub(crate) fn reference(&self, formula: &Formula, vars: &[&str]) -> Result<Reference, Misfit> {
        compiled(&self.expr(formula, vars)?, formula)
    }

    /// The value of a formula without variables; may be infinite.
    pub(crate) fn value(&self, formula: &Formula) -> Result<Float, Misfit> {
        let value = self.reference(formula, &[])?.value_at(&[], VALUE_BITS + GUARD_BITS);
        if value.is_nan() {
            return Err(Misfit::Constant { formula: formula.text.clone(), why: "it has no value".into() });
        }
        Ok(Float::with_val(VALUE_BITS, value))
    }

    /// The value of the function at a constant argument, as a number: a limit where it is one.
    fn at_constant(&self, argument: &Expr) -> Result<Expr, String> {
        let constant = Expr { vars: vec![], ..argument.clone() };
        let infinite = constant.nodes.contains(&ExprNode::Constant(Constant::Infinity));
        let at = if infinite {
            let value = const_enclosure(&constant, 64).map_err(|e| e.to_string())?;
            if !(value.is_thin() && value.lo.is_infinite()) {
                return Err("a limit is asked for at `inf` or `-inf` only".into());
            }
            value.lo
        } else {
            let argument = Reference::new(&constant).map_err(|e| e.to_string())?;
            argument.value_at(&[], VALUE_BITS + GUARD_BITS)
        };
        let shown = Number(at.to_f64());
        let value = self.subject.at(&at);
        match value.is_finite() {
            true => Ok(Expr { vars: argument.vars.clone(), ..literal(&value) }),
            false if value.is_nan() => Err(format!("the function has no value at {shown}")),
            false => Err(format!("the function is infinite at {shown}")),
        }
    }
}

/// An expression as a reference.
pub(crate) fn compiled(expr: &Expr, formula: &Formula) -> Result<Reference, Misfit> {
    Reference::new(expr).map_err(|e| Misfit::Constant { formula: formula.text.clone(), why: e.to_string() })
}

/// A finite number as an expression, exactly and in one way only.
fn literal(value: &Float) -> Expr {
    let (digits, exponent) = match value.to_integer_exp() {
        Some((integer, exponent)) if integer != 0 => {
            let trailing = integer.find_one(0).unwrap_or(0);
            ((integer >> trailing).abs(), i64::from(exponent) + i64::from(trailing))
        }
        _ => (Integer::new(), 0),
    };
    let number = ExactNumber { digits: digits.to_string_radix(16), radix: 16, exponent };
    let mut nodes = vec![ExprNode::Number(number)];
    if value.is_sign_negative() && !value.is_zero() {
        nodes.push(ExprNode::Call(Func::Neg, ExprId(0), None));
    }
    let root = ExprId(nodes.len() as u32 - 1);
    Expr { source: value.to_f64().to_string(), vars: vec![], spans: vec![Span::default(); nodes.len()], nodes, root }
}
