//! Ranges of blobs, through the cache.

use std::sync::Arc;

use bytes::Bytes;
use tl::records::types::Content;

use crate::{
    rpc::{Result, RpcError},
    shared::Shared,
};

/// The cache.
pub(crate) struct Reader {}

impl Reader {
    pub(crate) fn new(_cache_len: usize) -> Self {
        Self {}
    }
}

/// Reads `len` bytes from `offset` on; fewer at the end.
///
/// # Errors
///
/// `FILE_REFERENCE_EXPIRED` if the blob is gone; `INTERNAL` if it cannot be read.
pub async fn read(_: &Arc<Shared>, _: &Content, _offset: u64, _len: usize) -> Result<Bytes> {
    Err(RpcError::INTERNAL)
}
