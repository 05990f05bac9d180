//! Bad: does not compile; the name in the last line is not declared.

pub fn my_expf(x: f32) -> f32 {
    x + UNDECLARED_CONSTANT
}
