//! Writes an expression in the syntax that the parser reads, with no bracket that the tree does not need.

use crate::functions::{CONSTANTS, FunctionInfo, OPERATORS};
use crate::{Cmp, ExactNumber, Expr, ExprId, ExprNode, Func};
use std::fmt;

/// How tightly a printed form binds; an operand in a tighter place needs brackets.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    /// A condition reaches as far to the right as it can.
    Open,
    Sum,
    Product,
    Sign,
    Power,
    Closed,
}

impl fmt::Display for Expr {
    /// The tree as text; parsing it again gives the same tree.
    ///
    /// The recursion is as deep as the tree is high, which the parser limits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, self.root, Binding::Open)
    }
}

impl Expr {
    /// Whether both are the same tree over the same variables: source text, spans and the order of nodes aside.
    pub fn same_tree(&self, other: &Expr) -> bool {
        let mut pending = vec![(self.root, other.root)];
        while let Some((a, b)) = pending.pop() {
            match (self.node(a), other.node(b)) {
                (ExprNode::Call(f, a0, a1), ExprNode::Call(g, b0, b1)) if f == g && a1.is_some() == b1.is_some() => {
                    pending.push((*a0, *b0));
                    pending.extend(a1.zip(*b1));
                }
                (
                    ExprNode::If { cmp: f, lhs: a0, rhs: a1, then: a2, otherwise: a3 },
                    ExprNode::If { cmp: g, lhs: b0, rhs: b1, then: b2, otherwise: b3 },
                ) if f == g => pending.extend([(*a0, *b0), (*a1, *b1), (*a2, *b2), (*a3, *b3)]),
                (ExprNode::Var(a), ExprNode::Var(b)) => {
                    if self.vars.get(*a as usize) != other.vars.get(*b as usize) {
                        return false;
                    }
                }
                (a @ (ExprNode::Number(_) | ExprNode::Constant(_)), b) if a == b => {}
                _ => return false,
            }
        }
        true
    }

    fn binding(&self, id: ExprId) -> Binding {
        match self.node(id) {
            ExprNode::If { .. } => Binding::Open,
            ExprNode::Call(Func::Add | Func::Sub, ..) => Binding::Sum,
            ExprNode::Call(Func::Mul | Func::Div, ..) => Binding::Product,
            ExprNode::Call(Func::Neg, ..) => Binding::Sign,
            ExprNode::Call(Func::Pow, ..) => Binding::Power,
            _ => Binding::Closed,
        }
    }

    /// Writes a node where at least `place` is needed.
    fn write(&self, f: &mut fmt::Formatter<'_>, id: ExprId, place: Binding) -> fmt::Result {
        let own = self.binding(id);
        if own < place {
            f.write_str("(")?;
            self.write(f, id, Binding::Open)?;
            return f.write_str(")");
        }
        match self.node(id) {
            ExprNode::Number(number) => write!(f, "{number}"),
            ExprNode::Constant(constant) => {
                let info = CONSTANTS.iter().find(|c| c.constant == *constant);
                f.write_str(info.expect("every constant is in the table").name)
            }
            ExprNode::Var(index) => f.write_str(self.vars.get(*index as usize).map_or("x", String::as_str)),
            ExprNode::Call(Func::Neg, a, _) => {
                f.write_str("-")?;
                self.write(f, *a, Binding::Sign)
            }
            ExprNode::Call(Func::Pow, a, Some(b)) => {
                self.write(f, *a, Binding::Closed)?;
                f.write_str("^")?;
                self.write(f, *b, Binding::Sign)
            }
            ExprNode::Call(func, a, b) => match (OPERATORS.iter().find(|o| o.func == *func), b) {
                (Some(operator), Some(b)) => {
                    let (space, tighter) = match own {
                        Binding::Sum => (" ", Binding::Product),
                        _ => ("", Binding::Sign),
                    };
                    self.write(f, *a, own)?;
                    write!(f, "{space}{}{space}", operator.symbol)?;
                    self.write(f, *b, tighter)
                }
                _ => {
                    let info = FunctionInfo::of(*func).expect("every function that is no operator is in the table");
                    write!(f, "{}(", info.name)?;
                    self.write(f, *a, Binding::Open)?;
                    if let Some(b) = b {
                        f.write_str(", ")?;
                        self.write(f, *b, Binding::Open)?;
                    }
                    f.write_str(")")
                }
            },
            ExprNode::If { cmp, lhs, rhs, then, otherwise } => {
                f.write_str("if ")?;
                self.write(f, *lhs, Binding::Sum)?;
                write!(f, " {cmp} ")?;
                self.write(f, *rhs, Binding::Sum)?;
                f.write_str(" then ")?;
                self.write(f, *then, Binding::Open)?;
                f.write_str(" else ")?;
                self.write(f, *otherwise, Binding::Open)
            }
        }
    }
}

impl fmt::Display for Cmp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Cmp::Lt => "<",
            Cmp::Le => "<=",
            Cmp::Gt => ">",
            Cmp::Ge => ">=",
            Cmp::Eq => "==",
            Cmp::Ne => "!=",
        })
    }
}

impl fmt::Display for ExactNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.radix == 16 {
            let (head, tail) = self.digits.split_at(1.min(self.digits.len()));
            return match tail {
                "" => write!(f, "0x{head}p{}", self.exponent),
                _ => write!(f, "0x{head}.{tail}p{}", self.exponent + 4 * tail.len() as i64),
            };
        }
        let length = self.digits.len() as i64;
        match self.exponent {
            0 => f.write_str(&self.digits),
            e if e < 0 && -e < length => {
                let (whole, fraction) = self.digits.split_at((length + e) as usize);
                write!(f, "{whole}.{fraction}")
            }
            e if e < 0 && -e <= length + 3 => write!(f, "0.{:0>width$}", self.digits, width = -e as usize),
            e => write!(f, "{}e{e}", self.digits),
        }
    }
}
