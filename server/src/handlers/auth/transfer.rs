//! Logging another auth key in without a code: what clients do for every data centre, and for connections that load files.

use mtproto::session::Reply;
use storage::UserId;
use tl::api::{
    functions::auth::{ExportAuthorization, ImportAuthorization},
    types::auth::ExportedAuthorization,
};

use super::{
    login::{authorized, log_in},
    perm_key,
};
use crate::{
    convert::users,
    limits::TICKET_LIFETIME_S,
    rpc::{Ctx, Result, RpcError, UserCtx},
    tickets::{self, Holder},
};

/// `auth.exportAuthorization`: a ticket that logs one auth key in, once, within a minute.
///
/// Errors: `DC_ID_INVALID`.
///
/// Source: <https://core.telegram.org/method/auth.exportAuthorization>.
pub async fn export_authorization(ctx: &UserCtx, request: ExportAuthorization) -> Result<Reply> {
    if !ctx.config().dc.accepted.contains(&request.dc_id) {
        return Err(RpcError::DC_ID_INVALID);
    }
    let holder = Holder { user: ctx.user, key: perm_key(ctx)? };
    let ticket = ctx.shared().tickets.issue(ctx.now(), holder, ctx.random());
    Ok(ctx.answer(&request, ExportedAuthorization::new(ctx.user.0, &ticket)))
}

/// `auth.importAuthorization`: logs the request's auth key in with a ticket, while the key that exported it is logged in.
///
/// Errors: `AUTH_BYTES_INVALID` for a ticket that is not valid (any more) or not of this user, `FLOOD_WAIT_X`.
///
/// Source: <https://core.telegram.org/method/auth.importAuthorization>.
pub async fn import_authorization(ctx: &Ctx, request: ImportAuthorization<'_>) -> Result<Reply> {
    let client = ctx.client()?;
    let key = perm_key(ctx)?;
    let holder =
        ctx.shared().tickets.redeem(ctx.now(), request.bytes).map_err(|error| match error {
            tickets::Error::Invalid => RpcError::AUTH_BYTES_INVALID,
            tickets::Error::Busy => RpcError::flood_wait(TICKET_LIFETIME_S),
        })?;
    let still_logged_in = ctx.shared().user_of_key(holder.key) == Some(holder.user);
    if holder.user != UserId(request.id) || !still_logged_in {
        return Err(RpcError::AUTH_BYTES_INVALID);
    }
    if holder.key != key {
        log_in(ctx, holder.user, client).await?;
    }
    let own = users::own(ctx.shared(), holder.user)?;
    Ok(ctx.answer(&request, authorized(&own, holder.user)))
}
