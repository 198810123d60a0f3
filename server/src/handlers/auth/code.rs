//! Login codes: asked for, asked for again, not wanted any more.

use mtproto::session::Reply;
use storage::{Owner, UserId};
use tl::{
    api::{
        enums::auth::{CodeType, SentCodeType},
        functions::auth::{CancelCode, ResendCode, SendCode},
        types::auth::{SentCode, SentCodeTypeApp, SentCodeTypeSms},
    },
    operations::{
        functions::{accounts, directory, mailbox},
        types::directory::CodeSent,
    },
};

use super::{perm_key, phone};
use crate::{
    codes::{CODE_DIGIT_COUNT, Code, CodeKind, Delivery, SendError},
    limits::LOGIN_CODE_RESEND_S,
    rpc::{Ctx, Result, RpcError},
    service_user,
};

/// `auth.sendCode`: makes a login code and sends it the ways that are switched on.
///
/// If the number has an account with sessions, they get the code as a message too. Any `api_id` and `api_hash` will do.
///
/// Errors: `PHONE_NUMBER_INVALID`, `FLOOD_WAIT_X`, `SMS_CODE_CREATE_FAILED` if no way is switched on.
///
/// Source: <https://core.telegram.org/method/auth.sendCode>.
pub async fn send_code(ctx: &Ctx, request: SendCode<'_>) -> Result<Reply> {
    let phone = phone(request.phone_number)?;
    let code = ctx.codes().code_for(&phone, u64::from_le_bytes(ctx.random()));
    let code_hash = hex::encode(ctx.random::<9>());
    let send = directory::SendCode {
        code_hash: &code_hash,
        code: code.as_str(),
        auth_key_id: perm_key(ctx)?.0,
        // `directory` clamps it to what it allows.
        lifetime_s: i32::try_from(ctx.config().limits.code_lifetime_s).unwrap_or(i32::MAX),
    };
    let sent = ctx.call(Owner::phone(&phone), &send).await?;
    let told = tell_sessions(ctx, &sent).await?;
    deliver(ctx, &phone, &sent, told)?;
    let kind: SentCodeType = if told {
        SentCodeTypeApp::new(CODE_LENGTH).into()
    } else {
        SentCodeTypeSms::new(CODE_LENGTH).into()
    };
    Ok(ctx.answer(&request, sent_code(kind, &code_hash)))
}

/// `auth.resendCode`: sends the same code again, now whatever the account's sessions were told.
///
/// Errors: `PHONE_NUMBER_INVALID`, `PHONE_CODE_HASH_EMPTY`, `PHONE_CODE_EXPIRED`, `SEND_CODE_UNAVAILABLE` if it was sent again
/// too often, `FLOOD_WAIT_X`, `SMS_CODE_CREATE_FAILED`.
///
/// Source: <https://core.telegram.org/method/auth.resendCode>.
pub async fn resend_code(ctx: &Ctx, request: ResendCode<'_>) -> Result<Reply> {
    let phone = phone(request.phone_number)?;
    let code_hash = code_hash(request.phone_code_hash)?;
    let resend = directory::ResendCode { code_hash, auth_key_id: perm_key(ctx)?.0 };
    let sent = ctx.call(Owner::phone(&phone), &resend).await?;
    deliver(ctx, &phone, &sent, false)?;
    let kind = SentCodeTypeSms::new(CODE_LENGTH).into();
    Ok(ctx.answer(&request, sent_code(kind, code_hash)))
}

/// `auth.cancelCode`: the code is not valid any more.
///
/// Errors: `PHONE_NUMBER_INVALID`, `PHONE_CODE_HASH_EMPTY`, `PHONE_CODE_EXPIRED`.
///
/// Source: <https://core.telegram.org/method/auth.cancelCode>.
pub async fn cancel_code(ctx: &Ctx, request: CancelCode<'_>) -> Result<Reply> {
    let phone = phone(request.phone_number)?;
    let code_hash = code_hash(request.phone_code_hash)?;
    let cancel = directory::CancelCode { code_hash, auth_key_id: perm_key(ctx)?.0 };
    ctx.call(Owner::phone(&phone), &cancel).await?;
    Ok(ctx.answer(&request, true))
}

/// The hash of a code, as a client names it.
pub(super) fn code_hash(hash: &str) -> Result<&str> {
    if hash.is_empty() { Err(RpcError::PHONE_CODE_HASH_EMPTY) } else { Ok(hash) }
}

/// Digits of a code, as clients are told.
const CODE_LENGTH: i32 = CODE_DIGIT_COUNT as i32;

fn sent_code(kind: SentCodeType, code_hash: &str) -> SentCode<'_> {
    SentCode {
        next_type: Some(CodeType::CodeTypeSms),
        timeout: Some(LOGIN_CODE_RESEND_S),
        ..SentCode::new(kind, code_hash)
    }
}

/// Sends a code the ways that are switched on. `told`: somebody has it already, so that there need not be any.
fn deliver(ctx: &Ctx, phone: &str, sent: &CodeSent, told: bool) -> Result<()> {
    let delivery = Delivery {
        phone: phone.to_owned(),
        code: Code::from_stored(sent.code.as_str()),
        kind: CodeKind::Login,
        expires_at: i64::from(sent.expires_at),
    };
    match ctx.codes().send(delivery) {
        Ok(()) => Ok(()),
        Err(error) if told => {
            tracing::debug!(%error, "a login code went to the account's sessions alone");
            Ok(())
        }
        Err(SendError::NoWay) => Err(RpcError::SMS_CODE_CREATE_FAILED),
        Err(SendError::Busy) => Err(RpcError::flood_wait(LOGIN_CODE_RESEND_S)),
    }
}

/// Sends a code to the sessions of the account, if there are any.
async fn tell_sessions(ctx: &Ctx, sent: &CodeSent) -> Result<bool> {
    let Some(user) = sent.user_id.map(UserId) else { return Ok(false) };
    let devices = ctx.call(user, &accounts::GetAuthorizations {}).await?;
    if devices.authorizations.is_empty() {
        return Ok(false);
    }
    let text = format!(
        "{code} is your login code. Give it to nobody, whatever they say they need it for.\n\n\
         With it one can log in to your account from another device. If you are not trying to, you can ignore this message.",
        code = sent.code,
    );
    let notice = mailbox::Notice {
        silent: false,
        from: service_user::ID,
        random_id: ctx.random_id(),
        text: &text,
        entities: None,
    };
    ctx.call(user, &notice).await?;
    Ok(true)
}
