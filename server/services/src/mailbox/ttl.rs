//! Media that go some time after they were opened.

use tl::operations::{enums::Refusal, functions::mailbox as functions, types::uploads::Next};

use crate::{Result, Txn, UnixTime};

/// `mailbox.expireMedia`
pub fn expire_media(_: &mut Txn<'_, '_>, _: UnixTime, _: functions::ExpireMedia) -> Result<Next> {
    Err(Refusal::Internal.into())
}
