//! Calling subjects: the engines of one thread, results as they are judged, symmetry and second calls.

use super::Subject;
use super::observe::differ_fast;
use super::part::{Impure, Part};
use super::run::Question;
use super::tolerance::Allowed;
use crate::VerifyError;
use crate::block::{BLOCK, RefBlock, Work};
use crate::checksum::canonical_bits;
use crate::grid::Grid;
use crate::measured::Parity;
use mathsmith_ir::{ColumnMut, ColumnRef, Engine, EngineError};
use mathsmith_oracle::{FloatFormat, Scratch};

/// Most inputs of one call.
pub(crate) const LONGEST_CALL: usize = 1 << 16;

/// What a piece gave each subject; `None` for one that has failed before.
pub(crate) type Parts = Vec<Option<Result<Part, VerifyError>>>;

/// What one thread works with.
pub(crate) struct Hand {
    engines: Vec<Option<Box<dyn Engine>>>,
    pub block: RefBlock<Scratch>,
    pub work: Work,
    pub allowed: Allowed,
    /// Inputs of a call, and the results of each subject.
    pub x: Vec<f32>,
    pub c: Vec<Vec<f32>>,
    /// Inputs that are called twice, and each subject's first results.
    again: Vec<f32>,
    firsts: Vec<Vec<f32>>,
    /// Inputs and results of a further call.
    other: [Vec<f32>; 2],
}

impl Hand {
    pub(crate) fn new(subjects: usize) -> Hand {
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
    pub(crate) fn start(&mut self, s: usize, subject: &Subject<'_>) -> Result<usize, VerifyError> {
        if self.engines[s].is_none() {
            let started = (subject.start)();
            let refused =
                |e: EngineError| VerifyError::NotStarted { subject: subject.name.clone(), what: e.to_string() };
            self.engines[s] = Some(started.map_err(refused)?);
        }
        Ok(self.engines[s].as_ref().map_or(1, |e| e.batch()))
    }

    /// Calls a subject at the inputs in hand.
    pub(crate) fn run(&mut self, s: usize, subject: &Subject<'_>) -> Result<(), VerifyError> {
        self.c[s].resize(self.x.len(), 0.0);
        call(&mut self.engines[s], subject, &self.x, &mut self.c[s])
    }

    /// Forgets what is to be called again.
    pub(crate) fn start_over(&mut self) {
        self.again.clear();
        self.firsts.iter_mut().for_each(Vec::clear);
    }

    /// Takes note that some of the inputs in hand are to be called again.
    pub(crate) fn note(&mut self, from: usize, len: usize) {
        self.again.extend_from_slice(&self.x[from..from + len]);
        for (firsts, c) in self.firsts.iter_mut().zip(&self.c) {
            // A subject that has failed has no results.
            if c.len() >= from + len {
                firsts.extend_from_slice(&c[from..from + len]);
            }
        }
    }
}

/// Results of a subject at inputs, as the subject gives them.
///
/// An engine that fails is dropped: what it would say afterwards is not known.
fn call(
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
    let at = |i: usize| vec![f64::from(x[i])];
    VerifyError::of_call(&subject.name, FloatFormat::F32, x.len(), at, error)
}

impl<G: Grid> Question<'_, G> {
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

    /// Compares the results at positive inputs with those at their negatives.
    pub(super) fn mirror(&self, hand: &mut Hand, parity: Parity, parts: &mut Parts, start: u64) {
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
    pub(super) fn repeat(&self, hand: &mut Hand, parts: &mut Parts) {
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
}
