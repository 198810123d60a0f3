//! Choices of which this server offers one: whoever asks is told it, and whoever wants another is refused, so that no
//! client shows as chosen what is not done.

use mtproto::session::Reply;
use tl::api::{
    functions::account::{
        GetAccountTTL, GetContactSignUpNotification, GetGlobalPrivacySettings, RegisterDevice,
        SetAccountTTL, SetContactSignUpNotification, SetGlobalPrivacySettings, UnregisterDevice,
        UpdateDeviceLocked,
    },
    types::{AccountDaysTTL, GlobalPrivacySettings},
};

use crate::rpc::{Result, RpcError, UserCtx};

/// After how many days away clients are told that an account is deleted: the longest time they offer. It never is.
const AWAY_DAYS: i32 = 730;

/// `account.registerDevice`: names where push notifications of this device go.
///
/// Empty by design: the server is connected to no push service, so that it can use no token.
///
/// Errors: `TOKEN_INVALID`.
///
/// Source: <https://core.telegram.org/method/account.registerDevice>.
pub async fn register_device(_: &UserCtx, _: RegisterDevice<'_>) -> Result<Reply> {
    Err(RpcError::TOKEN_INVALID)
}

/// `account.unregisterDevice`: ends push notifications for a device.
///
/// Empty by design: there are none.
///
/// Source: <https://core.telegram.org/method/account.unregisterDevice>.
pub async fn unregister_device(ctx: &UserCtx, request: UnregisterDevice<'_>) -> Result<Reply> {
    Ok(ctx.answer(&request, true))
}

/// `account.updateDeviceLocked`: hides contents of push notifications after a while.
///
/// Empty by design: there are none.
///
/// Source: <https://core.telegram.org/method/account.updateDeviceLocked>.
pub async fn update_device_locked(ctx: &UserCtx, request: UpdateDeviceLocked) -> Result<Reply> {
    Ok(ctx.answer(&request, true))
}

/// `account.getGlobalPrivacySettings`: privacy that is not about one matter.
///
/// Empty by design: nothing of it can be chosen yet.
///
/// Source: <https://core.telegram.org/method/account.getGlobalPrivacySettings>.
pub async fn get_global_privacy_settings(
    ctx: &UserCtx,
    request: GetGlobalPrivacySettings,
) -> Result<Reply> {
    Ok(ctx.answer(&request, GlobalPrivacySettings::new()))
}

/// `account.setGlobalPrivacySettings`: keeps privacy that is not about one matter.
///
/// Empty by design: nothing of it can be chosen yet.
///
/// Errors: `SETTINGS_INVALID`.
///
/// Source: <https://core.telegram.org/method/account.setGlobalPrivacySettings>.
pub async fn set_global_privacy_settings(
    ctx: &UserCtx,
    request: SetGlobalPrivacySettings,
) -> Result<Reply> {
    if request.settings != GlobalPrivacySettings::new() {
        return Err(RpcError::SETTINGS_INVALID);
    }
    Ok(ctx.answer(&request, GlobalPrivacySettings::new()))
}

/// `account.getAccountTTL`: after how many days away the account is deleted.
///
/// Empty by design: accounts are not deleted for being idle.
///
/// Source: <https://core.telegram.org/method/account.getAccountTTL>.
pub async fn get_account_ttl(ctx: &UserCtx, request: GetAccountTTL) -> Result<Reply> {
    Ok(ctx.answer(&request, AccountDaysTTL::new(AWAY_DAYS)))
}

/// `account.setAccountTTL`: says after how many days away the account is to be deleted.
///
/// Empty by design: accounts are not deleted for being idle, so only what `account.getAccountTTL` answers is taken.
///
/// Errors: `TTL_DAYS_INVALID`.
///
/// Source: <https://core.telegram.org/method/account.setAccountTTL>.
pub async fn set_account_ttl(ctx: &UserCtx, request: SetAccountTTL) -> Result<Reply> {
    if request.ttl.days != AWAY_DAYS {
        return Err(RpcError::TTL_DAYS_INVALID);
    }
    Ok(ctx.answer(&request, true))
}

/// `account.getContactSignUpNotification`: whether new accounts of contacts are *not* announced.
///
/// Empty by design: they always are.
///
/// Source: <https://core.telegram.org/method/account.getContactSignUpNotification>.
pub async fn get_contact_sign_up_notification(
    ctx: &UserCtx,
    request: GetContactSignUpNotification,
) -> Result<Reply> {
    Ok(ctx.answer(&request, false))
}

/// `account.setContactSignUpNotification`: says whether new accounts of contacts are to be kept silent.
///
/// Empty by design: they cannot be.
///
/// Errors: `SETTINGS_INVALID`.
///
/// Source: <https://core.telegram.org/method/account.setContactSignUpNotification>.
pub async fn set_contact_sign_up_notification(
    ctx: &UserCtx,
    request: SetContactSignUpNotification,
) -> Result<Reply> {
    if request.silent {
        return Err(RpcError::SETTINGS_INVALID);
    }
    Ok(ctx.answer(&request, true))
}
