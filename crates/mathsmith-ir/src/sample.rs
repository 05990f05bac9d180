//! Random well-typed programs and values, for property tests of engines, passes and the text form.
//!
//! Everything follows from the seed alone, so a failure is reproduced by its seed.

use crate::{Literal, Op, Program, RealLit, Type, Value};

/// The SplitMix64 generator (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, OOPSLA 2014).
#[derive(Clone, Debug)]
pub struct SplitMix(u64);

impl SplitMix {
    /// A generator whose numbers follow from the seed.
    pub fn new(seed: u64) -> Self {
        SplitMix(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`, which must not be 0.
    pub fn below(&mut self, n: usize) -> usize {
        (self.bits() % n as u64) as usize
    }

    /// One of the items, of which there must be at least one.
    pub fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }
}

/// A literal of the type: half of them specials and small numbers, half random bits.
pub fn literal(rng: &mut SplitMix, ty: Type) -> Literal {
    const SPECIAL: [f64; 16] = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        0.5,
        2.5,
        -3.5,
        0.1,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
        2_147_483_648.0,
        -9_223_372_036_854_775_808.0,
        f32::MIN_POSITIVE as f64,
        5e-324,
        f64::MAX,
    ];
    let plain = rng.below(2) == 0;
    let bits = rng.bits();
    match ty {
        Type::F32 if plain => Literal::F32(rng.pick(&SPECIAL) as f32),
        Type::F32 => Literal::F32(f32::from_bits(bits as u32)),
        Type::F64 if plain => Literal::F64(rng.pick(&SPECIAL)),
        Type::F64 => Literal::F64(f64::from_bits(bits)),
        Type::Real => {
            let x = (bits >> 11) as f64 * 2f64.powi(rng.below(40) as i32 - 60);
            let sign = if bits & 1 == 0 { 1.0 } else { -1.0 };
            let tail = if plain { 0.0 } else { (rng.bits() >> 8) as f64 * 2f64.powi(-180) };
            Literal::Real(RealLit::from_sum([sign * x, tail, tail * 2f64.powi(-70)]))
        }
        Type::I32 => Literal::I32(if plain { rng.pick(&[0, 1, -1, 31, 32, i32::MIN, i32::MAX]) } else { bits as i32 }),
        Type::I64 => Literal::I64(if plain { rng.pick(&[0, 1, -1, 63, 64, i64::MIN, i64::MAX]) } else { bits as i64 }),
        Type::Bool => Literal::Bool(bits & 1 == 0),
    }
}

/// A random program with inputs and parameters of the given types, about `size` operations and up to three outputs. Some
/// nodes are dead. `types` must not be empty.
pub fn program(seed: u64, types: &[Type], size: usize) -> Program {
    program_with(seed, types, size, &[])
}

/// As [`program`], with about a fifth of the operations from `extra`, such as [`Op::ELEMENTARY`] or [`Op::REDUCTIONS`].
pub fn program_with(seed: u64, types: &[Type], size: usize, extra: &[Op]) -> Program {
    let mut rng = SplitMix::new(seed);
    let mut p = Program::new(format!("random_{seed}"));
    let mut tables = Vec::new();
    for i in 0..1 + rng.below(3) {
        let ty = rng.pick(types);
        p.input(format!("x{i}"), ty);
    }
    let mut added = 0;
    for _ in 0..size * 30 {
        if added == size {
            break;
        }
        if rng.below(6) == 0 {
            let ty = rng.pick(types);
            let l = literal(&mut rng, ty);
            match rng.below(8) {
                0 => {
                    let value = (rng.below(2) == 0).then_some(l);
                    p.param(format!("c{}", p.params().len()), ty, value);
                }
                1 => {
                    let entries = (0..1 + rng.below(4)).map(|_| literal(&mut rng, ty)).collect();
                    tables.push(p.table(entries));
                }
                _ => {
                    p.lit(l);
                }
            }
        }
        let before = p.nodes().len();
        if let Some(op) = random_op(&mut rng, types, &tables, extra) {
            let args: Vec<Value> = (0..op.arity()).map(|_| Value(rng.below(before) as u32)).collect();
            if p.op(op, &args).is_ok() && p.nodes().len() > before {
                added += 1;
            }
        }
    }
    let nodes = p.nodes().len();
    for back in 1..=1 + rng.below(3) {
        p.output(Value(nodes.saturating_sub(back) as u32));
    }
    p
}

fn random_op(rng: &mut SplitMix, types: &[Type], tables: &[u32], extra: &[Op]) -> Option<Op> {
    // Nothing is drawn where there is no choice, so that the seeds of plain programs keep their meaning.
    if !extra.is_empty() && rng.below(3) == 0 {
        return Some(rng.pick(extra));
    }
    Some(match rng.below(10) {
        0 => Op::Convert(rng.pick(types)),
        1 => Op::Bitcast(rng.pick(types)),
        2 if !tables.is_empty() => Op::Table(rng.pick(tables)),
        3 => Op::Fma,
        4 => Op::Select,
        _ => {
            let op = rng.pick(&Op::PLAIN);
            let compares = matches!(op, Op::Eq | Op::Ne | Op::Lt | Op::Le | Op::Gt | Op::Ge);
            if compares && !types.contains(&Type::Bool) {
                return None;
            }
            op
        }
    })
}
