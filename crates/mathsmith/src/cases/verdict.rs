//! Who wins: two criteria, error and cost. An answer wins that is no worse in one and better in the other.

use super::Case;
use mathsmith_approx::front::{Entry, Front};
use mathsmith_dsl::BoundKind;

/// Errors of code in use are known to three or four digits: a smaller part of them decides nothing.
const SAME_ERROR: f64 = 1e-3;
/// Cycles are printed with two decimals; a difference that does not show is none.
const SAME_CYCLES: f64 = 5e-3;
/// Prices are sums of exact binary fractions, but for those of converted times.
const ROUNDING: f64 = 1e-9;

/// Error and cost, of one side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// In the figure of the case.
    pub error: f64,
    /// Modelled reciprocal throughput.
    pub cycles: f64,
}

/// How an answer stands against the code in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// No worse in one of error and cost, better in the other.
    Won,
    /// The same in both, as far as they are printed.
    Drawn,
    /// Neither.
    Lost,
}

impl Standing {
    /// How it is printed.
    pub fn word(self) -> &'static str {
        match self {
            Standing::Won => "won",
            Standing::Drawn => "drawn",
            Standing::Lost => "lost",
        }
    }
}

/// Our figures against theirs.
pub fn standing(ours: Figures, theirs: Figures) -> Standing {
    let cheaper = ours.cycles <= theirs.cycles - SAME_CYCLES;
    let no_dearer = ours.cycles <= theirs.cycles * (1.0 + ROUNDING);
    let closer = ours.error < theirs.error * (1.0 - SAME_ERROR);
    if (ours.error <= theirs.error && cheaper) || (closer && no_dearer) {
        return Standing::Won;
    }
    let near = (ours.error - theirs.error).abs() <= theirs.error * SAME_ERROR
        && (ours.cycles - theirs.cycles).abs() < SAME_CYCLES;
    if near { Standing::Drawn } else { Standing::Lost }
}

/// What became of a case.
#[derive(Clone, Debug)]
pub struct Answer {
    /// How it ended.
    pub standing: Standing,
    /// The entry that decides: the cheapest that wins; where none does, the one that comes closest.
    pub best: Option<Best>,
    /// Evaluations of the search.
    pub evaluations: Option<u64>,
    /// What the run took, where that is known.
    pub seconds: Option<f64>,
    /// Why it is not won, in one line; empty where it is.
    pub reason: String,
}

/// An entry of a front.
#[derive(Clone, Debug)]
pub struct Best {
    /// Name within the run.
    pub id: String,
    /// Its operations.
    pub ops: u32,
    /// Its error and cost.
    pub figures: Figures,
}

impl Answer {
    /// No answer, for this reason.
    pub fn none(reason: String) -> Answer {
        Answer { standing: Standing::Lost, best: None, evaluations: None, seconds: None, reason }
    }
}

/// Holds a front against the code in use.
pub fn answer(case: &Case, front: &Front) -> Answer {
    let error = case.incumbent.error.expect("a case is read with its error");
    let theirs = Figures { error: error.bound.value, cycles: case.price.cycles };
    let entries: Vec<Best> = front.front.iter().filter_map(|e| verified(e, error.bound.kind)).collect();
    judge(&entries, theirs, front)
}

/// Name, operations and figures of an entry that is verified on every input and keeps the demands.
fn verified(entry: &Entry, kind: BoundKind) -> Option<Best> {
    let error = match kind {
        BoundKind::MaxUlp => entry.error.max_ulp?,
        BoundKind::MaxRel => entry.error.max_rel,
        BoundKind::MaxAbs => entry.error.max_abs,
    };
    let figures = Figures { error, cycles: entry.cost.cycles? };
    let sure = matches!(entry.error.coverage.as_str(), "exhaustive" | "certified");
    (sure && entry.broken.is_empty() && error.is_finite()).then(|| Best {
        id: entry.id.clone(),
        ops: entry.ops,
        figures,
    })
}

fn judge(entries: &[Best], theirs: Figures, front: &Front) -> Answer {
    let excess = |f: Figures| (f.error / theirs.error).max(f.cycles / theirs.cycles);
    let best = entries.iter().min_by(|a, b| {
        let rank = |e: &Best| {
            let standing = standing(e.figures, theirs);
            let key = if standing == Standing::Won { e.figures.cycles } else { excess(e.figures) };
            (standing, key, e.figures.error)
        };
        let (a, b) = (rank(a), rank(b));
        a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.total_cmp(&b.2))
    });
    let standing = best.map_or(Standing::Lost, |b| standing(b.figures, theirs));
    let reason = match standing {
        Standing::Won => String::new(),
        Standing::Drawn => "error and cost are the same".into(),
        Standing::Lost => lost(entries, theirs),
    };
    Answer { standing, best: best.cloned(), evaluations: Some(front.evaluations), seconds: None, reason }
}

/// How far off a front is that does not win.
fn lost(entries: &[Best], theirs: Figures) -> String {
    if entries.is_empty() {
        return "no program found".into();
    }
    let cheapest = entries.iter().filter(|e| e.figures.error <= theirs.error).map(|e| e.figures.cycles);
    let closest = entries.iter().filter(|e| e.figures.cycles <= theirs.cycles).map(|e| e.figures.error);
    let parts = [
        cheapest.min_by(f64::total_cmp).map(|c| format!("within its error {c:.2} cycles")),
        closest.min_by(f64::total_cmp).map(|e| format!("within its cost an error of {}", super::show::error(e))),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "nothing within its error or its cost".into() } else { parts.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(error: f64, cycles: f64) -> Figures {
        Figures { error, cycles }
    }

    #[test]
    fn two_criteria() {
        let theirs = of(2.0, 1.0);
        for (ours, expected) in [
            (of(2.0, 0.9), Standing::Won),
            (of(1.9, 1.0), Standing::Won),
            (of(1.0, 0.5), Standing::Won),
            (of(2.0, 1.0), Standing::Drawn),
            // Less than what the figures are known to.
            (of(1.9999, 1.0), Standing::Drawn),
            (of(2.001, 0.999), Standing::Drawn),
            // Better in one, worse in the other.
            (of(1.0, 1.1), Standing::Lost),
            (of(2.1, 0.5), Standing::Lost),
            (of(2.0001, 0.5), Standing::Lost),
        ] {
            assert_eq!(standing(ours, theirs), expected, "{ours:?}");
        }
    }

    #[test]
    fn any_entry_may_win_and_the_cheapest_of_them_stands_for_the_front() {
        let entry = |id: &str, error, cycles| Best { id: id.into(), ops: 1, figures: of(error, cycles) };
        let theirs = of(2.0, 1.0);
        let front: Front = serde_json::from_value(serde_json::json!({
            "schema": 1, "seed": 1, "version": "0", "evaluations": 5, "notes": [], "bound_met": true,
            "searches": [], "front": [],
            "problem": mathsmith_dsl::parse_problem("p", "approx exp2(x)").expect("parses").resolve().expect("resolves").problem,
        }))
        .expect("a front");
        let won = judge(
            &[entry("a", 9.0, 0.1), entry("b", 1.5, 0.8), entry("c", 1.0, 0.9), entry("d", 0.5, 3.0)],
            theirs,
            &front,
        );
        assert_eq!((won.standing, won.best.expect("one").id.as_str(), won.reason.as_str()), (Standing::Won, "b", ""));
        let lost = judge(&[entry("a", 9.0, 0.1), entry("d", 0.5, 1.25)], theirs, &front);
        assert_eq!((lost.standing, lost.best.expect("one").id.as_str()), (Standing::Lost, "d"));
        assert_eq!(lost.reason, "within its error 1.25 cycles, within its cost an error of 9");
        assert_eq!(judge(&[], theirs, &front).reason, "no program found");
    }
}
