//! Recursive descent over the tokens of an expression.
//!
//! ```text
//! expr    = "if" cond "then" expr "else" expr | "if" "(" compare "," expr "," expr ")" | sum
//! cond    = compare | "(" compare ")"
//! compare = sum ("<" | "<=" | ">" | ">=" | "==" | "!=") sum
//! sum     = product (("+" | "-") product)*
//! product = unary (("*" | "/") unary)*
//! unary   = ("-" | "+") unary | power
//! power   = primary ("^" unary)?
//! primary = number | name | name "(" expr ("," expr)* ")" | "(" expr ")"
//! ```
//!
//! Depth and size are limited, so that no input exhausts the stack of this parser or of anyone who walks the tree.

use crate::diagnostic::quote;
use crate::functions::{self, CompositeInfo, ConstantInfo, FunctionInfo};
use crate::lex::{self, Fail, Lexeme, Token};
use crate::suggest::nearest;
use crate::{Cmp, Code, Constant, Diagnostic, Expr, ExprId, ExprNode, Func, Span};

/// Brackets, calls, conditions, signs and exponents may be nested this deep.
const DEEPEST_NESTING: u32 = 200;
/// Greatest height of a tree (a sum of n terms has height n).
const HIGHEST_TREE: u32 = 1000;
/// Greatest number of nodes of a tree.
const MOST_NODES: usize = 20_000;

/// Parses an expression in the variable `x`, or in `x` and `y`.
///
/// [`Expr::vars`] is `["x"]` where `y` does not occur and `["x", "y"]` where it does, in this order.
///
/// # Errors
///
/// A diagnostic with the place and a way out; its spans point into `source`.
///
/// ```
/// let f = mathsmith_dsl::parse_expr("x*0.5*(1 + erf(x/sqrt(2)))").unwrap();
/// assert_eq!(f.vars, ["x"]);
/// let problem = mathsmith_dsl::parse_expr("tahn(x)").unwrap_err();
/// assert!(problem.help.unwrap().contains("tanh"));
/// ```
pub fn parse_expr(source: &str) -> Result<Expr, Diagnostic> {
    let mut expr = parse_expr_with_vars(source, &["x", "y"])?;
    if !expr.nodes.contains(&ExprNode::Var(1)) {
        expr.vars.truncate(1);
    }
    Ok(expr)
}

/// Parses an expression in exactly the given variables; [`Expr::vars`] lists all of them, used or not. A variable
/// hides a constant of the same name.
///
/// # Errors
///
/// A diagnostic with the place and a way out; its spans point into `source`.
pub fn parse_expr_with_vars(source: &str, vars: &[&str]) -> Result<Expr, Diagnostic> {
    parse_whole(source, vars, false)
}

/// The meaning that a caller gives to a name, see [`parse_expr_with_definitions`].
#[derive(Clone, Copy)]
pub enum Meaning<'a> {
    /// An expression without variables.
    Constant(&'a Expr),
    /// A function of one argument: what a call with this argument stands for, in the variables of the argument, or why
    /// it has no meaning.
    Function(&'a dyn Fn(&Expr) -> Result<Expr, String>),
    /// The same for a function of two arguments, both in the same variables.
    Binary(&'a dyn Fn(&Expr, &Expr) -> Result<Expr, String>),
}

/// Parses an expression in exactly the given variables, in which further names have the meanings given with them. A
/// definition hides a constant or function of its name, a variable hides a definition. Infinity may be written, so that
/// a function can be asked for its limit; whether any is left in the result is for the caller to look at.
///
/// Nodes that come from a definition have the span of its use. The tree shares equal parts that a definition repeats.
///
/// # Errors
///
/// A diagnostic with the place and a way out; its spans point into `source`. What a function says of a call becomes one.
///
/// ```
/// use mathsmith_dsl::{Meaning, parse_expr, parse_expr_with_definitions};
/// let f = parse_expr("x*exp(x)").unwrap();
/// let apply = |argument: &mathsmith_dsl::Expr| Ok(f.applied(argument));
/// let g = parse_expr_with_definitions("f(t + 1)/2", &["t"], &[("f", Meaning::Function(&apply))]).unwrap();
/// assert_eq!(g.to_string(), "(t + 1)*exp(t + 1)/2");
/// ```
pub fn parse_expr_with_definitions(
    source: &str,
    vars: &[&str],
    definitions: &[(&str, Meaning<'_>)],
) -> Result<Expr, Diagnostic> {
    let tokens = lex::tokens(source).map_err(|e| *e)?;
    let mut parser = Parser { definitions, ..Parser::new(source, &tokens, vars, true) };
    parser.whole().map(|expr| expr.part(expr.root)).map_err(|e| *e)
}

/// The names in `source` that are no constant, no function and not among `known`, in order of first appearance: the
/// free constants of a form such as `1 + x*(c1 + x*c2)`.
///
/// # Errors
///
/// A diagnostic for text that does not even split into tokens.
///
/// ```
/// let free = mathsmith_dsl::free_names("1 + x*(c1 + x*c2) + exp(c1)", &["x"]).unwrap();
/// assert_eq!(free, ["c1", "c2"]);
/// ```
pub fn free_names(source: &str, known: &[&str]) -> Result<Vec<String>, Diagnostic> {
    let tokens = lex::tokens(source).map_err(|e| *e)?;
    let mut free: Vec<String> = Vec::new();
    for (index, (token, span)) in tokens.iter().enumerate() {
        let name = span.of(source);
        let called = matches!(tokens.get(index + 1), Some((Token::Open, _)));
        let named = *token == Token::Name && !called && !known.contains(&name);
        let taken = ConstantInfo::by_name(name).is_some()
            || FunctionInfo::by_name(name).is_some()
            || CompositeInfo::by_name(name).is_some();
        if named && !taken && !free.iter().any(|other| other == name) {
            free.push(name.to_string());
        }
    }
    Ok(free)
}

/// Parses a number-valued expression without variables; infinity is allowed on request.
pub(crate) fn parse_constant(source: &str, infinity: bool) -> Result<Expr, Diagnostic> {
    parse_whole(source, &[], infinity)
}

fn parse_whole(source: &str, vars: &[&str], infinity: bool) -> Result<Expr, Diagnostic> {
    let tokens = lex::tokens(source).map_err(|e| *e)?;
    let mut parser = Parser::new(source, &tokens, vars, infinity);
    parser.whole().map_err(|e| *e)
}

/// A parser over a part of a token list; the last token must be [`Token::End`].
pub(crate) struct Parser<'a> {
    source: &'a str,
    tokens: &'a [Lexeme],
    at: usize,
    vars: &'a [&'a str],
    /// Names with a meaning that the caller gives.
    definitions: &'a [(&'a str, Meaning<'a>)],
    /// Whether `inf` may appear.
    infinity: bool,
    depth: u32,
    nodes: Vec<ExprNode>,
    spans: Vec<Span>,
    heights: Vec<u32>,
}

type Parsed = Result<ExprId, Fail>;

fn fail<T>(
    code: Code,
    span: Span,
    message: impl Into<String>,
    label: &str,
    help: impl Into<String>,
) -> Result<T, Fail> {
    Err(Box::new(Diagnostic::error(code, span, message, label).with_help(help)))
}

impl<'a> Parser<'a> {
    pub(crate) fn new(source: &'a str, tokens: &'a [Lexeme], vars: &'a [&'a str], infinity: bool) -> Parser<'a> {
        let (nodes, spans, heights) = (vec![], vec![], vec![]);
        Parser { source, tokens, at: 0, vars, definitions: &[], infinity, depth: 0, nodes, spans, heights }
    }

    /// Parses every token as one expression.
    pub(crate) fn whole(&mut self) -> Result<Expr, Fail> {
        if self.tokens.len() == 1 {
            let help = "write a formula such as `exp2(x)` or `1/(1 + exp(-x))`";
            return fail(Code::Missing, self.span(), "the expression is empty", "nothing here", help);
        }
        let root = self.expr()?;
        self.expect_end()?;
        Ok(self.finish(root))
    }

    fn finish(&mut self, root: ExprId) -> Expr {
        Expr {
            source: self.source.to_string(),
            vars: self.vars.iter().map(ToString::to_string).collect(),
            nodes: std::mem::take(&mut self.nodes),
            spans: std::mem::take(&mut self.spans),
            root,
        }
    }

    fn token(&self) -> &'a Token {
        &self.tokens[self.at].0
    }

    fn span(&self) -> Span {
        self.tokens[self.at].1
    }

    fn text(&self) -> &'a str {
        self.span().of(self.source)
    }

    /// Moves on; the end is never passed.
    fn advance(&mut self) -> Span {
        let span = self.span();
        if self.at + 1 < self.tokens.len() {
            self.at += 1;
        }
        span
    }

    fn take(&mut self, token: &Token) -> bool {
        let found = self.token() == token;
        if found {
            self.advance();
        }
        found
    }

    fn push(&mut self, node: ExprNode, span: Span) -> Parsed {
        let height = |id: &ExprId| self.heights[id.0 as usize];
        let below = match &node {
            ExprNode::Number(_) | ExprNode::Constant(_) | ExprNode::Var(_) => 0,
            ExprNode::Call(_, a, b) => height(a).max(b.as_ref().map_or(0, height)),
            ExprNode::If { lhs, rhs, then, otherwise, .. } => {
                [lhs, rhs, then, otherwise].into_iter().map(height).max().unwrap_or(0)
            }
        };
        if below >= HIGHEST_TREE || self.nodes.len() >= MOST_NODES {
            let help = format!("at most {HIGHEST_TREE} operations in a chain and {MOST_NODES} in all are read");
            return fail(Code::Limit, span, "the expression is too large", "one operation too many", help);
        }
        self.nodes.push(node);
        self.spans.push(span);
        self.heights.push(below + 1);
        Ok(ExprId(self.nodes.len() as u32 - 1))
    }

    fn call(&mut self, func: Func, a: ExprId, b: Option<ExprId>, span: Span) -> Parsed {
        self.push(ExprNode::Call(func, a, b), span)
    }

    fn node_span(&self, id: ExprId) -> Span {
        self.spans[id.0 as usize]
    }

    /// Runs `inner` one level deeper.
    fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T, Fail>) -> Result<T, Fail> {
        if self.depth >= DEEPEST_NESTING {
            let help = format!("at most {DEEPEST_NESTING} levels of brackets, calls, signs and exponents are read");
            return fail(Code::Limit, self.span(), "the expression is nested too deeply", "one level too many", help);
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    pub(crate) fn expr(&mut self) -> Parsed {
        if *self.token() == Token::If { self.nested(Self::conditional) } else { self.sum() }
    }

    fn conditional(&mut self) -> Parsed {
        let start = self.advance();
        let bracket = (*self.token() == Token::Open && self.bracket_holds_comparison()).then(|| self.advance());
        let lhs = self.sum()?;
        let cmp = match self.token() {
            Token::Lt => Cmp::Lt,
            Token::Le => Cmp::Le,
            Token::Gt => Cmp::Gt,
            Token::Ge => Cmp::Ge,
            Token::EqEq => Cmp::Eq,
            Token::Ne => Cmp::Ne,
            _ => {
                self.check_juxtaposition()?;
                let help = "a condition compares two values: `if x < 0 then -x else x`";
                return fail(
                    Code::Syntax,
                    self.span(),
                    "a comparison is missing after `if`",
                    "expected < <= > >= == !=",
                    help,
                );
            }
        };
        self.advance();
        let rhs = self.sum()?;
        let called = match bracket {
            Some(_) if self.take(&Token::Comma) => true,
            Some(open) => {
                self.expect_close(open)?;
                false
            }
            None => false,
        };
        let (then, otherwise);
        if called {
            then = self.expr()?;
            self.expect(&Token::Comma, "`,` and the value where the condition fails")?;
            otherwise = self.expr()?;
            self.expect_close(bracket.unwrap_or(start))?;
        } else {
            self.expect(&Token::Then, "`then` and the value where the condition holds")?;
            then = self.expr()?;
            self.expect(&Token::Else, "`else` and the value where the condition fails")?;
            otherwise = self.expr()?;
        }
        let span = start.to(self.tokens[self.at.saturating_sub(1)].1);
        self.push(ExprNode::If { cmp, lhs, rhs, then, otherwise }, span)
    }

    /// Whether a comparison stands directly inside the bracket under the cursor: `if (x < 0)`, not `if (x) < 0`.
    fn bracket_holds_comparison(&self) -> bool {
        let mut depth = 0u32;
        for (token, _) in &self.tokens[self.at..] {
            match token {
                Token::Open => depth += 1,
                Token::Close if depth == 1 => return false,
                Token::Close => depth -= 1,
                Token::Lt | Token::Le | Token::Gt | Token::Ge | Token::EqEq | Token::Ne if depth == 1 => return true,
                Token::If if depth == 1 => return false,
                _ => {}
            }
        }
        false
    }

    fn sum(&mut self) -> Parsed {
        let mut left = self.product()?;
        loop {
            let func = match self.token() {
                Token::Plus => Func::Add,
                Token::Minus => Func::Sub,
                _ => return Ok(left),
            };
            self.advance();
            let right = self.product()?;
            left = self.call(func, left, Some(right), self.node_span(left).to(self.node_span(right)))?;
        }
    }

    fn product(&mut self) -> Parsed {
        let mut left = self.unary()?;
        loop {
            let func = match self.token() {
                Token::Star => Func::Mul,
                Token::Slash => Func::Div,
                _ => return Ok(left),
            };
            self.advance();
            let right = self.unary()?;
            left = self.call(func, left, Some(right), self.node_span(left).to(self.node_span(right)))?;
        }
    }

    fn unary(&mut self) -> Parsed {
        match self.token() {
            Token::Minus => {
                let sign = self.advance();
                let operand = self.nested(Self::unary)?;
                self.call(Func::Neg, operand, None, sign.to(self.node_span(operand)))
            }
            Token::Plus => {
                self.advance();
                self.nested(Self::unary)
            }
            _ => self.power(),
        }
    }

    fn power(&mut self) -> Parsed {
        let base = self.primary()?;
        if !self.take(&Token::Caret) {
            return Ok(base);
        }
        let exponent = self.nested(Self::unary)?;
        self.call(Func::Pow, base, Some(exponent), self.node_span(base).to(self.node_span(exponent)))
    }

    fn primary(&mut self) -> Parsed {
        match self.token() {
            Token::Number(number) => {
                let span = self.advance();
                self.push(ExprNode::Number(number.clone()), span)
            }
            Token::Name => self.name(),
            Token::Open => {
                let open = self.advance();
                let inner = self.nested(Self::expr)?;
                let close = self.expect_close(open)?;
                // The brackets belong to the operand's place: a message about `(a+b)/0` underlines them.
                let at = inner.0 as usize;
                self.spans[at] = open.to(close);
                Ok(inner)
            }
            Token::If => {
                let help = "put the condition in brackets: `1 + (if x < 0 then -x else x)`";
                fail(Code::Syntax, self.span(), "a condition cannot be an operand as it is", "starts here", help)
            }
            _ => self.missing_operand(),
        }
    }

    fn missing_operand(&mut self) -> Parsed {
        let span = self.span();
        let help = "a value is a number, a name, a call such as `exp(x)`, or something in brackets";
        if *self.token() == Token::End {
            return fail(
                Code::Syntax,
                span,
                "the expression ends where a value is needed",
                "a value is missing here",
                help,
            );
        }
        if *self.token() == Token::Close && !self.tokens[..self.at].iter().any(|(t, _)| *t == Token::Open) {
            return self.stray_close();
        }
        let message = format!("{} stands where a value is needed", quote(self.text()));
        fail(Code::Syntax, span, message, "expected a value", help)
    }

    fn stray_close<T>(&self) -> Result<T, Fail> {
        let help = "remove it, or open a bracket before it";
        fail(Code::Bracket, self.span(), "a closing bracket without an opening one", "no bracket is open here", help)
    }

    fn name(&mut self) -> Parsed {
        let name = self.text();
        let called = matches!(self.tokens[self.at + 1].0, Token::Open);
        if let Some(index) = self.vars.iter().position(|v| *v == name) {
            let span = self.advance();
            if called {
                return self.called_value(name, "a variable", span);
            }
            return self.push(ExprNode::Var(index as u32), span);
        }
        if let Some((_, meaning)) = self.definitions.iter().find(|(defined, _)| *defined == name) {
            return self.defined(name, meaning, called);
        }
        if let Some(info) = ConstantInfo::by_name(name) {
            let span = self.advance();
            if called {
                return self.called_value(name, "a constant", span);
            }
            if info.constant == Constant::Infinity && !self.infinity {
                let help = "infinity is understood as the end of a domain: `--on 0..inf`";
                return fail(Code::Number, span, "infinity is no number to compute with", "not a real number", help);
            }
            return self.push(ExprNode::Constant(info.constant), span);
        }
        if FunctionInfo::by_name(name).is_none() && CompositeInfo::by_name(name).is_none() {
            return self.unknown_name(name, called);
        }
        let span = self.advance();
        if !called {
            return self.not_called(name, span);
        }
        let args = self.nested(Self::arguments)?;
        let span = span.to(self.tokens[self.at.saturating_sub(1)].1);
        self.apply(name, &args, span)
    }

    fn not_called(&self, name: &str, span: Span) -> Parsed {
        let message = format!("the function `{name}` is used without its argument");
        let help = format!("write the argument in brackets: `{name}(x)`");
        fail(Code::Syntax, span, message, "expected `(` after this", help)
    }

    /// A name that the caller has given a meaning, with the cursor on it.
    fn defined(&mut self, name: &str, meaning: &Meaning<'_>, called: bool) -> Parsed {
        let span = self.advance();
        match meaning {
            Meaning::Constant(_) if called => self.called_value(name, "a constant", span),
            Meaning::Function(_) | Meaning::Binary(_) if !called => self.not_called(name, span),
            Meaning::Constant(expr) => self.expand(expr, &[], span),
            Meaning::Function(_) | Meaning::Binary(_) => {
                let args = self.nested(Self::arguments)?;
                let span = span.to(self.tokens[self.at.saturating_sub(1)].1);
                let so_far = Expr {
                    source: self.source.to_string(),
                    vars: self.vars.iter().map(ToString::to_string).collect(),
                    nodes: self.nodes.clone(),
                    spans: self.spans.clone(),
                    root: ExprId(0),
                };
                let value = match (meaning, args.as_slice()) {
                    (Meaning::Function(apply), &[arg]) => apply(&so_far.part(arg)),
                    (Meaning::Binary(apply), &[a, b]) => apply(&so_far.part(a), &so_far.part(b)),
                    (Meaning::Binary(_), _) => return self.wrong_arity(name, 2, &args, span),
                    _ => return self.wrong_arity(name, 1, &args, span),
                };
                match value {
                    Ok(value) => self.embed(&value, span),
                    Err(why) => {
                        let help = "this function, or this argument, does not go with the expression";
                        fail(Code::Value, span, why, "in this call", help)
                    }
                }
            }
        }
    }

    /// Adds an expression in the variables of this one, as it is.
    fn embed(&mut self, expr: &Expr, span: Span) -> Parsed {
        let mut image: Vec<ExprId> = Vec::with_capacity(expr.nodes.len());
        for node in &expr.nodes {
            image.push(self.push(node.with_args(|id| image[id.0 as usize]), span)?);
        }
        Ok(image[expr.root.0 as usize])
    }

    /// `(a, b, ...)` with the cursor on the bracket.
    fn arguments(&mut self) -> Result<Vec<ExprId>, Fail> {
        let open = self.advance();
        let mut args = Vec::new();
        if self.take(&Token::Close) {
            return Ok(args);
        }
        loop {
            args.push(self.expr()?);
            if !self.take(&Token::Comma) {
                self.expect_close(open)?;
                return Ok(args);
            }
        }
    }

    /// The node of a call whose name is known.
    fn apply(&mut self, name: &str, args: &[ExprId], span: Span) -> Parsed {
        if let Some(info) = FunctionInfo::by_name(name) {
            if args.len() != info.arity {
                return self.wrong_arity(name, info.arity, args, span);
            }
            return self.call(info.func, args[0], args.get(1).copied(), span);
        }
        let Some(info) = CompositeInfo::by_name(name) else {
            return self.unknown_name(name, true);
        };
        if args.len() != info.params.len() {
            return self.wrong_arity(name, info.params.len(), args, span);
        }
        let definition = parse_expr_with_vars(info.definition, info.params)?;
        self.expand(&definition, args, span)
    }

    /// Writes out a composite: its definition with the arguments in place of its parameters, as a tree, so that an
    /// argument that occurs twice is copied.
    fn expand(&mut self, definition: &Expr, args: &[ExprId], span: Span) -> Parsed {
        let mut used = vec![false; args.len()];
        let mut image: Vec<ExprId> = Vec::with_capacity(definition.nodes.len());
        for node in &definition.nodes {
            let moved = |id: &ExprId| image[id.0 as usize];
            let id = match node {
                ExprNode::Var(index) => {
                    let at = *index as usize;
                    if std::mem::replace(&mut used[at], true) { self.copy(args[at])? } else { args[at] }
                }
                ExprNode::Number(_) | ExprNode::Constant(_) => self.push(node.clone(), span)?,
                ExprNode::Call(func, a, b) => {
                    let node = ExprNode::Call(*func, moved(a), b.as_ref().map(moved));
                    self.push(node, span)?
                }
                ExprNode::If { cmp, lhs, rhs, then, otherwise } => {
                    let node = ExprNode::If {
                        cmp: *cmp,
                        lhs: moved(lhs),
                        rhs: moved(rhs),
                        then: moved(then),
                        otherwise: moved(otherwise),
                    };
                    self.push(node, span)?
                }
            };
            image.push(id);
        }
        Ok(image[definition.root.0 as usize])
    }

    /// A copy of a subtree.
    fn copy(&mut self, id: ExprId) -> Parsed {
        let span = self.node_span(id);
        let node = match self.nodes[id.0 as usize].clone() {
            ExprNode::Call(func, a, b) => {
                let a = self.copy(a)?;
                ExprNode::Call(func, a, b.map(|b| self.copy(b)).transpose()?)
            }
            ExprNode::If { cmp, lhs, rhs, then, otherwise } => ExprNode::If {
                cmp,
                lhs: self.copy(lhs)?,
                rhs: self.copy(rhs)?,
                then: self.copy(then)?,
                otherwise: self.copy(otherwise)?,
            },
            leaf => leaf,
        };
        self.push(node, span)
    }

    fn wrong_arity(&self, name: &str, arity: usize, args: &[ExprId], span: Span) -> Parsed {
        let plural = |n: usize| if n == 1 { "1 argument".to_string() } else { format!("{n} arguments") };
        let message = format!("`{name}` takes {}, {} given", plural(arity), args.len());
        let help = match (name, args.len()) {
            ("log" | "ln", 2) => "write `log2(x)`, `log10(x)`, or `log(x)/log(b)` for base b".to_string(),
            ("atan" | "arctan", 2) => "write `atan2(y, x)` for the angle of a point".to_string(),
            ("min" | "max" | "fmin" | "fmax", 3..) => format!("nest the calls: `{name}(a, {name}(b, c))`"),
            _ => format!("write `{name}({})`", ["x", "x, y", "a, b, c"][arity.clamp(1, 3) - 1]),
        };
        fail(Code::Arity, span, message, "in this call", help)
    }

    fn called_value(&self, name: &str, what: &str, span: Span) -> Parsed {
        let message = format!("`{name}` is {what}, not a function");
        let help = format!("to multiply write `{name}*(...)`");
        fail(Code::Syntax, span.to(self.span()), message, "called here", help)
    }

    fn unknown_name(&self, name: &str, called: bool) -> Parsed {
        let unknown =
            |message: String, label: &str, help: String| fail(Code::UnknownName, self.span(), message, label, help);
        if name.eq_ignore_ascii_case("nan") {
            let help = "give a real number, or `inf` for an unbounded end".to_string();
            return unknown(format!("{} is not a number", quote(name)), "no value", help);
        }
        if self.vars.is_empty() && !called && matches!(name, "x" | "y") {
            let help = "write a number here, such as `-pi/4` or `0x1.8p-1`".to_string();
            return unknown(format!("the variable {} in a constant", quote(name)), "varies", help);
        }
        let mut known: Vec<&str> = Vec::new();
        if !called {
            known.extend(self.vars.iter().copied());
            functions::constant_names().for_each(|name| known.push(name));
        }
        for (name, meaning) in self.definitions {
            if called != matches!(meaning, Meaning::Constant(_)) {
                known.push(name);
            }
        }
        functions::callable_names().for_each(|name| known.push(name));
        let help = match nearest(name, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None if called => {
                let functions = functions::FUNCTIONS.iter().map(|f| f.name);
                let names: Vec<&str> = functions.chain(functions::COMPOSITES.iter().map(|c| c.name)).collect();
                format!("the functions are {}", names.join(", "))
            }
            None => {
                let names: Vec<String> = self.vars.iter().map(|var| format!("`{var}`")).collect();
                let scope = match names.len() {
                    0 => "no variable is allowed here".to_string(),
                    1 => format!("the variable is {}", names[0]),
                    _ => format!("the variables are {}", names.join(", ")),
                };
                format!("{scope}; the constants are pi, e and ln2")
            }
        };
        let kind = if called { "function" } else { "name" };
        unknown(format!("unknown {kind} {}", quote(name)), "not known here", help)
    }

    fn expect(&mut self, token: &Token, what: &str) -> Result<(), Fail> {
        if self.take(token) {
            return Ok(());
        }
        self.check_juxtaposition()?;
        let message = format!("expected {what}");
        let help = "a condition is written `if x < 0 then a else b` or `if(x < 0, a, b)`";
        fail(Code::Syntax, self.span(), message, "not here", help)
    }

    fn expect_close(&mut self, open: Span) -> Result<Span, Fail> {
        if *self.token() == Token::Close {
            return Ok(self.advance());
        }
        self.check_juxtaposition()?;
        let help = "close it with `)`";
        let (message, label) = match self.token() {
            Token::End => ("a bracket is never closed", "the expression ends here"),
            _ => ("a bracket is not closed where its contents end", "expected `)` before this"),
        };
        let diagnostic = Diagnostic::error(Code::Bracket, open, message, "opened here");
        Err(Box::new(diagnostic.with_label(self.span(), label).with_help(help)))
    }

    /// Two operands side by side: `2x`, `(a)(b)`, `x y`.
    pub(crate) fn check_juxtaposition(&self) -> Result<(), Fail> {
        if self.at == 0 || !self.token().starts_operand() {
            return Ok(());
        }
        let before = self.tokens[self.at - 1].1;
        let (left, right) = (before.of(self.source), self.text());
        let message = "an operator is missing between two values";
        let help = if left.len() + right.len() <= 40 {
            format!("to multiply write `{left}*{right}`")
        } else {
            "to multiply write `*`".to_string()
        };
        fail(Code::Syntax, before.to(self.span()), message, "nothing joins these", help)
    }

    fn expect_end(&self) -> Result<(), Fail> {
        self.check_juxtaposition()?;
        let help = match self.token() {
            Token::End => return Ok(()),
            Token::Close => return self.stray_close(),
            Token::Lt | Token::Le | Token::Gt | Token::Ge | Token::EqEq | Token::Ne => {
                "comparisons belong to a condition: `if x < 0 then a else b`"
            }
            Token::Range => "an expression has no range; give the domain by `--on a..b` or a line `on a..b`",
            Token::Then | Token::Else => "a condition starts with `if`: `if x < 0 then a else b`",
            _ => "remove what follows the end of the expression",
        };
        let message = format!("{} after the end of the expression", quote(self.text()));
        fail(Code::Syntax, self.span(), message, "expected nothing more", help)
    }
}
