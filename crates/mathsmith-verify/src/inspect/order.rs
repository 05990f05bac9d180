//! The order of results at neighbouring inputs.

use super::part::{Lane, Part};
use super::run::Question;
use crate::grid::Grid;
use std::cmp::Ordering as Order;
use std::sync::atomic::Ordering;

impl<G: Grid> Question<'_, G> {
    /// Looks for a pair of neighbours whose results move against the reference: the pair at the border to the block
    /// before, and those within the block if `pairs` says that some may.
    pub(super) fn neighbours(
        &self,
        s: usize,
        pairs: bool,
        before: Option<Lane>,
        lane: impl Fn(usize) -> Lane,
        n: usize,
        part: &mut Part,
    ) {
        part.first.get_or_insert_with(|| lane(0));
        part.last = Some(lane(n - 1));
        let first = before.map_or_else(|| lane(0).index, |b| b.index);
        // Later pairs than one that is known do not matter.
        if part.inversion.is_some() || self.inverted[s].load(Ordering::Relaxed) < first {
            return;
        }
        let mut found = before.map(|b| [b, lane(0)]).filter(|[a, b]| self.against(a, b));
        if found.is_none() && pairs {
            found = (1..n).map(|i| [lane(i - 1), lane(i)]).find(|[a, b]| self.against(a, b));
        }
        if let Some([a, _]) = found {
            self.inverted[s].fetch_min(a.index, Ordering::Relaxed);
            part.inversion = found;
        }
    }

    /// Whether the result moves from `a` to the next input `b` other than the reference allows.
    pub(crate) fn against(&self, a: &Lane, b: &Lane) -> bool {
        let Some(moved) = b.c.partial_cmp(&a.c) else { return false };
        if moved == Order::Equal {
            return false;
        }
        let (rise, room) = (b.y - a.y, (a.e + b.e) * (1.0 + 1e-12));
        let order = if rise > room {
            Some(Order::Greater)
        } else if -rise > room {
            Some(Order::Less)
        } else {
            let [a, b] = [a, b].map(|l| f64::from(self.job.domain.get(l.index)));
            self.truth().compare(b, a)
        };
        order.is_some_and(|order| order != moved)
    }
}
