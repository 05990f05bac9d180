//! The hunt: inputs on which one program is worse than its screen shows.
//!
//! Rounding errors are erratic, and where a program changes its course (an argument halfway between two multiples of a period) is
//! not where the function does. Constants that are chosen on some thousand inputs fit those inputs, and a sweep over all of
//! them then finds more. The hunt looks between: every input of the screen is moved at random a few times, and the neighbourhoods of
//! the hottest are followed, at distances of all sizes. It costs milliseconds where a sweep costs many seconds.

use super::screen::Screen;
use mathsmith_ir::{Engine, Literal, Program};
use mathsmith_search::rng::{DrawKey, KeyedRng};
use mathsmith_verify::domain::{from_key, key};

/// Inputs whose neighbourhoods are followed.
const POOL: usize = 96;
/// Neighbours of each in a round.
const NEIGHBOURS: usize = 24;
/// Times that every input of the screen is moved at random.
const PASSES: usize = 4;
/// Rounds.
const ROUNDS: usize = 6;
/// Binary orders of the distance to a neighbour, in steps of the format.
const REACH: usize = 21;
/// Share of the largest error above which an input is worth returning.
const HOT: f64 = 0.97;
/// Inputs whose values MPFR alone may be asked for in a round.
const SLOW: usize = 400;

/// Inputs on which the program's errors are as large as the largest on the screen or larger, worst first, at most [`POOL`];
/// those at which it breaks a demand are the worst. Nothing where it cannot be run.
pub fn hunt(screen: &Screen, program: &Program, seed: u64) -> Vec<f32> {
    let params: Option<Vec<Literal>> = program.params().iter().map(|p| p.value).collect();
    let (Some(params), Ok((mut engine, _))) = (params, mathsmith_jit::engine_for(program)) else { return Vec::new() };
    let mut rng = KeyedRng::new(DrawKey { seed, island: 0, generation: 0, index: 1 });
    let mut pool = judged(screen, &mut *engine, &params);
    let fast = screen.reference().has_fast_path();
    let most = if fast { usize::MAX } else { SLOW };
    let start = screen.inputs();
    let every = if fast { 1 } else { start.len().div_ceil(SLOW).max(1) };
    let passes = if fast { PASSES } else { 1 };
    let some = start.iter().step_by(every);
    let mut next: Vec<f32> =
        some.flat_map(|&x| [x; PASSES].into_iter().take(passes)).map(|x| moved(x, &mut rng)).collect();
    for _ in 0..ROUNDS {
        pool.extend(judged(&screen.of(&next), &mut *engine, &params));
        pool.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.total_cmp(&b.1)));
        pool.dedup_by_key(|p| p.1.to_bits());
        pool.truncate(POOL);
        next.clear();
        for i in 0..(pool.len() * NEIGHBOURS).min(most) {
            next.push(moved(pool[i % pool.len()].1, &mut rng));
        }
    }
    let bar = pool.first().map_or(0.0, |p| if p.0.is_finite() { p.0 * HOT } else { f64::INFINITY });
    pool.into_iter().filter(|p| p.0 >= bar).map(|p| p.1).collect()
}

/// Errors with their inputs.
fn judged(screen: &Screen, engine: &mut dyn Engine, params: &[Literal]) -> Vec<(f64, f32)> {
    let errors = screen.errors(engine, params).unwrap_or_default();
    errors.into_iter().zip(screen.inputs().iter().copied()).collect()
}

/// A neighbour at a distance whose order is drawn first.
fn moved(x: f32, rng: &mut KeyedRng) -> f32 {
    let width = 1usize << (1 + rng.below(REACH));
    let by = 1 + rng.below(width) as i64;
    let to = key(x) + if rng.below(2) == 0 { by } else { -by };
    from_key(to.clamp(key(f32::MIN), key(f32::MAX)))
}
