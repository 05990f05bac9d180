//! All plans that a function admits: every reduction tried, parts reduced further.
//!
//! A reduction is used where its identities hold and a frame of it, with exact cores, gives no result of the wrong kind on
//! the domain (signs of zeros aside); nothing else decides. A part of a plan is a function on an interval, the arguments that the frame computes
//! on the domain, and is planned in the same way.

use crate::builtin::builtin;
use crate::floor::{self, Exact, Truth};
use crate::misfit::{Misfit, Number};
use crate::plan::{Core, Plan};
use crate::reduction::Reduction;
use crate::scope::Subject;
use mathsmith_dsl::suggest::nearest;
use mathsmith_dsl::{Expr, Reduce};
use mathsmith_ir::Type;
use mathsmith_oracle::OracleError;

/// Plans that are given back at most, and that are kept for a part.
pub(crate) const MOST_PLANS: usize = 32;
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
    #[error("no plan is made: {0}\n  help: a plan is for a function of one variable or two that has values")]
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
    /// The same for a function of two variables.
    #[error(
        "the reduction `{name}` is not for this domain: its frame gives {} at {}, where the function is {}\n  help: {help}",
        Number(*.got), crate::pairs::shown(.input), Number(*.wanted)
    )]
    AstrayPair {
        /// The reduction.
        name: String,
        /// Where it goes wrong.
        input: [f64; 2],
        /// The correctly rounded value.
        wanted: f64,
        /// What the frame gives with exact cores.
        got: f64,
        /// Those that fit.
        help: String,
    },
    /// Nothing reduces a function of two variables to functions of one.
    #[error("a core is a function of one number, and no reduction leads this function of two to such\n  help: {help}")]
    NoCoreOfTwo {
        /// Those that fit, or what to do.
        help: String,
    },
    /// The reduction asked for leaves a part that is no core, and that no reduction fits.
    #[error(
        "the reduction `{name}` fits the function, but what it leaves is not finite on an interval, and no reduction fits that\n  help: {help}"
    )]
    Part {
        /// The reduction.
        name: String,
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
    let mut found: Vec<Plan> = found.into_iter().map(|usable| usable.plan).collect();
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

pub(crate) fn unknown(reductions: &[Reduction], name: &str) -> ReduceError {
    let names: Vec<&str> = reductions.iter().map(|reduction| reduction.name.as_str()).collect();
    let help = match nearest(name, names.iter().copied().chain(["auto", "none"])) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are auto, none, {}", names.join(", ")),
    };
    ReduceError::Unknown { name: name.to_string(), help }
}

/// Cheapest frames first, without those that go a longer way to the same cores.
pub(crate) fn sort(found: &mut Vec<Usable>, most: usize) {
    found.sort_by_cached_key(|usable| (usable.plan.operations(), usable.plan.name.clone()));
    let detour = |i: &usize| found[..*i].iter().any(|shorter| found[*i].leads_where(shorter));
    let mut dropped: Vec<bool> = (0..found.len()).map(|i| detour(&i)).collect();
    found.retain(|_| !dropped.remove(0));
    found.truncate(most);
}

/// Room for the samples from which a core's interval is known, relative to its width.
const SLACK: f64 = 1.0 / 64.0;

/// What is planned: a function on a domain, its type, and its values at some inputs.
struct Place<'a> {
    subject: Subject<'a>,
    domain: (f64, f64),
    ty: Type,
    truth: &'a Truth,
}

pub(crate) struct Planner<'a> {
    pub(crate) reductions: &'a [Reduction],
    pub(crate) fused: bool,
}

/// Least and greatest argument of a core; `None` where it has none.
pub(crate) type Interval = Option<(f64, f64)>;

/// A plan that does not go astray on the domain, with the domains of its cores.
pub(crate) struct Usable {
    pub(crate) plan: Plan,
    pub(crate) domains: Vec<Interval>,
}

impl Usable {
    /// Whether this is the plan `shorter` inside of another reduction that leaves its cores intervals as wide.
    fn leads_where(&self, shorter: &Usable) -> bool {
        let inside = |(own, other): (&Interval, &Interval)| match (own, other) {
            (Some((a, b)), Some((lo, hi))) => {
                let room = (b - a) * SLACK;
                *lo >= a - room && *hi <= b + room
            }
            (own, other) => own == other,
        };
        self.plan.name.split_once('/').is_some_and(|(_, inner)| inner == shorter.plan.name)
            && self.domains.len() == shorter.domains.len()
            && self.domains.iter().zip(&shorter.domains).all(inside)
    }

    /// The plan with another in a hole.
    fn nest(&self, hole: usize, inner: &Usable) -> Option<Usable> {
        let plan = self.plan.nest(hole, &inner.plan).ok()?;
        let domains = [&self.domains[..hole], &inner.domains, &self.domains[hole + 1..]].concat();
        Some(Usable { plan, domains })
    }
}

impl<'a> Planner<'a> {
    /// The plans of all reductions that fit and are not in `chain` already.
    fn all(&self, place: &Place<'_>, chain: &mut Vec<&'a str>) -> Vec<Usable> {
        let mut found = Vec::new();
        if chain.len() >= DEEPEST {
            return found;
        }
        for reduction in self.reductions {
            if !chain.contains(&reduction.name.as_str())
                && let Ok(fit) = reduction.fit_subject(&place.subject, &[place.domain], self.fused)
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

    fn named(&self, reduction: &'a Reduction, place: &Place<'_>) -> Result<Vec<Usable>, ReduceError> {
        let name = reduction.name.clone();
        let fit = reduction.fit_subject(&place.subject, &[place.domain], self.fused).map_err(|misfit| {
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
            None if found.is_empty() => Err(ReduceError::Part { name, help: self.fitting(place) }),
            _ => Ok(found),
        }
    }

    /// Which reductions fit, in words.
    fn fitting(&self, place: &Place<'_>) -> String {
        let fits = |reduction: &&Reduction| {
            reduction
                .fit_subject(&place.subject, &[place.domain], self.fused)
                .is_ok_and(|fit| fit.plans.into_iter().any(|plan| usable(plan, place, &fit.parts).is_ok()))
        };
        let names: Vec<&str> = self.reductions.iter().filter(fits).map(|reduction| reduction.name.as_str()).collect();
        match names.as_slice() {
            [] => "no reduction fits the function on this domain; give another by `--on A..B`".into(),
            names => format!("those that fit this function on this domain: {}", names.join(", ")),
        }
    }

    /// A plan with its parts reduced in every way, or left as they are.
    pub(crate) fn deepened(&self, usable: Usable, parts: &[bool], chain: &mut Vec<&'a str>) -> Vec<Usable> {
        let several = parts.iter().filter(|part| **part).count() > 1;
        let outer = usable.plan.name.clone();
        // Each with the names of what its parts became, from the last to the first.
        let mut found: Vec<(Usable, Vec<String>)> = vec![(usable, vec![])];
        // From the last hole on, so that the places of the others stay.
        for hole in (0..parts.len()).rev().filter(|hole| parts[*hole]) {
            let before = std::mem::take(&mut found);
            let Some((first, _)) = before.first() else { break };
            let (inner, bounded) = self.part(&first.plan.cores[hole], first.domains[hole], chain);
            for (usable, names) in before {
                for inner in &inner {
                    if let Some(nested) = usable.nest(hole, inner) {
                        let names = names.iter().cloned().chain([inner.plan.name.clone()]).collect();
                        found.push((nested, names));
                    }
                }
                if bounded {
                    let names = names.into_iter().chain(["none".to_string()]).collect();
                    found.push((usable, names));
                }
            }
            found.sort_by_cached_key(|(usable, _)| usable.plan.operations());
            found.truncate(2 * MOST_PLANS);
        }
        let named = |(mut usable, names): (Usable, Vec<String>)| {
            if several {
                let names: Vec<&str> = names.iter().rev().map(String::as_str).collect();
                usable.plan.name = format!("{outer}/[{}]", names.join(", "));
            }
            usable
        };
        found.into_iter().map(named).collect()
    }

    /// Plans for a part, and whether it can be a core as it is: finite on a bounded interval.
    fn part(&self, core: &Core, domain: Interval, chain: &mut Vec<&'a str>) -> (Vec<Usable>, bool) {
        let ty = core.argument;
        let Some(domain) = domain else { return (vec![], true) };
        let (Ok(subject), Ok(truth)) =
            (Subject::new(&core.target), Truth::new(&core.target, ty, floor::inputs(ty, domain, DENSITY)))
        else {
            return (vec![], false);
        };
        let bounded = truth.inputs().iter().chain(truth.values()).all(|v| v.is_finite());
        // A frame has one type for x and the result.
        if core.value != ty {
            return (vec![], bounded);
        }
        let mut inner = self.all(&Place { subject, domain, ty, truth: &truth }, chain);
        sort(&mut inner, MOST_FOR_PART);
        (inner, bounded)
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
    let domains = if parts.contains(&true) { floor::extents(&mut exact, place.truth, ROUNDS) } else { floor.ranges };
    Ok(Usable { plan, domains })
}
