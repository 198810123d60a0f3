//! What lies in the stores, and whether a row names it.

use std::collections::HashSet;

use services::tables::{BLOB, CHORES, UPLOADS};
use storage::{
    DataId, Delivery, OwnerKind, Read as _, Snapshot,
    blobs::{PieceKey, s3::Object},
};
use tl::{Decode as _, operations::functions, records::enums::Chore};

use super::{Checked, Work, rows};
use crate::media::depot::Error;

/// What the stores hold.
pub(super) struct Listed {
    /// Under which numbers there are pieces, in order.
    data: Vec<DataId>,
    objects: Vec<Object>,
}

/// Lists what the stores hold.
pub(super) fn list(work: &Work<'_>) -> Result<Listed, Error> {
    work.report.begin("Listing pieces", 0, false);
    let mut data = Vec::new();
    let mut from = PieceKey { data: DataId(i64::MIN), part: 0, check: [0; 8] };
    while let Some(key) = work.depot.pieces.keys(&from, 1)?.first() {
        work.go_on()?;
        data.push(key.data);
        work.report.advance(1);
        let Some(next) = key.data.0.checked_add(1) else { break };
        from = PieceKey { data: DataId(next), ..from };
    }
    let mut objects = Vec::new();
    if let Some(remote) = &work.depot.remote {
        work.report.begin("Listing objects", 256, false);
        for first in 0..=u8::MAX {
            work.go_on()?;
            objects.extend(remote.list(first)?);
            work.report.advance(1);
        }
    }
    Ok(Listed { data, objects })
}

/// Finds what no row names.
pub(super) fn check(
    work: &Work<'_>,
    snapshot: &dyn Snapshot,
    pending: &[Delivery],
    listed: Listed,
    repair: bool,
    checked: &mut Checked,
) -> Result<(), Error> {
    let named = named(work, snapshot, pending)?;
    for data in listed.data.into_iter().filter(|data| !named.pieces.contains(&data.0)) {
        work.go_on()?;
        // It may have gone since it was listed.
        let from = PieceKey { data, part: 0, check: [0; 8] };
        if work.depot.pieces.keys(&from, 1)?.first().is_none_or(|key| key.data != data) {
            continue;
        }
        checked.orphans += 1;
        if repair {
            work.depot.pieces.delete(data)?;
            checked.removed += 1;
        } else {
            work.report.find(format!("the pieces under {:016x} belong to nothing", data.0));
        }
    }
    let Some(remote) = &work.depot.remote else { return Ok(()) };
    for object in listed.objects {
        if named.objects.contains(&object.data.0) {
            continue;
        }
        work.go_on()?;
        let Object { blob, data, len } = object;
        // The same.
        if len > 0 && remote.read(blob, data, 0..1)?.is_none() {
            continue;
        }
        checked.orphans += 1;
        if repair {
            remote.delete(blob, data)?;
            checked.removed += 1;
        } else {
            let text =
                format!("the object of blob {blob} under {:016x} belongs to nothing", data.0);
            work.report.find(text);
        }
    }
    Ok(())
}

/// The numbers that rows, and deliveries on their way, name.
#[derive(Default)]
struct Named {
    pieces: HashSet<i64>,
    objects: HashSet<i64>,
}

impl Named {
    fn chore(&mut self, chore: &Chore) {
        match chore {
            Chore::ChoreUser(_) | Chore::ChoreKey(_) => {}
            Chore::ChoreData(chore) => drop(self.pieces.insert(chore.data)),
            Chore::ChorePieces(chore) => drop(self.pieces.insert(chore.data)),
            Chore::ChoreObject(chore) => drop(self.objects.insert(chore.data)),
        }
    }
}

fn named(work: &Work<'_>, snapshot: &dyn Snapshot, pending: &[Delivery]) -> Result<Named, Error> {
    let mut named = Named::default();
    work.report.begin("Reading uploads", 0, false);
    work.each(snapshot, OwnerKind::User, |view| {
        work.report.advance(1);
        // One of which a file was made has given its pieces away.
        rows(view, UPLOADS, |_, upload| {
            if upload.photo.is_none() && upload.document.is_none() {
                named.pieces.insert(upload.data);
            }
        })
    })?;
    work.report.begin("Reading where blobs are", 0, false);
    work.each(snapshot, OwnerKind::Blob, |view| {
        work.report.advance(1);
        if let Some(blob) = view.get(BLOB, &())? {
            let place = if blob.remote { &mut named.objects } else { &mut named.pieces };
            place.insert(blob.data);
        }
        Ok(())
    })?;
    work.each(snapshot, OwnerKind::Chores, |view| {
        rows(view, CHORES, |_, chore| named.chore(&chore))
    })?;
    for delivery in pending {
        let operation = delivery.operation();
        match id(operation) {
            functions::blobs::Adopt::ID => {
                if let Ok(adopt) = functions::blobs::Adopt::from_bytes(operation) {
                    named.pieces.insert(adopt.data);
                }
            }
            functions::chores::Add::ID => {
                if let Ok(add) = functions::chores::Add::from_bytes(operation) {
                    named.chore(&add.chore);
                }
            }
            _ => {}
        }
    }
    Ok(named)
}

/// Which operation it is.
pub(super) fn id(operation: &[u8]) -> u32 {
    operation.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes))
}
