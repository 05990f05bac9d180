/// The nearest integer, ties to even: adding 2^23 leaves no room for a fraction.
#[inline(always)]
fn round_even_f32(x: f32) -> f32 {
    const SHIFT: f32 = 8388608.0;
    let a = f32::from_bits(x.to_bits() & 0x7fff_ffff);
    let r = if a < SHIFT { (a + SHIFT) - SHIFT } else { a };
    f32::from_bits(r.to_bits() | x.to_bits() & 0x8000_0000)
}
