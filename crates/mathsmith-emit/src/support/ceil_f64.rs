/// The smallest integer that is not below `x`.
#[inline(always)]
fn ceil_f64(x: f64) -> f64 {
    -floor_f64(-x)
}
