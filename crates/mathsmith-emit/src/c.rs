//! C99: one function, with helpers that carry its name.
//!
//! **Contraction.** gcc outside ISO mode and clang fuse `a * b + c` where the processor can, which changes bits. clang
//! obeys `#pragma STDC FP_CONTRACT OFF` at the head of a block, which ends with the block; gcc ignores that pragma and
//! obeys `#pragma GCC optimize`, put between push and pop so that it does not leak. Both are written only for programs
//! that hold a product feeding a sum: gcc refuses to inline across differing options, whatever says `inline`, unless the
//! whole build has contraction off, and an `fma` program needs neither. `__builtin_assoc_barrier` would allow inlining,
//! but gcc 12 contracts through it where it vectorises.
//!
//! Fused operations are `fmaf` and `fma`, which are exact by the C standard: one instruction where the target has it, a
//! library routine where not. Unsigned arithmetic wraps; every shift count is masked; out-of-range conversions, undefined
//! in C, are decided before the cast.
//!
//! **Loops** over the function become vectors if a compiler inlines it and finds nothing in it that has to stay scalar.
//! gcc inlines what is longer than some thirty operations only where it says `inline`; after a prototype that does not say
//! so the definition is still the external one (C99, 6.7.4). `sqrtf` may have to set `errno`, which keeps loops scalar; clang knows
//! SSE's square root without that, and gcc needs `-fno-math-errno`.

use crate::rust::wrapped;
use crate::{Lang, literal, names, needs_contraction_guard};
use mathsmith_ir::{Literal, Node, Op, Program, Type, Value};
use std::collections::BTreeSet;
use std::fmt::Write;

pub(crate) fn type_name(ty: Type) -> &'static str {
    match ty {
        Type::F32 => "float",
        Type::F64 => "double",
        Type::I32 => "int32_t",
        Type::I64 => "int64_t",
        Type::Bool => "bool",
        Type::Real => unreachable!("check() refuses reals"),
    }
}

/// Helpers by suffix, `NAME` standing for the function's name.
const HELPERS: &[(&str, &str)] = &[
    (
        "sqrt_f32",
        "static inline float NAME_sqrt_f32(float x) {
#if defined(__clang__) && defined(__SSE2__)
    return _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(x)));
#else
    return sqrtf(x);
#endif
}",
    ),
    (
        "sqrt_f64",
        "static inline double NAME_sqrt_f64(double x) {
#if defined(__clang__) && defined(__SSE2__)
    return _mm_cvtsd_f64(_mm_sqrt_sd(_mm_set_sd(x), _mm_set_sd(x)));
#else
    return sqrt(x);
#endif
}",
    ),
    (
        "f32_to_i32",
        "static inline int32_t NAME_f32_to_i32(float x) {
    if (x >= 0x1p31f) return INT32_MAX;
    if (x >= -0x1p31f) return (int32_t)x;
    return x == x ? INT32_MIN : 0;
}",
    ),
    (
        "f32_to_i64",
        "static inline int64_t NAME_f32_to_i64(float x) {
    if (x >= 0x1p63f) return INT64_MAX;
    if (x >= -0x1p63f) return (int64_t)x;
    return x == x ? INT64_MIN : 0;
}",
    ),
    (
        "f64_to_i32",
        "static inline int32_t NAME_f64_to_i32(double x) {
    if (x >= 0x1p31) return INT32_MAX;
    if (x > -0x1.00000002p31) return (int32_t)x;
    return x == x ? INT32_MIN : 0;
}",
    ),
    (
        "f64_to_i64",
        "static inline int64_t NAME_f64_to_i64(double x) {
    if (x >= 0x1p63) return INT64_MAX;
    if (x >= -0x1p63) return (int64_t)x;
    return x == x ? INT64_MIN : 0;
}",
    ),
    (
        "f32_bits",
        "static inline int32_t NAME_f32_bits(float x) {
    int32_t b;
    memcpy(&b, &x, sizeof b);
    return b;
}",
    ),
    (
        "f64_bits",
        "static inline int64_t NAME_f64_bits(double x) {
    int64_t b;
    memcpy(&b, &x, sizeof b);
    return b;
}",
    ),
    (
        "bits_f32",
        "static inline float NAME_bits_f32(int32_t b) {
    float x;
    memcpy(&x, &b, sizeof x);
    return x;
}",
    ),
    (
        "bits_f64",
        "static inline double NAME_bits_f64(int64_t b) {
    double x;
    memcpy(&x, &b, sizeof x);
    return x;
}",
    ),
];

/// The source of a function; the caller has checked program and name.
pub(crate) fn function(program: &Program, name: &str, comment: &[String]) -> String {
    let mut w = Writer { program, name, inputs: names::inputs(program, name, Lang::C), helpers: BTreeSet::new() };
    let live = program.live();
    let mut body = String::new();
    for v in program.values().filter(|v| live[v.index()]) {
        if let Node::Op(op, _) = program.node(v) {
            let text = w.operation(op, v);
            // Writing to a string cannot fail.
            let _ = writeln!(body, "    const {} t{} = {text};", type_name(program.ty(v)), v.0);
        }
    }
    let outputs = program.outputs();
    let mut arguments: Vec<String> =
        w.inputs.iter().zip(program.inputs()).map(|(n, i)| format!("{} {n}", type_name(i.ty))).collect();
    let result = if let [v] = outputs {
        let _ = writeln!(body, "    return {};", w.operand(*v));
        type_name(program.ty(*v))
    } else {
        for (i, &v) in outputs.iter().enumerate() {
            arguments.push(format!("{} *out{i}", type_name(program.ty(v))));
            let _ = writeln!(body, "    *out{i} = {};", w.operand(v));
        }
        "void"
    };
    if arguments.is_empty() {
        arguments.push("void".into());
    }
    let guard = needs_contraction_guard(program);

    let mut out = String::new();
    if !comment.is_empty() {
        out.push_str("/*\n");
        for line in comment {
            // A comment may not end early.
            let _ = writeln!(out, "{}", format!(" * {}", line.replace("*/", "* /")).trim_end());
        }
        out.push_str(" */\n");
    }
    out.push_str(
        "#include <float.h>\n#include <math.h>\n#include <stdbool.h>\n#include <stdint.h>\n#include <string.h>\n\n",
    );
    if ["sqrt_f32", "sqrt_f64"].iter().any(|h| w.helpers.contains(h)) {
        // The last include before the blank line.
        out.insert_str(out.len() - 1, "#if defined(__clang__) && defined(__SSE2__)\n#include <emmintrin.h>\n#endif\n");
    }
    out.push_str(
        "#if defined(FLT_EVAL_METHOD) && (FLT_EVAL_METHOD == 1 || FLT_EVAL_METHOD == 2)\n\
         #error \"this target computes float in a wider format, which changes results; on 32-bit x86 use -msse2 -mfpmath=sse\"\n\
         #endif\n\n",
    );
    if guard {
        out.push_str(
            "/* A product and a sum must not be fused. clang obeys the pragma in the function, gcc this one. */\n\
             #if defined(__GNUC__) && !defined(__clang__)\n\
             #pragma GCC push_options\n\
             #pragma GCC optimize (\"fp-contract=off\")\n\
             #endif\n\n",
        );
    }
    for (suffix, source) in HELPERS.iter().filter(|(h, _)| w.helpers.contains(h)) {
        debug_assert!(source.contains(suffix));
        let _ = writeln!(out, "{}\n", source.replace("NAME", name));
    }
    for (i, table) in program.tables().iter().enumerate() {
        if program
            .nodes()
            .iter()
            .zip(&live)
            .any(|(n, &l)| l && matches!(n, Node::Op(Op::Table(t), _) if *t as usize == i))
        {
            let entries: Vec<String> = table.values.iter().map(|&l| literal::c(l)).collect();
            let _ = writeln!(
                out,
                "static const {} {name}_table{i}[{}] = {{\n{}}};\n",
                type_name(table.ty),
                entries.len(),
                wrapped(&entries, "    ")
            );
        }
    }
    // The prototype keeps -Wmissing-prototypes quiet.
    let signature = format!("{result} {name}({})", arguments.join(", "));
    let _ = writeln!(out, "{signature};\n");
    // clang inlines without a word, and warns of the helpers, which are static.
    out.push_str("#if defined(__GNUC__) && !defined(__clang__)\ninline\n#endif\n");
    let _ = writeln!(out, "{signature} {{");
    if guard {
        out.push_str(
            "#if defined(__clang__) || !defined(__GNUC__)\n\
             #pragma STDC FP_CONTRACT OFF\n\
             #endif\n",
        );
    }
    for (i, input) in w.inputs.iter().enumerate() {
        if !program.nodes().iter().zip(&live).any(|(n, &l)| l && *n == Node::Input(i as u32)) {
            let _ = writeln!(out, "    (void){input};");
        }
    }
    out.push_str(&body);
    out.push_str("}\n");
    if guard {
        out.push_str("\n#if defined(__GNUC__) && !defined(__clang__)\n#pragma GCC pop_options\n#endif\n");
    }
    out
}

struct Writer<'a> {
    program: &'a Program,
    name: &'a str,
    inputs: Vec<String>,
    helpers: BTreeSet<&'static str>,
}

impl Writer<'_> {
    fn operand(&mut self, v: Value) -> String {
        let lit = match self.program.node(v) {
            Node::Input(i) => return self.inputs[i as usize].clone(),
            Node::Op(..) => return format!("t{}", v.0),
            Node::Lit(l) => l,
            Node::Param(i) => {
                self.program.params()[i as usize].value.expect("check() refuses parameters without a value")
            }
        };
        match lit {
            // Other NaNs than the default one only differ where their bits are looked at.
            Literal::F32(x) if x.is_nan() && x.to_bits() != 0x7fc0_0000 => {
                let bits = literal::c(Literal::I32(x.to_bits() as i32));
                self.call("bits_f32", &[bits])
            }
            Literal::F64(x) if x.is_nan() && x.to_bits() != 0x7ff8_0000_0000_0000 => {
                let bits = literal::c(Literal::I64(x.to_bits() as i64));
                self.call("bits_f64", &[bits])
            }
            l => literal::c(l),
        }
    }

    fn call(&mut self, helper: &'static str, args: &[String]) -> String {
        self.helpers.insert(helper);
        format!("{}_{helper}({})", self.name, args.join(", "))
    }

    fn operation(&mut self, op: Op, v: Value) -> String {
        let node = self.program.node(v);
        let args = node.args();
        let of = self.program.ty(args[0]);
        let a = self.operand(args[0]);
        let b = args.get(1).map(|&b| self.operand(b)).unwrap_or_default();
        let c = args.get(2).map(|&c| self.operand(c)).unwrap_or_default();
        // Suffix of the library's float functions.
        let f = if of == Type::F32 { "f" } else { "" };
        let (signed, unsigned, mask) =
            if of == Type::I64 { ("int64_t", "uint64_t", 63) } else { ("int32_t", "uint32_t", 31) };
        let wrap = |sign: &str| format!("({signed})(({unsigned}){a} {sign} ({unsigned}){b})");
        match op {
            Op::Add if of.is_int() => wrap("+"),
            Op::Sub if of.is_int() => wrap("-"),
            Op::Mul if of.is_int() => wrap("*"),
            Op::Neg if of.is_int() => format!("({signed})(0u - ({unsigned}){a})"),
            Op::Abs if of.is_int() => format!("{a} < 0 ? ({signed})(0u - ({unsigned}){a}) : {a}"),
            Op::Add => format!("{a} + {b}"),
            Op::Sub => format!("{a} - {b}"),
            Op::Mul => format!("{a} * {b}"),
            Op::Div => format!("{a} / {b}"),
            Op::Fma => format!("fma{f}({a}, {b}, {c})"),
            Op::Neg => format!("-{a}"),
            Op::Abs => format!("fabs{f}({a})"),
            Op::Min => format!("{a} < {b} ? {a} : {b}"),
            Op::Max => format!("{a} > {b} ? {a} : {b}"),
            Op::Sign => format!("{a} > 0 ? 1 : ({a} < 0 ? -1 : {a})"),
            Op::Sqrt => self.call(if of == Type::F32 { "sqrt_f32" } else { "sqrt_f64" }, &[a]),
            Op::Floor | Op::Ceil | Op::Trunc => format!("{}{f}({a})", op.name()),
            Op::RoundEven => format!("rint{f}({a})"),
            Op::CopySign => format!("copysign{f}({a}, {b})"),
            Op::Eq => format!("{a} == {b}"),
            Op::Ne => format!("{a} != {b}"),
            Op::Lt => format!("{a} < {b}"),
            Op::Le => format!("{a} <= {b}"),
            Op::Gt => format!("{a} > {b}"),
            Op::Ge => format!("{a} >= {b}"),
            Op::Select => format!("{a} ? {b} : {c}"),
            Op::Convert(to) => match (of, to) {
                (Type::F32, Type::I32) => self.call("f32_to_i32", &[a]),
                (Type::F32, Type::I64) => self.call("f32_to_i64", &[a]),
                (Type::F64, Type::I32) => self.call("f64_to_i32", &[a]),
                (Type::F64, Type::I64) => self.call("f64_to_i64", &[a]),
                (Type::I64, Type::I32) => format!("(int32_t)(uint32_t)(uint64_t){a}"),
                _ => format!("({}){a}", type_name(to)),
            },
            Op::Bitcast(Type::I32) => self.call("f32_bits", &[a]),
            Op::Bitcast(Type::I64) => self.call("f64_bits", &[a]),
            Op::Bitcast(Type::F32) => self.call("bits_f32", &[a]),
            Op::Bitcast(_) => self.call("bits_f64", &[a]),
            Op::And => format!("{a} & {b}"),
            Op::Or => format!("{a} | {b}"),
            Op::Xor => format!("{a} ^ {b}"),
            Op::Not if of == Type::Bool => format!("!{a}"),
            Op::Not => format!("~{a}"),
            Op::Shl => format!("({signed})(({unsigned}){a} << ({b} & {mask}))"),
            // The shift of a negative number is arithmetic in every compiler, though C leaves it to them.
            Op::Shr => format!("{a} >> ({b} & {mask})"),
            Op::ShrLogical => format!("({signed})(({unsigned}){a} >> ({b} & {mask}))"),
            Op::Exp
            | Op::Log
            | Op::Pow
            | Op::Sin
            | Op::Cos
            | Op::Tan
            | Op::Asin
            | Op::Acos
            | Op::Atan
            | Op::Sum
            | Op::Norm
            | Op::Dot => {
                unreachable!("`{}` is lowered or refused before anything is written", op.name())
            }
            Op::Table(t) => {
                let last = self.program.tables()[t as usize].values.len() - 1;
                format!("{}_table{t}[{a} < 0 ? 0 : ({a} > {last} ? {last} : {a})]", self.name)
            }
        }
    }
}
