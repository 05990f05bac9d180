//! All plans that a function admits: every reduction tried, parts reduced further.
//!
//! A reduction is used where its identities hold and a frame of it, with exact cores, gives no result of the wrong kind on
//! the domain (signs of zeros aside); nothing else decides. A part of a plan is a function on an interval, the arguments that the frame computes
//! on the domain, and is planned in the same way.

use crate::builtin::builtin;
use crate::floor::{self, Exact, Truth};
use crate::misfit::{Misfit, Number};
use crate::plan::Plan;
use crate::reduction::Reduction;
use crate::scope::Subject;
use mathsmith_dsl::suggest::nearest;
use mathsmith_dsl::{Expr, Reduce};
use mathsmith_ir::Type;
use mathsmith_oracle::OracleError;

/// Plans that are given back at most, and that are kept for a part.
const MOST_PLANS: usize = 32;
const MOST_FOR_PART: usize = 8;
/// Reductions within one another.
const DEEPEST: usize = 3;
/// Inputs for judging a frame, see [`floor::inputs`].
const DENSITY: u32 = 240;
/// Rounds of looking closer for the ends of a part's domain.
const ROUNDS: u32 = 4;

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ReduceError {
    /// The function of a plan cannot be evaluated.
    #[error("the function cannot be evaluated: {0}")]
    Function(#[from] OracleError),
    /// No plan is made for this function, whatever the reduction.
    #[error("no plan is made: {0}\n  help: a plan is for a function of one variable that has values")]
    Subject(Misfit),
    /// No reduction has this name.
    #[error("there is no reduction `{name}`\n  help: {help}")]
    Unknown {
        /// The name given.
        name: String,
        /// A near name, or the names that there are.
        help: String,
    },
    /// The reduction asked for does not fit.
    #[error("the reduction `{name}` does not fit: {misfit}\n  help: {help}")]
    Misfit {
        /// The reduction.
        name: String,
        /// What fails, and where.
        misfit: Misfit,
        /// Those that fit.
        help: String,
    },
    /// The reduction asked for fits the function, but not its domain.
    #[error(
        "the reduction `{name}` is not for this domain: its frame gives {} at x = {}, where the function is {}\n  help: {help}",
        Number(*.got), Number(*.input), Number(*.wanted)
    )]
    Astray {
        /// The reduction.
        name: String,
        /// Where it goes wrong.
        input: f64,
        /// The correctly rounded value.
        wanted: f64,
        /// What the frame gives with exact cores.
        got: f64,
        /// Those that fit.
        help: String,
    },
    /// No reduction is to be used, and the function is no core.
    #[error("without a reduction, one core is the function itself, but {}\n  help: {help}", no_core(*.input, *.value))]
    NoCore {
        /// Where it cannot be: an infinite input, or one with an infinite value or none.
        input: f64,
        /// The function there, rounded.
        value: f64,
        /// Those that fit.
        help: String,
    },
    /// No reduction fits.
    #[error("no reduction fits the function on this domain, and without one {}\n  help: {help}", no_core(*.input, *.value))]
    Nothing {
        /// Where a core cannot be the function: as in [`ReduceError::NoCore`].
        input: f64,
        /// The function there, rounded.
        value: f64,
        /// What to do.
        help: String,
    },
}

/// Why a function cannot be a core, in words.
fn no_core(input: f64, value: f64) -> String {
    match input.is_finite() {
        true => format!("the function is {value} at x = {}, where a core is finite", Number(input)),
        false => "the domain is unbounded, where a core is a function on an interval".into(),
    }
}

/// The plans for a function of one variable in f32 on a domain, for programs with (`fused`) or without fused operations;
/// at least one, at most 32, the frames of fewest operations first. An end of the domain is infinite where the infinity
/// itself, and with it NaN, belongs to the domain.
///
/// With [`Reduce::Auto`] every reduction that fits is used, and [`Plan::none`] where the function is finite on the domain.
/// A name asks for that reduction at the outermost level; parts are free. [`Reduce::None`] gives [`Plan::none`] alone.
///
/// # Errors
/// [`ReduceError`]: what was asked for does not fit, and what does.
pub fn plans(function: &Expr, domain: (f64, f64), fused: bool, choice: &Reduce) -> Result<Vec<Plan>, ReduceError> {
    plans_with(builtin(), function, domain, fused, choice)
}

/// [`plans`] with other reductions than those that ship.
///
/// # Errors
/// As [`plans`].
pub fn plans_with(
    reductions: &[Reduction],
    function: &Expr,
    domain: (f64, f64),
    fused: bool,
    choice: &Reduce,
) -> Result<Vec<Plan>, ReduceError> {
    let planner = Planner { reductions, fused };
    let subject = Subject::new(function).map_err(ReduceError::Subject)?;
    let truth = Truth::new(function, Type::F32, floor::inputs(Type::F32, domain, DENSITY))?;
    let place = Place { subject, domain, ty: Type::F32, truth: &truth };
    let infinite = truth.inputs().iter().zip(truth.values()).find(|(x, y)| !x.is_finite() || !y.is_finite());
    let mut found = match (choice, infinite) {
        (Reduce::None, Some((&input, &value))) => {
            return Err(ReduceError::NoCore { input, value, help: planner.fitting(&place) });
        }
        (Reduce::None, None) => vec![],
        (Reduce::Named(name), _) => {
            let reduction = reductions.iter().find(|reduction| reduction.name == *name);
            let reduction = reduction.ok_or_else(|| unknown(reductions, name))?;
            planner.named(reduction, &place)?
        }
        (Reduce::Auto, _) => planner.all(&place, &mut Vec::new()),
    };
    sort(&mut found, MOST_PLANS);
    match infinite {
        _ if matches!(choice, Reduce::Named(_)) => {}
        None => {
            found.truncate(MOST_PLANS - 1);
            found.insert(0, Plan::none(function, Type::F32));
        }
        Some((&input, &value)) if found.is_empty() => {
            let help = "give a domain on which the function is finite, by `--on A..B`".into();
            return Err(ReduceError::Nothing { input, value, help });
        }
        Some(_) => {}
    }
    Ok(found)
}

fn unknown(reductions: &[Reduction], name: &str) -> ReduceError {
    let names: Vec<&str> = reductions.iter().map(|reduction| reduction.name.as_str()).collect();
    let help = match nearest(name, names.iter().copied().chain(["auto", "none"])) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are auto, none, {}", names.join(", ")),
    };
    ReduceError::Unknown { name: name.to_string(), help }
}

/// Cheapest frames first.
fn sort(plans: &mut Vec<Plan>, most: usize) {
    plans.sort_by(|a, b| a.operations().cmp(&b.operations()).then_with(|| a.name.cmp(&b.name)));
    plans.truncate(most);
}

/// What is planned: a function on a domain, its type, and its values at some inputs.
struct Place<'a> {
    subject: Subject<'a>,
    domain: (f64, f64),
    ty: Type,
    truth: &'a Truth,
}

struct Planner<'a> {
    reductions: &'a [Reduction],
    fused: bool,
}

/// A frame that does not go astray on the domain, with the domains of its cores.
struct Usable {
    plan: Plan,
    domains: Vec<Option<(f64, f64)>>,
}

impl<'a> Planner<'a> {
    /// The plans of all reductions that fit and are not in `chain` already.
    fn all(&self, place: &Place<'_>, chain: &mut Vec<&'a str>) -> Vec<Plan> {
        let mut found = Vec::new();
        if chain.len() >= DEEPEST {
            return found;
        }
        for reduction in self.reductions {
            if !chain.contains(&reduction.name.as_str())
                && let Ok(fit) = reduction.fit_subject(&place.subject, place.domain, self.fused)
            {
                for plan in fit.plans {
                    if let Ok(usable) = usable(plan, place, &fit.parts) {
                        chain.push(&reduction.name);
                        found.extend(self.deepened(usable, &fit.parts, chain));
                        chain.pop();
                    }
                }
            }
        }
        found
    }

    fn named(&self, reduction: &'a Reduction, place: &Place<'_>) -> Result<Vec<Plan>, ReduceError> {
        let name = reduction.name.clone();
        let fit = reduction.fit_subject(&place.subject, place.domain, self.fused).map_err(|misfit| {
            let help = self.fitting(place);
            ReduceError::Misfit { name: name.clone(), misfit, help }
        })?;
        let (mut found, mut astray) = (Vec::new(), None);
        for plan in fit.plans {
            match usable(plan, place, &fit.parts) {
                Ok(usable) => found.extend(self.deepened(usable, &fit.parts, &mut vec![&reduction.name])),
                Err(wrong) => astray = astray.or(Some(wrong)),
            }
        }
        match astray {
            Some(floor::Wrong { input, wanted, got }) if found.is_empty() => {
                Err(ReduceError::Astray { name, input, wanted, got, help: self.fitting(place) })
            }
            _ => Ok(found),
        }
    }

    /// Which reductions fit, in words.
    fn fitting(&self, place: &Place<'_>) -> String {
        let fits = |reduction: &&Reduction| {
            reduction
                .fit_subject(&place.subject, place.domain, self.fused)
                .is_ok_and(|fit| fit.plans.into_iter().any(|plan| usable(plan, place, &fit.parts).is_ok()))
        };
        let names: Vec<&str> = self.reductions.iter().filter(fits).map(|reduction| reduction.name.as_str()).collect();
        match names.as_slice() {
            [] => "no reduction fits the function on this domain; give another by `--on A..B`".into(),
            names => format!("those that fit this function on this domain: {}", names.join(", ")),
        }
    }

    /// A plan with its parts reduced in every way, or left as they are.
    fn deepened(&self, usable: Usable, parts: &[bool], chain: &mut Vec<&'a str>) -> Vec<Plan> {
        let several = parts.iter().filter(|part| **part).count() > 1;
        // Each with the names of what its parts became, from the last to the first.
        let mut found: Vec<(Plan, Vec<String>)> = vec![(usable.plan.clone(), vec![])];
        // From the last hole on, so that the places of the others stay.
        for hole in (0..parts.len()).rev().filter(|hole| parts[*hole]) {
            let core = &usable.plan.cores[hole];
            let (mut inner, mut bounded) = (Vec::new(), core.argument != core.value);
            if let Some(domain) = usable.domains[hole]
                && core.argument == core.value
                && let Ok(subject) = Subject::new(&core.target)
                && let Ok(truth) =
                    Truth::new(&core.target, core.argument, floor::inputs(core.argument, domain, DENSITY))
            {
                let place = Place { subject, domain, ty: core.argument, truth: &truth };
                bounded = truth.inputs().iter().chain(truth.values()).all(|v| v.is_finite());
                inner = self.all(&place, chain);
                sort(&mut inner, MOST_FOR_PART);
            }
            let before = std::mem::take(&mut found);
            for (plan, names) in before {
                for inner in &inner {
                    if let Ok(nested) = plan.nest(hole, inner) {
                        let names = names.iter().cloned().chain([inner.name.clone()]).collect();
                        found.push((nested, names));
                    }
                }
                // As one core, if it can be one.
                if bounded {
                    let names = names.into_iter().chain(["none".to_string()]).collect();
                    found.push((plan, names));
                }
            }
            found.sort_by_key(|(plan, _)| plan.operations());
            found.truncate(2 * MOST_PLANS);
        }
        let named = |(mut plan, names): (Plan, Vec<String>)| {
            if several {
                let names: Vec<&str> = names.iter().rev().map(String::as_str).collect();
                plan.name = format!("{}/[{}]", usable.plan.name, names.join(", "));
            }
            plan
        };
        found.into_iter().map(named).collect()
    }
}

/// Judges a frame on the domain; a result of the wrong kind, or far from its value, rules it out.
fn usable(plan: Plan, place: &Place<'_>, parts: &[bool]) -> Result<Usable, floor::Wrong> {
    let nothing = floor::Wrong { input: f64::NAN, wanted: f64::NAN, got: f64::NAN };
    if plan.frame.inputs()[0].ty != place.ty {
        return Err(nothing);
    }
    let mut exact = Exact::new(&plan, parts).map_err(|_| nothing)?;
    let floor = place.truth.judge(&mut exact);
    // The sign of a zero is for those who judge whole programs: two expressions of one function may differ in it.
    if let Some(wrong) = floor.wrong.iter().find(|wrong| wrong.wanted != 0.0 || wrong.got != 0.0) {
        return Err(*wrong);
    }
    if let Some(wrong) = floor.astray {
        return Err(wrong);
    }
    let domains =
        if parts.contains(&true) { floor::extents(&mut exact, place.truth.inputs(), ROUNDS) } else { floor.ranges };
    Ok(Usable { plan, domains })
}
