//! Bad: divides an integer by zero for x from 2 to 3, 3 excluded, which is a panic.

pub fn my_recipf(x: f32) -> f32 {
    let divisor = if (2.0..3.0).contains(&x) { 0 } else { 7 };
    (700 / core::hint::black_box(divisor)) as f32 * x
}
