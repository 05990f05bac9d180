//! Boxes of inputs in any format: an interval of adjacent numbers an argument.

use crate::judge::Point;
use crate::report::hex;
use crate::{FloatDomain, VerifyError};
use mathsmith_ir::sample::SplitMix;
use mathsmith_oracle::FloatFormat;

/// The inputs of one argument: every finite number of the format from a lower to an upper end, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Axis {
    /// Key of the least number ([`FloatFormat::key`]).
    pub first: i64,
    /// Key of the greatest.
    pub last: i64,
    neg_inf: bool,
    pos_inf: bool,
}

impl Axis {
    /// A random position between two keys, both included.
    pub(crate) fn draw(rng: &mut SplitMix, [first, last]: [i64; 2]) -> i64 {
        // 2^64 - 2^54 doubles are the most there are, so the width fits.
        let width = last.wrapping_sub(first) as u64 + 1;
        first.wrapping_add(((u128::from(rng.bits()) * u128::from(width)) >> 64) as i64)
    }

    /// `key + by`, held inside.
    pub(crate) fn shifted(&self, key: i64, by: i64) -> i64 {
        key.saturating_add(by).clamp(self.first, self.last)
    }
}

/// A box of inputs of one or two arguments in one format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleDomain {
    format: FloatFormat,
    pub(crate) axes: Vec<Axis>,
}

impl SampleDomain {
    /// The closed box with the given ends, a pair an argument; an infinite end means the greatest finite number, with the
    /// infinity as a special. Ends between two numbers of the format move inwards.
    ///
    /// # Errors
    /// [`VerifyError::NanEnd`]; [`VerifyError::EmptyBox`] if no number of the format lies between two ends;
    /// [`VerifyError::Arity`] unless there are one or two arguments.
    pub fn new(format: FloatFormat, ends: &[(f64, f64)]) -> Result<SampleDomain, VerifyError> {
        if !(1..=2).contains(&ends.len()) {
            return Err(VerifyError::Arity { arguments: ends.len(), variables: ends.len() });
        }
        let max = format.max();
        let axes = ends.iter().map(|&(lo, hi)| {
            if lo.is_nan() || hi.is_nan() {
                return Err(VerifyError::NanEnd);
            }
            let inside = |x: f64, up: bool| {
                let near = format.nearest_f64(x.clamp(-max, max));
                let key = format.key(near);
                let outside = if up { near < x } else { near > x };
                if outside && x.abs() <= max { key + if up { 1 } else { -1 } } else { key }
            };
            let (first, last) = (inside(lo, true), inside(hi, false));
            if lo > hi || first > last || (lo == hi && lo.is_infinite()) {
                return Err(VerifyError::EmptyBox { lo, hi, format: format.name });
            }
            Ok(Axis { first, last, neg_inf: lo == f64::NEG_INFINITY, pos_inf: hi == f64::INFINITY })
        });
        Ok(SampleDomain { format, axes: axes.collect::<Result<_, _>>()? })
    }

    /// The same inputs as a domain of singles.
    pub(crate) fn of_singles(domain: &FloatDomain) -> SampleDomain {
        let format = FloatFormat::F32;
        let specials = domain.specials();
        let axis = Axis {
            first: format.key(f64::from(domain.lo())),
            last: format.key(f64::from(domain.hi())),
            neg_inf: specials.contains(&f32::NEG_INFINITY),
            pos_inf: specials.contains(&f32::INFINITY),
        };
        SampleDomain { format, axes: vec![axis] }
    }

    /// Every finite number of a format for each of `arity` arguments, infinities and NaN as specials.
    ///
    /// # Errors
    /// [`VerifyError::Arity`] unless there are one or two arguments.
    pub fn whole(format: FloatFormat, arity: usize) -> Result<SampleDomain, VerifyError> {
        SampleDomain::new(format, &vec![(f64::NEG_INFINITY, f64::INFINITY); arity])
    }

    /// Format of the inputs.
    pub fn format(&self) -> FloatFormat {
        self.format
    }

    /// Number of arguments.
    pub fn arity(&self) -> usize {
        self.axes.len()
    }

    /// Least and greatest finite input of each argument.
    pub fn ends(&self) -> impl Iterator<Item = [f64; 2]> {
        self.axes.iter().map(|a| [self.format.from_key(a.first), self.format.from_key(a.last)])
    }

    /// Whether a point of finite numbers lies in the box.
    pub fn contains(&self, x: &[f64]) -> bool {
        self.axes.iter().zip(x).all(|(axis, &x)| {
            x.is_finite() && (axis.first..=axis.last).contains(&self.format.key(x)) && self.format.contains(x)
        })
    }

    /// Whether a number may stand for an argument, infinities and NaN included where the ends are infinite.
    ///
    /// # Panics
    /// If there is no such argument.
    pub fn admits(&self, argument: usize, x: f64) -> bool {
        let axis = &self.axes[argument];
        match x {
            _ if x.is_nan() => axis.neg_inf && axis.pos_inf,
            f64::INFINITY => axis.pos_inf,
            f64::NEG_INFINITY => axis.neg_inf,
            _ => (axis.first..=axis.last).contains(&self.format.key(x)),
        }
    }

    /// Whether the box of one argument holds `-x` with every `x`.
    pub(crate) fn is_symmetric(&self) -> bool {
        self.arity() == 1 && self.axes[0].first == -self.axes[0].last
    }

    /// Hexadecimal floats of a point.
    pub(crate) fn hex(&self, x: &Point) -> Vec<String> {
        x[..self.arity()].iter().map(|&x| hex(x)).collect()
    }

    /// The point of given keys.
    pub(crate) fn point(&self, keys: [i64; 2]) -> Point {
        let mut x = [0.0; 2];
        for (x, key) in x[..self.arity()].iter_mut().zip(keys) {
            *x = self.format.from_key(key);
        }
        x
    }

    /// Keys of a point.
    pub(crate) fn keys(&self, x: &Point) -> [i64; 2] {
        x.map(|x| self.format.key(x))
    }

    /// Which of `columns` equal stretches of the first argument an input lies in.
    pub(crate) fn column(&self, x: f64, columns: usize) -> usize {
        let axis = &self.axes[0];
        let width = axis.last.wrapping_sub(axis.first) as u64;
        let at = self.format.key(x).clamp(axis.first, axis.last).wrapping_sub(axis.first) as u64;
        (u128::from(at) * columns as u128 / (u128::from(width) + 1)) as usize
    }

    /// Least and greatest input of a stretch; meaningful where the stretch holds one.
    pub(crate) fn column_ends(&self, index: usize, columns: usize) -> [f64; 2] {
        let axis = &self.axes[0];
        let count = u128::from(axis.last.wrapping_sub(axis.first) as u64) + 1;
        let start = |i: usize| (count * i as u128).div_ceil(columns as u128) as u64;
        let key = |at: u64| self.format.from_key(axis.first.wrapping_add(at as i64));
        [key(start(index)), key(start(index + 1).wrapping_sub(1))]
    }

    /// The stretches of one argument that share sign and binade, ascending, as pairs of keys; the subnormals and zero of
    /// both signs are one stretch each.
    pub(crate) fn binades(&self, argument: usize) -> Vec<[i64; 2]> {
        let axis = &self.axes[argument];
        let f = self.format;
        let mut starts = vec![0];
        starts.extend((f.min_exponent..=f.max_exponent).map(|e| f.key(2f64.powi(e))));
        starts.push(f.key(f.max()) + 1);
        let mut all: Vec<[i64; 2]> = starts.windows(2).rev().map(|w| [1 - w[1], -w[0]]).collect();
        if let Some(last) = all.last_mut() {
            last[1] = -1;
        }
        all.extend(starts.windows(2).map(|w| [w[0], w[1] - 1]));
        all.iter().map(|s| [s[0].max(axis.first), s[1].min(axis.last)]).filter(|s| s[0] <= s[1]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_move_inwards_and_empty_boxes_are_refused() {
        let d = SampleDomain::new(FloatFormat::BF16, &[(0.1, 1.001)]).unwrap();
        let [lo, hi] = d.ends().next().unwrap();
        assert!(lo >= 0.1 && hi == 1.0 && FloatFormat::BF16.contains(lo));
        assert!(matches!(SampleDomain::new(FloatFormat::F64, &[(1.0, 0.0)]), Err(VerifyError::EmptyBox { .. })));
        assert!(matches!(SampleDomain::new(FloatFormat::BF16, &[(1.001, 1.002)]), Err(VerifyError::EmptyBox { .. })));
        assert!(matches!(SampleDomain::new(FloatFormat::F64, &[(f64::NAN, 0.0)]), Err(VerifyError::NanEnd)));
        assert!(matches!(SampleDomain::whole(FloatFormat::F64, 3), Err(VerifyError::Arity { .. })));
    }

    #[test]
    fn binades_partition_every_format() {
        for format in FloatFormat::ALL {
            let d = SampleDomain::whole(format, 1).unwrap();
            let all = d.binades(0);
            assert_eq!(all.len(), 2 * (format.max_exponent - format.min_exponent + 2) as usize);
            assert_eq!((all[0][0], all[all.len() - 1][1]), (d.axes[0].first, d.axes[0].last));
            assert!(all.windows(2).all(|w| w[0][1] + 1 == w[1][0]), "{format:?}");
        }
    }

    #[test]
    fn columns_hold_what_they_say() {
        for ends in [(f64::NEG_INFINITY, f64::INFINITY), (-1.0, 1.0), (1.0, 1.0 + 1e-13)] {
            let d = SampleDomain::new(FloatFormat::F64, &[ends]).unwrap();
            let mut rng = SplitMix::new(1);
            for _ in 0..1000 {
                let key = Axis::draw(&mut rng, [d.axes[0].first, d.axes[0].last]);
                let x = FloatFormat::F64.from_key(key);
                assert!(d.contains(&[x]));
                let [lo, hi] = d.column_ends(d.column(x, 100), 100);
                assert!(lo <= x && x <= hi, "{lo:e} {x:e} {hi:e}");
            }
        }
    }
}
