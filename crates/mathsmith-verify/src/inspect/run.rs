//! Evaluating pieces of the domain for all subjects, and adding pieces up.

use super::finish::{Total, measured};
use super::hand::{Hand, LONGEST_CALL, Parts};
use super::part::{Extent, Floors, Part};
use super::plan::{Piece, Plan};
use super::tolerance::Ratio;
use super::{Inspection, Subject};
use crate::block::BLOCK;
use crate::grid::Grid;
use crate::measured::Parity;
use crate::sweep::SweepOptions;
use crate::tally::Job;
use crate::truth::Judged;
use crate::workers::in_order;
use crate::{FloatDomain, Measured, VerifyError};
use mathsmith_oracle::Reference;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

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
    pub inverted: Vec<AtomicU64>,
    mirrored: Option<Parity>,
}

/// What a piece gave: a part a subject, `None` for one that has failed before.
pub(crate) struct Gathered {
    pub parts: Parts,
    pub expected: Extent,
    /// Inputs of the reference that went to MPFR.
    pub judged: u64,
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
        hand.start_over();
        let mut at = 0;
        while at < piece.len && found.parts.iter().any(|p| matches!(p, Some(Ok(_)))) {
            let n = (piece.len - at).min(rows as u64) as usize;
            let start = piece.start + at;
            hand.x.resize(n, 0.0);
            self.job.domain.fill(start, &mut hand.x);
            for (s, part) in found.parts.iter_mut().enumerate() {
                let Some(Ok(_)) = part else { continue };
                if let Err(e) = hand.run(s, &self.subjects[s]) {
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
                    hand.note(from, len);
                }
                from += len;
            }
            at += n as u64;
        }
        self.repeat(hand, &mut found.parts);
        Ok(found)
    }
}
