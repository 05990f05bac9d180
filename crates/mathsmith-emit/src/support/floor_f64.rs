/// The largest integer that is not above `x`.
#[inline(always)]
fn floor_f64(x: f64) -> f64 {
    let r = round_even_f64(x);
    if r > x { r - 1.0 } else { r }
}
