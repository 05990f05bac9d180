//! Tokens of the text form.

use super::ParseError;
use crate::exact::{Natural, Ratio};

/// A place in the text: 1-based line and column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub line: usize,
    pub column: usize,
}

impl Place {
    pub fn error(self, message: impl Into<String>) -> ParseError {
        ParseError { line: self.line, column: self.column, message: message.into() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Ident(String),
    Text(String),
    Number(Number),
    /// One of `( ) [ ] { } , : = . + -`, or `>` for the arrow.
    Punct(char),
    End,
}

impl Token {
    /// How an error message names the token.
    pub fn shown(&self) -> String {
        match self {
            Token::Ident(s) => format!("`{s}`"),
            Token::Text(s) => format!("the string {s:?}"),
            Token::Number(n) => format!("the number `{}`", n.source),
            Token::Punct('>') => "`->`".into(),
            Token::Punct(c) => format!("`{c}`"),
            Token::End => "the end of the text".into(),
        }
    }
}

/// An unsigned numeral: `digits * radix_power`, exactly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Number {
    pub source: String,
    pub digits: Natural,
    /// Power of ten of a decimal numeral.
    pub ten: i64,
    /// Power of two of a hexadecimal numeral.
    pub two: i64,
    /// Written without point and exponent.
    pub whole: bool,
    pub hex: bool,
}

impl Number {
    pub fn ratio(&self, negative: bool) -> Ratio {
        Ratio::new(negative, self.digits.clone(), self.ten, self.two)
    }
}

/// Longest numeral and largest exponent read: far beyond every format, short enough that exact arithmetic stays cheap.
const MAX_DIGITS: usize = 1200;
const MAX_EXPONENT: i64 = 3000;

#[derive(Clone, Debug)]
pub(super) struct Spanned {
    pub token: Token,
    pub place: Place,
}

struct Lexer<'a> {
    rest: &'a str,
    place: Place,
}

/// Splits a text into tokens; the last is [`Token::End`].
pub(super) fn lex(text: &str) -> Result<Vec<Spanned>, ParseError> {
    let mut lexer = Lexer { rest: text, place: Place { line: 1, column: 1 } };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_blank();
        let place = lexer.place;
        let token = lexer.token()?;
        let end = token == Token::End;
        tokens.push(Spanned { token, place });
        if end {
            return Ok(tokens);
        }
    }
}

impl Lexer<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.rest = &self.rest[c.len_utf8()..];
        if c == '\n' {
            self.place = Place { line: self.place.line + 1, column: 1 };
        } else {
            self.place.column += 1;
        }
        Some(c)
    }

    fn take_while(&mut self, keep: impl Fn(char) -> bool) -> String {
        let mut s = String::new();
        while let Some(c) = self.peek().filter(|&c| keep(c)) {
            s.push(c);
            self.next();
        }
        s
    }

    fn skip_blank(&mut self) {
        while let Some(c) = self.peek() {
            if c == '#' {
                self.take_while(|c| c != '\n');
            } else if c.is_whitespace() {
                self.next();
            } else {
                return;
            }
        }
    }

    fn token(&mut self) -> Result<Token, ParseError> {
        let place = self.place;
        match self.peek() {
            None => Ok(Token::End),
            Some(c) if c.is_ascii_alphabetic() || c == '_' => {
                Ok(Token::Ident(self.take_while(|c| c.is_ascii_alphanumeric() || c == '_')))
            }
            Some(c) if c.is_ascii_digit() => self.number(place),
            Some('"') => self.text(place),
            Some('-') => {
                self.next();
                if self.peek() == Some('>') {
                    self.next();
                    return Ok(Token::Punct('>'));
                }
                Ok(Token::Punct('-'))
            }
            Some(c) if "()[]{},:=.+".contains(c) => {
                self.next();
                Ok(Token::Punct(c))
            }
            Some(c) => Err(place.error(format!("{c:?} has no meaning here; comments start with `#`"))),
        }
    }

    fn text(&mut self, place: Place) -> Result<Token, ParseError> {
        self.next();
        let mut s = String::new();
        loop {
            match self.next() {
                Some('"') => return Ok(Token::Text(s)),
                Some('\\') => match self.next() {
                    Some(c @ ('"' | '\\')) => s.push(c),
                    Some('n') => s.push('\n'),
                    _ => return Err(place.error("in a string, `\\` is followed by `\"`, `\\` or `n`")),
                },
                Some('\n') | None => return Err(place.error("the string is not closed by `\"` on its line")),
                Some(c) => s.push(c),
            }
        }
    }

    fn number(&mut self, place: Place) -> Result<Token, ParseError> {
        let before = self.rest;
        let hex = before.starts_with("0x") || before.starts_with("0X");
        if hex {
            self.next();
            self.next();
        }
        let radix = if hex { 16 } else { 10 };
        let whole_digits = self.take_while(|c| c.is_digit(radix));
        let mut fraction = String::new();
        let mut whole = true;
        if self.peek() == Some('.') {
            self.next();
            whole = false;
            fraction = self.take_while(|c| c.is_digit(radix));
        }
        if whole_digits.len() + fraction.len() == 0 {
            return Err(place.error("`0x` is followed by hexadecimal digits"));
        }
        let mut exponent = 0;
        let marks = if hex { ['p', 'P'] } else { ['e', 'E'] };
        if self.peek().is_some_and(|c| marks.contains(&c)) {
            self.next();
            whole = false;
            exponent = self.exponent(place)?;
        }
        let source = before[..before.len() - self.rest.len()].to_string();
        if let Some(c) = self.peek().filter(|c| c.is_ascii_alphanumeric() || *c == '_') {
            return Err(
                place.error(format!("`{source}{c}` is not a number; a type follows a colon, as in `{source}:f32`"))
            );
        }
        if whole_digits.len() + fraction.len() > MAX_DIGITS {
            return Err(place.error(format!("a number has at most {MAX_DIGITS} digits; shorten it")));
        }
        let mut digits = Natural::from_u64(0);
        for c in whole_digits.chars().chain(fraction.chars()) {
            digits.mul_add(u64::from(radix), u64::from(c.to_digit(radix).unwrap_or(0)));
        }
        let places = fraction.len() as i64;
        let (ten, two) = if hex { (0, exponent - 4 * places) } else { (exponent - places, 0) };
        Ok(Token::Number(Number { source, digits, ten, two, whole, hex }))
    }

    fn exponent(&mut self, place: Place) -> Result<i64, ParseError> {
        let negative = self.peek() == Some('-');
        if negative || self.peek() == Some('+') {
            self.next();
        }
        let digits = self.take_while(|c| c.is_ascii_digit());
        if digits.is_empty() {
            return Err(place.error("the number's exponent has no digits"));
        }
        let value = digits.parse::<i64>().ok().filter(|&e| e <= MAX_EXPONENT);
        let value = value.ok_or_else(|| place.error(format!("the number's exponent is beyond {MAX_EXPONENT}")))?;
        Ok(if negative { -value } else { value })
    }
}
