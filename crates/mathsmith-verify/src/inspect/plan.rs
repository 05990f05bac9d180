//! How a domain is cut: into segments that share sign and binade, and those into pieces for the threads.

use crate::block::BLOCK;
use crate::sweep::chunk_len;
use crate::{FloatDomain, domain};

/// Inputs that share sign and binade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    pub negative: bool,
    /// Exponent of the binade; -127 for zero and subnormals.
    pub exponent: i32,
    /// Position of the first input in the domain.
    pub start: u64,
    pub len: u64,
}

/// A stretch of one segment: what one thread evaluates at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub segment: usize,
    /// Position of the first input in the domain.
    pub start: u64,
    pub len: u64,
    /// Number of its first block among all blocks.
    pub block: u64,
    /// Number of its first input among those evaluated.
    pub before: u64,
}

/// The cuts of a domain. They depend on the domain alone.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub segments: Vec<Segment>,
    pub pieces: Vec<Piece>,
    /// Inputs that are evaluated: all of the domain, or all but the subnormals.
    pub inputs: u64,
    blocks: u64,
    /// Blocks that are called twice.
    again: u64,
}

impl Plan {
    /// Cuts a domain, without its subnormals if they are flushed; about `twice` inputs are called twice.
    pub(crate) fn new(domain: &FloatDomain, ftz: bool, twice: u64) -> Plan {
        let mut plan = Plan { segments: Vec::new(), pieces: Vec::new(), inputs: 0, blocks: 0, again: 0 };
        let longest = chunk_len(domain.count());
        let (first, last) = (domain::key(domain.lo()), domain::key(domain.hi()));
        let mut key = first;
        while key <= last {
            // Keys of one binade share the upper bits of the magnitude; zero counts as positive.
            let negative = key < 0;
            let binade = key.abs() >> 23;
            let end = if negative { -(binade << 23) } else { ((binade + 1) << 23) - 1 };
            let mut end = if negative && binade == 0 { -1 } else { end }.min(last);
            let next = end + 1;
            let mut begin = key;
            if ftz && binade == 0 {
                // Zero alone is left.
                (begin, end) = if negative { (key, key - 1) } else { (0, 0) };
                if !(first..=last).contains(&begin) || key > 0 {
                    end = begin - 1;
                }
            }
            if end >= begin {
                let segment = Segment {
                    negative,
                    exponent: binade as i32 - 127,
                    start: (begin - first) as u64,
                    len: (end - begin + 1) as u64,
                };
                plan.cut(segment, longest);
            }
            key = next;
        }
        plan.again = twice.div_ceil(BLOCK as u64).min(plan.blocks);
        plan
    }

    fn cut(&mut self, segment: Segment, longest: u64) {
        let mut at = 0;
        while at < segment.len {
            let len = longest.min(segment.len - at);
            self.pieces.push(Piece {
                segment: self.segments.len(),
                start: segment.start + at,
                len,
                block: self.blocks,
                before: self.inputs,
            });
            self.blocks += len.div_ceil(BLOCK as u64);
            self.inputs += len;
            at += len;
        }
        self.segments.push(segment);
    }

    /// Whether a block is called twice: those that are lie at equal distances.
    pub(crate) fn is_called_again(&self, block: u64) -> bool {
        let below = |b: u64| u128::from(b) * u128::from(self.again) / u128::from(self.blocks.max(1));
        below(block + 1) > below(block)
    }

    /// Number of an input among those evaluated.
    pub(crate) fn rank(&self, index: u64) -> u64 {
        let after = self.pieces.partition_point(|p| p.start <= index);
        self.pieces.get(after.saturating_sub(1)).map_or(0, |p| p.before + (index - p.start))
    }

    /// Short pieces spread over all segments, about `most` of them and at least two a segment.
    pub(crate) fn first_look(&self, most: u64) -> Vec<Piece> {
        let each = (most / self.segments.len().max(1) as u64).max(2);
        let mut looks = Vec::new();
        for (i, s) in self.segments.iter().enumerate() {
            let blocks = s.len.div_ceil(BLOCK as u64);
            let looked = each.min(blocks);
            for k in 0..looked {
                let start = (u128::from(k) * u128::from(blocks) / u128::from(looked)) as u64 * BLOCK as u64;
                let len = (s.len - start).min(BLOCK as u64);
                looks.push(Piece { segment: i, start: s.start + start, len, block: 0, before: 0 });
            }
        }
        looks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binade(x: f32) -> i32 {
        (x.to_bits() >> 23 & 0xff) as i32 - 127
    }

    #[test]
    fn segments_are_binades_and_pieces_cover_the_domain() {
        for (lo, hi) in [(-4.0f32, 4.0f32), (0.0, 1e-40), (-1e-40, -1e-41), (-1e-40, 0.0), (1.0, 1.0), (-3.0, -0.7)] {
            let d = FloatDomain::new(lo, hi).unwrap();
            let p = Plan::new(&d, false, 1000);
            assert_eq!(p.inputs, d.count());
            let mut next = 0;
            for piece in &p.pieces {
                let s = p.segments[piece.segment];
                assert_eq!((piece.start, piece.before), (next, next));
                for x in [d.get(piece.start), d.get(piece.start + piece.len - 1)] {
                    assert_eq!((binade(x), x < 0.0), (s.exponent, s.negative), "{x:e}");
                }
                assert_eq!(p.rank(piece.start + piece.len - 1), piece.before + piece.len - 1);
                next += piece.len;
            }
            assert!(p.segments.windows(2).all(|w| w[0].start + w[0].len == w[1].start));
            let again = (0..p.blocks).filter(|&b| p.is_called_again(b)).count() as u64;
            assert_eq!(again, 2.min(p.blocks));
        }
        assert_eq!(Plan::new(&FloatDomain::whole(), false, 0).segments.len(), 2 * 255);
    }

    #[test]
    fn flushed_subnormals_are_left_out() {
        let tiny = f32::MIN_POSITIVE;
        for (lo, hi, inputs) in
            [(-tiny, tiny, 3), (0.0, tiny, 2), (-tiny, -1e-40, 1), (1e-40, tiny, 1), (1e-40, 2e-40, 0)]
        {
            let p = Plan::new(&FloatDomain::new(lo, hi).unwrap(), true, 0);
            assert_eq!(p.inputs, inputs, "{lo:e}..{hi:e}");
            assert_eq!(p.pieces.iter().map(|p| p.len).sum::<u64>(), inputs);
        }
    }
}
