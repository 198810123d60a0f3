//! A client that follows a box: it applies what is pushed if it fits, and asks for the difference if not.

use std::collections::BTreeMap;

use storage::{Owner, RECORD_LAYER, UserId};
use tl::operations::enums::{Effect, mailbox::Difference};
use tl::operations::functions::mailbox::GetDifference;
use tl::records::enums::Change;
use tl::records::types::Message;
use tl::{Decode, Encode};

use super::cluster::Cluster;

/// What a device believes.
#[derive(Debug, Default)]
pub(crate) struct Device {
    user: i64,
    pub(crate) pts: i32,
    pub(crate) messages: BTreeMap<i32, Message>,
    /// By chat: up to where the user, and the other side, have read.
    pub(crate) read: BTreeMap<i64, (i32, i32)>,
}

impl Device {
    pub(crate) fn new(user: i64) -> Self {
        Self { user, pts: 1, ..Self::default() }
    }

    /// Takes a push, or an answer that says the same.
    pub(crate) fn take(&mut self, cluster: &Cluster, effect: &Effect) {
        let Some((pts, count)) = place(effect) else { return };
        if pts <= self.pts {
            return;
        }
        if self.pts + count != pts {
            return self.catch_up(cluster);
        }
        self.pts = pts;
        match effect.clone() {
            Effect::EffectNewMessage(new) => self.keep(new.message),
            Effect::EffectEditMessage(edit) => self.keep(edit.message),
            Effect::EffectDeleteMessages(gone) => {
                self.apply(Change::ChangeDeleteMessages(tl::records::types::ChangeDeleteMessages {
                    ids: gone.ids,
                }))
            }
            Effect::EffectReadInbox(read) => {
                self.read.entry(read.peer).or_default().0 = read.max_id
            }
            Effect::EffectReadOutbox(read) => {
                self.read.entry(read.peer).or_default().1 = read.max_id
            }
            Effect::EffectPinnedMessages(pin) => self.pin(&pin.ids, pin.pinned),
            other => panic!("{other:?}"),
        }
    }

    /// Asks for what it missed until nothing is left.
    pub(crate) fn catch_up(&mut self, cluster: &Cluster) {
        let owner = Owner::User(UserId(self.user));
        loop {
            let ask = GetDifference { pts: self.pts, limit: 7, total_limit: 0 };
            let answer = cluster.read(owner.clone(), &ask.to_vec(RECORD_LAYER));
            let difference = match Difference::from_bytes(&answer).unwrap() {
                Difference::DifferenceEmpty(_) => return,
                Difference::Difference(difference) => difference,
                other => panic!("{other:?}"),
            };
            assert!(difference.state.pts > self.pts, "a difference makes progress");
            self.pts = difference.state.pts;
            difference.messages.into_iter().for_each(|message| self.keep(message));
            difference.edited.into_iter().for_each(|message| self.keep(message));
            for logged in difference.events {
                self.apply(logged.event.change);
            }
            if !difference.more {
                return;
            }
        }
    }

    fn keep(&mut self, message: Message) {
        self.messages.insert(message.id, message);
    }

    fn pin(&mut self, ids: &[i32], pinned: bool) {
        for id in ids {
            if let Some(message) = self.messages.get_mut(id) {
                message.pinned = pinned;
            }
        }
    }

    fn apply(&mut self, change: Change) {
        match change {
            Change::ChangeNewMessage(_) => panic!("new messages come as messages"),
            Change::ChangeEditMessage(_) => {}
            Change::ChangeDeleteMessages(gone) => gone.ids.iter().for_each(|id| {
                self.messages.remove(id);
            }),
            Change::ChangeReadInbox(read) => {
                self.read.entry(read.peer).or_default().0 = read.max_id
            }
            Change::ChangeReadOutbox(read) => {
                self.read.entry(read.peer).or_default().1 = read.max_id
            }
            Change::ChangeReadContents(_) => {}
            Change::ChangePinnedMessages(pin) => self.pin(&pin.ids, pin.pinned),
        }
    }
}

/// The `pts` after an effect and how far it moved; `None` for effects outside of the log.
pub(crate) fn place(effect: &Effect) -> Option<(i32, i32)> {
    Some(match effect {
        Effect::EffectNewMessage(effect) => (effect.pts, 1),
        Effect::EffectEditMessage(effect) => (effect.pts, 1),
        Effect::EffectDeleteMessages(effect) => (effect.pts, effect.pts_count),
        Effect::EffectReadInbox(effect) => (effect.pts, 1),
        Effect::EffectReadOutbox(effect) => (effect.pts, 1),
        Effect::EffectReadContents(effect) => (effect.pts, effect.pts_count),
        Effect::EffectPinnedMessages(effect) => (effect.pts, effect.pts_count),
        _ => return None,
    })
}
