//! The floating-point control register around foreign calls: rounding to nearest, subnormals kept or flushed.
//!
//! Every block of calls starts from a state that is set here, whatever a library's start-up code has left behind (objects
//! linked with `-ffast-math` turn flushing on while they are loaded), and ends with a look at what the subject has done to
//! it: a function that changes the rounding mode for its caller is not a function one can use.

/// Whether [`Calls::begin`] can flush subnormals on this machine.
pub(super) const CAN_FLUSH: bool = cfg!(any(target_arch = "x86_64", target_arch = "aarch64"));

/// A stretch of foreign calls under known control bits.
pub(super) struct Calls {
    before: u64,
    set: u64,
}

impl Calls {
    /// Sets rounding to nearest without traps, and flushing of subnormal arguments and results to zero if `ftz`.
    pub(super) fn begin(ftz: bool) -> Calls {
        let before = register::read();
        let set = if ftz { register::NEAREST | register::FLUSH } else { register::NEAREST };
        register::write(set);
        Calls { before, set }
    }

    /// Restores the state from before and says what of the control bits the calls had changed, if anything.
    pub(super) fn end(self) -> Option<String> {
        let after = register::read();
        register::write(self.before);
        let changed = (after ^ self.set) & register::CONTROL;
        let named = |&(bits, name): &(u64, &str)| (changed & bits != 0).then(|| name.to_string());
        let mut names: Vec<String> = register::PARTS.iter().filter_map(named).collect();
        if names.is_empty() && changed != 0 {
            names.push(format!("control bits {changed:#x}"));
        }
        (!names.is_empty()).then(|| names.join(" and "))
    }
}

/// MXCSR. Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1, section 10.2.3.
#[cfg(target_arch = "x86_64")]
mod register {
    use std::arch::asm;

    /// All exceptions masked, rounding to nearest.
    pub(super) const NEAREST: u64 = 0x1f80;
    /// Flush to zero, and denormals are zeros.
    pub(super) const FLUSH: u64 = 0x8040;
    /// Everything but the six sticky exception flags.
    pub(super) const CONTROL: u64 = 0xffc0;
    pub(super) const PARTS: [(u64, &str); 3] =
        [(0x6000, "the rounding mode"), (FLUSH, "flushing of subnormals"), (0x1f80, "the masks of exceptions")];

    pub(super) fn read() -> u64 {
        let mut value = 0u32;
        // SAFETY: stores the register into a local variable of its size.
        unsafe { asm!("stmxcsr [{}]", in(reg) &mut value, options(nostack, preserves_flags)) };
        value.into()
    }

    pub(super) fn write(value: u64) {
        let value = value as u32 & 0xffff;
        // SAFETY: loads the register from a local variable; the reserved bits 16 to 31 are zero, so it cannot fault.
        unsafe { asm!("ldmxcsr [{}]", in(reg) &value, options(nostack, preserves_flags)) };
    }
}

/// FPCR. Arm Architecture Reference Manual for A-profile, section C5.2.8.
#[cfg(target_arch = "aarch64")]
mod register {
    use std::arch::asm;

    pub(super) const NEAREST: u64 = 0;
    /// FZ: arguments and results of single and double precision.
    pub(super) const FLUSH: u64 = 1 << 24;
    /// FZ16, RMode, FZ, and the five trap enables and their extension.
    pub(super) const CONTROL: u64 = 0x01c8_9f00 | FLUSH;
    pub(super) const PARTS: [(u64, &str); 3] =
        [(0x00c0_0000, "the rounding mode"), (FLUSH, "flushing of subnormals"), (0x9f00, "the traps of exceptions")];

    pub(super) fn read() -> u64 {
        let value: u64;
        // SAFETY: reads a register that every program may read.
        unsafe { asm!("mrs {}, fpcr", out(reg) value, options(nostack, preserves_flags)) };
        value
    }

    pub(super) fn write(value: u64) {
        // SAFETY: FPCR may be written at any level; only defined bits are set.
        unsafe { asm!("msr fpcr, {}", in(reg) value, options(nostack, preserves_flags)) };
    }
}

/// Elsewhere the state is neither set nor checked.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod register {
    pub(super) const NEAREST: u64 = 0;
    pub(super) const FLUSH: u64 = 0;
    pub(super) const CONTROL: u64 = 0;
    pub(super) const PARTS: [(u64, &str); 0] = [];

    pub(super) fn read() -> u64 {
        0
    }

    pub(super) fn write(_: u64) {}
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;
    use std::hint::black_box;

    /// The least normal number halved, by an instruction that runs now.
    fn half_of_least() -> f32 {
        black_box(f32::MIN_POSITIVE) * black_box(0.5)
    }

    #[test]
    fn flushing_is_set_and_taken_back() {
        let calls = Calls::begin(true);
        let flushed = half_of_least();
        assert_eq!(calls.end(), None);
        assert_eq!(flushed, 0.0);
        assert!(half_of_least() > 0.0);
    }

    #[test]
    fn a_changed_rounding_mode_is_named() {
        let calls = Calls::begin(false);
        register::write(register::NEAREST | 0x6000);
        assert_eq!(calls.end().as_deref(), Some("the rounding mode"));
        assert_eq!(register::read() & 0x6000, 0);
    }
}
