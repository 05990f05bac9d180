//! Values at points where the expression itself has none: limits, one-sided at an end of where the function exists.
//!
//! A finite point is first expanded as a Laurent series on each side ([`crate::series`]), which encloses the limit
//! rigorously or proves a pole. Where that does not apply (logarithmic terms as in `x*log(x)`, infinite arguments), the
//! function is followed numerically towards the point through distances 2^-32, 2^-64, ... (2^-1024; at 0 to 2^-16384; to 2^4096
//! towards infinity), at points with irregular mantissas so that periodic functions do not look constant. Successive
//! values that agree to 100 bits give a finite limit, steady decay zero, steady growth with one sign infinity, anything
//! else no limit. This second way is evidence, not proof; it decides isolated points only.

use crate::dag::{Dag, Node};
use crate::enclosure::{Enclosure, Status};
use crate::function::Unary;
use crate::series;
use rug::Float;
use rug::float::Special;
use std::cmp::Ordering;

/// What the function does on one side of a point.
#[derive(Clone, Debug)]
pub(crate) enum Side {
    /// It tends to a value in this enclosure (a signed zero when exactly zero).
    Finite(Enclosure),
    /// It grows without bound, upwards (`true`) or downwards.
    Infinite(bool),
    /// It has no values here.
    Undefined,
    /// No limit was found.
    None,
}

/// What happens at a point, both sides considered.
#[derive(Clone, Debug)]
pub(crate) enum Singularity {
    /// A limit: from both sides, or from the one side that exists.
    Removable,
    /// Unbounded on some side.
    Pole,
    /// Two different finite limits.
    Jump,
    /// No limit.
    Unknown,
}

/// Working precision of the numerical approach.
const PROBE_BITS: u32 = 512;
/// Cancellation beyond this is given up: the probe is skipped.
const PROBE_CAP: u32 = 1 << 16;

/// The enclosure that stands for the value at `x` (as [`crate::Reference`] documents), undefined if there is no limit.
pub(crate) fn at(dag: &Dag, x: &Float, p: u32) -> Enclosure {
    let infinite = |up: bool| {
        let mut e = Enclosure::point(Float::with_val(2, if up { Special::Infinity } else { Special::NegInfinity }));
        e.edge = true;
        e
    };
    let single = |s: Side| match s {
        Side::Finite(e) => e,
        Side::Infinite(up) => infinite(up),
        Side::Undefined | Side::None => Enclosure::undefined(false),
    };
    if x.is_infinite() {
        return single(side(dag, x, if x.is_sign_positive() { -1 } else { 1 }, p));
    }
    let (below, above) = (side(dag, x, -1, p), side(dag, x, 1, p));
    match (&below, &above) {
        (Side::Undefined, _) => single(above),
        (_, Side::Undefined) => single(below),
        (Side::Infinite(a), Side::Infinite(b)) if a == b => infinite(*a),
        (Side::Finite(a), Side::Finite(b)) if agree(a, b) && !(x.is_zero() && a.is_zero()) => a.clone(),
        // The sign of a zero says which side is meant.
        _ if x.is_zero() => single(if x.is_sign_negative() { below } else { above }),
        _ => Enclosure::undefined(false),
    }
}

/// What kind of point this is, given that the expression cannot be evaluated there.
pub(crate) fn classify(dag: &Dag, x: &Float, p: u32) -> Singularity {
    let (below, above) = (side(dag, x, -1, p), side(dag, x, 1, p));
    match (below, above) {
        (Side::Infinite(_), _) | (_, Side::Infinite(_)) => Singularity::Pole,
        (Side::Finite(_), Side::Undefined) | (Side::Undefined, Side::Finite(_)) => Singularity::Removable,
        (Side::Finite(a), Side::Finite(b)) => {
            if agree(&a, &b) {
                Singularity::Removable
            } else {
                Singularity::Jump
            }
        }
        _ => Singularity::Unknown,
    }
}

fn agree(a: &Enclosure, b: &Enclosure) -> bool {
    a.lo <= b.hi && b.lo <= a.hi || close(&a.lo, &b.lo)
}

fn close(a: &Float, b: &Float) -> bool {
    if a.is_zero() || b.is_zero() {
        return a.is_zero() && b.is_zero();
    }
    let d = Float::with_val(64, a - b);
    match (d.get_exp(), a.get_exp()) {
        (Some(d), Some(a)) => d < a - 100,
        _ => d.is_zero(),
    }
}

/// The limit from one side (`-1`: from below).
pub(crate) fn side(dag: &Dag, x: &Float, s: i32, p: u32) -> Side {
    if x.is_finite()
        && let Some(found) = from_series(dag, x, s, p)
    {
        return found;
    }
    probe(dag, x, s)
}

/// What gamma or digamma of an inner function tends to where the argument is 0, -1, -2, ...: only the side from which it
/// gets there matters, however small the residue is.
fn gamma_pole(dag: &Dag, x: &Float, s: i32, p: u32) -> Option<Side> {
    let Node::Unary(op @ (Unary::Gamma | Unary::Digamma), inner) = dag.nodes[dag.root] else { return None };
    let u = series::expand(dag, inner, x, s, p)?;
    let (first, n) = if u.start == 0 { (1, u.terms[0].lo.clone()) } else { (0, Float::new(2)) };
    if u.start < 0 || !n.is_integer() || n > 0 || (first == 1 && !u.terms[0].is_thin()) {
        return None;
    }
    let above = u.terms[first..].iter().find(|t| !t.is_zero())?.sign()? == Ordering::Greater;
    let odd = !Float::with_val(n.prec(), &n / 2).is_integer();
    Some(Side::Infinite(if op == Unary::Gamma { above != odd } else { !above }))
}

fn from_series(dag: &Dag, x: &Float, s: i32, p: u32) -> Option<Side> {
    if let Some(pole) = gamma_pole(dag, x, s, p) {
        return Some(pole);
    }
    let series = series::expand(dag, dag.root, x, s, p)?;
    let head = series.terms.first()?;
    let sign = head.sign()?;
    if sign == Ordering::Equal {
        return None;
    }
    Some(match series.start.cmp(&0) {
        Ordering::Less => Side::Infinite(sign == Ordering::Greater),
        Ordering::Equal => Side::Finite(head.clone()),
        Ordering::Greater => {
            let zero = Float::with_val(2, if sign == Ordering::Less { -0.0 } else { 0.0 });
            Side::Finite(Enclosure::point(zero))
        }
    })
}

/// Value of the expression itself to [`PROBE_BITS`] bits; `Ok(None)` where it cannot be told, `Err` where undefined.
fn value(dag: &Dag, x: &Float) -> Result<Option<Float>, ()> {
    let mut p = PROBE_BITS + 64;
    while p <= PROBE_CAP {
        let e = dag.eval(&[Enclosure::point(x.clone())], p, false);
        match e.status {
            Status::Undefined => return Err(()),
            Status::Defined => {
                let width = Float::with_val(32, &e.hi - &e.lo);
                match (width.get_exp(), e.lo.get_exp()) {
                    (None, _) if width.is_zero() => return Ok(Some(e.lo)),
                    (Some(w), Some(v)) if w < v - PROBE_BITS as i32 => return Ok(Some(e.lo)),
                    _ => {}
                }
                // Outside the exponent range only the size and the sign are known: a zero or an infinity says so.
                let tiny = |x: &Float| x.get_exp().unwrap_or(i32::MIN) < -500_000_000 && x.is_finite();
                if tiny(&e.lo) && tiny(&e.hi) {
                    let negative = e.hi <= 0;
                    return Ok(Some(Float::with_val(2, if negative { -0.0 } else { 0.0 })));
                }
                let huge = |x: &Float| x.is_infinite() || x.get_exp().is_some_and(|e| e > 500_000_000);
                if huge(&e.lo) && huge(&e.hi) && e.lo.is_sign_negative() == e.hi.is_sign_negative() {
                    let s = if e.lo.is_sign_negative() { Special::NegInfinity } else { Special::Infinity };
                    return Ok(Some(Float::with_val(2, s)));
                }
            }
            Status::Partial => {}
        }
        p *= 4;
    }
    Ok(None)
}

fn probe(dag: &Dag, x: &Float, s: i32) -> Side {
    let mut values: Vec<Float> = Vec::new();
    let mut undefined = 0;
    let scale = x.get_exp().unwrap_or(0);
    for k in (5..=14).map(|j| 1_i32 << j) {
        if (x.is_infinite() && k > 4096) || (x.is_finite() && !x.is_zero() && k > 1024) {
            break;
        }
        // Towards infinity the point needs digits after its point, or periodic functions would see integers.
        let bits = if x.is_infinite() { k as u32 + 128 } else { 128 };
        // Irregular, between 1 and 2: the golden ratio, plus something that differs at every step.
        let mut step = Float::with_val(bits, 5).sqrt();
        step += 1;
        step >>= 1;
        step += Float::with_val(bits, Float::with_val(bits, k).sqrt() / 600);
        let point = if x.is_infinite() {
            step <<= k;
            if x.is_sign_negative() { -step } else { step }
        } else {
            step <<= scale - k;
            if s < 0 {
                step = -step;
            }
            if x.is_zero() { step } else { Float::with_val(bits + k as u32 + x.prec(), x + &step) }
        };
        match value(dag, &point) {
            Ok(Some(v)) => values.push(v),
            Ok(None) => {}
            Err(()) => undefined += 1,
        }
    }
    if values.is_empty() {
        return if undefined > 0 { Side::Undefined } else { Side::None };
    }
    if undefined > 0 || values.len() < 4 {
        return Side::None;
    }
    let tail = &values[values.len() - 4..];
    let last = &tail[3];
    if tail.iter().all(|v| v.is_infinite() && v == last) {
        return Side::Infinite(last.is_sign_positive());
    }
    if last.is_finite() && !last.is_zero() && close(&tail[2], last) && close(&tail[1], last) {
        return Side::Finite(Enclosure::point(last.clone()));
    }
    if tail.iter().all(Float::is_zero) {
        return Side::Finite(Enclosure::point(last.clone()));
    }
    let shrinks = |a: &Float, b: &Float| b.is_zero() || Float::with_val(64, b / a).abs() <= 0.75;
    if tail.windows(2).all(|w| shrinks(&w[0], &w[1])) {
        let one_sign = tail.iter().all(|v| v.is_sign_negative() == last.is_sign_negative());
        let zero = if one_sign && last.is_sign_negative() { -0.0 } else { 0.0 };
        return Side::Finite(Enclosure::point(Float::with_val(2, zero)));
    }
    let grows = |a: &Float, b: &Float| {
        let ratio = Float::with_val(64, b / a);
        ratio >= 1.3 || (b.is_infinite() && a.is_sign_negative() == b.is_sign_negative())
    };
    if tail.windows(2).all(|w| grows(&w[0], &w[1])) {
        return Side::Infinite(last.is_sign_positive());
    }
    Side::None
}
