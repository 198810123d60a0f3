//! Everything, for programs.

use serde_json::{Value, json};

use super::goals::{Goal, Wanted};
use super::{Report, Row};

/// The quantiles of a curve: close together where it is interesting.
pub(crate) fn curve(row: &Row) -> Vec<(f64, f64)> {
    let quantiles = (0..=48).map(|n| 1.0 - 10f64.powf(-f64::from(n) / 12.0));
    let enough = |quantile: &f64| (1.0 - quantile) * row.figures.count as f64 >= 1.0;
    quantiles.filter(enough).map(|quantile| (quantile, row.figures.latency_us(quantile))).collect()
}

fn goal(goal: &Goal) -> Value {
    let (wanted, compare) = match goal.wanted {
        Wanted::AtLeast(wanted) => (wanted, "at least"),
        Wanted::AtMost(wanted) => (wanted, "at most"),
    };
    json!({
        "name": goal.name,
        "measured": goal.measured,
        "goal": wanted,
        "compare": compare,
        "unit": goal.unit,
        "met": goal.is_met(),
    })
}

fn row(row: &Row) -> Value {
    let figures = &row.figures;
    json!({
        "group": row.group.key(),
        "system": row.system,
        "setting": row.setting,
        "count": figures.count,
        "seconds": figures.elapsed.as_secs_f64(),
        "per_second": figures.per_s(),
        "latency_us": {
            "p50": figures.latency_us(0.5),
            "p90": figures.latency_us(0.9),
            "p99": figures.latency_us(0.99),
            "p99.9": figures.latency_us(0.999),
            "max": figures.latency.max() as f64 / 1e3,
        },
        "curve": curve(row),
        "cpu_us": figures.cpu_us(),
        "server_cpu_share": figures.cpu_ns as f64 / figures.elapsed.as_nanos().max(1) as f64,
        "load_cpu_share": figures.load_cpu_ns as f64 / figures.elapsed.as_nanos().max(1) as f64,
        "resident_bytes": figures.resident,
        "lost": figures.lost,
    })
}

/// The report.
pub(crate) fn write(report: &Report, goals: &[Goal]) -> String {
    let machine = &report.machine;
    let facts = report.facts.iter().map(
        |fact| json!({"key": fact.key, "what": fact.what, "value": fact.value, "unit": fact.unit}),
    );
    let value = json!({
        "commit": machine.commit,
        "date": machine.date,
        "seconds": report.seconds,
        "machine": {
            "processor": machine.processor,
            "cores": machine.cores,
            "memory_gib": machine.memory_gib,
            "kernel": machine.kernel,
            "instructions": machine.instructions,
            "ige": machine.ige,
            "busy_cores": machine.busy_cores,
            "sync_us": machine.sync_us,
        },
        "goals": goals.iter().map(goal).collect::<Vec<_>>(),
        "rows": report.rows.iter().map(row).collect::<Vec<_>>(),
        "facts": facts.collect::<Vec<_>>(),
        "notes": report.notes,
    });
    format!("{value:#}\n")
}
