/// The correctly rounded square root: one instruction where the target has it, the same bits from integers where not.
#[inline(always)]
fn sqrt_f64(x: f64) -> f64 {
    #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
    {
        // SAFETY: compiled only for targets that have SSE2.
        unsafe { core::arch::x86_64::_mm_cvtsd_f64(core::arch::x86_64::_mm_sqrt_pd(core::arch::x86_64::_mm_set_sd(x))) }
    }
    #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
    {
        // SAFETY: compiled only for targets that have NEON.
        unsafe { core::arch::aarch64::vget_lane_f64::<0>(core::arch::aarch64::vsqrt_f64(core::arch::aarch64::vdup_n_f64(x))) }
    }
    #[cfg(not(any(
        all(target_arch = "x86_64", target_feature = "sse2"),
        all(target_arch = "aarch64", target_feature = "neon")
    )))]
    {
        if !(x > 0.0 && x < f64::INFINITY) {
            return if x < 0.0 { f64::NAN } else { x };
        }
        let (m, e) = (x.to_bits() & ((1 << 52) - 1), ((x.to_bits() >> 52) & 0x7ff) as i32);
        let (mut m, mut e) = if e == 0 {
            let s = m.leading_zeros() as i32 - 11;
            (m << s, -1074 - s)
        } else {
            (m | 1 << 52, e - 1075)
        };
        if e & 1 != 0 {
            m <<= 1;
            e -= 1;
        }
        // Root of 106 to 108 bits, two bits at a time: 53 bits and one to round by; a square root is never a tie.
        let (mut rest, mut root, mut bit) = ((m as u128) << 54, 0u128, 1u128 << 106);
        while bit != 0 {
            if rest >= root + bit {
                rest -= root + bit;
                root = (root >> 1) + bit;
            } else {
                root >>= 1;
            }
            bit >>= 2;
        }
        let rounded = (root >> 1) as u64 + (root & 1) as u64;
        f64::from_bits(rounded + ((((e - 54) / 2 + 53 + 1022) as u64) << 52))
    }
}
