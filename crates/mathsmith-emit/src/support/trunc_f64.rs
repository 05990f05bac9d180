/// The integral part.
#[inline(always)]
fn trunc_f64(x: f64) -> f64 {
    let a = floor_f64(f64::from_bits(x.to_bits() & 0x7fff_ffff_ffff_ffff));
    f64::from_bits(a.to_bits() | x.to_bits() & 0x8000_0000_0000_0000)
}
