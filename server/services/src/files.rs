//! Files that users made lately, or were lent.
//!
//! Whoever made a file holds it for a while, so that it can be sent again without an upload. A file is made with all its blobs
//! at once; its id is random. A photo of somebody else's profile is lent for as long: whoever uses it has it from then on,
//! whatever becomes of the profile.

use std::collections::BTreeSet;

use storage::{
    BlobId, FileId, Owner, Read,
    blobs::tree::{self, PieceHash},
};
use tl::operations::{
    enums::Refusal,
    functions::{blobs, files as functions, holders},
    types,
};
use tl::records::{
    enums::{File, Source},
    types::{ChoreData, Content, OwnFile, Upload},
};

use crate::blobs::joined;
use crate::chores::later;
use crate::limits::{FILE_PART_COUNT_MAX, OWN_FILE_S_MAX};
use crate::mailbox::{attachment, log};
use crate::tables::{OWN_FILES, UPLOADS};
use crate::uploads::{self, expiry};
use crate::{Done, Result, Txn, UnixTime, photos, user};

/// `files.make`
pub fn make(txn: &mut Txn<'_, '_>, now: UnixTime, op: functions::Make) -> Result<Done> {
    let user = user(txn.rows())?.0;
    let id = id(&op.file);
    if txn.contains(OWN_FILES, &id)? {
        // The same call again: its answer was lost.
        return Ok(Done {});
    }
    let uploads: BTreeSet<i64> = op.parts.iter().map(|part| part.file_id).collect();
    let once = uploads.len() == op.parts.len();
    if uploads.is_empty() || !once || uploads.len() > FILE_PART_COUNT_MAX {
        return Err(Refusal::FilePartsInvalid.into());
    }
    let mut made = Vec::with_capacity(op.parts.len());
    for part in op.parts {
        made.push(Made::of(txn.rows(), part)?);
    }
    let needed: BTreeSet<_> = contents(&op.file).map(|part| (&*part.blob, part.len)).collect();
    let given: BTreeSet<_> = made.iter().map(|made| (&made.blob.0[..], made.upload.len)).collect();
    if needed != given {
        return Err(Refusal::MediaInvalid.into());
    }

    let blobs: BTreeSet<BlobId> = made.iter().map(|made| made.blob).collect();
    let create =
        holders::Create { user, blobs: blobs.iter().map(|blob| blob.0.to_vec()).collect() };
    txn.deliver(Owner::File(FileId(id)), &create)?;
    let mut adopted = BTreeSet::new();
    for made in made {
        uploads::close(txn, made.file_id, &made.upload)?;
        let data = made.upload.data;
        if adopted.insert(made.blob) {
            let adopt = blobs::Adopt {
                file: id,
                data,
                len: made.upload.len,
                piece_len: made.piece_len,
                hashes: &made.hashes,
            };
            txn.deliver(Owner::Blob(made.blob), &adopt)?;
        } else {
            later(txn, now, data, ChoreData { data })?;
        }
        mark(txn, made.file_id, made.upload, &op.file);
    }
    if let Some(file_id) = op.used
        && let Some(upload) = txn.get(UPLOADS, &file_id)?
    {
        if uploads::is_open(&upload) {
            uploads::close(txn, file_id, &upload)?;
            later(txn, now, upload.data, ChoreData { data: upload.data })?;
        }
        mark(txn, file_id, upload, &op.file);
    }

    let expires_at = expires_at(now, op.hold_s);
    txn.put(OWN_FILES, &id, &OwnFile { expires_at, file: op.file });
    expiry::note(txn, expiry::Kind::OwnFile, expires_at, id)?;
    Ok(Done {})
}

/// `files.get`
pub fn get(rows: &impl Read, _: UnixTime, op: functions::Get) -> Result<OwnFile> {
    rows.get(OWN_FILES, &op.id)?.ok_or_else(|| Refusal::FileReferenceExpired.into())
}

/// `files.receive`
pub fn receive(txn: &mut Txn<'_, '_>, now: UnixTime, op: functions::Receive) -> Result<Done> {
    let id = id(&op.file);
    let expires_at = expires_at(now, op.hold_s);
    match txn.get(OWN_FILES, &id)? {
        // Held already: for longer now, which is noticed when its time would have been over, but once.
        Some(own) => {
            let expires_at = expires_at.max(own.expires_at);
            txn.put(OWN_FILES, &id, &OwnFile { expires_at, file: own.file });
            release(txn, id, 1)?;
        }
        None => {
            txn.put(OWN_FILES, &id, &OwnFile { expires_at, file: op.file });
            expiry::note(txn, expiry::Kind::OwnFile, expires_at, id)?;
        }
    }
    Ok(Done {})
}

/// When a file goes that is held from now on for `hold_s`.
fn expires_at(now: UnixTime, hold_s: i32) -> i32 {
    now.0.saturating_add(hold_s.clamp(1, OWN_FILE_S_MAX))
}

/// A complete upload that becomes a blob.
struct Made {
    file_id: i64,
    upload: Upload,
    piece_len: i32,
    blob: BlobId,
    hashes: Vec<u8>,
}

impl Made {
    fn of(rows: &impl Read, part: types::files::Part) -> Result<Self> {
        let upload = rows.get(UPLOADS, &part.file_id)?.filter(uploads::is_open);
        let Some(upload) = upload else { return Err(Refusal::FileIdInvalid.into()) };
        let mut hashes = Vec::new();
        let missing = |part| Err(Refusal::from(types::FilePartMissing { part }).into());
        for (expected, (number, row)) in (0..).zip(uploads::parts(rows, part.file_id)?) {
            match PieceHash::from_slice(&row.hash).filter(|hash| hash.0 != [0; 32]) {
                Some(hash) if number == expected => hashes.push(hash),
                _ => return missing(expected),
            }
        }
        let count = i32::try_from(hashes.len()).unwrap_or(i32::MAX);
        if count == 0 || upload.total.is_some_and(|total| count < total) {
            return missing(count);
        }
        // A single part of any length: then nobody said how long the others would be.
        let piece_len = match upload.piece_len {
            0 => i32::try_from(upload.len).map_err(|_| Refusal::Internal)?,
            piece_len => piece_len,
        };
        let piece_len = piece_len.cast_unsigned().next_power_of_two().max(1024);
        let blob = tree::blob(upload.len.cast_unsigned(), piece_len, &hashes);
        match blob {
            Some(blob) if blob.0[..] == *part.blob => Ok(Self {
                file_id: part.file_id,
                upload,
                piece_len: piece_len.cast_signed(),
                blob,
                hashes: joined(&hashes),
            }),
            _ => Err(Refusal::MediaInvalid.into()),
        }
    }
}

/// Notes in an upload which file was made of it.
fn mark(txn: &mut Txn<'_, '_>, file_id: i64, mut upload: Upload, file: &File) {
    match file {
        File::FilePhoto(file) => upload.photo = Some(file.photo.id),
        File::FileDocument(file) => upload.document = Some(file.document.id),
    }
    txn.put(UPLOADS, &file_id, &upload);
}

/// Lets a file go whose time is over.
pub(crate) fn expire(txn: &mut Txn<'_, '_>, now: UnixTime, id: i64) -> Result<()> {
    let Some(own) = txn.get(OWN_FILES, &id)? else { return Ok(()) };
    if own.expires_at > now.0 {
        return expiry::note(txn, expiry::Kind::OwnFile, own.expires_at, id);
    }
    txn.delete(OWN_FILES, &id);
    release(txn, id, 1)
}

/// The id of a file.
#[must_use]
pub const fn id(file: &File) -> i64 {
    match file {
        File::FilePhoto(file) => file.photo.id,
        File::FileDocument(file) => file.document.id,
    }
}

/// What a file's bytes are in: each of its blobs.
pub fn contents(file: &File) -> impl Iterator<Item = &Content> {
    let (first, second) = match file {
        File::FilePhoto(file) => (&file.photo.pictures.content, None),
        File::FileDocument(file) => {
            let thumbs = file.document.thumbs.as_ref().map(|thumbs| &thumbs.content);
            (&file.document.content, thumbs)
        }
    };
    std::iter::once(first).chain(second)
}

/// The files that the owner has from `source`: one, or two that belong together. Refuses: `fileReferenceExpired`.
pub(crate) fn of_source(rows: &impl Read, source: &Source) -> Result<Vec<File>> {
    let files: Vec<File> = match source {
        Source::SourceFile(source) => {
            rows.get(OWN_FILES, &source.id)?.map(|own| own.file).into_iter().collect()
        }
        Source::SourceMessage(source) => log::find(rows, source.id)?
            .and_then(|message| attachment::of(&message))
            .into_iter()
            .flat_map(|attachment| attachment::files(attachment.media))
            .collect(),
        Source::SourceProfile(source) => {
            let all = photos::Sight { photos: true, fallback: true };
            let photo = photos::find(rows, source.id, all)?;
            photo.map(|photo| tl::records::types::FilePhoto { photo }.into()).into_iter().collect()
        }
    };
    if files.is_empty() { Err(Refusal::FileReferenceExpired.into()) } else { Ok(files) }
}

/// Tells that each of `users` holds the file once more.
pub(crate) fn hold(txn: &mut Txn<'_, '_>, id: i64, users: Vec<i64>) -> Result<()> {
    Ok(txn.deliver(Owner::File(FileId(id)), &holders::Hold { users })?)
}

/// Tells that the owner holds the file `count` times less.
pub(crate) fn release(txn: &mut Txn<'_, '_>, id: i64, count: i32) -> Result<()> {
    let user = user(txn.rows())?.0;
    Ok(txn.deliver(Owner::File(FileId(id)), &holders::Release { user, count })?)
}
