//! What goes when: uploads left alone, files made and not used, media with a time to live.
//!
//! An index under the user says what goes at which moment, and a chore in a list of the server when the user has to be looked
//! after next. The latter is added by whatever goes before all that was noted so far.

use storage::{Order, Read};
use tl::operations::{functions::uploads as functions, types::uploads::Next};
use tl::records::types::{ChoreData, ChoreUser, Expiry};

use super::{close, is_open, totals};
use crate::chores::later;
use crate::limits::EXPIRE_BATCH;
use crate::tables::{EXPIRIES, UPLOAD_TOTALS, UPLOADS};
use crate::{Result, Txn, UnixTime, files, mailbox, user};

/// What goes. The numbers are in stored keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An upload, under the id its client chose.
    Upload = 0,
    /// A file made lately, under its id.
    OwnFile = 1,
    /// The medium of a message, under the message's id.
    Medium = 2,
}

const KINDS: [Kind; 3] = [Kind::Upload, Kind::OwnFile, Kind::Medium];

/// `uploads.expire`
pub fn expire(txn: &mut Txn<'_, '_>, now: UnixTime, _: functions::Expire) -> Result<Next> {
    for id in due(txn, now, Kind::Upload)? {
        expire_upload(txn, now, id)?;
    }
    for id in due(txn, now, Kind::OwnFile)? {
        files::expire(txn, now, id)?;
    }
    mailbox::ttl::run(txn, now)?;
    finish(txn)
}

/// Notes when something goes, and has the owner looked after in time.
pub(crate) fn note(txn: &mut Txn<'_, '_>, kind: Kind, due: i32, id: i64) -> Result<()> {
    txn.put(EXPIRIES, &(kind as u8, due, id), &Expiry {});
    let mut totals = totals(txn.rows())?;
    if totals.due == 0 || due < totals.due {
        totals.due = due;
        txn.put(UPLOAD_TOTALS, &(), &totals);
        let user = user(txn.rows())?.0;
        later(txn, UnixTime(due), user, ChoreUser { user })?;
    }
    Ok(())
}

/// Takes what is over out of the index, a batch at most.
pub(crate) fn due(txn: &mut Txn<'_, '_>, now: UnixTime, kind: Kind) -> Result<Vec<i64>> {
    let kind = kind as u8;
    let range = (kind, i32::MIN, i64::MIN)..=(kind, now.0, i64::MAX);
    let rows = txn.scan(EXPIRIES, range, Order::Forward, EXPIRE_BATCH)?;
    for (key, _) in &rows {
        txn.delete(EXPIRIES, key);
    }
    Ok(rows.into_iter().map(|((_, _, id), _)| id).collect())
}

/// Notes when the owner has to be looked after next, which the caller turns into a chore.
pub(crate) fn finish(txn: &mut Txn<'_, '_>) -> Result<Next> {
    let mut next = 0;
    for kind in KINDS.map(|kind| kind as u8) {
        let range = (kind, i32::MIN, i64::MIN)..=(kind, i32::MAX, i64::MAX);
        if let Some(((_, due, _), _)) = txn.first(EXPIRIES, range, Order::Forward)? {
            next = if next == 0 { due } else { due.min(next) };
        }
    }
    let before = totals(txn.rows())?;
    if next == 0 && before.count == 0 {
        txn.delete(UPLOAD_TOTALS, &());
    } else if next != before.due {
        txn.put(UPLOAD_TOTALS, &(), &tl::records::types::UploadTotals { due: next, ..before });
    }
    Ok(Next { due: next })
}

fn expire_upload(txn: &mut Txn<'_, '_>, now: UnixTime, id: i64) -> Result<()> {
    let Some(upload) = txn.get(UPLOADS, &id)? else { return Ok(()) };
    if upload.expires_at > now.0 {
        // Parts came since.
        return note(txn, Kind::Upload, upload.expires_at, id);
    }
    txn.delete(UPLOADS, &id);
    if is_open(&upload) {
        close(txn, id, &upload)?;
        later(txn, now, upload.data, ChoreData { data: upload.data })?;
    }
    Ok(())
}
