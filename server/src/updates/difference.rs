//! What happened in a user's box while a session was away.
//!
//! New messages come as they are now; all else comes as the update that a session would have been pushed.

use std::collections::BTreeMap;

use storage::UserId;
use tl::{
    api::{enums, types},
    operations::{
        enums::mailbox::Difference,
        types::mailbox::{self, Logged},
    },
    records::{enums::Change, types::Message},
};

use crate::{
    convert::{
        messages::{self, Peers, View},
        peers,
    },
    rpc::Result,
    shared::Shared,
};

/// A difference, and the users that it names.
pub(crate) struct Loaded {
    difference: Difference,
    view: View,
}

impl Loaded {
    /// Looks up everybody whom the difference names.
    ///
    /// # Errors
    ///
    /// As [`Users::load`].
    pub(crate) fn new(shared: &Shared, viewer: UserId, difference: Difference) -> Result<Self> {
        let mut peers = Peers::default();
        if let Difference::Difference(what) = &difference {
            peers.messages(&what.messages);
            peers.messages(&what.edited);
            for logged in &what.events {
                peers_of(&logged.event.change, &mut peers);
            }
        }
        Ok(Self { view: peers.view(shared, viewer)?, difference })
    }

    /// The answer to `updates.getDifference`.
    pub(crate) fn to_tl(&self) -> enums::updates::Difference<'_> {
        match &self.difference {
            Difference::DifferenceEmpty(empty) => {
                types::updates::DifferenceEmpty::new(empty.date, 0).into()
            }
            Difference::DifferenceTooLong(long) => {
                types::updates::DifferenceTooLong::new(long.pts).into()
            }
            Difference::Difference(what) => self.some(what),
        }
    }

    fn some<'a>(&'a self, what: &'a mailbox::Difference) -> enums::updates::Difference<'a> {
        let new = self.view.messages(&what.messages);
        let other = other_updates(&self.view, &what.events, &what.edited);
        let users = self.view.users.to_tl();
        let state = messages::state(&what.state);
        if what.more {
            types::updates::DifferenceSlice::new(new, Vec::new(), other, Vec::new(), users, state)
                .into()
        } else {
            types::updates::Difference::new(new, Vec::new(), other, Vec::new(), users, state).into()
        }
    }
}

/// The updates about all events but new messages.
fn other_updates<'a>(
    view: &'a View,
    events: &'a [Logged],
    edited: &'a [Message],
) -> Vec<enums::Update<'a>> {
    let edited: BTreeMap<i32, &Message> = edited.iter().map(|edit| (edit.id, edit)).collect();
    events.iter().filter_map(|logged| update(view, logged, &edited)).collect()
}

fn update<'a>(
    view: &'a View,
    logged: &'a Logged,
    edited: &BTreeMap<i32, &'a Message>,
) -> Option<enums::Update<'a>> {
    let (pts, pts_count) = (logged.pts, logged.event.pts_count);
    Some(match &logged.event.change {
        // These are among the new messages, unless they are deleted by now.
        Change::ChangeNewMessage(_) => return None,
        Change::ChangeEditMessage(edit) => {
            let message = view.message(edited.get(&edit.id)?);
            types::UpdateEditMessage::new(message, pts, pts_count).into()
        }
        Change::ChangeDeleteMessages(deleted) => {
            types::UpdateDeleteMessages::new(deleted.ids.clone(), pts, pts_count).into()
        }
        Change::ChangeReadInbox(read) => types::UpdateReadHistoryInbox::new(
            peers::to_tl(read.peer),
            read.max_id,
            read.still_unread,
            pts,
            pts_count,
        )
        .into(),
        Change::ChangeReadOutbox(read) => {
            let peer = peers::to_tl(read.peer);
            types::UpdateReadHistoryOutbox::new(peer, read.max_id, pts, pts_count).into()
        }
        Change::ChangeReadContents(read) => {
            types::UpdateReadMessagesContents::new(read.ids.clone(), pts, pts_count).into()
        }
        Change::ChangePinnedMessages(pinned) => {
            let (peer, ids) = (peers::to_tl(pinned.peer), pinned.ids.clone());
            types::UpdatePinnedMessages {
                pinned: pinned.pinned,
                ..types::UpdatePinnedMessages::new(peer, ids, pts, pts_count)
            }
            .into()
        }
    })
}

/// Whom the update about a change names. Messages that it is about are looked at by themselves.
fn peers_of(change: &Change, peers: &mut Peers) {
    match change {
        Change::ChangeReadInbox(read) => peers.peer(read.peer),
        Change::ChangeReadOutbox(read) => peers.peer(read.peer),
        Change::ChangePinnedMessages(pinned) => peers.peer(pinned.peer),
        Change::ChangeNewMessage(_)
        | Change::ChangeEditMessage(_)
        | Change::ChangeDeleteMessages(_)
        | Change::ChangeReadContents(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use tl::records::types::{
        ChangeDeleteMessages, ChangeEditMessage, ChangeNewMessage, ChangeReadOutbox, Event,
    };

    use super::*;

    const VIEWER: UserId = UserId(1);

    #[track_caller]
    fn check(change: impl Into<Change>, pts_count: i32, expected: Option<enums::Update<'_>>) {
        let message = Message::new(7, 2, 0, 0, 0, 0, "new".to_owned());
        let edited = [(7, &message)].into();
        let logged = Logged::new(20, Event::new(pts_count, 0, 0, 0, change.into()));
        let view = View::empty(VIEWER);
        assert_eq!(update(&view, &logged, &edited), expected);
    }

    #[test]
    fn events_are_the_updates_that_were_pushed() {
        let message = Message::new(7, 2, 0, 0, 0, 0, "new".to_owned());
        let view = View::empty(VIEWER);
        let edit = types::UpdateEditMessage::new(view.message(&message), 20, 1);
        let outbox = types::UpdateReadHistoryOutbox::new(peers::to_tl(2), 9, 20, 1);
        check(ChangeNewMessage::new(2), 1, None);
        check(ChangeEditMessage::new(2, 7), 1, Some(edit.into()));
        check(ChangeEditMessage::new(2, 8), 1, None);
        check(ChangeReadOutbox::new(2, 9), 1, Some(outbox.into()));
        check(
            ChangeDeleteMessages::new(vec![3, 4]),
            2,
            Some(types::UpdateDeleteMessages::new(vec![3, 4], 20, 2).into()),
        );
    }
}
