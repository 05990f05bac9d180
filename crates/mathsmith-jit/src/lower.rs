//! Lowering of single operations to Cranelift's IR, scalar or in 128-bit vectors.
//!
//! A `bool` is a byte 0 or 1 in scalar code; in vector code it is a mask, an integer lane of all zeros or all ones as
//! wide as the program's other lanes.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{self, Endianness, InstBuilder, MemFlagsData, types};
use cranelift_frontend::FunctionBuilder;
use mathsmith_ir::{Literal, Op, Type};

/// How the values of a piece of code are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// One row per value.
    Scalar,
    /// Four rows of 32 bits, or two rows of 64 bits per value.
    Vector {
        /// 4 or 2.
        lanes: u8,
    },
}

impl Form {
    /// Cranelift's type for a value of type `ty`.
    pub fn clif(self, ty: Type) -> ir::Type {
        match (self, ty) {
            (Form::Scalar, Type::Bool) => types::I8,
            (Form::Scalar, ty) => scalar(ty),
            (Form::Vector { lanes: 4 }, Type::F32) => types::F32X4,
            (Form::Vector { lanes: 4 }, _) => types::I32X4,
            (Form::Vector { .. }, Type::F64 | Type::Real) => types::F64X2,
            (Form::Vector { .. }, _) => types::I64X2,
        }
    }

    /// The integer type of the same width, which comparisons of vectors yield.
    fn mask(self) -> ir::Type {
        self.clif(Type::Bool)
    }
}

/// The register type of a single value.
pub(crate) fn scalar(ty: Type) -> ir::Type {
    match ty {
        Type::F32 => types::F32,
        Type::F64 | Type::Real => types::F64,
        Type::I32 => types::I32,
        Type::I64 => types::I64,
        Type::Bool => types::I8,
    }
}

/// A typed operand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operand {
    pub value: ir::Value,
    pub ty: Type,
}

/// A constant table as the generated code sees it: one 64-bit word per entry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TableAt {
    pub base: ir::Value,
    pub len: usize,
    pub ty: Type,
}

/// Vectors of other lanes are the same bits in little-endian order.
pub(crate) const CAST: MemFlagsData = MemFlagsData::new().with_endianness(Endianness::Little);

/// Emits operations at the builder's position.
pub(crate) struct Ops<'a, 'f> {
    pub b: &'a mut FunctionBuilder<'f>,
    pub form: Form,
}

impl Ops<'_, '_> {
    /// A literal in scalar form.
    pub fn literal(&mut self, literal: Literal) -> ir::Value {
        match literal {
            Literal::F32(x) => self.b.ins().f32const(ir::immediates::Ieee32::with_bits(x.to_bits())),
            Literal::F64(x) => self.b.ins().f64const(ir::immediates::Ieee64::with_bits(x.to_bits())),
            Literal::Real(r) => self.b.ins().f64const(ir::immediates::Ieee64::with_bits(r.to_f64().to_bits())),
            Literal::I32(x) => self.b.ins().iconst(types::I32, i64::from(x as u32)),
            Literal::I64(x) => self.b.ins().iconst(types::I64, x),
            Literal::Bool(x) => self.b.ins().iconst(types::I8, i64::from(x)),
        }
    }

    /// A scalar value in every lane.
    pub fn splat(&mut self, x: Operand) -> ir::Value {
        let to = self.form.clif(x.ty);
        if x.ty == Type::Bool {
            let mask = self.lane_mask(x.value);
            return self.b.ins().splat(to, mask);
        }
        self.b.ins().splat(to, x.value)
    }

    /// A scalar `bool` as one lane of a vector: zero or all ones.
    fn lane_mask(&mut self, truth: ir::Value) -> ir::Value {
        let lane = self.form.mask().lane_type();
        let wide = self.b.ins().uextend(lane, truth);
        self.b.ins().ineg(wide)
    }

    /// `op` on arguments that are all in this form, except that the count of a vector shift is scalar.
    ///
    /// `result` is the operation's result type; `table` describes the table of [`Op::Table`], which is scalar only.
    pub fn emit(&mut self, op: Op, result: Type, args: &[Operand], table: Option<TableAt>) -> ir::Value {
        let a = args[0].value;
        let ty = args[0].ty;
        let float = ty.is_float();
        match (op, args) {
            (Op::Add, [_, b]) if float => self.b.ins().fadd(a, b.value),
            (Op::Add, [_, b]) => self.b.ins().iadd(a, b.value),
            (Op::Sub, [_, b]) if float => self.b.ins().fsub(a, b.value),
            (Op::Sub, [_, b]) => self.b.ins().isub(a, b.value),
            (Op::Mul, [_, b]) if float => self.b.ins().fmul(a, b.value),
            (Op::Mul, [_, b]) => self.b.ins().imul(a, b.value),
            (Op::Div, [_, b]) => self.b.ins().fdiv(a, b.value),
            (Op::Fma, [_, b, c]) => self.b.ins().fma(a, b.value, c.value),
            (Op::Neg, _) if float => self.b.ins().fneg(a),
            (Op::Neg, _) => self.b.ins().ineg(a),
            (Op::Abs, _) if float => self.b.ins().fabs(a),
            (Op::Abs, _) => self.b.ins().iabs(a),
            (Op::Min, [_, b]) => {
                let less = self.compare(Op::Lt, ty, a, b.value);
                self.choose(ty, less, a, b.value)
            }
            (Op::Max, [_, b]) => {
                let less = self.compare(Op::Lt, ty, b.value, a);
                self.choose(ty, less, a, b.value)
            }
            (Op::Sqrt, _) => self.b.ins().sqrt(a),
            (Op::Sign, _) => self.sign(ty, a),
            (Op::Floor, _) => self.b.ins().floor(a),
            (Op::Ceil, _) => self.b.ins().ceil(a),
            (Op::RoundEven, _) => self.b.ins().nearest(a),
            (Op::Trunc, _) => self.b.ins().trunc(a),
            (Op::CopySign, [_, b]) => self.copysign(ty, a, b.value),
            (Op::Eq | Op::Ne | Op::Lt | Op::Le | Op::Gt | Op::Ge, [_, b]) => self.compare(op, ty, a, b.value),
            (Op::Select, [_, x, y]) => self.choose(result, a, x.value, y.value),
            (Op::Convert(to), _) => self.convert(ty, to, a),
            (Op::Bitcast(to), _) => {
                let to = self.form.clif(to);
                self.b.ins().bitcast(to, CAST, a)
            }
            (Op::And, [_, b]) => self.b.ins().band(a, b.value),
            (Op::Or, [_, b]) => self.b.ins().bor(a, b.value),
            (Op::Xor, [_, b]) => self.b.ins().bxor(a, b.value),
            (Op::Not, _) if ty == Type::Bool && self.form == Form::Scalar => self.b.ins().bxor_imm_u(a, 1),
            (Op::Not, _) => self.b.ins().bnot(a),
            // Cranelift's shifts take the count modulo the width of a lane, as ours do.
            (Op::Shl, [_, b]) => self.b.ins().ishl(a, b.value),
            (Op::Shr, [_, b]) => self.b.ins().sshr(a, b.value),
            (Op::ShrLogical, [_, b]) => self.b.ins().ushr(a, b.value),
            (Op::Table(_), _) => self.lookup(table.expect("a table operation comes with its table"), ty, a),
            (op, args) => unreachable!("`{}` with {} arguments passed the type rules", op.name(), args.len()),
        }
    }

    /// `op` lane by lane, for operations without a vector form. `args` are vectors of `lanes` lanes.
    pub fn emit_by_lane(&mut self, op: Op, result: Type, args: &[Operand], table: Option<TableAt>) -> ir::Value {
        let Form::Vector { lanes } = self.form else { return self.emit(op, result, args, table) };
        let to = self.form.clif(result);
        let mut whole = None;
        for lane in 0..lanes {
            let mut single = Vec::with_capacity(args.len());
            for x in args {
                single.push(Operand { value: self.b.ins().extractlane(x.value, lane), ty: x.ty });
            }
            let mut one = Ops { b: &mut *self.b, form: Form::Scalar }.emit(op, result, &single, table);
            if result == Type::Bool {
                one = self.lane_mask(one);
            }
            whole = Some(match whole {
                None => self.b.ins().scalar_to_vector(to, one),
                Some(vector) => self.b.ins().insertlane(vector, one, lane),
            });
        }
        whole.expect("a vector has lanes")
    }

    /// A comparison; its result is a `bool` of this form.
    fn compare(&mut self, op: Op, ty: Type, a: ir::Value, b: ir::Value) -> ir::Value {
        if ty.is_float() {
            let cc = match op {
                Op::Eq => FloatCC::Equal,
                Op::Ne => FloatCC::NotEqual,
                Op::Lt => FloatCC::LessThan,
                Op::Le => FloatCC::LessThanOrEqual,
                Op::Gt => FloatCC::GreaterThan,
                _ => FloatCC::GreaterThanOrEqual,
            };
            return self.b.ins().fcmp(cc, a, b);
        }
        let cc = match op {
            Op::Eq => IntCC::Equal,
            Op::Ne => IntCC::NotEqual,
            Op::Lt => IntCC::SignedLessThan,
            Op::Le => IntCC::SignedLessThanOrEqual,
            Op::Gt => IntCC::SignedGreaterThan,
            _ => IntCC::SignedGreaterThanOrEqual,
        };
        self.b.ins().icmp(cc, a, b)
    }

    /// `condition ? a : b` for values of type `ty`.
    ///
    /// Applied to `a < b` this is one `minss` or `vminps`; Cranelift's own `fmin` orders zeros and spreads NaN.
    fn choose(&mut self, ty: Type, condition: ir::Value, a: ir::Value, b: ir::Value) -> ir::Value {
        if self.form == Form::Scalar {
            return self.b.ins().select(condition, a, b);
        }
        let to = self.form.clif(ty);
        let condition = self.cast(to, condition);
        self.b.ins().bitselect(condition, a, b)
    }

    /// The bits of a vector as another type of equal width.
    fn cast(&mut self, to: ir::Type, x: ir::Value) -> ir::Value {
        if self.b.func.dfg.value_type(x) == to { x } else { self.b.ins().bitcast(to, CAST, x) }
    }

    /// -1 or 1 by the sign of a nonzero number, the argument itself where it is a zero or NaN.
    fn sign(&mut self, ty: Type, a: ir::Value) -> ir::Value {
        let (one, zero) = (self.constant(ty, 1.0), self.constant(ty, 0.0));
        let signed_one = self.copysign(ty, one, a);
        let magnitude = self.b.ins().fabs(a);
        let nonzero = self.b.ins().fcmp(FloatCC::LessThan, zero, magnitude);
        self.choose(ty, nonzero, signed_one, a)
    }

    /// A small integral constant in every lane.
    fn constant(&mut self, ty: Type, x: f32) -> ir::Value {
        let literal = if ty == Type::F32 { Literal::F32(x) } else { Literal::F64(f64::from(x)) };
        let value = self.literal(literal);
        if self.form == Form::Scalar { value } else { self.splat(Operand { value, ty }) }
    }

    fn copysign(&mut self, ty: Type, a: ir::Value, b: ir::Value) -> ir::Value {
        if self.form == Form::Scalar {
            return self.b.ins().fcopysign(a, b);
        }
        let mask = self.form.mask();
        let bits = if ty == Type::F32 { i64::from(1_u32 << 31) } else { i64::MIN };
        let bit = self.b.ins().iconst(mask.lane_type(), bits);
        let signs = self.b.ins().splat(mask, bit);
        let (a, b) = (self.cast(mask, a), self.cast(mask, b));
        let joined = self.b.ins().bitselect(signs, b, a);
        let to = self.form.clif(ty);
        self.cast(to, joined)
    }

    fn convert(&mut self, from: Type, to: Type, a: ir::Value) -> ir::Value {
        let target = self.form.clif(to);
        match (from, to) {
            (Type::F32, Type::F64) => self.b.ins().fpromote(target, a),
            (Type::F64, Type::F32) => self.b.ins().fdemote(target, a),
            (Type::I32, Type::I64) => self.b.ins().sextend(target, a),
            (Type::I64, Type::I32) => self.b.ins().ireduce(target, a),
            (Type::F32 | Type::F64, _) => self.b.ins().fcvt_to_sint_sat(target, a),
            _ => self.b.ins().fcvt_from_sint(target, a),
        }
    }

    /// The table's entry at index `at`, clamped to the table's ends.
    fn lookup(&mut self, table: TableAt, ty: Type, at: ir::Value) -> ir::Value {
        let wide = if ty == Type::I32 { self.b.ins().sextend(types::I64, at) } else { at };
        let (first, last) = (self.b.ins().iconst(types::I64, 0), self.b.ins().iconst(types::I64, table.len as i64 - 1));
        let above = self.b.ins().smax(wide, first);
        let index = self.b.ins().smin(above, last);
        let offset = self.b.ins().ishl_imm_u(index, 3);
        let address = self.b.ins().iadd(table.base, offset);
        self.b.ins().load(scalar(table.ty), MemFlagsData::trusted().with_readonly(), address, 0)
    }
}
