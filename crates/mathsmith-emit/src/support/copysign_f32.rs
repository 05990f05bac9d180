/// Magnitude of `a`, sign of `b`.
#[inline(always)]
fn copysign_f32(a: f32, b: f32) -> f32 {
    f32::from_bits(a.to_bits() & 0x7fff_ffff | b.to_bits() & 0x8000_0000)
}
