//! Problem and grammar files and the command line: what ships parses, what is wrong is explained, what is written
//! reads back.

use mathsmith_dsl::{
    BoundKind, Code, Diagnostic, Format, Grammar, Minimize, OpName, Problem, RawSettings, Resolved, TABLE, Variant,
    parse_domain, parse_grammar, parse_problem,
};
use std::path::{Path, PathBuf};

fn shipped(folder: &str) -> Vec<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder);
    let entries = std::fs::read_dir(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a readable entry").path()).collect();
    files.sort();
    files
}

fn drawn(errors: &[Diagnostic]) -> String {
    errors.iter().map(|e| e.report(false)).collect::<Vec<_>>().join("\n")
}

fn resolve(source: &str) -> Resolved {
    let raw = parse_problem("test.smith", source).unwrap_or_else(|e| panic!("{}", drawn(&e)));
    raw.resolve().unwrap_or_else(|e| panic!("{}", drawn(&e)))
}

#[test]
fn every_shipped_file_parses() {
    let mut problems = 0;
    for path in shipped("dsl").iter().filter(|p| p.extension().is_some_and(|e| e == "smith")) {
        let text = std::fs::read_to_string(path).expect("a readable file");
        // Problems of other commands begin with that command's name.
        if !text.lines().any(|line| line.starts_with("approx ")) {
            continue;
        }
        let resolved = resolve(&text);
        assert_eq!(resolve(&resolved.to_string()), resolved, "{}", path.display());
        problems += 1;
    }
    assert!(problems >= 7, "{problems} problems ship");
    let mut grammars: Vec<String> = Vec::new();
    for path in shipped("grammars").into_iter().filter(|p| p.extension().is_some_and(|e| e == "grammar")) {
        let text = std::fs::read_to_string(&path).expect("a readable file");
        let grammar = parse_grammar(&path.display().to_string(), &text).unwrap_or_else(|e| panic!("{}", drawn(&e)));
        assert_eq!(path.file_stem().and_then(|s| s.to_str()), Some(grammar.name.as_str()));
        assert_eq!(Grammar::builtin(&grammar.name).as_ref(), Some(&grammar), "embedded and shipped text differ");
        grammars.push(grammar.name);
    }
    let mut embedded: Vec<&str> = Grammar::builtin_names().collect();
    embedded.sort_unstable();
    assert_eq!(grammars, embedded);
}

#[test]
fn a_file_says_everything_that_the_command_line_can() {
    let values = [
        ("approx", "1/(1+exp(-x))"),
        ("on", "-pi/4..<pi/4"),
        ("type", "f64"),
        ("max-rel", "2^-40"),
        ("judged-at", "bf16"),
        ("flush", ""),
        ("domain-only", "true"),
        ("require", "exact:0->1/2, monotone, join:1, saturate, no-branch, no-table, max-fma:6, no-div"),
        ("ops", "add,sub,mul,fma,round"),
        ("max-ops", "14"),
        ("variant", "fma"),
        ("minimize", "latency"),
        ("target", "zen5"),
        ("reduce", "exp2"),
        ("evals", "1e6"),
        ("time", "1.5h"),
        ("threads", "2"),
        ("seed", "18446744073709551615"),
        ("name", "logistic"),
        ("from-scratch", ""),
        ("grammar", "my grammars/own.grammar"),
        ("adversarial", "runs/adversarial.json"),
        ("out", "run #1/"),
        ("incumbent-error", "max-rel 8.77e-5 exhaustive"),
        ("incumbent-ops", "3 fma, 1 max, 2 sub"),
        ("incumbent-time", "0.34"),
    ];
    let mut typed = RawSettings::default();
    let mut file = String::from("# all of them\n");
    for (name, value) in values {
        typed.set(name, value).unwrap_or_else(|e| panic!("{}", e.report(false)));
        let quoted = if value.contains('#') { format!("\"{value}\"") } else { value.to_string() };
        file.push_str(&format!("{name} {quoted}\n"));
    }
    let rest = TABLE.iter().filter(|row| !values.iter().any(|(name, _)| *name == row.name)).map(|row| row.name);
    assert_eq!(rest.collect::<Vec<_>>(), ["max-ulp", "max-abs", "tol"], "the other bounds");
    let resolved = typed.resolve().unwrap_or_else(|e| panic!("{}", drawn(&e)));
    assert_eq!(resolve(&file), resolved);
    let p = &resolved.problem;
    assert_eq!((p.format, p.variant, p.minimize), (Format::F64, Variant::Fma, Minimize::Latency));
    assert_eq!(p.bound.map(|b| (b.kind, b.value)), Some((BoundKind::MaxRel, 1.0 / (1u64 << 40) as f64)));
    assert_eq!((p.evals, p.time_ms, p.seed, p.from_scratch), (Some(1_000_000), Some(5_400_000), u64::MAX, true));
    assert_eq!(p.ops.as_ref().and_then(|ops| ops.last()), Some(&OpName::RoundEven));
    assert_eq!(p.require.len(), 8);
    assert_eq!((p.judged_at, p.flush, p.domain_only), (Some(Format::BF16), true, true));
    assert_eq!((resolved.run.threads, resolved.run.out.as_deref()), (Some(2), Some("run #1/")));
    assert_eq!((resolved.incumbent.ops.len(), resolved.incumbent.time_ns), (3, Some(0.34)));
    let json = serde_json::to_string(p).expect("serialises");
    assert_eq!(serde_json::from_str::<Problem>(&json).expect("reads back"), *p);
    assert!(json.contains(r#""approx":"1/(1+exp(-x))""#) && json.contains(r#""exact:0->1/2""#), "{json}");
    assert!(!json.contains("threads") && !json.contains("run #1"), "what changes no result is not recorded: {json}");
}

#[test]
fn defaults_and_names() {
    let p = resolve("approx exp2( x )").problem;
    assert_eq!((p.format, p.variant, p.minimize, p.seed), (Format::F32, Variant::Both, Minimize::Ops, 1));
    assert_eq!((p.name.as_str(), p.on, p.bound), ("exp2_f32", None, None));
    let name = |source: &str| resolve(source).problem.name;
    assert_eq!(name("approx ln(x)\ntype f64"), "ln_f64");
    assert_eq!(name("approx atan2(y, x)"), "atan2_f32");
    assert_eq!(name("approx gelu(x)\ntype bf16"), "gelu_bf16");
    assert_eq!(name("approx tanh(x)/x\ntype real"), "approx_real");
    assert_eq!(name("approx exp2(2*x)"), "approx_f32");
    assert_eq!(name("approx (x+1)*(x)"), "approx_f32");
    assert_eq!(name("approx exp2(x)\nname fast"), "fast");
}

/// Flag, value, code, words of the message and of the way out.
const BAD_FLAGS: &[(&str, &str, Code, &str, &str)] = &[
    ("type", "f33", Code::Value, "`f33` is no number format", "real, f32, f64, f16, bf16"),
    ("type", "float", Code::Value, "no number format", "write one of"),
    ("type", "", Code::Missing, "no value", "real|f32|f64|f16|bf16"),
    ("max-ulp", "-1", Code::Value, "above zero", "positive number"),
    ("max-ulp", "0", Code::Value, "above zero", "positive number"),
    ("max-ulp", "nan", Code::Value, "not a number", "positive number"),
    ("max-rel", "inf", Code::Value, "finite", "positive number"),
    ("max-rel", "-inf", Code::Value, "finite", "positive number"),
    ("max-rel", "1e-400", Code::Value, "above zero", "positive number"),
    ("tol", "1e-6*", Code::Syntax, "", ""),
    ("judged-at", "f64", Code::Value, "no format to store results in", "f32, bf16, f16"),
    ("flush", "maybe", Code::Value, "truth value", "true, false"),
    ("max-abs", "pi", Code::Value, "plain number", "positive number"),
    ("max-abs", "x", Code::UnknownName, "variable", "number"),
    ("max-abs", "1e", Code::Number, "exponent", "1e-3"),
    ("on", "1..0", Code::Domain, "empty", "`0..1`"),
    ("on", "1..<1", Code::Domain, "empty", "left out"),
    ("on", "nan..1", Code::UnknownName, "not a number", "real number"),
    ("on", "0,1", Code::Domain, "two ends", "0..1"),
    ("approx", "exp3(x)", Code::UnknownName, "exp3", "`exp`"),
    ("approx", "exp(x", Code::Bracket, "never closed", "close it"),
    ("approx", "", Code::Missing, "no value", "EXPR"),
    ("require", "exactly:0->1", Code::UnknownName, "exactly", "`exact`"),
    ("require", "exact:0", Code::Missing, "needs a value", "exact:0->1"),
    ("require", "exact:0->", Code::Missing, "needs a value", "exact:0->1"),
    ("require", "odd,odd", Code::Duplicate, "twice", "one"),
    ("require", "odd, even", Code::Conflict, "exclude", "one"),
    ("require", "odd:1", Code::Value, "takes no value", "`odd` alone"),
    ("require", "max-fma:x", Code::Number, "whole number", "0 to 1000"),
    ("require", "join:x", Code::UnknownName, "variable", "number"),
    ("require", ",", Code::Missing, "empty", "odd"),
    ("ops", "add,sbu", Code::UnknownName, "sbu", "`sub`"),
    ("ops", "add add", Code::Duplicate, "twice", "one"),
    ("max-ops", "0", Code::Number, "out of range", "1 to 1000"),
    ("max-ops", "ten", Code::Number, "whole number", "1 to 1000"),
    ("variant", "fast", Code::Value, "no variant", "fma, plain, both"),
    ("minimize", "througput", Code::Value, "no cost", "`throughput`"),
    ("time", "120", Code::Value, "no unit", "`120s`"),
    ("time", "-5s", Code::Value, "out of range", "1ms"),
    ("time", "5 parsecs", Code::Value, "no length of time", "120s"),
    ("time", "1e300h", Code::Value, "out of range", "year"),
    ("threads", "0", Code::Number, "out of range", "1 to"),
    ("seed", "-1", Code::Number, "whole number", "0 to"),
    ("seed", "18446744073709551616", Code::Number, "out of range", "0 to"),
    ("evals", "1e99", Code::Number, "whole number", "1 to"),
    ("name", "2fast", Code::Value, "no name", "letter"),
    ("name", "float", Code::Value, "C or Rust", "choose another"),
    ("name", "__x", Code::Value, "reserved", "letter"),
    ("target", "my model", Code::Value, "no name", "one word"),
    ("from-scratch", "maybe", Code::Value, "truth value", "true, false"),
    ("out", "a\u{0}b", Code::Value, "no path", "path"),
    ("max_ulps", "1", Code::UnknownName, "max_ulps", "`max-ulp`"),
];

#[test]
fn each_bad_flag_is_shown_as_typed_with_a_way_out() {
    for (name, value, code, message, help) in BAD_FLAGS {
        let mut raw = RawSettings::default();
        let error = raw.set(name, value).expect_err(value);
        let text = error.report(false);
        assert_eq!(error.code, *code, "{text}");
        assert!(error.message.contains(message), "{text}");
        assert!(error.help.as_deref().is_some_and(|h| h.contains(help)), "{text}");
        assert!(text.contains("command line:1:"), "{text}");
        if *name != "approx" {
            assert!(text.contains(&format!("--{name}")), "{text}");
        }
        assert_eq!(raw, RawSettings::default(), "a refused value leaves nothing behind");
    }
}

#[test]
fn contradictions_are_shown_where_they_were_written() {
    let cases = [
        ("on 0..1", "no function", ""),
        ("approx exp(x)\nmax-ulp 1\nmax-rel 1e-9", "two bounds", "test.smith:3:9"),
        ("approx exp(x)\ntype real\nmax-ulp 1", "no unit", "test.smith:3:9"),
        ("approx exp(x)\ntype real\nvariant fma", "no variants", "test.smith:3:9"),
        ("approx exp(x)\nops add,div\nrequire no-div", "ruled out", "test.smith:3:9"),
    ];
    for (source, message, place) in cases {
        let errors = parse_problem("test.smith", source).expect(source).resolve().expect_err(source);
        assert_eq!(errors.len(), 1, "{}", drawn(&errors));
        let text = drawn(&errors);
        assert!(text.contains(message) && text.contains(place) && text.contains("Help"), "{text}");
    }
    let nothing = RawSettings::default().resolve().expect_err("nothing is asked");
    assert!(drawn(&nothing).contains("mathsmith approx"));
}

#[test]
fn a_file_reports_all_its_errors_at_once() {
    let source = "approx tahn(x)\n  on 0..x  # domain\nmax-ulpp 1\ntype f33\ntype f32\nseed = 3\n--seed 3\nout \"a\n";
    let errors = parse_problem("bad.smith", source).expect_err("bad");
    let expected = [
        ("bad.smith:1:8", "`tanh`"),
        ("bad.smith:2:9", "a number here"),
        ("bad.smith:3:1", "`max-ulp`"),
        ("bad.smith:4:6", "real, f32"),
        ("bad.smith:5:1", "keep one"),
        ("bad.smith:6:1", "`seed ...`"),
        ("bad.smith:7:1", "without dashes"),
        ("bad.smith:8:5", "close it"),
    ];
    assert_eq!(errors.len(), expected.len(), "{}", drawn(&errors));
    for (error, (place, help)) in errors.iter().zip(expected) {
        let text = error.report(false);
        assert!(text.contains(place) && text.contains(help), "{place}, {help}:\n{text}");
    }
}

/// splitmix64: enough for test data.
struct Rng(u64);

impl Rng {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }

    fn pick<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }
}

/// Random settings as typed.
fn random_settings(rng: &mut Rng) -> Vec<(&'static str, String)> {
    let reference = rng.pick(&["exp2(x)", " tanh(x) / x ", "if x < 0 then -x else\n x", "atan2(y,x)", "gelu(x)"]);
    let mut all = vec![("approx", reference.to_string())];
    let mut add = |rng: &mut Rng, name: &'static str, choices: &[&str]| {
        if rng.below(2) == 0 {
            all.push((name, rng.pick(choices).to_string()));
        }
    };
    add(rng, "on", &["0..1", " -pi/4 .. <pi/4", "-inf..inf", "0x1p-3<..max(1, 2)", "0\t..1"]);
    add(rng, "type", &["f32", "f64", "f16", "bf16", "f32"]);
    let bound = rng.pick(&["max-ulp", "max-rel", "max-abs", "tol"]);
    let value: &[&str] = match bound {
        "tol" => &["1e-6", "max(1e-6*abs(y), 1e-8)", " x^2 +\n1"],
        _ => &["0.5", "1e-300", "3", "0x1.8p-40", "1/3", "1e22", "123456.789e-8"],
    };
    add(rng, bound, value);
    add(rng, "judged-at", &["f32", "bf16", "f16"]);
    add(rng, "flush", &["", "true", "false"]);
    add(rng, "domain-only", &["", "true", "false"]);
    add(rng, "require", &["odd", "exact: 0 -> 1, join: pi/2", "max-fma:6 ,no-div,monotone", "exact:hypot(3, 4)->5"]);
    add(rng, "ops", &["add,mul", "add sub mul fma round trunc", "convert,bitcast,shr_logical"]);
    add(rng, "max-ops", &["1", "10", "1_000"]);
    add(rng, "variant", &["fma", "plain", "both"]);
    add(rng, "minimize", &["ops", "throughput", "latency", "size"]);
    add(rng, "target", &["zen5", "x86-64-v3", "neoverse_v2", "./my models/m #7.toml"]);
    add(rng, "reduce", &["auto", "none", "exp2"]);
    add(rng, "evals", &["1", "2^40", "100000"]);
    add(rng, "time", &["1ms", "90s", "1.5m", "0.0125s", "8760h"]);
    add(rng, "threads", &["1", "64"]);
    add(rng, "seed", &["0", "18446744073709551615"]);
    add(rng, "name", &["f", "exp2_fast"]);
    add(rng, "from-scratch", &["", "true", "false"]);
    add(rng, "grammar", &["fma", "./my grammar #2", "\"quoted\"", "= x", "back\\slash"]);
    add(rng, "incumbent-error", &["max-rel 8.77e-5 exhaustive", "max-ulp 1.47 claimed", "max-abs 1e22  sampled"]);
    add(rng, "incumbent-ops", &["3 fma,1 max", "0.51 ns:x6", "1 add.i32"]);
    add(rng, "incumbent-time", &["0.34", "25"]);
    add(rng, "out", &["run/", " spaced ", "a\tb", "line\nend", "\u{e9}t\u{e9}", "#"]);
    all
}

#[test]
fn written_problems_read_back_equal() {
    let mut rng = Rng(3);
    for _ in 0..5_000 {
        let mut raw = RawSettings::default();
        let settings = random_settings(&mut rng);
        for (name, value) in &settings {
            raw.set(name, value).unwrap_or_else(|e| panic!("{}", e.report(false)));
        }
        let resolved = raw.resolve().unwrap_or_else(|e| panic!("{settings:?}\n{}", drawn(&e)));
        let text = resolved.to_string();
        assert_eq!(resolve(&text), resolved, "{text}");
        assert_eq!(resolve(&text).to_string(), text);
        let json = serde_json::to_string(&resolved.problem).expect("serialises");
        assert_eq!(serde_json::from_str::<Problem>(&json).expect("reads back"), resolved.problem, "{json}");
    }
}

fn mutate(rng: &mut Rng, text: &str) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..1 + rng.below(5) {
        let (at, from) = (rng.below(chars.len()), rng.below(chars.len()));
        match rng.below(6) {
            0 if chars.len() > 4 => drop(chars.remove(at)),
            1 => chars.swap(at, from),
            2 => chars.insert(at, char::from_u32(rng.below(0x3000) as u32).unwrap_or('?')),
            3 => chars.insert(at, ['\n', '#', '"', '\\', ' ', '.', ',', ':', '<', '-', '\r'][rng.below(11)]),
            4 => chars.truncate(at.max(4)),
            _ => {
                let piece: Vec<char> = chars[at.min(from)..at.max(from)].to_vec();
                chars.extend(piece);
            }
        }
    }
    chars.into_iter().collect()
}

#[test]
fn no_file_makes_a_parser_panic() {
    let mut seeds: Vec<String> = Vec::new();
    for path in shipped("dsl").iter().chain(&shipped("grammars")) {
        seeds.push(std::fs::read_to_string(path).expect("a readable file"));
    }
    let mut rng = Rng(4);
    let (mut accepted, mut refused) = (0, 0);
    for round in 0..30_000 {
        let seed = &seeds[rng.below(seeds.len())];
        let text = mutate(&mut rng, seed);
        let errors = match (parse_problem("fuzz", &text), parse_grammar("fuzz", &text)) {
            (Ok(raw), _) => {
                accepted += 1;
                match raw.resolve() {
                    Ok(resolved) => {
                        assert_eq!(resolve(&resolved.to_string()), resolved, "{text}");
                        continue;
                    }
                    Err(errors) => errors,
                }
            }
            (_, Ok(grammar)) => {
                accepted += 1;
                assert_eq!(parse_grammar("again", &grammar.to_string()).as_ref(), Ok(&grammar), "{text}");
                continue;
            }
            (Err(errors), Err(other)) => errors.into_iter().chain(other).collect(),
        };
        refused += 1;
        for error in errors {
            assert!(error.help.is_some(), "{text}: {error} has no way out");
            if round % 8 == 0 {
                assert!(error.report(round % 16 == 0).contains(&error.message));
            }
        }
    }
    assert!(accepted > 1000 && refused > 1000, "{accepted} accepted and {refused} refused: too one-sided");
}

#[test]
fn no_domain_makes_the_parser_panic() {
    let mut rng = Rng(5);
    let seeds = ["0..1", "-pi/4..<pi/4", "0x1p-126<..inf", "1e300..1e-300", "(1+2)/3..2^100"];
    for _ in 0..30_000 {
        let seed = seeds[rng.below(seeds.len())];
        let text = mutate(&mut rng, seed);
        match parse_domain(&text) {
            Ok(domain) => assert_eq!(parse_domain(&domain.to_string()), Ok(domain), "{text}"),
            Err(error) => assert!(error.help.is_some(), "{text}: {error}"),
        }
    }
}

#[test]
fn huge_files_are_refused_quickly() {
    for text in ["x\n".repeat(300_000), "#".repeat(2_000_000), "type f32\n".repeat(100_000), "\"".repeat(900_000)] {
        let errors = parse_problem("huge", &text).expect_err("too much");
        assert!(errors.len() <= 25, "{} errors", errors.len());
        assert!(errors.iter().all(|e| e.message.len() < 300 && e.report(false).len() < 3000));
    }
}
