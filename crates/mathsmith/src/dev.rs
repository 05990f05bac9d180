//! `mathsmith dev`: each intermediate form, as the stages hand it on.

use crate::args::{Dev, Settings};
use crate::failure::{Failure, Outcome};
use crate::fit::{form, form_failure};
use crate::print;
use mathsmith_approx::form::build;
use mathsmith_dsl::{Expr, ExprId, ExprNode, SourceText, parse_expr, parse_expr_with_vars, parse_problem};
use mathsmith_egraph::{Limits, RuleClass, canonical, quick_canonical, simplify};
use mathsmith_ir::{Literal, Program, Type};
use mathsmith_jit::{Host, Lanes};
use mathsmith_oracle::Reference;
use std::path::Path;

/// Runs one of the developer's commands.
///
/// # Errors
/// [`Failure`].
pub fn dev(command: &Dev) -> Result<Outcome, Failure> {
    let text = match command {
        Dev::Parse { source } => parse(source)?,
        Dev::Ir { source, ty, fma } => {
            let program = program(source, float_type(ty)?, *fma)?;
            match mathsmith_ir::verify::check(&program) {
                Ok(()) => format!("{program}\n"),
                Err(violations) => {
                    let all: Vec<String> = violations.iter().map(ToString::to_string).collect();
                    return Err(Failure::input(format!("{program}\nthe program is broken:\n  {}", all.join("\n  "))));
                }
            }
        }
        Dev::Egraph { source } => egraph(source)?,
        Dev::Fit { form, reference, on, ty } => {
            // The command itself shows every step; here nothing is swept away by a table.
            let settings =
                Settings { on: Some(on.clone()), ty: Some(ty.clone()), json: true, quiet: true, ..Settings::default() };
            return crate::fit::fit(form, reference, &[], &settings);
        }
        Dev::Jit { source, ty, fma, scalar } => jit(source, float_type(ty)?, *fma, *scalar)?,
        Dev::BenchTable { records, at_most, compiler } => crate::bench::whole(records, at_most, compiler)?,
        Dev::Eval { source, at, ty } => eval(source, at, float_type(ty)?)?,
    };
    print(&text)?;
    Ok(Outcome::Found)
}

fn float_type(name: &str) -> Result<Type, Failure> {
    Type::from_name(name)
        .filter(|t| t.is_float())
        .ok_or_else(|| Failure::input(format!("`--type {name}`: no number format\n  help: write real, f32 or f64")))
}

fn read(path: &str) -> Result<String, Failure> {
    std::fs::read_to_string(path)
        .map_err(|e| Failure::input(format!("cannot read {path}: {e}\n  help: name a file that can be read")))
}

/// A program file, or a form made a program.
fn program(source: &str, ty: Type, fma: bool) -> Result<Program, Failure> {
    if Path::new(source).is_file() {
        return read(source)?
            .parse()
            .map_err(|e: mathsmith_ir::text::ParseError| Failure::input(format!("{source}: {e}")));
    }
    build(&form(source)?, "form", ty, fma).map_err(|e| form_failure(source, &e))
}

fn parse(source: &str) -> Result<String, Failure> {
    if source.ends_with(".smith") {
        let resolved = parse_problem(source, &read(source)?)?.resolve()?;
        return Ok(resolved.to_string());
    }
    let expr = expression(source)?;
    let mut out = format!("{expr}\nvariables: {}\n", expr.vars.join(", "));
    tree(&expr, expr.root, 0, &mut out);
    Ok(out)
}

fn expression(source: &str) -> Result<Expr, Failure> {
    parse_expr(source).map_err(|d| d.with_text(&SourceText::new("expression", source)).into())
}

fn tree(expr: &Expr, id: ExprId, depth: usize, out: &mut String) {
    let span = expr.spans[id.0 as usize];
    let (what, children) = match expr.node(id) {
        ExprNode::Number(n) => (format!("number {} (radix {}) exponent {}", n.digits, n.radix, n.exponent), vec![]),
        ExprNode::Constant(c) => (format!("constant {c:?}"), vec![]),
        ExprNode::Var(i) => (format!("variable {}", expr.vars[*i as usize]), vec![]),
        ExprNode::Call(f, a, b) => (format!("{f:?}"), std::iter::once(*a).chain(*b).collect()),
        ExprNode::If { cmp, lhs, rhs, then, otherwise } => (format!("if {cmp:?}"), vec![*lhs, *rhs, *then, *otherwise]),
    };
    out.push_str(&format!("{:1$}{what}  [{2}..{3}]\n", "", 2 * depth, span.start, span.end));
    for child in children {
        tree(expr, child, depth + 1, out);
    }
}

fn egraph(source: &str) -> Result<String, Failure> {
    let program = program(source, Type::Real, false)?;
    let quick = quick_canonical(&program, RuleClass::Real);
    let full = canonical(&program, &Limits::default());
    let simple = simplify(&program, RuleClass::Real, &Limits::thorough(RuleClass::Real));
    Ok(format!(
        "as written\n{program}\n\nby hash-consing and directed rules, key {:032x}\n{}\n\n\
         canonical, key {:032x} ({:?} after {} iterations, {} nodes; parameters are free constants)\n{}\n\n\
         simplified (parameters are fixed symbols)\n{simple}\n",
        quick.key, quick.program, full.key, full.stop, full.iterations, full.nodes, full.program
    ))
}

fn jit(source: &str, ty: Type, fma: bool, scalar: bool) -> Result<String, Failure> {
    let program = program(source, ty, fma)?;
    let lanes = if scalar { Lanes::Scalar } else { Lanes::Auto };
    let host = Host::detect();
    let (_, kind) = mathsmith_jit::engine_for(&program).map_err(|e| Failure::input(e.to_string()))?;
    let show = |e: mathsmith_ir::EngineError| Failure::input(e.to_string());
    let clif = mathsmith_jit::clif(&program, lanes, &host).map_err(show)?;
    let code = mathsmith_jit::disassembly(&program, lanes, &host).map_err(show)?;
    Ok(format!("engine here: {kind}\n\n{clif}\n{code}\n"))
}

/// A point: a constant expression, so that `0x1.8p-1`, `-1e-3` and `pi/4` can be written.
fn point(text: &str) -> Result<Reference, Failure> {
    let expr =
        parse_expr_with_vars(text, &[]).map_err(|d| Failure::from(d.with_text(&SourceText::new("--at", text))))?;
    Reference::new(&expr).map_err(|e| Failure::input(format!("--at {text}: {e}")))
}

fn eval(source: &str, at: &[String], ty: Type) -> Result<String, Failure> {
    let points = at.iter().map(|t| point(t)).collect::<Result<Vec<_>, _>>()?;
    if Path::new(source).is_file() {
        return trace(&program(source, ty, false)?, &points);
    }
    let expr = expression(source)?;
    let reference = Reference::new(&expr).map_err(|e| Failure::input(e.to_string()))?;
    if points.len() != reference.vars().len() {
        return Err(Failure::input(format!(
            "{source} has {} variables, {} points are given\n  help: write --at once for each of {}",
            reference.vars().len(),
            points.len(),
            expr.vars.join(", ")
        )));
    }
    let none: [f64; 0] = [];
    let xs: Vec<f64> = points
        .iter()
        .map(|p| if ty == Type::F32 { f64::from(p.round_f32(&none)) } else { p.round_f64(&none) })
        .collect();
    let mut out = String::new();
    for (name, x) in expr.vars.iter().zip(&xs) {
        out.push_str(&format!("{name} = {x:?} ({})\n", mathsmith_verify::report::hex(*x)));
    }
    let (f32_value, f64_value) = (reference.round_f32(&xs), reference.round_f64(&xs));
    out.push_str(&format!(
        "f32, correctly rounded: {f32_value:?} ({})\n",
        mathsmith_verify::report::hex(f32_value.into())
    ));
    out.push_str(&format!("f64, correctly rounded: {f64_value:?} ({})\n", mathsmith_verify::report::hex(f64_value)));
    out.push_str(&format!("40 digits: {}\n", reference.value(&xs, 160).to_string_radix(10, Some(40))));
    Ok(out)
}

fn trace(program: &Program, points: &[Reference]) -> Result<String, Failure> {
    let none: [f64; 0] = [];
    if points.len() != program.inputs().len() {
        return Err(Failure::input(format!(
            "the program has {} inputs, {} points are given\n  help: write --at once for each input",
            program.inputs().len(),
            points.len()
        )));
    }
    let inputs: Vec<Literal> = program
        .inputs()
        .iter()
        .zip(points)
        .map(|(input, p)| match input.ty {
            Type::F32 => Literal::F32(p.round_f32(&none)),
            Type::I32 => Literal::I32(p.round_f64(&none) as i32),
            Type::I64 => Literal::I64(p.round_f64(&none) as i64),
            Type::Bool => Literal::Bool(p.round_f64(&none) != 0.0),
            Type::F64 | Type::Real => Literal::F64(p.round_f64(&none)),
        })
        .collect();
    let params = program
        .params()
        .iter()
        .map(|p| {
            p.value.ok_or_else(|| Failure::input(format!("parameter {} has no value; write one in the file", p.name)))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let values = mathsmith_ir::interp::trace(program, &params, &inputs).map_err(|e| Failure::input(e.to_string()))?;
    let mut out = format!("{program}\n");
    for (v, value) in program.values().zip(values) {
        let shown = match value {
            Literal::F32(x) => format!("{x:?}  {}", mathsmith_verify::report::hex(x.into())),
            Literal::F64(x) => format!("{x:?}  {}", mathsmith_verify::report::hex(x)),
            Literal::Real(x) => format!("{:?}", x.to_f64()),
            Literal::I32(x) => format!("{x}  {x:#010x}"),
            Literal::I64(x) => format!("{x}  {x:#018x}"),
            Literal::Bool(x) => x.to_string(),
        };
        out.push_str(&format!("v{} = {shown}\n", v.0));
    }
    Ok(out)
}
