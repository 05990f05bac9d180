//! Reductions of functions of two variables.

use mathsmith_dsl::{Expr, Reduce, parse_expr};
use mathsmith_reduce::{ReduceError, builtin, parse, plans_of_two};

const WHOLE: [(f64, f64); 2] = [(f64::NEG_INFINITY, f64::INFINITY); 2];

fn function(text: &str) -> Expr {
    parse_expr(text).unwrap_or_else(|e| panic!("{e}"))
}

fn names(text: &str, domain: [(f64, f64); 2], fused: bool) -> Vec<String> {
    let plans = plans_of_two(&function(text), domain, fused, &Reduce::Auto).unwrap_or_else(|e| panic!("{text}: {e}"));
    plans.into_iter().map(|plan| plan.name).collect()
}

#[test]
fn identities_decide_and_not_the_way_a_function_is_written() {
    for fused in [true, false] {
        for text in ["hypot(x, y)", "sqrt(x*x + y*y)", "hypot(y, x)"] {
            assert_eq!(names(text, WHOLE, fused), ["hypotenuse.wide", "hypotenuse-ratio"], "{text}");
        }
        assert_eq!(names("hypot(x, 3*y)", WHOLE, fused), ["hypotenuse.wide"]);
        assert_eq!(names("atan2(x, y)", WHOLE, fused), ["angle", "angle.wide"]);
        assert_eq!(names("atan2(y, x)", WHOLE, fused), ["angle.turned", "angle.wide.turned"]);
        assert_eq!(names("x^y", WHOLE, fused)[0], "power");
        assert_eq!(names("y^x", WHOLE, fused)[0], "power.turned");
    }
}

#[test]
fn what_is_written_otherwise_gives_the_same_frame() {
    let frames = |text: &str| {
        let plans = plans_of_two(&function(text), WHOLE, true, &Reduce::Auto).unwrap_or_else(|e| panic!("{text}: {e}"));
        plans.iter().map(|plan| plan.frame.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(frames("hypot(x, y)"), frames("sqrt(y^2 + x^2)"));
}

#[test]
fn what_does_not_fit_is_refused_with_a_reason() {
    let refused = |text: &str, choice: &str| {
        let choice = if choice == "none" { Reduce::None } else { Reduce::Named(choice.into()) };
        plans_of_two(&function(text), WHOLE, true, &choice).expect_err(text)
    };
    assert!(matches!(refused("hypot(x, y)", "none"), ReduceError::NoCoreOfTwo { .. }));
    assert!(
        matches!(refused("hypot(x, y)", "hypotenus"), ReduceError::Unknown { help, .. } if help.contains("hypotenuse"))
    );
    assert!(refused("hypot(x, y)", "angle").to_string().contains("does not hold"));
    assert!(refused("hypot(x, y)", "doubling").to_string().contains("for functions of 1 variable,"));
    assert!(refused("x + exp(y)", "hypotenuse").to_string().contains("no reduction fits"));
    let one = plans_of_two(&function("exp(x)"), WHOLE, true, &Reduce::Auto);
    assert!(matches!(one, Err(ReduceError::Subject(_))));
}

#[test]
fn files_of_two_variables_are_checked() {
    let text = "reduction r\nabout a sum\nvariables 2\nholds f(x, y) = x + y\nframe any\n\
                program frame(x: f32, y: f32) -> (f32) {\n  s = add x, y\n  return s\n}\n";
    let reduction = parse("r.reduction", text).unwrap_or_else(|e| panic!("{e:?}"));
    assert_eq!(reduction.variables, 2);
    for (from, to, what) in [
        ("f(x, y) =", "f(x) =", "takes 2 arguments"),
        ("variables 2\n", "variables 3\n", "1 or 2"),
        ("variables 2\nholds f(x, y) = x + y", "holds x = x\nvariables 2", "too late"),
        ("holds", "core y(t) = f(t, 1)\nholds", "cannot name a constant"),
        ("(x: f32, y: f32)", "(y: f32, x: f32)", "inputs are y, x, not x, y"),
    ] {
        let errors = parse("r.reduction", &text.replace(from, to)).expect_err(what);
        let shown: String = errors.iter().map(|e| e.report(false)).collect();
        assert!(shown.contains(what), "{what}: {shown}");
    }
    assert!(builtin().iter().filter(|reduction| reduction.variables == 2).count() >= 4);
}
