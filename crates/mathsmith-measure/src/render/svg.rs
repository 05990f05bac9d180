//! Signed error against x as a picture that stands alone: SVG without scripts, fonts or references to anything outside.
//!
//! Each stretch of neighbouring inputs is one column of a band from its least to its greatest error, so no peak is lost to
//! the resolution. Several subjects are panels over a common scale. Readers with a dark background get dark colours
//! by a media query; those who hear the page get a title and a description.

use super::axis::{Across, Up};
use super::text::{grouped, place, ulp, value};
use super::{binades, plot};
use crate::record::Measurement;
use mathsmith_oracle::FloatFormat;
use std::collections::BTreeSet;

const WIDTH: f64 = 960.0;
const LEFT: f64 = 66.0;
const RIGHT: f64 = 24.0;
/// Above the first panel: the title.
const HEAD: f64 = 58.0;
/// Between panels: name and figures of the next.
const GAP: f64 = 50.0;
/// Below the last: labels of the inputs and the legend.
const FOOT: f64 = 74.0;

/// Columns of all bands together: what keeps the file below 200 KB.
const COLUMNS: usize = 6000;

/// Colours are written where they are used, those of a dark page once more: many programs that show SVG know no variables.
const STYLE: &str = "\
svg{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace}
.ground{fill:#fff}text{fill:#1c2024}.title{font-size:17px;font-weight:600}.name{font-size:13px;font-weight:600}
.small,.x,.y{fill:#60666d;font-size:11px}.y{text-anchor:end}.x{text-anchor:middle}
.mark{font-size:11px;paint-order:stroke;stroke:#fff;stroke-width:4px;stroke-linejoin:round}.bad{fill:#c22f2f}
path,rect.frame{fill:none}.grid{stroke:#e6e8eb}.axis{stroke:#60666d;stroke-width:.75}.frame{stroke:#60666d}
path.band{fill:#3a7abf;fill-opacity:.75;stroke:#3a7abf;stroke-width:.6}
.half{stroke:#2c8a57;stroke-dasharray:6 4}.max{stroke:#b35900;stroke-dasharray:2 3}
.quiet{fill:#f3f4f6}.worst{fill:#fff;stroke:#b35900;stroke-width:2}.wrong{fill:#c22f2f}.cross{stroke:#c22f2f;stroke-width:2}
@media (prefers-color-scheme:dark){.ground{fill:#15181c}.quiet{fill:#1e2227}text{fill:#e6e8eb}.small,.x,.y{fill:#9aa2ab}.mark{stroke:#15181c}
.bad{fill:#ff7b72}.grid{stroke:#2b3036}.axis,.frame{stroke:#9aa2ab}path.band{fill:#6aa5e3;stroke:#6aa5e3}
.half{stroke:#57c08a}.max{stroke:#f0a04b}.worst{fill:#15181c;stroke:#f0a04b}.wrong{fill:#ff7b72}.cross{stroke:#ff7b72}}";

/// The picture of measurements of one reference; of none, a picture that says so.
///
/// Panels share both axes. The domain is that of the first argument.
pub fn svg(measurements: &[Measurement]) -> String {
    let panels = measurements.len().max(1) as f64;
    let height_each = if measurements.len() <= 1 { 360.0 } else { 190.0 };
    let height = HEAD + panels * (GAP + height_each) + FOOT;
    let title = measurements.first().map_or("no measurement".to_owned(), |m| {
        let x = m.asked.variables.first().map_or("x", String::as_str);
        let on = m.asked.domain.first().cloned().flatten().map_or("the whole format".to_owned(), |d| d);
        format!("Error of {} against {x}, {} on {on}", m.asked.reference, m.asked.format)
    });
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" role=\"img\" \
         aria-labelledby=\"title desc\">\n<title id=\"title\">{2}</title>\n<desc id=\"desc\">{3}</desc>\n\
         <style>\n{STYLE}\n</style>\n<rect class=\"ground\" width=\"{0}\" height=\"{1}\"/>\n",
        px(WIDTH),
        px(height),
        escape(&title),
        escape(&description(measurements)),
    );
    out.push_str(&format!("<text class=\"title\" x=\"{}\" y=\"28\">{}</text>\n", px(LEFT), escape(&title)));
    let format = measurements.first().and_then(|m| FloatFormat::named(&m.measured.format)).unwrap_or(FloatFormat::F32);
    let width = WIDTH - LEFT - RIGHT;
    let across = Across::new(format, domain(measurements, format), [LEFT, width], quiet(measurements));
    let up = Up::new(greatest(measurements), 0.0, height_each);
    let judged = measurements.first().map_or("", |m| m.asked.out.as_str());
    let scale = if up.octaves() { "; above 1 by octaves" } else { "" };
    out.push_str(&format!(
        "<text class=\"small\" x=\"{}\" y=\"46\">{}</text>\n",
        px(LEFT),
        escape(&format!(
            "(computed - exact) / ulp(exact) in {judged}, least to greatest of each stretch of inputs{scale}"
        ))
    ));
    let mut top = HEAD + GAP;
    let apart = width / (COLUMNS / measurements.len().max(1)).clamp(60, 880) as f64;
    for m in measurements {
        let place = [LEFT, top, width, height_each];
        out.push_str(&plot::panel(m, &across, &up.moved(top), place, apart));
        top += height_each + GAP;
    }
    let bottom = top - GAP;
    for t in across.ticks() {
        let anchor = match t.at {
            a if a < LEFT + 1.0 => " style=\"text-anchor:start\"",
            a if a > WIDTH - RIGHT - 1.0 => " style=\"text-anchor:end\"",
            _ => "",
        };
        out.push_str(&format!(
            "<text class=\"x\" x=\"{}\" y=\"{}\"{anchor}>{}</text>\n",
            px(t.at),
            px(bottom + 16.0),
            escape(&t.label)
        ));
    }
    let narrow = match across.narrow() {
        Some((factor, _)) => format!("; grey: {factor} times narrower, no error above 0.5 ULP, or many binades alike"),
        None => ": every binade is as wide as the next".to_owned(),
    };
    let variable = measurements.first().and_then(|m| m.asked.variables.first()).map_or("x", String::as_str);
    out.push_str(&format!(
        "<text class=\"small\" x=\"{}\" y=\"{}\">{}</text>\n",
        px(LEFT),
        px(bottom + 36.0),
        escape(&format!("{variable}, by position among the numbers of {}{narrow}", format.name))
    ));
    out.push_str(&legend(measurements, bottom + 56.0));
    out.push_str("</svg>\n");
    out
}

/// What the lines and marks are.
fn legend(measurements: &[Measurement], y: f64) -> String {
    let mut out = String::new();
    let mut x = LEFT;
    let wrong = measurements.iter().any(|m| super::table::wrong_classes(&m.measured) > 0);
    let mut item = |mark: &str, text: &str| {
        out.push_str(&format!("<g transform=\"translate({} {})\">{mark}</g>\n", px(x), px(y - 4.0)));
        out.push_str(&format!(
            "<text class=\"small\" x=\"{}\" y=\"{}\">{}</text>\n",
            px(x + 30.0),
            px(y),
            escape(text)
        ));
        x += 30.0 + 6.7 * text.chars().count() as f64 + 22.0;
    };
    item("<path class=\"half\" d=\"M0 0H24\"/>", "half an ULP: beyond it, not correctly rounded");
    if measurements.iter().any(|m| m.measured.max_ulp.value.is_finite()) {
        item(
            "<path class=\"max\" d=\"M0 0H24\"/><circle class=\"worst\" cx=\"12\" cy=\"0\" r=\"4\"/>",
            "largest error",
        );
    }
    if wrong {
        item("<rect class=\"wrong\" y=\"-2\" width=\"24\" height=\"5\"/>", "binades with results of a wrong class");
    }
    out
}

/// The figures for those who do not see the picture.
fn description(measurements: &[Measurement]) -> String {
    let one = |m: &Measurement| {
        let f = &m.measured;
        let seed = f.seed.map_or_else(String::new, |s| format!(", seed {s}"));
        format!(
            "{}: max ULP {} at {} ({}, {} inputs{seed}), {} results not correctly rounded, {} of a wrong class.",
            m.subject.name,
            ulp(f.max_ulp.value),
            place(&m.asked.variables, &f.max_ulp.x),
            f.coverage.word(),
            grouped(f.inputs),
            grouped(f.not_correctly_rounded),
            grouped(super::table::wrong_classes(f)),
        )
    };
    measurements.iter().map(one).collect::<Vec<_>>().join(" ")
}

/// Ends of the first argument over all subjects.
fn domain(measurements: &[Measurement], format: FloatFormat) -> [f64; 2] {
    let ends = |m: &Measurement| {
        let [lo, hi] = m.measured.domain.first()?;
        let finite = |x: f64| x.clamp(-format.max(), format.max());
        Some([finite(value(lo)?), finite(value(hi)?)]).filter(|e| !e.iter().any(|x| x.is_nan()))
    };
    let all = measurements.iter().filter_map(ends);
    all.reduce(|a, b| [a[0].min(b[0]), a[1].max(b[1])]).unwrap_or([-format.max(), format.max()])
}

/// Like binades in a row from which on they may be narrow whatever their errors.
const ALIKE: usize = 32;

/// Binades with nothing to see: no error above half an ULP, or one of many alike, for every subject.
fn quiet(measurements: &[Measurement]) -> impl Fn(bool, i32) -> bool {
    let mut loud = BTreeSet::new();
    for run in measurements.iter().flat_map(|m| binades::merged(&m.measured, usize::MAX)) {
        if run.max_ulp > 0.5 && run.binades < ALIKE {
            loud.extend((run.exponents[0]..=run.exponents[1]).map(|e| (run.negative, e)));
        }
    }
    move |negative, exponent| !loud.contains(&(negative, exponent))
}

/// The greatest error that is drawn.
fn greatest(measurements: &[Measurement]) -> f64 {
    let sides = measurements.iter().flat_map(|m| &m.measured.profile).flat_map(|r| [r.above.abs(), r.below.abs()]);
    let peaks = measurements.iter().map(|m| m.measured.max_ulp.value);
    sides.chain(peaks).filter(|u| u.is_finite()).fold(0.5, f64::max)
}

/// A length in pixels, to a tenth.
pub(super) fn px(x: f64) -> String {
    let text = format!("{x:.1}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    if text == "-0" { "0".into() } else { text.into() }
}

/// Text for XML; characters that XML does not have become U+FFFD.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c if c < ' ' && !matches!(c, '\t' | '\n' | '\r') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped() {
        assert_eq!(escape("a<b & \"c\">\u{1}"), "a&lt;b &amp; &quot;c&quot;&gt;\u{fffd}");
    }

    #[test]
    fn lengths_are_short() {
        assert_eq!((px(12.0), px(-0.01), px(7.26)), ("12".into(), "0".into(), "7.3".into()));
    }
}
