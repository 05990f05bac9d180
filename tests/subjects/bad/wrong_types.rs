//! Bad: functions of types that cannot be measured.

pub fn my_int(x: i32) -> i32 {
    x
}

pub fn my_lerpf(a: f32, b: f32, t: f32) -> f32 {
    a + t * (b - a)
}

pub fn my_narrow(x: f64) -> f32 {
    x as f32
}

pub fn my_generic<T: Copy + core::ops::Add<Output = T>>(x: T) -> T {
    x + x
}
