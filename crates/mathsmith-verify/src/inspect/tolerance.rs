//! A tolerance `t(x, y)`: how far a result may lie from the exact value `y` at `x`.
//!
//! The exact value is put in the place of `y`, so that what is evaluated is one function of the arguments alone, with a
//! rigorous bound in doubles and any precision in MPFR, like every reference.

use crate::VerifyError;
use mathsmith_dsl::{Expr, ExprId, ExprNode};
use mathsmith_oracle::Reference;

/// A tolerance as an expression of the arguments and of `y`, the exact value.
#[derive(Clone, Debug)]
pub struct Tolerance {
    text: String,
    value: Reference,
}

impl Tolerance {
    /// The tolerance `tolerance` for results of `function`. The variables of `tolerance` are those of `function`, `x` for
    /// the only one of a function of one variable, and `y` for the exact value.
    ///
    /// # Errors
    /// [`VerifyError::Tolerance`] if it names another variable, if `y` could mean an argument as well, or if the oracle
    /// refuses it.
    pub fn new(tolerance: &Expr, function: &Expr) -> Result<Tolerance, VerifyError> {
        let text = tolerance.source.clone();
        let refuse = |what: String| VerifyError::Tolerance { tolerance: text.clone(), what };
        let mut nodes = function.nodes.clone();
        let mut spans = function.spans.clone();
        let mut place: Vec<ExprId> = Vec::with_capacity(tolerance.nodes.len());
        for (node, &span) in tolerance.nodes.iter().zip(&tolerance.spans) {
            let at = |id: &ExprId| place[id.0 as usize];
            let moved = match node {
                ExprNode::Var(v) => {
                    let name = &tolerance.vars[*v as usize];
                    let argument = function.vars.iter().position(|f| f == name);
                    match (name.as_str(), argument) {
                        ("y", Some(_)) => {
                            return Err(refuse(
                                "`y` is an argument of the reference, and in a tolerance it means the exact value; \
                                 rename the argument"
                                    .to_owned(),
                            ));
                        }
                        ("y", None) => {
                            place.push(function.root);
                            continue;
                        }
                        (_, Some(index)) => ExprNode::Var(index as u32),
                        ("x", None) if function.vars.len() == 1 => ExprNode::Var(0),
                        _ => {
                            return Err(refuse(format!(
                                "`{name}` is neither an argument of the reference nor `y`, the exact value"
                            )));
                        }
                    }
                }
                ExprNode::Number(_) | ExprNode::Constant(_) => node.clone(),
                ExprNode::Call(f, a, b) => ExprNode::Call(*f, at(a), b.as_ref().map(at)),
                ExprNode::If { cmp, lhs, rhs, then, otherwise } => ExprNode::If {
                    cmp: *cmp,
                    lhs: at(lhs),
                    rhs: at(rhs),
                    then: at(then),
                    otherwise: at(otherwise),
                },
            };
            place.push(ExprId(nodes.len() as u32));
            nodes.push(moved);
            spans.push(span);
        }
        let composed = Expr {
            source: text.clone(),
            vars: function.vars.clone(),
            nodes,
            spans,
            root: place[tolerance.root.0 as usize],
        };
        let value = Reference::new(&composed).map_err(|e| refuse(e.to_string()))?;
        Ok(Tolerance { text, value })
    }

    /// The tolerance as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The tolerance as a function of the arguments.
    pub fn value(&self) -> &Reference {
        &self.value
    }
}
