//! Domains: ends, floats inside, poles, undefined stretches, removable singularities.

use mathsmith_oracle::{DomainEnds, DomainError, Note, Reference, analyse, analyse_floats};

fn reference(text: &str) -> Reference {
    let expr = mathsmith_dsl::parse_expr(text).unwrap_or_else(|e| panic!("{text}: {e:?}"));
    Reference::new(&expr).unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn ends(text: &str) -> Result<DomainEnds, DomainError> {
    DomainEnds::new(&mathsmith_dsl::parse_domain(text).unwrap_or_else(|e| panic!("{text}: {e:?}")))
}

#[test]
fn poles_and_stretches_are_named() {
    let cases = [
        ("1/x", -1.0, 1.0, "pole at 0"),
        ("1/x", 0.0, 1.0, "pole at 0, an end of the domain: choose a domain without it, such as 0x1p-126..1"),
        ("1/(x-1)", 0.0, 1.0, "pole at 1, an end of the domain: choose a domain without it, such as 0..<1"),
        ("log(x)", -1.0, 1.0, "undefined on [-1, 0): choose a domain without it, such as 0x1p-126..1"),
        ("log(x)", 0.0, 1.0, "such as 0x1p-126..1"),
        ("sqrt(x-0.5)", 0.0, 1.0, "undefined on [0, 0.5): choose a domain without it, such as 0x1p-1..1"),
        ("sqrt(0.5-x)", 0.0, 1.0, "undefined on (0.5, 1]: choose a domain without it, such as 0..0x1p-1"),
        ("tan(x)", 0.0, 2.0, "pole at 1.5707963267948966"),
        ("tan(x)", 0.0, 1e6, "pole at 1.5707963267948966"),
        ("gamma(x)", -2.5, 1.0, "pole at -2"),
        ("lgamma(x)", -0.5, 1.0, "pole at 0"),
        ("y0(x)", 0.0, 1.0, "pole at 0"),
        ("atanh(x)", -1.0, 0.5, "pole at -1"),
        ("acosh(x)", 0.0, 2.0, "undefined on [0, 1)"),
        ("x^0.5", -1.0, 1.0, "undefined on [-1, 0)"),
        ("x^-1", -1.0, 1.0, "pole at 0"),
        ("1/(exp(x)-1)", -1.0, 1.0, "pole at 0"),
        ("log(sin(x))", 0.5, 4.0, "undefined on (3.141592653589793, 4]"),
        ("1/(x^2-2)", 0.0, 2.0, "pole at 1.414213562373095"),
        ("digamma(x)", -0.5, 0.5, "pole at 0"),
        ("log(x-3)", 0.0, 1.0, "undefined on [0, 1]: choose a domain without it"),
    ];
    for (text, lo, hi, want) in cases {
        match analyse(&reference(text), lo, hi, false) {
            Err(e) => assert!(e.to_string().contains(want), "{text} on {lo}..{hi}: {e}"),
            Ok(r) => panic!("{text} on {lo}..{hi}: {r:?}"),
        }
    }
}

#[test]
fn poles_between_doubles_are_no_floats() {
    let tan = analyse_floats(&reference("tan(x)"), 0.0, 8.0, false).expect("no double is a pole of the tangent");
    let poles: Vec<f64> =
        tan.notes.iter().filter_map(|n| if let Note::Pole { at } = n { Some(*at) } else { None }).collect();
    assert_eq!(poles.len(), 3, "{:?}", tan.notes);
    assert!((poles[0] - std::f64::consts::FRAC_PI_2).abs() < 1e-15);
    let error = analyse_floats(&reference("1/(x-1)"), 0.0, 2.0, false).expect_err("1 is a float");
    assert!(error.to_string().contains("pole at 1"), "{error}");
}

/// Expression, domain, removable singularities with their limits.
type Case<'a> = (&'a str, f64, f64, &'a [(f64, f64)]);

#[test]
fn usable_domains_pass() {
    let euler = -0.577_215_664_901_532_9;
    let cases: &[Case] = &[
        ("exp2(x)", 0.0, 1.0, &[]),
        ("log2(1+x)/x", 0.0, 1.0, &[(0.0, std::f64::consts::LOG2_E)]),
        ("sin(x)/x", -10.0, 10.0, &[(0.0, 1.0)]),
        ("(exp(x)-1)/x", -1.0, 1.0, &[(0.0, 1.0)]),
        ("x/(exp(x)-1)", -100.0, 100.0, &[(0.0, 1.0)]),
        ("lgamma(1+x)/x", -0.5, 1.0, &[(0.0, euler)]),
        ("(x^2-4)/(x-2)", 0.0, 4.0, &[(2.0, 4.0)]),
        ("x*log(x)", 0.0, 1.0, &[(0.0, -0.0)]),
        ("sin(x)", -1e6, 1e6, &[]),
        ("sqrt(x)", 0.0, 1e30, &[]),
        ("sqrt(1-x*x)", -1.0, 1.0, &[]),
        ("tan(x)", -1.5, 1.5, &[]),
        ("gamma(x)", 0.5, 170.0, &[]),
        ("gamma(x)", -2.75, -2.25, &[]),
        ("airyai(x)", -20.0, 20.0, &[]),
        ("j0(x)", -50.0, 50.0, &[]),
        ("y1(x)", 0.5, 50.0, &[]),
        ("1/(1+exp(-x))", -100.0, 100.0, &[]),
        ("x^x", 0.5, 3.0, &[]),
        ("acos(x)", -1.0, 1.0, &[]),
    ];
    for (text, lo, hi, want) in cases {
        let report = analyse(&reference(text), *lo, *hi, false).unwrap_or_else(|e| panic!("{text}: {e}"));
        let found: Vec<(f64, f64)> = report.removable.iter().map(|r| (r.at, r.limit)).collect();
        assert_eq!(&found, want, "{text}");
        assert!(report.notes.is_empty(), "{text}: {:?}", report.notes);
    }
}

#[test]
fn jumps_and_doubts_are_notes() {
    let r = analyse(&reference("if x < 1 then 0 else 1"), 0.0, 2.0, false).unwrap();
    assert!(matches!(r.notes[..], [Note::Jump { at }] if (at - 1.0).abs() < 1e-15), "{r:?}");
    let r = analyse(&reference("floor(x)"), 0.5, 2.5, false).unwrap();
    assert_eq!(r.notes.len(), 2, "{r:?}");
    let r = analyse(&reference("sqrt(x^2-2*x+1)"), 0.0, 2.0, false).unwrap();
    assert!(!r.notes.is_empty() && r.notes.iter().all(|n| matches!(n, Note::Unproven { .. })), "{r:?}");
}

#[test]
fn the_whole_format_may_have_gaps() {
    let inf = f64::INFINITY;
    let r = analyse(&reference("log(x)"), -inf, inf, true).unwrap();
    assert_eq!(r.notes, [Note::Undefined { from: -inf, to: 0.0 }, Note::Pole { at: 0.0 }]);
    for text in ["exp(x)", "tanh(x)", "x*exp(-x^2)", "sin(x)", "atan(x)", "x*0.5*(1+erf(x/sqrt(2)))", "x/(1+exp(-x))"] {
        let r = analyse(&reference(text), -inf, inf, true).unwrap();
        assert!(r.notes.is_empty() && r.removable.is_empty(), "{text}: {r:?}");
    }
    let r = analyse(&reference("tan(x)"), -3.4e38, 3.4e38, true).unwrap();
    assert!(!r.notes.is_empty());
    let r = analyse(&reference("gamma(x)"), -inf, inf, true).unwrap();
    assert!(!r.notes.is_empty());
}

#[test]
fn ends_are_rigorous() {
    let tiny = f32::from_bits(1);
    let cases = [
        ("0..1", 0.0, 1.0),
        ("0..<1", 0.0, 1.0_f32.next_down()),
        ("-1..0", -1.0, 0.0),
        ("-1..<0", -1.0, -tiny),
        ("-pi/4..pi/4", -std::f32::consts::FRAC_PI_4.next_down(), std::f32::consts::FRAC_PI_4.next_down()),
        ("1/3..2/3", 0.333_333_34, 0.666_666_6),
        ("0.1..0.2", 0.1, 0.2_f32.next_down()),
        ("0x1p-126..1", f32::MIN_POSITIVE, 1.0),
        ("0..1e-46", 0.0, 0.0),
        ("-inf..inf", f32::NEG_INFINITY, f32::INFINITY),
        ("-inf..<inf", f32::NEG_INFINITY, f32::MAX),
        ("0..1e300", 0.0, f32::MAX),
        ("sqrt(2)^2..3", 2.0, 3.0),
        ("0..<sqrt(2)^2", 0.0, 2.0_f32.next_down()),
    ];
    for (text, lo, hi) in cases {
        let got = ends(text).and_then(|e| e.f32_range()).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!((got.0.to_bits(), got.1.to_bits()), (lo.to_bits(), hi.to_bits()), "{text}: {got:?}");
    }
    assert_eq!(ends("0.1..0.2").unwrap().f64_range().unwrap(), (0.1, 0.2_f64.next_down()));
    let e = ends("sqrt(3)..sqrt(2)").unwrap_err();
    assert!(matches!(e, DomainError::Reversed { .. }), "{e}");
    let e = ends("log(-1)..1").unwrap_err();
    assert!(matches!(e, DomainError::NotANumber { which: "lower" }), "{e}");
    let e = ends("sqrt(2)..1.4142137").unwrap().f32_range();
    assert!(e.is_ok(), "{e:?}");
    let e = ends("sqrt(2)..1.41421357").unwrap().f32_range().unwrap_err();
    assert!(matches!(e, DomainError::Empty { format: "f32", .. }), "{e}");
}
