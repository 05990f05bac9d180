//! Numbers and columns as text: what the table and the plot share.

use mathsmith_oracle::FloatFormat;

/// Greatest width of a line, in characters.
pub(crate) const WIDTH: usize = 110;

/// `1065353217` as `1 065 353 217`.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(c);
    }
    out
}

/// A part of a whole; it never rounds to none or all: `none`, `all`, `2.3e-8 %`, `0.0040 %`, `12.3 %`.
pub(crate) fn share(part: u64, whole: u64) -> String {
    let percent = part as f64 * 100.0 / whole.max(1) as f64;
    match part {
        0 => "none".into(),
        _ if part >= whole => "all".into(),
        _ if percent < 1e-3 => format!("{percent:.1e} %"),
        _ if percent < 0.1 => format!("{percent:.4} %"),
        _ if percent < 9.995 => format!("{percent:.2} %"),
        _ => format!("{:.1} %", percent.min(99.9)),
    }
}

/// An error in ULP. Six decimals; a sign in front where they would hide that a half is exceeded.
pub(crate) fn ulp(u: f64) -> String {
    if !u.is_finite() {
        return u.to_string();
    }
    if u >= 1e5 {
        return format!("{u:.4e}");
    }
    let short = format!("{u:.6}");
    if u > 0.5 && short == "0.500000" { format!(">{short}") } else { short }
}

/// A mean error in ULP.
pub(crate) fn mean(u: f64) -> String {
    if u == 0.0 || (1e-4..1e5).contains(&u) { format!("{u:.6}") } else { format!("{u:.3e}") }
}

/// A relative or absolute error.
pub(crate) fn small(e: f64) -> String {
    if e == 0.0 || !e.is_finite() {
        e.to_string()
    } else if (1e-3..1e5).contains(&e) {
        format!("{e:.6}")
    } else {
        format!("{e:.4e}")
    }
}

/// Reads a hexadecimal float as the records hold it: `0x1.8p-1`, `-0x0p+0`, `inf`, `-inf`, `nan`. Digits beyond a double's
/// are cut off: the value serves to place a mark.
pub(crate) fn value(text: &str) -> Option<f64> {
    let (negative, rest) = text.strip_prefix('-').map_or((false, text), |r| (true, r));
    let signed = |x: f64| if negative { -x } else { x };
    match rest {
        "inf" => return Some(signed(f64::INFINITY)),
        "nan" => return Some(f64::NAN),
        _ => {}
    }
    let (digits, exponent) = rest.strip_prefix("0x")?.split_once('p')?;
    let exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mut significand = 0u64;
    let mut shift = 0;
    for (i, c) in whole.chars().chain(fraction.chars()).enumerate() {
        let digit = u64::from(c.to_digit(16)?);
        if significand < 1 << 56 {
            significand = significand * 16 + digit;
            shift += if i < whole.len() { 0 } else { -4 };
        } else if i < whole.len() {
            shift += 4;
        }
    }
    Some(signed(scaled(significand as f64, exponent.checked_add(shift)?)))
}

/// `x * 2^e` in steps that neither overflow nor underflow before the result does.
fn scaled(mut x: f64, mut e: i32) -> f64 {
    let power = |e: i32| f64::from_bits(((e + 1023) as u64) << 52);
    for _ in 0..3 {
        let step = e.clamp(-960, 960);
        x *= power(step);
        e -= step;
    }
    x
}

/// The shortest decimal that reads back to the same number of the format: `0.1`, `1.0178e-38`.
pub(crate) fn decimal(x: f64, format: FloatFormat) -> String {
    if !x.is_finite() || x == 0.0 {
        return if x.is_nan() { "nan".into() } else { x.to_string() };
    }
    let same = |text: &str| text.parse().is_ok_and(|y| format.nearest_f64(y) == x);
    let text = (0..17).map(|digits| format!("{x:.digits$e}")).find(|t| same(t)).unwrap_or_else(|| format!("{x:e}"));
    plain(&text)
}

/// A number in scientific notation, as it is or written out where that is shorter to read.
pub(crate) fn plain(scientific: &str) -> String {
    match scientific.parse::<f64>() {
        Ok(x) if x == 0.0 || (1e-4..1e7).contains(&x.abs()) => x.to_string(),
        _ => scientific.to_owned(),
    }
}

/// An input with the names of the variables: `x = 0x1p+0`, `(y, x) = (0x1p+0, 0x1p+1)`.
pub(crate) fn place<S: AsRef<str>>(names: &[String], x: &[S]) -> String {
    match (names, x) {
        ([name], [x]) => format!("{name} = {}", x.as_ref()),
        (_, [x]) => format!("x = {}", x.as_ref()),
        _ if names.len() == x.len() => format!("({}) = ({})", arguments(names), arguments(x)),
        _ => format!("({})", arguments(x)),
    }
}

/// Several arguments in one cell.
pub(crate) fn arguments<S: AsRef<str>>(x: &[S]) -> String {
    x.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ")
}

/// A hexadecimal float with its decimal value behind it, for sentences: `0x1p-1 (0.5)`.
pub(crate) fn both(hex: &str, format: Option<FloatFormat>) -> String {
    match (value(hex), format) {
        (Some(x), Some(f)) if x.is_finite() && x != 0.0 => format!("{hex} ({})", decimal(x, f)),
        _ => hex.to_owned(),
    }
}

/// How a column is set.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// A table. Headings may have several lines; columns may be given up, the last such first, where a line gets too long.
pub(crate) struct Columns {
    heads: Vec<(&'static str, Align, bool)>,
    rows: Vec<Vec<String>>,
}

impl Columns {
    pub(crate) fn new() -> Self {
        Columns { heads: Vec::new(), rows: Vec::new() }
    }

    /// Adds a column; lines of the heading are separated by `\n`.
    pub(crate) fn column(mut self, head: &'static str, align: Align) -> Self {
        self.heads.push((head, align, false));
        self
    }

    /// Adds a column that is left out where there is no room.
    pub(crate) fn optional(mut self, head: &'static str, align: Align) -> Self {
        self.heads.push((head, align, true));
        self
    }

    pub(crate) fn row(&mut self, cells: Vec<String>) {
        debug_assert_eq!(cells.len(), self.heads.len());
        self.rows.push(cells);
    }

    /// The lines, indented by `indent` blanks, two blanks between columns.
    pub(crate) fn text(mut self, indent: usize) -> String {
        let measure = |s: &str| s.chars().count();
        loop {
            let width = |c: usize| {
                let head = self.heads[c].0.lines().map(measure).max().unwrap_or(0);
                self.rows.iter().map(|r| measure(&r[c])).max().unwrap_or(0).max(head)
            };
            let widths: Vec<usize> = (0..self.heads.len()).map(width).collect();
            let total = indent + widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1);
            let spare = self.heads.iter().rposition(|h| h.2);
            if let (true, Some(c)) = (total > WIDTH, spare) {
                self.heads.remove(c);
                for row in &mut self.rows {
                    row.remove(c);
                }
                continue;
            }
            return self.set(indent, &widths);
        }
    }

    fn set(&self, indent: usize, widths: &[usize]) -> String {
        let mut out = String::new();
        let mut line = |cells: &[&str]| {
            let cells = cells.iter().zip(widths).zip(&self.heads).map(|((s, &w), h)| match h.1 {
                Align::Left => format!("{s:<w$}"),
                Align::Right => format!("{s:>w$}"),
            });
            let text = cells.collect::<Vec<_>>().join("  ");
            if !text.trim_end().is_empty() {
                out.push_str(&format!("{:indent$}{}\n", "", text.trim_end()));
            }
        };
        // Headings stand on the last of their lines, next to the figures.
        let depth = self.heads.iter().map(|h| h.0.lines().count()).max().unwrap_or(0);
        for i in 0..depth {
            let part = |h: &'static str| (i + h.lines().count()).checked_sub(depth).and_then(|k| h.lines().nth(k));
            line(&self.heads.iter().map(|h| part(h.0).unwrap_or("")).collect::<Vec<_>>());
        }
        for row in &self.rows {
            line(&row.iter().map(String::as_str).collect::<Vec<_>>());
        }
        out
    }
}

/// `label` in a column of its own, the text beside it broken at blanks (never within a grouped number) and at `\n`.
pub(crate) fn labelled(indent: usize, label: &str, text: &str) -> String {
    const LABEL: usize = 13;
    let start = indent + LABEL + 2;
    let mut out = format!("{:indent$}{label:<LABEL$}  ", "");
    for (i, part) in text.split('\n').enumerate() {
        if i > 0 {
            out.push_str(&format!("\n{:start$}", ""));
        }
        let mut used = start;
        for word in words(part) {
            let n = word.chars().count();
            if used > start && used + 1 + n > WIDTH {
                out.push_str(&format!("\n{:start$}", ""));
                used = start;
            } else if used > start {
                out.push(' ');
                used += 1;
            }
            out.push_str(&word);
            used += n;
        }
    }
    out.push('\n');
    out
}

/// Words with the groups of a number as one.
fn words(text: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let group = word.chars().take_while(char::is_ascii_digit).count() == 3;
        match out.last_mut() {
            Some(last) if group && last.ends_with(|c: char| c.is_ascii_digit()) => {
                last.push(' ');
                last.push_str(word);
            }
            _ => out.push(word.to_owned()),
        }
    }
    out
}

/// A bar of at most `cells` cells in steps of an eighth of one; whatever is not zero shows.
pub(crate) fn bar(part: f64, cells: usize) -> String {
    const EIGHTHS: [&str; 7] = ["▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    if part.is_nan() || part <= 0.0 {
        return String::new();
    }
    let eighths = ((part.min(1.0) * (8 * cells) as f64) as usize).max(1);
    let rest = (eighths % 8).checked_sub(1).map_or("", |i| EIGHTHS[i]);
    format!("{}{rest}", "█".repeat(eighths / 8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(grouped(4_278_190_081), "4 278 190 081");
        assert_eq!(grouped(12), "12");
        assert_eq!(share(170_648, 4_278_190_081), "0.0040 %");
        assert_eq!(share(1, 4_278_190_081), "2.3e-8 %");
        assert_eq!((share(0, 7), share(7, 7)), ("none".to_owned(), "all".to_owned()));
        assert_eq!(share(999_999_999, 1_000_000_000), "99.9 %", "all but one are not all");
        assert_eq!(ulp(0.501_64), "0.501640");
        assert_eq!(ulp(0.5), "0.500000");
        assert_eq!(ulp(0.500_000_03), ">0.500000", "beyond a half shows");
        assert_eq!(ulp(f64::INFINITY), "inf");
        assert_eq!((small(0.0), small(1.0), small(6e-8)), ("0".into(), "1.000000".into(), "6.0000e-8".into()));
    }

    #[test]
    fn hexadecimal_floats_read_back() {
        use mathsmith_verify::report::hex;
        for x in [0.75, 1.0, -0.0, f64::MIN_POSITIVE, 5e-324, f64::MAX, -0.1, 1e300, 3.0e-310, f64::NEG_INFINITY] {
            assert_eq!(value(&hex(x)).map(f64::to_bits), Some(x.to_bits()), "{x:e}");
        }
        assert!(value("nan").is_some_and(f64::is_nan));
        assert_eq!(value("0x"), None);
        assert_eq!(value("1.5"), None);
    }

    #[test]
    fn shortest_decimals() {
        let f32 = FloatFormat::F32;
        assert_eq!(decimal(f64::from(0.1f32), f32), "0.1");
        assert_eq!(decimal(f64::from(f32::MAX), f32), "3.4028235e38");
        assert_eq!(decimal(f64::from(f32::from_bits(1)), f32), "1e-45");
        assert_eq!(decimal(0.333_984_375, FloatFormat::BF16), "0.334");
        assert_eq!(decimal(0.1, FloatFormat::F64), "0.1");
        assert_eq!(decimal(-0.0, f32), "-0");
    }

    #[test]
    fn columns_fit() {
        let mut t = Columns::new().column("name", Align::Left).column("max\nULP", Align::Right);
        t = t.optional("comment", Align::Left);
        t.row(vec!["a".into(), "0.5".into(), "c".repeat(120)]);
        t.row(vec!["long name".into(), "12.25".into(), String::new()]);
        assert_eq!(t.text(2), "               max\n  name         ULP\n  a            0.5\n  long name  12.25\n");
    }

    #[test]
    fn lines_break_at_blanks() {
        let text = labelled(2, "flags", &["-fno-something"; 20].join(" "));
        assert!(text.lines().count() > 2);
        assert!(text.lines().all(|l| l.chars().count() <= WIDTH), "{text}");
        assert_eq!(text.split_whitespace().filter(|w| *w == "-fno-something").count(), 20);
    }

    #[test]
    fn numbers_are_not_broken() {
        let text = labelled(2, "count", &["1 234 567"; 30].join(", "));
        assert_eq!(text.matches("1 234 567").count(), 30, "{text}");
    }

    #[test]
    fn bars() {
        assert_eq!(bar(1.0, 3), "███");
        assert_eq!(bar(0.5, 3), "█▌");
        assert_eq!(bar(1e-12, 3), "▏");
        assert_eq!(bar(0.0, 3), "");
    }
}
