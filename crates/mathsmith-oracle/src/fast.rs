//! The fast path: doubles by CORE-MATH, with an error bound for each lane.
//!
//! A block of arguments goes through the graph operation by operation. Each lane carries a value `y` and a bound `e`
//! with `|y - f| <= e`, `f` being the exact value of the node; this is running error analysis (Higham, "Accuracy and
//! Stability of Numerical Algorithms", section 3.3) with the following rules, `h(y)` being half an ulp of `y`:
//!
//! * a CORE-MATH function is correctly rounded: `h(y)` on an exact argument, plus [`crate::bound::spread`] on an
//!   inexact one;
//! * `a + b`: `ea + eb` plus the rounding error itself, which TwoSum (Knuth) yields exactly;
//! * `a * b`: `|a| eb + |b| ea + ea eb` plus the rounding error, which the fused multiply-add yields exactly;
//! * `a / b`: `(ea + |q| eb + r) / (|b| - eb)` with the remainder `r = |a - q b|`, which the fused multiply-add yields
//!   exactly, or `(ea + |q| eb) / (|b| - eb) + h(q)` where it may underflow;
//! * `min`, `max`: the greater bound, or that of the chosen side where the two are separated; `if`: the chosen side's,
//!   where the comparison is decided by the bounds.
//!
//! Sines and cosines of adjacent floats far from zero come from the addition theorem instead ([`crate::rotate`]).
//!
//! Bounds are computed in doubles and multiplied by 1 + 2^-47 for their own roundings. Values outside the range of
//! doubles are states of their own, listed at [`Reference::fast_block`].

use crate::bound::{INFLATE, spread};
use crate::dag::{self, Binary, Dag, Node};
use crate::decide::{decide_f32, half_ulp, quick};
use crate::flat::Step;
use crate::function::Unary;
use crate::reference::Reference;
use crate::rotate;
use crate::run::Cells;
use mathsmith_dsl::Cmp;
use rug::Float;

/// Lanes evaluated together: all live columns of a small expression fit the L1 cache.
const BLOCK: usize = 256;
static EXACT: [f64; BLOCK] = [0.0; BLOCK];
const TINY: f64 = 5e-324;

/// Work space of [`Reference::fast_block`] and [`Reference::fast_run`]; one per thread, reused over calls.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    columns: Vec<f64>,
    bounds: Vec<f64>,
    pub(crate) cells: Cells,
}

/// What is known about the fast path of a graph before any argument is seen.
#[derive(Debug)]
pub(crate) struct Plan {
    missing: Vec<&'static str>,
    /// Value and bound of each constant node.
    pub(crate) constants: Vec<(f64, f64)>,
}

impl Plan {
    pub(crate) fn new(dag: &Dag) -> Plan {
        let mut missing = Vec::new();
        let mut constants = vec![(0.0, 0.0); dag.nodes.len()];
        for (i, node) in dag.nodes.iter().enumerate() {
            match node {
                Node::Const(c) => {
                    let e = dag::constant(c, 200);
                    let y = e.mid(200).to_f64();
                    let err = if e.is_thin() && Float::with_val(53, &e.lo) == e.lo { 0.0 } else { half_ulp(y) };
                    // Outside the range of doubles nothing is said.
                    constants[i] = if y.is_finite() { (y, err) } else { (0.0, f64::INFINITY) };
                }
                Node::Unary(op, _) => {
                    if let Some(name) = lacks(*op)
                        && !missing.contains(&name)
                    {
                        missing.push(name);
                    }
                }
                _ => {}
            }
        }
        Plan { missing, constants }
    }
}

/// Name of a function that CORE-MATH does not have for doubles.
fn lacks(op: Unary) -> Option<&'static str> {
    Some(match op {
        Unary::Digamma => "digamma",
        Unary::J0 => "j0",
        Unary::J1 => "j1",
        Unary::Y0 => "y0",
        Unary::Y1 => "y1",
        Unary::AiryAi => "airyai",
        _ => return None,
    })
}

/// Whether the object code of CORE-MATH, which is compiled for x86-64-v3, runs on this machine.
pub fn cpu_supported() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        std::arch::is_x86_feature_detected!("avx2")
            && std::arch::is_x86_feature_detected!("fma")
            && std::arch::is_x86_feature_detected!("bmi1")
            && std::arch::is_x86_feature_detected!("bmi2")
            && std::arch::is_x86_feature_detected!("lzcnt")
            && std::arch::is_x86_feature_detected!("movbe")
            && std::arch::is_x86_feature_detected!("f16c")
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        false
    }
}

impl Reference {
    /// Functions of this expression that CORE-MATH lacks for doubles; with any, every value comes from MPFR.
    pub fn fast_path_missing(&self) -> &[&'static str] {
        &self.inner.plan.missing
    }

    /// Whether [`Reference::fast_block`] says anything: all functions are there, and this processor can run them.
    pub fn has_fast_path(&self) -> bool {
        self.inner.plan.missing.is_empty() && cpu_supported()
    }

    /// Values and error bounds in doubles. `xs` holds one column per variable, all as long as `ys` and `errs`.
    ///
    /// For every lane one of these holds, with `f` the exact value:
    ///
    /// * `y` and `err` finite: `|y - f| <= err`; where both are the least subnormal, 2^-1074, in magnitude, `f` has underflown:
    ///   it has the sign of `y` and is not 0;
    /// * `y` infinite, `err` finite: `f` has the sign of `y` and `|f| >= 2^(1023 - err)`;
    /// * `y` NaN, `err` 0: `f` does not exist (`log(-1)`), and no limit does;
    /// * `err` infinite: nothing is known (domain edge, removable singularity, lost digits, no fast path).
    ///
    /// # Panics
    /// If the columns differ in number or length from what is expected.
    pub fn fast_block(&self, xs: &[&[f64]], ys: &mut [f64], errs: &mut [f64], scratch: &mut Scratch) {
        assert_eq!(xs.len(), self.vars().len(), "one column per variable of `{}`", self.source());
        assert!(xs.iter().all(|x| x.len() == ys.len()) && errs.len() == ys.len(), "columns of one length");
        self.block(xs, ys, errs, scratch, None);
    }

    /// [`Reference::fast_block`] with constant parts filled in.
    pub(crate) fn block(
        &self,
        xs: &[&[f64]],
        ys: &mut [f64],
        errs: &mut [f64],
        scratch: &mut Scratch,
        steps: Option<&[Step]>,
    ) {
        if !self.has_fast_path() {
            ys.fill(0.0);
            errs.fill(f64::INFINITY);
            return;
        }
        let nodes = self.inner.dag.nodes.len();
        scratch.columns.resize(nodes * BLOCK, 0.0);
        scratch.bounds.resize(nodes * BLOCK, 0.0);
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `has_fast_path` has checked at run time that this processor has AVX2 and FMA.
        unsafe {
            run(&self.inner.dag, &self.inner.plan, xs, ys, errs, scratch, steps);
        }
    }

    /// Correctly rounded f32 values; lanes that the fast path does not decide go to MPFR. Returns how many did.
    ///
    /// # Panics
    /// As [`Reference::fast_block`].
    pub fn round_block_f32(&self, xs: &[&[f64]], out: &mut [f32], scratch: &mut Scratch) -> usize {
        assert!(xs.iter().all(|x| x.len() == out.len()), "columns of one length");
        let (mut y, mut e) = ([0.0; BLOCK], [0.0; BLOCK]);
        let mut slow = 0;
        let mut point = vec![0.0; xs.len()];
        let mut part: Vec<&[f64]> = Vec::with_capacity(xs.len());
        for (c, out) in out.chunks_mut(BLOCK).enumerate() {
            let n = out.len();
            part.clear();
            part.extend(xs.iter().map(|x| &x[c * BLOCK..c * BLOCK + n]));
            self.fast_block(&part, &mut y[..n], &mut e[..n], scratch);
            let (y, e) = (&y[..n], &e[..n]);
            let mut settled = true;
            for i in 0..n {
                let (r, clear) = quick(y[i], e[i]);
                out[i] = r;
                settled &= clear;
            }
            if settled {
                continue;
            }
            for i in 0..n {
                out[i] = decide_f32(y[i], e[i]).unwrap_or_else(|| {
                    slow += 1;
                    for (p, x) in point.iter_mut().zip(&part) {
                        *p = x[i];
                    }
                    self.round_f32(&point)
                });
            }
        }
        slow
    }
}

/// Value column and bound column of a node.
type Lanes<'a> = (&'a [f64], &'a [f64]);

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn run(
    dag: &Dag,
    plan: &Plan,
    xs: &[&[f64]],
    ys: &mut [f64],
    errs: &mut [f64],
    scratch: &mut Scratch,
    steps: Option<&[Step]>,
) {
    let mut done = 0;
    while done < ys.len() {
        let n = BLOCK.min(ys.len() - done);
        for (i, node) in dag.nodes.iter().enumerate() {
            let (before, rest) = scratch.columns.split_at_mut(i * BLOCK);
            let (before_e, rest_e) = scratch.bounds.split_at_mut(i * BLOCK);
            let lanes = |j: usize| -> Lanes {
                match &dag.nodes[j] {
                    Node::Var(v) => (&xs[*v][done..done + n], &EXACT[..n]),
                    _ => (&before[j * BLOCK..][..n], &before_e[j * BLOCK..][..n]),
                }
            };
            let (y, e) = if i == dag.root {
                (&mut ys[done..done + n], &mut errs[done..done + n])
            } else {
                (&mut rest[..n], &mut rest_e[..n])
            };
            match steps.map_or(Step::Run, |s| s[i]) {
                Step::Run => {}
                Step::Skip => continue,
                Step::Take(j) => {
                    let (value, bound) = lanes(j);
                    y.copy_from_slice(value);
                    e.copy_from_slice(bound);
                    continue;
                }
                Step::Fill(value, bound) => {
                    y.fill(value);
                    e.fill(bound);
                    continue;
                }
            }
            match node {
                Node::Const(_) => {
                    let (value, bound) = plan.constants[i];
                    y.fill(value);
                    e.fill(bound);
                }
                Node::Var(v) => {
                    if i == dag.root {
                        y.copy_from_slice(&xs[*v][done..done + n]);
                        e.fill(0.0);
                    }
                }
                Node::Unary(op, a) => {
                    let exact = matches!(dag.nodes[*a], Node::Var(_));
                    let (x, ex) = lanes(*a);
                    let turned = exact && matches!(op, Unary::Sin | Unary::Cos | Unary::Tan);
                    let m = if turned { rotate::run(*op, x, y, e) } else { 0 };
                    unary_block(*op, (&x[m..], &ex[m..]), exact, i == dag.root, &mut y[m..], &mut e[m..]);
                }
                Node::Binary(op, a, b) => binary_block(*op, lanes(*a), lanes(*b), y, e),
                Node::If { cmp, lhs, rhs, then, otherwise } => {
                    select_block(*cmp, [lanes(*lhs), lanes(*rhs), lanes(*then), lanes(*otherwise)], y, e);
                }
            }
        }
        done += n;
    }
}

/// Applies a correctly rounded function, then its bound. `exact` says that the argument has no error.
#[inline(always)]
fn map(op: Unary, f: impl Fn(f64) -> f64, arg: Lanes, exact: bool, root: bool, y: &mut [f64], e: &mut [f64]) {
    let (a, ea) = arg;
    let n = y.len().min(a.len()).min(ea.len()).min(e.len());
    let (a, ea, y, e) = (&a[..n], &ea[..n], &mut y[..n], &mut e[..n]);
    let mut plain = true;
    // Functions without rounding error.
    let free = matches!(op, Unary::Neg | Unary::Abs | Unary::Floor);
    for i in 0..n {
        y[i] = f(a[i]);
    }
    if exact && !free {
        for i in 0..n {
            e[i] = half_ulp(y[i]);
            plain &= (e[i] < f64::INFINITY) & (y[i] != 0.0);
        }
    } else {
        for i in 0..n {
            let rounding = if free { 0.0 } else { half_ulp(y[i]) };
            e[i] = (spread(op, a[i], ea[i], y[i]) + rounding) * INFLATE;
            plain &= (e[i] < f64::INFINITY) & (a[i].abs() < f64::INFINITY) & (free | (y[i] != 0.0));
        }
    }
    if !plain {
        for i in 0..n {
            if !e[i].is_finite() || !a[i].is_finite() || y[i] == 0.0 {
                (y[i], e[i]) = special(op, a[i], ea[i], y[i], e[i], root);
            }
        }
    }
}

/// Lanes outside the plain case: zeros, infinities, NaN.
#[cold]
fn special(op: Unary, a: f64, ea: f64, y: f64, e: f64, root: bool) -> (f64, f64) {
    use Unary as U;
    const UNKNOWN: (f64, f64) = (0.0, f64::INFINITY);
    if ea.is_nan() || ea == f64::INFINITY {
        return UNKNOWN;
    }
    if a.is_nan() {
        // Certainly undefined, and so is every function of it.
        return (f64::NAN, 0.0);
    }
    if a.is_infinite() {
        // |argument| >= 2^(1023 - ea); keep to where that is far beyond saturation.
        if ea > 900.0 {
            return UNKNOWN;
        }
        return match op {
            U::Neg | U::Abs => (y, ea),
            U::Floor => (y, ea + 1.0),
            U::Exp | U::Exp2 | U::Exp10 | U::Cosh if y > 0.0 => (f64::INFINITY, 0.0),
            U::Expm1 | U::Exp2m1 | U::Exp10m1 | U::Sinh if y.is_infinite() => (y, 0.0),
            U::Exp | U::Exp2 | U::Exp10 => (TINY, TINY),
            U::Erfc if y == 0.0 => (TINY, TINY),
            // Within 2^-100 of the limit, which the result rounds.
            U::Expm1 | U::Exp2m1 | U::Exp10m1 | U::Tanh | U::Erf | U::Erfc | U::Atan => (y, half_ulp(y) + 1e-30),
            _ => UNKNOWN,
        };
    }
    let exact = ea == 0.0;
    let underflows = matches!(op, U::Exp | U::Exp2 | U::Exp10 | U::Erfc | U::Gamma);
    if y == 0.0 {
        return match op {
            U::Gamma if exact => (TINY.copysign(y), TINY),
            // The value at `a` is at most half of the least subnormal, and grows by a factor below 4 within `ea`.
            U::Exp | U::Exp2 | U::Exp10 if ea <= 0.5 => (TINY, TINY),
            U::Erfc if a * ea <= 0.5 => (TINY, TINY),
            U::Exp if a + ea < -746.0 => (TINY, TINY),
            U::Exp2 if a + ea < -1076.0 => (TINY, TINY),
            U::Exp10 if a + ea < -324.5 => (TINY, TINY),
            U::Erfc if a - ea > 27.5 => (TINY, TINY),
            _ if underflows => UNKNOWN,
            // A correctly rounded function without underflow is 0 only where it is exactly 0.
            _ if exact => (y, 0.0),
            _ => (y, e),
        };
    }
    if y.is_nan() {
        let outside = match op {
            U::Sqrt | U::Log | U::Log2 | U::Log10 => a + ea < 0.0,
            U::Log1p | U::Log2p1 | U::Log10p1 => (a + ea).next_up() < -1.0,
            U::Asin | U::Acos | U::Atanh => (a.abs() - ea).next_down() > 1.0,
            U::Acosh => (a + ea).next_up() < 1.0,
            // A pole with different signs on its two sides; inside an expression a limit might exist.
            U::Gamma => root && exact,
            _ => false,
        };
        return if outside { (f64::NAN, 0.0) } else { UNKNOWN };
    }
    if y.is_infinite() {
        // Of an exact argument the value is past the greatest double, so beyond 2^1023.
        let low = a - ea;
        let over = match op {
            U::Exp | U::Expm1 => exact || low > 710.0,
            U::Exp2 | U::Exp2m1 => exact || low >= 1024.0,
            U::Exp10 | U::Exp10m1 => exact || low > 308.3,
            U::Sinh | U::Cosh => exact || a.abs() - ea > 711.0,
            U::Gamma => (exact && a > 1.0) || low > 171.7,
            // A pole with the same sign on both sides, or past the greatest double.
            U::Lgamma => root && exact,
            _ => false,
        };
        return if over { (y, 0.0) } else { UNKNOWN };
    }
    (y, if e < f64::INFINITY { e } else { f64::INFINITY })
}

#[inline(always)]
fn unary_block(op: Unary, a: Lanes, exact: bool, root: bool, y: &mut [f64], e: &mut [f64]) {
    use Unary as U;
    macro_rules! by {
        ($f:expr) => {
            map(op, $f, a, exact, root, y, e)
        };
    }
    // One loop per function, so that the bound's rule is chosen outside the loop.
    match op {
        U::Neg => map(U::Neg, |x| -x, a, exact, root, y, e),
        U::Abs => map(U::Abs, f64::abs, a, exact, root, y, e),
        U::Sqrt => map(U::Sqrt, f64::sqrt, a, exact, root, y, e),
        U::Floor => map(U::Floor, f64::floor, a, exact, root, y, e),
        U::Exp => map(U::Exp, core_math::exp, a, exact, root, y, e),
        U::Exp2 => map(U::Exp2, core_math::exp2, a, exact, root, y, e),
        U::Expm1 => map(U::Expm1, core_math::expm1, a, exact, root, y, e),
        U::Log => map(U::Log, core_math::log, a, exact, root, y, e),
        U::Log1p => map(U::Log1p, core_math::log1p, a, exact, root, y, e),
        U::Sin => map(U::Sin, core_math::sin, a, exact, root, y, e),
        U::Cos => map(U::Cos, core_math::cos, a, exact, root, y, e),
        U::Tanh => map(U::Tanh, core_math::tanh, a, exact, root, y, e),
        U::Erf => map(U::Erf, core_math::erf, a, exact, root, y, e),
        U::Erfc => map(U::Erfc, core_math::erfc, a, exact, root, y, e),
        U::Cbrt => by!(core_math::cbrt),
        U::Exp10 => by!(core_math::exp10),
        U::Exp2m1 => by!(core_math::exp2m1),
        U::Exp10m1 => by!(core_math::exp10m1),
        U::Log2 => by!(core_math::log2),
        U::Log10 => by!(core_math::log10),
        U::Log2p1 => by!(core_math::log2p1),
        U::Log10p1 => by!(core_math::log10p1),
        U::Tan => by!(core_math::tan),
        U::Sinpi => by!(core_math::sinpi),
        U::Cospi => by!(core_math::cospi),
        U::Asin => by!(core_math::asin),
        U::Acos => by!(core_math::acos),
        U::Atan => by!(core_math::atan),
        U::Sinh => by!(core_math::sinh),
        U::Cosh => by!(core_math::cosh),
        U::Asinh => by!(core_math::asinh),
        U::Acosh => by!(core_math::acosh),
        U::Atanh => by!(core_math::atanh),
        U::Gamma => by!(core_math::tgamma),
        U::Lgamma => by!(core_math::lgamma),
        // The plan refuses these; a bound of infinity keeps the contract should that change.
        U::Digamma | U::J0 | U::J1 | U::Y0 | U::Y1 | U::AiryAi => {
            y.fill(0.0);
            e.fill(f64::INFINITY);
        }
    }
}

#[inline(always)]
fn zip(a: Lanes, b: Lanes, y: &mut [f64], e: &mut [f64], op: Binary, f: impl Fn(f64, f64, f64, f64) -> (f64, f64)) {
    let n = y.len();
    let ((a, ea), (b, eb)) = ((&a.0[..n], &a.1[..n]), (&b.0[..n], &b.1[..n]));
    let e = &mut e[..n];
    let mut plain = true;
    for i in 0..n {
        let (v, bound) = f(a[i], ea[i], b[i], eb[i]);
        y[i] = v;
        e[i] = bound * INFLATE;
        plain &= (e[i] < f64::INFINITY) & (a[i].abs() + b[i].abs() < f64::INFINITY);
    }
    if !plain {
        for i in 0..n {
            if !e[i].is_finite() || !(a[i].abs() + b[i].abs()).is_finite() {
                (y[i], e[i]) = special_binary(op, (a[i], ea[i]), (b[i], eb[i]), y[i]);
            }
        }
    }
}

/// The rounding error of `a + b` exactly (TwoSum).
#[inline(always)]
fn sum_error(a: f64, b: f64, s: f64) -> f64 {
    let t = s - a;
    ((a - (s - t)) + (b - t)).abs()
}

/// Keeps a sum of subnormals apart from the pair that says "not 0" (see [`Reference::fast_block`]).
#[inline(always)]
fn not_underflow(s: f64, inexact: f64) -> f64 {
    if (s.abs() == TINY) & (inexact > 0.0) { TINY } else { 0.0 }
}

#[inline(always)]
fn binary_block(op: Binary, a: Lanes, b: Lanes, y: &mut [f64], e: &mut [f64]) {
    match op {
        Binary::Add => zip(a, b, y, e, op, |a, ea, b, eb| {
            let s = a + b;
            (s, ea + eb + sum_error(a, b, s) + not_underflow(s, ea + eb))
        }),
        Binary::Sub => zip(a, b, y, e, op, |a, ea, b, eb| {
            let s = a - b;
            (s, ea + eb + sum_error(a, -b, s) + not_underflow(s, ea + eb))
        }),
        Binary::Mul => zip(a, b, y, e, op, |a, ea, b, eb| {
            let p = a * b;
            // The residual is exact unless it underflows, and so may each product of the bound: one unit each.
            let zero = (a == 0.0 && ea == 0.0) || (b == 0.0 && eb == 0.0);
            let lost = if (p.abs() < 1e-280 || ea + eb > 0.0) && !zero { 4.0 * TINY } else { 0.0 };
            (p, a.abs() * eb + b.abs() * ea + ea * eb + a.mul_add(b, -p).abs() + lost)
        }),
        Binary::Div => zip(a, b, y, e, op, |a, ea, b, eb| {
            let q = a / b;
            let below = b.abs() - eb;
            // The remainder is exact far enough from underflow (Boldo and Daumas, ARITH 2003).
            let exact = a.abs() > 1e-200 && q.abs() > 1e-200 && b.abs() > 1e-200;
            let (rest, rounding) = if exact { (q.mul_add(-b, a).abs(), 0.0) } else { (0.0, half_ulp(q)) };
            let bound = (ea + q.abs() * eb * INFLATE + rest) / (below * (1.0 - 1e-15)) + rounding + 2.0 * TINY;
            let exact_zero = a == 0.0 && ea == 0.0;
            (q, if below > 0.0 { if exact_zero { 0.0 } else { bound } } else { f64::INFINITY })
        }),
        Binary::Min => zip(a, b, y, e, op, |a, ea, b, eb| {
            let gap = (a - b).abs() > (ea + eb) * INFLATE;
            if a < b { (a, if gap { ea } else { ea.max(eb) }) } else { (b, if gap { eb } else { ea.max(eb) }) }
        }),
        Binary::Max => zip(a, b, y, e, op, |a, ea, b, eb| {
            let gap = (a - b).abs() > (ea + eb) * INFLATE;
            if a > b { (a, if gap { ea } else { ea.max(eb) }) } else { (b, if gap { eb } else { ea.max(eb) }) }
        }),
        Binary::Hypot => zip(a, b, y, e, op, |a, ea, b, eb| {
            // Each partial derivative is at most 1.
            let h = core_math::hypot(a, b);
            (h, ea + eb + half_ulp(h))
        }),
        Binary::Atan2 => zip(a, b, y, e, op, |a, ea, b, eb| {
            // A displacement of at most s at distance r >= 2 s turns the angle by at most asin(s/r) <= 1.05 s/r.
            let t = core_math::atan2(a, b);
            let s = ea + eb;
            let r = a.abs().max(b.abs());
            let clear = s == 0.0 || (r >= 2.0 * s && (b - eb > 0.0 || a.abs() > ea));
            (t, if clear && r > 0.0 { 1.05 * s / r + half_ulp(t) } else { f64::INFINITY })
        }),
        Binary::Pow => zip(a, b, y, e, op, power),
    }
}

/// `a^b`: `|B log A - b log a| <= |b| ea/(a - ea) + eb (|log a| + ea/(a - ea))` is turned into a factor by expm1.
#[inline(always)]
fn power(a: f64, ea: f64, b: f64, eb: f64) -> (f64, f64) {
    let p = if eb == 0.0 && b == 2.0 { a * a } else { core_math::pow(a, b) };
    if eb == 0.0 && b == 2.0 {
        return (p, (2.0 * a.abs() + ea) * ea + half_ulp(p) + 4.0 * TINY);
    }
    if ea == 0.0 && eb == 0.0 {
        return exact_power(a, b, p);
    }
    let relative = ea / (a.abs() - ea);
    let integral = eb == 0.0 && b == b.floor();
    let usable = a.abs() > 2.0 * ea && (a > 0.0 || integral) && p != 0.0;
    let log = if eb == 0.0 { 0.0 } else { core_math::log(a.abs()).abs() * INFLATE + relative };
    let exponent = (b.abs() * relative + eb * log) * INFLATE;
    if usable && exponent <= 1.0 {
        (p, p.abs() * exponent * (1.0 + exponent) + half_ulp(p) + 2.0 * TINY)
    } else {
        (p, f64::INFINITY)
    }
}

/// Value and bound of the correctly rounded `p = a^b` of exact arguments.
#[inline(always)]
fn exact_power(a: f64, b: f64, p: f64) -> (f64, f64) {
    let bound = half_ulp(p);
    if (a != 0.0) & (p != 0.0) & (bound < f64::INFINITY) {
        return (p, bound);
    }
    if !(a.is_finite() && b.is_finite()) || (a == 0.0 && b < 0.0) {
        // Limits and poles: MPFR.
        (p, f64::INFINITY)
    } else if a == 0.0 {
        (p, 0.0)
    } else if p == 0.0 {
        (TINY.copysign(p), TINY)
    } else {
        // Past the greatest double, which is above 2^1023, or a negative base with a fraction as the exponent.
        (p, 0.0)
    }
}

/// Lanes with an operand or result outside the finite doubles.
#[cold]
fn special_binary(op: Binary, (a, ea): (f64, f64), (b, eb): (f64, f64), y: f64) -> (f64, f64) {
    const UNKNOWN: (f64, f64) = (0.0, f64::INFINITY);
    if !(ea < f64::INFINITY && eb < f64::INFINITY) {
        return UNKNOWN;
    }
    if a.is_nan() || b.is_nan() {
        return (f64::NAN, 0.0);
    }
    // Lower bound of the magnitude of a finite operand, as a power of two.
    let floor_log2 = |v: f64, ev: f64| {
        let low = (v.abs() - ev).next_down();
        (low >= f64::MIN_POSITIVE).then(|| ((low.to_bits() >> 52) as i32 - 1023) as f64)
    };
    let ceil_log2 = |v: f64, ev: f64| ((((v.abs() + ev).next_up()).to_bits() >> 52) as i32 - 1022) as f64;
    let far = |slack: f64, sign: f64| {
        let slack = slack.max(0.0);
        if slack <= 900.0 { (f64::INFINITY.copysign(sign), slack) } else { UNKNOWN }
    };
    let sign = if (a < 0.0) == (b < 0.0) { 1.0 } else { -1.0 };
    match (op, a.is_infinite(), b.is_infinite()) {
        (Binary::Add, true, false) if ea <= 900.0 && b.abs() + eb < 1e30 => (a, ea + 1.0),
        (Binary::Add, false, true) if eb <= 900.0 && a.abs() + ea < 1e30 => (b, eb + 1.0),
        (Binary::Sub, true, false) if ea <= 900.0 && b.abs() + eb < 1e30 => (a, ea + 1.0),
        (Binary::Sub, false, true) if eb <= 900.0 && a.abs() + ea < 1e30 => (-b, eb + 1.0),
        (Binary::Add, true, true) if a == b => (a, ea.max(eb)),
        (Binary::Sub, true, true) if a == -b => (a, ea.max(eb)),
        (Binary::Mul, true, true) => far(ea + eb - 1023.0, sign),
        (Binary::Mul, true, false) => floor_log2(b, eb).map_or(UNKNOWN, |k| far(ea - k, sign)),
        (Binary::Mul, false, true) => floor_log2(a, ea).map_or(UNKNOWN, |k| far(eb - k, sign)),
        (Binary::Mul, false, false) if y.is_infinite() => match (floor_log2(a, ea), floor_log2(b, eb)) {
            (Some(j), Some(k)) => far(1023.0 - j - k, sign),
            _ => UNKNOWN,
        },
        (Binary::Div, true, false) if b.abs() > eb => far(ea + ceil_log2(b, eb), sign),
        (Binary::Div, false, true) if eb <= 900.0 => {
            // |a/b| <= (|a| + ea) 2^(eb - 1023).
            let top = (a.abs() + ea).next_up() * f64::from_bits(((eb.ceil() + 1.0) as u64) << 52);
            if a == 0.0 && ea == 0.0 {
                (y, 0.0)
            } else if a.abs() > ea && top < 1e-100 {
                (top.copysign(sign), top)
            } else {
                UNKNOWN
            }
        }
        (Binary::Min | Binary::Max, _, _) if a.is_infinite() != b.is_infinite() => {
            let (big, eb_big, small, es) = if a.is_infinite() { (a, ea, b, eb) } else { (b, eb, a, ea) };
            if eb_big > 900.0 || small.abs() + es > 1e30 {
                UNKNOWN
            } else if (big > 0.0) == (op == Binary::Max) {
                (big, eb_big)
            } else {
                (small, es)
            }
        }
        (Binary::Hypot, i, j) if i || j => far(
            if i && j {
                ea.min(eb)
            } else if i {
                ea
            } else {
                eb
            },
            1.0,
        ),
        _ => UNKNOWN,
    }
}

#[inline(always)]
fn select_block(cmp: Cmp, [l, r, t, o]: [Lanes; 4], y: &mut [f64], e: &mut [f64]) {
    for i in 0..y.len() {
        let (a, ea, b, eb) = (l.0[i], l.1[i], r.0[i], r.1[i]);
        let certain = (ea == 0.0 && eb == 0.0) || (a - b).abs() > (ea + eb) * INFLATE;
        let far = a.is_infinite() || b.is_infinite();
        (y[i], e[i]) = if a.is_nan() && ea == 0.0 || b.is_nan() && eb == 0.0 {
            (f64::NAN, 0.0)
        } else if !certain || (far && a.is_infinite() == b.is_infinite()) || !(ea <= 900.0 && eb <= 900.0) {
            (0.0, f64::INFINITY)
        } else {
            let holds = match cmp {
                Cmp::Lt => a < b,
                Cmp::Le => a <= b,
                Cmp::Gt => a > b,
                Cmp::Ge => a >= b,
                Cmp::Eq => a == b,
                Cmp::Ne => a != b,
            };
            if holds { (t.0[i], t.1[i]) } else { (o.0[i], o.1[i]) }
        };
    }
}
