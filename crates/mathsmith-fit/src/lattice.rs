//! Which roundings of several constants together come nearest to the best real ones.
//!
//! Constants of a format are the points of a grid. Rounding each to nearest ignores that an error in one can be made up
//! by the others. In the metric of the values at the nodes the nearest grid point is a closest-vector problem; it is
//! searched from one constant to the next, each centred on what the ones already rounded leave to make up (Babai's
//! nearest plane), keeping the best few partial choices at every step (K-best sphere decoding).

#![allow(clippy::needless_range_loop, reason = "rows and columns are indexed as the formulas are")]

/// The quadratic problem: distance of integer steps `k` from the grid origin is `|R k - t|`.
#[derive(Clone, Debug)]
pub struct Grid {
    /// Upper triangle, row-major, `width` x `width`: column j is the change of the values by one step of constant j.
    pub triangle: Vec<f64>,
    /// Where the best real constants are, in steps from the origin of the grid.
    pub centre: Vec<f64>,
}

impl Grid {
    /// Up to `count` choices of integer steps, nearest first. `held` fixes the steps of some constants.
    ///
    /// # Panics
    /// If the triangle, the centre and `held` do not have one width.
    pub fn nearest(&self, count: usize, held: &[Option<i64>]) -> Vec<Vec<i64>> {
        let p = self.centre.len();
        // A partial choice has the steps of constants k.. decided: (distance, steps).
        let mut beam: Vec<(f64, Vec<i64>)> = vec![(0.0, vec![0; p])];
        for k in (0..p).rev() {
            let d = self.triangle[k * p + k];
            let mut next: Vec<(f64, Vec<i64>)> = Vec::with_capacity(beam.len() * 4);
            for (distance, steps) in &beam {
                let mut pull = 0.0;
                for j in k + 1..p {
                    pull += self.triangle[k * p + j] * (self.centre[j] - steps[j] as f64);
                }
                // The centre of constant k once the later ones are rounded.
                let wanted = if d > 0.0 { self.centre[k] + pull / d } else { self.centre[k] };
                for candidate in candidates(wanted, held[k]) {
                    let off = d * (wanted - candidate as f64);
                    let mut steps = steps.clone();
                    steps[k] = candidate;
                    next.push((distance + off * off, steps));
                }
            }
            next.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
            next.truncate(count.max(1));
            beam = next;
        }
        beam.into_iter().map(|(_, steps)| steps).collect()
    }
}

/// The four integers nearest to `wanted`, or the one that is held.
fn candidates(wanted: f64, held: Option<i64>) -> Vec<i64> {
    if let Some(k) = held {
        return vec![k];
    }
    // Beyond this a constant would leave its binade a million times over; the search would not follow it there.
    let low = wanted.clamp(-1e12, 1e12).floor() as i64;
    vec![low, low + 1, low - 1, low + 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_point_of_a_skew_grid_is_found() {
        // Exhaustive comparison on a basis where rounding each coordinate is far from best.
        let triangle = vec![1.0, 0.97, 0.9, 0.0, 0.1, 0.4, 0.0, 0.0, 0.05];
        let grid = Grid { triangle: triangle.clone(), centre: vec![0.4, 0.45, 0.5] };
        let distance = |k: &[i64]| -> f64 {
            let u: Vec<f64> = grid.centre.iter().zip(k).map(|(c, k)| c - *k as f64).collect();
            (0..3).map(|i| (0..3).map(|j| triangle[i * 3 + j] * u[j]).sum::<f64>().powi(2)).sum()
        };
        let found = grid.nearest(32, &[None; 3]);
        let mut best = f64::INFINITY;
        for a in -8..9 {
            for b in -8..9 {
                for c in -3..4 {
                    best = best.min(distance(&[a, b, c]));
                }
            }
        }
        assert!((distance(&found[0]) - best).abs() < 1e-15);
        assert!(distance(&found[0]) < distance(&[0, 0, 1]).min(distance(&[0, 0, 0])));
        assert!(found.windows(2).all(|w| distance(&w[0]) <= distance(&w[1]) + 1e-15));
        assert!(grid.nearest(32, &[None, Some(7), None]).iter().all(|k| k[1] == 7));
    }
}
