//! Pairs of inputs on which programs of two arguments are judged, chosen by what the function does there.
//!
//! Most pairs of floats say nothing: one of the two is negligible, or the result over- or underflows. So beside random pairs
//! there are pairs of like size, of moderate size, with one small integer or with one near 1; and on random lines along
//! either argument the places where the function over- or underflows, changes sign or ceases to exist are found by
//! bisection, looked at from both sides, and between them pairs at even distances, where results are numbers.

use crate::composed::screen::{Value, values};
use mathsmith_ir::sample::SplitMix;
use mathsmith_oracle::{FloatFormat, Reference};
use mathsmith_verify::SampleDomain;

/// Random pairs of each kind.
const RANDOM: usize = 1200;
/// Lines along each argument.
const LINES: usize = 160;
/// Places on a line where its classes are looked at, and pairs within a stretch of one class.
const STEPS: i64 = 24;
const WITHIN: i64 = 6;
const FORMAT: FloatFormat = FloatFormat::F32;

/// The pairs for a screen: special ones first, each once.
pub fn inputs(reference: &Reference, domain: &SampleDomain, judged_at: FloatFormat, seed: u64) -> Vec<[f32; 2]> {
    let mut builder =
        Builder { reference, judged_at, ends: ends(domain), random: SplitMix::new(seed ^ 0x2b1d), out: Vec::new() };
    builder.specials(domain);
    builder.random_pairs();
    builder.lines();
    let mut out = builder.out;
    out.retain(|x| (0..2).all(|a| domain.admits(a, f64::from(x[a]))));
    out
}

/// Keys of the least and the greatest input of each argument.
fn ends(domain: &SampleDomain) -> [[i64; 2]; 2] {
    let mut ends = domain.ends().map(|ends| ends.map(|x| FORMAT.key(x)));
    std::array::from_fn(|_| ends.next().expect("a box of pairs has two arguments"))
}

struct Builder<'a> {
    reference: &'a Reference,
    judged_at: FloatFormat,
    ends: [[i64; 2]; 2],
    random: SplitMix,
    out: Vec<[f32; 2]>,
}

impl Builder<'_> {
    /// All pairs of special values and ends.
    fn specials(&mut self, domain: &SampleDomain) {
        let mut special = vec![0.0, FORMAT.min_positive(), FORMAT.min_normal(), 0.5, 1.0, 2.0, 3.0, FORMAT.max()];
        special.push(f64::INFINITY);
        special.extend(special.clone().iter().map(|x| -x));
        special.push(f64::NAN);
        let of = |a: usize| {
            let mut all = special.clone();
            all.extend(domain.ends().nth(a).unwrap_or_default());
            all
        };
        let (first, second) = (of(0), of(1));
        let pairs = first.iter().flat_map(|&x| second.iter().map(move |&y| [x as f32, y as f32]));
        self.out.extend(pairs);
    }

    fn unit(&mut self) -> f64 {
        (self.random.bits() >> 11) as f64 / 9_007_199_254_740_992.0
    }

    /// Uniform over the floats of an argument, which is even over its binades.
    fn any(&mut self, a: usize) -> f32 {
        let [first, last] = self.ends[a];
        FORMAT.from_key(first + ((last - first) as f64 * self.unit()) as i64) as f32
    }

    /// Even over the values of an argument up to a magnitude.
    fn moderate(&mut self, a: usize, most: f64) -> f32 {
        let [lo, hi] = self.ends[a].map(|key| FORMAT.from_key(key));
        let (lo, hi) = (lo.max(-most).min(hi), hi.min(most).max(lo));
        (lo + (hi - lo) * self.unit()) as f32
    }

    fn random_pairs(&mut self) {
        for i in 0..RANDOM {
            let pair = [self.any(0), self.any(1)];
            self.out.push(pair);
            // Of like size: a ratio between 2^-12 and 2^12, or nearly 1.
            let exponent = (self.random.below(25) as i32) - 12;
            let power = f64::from_bits(((1023 + i64::from(exponent)) as u64) << 52);
            let near = f64::from_bits(((1023 - 1 - self.random.below(24) as u64) << 52) | (self.random.bits() >> 12));
            let sign = if self.random.bits() & 1 == 0 { 1.0 } else { -1.0 };
            let aside = if self.random.bits() & 1 == 0 { near } else { -near };
            let ratio = if i % 2 == 0 { power * (1.0 + self.unit()) } else { 1.0 + aside };
            self.out.push([pair[0], (f64::from(pair[0]) * ratio * sign) as f32]);
            let moderate = [self.moderate(0, 16.0), self.moderate(1, 16.0)];
            self.out.push(moderate);
            let integer = self.random.below(25) as f32 - 12.0;
            self.out.push(if i % 2 == 0 { [moderate[0], integer] } else { [integer, moderate[1]] });
            let mut one = pair;
            one[i % 2] = (sign * (1.0 + (self.unit() - 0.5) * near)) as f32;
            self.out.push(one);
        }
    }

    /// Lines along either argument: both sides of the edges of classes, and what lies between them.
    fn lines(&mut self) {
        for i in 0..2 * LINES {
            let along = i % 2;
            let fixed = if i % 4 < 2 { self.any(1 - along) } else { self.moderate(1 - along, 4.0) };
            let [first, last] = self.ends[along];
            let offset = self.unit();
            let at = |step: i64| first + ((last - first) as f64 * ((step as f64 + offset) / STEPS as f64)) as i64;
            let keys: Vec<i64> = (0..STEPS).map(at).collect();
            let values = self.along(along, fixed, &keys);
            let mut edges = vec![first];
            for (k, pair) in values.windows(2).enumerate() {
                if self.class(&pair[0]) != self.class(&pair[1]) {
                    let edge = self.edge(along, fixed, keys[k], keys[k + 1], self.class(&pair[0]));
                    edges.push(edge);
                    let near = (-2..=3).map(|by| edge + by);
                    self.out.extend(near.map(|key| pair_of(along, FORMAT.from_key(key) as f32, fixed)));
                }
            }
            edges.push(last);
            for stretch in edges.windows(2) {
                let [lo, hi] = [stretch[0], stretch[1]].map(|key| FORMAT.from_key(key));
                // A value next to the far edge and even steps between: what is large or small, but a number.
                let even = (1..=WITHIN).map(|k| lo + (hi - lo) * (k as f64 / (WITHIN + 1) as f64));
                let towards = [hi * 0.999, lo * 0.999, 0.5 * hi, 0.5 * lo];
                let inside = even.chain(towards).filter(|x| *x > lo.min(hi) && *x < lo.max(hi));
                self.out.extend(inside.map(|x| pair_of(along, x as f32, fixed)));
            }
        }
    }

    /// The function at places of a line.
    fn along(&self, along: usize, fixed: f32, keys: &[i64]) -> Vec<Value> {
        let moving: Vec<f32> = keys.iter().map(|&key| FORMAT.from_key(key) as f32).collect();
        let still = vec![fixed; keys.len()];
        let columns: [&[f32]; 2] = if along == 0 { [&moving, &still] } else { [&still, &moving] };
        values(self.reference, self.judged_at, &columns)
    }

    /// What kind of result is due: none, or sign and size.
    fn class(&self, value: &Value) -> i32 {
        let y = value.rounded;
        let size = match y.abs() {
            a if a.is_nan() => return 0,
            a if a.is_infinite() => 4,
            a if a >= self.judged_at.min_normal() => 3,
            a if a > 0.0 => 2,
            _ => 1,
        };
        if y.is_sign_negative() { -size } else { size }
    }

    /// The last key from `from` on, towards `to`, with a class.
    fn edge(&self, along: usize, fixed: f32, mut from: i64, mut to: i64, class: i32) -> i64 {
        while to - from > 1 {
            let middle = from + (to - from) / 2;
            let like = self.along(along, fixed, &[middle]).first().is_some_and(|value| self.class(value) == class);
            if like { from = middle } else { to = middle }
        }
        from
    }
}

fn pair_of(along: usize, moving: f32, fixed: f32) -> [f32; 2] {
    if along == 0 { [moving, fixed] } else { [fixed, moving] }
}
