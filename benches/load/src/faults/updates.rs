//! What answers, updates and differences tell of messages.

use std::collections::HashMap;

use bytes::Bytes;
use tl::Decode as _;
use tl::api::{enums, types};

use super::ledger::Seen;
use crate::carriers::number_of;
use crate::error::{Error, Result};

/// Who people are to the server.
pub(super) type UserIds = HashMap<i64, usize>;

/// An update that takes room in the log.
pub(super) struct Logged {
    pub(super) pts: i32,
    pub(super) pts_count: i32,
    pub(super) seen: Option<Seen>,
}

/// What `updates` or one of its short forms tells.
#[derive(Default)]
pub(super) struct Told {
    pub(super) logged: Vec<Logged>,
    /// The id of a new message, by its `random_id`.
    pub(super) ids: Vec<(i64, i32)>,
    /// More happened than was pushed.
    pub(super) is_too_long: bool,
}

/// A difference.
pub(super) struct Difference {
    pub(super) seen: Vec<Seen>,
    /// The sum of the `pts_count` of all other updates.
    pub(super) others: i32,
    /// The state after it; `None` if nothing happened.
    pub(super) pts: Option<i32>,
    pub(super) is_last: bool,
}

pub(super) fn updates(body: &Bytes, users: &UserIds) -> Result<Told> {
    let updates = enums::Updates::from_bytes(body).map_err(unreadable)?;
    let mut told = Told::default();
    let list = match &updates {
        enums::Updates::Updates(updates) => &updates.updates,
        enums::Updates::UpdatesCombined(updates) => &updates.updates,
        enums::Updates::UpdateShortMessage(short) => {
            let number = number_of(short.message.as_bytes());
            let peer = users.get(&short.user_id).copied();
            let seen = number.zip(peer).map(|(number, peer)| Seen {
                id: short.id,
                number,
                is_out: short.out,
                peer,
            });
            told.logged.push(Logged { pts: short.pts, pts_count: short.pts_count, seen });
            return Ok(told);
        }
        enums::Updates::UpdatesTooLong => {
            told.is_too_long = true;
            return Ok(told);
        }
        _ => return Ok(told),
    };
    for update in list {
        if let enums::Update::UpdateMessageID(id) = update {
            told.ids.push((id.random_id, id.id));
        }
        told.logged.extend(logged(update, users));
    }
    Ok(told)
}

fn logged(update: &enums::Update<'_>, users: &UserIds) -> Option<Logged> {
    let (pts, pts_count, seen) = match update {
        enums::Update::UpdateNewMessage(new) => (new.pts, new.pts_count, seen(&new.message, users)),
        enums::Update::UpdateEditMessage(edit) => (edit.pts, edit.pts_count, None),
        enums::Update::UpdateDeleteMessages(delete) => (delete.pts, delete.pts_count, None),
        enums::Update::UpdateReadHistoryInbox(read) => (read.pts, read.pts_count, None),
        enums::Update::UpdateReadHistoryOutbox(read) => (read.pts, read.pts_count, None),
        _ => return None,
    };
    Some(Logged { pts, pts_count, seen })
}

/// A message of this run; those that the server writes by itself are none.
pub(super) fn seen(message: &enums::Message<'_>, users: &UserIds) -> Option<Seen> {
    let enums::Message::Message(message) = message else { return None };
    let enums::Peer::PeerUser(peer) = &message.peer_id else { return None };
    Some(Seen {
        id: message.id,
        number: number_of(message.message.as_bytes())?,
        is_out: message.out,
        peer: *users.get(&peer.user_id)?,
    })
}

pub(super) fn difference(body: &Bytes, users: &UserIds) -> Result<Difference> {
    let difference = enums::updates::Difference::from_bytes(body).map_err(unreadable)?;
    let (messages, others, state, is_last) = match &difference {
        enums::updates::Difference::Difference(all) => {
            (&all.new_messages, &all.other_updates, &all.state, true)
        }
        enums::updates::Difference::DifferenceSlice(slice) => {
            (&slice.new_messages, &slice.other_updates, &slice.intermediate_state, false)
        }
        enums::updates::Difference::DifferenceEmpty(_) => {
            return Ok(Difference { seen: Vec::new(), others: 0, pts: None, is_last: true });
        }
        enums::updates::Difference::DifferenceTooLong(_) => {
            return Err(Error::Protocol("a difference is too long".to_owned()));
        }
    };
    let seen: Vec<_> = messages.iter().filter_map(|message| seen(message, users)).collect();
    let of_server = i32::try_from(messages.len() - seen.len()).unwrap_or(i32::MAX);
    let others: i32 =
        others.iter().filter_map(|other| logged(other, users)).map(|other| other.pts_count).sum();
    Ok(Difference { seen, others: others + of_server, pts: Some(state.pts), is_last })
}

/// The messages of a page of a history.
pub(super) fn page(body: &Bytes, users: &UserIds) -> Result<Vec<Seen>> {
    let page = enums::messages::Messages::from_bytes(body).map_err(unreadable)?;
    let messages = match &page {
        enums::messages::Messages::Messages(all) => &all.messages,
        enums::messages::Messages::MessagesSlice(slice) => &slice.messages,
        other => return Err(Error::Protocol(format!("no page of a history: {other:?}"))),
    };
    Ok(messages.iter().filter_map(|message| seen(message, users)).collect())
}

/// Where a file lies that an answer tells of.
#[derive(Clone, Debug)]
pub(super) struct Location {
    pub(super) id: i64,
    pub(super) access_hash: i64,
    pub(super) file_reference: Vec<u8>,
}

pub(super) fn location(body: &Bytes) -> Option<Location> {
    crate::scenarios::files::media(body, |media| {
        let enums::MessageMedia::MessageMediaDocument(media) = media else { return None };
        let Some(enums::Document::Document(document)) = &media.document else { return None };
        Some(Location {
            id: document.id,
            access_hash: document.access_hash,
            file_reference: document.file_reference.to_vec(),
        })
    })
}

/// The bytes of a part of a file.
pub(super) fn file(body: &Bytes) -> Result<Vec<u8>> {
    let file = types::upload::File::from_bytes(body).map_err(unreadable)?;
    Ok(file.bytes.to_vec())
}

fn unreadable(error: tl::DecodeError) -> Error {
    Error::Protocol(error.to_string())
}
