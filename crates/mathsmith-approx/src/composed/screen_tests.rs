use super::*;

fn reference(text: &str) -> Reference {
    Reference::new(&mathsmith_dsl::parse_expr(text).unwrap()).unwrap()
}

fn program(text: &str) -> Program {
    text.parse().unwrap_or_else(|e| panic!("{e}\n{text}"))
}

fn judged(screen: &Screen, text: &str) -> Judged {
    judge_program(screen, &program(text)).unwrap()
}

#[test]
fn errors_are_those_of_the_judge() {
    let domain = FloatDomain::new(0.5, 4.0).unwrap();
    let sqrt = reference("sqrt(x)");
    let right = "program f(x: f32) -> (f32) {\n y = sqrt x\n return y\n}";
    let off = "program f(x: f32) -> (f32) {\n a = sqrt x\n y = mul a, 0x1.000004p+0\n return y\n}";
    for (unit, figure) in [(Figure::Ulp, 0), (Figure::Rel, 1), (Figure::Abs, 2)] {
        let screen = Screen::new(&sqrt, &domain, Standard::new(unit), ScreenLayout::default());
        let best = judged(&screen, right);
        assert_eq!(best.broken, 0);
        let j = judged(&screen, off);
        assert!(j.error > best.error);
        let exact = mathsmith_verify::point_error(&sqrt, &program(off), &[j.worst]).unwrap()[0];
        let exact = [exact.ulp, exact.rel, exact.abs][figure];
        assert!((j.error / exact - 1.0).abs() < 1e-6, "{j:?} {exact}");
    }
}

#[test]
fn specials_are_demands() {
    let whole = FloatDomain::whole();
    let screen = Screen::new(&reference("sqrt(x)"), &whole, Standard::new(Figure::Ulp), ScreenLayout::default());
    let j = judged(&screen, "program f(x: f32) -> (f32) {\n y = sqrt x\n return y\n}");
    assert_eq!(j.broken, 0);
    assert!(j.error <= 0.5);
    // NaN is swallowed, infinity cut off, the sign of zero lost, a value given where there is none: each is seen.
    for body in [
        "a = max x, 0.0\n y = sqrt a",
        "a = min 1e30, x\n y = sqrt a",
        "a = add x, 0.0\n y = sqrt a",
        "a = abs x\n y = sqrt a",
    ] {
        let j = judged(&screen, &format!("program f(x: f32) -> (f32) {{\n {body}\n return y\n}}"));
        assert!(j.broken > 0 || j.error > 1e3, "{body}: {j:?}");
    }
    let broken = |body: &str| judged(&screen, &format!("program f(x: f32) -> (f32) {{\n {body}\n return y\n}}")).broken;
    assert_eq!(broken("a = add x, 0.0\n y = sqrt a"), 1, "the sign of zero");
    assert!(broken("a = max x, 0.0\n y = sqrt a") > 10);
}

#[test]
fn points_to_be_met_exactly() {
    let domain = FloatDomain::new(0.0, 1.0).unwrap();
    let exact = vec![Exact { at: 0.0, value: 1.0 }, Exact { at: 1.0, value: 2.0 }];
    let standard = Standard { exact, ..Standard::new(Figure::Abs) };
    let screen = Screen::new(&reference("exp2(x)"), &domain, standard, ScreenLayout::default());
    let line = |a: &str| format!("program f(x: f32) -> (f32) {{\n y = fma x, 1.0, {a}\n return y\n}}");
    assert_eq!(judged(&screen, &line("1.0")).broken, 0);
    // +0, -0 and 1.
    assert_eq!(judged(&screen, &line("0.96")).broken, 3);
}

#[test]
fn narrow_formats_and_tolerances() {
    let domain = FloatDomain::new(1.0, 2.0).unwrap();
    let r = reference("x");
    let standard = Standard { judged_at: FloatFormat::BF16, ..Standard::new(Figure::Ulp) };
    let screen = Screen::new(&r, &domain, standard, ScreenLayout::default());
    let j = judged(&screen, "program f(x: f32) -> (f32) {\n return x\n}");
    assert!(j.error > 0.49 && j.error <= 0.5, "{j:?}");
    let parse = |t: &str| mathsmith_dsl::parse_expr(t).unwrap();
    let tolerance = Tolerance::new(&parse("y*2^-10"), &parse("x")).unwrap();
    let standard = Standard::new(Unit::Within(Arc::new(tolerance)));
    let screen = Screen::new(&r, &domain, standard, ScreenLayout::default());
    let j = judged(&screen, "program f(x: f32) -> (f32) {\n y = mul x, 0x1.002p+0\n return y\n}");
    assert!((j.error - 0.5).abs() < 1e-3, "{j:?}");
}

#[test]
fn a_trial_agrees_with_the_judge_and_refuses_what_is_no_better() {
    let screen =
        Screen::new(&reference("exp2(x)"), &FloatDomain::whole(), Standard::new(Figure::Ulp), ScreenLayout::default());
    let p = program("program f(x: f32) -> (f32) {\n param c: f32 = 1\n a = min 128.0, x\n y = add a, c\n return y\n}");
    let mut engine = mathsmith_jit::engine_for(&p).unwrap().0;
    let mut scratch = Scratch::default();
    let params = [Literal::F32(1.0)];
    let j = screen.judge(&mut *engine, &params, &mut scratch).unwrap();
    let score = screen.trial(&mut *engine, &params, Score::WORST, &mut scratch).unwrap().unwrap();
    assert_eq!((score.error, score.broken), (j.error, j.broken));
    assert!(screen.trial(&mut *engine, &params, score, &mut scratch).unwrap().is_none());
    let errors = screen.errors(&mut *engine, &params).unwrap();
    assert_eq!(errors.len(), screen.inputs().len());
    let hot = screen.hottest_first(&errors);
    assert_eq!(hot.judge(&mut *engine, &params, &mut scratch).unwrap().error, j.error);
}

#[test]
fn inserted_inputs_count_once() {
    let domain = FloatDomain::new(0.0, 1.0).unwrap();
    let mut screen = Screen::new(&reference("exp(x)"), &domain, Standard::new(Figure::Ulp), ScreenLayout::default());
    let new = 0.123_456_78f32;
    let before = screen.len();
    screen.insert(&[new, new, 3.0]);
    assert!(screen.len() <= before + 1);
    assert_eq!(screen.insert(&[new]), 0);
}
