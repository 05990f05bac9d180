//! The one source of randomness: xoshiro256++ keyed by (seed, island, generation, index).
//!
//! A draw must not depend on which thread makes it or on how many draws came before it elsewhere, so there is no shared
//! stream. Each child of each generation gets a generator of its own, seeded by mixing its key: the four words are
//! absorbed one after the other with the finaliser of splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom
//! number generators, OOPSLA 2014), a different odd constant being added at each step, and the state of xoshiro256++
//! (Blackman, Vigna: Scrambled linear pseudorandom number generators, 2021) is filled from the digest by splitmix64.

use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// What identifies one stream of random numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DrawKey {
    /// Seed of the run.
    pub seed: u64,
    /// Number of the island.
    pub island: u64,
    /// Number of the generation on that island.
    pub generation: u64,
    /// Number of the child in the generation.
    pub index: u64,
}

/// Finaliser of splitmix64: a bijection of 64-bit words in which every input bit affects every output bit.
pub fn mix64(word: u64) -> u64 {
    let mut z = word;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl DrawKey {
    /// The digest that seeds the generator: each word is absorbed by `h = mix64((h ^ word) + (2 i + 1) * golden)`.
    pub fn digest(self) -> u64 {
        const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
        [self.seed, self.island, self.generation, self.index]
            .iter()
            .zip(0u64..)
            .fold(0, |h, (&word, i)| mix64((h ^ word).wrapping_add(GOLDEN.wrapping_mul(2 * i + 1))))
    }
}

/// A xoshiro256++ generator with the draws that searches need.
///
/// Only integer arithmetic and exactly rounded float operations are used: the same numbers on every machine.
#[derive(Clone, Debug)]
pub struct KeyedRng(Xoshiro256PlusPlus);

impl KeyedRng {
    /// The generator of a key.
    pub fn new(key: DrawKey) -> Self {
        KeyedRng(Xoshiro256PlusPlus::seed_from_u64(key.digest()))
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Uniform integer in `0..n`, by the high word of a 64 x 64 bit product (bias below `n / 2^64`).
    ///
    /// # Panics
    /// If `n` is 0.
    pub fn below(&mut self, n: usize) -> usize {
        assert!(n > 0, "an integer below 0 was asked for");
        ((u128::from(self.bits()) * n as u128) >> 64) as usize
    }

    /// Uniform multiple of 2^-53 in `[0, 1)`.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// True with probability `p`.
    pub fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// Approximately normal with mean 0 and variance 1: twelve uniforms summed (Irwin-Hall), so within -6 and 6.
    pub fn bell(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }

    /// An element of a slice, `None` if it is empty.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        if items.is_empty() { None } else { Some(&items[self.below(items.len())]) }
    }

    /// An index drawn with probability proportional to its weight; weights that are not positive are never drawn.
    /// `None` if no weight is positive.
    pub fn weighted(&mut self, weights: &[f64]) -> Option<usize> {
        let total: f64 = weights.iter().filter(|w| **w > 0.0).sum();
        if total <= 0.0 {
            return None;
        }
        let mut left = self.unit() * total;
        let mut last = None;
        for (i, &w) in weights.iter().enumerate().filter(|(_, w)| **w > 0.0) {
            last = Some(i);
            if left < w {
                break;
            }
            left -= w;
        }
        last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(seed: u64, island: u64, generation: u64, index: u64) -> DrawKey {
        DrawKey { seed, island, generation, index }
    }

    #[test]
    fn the_stream_of_a_key_is_fixed() {
        // From a separate implementation of the documented mixing, splitmix64 and xoshiro256++. A change of these
        // numbers changes every run that anyone has recorded.
        let mut rng = KeyedRng::new(key(1, 0, 2, 3));
        let first: Vec<u64> = (0..3).map(|_| rng.bits()).collect();
        assert_eq!(first, FIRST);
    }
    const FIRST: [u64; 3] = [17_876_642_590_510_042_769, 373_462_318_416_814_820, 1_947_124_390_064_883_128];

    #[test]
    fn neighbouring_keys_have_unrelated_streams() {
        let mut seen = std::collections::BTreeSet::new();
        for s in 0..8 {
            for i in 0..8 {
                for g in 0..8 {
                    for n in 0..8 {
                        assert!(seen.insert(KeyedRng::new(key(s, i, g, n)).bits()));
                    }
                }
            }
        }
        let ones: u32 = seen.iter().map(|b| b.count_ones()).sum();
        let mean = f64::from(ones) / seen.len() as f64;
        assert!((mean - 32.0).abs() < 0.5, "mean of set bits {mean}");
    }

    #[test]
    fn draws_follow_their_distributions() {
        let mut rng = KeyedRng::new(key(7, 0, 0, 0));
        let mut counts = [0u32; 3];
        for _ in 0..30_000 {
            counts[rng.weighted(&[1.0, 0.0, 2.0]).expect("weights are positive")] += 1;
        }
        assert_eq!(counts[1], 0);
        assert!((f64::from(counts[2]) / f64::from(counts[0]) - 2.0).abs() < 0.1);
        assert_eq!(rng.weighted(&[0.0, -1.0]), None);
        assert_eq!(rng.pick::<u8>(&[]), None);
        let (mut sum, mut squares) = (0.0, 0.0);
        for _ in 0..20_000 {
            let b = rng.bell();
            sum += b;
            squares += b * b;
        }
        assert!((sum / 20_000.0).abs() < 0.03 && (squares / 20_000.0 - 1.0).abs() < 0.05);
        assert!((0..1000).all(|_| rng.below(3) < 3));
    }
}
