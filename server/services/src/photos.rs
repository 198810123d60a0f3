//! Photos of profiles.

use tl::operations::{enums::Refusal, functions::photos as functions, types};

use crate::{Result, Txn, UnixTime};

/// `photos.add`
pub fn add(
    _: &mut Txn<'_, '_>,
    _: UnixTime,
    _: functions::Add,
) -> Result<tl::records::types::Photo> {
    Err(Refusal::Internal.into())
}

/// `photos.delete`
pub fn delete(
    _: &mut Txn<'_, '_>,
    _: UnixTime,
    _: functions::Delete,
) -> Result<types::photos::Page> {
    Err(Refusal::Internal.into())
}

/// `photos.list`
pub fn list(
    _: &impl storage::Read,
    _: UnixTime,
    _: functions::List,
) -> Result<types::photos::Page> {
    Err(Refusal::Internal.into())
}
