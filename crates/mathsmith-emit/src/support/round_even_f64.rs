/// The nearest integer, ties to even: adding 2^52 leaves no room for a fraction.
#[inline(always)]
fn round_even_f64(x: f64) -> f64 {
    const SHIFT: f64 = 4503599627370496.0;
    let a = f64::from_bits(x.to_bits() & 0x7fff_ffff_ffff_ffff);
    let r = if a < SHIFT { (a + SHIFT) - SHIFT } else { a };
    f64::from_bits(r.to_bits() | x.to_bits() & 0x8000_0000_0000_0000)
}
