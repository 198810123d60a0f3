//! The pieces of one blob: where each begins, how long it is, and whether its bytes are right.

use std::ops::Range;

use bytes::Bytes;
use storage::{
    BlobId, DataId,
    blobs::{
        PieceKey, Pieces,
        s3::Objects,
        tree::{self, PieceHash},
    },
};
use tl::operations::types::blobs::Layout;

use super::depot::Error;
use crate::limits::PIECE_KEY_COUNT;

/// What the rows of a blob say of its pieces, which was found to fit together.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    pub(crate) blob: BlobId,
    pub(crate) remote: bool,
    pub(crate) data: DataId,
    pub(crate) len: u64,
    piece_len: u32,
    hashes: Vec<PieceHash>,
}

impl Parts {
    /// Reads the rows of `blob`.
    ///
    /// # Errors
    ///
    /// [`Error::Layout`] if the hashes are not those of this blob.
    pub(crate) fn of(blob: BlobId, layout: &Layout) -> Result<Self, Error> {
        let Layout { blob: row, hashes } = layout;
        let contradiction = || Error::Layout(blob);
        let len = u64::try_from(row.len).map_err(|_| contradiction())?;
        let piece_len = u32::try_from(row.piece_len).map_err(|_| contradiction())?;
        let (hashes, rest) = hashes.as_chunks::<32>();
        let hashes: Vec<PieceHash> = hashes.iter().map(|hash| PieceHash(*hash)).collect();
        if !rest.is_empty() || tree::blob(len, piece_len, &hashes) != Some(blob) {
            return Err(contradiction());
        }
        Ok(Self { blob, remote: row.remote, data: DataId(row.data), len, piece_len, hashes })
    }

    /// How many pieces there are.
    pub(crate) fn count(&self) -> usize {
        self.hashes.len()
    }

    /// Which bytes of the blob piece `part` is.
    pub(crate) fn range(&self, part: usize) -> Range<u64> {
        if self.hashes.len() == 1 {
            return 0..self.len;
        }
        let piece_len = u64::from(self.piece_len);
        let start = (part as u64).saturating_mul(piece_len).min(self.len);
        start..start.saturating_add(piece_len).min(self.len)
    }

    /// The name of piece `part` under `data`.
    pub(crate) fn key(&self, data: DataId, part: usize) -> Option<PieceKey> {
        Some(PieceKey::new(data, u32::try_from(part).ok()?, self.hashes.get(part)?))
    }

    /// Whether `bytes` are those of piece `part`.
    pub(crate) fn fits(&self, part: usize, bytes: &[u8]) -> bool {
        let range = self.range(part);
        bytes.len() as u64 == range.end - range.start
            && tree::piece(range.start, bytes).as_ref() == self.hashes.get(part)
    }

    /// Piece `part` from the store of pieces, checked.
    pub(crate) fn read(&self, pieces: &dyn Pieces, part: usize) -> Result<Bytes, Error> {
        let wrong = |what| Error::Piece { blob: self.blob, part: part as u32, what };
        let key = self.key(self.data, part).ok_or_else(|| wrong("not one of it"))?;
        let bytes = pieces.get(&key)?.ok_or_else(|| wrong("missing"))?;
        if self.fits(part, &bytes) { Ok(bytes) } else { Err(wrong("damaged")) }
    }

    /// The pieces `run` from the remote store, checked, with their numbers.
    pub(crate) fn read_run(
        &self,
        objects: &Objects,
        run: Range<usize>,
    ) -> Result<Vec<(usize, Bytes)>, Error> {
        let wrong = |part, what| Error::Piece { blob: self.blob, part: part as u32, what };
        let start = self.range(run.start).start;
        let end = self.range(run.end.saturating_sub(1)).end;
        let bytes = objects.read(self.blob, self.data, start..end)?;
        let bytes = bytes.ok_or_else(|| wrong(run.start, "missing in the remote store"))?;
        let mut pieces = Vec::with_capacity(run.len());
        for part in run {
            let range = self.range(part);
            let (from, to) = ((range.start - start) as usize, (range.end - start) as usize);
            match bytes.get(from..to) {
                Some(piece) if self.fits(part, piece) => {
                    pieces.push((part, bytes.slice(from..to)));
                }
                _ => return Err(wrong(part, "damaged in the remote store")),
            }
        }
        Ok(pieces)
    }

    /// Pieces in runs of at most `len_max` bytes, but at least one piece each: what one request to a remote store is for.
    pub(crate) fn runs(&self, len_max: u64) -> impl Iterator<Item = Range<usize>> + '_ {
        let a_run = match self.count() {
            1 => 1,
            _ => (len_max / u64::from(self.piece_len.max(1))).max(1) as usize,
        };
        (0..self.count()).step_by(a_run).map(move |start| start..(start + a_run).min(self.count()))
    }
}

/// Hands the key of each piece under `data` to `visit`, which may remove that piece.
///
/// # Errors
///
/// They cannot be listed; what `visit` fails with.
pub(crate) fn each_key<E: From<storage::Error>>(
    pieces: &dyn Pieces,
    data: DataId,
    mut visit: impl FnMut(PieceKey) -> Result<(), E>,
) -> Result<(), E> {
    let mut from = Some(PieceKey { data, part: 0, check: [0; 8] });
    while let Some(first) = from {
        let page = pieces.keys(&first, PIECE_KEY_COUNT)?;
        page.iter().take_while(|key| key.data == data).try_for_each(|key| visit(*key))?;
        let is_full = page.len() == PIECE_KEY_COUNT;
        from = page.last().filter(|last| is_full && last.data == data).and_then(|key| key.after());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use storage::blobs::MemoryPieces;
    use tl::records::types::Blob;

    use super::*;

    fn layout(content: &[u8], piece_len: usize) -> (BlobId, Layout) {
        let hash = |(part, bytes)| tree::piece((part * piece_len) as u64, bytes).unwrap();
        let hashes: Vec<_> = content.chunks(piece_len).enumerate().map(hash).collect();
        let id = tree::blob(content.len() as u64, piece_len as u32, &hashes).unwrap();
        let hashes = hashes.iter().flat_map(|hash| hash.0).collect();
        let blob = Blob::new(7, content.len() as i64, piece_len as i32, 0);
        (id, Layout { blob, hashes })
    }

    #[test]
    fn pieces_cover_the_blob_and_are_checked() {
        for len in [1_usize, 1023, 1024, 1025, 5000] {
            let content: Vec<u8> = (0..len).map(|at| (at % 251) as u8).collect();
            let (id, layout) = layout(&content, 1024);
            let parts = Parts::of(id, &layout).unwrap();
            let pieces = MemoryPieces::default();
            let mut end = 0;
            for part in 0..parts.count() {
                let range = parts.range(part);
                assert_eq!(range.start, end, "{len}");
                end = range.end;
                let bytes = &content[range.start as usize..range.end as usize];
                assert!(parts.fits(part, bytes), "{len}");
                assert!(parts.read(&pieces, part).is_err(), "{len}: missing");
                pieces.put(&parts.key(parts.data, part).unwrap(), bytes).unwrap();
                assert_eq!(parts.read(&pieces, part).unwrap(), bytes, "{len}");
                let mut flipped = bytes.to_vec();
                flipped[0] ^= 1;
                pieces.put(&parts.key(parts.data, part).unwrap(), &flipped).unwrap();
                let error = parts.read(&pieces, part).unwrap_err().to_string();
                assert!(error.ends_with("is damaged"), "{error}");
            }
            assert_eq!(end, len as u64);
            for (len_max, runs) in [(1, parts.count()), (2048, parts.count().div_ceil(2))] {
                assert_eq!(parts.runs(len_max).count(), runs, "{len}");
                assert_eq!(parts.runs(len_max).flatten().count(), parts.count());
            }
        }
    }

    /// `PIECE_KEY_COUNT`: each piece is met once, wherever pages end, be it amid those of one part; also when each is removed.
    #[test]
    fn keys_are_listed_from_page_to_page() {
        for (count, removes) in
            (PIECE_KEY_COUNT - 1..PIECE_KEY_COUNT + 4).flat_map(|n| [(n, false), (2 * n, true)])
        {
            let pieces = MemoryPieces::default();
            let key = |data, number: usize| {
                // Three of each part, one of them the last that there can be.
                let check = [[0; 8], [7; 8], [0xff; 8]][number % 3];
                PieceKey { data: DataId(data), part: number as u32 / 3, check }
            };
            for number in 0..count {
                pieces.put(&key(1, number), b"x").unwrap();
                pieces.put(&key(2, number), b"x").unwrap();
            }
            let mut met = Vec::new();
            let visited: Result<(), Error> = each_key(&pieces, DataId(1), |key| {
                met.push(key);
                if removes { Ok(pieces.delete_piece(&key)?) } else { Ok(()) }
            });
            visited.unwrap();
            assert!(met.into_iter().eq((0..count).map(|number| key(1, number))), "{count}");
        }
    }

    #[test]
    fn rows_that_contradict_each_other_are_none() {
        let (id, layout) = layout(&[7; 3000], 1024);
        let changes: [fn(&mut Layout); 4] = [
            |layout| layout.hashes[0] ^= 1,
            |layout| layout.hashes.truncate(40),
            |layout| layout.blob.len += 1,
            |layout| layout.blob.piece_len = -1,
        ];
        for change in changes {
            let mut layout = layout.clone();
            change(&mut layout);
            assert!(matches!(Parts::of(id, &layout), Err(Error::Layout(_))), "{layout:?}");
        }
    }
}
