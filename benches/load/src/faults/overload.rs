//! More than the server can serve, and clients that take or send next to nothing; while two people who were there before go on.
//!
//! | part         | what comes                                                                                         |
//! |--------------|----------------------------------------------------------------------------------------------------|
//! | drips        | connections that send one byte a second: of packets, of an obfuscated start, of an HTTP head         |
//! | half-open    | connections that say nothing, stop within a handshake, or end their own side within a packet         |
//! | slow readers | sessions that ask for as much as they may, and take nothing of it                                   |
//! | flood        | messages, twenty times as many as are served, from many people and from one                          |
//!
//! Bounded memory is a bound on the server's resident set; served is that each ping and each message of those two is answered;
//! refused clearly is that whatever is not served has an error with a name, or its connection was closed.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::{Ipv4Addr, Shutdown, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::BufMut as _;
use hdrhistogram::Histogram;
use tl::api::{enums, functions};
use tl::{Decode as _, Encode as _, Layer};

use crate::accounts::{self, Account};
use crate::carriers::text;
use crate::client::{Clients, bytes, checked, introduced};
use crate::clock;
use crate::error::{Error, Result};
use crate::measure::histogram;
use crate::net::{Id, Net, Turn};
use crate::process::{Baudot, Process, Usage, public_key};
use crate::report::{number, say};
use crate::session::Event;

/// What is kept in memory of millions of rows is the operator's choice, and not what this is about.
const SETTINGS: [&str; 1] = ["block_cache_mib=32"];
/// By how much the server may grow in all of this.
const GROWTH_MAX: u64 = 512 << 20;
/// How long an answer to those who were there before may take.
const SERVED_MAX: Duration = Duration::from_secs(10);
/// How often they ping, and send a message.
const PING_EVERY: Duration = Duration::from_millis(20);
/// How many connections come from one address, fewer than the server allows.
const PER_ADDRESS: usize = 500;
/// How many file descriptors may be left over at the end: of files of the store.
const FILES_LEFT_MAX: usize = 64;
/// How much of what floods may wait for a socket in this process; what is beyond is not sent.
const UNSENT_LEN_MAX: usize = 256 * 1024;
/// People who flood.
const FLOODERS: usize = 128;
/// Sessions that take nothing.
const SLOW_READERS: usize = 256;
/// Requests of each, in so many containers; each answer has a kilobyte.
const SLOW_REQUESTS: usize = 8 * 1024;
/// How many of them each sends at once.
const SLOW_REQUESTS_AT_ONCE: usize = 32;

/// What to do.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The server's program.
    pub(crate) server: PathBuf,
    /// How many connections drip.
    pub(crate) drips: usize,
    /// How long each part lasts.
    pub(crate) time: Duration,
    /// How many times as many messages come as are served.
    pub(crate) times: u32,
}

/// Runs the plan.
///
/// # Errors
///
/// [`Error::Violated`] if something was not served, not refused clearly, or memory grew; or the run could not be carried out.
pub(crate) fn run(plan: &Plan) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    std::fs::create_dir_all(&data)?;
    let server = Baudot::start_with(&plan.server, &data, None, &SETTINGS)?;
    let mut crowd = Clients::new(server.address, &public_key(&data)?)?;
    let file = folder.path().join("accounts");
    let mut made = accounts::seed(&mut crowd, &file, FLOODERS + 2)?;
    let before = made.split_off(FLOODERS);
    let mut bench = Bench {
        watch: Watch::start(server.address, &data, &before)?,
        process: &server.process,
        address: server.address,
        violations: Outcomes::default(),
        base: Usage::of(server.process.id()).resident,
        files: open_files(server.process.id()),
    };
    say(&format!(
        "{:<34} {:>9} {:>9} {:>9} {:>9} {:>9}  {}",
        "", "MiB", "peak MiB", "p50 ms", "p99 ms", "max ms", "what became of the others"
    ));
    bench.quiet(plan.time.min(Duration::from_secs(3)))?;
    bench.drips(plan.drips, plan.time)?;
    bench.half_open(plan.drips, plan.time)?;
    bench.slow_readers(&mut crowd, &made, plan.time)?;
    bench.floods(&mut crowd, &made, plan)?;
    drop(crowd);
    bench.quiet(plan.time.min(Duration::from_secs(3)))?;
    bench.everything_is_given_back()?;
    let violations = std::mem::take(&mut bench.violations);
    drop(bench);
    server.process.stop()?;
    for (violation, count) in &violations.0 {
        say(&format!("{violation} ({count} times)"));
    }
    match violations.0.len() {
        0 => Ok(()),
        count => Err(Error::Violated { count }),
    }
}

/// How many files and sockets a process has open.
fn open_files(id: u32) -> usize {
    std::fs::read_dir(format!("/proc/{id}/fd")).map_or(0, Iterator::count)
}

struct Bench<'s> {
    watch: Watch,
    process: &'s Process,
    address: SocketAddr,
    violations: Outcomes,
    /// The server's memory before anything.
    base: u64,
    files: usize,
}

/// What happened, and how often.
#[derive(Default)]
struct Outcomes(BTreeMap<String, u64>);

impl Outcomes {
    fn add(&mut self, what: impl ToString, count: u64) {
        *self.0.entry(what.to_string()).or_default() += count;
    }
}

impl Bench<'_> {
    /// Goes on for a while; `step` does what the part is about.
    fn part(
        &mut self,
        name: &str,
        time: Duration,
        mut step: impl FnMut(Instant, &mut Outcomes) -> Result<()>,
    ) -> Result<Outcomes> {
        Usage::reset_peak(self.process.id());
        self.watch.begin();
        let mut outcomes = Outcomes::default();
        let until = clock::instant() + time;
        while clock::instant() < until {
            step(clock::instant(), &mut outcomes)?;
            self.watch.turn(&mut self.violations)?;
        }
        let missed = std::mem::take(&mut self.watch.missed);
        if missed > 0 {
            outcomes.add("times those two had to ask for a difference", missed);
        }
        let usage = self.process.usage();
        let mib = |len: u64| number(len as f64 / f64::from(1 << 20));
        let ms = |quantile| number(self.watch.times.value_at_quantile(quantile) as f64 / 1e6);
        let others =
            outcomes.0.iter().map(|(what, count)| format!("{} {what}", number(*count as f64)));
        say(&format!(
            "{name:<34} {:>9} {:>9} {:>9} {:>9} {:>9}  {}",
            mib(usage.resident),
            mib(usage.resident_peak),
            ms(0.5),
            ms(0.99),
            ms(1.0),
            others.collect::<Vec<_>>().join(", "),
        ));
        let grown = usage.resident_peak.saturating_sub(self.base);
        if grown > GROWTH_MAX {
            self.violations.add(format!("{name}: the server grew by {} MiB", mib(grown)), 1);
        }
        for what in outcomes.0.keys() {
            let is_clear = ["FLOOD_WAIT_n", "transport error -429"].contains(&what.as_str())
                || !(what
                    .chars()
                    .all(|c| c.is_ascii_uppercase() || c == '_' || c.is_ascii_digit())
                    || what.starts_with("transport error"));
            if !is_clear {
                self.violations.add(format!("{name}: refused as {what}"), 1);
            }
        }
        Ok(outcomes)
    }

    fn quiet(&mut self, time: Duration) -> Result<()> {
        self.part("nothing else", time, |_, _| {
            std::thread::sleep(Duration::from_millis(1));
            Ok(())
        })?;
        Ok(())
    }

    /// Connections that send one byte a second, and come again when they are closed.
    fn drips(&mut self, count: usize, time: Duration) -> Result<()> {
        let mut net = Net::new()?;
        let mut turn = Turn::default();
        // What each sends, and how much of it was sent; by the number of the connection.
        let mut drips: Vec<(usize, usize)> = Vec::new();
        for number in 0..count {
            net.connect(self.address, Some(address(number)))?;
            drips.push((number, 0));
        }
        let mut live: Vec<Id> = (0..count).collect();
        let (mut next, begun, server) = (0_u64, clock::instant(), self.address);
        let outcomes =
            self.part(&format!("{} drips", number(count as f64)), time, |now, outcomes| {
                // So that each has one byte a second, evenly.
                let due = (now - begun).as_millis() as u64 * count as u64 / 1_000;
                while next < due {
                    let id = live[next as usize % count];
                    let (number, sent) = drips[id];
                    net.output(id).tail().put_u8(drip(number, sent));
                    drips[id].1 += 1;
                    next += 1;
                }
                net.turn(Some(Duration::from_millis(1)), &mut turn)?;
                for id in turn.closed.clone() {
                    outcomes.add("closed", 1);
                    let (number, _) = drips[id];
                    net.close(id);
                    live[number] = net.connect(server, Some(address(number)))?;
                    drips.push((number, 0));
                }
                Ok(())
            });
        outcomes.map(drop)
    }

    /// Connections that say nothing, stop within a handshake, or end their side within a packet.
    fn half_open(&mut self, count: usize, time: Duration) -> Result<()> {
        let mut kept = Vec::with_capacity(count);
        let server = self.address;
        let mut number = 0;
        let ask = bytes(&tl::mtproto::functions::ReqPqMulti::new([7; 16]));
        self.part("half-open connections", time, |_, outcomes| {
            for _ in 0..64 {
                if number == count {
                    std::thread::sleep(Duration::from_millis(1));
                    break;
                }
                // The addresses after those of the drips, which may still be counted.
                let from = address(count + number);
                let mut stream = crate::net::connect_blocking(server, from)?;
                match number % 3 {
                    0 => {}
                    1 => {
                        let mut packet = vec![0xee; 4];
                        packet.put_u32_le(20 + ask.len() as u32);
                        packet.put_i64_le(0);
                        packet.put_i64_le(mtproto::MsgId::at(clock::unix()).0);
                        packet.put_u32_le(ask.len() as u32);
                        packet.put_slice(&ask);
                        stream.write_all(&packet)?;
                    }
                    _ => {
                        stream.write_all(&[0xee, 0xee, 0xee, 0xee, 0, 1, 0, 0, 7, 7])?;
                        stream.shutdown(Shutdown::Write)?;
                    }
                }
                kept.push(stream);
                outcomes.add("opened", 1);
                number += 1;
            }
            Ok(())
        })?;
        Ok(())
    }

    /// Sessions that ask for as much as they may, and take nothing of it.
    fn slow_readers(
        &mut self,
        crowd: &mut Clients,
        people: &[Account],
        time: Duration,
    ) -> Result<()> {
        let mut ids = Vec::new();
        for number in 0..SLOW_READERS {
            let account = &people[number % people.len()];
            let id = crowd.connect(None)?;
            crowd.begin(id, account.key.key.clone(), account.key.salt);
            ids.push(id);
        }
        let hello = ids.iter().map(|id| (*id, introduced(&functions::help::GetConfig {})));
        crowd.ask_all(hello.collect())?;
        let ask = tl::mtproto::functions::GetFutureSalts::new(64).to_vec(Layer::NEWEST);
        let mut asked = 0;
        self.part("slow readers", time, |_, outcomes| {
            if asked < SLOW_REQUESTS {
                for id in &ids {
                    for _ in 0..SLOW_REQUESTS_AT_ONCE {
                        crowd.service(*id, &ask);
                    }
                }
                asked += SLOW_REQUESTS_AT_ONCE;
                outcomes.add("requests", (SLOW_REQUESTS_AT_ONCE * ids.len()) as u64);
                crowd.only_write();
            } else {
                std::thread::sleep(Duration::from_millis(1));
            }
            Ok(())
        })?;
        for id in ids {
            crowd.close(id);
        }
        Ok(())
    }

    /// Messages: first as many as are served, then many times as many; from many, then from one.
    fn floods(&mut self, crowd: &mut Clients, people: &[Account], plan: &Plan) -> Result<()> {
        let ids = accounts::go_online(crowd, people)?;
        let capacity = self.flood("as many as are served", crowd, &ids, None, plan.time)?;
        let offered = capacity * f64::from(plan.times);
        let name = format!("{} times as many, from {}", plan.times, ids.len());
        self.flood(&name, crowd, &ids, Some(offered), plan.time)?;
        let name = format!("{} times as many, from one", plan.times);
        self.flood(&name, crowd, &ids[..1], Some(offered), plan.time)?;
        for id in ids {
            crowd.close(id);
        }
        Ok(())
    }

    /// Messages to oneself at a rate, or as many as are answered, a few of each under way. How many were served in a second.
    fn flood(
        &mut self,
        name: &str,
        crowd: &mut Clients,
        ids: &[Id],
        rate: Option<f64>,
        time: Duration,
    ) -> Result<f64> {
        let send = |crowd: &mut Clients, id: Id, tag: u64| {
            let peer = enums::InputPeer::InputPeerSelf;
            let send = functions::messages::SendMessage::new(
                peer,
                "a text of some length",
                crowd.random_id(),
            );
            crowd.request(id, tag, bytes(&send));
        };
        if rate.is_none() {
            for id in ids {
                (0..8).for_each(|_| send(crowd, *id, 0));
            }
        }
        let (begun, mut offered) = (clock::instant(), 0_u64);
        let outcomes = self.part(name, time, |now, outcomes| {
            if let Some(rate) = rate {
                let due = ((now - begun).as_secs_f64() * rate) as u64;
                // What a turn cannot send was offered all the same: nobody waits for it.
                let at_once = due.saturating_sub(offered).min(4_096);
                for _ in 0..at_once {
                    let id = ids[offered as usize % ids.len()];
                    offered += 1;
                    if crowd.unsent_len(id) < UNSENT_LEN_MAX {
                        send(crowd, id, 1);
                    } else {
                        outcomes.add("found no room in their sockets", 1);
                    }
                }
            }
            crowd.turn(Some(Duration::from_millis(1)))?;
            while let Some((id, event)) = crowd.poll_event() {
                match event {
                    Event::Answer(tag, body) => {
                        match checked(body) {
                            Ok(_) => outcomes.add("served", 1),
                            Err(text) if text.starts_with("FLOOD_WAIT_") => {
                                outcomes.add("FLOOD_WAIT_n", 1);
                            }
                            Err(text) => outcomes.add(text, 1),
                        }
                        if rate.is_none() && tag == 0 {
                            send(crowd, id, 0);
                        }
                    }
                    Event::Closed => outcomes.add("connections closed", 1),
                    Event::TransportError(code) => {
                        outcomes.add(format!("transport error {code}"), 1)
                    }
                    Event::Refused(code) => outcomes.add(format!("bad_msg {code}"), 1),
                    _ => {}
                }
            }
            Ok(())
        })?;
        let served = outcomes.0.get("served").copied().unwrap_or_default();
        Ok(served as f64 / time.as_secs_f64())
    }

    /// What was taken for those connections is given back, once the server has closed them.
    fn everything_is_given_back(&mut self) -> Result<()> {
        let id = self.process.id();
        let deadline = clock::instant() + Duration::from_secs(60);
        self.watch.begin();
        while open_files(id) > self.files + FILES_LEFT_MAX {
            if clock::instant() > deadline {
                let count = open_files(id);
                let text = format!("{count} files are open, {} were before", self.files);
                self.violations.add(text, 1);
                return Ok(());
            }
            self.watch.turn(&mut self.violations)?;
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }
}

/// The connections of one address are fewer than the server allows one.
fn address(number: usize) -> SocketAddr {
    let [high, low] =
        (number / PER_ADDRESS + 1).to_be_bytes().last_chunk().copied().unwrap_or([0, 1]);
    SocketAddr::from((Ipv4Addr::new(127, 1, high, low), 0))
}

/// The byte that a drip sends next.
fn drip(number: usize, sent: usize) -> u8 {
    let of: &[u8] = match number % 4 {
        // A packet of a megabyte, of both transports that have none in front.
        0 => &[0xef, 0x7f, 0, 0, 4],
        1 => &[0xee, 0xee, 0xee, 0xee, 0, 0, 0x10, 0],
        2 => b"GET /apiws HTTP/1.1\r\nHost: ",
        // The start of an obfuscated stream.
        _ => &[],
    };
    of.get(sent).copied().unwrap_or(b'a' + (number % 26) as u8)
}

/// Whether an update says that more were missed.
fn is_too_long(body: &[u8]) -> bool {
    matches!(enums::Updates::from_bytes(body), Ok(enums::Updates::UpdatesTooLong))
}

/// Two people who were there before: one pings and writes, the other gets it.
struct Watch {
    clients: Clients,
    ids: Vec<Id>,
    peer: enums::InputPeer,
    times: Histogram<u64>,
    /// Pings and messages under way, and since when.
    pings: BTreeMap<i64, Instant>,
    messages: BTreeMap<u64, Instant>,
    next: Instant,
    count: u64,
    /// How often they were told to ask for what they missed.
    missed: u64,
}

impl Watch {
    fn start(address: SocketAddr, data: &Path, accounts: &[Account]) -> Result<Self> {
        let mut clients = Clients::new(address, &public_key(data)?)?;
        let ids = accounts::go_online(&mut clients, accounts)?;
        let mut peers = accounts::resolve(&mut clients, &[(ids[0], &accounts[1])])?;
        let peer = peers.pop().ok_or(Error::Closed)?;
        Ok(Self {
            clients,
            ids,
            peer,
            times: histogram(),
            pings: BTreeMap::new(),
            messages: BTreeMap::new(),
            next: clock::instant(),
            count: 0,
            missed: 0,
        })
    }

    fn begin(&mut self) {
        self.times.reset();
    }

    fn turn(&mut self, violations: &mut Outcomes) -> Result<()> {
        let now = clock::instant();
        if now >= self.next {
            self.next = now + PING_EVERY;
            self.count += 1;
            self.clients.ping(self.ids[1], self.count.cast_signed());
            self.pings.insert(self.count.cast_signed(), now);
            let (text, random_id) = (text(self.count), self.clients.random_id());
            let send = functions::messages::SendMessage::new(self.peer.clone(), &text, random_id);
            self.clients.request(self.ids[0], self.count, bytes(&send));
            self.messages.insert(self.count, now);
        }
        self.clients.turn(Some(Duration::ZERO))?;
        let now = clock::instant();
        let mut took = |since: Option<Instant>| {
            if let Some(since) = since {
                let nanos = u64::try_from((now - since).as_nanos()).unwrap_or(u64::MAX);
                self.times.saturating_record(nanos);
            }
        };
        while let Some((_, event)) = self.clients.poll_event() {
            match event {
                Event::Pong(number) => took(self.pings.remove(&number)),
                // More came than the server kept for its sessions. Nothing is lost, but it takes a difference to see it.
                Event::Update(body) if is_too_long(&body) => {
                    self.missed += 1;
                    self.messages.clear();
                }
                Event::Update(body) => {
                    for number in crate::carriers::received(&body)? {
                        took(self.messages.remove(&number));
                    }
                }
                Event::Answer(_, body) => {
                    if let Err(text) = checked(body) {
                        violations.add(format!("a message of those two was refused: {text}"), 1);
                    }
                }
                Event::Closed => return Err(Error::Closed),
                Event::TransportError(code) => return Err(Error::Transport(code)),
                Event::Refused(code) => {
                    violations.add(format!("a message of those two was refused: {code}"), 1);
                }
                Event::KeyMade(_) | Event::Again(_) => {}
            }
        }
        let late = |since: &Instant| now - *since > SERVED_MAX;
        let count = self.pings.len() + self.messages.len();
        self.pings.retain(|_, since| !late(since));
        self.messages.retain(|_, since| !late(since));
        let given_up = count - self.pings.len() - self.messages.len();
        if given_up > 0 {
            let what = format!("those two waited for more than {SERVED_MAX:?}");
            violations.add(what, given_up as u64);
        }
        Ok(())
    }
}
