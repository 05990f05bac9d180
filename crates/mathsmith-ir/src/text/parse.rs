//! Parsing.

use super::lex::{Number, Place, Spanned, Token, lex};
use super::{ParseError, RESERVED, is_identifier};
use crate::{Literal, Op, Program, Type, Value};
use std::collections::BTreeMap;

/// One number of a literal.
enum Numeral {
    Number(Number),
    Inf,
    Nan(Option<Number>),
}

/// A literal before its type is known.
enum Raw {
    Bool(bool),
    /// Signed numbers to be summed.
    Sum(Vec<(bool, Numeral)>),
}

/// An operand before the types of untyped literals are known.
enum Operand {
    Value(Value),
    Literal { raw: Raw, ty: Option<Type> },
}

struct Parser {
    tokens: Vec<Spanned>,
    at: usize,
    program: Program,
    scope: BTreeMap<String, Value>,
    tables: BTreeMap<String, u32>,
}

pub(super) fn parse_program(text: &str) -> Result<Program, ParseError> {
    let mut parser = Parser::new(text)?;
    parser.program()?;
    parser.end()?;
    Ok(parser.program)
}

/// Reads one literal of a known type, in the syntax of the text form; a type written after a colon must be that one.
///
/// # Errors
/// [`ParseError`] if the text is not a literal or does not fit the type.
pub fn parse_literal(text: &str, ty: Type) -> Result<Literal, ParseError> {
    let mut parser = Parser::new(text)?;
    let literal = parser.literal_of(ty)?;
    parser.end()?;
    Ok(literal)
}

impl Parser {
    fn new(text: &str) -> Result<Self, ParseError> {
        Ok(Parser {
            tokens: lex(text)?,
            at: 0,
            program: Program::default(),
            scope: BTreeMap::new(),
            tables: BTreeMap::new(),
        })
    }

    fn token(&self) -> &Token {
        &self.tokens[self.at].token
    }

    fn place(&self) -> Place {
        self.tokens[self.at].place
    }

    /// The current token, moving on; the end is never passed.
    fn advance(&mut self) -> Token {
        let token = self.token().clone();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    fn accept(&mut self, c: char) -> bool {
        let found = *self.token() == Token::Punct(c);
        if found {
            self.advance();
        }
        found
    }

    fn expect(&mut self, c: char, what: &str) -> Result<(), ParseError> {
        if self.accept(c) {
            return Ok(());
        }
        let wanted = if c == '>' { "->".into() } else { c.to_string() };
        Err(self.place().error(format!("`{wanted}` {what} expected, {} found", self.token().shown())))
    }

    fn end(&mut self) -> Result<(), ParseError> {
        match self.token() {
            Token::End => Ok(()),
            t => Err(self.place().error(format!("the end of the text expected, {} found", t.shown()))),
        }
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.token(), Token::Ident(s) if s == word)
    }

    fn name(&mut self, what: &str) -> Result<(String, bool), ParseError> {
        let place = self.place();
        match self.advance() {
            Token::Text(s) => Ok((s, false)),
            Token::Ident(s) if is_identifier(&s) => Ok((s, true)),
            Token::Ident(s) => {
                Err(place.error(format!("`{s}` is a reserved word; choose another name for {what}, or write \"{s}\"")))
            }
            t => Err(place.error(format!("a name for {what} expected, {} found", t.shown()))),
        }
    }

    fn ty(&mut self) -> Result<Type, ParseError> {
        let place = self.place();
        let known = Type::ALL.map(Type::name);
        match self.advance() {
            Token::Ident(s) => Type::from_name(&s).ok_or_else(|| {
                place.error(format!("unknown type `{s}`{}; types are {}", suggest(&s, &known), known.join(", ")))
            }),
            t => Err(place.error(format!("a type ({}) expected, {} found", known.join(", "), t.shown()))),
        }
    }

    fn program(&mut self) -> Result<(), ParseError> {
        if !self.is_word("program") {
            let found = self.token().shown();
            return Err(self.place().error(format!("a program starts with `program`, not with {found}")));
        }
        self.advance();
        let (name, _) = self.name("the program")?;
        self.program.set_name(name);
        self.expect('(', "before the inputs")?;
        while *self.token() != Token::Punct(')') {
            self.input(None)?;
            if !self.accept(',') {
                break;
            }
        }
        self.expect(')', "after the inputs")?;
        self.expect('>', "and the types of the outputs")?;
        self.expect('(', "before the types of the outputs")?;
        let mut types = Vec::new();
        while *self.token() != Token::Punct(')') {
            types.push(self.ty()?);
            if !self.accept(',') {
                break;
            }
        }
        self.expect(')', "after the types of the outputs")?;
        self.expect('{', "before the statements")?;
        while !self.is_word("return") {
            self.statement()?;
        }
        self.outputs(&types)?;
        self.expect('}', "after `return`")
    }

    fn statement(&mut self) -> Result<(), ParseError> {
        let place = self.place();
        match self.token().clone() {
            Token::Ident(word) if word == "input" => {
                self.advance();
                self.input(None)
            }
            Token::Ident(word) if word == "param" => {
                self.advance();
                self.param(None)
            }
            Token::Ident(word) if word == "table" => {
                self.advance();
                self.table()
            }
            Token::Ident(label) => {
                if !is_identifier(&label) {
                    return Err(place.error(format!("`{label}` is a reserved word and cannot be a label")));
                }
                self.advance();
                self.expect('=', &format!("after the label `{label}`"))?;
                self.definition((label, place))
            }
            Token::End | Token::Punct('}') => Err(place.error("`return` is missing: it ends every program")),
            t => Err(place.error(format!(
                "a statement (`label = op …`, `param`, `table`, `return`) expected, {} found",
                t.shown()
            ))),
        }
    }

    fn definition(&mut self, label: (String, Place)) -> Result<(), ParseError> {
        let place = self.place();
        let word = match self.advance() {
            Token::Ident(word) => word,
            t => return Err(place.error(format!("an operation expected after `=`, {} found", t.shown()))),
        };
        match word.as_str() {
            "input" => return self.input(Some(label)),
            "param" => return self.param(Some(label)),
            "lit" => {
                let (raw, ty) = self.literal()?;
                let ty = if matches!(raw, Raw::Bool(_)) { ty.or(Some(Type::Bool)) } else { ty };
                let ty = ty.ok_or_else(|| place.error("`lit` needs a typed literal, as in `lit 1.5:f32`"))?;
                let v = self.program.lit(to_literal(raw, ty, place)?);
                return self.define(label, v);
            }
            _ => {}
        }
        let op = self.op(&word, place)?;
        let operands = self.operands()?;
        if operands.len() != op.arity() {
            return Err(place.error(format!("`{word}` takes {} operands, {} given", op.arity(), operands.len())));
        }
        let args = self.values(op, operands)?;
        let v = self.program.op(op, &args).map_err(|e| place.error(format!("{e}; {}", typing(op))))?;
        self.define(label, v)
    }

    fn op(&mut self, word: &str, place: Place) -> Result<Op, ParseError> {
        let payload = self.accept('.');
        let op = match word {
            "convert" | "bitcast" | "table" if !payload => {
                let example = if word == "table" { "table.t0".into() } else { format!("{word}.f32") };
                return Err(place.error(format!("`{word}` needs a payload, as in `{example}`")));
            }
            "convert" => return Ok(Op::Convert(self.ty()?)),
            "bitcast" => return Ok(Op::Bitcast(self.ty()?)),
            "table" => {
                let place = self.place();
                let Token::Ident(name) = self.advance() else {
                    return Err(place.error("the name of a table expected after `table.`"));
                };
                let known: Vec<&str> = self.tables.keys().map(String::as_str).collect();
                return self.tables.get(&name).map(|&t| Op::Table(t)).ok_or_else(|| {
                    place.error(format!("table `{name}` is not defined{}; define it above", suggest(&name, &known)))
                });
            }
            _ => Op::named().find(|op| op.name() == word),
        };
        match op {
            Some(_) if payload => Err(place.error(format!("`{word}` has no payload; remove the dot and what follows"))),
            Some(op) => Ok(op),
            None => {
                let mut known: Vec<&str> = Op::named().map(Op::name).collect();
                known.extend(["convert", "bitcast", "table", "lit", "input", "param"]);
                Err(place.error(format!("unknown operation `{word}`{}", suggest(word, &known))))
            }
        }
    }

    fn operands(&mut self) -> Result<Vec<(Operand, Place)>, ParseError> {
        let mut operands = Vec::new();
        loop {
            let place = self.place();
            let operand = match self.token().clone() {
                Token::Ident(name) if !RESERVED.contains(&name.as_str()) => {
                    self.advance();
                    let known: Vec<&str> = self.scope.keys().map(String::as_str).collect();
                    Operand::Value(*self.scope.get(&name).ok_or_else(|| {
                        place.error(format!("`{name}` is not defined{}; define it above", suggest(&name, &known)))
                    })?)
                }
                _ => {
                    let (raw, ty) = self.literal()?;
                    Operand::Literal { raw, ty }
                }
            };
            operands.push((operand, place));
            if !self.accept(',') {
                return Ok(operands);
            }
        }
    }

    /// Gives the literals among an operation's operands their types, and makes them nodes in the order written.
    fn values(&mut self, op: Op, operands: Vec<(Operand, Place)>) -> Result<Vec<Value>, ParseError> {
        let types: Vec<Option<Type>> = operands
            .iter()
            .map(|(operand, _)| match operand {
                Operand::Value(v) => Some(self.program.ty(*v)),
                Operand::Literal { raw: Raw::Bool(_), .. } => Some(Type::Bool),
                Operand::Literal { ty, .. } => *ty,
            })
            .collect();
        let fallback = match op {
            Op::Select => [Some(Type::Bool), types[2], types[1]],
            Op::Shl | Op::Shr | Op::ShrLogical => [None, types[0], None],
            Op::Convert(_) | Op::Bitcast(_) | Op::Table(_) => [None; 3],
            _ => [types.iter().copied().flatten().next(); 3],
        };
        operands.into_iter().zip(fallback).map(|(operand, ty)| self.value(operand, ty)).collect()
    }

    fn value(&mut self, (operand, place): (Operand, Place), fallback: Option<Type>) -> Result<Value, ParseError> {
        match operand {
            Operand::Value(v) => Ok(v),
            Operand::Literal { raw: Raw::Bool(b), ty: None } => Ok(self.program.lit(Literal::Bool(b))),
            Operand::Literal { raw, ty } => {
                let ty = ty.or(fallback);
                let ty =
                    ty.ok_or_else(|| place.error("nothing here fixes the literal's type; write it, as in `1.5:f32`"))?;
                Ok(self.program.lit(to_literal(raw, ty, place)?))
            }
        }
    }

    fn outputs(&mut self, types: &[Type]) -> Result<(), ParseError> {
        let place = self.place();
        self.advance();
        let operands = if *self.token() == Token::Punct('}') { Vec::new() } else { self.operands()? };
        if operands.len() != types.len() {
            let message = format!("the program declares {} outputs, `return` gives {}", types.len(), operands.len());
            return Err(place.error(message));
        }
        for (operand, &ty) in operands.into_iter().zip(types) {
            let place = operand.1;
            let v = self.value(operand, Some(ty))?;
            if self.program.ty(v) != ty {
                return Err(place.error(format!("the output is declared {ty}, its value is {}", self.program.ty(v))));
            }
            self.program.output(v);
        }
        Ok(())
    }

    /// Registers how an input or parameter is referred to: by its label if it has one, else by its name.
    fn declare(
        &mut self,
        label: Option<(String, Place)>,
        name: String,
        plain: bool,
        place: Place,
        v: Value,
    ) -> Result<(), ParseError> {
        match label {
            Some(label) => self.define(label, v),
            None if plain => self.define((name, place), v),
            None => {
                Err(place
                    .error(format!("{name:?} is not an identifier: give it a label, as in `a = input {name:?}: f32`")))
            }
        }
    }

    fn define(&mut self, (name, place): (String, Place), v: Value) -> Result<(), ParseError> {
        match self.scope.insert(name.clone(), v) {
            None => Ok(()),
            Some(_) => Err(place.error(format!("`{name}` is already defined; choose another name"))),
        }
    }

    fn input(&mut self, label: Option<(String, Place)>) -> Result<(), ParseError> {
        let place = self.place();
        let (name, plain) = self.name("an input")?;
        self.expect(':', "and a type")?;
        let ty = self.ty()?;
        let v = self.program.input(name.clone(), ty);
        self.declare(label, name, plain, place, v)
    }

    fn param(&mut self, label: Option<(String, Place)>) -> Result<(), ParseError> {
        let place = self.place();
        let (name, plain) = self.name("a parameter")?;
        self.expect(':', "and a type")?;
        let ty = self.ty()?;
        let value = if self.accept('=') { Some(self.literal_of(ty)?) } else { None };
        let v = self.program.param(name.clone(), ty, value);
        self.declare(label, name, plain, place, v)
    }

    fn table(&mut self) -> Result<(), ParseError> {
        let place = self.place();
        let (name, plain) = self.name("a table")?;
        if !plain {
            return Err(place.error("the name of a table is an identifier, as in `t0`"));
        }
        self.expect(':', "and a type")?;
        let ty = self.ty()?;
        self.expect('=', "and the entries")?;
        self.expect('[', "before the entries")?;
        let mut values = vec![self.literal_of(ty)?];
        while self.accept(',') {
            values.push(self.literal_of(ty)?);
        }
        self.expect(']', "after the entries")?;
        let index = self.program.table(values);
        match self.tables.insert(name.clone(), index) {
            None => Ok(()),
            Some(_) => Err(place.error(format!("table `{name}` is already defined; choose another name"))),
        }
    }

    fn literal_of(&mut self, ty: Type) -> Result<Literal, ParseError> {
        let place = self.place();
        let (raw, written) = self.literal()?;
        if let Some(other) = written.filter(|&t| t != ty) {
            return Err(place.error(format!("a literal of type {ty} expected, this one is {other}")));
        }
        to_literal(raw, ty, place)
    }

    fn literal(&mut self) -> Result<(Raw, Option<Type>), ParseError> {
        let raw = if self.is_word("true") || self.is_word("false") {
            let value = self.is_word("true");
            self.advance();
            Raw::Bool(value)
        } else {
            let mut negative = self.accept('-');
            if !negative {
                self.accept('+');
            }
            let mut terms = vec![(negative, self.numeral()?)];
            loop {
                negative = self.accept('-');
                if !negative && !self.accept('+') {
                    break Raw::Sum(terms);
                }
                terms.push((negative, self.numeral()?));
            }
        };
        let ty = if self.accept(':') { Some(self.ty()?) } else { None };
        Ok((raw, ty))
    }

    fn numeral(&mut self) -> Result<Numeral, ParseError> {
        let place = self.place();
        match self.advance() {
            Token::Number(n) => Ok(Numeral::Number(n)),
            Token::Ident(s) if s == "inf" => Ok(Numeral::Inf),
            Token::Ident(s) if s == "nan" => {
                if !self.accept('(') {
                    return Ok(Numeral::Nan(None));
                }
                let place = self.place();
                let Token::Number(bits) = self.advance() else {
                    return Err(place.error("the bits of the NaN expected, as in `nan(0x7fc00001)`"));
                };
                self.expect(')', "after the bits of the NaN")?;
                Ok(Numeral::Nan(Some(bits)))
            }
            t => Err(place.error(format!("a value or a literal expected, {} found", t.shown()))),
        }
    }
}

fn to_literal(raw: Raw, ty: Type, place: Place) -> Result<Literal, ParseError> {
    let mut terms = match (raw, ty) {
        (Raw::Bool(b), Type::Bool) => return Ok(Literal::Bool(b)),
        (Raw::Bool(_), _) => return Err(place.error(format!("a literal of type {ty} expected, a truth value found"))),
        (Raw::Sum(_), Type::Bool) => return Err(place.error("a `bool` literal is `true` or `false`")),
        (Raw::Sum(terms), _) => terms,
    };
    if terms.len() > 1 && ty != Type::Real {
        return Err(place.error(format!("a literal of type {ty} is one number; sums are for `real`")));
    }
    if terms.len() > 1 {
        let mut ratios = Vec::new();
        for (negative, term) in &terms {
            let Numeral::Number(n) = term else {
                return Err(place.error("the terms of a sum are finite numbers"));
            };
            ratios.push(n.ratio(*negative));
        }
        let sum = ratios.iter().skip(1).fold(ratios[0].clone(), |sum, r| sum.plus(r));
        return sum.to_real().map(Literal::Real).ok_or_else(|| too_large(place, ty));
    }
    let Some((negative, term)) = terms.pop() else {
        return Err(place.error("a number expected"));
    };
    match (term, ty) {
        (Numeral::Number(n), Type::I32 | Type::I64) => integer(&n, negative, ty, place),
        (_, Type::I32 | Type::I64) => Err(place.error(format!("{ty} has no infinity and no NaN"))),
        (Numeral::Number(n), Type::Real) => {
            n.ratio(negative).to_real().map(Literal::Real).ok_or_else(|| too_large(place, ty))
        }
        (Numeral::Number(n), Type::F32) => {
            let x = n.ratio(negative).to_f32();
            if x.is_infinite() { Err(too_large(place, ty)) } else { Ok(Literal::F32(x)) }
        }
        (Numeral::Number(n), _) => {
            let x = n.ratio(negative).to_f64();
            if x.is_infinite() { Err(too_large(place, ty)) } else { Ok(Literal::F64(x)) }
        }
        (Numeral::Inf, _) => special(if negative { f64::NEG_INFINITY } else { f64::INFINITY }, ty, place),
        (Numeral::Nan(None), Type::F32) => Ok(Literal::F32(f32::from_bits(0x7fc0_0000 | u32::from(negative) << 31))),
        (Numeral::Nan(None), _) => {
            special(f64::from_bits(0x7ff8_0000_0000_0000 | u64::from(negative) << 63), ty, place)
        }
        (Numeral::Nan(Some(bits)), _) => nan_bits(&bits, negative, ty, place),
    }
}

fn special(x: f64, ty: Type, place: Place) -> Result<Literal, ParseError> {
    Literal::float(ty, x).ok_or_else(|| place.error(format!("{ty} has no infinity and no NaN")))
}

fn too_large(place: Place, ty: Type) -> ParseError {
    place.error(format!("the number is beyond the range of {ty}; for an infinity write `inf`"))
}

fn integer(n: &Number, negative: bool, ty: Type, place: Place) -> Result<Literal, ParseError> {
    let bits = if ty == Type::I32 { 32 } else { 64 };
    let magnitude = n.digits.to_u64().filter(|_| n.whole);
    let Some(magnitude) = magnitude else {
        let why = if n.whole { "beyond the range of" } else { "not a whole number, as wanted for" };
        return Err(place.error(format!("`{}` is {why} {ty}", n.source)));
    };
    let value = if negative { -i128::from(magnitude) } else { i128::from(magnitude) };
    // Hexadecimal numerals may be the bits of a negative number.
    let limit = if n.hex { 1i128 << bits } else { 1i128 << (bits - 1) };
    if value >= limit || value < -(1i128 << (bits - 1)) {
        return Err(place.error(format!("`{}` is beyond the range of {ty}", n.source)));
    }
    Ok(if ty == Type::I32 { Literal::I32(value as i32) } else { Literal::I64(value as i64) })
}

fn nan_bits(n: &Number, negative: bool, ty: Type, place: Place) -> Result<Literal, ParseError> {
    let bits = n.digits.to_u64().filter(|_| n.whole && !negative);
    let literal = match (ty, bits) {
        (Type::F32, Some(b)) => u32::try_from(b).ok().map(f32::from_bits).filter(|x| x.is_nan()).map(Literal::F32),
        (Type::F64, Some(b)) => Some(f64::from_bits(b)).filter(|x| x.is_nan()).map(Literal::F64),
        _ => None,
    };
    literal.ok_or_else(|| place.error(format!("`{}` is not the bits of a NaN of type {ty}", n.source)))
}

/// What the operation wants, for a message about types.
fn typing(op: Op) -> &'static str {
    match op {
        Op::Add | Op::Sub | Op::Mul | Op::Min | Op::Max | Op::Neg | Op::Abs => {
            "it takes floats or integers, all of one type"
        }
        Op::Div | Op::Fma | Op::Sqrt | Op::Sign | Op::Floor | Op::Ceil | Op::RoundEven | Op::Trunc | Op::CopySign => {
            "it takes floats, all of one type (use `convert`)"
        }
        Op::Eq | Op::Ne => "it takes two values of one type",
        Op::Lt | Op::Le | Op::Gt | Op::Ge => "it takes two floats or two integers of one type",
        Op::Select => "it takes a bool and two values of one type",
        Op::Convert(_) => "it converts between different types of f32, f64, i32, i64",
        Op::Bitcast(_) => "it goes between f32 and i32, or f64 and i64",
        Op::And | Op::Or | Op::Xor | Op::Not => "it takes integers or bools, all of one type",
        Op::Shl | Op::Shr | Op::ShrLogical => "it takes an integer and a count of the same type or i32",
        Op::Table(_) => "it takes an integer index",
        Op::Exp | Op::Log | Op::Sin | Op::Cos | Op::Tan | Op::Asin | Op::Acos | Op::Atan | Op::Sum | Op::Norm => {
            "it takes a float"
        }
        Op::Pow | Op::Dot => "it takes two floats of one type (use `convert`)",
    }
}

/// `; did you mean …?` for the nearest known name, if one is near.
fn suggest(word: &str, known: &[&str]) -> String {
    if word.len() > 60 {
        return String::new();
    }
    let near = known.iter().map(|k| (distance(word, k), *k)).min();
    match near {
        Some((d, k)) if d <= 2.max(word.chars().count() / 3) && d < k.chars().count() => {
            format!("; did you mean `{k}`?")
        }
        _ => String::new(),
    }
}

/// Levenshtein distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let best = (diagonal + usize::from(x != *y)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = std::mem::replace(&mut row[j + 1], best);
        }
    }
    row[b.len()]
}
