//! The machine models that ship, and files like them.

use mathsmith_cost::{CostError, Model, cycles, keys, size};
use mathsmith_ir::{Literal, Op, Program, Type};
use std::path::Path;

fn all() -> Vec<Model> {
    Model::names().into_iter().map(|n| Model::builtin(n).unwrap_or_else(|e| panic!("{e}"))).collect()
}

#[test]
fn every_model_has_every_operation_of_the_ir() {
    // 25 operations on each float type, 21 on each integer type, and those on truth values, conversions and tables.
    assert!(keys().len() > 100 && keys().contains("fma.f32") && keys().contains("convert.i64.f64"));
    for m in all() {
        let missing: Vec<_> = keys().iter().filter(|k| !m.op.contains_key(*k)).collect();
        assert!(missing.is_empty(), "{} lacks {missing:?}", m.name);
        assert_eq!(m.op.len(), keys().len(), "{}", m.name);
    }
}

#[test]
fn figures_make_sense() {
    for m in all() {
        for (key, op) in &m.op {
            let at = format!("{} {key}: {op:?}", m.name);
            // The file's head explains every source; an estimate says what it is made of.
            assert!(matches!(op.source.as_str(), "mca" | "seq" | "est"), "{at}");
            assert!(op.source != "est" || op.note.is_some(), "{at}");
            assert_eq!(op.source == "seq", op.source != "est" && op.code.contains(';'), "{at}");
            assert!(op.cycles() > 0.0 && op.cycles() <= 100.0 && op.latency <= 150.0, "{at}");
            // Nothing runs faster than it is issued.
            assert!(op.uops as usize >= op.code.matches(';').count().min(1), "{at}");
            assert!(op.bytes as usize >= op.code.split(';').count(), "{at}");
        }
        for ty in ["f32", "f64"] {
            let op = |name: &str| &m.op[&format!("{name}.{ty}")];
            let (mul, fma, div, sqrt) = (op("mul"), op("fma"), op("div"), op("sqrt"));
            assert!(div.latency > mul.latency && div.cycles() > mul.cycles(), "{}", m.name);
            assert!(sqrt.latency > mul.latency && sqrt.cycles() > mul.cycles(), "{}", m.name);
            // A fused step is never quicker than its product, and where there is such an instruction it beats two.
            assert!(fma.latency >= mul.latency && fma.cycles() >= mul.cycles(), "{}", m.name);
            if m.name != "x86-64-scalar" {
                assert!(fma.latency < op("add").latency + mul.latency + 1.0, "{}", m.name);
            } else {
                assert!(fma.cycles() > 4.0 * (mul.cycles() + op("add").cycles()), "{}", m.name);
            }
            assert!(op("neg").latency <= op("add").latency.max(3.0), "{}", m.name);
            assert!(op("table").latency > op("abs").latency, "{}", m.name);
            // Each f64 operation is on half as many elements, and no cheaper.
            assert!(m.op[&format!("{}.f64", "mul")].cycles() >= m.op["mul.f32"].cycles(), "{}", m.name);
        }
    }
}

#[test]
fn wide_vectors_are_quicker_than_narrow_ones_and_than_scalars() {
    let p: Program = include_str!("programs/exp2_fma.model").parse().unwrap();
    let time = |name: &str| cycles(&p, &Model::builtin(name).unwrap()).unwrap().throughput;
    // Two fma of 256 bits a cycle, one of 512 bits, four of 128 bits: the same figure from three machines.
    assert_eq!(time("x86-64-v3"), 6.0 / 16.0);
    assert_eq!(time("x86-64-v4"), 6.0 / 16.0);
    assert_eq!(time("aarch64"), 6.0 / 16.0);
    assert!(time("cortex-m7") > 20.0 && time("x86-64-scalar") > time("cortex-m7"));
}

/// Each `programs/*.model` holds a program and, behind it, a line for each model. `MATHSMITH_BLESS=1` writes the lines.
#[test]
fn programs_cost_what_is_on_file() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs");
    let bless = std::env::var("MATHSMITH_BLESS").is_ok_and(|v| v == "1");
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 7, "{files:?}");
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let (program, found) = text.split_at(text.find("\n}\n").expect("a program") + 3);
        let parsed: Program = program.parse().unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        let mut lines = String::new();
        for m in all() {
            let (c, bytes) = (cycles(&parsed, &m).unwrap(), size(&parsed, &m).unwrap());
            let (name, throughput, latency) = (&m.name, c.throughput, c.latency);
            lines += &format!("# {name:13} throughput {throughput:8.4}  latency {latency:6.1}  bytes {bytes:5}\n");
        }
        if bless {
            std::fs::write(&file, format!("{program}{lines}")).unwrap();
        } else {
            assert_eq!(found, lines, "{}", file.display());
        }
    }
}

#[test]
fn models_from_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.toml");
    let name = path.to_str().unwrap();
    let good = "schema = 2\nname = \"mine\"\ndescription = \"d\"\nscalar = true\nissue_width = 1\npipes = [\"A\"]\n\
                literal_bytes = 4\nfunction_bytes = 1\n[op]\n\"add.f32\" = { latency = 2, uops = 1, bytes = 4, \
                pipes = { A = 1 }, code = \"add\", source = \"manual\" }\n";
    std::fs::write(&path, good).unwrap();
    let m = Model::load(name).unwrap();
    let mut p = Program::new("t");
    let x = p.input("x", Type::F32);
    let one = p.lit(Literal::F32(1.5));
    let y = p.must(Op::Add, &[x, one]);
    p.output(y);
    let c = cycles(&p, &m).unwrap();
    assert_eq!((c.throughput, c.latency, size(&p, &m).unwrap()), (1.0, 2.0, 4 + 4 + 4 + 1));
    let z = p.must(Op::Sqrt, &[y]);
    p.set_outputs(vec![z]);
    assert_eq!(cycles(&p, &m), Err(CostError::MissingOp { model: "mine".into(), key: "sqrt.f32".into() }));
    // Each fault is named, and the file with it.
    for (from, to, says) in [
        ("schema = 2", "schema = 1", "schema 1 is not known"),
        ("schema = 2\n", "", "`schema = 2`"),
        ("scalar = true\n", "", "give `vector_bits`"),
        ("scalar = true", "scalar = true\nvector_bits = 128", "exclude each other"),
        ("scalar = true", "vector_bits = 100", "power of two"),
        ("issue_width = 1", "issue_width = 0", "issue_width"),
        ("issue_width = 1", "issue_width = \"x\"", "line 5"),
        ("pipes = [\"A\"]", "pipes = []", "0 pipes"),
        ("pipes = [\"A\"]", "pipes = [\"A\", \"A\"]", "`A` occurs twice"),
        ("{ A = 1 }", "{ B = 1 }", "there is no pipe `B`; the model has A"),
        ("{ A = 1 }", "{ A = -1 }", "busy for -1"),
        ("{ A = 1 }", "{ }", "no pipe"),
        ("{ A = 1 }", "{ \" \" = 1 }", "empty"),
        ("latency = 2", "latency = nan", "latency is NaN"),
        ("uops = 1", "uops = 0", "uops and bytes"),
        ("source = \"manual\"", "source = \" \"", "no source"),
        ("add.f32", "ad.f32", "did you mean `add.f32`"),
        ("latency = 2", "latncy = 2", "latncy"),
        ("[op]", "[op", "line"),
    ] {
        assert!(good.contains(from));
        std::fs::write(&path, good.replacen(from, to, 1)).unwrap();
        let e = Model::load(name).unwrap_err();
        let text = e.to_string();
        assert!(matches!(e, CostError::Malformed { .. }) && text.contains(name) && text.contains(says), "{to}: {text}");
    }
    std::fs::remove_file(&path).unwrap();
    let e = Model::load(name).unwrap_err().to_string();
    assert!(e.contains("mine.toml` cannot be read") && e.contains("x86-64-v3, x86-64-v4"), "{e}");
    assert!(Model::load("./").is_err());
    let e = Model::load("arch64").unwrap_err().to_string();
    assert!(e.contains("`aarch64`") && e.contains("cortex-m7") && e.contains("mine.toml"), "{e}");
    for n in Model::names() {
        assert_eq!(Model::load(n).unwrap().name, n);
    }
}
