//! The calling convention between [`crate::Kernel::call`] and generated code, and the checks in front of it.

use mathsmith_ir::{ColumnMut, ColumnRef, EngineError, Literal, Program, Type};

/// A compiled kernel.
///
/// Arguments: pointers to the input columns, pointers to the output columns, the parameter block (one word per
/// parameter, see [`word`]), pointers to the tables, and the number of rows, at least one step of the kernel.
pub(crate) type Entry = unsafe extern "C" fn(*const *const u8, *const *mut u8, *const u64, *const *const u64, usize);

/// A literal as a word of the parameter block or of a table: its bits in the low end, zero above.
pub(crate) fn word(literal: Literal) -> u64 {
    match literal {
        // The shape analysis has refused programs over `real` before a word is needed.
        Literal::Real(r) => r.to_f64().to_bits(),
        Literal::F32(x) => u64::from(x.to_bits()),
        Literal::F64(x) => x.to_bits(),
        Literal::I32(x) => u64::from(x as u32),
        Literal::I64(x) => x as u64,
        Literal::Bool(x) => u64::from(x),
    }
}

/// Bytes of one value in a column.
pub(crate) fn size(ty: Type) -> usize {
    match ty {
        Type::Bool => 1,
        Type::F32 | Type::I32 => 4,
        Type::F64 | Type::I64 | Type::Real => 8,
    }
}

/// What a caller must pass.
#[derive(Clone, Debug)]
pub(crate) struct Signature {
    pub params: Vec<Type>,
    pub inputs: Vec<Type>,
    pub outputs: Vec<Type>,
}

impl Signature {
    pub fn of(program: &Program) -> Signature {
        Signature {
            params: program.params().iter().map(|p| p.ty).collect(),
            inputs: program.inputs().iter().map(|i| i.ty).collect(),
            outputs: program.outputs().iter().map(|&v| program.ty(v)).collect(),
        }
    }

    /// Checks a call against the signature and returns its number of rows (0 if there are no columns).
    pub fn check(
        &self,
        params: &[Literal],
        inputs: &[ColumnRef<'_>],
        outputs: &[ColumnMut<'_>],
    ) -> Result<usize, EngineError> {
        let mut rows = None;
        agree("parameter", &self.params, params.iter().map(|p| (p.ty(), None)), &mut rows)?;
        agree("input", &self.inputs, inputs.iter().map(|c| (c.ty(), Some(c.len()))), &mut rows)?;
        agree("output", &self.outputs, outputs.iter().map(|c| (c.ty(), Some(c.len()))), &mut rows)?;
        Ok(rows.unwrap_or(0))
    }
}

/// Checks number, types and lengths of one kind of argument.
fn agree(
    what: &str,
    expected: &[Type],
    given: impl ExactSizeIterator<Item = (Type, Option<usize>)>,
    rows: &mut Option<usize>,
) -> Result<(), EngineError> {
    if given.len() != expected.len() {
        let message = format!("the program has {} {what}s, {} were given", expected.len(), given.len());
        return Err(EngineError::Signature(message));
    }
    for (i, (&expected, (ty, len))) in expected.iter().zip(given).enumerate() {
        if ty != expected {
            return Err(EngineError::Signature(format!("{what} {i} is {ty}, the program has {expected}")));
        }
        let Some(len) = len else { continue };
        let rows = *rows.get_or_insert(len);
        if len != rows {
            return Err(EngineError::Signature(format!("{what} {i} has {len} rows, the columns before it {rows}")));
        }
    }
    Ok(())
}
