//! From sums and candidates to a [`Measured`].

use super::part::{Binade, Column, Count, Extent, Floors, Part, Swing};
use super::plan::Piece;
use super::run::{Hand, Question};
use super::tolerance::Ratio;
use crate::conclude::of_stretches;
use crate::extreme::{Judge, Settled, Tracker};
use crate::grid::Grid;
use crate::measured::{
    BinadeRow, Break, Check, Classes, Peak, ProfileRow, Range, SpecialPoint, Tally as Tallied, Tolerated,
};
use crate::report::{Coverage, hex};
use crate::tally::{Measure, Tally, Worst, same};
use crate::truth::{PointError, Truth, point};
use crate::{Measured, VerifyError};
use std::mem::replace;

/// Columns of the plot.
const COLUMNS: u64 = 512;
/// Bits from which the decimal digits of an exact value are made.
const DIGIT_BITS: u32 = 120;
/// Decimal digits of an exact value.
const DIGITS: usize = 25;

/// Figures of one subject over the pieces so far.
pub(crate) struct Total {
    part: Part,
    binades: Vec<Binade>,
    columns: Vec<Column>,
    /// The worst input of each piece.
    worst: Vec<Worst>,
}

/// Asked for where there is no tolerance: nothing was offered then.
struct Nobody;

impl Judge for Nobody {
    fn exact(&mut self, _: u64, _: f32) -> f64 {
        0.0
    }
    fn bound(&mut self, _: u64, _: u64, _: f32) -> f64 {
        0.0
    }
}

/// Runs `work` with the judge of the tolerance; returns what it gave and how many figures it asked for.
fn with_ratio<G: Grid, R>(ratio: Option<Ratio<'_, G>>, work: impl FnOnce(&mut dyn Judge) -> R) -> (R, u64) {
    match ratio {
        Some(mut ratio) => {
            let result = work(&mut ratio);
            (result, ratio.asked)
        }
        None => (work(&mut Nobody), 0),
    }
}

impl Total {
    pub(crate) fn new(floors: &Floors, segments: usize) -> Total {
        Total {
            part: Part::new(floors),
            binades: vec![Binade::default(); segments],
            columns: Vec::new(),
            worst: Vec::new(),
        }
    }

    /// Adds the next piece, whose inputs `judged` evaluations of the reference by MPFR went into.
    pub(crate) fn add<G: Grid>(&mut self, question: &Question<'_, G>, piece: &Piece, mut part: Part, judged: u64) {
        self.binades[piece.segment].add(piece.len, &part.tally);
        self.worst.extend(part.tally.worst);
        let count = question.job.domain.count();
        let number = (u128::from(piece.start) * u128::from(COLUMNS) / u128::from(count)) as u64;
        let last = piece.start + piece.len - 1;
        match self.columns.last_mut() {
            Some(column) if column.number == number => {
                column.last = last;
                column.swing.merge(part.swing);
            }
            _ => self.columns.push(Column { number, first: piece.start, last, swing: part.swing }),
        }
        if self.part.inversion.is_none()
            && let (Some(a), Some(b)) = (self.part.last, part.first)
            && question.against(&a, &b)
        {
            self.part.inversion = Some([a, b]);
        }
        let tally = replace(&mut part.tally, Tally::new([0.0; 3]));
        self.part.tally.settled += judged;
        self.part.tally.merge(tally, &question.job);
        let mut normal = question.job.exact(Measure::Rel);
        let ((), asked) = with_ratio(question.ratio(), |ratio| self.part.merge(&part, &mut normal, ratio));
        self.part.tally.settled += normal.asked + asked;
    }
}

/// Settles what is open and writes the record of one subject.
pub(crate) fn measured<G: Grid>(
    question: &Question<'_, G>,
    hand: &mut Hand,
    s: usize,
    total: Total,
    expected: Extent,
) -> Result<Measured, VerifyError> {
    let Total { mut part, binades, columns, worst } = total;
    let (job, plan) = (&question.job, &question.plan);
    let domain = job.domain;
    let x_of = |index: u64| domain.get(index);
    let name = |index: u64| vec![hex(f64::from(x_of(index)))];
    let mut settled = part.tally.settled;
    let mut settle = |top: &mut Tracker, measure: Measure| {
        let mut exact = job.exact(measure);
        let found = top.settle(&mut exact);
        settled += exact.asked;
        found
    };
    let mut largest = Measure::ALL.map(|m| settle(&mut part.tally.tops[m as usize], m));
    for (measure, found) in Measure::ALL.into_iter().zip(&mut largest) {
        if found.is_none() {
            // Only where the first look saw errors that did not come again: the subject is not a function.
            let index = part.tally.worst.map_or(plan.pieces[0].start, |w| w.index);
            let computed = question.results(hand, s, &[x_of(index)])?[0];
            let value = measure.of(&question.error(x_of(index), computed));
            *found = Some(Settled { value, index, computed });
        }
    }
    let [ulp, rel, abs] = largest.map(|found| found.expect("each was filled"));
    let normal = settle(&mut part.normal, Measure::Rel);
    let (tolerated, asked) = with_ratio(question.ratio(), |ratio| part.tolerated.settle(ratio));
    settled += asked;

    // Everything that is called once more: the peaks, the ends of the range, the worst input of each binade, the specials.
    let mut adversarial = of_stretches(domain.count(), &worst);
    adversarial.retain(|&index| index != ulp.index);
    adversarial.push(ulp.index);
    let binade_worst: Vec<u64> = binades.iter().map(|b| b.worst.map_or(0, |w| w.index)).collect();
    let peaks: Vec<Settled> = [Some(ulp), Some(rel), Some(abs), normal, tolerated].into_iter().flatten().collect();
    let xs: Vec<f32> = peaks.iter().map(|p| p.index).chain(binade_worst).chain(adversarial).map(x_of).collect();
    let c = question.results(hand, s, &xs)?;
    let (peak_c, rest) = c.split_at(peaks.len());
    let (binade_c, adversarial_c) = rest.split_at(binades.len());
    let adversarial_x = &xs[peaks.len() + binades.len()..];

    let mut peak_results = peak_c.iter();
    let mut peak = |found: Settled| {
        let c = peak_results.next().copied().unwrap_or(f32::NAN);
        Peak {
            value: found.value,
            x: name(found.index),
            x_decimal: vec![format!("{:?}", x_of(found.index))],
            result: hex(f64::from(c)),
            exact: digits(question, x_of(found.index)),
        }
    };
    let (max_ulp, max_rel, max_abs) = (peak(ulp), peak(rel), peak(abs));
    let max_rel_normal = normal.map(&mut peak);
    let worst_tolerated = tolerated.map(&mut peak);

    let mut rows = Vec::with_capacity(binades.len());
    for (i, (segment, binade)) in plan.segments.iter().zip(&binades).enumerate() {
        let inside = (segment.start..segment.start + segment.len).contains(&ulp.index);
        let (index, error) = match binade.worst {
            _ if inside => (ulp.index, ulp.value),
            Some(w) => (w.index, question.error(x_of(w.index), binade_c[i]).ulp),
            None => (segment.start, 0.0),
        };
        rows.push(BinadeRow {
            negative: segment.negative,
            exponent: segment.exponent,
            inputs: segment.len,
            max_ulp: error,
            worst: name(index),
            mean_ulp: mean(binade.sum, binade.regular),
            not_correctly_rounded: binade.wrong,
        });
    }
    let mut ranked: Vec<(f64, f32)> =
        adversarial_x.iter().zip(adversarial_c).map(|(&x, &c)| (question.error(x, c).ulp, x)).collect();
    // Worst first; equal errors by input; the maximum was pushed last and stays in front of its equals.
    let first = ranked.pop();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.total_cmp(&b.1)));
    let adversarial = first.into_iter().chain(ranked).map(|(_, x)| vec![hex(f64::from(x))]).collect();

    let (specials, pure_specials) = specials(question, hand, s)?;
    let wrong_class = part.tally.wrong_class;
    let tallied = |c: Count| Tallied { count: c.count, first: c.first.map(name) };
    let [nan, number, infinity, finite, zero, sign] = part.classes.map(tallied);
    let pair = |a: f32, b: f32| vec![hex(f64::from(a)), hex(f64::from(b))];
    let monotone = Check {
        looked_at: part.inversion.map_or(plan.inputs - 1, |[a, _]| plan.rank(a.index) + 1),
        broken: part.inversion.map(|[a, b]| Break {
            at: pair(x_of(a.index), x_of(b.index)),
            results: pair(a.c, b.c),
            what: "the result moves against the function between neighbouring inputs".to_owned(),
        }),
    };
    let parity = question.mirrored().map(|parity| {
        let check = Check {
            looked_at: part.mirrored,
            broken: part.asymmetric.map(|(index, [c, back])| Break {
                at: pair(x_of(index), -x_of(index)),
                results: pair(c, back),
                what: match parity {
                    crate::measured::Parity::Odd => "f(-x) is not -f(x)".to_owned(),
                    crate::measured::Parity::Even => "f(-x) is not f(x)".to_owned(),
                },
            }),
        };
        (parity, check)
    });
    let twice = part.impure.map(|i| (i.x, [i.first, i.second])).or(pure_specials.1);
    let pure = Check {
        looked_at: part.twice + pure_specials.0,
        broken: twice.map(|(x, [a, b])| Break {
            at: vec![hex(f64::from(x))],
            results: pair(a, b),
            what: "two calls with the same input gave two results".to_owned(),
        }),
    };
    let end = |end: Option<(f32, u64)>| end.map_or("nan".to_owned(), |(v, _)| hex(f64::from(v)));
    let place = |end: Option<(f32, u64)>| end.map_or_else(Vec::new, |(_, index)| name(index));
    let got = part.got;
    Ok(Measured {
        coverage: Coverage::Exhaustive,
        inputs: plan.inputs,
        seed: None,
        format: "f32".to_owned(),
        judged_at: G::FORMAT.name.to_owned(),
        ftz: question.inspection.ftz,
        domain: vec![[domain.lo(), domain.hi()].map(|x| hex(f64::from(x)))],
        max_ulp,
        max_rel,
        max_rel_normal,
        max_abs,
        mean_ulp: mean(part.tally.sum_ulp, plan.inputs - wrong_class),
        not_correctly_rounded: part.tally.wrong,
        classes: Classes {
            nan_for_number: nan,
            number_for_nan: number,
            infinity_for_finite: infinity,
            finite_for_infinity: finite,
            zero_for_nonzero: zero,
            wrong_sign: sign,
        },
        histogram: part.tally.histogram,
        specials,
        binades: rows,
        profile: columns.iter().filter_map(|c| profile_row(c, x_of)).collect(),
        monotone: Some(monotone),
        parity,
        pure,
        range: Range {
            got: [end(got.least), end(got.greatest)],
            at: [place(got.least), place(got.greatest)],
            expected: [end(expected.least), end(expected.greatest)],
        },
        tolerated: question.inspection.tolerance.zip(worst_tolerated).map(|(t, worst)| Tolerated {
            tolerance: t.text().to_owned(),
            worst,
            beyond: tallied(part.beyond),
        }),
        flushed: part.flushed,
        checksum: format!("{:016x}", part.tally.checksum),
        adversarial,
        settled,
    })
}

fn mean(sum: f64, count: u64) -> f64 {
    if count == 0 { 0.0 } else { sum / count as f64 }
}

fn profile_row(column: &Column, x_of: impl Fn(u64) -> f32) -> Option<ProfileRow> {
    let Swing { above, below } = column.swing;
    let [lo, hi] = [column.first, column.last].map(|index| f64::from(x_of(index)));
    // Without a result of the right class there is nothing to draw.
    (above >= below).then_some(ProfileRow { lo, hi, above, below })
}

/// The exact value at an input, in decimal.
fn digits<G: Grid>(question: &Question<'_, G>, x: f32) -> String {
    let reference = question.truth().reference();
    let y = reference.value(point(reference, &f64::from(x)), DIGIT_BITS);
    if y.is_finite() { y.to_string_radix(10, Some(DIGITS)) } else { hex(y.to_f64()) }
}

/// Inputs that stand out, with what they are.
fn special_inputs<G: Grid>(question: &Question<'_, G>) -> Vec<(&'static str, f32)> {
    let (domain, inspection) = (question.job.domain, question.inspection);
    let flushed = |x: f32| inspection.ftz && x.is_subnormal();
    let mut found = vec![("lower end", domain.lo()), ("upper end", domain.hi())];
    for x in domain.specials() {
        let what = if x.is_nan() {
            "nan"
        } else if x == 0.0 {
            "-0"
        } else if x > 0.0 {
            "inf"
        } else {
            "-inf"
        };
        found.push((what, x));
    }
    if domain.contains(0.0) {
        found.push(("0", 0.0));
    }
    for &seam in inspection.seams {
        let x = seam as f32;
        let next = |step: fn(f32) -> f32, normal: f32| {
            let neighbour = step(x);
            if flushed(neighbour) { if x == 0.0 { normal } else { 0.0 } } else { neighbour }
        };
        let below = next(f32::next_down, -f32::MIN_POSITIVE);
        let above = next(f32::next_up, f32::MIN_POSITIVE);
        for (what, x) in [("below seam", below), ("seam", x), ("above seam", above)] {
            if domain.contains(x) {
                found.push((what, x));
            }
        }
    }
    found.retain(|&(_, x)| !flushed(x));
    found
}

/// How many specials were called twice, and the first that had two results.
type Repeated = (u64, Option<(f32, [f32; 2])>);

fn specials<G: Grid>(
    question: &Question<'_, G>,
    hand: &mut Hand,
    s: usize,
) -> Result<(Vec<SpecialPoint>, Repeated), VerifyError> {
    let inputs = special_inputs(question);
    let mut xs: Vec<f32> = inputs.iter().map(|&(_, x)| x).collect();
    let raw = question.raw(hand, s, &xs)?;
    xs.reverse();
    let again = question.raw(hand, s, &xs)?;
    let bits = crate::checksum::canonical_bits;
    let differs = raw.iter().zip(again.iter().rev()).position(|(&a, &b)| bits(a) != bits(b));
    let broken = differs.map(|i| (inputs[i].1, [raw[i], again[again.len() - 1 - i]]));
    let rows = inputs.iter().zip(&raw).map(|(&(what, x), &c)| special(question, what, x, c));
    Ok((rows.collect(), (inputs.len() as u64, broken)))
}

fn special<G: Grid>(question: &Question<'_, G>, what: &str, x: f32, raw: f32) -> SpecialPoint {
    let got = G::round(f64::from(raw));
    let expected = question.truth().round_f32(f64::from(x));
    let same_class = match (expected, got) {
        (e, g) if e.is_nan() || g.is_nan() => e.is_nan() && g.is_nan(),
        (e, g) if e.is_infinite() || g.is_infinite() => e == g,
        // A rounded zero may be met by the least number; a zero in the place of a number is wrong.
        (e, g) if e == 0.0 || g == 0.0 => e == 0.0 || question.is_flushed(x, got),
        (e, g) => e.is_sign_negative() == g.is_sign_negative(),
    };
    let both_zero = expected == 0.0 && got == 0.0;
    let error = if same(expected, got) && !expected.is_finite() {
        PointError::NONE
    } else if x.is_nan() || expected.is_nan() || !got.is_finite() {
        PointError::WRONG_CLASS
    } else {
        question.error(x, got)
    };
    SpecialPoint {
        what: what.to_owned(),
        x: vec![hex(f64::from(x))],
        expected: hex(f64::from(expected)),
        got: hex(f64::from(got)),
        same_class,
        same_zero_sign: !both_zero || expected.is_sign_negative() == got.is_sign_negative(),
        ulp: error.ulp,
    }
}
