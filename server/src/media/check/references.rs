//! Whether the holders that are counted are those that there are.
//!
//! ```text
//! messages, files made lately, photos of profiles  ──►  holders of the file  ──►  holders of its blobs
//! ```

use std::collections::{HashMap, HashSet};

use services::{
    mailbox::attachment,
    tables::{BLOB, FALLBACK_PHOTO, FILE, HOLDERS, MESSAGES, OWN_FILES, PROFILE_PHOTOS},
};
use storage::{BlobId, Delivery, Owner, OwnerKind, Read as _, Snapshot};
use tl::{Decode as _, operations::functions};

use super::{Checked, Work, orphans::id, rows};
use crate::{limits, media::depot::Error};

pub(super) fn check(
    work: &Work<'_>,
    snapshot: &dyn Snapshot,
    pending: &[Delivery],
    checked: &mut Checked,
) -> Result<(), Error> {
    work.report.begin("Counting files", 0, false);
    work.each(snapshot, OwnerKind::File, |_| {
        checked.files += 1;
        work.report.advance(1);
        Ok(())
    })?;
    // Counting takes memory for each file; if there are very many, a part of them is counted at a time.
    for slice in slices(checked.files) {
        let mut counts = Counts::default();
        work.report.begin("Reading holders", 0, false);
        counts.holders(work, snapshot, slice)?;
        for delivery in pending {
            counts.on_its_way(delivery, slice);
        }
        work.report.begin("Reading messages", 0, false);
        counts.references(work, snapshot, slice, checked)?;
        counts.tell(work);
    }
    Ok(())
}

/// Parts of so many files, each of about [`limits::CHECK_FILE_COUNT_MAX`] at most.
fn slices(files: u64) -> impl Iterator<Item = Slice> {
    let of = files.div_ceil(limits::CHECK_FILE_COUNT_MAX).max(1);
    (0..of).map(move |number| Slice { number, of })
}

/// A part of all files.
#[derive(Clone, Copy)]
struct Slice {
    number: u64,
    of: u64,
}

impl Slice {
    fn has(self, file: i64) -> bool {
        file.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15) % self.of == self.number
    }
}

/// What there is, less what is counted: where nothing is wrong, 0.
#[derive(Default)]
struct Counts {
    /// By file and user.
    files: HashMap<(i64, i64), i64>,
    /// By blob and file.
    blobs: HashMap<(BlobId, i64), i64>,
    /// Files that are known here, or about to be.
    known: HashSet<i64>,
    /// Files that somebody has.
    had: HashSet<i64>,
    /// Blobs that are known here, or about to be.
    stored: HashSet<BlobId>,
    /// Blobs that files have, and one of these.
    needed: HashMap<BlobId, i64>,
}

impl Counts {
    fn file(&mut self, file: i64, user: i64, by: i64) {
        *self.files.entry((file, user)).or_default() += by;
    }

    fn blob(&mut self, blob: BlobId, file: i64, by: i64) {
        *self.blobs.entry((blob, file)).or_default() += by;
    }

    fn has_blobs(&mut self, file: i64, blobs: &[Vec<u8>]) {
        self.known.insert(file);
        for blob in blobs.iter().filter_map(|blob| BlobId::from_slice(blob)) {
            self.needed.insert(blob, file);
            self.blob(blob, file, 1);
        }
    }

    /// The counts as they are stored.
    fn holders(
        &mut self,
        work: &Work<'_>,
        snapshot: &dyn Snapshot,
        slice: Slice,
    ) -> Result<(), Error> {
        work.each(snapshot, OwnerKind::File, |view| {
            let Owner::File(file) = *view.owner() else { return Ok(()) };
            if !slice.has(file.0) {
                return Ok(());
            }
            work.report.advance(1);
            if let Some(row) = view.get(FILE, &())? {
                self.has_blobs(file.0, &row.blobs);
            }
            rows(view, HOLDERS, |user, holds| self.file(file.0, user, -i64::from(holds.count)))
        })?;
        work.each(snapshot, OwnerKind::Blob, |view| {
            let Owner::Blob(blob) = *view.owner() else { return Ok(()) };
            if view.contains(BLOB, &())? {
                self.stored.insert(blob);
            }
            rows(view, HOLDERS, |file, holds| {
                if slice.has(file) {
                    self.blob(blob, file, -i64::from(holds.count));
                }
            })
        })
    }

    /// What a delivery will do to the counts, and what it brings that has been counted already.
    fn on_its_way(&mut self, delivery: &Delivery, slice: Slice) {
        let operation = delivery.operation();
        match &delivery.owner {
            Owner::File(file) if slice.has(file.0) => self.for_file(file.0, operation),
            Owner::Blob(blob) => self.for_blob(*blob, operation, slice),
            Owner::User(user) => {
                for file in files_of(operation).into_iter().filter(|file| slice.has(*file)) {
                    self.had.insert(file);
                    self.file(file, user.0, 1);
                }
            }
            _ => {}
        }
    }

    fn for_file(&mut self, file: i64, operation: &[u8]) {
        match id(operation) {
            functions::holders::Create::ID => {
                if let Ok(create) = functions::holders::Create::from_bytes(operation) {
                    self.file(file, create.user, -1);
                    self.has_blobs(file, &create.blobs);
                }
            }
            functions::holders::Hold::ID => {
                if let Ok(hold) = functions::holders::Hold::from_bytes(operation) {
                    hold.users.into_iter().for_each(|user| self.file(file, user, -1));
                }
            }
            functions::holders::Release::ID => {
                if let Ok(release) = functions::holders::Release::from_bytes(operation) {
                    self.file(file, release.user, i64::from(release.count));
                }
            }
            _ => {}
        }
    }

    fn for_blob(&mut self, blob: BlobId, operation: &[u8], slice: Slice) {
        match id(operation) {
            functions::blobs::Adopt::ID => {
                if let Ok(adopt) = functions::blobs::Adopt::from_bytes(operation)
                    && slice.has(adopt.file)
                {
                    self.stored.insert(blob);
                    self.blob(blob, adopt.file, -1);
                }
            }
            functions::blobs::Release::ID => {
                if let Ok(release) = functions::blobs::Release::from_bytes(operation)
                    && slice.has(release.file)
                {
                    self.blob(blob, release.file, 1);
                }
            }
            _ => {}
        }
    }

    /// What there is.
    fn references(
        &mut self,
        work: &Work<'_>,
        snapshot: &dyn Snapshot,
        slice: Slice,
        checked: &mut Checked,
    ) -> Result<(), Error> {
        work.each(snapshot, OwnerKind::User, |view| {
            let Owner::User(user) = *view.owner() else { return Ok(()) };
            work.report.advance(1);
            let mut have = |file: i64| {
                if slice.has(file) {
                    checked.references += 1;
                    self.had.insert(file);
                    *self.files.entry((file, user.0)).or_default() += 1;
                }
            };
            rows(view, MESSAGES, |_, message| {
                let attachment = attachment::of(&message);
                attachment
                    .iter()
                    .flat_map(|it| attachment::file_ids(&it.media))
                    .for_each(&mut have);
            })?;
            rows(view, OWN_FILES, |file, _| have(file))?;
            rows(view, PROFILE_PHOTOS, |_, photo| have(photo.id))?;
            rows(view, FALLBACK_PHOTO, |(), photo| have(photo.id))
        })
    }

    /// Tells what is not 0, and what is not there.
    fn tell(self, work: &Work<'_>) {
        for ((file, user), count) in self.files {
            if count != 0 {
                work.report.find(format!(
                    "file {file:016x}: user {user} has it {} than is counted",
                    more_or_less(count)
                ));
            }
        }
        for ((blob, file), count) in self.blobs {
            if count != 0 {
                work.report.find(format!(
                    "blob {blob}: file {file:016x} needs it {} than is counted",
                    more_or_less(count)
                ));
            }
        }
        for file in self.had.difference(&self.known) {
            work.report.find(format!("file {file:016x} is in use, and its blobs are not known"));
        }
        for (blob, file) in self.needed {
            if !self.stored.contains(&blob) {
                work.report.find(format!("blob {blob}, of file {file:016x}, is nowhere"));
            }
        }
    }
}

fn more_or_less(count: i64) -> String {
    let times = count.unsigned_abs();
    let s = if times == 1 { "" } else { "s" };
    format!("{times} time{s} {}", if count > 0 { "more" } else { "less" })
}

/// The files that a message on its way brings, or somebody who lends one. They are counted for their receiver already.
fn files_of(operation: &[u8]) -> Vec<i64> {
    let media = match id(operation) {
        functions::files::Receive::ID => {
            let receive = functions::files::Receive::from_bytes(operation).ok();
            return receive.iter().map(|receive| services::files::id(&receive.file)).collect();
        }
        functions::mailbox::ReceiveMessage::ID => {
            let receive = functions::mailbox::ReceiveMessage::from_bytes(operation);
            receive.ok().and_then(|receive| receive.media)
        }
        functions::mailbox::Receive::ID => {
            let before = functions::mailbox::Receive::from_bytes(operation);
            before.ok().and_then(|before| before.media)
        }
        functions::mailbox::ReceiveEdit::ID => {
            let edit = functions::mailbox::ReceiveEdit::from_bytes(operation);
            edit.ok().and_then(|edit| edit.media)
        }
        _ => None,
    };
    let attachment = media.and_then(attachment::decode);
    attachment.iter().flat_map(|it| attachment::file_ids(&it.media)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `CHECK_FILE_COUNT_MAX`: up to it all are counted at once; beyond, each file belongs to one part, and parts are alike.
    #[test]
    fn many_files_are_counted_in_parts() {
        const MOST: u64 = limits::CHECK_FILE_COUNT_MAX;
        for (files, count) in
            [(0, 1), (1, 1), (MOST, 1), (MOST + 1, 2), (2 * MOST, 2), (5 * MOST + 1, 6)]
        {
            let slices: Vec<_> = slices(files).collect();
            assert_eq!(slices.len(), count, "{files}");
            let mut sizes = vec![0; count];
            for file in (-3000..3000).map(|file: i64| file * 0x0123_4567_89ab) {
                let has: Vec<_> = (0..count).filter(|at| slices[*at].has(file)).collect();
                let [has] = has[..] else { panic!("{file} is in {has:?} of {count}") };
                sizes[has] += 1;
            }
            let fair = 6000 / count;
            assert!(sizes.iter().all(|size| (fair / 2..=2 * fair).contains(size)), "{sizes:?}");
        }
    }
}
