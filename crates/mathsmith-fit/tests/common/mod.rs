//! Reference functions for the tests, by MPFR at 200 bits. Each test binary uses some of them.
#![allow(dead_code)]

use mathsmith_fit::Dd;
use rug::Float;

/// A reference function with its name.
pub type Named = (&'static str, fn(f64) -> Dd);

fn split(v: Float) -> Dd {
    let hi = v.to_f64();
    Dd::new(hi, (v - hi).to_f64())
}

fn big(x: f64) -> Float {
    Float::with_val(200, x)
}

pub fn exp2(x: f64) -> Dd {
    split(big(x).exp2())
}

/// `log2(1+x)/x` with its limit at 0.
pub fn log2_ratio(x: f64) -> Dd {
    if x == 0.0 {
        return split(1 / big(2.0).ln());
    }
    split((big(x) + 1u32).log2() / x)
}

/// `tanh(x)/x` with its limit at 0.
pub fn tanh_ratio(x: f64) -> Dd {
    if x == 0.0 { Dd::ONE } else { split(big(x).tanh() / x) }
}

pub fn cos_quarter(x: f64) -> Dd {
    split((big(x) * Float::with_val(200, rug::float::Constant::Pi) / 4u32).cos())
}

pub fn sin(x: f64) -> Dd {
    split(big(x).sin())
}

/// The functions without zeros on 0..1.
pub const ALL: [Named; 4] =
    [("exp2", exp2), ("log2(1+x)/x", log2_ratio), ("tanh(x)/x", tanh_ratio), ("cos(pi/4 x)", cos_quarter)];
