//! The fast path's promise: the exact value lies within the bound, at points chosen to be unkind.

use mathsmith_oracle::{Reference, Scratch, cpu_supported, decide_f32};
use rug::Float;

fn reference(text: &str) -> Reference {
    let expr = mathsmith_dsl::parse_expr(text).unwrap_or_else(|e| panic!("{text}: {e:?}"));
    Reference::new(&expr).unwrap_or_else(|e| panic!("{text}: {e}"))
}

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

    /// Magnitudes over the whole format, moderate values, f32 values, values near integers.
    fn input(&mut self) -> f64 {
        let r = self.next();
        let unit = (r >> 11) as f64 / (1_u64 << 53) as f64;
        match r % 8 {
            0 => f64::from_bits(self.next()),
            1 => f64::from(f32::from_bits(self.next() as u32)),
            2 => (unit - 0.5) * 200.0,
            3 => (unit - 0.5) * 2000.0,
            4 => ((unit - 0.5) * 40.0).round() + (unit - 0.5) * 1e-9,
            5 => (unit - 0.5) * 2.0_f64.powi(-((r >> 8) as i32 % 60).abs()),
            6 => f64::from((unit * 4.0 - 2.0) as f32),
            _ => (unit - 0.5) * 8.0,
        }
    }
}

/// Expression, and the least part of moderate inputs (`|x| <= 4`) that the bound must decide for f32.
const CASES: &[(&str, f64)] = &[
    ("exp(x)", 1.0),
    ("exp2(x)", 1.0),
    ("exp10(x)", 1.0),
    ("expm1(x)", 1.0),
    ("log(x)", 0.4),
    ("log2(x)", 0.4),
    ("log10(x)", 0.4),
    ("log1p(x)", 0.4),
    ("sin(x)", 1.0),
    ("cos(x)", 1.0),
    ("tan(x)", 1.0),
    ("sinpi(x)", 1.0),
    ("cospi(x)", 1.0),
    ("asin(x)", 0.4),
    ("acos(x)", 0.4),
    ("atan(x)", 1.0),
    ("sinh(x)", 1.0),
    ("cosh(x)", 1.0),
    ("tanh(x)", 1.0),
    ("asinh(x)", 1.0),
    ("acosh(x)", 0.2),
    ("atanh(x)", 0.2),
    ("erf(x)", 1.0),
    ("erfc(x)", 1.0),
    ("gamma(x)", 1.0),
    ("lgamma(x)", 1.0),
    ("sqrt(x)", 0.4),
    ("cbrt(x)", 1.0),
    ("floor(x)", 1.0),
    ("x^2.5", 0.4),
    ("x^3", 1.0),
    ("1/(1+exp(-x))", 0.99),
    ("x/(1+exp(-x))", 0.99),
    ("x*0.5*(1+erf(x/sqrt(2)))", 0.99),
    ("0.5*x*(1+tanh(sqrt(2/pi)*(x+0.044715*x^3)))", 0.99),
    ("log(1+exp(x))", 0.99),
    ("log1p(exp(x))", 0.99),
    ("x*tanh(log(1+exp(x)))", 0.99),
    ("x/(exp(x)-1)", 0.99),
    ("(exp(x)-1)/x", 0.99),
    ("log2(1+x)/x", 0.4),
    ("sin(x)/x", 0.99),
    ("tanh(x)/x", 0.99),
    ("cos(pi/4*x)", 0.99),
    ("exp(-x^2)", 0.99),
    ("exp(-x*x/2)/sqrt(2*pi)", 0.99),
    ("sqrt(1+x^2)", 0.99),
    ("1/sqrt(x)", 0.4),
    ("sinh(x)/x", 0.99),
    ("sin(exp(x))", 0.9),
    ("atan(1/x)", 0.99),
    ("asin(sin(x))", 0.5),
    ("acosh(1+x^2)", 0.7),
    ("atanh(x/8)", 0.9),
    ("log(sqrt(x^2+1)+x)", 0.5),
    ("erfc(x)*exp(x^2)", 0.99),
    ("gamma(1+x)", 0.7),
    ("lgamma(2+x^2)", 0.6),
    ("cbrt(x+1)", 0.9),
    ("exp2(x)^1.5", 0.99),
    ("abs(x)^x", 0.9),
    ("hypot(x,1)", 0.99),
    ("atan2(x,2)", 0.99),
    ("max(x,0)", 0.99),
    ("min(exp(x),1)", 0.99),
    ("if x < 0 then exp(x) else 1+x", 0.99),
    ("floor(x*3)/3", 0.9),
    ("tan(x/4)", 0.99),
    ("exp10(x/3)", 0.99),
    ("expm1(-x^2)", 0.99),
    ("asinh(sinh(x))", 0.99),
    ("sin(x)^2", 0.9),
    ("1-cos(x)", 0.99),
    ("acos(x/5)", 0.99),
    ("log10(1+x^2)", 0.9),
];

#[test]
fn the_exact_value_is_within_the_bound() {
    if !cpu_supported() {
        // Without the instructions every lane must say that it knows nothing.
        let r = reference("exp(x)");
        let (mut y, mut e) = ([0.0], [0.0]);
        r.fast_block(&[&[1.0]], &mut y, &mut e, &mut Scratch::default());
        assert_eq!(e[0], f64::INFINITY);
        return;
    }
    let points: usize = std::env::var("MATHSMITH_ORACLE_POINTS").ok().and_then(|s| s.parse().ok()).unwrap_or(1000);
    let mut scratch = Scratch::default();
    for (index, &(text, least)) in CASES.iter().enumerate() {
        let r = reference(text);
        assert!(r.has_fast_path(), "{text}");
        let mut stream = Stream(index as u64);
        let xs: Vec<f64> =
            (0..points).map(|_| stream.input()).chain([0.0, -0.0, f64::INFINITY, -f64::INFINITY]).collect();
        let (mut y, mut e) = (vec![0.0; xs.len()], vec![0.0; xs.len()]);
        r.fast_block(&[&xs], &mut y, &mut e, &mut scratch);
        let (mut moderate, mut decided) = (0, 0);
        for (i, &x) in xs.iter().enumerate() {
            let single = decide_f32(y[i], e[i]);
            if x.abs() <= 4.0 && f64::from(x as f32) == x && x.abs() > 1e-30 {
                moderate += 1;
                decided += usize::from(single.is_some());
            }
            if e[i] == f64::INFINITY {
                continue;
            }
            let want = r.value(&[x], 300);
            if y[i].is_nan() {
                assert!(want.is_nan(), "{text} at {x:e}: {want} is called undefined");
                continue;
            }
            assert!(!want.is_nan(), "{text} at {x:e}: undefined is called {} ± {}", y[i], e[i]);
            if y[i].is_infinite() {
                let floor = Float::with_val(64, 1) << (1023.0 - e[i]).floor() as i32;
                assert!(
                    want.clone().abs() >= floor && want.is_sign_negative() == (y[i] < 0.0),
                    "{text} at {x:e}: {want}"
                );
            } else {
                let mut off = Float::with_val(400, &want - y[i]).abs();
                // The reference value has an error of its own.
                off -= Float::with_val(64, want.abs_ref()) >> 299;
                assert!(off <= e[i], "{text} at {x:e}: {} is off by {off}, bound {}", y[i], e[i]);
            }
            if let Some(s) = single {
                let right = r.round_f32(&[x]);
                assert!(
                    s.to_bits() == right.to_bits() || (s.is_nan() && right.is_nan()),
                    "{text} at {x:e}: {s:?} {right:?}"
                );
            }
        }
        let part = decided as f64 / moderate.max(1) as f64;
        assert!(part >= least, "{text}: {decided} of {moderate} decided");
    }
}

#[test]
fn two_columns_are_within_the_bound() {
    if !cpu_supported() {
        return;
    }
    // Expression, and the least part of finite moderate arguments whose f32 result the bound decides.
    let cases: &[(&str, f64)] = &[
        ("x^y", 0.9),
        ("atan2(x,y)", 0.99),
        ("hypot(x,y)", 0.99),
        ("x/y", 0.99),
        ("x*exp(y)", 0.9),
        ("exp(x*y)", 0.9),
        ("log(hypot(x,y))", 0.99),
        ("(1+x^2)^y", 0.8),
        ("min(x,y)+max(sin(x),y)", 0.9),
    ];
    let mut scratch = Scratch::default();
    for (index, &(text, least)) in cases.iter().enumerate() {
        let f = reference(text);
        assert_eq!(f.vars(), ["x", "y"]);
        let mut stream = Stream(index as u64 + 1000);
        let mut column = |_| stream.input();
        let specials = [0.0, -0.0, 1.0, -1.0, -3.0, 2.5, f64::INFINITY, -f64::INFINITY, 5e-324, f64::MAX];
        let mut xs: Vec<f64> = (0..3000).map(&mut column).collect();
        let mut ys: Vec<f64> = (0..3000).map(&mut column).collect();
        for a in specials {
            xs.extend([a; 10]);
            ys.extend(specials);
        }
        // Singles, as a sampled float function has them.
        for i in 0..1500 {
            (xs[i], ys[i]) = (f64::from(xs[i] as f32), f64::from(ys[i] as f32));
        }
        let (mut v, mut e) = (vec![0.0; xs.len()], vec![0.0; xs.len()]);
        f.fast_block(&[&xs, &ys], &mut v, &mut e, &mut scratch);
        let (mut moderate, mut decided) = (0, 0);
        for i in 0..xs.len() {
            let point = [xs[i], ys[i]];
            let at = format!("{text} at {:e}, {:e}: {:e} ± {:e}", xs[i], ys[i], v[i], e[i]);
            let single = decide_f32(v[i], e[i]);
            if i < 1500 && point.iter().all(|x| x.is_finite() && x.abs() > 1e-30) {
                moderate += 1;
                decided += usize::from(single.is_some());
            }
            if e[i] == f64::INFINITY {
                continue;
            }
            let want = f.value(&point, 500);
            if v[i].is_nan() || want.is_nan() {
                assert!(v[i].is_nan() && want.is_nan() && e[i] == 0.0, "{at}: {want}");
            } else if v[i].is_infinite() {
                let floor = Float::with_val(64, 1) << (1023.0 - e[i]).floor() as i32;
                assert!(want.clone().abs() >= floor && want.is_sign_negative() == (v[i] < 0.0), "{at}: {want}");
            } else {
                let off = Float::with_val(600, &want - v[i]).abs() - (Float::with_val(64, want.abs_ref()) >> 499);
                assert!(off <= e[i], "{at}: {want}");
            }
            if let Some(s) = single {
                let right = f.round_f32(&point);
                assert!(s.to_bits() == right.to_bits() || (s.is_nan() && right.is_nan()), "{at}: {right:e}");
            }
        }
        let part = f64::from(decided as u32) / f64::from(moderate);
        assert!(part >= least, "{text}: {decided} of {moderate} decided");
    }
}
