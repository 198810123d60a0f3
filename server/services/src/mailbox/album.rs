//! Several messages sent as one.

use tl::operations::{enums::Refusal, functions::mailbox as functions, types::mailbox::Forwarded};

use crate::{Result, Txn, UnixTime};

/// `mailbox.sendAlbum`
pub fn send_album(_: &mut Txn<'_, '_>, _: UnixTime, _: functions::SendAlbum) -> Result<Forwarded> {
    Err(Refusal::Internal.into())
}
