//! The inner loops: forward and reverse passes over blocks of 32 nodes, and orthogonalisation.
//!
//! Every slot of a tape holds one block, so that each instruction is one loop over 32 independent lanes. The same
//! source is compiled for the baseline and for AVX2 with FMA and chosen at run time (AVX-512 was measured and gained
//! nothing). Both give the same bits: a fused operation occurs only where `mul_add` is written, and sums run in eight
//! fixed lanes that are added in a fixed order.

#![allow(clippy::needless_range_loop, reason = "lanes are indexed as the formulas are")]

use crate::tape::{Code, Ins};
use crate::{Dd, Tape};

/// Nodes in a block.
pub(crate) const LANES: usize = 32;

/// One value at 32 nodes.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(crate) struct Block<T>(pub [T; LANES]);

impl<T: Copy> Block<T> {
    pub(crate) fn splat(x: T) -> Self {
        Block([x; LANES])
    }
}

/// The instruction sets the loops are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// Whatever the target guarantees; `mul_add` is a library call here.
    Baseline,
    /// AVX2 and FMA.
    #[cfg(target_arch = "x86_64")]
    Avx2,
}

impl Level {
    /// The levels this machine can run, best last.
    pub(crate) fn available() -> Vec<Level> {
        #[allow(unused_mut)]
        let mut levels = vec![Level::Baseline];
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            levels.push(Level::Avx2);
        }
        levels
    }
}

/// Compiles a generic kernel once for each level and dispatches on `level`.
macro_rules! dispatched {
    ($(#[$doc:meta])* $name:ident, $avx2:ident = $generic:ident($($arg:ident: $ty:ty),* $(,)?) -> $ret:ty) => {
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma")]
        fn $avx2($($arg: $ty),*) -> $ret {
            $generic($($arg),*)
        }
        $(#[$doc])*
        pub(crate) fn $name(level: Level, $($arg: $ty),*) -> $ret {
            match level {
                Level::Baseline => $generic($($arg),*),
                // SAFETY: `Level::available` hands out this level only where AVX2 and FMA were detected.
                #[cfg(target_arch = "x86_64")]
                Level::Avx2 => unsafe { $avx2($($arg),*) },
            }
        }
    };
}

dispatched! {
    /// Runs the instructions over every block in doubles. `values` holds `tape.slots` blocks for each block of nodes.
    forward, forward_avx2 = forward_f64(tape: &Tape, values: &mut [Block<f64>]) -> ()
}
dispatched! {
    /// [`forward`] in double-doubles.
    forward_dd, forward_dd_avx2 = forward_double(tape: &Tape, values: &mut [Block<Dd>]) -> ()
}
dispatched! {
    /// Weighted residuals `((p - target) - target_lo) * weight` of the values left by [`forward`].
    /// Returns the sum of squares and the sum of `(p * weight)^2`.
    residual, residual_avx2 = residual_generic(
        tape: &Tape, values: &[Block<f64>], target: &[Block<f64>], target_lo: &[Block<f64>], weight: &[Block<f64>],
        out: &mut [Block<f64>],
    ) -> (f64, f64)
}
dispatched! {
    /// Weighted derivatives for each free parameter, column after column, by a reverse pass over the values left by
    /// [`forward`]. `adjoint` holds `tape.slots` blocks of scratch.
    jacobian, jacobian_avx2 = jacobian_f64(
        tape: &Tape, values: &[Block<f64>], weight: &[Block<f64>], adjoint: &mut [Block<f64>], out: &mut [Block<f64>],
    ) -> ()
}
dispatched! {
    /// [`jacobian`] in double-doubles, over the values left by [`forward_dd`].
    jacobian_dd, jacobian_dd_avx2 = jacobian_double(
        tape: &Tape, values: &[Block<Dd>], weight: &[Block<f64>], adjoint: &mut [Block<Dd>], out: &mut [Block<Dd>],
    ) -> ()
}
dispatched! {
    /// Scales each column to length one; returns nothing. `norms[j]` receives the length, `slopes[j]` the product of the
    /// unscaled column with `residual`. A column without a finite positive length is left as it is.
    scale, scale_avx2 = scale_generic(
        columns: &mut [Block<f64>], residual: &[Block<f64>], norms: &mut [f64], slopes: &mut [f64],
    ) -> ()
}
dispatched! {
    /// Modified Gram-Schmidt in place: `columns` becomes orthonormal, `r` (row-major, p x p) the triangle and `z` the
    /// components of `rhs`, which is overwritten by what remains of it. A column that depends on earlier ones gets a
    /// zero row.
    orthogonalise, orthogonalise_avx2 = orthogonalise_f64(
        columns: &mut [Block<f64>], rhs: &mut [Block<f64>], r: &mut [f64], z: &mut [f64],
    ) -> ()
}
dispatched! {
    /// [`orthogonalise`] in double-doubles.
    orthogonalise_dd, orthogonalise_dd_avx2 = orthogonalise_double(
        columns: &mut [Block<Dd>], rhs: &mut [Block<Dd>], r: &mut [Dd], z: &mut [Dd],
    ) -> ()
}

/// What a slot can hold: doubles or double-doubles.
trait Lane: Copy {
    fn add(self, b: Self) -> Self;
    fn sub(self, b: Self) -> Self;
    fn mul(self, b: Self) -> Self;
    fn div(self, b: Self) -> Self;
    fn fma(self, b: Self, c: Self) -> Self;
    fn neg(self) -> Self;
    fn abs(self) -> Self;
    fn sqrt(self) -> Self;
    fn floor(self) -> Self;
    fn ceil(self) -> Self;
    fn round_even(self) -> Self;
    fn trunc(self) -> Self;
    fn lt(self, b: Self) -> bool;
    fn eq(self, b: Self) -> bool;
    fn real(x: f64) -> Self;
    /// A column of length one that keeps less than this after projection is taken to depend on the earlier ones.
    const DEPENDENT: f64;
    /// The leading double: its sign and its being zero decide for the whole value.
    fn head(self) -> f64;
}

macro_rules! lane {
    ($t:ty, $fma:expr, $round:expr, $lt:expr, $real:expr, $head:expr, $dependent:expr) => {
        impl Lane for $t {
            #[inline(always)]
            fn add(self, b: Self) -> Self {
                self + b
            }
            #[inline(always)]
            fn sub(self, b: Self) -> Self {
                self - b
            }
            #[inline(always)]
            fn mul(self, b: Self) -> Self {
                self * b
            }
            #[inline(always)]
            fn div(self, b: Self) -> Self {
                self / b
            }
            #[inline(always)]
            fn fma(self, b: Self, c: Self) -> Self {
                $fma(self, b, c)
            }
            #[inline(always)]
            fn neg(self) -> Self {
                -self
            }
            #[inline(always)]
            fn abs(self) -> Self {
                <$t>::abs(self)
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                <$t>::sqrt(self)
            }
            #[inline(always)]
            fn floor(self) -> Self {
                <$t>::floor(self)
            }
            #[inline(always)]
            fn ceil(self) -> Self {
                <$t>::ceil(self)
            }
            #[inline(always)]
            fn round_even(self) -> Self {
                $round(self)
            }
            #[inline(always)]
            fn trunc(self) -> Self {
                <$t>::trunc(self)
            }
            #[inline(always)]
            fn lt(self, b: Self) -> bool {
                $lt(self, b)
            }
            #[inline(always)]
            fn eq(self, b: Self) -> bool {
                self == b
            }
            #[inline(always)]
            fn real(x: f64) -> Self {
                $real(x)
            }
            const DEPENDENT: f64 = $dependent;
            #[inline(always)]
            fn head(self) -> f64 {
                $head(self)
            }
        }
    };
}
lane!(f64, f64::mul_add, f64::round_ties_even, |a: f64, b: f64| a < b, |t: f64| t, |x: f64| x, 1e-15);
lane!(Dd, Dd::mul_add, Dd::round_ties_even, Dd::lt, Dd::from, |x: Dd| x.hi, 1e-30);

#[inline(always)]
fn truth<T: Lane>(b: bool) -> T {
    T::real(if b { 1.0 } else { 0.0 })
}

#[inline(always)]
fn forward_f64(tape: &Tape, values: &mut [Block<f64>]) {
    forward_generic(tape, values);
}

#[inline(always)]
fn forward_double(tape: &Tape, values: &mut [Block<Dd>]) {
    forward_generic(tape, values);
}

#[inline(always)]
fn forward_generic<T: Lane>(tape: &Tape, values: &mut [Block<T>]) {
    for block in values.chunks_exact_mut(tape.slots) {
        for ins in &tape.ins {
            step(ins, block);
        }
    }
}

/// One instruction of the forward pass.
#[inline(always)]
fn step<T: Lane>(ins: &Ins, block: &mut [Block<T>]) {
    let (args, rest) = block.split_at_mut(usize::from(ins.out));
    let o = &mut rest[0].0;
    let a = &args[usize::from(ins.a)].0;
    let b = &args[usize::from(ins.b)].0;
    let c = &args[usize::from(ins.c)].0;
    macro_rules! each {
        ($i:ident => $e:expr) => {
            for $i in 0..LANES {
                o[$i] = $e;
            }
        };
    }
    match ins.code {
        Code::Add => each!(i => a[i].add(b[i])),
        Code::Sub => each!(i => a[i].sub(b[i])),
        Code::Mul => each!(i => a[i].mul(b[i])),
        Code::Div => each!(i => a[i].div(b[i])),
        Code::Fma => each!(i => a[i].fma(b[i], c[i])),
        Code::Neg => each!(i => a[i].neg()),
        Code::Abs => each!(i => a[i].abs()),
        Code::Min => each!(i => if a[i].lt(b[i]) { a[i] } else { b[i] }),
        Code::Max => each!(i => if b[i].lt(a[i]) { a[i] } else { b[i] }),
        Code::Sqrt => each!(i => a[i].sqrt()),
        Code::Sign => each!(i => {
            let h = a[i].head();
            let one = T::real(1.0);
            if h > 0.0 { one } else if h < 0.0 { one.neg() } else { a[i] }
        }),
        Code::Floor => each!(i => a[i].floor()),
        Code::Ceil => each!(i => a[i].ceil()),
        Code::RoundEven => each!(i => a[i].round_even()),
        Code::Trunc => each!(i => a[i].trunc()),
        Code::CopySign => each!(i => {
            let same = a[i].head().is_sign_negative() == b[i].head().is_sign_negative();
            if same { a[i] } else { a[i].neg() }
        }),
        Code::Eq => each!(i => truth(a[i].eq(b[i]))),
        Code::Ne => each!(i => truth(!a[i].eq(b[i]))),
        Code::Lt => each!(i => truth(a[i].lt(b[i]))),
        Code::Le => each!(i => truth(a[i].lt(b[i]) || a[i].eq(b[i]))),
        Code::Gt => each!(i => truth(b[i].lt(a[i]))),
        Code::Ge => each!(i => truth(b[i].lt(a[i]) || a[i].eq(b[i]))),
        Code::Select => each!(i => if a[i].head() != 0.0 { b[i] } else { c[i] }),
        Code::And => each!(i => truth(a[i].head() != 0.0 && b[i].head() != 0.0)),
        Code::Or => each!(i => truth(a[i].head() != 0.0 || b[i].head() != 0.0)),
        Code::Xor => each!(i => truth((a[i].head() != 0.0) != (b[i].head() != 0.0))),
        Code::Not => each!(i => truth(a[i].head() == 0.0)),
    }
}

#[inline(always)]
fn residual_generic(
    tape: &Tape,
    values: &[Block<f64>],
    target: &[Block<f64>],
    target_lo: &[Block<f64>],
    weight: &[Block<f64>],
    out: &mut [Block<f64>],
) -> (f64, f64) {
    let (mut squares, mut sizes) = ([0.0; 8], [0.0; 8]);
    for (k, o) in out.iter_mut().enumerate() {
        let p = &values[k * tape.slots + tape.out].0;
        let (t, l, w) = (&target[k].0, &target_lo[k].0, &weight[k].0);
        for i in 0..LANES {
            o.0[i] = ((p[i] - t[i]) - l[i]) * w[i];
        }
        for i in (0..LANES).step_by(8) {
            for j in 0..8 {
                squares[j] += o.0[i + j] * o.0[i + j];
                let size = p[i + j] * w[i + j];
                sizes[j] += size * size;
            }
        }
    }
    (fold(squares), fold(sizes))
}

#[inline(always)]
fn jacobian_f64(
    tape: &Tape,
    values: &[Block<f64>],
    weight: &[Block<f64>],
    adjoint: &mut [Block<f64>],
    out: &mut [Block<f64>],
) {
    jacobian_generic(tape, values, weight, adjoint, out);
}

#[inline(always)]
fn jacobian_double(
    tape: &Tape,
    values: &[Block<Dd>],
    weight: &[Block<f64>],
    adjoint: &mut [Block<Dd>],
    out: &mut [Block<Dd>],
) {
    jacobian_generic(tape, values, weight, adjoint, out);
}

#[inline(always)]
fn jacobian_generic<T: Lane>(
    tape: &Tape,
    values: &[Block<T>],
    weight: &[Block<f64>],
    adjoint: &mut [Block<T>],
    out: &mut [Block<T>],
) {
    let blocks = weight.len();
    for (k, w) in weight.iter().enumerate() {
        let v = &values[k * tape.slots..][..tape.slots];
        for (slot, on) in adjoint.iter_mut().zip(&tape.active) {
            if *on {
                slot.0 = [T::real(0.0); LANES];
            }
        }
        if tape.active[tape.out] {
            for i in 0..LANES {
                adjoint[tape.out].0[i] = T::real(w.0[i]);
            }
        }
        for ins in tape.ins.iter().rev() {
            if tape.active[usize::from(ins.out)] {
                back(ins, v, adjoint);
            }
        }
        for (j, &p) in tape.free.iter().enumerate() {
            out[j * blocks + k] = adjoint[tape.inputs + p];
        }
    }
}

/// One instruction of the reverse pass: adds what the result's adjoint contributes to the arguments'. Where a
/// derivative jumps (abs, min, max, select) it is that of the branch taken.
#[inline(always)]
fn back<T: Lane>(ins: &Ins, v: &[Block<T>], adjoint: &mut [Block<T>]) {
    let (args, rest) = adjoint.split_at_mut(usize::from(ins.out));
    let g = &rest[0].0;
    let (a, b, c) = (usize::from(ins.a), usize::from(ins.b), usize::from(ins.c));
    let (va, vb, vo) = (&v[a].0, &v[b].0, &v[usize::from(ins.out)].0);
    let [on_a, on_b, on_c] = ins.active;
    let zero = T::real(0.0);
    macro_rules! to {
        ($on:expr, $slot:expr, $i:ident => $e:expr) => {
            if $on {
                let d = &mut args[$slot].0;
                for $i in 0..LANES {
                    d[$i] = d[$i].add($e);
                }
            }
        };
    }
    match ins.code {
        Code::Add => {
            to!(on_a, a, i => g[i]);
            to!(on_b, b, i => g[i]);
        }
        Code::Sub => {
            to!(on_a, a, i => g[i]);
            to!(on_b, b, i => g[i].neg());
        }
        Code::Mul => {
            to!(on_a, a, i => g[i].mul(vb[i]));
            to!(on_b, b, i => g[i].mul(va[i]));
        }
        Code::Div => {
            let mut t = [zero; LANES];
            for i in 0..LANES {
                t[i] = g[i].div(vb[i]);
            }
            to!(on_a, a, i => t[i]);
            to!(on_b, b, i => t[i].mul(vo[i]).neg());
        }
        Code::Fma => {
            to!(on_a, a, i => g[i].mul(vb[i]));
            to!(on_b, b, i => g[i].mul(va[i]));
            to!(on_c, c, i => g[i]);
        }
        Code::Neg => to!(on_a, a, i => g[i].neg()),
        Code::Abs => to!(on_a, a, i => if va[i].head() < 0.0 { g[i].neg() } else { g[i] }),
        Code::Min => {
            to!(on_a, a, i => if va[i].lt(vb[i]) { g[i] } else { zero });
            to!(on_b, b, i => if va[i].lt(vb[i]) { zero } else { g[i] });
        }
        Code::Max => {
            to!(on_a, a, i => if vb[i].lt(va[i]) { g[i] } else { zero });
            to!(on_b, b, i => if vb[i].lt(va[i]) { zero } else { g[i] });
        }
        Code::Sqrt => to!(on_a, a, i => g[i].mul(T::real(0.5)).div(vo[i])),
        Code::CopySign => to!(on_a, a, i => {
            let same = va[i].head().is_sign_negative() == vb[i].head().is_sign_negative();
            if same { g[i] } else { g[i].neg() }
        }),
        Code::Select => {
            to!(on_b, b, i => if va[i].head() != 0.0 { g[i] } else { zero });
            to!(on_c, c, i => if va[i].head() != 0.0 { zero } else { g[i] });
        }
        // Piecewise constant: nothing flows back (and the tape marks them inactive).
        Code::Sign | Code::Floor | Code::Ceil | Code::RoundEven | Code::Trunc => {}
        Code::Eq | Code::Ne | Code::Lt | Code::Le | Code::Gt | Code::Ge => {}
        Code::And | Code::Or | Code::Xor | Code::Not => {}
    }
}

/// Sum of eight lanes in a fixed order.
#[inline(always)]
fn fold<T: Lane>(s: [T; 8]) -> T {
    (s[0].add(s[4]).add(s[2].add(s[6]))).add(s[1].add(s[5]).add(s[3].add(s[7])))
}

#[inline(always)]
fn dot<T: Lane>(a: &[Block<T>], b: &[Block<T>]) -> T {
    let mut s = [T::real(0.0); 8];
    for (a, b) in a.iter().zip(b) {
        for i in (0..LANES).step_by(8) {
            for j in 0..8 {
                s[j] = s[j].add(a.0[i + j].mul(b.0[i + j]));
            }
        }
    }
    fold(s)
}

#[inline(always)]
fn scale_generic(columns: &mut [Block<f64>], residual: &[Block<f64>], norms: &mut [f64], slopes: &mut [f64]) {
    for (j, column) in columns.chunks_exact_mut(residual.len()).enumerate() {
        slopes[j] = dot(column, residual);
        norms[j] = dot(column, column).sqrt();
        if norms[j] > 0.0 && norms[j].is_finite() {
            let inv = 1.0 / norms[j];
            for block in column {
                for x in &mut block.0 {
                    *x *= inv;
                }
            }
        }
    }
}

#[inline(always)]
fn orthogonalise_f64(columns: &mut [Block<f64>], rhs: &mut [Block<f64>], r: &mut [f64], z: &mut [f64]) {
    orthogonalise_generic(columns, rhs, r, z);
}

#[inline(always)]
fn orthogonalise_double(columns: &mut [Block<Dd>], rhs: &mut [Block<Dd>], r: &mut [Dd], z: &mut [Dd]) {
    orthogonalise_generic(columns, rhs, r, z);
}

#[inline(always)]
fn orthogonalise_generic<T: Lane>(columns: &mut [Block<T>], rhs: &mut [Block<T>], r: &mut [T], z: &mut [T]) {
    let (m, p) = (rhs.len(), z.len());
    let zero = T::real(0.0);
    for k in 0..p {
        let (head, tail) = columns.split_at_mut((k + 1) * m);
        let q = &mut head[k * m..];
        let norm = dot(q, q).sqrt();
        if norm.head().is_nan() || norm.head() <= T::DEPENDENT {
            r[k * p..(k + 1) * p].fill(zero);
            z[k] = zero;
            continue;
        }
        r[k * p + k] = norm;
        let inv = T::real(1.0).div(norm);
        for block in q.iter_mut() {
            for x in &mut block.0 {
                *x = x.mul(inv);
            }
        }
        for (j, column) in tail.chunks_exact_mut(m).enumerate() {
            r[k * p + k + 1 + j] = project_out(q, column);
        }
        z[k] = project_out(q, rhs);
    }
}

/// Removes from `v` its component along the unit column `q` and returns it.
#[inline(always)]
fn project_out<T: Lane>(q: &[Block<T>], v: &mut [Block<T>]) -> T {
    let s = dot(q, v);
    for (q, v) in q.iter().zip(v) {
        for i in 0..LANES {
            v.0[i] = v.0[i].sub(s.mul(q.0[i]));
        }
    }
    s
}
