//! The function around the operations: pointers, constants, one loop over the rows.
//!
//! Values that do not change from row to row are computed once in front of the loop, in scalar form, and spread over
//! lanes there where a vector needs them. The loop handles `step` rows per iteration. There is no remainder loop: the
//! last iteration moves back so that it ends with the last row, and rows that two iterations share are computed twice
//! with the same result. Calls with fewer rows than one step go through padded columns (see [`crate::Kernel::call`]).

use crate::abi::size;
use crate::lower::{CAST, Form, Operand, Ops, TableAt, scalar};
use crate::shape::Shape;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, AbiParam, BlockArg, InstBuilder, MemFlagsData, types};
use cranelift_codegen::isa::TargetFrontendConfig;
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use mathsmith_ir::{Node, Op, Program, Type, Value};

/// The parameters of [`crate::abi::Entry`].
pub(crate) fn signature(config: TargetFrontendConfig) -> ir::Signature {
    let mut signature = ir::Signature::new(config.default_call_conv);
    signature.params = vec![AbiParam::new(types::I64); 5];
    signature
}

/// Writes the kernel of `program` into `func`, whose signature is [`signature`].
pub(crate) fn build(
    program: &Program,
    shape: &Shape,
    config: TargetFrontendConfig,
    func: &mut ir::Function,
    scratch: &mut FunctionBuilderContext,
) {
    let count = program.nodes().len();
    let form = if shape.lanes == 1 { Form::Scalar } else { Form::Vector { lanes: shape.lanes as u8 } };
    let mut frame = Frame {
        b: FunctionBuilder::new(func, scratch),
        program,
        shape,
        form,
        inputs: vec![None; program.inputs().len()],
        tables: vec![None; program.tables().len()],
        scalars: vec![None; count],
        spread: vec![None; count],
    };
    frame.write();
    frame.b.finalize(config);
}

struct Frame<'a, 'f> {
    b: FunctionBuilder<'f>,
    program: &'a Program,
    shape: &'a Shape,
    form: Form,
    /// Base addresses of the input columns in use.
    inputs: Vec<Option<ir::Value>>,
    tables: Vec<Option<TableAt>>,
    /// Uniform values in scalar form.
    scalars: Vec<Option<ir::Value>>,
    /// Uniform values in the form of the loop's body.
    spread: Vec<Option<ir::Value>>,
}

impl Frame<'_, '_> {
    fn write(&mut self) {
        let entry = self.b.create_block();
        self.b.append_block_params_for_function_params(entry);
        self.b.switch_to_block(entry);
        let &[inputs, outputs, params, tables, rows] = self.b.block_params(entry) else {
            unreachable!("the signature has five parameters")
        };
        self.load_pointers(inputs, tables);
        let outputs: Vec<ir::Value> = (0..self.program.outputs().len()).map(|i| self.pointer(outputs, i)).collect();
        self.uniform_values(params);
        self.spread_values();

        let step = self.shape.step();
        let last = self.b.ins().iadd_imm_s(rows, -(step as i64));
        let first = self.b.ins().iconst(types::I64, 0);
        let (body, exit) = (self.b.create_block(), self.b.create_block());
        self.b.ins().jump(body, &[BlockArg::Value(first)]);

        let row = self.b.append_block_param(body, types::I64);
        self.b.switch_to_block(body);
        for copy in 0..self.shape.unroll {
            self.rows(row, copy * self.shape.lanes, &outputs);
        }
        let after = self.b.ins().iadd_imm_s(row, step as i64);
        let next = self.b.ins().umin(after, last);
        let more = self.b.ins().icmp(IntCC::UnsignedLessThan, row, last);
        self.b.ins().brif(more, body, &[BlockArg::Value(next)], exit, &[]);

        self.b.switch_to_block(exit);
        self.b.ins().return_(&[]);
        self.b.seal_all_blocks();
    }

    fn pointer(&mut self, array: ir::Value, index: usize) -> ir::Value {
        self.b.ins().load(types::I64, MemFlagsData::trusted(), array, 8 * index as i32)
    }

    /// Addresses of the columns and tables that the program uses.
    fn load_pointers(&mut self, inputs: ir::Value, tables: ir::Value) {
        for v in self.program.values().filter(|v| self.shape.live[v.index()]) {
            match self.program.node(v) {
                Node::Input(i) => self.inputs[i as usize] = Some(self.pointer(inputs, i as usize)),
                Node::Op(Op::Table(t), _) if self.tables[t as usize].is_none() => {
                    let base = self.pointer(tables, t as usize);
                    let table = &self.program.tables()[t as usize];
                    self.tables[t as usize] = Some(TableAt { base, len: table.values.len(), ty: table.ty });
                }
                _ => {}
            }
        }
    }

    /// Computes the values that are the same in every row.
    fn uniform_values(&mut self, params: ir::Value) {
        for v in self.program.values() {
            if !(self.shape.live[v.index()] && self.shape.uniform[v.index()]) {
                continue;
            }
            let ty = self.program.ty(v);
            let value = match self.program.node(v) {
                Node::Param(i) => self.b.ins().load(scalar(ty), MemFlagsData::trusted(), params, 8 * i as i32),
                Node::Lit(literal) => Ops { b: &mut self.b, form: Form::Scalar }.literal(literal),
                Node::Op(op, _) => {
                    let args = self.scalar_args(v);
                    let table = self.table_of(op);
                    Ops { b: &mut self.b, form: Form::Scalar }.emit(op, ty, &args, table)
                }
                Node::Input(_) => unreachable!("inputs change from row to row"),
            };
            self.scalars[v.index()] = Some(value);
        }
    }

    fn scalar_args(&self, v: Value) -> Vec<Operand> {
        let node = self.program.node(v);
        node.args().iter().map(|&a| self.scalar_operand(a)).collect()
    }

    fn scalar_operand(&self, v: Value) -> Operand {
        let value = self.scalars[v.index()].expect("uniform arguments come before their users");
        Operand { value, ty: self.program.ty(v) }
    }

    fn table_of(&self, op: Op) -> Option<TableAt> {
        match op {
            Op::Table(t) => self.tables[t as usize],
            _ => None,
        }
    }

    /// Puts uniform values that the loop uses into the form of its body.
    fn spread_values(&mut self) {
        let program = self.program;
        for v in program.values().filter(|v| self.shape.live[v.index()] && !self.shape.uniform[v.index()]) {
            let node = program.node(v);
            for (place, &a) in node.args().iter().enumerate() {
                if !self.scalar_place(v, place) {
                    self.spread(a);
                }
            }
        }
        for &v in program.outputs() {
            self.spread(v);
        }
    }

    fn spread(&mut self, v: Value) {
        if !self.shape.uniform[v.index()] || self.spread[v.index()].is_some() {
            return;
        }
        let x = self.scalar_operand(v);
        let value = match self.form {
            Form::Scalar => x.value,
            form => Ops { b: &mut self.b, form }.splat(x),
        };
        self.spread[v.index()] = Some(value);
    }

    /// Whether argument `place` of the operation at `v` stays scalar in vector code: the count of a shift.
    fn scalar_place(&self, v: Value, place: usize) -> bool {
        match self.program.node(v) {
            Node::Op(op @ (Op::Shl | Op::Shr | Op::ShrLogical), _) => {
                place == 1 && self.form != Form::Scalar && !self.shape.by_lane(self.program, v, op)
            }
            _ => false,
        }
    }

    /// The operations for the rows from `row + offset` on, as many as there are lanes.
    fn rows(&mut self, row: ir::Value, offset: usize, outputs: &[ir::Value]) {
        let program = self.program;
        let mut values = self.spread.clone();
        for v in program.values().filter(|v| self.shape.live[v.index()] && !self.shape.uniform[v.index()]) {
            let ty = program.ty(v);
            let value = match program.node(v) {
                Node::Input(i) => {
                    let base = self.inputs[i as usize].expect("the column of a live input");
                    self.load(base, row, offset, ty)
                }
                Node::Op(op, _) => {
                    let args = self.args(v, op, &values);
                    let by_lane = self.form != Form::Scalar && self.shape.by_lane(program, v, op);
                    let table = self.table_of(op);
                    let mut ops = Ops { b: &mut self.b, form: self.form };
                    if by_lane { ops.emit_by_lane(op, ty, &args, table) } else { ops.emit(op, ty, &args, table) }
                }
                Node::Param(_) | Node::Lit(_) => unreachable!("constants are uniform"),
            };
            values[v.index()] = Some(value);
        }
        for (&v, &base) in program.outputs().iter().zip(outputs) {
            let value = values[v.index()].expect("outputs are computed");
            self.store(base, row, offset, program.ty(v), value);
        }
    }

    /// The operands of the operation at `v` in the loop's body, given the values of the current rows.
    fn args(&self, v: Value, op: Op, values: &[Option<ir::Value>]) -> Vec<Operand> {
        let node = self.program.node(v);
        let operand = |(place, &a): (usize, &Value)| {
            if self.scalar_place(v, place) {
                return self.scalar_operand(a);
            }
            let value = values[a.index()].expect("arguments come before their users");
            Operand { value, ty: self.program.ty(a) }
        };
        let mut args: Vec<Operand> = node.args().iter().enumerate().map(operand).collect();
        // The machine overwrites the first factor, so that one should not be needed again: uniform values are, and of
        // two others the later one less often.
        if op == Op::Fma && !self.shape.uniform[node.args()[1].index()] {
            args.swap(0, 1);
        }
        args
    }

    /// Address of row `row` of a column, and the distance in bytes from there to `offset` rows on.
    fn address(&mut self, base: ir::Value, row: ir::Value, offset: usize, ty: Type) -> (ir::Value, i32) {
        let bytes = size(ty);
        let scaled = if bytes == 1 { row } else { self.b.ins().ishl_imm_u(row, i64::from(bytes.trailing_zeros())) };
        (self.b.ins().iadd(base, scaled), (offset * bytes) as i32)
    }

    /// Loads one row, or one row per lane. Columns are aligned to their values only, not to vectors.
    fn load(&mut self, base: ir::Value, row: ir::Value, offset: usize, ty: Type) -> ir::Value {
        let flags = MemFlagsData::new().with_notrap();
        let (at, distance) = self.address(base, row, offset, ty);
        let to = self.form.clif(ty);
        let lanes = match self.form {
            Form::Vector { lanes } if ty == Type::Bool => lanes,
            _ => return self.b.ins().load(to, flags, at, distance),
        };
        let packed = match lanes {
            4 => self.b.ins().load(types::I32, flags, at, distance),
            _ => self.b.ins().uload16(types::I32, flags, at, distance),
        };
        let vector = self.b.ins().scalar_to_vector(types::I32X4, packed);
        let bytes = self.b.ins().bitcast(types::I8X16, CAST, vector);
        let mut wide = self.b.ins().uwiden_low(bytes);
        while self.b.func.dfg.value_type(wide) != to {
            wide = self.b.ins().uwiden_low(wide);
        }
        self.b.ins().ineg(wide)
    }

    /// Stores one row, or one row per lane.
    fn store(&mut self, base: ir::Value, row: ir::Value, offset: usize, ty: Type, value: ir::Value) {
        let flags = MemFlagsData::new().with_notrap();
        let (at, distance) = self.address(base, row, offset, ty);
        match self.form {
            Form::Vector { lanes: 4 } if ty == Type::Bool => {
                let halves = self.b.ins().snarrow(value, value);
                let bytes = self.b.ins().snarrow(halves, halves);
                let vector = self.b.ins().bitcast(types::I32X4, CAST, bytes);
                let packed = self.b.ins().extractlane(vector, 0);
                let truths = self.b.ins().band_imm_u(packed, 0x0101_0101);
                self.b.ins().store(flags, truths, at, distance);
            }
            Form::Vector { lanes } if ty == Type::Bool => {
                for lane in 0..lanes {
                    let mask = self.b.ins().extractlane(value, lane);
                    let truth = self.b.ins().band_imm_u(mask, 1);
                    self.b.ins().istore8(flags, truth, at, distance + i32::from(lane));
                }
            }
            _ => {
                self.b.ins().store(flags, value, at, distance);
            }
        }
    }
}
