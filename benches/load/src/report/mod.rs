//! What was found, as a value; and the forms it is told in.
//!
//! | module     | what it writes                                             |
//! |------------|------------------------------------------------------------|
//! | `goals`    | each goal beside what was measured                         |
//! | `json`     | everything, for programs                                   |
//! | `markdown` | `docs/performance.md`                                      |
//! | `html`     | one page with plots, for people; `plot` draws them         |
//! | `machine`  | where it was measured                                      |

pub(crate) mod goals;
pub(crate) mod html;
pub(crate) mod json;
pub(crate) mod machine;
pub(crate) mod markdown;
mod plot;

use std::io::Write as _;

use crate::measure::Figures;

/// What rows are compared with one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    Ping,
    Messages,
    Connections,
    Files,
}

impl Group {
    pub(crate) const ALL: [Self; 4] = [Self::Ping, Self::Messages, Self::Connections, Self::Files];

    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Ping => "Requests and answers",
            Self::Messages => "One-to-one messages, until the recipient has them",
            Self::Connections => "Connections",
            Self::Files => "Files and photos",
        }
    }

    pub(crate) const fn key(self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::Messages => "messages",
            Self::Connections => "connections",
            Self::Files => "files",
        }
    }
}

/// One thing measured.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) group: Group,
    /// Who was measured.
    pub(crate) system: String,
    /// How.
    pub(crate) setting: String,
    pub(crate) figures: Figures,
}

/// A number that is no loop's.
#[derive(Clone, Debug)]
pub(crate) struct Fact {
    pub(crate) key: &'static str,
    pub(crate) what: String,
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
}

/// Everything.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) machine: machine::Machine,
    pub(crate) rows: Vec<Row>,
    pub(crate) facts: Vec<Fact>,
    /// What was left out or failed, and why.
    pub(crate) notes: Vec<String>,
    /// How long all of it took, in seconds.
    pub(crate) seconds: u64,
}

/// The name of the server under test in rows.
pub(crate) const BAUDOT: &str = "Baudot";

impl Report {
    /// Nothing yet.
    pub(crate) fn new(machine: machine::Machine) -> Self {
        Self { machine, rows: Vec::new(), facts: Vec::new(), notes: Vec::new(), seconds: 0 }
    }

    /// Adds a row, and tells it on the terminal.
    pub(crate) fn row(&mut self, group: Group, system: &str, setting: &str, figures: Figures) {
        let row = Row { group, system: system.to_owned(), setting: setting.to_owned(), figures };
        say(&line(&row));
        self.rows.push(row);
    }

    /// Adds a fact, and tells it.
    pub(crate) fn fact(&mut self, key: &'static str, what: &str, value: f64, unit: &'static str) {
        say(&format!("{what:<58} {} {unit}", number(value)));
        self.facts.push(Fact { key, what: what.to_owned(), value, unit });
    }

    /// Adds a note, and tells it.
    pub(crate) fn note(&mut self, note: String) {
        say(&note);
        self.notes.push(note);
    }

    pub(crate) fn find(&self, group: Group, system: &str, setting: &str) -> Option<&Figures> {
        let mut rows = self.rows.iter();
        rows.find(|row| row.group == group && row.system == system && row.setting == setting)
            .map(|row| &row.figures)
    }

    pub(crate) fn value(&self, key: &str) -> Option<f64> {
        self.facts.iter().find(|fact| fact.key == key).map(|fact| fact.value)
    }
}

/// A line for the terminal. Standard output may be gone, which ends nothing.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// The heading of the table.
pub(crate) fn heading() {
    let Columns(a, b) = COLUMNS;
    say(&format!(
        "{:a$} {:b$} {:>10} {:>10} {:>10} {:>10} {:>9} {:>7}",
        "", "", "per second", "p50 us", "p99 us", "p99.9 us", "CPU us", "load %"
    ));
}

struct Columns(usize, usize);
const COLUMNS: Columns = Columns(30, 28);

fn line(row: &Row) -> String {
    let Columns(a, b) = COLUMNS;
    let figures = &row.figures;
    let lost = if figures.lost > 0 { format!("  {} lost", figures.lost) } else { String::new() };
    format!(
        "{:a$} {:b$} {:>10} {:>10} {:>10} {:>10} {:>9} {:>7}{lost}",
        row.system,
        row.setting,
        number(figures.per_s()),
        number(figures.latency_us(0.5)),
        number(figures.latency_us(0.99)),
        number(figures.latency_us(0.999)),
        number(figures.cpu_us()),
        number(load_percent(figures)),
    )
}

/// How busy the generator was, in percent of its core.
pub(crate) fn load_percent(figures: &Figures) -> f64 {
    figures.load_cpu_ns as f64 / (figures.elapsed.as_nanos() as f64).max(1.0) * 100.0
}

/// A number with three digits that matter, thousands set apart.
pub(crate) fn number(value: f64) -> String {
    if !value.is_finite() {
        return "-".to_owned();
    }
    let digits = match value.abs() {
        v if v == 0.0 || v >= 100.0 => 0,
        v if v >= 10.0 => 1,
        v if v >= 1.0 => 2,
        _ => 3,
    };
    let text = format!("{value:.digits$}");
    let (whole, fraction) = text.split_once('.').map_or((text.as_str(), ""), |parts| parts);
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        let left = whole.len() - at;
        if at > 0 && left.is_multiple_of(3) && digit != '-' && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    match fraction {
        "" => grouped,
        fraction => format!("{grouped}.{fraction}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_readable() {
        let cases = [
            (0.0, "0"),
            (0.1234, "0.123"),
            (9.876, "9.88"),
            (42.42, "42.4"),
            (1234.5, "1,234"),
            (1_234_567.0, "1,234,567"),
            (-1234.0, "-1,234"),
        ];
        for (value, expected) in cases {
            assert_eq!(number(value), expected);
        }
    }
}
