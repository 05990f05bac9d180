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
    Arc::new(Plan { name: "by-hand".into(), frame, cores: cores.iter().map(core).collect() })
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
        println!("{}: {} real, {error} computed", composed.cores[0].shape, composed.error());
        assert!(composed.error() < real && error < computed, "{} {error}", composed.error());
    }
}
