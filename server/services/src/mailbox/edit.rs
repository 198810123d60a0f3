//! Messages change.

use storage::Read;
use tl::operations::{
    enums::Refusal,
    functions::mailbox as functions,
    types::{EffectEditMessage, mailbox::Edited},
};
use tl::records::{
    enums::Source,
    types::{Attachment, ChangeEditMessage, Entity, Message, SourceMessage},
};

use super::attachment::Kind;
use super::chat::find_by_link;
use super::log::{Log, find_in};
use super::send::{attached, store};
use super::{attachment, content};
use crate::limits::EDIT_TIME_S;
use crate::{Done, Result, Txn, UnixTime, files, user};

/// `mailbox.edit`
pub fn edit(txn: &mut Txn<'_, '_>, now: UnixTime, op: functions::Edit<'_>) -> Result<Edited> {
    let me = user(txn.rows())?.0;
    let Some(before) = find_in(txn.rows(), op.peer, op.id)? else {
        return Err(Refusal::MessageIdInvalid.into());
    };
    if !before.out || before.forward.is_some() || before.action.is_some() {
        return Err(Refusal::MessageAuthorRequired.into());
    }
    if attachment::of(&before).is_some_and(|attachment| is_passing(&attachment)) {
        return Err(Refusal::MediaInvalid.into());
    }
    if op.peer != me && now.0.saturating_sub(before.date) > EDIT_TIME_S {
        return Err(Refusal::MessageEditTimeExpired.into());
    }
    let (text, entities) = match op.text {
        Some(text) => (text.to_owned(), op.entities.filter(|entities| !entities.is_empty())),
        None => (before.text.clone(), before.entities.clone()),
    };
    let media = match op.media {
        Some(media) => {
            let sources = [op.source, op.beside];
            Some(attachment::encode(&replaced(txn.rows(), &before, media, sources)?))
        }
        None => before.media.clone(),
    };
    content::check(&text, entities.as_deref(), media.as_deref())?;
    let same = text == before.text && entities == before.entities && media == before.media;
    if same && op.no_webpage == before.no_webpage && op.invert_media == before.invert_media {
        return Err(Refusal::MessageNotModified.into());
    }
    let flags = (op.no_webpage, op.invert_media);
    let held = attachment::held(&before);
    let (pts, message) = replace(txn, now, before, now.0, flags, (text, entities, media))?;
    let delivered = op.peer != me && !message.local;
    let holds = attachment::held(&message);
    for &file in &holds {
        let own = Some(me).filter(|_| !held.contains(&file));
        let users: Vec<i64> = own.into_iter().chain(delivered.then_some(op.peer)).collect();
        if !users.is_empty() {
            files::hold(txn, file, users)?;
        }
    }
    for file in held.into_iter().filter(|file| !holds.contains(file)) {
        files::release(txn, file, 1)?;
    }
    if delivered {
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
    // Whatever files come along are already held for the copy: in the place of those it held, or for nothing.
    if let Some(before) = find_by_link(txn.rows(), op.from, op.origin)? {
        attachment::release(txn, std::slice::from_ref(&before))?;
        let content = (op.text.to_owned(), op.entities, op.media.map(<[u8]>::to_vec));
        replace(txn, now, before, op.date, (op.no_webpage, op.invert_media), content)?;
    } else if let Some(attachment) = op.media.and_then(attachment::decode) {
        for file in attachment::file_ids(&attachment.media) {
            files::release(txn, file, 1)?;
        }
    }
    Ok(Done {})
}

/// Whether it goes some time after it was opened, or is gone: on each side at another moment, so that nothing else may change.
fn is_passing(attachment: &Attachment) -> bool {
    Kind::of(&attachment.media) == Kind::Expired || attachment::ttl_s(&attachment.media).is_some()
}

/// What takes the place of a message's medium: a file for a file or for nothing, in an album one of the same kind.
fn replaced(
    rows: &impl Read,
    before: &Message,
    media: &[u8],
    sources: [Option<Source>; 2],
) -> Result<Attachment> {
    let old = attachment::of(before);
    // A message is where its own files come from.
    let own = Source::from(SourceMessage { id: before.id });
    let held = attachment::held(before);
    let is_own = |id: Option<i64>| id.is_some_and(|id| held.contains(&id));
    let new = attachment::decode(media).map(|new| new.media);
    let ids = new.iter().flat_map(|new| [attachment::file_id(new), attachment::beside_id(new)]);
    let mut sources = sources;
    for (source, id) in sources.iter_mut().zip(ids) {
        if is_own(id) {
            *source = Some(own.clone());
        }
    }
    let sources = sources.each_ref().map(Option::as_ref);
    let Attachment { media, .. } = attached(rows, before.peer, media, sources)?;
    let kind = Kind::of(&media);
    let fits = kind.is_replaceable()
        && attachment::ttl_s(&media).is_none()
        && old.as_ref().is_none_or(|old| {
            let old_kind = Kind::of(&old.media);
            old_kind.is_replaceable()
                && (old.grouped_id.is_none() || old_kind.album() == kind.album())
        });
    if !fits {
        return Err(Refusal::MediaInvalid.into());
    }
    Ok(Attachment { grouped_id: old.and_then(|old| old.grouped_id), ..Attachment::new(media) })
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
