//! Rounding

use crate::Dd;

/// The `f32` nearest to a double-double, ties to even.
///
/// Rounding the leading double first would round twice: where it lies exactly between two floats, the low term decides.
pub(crate) fn nearest_f32(x: Dd) -> f32 {
    let f = x.hi as f32;
    if x.lo == 0.0 || !f.is_finite() {
        return f;
    }
    let rest = x.hi - f64::from(f);
    // Only a tie can be decided the other way; then hi is the midpoint of f and its neighbour on the side of `rest`.
    let neighbour = if rest > 0.0 { f.next_up() } else { f.next_down() };
    let tie = rest != 0.0 && x.hi - f64::from(f) == f64::from(neighbour) - x.hi;
    if tie && (x.lo > 0.0) == (rest > 0.0) { neighbour } else { f }
}
