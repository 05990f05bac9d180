//! A compiled reference function: values, enclosures, correct rounding.

use crate::dag::Dag;
use crate::decide::{clamped, decide_bits, shortened};
use crate::enclosure::{Enclosure, Status};
use crate::fast::{Plan, Scratch};
use crate::run::Smooth;
use crate::tie::{self, Tangent};
use crate::{FloatFormat, OracleError, Parity, limit, parity};
use mathsmith_dsl::Expr;
use rug::Float;
use std::cmp::Ordering;
use std::sync::{Arc, OnceLock};

/// Precision at which a value that still cannot be told from a tie between two floats is taken to be that tie.
///
/// No function here is known to come that close to a midpoint without being one; beyond this many bits the undecided
/// cases are the exact ones that enclosures cannot see, such as `(x*0.1)*10`.
pub const TIE_BITS: u32 = 4096;

/// Precision at which an expression that loses all its digits to cancellation is given up.
pub const HARD_CAP: u32 = 1 << 16;

/// Exponents beyond this are near the ends of MPFR's range.
const FAR: i32 = 1_000_000_000;

/// A reference function of one or more variables, in exact mathematics.
///
/// Its value at a point is that of the expression; where the expression has none because a limit is needed (`sin(x)/x`
/// at 0, `tanh(x)` or `x*exp(x)` at infinity) it is the limit, two-sided or, at the end of where the function exists,
/// one-sided. At 0 the sign of the zero says which side is meant when the sides differ, so `1/x` is inf at +0 and -inf at
/// -0. Elsewhere, as for `log(-1)`, the value is NaN. Limits are taken for functions of one variable only; of several
/// variables `x/y` and `x^y` are at zeros and infinities what IEEE 754 says (`0^-1` is infinite, `inf^0` is 1), anything
/// else without a value of its own is NaN.
///
/// ```
/// let sinc = mathsmith_dsl::parse_expr("sin(x)/x").unwrap();
/// let sinc = mathsmith_oracle::Reference::new(&sinc).unwrap();
/// assert_eq!(sinc.round_f32(&[0.0]), 1.0);
/// assert_eq!(sinc.round_f64(&[f64::INFINITY]), 0.0);
/// ```
#[derive(Clone, Debug)]
pub struct Reference {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) dag: Dag,
    pub(crate) vars: Vec<String>,
    pub(crate) source: String,
    pub(crate) plan: Plan,
    pub(crate) smooth: Smooth,
    /// Whether some path is arithmetic alone, which is done exactly.
    pub(crate) arithmetic: bool,
    /// The tangent at zero, once it has been asked for.
    tangent: OnceLock<Option<Tangent>>,
}

/// Precision at which rounding to a format begins: some 40 bits more than it has.
fn first_bits(format: FloatFormat) -> u32 {
    if format.precision > 32 { 96 } else { 64 }
}

/// Whether a value lies beyond the exponent range of MPFR: all of the enclosure is next to 0, or next to one infinity.
fn out_of_range(e: &Enclosure) -> bool {
    let exponent = |x: &Float| if x.is_infinite() { i32::MAX } else { x.get_exp().unwrap_or(i32::MIN) };
    let (lo, hi) = (exponent(&e.lo), exponent(&e.hi));
    let huge = lo.min(hi) > FAR && e.lo.is_sign_negative() == e.hi.is_sign_negative();
    huge || lo.max(hi) < -FAR
}

impl Reference {
    /// Compiles an expression.
    ///
    /// # Errors
    /// [`OracleError`] for `inf` used as a number, a literal of absurd size, or a malformed tree.
    pub fn new(expr: &Expr) -> Result<Reference, OracleError> {
        let dag = Dag::compile(expr, false)?;
        let plan = Plan::new(&dag);
        let smooth = Smooth::new(&dag, expr.vars.len(), &plan.constants);
        let (vars, source) = (expr.vars.clone(), expr.source.clone());
        let arithmetic = tie::arithmetic(&dag);
        let tangent = OnceLock::new();
        Ok(Reference { inner: Arc::new(Inner { dag, vars, source, plan, smooth, arithmetic, tangent }) })
    }

    /// The tangent at zero, where it serves to round.
    pub(crate) fn tangent(&self) -> Option<&Tangent> {
        self.inner.tangent.get_or_init(|| Tangent::new(self)).as_ref()
    }

    /// Names of the variables, in the order in which arguments are given.
    pub fn vars(&self) -> &[String] {
        &self.inner.vars
    }

    /// The text the expression was read from.
    pub fn source(&self) -> &str {
        &self.inner.source
    }

    fn check(&self, given: usize) {
        assert_eq!(given, self.inner.vars.len(), "one argument per variable of `{}`", self.inner.source);
    }

    /// A certain enclosure of the expression at a point, computed with `prec` bits. Limits are not taken.
    ///
    /// # Panics
    /// If the number of arguments is not the number of variables, as for all methods that take a point.
    pub fn enclose(&self, x: &[f64], prec: u32) -> Enclosure {
        self.check(x.len());
        let vars: Vec<Enclosure> = x.iter().map(|&x| Enclosure::point(Float::with_val(53, x))).collect();
        if x.iter().any(|x| x.is_nan()) {
            return Enclosure::undefined(false);
        }
        self.inner.dag.eval(&vars, prec, false)
    }

    /// A certain enclosure of all values on a box of arguments.
    pub fn enclose_box(&self, x: &[Enclosure], prec: u32) -> Enclosure {
        self.check(x.len());
        self.inner.dag.eval(x, prec, false)
    }

    /// Enclosure of the value at a point, limits included.
    pub(crate) fn value_enclosure(&self, x: &[Float], p: u32, last: bool) -> Enclosure {
        if x.iter().any(Float::is_nan) {
            return Enclosure::undefined(false);
        }
        let vars: Vec<Enclosure> = x.iter().map(|x| Enclosure::point(x.clone())).collect();
        let e = self.inner.dag.eval(&vars, p, last);
        let no_value = e.status == Status::Undefined && e.edge;
        let unclear = e.status == Status::Partial && last;
        if (no_value || unclear) && x.len() == 1 {
            let l = limit::at(&self.inner.dag, &x[0], p);
            if no_value || l.status == Status::Defined {
                return l;
            }
        }
        if no_value && x.len() > 1 {
            return self.inner.dag.conventional(&vars, p);
        }
        e
    }

    fn floats(&self, x: &[f64]) -> Vec<Float> {
        self.check(x.len());
        x.iter().map(|&x| Float::with_val(53, x)).collect()
    }

    /// The value at a point, correctly rounded to a format: to nearest, ties to even, overflow to infinity, subnormals,
    /// signed zeros. NaN where there is no value.
    ///
    /// The precision rises until both ends of the enclosure round to one number. What still encloses a halfway point at
    /// [`TIE_BITS`] bits is taken to be that tie. Arithmetic alone is exact, and next to zero a tangent settles what bits do
    /// not.
    pub fn round_to(&self, x: &[f64], format: FloatFormat) -> f64 {
        self.check(x.len());
        if let Some(y) = self.settled(x, format) {
            return y;
        }
        let x = self.floats(x);
        let mut p = first_bits(format);
        loop {
            let last = p >= TIE_BITS;
            let e = self.value_enclosure(&x, p, last);
            if e.status == Status::Undefined {
                return f64::NAN;
            }
            let (lo, hi) = (format.nearest(&e.lo), format.nearest(&e.hi));
            let clear = e.status == Status::Defined || last;
            if clear && lo == hi {
                if lo != 0.0 {
                    return lo;
                }
                if e.is_zero() {
                    return if e.lo.is_sign_negative() { -0.0 } else { 0.0 };
                }
                if e.lo >= 0 {
                    return 0.0;
                }
                if e.hi <= 0 {
                    return -0.0;
                }
                if last {
                    // Zero to thousands of bits: exactly zero.
                    return 0.0;
                }
            } else if last {
                let (low, high) = (format.key(lo), format.key(hi));
                if low + 1 == high {
                    // Neighbours: the one with the even significand.
                    return if low % 2 == 0 { lo } else { hi };
                }
            }
            if p >= HARD_CAP {
                return if clear && e.lo.is_finite() && e.hi.is_finite() {
                    format.nearest(&e.mid(p))
                } else {
                    f64::NAN
                };
            }
            p *= 2;
        }
    }

    /// The value at a point, correctly rounded to f32 ([`Reference::round_to`]).
    pub fn round_f32(&self, x: &[f64]) -> f32 {
        self.round_to(x, FloatFormat::F32) as f32
    }

    /// The value at a point, correctly rounded to f64 ([`Reference::round_to`]).
    pub fn round_f64(&self, x: &[f64]) -> f64 {
        self.round_to(x, FloatFormat::F64)
    }

    /// The order of the values at two points: exactly, or `Equal` where [`TIE_BITS`] bits cannot tell them apart (equal
    /// values, and those beyond the exponent range of MPFR on one side). Infinite limits take part; `None` where one of
    /// the two has no value.
    pub fn compare(&self, a: &[f64], b: &[f64]) -> Option<Ordering> {
        let (a, b) = (self.floats(a), self.floats(b));
        let mut p = 64;
        loop {
            let last = p >= TIE_BITS;
            let (u, v) = (self.value_enclosure(&a, p, last), self.value_enclosure(&b, p, last));
            if u.status == Status::Undefined || v.status == Status::Undefined {
                return None;
            }
            // A part without values is settled by more bits, as far as they go.
            if u.status == Status::Defined && v.status == Status::Defined || last {
                if u.is_thin() && v.is_thin() {
                    return u.lo.partial_cmp(&v.lo);
                }
                if u.hi < v.lo {
                    return Some(Ordering::Less);
                }
                if u.lo > v.hi {
                    return Some(Ordering::Greater);
                }
                // One bound of each touches the other: no further bits separate what saturates MPFR's range.
                if last || (out_of_range(&u) && out_of_range(&v)) {
                    return Some(Ordering::Equal);
                }
            }
            p *= 2;
        }
    }

    /// Whether the function is odd or even, where the structure of the expression proves it ([`crate::Parity`]); `None`
    /// for functions of several variables.
    pub fn parity(&self) -> Option<Parity> {
        if self.inner.vars.len() > 1 { None } else { parity::parity(&self.inner.dag) }
    }

    /// Whether the value at a point is exactly 0: an enclosure says so, or it cannot be told from 0 at [`TIE_BITS`] bits.
    /// A value that is merely too small for MPFR (`exp(-1e9)`) is not 0.
    pub fn is_zero(&self, x: &[f64]) -> bool {
        self.value(x, 32).is_zero()
    }

    /// The value at a point to `prec` bits: relative error at most 2^-`prec`. NaN where there is none.
    ///
    /// A value that stays indistinguishable from 0 at [`TIE_BITS`] bits (or four times `prec`) is returned as 0. Below
    /// the exponent range of MPFR (`exp(-1e9)`) the least number of that sign stands for the value, above it an infinity;
    /// a product of one such value with another kind is given up as NaN.
    pub fn value(&self, x: &[f64], prec: u32) -> Float {
        self.value_at(&self.floats(x), prec)
    }

    /// As [`Reference::value`], at arguments of any precision.
    pub fn value_at(&self, x: &[Float], prec: u32) -> Float {
        self.check(x.len());
        let mut p = prec + 16;
        let cap = TIE_BITS.max(4 * prec);
        loop {
            let last = p >= cap;
            let e = self.value_enclosure(x, p, last);
            if e.status == Status::Undefined {
                return Float::with_val(prec, rug::float::Special::Nan);
            }
            if e.is_thin() {
                return Float::with_val(prec, &e.lo);
            }
            if e.status == Status::Defined || last {
                let width = Float::with_val(32, &e.hi - &e.lo);
                if let (Some(w), Some(size)) = (width.get_exp(), e.lo.get_exp().min(e.hi.get_exp()))
                    && w <= size - 2 - prec as i32
                {
                    return Float::with_val(prec, &e.mid(p));
                }
                // Beyond the exponent range of MPFR: the end that says which way.
                if out_of_range(&e) {
                    if e.lo < 0 && e.hi > 0 {
                        // A difference of such values: no bits tell it from 0.
                        return Float::new(prec);
                    }
                    return Float::with_val(prec, if e.lo.is_sign_negative() { &e.lo } else { &e.hi });
                }
            }
            if last && e.has_zero() && !e.lo.is_infinite() && !e.hi.is_infinite() {
                let small = |x: &Float| x.get_exp().unwrap_or(i32::MIN) < -(TIE_BITS as i32) / 2;
                if small(&e.lo) && small(&e.hi) {
                    return Float::new(prec);
                }
            }
            if p >= HARD_CAP.max(cap) {
                return Float::with_val(prec, rug::float::Special::Nan);
            }
            p *= 2;
        }
    }

    /// The value at a point as the unevaluated sum of two doubles (about 106 bits).
    ///
    /// It is computed to many more bits, so that another expression of the same function has the same two doubles, but for
    /// one value in 2^50.
    pub fn value_dd(&self, x: &[f64]) -> (f64, f64) {
        let v = self.value(x, 160);
        let hi = v.to_f64();
        if !hi.is_finite() {
            return (hi, 0.0);
        }
        (hi, Float::with_val(160, &v - hi).to_f64())
    }

    /// Values rounded to `bits` significant bits, the same ones for every expression of a function and every processor:
    /// what the doubles of the fast path do not decide goes to MPFR. Below 2^-1000 in magnitude 2^-1000 with the value's sign
    /// stands for it, or 0 for 0; from 2^1000 on an infinity.
    ///
    /// # Panics
    /// As [`Reference::fast_block`], and for more than 50 bits.
    pub fn round_block_bits(&self, xs: &[&[f64]], bits: u32, out: &mut [f64], scratch: &mut Scratch) {
        assert!(bits <= 50, "doubles hold some bits more");
        let mut errs = vec![0.0; out.len()];
        self.fast_block(xs, out, &mut errs, scratch);
        for (i, (y, e)) in out.iter_mut().zip(errs).enumerate() {
            *y = decide_bits(*y, e, bits).unwrap_or_else(|| {
                let x: Vec<f64> = xs.iter().map(|x| x[i]).collect();
                let v = self.value(&x, bits + 70);
                let y = clamped(v.to_f64(), v.is_sign_negative() && !v.is_zero());
                if y.is_finite() && y != 0.0 { shortened(y, bits) } else { y }
            });
        }
    }
}
