//! From a location to bytes that the asker may see.
//!
//! | what a client shows | what it proves |
//! |---|---|
//! | the id and its access hash | that this server told this viewer of the file |
//! | a file reference | where the viewer saw it, and that this was not long ago |
//! | the origin, which is read again | that the viewer can still see it there |
//!
//! All three are needed. A photo of a profile is named by its user instead, whom the viewer must know and whose privacy must
//! show it.

use services::mailbox::attachment;
use storage::{Owner, UserId};
use tl::{
    api::{enums::InputFileLocation, types as locations},
    operations::functions,
    records::{
        enums::{File, Source},
        types::{Content, FilePhoto, Photo, Pictures, SourceFile, SourceMessage, SourceProfile},
    },
};

use super::reference::{self, Origin};
use crate::{
    convert::{media::PHOTO_VIDEO, peers},
    rpc::{Result, RpcError, UserCtx},
    shared::AccessKind,
};

/// The file that a client names, and where the client sees it.
///
/// # Errors
///
/// `FILE_REFERENCE_EMPTY`, `FILE_REFERENCE_INVALID`, `FILE_REFERENCE_EXPIRED`; `FILE_ID_INVALID` for a wrong access hash.
pub fn file_of(
    ctx: &UserCtx,
    id: i64,
    access_hash: i64,
    reference: &[u8],
) -> Result<(File, Origin)> {
    let shared = ctx.shared();
    if !shared.access_hash_is(ctx.user, AccessKind::File, id, access_hash) {
        return Err(RpcError::FILE_ID_INVALID);
    }
    let origin = reference::check(shared, ctx.user, id, reference)?;
    let expired = RpcError::FILE_REFERENCE_EXPIRED;
    let file = match origin {
        Origin::Message(message) => {
            let messages = functions::mailbox::Messages { ids: vec![message] };
            let found = shared.router.read_now(&Owner::User(ctx.user), &messages)?.messages;
            let mut files = found
                .iter()
                .flat_map(attachment::of)
                .flat_map(|attachment| attachment::files(attachment.media));
            files.find(|file| services::files::id(file) == id).ok_or(expired)?
        }
        Origin::Own => {
            let get = functions::files::Get { id };
            shared.router.read_now(&Owner::User(ctx.user), &get)?.file
        }
        Origin::Profile(user) => {
            let photo = profile_photo(ctx, user, id)?.ok_or(expired)?;
            FilePhoto::new(photo).into()
        }
    };
    Ok((file, origin))
}

/// From where the caller has a file that [`file_of`] found, to use it again.
///
/// A photo of somebody else's profile the caller does not have yet, but is lent for a while.
///
/// # Errors
///
/// `FILE_REFERENCE_EXPIRED` if it is no longer there.
pub async fn source_of(ctx: &UserCtx, file: &File, origin: Origin) -> Result<Source> {
    let id = services::files::id(file);
    Ok(match origin {
        Origin::Message(message) => SourceMessage::new(message).into(),
        Origin::Own => SourceFile::new(id).into(),
        Origin::Profile(user) if user == ctx.user => SourceProfile::new(id).into(),
        Origin::Profile(user) => {
            let hold_s = ctx.config().media.upload_s;
            ctx.call(user, &functions::photos::Lend { user: ctx.user.0, id, hold_s }).await?;
            SourceFile::new(id).into()
        }
    })
}

/// A photo of a profile, if the caller may see it.
fn profile_photo(ctx: &UserCtx, user: UserId, id: i64) -> Result<Option<Photo>> {
    let router = &ctx.shared().router;
    let viewer = ctx.user.0;
    let profile = router.read_now(&Owner::User(user), &functions::accounts::Get { viewer })?;
    let mut shown = [profile.photo, profile.fallback_photo].into_iter().flatten();
    if let Some(photo) = shown.find(|photo| photo.id == id) {
        return Ok(Some(photo));
    }
    if user != ctx.user && !profile.photo_visible {
        return Ok(None);
    }
    // A profile has no more photos than one page.
    let list = functions::photos::List { offset: 0, max_id: 0, limit: i32::MAX };
    let photos = router.read_now(&Owner::User(user), &list)?.photos;
    Ok(photos.into_iter().find(|photo| photo.id == id))
}

/// Bytes that may be fetched: a range of a blob.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Located {
    /// The blob.
    pub(crate) content: Content,
    /// Where in it they begin.
    pub(crate) offset: u64,
    /// How many there are.
    pub(crate) len: u64,
    /// When the file came into being.
    pub(crate) date: i32,
    /// What they are.
    pub(crate) mime: String,
}

/// What a location names, if the caller may have it.
///
/// # Errors
///
/// Those of [`file_of`]; `LOCATION_INVALID` for kinds that do not exist here, and sizes that the file has not.
pub(crate) fn locate(ctx: &UserCtx, location: &InputFileLocation<'_>) -> Result<Located> {
    match location {
        InputFileLocation::InputDocumentFileLocation(location) => document(ctx, location),
        InputFileLocation::InputPhotoFileLocation(location) => {
            let (id, hash) = (location.id, location.access_hash);
            match file_of(ctx, id, hash, location.file_reference)? {
                (File::FilePhoto(file), _) if location.thumb_size == PHOTO_VIDEO => {
                    video(&file.photo)
                }
                (File::FilePhoto(file), _) => {
                    size(&file.photo.pictures, location.thumb_size, file.photo.date)
                }
                (File::FileDocument(_), _) => Err(RpcError::LOCATION_INVALID),
            }
        }
        InputFileLocation::InputPeerPhotoFileLocation(location) => {
            let user = peers::peer(ctx.shared(), ctx.user, &location.peer)?;
            let photo = profile_photo(ctx, UserId(user), location.photo_id)?;
            let photo = photo.ok_or(RpcError::LOCATION_INVALID)?;
            size(&photo.pictures, profile_size(&photo.pictures, location.big), photo.date)
        }
        InputFileLocation::InputFileLocation(_)
        | InputFileLocation::InputEncryptedFileLocation(_)
        | InputFileLocation::InputSecureFileLocation(_)
        | InputFileLocation::InputTakeoutFileLocation
        | InputFileLocation::InputPhotoLegacyFileLocation(_)
        | InputFileLocation::InputStickerSetThumb(_)
        | InputFileLocation::InputGroupCallStream(_) => Err(RpcError::LOCATION_INVALID),
    }
}

fn document(ctx: &UserCtx, location: &locations::InputDocumentFileLocation<'_>) -> Result<Located> {
    let (id, hash) = (location.id, location.access_hash);
    let (file, _) = file_of(ctx, id, hash, location.file_reference)?;
    let File::FileDocument(file) = file else { return Err(RpcError::LOCATION_INVALID) };
    let document = file.document;
    if !location.thumb_size.is_empty() {
        let thumbs = document.thumbs.as_ref().ok_or(RpcError::LOCATION_INVALID)?;
        return size(thumbs, location.thumb_size, document.date);
    }
    Ok(Located {
        offset: 0,
        len: u64::try_from(document.content.len).map_err(|_| RpcError::INTERNAL)?,
        content: document.content,
        date: document.date,
        mime: document.mime_type,
    })
}

/// Which size of a profile photo stands beside a name, or fills a screen.
///
/// A photo that was sent in a message before has other sizes: then it is the smallest one that is large enough.
fn profile_size(pictures: &Pictures, big: bool) -> &str {
    let (letter, side) = if big { ("c", 640) } else { ("a", 160) };
    let sizes = &pictures.sizes;
    let exact = sizes.iter().find(|size| size.type_ == letter);
    let enough = || sizes.iter().find(|size| size.width.min(size.height) >= side);
    exact.or_else(enough).or_else(|| sizes.last()).map_or(letter, |size| &size.type_)
}

/// A size of a picture, by its letter.
fn size(pictures: &Pictures, letter: &str, date: i32) -> Result<Located> {
    let size = pictures.sizes.iter().find(|size| size.type_ == letter);
    let size = size.ok_or(RpcError::LOCATION_INVALID)?;
    part(&pictures.content, (size.offset, size.len), date, "image/jpeg")
}

/// The video that plays in the place of a photo.
fn video(photo: &Photo) -> Result<Located> {
    let video = photo.video.as_ref().ok_or(RpcError::LOCATION_INVALID)?;
    part(&photo.pictures.content, (video.offset, video.len), photo.date, "video/mp4")
}

/// Some of the bytes of a blob: from where on, and how many.
fn part(content: &Content, (offset, len): (i32, i32), date: i32, mime: &str) -> Result<Located> {
    let number = |value: i32| u64::try_from(value).map_err(|_| RpcError::INTERNAL);
    Ok(Located {
        content: content.clone(),
        offset: number(offset)?,
        len: number(len)?,
        date,
        mime: mime.to_owned(),
    })
}
