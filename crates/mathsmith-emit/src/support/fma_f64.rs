/// `a * b + c` rounded once: one instruction where the target has it, the same bits from integers where not.
#[inline(always)]
fn fma_f64(a: f64, b: f64, c: f64) -> f64 {
    #[cfg(all(target_arch = "x86_64", target_feature = "fma"))]
    {
        // SAFETY: compiled only for targets that have FMA.
        unsafe {
            let a = core::arch::x86_64::_mm_set_sd(a);
            let b = core::arch::x86_64::_mm_set_sd(b);
            let c = core::arch::x86_64::_mm_set_sd(c);
            core::arch::x86_64::_mm_cvtsd_f64(core::arch::x86_64::_mm_fmadd_sd(a, b, c))
        }
    }
    #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
    {
        // SAFETY: compiled only for targets that have NEON.
        unsafe {
            let a = core::arch::aarch64::vdup_n_f64(a);
            let b = core::arch::aarch64::vdup_n_f64(b);
            let c = core::arch::aarch64::vdup_n_f64(c);
            core::arch::aarch64::vget_lane_f64::<0>(core::arch::aarch64::vfma_f64(c, a, b))
        }
    }
    #[cfg(not(any(
        all(target_arch = "x86_64", target_feature = "fma"),
        all(target_arch = "aarch64", target_feature = "neon")
    )))]
    {
        // Significand with its top bit at 52, and exponent: |x| = m * 2^e.
        fn split(x: f64) -> (u128, i32) {
            let (m, e) = (x.to_bits() & ((1 << 52) - 1), ((x.to_bits() >> 52) & 0x7ff) as i32);
            if e == 0 {
                let s = m.leading_zeros() as i32 - 11;
                ((m << s) as u128, -1074 - s)
            } else {
                ((m | 1 << 52) as u128, e - 1075)
            }
        }
        // Shift to the right; what falls out is kept as one sticky bit.
        fn jam(m: u128, by: i32) -> u128 {
            if by == 0 {
                m
            } else if by < 128 {
                m >> by | (m << (128 - by) != 0) as u128
            } else {
                (m != 0) as u128
            }
        }
        let inf = f64::INFINITY.to_bits();
        let special = |x: f64| x.to_bits() << 1 == 0 || x.to_bits() & inf == inf;
        if special(a) || special(b) {
            return a * b + c;
        }
        // The product may overflow here and must not meet an infinity of the other sign.
        if c.to_bits() & inf == inf {
            return c;
        }
        if c == 0.0 {
            return a * b;
        }
        let ((ma, ea), (mb, eb), (mc, ec)) = (split(a), split(b), split(c));
        let negative = (a < 0.0) != (b < 0.0);
        // Product and addend with their top bits at 125 or 126, then on one exponent.
        let (mut p, mut q, mut e) = (ma * mb << 20, mc << 73, ea + eb - 20);
        let d = e - (ec - 73);
        if d >= 0 {
            q = jam(q, d);
        } else {
            p = jam(p, -d);
            e -= d;
        }
        let (mut r, sign) = if negative == (c < 0.0) {
            (p + q, negative)
        } else if p >= q {
            (p - q, negative)
        } else {
            (q - p, !negative)
        };
        if r == 0 {
            return 0.0;
        }
        let top = 127 - r.leading_zeros() as i32;
        let exponent = e + top;
        let mut drop = if exponent >= -1022 { top - 52 } else { -1074 - e };
        if drop > 100 {
            // So far below the last place that only the sticky bit matters.
            let by = drop - 100;
            r = jam(r, by);
            drop = 100;
        }
        let mut m = if drop <= 0 { r << -drop } else { r >> drop };
        if drop > 0 {
            let (rest, half) = (r & ((1 << drop) - 1), 1 << (drop - 1));
            m += (rest > half || (rest == half && m & 1 == 1)) as u128;
        }
        // A carry out of the significand moves into the exponent, as it should.
        let bits = if exponent >= -1022 { m as u64 + (((exponent + 1022) as u64) << 52) } else { m as u64 };
        f64::from_bits(if exponent > 1023 || bits > inf { inf } else { bits } | (sign as u64) << 63)
    }
}
