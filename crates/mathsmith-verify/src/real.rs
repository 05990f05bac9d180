//! Sampled error of `real` programs, at 200 bits or more, with refined extrema.
//!
//! The error `r(x) = p(x) / f(x) - 1` of a good approximation is a smooth curve with some dozens of extrema. It is
//! evaluated on Chebyshev points, which crowd towards the ends as the extrema do, and on points that approach each end
//! geometrically; then each local maximum of `|r|` among them is refined inside its neighbours by a parabola through
//! three points, falling back on golden sections ("localmin", Brent, *Algorithms for Minimization without Derivatives*,
//! 1973, chapter 5), until the maximum moves by less than one part in 10^6. The result is a lower bound of the true
//! maximum (the word is *sampled*), in practice good to six digits. Everything is computed in MPFR.

use crate::VerifyError;
use crate::points::chebyshev;
use crate::report::{Coverage, hex};
use crate::workers::in_order;
use mathsmith_ir::{Literal, Number, Program, RealPlan, Type};
use mathsmith_oracle::{MpReal, Reference};
use rug::Float;
use serde::{Deserialize, Serialize};

/// Error of a program over the reals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RealErrorReport {
    /// Always sampled: the figures are lower bounds.
    pub coverage: Coverage,
    /// Points evaluated.
    pub points: u64,
    /// Bits of precision.
    pub precision_bits: u32,
    /// Lower end.
    pub lo: f64,
    /// Upper end.
    pub hi: f64,
    /// Largest `|p/f - 1|` seen; infinite where `f` is 0 and the program is not.
    #[serde(with = "crate::report::any_f64")]
    pub max_rel: f64,
    /// Where it is, as a hexadecimal double (the point itself, not an approximation).
    pub worst_rel: String,
    /// Largest `|p - f|` seen.
    pub max_abs: f64,
    /// Where it is.
    pub worst_abs: String,
    /// Decimal logarithm of `max_rel`, to 1e-9; 0 is reported for no error at all as -infinity would not serialise.
    pub log10_rel: f64,
    /// Points (hexadecimal) at which the program has no value, by a division of 0 by 0 for example, though the function
    /// has one: they were left out.
    pub skipped: Vec<String>,
}

/// Chebyshev points of the first look.
const DENSE: u32 = 4096;
/// Points that approach each end, each half as far as the one before.
const GEOMETRIC: i32 = 64;
/// Points a piece of work evaluates.
const PIECE: usize = 64;
/// Evaluations a refinement may take.
const REFINE: u32 = 60;

/// Errors at one point; `None` where the program has no value.
#[derive(Clone, Copy, Debug, Default)]
struct At {
    x: f64,
    rel: f64,
    abs: f64,
}

struct Evaluator<'a> {
    reference: &'a Reference,
    program: &'a Program,
    plan: RealPlan<MpReal>,
    params: Vec<MpReal>,
    bits: u32,
    out: Vec<MpReal>,
}

impl<'a> Evaluator<'a> {
    fn new(reference: &'a Reference, program: &'a Program, bits: u32) -> Result<Self, VerifyError> {
        let like = MpReal(Float::new(bits));
        let plan = RealPlan::new(program, &like).map_err(|e| VerifyError::engine(program, e))?;
        let params = program
            .params()
            .iter()
            .map(|p| match p.value {
                Some(Literal::Real(r)) => Ok(MpReal::lit(r, &like)),
                Some(l) if l.to_f64().is_some() => {
                    Ok(MpReal(Float::with_val(bits, l.to_f64().expect("a float literal has a double"))))
                }
                _ => Err(VerifyError::signature(
                    program,
                    format!("parameter `{}` has no real value; fit the program first", p.name),
                )),
            })
            .collect::<Result<_, _>>()?;
        Ok(Evaluator { reference, program, plan, params, bits, out: Vec::new() })
    }

    fn at(&mut self, x: f64) -> Result<Option<At>, VerifyError> {
        let input = MpReal(Float::with_val(self.bits, x));
        self.out.clear();
        self.plan
            .eval_into(&self.params, std::slice::from_ref(&input), &mut self.out)
            .map_err(|e| VerifyError::engine(self.program, e))?;
        let point = if self.reference.vars().is_empty() { &[][..] } else { std::slice::from_ref(&x) };
        let f = self.reference.value(point, self.bits);
        if !f.is_finite() {
            return Err(VerifyError::Undefined { x });
        }
        let p = &self.out[0].0;
        if !p.is_finite() {
            return Ok(None);
        }
        let d = Float::with_val(self.bits, p - &f).abs();
        let rel = match (d.is_zero(), f.is_zero()) {
            (true, _) => 0.0,
            (false, true) => f64::INFINITY,
            (false, false) => Float::with_val(self.bits, &d / &f).abs().to_f64(),
        };
        Ok(Some(At { x, rel, abs: d.to_f64() }))
    }

    /// The largest `pick` in the interval between two points, begun from three points with the largest in the middle.
    fn refine(&mut self, a: At, m: At, b: At, pick: fn(&At) -> f64, count: &mut u64) -> Result<At, VerifyError> {
        let (mut a, mut m, mut b) = (a, m, b);
        const GOLDEN: f64 = 0.381_966_011_250_105_1;
        for step in 0..REFINE {
            if !pick(&m).is_finite() || (b.x - a.x).abs() <= 1e-9 * (a.x.abs() + b.x.abs()) {
                break;
            }
            // Vertex of the parabola through the three points; a golden section where it leaves the middle or every
            // third step, which bounds the number of steps.
            let (u, v) = (m.x - a.x, m.x - b.x);
            let (fu, fv) = (u * (pick(&m) - pick(&b)), v * (pick(&m) - pick(&a)));
            let vertex = m.x - 0.5 * (u * fu - v * fv) / (fu - fv);
            let golden = if b.x - m.x > m.x - a.x { m.x + GOLDEN * (b.x - m.x) } else { m.x - GOLDEN * (m.x - a.x) };
            let inside = vertex > a.x && vertex < b.x && vertex != m.x && step % 3 != 2;
            let x = if inside { vertex } else { golden };
            if x <= a.x || x >= b.x || x == m.x {
                break;
            }
            let Some(new) = self.at(x)? else { break };
            *count += 1;
            let gain = (pick(&new) - pick(&m)).abs();
            if pick(&new) > pick(&m) {
                if new.x > m.x {
                    a = m
                } else {
                    b = m
                }
                m = new;
            } else if new.x > m.x {
                b = new;
            } else {
                a = new;
            }
            if inside && gain <= 1e-7 * pick(&m) {
                break;
            }
        }
        Ok(m)
    }
}

/// Largest relative and absolute error of a program of `real` arithmetic on `lo..hi`, sampled with `bits` bits (at least
/// 200) on `threads` threads. The result does not depend on the number of threads.
///
/// # Errors
/// [`VerifyError`] if the ends are not finite and ordered, the program is not one real to one real with every parameter
/// set, or the reference has no value at a point.
pub fn real_error(
    reference: &Reference,
    program: &Program,
    lo: f64,
    hi: f64,
    bits: u32,
    threads: usize,
) -> Result<RealErrorReport, VerifyError> {
    crate::error::check_variables(reference)?;
    if lo.is_nan() || hi.is_nan() {
        return Err(VerifyError::NanEnd);
    }
    if !(lo <= hi && lo.is_finite() && hi.is_finite()) {
        return Err(VerifyError::EmptyDomain { lo: lo as f32, hi: hi as f32 });
    }
    crate::error::unary(program, Type::Real)?;
    let bits = bits.max(200);
    let xs = sample(lo, hi);

    let pieces = xs.len().div_ceil(PIECE) as u64;
    let mut seen: Vec<Option<At>> = Vec::with_capacity(xs.len());
    in_order(
        threads,
        pieces,
        || Evaluator::new(reference, program, bits),
        |e, piece| {
            let start = piece as usize * PIECE;
            xs[start..xs.len().min(start + PIECE)].iter().map(|&x| e.at(x)).collect::<Result<Vec<_>, _>>()
        },
        |_, found| {
            seen.extend(found);
            true
        },
    )?;
    let skipped: Vec<String> = xs.iter().zip(&seen).filter(|(_, a)| a.is_none()).map(|(&x, _)| hex(x)).collect();
    let seen: Vec<At> = seen.into_iter().flatten().collect();

    let mut points = seen.len() as u64;
    let mut worst = [At::default(); 2];
    let picks: [fn(&At) -> f64; 2] = [|a| a.rel, |a| a.abs];
    for (worst, pick) in worst.iter_mut().zip(picks) {
        // Only maxima that come near the largest can become the largest: a parabola gains little on a dense grid.
        let top = seen.iter().map(pick).fold(0.0, f64::max);
        let peaks: Vec<usize> = (0..seen.len())
            .filter(|&i| {
                let here = pick(&seen[i]);
                here >= 0.8 * top
                    && here > 0.0
                    && (i == 0 || here >= pick(&seen[i - 1]))
                    && (i + 1 == seen.len() || here >= pick(&seen[i + 1]))
            })
            .collect();
        let mut found: Vec<(At, u64)> = Vec::new();
        in_order(
            threads,
            peaks.len() as u64,
            || Evaluator::new(reference, program, bits),
            |e, i| {
                let i = peaks[i as usize];
                if i == 0 || i + 1 == seen.len() {
                    return Ok((seen[i], 0));
                }
                let mut count = 0;
                Ok((e.refine(seen[i - 1], seen[i], seen[i + 1], pick, &mut count)?, count))
            },
            |_, r: (At, u64)| {
                found.push(r);
                true
            },
        )?;
        for (at, count) in found {
            points += count;
            if pick(&at) > pick(worst) {
                *worst = at;
            }
        }
    }
    Ok(RealErrorReport {
        coverage: Coverage::Sampled,
        points,
        precision_bits: bits,
        lo,
        hi,
        max_rel: worst[0].rel,
        worst_rel: hex(worst[0].x),
        max_abs: worst[1].abs,
        worst_abs: hex(worst[1].x),
        log10_rel: log10(worst[0].rel),
        skipped,
    })
}

/// The first look: Chebyshev points, points approaching the ends, the ends; ascending, without duplicates.
fn sample(lo: f64, hi: f64) -> Vec<f64> {
    let (mid, half) = (0.5 * lo + 0.5 * hi, 0.5 * hi - 0.5 * lo);
    let mut xs: Vec<f64> = chebyshev(DENSE).into_iter().map(|t| mid + half * t).collect();
    let mut step = half;
    for _ in 0..GEOMETRIC {
        step *= 0.5;
        xs.push(lo + step);
        xs.push(hi - step);
    }
    xs.extend([lo, hi]);
    xs.retain(|x| (lo..=hi).contains(x));
    // One zero: -0 asks for the limit from the left.
    xs.iter_mut().for_each(|x| *x += 0.0);
    xs.sort_by(f64::total_cmp);
    xs.dedup();
    xs
}

/// Decimal logarithm to the last digits of a double, by MPFR; 0 for 0.
fn log10(x: f64) -> f64 {
    if x == 0.0 || !x.is_finite() { 0.0 } else { Float::with_val(80, x).log10().to_f64() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mathsmith_ir::{Op, RealLit};

    fn reference(text: &str) -> Reference {
        Reference::new(&mathsmith_dsl::parse_expr(text).unwrap()).unwrap()
    }

    #[test]
    fn the_error_of_a_line_is_found() {
        // x + c against x + c + x^2 (1-x)^2: the largest absolute error, 1/16, is at 1/2.
        let mut p = Program::new("line");
        let x = p.input("x", Type::Real);
        let one = p.lit(Literal::Real(RealLit::new(1.0)));
        let y = p.must(Op::Add, &[x, one]);
        p.output(y);
        let f = reference("x + 1 + x^2*(1-x)^2*(1+x/7)");
        let a = real_error(&f, &p, 0.0, 1.0, 200, 1).unwrap();
        // d/dx of x^2 (1-x)^2 (1+x/7): 2(1-2x)(7+x) + x(1-x) = 0.
        let x = (-25.0 + (25.0f64 * 25.0 + 4.0 * 5.0 * 14.0).sqrt()) / 10.0;
        let want = x * x * (1.0 - x) * (1.0 - x) * (1.0 + x / 7.0);
        assert!((a.max_abs / want - 1.0).abs() < 1e-9, "{} {want}", a.max_abs);
        assert!(a.skipped.is_empty() && a.points > 4096);
        assert_eq!(a, real_error(&f, &p, 0.0, 1.0, 200, 3).unwrap());
    }

    #[test]
    fn a_point_without_a_value_is_named() {
        let mut p = Program::new("quotient");
        let x = p.input("x", Type::Real);
        let y = p.must(Op::Div, &[x, x]);
        p.output(y);
        let r = real_error(&reference("sin(x)/x"), &p, 0.0, 1.0, 200, 2).unwrap();
        assert_eq!(r.skipped, ["0x0p+0"]);
        assert_eq!(r.worst_rel, "0x1p+0");
        assert!((r.max_rel - 0.188_395_105_778_124_5).abs() < 1e-12, "{}", r.max_rel);
        assert!(matches!(real_error(&reference("log(x)"), &p, -1.0, 1.0, 200, 2), Err(VerifyError::Undefined { .. })));
    }
}
