//! Who holds a file.

use tl::operations::{enums::Refusal, functions::holders as functions};

use crate::{Done, Result, Txn, UnixTime};

/// `holders.create`
pub fn create(_: &mut Txn<'_, '_>, _: UnixTime, _: functions::Create) -> Result<Done> {
    Err(Refusal::Internal.into())
}

/// `holders.hold`
pub fn hold(_: &mut Txn<'_, '_>, _: UnixTime, _: functions::Hold) -> Result<Done> {
    Err(Refusal::Internal.into())
}

/// `holders.release`
pub fn release(_: &mut Txn<'_, '_>, _: UnixTime, _: functions::Release) -> Result<Done> {
    Err(Refusal::Internal.into())
}
