//! A list schedule for machines that issue in order.

/// An operation of the schedule.
pub(crate) struct Step<'a> {
    /// Earlier steps whose results it needs.
    pub waits: &'a [usize],
    /// Cycles until its result is there.
    pub latency: f64,
    /// Slots of the front end that it takes.
    pub uops: u32,
    /// Sets of pipes and the pipe-cycles that they are busy for.
    pub work: Vec<(u32, f64)>,
}

/// The cycle in which the last result is there.
///
/// Of the steps whose arguments are under way the one that can begin first comes next; of several the one with the longest
/// path behind it, then the first. It begins in the first cycle, not before its predecessor's, that has a slot left, all
/// arguments, and a free pipe of each set. A sequence of several instructions is one step: its slots are taken one after
/// the other, which lets independent work in between as a compiler would.
pub(crate) fn makespan(steps: &[Step], issue_width: u32, pipes: usize) -> f64 {
    let path = paths(steps);
    let mut done: Vec<Option<f64>> = vec![None; steps.len()];
    let mut pipe_free = vec![0f64; pipes];
    let (mut cycle, mut used) = (0f64, 0u32);
    let mut end = 0f64;
    for _ in 0..steps.len() {
        let issue = if used < issue_width { cycle } else { cycle + 1.0 };
        let begin = |i: usize| -> Option<f64> {
            if done[i].is_some() {
                return None;
            }
            let results = steps[i].waits.iter().try_fold(0f64, |t, &w| Some(t.max(done[w]?)))?;
            let pipe = steps[i].work.iter().map(|(set, _)| first_free(&pipe_free, *set).1).fold(0.0, f64::max);
            Some(results.max(pipe).ceil().max(issue))
        };
        let next = (0..steps.len())
            .filter_map(|i| Some((i, begin(i)?)))
            .min_by(|a, b| a.1.total_cmp(&b.1).then(path[b.0].total_cmp(&path[a.0])).then(a.0.cmp(&b.0)));
        let (i, start) = next.expect("arguments precede their users, so some step can begin");
        if start > cycle {
            (cycle, used) = (start, 0);
        }
        used += steps[i].uops;
        while used > issue_width {
            used -= issue_width;
            cycle += 1.0;
        }
        for &(set, work) in &steps[i].work {
            let mut left = work;
            while left > 0.0 {
                let (pipe, free) = first_free(&pipe_free, set);
                // A set of one pipe takes all at once; several share cycle by cycle, or in 64 pieces if that is much.
                let piece = if set.is_power_of_two() { left } else { left.min((work / 64.0).max(1.0)) };
                pipe_free[pipe] = free.max(start) + piece;
                left -= piece;
            }
        }
        done[i] = Some(start + steps[i].latency);
        end = end.max(start + steps[i].latency);
    }
    end
}

/// The pipe of a set that is free first.
fn first_free(pipe_free: &[f64], set: u32) -> (usize, f64) {
    let mut best = (0, f64::INFINITY);
    for (i, &free) in pipe_free.iter().enumerate() {
        if set >> i & 1 == 1 && free < best.1 {
            best = (i, free);
        }
    }
    best
}

/// Latency of the longest path that begins with each step.
fn paths(steps: &[Step]) -> Vec<f64> {
    let mut path: Vec<f64> = vec![0.0; steps.len()];
    for i in (0..steps.len()).rev() {
        path[i] += steps[i].latency;
        for &w in steps[i].waits {
            path[w] = path[w].max(path[i]);
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(waits: &[usize], latency: f64, set: u32, work: f64) -> Step<'_> {
        Step { waits, latency, uops: 1, work: vec![(set, work)] }
    }

    #[test]
    fn schedules_by_hand() {
        // One pipe: issue at 0, 1, 2, the last result at 5.
        let one = [step(&[], 3.0, 1, 1.0), step(&[], 3.0, 1, 1.0), step(&[], 3.0, 1, 1.0)];
        assert_eq!(makespan(&one, 2, 1), 5.0);
        // Two pipes, one slot: the slot decides. Two slots: two at 0, the third at 1.
        let two = [step(&[], 3.0, 3, 1.0), step(&[], 3.0, 3, 1.0), step(&[], 3.0, 3, 1.0)];
        assert_eq!((makespan(&two, 1, 2), makespan(&two, 2, 2)), (5.0, 4.0));
        // What waits holds up what stands behind it, so the longer path goes first.
        let chain = [step(&[], 1.0, 1, 1.0), step(&[], 9.0, 1, 1.0), step(&[1], 9.0, 1, 1.0)];
        assert_eq!(makespan(&chain, 1, 1), 18.0);
        // A divider that is busy until it is done.
        let divisions = [step(&[], 16.0, 1, 16.0), step(&[], 16.0, 1, 16.0)];
        assert_eq!(makespan(&divisions, 2, 1), 32.0);
        assert_eq!(makespan(&[], 1, 1), 0.0);
    }

    #[test]
    fn sequences_take_slots() {
        let long = Step { waits: &[], latency: 5.0, uops: 5, work: vec![(1, 2.0)] };
        // Five slots of two a cycle: the next begins in cycle 2.
        assert_eq!(makespan(&[long, step(&[], 4.0, 2, 1.0)], 2, 2), 6.0);
    }
}
