//! Things to be done later.

use tl::operations::{enums::Refusal, functions::chores as functions, types};

use crate::{Done, Result, Txn, UnixTime};

/// `chores.add`
pub fn add(_: &mut Txn<'_, '_>, _: UnixTime, _: functions::Add) -> Result<Done> {
    Err(Refusal::Internal.into())
}

/// `chores.list`
pub fn list(
    _: &impl storage::Read,
    _: UnixTime,
    _: functions::List,
) -> Result<types::chores::Page> {
    Err(Refusal::Internal.into())
}

/// `chores.done`
pub fn done(_: &mut Txn<'_, '_>, _: UnixTime, _: functions::Done) -> Result<Done> {
    Err(Refusal::Internal.into())
}
