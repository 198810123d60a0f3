//! Parts come in.
//!
//! ```text
//! rules that need no row ──► room ──► uploads.open, once ──► hash, Pieces::put ──► uploads.store ──► true
//!                                     (row)                  (a media thread)      (row)
//! ```
//!
//! The rows are the truth. What is kept in memory of an upload is where its parts lie, and a gate: parts hold it together, and
//! whoever looks which pieces no row names, to remove them, holds it alone. So a piece that is about to be told of is never
//! taken for one that was left.
//!
//! A hash depends on where in the file a part begins, which a short last part alone does not tell. It is hashed as if it were
//! like those known so far, and [`super::intake`] sets that right when the file is complete.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use storage::{
    DataId, UserId,
    blobs::{
        PieceKey, Pieces,
        tree::{self, PieceHash},
    },
    limits::PIECE_LEN_MAX,
};
use tl::operations::{enums::Refusal, functions, types};
use tokio::sync::{OwnedSemaphorePermit, RwLock, Semaphore};

use crate::{
    config, limits,
    router::CallError,
    rpc::{Result, RpcError, UserCtx},
};

/// A part as a client sent it.
#[derive(Clone, Copy, Debug)]
pub struct NewPart<'a> {
    /// The upload, under the id its client chose.
    pub file_id: i64,
    /// Which part it is, from 0 on.
    pub part: i32,
    /// How many parts there are: `None` where the method does not tell, -1 while the client does not know.
    pub total: Option<i32>,
    /// The bytes, which lie in the request.
    pub bytes: &'a [u8],
}

/// The hash of a part of which nobody knows yet where it begins.
const UNKNOWN: PieceHash = PieceHash([0; 32]);

/// Stores a part. Once this returns it is durable.
///
/// # Errors
///
/// `FILE_PART_EMPTY`, `FILE_PART_TOO_BIG`, `FILE_PART_INVALID`, `FILE_PARTS_INVALID`, `FILE_PART_SIZE_INVALID`,
/// `FILE_PART_SIZE_CHANGED`; `FILE_ID_INVALID` if a file was made of the upload; `FLOOD_WAIT` beyond what an account may have
/// under way.
pub async fn save_part(ctx: &UserCtx, part: NewPart<'_>) -> Result<()> {
    let part_count_max = part_count_max(&ctx.config().media);
    check(&part, part_count_max)?;
    let uploads = &ctx.shared().media.uploads;
    let bytes = ctx.owned(part.bytes);
    let _room = uploads.room(ctx.user, bytes.len()).await?;
    // An upload that expired since it was last seen begins anew.
    for _ in 0..2 {
        let upload = Upload::open(ctx, part.file_id, part.total).await?;
        if upload.is_finished() {
            let get = functions::uploads::Get { file_id: part.file_id };
            if ctx.call(ctx.user, &get).await.is_ok() {
                break;
            }
            uploads.forget(ctx.user, part.file_id, &upload);
            continue;
        }
        match upload.save(ctx, &part, part_count_max, bytes.clone()).await {
            Err(error) if error == RpcError::FILE_ID_INVALID => {
                uploads.forget(ctx.user, part.file_id, &upload);
            }
            saved => return saved,
        }
    }
    Err(RpcError::FILE_ID_INVALID)
}

/// How many parts a file may have.
pub(crate) const fn part_count_max(config: &config::Media) -> i32 {
    if config.large_uploads {
        limits::UPLOAD_PART_COUNT_MAX_LARGE
    } else {
        limits::UPLOAD_PART_COUNT_MAX
    }
}

/// The rules that need no row.
fn check(part: &NewPart<'_>, part_count_max: i32) -> Result<()> {
    if part.bytes.is_empty() {
        return Err(RpcError::FILE_PART_EMPTY);
    }
    if part.bytes.len() > PIECE_LEN_MAX {
        return Err(RpcError::FILE_PART_TOO_BIG);
    }
    if !(0..part_count_max).contains(&part.part) {
        return Err(RpcError::FILE_PART_INVALID);
    }
    let Some(total) = part.total.filter(|total| *total != -1) else { return Ok(()) };
    if !(1..=part_count_max).contains(&total) {
        return Err(RpcError::FILE_PARTS_INVALID);
    }
    if part.part >= total {
        return Err(RpcError::FILE_PART_INVALID);
    }
    if part.part < total - 1 && !tree::is_piece_len(part.bytes.len()) {
        return Err(RpcError::FILE_PART_SIZE_INVALID);
    }
    Ok(())
}

/// What is remembered of uploads under way, and how much of them is on its way to the store.
pub(crate) struct Uploads {
    open: Mutex<HashMap<(UserId, i64), Arc<Upload>>>,
    accounts: Mutex<HashMap<UserId, Weak<Semaphore>>>,
    all: Arc<Semaphore>,
    /// For those that wait for one of these.
    waiting: Semaphore,
    wait_max: Duration,
}

impl Default for Uploads {
    fn default() -> Self {
        Self {
            open: Mutex::default(),
            accounts: Mutex::default(),
            all: Arc::new(Semaphore::new(limits::UPLOADS_IN_FLIGHT_LEN_MAX)),
            waiting: Semaphore::new(limits::UPLOADS_WAITING_LEN_MAX),
            wait_max: limits::UPLOAD_WAIT,
        }
    }
}

/// The right to have some bytes on their way to the store.
struct Room {
    _account: OwnedSemaphorePermit,
    _all: OwnedSemaphorePermit,
}

impl Uploads {
    /// Waits until `len` more bytes of the account may be on their way, unless too many wait already.
    async fn room(&self, user: UserId, len: usize) -> Result<Room> {
        let len = u32::try_from(len).map_err(|_| RpcError::FILE_PART_TOO_BIG)?;
        // First its own, so that an account that waits for itself keeps nobody else waiting.
        let of_both = [self.account(user), Arc::clone(&self.all)];
        let [account, all] =
            of_both.each_ref().map(|of| Arc::clone(of).try_acquire_many_owned(len));
        if let (Ok(account), Ok(all)) = (account, all) {
            return Ok(Room { _account: account, _all: all });
        }
        let _waits = self.waiting.try_acquire_many(len).map_err(|_| RpcError::flood_wait(1))?;
        let [account, all] = of_both;
        let room = async {
            let account = account.acquire_many_owned(len).await.ok()?;
            let all = all.acquire_many_owned(len).await.ok()?;
            Some(Room { _account: account, _all: all })
        };
        let room = tokio::time::timeout(self.wait_max, room).await;
        room.ok().flatten().ok_or_else(|| RpcError::flood_wait(1))
    }

    fn account(&self, user: UserId) -> Arc<Semaphore> {
        let mut accounts = lock(&self.accounts);
        if let Some(account) = accounts.get(&user).and_then(Weak::upgrade) {
            return account;
        }
        if accounts.len() >= limits::UPLOAD_REMEMBERED_COUNT {
            accounts.retain(|_, account| account.strong_count() > 0);
        }
        let account = Arc::new(Semaphore::new(limits::UPLOAD_IN_FLIGHT_LEN_MAX));
        accounts.insert(user, Arc::downgrade(&account));
        account
    }

    fn find(&self, user: UserId, file_id: i64) -> Option<Arc<Upload>> {
        lock(&self.open).get(&(user, file_id)).cloned()
    }

    /// Remembers an upload; answers the one that somebody else remembered meanwhile.
    fn remember(&self, user: UserId, file_id: i64, upload: Upload) -> Arc<Upload> {
        let mut open = lock(&self.open);
        if open.len() >= limits::UPLOAD_REMEMBERED_COUNT {
            // Those in use stay: there is one gate for each.
            open.retain(|_, upload| Arc::strong_count(upload) > 1);
        }
        Arc::clone(open.entry((user, file_id)).or_insert_with(|| Arc::new(upload)))
    }

    fn forget(&self, user: UserId, file_id: i64, upload: &Arc<Upload>) {
        let mut open = lock(&self.open);
        if open.get(&(user, file_id)).is_some_and(|known| Arc::ptr_eq(known, upload)) {
            open.remove(&(user, file_id));
        }
    }
}

/// An upload, as far as it is kept in memory.
pub(crate) struct Upload {
    /// Under what its parts lie.
    pub(crate) data: DataId,
    file_id: i64,
    /// The length of all parts but the last, as far as parts tell; 0 while none does.
    piece_len: AtomicU32,
    /// Whether a file was made of it.
    finished: AtomicBool,
    /// Held together by parts on their way, alone by who removes pieces.
    pub(crate) gate: RwLock<()>,
}

impl Upload {
    pub(crate) fn new(data: DataId, file_id: i64) -> Self {
        Self {
            data,
            file_id,
            piece_len: AtomicU32::new(0),
            finished: AtomicBool::new(false),
            gate: RwLock::new(()),
        }
    }

    fn of(file_id: i64, row: &tl::records::types::Upload) -> Self {
        let upload = Self::new(DataId(row.data), file_id);
        upload.piece_len.store(row.piece_len.cast_unsigned(), Ordering::Relaxed);
        upload.finished.store(row.photo.is_some() || row.document.is_some(), Ordering::Release);
        upload
    }

    /// The upload that a part belongs to. Its row is there when this returns.
    async fn open(ctx: &UserCtx, file_id: i64, total: Option<i32>) -> Result<Arc<Self>> {
        let uploads = &ctx.shared().media.uploads;
        if let Some(upload) = uploads.find(ctx.user, file_id) {
            return Ok(upload);
        }
        let (data, lifetime_s) = (ctx.random_id(), ctx.config().media.upload_s);
        let big = total.is_some();
        let open = functions::uploads::Open { big, file_id, data, total, lifetime_s };
        let opened = ctx.call(ctx.user, &open).await?;
        if opened.data == data {
            let upload = Self::new(DataId(data), file_id);
            return Ok(uploads.remember(ctx.user, file_id, upload));
        }
        // It began before the server did, or it was forgotten.
        Self::existing(ctx, file_id).await.map(|(upload, _)| upload)
    }

    /// An upload that began before, and its rows.
    pub(crate) async fn existing(
        ctx: &UserCtx,
        file_id: i64,
    ) -> Result<(Arc<Self>, types::uploads::State)> {
        let state = ctx.call(ctx.user, &functions::uploads::Get { file_id }).await?;
        let uploads = &ctx.shared().media.uploads;
        let fresh = Self::of(file_id, &state.upload);
        let upload = uploads.remember(ctx.user, file_id, fresh);
        if upload.data.0 == state.upload.data {
            return Ok((upload, state));
        }
        // What was remembered has expired.
        uploads.forget(ctx.user, file_id, &upload);
        let fresh = Self::of(file_id, &state.upload);
        Ok((uploads.remember(ctx.user, file_id, fresh), state))
    }

    /// Whether a file was made of it.
    pub(crate) fn is_finished(&self) -> bool {
        self.finished.load(Ordering::Acquire)
    }

    /// A file was made of it: nothing more is stored. The gate is held alone.
    pub(crate) fn finish(&self) {
        self.finished.store(true, Ordering::Release);
    }

    async fn save(
        &self,
        ctx: &UserCtx,
        part: &NewPart<'_>,
        part_count_max: i32,
        bytes: Bytes,
    ) -> Result<()> {
        let number = u32::try_from(part.part).map_err(|_| RpcError::FILE_PART_INVALID)?;
        let len = u32::try_from(bytes.len()).map_err(|_| RpcError::FILE_PART_TOO_BIG)?;
        let gate = self.gate.read().await;
        if self.is_finished() {
            return Err(RpcError::FILE_ID_INVALID);
        }
        let incoming =
            Incoming { data: self.data, part: number, offset: self.offset(number, len), bytes };
        let media = &ctx.shared().media;
        let written = if part.total.is_some() {
            media.large.store(incoming).await?
        } else {
            let pieces = Arc::clone(&media.pieces);
            media.block(move || incoming.store(&*pieces)).await?
        };
        let Written { key, hash, others } = written.map_err(|error| {
            tracing::error!(%error, "a part cannot be stored");
            RpcError::from(&error)
        })?;
        let store = functions::uploads::Store {
            file_id: self.file_id,
            data: self.data.0,
            part: part.part,
            len: len.cast_signed(),
            hash: &hash.0,
            total: part.total,
            part_count_max,
        };
        let stored = ctx.call(ctx.user, &store).await;
        drop(gate);
        match stored {
            Ok(_) => {
                if tree::is_piece_len(part.bytes.len()) {
                    self.piece_len.fetch_max(len, Ordering::Relaxed);
                }
                if others {
                    self.sweep(ctx, number).await;
                }
                Ok(())
            }
            Err(error) => {
                // Not so if the rows are in trouble: then nobody knows what they name.
                if matches!(error, CallError::Refused(_)) {
                    self.sweep(ctx, key.part).await;
                }
                Err(error.into())
            }
        }
    }

    /// Where a part begins, if that can be told.
    fn offset(&self, part: u32, len: u32) -> Option<u64> {
        let known = self.piece_len.load(Ordering::Relaxed);
        let is_piece_len = tree::is_piece_len(len as usize);
        let piece_len = match known {
            _ if part == 0 => 0,
            known if len <= known => known,
            _ if is_piece_len => len,
            _ => return None,
        };
        Some(u64::from(part) * u64::from(piece_len))
    }

    /// Removes pieces of a part that no row names: it was refused, or replaced.
    async fn sweep(&self, ctx: &UserCtx, part: u32) {
        let _gate = self.gate.write().await;
        let state = ctx.call(ctx.user, &functions::uploads::Get { file_id: self.file_id }).await;
        let keep = match state {
            // What lies there may belong to a blob by now; it goes with it.
            _ if self.is_finished() => return,
            Ok(state) if state.upload.data != self.data.0 => None,
            Ok(state) if state.upload.photo.is_some() || state.upload.document.is_some() => return,
            Ok(state) => state
                .parts
                .iter()
                .find(|row| row.part.cast_unsigned() == part)
                .and_then(|row| PieceHash::from_slice(&row.hash)),
            // It has expired.
            Err(CallError::Refused(Refusal::FileIdInvalid)) => None,
            Err(_) => return,
        };
        let keep = keep.map(|hash| PieceKey::new(self.data, part, &hash));
        let pieces = Arc::clone(&ctx.shared().media.pieces);
        let data = self.data;
        let swept = ctx.shared().media.block(move || {
            let stale = of_part(&*pieces, data, part)?.into_iter().filter(|key| Some(*key) != keep);
            stale.into_iter().try_for_each(|key| pieces.delete_piece(&key))
        });
        if let Ok(Err(error)) = swept.await {
            // The upload's chore removes them at last.
            tracing::warn!(%error, "pieces of a part were left");
        }
    }
}

/// A part on its way to the store of pieces.
#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) data: DataId,
    pub(super) part: u32,
    /// Where in the file it begins, if that can be told.
    pub(super) offset: Option<u64>,
    pub(super) bytes: Bytes,
}

/// What became of a part.
#[derive(Debug)]
pub(super) struct Written {
    key: PieceKey,
    hash: PieceHash,
    /// Whether there are other pieces of the same part.
    others: bool,
}

impl Incoming {
    /// Hashes the part; under which key it is to be stored.
    pub(super) fn hash(&self) -> (PieceKey, PieceHash) {
        let hash = self.offset.and_then(|offset| tree::piece(offset, &self.bytes));
        let hash = hash.unwrap_or(UNKNOWN);
        (PieceKey::new(self.data, self.part, &hash), hash)
    }

    /// Hashes the part and stores it: one pass each.
    fn store(&self, pieces: &dyn Pieces) -> core::result::Result<Written, storage::Error> {
        let (key, hash) = self.hash();
        pieces.put(&key, &self.bytes)?;
        Written::of(pieces, key, hash)
    }
}

impl Written {
    /// Of a part that is in the store.
    pub(super) fn of(
        pieces: &dyn Pieces,
        key: PieceKey,
        hash: PieceHash,
    ) -> core::result::Result<Self, storage::Error> {
        // Two are enough to see whether there is another one.
        let first = pieces.keys(&PieceKey { check: [0; 8], ..key }, 2)?;
        let is_other =
            |other: &PieceKey| (other.data, other.part) == (key.data, key.part) && *other != key;
        Ok(Self { key, hash, others: first.iter().any(is_other) })
    }
}

/// The pieces of a part: one, unless it was sent again with other bytes.
fn of_part(
    pieces: &dyn Pieces,
    data: DataId,
    part: u32,
) -> core::result::Result<Vec<PieceKey>, storage::Error> {
    let first = PieceKey { data, part, check: [0; 8] };
    let mut keys = pieces.keys(&first, limits::PART_VERSION_COUNT)?;
    keys.retain(|key| (key.data, key.part) == (data, part));
    Ok(keys)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use storage::blobs::MemoryPieces;

    use super::*;

    /// `PART_VERSION_COUNT`: of a part that was sent again very often so many pieces are found, and none of another part.
    #[test]
    fn pieces_of_a_part_are_found() {
        for count in [0, 1, limits::PART_VERSION_COUNT, limits::PART_VERSION_COUNT + 1] {
            let pieces = MemoryPieces::default();
            for part in [0, 1, 2] {
                for number in 0..if part == 1 { count } else { 3 } {
                    let check = (number as u64).to_be_bytes();
                    pieces.put(&PieceKey { data: DataId(1), part, check }, b"x").unwrap();
                }
            }
            let found = of_part(&pieces, DataId(1), 1).unwrap();
            assert_eq!(found.len(), count.min(limits::PART_VERSION_COUNT));
            assert!(found.iter().all(|key| key.part == 1));
        }
    }

    #[test]
    fn rules_that_need_no_row() {
        let full = vec![0; PIECE_LEN_MAX + 1];
        let kib = 1024;
        for (part, total, len, expected) in [
            (0, None, kib, Ok(())),
            (0, None, 0, Err(RpcError::FILE_PART_EMPTY)),
            (0, None, 512 * kib, Ok(())),
            (0, None, 512 * kib + 1, Err(RpcError::FILE_PART_TOO_BIG)),
            (-1, None, kib, Err(RpcError::FILE_PART_INVALID)),
            (3999, None, kib, Ok(())),
            (4000, None, kib, Err(RpcError::FILE_PART_INVALID)),
            (0, Some(-1), kib, Ok(())),
            (0, Some(0), kib, Err(RpcError::FILE_PARTS_INVALID)),
            (0, Some(-2), kib, Err(RpcError::FILE_PARTS_INVALID)),
            (0, Some(4001), kib, Err(RpcError::FILE_PARTS_INVALID)),
            (3999, Some(4000), 1, Ok(())),
            (2, Some(2), kib, Err(RpcError::FILE_PART_INVALID)),
            (0, Some(2), kib - 1, Err(RpcError::FILE_PART_SIZE_INVALID)),
            (0, Some(2), 3 * kib, Err(RpcError::FILE_PART_SIZE_INVALID)),
            (1, Some(2), 3 * kib, Ok(())),
        ] {
            let part = NewPart { file_id: 1, part, total, bytes: &full[..len] };
            assert_eq!(check(&part, 4000), expected, "{} of {total:?}, {len}", part.part);
        }
    }

    /// Of one account, and of all; what waits for too long is told to come back.
    #[test]
    fn only_so_much_is_on_its_way() {
        assert_eq!(Uploads::default().wait_max, limits::UPLOAD_WAIT);
        let uploads = Uploads { wait_max: Duration::from_millis(1), ..Uploads::default() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        runtime.expect("a runtime").block_on(async {
            let room = |user, len| uploads.room(UserId(user), len);
            let wait = RpcError::flood_wait(1);
            let own = limits::UPLOAD_IN_FLIGHT_LEN_MAX;
            let first = room(1, own).await.expect("all that an account may have");
            assert_eq!(room(1, 1).await.err(), Some(wait.clone()));
            let count = i64::try_from(limits::UPLOADS_IN_FLIGHT_LEN_MAX / own).expect("few");
            let mut others = Vec::new();
            for user in 2..=count {
                others.push(room(user, own).await.expect("others have theirs"));
            }
            assert_eq!(room(count + 1, 1).await.err(), Some(wait));
            drop(first);
            assert!(room(count + 1, 1).await.is_ok() && room(1, 1).await.is_ok());
        });
    }

    /// `UPLOADS_WAITING_LEN_MAX`: what waits is in memory, so more is told to come back at once.
    #[tokio::test(start_paused = true)]
    async fn only_so_much_waits() {
        let uploads = Arc::new(Uploads::default());
        let own = limits::UPLOAD_IN_FLIGHT_LEN_MAX;
        let first = uploads.room(UserId(1), own).await.expect("all that an account may have");
        let mut waiting = tokio::task::JoinSet::new();
        for _ in 0..limits::UPLOADS_WAITING_LEN_MAX / own {
            let uploads = Arc::clone(&uploads);
            waiting.spawn(async move { uploads.room(UserId(1), own).await.map(drop) });
        }
        tokio::task::yield_now().await;
        let begun = tokio::time::Instant::now();
        assert_eq!(uploads.room(UserId(1), 1).await.err(), Some(RpcError::flood_wait(1)));
        assert_eq!(begun.elapsed(), Duration::ZERO);
        assert!(uploads.room(UserId(2), own).await.is_ok(), "others need not wait");
        drop(first);
        while let Some(waited) = waiting.join_next().await {
            assert_eq!(waited.unwrap(), Ok(()));
        }
        assert!(uploads.room(UserId(1), 1).await.is_ok());
    }

    /// `UPLOAD_REMEMBERED_COUNT`: those in use are not forgotten for others.
    #[test]
    fn only_so_many_are_remembered() {
        let uploads = Uploads::default();
        let used = uploads.remember(UserId(1), 0, Upload::new(DataId(0), 0));
        for file_id in 1..=limits::UPLOAD_REMEMBERED_COUNT as i64 {
            drop(uploads.remember(UserId(1), file_id, Upload::new(DataId(file_id), file_id)));
        }
        assert!(lock(&uploads.open).len() <= limits::UPLOAD_REMEMBERED_COUNT);
        assert!(uploads.find(UserId(1), 0).is_some_and(|found| Arc::ptr_eq(&found, &used)));
    }

    #[test]
    fn parts_begin_where_the_others_tell() {
        let upload = Upload::new(DataId(1), 1);
        assert_eq!(upload.offset(0, 5), Some(0));
        assert_eq!(upload.offset(3, 5), None);
        assert_eq!(upload.offset(3, 2048), Some(3 * 2048));
        upload.piece_len.store(4096, Ordering::Relaxed);
        assert_eq!(upload.offset(3, 5), Some(3 * 4096));
        assert_eq!(upload.offset(3, 2048), Some(3 * 4096));
        assert_eq!(upload.offset(3, 8192), Some(3 * 8192));
    }
}
