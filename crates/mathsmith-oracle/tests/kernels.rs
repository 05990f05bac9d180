//! Accuracy of the elementary functions of `mathsmith_ir::kernels`, against values to 160 bits.
//!
//! Coverage is `sampled`: a figure found here is a lower bound of the largest error. Each row of [`ROWS`] draws its points
//! from a generator whose seed is [`SEED`] and the index of the row: 2,000 of them, or as many as
//! `MATHSMITH_KERNEL_POINTS` says. The limits of a function are what 200,000 points a row found, rounded up; the table
//! in the documentation of the kernels is made from the same figures.

use mathsmith_ir::kernels::LARGEST_ANGLE;
use mathsmith_ir::sample::SplitMix;
use mathsmith_ir::{Column, Engine, Interpreter, Op, Program, Type};
use mathsmith_oracle::Reference;
use rug::Float;

const SEED: u64 = 20_240;

/// How arguments are drawn from an interval.
#[derive(Clone, Copy)]
enum Draw {
    /// Evenly.
    Even(f64, f64),
    /// With evenly distributed logarithm, both signs.
    Log(f64, f64),
    /// The same, positive only.
    Positive(f64, f64),
    /// Next to a multiple of pi/2: the double nearest to it and its neighbours.
    RightAngle(f64),
}

impl Draw {
    fn next(self, rng: &mut SplitMix) -> f64 {
        let unit = (rng.bits() >> 11) as f64 / (1u64 << 53) as f64;
        // A number between two positive ones whose bits are evenly distributed: close to an even logarithm.
        let log = |a: f64, b: f64| f64::from_bits(a.to_bits() + (unit * (b.to_bits() - a.to_bits()) as f64) as u64);
        match self {
            Draw::Even(a, b) => a + unit * (b - a),
            Draw::Positive(a, b) => log(a, b),
            Draw::Log(a, b) => log(a, b) * if rng.below(2) == 0 { 1.0 } else { -1.0 },
            Draw::RightAngle(most) => {
                let x = (unit * most).floor() * std::f64::consts::FRAC_PI_2;
                f64::from_bits(x.to_bits() + rng.below(3) as u64).max(0.5)
            }
        }
    }
}

/// A function, how its arguments are drawn, and the largest errors in ulp as f32 and f64.
struct Row(Op, &'static str, &'static [Draw], f64, f64);

const ROWS: &[Row] = &[
    Row(Op::Exp, "exp(x)", &[Draw::Even(-746.0, 710.0)], 0.501, 0.9),
    Row(Op::Exp, "exp(x)", &[Draw::Even(-104.0, 89.0)], 0.501, 0.9),
    Row(Op::Exp, "exp(x)", &[Draw::Log(1e-20, 1.0)], 0.501, 0.9),
    Row(Op::Log, "log(x)", &[Draw::Positive(5e-324, f64::MAX)], 0.501, 0.9),
    Row(Op::Log, "log(x)", &[Draw::Even(0.25, 4.0)], 0.501, 0.9),
    Row(Op::Log, "log(x)", &[Draw::Even(0.99, 1.01)], 0.501, 0.9),
    Row(Op::Pow, "pow(x, y)", &[Draw::Positive(1e-30, 1e30), Draw::Even(-10.0, 10.0)], 0.501, 1.0),
    Row(Op::Pow, "pow(x, y)", &[Draw::Even(0.9, 1.1), Draw::Even(-700.0, 700.0)], 0.501, 1.0),
    Row(Op::Pow, "pow(x, y)", &[Draw::Positive(5e-324, f64::MAX), Draw::Even(-1.0, 1.0)], 0.501, 1.0),
    Row(Op::Pow, "pow(x, y)", &[Draw::Even(0.5, 2.0), Draw::Even(-1000.0, 1000.0)], 0.501, 1.0),
    Row(Op::Sin, "sin(x)", &[Draw::Even(-10.0, 10.0)], 0.501, 0.8),
    Row(Op::Sin, "sin(x)", &[Draw::Log(1e-20, 1_073_741_824.0)], 0.501, 0.8),
    Row(Op::Sin, "sin(x)", &[Draw::RightAngle(683_565_275.0)], 0.501, 0.8),
    Row(Op::Cos, "cos(x)", &[Draw::Even(-10.0, 10.0)], 0.501, 0.8),
    Row(Op::Cos, "cos(x)", &[Draw::Log(1e-20, 1_073_741_824.0)], 0.501, 0.8),
    Row(Op::Cos, "cos(x)", &[Draw::RightAngle(683_565_275.0)], 0.501, 0.8),
    Row(Op::Tan, "tan(x)", &[Draw::Even(-10.0, 10.0)], 0.501, 2.1),
    Row(Op::Tan, "tan(x)", &[Draw::Log(1e-20, 1_073_741_824.0)], 0.501, 2.1),
    Row(Op::Tan, "tan(x)", &[Draw::RightAngle(683_565_275.0)], 0.501, 2.1),
    Row(Op::Asin, "asin(x)", &[Draw::Even(-1.0, 1.0)], 0.501, 2.6),
    Row(Op::Asin, "asin(x)", &[Draw::Log(1e-20, 1.0)], 0.501, 2.6),
    Row(Op::Asin, "asin(x)", &[Draw::Even(0.9999, 1.0)], 0.501, 2.6),
    Row(Op::Acos, "acos(x)", &[Draw::Even(-1.0, 1.0)], 0.501, 2.2),
    Row(Op::Acos, "acos(x)", &[Draw::Even(0.9999, 1.0)], 0.501, 2.2),
    Row(Op::Acos, "acos(x)", &[Draw::Even(-1.0, -0.9999)], 0.501, 2.2),
    Row(Op::Atan, "atan(x)", &[Draw::Even(-4.0, 4.0)], 0.501, 0.9),
    Row(Op::Atan, "atan(x)", &[Draw::Log(1e-20, 1e20)], 0.501, 0.9),
];

/// `|computed - y| / ulp(y)` in the format with `bits` of precision and the least exponent `least`; infinite where only
/// one of them is beyond `largest`.
fn error(computed: f64, y: &Float, bits: i32, least: i32, largest: f64) -> f64 {
    let exponent = y.get_exp().map_or(least, |e| e - 1).max(least);
    let difference = Float::with_val(200, y - computed).abs();
    if computed.is_infinite() {
        // Rounding gives infinity from half an ulp above the largest number; a kernel may do so up to two ulp earlier.
        let two_ulp = 2f64.powi(1 - bits) * largest;
        let beyond = Float::with_val(200, y.clone().abs() - largest).to_f64();
        return if beyond >= -two_ulp && (y.is_sign_positive() == (computed > 0.0)) { 0.0 } else { f64::INFINITY };
    }
    let ulp = Float::with_val(200, 1) << (exponent + 1 - bits);
    let e = (difference / ulp).to_f64();
    // A NaN where there is a value, or a value where there is none.
    if e.is_nan() { f64::INFINITY } else { e }
}

fn run(op: Op, ty: Type, columns: &[Column], rows: usize) -> Column {
    let mut p = Program::new("kernel");
    let args: Vec<_> = (0..columns.len()).map(|i| p.input(format!("x{i}"), ty)).collect();
    let y = p.must(op, &args);
    p.output(y);
    let mut out = Column::zeros(ty, rows);
    let inputs: Vec<_> = columns.iter().map(Column::as_ref).collect();
    Interpreter::new(&p).unwrap().run(&[], &inputs, &mut [out.as_mut()]).unwrap();
    out
}

#[test]
fn kernels_keep_their_limits() {
    let points: usize =
        std::env::var("MATHSMITH_KERNEL_POINTS").map_or(2000, |n| n.parse().expect("a number of points"));
    let mut broken = Vec::new();
    for (index, Row(op, text, draws, limit_f32, limit_f64)) in ROWS.iter().enumerate() {
        let reference = Reference::new(&mathsmith_dsl::parse_expr(text).unwrap()).unwrap();
        for (ty, limit) in [(Type::F32, *limit_f32), (Type::F64, *limit_f64)] {
            let mut rng = SplitMix::new(SEED + index as u64);
            let drawn: Vec<Vec<f64>> = (0..points).map(|_| draws.iter().map(|d| d.next(&mut rng)).collect()).collect();
            let at: Vec<Vec<f64>> = match ty {
                Type::F32 => drawn.iter().map(|x| x.iter().map(|&x| f64::from(x as f32)).collect()).collect(),
                _ => drawn,
            };
            let columns: Vec<Column> = (0..draws.len())
                .map(|k| match ty {
                    Type::F32 => Column::F32(at.iter().map(|x| x[k] as f32).collect()),
                    _ => Column::F64(at.iter().map(|x| x[k]).collect()),
                })
                .collect();
            let out = run(*op, ty, &columns, points);
            let (mut worst, mut worst_at, mut compared) = (0.0, &at[0], 0);
            for (row, x) in at.iter().enumerate() {
                // An f32 argument may have become infinite or zero, where the functions have poles, or an angle have been
                // rounded out of the domain.
                let pole = matches!(op, Op::Log | Op::Pow) && x[0] == 0.0;
                let outside = matches!(op, Op::Sin | Op::Cos | Op::Tan) && x[0].abs() > LARGEST_ANGLE;
                if pole || outside || x.iter().any(|x| !x.is_finite()) {
                    continue;
                }
                let computed = out.get(row).to_f64().unwrap();
                let y = reference.value(x, 160);
                let e = match ty {
                    Type::F32 => error(computed, &y, 24, -126, f64::from(f32::MAX)),
                    _ => error(computed, &y, 53, -1022, f64::MAX),
                };
                compared += 1;
                if e > worst {
                    (worst, worst_at) = (e, x);
                }
            }
            println!("{index:2} {text} {ty}: {worst:.3} ulp at {worst_at:?} ({compared} points, limit {limit})");
            assert!(compared > points / 8, "{text}: only {compared} points");
            if worst > limit {
                broken.push(format!("{text} as {ty}: {worst} ulp at {worst_at:?}, limit {limit}"));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}
