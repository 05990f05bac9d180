//! Programs over the reals as a formula, with constants to the digits they need.

use mathsmith_ir::{Literal, Node, Op, Program, RealLit, Type, Value};
use std::fmt::Write;

/// Decimal digits that constants need for an error of `max_rel`: as many as the error has zeros, and four more, so that
/// what the printing loses is a ten-thousandth of the error. At most 45, all that a constant holds.
pub fn digits_for(max_rel: f64) -> u32 {
    let mut digits = 4;
    let mut size = max_rel;
    while size < 1.0 && digits < 45 {
        size *= 10.0;
        digits += 1;
    }
    digits
}

/// One assignment for each operation, results last; real constants with `digits` significant decimal digits, correctly
/// rounded, fewer where the constant ends earlier.
///
/// The text reads as mathematics in most languages: `t3 = t2 * x + 0.25`. Parameters without a value keep their names.
pub fn emit_real(program: &Program, digits: u32) -> String {
    let live = program.live();
    let mut out = String::new();
    let names: Vec<&str> = program.inputs().iter().map(|i| i.name.as_str()).collect();
    // Writing to a string cannot fail.
    let _ = writeln!(out, "# {}({})", program.name(), names.join(", "));
    let operand = |v: Value| -> String {
        let lit = match program.node(v) {
            Node::Input(i) => return program.inputs()[i as usize].name.clone(),
            Node::Op(..) => return format!("t{}", v.0),
            Node::Lit(l) => l,
            Node::Param(i) => match program.params()[i as usize].value {
                Some(l) => l,
                None => return program.params()[i as usize].name.clone(),
            },
        };
        let text = match lit {
            Literal::Real(r) => decimal(r, digits),
            Literal::F32(x) => decimal(RealLit::new(f64::from(x)), digits),
            Literal::F64(x) => decimal(RealLit::new(x), digits),
            Literal::I32(x) => x.to_string(),
            Literal::I64(x) => x.to_string(),
            Literal::Bool(x) => x.to_string(),
        };
        if text.starts_with('-') { format!("({text})") } else { text }
    };
    for v in program.values().filter(|v| live[v.index()]) {
        let node = program.node(v);
        let Node::Op(op, _) = node else { continue };
        let a: Vec<String> = node.args().iter().map(|&a| operand(a)).collect();
        let text = match op {
            Op::Add => format!("{} + {}", a[0], a[1]),
            Op::Sub => format!("{} - {}", a[0], a[1]),
            Op::Mul => format!("{} * {}", a[0], a[1]),
            Op::Div => format!("{} / {}", a[0], a[1]),
            Op::Fma => format!("{} * {} + {}", a[0], a[1], a[2]),
            Op::Neg => format!("-{}", a[0]),
            Op::Select => format!("if {} then {} else {}", a[0], a[1], a[2]),
            Op::Lt => format!("{} < {}", a[0], a[1]),
            Op::Le => format!("{} <= {}", a[0], a[1]),
            Op::Gt => format!("{} > {}", a[0], a[1]),
            Op::Ge => format!("{} >= {}", a[0], a[1]),
            Op::Eq => format!("{} = {}", a[0], a[1]),
            Op::Ne => format!("{} <> {}", a[0], a[1]),
            op => format!("{}({})", op.name(), a.join(", ")),
        };
        let _ = writeln!(out, "t{} = {text}", v.0);
    }
    let results: Vec<String> = program.outputs().iter().map(|&v| operand(v)).collect();
    let real = program.outputs().iter().all(|&v| program.ty(v) == Type::Real);
    let _ = writeln!(out, "result = {}{}", results.join(", "), if real { "" } else { "  # not all real" });
    out
}

/// A natural number, base 10^9, least significant limb first.
struct Big(Vec<u32>);

const BASE: u64 = 1_000_000_000;

impl Big {
    fn mul(&mut self, by: u32) {
        let mut carry = 0u64;
        for limb in &mut self.0 {
            carry += u64::from(*limb) * u64::from(by);
            *limb = (carry % BASE) as u32;
            carry /= BASE;
        }
        if carry > 0 {
            self.0.push(carry as u32);
        }
    }

    /// `self + sign * other`, where the result is not negative.
    fn combine(&mut self, other: &Big, minus: bool) {
        let n = self.0.len().max(other.0.len()) + 1;
        self.0.resize(n, 0);
        let mut carry = 0i64;
        for (i, limb) in self.0.iter_mut().enumerate() {
            let o = i64::from(other.0.get(i).copied().unwrap_or(0));
            let s = i64::from(*limb) + if minus { -o } else { o } + carry;
            *limb = s.rem_euclid(BASE as i64) as u32;
            carry = s.div_euclid(BASE as i64);
        }
    }

    fn digits(&self) -> String {
        let mut out = String::new();
        for limb in self.0.iter().rev() {
            let _ = write!(out, "{limb:09}");
        }
        let kept = out.trim_start_matches('0');
        if kept.is_empty() { "0".to_owned() } else { kept.to_owned() }
    }
}

/// `|m| * 2^(e - low)` for `x = m * 2^e`.
fn scaled(x: f64, low: i32) -> Big {
    let (m, e) = parts(x);
    let mut big = Big(vec![(m % BASE) as u32, (m / BASE % BASE) as u32, (m / BASE / BASE) as u32]);
    for _ in low..e {
        big.mul(2);
    }
    big
}

fn parts(x: f64) -> (u64, i32) {
    let (m, e) = (x.to_bits() & ((1 << 52) - 1), ((x.to_bits() >> 52) & 0x7ff) as i32);
    if e == 0 { (m, -1074) } else { (m | 1 << 52, e - 1075) }
}

/// A real constant to `digits` significant digits, ties to even; plain notation for moderate sizes.
pub(crate) fn decimal(r: RealLit, digits: u32) -> String {
    let terms: Vec<f64> = r.0.into_iter().filter(|t| *t != 0.0).collect();
    let Some(&first) = terms.first() else { return "0".to_owned() };
    if terms.iter().any(|t| !t.is_finite()) {
        return format!("{first:?}");
    }
    // The sum is N * 2^low; times 5^-low it is a decimal with -low places.
    let low = terms.iter().map(|&t| parts(t).1).min().unwrap_or(0).min(0);
    let mut sum = scaled(first, low);
    for &t in &terms[1..] {
        sum.combine(&scaled(t, low), (t < 0.0) != (first < 0.0));
    }
    for _ in low..0 {
        sum.mul(5);
    }
    let all = sum.digits();
    // The value is 0.all * 10^exponent.
    let mut exponent = all.len() as i64 + i64::from(low);
    let n = (digits.max(1) as usize).min(all.len());
    let (head, tail) = all.split_at(n);
    let mut kept: Vec<u8> = head.bytes().map(|b| b - b'0').collect();
    let odd = kept[n - 1] % 2 == 1;
    let up = match tail.as_bytes().first() {
        None => false,
        Some(b'5') => odd || tail[1..].bytes().any(|b| b != b'0'),
        Some(&b) => b > b'5',
    };
    if up {
        let mut i = n;
        while i > 0 && kept[i - 1] == 9 {
            kept[i - 1] = 0;
            i -= 1;
        }
        if i == 0 {
            kept.insert(0, 1);
            exponent += 1;
        } else {
            kept[i - 1] += 1;
        }
    }
    while kept.len() > 1 && kept.last() == Some(&0) {
        kept.pop();
    }
    let text: String = kept.iter().map(|d| char::from(b'0' + d)).collect();
    let sign = if first < 0.0 { "-" } else { "" };
    let places = text.len() as i64;
    match exponent {
        e if (1..=21).contains(&e) && places <= e => format!("{sign}{text}{}", "0".repeat((e - places) as usize)),
        e if (1..=21).contains(&e) => format!("{sign}{}.{}", &text[..e as usize], &text[e as usize..]),
        e if (-4..=0).contains(&e) => format!("{sign}0.{}{text}", "0".repeat(-e as usize)),
        e => {
            let (a, b) = text.split_at(1);
            let point = if b.is_empty() { "" } else { "." };
            format!("{sign}{a}{point}{b}e{}", e - 1)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact_and_rounded() {
        for (terms, digits, text) in [
            ([0.1, 0.0, 0.0], 16, "0.1"),
            ([0.1, 0.0, 0.0], 17, "0.10000000000000001"),
            ([0.1, 0.0, 0.0], 60, "0.1000000000000000055511151231257827021181583404541015625"),
            // pi as three doubles.
            (
                [std::f64::consts::PI, 1.224_646_799_147_353_2e-16, -2.994_769_809_718_339_7e-33],
                45,
                "3.1415926535897932384626433832795028841971694",
            ),
            ([-1e300, 0.0, 0.0], 3, "-1e300"),
            ([0.5, 0.0, 0.0], 1, "0.5"),
            ([2.5, 0.0, 0.0], 1, "2"),
            ([9.96, 0.0, 0.0], 2, "10"),
            ([1e-7, 0.0, 0.0], 4, "1e-7"),
            ([0.0, 0.0, 0.0], 4, "0"),
            ([1024.0, 0.0, 0.0], 9, "1024"),
        ] {
            assert_eq!(decimal(RealLit(terms), digits), text);
        }
    }

    #[test]
    fn seventeen_digits_read_back() {
        let mut x = 1.000_000_123e-300;
        while x < 1e300 {
            assert_eq!(decimal(RealLit::new(x), 17).parse::<f64>().unwrap(), x);
            x *= -1_234.567_890_1;
            x = x.abs();
        }
    }

    #[test]
    fn a_formula() {
        let mut p = Program::new("f");
        let x = p.input("x", Type::Real);
        let c = p.lit(Literal::Real(RealLit::new(-0.25)));
        let y = p.must(Op::Mul, &[x, c]);
        let y = p.must(Op::Add, &[y, x]);
        p.output(y);
        assert_eq!(emit_real(&p, 10), "# f(x)\nt2 = x * (-0.25)\nt3 = x + t2\nresult = t3\n");
        assert_eq!(digits_for(1e-9), 13);
    }
}
