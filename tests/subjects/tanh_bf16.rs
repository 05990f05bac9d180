//! A function of 16-bit floats as bits: tanh of bfloat16 by the ratio, rounded to nearest, ties to even.

fn ratio(x: f32) -> f32 {
    if x > 4.9 {
        return 1.0;
    }
    if x < -4.9 {
        return -1.0;
    }
    let u = x * x;
    let p = ((u + 378.0) * u + 17325.0) * u + 135135.0;
    let q = ((28.0 * u + 3150.0) * u + 62370.0) * u + 135135.0;
    x * p / q
}

pub fn my_tanh_bf16(x: u16) -> u16 {
    let bits = ratio(f32::from_bits((x as u32) << 16)).to_bits();
    if bits & 0x7fffffff > 0x7f800000 {
        return 0x7fc0;
    }
    ((bits + 0x7fff + (bits >> 16 & 1)) >> 16) as u16
}
