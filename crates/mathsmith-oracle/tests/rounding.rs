//! Correct rounding of every function to f32 and f64, against one direct MPFR call at 500 bits.
//!
//! The judge shares no code with the crate: it calls the function through rug at 500 bits, then rounds to the format.
//! That double rounding is wrong only for values within 2^-400 of a midpoint without being one. They occur where a function
//! is almost a fraction of its argument (J1(x) is x/2 less x^3/16: for subnormal results a midpoint, less 2^-2000 of it), so
//! a result of few bits is taken again at 4400. 10^4 points a function; `MATHSMITH_ORACLE_POINTS=1000000` makes it 10^6 (about half an hour).

use mathsmith_oracle::{Reference, Scratch};
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
}

const SPECIALS: [f64; 16] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -0.5,
    2.0,
    5e-324,
    -5e-324,
    f64::MIN_POSITIVE,
    f64::MAX,
    -f64::MAX,
    f64::INFINITY,
    -f64::INFINITY,
    f64::NAN,
    1.401_298_464_324_817e-45,
];

/// Every exponent of the format, moderate values, and the neighbourhood of zeros and poles (`centres`).
fn point(s: &mut Stream, centres: &[f64], reach: f64) -> f64 {
    let r = s.next();
    let unit = (s.next() >> 11) as f64 / (1_u64 << 53) as f64;
    match r % 6 {
        0 => f64::from_bits(s.next()).clamp(-reach, reach),
        1 => f64::from(f32::from_bits(s.next() as u32)).clamp(-reach, reach),
        2 => ((unit - 0.5) * 20.0).clamp(-reach, reach),
        3 => f64::from(((unit - 0.5) * 200.0) as f32).clamp(-reach, reach),
        _ if centres.is_empty() => (unit - 0.5) * 4.0,
        _ => {
            let c = centres[(r >> 32) as usize % centres.len()];
            let d = f64::from_bits(((1023 - (r >> 8) % 60) << 52) | (s.next() >> 12));
            c + if r & 64 == 0 { d } else { -d }
        }
    }
}

type Judge = fn(Float) -> Float;
type Judge2 = fn(Float, &Float) -> Float;

/// Text, judge, centres, greatest magnitude tried.
fn functions() -> Vec<(&'static str, Judge, &'static [f64], f64)> {
    let all = f64::MAX;
    const PI: f64 = std::f64::consts::PI;
    const HALF: f64 = std::f64::consts::FRAC_PI_2;
    vec![
        ("sqrt(x)", |x| x.sqrt(), &[0.0], all),
        ("cbrt(x)", |x| x.cbrt(), &[0.0], all),
        ("exp(x)", |x| x.exp(), &[709.78, -745.1, 88.7, -103.9], all),
        ("exp2(x)", |x| x.exp2(), &[1024.0, -1075.0, 128.0, -150.0], all),
        ("exp10(x)", |x| x.exp10(), &[308.25, -323.6, 38.5, -45.1], all),
        ("expm1(x)", |x| x.exp_m1(), &[0.0, 709.78, -36.0], all),
        ("log(x)", |x| x.ln(), &[1.0], all),
        ("log2(x)", |x| x.log2(), &[1.0], all),
        ("log10(x)", |x| x.log10(), &[1.0], all),
        ("log1p(x)", |x| x.ln_1p(), &[0.0, -1.0], all),
        ("sin(x)", |x| x.sin(), &[PI, 2.0 * PI], all),
        ("cos(x)", |x| x.cos(), &[HALF, 3.0 * HALF], all),
        ("tan(x)", |x| x.tan(), &[HALF, PI], all),
        ("sinpi(x)", |x| x.sin_pi(), &[1.0, 2.0, 0.5], all),
        ("cospi(x)", |x| x.cos_pi(), &[0.5, 1.5, 1.0], all),
        ("asin(x)", |x| x.asin(), &[1.0, -1.0, 0.0], all),
        ("acos(x)", |x| x.acos(), &[1.0, -1.0, 0.0], all),
        ("atan(x)", |x| x.atan(), &[1.0], all),
        ("sinh(x)", |x| x.sinh(), &[710.47], all),
        ("cosh(x)", |x| x.cosh(), &[710.47], all),
        ("tanh(x)", |x| x.tanh(), &[9.0, 19.0], all),
        ("asinh(x)", |x| x.asinh(), &[1.0], all),
        ("acosh(x)", |x| x.acosh(), &[1.0], all),
        ("atanh(x)", |x| x.atanh(), &[1.0, -1.0], all),
        ("erf(x)", |x| x.erf(), &[3.9, 5.9], all),
        ("erfc(x)", |x| x.erfc(), &[10.0, 26.5, -5.8], all),
        ("gamma(x)", |x| x.gamma(), &[0.0, -1.0, -2.0, 171.6, 1.4616], all),
        ("lgamma(x)", |x| x.ln_abs_gamma().0, &[1.0, 2.0, -1.0, -2.457], all),
        ("digamma(x)", |x| x.digamma(), &[1.461_632_144_968_362_3, -1.0, 0.0], 1e15),
        ("j0(x)", |x| x.j0(), &[2.404_825_557_695_773], 1e6),
        ("j1(x)", |x| x.j1(), &[3.831_705_970_207_512, 0.0], 1e6),
        ("y0(x)", |x| x.y0(), &[0.893_576_966_279_167_5], 1e6),
        ("y1(x)", |x| x.y1(), &[2.197_141_326_031_017], 1e6),
        ("airyai(x)", |x| x.ai(), &[-2.338_107_410_459_767, 0.0], 30.0),
    ]
}

/// The function at 500 bits, or at 4400 where 500 leave what looks like a midpoint or an exact value.
fn judged(judge: Judge, x: f64) -> Float {
    let value = judge(Float::with_val(500, x));
    if Float::with_val(60, &value) == value { judge(Float::with_val(4400, x)) } else { value }
}

#[test]
fn a_value_just_below_a_midpoint_of_the_subnormals_is_rounded_down() {
    // x/2 lies between two doubles, and J1(x) = x/2 - x^3/16 + ... just below it.
    let x = 1.067_072_151_418_902e-308;
    let below = reference("j1(x)").round_f64(&[x]);
    assert_eq!(below, judged(|x| x.j1(), x).to_f64());
    assert!(2.0 * below < x && 2.0 * below.next_up() > x);
}

fn check(index: usize, (text, judge, centres, reach): (&str, Judge, &[f64], f64), points: Option<usize>) {
    let r = reference(text);
    let n = points.unwrap_or(10_000);
    let mut s = Stream(index as u64 * 7919 + 1);
    let specials = SPECIALS.into_iter().filter(|x| !(x.abs() > reach && x.is_finite()));
    let xs: Vec<f64> = specials.chain((0..n).map(|_| point(&mut s, centres, reach))).collect();
    let mut singles = vec![0.0_f32; xs.len()];
    r.round_block_f32(&[&xs], &mut singles, &mut Scratch::default());
    for (&x, fast) in xs.iter().zip(singles) {
        let exact = judged(judge, x);
        let (single, double) = (exact.to_f32(), exact.to_f64());
        let (got32, got64) = (r.round_f32(&[x]), r.round_f64(&[x]));
        let same = |a: f32, b: f32| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
        assert!(same(got32, single), "{text} at {x:e}: f32 {got32:e}, MPFR says {single:e}");
        assert!(same(fast, single), "{text} at {x:e}: fast path {fast:e}, MPFR says {single:e}");
        let same = got64.to_bits() == double.to_bits() || (got64.is_nan() && double.is_nan());
        assert!(same, "{text} at {x:e}: f64 {got64:e}, MPFR says {double:e}");
    }
}

#[test]
fn every_function_is_correctly_rounded() {
    let points = std::env::var("MATHSMITH_ORACLE_POINTS").ok().map(|s| s.parse().expect("a number of points"));
    for (index, f) in functions().into_iter().enumerate() {
        let started = std::time::Instant::now();
        check(index, f, points);
        println!("{}: {:?}", f.0, started.elapsed());
    }
}

#[test]
fn two_arguments_are_correctly_rounded() {
    let cases: [(&str, Judge2); 3] = [
        ("atan2(x,y)", |a, b| a.atan2(b)),
        ("hypot(x,y)", |a, b| a.hypot(b)),
        ("x^y", |a, b| rug::ops::Pow::pow(a, b)),
    ];
    for (index, (text, judge)) in cases.into_iter().enumerate() {
        let r = reference(text);
        let mut s = Stream(index as u64 + 99);
        for _ in 0..10_000 {
            let (x, y) = (point(&mut s, &[0.0, 1.0], f64::MAX), point(&mut s, &[0.0, 2.0], f64::MAX));
            if x.is_nan() || y.is_nan() || (text == "x^y" && x == 0.0) {
                continue;
            }
            let exact = judge(Float::with_val(500, x), &Float::with_val(500, y));
            let (got, want) = (r.round_f64(&[x, y]), exact.to_f64());
            assert!(
                got.to_bits() == want.to_bits() || (got.is_nan() && want.is_nan()),
                "{text} at {x:e}, {y:e}: {got:e} {want:e}"
            );
            let (got, want) = (r.round_f32(&[x, y]), exact.to_f32());
            assert!(
                got.to_bits() == want.to_bits() || (got.is_nan() && want.is_nan()),
                "{text} at {x:e}, {y:e}: {got:e} {want:e}"
            );
        }
    }
}

#[test]
fn exact_cases_are_exact() {
    let two = |k: i32| Float::with_val(53, 1) << k;
    for k in -1074..1024 {
        assert_eq!(reference("exp2(x)").round_f64(&[f64::from(k)]), two(k).to_f64());
        assert_eq!(reference("log2(x)").round_f64(&[two(k).to_f64()]), f64::from(k));
    }
    for n in (1..3_000_000_u64).step_by(9973) {
        assert_eq!(reference("sqrt(x)").round_f64(&[(n * n) as f64]), n as f64);
        let m = n % 200_000;
        assert_eq!(reference("cbrt(x)").round_f64(&[(m * m * m) as f64]), m as f64);
        assert_eq!(reference("x^2").round_f64(&[n as f64]), (n * n) as f64);
    }
    for k in 0..=22 {
        let p: f64 = format!("1e{k}").parse().expect("a number");
        assert_eq!(reference("exp10(x)").round_f64(&[f64::from(k)]), p);
        assert_eq!(reference("log10(x)").round_f64(&[p]), f64::from(k));
    }
    for k in -40..40 {
        assert_eq!(reference("sinpi(x)").round_f64(&[f64::from(k)]).abs(), 0.0);
        assert_eq!(reference("cospi(x)").round_f64(&[f64::from(k) + 0.5]), 0.0);
        assert_eq!(reference("cospi(x)").round_f64(&[f64::from(k)]), if k % 2 == 0 { 1.0 } else { -1.0 });
    }
}

#[test]
fn many_digits_and_many_bits_of_argument() {
    let r = reference("exp(x)");
    let x = Float::with_val(200, 1) / 3;
    let (got, judge) = (r.value_at(std::slice::from_ref(&x), 200), x.exp());
    let off = Float::with_val(64, &got - &judge).abs();
    assert!(off <= Float::with_val(64, &judge) >> 198);
    let (hi, lo) = reference("log(2*x)").value_dd(&[1.0]);
    let ln2 = Float::with_val(300, rug::float::Constant::Log2);
    let off = Float::with_val(300, Float::with_val(300, &ln2 - hi) - lo).abs();
    assert!(off < 1e-32, "{off}");
    // Cancellation of 300 bits.
    let v = reference("exp(x)-1-x").value(&[2.0_f64.powi(-300)], 100);
    let want = Float::with_val(200, 1) >> 601;
    let off = Float::with_val(300, &v - &want).abs();
    // v = h^2/2 + h^3/6 + ...: the third term is far below 100 bits.
    assert!(off <= want >> 98, "{v}");
}

#[test]
fn airy_expansion_agrees_with_the_series() {
    let r = reference("airyai(x)");
    for x in [17.0, 20.0, 25.5, 40.0, -17.0, -20.5, -33.0, -60.0] {
        let want = Float::with_val(1500, x).ai();
        let got = r.value(&[x], 60);
        let off = Float::with_val(64, &got - &want).abs();
        assert!(off <= Float::with_val(64, want.abs_ref()) >> 58, "{x}: {got} {want}");
    }
    for x in [1e3, -1e3, 1e10, -1e10, -1e300, 1e300] {
        let v = r.value(&[x], 53);
        assert!(v.is_finite(), "{x}: {v}");
    }
}
