//! From a location to bytes that the asker may see.

use tl::records::enums::{File, Source};

use crate::rpc::{Result, RpcError, UserCtx};

/// The file that a client names, and from where the client has it.
///
/// # Errors
///
/// `FILE_REFERENCE_EMPTY`, `FILE_REFERENCE_INVALID`, `FILE_REFERENCE_EXPIRED`; `FILE_ID_INVALID` for a wrong access hash.
pub fn file_of(
    _: &UserCtx,
    _id: i64,
    _access_hash: i64,
    _reference: &[u8],
) -> Result<(File, Source)> {
    Err(RpcError::INTERNAL)
}
