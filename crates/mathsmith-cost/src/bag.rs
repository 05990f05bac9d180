//! Operations that are only counted: how often each occurs is known, how they depend on each other is not.
//!
//! Code in use is often described so. Its throughput follows by the same rule as that of programs ([`crate::cycles()`]):
//! work spread over the pipes, and the width of the front end. Latency would need the dependencies and has no figure.

use crate::cycles::{busiest, priced};
use crate::{CostError, Model};
use mathsmith_ir::{Program, kernels};
use std::collections::BTreeMap;

/// Modelled reciprocal throughput of counted operations, in cycles for each element. Keys are those of the model
/// (`fma.f32`, `shl.i32`).
///
/// For a machine that issues in order this is what the pipes and the front end allow at best.
///
/// # Errors
/// [`CostError::MissingOp`] for a key that the model does not have.
///
/// ```
/// use mathsmith_cost::{Model, cycles_of_counts};
/// let model = Model::builtin("x86-64-v3").unwrap();
/// // Four fused multiply-adds on two pipes of eight elements.
/// assert_eq!(cycles_of_counts([("fma.f32", 4)], &model), Ok(0.25));
/// assert!(cycles_of_counts([("fma.f23", 4)], &model).is_err());
/// ```
pub fn cycles_of_counts<K: AsRef<str>>(
    counts: impl IntoIterator<Item = (K, u32)>,
    model: &Model,
) -> Result<f64, CostError> {
    // Alike work is added up before it is spread, so that the order of the operations rounds nothing differently.
    let (mut work, mut uops): (BTreeMap<u32, f64>, f64) = (BTreeMap::new(), 0.0);
    for (key, count) in counts {
        let key = key.as_ref();
        let missing = || CostError::MissingOp { model: model.name.clone(), key: key.to_owned() };
        let op = model.op.get(key).ok_or_else(missing)?;
        let each = f64::from(count) / model.lanes(width(key));
        for (set, w) in &op.work {
            *work.entry(*set).or_default() += w * each;
        }
        uops += f64::from(op.uops) * each;
    }
    let work: Vec<(u32, f64)> = work.into_iter().collect();
    Ok(busiest(&work).max(uops / f64::from(model.issue_width)))
}

/// The counted operations of a program by the model's keys: elementary functions in their kernels' place, what is free
/// left out.
///
/// # Errors
/// As [`crate::cycles()`].
pub fn counts(program: &Program, model: &Model) -> Result<BTreeMap<String, u32>, CostError> {
    let mut out = BTreeMap::new();
    for op in priced(&kernels::lower(program), model)? {
        *out.entry(op.key.to_owned()).or_default() += 1;
    }
    Ok(out)
}

/// Bits of the widest type in a key, which says how many elements a vector has; truth values are as wide as a float. The
/// key of a table does not have the type of its index, which is taken to be 32 bits wide.
fn width(key: &str) -> u32 {
    let wide = |part: &str| matches!(part, "f64" | "i64");
    if key.split('.').skip(1).any(wide) { 64 } else { 32 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::for_each_typing;
    use mathsmith_ir::{Literal, Op, Type};

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-12 * b
    }

    #[test]
    fn a_bag_costs_what_a_program_of_its_operations_costs() {
        for name in ["x86-64-v3", "x86-64-v4", "aarch64", "x86-64-scalar"] {
            let model = Model::builtin(name).unwrap();
            // Each operation alone, then all of them in one program.
            for_each_typing(|program, _, op| {
                if matches!(op, Op::Table(_)) && program.inputs()[0].ty == Type::I64 {
                    return;
                }
                let cost = crate::cycles(program, &model).unwrap().throughput;
                let bag = cycles_of_counts(counts(program, &model).unwrap(), &model).unwrap();
                assert!(near(bag, cost), "{name}: {program}: {bag} and {cost}");
            });
            for file in ["exp2_fma", "exp2_plain", "branches", "rational", "reduced", "sine", "table"] {
                let path = format!("{}/tests/programs/{file}.model", env!("CARGO_MANIFEST_DIR"));
                let program: Program = std::fs::read_to_string(path).unwrap().parse().unwrap();
                let cost = crate::cycles(&program, &model).unwrap().throughput;
                let bag = cycles_of_counts(counts(&program, &model).unwrap(), &model).unwrap();
                assert!(near(bag, cost), "{name}: {file}: {bag} and {cost}");
            }
        }
    }

    #[test]
    fn counted_by_hand() {
        let model = Model::builtin("x86-64-v3").unwrap();
        let cycles = |counts: &[(&str, u32)]| cycles_of_counts(counts.iter().copied(), &model).unwrap();
        // Products and sums use different pipes; a division holds one pipe for three cycles.
        assert_eq!(cycles(&[("mul.f32", 4), ("add.f32", 4)]), 4.0 * 0.5 / 8.0);
        assert_eq!(cycles(&[("fma.f32", 8), ("mul.f32", 2), ("div.f32", 1)]), (10.0 + 3.0) / 2.0 / 8.0);
        // Doubles are four to a vector.
        assert_eq!(cycles(&[("fma.f64", 4)]), 4.0 * 0.5 / 4.0);
        assert_eq!(cycles(&[]), 0.0);
        // The front end: six a cycle.
        let mut p = Program::new("t");
        let x = p.input("x", Type::F32);
        let c = p.lit(Literal::F32(2.0));
        let y = p.must(Op::Fma, &[x, x, c]);
        p.output(y);
        assert_eq!(counts(&p, &model).unwrap(), BTreeMap::from([("fma.f32".to_owned(), 1)]));
    }
}
