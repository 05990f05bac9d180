//! Values at halfway points and next to them, where neither a bound nor more bits tell which way to round.
//!
//! A sweep meets such values by the million in two places, and each would cost MPFR thousands of bits:
//!
//! * **Arithmetic alone** (`12.92*x`, `x/2`) is exact in rational numbers, so a tie is seen as one.
//! * **Next to zero** a function with `f(0) = 0` and a slope of a few bits, such as x/2 in `x/(1+exp(-x))`, lies
//!   immeasurably above or below its tangent, of which every other subnormal value is a tie. The sign of the first
//!   derivative that bends it away, over all of `|x| <= 2^-80` in ball arithmetic ([`crate::taylor`]), says on which side,
//!   by Taylor's theorem with Lagrange's remainder.

use crate::FloatFormat;
use crate::ball::Ball;
use crate::dag::{Binary, Dag, Exact, Node};
use crate::function::Unary;
use crate::parity::Parity;
use crate::reference::{Reference, TIE_BITS};
use crate::taylor::expand;
use mathsmith_dsl::Cmp;
use rug::float::Round;
use rug::{Float, Rational};
use std::cmp::Ordering;

/// Bits of numerator and denominator together beyond which exact arithmetic is left to enclosures.
const LARGEST: u32 = 4096;
/// Integer exponents up to which a power is a product.
const PRODUCTS: i32 = 16;
/// Bits of the value that is rounded in the end: more than twice those of any format.
const BITS: u32 = 160;
/// 2^-80: within this distance of zero the tangent is looked at.
const REACH: f64 = 1.0 / (1u128 << 80) as f64;
/// Bits of a slope. With those of an argument and of a halfway point, no halfway point other than the tangent's own value
/// is nearer to it than [`CLOSE`], relatively.
const SLOPE_BITS: u32 = 8;
/// 2^-66.
const CLOSE: f64 = 1.0 / (1u128 << 66) as f64;

/// Whether some path through the expression is arithmetic alone.
pub(crate) fn arithmetic(dag: &Dag) -> bool {
    let mut all: Vec<bool> = Vec::with_capacity(dag.nodes.len());
    for node in &dag.nodes {
        all.push(match node {
            Node::Const(c) => matches!(c, Exact::Rational(_)),
            Node::Var(_) => true,
            Node::Unary(op, a) => matches!(op, Unary::Neg | Unary::Abs | Unary::Floor) && all[*a],
            Node::Binary(op, a, b) => {
                !matches!(op, Binary::Atan2 | Binary::Hypot)
                    && all[*a]
                    && all[*b]
                    && (*op != Binary::Pow || exponent(dag, *b).is_some())
            }
            Node::If { lhs, rhs, then, otherwise, .. } => all[*lhs] && all[*rhs] && (all[*then] || all[*otherwise]),
        });
    }
    all[dag.root]
}

/// A constant exponent that is a product.
fn exponent(dag: &Dag, node: usize) -> Option<i32> {
    match &dag.nodes[node] {
        Node::Const(Exact::Rational(q)) if *q.denom() == 1 => q.numer().to_i32().filter(|n| n.abs() <= PRODUCTS),
        _ => None,
    }
}

/// The exact value of a node, where arithmetic alone leads to it; `known` holds those found already.
fn exact(dag: &Dag, node: usize, x: &[Rational], known: &mut [Option<Rational>]) -> Option<Rational> {
    if let Some(value) = &known[node] {
        return Some(value.clone());
    }
    let mut of = |node: usize| exact(dag, node, x, known);
    let value = match &dag.nodes[node] {
        Node::Const(Exact::Rational(q)) => q.clone(),
        Node::Const(_) => return None,
        Node::Var(v) => x[*v].clone(),
        Node::Unary(Unary::Neg, a) => -of(*a)?,
        Node::Unary(Unary::Abs, a) => of(*a)?.abs(),
        Node::Unary(Unary::Floor, a) => of(*a)?.floor(),
        Node::Unary(..) => return None,
        Node::Binary(op, a, b) => match op {
            Binary::Add => of(*a)? + of(*b)?,
            Binary::Sub => of(*a)? - of(*b)?,
            Binary::Mul => of(*a)? * of(*b)?,
            Binary::Div => {
                let divisor = of(*b)?;
                if divisor.is_zero() {
                    return None;
                }
                of(*a)? / divisor
            }
            Binary::Min => of(*a)?.min(of(*b)?),
            Binary::Max => of(*a)?.max(of(*b)?),
            Binary::Pow => {
                let (n, base) = (exponent(dag, *b)?, of(*a)?);
                if base.is_zero() {
                    return None;
                }
                rug::ops::Pow::pow(base, n)
            }
            Binary::Atan2 | Binary::Hypot => return None,
        },
        Node::If { cmp, lhs, rhs, then, otherwise } => {
            let order = of(*lhs)?.cmp(&of(*rhs)?);
            let holds = match cmp {
                Cmp::Lt => order.is_lt(),
                Cmp::Le => order.is_le(),
                Cmp::Gt => order.is_gt(),
                Cmp::Ge => order.is_ge(),
                Cmp::Eq => order.is_eq(),
                Cmp::Ne => order.is_ne(),
            };
            of(if holds { *then } else { *otherwise })?
        }
    };
    if value.numer().significant_bits() + value.denom().significant_bits() > LARGEST {
        return None;
    }
    known[node] = Some(value.clone());
    Some(value)
}

/// A function's tangent at zero and the side on which the function lies.
#[derive(Clone, Debug)]
pub(crate) struct Tangent {
    slope: f64,
    /// Whether the function is above the tangent where x is negative, and where it is positive.
    above: [bool; 2],
}

impl Tangent {
    /// The tangent, where the function lies on one side of it on each side of zero, and nearer than any other halfway point.
    pub(crate) fn new(f: &Reference) -> Option<Tangent> {
        let (dag, constants) = (&f.inner.dag, f.inner.smooth.constants());
        if f.vars().len() != 1 || !f.is_zero(&[0.0]) {
            return None;
        }
        let tiny = Float::with_val(53, 1) >> (TIE_BITS + 100);
        let slope = f.value_at(std::slice::from_ref(&tiny), TIE_BITS + 16) / &tiny;
        let short = Float::with_val(SLOPE_BITS, &slope);
        let rest = Float::with_val(64, &slope - &short).abs();
        // Equal as far as anything here is told apart.
        if short.is_zero() || !short.is_finite() || rest > Float::with_val(64, short.abs_ref()) >> (TIE_BITS - 8) {
            return None;
        }
        let slope = short.to_f64();
        let bend = expand(dag, constants, Ball { m: 0.0, r: REACH }, REACH)?;
        let (order, side) = match bend[2].sign() {
            Some(side) if side.is_ne() => (2, side),
            // The second derivative of an odd function vanishes at 0.
            _ if f.parity() == Some(Parity::Odd) => (3, bend[3].sign().filter(|s| s.is_ne())?),
            _ => return None,
        };
        let near = bend[order].magnitude() <= CLOSE * slope.abs() * REACH;
        let positive = side == Ordering::Greater;
        near.then_some(Tangent { slope, above: [positive == (order == 2), positive] })
    }

    /// The correctly rounded value at an argument that is not 0.
    fn round(&self, x: f64, format: FloatFormat) -> Option<f64> {
        if x.abs() > REACH || x == 0.0 {
            return None;
        }
        let mut value = Float::with_val(BITS, x) * self.slope;
        if self.above[usize::from(x > 0.0)] {
            value.next_up();
        } else {
            value.next_down();
        }
        Some(format.nearest(&value))
    }
}

impl Reference {
    /// The correctly rounded value where exact arithmetic or the tangent at zero gives it.
    pub(crate) fn settled(&self, x: &[f64], format: FloatFormat) -> Option<f64> {
        if let [x] = *x
            && x.abs() <= REACH
            && x != 0.0
            && let Some(tangent) = self.tangent()
        {
            return tangent.round(x, format);
        }
        if !self.inner.arithmetic || x.iter().any(|x| !x.is_finite() || *x == 0.0) {
            return None;
        }
        let x: Option<Vec<Rational>> = x.iter().map(|&x| Rational::from_f64(x)).collect();
        let mut known = vec![None; self.inner.dag.nodes.len()];
        let value = exact(&self.inner.dag, self.inner.dag.root, &x?, &mut known)?;
        if value.is_zero() {
            return None;
        }
        let (mut short, cut) = Float::with_val_round(BITS, &value, Round::Zero);
        if cut != Ordering::Equal {
            // What was cut off decides where the rest is a tie.
            if value > 0 { short.next_up() } else { short.next_down() }
        }
        Some(format.nearest(&short))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(text: &str) -> Reference {
        Reference::new(&mathsmith_dsl::parse_expr(text).expect("parses")).expect("compiles")
    }

    /// The value to 2000 bits, rounded.
    fn slow(f: &Reference, x: f64, format: FloatFormat) -> f64 {
        format.nearest(&f.value(&[x], 2000))
    }

    #[test]
    fn arithmetic_is_exact() {
        let line = reference("if x<=0.003 then 12.92*x else 1.055*x^(1/2.4)-0.055");
        // A tie: 1650.13671875 * 12.92 = 21319.76640625, and the same with a smaller exponent.
        let x = 1_650.136_718_75 / f64::from(1 << 24);
        assert_eq!(line.settled(&[x], FloatFormat::F32), Some(slow(&reference("12.92*x"), x, FloatFormat::F32)));
        assert_eq!(line.settled(&[0.5], FloatFormat::F32), None);
        assert_eq!(reference("exp(x)").settled(&[0.5], FloatFormat::F32), None);
        for text in ["12.92*x", "x/3+x^3", "x*0.1*10", "max(x,1/x)-x/7", "abs(-x)/(1+x*x)"] {
            let f = reference(text);
            for k in 1..2000 {
                for x in [f64::from(k) * 0.25, -f64::from(k) * 1e-42_f32 as f64, 1.0 / f64::from(k)] {
                    for format in [FloatFormat::F32, FloatFormat::F64] {
                        let got = f.settled(&[x], format);
                        if let Some(got) = got {
                            let want = slow(&f, x, format);
                            assert_eq!(got.to_bits(), want.to_bits(), "{text} at {x:e}");
                        }
                    }
                }
            }
            assert!(f.settled(&[0.3], FloatFormat::F32).is_some(), "{text}");
        }
    }

    #[test]
    fn tangents() {
        let side = |text: &str| reference(text).tangent().map(|t| (t.slope, t.above));
        assert_eq!(side("x/(1+exp(-x))"), Some((0.5, [true, true])));
        assert_eq!(side("x*erfc(x/sqrt(2))/2"), Some((0.5, [false, false])));
        assert_eq!(side("tanh(x/2)"), Some((0.5, [true, false])));
        assert_eq!(side("sinh(x)"), Some((1.0, [false, true])));
        // No value 0 there, no slope of a few bits, no slope, no bend, a corner.
        for text in ["exp(x)", "sin(x*0.1)", "1-cos(x)", "x*2", "abs(x)+x^2", "x^3+x^5"] {
            assert_eq!(side(text), None, "{text}");
        }
    }

    #[test]
    fn next_to_zero_as_with_thousands_of_bits() {
        for text in ["x/(1+exp(-x))", "x*erfc(-x/sqrt(2))/2", "tanh(x/2)", "log1p(x)", "-sin(x)*3/4"] {
            let f = reference(text);
            for k in 0..300_u32 {
                let bits = if k < 200 { k + 1 } else { 0x0040_0001 + k * 0x0001_1111 };
                for x in [f64::from(f32::from_bits(bits)), -f64::from(f32::from_bits(bits))] {
                    let got = f.settled(&[x], FloatFormat::F32).expect("a tangent");
                    assert_eq!(got.to_bits(), slow(&f, x, FloatFormat::F32).to_bits(), "{text} at {x:e}");
                }
            }
        }
    }
}
