//! The expression syntax as a person meets it: what is read, what is refused and with which words.

use mathsmith_dsl::{
    CONSTANTS, Code, Constant, ExactNumber, Expr, ExprId, ExprNode, FUNCTIONS, Func, Meaning, Span, functions,
    parse_expr, parse_expr_with_definitions, parse_expr_with_vars,
};

/// A tree in a notation without precedence, to compare shapes.
fn shape(expr: &Expr) -> String {
    fn go(expr: &Expr, id: ExprId) -> String {
        match expr.node(id) {
            ExprNode::Number(n) => n.to_string(),
            ExprNode::Constant(c) => format!("{c:?}"),
            ExprNode::Var(v) => expr.vars[*v as usize].clone(),
            ExprNode::Call(f, a, None) => format!("{f:?}[{}]", go(expr, *a)),
            ExprNode::Call(f, a, Some(b)) => format!("{f:?}[{} {}]", go(expr, *a), go(expr, *b)),
            ExprNode::If { cmp, lhs, rhs, then, otherwise } => {
                format!("If[{}{cmp}{} {} {}]", go(expr, *lhs), go(expr, *rhs), go(expr, *then), go(expr, *otherwise))
            }
        }
    }
    go(expr, expr.root)
}

fn read(source: &str) -> String {
    match parse_expr(source) {
        Ok(expr) => shape(&expr),
        Err(d) => panic!("{source}: {}", d.render("test", source, false)),
    }
}

#[test]
fn precedence_and_associativity() {
    assert_eq!(read("1-2-3"), "Sub[Sub[1 2] 3]");
    assert_eq!(read("1/2*3"), "Mul[Div[1 2] 3]");
    assert_eq!(read("1+2*3^x"), "Add[1 Mul[2 Pow[3 x]]]");
    assert_eq!(read("x^2^3"), "Pow[x Pow[2 3]]");
    assert_eq!(read("-x^2"), "Neg[Pow[x 2]]");
    assert_eq!(read("2^-x"), "Pow[2 Neg[x]]");
    assert_eq!(read("-x*y"), "Mul[Neg[x] y]");
    assert_eq!(read("2*-x"), "Mul[2 Neg[x]]");
    assert_eq!(read("+x - +1"), "Sub[x 1]");
    assert_eq!(read("pow(x, 3)"), "Pow[x 3]");
    assert_eq!(read("1/(1+exp(-x))"), "Div[1 Add[1 Exp[Neg[x]]]]");
    assert_eq!(read("x*0.5*(1+erf(x/sqrt(2)))"), "Mul[Mul[x 0.5] Add[1 Erf[Div[x Sqrt[2]]]]]");
}

#[test]
fn conditions_in_their_three_spellings() {
    let expected = "If[x<0 Neg[x] x]";
    assert_eq!(read("if x < 0 then -x else x"), expected);
    assert_eq!(read("if (x < 0) then -x else x"), expected);
    assert_eq!(read("if(x < 0, -x, x)"), expected);
    assert_eq!(read("if (x) + 1 >= 0 then 1 else 2"), "If[Add[x 1]>=0 1 2]");
    assert_eq!(read("if x < 0 then 1 else if x == 0 then 2 else 3+x"), "If[x<0 1 If[x==0 2 Add[3 x]]]");
    assert_eq!(read("1 + (if x != 0 then 1 else 2)*3"), "Add[1 Mul[If[x!=0 1 2] 3]]");
}

#[test]
fn variables_are_exactly_the_declared_ones() {
    assert_eq!(parse_expr("exp(x)").unwrap().vars, ["x"]);
    assert_eq!(parse_expr("1").unwrap().vars, ["x"]);
    assert_eq!(parse_expr("atan2(y, x)").unwrap().vars, ["x", "y"]);
    assert_eq!(parse_expr("exp(y)").unwrap().vars, ["x", "y"]);
    let f = parse_expr_with_vars("e*t + c1", &["t", "c1", "e"]).unwrap();
    assert_eq!(shape(&f), "Add[Mul[e t] c1]");
    assert_eq!(f.vars, ["t", "c1", "e"]);
    assert!(parse_expr_with_vars("x", &["t"]).is_err());
    assert!(parse_expr("z").is_err());
}

#[test]
fn every_function_and_constant_is_reachable_and_printed_back() {
    let args = ["x", "x, y", "x, y, 1"];
    let mut seen = Vec::new();
    for info in FUNCTIONS {
        for name in std::iter::once(&info.name).chain(info.aliases) {
            let expr = parse_expr(&format!("{name}({})", args[info.arity - 1])).expect(name);
            assert!(matches!(expr.node(expr.root), ExprNode::Call(f, _, _) if *f == info.func), "{name}");
            assert!(parse_expr(&expr.to_string()).expect(name).same_tree(&expr), "{name} prints as {expr}");
        }
        seen.push(info.func);
    }
    for info in functions::OPERATORS {
        let source = if info.arity == 1 { format!("{}x", info.symbol) } else { format!("x{}y", info.symbol) };
        let expr = parse_expr(&source).expect(info.symbol);
        assert!(matches!(expr.node(expr.root), ExprNode::Call(f, _, _) if *f == info.func), "{source}");
        assert!(parse_expr(&expr.to_string()).expect(&source).same_tree(&expr), "{source} prints as {expr}");
        seen.push(info.func);
    }
    // `Floor` is declared last, so this counts the variants: a new one without a name fails here.
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), Func::Floor as usize + 1);
    for info in CONSTANTS.iter().filter(|c| c.constant != Constant::Infinity) {
        assert_eq!(parse_expr(info.name).expect(info.name).to_string(), info.name);
    }
    for info in functions::COMPOSITES {
        for name in std::iter::once(&info.name).chain(info.aliases) {
            let expr = parse_expr(&format!("{name}({})", args[info.params.len() - 1])).expect(name);
            assert!(parse_expr(&expr.to_string()).expect(name).same_tree(&expr), "{name} prints as {expr}");
        }
    }
}

#[test]
fn composites_are_written_out() {
    assert_eq!(read("fma(x, y, 2)"), "Add[Mul[x y] 2]");
    assert_eq!(read("silu(x+1)"), "Div[Add[x 1] Add[1 Exp[Neg[Add[x 1]]]]]");
    let nested = (0..60).fold("x".to_string(), |inner, _| format!("silu({inner})"));
    let refused = parse_expr(&nested).expect_err("2^60 nodes");
    assert_eq!(refused.code, Code::Limit);
}

#[test]
fn spans_point_at_what_was_written() {
    let source = "1 + exp( x*2 )";
    let expr = parse_expr(source).unwrap();
    let texts: Vec<&str> = expr.spans.iter().map(|s| s.of(source)).collect();
    assert_eq!(texts, ["1", "x", "2", "x*2", "exp( x*2 )", source]);
}

/// Source, code, text under the first label, words in the help.
const REFUSED: &[(&str, Code, &str, &str)] = &[
    ("", Code::Missing, "", "exp2(x)"),
    ("   ", Code::Missing, "", "exp2(x)"),
    ("tahn(x)", Code::UnknownName, "tahn", "`tanh`"),
    ("frob(x)", Code::UnknownName, "frob", "the functions are pow"),
    ("1+ sine(x)", Code::UnknownName, "sine", "`sin`"),
    ("Pi*x", Code::UnknownName, "Pi", "`pi`"),
    ("z", Code::UnknownName, "z", "`x`, `y`"),
    ("nan", Code::UnknownName, "nan", "real number"),
    ("inf*x", Code::Number, "inf", "domain"),
    ("(x", Code::Bracket, "(", "close it"),
    ("exp(x", Code::Bracket, "(", "close it"),
    ("(1 < x)", Code::Bracket, "(", "close it"),
    ("x)", Code::Bracket, ")", "remove it"),
    (")", Code::Bracket, ")", "remove it"),
    ("()", Code::Syntax, ")", "a value is"),
    ("1 +", Code::Syntax, "", "a value is"),
    ("* 2", Code::Syntax, "*", "a value is"),
    ("2x", Code::Syntax, "2x", "`2*x`"),
    ("2exp(x)", Code::Syntax, "2exp", "`2*exp`"),
    ("x y", Code::Syntax, "x y", "`x*y`"),
    ("(x+1)(x-1)", Code::Syntax, ")(", "multiply"),
    ("x(2)", Code::Syntax, "x(", "`x*(...)`"),
    ("pi(2)", Code::Syntax, "pi(", "`pi*(...)`"),
    ("2e*x", Code::Number, "2e", "2*e"),
    ("x**2", Code::Syntax, "**", "`^`"),
    ("|x|", Code::Syntax, "|", "abs(x)"),
    ("sin x", Code::Syntax, "sin", "sin(x)"),
    ("exp(x, 1)", Code::Arity, "exp(x, 1)", "`exp(x)`"),
    ("exp()", Code::Arity, "exp()", "`exp(x)`"),
    ("log(x, 2)", Code::Arity, "log(x, 2)", "log2(x)"),
    ("atan2(x)", Code::Arity, "atan2(x)", "`atan2(x, y)`"),
    ("max(1, x, 3)", Code::Arity, "max(1, x, 3)", "max(a, max(b, c))"),
    ("fma(x, 1)", Code::Arity, "fma(x, 1)", "`fma(a, b, c)`"),
    ("x < 1", Code::Syntax, "<", "if x < 0"),
    ("x, 1", Code::Syntax, ",", "remove"),
    ("0..1", Code::Syntax, "..", "--on"),
    ("1 + if x < 0 then 1 else 2", Code::Syntax, "if", "brackets"),
    ("if x then 1 else 2", Code::Syntax, "then", "compares"),
    ("if x < 0 then 1", Code::Syntax, "", "else"),
    ("if x < 0 else 1", Code::Syntax, "else", "then"),
    ("1e999999", Code::Limit, "1e999999", "inf"),
    ("0x1p99999999999999999999", Code::Limit, "0x1p99999999999999999999", "inf"),
    ("x = 1", Code::Syntax, "=", "=="),
    ("x \u{d7} 2", Code::Syntax, "\u{d7}", "`*`"),
];

#[test]
fn each_refusal_names_place_and_way_out() {
    for (source, code, place, help) in REFUSED {
        let d = parse_expr(source).expect_err(source);
        assert_eq!(d.code, *code, "{source}: {d}");
        assert_eq!(d.labels[0].0.of(source), *place, "{source}: {d}");
        assert!(d.help.as_deref().unwrap_or("").contains(help), "{source}: {:?}", d.help);
        let drawn = d.render("command line", source, false);
        assert!(drawn.contains("command line:1:") && drawn.contains(&d.message), "{drawn}");
    }
}

#[test]
fn depth_and_size_are_limited() {
    let long = |unit: &str, n: usize, end: &str| format!("{}{end}", unit.repeat(n));
    for source in [
        long("(", 100_000, "x"),
        long("-", 100_000, "x"),
        long("exp(", 100_000, "x"),
        long("x^", 100_000, "x"),
        long("x+", 100_000, "x"),
        long("if x<0 then 1 else ", 50_000, "x"),
        long("if (", 50_000, "x"),
        long("(", 2_000_000, "x"),
        long("1", 100_000, ""),
    ] {
        let d = parse_expr(&source).expect_err("too large");
        assert_eq!(d.code, Code::Limit, "{d}");
        assert!(d.render("command line", &source, false).len() < 3000);
    }
    assert!(parse_expr(&format!("{}x{}", "(".repeat(150), ")".repeat(150))).is_ok());
    let high = parse_expr(&format!("silu({})", long("x+", 900, "x"))).expect("within the limits");
    assert!(parse_expr(&high.to_string()).expect("printed text parses").same_tree(&high));
}

/// splitmix64: enough for test data.
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
}

/// A random tree in the parser's order of nodes.
fn random_tree(rng: &mut Rng, nodes: &mut Vec<ExprNode>, size: usize) -> ExprId {
    let node = if size == 0 {
        match rng.below(4) {
            0 => ExprNode::Var(rng.below(2) as u32),
            1 => ExprNode::Constant([Constant::Pi, Constant::E, Constant::Ln2][rng.below(3)]),
            _ => ExprNode::Number(random_number(rng)),
        }
    } else if rng.below(12) == 0 {
        let ids: Vec<ExprId> = (0..4).map(|_| random_tree(rng, nodes, (size - 1) / 4)).collect();
        let cmps = ["<", "<=", ">", ">=", "==", "!="];
        let template = parse_expr(&format!("if 1 {} 2 then 3 else 4", cmps[rng.below(6)])).unwrap();
        let ExprNode::If { cmp, .. } = template.node(template.root) else { unreachable!("a condition") };
        ExprNode::If { cmp: *cmp, lhs: ids[0], rhs: ids[1], then: ids[2], otherwise: ids[3] }
    } else {
        let pick = rng.below(FUNCTIONS.len() + 4 * functions::OPERATORS.len());
        let (func, arity) = match FUNCTIONS.get(pick) {
            Some(info) => (info.func, info.arity),
            None => {
                let info = &functions::OPERATORS[pick % functions::OPERATORS.len()];
                (info.func, info.arity)
            }
        };
        if arity == 1 {
            ExprNode::Call(func, random_tree(rng, nodes, size - 1), None)
        } else {
            let left = rng.below(size);
            let a = random_tree(rng, nodes, left);
            let b = random_tree(rng, nodes, size - 1 - left);
            ExprNode::Call(func, a, Some(b))
        }
    };
    nodes.push(node);
    ExprId(nodes.len() as u32 - 1)
}

fn random_number(rng: &mut Rng) -> ExactNumber {
    let radix = if rng.below(3) == 0 { 16 } else { 10 };
    let length = 1 + rng.below(6);
    let digits: String =
        (0..length).map(|_| char::from_digit(rng.below(radix as usize) as u32, radix).unwrap()).collect();
    let digits = match digits.trim_start_matches('0') {
        "" => "0".to_string(),
        trimmed => trimmed.to_string(),
    };
    ExactNumber { digits, radix, exponent: rng.below(25) as i64 - 12 }
}

#[test]
fn printed_trees_read_back_equal() {
    let mut rng = Rng(1);
    for _ in 0..20_000 {
        let mut nodes = Vec::new();
        let size = rng.below(25);
        let root = random_tree(&mut rng, &mut nodes, size);
        let spans = vec![Span::default(); nodes.len()];
        let vars = vec!["x".to_string(), "y".to_string()];
        let expr = Expr { source: String::new(), vars, nodes, spans, root };
        let text = expr.to_string();
        let back = parse_expr_with_vars(&text, &["x", "y"]).unwrap_or_else(|d| panic!("{text}: {d}"));
        assert_eq!(back.nodes, expr.nodes, "{text}");
        assert!(back.same_tree(&expr));
        assert_eq!(back.to_string(), text);
    }
}

#[test]
fn no_text_makes_the_parser_panic() {
    let pieces = [
        "x", "y", "1", ".5", "0x1p-3", "1e5", "..", "<", "(", ")", ",", "+", "-", "*", "/", "^", "if ", " then ",
        " else ", "exp", "max(", "pi", "inf", "<=", "==", "!=", " ", "\n", "#", "|", "\u{3c0}", "\u{0}", "e", "0x",
        "silu(", "2e",
    ];
    let mut rng = Rng(2);
    let mut accepted = 0;
    for round in 0..60_000 {
        let mut text = String::new();
        if round % 2 == 0 {
            for _ in 0..rng.below(14) {
                text.push_str(pieces[rng.below(pieces.len())]);
            }
        } else {
            let seeds =
                ["if x < 0 then 1/(1+exp(-x)) else x*0.5*(1+erf(x/sqrt(2)))", "atan2(y, x)^2 - 0x1.8p-1*airyai(x)"];
            let mut chars: Vec<char> = seeds[rng.below(2)].chars().collect();
            for _ in 0..1 + rng.below(4) {
                let (at, from) = (rng.below(chars.len()), rng.below(chars.len()));
                match rng.below(4) {
                    0 if chars.len() > 4 => drop(chars.remove(at)),
                    0 => {}
                    1 => chars.swap(at, from),
                    2 => chars.insert(at, char::from_u32(rng.below(0x500) as u32).unwrap_or('?')),
                    _ => chars.truncate(at.max(4)),
                }
            }
            text = chars.into_iter().collect();
        }
        match parse_expr(&text) {
            Ok(expr) => {
                accepted += 1;
                let again = parse_expr_with_vars(&expr.to_string(), &["x", "y"]).expect("printed text parses");
                assert!(again.to_string() == expr.to_string(), "{text}");
            }
            Err(d) => {
                assert!(d.help.is_some(), "{text}: {d} has no way out");
                if round % 16 == 1 {
                    assert!(d.render("f", &text, round % 32 == 1).contains("f:"), "{text}");
                }
            }
        }
    }
    assert!(accepted > 1000, "{accepted} accepted texts are too few to mean anything");
}

#[test]
fn names_can_be_given_a_meaning() {
    let f = parse_expr("x*exp(x)").expect("an expression");
    let third = parse_expr_with_vars("-1/3", &[]).expect("a constant");
    let apply = |argument: &Expr| match argument.nodes.iter().any(|n| matches!(n, ExprNode::Var(_))) {
        true => Ok(f.applied(argument)),
        false => Err("asked at a constant".to_string()),
    };
    let definitions =
        [("f", Meaning::Function(&apply)), ("C", Meaning::Constant(&third)), ("e", Meaning::Constant(&third))];
    let read = |source: &str| parse_expr_with_definitions(source, &["t", "u"], &definitions);
    let shaped = |source: &str| shape(&read(source).unwrap_or_else(|d| panic!("{}", d.render("t", source, false))));
    assert_eq!(shaped("f(t + C)"), "Mul[Add[t Div[Neg[1] 3]] Exp[Add[t Div[Neg[1] 3]]]]");
    assert_eq!(shaped("e*f(u)^2"), "Mul[Div[Neg[1] 3] Pow[Mul[u Exp[u]] 2]]");
    assert_eq!(shaped("f(f(t))"), "Mul[Mul[t Exp[t]] Exp[Mul[t Exp[t]]]]");
    // What is repeated is there once: nesting does not double the tree.
    let deep = read(&format!("{}t{}", "f(".repeat(30), ")".repeat(30))).expect("thirty deep");
    assert!(deep.nodes.len() < 100, "{}", deep.nodes.len());
    assert!(deep.nodes.iter().enumerate().all(|(i, node)| node.args().iter().all(|a| (a.0 as usize) < i)));
    for (source, words) in [
        ("f(2)", "asked at a constant"),
        ("f", "without its argument"),
        ("f(t, u)", "takes 1 argument, 2 given"),
        ("C(t)", "`C` is a constant, not a function"),
        ("D + 1", "unknown name `D`"),
        ("f(t", "never closed"),
    ] {
        let error = read(source).expect_err(source);
        assert!(error.message.contains(words) && error.help.is_some(), "{source}: {error}");
    }
}
