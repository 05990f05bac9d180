//! Plans for functions of two variables.
//!
//! A reduction of two variables leaves cores of one argument each, which may be reduced further like any other. What a
//! function calls its first variable is chance, so every reduction is tried on the function with its variables exchanged
//! too (*turned*), unless it fits as it is.

use crate::floor::{ASTRAY, Exact, kind};
use crate::misfit::{Misfit, Number};
use crate::planner::{MOST_PLANS, Planner, ReduceError, Usable, sort, unknown};
use crate::reduction::Reduction;
use crate::scope::Subject;
use crate::{Plan, builtin};
use mathsmith_dsl::{Expr, ExprNode, Reduce};
use mathsmith_ir::Type;
use mathsmith_ir::sample::SplitMix;
use mathsmith_oracle::{FloatFormat, Reference, Scratch};

/// Random pairs on which a frame is judged: of each kind so many.
const RANDOM: usize = 400;

/// A pair of inputs at which a frame goes wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WrongPair {
    /// The inputs.
    pub input: [f64; 2],
    /// The correctly rounded result.
    pub wanted: f64,
    /// The frame's result with exact cores.
    pub got: f64,
}

/// The plans for a function of two variables in f32 on a box, as [`crate::plans`] for one variable. The first pair of ends is
/// that of the function's first variable.
///
/// There is no plan without a reduction: a core is a function of one number.
///
/// # Errors
/// [`ReduceError`]: what was asked for does not fit, and what does.
pub fn plans_of_two(
    function: &Expr,
    domain: [(f64, f64); 2],
    fused: bool,
    choice: &Reduce,
) -> Result<Vec<Plan>, ReduceError> {
    plans_of_two_with(builtin(), function, domain, fused, choice)
}

/// [`plans_of_two`] with other reductions than those that ship.
///
/// # Errors
/// As [`plans_of_two`].
pub fn plans_of_two_with(
    reductions: &[Reduction],
    function: &Expr,
    domain: [(f64, f64); 2],
    fused: bool,
    choice: &Reduce,
) -> Result<Vec<Plan>, ReduceError> {
    let planner = Planner { reductions, fused };
    let exchanged = exchanged(function);
    let turned = [domain[1], domain[0]];
    let ways = [(function, domain, false), (&exchanged, turned, true)];
    let mut places = Vec::new();
    for (function, domain, turned) in ways {
        let subject = Subject::of(function, 2).map_err(ReduceError::Subject)?;
        places.push(Place { subject, truth: Truth::new(function, domain)?, domain, turned });
    }
    let of_two = reductions.iter().filter(|reduction| reduction.variables == 2);
    let mut found = Vec::new();
    let mut fitting: Vec<&str> = Vec::new();
    let mut refused: Option<(Option<Misfit>, Option<WrongPair>)> = None;
    for reduction in of_two {
        let tried = reduction_plans(&planner, reduction, &places);
        if !tried.usable.is_empty() {
            fitting.push(&reduction.name);
        }
        match choice {
            Reduce::Named(name) if *name != reduction.name => {}
            Reduce::Named(_) => {
                refused = Some((tried.misfit, tried.astray));
                found.extend(tried.usable);
            }
            _ => found.extend(tried.usable),
        }
    }
    let help = match fitting.as_slice() {
        [] => "no reduction fits the function on this domain; give another by `--on x:A..B,y:C..D`".into(),
        names => format!("those that fit this function on this domain: {}", names.join(", ")),
    };
    match choice {
        Reduce::None => return Err(ReduceError::NoCoreOfTwo { help }),
        Reduce::Named(name) if found.is_empty() => {
            let name = name.clone();
            return Err(match refused {
                None if reductions.iter().any(|reduction| reduction.name == name) => {
                    let misfit = Misfit::Variables { found: 2, wanted: 1 };
                    ReduceError::Misfit { name, misfit, help }
                }
                None => unknown(reductions, &name),
                Some((_, Some(WrongPair { input, wanted, got }))) => {
                    ReduceError::AstrayPair { name, input, wanted, got, help }
                }
                Some((Some(misfit), None)) => ReduceError::Misfit { name, misfit, help },
                Some((None, None)) => ReduceError::Part { name, help },
            });
        }
        _ if found.is_empty() => return Err(ReduceError::NoCoreOfTwo { help }),
        _ => {}
    }
    sort(&mut found, MOST_PLANS);
    Ok(found.into_iter().map(|usable| usable.plan).collect())
}

/// The function with its two variables exchanged.
fn exchanged(function: &Expr) -> Expr {
    let mut out = function.clone();
    for node in &mut out.nodes {
        if let ExprNode::Var(var) = node {
            *var = 1 - (*var).min(1);
        }
    }
    out
}

/// A function on a box, with its values at some inputs.
struct Place<'a> {
    subject: Subject<'a>,
    truth: Truth,
    domain: [(f64, f64); 2],
    turned: bool,
}

/// What became of a reduction.
#[derive(Default)]
struct Tried {
    usable: Vec<Usable>,
    misfit: Option<Misfit>,
    astray: Option<WrongPair>,
}

fn reduction_plans<'a>(planner: &Planner<'a>, reduction: &'a Reduction, places: &[Place<'_>]) -> Tried {
    let mut tried = Tried::default();
    for place in places {
        let fit = match reduction.fit_subject(&place.subject, &place.domain, planner.fused) {
            Ok(fit) => fit,
            Err(misfit) => {
                tried.misfit = tried.misfit.or(Some(misfit));
                continue;
            }
        };
        for plan in fit.plans {
            match place.truth.usable(plan, &fit.parts) {
                Ok(usable) => {
                    let mut all = planner.deepened(usable, &fit.parts, &mut vec![&reduction.name]);
                    if place.turned {
                        for usable in &mut all {
                            usable.plan = usable.plan.turned().unwrap_or_else(|| usable.plan.clone());
                        }
                    }
                    tried.usable.extend(all);
                }
                Err(wrong) => tried.astray = tried.astray.or(wrong),
            }
        }
        // A symmetric function would only give the same again.
        if !tried.usable.is_empty() {
            break;
        }
    }
    tried
}

/// Inputs of a box with the correctly rounded values of a function there.
struct Truth {
    columns: [Vec<f64>; 2],
    wanted: Vec<f64>,
}

impl Truth {
    fn new(function: &Expr, domain: [(f64, f64); 2]) -> Result<Truth, ReduceError> {
        let reference = Reference::new(function)?;
        let points = points(domain);
        let columns = [0, 1].map(|a| points.iter().map(|point| point[a]).collect::<Vec<f64>>());
        let mut rounded = vec![0.0f32; points.len()];
        reference.round_block_f32(&[&columns[0], &columns[1]], &mut rounded, &mut Scratch::default());
        Ok(Truth { columns, wanted: rounded.into_iter().map(f64::from).collect() })
    }

    /// Judges a frame with exact cores: what is of the wrong kind or far from its value rules it out. Nothing is returned
    /// where its cores or types are none.
    fn usable(&self, plan: Plan, parts: &[bool]) -> Result<Usable, Option<WrongPair>> {
        if plan.frame.inputs()[0].ty != Type::F32 {
            return Err(None);
        }
        let mut exact = Exact::new(&plan, parts).map_err(|_| None)?;
        let (results, arguments) = exact.run_columns(&[&self.columns[0], &self.columns[1]]);
        for (i, (&wanted, &got)) in self.wanted.iter().zip(&results).enumerate() {
            let zeros = wanted == 0.0 && got == 0.0;
            let finite = wanted.is_finite() && got.is_finite();
            let wrong = if finite {
                // The rounding of a subnormal result is no distance.
                let unit = wanted.abs().max(FloatFormat::F32.min_normal());
                !zeros && (got - wanted).abs() > ASTRAY * unit
            } else {
                kind(wanted) != kind(got)
            };
            if wrong {
                return Err(Some(WrongPair { input: [self.columns[0][i], self.columns[1][i]], wanted, got }));
            }
        }
        let domains = arguments.iter().map(|ts| {
            let counted = ts.iter().zip(&self.wanted).filter(|(t, wanted)| t.is_finite() && !wanted.is_nan());
            counted.fold(None, |range: Option<(f64, f64)>, (&t, _)| {
                Some(range.map_or((t, t), |(lo, hi)| (lo.min(t), hi.max(t))))
            })
        });
        Ok(Usable { domains: domains.collect(), plan })
    }
}

/// Pairs for looking at a frame: all pairs of special values, random ones over all binades, of like size, of moderate
/// size, and with one of them a small integer. The same for the same box.
fn points(domain: [(f64, f64); 2]) -> Vec<[f64; 2]> {
    let format = FloatFormat::F32;
    let inside = |a: usize, x: f64| {
        let (lo, hi) = domain[a];
        if x.is_nan() { lo.is_infinite() && hi.is_infinite() } else { x >= lo && x <= hi }
    };
    let mut special = vec![0.0, format.min_positive(), format.min_normal(), 0.5, 1.0, 1.5, 2.0, 3.0];
    special.extend([format.max(), f64::INFINITY]);
    special.extend(special.clone().iter().map(|x| -x));
    special.push(f64::NAN);
    let mut out: Vec<[f64; 2]> = special.iter().flat_map(|&x| special.iter().map(move |&y| [x, y])).collect();
    let mut random = SplitMix::new(11);
    let unit = |random: &mut SplitMix| (random.bits() >> 11) as f64 / 9_007_199_254_740_992.0;
    let within = |a: usize, bound: f64| {
        let (lo, hi) = domain[a];
        (lo.max(-bound), hi.min(bound))
    };
    let by_exponent = |random: &mut SplitMix, a: usize| {
        let (lo, hi) = within(a, format.max());
        let (first, last) = (format.key(format.nearest_f64(lo)), format.key(format.nearest_f64(hi)));
        format.from_key(first + ((last - first) as f64 * unit(random)) as i64)
    };
    for _ in 0..RANDOM {
        let pair = [by_exponent(&mut random, 0), by_exponent(&mut random, 1)];
        out.push(pair);
        let sign = if random.bits() & 1 == 0 { 1.0 } else { -1.0 };
        out.push([pair[0], sign * pair[0] * (0.25 + 4.0 * unit(&mut random))]);
        let moderate = [0, 1].map(|a| {
            let (lo, hi) = within(a, 64.0);
            lo + (hi - lo) * unit(&mut random)
        });
        out.push(moderate);
        let integer = random.below(17) as f64 - 8.0;
        out.extend([[moderate[0], integer], [integer, moderate[1]], [pair[0], integer]]);
    }
    for point in &mut out {
        *point = point.map(|x| format.nearest_f64(x));
    }
    out.retain(|point| inside(0, point[0]) && inside(1, point[1]));
    out
}

/// A pair in a message.
pub(crate) fn shown(input: &[f64; 2]) -> String {
    format!("x = {}, y = {}", Number(input[0]), Number(input[1]))
}
