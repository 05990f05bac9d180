//! Random programs and columns, and the comparison of two engines on them.

use mathsmith_ir::{Column, ColumnMut, ColumnRef, Engine, Literal, Node, Op, Program, Type, Value};

/// SplitMix64: a small generator with a fixed stream for each seed.
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Rng {
        Rng(seed)
    }
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
    pub fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }
}

const F64_SPECIALS: [f64; 22] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    1.5,
    2.5,
    -2.5,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
    f64::MIN_POSITIVE,
    5e-324,
    f64::MAX,
    2147483647.5,
    -2147483648.5,
    9.223372036854776e18,
    -9.223372036854776e18,
    4503599627370497.5,
    8388609.0,
    1e-40,
    -3.0e9,
];

/// A literal of type `ty`: a special value, a number of ordinary size, or random bits.
pub fn literal(rng: &mut Rng, ty: Type) -> Literal {
    let kind = rng.below(3);
    let ordinary = (rng.next() >> 40) as f64 / 1024.0 - 8192.0;
    match ty {
        Type::F32 => Literal::F32(match kind {
            0 => rng.pick(&F64_SPECIALS) as f32,
            1 => ordinary as f32,
            _ => f32::from_bits(rng.next() as u32),
        }),
        Type::F64 | Type::Real => Literal::F64(match kind {
            0 => rng.pick(&F64_SPECIALS),
            1 => ordinary,
            _ => f64::from_bits(rng.next()),
        }),
        Type::I32 => Literal::I32(match kind {
            0 => rng.pick(&[0, 1, -1, 31, 32, 33, i32::MIN, i32::MAX, 23, 127]),
            1 => ordinary as i32,
            _ => rng.next() as i32,
        }),
        Type::I64 => Literal::I64(match kind {
            0 => rng.pick(&[0, 1, -1, 63, 64, 65, i64::MIN, i64::MAX, 52, 1 << 32]),
            1 => ordinary as i64,
            _ => rng.next() as i64,
        }),
        Type::Bool => Literal::Bool(rng.next() & 1 == 1),
    }
}

/// A column of `rows` such literals.
pub fn column(rng: &mut Rng, ty: Type, rows: usize) -> Column {
    let mut column = Column::zeros(ty, rows);
    for row in 0..rows {
        match (&mut column, literal(rng, ty)) {
            (Column::F32(v), Literal::F32(x)) => v[row] = x,
            (Column::F64(v), Literal::F64(x)) => v[row] = x,
            (Column::I32(v), Literal::I32(x)) => v[row] = x,
            (Column::I64(v), Literal::I64(x)) => v[row] = x,
            (Column::Bool(v), Literal::Bool(x)) => v[row] = x,
            _ => unreachable!("the literal has the column's type"),
        }
    }
    column
}

/// A random program, and how many of its last outputs are witnesses.
///
/// Payload and sign of a computed NaN are not part of the semantics, but `bitcast` and `copysign` make them visible. The
/// values that such operations look at are outputs too ("witnesses"): rows in which one is NaN are not compared.
pub struct RandomProgram {
    pub program: Program,
    pub witnesses: usize,
}

/// Builds a program of up to `ops` operations over `types`.
pub fn random_program(rng: &mut Rng, types: &[Type], ops: usize) -> RandomProgram {
    let mut p = Program::new("random");
    let mut values: Vec<Value> = Vec::new();
    for i in 0..1 + rng.below(3) {
        let ty = rng.pick(types);
        values.push(p.input(format!("x{i}"), ty));
    }
    for i in 0..rng.below(3) {
        let ty = rng.pick(types);
        values.push(p.param(format!("c{i}"), ty, None));
    }
    for _ in 0..1 + rng.below(4) {
        let ty = rng.pick(types);
        let l = literal(rng, ty);
        values.push(p.lit(l));
    }
    let mut choices = Op::PLAIN.to_vec();
    for &ty in types {
        choices.extend([Op::Convert(ty), Op::Bitcast(ty)]);
    }
    let entries = 1 + rng.below(6);
    let ty = rng.pick(types);
    let entries = (0..entries).map(|_| literal(rng, ty)).collect();
    choices.push(Op::Table(p.table(entries)));
    let mut witnesses = Vec::new();
    let mut tries = 0;
    let mut done = 0;
    while done < ops && tries < 40 * ops {
        tries += 1;
        let op = rng.pick(&choices);
        // Late values are preferred, so that programs are deep and not only wide.
        let args: Vec<Value> = (0..op.arity())
            .map(|_| {
                let span = if rng.below(2) == 0 { values.len() } else { values.len().min(4) };
                values[values.len() - 1 - rng.below(span)]
            })
            .collect();
        let Ok(v) = p.op(op, &args) else { continue };
        done += 1;
        values.push(v);
        let looked_at = match op {
            Op::Bitcast(_) if p.ty(args[0]).is_float() => Some(args[0]),
            Op::CopySign => Some(args[1]),
            _ => None,
        };
        if let Some(w) = looked_at.filter(|&w| matches!(p.node(w), Node::Op(..))) {
            witnesses.push(w);
        }
    }
    p.output(*values.last().expect("there is an input"));
    for _ in 0..rng.below(3) {
        p.output(rng.pick(&values));
    }
    let witnesses = if rng.below(4) == 0 { all_floats(&p, &values) } else { witnesses };
    for &w in &witnesses {
        p.output(w);
    }
    RandomProgram { program: p, witnesses: witnesses.len() }
}

/// Every float value: now and then all of them are outputs, so that nothing hides behind a comparison.
fn all_floats(p: &Program, values: &[Value]) -> Vec<Value> {
    values.iter().copied().filter(|&v| p.ty(v).is_float()).collect()
}

/// Runs `engine` into fresh columns.
pub fn run(engine: &mut dyn Engine, p: &Program, params: &[Literal], inputs: &[Column], rows: usize) -> Vec<Column> {
    let refs: Vec<ColumnRef<'_>> = inputs.iter().map(Column::as_ref).collect();
    let mut outputs: Vec<Column> = p.outputs().iter().map(|&v| Column::zeros(p.ty(v), rows)).collect();
    let mut muts: Vec<ColumnMut<'_>> = outputs.iter_mut().map(Column::as_mut).collect();
    engine.run(params, &refs, &mut muts).expect("the arguments fit the program");
    outputs
}

/// Bits of one value, NaN being one class.
pub fn class_bits(column: &Column, row: usize) -> u64 {
    match column {
        Column::F32(v) if v[row].is_nan() => u64::MAX,
        Column::F32(v) => u64::from(v[row].to_bits()),
        Column::F64(v) if v[row].is_nan() => u64::MAX,
        Column::F64(v) => v[row].to_bits(),
        Column::I32(v) => u64::from(v[row] as u32),
        Column::I64(v) => v[row] as u64,
        Column::Bool(v) => u64::from(v[row]),
    }
}

/// Whether the value is a float NaN.
pub fn is_nan(column: &Column, row: usize) -> bool {
    match column {
        Column::F32(v) => v[row].is_nan(),
        Column::F64(v) => v[row].is_nan(),
        _ => false,
    }
}
