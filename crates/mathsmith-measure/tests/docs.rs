//! `docs/measure.md` documents every field of the record and the certificate, and no other.

#[path = "render/records.rs"]
#[allow(dead_code)] // Not every kind of record is needed here.
mod records;

use mathsmith_measure::subject::Build;
use mathsmith_measure::{Certificate, SubjectFailure};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const PAGE: &str = include_str!("../../../docs/measure.md");

/// Names in the first column of the table under a heading.
fn documented(heading: &str) -> BTreeSet<String> {
    let mut lines = PAGE.lines().skip_while(|l| *l != format!("### {heading}"));
    assert!(lines.next().is_some(), "docs/measure.md has no section `### {heading}`");
    let rows = lines.take_while(|l| !l.starts_with('#')).filter_map(|l| l.strip_prefix("| `"));
    let first = rows.filter_map(|row| row.split(" | ").next());
    first.flat_map(|cell| cell.split(", ")).map(|name| name.trim_matches('`').to_owned()).collect()
}

/// The objects that a path leads to; `*` stands for every element of a list.
fn objects<'a>(value: &'a Value, path: &[&str]) -> Vec<&'a Value> {
    match (path, value) {
        ([], Value::Object(_)) => vec![value],
        ([], _) => Vec::new(),
        (["*", rest @ ..], Value::Array(items)) => items.iter().flat_map(|v| objects(v, rest)).collect(),
        ([key, rest @ ..], _) => value.get(*key).map_or(Vec::new(), |v| objects(v, rest)),
    }
}

#[test]
fn every_field_is_documented() {
    let mut all: Vec<Value> = [records::good(), records::broken(), records::vector(), records::impure()]
        .map(|m| serde_json::to_value(m).expect("records are plain data"))
        .into();
    // A program as subject, whose source has fields of its own.
    let mut program = all[0].clone();
    let source = mathsmith_measure::Source::Program { path: "p.ir".into(), hash: "0".into(), engine: "jit".into() };
    program["subject"]["source"] = serde_json::to_value(source).expect("plain data");
    all.push(program);
    let certificate = Certificate::new(Build::default(), records::good());
    all.push(json!({"certificate": certificate}));
    let failure = SubjectFailure { name: "crash.c".into(), what: "killed".into(), at: Vec::new() };
    all.push(json!({"failure": failure}));

    let sections: [(&str, &[&str]); 23] = [
        ("Record", &[""]),
        ("Failure", &["failure"]),
        ("Subject", &["subject"]),
        ("Signature", &["subject.signature"]),
        ("Source", &["subject.source"]),
        ("Asked", &["asked"]),
        ("Cpu", &["cpu"]),
        ("Measured", &["measured"]),
        (
            "Peak",
            &[
                "measured.max_ulp",
                "measured.max_rel",
                "measured.max_abs",
                "measured.max_rel_normal",
                "measured.tolerated.worst",
            ],
        ),
        ("Classes", &["measured.classes"]),
        ("Tally", &["measured.classes.nan_for_number", "measured.tolerated.beyond"]),
        ("Histogram", &["measured.histogram"]),
        ("Special", &["measured.specials.*"]),
        ("Binade", &["measured.binades.*"]),
        ("Stretch", &["measured.profile.*"]),
        ("Check", &["measured.monotone", "measured.parity.*", "measured.pure"]),
        ("Break", &["measured.monotone.broken", "measured.pure.broken"]),
        ("Range", &["measured.range"]),
        ("Tolerated", &["measured.tolerated"]),
        ("Verdict", &["verdicts.*"]),
        ("Finding", &["findings.*"]),
        ("Certificate", &["certificate"]),
        ("Build", &["certificate.build"]),
    ];
    for (heading, paths) in sections {
        let mut found = BTreeSet::new();
        for path in paths {
            let steps: Vec<&str> = path.split('.').filter(|s| !s.is_empty()).collect();
            // The wrapper around the certificate is no record.
            let whole = all.iter().filter(|v| !steps.is_empty() || v.get("schema").is_some());
            for object in whole.flat_map(|v| objects(v, &steps)) {
                found.extend(object.as_object().into_iter().flat_map(|o| o.keys().cloned()));
            }
        }
        assert!(!found.is_empty(), "no record has a {heading}");
        assert_eq!(documented(heading), found, "section {heading}");
    }
}

#[test]
fn kinds_of_subjects_are_documented() {
    for spec in [
        "mine.c",
        "mine.rs",
        "libmine.so",
        "libm:expf",
        "libmvec:expf@avx2",
        "sleef:expf_u10@scalar",
        "core-math:expf",
        "libm-crate:expf",
    ] {
        assert!(PAGE.contains(&format!("`{spec}`")), "{spec} is not in docs/measure.md");
        let symbol = spec.ends_with(".so").then_some("f");
        mathsmith_native::subject::Spec::parse(spec, symbol).unwrap_or_else(|e| panic!("{spec}: {e}"));
    }
}
