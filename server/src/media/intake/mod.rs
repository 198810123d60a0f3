//! Files are made of uploads.
//!
//! ```text
//! InputFile ──► uploaded: all parts? sum? ──► photo:    image pool ──► an upload of ours ──┐
//!                                        └──► document: the upload itself, a preview ──────┴──► files.make
//! ```
//!
//! | module     | what it is                                                     |
//! |------------|----------------------------------------------------------------|
//! | here       | photos and documents are made of complete uploads              |
//! | `complete` | complete uploads: checked, or stored by the server itself; read |
//!
//! A document's pieces stay where its parts were stored: nothing is copied. A photo's sizes are uploads of the server's own
//! until a file is made of them, so that whatever is left half-way goes as a client's would.
//!
//! The same upload may be used again, by clients that did not hear the answer: it is the same file then.

mod complete;

use bytes::Bytes;
use tl::{
    operations::functions,
    records::{
        enums::File,
        types::{Document, FileDocument, FilePhoto, Photo, PhotoVideo, PictureSize, Pictures},
    },
};

pub(crate) use self::complete::stored;
pub use self::complete::{Uploaded, uploaded};
use super::image;
use crate::{
    convert::attributes::Description,
    rpc::{Result, RpcError, UserCtx},
};

/// What a photo of a profile shows for a video whose client made no picture of it: nothing here decodes videos.
const STILL: &[u8] = include_bytes!("still.png");

/// What a sticker that moves begins with: it is packed.
const GZIP: &[u8] = &[0x1f, 0x8b];

/// Makes a photo of an upload. The same upload again is the same photo.
///
/// # Errors
///
/// `PHOTO_INVALID_DIMENSIONS`, `IMAGE_PROCESS_FAILED`, `PHOTO_EXT_INVALID`, `PHOTO_CROP_SIZE_SMALL`,
/// `PHOTO_SAVE_FILE_INVALID`; `FLOOD_WAIT` while too many pictures are worked on.
pub async fn photo(ctx: &UserCtx, upload: &Uploaded, kind: image::Kind) -> Result<Photo> {
    if upload.made.is_some() {
        return made_photo(ctx, upload, kind).await;
    }
    let made = picture(ctx, upload, kind).await?;
    stored_photo(ctx, upload, kind, made, None).await
}

/// Makes a photo of a profile of a video, and of a picture that stands for it where it does not play. The same video again is
/// the same photo.
///
/// `start_ts` is the moment in seconds that the picture shows; one that the video has not is left out.
///
/// # Errors
///
/// `VIDEO_FILE_INVALID` for what [`pictures::video::head`] does not take, and those of [`photo`].
pub async fn moving_photo(
    ctx: &UserCtx,
    video: &Uploaded,
    still: Option<&Uploaded>,
    start_ts: Option<f64>,
) -> Result<Photo> {
    let kind = image::Kind::Profile;
    if video.made.is_some() {
        return made_photo(ctx, video, kind).await;
    }
    if video.len > pictures::limits::VIDEO_LEN_MAX as u64 {
        return Err(RpcError::VIDEO_FILE_INVALID);
    }
    let bytes = video.bytes(ctx).await?;
    let head = pictures::video::head(&bytes).ok_or(RpcError::VIDEO_FILE_INVALID)?;
    let made = match still {
        Some(still) => picture(ctx, still, kind).await?,
        None => ctx.shared().media.images.run(Bytes::from_static(STILL), kind).await?,
    };
    let whole = |len: usize| i32::try_from(len).map_err(|_| RpcError::VIDEO_FILE_INVALID);
    let described = PhotoVideo {
        start_ts: start_ts.filter(|at| (0.0..=head.duration_s).contains(at)),
        ..PhotoVideo::new(head.side, head.side, whole(made.bytes.len())?, whole(bytes.len())?)
    };
    stored_photo(ctx, video, kind, made, Some((described, bytes))).await
}

/// Stores what became of an upload: all sizes one after another, then the video.
async fn stored_photo(
    ctx: &UserCtx,
    upload: &Uploaded,
    kind: image::Kind,
    made: image::Made,
    video: Option<(PhotoVideo, Bytes)>,
) -> Result<Photo> {
    let mut bytes = made.bytes;
    let video = video.map(|(described, video)| {
        bytes.extend_from_slice(&video);
        described
    });
    let sizes = stored(ctx, "", bytes.into()).await?;
    let id = file_id(ctx);
    let pictures = pictures(&sizes, made.sizes, made.stripped)?;
    let photo = Photo { video, ..Photo::new(id, ctx.now(), pictures) };
    let gate = upload.upload.gate.write().await;
    if upload.upload.is_finished() {
        drop(gate);
        return made_photo(ctx, upload, kind).await;
    }
    let make = functions::files::Make {
        file: FilePhoto::new(photo.clone()).into(),
        parts: vec![sizes.part()?],
        used: Some(upload.file_id),
        hold_s: ctx.config().media.upload_s,
    };
    ctx.call(ctx.user, &make).await?;
    upload.upload.finish();
    sizes.upload.finish();
    Ok(photo)
}

/// The photo that was made of an upload before, if it is of the kind that is wanted.
async fn made_photo(ctx: &UserCtx, upload: &Uploaded, kind: image::Kind) -> Result<Photo> {
    let is_square = |size: &PictureSize| matches!(&*size.type_, "a" | "b" | "c" | "d");
    match made(ctx, upload).await? {
        File::FilePhoto(file)
            if file.photo.pictures.sizes.iter().any(is_square)
                == (kind == image::Kind::Profile) =>
        {
            Ok(file.photo)
        }
        _ => Err(RpcError::PHOTO_SAVE_FILE_INVALID),
    }
}

/// Makes a document of an upload. The same upload again is the same document.
///
/// A picture gets a preview of its own; a client's is taken for what shows no picture here. A preview that is none is left out:
/// it is not worth a refusal.
///
/// # Errors
///
/// `MEDIA_INVALID` if a photo was made of the upload before, or parts came meanwhile.
pub async fn document(
    ctx: &UserCtx,
    upload: &Uploaded,
    thumb: Option<&Uploaded>,
    mut description: Description,
) -> Result<Document> {
    if upload.made.is_some() {
        return made_document(ctx, upload).await;
    }
    let seen = if description.is_picture() { preview(ctx, upload).await } else { None };
    if let Some(image::Made { width, height, .. }) = &seen {
        let side = |pixels: u32| i32::try_from(pixels).unwrap_or(i32::MAX);
        description.add_seen(upload.len, side(*width), side(*height));
    }
    if description.may_move(upload.len) && upload.bytes(ctx).await?.starts_with(GZIP) {
        description.add_moving_sticker();
    }
    let made = match (seen.filter(|_| !description.is_sticker()), thumb) {
        (None, Some(thumb)) if thumb.made.is_none() => preview(ctx, thumb).await,
        (seen, _) => seen,
    };
    let mut parts = vec![upload.part()?];
    let thumb = match made {
        Some(made) => stored_preview(ctx, made).await,
        None => None,
    };
    let thumbs = match &thumb {
        Some((upload, pictures)) => {
            parts.push(upload.part()?);
            Some(pictures.clone())
        }
        None => None,
    };
    let content = upload.parts.content()?;
    let Description { mime_type, attributes, .. } = description;
    let document = Document {
        thumbs,
        ..Document::new(file_id(ctx), ctx.now(), mime_type, content, attributes)
    };
    let gate = upload.upload.gate.write().await;
    if upload.upload.is_finished() {
        drop(gate);
        return made_document(ctx, upload).await;
    }
    let make = functions::files::Make {
        file: FileDocument::new(document.clone()).into(),
        parts,
        used: None,
        hold_s: ctx.config().media.upload_s,
    };
    ctx.call(ctx.user, &make).await?;
    upload.upload.finish();
    drop(gate);
    if let Some((thumb, _)) = &thumb {
        thumb.upload.finish();
    }
    upload.tidy(ctx).await;
    Ok(document)
}

async fn made_document(ctx: &UserCtx, upload: &Uploaded) -> Result<Document> {
    match made(ctx, upload).await? {
        File::FileDocument(file) => Ok(file.document),
        File::FilePhoto(_) => Err(RpcError::MEDIA_INVALID),
    }
}

/// The file that was made of an upload.
async fn made(ctx: &UserCtx, upload: &Uploaded) -> Result<File> {
    let id = match upload.made {
        Some(id) => id.0,
        None => {
            let get = functions::uploads::Get { file_id: upload.file_id };
            let row = ctx.call(ctx.user, &get).await?.upload;
            row.photo.or(row.document).ok_or(RpcError::FILE_ID_INVALID)?
        }
    };
    Ok(ctx.call(ctx.user, &functions::files::Get { id }).await?.file)
}

/// The preview of a document, as the image pool makes it.
async fn preview(ctx: &UserCtx, picture_of: &Uploaded) -> Option<image::Made> {
    let made = picture(ctx, picture_of, image::Kind::Thumb).await;
    made.inspect_err(|error| tracing::debug!(text = %error.text, "no preview")).ok()
}

async fn stored_preview(ctx: &UserCtx, made: image::Made) -> Option<(Uploaded, Pictures)> {
    let stored = stored(ctx, "", made.bytes.into()).await.ok()?;
    let pictures = pictures(&stored, made.sizes, made.stripped).ok()?;
    Some((stored, pictures))
}

/// Works on the picture that an upload is.
async fn picture(ctx: &UserCtx, upload: &Uploaded, kind: image::Kind) -> Result<image::Made> {
    if upload.len > pictures::limits::IMAGE_LEN_MAX as u64 {
        return Err(RpcError::PHOTO_SAVE_FILE_INVALID);
    }
    let media = &ctx.shared().media;
    // The bytes are read once there is somebody to work on them.
    let place = media.images.place().await?;
    let bytes = upload.bytes(ctx).await?;
    Ok(place.run(bytes, kind).await?)
}

fn pictures(
    upload: &Uploaded,
    sizes: Vec<PictureSize>,
    stripped: Option<Vec<u8>>,
) -> Result<Pictures> {
    Ok(Pictures { stripped, ..Pictures::new(upload.parts.content()?, sizes) })
}

/// The id of a new file.
fn file_id(ctx: &UserCtx) -> i64 {
    // Clients take ids for positive numbers.
    ctx.random_id() & i64::MAX
}
