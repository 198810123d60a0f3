//! Users who call until they have an answer, and what must come of their calls.
//!
//! A message has one name wherever it is: who wrote it, and its id there. For each the model keeps its content, and in whose
//! box it must be gone.

use std::collections::{BTreeMap, BTreeSet};

use services::{Origin, tables};
use storage::{Order, Owner, RECORD_LAYER, Read, UserId};
use tl::operations::enums::{Effect, Refusal};
use tl::operations::functions::{contacts, mailbox};
use tl::operations::types::{self as answers, ReplyTo};
use tl::records::types::Message;
use tl::{Decode, Encode};

use super::Random;
use super::cluster::{Cluster, Outcome};
use super::device::Device;

/// A message by its author and its id in the author's box.
pub(crate) type Name = (i64, i32);

/// The name of a message of `user`'s box.
pub(crate) fn name(user: i64, message: &Message) -> Name {
    if message.out { (user, message.id) } else { (message.peer, message.link) }
}

/// What a user is trying to do: the same bytes again until there is an answer.
struct Intent {
    operation: Vec<u8>,
    kind: Kind,
}

enum Kind {
    Send,
    Forward,
    Edit(Name, String),
    Clear,
    Other,
}

pub(crate) struct Person {
    pub(crate) user: i64,
    intent: Option<Intent>,
    /// The first one calls, the second one only follows.
    pub(crate) devices: [Device; 2],
}

pub(crate) struct People {
    pub(crate) all: Vec<Person>,
    /// What was sent, by random id: how often is one.
    pub(crate) sent: BTreeMap<i64, (Name, i64)>,
    pub(crate) text: BTreeMap<Name, String>,
    /// In whose boxes messages must be gone.
    pub(crate) gone: BTreeSet<(i64, Name)>,
    crashes: u32,
}

impl People {
    pub(crate) fn new(count: i64) -> Self {
        let person =
            |user| Person { user, intent: None, devices: [Device::new(user), Device::new(user)] };
        Self {
            all: (1..=count).map(person).collect(),
            sent: BTreeMap::new(),
            text: BTreeMap::new(),
            gone: BTreeSet::new(),
            crashes: 0,
        }
    }

    /// Whether somebody still waits for an answer.
    pub(crate) fn busy(&self) -> bool {
        self.all.iter().any(|person| person.intent.is_some())
    }

    /// Lets somebody do something, or go on trying.
    pub(crate) fn act(&mut self, cluster: &mut Cluster, random: &mut Random) {
        let at = random.below(self.all.len());
        if self.all[at].intent.is_none() {
            let peer = self.all[random.below(self.all.len())].user;
            let intent = self.choose(cluster, random, self.all[at].user, peer);
            self.all[at].intent = intent;
        }
        self.attempt(cluster, random, at);
    }

    /// Lets everybody who waits for an answer try once more.
    pub(crate) fn finish(&mut self, cluster: &mut Cluster, random: &mut Random) {
        for at in 0..self.all.len() {
            self.attempt(cluster, random, at);
        }
    }

    fn choose(
        &mut self,
        cluster: &Cluster,
        random: &mut Random,
        user: i64,
        peer: i64,
    ) -> Option<Intent> {
        let known = messages(cluster, user);
        let mine: Vec<_> = known.iter().filter(|message| message.peer == peer).collect();
        let some = |random: &mut Random| {
            mine.get(random.below(mine.len().max(1))).map(|message| message.id)
        };
        let random_id = (random.next() >> 1).cast_signed().max(1);
        let text = format!("{user} writes {random_id}");
        let other = |operation| Some(Intent { operation, kind: Kind::Other });
        match random.below(22) {
            0..=8 => {
                let reply = some(random).filter(|_| random.one_in(3)).map(ReplyTo::new);
                let send = mailbox::Send { reply, ..mailbox::Send::new(peer, random_id, &text) };
                Some(Intent { operation: send.to_vec(RECORD_LAYER), kind: Kind::Send })
            }
            9 => {
                let ids: Vec<_> = (0..3).filter_map(|_| some(random)).collect();
                let random_ids =
                    ids.iter().map(|_| (random.next() >> 1).cast_signed().max(1)).collect();
                let to = self.all[random.below(self.all.len())].user;
                let forward = mailbox::Forward::new(peer, ids, random_ids, to);
                Some(Intent { operation: forward.to_vec(RECORD_LAYER), kind: Kind::Forward })
            }
            10..=12 => {
                let editable: Vec<_> = mine
                    .iter()
                    .filter(|message| {
                        message.out && message.action.is_none() && message.forward.is_none()
                    })
                    .collect();
                let message = editable.get(random.below(editable.len().max(1)))?;
                let edit =
                    mailbox::Edit { text: Some(&text), ..mailbox::Edit::new(peer, message.id) };
                let kind = Kind::Edit(name(user, message), text.clone());
                Some(Intent { operation: edit.to_vec(RECORD_LAYER), kind })
            }
            13 | 14 => {
                let ids: Vec<_> = (0..random.below(4)).filter_map(|_| some(random)).collect();
                let revoke = random.one_in(2);
                for message in mine.iter().filter(|message| ids.contains(&message.id)) {
                    self.gone.insert((user, name(user, message)));
                    if revoke {
                        self.gone.insert((peer, name(user, message)));
                    }
                }
                other(mailbox::Delete { revoke, ids }.to_vec(RECORD_LAYER))
            }
            15 if random.one_in(20) => {
                let clear = mailbox::DeleteHistory {
                    revoke: random.one_in(2),
                    just_clear: random.one_in(2),
                    ..mailbox::DeleteHistory::new(peer, 0)
                };
                Some(Intent { operation: clear.to_vec(RECORD_LAYER), kind: Kind::Clear })
            }
            16..=18 => {
                let max_id = if random.one_in(2) { 0 } else { some(random)? };
                other(mailbox::ReadHistory { peer, max_id }.to_vec(RECORD_LAYER))
            }
            19 => {
                let unpin = random.one_in(3);
                let pin =
                    mailbox::Pin { unpin, ..mailbox::Pin::new(peer, some(random)?, random_id) };
                other(pin.to_vec(RECORD_LAYER))
            }
            20 if peer != user => other(match random.below(3) {
                0 => contacts::Block { peer }.to_vec(RECORD_LAYER),
                _ => contacts::Unblock { peer }.to_vec(RECORD_LAYER),
            }),
            21 if peer != user => other(match random.below(2) {
                0 => contacts::Add { peer, phone: "1", first_name: "x", last_name: "" }
                    .to_vec(RECORD_LAYER),
                _ => contacts::Delete { peers: vec![peer] }.to_vec(RECORD_LAYER),
            }),
            _ => None,
        }
    }

    fn attempt(&mut self, cluster: &mut Cluster, random: &mut Random, at: usize) {
        let Some(intent) = self.all[at].intent.take() else { return };
        let user = self.all[at].user;
        if matches!(intent.kind, Kind::Clear) {
            self.expect_cleared(cluster, user, &intent.operation);
        }
        let origin = Origin { auth_key_id: user, session_id: 1 };
        match cluster.call(random, &Owner::User(UserId(user)), origin, &intent.operation) {
            Outcome::Unknown => self.all[at].intent = Some(intent),
            Outcome::Refused(services::Error::Refused(refusal)) => self.refused(&intent, &refusal),
            Outcome::Refused(error) => panic!("{error}"),
            Outcome::Answered(answer) => {
                let repeat = self.answered(user, &intent, &answer);
                self.all[at].devices[0].catch_up(cluster);
                if repeat {
                    self.all[at].intent = Some(intent);
                }
            }
        }
    }

    fn refused(&mut self, intent: &Intent, refusal: &Refusal) {
        match (refusal, &intent.kind) {
            // The edit had been done before; its answer was lost.
            (Refusal::MessageNotModified, Kind::Edit(name, text)) => {
                self.text.insert(*name, text.clone());
            }
            // What was meant is gone, or there is a block. A message sent before and gone again is a duplicate.
            (
                Refusal::MessageIdInvalid
                | Refusal::ReplyMessageIdInvalid
                | Refusal::UserIsBlocked
                | Refusal::YouBlockedUser
                | Refusal::RandomIdDuplicate,
                _,
            ) => {}
            _ => panic!("{refusal:?}"),
        }
    }

    /// Notes what must come of an answer. Whether the call must be repeated.
    fn answered(&mut self, user: i64, intent: &Intent, answer: &[u8]) -> bool {
        match &intent.kind {
            Kind::Send => {
                self.note_sent(user, &answers::mailbox::Sent::from_bytes(answer).unwrap())
            }
            Kind::Forward => {
                let forwarded = answers::mailbox::Forwarded::from_bytes(answer).unwrap();
                forwarded.sent.iter().for_each(|sent| self.note_sent(user, sent));
            }
            Kind::Edit(name, text) => {
                self.text.insert(*name, text.clone());
            }
            Kind::Clear => {
                return answers::mailbox::AffectedHistory::from_bytes(answer).unwrap().offset > 0;
            }
            Kind::Other => {}
        }
        false
    }

    fn note_sent(&mut self, user: i64, sent: &answers::mailbox::Sent) {
        let name = (user, sent.message.id);
        let before = self.sent.insert(sent.random_id, (name, sent.message.peer));
        assert!(before.is_none_or(|before| before.0 == name), "a random id is sent once");
        // Nobody else can have edited it before this answer.
        self.text.insert(name, sent.message.text.clone());
    }

    /// What deleting a history will take away on both sides, as the box stands now.
    fn expect_cleared(&mut self, cluster: &Cluster, user: i64, operation: &[u8]) {
        let op = mailbox::DeleteHistory::from_bytes(operation).unwrap();
        let chat: Vec<_> =
            messages(cluster, user).into_iter().filter(|message| message.peer == op.peer).collect();
        let shared = chat.iter().filter(|message| !message.local);
        self.gone.extend(shared.map(|message| (user, name(user, message))));
        let Some(newest) = chat.last().filter(|_| op.revoke) else { return };
        let theirs = messages(cluster, op.peer);
        for message in theirs.iter().filter(|message| message.peer == user && !message.local) {
            let reached =
                if message.out { message.id <= newest.link } else { message.link <= newest.id };
            if reached {
                self.gone.insert((op.peer, name(op.peer, message)));
            }
        }
        // What is on its way to them goes there too.
        for ((author, id), peer) in self.sent.values() {
            if (*author, *peer) == (user, op.peer) && *id <= newest.id {
                self.gone.insert((op.peer, (*author, *id)));
            }
        }
    }

    /// Brings what was pushed to the devices, or loses it.
    pub(crate) fn hear(&mut self, cluster: &mut Cluster, random: &mut Random) {
        if std::mem::replace(&mut self.crashes, cluster.crashes) != cluster.crashes {
            self.catch_up(cluster);
        }
        for pushed in std::mem::take(&mut cluster.pushed) {
            let Owner::User(UserId(user)) = pushed.owner else { panic!("{:?}", pushed.owner) };
            let person = self.all.iter_mut().find(|person| person.user == user).unwrap();
            let everyone = matches!(&pushed.effect, Effect::EffectNewMessage(new) if new.everyone);
            for (at, device) in person.devices.iter_mut().enumerate() {
                let own = pushed.origin.session_id == 1 && at == 0 && !everyone;
                if !own && !random.one_in(5) {
                    device.take(cluster, &pushed.effect);
                }
            }
        }
    }

    /// Lets all devices ask for what they missed.
    pub(crate) fn catch_up(&mut self, cluster: &Cluster) {
        self.all
            .iter_mut()
            .flat_map(|person| &mut person.devices)
            .for_each(|device| device.catch_up(cluster));
    }
}

/// A user's messages as stored, oldest first.
pub(crate) fn messages(cluster: &Cluster, user: i64) -> Vec<Message> {
    let rows = cluster.view(Owner::User(UserId(user)), |view| {
        view.scan(tables::MESSAGES, .., Order::Forward, usize::MAX).unwrap()
    });
    let mut messages: Vec<_> = rows.into_iter().map(|(_, message)| message).collect();
    messages.sort_by_key(|message| message.id);
    messages
}
