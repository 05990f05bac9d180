//! What a row costs through the whole path: columns of one batch to the host, calls there, results back; beside a function
//! that does nothing. What is measured is wall-clock time: with one engine the parent waits while the host works.
//!
//! `cargo run --release -p mathsmith-native --example throughput -- target/release/mathsmith-subject-host [SUBJECT...]`

use mathsmith_ir::{ColumnMut, ColumnRef};
use mathsmith_native::subject::{Element, HostOptions, Request, Spec, prepare};
use std::error::Error;
use std::time::Instant;

const ROWS: usize = 10_000_000;
const ROUNDS: usize = 7;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let host = arguments.next().ok_or("name the host's program: target/release/mathsmith-subject-host")?;
    let mut texts: Vec<String> = arguments.collect();
    let folder = tempfile::tempdir()?;
    if texts.is_empty() {
        let path = folder.path().join("nothing.c");
        std::fs::write(&path, "float f(float x) { return x; }\n")?;
        texts = vec![path.display().to_string()];
        texts.extend(
            ["libm:fabsf", "libm:expf", "core-math:expf", "libmvec:expf", "libmvec:expf@sse"].map(String::from),
        );
    }
    for text in &texts {
        for spec in Spec::parse(text, None)? {
            let subject = prepare(&spec, &Request { element: Some(Element::F32), ..Request::default() })?;
            let started = Instant::now();
            let mut engine = subject.start(&HostOptions::new(vec![host.clone().into()]))?;
            let start = started.elapsed();
            let batch = engine.batch();
            let x: Vec<f32> = (0..batch).map(|i| -10.0 + 20.0 * (i as f32 / batch as f32)).collect();
            let mut y = vec![0.0f32; batch];
            let mut times: Vec<f64> = Vec::new();
            for _ in 0..ROUNDS {
                let begin = Instant::now();
                for _ in 0..ROWS / batch {
                    engine.run(&[], &[ColumnRef::F32(&x)], &mut [ColumnMut::F32(&mut y)])?;
                }
                times.push(begin.elapsed().as_secs_f64() * 1e9 / (ROWS / batch * batch) as f64);
            }
            times.sort_by(f64::total_cmp);
            let (least, median) = (times[0], times[ROUNDS / 2]);
            println!("{:24} {median:6.2} ns a row (least {least:.2}), started in {start:.1?}", subject.label());
        }
    }
    Ok(())
}
