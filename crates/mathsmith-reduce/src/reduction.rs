//! What a `.reduction` file says: statements on constants, cores, and frames.

use mathsmith_ir::Program;

/// An expression of a file, kept as text: what it means depends on the function, which is substituted later.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Formula {
    pub(crate) text: String,
}

/// How two sides of a condition compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Less,
    AtMost,
    Greater,
    AtLeast,
}

impl Order {
    pub(crate) const ALL: [(&str, Order); 4] =
        [("<=", Order::AtMost), (">=", Order::AtLeast), ("<", Order::Less), (">", Order::Greater)];

    pub(crate) fn symbol(self) -> &'static str {
        Order::ALL.iter().find(|(_, order)| *order == self).map_or("", |(symbol, _)| symbol)
    }
}

/// A line about constants; the order of the file is the order in which they are looked at.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Statement {
    /// A constant.
    Let { name: String, value: Formula },
    /// A root.
    Solve { name: String, from: Formula, to: Formula, left: Formula, right: Formula },
    /// An identity in x, or in x and y.
    Holds { left: Formula, right: Formula },
    /// A condition on constants and the ends of the domain.
    When { left: Formula, order: Order, right: Formula },
    /// Cody-Waite pieces, each with its bits; the last without.
    Split { name: String, pieces: Vec<(String, Option<u32>)> },
}

/// A hole of the frames.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Hole {
    pub(crate) name: String,
    /// The variable of its function.
    pub(crate) variable: String,
    pub(crate) target: Formula,
    /// Whether the function may be reduced further.
    pub(crate) part: bool,
}

/// Which programs a frame is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arithmetic {
    /// Programs with fused operations.
    Fma,
    /// Programs without.
    Plain,
    /// Both.
    Any,
}

impl Arithmetic {
    /// Names as in the files.
    pub const ALL: [(&str, Arithmetic); 3] =
        [("fma", Arithmetic::Fma), ("plain", Arithmetic::Plain), ("any", Arithmetic::Any)];

    /// Whether a frame of this kind is for programs with (`fused`) or without fused operations.
    pub fn suits(self, fused: bool) -> bool {
        match self {
            Arithmetic::Fma => fused,
            Arithmetic::Plain => !fused,
            Arithmetic::Any => true,
        }
    }
}

/// A program with holes, its constants still open.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Frame {
    pub(crate) arithmetic: Arithmetic,
    pub(crate) label: Option<String>,
    pub(crate) program: Program,
}

/// A range reduction: a parsed file.
///
/// ```
/// let reduction = mathsmith_reduce::parse("mirror.reduction", "
/// reduction mirror
/// about odd functions from their values at positive arguments
/// holds f(-x) = -f(x)
/// when lo < 0
/// core y(t) = f(t)
/// frame any
/// program frame(x: f32, y: f32) -> (f32, f32) {
///   t = abs x
///   result = copysign y, x
///   return result, t
/// }
/// ").unwrap();
/// let sine = mathsmith_dsl::parse_expr("sin(x)").unwrap();
/// assert_eq!(reduction.instantiate(&sine, (-1.0, 1.0), true).unwrap().len(), 1);
/// let cosine = mathsmith_dsl::parse_expr("cos(x)").unwrap();
/// let misfit = reduction.instantiate(&cosine, (-1.0, 1.0), true).unwrap_err();
/// assert!(misfit.to_string().contains("f(-x) = -f(x)"));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Reduction {
    /// What `--reduce` takes.
    pub name: String,
    /// One sentence for people.
    pub about: String,
    /// How many variables its functions have: 1 or 2.
    pub variables: usize,
    pub(crate) statements: Vec<Statement>,
    pub(crate) holes: Vec<Hole>,
    pub(crate) tuned: Vec<String>,
    pub(crate) frames: Vec<Frame>,
}

impl Reduction {
    /// The frames: for which programs each is, and its label.
    pub fn frames(&self) -> impl Iterator<Item = (Arithmetic, Option<&str>)> {
        self.frames.iter().map(|frame| (frame.arithmetic, frame.label.as_deref()))
    }
}
