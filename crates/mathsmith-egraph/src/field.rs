//! Arithmetic modulo the prime 2^61 - 1, used to tell rational functions apart.
//!
//! A rational function with integer coefficients is evaluated at one pseudo-random point of the field. Two different
//! functions of degree d agree there with probability about d / 2^61 (Schwartz 1980, Zippel 1979), and no rounding is
//! involved: a class whose value is 0 is the zero function, one whose value is not 0 certainly is not.

/// The modulus, a Mersenne prime.
pub const P: u64 = (1 << 61) - 1;

/// A pseudo-random element that is neither 0 nor 1 (the output function of splitmix64, reduced).
pub fn random(stream: u64, index: u64) -> u64 {
    2 + mix(stream.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(index)) % (P - 2)
}

/// The finaliser of splitmix64: a bijection of 64-bit words that spreads every bit.
pub fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Order-dependent combination of two hashes.
pub fn chain(a: u64, b: u64) -> u64 {
    mix(a.rotate_left(29) ^ mix(b))
}

/// `a + b`.
pub fn add(a: u64, b: u64) -> u64 {
    let s = a + b;
    if s >= P { s - P } else { s }
}

/// `-a`.
pub fn neg(a: u64) -> u64 {
    if a == 0 { 0 } else { P - a }
}

/// `a - b`.
pub fn sub(a: u64, b: u64) -> u64 {
    add(a, neg(b))
}

/// `a * b`.
pub fn mul(a: u64, b: u64) -> u64 {
    let w = u128::from(a) * u128::from(b);
    let s = (w as u64 & P) + (w >> 61) as u64;
    if s >= P { s - P } else { s }
}

/// `1 / a`, or `None` for 0. Extended Euclid.
pub fn inv(a: u64) -> Option<u64> {
    if a == 0 {
        return None;
    }
    let (mut r0, mut r1) = (P as i64, a as i64);
    let (mut t0, mut t1) = (0i64, 1i64);
    while r1 != 0 {
        let q = r0 / r1;
        (r0, r1) = (r1, r0 - q * r1);
        (t0, t1) = (t1, t0 - q * t1);
    }
    Some(if t0 < 0 { (t0 + P as i64) as u64 } else { t0 as u64 })
}

/// A finite double, which is an integer times a power of two, as a field element; `None` for infinities and NaN.
pub fn from_f64(x: f64) -> Option<u64> {
    if !x.is_finite() {
        return None;
    }
    let bits = x.to_bits();
    let biased = ((bits >> 52) & 0x7ff) as i64;
    let fraction = bits & ((1 << 52) - 1);
    let (m, e) = if biased == 0 { (fraction, -1074) } else { (fraction | 1 << 52, biased - 1075) };
    // 2^61 = 1 in this field, so a power of two is a shift by the exponent modulo 61.
    let value = mul(m % P, 1 << e.rem_euclid(61));
    Some(if x < 0.0 { neg(value) } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn field_laws_on_random_elements() {
        for i in 0..500 {
            let (a, b, c) = (random(1, i), random(2, i), random(3, i));
            assert_eq!(mul(a, add(b, c)), add(mul(a, b), mul(a, c)));
            assert_eq!(mul(a, mul(b, c)), mul(mul(a, b), c));
            assert_eq!(sub(add(a, b), b), a);
            assert_eq!(mul(a, inv(a).unwrap()), 1);
        }
        assert_eq!(inv(0), None);
        assert_eq!(inv(1), Some(1));
    }

    #[test]
    fn doubles_keep_their_sums_and_products() {
        for (a, b) in [(0.5, 0.25), (3.0, -7.0), (-1.5, 1.5), (1e300, 2.0), (5e-324, 4.0), (0.1, 8.0)] {
            let f = |x: f64| from_f64(x).unwrap();
            assert_eq!(f(a * b), mul(f(a), f(b)), "{a} * {b}");
        }
        assert_eq!(from_f64(0.5 + 0.25).unwrap(), add(from_f64(0.5).unwrap(), from_f64(0.25).unwrap()));
        assert_eq!(from_f64(-0.0), Some(0));
        assert_eq!(from_f64(f64::NAN), None);
    }
}
