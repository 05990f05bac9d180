//! An exp-like kernel with bit tricks: reduction by rounding, a polynomial, powers of two made from bits.

pub fn my_expf(x: f32) -> f32 {
    if !(x < 88.72284) {
        return if x.is_nan() { x } else { f32::INFINITY };
    }
    if x < -104.0 {
        return 0.0;
    }
    let k = (x * 1.442695 + 12582912.0) - 12582912.0;
    let r = (x - k * 0.69314575) - k * 1.4286068e-06;
    let mut q = 0.0013926176;
    q = q * r + 0.008363173;
    q = q * r + 0.041666556;
    q = q * r + 0.16666578;
    q = q * r + 0.5;
    let y = 1.0 + (r + r * r * q);
    // Two factors, so that the result may be subnormal.
    let n = k as i32;
    let h = n / 2;
    y * f32::from_bits(((h + 127) as u32) << 23) * f32::from_bits(((n - h + 127) as u32) << 23)
}
