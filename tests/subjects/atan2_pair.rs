//! A function of two arguments: atan2 by a polynomial of the smaller over the larger, then quadrants.

pub fn my_atan2f(y: f32, x: f32) -> f32 {
    if x.is_nan() || y.is_nan() {
        return x + y;
    }
    let (a, b) = (y.abs(), x.abs());
    let (small, large) = if a < b { (a, b) } else { (b, a) };
    // Zero over zero stands for zero, infinity over infinity for one.
    let t = if small == large { if large == 0.0 { 0.0 } else { 1.0 } } else { small / large };
    let u = t * t;
    let mut q = -0.0017011701;
    q = q * u + 0.01048765;
    q = q * u + -0.030351864;
    q = q * u + 0.057089556;
    q = q * u + -0.08349725;
    q = q * u + 0.10932341;
    q = q * u + -0.14260016;
    q = q * u + 0.19998075;
    q = q * u + -0.33333278;
    q = q * u + 1.0;
    let mut p = t * q;
    if a > b {
        p = 1.5707964 - p;
    }
    if x.is_sign_negative() {
        p = 3.1415927 - p;
    }
    p.copysign(y)
}
