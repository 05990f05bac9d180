//! Table and plot of hand-made records against stored ones. `MATHSMITH_BLESS=1` rewrites the stored ones; read the difference.

#[path = "render/records.rs"]
mod records;
#[path = "render/xml.rs"]
mod xml;

use mathsmith_measure::render::{Detail, svg, table};
use mathsmith_measure::{Measurement, SubjectFailure};
use std::path::Path;

/// Greatest width that the table promises.
const WIDTH: usize = 110;

fn cases() -> Vec<(&'static str, Vec<Measurement>)> {
    use records::{bf16, broken, good, impure, nan_everywhere, sampled, two_arguments, vector};
    vec![
        ("good", vec![good()]),
        ("several", vec![good(), vector()]),
        ("nan-everywhere", vec![nan_everywhere()]),
        ("impure", vec![impure()]),
        ("broken", vec![broken()]),
        ("sampled", vec![sampled()]),
        ("two-arguments", vec![two_arguments()]),
        ("bf16", vec![bf16()]),
    ]
}

/// Compares with `tests/snapshots/FILE`, or writes it.
fn snapshot(file: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots").join(file);
    if std::env::var("MATHSMITH_BLESS").is_ok_and(|v| v == "1") {
        std::fs::write(&path, text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    if stored != text {
        let line = stored.lines().zip(text.lines()).position(|(a, b)| a != b);
        let line = line.unwrap_or_else(|| stored.lines().count().min(text.lines().count()));
        panic!(
            "{file} differs from line {}: stored\n  {}\nnow\n  {}\nMATHSMITH_BLESS=1 rewrites it",
            line + 1,
            stored.lines().nth(line).unwrap_or("(end)"),
            text.lines().nth(line).unwrap_or("(end)")
        );
    }
}

#[test]
fn tables() {
    for (name, measurements) in cases() {
        snapshot(&format!("{name}.txt"), &table(&measurements, &[], Detail::Summary));
    }
    snapshot("broken-full.txt", &table(&[records::broken()], &[], Detail::Full));
}

#[test]
fn pictures() {
    for (name, measurements) in cases() {
        snapshot(&format!("{name}.svg"), &svg(&measurements));
    }
}

#[test]
fn tables_are_narrow_and_plain() {
    for (name, measurements) in cases() {
        for detail in [Detail::Summary, Detail::Full] {
            let text = table(&measurements, &[], detail);
            for line in text.lines() {
                assert!(line.chars().count() <= WIDTH, "{name}: {} wide: {line}", line.chars().count());
                assert_eq!(line, line.trim_end(), "{name}: blanks at the end");
            }
            assert!(!text.contains('\u{1b}') && text.ends_with('\n'));
        }
        let lines = table(&measurements, &[], Detail::Summary).lines().count();
        assert!(lines <= 110 * measurements.len(), "{name}: {lines} lines");
    }
}

/// Each figure stands with its coverage, its count and, when sampled, its seed.
#[test]
fn figures_say_what_they_cover() {
    for (name, measurements) in cases() {
        let text = table(&measurements, &[], Detail::Summary);
        for m in &measurements {
            let f = &m.measured;
            assert!(text.contains(f.coverage.word()), "{name}");
            let seed = f.seed.map_or(String::new(), |s| format!("seed {s}"));
            assert!(text.contains(&seed) && svg(&measurements).contains(&seed), "{name}: {seed}");
            for peak in [&f.max_ulp, &f.max_rel, &f.max_abs].into_iter().chain(&f.max_rel_normal) {
                for at in peak.x.iter().chain(&peak.x_decimal) {
                    assert!(text.contains(at.as_str()), "{name}: {at} is missing");
                }
            }
            assert!(text.contains(&f.checksum) && text.contains("to nearest, ties to even"), "{name}");
        }
    }
}

#[test]
fn failures_are_named() {
    let failure = SubjectFailure {
        name: "crash.c".into(),
        what: "the subject was killed by signal 11 (segmentation fault)".into(),
        at: vec!["0x1.8p+1".into()],
    };
    let text = table(&[], &[failure], Detail::Summary);
    assert!(text.contains("crash.c") && text.contains("signal 11") && text.contains("0x1.8p+1"), "{text}");
}

#[test]
fn pictures_are_well_formed_small_and_alone() {
    let mut all = cases();
    all.push(("none", Vec::new()));
    all.push(("many", vec![records::vector(); 12]));
    for (name, measurements) in all {
        let picture = svg(&measurements);
        xml::check(&picture).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(picture.len() < 200_000, "{name}: {} bytes", picture.len());
        for word in ["<script", "href", "url(", "@import"] {
            assert!(!picture.contains(word), "{name}: {word}");
        }
        for word in ["<title id=", "<desc id=", "prefers-color-scheme:dark", "aria-labelledby"] {
            assert!(picture.contains(word), "{name}: no {word}");
        }
        assert!(!picture.contains("NaN,") && !picture.contains("\"inf\"") && !picture.contains("\"NaN\""), "{name}");
        assert_eq!(picture, svg(&measurements), "{name}: the same record gives the same bytes");
    }
}

/// Names come from people: whatever they hold, the picture is XML.
#[test]
fn names_cannot_break_a_picture() {
    let mut m = records::good();
    m.subject.name = "a<b>&\"'\u{1}.c".into();
    m.asked.reference = "if x < 0 then 1 else exp(x)".into();
    xml::check(&svg(&[m])).unwrap_or_else(|e| panic!("{e}"));
}

/// The check itself refuses what is broken.
#[test]
fn the_xml_check_refuses() {
    for bad in
        ["<a>", "<a></b>", "<a x=1/>", "<a x=\"1\" x=\"2\"/>", "<a>&nbsp</a>", "<a/><b/>", "x<a/>", "<a>\u{2}</a>"]
    {
        assert!(xml::check(bad).is_err(), "{bad:?}");
    }
    assert_eq!(xml::check("<a x=\"1\"><b/>t &amp; u</a>\n"), Ok(()));
}
