//! Evaluating pieces of the domain for all subjects, and adding pieces up.

use super::finish::{Total, measured};
use super::observe::{
    Columns, Results, Seen, class_of, differ_fast, ends_fast, flush_fast, normal_fast, see_fast, settle_fast,
    unsettled_fast,
};
use super::part::{Extent, Floors, Impure, Lane, Part, Swing};
use super::plan::{Piece, Plan};
use super::tolerance::{Allowed, Ratio};
use super::{Inspection, Subject};
use crate::block::{BLOCK, Outcome, RefBlock, Work, uniform_outcome};
use crate::checksum::canonical_bits;
use crate::extreme::{Judge, Run};
use crate::grid::Grid;
use crate::measured::Parity;
use crate::report::hex;
use crate::sweep::SweepOptions;
use crate::tally::{Apart, Job, Measure, tally_block, tally_uniform};
use crate::truth::{Judged, PointError, Truth};
use crate::workers::in_order;
use crate::{FloatDomain, Measured, VerifyError};
use mathsmith_ir::{ColumnMut, ColumnRef, Engine, EngineError};
use mathsmith_oracle::{FloatFormat, Reference, Scratch};
use std::cmp::Ordering as Order;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Most inputs of one call.
const LONGEST_CALL: usize = 1 << 16;
/// Blocks of the first look.
const FIRST_LOOK: u64 = 1024;

/// What all threads share.
pub(crate) struct Question<'a, G> {
    pub job: Job<'a, Judged<'a, G>>,
    pub subjects: &'a [Subject<'a>],
    pub inspection: &'a Inspection<'a>,
    pub plan: Plan,
    floors: Vec<Floors>,
    /// For each subject the first piece known to fail.
    failed: Vec<AtomicU64>,
    /// For each subject a position at which its results are known to move against the reference.
    inverted: Vec<AtomicU64>,
    mirrored: Option<Parity>,
}

/// What one thread works with.
pub(crate) struct Hand {
    engines: Vec<Option<Box<dyn Engine>>>,
    block: RefBlock<Scratch>,
    work: Work,
    allowed: Allowed,
    /// Inputs of a call, and the results of each subject.
    x: Vec<f32>,
    c: Vec<Vec<f32>>,
    /// Inputs that are called twice, and each subject's first results.
    again: Vec<f32>,
    firsts: Vec<Vec<f32>>,
    /// Inputs and results of a further call.
    other: [Vec<f32>; 2],
}

/// What a piece gave: a part a subject, `None` for one that has failed before.
struct Gathered {
    parts: Vec<Option<Result<Part, VerifyError>>>,
    expected: Extent,
    /// Inputs of the reference that went to MPFR.
    judged: u64,
}

/// The measurement with its margin scaled: anything but 1 breaks the guarantee, which a test shows.
pub(crate) fn measure<G: Grid>(
    reference: &Reference,
    domain: &FloatDomain,
    subjects: &[Subject<'_>],
    inspection: &Inspection<'_>,
    options: &SweepOptions<'_>,
    margin: f64,
) -> Result<Vec<Result<Measured, VerifyError>>, VerifyError> {
    let truth = Judged::<G>::new(reference);
    let plan = Plan::new(domain, inspection.ftz, inspection.twice);
    if plan.inputs == 0 {
        return Err(VerifyError::EmptyDomain { lo: domain.lo(), hi: domain.hi() });
    }
    let total = plan.inputs;
    let symmetric = domain.lo() == -domain.hi();
    let mut question = Question {
        job: Job { truth: &truth, domain, margin, strict: true },
        subjects,
        inspection,
        plan,
        floors: vec![Floors::NONE; subjects.len()],
        failed: subjects.iter().map(|_| AtomicU64::new(u64::MAX)).collect(),
        inverted: subjects.iter().map(|_| AtomicU64::new(u64::MAX)).collect(),
        mirrored: if symmetric { inspection.parity } else { None },
    };
    let (cancel, progress) = (options.cancel, options.progress);
    let cancelled = || cancel.is_some_and(|c| c.load(Ordering::Relaxed));
    let stopped = |done| VerifyError::Cancelled { done, total };

    // A first look at blocks spread over the domain: errors attained there spare most of it a closer look. A subject that
    // fails here is not looked at again; the run itself finds its first failure.
    let looks = question.plan.first_look(FIRST_LOOK);
    let mut floors = question.floors.clone();
    let suspect: Vec<AtomicBool> = subjects.iter().map(|_| AtomicBool::new(false)).collect();
    let look = |hand: &mut Hand, i: u64| {
        if cancelled() {
            return Err(stopped(0));
        }
        let wanted = |s: usize| !suspect[s].load(Ordering::Relaxed);
        let found = question.gather(hand, &looks[i as usize], &wanted, false)?;
        for (s, part) in found.parts.iter().enumerate() {
            if matches!(part, Some(Err(_))) {
                suspect[s].store(true, Ordering::Relaxed);
            }
        }
        Ok(found)
    };
    let learn = |_, found: Gathered| {
        for (floors, part) in floors.iter_mut().zip(&found.parts) {
            if let Some(Ok(part)) = part {
                floors.learn(part);
            }
        }
        true
    };
    in_order(options.threads, looks.len() as u64, || Ok(Hand::new(subjects.len())), look, learn)?;
    question.floors = floors;

    let mut totals: Vec<Result<Total, VerifyError>> =
        question.floors.iter().map(|f| Ok(Total::new(f, question.plan.segments.len()))).collect();
    let mut expected = Extent::default();
    let mut done = 0;
    let pieces = &question.plan.pieces;
    let work = |hand: &mut Hand, i: u64| {
        if cancelled() {
            return Err(stopped(0));
        }
        let wanted = |s: usize| question.failed[s].load(Ordering::Relaxed) > i;
        let found = question.gather(hand, &pieces[i as usize], &wanted, true)?;
        for (failed, part) in question.failed.iter().zip(&found.parts) {
            if matches!(part, Some(Err(_))) {
                failed.fetch_min(i, Ordering::Relaxed);
            }
        }
        Ok(found)
    };
    let take = |i: u64, found: Gathered| {
        let piece = &pieces[i as usize];
        for (total, part) in totals.iter_mut().zip(found.parts) {
            match (total.as_mut(), part) {
                (Ok(sum), Some(Ok(part))) => sum.add(&question, piece, part, found.judged),
                (Ok(_), Some(Err(e))) => *total = Err(e),
                // It failed on an earlier piece.
                (Err(_), _) | (Ok(_), None) => {}
            }
        }
        expected.merge(found.expected);
        done = piece.before + piece.len;
        if let Some(progress) = progress {
            progress(done, total);
        }
        // Nothing is left to do when all have failed.
        totals.iter().any(Result::is_ok) || totals.is_empty()
    };
    match in_order(options.threads, pieces.len() as u64, || Ok(Hand::new(subjects.len())), work, take) {
        Err(VerifyError::Cancelled { .. }) => return Err(stopped(done)),
        other => other?,
    }
    let mut hand = Hand::new(subjects.len());
    let mut results = Vec::with_capacity(totals.len());
    for (s, total) in totals.into_iter().enumerate() {
        results.push(match total {
            Ok(total) => measured(&question, &mut hand, s, total, expected),
            Err(e) => Err(e),
        });
    }
    Ok(results)
}

impl Hand {
    fn new(subjects: usize) -> Hand {
        Hand {
            engines: (0..subjects).map(|_| None).collect(),
            block: RefBlock::new(),
            work: Work::new(),
            allowed: Allowed::new(),
            x: Vec::new(),
            c: vec![Vec::new(); subjects],
            again: Vec::new(),
            firsts: vec![Vec::new(); subjects],
            other: [Vec::new(), Vec::new()],
        }
    }

    /// Starts the engine of a subject unless it runs; returns the rows that one call should have.
    fn start(&mut self, s: usize, subject: &Subject<'_>) -> Result<usize, VerifyError> {
        if self.engines[s].is_none() {
            let started = (subject.start)();
            let refused =
                |e: EngineError| VerifyError::NotStarted { subject: subject.name.clone(), what: e.to_string() };
            self.engines[s] = Some(started.map_err(refused)?);
        }
        Ok(self.engines[s].as_ref().map_or(1, |e| e.batch()))
    }
}

/// Results of a subject at inputs, as the subject gives them.
///
/// An engine that fails is dropped: what it would say afterwards is not known.
pub(crate) fn call(
    engine: &mut Option<Box<dyn Engine>>,
    subject: &Subject<'_>,
    x: &[f32],
    c: &mut [f32],
) -> Result<(), VerifyError> {
    let Some(running) = engine.as_mut() else {
        let what = "it is not running".to_owned();
        return Err(VerifyError::NotStarted { subject: subject.name.clone(), what });
    };
    let rows = running.batch().clamp(BLOCK, LONGEST_CALL);
    for (x, c) in x.chunks(rows).zip(c.chunks_mut(rows)) {
        if let Err(e) = running.run(&subject.params, &[ColumnRef::F32(x)], &mut [ColumnMut::F32(c)]) {
            *engine = None;
            return Err(failure(subject, x, e));
        }
    }
    Ok(())
}

fn failure(subject: &Subject<'_>, x: &[f32], error: EngineError) -> VerifyError {
    let name = |x: f32| format!("{} ({x:?})", hex(f64::from(x)));
    match error {
        EngineError::Failed { row, what } => {
            let input = match (row.and_then(|row| x.get(row)), x) {
                (Some(&x), _) | (None, &[x]) => name(x),
                (None, [first, .., last]) => format!("one of the inputs from {} to {}", name(*first), name(*last)),
                (None, []) => "no input".to_owned(),
            };
            VerifyError::Failed { subject: subject.name.clone(), input, what }
        }
        source => VerifyError::Engine { program: subject.name.clone(), source },
    }
}

impl<'a, G: Grid> Question<'a, G> {
    pub(crate) fn truth(&self) -> &'a Judged<'a, G> {
        self.job.truth
    }

    pub(crate) fn ratio(&self) -> Option<Ratio<'a, G>> {
        self.inspection.tolerance.map(|t| Ratio::new(self.job.truth, t, self.job.domain))
    }

    /// The symmetry that is looked at.
    pub(crate) fn mirrored(&self) -> Option<Parity> {
        self.mirrored
    }

    /// Results of a subject as it gives them.
    pub(crate) fn raw(&self, hand: &mut Hand, s: usize, x: &[f32]) -> Result<Vec<f32>, VerifyError> {
        hand.start(s, &self.subjects[s])?;
        let mut c = vec![0.0; x.len()];
        call(&mut hand.engines[s], &self.subjects[s], x, &mut c)?;
        Ok(c)
    }

    /// Results of a subject as they are judged.
    pub(crate) fn results(&self, hand: &mut Hand, s: usize, x: &[f32]) -> Result<Vec<f32>, VerifyError> {
        let c = self.raw(hand, s, x)?;
        Ok(c.into_iter().map(|c| G::round(f64::from(c))).collect())
    }

    /// Whether a result is a zero that is accepted in place of a subnormal one.
    pub(crate) fn is_flushed(&self, x: f32, c: f32) -> bool {
        let rounded = self.truth().round_f32(f64::from(x));
        self.inspection.ftz && c == 0.0 && rounded != 0.0 && rounded.is_finite() && self.is_below_normal(f64::from(x))
    }

    /// Exact errors of a result as it is judged.
    pub(crate) fn error(&self, x: f32, c: f32) -> PointError {
        let c = if self.is_flushed(x, c) { self.truth().round_f32(f64::from(x)) } else { c };
        self.truth().errors(f64::from(x), c)
    }

    /// Evaluates a piece for the wanted subjects. `fully` says whether calls are repeated, too.
    fn gather(
        &self,
        hand: &mut Hand,
        piece: &Piece,
        wanted: &dyn Fn(usize) -> bool,
        fully: bool,
    ) -> Result<Gathered, VerifyError> {
        let mut found = Gathered { parts: Vec::new(), expected: Extent::default(), judged: 0 };
        let mut rows = BLOCK;
        for (s, subject) in self.subjects.iter().enumerate() {
            found.parts.push(wanted(s).then(|| {
                let batch = hand.start(s, subject)?;
                rows = rows.max(batch);
                Ok(Part::new(&self.floors[s]))
            }));
        }
        let rows = rows.clamp(BLOCK, LONGEST_CALL).next_multiple_of(BLOCK);
        hand.again.clear();
        hand.firsts.iter_mut().for_each(Vec::clear);
        let mut at = 0;
        while at < piece.len && found.parts.iter().any(|p| matches!(p, Some(Ok(_)))) {
            let n = (piece.len - at).min(rows as u64) as usize;
            let start = piece.start + at;
            hand.x.resize(n, 0.0);
            self.job.domain.fill(start, &mut hand.x);
            for (s, part) in found.parts.iter_mut().enumerate() {
                let Some(Ok(_)) = part else { continue };
                hand.c[s].resize(n, 0.0);
                if let Err(e) = call(&mut hand.engines[s], &self.subjects[s], &hand.x, &mut hand.c[s]) {
                    *part = Some(Err(e));
                }
            }
            if let Some(parity) = self.mirrored
                && fully
                && hand.x[n - 1] > 0.0
            {
                self.mirror(hand, parity, &mut found.parts, start);
            }
            let mut from = 0;
            while from < n {
                let len = BLOCK.min(n - from);
                self.observe(hand, &mut found, from, len, start + from as u64)?;
                if fully && self.plan.is_called_again(piece.block + (at as usize + from) as u64 / BLOCK as u64) {
                    hand.again.extend_from_slice(&hand.x[from..from + len]);
                    for (firsts, c) in hand.firsts.iter_mut().zip(&hand.c) {
                        if c.len() >= from + len {
                            firsts.extend_from_slice(&c[from..from + len]);
                        }
                    }
                }
                from += len;
            }
            at += n as u64;
        }
        self.repeat(hand, &mut found.parts);
        Ok(found)
    }

    /// Compares the results at positive inputs with those at their negatives.
    fn mirror(&self, hand: &mut Hand, parity: Parity, parts: &mut [Option<Result<Part, VerifyError>>], start: u64) {
        let Hand { engines, x, c, other: [negative, back], .. } = hand;
        negative.clear();
        negative.extend(x.iter().map(|x| -x));
        back.resize(x.len(), 0.0);
        for (s, slot) in parts.iter_mut().enumerate() {
            let Some(Ok(part)) = slot else { continue };
            if let Err(e) = call(&mut engines[s], &self.subjects[s], negative, back) {
                *slot = Some(Err(e));
                continue;
            }
            // Zero is its own negative.
            let first = usize::from(x[0] == 0.0);
            part.mirrored += (x.len() - first) as u64;
            let sign = if parity == Parity::Odd { 1 << 31 } else { 0 };
            if part.asymmetric.is_some() || !differ_fast(&c[s][first..x.len()], &back[first..], sign) {
                continue;
            }
            let differs = |lane: &usize| {
                let mirrored = if parity == Parity::Odd { -back[*lane] } else { back[*lane] };
                canonical_bits(mirrored) != canonical_bits(c[s][*lane])
            };
            if let Some(lane) = (first..x.len()).find(differs) {
                part.asymmetric = Some((start + lane as u64, [c[s][lane], back[lane]]));
            }
        }
    }

    /// Calls some inputs of the piece again, in the opposite order.
    fn repeat(&self, hand: &mut Hand, parts: &mut [Option<Result<Part, VerifyError>>]) {
        let Hand { engines, again, firsts, other: [_, back], .. } = hand;
        if again.is_empty() {
            return;
        }
        let rows = again.len();
        again.reverse();
        back.resize(again.len(), 0.0);
        for (s, slot) in parts.iter_mut().enumerate() {
            let Some(Ok(part)) = slot else { continue };
            if let Err(e) = call(&mut engines[s], &self.subjects[s], again, back) {
                *slot = Some(Err(e));
                continue;
            }
            part.twice = again.len() as u64;
            back.reverse();
            if !differ_fast(&firsts[s], back, 0) {
                continue;
            }
            let pairs = firsts[s].iter().zip(back.iter());
            let differs = |(first, second): (&f32, &f32)| canonical_bits(*first) != canonical_bits(*second);
            part.impure = pairs.clone().position(differs).map(|i| Impure {
                x: again[rows - 1 - i],
                first: firsts[s][i],
                second: back[i],
            });
        }
    }

    /// Judges one block for all subjects: `len` inputs from `from` on of those in hand.
    fn observe(
        &self,
        hand: &mut Hand,
        found: &mut Gathered,
        from: usize,
        len: usize,
        start: u64,
    ) -> Result<(), VerifyError> {
        let Hand { block, work, allowed, x, c, .. } = hand;
        block.x[..len].copy_from_slice(&x[from..from + len]);
        found.judged += block.load(self.job.truth, len, self.job.margin);
        let mut shared = Shared { normal: (0, 0), slow: [0; BLOCK] };
        if block.uniform.is_none() {
            for (i, s) in block.slow.iter().enumerate() {
                shared.slow[usize::from(s.lane)] = i as u16 + 1;
            }
            shared.normal = normal_fast::<G>(&block.y[..len], &block.e[..len]);
            if let Some(ratio) = self.ratio() {
                found.judged += allowed.load(&ratio, block)?;
            }
        }
        self.extend_expected(block, &mut found.expected, start);
        for (s, slot) in found.parts.iter_mut().enumerate() {
            let Some(Ok(part)) = slot else { continue };
            let raw = &c[s][from..from + len];
            self.observe_one(s, raw, block, work, allowed, &mut shared, start, part);
        }
        Ok(())
    }

    /// Takes the correctly rounded results of a block into their range.
    fn extend_expected(&self, block: &RefBlock<Scratch>, expected: &mut Extent, start: u64) {
        let n = block.len;
        if let Some(rounded) = block.uniform {
            if !rounded.is_nan() {
                expected.add((rounded, rounded), &[rounded], start);
            }
        } else if block.slow.is_empty() {
            expected.add(ends_fast(&block.rounded[..n]), &block.rounded[..n], start);
        } else {
            let mut rounded = block.rounded[..n].to_vec();
            for s in &block.slow {
                rounded[usize::from(s.lane)] = s.rounded;
            }
            expected.add(ends_fast(&rounded), &rounded, start);
        }
    }

    /// Judges one block of one subject.
    #[expect(clippy::too_many_arguments, reason = "the parts of a worker, borrowed apart")]
    fn observe_one(
        &self,
        s: usize,
        raw: &[f32],
        block: &mut RefBlock<Scratch>,
        work: &mut Work,
        allowed: &Allowed,
        shared: &mut Shared,
        start: u64,
        part: &mut Part,
    ) {
        let n = block.len;
        let mut c: Results = [0.0; BLOCK];
        settle_fast::<G>(raw, &mut c);
        part.got.add(ends_fast(&c[..n]), &c[..n], start);
        if let Some(rounded) = block.uniform {
            self.observe_uniform(s, rounded, &c[..n], block, start, part);
            self.replace_checksum(block, raw, &c[..n], part);
            return;
        }
        let before = part.last;
        let mut figures = c;
        if self.inspection.ftz {
            self.flush(block, shared, &mut figures[..n], part);
        }
        let seen = see_fast(Columns::of(block), &figures[..n]);
        self.classify(block, shared, seen, &figures[..n], start, part);
        let pairs = shared.has_slow(block) || unsettled_fast(Columns::of(block), &c[..n]);
        self.neighbours(s, pairs, before, |lane| self.lane(block, shared, &c, lane, start), n, part);
        let kept = figures;
        let (outcome, apart) = tally_block(&self.job, block, work, &mut figures, start, &mut part.tally);
        self.replace_checksum(block, raw, &kept[..n], part);
        self.offer_normal(block, shared, &figures[..n], &outcome, &apart, start, part);
        if let Some(mut ratio) = self.ratio() {
            self.tolerate(&mut ratio, block, allowed, &kept[..n], &figures[..n], &outcome, &apart, start, part);
            part.tally.settled += ratio.asked;
        }
    }

    /// The sum is over what the subject returned, whatever was judged in its place.
    fn replace_checksum(&self, block: &RefBlock<Scratch>, raw: &[f32], judged: &[f32], part: &mut Part) {
        if G::FORMAT != FloatFormat::F32 || self.inspection.ftz {
            let [judged, raw] = [judged, raw].map(|c| uniform_outcome(block, c).checksum);
            part.tally.checksum = part.tally.checksum.wrapping_sub(judged).wrapping_add(raw);
        }
    }

    /// Classes and order where the reference overflows throughout, or has no value.
    fn observe_uniform(
        &self,
        s: usize,
        rounded: f32,
        c: &[f32],
        block: &RefBlock<Scratch>,
        start: u64,
        part: &mut Part,
    ) {
        let wrong = tally_uniform(&self.job, block, rounded, c, start, &mut part.tally);
        if let Some((first, lanes)) = wrong {
            let one_class = rounded.is_nan();
            let alike = if one_class { first + 1 } else { c.len() };
            for (lane, &c) in c.iter().enumerate().take(alike).skip(first) {
                if let Some(class) = class_of(c, rounded) {
                    part.classes[class].add(start + lane as u64);
                    part.classes[class].count += if one_class { lanes - 1 } else { 0 };
                }
            }
            // A number for an infinity or NaN is beyond any tolerance.
            part.beyond.count += lanes;
            part.beyond.first.get_or_insert(start + first as u64);
        }
        if let Some(mut ratio) = self.ratio() {
            let (lane, error) = wrong.map_or((0, 0.0), |(first, _)| (first, f64::INFINITY));
            part.tolerated.offer(Run::single(start + lane as u64, c[lane], (error, error)), &mut ratio);
            part.tally.settled += ratio.asked;
        }
        let before = part.last;
        let moves = !rounded.is_nan() && c.iter().any(|v| *v != c[0]);
        let lane = |lane: usize| {
            // Values beyond the doubles are ordered by MPFR alone.
            let (y, e) = (block.y[lane], block.e[lane]);
            let e = if y.is_finite() { e } else { f64::NAN };
            Lane { index: start + lane as u64, c: c[lane], y, e }
        };
        self.neighbours(s, moves, before, lane, c.len(), part);
    }

    fn lane(&self, block: &RefBlock<Scratch>, shared: &Shared, c: &Results, lane: usize, start: u64) -> Lane {
        let known = shared.slow[lane] == 0 || block.slow.is_empty();
        let e = if known { block.e[lane] } else { f64::NAN };
        Lane { index: start + lane as u64, c: c[lane], y: block.y[lane], e }
    }

    /// Looks for a pair of neighbours whose results move against the reference: the pair at the border to the block
    /// before, and those within the block if `pairs` says that some may.
    fn neighbours(
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

    /// Zeros in place of subnormal results become the correctly rounded ones.
    fn flush(&self, block: &RefBlock<Scratch>, shared: &Shared, c: &mut [f32], part: &mut Part) {
        let (flushed, open) = flush_fast::<G>(Columns::of(block), c);
        part.flushed += u64::from(flushed);
        if !open && !shared.has_slow(block) {
            return;
        }
        for (lane, c) in c.iter_mut().enumerate() {
            let rounded = shared.rounded(block, lane);
            if *c == 0.0 && rounded != 0.0 && !rounded.is_nan() && self.is_below_normal(block.xd[lane]) {
                *c = rounded;
                part.flushed += 1;
            }
        }
    }

    fn is_below_normal(&self, x: f64) -> bool {
        let (y, low) = self.truth().value_dd(x);
        // The least normal number is a double: the larger part of the sum tells, unless it is that number.
        if y.abs() == G::MIN_NORMAL {
            return low * y.signum() < 0.0;
        }
        y.abs() < G::MIN_NORMAL
    }

    /// Counts classes and takes in signed errors.
    fn classify(&self, block: &RefBlock<Scratch>, shared: &Shared, seen: Seen, c: &[f32], start: u64, part: &mut Part) {
        if !seen.misclassed && !seen.odd && !shared.has_slow(block) {
            part.swing.merge(Swing { above: seen.above, below: seen.below });
            return;
        }
        let scale = block.scale();
        for (lane, &c) in c.iter().enumerate() {
            let rounded = shared.rounded(block, lane);
            let class = class_of(c, rounded);
            if let Some(class) = class {
                part.classes[class].add(start + lane as u64);
            }
            // A zero or a sign is wrong by a finite distance; of slow lanes the fast values say nothing.
            if shared.slow[lane] == 0 && c.is_finite() && class.is_none() {
                let signed = (f64::from(c) - block.y[lane]) * scale[lane];
                part.swing.merge(Swing { above: signed, below: signed });
            }
        }
    }

    /// Offers relative errors where the value is normal.
    #[expect(clippy::too_many_arguments, reason = "the parts of a block, passed once")]
    fn offer_normal(
        &self,
        block: &RefBlock<Scratch>,
        shared: &Shared,
        c: &[f32],
        outcome: &Outcome,
        apart: &[Apart],
        start: u64,
        part: &mut Part,
    ) {
        let (_, maybe) = shared.normal;
        let finite = |a: &&Apart| shared.rounded(block, a.lane).is_finite();
        let top = apart.iter().filter(finite).map(|a| a.error[Measure::Rel as usize].1).fold(0.0, f64::max);
        let top = if maybe > 0 { top.max(outcome.top_rel) } else { top };
        if (maybe == 0 && apart.is_empty()) || !part.normal.wants(top) {
            return;
        }
        let mut exact = self.job.exact(Measure::Rel);
        let mut rest = apart.iter().peekable();
        for (lane, &c) in c.iter().enumerate() {
            let index = start + lane as u64;
            let a = rest.next_if(|a| a.lane == lane);
            let slow = shared.slow[lane] != 0;
            let size = block.y[lane].abs();
            let normal = if slow {
                shared.rounded(block, lane).is_finite() && !self.is_below_normal(block.xd[lane])
            } else if size - block.e[lane] >= G::MIN_NORMAL {
                true
            } else {
                size + block.e[lane] >= G::MIN_NORMAL && !self.is_below_normal(block.xd[lane])
            };
            if normal {
                let run = match a {
                    Some(a) => Run::single(index, a.computed, a.error[Measure::Rel as usize]),
                    None => Run::single(index, c, block.rel_interval(lane, c)),
                };
                part.normal.offer(run, &mut exact);
            }
        }
        part.tally.settled += exact.asked;
    }

    /// Holds results against the tolerance. `kept` has what `c` had in slow and odd lanes.
    #[expect(clippy::too_many_arguments, reason = "the parts of a block, passed once")]
    fn tolerate(
        &self,
        ratio: &mut Ratio<'_, G>,
        block: &RefBlock<Scratch>,
        allowed: &Allowed,
        kept: &[f32],
        c: &[f32],
        outcome: &Outcome,
        apart: &[Apart],
        start: u64,
        part: &mut Part,
    ) {
        let held = allowed.hold(block, c);
        let plain = apart.is_empty() && outcome.odd.is_empty();
        if plain && !held.look && !part.tolerated.wants(held.top) {
            return;
        }
        let mut rest = apart.iter().peekable();
        for (lane, (&c, &own)) in c.iter().zip(kept).enumerate() {
            let index = start + lane as u64;
            let interval = match rest.next_if(|a| a.lane == lane) {
                Some(_) => {
                    let v = ratio.exact(index, own);
                    (v, v)
                }
                None => allowed.interval(block, lane, c),
            };
            let beyond = if interval.0 > 1.0 {
                true
            } else if interval.1 <= 1.0 {
                false
            } else {
                ratio.exact(index, own) > 1.0
            };
            if beyond {
                part.beyond.add(index);
            }
            part.tolerated.offer(Run::single(index, own, interval), ratio);
        }
    }
}

/// What is known of a block for all subjects.
struct Shared {
    /// Lanes whose value is certainly normal, and that may be.
    normal: (u32, u32),
    /// For each lane one more than its place among the slow ones; 0 for fast ones.
    slow: [u16; BLOCK],
}

impl Shared {
    fn has_slow(&self, block: &RefBlock<Scratch>) -> bool {
        !block.slow.is_empty()
    }

    /// The correctly rounded result of a lane.
    fn rounded(&self, block: &RefBlock<Scratch>, lane: usize) -> f32 {
        match self.slow[lane] {
            0 => block.rounded[lane],
            place => block.slow[usize::from(place) - 1].rounded,
        }
    }
}
