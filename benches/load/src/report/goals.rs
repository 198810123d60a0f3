//! The goals, each beside what was measured. What was not measured is not met.

use super::{BAUDOT, Group, Report};
use crate::peers::Peer;

/// A goal.
#[derive(Clone, Debug)]
pub(crate) struct Goal {
    pub(crate) name: &'static str,
    /// `None` if it was not measured in this run.
    pub(crate) measured: Option<f64>,
    pub(crate) wanted: Wanted,
    pub(crate) unit: &'static str,
}

/// What is wanted of a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Wanted {
    AtLeast(f64),
    AtMost(f64),
}

impl Goal {
    pub(crate) fn is_met(&self) -> bool {
        self.measured.is_some_and(|measured| match self.wanted {
            Wanted::AtLeast(goal) => measured >= goal,
            Wanted::AtMost(goal) => measured <= goal,
        })
    }

    /// How far it is met: 1 is exactly.
    pub(crate) fn share(&self) -> f64 {
        let Some(measured) = self.measured else { return 0.0 };
        match self.wanted {
            Wanted::AtLeast(goal) => measured / goal,
            Wanted::AtMost(goal) => goal / measured.max(1e-12),
        }
    }
}

/// How messages are counted where peers are compared.
pub(crate) const IN_FLIGHT: [usize; 2] = [32, 512];
/// The fixed rate of the open loop, a second.
pub(crate) const RATE_PER_S: u32 = 3_000;

/// The setting's name of a closed loop over messages.
pub(crate) fn in_flight(depth: usize) -> String {
    format!("{depth} in flight")
}

/// The setting's name of the open loop over messages.
pub(crate) fn at_rate() -> String {
    format!("{RATE_PER_S} a second")
}

/// The setting's name of a closed loop over pings.
pub(crate) fn at_depth(depth: usize) -> String {
    format!("64 connections, depth {depth}")
}

/// All goals.
pub(crate) fn of(report: &Report) -> Vec<Goal> {
    use Wanted::{AtLeast, AtMost};
    let ratio = |a: Option<f64>, b: Option<f64>| Some(a? / b?);
    let fact = |key| report.value(key);
    let per_s = |group, system: &str, setting: &str| {
        report.find(group, system, setting).map(super::Figures::per_s)
    };
    // The weaker of the two depths: a ratio that holds at one of them only is none.
    let against = |peer: Peer| {
        let ratios = IN_FLIGHT.map(|depth| {
            let setting = in_flight(depth);
            let ours = per_s(Group::Messages, BAUDOT, &setting);
            ratio(ours, per_s(Group::Messages, peer.name(), &setting))
        });
        Some(ratios[0]?.min(ratios[1]?))
    };
    let p99_ms = |system: &str, setting: &str| {
        let figures = report.find(Group::Messages, system, setting)?;
        (figures.lost == 0).then(|| figures.latency_us(0.99) / 1e3)
    };
    let depth = at_depth(16);
    let ping = ratio(per_s(Group::Ping, BAUDOT, &depth), per_s(Group::Ping, "tokio echo", &depth));
    let goal = |name, measured, wanted, unit| Goal { name, measured, wanted, unit };
    vec![
        goal(
            "messages: times ejabberd with archive, at 32 and 512 in flight",
            against(Peer::EjabberdArchive),
            AtLeast(25.0),
            "times",
        ),
        goal(
            "messages: times JetStream with every write synced, at 32 and 512 in flight",
            against(Peer::JetStreamSynced),
            AtLeast(10.0),
            "times",
        ),
        goal(
            "messages: times ejabberd without archive, at 32 and 512 in flight",
            against(Peer::Ejabberd),
            AtLeast(1.0),
            "times",
        ),
        goal("messages: p99 at 3,000 a second", p99_ms(BAUDOT, &at_rate()), AtMost(10.0), "ms"),
        goal("ping: share of a tokio echo at depth 16", ping, AtLeast(0.5), "of it"),
        goal(
            "sealing 16 messages of 100 B: times grammers-crypto",
            ratio(fact("grammers_seal_100"), fact("seal_100")),
            AtLeast(4.0),
            "times",
        ),
        goal(
            "sealing 16 messages of 1,000 B: times grammers-crypto",
            ratio(fact("grammers_seal_1000"), fact("seal_1000")),
            AtLeast(4.0),
            "times",
        ),
        goal(
            "IGE of eight 512 KiB file parts: times grammers-crypto",
            ratio(fact("grammers_ige_part"), fact("ige_part")),
            AtLeast(10.0),
            "times",
        ),
        goal(
            "handshakes in a second of one core's time",
            fact("handshakes_per_core"),
            AtLeast(800.0),
            "a second",
        ),
        goal(
            "handshake flood: p99 of established sessions, times that without",
            fact("flood_p99_ratio"),
            AtMost(2.0),
            "times",
        ),
        goal(
            "memory of an idle connection",
            fact("idle_bytes").map(|bytes| bytes / 1024.0),
            AtMost(6.0),
            "KiB",
        ),
        goal(
            "restart with 1 million messages and 10,000 accounts",
            fact("restart_full_s"),
            AtMost(3.0),
            "s",
        ),
        goal(
            "upload of a file, 1 connection: share of opening alone",
            fact("upload_1_share"),
            AtLeast(0.8),
            "of it",
        ),
        goal(
            "upload of a file, 8 connections: share of opening alone",
            fact("upload_8_share"),
            AtLeast(0.8),
            "of it",
        ),
        goal(
            "download of a file, 1 connection: share of sealing alone",
            fact("download_1_share"),
            AtLeast(0.8),
            "of it",
        ),
        goal(
            "download of a file, 8 connections: share of sealing alone",
            fact("download_8_share"),
            AtLeast(0.8),
            "of it",
        ),
        goal(
            "memory peak of a 4 GB transfer over that of a 4 MB one",
            fact("transfer_peak_mb"),
            AtMost(32.0),
            "MB",
        ),
        goal(
            "small photos: p99 of texts, times that without",
            fact("photos_p99_ratio"),
            AtMost(2.0),
            "times",
        ),
    ]
}
