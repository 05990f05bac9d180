//! `mathsmith fit`: constants for a form that a person wrote, right after rounding, and the error of the form as written.

use crate::float::sweep_all;
use crate::form::{self, FormError, real_literal};
use crate::observe::{Event, Observer};
use crate::question::{Question, QuestionError};
use crate::run::RunError;
use crate::space::Arithmetic;
use mathsmith_dsl::Expr;
use mathsmith_fit::{FitReport, Fitter, FormOptions, FormProblem, RoundOptions};
use mathsmith_ir::{Literal, Program, RealLit, Type};
use mathsmith_oracle::Reference;
use mathsmith_verify::{ErrorReport, RealErrorReport, real_error};

/// Rounds of sweep and rounding.
const ROUNDS: usize = 4;
/// Bits of the check of a real form.
const BITS: u32 = 256;

/// A constant that is held: its name and its value.
#[derive(Clone, Debug)]
pub struct Fixed {
    /// Name in the form.
    pub name: String,
    /// Value, a constant expression.
    pub value: Expr,
}

/// How the form's error is known.
#[derive(Clone, Debug)]
pub enum Proof {
    /// Every input of a float format.
    Swept(Box<ErrorReport>),
    /// Real arithmetic, sampled.
    Sampled(Box<RealErrorReport>),
}

/// A fitted form in one arithmetic.
#[derive(Clone, Debug)]
pub struct FittedForm {
    /// `fma` (sums of products fused), `plain` or `real`.
    pub arithmetic: Arithmetic,
    /// The steps of the fit; its program carries the constants as parameters.
    pub fit: FitReport,
    /// Its error.
    pub proof: Proof,
    /// The figure of the question, by the same sweep, with every constant rounded to nearest instead, where that is
    /// another program.
    pub nearest: Option<f64>,
}

/// Why a form could not be fitted.
#[derive(Debug, thiserror::Error)]
pub enum FittingError {
    /// The form itself.
    #[error(transparent)]
    Form(#[from] FormError),
    /// A held constant.
    #[error("{0}")]
    Fixed(String),
    /// Anything that can stop a run.
    #[error(transparent)]
    Run(#[from] RunError),
}

impl From<mathsmith_fit::FitError> for FittingError {
    fn from(e: mathsmith_fit::FitError) -> Self {
        FittingError::Run(QuestionError::fit(e).into())
    }
}

impl From<mathsmith_verify::VerifyError> for FittingError {
    fn from(e: mathsmith_verify::VerifyError) -> Self {
        FittingError::Run(match e {
            mathsmith_verify::VerifyError::Cancelled { .. } => RunError::Interrupted,
            e => e.into(),
        })
    }
}

/// The value of a held constant in the type of its parameter.
fn literal(fixed: &Fixed, ty: Type) -> Result<Literal, FittingError> {
    let wrong = |what: String| FittingError::Fixed(format!("--fix {}={}: {what}", fixed.name, fixed.value.source));
    let reference = Reference::new(&fixed.value).map_err(|e| wrong(e.to_string()))?;
    let none: [f64; 0] = [];
    let literal = match ty {
        Type::F32 => Literal::F32(reference.round_f32(&none)),
        Type::F64 => Literal::F64(reference.round_f64(&none)),
        _ => Literal::Real(real_literal(&reference, &none)),
    };
    match literal.to_f64() {
        Some(x) if x.is_finite() => Ok(literal),
        _ => Err(wrong("not a finite number; give a constant expression such as ln2 or 1/3".into())),
    }
}

fn fixed_in(program: &Program, fixed: &[Fixed]) -> Result<Vec<(usize, Literal)>, FittingError> {
    fixed
        .iter()
        .map(|f| {
            let at = program.params().iter().position(|p| p.name == f.name).ok_or_else(|| {
                let names: Vec<&str> = program.params().iter().map(|p| p.name.as_str()).collect();
                let known = if names.is_empty() { "none".into() } else { names.join(", ") };
                FittingError::Fixed(format!("--fix {}: the form has no such constant; it has {known}", f.name))
            })?;
            Ok((at, literal(f, program.params()[at].ty)?))
        })
        .collect()
}

/// Fits a form in every arithmetic that was asked for; a float form that has no sum of a product has no fma variant.
///
/// # Errors
/// [`FittingError`].
pub fn fit(
    question: &Question,
    expr: &Expr,
    fixed: &[Fixed],
    threads: usize,
    observer: &dyn Observer,
) -> Result<Vec<FittedForm>, FittingError> {
    if question.whole || question.domain.is_some_and(|d| d.specials().iter().any(|x| x.is_infinite())) {
        return Err(FittingError::Run(QuestionError::no_domain("fit needs a domain with two finite ends").into()));
    }
    let name = &question.problem.name;
    let plain = form::build(expr, name, Type::F32, false)?;
    let mut fitted = Vec::new();
    for arithmetic in question.variants() {
        let program = form::build(expr, name, arithmetic.ty(), arithmetic == Arithmetic::Fma)?;
        if arithmetic == Arithmetic::Fma && program == plain && question.variants().len() > 1 {
            observer
                .event(&Event::Note("the form has no sum of a product, so its fma and plain variants are one".into()));
            continue;
        }
        fitted.push(one(question, arithmetic, &program, fixed, threads, observer)?);
    }
    Ok(fitted)
}

/// The form with the minimax constants rounded one by one; what is held stays.
fn rounded_to_nearest<'a>(
    fit: &'a FitReport,
    fixed: &'a [(usize, Literal)],
) -> impl Iterator<Item = Program> + use<'a> {
    let literal = |i: usize| {
        let c = fit.minimax.params.get(i)?;
        let held = fixed.iter().find(|f| f.0 == i).map(|f| f.1);
        Some(held.unwrap_or(Literal::F32(RealLit::from_sum([c.hi, c.lo, 0.0]).to_f32())))
    };
    let constants: Option<Vec<Literal>> = (0..fit.program.params().len()).map(literal).collect();
    constants.into_iter().map(|constants| {
        let mut program = fit.program.clone();
        for (i, &c) in constants.iter().enumerate() {
            program.set_param(i, c);
        }
        program
    })
}

fn one(
    question: &Question,
    arithmetic: Arithmetic,
    program: &Program,
    fixed: &[Fixed],
    threads: usize,
    observer: &dyn Observer,
) -> Result<FittedForm, FittingError> {
    let fixed = fixed_in(program, fixed)?;
    if let Some(twice) = fixed.iter().enumerate().find(|(i, f)| fixed[..*i].iter().any(|g| g.0 == f.0)) {
        let name = &program.params()[twice.1.0].name;
        return Err(FittingError::Fixed(format!("--fix {name}: given twice; keep one of them")));
    }
    let target = |x: f64| question.value(x);
    let mut hard: Vec<f64> = Vec::new();
    let mut best: Option<(f64, FitReport, ErrorReport, Option<f64>)> = None;
    let mut fitter = Fitter::new();
    for _ in 0..ROUNDS {
        observer.event(&Event::Stage(format!("fitting the {} form", arithmetic.word())));
        let problem = FormProblem {
            program,
            target: &target,
            domain: (question.lo, question.hi),
            metric: question.metric(),
            fixed: &fixed,
            hard: &hard,
        };
        let seed = question.problem.seed;
        let options =
            FormOptions { seed, round: RoundOptions { seed, ..RoundOptions::default() }, ..FormOptions::default() };
        let fit = if arithmetic == Arithmetic::Real {
            fitter.fit_form(&problem, None, &options)?
        } else {
            let mut engine = mathsmith_jit::engine_for(program).map_err(mathsmith_fit::FitError::from)?.0;
            fitter.fit_form(&problem, Some(&mut *engine), &options)?
        };
        let Some(domain) = question.domain else {
            let bound = fit.program.bound();
            let report = real_error(&question.reference, &bound, question.lo, question.hi, BITS, threads)?;
            return Ok(FittedForm { arithmetic, fit, proof: Proof::Sampled(Box::new(report)), nearest: None });
        };
        // Constants rounded one by one are the rival: the same sweep judges both, and the better stays.
        let mut programs = vec![fit.program.clone()];
        programs.extend(rounded_to_nearest(&fit, &fixed).filter(|p| p.bound() != fit.program.bound()));
        let bound: Vec<Program> = programs.iter().map(Program::bound).collect();
        let mut reports = sweep_all(&question.reference, &domain, &bound, threads, observer)?;
        let mut fit = fit;
        let nearest = reports.get(1).map(|r| crate::float::figure(question, r));
        if nearest.is_some_and(|n| n < crate::float::figure(question, &reports[0])) {
            reports.swap(0, 1);
            fit.program = programs.swap_remove(1);
        }
        let report = reports.swap_remove(0);
        let found = crate::float::figure(question, &report);
        let seen = fit.rounded.as_ref().map_or(0.0, |r| r.max_error);
        hard.extend(report.adversarial_inputs().into_iter().map(f64::from));
        let better = best.as_ref().is_none_or(|(b, ..)| found < *b);
        if better {
            best = Some((found, fit, report, nearest));
        }
        // What the points had shown is what there is: more rounds find nothing new.
        if found <= seen * 1.0001 || !better {
            break;
        }
    }
    let (_, fit, report, nearest) = best.ok_or(mathsmith_fit::FitError::NoStart)?;
    Ok(FittedForm { arithmetic, fit, proof: Proof::Swept(Box::new(report)), nearest })
}
