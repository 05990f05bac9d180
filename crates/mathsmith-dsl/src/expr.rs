//! The syntax tree of a reference expression: exact mathematics, no rounding anywhere.

/// A range of bytes in the source text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// Index of a node in its [`Expr`]; children have smaller indices than their parents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExprId(pub u32);

/// A number as written: `digits * 10^exponent` or `0xdigits * 2^exponent`, exactly.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ExactNumber {
    /// Digits without sign or point, at least one.
    pub digits: String,
    /// 10 or 16: the radix of `digits`.
    pub radix: u32,
    /// Power of ten (radix 10) or of two (radix 16).
    pub exponent: i64,
}

/// A named constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Constant {
    /// Circle constant.
    Pi,
    /// Base of the natural logarithm.
    E,
    /// Natural logarithm of 2.
    Ln2,
    /// Positive infinity (domain ends only).
    Infinity,
}

/// A function of one or two real arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names are the definitions; conventions that differ between libraries are stated")]
pub enum Func {
    Add,
    Sub,
    Mul,
    Div,
    /// `a ^ b`; a negative base needs an integral exponent.
    Pow,
    Neg,
    Abs,
    Min,
    Max,
    Sqrt,
    Cbrt,
    Exp,
    Exp2,
    Exp10,
    Expm1,
    /// Natural logarithm.
    Log,
    Log2,
    Log10,
    Log1p,
    Sin,
    Cos,
    Tan,
    /// `sin(pi x)`.
    Sinpi,
    /// `cos(pi x)`.
    Cospi,
    Asin,
    Acos,
    Atan,
    /// `atan2(y, x)`.
    Atan2,
    Sinh,
    Cosh,
    Tanh,
    Asinh,
    Acosh,
    Atanh,
    Erf,
    Erfc,
    Gamma,
    /// `log |gamma(x)|`.
    Lgamma,
    Digamma,
    J0,
    J1,
    Y0,
    Y1,
    /// Airy function of the first kind, `airyai` or `ai`.
    AiryAi,
    Hypot,
    Floor,
}

/// Comparison of two expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are the definitions")]
pub enum Cmp {
    Lt,
    Le,
    Gt,
    Ge,
    Eq,
    Ne,
}

/// One node of the tree.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ExprNode {
    /// A number.
    Number(ExactNumber),
    /// A named constant.
    Constant(Constant),
    /// The n-th variable of [`Expr::vars`].
    Var(u32),
    /// A function of one argument (second is `None`) or two.
    Call(Func, ExprId, Option<ExprId>),
    /// `if lhs cmp rhs then a else b`; nested conditions are nested `if`s.
    If {
        /// The comparison.
        cmp: Cmp,
        /// Left side.
        lhs: ExprId,
        /// Right side.
        rhs: ExprId,
        /// Value where the comparison holds.
        then: ExprId,
        /// Value elsewhere.
        otherwise: ExprId,
    },
}

/// A parsed expression: nodes in topological order, each with the span it was read from.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// Text that the spans point into.
    pub source: String,
    /// Variables in order of first appearance (or as declared).
    pub vars: Vec<String>,
    /// Nodes; children before parents.
    pub nodes: Vec<ExprNode>,
    /// Span of each node.
    pub spans: Vec<Span>,
    /// The whole expression.
    pub root: ExprId,
}

impl ExprNode {
    /// The same node with other arguments.
    pub fn with_args(&self, image: impl Fn(ExprId) -> ExprId) -> ExprNode {
        match self {
            ExprNode::Call(func, a, b) => ExprNode::Call(*func, image(*a), b.map(&image)),
            ExprNode::If { cmp, lhs, rhs, then, otherwise } => ExprNode::If {
                cmp: *cmp,
                lhs: image(*lhs),
                rhs: image(*rhs),
                then: image(*then),
                otherwise: image(*otherwise),
            },
            leaf => leaf.clone(),
        }
    }

    /// The arguments.
    pub fn args(&self) -> Vec<ExprId> {
        match self {
            ExprNode::Call(_, a, b) => std::iter::once(*a).chain(*b).collect(),
            ExprNode::If { lhs, rhs, then, otherwise, .. } => vec![*lhs, *rhs, *then, *otherwise],
            _ => vec![],
        }
    }
}

impl Expr {
    /// The node behind an index.
    pub fn node(&self, id: ExprId) -> &ExprNode {
        &self.nodes[id.0 as usize]
    }

    /// The expression below a node, with the same variables, without the nodes that it does not need.
    pub fn part(&self, id: ExprId) -> Expr {
        let root = id.0 as usize;
        let mut needed = vec![false; root + 1];
        needed[root] = true;
        for at in (0..=root).rev() {
            if needed[at] {
                self.nodes[at].args().iter().for_each(|arg| needed[arg.0 as usize] = true);
            }
        }
        let (mut nodes, mut spans, mut image) = (Vec::new(), Vec::new(), Vec::with_capacity(root + 1));
        for (at, needed) in needed.into_iter().enumerate() {
            image.push(ExprId(nodes.len() as u32));
            if needed {
                nodes.push(self.nodes[at].with_args(|id| image[id.0 as usize]));
                spans.push(self.spans[at]);
            }
        }
        Expr { source: self.source.clone(), vars: self.vars.clone(), nodes, spans, root: image[root] }
    }

    /// This function of one variable with `argument` in the place of its variable: an expression in the argument's
    /// variables, with the argument's source and, for all that comes from the function, the span of the whole argument.
    ///
    /// The argument is there once, however often the variable occurs. Variables beyond the first become the argument too.
    pub fn applied(&self, argument: &Expr) -> Expr {
        let span = argument.spans[argument.root.0 as usize];
        self.placed(argument.clone(), span, |_| argument.root)
    }

    /// This function of two variables with an argument in the place of each, as [`Expr::applied`]. Both arguments are
    /// expressions in the same variables; the source and the span are those of the first.
    pub fn applied_to_two(&self, first: &Expr, second: &Expr) -> Expr {
        let mut both = first.clone();
        let before = both.nodes.len() as u32;
        both.nodes.extend(second.nodes.iter().map(|node| node.with_args(|id| ExprId(id.0 + before))));
        both.spans.extend_from_slice(&second.spans);
        let span = first.spans[first.root.0 as usize];
        let (a, b) = (first.root, ExprId(second.root.0 + before));
        self.placed(both, span, |var| if var == 0 { a } else { b })
    }

    /// The nodes of this expression behind those of `out`, with the node `root(i)` of `out` for variable i.
    fn placed(&self, mut out: Expr, span: Span, root: impl Fn(u32) -> ExprId) -> Expr {
        let mut image: Vec<ExprId> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            image.push(match node {
                ExprNode::Var(var) => root(*var),
                node => {
                    out.nodes.push(node.with_args(|id| image[id.0 as usize]));
                    out.spans.push(span);
                    ExprId(out.nodes.len() as u32 - 1)
                }
            });
        }
        out.root = image[self.root.0 as usize];
        out
    }
}

impl Span {
    /// The bytes `start..end`; positions beyond `u32` are clamped.
    pub fn new(start: usize, end: usize) -> Span {
        let clamp = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Span { start: clamp(start), end: clamp(end) }
    }

    /// The smallest span that covers both.
    pub fn to(self, other: Span) -> Span {
        Span { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// The span moved by `offset` bytes.
    pub fn shifted(self, offset: u32) -> Span {
        Span { start: self.start.saturating_add(offset), end: self.end.saturating_add(offset) }
    }

    /// The text it covers; empty where the span does not lie in `source`.
    pub fn of(self, source: &str) -> &str {
        source.get(self.start as usize..self.end as usize).unwrap_or("")
    }
}
