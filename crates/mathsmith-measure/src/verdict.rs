//! Demands judged against the figures, and what is wrong with a subject whatever was demanded.
//!
//! Bounds look at the specials as well: a function that answers NaN at -0 has no error of one ULP there, and a bound that
//! it meets nevertheless would be a trap. `exact` and `join` ask the subject itself for its results at their points;
//! everything else is in the figures. Definitions are those of `docs/measure.md`.

use crate::question::{Demand, Question};
use crate::record::{Finding, Verdict};
use crate::render::grouped;
use mathsmith_oracle::FloatFormat;
use mathsmith_verify::Measured;
use mathsmith_verify::measured::{Check, Parity, Peak, SpecialPoint};
use mathsmith_verify::report::{hex, unhex};
use rug::Float;

/// Results of the subject at points of one argument, each rounded to the format judged at.
pub type Points<'a, E> = dyn FnMut(&[f64]) -> Result<Vec<f64>, E> + 'a;

/// Bits with which jumps are computed: far more than any format has.
const BITS: u32 = 300;

fn verdict(demand: impl Into<String>, met: bool, detail: impl Into<String>, at: &[String]) -> Verdict {
    Verdict { demand: demand.into(), met, detail: detail.into(), at: at.to_vec() }
}

/// A figure for a person: four digits behind the point, or an exponent.
pub fn figure(x: f64) -> String {
    if x.is_infinite() {
        return "inf".into();
    }
    if x == 0.0 || (1e-3..1e6).contains(&x) { format!("{x:.5}") } else { format!("{x:.4e}") }
}

/// The verdicts on all demands: bounds, tolerance, then `--require` in its order.
///
/// # Errors
/// What `points` says, where it cannot call the subject.
pub fn verdicts<E>(question: &Question, measured: &Measured, points: &mut Points<'_, E>) -> Result<Vec<Verdict>, E> {
    let asked = &question.asked;
    let mut all = Vec::new();
    let bounds = [
        ("max-ulp", asked.max_ulp, &measured.max_ulp),
        ("max-rel", asked.max_rel, &measured.max_rel),
        ("max-abs", asked.max_abs, &measured.max_abs),
    ];
    for (name, bound, peak) in bounds {
        if let Some(bound) = bound {
            all.push(bounded(name, bound, peak, measured));
        }
    }
    if let (Some(text), Some(t)) = (&asked.tolerance, &measured.tolerated) {
        let demand = format!("tol {text}");
        all.push(match (&t.beyond.first, odd_special(measured, None)) {
            (Some(first), _) => {
                let detail = format!(
                    "{} of {} inputs beyond it, first at {}; worst {} of the tolerance at {}",
                    grouped(t.beyond.count),
                    grouped(measured.inputs),
                    first.join(", "),
                    figure(t.worst.value),
                    t.worst.x.join(", ")
                );
                verdict(demand, false, detail, &t.worst.x)
            }
            (None, Some(s)) => special_verdict(demand, s),
            (None, None) => {
                let detail = format!("at most {} of the tolerance, at {}", figure(t.worst.value), t.worst.x.join(", "));
                verdict(demand, true, detail, &t.worst.x)
            }
        });
    }
    for (text, demand) in &question.demands {
        all.push(match demand {
            Demand::Exact { at, value } => {
                let got = points(&[*at])?[0];
                // Zeros are told apart: a person who demands 0 -> 0 means the zero of that sign.
                let met = got.to_bits() == value.to_bits() || (got.is_nan() && value.is_nan());
                let detail = if met {
                    format!("{} gives {}", hex(*at), hex(got))
                } else {
                    format!("{} gives {}, not {}", hex(*at), hex(got), hex(*value))
                };
                verdict(text, met, detail, &[hex(*at)])
            }
            Demand::Parity(parity) => symmetry(text, *parity, measured),
            Demand::Monotone => checked(text, measured.monotone.as_ref(), "pairs of neighbouring inputs"),
            Demand::Join { at, bound } => join(text, question, *at, *bound, points)?,
            Demand::Saturate => saturate(text, measured),
        });
    }
    Ok(all)
}

/// A special input of the wrong class, or beyond a bound in ULP.
fn odd_special(measured: &Measured, max_ulp: Option<f64>) -> Option<&SpecialPoint> {
    measured.specials.iter().find(|s| !s.same_class || max_ulp.is_some_and(|bound| s.ulp > bound))
}

fn special_verdict(demand: String, s: &SpecialPoint) -> Verdict {
    let detail = format!("at {} ({}) the result is {}, expected {}", s.x.join(", "), s.what, s.got, s.expected);
    verdict(demand, false, detail, &s.x)
}

fn bounded(name: &str, bound: f64, peak: &Peak, measured: &Measured) -> Verdict {
    let demand = format!("{name} {bound}");
    let ulp = (name == "max-ulp").then_some(bound);
    // An error that is not a number is no error within the bound.
    let met = peak.value <= bound;
    match odd_special(measured, ulp) {
        Some(s) if met => special_verdict(demand, s),
        _ => {
            let detail =
                format!("{} {} at {}", if met { "at most" } else { "it is" }, figure(peak.value), peak.x.join(", "));
            verdict(demand, met, detail, &peak.x)
        }
    }
}

fn checked(text: &str, check: Option<&Check>, what: &str) -> Verdict {
    match check {
        None => verdict(text, false, format!("not shown: this measurement does not look at {what}"), &[]),
        Some(Check { looked_at: 0, .. }) => verdict(text, false, format!("not shown: there were no {what}"), &[]),
        Some(Check { looked_at, broken: None }) => verdict(text, true, format!("{} {what}", grouped(*looked_at)), &[]),
        Some(Check { broken: Some(b), .. }) => {
            let detail = format!("{} (results {} at {})", b.what, b.results.join(", "), b.at.join(", "));
            verdict(text, false, detail, &b.at)
        }
    }
}

fn symmetry(text: &str, parity: Parity, measured: &Measured) -> Verdict {
    let what = "pairs of inputs x and -x";
    match &measured.parity {
        Some((found, check)) if *found == parity => checked(text, Some(check), what),
        _ => checked(text, None, what),
    }
}

/// How far the subject's step across a point is from the function's, in ULP of the function there.
fn join<E>(text: &str, question: &Question, at: f64, bound: f64, points: &mut Points<'_, E>) -> Result<Verdict, E> {
    let format = question.format;
    let key = format.key(at);
    let (below, above) = (format.from_key(key - 1), format.from_key(key + 1));
    let got = points(&[below, above])?;
    let where_ = [hex(below), hex(above)];
    let value = |x: f64| question.reference.value(&[x], BITS);
    let (lower, middle, upper) = (value(below), value(at), value(above));
    let usable = got.iter().all(|y| y.is_finite()) && [&lower, &middle, &upper].iter().all(|y| y.is_finite());
    if !usable {
        let detail = format!("at {} and {} the results are {} and {}", where_[0], where_[1], hex(got[0]), hex(got[1]));
        return Ok(verdict(text, false, format!("no jump can be told: {detail}"), &where_));
    }
    let jump = Float::with_val(BITS, Float::with_val(BITS, got[1]) - got[0]);
    let due = Float::with_val(BITS, &upper - &lower);
    let ulp = Float::with_val(BITS, 1) << question.out.ulp_exponent(&middle);
    let excess = (Float::with_val(BITS, &jump - &due) / ulp).abs().to_f64();
    let detail = format!(
        "{} ULP beyond the function's own step between {} and {} (results {}, {})",
        figure(excess),
        where_[0],
        where_[1],
        hex(got[0]),
        hex(got[1])
    );
    Ok(verdict(text, excess <= bound, detail, &where_))
}

fn saturate(text: &str, measured: &Measured) -> Verdict {
    let r = &measured.range;
    let number = |s: &String| unhex(s).unwrap_or(f64::NAN);
    for (side, beyond) in
        [(0, number(&r.got[0]) < number(&r.expected[0])), (1, number(&r.got[1]) > number(&r.expected[1]))]
    {
        if beyond {
            let which = ["below the least", "above the greatest"][side];
            let detail = format!("{} at {} is {which} value, {}", r.got[side], r.at[side].join(", "), r.expected[side]);
            return verdict(text, false, detail, &r.at[side]);
        }
    }
    let ends = ["lower end", "upper end", "-inf", "inf"];
    for s in measured.specials.iter().filter(|s| ends.contains(&s.what.as_str())) {
        let same = s.got == s.expected || (number(&s.got) == 0.0 && number(&s.expected) == 0.0);
        if !same {
            return special_verdict(text.to_owned(), s);
        }
    }
    verdict(text, true, format!("results lie in {} .. {}, reached at the ends", r.expected[0], r.expected[1]), &[])
}

/// What is wrong with a subject whatever was demanded.
pub fn findings(measured: &Measured) -> Vec<Finding> {
    let mut all = Vec::new();
    let nan = &measured.classes.nan_for_number;
    if nan.count > 0 && measured.range.got.iter().all(|y| y == "nan") {
        all.push(Finding { what: "returns NaN for every input".into(), at: nan.first.clone().unwrap_or_default() });
    }
    if measured.inputs > 0 && measured.range.expected.iter().all(|y| y == "nan") {
        all.push(Finding { what: "the reference has no value at any input".into(), at: Vec::new() });
    }
    if let Some(b) = &measured.pure.broken {
        let what = format!("not pure: two calls at {} differ: {}", b.at.join(", "), b.results.join(" and "));
        all.push(Finding { what, at: b.at.clone() });
    }
    all
}

/// A result rounded to the format judged at.
pub fn rounded(y: f64, out: FloatFormat) -> f64 {
    if y.is_nan() { f64::NAN } else { out.nearest_f64(y) }
}
