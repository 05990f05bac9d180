//! `mathsmith fit`.

use crate::approx::{flags, threads};
use crate::args::Settings;
use crate::failure::{Failure, Outcome};
use crate::print;
use crate::progress::Terminal;
use mathsmith_approx::entry::error_record;
use mathsmith_approx::files;
use mathsmith_approx::fitting::{self, FittedForm, FittingError, Fixed, Proof};
use mathsmith_approx::float::objective::Figure;
use mathsmith_approx::question::Question;
use mathsmith_approx::run::VERSION;
use mathsmith_dsl::{
    Code, Constant, Diagnostic, Expr, ExprNode, Resolved, SourceText, free_names, parse_expr_with_vars,
};
use mathsmith_emit::{Lang, Provenance, digits_for, emit_real, emit_source, emit_test};
use mathsmith_ir::{Literal, RealLit};
use mathsmith_measure::render::grouped;
use std::path::{Path, PathBuf};

/// Reads a form: `x` is the input, other unknown names are constants.
///
/// # Errors
/// What the parser says.
pub fn form(source: &str) -> Result<Expr, Failure> {
    let show = |d: Diagnostic| Failure::from(d.with_text(&SourceText::new("form", source)));
    let names = free_names(source, &["x"]).map_err(show)?;
    let mut vars = vec!["x"];
    vars.extend(names.iter().map(String::as_str));
    parse_expr_with_vars(source, &vars).map_err(show)
}

/// A failure of the form, shown in it.
pub fn form_failure(source: &str, error: &mathsmith_approx::form::FormError) -> Failure {
    Diagnostic::error(Code::Value, error.span, "this form cannot be made a program", &*error.message)
        .with_text(&SourceText::new("form", source))
        .with_help("write the form with + - * / ^ sqrt abs min max floor, numbers, x and names for free constants")
        .into()
}

/// Reads `c1=ln2`.
fn fixed(text: &str) -> Result<Fixed, Failure> {
    let (name, value) = text.split_once('=').ok_or_else(|| {
        Failure::input(format!("--fix {text}: no value\n  help: write NAME=EXPR, as in --fix c1=ln2"))
    })?;
    let value =
        parse_expr_with_vars(value, &[]).map_err(|d| Failure::from(d.with_text(&SourceText::new("--fix", value))))?;
    Ok(Fixed { name: name.trim().into(), value })
}

/// Fits a form and prints constants and error.
///
/// # Errors
/// [`Failure`].
pub fn fit(source: &str, reference: &str, fix: &[String], settings: &Settings) -> Result<Outcome, Failure> {
    let mut raw = flags(settings)?;
    raw.set("approx", reference)?;
    // What steers a search means nothing here; taking it in silence would be a lie.
    for name in
        ["evals", "time", "ops", "max-ops", "require", "minimize", "reduce", "grammar", "from-scratch", "adversarial"]
    {
        if let Some(place) = raw.place(name) {
            let help = "leave it out: `fit` keeps to the form as written";
            return Err(place.error(Code::Conflict, format!("`fit` has no setting `{name}`"), "not here", help).into());
        }
    }
    let expr = form(source)?;
    let e = expr.nodes.iter().any(|n| matches!(n, ExprNode::Constant(Constant::E)));
    if e && !settings.json {
        print(
            "note: `e` in the form is the base of the natural logarithm, 2.718…; a free constant needs another name\n",
        )?;
    }
    let fixed = fix.iter().map(|f| fixed(f)).collect::<Result<Vec<_>, _>>()?;
    let Resolved { problem, run, .. } = raw.clone().resolve()?;
    let question = Question::new(problem).map_err(|e| Failure::question(&e, Some(&raw)))?;
    let terminal = Terminal::new(settings.quiet);
    let result = fitting::fit(&question, &expr, &fixed, threads(run.threads), &terminal);
    terminal.clear();
    let fitted = result.map_err(|e| match e {
        FittingError::Form(e) => form_failure(source, &e),
        FittingError::Run(e) => Failure::run(&e, Some(&raw), None),
        e @ FittingError::Fixed(_) => Failure::input(e.to_string()),
    })?;
    let met = fitted.iter().any(|f| question.meets(figure(&question, f)));
    if settings.json {
        let all: Vec<_> = fitted.iter().map(|f| json(&question, source, f)).collect();
        let text = serde_json::to_string_pretty(&all).map_err(|e| Failure::input(e.to_string()))?;
        print(&format!("{text}\n"))?;
    } else {
        for note in &question.notes {
            print(&format!("note: {note}\n"))?;
        }
        for f in &fitted {
            print(&text(&question, f))?;
        }
    }
    if let (Some(bound), false) = (&question.problem.bound, settings.json) {
        print(&if met {
            format!("{bound} met\n")
        } else {
            format!("{bound} not met by this form; give it more terms, or loosen the bound\n")
        })?;
    }
    if let Some(out) = run.out.map(PathBuf::from) {
        write(&out, &question, source, fix, &fitted)?;
    }
    Ok(if met { Outcome::Found } else { Outcome::NotMet })
}

fn figure(question: &Question, f: &FittedForm) -> f64 {
    match &f.proof {
        Proof::Swept(report) => mathsmith_approx::float::figure(question, report),
        Proof::Sampled(report) => match question.figure {
            Figure::Abs => report.max_abs,
            _ => report.max_rel,
        },
    }
}

/// Name, decimal digits that read back exactly, exact value.
fn constants(f: &FittedForm) -> Vec<(String, String, String)> {
    f.fit
        .program
        .params()
        .iter()
        .map(|p| {
            let (decimal, exact) = match p.value {
                Some(Literal::F32(x)) => (format!("{x:?}"), mathsmith_verify::report::hex(f64::from(x))),
                Some(Literal::F64(x)) => (format!("{x:?}"), mathsmith_verify::report::hex(x)),
                Some(Literal::Real(r)) => (format!("{:?}", r.to_f64()), real_text(r)),
                _ => ("not found".into(), String::new()),
            };
            (p.name.clone(), decimal, exact)
        })
        .collect()
}

/// A real constant as the exact sum of doubles.
fn real_text(r: RealLit) -> String {
    let terms: Vec<String> = r.0.iter().filter(|t| **t != 0.0).map(|t| mathsmith_verify::report::hex(*t)).collect();
    if terms.is_empty() { "0x0p+0".into() } else { terms.join(" + ") }
}

/// Unit of the figure that is minimised.
fn metric_name(question: &Question) -> &'static str {
    match question.figure {
        Figure::Ulp => "ULP",
        Figure::Rel => "relative",
        Figure::Abs => "absolute",
    }
}

fn text(question: &Question, f: &FittedForm) -> String {
    let mut out = format!("\n{} form\n", f.arithmetic.word());
    for (name, decimal, exact) in constants(f) {
        out.push_str(&format!("  {name:<6} = {decimal:<24} {exact}\n"));
    }
    if f.fit.program.params().is_empty() {
        out.push_str("  no free constants: nothing is fitted\n");
    }
    let m = &f.fit.minimax;
    let level = if m.equioscillates { "equioscillates" } else { "does not equioscillate" };
    if !f.fit.program.params().is_empty() {
        let unit = metric_name(question);
        out.push_str(&format!(
            "  real constants, real arithmetic: max error {:.4e} {unit} ({level}, levelled to {:.4}; sampled)\n",
            m.max_error, m.levelled
        ));
    }
    match &f.proof {
        Proof::Swept(r) => {
            out.push_str(&format!(
                "  as written, {}, {} inputs:\n    max ULP {:.6} at {}, max rel {:.4e} at {}, max abs {:.4e} at {}\n    \
                 not correctly rounded {}\n",
                r.coverage.word(),
                grouped(r.inputs),
                r.max_ulp.value,
                r.max_ulp.input_hex,
                r.max_rel.value,
                r.max_rel.input_hex,
                r.max_abs.value,
                r.max_abs.input_hex,
                grouped(r.not_correctly_rounded)
            ));
            if let Some(nearest) = f.nearest {
                out.push_str(&format!(
                    "    with every constant rounded to nearest: {nearest:.6} {}, by the same sweep\n",
                    metric_name(question)
                ));
            }
        }
        Proof::Sampled(r) => out.push_str(&format!(
            "  as written, sampled, {} points at {} bits: max rel {:.6e} at {}, max abs {:.6e} at {}\n  {}\n",
            grouped(r.points),
            r.precision_bits,
            r.max_rel,
            r.worst_rel,
            r.max_abs,
            r.worst_abs,
            emit_real(&f.fit.program.bound(), digits_for(r.max_rel)).trim_end().replace('\n', "\n  ")
        )),
    }
    out
}

fn json(question: &Question, source: &str, f: &FittedForm) -> serde_json::Value {
    let error = match &f.proof {
        Proof::Swept(r) => serde_json::json!(error_record(r)),
        Proof::Sampled(r) => serde_json::json!(r),
    };
    serde_json::json!({
        "schema": 1, "form": source, "variant": f.arithmetic.word(), "problem": question.problem,
        "constants": constants(f).into_iter().map(|(name, decimal, exact)| {
            serde_json::json!({"name": name, "decimal": decimal, "exact": exact})
        }).collect::<Vec<_>>(),
        "minimax": {"coverage": "sampled", "max_error": f.fit.minimax.max_error, "levelled": f.fit.minimax.levelled,
            "equioscillates": f.fit.minimax.equioscillates},
        "error": error, "program": f.fit.program.bound().to_string(),
    })
}

fn write(out: &Path, question: &Question, source: &str, fix: &[String], all: &[FittedForm]) -> Result<(), Failure> {
    let file = |e: files::FileError| Failure::input(e.to_string());
    let emit = |e: mathsmith_emit::EmitError| Failure::input(e.to_string());
    files::prepare_dir(out).map_err(file)?;
    let name = &question.problem.name;
    let held: String = fix.iter().map(|f| format!(" --fix '{f}'")).collect();
    let domain = question.problem.on.as_ref().map_or_else(String::new, |d| d.source.clone());
    let provenance = Provenance {
        function: question.problem.reference.to_string(),
        domain: domain.clone(),
        statements: Vec::new(),
        seed: Some(question.problem.seed),
        version: VERSION.into(),
        command: format!(
            "mathsmith fit '{source}' --ref '{}' --on '{domain}' --type {} --seed {}{held}",
            question.problem.reference, question.problem.format, question.problem.seed
        ),
    };
    for f in all {
        let Proof::Swept(report) = &f.proof else { continue };
        let program = f.fit.program.bound();
        let stem = format!("{name}_{}_form", f.arithmetic.word());
        for lang in [Lang::Rust, Lang::C] {
            let ending = if lang == Lang::C { "c" } else { "rs" };
            let source = emit_source(&program, lang, name, &provenance, Some(report)).map_err(emit)?;
            files::write_atomic(&out.join(format!("{stem}.{ending}")), source.as_bytes()).map_err(file)?;
            let test = emit_test(&program, lang, name, &stem, report).map_err(emit)?;
            files::write_atomic(&out.join(format!("{stem}_test.{ending}")), test.as_bytes()).map_err(file)?;
        }
    }
    let all: Vec<_> = all.iter().map(|f| json(question, source, f)).collect();
    let text = serde_json::to_string_pretty(&all).map_err(|e| Failure::input(e.to_string()))? + "\n";
    files::write_atomic(&out.join("fit.json"), text.as_bytes()).map_err(file)?;
    print(&format!("written: {} and sources beside it\n", out.join("fit.json").display()))
}
