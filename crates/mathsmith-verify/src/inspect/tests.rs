//! Measurements against the plain slow way: one input at a time, MPFR only.

use super::*;
use crate::measured::{Check, Parity};
use crate::report::{Histogram, hex};
use crate::truth::point;
use crate::{checksum, domain};
use mathsmith_dsl::parse_expr;
use mathsmith_ir::{ColumnMut, ColumnRef};
use rug::Float;
use std::cmp::Ordering;
use std::sync::atomic::{AtomicBool, AtomicU32};

/// As the judge of maxima has it: errors below 2^-150 ULP are 0 to both.
const BITS: u32 = 200;

fn reference(text: &str) -> Reference {
    Reference::new(&parse_expr(text).expect("parses")).expect("compiles")
}

/// Results looked up by input, or computed.
struct Plain<F> {
    f: F,
    batch: usize,
}

impl<F: Fn(f32) -> Result<f32, String> + Send> Engine for Plain<F> {
    fn batch(&self) -> usize {
        self.batch
    }
    fn run(&mut self, _: &[Literal], x: &[ColumnRef<'_>], y: &mut [ColumnMut<'_>]) -> Result<(), EngineError> {
        let (ColumnRef::F32(x), ColumnMut::F32(y)) = (x[0], &mut y[0]) else {
            return Err(EngineError::Signature("f32 columns".into()));
        };
        for (row, (y, x)) in y.iter_mut().zip(x).enumerate() {
            *y = (self.f)(*x).map_err(|what| EngineError::Failed { row: Some(row), what })?;
        }
        Ok(())
    }
}

fn subject<'a>(f: impl Fn(f32) -> f32 + Clone + Send + Sync + 'a + 'static, batch: usize) -> Subject<'a> {
    Subject::new("plain", move || {
        let f = f.clone();
        Ok(Box::new(Plain { f: move |x| Ok(f(x)), batch }) as Box<dyn Engine>)
    })
}

fn options(threads: usize) -> SweepOptions<'static> {
    SweepOptions { threads, ..SweepOptions::default() }
}

fn one(f: &Reference, d: &FloatDomain, s: Subject<'_>, how: &Inspection<'_>, threads: usize) -> Measured {
    inspect(f, d, &[s], how, &options(threads)).expect("a question").remove(0).expect("measures")
}

/// The largest of some figures, and where first.
#[derive(Debug, PartialEq)]
struct Top(f64, Vec<String>);

impl Top {
    fn new() -> Top {
        Top(f64::NEG_INFINITY, Vec::new())
    }
    fn add(&mut self, v: f64, x: f32) {
        if v > self.0 {
            *self = Top(v, vec![hex(f64::from(x))]);
        }
    }
}

fn tally(t: &mut Tallied, x: f32) {
    t.count += 1;
    t.first.get_or_insert_with(|| vec![hex(f64::from(x))]);
}

use crate::measured::Tally as Tallied;

fn class_of(c: f64, r: f64) -> Option<usize> {
    match (c, r) {
        (c, r) if r.is_nan() => (!c.is_nan()).then_some(1),
        (c, _) if c.is_nan() => Some(0),
        (c, r) if c == r => None,
        (c, _) if c.is_infinite() => Some(2),
        (_, r) if r.is_infinite() => Some(3),
        (c, r) if c == 0.0 && r != 0.0 => Some(4),
        (c, r) if c * r < 0.0 || (r != 0.0 && c.is_sign_negative() != r.is_sign_negative()) => Some(5),
        _ => None,
    }
}

/// Measures the slow way and compares every field.
fn agree(
    text: &str,
    d: &FloatDomain,
    f: impl Fn(f32) -> f32 + Clone + Send + Sync + 'static,
    how: &Inspection<'_>,
) -> Measured {
    let r = reference(text);
    let got = one(&r, d, subject(f.clone(), 1), how, 1);
    for (threads, batch) in [(2, 1), (3, 700), (2, 1 << 20)] {
        let other = one(&r, d, subject(f.clone(), batch), how, threads);
        assert_eq!(got, other, "{text}: {threads} threads, calls of {batch}");
    }
    let place = format!("{text} on {:e}..{:e}", d.lo(), d.hi());
    let format = how.judged_at;
    let least_normal = Float::with_val(53, format.min_normal());
    let (mut ulp, mut rel, mut normal, mut abs, mut held) =
        (Top::new(), Top::new(), Top::new(), Top::new(), Top::new());
    let mut classes: [Tallied; 6] = Default::default();
    let mut beyond = Tallied::default();
    let (mut sum, mut regular, mut wrong, mut flushed, mut inputs, mut check) = (0.0, 0u64, 0, 0, 0, 0u64);
    let mut histogram = vec![0i64; Histogram::BINS];
    let mut ends: [Option<(f64, Vec<String>)>; 2] = [None, None];
    let (mut floor, mut ceiling) = (f64::INFINITY, f64::NEG_INFINITY);
    let (mut inversion, mut pairs): (Option<[f32; 2]>, u64) = (None, 0);
    let (mut odd, mut mirrored): (Option<f32>, u64) = (None, 0);
    let mut before: Option<(f32, f64)> = None;
    let mut binades: Vec<(i32, bool, u64, f64, u64)> = Vec::new();
    let mut signed: Vec<(f32, f64)> = Vec::new();
    for i in 0..d.count() {
        let x = d.get(i);
        if how.ftz && x.is_subnormal() {
            continue;
        }
        inputs += 1;
        let (xd, raw) = (f64::from(x), f(x));
        check = check.wrapping_add(checksum::term(x, raw));
        let c = format.nearest_f64(f64::from(raw));
        let y = r.value(point(&r, &xd), BITS);
        let y_abs = Float::with_val(BITS, y.abs_ref());
        let rounded = r.round_to(point(&r, &xd), format);
        let is_normal = y.is_finite() && y_abs >= least_normal;
        let flush = how.ftz && c == 0.0 && rounded != 0.0 && y.is_finite() && !is_normal;
        flushed += u64::from(flush);
        let c = if flush { rounded } else { c };
        if !c.is_nan() {
            if ends[0].as_ref().is_none_or(|(v, _)| c < *v) {
                ends[0] = Some((c, vec![hex(xd)]));
            }
            if ends[1].as_ref().is_none_or(|(v, _)| c > *v) {
                ends[1] = Some((c, vec![hex(xd)]));
            }
        }
        floor = floor.min(rounded);
        ceiling = ceiling.max(rounded);
        if let Some((px, pc)) = before {
            pairs += u64::from(inversion.is_none());
            let moved = c.partial_cmp(&pc);
            let order = r.compare(point(&r, &xd), point(&r, &f64::from(px)));
            if inversion.is_none() && moved.is_some_and(|m| m != Ordering::Equal) && order.is_some() && moved != order {
                inversion = Some([px, x]);
            }
        }
        before = Some((x, c));
        if let Some(parity) = how.parity
            && x > 0.0
        {
            mirrored += 1;
            let back = if parity == Parity::Odd { -f(-x) } else { f(-x) };
            if odd.is_none() && checksum::canonical_bits(back) != checksum::canonical_bits(raw) {
                odd = Some(x);
            }
        }
        if let Some(class) = class_of(c, rounded) {
            tally(&mut classes[class], x);
        }
        let right = c == rounded || (c.is_nan() && rounded.is_nan());
        wrong += u64::from(!right);
        let mut t = f64::NAN;
        if let Some(tolerance) = how.tolerance {
            t = tolerance.value().value(&[xd], BITS).to_f64();
        }
        let numbers = c.is_finite() && y.is_finite();
        let (e_ulp, e_rel, e_abs) = if right && !rounded.is_finite() {
            (0.0, 0.0, 0.0)
        } else if !numbers {
            (f64::INFINITY, f64::INFINITY, f64::INFINITY)
        } else {
            let diff = Float::with_val(BITS + 64, &y - c).abs();
            let u = Float::with_val(BITS, &diff >> format.ulp_exponent(&y)).to_f64();
            let q = if diff.is_zero() { 0.0 } else { Float::with_val(BITS, &diff / &y_abs).to_f64() };
            (u, q, diff.to_f64())
        };
        ulp.add(e_ulp, x);
        rel.add(e_rel, x);
        abs.add(e_abs, x);
        if is_normal && rounded.is_finite() {
            normal.add(e_rel, x);
        }
        if how.tolerance.is_some() {
            let q = if e_abs == 0.0 {
                0.0
            } else if rounded.is_infinite() || !numbers {
                f64::INFINITY
            } else {
                e_abs / t
            };
            if q > 1.0 {
                tally(&mut beyond, x);
            }
            held.add(q, x);
        }
        // Next to a power of two sums go by the ulp of the double nearest to the value.
        let nearest = Float::with_val(53, &y);
        let e_fast = match (e_ulp.is_finite(), format.ulp_exponent(&nearest) - format.ulp_exponent(&y)) {
            (true, 1) => 0.5 * e_ulp,
            _ => e_ulp,
        };
        histogram[Histogram::bin(e_fast)] += 1;
        let classed = e_ulp.is_finite() && (rounded.is_finite() || right);
        if classed {
            regular += 1;
            sum += e_fast;
        }
        if numbers && rounded.is_finite() && class_of(c, rounded).is_none() {
            signed.push((x, if c < y { -e_fast } else { e_fast }));
        }
        let key = ((x.to_bits() >> 23 & 0xff) as i32 - 127, x < 0.0);
        match binades.last_mut() {
            Some(b) if (b.0, b.1) == key => {
                b.2 += 1;
                b.3 = b.3.max(e_ulp);
                b.4 += u64::from(!right);
            }
            _ => binades.push((key.0, key.1, 1, e_ulp, u64::from(!right))),
        }
    }
    let top = |p: &crate::measured::Peak| Top(p.value, p.x.clone());
    assert_eq!(got.inputs, inputs, "{place}");
    assert_eq!(top(&got.max_ulp), ulp, "{place}: ulp");
    assert_eq!(top(&got.max_rel), rel, "{place}: rel");
    assert_eq!(top(&got.max_abs), abs, "{place}: abs");
    assert_eq!(got.max_rel_normal.as_ref().map_or_else(Top::new, top), normal, "{place}: rel of normal values");
    assert_eq!(got.not_correctly_rounded, wrong, "{place}");
    let c = &got.classes;
    let of = [
        &c.nan_for_number,
        &c.number_for_nan,
        &c.infinity_for_finite,
        &c.finite_for_infinity,
        &c.zero_for_nonzero,
        &c.wrong_sign,
    ];
    for (i, (a, b)) in of.into_iter().zip(&classes).enumerate() {
        assert_eq!(a, b, "{place}: class {i}");
    }
    let mean = if regular == 0 { 0.0 } else { sum / regular as f64 };
    assert!((got.mean_ulp - mean).abs() <= 1e-6 * mean + 1e-9, "{place}: mean {} {mean}", got.mean_ulp);
    let moved: i64 = got.histogram.counts.iter().zip(&histogram).map(|(&a, b)| (a as i64 - b).abs()).sum();
    assert!(moved <= 2, "{place}: histogram {:?} {histogram:?}", got.histogram.counts);
    assert_eq!(got.checksum, format!("{check:016x}"), "{place}");
    assert_eq!(got.flushed, flushed, "{place}: flushed");
    for ((found, at), end) in got.range.got.iter().zip(&got.range.at).zip(&ends) {
        let (value, x) = end.as_ref().map_or(("nan".to_owned(), Vec::new()), |(v, x)| (hex(*v), x.clone()));
        assert_eq!((found, at), (&value, &x), "{place}: range");
    }
    if floor <= ceiling {
        // Zeros of either sign are one number.
        let zero = |s: &str| s.replace("-0x0p+0", "0x0p+0");
        assert_eq!(got.range.expected.clone().map(|s| zero(&s)), [floor, ceiling].map(|v| zero(&hex(v))), "{place}");
    }
    let monotone = got.monotone.as_ref().expect("always looked at");
    let found = inversion.map(|p| p.map(|x| hex(f64::from(x))).to_vec());
    assert_eq!(monotone.broken.as_ref().map(|b| b.at.clone()), found, "{place}: monotone");
    assert_eq!(monotone.looked_at, pairs, "{place}");
    if let Some((_, Check { looked_at, broken })) = &got.parity {
        assert_eq!(*looked_at, mirrored, "{place}");
        assert_eq!(broken.as_ref().map(|b| b.at[0].clone()), odd.map(|x| hex(f64::from(x))), "{place}: parity");
    }
    if let Some(t) = &got.tolerated {
        assert!(
            (t.worst.value - held.0).abs() <= 1e-12 * held.0 || t.worst.value == held.0,
            "{place}: {} {}",
            t.worst.value,
            held.0
        );
        assert_eq!(t.beyond, beyond, "{place}: beyond the tolerance");
    }
    assert_eq!(got.binades.len(), binades.len(), "{place}");
    for (a, b) in got.binades.iter().zip(&binades) {
        assert_eq!((a.exponent, a.negative, a.inputs, a.not_correctly_rounded), (b.0, b.1, b.2, b.4), "{place}");
        assert!(a.max_ulp == b.3 || (a.max_ulp - b.3).abs() < 1e-4, "{place}: binade {} {} {}", b.0, a.max_ulp, b.3);
    }
    for row in &got.profile {
        let inside = signed.iter().filter(|(x, _)| (row.lo..=row.hi).contains(&f64::from(*x))).map(|&(_, s)| s);
        let (lo, hi) = inside.fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), s| (lo.min(s), hi.max(s)));
        assert!((row.above - hi).abs() < 1e-4 && (row.below - lo).abs() < 1e-4, "{place}: {row:?} {lo} {hi}");
    }
    assert_eq!(got.pure.broken, None);
    got
}

/// The correctly rounded results on a domain, as a function of the input.
fn rounded(text: &str, d: &FloatDomain) -> impl Fn(f32) -> f32 + Clone + Send + Sync + 'static {
    let (r, first) = (reference(text), domain::key(d.lo()));
    let table: std::sync::Arc<Vec<f32>> =
        std::sync::Arc::new((0..d.count()).map(|i| r.round_f32(&[f64::from(d.get(i))])).collect());
    move |x| {
        let place = usize::try_from(domain::key(x) - first).unwrap_or(usize::MAX);
        table.get(place).copied().unwrap_or_else(|| r.round_f32(&[f64::from(x)]))
    }
}

/// `count` inputs from `lo` on.
fn from(lo: f32, count: i64) -> FloatDomain {
    FloatDomain::new(lo, domain::from_key(domain::key(lo) + count - 1)).expect("a domain")
}

#[test]
fn every_field_is_that_of_the_slow_way() {
    let how = Inspection::default();
    for (text, d) in [
        ("exp(x)", from(88.722, 2500)),
        ("exp(x)", from(-103.975, 2000)),
        ("exp(x)", from(0.999, 2000)),
        ("log(x)", from(-1e-42, 1600)),
        ("log(x)", from(1.0e30, 2000)),
        ("log2(x)", from(0.999_9, 2000)),
        ("cos(x)", from(-2e-4, 1500)),
        ("sin(x)", from(3.140_5, 1500)),
        ("1/x", from(-1e-42, 1500)),
        ("tanh(x)", from(8.99, 1500)),
        ("gamma(x)", from(-2.0000002, 12)),
    ] {
        let right = rounded(text, &d);
        let m = agree(text, &d, right.clone(), &how);
        assert_eq!(m.not_correctly_rounded, 0, "{text}");
        assert_eq!(m.monotone.expect("looked at").broken, None, "{text}");
        // Off by an ulp here and there, by far, of other classes.
        let noisy = right.clone();
        agree(text, &d, move |x| if x.to_bits() % 7 == 0 { noisy(x).next_up() } else { noisy(x) }, &how);
        let classes = right.clone();
        let wild = move |x: f32| match x.to_bits() % 1009 {
            0 => f32::NAN,
            1 => f32::INFINITY,
            2 => f32::NEG_INFINITY,
            3 => 0.0,
            4 => -classes(x),
            5 => f32::MAX,
            6 => -0.0,
            _ => classes(x),
        };
        agree(text, &d, wild, &how);
        for constant in [0.0, 1.0, f32::MAX, f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            agree(text, &d, move |_| constant, &how);
        }
    }
}

#[test]
fn narrow_formats_are_judged_after_a_rounding() {
    for format in [FloatFormat::BF16, FloatFormat::F16] {
        let how = Inspection { judged_at: format, ..Inspection::default() };
        for (text, d) in [
            ("exp(x)", from(0.999, 2000)),
            ("exp(x)", from(11.0898, 2000)),
            ("exp(x)", from(-17.329, 1500)),
            ("exp(x)", from(-9.71, 1500)),
            ("exp(x)", from(88.722, 2000)),
            ("sin(x)", from(3.140_5, 1500)),
            ("x*0.75", from(1.0, 1500)),
        ] {
            let right = rounded(text, &d);
            agree(text, &d, right.clone(), &how);
            agree(text, &d, move |x| right(x) * 1.003, &how);
        }
    }
}

#[test]
fn zeros_in_place_of_subnormals_are_accepted_with_ftz() {
    let how = Inspection { ftz: true, ..Inspection::default() };
    let flushed = |y: f32| if y.is_subnormal() { 0.0 } else { y };
    for (text, d) in [
        ("exp(x)", from(-87.34, 2000)),
        ("x*0.75", from(1.567e-38, 4000)),
        ("x*0.75", FloatDomain::new(-1.1755e-38, 1.1756e-38).expect("a domain")),
        ("exp2(x)", from(-126.01, 1500)),
    ] {
        if d.count() > 100_000 {
            // Subnormal inputs are left out: a handful is left of millions.
            let f = move |x: f32| flushed(x * 0.75);
            let m = one(&reference(text), &d, subject(f, 1), &how, 2);
            assert!(m.inputs < 10_000 && m.flushed > 0 && m.inputs == m.flushed + 1, "{} {}", m.inputs, m.flushed);
            assert_eq!(m.not_correctly_rounded, 0);
            continue;
        }
        let right = rounded(text, &d);
        let m = agree(text, &d, move |x| flushed(right(x)), &how);
        assert!(m.flushed > 0 && m.not_correctly_rounded == 0, "{text}: {} {}", m.flushed, m.not_correctly_rounded);
        let strict = one(&reference(text), &d, subject(move |_| 0.0, 1), &how, 1);
        assert!(strict.classes.zero_for_nonzero.count > 0, "{text}: a zero for a normal number is wrong");
    }
}

#[test]
fn tolerances_hold_input_by_input() {
    let f = "exp(x)";
    let e = parse_expr(f).expect("parses");
    for (tolerance, d) in [
        ("max(1e-6*abs(y), 1e-8)", from(0.999, 2000)),
        ("6e-8*abs(y)", from(0.999, 2000)),
        ("1e-7*x", from(0.999, 2000)),
        ("2e-7", from(0.999, 2000)),
        ("0", from(-1e-42, 1500)),
        ("abs(y)", from(-103.975, 1500)),
        ("1e32", from(88.722, 2000)),
    ] {
        let t = Tolerance::new(&parse_expr(tolerance).expect("parses"), &e).expect("fits");
        let how = Inspection { tolerance: Some(&t), ..Inspection::default() };
        let right = rounded(f, &d);
        agree(f, &d, right.clone(), &how);
        let noisy = right.clone();
        let m = agree(f, &d, move |x| if x.to_bits() % 5 == 0 { noisy(x).next_up() } else { noisy(x) }, &how);
        assert_eq!(m.tolerated.expect("asked for").tolerance, tolerance);
        agree(f, &d, |_| 0.0, &how);
        agree(f, &d, |_| f32::NAN, &how);
    }
    // A tolerance that makes no sense is refused with the place.
    let d = from(0.999_9, 2000);
    for (tolerance, word) in [("1-x", "negative"), ("sqrt(1-x)", "no value"), ("y-2.8", "negative")] {
        let t = Tolerance::new(&parse_expr(tolerance).expect("parses"), &e).expect("fits");
        let how = Inspection { tolerance: Some(&t), ..Inspection::default() };
        let refused = inspect(&reference(f), &d, &[subject(|x| x, 1)], &how, &options(2)).expect_err("refused");
        let text = refused.to_string();
        assert!(text.contains(tolerance) && text.contains(word) && text.contains("at x = 0x1"), "{text}");
    }
    let z = mathsmith_dsl::parse_expr_with_vars("z", &["z"]).expect("parses");
    assert!(Tolerance::new(&z, &e).expect_err("no such variable").to_string().contains("`z`"));
}

#[test]
fn planted_inversions_are_found_at_every_border() {
    // 2^21 inputs: chunks of 2048, blocks of 512.
    let d = FloatDomain::new(1.0, 1.25f32.next_down()).expect("a domain");
    let r = reference("x");
    for at in [1u32, 511, 512, 513, 2047, 2048, 2049, (1 << 21) - 1] {
        let f = move |x: f32| if x.to_bits() - 1.0f32.to_bits() == at { x.next_down().next_down() } else { x };
        for threads in [1, 2] {
            let m = one(&r, &d, subject(f, 4096), &Inspection::default(), threads);
            let check = m.monotone.expect("looked at");
            let broken = check.broken.expect("found");
            let (a, b) = (f32::from_bits(1.0f32.to_bits() + at - 1), f32::from_bits(1.0f32.to_bits() + at));
            assert_eq!(broken.at, [hex(f64::from(a)), hex(f64::from(b))]);
            assert_eq!(check.looked_at, u64::from(at));
        }
    }
    let m = one(&r, &d, subject(|x| x, 1), &Inspection::default(), 2);
    assert_eq!(m.monotone, Some(Check { looked_at: d.count() - 1, broken: None }));
}

#[test]
fn a_broken_symmetry_is_found() {
    let d = FloatDomain::new(-1e-41, 1e-41).expect("a domain");
    let how = Inspection { parity: Some(Parity::Odd), ..Inspection::default() };
    let right = rounded("sin(x)", &d);
    let m = agree("sin(x)", &d, right.clone(), &how);
    assert!(matches!(m.parity, Some((Parity::Odd, Check { broken: None, .. }))));
    let broken = right.clone();
    let m = agree("sin(x)", &d, move |x| if x == f32::from_bits(777) { x.next_up() } else { broken(x) }, &how);
    let (_, check) = m.parity.expect("looked at");
    assert_eq!(check.broken.expect("found").at[0], hex(f64::from(f32::from_bits(777))));
    let even = Inspection { parity: Some(Parity::Even), ..Inspection::default() };
    let c = rounded("cos(x)", &d);
    agree("cos(x)", &d, move |x| if x == -f32::from_bits(5) { 0.5 } else { c(x) }, &even);
    // A domain that is not symmetric has no symmetry to look at.
    assert!(one(&reference("sin(x)"), &from(0.1, 100), subject(|x| x, 1), &how, 1).parity.is_none());
}

#[test]
fn an_impure_subject_is_told_so() {
    let d = from(1.0, 40 * 1024);
    let r = reference("x");
    let calls = std::sync::Arc::new(AtomicU32::new(0));
    let start = {
        let calls = calls.clone();
        move || {
            let calls = calls.clone();
            let f = move |x: f32| {
                // Every so often the last bit is another one.
                let n = calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                Ok(if n % 1000 == 999 { x.next_up() } else { x })
            };
            Ok(Box::new(Plain { f, batch: 1 }) as Box<dyn Engine>)
        }
    };
    let m = inspect(&r, &d, &[Subject::new("counter", start)], &Inspection::default(), &options(1)).expect("asks");
    let m = m.into_iter().next().expect("one").expect("measures");
    assert!(m.pure.broken.expect("found").what.contains("two results"));
    // A share of the inputs, in whole blocks, and the specials.
    let how = Inspection { twice: 2048, ..Inspection::default() };
    let m = one(&r, &d, subject(|x| x, 1), &how, 2);
    assert_eq!(m.pure, Check { looked_at: 2048 + m.specials.len() as u64, broken: None });
}

#[test]
fn a_failure_names_the_first_input_and_stops_no_one_else() {
    let d = FloatDomain::new(1.0, 1.25f32.next_down()).expect("a domain");
    let r = reference("x");
    let bad = [1.2f32, 1.0625, 1.1].map(f32::to_bits);
    for (threads, batch) in [(1, 1), (2, 1), (3, 4096)] {
        let failing = move || {
            let f = move |x: f32| if bad.contains(&x.to_bits()) { Err("it crashed".to_owned()) } else { Ok(x) };
            Ok(Box::new(Plain { f, batch }) as Box<dyn Engine>)
        };
        let absent = || Err(EngineError::Failed { row: None, what: "no such symbol".to_owned() });
        let subjects = [Subject::new("bad", failing), subject(|x| x, 1), Subject::new("absent", absent)];
        let found = inspect(&r, &d, &subjects, &Inspection::default(), &options(threads)).expect("asks");
        let told = found[0].as_ref().expect_err("fails").to_string();
        assert_eq!(told, "`bad` failed at 0x1.1p+0 (1.0625): it crashed");
        assert_eq!(found[1].as_ref().expect("goes on").not_correctly_rounded, 0);
        assert!(matches!(found[2], Err(VerifyError::NotStarted { .. })));
    }
    // All fail: the run ends.
    let all = || Err(EngineError::Failed { row: None, what: "gone".to_owned() });
    let found = inspect(&r, &d, &[Subject::new("all", all)], &Inspection::default(), &options(2)).expect("asks");
    assert!(found[0].is_err());
}

#[test]
fn specials_and_seams() {
    let r = reference("exp(x)");
    let d = FloatDomain::new(-1e-43, f32::INFINITY).expect("a domain");
    let d = FloatDomain::new(3.4e38, f32::INFINITY).map_or(d, |d| d);
    let how = Inspection { seams: &[3.401e38, 1.0], ..Inspection::default() };
    let f = |x: f32| if x.is_infinite() { 1.0 } else { f32::INFINITY };
    let m = one(&r, &d, subject(f, 1), &how, 2);
    let whats: Vec<&str> = m.specials.iter().map(|s| s.what.as_str()).collect();
    assert_eq!(whats, ["lower end", "upper end", "inf", "below seam", "seam", "above seam"]);
    let inf = &m.specials[2];
    assert!(!inf.same_class && inf.ulp.is_infinite() && inf.expected == "inf" && inf.got == hex(1.0));
    assert!(m.specials[3..].iter().all(|s| s.same_class && s.ulp == 0.0));
    let zero = one(&reference("x"), &from(-0.0, 10), subject(|x| x.abs(), 1), &Inspection::default(), 1);
    let s: Vec<_> = zero.specials.iter().map(|s| (s.what.as_str(), s.same_class, s.same_zero_sign)).collect();
    assert!(s.contains(&("-0", true, false)) && s.contains(&("0", true, true)), "{s:?}");
}

#[test]
fn progress_cancelling_and_refusals() {
    let (r, d) = (reference("x"), FloatDomain::new(1.0, 2.0).expect("a domain"));
    let cancel = AtomicBool::new(false);
    let progress = |done: u64, total: u64| {
        assert!(done <= total);
        cancel.store(true, std::sync::atomic::Ordering::Relaxed);
    };
    let options = SweepOptions { threads: 2, progress: Some(&progress), cancel: Some(&cancel) };
    match inspect(&r, &d, &[subject(|x| x, 1)], &Inspection::default(), &options) {
        Err(VerifyError::Cancelled { done, total }) => assert!(done > 0 && done < total),
        other => panic!("{other:?}"),
    }
    let how = Inspection { judged_at: FloatFormat::F64, ..Inspection::default() };
    let refused = inspect(&r, &d, &[], &how, &SweepOptions::default());
    assert!(matches!(refused, Err(VerifyError::JudgedAt { format: "f64" })));
    let two = reference("x+y");
    assert!(matches!(
        inspect(&two, &d, &[], &Inspection::default(), &SweepOptions::default()),
        Err(VerifyError::Variables { variables: 2 })
    ));
}

#[test]
fn without_the_margin_a_measurement_is_wrong() {
    // Doubles do not see the second term; MPFR does, and the margin says where to ask.
    let text = "x+1e-20*x*x";
    let r = reference(text);
    fn ask<G: crate::grid::Grid>(r: &Reference, d: &FloatDomain, s: Subject<'_>, margin: f64) -> Measured {
        let found = run::measure::<G>(r, d, &[s], &Inspection::default(), &options(2), margin);
        found.expect("asks").remove(0).expect("measures")
    }
    let d = from(1.0, 2000);
    let last = vec![hex(f64::from(d.hi()))];
    for margin in [1.0, 1e3] {
        assert_eq!(ask::<Single>(&r, &d, subject(|x| x, 1), margin).max_abs.x, last, "the error grows with x");
    }
    assert_ne!(ask::<Single>(&r, &d, subject(|x| x, 1), 0.0).max_abs.x, last, "the margin did not matter");
    // Halfway between two numbers of the narrow format the second term decides.
    let d = from(1.0, 1 << 16);
    let right = |x: f32| FloatFormat::BF16.nearest_f64(f64::from(x).next_up()) as f32;
    assert_eq!(ask::<Brain>(&r, &d, subject(right, 1), 1.0).not_correctly_rounded, 0);
    assert_eq!(ask::<Brain>(&r, &d, subject(right, 1), 0.0).not_correctly_rounded, 1);
    // So does it at the end of a tolerance.
    let e = parse_expr(text).expect("parses");
    let t = Tolerance::new(&parse_expr("1e-20*x*x*0.5").expect("parses"), &e).expect("fits");
    let how = Inspection { tolerance: Some(&t), ..Inspection::default() };
    let d = from(1.0, 100);
    let beyond = |margin: f64| {
        let found = run::measure::<Single>(&r, &d, &[subject(|x| x, 1)], &how, &options(1), margin);
        found.expect("asks").remove(0).expect("measures").tolerated.expect("asked for").beyond.count
    };
    assert_eq!((beyond(1.0), beyond(0.0)), (100, 0));
}
