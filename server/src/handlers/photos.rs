//! `photos.*`: photos of profiles, of which there are none yet.

use mtproto::session::Reply;
use tl::api::{functions::photos::GetUserPhotos, types::photos::Photos};

use crate::{
    convert::peers,
    rpc::{Result, UserCtx},
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
