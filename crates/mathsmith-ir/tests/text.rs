//! The text form: exactness, messages, and no panic on any text.

use mathsmith_ir::sample::{self, SplitMix};
use mathsmith_ir::text::{literal_text, parse_literal};
use mathsmith_ir::{Literal, Node, Op, Program, Type, Value};

const MACHINE: [Type; 5] = [Type::F32, Type::F64, Type::I32, Type::I64, Type::Bool];

fn round_trips(p: &Program) {
    let text = p.to_string();
    let back: Program = text.parse().unwrap_or_else(|e| panic!("{e}\n{text}"));
    assert_eq!(&back, p, "{text}");
    assert_eq!(back.to_string(), text);
}

#[test]
fn random_programs_round_trip() {
    for seed in 0..1500 {
        round_trips(&sample::program(seed, &MACHINE, 3 + (seed % 30) as usize));
        round_trips(&sample::program(seed, &Type::ALL, 12));
        round_trips(&sample::program(seed, &[Type::Real, Type::Bool], 8));
        let extra: Vec<Op> = Op::ELEMENTARY.into_iter().chain(Op::REDUCTIONS).collect();
        round_trips(&sample::program_with(seed, &Type::ALL, 12, &extra));
    }
}

#[test]
fn literals_round_trip() {
    let mut rng = SplitMix::new(1);
    for _ in 0..3000 {
        for ty in Type::ALL {
            let l = sample::literal(&mut rng, ty);
            let text = literal_text(l);
            assert_eq!(parse_literal(&text, ty).unwrap_or_else(|e| panic!("{e}: {text}")), l, "{text}");
        }
    }
}

#[test]
fn every_node_order_round_trips() {
    // Literals where no operand makes them, inputs after operations, odd, repeated and label-like names, a dead tail.
    let mut p = Program::new("two words");
    let unused = p.lit(Literal::F32(3.0));
    let x = p.input("x", Type::F32);
    let y = p.must(Op::Neg, &[x]);
    let late = p.input("x", Type::F32);
    let odd = p.param("a \"quoted\" \\ name", Type::F32, Some(Literal::F32(f32::from_bits(0xffc0_0001))));
    let label = p.param("v2", Type::F32, None);
    let reserved = p.input("return", Type::F32);
    let two = p.lit(Literal::F32(2.0));
    let one = p.lit(Literal::F32(1.0));
    let z = p.must(Op::Sub, &[one, two]);
    let mut sum = z;
    for v in [late, odd, label, reserved, y, x] {
        sum = p.must(Op::Add, &[sum, v]);
    }
    p.lit(Literal::I64(7));
    p.output(sum);
    p.output(unused);
    p.output(Value(0));
    round_trips(&p);
    let mut q = Program::new("");
    round_trips(&q);
    let five = q.lit(Literal::I32(5));
    q.output(five);
    round_trips(&q);
    assert!(q.to_string().contains("return 5:i32"), "{q}");
}

#[test]
fn json_is_the_text() {
    for seed in 0..50 {
        let p = sample::program(seed, &Type::ALL, 15);
        let json = serde_json::to_string(&p).unwrap();
        assert_eq!(json, serde_json::to_string(&p.to_string()).unwrap());
        assert_eq!(serde_json::from_str::<Program>(&json).unwrap(), p);
    }
    let error = serde_json::from_str::<Program>("\"program p() -> () { retrun }\"").unwrap_err();
    assert!(error.to_string().contains("line 1, column"), "{error}");
}

#[test]
fn written_by_hand() {
    let text = "
        # exp2 on [0, 1], roughly
        program exp2(x: f32, k: i32) -> (f32, bool) {
          param c0: f32 = 1           # decimal
          param c1: f32
          table t: f32 = [1.0, 0x1.8p0, -inf]
          p = fma x, c1, c0
          s = table.t k
          q = mul p, s
          big = gt 0.1, q             # the literal takes the type of the other operand
          m = shl k, 3
          r = select big, q, 0.0
          u = select true, r, q
          return u, big
        }";
    let p: Program = text.parse().unwrap();
    assert_eq!(p.params()[0].value, Some(Literal::F32(1.0)));
    assert!(p.nodes().contains(&Node::Lit(Literal::F32(0.1))));
    assert!(p.nodes().contains(&Node::Lit(Literal::I32(3))));
    assert_eq!(p.outputs().len(), 2);
    round_trips(&p);
}

#[test]
fn decimals_are_rounded_once() {
    // 1 + 2^-24 is a tie of f32; one part in 10^40 decides, which rounding to f64 first would lose.
    let above = "1.0000000596046447753906250000000000000001";
    assert_eq!(parse_literal(above, Type::F32).unwrap(), Literal::F32(1.0 + f32::EPSILON));
    assert_eq!(parse_literal("1.000000059604644775390625", Type::F32).unwrap(), Literal::F32(1.0));
    assert_eq!(parse_literal("-0.0", Type::F64).unwrap(), Literal::F64(-0.0));
    assert_eq!(parse_literal("0xffffffff", Type::I32).unwrap(), Literal::I32(-1));
    assert_eq!(parse_literal("-2147483648", Type::I32).unwrap(), Literal::I32(i32::MIN));
    let Literal::Real(tenth) = parse_literal("0.1", Type::Real).unwrap() else { panic!("a real was asked for") };
    assert_eq!(tenth.0[0], 0.1);
    assert!(tenth.is_canonical() && tenth.0[2] != 0.0);
    let sum = parse_literal("0.1 + 0.2 - 0.3", Type::Real).unwrap();
    assert_eq!(sum, Literal::zero(Type::Real));
    for (bad, ty) in [
        ("1e39", Type::F32),
        ("1.5", Type::I32),
        ("2147483648", Type::I32),
        ("nan", Type::I64),
        ("nan(0x3f800000)", Type::F32),
        ("1", Type::Bool),
        ("true", Type::F32),
        ("1 + 2", Type::F64),
        ("1e99999", Type::Real),
        ("1:f32", Type::F64),
        ("", Type::F32),
    ] {
        assert!(parse_literal(bad, ty).is_err(), "{bad} as {ty}");
    }
}

#[test]
fn messages_say_where_what_and_how() {
    for (text, line, column, parts) in [
        ("", 1, 1, &["starts with `program`"][..]),
        ("program f(x: f33) -> (f32) {", 1, 14, &["unknown type `f33`", "did you mean `f32`?"]),
        ("program f(x: f32) -> (f32) {\n  y = fam x, x, x\n", 2, 7, &["unknown operation `fam`", "`fma`"]),
        ("program f(value: f32) -> (f32) {\n  y = neg valve\n", 2, 11, &["`valve` is not defined", "`value`"]),
        ("program f(x: f32) -> (f32) {\n y = add x\n", 2, 6, &["takes 2 operands, 1 given"]),
        ("program f(x: f32, i: i32) -> () {\n y = add x, i\n", 2, 6, &["not defined on (f32, i32)", "one type"]),
        ("program f(x: f32) -> (f32) {\n x = neg x\n", 2, 2, &["already defined"]),
        ("program f(x: f32) -> (f64) {\n return x\n}", 2, 9, &["declared f64", "f32"]),
        ("program f(x: f32) -> (f32) {\n return x\n} more", 3, 3, &["end of the text", "`more`"]),
        ("program f(x: f32) -> (f32) {\n y = neg x\n}", 3, 1, &["`return` is missing"]),
        ("program f(x: f32) -> (f32) {\n y = convert x\n", 2, 6, &["needs a payload", "convert.f32"]),
        ("program f(x: f32) -> (f32) {\n y = table.t x\n", 2, 12, &["table `t` is not defined"]),
        ("program f() -> (f32) {\n y = neg 1\n", 2, 10, &["write it, as in `1.5:f32`"]),
        ("program f(x: f32) -> (f32) {\n y = add x, 1.0f32\n", 2, 13, &["a type follows a colon"]),
        ("program f(x: f32) -> (f32) {\n y = add x; x\n", 2, 11, &["has no meaning here"]),
    ] {
        let error = text.parse::<Program>().unwrap_err();
        assert_eq!((error.line, error.column), (line, column), "{text}\n{error}");
        for part in parts {
            assert!(error.message.contains(part), "`{part}` not in: {error}");
        }
    }
}

#[test]
fn mutated_text_never_panics() {
    let words = [
        "(",
        ")",
        "{",
        "}",
        "=",
        ":",
        ",",
        "->",
        "-",
        "+",
        ".",
        "0x",
        "1e",
        "1e9999",
        "nan(",
        "inf",
        "true",
        "\"",
        "#",
        "return",
        "param",
        "table",
        "input",
        "program",
        "fma",
        "convert.",
        "v0",
        "x0",
        "f32",
        "real",
        "\u{e9}",
        "\n",
        "0x1p-1080",
        "99999999999999999999",
        "[",
        "]",
        "select",
        "table.t0",
        "bool",
    ];
    let mut rng = SplitMix::new(7);
    for round in 0..4000 {
        let mut text: Vec<char> = sample::program(round % 40, &Type::ALL, 8).to_string().chars().collect();
        for _ in 0..1 + rng.below(4) {
            let at = rng.below(text.len() + 1);
            match rng.below(4) {
                0 => text.truncate(at),
                1 => drop(text.splice(at..at, rng.pick(&words).chars())),
                2 if at < text.len() => drop(text.remove(at)),
                _ => {
                    let end = (at + rng.below(12)).min(text.len());
                    drop(text.splice(at..end, rng.pick(&words).chars()));
                }
            }
        }
        let text: String = text.into_iter().collect();
        if let Ok(p) = text.parse::<Program>() {
            round_trips(&p);
        }
    }
}
