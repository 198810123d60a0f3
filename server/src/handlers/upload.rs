//! `upload.*`: parts of files. No files are stored yet.

use mtproto::session::Reply;
use tl::api::functions::upload::GetFile;

use crate::rpc::{Result, RpcError, UserCtx};

/// `upload.getFile`: a part of a file.
///
/// Empty by design: no files are stored yet, so that no location leads to one.
///
/// Errors: `LOCATION_INVALID`.
///
/// Source: <https://core.telegram.org/method/upload.getFile>.
pub async fn get_file(_: &UserCtx, _: GetFile<'_>) -> Result<Reply> {
    Err(RpcError::LOCATION_INVALID)
}
