//! Files that users made lately.

use tl::operations::{enums::Refusal, functions::files as functions};

use crate::{Done, Result, Txn, UnixTime};

/// `files.make`
pub fn make(_: &mut Txn<'_, '_>, _: UnixTime, _: functions::Make) -> Result<Done> {
    Err(Refusal::Internal.into())
}

/// `files.get`
pub fn get(
    _: &impl storage::Read,
    _: UnixTime,
    _: functions::Get,
) -> Result<tl::records::types::OwnFile> {
    Err(Refusal::Internal.into())
}
