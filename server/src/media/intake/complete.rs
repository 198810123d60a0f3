//! Complete uploads: all parts are there, and the sum is right if one was given; stored by clients, or by the server itself.

use std::{collections::HashSet, sync::Arc};

use bytes::{Bytes, BytesMut};
use md5::{Digest as _, Md5};
use storage::{
    DataId, FileId,
    blobs::{
        PieceKey, Pieces,
        tree::{self, PieceHash},
    },
    limits::PIECE_LEN_MAX,
};
use tl::{
    api::enums,
    operations::{functions, types},
    records::types::Content,
};

use super::super::{
    parts::each_key,
    uploads::{self, Upload},
};
use crate::{
    limits,
    rpc::{Result, RpcError, UserCtx},
};

/// A complete upload, checked: all parts are there, and the sum is right if one was given.
pub struct Uploaded {
    /// What its client calls it: the last component of a path.
    pub name: String,
    /// How many bytes it has.
    pub len: u64,
    pub(super) file_id: i64,
    pub(super) upload: Arc<Upload>,
    pub(super) parts: Parts,
    /// The file that was made of it before.
    pub(super) made: Option<FileId>,
}

/// The parts of a complete upload, in order.
#[derive(Clone, Debug)]
pub(super) struct Parts {
    data: DataId,
    len: u64,
    piece_len: u32,
    hashes: Vec<PieceHash>,
}

impl Parts {
    /// Those of an upload that is to have `count`.
    fn of(state: &types::uploads::State, count: i32) -> Result<Self> {
        let mut hashes = Vec::with_capacity(state.parts.len());
        for (expected, part) in (0..count).zip(state.parts.iter().map(Some).chain([None])) {
            match part.filter(|part| part.part == expected) {
                Some(part) => hashes.push(hash_of(part)?),
                None => return Err(RpcError::file_part_missing(expected)),
            }
        }
        let fits = state.upload.total.is_none_or(|total| total == count);
        if state.parts.len() != hashes.len() || !fits {
            return Err(RpcError::FILE_PARTS_INVALID);
        }
        let len = u64::try_from(state.upload.len).map_err(|_| RpcError::INTERNAL)?;
        // Of a single part nobody said how long the others would be.
        let piece_len = match u32::try_from(state.upload.piece_len) {
            Ok(0) | Err(_) => u32::try_from(len).map_err(|_| RpcError::FILE_PARTS_INVALID)?,
            Ok(piece_len) => piece_len,
        };
        let piece_len = piece_len.next_power_of_two().max(1024);
        Ok(Self { data: DataId(state.upload.data), len, piece_len, hashes })
    }

    fn keys(&self) -> Vec<PieceKey> {
        let keys = (0..).zip(&self.hashes);
        keys.map(|(part, hash)| PieceKey::new(self.data, part, hash)).collect()
    }

    /// The number of the last part, if it is one of several and shorter than they are, and where it begins.
    fn short_last(&self) -> Option<(u32, u64)> {
        let last = u32::try_from(self.hashes.len()).ok()?.checked_sub(1)?;
        let offset = u64::from(last) * u64::from(self.piece_len);
        (last > 0 && self.len - offset < u64::from(self.piece_len)).then_some((last, offset))
    }

    pub(super) fn content(&self) -> Result<Content> {
        let blob = tree::blob(self.len, self.piece_len, &self.hashes).ok_or(RpcError::INTERNAL)?;
        let len = i64::try_from(self.len).map_err(|_| RpcError::INTERNAL)?;
        Ok(Content::new(blob.0.to_vec(), len))
    }
}

fn hash_of(part: &types::uploads::Part) -> Result<PieceHash> {
    PieceHash::from_slice(&part.hash).ok_or(RpcError::INTERNAL)
}

/// Checks an upload that a client wants to use.
///
/// # Errors
///
/// `FILE_PART_X_MISSING`, `FILE_PARTS_INVALID`, `MD5_CHECKSUM_INVALID`, `FILE_ID_INVALID`.
pub async fn uploaded(ctx: &UserCtx, file: &enums::InputFile<'_>) -> Result<Uploaded> {
    let (file_id, count, name, md5) = match file {
        enums::InputFile::InputFile(file) => (file.id, file.parts, file.name, file.md5_checksum),
        enums::InputFile::InputFileBig(file) => (file.id, file.parts, file.name, ""),
        enums::InputFile::InputFileStoryDocument(_) => return Err(RpcError::FILE_ID_INVALID),
    };
    if count == 0 {
        return Err(RpcError::file_part_missing(0));
    }
    if !(1..=uploads::part_count_max(&ctx.config().media)).contains(&count) {
        return Err(RpcError::FILE_PARTS_INVALID);
    }
    let (upload, state) = existing(ctx, file_id).await?;
    let name = last_component(name);
    if let Some(made) = state.upload.photo.or(state.upload.document) {
        let len = u64::try_from(state.upload.len).map_err(|_| RpcError::INTERNAL)?;
        let data = DataId(state.upload.data);
        let parts = Parts { data, len, piece_len: 0, hashes: Vec::new() };
        return Ok(Uploaded { name, len, file_id, upload, parts, made: Some(FileId(made)) });
    }
    let mut parts = Parts::of(&state, count)?;
    let seen = look(ctx, &parts, !md5.is_empty()).await?;
    if let Some(sum) = seen.md5
        && !md5.eq_ignore_ascii_case(&hex::encode(sum))
    {
        return Err(RpcError::MD5_CHECKSUM_INVALID);
    }
    if let Some(last) = seen.last {
        parts = set_right(ctx, &upload, file_id, count, last).await?;
    }
    Ok(Uploaded { name, len: parts.len, file_id, upload, parts, made: None })
}

async fn existing(ctx: &UserCtx, file_id: i64) -> Result<(Arc<Upload>, types::uploads::State)> {
    Upload::existing(ctx, file_id).await.map_err(|error| {
        // Nothing of it is there.
        if error == RpcError::FILE_ID_INVALID { RpcError::file_part_missing(0) } else { error }
    })
}

/// What is found out by reading parts.
struct Seen {
    /// The sum of all of them.
    md5: Option<[u8; 16]>,
    /// The last part, if it was hashed as if it began elsewhere: nobody knew when it came.
    last: Option<Misplaced>,
}

/// A part whose hash is that of bytes elsewhere in the file.
struct Misplaced {
    bytes: Bytes,
    offset: u64,
    number: u32,
}

/// Reads what has to be read before an upload can be used.
async fn look(ctx: &UserCtx, parts: &Parts, wants_md5: bool) -> Result<Seen> {
    let short = parts.short_last();
    if short.is_none() && !wants_md5 {
        return Ok(Seen { md5: None, last: None });
    }
    let (media, parts) = (&ctx.shared().media, parts.clone());
    let pieces = Arc::clone(&media.pieces);
    let seen = media.block(move || {
        let md5 = if wants_md5 {
            let mut md5 = Md5::new();
            for key in parts.keys() {
                md5.update(piece(&*pieces, &key)?);
            }
            Some(md5.finalize().into())
        } else {
            None
        };
        let Some((number, offset)) = short else { return Ok(Seen { md5, last: None }) };
        let hash = parts.hashes.last().copied().ok_or(RpcError::INTERNAL)?;
        let bytes = piece(&*pieces, &PieceKey::new(parts.data, number, &hash))?;
        let is_right = tree::piece(offset, &bytes) == Some(hash);
        let last = (!is_right).then_some(Misplaced { bytes, offset, number });
        Ok(Seen { md5, last })
    });
    seen.await?
}

fn piece(pieces: &dyn Pieces, key: &PieceKey) -> Result<Bytes> {
    match pieces.get(key) {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => {
            tracing::error!(data = key.data.0, part = key.part, "a piece is not there");
            Err(RpcError::INTERNAL)
        }
        Err(error) => {
            tracing::error!(%error, data = key.data.0, part = key.part, "a piece cannot be read");
            Err(RpcError::INTERNAL)
        }
    }
}

/// Stores the last part under the hash that it has where it really begins.
async fn set_right(
    ctx: &UserCtx,
    upload: &Upload,
    file_id: i64,
    count: i32,
    last: Misplaced,
) -> Result<Parts> {
    let Misplaced { bytes, offset, number } = last;
    let _gate = upload.gate.write().await;
    let get = functions::uploads::Get { file_id };
    let before = Parts::of(&ctx.call(ctx.user, &get).await?, count)?;
    let wrong = before.hashes.last().copied().ok_or(RpcError::INTERNAL)?;
    if before.short_last() != Some((number, offset)) {
        // Somebody sent other parts meanwhile.
        return Err(RpcError::FILE_PARTS_INVALID);
    }
    let hash = tree::piece(offset, &bytes).ok_or(RpcError::INTERNAL)?;
    let (old, new) =
        (PieceKey::new(upload.data, number, &wrong), PieceKey::new(upload.data, number, &hash));
    let len = i32::try_from(bytes.len()).map_err(|_| RpcError::INTERNAL)?;
    let media = &ctx.shared().media;
    let pieces = Arc::clone(&media.pieces);
    media.block(move || pieces.put(&new, &bytes)).await?.map_err(failed)?;
    let store = functions::uploads::Store {
        file_id,
        data: upload.data.0,
        part: number.cast_signed(),
        len,
        hash: &hash.0,
        total: None,
        part_count_max: i32::MAX,
    };
    ctx.call(ctx.user, &store).await?;
    if old != new {
        let pieces = Arc::clone(&media.pieces);
        media.block(move || pieces.delete_piece(&old)).await?.map_err(failed)?;
    }
    Parts::of(&ctx.call(ctx.user, &get).await?, count)
}

fn failed(error: storage::Error) -> RpcError {
    tracing::error!(%error, "the store of pieces failed");
    RpcError::from(&error)
}

/// Stores bytes of the server's own making, or fetched by it, as an upload.
///
/// # Errors
///
/// `FILE_PART_0_MISSING` for no bytes; `FLOOD_WAIT` if the user has too much under way.
pub(crate) async fn stored(ctx: &UserCtx, name: &str, bytes: Bytes) -> Result<Uploaded> {
    let count = bytes.len().div_ceil(PIECE_LEN_MAX);
    let total = i32::try_from(count).map_err(|_| RpcError::FILE_PARTS_INVALID)?;
    if total == 0 {
        return Err(RpcError::file_part_missing(0));
    }
    let (file_id, data, lifetime_s) =
        (ctx.random_id(), ctx.random_id(), ctx.config().media.upload_s);
    let open =
        functions::uploads::Open { big: true, file_id, data, total: Some(total), lifetime_s };
    ctx.call(ctx.user, &open).await?;
    let len = bytes.len() as u64;
    let data = DataId(data);
    let media = &ctx.shared().media;
    let pieces = Arc::clone(&media.pieces);
    let written = media.block(move || -> Result<Vec<(PieceHash, usize)>> {
        let mut written = Vec::with_capacity(count);
        for (part, start) in (0..).zip((0..bytes.len()).step_by(PIECE_LEN_MAX)) {
            let piece = bytes.slice(start..bytes.len().min(start + PIECE_LEN_MAX));
            let hash = tree::piece(start as u64, &piece).ok_or(RpcError::INTERNAL)?;
            pieces.put(&PieceKey::new(data, part, &hash), &piece).map_err(failed)?;
            written.push((hash, piece.len()));
        }
        Ok(written)
    });
    let written = written.await??;
    for (part, (hash, len)) in (0..).zip(&written) {
        let store = functions::uploads::Store {
            file_id,
            data: data.0,
            part,
            len: i32::try_from(*len).map_err(|_| RpcError::INTERNAL)?,
            hash: &hash.0,
            total: Some(total),
            part_count_max: i32::MAX,
        };
        ctx.call(ctx.user, &store).await?;
    }
    let hashes: Vec<_> = written.into_iter().map(|(hash, _)| hash).collect();
    let piece_len = len.min(PIECE_LEN_MAX as u64) as u32;
    let piece_len = piece_len.next_power_of_two().max(1024);
    Ok(Uploaded {
        name: last_component(name),
        len,
        file_id,
        // Nobody else knows of it.
        upload: Arc::new(Upload::new(data, file_id)),
        parts: Parts { data, len, piece_len, hashes },
        made: None,
    })
}

impl Uploaded {
    /// The upload as a part of a file.
    pub(super) fn part(&self) -> Result<types::files::Part> {
        Ok(types::files::Part::new(self.file_id, self.parts.content()?.blob))
    }

    /// All of its bytes.
    pub(super) async fn bytes(&self, ctx: &UserCtx) -> Result<Bytes> {
        let media = &ctx.shared().media;
        let (pieces, keys) = (Arc::clone(&media.pieces), self.parts.keys());
        let len = usize::try_from(self.len).map_err(|_| RpcError::INTERNAL)?;
        let read = media.block(move || {
            if let [key] = &*keys {
                return piece(&*pieces, key);
            }
            let mut bytes = BytesMut::with_capacity(len);
            for key in &keys {
                bytes.extend_from_slice(&piece(&*pieces, key)?);
            }
            Ok(bytes.freeze())
        });
        read.await?
    }

    /// Removes pieces that are no part of the blob: parts that were replaced, if that was cut short.
    pub(super) async fn tidy(&self, ctx: &UserCtx) {
        let media = &ctx.shared().media;
        let (pieces, data) = (Arc::clone(&media.pieces), self.parts.data);
        let needed: HashSet<_> = self.parts.keys().into_iter().collect();
        let tidied = media.block(move || -> core::result::Result<(), storage::Error> {
            each_key(&*pieces, data, |key| {
                if needed.contains(&key) { Ok(()) } else { pieces.delete_piece(&key) }
            })
        });
        if let Ok(Err(error)) = tidied.await {
            tracing::warn!(%error, "pieces of an upload were left");
        }
    }
}

/// What a file is called, without the folders it was in.
fn last_component(path: &str) -> String {
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
    name[..name.floor_char_boundary(limits::ATTRIBUTE_TEXT_LEN_MAX)].to_owned()
}

#[cfg(test)]
mod tests {
    use tl::records::types::Upload as Row;

    use super::*;

    fn state(lens: &[(i32, i32)], piece_len: i32, total: Option<i32>) -> types::uploads::State {
        let part = |&(part, len)| types::uploads::Part::new(part, len, vec![1; 32]);
        let len = lens.iter().map(|(_, len)| i64::from(*len)).sum();
        let row = Row { total, ..Row::new(5, 0, 0, 0, len, 0, 0, piece_len) };
        types::uploads::State::new(row, lens.iter().map(part).collect())
    }

    #[test]
    fn complete_or_not() {
        let two = [(0, 1024), (1, 500)];
        for (lens, total, count, expected) in [
            (&two[..], None, 2, Ok((1524, Some((1, 1024))))),
            (&two, Some(2), 2, Ok((1524, Some((1, 1024))))),
            (&two, Some(3), 2, Err(RpcError::FILE_PARTS_INVALID)),
            (&two, None, 1, Err(RpcError::FILE_PARTS_INVALID)),
            (&two, None, 3, Err(RpcError::file_part_missing(2))),
            (&[(0, 1024), (2, 500)], None, 3, Err(RpcError::file_part_missing(1))),
            (&[(1, 1024)], None, 2, Err(RpcError::file_part_missing(0))),
            (&[], None, 1, Err(RpcError::file_part_missing(0))),
            (&[(0, 1024)], None, 1, Ok((1024, None))),
            (&[(0, 1024), (1, 1024)], None, 2, Ok((2048, None))),
        ] {
            let parts = Parts::of(&state(lens, 1024, total), count);
            let seen = parts.map(|parts| (parts.len, parts.short_last()));
            assert_eq!(seen, expected, "{lens:?} {total:?} {count}");
        }
    }

    #[test]
    fn a_single_part_has_any_length() {
        for (len, piece_len) in [(1, 1024), (1500, 2048), (524_288, 524_288)] {
            let parts = Parts::of(&state(&[(0, len)], 0, None), 1).unwrap();
            assert_eq!(parts.piece_len, piece_len);
            assert!(parts.content().is_ok());
        }
    }

    #[test]
    fn names_have_no_folders() {
        for (path, name) in [
            ("a.txt", "a.txt"),
            ("/etc/passwd", "passwd"),
            ("C:\\files\\b.pdf", "b.pdf"),
            ("folder/", ""),
            ("", ""),
        ] {
            assert_eq!(last_component(path), name);
        }
        assert_eq!(last_component(&"ä".repeat(200)).len(), 254);
    }
}
