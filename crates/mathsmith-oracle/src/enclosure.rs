//! Enclosures: closed intervals of MPFR numbers that contain a real value, or the values on a box, for certain.
//!
//! # Why every operation is rigorous
//!
//! MPFR rounds each function correctly in the direction asked for, so a *thin* enclosure (both ends equal: the argument
//! is known exactly) costs one call: the result rounded down and, where MPFR reports it as inexact, its successor. On a
//! *wide* enclosure the rules are the natural interval extensions: four corners for products, powers and `atan2`, ends
//! for monotone functions; the functions without a global monotone rule are treated in [`crate::function`].
//!
//! An enclosure carries whether the function is defined everywhere, somewhere or nowhere on the box (the decorations of
//! IEEE 1788, reduced to what the domain analysis asks), whether a pole or a jump may lie inside, and whether an
//! undefined point is an *edge*: one that limits can be taken at (`0/0`, `0*inf`), unlike the inside of a region without
//! values (`log(-1)`). Infinite ends mean an unbounded set, except that both ends at the same infinity is the extended
//! real itself, on which `inf - inf`, `0 * inf` and `inf / inf` are undefined edges.

use rug::Float;
use rug::float::{Round, Special};
use std::cmp::Ordering;

/// Where on its box an expression has values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Everywhere.
    Defined,
    /// Perhaps not everywhere; the ends enclose the values that exist.
    Partial,
    /// Nowhere; the ends are NaN.
    Undefined,
}

/// A certain enclosure of the values of an expression.
#[derive(Clone, Debug)]
pub struct Enclosure {
    /// No value lies below.
    pub lo: Float,
    /// No value lies above.
    pub hi: Float,
    /// Where values exist.
    pub status: Status,
    /// A pole may lie in the box (or, with [`Status::Undefined`], the point is an edge at which a limit may exist).
    pub(crate) edge: bool,
    /// A jump may lie in the box.
    pub(crate) jump: bool,
}

/// `a` rounded down and up: the successor is right because MPFR rounds correctly and says whether it was exact.
pub(crate) fn bracket(down: (Float, Ordering)) -> Enclosure {
    let (lo, ord) = down;
    let mut hi = lo.clone();
    if ord != Ordering::Equal {
        hi.next_up();
    }
    Enclosure::new(lo, hi)
}

fn least(p: u32, items: [Float; 4]) -> Float {
    items.into_iter().fold(Float::with_val(p, Special::Infinity), |m, x| if x < m { x } else { m })
}

fn greatest(p: u32, items: [Float; 4]) -> Float {
    items.into_iter().fold(Float::with_val(p, Special::NegInfinity), |m, x| if x > m { x } else { m })
}

impl Enclosure {
    /// The enclosure of everything between two ends.
    pub fn new(lo: Float, hi: Float) -> Self {
        Enclosure { lo, hi, status: Status::Defined, edge: false, jump: false }
    }

    /// The enclosure of one number, exactly.
    pub fn point(x: Float) -> Self {
        Enclosure::new(x.clone(), x)
    }

    /// No value.
    pub(crate) fn undefined(edge: bool) -> Self {
        let nan = Float::with_val(2, Special::Nan);
        Enclosure { lo: nan.clone(), hi: nan, status: Status::Undefined, edge, jump: false }
    }

    /// Anything, with a pole or a gap somewhere.
    pub(crate) fn anything(p: u32) -> Self {
        Enclosure {
            lo: Float::with_val(p, Special::NegInfinity),
            hi: Float::with_val(p, Special::Infinity),
            status: Status::Partial,
            edge: true,
            jump: false,
        }
    }

    /// The integer `n`.
    pub(crate) fn int(n: i32) -> Self {
        Enclosure::point(Float::with_val(32, n))
    }

    /// Whether the enclosure is one number, known exactly.
    pub fn is_thin(&self) -> bool {
        self.status != Status::Undefined && self.lo == self.hi
    }

    /// Whether zero lies between the ends.
    pub(crate) fn has_zero(&self) -> bool {
        self.lo.cmp0() != Some(Ordering::Greater) && self.hi.cmp0() != Some(Ordering::Less)
    }

    /// Whether this is exactly zero.
    pub(crate) fn is_zero(&self) -> bool {
        self.lo.is_zero() && self.hi.is_zero()
    }

    /// Whether all values are above zero (`Greater`), below (`Less`), exactly zero (`Equal`), or cannot be told.
    pub(crate) fn sign(&self) -> Option<Ordering> {
        match (self.lo.cmp0()?, self.hi.cmp0()?) {
            (Ordering::Greater, _) => Some(Ordering::Greater),
            (_, Ordering::Less) => Some(Ordering::Less),
            (Ordering::Equal, Ordering::Equal) => Some(Ordering::Equal),
            _ => None,
        }
    }

    fn is_infinite_point(&self) -> bool {
        self.lo.is_infinite() && self.is_thin()
    }

    /// Adds the defects of an argument to a result.
    pub(crate) fn inherit(mut self, a: &Enclosure) -> Enclosure {
        match (self.status, a.status) {
            (Status::Undefined, Status::Undefined) => self.edge &= a.edge,
            (Status::Undefined, _) => {}
            (_, Status::Undefined) => return a.clone(),
            (_, Status::Partial) => {
                self.status = Status::Partial;
                self.edge |= a.edge;
            }
            (_, Status::Defined) => self.edge |= a.edge,
        }
        self.jump |= a.jump;
        self
    }

    /// Midpoint, rounded.
    pub fn mid(&self, p: u32) -> Float {
        let mut m = Float::with_val(p + 1, &self.lo + &self.hi);
        m >>= 1;
        m
    }

    /// Upper bound of the distance from [`Enclosure::mid`] (as computed, `m`) to the ends.
    pub(crate) fn radius(&self, m: &Float, p: u32) -> Float {
        let a = Float::with_val_round(p, &self.hi - m, Round::Up).0;
        let b = Float::with_val_round(p, m - &self.lo, Round::Up).0;
        if a > b { a } else { b }
    }

    /// The smallest enclosure of two.
    pub(crate) fn union(a: &Enclosure, b: &Enclosure) -> Enclosure {
        let mut r = match (a.status, b.status) {
            (Status::Undefined, Status::Undefined) => {
                let mut r = Enclosure::undefined(a.edge && b.edge);
                r.jump = a.jump || b.jump;
                return r;
            }
            (Status::Undefined, _) => Enclosure { status: Status::Partial, ..b.clone() },
            (_, Status::Undefined) => Enclosure { status: Status::Partial, ..a.clone() },
            _ => {
                let lo = if a.lo < b.lo { &a.lo } else { &b.lo };
                let hi = if a.hi > b.hi { &a.hi } else { &b.hi };
                Enclosure::new(lo.clone(), hi.clone())
            }
        };
        if a.status == Status::Partial || b.status == Status::Partial {
            r.status = Status::Partial;
        }
        r.edge |= (a.edge && a.status != Status::Undefined) || (b.edge && b.status != Status::Undefined);
        r.jump |= a.jump || b.jump;
        r
    }

    fn both<'a>(a: &'a Enclosure, b: &'a Enclosure) -> Option<Enclosure> {
        match (a.status == Status::Undefined, b.status == Status::Undefined) {
            (true, true) => Some(a.clone().inherit(b)),
            (true, false) => Some(a.clone()),
            (false, true) => Some(b.clone()),
            _ => None,
        }
    }

    /// `-self`, exact.
    pub fn neg(&self) -> Enclosure {
        Enclosure { lo: -self.hi.clone(), hi: -self.lo.clone(), ..*self }.keep(self)
    }

    fn keep(mut self, a: &Enclosure) -> Enclosure {
        self.status = a.status;
        self.edge = a.edge;
        self.jump = a.jump;
        self
    }

    /// `|self|`, exact.
    pub fn abs(&self) -> Enclosure {
        if self.status == Status::Undefined || self.lo.cmp0() == Some(Ordering::Greater) {
            return self.clone();
        }
        if self.hi.cmp0() != Some(Ordering::Greater) {
            let r = self.neg();
            return if r.is_zero() { Enclosure::point(r.lo.abs()).keep(self) } else { r };
        }
        let far = Float::with_val(self.lo.prec().max(self.hi.prec()), -&self.lo);
        let hi = if far > self.hi { far } else { self.hi.clone() };
        Enclosure::new(Float::new(2), hi).keep(self)
    }

    /// `self + b` to `p` bits.
    pub fn add(&self, b: &Enclosure, p: u32) -> Enclosure {
        let a = self;
        if let Some(r) = Enclosure::both(a, b) {
            return r;
        }
        if a.is_infinite_point() && b.is_infinite_point() && a.lo != b.lo {
            return Enclosure::undefined(true);
        }
        let r = if a.is_thin() && b.is_thin() {
            let r = bracket(Float::with_val_round(p, &a.lo + &b.lo, Round::Down));
            // Rounding down turns an exact zero into -0; the nearest sum has the sign that IEEE 754 gives it.
            if r.is_zero() { Enclosure::point(Float::with_val(p, &a.lo + &b.lo)) } else { r }
        } else {
            let mut lo = Float::with_val_round(p, &a.lo + &b.lo, Round::Down).0;
            let mut hi = Float::with_val_round(p, &a.hi + &b.hi, Round::Up).0;
            if lo.is_nan() {
                lo.assign_special(Special::NegInfinity);
            }
            if hi.is_nan() {
                hi.assign_special(Special::Infinity);
            }
            Enclosure::new(lo, hi)
        };
        r.inherit(a).inherit(b)
    }

    /// `self - b` to `p` bits.
    pub fn sub(&self, b: &Enclosure, p: u32) -> Enclosure {
        self.add(&b.neg(), p)
    }

    /// `self * b` to `p` bits.
    pub fn mul(&self, b: &Enclosure, p: u32) -> Enclosure {
        let a = self;
        if let Some(r) = Enclosure::both(a, b) {
            return r;
        }
        if (a.is_infinite_point() && b.has_zero()) || (b.is_infinite_point() && a.has_zero()) {
            return Enclosure::undefined(true);
        }
        let r = if (a.is_thin() && b.is_thin()) || (a.is_zero() && !b.has_zero()) || (b.is_zero() && !a.has_zero()) {
            // For an exact zero any element of the other factor gives the zero and its sign.
            let x = if a.lo.is_finite() || a.is_thin() { &a.lo } else { &a.hi };
            let y = if b.lo.is_finite() || b.is_thin() { &b.lo } else { &b.hi };
            let r = bracket(Float::with_val_round(p, x * y, Round::Down));
            // Zero times an unbounded positive set: every product is zero.
            if r.lo.is_nan() { Enclosure::point(Float::new(p)) } else { r }
        } else if a.lo.cmp0() == Some(Ordering::Greater) && b.lo.cmp0() == Some(Ordering::Greater) {
            Enclosure::new(
                Float::with_val_round(p, &a.lo * &b.lo, Round::Down).0,
                Float::with_val_round(p, &a.hi * &b.hi, Round::Up).0,
            )
        } else {
            // On unbounded sets 0 times an infinite end is 0: no element of the set is infinite.
            let corner = |x: &Float, y: &Float, round| {
                if x.is_zero() || y.is_zero() { Float::new(p) } else { Float::with_val_round(p, x * y, round).0 }
            };
            let all = |round| {
                [
                    corner(&a.lo, &b.lo, round),
                    corner(&a.lo, &b.hi, round),
                    corner(&a.hi, &b.lo, round),
                    corner(&a.hi, &b.hi, round),
                ]
            };
            Enclosure::new(least(p, all(Round::Down)), greatest(p, all(Round::Up)))
        };
        r.inherit(a).inherit(b)
    }

    /// `self / b` to `p` bits.
    pub fn div(&self, b: &Enclosure, p: u32) -> Enclosure {
        let a = self;
        if let Some(r) = Enclosure::both(a, b) {
            return r;
        }
        if b.is_zero() {
            return Enclosure::undefined(true).inherit(a);
        }
        if b.has_zero() {
            return Enclosure::anything(p).inherit(a).inherit(b);
        }
        if a.is_thin() && b.is_thin() {
            let down = Float::with_val_round(p, &a.lo / &b.lo, Round::Down);
            let r = if down.0.is_nan() { Enclosure::undefined(true) } else { bracket(down) };
            return r.inherit(a).inherit(b);
        }
        if a.is_infinite_point() || b.lo.is_infinite() || b.hi.is_infinite() || a.lo.is_infinite() || a.hi.is_infinite()
        {
            if a.is_infinite_point() && (b.lo.is_infinite() || b.hi.is_infinite()) {
                return Enclosure::undefined(true);
            }
            let one = Float::with_val(2, 1);
            let inverse = Enclosure::new(
                Float::with_val_round(p, &one / &b.hi, Round::Down).0,
                Float::with_val_round(p, &one / &b.lo, Round::Up).0,
            );
            return a.mul(&inverse, p).inherit(b);
        }
        let corner = |x: &Float, y: &Float, round| Float::with_val_round(p, x / y, round).0;
        let all = |round| {
            [
                corner(&a.lo, &b.lo, round),
                corner(&a.lo, &b.hi, round),
                corner(&a.hi, &b.lo, round),
                corner(&a.hi, &b.hi, round),
            ]
        };
        Enclosure::new(least(p, all(Round::Down)), greatest(p, all(Round::Up))).inherit(a).inherit(b)
    }

    /// Smaller (`Less`) or greater (`Greater`) of two.
    pub(crate) fn extremum(&self, b: &Enclosure, which: Ordering) -> Enclosure {
        let a = self;
        if let Some(r) = Enclosure::both(a, b) {
            return r;
        }
        let pick = |x: &Float, y: &Float| if x.partial_cmp(y) == Some(which) { x.clone() } else { y.clone() };
        Enclosure::new(pick(&a.lo, &b.lo), pick(&a.hi, &b.hi)).inherit(a).inherit(b)
    }

    /// Four-corner rule for a function that is monotone in each argument when the other is fixed.
    pub(crate) fn corners(&self, b: &Enclosure, p: u32, f: impl Fn(&Float, &Float, Round) -> Float) -> Enclosure {
        let a = self;
        let all =
            |round| [f(&a.lo, &b.lo, round), f(&a.lo, &b.hi, round), f(&a.hi, &b.lo, round), f(&a.hi, &b.hi, round)];
        let (down, up) = (all(Round::Down), all(Round::Up));
        if down.iter().chain(&up).any(Float::is_nan) {
            return Enclosure::anything(p);
        }
        Enclosure::new(least(p, down), greatest(p, up))
    }

    /// `Some(true)` if every value is below every value of `b`, `Some(false)` if none is, `None` if that is open.
    pub fn less(&self, b: &Enclosure) -> Option<bool> {
        if self.status == Status::Undefined || b.status == Status::Undefined {
            None
        } else if self.hi < b.lo {
            Some(true)
        } else if self.lo >= b.hi {
            Some(false)
        } else {
            None
        }
    }
}

/// Assigning a special value keeps the precision.
trait AssignSpecial {
    fn assign_special(&mut self, s: Special);
}

impl AssignSpecial for Float {
    fn assign_special(&mut self, s: Special) {
        rug::Assign::assign(self, s);
    }
}
