//! `stories.*`: there are no stories; peers are checked all the same.

use mtproto::session::Reply;
use tl::api::{
    functions::stories::{GetAllReadPeerStories, GetAllStories, GetPeerMaxIDs, GetPeerStories},
    types::{PeerStories, RecentStory, StoriesStealthMode, Updates, stories},
};

use crate::{
    convert::{peers, users::Users},
    rpc::{Result, RpcError, UserCtx},
};

/// The state of the list of stories, which never changes.
const STATE: &str = "0";

/// How many peers one request may name.
const PEER_COUNT_MAX: usize = 100;

/// `stories.getAllStories`: stories of those the caller knows.
///
/// Empty by design: there are none.
///
/// Source: <https://core.telegram.org/method/stories.getAllStories>.
pub async fn get_all_stories(ctx: &UserCtx, request: GetAllStories<'_>) -> Result<Reply> {
    let none = stories::AllStories::new(
        0,
        STATE,
        Vec::new(),
        Vec::new(),
        Vec::new(),
        StoriesStealthMode::new(),
    );
    Ok(ctx.answer(&request, none))
}

/// `stories.getPeerMaxIDs`: the newest story of each of these peers.
///
/// Empty by design: nobody has one.
///
/// Errors: `LIMIT_INVALID` for too many peers.
///
/// Source: <https://core.telegram.org/method/stories.getPeerMaxIDs>.
pub async fn get_peer_max_ids(ctx: &UserCtx, request: GetPeerMaxIDs) -> Result<Reply> {
    if request.id.len() > PEER_COUNT_MAX {
        return Err(RpcError::LIMIT_INVALID);
    }
    Ok(ctx.answer(&request, vec![RecentStory::new(); request.id.len()]))
}

/// `stories.getPeerStories`: the stories of one peer.
///
/// Empty by design: nobody has any.
///
/// Errors: `PEER_ID_INVALID`.
///
/// Source: <https://core.telegram.org/method/stories.getPeerStories>.
pub async fn get_peer_stories(ctx: &UserCtx, request: GetPeerStories) -> Result<Reply> {
    let peer = peers::peer(ctx.shared(), ctx.user, &request.peer)?;
    let users = Users::load(ctx.shared(), ctx.user, [peer])?;
    let none = PeerStories::new(peers::to_tl(peer), Vec::new());
    Ok(ctx.answer(&request, stories::PeerStories::new(none, Vec::new(), users.to_tl())))
}

/// `stories.getAllReadPeerStories`: how far stories were seen.
///
/// Empty by design: there are none.
///
/// Source: <https://core.telegram.org/method/stories.getAllReadPeerStories>.
pub async fn get_all_read_peer_stories(
    ctx: &UserCtx,
    request: GetAllReadPeerStories,
) -> Result<Reply> {
    let none = Updates::new(Vec::new(), Vec::new(), Vec::new(), ctx.now(), 0);
    Ok(ctx.answer(&request, none))
}
