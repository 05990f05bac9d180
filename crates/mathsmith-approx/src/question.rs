//! A resolved problem made numeric: reference, domain, metric, price; and what cannot be asked yet is said here.

use crate::bivariate;
use crate::demand::{self, Demand};
use crate::float::objective::Figure;
use crate::float::polish;
use crate::pareto::Price;
use crate::space::{self, Arithmetic};
use crate::structure::{Genome, SearchSpace};
use mathsmith_cost::Model;
use mathsmith_dsl::{BoundKind, Format, Grammar, Minimize, Problem, Reduce, Requirement, Variant, parse_grammar};
use mathsmith_egraph::{Contraction, Limits, RuleClass};
use mathsmith_fit::{Dd, Fitter, Metric, Nodes};
use mathsmith_ir::{Program, Type};
use mathsmith_oracle::{DomainEnds, FloatFormat, Reference};
use mathsmith_verify::points::Layout;
use mathsmith_verify::{AdversarialSet, FloatDomain, SampleDomain, Tolerance};
use std::collections::HashMap;
use std::sync::RwLock;

/// A setting that cannot be used, with the reason and the way out. The command line shows it where it was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}\n  help: {help}")]
pub struct QuestionError {
    /// Name of the setting, as in a problem file.
    pub setting: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl QuestionError {
    /// An error of a setting.
    pub fn new(setting: &'static str, message: impl Into<String>, help: impl Into<String>) -> Self {
        QuestionError { setting, message: message.into(), help: help.into() }
    }

    pub(crate) fn no_variant() -> Self {
        QuestionError::new(
            "ops",
            "the variant and the operations leave nothing to search",
            "the fma variant needs `fma` among the operations, the plain variant others; add some or change --variant",
        )
    }

    pub(crate) fn no_domain(message: &str) -> Self {
        QuestionError::new("on", message, "give one, as in `--on 0..1`")
    }

    pub(crate) fn fit(error: mathsmith_fit::FitError) -> Self {
        QuestionError::new("on", error.to_string(), "choose a domain on which the function is finite")
    }
}

/// Points that screen candidates in the search.
pub const SMALL: Layout = Layout { neighbours: 2, chebyshev: 320, per_binade: 1, random: 128, seed: 0 };
/// Points that decide about constants before the sweep.
pub const LARGE: Layout = Layout { neighbours: 4, chebyshev: 6000, per_binade: 4, random: 1000, seed: 0 };

/// A program this many times above the bound is no answer.
const FAR: f64 = 1000.0;

/// Degree of the polynomial that says whether a domain needs a range reduction.
const HIGHEST_DEGREE: usize = 16;
/// Ratio of the ends of a domain without zero up to which equal steps of value see it well enough.
const MANY_BINADES: f64 = 4096.0;

/// Values of the reference that are remembered.
const MOST_VALUES: usize = 1 << 20;

/// A question ready to be searched.
pub struct Question {
    /// What was asked.
    pub problem: Problem,
    /// The function.
    pub reference: Reference,
    /// Lower end of the domain: the lowest finite input.
    pub lo: f64,
    /// Upper end: the greatest finite input.
    pub hi: f64,
    /// The inputs, for a float format.
    pub domain: Option<FloatDomain>,
    /// The inputs of a function of two variables; `domain` is `None` then.
    pub pairs: Option<SampleDomain>,
    /// Whether the domain is the whole format because none was given: the reference may then be undefined on a part of
    /// it, where NaN is the result.
    pub whole: bool,
    /// The error figure that is minimised; with a tolerance the absolute error as a multiple of it.
    pub figure: Figure,
    /// Format to which a result is rounded before it is judged.
    pub judged_at: FloatFormat,
    /// The tolerance, where it is the bound.
    pub tolerance: Option<Tolerance>,
    /// The requirements with their points as floats.
    pub demands: Vec<Demand>,
    /// Remarks that belong into the output.
    pub notes: Vec<String>,
    model: Model,
    values: RwLock<HashMap<u64, Dd>>,
}

impl Question {
    /// Evaluates and checks a problem.
    ///
    /// # Errors
    /// [`QuestionError`] names the setting that cannot be used.
    pub fn new(problem: Problem) -> Result<Question, QuestionError> {
        supported(&problem)?;
        for lang in [mathsmith_emit::Lang::C, mathsmith_emit::Lang::Rust] {
            mathsmith_emit::check_name(&problem.name, lang)
                .map_err(|e| QuestionError::new("name", e.to_string(), "choose another name, such as my_exp2f"))?;
        }
        let reference = Reference::new(&problem.reference)
            .map_err(|e| QuestionError::new("approx", e.to_string(), "write a function of x, such as exp2(x)"))?;
        if !(1..=2).contains(&reference.vars().len()) {
            let message = "the reference does not depend on x";
            return Err(QuestionError::new("approx", message, "write a function of x, such as exp2(x)"));
        }
        let two = reference.vars().len() == 2;
        let model = Model::load(&problem.target).map_err(|e| {
            QuestionError::new(
                "target",
                e.to_string(),
                "name a machine model that ships, or the path of a model's file",
            )
        })?;
        let pairs = if two { Some(bivariate::domain::pairs(&problem)?) } else { None };
        let whole = problem.on.is_none();
        let (lo, hi, floats, mut notes) = match &pairs {
            Some(pairs) => {
                let [lo, hi] = pairs.ends().next().unwrap_or([f64::NAN; 2]);
                (lo, hi, None, Vec::new())
            }
            None => {
                let (lo, hi, floats) = ends(&problem)?;
                let analyse =
                    if floats.is_some() { mathsmith_oracle::analyse_floats } else { mathsmith_oracle::analyse };
                let report = analyse(&reference, lo, hi, whole).map_err(|e| bad_domain(&e))?;
                let removable = report.removable.iter();
                let limits = removable.map(|r| format!("at x = {} the reference takes its limit, {}", r.at, r.limit));
                (lo, hi, floats, limits.chain(report.notes.iter().map(ToString::to_string)).collect::<Vec<_>>())
            }
        };
        notes.extend(unpriced(&model, problem.format));
        let figure = match problem.bound.as_ref().map(|b| b.kind) {
            Some(BoundKind::MaxRel) => Figure::Rel,
            Some(BoundKind::MaxAbs) => Figure::Abs,
            Some(BoundKind::MaxUlp) => Figure::Ulp,
            None if problem.tol.is_some() => Figure::Abs,
            None if problem.format == Format::Real => Figure::Rel,
            None => Figure::Ulp,
        };
        let tolerance = problem.tol.as_ref().map(|tol| Tolerance::new(tol, &problem.reference)).transpose();
        let tolerance = tolerance.map_err(|e| {
            let help = "write an expression of x and of y, the exact value: `max(1e-6*abs(y), 1e-8)`";
            QuestionError::new("tol", e.to_string(), help)
        })?;
        let judged_at = problem.judged_at.and_then(|f| FloatFormat::named(f.name())).unwrap_or(FloatFormat::F32);
        let mut question = Question {
            problem,
            reference,
            lo,
            hi,
            domain: floats,
            pairs,
            whole,
            figure,
            judged_at,
            tolerance,
            demands: Vec::new(),
            notes,
            model,
            values: RwLock::default(),
        };
        question.demands = demand::demands(&question)?;
        demand::consistent(&question)?;
        // What is wrong with grammar or operations is said before a run leaves anything behind.
        let spaces = question.variants().into_iter().map(|a| question.space(a)).collect::<Result<Vec<_>, _>>()?;
        if spaces.iter().all(Option::is_none) {
            return Err(QuestionError::no_variant());
        }
        Ok(question)
    }

    /// Whether arithmetic is exact.
    pub fn is_real(&self) -> bool {
        self.problem.format == Format::Real
    }

    /// The reference at a double, as a double-double. Fits of many structures ask for the same points, and MPFR takes
    /// up to a millisecond for one, so values are remembered.
    pub fn value(&self, x: f64) -> Dd {
        let known = self.values.read().ok().and_then(|values| values.get(&x.to_bits()).copied());
        known.unwrap_or_else(|| {
            let (hi, lo) = self.reference.value_dd(&[x]);
            if let Ok(mut values) = self.values.write()
                && values.len() < MOST_VALUES
            {
                values.insert(x.to_bits(), Dd { hi, lo });
            }
            Dd { hi, lo }
        })
    }

    /// The bound on the figure, if one was asked for; 1 for a tolerance, which is the unit of its figure.
    pub fn bound(&self) -> Option<f64> {
        self.problem.bound.as_ref().map(|b| b.value).or(self.tolerance.as_ref().map(|_| 1.0))
    }

    /// What the question's figure counts.
    pub fn unit_word(&self) -> &'static str {
        match (&self.tolerance, self.figure) {
            (Some(_), _) => "times the tolerance",
            (None, Figure::Ulp) => "ulp",
            (None, Figure::Rel) => "of the value",
            (None, Figure::Abs) => "absolute",
        }
    }

    /// The bound as it was asked for; empty where none was.
    pub fn bound_text(&self) -> String {
        match (&self.problem.bound, &self.problem.tol) {
            (Some(bound), _) => bound.to_string(),
            (None, Some(tol)) => format!("tol {}", tol.source),
            (None, None) => String::new(),
        }
    }

    /// `ulp(y)` in the format judged at.
    pub fn ulp(&self, y: f64) -> f64 {
        let format = self.judged_at;
        let exponent = ((y.to_bits() >> 52 & 0x7ff) as i32 - 1023).clamp(format.min_exponent, format.max_exponent);
        // At least 2^-149: a normal double.
        f64::from_bits(((exponent - format.precision as i32 + 1 + 1023) as u64) << 52)
    }

    /// The absolute error that counts as 1 in the question's figure, at an input with the exact value `y`.
    pub fn unit(&self, x: f32, y: f64) -> f64 {
        match (&self.tolerance, self.figure) {
            (Some(t), _) => t.value().value_dd(&[f64::from(x)][..t.value().vars().len()]).0,
            (None, Figure::Ulp) => self.ulp(y),
            (None, Figure::Rel) => y.abs(),
            (None, Figure::Abs) => 1.0,
        }
    }

    /// The error of a result at an input with the finite exact value `y`, in the question's figure: the result is rounded
    /// to the format judged at first, and a zero is accepted below the least normal number where results may be flushed.
    pub fn error_at(&self, x: f32, y: Dd, computed: f32) -> f64 {
        let c = self.judged_at.nearest_f64(f64::from(computed));
        if !c.is_finite() {
            return f64::INFINITY;
        }
        let flushed = self.problem.flush && c == 0.0 && y.hi.abs() < self.judged_at.min_normal();
        let off = ((c - y.hi) - y.lo).abs();
        if flushed || off == 0.0 { 0.0 } else { off / self.unit(x, y.hi) }
    }

    /// The domain as range reductions take it: an end is infinite where the infinity itself, and with it NaN, counts.
    pub fn span(&self) -> (f64, f64) {
        let specials = self.specials();
        let end = |infinity: f32, finite: f64| if specials.contains(&infinity) { f64::from(infinity) } else { finite };
        (end(f32::NEG_INFINITY, self.lo), end(f32::INFINITY, self.hi))
    }

    /// Whether programs without a range reduction are searched: where none is asked for by name, and a polynomial of some
    /// degree that a program could have comes near the bound on the domain.
    pub fn searches_structures(&self) -> bool {
        let unbounded = self.domain.is_none_or(|d| d.specials().iter().any(|x| x.is_infinite()));
        if self.is_real() || self.whole || unbounded || matches!(self.problem.reduce, Reduce::Named(_)) {
            return false;
        }
        let nodes = Nodes::chebyshev((self.lo, self.hi), HIGHEST_DEGREE * 8, &|x| self.value(x), self.metric());
        let Ok(nodes) = nodes else { return false };
        let best =
            |degree| Fitter::new().polynomial_on_nodes(degree, &nodes).map_or(f64::INFINITY, |fit| fit.max_error);
        let error = best(HIGHEST_DEGREE);
        // Near a coarse bound may be what a constant does, too: that is no sign that structures would come nearer.
        let promises = self.meets(error) || self.near(error) && error <= best(0) / 4.0;
        promises && self.steps_of_value_show_all()
    }

    /// Whether a search on equal steps of value sees the domain: on many binades without zero nearly all inputs are below the
    /// first step, and no polynomial follows a function there that changes from binade to binade.
    fn steps_of_value_show_all(&self) -> bool {
        let (least, greatest) = (self.lo.abs().min(self.hi.abs()), self.lo.abs().max(self.hi.abs()));
        if self.lo <= 0.0 && self.hi >= 0.0 || greatest <= least * MANY_BINADES {
            return true;
        }
        let sign = if self.lo > 0.0 { 1.0 } else { -1.0 };
        let binades = std::iter::successors(Some(least), |x| Some(2.0 * x)).take_while(|x| *x <= greatest);
        let points = binades.flat_map(|x| [1.0, 1.25, 1.5, 1.75].map(|m| sign * (m * x).min(greatest)));
        let nodes = Nodes::new(points.collect(), &|x| self.value(x), self.metric());
        let fit = nodes.and_then(|nodes| Fitter::new().polynomial_on_nodes(HIGHEST_DEGREE, &nodes));
        fit.is_ok_and(|fit| self.bound().is_none_or(|bound| fit.max_error <= bound))
    }

    /// The special inputs whose results count, beside the finite ones of the domain.
    pub fn specials(&self) -> Vec<f32> {
        let mut all = self.domain.map_or_else(Vec::new, |d| d.specials());
        if self.problem.domain_only {
            all.clear();
        } else if self.domain.is_some() && !all.iter().any(|x| x.is_nan()) {
            all.push(f32::NAN);
        }
        all
    }

    /// Most fused multiply-adds that a program may have.
    pub fn max_fma(&self) -> u32 {
        let limit = |r: &Requirement| if let Requirement::MaxFma(n) = r { Some(*n) } else { None };
        self.problem.require.iter().filter_map(limit).min().unwrap_or(u32::MAX)
    }

    /// The metric that constants are fitted by.
    pub fn metric(&self) -> Metric {
        polish::metric(self.figure, if self.is_real() { Type::Real } else { Type::F32 })
    }

    /// The arithmetics that were asked for.
    pub fn variants(&self) -> Vec<Arithmetic> {
        match (self.is_real(), self.problem.variant) {
            (true, _) => vec![Arithmetic::Real],
            (false, Variant::Fma) => vec![Arithmetic::Fma],
            (false, Variant::Plain) => vec![Arithmetic::Plain],
            (false, Variant::Both) => vec![Arithmetic::Fma, Arithmetic::Plain],
        }
    }

    /// What a person should know who waits: that fma programs run through the interpreter here, where they do. Results
    /// are the same bits.
    pub fn slow_engine(&self) -> Option<String> {
        let host = mathsmith_jit::Host::detect();
        let fma = self.variants().contains(&Arithmetic::Fma);
        (fma && !host.has_fma())
            .then(|| "this machine has no fused multiply-add: fma programs run through the interpreter, slowly".into())
    }

    /// Grammar and search space of a variant; `None` where the operations leave it nothing of its own.
    ///
    /// # Errors
    /// [`QuestionError`] for a grammar that cannot be read, or where no operation is left.
    pub fn space(&self, arithmetic: Arithmetic) -> Result<Option<(SearchSpace, Grammar)>, QuestionError> {
        let grammar = self.grammar(arithmetic)?;
        Ok(space::space(self, &grammar, arithmetic)?.map(|space| (space, grammar)))
    }

    fn grammar(&self, arithmetic: Arithmetic) -> Result<Grammar, QuestionError> {
        let name = self.problem.grammar.as_deref().unwrap_or(arithmetic.grammar());
        if let Some(grammar) = Grammar::builtin(name) {
            return Ok(grammar);
        }
        let text = std::fs::read_to_string(name).map_err(|e| {
            let known = Grammar::builtin_names().collect::<Vec<_>>().join(", ");
            QuestionError::new(
                "grammar",
                format!("`{name}` is no grammar that ships and no file that can be read ({e})"),
                format!("name one of {known}, or a grammar file"),
            )
        })?;
        parse_grammar(name, &text).map_err(|errors| {
            let text = errors.iter().map(|d| d.report(false)).collect::<Vec<_>>().join("\n");
            QuestionError::new("grammar", format!("the grammar has errors:\n{text}"), "mend the file")
        })
    }

    /// The inputs that candidates are screened on.
    pub fn adversarial(&self, domain: &FloatDomain, layout: Layout) -> AdversarialSet {
        AdversarialSet::initial(&self.reference, domain, Layout { seed: self.problem.seed, ..layout })
    }

    /// What a program costs on the question's machine; real programs have operations only.
    pub fn price(&self, program: &Program) -> Price {
        let ops = mathsmith_cost::count_ops(program).total;
        if self.is_real() {
            return Price { ops, cycles: 0.0, latency: 0.0, size: 0.0 };
        }
        // A model without an operation prices it out of every front rather than at nothing.
        let out = Price { ops, cycles: f64::MAX, latency: f64::MAX, size: f64::MAX };
        let cycles = mathsmith_cost::cycles(program, &self.model);
        cycles.and_then(|c| Ok((c, mathsmith_cost::size(program, &self.model)?))).map_or(out, |(c, bytes)| Price {
            ops,
            cycles: c.throughput,
            latency: c.latency,
            size: f64::from(bytes),
        })
    }

    /// Whether an error figure meets the bound; true where none was asked for.
    pub fn meets(&self, figure: f64) -> bool {
        self.bound().is_none_or(|b| figure <= b)
    }

    /// Whether an error is near enough to the bound for a program to be an answer of some kind, if only a cheap one.
    pub fn near(&self, figure: f64) -> bool {
        self.bound().is_none_or(|b| figure <= b * FAR)
    }

    /// Equality beyond the normal form.
    pub fn egraph(&self, arithmetic: Arithmetic) -> Egraph {
        let (class, contraction) = match arithmetic {
            Arithmetic::Real => (RuleClass::Real, Contraction::Separate),
            // Equal over the reals is not equal in floats: only rules that keep every bit may merge.
            Arithmetic::Fma => (RuleClass::Exact, Contraction::Fused),
            Arithmetic::Plain => (RuleClass::Exact, Contraction::Separate),
        };
        Egraph { ty: arithmetic.ty(), limits: Limits { class, contraction, ..Limits::default() } }
    }

    /// What identifies a search of this question: a checkpoint of another is refused.
    pub fn fingerprint(&self, arithmetic: Arithmetic) -> String {
        format!(
            "{} {} {:?} {:?} {:?} {:?}",
            arithmetic.word(),
            self.problem.reference,
            self.problem.format,
            self.figure,
            self.lo.to_bits(),
            self.hi.to_bits()
        )
    }
}

/// The e-graph's judgement of what is the same structure.
pub struct Egraph {
    ty: Type,
    limits: Limits,
}

impl Egraph {
    /// The class of a genome: equal for structures that span the same functions.
    pub fn class(&self, genome: &Genome) -> Option<u128> {
        let program = genome.to_program("candidate", self.ty);
        Some(mathsmith_egraph::canonical(&program, &self.limits).key)
    }
}

/// Says which operations a model has no figures for: programs with them are priced out of the answer.
fn unpriced(model: &Model, format: Format) -> Option<String> {
    let ending = format!(".{format}");
    let missing: Vec<&str> =
        mathsmith_cost::keys().iter().filter(|k| !model.op.contains_key(*k)).map(String::as_str).collect();
    let missing: Vec<&str> = missing.into_iter().filter(|k| k.ends_with(&ending)).collect();
    (format != Format::Real && !missing.is_empty()).then(|| {
        let list = missing.join(", ");
        format!("the machine model `{}` has no figures for {list}: no program with them is an answer", model.name)
    })
}

/// Refuses what this version cannot do, rather than doing something else.
fn supported(problem: &Problem) -> Result<(), QuestionError> {
    let not_yet = |setting, what: String, help: &str| Err(QuestionError::new(setting, what, help));
    match problem.format {
        Format::Real | Format::F32 => {}
        other => {
            return not_yet(
                "type",
                format!("approx does not search `{other}` programs in this version"),
                "use `--type f32` or `--type real`",
            );
        }
    }
    let real = problem.format == Format::Real;
    let of_floats = |r: &&Requirement| {
        !matches!(r, Requirement::NoDiv | Requirement::NoBranch | Requirement::NoTable | Requirement::MaxFma(_))
    };
    if let Some(r) = problem.require.iter().find(of_floats).filter(|_| real) {
        return not_yet(
            "require",
            format!("the requirement `{r}` is about float results, and real arithmetic has none"),
            "no-div, no-branch, no-table and max-fma:N can be asked of real programs",
        );
    }
    if problem.reduce != Reduce::Auto && problem.reduce != Reduce::None && real {
        return not_yet(
            "reduce",
            "range reductions are about floats".into(),
            "leave it out with `--type real`, and give the reduced domain with `--on`",
        );
    }
    if real && problem.on.is_none() {
        return not_yet("on", "real numbers have no whole format".into(), "give a domain, as in `--on 0..1`");
    }
    if problem.minimize == Minimize::Size && problem.format == Format::Real {
        return not_yet(
            "minimize",
            "real arithmetic has no code, so no size".into(),
            "minimize ops, or use `--type f32`",
        );
    }
    if let (Format::Real, Some(b)) = (problem.format, &problem.bound)
        && b.kind == BoundKind::MaxUlp
    {
        return not_yet("max-ulp", "real arithmetic has no ulp".into(), "bound the relative error with `--max-rel`");
    }
    Ok(())
}

pub(crate) fn bad_domain(e: &dyn std::fmt::Display) -> QuestionError {
    QuestionError::new("on", e.to_string(), "write a domain A..B on which the function is defined, as in `--on 0..1`")
}

/// Lowest and greatest finite input, and the inputs of a float format.
fn ends(problem: &Problem) -> Result<(f64, f64, Option<FloatDomain>), QuestionError> {
    let finite = |floats: FloatDomain| (f64::from(floats.lo()), f64::from(floats.hi()), Some(floats));
    let Some(domain) = &problem.on else { return Ok(finite(FloatDomain::whole())) };
    if domain.each.is_some() {
        return Err(bad_domain(&"domains of x and y are given, and the function has the one variable x"));
    }
    let ends = DomainEnds::new(domain).map_err(|e| bad_domain(&e))?;
    if problem.format == Format::Real {
        let (lo, hi) = ends.f64_range().map_err(|e| bad_domain(&e))?;
        if lo == hi {
            return Err(bad_domain(&"the domain is a single point"));
        }
        if !(lo.is_finite() && hi.is_finite()) {
            return Err(bad_domain(&"an end of the domain is infinite, and real programs are fitted on intervals"));
        }
        return Ok((lo, hi, None));
    }
    let (lo, hi) = ends.f32_range().map_err(|e| bad_domain(&e))?;
    let floats = FloatDomain::new(lo, hi).map_err(|e| bad_domain(&e))?;
    if floats.count() == 1 {
        return Err(bad_domain(&format!("the domain holds the single number {lo:?}, where a constant is the answer")));
    }
    Ok(finite(floats))
}
