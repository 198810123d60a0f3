//! Messages, chats and drafts for clients, and whom they name.
//!
//! First an answer's messages, chats and peers are collected ([`Peers`]), then all of them looked up at once ([`View`]), then the
//! answer is made, which borrows from both.

use std::collections::{BTreeMap, BTreeSet};

use storage::UserId;
use tl::{
    api::{enums, types},
    operations::types::mailbox,
    records::{
        enums::{Action, EntityKind, Media},
        types::{Attachment, Draft, Entity, Forward, Message, Reply},
    },
};

use super::{
    entities,
    media::{self, Shown},
    notify, peers,
    users::Users,
};
use crate::{rpc::Result, shared::Shared};

/// Whom an answer names. Clients need every one of them in it: who is missing makes them ask again and again.
#[derive(Clone, Debug, Default)]
pub struct Peers {
    ids: BTreeSet<i64>,
    /// Whether there are messages, which may be the viewer's own.
    messages: bool,
    /// By message: what is attached to it; `None` for what a later version stored.
    attachments: BTreeMap<i32, Option<Attachment>>,
}

impl Peers {
    /// Adds a peer.
    pub fn peer(&mut self, peer: i64) {
        self.ids.insert(peer);
    }

    /// Adds those whom a message names.
    pub fn message(&mut self, message: &Message) {
        self.messages = true;
        self.peer(message.peer);
        if let Some(forward) = &message.forward {
            self.ids.extend(forward.from);
            self.ids.extend(forward.saved_from_peer);
        }
        if let Some(reply) = &message.reply {
            self.ids.extend(reply.peer);
            self.entities(reply.quote_entities.as_deref());
        }
        self.entities(message.entities.as_deref());
        if let Some(media) = &message.media {
            let attachment = media::attachment(media);
            if let Some(Attachment { media: Media::MediaContact(card), .. }) = &attachment {
                self.peer(card.user_id);
            }
            self.attachments.insert(message.id, attachment);
        }
    }

    /// Adds those whom messages name.
    pub fn messages<'m>(&mut self, messages: impl IntoIterator<Item = &'m Message>) {
        for message in messages {
            self.message(message);
        }
    }

    /// Adds those whom a chat names.
    pub fn chat(&mut self, chat: &mailbox::Chat) {
        self.peer(chat.peer);
        self.messages(&chat.top);
        if let Some(draft) = &chat.draft {
            self.draft(draft);
        }
    }

    /// Adds those whom a draft names.
    pub fn draft(&mut self, draft: &Draft) {
        self.entities(draft.entities.as_deref());
    }

    fn entities(&mut self, entities: Option<&[Entity]>) {
        let mentions = entities.unwrap_or_default().iter();
        let mentions = mentions.filter(|e| matches!(e.kind, EntityKind::EntityMentionName));
        self.ids.extend(mentions.filter_map(|mention| mention.number));
    }

    /// Whether the peer was named.
    #[must_use]
    pub fn contains(&self, peer: i64) -> bool {
        self.ids.contains(&peer)
    }

    /// All peers.
    pub fn ids(&self) -> impl Iterator<Item = i64> {
        self.ids.iter().copied()
    }

    /// Loads the users among them, and with messages the viewer, who wrote what is `out`.
    ///
    /// # Errors
    ///
    /// As [`Users::load`].
    pub fn load(&self, shared: &Shared, viewer: UserId) -> Result<Users> {
        let own = self.messages.then_some(viewer.0);
        Users::load(shared, viewer, self.ids().chain(own))
    }

    /// Loads them, and what is attached to the messages.
    ///
    /// # Errors
    ///
    /// As [`Users::load`].
    pub fn view(self, shared: &Shared, viewer: UserId) -> Result<View> {
        let users = self.load(shared, viewer)?;
        let media = self.attachments.into_iter().map(|(id, attachment)| {
            let shown = attachment.map_or_else(Shown::unsupported, |attachment| {
                Shown::attached(shared, viewer, id, attachment)
            });
            (id, shown)
        });
        Ok(View { viewer, media: media.collect(), users })
    }
}

/// What is needed to show messages to a viewer: whom they name, and what is attached to them.
#[derive(Clone, Debug)]
pub struct View {
    viewer: UserId,
    /// Everybody named in them.
    pub users: Users,
    /// By message: what is attached to it.
    media: BTreeMap<i32, Shown>,
}

impl View {
    /// Nobody, and no media.
    #[must_use]
    pub fn empty(viewer: UserId) -> Self {
        Self { viewer, users: Users::default(), media: BTreeMap::new() }
    }

    /// A message of the viewer's box, which was among those that were looked up.
    #[must_use]
    pub fn message<'a>(&'a self, record: &'a Message) -> enums::Message<'a> {
        message(self.viewer, record, self.media.get(&record.id))
    }

    /// Messages of the viewer's box, all of which were looked up.
    #[must_use]
    pub fn messages<'a>(&'a self, records: &'a [Message]) -> Vec<enums::Message<'a>> {
        records.iter().map(|record| self.message(record)).collect()
    }

    /// What a session is told of a message that it sent.
    #[must_use]
    pub fn sent_updates<'a>(&'a self, sent: &'a mailbox::Sent) -> [enums::Update<'a>; 2] {
        [
            types::UpdateMessageID::new(sent.message.id, sent.random_id).into(),
            types::UpdateNewMessage::new(self.message(&sent.message), sent.pts, 1).into(),
        ]
    }

    /// What a session is told of messages that it sent: first all ids, then the messages.
    #[must_use]
    pub fn all_sent_updates<'a>(&'a self, sent: &'a [mailbox::Sent]) -> Vec<enums::Update<'a>> {
        let each = sent.iter().map(|sent| self.sent_updates(sent)).map(|[id, new]| (id, new));
        let (ids, new): (Vec<_>, Vec<_>) = each.unzip();
        ids.into_iter().chain(new).collect()
    }

    /// What a session is told of a message that it edited.
    #[must_use]
    pub fn edited_update<'a>(&'a self, edited: &'a mailbox::Edited) -> enums::Update<'a> {
        types::UpdateEditMessage::new(self.message(&edited.message), edited.pts, 1).into()
    }
}

fn message<'a>(
    viewer: UserId,
    message: &'a Message,
    attached: Option<&'a Shown>,
) -> enums::Message<'a> {
    let from = if message.out { viewer.0 } else { message.peer };
    if let Some(action) = &message.action {
        return types::MessageService {
            out: message.out,
            mentioned: message.mentioned,
            media_unread: message.media_unread,
            silent: message.silent,
            from_id: Some(peers::to_tl(from)),
            saved_peer_id: saved_peer(viewer, message),
            reply_to: message.reply.as_ref().map(reply_header),
            ..types::MessageService::new(
                message.id,
                peers::to_tl(message.peer),
                message.date,
                self::action(action),
            )
        }
        .into();
    }
    types::Message {
        out: message.out,
        mentioned: message.mentioned,
        media_unread: message.media_unread,
        silent: message.silent,
        pinned: message.pinned,
        invert_media: message.invert_media,
        from_id: Some(peers::to_tl(from)),
        saved_peer_id: saved_peer(viewer, message),
        fwd_from: message.forward.as_ref().map(forward_header),
        reply_to: message.reply.as_ref().map(reply_header),
        media: attached.map(Shown::to_tl),
        grouped_id: attached.and_then(Shown::grouped_id),
        entities: message.entities.as_deref().map(entities::to_tl),
        edit_date: message.edit_date,
        ..types::Message::new(message.id, peers::to_tl(message.peer), message.date, &message.text)
    }
    .into()
}

/// In Saved Messages: whose messages it lies with.
fn saved_peer(viewer: UserId, message: &Message) -> Option<enums::Peer> {
    let origin = message.forward.as_ref().and_then(|forward| forward.saved_from_peer);
    (message.peer == viewer.0).then(|| peers::to_tl(origin.unwrap_or(viewer.0)))
}

fn action(action: &Action) -> enums::MessageAction<'_> {
    match action {
        Action::ActionPinMessage => enums::MessageAction::MessageActionPinMessage,
        Action::ActionHistoryClear => enums::MessageAction::MessageActionHistoryClear,
        Action::ActionContactSignUp => enums::MessageAction::MessageActionContactSignUp,
    }
}

fn forward_header(forward: &Forward) -> types::MessageFwdHeader<'_> {
    let saved = forward.saved_from_peer.zip(forward.saved_from_id);
    types::MessageFwdHeader {
        from_id: forward.from.map(peers::to_tl),
        from_name: forward.from_name.as_deref(),
        saved_from_peer: saved.map(|(peer, _)| peers::to_tl(peer)),
        saved_from_msg_id: saved.map(|(_, id)| id),
        ..types::MessageFwdHeader::new(forward.date)
    }
}

fn reply_header(reply: &Reply) -> types::MessageReplyHeader<'_> {
    types::MessageReplyHeader {
        quote: reply.quote,
        reply_to_msg_id: reply.id,
        reply_to_peer_id: reply.peer.map(peers::to_tl),
        quote_text: reply.quote_text.as_deref(),
        quote_entities: reply.quote_entities.as_deref().map(entities::to_tl),
        quote_offset: reply.quote_offset,
        ..types::MessageReplyHeader::new()
    }
}

/// A line of the list of chats.
#[must_use]
pub fn dialog(chat: &mailbox::Chat) -> types::Dialog<'_> {
    let settings = chat.notify.as_ref().map_or_else(types::PeerNotifySettings::new, notify::to_tl);
    types::Dialog {
        pinned: chat.pinned,
        unread_mark: chat.unread_mark,
        draft: chat.draft.as_ref().map(draft),
        ..types::Dialog::new(
            peers::to_tl(chat.peer),
            chat.top.as_ref().map_or(0, |top| top.id),
            chat.read_inbox_max_id,
            chat.read_outbox_max_id,
            chat.unread_count,
            0,
            0,
            0,
            settings,
        )
    }
}

/// A draft. Its mentions are those of messages; the users come along.
#[must_use]
pub fn draft(draft: &Draft) -> enums::DraftMessage<'_> {
    types::DraftMessage {
        no_webpage: draft.no_webpage,
        invert_media: draft.invert_media,
        reply_to: draft.reply_to.map(|id| types::InputReplyToMessage::new(id).into()),
        entities: draft.entities.as_deref().map(entities::to_tl),
        ..types::DraftMessage::new(&draft.text, draft.date)
    }
    .into()
}

/// The state of a box. Numbers of secret chats do not move; containers are not numbered.
#[must_use]
pub fn state(state: &mailbox::State) -> types::updates::State {
    types::updates::State::new(state.pts, 0, state.date, 0, state.unread_count)
}

/// Updates with the users that they name. Order is by `pts`: `seq` is 0.
#[must_use]
pub fn updates<'a>(
    updates: Vec<enums::Update<'a>>,
    users: &'a Users,
    date: i32,
) -> types::Updates<'a> {
    types::Updates::new(updates, users.to_tl(), Vec::new(), date, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VIEWER: UserId = UserId(1);

    fn text(peer: i64) -> Message {
        Message::new(10, peer, 100, 0, 0, 0, "hello".to_owned())
    }

    fn plain(record: &Message) -> types::Message<'_> {
        match message(VIEWER, record, None) {
            enums::Message::Message(message) => message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn authors_follow_from_the_direction() {
        for (out, peer, from) in [(false, 2, 2), (true, 2, 1), (true, 1, 1)] {
            let record = Message { out, ..text(peer) };
            let message = plain(&record);
            assert_eq!(message.from_id, Some(peers::to_tl(from)));
            assert_eq!(message.peer_id, peers::to_tl(peer));
            assert_eq!(message.saved_peer_id.is_some(), peer == VIEWER.0);
        }
    }

    #[test]
    fn forwards_name_their_origin_as_a_whole_or_not() {
        let whole = Forward {
            from: Some(3),
            saved_from_peer: Some(4),
            saved_from_id: Some(5),
            ..Forward::new(50)
        };
        let header = forward_header(&whole);
        assert_eq!(header.from_id, Some(peers::to_tl(3)));
        assert_eq!(
            header.saved_from_peer.zip(header.saved_from_msg_id),
            Some((peers::to_tl(4), 5))
        );
        let half = Forward { saved_from_id: None, from: None, ..whole };
        let header = forward_header(&half);
        assert_eq!((header.saved_from_peer, header.saved_from_msg_id), (None, None));
    }

    #[test]
    fn actions_are_service_messages() {
        let reply = Reply { id: Some(4), ..Reply::new() };
        let record =
            Message { action: Some(Action::ActionPinMessage), reply: Some(reply), ..text(2) };
        let enums::Message::MessageService(service) = message(VIEWER, &record, None) else {
            panic!("no service message")
        };
        assert_eq!(service.action, enums::MessageAction::MessageActionPinMessage);
        assert_eq!(service.reply_to.and_then(|reply| reply.reply_to_msg_id), Some(4));
    }
}
