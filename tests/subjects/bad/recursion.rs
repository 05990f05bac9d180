//! Bad: calls itself without end for x = 1.5 and overflows the stack.

fn deeper(x: f32, frame: &[f32; 64]) -> f32 {
    let mut own = [x; 64];
    own[0] += core::hint::black_box(frame)[0];
    if x == 1.5 { deeper(x, &own) + own[0] } else { own[0] }
}

pub fn my_sumf(x: f32) -> f32 {
    deeper(x, &[0.0; 64])
}
