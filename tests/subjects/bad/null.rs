//! Bad: reads from address zero for x = 1.5.

pub fn my_sqrtf(x: f32) -> f32 {
    let two = 2.0_f32;
    let address = if x == 1.5 { core::ptr::null() } else { &raw const two };
    // SAFETY: none; this is what makes the subject bad.
    x * unsafe { core::ptr::read_volatile(core::hint::black_box(address)) }
}
