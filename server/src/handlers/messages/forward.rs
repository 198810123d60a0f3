//! `messages.forwardMessages`.

use mtproto::session::Reply;
use services::limits::FORWARD_COUNT_MAX;
use storage::UserId;
use tl::{
    api::functions::messages::ForwardMessages,
    operations::{
        functions::{accounts, mailbox},
        types::HiddenAuthor,
    },
};

use super::{answer::view_of, send::Extras};
use crate::{
    convert::{messages, peers},
    rpc::{Result, RpcError, UserCtx},
};

/// `messages.forwardMessages`: sends messages of a chat into another one.
///
/// Answers one `updateMessageID` for each `random_id` whose message exists, in order, then the messages. The header of a
/// message does not lead to an author whose privacy rules forbid it. Videos begin at `video_timestamp`, or where they did.
///
/// Errors: `MESSAGE_ID_INVALID` if no message exists, `PEER_ID_INVALID`, `RANDOM_ID_INVALID`, and those of
/// `messages.sendMessage`, `FLOOD_WAIT_X` among them: each message costs what sending it costs; `REPLY_MESSAGE_ID_INVALID` for
/// any reply, which forwarded messages are not.
///
/// Source: <https://core.telegram.org/method/messages.forwardMessages>.
pub async fn forward_messages(ctx: &UserCtx, request: ForwardMessages<'_>) -> Result<Reply> {
    Extras {
        scheduled: request.schedule_date.is_some(),
        send_as: request.send_as.as_ref(),
        shortcut: request.quick_reply_shortcut.is_some(),
        effect: request.effect,
        suggested_post: request.suggested_post.is_some(),
    }
    .check(ctx)?;
    if peers::reply_to(ctx.shared(), ctx.user, request.reply_to.as_ref())?.is_some() {
        return Err(RpcError::REPLY_MESSAGE_ID_INVALID);
    }
    let from = peers::peer(ctx.shared(), ctx.user, &request.from_peer)?;
    if request.id.len() > FORWARD_COUNT_MAX {
        return Err(RpcError::RANDOM_ID_INVALID);
    }
    ctx.spend_for(request.id.len())?;
    let forward = mailbox::Forward {
        silent: request.silent,
        drop_author: request.drop_author,
        drop_captions: request.drop_media_captions,
        from,
        ids: request.id.clone(),
        random_ids: request.random_id.clone(),
        peer: peers::peer(ctx.shared(), ctx.user, &request.to_peer)?,
        hidden: hidden_author(ctx, from).await?.map(|hidden| vec![hidden]),
        video_timestamp_s: request.video_timestamp,
    };
    let forwarded = ctx.call(ctx.user, &forward).await?;
    let view = view_of(ctx, forwarded.sent.iter().map(|sent| &sent.message))?;
    let updates = view.all_sent_updates(&forwarded.sent);
    Ok(ctx.answer(&request, messages::updates(updates, &view.users, ctx.now())))
}

/// The other side of the chat, if it does not want forwards of its messages to lead to it.
async fn hidden_author(ctx: &UserCtx, peer: i64) -> Result<Option<HiddenAuthor>> {
    if peer == ctx.user.0 {
        return Ok(None);
    }
    let profile = ctx.call(UserId(peer), &accounts::Get { viewer: ctx.user.0 }).await?;
    if profile.named_in_forwards {
        return Ok(None);
    }
    let account = profile.account;
    let name = format!("{} {}", account.first_name, account.last_name).trim().to_owned();
    Ok(Some(HiddenAuthor { user: peer, name }))
}
