//! Shape of a kernel: how many rows one step handles, and which values do not change from row to row.

use crate::unsupported;
use mathsmith_ir::{EngineError, Node, Op, Program, Type, Value};

/// How many rows an operation of a kernel handles at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lanes {
    /// One row per operation.
    Scalar,
    /// One 128-bit register per operation: four rows of 32-bit values or two rows of 64-bit values.
    Simd128,
    /// `Simd128` where the program fits into lanes of one width and most of its operations have a vector form,
    /// otherwise `Scalar`.
    Auto,
}

/// The most live values of a kernel. A register spilled takes 16 bytes of stack, so a frame stays below 256 KiB, and
/// compilation below a second.
const MAX_VALUES: usize = 10_000;

/// Decisions about one program that code generation follows.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    /// Rows per operation: 1, 2 or 4.
    pub lanes: usize,
    /// Copies of the body per iteration of the loop.
    pub unroll: usize,
    /// Whether a value is needed by an output.
    pub live: Vec<bool>,
    /// Whether a value is the same in every row: literals, parameters and what is computed from them alone.
    pub uniform: Vec<bool>,
}

impl Shape {
    /// Decides the shape of `program`.
    ///
    /// # Errors
    /// [`EngineError::Unsupported`] for a program over `real` or with more than [`MAX_VALUES`] values, or for one without a vector shape when `Simd128` is
    /// demanded.
    pub fn new(program: &Program, lanes: Lanes) -> Result<Shape, EngineError> {
        let live = program.live();
        let values = live.iter().filter(|&&live| live).count();
        if values > MAX_VALUES {
            let name = program.name();
            return Err(unsupported(format!("the {values} values of program `{name}`, more than {MAX_VALUES}")));
        }
        let typed = program.inputs().iter().map(|i| i.ty).chain(program.params().iter().map(|p| p.ty));
        let mut types = typed.chain(program.values().filter(|v| live[v.index()]).map(|v| program.ty(v)));
        if types.any(|ty| ty == Type::Real) {
            let name = program.name();
            return Err(unsupported(format!("values of type `real` (program `{name}`): evaluate it with `ir::real`")));
        }
        let mut uniform = vec![false; live.len()];
        for v in program.values() {
            uniform[v.index()] = match program.node(v) {
                Node::Input(_) => false,
                Node::Param(_) | Node::Lit(_) => true,
                node @ Node::Op(..) => node.args().iter().all(|a| uniform[a.index()]),
            };
        }
        let mut shape = Shape { lanes: 1, unroll: 1, live, uniform };
        match lanes {
            Lanes::Scalar => {}
            Lanes::Simd128 => {
                let width = shape.vector_width(program).map_err(|reason| {
                    unsupported(format!("program `{}` in 128-bit vectors: {reason}", program.name()))
                })?;
                shape.lanes = 128 / width as usize;
            }
            Lanes::Auto => {
                if let Ok(width) = shape.vector_width(program)
                    && shape.mostly_vector(program)
                {
                    shape.lanes = 128 / width as usize;
                }
            }
        }
        shape.unroll = shape.unrolling(program);
        Ok(shape)
    }

    /// Rows that one iteration of the loop handles, and the least number of rows of a call.
    pub fn step(&self) -> usize {
        self.lanes * self.unroll
    }

    /// Live operations whose value changes from row to row.
    fn varying<'a>(&'a self, program: &'a Program) -> impl Iterator<Item = (Value, Op)> + 'a {
        program.values().filter(|v| self.live[v.index()] && !self.uniform[v.index()]).filter_map(|v| {
            match program.node(v) {
                Node::Op(op, _) => Some((v, op)),
                _ => None,
            }
        })
    }

    /// The one width in bits, 32 or 64, of every value that must live in a vector; `Err` says why there is none.
    fn vector_width(&self, program: &Program) -> Result<u32, String> {
        let mut width = None;
        let varying = program.values().filter(|v| self.live[v.index()] && !self.uniform[v.index()]);
        for v in varying.chain(program.outputs().iter().copied()) {
            let ty = program.ty(v);
            match (ty.bits(), width) {
                (Some(1) | None, _) => {}
                (bits, None) => width = bits,
                (bits, found) if bits == found => {}
                _ => return Err("it mixes 32-bit and 64-bit values".into()),
            }
        }
        Ok(width.unwrap_or(32))
    }

    /// Whether at least half of the operations that change from row to row have a vector form.
    ///
    /// The others take their lanes apart, compute them one by one and put the results together.
    fn mostly_vector(&self, program: &Program) -> bool {
        let (mut all, mut taken_apart) = (0, 0);
        for (v, op) in self.varying(program) {
            all += 1;
            taken_apart += usize::from(self.by_lane(program, v, op));
        }
        2 * taken_apart <= all
    }

    /// Whether operation `op` at `v` has no vector form: Cranelift has no gathers, no shifts by a count for each lane
    /// and no conversion from doubles to 64-bit integers.
    pub fn by_lane(&self, program: &Program, v: Value, op: Op) -> bool {
        let node = program.node(v);
        let args = node.args();
        match op {
            Op::Table(_) => true,
            Op::Shl | Op::Shr | Op::ShrLogical => !self.uniform[args[1].index()],
            Op::Convert(Type::I64) => program.ty(args[0]) == Type::F64,
            _ => false,
        }
    }

    /// Copies of the body per iteration.
    ///
    /// Measured on polynomials in f32 vectors: two copies of 6 operations save 8% of the time on a thousand rows and cost
    /// a quarter of the compile time; four save hardly more; on 20 operations nothing is saved, because one copy fills
    /// the machine.
    fn unrolling(&self, program: &Program) -> usize {
        if self.varying(program).count() <= 12 { 2 } else { 1 }
    }
}
