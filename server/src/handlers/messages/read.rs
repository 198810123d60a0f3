//! `messages.readHistory`, `messages.readMessageContents`, `messages.getOutboxReadDate`.

use mtproto::session::Reply;
use storage::UserId;
use tl::{
    api::{
        functions::messages::{GetOutboxReadDate, ReadHistory, ReadMessageContents},
        types::{OutboxReadDate, messages::AffectedMessages},
    },
    operations::{
        enums::mailbox::Difference,
        functions::{accounts, mailbox},
    },
    records::enums::Change,
};

use crate::{
    convert::peers,
    rpc::{Result, RpcError, UserCtx},
};

/// How many events are looked at at once for the moment when a message was read.
const READ_DATE_EVENT_COUNT: i32 = 500;
/// How often. What was read so long after it was sent has no date any more.
const READ_DATE_PAGE_COUNT: usize = 8;

/// `messages.readHistory`: what the other side wrote is read up to `max_id`, and it is told so.
///
/// A lower `max_id` than before changes nothing: `pts_count` is 0.
///
/// Errors: `PEER_ID_INVALID`.
///
/// Source: <https://core.telegram.org/method/messages.readHistory>.
pub async fn read_history(ctx: &UserCtx, request: ReadHistory) -> Result<Reply> {
    let peer = peers::peer(ctx.shared(), ctx.user, &request.peer)?;
    let read = mailbox::ReadHistory { peer, max_id: request.max_id };
    let affected = ctx.call(ctx.user, &read).await?;
    Ok(ctx.answer(&request, AffectedMessages::new(affected.pts, affected.pts_count)))
}

/// `messages.readMessageContents`: voice messages and videos were opened.
///
/// Source: <https://core.telegram.org/method/messages.readMessageContents>.
pub async fn read_message_contents(ctx: &UserCtx, request: ReadMessageContents) -> Result<Reply> {
    let read = mailbox::ReadContents { ids: request.id.clone() };
    let affected = ctx.call(ctx.user, &read).await?;
    Ok(ctx.answer(&request, AffectedMessages::new(affected.pts, affected.pts_count)))
}

/// `messages.getOutboxReadDate`: when the other side read a message of the caller's.
///
/// The date is that of the event in the caller's log, so it is known as long as the log reaches back to it.
///
/// Errors: `MESSAGE_ID_INVALID`, `MESSAGE_NOT_READ_YET`, `MESSAGE_TOO_OLD`, `PEER_ID_INVALID`; `USER_PRIVACY_RESTRICTED` if the
/// other side does not let the caller see when it was online.
///
/// Source: <https://core.telegram.org/method/messages.getOutboxReadDate>.
pub async fn get_outbox_read_date(ctx: &UserCtx, request: GetOutboxReadDate) -> Result<Reply> {
    let peer = peers::peer(ctx.shared(), ctx.user, &request.peer)?;
    let id = request.msg_id;
    let found = ctx.call(ctx.user, &mailbox::Messages { ids: vec![id] }).await?;
    if !found.messages.iter().any(|message| message.out && message.peer == peer) {
        return Err(RpcError::MESSAGE_ID_INVALID);
    }
    let profile = ctx.call(UserId(peer), &accounts::Get { viewer: ctx.user.0 }).await?;
    if !profile.presence_visible {
        return Err(RpcError::USER_PRIVACY_RESTRICTED);
    }
    let chats = ctx.call(ctx.user, &mailbox::GetChats { peers: vec![peer] }).await?.chats;
    if chats.iter().all(|chat| chat.read_outbox_max_id < id) {
        return Err(RpcError::MESSAGE_NOT_READ_YET);
    }
    let date = read_date(ctx, peer, id).await?.ok_or(RpcError::MESSAGE_TOO_OLD)?;
    Ok(ctx.answer(&request, OutboxReadDate::new(date)))
}

/// When `peer` read the message, by the log.
async fn read_date(ctx: &UserCtx, peer: i64, id: i32) -> Result<Option<i32>> {
    // The id of a message is the `pts` of the event that it came with, and it was read after that.
    let mut pts = id;
    for _ in 0..READ_DATE_PAGE_COUNT {
        let since = mailbox::GetDifference { pts, limit: READ_DATE_EVENT_COUNT, total_limit: 0 };
        let Difference::Difference(difference) = ctx.call(ctx.user, &since).await? else {
            return Ok(None);
        };
        let read = difference.events.iter().find(|logged| match &logged.event.change {
            Change::ChangeReadOutbox(read) => read.peer == peer && read.max_id >= id,
            _ => false,
        });
        if read.is_some() || !difference.more {
            return Ok(read.map(|logged| logged.event.date));
        }
        pts = difference.state.pts;
    }
    Ok(None)
}
