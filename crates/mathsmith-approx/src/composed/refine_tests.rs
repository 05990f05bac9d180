use super::*;
use crate::composed::refine_hunt::refine_hunted;
use crate::composed::screen::{Exact, ScreenLayout, Standard, judge_program};
use crate::composed::screen_hunt::hunt;
use crate::float::objective::Figure;
use mathsmith_fit::{Dd, Fitter, Metric};
use mathsmith_oracle::Reference;
use mathsmith_verify::FloatDomain;

fn reference(text: &str) -> Reference {
    Reference::new(&mathsmith_dsl::parse_expr(text).unwrap()).unwrap()
}

/// 2^x by rounding, a polynomial on [-1/2, 1/2] at minimax constants rounded to nearest, and an addition to the exponent.
pub(crate) fn doubling(degree: usize) -> Program {
    let half = reference("exp2(x)");
    let target = |x: f64| {
        let (hi, lo) = half.value_dd(&[x]);
        Dd { hi, lo }
    };
    let seed = Fitter::new().polynomial(degree, &target, (-0.5, 0.5), Metric::Relative).unwrap();
    let mut text = "program doubling(x: f32) -> (f32) {\n".to_owned();
    for (i, c) in seed.minimax.params_f64().iter().enumerate() {
        text += &format!(" param c{i}: f32 = {}\n", *c as f32);
    }
    text += &format!(" n = round_even x\n t = sub x, n\n p{degree} = fma c{degree}, t, c{}\n", degree - 1);
    for i in (0..degree - 1).rev() {
        text += &format!(" p{} = fma p{}, t, c{i}\n", i + 1, i + 2);
    }
    text += " i = convert.i32 n\n s = shl i, 23\n b = bitcast.i32 p1\n r = add b, s\n y = bitcast.f32 r\n return y\n}";
    text.parse().unwrap_or_else(|e| panic!("{e}\n{text}"))
}

fn normal_range() -> FloatDomain {
    FloatDomain::new(-126.0, 127.0f32.next_down()).unwrap()
}

fn screen(text: &str, domain: FloatDomain, standard: Standard) -> Screen {
    Screen::new(&reference(text), &domain, standard, ScreenLayout { points: 6000, seed: 0 })
}

#[test]
fn constants_of_an_exponential_reach_the_rounding() {
    let screen = screen("exp2(x)", normal_range(), Standard::new(Figure::Ulp));
    for (degree, before, after) in [(5, 3.0, 1.65), (6, 0.9, 0.7)] {
        let program = doubling(degree);
        let start = judge_program(&screen, &program).unwrap();
        let refined = refine(&screen, &program, &RefineOptions::default()).unwrap();
        assert!(refined.judged.error <= start.error && refined.judged.broken == 0);
        assert!(start.error < before && refined.judged.error < after, "{degree}: {start:?} {:?}", refined.judged);
        let mut better = program.clone();
        refined.apply(&mut better);
        assert_eq!(judge_program(&screen, &better).unwrap(), refined.judged);
    }
}

#[test]
fn never_worse_and_always_the_same() {
    let screen = screen("exp2(x)", normal_range(), Standard::new(Figure::Rel));
    let mut program = doubling(4);
    let options = RefineOptions { evaluations: 900, seed: 5 };
    let mut last = f64::INFINITY;
    for _ in 0..3 {
        let refined = refine(&screen, &program, &options).unwrap();
        assert!(refined.judged.error <= last && refined.evaluations <= options.evaluations + 1);
        assert_eq!(refine(&screen, &program, &options).unwrap(), refined);
        last = refined.judged.error;
        refined.apply(&mut program);
    }
}

#[test]
fn constants_far_off_are_found_by_the_linear_step() {
    let screen = screen("exp2(x)", normal_range(), Standard::new(Figure::Ulp));
    let mut program = doubling(5);
    let good = refine(&screen, &program, &RefineOptions::default()).unwrap().judged.error;
    for (i, off) in [(1, 1.0001f32), (2, 0.999), (4, 1.01)] {
        let Some(Literal::F32(c)) = program.params()[i].value else { panic!() };
        program.set_param(i, Literal::F32(c * off));
    }
    let refined = refine(&screen, &program, &RefineOptions::default()).unwrap();
    assert!(refined.judged.error < good * 1.05, "{} {good}", refined.judged.error);
}

#[test]
fn points_to_be_met_are_met() {
    // p(-1/2) * 2 = p(1/2) joins the pieces; what is demanded here is the value at 1/2 itself.
    let value = 2f64.sqrt() as f32;
    let exact = vec![Exact { at: 0.0, value: 1.0 }, Exact { at: 0.5, value }];
    let screen = screen("exp2(x)", normal_range(), Standard { exact, ..Standard::new(Figure::Rel) });
    let program = doubling(3);
    let start = judge_program(&screen, &program).unwrap();
    assert!(start.broken > 0, "{start:?}");
    let refined = refine(&screen, &program, &RefineOptions::default()).unwrap();
    assert_eq!(refined.judged.broken, 0, "{refined:?}");
    assert!(refined.judged.error < start.error * 2.5, "{start:?} {refined:?}");
}

#[test]
fn wide_constants_are_moved_too() {
    let text = "program f(x: f32) -> (f32) {
        param a: f64 = 1.0
        param b: f64 = 0.69
        param c: f64 = 0.24
        param d: f64 = 0.05
        t = convert.f64 x
        p = mul d, t
        q = add p, c
        r = mul q, t
        s = add r, b
        u = mul s, t
        v = add u, a
        y = convert.f32 v
        return y
    }";
    let program: Program = text.parse().unwrap();
    let screen = screen("exp2(x)", FloatDomain::new(-0.25, 0.25).unwrap(), Standard::new(Figure::Rel));
    let start = judge_program(&screen, &program).unwrap().error;
    let refined = refine(&screen, &program, &RefineOptions::default()).unwrap();
    assert!(refined.judged.error < 6e-6 && start > 1e-4, "{start} {:?}", refined.judged);
}

#[test]
fn a_program_without_constants_stays() {
    let program: Program = "program f(x: f32) -> (f32) {\n y = sqrt x\n return y\n}".parse().unwrap();
    let screen = screen("sqrt(x)", FloatDomain::whole(), Standard::new(Figure::Ulp));
    let refined = refine(&screen, &program, &RefineOptions::default()).unwrap();
    assert!(refined.params.is_empty() && refined.judged.broken == 0);
    let open: Program = "program f(x: f32) -> (f32) {\n param c: f32\n y = mul x, c\n return y\n}".parse().unwrap();
    assert!(refine(&screen, &open, &RefineOptions::default()).is_err());
}

#[test]
fn a_hunt_finds_worse_inputs_and_constants_that_stand_them() {
    let mut screen = screen("exp2(x)", normal_range(), Standard::new(Figure::Ulp));
    let wide = Screen::new(
        screen.reference(),
        &normal_range(),
        Standard::new(Figure::Ulp),
        ScreenLayout { points: 400_000, seed: 9 },
    );
    let program = doubling(6);
    let at_once = refine(&screen, &program, &RefineOptions::default()).unwrap();
    let mut hunted = program.clone();
    at_once.apply(&mut hunted);
    let before = judge_program(&wide, &hunted).unwrap().error;
    let found = hunt(&screen, &hunted, 1);
    assert_eq!(found, hunt(&screen, &hunted, 1));
    assert!(screen.insert(&found) > 0);
    let known = judge_program(&screen, &hunted).unwrap().error;
    // What a screen thirty times as large shows is nearly found by following what is hot.
    assert!(known > at_once.judged.error && known > before * 0.97, "{known} {before}");
    let (refined, inputs) = refine_hunted(&screen, &hunted, &RefineOptions::default(), 4).unwrap();
    refined.apply(&mut hunted);
    screen.insert(&inputs);
    assert_eq!(judge_program(&screen, &hunted).unwrap(), refined.judged);
    let after = judge_program(&wide, &hunted).unwrap().error;
    assert!(refined.judged.error < known && after < before, "{after} {before}");
    assert!(after < refined.judged.error * 1.08, "{after} {:?}", refined.judged);
}
