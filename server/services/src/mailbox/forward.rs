//! Messages sent again, to another chat.

use tl::operations::{
    enums::Refusal,
    functions::mailbox as functions,
    types::mailbox::{Forwarded, Sent},
};
use tl::records::types::{Forward, Message};

use super::chat::Chat;
use super::log::{Log, find_in};
use super::send::{outgoing, post, repeated, writable};
use crate::limits::FORWARD_COUNT_MAX;
use crate::{Error, Result, Txn, UnixTime, user};

/// `mailbox.forward`
pub fn forward(txn: &mut Txn<'_, '_>, now: UnixTime, op: functions::Forward) -> Result<Forwarded> {
    if op.ids.len() != op.random_ids.len() || op.ids.len() > FORWARD_COUNT_MAX {
        return Err(Refusal::RandomIdInvalid.into());
    }
    let me = user(txn.rows())?.0;
    let mut log = Log::open(txn.rows())?;
    let mut chat = Chat::open(txn.rows(), op.peer)?;
    let mut sent: Vec<Sent> = Vec::with_capacity(op.ids.len());
    for (id, random_id) in op.ids.iter().zip(&op.random_ids) {
        match repeated(txn.rows(), *random_id) {
            Ok(None) => {}
            Ok(Some(first)) => {
                sent.push(first);
                continue;
            }
            // One of those sent before was deleted since; the others still have their answers.
            Err(Error::Refused(Refusal::RandomIdDuplicate)) => continue,
            Err(error) => return Err(error),
        }
        writable(txn.rows(), op.peer)?;
        let Some(source) =
            find_in(txn.rows(), op.from, *id)?.filter(|source| source.action.is_none())
        else {
            continue;
        };
        let mut message = again(source, &op, me, now);
        if op.peer == me {
            // Saved Messages lead back to the original.
            if let Some(header) = &mut message.forward {
                header.saved_from_peer = Some(op.from);
                header.saved_from_id = Some(*id);
            }
        }
        sent.push(post(txn, now, &mut log, &mut chat, message, *random_id, None)?);
    }
    if sent.is_empty() {
        return Err(Refusal::MessageIdInvalid.into());
    }
    Ok(Forwarded { sent })
}

/// The content of `source` as a new message. Its header names the first author, however often it was forwarded.
fn again(source: Message, op: &functions::Forward, me: i64, now: UnixTime) -> Message {
    let header = source.forward.unwrap_or_else(|| {
        let author = if source.out { me } else { op.from };
        let mut hidden = op.hidden.iter().flatten();
        match hidden.find(|hidden| hidden.user == author) {
            Some(hidden) => {
                Forward { from_name: Some(hidden.name.clone()), ..Forward::new(source.date) }
            }
            None => Forward { from: Some(author), ..Forward::new(source.date) },
        }
    });
    let header = Forward { saved_from_peer: None, saved_from_id: None, ..header };
    let caption_dropped = op.drop_captions && source.media.is_some();
    let text = if caption_dropped { String::new() } else { source.text };
    Message {
        silent: op.silent,
        no_webpage: source.no_webpage,
        invert_media: source.invert_media,
        forward: Some(header).filter(|_| !op.drop_author),
        entities: source.entities.filter(|_| !caption_dropped),
        media: source.media,
        ..outgoing(op.peer, now, text)
    }
}
