//! Uploads: the parts that came, until a file is made of them.

use tl::operations::{enums::Refusal, functions::uploads as functions, types};

use crate::{Done, Result, Txn, UnixTime};

/// `uploads.open`
pub fn open(
    _: &mut Txn<'_, '_>,
    _: UnixTime,
    _: functions::Open,
) -> Result<types::uploads::Opened> {
    Err(Refusal::Internal.into())
}

/// `uploads.store`
pub fn store(_: &mut Txn<'_, '_>, _: UnixTime, _: functions::Store<'_>) -> Result<Done> {
    Err(Refusal::Internal.into())
}

/// `uploads.get`
pub fn get(
    _: &impl storage::Read,
    _: UnixTime,
    _: functions::Get,
) -> Result<types::uploads::State> {
    Err(Refusal::Internal.into())
}

/// `uploads.expire`
pub fn expire(
    _: &mut Txn<'_, '_>,
    _: UnixTime,
    _: functions::Expire,
) -> Result<types::uploads::Next> {
    Err(Refusal::Internal.into())
}
