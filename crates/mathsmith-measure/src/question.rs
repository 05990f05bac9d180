//! A question made numeric: the reference compiled, the domains as floats, the demands with their points rounded.

use crate::record::Asked;
use mathsmith_dsl::{Diagnostic, Domain, Expr, Requirement, parse_domain, parse_expr_with_vars};
use mathsmith_oracle::{DomainEnds, FloatFormat, OracleError, Reference, const_enclosure};
use mathsmith_verify::inspect::Tolerance;
use mathsmith_verify::measured::Parity;

/// A part of a question that cannot be used. The command line shows it at the flag.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}\n  help: {help}")]
pub struct QuestionError {
    /// Name of the flag without its dashes: `ref`, `on`, `require`, `tol`, `seam`, `type`, `out`.
    pub setting: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl QuestionError {
    fn new(setting: &'static str, message: impl Into<String>, help: impl Into<String>) -> Self {
        QuestionError { setting, message: message.into(), help: help.into() }
    }

    fn read(setting: &'static str, error: &Diagnostic) -> Self {
        let help = error.help.clone().unwrap_or_else(|| "mend the expression".into());
        QuestionError::new(setting, error.message.clone(), help)
    }
}

/// A demand of `--require` with its points as floats.
#[derive(Clone, Debug, PartialEq)]
pub enum Demand {
    /// The result at `at`, rounded to the format judged at, is `value`.
    Exact {
        /// The input.
        at: f64,
        /// The value, rounded to the format judged at.
        value: f64,
    },
    /// Symmetry, bit for bit.
    Parity(Parity),
    /// The result never moves against the function between neighbouring inputs.
    Monotone,
    /// No jump at this input beyond the bound in ULP.
    Join {
        /// The input.
        at: f64,
        /// Largest jump.
        bound: f64,
    },
    /// Results stay within the range of the correctly rounded ones and reach it at the ends.
    Saturate,
}

/// A question ready to be put to subjects.
pub struct Question {
    /// The question as text.
    pub asked: Asked,
    /// The function.
    pub reference: Reference,
    /// Its expression.
    pub expr: Expr,
    /// Format of the arguments.
    pub format: FloatFormat,
    /// Format in which results are judged.
    pub out: FloatFormat,
    /// Ends of each argument's domain, both included; infinite at an end that holds the infinity.
    pub ends: Vec<[f64; 2]>,
    /// Points whose neighbours are looked at, those of `join` included; ascending.
    pub seams: Vec<f64>,
    /// The demands of `--require`, each with its text.
    pub demands: Vec<(String, Demand)>,
    /// How far a result may lie from the exact value.
    pub tolerance: Option<Tolerance>,
}

/// Greatest number of arguments.
pub const MOST_VARIABLES: usize = 2;

impl Question {
    /// Reads and checks a question.
    ///
    /// # Errors
    /// [`QuestionError`] names the flag that cannot be used.
    pub fn new(asked: Asked) -> Result<Question, QuestionError> {
        let names: Vec<&str> = asked.variables.iter().map(String::as_str).collect();
        if names.is_empty() || names.len() > MOST_VARIABLES {
            let message = format!("{} variables, where a subject has one argument or two", names.len());
            return Err(QuestionError::new("args", message, "write a function of x, or of x and y"));
        }
        let expr = parse_expr_with_vars(&asked.reference, &names).map_err(|e| QuestionError::read("ref", &e))?;
        let reference = Reference::new(&expr)
            .map_err(|e| QuestionError::new("ref", e.to_string(), "write a function, such as `exp(x)`"))?;
        let format = format("type", &asked.format)?;
        let out = format_out(&asked.out, format)?;
        if asked.domain.len() != names.len() {
            let message = format!("{} domains for {} variables", asked.domain.len(), names.len());
            return Err(QuestionError::new("on", message, "write one for all, or one for each: `--on x:0..1,y:-1..1`"));
        }
        let ends = asked.domain.iter().map(|d| ends(d.as_deref(), format)).collect::<Result<Vec<_>, _>>()?;
        let mut question = Question {
            seams: Vec::new(),
            demands: Vec::new(),
            tolerance: None,
            reference,
            expr,
            format,
            out,
            ends,
            asked,
        };
        question.read_tolerance()?;
        question.read_demands()?;
        question.read_seams()?;
        Ok(question)
    }

    /// Number of arguments.
    pub fn arity(&self) -> usize {
        self.ends.len()
    }

    fn read_tolerance(&mut self) -> Result<(), QuestionError> {
        let Some(text) = &self.asked.tolerance else { return Ok(()) };
        // `y` is the exact value; a variable of that name is refused below, with the way out.
        let mut names: Vec<&str> = self.asked.variables.iter().map(String::as_str).collect();
        if !names.contains(&"y") {
            names.push("y");
        }
        let expr = parse_expr_with_vars(text, &names).map_err(|e| QuestionError::read("tol", &e))?;
        let tolerance = Tolerance::new(&expr, &self.expr).map_err(|e| {
            let help = "write an expression of the arguments and of y, the exact value: `max(1e-6*abs(y), 1e-8)`; a \
                        variable of the reference that is called y gets another name with `--args`";
            QuestionError::new("tol", e.to_string(), help)
        })?;
        self.tolerance = Some(tolerance);
        Ok(())
    }

    fn read_demands(&mut self) -> Result<(), QuestionError> {
        for text in &self.asked.require {
            let requirement = Requirement::parse(text).map_err(|e| QuestionError::read("require", &e))?;
            let demand = self.demand(text, requirement)?;
            if self.arity() > 1 && demand != Demand::Saturate {
                let message = format!("`{text}` is about functions of one argument, and this one has two");
                return Err(QuestionError::new(
                    "require",
                    message,
                    "leave it out; `saturate` and bounds of the error can be asked for",
                ));
            }
            self.demands.push((text.clone(), demand));
        }
        Ok(())
    }

    fn demand(&self, text: &str, requirement: Requirement) -> Result<Demand, QuestionError> {
        Ok(match requirement {
            Requirement::Exact { at, value } => Demand::Exact {
                at: self.point("require", &at, self.format)?,
                value: number("require", &value, self.out)?,
            },
            Requirement::Odd => Demand::Parity(Parity::Odd),
            Requirement::Even => Demand::Parity(Parity::Even),
            Requirement::Monotone => Demand::Monotone,
            Requirement::Join(at) => {
                Demand::Join { at: self.point("require", &at, self.format)?, bound: self.asked.max_ulp.unwrap_or(1.0) }
            }
            Requirement::Saturate => Demand::Saturate,
            Requirement::NoDiv | Requirement::NoBranch | Requirement::NoTable | Requirement::MaxFma(_) => {
                let message = format!("`{text}` is about how a program is made; `measure` sees results only");
                let help = "measure can check exact:A->B, odd, even, monotone, join:C and saturate";
                return Err(QuestionError::new("require", message, help));
            }
        })
    }

    fn read_seams(&mut self) -> Result<(), QuestionError> {
        let mut seams = Vec::new();
        if self.arity() > 1 && !self.asked.seams.is_empty() {
            let message = "seams are points of functions of one argument, and this one has two";
            return Err(QuestionError::new("seam", message, "leave `--seam` out"));
        }
        for text in &self.asked.seams {
            let expr = parse_expr_with_vars(text, &[]).map_err(|e| QuestionError::read("seam", &e))?;
            seams.push(self.point("seam", &expr, self.format)?);
        }
        seams.extend(self.demands.iter().filter_map(|(_, d)| match d {
            Demand::Join { at, .. } => Some(*at),
            _ => None,
        }));
        seams.sort_by(f64::total_cmp);
        seams.dedup();
        self.seams = seams;
        Ok(())
    }

    /// A constant as an input: it must lie in the domain of the first argument.
    fn point(&self, setting: &'static str, expr: &Expr, format: FloatFormat) -> Result<f64, QuestionError> {
        let x = number(setting, expr, format)?;
        let [lo, hi] = self.ends[0];
        if (lo..=hi).contains(&x) {
            return Ok(x);
        }
        let message = format!("the point {} lies outside of the domain {lo:?}..{hi:?}", expr.source);
        Err(QuestionError::new(setting, message, "name a point of the domain, or widen the domain with `--on`"))
    }
}

fn format(setting: &'static str, name: &str) -> Result<FloatFormat, QuestionError> {
    FloatFormat::named(name).ok_or_else(|| {
        let message = format!("`{name}` is no float format");
        QuestionError::new(setting, message, "write one of f32, f64, f16, bf16")
    })
}

/// The format judged at: results of the subject are rounded to it, so it may not be wider.
fn format_out(name: &str, input: FloatFormat) -> Result<FloatFormat, QuestionError> {
    let out = format("out", name)?;
    if out.precision > input.precision {
        let message = format!("results in {} cannot be judged in {}, which is wider", input.name, out.name);
        return Err(QuestionError::new(
            "out",
            message,
            format!("leave `--out {name}` out, or measure with `--type {name}`"),
        ));
    }
    Ok(out)
}

/// The first and last number of a format in a domain.
fn ends(domain: Option<&str>, format: FloatFormat) -> Result<[f64; 2], QuestionError> {
    let Some(text) = domain else { return Ok([f64::NEG_INFINITY, f64::INFINITY]) };
    let domain: Domain = parse_domain(text).map_err(|e| QuestionError::read("on", &e))?;
    let bad = |message: String| QuestionError::new("on", message, "write a domain A..B, as in `--on 0..1`");
    let ends = DomainEnds::new(&domain).map_err(|e| bad(e.to_string()))?;
    let (lo, hi) = ends.f64_range().map_err(|e| bad(e.to_string()))?;
    let (mut first, mut last) = (format.nearest_f64(lo), format.nearest_f64(hi));
    // The nearest number may lie outside; its inner neighbour does not.
    if first < lo {
        first = format.from_key(format.key(first) + 1);
    }
    if last > hi {
        last = format.from_key(format.key(last) - 1);
    }
    if first > last || (first == last && first.is_infinite()) {
        return Err(bad(format!("the domain {text} holds no {} number", format.name)));
    }
    Ok([first + 0.0, last + 0.0])
}

/// A constant, rounded to the nearest number of a format; infinities are allowed.
fn number(setting: &'static str, expr: &Expr, format: FloatFormat) -> Result<f64, QuestionError> {
    let bad =
        |e: OracleError| QuestionError::new(setting, e.to_string(), "write a number, such as `1`, `pi/4` or `0x1p-3`");
    let x = match Reference::new(expr) {
        Ok(constant) => constant.round_to(&[], format),
        Err(OracleError::Infinity { .. }) => format.nearest(&const_enclosure(expr, 256).map_err(bad)?.lo),
        Err(e) => return Err(bad(e)),
    };
    if x.is_nan() {
        return Err(bad(OracleError::UndefinedConstant { source_text: expr.source.clone() }));
    }
    Ok(x)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn asked(reference: &str) -> Asked {
        Asked {
            reference: reference.into(),
            variables: vec!["x".into()],
            domain: vec![Some("0.5..2".into())],
            format: "f32".into(),
            out: "f32".into(),
            require: Vec::new(),
            max_ulp: None,
            max_rel: None,
            max_abs: None,
            tolerance: None,
            seams: Vec::new(),
            ftz: false,
            evals: 1000,
            seed: 1,
        }
    }

    fn refused(asked: Asked) -> QuestionError {
        Question::new(asked).err().expect("refused")
    }

    #[test]
    fn points_are_rounded_to_their_formats() {
        let mut a = asked("exp(x)");
        a.domain = vec![None];
        a.out = "bf16".into();
        a.require = ["exact:0->1", "exact:-inf->0", "exact:ln2->2", "join:1/3", "odd", "monotone", "saturate"]
            .map(String::from)
            .into();
        a.seams = vec!["pi".into(), "-1".into()];
        let q = Question::new(a).unwrap_or_else(|e| panic!("{e}"));
        let third = f64::from(1.0f32 / 3.0);
        assert_eq!(q.demands[1].1, Demand::Exact { at: f64::NEG_INFINITY, value: 0.0 });
        assert_eq!(q.demands[2].1, Demand::Exact { at: f64::from(std::f32::consts::LN_2), value: 2.0 });
        assert_eq!(q.demands[3].1, Demand::Join { at: third, bound: 1.0 });
        assert_eq!(q.seams, [-1.0, third, f64::from(std::f32::consts::PI)]);
    }

    #[test]
    fn domains_end_at_numbers_of_the_format() {
        for (format, text, lo, hi) in [
            ("f32", "0..<1", 0.0, f64::from(1f32.next_down())),
            ("f16", "0.1..1/3", 0.100_036_621_093_75, 0.333_251_953_125),
            ("bf16", "1<..2", 1.0078125, 2.0),
            ("f16", "-inf..inf", f64::NEG_INFINITY, f64::INFINITY),
            ("f64", "-0.0..1", 0.0, 1.0),
        ] {
            let mut a = asked("exp(x)");
            (a.format, a.out, a.domain) = (format.into(), format.into(), vec![Some(text.into())]);
            let q = Question::new(a).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(q.ends, [[lo, hi]], "{format} {text}");
        }
    }

    #[test]
    fn what_cannot_be_asked_is_said_with_its_flag() {
        let with = |change: &dyn Fn(&mut Asked)| {
            let mut a = asked("exp(x)");
            change(&mut a);
            refused(a)
        };
        let cases = [
            ("ref", "unknown", with(&|a| a.reference = "expp(x)".into())),
            ("on", "empty", with(&|a| a.domain = vec![Some("2..1".into())])),
            (
                "on",
                "no bf16",
                with(&|a| {
                    (a.format, a.out, a.domain) = ("bf16".into(), "bf16".into(), vec![Some("1.001..1.002".into())])
                }),
            ),
            ("out", "wider", with(&|a| a.out = "f64".into())),
            ("type", "no float format", with(&|a| a.format = "real".into())),
            ("require", "results only", with(&|a| a.require = vec!["no-div".into()])),
            ("require", "outside", with(&|a| a.require = vec!["join:3".into()])),
            ("seam", "outside", with(&|a| a.seams = vec!["7".into()])),
            ("seam", "no value", with(&|a| a.seams = vec!["log(-1)".into()])),
            ("tol", "unknown", with(&|a| a.tolerance = Some("z".into()))),
            ("args", "3 variables", with(&|a| a.variables = ["x", "y", "z"].map(String::from).into())),
        ];
        for (setting, what, error) in cases {
            assert_eq!(error.setting, setting, "{error}");
            assert!(error.message.contains(what), "{what}: {error}");
        }
        let mut two = asked("atan2(x, y)");
        two.variables = vec!["x".into(), "y".into()];
        two.domain = vec![None, None];
        two.require = vec!["monotone".into()];
        assert!(refused(two.clone()).message.contains("one argument"));
        two.require = vec!["saturate".into()];
        two.tolerance = Some("1e-6*abs(y)".into());
        assert!(refused(two.clone()).message.contains("is an argument of the reference"));
        (two.reference, two.variables) = ("atan2(a, b)".into(), vec!["a".into(), "b".into()]);
        let q = Question::new(two).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(q.tolerance.map(|t| t.text().to_owned()).as_deref(), Some("1e-6*abs(y)"));
    }
}
