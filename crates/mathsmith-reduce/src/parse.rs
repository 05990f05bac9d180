//! Reads `.reduction` files: one statement a line, then programs (`docs/reductions.md`).
//!
//! Everything that does not depend on the function is checked here, so that a file that parses can only fail to *fit*:
//! each name is defined before its use, each formula is one, each frame has the inputs and outputs of its cores and no
//! core's argument waits for a core that is not there yet.

use crate::reduction::{Arithmetic, Formula, Frame, Hole, Order, Reduction, Statement};
use mathsmith_dsl::suggest::nearest;
use mathsmith_dsl::{
    Code, Constant, Diagnostic, Expr, ExprNode, Meaning, SourceText, Span, parse_expr_with_definitions,
};
use mathsmith_ir::{Node, Op, Program, Type};

/// More errors than this are not collected.
const MOST_ERRORS: usize = 20;
/// Longer files are not read.
const LONGEST: usize = 1 << 18;

/// The keys with the shape of their values and what they say, as in `docs/reductions.md`.
pub const KEYS: &[(&str, &str, &str)] = &[
    ("reduction", "NAME", "the name of the reduction"),
    ("about", "TEXT", "one sentence for people"),
    ("variables", "1|2", "how many variables the functions have; without it 1"),
    ("let", "NAME = EXPR", "a constant"),
    ("solve", "NAME in A..B: EXPR = EXPR", "a constant that solves an equation"),
    ("holds", "EXPR = EXPR", "an identity"),
    ("when", "EXPR < EXPR", "a condition"),
    ("split", "NAME into A:BITS B:BITS C", "a constant in pieces"),
    ("core", "NAME(t) = EXPR", "a hole of the frames"),
    ("part", "NAME(t) = EXPR", "a hole whose function may be reduced further"),
    ("tune", "NAME ...", "parameters that fitting may change"),
    ("frame", "fma|plain|any [LABEL]", "the program that follows is for these programs"),
];

/// Names that formulas use for something else.
const TAKEN: [&str; 5] = ["f", "x", "y", "lo", "hi"];

/// A piece of the file: text and where it begins.
#[derive(Clone, Copy)]
struct Piece<'a> {
    text: &'a str,
    start: usize,
}

impl<'a> Piece<'a> {
    fn span(self) -> Span {
        Span::new(self.start, self.start + self.text.len())
    }

    fn trimmed(self) -> Piece<'a> {
        let lead = self.text.len() - self.text.trim_start().len();
        Piece { text: self.text.trim(), start: self.start + lead }
    }

    /// The text before and behind the first separator outside brackets.
    fn split(self, separator: &str) -> Option<(Piece<'a>, Piece<'a>)> {
        let mut depth = 0i32;
        for (at, c) in self.text.char_indices() {
            match c {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ if depth == 0 && self.text[at..].starts_with(separator) => {
                    let end = at + separator.len();
                    let head = Piece { text: &self.text[..at], start: self.start };
                    let tail = Piece { text: &self.text[end..], start: self.start + end };
                    return Some((head.trimmed(), tail.trimmed()));
                }
                _ => {}
            }
        }
        None
    }

    fn words(self) -> Vec<Piece<'a>> {
        let base = self.text.as_ptr() as usize;
        let words = self.text.split_whitespace();
        words.map(|text| Piece { text, start: self.start + text.as_ptr() as usize - base }).collect()
    }
}

type Checked<T> = Result<T, Box<Diagnostic>>;

fn fail<T>(code: Code, span: Span, message: impl Into<String>, label: &str, help: impl Into<String>) -> Checked<T> {
    Err(Box::new(Diagnostic::error(code, span, message, label).with_help(help)))
}

/// User text inside a message.
fn quote(text: &str) -> String {
    let shown: String = text.chars().take(40).flat_map(char::escape_debug).collect();
    format!("`{shown}{}`", if text.chars().nth(40).is_some() { "..." } else { "" })
}

fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic())
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
        && text.len() <= 40
}

/// Names of reductions and labels: words that a command line takes as they are.
fn is_word(text: &str) -> bool {
    let shaped = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    shaped && !text.is_empty() && text.len() <= 40 && !matches!(text, "auto" | "none")
}

/// Reads a reduction.
///
/// # Errors
/// Everything that is wrong with it, each finding with the text attached (see [`Diagnostic::report`]).
pub fn parse(file_name: &str, source: &str) -> Result<Reduction, Vec<Diagnostic>> {
    let mut reader = Reader::default();
    if source.len() > LONGEST {
        let message = format!("the file has {} bytes, more than the {LONGEST} that are read", source.len());
        let help = "a reduction is a page or two of text; is this the right file?";
        let error = Diagnostic::error(Code::Limit, Span::default(), message, "too long").with_help(help);
        return Err(vec![error.with_text(&SourceText::new(file_name, ""))]);
    }
    reader.read(source);
    if reader.errors.is_empty()
        && let Err(error) = reader.complete(source)
    {
        reader.errors.push(*error);
    }
    if reader.errors.is_empty() {
        return Ok(reader.reduction);
    }
    let text = SourceText::new(file_name, source);
    Err(reader.errors.into_iter().map(|error| error.with_text(&text)).collect())
}

struct Reader {
    reduction: Reduction,
    /// Constants so far.
    constants: Vec<String>,
    errors: Vec<Diagnostic>,
    /// Where each hole and each tuned parameter is named.
    tuned: Vec<Span>,
}

impl Default for Reader {
    fn default() -> Self {
        let reduction = Reduction {
            name: String::new(),
            about: String::new(),
            variables: 1,
            statements: vec![],
            holes: vec![],
            tuned: vec![],
            frames: vec![],
        };
        Reader { reduction, constants: vec![], errors: vec![], tuned: vec![] }
    }
}

/// The text in front of a comment: `#` at the start or behind a blank.
fn without_comment(line: &str) -> &str {
    let mut blank_before = true;
    for (at, c) in line.char_indices() {
        if c == '#' && blank_before {
            return &line[..at];
        }
        blank_before = c.is_whitespace();
    }
    line
}

impl Reader {
    fn read(&mut self, source: &str) {
        let mut at = 0;
        while at < source.len() && self.errors.len() < MOST_ERRORS {
            let end = source[at..].find('\n').map_or(source.len(), |i| at + i + 1);
            let line = Piece { text: without_comment(&source[at..end]), start: at }.trimmed();
            at = end;
            if line.text.is_empty() {
                continue;
            }
            let length = line.text.find(char::is_whitespace).unwrap_or(line.text.len());
            let key = Piece { text: &line.text[..length], start: line.start };
            let value = Piece { text: &line.text[length..], start: line.start + length }.trimmed();
            let result = match key.text {
                "frame" => self.frame(value, source, &mut at),
                _ => self.statement(key, value),
            };
            if let Err(error) = result {
                self.errors.push(*error);
            }
        }
    }

    fn statement(&mut self, key: Piece<'_>, value: Piece<'_>) -> Checked<()> {
        let Some((_, shape, what)) = KEYS.iter().find(|(name, ..)| *name == key.text) else {
            let known = KEYS.iter().map(|(name, ..)| *name);
            let help = match nearest(key.text, known.clone()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if key.text == "program" => {
                    "a program stands behind a line `frame fma`, `frame plain` or `frame any`".into()
                }
                None => format!("a line begins with one of {}", known.collect::<Vec<_>>().join(", ")),
            };
            return fail(Code::UnknownName, key.span(), format!("unknown key {}", quote(key.text)), "not a key", help);
        };
        let shape = format!("write `{} {shape}`: {what}", key.text);
        if value.text.is_empty() {
            return fail(
                Code::Missing,
                key.span(),
                format!("`{}` says nothing", key.text),
                "a value is missing",
                shape,
            );
        }
        if self.reduction.name.is_empty() && key.text != "reduction" {
            let help = "begin with `reduction NAME`";
            return fail(Code::Missing, key.span(), "the file does not begin with its name", "comes too early", help);
        }
        let misshapen = |what: &str| fail(Code::Syntax, value.span(), what, "in this line", shape.clone());
        match key.text {
            "reduction" => {
                if !self.reduction.name.is_empty() {
                    let help = "one file holds one reduction; remove the line";
                    return fail(Code::Duplicate, key.span(), "a second name", "again here", help);
                }
                if !is_word(value.text) {
                    let help = "write one word of letters, digits, `-` and `_`, neither `auto` nor `none`";
                    let message = format!("{} cannot name a reduction", quote(value.text));
                    return fail(Code::Value, value.span(), message, "not a name", help);
                }
                self.reduction.name = value.text.to_string();
            }
            "about" => self.reduction.about = value.text.to_string(),
            "variables" => {
                let reduction = &mut self.reduction;
                if !(reduction.statements.is_empty() && reduction.holes.is_empty() && reduction.frames.is_empty()) {
                    let help = "move the line to the top, below `about`";
                    return fail(Code::Syntax, key.span(), "the number of variables comes too late", "here", help);
                }
                reduction.variables = match value.text {
                    "1" => 1,
                    "2" => 2,
                    _ => return misshapen("functions have 1 or 2 variables"),
                };
            }
            "let" => {
                let Some((name, expr)) = value.split("=") else { return misshapen("`=` is missing") };
                self.free(name)?;
                let value = self.formula(expr, &[])?;
                self.constants.push(name.text.to_string());
                self.reduction.statements.push(Statement::Let { name: name.text.to_string(), value });
            }
            "solve" => {
                let Some((head, equation)) = value.split(":") else { return misshapen("`:` is missing") };
                let Some((left, right)) = equation.split("=") else { return misshapen("`=` is missing") };
                let Some((name, range)) = head.split(" in ") else { return misshapen("`in` is missing") };
                let Some((from, to)) = range.split("..") else { return misshapen("`..` is missing") };
                self.free(name)?;
                let (from, to) = (self.formula(from, &[])?, self.formula(to, &[])?);
                let left = self.formula(left, &[name.text])?;
                let right = self.formula(right, &[name.text])?;
                let name = name.text.to_string();
                self.constants.push(name.clone());
                self.reduction.statements.push(Statement::Solve { name, from, to, left, right });
            }
            "holds" => {
                let Some((left, right)) = value.split("=") else { return misshapen("`=` is missing") };
                let (left, right) = (self.formula(left, &["x", "y"])?, self.formula(right, &["x", "y"])?);
                self.reduction.statements.push(Statement::Holds { left, right });
            }
            "when" => {
                let found = Order::ALL.iter().find_map(|(s, order)| value.split(s).map(|(l, r)| (l, *order, r)));
                let Some((left, order, right)) = found else { return misshapen("`<` or `>` is missing") };
                let (left, right) = (self.formula(left, &["lo", "hi"])?, self.formula(right, &["lo", "hi"])?);
                self.reduction.statements.push(Statement::When { left, order, right });
            }
            "split" => {
                let Some((name, pieces)) = value.split(" into ") else { return misshapen("`into` is missing") };
                self.split(name, pieces)?;
            }
            "core" | "part" => {
                let Some((head, expr)) = value.split("=") else { return misshapen("`=` is missing") };
                let bracket = head.text.strip_suffix(')').and_then(|head| head.split_once('('));
                let Some((name, variable)) = bracket else { return misshapen("the argument in brackets is missing") };
                let name = Piece { text: name.trim(), start: head.start };
                let variable_at = head.start + head.text.find('(').map_or(0, |at| at + 1);
                let variable = Piece { text: variable, start: variable_at }.trimmed();
                self.hole(name, variable, expr, key.text == "part")?;
            }
            "tune" => {
                for word in value.words() {
                    if !self.constants.iter().any(|known| known == word.text) {
                        return self.unknown_constant(word, "tuned");
                    }
                    self.reduction.tuned.push(word.text.to_string());
                    self.tuned.push(word.span());
                }
            }
            _ => return misshapen("this key has no value of this kind"),
        }
        Ok(())
    }

    fn unknown_constant<T>(&self, word: Piece<'_>, verb: &str) -> Checked<T> {
        let help = match nearest(word.text, self.constants.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None if self.constants.is_empty() => "define it first, by `let`, `solve` or `split`".into(),
            None => format!("the constants are {}", self.constants.join(", ")),
        };
        let message = format!("{} is {verb}, but no constant", quote(word.text));
        fail(Code::UnknownName, word.span(), message, "not known here", help)
    }

    /// A name that is about to be defined.
    fn free(&self, name: Piece<'_>) -> Checked<()> {
        if !is_name(name.text) {
            let help = "a name is a letter, then letters, digits and `_`";
            return fail(Code::Syntax, name.span(), format!("{} is no name", quote(name.text)), "not a name", help);
        }
        let known = self.constants.iter().any(|known| known == name.text);
        if known || self.reduction.holes.iter().any(|hole| hole.name == name.text) {
            let message = format!("{} is defined twice", quote(name.text));
            return fail(Code::Duplicate, name.span(), message, "again here", "choose another name");
        }
        if TAKEN.contains(&name.text) {
            let message = format!("{} cannot name a constant", quote(name.text));
            let help = "f is the function, x and y are the variables of identities, lo and hi the ends of the domain";
            return fail(Code::Conflict, name.span(), message, "means something else", help);
        }
        Ok(())
    }

    /// Checks a formula in the constants so far and some variables.
    fn formula(&self, piece: Piece<'_>, vars: &[&str]) -> Checked<Formula> {
        let number = constant_one();
        // What f is does not matter for the syntax: a number where it is asked at a constant, else its argument.
        let apply = |argument: &Expr| {
            let varies = argument.nodes.iter().any(|node| matches!(node, ExprNode::Var(_)));
            Ok(if varies { argument.clone() } else { Expr { vars: argument.vars.clone(), ..number.clone() } })
        };
        let of_two = |a: &Expr, b: &Expr| {
            let varies = |e: &Expr| e.nodes.iter().any(|node| matches!(node, ExprNode::Var(_)));
            if varies(a) || varies(b) { Ok(a.clone()) } else { apply(a) }
        };
        let function = if self.reduction.variables == 2 { Meaning::Binary(&of_two) } else { Meaning::Function(&apply) };
        let mut definitions = vec![("f", function)];
        definitions.extend(self.constants.iter().map(|name| (name.as_str(), Meaning::Constant(&number))));
        let text = piece.text.to_string();
        let shift = |error: Diagnostic| Box::new(error.shifted(piece.span().start));
        let expr = parse_expr_with_definitions(&text, vars, &definitions).map_err(shift)?;
        if let Some(at) = expr.nodes.iter().position(|n| *n == ExprNode::Constant(Constant::Infinity)) {
            let span = expr.spans[at].shifted(piece.span().start);
            let help = "ask the function for its limit: `f(inf)`";
            return fail(Code::Number, span, "infinity is no number to compute with", "not a real number", help);
        }
        Ok(Formula { text })
    }

    fn split(&mut self, name: Piece<'_>, pieces: Piece<'_>) -> Checked<()> {
        if !self.constants.iter().any(|known| known == name.text) {
            return self.unknown_constant(name, "split");
        }
        let words = pieces.words();
        let mut out = Vec::new();
        for (i, word) in words.iter().enumerate() {
            let last = i + 1 == words.len();
            let (piece, bits) = match word.text.split_once(':') {
                Some((piece, bits)) => (piece, Some(bits)),
                None => (word.text, None),
            };
            let piece = Piece { text: piece, start: word.start };
            self.free(piece)?;
            let help = "every piece but the last says how many bits it has, as in `P into P1:16 P2`";
            let bits = match bits.map(str::parse::<u32>) {
                None if last => None,
                Some(Ok(bits @ 1..=53)) if !last => Some(bits),
                _ => {
                    let message = format!("{} is no piece of this kind", quote(word.text));
                    return fail(Code::Value, word.span(), message, "bits from 1 to 53, none for the last", help);
                }
            };
            out.push((piece.text.to_string(), bits));
            self.constants.push(piece.text.to_string());
        }
        self.reduction.statements.push(Statement::Split { name: name.text.to_string(), pieces: out });
        Ok(())
    }

    fn hole(&mut self, name: Piece<'_>, variable: Piece<'_>, expr: Piece<'_>, part: bool) -> Checked<()> {
        if name.text != "y" || self.reduction.variables == 2 {
            self.free(name)?;
        } else if self.reduction.holes.iter().any(|hole| hole.name == "y") {
            return fail(Code::Duplicate, name.span(), "`y` is defined twice", "again here", "choose another name");
        }
        if !is_name(variable.text) || variable.text == "f" || self.constants.iter().any(|c| c == variable.text) {
            let help = "write a letter that is no constant: `core y(t) = f(t)`";
            let message = format!("{} cannot be the argument of a core", quote(variable.text));
            return fail(Code::Syntax, variable.span(), message, "not a variable", help);
        }
        if !self.reduction.frames.is_empty() {
            let help = "move the line in front of the first frame";
            return fail(Code::Syntax, name.span(), "a core behind a frame", "too late here", help);
        }
        let target = self.formula(expr, &[variable.text])?;
        let (name, variable) = (name.text.to_string(), variable.text.to_string());
        self.reduction.holes.push(Hole { name, variable, target, part });
        Ok(())
    }

    /// `frame KIND [LABEL]` and the program behind it; `at` moves behind the program.
    fn frame(&mut self, value: Piece<'_>, source: &str, at: &mut usize) -> Checked<()> {
        let start = *at;
        // The program reaches to the line of its closing bracket, or the next that begins a statement.
        let mut end = start;
        for line in source[start..].split_inclusive('\n') {
            let word = line.split_whitespace().next().unwrap_or("");
            if word == "frame" {
                break;
            }
            end += line.len();
            if word.starts_with('}') {
                break;
            }
        }
        *at = end;
        let words = value.words();
        let kind = words.first().and_then(|word| Arithmetic::ALL.iter().find(|(name, _)| *name == word.text));
        let (Some((_, arithmetic)), true) = (kind, words.len() <= 2) else {
            let help = "write `frame fma`, `frame plain` or `frame any`, and a label if there are several of a kind";
            return fail(Code::Syntax, value.span(), "this says not which programs the frame is for", "here", help);
        };
        let label = words.get(1).map(|word| word.text.to_string());
        if let Some(word) = words.get(1).filter(|word| !is_word(word.text)) {
            let help = "write one word of letters, digits, `-` and `_`";
            return fail(Code::Value, word.span(), format!("{} is no label", quote(word.text)), "not a label", help);
        }
        let program: Program = match source[start..end].parse() {
            Ok(program) => program,
            Err(error) => {
                let error: mathsmith_ir::text::ParseError = error;
                let line: usize = source[start..end].split_inclusive('\n').take(error.line - 1).map(str::len).sum();
                let rest = &source[start + line..end];
                let column = rest.char_indices().nth(error.column.saturating_sub(1)).map_or(rest.len(), |(i, _)| i);
                let place = start + line + column;
                let help = "the text form of programs is described in docs/ir.md";
                return fail(Code::Syntax, Span::new(place, place + 1), error.message, "in this program", help);
            }
        };
        self.check_frame(&program, *arithmetic, &source[start..end], start)?;
        let doubled = |frame: &&Frame| {
            frame.label == label
                && (frame.arithmetic.suits(true) && arithmetic.suits(true)
                    || frame.arithmetic.suits(false) && arithmetic.suits(false))
        };
        if self.reduction.frames.iter().find(doubled).is_some() {
            let help = "give each frame of a kind its own label: `frame fma short`";
            return fail(Code::Duplicate, value.span(), "a frame of this kind is there already", "again here", help);
        }
        self.reduction.frames.push(Frame { arithmetic: *arithmetic, label, program });
        Ok(())
    }

    fn check_frame(&self, program: &Program, arithmetic: Arithmetic, text: &str, start: usize) -> Checked<()> {
        let place = Span::new(start, start + text.find('\n').unwrap_or(text.len()));
        let holes = &self.reduction.holes;
        let names: Vec<&str> = program.inputs().iter().map(|input| input.name.as_str()).collect();
        let variables = self.reduction.variables;
        let given = &["x", "y"][..variables];
        let wanted: Vec<&str> = given.iter().copied().chain(holes.iter().map(|hole| hole.name.as_str())).collect();
        if names != wanted {
            let message = format!("the frame's inputs are {}, not {}", names.join(", "), wanted.join(", "));
            let help = "x comes first, and y with functions of two variables; the others are the cores in the order of \
                        their lines";
            return fail(Code::Conflict, place, message, "these inputs", help);
        }
        if program.outputs().len() != holes.len() + 1 {
            let message = format!("the frame returns {} values, not {}", program.outputs().len(), holes.len() + 1);
            let help = "it returns the result, then the argument of each core in the order of their lines";
            return fail(Code::Conflict, place, message, "in this program", help);
        }
        let floats = [Type::F32, Type::F64];
        let inputs = program.inputs().iter().map(|input| input.ty);
        let outputs = program.outputs().iter().map(|&v| program.ty(v));
        if inputs.chain(outputs).any(|ty| !floats.contains(&ty)) {
            let help = "x, the result, the cores and their arguments are f32 or f64";
            return fail(Code::Conflict, place, "the frame has an input or output of another type", "here", help);
        }
        if program.inputs()[..variables].iter().any(|x| x.ty != program.ty(program.outputs()[0])) {
            let help = "convert one of the two";
            return fail(Code::Conflict, place, "the result has another type than x", "in this program", help);
        }
        for (i, &argument) in (variables..).zip(&program.outputs()[1..]) {
            let needed = crate::plan::below(program, argument);
            let waits = (i..wanted.len()).find(|&input| {
                program.find(Node::Input(input as u32)).is_some_and(|v| needed.get(v.index()) == Some(&true))
            });
            if let Some(input) = waits {
                let message = format!("the argument of `{}` depends on the core `{}`", wanted[i], wanted[input]);
                let help =
                    "an argument may depend on x and on cores of lines above only; change the order of the cores";
                return fail(Code::Conflict, place, message, "in this program", help);
            }
        }
        let fused = program.nodes().iter().any(|node| matches!(node, Node::Op(Op::Fma, _)));
        if fused && arithmetic != Arithmetic::Fma {
            let help = "write `frame fma`, or `mul` and `add` instead of `fma`";
            return fail(Code::Conflict, place, "a frame for programs without `fma` has one", "in this program", help);
        }
        for param in program.params() {
            let line = text.find(&format!("param {}", param.name));
            let start = line.map_or(place.start as usize, |at| start + at + "param ".len());
            if !self.constants.contains(&param.name) {
                return self.unknown_constant(Piece { text: &param.name, start }, "a parameter");
            }
            if param.value.is_some() || matches!(param.ty, Type::Bool | Type::Real) {
                let message =
                    format!("the parameter {} has a value or a type that no constant has", quote(&param.name));
                let help = "write `param NAME: f32` without a value: it is that of the constant of its name";
                return fail(Code::Conflict, place, message, "in this program", help);
            }
        }
        Ok(())
    }

    fn complete(&self, source: &str) -> Checked<()> {
        let end = Span::new(source.len(), source.len());
        let missing = |message: &str, help: &str| fail(Code::Missing, end, message, "the file ends here", help);
        let reduction = &self.reduction;
        if reduction.name.is_empty() {
            return missing("the file is empty", "begin with `reduction NAME`");
        }
        if reduction.about.is_empty() {
            return missing(
                "the reduction says nothing about itself",
                "add a line `about` with one sentence for people",
            );
        }
        // Two variables may leave nothing to approximate: a root of a sum of squares.
        if reduction.holes.is_empty() && reduction.variables == 1 {
            return missing("the reduction has no core", "add a line such as `core y(t) = f(t)`");
        }
        if reduction.frames.is_empty() {
            return missing("the reduction has no frame", "add `frame any` and a program");
        }
        for (name, span) in reduction.tuned.iter().zip(&self.tuned) {
            let used = |frame: &Frame| frame.program.params().iter().any(|param| param.name == *name);
            if !reduction.frames.iter().any(used) {
                let message = format!("{} is tuned, but no frame has a parameter of that name", quote(name));
                return fail(
                    Code::UnknownName,
                    *span,
                    message,
                    "here",
                    "add `param NAME: f32` to a frame, or remove it",
                );
            }
        }
        Ok(())
    }
}

/// The number that stands for any constant while a formula is checked.
fn constant_one() -> Expr {
    mathsmith_dsl::parse_expr_with_vars("1", &[]).expect("a number is an expression")
}
