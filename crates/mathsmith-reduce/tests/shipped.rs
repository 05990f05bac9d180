//! Every frame that ships, with exact cores, on functions that its identity fits.

use mathsmith_dsl::parse_expr;
use mathsmith_reduce::{Arithmetic, builtin, floor};
use std::collections::BTreeMap;

const WHOLE: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);
/// What is periodic is meant for arguments up to 2^17.
const TURNS: (f64, f64) = (-131_072.0, 131_072.0);

/// Functions and domains: every reduction fits some, and each frame is right on some.
const FUNCTIONS: &[(&str, (f64, f64))] = &[
    ("exp2(x)", WHOLE),
    ("exp(x)", WHOLE),
    ("exp(x)", (-80.0, 80.0)),
    ("exp2(x)", (-80.0, 80.0)),
    ("exp10(x)", WHOLE),
    ("3*exp(-x)", WHOLE),
    ("0.1*2^(x/8)", WHOLE),
    ("expm1(x)", WHOLE),
    ("exp2(x) - 1", WHOLE),
    ("expm1(x)", (-10.0, 80.0)),
    ("log2(x)", WHOLE),
    ("log(x)", WHOLE),
    ("log10(x)", WHOLE),
    ("log(x)", (0.5, 1000.0)),
    ("log2(x)", (0.5, 1000.0)),
    ("log1p(x)", WHOLE),
    ("log2(1 + x)", WHOLE),
    ("sin(x)", TURNS),
    ("cos(x)", TURNS),
    ("tan(x)", TURNS),
    ("sin(x)", (-30.0, 30.0)),
    ("cos(x)", (-30.0, 30.0)),
    ("sin(x)/x", (-2.0, 2.0)),
    ("cosh(x)", (-1.0, 1.0)),
    ("sinpi(x)", TURNS),
    ("cos(2*pi*x)", TURNS),
    ("tanpi(x)", TURNS),
    ("tanh(x)", WHOLE),
    ("erf(x)", WHOLE),
    ("atan(x)", WHOLE),
    ("asin(x)", (-1.0, 1.0)),
    ("acos(x)", (-1.0, 1.0)),
    ("sin(x)", (-1.0, 1.0)),
    ("cos(x)", (-1.0, 1.0)),
    ("-20*log10(x)", WHOLE),
    ("log(x)/ln2", WHOLE),
    ("asin(x)", WHOLE),
    ("acos(x)", WHOLE),
    ("cbrt(x)", WHOLE),
    ("1/cbrt(x)", WHOLE),
    ("rsqrt(x)", WHOLE),
    ("sqrt(x)", WHOLE),
    ("sigmoid(x)", WHOLE),
    ("softplus(x)", WHOLE),
    ("gelu(x)", WHOLE),
    ("gelu(x)", (-2.0, 2.0)),
    ("silu(x)", WHOLE),
    ("sinh(x)", WHOLE),
    ("cosh(x)", WHOLE),
    ("asinh(x)", WHOLE),
    ("normcdf(x)", WHOLE),
    ("erfc(x)", WHOLE),
    ("1/x", (0.001, 1000.0)),
    ("rsqrt(x)", (1e-30, 1e30)),
    ("sqrt(x)", (1e-30, 1e30)),
    ("x^(1/2.4)", (0.003, 1.0)),
    ("if x <= 0.04045 then x/12.92 else ((x + 0.055)/1.055)^2.4", (0.0, 1.0)),
];

/// Inputs looked at are some three times as many.
const DENSITY: u32 = 250;
/// Own errors beyond this leave too little of a bound of 4 ulp.
const ALLOWED: f64 = 3.0;
/// The same for frames labelled `rough`, which are for bounds of a percent: 2^-13.
const ALLOWED_ROUGH: f64 = 1024.0;

#[test]
fn every_frame_is_right_on_what_it_is_for() {
    // For each frame the function on which it has its largest own error, among those on which all kinds are right.
    let mut found: BTreeMap<(String, bool), Option<(f64, String)>> = BTreeMap::new();
    let mut astray = Vec::new();
    for reduction in builtin().iter().filter(|reduction| reduction.variables == 1) {
        for (arithmetic, label) in reduction.frames() {
            let either = [true, false].into_iter().filter(|&fused| arithmetic.suits(fused));
            for fused in either.take(if arithmetic == Arithmetic::Any { 1 } else { 2 }) {
                let name = label.map_or(reduction.name.clone(), |label| format!("{}.{label}", reduction.name));
                found.insert((name, fused), None);
            }
        }
        for (text, domain) in FUNCTIONS {
            let function = parse_expr(text).expect(text);
            for fused in [true, false] {
                let Ok(fit) = reduction.fit(&function, *domain, fused) else { continue };
                for plan in fit.plans {
                    // What is for both is the same program for both.
                    let both = reduction.frames().any(|(arithmetic, label)| {
                        let name = label.map_or(reduction.name.clone(), |label| format!("{}.{label}", reduction.name));
                        arithmetic == Arithmetic::Any && name == plan.name
                    });
                    if both && !fused {
                        continue;
                    }
                    let floor = floor::measure(&plan, &fit.parts, &function, *domain, DENSITY).expect(text);
                    let place = format!("{text} on {:?}..{:?}", domain.0, domain.1);
                    let row = found.get_mut(&(plan.name.clone(), fused)).expect("listed above");
                    if let Some(wrong) = floor.wrong.first().copied().or(floor.astray) {
                        astray.push(format!("{} (fused {fused}): {place}: {wrong:?}", plan.name));
                    } else if row.as_ref().is_none_or(|(worst, _)| floor.worst > *worst) {
                        *row = Some((floor.worst, format!("{place}, at {:?}", floor.at)));
                    }
                }
            }
        }
    }
    let show = |((name, fused), row): (&(String, bool), &Option<(f64, String)>)| match row {
        Some((worst, place)) => format!("{name} (fused {fused}): {worst:.3} ulp, {place}"),
        None => format!("{name} (fused {fused}): right on no function of the list"),
    };
    // Frames for absolute errors have any number of ulp next to zeros of the function; they may not go astray.
    let allowed = |name: &str| match name.split_once('.').map(|(_, label)| label) {
        Some("absolute") => f64::INFINITY,
        Some("rough") => ALLOWED_ROUGH,
        _ => ALLOWED,
    };
    let failed: Vec<String> = found
        .iter()
        .filter(|((name, _), row)| row.as_ref().is_none_or(|(worst, _)| *worst > allowed(name)))
        .map(show)
        .collect();
    for row in found.iter().map(show) {
        println!("{row}");
    }
    println!("where frames are not used:\n{}", astray.join("\n"));
    assert!(failed.is_empty(), "{failed:#?}");
}
