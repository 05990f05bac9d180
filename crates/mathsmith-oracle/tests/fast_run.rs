//! The promise of polynomials over runs of neighbouring arguments: the exact value lies within the bound, on runs placed
//! where functions are unkind.

use mathsmith_oracle::{Reference, Scratch, cpu_supported};
use rug::Float;

fn reference(text: &str) -> Reference {
    let expr = mathsmith_dsl::parse_expr(text).unwrap_or_else(|e| panic!("{text}: {e:?}"));
    Reference::new(&expr).unwrap_or_else(|e| panic!("{text}: {e}"))
}

/// Expression, and whether some of the runs must have polynomials.
const CASES: &[(&str, bool)] = &[
    ("exp(x)", true),
    ("exp2(x)", true),
    ("exp10(x)", true),
    ("expm1(x)", true),
    ("exp2(x)-1", true),
    ("log(x)", true),
    ("log2(x)", true),
    ("log10(1+x)", true),
    ("log1p(x)", true),
    ("sin(x)", true),
    ("cos(x)", true),
    ("tan(x)", true),
    ("sinpi(x)", true),
    ("cospi(x)", true),
    ("asin(x)", true),
    ("acos(x)", true),
    ("atan(x)", true),
    ("sinh(x)", true),
    ("cosh(x)", true),
    ("tanh(x)", true),
    ("asinh(x)", true),
    ("acosh(x)", true),
    ("atanh(x)", true),
    ("erf(x)", true),
    ("erfc(x)", true),
    ("gamma(x)", true),
    ("lgamma(x)", true),
    ("digamma(x)", true),
    ("j0(x)", true),
    ("j1(x)", true),
    ("y0(x)", true),
    ("y1(x)", true),
    ("airyai(x)", false),
    ("sqrt(x)", false),
    ("cbrt(x)", true),
    ("x^2.5", true),
    ("x^3-x", false),
    ("(1+x^2)^(-3)", true),
    ("1/(1+exp(-x))", true),
    ("x*0.5*(1+erf(x/sqrt(2)))", true),
    ("0.5*x*(1+tanh(sqrt(2/pi)*(x+0.044715*x^3)))", true),
    ("log(1+exp(x))", true),
    ("x/(exp(x)-1)", true),
    ("sin(x)/x", true),
    ("sin(exp(x))", true),
    ("lgamma(2+x^2)", true),
    ("j0(sin(x)+2)", true),
    ("exp2(x)^x", true),
    ("hypot(sin(x),2)", true),
    ("atan2(exp(x),x-1)", true),
    ("max(exp(x),1-x)", true),
    ("if x < 1/3 then exp(x) else 1+x", true),
    ("if x >= 0.5 then sin(x) else floor(3*x)*cos(x)", true),
    ("1-cos(x)", true),
];

/// A splitmix64 stream (Steele, Lea and Flood, OOPSLA 2014).
struct Stream(u64);

impl Stream {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// First elements of runs, as floats of the single format: chosen ones, and some at random, most of moderate size.
fn places(stream: &mut Stream) -> Vec<f32> {
    let random: usize = std::env::var("MATHSMITH_ORACLE_RUNS").ok().and_then(|s| s.parse().ok()).unwrap_or(30);
    let pi = std::f32::consts::PI;
    let mut starts = vec![0.0, 1e-42, 1e-38, 1e-30, 1e-20, 1e-8, 3e-4, 0.03, 0.3333, 0.4999, 0.72, 1.2, 1.46, 1.999];
    starts.extend([
        2.4048,
        0.8935,
        0.999_97,
        pi / 2.0 - 1e-5,
        pi - 1e-5,
        3.0,
        5.5,
        8.99,
        17.0,
        60.3,
        88.7,
        100.2,
        127.99,
    ]);
    starts.extend([171.6, 300.0, 708.0, 1e4, 65_535.9, 3e6, 1e9, 1e20, 3e38]);
    let below: Vec<f32> = starts.iter().map(|x| -x).collect();
    starts.extend(below);
    for _ in 0..random {
        let bits = stream.next() as u32;
        let moderate = (bits & 0x807f_ffff) | (120 + (bits >> 23) % 14) << 23;
        starts.push(f32::from_bits(if bits.is_multiple_of(5) { bits } else { moderate }));
    }
    starts.retain(|x| x.is_finite());
    starts
}

#[test]
fn the_exact_value_is_within_the_bound() {
    if !cpu_supported() {
        return;
    }
    let mut scratch = Scratch::default();
    for (index, &(text, expected)) in CASES.iter().enumerate() {
        let f = reference(text);
        let (mut covered, mut lanes) = (0, 0);
        for (place, start) in places(&mut Stream(index as u64)).into_iter().enumerate() {
            let mut x = start;
            let xs: Vec<f64> = std::iter::repeat_with(|| {
                let v = f64::from(x);
                x = x.next_up();
                v
            })
            .take(500)
            .filter(|x| x.is_finite())
            .collect();
            let (mut y, mut e) = (vec![f64::NAN; xs.len()], vec![0.0; xs.len()]);
            f.fast_run(&xs, &mut y, &mut e, &mut scratch);
            let (mut plain, mut plain_e) = (y.clone(), e.clone());
            f.fast_block(&[&xs], &mut plain, &mut plain_e, &mut Scratch::default());
            lanes += xs.len();
            covered += (0..xs.len()).filter(|&i| e[i].to_bits() != plain_e[i].to_bits()).count();
            for i in (index % 7..xs.len()).step_by(41 + place % 5) {
                if y[i].to_bits() == plain[i].to_bits() && e[i].to_bits() == plain_e[i].to_bits() {
                    // Judged by the tests of the block.
                    continue;
                }
                let want = f.value(&[xs[i]], 200);
                if e[i] == 0.0 && !y[i].is_finite() {
                    // No value on the whole cell, or all beyond the doubles.
                    let huge = want.clone().abs() > f64::MAX && want.is_sign_negative() == (y[i] < 0.0);
                    assert!(if y[i].is_nan() { want.is_nan() } else { huge }, "{text} at {:e}: {want}", xs[i]);
                    continue;
                }
                let underflow = y[i].abs() == 5e-324 && e[i] == 5e-324;
                // The widest bound that a polynomial may have, and the last addition.
                let close = e[i] <= y[i].abs() * 2f64.powi(-45);
                // Where a part is constant, the rest is evaluated as in a block.
                let partly = e[i] <= plain_e[i];
                assert!(y[i].is_finite() && (close || underflow || partly), "{text} at {:e}", xs[i]);
                let mut off = Float::with_val(300, &want - y[i]).abs();
                off -= Float::with_val(64, want.abs_ref()) >> 199;
                assert!(off <= e[i], "{text} at {:e}: {:e} is off by {off:e}, bound {:e}", xs[i], y[i], e[i]);
            }
        }
        assert_eq!(covered > lanes / 10, expected, "{text}: {covered} of {lanes} lanes have polynomials");
    }
}

#[test]
fn a_run_does_not_depend_on_the_scratch() {
    let (f, g) = (reference("exp(x)"), reference("sin(x)"));
    let xs: Vec<f64> = (0..3000).map(|i| f64::from(f32::from_bits(0x3f00_0000 - 1500 + i))).collect();
    let run = |f: &Reference, scratch: &mut Scratch| {
        let (mut y, mut e) = (vec![0.0; xs.len()], vec![0.0; xs.len()]);
        f.fast_run(&xs, &mut y, &mut e, scratch);
        (y, e)
    };
    let (fresh, other) = (run(&f, &mut Scratch::default()), run(&g, &mut Scratch::default()));
    let mut shared = Scratch::default();
    for _ in 0..2 {
        assert_eq!(run(&f, &mut shared), fresh);
        assert_eq!(run(&g, &mut shared), other);
    }
    // A dropped expression's cells are not taken for those of one that is compiled later.
    for text in ["exp(x)", "cos(x)", "tanh(x)", "exp(-x)"] {
        let f = reference(text);
        assert_eq!(run(&f, &mut shared), run(&f, &mut Scratch::default()), "{text}");
    }
}

#[test]
fn disorder_and_sparseness_fall_back() {
    let f = reference("exp(x)");
    let block = |xs: &[f64]| {
        let (mut y, mut e) = (vec![0.0; xs.len()], vec![0.0; xs.len()]);
        f.fast_block(&[xs], &mut y, &mut e, &mut Scratch::default());
        y.into_iter().zip(e).map(|(y, e)| (y.to_bits(), e.to_bits())).collect::<Vec<_>>()
    };
    let run = |xs: &[f64]| {
        let (mut y, mut e) = (vec![0.0; xs.len()], vec![0.0; xs.len()]);
        f.fast_run(xs, &mut y, &mut e, &mut Scratch::default());
        y.into_iter().zip(e).map(|(y, e)| (y.to_bits(), e.to_bits())).collect::<Vec<_>>()
    };
    let descending: Vec<f64> = (0..400).rev().map(|i| f64::from(f32::from_bits(0x3f80_0000 + i))).collect();
    let sparse: Vec<f64> = (0..400).map(|i| 1.0 + f64::from(i) / 512.0).collect();
    let mut odd: Vec<f64> = (0..400).map(|i| f64::from(f32::from_bits(0x3f80_0000 + i))).collect();
    odd[200] = f64::NAN;
    for xs in [&descending[..], &sparse, &odd, &[], &[0.5], &[f64::NEG_INFINITY, -0.0, 0.0, f64::INFINITY]] {
        assert_eq!(run(xs), block(xs));
    }
    // A constant has no variable and the value everywhere.
    let (mut y, mut e) = ([0.0; 3], [0.0; 3]);
    reference("exp(1)").fast_run(&[0.0, 1.0, 2.0], &mut y, &mut e, &mut Scratch::default());
    assert!(y.iter().all(|y| *y == std::f64::consts::E), "{y:?}");
}
