//! What is wrong with a file is said with its place, its cause and a way out.

use mathsmith_reduce::parse;

const FRAME: &str = "
frame any
program frame(x: f32, y: f32) -> (f32, f32) {
  t = abs x
  return y, t
}
";

/// A file with these lines between the name and the frame.
fn file(lines: &str) -> String {
    format!("reduction tried\nabout a test\n{lines}{FRAME}")
}

/// The messages of a file that is wrong, as they are drawn.
fn messages(source: &str) -> String {
    let errors = parse("tried.reduction", source).expect_err(source);
    errors.iter().map(|error| error.report(false)).collect()
}

#[test]
fn each_mistake_has_its_place_and_a_way_out() {
    let core = "core y(t) = f(t)\n";
    let cases = [
        ("lot A = 1\n", "unknown key `lot`", "tried.reduction:3:1", "did you mean `let`?"),
        ("let A = B\n", "unknown name `B`", "tried.reduction:3:9", "the constants are pi"),
        ("let A = 1\nlet B = A1 + 2\n", "unknown name `A1`", "tried.reduction:4:9", "did you mean `A`?"),
        ("let A = f(1) +\n", "the expression ends", "tried.reduction:3:15", "a value is"),
        ("let A = f(1, 2)\n", "takes 1 argument", "tried.reduction:3:9", "write `f(x)`"),
        ("let A = f\n", "without its argument", "tried.reduction:3:9", "in brackets"),
        ("let A = 2*inf\n", "infinity is no number", "tried.reduction:3:11", "f(inf)"),
        ("let A = 1\nlet A = 2\n", "`A` is defined twice", "tried.reduction:4:5", "another name"),
        ("let lo = 1\n", "`lo` cannot name a constant", "tried.reduction:3:5", "ends of the domain"),
        ("let A\n", "`=` is missing", "tried.reduction:3:5", "write `let NAME = EXPR`"),
        ("let\n", "`let` says nothing", "tried.reduction:3:1", "write `let NAME = EXPR`"),
        ("solve P: f(P) = 1\n", "`in` is missing", "tried.reduction:3:7", "NAME in A..B"),
        ("solve P in 0: f(P) = 1\n", "`..` is missing", "tried.reduction:3:7", "NAME in A..B"),
        ("holds f(x) + 1\n", "`=` is missing", "tried.reduction:3:7", "write `holds EXPR = EXPR`"),
        ("holds f(z) = 1\n", "unknown name `z`", "tried.reduction:3:9", "the variables are"),
        ("when lo = 1\n", "`<` or `>` is missing", "tried.reduction:3:6", "write `when"),
        ("split P into A:9 B\n", "`P` is split, but no constant", "tried.reduction:3:7", "define it first"),
        ("let P = 1\nsplit P into A B\n", "`A` is no piece", "tried.reduction:4:14", "every piece but the last"),
        ("let P = 1\nsplit P into A:70 B\n", "`A:70` is no piece", "tried.reduction:4:14", "every piece but the last"),
        ("reduction other\n", "a second name", "tried.reduction:3:1", "remove the line"),
        ("core z = f(t)\n", "the argument in brackets", "tried.reduction:3:6", "NAME(t)"),
        ("core f(t) = f(t)\n", "`f` cannot name", "tried.reduction:3:6", "f is the function"),
        ("core y(2) = f(t)\n", "`2` cannot be the argument", "tried.reduction:3:8", "core y(t)"),
        ("tune Q\n", "`Q` is tuned, but no constant", "tried.reduction:3:6", "define it first"),
        ("let Q = 2\ntune Q\n", "no frame has a parameter", "tried.reduction:4:6", "add `param NAME: f32`"),
        ("program frame(x: f32) -> () {\n", "unknown key `program`", "tried.reduction:3:1", "behind a line `frame"),
    ];
    for (lines, message, place, help) in cases {
        let text = messages(&file(&format!("{lines}{core}")));
        for part in [message, place, help] {
            assert!(text.contains(part), "{lines:?}: {part:?} is missing in\n{text}");
        }
    }
}

#[test]
fn frames_must_go_with_the_cores() {
    let frame = |kind: &str, head: &str, body: &str| {
        format!(
            "reduction tried\nabout a test\nlet A = 2\ncore y(t) = f(t)\ncore z(t) = f(2*t)\nframe {kind}\nprogram frame{head} {{\n{body}\n}}\n"
        )
    };
    let head = "(x: f32, y: f32, z: f32) -> (f32, f32, f32)";
    let right = "t = abs x\nreturn y, t, y";
    parse("tried.reduction", &frame("any", head, right)).expect("this one is right");
    let wide = "(x: f64, y: f32, z: f32) -> (f32, f32, f32)";
    let whole = "(x: f32, y: f32, z: f32) -> (f32, i32, f32)";
    let cases = [
        ("both", head, right, "which programs", "tried.reduction:6:7"),
        ("fma a b", head, right, "which programs", "tried.reduction:6:7"),
        ("any", "(x: f32, z: f32, y: f32) -> (f32, f32, f32)", right, "not x, y, z", "tried.reduction:7:1"),
        ("any", "(x: f32, y: f32, z: f32) -> (f32, f32)", "return y, x", "returns 2 values, not 3", "7:1"),
        ("any", head, "return y, z, x", "the argument of `y` depends on the core `z`", "7:1"),
        ("any", head, "t = fma x, x, x\nreturn y, t, x", "without `fma` has one", "7:1"),
        ("any", head, "param B: f32\nt = mul x, B\nreturn y, t, x", "`B` is a parameter, but no constant", "8:7"),
        ("any", head, "param A: f32 = 1\nt = mul x, A\nreturn y, t, x", "`A` has a value", "7:1"),
        ("any", head, "t = mul x, w\nreturn y, t, x", "w", "8:12"),
        ("any", wide, "return y, y, y", "the result has another type than x", "7:1"),
        ("any", whole, "n = convert.i32 x\nreturn x, n, x", "an input or output of another type", "7:1"),
    ];
    for (kind, head, body, message, place) in cases {
        let text = messages(&frame(kind, head, body));
        assert!(text.contains(message) && text.contains(place) && text.contains("Help:"), "{body}:\n{text}");
    }
    let twice = frame("any", head, right)
        + &frame("any", head, right).split_once("frame any").map_or("", |(_, f)| f).replacen('\n', "frame fma\n", 1);
    assert!(messages(&twice).contains("is there already"), "{twice}");
}

#[test]
fn incomplete_and_hostile_files_are_refused() {
    let full = file("core y(t) = f(t)\n");
    parse("tried.reduction", &full).expect("this one is whole");
    for (source, message) in [
        ("", "the file is empty"),
        ("# only a comment", "the file is empty"),
        ("let A = 1", "does not begin with its name"),
        ("reduction auto", "`auto` cannot name a reduction"),
        ("reduction a b", "`a b` cannot name"),
        ("reduction a", "says nothing about itself"),
        ("reduction a\nabout b", "no core"),
        ("reduction a\nabout b\ncore y(t) = f(t)", "no frame"),
    ] {
        assert!(messages(source).contains(message), "{source:?}:\n{}", messages(source));
    }
    // Any beginning of a file, and any file with a piece cut out, is answered.
    for at in 0..full.len() {
        for end in [at, (at + 1).min(full.len()), (at + 7).min(full.len())] {
            let _ = parse("cut", &full[..at]);
            let _ = parse("cut", &format!("{}{}", &full[..at], &full[end..]));
        }
    }
    let deep = format!("let A = {}1\n", "(".repeat(100_000));
    assert!(messages(&file(&deep)).contains("nested too deeply"));
    assert!(messages(&"x".repeat(1 << 20)).contains("bytes"));
}
