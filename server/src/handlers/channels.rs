//! `channels.*`: channels and supergroups, as far as clients ask for them before there are any.

use mtproto::session::Reply;
use tl::api::{functions::channels::GetChannels, types::messages::Chats};

use crate::rpc::{Result, RpcError, UserCtx};

/// `channels.getChannels`: channels and supergroups as the caller may see them.
///
/// Empty by design: there are none yet, so that whichever is named is unknown.
///
/// Errors: `CHANNEL_INVALID`.
///
/// Source: <https://core.telegram.org/method/channels.getChannels>.
pub async fn get_channels(ctx: &UserCtx, request: GetChannels) -> Result<Reply> {
    if !request.id.is_empty() {
        return Err(RpcError::CHANNEL_INVALID);
    }
    Ok(ctx.answer(&request, Chats::new(Vec::new())))
}
