//! Plots as SVG that stands in the page: bars and curves, both on logarithmic axes.

use std::fmt::Write as _;

use super::number;

/// Text that may stand between tags or quotes.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A bar.
pub(crate) struct Bar {
    pub(crate) label: String,
    pub(crate) value: f64,
    /// The server under test.
    pub(crate) is_ours: bool,
    pub(crate) class: usize,
}

/// A line.
pub(crate) struct Line {
    pub(crate) label: String,
    /// Quantiles below 1, and times in microseconds.
    pub(crate) points: Vec<(f64, f64)>,
    pub(crate) is_ours: bool,
    pub(crate) class: usize,
}

const WIDTH: f64 = 760.0;
const LABEL_WIDTH: f64 = 210.0;
const BAR_HEIGHT: f64 = 22.0;
const BAR_STEP: f64 = 32.0;

/// Powers of ten around values.
fn decades(values: impl Iterator<Item = f64>) -> Option<(i32, i32)> {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in values.filter(|value| *value > 0.0 && value.is_finite()) {
        (low, high) = (low.min(value), high.max(value));
    }
    if !low.is_finite() {
        return None;
    }
    let (from, to) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    Some((from, to.max(from + 1)))
}

/// A power of ten as one reads it, in thousands and millions of `units`.
fn tick(exponent: i32, units: [&str; 3]) -> String {
    let (power, unit) = match exponent {
        e if e >= 6 => (e - 6, units[2]),
        e if e >= 3 => (e - 3, units[1]),
        e => (e, units[0]),
    };
    let digits = usize::try_from(-power).unwrap_or_default();
    format!("{:.digits$}{unit}", 10f64.powi(power))
}

/// Horizontal bars, longest first.
pub(crate) fn bars(mut bars: Vec<Bar>) -> String {
    bars.sort_by(|a, b| b.value.total_cmp(&a.value));
    let Some((from, to)) = decades(bars.iter().map(|bar| bar.value)) else { return String::new() };
    // A bar of the least value is still one to be seen.
    let from = from - 1;
    let right = 90.0;
    let scale = (WIDTH - LABEL_WIDTH - right) / f64::from(to - from);
    let x = |value: f64| LABEL_WIDTH + (value.log10() - f64::from(from)) * scale;
    let bottom = bars.len() as f64 * BAR_STEP + 4.0;
    let mut svg = format!("<svg viewBox='0 0 {WIDTH} {}' role='img' class='plot'>", bottom + 24.0);
    for exponent in from + 1..=to {
        let at = x(10f64.powi(exponent));
        let _ = write!(
            svg,
            "<line class='grid' x1='{at:.1}' x2='{at:.1}' y1='0' y2='{bottom}'/>\
             <text class='tick' x='{at:.1}' y='{:.1}' text-anchor='middle'>{}</text>",
            bottom + 16.0,
            tick(exponent, ["", "k", "M"])
        );
    }
    for (at, bar) in bars.iter().enumerate() {
        let y = at as f64 * BAR_STEP + 4.0;
        let end = x(bar.value);
        let ours = if bar.is_ours { " ours" } else { "" };
        let middle = y + BAR_HEIGHT / 2.0 + 4.5;
        let _ = write!(
            svg,
            "<text class='label{ours}' x='{:.1}' y='{middle:.1}' text-anchor='end'>{}</text>\
             <rect class='bar c{}{ours}' x='{LABEL_WIDTH}' y='{y:.1}' width='{:.1}' height='{BAR_HEIGHT}' rx='3'/>\
             <text class='value{ours}' x='{:.1}' y='{middle:.1}'>{}</text>",
            LABEL_WIDTH - 10.0,
            escaped(&bar.label),
            bar.class,
            (end - LABEL_WIDTH).max(2.0),
            end + 8.0,
            number(bar.value),
        );
    }
    svg.push_str("</svg>");
    svg
}

/// Latency over how rarely it is exceeded: each step to the right is ten times rarer.
pub(crate) fn curves(lines: &[Line]) -> String {
    let values = lines.iter().flat_map(|line| line.points.iter().map(|(_, value)| *value));
    let Some((from, to)) = decades(values) else { return String::new() };
    let (left, top, bottom, right) = (64.0, 12.0, 300.0, 190.0);
    let rarest =
        lines.iter().flat_map(|line| line.points.last()).map(|(quantile, _)| nines(*quantile));
    let rarest = rarest.fold(2.0, f64::max).max(1.0);
    let x = |quantile: f64| left + nines(quantile) / rarest * (WIDTH - left - right);
    let height = (bottom - top) / f64::from(to - from);
    let y = |value: f64| bottom - (value.log10() - f64::from(from)) * height;
    let mut svg = format!("<svg viewBox='0 0 {WIDTH} {}' role='img' class='plot'>", bottom + 44.0);
    for exponent in from..=to {
        let at = y(10f64.powi(exponent));
        let label = tick(exponent, [" µs", " ms", " s"]);
        let _ = write!(
            svg,
            "<line class='grid' x1='{left}' x2='{:.1}' y1='{at:.1}' y2='{at:.1}'/>\
             <text class='tick' x='{:.1}' y='{:.1}' text-anchor='end'>{label}</text>",
            WIDTH - right,
            left - 8.0,
            at + 4.0
        );
    }
    for (quantile, label) in [
        (0.0, "0"),
        (0.5, "p50"),
        (0.9, "p90"),
        (0.99, "p99"),
        (0.999, "p99.9"),
        (0.9999, "p99.99"),
    ] {
        if nines(quantile) > rarest {
            continue;
        }
        let at = x(quantile);
        let _ = write!(
            svg,
            "<line class='grid' x1='{at:.1}' x2='{at:.1}' y1='{top}' y2='{bottom}'/>\
             <text class='tick' x='{at:.1}' y='{:.1}' text-anchor='middle'>{label}</text>",
            bottom + 18.0
        );
    }
    let mut ends: Vec<(f64, &Line)> = Vec::new();
    for line in lines {
        let mut path = String::new();
        for (n, (quantile, value)) in line.points.iter().filter(|(_, v)| *v > 0.0).enumerate() {
            let command = if n == 0 { 'M' } else { 'L' };
            let _ = write!(path, "{command}{:.1} {:.1}", x(*quantile), y(*value));
        }
        let ours = if line.is_ours { " ours" } else { "" };
        let _ = write!(svg, "<path class='line s{}{ours}' d='{path}'/>", line.class);
        if let Some((_, value)) = line.points.last() {
            ends.push((y(*value), line));
        }
    }
    // Labels stand at the ends of their lines, pushed apart where those meet.
    ends.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut lowest = top - 16.0;
    for (at, line) in ends {
        let place = at.max(lowest + 16.0);
        lowest = place;
        let ours = if line.is_ours { " ours" } else { "" };
        let from = line.points.last().map_or(WIDTH - right, |(quantile, _)| x(*quantile));
        let _ = write!(
            svg,
            "<path class='lead s{}' d='M{from:.1} {at:.1}L{:.1} {place:.1}'/>\
             <text class='label{ours} t{}' x='{:.1}' y='{:.1}'>{}</text>",
            line.class,
            WIDTH - right + 12.0,
            line.class,
            WIDTH - right + 16.0,
            place + 4.0,
            escaped(&line.label)
        );
    }
    svg.push_str("</svg>");
    svg
}

/// 0 at 0, 1 at 0.9, 2 at 0.99.
fn nines(quantile: f64) -> f64 {
    -(1.0 - quantile).max(1e-9).log10()
}
