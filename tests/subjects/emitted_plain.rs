/// exp2_f32: exp2(x) on 0..1.
///
/// Error against the exact value, exhaustive, 1 065 353 217 inputs:
///   at most 1.65025 ULP, at x = 9.3180674e-1 (0x1.dd15c6p-1)
///   at most 1.03684e-7 relative, at x = 7.190318e-1 (0x1.7024fp-1)
///   at most 1.96725e-7 absolute, at x = 9.3180674e-1 (0x1.dd15c6p-1)
///   not correctly rounded: 11 595 965 of the results
///   exp2_f32(-0) = 1.0
///
/// No fused multiply-add.
/// Made by mathsmith 0.1.0, seed 1, with
///   mathsmith approx 'exp2(x)' --on 0..1 --max-ulp 1 --name exp2_f32
/// Generated code carries no licence: use it freely.
#[allow(clippy::all, dead_code, unused_variables, unused_unsafe, unused_parens)]
#[inline]
pub fn exp2_f32(x: f32) -> f32 {
    let t1: f32 = x * x;
    let t3: f32 = t1 * (-0.00044981437);
    let t5: f32 = t3 + 0.057747025;
    let t6: f32 = x * t5;
    let t8: f32 = t6 + (-0.49999082);
    let t9: f32 = x * t8;
    let t11: f32 = t9 + 1.4426936;
    let t12: f32 = x / t11;
    let t14: f32 = t12 + 1.0;
    t14
}
