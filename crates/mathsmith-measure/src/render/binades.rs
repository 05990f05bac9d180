//! Rows by binade, and how like neighbours become one.
//!
//! A whole format has hundreds of binades, most of them alike: of `exp` all small inputs are. Runs of neighbours are merged
//! bottom-up (agglomerative clustering with complete linkage, of a sequence): the two neighbouring runs whose union is the
//! most uniform are merged, until the next union would be less uniform than [`UNIFORM`] and no more than [`ROWS`] runs are
//! left. What a run hides is bounded: its row gives the least and the greatest of its binades' maxima.

use super::text::{Align, Columns, arguments, bar, grouped, mean, share, ulp};
use mathsmith_verify::Coverage;
use mathsmith_verify::measured::{BinadeRow, Measured};

/// Rows of the summary.
const ROWS: usize = 36;

/// Unlikeness up to which runs are merged though there is room for both.
const UNIFORM: f64 = 0.03;

/// The same for a sample, whose maxima scatter.
const UNIFORM_SAMPLED: f64 = 0.3;

/// What the maxima of correctly rounded results count less than others: they say more of the function than of the code.
const ROUNDED: f64 = 0.1;

/// Neighbouring binades of one sign.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) negative: bool,
    /// Exponents, the smaller first.
    pub(crate) exponents: [i32; 2],
    pub(crate) binades: usize,
    pub(crate) inputs: u64,
    pub(crate) max_ulp: f64,
    /// The least of the binades' maxima.
    pub(crate) least_max: f64,
    pub(crate) worst: Vec<String>,
    /// Sum of errors.
    total_ulp: f64,
    pub(crate) not_correctly_rounded: u64,
    /// Least and greatest share of results that are not correctly rounded.
    shares: [f64; 2],
}

impl Run {
    fn of(row: &BinadeRow) -> Run {
        let part = row.not_correctly_rounded as f64 / row.inputs.max(1) as f64;
        Run {
            negative: row.negative,
            exponents: [row.exponent; 2],
            binades: 1,
            inputs: row.inputs,
            max_ulp: row.max_ulp,
            least_max: row.max_ulp,
            worst: row.worst.clone(),
            total_ulp: row.mean_ulp * row.inputs as f64,
            not_correctly_rounded: row.not_correctly_rounded,
            shares: [part; 2],
        }
    }

    fn join(&self, next: &Run) -> Run {
        // Ties go to the first input, as everywhere.
        let worst = if next.max_ulp > self.max_ulp { &next.worst } else { &self.worst };
        Run {
            negative: self.negative,
            exponents: [self.exponents[0].min(next.exponents[0]), self.exponents[1].max(next.exponents[1])],
            binades: self.binades + next.binades,
            inputs: self.inputs + next.inputs,
            max_ulp: self.max_ulp.max(next.max_ulp),
            least_max: self.least_max.min(next.least_max),
            worst: worst.clone(),
            total_ulp: self.total_ulp + next.total_ulp,
            not_correctly_rounded: self.not_correctly_rounded + next.not_correctly_rounded,
            shares: [self.shares[0].min(next.shares[0]), self.shares[1].max(next.shares[1])],
        }
    }

    /// Mean error in ULP.
    pub(crate) fn mean_ulp(&self) -> f64 {
        self.total_ulp / self.inputs.max(1) as f64
    }

    /// How far the binades of a union differ: in the maximum relative to the larger (at least a half, below which a result
    /// is correctly rounded whatever the figure), and in the share of results that are not correctly rounded. Wrong classes
    /// beside right ones are as unlike as can be.
    fn unlikeness(&self, next: &Run) -> f64 {
        let both = self.join(next);
        if self.negative != next.negative {
            return f64::INFINITY;
        }
        let spread = match (both.max_ulp.is_infinite(), both.least_max.is_infinite()) {
            (true, true) => 0.0,
            (true, false) => return 1e3,
            _ => (both.max_ulp - both.least_max.max(0.0)) / both.max_ulp.max(0.5),
        };
        let rounded = both.max_ulp <= 0.5 && both.shares[1] == 0.0;
        let spread = spread * if rounded { ROUNDED } else { 1.0 };
        let clean = (both.shares[0] == 0.0) != (both.shares[1] == 0.0);
        spread + (both.shares[1] - both.shares[0]) + if clean { UNIFORM } else { 0.0 }
    }

    /// The stretch of inputs, ascending: from, to.
    fn ends(&self, subnormal: i32) -> [String; 2] {
        let low = |e: i32| if e == subnormal { "0".to_owned() } else { format!("2^{e}") };
        let [a, b] = [low(self.exponents[0]), format!("2^{}", self.exponents[1] + 1)];
        if self.negative { [format!("-{b}"), format!("-{a}")] } else { [a, b] }
    }
}

/// The runs of a measurement, at most `rows` of them as far as signs allow.
pub(crate) fn merged(m: &Measured, rows: usize) -> Vec<Run> {
    let uniform = if m.coverage == Coverage::Sampled { UNIFORM_SAMPLED } else { UNIFORM };
    merge(m.binades.iter().map(Run::of).collect(), uniform, rows)
}

fn merge(mut runs: Vec<Run>, uniform: f64, rows: usize) -> Vec<Run> {
    let mut gaps: Vec<f64> = runs.windows(2).map(|w| w[0].unlikeness(&w[1])).collect();
    while let Some((i, &gap)) = gaps.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1)) {
        if gap.is_infinite() || (gap > uniform && runs.len() <= rows) {
            break;
        }
        runs[i] = runs[i].join(&runs[i + 1]);
        runs.remove(i + 1);
        gaps.remove(i);
        if i > 0 {
            gaps[i - 1] = runs[i - 1].unlikeness(&runs[i]);
        }
        if i < gaps.len() {
            gaps[i] = runs[i].unlikeness(&runs[i + 1]);
        }
    }
    runs
}

/// The table by binade.
pub(crate) fn table(m: &Measured, variable: &str, subnormal: i32, full: bool) -> String {
    let runs = if full { m.binades.iter().map(Run::of).collect() } else { merged(m, ROWS) };
    let all = m.binades.len();
    let mut out = format!("\n  by binade of {variable}, {}", m.coverage.word());
    if runs.len() < all {
        out.push_str(&format!("; {all} binades in {} lines, like neighbours as one\n  (`least max`: the least maximum of its binades; --full and JSON have each)", runs.len()));
    }
    out.push('\n');
    let merged = runs.iter().any(|r| r.binades > 1);
    let scale = runs.iter().map(|r| r.max_ulp).filter(|u| u.is_finite()).fold(0.0, f64::max);
    let mut t = Columns::new().column("from", Align::Right).column("to", Align::Left);
    t = t.column("inputs", Align::Right).column("max ULP", Align::Right);
    if merged {
        t = t.optional("least\nmax", Align::Right);
    }
    t = t.column("at", Align::Left).column("mean ULP", Align::Right);
    t = t
        .column("not\ncorrectly\nrounded", Align::Right)
        .optional("share", Align::Right)
        .optional("max ULP", Align::Left);
    for r in &runs {
        let [from, to] = r.ends(subnormal);
        let mut row = vec![from, to];
        row.push(grouped(r.inputs));
        row.push(ulp(r.max_ulp));
        if merged {
            row.push(if r.binades > 1 { ulp(r.least_max) } else { String::new() });
        }
        row.push(arguments(&r.worst));
        row.push(mean(r.mean_ulp()));
        row.push(grouped(r.not_correctly_rounded));
        row.push(share(r.not_correctly_rounded, r.inputs));
        let length = if r.max_ulp.is_finite() { r.max_ulp / scale } else { 1.0 };
        row.push(bar(length, 12));
        t.row(row);
    }
    out.push_str(&t.text(4));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(exponent: i32, max_ulp: f64, wrong: u64) -> BinadeRow {
        BinadeRow {
            negative: false,
            exponent,
            inputs: 1000,
            max_ulp,
            worst: vec![format!("0x1p{exponent:+}")],
            mean_ulp: 0.25,
            not_correctly_rounded: wrong,
        }
    }

    #[test]
    fn alike_neighbours_become_one_and_others_stay() {
        let mut rows: Vec<BinadeRow> = (-100..-10).map(|e| row(e, 0.5, 0)).collect();
        rows.extend((-10..0).map(|e| row(e, 1.0 + f64::from(e + 10), 300)));
        let runs = merge(rows.iter().map(Run::of).collect(), UNIFORM, ROWS);
        assert_eq!(runs.len(), 11);
        assert_eq!((runs[0].binades, runs[0].inputs, runs[0].exponents), (90, 90_000, [-100, -11]));
        assert!((runs[0].mean_ulp() - 0.25).abs() < 1e-12);
        assert_eq!(runs[10].max_ulp, 10.0);
    }

    #[test]
    fn no_more_lines_than_asked_and_extremes_survive() {
        let rows: Vec<BinadeRow> = (0..900).map(|i| row(i - 450, f64::from((i * 7919) % 997) + 1.0, 1)).collect();
        let runs = merge(rows.iter().map(Run::of).collect(), UNIFORM, ROWS);
        assert!(runs.len() <= ROWS);
        let top = |max: f64, u: f64| max.max(u);
        assert_eq!(runs.iter().map(|r| r.max_ulp).fold(0.0, top), rows.iter().map(|r| r.max_ulp).fold(0.0, top));
        assert_eq!(runs.iter().map(|r| r.inputs).sum::<u64>(), 900_000);
    }

    #[test]
    fn a_wrong_class_is_not_hidden_among_right_ones() {
        let mut rows: Vec<BinadeRow> = (0..30).map(|e| row(e, 0.6, 10)).collect();
        rows[17].max_ulp = f64::INFINITY;
        let runs = merge(rows.iter().map(Run::of).collect(), UNIFORM, ROWS);
        let wrong: Vec<&Run> = runs.iter().filter(|r| r.max_ulp.is_infinite()).collect();
        assert_eq!((wrong.len(), wrong[0].binades), (1, 1));
    }

    #[test]
    fn a_sign_never_merges_with_the_other() {
        let mut negative = row(-127, 0.5, 0);
        negative.negative = true;
        let runs = merge(vec![Run::of(&negative), Run::of(&row(-127, 0.5, 0))], UNIFORM, 1);
        assert_eq!(runs.len(), 2);
        assert_eq!(runs[0].ends(-127), ["-2^-126", "-0"]);
        assert_eq!(runs[1].ends(-127), ["0", "2^-126"]);
    }
}
