//! `messages.sendMultiMedia`, `messages.uploadMedia`.

use mtproto::session::Reply;
use tl::api::functions::messages::{SendMultiMedia, UploadMedia};

use crate::rpc::{Result, RpcError, UserCtx};

/// `messages.sendMultiMedia`
pub async fn send_multi_media(_: &UserCtx, _: SendMultiMedia<'_>) -> Result<Reply> {
    Err(RpcError::INTERNAL)
}

/// `messages.uploadMedia`
pub async fn upload_media(_: &UserCtx, _: UploadMedia<'_>) -> Result<Reply> {
    Err(RpcError::INTERNAL)
}
