/// The integral part.
#[inline(always)]
fn trunc_f32(x: f32) -> f32 {
    let a = floor_f32(f32::from_bits(x.to_bits() & 0x7fff_ffff));
    f32::from_bits(a.to_bits() | x.to_bits() & 0x8000_0000)
}
