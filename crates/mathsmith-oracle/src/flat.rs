//! Stretches on which one answer serves every argument: saturated, overflowed, underflowed, undefined.
//!
//! Interval arithmetic over a whole cell of arguments ([`Dag::all`] at [`BITS`] bits) encloses every value on it. The
//! answers, in the terms of [`Reference::fast_block`](crate::Reference::fast_block):
//!
//! * no value anywhere, nor a limit (`log(x)` for `x < 0`): NaN, bound 0;
//! * every value beyond 2^1024 (`exp(1e9)`): infinity, bound 0;
//! * an enclosure of relative width 2^-53 (`tanh(30)`): its middle, and the distance to its farther end as the bound;
//! * every value below 2^-1074 and certainly not 0 (`exp(-1e9)`): the least subnormal with the sign of the values, and
//!   the same as the bound, so `0 < |f| <= 2^-1073`.
//!
//! Where this holds for a part of the expression only (`tanh(x)` within `x*tanh(x)`), the part is filled in and the rest
//! evaluated by the fast path, which takes the same pairs from any of its operations.
//!
//! The last rule needs the sign where the enclosure itself cannot show it, MPFR having no smaller numbers: [`sign`] derives it
//! from the structure, as `exp(u)` is positive and a product of two signs has one.

use crate::dag::{Binary, Dag, Node, args, compare};
use crate::enclosure::{Enclosure, Status};
use crate::function::Unary;
use rug::Float;
use rug::float::Round;
use std::cmp::Ordering;
use std::sync::Arc;

/// Bits of the interval evaluation: more than a double, in two words.
const BITS: u32 = 96;
/// Bits to which a part that saturates is known, so that a product with the greatest float (`x*erf(x)`) is exact to 2^-100.
const PART_BITS: u32 = 320;
/// 2^-53.
const NARROW: f64 = 1.0 / (1u64 << 53) as f64;
/// Values below this are left to the rule for underflow: subnormal doubles are near.
const LEAST: f64 = 1e-270;
/// MPFR's exponents of 2^1024, and of what is at most 2^-1074.
const HUGE: i32 = 1025;
const TINY: i32 = -1074;

/// What is known of a whole cell.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// One value and bound for every argument.
    All(f64, f64),
    /// What the evaluation of each node comes to, of which some are constant.
    Some(Arc<[Step]>),
    /// Nothing that helps.
    None,
}

/// How the fast path treats a node on a cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Step {
    /// Evaluates it.
    Run,
    /// Fills in a value and a bound.
    Fill(f64, f64),
    /// Takes the values and bounds of another node, the branch that holds everywhere.
    Take(usize),
    /// Leaves it out: nobody asks for it.
    Skip,
}

/// What serves the arguments of `lo ..= hi`.
pub(crate) fn answer(dag: &Dag, lo: f64, hi: f64) -> Answer {
    let cell = Enclosure::new(Float::with_val(53, lo), Float::with_val(53, hi));
    let mut values = dag.all(std::slice::from_ref(&cell), BITS, false);
    let signs = sign(dag, &values);
    if values[dag.root].status == Status::Undefined {
        return if values[dag.root].edge { Answer::None } else { Answer::All(f64::NAN, 0.0) };
    }
    if let Some((y, bound)) = constant(&values[dag.root], signs[dag.root]) {
        return Answer::All(y, bound);
    }
    if dag.nodes.iter().zip(&values).zip(&signs).any(|((n, v), &s)| n.dear() && constant(v, s).is_some()) {
        values = dag.all(&[cell], PART_BITS, false);
    }
    // From the root down: a constant node needs none of its arguments. Arithmetic is left to the fast path, which knows
    // its rounding errors better than an enclosure of 96 bits.
    let mut steps = vec![Step::Skip; dag.nodes.len()];
    let mut some = false;
    steps[dag.root] = Step::Run;
    for i in (0..dag.nodes.len()).rev() {
        if steps[i] != Step::Run {
            continue;
        }
        let filled = if dag.nodes[i].dear() { constant(&values[i], signs[i]) } else { None };
        if let Some((y, bound)) = filled {
            steps[i] = Step::Fill(y, bound);
            some = true;
        } else if let Some(branch) = branch(&dag.nodes[i], &values) {
            steps[i] = Step::Take(branch);
            steps[branch] = Step::Run;
            some = true;
        } else {
            for a in args(&dag.nodes[i]) {
                steps[a] = Step::Run;
            }
        }
    }
    if some { Answer::Some(steps.into()) } else { Answer::None }
}

/// The branch of an `if` whose comparison comes out the same for every argument.
fn branch(node: &Node, values: &[Enclosure]) -> Option<usize> {
    let Node::If { cmp, lhs, rhs, then, otherwise } = node else { return None };
    let (l, r) = (&values[*lhs], &values[*rhs]);
    let whole = |e: &Enclosure| e.status == Status::Defined && !e.edge;
    if !whole(l) || !whole(r) {
        return None;
    }
    Some(if compare(*cmp, l, r, false)? { *then } else { *otherwise })
}

/// One value and bound for all values of a node.
fn constant(f: &Enclosure, negative: Option<bool>) -> Option<(f64, f64)> {
    if f.status != Status::Defined || f.edge || f.jump {
        return None;
    }
    let exponent = |x: &Float| if x.is_infinite() { i32::MAX } else { x.get_exp().unwrap_or(i32::MIN) };
    let (a, b) = (exponent(&f.lo), exponent(&f.hi));
    if a.max(b) <= TINY {
        let least = f64::from_bits(1);
        return negative.map(|negative| (if negative { -least } else { least }, least));
    }
    let one_sign = f.sign().is_some_and(Ordering::is_ne);
    if a.min(b) >= HUGE && one_sign {
        return Some((f64::INFINITY.copysign(f.lo.to_f64()), 0.0));
    }
    if !one_sign || a.max(b) >= HUGE {
        return None;
    }
    let y = f.mid(PART_BITS).to_f64();
    let above = Float::with_val_round(53, &f.hi - y, Round::Up).0;
    let below = Float::with_val_round(53, y - &f.lo, Round::Up).0;
    let bound = above.max(&below).to_f64_round(Round::Up);
    (y.abs() > LEAST && bound <= NARROW * y.abs()).then_some((y, bound))
}

/// For each node whether its values on the box are all positive (`Some(false)`) or all negative (`Some(true)`), as real
/// numbers, whatever their size. The caller knows that no node has a pole there.
fn sign(dag: &Dag, values: &[Enclosure]) -> Vec<Option<bool>> {
    use Unary as U;
    let mut all: Vec<Option<bool>> = Vec::with_capacity(values.len());
    for (node, value) in dag.nodes.iter().zip(values) {
        let zero = |i: usize| values[i].is_zero();
        let small = |i: usize| values[i].lo > -1 && values[i].hi < 1;
        let shown = value.sign().filter(|s| s.is_ne()).map(Ordering::is_lt);
        let derived = || match node {
            Node::Const(_) | Node::Var(_) => None,
            Node::Unary(op, a) => match op {
                U::Exp | U::Exp2 | U::Exp10 | U::Cosh | U::Erfc => Some(false),
                U::Neg => all[*a].map(|s| !s),
                U::Abs => all[*a].map(|_| false),
                U::Sqrt
                | U::Cbrt
                | U::Sinh
                | U::Tanh
                | U::Asinh
                | U::Asin
                | U::Atan
                | U::Atanh
                | U::Erf
                | U::Expm1
                | U::Exp2m1
                | U::Exp10m1
                | U::Log1p
                | U::Log2p1
                | U::Log10p1 => all[*a],
                U::Sin | U::Tan | U::Sinpi if small(*a) => all[*a],
                _ => None,
            },
            Node::Binary(op, a, b) => {
                let (s, t) = (all[*a], all[*b]);
                let same = |s: Option<bool>, t: Option<bool>| s.filter(|_| s == t);
                match op {
                    Binary::Mul | Binary::Div => s.zip(t).map(|(s, t)| s != t),
                    Binary::Add if zero(*a) => t,
                    Binary::Add | Binary::Sub if zero(*b) => s,
                    Binary::Add | Binary::Min | Binary::Max => same(s, t),
                    Binary::Sub => same(s, t.map(|t| !t)),
                    Binary::Hypot => s.or(t).map(|_| false),
                    Binary::Pow => s.filter(|negative| !negative),
                    Binary::Atan2 => None,
                }
            }
            Node::If { then, otherwise, .. } => all[*then].filter(|_| all[*then] == all[*otherwise]),
        };
        let s = shown.or_else(derived);
        all.push(s);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Reference;

    fn reference(text: &str) -> Reference {
        Reference::new(&mathsmith_dsl::parse_expr(text).expect("parses")).expect("compiles")
    }

    fn on(text: &str, lo: f64, hi: f64) -> Option<(f64, f64)> {
        match answer(&reference(text).inner.dag, lo, hi) {
            Answer::All(y, bound) => Some((y, bound)),
            Answer::Some(_) | Answer::None => None,
        }
    }

    #[test]
    fn parts_are_filled_in() {
        let steps = |text: &str, lo: f64, hi: f64| match answer(&reference(text).inner.dag, lo, hi) {
            Answer::Some(steps) => steps.to_vec(),
            other => panic!("{text}: {other:?}"),
        };
        let s = steps("x*tanh(exp(x))", 50.0, 60.0);
        // x, exp(x), tanh(exp(x)), the product.
        assert!(s[0] == Step::Run && s[1] == Step::Skip && s[3] == Step::Run, "{s:?}");
        assert!(matches!(s[2], Step::Fill(1.0, e) if e <= NARROW), "{s:?}");
        let s = steps("x+exp(-x)", 2e9, 3e9);
        let tiny = f64::from_bits(1);
        assert!(s.contains(&Step::Fill(tiny, tiny)), "{s:?}");
        assert!(matches!(answer(&reference("x*sin(x)").inner.dag, 50.0, 60.0), Answer::None));
    }

    #[test]
    fn answers() {
        let tiny = f64::from_bits(1);
        let below = |text: &str| on(text, -3e9, -2e9);
        for text in ["exp(x)", "1/(1+exp(-x))", "log(1+exp(x))", "exp(x)^2", "erfc(-x)", "sinh(exp(x))", "-x*exp(x)"] {
            assert_eq!(below(text), Some((tiny, tiny)), "{text}");
        }
        for text in ["-exp(x)", "x/(1+exp(-x))", "x*0.5*(1+erf(x/sqrt(2)))", "x*exp(x)", "-hypot(exp(x),exp(2*x))"] {
            assert_eq!(below(text), Some((-tiny, tiny)), "{text}");
        }
        // Signs that nothing shows.
        assert_eq!(below("exp(x)-exp(2*x)"), None);
        assert_eq!(below("exp(x)*sin(x)"), None);
        assert!(below("log(x)").is_some_and(|(y, e)| y.is_nan() && e == 0.0));
        assert!(on("asin(x)+exp(x)", 2.0, 3.0).is_some_and(|(y, e)| y.is_nan() && e == 0.0));
        assert_eq!(on("exp(x)", 710.0, 711.0), Some((f64::INFINITY, 0.0)));
        assert_eq!(on("-exp(x)", 710.0, 1e38), Some((f64::NEG_INFINITY, 0.0)));
        assert_eq!(on("exp(x)", 709.0, 710.0), None);
        assert_eq!(on("sinh(x)", -1e30, -1e3), Some((f64::NEG_INFINITY, 0.0)));
        for (text, lo, hi, y) in
            [("tanh(x)", 20.0, 1e38, 1.0), ("erf(x)", -1e38, -6.0, -1.0), ("2+exp(x)", -1e9, -50.0, 2.0)]
        {
            let (got, bound) = on(text, lo, hi).unwrap_or_else(|| panic!("{text} is flat"));
            assert!((got - y).abs() <= bound && bound <= NARROW * y.abs(), "{text}: {got} ± {bound:e}");
        }
        assert_eq!(on("tanh(x)", 15.0, 30.0), None);
        // A domain that ends inside, a pole, a limit, a jump.
        assert_eq!(on("log(x)", -1.0, 0.0), None);
        assert_eq!(on("tanh(1/x)", -1.0, 1.0), None);
        assert_eq!(on("(x-x)/(x-x)", 1.0, 2.0), None);
        assert_eq!(on("tanh(floor(x))", 30.5, 31.5), None);
    }

    #[test]
    fn a_narrower_bound_would_miss_the_ends() {
        for (text, lo, hi) in [("tanh(x)", 19.5, 1e9), ("erf(x)", -1e9, -6.0), ("1+exp(x)", -1e9, -38.0)] {
            let f = reference(text);
            let (y, bound) = on(text, lo, hi).expect("flat");
            let off = |x: f64| Float::with_val(300, f.value(&[x], 250) - y).abs();
            let worst = off(lo).max(&off(hi));
            assert!(worst <= bound && worst > 0.999 * bound, "{text}: {worst} of {bound:e}");
        }
    }
}
