//! Constants in source form: text that reads back as the same bits.

use mathsmith_ir::Literal;
use mathsmith_verify::report::hex;

/// A Rust literal. `typed` adds the type's suffix, which is needed where nothing else tells the type.
pub(crate) fn rust(lit: Literal, typed: bool) -> String {
    let suffix = if typed { format!("_{}", lit.ty().name()) } else { String::new() };
    // `{:?}` prints the shortest decimal that reads back as the same float.
    let text = match lit {
        Literal::F32(x) if x.is_finite() => format!("{x:?}{suffix}"),
        Literal::F64(x) if x.is_finite() => format!("{x:?}{suffix}"),
        Literal::F32(x) => format!("f32::from_bits(0x{:08x})", x.to_bits()),
        Literal::F64(x) => format!("f64::from_bits(0x{:016x})", x.to_bits()),
        Literal::I32(x) => format!("{x}{suffix}"),
        Literal::I64(x) => format!("{x}{suffix}"),
        Literal::Bool(x) => x.to_string(),
        Literal::Real(_) => unreachable!("check() refuses reals"),
    };
    if text.starts_with('-') { format!("({text})") } else { text }
}

/// A C literal.
pub(crate) fn c(lit: Literal) -> String {
    let text = match lit {
        Literal::F32(x) if x.is_finite() => format!("{}f", hex(f64::from(x))),
        Literal::F64(x) if x.is_finite() => hex(x),
        Literal::F32(x) if x.is_nan() => "NAN".to_owned(),
        Literal::F64(x) if x.is_nan() => "(double)NAN".to_owned(),
        Literal::F32(x) => if x > 0.0 { "INFINITY" } else { "-INFINITY" }.to_owned(),
        Literal::F64(x) => if x > 0.0 { "(double)INFINITY" } else { "-(double)INFINITY" }.to_owned(),
        // The least integers have no literal of their own in C.
        Literal::I32(i32::MIN) => "INT32_MIN".to_owned(),
        Literal::I64(i64::MIN) => "INT64_MIN".to_owned(),
        Literal::I32(x) => x.to_string(),
        Literal::I64(x) if x < 0 => format!("-INT64_C({})", x.unsigned_abs()),
        Literal::I64(x) => format!("INT64_C({x})"),
        Literal::Bool(x) => x.to_string(),
        Literal::Real(_) => unreachable!("check() refuses reals"),
    };
    if text.starts_with('-') { format!("({text})") } else { text }
}
