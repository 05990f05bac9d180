//! Plans written by hand, as reductions will make them: what assembly finds is compared with what is known of them.

use super::assemble::{AssembleOptions, assemble};
use super::assemble_sites::{Site, sample, sites};
use super::*;
use crate::question::Question;
use mathsmith_dsl::{Problem, parse_expr_with_vars, parse_problem};
use mathsmith_ir::Type;
use mathsmith_reduce::Core;
use mathsmith_verify::{AdversarialSet, points::Layout};

pub fn question(text: &str) -> Question {
    let raw = parse_problem("test", text).unwrap_or_else(|e| panic!("{e:?}"));
    let problem: Problem = raw.resolve().unwrap_or_else(|e| panic!("{e:?}")).problem;
    Question::new(problem).unwrap_or_else(|e| panic!("{e}"))
}

/// A plan of one core of type f32 from the text of its frame.
pub fn plan(frame: &str, cores: &[(&str, &str)]) -> Arc<Plan> {
    let frame: Program = frame.parse().unwrap_or_else(|e| panic!("{e}\n{frame}"));
    let core = |&(name, target): &(&str, &str)| Core {
        name: name.into(),
        target: parse_expr_with_vars(target, &["t"]).expect("an expression"),
        argument: Type::F32,
        value: Type::F32,
    };
    Arc::new(Plan { name: "by-hand".into(), variables: 1, frame, cores: cores.iter().map(core).collect() })
}

/// 2^x: x = n + t with n whole, 2^t from the core, n added to its exponent.
pub fn exp2_plan() -> Arc<Plan> {
    let frame = "program frame(x: f32, y: f32) -> (f32, f32) {
        n = round_even x
        t = sub x, n
        k = convert.i32 n
        s = shl k, 23
        b = bitcast.i32 y
        r = add b, s
        v = bitcast.f32 r
        return v, t
    }";
    plan(frame, &[("y", "exp2(t)")])
}

/// log2 x = e + t y(t) with x = 2^e (1 + t).
pub fn log2_plan() -> Arc<Plan> {
    let frame = "program frame(x: f32, y: f32) -> (f32, f32) {
        b = bitcast.i32 x
        d = sub b, 0x3f3504f3
        s = shr d, 23
        k = shl s, 23
        m = sub b, k
        z = bitcast.f32 m
        t = sub z, 1.0
        e = convert.f32 s
        r = fma t, y, e
        return r, t
    }";
    plan(frame, &[("y", "log2(1+t)/t")])
}

/// sin x = +-(u + u^3 y(u^2)), u = x - n pi in three pieces.
pub fn sin_plan() -> Arc<Plan> {
    let frame = "program frame(x: f32, y: f32) -> (f32, f32) {
        q = mul x, 0x1.45f306p-2
        n = round_even q
        m = neg n
        u1 = fma m, 0x1.921fb6p+1, x
        u2 = fma m, -0x1.777a5cp-24, u1
        u = fma m, -0x1.ee59dap-49, u2
        k = convert.i32 n
        s = shl k, 31
        b = bitcast.i32 u
        f = xor b, s
        v = bitcast.f32 f
        t = mul u, u
        c = mul t, v
        r = fma c, y, v
        return r, t
    }";
    plan(frame, &[("y", "(sin(sqrt(t))/sqrt(t)-1)/t")])
}

/// The largest error in ulp on some thousand inputs.
pub fn worst(question: &Question, program: &Program) -> f64 {
    let domain = question.domain.expect("a float question");
    let layout = Layout { neighbours: 4, chebyshev: 3000, per_binade: 8, random: 2000, seed: 1 };
    let set = AdversarialSet::initial(&question.reference, &domain, layout);
    let mut engine = mathsmith_ir::Interpreter::new(&program.bound()).expect("a program over floats");
    set.screen(&mut engine, &[], &mut Vec::new()).expect("one f32 to one f32").ulp
}

fn inputs(question: &Question) -> Vec<f32> {
    sample(&question.domain.expect("a float question"))
}

#[test]
fn a_scaled_core_weighs_one_ulp_of_its_own() {
    let q = question("approx exp2(x)\non -125..127\n");
    let sites = sites(&q, &exp2_plan(), &inputs(&q)).expect("a sound plan");
    let [Site { interval, nodes, .. }] = &sites[..] else { panic!("one core") };
    assert!(interval.0 >= -0.5 && interval.0 < -0.499 && interval.1 <= 0.5 && interval.1 > 0.499, "{interval:?}");
    for i in (0..nodes.len()).filter(|&i| (nodes.value(i).hi - 1.0).abs() > 1e-6) {
        // The result is the core's value times a power of two: an ulp of the one is an ulp of the other.
        let ulp = if nodes.value(i).hi < 1.0 { 2f64.powi(-24) } else { 2f64.powi(-23) };
        assert!((nodes.weight[i] * ulp - 1.0).abs() < 0.01, "{} {}", nodes.x[0][i], nodes.weight[i] * ulp);
    }
}

#[test]
fn degrees_follow_the_bound() {
    let q = question("approx exp2(x)\non -126..127\nmax-ulp 4\nminimize throughput\n");
    let found =
        assemble(&q, &exp2_plan(), Arithmetic::Fma, &inputs(&q), &AssembleOptions::default()).expect("a sound plan");
    let shapes: Vec<&str> = found.iter().map(|c| c.cores[0].shape.as_str()).collect();
    assert_eq!(shapes, ["polynomial 5, Horner", "polynomial 6, Horner"]);
    for (composed, (real, computed)) in found.iter().zip([(3.0, 4.0), (0.2, 1.2)]) {
        let error = worst(&q, &composed.program);
        assert!(composed.error() < real && error < computed, "{} {error}", composed.error());
    }
}

#[test]
fn weights_follow_the_result_and_not_the_core() {
    // Near 1 the logarithm is small and the core's part of it is all there is; far away it hardly counts.
    let q = question("approx log2(x)\non 0x1p-126..0x1p127\nmax-ulp 2\n");
    let found =
        assemble(&q, &log2_plan(), Arithmetic::Fma, &inputs(&q), &AssembleOptions::default()).expect("a sound plan");
    let polynomials: Vec<&Composed> = found.iter().filter(|c| c.cores[0].shape.starts_with("polynomial")).collect();
    assert!(polynomials.len() >= 2 && polynomials.iter().all(|c| worst(&q, &c.program) < 1.2), "{polynomials:?}");
    assert!(polynomials[0].error() > 10.0 * polynomials[polynomials.len() - 1].error());
}

#[test]
fn an_odd_function_is_right_where_it_is_small() {
    let q = question("approx sin(x)\non -100..100\nmax-rel 1e-3\n");
    let found =
        assemble(&q, &sin_plan(), Arithmetic::Fma, &inputs(&q), &AssembleOptions::default()).expect("a sound plan");
    // Near zero the result is the argument, whatever the core says: only the bound on the relative error decides.
    let first = &found[0];
    assert!(first.error() < 1e-3 && found.windows(2).all(|w| w[0].price.ops <= w[1].price.ops));
    let program = first.program.bound();
    let mut engine = mathsmith_ir::Interpreter::new(&program).expect("a program over floats");
    let domain = q.domain.expect("a float question");
    let set = AdversarialSet::initial(&q.reference, &domain, Layout::default());
    let seen = set.screen(&mut engine, &[], &mut Vec::new()).expect("one f32 to one f32");
    assert!(seen.rel < 1.1 * first.error() + 1e-6, "{} {}", seen.rel, first.error());
}
