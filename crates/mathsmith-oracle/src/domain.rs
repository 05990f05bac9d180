//! What a domain holds: its ends evaluated rigorously, and the floats between them.

use crate::dag::Dag;
use crate::enclosure::{Enclosure, Status};
use crate::reference::TIE_BITS;
use crate::{DomainError, OracleError};
use mathsmith_dsl::{Domain, Expr};
use rug::Float;
use rug::float::Round;

/// Enclosure of a constant expression at `prec` bits; infinities are allowed.
///
/// # Errors
/// [`OracleError::NotConstant`] for an expression with variables, [`OracleError::UndefinedConstant`] where it has no
/// value (`log(-1)`), and what [`crate::Reference::new`] refuses.
pub fn const_enclosure(expr: &Expr, prec: u32) -> Result<Enclosure, OracleError> {
    constant(expr, prec, false)
}

fn constant(expr: &Expr, prec: u32, last: bool) -> Result<Enclosure, OracleError> {
    if let Some(name) = expr.vars.first() {
        return Err(OracleError::NotConstant { name: name.clone() });
    }
    let mut p = prec;
    loop {
        let e = Dag::compile(expr, true)?.eval(&[], p, last || p >= TIE_BITS);
        match e.status {
            Status::Defined => return Ok(e),
            Status::Partial if p < TIE_BITS => p *= 2,
            Status::Partial | Status::Undefined => {
                return Err(OracleError::UndefinedConstant { source_text: expr.source.clone() });
            }
        }
    }
}

/// An end of a domain: the expression and whether it is left out.
#[derive(Clone, Debug)]
struct End {
    expr: Expr,
    open: bool,
    value: Enclosure,
}

/// The evaluated ends of a domain.
///
/// ```
/// let domain = mathsmith_dsl::parse_domain("-pi/4..<1/3").unwrap();
/// let ends = mathsmith_oracle::DomainEnds::new(&domain).unwrap();
/// let (lo, hi) = ends.f32_range().unwrap();
/// assert_eq!((lo, hi), (-0.785_398_1, 0.333_333_3));
/// ```
#[derive(Clone, Debug)]
pub struct DomainEnds {
    lo: End,
    hi: End,
}

impl DomainEnds {
    /// Evaluates the ends.
    ///
    /// # Errors
    /// [`DomainError::End`] where an end has no value, [`DomainError::Reversed`] where the lower is above the upper.
    pub fn new(domain: &Domain) -> Result<DomainEnds, DomainError> {
        DomainEnds::between((&domain.lo, domain.lo_open), (&domain.hi, domain.hi_open))
    }

    /// As [`DomainEnds::new`], from two constant expressions, each with whether it is left out.
    ///
    /// # Errors
    /// As [`DomainEnds::new`].
    pub fn between(lo: (&Expr, bool), hi: (&Expr, bool)) -> Result<DomainEnds, DomainError> {
        let end = |(expr, open): (&Expr, bool), which| -> Result<End, DomainError> {
            let value = constant(expr, 256, false).map_err(|cause| match cause {
                OracleError::UndefinedConstant { .. } => DomainError::NotANumber { which },
                cause => DomainError::End { which, cause },
            })?;
            Ok(End { expr: expr.clone(), open, value })
        };
        let ends = DomainEnds { lo: end(lo, "lower")?, hi: end(hi, "upper")? };
        if ends.lo.value.lo > ends.hi.value.hi {
            return Err(DomainError::Reversed { lo: ends.lo.value.lo.to_f64(), hi: ends.hi.value.hi.to_f64() });
        }
        Ok(ends)
    }

    /// The smallest f32 not below the lower end and the greatest not above the upper one (strictly inside where an end
    /// is left out). A zero end is +0.
    ///
    /// # Errors
    /// [`DomainError::Empty`] where no f32 lies inside.
    pub fn f32_range(&self) -> Result<(f32, f32), DomainError> {
        let lo = self.lo.nearest_inside(Round::Up, |x, r| x.to_f32_round(r), |x| f64::from(*x));
        let hi = self.hi.nearest_inside(Round::Down, |x, r| x.to_f32_round(r), |x| f64::from(*x));
        let lo = if lo.1 { lo.0.next_up() } else { lo.0 } + 0.0;
        let hi = if hi.1 { hi.0.next_down() } else { hi.0 } + 0.0;
        if lo <= hi { Ok((lo, hi)) } else { Err(self.empty("f32")) }
    }

    /// As [`DomainEnds::f32_range`], for f64.
    ///
    /// # Errors
    /// [`DomainError::Empty`] where no f64 lies inside.
    pub fn f64_range(&self) -> Result<(f64, f64), DomainError> {
        let lo = self.lo.nearest_inside(Round::Up, |x, r| x.to_f64_round(r), |x| *x);
        let hi = self.hi.nearest_inside(Round::Down, |x, r| x.to_f64_round(r), |x| *x);
        let lo = if lo.1 { lo.0.next_up() } else { lo.0 } + 0.0;
        let hi = if hi.1 { hi.0.next_down() } else { hi.0 } + 0.0;
        if lo <= hi { Ok((lo, hi)) } else { Err(self.empty("f64")) }
    }

    /// The ends to `prec` bits, nearest, for work in real arithmetic.
    ///
    /// # Errors
    /// As [`const_enclosure`].
    pub fn real_range(&self, prec: u32) -> Result<(Float, Float), OracleError> {
        let at = |end: &End| constant(&end.expr, prec + 64, false).map(|e| Float::with_val(prec, &e.mid(prec + 64)));
        Ok((at(&self.lo)?, at(&self.hi)?))
    }

    fn empty(&self, format: &'static str) -> DomainError {
        DomainError::Empty { lo: self.lo.value.lo.to_f64(), hi: self.hi.value.hi.to_f64(), format }
    }
}

impl End {
    /// The float nearest to the end on its inner side, and whether it is the end itself and is left out.
    fn nearest_inside<T: PartialEq + Copy>(
        &self,
        inward: Round,
        round: impl Fn(&Float, Round) -> T,
        exact: impl Fn(&T) -> f64,
    ) -> (T, bool) {
        let mut value = self.value.clone();
        let mut p = 512;
        loop {
            let (a, b) = (round(&value.lo, inward), round(&value.hi, inward));
            if a == b {
                let is_end = value.is_thin() && value.lo == exact(&a);
                return (a, self.open && is_end);
            }
            // The enclosure spans a float; at the last precision the end is taken to be that float.
            let last = p >= TIE_BITS;
            match constant(&self.expr, p, last) {
                Ok(next) if !last => value = next,
                _ => return (if inward == Round::Up { a } else { b }, self.open),
            }
            p *= 2;
        }
    }
}
