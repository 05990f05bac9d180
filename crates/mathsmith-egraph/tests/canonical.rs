//! Properties of canonical forms on random skeletons.

use mathsmith_egraph::lang::{Arith, Lang, operations, to_expr};
use mathsmith_egraph::{Contraction, Limits, Merger, RuleClass, canonical, expr::skeleton, field, quick_canonical};
use mathsmith_ir::sample::SplitMix;
use mathsmith_ir::{Literal, Op, Program, RealLit, Type, Value, real};

/// A random skeleton: every operation uses the one before; constants are free or, now and then, used again.
fn random(seed: u64, ops: usize, fma: bool) -> Program {
    let mut rng = SplitMix::new(seed);
    let mut p = Program::new("random");
    let x = p.input("x", Type::Real);
    let mut values: Vec<Value> = vec![x];
    let mut shared: Option<Value> = None;
    for i in 0..ops {
        let last = values[values.len() - 1];
        let mut other = |p: &mut Program, rng: &mut SplitMix| match rng.below(8) {
            0..=3 => {
                let value = Literal::Real(RealLit::new(0.5 + rng.below(1000) as f64 / 400.0));
                p.param(format!("c{i}_{}", p.params().len()), Type::Real, Some(value))
            }
            4 => *shared.get_or_insert_with(|| p.param("s", Type::Real, Some(Literal::Real(RealLit::new(1.25))))),
            5 => values[rng.below(values.len())],
            6 => p.lit(Literal::Real(RealLit::new(rng.below(4) as f64 - 1.0))),
            _ => x,
        };
        let (b, c) = (other(&mut p, &mut rng), other(&mut p, &mut rng));
        let v = match rng.below(if fma { 9 } else { 7 }) {
            0 | 1 => p.must(Op::Add, &[last, b]),
            2 | 3 => p.must(Op::Mul, &[last, b]),
            4 => p.must(Op::Sub, &[b, last]),
            5 => p.must(Op::Div, &[b, last]),
            6 => p.must(Op::Neg, &[last]),
            7 => p.must(Op::Fma, &[last, b, c]),
            _ => p.must(Op::Fma, &[b, c, last]),
        };
        values.push(v);
    }
    p.output(values[values.len() - 1]);
    p.compacted()
}

fn limits(fma: bool) -> Limits {
    let contraction = if fma { Contraction::Fused } else { Contraction::Separate };
    Limits { iterations: 3, nodes: 300, contraction, ..Limits::default() }
}

fn constants(p: &Program) -> Option<Vec<f64>> {
    p.params().iter().map(|q| q.value.and_then(Literal::to_f64)).collect()
}

#[test]
fn random_skeletons_keep_their_function_and_end_in_fixed_points() {
    let (mut compared, mut shorter) = (0, 0);
    for seed in 0..240 {
        let fma = seed % 2 == 1;
        let p = random(seed, 3 + (seed % 9) as usize, fma);
        let c = canonical(&p, &limits(fma));
        assert!(operations(&c.program) <= operations(&p), "\n{p}\nbecame\n{}", c.program);
        shorter += usize::from(operations(&c.program) < operations(&p));
        let again = canonical(&c.program, &limits(fma));
        assert_eq!((again.key, &again.program), (c.key, &c.program), "\n{p}");
        let (Some(cp), Some(cc)) = (constants(&p), constants(&c.program)) else { continue };
        for i in 0..12 {
            let x = 0.37 + 0.21 * f64::from(i);
            let a = real::eval(&p, &cp, &[x], &0.0).expect("real operations")[0];
            let b = real::eval(&c.program, &cc, &[x], &0.0).expect("real operations")[0];
            // Relative to a generous scale: both forms may cancel. A wrong form differs in the first digits.
            let close = (a - b).abs() <= 1e-5 * (1.0 + a.abs().max(b.abs()));
            let huge = !a.is_finite() || !b.is_finite() || a.abs().max(b.abs()) > 1e9;
            assert!(close || huge, "x = {x}: {a} and {b}\n{p}\nbecame\n{}", c.program);
            compared += usize::from(!huge);
        }
    }
    assert!(compared > 1500 && shorter > 60, "{compared} points, {shorter} shorter");
}

/// A value and its derivatives by the constants, modulo the prime.
type Dual = (u64, Vec<u64>);

fn combine(a: &Dual, fa: u64, b: &Dual, fb: u64, value: u64) -> Dual {
    let d = a.1.iter().zip(&b.1).map(|(x, y)| field::add(field::mul(fa, *x), field::mul(fb, *y))).collect();
    (value, d)
}

fn arith(op: Arith, v: &[&Dual]) -> Option<Dual> {
    let minus = field::neg(1);
    let product = |a: &Dual, b: &Dual| combine(a, b.0, b, a.0, field::mul(a.0, b.0));
    let sum = |a: &Dual, b: &Dual| combine(a, 1, b, 1, field::add(a.0, b.0));
    let negative = |a: &Dual| combine(a, minus, a, 0, field::neg(a.0));
    Some(match op {
        Arith::Add => sum(v[0], v[1]),
        Arith::Sub => sum(v[0], &negative(v[1])),
        Arith::Mul => product(v[0], v[1]),
        Arith::Div => {
            let i = field::inv(v[1].0)?;
            let q = field::mul(v[0].0, i);
            combine(v[0], i, v[1], field::neg(field::mul(q, i)), q)
        }
        Arith::Neg => negative(v[0]),
        Arith::Fma => sum(&product(v[0], v[1]), v[2]),
        Arith::Fms => sum(&product(v[0], v[1]), &negative(v[2])),
        Arith::Fnma => sum(v[2], &negative(&product(v[0], v[1]))),
        Arith::Fnms => negative(&sum(&product(v[0], v[1]), v[2])),
        _ => return None,
    })
}

/// Dimension of the family near random constants: the rank of the derivatives at many inputs. `None` if a division by 0
/// or an operation without derivative occurs.
fn dimension(p: &Program) -> Option<usize> {
    let n = p.params().len();
    let expr = to_expr(p);
    let mut rows: Vec<Vec<u64>> = Vec::new();
    for point in 0..2 * n as u64 + 2 {
        let mut v: Vec<Dual> = Vec::new();
        for node in expr.as_ref() {
            let args: Vec<&Dual> = egg::Language::children(node).iter().map(|&i| &v[usize::from(i)]).collect();
            let d = match node {
                Lang::Input(_) => (field::random(500 + point, 0), vec![0; n]),
                Lang::Const(i) => {
                    let unit = (0..n).map(|k| u64::from(k == *i as usize)).collect();
                    (field::random(400, u64::from(*i)), unit)
                }
                Lang::Lit(..) => (field::from_f64(node.as_literal()?.to_f64()?)?, vec![0; n]),
                Lang::Arith(op, _) => arith(*op, &args)?,
                Lang::List(_) => args[0].clone(),
                _ => return None,
            };
            v.push(d);
        }
        rows.push(v.pop()?.1);
    }
    let mut rank = 0;
    for column in 0..n {
        let Some(pivot) = (rank..rows.len()).find(|&r| rows[r][column] != 0) else { continue };
        rows.swap(rank, pivot);
        let inverse = field::inv(rows[rank][column])?;
        let (top, rest) = rows.split_at_mut(rank + 1);
        for row in rest {
            let f = field::mul(row[column], inverse);
            row.iter_mut().zip(&top[rank]).for_each(|(x, y)| *x = field::sub(*x, field::mul(f, *y)));
        }
        rank += 1;
    }
    Some(rank)
}

/// With the values carried along, the canonical family contains the given one; equal dimensions then mean that it is no
/// larger (in closure). Checked exactly, modulo a prime, and independently of the argument that extraction uses.
#[test]
fn families_keep_their_dimension() {
    let mut checked = 0;
    for seed in 0..300 {
        let fma = seed % 3 == 1;
        let p = random(9000 + seed, 2 + (seed % 8) as usize, fma);
        let c = canonical(&p, &limits(fma)).program;
        let q = quick_canonical(&p, RuleClass::Real).program;
        if let Some(d) = dimension(&p) {
            assert_eq!(dimension(&q), Some(d), "\n{p}\nbecame\n{q}");
            assert_eq!(dimension(&c), Some(d), "\n{p}\nbecame\n{c}");
            checked += 1;
        }
    }
    assert!(checked >= 200, "{checked}");
    let d = |t: &str| dimension(&skeleton(t, Type::Real).expect("a skeleton"));
    assert_eq!((d("C*C*x"), d("C*x + C"), d("C/(C*x + C)"), d("p0*x + p0")), (Some(1), Some(2), Some(2), Some(1)));
}

/// Keys are part of checkpoints: they must not change between platforms, nor unnoticed when rules or limits change (then
/// write the new ones here).
#[test]
fn keys_are_stable() {
    let key = |t: &str| canonical(&skeleton(t, Type::Real).expect("a skeleton"), &Limits::default()).key;
    assert_eq!(format!("{:032x}", key("C*x + C")), "b6f4ef7634910f9e696ae77d8cda339b");
    assert_eq!(format!("{:032x}", key("s = x*(x + C); (s + C)/(s + C)")), "b947b08ba72b23a0129a801e624166bc");
}

/// The order in which constants and operations were created does not matter.
#[test]
fn keys_do_not_depend_on_construction() {
    for (a, b) in [
        ("(x + C)*(y*C + C)", "(C + C*y)*(C + x)"),
        ("s = x + C; t = x + C; s*t + s", "t = x + C; s = x + C; t*s + s"),
        ("s = x + C; t = x + C; s*t + s", "t = x + C; s = x + C; t*s + t"),
        ("p0*x + p1*(x*x) + p0", "p1 + ((x*x)*p0 + x*p1)"),
        ("s = C*x; t = C*x; abs(s)*t + max(s, t)", "t = C*x; s = C*x; max(t, s) + s*abs(t)"),
    ] {
        let key = |t: &str| quick_canonical(&skeleton(t, Type::Real).expect("a skeleton"), RuleClass::Real).key;
        assert_eq!(key(a), key(b), "{a} and {b}");
    }
}

#[test]
fn random_candidates_are_merged_by_each_stage() {
    let mut merger = Merger::new(limits(false));
    for seed in 0..1500 {
        merger.insert(&random(20_000 + seed, 2 + (seed % 3) as usize, false));
    }
    let s = merger.stats();
    println!("{s}");
    assert_eq!(s.seen, 1500);
    assert!(s.hash_consed > 50 && s.quick_merged > 50 && s.egg_merged > 20, "{s}");
}
