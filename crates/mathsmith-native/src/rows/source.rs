//! The `main` around functions under test, in C and in Rust.

use super::layout::{offsets, row_size, size};
use super::{Call, Language, RowFunction};
use mathsmith_ir::Type;
use std::fmt::Write as _;

/// A C99 program: `functions_source` and the protocol around it.
pub(super) fn c(functions_source: &str, functions: &[RowFunction]) -> String {
    let mut text = String::new();
    for header in ["stdbool", "stdint", "stdio", "stdlib", "string"] {
        let _ = writeln!(text, "#include <{header}.h>");
    }
    text.push_str(functions_source);
    let mut cases = String::new();
    for (index, f) in functions.iter().enumerate() {
        let _ = write!(
            text,
            "
static int mathsmith_rows_{index}(unsigned long long rows) {{
    for (; rows > 0; rows--) {{
        unsigned char row[{in_room}], res[{out_room}];
        if (fread(row, 1, {in_size}, stdin) != {in_size}) return 3;
{body}        if (fwrite(res, 1, {out_size}, stdout) != {out_size}) return 4;
    }}
    return fflush(stdout) == 0 ? 0 : 4;
}}
",
            // C has no arrays of length zero.
            in_room = row_size(&f.inputs).max(1),
            out_room = row_size(&f.outputs).max(1),
            in_size = row_size(&f.inputs),
            out_size = row_size(&f.outputs),
            body = c_body(f),
        );
        let _ = writeln!(cases, "    case {index}: return mathsmith_rows_{index}(rows);");
    }
    let _ = write!(
        text,
        "
int main(int argc, char **argv) {{
    if (argc != 3) return 2;
    const unsigned long index = strtoul(argv[1], NULL, 10);
    const unsigned long long rows = strtoull(argv[2], NULL, 10);
    switch (index) {{
{cases}    default: return 2;
    }}
}}
"
    );
    text
}

/// Reads the inputs from `row`, calls, writes the outputs to `res`.
fn c_body(f: &RowFunction) -> String {
    let mut body = String::new();
    for (i, (ty, at)) in offsets(&f.inputs).enumerate() {
        let _ = match ty {
            // A `bool` with another representation than 0 or 1 is undefined behaviour, so it is not copied.
            Type::Bool => writeln!(body, "        const bool in{i} = row[{at}] != 0;"),
            _ => writeln!(body, "        {} in{i}; memcpy(&in{i}, row + {at}, sizeof in{i});", c_type(ty)),
        };
    }
    for (o, &ty) in f.outputs.iter().enumerate() {
        let _ = writeln!(body, "        {} out{o};", c_type(ty));
    }
    let _ = writeln!(body, "        {}", call(f, Language::C));
    for (o, (ty, at)) in offsets(&f.outputs).enumerate() {
        let _ = match ty {
            Type::Bool => writeln!(body, "        res[{at}] = out{o} ? 1 : 0;"),
            _ => writeln!(body, "        memcpy(res + {at}, &out{o}, sizeof out{o});"),
        };
    }
    body
}

fn c_type(ty: Type) -> &'static str {
    match ty {
        Type::F32 => "float",
        Type::F64 | Type::Real => "double",
        Type::I32 => "int32_t",
        Type::I64 => "int64_t",
        Type::Bool => "bool",
    }
}

/// A Rust program: `functions_source` and the protocol around it.
pub(super) fn rust(functions_source: &str, functions: &[RowFunction]) -> String {
    let mut text = functions_source.to_string();
    let mut cases = String::new();
    for (index, f) in functions.iter().enumerate() {
        let _ = write!(
            text,
            "
#[allow(unused)]
fn mathsmith_rows_{index}(rows: u64, input: &mut dyn std::io::Read, output: &mut dyn std::io::Write) -> u8 {{
    for _ in 0..rows {{
        let (mut row, mut res) = ([0u8; {in_size}], [0u8; {out_size}]);
        if input.read_exact(&mut row).is_err() {{ return 3; }}
{body}        if output.write_all(&res).is_err() {{ return 4; }}
    }}
    if output.flush().is_ok() {{ 0 }} else {{ 4 }}
}}
",
            in_size = row_size(&f.inputs),
            out_size = row_size(&f.outputs),
            body = rust_body(f),
        );
        let _ = writeln!(cases, "        Some({index}) => mathsmith_rows_{index}(rows, &mut input, &mut output),");
    }
    let _ = write!(
        text,
        "
#[allow(unused)]
fn main() -> std::process::ExitCode {{
    let arguments: Vec<u64> = std::env::args().skip(1).filter_map(|a| a.parse().ok()).collect();
    let &[index, rows] = arguments.as_slice() else {{ return std::process::ExitCode::from(2) }};
    let mut input = std::io::BufReader::with_capacity(1 << 16, std::io::stdin().lock());
    let mut output = std::io::BufWriter::with_capacity(1 << 16, std::io::stdout().lock());
    let code: u8 = match Some(index) {{
{cases}        _ => 2,
    }};
    std::process::ExitCode::from(code)
}}
"
    );
    text
}

/// Reads the inputs from `row`, calls, writes the outputs to `res`.
fn rust_body(f: &RowFunction) -> String {
    let mut body = String::new();
    for (i, (ty, at)) in offsets(&f.inputs).enumerate() {
        let end = at + size(ty);
        let _ = match ty {
            Type::Bool => writeln!(body, "        let in{i} = row[{at}] != 0;"),
            _ => writeln!(body, "        let in{i} = {ty}::from_ne_bytes(row[{at}..{end}].try_into().unwrap());"),
        };
    }
    for (o, &ty) in f.outputs.iter().enumerate() {
        let zero = if ty == Type::Bool { "false".into() } else { format!("0 as {ty}") };
        let _ = writeln!(body, "        let mut out{o} = {zero};");
    }
    let _ = writeln!(body, "        {}", call(f, Language::Rust));
    for (o, (ty, at)) in offsets(&f.outputs).enumerate() {
        let end = at + size(ty);
        let _ = match ty {
            Type::Bool => writeln!(body, "        res[{at}] = u8::from(out{o});"),
            _ => writeln!(body, "        res[{at}..{end}].copy_from_slice(&out{o}.to_ne_bytes());"),
        };
    }
    body
}

/// The statements that call `f`.
fn call(f: &RowFunction, language: Language) -> String {
    let list = |prefix: &str, n: usize| (0..n).map(|i| format!("{prefix}{i}")).collect::<Vec<_>>();
    let mut args = list("in", f.inputs.len());
    let name = &f.name;
    match &f.call {
        Call::Returns => format!("out0 = {name}({});", args.join(", ")),
        Call::OutPointers => {
            let reference = if language == Language::C { "&out" } else { "&mut out" };
            args.extend(list(reference, f.outputs.len()));
            format!("{name}({});", args.join(", "))
        }
        Call::Tuple => format!("({}) = {name}({});", list("out", f.outputs.len()).join(", "), args.join(", ")),
        Call::Statements(text) => text.clone(),
    }
}
