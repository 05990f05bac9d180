//! The checksum over every output bit.
//!
//! Defined as the sum modulo 2^64, over all inputs of the domain (specials not included), of
//! `mix64(x_bits << 32 | y_bits)`, NaN results taken as `0x7fc00000`. A sum does not depend on the order of evaluation,
//! and mixing input and output together makes exchanged results visible. The emitted tests compute the same sum.

/// A bijective finaliser of 64 bits in the xor-shift-multiply manner; the odd multipliers are the fractional digits of
/// the golden ratio and of the square root of two.
#[inline(always)]
pub const fn mix64(mut z: u64) -> u64 {
    z = (z ^ (z >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 29)).wrapping_mul(0x6a09_e667_f3bc_c909);
    z ^ (z >> 32)
}

/// Bits of a result with every NaN made one.
#[inline(always)]
pub fn canonical_bits(y: f32) -> u32 {
    if y.is_nan() { 0x7fc0_0000 } else { y.to_bits() }
}

/// The term of one input.
#[inline(always)]
pub fn term(x: f32, y: f32) -> u64 {
    mix64(u64::from(x.to_bits()) << 32 | u64::from(canonical_bits(y)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_pinned() {
        // Emitted tests carry sums made by earlier versions: the definition may not drift.
        assert_eq!(mix64(0), 0);
        assert_eq!(term(f32::NAN, f32::NAN), term(f32::NAN, -f32::NAN));
        assert_ne!(term(1.0, 2.0), term(2.0, 1.0));
        assert_eq!(term(1.0, 2.0), mix64(0x3f80_0000_4000_0000));
    }

    #[test]
    fn single_bits_spread() {
        for bit in 0..64 {
            let flipped: u32 = (0..64u64)
                .map(|s| (mix64(s * 0x1234_5678_9abc) ^ mix64((s * 0x1234_5678_9abc) ^ (1 << bit))).count_ones())
                .sum();
            assert!((64 * 26..64 * 38).contains(&flipped), "bit {bit} flips {flipped} of 4096");
        }
    }
}
