/// exp2_f32: exp2(x) on 0..1.
///
/// Error against the exact value, exhaustive, 1 065 353 217 inputs:
///   at most 0.880663 ULP, at x = 9.9722195e-1 (0x1.fe93ep-1)
///   at most 6.19722e-8 relative, at x = 3.2764208e-2 (0x1.0c6786p-5)
///   at most 1.04984e-7 absolute, at x = 9.9722195e-1 (0x1.fe93ep-1)
///   not correctly rounded: 2 248 124 of the results
///   exp2_f32(-0) = 1.0
///
/// Uses fused multiply-add: compile with -Ctarget-feature=+fma (or -Ctarget-cpu=native). Without it the
/// same bits come from a slow software path.
/// Made by mathsmith 0.1.0, seed 1, with
///   mathsmith approx 'exp2(x)' --on 0..1 --max-ulp 1 --name exp2_f32
/// Generated code carries no licence: use it freely.
#[allow(clippy::all, dead_code, unused_variables, unused_unsafe, unused_parens)]
#[inline]
pub fn exp2_f32(x: f32) -> f32 {
    /// `a * b + c` rounded once: one instruction where the target has it, the same bits from doubles where not.
    #[inline(always)]
    fn fma_f32(a: f32, b: f32, c: f32) -> f32 {
        #[cfg(all(target_arch = "x86_64", target_feature = "fma"))]
        {
            // SAFETY: compiled only for targets that have FMA.
            unsafe {
                let a = core::arch::x86_64::_mm_set_ss(a);
                let b = core::arch::x86_64::_mm_set_ss(b);
                let c = core::arch::x86_64::_mm_set_ss(c);
                core::arch::x86_64::_mm_cvtss_f32(core::arch::x86_64::_mm_fmadd_ss(a, b, c))
            }
        }
        #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
        {
            // SAFETY: compiled only for targets that have NEON.
            unsafe {
                let a = core::arch::aarch64::vdup_n_f32(a);
                let b = core::arch::aarch64::vdup_n_f32(b);
                let c = core::arch::aarch64::vdup_n_f32(c);
                core::arch::aarch64::vget_lane_f32::<0>(core::arch::aarch64::vfma_f32(c, a, b))
            }
        }
        #[cfg(not(any(
            all(target_arch = "x86_64", target_feature = "fma"),
            all(target_arch = "aarch64", target_feature = "neon")
        )))]
        {
            // The product of two f32 is exact in f64. The sum is rounded to odd there, so that rounding it again to f32
            // rounds the exact value.
            let (p, c) = (a as f64 * b as f64, c as f64);
            let s = p + c;
            let v = s - p;
            let lost = (p - (s - v)) + (c - v);
            let bits = s.to_bits();
            let up = (lost > 0.0) == (s > 0.0);
            let odd = if bits & 1 != 0 || !(lost < 0.0 || lost > 0.0) {
                bits
            } else if up {
                bits + 1
            } else {
                bits - 1
            };
            f64::from_bits(odd) as f32
        }
    }
    let t3: f32 = fma_f32(x, 0.00021803335, 0.0012414017);
    let t5: f32 = fma_f32(x, t3, 0.0096811885);
    let t7: f32 = fma_f32(x, t5, 0.055482466);
    let t9: f32 = fma_f32(x, t7, 0.2402299);
    let t11: f32 = fma_f32(x, t9, 0.693147);
    let t13: f32 = fma_f32(x, t11, 1.0);
    t13
}
