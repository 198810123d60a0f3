//! One page for people: goals first, then plots, then the numbers. It needs nothing beside itself.

use std::fmt::Write as _;

use super::goals::Goal;
use super::machine::BUSY_CORES;
use super::plot::{Bar, Line, bars, curves, escaped};
use super::{BAUDOT, Group, Report, Row, json, load_percent, markdown, number};

const STYLE: &str = "
:root{--bg:#fbfaf7;--card:#fff;--ink:#1d2329;--soft:#5f6b76;--rule:#e4e1d8;--ours:#d9480f;--good:#2b8a3e;--bad:#c92a2a;--none:#adb5bd;
--c0:#d9480f;--c1:#1c7ed6;--c2:#2f9e44;--c3:#7048e8;--c4:#9c36b5;--c5:#0c8599;--c6:#868e96;--c7:#e8590c}
@media(prefers-color-scheme:dark){:root{--bg:#14171a;--card:#1c2024;--ink:#e9ecef;--soft:#98a2ac;--rule:#2e343a;--ours:#ff922b;--good:#51cf66;--bad:#ff6b6b;--none:#5c656d;
--c0:#ff922b;--c1:#4dabf7;--c2:#69db7c;--c3:#9775fa;--c4:#da77f2;--c5:#3bc9db;--c6:#adb5bd;--c7:#ffa94d}}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.55 system-ui,sans-serif}
main{max-width:1080px;margin:0 auto;padding:40px 24px 80px}h1{font-size:34px;margin:0 0 6px;letter-spacing:-.02em}
h2{font-size:21px;margin:52px 0 14px}h3{font-size:15px;margin:0 0 10px;font-weight:600}.soft{color:var(--soft)}
.card{background:var(--card);border:1px solid var(--rule);border-radius:12px;padding:18px 20px;margin:0 0 16px}
.goals{display:grid;grid-template-columns:repeat(auto-fill,minmax(310px,1fr));gap:12px}
.goal{border:1px solid var(--rule);border-left:5px solid var(--bad);border-radius:10px;padding:12px 14px;background:var(--card)}
.goal.met{border-left-color:var(--good)}.goal.unknown{border-left-color:var(--none)}
.goal b{font-size:22px;font-variant-numeric:tabular-nums;display:block}.goal .track{height:6px;border-radius:3px;background:var(--rule);margin:8px 0 4px;position:relative}
.goal .fill{height:6px;border-radius:3px;background:var(--bad)}.goal.met .fill{background:var(--good)}
.goal .mark{position:absolute;left:50%;top:-3px;height:12px;border-left:2px solid var(--ink)}
.plot{width:100%;height:auto;display:block}.grid{stroke:var(--rule);stroke-width:1}.tick{fill:var(--soft);font-size:11px}
.label{fill:var(--ink);font-size:12.5px}.label.ours,.value.ours{font-weight:700}.value{fill:var(--ink);font-size:12.5px;font-variant-numeric:tabular-nums}
.bar{opacity:.75}.bar.ours{opacity:1}.line{fill:none;stroke-width:1.8;opacity:.85}.line.ours{stroke-width:3.2;opacity:1}.lead{fill:none;stroke-width:.8;opacity:.5}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:13.5px}
th{font-weight:600;color:var(--soft);text-align:right;padding:6px 10px;border-bottom:1px solid var(--rule);white-space:nowrap}
td{padding:6px 10px;border-bottom:1px solid var(--rule);text-align:right;white-space:nowrap}th.n,td.n{text-align:left}tr.ours td{font-weight:600}
.warn{border-left:5px solid var(--c7)}
";

/// A color for each system, the same in all plots.
fn class(systems: &[&str], system: &str) -> usize {
    if system == BAUDOT {
        return 0;
    }
    let others = systems.iter().filter(|other| **other != BAUDOT);
    1 + others.into_iter().position(|other| *other == system).unwrap_or(0) % 7
}

/// The page.
pub(crate) fn write(report: &Report, goals: &[Goal]) -> String {
    let mut colors = String::new();
    for n in 0..8 {
        let _ = write!(
            colors,
            ".bar.c{n}{{fill:var(--c{n})}}.s{n}{{stroke:var(--c{n})}}.t{n}{{fill:var(--c{n})}}"
        );
    }
    let machine = &report.machine;
    let mut out = format!(
        "<!doctype html><html lang='en'><meta charset='utf-8'><meta name='viewport' content='width=device-width'>\
         <title>Baudot, measured</title><style>{STYLE}{colors}</style><main><h1>Baudot, measured</h1>\
         <p class='soft'>{} · commit {} · {}, {} cores, {} GiB · {} · IGE with {} · a write with a sync takes {} µs · {} s in all</p>",
        escaped(&machine.date),
        escaped(&machine.commit),
        escaped(&machine.processor),
        machine.cores,
        machine.memory_gib,
        escaped(&machine.kernel),
        escaped(machine.ige),
        number(machine.sync_us),
        report.seconds,
    );
    if machine.busy_cores > BUSY_CORES {
        let _ = write!(
            out,
            "<div class='card warn'>The machine was busy with other work when this began ({} cores): \
             absolute figures are too low, and ratios noisy.</div>",
            number(machine.busy_cores)
        );
    }
    let met = goals.iter().filter(|goal| goal.is_met()).count();
    let _ = write!(out, "<h2>{met} of {} goals met</h2><div class='goals'>", goals.len());
    for goal in goals {
        card(&mut out, goal);
    }
    out.push_str("</div>");
    for group in Group::ALL {
        let rows: Vec<&Row> = report.rows.iter().filter(|row| row.group == group).collect();
        if !rows.is_empty() {
            section(&mut out, group, &rows);
        }
    }
    out.push_str("<h2>Other figures</h2><div class='card scroll'><table>");
    for fact in &report.facts {
        let (what, value) = (escaped(&fact.what), number(fact.value));
        let _ = write!(out, "<tr><td class='n'>{what}<td>{value} {}</tr>", escaped(fact.unit));
    }
    out.push_str("</table></div>");
    if !report.notes.is_empty() {
        out.push_str("<h2>Left out</h2><div class='card'>");
        for note in &report.notes {
            let _ = write!(out, "<p>{}</p>", escaped(note));
        }
        out.push_str("</div>");
    }
    out.push_str("</main></html>\n");
    out
}

fn card(out: &mut String, goal: &Goal) {
    let state = match (goal.measured, goal.is_met()) {
        (None, _) => " unknown",
        (Some(_), true) => " met",
        (Some(_), false) => "",
    };
    // The mark in the middle is the goal; the scale is logarithmic, a hundredth to a hundredfold.
    let share = goal.share().clamp(0.01, 100.0).log10() / 4.0 + 0.5;
    let fill = if goal.measured.is_some() { share * 100.0 } else { 0.0 };
    let _ = write!(
        out,
        "<div class='goal{state}'><b>{}</b><div class='track'><div class='fill' style='width:{fill:.1}%'></div>\
         <div class='mark'></div></div><div>{}</div><div class='soft'>wanted {}</div></div>",
        escaped(&markdown::measured(goal)),
        escaped(goal.name),
        escaped(&markdown::wanted(goal)),
    );
}

fn section(out: &mut String, group: Group, rows: &[&Row]) {
    let mut systems: Vec<&str> = Vec::new();
    let mut settings: Vec<&str> = Vec::new();
    for row in rows {
        if !systems.contains(&row.system.as_str()) {
            systems.push(&row.system);
        }
        if !settings.contains(&row.setting.as_str()) {
            settings.push(&row.setting);
        }
    }
    let _ = write!(out, "<h2>{}</h2>", group.title());
    let compared = systems.len() > 1;
    for setting in settings.iter().filter(|_| compared) {
        let same = rows.iter().filter(|row| row.setting == **setting);
        let bar = |row: &&&Row| Bar {
            label: row.system.clone(),
            value: row.figures.per_s(),
            is_ours: row.system == BAUDOT,
            class: class(&systems, &row.system),
        };
        let line = |row: &&&Row| Line {
            label: row.system.clone(),
            points: json::curve(row),
            is_ours: row.system == BAUDOT,
            class: class(&systems, &row.system),
        };
        let throughput = bars(same.clone().map(|row| bar(&row)).collect());
        let latency = curves(&same.map(|row| line(&row)).collect::<Vec<_>>());
        let _ = write!(
            out,
            "<div class='card'><h3>{}: per second <span class='soft'>(each line is ten times more)</span></h3>{throughput}</div>\
             <div class='card'><h3>{}: how long it took <span class='soft'>(each step to the right is ten times rarer)</span></h3>{latency}</div>",
            escaped(setting),
            escaped(setting)
        );
    }
    if !compared {
        let lines: Vec<_> = rows
            .iter()
            .enumerate()
            .map(|(n, row)| Line {
                label: row.setting.clone(),
                points: json::curve(row),
                is_ours: false,
                class: n % 8,
            })
            .collect();
        let _ = write!(out, "<div class='card'><h3>How long it took</h3>{}</div>", curves(&lines));
    }
    table(out, rows);
}

fn table(out: &mut String, rows: &[&Row]) {
    out.push_str(
        "<div class='card scroll'><table><tr><th class='n'>server<th class='n'>how<th>per second<th>p50 µs<th>p90 µs\
         <th>p99 µs<th>p99.9 µs<th>most µs<th>CPU µs each<th>generator busy<th>memory MiB<th>lost</tr>",
    );
    for row in rows {
        let figures = &row.figures;
        let ours = if row.system == BAUDOT { " class='ours'" } else { "" };
        let _ = write!(
            out,
            "<tr{ours}><td class='n'>{}<td class='n'>{}<td>{}<td>{}<td>{}<td>{}<td>{}<td>{}<td>{}<td>{} %<td>{}<td>{}</tr>",
            escaped(&row.system),
            escaped(&row.setting),
            number(figures.per_s()),
            number(figures.latency_us(0.5)),
            number(figures.latency_us(0.9)),
            number(figures.latency_us(0.99)),
            number(figures.latency_us(0.999)),
            number(figures.latency.max() as f64 / 1e3),
            number(figures.cpu_us()),
            number(load_percent(figures)),
            number(figures.resident as f64 / 1_048_576.0),
            figures.lost,
        );
    }
    out.push_str("</table></div>");
}
