/// The smallest integer that is not below `x`.
#[inline(always)]
fn ceil_f32(x: f32) -> f32 {
    -floor_f32(-x)
}
