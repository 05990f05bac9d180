//! Values at the points where conventions and limits matter.

use mathsmith_oracle::Reference;

fn reference(text: &str) -> Reference {
    let expr = mathsmith_dsl::parse_expr(text).unwrap_or_else(|e| panic!("{text}: {e:?}"));
    Reference::new(&expr).unwrap_or_else(|e| panic!("{text}: {e}"))
}

const INF: f64 = f64::INFINITY;

#[test]
fn values_limits_and_signs() {
    let euler = -0.577_215_664_901_532_9;
    let cases: &[(&str, f64, f64)] = &[
        ("exp2(x)", 3.0, 8.0),
        ("exp2(x)", -INF, 0.0),
        ("exp2(x)", INF, INF),
        ("exp2(x)", 1e300, INF),
        ("exp2(x)", -1e300, 0.0),
        ("-exp2(x)", -1e300, -0.0),
        ("sin(x)", -0.0, -0.0),
        ("sin(x)", INF, f64::NAN),
        ("tanh(x)", -0.0, -0.0),
        ("tanh(x)", INF, 1.0),
        ("tanh(x)", -INF, -1.0),
        ("log(x)", -1.0, f64::NAN),
        ("log(x)", 0.0, -INF),
        ("log2(1+x)/x", 0.0, std::f64::consts::LOG2_E),
        ("log2(1+x)/x", -0.0, std::f64::consts::LOG2_E),
        ("sin(x)/x", 0.0, 1.0),
        ("sin(x)/x", INF, 0.0),
        ("(exp(x)-1)/x", 0.0, 1.0),
        ("x/(exp(x)-1)", 0.0, 1.0),
        ("x/(exp(x)-1)", INF, 0.0),
        ("x/(exp(x)-1)", -INF, INF),
        ("lgamma(1+x)/x", 0.0, euler),
        ("(x-sin(x))/x^3", 0.0, 1.0 / 6.0),
        ("(1-cos(x))/x^2", 0.0, 0.5),
        ("(x^2-4)/(x-2)", 2.0, 4.0),
        ("log(x)/(x-1)", 1.0, 1.0),
        ("tanh(x)/x", 0.0, 1.0),
        ("atan(x)/x", 0.0, 1.0),
        ("asin(x)/x", 0.0, 1.0),
        ("erf(x)/x", 0.0, std::f64::consts::FRAC_2_SQRT_PI),
        ("j1(x)/x", 0.0, 0.5),
        ("sqrt(x^2)/abs(x)", 0.0, 1.0),
        ("x*log(x)", 0.0, -0.0),
        ("x^x", 0.0, 1.0),
        ("1/x", 0.0, INF),
        ("1/x", -0.0, -INF),
        ("1/x", INF, 0.0),
        ("1/x", -INF, -0.0),
        ("1/x^2", -0.0, INF),
        ("1/(x-1)", 1.0, f64::NAN),
        ("gamma(x)", 0.0, INF),
        ("gamma(x)", -0.0, -INF),
        ("gamma(x)", -2.0, f64::NAN),
        ("gamma(x)", 5.0, 24.0),
        ("gamma(1+x)", -1e15, f64::NAN),
        ("gamma(x-3)", 0.0, -INF),
        ("gamma(-x^2-2)", 0.0, -INF),
        ("1/gamma(x)", -3.0, 0.0),
        ("gamma(x)*sinpi(x)", -3.0, std::f64::consts::FRAC_PI_6),
        ("digamma(x)", 0.0, -INF),
        ("lgamma(x)", -3.0, INF),
        ("digamma(x)", 1.0, euler),
        ("x*0.5*(1+erf(x/sqrt(2)))", -INF, -0.0),
        ("x*0.5*(1+erf(x/sqrt(2)))", INF, INF),
        ("x*0.5*(1+erf(x/sqrt(2)))", -100.0, -0.0),
        ("x/(1+exp(-x))", -INF, -0.0),
        ("log(1+exp(x))", -INF, 0.0),
        ("log(1+exp(x))", INF, INF),
        ("x-x", 1.5, 0.0),
        ("sin(x)^2+cos(x)^2-1", 1.0, 0.0),
        ("(x*0.1)*10", 1.5, 1.5),
        ("sin(pi*x)", 1.0, 0.0),
        ("sin(pi*x)", 0.5, 1.0),
        ("cos(pi*x/2)", 1.0, 0.0),
        ("cospi(x)", 1.5, 0.0),
        ("sinpi(x)", -3.0, -0.0),
        ("floor(x)", -0.5, -1.0),
        ("floor(sqrt(2)^2*x)", 1.0, 2.0),
        ("if x < 0 then -x else x", -3.0, 3.0),
        ("if sqrt(2)^2*x == 2 then 1 else 0", 1.0, 1.0),
        ("x^(1/3)", 8.0, 2.0),
        ("x^(1/3)", -8.0, f64::NAN),
        ("x^3", -2.0, -8.0),
        ("x^0", 0.0, 1.0),
        ("atan(1/x)", 0.0, std::f64::consts::FRAC_PI_2),
        ("x/(1+x)", INF, 1.0),
        ("airyai(x)", 1e10, 0.0),
        ("hypot(x,3)", 4.0, 5.0),
        ("exp(x)", f64::NAN, f64::NAN),
    ];
    for &(text, x, want) in cases {
        let wants = if text.contains("x") { vec![x] } else { vec![] };
        let got = reference(text).round_f64(&wants);
        let same = got.to_bits() == want.to_bits() || (got.is_nan() && want.is_nan());
        assert!(same, "{text} at {x}: {got:?}, not {want:?}");
        let single = reference(text).round_f32(&wants);
        let want = want as f32;
        assert!(
            single.to_bits() == want.to_bits() || (single.is_nan() && want.is_nan()),
            "{text} at {x}: f32 {single:?}"
        );
    }
}

#[test]
fn two_variables_at_zeros_and_infinities() {
    use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI};
    const NAN: f64 = f64::NAN;
    let cases: &[(&str, f64, f64, f64)] = &[
        // The first argument is x, the second y, whatever the order in which they occur.
        ("atan2(y,x)", -1.0, 0.0, PI),
        ("atan2(x,y)", 0.0, 0.0, 0.0),
        ("atan2(x,y)", 0.0, -0.0, PI),
        ("atan2(x,y)", -0.0, -0.0, -PI),
        ("atan2(x,y)", -0.0, 0.0, -0.0),
        ("atan2(x,y)", -0.0, -1.0, -PI),
        ("atan2(x,y)", -1.0, 0.0, -FRAC_PI_2),
        ("atan2(x,y)", INF, INF, FRAC_PI_4),
        ("atan2(x,y)", INF, -INF, 3.0 * FRAC_PI_4),
        ("atan2(x,y)", 3.0, INF, 0.0),
        ("atan2(x,y)", -3.0, -INF, -PI),
        ("hypot(x,y)", -0.0, -0.0, 0.0),
        ("hypot(x,y)", 1.0, -INF, INF),
        ("hypot(x,y)", 1e300, 1e300, 2f64.sqrt() * 1e300),
        ("x^y", 0.0, 0.0, 1.0),
        ("x^y", -2.5, -0.0, 1.0),
        ("x^y", INF, 0.0, 1.0),
        ("x^y", 1.0, INF, 1.0),
        ("x^y", -1.0, -INF, 1.0),
        ("x^y", 0.0, -1.0, INF),
        ("x^y", -0.0, -1.0, -INF),
        ("x^y", -0.0, -2.0, INF),
        ("x^y", -0.0, -2.5, INF),
        ("x^y", -0.0, 3.0, -0.0),
        ("x^y", 0.0, 2.5, 0.0),
        ("x^y", 0.0, INF, 0.0),
        ("x^y", 0.0, -INF, INF),
        ("x^y", -8.0, 1.0 / 3.0, NAN),
        ("x^y", -2.0, 3.0, -8.0),
        ("x^y", -INF, 3.0, -INF),
        ("x^y", -INF, -3.0, -0.0),
        ("x^y", 0.5, INF, 0.0),
        ("x^y", 2.0, 1e9, INF),
        ("x^y", -2.0, -1e9 - 1.0, -0.0),
        ("x/y", 1.0, -0.0, -INF),
        ("x/y", 0.0, 0.0, NAN),
        ("x/y", INF, 0.0, INF),
        ("x/y", INF, INF, NAN),
        ("x*y", INF, 0.0, NAN),
        ("x-y", INF, INF, NAN),
        ("exp(x/y)", -1.0, 0.0, 0.0),
        // The zero is a difference, whose sign says nothing.
        ("1/(x-y)", 1.0, 1.0, NAN),
        ("sin(x)/y", 0.0, 0.0, NAN),
        ("x^y", NAN, 0.0, NAN),
    ];
    for &(text, x, y, want) in cases {
        let got = reference(text).round_f64(&[x, y]);
        let same = got.to_bits() == want.to_bits() || (got.is_nan() && want.is_nan());
        let near = got.is_finite() && (got / want - 1.0).abs() < 1e-15;
        assert!(same || near, "{text} at {x}, {y}: {got}, not {want}");
    }
}
