//! From sums and candidates to a [`Measured`].

use super::hand::Hand;
use super::part::{Binade, Column, Extent, Floors, Part, Swing};
use super::plan::Piece;
use super::run::Question;
use super::tolerance::Ratio;
use crate::conclude::of_stretches;
use crate::extreme::{Judge, Settled, Tracker};
use crate::grid::Grid;
use crate::measured::{BinadeRow, Break, Check, ProfileRow, Range, SpecialPoint, Tolerated};
use crate::observe::{special_inputs, special_points};
use crate::record::{classes, mean, peak, same_bits};
use crate::report::{Coverage, hex};
use crate::sampled::SampleDomain;
use crate::tally::{High, Measure, Tally};
use crate::truth::{Truth, point};
use crate::{Measured, VerifyError};
use mathsmith_oracle::FloatFormat;
use std::mem::replace;

/// Columns of the plot.
const COLUMNS: u64 = 512;
/// Bits from which the decimal digits of an exact value are made.
const DIGIT_BITS: u32 = 120;

/// Figures of one subject over the pieces so far.
pub(crate) struct Total {
    part: Part,
    binades: Vec<Binade>,
    columns: Vec<Column>,
    /// The worst input of each piece.
    high: Vec<High>,
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
            high: Vec::new(),
        }
    }

    /// Adds the next piece, whose inputs `judged` evaluations of the reference by MPFR went into.
    pub(crate) fn add<G: Grid>(&mut self, question: &Question<'_, G>, piece: &Piece, mut part: Part, judged: u64) {
        self.binades[piece.segment].add(piece.len, &part.tally);
        self.high.extend(part.tally.high);
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
    let Total { mut part, binades, columns, high } = total;
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
    let mut adversarial = of_stretches(domain.count(), &high);
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
    let mut shown = |found: Settled| {
        let c = peak_results.next().copied().unwrap_or(f32::NAN);
        let (x, reference) = (f64::from(x_of(found.index)), question.truth().reference());
        let y = reference.value(point(reference, &x), DIGIT_BITS);
        peak(FloatFormat::F32, found.value, &[x], f64::from(c), &y)
    };
    let (max_ulp, max_rel, max_abs) = (shown(ulp), shown(rel), shown(abs));
    let max_rel_normal = normal.map(&mut shown);
    let worst_tolerated = tolerated.map(&mut shown);

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
    // High first; equal errors by input; the maximum was pushed last and stays in front of its equals.
    let first = ranked.pop();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.total_cmp(&b.1)));
    let adversarial = first.into_iter().chain(ranked).map(|(_, x)| vec![hex(f64::from(x))]).collect();

    let (specials, pure_specials) = specials(question, hand, s)?;
    let wrong_class = part.tally.wrong_class;
    let monotone = Check {
        looked_at: part.inversion.map_or(plan.inputs - 1, |[a, _]| plan.rank(a.index) + 1),
        broken: part
            .inversion
            .map(|pair| Break::inverted(pair.map(|l| f64::from(x_of(l.index))), pair.map(|l| f64::from(l.c)))),
    };
    let parity = question.mirrored().map(|parity| {
        let check = Check {
            looked_at: part.mirrored,
            broken: part
                .asymmetric
                .map(|(index, results)| Break::asymmetric(parity, f64::from(x_of(index)), results.map(f64::from))),
        };
        (parity, check)
    });
    let twice = part.impure.map(|i| (i.x, [i.first, i.second])).or(pure_specials.1);
    let pure = Check {
        looked_at: part.twice + pure_specials.0,
        broken: twice.map(|(x, results)| Break::impure(&[f64::from(x)], results.map(f64::from))),
    };
    let end = |end: Option<(f32, u64)>| end.map_or("nan".to_owned(), |(v, _)| hex(f64::from(v)));
    // The fast values do not tell the sign of a zero.
    let due = |found: Option<(f32, u64)>| {
        end(found.map(|(v, index)| {
            let v = if v == 0.0 { question.truth().round_f32(f64::from(x_of(index))) } else { v };
            (v, index)
        }))
    };
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
        classes: classes(part.classes, name),
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
            expected: [due(expected.least), due(expected.greatest)],
        },
        tolerated: question.inspection.tolerance.zip(worst_tolerated).map(|(t, worst)| Tolerated {
            tolerance: t.text().to_owned(),
            worst,
            beyond: part.beyond.tally(name),
        }),
        flushed: part.flushed,
        checksum: format!("{:016x}", part.tally.checksum),
        adversarial,
        settled,
    })
}

fn profile_row(column: &Column, x_of: impl Fn(u64) -> f32) -> Option<ProfileRow> {
    let Swing { above, below } = column.swing;
    let [lo, hi] = [column.first, column.last].map(|index| f64::from(x_of(index)));
    // Without a result of the right class there is nothing to draw.
    (above >= below).then_some(ProfileRow { lo, hi, above, below })
}

/// How many specials were called twice, and the first that had two results.
type Repeated = (u64, Option<(f32, [f32; 2])>);

fn specials<G: Grid>(
    question: &Question<'_, G>,
    hand: &mut Hand,
    s: usize,
) -> Result<(Vec<SpecialPoint>, Repeated), VerifyError> {
    let (judge, inspection) =
        (crate::judge::Judge::new(question.truth().reference(), question.inspection), question.inspection);
    let domain = SampleDomain::of_singles(question.job.domain);
    let inputs = special_inputs(&domain, inspection.seams, inspection.ftz);
    let xs: Vec<f32> = inputs.iter().map(|(_, x)| x[0] as f32).collect();
    let raw = question.raw(hand, s, &xs)?;
    let reversed: Vec<f32> = xs.iter().rev().copied().collect();
    let mut again = question.raw(hand, s, &reversed)?;
    again.reverse();
    let differs = (0..xs.len()).find(|&i| !same_bits(f64::from(raw[i]), f64::from(again[i])));
    let repeated = (xs.len() as u64, differs.map(|i| (xs[i], [raw[i], again[i]])));
    let results: Vec<f64> = raw.iter().map(|&c| f64::from(G::round(f64::from(c)))).collect();
    Ok((special_points(&judge, &domain, inputs, &results), repeated))
}
