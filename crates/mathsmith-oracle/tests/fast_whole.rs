//! Runs over the whole single format: huge arguments, saturation, underflow, and the borders between the ways a run is
//! served, against MPFR at 500 bits.

use mathsmith_oracle::{Reference, Scratch, cpu_supported, decide_f32};
use rug::Float;

fn reference(text: &str) -> Reference {
    let expr = mathsmith_dsl::parse_expr(text).unwrap_or_else(|e| panic!("{text}: {e:?}"));
    Reference::new(&expr).unwrap_or_else(|e| panic!("{text}: {e}"))
}

/// Adjacent floats from one on, upwards.
fn from(start: f32, count: usize) -> Vec<f64> {
    let mut x = start;
    let mut all = Vec::with_capacity(count);
    while all.len() < count && x < f32::INFINITY {
        all.push(f64::from(x));
        x = x.next_up();
    }
    all
}

/// Checks every `step`-th lane of a run in blocks of 512; returns how many were checked.
fn judge(text: &str, f: &Reference, exact: impl Fn(Float) -> Float, xs: &[f64], step: usize) -> usize {
    let mut scratch = Scratch::default();
    let mut checked = 0;
    for x in xs.chunks(512) {
        let (mut y, mut e) = (vec![f64::NAN; x.len()], vec![f64::NAN; x.len()]);
        f.fast_run(x, &mut y, &mut e, &mut scratch);
        for i in (0..x.len()).step_by(step) {
            let want = exact(Float::with_val(500, x[i]));
            let at = format!("{text} at {:e}: {:e} ± {:e}, exact {want:.20}", x[i], y[i], e[i]);
            checked += 1;
            if e[i] == f64::INFINITY {
                continue;
            }
            if y[i].is_nan() {
                assert!(want.is_nan() && e[i] == 0.0, "{at}");
            } else if y[i].is_infinite() {
                let least = Float::with_val(64, 1) << (1023.0 - e[i]).floor() as i32;
                assert!(want.is_sign_negative() == (y[i] < 0.0) && want.clone().abs() >= least, "{at}");
            } else {
                let off = Float::with_val(600, &want - y[i]).abs();
                assert!(off <= e[i], "{at}");
                if y[i].abs() == 5e-324 && e[i] == 5e-324 {
                    // Underflow, in MPFR itself beyond its own range.
                    let signed = want.is_zero() || want.is_sign_negative() == (y[i] < 0.0);
                    assert!(signed && want.clone().abs() <= 1e-323, "{at}");
                }
            }
            if let Some(single) = decide_f32(y[i], e[i]) {
                let nearest = want.to_f32();
                let same = single.to_bits() == nearest.to_bits() || (single.is_nan() && nearest.is_nan());
                assert!(same, "{at}: {single:e}, not {nearest:e}");
            }
        }
    }
    checked
}

type Exact = fn(Float) -> Float;

const CIRCULAR: &[(&str, Exact)] = &[
    ("sin(x)", |x| x.sin()),
    ("cos(x)", |x| x.cos()),
    ("tan(x)", |x| x.tan()),
    ("sin(x)/x", |x| Float::with_val(500, x.sin_ref()) / x),
    ("x*cos(x)", |x| Float::with_val(500, x.cos_ref()) * x),
];

#[test]
fn circular_functions_of_every_size() {
    if !cpu_supported() {
        return;
    }
    for &(text, exact) in CIRCULAR {
        let f = reference(text);
        let mut checked = 0;
        for e in -30..128 {
            for sign in [1.0f32, -1.0] {
                // Inside the binade, and across its lower end.
                let binade = f32::from_bits(((127 + e) as u32) << 23) * sign;
                let inside = f32::from_bits((binade * 1.37).to_bits() ^ (e as u32).wrapping_mul(0x2f31) & 0xffff);
                let mut across = binade;
                for _ in 0..300 {
                    across = across.next_down();
                }
                checked += judge(text, &f, exact, &from(inside, 1024), 43);
                checked += judge(text, &f, exact, &from(across, 600), 37);
            }
        }
        assert!(checked > 10_000, "{checked}");
    }
}

#[test]
fn circular_functions_near_their_zeros() {
    if !cpu_supported() {
        return;
    }
    // Floats next to multiples of pi/2: the nearest one, 16367173 * 2^72, has a cosine of 2^-30.
    let places = [16_367_173.0 * 2f32.powi(72), 6.0e37, 1.3e22, 2.859_225_4e8, 411_774.84, 11.0 * std::f32::consts::PI];
    for &(text, exact) in CIRCULAR {
        let f = reference(text);
        for place in places {
            for centre in [place, -place] {
                let mut start = centre;
                for _ in 0..700 {
                    start = start.next_down();
                }
                judge(text, &f, exact, &from(start, 1400), 1);
            }
        }
    }
}

fn softplus(x: Float) -> Float {
    if x > 0 { Float::with_val(500, -&x).exp().ln_1p() + x } else { x.exp().ln_1p() }
}

/// Expression, its value, and floats around which the way of answering changes.
const SATURATING: &[(&str, Exact, &[f32])] = &[
    ("exp(x)", |x| x.exp(), &[88.7, 709.78, 710.5, -87.3, -103.9, -620.0, -708.4, -745.1, -746.0]),
    (
        "exp2(x)",
        |x| x.exp2(),
        &[128.0, 1023.9, 1025.0, -126.0, -149.0, -150.0, -897.0, -1022.0, -1074.0, -1075.0, -1076.0],
    ),
    ("exp10(x)", |x| x.exp10(), &[38.5, 308.25, -45.1, -270.0, -323.3, -323.6]),
    ("expm1(x)", |x| x.exp_m1(), &[709.7, -17.0, -36.7, -37.5, -1e3]),
    ("sinh(x)", |x| x.sinh(), &[89.4, 710.4, -710.4, -711.0]),
    ("tanh(x)", |x| x.tanh(), &[9.0, 18.7, 19.06, 22.0, -19.06, -25.0]),
    ("erf(x)", |x| x.erf(), &[3.9, 5.86, 5.92, 6.1, -5.9, -6.0]),
    ("erfc(x)", |x| x.erfc(), &[-5.9, -6.2, 9.0, 10.0, 24.9, 26.5, 27.2, 27.3]),
    ("log(x)", |x| x.ln(), &[1e-45, 1e-38, 1.0, -1e-40, -1.0]),
    ("log1p(x)", |x| x.ln_1p(), &[-1.0, -0.99, -3.0, 1e-38]),
    ("acosh(x)", |x| x.acosh(), &[1.0, 0.5, -2.0]),
    ("asin(x)", |x| x.asin(), &[1.0, -1.0, 2.0]),
    ("atanh(x)", |x| x.atanh(), &[1.0, -1.0]),
    ("gamma(x)", |x| x.gamma(), &[35.0, 171.6, 172.0, 1e-38, -1e-38]),
    ("1/(1+exp(-x))", |x| Float::with_val(500, 1 + (-x).exp()).recip(), &[17.0, 37.0, -88.0, -104.0, -709.0, -745.0]),
    (
        "x/(1+exp(-x))",
        |x| Float::with_val(500, 1 + Float::with_val(500, -&x).exp()).recip() * x,
        &[40.0, -104.0, -750.0],
    ),
    (
        "x*0.5*(1+erf(x/sqrt(2)))",
        |x| (-Float::with_val(500, &x / Float::with_val(500, 2).sqrt())).erfc() * x / 2,
        &[8.0, 1e15, 1e30, -8.0, -13.5, -14.3, -35.0, -38.0, -38.5, -39.0, -1e3],
    ),
    ("log(1+exp(x))", softplus, &[17.0, 1e10, 1e31, -17.0, -104.0, -745.0]),
    ("x*tanh(log(1+exp(x)))", |x| softplus(x.clone()).tanh() * x, &[1e3, 3e4, 1e30, -40.0, -745.0]),
    (
        "0.5*x*(1+tanh(sqrt(2/pi)*(x+0.044715*x^3)))",
        |x| {
            let third = Float::with_val(500, &x * Float::with_val(500, x.square_ref()));
            let inner = third * rug::Rational::from((44715, 1_000_000)) + &x;
            let pi = Float::with_val(500, rug::float::Constant::Pi);
            let u = inner * Float::with_val(500, 2 / pi).sqrt();
            // 1 + tanh(u) is 2 / (1 + exp(-2 u)).
            x / (1 + Float::with_val(500, -2 * u).exp())
        },
        &[5.0, 1e5, 1e12, 1e30, -6.0, -10.0, -21.0],
    ),
    (
        "lgamma(x)",
        |x| {
            if x.is_integer() && x <= 0 {
                Float::with_val(500, rug::float::Special::Infinity)
            } else {
                x.ln_abs_gamma().0
            }
        },
        &[2.0, 1e30],
    ),
];

#[test]
fn saturation_overflow_and_underflow() {
    if !cpu_supported() {
        return;
    }
    let mut all = 0;
    for &(text, exact, borders) in SATURATING {
        let f = reference(text);
        let mut checked = 0;
        for &border in borders {
            // Around the border, and runs at growing distances from it.
            for scale in [1.0, 1.001, 0.999, 1.02, 0.97] {
                let mut start = border * scale;
                for _ in 0..1000 {
                    start = start.next_down();
                }
                checked += judge(text, &f, exact, &from(start, 2048), 71);
            }
        }
        for far in [1e4f32, 1e9, 1e20, 3e38, 3e-39, 1e-20] {
            checked += judge(text, &f, exact, &from(far, 1024), 53);
            checked += judge(text, &f, exact, &from(-far, 1024), 53);
        }
        all += checked;
    }
    assert!(all > 15_000, "{all}");
}

#[test]
fn whole_format_runs_need_no_judge() {
    if !cpu_supported() {
        return;
    }
    // One block in each of 16 parts of every binade: not one lane that no bound decides, but for ties of the format.
    for text in ["exp(x)", "exp2(x)", "log(x)", "log2(x)", "sin(x)", "cos(x)", "tanh(x)", "erf(x)"] {
        let f = reference(text);
        let mut scratch = Scratch::default();
        let (mut open, mut lanes) = (0, 0);
        for bits in (0..0x7f80_0000u32).step_by(1 << 19) {
            for sign in [0, 1 << 31] {
                let x = f32::from_bits(bits | sign);
                let xs = from(if sign == 0 { x } else { f32::from_bits((bits | sign) + 512) }, 512);
                let (mut y, mut e) = (vec![0.0; xs.len()], vec![0.0; xs.len()]);
                f.fast_run(&xs, &mut y, &mut e, &mut scratch);
                lanes += xs.len();
                open += y.iter().zip(&e).filter(|(y, e)| decide_f32(**y, **e).is_none()).count();
            }
        }
        assert!(open <= 8, "{text}: {open} of {lanes} undecided");
    }
}
