//! Properties of a subject beside its errors, looked at on given points: special inputs, symmetry, purity, neighbours.

use crate::VerifyError;
use crate::gather::Watch;
use crate::judge::{Exact, Judge, Point, Runner};
use crate::measured::{Break, Parity, SpecialPoint};
use crate::record::same_bits;
use crate::report::hex;
use crate::sampled::SampleDomain;
use mathsmith_oracle::FloatFormat;
use std::cmp::Ordering;

/// Results of a second call against those of the first.
pub(crate) fn watch_purity(watch: &mut Watch, domain: &SampleDomain, points: &[Point], first: &[f64], second: &[f64]) {
    watch.looked_at += points.len() as u64;
    if watch.broken.is_some() {
        return;
    }
    let differs = (0..points.len()).find(|&i| !same_bits(first[i], second[i]));
    watch.broken = differs.map(|i| Break::impure(&points[i][..domain.arity()], [first[i], second[i]]));
}

/// Results at `-x` against those at `x`.
pub(crate) fn watch_parity(watch: &mut Watch, parity: Parity, x: f64, at_x: f64, at_minus_x: f64) {
    watch.looked_at += 1;
    let want = match parity {
        Parity::Odd => -at_x,
        Parity::Even => at_x,
    };
    if watch.broken.is_none() && !same_bits(want, at_minus_x) {
        watch.broken = Some(Break::asymmetric(parity, x, [at_x, at_minus_x]));
    }
}

/// Results at two neighbouring inputs, ascending, against the way in which the function goes between them. Pairs with NaN
/// or without a value hold; after the first that does not, none is looked at.
pub(crate) fn watch_monotone(watch: &mut Watch, judge: &Judge<'_>, a: (&Point, f64, &Exact), b: (&Point, f64, &Exact)) {
    let ((x1, c1, e1), (x2, c2, e2)) = (a, b);
    if watch.broken.is_some() {
        return;
    }
    watch.looked_at += 1;
    if c1 == c2 || c1.is_nan() || c2.is_nan() {
        return;
    }
    let goes = match e1.value.partial_cmp(&e2.value) {
        // Equal to so many bits, or beyond all bounds, is not equal.
        Some(Ordering::Equal) => judge.reference.compare(judge.args(x1), judge.args(x2)),
        other => other,
    };
    let inverted = match goes {
        Some(Ordering::Less) => c1 > c2,
        Some(Ordering::Greater) => c1 < c2,
        Some(Ordering::Equal) => true,
        None => false,
    };
    if inverted {
        watch.broken = Some(Break::inverted([x1[0], x2[0]], [c1, c2]));
    }
}

/// The special inputs of a domain with their names: for one argument ends, zeros, infinities, NaN and seams with their
/// neighbours; for two all pairs of zeros, ones, least and greatest numbers, infinities, NaN and ends. With `ftz` there are
/// no subnormal ones, and the neighbours of zero are the least normal numbers.
pub(crate) fn special_inputs(domain: &SampleDomain, seams: &[f64], ftz: bool) -> Vec<(String, Point)> {
    let f = domain.format();
    let ends: Vec<[f64; 2]> = domain.ends().collect();
    let mut found: Vec<(String, Point)> = Vec::new();
    if let [[lo, hi]] = ends[..] {
        let inf = f64::INFINITY;
        let words = [("-0", -0.0), ("0", 0.0), ("-inf", -inf), ("inf", inf), ("nan", f64::NAN)];
        let all = [("lower end", lo), ("upper end", hi)].into_iter().chain(words);
        found.extend(all.map(|(what, x)| (what.to_owned(), [x, 0.0])));
        for &seam in seams {
            let key = f.key(f.nearest_f64(seam));
            let seam = f.from_key(key);
            if ftz && subnormal(f, seam) {
                continue;
            }
            let beside = |by: i64| match f.from_key(key + by) {
                x if !ftz || !subnormal(f, x) => x,
                _ if key == 0 => by as f64 * f.min_normal(),
                _ => 0.0,
            };
            for (what, x) in [("below seam", beside(-1)), ("seam", seam), ("above seam", beside(1))] {
                found.push((what.to_owned(), [x, 0.0]));
            }
        }
        found.retain(|(_, x)| domain.admits(0, x[0]));
    } else {
        let (least, max) = (f.min_positive(), f.max());
        let mut values = vec![0.0, 1.0, least, f.min_normal(), max, f64::INFINITY];
        values.extend(values.clone().iter().map(|x| -x));
        values.push(f64::NAN);
        let axis = |a: usize| {
            let mut all = values.clone();
            for end in ends[a] {
                if !all.iter().any(|&x| same_bits(x, end)) {
                    all.push(end);
                }
            }
            all.retain(|&x| domain.admits(a, x));
            all
        };
        let second = axis(1);
        for x in axis(0) {
            found.extend(second.iter().map(|&y| (format!("{}, {}", word(x, f), word(y, f)), [x, y])));
        }
    }
    found.retain(|(_, x)| !ftz || !x.iter().any(|x| subnormal(f, *x)));
    found
}

/// Whether a number is subnormal in a format.
pub(crate) fn subnormal(f: FloatFormat, x: f64) -> bool {
    x != 0.0 && x.abs() < f.min_normal()
}

/// What a coordinate of a special pair is called.
fn word(x: f64, f: FloatFormat) -> String {
    let sign = if x.is_sign_negative() { "-" } else { "" };
    match x.abs() {
        a if a.is_nan() => "nan".to_owned(),
        a if a.is_infinite() || a == 0.0 || a == 1.0 => format!("{x}"),
        a if a == f.min_positive() => format!("{sign}least"),
        a if a == f.min_normal() => format!("{sign}least normal"),
        a if a == f.max() => format!("{sign}greatest"),
        _ => hex(x),
    }
}

/// Judges the special inputs.
pub(crate) fn specials(
    judge: &Judge<'_>,
    domain: &SampleDomain,
    seams: &[f64],
    runner: &mut Runner<'_>,
) -> Result<Vec<SpecialPoint>, VerifyError> {
    let inputs = special_inputs(domain, seams, judge.ftz);
    let points: Vec<Point> = inputs.iter().map(|(_, x)| *x).collect();
    let mut results = Vec::new();
    runner.run(&points, &mut results)?;
    Ok(special_points(judge, domain, inputs, &results))
}

/// Judges results at special inputs, rounded to the format in which they are judged.
pub(crate) fn special_points(
    judge: &Judge<'_>,
    domain: &SampleDomain,
    inputs: Vec<(String, Point)>,
    results: &[f64],
) -> Vec<SpecialPoint> {
    let judged = inputs.into_iter().zip(results).map(|((what, x), &c)| {
        let exact = judge.exact(&x);
        let verdict = judge.verdict(&exact, c);
        let r = exact.rounded;
        let both_zero = r == 0.0 && c == 0.0;
        SpecialPoint {
            what,
            x: domain.hex(&x),
            expected: hex(r),
            got: hex(c),
            same_class: verdict.class.is_none(),
            same_zero_sign: !both_zero || r.is_sign_negative() == c.is_sign_negative(),
            ulp: verdict.error.ulp,
        }
    });
    judged.collect()
}
