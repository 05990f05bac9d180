//! Calls through the vector ABI of x86-64: one register of lanes an argument and one for the result.
//!
//! The ABI of a function that takes wide registers depends on the features of its caller, so each width has functions of
//! its own, compiled with the features of its instruction set. Lanes behind the last row repeat that row: a subject is never
//! called with a value that was not asked for.

use super::{Element, Isa};

/// The bit patterns of one call of [`VectorFunction::run`]: `n` rows of the arguments and the results.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rows {
    /// First argument, second argument (the first once more where there is none).
    pub(super) inputs: [*const u8; 2],
    /// Results.
    pub(super) output: *mut u8,
    /// Rows.
    pub(super) n: usize,
    /// Where the row is stored before its call.
    pub(super) at: *mut u64,
}

/// A vector function: its address and its type.
#[derive(Clone, Copy, Debug)]
pub(super) struct VectorFunction {
    /// Address of the code.
    pub(super) address: *const (),
    /// Type of the lanes.
    pub(super) element: Element,
    /// Arguments.
    pub(super) arity: u8,
    /// Width.
    pub(super) isa: Isa,
}

#[cfg(not(target_arch = "x86_64"))]
impl VectorFunction {
    /// Vector functions are known for x86-64 only.
    pub(super) fn supported(&self) -> bool {
        false
    }

    /// Never called, since nothing is supported.
    ///
    /// # Safety
    /// None: it panics.
    pub(super) unsafe fn run(&self, _: Rows) {
        unreachable!("vector functions are refused on this machine")
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Element, Isa, Rows, VectorFunction};
    use std::arch::x86_64::{
        __m128, __m128d, __m256, __m256d, __m512, __m512d, _mm_loadu_pd, _mm_loadu_ps, _mm_storeu_pd, _mm_storeu_ps,
        _mm256_loadu_pd, _mm256_loadu_ps, _mm256_storeu_pd, _mm256_storeu_ps, _mm512_loadu_pd, _mm512_loadu_ps,
        _mm512_storeu_pd, _mm512_storeu_ps,
    };

    /// Defines a function of [`Rows`] for one type of vector.
    macro_rules! lanes {
        ($name:ident, $feature:literal, $vector:ty, $lane:ty, $load:ident, $store:ident) => {
            /// # Safety
            /// The processor has the feature; `address` is a function of `arity` vectors to a vector; the rows lie within
            /// their columns.
            #[target_feature(enable = $feature)]
            unsafe fn $name(address: *const (), arity: u8, rows: Rows) {
                const LANES: usize = size_of::<$vector>() / size_of::<$lane>();
                let Rows { inputs: [x, y], output, n, at } = rows;
                let (x, y, output) = (x.cast::<$lane>(), y.cast::<$lane>(), output.cast::<$lane>());
                #[expect(improper_ctypes_definitions, reason = "both sides pass them by the vector ABI of x86-64")]
                type One = unsafe extern "C" fn($vector) -> $vector;
                #[expect(improper_ctypes_definitions, reason = "both sides pass them by the vector ABI of x86-64")]
                type Two = unsafe extern "C" fn($vector, $vector) -> $vector;
                // SAFETY: the caller promises the type; only the one with the right number of arguments is called.
                let one = unsafe { std::mem::transmute::<*const (), One>(address) };
                // SAFETY: as above.
                let two = unsafe { std::mem::transmute::<*const (), Two>(address) };
                let mut tail = [[<$lane>::default(); LANES]; 3];
                let whole = n - n % LANES;
                let mut row = 0;
                while row < n {
                    let (mut from, mut and, mut to) =
                        (x.wrapping_add(row), y.wrapping_add(row), output.wrapping_add(row));
                    if row == whole {
                        let [a, b, c] = &mut tail;
                        for lane in 0..LANES {
                            let i = (row + lane).min(n - 1);
                            // SAFETY: `i` is a row.
                            (a[lane], b[lane]) = unsafe { (*x.add(i), *y.add(i)) };
                        }
                        (from, and, to) = (a.as_ptr(), b.as_ptr(), c.as_mut_ptr());
                    }
                    // SAFETY: `from`, `and` and `to` have a vector's lanes each: rows of the columns, or the tail's
                    // arrays. `at` is the counter of the shared memory.
                    unsafe {
                        at.write_volatile(row as u64);
                        let result = if arity == 1 { one($load(from)) } else { two($load(from), $load(and)) };
                        $store(to, result);
                    }
                    row += LANES;
                }
                if whole < n {
                    // SAFETY: the rows behind `whole` are within the column.
                    unsafe { output.add(whole).copy_from_nonoverlapping(tail[2].as_ptr(), n - whole) };
                }
            }
        };
    }

    lanes!(sse_f32, "sse2", __m128, f32, _mm_loadu_ps, _mm_storeu_ps);
    lanes!(sse_f64, "sse2", __m128d, f64, _mm_loadu_pd, _mm_storeu_pd);
    lanes!(avx_f32, "avx", __m256, f32, _mm256_loadu_ps, _mm256_storeu_ps);
    lanes!(avx_f64, "avx", __m256d, f64, _mm256_loadu_pd, _mm256_storeu_pd);
    lanes!(avx512_f32, "avx512f", __m512, f32, _mm512_loadu_ps, _mm512_storeu_ps);
    lanes!(avx512_f64, "avx512f", __m512d, f64, _mm512_loadu_pd, _mm512_storeu_pd);

    impl VectorFunction {
        /// Whether [`VectorFunction::run`] knows the type and this processor has the instructions.
        pub(in super::super) fn supported(&self) -> bool {
            self.isa != Isa::Scalar
                && self.isa.available()
                && self.element != Element::U16
                && matches!(self.arity, 1 | 2)
        }

        /// Calls the function for all rows.
        ///
        /// # Safety
        /// The function has the type that `self` says, it is [supported](Self::supported), and the rows lie within
        /// columns of its elements.
        pub(in super::super) unsafe fn run(&self, rows: Rows) {
            let run = match (self.isa, self.element) {
                (Isa::Sse, Element::F32) => sse_f32,
                (Isa::Sse, Element::F64) => sse_f64,
                (Isa::Avx | Isa::Avx2, Element::F32) => avx_f32,
                (Isa::Avx | Isa::Avx2, Element::F64) => avx_f64,
                (Isa::Avx512, Element::F32) => avx512_f32,
                (Isa::Avx512, Element::F64) => avx512_f64,
                (Isa::Scalar, _) | (_, Element::U16) => unreachable!("refused by `supported`"),
            };
            // SAFETY: the caller's promises, and `supported` has asked the processor.
            unsafe { run(self.address, self.arity, rows) }
        }
    }
}
