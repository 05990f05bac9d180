//! The reference page names every operation and type, and its example is a program.

use mathsmith_ir::{Op, Program, Type};

const PAGE: &str = include_str!("../../../docs/ir.md");

#[test]
fn every_operation_has_a_row() {
    let payloads = [Op::Convert(Type::F32), Op::Bitcast(Type::F32), Op::Table(0)];
    for op in Op::named().chain(payloads) {
        let name = op.name();
        let row = |line: &str| {
            let first = line.strip_prefix("| ").and_then(|l| l.split(" | ").next()).unwrap_or("");
            first.contains(&format!("`{name} ")) || first.contains(&format!("`{name}."))
        };
        assert!(PAGE.lines().any(row), "docs/ir.md has no row for `{name}`");
    }
    for ty in Type::ALL {
        assert!(PAGE.contains(&format!("`{ty}`")), "docs/ir.md does not mention `{ty}`");
    }
}

#[test]
fn the_example_is_a_program() {
    let start = PAGE.find("program exp2_f32").unwrap();
    let end = start + PAGE[start..].find("\n}\n").unwrap() + 3;
    let program: Program = PAGE[start..end].parse().unwrap();
    assert_eq!(program.to_string().parse::<Program>().unwrap(), program);
}
