//! `messages.sendMessage`, and what all ways to send have in common.

use mtproto::session::Reply;
use tl::{
    Method,
    api::{
        enums::{InputPeer, InputReplyTo, MessageEntity, Updates},
        functions::messages::SendMessage,
    },
    operations::{functions::mailbox, types::mailbox::Sent},
};

use super::answer::view_of;
use crate::{
    convert::{messages, peers, text},
    rpc::{Result, RpcError, UserCtx},
};

/// `messages.sendMessage`: stores a text in both boxes.
///
/// Answers `updates` with `updateMessageID` and `updateNewMessage`, in Saved Messages too. Sending again with the same
/// `random_id` answers the same and stores nothing.
///
/// Errors: `MESSAGE_EMPTY`, `MESSAGE_TOO_LONG`, `PEER_ID_INVALID`, `REPLY_MESSAGE_ID_INVALID`, `SCHEDULE_DATE_INVALID`,
/// `USER_IS_BLOCKED`, `YOU_BLOCKED_USER`.
///
/// Source: <https://core.telegram.org/method/messages.sendMessage>.
pub async fn send_message(ctx: &UserCtx, request: SendMessage<'_>) -> Result<Reply> {
    Extras {
        scheduled: request.schedule_date.is_some(),
        send_as: request.send_as.as_ref(),
        shortcut: request.quick_reply_shortcut.is_some(),
        effect: request.effect,
        suggested_post: request.suggested_post.is_some(),
    }
    .check(ctx)?;
    if request.rich_message.is_some() {
        return Err(RpcError::MEDIA_INVALID);
    }
    let options = Options {
        silent: request.silent,
        no_webpage: request.no_webpage,
        clear_draft: request.clear_draft,
        invert_media: request.invert_media,
        random_id: request.random_id,
    };
    let text = Text { text: request.message, entities: request.entities.as_deref() };
    let sent = send(ctx, &request.peer, request.reply_to.as_ref(), text, options).await?;
    reply_with(ctx, &request, &sent)
}

/// What a message says.
pub(super) struct Text<'a> {
    pub(super) text: &'a str,
    pub(super) entities: Option<&'a [MessageEntity<'a>]>,
}

/// How a message is sent.
pub(super) struct Options {
    pub(super) silent: bool,
    pub(super) no_webpage: bool,
    pub(super) clear_draft: bool,
    pub(super) invert_media: bool,
    pub(super) random_id: i64,
}

/// The answer to a request by which a message was sent.
pub(super) fn reply_with<M>(ctx: &UserCtx, request: &M, sent: &Sent) -> Result<Reply>
where
    M: for<'a> Method<Answer<'a> = Updates<'a>>,
{
    let view = view_of(ctx, [&sent.message])?;
    let updates = view.sent_updates(sent).into();
    Ok(ctx.answer(request, messages::updates(updates, &view.users, ctx.now())))
}

/// Sends a text.
pub(super) async fn send(
    ctx: &UserCtx,
    to: &InputPeer,
    reply_to: Option<&InputReplyTo<'_>>,
    said: Text<'_>,
    options: Options,
) -> Result<Sent> {
    let spans = said.entities.unwrap_or_default();
    let text = text::from_tl(ctx.shared(), ctx.user, said.text, spans)?;
    let send = mailbox::Send {
        silent: options.silent,
        no_webpage: options.no_webpage,
        clear_draft: options.clear_draft,
        invert_media: options.invert_media,
        media_unread: false,
        peer: peers::peer(ctx.shared(), ctx.user, to)?,
        random_id: options.random_id,
        text: text.text,
        entities: Some(text.entities),
        reply: peers::reply_to(ctx.shared(), ctx.user, reply_to)?,
        media: None,
        source: None,
        beside: None,
    };
    Ok(ctx.call(ctx.user, &send).await?)
}

/// What a message may be asked to be that none is here.
pub(super) struct Extras<'a> {
    /// To be sent later.
    pub(super) scheduled: bool,
    /// In the name of somebody else.
    pub(super) send_as: Option<&'a InputPeer>,
    /// A prepared answer.
    pub(super) shortcut: bool,
    /// With an effect.
    pub(super) effect: Option<i64>,
    /// An offer to a channel.
    pub(super) suggested_post: bool,
}

impl Extras<'_> {
    /// Refuses what would otherwise silently become an ordinary message.
    pub(super) fn check(&self, ctx: &UserCtx) -> Result<()> {
        if self.scheduled {
            return Err(RpcError::SCHEDULE_DATE_INVALID);
        }
        if self.shortcut {
            return Err(RpcError::SHORTCUT_INVALID);
        }
        if self.suggested_post {
            return Err(RpcError::SUGGESTED_POST_PEER_INVALID);
        }
        if self.effect.is_some_and(|effect| effect != 0) {
            return Err(RpcError::EFFECT_ID_INVALID);
        }
        if let Some(author) = self.send_as {
            let author = peers::peer(ctx.shared(), ctx.user, author);
            if author != Ok(ctx.user.0) {
                return Err(RpcError::SEND_AS_PEER_INVALID);
            }
        }
        Ok(())
    }
}
