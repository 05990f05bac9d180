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

/// A function of one variable or of two, for all reductions that are tried on it.
pub(crate) struct Subject<'a> {
    function: &'a Expr,
    reference: Reference,
    /// Values at constants so far: a limit takes long, and many reductions ask for the same one.
    known: RefCell<Vec<(Vec<Float>, Float)>>,
}

impl<'a> Subject<'a> {
    pub(crate) fn new(function: &'a Expr) -> Result<Subject<'a>, Misfit> {
        Subject::of(function, 1)
    }

    /// A function of `wanted` variables.
    pub(crate) fn of(function: &'a Expr, wanted: usize) -> Result<Subject<'a>, Misfit> {
        let found = function.vars.len();
        if found != wanted {
            return Err(Misfit::Variables { found, wanted });
        }
        let reference = Reference::new(function).map_err(|e| Misfit::Function(e.to_string()))?;
        Ok(Subject { function, reference, known: RefCell::default() })
    }

    /// The value at a constant, to [`VALUE_BITS`]; limits are taken.
    fn at(&self, x: &[Float]) -> Float {
        if let Some((_, value)) = self.known.borrow().iter().find(|(known, _)| known == x) {
            return value.clone();
        }
        let value = self.reference.value_at(x, VALUE_BITS + GUARD_BITS);
        let value = Float::with_val(VALUE_BITS, value);
        self.known.borrow_mut().push((x.to_vec(), value.clone()));
        value
    }

    /// How many variables it has.
    pub(crate) fn variables(&self) -> usize {
        self.function.vars.len()
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
        let varies = |argument: &Expr| argument.nodes.iter().any(|node| matches!(node, ExprNode::Var(_)));
        let apply = |argument: &Expr| match varies(argument) {
            true => Ok(self.subject.function.applied(argument)),
            false => self.at_constant(&[argument]),
        };
        let of_two = |a: &Expr, b: &Expr| match varies(a) || varies(b) {
            true => Ok(self.subject.function.applied_to_two(a, b)),
            false => self.at_constant(&[a, b]),
        };
        let two = self.subject.variables() == 2;
        let mut definitions = vec![("f", if two { Meaning::Binary(&of_two) } else { Meaning::Function(&apply) })];
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

    /// The value of the function at constant arguments, as a number: a limit where it is one.
    fn at_constant(&self, arguments: &[&Expr]) -> Result<Expr, String> {
        let at = arguments.iter().map(|argument| number(argument)).collect::<Result<Vec<Float>, String>>()?;
        let shown: Vec<String> = at.iter().map(|at| Number(at.to_f64()).to_string()).collect();
        let shown = shown.join(", ");
        let value = self.subject.at(&at);
        match value.is_finite() {
            true => Ok(Expr { vars: arguments[0].vars.clone(), ..literal(&value) }),
            false if value.is_nan() => Err(format!("the function has no value at {shown}")),
            false => Err(format!("the function is infinite at {shown}")),
        }
    }
}

/// The value of an expression without variables; infinite only where it is an infinity itself.
fn number(argument: &Expr) -> Result<Float, String> {
    let constant = Expr { vars: vec![], ..argument.clone() };
    let infinite = constant.nodes.contains(&ExprNode::Constant(Constant::Infinity));
    if !infinite {
        let argument = Reference::new(&constant).map_err(|e| e.to_string())?;
        return Ok(argument.value_at(&[], VALUE_BITS + GUARD_BITS));
    }
    let value = const_enclosure(&constant, 64).map_err(|e| e.to_string())?;
    if !(value.is_thin() && value.lo.is_infinite()) {
        return Err("a limit is asked for at `inf` or `-inf` only".into());
    }
    Ok(value.lo)
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
