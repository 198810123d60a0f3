//! Messages change.

use tl::operations::{
    enums::Refusal,
    functions::mailbox as functions,
    types::{EffectEditMessage, mailbox::Edited},
};
use tl::records::types::{ChangeEditMessage, Entity, Message};

use super::chat::find_by_link;
use super::content;
use super::log::{Log, find_in};
use super::send::store;
use crate::limits::EDIT_TIME_S;
use crate::{Done, Result, Txn, UnixTime, user};

/// `mailbox.edit`
pub fn edit(txn: &mut Txn<'_, '_>, now: UnixTime, op: functions::Edit<'_>) -> Result<Edited> {
    let me = user(txn.rows())?.0;
    let Some(before) = find_in(txn.rows(), op.peer, op.id)? else {
        return Err(Refusal::MessageIdInvalid.into());
    };
    if !before.out || before.forward.is_some() || before.action.is_some() {
        return Err(Refusal::MessageAuthorRequired.into());
    }
    if op.peer != me && now.0.saturating_sub(before.date) > EDIT_TIME_S {
        return Err(Refusal::MessageEditTimeExpired.into());
    }
    let (text, entities) = match op.text {
        Some(text) => (text.to_owned(), op.entities.filter(|entities| !entities.is_empty())),
        None => (before.text.clone(), before.entities.clone()),
    };
    let media = op.media.map(<[u8]>::to_vec).or_else(|| before.media.clone());
    content::check(&text, entities.as_deref(), media.as_deref())?;
    let same = text == before.text && entities == before.entities && media == before.media;
    if same && op.no_webpage == before.no_webpage && op.invert_media == before.invert_media {
        return Err(Refusal::MessageNotModified.into());
    }
    let flags = (op.no_webpage, op.invert_media);
    let (pts, message) = replace(txn, now, before, now.0, flags, (text, entities, media))?;
    if op.peer != me && !message.local {
        let receive = functions::ReceiveEdit {
            no_webpage: message.no_webpage,
            invert_media: message.invert_media,
            from: me,
            origin: message.id,
            date: now.0,
            text: &message.text,
            entities: message.entities.clone(),
            media: message.media.as_deref(),
        };
        txn.deliver_to(op.peer, &receive)?;
    }
    Ok(Edited { pts, message })
}

/// `mailbox.receiveEdit`
pub fn receive_edit(
    txn: &mut Txn<'_, '_>,
    now: UnixTime,
    op: functions::ReceiveEdit<'_>,
) -> Result<Done> {
    if let Some(before) = find_by_link(txn.rows(), op.from, op.origin)? {
        let content = (op.text.to_owned(), op.entities, op.media.map(<[u8]>::to_vec));
        replace(txn, now, before, op.date, (op.no_webpage, op.invert_media), content)?;
    }
    Ok(Done {})
}

type Content = (String, Option<Vec<Entity>>, Option<Vec<u8>>);

/// Gives a message other content, as an event of the box.
fn replace(
    txn: &mut Txn<'_, '_>,
    now: UnixTime,
    before: Message,
    edit_date: i32,
    (no_webpage, invert_media): (bool, bool),
    (text, entities, media): Content,
) -> Result<(i32, Message)> {
    let message = Message {
        no_webpage,
        invert_media,
        edit_date: Some(edit_date),
        text,
        entities,
        media,
        ..before
    };
    store(txn, &message);
    let change = ChangeEditMessage { peer: message.peer, id: message.id };
    let pts = Log::open(txn.rows())?.append(txn, now, 1, 0, change)?;
    txn.tell(EffectEditMessage { pts, message: message.clone() });
    Ok((pts, message))
}
