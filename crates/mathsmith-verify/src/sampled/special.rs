//! Points that deserve a look whatever the function: found from the domain, the format and the values of the reference,
//! never from its name.

use super::{Axis, Part, Question, fraction_bits, generator};
use crate::judge::Point;
use mathsmith_ir::sample::SplitMix;
use mathsmith_oracle::{FloatFormat, Scratch};
use rug::float::Constant;
use rug::{Float, Integer};
use std::collections::BTreeSet;

/// Places looked at in each binade for features of the function.
const GRID: i64 = 8;
/// Features that are located.
const FEATURES: usize = 256;
/// Random pairs between which the edge of a class is sought, with two arguments.
const EDGES: usize = 2048;
/// Inputs near a diagonal or near 1 in one argument.
const LINES: usize = 8192;

/// At most `limit` distinct special points, the most important first.
pub(crate) fn points(q: &Question<'_>, limit: usize) -> Vec<Point> {
    let mut found = Found { q, limit, seen: BTreeSet::new(), points: Vec::new() };
    if limit > 0 {
        if q.domain.arity() == 1 { one(&mut found) } else { two(&mut found) }
    }
    found.points
}

/// Distinct points in the order in which they are found.
struct Found<'q, 'a> {
    q: &'q Question<'a>,
    limit: usize,
    seen: BTreeSet<[i64; 2]>,
    points: Vec<Point>,
}

impl Found<'_, '_> {
    fn add(&mut self, keys: [i64; 2]) {
        let domain = self.q.domain;
        let inside = domain.axes.iter().zip(keys).all(|(axis, key)| (axis.first..=axis.last).contains(&key));
        if inside && self.points.len() < self.limit && self.seen.insert(keys) {
            let x = domain.point(keys);
            if self.q.wanted(&x) {
                self.points.push(x);
            }
        }
    }

    /// A key with all neighbours up to `near` steps away, and further ones at powers of two.
    fn around(&mut self, key: i64, near: i64) {
        for by in -near..=near {
            self.add([key.saturating_add(by), 0]);
        }
        let mut by = near.max(1) * 2;
        while near > 2 && by < 1 << fraction_bits(self.q.domain.format()) {
            self.add([key.saturating_add(by), 0]);
            self.add([key.saturating_sub(by), 0]);
            by *= 2;
        }
    }
}

fn one(found: &mut Found<'_, '_>) {
    let q = found.q;
    let (f, axis) = (q.domain.format(), q.domain.axes[0]);
    let one = f.key(1.0);
    for key in [axis.first, axis.last, 0, one, -one] {
        found.around(key, 32);
    }
    for &seam in q.inspection.seams {
        found.around(f.key(f.nearest_f64(seam)), 32);
    }
    for key in features(q) {
        found.around(key, 32);
    }
    for key in near_multiples(f) {
        found.add([key, 0]);
        found.add([-key, 0]);
    }
    for &[first, last] in &q.binades[0] {
        // Where a binade is cut off, its end is that of the domain.
        for key in [first, last] {
            found.around(key, 2);
        }
    }
}

/// Values in doubles, of whatever precision is at hand.
struct Values<'q, 'a> {
    q: &'q Question<'a>,
    scratch: Scratch,
}

impl<'q, 'a> Values<'q, 'a> {
    fn new(q: &'q Question<'a>) -> Self {
        Values { q, scratch: Scratch::default() }
    }

    fn at(&mut self, keys: [i64; 2]) -> f64 {
        let x = self.q.domain.point(keys);
        let args = self.q.judge.args(&x);
        let columns: Vec<&[f64]> = args.chunks(1).collect();
        let (mut y, mut e) = ([0.0], [0.0]);
        self.q.judge.reference.fast_block(&columns, &mut y, &mut e, &mut self.scratch);
        // The edges of classes are sought to the last float: a bound that is not small says nothing.
        if e[0] <= y[0].abs() * f64::EPSILON || (y[0].is_nan() && e[0] == 0.0) {
            y[0]
        } else {
            self.q.judge.exact(&x).rounded
        }
    }

    /// What kind of result is due: NaN, or sign and size.
    fn class(&mut self, keys: [i64; 2]) -> i32 {
        let f = self.q.judge.format;
        let y = f.nearest_f64(self.at(keys));
        let size = match y.abs() {
            a if a.is_nan() => return 0,
            a if a.is_infinite() => 5,
            a if a >= f.min_normal() => 4,
            a if a > 0.0 => 3,
            _ => return 2,
        };
        if y.is_sign_negative() { -size } else { size }
    }
}

/// The last key from `lo` on, towards `hi`, for which `like` holds; it holds at `lo` and not at `hi`.
fn edge(mut lo: i64, mut hi: i64, mut like: impl FnMut(i64) -> bool) -> i64 {
    while lo.abs_diff(hi) > 1 {
        let middle = ((i128::from(lo) + i128::from(hi)) >> 1) as i64;
        if like(middle) { lo = middle } else { hi = middle }
    }
    lo
}

/// Keys at which a function of one argument changes sign, turns, begins or ends to be constant, over- or underflows, or
/// loses its value, as far as a grid over the binades shows it.
fn features(q: &Question<'_>) -> Vec<i64> {
    let mut values = Values::new(q);
    let mut grid: Vec<i64> = Vec::new();
    for &[first, last] in &q.binades[0] {
        let width = last - first;
        grid.extend((0..GRID).map(|i| first + (i128::from(width) * i128::from(i) / i128::from(GRID)) as i64));
    }
    grid.extend(q.binades[0].last().map(|b| b[1]));
    grid.dedup();
    let f = q.judge.format;
    let classes: Vec<i32> = grid.iter().map(|&k| values.class([k, 0])).collect();
    let y: Vec<f64> = grid.iter().map(|&k| f.nearest_f64(values.at([k, 0]))).collect();
    // (position in the grid, what happens between it and the next)
    let mut events: Vec<(usize, Event)> = Vec::new();
    for i in 0..grid.len().saturating_sub(1) {
        if classes[i] != classes[i + 1] {
            events.push((i, Event::Class));
        }
        let Some(&next) = y.get(i + 2) else { continue };
        let (flat, flat_next) = (y[i] == y[i + 1], y[i + 1] == next);
        if flat != flat_next {
            events.push((i, Event::Flat(if flat { y[i] } else { next })));
        } else if (y[i] < y[i + 1] && y[i + 1] > next) || (y[i] > y[i + 1] && y[i + 1] < next) {
            events.push((i, Event::Turn(y[i] < y[i + 1])));
        }
    }
    let every = events.len().div_ceil(FEATURES).max(1);
    let mut keys = Vec::new();
    for &(i, event) in events.iter().step_by(every) {
        match event {
            Event::Class => keys.push(edge(grid[i], grid[i + 1], |k| values.class([k, 0]) == classes[i])),
            Event::Flat(value) => {
                let (from, to) = if y[i] == value { (grid[i + 1], grid[i + 2]) } else { (grid[i + 1], grid[i]) };
                keys.push(edge(from, to, |k| f.nearest_f64(values.at([k, 0])) == value));
            }
            Event::Turn(up) => {
                let (mut lo, mut hi) = (grid[i], grid[i + 2]);
                while hi.abs_diff(lo) > 2 {
                    let third = (hi - lo) / 3;
                    let (a, b) = (lo + third.max(1), hi - third.max(1));
                    let (ya, yb) = (values.at([a, 0]), values.at([b, 0]));
                    if (ya < yb) == up {
                        lo = a
                    } else {
                        hi = b
                    }
                    if a >= b {
                        break;
                    }
                }
                keys.push(lo);
            }
        }
    }
    keys
}

#[derive(Clone, Copy)]
enum Event {
    /// Another sign, size or existence.
    Class,
    /// Where it begins or ends to be constant.
    Flat(f64),
    /// It turns; upwards before, or downwards.
    Turn(bool),
}

/// Keys of the numbers of a format that lie nearest to multiples of pi/2, relative to their size: the hard cases of argument
/// reduction (Kahan, "Minimizing q*m - n", 1983). For each exponent `e` the convergents `m/k` of `2^e / (pi/2)` with a
/// denominator that fits the significand tell them.
fn near_multiples(f: FloatFormat) -> Vec<i64> {
    let bits = f.max_exponent as u32 + 256;
    let quarter = Float::with_val(bits, Constant::Pi) >> 1;
    let (least, most) = (Integer::from(1) << (f.precision - 1), Integer::from(1) << f.precision);
    let mut keys = Vec::new();
    for e in 0..=f.max_exponent {
        let shift = e - (f.precision as i32 - 1);
        // One unit of the significand in multiples of pi/2, as a fraction of integers.
        let unit: Float = Float::with_val(bits, Float::with_val(bits, 1) << shift) / &quarter;
        let Some(ratio) = unit.to_rational() else { continue };
        let (mut p, mut q) = ratio.into_numer_denom();
        // Denominators of the convergents.
        let (mut before, mut now) = (Integer::from(0), Integer::from(1));
        p %= &q;
        while p != 0 {
            let (quotient, rest) = Integer::from(&q).div_rem(Integer::from(&p));
            (q, p) = (p, rest);
            let next = Integer::from(&quotient * &now) + &before;
            (before, now) = (now, next);
            if now >= most {
                break;
            }
            // The least multiple that is a full significand; only of convergents close to the largest.
            let times = Integer::from(&least + &now) - 1u32;
            let times = times / &now;
            if times < 64 {
                let m = Integer::from(&times * &now);
                if m >= least && m < most {
                    let x = Float::with_val(f.precision, m) << shift;
                    keys.push(f.key(x.to_f64()));
                }
            }
        }
    }
    keys
}

fn two(found: &mut Found<'_, '_>) {
    let q = found.q;
    let f = q.domain.format();
    // Special values of each argument with their neighbours, all pairs.
    let values = |a: usize| {
        let axis = q.domain.axes[a];
        let mut keys = vec![axis.first, axis.last, 0];
        for x in [f.min_positive(), f.min_normal(), f.max(), 0.5, 1.0, 2.0, 3.0] {
            keys.extend([f.key(x), -f.key(x)]);
        }
        let mut all: BTreeSet<i64> = BTreeSet::new();
        for key in keys {
            all.extend((-2..=2).map(|by| key.saturating_add(by)).filter(|k| (axis.first..=axis.last).contains(k)));
        }
        all
    };
    let second = values(1);
    for x in values(0) {
        for &y in &second {
            found.add([x, y]);
        }
    }
    let mut rng = generator(q.seed, Part::Special, 0);
    edges(found, &mut rng);
    let fraction = fraction_bits(f);
    let size = |rng: &mut SplitMix| 1i64 << rng.below(fraction as usize + 1);
    for i in 0..LINES {
        // x = ±y (1 ± 2^-k), and the diagonals themselves.
        let keys = q.domain.keys(&q.draw(&mut rng));
        let by = match rng.below(4) {
            0 => 0,
            1 => -size(&mut rng),
            _ => size(&mut rng),
        };
        let line = if i % 2 == 0 { keys[0] } else { -keys[0] };
        found.add([keys[0], line.saturating_add(by)]);
    }
    let one = f.key(1.0);
    for i in 0..LINES {
        // One argument near 1 or -1.
        let mut keys = q.domain.keys(&q.draw(&mut rng));
        let near = if rng.bits() & 1 == 0 { one } else { -one };
        keys[i % 2] = near + if rng.bits() & 1 == 0 { size(&mut rng) } else { -size(&mut rng) };
        found.add(keys);
    }
}

/// Points on both sides of the edges where results over- or underflow, change sign or cease to exist.
fn edges(found: &mut Found<'_, '_>, rng: &mut SplitMix) {
    let q = found.q;
    let mut values = Values::new(q);
    for i in 0..EDGES {
        let a = i % 2;
        let keys = q.domain.keys(&q.draw(rng));
        let axis = q.domain.axes[a];
        let mut other = keys;
        let binades = &q.binades[a];
        let stretch = binades[rng.below(binades.len())];
        other[a] = Axis::draw(rng, stretch);
        let class = values.class(keys);
        if values.class(other) == class {
            continue;
        }
        let at = |k: i64| {
            let mut keys = keys;
            keys[a] = k;
            keys
        };
        let last = edge(keys[a], other[a], |k| values.class(at(k)) == class);
        for by in -4..=4 {
            found.add(at(axis.shifted(last, by)));
        }
    }
}
