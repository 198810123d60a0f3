//! `users.*`: users, as whoever asks may see them.

use mtproto::session::Reply;
use tl::{
    api::{
        functions::users::{GetFullUser, GetRequirementsToContact, GetSavedMusic, GetUsers},
        types,
    },
    operations::{
        enums::Filter,
        functions::{accounts, mailbox},
    },
    records::types::NotifyPeer,
};

use crate::{
    convert::{media, peers, users::Users},
    limits::USER_COUNT_MAX,
    rpc::{Result, RpcError, UserCtx},
};

/// `users.getUsers`: these users, in the order asked; `userEmpty` for those without an account.
///
/// Errors: `USER_ID_INVALID`.
///
/// Source: <https://core.telegram.org/method/users.getUsers>.
pub async fn get_users(ctx: &UserCtx, request: GetUsers) -> Result<Reply> {
    if request.id.len() > USER_COUNT_MAX {
        return Err(RpcError::INPUT_REQUEST_TOO_LONG);
    }
    let ids = request.id.iter().map(|user| Ok(peers::user(ctx.shared(), ctx.user, user)?.0));
    let ids: Vec<i64> = ids.collect::<Result<_>>()?;
    let users = Users::load(ctx.shared(), ctx.user, ids.iter().copied())?;
    let answer: Vec<_> = ids.iter().map(|id| users.one(*id)).collect();
    Ok(ctx.answer(&request, answer))
}

/// `users.getFullUser`: all that a profile shows to the caller.
///
/// Errors: `USER_ID_INVALID`.
///
/// Source: <https://core.telegram.org/method/users.getFullUser>.
pub async fn get_full_user(ctx: &UserCtx, request: GetFullUser) -> Result<Reply> {
    let user = peers::user(ctx.shared(), ctx.user, &request.id)?;
    let users = Users::load(ctx.shared(), ctx.user, [user.0])?;
    let loaded = users.get(user.0).filter(|user| user.profile.is_some());
    let loaded = loaded.ok_or(RpcError::USER_ID_INVALID)?;
    let get_notify = accounts::GetNotify { target: NotifyPeer::new(user.0).into() };
    let settings = ctx.call(ctx.user, &get_notify).await?;
    let pinned = mailbox::Search {
        peer: Some(user.0),
        from: None,
        q: "",
        filter: Filter::FilterPinned,
        min_date: 0,
        max_date: 0,
        offset_id: 0,
        add_offset: 0,
        limit: 1,
        max_id: 0,
        min_id: 0,
    };
    let pinned = ctx.call(ctx.user, &pinned).await?;
    let pinned_msg_id = pinned.messages.first().map(|message| message.id);
    let photos = [loaded.photo(), loaded.fallback_photo()];
    let photos = photos.map(|photo| Some((photo?, loaded.photo_handle(ctx.shared(), photo?))));
    let mut shown = photos
        .iter()
        .map(|it| it.as_ref().map(|(photo, handle)| media::photo(photo, handle).into()));
    let full = types::UserFull {
        profile_photo: shown.next().flatten(),
        fallback_photo: shown.next().flatten(),
        ..loaded.full(&settings, pinned_msg_id)
    };
    Ok(ctx.answer(&request, types::users::UserFull::new(full, Vec::new(), users.to_tl())))
}

/// `users.getRequirementsToContact`: nothing is required to write to anybody.
///
/// Errors: `USER_ID_INVALID`.
///
/// Source: <https://core.telegram.org/method/users.getRequirementsToContact>.
pub async fn get_requirements_to_contact(
    ctx: &UserCtx,
    request: GetRequirementsToContact,
) -> Result<Reply> {
    if request.id.len() > USER_COUNT_MAX {
        return Err(RpcError::INPUT_REQUEST_TOO_LONG);
    }
    for user in &request.id {
        peers::user(ctx.shared(), ctx.user, user)?;
    }
    let none = types::RequirementToContactEmpty::new();
    Ok(ctx.answer(&request, vec![none; request.id.len()]))
}

/// `users.getSavedMusic`: the music in a profile.
///
/// Empty by design: music cannot be put into profiles.
///
/// Errors: `USER_ID_INVALID`.
///
/// Source: <https://core.telegram.org/method/users.getSavedMusic>.
pub async fn get_saved_music(ctx: &UserCtx, request: GetSavedMusic) -> Result<Reply> {
    peers::user(ctx.shared(), ctx.user, &request.id)?;
    Ok(ctx.answer(&request, types::users::SavedMusic::new(0, Vec::new())))
}
