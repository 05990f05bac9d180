//! Exact errors at points, and the adversarial set: the inputs on which candidates are screened before a sweep.

use crate::block::dispatched;
use crate::error::{check_variables, unary};
use crate::grid::{Brain, Grid, Half, Single};
use crate::truth::{PointError, Truth, inverse_ulp};
use crate::{FloatDomain, VerifyError, domain};
use mathsmith_ir::{ColumnMut, ColumnRef, Engine, EngineError, Literal, Program, Type};
use mathsmith_oracle::FloatFormat;

/// Exact errors of a program at the given inputs, in their order.
///
/// # Errors
/// [`VerifyError`] if the program is not one `f32` to one `f32` with every parameter set, or the engine refuses it.
pub fn point_error<T: Truth>(truth: &T, program: &Program, xs: &[f32]) -> Result<Vec<PointError>, VerifyError> {
    check_variables(truth)?;
    let params = unary(program, Type::F32)?;
    let (mut engine, _) = mathsmith_jit::engine_for(program).map_err(|e| VerifyError::engine(program, e))?;
    let mut out = vec![0f32; xs.len()];
    engine
        .run(&params, &[ColumnRef::F32(xs)], &mut [ColumnMut::F32(&mut out)])
        .map_err(|e| VerifyError::engine(program, e))?;
    Ok(xs.iter().zip(out).map(|(&x, c)| truth.errors(f64::from(x), c)).collect())
}

/// The largest errors of a program on an [`AdversarialSet`]: lower bounds of the true ones, good to about 2^-28.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Screened {
    /// In ULP.
    pub ulp: f64,
    /// Relative.
    pub rel: f64,
    /// Absolute.
    pub abs: f64,
}

/// Inputs with their reference values, sorted and without duplicates, for quick screening.
///
/// The set depends on what was inserted and not on the order of insertion.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AdversarialSet {
    x: Vec<f32>,
    y: Vec<f64>,
    y_low: Vec<f64>,
    scale: Vec<f64>,
    inverse: Vec<f64>,
}

/// How an initial set is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Floats next to each end and on both sides of zero.
    pub neighbours: u32,
    /// Chebyshev points of the interval.
    pub chebyshev: u32,
    /// Points in each binade, at equal distances.
    pub per_binade: u32,
    /// Random inputs, uniform over the floats.
    pub random: u32,
    /// Seed of the random inputs.
    pub seed: u64,
}

impl Default for Layout {
    fn default() -> Self {
        Layout { neighbours: 4, chebyshev: 256, per_binade: 4, random: 512, seed: 0 }
    }
}

impl AdversarialSet {
    /// The initial set of a domain.
    pub fn initial<T: Truth>(truth: &T, domain: &FloatDomain, layout: Layout) -> Self {
        let mut xs = Vec::new();
        let count = domain.count();
        for i in 0..u64::from(layout.neighbours).min(count) {
            xs.push(domain.get(i));
            xs.push(domain.get(count - 1 - i));
            xs.extend([i as i64, -(i as i64)].map(domain::from_key).into_iter().filter(|&x| domain.contains(x)));
        }
        let (lo, hi) = (f64::from(domain.lo()), f64::from(domain.hi()));
        for node in chebyshev(layout.chebyshev) {
            // The halves are taken first so that the whole format does not overflow.
            xs.push((0.5 * lo + 0.5 * hi + node * (0.5 * hi - 0.5 * lo)) as f32);
        }
        if layout.per_binade > 0 {
            let step = (1i64 << 23) / i64::from(layout.per_binade).min(1 << 23);
            let mut key = domain::key(domain.lo()).div_euclid(step) * step;
            while key <= domain::key(domain.hi()) {
                xs.push(domain::from_key(key));
                key += step;
            }
        }
        for i in 0..u64::from(layout.random) {
            let draw = crate::checksum::mix64(layout.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (i + 1));
            xs.push(domain.get(((u128::from(draw) * u128::from(count)) >> 64) as u64));
        }
        xs.retain(|&x| domain.contains(x));
        let mut set = AdversarialSet::default();
        set.insert(truth, &xs);
        set
    }

    /// Adds inputs; those already there, and those where the reference has no value that fits the format, are left out.
    /// Returns how many were new.
    pub fn insert<T: Truth>(&mut self, truth: &T, xs: &[f32]) -> usize {
        let mut new: Vec<f32> = xs.iter().filter(|x| x.is_finite()).map(|&x| x + 0.0).collect();
        new.sort_by(f32::total_cmp);
        new.dedup();
        new.retain(|x| self.x.binary_search_by(|p| p.total_cmp(x)).is_err());
        let before = self.x.len();
        let mut rows: Vec<(f32, f64, f64)> =
            self.x.iter().zip(&self.y).zip(&self.y_low).map(|((&x, &y), &l)| (x, y, l)).collect();
        for x in new {
            let (y, low) = truth.value_dd(f64::from(x));
            if y.is_finite() && (y as f32).is_finite() {
                rows.push((x, y, low));
            }
        }
        rows.sort_by(|a, b| a.0.total_cmp(&b.0));
        *self = AdversarialSet {
            x: rows.iter().map(|r| r.0).collect(),
            y: rows.iter().map(|r| r.1).collect(),
            y_low: rows.iter().map(|r| r.2).collect(),
            scale: rows.iter().map(|r| inverse_ulp(r.1.abs())).collect(),
            inverse: rows.iter().map(|r| 1.0 / r.1.abs()).collect(),
        };
        self.x.len() - before
    }

    /// Number of inputs.
    pub fn len(&self) -> usize {
        self.x.len()
    }

    /// Whether there are no inputs.
    pub fn is_empty(&self) -> bool {
        self.x.is_empty()
    }

    /// The inputs, ascending.
    pub fn inputs(&self) -> &[f32] {
        &self.x
    }

    /// The reference values, the larger of two doubles each.
    pub fn values(&self) -> &[f64] {
        &self.y
    }

    /// What [`AdversarialSet::values`] leaves of the reference values.
    pub fn values_low(&self) -> &[f64] {
        &self.y_low
    }

    /// Runs an engine on the set with the given parameters and returns its largest errors. `scratch` is reused between
    /// calls.
    ///
    /// # Errors
    /// What the engine says.
    pub fn screen(
        &self,
        engine: &mut dyn Engine,
        params: &[Literal],
        scratch: &mut Vec<f32>,
    ) -> Result<Screened, EngineError> {
        scratch.resize(self.x.len(), 0.0);
        engine.run(params, &[ColumnRef::F32(&self.x)], &mut [ColumnMut::F32(scratch)])?;
        Ok(self.compare(scratch))
    }

    /// The errors in ulp of results computed elsewhere, one for each input.
    pub fn errors_ulp<'a>(&'a self, computed: &'a [f32]) -> impl Iterator<Item = f64> + 'a {
        let truth = self.y.iter().zip(&self.y_low).zip(&self.scale);
        computed.iter().zip(truth).map(|(&c, ((y, low), scale))| ((f64::from(c) - y) - low).abs() * scale)
    }

    /// The largest errors of results computed elsewhere, one for each input; infinite if one is not finite.
    ///
    /// # Panics
    /// If there are fewer results than inputs.
    pub fn compare(&self, computed: &[f32]) -> Screened {
        let n = self.x.len();
        let (c, y, low) = (&computed[..n], &self.y[..n], &self.y_low[..n]);
        let (scale, inverse) = (&self.scale[..n], &self.inverse[..n]);
        let mut s = Screened::default();
        let mut odd = 0u32;
        for i in 0..n {
            odd |= u32::from(c[i].to_bits() & 0x7f80_0000 == 0x7f80_0000);
            let d = ((f64::from(c[i]) - y[i]) - low[i]).abs();
            let (u, q) = (d * scale[i], d * inverse[i]);
            // A zero reference that is met gives 0 * inf, which no comparison takes.
            s.abs = if d > s.abs { d } else { s.abs };
            s.ulp = if u > s.ulp { u } else { s.ulp };
            s.rel = if q > s.rel { q } else { s.rel };
        }
        if odd == 0 { s } else { Screened { ulp: f64::INFINITY, rel: f64::INFINITY, abs: f64::INFINITY } }
    }
}

/// Errors of a run of results against finite exact values, each error times its point's weight.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Weighed {
    /// Largest weighted error of the results of the right class.
    pub max: f64,
    /// Sum of the 32nd powers of the weighted errors over `unit`: a smooth stand-in for the largest error.
    pub power: f64,
    /// Results of the wrong class: NaN, an infinity, or a zero with the wrong sign. They count here and nowhere else.
    pub wrong: u32,
}

/// Judges results, rounded to `format` first, against exact values `y`: the error of a result `c` is `|c - y| * weight`.
/// A zero must have the sign of `y`, also where `y` is a zero. `unit` is the error that counts 1 in [`Weighed::power`].
/// Formats other than the three of 32 bits and less are taken as `f32`.
///
/// # Panics
/// If the columns differ in length.
pub fn weigh(format: FloatFormat, c: &[f32], y: &[f64], weight: &[f64], unit: f64) -> Weighed {
    assert!(c.len() == y.len() && c.len() == weight.len(), "columns of one length");
    let inverse = 1.0 / unit;
    match format {
        FloatFormat::BF16 => weigh_fast::<Brain>(c, y, weight, inverse),
        FloatFormat::F16 => weigh_fast::<Half>(c, y, weight, inverse),
        _ => weigh_fast::<Single>(c, y, weight, inverse),
    }
}

/// Lanes that sums and maxima are split over.
const WIDTH: usize = 8;

#[inline(always)]
fn weigh_lanes<G: Grid>(c: &[f32], y: &[f64], weight: &[f64], inverse: f64) -> Weighed {
    let (mut max, mut power, mut wrong) = ([0f64; WIDTH], [0f64; WIDTH], [0u32; WIDTH]);
    let mut lane = |k: usize, c: f32, y: f64, weight: f64| {
        let c = G::round(f64::from(c));
        let bits = c.to_bits();
        let sign = ((y.to_bits() >> 32) as u32 ^ bits) >> 31;
        let odd = u32::from(bits & 0x7f80_0000 == 0x7f80_0000) | (u32::from(bits << 1 == 0) & sign);
        let e = (f64::from(c) - y).abs() * weight;
        let e = if odd == 0 { e } else { 0.0 };
        let mut q = e * inverse;
        for _ in 0..5 {
            q *= q;
        }
        max[k] = if e > max[k] { e } else { max[k] };
        power[k] += q;
        wrong[k] += odd;
    };
    let whole = c.len() - c.len() % WIDTH;
    for ((c, y), w) in c.chunks_exact(WIDTH).zip(y.chunks_exact(WIDTH)).zip(weight.chunks_exact(WIDTH)) {
        for k in 0..WIDTH {
            lane(k, c[k], y[k], w[k]);
        }
    }
    for i in whole..c.len() {
        lane(i - whole, c[i], y[i], weight[i]);
    }
    Weighed {
        max: max.into_iter().fold(0.0, f64::max),
        power: ((power[0] + power[1]) + (power[2] + power[3])) + ((power[4] + power[5]) + (power[6] + power[7])),
        wrong: wrong.iter().sum(),
    }
}

dispatched!(weigh_fast = weigh_lanes<G: Grid>(c: &[f32], y: &[f64], weight: &[f64], inverse: f64) -> Weighed);

/// `n` Chebyshev points of the second kind on [-1, 1], ends included, by the recurrence of the cosine: the placing of
/// sample points needs no more than the last digits that this loses.
pub(crate) fn chebyshev(n: u32) -> Vec<f64> {
    match n {
        0 => Vec::new(),
        1 => vec![0.0],
        _ => {
            // cos and sin of the step by Taylor series: the step is at most pi, halved until it is small.
            let mut half = std::f64::consts::PI / f64::from(n - 1);
            let mut halvings = 0;
            while half > 1e-2 {
                half *= 0.5;
                halvings += 1;
            }
            let h2 = half * half;
            let mut c = 1.0 - h2 / 2.0 * (1.0 - h2 / 12.0 * (1.0 - h2 / 30.0));
            let mut s = half * (1.0 - h2 / 6.0 * (1.0 - h2 / 20.0 * (1.0 - h2 / 42.0)));
            for _ in 0..halvings {
                (c, s) = (c * c - s * s, 2.0 * s * c);
            }
            let (mut x, mut y) = (1.0f64, 0.0f64);
            let mut out = Vec::with_capacity(n as usize);
            for _ in 0..n {
                out.push(x.clamp(-1.0, 1.0));
                (x, y) = (x * c - y * s, y * c + x * s);
            }
            out[n as usize - 1] = -1.0;
            out
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chebyshev_points_descend_symmetrically() {
        for n in [2, 3, 5, 256, 4097] {
            let t = chebyshev(n);
            assert_eq!(t.len(), n as usize);
            assert!(t.windows(2).all(|w| w[0] > w[1]));
            for (a, b) in t.iter().zip(t.iter().rev()) {
                assert!((a + b).abs() < 1e-11, "{n}: {a} {b}");
            }
        }
        assert!((chebyshev(7)[2] - 0.5).abs() < 1e-14);
    }

    #[test]
    fn weighed_errors_are_those_of_each_point() {
        let y: Vec<f64> = (0..1003).map(|i| f64::from(i - 500) * 0.37).collect();
        let mut c: Vec<f32> = y.iter().map(|&y| y as f32).collect();
        let weight = vec![2.0; y.len()];
        c[1002] += 0.5;
        let clean = weigh(FloatFormat::F32, &c, &y, &weight, 1.0);
        let alone = (f64::from(c[1002]) - y[1002]).abs() * 2.0;
        assert_eq!((clean.max, clean.wrong), (alone, 0));
        assert!((clean.power - alone.powi(32)).abs() < 1e-6, "{clean:?}");
        (c[3], c[10], c[500]) = (f32::NAN, f32::NEG_INFINITY, -0.0);
        let wrong = weigh(FloatFormat::F32, &c, &y, &weight, 1.0);
        assert_eq!((wrong.max, wrong.wrong), (alone, 3));
        // In the narrow formats a result is rounded before it is judged.
        let narrow = weigh(FloatFormat::BF16, &[1.0 + 1.0 / 1024.0], &[1.0], &[1.0], 1.0);
        assert_eq!(narrow.max, 0.0);
        assert_eq!(weigh(FloatFormat::F16, &[65520.0], &[65519.0], &[1.0], 1.0).wrong, 1);
    }
}
