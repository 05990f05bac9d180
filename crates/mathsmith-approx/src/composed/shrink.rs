//! Operations left out that the domain and the bound do not need.
//!
//! A frame computes a function on a whole format; a narrow domain needs no clamps, a loose bound no second piece of a constant,
//! and what a program really needs is hard to derive and easy to try. So every node is tried without, or as something cheaper
//! (`shrink.rules`), or with a plainer constant, or in a narrower type; the screen says what still holds, after the constants
//! have been moved to make up for it. The change that saves most and holds is made, until none is left: steepest descent in the
//! price, as delta debugging does it for inputs (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", IEEE
//! TSE 28, 2002).
//!
//! A change that was refused is not tried again while nothing below it changes; only the last pass takes nothing for granted.

use super::Judged;
use super::refine::{RefineOptions, refine_until};
use super::screen::{Scratch, Screen};
use super::shrink_build::{Change, narrowed, tidied, with_plain_constants};
use super::shrink_rules::applied;
use crate::pareto::Price;
use mathsmith_dsl::Minimize;
use mathsmith_egraph::{Limits, RuleClass, simplify};
use mathsmith_ir::{Interpreter, Literal, Node, Program};
use mathsmith_search::rng::mix64;
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// Settings of [`shrink`].
#[derive(Clone, Copy, Debug)]
pub struct ShrinkOptions {
    /// Largest error on the screen that a change may lead to; the start's own error, where that is larger.
    pub limit: f64,
    /// What makes a program smaller.
    pub minimize: Minimize,
    /// Whether products and sums may be fused.
    pub fused: bool,
    /// Evaluations of the constants at most, all changes together.
    pub evaluations: u64,
    /// Seed of the refinements.
    pub seed: u64,
}

impl Default for ShrinkOptions {
    fn default() -> Self {
        ShrinkOptions { limit: 1.0, minimize: Minimize::Throughput, fused: true, evaluations: 400_000, seed: 0 }
    }
}

/// A program on the way down.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// The program; parameters have values.
    pub program: Program,
    /// Its price.
    pub price: Price,
    /// What the screen says about it.
    pub judged: Judged,
}

/// Points of the first look at a change.
const FIRST_LOOK: usize = 384;
/// What lies this many times above the limit before its constants are moved is refused at the first look.
const REPAIRABLE: f64 = 30_000.0;
/// Evaluations for a change that does not hold as it is.
const REPAIR: u64 = 1000;
/// Evaluations for a change that was made: the better the constants, the more the next change may cost.
const POLISH: u64 = 3000;

/// Programs smaller than `start`: the whole way down to the smallest one found that keeps the limit, and what was met beside it
/// that nothing beats in price and error. Cheapest first; the start is among them unless it is beaten.
///
/// `price` gives the price of a program, `None` for one that must not be an answer. A change never breaks a demand that the
/// start keeps. The result is empty if the start has parameters without values or cannot be run.
pub fn shrink(
    screen: &Screen,
    start: &Program,
    price: &(dyn Fn(&Program) -> Option<Price> + Sync),
    options: &ShrinkOptions,
) -> Vec<Shrunk> {
    let Some(mut search) = Search::new(screen, start, price, options) else { return Vec::new() };
    search.run();
    let Search { mut found, .. } = search;
    let order = |s: &Shrunk| s.price.order(options.minimize);
    found.sort_by(|a, b| compare(order(a), order(b)).then(a.judged.error.total_cmp(&b.judged.error)));
    found
}

struct Search<'a> {
    screen: Screen,
    quick: Screen,
    price: &'a (dyn Fn(&Program) -> Option<Price> + Sync),
    options: ShrinkOptions,
    limit: f64,
    broken: u32,
    at: Shrunk,
    found: Vec<Shrunk>,
    refused: BTreeSet<(u64, u32)>,
    spent: u64,
    /// Whether constants are moved to make up for a change.
    repair: bool,
}

fn compare(a: (f64, f64, u32), b: (f64, f64, u32)) -> Ordering {
    a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2))
}

fn values(program: &Program) -> Option<Vec<Literal>> {
    program.params().iter().map(|p| p.value).collect()
}

impl<'a> Search<'a> {
    fn new(
        screen: &Screen,
        start: &Program,
        price: &'a (dyn Fn(&Program) -> Option<Price> + Sync),
        options: &ShrinkOptions,
    ) -> Option<Search<'a>> {
        let program = start.folded();
        let params = values(&program)?;
        let mut engine = mathsmith_jit::engine_for(&program).ok()?.0;
        let judged = screen.judge(&mut *engine, &params, &mut Scratch::default()).ok()?;
        let errors = screen.errors(&mut *engine, &params).ok()?;
        let hot = screen.hottest_first(&errors);
        let at = Shrunk { price: price(&program)?, program, judged };
        Some(Search {
            quick: hot.thinned(FIRST_LOOK),
            screen: hot,
            price,
            options: *options,
            limit: options.limit.max(judged.error),
            broken: judged.broken,
            found: vec![at.clone()],
            at,
            refused: BTreeSet::new(),
            spent: 0,
            repair: true,
        })
    }

    fn order(&self, price: &Price) -> (f64, f64, u32) {
        price.order(self.options.minimize)
    }

    fn run(&mut self) {
        // What does nothing goes first and all at once.
        if let Some(tidy) = tidied(&self.at.program)
            && let Some(price) = (self.price)(&tidy).filter(|p| self.order(p) < self.order(&self.at.price))
            && let Some(smaller) = self.holds(tidy, price)
        {
            self.at = smaller;
        }
        loop {
            let before = self.order(&self.at.price);
            while self.spent < self.options.evaluations && self.step() {}
            self.contract();
            let improved = self.order(&self.at.price) < before;
            // A last pass takes nothing for granted, but moves no constants: that was tried.
            if !improved || self.refused.is_empty() || self.spent >= self.options.evaluations {
                return;
            }
            self.refused.clear();
            self.repair = false;
        }
    }

    /// Makes the change that saves most among those that hold.
    fn step(&mut self) -> bool {
        let now = self.order(&self.at.price);
        let program = &self.at.program;
        let mut changes: Vec<(Price, (u64, u32), Program)> = Vec::new();
        let mut seen = BTreeSet::new();
        let proposed = applied(program, self.options.fused);
        let proposed = proposed.into_iter().chain(with_plain_constants(program)).chain(narrowed(program));
        let below = digests(program);
        for Change { at, way, program } in proposed {
            let key = (below[at.index()], way);
            if self.refused.contains(&key) || !seen.insert(digest(&program)) {
                continue;
            }
            if let Some(price) = (self.price)(&program).filter(|p| self.order(p) < now) {
                changes.push((price, key, program));
            }
        }
        changes.sort_by(|a, b| compare(self.order(&a.0), self.order(&b.0)));
        for (price, key, changed) in changes {
            if self.spent >= self.options.evaluations {
                return false;
            }
            match self.holds(changed, price) {
                Some(smaller) => {
                    // Where results have not changed, the constants are as good as they were.
                    let same = smaller.judged == self.at.judged;
                    self.at = smaller;
                    if !same {
                        self.polish();
                    }
                    return true;
                }
                None => {
                    self.refused.insert(key);
                }
            }
        }
        false
    }

    /// The changed program with constants that keep the limit; what comes near enough to be worth keeping is noted.
    fn holds(&mut self, mut program: Program, price: Price) -> Option<Shrunk> {
        let params = values(&program)?;
        let mut interpreter = Interpreter::new(&program).ok()?;
        let first = self.quick.judge(&mut interpreter, &params, &mut Scratch::default()).ok()?;
        if first.broken > self.broken || first.error > self.limit * REPAIRABLE {
            return None;
        }
        let mut engine = mathsmith_jit::engine_for(&program).ok()?.0;
        let mut judged = self.screen.judge(&mut *engine, &params, &mut Scratch::default()).ok()?;
        self.spent += 1;
        if judged.broken > self.broken {
            return None;
        }
        if judged.error > self.limit && self.repair {
            let options = RefineOptions { evaluations: REPAIR, seed: self.options.seed };
            let refined = refine_until(&self.screen, &mut *engine, &params, &options, Some(self.limit)).ok()?;
            self.spent += refined.evaluations;
            refined.apply(&mut program);
            judged = refined.judged;
        }
        let shrunk = Shrunk { program, price, judged };
        if judged.broken <= self.broken {
            self.note(&shrunk);
        }
        (judged.broken <= self.broken && judged.error <= self.limit).then_some(shrunk)
    }

    /// Better constants for the program that was reached.
    fn polish(&mut self) {
        let Some(params) = values(&self.at.program) else { return };
        let Ok((mut engine, _)) = mathsmith_jit::engine_for(&self.at.program) else { return };
        let options = RefineOptions { evaluations: POLISH, seed: self.options.seed };
        if let Ok(refined) = refine_until(&self.screen, &mut *engine, &params, &options, None) {
            self.spent += refined.evaluations;
            refined.apply(&mut self.at.program);
            self.at.judged = refined.judged;
            let at = self.at.clone();
            self.note(&at);
        }
    }

    /// The exact rules of the e-graph on the program that was reached.
    fn contract(&mut self) {
        let simpler = simplify(&self.at.program, RuleClass::Exact, &Limits::default());
        let Some(price) = (self.price)(&simpler).filter(|p| self.order(p) < self.order(&self.at.price)) else { return };
        if let Some(smaller) = self.holds(simpler, price) {
            self.at = smaller;
        }
    }

    /// Keeps a program that none of the same or a lower price beats.
    fn note(&mut self, shrunk: &Shrunk) {
        // Of programs that the machine is said to take as long for, the one with fewer operations is worth keeping.
        let order = |s: &Shrunk| s.price.order(self.options.minimize);
        let beaten = |a: &Shrunk, b: &Shrunk| order(b) <= order(a) && b.judged.error <= a.judged.error;
        if self.found.iter().all(|f| !beaten(shrunk, f)) {
            self.found.retain(|f| !beaten(f, shrunk));
            self.found.push(shrunk.clone());
        }
    }
}

/// What each node computes: constants by value.
fn digests(program: &Program) -> Vec<u64> {
    let mut out: Vec<u64> = Vec::with_capacity(program.nodes().len());
    let literal = |l: Literal| l.key().iter().fold(l.ty() as u64 + 11, |h, &k| mix64(h ^ k));
    for v in program.values() {
        let digest = match program.node(v) {
            Node::Input(i) => mix64(u64::from(i) + 1),
            Node::Lit(l) => literal(l),
            // Constants move all the time: what counts is which one it is.
            Node::Param(i) => program.params()[i as usize].name.bytes().fold(77, |h, b| mix64(h ^ u64::from(b))),
            Node::Op(op, _) => {
                let name = op.name().bytes().fold(7, |h, b| mix64(h ^ u64::from(b)));
                let name = mix64(name ^ program.ty(v) as u64);
                program.node(v).args().iter().fold(name, |h, a| mix64(h.rotate_left(9) ^ out[a.index()]))
            }
        };
        out.push(digest);
    }
    out
}

/// What a program computes, whatever the values of its parameters.
fn digest(program: &Program) -> u64 {
    let digests = digests(program);
    program.outputs().iter().fold(3, |h, v| mix64(h ^ digests[v.index()]))
}

#[cfg(test)]
#[path = "shrink_tests.rs"]
mod tests;
