//! Compilation of programs into callable kernels, and the memory they live in.

use crate::abi::{Entry, Signature, size, word};
use crate::shape::{Lanes, Shape};
use crate::{Host, frame, unsupported};
use cranelift_codegen::Context;
use cranelift_codegen::ir::UserFuncName;
use cranelift_frontend::FunctionBuilderContext;
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{FuncId, Linkage, Module, default_libcall_names};
use mathsmith_ir::{ColumnMut, ColumnRef, Engine, EngineError, Literal, Program, kernels, staged};
use std::sync::{Arc, Mutex, PoisonError};

/// Executable memory of one module, unmapped when the last kernel in it is dropped.
struct Code {
    /// `Some` until `drop`. The mutex is never contended: it makes the module, which is `Send` only, shareable.
    module: Mutex<Option<JITModule>>,
}

impl Code {
    fn new(module: JITModule) -> Code {
        Code { module: Mutex::new(Some(module)) }
    }
}

impl Drop for Code {
    fn drop(&mut self) {
        if let Some(module) = self.module.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            // SAFETY: every `Kernel` of the module holds an `Arc` to this value and calls its entry only through
            // `&self`; none is left when this runs, and entries are never handed out.
            unsafe { module.free_memory() };
        }
    }
}

/// A program as native code over columns.
///
/// A kernel is cheap to clone and can be called from several threads at once ([`Kernel::call`]); all clones share the
/// code.
///
/// ```
/// use mathsmith_ir::{ColumnMut, ColumnRef, Engine, Literal, Op, Program, Type};
/// use mathsmith_jit::{Kernel, Lanes};
///
/// let mut line = Program::new("line");
/// let x = line.input("x", Type::F32);
/// let slope = line.param("slope", Type::F32, None);
/// let y = line.must(Op::Mul, &[slope, x]);
/// line.output(y);
///
/// let mut kernel = Kernel::compile(&line, Lanes::Auto)?;
/// let mut y = [0.0; 3];
/// kernel.run(&[Literal::F32(2.0)], &[ColumnRef::F32(&[1.0, 2.0, 3.0])], &mut [ColumnMut::F32(&mut y)])?;
/// assert_eq!(y, [2.0, 4.0, 6.0]);
/// # Ok::<(), mathsmith_ir::EngineError>(())
/// ```
#[derive(Clone)]
pub struct Kernel {
    entry: Entry,
    signature: Arc<Signature>,
    tables: Arc<[Box<[u64]>]>,
    lanes: usize,
    unroll: usize,
    /// Keeps the code that `entry` points to mapped.
    _code: Arc<Code>,
}

impl std::fmt::Debug for Kernel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Kernel { signature, lanes, unroll, .. } = self;
        f.debug_struct("Kernel")
            .field("signature", signature)
            .field("lanes", lanes)
            .field("unroll", unroll)
            .finish_non_exhaustive()
    }
}

impl Kernel {
    /// Compiles `program` for this machine.
    ///
    /// # Errors
    /// [`EngineError::Unsupported`] for a program over `real`, with reductions ([`crate::engine_for`] takes those) or of
    /// more than 10,000 values, for one that the machine cannot run without emulation (see [`Host::refusal`]), and for [`Lanes::Simd128`] where the program's values differ in width.
    pub fn compile(program: &Program, lanes: Lanes) -> Result<Kernel, EngineError> {
        Compiler::new(&Host::detect())?.compile(program, lanes)
    }

    /// Rows that one operation of the kernel handles: 1, 2 or 4.
    pub fn lanes(&self) -> usize {
        self.lanes
    }

    /// Runs the kernel for every row; the same as [`Engine::run`], for callers that share one kernel between threads.
    ///
    /// # Errors
    /// [`EngineError::Signature`] if number, type or length of a column or parameter does not fit.
    pub fn call(
        &self,
        params: &[Literal],
        inputs: &[ColumnRef<'_>],
        outputs: &mut [ColumnMut<'_>],
    ) -> Result<(), EngineError> {
        let rows = self.signature.check(params, inputs, outputs)?;
        if rows == 0 {
            return Ok(());
        }
        let block: Vec<u64> = params.iter().map(|&p| word(p)).collect();
        let sources: Vec<*const u8> = inputs.iter().map(base).collect();
        let targets: Vec<*mut u8> = outputs.iter_mut().map(base_mut).collect();
        let step = self.lanes * self.unroll;
        if rows >= step {
            // SAFETY: the signature check above established that every column has `rows` values of the type that the
            // code was compiled for, and `rows` is at least one step. The pointers come from live borrows; outputs are
            // borrowed mutably, so they overlap neither each other nor an input.
            unsafe { self.enter(&sources, &targets, &block, rows) };
            return Ok(());
        }
        self.call_padded(rows, &sources, &targets, &block);
        Ok(())
    }

    /// Runs fewer rows than one step: on copies of the columns that zeros extend to a whole step.
    fn call_padded(&self, rows: usize, sources: &[*const u8], targets: &[*mut u8], block: &[u64]) {
        let step = self.lanes * self.unroll;
        let mut padded_inputs = vec![0_u64; step * sources.len()];
        let mut padded_outputs = vec![0_u64; step * targets.len()];
        let inner_sources: Vec<*const u8> =
            padded_inputs.chunks_exact_mut(step).map(|column| column.as_mut_ptr().cast_const().cast()).collect();
        let inner_targets: Vec<*mut u8> =
            padded_outputs.chunks_exact_mut(step).map(|column| column.as_mut_ptr().cast()).collect();
        for ((&from, &to), &ty) in sources.iter().zip(&inner_sources).zip(&self.signature.inputs) {
            // SAFETY: `from` holds `rows` values of type `ty`, `to` has room for `step > rows` words of 8 bytes, and
            // the buffer is ours alone.
            unsafe { from.copy_to_nonoverlapping(to.cast_mut(), rows * size(ty)) };
        }
        // SAFETY: every padded column has `step` words of 8 bytes, enough for `step` values of any type, and zero bytes
        // are a value of every type. Outputs overlap nothing.
        unsafe { self.enter(&inner_sources, &inner_targets, block, step) };
        for ((&from, &to), &ty) in inner_targets.iter().zip(targets).zip(&self.signature.outputs) {
            // SAFETY: as above, in the other direction; the kernel writes 0 or 1 where a column holds `bool`.
            unsafe { from.cast_const().copy_to_nonoverlapping(to, rows * size(ty)) };
        }
    }

    /// Enters the generated code.
    ///
    /// # Safety
    /// Pointers must fit the signature, each column having at least `rows` values of its type, outputs overlapping
    /// nothing; `block` has one word per parameter; `rows` is at least one step.
    unsafe fn enter(&self, inputs: &[*const u8], outputs: &[*mut u8], block: &[u64], rows: usize) {
        let tables: Vec<*const u64> = self.tables.iter().map(|t| t.as_ptr()).collect();
        // SAFETY: the caller vouches for the columns; `self.tables` has the tables the code was compiled with; the code
        // is mapped as long as `self` exists, reads and writes only what the arguments cover, and has the type `Entry`
        // because `frame::signature` describes it.
        unsafe { (self.entry)(inputs.as_ptr(), outputs.as_ptr(), block.as_ptr(), tables.as_ptr(), rows) }
    }
}

impl Engine for Kernel {
    fn run(
        &mut self,
        params: &[Literal],
        inputs: &[ColumnRef<'_>],
        outputs: &mut [ColumnMut<'_>],
    ) -> Result<(), EngineError> {
        self.call(params, inputs, outputs)
    }
}

fn base(column: &ColumnRef<'_>) -> *const u8 {
    match column {
        ColumnRef::F32(v) => v.as_ptr().cast(),
        ColumnRef::F64(v) => v.as_ptr().cast(),
        ColumnRef::I32(v) => v.as_ptr().cast(),
        ColumnRef::I64(v) => v.as_ptr().cast(),
        ColumnRef::Bool(v) => v.as_ptr().cast(),
    }
}

fn base_mut(column: &mut ColumnMut<'_>) -> *mut u8 {
    match column {
        ColumnMut::F32(v) => v.as_mut_ptr().cast(),
        ColumnMut::F64(v) => v.as_mut_ptr().cast(),
        ColumnMut::I32(v) => v.as_mut_ptr().cast(),
        ColumnMut::I64(v) => v.as_mut_ptr().cast(),
        ColumnMut::Bool(v) => v.as_mut_ptr().cast(),
    }
}

/// Compiles programs one after the other or in batches, reusing the code generator's buffers. One per worker thread.
pub struct Compiler {
    host: Host,
    context: Context,
    scratch: FunctionBuilderContext,
}

impl std::fmt::Debug for Compiler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compiler").field("host", &self.host).finish_non_exhaustive()
    }
}

impl Compiler {
    /// A compiler for `host`.
    ///
    /// # Errors
    /// [`EngineError::Unsupported`] if nothing can be compiled for the host.
    pub fn new(host: &Host) -> Result<Compiler, EngineError> {
        host.isa()?;
        Ok(Compiler { host: host.clone(), context: Context::new(), scratch: FunctionBuilderContext::new() })
    }

    /// Compiles one program.
    ///
    /// # Errors
    /// As for [`Kernel::compile`].
    pub fn compile(&mut self, program: &Program, lanes: Lanes) -> Result<Kernel, EngineError> {
        self.compile_batch(&[program], lanes).pop().expect("one program in, one result out")
    }

    /// Compiles several programs into one piece of executable memory, which lives until the last of the kernels is
    /// dropped. A program that cannot be compiled does not affect the others.
    pub fn compile_batch(&mut self, programs: &[&Program], lanes: Lanes) -> Vec<Result<Kernel, EngineError>> {
        let isa = match self.host.isa() {
            Ok(isa) => isa.clone(),
            Err(e) => return programs.iter().map(|_| Err(e.clone())).collect(),
        };
        let mut module = JITModule::new(JITBuilder::with_isa(isa, default_libcall_names()));
        let defined: Vec<_> = programs
            .iter()
            .enumerate()
            .map(|(index, program)| self.define(&mut module, index, program, lanes))
            .collect();
        let finalised = module.finalize_definitions().map_err(|e| failure("the batch", &e));
        let entries: Vec<Result<(Entry, Shape), EngineError>> = defined
            .into_iter()
            .map(|defined| {
                let (id, shape) = defined?;
                finalised.clone()?;
                let address = module.get_finalized_function(id);
                // SAFETY: the function was built with `frame::signature`, which describes `Entry`, and its definition
                // has been finalised.
                let entry = unsafe { std::mem::transmute::<*const u8, Entry>(address) };
                Ok((entry, shape))
            })
            .collect();
        let code = Arc::new(Code::new(module));
        let mut kernels = Vec::with_capacity(programs.len());
        for (program, entry) in programs.iter().zip(entries) {
            kernels.push(entry.map(|(entry, shape)| Kernel {
                entry,
                signature: Arc::new(Signature::of(program)),
                tables: program.tables().iter().map(|t| t.values.iter().map(|&l| word(l)).collect()).collect(),
                lanes: shape.lanes,
                unroll: shape.unroll,
                _code: code.clone(),
            }));
        }
        kernels
    }

    /// Adds the code of `program` to `module`.
    fn define(
        &mut self,
        module: &mut JITModule,
        index: usize,
        program: &Program,
        lanes: Lanes,
    ) -> Result<(FuncId, Shape), EngineError> {
        let shape = self.build(program, lanes)?;
        // Names only have to differ within the module: programs of one batch may share theirs.
        let name = format!("k{index}");
        let result = module.declare_function(&name, Linkage::Local, &self.context.func.signature);
        let result = match result {
            Ok(id) => module.define_function(id, &mut self.context).map(|()| id),
            Err(e) => Err(e),
        };
        module.clear_context(&mut self.context);
        let id = result.map_err(|e| failure(program.name(), &e))?;
        Ok((id, shape))
    }

    /// Writes the IR of `program` into the compiler's context.
    pub(crate) fn build(&mut self, program: &Program, lanes: Lanes) -> Result<Shape, EngineError> {
        if let Some(reason) = self.host.refusal(program) {
            return Err(unsupported(format!("program `{}`: {reason}", program.name())));
        }
        if let Some(op) = staged::first_reduction(program) {
            let (name, op) = (program.name(), op.name());
            let what = format!("program `{name}`: `{op}` over rows in a single kernel; `engine_for` runs it in passes");
            return Err(unsupported(what));
        }
        // Tables, parameters, inputs and outputs stay as they are: the kernel's signature is the program's.
        let program = &*kernels::lower(program);
        let shape = Shape::new(program, lanes)?;
        let config = self.host.isa()?.frontend_config();
        self.context.clear();
        self.context.func.name = UserFuncName::user(0, 0);
        self.context.func.signature = frame::signature(config);
        frame::build(program, &shape, config, &mut self.context.func, &mut self.scratch);
        Ok(shape)
    }

    /// The code generator's context, which holds a kernel's IR after [`Compiler::build`].
    pub(crate) fn context(&mut self) -> &mut Context {
        &mut self.context
    }
}

fn failure(what: &str, error: &cranelift_module::ModuleError) -> EngineError {
    unsupported(format!("{what}, which the code generator refuses ({error}); the interpreter runs it"))
}
