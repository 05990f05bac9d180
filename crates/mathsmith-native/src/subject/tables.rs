//! The functions of the crates that are linked into the host, by name.
//!
//! Every function of one or two arguments of its own type that the crates have for `f32` and `f64`.

use super::call::Function;
use super::{Element, Shape, Signature};

/// Version of the core-math crate that is linked in; a test compares it with `Cargo.lock`.
pub(super) const CORE_MATH_VERSION: &str = "1.4.0";
/// Version of the libm crate that is linked in; a test compares it with `Cargo.lock`.
pub(super) const LIBM_VERSION: &str = "0.2.16";

/// The CPU level that the C code of the core-math crate is compiled for: its build script reads the same variable, which
/// `.cargo/config.toml` sets for both.
pub(super) fn core_math_level() -> String {
    format!("-march={}", option_env!("TARGET_CPU").unwrap_or("native"))
}

/// A table of the named functions of crates, each under the variant of its type.
macro_rules! table {
    ($($crate_name:ident $variant:ident { $($name:ident),+ })+) => {
        &[$($((stringify!($name), Function::$variant($crate_name::$name)),)+)+]
    };
}

/// The core-math crate: correctly rounded functions of the CORE-MATH project.
pub(super) const CORE_MATH: &[(&str, Function)] = table! {
    core_math RustF32 {
        acosf, acoshf, acospif, asinf, asinhf, asinpif, atanf, atanhf, atanpif, cbrtf, cosf, coshf, cospif, erfcf,
        erff, exp10f, exp10m1f, exp2f, exp2m1f, expf, expm1f, lgammaf, log10f, log10p1f, log1pf, log2f, log2p1f, logf,
        rsqrtf, sinf, sinhf, sinpif, tanf, tanhf, tanpif, tgammaf
    }
    core_math RustF32x2 {
        atan2f, atan2pif, compoundf, hypotf, powf
    }
    core_math RustF64 {
        acos, acosh, acospi, asin, asinh, asinpi, atan, atanh, atanpi, cbrt, cos, cosh, cospi, erf, erfc, exp, exp10,
        exp10m1, exp2, exp2m1, expm1, lgamma, log, log10, log10p1, log1p, log2, log2p1, rsqrt, sin, sinh, sinpi, tan,
        tanh, tanpi, tgamma
    }
    core_math RustF64x2 {
        atan2, atan2pi, hypot, pow
    }
};

/// The libm crate: what Rust uses where the system has no C library.
pub(super) const LIBM: &[(&str, Function)] = table! {
    libm RustF32 {
        acosf, acoshf, asinf, asinhf, atanf, atanhf, cbrtf, ceilf, cosf, coshf, erfcf, erff, exp10f, exp2f, expf,
        expm1f, fabsf, floorf, j0f, j1f, lgammaf, log10f, log1pf, log2f, logf, rintf, roundevenf, roundf, sinf, sinhf,
        sqrtf, tanf, tanhf, tgammaf, truncf, y0f, y1f
    }
    libm RustF32x2 {
        atan2f, copysignf, fdimf, fmaxf, fmaximum_numf, fmaximumf, fminf, fminimum_numf, fminimumf, fmodf, hypotf,
        nextafterf, powf, remainderf
    }
    libm RustF64 {
        acos, acosh, asin, asinh, atan, atanh, cbrt, ceil, cos, cosh, erf, erfc, exp, exp10, exp2, expm1, fabs, floor,
        j0, j1, lgamma, log, log10, log1p, log2, rint, round, roundeven, sin, sinh, sqrt, tan, tanh, tgamma, trunc,
        y0, y1
    }
    libm RustF64x2 {
        atan2, copysign, fdim, fmax, fmaximum, fmaximum_num, fmin, fminimum, fminimum_num, fmod, hypot, nextafter,
        pow, remainder
    }
};

/// The function of that name and its type.
pub(super) fn find(table: &[(&str, Function)], name: &str) -> Option<(Function, Signature)> {
    let &(_, function) = table.iter().find(|(known, _)| *known == name)?;
    let (element, arity) = match function {
        Function::RustF32(_) => (Element::F32, 1),
        Function::RustF32x2(_) => (Element::F32, 2),
        Function::RustF64(_) => (Element::F64, 1),
        Function::RustF64x2(_) => (Element::F64, 2),
        _ => return None,
    };
    Some((function, Signature { element, arity, shape: Shape::Scalar }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::names;

    /// The version that `Cargo.lock` has of a crate.
    fn locked(name: &str) -> Vec<String> {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.lock");
        let lock = std::fs::read_to_string(&path).unwrap();
        let packages = lock.split("[[package]]");
        let of_name = packages.filter(|p| p.lines().any(|line| line == format!("name = \"{name}\"")));
        let version =
            |p: &str| p.lines().find_map(|l| l.strip_prefix("version = ")).map(|v| v.trim_matches('"').to_string());
        of_name.filter_map(version).collect()
    }

    #[test]
    fn versions_are_those_of_the_lock_file() {
        assert_eq!(locked("core-math"), [CORE_MATH_VERSION]);
        assert_eq!(locked("core-math-sys"), [CORE_MATH_VERSION]);
        assert_eq!(locked("libm"), [LIBM_VERSION]);
    }

    #[test]
    fn the_tables_agree_with_the_names_of_the_c_standard() {
        for table in [CORE_MATH, LIBM] {
            for (name, _) in table {
                let (_, signature) = find(table, name).unwrap();
                assert_eq!(names::signature(name), Some((signature.element, signature.arity)), "{name}");
            }
        }
    }
}
