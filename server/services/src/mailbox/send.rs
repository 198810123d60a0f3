//! Messages come into being: sent, received, or written by the server.

use storage::{Desc, MessageId, Read};
use tl::operations::{
    enums::Refusal,
    functions::mailbox as functions,
    types::{EffectDraft, ReplyTo, mailbox::Sent},
};
use tl::records::{
    enums::{Action, Source},
    types::{Attachment, Message, MessageRef, Reply},
};

use super::chat::{Chat, Told, find_by_link};
use super::log::{Log, find, find_in};
use super::{attachment, attachment::Kind, content, drafts};
use crate::contacts::relation;
use crate::limits::QUOTE_LEN_MAX;
use crate::tables::{MESSAGES, RANDOM_IDS};
use crate::{Done, Result, Txn, UnixTime, files, user};

/// `mailbox.send`
pub fn send(txn: &mut Txn<'_, '_>, now: UnixTime, op: functions::Send<'_>) -> Result<Sent> {
    content::check(op.text, op.entities.as_deref(), op.media)?;
    if let Some(sent) = repeated(txn.rows(), op.random_id)? {
        return Ok(sent);
    }
    writable(txn.rows(), op.peer)?;
    let attachment = op
        .media
        .map(|media| attached(txn.rows(), op.peer, media, [op.source.as_ref(), op.beside.as_ref()]))
        .transpose()?;
    let passing = attachment
        .as_ref()
        .is_some_and(|attachment| attachment::ttl_s(&attachment.media).is_some());
    let reply = op.reply.map(|to| Replied::resolve(txn.rows(), op.peer, to)).transpose()?;
    if op.clear_draft && drafts::clear(txn, op.peer)? {
        txn.tell(EffectDraft { peer: op.peer, draft: None });
    }
    let message = Message {
        silent: op.silent,
        no_webpage: op.no_webpage,
        invert_media: op.invert_media,
        media_unread: op.media_unread || passing,
        entities: op.entities.filter(|entities| !entities.is_empty()),
        media: attachment.as_ref().map(attachment::encode),
        ..outgoing(op.peer, now, op.text.to_owned())
    };
    let mut log = Log::open(txn.rows())?;
    let mut chat = Chat::open(txn.rows(), op.peer)?;
    post(txn, now, &mut log, &mut chat, message, op.random_id, reply)
}

/// What the owner attaches to a message for `peer`.
///
/// `sources` tells from where the owner has its file, and the one beside it. Refuses: `mediaInvalid`; `fileReferenceExpired` if the
/// owner does not have one of them from there.
pub(super) fn attached(
    rows: &impl Read,
    peer: i64,
    media: &[u8],
    sources: [Option<&Source>; 2],
) -> Result<Attachment> {
    let attachment = attachment::decode(media)
        .filter(|attachment| Kind::of(&attachment.media) != Kind::Expired)
        .filter(|attachment| attachment::ttl_s(&attachment.media).is_none_or(|ttl_s| ttl_s > 0));
    let Some(Attachment { mut media, .. }) = attachment else {
        return Err(Refusal::MediaInvalid.into());
    };
    for (id, source) in attachment::file_ids(&media).zip(sources) {
        let has = source.map(|source| files::of_source(rows, source)).transpose()?;
        if has.iter().flatten().all(|file| files::id(file) != id) {
            return Err(Refusal::FileReferenceExpired.into());
        }
    }
    if peer == user(rows)?.0 {
        // Nobody opens what one sends to oneself.
        attachment::keep(&mut media);
    }
    Ok(Attachment::new(media))
}

/// What a message replies to, as both sides see it.
#[derive(Clone)]
pub(super) struct Replied {
    own: Reply,
    /// Its id in the other side's box.
    yours: Option<i32>,
    /// Its id in the own box, if the other side has to look for its copy.
    mine: Option<i32>,
}

impl Replied {
    pub(super) fn resolve(rows: &impl Read, peer: i64, to: ReplyTo) -> Result<Self> {
        let place = to.peer.unwrap_or(peer);
        let Some(message) = find_in(rows, place, to.id)? else {
            return Err(Refusal::ReplyMessageIdInvalid.into());
        };
        let quote = to.quote_text.filter(|text| !text.is_empty());
        if quote.as_ref().is_some_and(|text| text.encode_utf16().count() > QUOTE_LEN_MAX) {
            return Err(Refusal::MessageTooLong.into());
        }
        let own = Reply {
            quote: quote.is_some(),
            id: Some(to.id),
            peer: Some(place).filter(|place| *place != peer),
            quote_entities: to.quote_entities.filter(|_| quote.is_some()),
            quote_offset: to.quote_offset.filter(|_| quote.is_some()),
            quote_text: quote,
        };
        Ok(Self::of(&message, own, place == peer))
    }

    /// The reply to a message of this chat, by its id alone.
    pub(super) fn to(message: &Message) -> Self {
        Self::of(message, Reply { id: Some(message.id), ..Reply::new() }, true)
    }

    fn of(message: &Message, own: Reply, here: bool) -> Self {
        let known = here && !message.local;
        Self {
            own,
            yours: (known && !message.out).then_some(message.link),
            mine: (known && message.out).then_some(message.id),
        }
    }
}

/// Stores an outgoing message and delivers it to the other side, if there is one.
pub(super) fn post(
    txn: &mut Txn<'_, '_>,
    now: UnixTime,
    log: &mut Log,
    chat: &mut Chat,
    mut message: Message,
    random_id: i64,
    reply: Option<Replied>,
) -> Result<Sent> {
    message.reply = reply.as_ref().map(|reply| reply.own.clone());
    let told = Told { random_id: Some(random_id), everyone: false };
    let message = chat.insert(txn, now, log, message, told)?;
    txn.put(RANDOM_IDS, &random_id, &MessageRef { id: message.id });
    let me = user(txn.rows())?.0;
    if chat.peer != me {
        let forward = message.forward.clone().map(|mut forward| {
            (forward.saved_from_peer, forward.saved_from_id) = (None, None);
            forward
        });
        let receive = functions::ReceiveMessage {
            silent: message.silent,
            no_webpage: message.no_webpage,
            invert_media: message.invert_media,
            media_unread: message.media_unread,
            from: me,
            origin: message.id,
            date: message.date,
            text: &message.text,
            entities: message.entities.clone(),
            media: message.media.as_deref(),
            forward,
            action: message.action.clone(),
            reply_yours: reply.as_ref().and_then(|reply| reply.yours),
            reply_mine: reply.as_ref().and_then(|reply| reply.mine),
            reply: reply.map(|reply| Reply { id: None, peer: None, ..reply.own }),
        };
        txn.deliver_to(chat.peer, &receive)?;
    }
    for file in attachment::held(&message) {
        // The recipient's copy is held from here, before it is there.
        let users = if chat.peer == me { vec![me] } else { vec![me, chat.peer] };
        files::hold(txn, file, users)?;
    }
    Ok(Sent { random_id, ..Sent::new(random_id, message.id, message) })
}

/// `mailbox.receive`
pub fn receive(txn: &mut Txn<'_, '_>, now: UnixTime, op: functions::Receive<'_>) -> Result<Done> {
    let op = functions::ReceiveMessage {
        silent: op.silent,
        no_webpage: op.no_webpage,
        invert_media: op.invert_media,
        media_unread: false,
        from: op.from,
        origin: op.origin,
        date: op.date,
        text: op.text,
        entities: op.entities,
        media: op.media,
        forward: op.forward,
        action: op.action,
        reply: op.reply,
        reply_yours: op.reply_yours,
        reply_mine: op.reply_mine,
    };
    receive_message(txn, now, op)
}

/// `mailbox.receiveMessage`
pub fn receive_message(
    txn: &mut Txn<'_, '_>,
    now: UnixTime,
    op: functions::ReceiveMessage<'_>,
) -> Result<Done> {
    let reply = match op.reply {
        Some(reply) => {
            let yours =
                op.reply_yours.map(|id| find_in(txn.rows(), op.from, id)).transpose()?.flatten();
            let copy = match (yours, op.reply_mine) {
                (None, Some(link)) => find_by_link(txn.rows(), op.from, link)?,
                (yours, _) => yours,
            };
            let reply = Reply { id: copy.map(|message| message.id), ..reply };
            // A reply to nothing that is known here, without a quote, is none.
            Some(reply).filter(|reply| reply.id.is_some() || reply.quote)
        }
        None => None,
    };
    let message = Message {
        silent: op.silent,
        no_webpage: op.no_webpage,
        invert_media: op.invert_media,
        media_unread: op.media_unread,
        link: op.origin,
        forward: op.forward,
        reply,
        entities: op.entities,
        media: op.media.map(<[u8]>::to_vec),
        action: op.action,
        ..Message::new(0, op.from, op.date, 0, 0, 0, op.text.to_owned())
    };
    let mut log = Log::open(txn.rows())?;
    Chat::open(txn.rows(), op.from)?.insert(txn, now, &mut log, message, Told::default())?;
    Ok(Done {})
}

/// `mailbox.notice`
pub fn notice(txn: &mut Txn<'_, '_>, now: UnixTime, op: functions::Notice<'_>) -> Result<Done> {
    content::check(op.text, op.entities.as_deref(), None)?;
    if op.random_id == 0 {
        return Err(Refusal::RandomIdInvalid.into());
    }
    if txn.contains(RANDOM_IDS, &op.random_id)? {
        return Ok(Done {});
    }
    let message = Message {
        silent: op.silent,
        local: true,
        entities: op.entities,
        ..Message::new(0, op.from, now.0, 0, 0, 0, op.text.to_owned())
    };
    let told = Told { random_id: Some(op.random_id), everyone: true };
    let mut log = Log::open(txn.rows())?;
    let message = Chat::open(txn.rows(), op.from)?.insert(txn, now, &mut log, message, told)?;
    txn.put(RANDOM_IDS, &op.random_id, &MessageRef { id: message.id });
    Ok(Done {})
}

/// Writes into the chat with `peer` that they signed up.
pub(crate) fn contact_signed_up(txn: &mut Txn<'_, '_>, now: UnixTime, peer: i64) -> Result<()> {
    let message = Message {
        silent: true,
        local: true,
        action: Some(Action::ActionContactSignUp),
        ..Message::new(0, peer, now.0, 0, 0, 0, String::new())
    };
    let mut log = Log::open(txn.rows())?;
    Chat::open(txn.rows(), peer)?.insert(txn, now, &mut log, message, Told::default())?;
    Ok(())
}

/// A message of the owner's, with nothing but its text.
pub(super) fn outgoing(peer: i64, now: UnixTime, text: String) -> Message {
    Message { out: true, ..Message::new(0, peer, now.0, 0, 0, 0, text) }
}

/// What the first call with this `random_id` answered.
pub(super) fn repeated(rows: &impl Read, random_id: i64) -> Result<Option<Sent>> {
    if random_id == 0 {
        return Err(Refusal::RandomIdInvalid.into());
    }
    let Some(sent) = rows.get(RANDOM_IDS, &random_id)? else { return Ok(None) };
    match find(rows, sent.id)? {
        Some(message) => {
            Ok(Some(Sent { repeated: true, ..Sent::new(random_id, sent.id, message) }))
        }
        None => Err(Refusal::RandomIdDuplicate.into()),
    }
}

/// Refuses to write to whom one cannot write.
pub(super) fn writable(rows: &impl Read, peer: i64) -> Result<()> {
    if peer <= 0 {
        return Err(Refusal::PeerIdInvalid.into());
    }
    if peer == user(rows)?.0 {
        return Ok(());
    }
    let relation = relation(rows, peer)?;
    if relation.blocked.is_some() {
        return Err(Refusal::YouBlockedUser.into());
    }
    if relation.blocks_me {
        return Err(Refusal::UserIsBlocked.into());
    }
    Ok(())
}

/// Writes a message back to its place.
pub(super) fn store(txn: &mut Txn<'_, '_>, message: &Message) {
    txn.put(MESSAGES, &(message.peer, Desc(MessageId(message.id))), message);
}
