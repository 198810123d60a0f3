//! People who write to each other and send files, and who go on where they were when the server comes back.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};
use tl::Decode as _;
use tl::api::{enums, functions, types};

use super::PATIENCE;
use super::ledger::{Ledger, Seen};
use super::updates::{self, Location, UserIds};
use crate::accounts::{self, Account, refused};
use crate::carriers::text;
use crate::client::{Clients, bytes, checked, introduced};
use crate::clock;
use crate::error::{Error, Result};
use crate::net::Id;
use crate::session::{Event, Tag};

/// Messages that one of them has under way.
const WINDOW: usize = 4;
/// One message in so many is not sent again when it was not answered.
const ABANDONED: u64 = 4;
/// How many of them send files beside.
const FILE_SENDERS: usize = 4;
const PART_LEN: usize = 32 * 1024;
const PART_COUNT: usize = 16;
/// Messages of a page of a history.
const PAGE_LEN: i32 = 100;
/// How many histories are looked at after each start.
const SAMPLE_COUNT: usize = 4;
/// How long what is missing is waited for before it is asked for.
const GAP_WAIT: Duration = Duration::from_millis(500);

/// What a request is about. A tag carries it, so that an answer needs no table.
#[derive(Clone, Copy, Debug)]
enum About {
    Message(u64),
    Difference,
    Part(usize),
    File,
    Fetched(usize),
    History(usize),
}

impl About {
    fn tag(self) -> Tag {
        let (kind, number) = match self {
            Self::Message(number) => (0, number),
            Self::Difference => (1, 0),
            Self::Part(part) => (2, part as u64),
            Self::File => (3, 0),
            Self::Fetched(part) => (4, part as u64),
            Self::History(peer) => (5, peer as u64),
        };
        number << 3 | kind
    }

    fn of(tag: Tag) -> Option<Self> {
        let number = tag >> 3;
        let index = usize::try_from(number).ok()?;
        Some(match tag & 7 {
            0 => Self::Message(number),
            1 => Self::Difference,
            2 => Self::Part(index),
            3 => Self::File,
            4 => Self::Fetched(index),
            5 => Self::History(index),
            _ => return None,
        })
    }
}

/// A file that somebody sends.
struct Upload {
    file_id: i64,
    answered: [bool; PART_COUNT],
    /// Its message, once all parts were answered.
    number: Option<u64>,
    location: Option<Location>,
    fetched: [bool; PART_COUNT],
}

impl Upload {
    fn new(file_id: i64) -> Self {
        let none = [false; PART_COUNT];
        Self { file_id, answered: none, number: None, location: None, fetched: none }
    }

    /// The bytes of a part: drawn from the file and the number.
    fn part(&self, part: usize) -> Vec<u8> {
        let mut bytes = vec![0; PART_LEN];
        let seed = self.file_id.cast_unsigned().wrapping_add(part as u64);
        ChaCha8Rng::seed_from_u64(seed).fill_bytes(&mut bytes);
        bytes
    }
}

struct Person {
    account: Account,
    /// How this one names the others.
    peers: Vec<Option<enums::InputPeer>>,
    /// Messages that are not answered, in the order in which they were asked for.
    under_way: Vec<u64>,
    upload: Option<Upload>,
    // ---- of this life of the server ----
    id: Id,
    /// From where a difference was asked for that has not come.
    asked_from: Option<i32>,
    /// Everything from before this life is known.
    is_back: bool,
    gap_since: Option<Instant>,
}

/// All of them.
pub(super) struct People {
    people: Vec<Person>,
    users: UserIds,
    pub(super) ledger: Ledger,
    /// Not answered, and never asked for again.
    abandoned: HashSet<u64>,
    files: HashMap<u64, i64>,
    rng: ChaCha8Rng,
    /// New messages are sent.
    is_busy: bool,
    /// When everybody connected.
    back_since: Instant,
    pub(super) sent_again: u64,
    pub(super) parts_answered: u64,
    pub(super) files_fetched: u64,
    pub(super) compared_count: u64,
}

impl People {
    /// Everybody learns how to name everybody else.
    pub(super) fn meet(clients: &mut Clients, made: Vec<Account>, seed: u64) -> Result<Self> {
        let ids = accounts::go_online(clients, &made)?;
        let mut people = Vec::with_capacity(made.len());
        let mut states = Vec::with_capacity(made.len());
        for (at, (account, id)) in made.iter().zip(&ids).enumerate() {
            let others = || made.iter().enumerate().filter(|(other, _)| *other != at);
            let asked: Vec<_> = others().map(|(_, other)| (*id, other)).collect();
            let mut found = accounts::resolve(clients, &asked)?.into_iter();
            let peers = (0..made.len()).map(|other| (other != at).then(|| found.next()).flatten());
            let state = clients.ask(*id, bytes(&functions::updates::GetState {}))?;
            let state = refused("updates.getState", state)?;
            let state = types::updates::State::from_bytes(&state)
                .map_err(|error| Error::Protocol(error.to_string()))?;
            states.push(state.pts);
            people.push(Person {
                account: account.clone(),
                peers: peers.collect(),
                under_way: Vec::new(),
                upload: None,
                id: 0,
                asked_from: None,
                is_back: false,
                gap_since: None,
            });
        }
        let users = made.iter().enumerate().map(|(at, account)| (account.user_id, at)).collect();
        Ok(Self {
            people,
            users,
            ledger: Ledger::new(states),
            abandoned: HashSet::new(),
            files: HashMap::new(),
            rng: ChaCha8Rng::seed_from_u64(seed),
            is_busy: false,
            back_since: clock::instant(),
            sent_again: 0,
            parts_answered: 0,
            files_fetched: 0,
            compared_count: 0,
        })
    }

    /// How many messages were given up.
    pub(super) fn abandoned_count(&self) -> usize {
        self.abandoned.len()
    }

    /// Everybody connects and asks for what was missed; then sends again what was not answered. How long the former took.
    pub(super) fn come_back(&mut self, clients: &mut Clients) -> Result<Duration> {
        let begun = clock::instant();
        self.back_since = begun;
        self.is_busy = false;
        for at in 0..self.people.len() {
            let id = clients.connect(None)?;
            let person = &mut self.people[at];
            clients.begin(id, person.account.key.key.clone(), person.account.key.salt);
            (person.id, person.is_back, person.gap_since) = (id, false, None);
            person.asked_from = None;
            self.ask_difference(clients, at);
        }
        self.run(clients, begun + PATIENCE, |people| people.people.iter().all(|p| p.is_back))?;
        let took = clock::instant() - begun;
        for at in 0..self.people.len() {
            self.send_again(clients, at);
        }
        for _ in 0..SAMPLE_COUNT {
            let at = self.below(self.people.len());
            let peer = self.below(self.people.len());
            self.ask_history(clients, at, peer, 0);
        }
        Ok(took)
    }

    /// Everybody sends what they can for a while.
    pub(super) fn live(&mut self, clients: &mut Clients, time: Duration) -> Result<()> {
        self.is_busy = true;
        let until = clock::instant() + time;
        for at in 0..self.people.len() {
            self.send_more(clients, at);
        }
        self.run(clients, until, |_| false).or_else(|error| match error {
            Error::Timeout => Ok(()),
            other => Err(other),
        })
    }

    /// The server is gone: takes what it had written, until all connections are closed.
    pub(super) fn take_what_came(&mut self, clients: &mut Clients) -> Result<()> {
        self.is_busy = false;
        for person in &mut self.people {
            person.account.key.salt = clients.salt(person.id).unwrap_or(person.account.key.salt);
        }
        let mut open = self.people.len();
        let deadline = clock::instant() + PATIENCE;
        while open > 0 {
            if clock::instant() > deadline {
                return Err(Error::Timeout);
            }
            clients.turn(Some(Duration::from_millis(10)))?;
            while let Some((id, event)) = clients.poll_event() {
                match event {
                    Event::Closed => open -= 1,
                    event => self.handle(clients, id, event)?,
                }
            }
        }
        for at in 0..self.people.len() {
            let lost = std::mem::take(&mut self.people[at].under_way);
            for number in lost {
                // Files depend on theirs.
                if number.is_multiple_of(ABANDONED) && !self.files.contains_key(&number) {
                    self.abandoned.insert(number);
                } else {
                    self.people[at].under_way.push(number);
                }
            }
        }
        Ok(())
    }

    /// Lets everything arrive, then compares all histories with what was told.
    pub(super) fn settle(&mut self, clients: &mut Clients) -> Result<()> {
        let deadline = clock::instant() + PATIENCE;
        self.run(clients, deadline, |people| people.people.iter().all(|p| p.under_way.is_empty()))?;
        // What was answered late in a group may still be on its way to the other box; the outbox has it until then.
        loop {
            for at in 0..self.people.len() {
                self.ask_difference(clients, at);
            }
            self.run(clients, deadline, |p| p.people.iter().all(|p| p.asked_from.is_none()))?;
            let before: Vec<i32> = (0..self.people.len()).map(|at| self.ledger.pts(at)).collect();
            let pause = clock::instant() + Duration::from_secs(1);
            let _ = self.run(clients, pause, |_| false);
            if before.iter().enumerate().all(|(at, pts)| self.ledger.pts(at) == *pts) {
                break;
            }
        }
        for at in 0..self.people.len() {
            for peer in 0..self.people.len() {
                self.compare(clients, at, peer)?;
            }
        }
        let Self { ledger, abandoned, .. } = self;
        ledger.settle(|number| abandoned.contains(&number));
        Ok(())
    }

    /// Compares the whole history of two people.
    fn compare(&mut self, clients: &mut Clients, at: usize, peer: usize) -> Result<()> {
        let mut all: Vec<Seen> = Vec::new();
        loop {
            let offset = all.last().map_or(0, |seen| seen.id);
            let Some(query) = self.history(at, peer, offset) else { return Ok(()) };
            let body = refused("messages.getHistory", clients.ask(self.people[at].id, query)?)?;
            let page = updates::page(&body, &self.users)?;
            if page.is_empty() {
                break;
            }
            all.extend(page);
        }
        self.compared_count += all.len() as u64;
        self.ledger.page(at, peer, &all, true);
        Ok(())
    }

    fn history(&self, at: usize, peer: usize, offset_id: i32) -> Option<Bytes> {
        let peer = self.people[at].peers[peer].clone()?;
        let get = functions::messages::GetHistory::new(peer, offset_id, 0, 0, PAGE_LEN, 0, 0, 0);
        Some(bytes(&get))
    }

    fn below(&mut self, count: usize) -> usize {
        usize::try_from(self.rng.next_u64() % count as u64).unwrap_or_default()
    }

    /// Handles what comes until `is_done`; [`Error::Timeout`] if that takes beyond `deadline`.
    fn run(
        &mut self,
        clients: &mut Clients,
        deadline: Instant,
        is_done: impl Fn(&Self) -> bool,
    ) -> Result<()> {
        while !is_done(self) {
            let now = clock::instant();
            if now >= deadline {
                return Err(Error::Timeout);
            }
            clients.turn(Some((deadline - now).min(Duration::from_millis(50))))?;
            while let Some((id, event)) = clients.poll_event() {
                self.handle(clients, id, event)?;
            }
            self.close_gaps(clients, now);
        }
        Ok(())
    }

    /// Asks for what was not pushed in time, as clients do.
    fn close_gaps(&mut self, clients: &mut Clients, now: Instant) {
        for at in 0..self.people.len() {
            let has_gap = self.ledger.has_gap(at);
            let person = &mut self.people[at];
            if !has_gap || person.asked_from.is_some() {
                person.gap_since = None;
            } else if now - *person.gap_since.get_or_insert(now) >= GAP_WAIT {
                self.ask_difference(clients, at);
            }
        }
    }

    // ---- asking ----

    fn ask_difference(&mut self, clients: &mut Clients, at: usize) {
        let pts = self.ledger.pts(at);
        let person = &mut self.people[at];
        person.asked_from = Some(pts);
        let query = functions::updates::GetDifference::new(pts, 1, 0);
        clients.request(person.id, About::Difference.tag(), introduced(&query));
    }

    fn ask_history(&mut self, clients: &mut Clients, at: usize, peer: usize, offset_id: i32) {
        if let Some(query) = self.history(at, peer, offset_id) {
            clients.request(self.people[at].id, About::History(peer).tag(), query);
        }
    }

    fn send_again(&mut self, clients: &mut Clients, at: usize) {
        for number in self.people[at].under_way.clone() {
            self.sent_again += 1;
            self.send(clients, at, number);
        }
        if let Some(upload) = &self.people[at].upload
            && upload.number.is_none()
        {
            for part in (0..PART_COUNT).filter(|part| !upload.answered[*part]) {
                self.send_part(clients, at, part);
            }
        } else {
            self.fetch(clients, at);
        }
    }

    fn send_more(&mut self, clients: &mut Clients, at: usize) {
        if !self.is_busy || !self.people[at].is_back {
            return;
        }
        while self.people[at].under_way.len() < WINDOW {
            let to = (at + 1 + self.below(self.people.len() - 1)) % self.people.len();
            let number = self.ledger.ask(at, to, clients.random_id());
            self.people[at].under_way.push(number);
            self.send(clients, at, number);
        }
        if at < FILE_SENDERS && self.people[at].upload.is_none() {
            self.people[at].upload = Some(Upload::new(clients.random_id()));
            (0..PART_COUNT).for_each(|part| self.send_part(clients, at, part));
        }
    }

    fn send(&self, clients: &mut Clients, at: usize, number: u64) {
        let Some(asked) = self.ledger.asked(number) else { return };
        let person = &self.people[at];
        let Some(peer) = person.peers[asked.to].clone() else { return };
        let text = text(number);
        let query = match self.files.get(&number) {
            None => bytes(&functions::messages::SendMessage::new(peer, &text, asked.random_id)),
            Some(file_id) => {
                let count = i32::try_from(PART_COUNT).unwrap_or_default();
                let file = types::InputFile::new(*file_id, count, "faults.bin", "");
                let mime_type = "application/octet-stream";
                let media =
                    types::InputMediaUploadedDocument::new(file.into(), mime_type, Vec::new());
                let (media, random_id) = (media.into(), asked.random_id);
                bytes(&functions::messages::SendMedia::new(peer, media, &text, random_id))
            }
        };
        let about = match self.files.contains_key(&number) {
            true => About::File,
            false => About::Message(number),
        };
        clients.request(person.id, about.tag(), query);
    }

    fn send_part(&self, clients: &mut Clients, at: usize, part: usize) {
        let person = &self.people[at];
        let Some(upload) = &person.upload else { return };
        let (number, bytes) = (i32::try_from(part).unwrap_or_default(), upload.part(part));
        let save = functions::upload::SaveFilePart::new(upload.file_id, number, &bytes);
        clients.request_alone(person.id, About::Part(part).tag(), &save);
    }

    /// Asks for the parts of a file that was sent.
    fn fetch(&self, clients: &mut Clients, at: usize) {
        let person = &self.people[at];
        let Some(upload) = &person.upload else { return };
        let Some(Location { id, access_hash, file_reference }) = &upload.location else { return };
        for part in (0..PART_COUNT).filter(|part| !upload.fetched[*part]) {
            let location =
                types::InputDocumentFileLocation::new(*id, *access_hash, file_reference, "");
            let offset = i64::try_from(part * PART_LEN).unwrap_or_default();
            let limit = i32::try_from(PART_LEN).unwrap_or_default();
            let get = functions::upload::GetFile::new(location.into(), offset, limit);
            clients.request(person.id, About::Fetched(part).tag(), bytes(&get));
        }
    }

    // ---- what comes ----

    fn handle(&mut self, clients: &mut Clients, id: Id, event: Event) -> Result<()> {
        let Some(at) = self.people.iter().position(|person| person.id == id) else {
            return Ok(());
        };
        match event {
            Event::Update(body) => {
                let told = updates::updates(&body, &self.users)?;
                if told.is_too_long {
                    self.ask_difference(clients, at);
                }
                for update in told.logged {
                    self.ledger.update(at, update.pts, update.pts_count, update.seen);
                }
            }
            Event::Answer(tag, body) => match (About::of(tag), checked(body)) {
                (Some(about), Ok(body)) => self.answered(clients, at, about, &body)?,
                (about, Err(text)) => {
                    let after = clock::instant() - self.back_since;
                    let what = format!("{about:?} was refused: {text}, {after:?} after the start");
                    self.ledger.violation(format!("person {at}: {what}"));
                }
                (None, Ok(_)) => {}
            },
            Event::Again(tag) => {
                if let Some(About::Part(part)) = About::of(tag) {
                    self.send_part(clients, at, part);
                }
            }
            Event::Closed => {
                self.ledger.violation(format!("person {at}: the connection was closed"));
            }
            Event::TransportError(code) => {
                self.ledger.violation(format!("person {at}: transport error {code}"));
            }
            Event::Refused(code) => {
                self.ledger.violation(format!("person {at}: a message was refused: {code}"));
            }
            Event::Pong(_) | Event::KeyMade(_) => {}
        }
        Ok(())
    }

    fn answered(
        &mut self,
        clients: &mut Clients,
        at: usize,
        about: About,
        body: &Bytes,
    ) -> Result<()> {
        match about {
            About::Difference => self.difference(clients, at, body)?,
            About::Message(number) => {
                self.sent(at, number, body)?;
                self.send_more(clients, at);
            }
            About::History(peer) => {
                let page = updates::page(body, &self.users)?;
                self.compared_count += page.len() as u64;
                self.ledger.page(at, peer, &page, false);
            }
            About::Part(part) => {
                self.parts_answered += 1;
                let Some(upload) = &mut self.people[at].upload else { return Ok(()) };
                upload.answered[part] = true;
                if upload.answered.iter().all(|answered| *answered) && upload.number.is_none() {
                    let file_id = upload.file_id;
                    let to = (at + 1) % self.people.len();
                    let number = self.ledger.ask(at, to, clients.random_id());
                    self.files.insert(number, file_id);
                    let person = &mut self.people[at];
                    person.under_way.push(number);
                    person.upload.as_mut().map(|upload| upload.number.replace(number));
                    self.send(clients, at, number);
                }
            }
            About::File => {
                let number = self.people[at].upload.as_ref().and_then(|upload| upload.number);
                let Some(number) = number else { return Ok(()) };
                self.sent(at, number, body)?;
                let location = updates::location(body);
                if location.is_none() {
                    self.ledger.violation(format!("message {number} has no file"));
                }
                if let Some(upload) = &mut self.people[at].upload {
                    upload.location = location;
                }
                self.fetch(clients, at);
            }
            About::Fetched(part) => {
                let Some(upload) = &mut self.people[at].upload else { return Ok(()) };
                upload.fetched[part] = true;
                let is_same = updates::file(body)? == upload.part(part);
                if upload.fetched.iter().all(|fetched| *fetched) {
                    self.files_fetched += 1;
                    self.people[at].upload = None;
                    self.send_more(clients, at);
                }
                if !is_same {
                    self.ledger.violation(format!("person {at}: part {part} of a file is another"));
                }
            }
        }
        Ok(())
    }

    /// A message was answered.
    fn sent(&mut self, at: usize, number: u64, body: &Bytes) -> Result<()> {
        self.people[at].under_way.retain(|other| *other != number);
        let told = updates::updates(body, &self.users)?;
        let random_id = self.ledger.asked(number).map(|asked| asked.random_id);
        match told.ids.iter().find(|(told, _)| Some(*told) == random_id) {
            Some((_, id)) => self.ledger.answer(number, *id),
            None => self.ledger.violation(format!("the answer to message {number} has no id")),
        }
        for update in told.logged {
            self.ledger.update(at, update.pts, update.pts_count, update.seen);
        }
        Ok(())
    }

    fn difference(&mut self, clients: &mut Clients, at: usize, body: &Bytes) -> Result<()> {
        let difference = updates::difference(body, &self.users)?;
        let Some(from) = self.people[at].asked_from.take() else { return Ok(()) };
        if let Some(pts) = difference.pts {
            self.ledger.difference(at, from, &difference.seen, difference.others, pts);
        }
        if difference.is_last {
            self.people[at].is_back = true;
        } else {
            self.ask_difference(clients, at);
        }
        Ok(())
    }
}
