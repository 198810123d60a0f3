//! Messages sent again, to another chat, with what they hold.

use std::collections::BTreeMap;

use tl::operations::{
    enums::Refusal,
    functions::mailbox as functions,
    types::mailbox::{Forwarded, Sent},
};
use tl::records::types::{Attachment, Forward, Message};

use super::attachment::{self, Kind};
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
    let mut sources = Vec::with_capacity(op.ids.len());
    for (id, random_id) in op.ids.iter().zip(&op.random_ids) {
        let source = find_in(txn.rows(), op.from, *id)?.filter(can_go_on);
        sources.push((*random_id, source));
    }
    let groups = Groups::of(&sources);
    for (random_id, source) in sources {
        match repeated(txn.rows(), random_id) {
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
        let Some(source) = source else { continue };
        let id = source.id;
        let mut message = again(source, &op, me, now);
        groups.regroup(&mut message);
        if op.peer == me {
            // Saved Messages lead back to the original.
            if let Some(header) = &mut message.forward {
                header.saved_from_peer = Some(op.from);
                header.saved_from_id = Some(id);
            }
        }
        sent.push(post(txn, now, &mut log, &mut chat, message, random_id, None)?);
    }
    if sent.is_empty() {
        return Err(Refusal::MessageIdInvalid.into());
    }
    Ok(Forwarded { sent })
}

/// Whether a message can be sent again: not if it only reports something, nor if its medium goes.
fn can_go_on(message: &Message) -> bool {
    let passing = attachment::of(message).is_some_and(|attachment| {
        attachment::ttl_s(&attachment.media).is_some()
            || Kind::of(&attachment.media) == Kind::Expired
    });
    message.action.is_none() && !passing
}

/// What those that stood together have in common after they were sent again.
struct Groups(BTreeMap<i64, (usize, i64)>);

impl Groups {
    fn of(sources: &[(i64, Option<Message>)]) -> Self {
        let mut groups = BTreeMap::new();
        for (random_id, source) in sources {
            let attachment = source.as_ref().and_then(attachment::of);
            if let Some(group) = attachment.and_then(|attachment| attachment.grouped_id) {
                groups.entry(group).or_insert((0, *random_id)).0 += 1;
            }
        }
        Self(groups)
    }

    /// Gives a message the new group; one that goes alone gets none.
    fn regroup(&self, message: &mut Message) {
        let Some(attachment) = attachment::of(message) else { return };
        let Some(group) = attachment.grouped_id else { return };
        let group = self.0.get(&group).filter(|(count, _)| *count > 1);
        let grouped_id = group.map(|(_, grouped_id)| *grouped_id);
        message.media = Some(attachment::encode(&Attachment { grouped_id, ..attachment }));
    }
}

/// The content of `source` as a new message. Its header names the first author, however often it was forwarded.
fn again(source: Message, op: &functions::Forward, me: i64, now: UnixTime) -> Message {
    // Who gets it can tell whether it was played.
    let attachment = attachment::of(&source);
    let played = attachment.as_ref().is_some_and(|it| Kind::of(&it.media).is_played());
    let media = match (op.video_timestamp_s, attachment) {
        (Some(second), Some(mut attachment)) => {
            if let Some(video) = attachment::video(&mut attachment.media) {
                video.video_timestamp_s = attachment::begin_at(second);
            }
            Some(attachment::encode(&attachment))
        }
        _ => source.media,
    };
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
    let caption_dropped = op.drop_captions && media.is_some();
    let text = if caption_dropped { String::new() } else { source.text };
    Message {
        silent: op.silent,
        no_webpage: source.no_webpage,
        invert_media: source.invert_media,
        media_unread: played && op.peer != me,
        forward: Some(header).filter(|_| !op.drop_author),
        entities: source.entities.filter(|_| !caption_dropped),
        media,
        ..outgoing(op.peer, now, text)
    }
}
