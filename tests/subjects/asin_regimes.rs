//! Two regimes and a branch: asin by a polynomial near zero, by a square root of the rest near one.

fn near_zero(x: f32) -> f32 {
    let u = x * x;
    let mut q = 0.033690847;
    q = q * u + 0.017149238;
    q = q * u + 0.031100662;
    q = q * u + 0.044599403;
    q = q * u + 0.07500094;
    q = q * u + 0.16666666;
    x + x * u * q
}

pub fn my_asinf(x: f32) -> f32 {
    let a = x.abs();
    if !(a <= 1.0) {
        return f32::NAN;
    }
    if a <= 0.5 {
        return near_zero(x);
    }
    (1.5707964 - 2.0 * near_zero(((1.0 - a) * 0.5).sqrt())).copysign(x)
}
