//! Splits the text of an expression or a domain into tokens.
//!
//! One point needs care: in `0..1` the dots are a range, so a number never takes a point that is followed by another.

use crate::diagnostic::quote;
use crate::{Code, Diagnostic, ExactNumber, Span};

/// Texts longer than this many bytes are refused.
pub(crate) const LONGEST_SOURCE: usize = 1 << 20;
/// Numbers with more digits than this are refused.
const MOST_DIGITS: usize = 4096;
/// Numbers whose exponent (of ten, or of two after `0x`) is larger than this in magnitude are refused: no format and no
/// precision in use comes near it.
const LARGEST_EXPONENT: i64 = 100_000;

/// A token without its place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    Number(ExactNumber),
    Name,
    If,
    Then,
    Else,
    Plus,
    Minus,
    Star,
    Slash,
    Caret,
    Open,
    Close,
    Comma,
    Lt,
    Le,
    Gt,
    Ge,
    EqEq,
    Ne,
    Range,
    End,
}

impl Token {
    /// Whether an operand can begin with this token.
    pub(crate) fn starts_operand(&self) -> bool {
        matches!(self, Token::Number(_) | Token::Name | Token::Open)
    }
}

pub(crate) type Lexeme = (Token, Span);
pub(crate) type Fail = Box<Diagnostic>;

fn fail<T>(
    code: Code,
    span: Span,
    message: impl Into<String>,
    label: &str,
    help: impl Into<String>,
) -> Result<T, Fail> {
    Err(Box::new(Diagnostic::error(code, span, message, label).with_help(help)))
}

/// All tokens of `source`, closed by [`Token::End`].
pub(crate) fn tokens(source: &str) -> Result<Vec<Lexeme>, Fail> {
    if source.len() > LONGEST_SOURCE {
        let message = format!("the text has {} bytes, more than the {LONGEST_SOURCE} that are read", source.len());
        return fail(Code::Limit, Span::new(0, 0), message, "too long", "write the function in a shorter form");
    }
    let mut lexer = Lexer { source, bytes: source.as_bytes(), at: 0 };
    let mut out = Vec::new();
    loop {
        let lexeme = lexer.next()?;
        let end = lexeme.0 == Token::End;
        out.push(lexeme);
        if end {
            return Ok(out);
        }
    }
}

struct Lexer<'a> {
    source: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn skip_while(&mut self, keep: impl Fn(u8) -> bool) {
        while self.at < self.bytes.len() && keep(self.bytes[self.at]) {
            self.at += 1;
        }
    }

    fn next(&mut self) -> Result<Lexeme, Fail> {
        self.skip_while(|b| b.is_ascii_whitespace());
        let start = self.at;
        if start == self.bytes.len() {
            return Ok((Token::End, Span::new(start, start)));
        }
        let first = self.peek(0);
        if first.is_ascii_digit() || (first == b'.' && self.peek(1).is_ascii_digit()) {
            let number = if first == b'0' && matches!(self.peek(1), b'x' | b'X') {
                self.at += 2;
                self.number(start, 16)?
            } else {
                self.number(start, 10)?
            };
            return Ok((Token::Number(number), Span::new(start, self.at)));
        }
        if first.is_ascii_alphabetic() || first == b'_' {
            self.skip_while(|b| b.is_ascii_alphanumeric() || b == b'_');
            let token = match &self.source[start..self.at] {
                "if" => Token::If,
                "then" => Token::Then,
                "else" => Token::Else,
                _ => Token::Name,
            };
            return Ok((token, Span::new(start, self.at)));
        }
        let (token, length) = match (first, self.peek(1)) {
            (b'.', b'.') => (Token::Range, 2),
            (b'<', b'=') => (Token::Le, 2),
            (b'>', b'=') => (Token::Ge, 2),
            (b'=', b'=') => (Token::EqEq, 2),
            (b'!', b'=') => (Token::Ne, 2),
            (b'*', b'*') => {
                let help = "write `^` for a power: `a^b`";
                return fail(Code::Syntax, Span::new(start, start + 2), "`**` is no operator", "not an operator", help);
            }
            (b'<', _) => (Token::Lt, 1),
            (b'>', _) => (Token::Gt, 1),
            (b'+', _) => (Token::Plus, 1),
            (b'-', _) => (Token::Minus, 1),
            (b'*', _) => (Token::Star, 1),
            (b'/', _) => (Token::Slash, 1),
            (b'^', _) => (Token::Caret, 1),
            (b'(', _) => (Token::Open, 1),
            (b')', _) => (Token::Close, 1),
            (b',', _) => (Token::Comma, 1),
            _ => return self.stray(start),
        };
        self.at += length;
        Ok((token, Span::new(start, self.at)))
    }

    /// A character that begins no token.
    fn stray(&self, start: usize) -> Result<Lexeme, Fail> {
        let c = self.source[start..].chars().next().unwrap_or('\u{fffd}');
        let help = match c {
            '|' => "write `abs(x)` for the magnitude of x",
            '=' => "write `==` to compare; an expression assigns nothing",
            '!' => "write `gamma(x + 1)` for a factorial, `!=` to compare",
            '[' | ']' | '{' | '}' => "write round brackets: `(` and `)`",
            '%' => "write `x - y*floor(x/y)` for a remainder",
            '&' => "nest conditions: `if a < x then (if x < b then ... else ...) else ...`",
            ';' | ':' => "an expression is a single formula; separate arguments by `,`",
            '\u{d7}' | '\u{b7}' | '\u{22c5}' => "write `*` for a product",
            '\u{f7}' => "write `/` for a quotient",
            '\u{2212}' | '\u{2013}' | '\u{2014}' => "write the ASCII hyphen `-` for a minus sign",
            '\u{3c0}' => "write `pi`",
            '\u{221e}' => "write `inf`",
            '\u{221a}' => "write `sqrt(x)`",
            '\u{b2}' | '\u{b3}' => "write `^2` or `^3` for a power",
            '\u{2264}' | '\u{2265}' => "write `<=` or `>=`",
            '.' => "a number has a digit beside its point: `0.5`; a range has two points: `0..1`",
            '"' | '\'' | '`' => "write the expression without quotes",
            _ => "an expression is made of numbers, names, + - * / ^ ( ) , and if ... then ... else",
        };
        let message = format!("{} is no part of an expression", quote(&c.to_string()));
        fail(Code::Syntax, Span::new(start, start + c.len_utf8()), message, "not understood", help)
    }

    /// The number whose text starts at `start`; for radix 16 the prefix has been skipped.
    fn number(&mut self, start: usize, radix: u32) -> Result<ExactNumber, Fail> {
        let is_digit = |b: u8| char::from(b).is_digit(radix);
        let from = self.at;
        self.skip_while(is_digit);
        let whole = &self.source[from..self.at];
        let mut fraction = "";
        if self.peek(0) == b'.' && self.peek(1) != b'.' {
            let from = self.at + 1;
            self.at = from;
            self.skip_while(is_digit);
            fraction = &self.source[from..self.at];
        }
        let place = |end: usize| Span::new(start, end);
        if whole.is_empty() && fraction.is_empty() {
            let help = "write a hexadecimal number as in `0x1.8p-1`, which is 1.5 * 2^-1";
            return fail(Code::Number, place(self.at), "a number without digits", "no digit after the prefix", help);
        }
        if whole.len() + fraction.len() > MOST_DIGITS {
            let message = format!("a number of {} digits", whole.len() + fraction.len());
            let help = format!("at most {MOST_DIGITS} digits are read");
            return fail(Code::Limit, place(self.at), message, "too many digits", help);
        }
        let marks: &[u8] = if radix == 16 { b"pP" } else { b"eE" };
        let mut exponent = 0i64;
        // In `2exp(x)` the letter begins a name; what is missing there is an operator.
        if marks.contains(&self.peek(0)) && !self.peek(1).is_ascii_alphabetic() {
            exponent = self.exponent(start)?;
        }
        if self.peek(0) == b'.' && self.peek(1) != b'.' {
            self.at += 1;
            let help = "a number has one point; a range is written with two: `0..1`";
            return fail(Code::Number, place(self.at), "a number with two points", "second point", help);
        }
        let digits = format!("{whole}{fraction}").to_ascii_lowercase();
        let digits = match digits.trim_start_matches('0') {
            "" => "0".to_string(),
            trimmed => trimmed.to_string(),
        };
        let per_digit = if radix == 16 { 4 } else { 1 };
        exponent -= per_digit * fraction.len() as i64;
        if exponent.abs() > LARGEST_EXPONENT {
            return self.huge_exponent(start);
        }
        Ok(ExactNumber { digits, radix, exponent })
    }

    /// The exponent at the mark under the cursor.
    fn exponent(&mut self, start: usize) -> Result<i64, Fail> {
        let mark = char::from(self.peek(0));
        self.at += 1;
        let negative = self.peek(0) == b'-';
        if matches!(self.peek(0), b'-' | b'+') {
            self.at += 1;
        }
        let from = self.at;
        self.skip_while(|b| b.is_ascii_digit());
        let text = &self.source[from..self.at];
        if text.is_empty() {
            let number = &self.source[start..from];
            let message = format!("the exponent of {} has no digits", quote(number));
            let help = if mark.eq_ignore_ascii_case(&'e') {
                "write the exponent as in `1e-3`; to multiply by the constant e write `2*e`"
            } else {
                "write the exponent of two in decimal, as in `0x1.8p-1`"
            };
            return fail(Code::Number, Span::new(start, self.at), message, "digits are missing here", help);
        }
        match text.parse::<i64>() {
            Ok(value) if value <= LARGEST_EXPONENT + 4 * MOST_DIGITS as i64 => {
                Ok(if negative { -value } else { value })
            }
            _ => self.huge_exponent(start),
        }
    }

    fn huge_exponent<T>(&self, start: usize) -> Result<T, Fail> {
        let help =
            format!("exponents of magnitude up to {LARGEST_EXPONENT} are read; for an unbounded end write `inf`");
        fail(Code::Limit, Span::new(start, self.at), "a number with a huge exponent", "out of every range", help)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(source: &str) -> Vec<Token> {
        tokens(source).expect("lexes").into_iter().map(|(t, _)| t).collect()
    }

    fn number(digits: &str, radix: u32, exponent: i64) -> Token {
        Token::Number(ExactNumber { digits: digits.into(), radix, exponent })
    }

    #[test]
    fn numbers_are_kept_exactly() {
        assert_eq!(kinds("1.5e-3"), [number("15", 10, -4), Token::End]);
        assert_eq!(kinds(".5"), [number("5", 10, -1), Token::End]);
        assert_eq!(kinds("5."), [number("5", 10, 0), Token::End]);
        assert_eq!(kinds("0x1.8p-1"), [number("18", 16, -5), Token::End]);
        assert_eq!(kinds("0XFFp+3"), [number("ff", 16, 3), Token::End]);
        assert_eq!(kinds("000"), [number("0", 10, 0), Token::End]);
    }

    #[test]
    fn dots_of_a_range_belong_to_no_number() {
        let one = || number("1", 10, 0);
        assert_eq!(kinds("1..1"), [one(), Token::Range, one(), Token::End]);
        assert_eq!(kinds("1...5"), [one(), Token::Range, number("5", 10, -1), Token::End]);
        assert_eq!(kinds("0x1p0..0x1.p0"), [number("1", 16, 0), Token::Range, number("1", 16, 0), Token::End]);
        assert_eq!(kinds("1e2..<1"), [number("1", 10, 2), Token::Range, Token::Lt, one(), Token::End]);
    }

    #[test]
    fn malformed_tokens_say_what_to_write() {
        let cases = [
            ("2e", "2*e"),
            ("0x", "0x1.8p-1"),
            ("1.2.3", "one point"),
            ("1e99999999999999999999", "inf"),
            ("x**2", "^"),
            ("|x|", "abs"),
            ("x = 1", "=="),
            ("[x]", "round"),
            ("\u{3c0}", "pi"),
            ("5!", "gamma"),
        ];
        for (source, hint) in cases {
            let failure = tokens(source).expect_err(source);
            let help = failure.help.clone().unwrap_or_default();
            assert!(help.contains(hint), "{source}: {help}");
        }
    }
}
