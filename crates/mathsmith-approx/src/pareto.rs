//! Which programs are worth showing: those that nothing beats in every respect.

use mathsmith_dsl::Minimize;

/// What a program costs, in the respects that count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Price {
    /// Operations.
    pub ops: u32,
    /// Modelled reciprocal throughput in cycles; 0 where there is no model.
    pub cycles: f64,
    /// Modelled latency in cycles; 0 where there is no model.
    pub latency: f64,
    /// Modelled bytes of code and constants; 0 where there is no model.
    pub size: f64,
}

impl Price {
    /// The respects that a question asks for: with `ops` also the cycles, so that a division does not pass for cheap.
    fn respects(&self, minimize: Minimize) -> [f64; 2] {
        match minimize {
            Minimize::Throughput => [self.cycles, 0.0],
            Minimize::Latency => [self.latency, 0.0],
            Minimize::Size => [self.size, 0.0],
            Minimize::Ops => [f64::from(self.ops), self.cycles],
        }
    }

    /// Whether this price is in no respect above `other`.
    pub fn at_most(&self, other: &Price, minimize: Minimize) -> bool {
        self.respects(minimize).iter().zip(other.respects(minimize)).all(|(a, b)| *a <= b)
    }

    /// The key that sorts a front: what was asked for first.
    pub fn order(&self, minimize: Minimize) -> (f64, f64, u32) {
        let [a, b] = self.respects(minimize);
        (a, b, self.ops)
    }
}

/// Indices of the items that no other beats: at most the same price and a smaller error (times `slack`), or the same
/// error and a smaller price; of equals the first stays. Ascending by price, then by error.
pub fn front<T>(
    items: &[T],
    minimize: Minimize,
    slack: f64,
    price: impl Fn(&T) -> Price,
    error: impl Fn(&T) -> f64,
) -> Vec<usize> {
    let beaten = |i: usize| {
        let (p, e) = (price(&items[i]), error(&items[i]));
        (0..items.len()).any(|j| {
            let (q, f) = (price(&items[j]), error(&items[j]));
            let cheaper = q.at_most(&p, minimize);
            let same = cheaper && p.at_most(&q, minimize);
            j != i && cheaper && f <= e * slack && (f < e * slack || !same || (slack == 1.0 && j < i))
        })
    };
    let mut kept: Vec<usize> = (0..items.len()).filter(|&i| !beaten(i)).collect();
    kept.sort_by(|&i, &j| {
        let (a, b) = (price(&items[i]).order(minimize), price(&items[j]).order(minimize));
        a.0.total_cmp(&b.0)
            .then(a.1.total_cmp(&b.1))
            .then(a.2.cmp(&b.2))
            .then(error(&items[i]).total_cmp(&error(&items[j])))
            .then(i.cmp(&j))
    });
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn indices(items: &[(u32, f64, f64)], slack: f64) -> Vec<usize> {
        let price = |i: &(u32, f64, f64)| Price { ops: i.0, cycles: i.1, latency: 0.0, size: 0.0 };
        front(items, Minimize::Ops, slack, price, |i| i.2)
    }

    #[test]
    fn nothing_on_the_front_is_beaten_in_every_respect() {
        // A division: fewer operations, more cycles, the same error; both stay.
        let items = [(6, 3.0, 0.8), (5, 9.0, 0.8), (6, 3.0, 0.9), (7, 3.5, 0.8), (3, 1.0, 50.0)];
        assert_eq!(indices(&items, 1.0), [4, 1, 0]);
        assert_eq!(indices(&[(6, 3.0, 0.8), (6, 3.0, 0.8)], 1.0), [0]);
    }

    #[test]
    fn each_cost_is_judged_by_its_own_figure() {
        let dear = Price { ops: 9, cycles: 9.0, latency: 9.0, size: 9.0 };
        for (minimize, cheap) in [
            (Minimize::Throughput, Price { cycles: 1.0, ..dear }),
            (Minimize::Latency, Price { latency: 1.0, ..dear }),
            (Minimize::Size, Price { size: 1.0, ..dear }),
            (Minimize::Ops, Price { ops: 1, ..dear }),
        ] {
            assert!(cheap.at_most(&dear, minimize) && !dear.at_most(&cheap, minimize), "{minimize}");
            assert_eq!(front(&[dear, cheap], minimize, 1.0, |p| *p, |_| 0.5), [1], "{minimize}");
        }
    }

    #[test]
    fn slack_keeps_what_is_close() {
        let items = [(6, 3.0, 0.8), (6, 3.0, 0.9), (7, 3.5, 0.85), (7, 3.5, 8.0)];
        assert_eq!(indices(&items, 0.5), [0, 1, 2]);
    }
}
