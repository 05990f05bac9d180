//! Cranelift kernels over arrays, constants as inputs.
