//! Evaluation of `real` programs in any [`Number`] type.
//!
//! Every float type is read as `real` here: a program over `f32` or `f64` is evaluated as the exact mathematics that it
//! approximates, its literals taken at their exact values and conversions between float types as identities. Fitting
//! and error bounds need precisely that. Integers have no meaning on reals and are refused; so are elementary functions,
//! which a [`Number`] does not provide, and reductions, as there is one row.
//!
//! Operations that round to integers or choose a side ([`Op::Trunc`], [`Op::Sign`], [`Op::Min`], comparisons) follow
//! from [`Number::floor`] and [`Number::less`]; a choice that the number type cannot make is an error, never a guess.
//! As a real has no signed zero, `copysign a 0` is `|a|` and `sign 0` is `0`.

use crate::{EngineError, Literal, Node, Number, Op, Program, RealLit, Type, Value};

/// Values of a `real` program's outputs, computed in the number type `T`.
///
/// `params` are the parameters in order, `inputs` the inputs in order; `like` supplies the precision of literals. To
/// evaluate many points keep a [`RealPlan`].
///
/// # Errors
/// [`EngineError`] for an operation that has no meaning on reals, a comparison that `T` cannot decide, or a wrong number
/// of arguments.
pub fn eval<T: Number>(program: &Program, params: &[T], inputs: &[T], like: &T) -> Result<Vec<T>, EngineError> {
    let mut out = Vec::with_capacity(program.outputs().len());
    RealPlan::new(program, like)?.eval_into(params, inputs, &mut out)?;
    Ok(out)
}

/// Where an operand comes from; `bool` operands use the same places in the truth registers.
#[derive(Clone, Copy, Debug)]
enum Place {
    Input(usize),
    Param(usize),
    Const(usize),
    Slot(usize),
    /// A truth value in the truth registers.
    Truth(usize),
}

#[derive(Clone, Copy, Debug)]
struct Step {
    op: Op,
    /// Whether the arguments (for [`Op::Select`], the two alternatives) are truth values.
    truth_args: bool,
    args: [Place; 3],
    dst: usize,
}

/// A program prepared for evaluation at many points in the number type `T`: literals converted, dead nodes dropped.
#[derive(Clone, Debug)]
pub struct RealPlan<T> {
    steps: Vec<Step>,
    consts: Vec<T>,
    slots: Vec<T>,
    truths: Vec<bool>,
    outputs: Vec<Place>,
    inputs: usize,
    params: usize,
    zero: T,
    half: T,
    one: T,
    like: T,
}

impl<T: Number> RealPlan<T> {
    /// Prepares a program; `like` supplies the precision of its literals.
    ///
    /// # Errors
    /// [`EngineError::Unsupported`] if a node that the outputs need has no meaning on reals.
    pub fn new(program: &Program, like: &T) -> Result<Self, EngineError> {
        let lit = |x: f64| T::lit(RealLit::new(x), like);
        let mut plan = RealPlan {
            steps: Vec::new(),
            consts: Vec::new(),
            slots: Vec::new(),
            truths: Vec::new(),
            outputs: Vec::new(),
            inputs: program.inputs().len(),
            params: program.params().len(),
            zero: lit(0.0),
            half: lit(0.5),
            one: lit(1.0),
            like: like.clone(),
        };
        let live = program.live();
        let mut places = vec![Place::Truth(usize::MAX); live.len()];
        for v in program.values().filter(|v| live[v.index()]) {
            places[v.index()] = plan.place(program, v, &places)?;
        }
        plan.outputs = program.outputs().iter().map(|v| places[v.index()]).collect();
        if let Some(&v) = program.outputs().iter().find(|&&v| program.ty(v) == Type::Bool) {
            return Err(unsupported(format!("a `bool` output (v{})", v.0)));
        }
        Ok(plan)
    }

    fn place(&mut self, program: &Program, v: Value, places: &[Place]) -> Result<Place, EngineError> {
        let ty = program.ty(v);
        let node = program.node(v);
        if ty.is_int() || (ty == Type::Bool && matches!(node, Node::Input(_) | Node::Param(_))) {
            return Err(unsupported(format!("v{} of type {ty}; only float types stand for reals", v.0)));
        }
        Ok(match node {
            Node::Input(i) => Place::Input(i as usize),
            Node::Param(i) => Place::Param(i as usize),
            Node::Lit(Literal::Bool(b)) => {
                self.truths.push(b);
                Place::Truth(self.truths.len() - 1)
            }
            Node::Lit(l) => {
                let real =
                    l.to_real().ok_or_else(|| unsupported(format!("the literal v{}: not a finite real", v.0)))?;
                self.consts.push(T::lit(real, &self.like));
                Place::Const(self.consts.len() - 1)
            }
            Node::Op(op, _) => {
                let args = node.args();
                if let Some(&a) = args.iter().find(|&&a| program.ty(a).is_int()) {
                    return Err(unsupported(format!("`{}` of the integer v{} (at v{})", op.name(), a.0, v.0)));
                }
                if let Op::Convert(_) = op {
                    return Ok(places[args[0].index()]);
                }
                if matches!(op, Op::Bitcast(_) | Op::Table(_)) || op.is_elementary() || op.is_reduction() {
                    return Err(unsupported(format!("`{}` (at v{})", op.name(), v.0)));
                }
                let mut full = [places[args[0].index()]; 3];
                for (slot, a) in full.iter_mut().zip(args) {
                    *slot = places[a.index()];
                }
                let last = args[args.len() - 1];
                let truth_args = program.ty(last) == Type::Bool;
                let (place, dst) = if ty == Type::Bool {
                    self.truths.push(false);
                    (Place::Truth(self.truths.len() - 1), self.truths.len() - 1)
                } else {
                    self.slots.push(self.zero.clone());
                    (Place::Slot(self.slots.len() - 1), self.slots.len() - 1)
                };
                self.steps.push(Step { op, truth_args, args: full, dst });
                place
            }
        })
    }

    /// Evaluates the outputs at one point; `out` is cleared and filled with one value an output.
    ///
    /// # Errors
    /// [`EngineError::Signature`] for a wrong number of parameters or inputs, [`EngineError::Unsupported`] for a
    /// comparison that `T` cannot decide at this point.
    pub fn eval_into(&mut self, params: &[T], inputs: &[T], out: &mut Vec<T>) -> Result<(), EngineError> {
        for (what, want, got) in [("parameters", self.params, params.len()), ("inputs", self.inputs, inputs.len())] {
            if want != got {
                return Err(EngineError::Signature(format!("the program takes {want} {what}, {got} given")));
            }
        }
        for index in 0..self.steps.len() {
            let step = self.steps[index];
            if step.truth_args || is_comparison(step.op) {
                let t = self.truth_step(&step, params, inputs)?;
                self.truths[step.dst] = t;
            } else {
                let t = self.number_step(&step, params, inputs)?;
                self.slots[step.dst] = t;
            }
        }
        out.clear();
        out.extend(self.outputs.iter().map(|&p| self.get(p, params, inputs).clone()));
        Ok(())
    }

    fn get<'a>(&'a self, place: Place, params: &'a [T], inputs: &'a [T]) -> &'a T {
        match place {
            Place::Input(i) => &inputs[i],
            Place::Param(i) => &params[i],
            Place::Const(i) => &self.consts[i],
            Place::Slot(i) => &self.slots[i],
            Place::Truth(_) => unreachable!("types were checked when the plan was made"),
        }
    }

    fn truth(&self, place: Place) -> bool {
        match place {
            Place::Truth(i) => self.truths[i],
            _ => unreachable!("types were checked when the plan was made"),
        }
    }

    fn truth_step(&self, step: &Step, params: &[T], inputs: &[T]) -> Result<bool, EngineError> {
        if step.truth_args {
            let t = |i: usize| self.truth(step.args[i]);
            return Ok(match step.op {
                Op::Eq => t(0) == t(1),
                Op::Ne | Op::Xor => t(0) != t(1),
                Op::And => t(0) & t(1),
                Op::Or => t(0) | t(1),
                Op::Not => !t(0),
                Op::Select => {
                    if t(0) {
                        t(1)
                    } else {
                        t(2)
                    }
                }
                op => unreachable!("`{}` is not typed on bool", op.name()),
            });
        }
        let (a, b) = (self.get(step.args[0], params, inputs), self.get(step.args[1], params, inputs));
        let decided = match step.op {
            Op::Lt => a.less(b),
            Op::Gt => b.less(a),
            Op::Ge => a.less(b).map(|t| !t),
            Op::Le => b.less(a).map(|t| !t),
            Op::Eq => equal(a, b),
            Op::Ne => equal(a, b).map(|t| !t),
            op => unreachable!("`{}` is not a comparison", op.name()),
        };
        decided.ok_or_else(|| undecided(step.op))
    }

    fn number_step(&self, step: &Step, params: &[T], inputs: &[T]) -> Result<T, EngineError> {
        let op = step.op;
        if op == Op::Select {
            let chosen = if self.truth(step.args[0]) { step.args[1] } else { step.args[2] };
            return Ok(self.get(chosen, params, inputs).clone());
        }
        let [a, b, c] = step.args.map(|p| self.get(p, params, inputs));
        let decided = match op {
            Op::Add => Some(a.add(b)),
            Op::Sub => Some(a.sub(b)),
            Op::Mul => Some(a.mul(b)),
            Op::Div => Some(a.div(b)),
            Op::Fma => Some(a.fma(b, c)),
            Op::Neg => Some(a.neg()),
            Op::Abs => Some(a.abs()),
            Op::Min => a.min(b),
            Op::Max => a.max(b),
            Op::Sqrt => Some(a.sqrt()),
            Op::Floor => Some(a.floor()),
            Op::Ceil => Some(a.neg().floor().neg()),
            Op::Trunc => a.less(&self.zero).map(|t| if t { a.neg().floor().neg() } else { a.floor() }),
            Op::RoundEven => self.round_even(a),
            Op::Sign => self.sign(a),
            Op::CopySign => b.less(&self.zero).map(|t| if t { a.abs().neg() } else { a.abs() }),
            op => unreachable!("`{}` is refused when the plan is made", op.name()),
        };
        decided.ok_or_else(|| undecided(op))
    }

    /// `floor(a + 1/2)`, less one where that was a tie and is odd.
    fn round_even(&self, a: &T) -> Option<T> {
        let shifted = a.add(&self.half);
        let up = shifted.floor();
        if !equal(&up, &shifted)? {
            return Some(up);
        }
        let halved = up.mul(&self.half);
        let even = equal(&halved.floor(), &halved)?;
        Some(if even { up } else { up.sub(&self.one) })
    }

    fn sign(&self, a: &T) -> Option<T> {
        Some(if self.zero.less(a)? {
            self.one.clone()
        } else if a.less(&self.zero)? {
            self.one.neg()
        } else {
            self.zero.clone()
        })
    }
}

fn is_comparison(op: Op) -> bool {
    matches!(op, Op::Eq | Op::Ne | Op::Lt | Op::Le | Op::Gt | Op::Ge)
}

fn equal<T: Number>(a: &T, b: &T) -> Option<bool> {
    Some(!a.less(b)? && !b.less(a)?)
}

fn unsupported(what: String) -> EngineError {
    EngineError::Unsupported { engine: "real evaluator", what }
}

fn undecided(op: Op) -> EngineError {
    unsupported(format!("`{}` at a point where the number type cannot decide it", op.name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unary(op: Op, x: f64) -> Result<f64, EngineError> {
        let mut p = Program::new("t");
        let v = p.input("x", Type::Real);
        let y = p.must(op, &[v]);
        p.output(y);
        eval(&p, &[], &[x], &0.0).map(|v| v[0])
    }

    #[test]
    fn rounding_to_integers() {
        for (x, floor, ceil, trunc, even) in [
            (2.5, 2.0, 3.0, 2.0, 2.0),
            (3.5, 3.0, 4.0, 3.0, 4.0),
            (-2.5, -3.0, -2.0, -2.0, -2.0),
            (-1.5, -2.0, -1.0, -1.0, -2.0),
            (0.5, 0.0, 1.0, 0.0, 0.0),
            (-0.75, -1.0, 0.0, 0.0, -1.0),
            (7.0, 7.0, 7.0, 7.0, 7.0),
        ] {
            for (op, want) in [(Op::Floor, floor), (Op::Ceil, ceil), (Op::Trunc, trunc), (Op::RoundEven, even)] {
                assert_eq!(unary(op, x).unwrap(), want, "{} {x}", op.name());
            }
        }
        assert_eq!(unary(Op::Sign, -3.0).unwrap(), -1.0);
        assert_eq!(unary(Op::Sign, 0.0).unwrap(), 0.0);
    }

    #[test]
    fn floats_are_reals_and_choices_are_made() {
        let mut p = Program::new("t");
        let x = p.input("x", Type::F32);
        let tenth = p.lit(Literal::F32(0.1));
        let wide = p.must(Op::Convert(Type::F64), &[x]);
        let c = p.param("c", Type::F64, None);
        let sum = p.must(Op::Add, &[wide, c]);
        let less = p.must(Op::Lt, &[x, tenth]);
        let not = p.must(Op::Not, &[less]);
        let wide_tenth = p.must(Op::Convert(Type::F64), &[tenth]);
        let y = p.must(Op::Select, &[not, sum, wide_tenth]);
        let m = p.must(Op::Max, &[y, c]);
        p.output(y);
        p.output(m);
        let mut plan = RealPlan::new(&p, &0.0f64).unwrap();
        let mut out = Vec::new();
        plan.eval_into(&[2.0], &[1.0], &mut out).unwrap();
        assert_eq!(out, [3.0, 3.0]);
        plan.eval_into(&[2.0], &[0.0], &mut out).unwrap();
        assert_eq!(out, [f64::from(0.1f32), 2.0]);
        let nan = plan.eval_into(&[2.0], &[f64::NAN], &mut out).unwrap_err();
        assert!(nan.to_string().contains("cannot decide"), "{nan}");
        assert!(matches!(plan.eval_into(&[], &[1.0], &mut out), Err(EngineError::Signature(_))));
    }

    #[test]
    fn integers_are_refused() {
        let mut p = Program::new("t");
        let x = p.input("x", Type::F32);
        let i = p.must(Op::Convert(Type::I32), &[x]);
        let y = p.must(Op::Convert(Type::F32), &[i]);
        p.output(y);
        assert!(matches!(eval(&p, &[], &[1.0], &0.0), Err(EngineError::Unsupported { .. })));
        p.set_outputs(vec![x]);
        assert_eq!(eval(&p, &[], &[1.0], &0.0).unwrap(), [1.0], "dead integer nodes do not matter");
    }
}
