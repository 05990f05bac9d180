//! Runs of neighbouring arguments: one Taylor polynomial for thousands of them.
//!
//! A sweep visits adjacent floats, over which a function hardly bends. The doubles are cut into *cells*: a cell of level
//! `l` holds those that share sign, exponent and the first `l` bits of the significand. On a cell with centre `c` and half
//! width `h`, a power of two, [`Reference::fast_run`] evaluates `f(c + h t)` as `c0 + c1 t + ... + cd t^d`, `|t| <= 1`.
//!
//! # The bound
//!
//! `|y - f(x)|` is at most the sum of
//!
//! * Lagrange's remainder: the coefficient of order `d + 1` over the whole cell ([`crate::taylor`]);
//! * the radii of the coefficients used, `c0` being an unevaluated sum of two doubles taken from an MPFR enclosure;
//! * the rounding errors of Horner's rule with fused multiply-adds, `sum (k + 1) u |c_k|` with `u = 2^-53(1 + 2^-40)`
//!   (Higham, "Accuracy and Stability of Numerical Algorithms", section 5.1, for `|t| <= 1`; `t` itself is exact: `x` and
//!   `c` lie in one binade, so their difference is exact by Sterbenz' lemma, and `1/h` is a power of two);
//! * `2^-53 |y|` for the last addition.
//!
//! A cell takes a polynomial when all but the last are below 2^-50 of the least `|f|` on it, so the bound is little more
//! than half an ulp of a double, or below 2^-46 where the remainder is not what stands in the way: the radii of an
//! ill-conditioned function's coefficients, such as those of `exp(-x^2)` far out, shrink with the width only slowly.
//! Otherwise it is halved, up to a level beyond which the function's own evaluation
//! ([`Reference::fast_block`]) is no dearer. So are cells left alone that no halving can help, and cells on which the
//! function is a polynomial: results there may lie exactly halfway between floats, which exact arithmetic knows and a
//! bound does not. Where a function is proportional to the argument to within 2^-100, as `x*erf(x)` is far out, its own evaluation knows the little
//! that it lacks, and the last addition here would not. Whether a cell has a polynomial, and which, depends on the cell and the function alone.
//!
//! Where there is no polynomial, one answer may serve the whole cell ([`crate::flat`]): far from zero most functions
//! saturate, overflow or have no value, or parts of them do. What oscillates there is left to the function's own evaluation, which turns sines
//! and cosines of adjacent floats ([`crate::rotate`]).

use crate::ball::Ball;
use crate::dag::{Dag, Node};
use crate::enclosure::{Enclosure, Status};
use crate::fast::{Scratch, cpu_supported};
use crate::flat::{self, Answer, Step};
use crate::reference::Reference;
use crate::taylor::{ORDER, expand, has_rule};
use rug::Float;
use std::sync::Arc;

/// Coarsest cells: 2^17 floats of the single format.
const COARSE: u32 = 6;
/// Finest cells: 2^11 floats.
const FINE: u32 = 12;
/// Greatest degree.
const DEGREE: usize = ORDER - 1;
/// Halvings without any remainder bound after which a part is given up.
const BLIND: u32 = 4;
/// Arguments in one cell below which a polynomial is not worth its making.
const SHORTEST: usize = 64;
/// Average distance of a run's arguments, in floats, above which it is not worth it.
const SPARSEST: u64 = 4;
/// Bits to which the constant term is enclosed.
const CENTRE_BITS: u32 = 150;
/// Lanes evaluated together.
const LANES: usize = 32;
/// 2^-53 with room for the rounding of a bound.
const UNIT: f64 = 1.110_223_024_626_166_7e-16;
/// 2^-50.
const ACCEPTED: f64 = 8.881_784_197_001_252e-16;
/// 2^-46.
const TOLERATED: f64 = 16.0 * ACCEPTED;
/// 2^-100: curvature below which a function is a line.
const STRAIGHT: f64 = ACCEPTED * ACCEPTED;
/// Factor by which halving a cell reduces the remainder: 2^-(DEGREE + 1).
const SHRINK: f64 = 1.0 / (1u64 << (DEGREE + 1)) as f64;
/// Values below this have no polynomial: subnormal doubles are near.
const LEAST: f64 = 1e-270;

/// What the method knows about an expression before any argument is seen.
#[derive(Debug)]
pub(crate) struct Smooth {
    /// Whether polynomials are tried at all.
    applies: bool,
    /// Balls of the constant nodes.
    constants: Vec<Ball>,
    /// Tells the cells of different expressions apart in a shared scratch.
    id: u64,
}

impl Smooth {
    pub(crate) fn new(dag: &Dag, variables: usize, constants: &[(f64, f64)]) -> Smooth {
        use std::sync::atomic::{AtomicU64, Ordering};
        static NEXT: AtomicU64 = AtomicU64::new(1);
        // Arithmetic and square roots alone are as cheap as a polynomial, and often exact.
        let dear = dag.nodes.iter().any(Node::dear);
        let ruled = dag.nodes.iter().all(|n| !matches!(n, Node::Unary(op, _) if !has_rule(*op)));
        Smooth {
            applies: variables == 1 && dear && ruled,
            constants: constants.iter().map(|&(m, r)| Ball { m, r }).collect(),
            id: NEXT.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// Balls of the constant nodes.
    pub(crate) fn constants(&self) -> &[Ball] {
        &self.constants
    }
}

/// The polynomials of one coarse cell, found as they are needed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cells {
    /// Expression and coarse cell; no expression has the number 0.
    owner: (u64, u64),
    /// A binary tree: the halves of cell `i` are `2i` and `2i + 1`, the coarse cell is 1.
    tree: Vec<Cell>,
}

#[derive(Clone, Debug, Default)]
enum Cell {
    /// Not looked at.
    #[default]
    New,
    /// Look at its halves.
    Halved {
        /// How many halvings in a row gave no bound at all.
        blind: u32,
        /// Level above which no polynomial is expected, so that none is tried.
        until: u32,
    },
    /// Left to the function's own evaluation.
    Direct,
    /// Likewise, some of its parts being constant.
    Partly(Arc<[Step]>),
    /// Has one value and bound for all.
    Flat(f64, f64),
    /// Has a polynomial.
    Smooth(Polynomial),
}

/// A polynomial in `(x - centre) / h` with its bound.
#[derive(Clone, Debug)]
struct Polynomial {
    centre: f64,
    /// `1 / h`.
    rate: f64,
    /// Constant term, and what it lacks.
    head: (f64, f64),
    /// Coefficients of `t^d, ..., t^1`.
    rest: [f64; DEGREE],
    degree: usize,
    /// Everything in the bound but the last addition.
    bound: f64,
}

/// Sign, exponent and first `level` bits of the significand.
fn key(x: f64, level: u32) -> u64 {
    x.to_bits() >> (52 - level)
}

/// Decides a cell: a polynomial, one answer for all, or neither.
fn decide(dag: &Dag, smooth: &Smooth, key: u64, level: u32, blind: u32) -> Cell {
    let cell = attempt(dag, smooth, key, level, blind, 1.0);
    if matches!(cell, Cell::Smooth(_)) {
        return cell;
    }
    let width = 52 - level;
    let (first, last) = (f64::from_bits(key << width), f64::from_bits((key << width) | ((1 << width) - 1)));
    if !first.is_normal() {
        return cell;
    }
    match flat::answer(dag, first.min(last), first.max(last)) {
        Answer::All(y, bound) => Cell::Flat(y, bound),
        Answer::Some(steps) if matches!(cell, Cell::Direct) => Cell::Partly(steps),
        Answer::Some(_) | Answer::None => cell,
    }
}

/// Makes the polynomial of a cell. `remainder` scales the remainder: 1 except in the test that shows what it is for.
fn attempt(dag: &Dag, smooth: &Smooth, key: u64, level: u32, blind: u32, remainder: f64) -> Cell {
    let width = 52 - level;
    let (lo, centre) = (f64::from_bits(key << width), f64::from_bits((key << width) | 1 << (width - 1)));
    let h = (centre - lo).abs();
    let rate = 1.0 / h;
    if !lo.is_normal() || !h.is_normal() || !rate.is_normal() {
        return Cell::Direct;
    }
    // A cell with neither polynomial nor bound: a singular point, or a function without any.
    let lost =
        || if level == FINE || blind + 1 >= BLIND { Cell::Direct } else { Cell::Halved { blind: blind + 1, until: 0 } };
    let Some(all) = expand(dag, &smooth.constants, Ball { m: centre, r: h }, h) else { return lost() };
    let least_size = all[0].m.abs() - all[0].r;
    let proportional = centre.abs() >= 1.0 && all[1].magnitude() * centre.abs() >= 0.5 * h * least_size;
    // Higher coefficients may be lost in the radii that powers of a large h blow up; a cell left alone is never wrong.
    let straight = proportional && all[2..4].iter().all(|c| c.magnitude() <= STRAIGHT * least_size);
    if (all[ORDER].is_zero() && all[ORDER - 1].is_zero()) || straight {
        return Cell::Direct;
    }
    let Some(at) = expand(dag, &smooth.constants, Ball::exact(centre), h) else { return lost() };
    let mut swing: f64 = at[1..].iter().map(|c| c.magnitude()).sum();
    swing += all[ORDER].magnitude();
    let top = all[0].magnitude();
    if !(top < 1e300 && swing < 1e300) {
        return lost();
    }
    if top <= LEAST {
        return Cell::Direct;
    }
    let after = |d: usize| all[d + 1].magnitude() * remainder;
    // Halving divides the remainder by 2^(d+1), or by more where it narrows the ball; a zero nearby asks for more levels.
    let refused = || {
        let mut until = level + 1;
        let mut left = after(DEGREE) * SHRINK;
        while left > ACCEPTED * top && until <= FINE {
            left *= SHRINK;
            until += 1;
        }
        if level == FINE || until > FINE { Cell::Direct } else { Cell::Halved { blind: 0, until } }
    };
    // Without the constant term, whose many digits are dear: no better than this can it be.
    if after(DEGREE) + at[1..=DEGREE].iter().map(|c| c.r).sum::<f64>() > TOLERATED * top {
        return refused();
    }
    let e = dag.eval(&[Enclosure::point(Float::with_val(53, centre))], CENTRE_BITS, false);
    if e.status != Status::Defined || e.edge || e.jump || !e.lo.is_finite() || !e.hi.is_finite() {
        return lost();
    }
    let middle = e.mid(CENTRE_BITS);
    let hi = middle.to_f64();
    let low = Float::with_val(CENTRE_BITS, &middle - hi);
    let lo = low.to_f64();
    let radius = Float::with_val(53, e.radius(&middle, CENTRE_BITS));
    let cut = Float::with_val(53, &low - lo).abs();
    // Each of the two was rounded to nearest, by far less than is added here.
    let mut bound = (radius.to_f64() + cut.to_f64()) * (1.0 + 1e-9) + UNIT * lo.abs();
    let least = hi.abs() - swing * (1.0 + 1e-12);
    // Taken with the least |f| over the cell, of which a half is enough to go on with; a zero inside is looked for.
    let allowed = ACCEPTED * least.max(0.0);
    let enough = (1..=DEGREE).find(|&d| after(d) <= allowed * 0.0625);
    let degree = enough.unwrap_or(DEGREE);
    let mut rest = [0.0; DEGREE];
    for k in 1..=degree {
        bound += at[k].r + (k + 1) as f64 * UNIT * at[k].m.abs();
        rest[degree - k] = at[k].m;
    }
    // One least subnormal for each step that may underflow.
    bound = (bound + after(degree) + 1e-320) * (1.0 + 1e-12);
    let limit = if enough.is_some() { TOLERATED / ACCEPTED * allowed } else { allowed };
    if least > LEAST && bound <= limit {
        return Cell::Smooth(Polynomial { centre, rate, head: (hi, lo), rest, degree, bound });
    }
    refused()
}

impl Cells {
    /// The finest cell around `x` that has been decided, and its level.
    fn find(&mut self, reference: &Reference, x: f64) -> (u32, &Cell) {
        let (dag, smooth) = (&reference.inner.dag, &reference.inner.smooth);
        let owner = (smooth.id, key(x, COARSE));
        if self.owner != owner || self.tree.is_empty() {
            self.owner = owner;
            self.tree.clear();
            self.tree.resize(2 << (FINE - COARSE), Cell::New);
        }
        let (mut level, mut blind, mut until) = (COARSE, 0, COARSE);
        loop {
            let key = key(x, level);
            let below = level - COARSE;
            let index = (1usize << below) | (key as usize & ((1 << below) - 1));
            if matches!(self.tree[index], Cell::New) {
                let skipped = level < until;
                self.tree[index] =
                    if skipped { Cell::Halved { blind, until } } else { decide(dag, smooth, key, level, blind) };
            }
            match &self.tree[index] {
                Cell::Halved { blind: so_far, until: first } => (blind, until) = (*so_far, *first),
                _ => return (level, &self.tree[index]),
            }
            level += 1;
        }
    }
}

impl Reference {
    /// As [`Reference::fast_block`] for a function of one variable at ascending arguments, as a sweep visits them: values
    /// and bounds of the same meaning, several times as fast where the arguments are dense in the single format.
    ///
    /// Values and bounds may differ from those of [`Reference::fast_block`], and depend on where a run begins and ends;
    /// they do not depend on what the scratch was used for before. Arguments may come in any order, without gain.
    ///
    /// # Panics
    /// If the function has several variables, or the columns differ in length.
    pub fn fast_run(&self, xs: &[f64], ys: &mut [f64], errs: &mut [f64], scratch: &mut Scratch) {
        assert!(xs.len() == ys.len() && xs.len() == errs.len(), "columns of one length");
        let mut direct = 0;
        let mut at = 0;
        let smooth = self.inner.smooth.applies && cpu_supported() && xs.is_sorted();
        while smooth && at < xs.len() {
            let coarse = at + same_cell(&xs[at..], COARSE);
            if !worth(&xs[at..coarse]) {
                at = coarse;
                continue;
            }
            while at < coarse {
                let (level, found) = scratch.cells.find(self, xs[at]);
                let end = at + same_cell(&xs[at..coarse], level);
                let part = at..end;
                let steps = match found {
                    Cell::New | Cell::Halved { .. } | Cell::Direct => {
                        at = end;
                        continue;
                    }
                    Cell::Partly(steps) => Some(steps.clone()),
                    Cell::Smooth(p) => {
                        evaluate(p, &xs[part.clone()], &mut ys[part.clone()], &mut errs[part.clone()]);
                        None
                    }
                    Cell::Flat(y, bound) => {
                        ys[part.clone()].fill(*y);
                        errs[part.clone()].fill(*bound);
                        None
                    }
                };
                if let Some(steps) = steps {
                    self.block(&[&xs[part.clone()]], &mut ys[part.clone()], &mut errs[part], scratch, Some(&steps));
                }
                self.direct(xs, ys, errs, direct..at, scratch);
                direct = end;
                at = end;
            }
        }
        self.direct(xs, ys, errs, direct..xs.len(), scratch);
    }

    fn direct(
        &self,
        xs: &[f64],
        ys: &mut [f64],
        errs: &mut [f64],
        part: std::ops::Range<usize>,
        scratch: &mut Scratch,
    ) {
        if !part.is_empty() || xs.is_empty() {
            let columns = [&xs[part.clone()]];
            self.fast_block(&columns[..self.vars().len()], &mut ys[part.clone()], &mut errs[part], scratch);
        }
    }
}

/// How many of the ascending arguments share the first one's cell.
fn same_cell(xs: &[f64], level: u32) -> usize {
    let first = key(xs[0], level);
    if key(xs[xs.len() - 1], level) == first { xs.len() } else { xs.partition_point(|x| key(*x, level) == first) }
}

/// Whether arguments of one cell are many and near each other, as floats of the single format.
fn worth(xs: &[f64]) -> bool {
    let floats = xs[0].to_bits().abs_diff(xs[xs.len() - 1].to_bits()) >> (52 - 23);
    xs.len() >= SHORTEST && floats <= SPARSEST * xs.len() as u64
}

/// Values and bounds of a polynomial at one group of lanes.
#[inline(always)]
fn group(p: &Polynomial, x: &[f64; LANES], y: &mut [f64; LANES], e: &mut [f64; LANES]) {
    let rest = &p.rest[..p.degree];
    let mut t = [0.0; LANES];
    for i in 0..LANES {
        t[i] = (x[i] - p.centre) * p.rate;
    }
    let mut q = [rest[0]; LANES];
    for &c in &rest[1..] {
        for i in 0..LANES {
            q[i] = q[i].mul_add(t[i], c);
        }
    }
    for i in 0..LANES {
        y[i] = p.head.0 + q[i].mul_add(t[i], p.head.1);
        e[i] = y[i].abs() * UNIT + p.bound;
    }
}

/// Values and bounds of a polynomial, in whole groups of lanes and a rest.
#[inline(always)]
fn horner(p: &Polynomial, xs: &[f64], ys: &mut [f64], errs: &mut [f64]) {
    let (groups, tail) = xs.as_chunks::<LANES>();
    let (ys_groups, ys_tail) = ys.as_chunks_mut::<LANES>();
    let (errs_groups, errs_tail) = errs.as_chunks_mut::<LANES>();
    for ((x, y), e) in groups.iter().zip(ys_groups).zip(errs_groups) {
        group(p, x, y, e);
    }
    if !tail.is_empty() {
        let (mut x, mut y, mut e) = ([p.centre; LANES], [0.0; LANES], [0.0; LANES]);
        x[..tail.len()].copy_from_slice(tail);
        group(p, &x, &mut y, &mut e);
        ys_tail.copy_from_slice(&y[..tail.len()]);
        errs_tail.copy_from_slice(&e[..tail.len()]);
    }
}

/// [`horner`] with the widest instructions of the processor; every version gives the same bits.
fn evaluate(p: &Polynomial, xs: &[f64], ys: &mut [f64], errs: &mut [f64]) {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw,avx2,fma")]
        fn wide(p: &Polynomial, xs: &[f64], ys: &mut [f64], errs: &mut [f64]) {
            horner(p, xs, ys, errs);
        }
        #[target_feature(enable = "avx2,fma")]
        fn medium(p: &Polynomial, xs: &[f64], ys: &mut [f64], errs: &mut [f64]) {
            horner(p, xs, ys, errs);
        }
        if is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("fma")
        {
            // SAFETY: the processor has the features that `wide` is compiled for.
            return unsafe { wide(p, xs, ys, errs) };
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: the processor has the features that `medium` is compiled for.
            return unsafe { medium(p, xs, ys, errs) };
        }
    }
    horner(p, xs, ys, errs);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(text: &str) -> Reference {
        Reference::new(&mathsmith_dsl::parse_expr(text).expect("parses")).expect("compiles")
    }

    /// How many of 200 arguments of a cell lie outside the bound.
    fn violations(text: &str, x: f64, level: u32, remainder: f64) -> Option<usize> {
        let f = reference(text);
        let cell = attempt(&f.inner.dag, &f.inner.smooth, key(x, level), level, 0, remainder);
        let Cell::Smooth(p) = cell else { return None };
        let h = 1.0 / p.rate;
        let xs: Vec<f64> = (0..200).map(|i| p.centre + (f64::from(i) / 100.0 - 1.0) * h).collect();
        let (mut y, mut e) = (vec![0.0; 200], vec![0.0; 200]);
        evaluate(&p, &xs, &mut y, &mut e);
        let outside = |i: usize| Float::with_val(300, f.value(&[xs[i]], 250) - y[i]).abs() > e[i];
        Some((0..200).filter(|&i| outside(i)).count())
    }

    #[test]
    fn without_its_remainder_a_polynomial_misses_the_function() {
        for (text, x) in [("exp(x)", 3.0), ("sin(x)", 1.0), ("log(x)", 5.0), ("erf(x)", 0.7), ("lgamma(x)", 4.5)] {
            assert_eq!(violations(text, x, 6, 1.0), Some(0), "{text}");
            // Scaled down, the remainder suggests too low a degree and is missing from the bound.
            let narrowed = violations(text, x, 6, 2f64.powi(-12));
            assert!(narrowed > Some(0), "{text}: {narrowed:?}");
        }
    }

    #[test]
    fn cells_cover_the_doubles_without_overlap() {
        let f = reference("exp(x)");
        for x in [1.0, 1.5, 1.999, -1.0, -1.999, 1e-30] {
            let mut cells = Cells::default();
            let (level, found) = cells.find(&f, x);
            let Cell::Smooth(p) = found else { panic!("exp is smooth") };
            let t = (x - p.centre) * p.rate;
            assert!(t.abs() <= 1.0, "{x}: {t}");
            assert_eq!(key(p.centre, level), key(x, level));
        }
    }

    #[test]
    fn what_has_no_polynomial_is_left_alone() {
        let direct =
            |text: &str, x: f64| matches!(Cells::default().find(&reference(text), x).1, Cell::Direct | Cell::Partly(_));
        // A pole, a zero, a jump, a branch without an undecided side, and polynomials of low degree.
        assert!(direct("tan(x)", std::f64::consts::FRAC_PI_2));
        assert!(direct("sin(x)", std::f64::consts::PI));
        assert!(direct("x*exp(floor(x))", 1.0f64.next_down()));
        assert!(direct("if x < 1.001 then exp(x) else 1", 1.001));
        assert!(direct("if x < 1 then exp(x) else 1+x^3", 1.5));
        assert!(direct("x^3+x", 1.5) && !reference("sqrt(1+x)/x").inner.smooth.applies);
        assert!(!direct("if x < 1 then exp(x) else 1+x^3", 0.99));
        // Wild oscillation is given up at once.
        let mut cells = Cells::default();
        assert_eq!(cells.find(&reference("sin(x)"), 1e18).0, COARSE);
    }
}
