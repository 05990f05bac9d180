/// The correctly rounded square root; rounding the f64 root again is safe, as 53 bits are more than twice 24 and 2.
#[inline(always)]
fn sqrt_f32(x: f32) -> f32 {
    #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
    {
        // SAFETY: compiled only for targets that have SSE.
        unsafe { core::arch::x86_64::_mm_cvtss_f32(core::arch::x86_64::_mm_sqrt_ss(core::arch::x86_64::_mm_set_ss(x))) }
    }
    #[cfg(not(all(target_arch = "x86_64", target_feature = "sse2")))]
    {
        sqrt_f64(x as f64) as f32
    }
}
