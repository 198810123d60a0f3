//! `updates.*`: where a box stands, and what happened in it.

use mtproto::session::Reply;
use services::limits::DIFFERENCE_EVENT_COUNT;
use tl::{
    api::functions::updates::{GetChannelDifference, GetDifference, GetState},
    operations::functions::mailbox,
};

use crate::{
    convert::messages,
    rpc::{Result, RpcError, UserCtx},
    updates::difference::Loaded,
};

/// `updates.getState`: where the caller's box stands.
///
/// Source: <https://core.telegram.org/method/updates.getState>.
pub async fn get_state(ctx: &UserCtx, request: GetState) -> Result<Reply> {
    let state = ctx.call(ctx.user, &mailbox::GetState {}).await?;
    let mut state = messages::state(&state);
    if state.date == 0 {
        // Nothing has happened yet. Clients take 0 for "not known".
        state.date = ctx.now();
    }
    Ok(ctx.answer(&request, state))
}

/// `updates.getDifference`: what happened in the caller's box since `pts`, [`DIFFERENCE_EVENT_COUNT`] events at a time.
///
/// `date` and `qts` are not looked at: `pts` alone says where the caller stands.
///
/// Errors: `PERSISTENT_TIMESTAMP_EMPTY`, `PERSISTENT_TIMESTAMP_INVALID`.
///
/// Source: <https://core.telegram.org/method/updates.getDifference>.
pub async fn get_difference(ctx: &UserCtx, request: GetDifference) -> Result<Reply> {
    let limit = request.pts_limit.filter(|limit| *limit > 0);
    let get = mailbox::GetDifference {
        pts: request.pts,
        limit: limit.unwrap_or(DIFFERENCE_EVENT_COUNT).min(DIFFERENCE_EVENT_COUNT),
        total_limit: request.pts_total_limit.unwrap_or(0).max(0),
    };
    let difference = ctx.call(ctx.user, &get).await?;
    let loaded = Loaded::new(ctx.shared(), ctx.user, difference)?;
    Ok(ctx.answer(&request, loaded.to_tl()))
}

/// `updates.getChannelDifference`: refused, as there are no channels.
///
/// Errors: `CHANNEL_INVALID`.
///
/// Source: <https://core.telegram.org/method/updates.getChannelDifference>.
pub async fn get_channel_difference(
    _ctx: &UserCtx,
    _request: GetChannelDifference,
) -> Result<Reply> {
    Err(RpcError::CHANNEL_INVALID)
}
