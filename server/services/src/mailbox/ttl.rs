//! Media that go some time after they were opened, on both sides.
//!
//! Opening one notes its end: in the recipient's box when it is opened, in the sender's when that is told. Each box then ends it
//! by itself, as an edit of the message.

use tl::operations::{
    functions::mailbox as functions,
    types::{EffectEditMessage, uploads::Next},
};
use tl::records::types::{Attachment, ChangeEditMessage, Message};

use super::attachment;
use super::log::{Log, find};
use super::send::store;
use crate::limits::TTL_ONCE;
use crate::uploads::expiry::{self, Kind};
use crate::{Result, Txn, UnixTime};

/// `mailbox.expireMedia`
pub fn expire_media(
    txn: &mut Txn<'_, '_>,
    now: UnixTime,
    _: functions::ExpireMedia,
) -> Result<Next> {
    run(txn, now)?;
    expiry::finish(txn)
}

/// Ends the media whose time is over, a batch at most.
pub(crate) fn run(txn: &mut Txn<'_, '_>, now: UnixTime) -> Result<()> {
    for id in expiry::due(txn, now, Kind::Medium)? {
        let Ok(id) = i32::try_from(id) else { continue };
        if let Some(message) = find(txn.rows(), id)? {
            end(txn, now, message)?;
        }
    }
    Ok(())
}

fn end(txn: &mut Txn<'_, '_>, now: UnixTime, message: Message) -> Result<()> {
    let Some(attachment) = attachment::of(&message) else { return Ok(()) };
    let Some(media) = attachment::expired(&attachment.media) else { return Ok(()) };
    attachment::release(txn, std::slice::from_ref(&message))?;
    let media = attachment::encode(&Attachment { media, ..attachment });
    let message = Message { media: Some(media), ..message };
    store(txn, &message);
    let change = ChangeEditMessage { peer: message.peer, id: message.id };
    let pts = Log::open(txn.rows())?.append(txn, now, 1, 0, change)?;
    txn.tell(EffectEditMessage { pts, message });
    Ok(())
}

/// Notes when the media of messages that were opened will go.
pub(super) fn opened(txn: &mut Txn<'_, '_>, now: UnixTime, messages: &[Message]) -> Result<()> {
    for message in messages {
        let attachment = attachment::of(message);
        if let Some(ttl_s) = attachment.and_then(|attachment| attachment::ttl_s(&attachment.media))
        {
            let lives_s = if ttl_s == TTL_ONCE { 0 } else { ttl_s };
            let due = now.0.saturating_add(lives_s);
            expiry::note(txn, Kind::Medium, due, i64::from(message.id))?;
        }
    }
    Ok(())
}
