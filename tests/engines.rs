//! One corpus, every engine: the interpreter, the JIT in each of its shapes, and emitted C and Rust under several compilers
//! and flags compute the bits that `tests/cases` expects, NaN being one class.
//!
//! Nothing is left out in silence. A compiler that is not installed fails the test with the name of its package, an
//! engine that refuses a program must be entitled to, and the number of programs that ran is compared with the corpus.
//!
//! The corpus holds what its authors thought of; random programs, checked against the interpreter, go through the same
//! compilers for the rest.

use mathsmith_emit::{EmitError, Lang, emit_function};
use mathsmith_ir::corpus::{self, Case, Mismatch, Run};
use mathsmith_ir::sample::{self, SplitMix};
use mathsmith_ir::{Column, Engine, EngineError, Interpreter, Literal, Node, Op, Program, Type, kernels, staged};
use mathsmith_jit::{Compiler as Jit, EngineKind, Host, Lanes, engine_for, engine_on};
use mathsmith_native::{Compiler, Language, RowBinary, RowFunction, RowProgram, Toolchain};
use std::collections::BTreeSet;
use std::path::Path;

/// Programs of the corpus that compute with reals, which have no machine form. There are none: the format of the corpus
/// has no real values, and exact arithmetic inside a program would be refused by every engine here.
const REAL_PROGRAMS: &[&str] = &[];

/// The file of programs that add up rows. One kernel or one emitted function handles each row on its own and refuses them;
/// the interpreter and the engine of several kernels run them.
const REDUCTIONS: &str = "reductions.case";

/// Flags for C compilers. Without `-march` the base level of x86-64 has no fused multiply-add, so that `fma` is a library
/// routine; with it gcc contracts by default what the emitted source must forbid.
const C_FLAGS: &[&[&str]] =
    &[&["-O2", "-march=native"], &["-O2", "-march=native", "-ffp-contract=off"], &["-O2"], &["-O0", "-std=c99"]];

/// Flags for rustc: fused multiply-add in software, by instruction, and everything checked for overflow.
const RUST_FLAGS: &[&[&str]] = &[&["-O"], &["-O", "-Ctarget-cpu=native"], &["-Copt-level=0", "-Cdebug-assertions=on"]];

fn cases() -> Vec<Case> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases");
    let cases = corpus::load_dir(dir).unwrap_or_else(|e| panic!("{e}"));
    let real: Vec<&str> = cases.iter().map(|c| &c.program).filter(|p| uses_real(p)).map(Program::name).collect();
    assert_eq!(real, REAL_PROGRAMS, "programs with reals");
    assert!(cases.len() >= 200, "only {} programs were found", cases.len());
    cases
}

/// The cases whose rows do not depend on each other, after a look at what is left out.
fn row_cases() -> Vec<Case> {
    let (reducing, rows): (Vec<Case>, Vec<Case>) =
        cases().into_iter().partition(|c| staged::has_reductions(&c.program));
    assert!(reducing.len() >= 60, "only {} programs reduce", reducing.len());
    for case in &reducing {
        assert!(case.path.ends_with(REDUCTIONS), "`{}` reduces, but is not in {REDUCTIONS}", case.program.name());
    }
    rows
}

fn uses_real(p: &Program) -> bool {
    p.values().any(|v| p.ty(v) == Type::Real)
}

/// Live operations of a program.
fn live_ops(p: &Program) -> impl Iterator<Item = Op> + '_ {
    let live = p.live();
    p.values().filter(move |v| live[v.index()]).filter_map(|v| match p.node(v) {
        Node::Op(op, _) => Some(op),
        _ => None,
    })
}

// ---- engines inside this process ----

#[test]
fn interpreter() {
    for case in &cases() {
        let refused = |e: EngineError| panic!("`{}`: {e}", case.program.name());
        let fast = Interpreter::new(&case.program).unwrap_or_else(refused);
        let plain = Interpreter::new(&case.program).unwrap_or_else(refused).without_vectors();
        for mut engine in [fast, plain] {
            corpus::check(&mut engine, case).unwrap_or_else(|e| panic!("{e}"));
        }
    }
}

#[test]
fn jit_scalar_and_automatic() {
    let mut jit = Jit::new(&Host::detect()).expect("a machine for which kernels are compiled");
    for case in &row_cases() {
        for lanes in [Lanes::Scalar, Lanes::Auto] {
            let mut kernel = jit.compile(&case.program, lanes).unwrap_or_else(|e| panic!("{lanes:?}: {e}"));
            corpus::check(&mut kernel, case).unwrap_or_else(|e| panic!("{lanes:?}, {} lanes: {e}", kernel.lanes()));
        }
    }
}

#[test]
fn jit_vectors() {
    let mut jit = Jit::new(&Host::detect()).expect("a machine for which kernels are compiled");
    let (mut ran, mut mixed) = (0, 0);
    for case in &row_cases() {
        let p = &case.program;
        match jit.compile(p, Lanes::Simd128) {
            Ok(mut kernel) => {
                assert!(kernel.lanes() > 1, "`{}` has a scalar kernel", p.name());
                corpus::check(&mut kernel, case).unwrap_or_else(|e| panic!("{} lanes: {e}", kernel.lanes()));
                ran += 1;
            }
            // Lanes have one width: a program may only be refused if its values have two.
            Err(refused) => {
                let p = &*kernels::lower(p);
                let live = p.live();
                let values = p.values().filter(|v| live[v.index()]);
                let widths: BTreeSet<_> = values.filter_map(|v| p.ty(v).bits()).filter(|&bits| bits > 1).collect();
                assert_eq!(widths.len(), 2, "`{}` was refused: {refused}", p.name());
                assert!(refused.to_string().contains("mixes 32-bit and 64-bit"), "{refused}");
                mixed += 1;
            }
        }
    }
    println!("{ran} programs in vectors, {mixed} of mixed width");
    assert!(ran > 4 * mixed, "{ran} programs ran in vectors, {mixed} were refused");
}

#[test]
fn jit_chosen_for_this_machine() {
    let fma = Host::detect().has_fma();
    for case in &cases() {
        let (mut engine, kind) = engine_for(&case.program).unwrap_or_else(|e| panic!("{e}"));
        let native = matches!(kind, EngineKind::Jit { .. });
        let fused = live_ops(&case.program).any(|op| op == Op::Fma);
        assert_eq!(native, fma || !fused, "`{}` runs in: {kind}", case.program.name());
        corpus::check(engine.as_mut(), case).unwrap_or_else(|e| panic!("{kind}: {e}"));
    }
}

#[test]
fn jit_on_a_machine_without_fma_interprets_fused_programs_and_says_so() {
    let host = Host::without_fma();
    let (mut native, mut interpreted) = (0, 0);
    for case in &cases() {
        let (mut engine, kind) = engine_on(&host, &case.program).unwrap_or_else(|e| panic!("{e}"));
        let fused = live_ops(&case.program).any(|op| op == Op::Fma);
        match &kind {
            EngineKind::Jit { .. } => native += 1,
            EngineKind::Interpreter { reason } => {
                assert!(reason.contains("no fused multiply-add"), "{reason}");
                assert!(kind.to_string().starts_with("interpreter, because "), "{kind}");
                interpreted += 1;
            }
        }
        assert_eq!(fused, matches!(kind, EngineKind::Interpreter { .. }), "`{}`: {kind}", case.program.name());
        corpus::check(engine.as_mut(), case).unwrap_or_else(|e| panic!("{kind}: {e}"));
    }
    println!("{native} programs native, {interpreted} interpreted");
    assert!(native > 0 && interpreted > 0, "{native} native, {interpreted} interpreted");
}

// ---- compiled source ----

fn language(lang: Lang) -> Language {
    match lang {
        Lang::C => Language::C,
        Lang::Rust => Language::Rust,
    }
}

/// One translation unit that holds every program, each under the name `case_` and its index.
fn source_of<'a>(programs: impl IntoIterator<Item = &'a Program>, lang: Lang) -> RowProgram {
    let mut rows = RowProgram::new(language(lang), "");
    for (i, p) in programs.into_iter().enumerate() {
        let name = format!("case_{i}");
        let source = emit_function(p, lang, &name, &[]).unwrap_or_else(|e| panic!("`{}`: {e}", p.name()));
        let function = RowFunction::of(p, name, language(lang));
        assert_eq!(rows.add(&source, function).unwrap_or_else(|e| panic!("{e}")), i);
    }
    rows
}

/// Compiles with each of the flags and hands the results to `check` with their command line.
///
/// A missing compiler panics with the package that holds it: `make setup` installs all of them.
fn for_each_build(rows: &RowProgram, compiler: Compiler, flags: &[&[&str]], check: impl Fn(&RowBinary, &str)) {
    let toolchain = Toolchain::detect();
    for flags in flags {
        let binary = rows.build(&toolchain, compiler, flags).unwrap_or_else(|e| panic!("{e}"));
        check(&binary, &format!("{compiler} {}", flags.join(" ")));
    }
}

/// A case for each setting of the parameters: they are constants of emitted source.
fn fixed_cases(cases: &[Case]) -> Vec<Case> {
    let mut fixed = Vec::new();
    for case in cases {
        for group in corpus::by_params(&case.runs) {
            let mut one = Case { runs: group.into_iter().cloned().collect(), ..case.clone() };
            let params = one.runs[0].params.clone();
            params.into_iter().enumerate().for_each(|(i, value)| one.program.set_param(i, value));
            fixed.push(one);
        }
    }
    fixed
}

fn corpus_through(lang: Lang, compiler: Compiler, flags: &[&[&str]]) {
    let cases = row_cases();
    let fixed = fixed_cases(&cases);
    let runs = |cases: &[Case]| cases.iter().map(|c| c.runs.len()).sum::<usize>();
    assert_eq!(runs(&fixed), runs(&cases), "every run is checked");
    let rows = source_of(fixed.iter().map(|c| &c.program), lang);
    for_each_build(&rows, compiler, flags, |binary, how| {
        for (i, case) in fixed.iter().enumerate() {
            let mut engine = binary.engine(i, &case.runs[0].params);
            corpus::check_once(&mut engine, case).unwrap_or_else(|e| panic!("{how}: {e}"));
        }
    });
}

#[test]
fn emitted_c_by_gcc() {
    corpus_through(Lang::C, Compiler::Gcc, C_FLAGS);
}

#[test]
fn emitted_c_by_clang() {
    corpus_through(Lang::C, Compiler::Clang, C_FLAGS);
}

#[test]
fn emitted_rust() {
    corpus_through(Lang::Rust, Compiler::Rustc, RUST_FLAGS);
}

#[test]
fn a_compiler_told_to_give_up_ieee_arithmetic_is_noticed() {
    let fixed = fixed_cases(&row_cases());
    let rows = source_of(fixed.iter().map(|c| &c.program), Lang::C);
    for_each_build(&rows, Compiler::Gcc, &[&["-O2", "-ffast-math"]], |binary, how| {
        let differs = |(i, case): (usize, &Case)| {
            let result = corpus::check_once(&mut binary.engine(i, &case.runs[0].params), case);
            assert!(!matches!(result, Err(Mismatch::Refused { .. })), "{how}: {result:?}");
            result.is_err()
        };
        let differing = fixed.iter().enumerate().map(differs).filter(|&d| d).count();
        assert!(differing >= 10, "{how} changes the bits of {differing} programs only");
    });
}

// ---- random programs ----

/// A random program whose last outputs, as many as the second value says, are its witnesses.
///
/// Sign and payload of a computed NaN are not part of the semantics, but bit casts and `copysign` show them. What these
/// look at becomes an output, and rows in which one of them is NaN are not compared.
fn random_program(seed: u64) -> (Program, usize) {
    const TYPES: [Type; 5] = [Type::F32, Type::F64, Type::I32, Type::I64, Type::Bool];
    let mut rng = SplitMix::new(!seed);
    let types = if seed.is_multiple_of(2) { &TYPES[..] } else { &[Type::F32, Type::I32, Type::Bool] };
    let size = 2 + rng.below(24);
    let mut p = match seed % 8 {
        5 => sample::program_with(seed, types, size, &Op::ELEMENTARY),
        _ => sample::program(seed, types, size),
    };
    for i in 0..p.params().len() {
        let ty = p.params()[i].ty;
        p.set_param(i, sample::literal(&mut rng, ty));
    }
    let live = p.live();
    let looked_at: BTreeSet<_> = p
        .values()
        .filter(|v| live[v.index()])
        .filter_map(|v| match (p.node(v), p.node(v).args()) {
            (Node::Op(Op::Bitcast(_), _), &[a]) if p.ty(a).is_float() => Some(a),
            (Node::Op(Op::CopySign, _), &[_, sign]) => Some(sign),
            _ => None,
        })
        .filter(|&v| matches!(p.node(v), Node::Op(..)))
        .collect();
    let witnesses = looked_at.len();
    looked_at.into_iter().for_each(|v| p.output(v));
    (p, witnesses)
}

fn is_nan(l: Literal) -> bool {
    match l {
        Literal::F32(x) => x.is_nan(),
        Literal::F64(x) => x.is_nan(),
        _ => false,
    }
}

/// A program as a case whose expectations are the interpreter's, without the rows whose witnesses are NaN.
fn random_case(seed: u64) -> (Case, usize) {
    const ROWS: usize = 64;
    let (program, witnesses) = random_program(seed);
    let mut rng = SplitMix::new(seed ^ 0x5eed);
    let column = |ty| Column::from_literals(ty, &(0..ROWS).map(|_| sample::literal(&mut rng, ty)).collect::<Vec<_>>());
    let inputs: Vec<Column> = program.inputs().iter().map(|i| i.ty).map(column).collect();
    let mut outputs: Vec<Column> = program.outputs().iter().map(|&v| Column::zeros(program.ty(v), ROWS)).collect();
    let params: Vec<Literal> = program.params().iter().map(|p| p.value.expect("set above")).collect();
    let mut interpreter = Interpreter::new(&program).expect("machine types");
    let refs: Vec<_> = inputs.iter().map(Column::as_ref).collect();
    let mut muts: Vec<_> = outputs.iter_mut().map(Column::as_mut).collect();
    interpreter.run(&params, &refs, &mut muts).expect("the columns fit");
    let row = |columns: &[Column], row: usize| columns.iter().map(|c| c.get(row)).collect::<Vec<_>>();
    let runs: Vec<Run> = (0..ROWS)
        .map(|i| Run { line: i + 1, params: params.clone(), inputs: row(&inputs, i), expected: row(&outputs, i) })
        .filter(|run| !run.expected[run.expected.len() - witnesses..].iter().copied().any(is_nan))
        .collect();
    let left_out = ROWS - runs.len();
    (Case { path: format!("random program of seed {seed}").into(), line: 1, program, runs }, left_out)
}

fn random_through(lang: Lang, compiler: Compiler, flags: &[&[&str]]) {
    let (cases, left_out): (Vec<Case>, Vec<usize>) = (0..160).map(random_case).unzip();
    let compared: usize = cases.iter().map(|c| c.runs.len()).sum();
    let left_out: usize = left_out.iter().sum();
    println!("{compared} rows compared, {left_out} left out for a NaN whose bits are looked at");
    assert!(compared > 4 * left_out, "{compared} rows compared, {left_out} left out");
    let used: BTreeSet<&str> = cases.iter().flat_map(|c| live_ops(&c.program)).map(Op::name).collect();
    let missing: Vec<&str> = Op::PLAIN.iter().map(|op| op.name()).filter(|name| !used.contains(name)).collect();
    assert!(missing.is_empty(), "operations that no program uses: {missing:?}");
    let rows = source_of(cases.iter().map(|c| &c.program), lang);
    for_each_build(&rows, compiler, flags, |binary, how| {
        for (i, case) in cases.iter().enumerate().filter(|(_, c)| !c.runs.is_empty()) {
            let mut engine = binary.engine(i, &case.runs[0].params);
            corpus::check_once(&mut engine, case).unwrap_or_else(|e| panic!("{how}: {e}\n{}", case.program));
        }
    });
}

#[test]
fn random_programs_in_c() {
    random_through(Lang::C, Compiler::Gcc, &C_FLAGS[..1]);
    random_through(Lang::C, Compiler::Clang, &C_FLAGS[..1]);
}

#[test]
fn random_programs_in_rust() {
    random_through(Lang::Rust, Compiler::Rustc, &RUST_FLAGS[..2]);
}

// ---- refusals ----

#[test]
fn programs_that_reduce_are_refused_where_rows_stand_alone() {
    let mut jit = Jit::new(&Host::detect()).expect("a machine for which kernels are compiled");
    for case in cases().iter().filter(|c| staged::has_reductions(&c.program)) {
        let p = &case.program;
        let refused = jit.compile(p, Lanes::Auto).map(|_| ()).expect_err("one kernel");
        assert!(matches!(refused, EngineError::Unsupported { .. }), "{refused}");
        for lang in [Lang::C, Lang::Rust] {
            let refused = emit_function(p, lang, "r", &[]).expect_err("a function of one row");
            assert!(matches!(refused, EmitError::Reduction { .. }), "{refused}");
        }
    }
}

#[test]
fn programs_over_reals_are_refused_by_every_engine_with_a_reason() {
    let p: Program = "program r(x: real) -> (real) {\n a = add x, 1.0\n return a\n}".parse().expect("the text form");
    let unsupported = |e: EngineError| assert!(matches!(e, EngineError::Unsupported { .. }), "{e}");
    unsupported(Interpreter::new(&p).map(|_| ()).expect_err("reals are not columns"));
    unsupported(engine_for(&p).map(|_| ()).expect_err("neither natively nor interpreted"));
    for lang in [Lang::C, Lang::Rust] {
        let refused = emit_function(&p, lang, "r", &[]).expect_err("no machine type");
        assert!(matches!(refused, EmitError::Real { .. }), "{refused}");
        assert!(refused.to_string().contains("--type f32 or f64"), "{refused}");
        let function = RowFunction::of(&p, "r", language(lang));
        assert!(RowProgram::new(language(lang), "").add("", function).is_err());
    }
}
