//! Searched cores against classical ones.

use super::assemble::{AssembleOptions, assemble_at};
use super::assemble_sites::{sample, sites};
use super::assemble_tests::{exp2_plan, log2_plan, question, worst};
use super::evolve::{EvolveOptions, Evolved, evolve};
use super::*;
use crate::question::Question;
use crate::structure::Hooks;
use mathsmith_search::Budget;

/// Classical programs of a plan of one core, and what a search makes of them.
fn searched(
    q: &Question,
    plan: &Arc<Plan>,
    arithmetic: Arithmetic,
    evaluations: u64,
    threads: usize,
) -> (Vec<Composed>, Evolved) {
    let sites = sites(q, plan, &sample(&q.domain.expect("floats"))).expect("a sound plan");
    let classical = assemble_at(q, plan, arithmetic, &sites, &AssembleOptions::default()).expect("a sound plan");
    let options = EvolveOptions { budget: Budget { evaluations: Some(evaluations), time: None }, most: 24 };
    let hooks = Hooks { threads, ..Hooks::default() };
    let found = evolve(q, &classical[0], 0, &sites[0], &classical, &options, hooks).expect("a sound search");
    (classical, found)
}

/// The least real error of the programs that cost at most so much.
fn best(programs: &[Composed], cycles: f64) -> f64 {
    programs.iter().filter(|c| c.price.cycles <= cycles).map(Composed::error).fold(f64::INFINITY, f64::min)
}

fn text(found: &Evolved) -> String {
    found.programs.iter().map(|c| format!("{} {}\n", c.cores[0].shape, c.program)).collect()
}

#[test]
fn searched_cores_beat_classical_ones_at_their_price_for_any_number_of_threads() {
    let q = question("approx exp2(x)\non -125..127\nmax-ulp 40\nminimize throughput\n");
    let (classical, found) = searched(&q, &exp2_plan(), Arithmetic::Fma, 8_000, 2);
    for c in &classical {
        let (old, new) = (best(&classical, c.price.cycles), best(&found.programs, c.price.cycles));
        assert!(new <= old * 1.0001, "{}: {new}", c.cores[0].shape);
    }
    let quartic = &classical[0];
    assert_eq!(quartic.cores[0].shape, "polynomial 4, Horner");
    let at_its_price = found.programs.iter().filter(|c| c.price.cycles <= quartic.price.cycles);
    let better = at_its_price.min_by(|a, b| a.error().total_cmp(&b.error())).expect("the quartic was a seed");
    assert!(better.error() < 0.7 * quartic.error(), "{}: {}", better.cores[0].shape, better.error());
    assert!(worst(&q, &better.program) < 0.8 * worst(&q, &quartic.program));
    let (_, again) = searched(&q, &exp2_plan(), Arithmetic::Fma, 8_000, 1);
    assert_eq!(text(&found), text(&again));
}

#[test]
fn a_search_from_scratch_starts_without_forms() {
    let q = question("approx log2(x)\non 0.5..2\nmax-ulp 1000\nminimize throughput\nfrom-scratch true\n");
    let (start, found) = searched(&q, &log2_plan(), Arithmetic::Plain, 3_000, 2);
    assert!(matches!(&start[..], [only] if only.cores[0].shape == "constant"), "{start:?}");
    assert!(best(&found.programs, f64::INFINITY) < 0.01 * start[0].error());
    assert!(
        found
            .programs
            .iter()
            .all(|c| !c.program.to_string().contains("fma") || c.plan.frame.to_string().contains("fma"))
    );
}
