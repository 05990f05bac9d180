//! A problem: the question with every setting resolved. It is written into each result, so it holds what determines
//! the answer and nothing else; what does not (threads, output folder) is in [`RunOptions`].

use crate::lines::written;
use crate::settings::COMMAND_LINE;
use crate::values::{expression_text, optional_expression_text, written_duration};
use crate::{
    Bound, BoundKind, Code, Diagnostic, Domain, Expr, Format, Incumbent, Located, Minimize, OpName, RawSettings,
    Reduce, Requirement, Span, Variant,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The resolved question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Problem {
    /// The function that is asked for.
    #[serde(rename = "approx", with = "expression_text")]
    pub reference: Expr,
    /// The domain; `None` is the whole format.
    pub on: Option<Domain>,
    /// Number format of input and output.
    #[serde(rename = "type")]
    pub format: Format,
    /// The largest error allowed; `None` asks for the whole front.
    pub bound: Option<Bound>,
    /// The largest error allowed at each input, of `x` and of `y`, the exact value; instead of a bound.
    #[serde(default, with = "optional_expression_text", skip_serializing_if = "Option::is_none")]
    pub tol: Option<Expr>,
    /// Format to which results are rounded before they are judged; `None` is that of the inputs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged_at: Option<Format>,
    /// Whether results below the least normal number may be zero.
    #[serde(default, skip_serializing_if = "is_false")]
    pub flush: bool,
    /// Whether what lies outside of the domain may give anything.
    #[serde(default, skip_serializing_if = "is_false")]
    pub domain_only: bool,
    /// Properties that the program must have.
    pub require: Vec<Requirement>,
    /// Operations that may be used; `None` are those of the grammar.
    pub ops: Option<Vec<OpName>>,
    /// Most operations of a program; `None` is the grammar's limit.
    pub max_ops: Option<u32>,
    /// Whether programs may use fused multiply-add; without meaning for `real`.
    pub variant: Variant,
    /// What makes a program cheap.
    pub minimize: Minimize,
    /// Machine model of the modelled cost.
    pub target: String,
    /// Range reduction.
    pub reduce: Reduce,
    /// Budget in evaluations.
    pub evals: Option<u64>,
    /// Budget in time, in milliseconds.
    pub time_ms: Option<u64>,
    /// Seed of every random draw.
    pub seed: u64,
    /// Name of the emitted function.
    pub name: String,
    /// Whether the search starts without known forms.
    pub from_scratch: bool,
    /// Grammar that ships, or grammar file; `None` is the one that fits format and variant.
    pub grammar: Option<String>,
    /// File or folder with the worst inputs that measurements have kept; they join those that candidates are judged on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adversarial: Option<String>,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// What changes how a run goes but not what it finds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunOptions {
    /// Number of threads; `None` is all.
    pub threads: Option<usize>,
    /// Folder for the results.
    pub out: Option<String>,
}

/// A problem and how to run it.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved {
    /// The question.
    pub problem: Problem,
    /// How to run it.
    pub run: RunOptions,
    /// The code in use that the answer is held against.
    pub incumbent: Incumbent,
}

impl RawSettings {
    /// Fills in the defaults and checks the settings against one another.
    ///
    /// # Errors
    ///
    /// Every contradiction and what is missing, each shown where it was written.
    pub fn resolve(self) -> Result<Resolved, Vec<Diagnostic>> {
        let mut errors = Vec::new();
        let bound = self.bound(&mut errors);
        self.check_conflicts(bound.as_ref(), &mut errors);
        let file = self.places().map(|place| &place.text).find(|text| text.name != COMMAND_LINE).cloned();
        let raw = self.over(RawSettings::defaults());
        let Some(reference) = raw.approx else {
            let help = "write the function on the command line, as in `mathsmith approx \"exp2(x)\"`, or as a line \
                        `approx exp2(x)` of the problem file";
            let error = Diagnostic::error(Code::Missing, Span::default(), "no function is asked for", "in this file");
            errors.push(Diagnostic { text: file, ..error.with_help(help) });
            return Err(errors);
        };
        if !errors.is_empty() {
            return Err(errors);
        }
        let format = raw.format.expect(DEFAULTED).value;
        let problem = Problem {
            name: raw.name.map_or_else(|| default_name(&reference.value, format), |found| found.value),
            reference: reference.value,
            on: raw.on.map(|found| found.value),
            format,
            bound: bound.map(|found| found.value),
            tol: raw.tol.map(|found| found.value),
            judged_at: raw.judged_at.map(|found| found.value),
            flush: raw.flush.expect(DEFAULTED).value,
            domain_only: raw.domain_only.expect(DEFAULTED).value,
            require: raw.require.map(|found| found.value).unwrap_or_default(),
            ops: raw.ops.map(|found| found.value),
            max_ops: raw.max_ops.map(|found| found.value as u32),
            variant: raw.variant.expect(DEFAULTED).value,
            minimize: raw.minimize.expect(DEFAULTED).value,
            target: raw.target.expect(DEFAULTED).value,
            reduce: raw.reduce.expect(DEFAULTED).value,
            evals: raw.evals.map(|found| found.value),
            time_ms: raw.time.map(|found| found.value),
            seed: raw.seed.expect(DEFAULTED).value,
            from_scratch: raw.from_scratch.expect(DEFAULTED).value,
            grammar: raw.grammar.map(|found| found.value),
            adversarial: raw.adversarial.map(|found| found.value),
        };
        let threads = raw.threads.map(|found| found.value as usize);
        let incumbent = Incumbent {
            error: raw.incumbent_error.map(|found| found.value),
            ops: raw.incumbent_ops.map(|found| found.value).unwrap_or_default(),
            time_ns: raw.incumbent_time.map(|found| found.value),
        };
        Ok(Resolved { problem, run: RunOptions { threads, out: raw.out.map(|found| found.value) }, incumbent })
    }

    /// The one bound that was given.
    fn bound(&self, errors: &mut Vec<Diagnostic>) -> Option<Located<Bound>> {
        let all = [
            (BoundKind::MaxUlp, &self.max_ulp),
            (BoundKind::MaxRel, &self.max_rel),
            (BoundKind::MaxAbs, &self.max_abs),
        ];
        let given = all.into_iter().filter_map(|(kind, found)| {
            let found = found.as_ref()?;
            Some(Located { value: Bound { kind, value: found.value }, place: found.place.clone() })
        });
        let mut given: Vec<Located<Bound>> = given.collect();
        if let [first, second, ..] = &given[..] {
            let message = format!("two bounds are given: {} and {}", first.value.kind, second.value.kind);
            let help = "keep the one that the result must meet; every result states its error in all three measures";
            errors.push(second.place.error(Code::Conflict, message, "the second bound", help));
        }
        if let (Some(first), Some(tol)) = (given.first(), &self.tol) {
            let message = format!("two bounds are given: {} and tol", first.value.kind);
            let help = "keep one of them; a tolerance may hold both, as in `max(1e-6*abs(y), 1e-8)`";
            errors.push(tol.place.error(Code::Conflict, message, "the second bound", help));
        }
        (!given.is_empty()).then(|| given.swap_remove(0))
    }

    fn check_conflicts(&self, bound: Option<&Located<Bound>>, errors: &mut Vec<Diagnostic>) {
        let is_real = self.format.as_ref().is_some_and(|found| found.value == Format::Real);
        if let Some(bound) = bound.filter(|bound| is_real && bound.value.kind == BoundKind::MaxUlp) {
            let message = "real numbers have no unit in the last place";
            let help = "write `max-rel` or `max-abs` with `type real`, or choose a float format";
            errors.push(bound.place.error(Code::Conflict, message, "not with `type real`", help));
        }
        if let Some(variant) = self.variant.as_ref().filter(|found| is_real && found.value != Variant::Both) {
            let message = "real arithmetic rounds nothing, so it has no variants";
            let help = "leave `variant` out with `type real`";
            errors.push(variant.place.error(Code::Conflict, message, "not with `type real`", help));
        }
        let floats_only = [
            ("tol", self.tol.as_ref().map(|found| &found.place)),
            ("judged-at", self.judged_at.as_ref().map(|found| &found.place)),
            ("flush", self.flush.as_ref().filter(|found| found.value).map(|found| &found.place)),
        ];
        for (name, place) in floats_only {
            if let Some(place) = place.filter(|_| is_real) {
                let message = format!("`{name}` is about floats, and real arithmetic has none");
                let help = format!("leave `{name}` out with `type real`, or choose a float format");
                errors.push(place.error(Code::Conflict, message, "not with `type real`", help));
            }
        }
        let Some(require) = &self.require else { return };
        let Some(ops) = &self.ops else { return };
        if require.value.contains(&Requirement::NoDiv) && ops.value.contains(&OpName::Div) {
            let message = "division is both allowed and ruled out";
            let help = "drop `no-div` from the requirements or `div` from the operations";
            errors.push(require.place.error(Code::Conflict, message, "`no-div` against `ops`", help));
        }
    }
}

const DEFAULTED: &str = "a setting with a default in the table";

/// The reference's own name with its format where it is a single call (`exp2_f32`), else `approx_f32`.
fn default_name(reference: &Expr, format: Format) -> String {
    let source: String = reference.source.chars().filter(|c| !c.is_whitespace()).collect();
    let call = source.strip_suffix(')').and_then(|rest| rest.split_once('('));
    let own = call.filter(|(name, args)| {
        let known = crate::functions::callable_names().any(|known| known == *name);
        known && args.split(',').all(|arg| reference.vars.iter().any(|var| var == arg))
    });
    format!("{}_{format}", own.map_or("approx", |(name, _)| name))
}

impl fmt::Display for Problem {
    /// The problem as a `.smith` file that resolves to the same problem.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "approx {}", written(&self.reference.source))?;
        if let Some(domain) = &self.on {
            writeln!(f, "on {}", written(&domain.source))?;
        }
        writeln!(f, "type {}", self.format)?;
        if let Some(bound) = &self.bound {
            writeln!(f, "{bound}")?;
        }
        if let Some(tol) = &self.tol {
            writeln!(f, "tol {}", written(&tol.source))?;
        }
        if let Some(format) = self.judged_at {
            writeln!(f, "judged-at {format}")?;
        }
        if self.flush {
            writeln!(f, "flush true")?;
        }
        if self.domain_only {
            writeln!(f, "domain-only true")?;
        }
        if !self.require.is_empty() {
            writeln!(f, "require {}", listed(&self.require))?;
        }
        if let Some(ops) = &self.ops {
            writeln!(f, "ops {}", listed(ops))?;
        }
        if let Some(max_ops) = self.max_ops {
            writeln!(f, "max-ops {max_ops}")?;
        }
        writeln!(f, "variant {}", self.variant)?;
        writeln!(f, "minimize {}", self.minimize)?;
        writeln!(f, "target {}", written(&self.target))?;
        writeln!(f, "reduce {}", self.reduce)?;
        if let Some(evals) = self.evals {
            writeln!(f, "evals {evals}")?;
        }
        if let Some(time) = self.time_ms {
            writeln!(f, "time {}", written_duration(time))?;
        }
        writeln!(f, "seed {}", self.seed)?;
        writeln!(f, "name {}", self.name)?;
        writeln!(f, "from-scratch {}", self.from_scratch)?;
        if let Some(grammar) = &self.grammar {
            writeln!(f, "grammar {}", written(grammar))?;
        }
        if let Some(adversarial) = &self.adversarial {
            writeln!(f, "adversarial {}", written(adversarial))?;
        }
        Ok(())
    }
}

impl fmt::Display for RunOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(threads) = self.threads {
            writeln!(f, "threads {threads}")?;
        }
        if let Some(out) = &self.out {
            writeln!(f, "out {}", written(out))?;
        }
        Ok(())
    }
}

impl fmt::Display for Resolved {
    /// A `.smith` file that resolves to the same problem, run in the same way.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.problem, self.run, self.incumbent)
    }
}

fn listed<T: fmt::Display>(items: &[T]) -> String {
    items.iter().map(T::to_string).collect::<Vec<_>>().join(",")
}
