//! What others see of the account: names, username, whether the user is there.

use mtproto::session::Reply;
use services::usernames::is_username;
use storage::Owner;
use tl::{
    api::functions::account::{CheckUsername, UpdateProfile, UpdateStatus, UpdateUsername},
    operations::{
        enums::Refusal,
        functions::{accounts, usernames},
    },
};

use crate::{
    convert::users,
    router::CallError,
    rpc::{Result, RpcError, UserCtx},
};

/// `account.updateProfile`: changes names and description; what is absent stays.
///
/// Errors: `FIRSTNAME_INVALID`, `LASTNAME_INVALID`, `ABOUT_TOO_LONG`.
///
/// Source: <https://core.telegram.org/method/account.updateProfile>.
pub async fn update_profile(ctx: &UserCtx, request: UpdateProfile<'_>) -> Result<Reply> {
    let update = accounts::UpdateProfile {
        first_name: request.first_name,
        last_name: request.last_name,
        about: request.about,
    };
    ctx.call(ctx.user, &update).await?;
    let own = users::own(ctx.shared(), ctx.user)?;
    Ok(ctx.answer(&request, own.one(ctx.user.0)))
}

/// `account.updateStatus`: says whether the user is there.
///
/// Source: <https://core.telegram.org/method/account.updateStatus>.
pub async fn update_status(ctx: &UserCtx, request: UpdateStatus) -> Result<Reply> {
    ctx.call(ctx.user, &accounts::SetPresence { offline: request.offline }).await?;
    Ok(ctx.answer(&request, true))
}

/// `account.checkUsername`: whether the caller could take a username, or has it.
///
/// Errors: `USERNAME_INVALID`.
///
/// Source: <https://core.telegram.org/method/account.checkUsername>.
pub async fn check_username(ctx: &UserCtx, request: CheckUsername<'_>) -> Result<Reply> {
    let found = ctx.call(Owner::username(request.username), &usernames::Lookup {}).await?;
    Ok(ctx.answer(&request, found.peer.is_none_or(|peer| peer == ctx.user.0)))
}

/// `account.updateUsername`: takes another username, or none if it is empty.
///
/// Errors: `USERNAME_INVALID`, `USERNAME_OCCUPIED`, `USERNAME_NOT_MODIFIED`.
///
/// Source: <https://core.telegram.org/method/account.updateUsername>.
pub async fn update_username(ctx: &UserCtx, request: UpdateUsername<'_>) -> Result<Reply> {
    let username = request.username;
    if !username.is_empty() && !is_username(username) {
        return Err(RpcError::USERNAME_INVALID);
    }
    let peer = ctx.user.0;
    let profile = ctx.call(ctx.user, &accounts::Get { viewer: peer }).await?;
    let current = profile.account.username.unwrap_or_default();
    let claims = !username.is_empty() && !current.eq_ignore_ascii_case(username);
    if claims {
        ctx.call(Owner::username(username), &usernames::Claim { peer }).await?;
    }
    let set = ctx.call(ctx.user, &accounts::SetUsername { username }).await;
    if let Err(error) = set {
        // "Not modified": another device was quicker with the same name, so that it is in use.
        let in_use = matches!(error, CallError::Refused(Refusal::UsernameNotModified));
        if claims && !in_use {
            ctx.call(Owner::username(username), &usernames::Release { peer }).await?;
        }
        return Err(error.into());
    }
    let own = users::own(ctx.shared(), ctx.user)?;
    Ok(ctx.answer(&request, own.one(peer)))
}
