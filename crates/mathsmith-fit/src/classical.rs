//! Classical forms: polynomials, ratios of polynomials and continued fractions, as programs and with their best
//! constants. A search starts from them, and a user compares with them.

use crate::minimax::MinimaxOptions;
use crate::{Dd, FitError, Fitter, Metric, MinimaxResult, NodeMinimax, Nodes, Tape};
use mathsmith_ir::{Literal, Op, Program, RealLit, Type, Value};

/// A form with its best constants.
#[derive(Clone, Debug)]
pub struct Seed {
    /// The form; its parameters have the values found (`real` ones with both terms of the double-double).
    pub program: Program,
    /// How good it is.
    pub minimax: MinimaxResult,
}

/// A program under construction whose multiply-adds are fused or not.
struct Builder {
    program: Program,
    ty: Type,
    fused: bool,
    params: usize,
}

impl Builder {
    fn new(name: &str, ty: Type, fused: bool) -> (Builder, Value) {
        assert!(ty.is_float(), "a form is over real, f32 or f64");
        let mut program = Program::new(name);
        let x = program.input("x", ty);
        (Builder { program, ty, fused, params: 0 }, x)
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

    /// Horner's rule over constants given from the lowest power up.
    fn horner(&mut self, x: Value, constants: &[Value]) -> Value {
        let (&last, rest) = constants.split_last().expect("a polynomial has at least one constant");
        rest.iter().rev().fold(last, |y, &c| self.mul_add(y, x, c))
    }

    fn done(mut self, y: Value) -> Program {
        self.program.output(y);
        self.program
    }
}

/// The polynomial of the given degree in Horner's form, with parameters `c0` (constant term) to `c<degree>`.
///
/// `fused` chooses `fma` for each step instead of `mul` and `add`.
///
/// # Panics
/// If `ty` is not a float type.
pub fn polynomial_form(degree: usize, ty: Type, fused: bool) -> Program {
    let (mut b, x) = Builder::new("polynomial", ty, fused);
    let constants: Vec<Value> = (0..=degree).map(|_| b.param()).collect();
    let y = b.horner(x, &constants);
    b.done(y)
}

/// The ratio of polynomials of degrees `m` and `n`, both in Horner's form; the denominator's constant term is 1.
/// Parameters are the numerator's from the constant term up, then the denominator's from the linear term up.
///
/// # Panics
/// If `ty` is not a float type.
pub fn rational_form(m: usize, n: usize, ty: Type, fused: bool) -> Program {
    let (mut b, x) = Builder::new("ratio", ty, fused);
    let above: Vec<Value> = (0..=m).map(|_| b.param()).collect();
    let numerator = b.horner(x, &above);
    if n == 0 {
        return b.done(numerator);
    }
    let one = Literal::float(ty, 1.0).expect("a float type, checked when the builder was made");
    let mut below = vec![b.program.lit(one)];
    below.extend((0..n).map(|_| b.param()));
    let denominator = b.horner(x, &below);
    let y = b.program.must(Op::Div, &[numerator, denominator]);
    b.done(y)
}

/// A continued fraction in x: `q0(x) + a1/(q1(x) + a2/(q2(x) + ...))` with polynomials `q1, q2, ...` whose leading
/// coefficient is one.
#[derive(Clone, Debug)]
pub struct ContinuedFraction {
    /// `q0, q1, ...`, coefficients from the constant term up; the leading one of `q1, q2, ...` is 1 and left out.
    pub parts: Vec<Vec<Dd>>,
    /// `a1, a2, ...`
    pub numerators: Vec<Dd>,
}

impl ContinuedFraction {
    /// Expands a ratio of polynomials (coefficients from the constant term up) by Euclid's algorithm; `None` if it
    /// breaks down on a zero leading coefficient.
    pub fn of_ratio(numerator: &[Dd], denominator: &[Dd]) -> Option<ContinuedFraction> {
        let (mut u, mut v) = (numerator.to_vec(), denominator.to_vec());
        let mut out = ContinuedFraction { parts: Vec::new(), numerators: Vec::new() };
        loop {
            // Make the divisor monic; its leading coefficient divides the numerator in front of it.
            let lead = *v.last()?;
            if lead.hi == 0.0 {
                return None;
            }
            v.iter_mut().for_each(|c| *c = *c / lead);
            u.iter_mut().for_each(|c| *c = *c / lead);
            let mut quotient = vec![Dd::ZERO; (u.len() + 1).saturating_sub(v.len())];
            for k in (0..quotient.len()).rev() {
                let f = u[k + v.len() - 1];
                quotient[k] = f;
                for (i, c) in v.iter().enumerate() {
                    u[k + i] = u[k + i] - f * *c;
                }
            }
            u.truncate(v.len() - 1);
            if !out.parts.is_empty() {
                // A dividend that was monic has a monic quotient: the one is understood.
                quotient.pop()?;
            }
            out.parts.push(quotient);
            if u.is_empty() {
                return Some(out);
            }
            // u/v = a / (v / (u/a)) with a the leading coefficient of the remainder.
            let a = *u.last()?;
            if a.hi == 0.0 {
                return None;
            }
            out.numerators.push(a);
            u.iter_mut().for_each(|c| *c = *c / a);
            std::mem::swap(&mut u, &mut v);
        }
    }

    /// The form as a program, and its constants in the order of the parameters.
    ///
    /// # Panics
    /// If `ty` is not a float type, or the fields do not come from [`ContinuedFraction::of_ratio`].
    pub fn form(&self, ty: Type, fused: bool) -> (Program, Vec<Dd>) {
        let (mut b, x) = Builder::new("continued_fraction", ty, fused);
        let mut values = Vec::new();
        let mut y: Option<Value> = None;
        for (i, part) in self.parts.iter().enumerate().rev() {
            let fraction = y.map(|y| {
                values.push(self.numerators[i]);
                let a = b.param();
                b.program.must(Op::Div, &[a, y])
            });
            values.extend(part);
            let constants: Vec<Value> = part.iter().map(|_| b.param()).collect();
            let polynomial = match (i, constants.split_last()) {
                (0, None) => None,
                (0, Some(_)) => Some(b.horner(x, &constants)),
                (_, None) => Some(x),
                // Monic: x^k + ... starts Horner's rule with x plus the next constant.
                (_, Some((&last, rest))) => {
                    let first = b.program.must(Op::Add, &[x, last]);
                    Some(rest.iter().rev().fold(first, |y, &c| b.mul_add(y, x, c)))
                }
            };
            y = match (polynomial, fraction) {
                (Some(p), Some(f)) => Some(b.program.must(Op::Add, &[f, p])),
                (p, f) => p.or(f),
            };
        }
        let y = y.expect("a continued fraction has at least one part");
        (b.done(y), values)
    }
}

/// The literal of a float type nearest to a double-double; `real` keeps both terms.
pub(crate) fn literal(ty: Type, x: Dd) -> Option<Literal> {
    match ty {
        Type::Real => Some(Literal::Real(RealLit([x.hi + 0.0, x.lo + 0.0, 0.0]))),
        Type::F32 => Some(Literal::F32(crate::round::nearest_f32(x))),
        Type::F64 => Some(Literal::F64(x.hi)),
        _ => None,
    }
}

/// Writes fitted constants into a program's parameters, each rounded to the parameter's own type.
///
/// # Panics
/// If the program has fewer parameters than there are values, or one that is not a float.
pub fn set_params(program: &mut Program, values: &[Dd]) {
    for (i, &v) in values.iter().enumerate() {
        let ty = program.params()[i].ty;
        program.set_param(i, literal(ty, v).expect("parameters of a form are floats"));
    }
}

impl Fitter {
    /// The best polynomial of a degree on a domain, over `real`.
    ///
    /// # Errors
    /// [`FitError::Domain`] and [`FitError::Target`].
    pub fn polynomial(
        &mut self,
        degree: usize,
        target: &dyn Fn(f64) -> Dd,
        domain: (f64, f64),
        metric: Metric,
    ) -> Result<Seed, FitError> {
        let program = polynomial_form(degree, Type::Real, false);
        let start = vec![Dd::ZERO; degree + 1];
        self.seed(program, &start, target, domain, metric)
    }

    /// The best ratio of polynomials of degrees `m` and `n` on a domain, over `real`.
    ///
    /// The start is the linearised problem `sum a_i x^i - f sum b_j x^j = f`, solved again with the residuals divided
    /// by the last denominator (Sanathanan and Koerner, 1963).
    ///
    /// # Errors
    /// [`FitError::Domain`] and [`FitError::Target`].
    pub fn rational(
        &mut self,
        m: usize,
        n: usize,
        target: &dyn Fn(f64) -> Dd,
        domain: (f64, f64),
        metric: Metric,
    ) -> Result<Seed, FitError> {
        if n == 0 {
            return self.polynomial(m, target, domain, metric);
        }
        let points = Nodes::chebyshev(domain, 32.max(4 * (m + n + 2)), target, metric)?;
        let start = self.rational_start(m, n, &points)?;
        self.seed(rational_form(m, n, Type::Real, false), &start, target, domain, metric)
    }

    /// The best continued fraction equivalent to the ratio of degrees `m` and `n`: fewer operations than the ratio, a
    /// division for each level. `None` where the expansion breaks down.
    ///
    /// # Errors
    /// [`FitError::Domain`] and [`FitError::Target`].
    pub fn continued_fraction(
        &mut self,
        m: usize,
        n: usize,
        target: &dyn Fn(f64) -> Dd,
        domain: (f64, f64),
        metric: Metric,
    ) -> Result<Option<Seed>, FitError> {
        let ratio = self.rational(m, n, target, domain, metric)?.minimax.params;
        let below: Vec<Dd> = std::iter::once(Dd::ONE).chain(ratio[m + 1..].iter().copied()).collect();
        let Some(fraction) = ContinuedFraction::of_ratio(&ratio[..=m], &below) else { return Ok(None) };
        let (program, start) = fraction.form(Type::Real, false);
        let tape = Tape::new(&program)?;
        let options = MinimaxOptions { least_squares: None, ..MinimaxOptions::default() };
        let minimax = self.minimax(&tape, target, domain, metric, &start, &options)?;
        Ok(Some(finished(program, minimax)))
    }

    /// The start of a ratio: the linear problem with inputs x and f and target f, its weights divided by the denominator
    /// found so far. Parameters as in [`rational_form`].
    fn rational_start(&mut self, m: usize, n: usize, points: &Nodes) -> Result<Vec<Dd>, FitError> {
        let linear = Tape::new(&linearised(m, n))?;
        let mut nodes = Nodes { x: vec![points.x[0].clone(), points.target.clone()], ..points.clone() };
        let mut start = vec![0.0; m + 1 + n];
        for _ in 0..4 {
            start = self.least_squares(&linear, &nodes, &start, &Default::default())?.params;
            for (i, x) in points.x[0].iter().enumerate() {
                let q = 1.0 + x * start[m + 1..].iter().rev().fold(0.0, |y, b| y * x + b);
                nodes.weight[i] = points.weight[i] / q.abs().max(1e-6);
            }
        }
        Ok(start.into_iter().map(Dd::from).collect())
    }

    /// The best polynomial of a degree on nodes of any weights; parameters as in [`polynomial_form`].
    ///
    /// # Errors
    /// [`FitError::Shape`] if the nodes are not those of a function of one variable.
    pub fn polynomial_on_nodes(&mut self, degree: usize, nodes: &Nodes) -> Result<NodeMinimax, FitError> {
        let tape = Tape::new(&polynomial_form(degree, Type::Real, false))?;
        let start = self.least_squares(&tape, nodes, &vec![0.0; degree + 1], &Default::default())?.params;
        let start: Vec<Dd> = start.into_iter().map(Dd::from).collect();
        self.minimax_on_nodes(&tape, nodes, &start, &MinimaxOptions::default())
    }

    /// The best ratio of polynomials of degrees `m` and `n` on nodes of any weights; parameters as in
    /// [`rational_form`]. The start is that of [`Fitter::rational`].
    ///
    /// # Errors
    /// [`FitError::Shape`] if the nodes are not those of a function of one variable.
    pub fn rational_on_nodes(&mut self, m: usize, n: usize, nodes: &Nodes) -> Result<NodeMinimax, FitError> {
        if n == 0 {
            return self.polynomial_on_nodes(m, nodes);
        }
        nodes.check(1)?;
        let start = self.rational_start(m, n, nodes)?;
        let tape = Tape::new(&rational_form(m, n, Type::Real, false))?;
        self.minimax_on_nodes(&tape, nodes, &start, &MinimaxOptions::default())
    }

    fn seed(
        &mut self,
        program: Program,
        start: &[Dd],
        target: &dyn Fn(f64) -> Dd,
        domain: (f64, f64),
        metric: Metric,
    ) -> Result<Seed, FitError> {
        let tape = Tape::new(&program)?;
        let minimax = self.minimax(&tape, target, domain, metric, start, &MinimaxOptions::default())?;
        Ok(finished(program, minimax))
    }
}

fn finished(mut program: Program, minimax: MinimaxResult) -> Seed {
    set_params(&mut program, &minimax.params);
    Seed { program, minimax }
}

/// `sum a_i x^i - f * sum b_j x^j` over inputs x and f.
fn linearised(m: usize, n: usize) -> Program {
    let (mut b, x) = Builder::new("linearised", Type::Real, false);
    let f = b.program.input("f", Type::Real);
    let above: Vec<Value> = (0..=m).map(|_| b.param()).collect();
    let numerator = b.horner(x, &above);
    let below: Vec<Value> = (0..n).map(|_| b.param()).collect();
    let tail = b.horner(x, &below);
    let tail = b.program.must(Op::Mul, &[tail, x]);
    let scaled = b.program.must(Op::Mul, &[tail, f]);
    let y = b.program.must(Op::Sub, &[numerator, scaled]);
    b.done(y)
}
