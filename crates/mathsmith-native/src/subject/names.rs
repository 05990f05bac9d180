//! Names of mathematical functions in C: their types, and the nearest to a misspelt one.
//!
//! A final `f` alone says nothing (`erf` is double, `erff` single), so types come from a table of names: those of C23,
//! section 7.12, and the older and newer ones that libraries have. The single-precision function has the name in the
//! table with an `f` behind it.

use super::Element;

/// Functions of one argument of the result's type, for double precision.
const ONE: &[&str] = &[
    "acos",
    "acosh",
    "acospi",
    "asin",
    "asinh",
    "asinpi",
    "atan",
    "atanh",
    "atanpi",
    "cbrt",
    "ceil",
    "cos",
    "cosh",
    "cospi",
    "erf",
    "erfc",
    "exp",
    "exp10",
    "exp10m1",
    "exp2",
    "exp2m1",
    "expm1",
    "fabs",
    "fastcos",
    "fastsin",
    "floor",
    "gamma",
    "j0",
    "j1",
    "lgamma",
    "log",
    "log10",
    "log10p1",
    "log1p",
    "log2",
    "log2p1",
    "logb",
    "logp1",
    "nearbyint",
    "nextdown",
    "nextup",
    "pow10",
    "rint",
    "round",
    "roundeven",
    "rsqrt",
    "significand",
    "sin",
    "sinh",
    "sinpi",
    "sqrt",
    "tan",
    "tanh",
    "tanpi",
    "tgamma",
    "trunc",
    "y0",
    "y1",
];

/// Functions of two arguments of the result's type, for double precision.
const TWO: &[&str] = &[
    "atan2",
    "atan2pi",
    "compound",
    "copysign",
    "drem",
    "fastpow",
    "fdim",
    "fmax",
    "fmaximum",
    "fmaximum_mag",
    "fmaximum_mag_num",
    "fmaximum_num",
    "fmaxmag",
    "fmin",
    "fminimum",
    "fminimum_mag",
    "fminimum_mag_num",
    "fminimum_num",
    "fminmag",
    "fmod",
    "hypot",
    "nextafter",
    "pow",
    "powr",
    "remainder",
    "scalb",
];

/// Type and number of arguments of a function with a known name.
pub(super) fn signature(name: &str) -> Option<(Element, u8)> {
    let arity = |name: &str| match name {
        _ if ONE.contains(&name) => Some(1),
        _ if TWO.contains(&name) => Some(2),
        _ => None,
    };
    let double = arity(name).map(|n| (Element::F64, n));
    double.or_else(|| name.strip_suffix('f').and_then(arity).map(|n| (Element::F32, n)))
}

/// The function of a known name in the other precision: `expf` of `exp`, `exp` of `expf`.
pub(super) fn other_precision(name: &str) -> Option<String> {
    match signature(name)?.0 {
        Element::F64 => Some(format!("{name}f")),
        _ => name.strip_suffix('f').map(String::from),
    }
}

/// SLEEF's name without the bound of its error: `expf` and `_u10` of `expf_u10`.
pub(super) fn split_bound(name: &str) -> (&str, &str) {
    let bound =
        |tail: &str| tail.strip_prefix('u').is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    match name.rfind('_') {
        Some(i) if bound(&name[i + 1..]) => name.split_at(i),
        _ => (name, ""),
    }
}

/// Edits (a letter inserted, deleted, replaced, or exchanged with its neighbour) from `a` to `b`: Damerau's and
/// Levenshtein's distance in its restricted form, where no part is edited twice.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut before = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = last;
        last = row;
    }
    last[b.len()]
}

/// The known names that may have been meant, the nearest first and equally near ones in alphabetical order, at most five.
///
/// Case and underscores count for nothing. A third of the letters may be wrong; behind those come names that contain what
/// was typed, or are contained in it.
pub(crate) fn near<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let fold = |s: &str| s.to_ascii_lowercase().replace('_', "");
    let wanted = fold(name);
    let allowed = (wanted.len() / 3).max(1);
    let mut found: Vec<(usize, &str)> = Vec::new();
    for candidate in known {
        let theirs = fold(candidate);
        let within = |a: &str, b: &str| b.len() >= 3 && a.contains(b);
        let contained = within(&theirs, &wanted) || within(&wanted, &theirs);
        // The lengths bound the distance from below: what is far away need not be compared letter by letter.
        if !contained && theirs.len().abs_diff(wanted.len()) > allowed {
            continue;
        }
        let edits = distance(wanted.as_bytes(), theirs.as_bytes());
        if edits <= allowed {
            found.push((edits, candidate));
        } else if contained {
            found.push((allowed + edits, candidate));
        }
    }
    found.sort_unstable();
    found.dedup();
    found.into_iter().take(5).map(|(_, name)| name.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_come_from_the_table_and_not_from_the_last_letter() {
        assert_eq!(signature("erf"), Some((Element::F64, 1)));
        assert_eq!(signature("erff"), Some((Element::F32, 1)));
        assert_eq!(signature("exp"), Some((Element::F64, 1)));
        assert_eq!(signature("atan2f"), Some((Element::F32, 2)));
        assert_eq!(signature("ldexpf"), None);
        assert_eq!(signature("sincosf"), None);
        assert_eq!(other_precision("erf").as_deref(), Some("erff"));
        assert_eq!(other_precision("erff").as_deref(), Some("erf"));
        assert_eq!(other_precision("frobnicate"), None);
    }

    #[test]
    fn no_name_is_both_single_and_double() {
        for name in ONE.iter().chain(TWO) {
            let single = format!("{name}f");
            assert!(!ONE.contains(&single.as_str()) && !TWO.contains(&single.as_str()), "{single} is ambiguous");
        }
    }

    #[test]
    fn bounds_are_split_off() {
        assert_eq!(split_bound("expf_u10"), ("expf", "_u10"));
        assert_eq!(split_bound("fastsinf_u3500"), ("fastsinf", "_u3500"));
        assert_eq!(split_bound("fabsf"), ("fabsf", ""));
        assert_eq!(split_bound("a_u"), ("a_u", ""));
    }

    #[test]
    fn near_names_are_near() {
        assert_eq!(near("epxf", ["expf", "exp", "sinf", "logf"])[0], "expf");
        assert_eq!(near("my_tnahf", ["my_tanhf", "my_table"]), ["my_tanhf"]);
        assert_eq!(near("EXPF", ["expf"]), ["expf"]);
        assert_eq!(near("expf", ["expf_u10"]), ["expf_u10"]);
        assert!(near("frobnicate", ["expf", "sinf"]).is_empty());
        let known = ["my_expf", "my_exp2f", "my_logf", "helper"];
        assert_eq!(near("my_epf", known), ["my_expf"]);
        assert_eq!(near("expf", known), ["my_expf"]);
        assert_eq!(near("MyLogF", known)[0], "my_logf");
        assert_eq!(near("gamma", known), Vec::<String>::new());
    }

    #[test]
    fn distances_by_hand() {
        for (a, b, edits) in [("", "", 0), ("exp", "exp", 0), ("exp", "xp", 1), ("tanh", "tahn", 1), ("", "sin", 3)] {
            assert_eq!(distance(a.as_bytes(), b.as_bytes()), edits, "{a} {b}");
            assert_eq!(distance(b.as_bytes(), a.as_bytes()), edits, "{b} {a}");
        }
    }
}
