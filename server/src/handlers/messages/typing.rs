//! `messages.setTyping`.

use mtproto::session::Reply;
use storage::UserId;
use tl::{
    Encode, Layer,
    api::{enums::SendMessageAction, functions::messages::SetTyping},
    operations::functions::mailbox,
};

use crate::{
    convert::peers,
    rpc::{Result, UserCtx},
};

/// `messages.setTyping`: tells the other side what the caller is doing in the chat, or that it stopped.
///
/// Nothing is stored. Those who blocked the caller are told nothing, and the caller cannot see that.
///
/// Errors: `PEER_ID_INVALID`.
///
/// Source: <https://core.telegram.org/method/messages.setTyping>.
pub async fn set_typing(ctx: &UserCtx, request: SetTyping<'_>) -> Result<Reply> {
    let peer = peers::peer(ctx.shared(), ctx.user, &request.peer)?;
    if peer != ctx.user.0 && is_passed_on(&request.action) {
        let action = request.action.to_vec(Layer::NEWEST);
        let typing = mailbox::Typing { from: ctx.user.0, action: &action };
        ctx.call(UserId(peer), &typing).await?;
    }
    Ok(ctx.answer(&request, true))
}

/// Whether the other side understands an action as it is.
///
/// Left out are interactions, which name a message by its id in the caller's box, what is about group calls, and what
/// bots alone do.
fn is_passed_on(action: &SendMessageAction<'_>) -> bool {
    !matches!(
        action,
        SendMessageAction::SendMessageEmojiInteraction(_)
            | SendMessageAction::SpeakingInGroupCallAction
            | SendMessageAction::SendMessageTextDraftAction(_)
            | SendMessageAction::InputSendMessageRichMessageDraftAction(_)
            | SendMessageAction::SendMessageRichMessageDraftAction(_)
            | SendMessageAction::SendMessageStopDraftAction(_)
    )
}
