//! Rounding to each format, the order of two values, and zeros that are exact.

use mathsmith_oracle::{FloatFormat, Reference};
use rug::Float;
use std::cmp::Ordering;

fn reference(text: &str) -> Reference {
    let expr = mathsmith_dsl::parse_expr(text).unwrap_or_else(|e| panic!("{text}: {e:?}"));
    Reference::new(&expr).unwrap_or_else(|e| panic!("{text}: {e}"))
}

const INF: f64 = f64::INFINITY;

#[test]
fn rounds_to_every_format() {
    let (f16, bf16) = (FloatFormat::F16, FloatFormat::BF16);
    let cases: &[(&str, f64, FloatFormat, f64)] = &[
        ("exp(x)", 1.0, f16, 2.718_75),
        ("exp(x)", 1.0, bf16, 2.718_75),
        ("exp(x)", 12.0, f16, INF),
        ("exp(x)", 12.0, bf16, 162_816.0),
        ("-exp(x)", 1e300, bf16, -INF),
        ("exp(x)", -1e300, f16, 0.0),
        ("-exp(x)", -1e300, f16, -0.0),
        // Ties to even, at the limit of overflow and among the subnormals.
        ("x+0", 65519.999, f16, 65504.0),
        ("x*0.1*10", 65520.0, f16, INF),
        ("x*0.1*10", 1.0 + 1.0 / 256.0, bf16, 1.0),
        ("x*0.1*10", 1.0 + 3.0 / 256.0, bf16, 1.015_625),
        ("x*0.1*10", 3.0 * 2f64.powi(-25), f16, 2f64.powi(-23)),
        ("x/2", 2f64.powi(-24), f16, 0.0),
        ("x*0.1*10/2", -2f64.powi(-24), f16, -0.0),
        ("x/2", 3.0 * 2f64.powi(-133), bf16, 2f64.powi(-132)),
        ("sin(x)", -0.0, f16, -0.0),
        ("log(x)", -1.0, f16, f64::NAN),
        ("sin(x)/x", 0.0, bf16, 1.0),
        ("x-x", 1.5, f16, 0.0),
    ];
    for &(text, x, format, want) in cases {
        let got = reference(text).round_to(&[x], format);
        let same = got.to_bits() == want.to_bits() || (got.is_nan() && want.is_nan());
        assert!(same, "{text} at {x} to {}: {got}, not {want}", format.name);
    }
}

#[test]
fn all_formats_agree_with_many_digits() {
    // Every bfloat16, the value to 400 bits rounded once.
    for text in ["exp(x)", "sin(x)", "x^2/3", "1/x"] {
        let f = reference(text);
        for key in (-32640..=32640_i64).step_by(61) {
            let x = FloatFormat::BF16.from_key(key);
            let v = f.value(&[x], 400);
            for format in FloatFormat::ALL {
                let (got, want) = (f.round_to(&[x], format), format.nearest(&v));
                let same = got.to_bits() == want.to_bits() || (got.is_nan() && want.is_nan()) || x == 0.0;
                assert!(same, "{text} at {x:e} to {}: {got:e}, not {want:e}", format.name);
            }
        }
    }
}

#[test]
fn orders_values() {
    use Ordering::{Equal, Greater, Less};
    let cases: &[(&str, f64, f64, Option<Ordering>)] = &[
        ("exp(x)", 1.0, 1.0f64.next_up(), Some(Less)),
        ("exp(-x)", 1.0, 1.0f64.next_up(), Some(Greater)),
        ("tanh(x)", 200.0, 200.0f64.next_up(), Some(Less)),
        ("tanh(x)", 700.0, INF, Some(Less)),
        ("cos(x)", 1.0, -1.0, Some(Equal)),
        ("sin(x)^2+cos(x)^2", 1.0, 2.0, Some(Equal)),
        ("sin(pi*x)", 1.0, 2.0, Some(Equal)),
        ("x^2", 0.0, -0.0, Some(Equal)),
        ("1/x", 0.0, 1e-300, Some(Greater)),
        ("1/x", -0.0, 0.0, Some(Less)),
        ("exp(x)", -1e300, -1e200, Some(Equal)),
        ("exp(x)", 1e300, 1e200, Some(Equal)),
        ("exp(x)", -1e300, 1.0, Some(Less)),
        ("exp(x)", -1e300, 1e300, Some(Less)),
        ("exp(x)", -INF, -1e300, Some(Equal)),
        ("log(x)", -1.0, 1.0, None),
        ("sin(x)", 1.0, INF, None),
        ("sin(x)/x", 0.0, 1e-30, Some(Greater)),
        ("sin(x)/x", 0.0, INF, Some(Greater)),
        ("exp(x)", 1.0, f64::NAN, None),
    ];
    for &(text, a, b, want) in cases {
        let f = reference(text);
        assert_eq!(f.compare(&[a], &[b]), want, "{text} at {a} and {b}");
        assert_eq!(f.compare(&[b], &[a]), want.map(Ordering::reverse), "{text} at {b} and {a}");
    }
    assert_eq!(reference("x^y").compare(&[2.0, 0.5], &[0.5, -0.5]), Some(Equal));
}

#[test]
fn a_value_too_small_for_mpfr_is_not_zero() {
    let signed = [("exp(x)", 1), ("-exp(x)", -1), ("x*exp(x)", -1), ("exp(x)/3", 1)];
    for (text, sign) in signed {
        for x in [-1e9, -1e30, -1e300] {
            let (f, x) = (reference(text), [x]);
            let v = f.value(&x, 120);
            assert!(!f.is_zero(&x) && v.is_finite() && v.cmp0() == Some(sign.cmp(&0)), "{text} at {x:?}: {v}");
            assert!(v.clone().abs() < Float::with_val(53, 1e-300));
        }
    }
    for (text, x) in [("sin(pi*x)", 3.0), ("x-x", 1e9), ("(x*0.1)*10-x", 1.5), ("exp(x)", -INF), ("log(x)", 1.0)] {
        assert!(reference(text).is_zero(&[x]), "{text}");
    }
    assert!(!reference("log(x)").is_zero(&[-1.0]) && !reference("sin(x)").is_zero(&[1e-300]));
}
