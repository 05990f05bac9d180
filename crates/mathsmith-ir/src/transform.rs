//! Passes that keep the meaning of a program or change its types.

use crate::{BuildError, EngineError, Literal, NO_VALUE, Node, Op, Program, Type, Value, interp, verify};

impl Program {
    /// The program with every operation on literals alone replaced by its value, as the interpreter defines it, and with
    /// dead nodes dropped. Operations on `real` are left alone: their values are seldom literals.
    ///
    /// An operation whose result is NaN is left alone too, and so is what depends on the bits of that NaN: they are not
    /// defined, so no literal is its value.
    pub fn folded(&self) -> Program {
        let nodes = self.nodes();
        let mut constant = vec![false; nodes.len()];
        for v in self.values() {
            constant[v.index()] = match self.node(v) {
                Node::Lit(_) => self.ty(v) != Type::Real,
                // A reduction of a constant depends on the number of rows.
                Node::Op(op, _) if op.is_reduction() => false,
                Node::Op(..) => self.ty(v) != Type::Real && self.node(v).args().iter().all(|a| constant[a.index()]),
                _ => false,
            };
        }
        let wanted: Vec<Value> =
            self.values().filter(|v| constant[v.index()] && matches!(self.node(*v), Node::Op(..))).collect();
        if wanted.is_empty() {
            return self.compacted();
        }
        let values = self.constant_values(&wanted).expect("literals of machine types are all that is computed");
        let mut known = vec![None; nodes.len()];
        // Nodes whose value is NaN, and nodes whose value depends on the bits of one.
        let (mut nan, mut undefined) = (vec![false; nodes.len()], vec![false; nodes.len()]);
        for (&v, value) in wanted.iter().zip(values) {
            let i = v.index();
            let node = self.node(v);
            let reads_bits = matches!(node, Node::Op(Op::Bitcast(_) | Op::CopySign, _));
            undefined[i] = node.args().iter().any(|a| undefined[a.index()] || (reads_bits && nan[a.index()]));
            nan[i] = value.to_f64().is_some_and(f64::is_nan);
            known[i] = if nan[i] || undefined[i] { None } else { Some(value) };
        }
        self.rebuilt(|_, v| known[v.index()]).expect("a literal of the same type stands for each folded node")
    }

    /// Values of nodes that depend on no input and no parameter.
    fn constant_values(&self, wanted: &[Value]) -> Result<Vec<Literal>, EngineError> {
        let params: Vec<Literal> = self.params().iter().map(|p| Literal::zero(p.ty)).collect();
        let inputs: Vec<Literal> = self.inputs().iter().map(|i| Literal::zero(i.ty)).collect();
        interp::values_at(self, &params, &inputs, wanted)
    }

    /// A copy without dead nodes in which some nodes became literals.
    fn rebuilt(&self, literal: impl Fn(&Program, Value) -> Option<Literal>) -> Result<Program, BuildError> {
        self.mapped(|ty| ty, |l| l, literal).map(|p| p.compacted())
    }

    /// The program with every `from` replaced by `to`: inputs, parameters and their values, tables, literals (rounded
    /// once, or exact towards a wider type). A conversion that then has one type on both sides is dropped. This turns a
    /// `real` skeleton into an `f32` one, and an `f32` program into an `f64` one.
    ///
    /// # Errors
    /// [`BuildError`] if an operation is not defined on the new types, such as a bit cast of what became an `f64`.
    pub fn convert_type(&self, from: Type, to: Type) -> Result<Program, BuildError> {
        let change = |ty: Type| if ty == from { to } else { ty };
        self.mapped(change, |l| if l.ty() == from { convert_literal(l, to) } else { l }, |_, _| None)
    }

    /// The program over `real` that a float program approximates: every `f32` and `f64` becomes `real`, conversions
    /// between them are dropped.
    ///
    /// # Errors
    /// [`BuildError`] if a node converts or casts between floats and integers, which has no counterpart on reals.
    pub fn to_real(&self) -> Result<Program, BuildError> {
        let change = |ty: Type| if ty.is_float() { Type::Real } else { ty };
        self.mapped(change, |l| if l.ty().is_float() { convert_literal(l, Type::Real) } else { l }, |_, _| None)
    }

    /// A copy node by node, with types and literals changed, and nodes replaced by literals.
    fn mapped(
        &self,
        ty: impl Fn(Type) -> Type,
        literal: impl Fn(Literal) -> Literal,
        replaced: impl Fn(&Program, Value) -> Option<Literal>,
    ) -> Result<Program, BuildError> {
        let mut out = Program::new(self.name());
        for table in self.tables() {
            out.table(table.values.iter().map(|&l| literal(l)).collect());
        }
        let mut map = vec![NO_VALUE; self.nodes().len()];
        for v in self.values() {
            if let Some(l) = replaced(self, v) {
                map[v.index()] = out.lit(l);
                continue;
            }
            let node = self.node(v);
            map[v.index()] = match node {
                Node::Input(k) => {
                    let input = &self.inputs()[k as usize];
                    out.input(input.name.clone(), ty(input.ty))
                }
                Node::Param(k) => {
                    let p = &self.params()[k as usize];
                    out.param(p.name.clone(), ty(p.ty), p.value.map(&literal))
                }
                Node::Lit(l) => out.lit(literal(l)),
                Node::Op(op, _) => {
                    let args: Vec<Value> = node.args().iter().map(|a| map[a.index()]).collect();
                    match op {
                        Op::Convert(target) if out.ty(args[0]) == ty(target) => args[0],
                        Op::Convert(target) => out.op(Op::Convert(ty(target)), &args)?,
                        Op::Bitcast(target) => out.op(Op::Bitcast(ty(target)), &args)?,
                        op => out.op(op, &args)?,
                    }
                }
            };
        }
        out.set_outputs(self.outputs().iter().map(|v| map[v.index()]).collect());
        debug_assert_eq!(verify::check(&out), Ok(()));
        Ok(out)
    }
}

/// A literal as another type: floats are rounded once; between floats and integers as [`Op::Convert`] does it; towards
/// or from `bool` the literal is unchanged, which the operations that use it then refuse.
fn convert_literal(l: Literal, to: Type) -> Literal {
    let nearest = |x: f64| Literal::float(to, x);
    let converted = match (l, to) {
        (Literal::Real(r), Type::F32) => Some(Literal::F32(r.to_f32())),
        (Literal::F32(_) | Literal::F64(_) | Literal::Real(_), t) if t.is_float() => l.to_f64().and_then(nearest),
        (Literal::I32(x), t) if t.is_float() => nearest(f64::from(x)),
        (Literal::I32(x), Type::I64) => Some(Literal::I64(i64::from(x))),
        (Literal::I64(x), Type::I32) => Some(Literal::I32(x as i32)),
        (Literal::I64(x), Type::F32) => Some(Literal::F32(x as f32)),
        (Literal::I64(x), Type::F64) => Some(Literal::F64(x as f64)),
        (_, Type::I32) => l.to_f64().map(|x| Literal::I32(x as i32)),
        (_, Type::I64) => l.to_f64().map(|x| Literal::I64(x as i64)),
        _ => None,
    };
    converted.unwrap_or(l)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{self, SplitMix};
    use crate::{RealLit, corpus};

    fn parse(text: &str) -> Program {
        text.parse().unwrap_or_else(|e| panic!("{e}\n{text}"))
    }

    #[test]
    fn folding_keeps_every_bit() {
        let mut rng = SplitMix::new(11);
        let mut folded_nodes = 0;
        for seed in 0..400 {
            let types = [Type::F32, Type::F64, Type::I32, Type::I64, Type::Bool];
            let p = match seed % 4 {
                0 => sample::program_with(seed, &types, 25, &Op::ELEMENTARY),
                _ => sample::program(seed, &types, 25),
            };
            let f = p.folded();
            assert_eq!(verify::check(&f), Ok(()), "{p}");
            folded_nodes += p.compacted().nodes().len() - f.nodes().len();
            assert_eq!(f.folded(), f, "{p}");
            // Inputs stay; parameters that folding made dead are gone.
            let literals = |q: &Program, rng: &mut SplitMix| -> Vec<Literal> {
                q.params().iter().map(|x| x.value.unwrap_or_else(|| sample::literal(rng, x.ty))).collect()
            };
            let mut bound = p.clone();
            for (k, l) in literals(&p, &mut rng).into_iter().enumerate() {
                bound.set_param(k, l);
            }
            let inputs: Vec<Literal> = p.inputs().iter().map(|x| sample::literal(&mut rng, x.ty)).collect();
            let at = |q: &Program| {
                let params: Vec<Literal> = q.params().iter().map(|x| x.value.expect("bound above")).collect();
                interp::values_at(q, &params, &inputs, q.outputs()).unwrap()
            };
            for (a, b) in at(&bound).into_iter().zip(at(&bound.folded())) {
                assert!(corpus::agree(a, b), "{bound}{}", bound.folded());
            }
        }
        assert!(folded_nodes > 100, "only {folded_nodes} nodes were folded: the test shows nothing");
    }

    #[test]
    fn folding_leaves_reals_and_nan() {
        let p = parse(
            "program f(x: real) -> (real, f32, f32) {
            a = add 1.0:real, 2.0:real
            b = mul a, x
            c = div 0.0:f32, 0.0:f32
            d = add 1.0:f32, 2.0:f32
            e = sqrt d
            return b, c, e
        }",
        );
        let f = p.folded();
        let text = f.to_string();
        assert!(text.contains("= add 0x1p+0:real, 0x1p+1:real") && text.contains("= div"), "{text}");
        let sign = parse(
            "program f() -> (f32, bool) {\n a = div 0.0:f32, 0.0:f32\n b = copysign 1.0, a\n d = lt a, 2.0\n return b, d\n}",
        );
        let text_of_sign = sign.folded().to_string();
        assert!(text_of_sign.contains("copysign") && text_of_sign.contains(", false"), "{text_of_sign}");
        assert!(text.contains(&format!("{}:f32\n", crate::text::literal_text(Literal::F32(3f32.sqrt())))), "{text}");
    }

    #[test]
    fn a_real_skeleton_becomes_f32_and_back() {
        let p = parse(
            "program f(x: real) -> (real) {
            param c: real = 0.1
            a = fma x, c, 0.3
            b = lt a, 1.0
            s = select b, a, x
            return s
        }",
        );
        let f = p.convert_type(Type::Real, Type::F32).unwrap();
        assert_eq!(f.inputs()[0].ty, Type::F32);
        assert_eq!(f.params()[0].value, Some(Literal::F32(0.1)));
        assert!(f.nodes().contains(&Node::Lit(Literal::F32(0.3))));
        assert_eq!(verify::check(&f), Ok(()));
        let back = f.to_real().unwrap();
        assert_eq!(back.params()[0].value, Some(Literal::Real(RealLit::new(f64::from(0.1f32)))));
        assert_eq!(back.nodes().len(), p.nodes().len());
        // Rounded once: the first double of this real is a tie of f32.
        let tie = Literal::Real(RealLit::from_sum([1.0 + 2f64.powi(-24), 1e-30, 0.0]));
        assert_eq!(convert_literal(tie, Type::F32), Literal::F32(1.0 + f32::EPSILON));
    }

    #[test]
    fn conversions_vanish_or_are_refused() {
        let p = parse(
            "program f(x: f32) -> (f64) {
            a = convert.f64 x
            b = mul a, 2.0
            return b
        }",
        );
        let q = p.convert_type(Type::F32, Type::F64).unwrap();
        assert_eq!(q.nodes().len(), 3, "{q}");
        assert_eq!(p.to_real().unwrap().nodes().len(), 3);
        let bits = parse("program f(x: f32) -> (i32) {\n a = bitcast.i32 x\n return a\n}");
        assert!(bits.convert_type(Type::F32, Type::F64).is_err());
        assert!(bits.to_real().is_err());
    }
}
