//! What is seen of one block of results besides its errors: plain loops over lanes that vectorise.

use super::part::Swing;
use crate::block::{BLOCK, RefBlock, dispatched};
use crate::grid::Grid;

/// Lanes that extremes are split over.
const WIDTH: usize = 8;
/// `1 + 2^-50`, more than the roundings of a sum or difference.
const WIDER: f64 = 1.0 + 1.0 / (1u64 << 50) as f64;

/// The columns of a block, all of its length.
#[derive(Clone, Copy)]
pub(crate) struct Columns<'a> {
    pub y: &'a [f64],
    pub e: &'a [f64],
    pub scale: &'a [f64],
    pub rounded: &'a [f32],
}

impl<'a> Columns<'a> {
    pub(crate) fn of<S: Default>(block: &'a RefBlock<S>) -> Self {
        let n = block.len;
        Columns { y: &block.y[..n], e: &block.e[..n], scale: block.scale(), rounded: &block.rounded[..n] }
    }
}

/// Whether the class of a finite result is not that of a finite correctly rounded one.
#[inline(always)]
fn differs(c: f32, rounded: f32) -> bool {
    (rounded != 0.0) & ((c == 0.0) | ((c.to_bits() ^ rounded.to_bits()) >> 31 != 0))
}

/// Greatest and least `(c - y) / ulp` of fast lanes.
#[inline(always)]
fn swing(columns: Columns<'_>, c: &[f32]) -> Swing {
    let n = c.len();
    let (y, scale) = (&columns.y[..n], &columns.scale[..n]);
    // One extreme a loop: two kept side by side are shuffled into one register.
    let signed = |i: usize| (f64::from(c[i]) - y[i]) * scale[i];
    let (mut above, mut below) = ([f64::NEG_INFINITY; WIDTH], [f64::INFINITY; WIDTH]);
    let whole = n - n % WIDTH;
    for at in (0..whole).step_by(WIDTH) {
        for (k, above) in above.iter_mut().enumerate() {
            let s = signed(at + k);
            *above = if s > *above { s } else { *above };
        }
    }
    for at in (0..whole).step_by(WIDTH) {
        for (k, below) in below.iter_mut().enumerate() {
            let s = signed(at + k);
            *below = if s < *below { s } else { *below };
        }
    }
    for s in (whole..n).map(signed) {
        above[0] = if s > above[0] { s } else { above[0] };
        below[0] = if s < below[0] { s } else { below[0] };
    }
    Swing {
        above: above.into_iter().fold(f64::NEG_INFINITY, f64::max),
        below: below.into_iter().fold(f64::INFINITY, f64::min),
    }
}

/// Whether some result has another class than the correctly rounded one, or is not finite.
#[inline(always)]
fn stray(rounded: &[f32], c: &[f32]) -> bool {
    let rounded = &rounded[..c.len()];
    let mut found = 0u32;
    for i in 0..c.len() {
        let infinite = c[i].to_bits() & 0x7f80_0000 == 0x7f80_0000;
        found |= u32::from(differs(c[i], rounded[i]) | infinite);
    }
    found != 0
}

/// Whether some result moves, between neighbours, otherwise than their values certainly do.
///
/// With `|y - f| <= e` on both sides `f` rises certainly if `y2 - y1 > e1 + e2`; a difference and a sum of doubles are off
/// by a factor of at most `1 + 2^-53` each.
#[inline(always)]
fn unsettled(columns: Columns<'_>, c: &[f32]) -> bool {
    let n = c.len();
    let (y, e) = (&columns.y[..n], &columns.e[..n]);
    let mut open = 0u32;
    for i in 1..n {
        let (before, after) = (c[i - 1], c[i]);
        let rise = y[i] - y[i - 1];
        let room = (e[i] + e[i - 1]) * WIDER;
        let ok = (before == after) | ((after > before) & (rise > room)) | ((after < before) & (-rise > room));
        open |= u32::from(!ok);
    }
    open != 0
}

/// Least and greatest of some results; NaN is left out.
#[inline(always)]
fn ends(c: &[f32]) -> (f32, f32) {
    let (mut least, mut greatest) = ([f32::INFINITY; 2 * WIDTH], [f32::NEG_INFINITY; 2 * WIDTH]);
    let (groups, rest) = c.as_chunks::<{ 2 * WIDTH }>();
    for c in groups {
        for k in 0..2 * WIDTH {
            least[k] = if c[k] < least[k] { c[k] } else { least[k] };
        }
    }
    for c in groups {
        for k in 0..2 * WIDTH {
            greatest[k] = if c[k] > greatest[k] { c[k] } else { greatest[k] };
        }
    }
    for &c in rest {
        least[0] = if c < least[0] { c } else { least[0] };
        greatest[0] = if c > greatest[0] { c } else { greatest[0] };
    }
    (least.into_iter().fold(f32::INFINITY, f32::min), greatest.into_iter().fold(f32::NEG_INFINITY, f32::max))
}

/// Whether some results differ in their bits, all NaN being one, after the sign bit of the second ones was changed by
/// `sign`.
#[inline(always)]
fn differ(a: &[f32], b: &[f32], sign: u32) -> bool {
    let b = &b[..a.len()];
    let mut different = 0u32;
    for i in 0..a.len() {
        let equal = (a[i].to_bits() == b[i].to_bits() ^ sign) | (a[i].is_nan() & b[i].is_nan());
        different |= u32::from(!equal);
    }
    different != 0
}

/// Rounds results to the format in which they are judged.
#[inline(always)]
fn settle<G: Grid>(raw: &[f32], out: &mut [f32]) {
    for (out, &c) in out[..raw.len()].iter_mut().zip(raw) {
        *out = G::round(f64::from(c));
    }
}

/// Puts the correctly rounded result in the place of a zero where the value is certainly below the least normal number;
/// returns how often, and whether the bound leaves some lane open.
#[inline(always)]
fn flush<G: Grid>(columns: Columns<'_>, c: &mut [f32]) -> (u32, bool) {
    let n = c.len();
    let (y, e, rounded) = (&columns.y[..n], &columns.e[..n], &columns.rounded[..n]);
    let (mut flushed, mut open) = (0u32, 0u32);
    for i in 0..n {
        let zero = (c[i] == 0.0) & (rounded[i] != 0.0);
        let a = y[i].abs();
        let small = a + e[i] < G::MIN_NORMAL;
        open |= u32::from(zero & !small & (a - e[i] < G::MIN_NORMAL));
        flushed += u32::from(zero & small);
        c[i] = if zero & small { rounded[i] } else { c[i] };
    }
    (flushed, open != 0)
}

/// Lanes whose value is certainly normal, and lanes that are not certainly below the normal numbers.
#[inline(always)]
fn normal<G: Grid>(y: &[f64], e: &[f64]) -> (u32, u32) {
    let e = &e[..y.len()];
    let (mut sure, mut maybe) = (0u32, 0u32);
    for i in 0..y.len() {
        let a = y[i].abs();
        sure += u32::from(a - e[i] >= G::MIN_NORMAL);
        maybe += u32::from(a + e[i] >= G::MIN_NORMAL);
    }
    (sure, maybe)
}

dispatched!(pub(super) swing_fast = swing(columns: Columns<'_>, c: &[f32]) -> Swing);
dispatched!(pub(super) stray_fast = stray(rounded: &[f32], c: &[f32]) -> bool);
dispatched!(pub(super) unsettled_fast = unsettled(columns: Columns<'_>, c: &[f32]) -> bool);
dispatched!(pub(super) ends_fast = ends(c: &[f32]) -> (f32, f32));
dispatched!(pub(super) differ_fast = differ(a: &[f32], b: &[f32], sign: u32) -> bool);
dispatched!(pub(super) settle_fast = settle<G: Grid>(raw: &[f32], out: &mut [f32]) -> ());
dispatched!(pub(super) flush_fast = flush<G: Grid>(columns: Columns<'_>, c: &mut [f32]) -> (u32, bool));
dispatched!(pub(super) normal_fast = normal<G: Grid>(y: &[f64], e: &[f64]) -> (u32, u32));

/// Results of a block, padded.
pub(crate) type Results = [f32; BLOCK];
