//! How everything is measured: things are sent, arrive, and the time in between is counted.
//!
//! *Closed loop*: a fixed number is under way; each arrival sends the next. It shows how much goes through.
//! *Open loop*: the moments to send at are planned ahead, as of people who do not wait for each other, and the time counts
//! from the planned moment. What queues up anywhere, in the generator too, shows as latency.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};

use crate::clock;
use crate::error::{Error, Result};
use crate::process::{Process, Usage};

/// Something that carries numbered things from one end to the other: pings to their pongs, messages to their recipients.
pub(crate) trait Carrier {
    /// How many lanes there are: pairs of ends, which have no order among them.
    fn lane_count(&self) -> usize;

    /// Sends one; `number` is given once.
    fn send(&mut self, lane: usize, number: u64) -> Result<()>;

    /// Writes what was sent, waits for arrivals no longer than `timeout`, and appends their lanes and numbers.
    fn turn(&mut self, timeout: Option<Duration>, arrived: &mut Vec<(usize, u64)>) -> Result<()>;
}

/// What was measured.
#[derive(Clone, Debug)]
pub(crate) struct Figures {
    /// Arrivals within the time that was measured.
    pub(crate) count: u64,
    /// That time.
    pub(crate) elapsed: Duration,
    /// Times to arrive, in nanoseconds.
    pub(crate) latency: Histogram<u64>,
    /// What the process that was measured used in that time; at the end for memory.
    pub(crate) cpu_ns: u64,
    /// Memory of the process at the end, in bytes.
    pub(crate) resident: u64,
    /// What the generator used, to show that it was not the bottleneck.
    pub(crate) load_cpu_ns: u64,
    /// Sent and not arrived when the run ended.
    pub(crate) lost: u64,
}

impl Figures {
    /// Arrivals a second.
    pub(crate) fn per_s(&self) -> f64 {
        self.count as f64 / self.elapsed.as_secs_f64().max(1e-9)
    }

    /// Time on cores for each arrival, in microseconds.
    pub(crate) fn cpu_us(&self) -> f64 {
        self.cpu_ns as f64 / 1e3 / (self.count as f64).max(1.0)
    }

    /// A quantile of the latency in microseconds.
    pub(crate) fn latency_us(&self, quantile: f64) -> f64 {
        self.latency.value_at_quantile(quantile) as f64 / 1e3
    }
}

/// How often that is measured which a pause of the machine would spoil. The middle one counts.
pub(crate) const TIMES: usize = 3;

/// The middle one in the order of `key`; of two, the lower one.
pub(crate) fn middle<T>(mut of: Vec<T>, key: impl Fn(&T) -> f64) -> Result<T> {
    of.sort_by(|one, other| key(one).total_cmp(&key(other)));
    let at = of.len().saturating_sub(1) / 2;
    of.into_iter().nth(at).ok_or_else(|| Error::Protocol("nothing was measured".to_owned()))
}

/// A histogram of times up to a minute.
pub(crate) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("the bounds are in order")
}

/// Counts between two moments.
pub(crate) struct Meter<'p> {
    process: Option<&'p Process>,
    begun: Instant,
    before: Usage,
    load_before: Usage,
    pub(crate) latency: Histogram<u64>,
    pub(crate) count: u64,
}

impl<'p> Meter<'p> {
    /// Starts now.
    pub(crate) fn start(process: Option<&'p Process>) -> Self {
        Self {
            process,
            before: process.map(Process::usage).unwrap_or_default(),
            load_before: Usage::of(std::process::id()),
            latency: histogram(),
            count: 0,
            begun: clock::instant(),
        }
    }

    /// Counts one that took so long.
    pub(crate) fn add(&mut self, took: Duration) {
        self.count += 1;
        self.latency.saturating_record(nanos(took));
    }

    /// Ends now.
    pub(crate) fn finish(self, lost: u64) -> Figures {
        let elapsed = clock::instant() - self.begun;
        let after = self.process.map(Process::usage).unwrap_or_default();
        let load = Usage::of(std::process::id());
        Figures {
            count: self.count,
            elapsed,
            latency: self.latency,
            cpu_ns: after.cpu_ns.saturating_sub(self.before.cpu_ns),
            resident: after.resident,
            load_cpu_ns: load.cpu_ns.saturating_sub(self.load_before.cpu_ns),
            lost,
        }
    }
}

/// How the generator passes the time until something is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waits {
    /// It looks again and again, which is most exact, on a core of its own.
    Awake,
    /// It sleeps, and leaves the core to another process; waking takes some 60 us.
    Asleep,
}

/// How long to run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    /// Before anything is counted.
    pub(crate) warm_up: Duration,
    /// While it is counted.
    pub(crate) measured: Duration,
}

/// How long what is under way may take at the end.
const DRAIN: Duration = Duration::from_secs(5);

/// When what is under way was sent, by its number.
#[derive(Debug, Default)]
struct Sent {
    first: u64,
    at: std::collections::VecDeque<Option<Instant>>,
}

impl Sent {
    fn push(&mut self, at: Instant) -> u64 {
        self.at.push_back(Some(at));
        self.first + self.at.len() as u64 - 1
    }

    /// When it was sent, unless it has arrived before.
    fn take(&mut self, number: u64) -> Option<Instant> {
        let at = usize::try_from(number.checked_sub(self.first)?).ok()?;
        let taken = self.at.get_mut(at)?.take();
        while let Some(None) = self.at.front() {
            self.at.pop_front();
            self.first += 1;
        }
        taken
    }

    fn count(&self) -> u64 {
        self.at.iter().flatten().count() as u64
    }
}

/// Keeps `depth` under way and counts what arrives.
pub(crate) fn closed(
    carrier: &mut (impl Carrier + ?Sized),
    depth: usize,
    span: Span,
    process: Option<&Process>,
) -> Result<Figures> {
    let lane_count = carrier.lane_count();
    let mut sent = Sent::default();
    let mut arrived = Vec::new();
    let begin = clock::instant();
    for n in 0..depth {
        let number = sent.push(begin);
        carrier.send(n % lane_count, number)?;
    }
    let mut meter = None;
    let (from, to) = (begin + span.warm_up, begin + span.warm_up + span.measured);
    let mut last_arrival = begin;
    loop {
        let now = clock::instant();
        if meter.is_none() && now >= from {
            meter = Some(Meter::start(process));
        }
        if now >= to {
            break;
        }
        arrived.clear();
        carrier.turn(Some(Duration::from_millis(100)), &mut arrived)?;
        let now = clock::instant();
        if !arrived.is_empty() {
            last_arrival = now;
        } else if now - last_arrival > DRAIN {
            return Err(Error::Timeout);
        }
        for (lane, number) in arrived.drain(..) {
            let Some(at) = sent.take(number) else { continue };
            if let Some(meter) = &mut meter {
                meter.add(now - at);
            }
            let number = sent.push(now);
            carrier.send(lane, number)?;
        }
    }
    let mut figures =
        meter.map_or_else(|| Meter::start(process).finish(0), |meter| meter.finish(0));
    figures.lost = drain(carrier, &mut sent, |_| {})?;
    Ok(figures)
}

/// Sends at planned moments, `per_s` a second on average, and counts what arrives from when it was due.
pub(crate) fn open(
    carrier: &mut (impl Carrier + ?Sized),
    per_s: f64,
    span: Span,
    process: Option<&Process>,
    waits: Waits,
) -> Result<Figures> {
    let lane_count = carrier.lane_count();
    let mut sent = Sent::default();
    let mut arrived = Vec::new();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    // The gaps between people who do not know of each other: exponential.
    let mut gap = move || {
        let uniform = ((rng.next_u64() >> 11) as f64 + 1.0) / (1u64 << 53) as f64;
        Duration::from_secs_f64(-uniform.ln() / per_s)
    };
    let begin = clock::instant();
    let (from, to) = (begin + span.warm_up, begin + span.warm_up + span.measured);
    let mut due = begin + gap();
    let mut next_lane = 0;
    let mut meter: Option<Meter<'_>> = None;
    loop {
        let mut now = clock::instant();
        if meter.is_none() && now >= from {
            meter = Some(Meter::start(process));
        }
        if now >= to {
            break;
        }
        while due <= now {
            let number = sent.push(due);
            carrier.send(next_lane, number)?;
            next_lane = (next_lane + 1) % lane_count;
            due += gap();
        }
        arrived.clear();
        let pause = match (waits, due.saturating_duration_since(now)) {
            (Waits::Awake, pause) if pause < Duration::from_millis(2) => Duration::ZERO,
            (Waits::Awake, pause) => pause / 2,
            (Waits::Asleep, pause) => pause,
        };
        carrier.turn(Some(pause), &mut arrived)?;
        now = clock::instant();
        for (_, number) in arrived.drain(..) {
            if let Some(at) = sent.take(number)
                && at >= from
                && let Some(meter) = &mut meter
            {
                meter.add(now.saturating_duration_since(at));
            }
        }
    }
    let meter = meter.unwrap_or_else(|| Meter::start(process));
    let mut figures = meter.finish(0);
    // What was due within the span counts, however late it comes.
    figures.lost = drain(carrier, &mut sent, |took| {
        figures.count += 1;
        figures.latency.saturating_record(nanos(took));
    })?;
    Ok(figures)
}

fn nanos(took: Duration) -> u64 {
    u64::try_from(took.as_nanos()).unwrap_or(u64::MAX).max(1)
}

/// Carries `count`, `depth` under way, and tells now and then how many have arrived.
pub(crate) fn carry(
    carrier: &mut (impl Carrier + ?Sized),
    depth: usize,
    count: u64,
    mut progress: impl FnMut(u64),
) -> Result<()> {
    let lane_count = carrier.lane_count();
    let mut sent = Sent::default();
    let mut arrived = Vec::new();
    let (mut begun, mut done) = (0, 0);
    let begin = clock::instant();
    for n in 0..depth {
        if begun < count {
            let number = sent.push(begin);
            carrier.send(n % lane_count, number)?;
            begun += 1;
        }
    }
    let mut last_arrival = begin;
    while done < count {
        arrived.clear();
        carrier.turn(Some(Duration::from_millis(100)), &mut arrived)?;
        let now = clock::instant();
        if !arrived.is_empty() {
            last_arrival = now;
            progress(done);
        } else if now - last_arrival > DRAIN {
            return Err(Error::Timeout);
        }
        for (lane, number) in arrived.drain(..) {
            // What comes twice is one arrival.
            if sent.take(number).is_none() {
                continue;
            }
            done += 1;
            if begun < count {
                let number = sent.push(now);
                carrier.send(lane, number)?;
                begun += 1;
            }
        }
    }
    Ok(())
}

/// Waits for what is under way. How many did not come.
fn drain(
    carrier: &mut (impl Carrier + ?Sized),
    sent: &mut Sent,
    mut late: impl FnMut(Duration),
) -> Result<u64> {
    let deadline = clock::instant() + DRAIN;
    let mut arrived = Vec::new();
    while sent.count() > 0 && clock::instant() < deadline {
        arrived.clear();
        carrier.turn(Some(Duration::from_millis(50)), &mut arrived)?;
        let now = clock::instant();
        for (_, number) in arrived.drain(..) {
            if let Some(at) = sent.take(number) {
                late(now.saturating_duration_since(at));
            }
        }
    }
    Ok(sent.count())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `TIMES`: one that is far off, on either side, is not told.
    #[test]
    fn the_middle_one_counts() {
        const { assert!(TIMES % 2 == 1) };
        for (all, expected) in [(vec![9.0, 1.0, 2.0], 2.0), (vec![2.0, 1.0], 1.0), (vec![3.0], 3.0)]
        {
            assert_eq!(middle(all, |it| *it).unwrap(), expected);
        }
        assert!(middle(Vec::<f64>::new(), |it| *it).is_err());
    }
}
