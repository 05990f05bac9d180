//! Fused operations written out: exp2 whose bits do not depend on whether the target has them.

pub fn my_exp2f(x: f32) -> f32 {
    if !(x < 128.0) {
        return if x.is_nan() { x } else { f32::INFINITY };
    }
    if x < -150.0 {
        return 0.0;
    }
    let k = (x + 12582912.0) - 12582912.0;
    let r = x - k;
    let mut q: f32 = 1.5297324e-05;
    q = q.mul_add(r, 0.00015461445);
    q = q.mul_add(r, 0.0013333502);
    q = q.mul_add(r, 0.009618057);
    q = q.mul_add(r, 0.05550411);
    q = q.mul_add(r, 0.2402265);
    q = q.mul_add(r, 0.6931472);
    let y = r.mul_add(q, 1.0);
    let n = k as i32;
    let h = n / 2;
    y * f32::from_bits(((h + 127) as u32) << 23) * f32::from_bits(((n - h + 127) as u32) << 23)
}
