//! Whether an identity holds: at seeded random points of the domain, to some 200 bits.

use crate::misfit::{Misfit, Number};
use crate::reduction::Formula;
use crate::scope::{Scope, compiled};
use mathsmith_dsl::{Expr, ExprId, ExprNode, Func};
use mathsmith_ir::sample::SplitMix;
use mathsmith_oracle::{Enclosure, FloatFormat, Reference, Status};
use rug::Float;

/// Points at which both sides have to agree, how many are tried for them, and how few are too few.
const POINTS: usize = 24;
const TRIED: usize = 120;
const FEWEST: usize = 8;
/// Agreement relative to the largest term, in bits.
const AGREEMENT: i32 = 200;
/// Precisions, ascending; a point that the last does not decide is passed over.
const PRECISIONS: [u32; 3] = [320, 1024, 4096];
/// The kernel of most functions: here sums and products of the argument with constants are still of its size.
const MIDDLE: f64 = 64.0;

/// Seeded points of a domain: some linear, some with evenly distributed exponents, half of them of moderate size.
pub(crate) struct Points {
    random: SplitMix,
    lo: f64,
    hi: f64,
    turn: usize,
}

impl Points {
    pub(crate) fn new(domain: (f64, f64), seed: u64) -> Points {
        let most = FloatFormat::F32.max();
        Points {
            random: SplitMix::new(seed),
            lo: domain.0.clamp(-most, most),
            hi: domain.1.clamp(-most, most),
            turn: 0,
        }
    }

    fn unit(&mut self) -> f64 {
        (self.random.bits() >> 11) as f64 * power_of_minus_53()
    }
}

fn power_of_minus_53() -> f64 {
    f64::from_bits((1023 - 53) << 52)
}

impl Iterator for Points {
    type Item = f64;

    fn next(&mut self) -> Option<f64> {
        let turn = self.turn;
        self.turn += 1;
        let (mut lo, mut hi) = (self.lo, self.hi);
        if turn % 4 < 2 && lo.max(-MIDDLE) < hi.min(MIDDLE) {
            (lo, hi) = (lo.max(-MIDDLE), hi.min(MIDDLE));
        }
        let unit = self.unit();
        if turn.is_multiple_of(2) {
            return Some((lo + (hi - lo) * unit).clamp(lo, hi));
        }
        // Evenly by exponent, down to 2^-20 where the domain reaches zero; digits at random.
        let format = FloatFormat::F32;
        let least = format.key(f64::from_bits((1023 - 20) << 52));
        let (first, last) = (format.key(format.nearest_f64(lo)), format.key(format.nearest_f64(hi)));
        let squeeze = |key: i64| if key > 0 { (key - least).max(0) } else { (key + least).min(0) };
        let (a, b) = (squeeze(first), squeeze(last));
        let key = a + ((b - a) as f64 * unit) as i64;
        let x = format.from_key(if key < 0 { key - least } else { key + least });
        Some((x * (1.0 + self.unit() * f64::EPSILON * 1e8)).clamp(lo, hi))
    }
}

/// The terms of a sum, signs and constant factors aside: what cancels in it.
fn terms(expr: &Expr, id: ExprId, out: &mut Vec<ExprId>) {
    let constant = |id: ExprId| !expr.part(id).nodes.iter().any(|node| matches!(node, ExprNode::Var(_)));
    match expr.node(id) {
        ExprNode::Call(Func::Add | Func::Sub, a, Some(b)) => {
            terms(expr, *a, out);
            terms(expr, *b, out);
        }
        ExprNode::Call(Func::Neg, a, _) => terms(expr, *a, out),
        ExprNode::Call(Func::Mul, a, Some(b)) if constant(*a) => terms(expr, *b, out),
        ExprNode::Call(Func::Mul | Func::Div, a, Some(b)) if constant(*b) => terms(expr, *a, out),
        _ => out.push(id),
    }
}

struct Side {
    whole: Reference,
    terms: Vec<Reference>,
}

impl Side {
    fn new(scope: &Scope<'_>, formula: &Formula) -> Result<Side, Misfit> {
        let expr = scope.expr(formula, &["x", "y"])?;
        let mut found = Vec::new();
        terms(&expr, expr.root, &mut found);
        let mut references = Vec::new();
        // A single term is as large as the side itself.
        if found.len() > 1 {
            for id in found {
                references.push(compiled(&expr.part(id), formula)?);
            }
        }
        Ok(Side { whole: compiled(&expr, formula)?, terms: references })
    }

    /// The largest magnitude of the side and its terms, as an exponent of two.
    fn size(&self, point: &[Enclosure], value: &Enclosure, bits: u32) -> Option<i32> {
        let terms = self.terms.iter().map(|term| magnitude(&term.enclose_box(point, bits)));
        terms.chain([magnitude(value)]).flatten().max()
    }
}

fn magnitude(e: &Enclosure) -> Option<i32> {
    if e.status == Status::Undefined { None } else { e.lo.get_exp().max(e.hi.get_exp()) }
}

enum Found {
    Agree,
    Differ(f64, f64),
    Nothing,
}

fn compare(left: &Side, right: &Side, point: &[Enclosure]) -> Found {
    for bits in PRECISIONS {
        let (l, r) = (left.whole.enclose_box(point, bits), right.whole.enclose_box(point, bits));
        if l.status == Status::Undefined || r.status == Status::Undefined {
            return Found::Nothing;
        }
        let finite = [&l.lo, &l.hi, &r.lo, &r.hi].iter().all(|x| x.is_finite());
        let sizes = (left.size(point, &l, bits), right.size(point, &r, bits));
        let Some(size) = sizes.0.max(sizes.1).filter(|_| finite) else {
            // Zero on both sides says little; what is infinite at this precision may have digits at a higher one.
            if finite {
                return Found::Nothing;
            }
            continue;
        };
        if size.abs() > 1_000_000_000 {
            return Found::Nothing;
        }
        let bound = size - AGREEMENT;
        let below = |x: Float, bound: i32| x.get_exp().is_none_or(|e| e < bound);
        let narrow = |e: &Enclosure| below(Float::with_val(64, &e.hi - &e.lo), bound - 4);
        if l.status != Status::Defined || r.status != Status::Defined || !narrow(&l) || !narrow(&r) {
            continue;
        }
        let (l, r) = (l.mid(bits), r.mid(bits));
        let agree = below(Float::with_val(64, &l - &r), bound);
        return if agree { Found::Agree } else { Found::Differ(l.to_f64(), r.to_f64()) };
    }
    Found::Nothing
}

/// Tests `left = right` for the function of a scope, on its domain: a pair of ends for each variable.
pub(crate) fn holds(scope: &Scope<'_>, left: &Formula, right: &Formula, domain: &[(f64, f64)]) -> Result<(), Misfit> {
    let identity = || format!("{} = {}", left.text, right.text);
    let sides = (Side::new(scope, left)?, Side::new(scope, right)?);
    let two = mentions_y(left) || mentions_y(right);
    let of_y = domain.last().copied().unwrap_or(domain[0]);
    let (mut xs, mut ys) = (Points::new(domain[0], 1), Points::new(of_y, 2));
    let mut usable = 0;
    for _ in 0..TRIED {
        let (Some(x), Some(y)) = (xs.next(), ys.next()) else { break };
        let point = [x, y].map(|v| Enclosure::point(Float::with_val(53, v)));
        match compare(&sides.0, &sides.1, &point) {
            Found::Agree => usable += 1,
            Found::Nothing => {}
            Found::Differ(left, right) => {
                let (x, y) = (Number(x), Number(y));
                let at = if two { format!("x = {x}, y = {y}") } else { format!("x = {x}") };
                return Err(Misfit::Identity { identity: identity(), at, left, right });
            }
        }
        if usable == POINTS {
            return Ok(());
        }
    }
    if usable >= FEWEST { Ok(()) } else { Err(Misfit::Points { identity: identity(), points: usable }) }
}

/// Whether a formula has the variable y.
fn mentions_y(formula: &Formula) -> bool {
    let mut words = formula.text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.any(|word| word == "y")
}
