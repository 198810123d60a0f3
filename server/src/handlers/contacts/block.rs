//! Who is blocked.

use mtproto::session::Reply;
use tl::{
    api::{
        enums::contacts::Blocked,
        functions::contacts::{Block, GetBlocked, Unblock},
        types::{self, contacts},
    },
    operations::functions::contacts as operations,
};

use crate::{
    convert::{peers, users::Users},
    rpc::{Result, UserCtx},
};

/// `contacts.block`: neither side can write to the other any more. A block of stories alone does nothing: there are none.
///
/// Errors: `PEER_ID_INVALID`, also for oneself.
///
/// Source: <https://core.telegram.org/method/contacts.block>.
pub async fn block(ctx: &UserCtx, request: Block) -> Result<Reply> {
    let peer = peers::peer(ctx.shared(), ctx.user, &request.id)?;
    if !request.my_stories_from {
        ctx.call(ctx.user, &operations::Block { peer }).await?;
    }
    Ok(ctx.answer(&request, true))
}

/// `contacts.unblock`: ends a block.
///
/// Errors: `PEER_ID_INVALID`.
///
/// Source: <https://core.telegram.org/method/contacts.unblock>.
pub async fn unblock(ctx: &UserCtx, request: Unblock) -> Result<Reply> {
    let peer = peers::peer(ctx.shared(), ctx.user, &request.id)?;
    if !request.my_stories_from {
        ctx.call(ctx.user, &operations::Unblock { peer }).await?;
    }
    Ok(ctx.answer(&request, true))
}

/// `contacts.getBlocked`: who is blocked, latest first. Of stories nobody is.
///
/// Errors: `LIMIT_INVALID`.
///
/// Source: <https://core.telegram.org/method/contacts.getBlocked>.
pub async fn get_blocked(ctx: &UserCtx, request: GetBlocked) -> Result<Reply> {
    if request.my_stories_from {
        let nobody = contacts::Blocked::new(Vec::new(), Vec::new(), Vec::new());
        return Ok(ctx.answer(&request, nobody));
    }
    let offset = request.offset.max(0);
    let page = operations::GetBlocked { offset, limit: request.limit };
    let page = ctx.call(ctx.user, &page).await?;
    let users = Users::load(ctx.shared(), ctx.user, page.peers.iter().map(|known| known.peer))?;
    let blocked: Vec<_> = page
        .peers
        .iter()
        .map(|known| {
            let date = known.relation.blocked.unwrap_or_default();
            types::PeerBlocked::new(peers::to_tl(known.peer), date)
        })
        .collect();
    let is_all = offset == 0 && usize::try_from(page.count).is_ok_and(|all| all <= blocked.len());
    let answer: Blocked<'_> = if is_all {
        contacts::Blocked::new(blocked, Vec::new(), users.to_tl()).into()
    } else {
        contacts::BlockedSlice::new(page.count, blocked, Vec::new(), users.to_tl()).into()
    };
    Ok(ctx.answer(&request, answer))
}
