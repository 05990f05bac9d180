//! Medians and quartiles.

use serde::{Deserialize, Serialize};

/// Median and quartiles of many rounds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quartiles {
    /// A quarter of the rounds lies below.
    pub q1: f64,
    /// Half of the rounds lie below.
    pub median: f64,
    /// A quarter of the rounds lies above.
    pub q3: f64,
}

impl Quartiles {
    /// Of some values, by linear interpolation between the ordered ones; `None` without a value, or if one is not finite.
    pub fn of(values: &[f64]) -> Option<Quartiles> {
        if values.is_empty() || values.iter().any(|v| !v.is_finite()) {
            return None;
        }
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |part: f64| {
            let place = part * (sorted.len() - 1) as f64;
            let below = place as usize;
            let above = (below + 1).min(sorted.len() - 1);
            sorted[below] + (sorted[above] - sorted[below]) * (place - below as f64)
        };
        Some(Quartiles { q1: at(0.25), median: at(0.5), q3: at(0.75) })
    }

    /// Of the ratios of two contestants, round by round: what disturbs a round disturbs both, so a ratio is steadier than its
    /// parts.
    pub fn of_ratios(of: &[f64], to: &[f64]) -> Option<Quartiles> {
        let ratios: Vec<f64> = of.iter().zip(to).map(|(a, b)| a / b).collect();
        Quartiles::of(&ratios)
    }
}

/// Geometric mean; `None` without a value, or if one is not positive and finite.
///
/// The mean m is the zero of a decreasing function, the product of all v/m less one, and is bisected: like every figure that
/// is written down it does not depend on the platform's logarithm.
pub fn geometric_mean(values: &[f64]) -> Option<f64> {
    if values.is_empty() || values.iter().any(|v| *v <= 0.0 || !v.is_finite()) {
        return None;
    }
    let mut low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let mut high = values.iter().copied().fold(0.0, f64::max);
    for _ in 0..80 {
        let middle = (low * high).sqrt();
        if values.iter().map(|v| v / middle).product::<f64>() > 1.0 { low = middle } else { high = middle }
    }
    Some((low * high).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_interpolate() {
        let q = Quartiles::of(&[4.0, 1.0, 3.0, 2.0]).unwrap();
        assert_eq!((q.q1, q.median, q.q3), (1.75, 2.5, 3.25));
        assert_eq!(Quartiles::of(&[7.0]).unwrap().q3, 7.0);
        assert_eq!(Quartiles::of(&[]), None);
        assert_eq!(Quartiles::of(&[1.0, f64::NAN]), None);
        assert_eq!(Quartiles::of_ratios(&[2.0, 4.0], &[1.0, 2.0]).unwrap().median, 2.0);
    }

    #[test]
    fn means_of_ratios() {
        assert!((geometric_mean(&[1.0, 4.0]).unwrap() - 2.0).abs() < 1e-12);
        assert!((geometric_mean(&[2.0, 0.5, 1.0, 3.0, 1.0 / 3.0]).unwrap() - 1.0).abs() < 1e-12);
        assert!((geometric_mean(&[2.5; 40]).unwrap() - 2.5).abs() < 1e-12);
        assert_eq!(geometric_mean(&[]), None);
    }
}
