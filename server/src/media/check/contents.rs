//! Whether every blob has its bytes, and they are right.

use storage::{BlobId, Owner, OwnerKind, Read as _, Snapshot};

use super::{Checked, Work};
use crate::{
    limits,
    media::{
        depot::Error,
        mover,
        parts::{Parts, each_key},
    },
};

pub(super) fn check(
    work: &Work<'_>,
    snapshot: &dyn Snapshot,
    repair: bool,
    checked: &mut Checked,
) -> Result<(), Error> {
    let counted = mover::count(work.depot)?;
    work.report.begin("Reading blobs", counted.here_len + counted.there_len, true);
    work.each(snapshot, OwnerKind::Blob, |view| {
        let Owner::Blob(blob) = *view.owner() else { return Ok(()) };
        if !view.contains(services::tables::BLOB, &())? {
            return Ok(());
        }
        checked.blobs += 1;
        match one(work, blob, repair, checked) {
            Err(Error::Stopped) => Err(Error::Stopped),
            Err(error) => {
                work.report.find(error.to_string());
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    })
}

/// Reads one blob, wherever it is; once more if it was moved meanwhile.
fn one(work: &Work<'_>, blob: BlobId, repair: bool, checked: &mut Checked) -> Result<(), Error> {
    let mut tries = 3;
    loop {
        let Some(layout) = work.depot.layout(blob)? else { return Ok(()) };
        let parts = Parts::of(blob, &layout)?;
        let read = if parts.remote { read_there(work, &parts) } else { read_here(work, &parts) };
        match read {
            Ok(()) => {
                checked.len = checked.len.saturating_add(parts.len);
                if !parts.remote {
                    surplus(work, &parts, repair, checked)?;
                }
                return Ok(());
            }
            Err(Error::Stopped) => return Err(Error::Stopped),
            Err(error) => {
                let now = work.depot.layout(blob)?;
                let moved = now.is_none_or(|now| {
                    (now.blob.remote, now.blob.data) != (layout.blob.remote, layout.blob.data)
                });
                tries -= 1;
                if !moved || tries == 0 {
                    return Err(error);
                }
            }
        }
    }
}

fn read_here(work: &Work<'_>, parts: &Parts) -> Result<(), Error> {
    let mut wrong = None;
    for part in 0..parts.count() {
        work.go_on()?;
        if let Err(error) = parts.read(&*work.depot.pieces, part) {
            wrong.get_or_insert(error);
        }
        let range = parts.range(part);
        work.report.advance(range.end - range.start);
    }
    wrong.map_or(Ok(()), Err)
}

fn read_there(work: &Work<'_>, parts: &Parts) -> Result<(), Error> {
    let objects = work.depot.remote()?;
    for run in parts.runs(limits::REMOTE_RUN_LEN) {
        work.go_on()?;
        let pieces = parts.read_run(objects, run)?;
        work.report.advance(pieces.iter().map(|(_, bytes)| bytes.len() as u64).sum());
    }
    Ok(())
}

/// Looks for pieces under a blob's number that are not its: parts that were sent again with other bytes.
fn surplus(
    work: &Work<'_>,
    parts: &Parts,
    repair: bool,
    checked: &mut Checked,
) -> Result<(), Error> {
    each_key(&*work.depot.pieces, parts.data, |key| {
        let part = usize::try_from(key.part).unwrap_or(usize::MAX);
        if parts.key(parts.data, part) == Some(key) {
            return Ok(());
        }
        checked.orphans += 1;
        if repair {
            work.depot.pieces.delete_piece(&key)?;
            checked.removed += 1;
        } else {
            let number = key.part;
            let blob = parts.blob;
            work.report.find(format!("a piece {number} lies beside those of blob {blob}"));
        }
        Ok(())
    })
}
