//! From a form that a person wrote, such as `1 + x*(c1 + x*c2)`, to the program graph, as written.
//!
//! Subexpressions without variables and parameters become one literal, correctly rounded to the type. With `contract`,
//! a sum with a product becomes `fma`, the product on the right first: the two readings are the plain and fma variants
//! of the form.

use mathsmith_dsl::{Expr, ExprId, ExprNode, Func, Span};
use mathsmith_ir::{Literal, Op, Program, RealLit, Type, Value};
use mathsmith_oracle::Reference;

/// Why a form cannot be made a program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FormError {
    /// Where in the form.
    pub span: Span,
    /// What is wrong and what to do.
    pub message: String,
}

/// Builds the program of a form over `ty` (`f32`, `f64` or `real`).
///
/// The first variable of `expr` is the input; the others become parameters, in their order.
///
/// # Errors
/// [`FormError`] for an operation that a form may not contain (`exp`, `sin`, …), with the operations that it may.
pub fn build(expr: &Expr, name: &str, ty: Type, contract: bool) -> Result<Program, FormError> {
    let mut builder = Builder { expr, ty, contract, program: Program::new(name), vars: Vec::new(), uses: uses(expr) };
    for (i, var) in expr.vars.iter().enumerate() {
        let v = if i == 0 { builder.program.input(var, ty) } else { builder.program.param(var, ty, None) };
        builder.vars.push(v);
    }
    let root = builder.value(expr.root)?;
    builder.program.output(root);
    Ok(builder.program.compacted())
}

struct Builder<'a> {
    expr: &'a Expr,
    ty: Type,
    contract: bool,
    program: Program,
    vars: Vec<Value>,
    uses: Vec<u32>,
}

fn uses(expr: &Expr) -> Vec<u32> {
    let mut uses = vec![0; expr.nodes.len()];
    for node in &expr.nodes {
        for child in children(node) {
            uses[child.0 as usize] += 1;
        }
    }
    uses
}

fn children(node: &ExprNode) -> Vec<ExprId> {
    match *node {
        ExprNode::Call(_, a, b) => std::iter::once(a).chain(b).collect(),
        ExprNode::If { lhs, rhs, then, otherwise, .. } => vec![lhs, rhs, then, otherwise],
        _ => Vec::new(),
    }
}

impl Builder<'_> {
    fn error(&self, id: ExprId, message: impl Into<String>) -> FormError {
        FormError { span: self.expr.spans[id.0 as usize], message: message.into() }
    }

    fn is_constant(&self, id: ExprId) -> bool {
        match self.expr.node(id) {
            ExprNode::Var(_) => false,
            node => children(node).into_iter().all(|c| self.is_constant(c)),
        }
    }

    fn constant(&mut self, id: ExprId) -> Result<Value, FormError> {
        let sub = Expr { root: id, ..self.expr.clone() };
        let reference = Reference::new(&sub).map_err(|e| self.error(id, e.to_string()))?;
        let zeros = vec![0.0; reference.vars().len()];
        let literal = match self.ty {
            Type::F32 => Literal::F32(reference.round_f32(&zeros)),
            Type::F64 => Literal::F64(reference.round_f64(&zeros)),
            _ => Literal::Real(real_literal(&reference, &zeros)),
        };
        match literal.to_f64() {
            Some(x) if x.is_finite() => Ok(self.program.lit(literal)),
            _ => Err(self.error(id, "this constant is not a finite number")),
        }
    }

    /// The factors of a product that only the node above uses.
    fn product(&self, id: ExprId) -> Option<(ExprId, ExprId)> {
        match *self.expr.node(id) {
            ExprNode::Call(Func::Mul, a, Some(b))
                if self.contract && self.uses[id.0 as usize] == 1 && !self.is_constant(id) =>
            {
                Some((a, b))
            }
            _ => None,
        }
    }

    fn must(&mut self, op: Op, args: &[Value]) -> Value {
        self.program.must(op, args)
    }

    fn sum(&mut self, a: ExprId, b: ExprId) -> Result<Value, FormError> {
        let (factors, rest) = match (self.product(a), self.product(b)) {
            (_, Some(f)) => (f, a),
            (Some(f), None) => (f, b),
            (None, None) => {
                let (a, b) = (self.value(a)?, self.value(b)?);
                return Ok(self.must(Op::Add, &[a, b]));
            }
        };
        let (x, y, z) = (self.value(factors.0)?, self.value(factors.1)?, self.value(rest)?);
        Ok(self.must(Op::Fma, &[x, y, z]))
    }

    fn difference(&mut self, a: ExprId, b: ExprId) -> Result<Value, FormError> {
        if let Some((x, y)) = self.product(b) {
            let (x, y, z) = (self.value(x)?, self.value(y)?, self.value(a)?);
            let x = self.must(Op::Neg, &[x]);
            return Ok(self.must(Op::Fma, &[x, y, z]));
        }
        if let Some((x, y)) = self.product(a) {
            let (x, y, z) = (self.value(x)?, self.value(y)?, self.value(b)?);
            let z = self.must(Op::Neg, &[z]);
            return Ok(self.must(Op::Fma, &[x, y, z]));
        }
        let (a, b) = (self.value(a)?, self.value(b)?);
        Ok(self.must(Op::Sub, &[a, b]))
    }

    /// `base^n` for a positive integer by repeated squaring.
    fn power(&mut self, id: ExprId, base: ExprId, exponent: ExprId) -> Result<Value, FormError> {
        let help = "a form's power needs a whole exponent from 1 to 64, such as x^2";
        let n = match self.expr.node(exponent) {
            ExprNode::Number(n) if n.radix == 10 && n.exponent == 0 => n.digits.parse::<u32>().ok(),
            _ => None,
        };
        let Some(mut n) = n.filter(|n| (1..=64).contains(n)) else {
            return Err(self.error(id, help));
        };
        let mut square = self.value(base)?;
        let mut result = None;
        loop {
            if n & 1 == 1 {
                result = Some(match result {
                    None => square,
                    Some(r) => self.must(Op::Mul, &[r, square]),
                });
            }
            n >>= 1;
            if n == 0 {
                return result.ok_or_else(|| self.error(id, help));
            }
            square = self.must(Op::Mul, &[square, square]);
        }
    }

    fn value(&mut self, id: ExprId) -> Result<Value, FormError> {
        if let ExprNode::Var(i) = *self.expr.node(id) {
            return Ok(self.vars[i as usize]);
        }
        if self.is_constant(id) {
            return self.constant(id);
        }
        match *self.expr.node(id) {
            ExprNode::Call(Func::Add, a, Some(b)) => self.sum(a, b),
            ExprNode::Call(Func::Sub, a, Some(b)) => self.difference(a, b),
            ExprNode::Call(Func::Pow, a, Some(b)) => self.power(id, a, b),
            ExprNode::Call(func, a, b) => {
                let op = match func {
                    Func::Mul => Op::Mul,
                    Func::Div => Op::Div,
                    Func::Min => Op::Min,
                    Func::Max => Op::Max,
                    Func::Neg => Op::Neg,
                    Func::Abs => Op::Abs,
                    Func::Sqrt => Op::Sqrt,
                    Func::Floor => Op::Floor,
                    _ => {
                        return Err(self.error(
                            id,
                            "a form is made of + - * / ^, sqrt, abs, min, max, floor, numbers, x and free constants",
                        ));
                    }
                };
                let mut args = vec![self.value(a)?];
                if let Some(b) = b {
                    args.push(self.value(b)?);
                }
                Ok(self.must(op, &args))
            }
            _ => Err(self.error(id, "a form has no conditions; write it without `if`")),
        }
    }
}

/// The value of a constant reference as a real literal, to about 106 bits.
pub fn real_literal(reference: &Reference, at: &[f64]) -> RealLit {
    let (hi, lo) = reference.value_dd(at);
    RealLit::from_sum([hi, lo, 0.0])
}
