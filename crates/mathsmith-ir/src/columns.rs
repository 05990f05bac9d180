//! Columns of values, and the one interface through which every engine runs a program over them.

use crate::{Literal, Type};

/// A borrowed column of inputs.
#[derive(Clone, Copy, Debug)]
pub enum ColumnRef<'a> {
    /// `f32` values.
    F32(&'a [f32]),
    /// `f64` values; also how a `real` column is fed to an engine that computes in doubles.
    F64(&'a [f64]),
    /// `i32` values.
    I32(&'a [i32]),
    /// `i64` values.
    I64(&'a [i64]),
    /// Truth values.
    Bool(&'a [bool]),
}

/// A borrowed column of results.
#[derive(Debug)]
pub enum ColumnMut<'a> {
    /// `f32` values.
    F32(&'a mut [f32]),
    /// `f64` values.
    F64(&'a mut [f64]),
    /// `i32` values.
    I32(&'a mut [i32]),
    /// `i64` values.
    I64(&'a mut [i64]),
    /// Truth values.
    Bool(&'a mut [bool]),
}

/// An owned column.
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    /// `f32` values.
    F32(Vec<f32>),
    /// `f64` values.
    F64(Vec<f64>),
    /// `i32` values.
    I32(Vec<i32>),
    /// `i64` values.
    I64(Vec<i64>),
    /// Truth values.
    Bool(Vec<bool>),
}

macro_rules! each {
    ($self:expr, $v:ident => $body:expr) => {
        match $self {
            Self::F32($v) => $body,
            Self::F64($v) => $body,
            Self::I32($v) => $body,
            Self::I64($v) => $body,
            Self::Bool($v) => $body,
        }
    };
}

macro_rules! shape {
    ($t:ty) => {
        impl $t {
            /// Number of values.
            pub fn len(&self) -> usize {
                each!(self, v => v.len())
            }
            /// Whether there are no values.
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }
            /// Machine type of the values.
            pub fn ty(&self) -> Type {
                match self {
                    Self::F32(_) => Type::F32,
                    Self::F64(_) => Type::F64,
                    Self::I32(_) => Type::I32,
                    Self::I64(_) => Type::I64,
                    Self::Bool(_) => Type::Bool,
                }
            }
        }
    };
}
shape!(ColumnRef<'_>);
shape!(ColumnMut<'_>);
shape!(Column);

impl Column {
    /// A column of `len` zeros (or `false`); a `real` column holds doubles.
    pub fn zeros(ty: Type, len: usize) -> Column {
        match ty {
            Type::F32 => Column::F32(vec![0.0; len]),
            Type::F64 | Type::Real => Column::F64(vec![0.0; len]),
            Type::I32 => Column::I32(vec![0; len]),
            Type::I64 => Column::I64(vec![0; len]),
            Type::Bool => Column::Bool(vec![false; len]),
        }
    }
    /// A column of literals, which must all have the type `ty`; a `real` column holds their nearest doubles.
    ///
    /// # Panics
    /// If a literal has another type.
    pub fn from_literals(ty: Type, literals: &[Literal]) -> Column {
        let mut column = Column::zeros(ty, literals.len());
        for (i, &l) in literals.iter().enumerate() {
            assert_eq!(l.ty(), ty, "literal {i} of the column has another type");
            match (&mut column, l) {
                (Column::F32(v), Literal::F32(x)) => v[i] = x,
                (Column::F64(v), Literal::F64(x)) => v[i] = x,
                (Column::F64(v), Literal::Real(x)) => v[i] = x.to_f64(),
                (Column::I32(v), Literal::I32(x)) => v[i] = x,
                (Column::I64(v), Literal::I64(x)) => v[i] = x,
                (Column::Bool(v), Literal::Bool(x)) => v[i] = x,
                _ => unreachable!("the types agree"),
            }
        }
        column
    }
    /// The value in row `i`.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn get(&self, i: usize) -> Literal {
        match self {
            Column::F32(v) => Literal::F32(v[i]),
            Column::F64(v) => Literal::F64(v[i]),
            Column::I32(v) => Literal::I32(v[i]),
            Column::I64(v) => Literal::I64(v[i]),
            Column::Bool(v) => Literal::Bool(v[i]),
        }
    }
    /// Borrows the column as inputs.
    pub fn as_ref(&self) -> ColumnRef<'_> {
        match self {
            Column::F32(v) => ColumnRef::F32(v),
            Column::F64(v) => ColumnRef::F64(v),
            Column::I32(v) => ColumnRef::I32(v),
            Column::I64(v) => ColumnRef::I64(v),
            Column::Bool(v) => ColumnRef::Bool(v),
        }
    }
    /// Borrows the column as results.
    pub fn as_mut(&mut self) -> ColumnMut<'_> {
        match self {
            Column::F32(v) => ColumnMut::F32(v),
            Column::F64(v) => ColumnMut::F64(v),
            Column::I32(v) => ColumnMut::I32(v),
            Column::I64(v) => ColumnMut::I64(v),
            Column::Bool(v) => ColumnMut::Bool(v),
        }
    }
}

/// Why an engine refused to build or run a program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// The engine does not implement an operation or type.
    #[error("the {engine} does not support {what}")]
    Unsupported {
        /// Name of the engine.
        engine: &'static str,
        /// What is missing.
        what: String,
    },
    /// The columns or parameters given do not fit the program's signature.
    #[error("arguments do not fit the program: {0}")]
    Signature(String),
    /// Foreign code failed while it ran: it crashed, did not return, or ended its process.
    #[error("{what}")]
    Failed {
        /// The row at which it failed, where that is known.
        row: Option<usize>,
        /// What happened.
        what: String,
    },
}

/// Something that runs a program over columns: the interpreter, the JIT.
///
/// All input and output columns of one call have the same length; a parameter is one literal for the whole call.
pub trait Engine: Send {
    /// Rows below which one call is wasteful, because a call has a cost of its own (a message to another process). 1 where
    /// calls of any length cost the same a row.
    fn batch(&self) -> usize {
        1
    }

    /// Runs the program for every row.
    ///
    /// # Errors
    /// [`EngineError::Signature`] if number, type or length of a column or parameter does not fit.
    fn run(
        &mut self,
        params: &[Literal],
        inputs: &[ColumnRef<'_>],
        outputs: &mut [ColumnMut<'_>],
    ) -> Result<(), EngineError>;
}
