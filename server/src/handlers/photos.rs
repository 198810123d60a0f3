//! `photos.*`: photos of profiles.
//!
//! A profile has a list of photos, the latest of which is the present one. Who may not see them is told that there are none,
//! and shown another one in their place, if the user has chosen one.

use mtproto::session::Reply;
use storage::UserId;
use tl::{
    api::{
        enums,
        functions::photos::{DeletePhotos, GetUserPhotos, UpdateProfilePhoto, UploadProfilePhoto},
        types,
    },
    operations::{functions::photos, types::photos::Page},
    records::{
        enums::{File, Source},
        types::{Photo, SourceFile},
    },
};

use crate::{
    convert::{
        media::{self, Handle},
        peers,
        users::{self, Users},
    },
    limits::PROFILE_PHOTO_NAMED_COUNT_MAX,
    media::{access, image, intake, reference::Origin},
    rpc::{Result, RpcError, UserCtx},
    shared::AccessKind,
};

/// `photos.uploadProfilePhoto`: makes an uploaded picture or video the present photo, or with `fallback` the one for those who
/// may not see that.
///
/// For a video whose client sends no picture beside it stands one that is the same for all. Emoji, and photos of bots, are not
/// served.
///
/// Errors: `PHOTO_FILE_MISSING`, `PHOTO_CROP_SIZE_SMALL`, `IMAGE_PROCESS_FAILED`, `PHOTO_EXT_INVALID`, `VIDEO_FILE_INVALID`, those
/// of incomplete uploads; `EMOJI_MARKUP_INVALID` and `BOT_INVALID` for what is not served.
///
/// Source: <https://core.telegram.org/method/photos.uploadProfilePhoto>.
pub async fn upload_profile_photo(ctx: &UserCtx, request: UploadProfilePhoto<'_>) -> Result<Reply> {
    if request.bot.is_some() {
        return Err(RpcError::BOT_INVALID);
    }
    if request.video_emoji_markup.is_some() {
        return Err(RpcError::EMOJI_MARKUP_INVALID);
    }
    let still = match &request.file {
        Some(file) => Some(intake::uploaded(ctx, file).await?),
        None => None,
    };
    let photo = match (&request.video, &still) {
        (Some(video), still) => {
            let video = intake::uploaded(ctx, video).await?;
            intake::moving_photo(ctx, &video, still.as_ref(), request.video_start_ts).await?
        }
        (None, Some(still)) => intake::photo(ctx, still, image::Kind::Profile).await?,
        (None, None) => return Err(RpcError::PHOTO_FILE_MISSING),
    };
    let photo = add(ctx, request.fallback, SourceFile::new(photo.id).into()).await?;
    let users = users::own(ctx.shared(), ctx.user)?;
    let handle = handle(ctx, ctx.user, photo.id);
    let photo: enums::Photo<'_> = media::photo(&photo, &handle).into();
    Ok(ctx.answer(&request, types::photos::Photo::new(photo, users.to_tl())))
}

/// `photos.updateProfilePhoto`: makes a photo that the caller has the present one. `inputPhotoEmpty` removes the present one,
/// and the one before it is present again. With `fallback` it is about the one for those who may not see these.
///
/// Errors: `PHOTO_ID_INVALID`, `FILE_REFERENCE_EMPTY`, `FILE_REFERENCE_EXPIRED`, `FILE_REFERENCE_INVALID`; `BOT_INVALID`, as photos
/// of bots are not served.
///
/// Source: <https://core.telegram.org/method/photos.updateProfilePhoto>.
pub async fn update_profile_photo(ctx: &UserCtx, request: UpdateProfilePhoto<'_>) -> Result<Reply> {
    if request.bot.is_some() {
        return Err(RpcError::BOT_INVALID);
    }
    let photo = match &request.id {
        enums::InputPhoto::InputPhotoEmpty if request.fallback => {
            ctx.call(ctx.user, &photos::SetFallback { source: None }).await?;
            None
        }
        enums::InputPhoto::InputPhotoEmpty => {
            let present = ctx.call(ctx.user, &photos::List { offset: 0, max_id: 0, limit: 1 });
            let ids: Vec<i64> = present.await?.photos.iter().map(|photo| photo.id).collect();
            ctx.call(ctx.user, &photos::Delete { ids }).await?;
            None
        }
        enums::InputPhoto::InputPhoto(photo) => {
            let (id, access_hash) = (photo.id, photo.access_hash);
            let file = access::file_of(ctx, id, access_hash, photo.file_reference);
            let (file, origin) = file.map_err(|error| {
                if error == RpcError::FILE_ID_INVALID { RpcError::PHOTO_ID_INVALID } else { error }
            })?;
            let File::FilePhoto(_) = file else { return Err(RpcError::PHOTO_ID_INVALID) };
            let source = access::source_of(ctx, &file, origin).await?;
            Some(add(ctx, request.fallback, source).await?)
        }
    };
    let users = users::own(ctx.shared(), ctx.user)?;
    let handle = photo.as_ref().map(|photo| handle(ctx, ctx.user, photo.id)).unwrap_or_default();
    let photo: enums::Photo<'_> = match &photo {
        Some(photo) => media::photo(photo, &handle).into(),
        None => types::PhotoEmpty::new(0).into(),
    };
    Ok(ctx.answer(&request, types::photos::Photo::new(photo, users.to_tl())))
}

/// `photos.deletePhotos`: removes photos of the own profile; the ids of those that were there.
///
/// What is no photo of the profile is passed over.
///
/// Errors: `LIMIT_INVALID` for too many at once.
///
/// Source: <https://core.telegram.org/method/photos.deletePhotos>.
pub async fn delete_photos(ctx: &UserCtx, request: DeletePhotos<'_>) -> Result<Reply> {
    if request.id.len() > PROFILE_PHOTO_NAMED_COUNT_MAX {
        return Err(RpcError::LIMIT_INVALID);
    }
    // Nothing but the own profile is touched, so it matters neither how old a reference is, nor where the photo was seen.
    let own = |photo: &enums::InputPhoto<'_>| match photo {
        enums::InputPhoto::InputPhotoEmpty => None,
        enums::InputPhoto::InputPhoto(photo) => {
            let hash = photo.access_hash;
            ctx.shared()
                .access_hash_is(ctx.user, AccessKind::File, photo.id, hash)
                .then_some(photo.id)
        }
    };
    let ids: Vec<i64> = request.id.iter().filter_map(own).collect();
    let removed = ctx.call(ctx.user, &photos::Delete { ids }).await?;
    let removed: Vec<i64> = removed.photos.iter().map(|photo| photo.id).collect();
    Ok(ctx.answer(&request, removed))
}

/// `photos.getUserPhotos`: the photos of a profile, latest first; none for those who may not see them.
///
/// Errors: `USER_ID_INVALID`, `OFFSET_INVALID`, `LIMIT_INVALID`.
///
/// Source: <https://core.telegram.org/method/photos.getUserPhotos>.
pub async fn get_user_photos(ctx: &UserCtx, request: GetUserPhotos) -> Result<Reply> {
    let user = peers::user(ctx.shared(), ctx.user, &request.user_id)?;
    if request.offset < 0 {
        return Err(RpcError::OFFSET_INVALID);
    }
    if request.limit < 0 {
        return Err(RpcError::LIMIT_INVALID);
    }
    let users = Users::load(ctx.shared(), ctx.user, [user.0])?;
    let shown = users.get(user.0).is_some_and(users::Loaded::shows_photos);
    let page = if shown {
        // A profile has no more photos than one page.
        let limit = if request.limit == 0 { i32::MAX } else { request.limit };
        let list = photos::List { offset: request.offset, max_id: request.max_id.max(0), limit };
        ctx.call(user, &list).await?
    } else {
        Page::new(0, Vec::new())
    };
    let handles: Vec<Handle> = page.photos.iter().map(|one| handle(ctx, user, one.id)).collect();
    let each = page.photos.iter().zip(&handles);
    let photos: Vec<enums::Photo<'_>> =
        each.map(|(photo, handle)| media::photo(photo, handle).into()).collect();
    let users = users.to_tl();
    let answer: enums::photos::Photos<'_> =
        if usize::try_from(page.count).is_ok_and(|count| count == photos.len()) {
            types::photos::Photos::new(photos, users).into()
        } else {
            types::photos::PhotosSlice::new(page.count, photos, users).into()
        };
    Ok(ctx.answer(&request, answer))
}

/// Makes the photo that the caller has from `source` the present one, or that for those who may not see it.
async fn add(ctx: &UserCtx, fallback: bool, source: Source) -> Result<Photo> {
    if !fallback {
        return Ok(ctx.call(ctx.user, &photos::Add { source }).await?);
    }
    let set = ctx.call(ctx.user, &photos::SetFallback { source: Some(source) }).await?;
    set.photos.into_iter().next().ok_or(RpcError::INTERNAL)
}

/// How the caller names a photo of this user's profile.
fn handle(ctx: &UserCtx, user: UserId, photo: i64) -> Handle {
    Handle::new(ctx.shared(), ctx.user, photo, Origin::Profile(user))
}
