//! Refinement against what a hunt finds: constants, worse inputs for them, better constants, and so on.
//!
//! Constants that are best on a screen are best by luck in part, and the luck does not hold elsewhere. Each round hands the inputs
//! on which it failed to the next, and at the end all rounds' constants are judged on everything that was found, so that the
//! ones returned are those whose luck held.

use super::refine::{RefineOptions, Refined, refine};
use super::screen::{Scratch, Screen};
use super::screen_hunt::hunt;
use mathsmith_ir::{EngineError, Program};

/// [`refine`] in `rounds` rounds of `options.evaluations` each with a hunt after each. Returns the best constants, judged on the
/// screen and on the inputs found, and these inputs: a screen shared with other programs should take them in. On all of
/// them together the result is never worse than the start.
///
/// # Errors
/// As [`refine`].
pub fn refine_hunted(
    screen: &Screen,
    program: &Program,
    options: &RefineOptions,
    rounds: u32,
) -> Result<(Refined, Vec<f32>), EngineError> {
    let mut screen = screen.clone();
    let mut found = Vec::new();
    let mut at = program.clone();
    let missing = || EngineError::Signature("a parameter has no value to start from".into());
    let start = program.params().iter().map(|p| p.value.ok_or_else(missing)).collect::<Result<Vec<_>, _>>()?;
    let mut tried = vec![start];
    let mut evaluations = 0;
    for round in 0..rounds {
        let seed = options.seed.wrapping_add(u64::from(round));
        let refined = refine(&screen, &at, &RefineOptions { seed, ..*options })?;
        evaluations += refined.evaluations;
        refined.apply(&mut at);
        tried.push(refined.params);
        let worse = hunt(&screen, &at, seed);
        let new = screen.insert(&worse);
        found.extend(worse);
        if new == 0 {
            break;
        }
    }
    let mut engine = mathsmith_jit::engine_for(program)?.0;
    let mut best: Option<Refined> = None;
    for params in tried {
        let judged = screen.judge(&mut *engine, &params, &mut Scratch::default())?;
        evaluations += 1;
        let better = |b: &Refined| (judged.broken, judged.error) < (b.judged.broken, b.judged.error);
        if best.as_ref().is_none_or(better) {
            best = Some(Refined { params, judged, evaluations });
        }
    }
    let best = best.expect("the start is among what was tried");
    found.sort_by(f32::total_cmp);
    found.dedup();
    Ok((Refined { evaluations, ..best }, found))
}
