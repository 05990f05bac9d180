//! An array function: exp2 of many numbers in one call, in a loop that compilers vectorise.

#[inline]
fn kernel(x: f32) -> f32 {
    // Comparisons that are false for NaN keep it.
    let c = if x > 128.0 { 128.0 } else if x < -126.0 { -126.0 } else { x };
    let k = (c + 12582912.0) - 12582912.0;
    let r = c - k;
    let mut q = 1.5297324e-05;
    q = q * r + 0.00015461445;
    q = q * r + 0.0013333502;
    q = q * r + 0.009618057;
    q = q * r + 0.05550411;
    q = q * r + 0.2402265;
    q = q * r + 0.6931472;
    let n = (if c == c { k } else { 0.0 }) as i32;
    let h = n >> 1;
    (1.0 + r * q) * f32::from_bits(((h + 127) as u32) << 23) * f32::from_bits(((n - h + 127) as u32) << 23)
}

pub fn my_exp2f_array(x: &[f32], y: &mut [f32]) {
    for (y, &x) in y.iter_mut().zip(x) {
        *y = kernel(x);
    }
}
