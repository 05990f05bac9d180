//! Calling a function for all rows of a block, whatever its type.
//!
//! The loops do nothing but store the row's number, load, call through the pointer and store the result.

use super::vector::{Rows, VectorFunction};
use super::{Element, Isa};

/// The function that a built source exports as [`super::BLOCK_SYMBOL`].
pub(super) type BlockFunction = unsafe extern "C" fn(*const *const u8, *mut u8, u64, *mut u64);

/// `T f(T)` in C.
type One<T> = unsafe extern "C" fn(T) -> T;
/// `T f(T, T)` in C.
type Two<T> = unsafe extern "C" fn(T, T) -> T;

/// A loaded function.
#[derive(Clone, Copy, Debug)]
pub(super) enum Function {
    /// `float f(float)`.
    F32(One<f32>),
    /// `float f(float, float)`.
    F32x2(Two<f32>),
    /// `double f(double)`.
    F64(One<f64>),
    /// `double f(double, double)`.
    F64x2(Two<f64>),
    /// `uint16_t f(uint16_t)`.
    U16(One<u16>),
    /// `uint16_t f(uint16_t, uint16_t)`.
    U16x2(Two<u16>),
    /// `fn(f32) -> f32` of a crate.
    RustF32(fn(f32) -> f32),
    /// `fn(f32, f32) -> f32` of a crate.
    RustF32x2(fn(f32, f32) -> f32),
    /// `fn(f64) -> f64` of a crate.
    RustF64(fn(f64) -> f64),
    /// `fn(f64, f64) -> f64` of a crate.
    RustF64x2(fn(f64, f64) -> f64),
    /// A function of vectors.
    Vector(VectorFunction),
    /// A built source, which has the loop itself.
    Block(BlockFunction),
}

impl Function {
    /// The function at an address.
    ///
    /// # Errors
    /// Says what of the type cannot be called on this machine.
    ///
    /// # Safety
    /// A C function of that type is at `address`.
    pub(super) unsafe fn at(address: *const (), element: Element, arity: u8, isa: Isa) -> Result<Function, String> {
        use std::mem::transmute;
        if isa != Isa::Scalar {
            let function = VectorFunction { address, element, arity, isa };
            let refused = || format!("vectors of {isa} cannot be called on this machine");
            return function.supported().then_some(Function::Vector(function)).ok_or_else(refused);
        }
        // SAFETY: the type is what the caller promises.
        unsafe {
            Ok(match (element, arity) {
                (Element::F32, 1) => Function::F32(transmute::<*const (), One<f32>>(address)),
                (Element::F32, 2) => Function::F32x2(transmute::<*const (), Two<f32>>(address)),
                (Element::F64, 1) => Function::F64(transmute::<*const (), One<f64>>(address)),
                (Element::F64, 2) => Function::F64x2(transmute::<*const (), Two<f64>>(address)),
                (Element::U16, 1) => Function::U16(transmute::<*const (), One<u16>>(address)),
                (Element::U16, 2) => Function::U16x2(transmute::<*const (), Two<u16>>(address)),
                _ => return Err(format!("functions of {arity} arguments cannot be called")),
            })
        }
    }

    /// Calls the function for all rows.
    ///
    /// # Safety
    /// The function has the type it is stored under, and the rows lie within columns of its elements. Whether the foreign
    /// code is sound nobody knows: this is called in a process of its own.
    pub(super) unsafe fn run(&self, rows: Rows) {
        // SAFETY: the caller's promises.
        unsafe {
            match *self {
                Function::F32(f) => each(|x| f(x), rows),
                Function::F32x2(f) => each2(|x, y| f(x, y), rows),
                Function::F64(f) => each(|x| f(x), rows),
                Function::F64x2(f) => each2(|x, y| f(x, y), rows),
                Function::U16(f) => each(|x| f(x), rows),
                Function::U16x2(f) => each2(|x, y| f(x, y), rows),
                Function::RustF32(f) => each(f, rows),
                Function::RustF32x2(f) => each2(f, rows),
                Function::RustF64(f) => each(f, rows),
                Function::RustF64x2(f) => each2(f, rows),
                Function::Vector(f) => f.run(rows),
                Function::Block(f) => f(rows.inputs.as_ptr(), rows.output, rows.n as u64, rows.at),
            }
        }
    }
}

/// # Safety
/// The rows lie within columns of `T`.
unsafe fn each<T>(f: impl Fn(T) -> T, rows: Rows) {
    let (x, output) = (rows.inputs[0].cast::<T>(), rows.output.cast::<T>());
    for row in 0..rows.n {
        // SAFETY: the caller's promise; `at` is the counter of the shared memory.
        unsafe {
            rows.at.write_volatile(row as u64);
            output.add(row).write(f(x.add(row).read()));
        }
    }
}

/// # Safety
/// The rows lie within columns of `T`.
unsafe fn each2<T>(f: impl Fn(T, T) -> T, rows: Rows) {
    let (x, y, output) = (rows.inputs[0].cast::<T>(), rows.inputs[1].cast::<T>(), rows.output.cast::<T>());
    for row in 0..rows.n {
        // SAFETY: the caller's promise; `at` is the counter of the shared memory.
        unsafe {
            rows.at.write_volatile(row as u64);
            output.add(row).write(f(x.add(row).read(), y.add(row).read()));
        }
    }
}
