//! A ratio of polynomials: tanh by Lambert's continued fraction, cut off where it reaches one.

pub fn my_tanhf(x: f32) -> f32 {
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
