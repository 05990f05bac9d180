//! From functions to plans: constants, identities, nesting, choices.

use mathsmith_dsl::{Expr, Reduce, parse_expr};
use mathsmith_ir::Type;
use mathsmith_oracle::Reference;
use mathsmith_reduce::{Misfit, Plan, ReduceError, Reduction, floor, parse, plans};
use rug::Float;

const WHOLE: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);

fn function(text: &str) -> Expr {
    parse_expr(text).expect(text)
}

/// A reduction of these lines, with a frame that hands x to its one core.
fn reduction(lines: &str) -> Reduction {
    let frame = "frame any\nprogram frame(x: f32, y: f32) -> (f32, f32) {\n  return y, x\n}\n";
    parse("tried.reduction", &format!("reduction tried\nabout a test\n{lines}\ncore y(t) = f(t)\n{frame}"))
        .unwrap_or_else(|errors| panic!("{}", errors.iter().map(|e| e.report(false)).collect::<String>()))
}

fn constant(reduction: &Reduction, text: &str, domain: (f64, f64), name: &str) -> Float {
    let fit = reduction.fit(&function(text), domain, true).unwrap_or_else(|misfit| panic!("{text}: {misfit}"));
    fit.constants.into_iter().find(|(n, _)| n == name).expect("the constant is there").1
}

#[test]
fn constants_are_exact_or_known_to_their_bits() {
    let doubling = reduction("solve P in -200..200: f(P) = 2*f(0)\nholds f(x + P) = 2*f(x)\nlet R = 1/P");
    for text in ["2^x", "exp2(x)", "exp(x*ln2)", "3*2^x", "1/exp2(-x)"] {
        assert_eq!(constant(&doubling, text, WHOLE, "P"), 1, "{text}");
    }
    let ln2 = Float::with_val(320, rug::float::Constant::Log2);
    for text in ["exp(x)", "e^x", "exp2(x/ln2)", "sinh(x) + cosh(x)", "7*exp(x)"] {
        assert_eq!(constant(&doubling, text, WHOLE, "P"), ln2, "{text}");
        assert_eq!(constant(&doubling, text, WHOLE, "R"), Float::with_val(320, 1 / ln2.clone()), "{text}");
    }
    assert_eq!(constant(&doubling, "exp(-x)", WHOLE, "P"), -ln2);
    let zero = reduction("solve Z in 0..100: f(Z) = 0");
    let half_pi = Float::with_val(320, rug::float::Constant::Pi) >> 1u32;
    assert_eq!(constant(&zero, "cos(x)", WHOLE, "Z"), half_pi);
    // The value at the start is taken again before a period is over, and at the top of a wave the sign does not change.
    let period = reduction("solve P in 0..100: f(1 + P) = f(1)\nholds f(x + P) = f(x)");
    let two_pi = Float::with_val(320, rug::float::Constant::Pi) << 1u32;
    for text in ["sin(x)", "cos(x)", "3 + sin(x) - cos(x)/2", "sin(x)*cos(x) + sin(x)"] {
        assert_eq!(constant(&period, text, WHOLE, "P"), two_pi, "{text}");
    }
    let limits = reduction("let A = f(inf)\nlet B = f(-inf)\nlet C = f(0)");
    assert_eq!(constant(&limits, "tanh(x)", WHOLE, "A"), 1);
    assert_eq!(constant(&limits, "atan(x)", WHOLE, "B"), -half_pi);
    assert_eq!(constant(&limits, "sin(x)/x", WHOLE, "C"), 1);
    let pieces = reduction("let P = f(1)\nsplit P into A:8 B:9 C");
    let [a, b, c] = ["A", "B", "C"].map(|name| constant(&pieces, "exp(x)", WHOLE, name));
    assert_eq!((a.to_f64(), b.to_f64()), (2.71875, -0.00046825408935546875));
    assert_eq!(Float::with_val(400, &a + &b) + &c, constant(&pieces, "exp(x)", WHOLE, "P"));
}

#[test]
fn what_does_not_hold_is_told() {
    let odd = reduction("holds f(-x) = -f(x)");
    for text in ["sin(x)", "x^3 - x", "exp(x) - exp(-x)", "log((1 + x)/(1 - x))"] {
        odd.fit(&function(text), (-0.9, 0.9), true).unwrap_or_else(|misfit| panic!("{text}: {misfit}"));
    }
    for text in ["cos(x)", "x + 1e-40", "sin(x) + 2^-100*x^2"] {
        let misfit = odd.fit(&function(text), (-1.0, 1.0), true).expect_err(text);
        assert!(matches!(misfit, Misfit::Identity { .. }), "{text}: {misfit}");
        assert!(misfit.to_string().contains("`f(-x) = -f(x)` does not hold: at x = "), "{misfit}");
    }
    // Both sides vanish, or hardly anything is defined.
    assert!(matches!(odd.fit(&function("log(x)"), WHOLE, true), Err(Misfit::Points { .. })));
    // Terms that cancel are compared by their size.
    reduction("holds f(x) + f(-x) - 2*f(0) = 0").fit(&function("sin(x) + 1"), WHOLE, true).expect("it holds");
    let sum = reduction("holds f(x*y) = f(x) + f(y)");
    sum.fit(&function("log2(x)"), (0.0, f64::INFINITY), true).expect("a logarithm");
    assert!(sum.fit(&function("x"), WHOLE, true).expect_err("not one").to_string().contains("y = "));
    let misfit = reduction("solve P in 1..9: f(P) = 0").fit(&function("exp(x)"), WHOLE, true).expect_err("no root");
    assert_eq!(misfit.to_string(), "no P other than 0 between 1 and 9 solves `f(P) = 0`");
    let misfit = reduction("when hi - lo > 9").fit(&function("exp(x)"), (0.0, 1.0), true).expect_err("narrow");
    assert_eq!(misfit.to_string(), "`hi - lo > 9` is not met: the left side is 1, the right side 9");
    let misfit = reduction("let A = 1/f(inf)").fit(&function("exp(x)"), WHOLE, true).expect_err("infinite");
    assert_eq!(misfit.to_string(), "`1/f(inf)` is needed, but the function is infinite at inf");
    let misfit = reduction("let A = f(-1)").fit(&function("log(x)"), WHOLE, true).expect_err("undefined");
    assert!(misfit.to_string().contains("the function has no value at -1"), "{misfit}");
    assert!(matches!(odd.fit(&function("x*y"), WHOLE, true), Err(Misfit::Variables { found: 2, wanted: 1 })));
    for domain in [(1.0, 1.0), (1e300, 1e301), (f64::INFINITY, f64::INFINITY)] {
        let _ = odd.fit(&function("exp(x)"), domain, true);
    }
}

/// Plans without what names them and what the function is written as: frames, and the values of what their cores must be.
fn shape(plans: &[Plan]) -> Vec<(String, String, Vec<Vec<u32>>)> {
    let values = |plan: &Plan| {
        let at = |core: &mathsmith_reduce::Core| {
            let reference = Reference::new(&core.target).expect("targets compile");
            (0..20).map(|i| reference.round_f32(&[f64::from(i) * 0.05 + 0.01]).to_bits()).collect()
        };
        plan.cores.iter().map(at).collect()
    };
    plans.iter().map(|plan| (plan.name.clone(), plan.frame.to_string(), values(plan))).collect()
}

#[test]
fn another_spelling_is_the_same_question() {
    let groups: [&[&str]; 4] = [
        &["2^x", "exp2(x)", "exp(x*ln2)"],
        &["exp(x)", "e^x", "exp2(x/ln2)"],
        &["log2(x)", "log(x)/ln2", "log10(x)/log10(2)"],
        &["tanh(x)", "1 - 2/(exp(2*x) + 1)", "2/(1 + exp(-2*x)) - 1"],
    ];
    for spellings in groups {
        for fused in [true, false] {
            let of = |text: &&str| plans(&function(text), WHOLE, fused, &Reduce::Auto).ok().map(|plans| shape(&plans));
            let all: Vec<_> = spellings.iter().map(of).collect();
            assert!(all.windows(2).all(|pair| pair[0] == pair[1]), "{spellings:?}, fused {fused}: {all:#?}");
        }
    }
    let turns = |text: &str| shape(&plans(&function(text), (-1e5, 1e5), true, &Reduce::Auto).expect(text));
    assert_eq!(turns("sin(x)"), turns("cos(x - pi/2)"));
    assert_eq!(turns("cos(x)"), turns("1 - 2*sin(x/2)^2"));
}

#[test]
fn choices_are_met_or_explained() {
    let exp = function("exp(x)");
    let named = |name: &str, text: &str, domain| plans(&function(text), domain, true, &Reduce::Named(name.into()));
    let all = named("doubling", "exp(x)", WHOLE).expect("exp is an exponential");
    assert!(all.iter().all(|plan| plan.name.starts_with("doubling")) && !all.is_empty());
    let error = named("doubling", "sin(x)", WHOLE).expect_err("sin is none").to_string();
    assert!(error.contains("`doubling` does not fit: ") && error.contains("help: "), "{error}");
    let error = named("logarithm", "exp(x)", WHOLE).expect_err("exp is no logarithm").to_string();
    assert!(error.contains("those that fit this function on this domain: ") && error.contains("doubling"), "{error}");
    let error = named("dobling", "exp(x)", WHOLE).expect_err("no such name").to_string();
    assert!(error.contains("did you mean `doubling`?"), "{error}");
    let error = named("frobnicate", "exp(x)", WHOLE).expect_err("no such name").to_string();
    assert!(error.contains("there are auto, none, ") && error.contains("doubling"), "{error}");

    let none = plans(&exp, (0.0, 1.0), true, &Reduce::None).expect("finite on an interval");
    assert_eq!(none.iter().map(|plan| plan.name.as_str()).collect::<Vec<_>>(), ["none"]);
    for (text, domain, cause) in [
        ("exp(x)", WHOLE, "the domain is unbounded"),
        ("exp(x)", (0.0, 100.0), "the function is inf at x = "),
        ("log(x)", (-1.0, 1.0), "the function is NaN at x = -1"),
    ] {
        let error = plans(&function(text), domain, true, &Reduce::None).expect_err(text);
        assert!(matches!(error, ReduceError::NoCore { .. }) && error.to_string().contains(cause), "{text}: {error}");
    }
    let error = plans(&function("gamma(x)"), WHOLE, true, &Reduce::Auto).expect_err("nothing is known of it");
    assert!(matches!(error, ReduceError::Nothing { .. }) && error.to_string().contains("help: "), "{error}");
    assert!(matches!(
        plans(&function("x/y"), WHOLE, true, &Reduce::Auto),
        Err(ReduceError::Subject(Misfit::Variables { found: 2, wanted: 1 }))
    ));
    let names = |plans: &[Plan]| plans.iter().map(|plan| plan.name.clone()).collect::<Vec<_>>();
    let auto = plans(&exp, (0.0, 10.0), true, &Reduce::Auto).expect("finite");
    assert_eq!(auto[0].name, "none");
    assert_eq!(names(&auto), names(&plans(&exp, (0.0, 10.0), true, &Reduce::Auto).expect("finite")));
    assert!(auto.len() <= 32 && auto.windows(2).all(|pair| pair[0].operations() <= pair[1].operations()));
}

#[test]
fn a_part_takes_the_place_of_its_hole() {
    let first = "core q(t) = f(t)\npart y(t) = f(t)\ncore r(t) = f(-t)";
    let outer = parse(
        "outer.reduction",
        &format!(
            "reduction outer\nabout a test\n{first}\nframe any\nprogram frame(x: f32, q: f32, y: f32, r: f32) -> (f32, f32, f32, f32) {{
  t = abs x
  u = mul q, 2.0
  s = add y, t
  w = mul y, r
  result = add w, u
  return result, x, t, s
}}\n"
        ),
    )
    .expect("a reduction");
    let inner = parse(
        "inner.reduction",
        "reduction inner\nabout a test\nlet C = f(0)\ntune C\ncore y(t) = f(2*t)\ncore q(t) = f(t)\nframe any short
program frame(x: f32, y: f32, q: f32) -> (f32, f32, f32) {
  param C: f32
  t = add x, C
  s = mul y, t
  result = sub s, q
  return result, t, s
}\n",
    )
    .expect("a reduction");
    let f = function("exp(x)");
    let [outer] = &outer.instantiate(&f, (-1.0, 1.0), true).expect("it fits")[..] else { panic!("one frame") };
    let [inner] = &inner.instantiate(&outer.cores[1].target, (0.0, 1.0), true).expect("it fits")[..] else {
        panic!("one frame")
    };
    let whole = outer.nest(1, inner).expect("the types agree");
    assert_eq!(whole.name, "outer/inner.short");
    assert_eq!(whole.cores.iter().map(|core| core.name.as_str()).collect::<Vec<_>>(), ["q", "y", "y_q", "r"]);
    mathsmith_ir::verify::check(&whole.frame).expect("a valid program");
    assert_eq!(whole.operations(), outer.operations() + inner.operations());
    // Nested, it computes what the two compute one after the other, with cores of any kind.
    let core = |name: &str, factor: &str| -> mathsmith_ir::Program {
        format!("program {name}(t: f32) -> (f32) {{\n s = mul t, {factor}\n r = add s, 0.25\n return r\n}}")
            .parse()
            .expect(name)
    };
    let (q, r, a, b) = (core("q", "0.5"), core("r", "0.75"), core("a", "-1.5"), core("b", "3.0"));
    let part = inner.compose("part", &[a.clone(), b.clone()]).expect("two cores");
    let one = outer.compose("f", &[q.clone(), part, r.clone()]).expect("three cores");
    let other = whole.compose("f", &[q, a, b, r]).expect("four cores");
    let run = |program: &mathsmith_ir::Program, x: f32| {
        let params: Vec<_> = program.params().iter().map(|p| p.value.expect("a value")).collect();
        let all = mathsmith_ir::interp::trace(program, &params, &[mathsmith_ir::Literal::F32(x)]).expect("it runs");
        all[program.outputs()[0].index()]
    };
    for x in [-0.75f32, 0.0, 0.3, 1.0] {
        assert_eq!(run(&one, x), run(&other, x), "{x}");
    }
    let wide = Plan::none(&f, Type::F64);
    assert!(outer.nest(1, &wide).is_err() && outer.nest(3, inner).is_err());
}

#[test]
fn parts_are_planned_again() {
    let read = |text: &str| parse("tried.reduction", text).unwrap_or_else(|e| panic!("{}", e[0].report(false)));
    let mirror = read(
        "reduction mirror\nabout a test\nholds f(-x) = -f(x)\nwhen lo < 0\npart y(t) = f(t)\nframe any
program frame(x: f32, y: f32) -> (f32, f32) {\n  t = abs x\n  n = neg y\n  c = lt x, 0.0\n  r = select c, n, y\n  return r, t\n}\n",
    );
    let fold = read(
        "reduction fold\nabout a test\nlet A = 2\nholds f(x + A) = f(x)\nwhen lo >= 0\npart y(t) = f(t)\nframe any
program frame(x: f32, y: f32) -> (f32, f32) {
  param A: f32
  h = mul x, 0.5
  n = floor h
  m = mul n, A
  t = sub x, m
  return y, t
}\n",
    );
    let half = read(
        "reduction half\nabout a test\nholds f(2 - x) = -f(x)\nwhen hi <= 2\nwhen hi > 1.99\nwhen lo >= 0\ncore y(t) = f(t)\nframe any
program frame(x: f32, y: f32) -> (f32, f32) {
  a = sub x, 1.0
  b = abs a
  t = sub 1.0, b
  n = neg y
  c = gt x, 1.0
  r = select c, n, y
  return r, t
}\n",
    );
    let all = [mirror, fold, half];
    let names = |text: &str, domain, choice: &Reduce| -> Vec<String> {
        let found = mathsmith_reduce::plans_with(&all, &function(text), domain, true, choice);
        found.unwrap_or_else(|e| panic!("{text}: {e}")).into_iter().map(|plan| plan.name).collect()
    };
    // The domain of a part is what the frame makes of the domain: 0..2 after `fold`, which `half` asks for.
    let expected = ["none", "mirror", "mirror/fold", "mirror/fold/half"];
    assert_eq!(names("sin(pi*x)", (-50.0, 50.0), &Reduce::Auto), expected);
    assert_eq!(names("sin(pi*x)", (-50.0, 50.0), &Reduce::Named("mirror".into())), expected[1..]);
    assert_eq!(names("sin(pi*x)", (0.0, 50.0), &Reduce::Auto), ["none", "fold", "fold/half"]);
    assert_eq!(names("sin(pi*x)", (0.0, 2.0), &Reduce::Auto), ["none", "fold", "half"]);
    assert_eq!(names("x^3", (-2.0, 2.0), &Reduce::Auto), ["none", "mirror"]);
    // A part on an unbounded interval is no core; a reduction of it makes it one.
    let clamp = read(
        "reduction clamp\nabout a test\nwhen lo >= 0\nwhen hi > 9\nlet L = f(inf)\nsolve C in 0..9: f(C) = L*(1 - 2^-26)\ncore y(t) = f(t)
frame any
program frame(x: f32, y: f32) -> (f32, f32) {\n  param C: f32\n  t = min C, x\n  return y, t\n}\n",
    );
    let whole = |reductions: &[Reduction]| {
        mathsmith_reduce::plans_with(reductions, &function("erf(x)"), WHOLE, true, &Reduce::Auto)
    };
    assert!(matches!(whole(&all), Err(ReduceError::Nothing { .. })));
    let named = Reduce::Named("mirror".into());
    let error = mathsmith_reduce::plans_with(&all, &function("erf(x)"), WHOLE, true, &named).expect_err("no core");
    assert!(matches!(error, ReduceError::Part { .. }), "{error}");
    let found = whole(&[all[0].clone(), clamp]).expect("odd, and with a limit");
    assert_eq!(found.iter().map(|plan| plan.name.as_str()).collect::<Vec<_>>(), ["mirror/clamp"]);
    // Where `square` fits at once, the way through `even` leads to the same core on the same interval and is left out.
    let square = read(
        "reduction square\nabout a test\nholds f(-x) = f(x)\nwhen hi < 9\ncore y(s) = f(sqrt(s))\nframe any
program frame(x: f32, y: f32) -> (f32, f32) {\n  s = mul x, x\n  return y, s\n}\n",
    );
    let even = read(
        "reduction even\nabout a test\nholds f(-x) = f(x)\nwhen lo < 0\npart y(t) = f(t)\nframe any
program frame(x: f32, y: f32) -> (f32, f32) {\n  t = abs x\n  return y, t\n}\n",
    );
    let names_of = |all: &[Reduction], text: &str, domain| -> Vec<String> {
        let found = mathsmith_reduce::plans_with(all, &function(text), domain, true, &Reduce::Auto);
        found.unwrap_or_else(|e| panic!("{text}: {e}")).into_iter().map(|plan| plan.name).collect()
    };
    assert_eq!(names_of(&[even, square], "cosh(x)", (-2.0, 2.0)), ["none", "even", "square"]);
    let plans = mathsmith_reduce::plans_with(&all, &function("sin(pi*x)"), (-50.0, 50.0), true, &Reduce::Auto);
    let deep = plans.expect("planned above").pop().expect("four of them");
    let floor = floor::measure(&deep, &[], &function("sin(pi*x)"), (-50.0, 50.0), 300).expect("it can be measured");
    let (lo, hi) = floor.ranges[0].expect("finite arguments");
    assert!(floor.astray.is_none() && (lo, hi) == (0.0, 1.0), "{floor:?}");
}

#[test]
fn a_frame_that_goes_astray_is_no_plan() {
    // The identity holds on the domain; but the frame asks the core left of it, where the function is another one.
    let fold = parse(
        "fold.reduction",
        "reduction fold\nabout a test\nholds f(x + 1) = 2*f(x)\ncore y(t) = f(t)\nframe any
program frame(x: f32, y: f32) -> (f32, f32) {\n  t = sub x, 1.0\n  r = add y, y\n  return r, t\n}\n",
    )
    .expect("a reduction");
    let try_on = |text: &str| {
        let named = Reduce::Named("fold".into());
        mathsmith_reduce::plans_with(std::slice::from_ref(&fold), &function(text), (0.0, 3.0), true, &named)
    };
    assert_eq!(try_on("exp2(x)").expect("it fits").len(), 1);
    let error = try_on("exp2(abs(x))").expect_err("wrong below 1");
    assert!(matches!(error, ReduceError::Astray { .. }), "{error}");
    assert!(
        error.to_string().contains("is not for this domain: its frame gives 4 at x = -0, where the function is 1"),
        "{error}"
    );
}

#[test]
fn exact_cores_leave_the_error_of_the_frame() {
    let f = function("exp(x)");
    let none = Plan::none(&f, Type::F32);
    let floor = floor::measure(&none, &[], &f, (-10.0, 10.0), 200).expect("it can be measured");
    assert!(floor.worst > 0.45 && floor.worst <= 0.5 && floor.wrong.is_empty(), "{floor:?}");
    // An argument that is not finite has no core; and NaN goes in only where the domain is the whole format.
    let floor = floor::measure(&none, &[], &f, WHOLE, 200).expect("it can be measured");
    assert_eq!(
        floor.wrong.iter().map(|w| w.input).filter(|x| !x.is_nan()).collect::<Vec<_>>(),
        [f64::NEG_INFINITY, f64::INFINITY]
    );
    // A frame that loses half of its digits.
    let lossy = parse(
        "lossy.reduction",
        "reduction lossy\nabout a test\ncore y(t) = f(t)\nframe any\nprogram frame(x: f32, y: f32) -> (f32, f32) {
  a = add y, 4096.0\n  r = sub a, 4096.0\n  return r, x\n}\n",
    )
    .expect("a reduction");
    let plan = &lossy.instantiate(&f, (0.0, 1.0), true).expect("it fits")[0];
    let floor = floor::measure(plan, &[], &f, (0.0, 1.0), 200).expect("it can be measured");
    assert!((1000.0..2049.0).contains(&floor.worst), "{floor:?}");
}
