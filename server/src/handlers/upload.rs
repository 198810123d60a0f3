//! `upload.*`: parts of files.

use bytes::Bytes;
use mtproto::session::Reply;
use sha2::{Digest as _, Sha256};
use tl::{
    Encode as _, Layer, Sink as _,
    api::{
        enums::storage::FileType,
        functions::upload::{GetFile, GetFileHashes, SaveBigFilePart, SaveFilePart},
        types,
    },
};

use crate::{
    limits::{FILE_HASH_LEN, FILE_PART_ASKED_LEN_MAX},
    media::{
        access::{self, Located},
        reader,
        uploads::{self, NewPart},
    },
    rpc::{Result, RpcError, UserCtx},
};

/// `upload.saveFilePart`: a part of a file, durable once this is answered.
///
/// Errors: `FILE_PART_EMPTY`, `FILE_PART_TOO_BIG`, `FILE_PART_INVALID`, `FILE_PART_SIZE_INVALID`, `FILE_PART_SIZE_CHANGED`,
/// `FILE_ID_INVALID`, `FLOOD_WAIT_X`.
///
/// Source: <https://core.telegram.org/method/upload.saveFilePart>.
pub async fn save_file_part(ctx: &UserCtx, request: SaveFilePart<'_>) -> Result<Reply> {
    let SaveFilePart { file_id, file_part: part, bytes } = request;
    uploads::save_part(ctx, NewPart { file_id, part, total: None, bytes }).await?;
    Ok(ctx.answer(&request, true))
}

/// `upload.saveBigFilePart`: a part of a greater file, durable once this is answered.
///
/// Errors: those of `upload.saveFilePart`, and `FILE_PARTS_INVALID`.
///
/// Source: <https://core.telegram.org/method/upload.saveBigFilePart>.
pub async fn save_big_file_part(ctx: &UserCtx, request: SaveBigFilePart<'_>) -> Result<Reply> {
    let SaveBigFilePart { file_id, file_part: part, file_total_parts: total, bytes } = request;
    uploads::save_part(ctx, NewPart { file_id, part, total: Some(total), bytes }).await?;
    Ok(ctx.answer(&request, true))
}

/// `upload.getFile`: a part of a file, empty behind its end. There are no other servers to fetch it from.
///
/// Errors: `OFFSET_INVALID`, `LIMIT_INVALID`; `LOCATION_INVALID`, `FILE_ID_INVALID`, `PEER_ID_INVALID`,
/// `FILE_REFERENCE_EMPTY`, `FILE_REFERENCE_INVALID`, `FILE_REFERENCE_EXPIRED`.
///
/// Source: <https://core.telegram.org/method/upload.getFile>, <https://core.telegram.org/api/files#downloading-files>.
pub async fn get_file(ctx: &UserCtx, request: GetFile<'_>) -> Result<Reply> {
    let (offset, len) = range(request.precise, request.offset, request.limit)?;
    let file = access::locate(ctx, &request.location)?;
    let len = within(&file, offset, len);
    // Before anything is read: what a slow connection does not take would lie in memory.
    let _room = ctx.answer_room(len).await;
    let slices =
        reader::read_slices(ctx.shared(), &file.content, file.offset + offset, len).await?;
    Ok(answer(&kind(&file.mime, offset, &slices), file.date, &slices))
}

/// `upload.getFileHashes`: the SHA-256 of each 128 KiB from `offset` on, of up to 1 MiB.
///
/// Errors: those of `upload.getFile`.
///
/// Source: <https://core.telegram.org/method/upload.getFileHashes>.
pub async fn get_file_hashes(ctx: &UserCtx, request: GetFileHashes<'_>) -> Result<Reply> {
    let offset = u64::try_from(request.offset).map_err(|_| RpcError::OFFSET_INVALID)?;
    if !offset.is_multiple_of(FILE_HASH_LEN as u64) {
        return Err(RpcError::OFFSET_INVALID);
    }
    let file = access::locate(ctx, &request.location)?;
    let len = within(&file, offset, FILE_PART_ASKED_LEN_MAX);
    let shared = ctx.shared();
    let bytes = reader::read(shared, &file.content, file.offset + offset, len).await?;
    let sums = shared.media.block(move || {
        let chunks = bytes.chunks(FILE_HASH_LEN);
        chunks.map(|chunk| (chunk.len(), Sha256::digest(chunk))).collect::<Vec<_>>()
    });
    let sums = sums.await?;
    let mut hashes = Vec::with_capacity(sums.len());
    for (at, (len, sum)) in (offset..).step_by(FILE_HASH_LEN).zip(&sums) {
        let offset = i64::try_from(at).map_err(|_| RpcError::OFFSET_INVALID)?;
        let len = i32::try_from(*len).map_err(|_| RpcError::INTERNAL)?;
        hashes.push(types::FileHash::new(offset, len, sum.as_slice()));
    }
    Ok(ctx.answer(&request, hashes))
}

/// The range that is asked for, if it is one that may be.
///
/// What is not `precise` has coarser bounds, for the sake of caches; no part crosses a multiple of 1 MiB.
fn range(precise: bool, offset: i64, limit: i32) -> Result<(u64, usize)> {
    let block = FILE_PART_ASKED_LEN_MAX as u64;
    let unit = if precise { 1024 } else { 4096 };
    let offset = u64::try_from(offset).map_err(|_| RpcError::OFFSET_INVALID)?;
    if !offset.is_multiple_of(unit) {
        return Err(RpcError::OFFSET_INVALID);
    }
    let len = u64::try_from(limit).map_err(|_| RpcError::LIMIT_INVALID)?;
    let divides = precise || (len > 0 && block.is_multiple_of(len));
    let fits = len > 0 && len <= block && len.is_multiple_of(unit) && divides;
    if !fits || offset / block != (offset + len - 1) / block {
        return Err(RpcError::LIMIT_INVALID);
    }
    Ok((offset, len as usize))
}

/// How many of `len` bytes from `offset` on the file has.
fn within(file: &Located, offset: u64, len: usize) -> usize {
    usize::try_from(file.len.saturating_sub(offset)).unwrap_or(usize::MAX).min(len)
}

/// What a file is: as its beginning shows, or as whoever sent it said.
fn kind(mime: &str, offset: u64, slices: &[Bytes]) -> FileType {
    let start = slices.first().filter(|_| offset == 0).map_or(&[][..], |slice| slice);
    match start {
        [0xff, 0xd8, 0xff, ..] => return FileType::FileJpeg,
        [0x89, b'P', b'N', b'G', ..] => return FileType::FilePng,
        [b'G', b'I', b'F', b'8', ..] => return FileType::FileGif,
        [b'%', b'P', b'D', b'F', ..] => return FileType::FilePdf,
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => {
            return FileType::FileWebp;
        }
        _ => {}
    }
    match mime {
        "image/jpeg" => FileType::FileJpeg,
        "image/png" => FileType::FilePng,
        "image/gif" => FileType::FileGif,
        "image/webp" => FileType::FileWebp,
        "application/pdf" => FileType::FilePdf,
        "audio/mpeg" | "audio/mp3" => FileType::FileMp3,
        "video/quicktime" => FileType::FileMov,
        "video/mp4" => FileType::FileMp4,
        _ => FileType::FileUnknown,
    }
}

/// `upload.file`, the same in all layers. The bytes are copied once, from the cache into what is sealed.
fn answer(kind: &FileType, mtime: i32, slices: &[Bytes]) -> Reply {
    let len = slices.iter().map(Bytes::len).sum::<usize>();
    // Constructor, kind, date, length, padding.
    let mut reply = Reply::with_capacity(len + 20);
    let out = reply.tail();
    out.u32(types::upload::File::ID);
    kind.encode(Layer::NEWEST, out);
    out.u32(mtime.cast_unsigned());
    let head_len = match len {
        0..254 => {
            out.put(&[len as u8]);
            1
        }
        _ => {
            // 16 MiB and more are never asked for.
            out.u32((len as u32) << 8 | 254);
            4
        }
    };
    slices.iter().for_each(|slice| out.put(slice));
    let padding = (head_len + len).next_multiple_of(4) - head_len - len;
    out.put(&[0; 3][..padding]);
    reply
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_that_may_be_asked_for() {
        const MIB: i64 = 1 << 20;
        let offset = Err(RpcError::OFFSET_INVALID);
        let limit = Err(RpcError::LIMIT_INVALID);
        for (precise, from, len, expected) in [
            (false, 0, 4096, Ok((0, 4096))),
            (false, 4096, 4096, Ok((4096, 4096))),
            (false, 0, MIB, Ok((0, 1 << 20))),
            (false, 7 * MIB, MIB, Ok((7 << 20, 1 << 20))),
            (false, 1024, 4096, offset.clone()),
            (false, -4096, 4096, offset.clone()),
            (false, 1, 4096, offset.clone()),
            (false, 0, 0, limit.clone()),
            (false, 0, -4096, limit.clone()),
            (false, 0, 1024, limit.clone()),
            (false, 0, 3 * 4096, limit.clone()),
            (false, 0, 2 * MIB, limit.clone()),
            (false, MIB - 4096, 8192, limit.clone()),
            (false, 512 << 10, MIB, limit.clone()),
            (true, 1024, 1024, Ok((1024, 1024))),
            (true, 0, 3 * 1024, Ok((0, 3072))),
            (true, 0, MIB, Ok((0, 1 << 20))),
            (true, 512, 1024, offset),
            (true, 0, 1000, limit.clone()),
            (true, 0, MIB + 1024, limit.clone()),
            (true, 1024, MIB, limit.clone()),
            (true, MIB - 1024, 2048, limit),
        ] {
            assert_eq!(range(precise, from, len as i32), expected, "{precise} {from} {len}");
        }
        assert_eq!(range(true, i64::MAX - 1023, 1024), Ok((i64::MAX as u64 - 1023, 1024)));
    }

    /// What is written by hand is what the generated code writes.
    #[test]
    fn answers_are_those_of_the_schema() {
        for len in [0, 1, 2, 3, 253, 254, 255, 256, 70_000] {
            let bytes: Vec<u8> = (0..len).map(|at| at as u8).collect();
            let (left, right) = bytes.split_at(len / 3);
            let slices = [Bytes::copy_from_slice(left), Bytes::copy_from_slice(right)];
            let made = answer(&FileType::FilePdf, 77, &slices);
            let expected = types::upload::File::new(FileType::FilePdf, 77, &bytes);
            for layer in [Layer::OLDEST, Layer::NEWEST] {
                assert_eq!(made.as_slice(), expected.to_vec(layer), "{len}");
            }
        }
    }

    #[test]
    fn kinds_of_files() {
        let of =
            |mime, offset, start: &'static [u8]| kind(mime, offset, &[Bytes::from_static(start)]);
        assert_eq!(of("", 0, b"\xff\xd8\xff\xe0"), FileType::FileJpeg);
        assert_eq!(of("video/mp4", 4096, b"\xff\xd8\xff\xe0"), FileType::FileMp4);
        assert_eq!(of("", 0, b"RIFF....WEBPVP8 "), FileType::FileWebp);
        assert_eq!(of("audio/mpeg", 0, b""), FileType::FileMp3);
        assert_eq!(of("text/plain", 0, b"%PD"), FileType::FileUnknown);
        assert_eq!(kind("image/png", 0, &[]), FileType::FilePng);
    }
}
