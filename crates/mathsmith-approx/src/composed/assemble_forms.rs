//! Classical cores: the shapes that fill a hole before any search, and programs of cores in general.
//!
//! A polynomial by Horner's rule has the fewest operations; by Estrin's scheme ("Organization of computer systems: the
//! fixed plus variable structure computer", 1960) the shortest way from argument to value; and Horner's rule on pairs of
//! terms lies between. All three are the same polynomial, so they share one fit. A ratio has a division, which pays where
//! a polynomial would need many more terms.

use mathsmith_fit::{Dd, set_params};
use mathsmith_ir::{Literal, Node, Op, Program, Type, Value};
use mathsmith_reduce::Core;

/// How a polynomial is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// One term after the other.
    Horner,
    /// Pairs of terms, then Horner's rule in the square of the argument.
    Pairs,
    /// Pairs, pairs of pairs, and so on.
    Estrin,
}

impl Scheme {
    /// All of them, fewest operations first.
    pub const ALL: [Scheme; 3] = [Scheme::Horner, Scheme::Pairs, Scheme::Estrin];

    /// The scheme's name in a shape's description.
    pub fn word(self) -> &'static str {
        match self {
            Scheme::Horner => "Horner",
            Scheme::Pairs => "Horner on pairs",
            Scheme::Estrin => "Estrin",
        }
    }

    /// Whether the scheme is one of its own at this degree; at low degrees they coincide.
    pub fn differs(self, degree: usize) -> bool {
        degree >= [0, 3, 6][self as usize]
    }
}

/// A core under construction: its argument as a number of the type of its value.
pub struct Sketch {
    program: Program,
    ty: Type,
    fused: bool,
    params: usize,
    argument: Value,
}

impl Sketch {
    /// An empty core for a hole, with `fma` for sums of products where `fused`.
    pub fn new(core: &Core, fused: bool) -> Sketch {
        let mut program = Program::new(core.name.clone());
        let mut argument = program.input("t", core.argument);
        if core.argument != core.value {
            argument = program.must(Op::Convert(core.value), &[argument]);
        }
        Sketch { program, ty: core.value, fused, params: 0, argument }
    }

    fn param(&mut self) -> Value {
        self.params += 1;
        self.program.param(format!("c{}", self.params - 1), self.ty, None)
    }

    fn mul_add(&mut self, a: Value, b: Value, c: Value) -> Value {
        if self.fused {
            return self.program.must(Op::Fma, &[a, b, c]);
        }
        let product = self.program.must(Op::Mul, &[a, b]);
        self.program.must(Op::Add, &[product, c])
    }

    /// Horner's rule in `x` over values from the lowest power up.
    fn horner(&mut self, x: Value, terms: &[Value]) -> Value {
        let (&last, rest) = terms.split_last().expect("a polynomial has at least one term");
        rest.iter().rev().fold(last, |y, &c| self.mul_add(y, x, c))
    }

    /// `t0 + x t1, t2 + x t3, …`: half as many terms in the square of x.
    fn paired(&mut self, x: Value, terms: &[Value]) -> Vec<Value> {
        terms.chunks(2).map(|pair| if let &[a, b] = pair { self.mul_add(b, x, a) } else { pair[0] }).collect()
    }

    fn done(mut self, y: Value, constants: &[Dd]) -> Program {
        self.program.output(y);
        set_params(&mut self.program, constants);
        self.program
    }
}

/// The polynomial with the given coefficients, lowest power first, as a core; they are rounded to its type.
///
/// # Panics
/// Without any coefficient, or if the core's value is no float.
pub fn polynomial(core: &Core, coefficients: &[Dd], scheme: Scheme, fused: bool) -> Program {
    let mut b = Sketch::new(core, fused);
    let t = b.argument;
    let mut terms: Vec<Value> = coefficients.iter().map(|_| b.param()).collect();
    let mut power = t;
    if scheme != Scheme::Horner && terms.len() > 2 {
        loop {
            terms = b.paired(power, &terms);
            power = b.program.must(Op::Mul, &[power, power]);
            if scheme == Scheme::Pairs || terms.len() <= 2 {
                break;
            }
        }
    }
    let y = b.horner(power, &terms);
    b.done(y, coefficients)
}

/// The ratio of polynomials with the parameters of [`mathsmith_fit::rational_form`], numerator of degree `m`.
///
/// # Panics
/// If there are not more than `m + 1` constants, or the core's value is no float.
pub fn ratio(core: &Core, m: usize, constants: &[Dd], fused: bool) -> Program {
    let mut b = Sketch::new(core, fused);
    let t = b.argument;
    let above: Vec<Value> = (0..=m).map(|_| b.param()).collect();
    let one = Literal::float(core.value, 1.0).expect("the value of a core is a float");
    let mut below = vec![b.program.lit(one)];
    below.extend((m + 1..constants.len()).map(|_| b.param()));
    let (above, below) = (b.horner(t, &above), b.horner(t, &below));
    let y = b.program.must(Op::Div, &[above, below]);
    b.done(y, constants)
}

/// A program from numbers of the type of a core's value to that type, as a core: its argument is converted first where
/// its type differs.
///
/// # Panics
/// If the program does not have one input and one output of that type.
pub fn as_core(core: &Core, program: &Program) -> Program {
    let mut b = Sketch::new(core, true);
    let y = inline(&mut b.program, program, b.argument);
    b.program.output(y);
    b.program
}

/// Puts the first output of a program of one input into `to`, with `argument` for the input and copies of its parameters.
///
/// # Panics
/// If the types do not fit, or the program has another number of inputs.
pub fn inline(to: &mut Program, program: &Program, argument: Value) -> Value {
    assert_eq!(program.inputs().len(), 1, "a core has one input");
    let params: Vec<Value> = program.params().iter().map(|p| to.param(p.name.clone(), p.ty, p.value)).collect();
    let mut map: Vec<Value> = Vec::with_capacity(program.nodes().len());
    for v in program.values() {
        let new = match program.node(v) {
            Node::Input(_) => argument,
            Node::Param(i) => params[i as usize],
            Node::Lit(literal) => to.lit(literal),
            Node::Op(op, args) => {
                let op = match op {
                    Op::Table(t) => Op::Table(to.table(program.tables()[t as usize].values.clone())),
                    op => op,
                };
                let args = &args[..op.arity()];
                let args: Vec<Value> = args.iter().map(|a| map[a.index()]).collect();
                to.must(op, &args)
            }
        };
        map.push(new);
    }
    map[program.outputs()[0].index()]
}
