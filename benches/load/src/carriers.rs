//! What Baudot carries: pings to their pongs, and messages to their recipients.

use std::time::Duration;

use bytes::Bytes;
use tl::Decode as _;
use tl::api::{enums, functions};

use crate::accounts::{self, Account};
use crate::client::{Clients, bytes, checked};
use crate::error::{Error, Result};
use crate::measure::Carrier;
use crate::net::Id;
use crate::scenarios::photos::Photos;
use crate::session::Event;

/// How long a text is, in bytes.
pub(crate) const TEXT_LEN: usize = 100;

/// A text of [`TEXT_LEN`] bytes that begins with a number.
pub(crate) fn text(number: u64) -> String {
    format!("{number:016x} {:.<1$}", "", TEXT_LEN - 17)
}

/// The number that a text begins with.
pub(crate) fn number_of(text: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(text.get(..16)?).ok()?;
    u64::from_str_radix(digits, 16).ok()
}

/// Pings over encrypted sessions, a lane a connection.
pub(crate) struct Pings<'c> {
    clients: &'c mut Clients,
    ids: Vec<Id>,
}

impl<'c> Pings<'c> {
    /// On connections whose sessions have begun.
    pub(crate) const fn new(clients: &'c mut Clients, ids: Vec<Id>) -> Self {
        Self { clients, ids }
    }
}

impl Carrier for Pings<'_> {
    fn lane_count(&self) -> usize {
        self.ids.len()
    }

    fn send(&mut self, lane: usize, number: u64) -> Result<()> {
        self.clients.ping(self.ids[lane], number.cast_signed());
        Ok(())
    }

    fn turn(&mut self, timeout: Option<Duration>, arrived: &mut Vec<(usize, u64)>) -> Result<()> {
        self.clients.turn(timeout)?;
        let first = self.ids.first().copied().unwrap_or_default();
        while let Some((id, event)) = self.clients.poll_event() {
            match event {
                Event::Pong(number) => arrived.push((id - first, number.cast_unsigned())),
                Event::Closed => return Err(Error::Closed),
                Event::TransportError(code) => return Err(Error::Transport(code)),
                Event::Refused(code) => return Err(Error::Protocol(format!("refused: {code}"))),
                Event::Answer(..) | Event::Update(_) | Event::KeyMade(_) | Event::Again(_) => {}
            }
        }
        Ok(())
    }
}

/// Two people who are online; one writes to the other.
#[derive(Clone, Debug)]
struct Pair {
    sender: Id,
    recipient: enums::InputPeer,
}

/// Messages from one account to another, from `messages.sendMessage` to the recipient's `updateNewMessage`. A lane a pair.
pub(crate) struct Messages<'c> {
    clients: &'c mut Clients,
    pairs: Vec<Pair>,
    /// The pair whose recipient a connection is.
    lanes: Vec<Option<usize>>,
    ids: Vec<Id>,
    sent_count: u64,
    /// What else goes on meanwhile.
    pub(crate) beside: Option<Photos>,
}

impl<'c> Messages<'c> {
    /// Brings accounts online, an even number, and lets the first half write to the second.
    pub(crate) fn new(clients: &'c mut Clients, accounts: &[Account]) -> Result<Self> {
        let ids = accounts::go_online(clients, accounts)?;
        let half = accounts.len() / 2;
        let asked: Vec<_> = ids[..half].iter().copied().zip(&accounts[half..]).collect();
        let recipients = accounts::resolve(clients, &asked)?;
        let pairs = ids[..half].iter().zip(recipients);
        let pairs = pairs.map(|(sender, recipient)| Pair { sender: *sender, recipient }).collect();
        let mut lanes = vec![None; ids.iter().max().map_or(0, |id| id + 1)];
        for (lane, id) in ids[half..].iter().enumerate() {
            lanes[*id] = Some(lane);
        }
        Ok(Self { clients, pairs, lanes, ids, sent_count: 0, beside: None })
    }

    /// How many were sent so far.
    pub(crate) const fn sent_count(&self) -> u64 {
        self.sent_count
    }

    /// The clients, to set up what goes on beside.
    pub(crate) const fn clients(&mut self) -> &mut Clients {
        self.clients
    }

    /// Ends all connections.
    pub(crate) fn close(self) {
        for id in self.ids {
            self.clients.close(id);
        }
    }
}

impl Carrier for Messages<'_> {
    fn lane_count(&self) -> usize {
        self.pairs.len()
    }

    fn send(&mut self, lane: usize, number: u64) -> Result<()> {
        let random_id = self.clients.random_id();
        let Pair { sender, recipient } = &self.pairs[lane];
        let text = text(number);
        let send = functions::messages::SendMessage::new(recipient.clone(), &text, random_id);
        self.clients.request(*sender, number, bytes(&send));
        self.sent_count += 1;
        Ok(())
    }

    fn turn(&mut self, timeout: Option<Duration>, arrived: &mut Vec<(usize, u64)>) -> Result<()> {
        self.clients.turn(timeout)?;
        while let Some((id, event)) = self.clients.poll_event() {
            if let Some(beside) = &mut self.beside
                && beside.handle(self.clients, id, &event)?
            {
                continue;
            }
            match event {
                Event::Update(body) => {
                    if let Some(lane) = self.lanes.get(id).copied().flatten() {
                        let numbers = received(&body)?;
                        arrived.extend(numbers.into_iter().map(|number| (lane, number)));
                    }
                }
                Event::Answer(_, body) => {
                    checked(body)
                        .map_err(|text| Error::Rpc { method: "messages.sendMessage", text })?;
                }
                Event::Closed => return Err(Error::Closed),
                Event::TransportError(code) => return Err(Error::Transport(code)),
                Event::Refused(code) => return Err(Error::Protocol(format!("refused: {code}"))),
                Event::Pong(_) | Event::KeyMade(_) | Event::Again(_) => {}
            }
        }
        Ok(())
    }
}

/// The numbers of the messages that an update tells of.
pub(crate) fn received(body: &Bytes) -> Result<Vec<u64>> {
    let updates = enums::Updates::from_bytes(body)
        .map_err(|error| Error::Protocol(format!("an update: {error}")))?;
    let list = match &updates {
        enums::Updates::Updates(updates) => &updates.updates,
        enums::Updates::UpdatesCombined(updates) => &updates.updates,
        enums::Updates::UpdateShortMessage(short) => {
            return Ok(number_of(short.message.as_bytes()).into_iter().collect());
        }
        enums::Updates::UpdatesTooLong => {
            return Err(Error::Protocol("an update says that too many were missed".to_owned()));
        }
        _ => return Ok(Vec::new()),
    };
    let numbers = list.iter().filter_map(|update| match update {
        enums::Update::UpdateNewMessage(new) => match &new.message {
            enums::Message::Message(message) if !message.out => {
                number_of(message.message.as_bytes())
            }
            _ => None,
        },
        _ => None,
    });
    Ok(numbers.collect())
}
