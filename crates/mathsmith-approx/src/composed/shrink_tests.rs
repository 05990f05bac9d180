use super::*;
use crate::composed::refine::tests::doubling;
use crate::composed::screen::{ScreenLayout, Standard};
use crate::float::objective::Figure;
use mathsmith_cost::Model;
use mathsmith_oracle::Reference;
use mathsmith_verify::FloatDomain;

fn screen(text: &str, domain: FloatDomain) -> Screen {
    let reference = Reference::new(&mathsmith_dsl::parse_expr(text).unwrap()).unwrap();
    Screen::new(&reference, &domain, Standard::new(Figure::Ulp), ScreenLayout { points: 4000, seed: 0 })
}

fn price(program: &Program) -> Option<Price> {
    thread_local! {
        static MODEL: Model = Model::builtin("x86-64-v3").unwrap();
    }
    MODEL.with(|model| {
        let cost = mathsmith_cost::cycles(program, model).ok()?;
        let size = f64::from(mathsmith_cost::size(program, model).ok()?);
        let ops = mathsmith_cost::count_ops(program).total;
        Some(Price { ops, cycles: cost.throughput, latency: cost.latency, size })
    })
}

fn ops(program: &Program) -> u32 {
    mathsmith_cost::count_ops(program).total
}

/// 2^x on the whole format: clamped, the exponent applied in two factors, round the polynomial of [`doubling`].
fn whole_doubling(degree: usize) -> Program {
    let text = doubling(degree).to_string();
    let params: String = text.lines().filter(|l| l.contains("param")).map(|l| l.to_owned() + "\n").collect();
    let steps: String = (0..degree)
        .rev()
        .map(|i| {
            let above = if i + 1 == degree { format!("c{degree}") } else { format!("p{}", i + 2) };
            format!("p{} = fma {above}, t, c{i}\n", i + 1)
        })
        .collect();
    let text = format!(
        "program whole(x: f32) -> (f32) {{
        {params}
        below = min 192.0, x
        within = max -192.0, below
        n = round_even within
        t = sub within, n
        {steps}
        i = convert.i32 n
        h = shr i, 1
        g = sub i, h
        hb = add h, 127
        gb = add g, 127
        hs = shl hb, 23
        gs = shl gb, 23
        hf = bitcast.f32 hs
        gf = bitcast.f32 gs
        a = mul p1, hf
        y = mul a, gf
        return y
    }}"
    );
    text.parse().unwrap_or_else(|e| panic!("{e}\n{text}"))
}

#[test]
fn the_whole_format_keeps_what_it_needs() {
    let screen = screen("exp2(x)", FloatDomain::whole());
    let start = whole_doubling(6);
    let before = crate::composed::screen::judge_program(&screen, &start).unwrap();
    assert_eq!(before.broken, 0, "{before:?}");
    let options = ShrinkOptions { limit: 1.0, ..ShrinkOptions::default() };
    let found = shrink(&screen, &start, &price, &options);
    assert!(found.iter().all(|s| s.judged.broken == 0));
    let best = found.iter().find(|s| s.judged.error <= 1.0).unwrap();
    // Clamps, both factors and the degree are needed.
    let text = best.program.to_string();
    assert!(text.contains("min") && text.contains("max") && ops(&best.program) >= 14, "{text}");
}

#[test]
fn a_narrow_domain_and_a_loose_bound_need_less() {
    let screen = screen("exp2(x)", FloatDomain::new(-126.0, 127.0f32.next_down()).unwrap());
    let start = whole_doubling(6);
    let tight = shrink(&screen, &start, &price, &ShrinkOptions { limit: 1.0, ..ShrinkOptions::default() });
    let best = tight.iter().find(|s| s.judged.error <= 1.0).unwrap();
    // What `doubling` is: rounding, a difference, six fma, a conversion, a shift, an addition.
    assert!(ops(&best.program) <= ops(&doubling(6)), "{}", best.program);
    let loose = shrink(&screen, &start, &price, &ShrinkOptions { limit: 60.0, ..ShrinkOptions::default() });
    let best = loose.iter().find(|s| s.judged.error <= 60.0).unwrap();
    assert!(ops(&best.program) <= ops(&doubling(4)), "{}", best.program);
    // The way down holds programs for the bounds between.
    assert!(loose.iter().any(|s| s.judged.error <= 1.0) && loose.len() >= 3);
    assert!(loose.windows(2).all(|w| w[0].judged.error > w[1].judged.error));
}

#[test]
fn doubles_that_are_not_needed_become_narrow() {
    let text = "program f(x: f32) -> (f32) {
        param a: f64 = 1.0
        param b: f64 = 0.6931471
        param c: f64 = 0.2402
        t = convert.f64 x
        p = fma c, t, b
        q = fma p, t, a
        y = convert.f32 q
        return y
    }";
    let start: Program = text.parse().unwrap();
    let screen = screen("exp2(x)", FloatDomain::new(-0.03125, 0.03125).unwrap());
    let found = shrink(&screen, &start, &price, &ShrinkOptions { limit: 60.0, ..ShrinkOptions::default() });
    let best = found.iter().find(|s| s.judged.error <= 60.0).unwrap();
    assert!(!best.program.to_string().contains("f64") && ops(&best.program) <= 2, "{}", best.program);
}

#[test]
fn threads_do_not_matter() {
    use rayon::prelude::*;
    let screen = screen("exp2(x)", FloatDomain::new(0.0, 1.0).unwrap());
    let options = ShrinkOptions { limit: 2.0, evaluations: 20_000, ..ShrinkOptions::default() };
    let shown = |found: Vec<Shrunk>| found.iter().map(|s| s.program.to_string()).collect::<Vec<_>>();
    let alone = shown(shrink(&screen, &whole_doubling(5), &price, &options));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let both: Vec<Vec<String>> = pool.install(|| {
        (0..2).into_par_iter().map(|_| shown(shrink(&screen, &whole_doubling(5), &price, &options))).collect()
    });
    assert!(both.iter().all(|b| *b == alone));
}
