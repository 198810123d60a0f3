//! `upload.*`: parts of files.

use mtproto::session::Reply;
use tl::api::functions::upload::{GetFile, GetFileHashes, SaveBigFilePart, SaveFilePart};

use crate::rpc::{Result, RpcError, UserCtx};

/// `upload.saveFilePart`
pub async fn save_file_part(_: &UserCtx, _: SaveFilePart<'_>) -> Result<Reply> {
    Err(RpcError::INTERNAL)
}

/// `upload.saveBigFilePart`
pub async fn save_big_file_part(_: &UserCtx, _: SaveBigFilePart<'_>) -> Result<Reply> {
    Err(RpcError::INTERNAL)
}

/// `upload.getFile`
pub async fn get_file(_: &UserCtx, _: GetFile<'_>) -> Result<Reply> {
    Err(RpcError::LOCATION_INVALID)
}

/// `upload.getFileHashes`
pub async fn get_file_hashes(_: &UserCtx, _: GetFileHashes<'_>) -> Result<Reply> {
    Err(RpcError::LOCATION_INVALID)
}
