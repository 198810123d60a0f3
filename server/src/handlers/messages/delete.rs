//! `messages.deleteMessages`, `messages.deleteHistory`.

use mtproto::session::Reply;
use tl::{
    api::{
        functions::messages::{DeleteHistory, DeleteMessages},
        types::messages::{AffectedHistory, AffectedMessages},
    },
    operations::functions::mailbox,
};

use crate::{
    convert::peers,
    rpc::{Result, UserCtx},
};

/// `messages.deleteMessages`: deletes the caller's copies, and with `revoke` the other side's.
///
/// Ids of the caller's box that name nothing are ignored.
///
/// Source: <https://core.telegram.org/method/messages.deleteMessages>.
pub async fn delete_messages(ctx: &UserCtx, request: DeleteMessages) -> Result<Reply> {
    let delete = mailbox::Delete { revoke: request.revoke, ids: request.id.clone() };
    let affected = ctx.call(ctx.user, &delete).await?;
    Ok(ctx.answer(&request, AffectedMessages::new(affected.pts, affected.pts_count)))
}

/// `messages.deleteHistory`: deletes a chat, a part at a time: with an `offset` above 0 the client calls again.
///
/// Errors: `PEER_ID_INVALID`.
///
/// Source: <https://core.telegram.org/method/messages.deleteHistory>.
pub async fn delete_history(ctx: &UserCtx, request: DeleteHistory) -> Result<Reply> {
    let delete = mailbox::DeleteHistory {
        just_clear: request.just_clear,
        revoke: request.revoke,
        peer: peers::peer(ctx.shared(), ctx.user, &request.peer)?,
        max_id: request.max_id,
        min_date: request.min_date,
        max_date: request.max_date,
    };
    let affected = ctx.call(ctx.user, &delete).await?;
    let answer = AffectedHistory::new(affected.pts, affected.pts_count, affected.offset);
    Ok(ctx.answer(&request, answer))
}
