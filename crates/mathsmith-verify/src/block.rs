//! The inner loops of a sweep: plain loops over blocks of lanes that vectorise, and the scalar look at the few lanes that
//! need one.
//!
//! **Margin.** The reference gives `y` with `|y - f| <= err`. Every derived quantity is computed in doubles with at most
//! four roundings of relative size 2^-53, so with `e = err + 2^-50 |y|` (`e = 0` where `err = 0`, as then every figure is
//! the correctly rounded one) the exact error of `c` lies between
//!
//! * `(d (1 - 2^-50) - e) / ulp(|y| + e)` and `(d (1 + 2^-50) + e) / ulp(|y| - e)` in ULP, `d = |c - y|`;
//! * `d (1 - 2^-50) - e'` and `d (1 + 2^-50) + e'` absolutely, with `e' = err (1 + 2^-50)`: no rounding here is relative to
//!   `y`, and where results grow without bound as the function comes nearer to a line, the difference is what tells;
//! * `q (1 ∓ 2^-50) ∓ w` relatively, with `q = d / |y|` and `w = |c| e / (|y| (|y| - e))`: `|c/f - 1|` changes by no more
//!   while `f` runs through `y - e .. y + e`. Where `c = 0` it is 1 exactly.
//!
//! Nothing here uses the number of bits of the format but `ulp` and rounding, so it holds for every [`Grid`] whose ulp is
//! no finer than that of `f32`: `y - e` and `y + e` are rounded to the format, and where the two differ MPFR decides; the
//! result `c` is a number of the format, hence exact. With flushed subnormals the correctly rounded result stands in for a
//! zero before anything is measured, where `|y| + e` is below the least normal number; MPFR decides where only `|y| - e`
//! is. A tolerance `t`, known to within `e_t`, bounds `|c - f| / t` by the absolute bounds over `t ± e_t`, each widened by
//! 2^-50 for the division; a result is beyond it if the lower bound exceeds 1, within it if the upper one does not, and a
//! matter for MPFR otherwise. The order of two values is that of `y1` and `y2` if they differ by more than `e1 + e2`.
//!
//! Two figures do without: the mean and the histogram (and the signed profile) take `ulp(y)`, which next to a power of two
//! may be twice `ulp(f)` where the bound leaves the binade of `f` open.
//!
//! A block is looked at lane by lane only if the largest upper bound it can hold exceeds the bar of the
//! [`Tracker`](crate::extreme::Tracker).
//! A lane is *slow* and goes to MPFR alone if `e` exceeds 2^-16 ULP, if `f` may overflow, or where there is no `f`; a
//! block on which `f` certainly overflows in one direction, or exists nowhere, is *uniform* and needs no figures where the
//! results agree.
//!
//! The same source is compiled three times (generic, AVX2, AVX-512) and chosen at run time; sums are split over eight
//! lanes in the source, so that each version adds in the same order.

#![expect(clippy::neg_cmp_op_on_partial_ord, reason = "a negated comparison is how NaN is kept on the careful side")]

use crate::checksum;
use crate::grid::Grid;
use crate::report::Histogram;
use crate::truth::Truth;

/// Lanes of a block.
pub const BLOCK: usize = 512;
/// Lanes that sums and maxima are split over.
const WIDTH: usize = 8;
/// 2^-50: covers the roundings of the figures themselves.
const SLACK: f64 = 1.0 / (1u64 << 50) as f64;

/// A lane that the fast path does not serve.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slow {
    pub lane: u16,
    /// Correctly rounded result; an infinity on overflow, NaN where undefined.
    pub rounded: f32,
    /// The value and its bound, as the reference gave them.
    pub y: f64,
    pub e: f64,
}

/// One block of inputs with everything about the reference that does not depend on a program.
///
/// Lanes beyond `len` and slow lanes are neutral: all of `y`, `e`, `scale`, `inverse`, `rounded` are 0.
pub(crate) struct RefBlock<S> {
    pub len: usize,
    pub x: Vec<f32>,
    pub xd: Vec<f64>,
    pub y: Vec<f64>,
    pub e: Vec<f64>,
    /// The bound as the reference gave it, widened for roundings that do not depend on `y`.
    narrow: Vec<f64>,
    scale: Vec<f64>,
    inverse: Vec<f64>,
    pub rounded: Vec<f32>,
    pub slow: Vec<Slow>,
    /// Where every value overflows in one direction, or none exists: the infinity or NaN. The lanes are then neither fast
    /// nor slow, and the other columns are as the reference gave them, until [`RefBlock::expand`].
    pub uniform: Option<f32>,
    bounds: Bounds,
    scratch: S,
}

/// What a block can add to the vectorised maxima.
#[derive(Clone, Copy, Default)]
struct Bounds {
    /// Of [`RefBlock::narrow`].
    max_e: f64,
    max_e_ulp: f64,
    /// Largest `e / |y|`.
    max_e_rel: f64,
    /// Some lane has `e > |y| / 2` or `y = 0`, so that relative errors are looked at lane by lane.
    near_zero: bool,
    /// Some lane's exponent is not decided, so its ulp may be half as large.
    straddles: bool,
    some_slow: bool,
    some_undecided: bool,
}

#[inline(always)]
fn prepare<G: Grid>(
    y: &[f64],
    err: &mut [f64],
    narrow: &mut [f64],
    scale: &mut [f64],
    inverse: &mut [f64],
    margin: f64,
) -> Bounds {
    let n = y.len();
    let (err, narrow, scale, inverse) = (&mut err[..n], &mut narrow[..n], &mut scale[..n], &mut inverse[..n]);
    let (mut slow, mut straddles, mut near_zero) = (0u64, 0u64, 0u64);
    let (mut max_e, mut max_u, mut max_r) = ([0f64; WIDTH], [0f64; WIDTH], [0f64; WIDTH]);
    let columns = y.chunks_exact(WIDTH).zip(err.chunks_exact_mut(WIDTH).zip(narrow.chunks_exact_mut(WIDTH)));
    let outputs = scale.chunks_exact_mut(WIDTH).zip(inverse.chunks_exact_mut(WIDTH));
    for ((y, (err, narrow)), (scale, inverse)) in columns.zip(outputs) {
        for k in 0..WIDTH {
            let a = y[k].abs();
            let b = err[k];
            // An infinite value keeps its bound, which then means something else.
            let e = if (b == 0.0) | (a == f64::INFINITY) { b } else { (b + a * SLACK) * margin };
            let s = G::inverse_ulp(a);
            let r = 1.0 / a;
            straddles |= s.to_bits() ^ G::inverse_ulp(a - e).to_bits();
            // Comparisons that are false for NaN.
            slow |= u64::from(!((e * s <= 1.0 / 65536.0) & (a + e < G::OVERFLOW)));
            let own = b * ((1.0 + SLACK) * margin);
            err[k] = e;
            narrow[k] = own;
            scale[k] = s;
            inverse[k] = r;
            max_e[k] = if own > max_e[k] { own } else { max_e[k] };
            max_u[k] = if e * s > max_u[k] { e * s } else { max_u[k] };
            near_zero |= u64::from(!(e * r <= 0.5));
            max_r[k] = if e * r > max_r[k] { e * r } else { max_r[k] };
        }
    }
    let mut b =
        Bounds { straddles: straddles != 0, near_zero: near_zero != 0, some_slow: slow != 0, ..Bounds::default() };
    for k in 0..WIDTH {
        b.max_e = b.max_e.max(max_e[k]);
        b.max_e_ulp = b.max_e_ulp.max(max_u[k]);
        b.max_e_rel = b.max_e_rel.max(max_r[k]);
    }
    b
}

#[inline(always)]
fn round<G: Grid>(y: &[f64], e: &[f64], rounded: &mut [f32]) -> bool {
    let (e, rounded) = (&e[..y.len()], &mut rounded[..y.len()]);
    let mut undecided = 0u32;
    for i in 0..y.len() {
        let (lo, hi) = (G::round(y[i] - e[i]), G::round(y[i] + e[i]));
        rounded[i] = hi;
        undecided |= u32::from(lo != hi);
    }
    undecided != 0
}

/// Lanes that certainly overflow upwards, that certainly overflow downwards, that certainly have no value.
///
/// An infinite value of bound `e` stands for at least `2^(1023 - e)`.
#[inline(always)]
fn count_beyond<G: Grid>(y: &[f64], e: &[f64]) -> [u32; 3] {
    let e = &e[..y.len()];
    let (mut up, mut down, mut none) = (0u32, 0u32, 0u32);
    for i in 0..y.len() {
        let a = y[i].abs();
        let infinite = (a == f64::INFINITY) & (e[i] < 800.0);
        let beyond = infinite | ((a < f64::INFINITY) & (a - e[i] >= G::OVERFLOW));
        up += u32::from(beyond & (y[i] > 0.0));
        down += u32::from(beyond & (y[i] < 0.0));
        none += u32::from(y[i].is_nan() & (e[i] == 0.0));
    }
    [up, down, none]
}

/// Figures of one program over one block.
#[derive(Clone, Copy, Default)]
struct Figures {
    max_d: f64,
    max_u: f64,
    max_q: f64,
    sum_u: f64,
    wrong: u32,
}

#[inline(always)]
fn check(x: &[f32], c: &[f32]) -> (u64, bool) {
    let c = &c[..x.len()];
    let (mut sum, mut odd) = (0u64, 0u32);
    for i in 0..x.len() {
        let bits = c[i].to_bits();
        odd |= u32::from(bits & 0x7f80_0000 == 0x7f80_0000);
        sum = sum.wrapping_add(checksum::term(x[i], c[i]));
    }
    (sum, odd != 0)
}

#[inline(always)]
fn compare(block: Lanes<'_>, c: &[f32], ulps: &mut [f64]) -> Figures {
    let n = c.len();
    let (y, scale, inverse) = (&block.y[..n], &block.scale[..n], &block.inverse[..n]);
    let (rounded, ulps) = (&block.rounded[..n], &mut ulps[..n]);
    let (mut max_d, mut max_u, mut max_q, mut sum) = ([0f64; WIDTH], [0f64; WIDTH], [0f64; WIDTH], [0f64; WIDTH]);
    let columns = c.chunks_exact(WIDTH).zip(y.chunks_exact(WIDTH));
    let factors = scale.chunks_exact(WIDTH).zip(inverse.chunks_exact(WIDTH));
    for (((c, y), (scale, inverse)), ulps) in columns.zip(factors).zip(ulps.chunks_exact_mut(WIDTH)) {
        for k in 0..WIDTH {
            let d = (f64::from(c[k]) - y[k]).abs();
            let (u, q) = (d * scale[k], d * inverse[k]);
            ulps[k] = u;
            sum[k] += u;
            max_d[k] = if d > max_d[k] { d } else { max_d[k] };
            max_u[k] = if u > max_u[k] { u } else { max_u[k] };
            max_q[k] = if q > max_q[k] { q } else { max_q[k] };
        }
    }
    let mut wrong = 0u32;
    for i in 0..n {
        wrong = wrong.wrapping_add(u32::from(c[i] != rounded[i]));
    }
    let mut f = Figures { wrong, ..Figures::default() };
    for k in 0..WIDTH {
        f.max_d = f.max_d.max(max_d[k]);
        f.max_u = f.max_u.max(max_u[k]);
        f.max_q = f.max_q.max(max_q[k]);
    }
    f.sum_u = ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
    f
}

#[inline(always)]
fn bins(ulps: &[f64], out: &mut [i32]) {
    let out = &mut out[..ulps.len()];
    for i in 0..ulps.len() {
        out[i] = Histogram::bin(ulps[i]) as i32;
    }
}

#[derive(Clone, Copy)]
struct Lanes<'a> {
    y: &'a [f64],
    scale: &'a [f64],
    inverse: &'a [f64],
    rounded: &'a [f32],
}

/// Compiles a loop for the processor's vector extensions and picks the widest at run time.
macro_rules! dispatched {
    ($vis:vis $name:ident = $inner:ident $(<$g:ident: $bound:ident>)? ($($arg:ident: $ty:ty),* $(,)?) -> $ret:ty) => {
        $vis fn $name $(<$g: $bound>)? ($($arg: $ty),*) -> $ret {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw,avx2,fma")]
                fn wide $(<$g: $bound>)? ($($arg: $ty),*) -> $ret {
                    $inner $(::<$g>)? ($($arg),*)
                }
                #[target_feature(enable = "avx2,fma")]
                fn medium $(<$g: $bound>)? ($($arg: $ty),*) -> $ret {
                    $inner $(::<$g>)? ($($arg),*)
                }
                if is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512bw")
                {
                    // SAFETY: the processor has the features that `wide` is compiled for.
                    return unsafe { wide $(::<$g>)? ($($arg),*) };
                }
                if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                    // SAFETY: the processor has the features that `medium` is compiled for.
                    return unsafe { medium $(::<$g>)? ($($arg),*) };
                }
            }
            $inner $(::<$g>)? ($($arg),*)
        }
    };
}
pub(crate) use dispatched;

dispatched!(prepare_fast = prepare<G: Grid>(
    y: &[f64], err: &mut [f64], narrow: &mut [f64], scale: &mut [f64], inverse: &mut [f64], margin: f64
) -> Bounds);
dispatched!(round_fast = round<G: Grid>(y: &[f64], e: &[f64], rounded: &mut [f32]) -> bool);
dispatched!(count_beyond_fast = count_beyond<G: Grid>(y: &[f64], e: &[f64]) -> [u32; 3]);
dispatched!(check_fast = check(x: &[f32], c: &[f32]) -> (u64, bool));
dispatched!(compare_fast = compare(block: Lanes<'_>, c: &[f32], ulps: &mut [f64]) -> Figures);
dispatched!(bins_fast = bins(ulps: &[f64], out: &mut [i32]) -> ());

fn padded(n: usize) -> usize {
    n.next_multiple_of(WIDTH)
}

impl<S: Default> RefBlock<S> {
    pub(crate) fn new() -> Self {
        RefBlock {
            len: 0,
            x: vec![0.0; BLOCK],
            xd: vec![0.0; BLOCK],
            y: vec![0.0; BLOCK],
            e: vec![0.0; BLOCK],
            narrow: vec![0.0; BLOCK],
            scale: vec![0.0; BLOCK],
            inverse: vec![0.0; BLOCK],
            rounded: vec![0.0; BLOCK],
            slow: Vec::new(),
            uniform: None,
            bounds: Bounds::default(),
            scratch: S::default(),
        }
    }

    /// Evaluates the reference at the first `len` inputs of `self.x`. `margin` scales the margin: 1 except in the test
    /// that shows what a margin is for. Returns how many inputs went to MPFR.
    pub(crate) fn load<T: Truth<Scratch = S>>(&mut self, truth: &T, len: usize, margin: f64) -> u64 {
        let n = padded(len);
        self.len = len;
        self.slow.clear();
        self.uniform = None;
        for (d, &x) in self.xd[..len].iter_mut().zip(&self.x) {
            *d = f64::from(x);
        }
        truth.fast_block(&self.xd[..len], &mut self.y[..len], &mut self.e[..len], &mut self.scratch);
        // Padding must not look slow while the loops run.
        self.y[len..n].fill(1.0);
        self.e[len..n].fill(0.0);
        self.bounds = prepare_fast::<T::Grid>(
            &self.y[..n],
            &mut self.e[..n],
            &mut self.narrow[..n],
            &mut self.scale[..n],
            &mut self.inverse[..n],
            margin,
        );
        if self.bounds.some_slow {
            let beyond = count_beyond_fast::<T::Grid>(&self.y[..len], &self.e[..len]);
            let all = beyond.iter().position(|&lanes| lanes as usize == len);
            self.uniform = all.map(|i| [f32::INFINITY, f32::NEG_INFINITY, f32::NAN][i]);
            if self.uniform.is_some() {
                return 0;
            }
        }
        self.bounds.some_undecided = round_fast::<T::Grid>(&self.y[..n], &self.e[..n], &mut self.rounded[..n]);
        for lane in len..n {
            self.neutralise(lane);
        }
        let mut judged = 0;
        if self.bounds.some_slow || self.bounds.some_undecided {
            judged = self.look_closer(truth);
        }
        judged
    }

    fn neutralise(&mut self, lane: usize) {
        for column in [&mut self.y, &mut self.e, &mut self.narrow, &mut self.scale, &mut self.inverse] {
            column[lane] = 0.0;
        }
        self.rounded[lane] = 0.0;
    }

    /// `1 / ulp` of each lane.
    pub(crate) fn scale(&self) -> &[f64] {
        &self.scale[..self.len]
    }

    /// Makes every lane of a uniform block a slow one.
    pub(crate) fn expand(&mut self) {
        let Some(rounded) = self.uniform.take() else { return };
        for lane in 0..self.len {
            self.slow.push(Slow { lane: lane as u16, rounded, y: self.y[lane], e: self.e[lane] });
        }
        for lane in 0..padded(self.len) {
            self.neutralise(lane);
        }
        self.bounds = Bounds::default();
    }

    /// Settles slow lanes and undecided roundings of the block one by one.
    fn look_closer<T: Truth<Scratch = S>>(&mut self, truth: &T) -> u64 {
        let mut judged = 0;
        let mut kept = Bounds { straddles: self.bounds.straddles, ..Bounds::default() };
        for lane in 0..self.len {
            let (a, e, s) = (self.y[lane].abs(), self.e[lane], self.scale[lane]);
            if (e * s <= 1.0 / 65536.0) & (a + e < T::Grid::OVERFLOW) {
                if T::Grid::round(self.y[lane] - e) != T::Grid::round(self.y[lane] + e) {
                    self.rounded[lane] = truth.round_f32(self.xd[lane]);
                    judged += 1;
                }
                kept.max_e = kept.max_e.max(self.narrow[lane]);
                kept.max_e_ulp = kept.max_e_ulp.max(e * s);
                let relative = e * self.inverse[lane];
                kept.max_e_rel = kept.max_e_rel.max(relative);
                kept.near_zero |= !(relative <= 0.5);
                continue;
            }
            // An infinite value of bound e stands for at least 2^(1023 - e).
            let rounded = if (a.is_finite() && a - e >= T::Grid::OVERFLOW) || (a.is_infinite() && e < 800.0) {
                f32::INFINITY.copysign(self.y[lane] as f32)
            } else if a.is_nan() && e == 0.0 {
                f32::NAN
            } else {
                judged += 1;
                truth.round_f32(self.xd[lane])
            };
            self.slow.push(Slow { lane: lane as u16, rounded, y: self.y[lane], e });
            self.neutralise(lane);
        }
        self.bounds = kept;
        judged
    }

    /// Bounds of the error in ULP of `c` at a lane.
    pub(crate) fn ulp_interval<G: Grid>(&self, lane: usize, c: f32) -> (f64, f64) {
        let (y, e) = (self.y[lane], self.e[lane]);
        let (d, a) = ((f64::from(c) - y).abs(), y.abs());
        if e == 0.0 {
            let u = d * self.scale[lane];
            return (u, u);
        }
        ((d * (1.0 - SLACK) - e).max(0.0) * G::inverse_ulp(a + e), (d * (1.0 + SLACK) + e) * G::inverse_ulp(a - e))
    }

    /// Bounds of the absolute error.
    pub(crate) fn abs_interval(&self, lane: usize, c: f32) -> (f64, f64) {
        abs_bounds(self.y[lane], self.narrow[lane], c)
    }

    /// Bounds of the relative error.
    pub(crate) fn rel_interval(&self, lane: usize, c: f32) -> (f64, f64) {
        rel_bounds(self.y[lane], self.e[lane], c)
    }
}

/// Bounds of `|c - f|` where `|y - f| <= e`.
pub(crate) fn abs_bounds(y: f64, e: f64, c: f32) -> (f64, f64) {
    let d = (f64::from(c) - y).abs();
    if e == 0.0 { (d, d) } else { ((d * (1.0 - SLACK) - e).max(0.0), d * (1.0 + SLACK) + e) }
}

/// Bounds of `|c / f - 1|` where `|y - f| <= e`.
pub(crate) fn rel_bounds(y: f64, e: f64, c: f32) -> (f64, f64) {
    let a = y.abs();
    let d = (f64::from(c) - y).abs();
    if e == 0.0 {
        let q = if d == 0.0 { 0.0 } else { d / a };
        return (q, q);
    }
    if c == 0.0 {
        return if a > e { (1.0, 1.0) } else { (0.0, 1.0) };
    }
    if !(e < 0.5 * a) {
        return (0.0, f64::INFINITY);
    }
    let (q, w) = (d / a, f64::from(c).abs() * e / (a * (a - e)) * (1.0 + SLACK * 1e6));
    ((q * (1.0 - SLACK) - w).max(0.0), q * (1.0 + SLACK) + w)
}

/// What one program did on one block.
#[derive(Default)]
pub(crate) struct Outcome {
    pub checksum: u64,
    /// Upper bounds of what any fast lane can have.
    pub top_ulp: f64,
    pub top_rel: f64,
    pub top_abs: f64,
    /// Largest error in ULP as the fast values show it, over fast lanes with a finite result.
    pub max_u: f64,
    pub sum_u: f64,
    pub wrong: u64,
    /// Lanes whose result is NaN or infinite though the reference is not; their results were replaced by the rounded
    /// reference, so that they add less than 1/2 ULP to the sums, which `sum_u` no longer holds.
    pub odd: Vec<u16>,
}

/// Working memory for [`judge`].
pub(crate) struct Work {
    pub ulps: Vec<f64>,
    bins: Vec<i32>,
}

impl Work {
    pub(crate) fn new() -> Self {
        Work { ulps: vec![0.0; BLOCK], bins: vec![0; BLOCK] }
    }
}

/// Whether all results are the infinity or NaN that a uniform block asks for.
pub(crate) fn agrees(rounded: f32, c: &[f32]) -> bool {
    let mut other = 0u32;
    for c in c {
        other |= u32::from(!((*c == rounded) | (c.is_nan() & rounded.is_nan())));
    }
    other == 0
}

/// The outcome of a uniform block whose results agree.
pub(crate) fn uniform_outcome<S>(block: &RefBlock<S>, c: &[f32]) -> Outcome {
    Outcome { checksum: check_fast(&block.x[..block.len], c).0, ..Outcome::default() }
}

/// Compares the results `c` (padded to a whole block) with the reference, fast lanes only. Results of slow and odd lanes
/// are overwritten.
pub(crate) fn judge<S: Default>(
    block: &RefBlock<S>,
    c: &mut [f32],
    work: &mut Work,
    histogram: &mut Histogram,
) -> Outcome {
    let (len, n) = (block.len, padded(block.len));
    let (checksum, some_odd) = check_fast(&block.x[..len], &c[..len]);
    c[len..n].fill(0.0);
    for s in &block.slow {
        c[usize::from(s.lane)] = 0.0;
    }
    let mut odd = Vec::new();
    if some_odd {
        for (lane, c) in c[..len].iter_mut().enumerate() {
            if !c.is_finite() {
                odd.push(lane as u16);
                *c = block.rounded[lane];
            }
        }
    }
    let lanes = Lanes { y: &block.y, scale: &block.scale, inverse: &block.inverse, rounded: &block.rounded };
    let mut f = compare_fast(lanes, &c[..n], &mut work.ulps);
    bins_fast(&work.ulps[..n], &mut work.bins);
    // Two tables, so that equal neighbours do not wait for each other's store.
    let mut counts = [[0u32; 64]; 2];
    for pair in work.bins[..n].chunks_exact(2) {
        for (table, &b) in counts.iter_mut().zip(pair) {
            let slot = &mut table[b as usize & 63];
            *slot = slot.wrapping_add(1);
        }
    }
    for (i, sum) in histogram.counts.iter_mut().enumerate() {
        *sum += u64::from(counts[0][i]) + u64::from(counts[1][i]);
    }
    // Neutral lanes counted as errorless.
    histogram.counts[0] -= (n - len + block.slow.len()) as u64;
    for &lane in &odd {
        let u = work.ulps[usize::from(lane)];
        histogram.counts[Histogram::bin(u)] -= 1;
        f.sum_u -= u;
    }
    let b = &block.bounds;
    let wide = 1.0 + 4.0 * SLACK;
    let top_rel = if b.near_zero && c[..n].iter().all(|&c| c == 0.0) {
        // What is not 0 has a zero as an approximation of relative error 1.
        1.0
    } else if b.near_zero {
        f64::INFINITY
    } else {
        (f.max_q + (f.max_q + 1.0) * 2.0 * b.max_e_rel) * wide
    };
    Outcome {
        checksum,
        top_ulp: (f.max_u + b.max_e_ulp) * wide * if b.straddles { 2.0 } else { 1.0 },
        top_rel,
        top_abs: (f.max_d + b.max_e) * wide,
        max_u: f.max_u,
        sum_u: f.sum_u,
        wrong: u64::from(f.wrong),
        odd,
    }
}
