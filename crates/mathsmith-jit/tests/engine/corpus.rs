//! The shared corpus, in every shape that a program can take.

use mathsmith_ir::{corpus, staged};
use mathsmith_jit::{Compiler, Host, Lanes, engine_for};
use std::path::Path;

#[test]
fn kernels_agree_with_the_corpus() {
    let cases = corpus::load_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases")).expect("the corpus");
    let mut compiler = Compiler::new(&Host::detect()).expect("compiles here");
    let (mut scalar, mut vector) = (0, 0);
    for case in &cases {
        // One kernel does not reduce; the engine made of several does.
        if staged::has_reductions(&case.program) {
            compiler.compile(&case.program, Lanes::Auto).expect_err("no kernel sums up rows");
            let (mut engine, kind) = engine_for(&case.program).expect("an engine in passes");
            corpus::check(engine.as_mut(), case).unwrap_or_else(|e| panic!("{kind}: {e}"));
            continue;
        }
        let mut kernel = compiler.compile(&case.program, Lanes::Scalar).expect("every program has a scalar kernel");
        corpus::check(&mut kernel, case).unwrap_or_else(|e| panic!("scalar: {e}"));
        scalar += 1;
        // Programs that mix widths have no vector kernel; that most others do is checked below.
        if let Ok(mut kernel) = compiler.compile(&case.program, Lanes::Simd128) {
            corpus::check(&mut kernel, case).unwrap_or_else(|e| panic!("vectors of {}: {e}", kernel.lanes()));
            vector += 1;
        }
        let mut kernel = compiler.compile(&case.program, Lanes::Auto).expect("every program has a kernel");
        corpus::check(&mut kernel, case).unwrap_or_else(|e| panic!("automatic, {} lanes: {e}", kernel.lanes()));
    }
    assert!(2 * vector > scalar, "only {vector} of {scalar} programs of the corpus ran in vectors");
}
