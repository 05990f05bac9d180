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
