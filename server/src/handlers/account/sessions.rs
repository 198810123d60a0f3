//! The devices that are logged in.

use mtproto::session::Reply;
use storage::AuthKeyId;
use tl::{
    api::{
        functions::account::{
            ChangeAuthorizationSettings, GetAuthorizations, ResetAuthorization, SetAuthorizationTTL,
        },
        types,
    },
    operations::functions::accounts,
    records,
};

use crate::rpc::{Result, RpcError, UserCtx};

/// After how many idle days clients are told that a device's login ends: the longest time they know. It never does.
const IDLE_DAYS: i32 = 366;

/// What stands for the application's name if the client named none.
const APP_NAME_UNKNOWN: &str = "Unknown";

/// `account.getAuthorizations`: all devices of the account; the caller's own has the hash 0.
///
/// Where a device is, is not looked up: `country` and `region` are empty.
///
/// Source: <https://core.telegram.org/method/account.getAuthorizations>.
pub async fn get_authorizations(ctx: &UserCtx, request: GetAuthorizations) -> Result<Reply> {
    let stored = ctx.call(ctx.user, &accounts::GetAuthorizations {}).await?;
    let own = ctx.perm_key_id();
    let devices = stored.authorizations.iter();
    let devices = devices.map(|device| authorization(device, own, ctx.now())).collect();
    Ok(ctx.answer(&request, types::account::Authorizations::new(IDLE_DAYS, devices)))
}

/// `account.resetAuthorization`: ends the login of another device.
///
/// Errors: `HASH_INVALID`, also for the 0 of the caller's own: that is `auth.logOut`.
///
/// Source: <https://core.telegram.org/method/account.resetAuthorization>.
pub async fn reset_authorization(ctx: &UserCtx, request: ResetAuthorization) -> Result<Reply> {
    if request.hash == 0 {
        return Err(RpcError::HASH_INVALID);
    }
    ctx.call(ctx.user, &accounts::EndAuthorization { hash: request.hash }).await?;
    Ok(ctx.answer(&request, true))
}

/// `account.setAuthorizationTTL`: says after how many idle days a login ends.
///
/// Empty by design: logins do not end for being idle, so only what `account.getAuthorizations` answers is taken.
///
/// Errors: `TTL_DAYS_INVALID`.
///
/// Source: <https://core.telegram.org/method/account.setAuthorizationTTL>.
pub async fn set_authorization_ttl(ctx: &UserCtx, request: SetAuthorizationTTL) -> Result<Reply> {
    if request.authorization_ttl_days != IDLE_DAYS {
        return Err(RpcError::TTL_DAYS_INVALID);
    }
    Ok(ctx.answer(&request, true))
}

/// `account.changeAuthorizationSettings`: confirms a device, or says whether it takes calls and secret chats.
///
/// Every device is confirmed, and none takes calls or secret chats, which do not exist here.
///
/// Errors: `HASH_INVALID`; `SETTINGS_INVALID` if calls or secret chats are to be taken.
///
/// Source: <https://core.telegram.org/method/account.changeAuthorizationSettings>.
pub async fn change_authorization_settings(
    ctx: &UserCtx,
    request: ChangeAuthorizationSettings,
) -> Result<Reply> {
    if request.hash != 0 {
        let stored = ctx.call(ctx.user, &accounts::GetAuthorizations {}).await?;
        if !stored.authorizations.iter().any(|device| device.hash == request.hash) {
            return Err(RpcError::HASH_INVALID);
        }
    }
    if request.encrypted_requests_disabled == Some(false)
        || request.call_requests_disabled == Some(false)
    {
        return Err(RpcError::SETTINGS_INVALID);
    }
    Ok(ctx.answer(&request, true))
}

/// A device as the devices of its user see it; `own` is the key of the one that asks.
fn authorization(
    device: &records::types::Authorization,
    own: Option<AuthKeyId>,
    now: i32,
) -> types::Authorization<'_> {
    let current = own.is_some_and(|own| own.0 == device.auth_key_id);
    let app_name = if device.lang_pack.is_empty() { APP_NAME_UNKNOWN } else { &device.lang_pack };
    types::Authorization {
        current,
        encrypted_requests_disabled: true,
        call_requests_disabled: true,
        ..types::Authorization::new(
            if current { 0 } else { device.hash },
            &device.device_model,
            "",
            &device.system_version,
            device.api_id,
            app_name,
            &device.app_version,
            device.created,
            if current { now } else { device.active },
            &device.ip,
            "",
            "",
        )
    }
}
