//! Which pipes an operation runs on, from what it shares with others.
//!
//! How long one operation takes alone says on how many pipes it runs, not on which. Two operations side by side tell: those
//! that share their pipes take the sum of their times, those that do not the greater one. So each operation gets the set of
//! pipes with which its pairs come out best: first a few common ones among themselves, then each of the others beside some
//! of these. Which name a pipe has is nothing that can be measured, so one operation keeps the set of the base.

/// Busy pipes: a set as bits, and the cycles for which each of its pipes is busy.
pub type Work = Vec<(u32, f64)>;

/// What an operation may look like.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Its work in the base, scaled to the measured throughput.
    pub base: Work,
    /// Measured cycles of one vector of it alone.
    pub throughput: f64,
    /// Micro-operations: each takes a pipe for a cycle at least, so the set cannot be arbitrarily small.
    pub uops: u32,
}

/// Cycles of one vector of each of two operations together.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    /// Indices of the operations.
    pub ops: [usize; 2],
    /// Measured cycles.
    pub measured: f64,
}

/// Least time in which some work can be done by pipes that share it.
fn busy(work: &[&Work]) -> f64 {
    let all = || work.iter().flat_map(|w| w.iter());
    let union = all().fold(0, |u, (set, _)| u | set);
    let mut longest = 0f64;
    let mut chosen = union;
    // Every subset of the union.
    while chosen != 0 {
        let inside: f64 = all().filter(|(s, _)| s & !chosen == 0).map(|(s, c)| c * f64::from(s.count_ones())).sum();
        longest = longest.max(inside / f64::from(chosen.count_ones()));
        chosen = (chosen - 1) & union;
    }
    longest
}

/// Passes over the common operations; they settle after two or three.
const PASSES: usize = 12;
/// How much better a set must fit than the base to be taken: less may be noise.
const BETTER: f64 = 0.02;

/// The work of every operation that fits the measured pairs best. `group` are the pipes that may be told apart; the first
/// `common` operations are fitted among themselves, the very first keeps the base's set. Operations whose base runs on pipes
/// outside of the group, or on none that were paired, keep what they have.
pub fn fit(operations: &[Operation], common: usize, group: u32, pairs: &[Pair]) -> Vec<Work> {
    let mut fitted: Vec<Work> = operations.iter().map(|o| o.base.clone()).collect();
    let misfit = |fitted: &[Work], i: usize, own: &Work, among: usize| -> f64 {
        let partner = |p: &Pair| match p.ops {
            [a, b] if a == i => Some(b),
            [a, b] if b == i => Some(a),
            _ => None,
        };
        let beside = pairs.iter().filter_map(|p| Some((partner(p)?, p.measured))).filter(|(other, _)| *other < among);
        beside.map(|(other, measured)| (busy(&[own, &fitted[other]]) / measured - 1.0).abs()).sum()
    };
    let improve = |fitted: &mut Vec<Work>, i: usize, among: usize| -> bool {
        let operation = &operations[i];
        if operation.base.iter().any(|(set, _)| set & !group != 0) {
            return false;
        }
        let least = (f64::from(operation.uops) / operation.throughput - 0.3).ceil().max(1.0);
        let mut best = (misfit(fitted, i, &fitted[i], among) - BETTER, fitted[i].clone());
        let mut set = group;
        while set != 0 {
            if f64::from(set.count_ones()) >= least || set == group {
                let work = vec![(set, operation.throughput)];
                let cost = misfit(fitted, i, &work, among);
                if cost < best.0 {
                    best = (cost, work);
                }
            }
            set = (set - 1) & group;
        }
        let changed = best.1 != fitted[i];
        fitted[i] = best.1;
        changed
    };
    for pass in 0..PASSES {
        let mut changed = pass == 0;
        for i in 1..common.min(operations.len()) {
            // At first beside those only that have their pipes: all others still have the base's, which may mislead.
            changed |= improve(&mut fitted, i, if pass == 0 { i } else { common });
        }
        if !changed {
            break;
        }
    }
    for i in common..operations.len() {
        improve(&mut fitted, i, common);
    }
    fitted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_shared_as_well_as_pipes_allow() {
        assert_eq!(busy(&[&vec![(0b11, 0.5)], &vec![(0b11, 0.5)]]), 1.0);
        assert_eq!(busy(&[&vec![(0b0011, 0.5)], &vec![(0b1100, 0.5)]]), 0.5);
        // A whole cycle's work on any of four pipes beside one that has one pipe.
        assert_eq!(busy(&[&vec![(0b1111, 0.25)], &vec![(0b1, 1.0)]]), 1.0);
        assert_eq!(busy(&[]), 0.0);
    }

    #[test]
    fn pipes_are_found_from_pairs() {
        // On the machine the third operation shares the pipes of the second, the fourth may go anywhere; the base has the
        // third on those of the first and the fourth on the second's.
        let one = |set, throughput| Operation { base: vec![(set, throughput)], throughput, uops: 1 };
        let operations = [one(0b0011, 0.5), one(0b1100, 0.5), one(0b0011, 0.5), one(0b1100, 0.25), one(0b0011, 0.5)];
        let truth: [Work; 5] =
            [vec![(0b0011, 0.5)], vec![(0b1100, 0.5)], vec![(0b1100, 0.5)], vec![(0b1111, 0.25)], vec![(0b1100, 0.5)]];
        let mut pairs = Vec::new();
        for b in 0..5 {
            for a in 0..b.min(4) {
                pairs.push(Pair { ops: [a, b], measured: busy(&[&truth[a], &truth[b]]) * 1.01 });
            }
        }
        assert_eq!(fit(&operations, 4, 0b1111, &pairs), truth);
    }
}
