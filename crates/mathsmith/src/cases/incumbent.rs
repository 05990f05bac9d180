//! What the code in use costs: its operations, priced by the model that prices programs.
//!
//! Operations are named as in a program (`fma`, `shl.i32`; `f32` where no type is given) or by the words with which people
//! count them ([`WORDS`]). Where a row says less than that, another row helps: `1 case:x3` are all operations of the case
//! `x3`; `13 ns:x21` is a time, converted at the rate of the case `x21`, of which both operations and time are known. Such a
//! price is an estimate and marked as one.

use mathsmith_cost::{CostError, Model, cycles_of_counts};
use mathsmith_dsl::Incumbent;
use std::collections::BTreeMap;

/// What is known of every case's code in use, by the name of the case.
pub type Rates = BTreeMap<String, Incumbent>;

/// Way out where operations cannot be priced.
pub const HELP: &str = "operations are those of programs (`fma`, `shl.i32`), int, cvt, cmp, clamp, branch, load, seed, \
                        `case:NAME`, `ns:NAME`; docs/cases.md says what each counts";

/// Words for operations, with the operation of the model that stands for each. Where a word leaves it open it is the
/// cheapest that does the work, which favours the code in use.
const WORDS: [(&str, Option<&str>); 7] = [
    // Any integer operation.
    ("int", Some("add.i32")),
    // One instruction; a conversion of the IR is defined for every input, which to floats is one instruction.
    ("cvt", Some("convert.i32.f32")),
    ("cmp", Some("lt.f32")),
    // One side of it.
    ("clamp", Some("min.f32")),
    // Taken by nothing that the model has pipes for.
    ("branch", None),
    ("load", Some("table.f32")),
    // The processor's estimate of 1/sqrt(x): no operation of the IR; on these machines it takes no less than a product.
    ("seed", Some("mul.f32")),
];

/// A price in modelled cycles an element.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Priced {
    /// Reciprocal throughput.
    pub cycles: f64,
    /// Whether a time was converted.
    pub estimated: bool,
}

/// Why there is no price.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PriceError {
    /// A name that stands for nothing.
    #[error(transparent)]
    Operation(#[from] CostError),
    /// A count that is not whole.
    #[error("`{0}` does not count operations: only nanoseconds have fractions")]
    Fraction(String),
    /// A case that is not there, or that says too little.
    #[error("the case `{0}`, on which the price stands, {1}")]
    Case(String, &'static str),
}

/// Operations by the model's keys, and times by the case that converts them.
#[derive(Default)]
struct Bag {
    counts: BTreeMap<String, u32>,
    times: Vec<(f64, String)>,
}

impl Bag {
    /// What the operations cost together.
    fn cycles(&self, model: &Model) -> Result<f64, CostError> {
        cycles_of_counts(self.counts.iter().map(|(key, &count)| (key, count)), model)
    }
}

/// The price of a case's code in use.
///
/// # Errors
/// [`PriceError`].
pub fn price(id: &str, rates: &Rates, model: &Model) -> Result<Priced, PriceError> {
    let mut bag = Bag::default();
    gather(id, rates, &mut Vec::new(), &mut bag)?;
    let mut cycles = bag.cycles(model)?;
    for (ns, by) in &bag.times {
        let mut known = Bag::default();
        gather(by, rates, &mut Vec::new(), &mut known)?;
        let time = rates.get(by).and_then(|i| i.time_ns);
        let Some(time) = time.filter(|_| known.times.is_empty()) else {
            return Err(PriceError::Case(by.clone(), "does not have both operations and time"));
        };
        cycles += ns * known.cycles(model)? / time;
    }
    Ok(Priced { cycles, estimated: !bag.times.is_empty() })
}

fn gather(id: &str, rates: &Rates, above: &mut Vec<String>, bag: &mut Bag) -> Result<(), PriceError> {
    let missing = |what| PriceError::Case(id.to_owned(), what);
    let incumbent = rates.get(id).ok_or_else(|| missing("is not there"))?;
    if above.iter().any(|a| a == id) {
        return Err(missing("stands on itself"));
    }
    above.push(id.to_owned());
    for item in &incumbent.ops {
        if let Some(by) = item.name.strip_prefix("ns:") {
            bag.times.push((item.count, by.to_owned()));
            continue;
        }
        if item.count.fract() != 0.0 {
            return Err(PriceError::Fraction(item.to_string()));
        }
        let count = item.count as u32;
        if let Some(other) = item.name.strip_prefix("case:") {
            for _ in 0..count {
                gather(other, rates, above, bag)?;
            }
            continue;
        }
        let key = match WORDS.iter().find(|(word, _)| *word == item.name) {
            Some((_, None)) => continue,
            Some((_, Some(key))) => (*key).to_owned(),
            None if item.name.contains('.') => item.name.clone(),
            None => format!("{}.f32", item.name),
        };
        *bag.counts.entry(key).or_default() += count;
    }
    above.pop();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use mathsmith_dsl::Counted;

    /// A case: its name, its counted operations, its time in nanoseconds.
    type Row<'a> = (&'a str, &'a [(f64, &'a str)], Option<f64>);

    fn rates(rows: &[Row<'_>]) -> Rates {
        let row = |(id, ops, time): &Row<'_>| {
            let ops = ops.iter().map(|(count, name)| Counted { count: *count, name: (*name).to_owned() }).collect();
            ((*id).to_owned(), Incumbent { error: None, ops, time_ns: *time })
        };
        rows.iter().map(row).collect()
    }

    #[test]
    fn words_rows_and_times() {
        let model = Model::builtin("x86-64-v3").unwrap();
        let rates = rates(&[
            ("a", &[(4.0, "fma"), (2.0, "clamp"), (3.0, "int"), (1.0, "branch")], Some(0.5)),
            ("whole", &[(1.0, "case:a"), (2.0, "mul")], None),
            ("time", &[(0.25, "ns:a"), (4.0, "fma")], None),
            ("loop", &[(1.0, "case:loop")], None),
            ("slow", &[(1.0, "ns:whole")], None),
            ("half", &[(0.5, "fma")], None),
            ("odd", &[(1.0, "frob")], None),
            ("gone", &[(1.0, "case:nowhere")], None),
        ]);
        let of = |id: &str| price(id, &rates, &model);
        // Six operations of two pipes; the integer ones find room beside them.
        assert_eq!(of("a"), Ok(Priced { cycles: 6.0 * 0.5 / 8.0, estimated: false }));
        assert_eq!(of("whole"), Ok(Priced { cycles: 8.0 * 0.5 / 8.0, estimated: false }));
        // Half of the time of `a` is half of its cycles.
        assert_eq!(of("time"), Ok(Priced { cycles: 0.25 + 0.5 * 0.375, estimated: true }));
        for (id, words) in
            [("loop", "itself"), ("slow", "both operations and time"), ("half", "fractions"), ("gone", "not there")]
        {
            let error = of(id).expect_err(id).to_string();
            assert!(error.contains(words), "{id}: {error}");
        }
        assert!(of("odd").expect_err("odd").to_string().contains("frob.f32"));
    }

    #[test]
    fn every_word_is_an_operation_of_every_model() {
        for name in Model::names() {
            let model = Model::builtin(name).unwrap();
            for key in WORDS.iter().filter_map(|(_, key)| *key) {
                assert!(model.op.contains_key(key), "{name}: {key}");
            }
        }
    }
}
