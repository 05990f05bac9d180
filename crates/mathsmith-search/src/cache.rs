//! A bounded set of 128-bit keys with an eviction that depends on nothing but the order of insertion.
//!
//! Two halves: keys go into the young half; when that is full, the old half is dropped and the young one becomes old.
//! So at least the last `capacity / 2` keys are remembered, at most `capacity`, and no clock, hash order or thread
//! decides which. A key may be forgotten and evaluated again; a key is never taken for another one beyond the chance of
//! a 128-bit collision.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

/// Keys are hashes already: their low word is the hash.
#[derive(Clone, Default)]
struct LowWord(u64);

impl Hasher for LowWord {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 ^= u64::from_le_bytes(word);
        }
    }
    fn write_u128(&mut self, x: u128) {
        self.0 = x as u64;
    }
}

type KeySet = HashSet<u128, BuildHasherDefault<LowWord>>;

/// The keys seen lately.
#[derive(Clone, Debug)]
pub struct SeenKeys {
    half: usize,
    young: KeySet,
    old: KeySet,
}

impl SeenKeys {
    /// An empty set of at most `capacity` keys (at least 2).
    pub fn new(capacity: usize) -> Self {
        SeenKeys { half: (capacity / 2).max(1), young: KeySet::default(), old: KeySet::default() }
    }

    /// Whether the key is remembered.
    pub fn contains(&self, key: u128) -> bool {
        self.young.contains(&key) || self.old.contains(&key)
    }

    /// Remembers a key; false if it was there.
    pub fn insert(&mut self, key: u128) -> bool {
        if self.contains(key) {
            return false;
        }
        if self.young.len() >= self.half {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key)
    }

    /// Number of keys remembered.
    pub fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    /// Whether no key is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The keys as bytes: capacity of a half, count of young keys, young keys ascending, old keys ascending; all
    /// little-endian, counts in 8 bytes, keys in 16.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(16 + 16 * self.len());
        out.extend((self.half as u64).to_le_bytes());
        out.extend((self.young.len() as u64).to_le_bytes());
        for half in [&self.young, &self.old] {
            let mut keys: Vec<u128> = half.iter().copied().collect();
            keys.sort_unstable();
            out.extend(keys.iter().flat_map(|k| k.to_le_bytes()));
        }
        out
    }

    /// Inverse of [`SeenKeys::to_bytes`]; `None` for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (head, keys) = bytes.split_at_checked(16)?;
        let word = |b: &[u8]| b.try_into().ok().map(u64::from_le_bytes).and_then(|w| usize::try_from(w).ok());
        let (half, young) = (word(&head[..8])?, word(&head[8..])?);
        let count = keys.len() / 16;
        if keys.len() % 16 != 0 || half == 0 || young > half || young > count || count - young > half {
            return None;
        }
        let mut sets = [KeySet::default(), KeySet::default()];
        for (i, key) in keys.chunks_exact(16).enumerate() {
            sets[usize::from(i >= young)].insert(u128::from_le_bytes(key.try_into().ok()?));
        }
        let [young_set, old] = sets;
        (young_set.len() == young).then_some(SeenKeys { half, young: young_set, old })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_the_last_half_and_no_more_than_the_capacity() {
        let mut seen = SeenKeys::new(100);
        for key in 0..1000u128 {
            assert!(seen.insert(key * 77));
            assert!(!seen.insert(key * 77));
            assert!(seen.len() <= 100);
            for back in 0..50.min(key + 1) {
                assert!(seen.contains((key - back) * 77));
            }
        }
        assert!(!seen.contains(0));
    }

    #[test]
    fn bytes_round_trip_and_damage_is_refused() {
        let mut seen = SeenKeys::new(64);
        for key in 0..50u128 {
            seen.insert(key << 70 | key.wrapping_mul(0x9e37));
        }
        let bytes = seen.to_bytes();
        let back = SeenKeys::from_bytes(&bytes).expect("its own bytes");
        assert_eq!(back.to_bytes(), bytes);
        assert!((0..50u128).all(|key| back.contains(key << 70 | key.wrapping_mul(0x9e37))));
        for cut in [0, 7, 15, 17, bytes.len() - 1] {
            assert!(SeenKeys::from_bytes(&bytes[..cut]).is_none(), "cut at {cut}");
        }
    }
}
