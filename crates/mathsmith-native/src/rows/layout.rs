//! Rows as bytes: the form of the protocol.

use mathsmith_ir::{Column, ColumnMut, ColumnRef, Type};

/// Rows of inputs in the protocol's form.
pub fn pack(columns: &[ColumnRef<'_>], rows: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(rows * columns.iter().map(|c| size(c.ty())).sum::<usize>());
    for row in 0..rows {
        for column in columns {
            match column {
                ColumnRef::F32(v) => bytes.extend_from_slice(&v[row].to_ne_bytes()),
                ColumnRef::F64(v) => bytes.extend_from_slice(&v[row].to_ne_bytes()),
                ColumnRef::I32(v) => bytes.extend_from_slice(&v[row].to_ne_bytes()),
                ColumnRef::I64(v) => bytes.extend_from_slice(&v[row].to_ne_bytes()),
                ColumnRef::Bool(v) => bytes.push(u8::from(v[row])),
            }
        }
    }
    bytes
}

/// Takes rows of outputs in the protocol's form apart. `bytes` must hold a row for each row of the columns.
///
/// # Panics
/// If `bytes` is shorter than that.
pub fn unpack(bytes: &[u8], columns: &mut [ColumnMut<'_>]) {
    let types: Vec<Type> = columns.iter().map(ColumnMut::ty).collect();
    let width = row_size(&types);
    for (column, (ty, at)) in columns.iter_mut().zip(offsets(&types)) {
        let value = |row: usize| &bytes[row * width + at..row * width + at + size(ty)];
        macro_rules! numbers {
            ($values:expr, $t:ty) => {
                for (row, x) in $values.iter_mut().enumerate() {
                    *x = <$t>::from_ne_bytes(value(row).try_into().expect("a slice of the type's size"));
                }
            };
        }
        match column {
            ColumnMut::F32(v) => numbers!(v, f32),
            ColumnMut::F64(v) => numbers!(v, f64),
            ColumnMut::I32(v) => numbers!(v, i32),
            ColumnMut::I64(v) => numbers!(v, i64),
            ColumnMut::Bool(v) => v.iter_mut().enumerate().for_each(|(row, x)| *x = value(row)[0] != 0),
        }
    }
}

/// [`unpack`] into columns of its own.
pub fn unpacked(bytes: &[u8], types: &[Type]) -> Vec<Column> {
    let rows = bytes.len().checked_div(row_size(types)).unwrap_or(0);
    let mut columns: Vec<Column> = types.iter().map(|&ty| Column::zeros(ty, rows)).collect();
    let mut borrowed: Vec<ColumnMut<'_>> = columns.iter_mut().map(Column::as_mut).collect();
    unpack(bytes, &mut borrowed);
    columns
}

/// Bytes of one value.
pub(super) fn size(ty: Type) -> usize {
    match ty {
        Type::Bool => 1,
        Type::F32 | Type::I32 => 4,
        Type::F64 | Type::I64 | Type::Real => 8,
    }
}

/// Bytes of one row.
pub(super) fn row_size(types: &[Type]) -> usize {
    types.iter().map(|&ty| size(ty)).sum()
}

/// Each type with its distance in bytes from the start of the row.
pub(super) fn offsets(types: &[Type]) -> impl Iterator<Item = (Type, usize)> + '_ {
    types.iter().scan(0, |at, &ty| {
        let here = *at;
        *at += size(ty);
        Some((ty, here))
    })
}
