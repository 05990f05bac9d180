/// Magnitude of `a`, sign of `b`.
#[inline(always)]
fn copysign_f64(a: f64, b: f64) -> f64 {
    f64::from_bits(a.to_bits() & 0x7fff_ffff_ffff_ffff | b.to_bits() & 0x8000_0000_0000_0000)
}
