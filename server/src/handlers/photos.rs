//! `photos.*`: photos of profiles, of which there are none yet.

use mtproto::session::Reply;
use tl::api::{
    functions::photos::{DeletePhotos, GetUserPhotos, UpdateProfilePhoto, UploadProfilePhoto},
    types::photos::Photos,
};

use crate::{
    convert::peers,
    rpc::{Result, RpcError, UserCtx},
};

/// `photos.getUserPhotos`: the photos of a profile.
///
/// Empty by design: profiles have no photos yet.
///
/// Errors: `USER_ID_INVALID`.
///
/// Source: <https://core.telegram.org/method/photos.getUserPhotos>.
pub async fn get_user_photos(ctx: &UserCtx, request: GetUserPhotos) -> Result<Reply> {
    peers::user(ctx.shared(), ctx.user, &request.user_id)?;
    Ok(ctx.answer(&request, Photos::new(Vec::new(), Vec::new())))
}

/// `photos.uploadProfilePhoto`
pub async fn upload_profile_photo(_: &UserCtx, _: UploadProfilePhoto<'_>) -> Result<Reply> {
    Err(RpcError::INTERNAL)
}

/// `photos.updateProfilePhoto`
pub async fn update_profile_photo(_: &UserCtx, _: UpdateProfilePhoto<'_>) -> Result<Reply> {
    Err(RpcError::INTERNAL)
}

/// `photos.deletePhotos`
pub async fn delete_photos(_: &UserCtx, _: DeletePhotos<'_>) -> Result<Reply> {
    Err(RpcError::INTERNAL)
}
