//! Uploads: the parts that came, until a file is made of them.
//!
//! ```text
//! open ──► store, store, store … ──► files.make ──► the row names the file, so that it can be used again
//!   └────────────┴── nothing more comes ──────────► expire: the row goes, a chore removes the parts' bytes
//! ```
//!
//! `open` is durable before the first byte is stored, and so whatever is stored is found again. A part costs three puts:
//! the upload, the part, and the totals that bound what a user has under way.

pub mod expiry;
mod shape;

use storage::{
    Order, Read,
    limits::{PIECE_COUNT_MAX, PIECE_LEN_MAX},
};
use tl::operations::{enums::Refusal, functions::uploads as functions, types};
use tl::records::types::{Upload, UploadPart, UploadTotals};

use crate::limits::{OPEN_UPLOAD_COUNT_MAX, UPLOAD_LEN_MAX, UPLOAD_LIFETIME_S_MAX, UPLOAD_WAIT_S};
use crate::tables::{UPLOAD_PARTS, UPLOAD_TOTALS, UPLOADS};
use crate::{Done, Result, Txn, UnixTime};
use shape::Shape;

pub use expiry::expire;

/// `uploads.open`
pub fn open(
    txn: &mut Txn<'_, '_>,
    now: UnixTime,
    op: functions::Open,
) -> Result<types::uploads::Opened> {
    if let Some(upload) = txn.get(UPLOADS, &op.file_id)? {
        return Ok(types::uploads::Opened { data: upload.data });
    }
    let total = known(op.total);
    if !total.is_none_or(|total| (1..=PIECE_COUNT_MAX as i32).contains(&total)) {
        return Err(Refusal::FilePartsInvalid.into());
    }
    let mut totals = totals(txn.rows())?;
    if totals.count >= OPEN_UPLOAD_COUNT_MAX {
        return Err(wait());
    }
    totals.count += 1;
    txn.put(UPLOAD_TOTALS, &(), &totals);
    let lifetime_s = op.lifetime_s.clamp(1, UPLOAD_LIFETIME_S_MAX);
    let expires_at = now.0.saturating_add(lifetime_s);
    let upload = Upload {
        big: op.big,
        total,
        ..Upload::new(op.data, now.0, expires_at, lifetime_s, 0, 0, -1, 0)
    };
    txn.put(UPLOADS, &op.file_id, &upload);
    expiry::note(txn, expiry::Kind::Upload, expires_at, op.file_id)?;
    Ok(types::uploads::Opened { data: op.data })
}

/// `uploads.store`
pub fn store(txn: &mut Txn<'_, '_>, now: UnixTime, op: functions::Store<'_>) -> Result<Done> {
    let Some(mut upload) =
        txn.get(UPLOADS, &op.file_id)?.filter(|upload| is_open(upload) && upload.data == op.data)
    else {
        return Err(Refusal::FileIdInvalid.into());
    };
    let len = usize::try_from(op.len).unwrap_or_default();
    if len == 0 || len > PIECE_LEN_MAX || op.hash.len() != 32 {
        return Err(Refusal::FilePartSizeInvalid.into());
    }
    let key = (op.file_id, op.part);
    let before = txn.get(UPLOAD_PARTS, &key)?;
    let part = UploadPart { len: op.len, hash: op.hash.to_vec() };
    if before.as_ref() == Some(&part) && known(op.total).is_none_or(|to| upload.total == Some(to)) {
        return Ok(Done {});
    }
    let before_len = before.map(|part| part.len);
    let len_of = |number| {
        let part = txn.get(UPLOAD_PARTS, &(op.file_id, number))?;
        Ok(part.map_or(0, |part| part.len))
    };
    let mut shape = Shape::of(&upload);
    shape.announce(known(op.total), op.part, op.part_count_max)?;
    shape.put(op.part, op.len, before_len, len_of)?;
    shape.write(&mut upload);

    let grown = i64::from(op.len) - i64::from(before_len.unwrap_or(0));
    let mut totals = totals(txn.rows())?;
    if totals.len.saturating_add(grown) > UPLOAD_LEN_MAX {
        return Err(wait());
    }
    totals.len += grown;
    upload.len += grown;
    // The index of what expires is not touched: it is corrected when it is looked at.
    upload.expires_at = upload.expires_at.max(now.0.saturating_add(upload.lifetime_s));
    txn.put(UPLOADS, &op.file_id, &upload);
    txn.put(UPLOAD_PARTS, &key, &part);
    txn.put(UPLOAD_TOTALS, &(), &totals);
    Ok(Done {})
}

/// `uploads.get`
pub fn get(rows: &impl Read, _: UnixTime, op: functions::Get) -> Result<types::uploads::State> {
    let Some(upload) = rows.get(UPLOADS, &op.file_id)? else {
        return Err(Refusal::FileIdInvalid.into());
    };
    let parts = parts(rows, op.file_id)?
        .into_iter()
        .map(|(part, row)| types::uploads::Part { part, len: row.len, hash: row.hash })
        .collect();
    Ok(types::uploads::State { upload, parts })
}

/// The parts of an upload, in order.
pub(crate) fn parts(rows: &impl Read, file_id: i64) -> Result<Vec<(i32, UploadPart)>> {
    let rows = rows.scan_prefix(UPLOAD_PARTS, &file_id, Order::Forward, PIECE_COUNT_MAX)?;
    Ok(rows.into_iter().map(|((_, part), row)| (part, row)).collect())
}

/// Takes the parts of an upload out, so that it no longer counts as under way. The upload's own row is the caller's.
pub(crate) fn close(txn: &mut Txn<'_, '_>, file_id: i64, upload: &Upload) -> Result<()> {
    for (part, _) in parts(txn.rows(), file_id)? {
        txn.delete(UPLOAD_PARTS, &(file_id, part));
    }
    let mut totals = totals(txn.rows())?;
    totals.count = (totals.count - 1).max(0);
    totals.len = (totals.len - upload.len).max(0);
    txn.put(UPLOAD_TOTALS, &(), &totals);
    Ok(())
}

/// Whether parts may still come: no file was made of it.
pub(crate) const fn is_open(upload: &Upload) -> bool {
    upload.photo.is_none() && upload.document.is_none()
}

/// What the user has under way.
pub(crate) fn totals(rows: &impl Read) -> Result<UploadTotals> {
    Ok(rows.get(UPLOAD_TOTALS, &())?.unwrap_or_else(|| UploadTotals::new(0, 0, 0)))
}

/// The number of parts, if it is known: clients say -1 if it is not.
fn known(total: Option<i32>) -> Option<i32> {
    total.filter(|total| *total != -1)
}

fn wait() -> crate::Error {
    Refusal::from(types::FloodWait { wait_s: UPLOAD_WAIT_S }).into()
}
