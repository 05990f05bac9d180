//! What a screen does not show: hunts, the hottest binades, and the sweep over every input.

use super::answer::AnswerError;
use super::answer_work::{FIRST_EVALUATIONS, MORE, Work, order};
use super::prove::prove;
use super::screen_hunt::hunt;
use crate::float::{Verified, sweep_all};
use crate::observe::Event;
use mathsmith_egraph::{Limits, RuleClass, simplify};
use mathsmith_ir::Program;
use mathsmith_verify::{FloatDomain, domain};

/// Programs of a variant that keep the bound on the screen before any is proven.
const ENOUGH: usize = 3;
/// Rounds of hunts for worse inputs.
const HUNTS: usize = 6;
/// Rounds of sweeps over the hottest binades before a whole sweep.
const HOT_ROUNDS: usize = 12;
/// Share of the bound to which a program is refined that was refused once: what the screen lacked is not all that it lacks.
const WARY: f64 = 0.9;
/// Programs this much below the bound on the screen are safe; the others are improved as far as they can be before a sweep.
const SAFE: f64 = 0.5;
/// Binades of such a round.
const HOT_BINADES: usize = 3;
/// Worst inputs of one program and sweep that join the screen.
const FAILURES: usize = 64;

impl Work<'_> {
    /// The binades in which programs have their largest errors on the screen, hottest first: a screen misses the worst
    /// inputs, but where they lie it shows well.
    pub(super) fn hot_binades(&self, chosen: &[usize]) -> Result<Vec<FloatDomain>, AnswerError> {
        let mut hottest: Vec<(f64, i64)> = Vec::new();
        for &i in chosen {
            let program = self.candidates[i].composed.program.bound();
            let errors = self.screen.errors(&mut *mathsmith_jit::engine_for(&program)?.0, &[])?;
            for (&x, &error) in self.screen.inputs().iter().zip(&errors) {
                let binade = domain::key(x).div_euclid(1 << 23);
                match hottest.iter_mut().find(|h| h.1 == binade) {
                    Some(h) => h.0 = h.0.max(error),
                    None => hottest.push((error, binade)),
                }
            }
        }
        hottest.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let part = |&(_, binade): &(f64, i64)| {
            let (first, last) = (binade << 23, (binade << 23) + (1 << 23) - 1);
            let lo = domain::from_key(first.max(domain::key(self.domain.lo())));
            let hi = domain::from_key(last.min(domain::key(self.domain.hi())));
            FloatDomain::new(lo, hi).ok()
        };
        Ok(hottest.iter().take(HOT_BINADES).filter_map(part).collect())
    }

    /// The cheapest of each variant that keep the bound on the screen and are not proven.
    pub(super) fn promising(&self, most: usize) -> Vec<usize> {
        let mut all = Vec::new();
        for arithmetic in self.arithmetics() {
            let mut own = self.kept(arithmetic);
            let minimize = self.question.problem.minimize;
            let found = self.answers(arithmetic).map(|v| v.price).min_by(|a, b| order(a, b, minimize));
            own.retain(|&i| {
                let c = &self.candidates[i];
                let cheaper = found.is_none_or(|p| order(&c.composed.price, &p, minimize) == std::cmp::Ordering::Less);
                !c.proven && cheaper
            });
            all.extend(own.into_iter().take(most));
        }
        all
    }

    /// Lets a hunt around the worst inputs refuse what it can, and refines what it refuses.
    pub(super) fn hunt(&mut self) -> Result<(), AnswerError> {
        for round in 0..HUNTS {
            let chosen = self.promising(ENOUGH);
            if chosen.is_empty() || !self.may_spend() {
                break;
            }
            let seed = self.question.problem.seed.wrapping_add(round as u64);
            let found = self.each(&chosen, |_, &i| hunt(&self.screen, &self.candidates[i].composed.program, seed));
            let new: usize = found.iter().map(|worse| self.screen.insert(worse)).sum();
            if new == 0 {
                break;
            }
            self.judge_again();
            if !self.refine_refused(&chosen)? {
                break;
            }
        }
        self.step("hunted");
        Ok(())
    }

    /// Improves the programs that are next to be swept beyond what the bound asks for. A screen shows less than a sweep will,
    /// by an unknown share of the rounding errors, and some thousand evaluations are a small part of a sweep.
    pub(super) fn polish(&mut self) -> Result<(), AnswerError> {
        let mut chosen = self.promising(ENOUGH);
        chosen.retain(|&i| self.candidates[i].judged.error > SAFE * self.bound());
        if !chosen.is_empty() && self.may_spend() {
            let chosen: Vec<(usize, u64)> = chosen.into_iter().map(|i| (i, FIRST_EVALUATIONS)).collect();
            self.refine_to(&chosen, None)?;
            self.step("polished");
        }
        Ok(())
    }

    /// Refines those of the chosen that no longer keep the bound; false where all do.
    pub(super) fn refine_refused(&mut self, chosen: &[usize]) -> Result<bool, AnswerError> {
        let refused = chosen.iter().filter(|&&i| self.candidates[i].judged.error > self.bound());
        let refused: Vec<(usize, u64)> = refused.map(|&i| (i, FIRST_EVALUATIONS * MORE)).collect();
        if !refused.is_empty() {
            self.refine_to(&refused, Some(self.bound() * WARY))?;
        }
        Ok(!refused.is_empty())
    }

    /// Lets the hottest binades refuse what they can, and refines what they refuse.
    pub(super) fn harden(&mut self) -> Result<(), AnswerError> {
        // A sweep by MPFR alone is too slow to be repeated, and a small domain is swept as a whole.
        if self.domain.count() < 1 << 24 || !self.question.reference.has_fast_path() {
            return Ok(());
        }
        for _ in 0..HOT_ROUNDS {
            let chosen = self.promising(ENOUGH);
            if chosen.is_empty() || !self.may_spend() {
                break;
            }
            let programs: Vec<Program> = chosen.iter().map(|&i| self.candidates[i].composed.program.bound()).collect();
            let before = self.screen.len();
            for binade in self.hot_binades(&chosen)? {
                let question = self.question;
                let reports = sweep_all(&question.reference, &binade, &programs, self.threads, self.observer)?;
                for report in reports {
                    let mut worst = report.adversarial_inputs();
                    worst.truncate(FAILURES);
                    worst.extend([report.max_rel.input, report.max_abs.input]);
                    self.screen.insert(&worst);
                }
            }
            if self.screen.len() == before {
                break;
            }
            self.judge_again();
            self.step("swept hot binades");
            if !self.refine_refused(&chosen)? {
                break;
            }
        }
        Ok(())
    }

    /// Proves candidates; what their proofs find worst joins the screen.
    pub(super) fn prove(&mut self, chosen: &[usize]) -> Result<(), AnswerError> {
        self.observer.event(&Event::Stage(format!("sweeping {} programs over every input", chosen.len())));
        // The simplified program is the one that is proven.
        let programs: Vec<Program> = chosen
            .iter()
            .map(|&i| simplify(&self.candidates[i].composed.program.bound(), RuleClass::Exact, &Limits::default()))
            .collect();
        self.step_with("proving", programs.iter().map(Program::to_string).collect());
        let proofs = prove(self.question, &programs, self.threads, self.observer)?;
        for ((&i, program), proof) in chosen.iter().zip(programs).zip(proofs) {
            let mut worst = proof.failures();
            worst.truncate(2 * FAILURES);
            self.screen.insert(&worst);
            let answers = proof.answers(self.question);
            let c = &mut self.candidates[i];
            // What a sweep refuses for its error may be refined; a broken demand no constant mends.
            c.proven = answers || !proof.broken.is_empty();
            let composed = &c.composed;
            self.verified.push(Verified {
                arithmetic: composed.arithmetic,
                price: self.question.price(&program),
                program,
                origin: composed.origin(),
                proof,
            });
        }
        self.judge_again();
        self.step(format!("proved {}", chosen.len()));
        Ok(())
    }
}
