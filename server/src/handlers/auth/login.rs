//! Signing in, signing up, logging out.

use mtproto::session::Reply;
use services::limits::{USER_ID_MAX, USER_ID_MIN};
use storage::{Owner, UserId};
use tl::{
    api::{
        functions::auth::{LogOut, ResetAuthorizations, SignIn, SignUp},
        types::auth::{Authorization, AuthorizationSignUpRequired, LoggedOut},
    },
    operations::{
        enums::Refusal,
        functions::{accounts, directory, keys, mailbox},
    },
    records::types,
};

use super::{code::code_hash, perm_key, phone};
use crate::{
    convert::users::{self, Users},
    limits::USER_ID_TRY_COUNT,
    router::CallError,
    rpc::{Ctx, Result, RpcError, UserCtx},
    service_user,
};

/// `auth.signIn`: logs in with a code, or tells that there is no account yet.
///
/// The account's other sessions are told of the new one.
///
/// Errors: `PHONE_NUMBER_INVALID`, `PHONE_CODE_HASH_EMPTY`, `PHONE_CODE_EMPTY`, `PHONE_CODE_INVALID`, `PHONE_CODE_EXPIRED`,
/// `FLOOD_WAIT_X`.
///
/// Source: <https://core.telegram.org/method/auth.signIn>.
pub async fn sign_in(ctx: &Ctx, request: SignIn<'_>) -> Result<Reply> {
    let phone = phone(request.phone_number)?;
    let code_hash = code_hash(request.phone_code_hash)?;
    let code = request.phone_code.filter(|code| !code.is_empty());
    let code = code.ok_or(RpcError::PHONE_CODE_EMPTY)?;
    let client = ctx.client()?;
    let check = directory::CheckCode { code_hash, code, auth_key_id: perm_key(ctx)?.0 };
    let checked = ctx.call(Owner::phone(&phone), &check).await?;
    if !checked.valid {
        return Err(RpcError::PHONE_CODE_INVALID);
    }
    let Some(user) = checked.user_id.map(UserId) else {
        return Ok(ctx.answer(&request, AuthorizationSignUpRequired::new()));
    };
    let others = ctx.call(user, &accounts::GetAuthorizations {}).await?.authorizations;
    let key = perm_key(ctx)?;
    let others = others.iter().any(|device| device.auth_key_id != key.0);
    let authorization = log_in(ctx, user, client).await?;
    if others {
        tell_of_login(ctx, user, &authorization).await;
    }
    let own = users::own(ctx.shared(), user)?;
    Ok(ctx.answer(&request, authorized(&own, user)))
}

/// `auth.signUp`: makes an account for a number whose code was right, and logs in.
///
/// Those who have the number in their address book are told.
///
/// Errors: `PHONE_NUMBER_INVALID`, `PHONE_CODE_HASH_EMPTY`, `PHONE_CODE_INVALID`, `PHONE_CODE_EXPIRED`,
/// `PHONE_NUMBER_OCCUPIED`, `FIRSTNAME_INVALID`, `LASTNAME_INVALID`.
///
/// Source: <https://core.telegram.org/method/auth.signUp>.
pub async fn sign_up(ctx: &Ctx, request: SignUp<'_>) -> Result<Reply> {
    let phone = phone(request.phone_number)?;
    let code_hash = code_hash(request.phone_code_hash)?;
    let client = ctx.client()?;
    let auth_key_id = perm_key(ctx)?.0;
    let number = Owner::phone(&phone);
    ctx.call(number.clone(), &directory::MaySignUp { code_hash, auth_key_id }).await?;
    let create = accounts::Create {
        phone: &phone,
        first_name: request.first_name,
        last_name: request.last_name,
    };
    let user = create_account(ctx, &create).await?;
    let claim = directory::Claim { code_hash, auth_key_id, user_id: user.0 };
    if let Err(error) = ctx.call(number, &claim).await {
        ctx.call(user, &accounts::Abandon {}).await?;
        return Err(error.into());
    }
    log_in(ctx, user, client).await?;
    let own = users::own(ctx.shared(), user)?;
    Ok(ctx.answer(&request, authorized(&own, user)))
}

/// `auth.logOut`: the auth key is nobody's any more; it stays known.
///
/// Source: <https://core.telegram.org/method/auth.logOut>.
pub async fn log_out(ctx: &UserCtx, request: LogOut) -> Result<Reply> {
    let key = perm_key(ctx)?;
    ctx.call(ctx.user, &accounts::LogOut { auth_key_id: key.0 }).await?;
    ctx.call(key, &keys::Logout { user_id: ctx.user.0 }).await?;
    ctx.set_logged_in(None);
    Ok(ctx.answer(&request, LoggedOut::new()))
}

/// `auth.resetAuthorizations`: ends all other sessions of the account.
///
/// Source: <https://core.telegram.org/method/auth.resetAuthorizations>.
pub async fn reset_authorizations(ctx: &UserCtx, request: ResetAuthorizations) -> Result<Reply> {
    let auth_key_id = perm_key(ctx)?.0;
    ctx.call(ctx.user, &accounts::EndOtherAuthorizations { auth_key_id }).await?;
    Ok(ctx.answer(&request, true))
}

/// Logs the request's permanent key in: with the user, with the key, and for the sessions that run.
///
/// Errors: `AUTH_KEY_UNREGISTERED` if the user ended the login meanwhile. What is in no list of devices is not let in.
pub(super) async fn log_in(
    ctx: &Ctx,
    user: UserId,
    client: types::Client,
) -> Result<types::Authorization> {
    let key = perm_key(ctx)?;
    let ip = ctx.ip().to_string();
    let (hash, auth_key_id) = (ctx.random_id(), key.0);
    let authorize = accounts::Authorize { hash, auth_key_id, ip: &ip, client: client.clone() };
    let authorization = ctx.call(user, &authorize).await?;
    ctx.call(key, &keys::Login { user_id: user.0 }).await?;
    // What ended the login before it was with the key found nothing there to end; from here on it does.
    let touch = accounts::Touch { auth_key_id, ip: &ip, client };
    if let Err(error) = ctx.call(user, &touch).await {
        ctx.call(key, &keys::Logout { user_id: user.0 }).await?;
        return Err(error.into());
    }
    ctx.set_logged_in(Some(user));
    Ok(authorization)
}

/// The answer to who logged in.
pub(super) fn authorized(own: &Users, user: UserId) -> Authorization<'_> {
    Authorization::new(own.one(user.0))
}

/// Creates an account under an id that nobody has.
async fn create_account(ctx: &Ctx, create: &accounts::Create<'_>) -> Result<UserId> {
    under_some_id(
        async |random| {
            let user = UserId(id_from(random));
            ctx.call(user, create).await.map(|_| user)
        },
        || u64::from_le_bytes(ctx.random()),
    )
    .await
}

/// Tries ids out of random numbers until nobody has one.
async fn under_some_id<T>(
    mut create: impl AsyncFnMut(u64) -> core::result::Result<T, CallError>,
    mut random: impl FnMut() -> u64,
) -> Result<T> {
    for _ in 0..USER_ID_TRY_COUNT {
        match create(random()).await {
            // Somebody has this one.
            Err(CallError::Refused(Refusal::UserIdInvalid)) => {}
            created => return Ok(created?),
        }
    }
    Err(RpcError::INTERNAL)
}

/// An id for people, out of a random number.
fn id_from(random: u64) -> i64 {
    let count = USER_ID_MAX.abs_diff(USER_ID_MIN).saturating_add(1);
    USER_ID_MIN.saturating_add_unsigned(random % count)
}

/// Tells the user's sessions of a new one. The login stands even if that fails.
async fn tell_of_login(ctx: &Ctx, user: UserId, new: &types::Authorization) {
    let text = format!(
        "Somebody logged in to your account.\n\nDevice: {device}, {system}\nApplication: {app}\nAddress: {ip}\n\n\
         If it was not you, end that session in the settings, under devices.",
        device = new.device_model,
        system = new.system_version,
        app = new.app_version,
        ip = new.ip,
    );
    let notice = mailbox::Notice {
        silent: false,
        from: service_user::ID,
        random_id: ctx.random_id(),
        text: &text,
        entities: None,
    };
    if let Err(error) = ctx.call(user, &notice).await {
        tracing::warn!(%error, "the sessions of a user were not told of a new one");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `USER_ID_TRY_COUNT`: so many ids that somebody has are tried, each another one, and no more.
    #[tokio::test]
    async fn ids_are_tried_until_one_is_free() {
        let most = USER_ID_TRY_COUNT as u64;
        for (free, expected) in [(1, Ok(1)), (most, Ok(most)), (most + 1, Err(RpcError::INTERNAL))]
        {
            let mut numbers = 1..;
            let create = async |number| match number == free {
                true => Ok(number),
                false => Err(CallError::Refused(Refusal::UserIdInvalid)),
            };
            let created = under_some_id(create, || numbers.next().unwrap()).await;
            assert_eq!(created, expected);
            assert_eq!(numbers.next(), Some(free.min(most) + 1));
        }
        let mut tries = 0;
        let create = async |_| {
            tries += 1;
            Err::<(), _>(CallError::Failed)
        };
        under_some_id(create, || 7).await.unwrap_err();
        assert_eq!(tries, 1, "that is no matter of the id");
    }

    #[test]
    fn ids_of_people_are_in_their_range() {
        for random in [0, 1, u64::MAX, u64::MAX / 2, 1 << 40] {
            assert!((USER_ID_MIN..=USER_ID_MAX).contains(&id_from(random)), "{random}");
        }
        assert_eq!(id_from(0), USER_ID_MIN);
        assert_eq!(id_from(USER_ID_MAX.abs_diff(USER_ID_MIN)), USER_ID_MAX);
    }
}
