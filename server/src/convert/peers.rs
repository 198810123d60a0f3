//! Peers that clients name, and peers that they are told of.
//!
//! A peer is a marked id: a user's id as it is. Basic groups and channels are known as kinds of peers, but there are none.

use storage::UserId;
use tl::{
    api::{enums, types},
    operations::{
        enums::Filter,
        functions,
        types::{ReplyTo, mailbox},
    },
    records::types::Message,
};

use super::{entities, read};
use crate::{
    rpc::{Result, RpcError},
    shared::{AccessKind, Shared},
};

/// The peer that a client names.
///
/// # Errors
///
/// `PEER_ID_INVALID` for none, a wrong access hash, or a message that does not show the user; `CHAT_ID_INVALID` and
/// `CHANNEL_INVALID` for groups and channels.
pub fn peer(shared: &Shared, viewer: UserId, input: &enums::InputPeer) -> Result<i64> {
    match input {
        enums::InputPeer::InputPeerSelf => Ok(viewer.0),
        enums::InputPeer::InputPeerUser(user) => {
            known(shared, viewer, user.user_id, user.access_hash).ok_or(RpcError::PEER_ID_INVALID)
        }
        enums::InputPeer::InputPeerUserFromMessage(user) => {
            shown(shared, viewer, &user.peer, user.msg_id, user.user_id)?
                .ok_or(RpcError::PEER_ID_INVALID)
        }
        enums::InputPeer::InputPeerEmpty => Err(RpcError::PEER_ID_INVALID),
        enums::InputPeer::InputPeerChat(_) => Err(RpcError::CHAT_ID_INVALID),
        enums::InputPeer::InputPeerChannel(_)
        | enums::InputPeer::InputPeerChannelFromMessage(_) => Err(RpcError::CHANNEL_INVALID),
    }
}

/// The peer that a client names, or `None` for `inputPeerEmpty`.
///
/// # Errors
///
/// As [`peer`].
pub fn optional_peer(
    shared: &Shared,
    viewer: UserId,
    input: &enums::InputPeer,
) -> Result<Option<i64>> {
    match input {
        enums::InputPeer::InputPeerEmpty => Ok(None),
        _ => peer(shared, viewer, input).map(Some),
    }
}

/// The peer at which a list goes on; 0 for none.
///
/// It only says where in the caller's own list a page begins, so that nothing has to be proven: TDLib names it without an access
/// hash.
#[must_use]
pub fn offset_peer(viewer: UserId, input: &enums::InputPeer) -> i64 {
    match input {
        enums::InputPeer::InputPeerSelf => viewer.0,
        enums::InputPeer::InputPeerUser(user) => user.user_id,
        enums::InputPeer::InputPeerUserFromMessage(user) => user.user_id,
        _ => 0,
    }
}

/// The user that a client names.
///
/// # Errors
///
/// `USER_ID_INVALID` for none, a wrong access hash, or a message that does not show the user.
pub fn user(shared: &Shared, viewer: UserId, input: &enums::InputUser) -> Result<UserId> {
    let id = match input {
        enums::InputUser::InputUserSelf => Some(viewer.0),
        enums::InputUser::InputUser(user) => known(shared, viewer, user.user_id, user.access_hash),
        enums::InputUser::InputUserFromMessage(user) => {
            shown(shared, viewer, &user.peer, user.msg_id, user.user_id)?
        }
        enums::InputUser::InputUserEmpty => None,
    };
    id.map(UserId).ok_or(RpcError::USER_ID_INVALID)
}

/// The chat that a client names where folders are possible too.
///
/// # Errors
///
/// As [`peer`]; `FOLDER_ID_INVALID` for a folder, `CHANNEL_INVALID` for a community.
pub fn dialog_peer(shared: &Shared, viewer: UserId, input: &enums::InputDialogPeer) -> Result<i64> {
    match input {
        enums::InputDialogPeer::InputDialogPeer(input) => peer(shared, viewer, &input.peer),
        enums::InputDialogPeer::InputDialogPeerFolder(_) => Err(RpcError::FOLDER_ID_INVALID),
        enums::InputDialogPeer::InputDialogPeerCommunity(_) => Err(RpcError::CHANNEL_INVALID),
    }
}

/// A peer for clients.
#[must_use]
pub fn to_tl(peer: i64) -> enums::Peer {
    types::PeerUser::new(peer).into()
}

/// A peer for clients, as an entry of the list of chats.
#[must_use]
pub fn dialog_peer_to_tl(peer: i64) -> types::DialogPeer {
    types::DialogPeer::new(to_tl(peer))
}

/// A peer as `viewer` would name it.
#[must_use]
pub fn input_to_tl(shared: &Shared, viewer: UserId, peer: i64) -> enums::InputPeer {
    if peer == viewer.0 {
        return enums::InputPeer::InputPeerSelf;
    }
    let access_hash = shared.access_hash(viewer, AccessKind::User, peer);
    types::InputPeerUser::new(peer, access_hash).into()
}

/// What a message is to reply to. Without a message id it replies to nothing.
///
/// # Errors
///
/// As [`peer`]; `REPLY_MESSAGE_ID_INVALID` and `STORY_ID_INVALID` for what does not exist here.
pub fn reply_to(
    shared: &Shared,
    viewer: UserId,
    input: Option<&enums::InputReplyTo<'_>>,
) -> Result<Option<ReplyTo>> {
    let reply = match input {
        None => return Ok(None),
        Some(enums::InputReplyTo::InputReplyToMessage(reply)) => reply,
        Some(enums::InputReplyTo::InputReplyToStory(_)) => return Err(RpcError::STORY_ID_INVALID),
        Some(enums::InputReplyTo::InputReplyToMonoForum(_)) => {
            return Err(RpcError::CHANNEL_INVALID);
        }
        Some(enums::InputReplyTo::InputReplyToEphemeralMessage(_)) => {
            return Err(RpcError::REPLY_MESSAGE_ID_INVALID);
        }
    };
    if reply.reply_to_msg_id == 0 {
        return Ok(None);
    }
    let other = reply.reply_to_peer_id.as_ref();
    let quote = reply.quote_entities.as_deref();
    Ok(Some(ReplyTo {
        peer: other.map(|other| peer(shared, viewer, other)).transpose()?,
        quote_text: reply.quote_text.map(str::to_owned),
        quote_entities: quote.map(|all| entities::from_tl(shared, viewer, all)).transpose()?,
        quote_offset: reply.quote_offset,
        ..ReplyTo::new(reply.reply_to_msg_id)
    }))
}

/// Which messages a search is for. Kinds that nobody can send fit no message.
#[must_use]
pub fn filter(filter: &enums::MessagesFilter) -> Filter {
    match filter {
        enums::MessagesFilter::InputMessagesFilterEmpty => Filter::FilterAll,
        enums::MessagesFilter::InputMessagesFilterUrl => Filter::FilterUrl,
        enums::MessagesFilter::InputMessagesFilterPinned => Filter::FilterPinned,
        enums::MessagesFilter::InputMessagesFilterMyMentions => Filter::FilterMentions,
        enums::MessagesFilter::InputMessagesFilterPhotos => Filter::FilterPhotos,
        enums::MessagesFilter::InputMessagesFilterVideo => Filter::FilterVideo,
        enums::MessagesFilter::InputMessagesFilterPhotoVideo => Filter::FilterPhotoVideo,
        enums::MessagesFilter::InputMessagesFilterDocument => Filter::FilterDocument,
        enums::MessagesFilter::InputMessagesFilterGif => Filter::FilterGif,
        enums::MessagesFilter::InputMessagesFilterVoice => Filter::FilterVoice,
        enums::MessagesFilter::InputMessagesFilterMusic => Filter::FilterMusic,
        enums::MessagesFilter::InputMessagesFilterRoundVoice => Filter::FilterRoundVoice,
        enums::MessagesFilter::InputMessagesFilterRoundVideo => Filter::FilterRoundVideo,
        enums::MessagesFilter::InputMessagesFilterGeo => Filter::FilterGeo,
        enums::MessagesFilter::InputMessagesFilterContacts => Filter::FilterContacts,
        enums::MessagesFilter::InputMessagesFilterChatPhotos
        | enums::MessagesFilter::InputMessagesFilterPhoneCalls(_)
        | enums::MessagesFilter::InputMessagesFilterPoll => Filter::FilterNone,
    }
}

/// The user, if the access hash is the one that this viewer was given.
fn known(shared: &Shared, viewer: UserId, id: i64, access_hash: i64) -> Option<i64> {
    shared.access_hash_is(viewer, AccessKind::User, id, access_hash).then_some(id)
}

/// The user, if this message of the viewer's shows it.
fn shown(
    shared: &Shared,
    viewer: UserId,
    chat: &enums::InputPeer,
    msg_id: i32,
    user: i64,
) -> Result<Option<i64>> {
    let chat = peer(shared, viewer, chat)?;
    let found: mailbox::Found =
        read(shared, viewer, &functions::mailbox::Messages { ids: vec![msg_id] })?;
    let shows = |message: &Message| message.peer == chat && shows(viewer, message, user);
    Ok(found.messages.iter().any(shows).then_some(user))
}

/// Whether a message names the user: as its author, as that of the original, or in its text.
fn shows(viewer: UserId, message: &Message, user: i64) -> bool {
    let mut named = super::messages::Peers::default();
    named.message(message);
    user > 0 && (user == viewer.0 || named.contains(user))
}

#[cfg(test)]
mod tests {
    use tl::records::{
        enums::EntityKind,
        types::{Entity, Forward},
    };

    use super::*;

    #[test]
    fn messages_show_their_authors_origins_and_mentions() {
        let viewer = UserId(1);
        let forward = Forward { from: Some(3), ..Forward::new(0) };
        let mention =
            Entity { number: Some(4), ..Entity::new(EntityKind::EntityMentionName, 0, 1) };
        let emoji = Entity { number: Some(5), ..Entity::new(EntityKind::EntityCustomEmoji, 0, 1) };
        let message = Message {
            forward: Some(forward),
            entities: Some(vec![mention, emoji]),
            ..Message::new(10, 2, 0, 0, 0, 0, "x".to_owned())
        };
        for (user, expected) in
            [(2, true), (3, true), (4, true), (5, false), (6, false), (0, false)]
        {
            assert_eq!(shows(viewer, &message, user), expected, "{user}");
        }
    }
}
