//! Several messages sent as one: they come one after another and have a group in common.

use tl::operations::{
    enums::Refusal,
    functions::mailbox as functions,
    types::{EffectDraft, mailbox::Forwarded},
};
use tl::records::types::{Attachment, Message};

use super::attachment::{self, Kind};
use super::chat::Chat;
use super::log::Log;
use super::send::{Replied, attached, outgoing, post, repeated, writable};
use super::{content, drafts};
use crate::limits::ALBUM_COUNT_MAX;
use crate::{Error, Result, Txn, UnixTime, user};

/// `mailbox.sendAlbum`
pub fn send_album(
    txn: &mut Txn<'_, '_>,
    now: UnixTime,
    op: functions::SendAlbum,
) -> Result<Forwarded> {
    if !(1..=ALBUM_COUNT_MAX).contains(&op.items.len()) {
        return Err(Refusal::MediaInvalid.into());
    }
    let me = user(txn.rows())?.0;
    let grouped_id = (op.items.len() > 1).then_some(op.items[0].random_id);
    let mut sent = Vec::with_capacity(op.items.len());
    let mut fresh = Vec::with_capacity(op.items.len());
    for item in op.items {
        content::check(&item.text, item.entities.as_deref(), Some(&item.media))?;
        match repeated(txn.rows(), item.random_id) {
            Ok(None) => fresh.push(item),
            Ok(Some(first)) => sent.push(first),
            // Sent before and deleted since; the others still have their answers.
            Err(Error::Refused(Refusal::RandomIdDuplicate)) => {}
            Err(error) => return Err(error),
        }
    }
    if fresh.is_empty() {
        return if sent.is_empty() {
            Err(Refusal::RandomIdDuplicate.into())
        } else {
            Ok(Forwarded { sent })
        };
    }
    writable(txn.rows(), op.peer)?;
    let reply = op.reply.map(|to| Replied::resolve(txn.rows(), op.peer, to)).transpose()?;
    if op.clear_draft && drafts::clear(txn, op.peer)? {
        txn.tell(EffectDraft { peer: op.peer, draft: None });
    }
    let mut log = Log::open(txn.rows())?;
    let mut chat = Chat::open(txn.rows(), op.peer)?;
    let mut mixture = None;
    for item in fresh {
        let attachment = attached(
            txn.rows(),
            op.peer,
            &item.media,
            [item.source.as_ref(), item.beside.as_ref()],
        )?;
        if grouped_id.is_some() {
            let album = Kind::of(&attachment.media).album();
            if album.is_none() || mixture.is_some_and(|mixture| album != mixture) {
                return Err(Refusal::MediaInvalid.into());
            }
            mixture = Some(album);
        }
        let passing = attachment::ttl_s(&attachment.media).is_some();
        let message = Message {
            silent: op.silent,
            invert_media: op.invert_media,
            media_unread: (item.media_unread || passing) && op.peer != me,
            entities: item.entities.filter(|entities| !entities.is_empty()),
            media: Some(attachment::encode(&Attachment { grouped_id, ..attachment })),
            ..outgoing(op.peer, now, item.text)
        };
        let reply = reply.clone();
        match repeated(txn.rows(), item.random_id)? {
            // The same one twice in one call.
            Some(first) => sent.push(first),
            None => sent.push(post(txn, now, &mut log, &mut chat, message, item.random_id, reply)?),
        }
    }
    Ok(Forwarded { sent })
}
