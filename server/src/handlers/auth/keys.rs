//! Temporary keys, which act for a permanent one.

use crypto::AuthKey;
use mtproto::{
    bind_temp::{self, Request},
    session::Reply,
};
use storage::AuthKeyId;
use tl::{
    api::functions::auth::{BindTempAuthKey, DropTempAuthKeys},
    operations::{enums::Refusal, functions::keys},
};

use super::perm_key;
use crate::{
    router::CallError,
    rpc::{Ctx, Result, RpcError},
};

/// `auth.bindTempAuthKey`: from now on the request's temporary key acts for a permanent one.
///
/// Errors: `TEMP_AUTH_KEY_EMPTY` under a permanent key, `ENCRYPTED_MESSAGE_INVALID` if the proof does not hold or there is no
/// such permanent key, `EXPIRES_AT_INVALID`, `TEMP_AUTH_KEY_ALREADY_BOUND`.
///
/// Source: <https://core.telegram.org/method/auth.bindTempAuthKey>.
pub async fn bind_temp_auth_key(ctx: &Ctx, request: BindTempAuthKey<'_>) -> Result<Reply> {
    let temp_expires_at = ctx.temp_key_expires_at().ok_or(RpcError::TEMP_AUTH_KEY_EMPTY)?;
    let perm = AuthKeyId(request.perm_auth_key_id);
    let record = match ctx.call(perm, &keys::Get {}).await {
        Ok(record) if record.expires_at.is_none() => record,
        Ok(_) | Err(CallError::Refused(Refusal::AuthKeyInvalid)) => {
            return Err(RpcError::ENCRYPTED_MESSAGE_INVALID);
        }
        Err(error) => return Err(error.into()),
    };
    let perm_key = AuthKey::new(record.key.try_into().map_err(|_| RpcError::INTERNAL)?);
    let proof = Request {
        msg_id: ctx.msg_id(),
        session_id: ctx.session_id(),
        temp_key_id: crypto::AuthKeyId(ctx.key_id().0.cast_unsigned()),
        temp_expires_at: i64::from(temp_expires_at),
        perm_auth_key_id: request.perm_auth_key_id,
        nonce: request.nonce,
        expires_at: request.expires_at,
        encrypted_message: request.encrypted_message,
    };
    bind_temp::verify(ctx.unix_time(), &proof, &perm_key).map_err(|error| match error {
        bind_temp::Error::EncryptedMessageInvalid => RpcError::ENCRYPTED_MESSAGE_INVALID,
        bind_temp::Error::ExpiresAtInvalid { .. } => RpcError::EXPIRES_AT_INVALID,
    })?;
    let bind = keys::Bind { perm_auth_key_id: perm.0, expires_at: request.expires_at };
    let bound = ctx.call(ctx.key_id(), &bind).await?;
    ctx.set_bound(perm, bound.expires_at.unwrap_or(request.expires_at));
    Ok(ctx.answer(&request, true))
}

/// `auth.dropTempAuthKeys`: destroys the temporary keys of the permanent one, but for those named and that of the request.
///
/// Errors: `AUTH_KEY_PERM_EMPTY`.
///
/// Source: <https://core.telegram.org/method/auth.dropTempAuthKeys>.
pub async fn drop_temp_auth_keys(ctx: &Ctx, request: DropTempAuthKeys) -> Result<Reply> {
    let bound = ctx.call(perm_key(ctx)?, &keys::GetBound {}).await?;
    for id in bound.auth_key_ids {
        if id != ctx.key_id().0 && !request.except_auth_keys.contains(&id) {
            ctx.call(AuthKeyId(id), &keys::Destroy {}).await?;
        }
    }
    Ok(ctx.answer(&request, true))
}
