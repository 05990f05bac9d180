//! The formats in which `f32` results are judged, as types: the loops over lanes are compiled for each.

use mathsmith_oracle::FloatFormat;

/// A format whose numbers are all `f32`.
pub trait Grid: Send + Sync + 'static {
    /// The format.
    const FORMAT: FloatFormat;
    /// Least magnitude that rounds to an infinity: half an ulp above the greatest number.
    const OVERFLOW: f64 =
        pow2(Self::FORMAT.max_exponent + 1) - pow2(Self::FORMAT.max_exponent - Self::FORMAT.precision as i32);
    /// Least normal number.
    const MIN_NORMAL: f64 = pow2(Self::FORMAT.min_exponent);

    /// The number of the format nearest to a double, ties to even.
    fn round(y: f64) -> f32;

    /// `1 / ulp(y)` for `y >= 0` below [`Grid::OVERFLOW`].
    #[inline(always)]
    fn inverse_ulp(y: f64) -> f64 {
        // Biased exponent of the double; zero and subnormal doubles lie below every format's least binade.
        let least = (1023 + Self::FORMAT.min_exponent) as u64;
        let biased = (y.to_bits() >> 52) & 0x7ff;
        let biased = if biased < least { least } else { biased };
        // 1/ulp = 2^(p - 1 - e), biased again.
        f64::from_bits((2 * 1023 + u64::from(Self::FORMAT.precision) - 1).wrapping_sub(biased) << 52)
    }
}

/// `2^e` for normal doubles.
const fn pow2(e: i32) -> f64 {
    f64::from_bits(((e + 1023) as u64) << 52)
}

/// IEEE binary32.
#[derive(Clone, Copy, Debug)]
pub struct Single;
/// The upper half of binary32.
#[derive(Clone, Copy, Debug)]
pub struct Brain;
/// IEEE binary16.
#[derive(Clone, Copy, Debug)]
pub struct Half;

impl Grid for Single {
    const FORMAT: FloatFormat = FloatFormat::F32;

    #[inline(always)]
    fn round(y: f64) -> f32 {
        y as f32
    }
}

impl Grid for Brain {
    const FORMAT: FloatFormat = FloatFormat::BF16;

    #[inline(always)]
    fn round(y: f64) -> f32 {
        round::<Self>(y)
    }
}

impl Grid for Half {
    const FORMAT: FloatFormat = FloatFormat::F16;

    #[inline(always)]
    fn round(y: f64) -> f32 {
        round::<Self>(y)
    }
}

/// Adding and subtracting `1.5 * 2^52` ulps rounds to a multiple of the ulp, ties to even.
#[inline(always)]
fn round<G: Grid>(y: f64) -> f32 {
    let least = (1023 + G::FORMAT.min_exponent) as u64;
    let biased = (y.to_bits() >> 52) & 0x7ff;
    let biased = if biased < least { least } else { biased };
    let magic = f64::from_bits((biased + 52 - (u64::from(G::FORMAT.precision) - 1)) << 52 | 1 << 51);
    let near = ((y + magic) - magic).abs();
    let a = y.abs();
    // NaN fails both comparisons and stays.
    let a = if a < G::OVERFLOW { near } else { a };
    let a = if a >= G::OVERFLOW { f64::INFINITY } else { a };
    a.copysign(y) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agrees<G: Grid>() {
        let mut state = 1u64;
        let edges = [0.0, -0.0, G::OVERFLOW, G::OVERFLOW.next_down(), f64::INFINITY, f64::NAN, f64::MAX, 5e-324];
        let random = (0..100_000).map(|i| {
            state = crate::checksum::mix64(state.wrapping_add(i));
            let x = f64::from_bits(state);
            // Half of them within the format's range, some of those ties.
            match i % 4 {
                0 => x,
                1 => f64::from_bits(x.to_bits() & 0xbfff_ffff_ffff_ffff | 0x3800 << 48),
                2 => f64::from_bits((x.to_bits() & 0x800f_ffff_ffff_ffff) | ((1000 + (state >> 20) % 48) << 52)),
                _ => f64::from_bits((x.to_bits() & 0x800f_f000_0000_0000) | ((1000 + (state >> 20) % 48) << 52)),
            }
        });
        for x in edges.into_iter().flat_map(|x| [x, -x]).chain(random) {
            let (got, want) = (f64::from(G::round(x)), G::FORMAT.nearest_f64(x));
            assert!(got.to_bits() == want.to_bits() || (got.is_nan() && want.is_nan()), "{x:e}: {got:e} {want:e}");
        }
    }

    #[test]
    fn rounding_is_that_of_the_format() {
        agrees::<Single>();
        agrees::<Brain>();
        agrees::<Half>();
    }

    #[test]
    fn ulp_of_binades() {
        assert_eq!(Single::inverse_ulp(1.0), 8388608.0);
        assert_eq!(Single::inverse_ulp(1.0f64.next_down()), 16777216.0);
        let least = f64::from(f32::from_bits(1));
        for y in [0.0, 1e-300, least, least * 8388607.0, least * 8388608.0, f64::from(f32::MIN_POSITIVE).next_up()] {
            assert_eq!(Single::inverse_ulp(y) * least, 1.0, "{y:e}");
        }
        assert_eq!(Single::inverse_ulp(f64::from(f32::MIN_POSITIVE) * 2.0) * least, 0.5);
        assert_eq!(Single::inverse_ulp(f64::from(f32::MAX)) * 2f64.powi(104), 1.0);
        assert_eq!(Single::OVERFLOW, f64::from(f32::MAX) + 2f64.powi(103));
        assert_eq!(Half::OVERFLOW, 65520.0);
        assert_eq!(Half::inverse_ulp(0.0), 2f64.powi(24));
        assert_eq!(Brain::inverse_ulp(1.5), 128.0);
    }
}
