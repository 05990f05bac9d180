//! Where a form is compared with its reference: nodes, weights, and the error metrics that give the weights.

use crate::{Dd, FitError};
use mathsmith_ir::Type;

/// What "error" means, and so how a difference is weighted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// `|p - f|`.
    Absolute,
    /// `|p - f| / |f|`.
    Relative,
    /// `|p - f| / ulp(f)` in the given format (`f32` or `f64`; `real` has no ulp and counts as relative).
    Ulp(Type),
}

impl Metric {
    /// The factor that turns `p - y` into an error of this metric. Zero where `y` is zero and the error relative to it
    /// is undefined: such a point says nothing about the constants (a form that is to vanish there vanishes by its
    /// shape), so fits skip it.
    pub fn weight(self, y: Dd) -> f64 {
        match self {
            Metric::Absolute => 1.0,
            _ if y.hi == 0.0 => 0.0,
            Metric::Ulp(ty @ (Type::F32 | Type::F64)) => 1.0 / ulp(ty, y),
            _ => (1.0 / y.hi.abs()).min(f64::MAX),
        }
    }
}

/// Distance of neighbouring numbers of a format at the real number `y`: `2^(max(e, e_min) - p + 1)` with
/// `2^e <= |y| < 2^(e+1)`. For types other than `f32` that of `f64`. NaN for NaN, infinite for infinities.
pub fn ulp(ty: Type, y: Dd) -> f64 {
    let (digits, e_min) = if ty == Type::F32 { (24, -126) } else { (53, -1022) };
    if !y.hi.is_finite() {
        return y.hi.abs();
    }
    let e = match exponent(y.hi) {
        // A double that is a power of two may stand for a real just below it, one binade down.
        Some(e) if y.lo != 0.0 && (y.lo < 0.0) == (y.hi > 0.0) && y.hi.abs() == power_of_two(e) => e - 1,
        Some(e) => e,
        None => e_min,
    };
    power_of_two(e.max(e_min) - digits + 1)
}

/// `e` with `2^e <= |x| < 2^(e+1)`; `None` for zero. `x` is finite.
fn exponent(x: f64) -> Option<i32> {
    let bits = x.to_bits() & !(1 << 63);
    match (bits >> 52) as i32 {
        0 if bits == 0 => None,
        0 => Some(63 - bits.leading_zeros() as i32 - 1074),
        e => Some(e - 1023),
    }
}

/// `2^e`, exact, for `-1074 <= e <= 1023`.
fn power_of_two(e: i32) -> f64 {
    if e >= -1022 { f64::from_bits(((e + 1023) as u64) << 52) } else { f64::from_bits(1 << (e + 1074)) }
}

/// Points with reference values and weights; all columns have the same length.
#[derive(Clone, Debug, Default)]
pub struct Nodes {
    /// One column for each input of the program.
    pub x: Vec<Vec<f64>>,
    /// Reference value, rounded to double.
    pub target: Vec<f64>,
    /// What `target` leaves of the reference value; empty where doubles suffice.
    pub target_lo: Vec<f64>,
    /// Factor of the difference: 1 for absolute error, `1/|f|` for relative, `1/ulp(f)` for error in ulp; 0 skips.
    pub weight: Vec<f64>,
}

impl Nodes {
    /// Nodes of a function of one variable at the given points.
    ///
    /// # Errors
    /// [`FitError::Target`] if a reference value is not finite.
    pub fn new(points: Vec<f64>, target: &dyn Fn(f64) -> Dd, metric: Metric) -> Result<Nodes, FitError> {
        let mut nodes = Nodes { x: vec![Vec::with_capacity(points.len())], ..Nodes::default() };
        for x in points {
            nodes.push(x, target(x), metric)?;
        }
        Ok(nodes)
    }

    /// `count` Chebyshev nodes of `a..b`, ends not included.
    ///
    /// # Errors
    /// [`FitError::Domain`], [`FitError::Target`].
    pub fn chebyshev(
        domain: (f64, f64),
        count: usize,
        target: &dyn Fn(f64) -> Dd,
        metric: Metric,
    ) -> Result<Nodes, FitError> {
        check_domain(domain)?;
        let points = (0..count).map(|k| at_cosine(domain, (k as f64 + 0.5) / count as f64));
        Nodes::new(points.collect(), target, metric)
    }

    /// `count` points from `a` to `b`, ends included, as dense towards the ends as Chebyshev nodes: any sufficiently
    /// smooth error has about equally many of them in each of its oscillations.
    ///
    /// # Errors
    /// [`FitError::Domain`], [`FitError::Target`].
    pub fn dense(
        domain: (f64, f64),
        count: usize,
        target: &dyn Fn(f64) -> Dd,
        metric: Metric,
    ) -> Result<Nodes, FitError> {
        check_domain(domain)?;
        let count = count.max(2);
        let mut points: Vec<f64> = (0..count).map(|k| at_cosine(domain, k as f64 / (count - 1) as f64)).collect();
        points.dedup();
        Nodes::new(points, target, metric)
    }

    /// Number of nodes.
    pub fn len(&self) -> usize {
        self.target.len()
    }

    /// Whether there are no nodes.
    pub fn is_empty(&self) -> bool {
        self.target.is_empty()
    }

    /// Reference value of node `i`.
    pub fn value(&self, i: usize) -> Dd {
        Dd { hi: self.target[i], lo: self.target_lo.get(i).copied().unwrap_or(0.0) }
    }

    /// Adds a node of a function of one variable.
    pub(crate) fn push(&mut self, x: f64, y: Dd, metric: Metric) -> Result<(), FitError> {
        if !y.is_finite() {
            return Err(FitError::Target(format!("{x:e}")));
        }
        self.target_lo.resize(self.target.len(), 0.0);
        self.x[0].push(x);
        self.target.push(y.hi);
        self.target_lo.push(y.lo);
        self.weight.push(metric.weight(y));
        Ok(())
    }

    /// Checks that all columns are there and equally long.
    pub(crate) fn check(&self, inputs: usize) -> Result<(), FitError> {
        let n = self.len();
        let shape = |what, given, wanted| Err(FitError::Shape { what, given, wanted });
        if self.x.len() != inputs {
            return shape("input columns", self.x.len(), inputs);
        }
        if let Some(column) = self.x.iter().find(|c| c.len() != n) {
            return shape("points in an input column", column.len(), n);
        }
        if self.weight.len() != n {
            return shape("weights", self.weight.len(), n);
        }
        if !self.target_lo.is_empty() && self.target_lo.len() != n {
            return shape("low target terms", self.target_lo.len(), n);
        }
        Ok(())
    }
}

/// Checks that a domain is an interval with an inside.
pub(crate) fn check_domain((a, b): (f64, f64)) -> Result<(), FitError> {
    if a < b && (b - a).is_finite() { Ok(()) } else { Err(FitError::Domain(format!("{a}"), format!("{b}"))) }
}

/// The point of `a..b` at `-cos(pi t)` of -1..1, exact at both ends.
fn at_cosine((a, b): (f64, f64), t: f64) -> f64 {
    let c = cos_pi(t);
    if c > 0.0 { a + (b - a) * (0.5 * (1.0 - c)) } else { b - (b - a) * (0.5 * (1.0 + c)) }
}

/// `cos(pi t)` for t in 0..1 to about 1e-16, by Taylor series: the platform's cosine may differ between machines.
fn cos_pi(t: f64) -> f64 {
    use std::f64::consts::PI;
    if t > 0.5 {
        return -cos_pi(1.0 - t);
    }
    let (x, mut term, first) = if t > 0.25 { (PI * (0.5 - t), PI * (0.5 - t), 2.0) } else { (PI * t, 1.0, 1.0) };
    let mut sum = term;
    let mut k = first;
    while k < 20.0 {
        term *= -(x * x) / (k * (k + 1.0));
        sum += term;
        k += 2.0;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ulp_follows_the_definition() {
        assert_eq!(ulp(Type::F32, Dd::from(1.0)), 2f64.powi(-23));
        assert_eq!(ulp(Type::F32, Dd::new(1.0, -1e-20)), 2f64.powi(-24));
        assert_eq!(ulp(Type::F32, Dd::new(-1.0, 1e-20)), 2f64.powi(-24));
        assert_eq!(ulp(Type::F32, Dd::from(1.999)), 2f64.powi(-23));
        assert_eq!(ulp(Type::F32, Dd::from(0.0)), 2f64.powi(-149));
        assert_eq!(ulp(Type::F32, Dd::from(1e-42)), 2f64.powi(-149));
        assert_eq!(ulp(Type::F64, Dd::from(-3.0)), 2f64.powi(-51));
        assert_eq!(ulp(Type::F64, Dd::from(1e-310)), f64::from_bits(1));
    }

    #[test]
    fn cosines_match_known_values() {
        assert_eq!(cos_pi(0.0), 1.0);
        assert_eq!(cos_pi(1.0), -1.0);
        assert!(cos_pi(0.5).abs() < 1e-17);
        assert!((cos_pi(0.25) - 0.5f64.sqrt()).abs() < 2e-16);
        assert!((cos_pi(2.0 / 3.0) + 0.5).abs() < 2e-16);
    }

    #[test]
    fn dense_nodes_include_both_ends_in_order() {
        let n = Nodes::dense((-2.0, 5.0), 101, &|x| Dd::from(x), Metric::Absolute).expect("valid domain");
        assert_eq!((n.x[0][0], n.x[0][100]), (-2.0, 5.0));
        assert!(n.x[0].windows(2).all(|w| w[0] < w[1]));
    }

    #[test]
    fn bad_domains_and_targets_are_named() {
        let one = |_: f64| Dd::ONE;
        assert!(matches!(Nodes::chebyshev((1.0, 0.0), 4, &one, Metric::Absolute), Err(FitError::Domain(..))));
        assert!(matches!(Nodes::chebyshev((0.0, f64::NAN), 4, &one, Metric::Absolute), Err(FitError::Domain(..))));
        let bad = |_: f64| Dd::from(f64::NAN);
        assert!(matches!(Nodes::chebyshev((0.0, 1.0), 4, &bad, Metric::Absolute), Err(FitError::Target(_))));
    }
}
