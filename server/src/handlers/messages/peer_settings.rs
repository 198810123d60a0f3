//! `messages.getPeerSettings`, `messages.hidePeerSettingsBar`.

use mtproto::session::Reply;
use tl::api::{
    functions::messages::{GetPeerSettings, HidePeerSettingsBar},
    types,
};

use crate::{
    convert::{
        peers,
        users::{Loaded, Users},
    },
    rpc::{Result, UserCtx},
};

/// `messages.getPeerSettings`: what the bar above a chat offers, such as to add a stranger to the contacts.
///
/// Errors: `PEER_ID_INVALID`.
///
/// Source: <https://core.telegram.org/method/messages.getPeerSettings>.
pub async fn get_peer_settings(ctx: &UserCtx, request: GetPeerSettings) -> Result<Reply> {
    let peer = peers::peer(ctx.shared(), ctx.user, &request.peer)?;
    let users = Users::load(ctx.shared(), ctx.user, [peer])?;
    let settings = users.get(peer).map_or_else(types::PeerSettings::new, Loaded::settings);
    let answer = types::messages::PeerSettings::new(settings, Vec::new(), users.to_tl());
    Ok(ctx.answer(&request, answer))
}

/// `messages.hidePeerSettingsBar`.
///
/// Empty by design: the bar follows from contacts and blocks; that it was hidden is a matter of the client alone.
///
/// Errors: `PEER_ID_INVALID`.
///
/// Source: <https://core.telegram.org/method/messages.hidePeerSettingsBar>.
pub async fn hide_peer_settings_bar(ctx: &UserCtx, request: HidePeerSettingsBar) -> Result<Reply> {
    peers::peer(ctx.shared(), ctx.user, &request.peer)?;
    Ok(ctx.answer(&request, true))
}
