//! Small expressions in usual notation: how rules, corpus pairs and skeletons are written.
//!
//! ```text
//! stmt  = { name "=" expr ";" } expr          (a name before "=" stands for one shared value)
//! expr  = term { ("+" | "-") term }
//! term  = unary { ("*" | "/") unary }
//! unary = "-" unary | number | name | function "(" expr { "," expr } ")" | "(" expr ")"
//! ```
//!
//! A minus directly before a number makes a negative literal (`-0` is the negative zero). Functions are the operations
//! by their IR names, and `fms(a,b,c) = a*b - c`, `fnma(a,b,c) = c - a*b`, `fnms(a,b,c) = -(a*b) - c`, each rounded once.
//! [`skeleton`] turns an expression into a program: `C` is a constant of its own at each place, `p0`, `p1`, … are
//! constants that every place with the same number shares, `x`, `y`, `z` and `w` are the inputs.

use crate::lang::Arith;
use mathsmith_ir::{Literal, Op, Program, Type, Value};
use std::collections::BTreeMap;

/// What an expression node does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    /// An arithmetic operation that rules may mention.
    Arith(Arith),
    /// Any other operation without payload.
    Other(Op),
}

/// A node of a [`Tree`].
#[derive(Clone, Debug, PartialEq)]
pub enum TreeNode {
    /// A name; the meaning is the user's (pattern variable, input, constant).
    Name(String),
    /// A number.
    Number(f64),
    /// An operation on earlier nodes.
    Call(Head, Vec<usize>),
}

/// A parsed expression; arguments precede their users and the last node is the whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Tree {
    /// The nodes, at least one.
    pub nodes: Vec<TreeNode>,
}

/// Why a text is not an expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {message}")]
pub struct ExprError {
    /// 1-based column in bytes.
    pub column: usize,
    /// What is wrong and what to write instead.
    pub message: String,
}

/// Parses an expression.
///
/// # Errors
/// [`ExprError`] at the first character that does not fit.
pub fn parse(text: &str) -> Result<Tree, ExprError> {
    let mut p = Parser { text, at: 0, depth: 0, nodes: Vec::new(), lets: BTreeMap::new() };
    loop {
        p.space();
        let start = p.at;
        if let Some(name) = p.name()
            && p.eat("=")
        {
            let v = p.expr()?;
            p.expect(";")?;
            p.lets.insert(name.to_owned(), v);
            continue;
        }
        p.at = start;
        break;
    }
    let root = p.expr()?;
    p.space();
    if p.at != text.len() {
        return Err(p.error("an operator or the end was expected here"));
    }
    if root + 1 != p.nodes.len() {
        // A bare shared name at the end: repeat it so that the root comes last.
        let node = p.nodes[root].clone();
        p.nodes.push(node);
    }
    Ok(Tree { nodes: p.nodes })
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    nodes: Vec<TreeNode>,
    lets: BTreeMap<String, usize>,
}

impl<'a> Parser<'a> {
    const MAX_DEPTH: usize = 200;

    fn error(&self, message: impl Into<String>) -> ExprError {
        ExprError { column: self.at + 1, message: message.into() }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn eat(&mut self, token: &str) -> bool {
        self.space();
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn expect(&mut self, token: &str) -> Result<(), ExprError> {
        if self.eat(token) { Ok(()) } else { Err(self.error(format!("`{token}` was expected here"))) }
    }

    fn name(&mut self) -> Option<&'a str> {
        self.space();
        let rest = self.rest();
        let len = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
        (len > 0 && !rest.as_bytes()[0].is_ascii_digit()).then(|| {
            self.at += len;
            &rest[..len]
        })
    }

    fn push(&mut self, node: TreeNode) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    fn call(&mut self, op: Arith, args: Vec<usize>) -> usize {
        self.push(TreeNode::Call(Head::Arith(op), args))
    }

    fn expr(&mut self) -> Result<usize, ExprError> {
        self.depth += 1;
        if self.depth > Self::MAX_DEPTH {
            return Err(self.error("the expression is nested too deeply; name a part with `s = …;`"));
        }
        let mut a = self.term()?;
        loop {
            if self.eat("+") {
                let b = self.term()?;
                a = self.call(Arith::Add, vec![a, b]);
            } else if self.eat("-") {
                let b = self.term()?;
                a = self.call(Arith::Sub, vec![a, b]);
            } else {
                self.depth -= 1;
                return Ok(a);
            }
        }
    }

    fn term(&mut self) -> Result<usize, ExprError> {
        let mut a = self.unary()?;
        loop {
            if self.eat("*") {
                let b = self.unary()?;
                a = self.call(Arith::Mul, vec![a, b]);
            } else if self.eat("/") {
                let b = self.unary()?;
                a = self.call(Arith::Div, vec![a, b]);
            } else {
                return Ok(a);
            }
        }
    }

    fn unary(&mut self) -> Result<usize, ExprError> {
        let mut minus = 0usize;
        while self.eat("-") {
            minus += 1;
        }
        self.space();
        let mut v = if self.rest().starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            let x = self.number()?;
            let negative = minus > 0;
            minus -= usize::from(negative);
            self.push(TreeNode::Number(if negative { -x } else { x }))
        } else {
            self.primary()?
        };
        for _ in 0..minus {
            v = self.call(Arith::Neg, vec![v]);
        }
        Ok(v)
    }

    fn number(&mut self) -> Result<f64, ExprError> {
        let bytes = self.rest().as_bytes();
        let mut len = 0;
        while let Some(&c) = bytes.get(len) {
            let sign = matches!(c, b'+' | b'-') && len > 0 && matches!(bytes[len - 1], b'e' | b'E');
            if !(c.is_ascii_digit() || matches!(c, b'.' | b'e' | b'E') || sign) {
                break;
            }
            len += 1;
        }
        let x = self.rest()[..len].parse::<f64>().map_err(|_| self.error("this is not a decimal number"))?;
        self.at += len;
        Ok(x)
    }

    fn primary(&mut self) -> Result<usize, ExprError> {
        if self.eat("(") {
            let v = self.expr()?;
            self.expect(")")?;
            return Ok(v);
        }
        let start = self.at;
        let Some(name) = self.name() else {
            return Err(self.error("a number, a name or `(` was expected here"));
        };
        if !self.eat("(") {
            return Ok(match self.lets.get(name) {
                Some(&v) => v,
                None => self.push(TreeNode::Name(name.to_owned())),
            });
        }
        let head =
            Arith::from_name(name).map(Head::Arith).or_else(|| Op::named().find(|o| o.name() == name).map(Head::Other));
        let Some(head) = head else {
            self.at = start;
            return Err(self.error(format!("`{name}` is not an operation")));
        };
        let arity = match head {
            Head::Arith(a) => a.arity(),
            Head::Other(o) => o.arity(),
        };
        let mut args = vec![self.expr()?];
        while self.eat(",") {
            args.push(self.expr()?);
        }
        self.expect(")")?;
        if args.len() != arity {
            self.at = start;
            return Err(self.error(format!("`{name}` takes {arity} arguments, not {}", args.len())));
        }
        Ok(self.push(TreeNode::Call(head, args)))
    }
}

/// Inputs of every skeleton, so that the programs of a pair have the same signature.
pub const INPUTS: [&str; 4] = ["x", "y", "z", "w"];

/// Reads an expression as a program of type `ty` with the inputs [`INPUTS`]; see the module documentation.
///
/// # Errors
/// [`ExprError`] for a text that is not an expression, an unknown name, or an operation not defined on `ty`.
pub fn skeleton(text: &str, ty: Type) -> Result<Program, ExprError> {
    let fail = |message: String| ExprError { column: 1, message };
    let tree = parse(text)?;
    let mut program = Program::new("skeleton");
    let inputs: Vec<Value> = INPUTS.iter().map(|n| program.input(*n, ty)).collect();
    let mut shared: BTreeMap<u32, Value> = BTreeMap::new();
    let mut values: Vec<Value> = Vec::with_capacity(tree.nodes.len());
    for node in &tree.nodes {
        let v = match node {
            TreeNode::Number(x) => {
                let lit = Literal::float(ty, *x).ok_or_else(|| fail(format!("numbers need a float type, not {ty}")))?;
                program.lit(lit)
            }
            TreeNode::Name(n) if n == "C" => program.param(format!("c{}", program.params().len()), ty, None),
            TreeNode::Name(n) => {
                if let Some(i) = INPUTS.iter().position(|i| i == n) {
                    inputs[i]
                } else if let Some(k) = n.strip_prefix('p').and_then(|k| k.parse().ok()) {
                    *shared.entry(k).or_insert_with(|| program.param(n.clone(), ty, None))
                } else {
                    return Err(fail(format!("`{n}` is unknown: write C, p0, p1, …, or one of x, y, z, w")));
                }
            }
            TreeNode::Call(head, args) => {
                let args: Vec<Value> = args.iter().map(|&a| values[a]).collect();
                match head {
                    Head::Arith(a) => a.build(&mut program, &args),
                    Head::Other(op) => program.op(*op, &args),
                }
                .map_err(|e| fail(e.to_string()))?
            }
        };
        values.push(v);
    }
    program.output(*values.last().ok_or_else(|| fail("the expression is empty".into()))?);
    Ok(program)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quick::structural_key;

    #[test]
    fn precedence_signs_and_sharing() {
        let p = skeleton("s = x + C; s*s - -2*fnma(x, y, 1)", Type::Real).unwrap();
        assert_eq!(p.params().len(), 1);
        let q = skeleton("s = x + C; (s*s) - ((-2)*fma(-x, y, 1))", Type::Real).unwrap();
        assert_eq!(structural_key(&p), structural_key(&q));
        assert_eq!(skeleton("p3*x + p3", Type::F32).unwrap().params().len(), 1);
    }

    #[test]
    fn messages_name_the_place() {
        for (text, column, part) in [
            ("x + ", 5, "expected"),
            ("foo(x)", 1, "not an operation"),
            ("fma(x, y)", 1, "3 arguments"),
            ("x y", 3, "operator"),
            ("(x", 3, "`)`"),
            ("q + 1", 1, "unknown"),
            ("floor(x, 1)", 1, "1 arguments"),
        ] {
            let e = skeleton(text, Type::Real).unwrap_err();
            assert!(e.message.contains(part), "{text}: {e}");
            assert_eq!(e.column, column, "{text}: {e}");
        }
        assert!(parse(&"(".repeat(10_000)).is_err());
    }
}
