//! Where the bytes of a blob are, and which files hold it. Counted as in [`crate::holders`].

use storage::{Owner, Read, blobs::tree};
use tl::operations::{enums::Refusal, functions::blobs as functions, types};
use tl::records::types::{Blob, BlobHashes, ChoreData, ChoreObject};

use crate::chores::later;
use crate::holders::{count, is_held};
use crate::limits::MOVED_GRACE_S;
use crate::tables::{BLOB, BLOB_HASHES};
use crate::{Done, Result, Txn, UnixTime};

/// `blobs.adopt`
pub fn adopt(txn: &mut Txn<'_, '_>, now: UnixTime, op: functions::Adopt<'_>) -> Result<Done> {
    count(txn, op.file, 1)?;
    if txn.contains(BLOB, &())? {
        // The same bytes are there: these are not needed.
        later(txn, now, op.data, ChoreData { data: op.data })?;
    } else if is_held(txn.rows())? {
        let blob = Blob::new(op.data, op.len, op.piece_len, now.0);
        txn.put(BLOB, &(), &blob);
        txn.put(BLOB_HASHES, &(), &BlobHashes { hashes: op.hashes.to_vec() });
        if let Owner::Blob(id) = *txn.owner() {
            txn.tell(types::EffectBlobStored { blob: id.0.to_vec() });
        }
    } else {
        // The file is gone already.
        later(txn, now, op.data, ChoreData { data: op.data })?;
    }
    settle(txn, now)
}

/// `blobs.release`
pub fn release(txn: &mut Txn<'_, '_>, now: UnixTime, op: functions::Release) -> Result<Done> {
    count(txn, op.file, -1)?;
    settle(txn, now)
}

/// Has the bytes removed if no file holds the blob.
fn settle(txn: &mut Txn<'_, '_>, now: UnixTime) -> Result<Done> {
    if is_held(txn.rows())? {
        return Ok(Done {});
    }
    if let Some(blob) = txn.get(BLOB, &())? {
        txn.delete(BLOB, &());
        txn.delete(BLOB_HASHES, &());
        left(txn, now, blob.data, blob.remote)?;
    }
    Ok(Done {})
}

/// Has what lies under `data`, here or in the remote store, removed.
fn left(txn: &mut Txn<'_, '_>, due: UnixTime, data: i64, remote: bool) -> Result<()> {
    if !remote {
        return later(txn, due, data, ChoreData { data });
    }
    let Owner::Blob(id) = *txn.owner() else { return Ok(()) };
    later(txn, due, data, ChoreObject { blob: id.0.to_vec(), data })
}

/// `blobs.get`
pub fn get(rows: &impl Read, _: UnixTime, _: functions::Get) -> Result<types::blobs::Layout> {
    let (Some(blob), Some(hashes)) = (rows.get(BLOB, &())?, rows.get(BLOB_HASHES, &())?) else {
        return Err(Refusal::FileReferenceExpired.into());
    };
    Ok(types::blobs::Layout { blob, hashes: hashes.hashes })
}

/// `blobs.relocate`
pub fn relocate(txn: &mut Txn<'_, '_>, now: UnixTime, op: functions::Relocate) -> Result<Done> {
    let Some(blob) = txn.get(BLOB, &())? else {
        return Err(Refusal::FileReferenceExpired.into());
    };
    if (blob.remote, blob.data) == (op.remote, op.data) {
        return Ok(Done {});
    }
    if (blob.remote, blob.data) != (!op.remote, op.from) {
        return Err(Refusal::FileReferenceExpired.into());
    }
    txn.put(BLOB, &(), &Blob { remote: op.remote, data: op.data, ..blob });
    let due = UnixTime(now.0.saturating_add(MOVED_GRACE_S));
    left(txn, due, op.from, !op.remote)?;
    Ok(Done {})
}

/// The hashes of pieces, one after another as they are stored.
pub(crate) fn joined(hashes: &[tree::PieceHash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}
