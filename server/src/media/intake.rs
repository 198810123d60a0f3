//! Files are made of uploads.

use tl::{
    api::enums,
    records::{
        enums::Attribute,
        types::{Document, Photo},
    },
};

use super::image;
use crate::rpc::{Result, RpcError, UserCtx};

/// A complete upload, checked: all parts are there, and the sum is right if one was given.
#[derive(Clone, Debug)]
pub struct Uploaded {
    /// What its client calls it: the last component of a path.
    pub name: String,
    /// How many bytes it has.
    pub len: u64,
}

/// Checks an upload that a client wants to use.
///
/// # Errors
///
/// `FILE_PART_X_MISSING`, `FILE_PARTS_INVALID`, `MD5_CHECKSUM_INVALID`, `FILE_ID_INVALID`.
pub async fn uploaded(_: &UserCtx, _: &enums::InputFile<'_>) -> Result<Uploaded> {
    Err(RpcError::INTERNAL)
}

/// Makes a photo of an upload. The same upload again is the same photo.
///
/// # Errors
///
/// `PHOTO_INVALID_DIMENSIONS`, `IMAGE_PROCESS_FAILED`, `PHOTO_EXT_INVALID`, `PHOTO_SAVE_FILE_INVALID`.
pub async fn photo(_: &UserCtx, _: &Uploaded, _: image::Kind) -> Result<Photo> {
    Err(RpcError::INTERNAL)
}

/// Makes a document of an upload. The same upload again is the same document.
///
/// # Errors
///
/// What becomes of a preview that is none is not one: the document is made without it.
pub async fn document(
    _: &UserCtx,
    _: &Uploaded,
    _thumb: Option<&Uploaded>,
    _mime: &str,
    _attributes: Vec<Attribute>,
) -> Result<Document> {
    Err(RpcError::INTERNAL)
}
