//! Ai far from the origin, where a power series would need as many extra bits as the result has binades.
//!
//! With `zeta = (2/3) |x|^(3/2)` and `u_k = (6k-5)(6k-3)(6k-1) u_{k-1} / (216 k (2k-1))`, `u_0 = 1`:
//!
//! * `x > 0` (DLMF 9.7.5): `Ai(x) = exp(-zeta) / (2 sqrt(pi) x^(1/4)) * sum (-1)^k u_k / zeta^k`;
//! * `x < 0` (DLMF 9.7.9): `Ai(x) = (cos(zeta - pi/4) * sum (-1)^k u_2k / zeta^2k
//!   + sin(zeta - pi/4) * sum (-1)^k u_(2k+1) / zeta^(2k+1)) / (sqrt(pi) |x|^(1/4))`.
//!
//! The remainder of each sum is at most the first neglected term (DLMF 9.7(iii)), which is added as an interval; the
//! series is used only where that term falls below the working precision.

use crate::enclosure::Enclosure;
use rug::Float;
use rug::float::{Constant, Round};

/// Ai(x) to about `p` bits, or `None` where the expansion does not reach that precision.
pub(crate) fn asymptotic(x: &Float, p: u32) -> Option<Enclosure> {
    if !x.is_finite() {
        return None;
    }
    // The smallest term is near exp(-2 zeta): 2 zeta / ln 2 bits, and zeta = 2/3 |x|^1.5.
    let size = x.to_f64().abs();
    if 1.9 * size * size.sqrt() < f64::from(p) + 40.0 {
        return None;
    }
    // The circular functions of zeta lose as many bits as zeta has before its point.
    let w = p + 32 + 2 * x.get_exp().unwrap_or(0).max(0) as u32;
    let a = Enclosure::point(x.clone()).abs();
    let root = monotone(&a, w, |v, round| Float::with_val_round(w, v.sqrt_ref(), round).0);
    let quarter = monotone(&root, w, |v, round| Float::with_val_round(w, v.sqrt_ref(), round).0);
    let zeta = a.mul(&root, w).mul(&Enclosure::int(2), w).div(&Enclosure::int(3), w);
    let root_pi = {
        let pi = Enclosure::new(
            Float::with_val_round(w, Constant::Pi, Round::Down).0,
            Float::with_val_round(w, Constant::Pi, Round::Up).0,
        );
        monotone(&pi, w, |v, round| Float::with_val_round(w, v.sqrt_ref(), round).0)
    };
    let (even, odd) = sums(&zeta, p, w, x.is_sign_negative())?;
    let scale = root_pi.mul(&quarter, w);
    let y = if x.is_sign_positive() {
        let decay = crate::function::unary(crate::function::Unary::Exp, &zeta.neg(), w, false);
        // With alternate signs of successive terms the two partial sums only need adding.
        decay.mul(&even.add(&odd, w), w).div(&scale.mul(&Enclosure::int(2), w), w)
    } else {
        use crate::function::{Unary, unary};
        let quarter_pi = {
            let pi = root_pi.mul(&root_pi, w);
            pi.div(&Enclosure::int(4), w)
        };
        let phase = zeta.sub(&quarter_pi, w);
        let c = unary(Unary::Cos, &phase, w, false).mul(&even, w);
        let s = unary(Unary::Sin, &phase, w, false).mul(&odd, w);
        c.add(&s, w).div(&scale, w)
    };
    let lo = Float::with_val_round(p, &y.lo, Round::Down).0;
    let hi = Float::with_val_round(p, &y.hi, Round::Up).0;
    Some(Enclosure::new(lo, hi))
}

fn monotone(a: &Enclosure, _p: u32, f: impl Fn(&Float, Round) -> Float) -> Enclosure {
    Enclosure::new(f(&a.lo, Round::Down), f(&a.hi, Round::Up))
}

/// The sums of even and of odd terms with their remainders. For negative `x` each alternates by itself; for positive
/// `x` term `k` has the sign `(-1)^k`.
fn sums(zeta: &Enclosure, p: u32, w: u32, negative: bool) -> Option<(Enclosure, Enclosure)> {
    let mut parts = [Enclosure::int(1), Enclosure::int(0)];
    let mut term = Enclosure::int(1);
    let mut small = 0;
    for k in 1..i32::MAX / 8 {
        let n = i64::from(k);
        let num = Float::with_val(160, (6 * n - 5) * (6 * n - 3)) * Float::with_val(64, 6 * n - 1);
        let den = Float::with_val(64, 216 * n * (2 * n - 1));
        let next = term.mul(&Enclosure::point(num), w).div(&Enclosure::point(den), w).div(zeta, w);
        if next.hi > term.hi {
            return None;
        }
        term = next;
        let slot = (k % 2) as usize;
        let done = term.hi.get_exp().unwrap_or(i32::MIN) < -(p as i32) - 16;
        if done {
            // First neglected term of this sum, as an interval on both sides.
            let bound = Enclosure::new(-term.hi.clone(), term.hi.clone());
            parts[slot] = parts[slot].add(&bound, w);
            small += 1;
            if small == 2 {
                let [even, odd] = parts;
                return Some((even, odd));
            }
            continue;
        }
        let minus = if negative { (k / 2) % 2 == 1 } else { k % 2 == 1 };
        parts[slot] = if minus { parts[slot].sub(&term, w) } else { parts[slot].add(&term, w) };
    }
    None
}
