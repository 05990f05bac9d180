//! A reduction applied to a function: constants solved, identities tested, frames with their constants in place.

use crate::identity;
use crate::misfit::Misfit;
use crate::plan::{Core, Plan, copied};
use crate::reduction::{Formula, Frame, Order, Reduction, Statement};
use crate::scope::{Scope, Subject, compiled};
use crate::solve;
use mathsmith_dsl::Expr;
use mathsmith_ir::{Literal, Node, Program, Type, Value};
use mathsmith_oracle::FloatFormat;
use rug::Float;
use rug::float::Round;

/// A reduction that fits a function: what it was found to be.
#[derive(Clone, Debug)]
pub struct Fit {
    /// The constants in the order of the file, rounded to 320 bits.
    pub constants: Vec<(String, Float)>,
    /// A plan for each frame of the arithmetic asked for.
    pub plans: Vec<Plan>,
    /// For each core, in the order of all plans, whether its function may be reduced further.
    pub parts: Vec<bool>,
}

impl Reduction {
    /// The plans that the reduction gives for a function of one variable on a domain: one for each frame for programs
    /// with (`fused`) or without fused operations, at least one. Ends of the domain may be infinite.
    ///
    /// # Errors
    /// [`Misfit`] where a constant does not exist, an identity does not hold, or a condition is not met.
    pub fn instantiate(&self, function: &Expr, domain: (f64, f64), fused: bool) -> Result<Vec<Plan>, Misfit> {
        self.fit(function, domain, fused).map(|fit| fit.plans)
    }

    /// As [`Reduction::instantiate`], with the constants.
    ///
    /// # Errors
    /// As [`Reduction::instantiate`].
    pub fn fit(&self, function: &Expr, domain: (f64, f64), fused: bool) -> Result<Fit, Misfit> {
        if self.variables != 1 {
            return Err(Misfit::Variables { found: function.vars.len(), wanted: self.variables });
        }
        self.fit_subject(&Subject::new(function)?, &[domain], fused)
    }

    /// [`Reduction::fit`] for a function on which several reductions are tried.
    pub(crate) fn fit_subject(&self, subject: &Subject<'_>, domain: &[(f64, f64)], fused: bool) -> Result<Fit, Misfit> {
        if subject.variables() != self.variables {
            return Err(Misfit::Variables { found: subject.variables(), wanted: self.variables });
        }
        if !self.frames.iter().any(|frame| frame.arithmetic.suits(fused)) {
            return Err(Misfit::Frame { fused });
        }
        let mut scope = Scope::new(subject);
        self.establish(&mut scope, 0, domain)?;
        let mut targets = Vec::new();
        for hole in &self.holes {
            let target = scope.expr(&hole.target, &[&hole.variable])?;
            compiled(&target, &hole.target)?;
            targets.push(target);
        }
        let suited = self.frames.iter().filter(|frame| frame.arithmetic.suits(fused));
        let plans = suited.map(|frame| self.plan(frame, &scope, &targets)).collect::<Result<_, Misfit>>()?;
        let constants = scope.constants.into_iter().map(|named| (named.name, named.value)).collect();
        Ok(Fit { constants, plans, parts: self.holes.iter().map(|hole| hole.part).collect() })
    }

    /// Carries out the statements from `first` on. Where an identity or a condition fails, the next root of the equation
    /// before it is tried, so that a period is found among the solutions of `f(1 + P) = f(1)`.
    fn establish(&self, scope: &mut Scope<'_>, first: usize, domain: &[(f64, f64)]) -> Result<(), Misfit> {
        for (i, statement) in self.statements.iter().enumerate().skip(first) {
            match statement {
                Statement::Let { name, value } => define(scope, name, value)?,
                Statement::Holds { left, right } => identity::holds(scope, left, right, domain)?,
                Statement::When { left, order, right } => met(scope, left, *order, right, domain[0])?,
                Statement::Split { name, pieces } => split(scope, name, pieces),
                Statement::Solve { name, from, to, left, right } => {
                    let (from, to) = (scope.value(from)?.to_f64(), scope.value(to)?.to_f64());
                    let equation = Formula { text: format!("({}) - ({})", left.text, right.text) };
                    let g = scope.reference(&equation, &[name])?;
                    let mut failure = None;
                    for root in solve::roots(&g, from, to) {
                        let before = scope.constants.len();
                        scope.define(name, &root);
                        match self.establish(scope, i + 1, domain) {
                            Ok(()) => return Ok(()),
                            Err(misfit) => failure = failure.or(Some(misfit)),
                        }
                        scope.constants.truncate(before);
                    }
                    let equation = format!("{} = {}", left.text, right.text);
                    return Err(failure.unwrap_or(Misfit::Root { name: name.clone(), equation, from, to }));
                }
            }
        }
        Ok(())
    }

    fn plan(&self, frame: &Frame, scope: &Scope<'_>, targets: &[Expr]) -> Result<Plan, Misfit> {
        let program = self.bound(&frame.program, scope)?;
        let types: Vec<Type> = program.outputs().iter().map(|&v| program.ty(v)).collect();
        let cores = self.holes.iter().zip(targets).enumerate().map(|(i, (hole, target))| Core {
            name: hole.name.clone(),
            target: target.clone(),
            argument: types[i + 1],
            value: program.inputs()[self.variables + i].ty,
        });
        let name = match &frame.label {
            Some(label) => format!("{}.{label}", self.name),
            None => self.name.clone(),
        };
        Ok(Plan { name, cores: cores.collect(), variables: self.variables, frame: program })
    }

    /// The frame's program with constants as literals; those that are tuned stay parameters, with their values.
    fn bound(&self, program: &Program, scope: &Scope<'_>) -> Result<Program, Misfit> {
        let mut out = Program::new("frame");
        let inputs: Vec<Value> = program.inputs().iter().map(|input| out.input(&input.name, input.ty)).collect();
        let mut map: Vec<Option<Value>> = Vec::with_capacity(program.nodes().len());
        for v in program.values() {
            let new = match program.node(v) {
                Node::Input(i) => Some(inputs[i as usize]),
                Node::Lit(literal) => Some(out.lit(literal)),
                Node::Param(i) => {
                    let param = &program.params()[i as usize];
                    let value = scope.get(&param.name).expect("the parser knows the constants of the parameters");
                    let literal = rounded(&param.name, value, param.ty)?;
                    let tuned = self.tuned.contains(&param.name);
                    Some(if tuned { out.param(&param.name, param.ty, Some(literal)) } else { out.lit(literal) })
                }
                node => copied(&mut out, program, &node, |a| map[a.index()]),
            };
            map.push(new);
        }
        let outputs = program.outputs().iter().filter_map(|v| map[v.index()]);
        out.set_outputs(outputs.collect());
        Ok(out.compacted())
    }
}

fn define(scope: &mut Scope<'_>, name: &str, formula: &Formula) -> Result<(), Misfit> {
    let value = scope.value(formula)?;
    if value.is_infinite() {
        return Err(Misfit::Constant { formula: formula.text.clone(), why: "it is infinite".into() });
    }
    scope.define(name, &value);
    Ok(())
}

fn met(scope: &Scope<'_>, left: &Formula, order: Order, right: &Formula, domain: (f64, f64)) -> Result<(), Misfit> {
    let ends = [Float::with_val(53, domain.0), Float::with_val(53, domain.1)];
    let value = |formula: &Formula| Ok(scope.reference(formula, &["lo", "hi"])?.value_at(&ends, 256));
    let (l, r) = (value(left)?, value(right)?);
    let found = match order {
        Order::Less => l < r,
        Order::AtMost => l <= r,
        Order::Greater => l > r,
        Order::AtLeast => l >= r,
    };
    if found {
        return Ok(());
    }
    let condition = format!("{} {} {}", left.text, order.symbol(), right.text);
    Err(Misfit::Condition { condition, left: l.to_f64(), right: r.to_f64() })
}

/// Cody-Waite pieces ("Software Manual for the Elementary Functions", 1980): each is what the ones before leave, rounded.
fn split(scope: &mut Scope<'_>, name: &str, pieces: &[(String, Option<u32>)]) {
    let mut rest = scope.get(name).expect("the parser knows what is split").clone();
    for (piece, bits) in pieces {
        let part = bits.map_or_else(|| rest.clone(), |bits| Float::with_val(bits, &rest));
        rest -= &part;
        scope.define(piece, &part);
    }
}

/// A constant in its type.
fn rounded(name: &str, value: &Float, ty: Type) -> Result<Literal, Misfit> {
    let range = || Misfit::Range { name: name.to_string(), value: value.to_f64(), ty: ty.name() };
    let integer = || value.to_integer_round(Round::Nearest).map(|(integer, _)| integer).ok_or_else(range);
    match ty {
        Type::F32 => {
            let x = FloatFormat::F32.nearest(value) as f32;
            if x.is_finite() { Ok(Literal::F32(x)) } else { Err(range()) }
        }
        Type::F64 => {
            let x = FloatFormat::F64.nearest(value);
            if x.is_finite() { Ok(Literal::F64(x)) } else { Err(range()) }
        }
        Type::I32 => integer()?.to_i32().map(Literal::I32).ok_or_else(range),
        Type::I64 => integer()?.to_i64().map(Literal::I64).ok_or_else(range),
        Type::Bool | Type::Real => Err(range()),
    }
}
