//! Lists of those whom the caller writes to most: how often that is is not counted here.

use mtproto::session::Reply;
use tl::api::{
    functions::contacts::{GetTopPeers, ResetTopPeerRating, ToggleTopPeers},
    types::contacts::TopPeers,
};

use crate::{
    convert::peers,
    rpc::{Result, UserCtx},
};

/// `contacts.getTopPeers`. Empty by design: it is not counted who writes to whom how often.
///
/// Source: <https://core.telegram.org/method/contacts.getTopPeers>.
pub async fn get_top_peers(ctx: &UserCtx, request: GetTopPeers) -> Result<Reply> {
    Ok(ctx.answer(&request, TopPeers::new(Vec::new(), Vec::new(), Vec::new())))
}

/// `contacts.toggleTopPeers`. Does nothing by design: the lists are empty either way.
///
/// Source: <https://core.telegram.org/method/contacts.toggleTopPeers>.
pub async fn toggle_top_peers(ctx: &UserCtx, request: ToggleTopPeers) -> Result<Reply> {
    Ok(ctx.answer(&request, true))
}

/// `contacts.resetTopPeerRating`. Does nothing by design: nothing was counted.
///
/// Errors: `PEER_ID_INVALID`.
///
/// Source: <https://core.telegram.org/method/contacts.resetTopPeerRating>.
pub async fn reset_top_peer_rating(ctx: &UserCtx, request: ResetTopPeerRating) -> Result<Reply> {
    peers::peer(ctx.shared(), ctx.user, &request.peer)?;
    Ok(ctx.answer(&request, true))
}
