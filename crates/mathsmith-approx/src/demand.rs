//! What a program must be beside accurate: the requirements of a problem with their points rounded, what contradicts
//! them, and the judgement of measured programs.
//!
//! The definitions are those of `docs/measure.md`, so that a program that is found here passes the same demands of
//! `mathsmith measure`.

use crate::question::{Question, QuestionError};
use mathsmith_dsl::{Domain, Expr, Requirement};
use mathsmith_ir::{ColumnMut, ColumnRef, Node, Op, Program};
use mathsmith_oracle::{OracleError, Reference, const_enclosure};
use mathsmith_verify::measured::{Measured, Parity};
use mathsmith_verify::report::{hex, unhex};
use mathsmith_verify::{ErrorReport, FloatDomain, VerifyError, domain};

/// A requirement with its points as floats.
#[derive(Clone, Debug, PartialEq)]
pub enum Demand {
    /// The result at an input, rounded to the format judged at, is a value, the sign of zero included.
    Exact {
        /// The input.
        at: f32,
        /// The value, in the format judged at.
        value: f32,
    },
    /// Symmetry, bit for bit.
    Parity(Parity),
    /// The result never moves against the function between neighbouring inputs.
    Monotone,
    /// No jump at an input beyond a bound in ulp.
    Join {
        /// The input.
        at: f32,
        /// Largest jump.
        bound: f64,
    },
    /// Results stay within the range of the correctly rounded ones and reach it at the ends.
    Saturate,
    /// No division.
    NoDiv,
    /// No selection; programs have no branches at all.
    NoBranch,
    /// No table.
    NoTable,
    /// At most so many fused multiply-adds.
    MaxFma(u32),
}

fn refuse(message: impl Into<String>, help: impl Into<String>) -> QuestionError {
    QuestionError::new("require", message, help)
}

/// A constant rounded to a float; infinities are allowed.
fn number(expr: &Expr, format: mathsmith_oracle::FloatFormat) -> Result<f32, QuestionError> {
    let bad = |e: OracleError| refuse(e.to_string(), "write numbers, such as `1`, `pi/4` or `0x1p-3`");
    let x = match Reference::new(expr) {
        Ok(constant) => constant.round_to(&[], format),
        Err(OracleError::Infinity { .. }) => const_enclosure(expr, 256).map_err(bad)?.lo.to_f64(),
        Err(e) => return Err(bad(e)),
    };
    if x.is_nan() {
        return Err(bad(OracleError::UndefinedConstant { source_text: expr.source.clone() }));
    }
    Ok(x as f32)
}

/// Reads the requirements of a problem whose other parts are in `question`.
///
/// # Errors
/// [`QuestionError`] for a point that is no input, and for requirements that no program can meet.
pub(crate) fn demands(question: &Question) -> Result<Vec<Demand>, QuestionError> {
    let problem = &question.problem;
    let mut found = Vec::new();
    for requirement in &problem.require {
        found.push(match requirement {
            Requirement::Exact { at, value } => {
                Demand::Exact { at: point(question, at)?, value: number(value, question.judged_at)? }
            }
            Requirement::Odd => Demand::Parity(Parity::Odd),
            Requirement::Even => Demand::Parity(Parity::Even),
            Requirement::Monotone => Demand::Monotone,
            Requirement::Join(at) => {
                let bound =
                    problem.bound.filter(|b| b.kind == mathsmith_dsl::BoundKind::MaxUlp).map_or(1.0, |b| b.value);
                Demand::Join { at: point(question, at)?, bound }
            }
            Requirement::Saturate => Demand::Saturate,
            Requirement::NoDiv => Demand::NoDiv,
            Requirement::NoBranch => Demand::NoBranch,
            Requirement::NoTable => Demand::NoTable,
            Requirement::MaxFma(n) => Demand::MaxFma(*n),
        });
    }
    Ok(found)
}

/// A point of the domain as a float.
fn point(question: &Question, expr: &Expr) -> Result<f32, QuestionError> {
    let x = number(expr, mathsmith_oracle::FloatFormat::F32)?;
    let held = question.domain.is_none_or(|d| d.contains(x) || d.specials().contains(&x));
    if held {
        return Ok(x);
    }
    let on = question.problem.on.as_ref().map_or("", |d: &Domain| d.source.as_str());
    Err(refuse(
        format!("the point {} lies outside of the domain {on}", expr.source),
        "name a point of the domain, or widen the domain with `--on`",
    ))
}

/// Refuses demands that contradict one another, the bound, or the function.
///
/// # Errors
/// [`QuestionError`] with the demands and the reason.
pub(crate) fn consistent(question: &Question) -> Result<(), QuestionError> {
    let demands = &question.demands;
    let parity = question.demanded_parity();
    let exact: Vec<(f32, f32)> = question.exact().collect();
    for (i, &(at, value)) in exact.iter().enumerate() {
        let of = |x: f32, v: f32| format!("exact:{}->{}", shown(x), shown(v));
        let mirrored = |v: f32| if parity == Some(Parity::Odd) { -v } else { v };
        for &(other, second) in &exact[..i] {
            let same = other == at && second != value;
            let opposed = parity.is_some() && other == -at && at != 0.0 && second != mirrored(value);
            if same || opposed {
                let why = if same { "give one input two values" } else { "contradict the symmetry that is asked for" };
                return Err(refuse(format!("{} and {} {why}", of(other, second), of(at, value)), "keep one of them"));
            }
        }
        if parity == Some(Parity::Odd) && at == 0.0 && value != 0.0 {
            let what = format!("{} contradicts `odd`: an odd program is 0 at 0", of(at, value));
            return Err(refuse(what, "drop one of the two"));
        }
        let due = question.reference.round_f32(&[f64::from(at)]);
        if due.is_finite() != value.is_finite() {
            let what = format!("{} is no value of the function, which is {} there", of(at, value), shown(due));
            return Err(refuse(what, "name the function's value, or leave the point out of the domain"));
        }
        if let (Some(bound), true) = (question.bound(), value.is_finite()) {
            let error = question.error_at(at, question.value(f64::from(at)), value);
            if error > bound {
                let (bound, limit) = (question.bound_text(), question.unit_word());
                let what = format!(
                    "{} is {error:.4} {limit} from the function's value {}, and the bound is {bound}",
                    of(at, value),
                    shown(due)
                );
                return Err(refuse(what, "name the function's value, or loosen the bound"));
            }
        }
    }
    if let Some(parity) = parity {
        symmetric(question, parity)?;
    }
    let most = question.max_fma();
    if most == 0 && question.problem.variant == mathsmith_dsl::Variant::Fma {
        return Err(refuse("`max-fma:0` leaves nothing of the fma variant", "ask for `--variant plain`"));
    }
    if demands.contains(&Demand::Saturate) && question.problem.domain_only && question.whole {
        return Err(refuse(
            "`saturate` is about the infinities as well, which `domain-only` leaves open",
            "drop one of the two",
        ));
    }
    Ok(())
}

/// Refuses a symmetry that the domain or the function does not have.
fn symmetric(question: &Question, parity: Parity) -> Result<(), QuestionError> {
    let word = if parity == Parity::Odd { "odd" } else { "even" };
    let Some(domain) = question.domain else { return Ok(()) };
    if domain.lo() != -domain.hi() {
        let what = format!("`{word}` relates x and -x, and the domain is not symmetric to 0");
        return Err(refuse(what, format!("drop `{word}`, or ask for a domain such as -1..1")));
    }
    let Some(bound) = question.bound() else { return Ok(()) };
    // The two results are tied: half of what the function lacks of the symmetry is the least larger error of the two.
    for x in probes(&domain) {
        let (a, b) = (question.value(f64::from(x)), question.value(-f64::from(x)));
        if !(a.hi.is_finite() && b.hi.is_finite()) {
            continue;
        }
        let gap = if parity == Parity::Odd { a.hi + b.hi } else { a.hi - b.hi };
        let unit = question.unit(x, a.hi).max(question.unit(-x, b.hi));
        if gap.abs() > 2.0 * bound * unit {
            let what = format!(
                "`{word}` contradicts the bound: the function is {:e} at {x:e} and {:e} at {:e}",
                a.hi, b.hi, -x
            );
            return Err(refuse(what, format!("drop `{word}`, or loosen the bound")));
        }
    }
    Ok(())
}

/// Some positive inputs over all binades of a symmetric domain.
fn probes(domain: &FloatDomain) -> impl Iterator<Item = f32> {
    let last = domain::key(domain.hi());
    (1..=64).map(move |i| domain::from_key(last / 64 * i))
}

/// A float as a person would write it.
fn shown(x: f32) -> String {
    if x.is_infinite() || x.is_nan() { hex(f64::from(x)) } else { format!("{x:?}") }
}

/// Computes a program's results at inputs.
type Computed<'a> = dyn FnMut(&[f32]) -> Result<Vec<f32>, VerifyError> + 'a;

impl Question {
    /// The inputs at which the result is prescribed, with the result.
    pub fn exact(&self) -> impl Iterator<Item = (f32, f32)> {
        self.demands.iter().filter_map(|d| match d {
            Demand::Exact { at, value } => Some((*at, *value)),
            _ => None,
        })
    }

    /// The symmetry that the program must have bit for bit.
    pub fn demanded_parity(&self) -> Option<Parity> {
        self.demands.iter().find_map(|d| match d {
            Demand::Parity(parity) => Some(*parity),
            _ => None,
        })
    }

    /// Whether a program is made as it must be: no forbidden operation, not too many fused ones.
    pub fn admits(&self, program: &Program) -> bool {
        let live = program.live();
        let has = |wanted: fn(Op) -> bool| {
            let mut nodes = program.nodes().iter().zip(&live);
            nodes.any(|(node, live)| *live && matches!(node, Node::Op(op, _) if wanted(*op)))
        };
        let fused = mathsmith_cost::count_ops(program).fma();
        self.demands.iter().all(|demand| match demand {
            Demand::NoDiv => !has(|op| op == Op::Div),
            Demand::NoBranch => !has(|op| op == Op::Select),
            Demand::NoTable => !has(|op| matches!(op, Op::Table(_))),
            Demand::MaxFma(most) => fused <= *most,
            _ => true,
        })
    }

    /// Whether demands can only be judged by a full measurement and not by the plain sweep.
    pub(crate) fn needs_measurement(&self) -> bool {
        let order = |d: &Demand| matches!(d, Demand::Parity(_) | Demand::Monotone | Demand::Saturate);
        self.judged_at != mathsmith_oracle::FloatFormat::F32
            || self.tolerance.is_some()
            || self.problem.flush
            || self.demands.iter().any(order)
    }

    /// The demands that a program breaks, in words; `measured` where [`Question::needs_measurement`].
    ///
    /// # Errors
    /// [`VerifyError`] if the program cannot be run.
    pub(crate) fn broken(&self, program: &Program, measured: Option<&Measured>) -> Result<Vec<String>, VerifyError> {
        let mut broken = Vec::new();
        let mut points = |xs: &[f32]| -> Result<Vec<f32>, VerifyError> {
            let run = || {
                let mut engine = mathsmith_jit::engine_for(program)?.0;
                let mut out = vec![0f32; xs.len()];
                engine.run(&[], &[ColumnRef::F32(xs)], &mut [ColumnMut::F32(&mut out)])?;
                Ok(out.into_iter().map(|y| self.judged_at.nearest_f64(f64::from(y)) as f32).collect())
            };
            run().map_err(|source| VerifyError::Engine { program: program.name().to_owned(), source })
        };
        if !self.admits(program) {
            broken.push("an operation that is ruled out".into());
        }
        if !self.problem.domain_only && !points(&[f32::NAN])?[0].is_nan() {
            broken.push("NaN does not give NaN".into());
        }
        for demand in &self.demands {
            let complaint = match demand {
                Demand::Exact { at, value } => {
                    let got = points(&[*at])?[0];
                    (got.to_bits() != value.to_bits()).then(|| format!("{} gives {}", shown(*at), shown(got)))
                }
                Demand::Join { at, bound } => self.jump(*at, *bound, &mut points)?,
                Demand::Monotone => measured.and_then(|m| m.monotone.as_ref()?.broken.as_ref()).map(|b| b.what.clone()),
                Demand::Parity(parity) => match measured.and_then(|m| m.parity.as_ref()) {
                    Some((found, check)) if found == parity => check.broken.as_ref().map(|b| b.what.clone()),
                    _ => Some("the symmetry is not shown".into()),
                },
                Demand::Saturate => measured.and_then(unsaturated),
                _ => None,
            };
            broken.extend(complaint);
        }
        Ok(broken)
    }

    /// How far the step across a point is from the function's own, in ulp of the function there, if beyond the bound.
    fn jump(&self, at: f32, bound: f64, points: &mut Computed<'_>) -> Result<Option<String>, VerifyError> {
        let (below, above) = (at.next_down(), at.next_up());
        let got = points(&[below, above])?;
        let value = |x: f32| self.value(f64::from(x));
        let (lower, middle, upper) = (value(below), value(at), value(above));
        if !(got.iter().all(|y| y.is_finite()) && [lower, middle, upper].iter().all(|y| y.hi.is_finite())) {
            return Ok(Some(format!("no jump can be told at {}", shown(at))));
        }
        let due = (upper.hi - lower.hi) + (upper.lo - lower.lo);
        let excess = ((f64::from(got[1]) - f64::from(got[0])) - due).abs() / self.ulp(middle.hi);
        Ok((excess > bound).then(|| format!("a jump of {excess:.3} ulp at {}", shown(at))))
    }
}

/// Where a program leaves the range of the correctly rounded results, or does not reach it at an end.
fn unsaturated(measured: &Measured) -> Option<String> {
    let number = |s: &String| unhex(s).unwrap_or(f64::NAN);
    let r = &measured.range;
    if number(&r.got[0]) < number(&r.expected[0]) {
        return Some(format!("{} at {} is below the least value", r.got[0], r.at[0].join(", ")));
    }
    if number(&r.got[1]) > number(&r.expected[1]) {
        return Some(format!("{} at {} is above the greatest value", r.got[1], r.at[1].join(", ")));
    }
    let ends = ["lower end", "upper end", "-inf", "inf"];
    let wrong = measured.specials.iter().filter(|s| ends.contains(&s.what.as_str())).find(|s| {
        let both_zero = number(&s.got) == 0.0 && number(&s.expected) == 0.0;
        s.got != s.expected && !both_zero
    });
    wrong.map(|s| format!("{} at {} ({}) is not {}", s.got, s.x.join(", "), s.what, s.expected))
}

/// Special inputs whose results have the wrong class or the wrong sign of zero, in words.
pub(crate) fn unsettled(report: &ErrorReport, measured: Option<&Measured>) -> Vec<String> {
    let wrong = |input: &str, got: String, due: String| format!("f({input}) = {got}, not {due}");
    match measured {
        // In another format than f32 the classes are those after the rounding to it.
        Some(m) => {
            let special = |what: &str| ["-0", "0", "inf", "-inf", "nan"].contains(&what);
            let odd = m.specials.iter().filter(|s| special(&s.what) && !(s.same_class && s.same_zero_sign));
            odd.map(|s| wrong(&s.what, s.got.clone(), s.expected.clone())).collect()
        }
        None => {
            let odd = report.specials.iter().filter(|s| !(s.same_class && s.same_zero_sign));
            odd.map(|s| wrong(&s.input, shown(f32::from_bits(s.got_bits)), shown(f32::from_bits(s.expected_bits))))
                .collect()
        }
    }
}
