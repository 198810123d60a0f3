//! Where the bytes of a blob are, and which files hold it.

use tl::operations::{enums::Refusal, functions::blobs as functions, types};

use crate::{Done, Result, Txn, UnixTime};

/// `blobs.adopt`
pub fn adopt(_: &mut Txn<'_, '_>, _: UnixTime, _: functions::Adopt<'_>) -> Result<Done> {
    Err(Refusal::Internal.into())
}

/// `blobs.release`
pub fn release(_: &mut Txn<'_, '_>, _: UnixTime, _: functions::Release) -> Result<Done> {
    Err(Refusal::Internal.into())
}

/// `blobs.get`
pub fn get(_: &impl storage::Read, _: UnixTime, _: functions::Get) -> Result<types::blobs::Layout> {
    Err(Refusal::Internal.into())
}

/// `blobs.relocate`
pub fn relocate(_: &mut Txn<'_, '_>, _: UnixTime, _: functions::Relocate) -> Result<Done> {
    Err(Refusal::Internal.into())
}
