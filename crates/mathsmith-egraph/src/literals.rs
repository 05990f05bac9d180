//! Operations on literals.

use crate::lang::Arith;
use crate::rules::RuleClass;
use mathsmith_ir::{Literal, RealLit, Type};

macro_rules! arithmetic {
    ($(#[$doc:meta])* $name:ident, $t:ty) => {
        $(#[$doc])*
        pub fn $name(op: Arith, v: &[$t]) -> $t {
            match op {
                Arith::Add => v[0] + v[1],
                Arith::Sub => v[0] - v[1],
                Arith::Mul => v[0] * v[1],
                Arith::Div => v[0] / v[1],
                Arith::Min if v[0] < v[1] => v[0],
                Arith::Max if v[0] > v[1] => v[0],
                Arith::Min | Arith::Max => v[1],
                Arith::Fma => v[0].mul_add(v[1], v[2]),
                Arith::Fms => v[0].mul_add(v[1], -v[2]),
                Arith::Fnma => (-v[0]).mul_add(v[1], v[2]),
                Arith::Fnms => (-v[0]).mul_add(v[1], -v[2]),
                Arith::Neg => -v[0],
                Arith::Abs => v[0].abs(),
                Arith::Sqrt => v[0].sqrt(),
            }
        }
    };
}
arithmetic! {
    /// The operation on doubles, as the IR defines it: `fma` rounds once, `min` and `max` return the second of two equals.
    compute, f64
}
arithmetic! {
    /// [`compute`] on `f32`.
    compute_f32, f32
}

/// The literal that `op` makes of literals of one float type; `None` where it is NaN, where the type is not a float
/// type, or where it would lose something: over the reals (class `Real`, or type `real`) only exact results count.
pub fn fold(op: Arith, args: &[Literal], class: RuleClass) -> Option<Literal> {
    let ty = args.first()?.ty();
    if class == RuleClass::Exact && ty == Type::F32 {
        let mut v = [0.0; 3];
        for (slot, a) in v.iter_mut().zip(args) {
            let Literal::F32(x) = a else { return None };
            *slot = *x;
        }
        let x = compute_f32(op, &v);
        return (!x.is_nan()).then_some(Literal::F32(x));
    }
    let mut v = [0.0; 3];
    for (slot, a) in v.iter_mut().zip(args) {
        *slot = match a {
            Literal::Real(RealLit([x, 0.0, 0.0])) => *x,
            Literal::F32(x) => f64::from(*x),
            Literal::F64(x) => *x,
            _ => return None,
        };
    }
    let v = &v[..args.len()];
    if class == RuleClass::Exact && ty == Type::F64 {
        let x = compute(op, v);
        return (!x.is_nan()).then_some(Literal::F64(x));
    }
    let exact = match op {
        Arith::Fma | Arith::Fms | Arith::Fnma | Arith::Fnms => {
            let p = exact(Arith::Mul, &v[..2])?;
            let (p, c) = match op {
                Arith::Fma => (p, v[2]),
                Arith::Fms => (p, -v[2]),
                Arith::Fnma => (-p, v[2]),
                _ => (-p, -v[2]),
            };
            exact(Arith::Add, &[p, c])?
        }
        op => exact(op, v)?,
    };
    // A real has no negative zero.
    let literal = Literal::float(ty, exact + 0.0)?;
    (literal.to_f64() == Some(exact)).then_some(literal)
}

/// The result where it is exactly a double far from underflow, so that the residual is exact too.
fn exact(op: Arith, v: &[f64]) -> Option<f64> {
    let x = compute(op, v);
    let normal = |x: f64| x == 0.0 || (1e-250..1e250).contains(&x.abs());
    if !v.iter().all(|&x| normal(x)) || !normal(x) {
        return None;
    }
    let fits = match op {
        Arith::Add | Arith::Sub => {
            let b = if op == Arith::Add { v[1] } else { -v[1] };
            let bb = x - v[0];
            (v[0] - (x - bb)) + (b - bb) == 0.0
        }
        Arith::Mul => v[0].mul_add(v[1], -x) == 0.0 && (x != 0.0 || v[0] == 0.0 || v[1] == 0.0),
        Arith::Div => v[1] != 0.0 && x.mul_add(v[1], -v[0]) == 0.0,
        Arith::Sqrt => x.mul_add(x, -v[0]) == 0.0,
        _ => true,
    };
    fits.then_some(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exact_results_over_the_reals() {
        let r = |x: f64| Literal::Real(RealLit::new(x));
        let f = |op, a: f64, b: f64| fold(op, &[r(a), r(b)], RuleClass::Real);
        assert_eq!(f(Arith::Div, 1.0, 4.0), Some(r(0.25)));
        assert_eq!(f(Arith::Div, 1.0, 3.0), None);
        assert_eq!(f(Arith::Add, 1.0, 1e-30), None);
        assert_eq!(f(Arith::Sub, 1.0, 1.0), Some(r(0.0)));
        assert_eq!(f(Arith::Mul, 0.1, 0.1), None);
        assert_eq!(fold(Arith::Sqrt, &[r(9.0)], RuleClass::Real), Some(r(3.0)));
        let s = |x: f32| Literal::F32(x);
        assert_eq!(fold(Arith::Div, &[s(1.0), s(3.0)], RuleClass::Exact), Some(s(1.0 / 3.0)));
        assert_eq!(fold(Arith::Div, &[s(1.0), s(3.0)], RuleClass::Real), None);
        assert_eq!(fold(Arith::Sub, &[s(f32::INFINITY), s(f32::INFINITY)], RuleClass::Exact), None);
    }
}
