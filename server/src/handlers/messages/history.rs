//! `messages.getHistory`, `messages.getMessages`.

use std::collections::HashMap;

use mtproto::session::Reply;
use tl::{
    api::{
        enums::InputMessage,
        functions::messages::{GetHistory, GetMessages},
        types::{self, MessageEmpty},
    },
    operations::functions::mailbox,
    records::types::Message,
};

use super::answer::{Page, check_count, view_of};
use crate::{
    convert::peers,
    rpc::{Result, UserCtx},
};

/// `messages.getHistory`: a window of a chat, newest first.
///
/// Errors: `LIMIT_INVALID`, `PEER_ID_INVALID`.
///
/// Source: <https://core.telegram.org/method/messages.getHistory>.
pub async fn get_history(ctx: &UserCtx, request: GetHistory) -> Result<Reply> {
    let peer = peers::peer(ctx.shared(), ctx.user, &request.peer)?;
    let history = mailbox::History {
        peer,
        offset_id: request.offset_id,
        offset_date: request.offset_date,
        add_offset: request.add_offset,
        limit: request.limit,
        max_id: request.max_id,
        min_id: request.min_id,
    };
    let slice = ctx.call(ctx.user, &history).await?;
    let page = Page::new(ctx, Some(peer), slice)?;
    Ok(ctx.answer(&request, page.to_tl(request.hash)))
}

/// `messages.getMessages`: messages of any private chat, in the order asked; `messageEmpty` in the place of those that do not
/// exist.
///
/// Errors: `LIMIT_INVALID` for more than `PAGE_COUNT_MAX` ids.
///
/// Source: <https://core.telegram.org/method/messages.getMessages>.
pub async fn get_messages(ctx: &UserCtx, request: GetMessages) -> Result<Reply> {
    check_count(request.id.len())?;
    let replies = request.id.iter().filter_map(|input| match input {
        InputMessage::InputMessageReplyTo(reply) => Some(reply.id),
        _ => None,
    });
    let replies = found(ctx, replies.collect()).await?;
    // The id that an input leads to; 0, which no message has, if it leads nowhere.
    let target = |input: &InputMessage| match input {
        InputMessage::InputMessageID(message) => message.id,
        InputMessage::InputMessageReplyTo(by) => {
            let reply = replies.get(&by.id).and_then(|message| message.reply.as_ref());
            reply.and_then(|reply| reply.id).unwrap_or_default()
        }
        InputMessage::InputMessagePinned | InputMessage::InputMessageCallbackQuery(_) => 0,
    };
    let found = found(ctx, request.id.iter().map(target).collect()).await?;
    let view = view_of(ctx, found.values())?;
    let page = request.id.iter().map(|input| match found.get(&target(input)) {
        Some(message) => view.message(message),
        None => MessageEmpty::new(asked(input)).into(),
    });
    let page = page.collect();
    let answer = types::messages::Messages::new(page, Vec::new(), Vec::new(), view.users.to_tl());
    Ok(ctx.answer(&request, answer))
}

/// Those of the messages that exist, by id.
async fn found(ctx: &UserCtx, ids: Vec<i32>) -> Result<HashMap<i32, Message>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let found = ctx.call(ctx.user, &mailbox::Messages { ids }).await?;
    Ok(found.messages.into_iter().map(|message| (message.id, message)).collect())
}

/// The id by which a message was asked for.
fn asked(input: &InputMessage) -> i32 {
    match input {
        InputMessage::InputMessageID(message) => message.id,
        InputMessage::InputMessageReplyTo(message) => message.id,
        InputMessage::InputMessageCallbackQuery(message) => message.id,
        InputMessage::InputMessagePinned => 0,
    }
}
