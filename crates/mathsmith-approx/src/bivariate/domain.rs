//! The box of inputs, and what has no meaning for two variables.

use crate::question::{QuestionError, bad_domain};
use mathsmith_dsl::{Format, Problem, Requirement};
use mathsmith_oracle::{DomainEnds, FloatFormat};
use mathsmith_verify::SampleDomain;

/// The inputs of a problem of two variables: `--on A..B` for both, or `--on x:A..B,y:C..D`; without it the whole format.
///
/// # Errors
/// [`QuestionError`] for an empty box, and for what is asked of functions of one variable only.
pub fn pairs(problem: &Problem) -> Result<SampleDomain, QuestionError> {
    supported(problem)?;
    let ends = ends(problem)?;
    SampleDomain::new(FloatFormat::F32, &ends).map_err(|e| bad_domain(&e))
}

/// The ends of each variable. Infinite where the infinity itself counts.
fn ends(problem: &Problem) -> Result<[(f64, f64); 2], QuestionError> {
    // Without its specials the whole format ends at its greatest numbers.
    let most = if problem.domain_only { FloatFormat::F32.max() } else { f64::INFINITY };
    let mut ends = [(-most, most); 2];
    for (variable, ends) in ends.iter_mut().enumerate() {
        let Some(domain) = problem.on.as_ref().and_then(|on| on.of_variable(variable)) else { continue };
        let (lo, hi) = DomainEnds::new(domain).and_then(|ends| ends.f32_range()).map_err(|e| bad_domain(&e))?;
        *ends = (f64::from(lo).max(-most), f64::from(hi).min(most));
    }
    Ok(ends)
}

/// The box as range reductions take it: an end is infinite where the infinity counts.
///
/// # Errors
/// As [`pairs`].
pub fn span(problem: &Problem) -> Result<[(f64, f64); 2], QuestionError> {
    ends(problem)
}

fn supported(problem: &Problem) -> Result<(), QuestionError> {
    let one = |setting, what: &str, help: &str| Err(QuestionError::new(setting, what, help));
    if problem.format != Format::F32 {
        let what = "functions of two variables are found for f32 only";
        return one("type", what, "use `--type f32`, or a function of the one variable x");
    }
    if problem.tol.is_some() {
        let what = "in a tolerance y is the exact value, and this function has an argument of that name";
        return one("tol", what, "bound the error with `--max-ulp`, `--max-rel` or `--max-abs`");
    }
    if problem.adversarial.is_some() {
        let what = "inputs kept by measurements are taken up for functions of one variable only";
        return one("adversarial", what, "leave it out");
    }
    let made = |r: &&Requirement| {
        matches!(r, Requirement::NoDiv | Requirement::NoBranch | Requirement::NoTable | Requirement::MaxFma(_))
    };
    if let Some(r) = problem.require.iter().find(|r| !made(r)) {
        let what = format!("`{r}` is about functions of one argument, and this one has two");
        return one("require", &what, "no-div, no-branch, no-table and max-fma:N can be asked of two");
    }
    Ok(())
}
