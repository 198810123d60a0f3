//! Ranges of blobs, through the cache.
//!
//! ```text
//! range ──► blocks of 512 KiB ──► cache ──► layout (cached) ──► Pieces | remote store
//! ```
//!
//! A block is read once however many ask for it at the same time, and whole, because clients ask for one after another of its
//! ranges. What is answered is a slice of it. Blobs never change, so nothing in the cache is ever wrong; where a blob lies may
//! change while it is read, and is then looked up again.
//!
//! What is on this machine is checked by the store of pieces; what comes from the remote store is checked here, against the
//! hashes that clients' parts had when they came.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter, sync::Cache};
use storage::{
    BlobId, DataId, Owner,
    blobs::{
        PieceKey, Pieces, check_piece,
        s3::Objects,
        tree::{PieceHash, is_piece_len},
    },
};
use tl::{
    operations::{enums::Refusal, functions, types::blobs::Layout as Row},
    records::types::Content,
};
use tokio::sync::Semaphore;

use crate::{
    limits::{self, BLOCK_LEN, LAYOUT_CACHE_LEN},
    router::CallError,
    rpc::{Result, RpcError},
    shared::Shared,
};

/// Which block of which blob.
type BlockKey = (BlobId, u32);

/// What was read lately.
pub(crate) struct Reader {
    blocks: Cache<BlockKey, Bytes, ByLen>,
    layouts: Cache<BlobId, Arc<Layout>, ByLen>,
    /// Reads of the remote store, which may be slow, never take all threads.
    remote: Semaphore,
}

/// How often blocks were found in the cache, and how often not, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheCounts {
    /// Found.
    pub hits: u64,
    /// Read.
    pub misses: u64,
    /// Bytes of memory that blocks take now.
    pub len: u64,
}

/// Where the bytes of a blob are.
struct Layout {
    remote: bool,
    data: DataId,
    len: u64,
    piece_len: u64,
    hashes: Vec<u8>,
}

impl Reader {
    /// With a cache of `cache_len` bytes.
    pub(crate) fn new(cache_len: usize) -> Self {
        Self {
            blocks: cache(cache_len, BLOCK_LEN),
            layouts: cache(LAYOUT_CACHE_LEN, 4096),
            remote: Semaphore::new(limits::REMOTE_READS_MAX),
        }
    }

    /// How often blocks were found in the cache.
    pub(crate) fn counts(&self) -> CacheCounts {
        let blocks = &self.blocks;
        CacheCounts { hits: blocks.hits(), misses: blocks.misses(), len: blocks.weight() }
    }

    async fn block(&self, shared: &Arc<Shared>, blob: BlobId, index: u32) -> Result<Bytes> {
        self.blocks.get_or_insert_async(&(blob, index), self.load(shared, blob, index)).await
    }

    async fn load(&self, shared: &Arc<Shared>, blob: BlobId, index: u32) -> Result<Bytes> {
        // It may have moved, and once more meanwhile.
        for _ in 0..3 {
            let layout = self.layout(shared, blob).await?;
            if let Some(bytes) = self.load_from(shared, blob, &layout, index).await? {
                return Ok(bytes);
            }
            self.layouts.remove(&blob);
        }
        tracing::error!(%blob, index, "pieces of a blob are not there");
        Err(RpcError::INTERNAL)
    }

    async fn layout(&self, shared: &Arc<Shared>, blob: BlobId) -> Result<Arc<Layout>> {
        if let Some(layout) = self.layouts.get(&blob) {
            return Ok(layout);
        }
        // A file that was just made tells its blobs by deliveries, which take a moment.
        let get = || shared.router.read_now(&Owner::Blob(blob), &functions::blobs::Get {});
        let row = awaited(get).await?;
        let layout = Arc::new(Layout::of(row).ok_or_else(|| {
            tracing::error!(%blob, "the rows of a blob contradict each other");
            RpcError::INTERNAL
        })?);
        self.layouts.insert(blob, Arc::clone(&layout));
        Ok(layout)
    }

    /// Reads a block; `None` if it is not where the layout says.
    async fn load_from(
        &self,
        shared: &Arc<Shared>,
        blob: BlobId,
        layout: &Arc<Layout>,
        index: u32,
    ) -> Result<Option<Bytes>> {
        let (media, layout) = (&shared.media, Arc::clone(layout));
        let read = if layout.remote {
            let Some(remote) = media.remote.clone() else {
                tracing::error!(%blob, "a blob is in a remote store, and none is configured");
                return Err(RpcError::INTERNAL);
            };
            let _place = self.remote.acquire().await.map_err(|_| RpcError::INTERNAL)?;
            media.block(move || layout.read_remote(&remote, blob, index)).await
        } else {
            let pieces = Arc::clone(&media.pieces);
            media.block(move || layout.read_local(&*pieces, index)).await
        };
        read?.map_err(|error| {
            tracing::error!(%error, %blob, index, "a block of a blob cannot be read");
            RpcError::INTERNAL
        })
    }
}

/// Reads the row of a blob that may not be there yet.
async fn awaited<T>(
    mut read: impl FnMut() -> core::result::Result<T, CallError>,
) -> core::result::Result<T, CallError> {
    let mut waits = limits::BLOB_AWAITED_COUNT;
    loop {
        match read() {
            Err(CallError::Refused(Refusal::FileReferenceExpired)) if waits > 0 => {
                waits -= 1;
                tokio::time::sleep(limits::BLOB_AWAITED).await;
            }
            row => return row,
        }
    }
}

impl Layout {
    fn of(row: Row) -> Option<Self> {
        let Row { blob, hashes } = row;
        let piece_len = u32::try_from(blob.piece_len).ok()?;
        let len = u64::try_from(blob.len).ok()?;
        let count = len.div_ceil(u64::from(piece_len.max(1)));
        let fits = is_piece_len(piece_len as usize) && hashes.len() as u64 == count * 32;
        fits.then_some(Self {
            remote: blob.remote,
            data: DataId(blob.data),
            len,
            piece_len: u64::from(piece_len),
            hashes,
        })
    }

    /// The pieces of a block: their numbers, hashes, and where in the blob each of them begins.
    fn pieces(&self, index: u32) -> impl Iterator<Item = (u32, PieceHash, u64)> {
        let start = u64::from(index) * BLOCK_LEN as u64;
        let end = self.len.min(start + BLOCK_LEN as u64);
        let first = start / self.piece_len;
        let (hashes, _) = self.hashes.as_chunks::<32>();
        let hashes = hashes.iter().skip(first as usize);
        (first..end.div_ceil(self.piece_len))
            .zip(hashes)
            .map(|(number, hash)| (number as u32, PieceHash(*hash), number * self.piece_len))
    }

    fn read_local(
        &self,
        pieces: &dyn Pieces,
        index: u32,
    ) -> core::result::Result<Option<Bytes>, storage::Error> {
        let mut block = BytesMut::new();
        for (number, hash, offset) in self.pieces(index) {
            let Some(bytes) = pieces.get(&PieceKey::new(self.data, number, &hash))? else {
                return Ok(None);
            };
            let end = self.len.min(offset + self.piece_len);
            if bytes.len() as u64 != end - offset {
                return Err(storage::Error::CorruptBytes {
                    name: format!("piece {number} of {}", self.data.0),
                    reason: format!("{} instead of {} bytes", bytes.len(), end - offset),
                });
            }
            // A piece of the greatest length is a block, and is not copied.
            if bytes.len() == BLOCK_LEN || (block.is_empty() && end == self.len) {
                return Ok(Some(bytes));
            }
            if block.is_empty() {
                block.reserve(BLOCK_LEN.min((self.len - offset) as usize));
            }
            block.extend_from_slice(&bytes);
        }
        Ok(Some(block.freeze()))
    }

    fn read_remote(
        &self,
        remote: &Objects,
        blob: BlobId,
        index: u32,
    ) -> core::result::Result<Option<Bytes>, storage::Error> {
        let start = u64::from(index) * BLOCK_LEN as u64;
        let end = self.len.min(start + BLOCK_LEN as u64);
        let Some(bytes) = remote.read(blob, self.data, start..end)? else { return Ok(None) };
        for (_, hash, offset) in self.pieces(index) {
            let from = (offset - start) as usize;
            let to = bytes.len().min(from + self.piece_len as usize);
            check_piece(&hash, offset, bytes.get(from..to).unwrap_or_default())?;
        }
        Ok(Some(bytes))
    }
}

/// Reads `len` bytes from `offset` on; fewer at the end.
///
/// # Errors
///
/// `FILE_REFERENCE_EXPIRED` if the blob is gone; `INTERNAL` if it cannot be read.
pub async fn read(
    shared: &Arc<Shared>,
    content: &Content,
    offset: u64,
    len: usize,
) -> Result<Bytes> {
    let mut slices = read_slices(shared, content, offset, len).await?;
    if slices.len() <= 1 {
        return Ok(slices.pop().unwrap_or_default());
    }
    let mut bytes = BytesMut::with_capacity(slices.iter().map(Bytes::len).sum());
    slices.iter().for_each(|slice| bytes.extend_from_slice(slice));
    Ok(bytes.freeze())
}

/// Reads as [`read`], without putting together what lies in several blocks.
///
/// # Errors
///
/// As [`read`].
pub(crate) async fn read_slices(
    shared: &Arc<Shared>,
    content: &Content,
    offset: u64,
    len: usize,
) -> Result<Vec<Bytes>> {
    let blob = BlobId::from_slice(&content.blob).ok_or(RpcError::INTERNAL)?;
    let content_len = u64::try_from(content.len).map_err(|_| RpcError::INTERNAL)?;
    let end = offset.saturating_add(len as u64).min(content_len);
    let mut slices = Vec::new();
    let mut at = offset;
    while at < end {
        let index = at / BLOCK_LEN as u64;
        let start = index * BLOCK_LEN as u64;
        let index = u32::try_from(index).map_err(|_| RpcError::INTERNAL)?;
        let block = shared.media.reader.block(shared, blob, index).await?;
        let block_end = end.min(start + block.len() as u64);
        if block_end <= at {
            tracing::error!(%blob, index, "a block of a blob is too short");
            return Err(RpcError::INTERNAL);
        }
        slices.push(block.slice((at - start) as usize..(block_end - start) as usize));
        at = block_end;
    }
    Ok(slices)
}

/// How much of a cache an entry takes.
#[derive(Clone, Copy, Debug)]
struct ByLen;

impl Weighter<BlockKey, Bytes> for ByLen {
    fn weight(&self, _: &BlockKey, block: &Bytes) -> u64 {
        block.len().max(1) as u64
    }
}

impl Weighter<BlobId, Arc<Layout>> for ByLen {
    fn weight(&self, _: &BlobId, layout: &Arc<Layout>) -> u64 {
        (layout.hashes.len() + size_of::<Layout>()) as u64
    }
}

fn cache<K: Eq + std::hash::Hash, V: Clone>(len: usize, entry_len: usize) -> Cache<K, V, ByLen>
where
    ByLen: Weighter<K, V>,
{
    // In one shard: several would each hold a few blocks only.
    let options = OptionsBuilder::new()
        .shards(1)
        .estimated_items_capacity((len / entry_len).max(16))
        .weight_capacity(len as u64)
        .build()
        .expect("all that is needed is set");
    Cache::with_options(options, ByLen, DefaultHashBuilder::default(), Default::default())
}

#[cfg(test)]
mod tests {
    use storage::blobs::{MemoryPieces, tree};
    use tl::records::types::Blob;

    use super::*;

    /// Every block of a file reads as it was cut, whatever the length of its pieces.
    #[test]
    fn blocks_are_put_together_from_pieces() {
        for len in [1, 1000, 1024, 5000, BLOCK_LEN, BLOCK_LEN + 1, 2 * BLOCK_LEN - 1] {
            for piece_len in [1024, 32 * 1024, BLOCK_LEN] {
                let content: Vec<u8> = (0..len).map(|at| (at % 251) as u8).collect();
                let pieces = MemoryPieces::default();
                let mut hashes = Vec::new();
                for (number, bytes) in content.chunks(piece_len).enumerate() {
                    let hash = tree::piece((number * piece_len) as u64, bytes).unwrap();
                    let key = PieceKey::new(DataId(1), number as u32, &hash);
                    pieces.put(&key, bytes).unwrap();
                    hashes.extend(hash.0);
                }
                let blob = Blob::new(1, len as i64, piece_len as i32, 0);
                let layout = Layout::of(Row::new(blob, hashes)).unwrap();
                for (index, expected) in content.chunks(BLOCK_LEN).enumerate() {
                    let block = layout.read_local(&pieces, index as u32).unwrap().unwrap();
                    assert!(block == expected, "{len} {piece_len} {index}");
                }
                pieces.delete(DataId(1)).unwrap();
                assert_eq!(layout.read_local(&pieces, 0).unwrap(), None);
            }
        }
    }

    /// `BLOB_AWAITED`, `BLOB_AWAITED_COUNT`: a blob that comes meanwhile is read, and one that does not come is not waited for
    /// for ever.
    #[tokio::test(start_paused = true)]
    async fn blobs_are_awaited_for_a_while() {
        use limits::{BLOB_AWAITED, BLOB_AWAITED_COUNT};

        for (comes_after, comes) in
            [(0, true), (1, true), (BLOB_AWAITED_COUNT, true), (BLOB_AWAITED_COUNT + 1, false)]
        {
            let begun = tokio::time::Instant::now();
            let mut looks = 0;
            let row = awaited(|| {
                looks += 1;
                let is_there = looks > comes_after;
                is_there.then_some(()).ok_or(CallError::Refused(Refusal::FileReferenceExpired))
            });
            assert_eq!(row.await.is_ok(), comes, "{comes_after}");
            let waited = BLOB_AWAITED * comes_after.min(BLOB_AWAITED_COUNT);
            assert_eq!(begun.elapsed(), waited, "{comes_after}");
        }
        let begun = tokio::time::Instant::now();
        let failed = awaited(|| Err::<(), _>(CallError::Failed)).await;
        assert!(failed.is_err() && begun.elapsed().is_zero(), "what fails is not awaited");
    }

    /// `LAYOUT_CACHE_LEN`: however many blobs are looked up, no more is kept of where they lie.
    #[test]
    fn layouts_are_kept_within_a_bound() {
        for hash_count in [1, 100, storage::limits::PIECE_COUNT_MAX] {
            let reader = Reader::new(0);
            let hashes = vec![7; 32 * hash_count];
            let (mut kept, count) = (0, 2 * LAYOUT_CACHE_LEN / hashes.len());
            for number in 0..count {
                let mut id = [7; 32];
                id[..8].copy_from_slice(&number.to_be_bytes());
                let len = (hash_count * 1024) as i64;
                let row = Row::new(Blob::new(1, len, 1024, 0), hashes.clone());
                reader.layouts.insert(BlobId(id), Arc::new(Layout::of(row).unwrap()));
                kept = reader.layouts.weight();
                assert!(kept <= LAYOUT_CACHE_LEN as u64, "{kept} bytes");
            }
            assert!(kept > LAYOUT_CACHE_LEN as u64 / 2, "{kept} bytes: it was never full");
        }
    }

    #[test]
    fn rows_that_contradict_each_other_are_none() {
        for (len, piece_len, hashes) in [(1, 0, 32), (1, 1000, 32), (2048, 1024, 32), (1, 1024, 0)]
        {
            let row = Row::new(Blob::new(1, len, piece_len, 0), vec![0; hashes]);
            assert!(Layout::of(row).is_none(), "{len} {piece_len} {hashes}");
        }
    }
}
