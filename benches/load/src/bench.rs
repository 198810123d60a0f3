//! The fixed set: everything the goals ask for, in the order that disturbs least.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use tl::api::functions;

use crate::accounts::{self, Account, progress, refused};
use crate::carriers::{Messages, Pings};
use crate::client::{Clients, introduced};
use crate::clock;
use crate::error::{Error, Result};
use crate::measure::{self, Carrier as _, Figures, Span, Waits};
use crate::net::Id;
use crate::peers::{Peer, plain};
use crate::process::{Baudot, Cores, Process, Usage, public_key};
use crate::report::goals::{self, IN_FLIGHT, RATE_PER_S, at_depth, at_rate, in_flight};
use crate::report::{BAUDOT, Group, Report, html, json, machine, markdown, say};
use crate::scenarios::photos::{self, Photos};
use crate::scenarios::{catch_up, cryptography, files, handshakes, idle, storm};

/// Connections of the pings.
const PING_CONNECTIONS: usize = 64;
/// Pairs of people in conversation.
const PAIRS: usize = 64;
/// Exchanges under way at once.
const HANDSHAKE_DEPTH: usize = 32;
/// Connections of the storm.
const STORM_COUNT: usize = 1_000;
/// Who catches up at once.
const CATCH_UP_COUNT: usize = 64;
/// How many messages are stored when the server is started again.
const STORED_COUNT: u64 = 1_000_000;
/// How many of them are under way while they are stored.
const FILL_DEPTH: usize = 1024;

/// Connections that a file goes over.
const FILE_CONNECTIONS: [usize; 2] = [1, 8];
/// The smallest file, in parts: 4 MiB.
const SMALL_FILE: i32 = 8;
/// The largest, in parts: 4,000 MiB.
const LARGE_FILE: i32 = 8_000;
/// Accounts that send photos at once.
const PHOTO_ACCOUNTS: usize = 64;
/// How many texts a second go beside the photos.
const TEXTS_PER_S: f64 = 1_000.0;

/// How long the photos may take.
const PHOTOS_PATIENCE: Duration = Duration::from_secs(90);

/// What to do, and where to leave it.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The server's program.
    pub(crate) server: PathBuf,
    /// Where its data goes; a temporary folder if nothing is said.
    pub(crate) data: Option<PathBuf>,
    /// Folder of `report.json` and `report.html`.
    pub(crate) report: PathBuf,
    /// The page to write.
    pub(crate) markdown: Option<PathBuf>,
    /// Parts to run; all if empty.
    pub(crate) only: Vec<Part>,
    /// How many accounts there are.
    pub(crate) accounts: usize,
    /// How long each loop is measured.
    pub(crate) measured: Duration,
    /// The file that is sent and fetched, in MiB.
    pub(crate) file_mib: u32,
    /// How many photos there are.
    pub(crate) photos: usize,
}

/// A part of the set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Part {
    Crypto,
    Ping,
    Messages,
    Peers,
    Handshakes,
    Idle,
    Storm,
    CatchUp,
    Files,
    Photos,
    Restart,
}

struct Bench {
    plan: Plan,
    cores: Option<Cores>,
    report: Report,
    accounts: Vec<Account>,
    /// Messages that the server has taken so far.
    stored: u64,
}

/// Runs the set and writes the reports. How many goals were not met.
pub(crate) fn run(plan: Plan) -> Result<()> {
    let begun = clock::instant();
    let cores = Cores::pick();
    let mut report = Report::new(machine::Machine::here());
    match cores {
        Some(cores) => cores.pin_load()?,
        None => report.note("There is one core only: server and generator share it.".to_owned()),
    }
    let mut bench = Bench { plan, cores, report, accounts: Vec::new(), stored: 0 };
    crate::report::heading();
    let result = bench.all();
    if let Err(error) = &result {
        bench.report.note(format!("The run ended early: {error}"));
    }
    bench.report.seconds = (clock::instant() - begun).as_secs();
    bench.write()?;
    result
}

impl Bench {
    fn wants(&self, part: Part) -> bool {
        self.plan.only.is_empty() || self.plan.only.contains(&part)
    }

    fn span(&self) -> Span {
        Span { warm_up: Duration::from_millis(500), measured: self.plan.measured }
    }

    fn core(&self) -> Option<usize> {
        self.cores.map(|cores| cores.server)
    }

    /// A part that fails is noted and leaves the others alone.
    fn try_part(&mut self, name: &str, part: impl FnOnce(&mut Self) -> Result<()>) {
        if let Err(error) = part(self) {
            self.report.note(format!("{name}: {error}"));
        }
    }

    fn all(&mut self) -> Result<()> {
        if self.wants(Part::Crypto) {
            self.crypto();
        }
        let temporary = tempfile::tempdir()?;
        let data = self.plan.data.clone().unwrap_or_else(|| temporary.path().join("data"));
        std::fs::create_dir_all(&data)?;
        let mut server = Baudot::start(&self.plan.server, &data, self.core())?;
        let mut clients = Clients::new(server.address, &public_key(&data)?)?;
        let begun = clock::instant();
        let file = data.join("accounts");
        self.accounts = accounts::seed(&mut clients, &file, self.plan.accounts)?;
        let seconds = (clock::instant() - begun).as_secs_f64();
        self.report.fact("seed_s", "signing up all accounts, keys included", seconds, "s");
        // Memory that signing up left free would hide what connections take: a fresh process has none.
        drop(clients);
        (server, _) = server.restart(false)?;
        let mut clients = Clients::new(server.address, &public_key(&data)?)?;

        self.try_part("idle connections", |bench| bench.idle(&mut clients, &server));
        self.try_part("pings", |bench| bench.pings(&mut clients, &server));
        self.try_part("messages", |bench| bench.messages(&mut clients, &server));
        self.try_part("handshakes", |bench| bench.handshakes(&mut clients, &server));
        self.try_part("reconnect storm", |bench| bench.storm(&mut clients, &server));
        self.try_part("catching up", |bench| bench.catch_up(&mut clients, &server));
        self.try_part("files", |bench| bench.files(&mut clients, &server));
        self.try_part("photos", |bench| bench.photos(&mut clients, &server));
        if self.wants(Part::Restart) {
            self.try_part("filling the store", |bench| bench.fill(&mut clients));
            drop(clients);
            server = self.restart(server)?;
        }
        server.process.stop()?;
        if self.wants(Part::Peers) {
            self.peers();
        }
        Ok(())
    }

    fn crypto(&mut self) {
        let costs = cryptography::measure();
        for (key, what, nanos) in [
            ("seal_100", "sealing 100 B, among 16, padding drawn", costs.seal_100_ns),
            ("grammers_seal_100", "the same, grammers-crypto", costs.grammers_seal_100_ns),
            ("seal_1000", "sealing 1,000 B, among 16, padding drawn", costs.seal_1000_ns),
            ("grammers_seal_1000", "the same, grammers-crypto", costs.grammers_seal_1000_ns),
            ("ige_part", "IGE of 512 KiB, among 8", costs.ige_part_ns),
            ("grammers_ige_part", "the same, grammers-crypto", costs.grammers_ige_part_ns),
            ("seal_part", "sealing 512 KiB, alone", costs.seal_part_ns),
            ("open_part", "opening 512 KiB, alone", costs.open_part_ns),
        ] {
            self.report.fact(key, what, nanos, "ns");
        }
    }

    fn idle(&mut self, clients: &mut Clients, server: &Baudot) -> Result<()> {
        if !self.wants(Part::Idle) {
            return Ok(());
        }
        let (idle, ids) = idle::measure(clients, &self.accounts, &server.process)?;
        self.report.fact("idle_count", "idle connections", idle.count as f64, "");
        self.report.fact("idle_bytes", "memory of the server for each", idle.each, "B");
        let mib = |bytes: u64| bytes as f64 / 1_048_576.0;
        self.report.fact("idle_before", "memory of the server before", mib(idle.before), "MiB");
        self.report.fact("idle_with", "memory of the server with them", mib(idle.with), "MiB");
        for id in ids {
            clients.close(id);
        }
        Ok(())
    }

    fn pings(&mut self, clients: &mut Clients, server: &Baudot) -> Result<()> {
        if !self.wants(Part::Ping) {
            return Ok(());
        }
        let ids = accounts::go_online(clients, &self.accounts[..PING_CONNECTIONS])?;
        for depth in [1, 16] {
            let mut pings = Pings::new(clients, ids.clone());
            let under_way = PING_CONNECTIONS * depth;
            let process = Some(&server.process);
            let figures = measure::closed(&mut pings, under_way, self.span(), process)?;
            self.report.row(Group::Ping, BAUDOT, &at_depth(depth), figures);
            let mut echo = plain::echo(PING_CONNECTIONS, self.core())?;
            let carrier = echo.carrier.as_mut();
            let figures = measure::closed(carrier, under_way, self.span(), Some(&echo.process))?;
            self.report.row(Group::Ping, "tokio echo", &at_depth(depth), figures);
        }
        close(clients, ids);
        Ok(())
    }

    fn messages(&mut self, clients: &mut Clients, server: &Baudot) -> Result<()> {
        if !self.wants(Part::Messages) {
            return Ok(());
        }
        let mut messages = Messages::new(clients, &self.accounts[..2 * PAIRS])?;
        let process = Some(&server.process);
        for depth in IN_FLIGHT {
            let figures = measure::closed(&mut messages, depth, self.span(), process)?;
            self.report.row(Group::Messages, BAUDOT, &in_flight(depth), figures);
        }
        let rate = f64::from(RATE_PER_S);
        let figures = measure::open(&mut messages, rate, self.span(), process, Waits::Awake)?;
        self.report.row(Group::Messages, BAUDOT, &at_rate(), figures);
        self.stored += messages.sent_count();
        messages.close();
        Ok(())
    }

    fn peers(&mut self) {
        for peer in Peer::ALL {
            self.try_part(peer.name(), |bench| bench.peer(peer));
        }
    }

    fn peer(&mut self, peer: Peer) -> Result<()> {
        let Some(mut running) = peer.start(PAIRS, self.core())? else {
            self.report.note(format!("{} is not installed: {}", peer.name(), peer.hint()));
            return Ok(());
        };
        let (carrier, process) = (running.carrier.as_mut(), Some(&running.process));
        for depth in IN_FLIGHT {
            let figures = measure::closed(carrier, depth, self.span(), process)?;
            self.report.row(Group::Messages, peer.name(), &in_flight(depth), figures);
        }
        let sustained = self.report.find(Group::Messages, peer.name(), &in_flight(IN_FLIGHT[1]));
        if sustained.is_some_and(|figures| figures.per_s() > f64::from(RATE_PER_S) * 1.1) {
            let rate = f64::from(RATE_PER_S);
            let figures = measure::open(carrier, rate, self.span(), process, Waits::Awake)?;
            self.report.row(Group::Messages, peer.name(), &at_rate(), figures);
        }
        Ok(())
    }

    fn handshakes(&mut self, clients: &mut Clients, server: &Baudot) -> Result<()> {
        if !self.wants(Part::Handshakes) {
            return Ok(());
        }
        let process = Some(&server.process);
        let figures = handshakes::measure(clients, HANDSHAKE_DEPTH, self.span(), process)?;
        // Where the generator is the slower side, the server's own time tells how many it could have made.
        let per_core = figures.count as f64 / (figures.cpu_ns as f64 / 1e9).max(1e-9);
        self.report.row(Group::Connections, BAUDOT, "handshakes", figures);
        let what = "handshakes in a second of the server's time";
        self.report.fact("handshakes_per_core", what, per_core, "a second");

        // Established sessions, without the flood and with it: pings at a fixed rate, so that waiting shows.
        let ids = accounts::go_online(clients, &self.accounts[..PING_CONNECTIONS])?;
        // The flood is another process, which does its arithmetic on the generator's core when the generator needs none.
        let mut pings = Pings::new(clients, ids.clone());
        let (rate, span) = (1_000.0, self.span());
        let mut rounds = Vec::new();
        for _ in 0..measure::TIMES {
            let calm = measure::open(&mut pings, rate, span, process, Waits::Asleep)?;
            let flood =
                handshakes::flood(server, HANDSHAKE_DEPTH, self.cores.map(|cores| cores.load))?;
            let under = measure::open(&mut pings, rate, span, process, Waits::Asleep)?;
            drop(flood);
            rounds.push((under.latency_us(0.99) / calm.latency_us(0.99), calm, under));
        }
        let (ratio, calm, under) = measure::middle(rounds, |(ratio, ..)| *ratio)?;
        self.report.row(Group::Connections, BAUDOT, "1,000 pings a second", calm);
        self.report.row(Group::Connections, BAUDOT, "the same in a handshake flood", under);
        let what = "p99 of pings in a handshake flood, times that without";
        self.report.fact("flood_p99_ratio", what, ratio, "times");
        close(clients, ids);
        Ok(())
    }

    fn storm(&mut self, clients: &mut Clients, server: &Baudot) -> Result<()> {
        if !self.wants(Part::Storm) {
            return Ok(());
        }
        let some = &self.accounts[..STORM_COUNT.min(self.accounts.len())];
        let (figures, ids) = storm::measure(clients, some, Some(&server.process))?;
        let setting = format!("{} reconnect at once", some.len());
        self.report.row(Group::Connections, BAUDOT, &setting, figures);
        close(clients, ids);
        Ok(())
    }

    fn catch_up(&mut self, clients: &mut Clients, server: &Baudot) -> Result<()> {
        if !self.wants(Part::CatchUp) {
            return Ok(());
        }
        // Those who were written to.
        let behind = &self.accounts[PAIRS..][..CATCH_UP_COUNT];
        let ids = accounts::go_online(clients, behind)?;
        let (figures, messages) = catch_up::measure(clients, &ids, Some(&server.process))?;
        let per_s = messages as f64 / figures.elapsed.as_secs_f64();
        let setting = format!("{CATCH_UP_COUNT} catch up");
        self.report.row(Group::Connections, BAUDOT, &setting, figures);
        self.report.fact("catch_up", "messages fetched by differences", per_s, "a second");
        close(clients, ids);
        Ok(())
    }

    fn files(&mut self, clients: &mut Clients, server: &Baudot) -> Result<()> {
        if !self.wants(Part::Files) {
            return Ok(());
        }
        let part_count = i32::try_from(self.plan.file_mib * 2).unwrap_or(SMALL_FILE);
        let process = Some(&server.process);
        for (n, connections) in FILE_CONNECTIONS.into_iter().enumerate() {
            let account = &self.accounts[n];
            let ids = files::connect(clients, account, connections)?;
            let (mut ups, mut downs) = (Vec::new(), Vec::new());
            for _ in 0..measure::TIMES {
                let open_ns = cryptography::part(false);
                let (up, sent) = files::upload(clients, &ids, part_count, process)?;
                ups.push((open_ns * up.per_s() / 1e9, up));
                let seal_ns = cryptography::part(true);
                let down = files::download(clients, &ids, &sent, process)?;
                downs.push((seal_ns * down.per_s() / 1e9, down));
            }
            close(clients, ids);
            let keys = match connections {
                1 => ["upload_1_share", "download_1_share"],
                _ => ["upload_8_share", "download_8_share"],
            };
            let mib = self.plan.file_mib;
            for (key, verb, all) in [(keys[0], "sent", ups), (keys[1], "fetched", downs)] {
                let (share, figures) = measure::middle(all, |(share, _)| *share)?;
                let name = format!("{mib} MiB {verb}, {connections} connections");
                let speed = figures.per_s() / 2.0;
                self.report.row(Group::Files, BAUDOT, &name, figures);
                self.report.fact("file_mib_per_s", &name, speed, "MiB/s");
                let what = format!("{name}: share of the cryptography alone");
                self.report.fact(key, &what, share, "of it");
            }
        }
        let small = self.transfer_peak(clients, &server.process, SMALL_FILE)?;
        let large = self.transfer_peak(clients, &server.process, LARGE_FILE)?;
        let more = large.saturating_sub(small) as f64 / 1e6;
        self.report.fact("transfer_peak_mb", "memory peak of 4 GB over that of 4 MB", more, "MB");
        Ok(())
    }

    /// The most memory that the server has while a file comes and goes.
    fn transfer_peak(
        &mut self,
        clients: &mut Clients,
        process: &Process,
        part_count: i32,
    ) -> Result<u64> {
        let ids = files::connect(clients, &self.accounts[2], 1)?;
        Usage::reset_peak(process.id());
        let (_, sent) = files::upload(clients, &ids, part_count, Some(process))?;
        files::download(clients, &ids, &sent, Some(process))?;
        close(clients, ids);
        Ok(process.usage().resident_peak)
    }

    fn photos(&mut self, clients: &mut Clients, server: &Baudot) -> Result<()> {
        if !self.wants(Part::Photos) {
            return Ok(());
        }
        let mut drawn = photos::draw(self.plan.photos)?;
        let process = Some(&server.process);
        let mut texts = Messages::new(clients, &self.accounts[..2 * PAIRS])?;
        let mut rounds = Vec::new();
        for left in (1..=measure::TIMES).rev() {
            let some = drawn.split_off(drawn.len() - drawn.len() / left);
            rounds.push(self.texts_beside(&mut texts, some, process)?);
        }
        let (ratio, without, with, photos) = measure::middle(rounds, |(ratio, ..)| *ratio)?;
        self.report.row(Group::Files, BAUDOT, "small photos, sent and fetched", photos);
        self.report.row(Group::Files, BAUDOT, "1,000 texts a second", without);
        self.report.row(Group::Files, BAUDOT, "the same beside photos", with);
        self.report.fact("photos_p99_ratio", "p99 of texts beside photos, times", ratio, "times");
        self.stored += texts.sent_count();
        texts.close();
        Ok(())
    }

    /// Texts without photos and beside these: the ratio of their p99, both, and the photos.
    fn texts_beside(
        &mut self,
        texts: &mut Messages<'_>,
        photos: Vec<Bytes>,
        process: Option<&Process>,
    ) -> Result<(f64, Figures, Figures, Figures)> {
        let span = self.span();
        let without = measure::open(texts, TEXTS_PER_S, span, process, Waits::Asleep)?;
        let workers = &self.accounts[2 * PAIRS..][..PHOTO_ACCOUNTS];
        texts.beside = Some(Photos::start(texts.clients(), workers, photos)?);
        let with = measure::open(texts, TEXTS_PER_S, span, process, Waits::Asleep)?;
        if texts.beside.as_ref().is_some_and(Photos::is_done) {
            self.report.note("photos: all were done before the texts beside them".to_owned());
        }
        // All of them are to make their way, though the texts have been measured by now.
        let deadline = clock::instant() + PHOTOS_PATIENCE;
        let mut arrived = Vec::new();
        while texts.beside.as_ref().is_some_and(|photos| !photos.is_done()) {
            if clock::instant() > deadline {
                self.report.note("photos: not all were done in time".to_owned());
                break;
            }
            texts.turn(Some(Duration::from_millis(100)), &mut arrived)?;
        }
        let photos = texts.beside.take().ok_or_else(|| Error::setup("photos", "none"))?;
        let figures = photos.figures();
        photos.stop(texts.clients());
        Ok((with.latency_us(0.99) / without.latency_us(0.99), without, with, figures))
    }

    /// Sends messages until there are so many as the restart is to find.
    fn fill(&mut self, clients: &mut Clients) -> Result<()> {
        // So many people that each has one message under way, and nobody comes near what a login may spend.
        let people = (2 * FILL_DEPTH).min(self.accounts.len() / 2 * 2);
        let mut messages = Messages::new(clients, &self.accounts[..people])?;
        let missing = STORED_COUNT.saturating_sub(self.stored);
        let bar = progress("messages", usize::try_from(missing).unwrap_or(usize::MAX));
        let begun = clock::instant();
        measure::carry(&mut messages, FILL_DEPTH, missing, |count| bar.set_position(count))?;
        bar.finish_and_clear();
        let seconds = (clock::instant() - begun).as_secs_f64();
        messages.close();
        self.stored += missing;
        let per_s = missing as f64 / seconds;
        self.report.fact("fill", "messages while the store was filled", per_s, "a second");
        Ok(())
    }

    fn restart(&mut self, server: Baudot) -> Result<Baudot> {
        let data = server.data.clone();
        let killed = clock::instant();
        let (server, listened) = server.restart(true)?;
        let mut clients = Clients::new(server.address, &public_key(&data)?)?;
        let account = &self.accounts[0];
        let id = clients.connect(None)?;
        clients.begin(id, account.key.key.clone(), account.key.salt);
        let answer = clients.ask(id, introduced(&functions::updates::GetState {}))?;
        refused("updates.getState", answer)?;
        let served = (clock::instant() - killed).as_secs_f64();
        let (listened, accounts) = (listened.as_secs_f64(), self.accounts.len());
        self.report.fact("restart_listen_s", "killed, until it listens again", listened, "s");
        self.report.fact("restart_s", "killed, until somebody is answered", served, "s");
        self.report.fact("restart_messages", "messages that it had", self.stored as f64, "");
        if self.stored >= STORED_COUNT && accounts >= 10_000 {
            let what = "the same, with a million messages and 10,000 accounts";
            self.report.fact("restart_full_s", what, served, "s");
        }
        Ok(server)
    }

    fn write(&self) -> Result<()> {
        let goals = goals::of(&self.report);
        let folder: &Path = &self.plan.report;
        std::fs::create_dir_all(folder)?;
        std::fs::write(folder.join("report.json"), json::write(&self.report, &goals))?;
        std::fs::write(folder.join("report.html"), html::write(&self.report, &goals))?;
        if let Some(path) = &self.plan.markdown {
            std::fs::write(path, markdown::write(&self.report, &goals))?;
        }
        say("");
        for goal in &goals {
            let mark = if goal.is_met() { "met    " } else { "NOT MET" };
            let (measured, wanted) = (markdown::measured(goal), markdown::wanted(goal));
            say(&format!("{mark} {:70} {measured:>16} (wanted {wanted})", goal.name));
        }
        say(&format!("{}", folder.join("report.html").display()));
        Ok(())
    }
}

fn close(clients: &mut Clients, ids: Vec<Id>) {
    for id in ids {
        clients.close(id);
    }
}
