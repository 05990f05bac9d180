/// The largest integer that is not above `x`.
#[inline(always)]
fn floor_f32(x: f32) -> f32 {
    let r = round_even_f32(x);
    if r > x { r - 1.0 } else { r }
}
