//! Stretches of the domain, ranked by the largest error seen in them: where errors are large more points are drawn.
//!
//! It is a bandit with frozen statistics: within a round the ranking does not change, and a stretch of rank `r` gets draws
//! in proportion to `1 / (r + 4)`. After a round the best stretches are divided, so that a narrow place with large errors,
//! once hit, is closed in on. A part inherits the figure of the whole until it has been drawn from itself.

use super::worker::Lanes;
use super::{Axis, Question};
use crate::gather::Gather;
use crate::judge::Point;
use mathsmith_ir::sample::SplitMix;

/// Points drawn from one stretch before the next is chosen.
const RUN: usize = 64;
/// Stretches divided after each round.
const DIVIDED: usize = 32;
/// Parts of a stretch of one argument; of each argument where there are two.
const PARTS: [u64; 2] = [8, 4];
/// Floats below which a stretch is not divided.
const LEAST: u64 = 64;
/// Stretches of two arguments: the best pairs of binades.
const PAIRS: usize = 64;

#[derive(Clone, Copy, Debug)]
struct Stretch {
    /// Keys of each argument.
    keys: [[i64; 2]; 2],
    score: f64,
    /// Whether points were drawn from it since it was made.
    tried: bool,
}

/// The stretches of a domain.
pub(crate) struct Stretches {
    all: Vec<Stretch>,
}

/// A frozen ranking.
pub(crate) struct Ranked {
    /// Position in the list and keys, best first.
    order: Vec<(u32, [[i64; 2]; 2])>,
    /// Sums of the weights up to each rank.
    sums: Vec<f64>,
}

impl Stretches {
    /// The binades of one argument with what the random part found in them; for two arguments the pairs of binades with the
    /// worst inputs, beside draws from everywhere.
    pub(crate) fn new(q: &Question<'_>, found: &Gather) -> Stretches {
        let mut all = Stretches { all: Vec::new() };
        if q.domain.arity() == 1 {
            for &keys in &q.binades[0] {
                let inside = |key: i64| keys[0] <= key && key <= keys[1];
                let score = found.finite.iter().filter(|s| inside(q.domain.keys(&s.x)[0])).map(|s| s.value);
                // Binades without one of the worst inputs still know their own worst.
                let score = score.fold(found.binade_max(q.domain, &q.domain.point([keys[0], 0])), f64::max);
                all.all.push(Stretch { keys: [keys, [0, 0]], score, tried: true });
            }
        } else {
            all.add_pairs(q, found);
        }
        all
    }

    /// For two arguments: the pairs of binades that hold the worst inputs.
    fn add_pairs(&mut self, q: &Question<'_>, found: &Gather) {
        for spot in found.finite.iter().take(PAIRS) {
            let keys = q.domain.keys(&spot.x);
            let inside = |s: &Stretch| (0..2).all(|a| s.keys[a][0] <= keys[a] && keys[a] <= s.keys[a][1]);
            if self.all.iter().any(inside) {
                continue;
            }
            let mut ranges = [[0, 0]; 2];
            for (range, (binades, key)) in ranges.iter_mut().zip(q.binades.iter().zip(keys)) {
                let at = binades.partition_point(|b| b[1] < key).min(binades.len() - 1);
                *range = binades[at];
            }
            self.all.push(Stretch { keys: ranges, score: spot.value, tried: true });
        }
    }

    /// The ranking as it stands.
    pub(crate) fn ranked(&self) -> Ranked {
        let mut order: Vec<u32> = (0..self.all.len() as u32).collect();
        let score = |i: u32| self.all[i as usize].score;
        order.sort_by(|&a, &b| score(b).total_cmp(&score(a)).then(a.cmp(&b)));
        let mut sum = 0.0;
        let sums = (0..order.len()).map(|rank| {
            sum += 1.0 / (rank as f64 + 4.0);
            sum
        });
        Ranked { sums: sums.collect(), order: order.into_iter().map(|i| (i, self.all[i as usize].keys)).collect() }
    }

    /// Takes note of what a round saw in each stretch that it drew from, then divides the best.
    pub(crate) fn learn(&mut self, q: &Question<'_>, seen: &[(u32, f64)], found: &Gather) {
        for &(i, best) in seen {
            if let Some(s) = self.all.get_mut(i as usize) {
                s.score = if s.tried { s.score.max(best) } else { best };
                s.tried = true;
            }
        }
        let mut best: Vec<u32> = self.ranked().order.iter().take(DIVIDED).map(|&(i, _)| i).collect();
        best.sort_unstable();
        // From the back, so that positions stay true.
        for i in best.into_iter().rev() {
            let parts = divide(&self.all[i as usize], q.domain.arity());
            if parts.len() > 1 {
                self.all.swap_remove(i as usize);
                self.all.extend(parts);
            }
        }
        if q.domain.arity() == 2 {
            self.add_pairs(q, found);
        }
    }
}

/// The parts of a stretch; itself where it is too small.
fn divide(s: &Stretch, arity: usize) -> Vec<Stretch> {
    let parts = PARTS[arity - 1];
    let mut all = vec![Stretch { tried: false, ..*s }];
    for a in 0..arity {
        let [first, last] = s.keys[a];
        let width = last.wrapping_sub(first) as u64;
        if width < LEAST {
            continue;
        }
        let cut = |i: u64| first.wrapping_add(((u128::from(width) + 1) * u128::from(i) / u128::from(parts)) as i64);
        all = all
            .iter()
            .flat_map(|s| {
                (0..parts).map(|i| {
                    let mut part = *s;
                    part.keys[a] = [cut(i), cut(i + 1).wrapping_sub(1)];
                    part
                })
            })
            .collect();
    }
    all
}

impl Ranked {
    /// A stretch, the better the likelier; `None` where there is none.
    pub(crate) fn pick(&self, rng: &mut SplitMix) -> Option<&(u32, [[i64; 2]; 2])> {
        let at = (rng.bits() >> 11) as f64 / (1u64 << 53) as f64 * self.sums.last()?;
        self.order.get(self.sums.partition_point(|&s| s <= at)).or(self.order.last())
    }

    /// A random point of a stretch picked, or of anywhere where there is none.
    pub(crate) fn draw(&self, q: &Question<'_>, rng: &mut SplitMix) -> Point {
        match self.pick(rng) {
            Some(&(_, keys)) => point(q, keys, rng),
            None => q.draw(rng),
        }
    }

    /// Fills `lanes` with random points: of stretches picked; with two arguments every other run is from anywhere.
    pub(crate) fn explore(&self, q: &Question<'_>, rng: &mut SplitMix, count: usize, lanes: &mut Lanes) {
        let mut drawn = 0;
        while drawn < count {
            let run = RUN.min(count - drawn);
            let anywhere = q.domain.arity() == 2 && (drawn / RUN).is_multiple_of(2);
            let picked = if anywhere { None } else { self.pick(rng) };
            // A position that no list has stands for anywhere.
            lanes.runs.push((lanes.points.len(), picked.map_or(u32::MAX, |p| p.0)));
            for _ in 0..run {
                let x = match picked {
                    Some(&(_, keys)) => point(q, keys, rng),
                    None => q.draw(rng),
                };
                if q.wanted(&x) {
                    lanes.points.push(x);
                }
            }
            drawn += run;
        }
    }
}

fn point(q: &Question<'_>, keys: [[i64; 2]; 2], rng: &mut SplitMix) -> Point {
    let mut at = [0; 2];
    for (at, keys) in at[..q.domain.arity()].iter_mut().zip(keys) {
        *at = Axis::draw(rng, keys);
    }
    q.domain.point(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_the_whole_once() {
        for (arity, keys) in
            [(1, [[-5, 1 << 40], [0, 0]]), (2, [[i64::MIN / 2, i64::MAX / 2], [0, 99]]), (2, [[3, 9], [0, 500]])]
        {
            let s = Stretch { keys, score: 1.0, tried: true };
            let parts = divide(&s, arity);
            for (a, whole) in keys.iter().enumerate().take(arity) {
                let mut edges: Vec<[i64; 2]> = parts.iter().map(|p| p.keys[a]).collect();
                edges.sort_unstable();
                edges.dedup();
                assert_eq!([edges[0][0], edges[edges.len() - 1][1]], *whole);
                assert!(edges.windows(2).all(|w| w[0][1] + 1 == w[1][0]));
            }
            assert!(parts.iter().all(|p| !p.tried && p.score == 1.0));
        }
    }
}
