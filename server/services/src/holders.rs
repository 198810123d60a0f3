//! Who holds a file, and which files hold a blob.
//!
//! Counts of holders come as deliveries from many partitions, and a release may overtake the hold it belongs to. So counts
//! have a sign, and whatever is not 0 counts as held. That suffices. Say A gave a file to B, and all that is known here adds
//! up to 0:
//!
//! - A's delivery is older than A's own release of what it gave away, and both go the same way: while the delivery is
//!   missing here, so is the release, and A holds, unless what made A a holder is missing here itself;
//! - then somebody else, who acted before A, holds in the same way. The first of them all is who made the file, and what
//!   makes that one a holder is what makes the file known here.
//!
//! So a live holder always leaves a count that is not 0, however late deliveries are.

use storage::{BlobId, Order, Owner, Read};
use tl::operations::functions::{blobs, holders as functions};
use tl::records::types::{FileBlobs, Holds};

use crate::tables::{FILE, HOLDERS};
use crate::{Done, Result, Txn, UnixTime};

/// `holders.create`
pub fn create(txn: &mut Txn<'_, '_>, _: UnixTime, op: functions::Create) -> Result<Done> {
    txn.put(FILE, &(), &FileBlobs { blobs: op.blobs });
    count(txn, op.user, 1)?;
    settle(txn)
}

/// `holders.hold`
pub fn hold(txn: &mut Txn<'_, '_>, _: UnixTime, op: functions::Hold) -> Result<Done> {
    for user in op.users {
        count(txn, user, 1)?;
    }
    settle(txn)
}

/// `holders.release`
pub fn release(txn: &mut Txn<'_, '_>, _: UnixTime, op: functions::Release) -> Result<Done> {
    count(txn, op.user, op.count.saturating_neg())?;
    settle(txn)
}

/// Lets the blobs go if nobody holds the file.
fn settle(txn: &mut Txn<'_, '_>) -> Result<Done> {
    if is_held(txn.rows())? {
        return Ok(Done {});
    }
    let Some(file) = txn.get(FILE, &())? else { return Ok(Done {}) };
    let Owner::File(id) = *txn.owner() else { return Ok(Done {}) };
    txn.delete(FILE, &());
    for blob in file.blobs {
        if let Some(blob) = BlobId::from_slice(&blob) {
            txn.deliver(Owner::Blob(blob), &blobs::Release { file: id.0 })?;
        }
    }
    Ok(Done {})
}

/// Whether anybody holds the file or blob, or is about to.
pub(crate) fn is_held(rows: &impl Read) -> Result<bool> {
    Ok(rows.first(HOLDERS, .., Order::Forward)?.is_some())
}

/// Adds to the count of a holder, which may become negative for a while.
pub(crate) fn count(txn: &mut Txn<'_, '_>, holder: i64, by: i32) -> Result<()> {
    let before = txn.get(HOLDERS, &holder)?.map_or(0, |holds| holds.count);
    match before.saturating_add(by) {
        0 => txn.delete(HOLDERS, &holder),
        count => txn.put(HOLDERS, &holder, &Holds { count }),
    }
    Ok(())
}
