//! Where on a domain a function has no value: poles, undefined stretches, removable singularities, jumps.
//!
//! The domain is bisected, leftmost part first, in the order of the doubles, so that a singularity at any magnitude is
//! isolated in at most 64 steps. Interval arithmetic proves most parts free of trouble at once. What stays in doubt down
//! to two neighbouring doubles is examined: the two points themselves (value, limit by series, pole; see
//! [`crate::limit`]), and, when both are regular, the gap between them at 400 bits, where a pole such as that of tan at
//! pi/2 shows as growth. Parts in doubt only because interval arithmetic forgets that two occurrences of x are the same
//! (`sqrt(x^2 - 2*x + 1)` near 1) make the smallest examined part grow, so that the work is bounded; they are reported as
//! [`Note::Unproven`].

use crate::DomainError;
use crate::enclosure::{Enclosure, Status};
use crate::limit::{self, Singularity};
use crate::reference::Reference;
use rug::Float;
use std::cmp::Ordering;

/// Evaluations of the whole expression on a box before the rest is sampled.
const BUDGET: usize = 20_000;
/// Parts that come out regular without proof before the grain doubles.
const PATIENCE: usize = 64;
/// Jumps, poles and stretches that are located one by one.
const LISTED: usize = 16;
const BITS: u32 = 96;

/// A point where the expression has no value but the function has one by continuity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Removable {
    /// The point.
    pub at: f64,
    /// The limit, correctly rounded.
    pub limit: f64,
}

/// Something about the domain that is no error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Note {
    /// The function jumps, by more than 2^-30 of its size, at this double or just above it.
    Jump {
        /// The double.
        at: f64,
    },
    /// A pole: one of a whole format, or one between the numbers of a format.
    Pole {
        /// Where, to the nearest double below.
        at: f64,
    },
    /// No values (whole-format domains only): NaN is the right answer there.
    Undefined {
        /// First point.
        from: f64,
        /// Last point.
        to: f64,
    },
    /// Neither proven nor refuted: every point tried has a value.
    Unproven {
        /// First point.
        from: f64,
        /// Last point.
        to: f64,
    },
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Note::Jump { at } => write!(f, "the function jumps at or just above x = {at}"),
            Note::Pole { at } => write!(f, "pole at or just above x = {at}"),
            Note::Undefined { from, to } => write!(f, "undefined on [{from}, {to}]"),
            Note::Unproven { from, to } => {
                write!(f, "not proven to be defined on all of [{from}, {to}]: every point tried has a value")
            }
        }
    }
}

/// What was found on a usable domain.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DomainReport {
    /// Removable singularities at doubles, in ascending order.
    pub removable: Vec<Removable>,
    /// What else is worth saying, in ascending order.
    pub notes: Vec<Note>,
}

/// What a point is.
enum Point {
    Regular,
    Outside,
    Pole,
    Limit,
}

struct Search<'a> {
    reference: &'a Reference,
    lo: f64,
    hi: f64,
    whole: bool,
    /// Whether only numbers of a float format are asked about.
    floats: bool,
    report: DomainReport,
    /// Start of the undefined stretch being followed, and whether the start itself belongs to it.
    stretch: Option<(f64, bool)>,
    evaluations: usize,
    doubtful: usize,
    grain: u32,
    jumps: usize,
}

/// Position of a double in their order; both zeros are 0.
fn ordinal(x: f64) -> i64 {
    let magnitude = (x.to_bits() & !(1 << 63)) as i64;
    if x.is_sign_negative() { -magnitude } else { magnitude }
}

fn from_ordinal(n: i64) -> f64 {
    let x = f64::from_bits(n.unsigned_abs());
    if n < 0 { -x } else { x }
}

/// Hexadecimal literal of a normal double or zero.
fn literal(x: f64) -> String {
    if x == x.trunc() && x.abs() < 1e6 {
        return format!("{x}");
    }
    let bits = x.to_bits();
    let digits = format!("{:013x}", bits & ((1 << 52) - 1));
    let digits = digits.trim_end_matches('0');
    let point = if digits.is_empty() { "" } else { "." };
    let sign = if x < 0.0 { "-" } else { "" };
    format!("{sign}0x1{point}{digits}p{}", ((bits >> 52) & 0x7ff) as i64 - 1023)
}

/// Examines a function of one variable on `[lo, hi]`.
///
/// With `whole_format` (a domain that is all of a float format) poles and undefined stretches are notes: infinities and
/// NaN are the right answers there.
///
/// # Errors
/// The leftmost pole or undefined stretch ([`DomainError::Pole`], [`DomainError::Undefined`]); a NaN or reversed end; a
/// function of several variables.
pub fn analyse(reference: &Reference, lo: f64, hi: f64, whole_format: bool) -> Result<DomainReport, DomainError> {
    examine(reference, (lo, hi), whole_format, false)
}

/// [`analyse`] for a domain of floats: a pole strictly between two neighbouring doubles, as the tangent's, is no number
/// of any format, so it is a note.
///
/// # Errors
/// As [`analyse`].
pub fn analyse_floats(
    reference: &Reference,
    lo: f64,
    hi: f64,
    whole_format: bool,
) -> Result<DomainReport, DomainError> {
    examine(reference, (lo, hi), whole_format, true)
}

fn examine(
    reference: &Reference,
    (lo, hi): (f64, f64),
    whole: bool,
    floats: bool,
) -> Result<DomainReport, DomainError> {
    if reference.vars().len() != 1 {
        return match reference.vars().len() {
            0 => Ok(DomainReport::default()),
            vars => Err(DomainError::Variables { vars }),
        };
    }
    for (x, which) in [(lo, "lower"), (hi, "upper")] {
        if x.is_nan() {
            return Err(DomainError::NotANumber { which });
        }
    }
    if lo > hi {
        return Err(DomainError::Reversed { lo, hi });
    }
    let mut search = Search {
        reference,
        lo,
        hi,
        whole,
        floats,
        report: DomainReport::default(),
        stretch: None,
        evaluations: 0,
        doubtful: 0,
        grain: 1,
        jumps: 0,
    };
    search.run()?;
    Ok(search.report)
}

impl Search<'_> {
    fn run(&mut self) -> Result<(), DomainError> {
        let mut stack = vec![(ordinal(self.lo), ordinal(self.hi))];
        while let Some((a, b)) = stack.pop() {
            let (x, y) = (from_ordinal(a), from_ordinal(b));
            if self.evaluations >= BUDGET {
                self.sample(x, self.hi)?;
                break;
            }
            self.evaluations += 1;
            let value = self.on(&Float::with_val(53, x), &Float::with_val(53, y), BITS);
            let small = b.abs_diff(a) <= 1 << (self.grain - 1);
            let split = match (value.status, value.edge) {
                (Status::Defined, false) => {
                    self.close(x, true)?;
                    let jump = value.jump && self.jumps < LISTED;
                    if jump && b.abs_diff(a) <= 1 {
                        self.jumps += 1;
                        if self.steps(x, y) {
                            self.note(Note::Jump { at: x });
                        }
                    }
                    jump && b.abs_diff(a) > 1
                }
                (Status::Undefined, false) => {
                    self.stretch.get_or_insert((x, true));
                    false
                }
                _ if small => {
                    self.examine(x, y)?;
                    false
                }
                _ => true,
            };
            if split {
                let middle = a.midpoint(b);
                stack.push((middle, b));
                stack.push((a, middle));
            }
        }
        if self.stretch.is_some() {
            self.undefined(self.hi, true)?;
        }
        Ok(())
    }

    /// Whether the values at two neighbouring doubles differ by more than 2^-30 of their size. A branch that changes
    /// there without a step (`if x < 1 then x else x^2` at 1) is no jump, and a continuous function that moves so fast
    /// between neighbours is as good as one.
    fn steps(&self, x: f64, y: f64) -> bool {
        let (a, b) = (self.reference.value(&[x], BITS), self.reference.value(&[y], BITS));
        let size = Float::with_val(BITS, a.abs_ref()) + Float::with_val(BITS, b.abs_ref());
        let step = Float::with_val(BITS, &b - &a).abs();
        step.is_nan() || step > size * Float::with_val(BITS, Float::i_exp(1, -30))
    }

    fn on(&self, a: &Float, b: &Float, p: u32) -> Enclosure {
        self.reference.enclose_box(&[Enclosure::new(a.clone(), b.clone())], p)
    }

    fn note(&mut self, note: Note) {
        if self.report.notes.len() < 4 * LISTED && self.report.notes.last() != Some(&note) {
            self.report.notes.push(note);
        }
    }

    /// The expression has a value (or a limit, or a pole) at `x`: an undefined stretch ends here.
    fn close(&mut self, x: f64, defined: bool) -> Result<(), DomainError> {
        if self.stretch.is_some() { self.undefined(x, !defined) } else { Ok(()) }
    }

    fn undefined(&mut self, to: f64, to_included: bool) -> Result<(), DomainError> {
        let Some((from, from_included)) = self.stretch.take() else { return Ok(()) };
        if self.whole {
            self.note(Note::Undefined { from, to });
            return Ok(());
        }
        let suggestion = if from == self.lo && to < self.hi {
            let start = match self.point(to) {
                Point::Regular | Point::Limit => literal(to),
                Point::Pole | Point::Outside => above(to),
            };
            Some(format!("{start}..{}", literal(self.hi)))
        } else if from > self.lo {
            let regular = !from_included && matches!(self.point(from), Point::Regular | Point::Limit);
            Some(format!("{}..{}{}", literal(self.lo), if regular { "" } else { "<" }, literal(from)))
        } else {
            None
        };
        Err(DomainError::Undefined { from, from_included, to, to_included, suggestion })
    }

    fn pole(&mut self, at: f64) -> Result<(), DomainError> {
        self.close(at, true)?;
        if self.whole {
            self.note(Note::Pole { at });
            return Ok(());
        }
        let suggestion = if at == self.lo && at < self.hi {
            Some(format!("{}..{}", above(at), literal(self.hi)))
        } else if at > self.lo {
            Some(format!("{}..<{}", literal(self.lo), literal(at)))
        } else {
            None
        };
        Err(DomainError::Pole { at, end: at == self.lo || at == self.hi, suggestion })
    }

    /// What the point is; infinite arguments always count as regular: their value is a limit.
    fn point(&self, x: f64) -> Point {
        if x.is_infinite() {
            return Point::Regular;
        }
        let x = Float::with_val(53, x);
        let mut e = self.on(&x, &x, 256);
        if e.status == Status::Partial {
            e = self.on(&x, &x, crate::TIE_BITS);
        }
        match (e.status, e.edge) {
            (Status::Defined, false) => Point::Regular,
            (Status::Defined, true) if e.lo.is_infinite() => Point::Pole,
            (Status::Undefined, false) => Point::Outside,
            (Status::Undefined, true) => match limit::classify(&self.reference.inner.dag, &x, 256) {
                Singularity::Removable => Point::Limit,
                Singularity::Pole => Point::Pole,
                Singularity::Jump | Singularity::Unknown => Point::Outside,
            },
            _ => Point::Regular,
        }
    }

    /// A small part that interval arithmetic could not settle.
    fn examine(&mut self, a: f64, b: f64) -> Result<(), DomainError> {
        let points = if self.grain == 1 || a == b {
            vec![a, b]
        } else {
            let (i, j) = (ordinal(a), ordinal(b));
            (0..=4).map(|k| from_ordinal(i + (j - i) / 4 * k)).chain([b]).collect()
        };
        let mut regular = true;
        let mut previous = None;
        for x in points {
            match self.point(x) {
                Point::Regular => self.close(x, true)?,
                Point::Pole => {
                    regular = false;
                    if self.report.notes.last() != Some(&Note::Pole { at: x }) {
                        self.pole(x)?;
                    }
                }
                Point::Limit => {
                    regular = false;
                    self.close(x, true)?;
                    let limit = self.reference.round_f64(&[x]);
                    if self.report.removable.last().is_none_or(|r| r.at != x) {
                        self.report.removable.push(Removable { at: x, limit });
                    }
                }
                Point::Outside => {
                    regular = false;
                    self.stretch.get_or_insert((previous.unwrap_or(x), previous.is_none()));
                }
            }
            previous = Some(x);
        }
        if regular && !self.settle(a, b)? {
            match self.report.notes.last_mut() {
                Some(Note::Unproven { to, .. }) if *to == a => *to = b,
                _ => self.note(Note::Unproven { from: a, to: b }),
            }
            self.doubtful += 1;
            if self.doubtful.is_multiple_of(PATIENCE) {
                self.grain = (self.grain + 1).min(60);
            }
        }
        Ok(())
    }

    /// Looks between two regular points with more bits than doubles have. Returns whether the doubt is gone.
    fn settle(&mut self, a: f64, b: f64) -> Result<bool, DomainError> {
        if !a.is_finite() || !b.is_finite() {
            return Ok(true);
        }
        const P: u32 = 400;
        let mut parts = vec![(Float::with_val(P, a), Float::with_val(P, b))];
        let width = Float::with_val(P, &parts[0].1 - &parts[0].0);
        // Two parts may stay in doubt at each level: those that share the singular point.
        for _ in 0..200 {
            let mut next = Vec::new();
            for (x, y) in &parts {
                self.evaluations += 1;
                let e = self.on(x, y, P);
                match (e.status, e.edge) {
                    (Status::Defined, false) => {}
                    (Status::Undefined, false) => {
                        self.stretch.get_or_insert((a, false));
                        self.close(b, true)?;
                        return Ok(true);
                    }
                    _ => {
                        let mut m = Float::with_val(P, x + y);
                        m >>= 1;
                        next.push((x.clone(), m.clone()));
                        next.push((m, y.clone()));
                    }
                }
            }
            if next.is_empty() {
                return Ok(true);
            }
            if next.len() > 8 {
                // Spread out: a dependency, not a point.
                return Ok(false);
            }
            parts = next;
        }
        let size = |x: &Float| {
            let e = self.on(x, x, P);
            if e.status == Status::Defined { e.lo.get_exp().max(e.hi.get_exp()) } else { None }
        };
        let far = size(&Float::with_val(P, a)).max(size(&Float::with_val(P, b)));
        let near = parts.iter().flat_map(|(x, y)| [size(x), size(y)]).max().flatten();
        if let (Some(far), Some(near)) = (far, near)
            && width.cmp0() == Some(Ordering::Greater)
            && near > far + 50
        {
            if self.floats {
                self.close(a, true)?;
                self.note(Note::Pole { at: a });
            } else {
                self.pole(a)?;
            }
            return Ok(true);
        }
        Ok(false)
    }

    /// The budget is spent: tries points of the rest.
    fn sample(&mut self, from: f64, to: f64) -> Result<(), DomainError> {
        let (a, b) = (ordinal(from), ordinal(to));
        let step = (b.abs_diff(a) / 256).max(1) as i64;
        let mut n = a;
        loop {
            let x = from_ordinal(n);
            match self.point(x) {
                Point::Pole => self.pole(x)?,
                Point::Outside => {
                    self.stretch.get_or_insert((x, true));
                }
                Point::Regular | Point::Limit => self.close(x, true)?,
            }
            if b.abs_diff(n) < step.unsigned_abs() {
                break;
            }
            n += step;
        }
        self.note(Note::Unproven { from, to });
        Ok(())
    }
}

/// The least normal f32 above `x`, as it would be written.
fn above(x: f64) -> String {
    if x == 0.0 {
        return "0x1p-126".into();
    }
    let mut next = x as f32;
    if f64::from(next) <= x {
        next = next.next_up();
    }
    literal(f64::from(next))
}
