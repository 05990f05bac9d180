//! Bad: never returns for x = 1.5.

pub fn my_rootf(x: f32) -> f32 {
    while core::hint::black_box(x) == 1.5 {}
    x
}
