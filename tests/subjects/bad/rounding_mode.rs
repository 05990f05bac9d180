//! Bad: leaves the rounding mode changed, to upwards, for x = 1.5 (on x86-64).

pub fn my_upf(x: f32) -> f32 {
    #[cfg(target_arch = "x86_64")]
    if x == 1.5 {
        let upwards = 0x5f80_u32;
        // SAFETY: the instruction only reads the word. What it changes is what makes the subject bad.
        unsafe { core::arch::asm!("ldmxcsr [{}]", in(reg) &upwards) };
    }
    x + x
}
