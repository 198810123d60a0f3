//! Parts come in.

use crate::rpc::{Result, RpcError, UserCtx};

/// A part as a client sent it.
#[derive(Clone, Copy, Debug)]
pub struct NewPart<'a> {
    /// The upload, under the id its client chose.
    pub file_id: i64,
    /// Which part it is, from 0 on.
    pub part: i32,
    /// How many parts there are: `None` where the method does not tell, -1 while the client does not know.
    pub total: Option<i32>,
    /// The bytes, which lie in the request.
    pub bytes: &'a [u8],
}

/// What is remembered of uploads under way.
#[derive(Default)]
pub(crate) struct Uploads {}

/// Stores a part. Once this returns it is durable.
///
/// # Errors
///
/// `FILE_PART_EMPTY`, `FILE_PART_TOO_BIG`, `FILE_PART_INVALID`, `FILE_PARTS_INVALID`, `FILE_PART_SIZE_INVALID`,
/// `FILE_PART_SIZE_CHANGED`; `FLOOD_WAIT` beyond what an account may have under way.
pub async fn save_part(_: &UserCtx, _: NewPart<'_>) -> Result<()> {
    Err(RpcError::INTERNAL)
}
