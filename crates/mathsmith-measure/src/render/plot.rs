//! One panel: the band of errors, its lines and marks.

use super::axis::{Across, Up};
use super::svg::{escape, px};
use super::text::{arguments, both, grouped, place, ulp, value};
use super::{details, table};
use crate::record::Measurement;
use mathsmith_oracle::FloatFormat;
use mathsmith_verify::Coverage;
use mathsmith_verify::measured::{BinadeRow, Measured, ProfileRow};

/// Extremes of one column of pixels.
#[derive(Clone, Copy)]
struct Column {
    from: f64,
    to: f64,
    above: f64,
    below: f64,
}

/// Stretches as columns, those that share a column together.
fn columns(profile: &[ProfileRow], across: &Across, least: f64) -> Vec<Column> {
    let mut out: Vec<Column> = Vec::new();
    for row in profile.iter().filter(|r| r.above.is_finite() && r.below.is_finite()) {
        let (from, to) = (across.at(row.lo), across.at(row.hi));
        match out.last_mut() {
            Some(c) if to - c.from <= least => {
                c.to = c.to.max(to);
                c.above = c.above.max(row.above);
                c.below = c.below.min(row.below);
            }
            _ => out.push(Column { from, to, above: row.above, below: row.below }),
        }
    }
    out
}

/// The band as a path: one closed outline for each run of columns without a gap, in steps.
fn band(columns: &[Column], up: &Up) -> String {
    let mut path = String::new();
    for run in columns.chunk_by(|a, b| b.from - a.to < 1.5) {
        path.push_str(&format!("M{} {}", px(run[0].from), px(up.at(run[0].above))));
        for c in run {
            path.push_str(&format!("V{}H{}", px(up.at(c.above)), px(c.to.max(c.from + 0.5))));
        }
        for c in run.iter().rev() {
            path.push_str(&format!("V{}H{}", px(up.at(c.below)), px(c.from)));
        }
        path.push('Z');
    }
    path
}

/// Error at the worst input with its sign, which the record leaves to the profile.
fn signed(m: &Measured, x: f64) -> f64 {
    let u = m.max_ulp.value;
    let row = m.profile.iter().find(|r| (r.lo..=r.hi).contains(&x));
    if row.is_some_and(|r| -r.below > r.above) { -u } else { u }
}

/// A panel for one subject: `title` above, the plot `[left, left + width] x [top, top + height]` below it.
pub(super) fn panel(measurement: &Measurement, across: &Across, up: &Up, at: [f64; 4], columns_apart: f64) -> String {
    let (m, name) = (&measurement.measured, &measurement.subject.name);
    let [left, top, width, height] = at;
    let right = left + width;
    let worst = value(m.max_ulp.x.first().map_or("", String::as_str));
    let mut out = String::new();
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    line(format!(r#"<g><text class="name" x="{}" y="{}">{}</text>"#, px(left), px(top - 22.0), escape(name)));
    let seed = m.seed.map_or_else(String::new, |s| format!(", seed {s}"));
    let random = if m.coverage == Coverage::Sampled { "random ones " } else { "" };
    let figures = format!(
        "max ULP {} ({}, {} inputs{seed}), {} of {} {random}not correctly rounded",
        ulp(m.max_ulp.value),
        m.coverage.word(),
        grouped(m.inputs),
        grouped(m.not_correctly_rounded),
        grouped(table::judged(m))
    );
    line(format!(r#"<text class="small" x="{}" y="{}">{}</text>"#, px(left), px(top - 7.0), escape(&figures)));
    for [from, to] in across.narrow().map_or(Vec::new(), |(_, places)| places) {
        let (x, w) = (px(from), px(to - from));
        line(format!(r#"<rect class="quiet" x="{x}" y="{}" width="{w}" height="{}"/>"#, px(top), px(height)));
    }
    for t in across.ticks() {
        line(format!(r#"<path class="grid" d="M{0} {1}V{2}"/>"#, px(t.at), px(top), px(top + height)));
    }
    for t in up.ticks() {
        line(format!(r#"<path class="grid" d="M{} {}H{}"/>"#, px(left), px(t.at), px(right)));
        line(format!(r#"<text class="y" x="{}" y="{}">{}</text>"#, px(left - 6.0), px(t.at + 4.0), escape(&t.label)));
    }
    let path = band(&columns(&m.profile, across, columns_apart), up);
    if !path.is_empty() {
        line(format!(r#"<path class="band" d="{path}"/>"#));
    }
    for half in [0.5, -0.5] {
        line(format!(r#"<path class="half" d="M{} {}H{}"/>"#, px(left), px(up.at(half)), px(right)));
    }
    line(format!(r#"<path class="axis" d="M{0} {1}H{2}"/>"#, px(left), px(up.at(0.0)), px(right)));
    line(format!(
        r#"<rect class="frame" x="{}" y="{}" width="{}" height="{}"/>"#,
        px(left),
        px(top),
        px(width),
        px(height)
    ));
    wrong_classes(m, across, [left, top, width, height], &mut line);
    if let (Some(x), true) = (worst, m.max_ulp.value.is_finite()) {
        let error = signed(m, x);
        let (x, y) = (across.at(x), up.at(error));
        line(format!(r#"<path class="max" d="M{} {}H{}"/>"#, px(left), px(y), px(right)));
        line(format!(r#"<circle class="worst" cx="{}" cy="{}" r="4"/>"#, px(x), px(y)));
        let inputs = m.max_ulp.x.iter().zip(&m.max_ulp.x_decimal).map(|(h, d)| format!("{h} ({d})"));
        let inputs = place(&measurement.asked.variables, &inputs.collect::<Vec<_>>());
        let text = format!("{} ULP at {inputs}", ulp(m.max_ulp.value));
        line(label(&text, x, [left, right], if error < 0.0 { y + 15.0 } else { y - 8.0 }));
    } else if let Some(u) = table::right_class_max(m) {
        let text = format!("{u:.4} ULP where the class is right");
        line(format!(
            r#"<text class="mark" x="{}" y="{}">{}</text>"#,
            px(left + 8.0),
            px(top + height - 8.0),
            escape(&text)
        ));
    }
    out.push_str("</g>\n");
    out
}

/// Text near a mark, kept inside the plot.
fn label(text: &str, x: f64, [left, right]: [f64; 2], y: f64) -> String {
    let half = 3.4 * text.chars().count() as f64;
    let x = x.clamp((left + half + 4.0).min(right), (right - half - 4.0).max(left));
    format!(r#"<text class="mark" text-anchor="middle" x="{}" y="{}">{}</text>"#, px(x), px(y), escape(text))
}

/// A strip over the binades that have results of a wrong class, and a cross at the first of each kind.
fn wrong_classes(m: &Measured, across: &Across, [left, top, width, _]: [f64; 4], line: &mut impl FnMut(String)) {
    let Some(format) = FloatFormat::named(&m.format) else { return };
    let power = |e: i32| if e < format.min_exponent { 0.0 } else { scale(e) };
    let place = |b: &BinadeRow| {
        let (lo, hi) = (power(b.exponent), power(b.exponent + 1).max(format.min_normal()));
        if b.negative { [-hi, -lo].map(|x| across.at(x)) } else { [lo, hi].map(|x| across.at(x)) }
    };
    let bad: Vec<[f64; 2]> = m.binades.iter().filter(|b| b.max_ulp.is_infinite()).map(place).collect();
    for run in bad.chunk_by(|a, b| b[0] - a[1] < 0.1) {
        let [from, to] = [run[0][0], run[run.len() - 1][1]];
        let w = px((to - from).max(1.0));
        line(format!(r#"<rect class="wrong" x="{}" y="{}" width="{w}" height="5"/>"#, px(from), px(top)));
    }
    let total = table::wrong_classes(m);
    if total == 0 {
        return;
    }
    for (what, tally) in details::classes(m).into_iter().filter(|(_, t)| t.count > 0) {
        let Some(first) = &tally.first else { continue };
        let Some(x) = first.first().and_then(|x| value(x)).filter(|x| !x.is_nan()) else { continue };
        let (x, y) = (across.at(x), top + 12.0);
        let place: Vec<String> = first.iter().map(|x| both(x, Some(format))).collect();
        let text = format!("{} times {what}, first at {}", grouped(tally.count), arguments(&place));
        line(format!(
            r#"<path class="cross" d="M{} {}l8 8m0 -8l-8 8"><title>{}</title></path>"#,
            px(x - 4.0),
            px(y - 4.0),
            escape(&text)
        ));
    }
    line(format!(
        r#"<text class="mark bad" text-anchor="end" x="{}" y="{}">{} results of a wrong class</text>"#,
        px(left + width),
        px(top - 22.0),
        grouped(total)
    ));
}

/// `2^e` for exponents of doubles, beyond them an infinity.
fn scale(e: i32) -> f64 {
    match e {
        -1022..=1023 => f64::from_bits(((e + 1023) as u64) << 52),
        _ if e < 0 => 0.0,
        _ => f64::INFINITY,
    }
}
