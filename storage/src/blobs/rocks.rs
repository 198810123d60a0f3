//! Pieces in RocksDB: a store of their own, whose values lie in blob files.
//!
//! ```text
//! 0 | data (8) | part (4) | check (8)  ->  length (4) | CRC-32 (4)     the note: what keys() reads, no bytes of pieces
//! 1 | data (8) | part (4) | check (8)  ->  the bytes                   in a blob file, from 1 KiB on
//! ```
//!
//! Sizes in brackets are bytes, numbers big-endian; `data` has its sign bit turned, so that keys compare as they do. Both
//! rows of a piece are written in one batch. (An iterator over the second kind would read each value, which is why there
//! is the first.) The highest bit of the length says that the bytes are in a [large file](large) instead.
//!
//! A piece of a large file goes there, in four steps: its slot is taken, its bytes are written and synced, its note is
//! written and synced, the slot is free. A slot whose bytes a note names is never written again, but with the same bytes if
//! they are there no more: what comes for it with other bytes, or while it is taken, goes the way of short files.
//!
//! Reads check our CRC, not RocksDB's own, which is computed without the processor's help unless RocksDB is compiled for
//! newer processors only: a read of 512 KiB took 1.1 ms with it, most of that for the checksum.
//!
//! **Memory** does not grow with what is written: two write buffers of 4 MiB, a cache of 2 MiB for keys and filters, 256
//! open files, a copy of each piece of a short file while it is written, and 8 MiB of buffers for large files. What does grow
//! is about 300 bytes for each blob file.
//!
//! **Disk**: a piece of a large file is written once. Any other is written twice, to the log (synced; RocksDB has one sync for
//! all that wait) and to a blob file. Merging the rows never touches blob files: with random keys each merge meets all of them,
//! and RocksDB's collection of garbage within merges would write a part of the store again every few megabytes. It is switched
//! on for a [`sweep`] alone, which a thread does after every [`PIECES_RECLAIM_LEN`] deleted bytes: files that hold nothing any
//! more go at once; the live bytes of the others are written again, oldest first, while more than a quarter of all is garbage.
//!
//! [`sweep`]: RocksPieces::compact

mod large;

use std::{
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::JoinHandle,
};

use bytes::Bytes;
use rocksdb::{
    BlockBasedOptions, BottommostLevelCompaction, Cache, CompactOptions, DB, DBCompressionType,
    DBRecoveryMode, ErrorKind, LogLevel, Options, ReadOptions, WriteBatch, WriteOptions,
};

use large::{LargeFiles, Piece, Slot};

use super::{PieceKey, Pieces, Summed};
use crate::{
    Error,
    engine::rocks::{failed, not_opened, probe},
    ids::DataId,
    limits::{
        LARGE_PIECE_LEN_MIN, PIECE_LEN_MAX, PIECES_BLOB_LEN_MIN, PIECES_BUFFER_LEN,
        PIECES_CACHE_LEN, PIECES_DELETE_COUNT_MAX, PIECES_FILE_LEN_MAX, PIECES_OPEN_FILES_MAX,
        PIECES_RECLAIM_LEN,
    },
};

/// The space of the rows that have lengths and checksums.
const NOTES: u8 = 0;
/// The space of the rows that have the bytes.
const BYTES: u8 = 1;

/// The bit of a note's length that says where the bytes are.
const IN_LARGE_FILE: u32 = 1 << 31;

const KEY_LEN: usize = 21;
type Row = [u8; KEY_LEN];

/// What is noted of a piece.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Note {
    len: u32,
    crc: u32,
    place: Place,
}

/// Where its bytes are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Row,
    LargeFile,
}

impl Note {
    fn of(bytes: &[u8], crc: u32, place: Place) -> Result<Self, Error> {
        match u32::try_from(bytes.len()) {
            Ok(len) if bytes.len() <= PIECE_LEN_MAX => Ok(Self { len, crc, place }),
            _ => Err(Error::TooLong { len: bytes.len() }),
        }
    }

    fn encoded(self) -> [u8; 8] {
        let place = if self.place == Place::LargeFile { IN_LARGE_FILE } else { 0 };
        (u64::from(self.len | place) << 32 | u64::from(self.crc)).to_be_bytes()
    }

    fn parse(value: &[u8]) -> Option<Self> {
        let (len, crc) = value.split_first_chunk()?;
        let len = u32::from_be_bytes(*len);
        let place = if len & IN_LARGE_FILE == 0 { Place::Row } else { Place::LargeFile };
        let crc = u32::from_be_bytes(crc.try_into().ok()?);
        Some(Self { len: len & !IN_LARGE_FILE, crc, place })
    }

    fn fits(self, bytes: &[u8]) -> bool {
        self.len as usize == bytes.len() && self.crc == crc32fast::hash(bytes)
    }
}

/// What blob files take, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Disk {
    /// All of them.
    pub len: u64,
    /// What of it was deleted and can be given back. What was deleted lately does not count yet.
    pub garbage_len: u64,
}

/// A store of pieces in a folder.
pub struct RocksPieces {
    store: Arc<Store>,
    /// Wakes the sweeper; taken by the drop.
    wake: Option<SyncSender<()>>,
    sweeper: Option<JoinHandle<()>>,
}

struct Store {
    db: DB,
    large: LargeFiles,
    /// How many bytes were deleted since the last sweep.
    deleted: AtomicU64,
    /// Held by the one that sweeps.
    sweeping: Mutex<()>,
}

impl RocksPieces {
    /// Opens the store in `path`, or creates one there; the folders above are created too.
    ///
    /// # Errors
    ///
    /// [`Error::Locked`], [`Error::Unwritable`], [`Error::DiskFull`], [`Error::Engine`]: the text says what to do.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::open_with(path, PIECES_FILE_LEN_MAX)
    }

    /// As [`RocksPieces::open`]; a sweep begins another blob file from `file_len_max` bytes on.
    fn open_with(path: &Path, file_len_max: u64) -> Result<Self, Error> {
        probe(path)?;
        let db = DB::open(&options(file_len_max), path).map_err(|error| not_opened(path, error))?;
        let large = LargeFiles::open(path.join("large"))?;
        let (deleted, sweeping) = (AtomicU64::new(0), Mutex::default());
        let store = Arc::new(Store { db, large, deleted, sweeping });
        // Bytes whose note was not written, or is gone.
        store.large.datas()?.into_iter().try_for_each(|data| store.remove_unused(data))?;
        // One wake-up waits at most; it stands for all that came since.
        let (wake, woken) = sync_channel(1);
        let swept = Arc::clone(&store);
        let sweeper = std::thread::Builder::new()
            .name("pieces-sweep".into())
            .spawn(move || sweep_when_woken(&swept, &woken))
            .map_err(|error| Error::Engine {
                doing: "start the thread that gives room back",
                reason: error.to_string(),
            })?;
        Ok(Self { store, wake: Some(wake), sweeper: Some(sweeper) })
    }

    /// Gives back to the disk what was deleted, all of it: writes what is live in the files concerned again.
    ///
    /// Reads and writes go on meanwhile. Cost: up to reading and writing the whole store.
    ///
    /// # Errors
    ///
    /// [`Error::DiskFull`], [`Error::Engine`].
    pub fn compact(&self) -> Result<(), Error> {
        // Of so many bytes not one may be garbage.
        self.store.sweep(&["1.0"], u64::MAX)
    }

    /// What blob files take.
    ///
    /// # Errors
    ///
    /// [`Error::Engine`].
    pub fn disk(&self) -> Result<Disk, Error> {
        self.store.disk()
    }
}

impl Drop for RocksPieces {
    fn drop(&mut self) {
        self.wake = None;
        // A sweep under way stops early. What is in write buffers is in the log, too.
        self.store.db.cancel_all_background_work(false);
        if let Some(sweeper) = self.sweeper.take() {
            // It has the folder open until it ends. Its panic was reported.
            let _ = sweeper.join();
        }
    }
}

fn sweep_when_woken(store: &Store, woken: &Receiver<()>) {
    while woken.recv().is_ok() {
        // The oldest files first, so that not all of the store is there twice at once. What fails here fails the next
        // writes as well, which tell; and the next deletion tries again.
        let _ = store.sweep(&["0.25", "0.34", "0.5", "1.0"], 4);
    }
}

impl Store {
    /// Drops files that hold nothing, then, as long as more than one byte in `share` is garbage, writes again what is
    /// live in the oldest files: these parts of their number, one after another.
    fn sweep(&self, parts: &[&str], share: u64) -> Result<(), Error> {
        let _sweeping = self.sweeping.lock().unwrap_or_else(PoisonError::into_inner);
        let error = |error| failed("give room back", error);
        self.deleted.store(0, Ordering::Relaxed);
        self.db.flush().map_err(error)?;
        self.db.compact_range(None::<&[u8]>, None::<&[u8]>);
        for part in parts {
            let disk = self.disk()?;
            if disk.garbage_len <= disk.len / share {
                break;
            }
            let mut options = CompactOptions::default();
            options.set_exclusive_manual_compaction(false);
            options.set_bottommost_level_compaction(BottommostLevelCompaction::ForceOptimized);
            self.db
                .set_options(&[
                    ("enable_blob_garbage_collection", "true"),
                    ("blob_garbage_collection_age_cutoff", part),
                ])
                .map_err(error)?;
            self.db.compact_range_opt(None::<&[u8]>, None::<&[u8]>, &options);
            self.db.set_options(&[("enable_blob_garbage_collection", "false")]).map_err(error)?;
        }
        Ok(())
    }

    fn disk(&self) -> Result<Disk, Error> {
        let number = |name: &str| {
            let number = self.db.property_int_value(name);
            number
                .map(Option::unwrap_or_default)
                .map_err(|error| failed("look at its files", error))
        };
        Ok(Disk {
            len: number("rocksdb.live-blob-file-size")?,
            garbage_len: number("rocksdb.live-blob-file-garbage-size")?,
        })
    }

    /// Goes over the keys from `start` to before `end`, with what is noted of their pieces, until `visit` says false.
    fn notes(
        &self,
        start: &Row,
        end: &[u8],
        mut visit: impl FnMut(PieceKey, Note) -> bool,
    ) -> Result<(), Error> {
        let mut options = ReadOptions::default();
        options.set_iterate_upper_bound(end);
        // A walk over all keys must not push out what reads need.
        options.fill_cache(false);
        let mut rows = self.db.raw_iterator_opt(options);
        rows.seek(start);
        while let Some((key, value)) = rows.item() {
            let row = parse(key).zip(Note::parse(value));
            let (key, note) = row.ok_or_else(|| Error::CorruptBytes {
                name: format!("key of {} bytes", key.len()),
                reason: "no such keys are written".into(),
            })?;
            if !visit(key, note) {
                break;
            }
            rows.next();
        }
        rows.status().map_err(|error| failed("list pieces", error))
    }

    /// The piece whose bytes a slot of a large file holds.
    fn note_of_slot(&self, (data, part): Slot) -> Result<Option<(PieceKey, Note)>, Error> {
        let first = PieceKey { data, part, check: [0; 8] };
        let last = PieceKey { data, part, check: [0xff; 8] };
        let mut found = None;
        self.notes(&row(NOTES, &first), &after(NOTES, &last), |key, note| {
            found = Some((key, note)).filter(|_| note.place == Place::LargeFile);
            found.is_none()
        })?;
        Ok(found)
    }

    /// Whether a slot holds the bytes that its note tells of.
    fn is_in_slot(&self, slot: Slot, note: Note) -> bool {
        let bytes = self.large.read(slot, note.len as usize);
        bytes.is_ok_and(|bytes| bytes.is_some_and(|bytes| note.fits(&bytes)))
    }

    /// Whether any piece of `data` is in a large file.
    fn has_large(&self, data: DataId) -> Result<bool, Error> {
        let first = PieceKey { data, part: 0, check: [0; 8] };
        let last = PieceKey { data, part: u32::MAX, check: [0xff; 8] };
        let mut found = false;
        self.notes(&row(NOTES, &first), &after(NOTES, &last), |_, note| {
            found = note.place == Place::LargeFile;
            !found
        })?;
        Ok(found)
    }

    /// Removes the large file of `data` if nothing is in it.
    fn remove_unused(&self, data: DataId) -> Result<(), Error> {
        self.large.remove_unless(data, || self.has_large(data))
    }

    fn find(&self, key: &PieceKey) -> Result<Found, Error> {
        let failed = |error: rocksdb::Error| match error.kind() {
            ErrorKind::Corruption => {
                Error::CorruptBytes { name: format!("{key:?}"), reason: error.into_string() }
            }
            _ => failed("read a piece", error),
        };
        // Both rows as of one moment: the piece may be replaced meanwhile.
        let snapshot = self.db.snapshot();
        let Some(note) = snapshot.get_pinned(row(NOTES, key)).map_err(failed)? else {
            return Ok(Found::Nothing);
        };
        let Some(note) = Note::parse(&note) else {
            let reason = "its note is none".into();
            return Err(Error::CorruptBytes { name: format!("{key:?}"), reason });
        };
        let bytes = match note.place {
            Place::LargeFile => self.large.read((key.data, key.part), note.len as usize)?,
            Place::Row => {
                let mut options = ReadOptions::default();
                options.set_verify_checksums(false);
                let bytes = snapshot.get_pinned_opt(row(BYTES, key), options).map_err(failed)?;
                bytes.map(|bytes| Bytes::copy_from_slice(&bytes))
            }
        };
        Ok(match bytes {
            Some(bytes) if note.fits(&bytes) => Found::Bytes(bytes),
            // Its data is being deleted.
            None if note.place == Place::LargeFile => Found::Nothing,
            _ => Found::Damaged(note),
        })
    }

    fn write(&self, batch: WriteBatch, doing: &'static str) -> Result<(), Error> {
        let mut options = WriteOptions::default();
        options.set_sync(true);
        self.db.write_opt(batch, &options).map_err(|error| failed(doing, error))
    }
}

/// What a look for a piece finds.
enum Found {
    Nothing,
    Bytes(Bytes),
    /// Bytes that are not those that the note is about.
    Damaged(Note),
}

impl Pieces for RocksPieces {
    fn put(&self, key: &PieceKey, bytes: &[u8]) -> Result<(), Error> {
        let mut batch = WriteBatch::with_capacity_bytes(bytes.len() + 128);
        put_rows(&mut batch, key, bytes, crc32fast::hash(bytes))?;
        self.store.write(batch, "write a piece")
    }

    fn put_large(&self, pieces: &[(PieceKey, Summed)]) -> Result<(), Error> {
        let mut taken = self.store.large.none_taken();
        let mut slots = Vec::with_capacity(pieces.len());
        let mut batch = WriteBatch::default();
        for (key, Summed { bytes, crc }) in pieces {
            let slot = (key.data, key.part);
            if bytes.len() < LARGE_PIECE_LEN_MIN || !taken.take(slot) {
                put_rows(&mut batch, key, bytes, *crc)?;
                continue;
            }
            let note = Note::of(bytes, *crc, Place::LargeFile)?;
            match self.store.note_of_slot(slot)? {
                // It came before, and is durable; unless somebody removed the file, or the disk forgot.
                Some(known) if known == (*key, note) => {
                    if !self.store.is_in_slot(slot, note) {
                        slots.push(Piece { slot, bytes });
                    }
                }
                Some(_) => put_rows(&mut batch, key, bytes, *crc)?,
                None => {
                    slots.push(Piece { slot, bytes });
                    batch.put(row(NOTES, key), note.encoded());
                    // From when its slot was another's.
                    batch.delete(row(BYTES, key));
                }
            }
        }
        if !slots.is_empty() {
            self.store.large.write(&slots)?;
        }
        if batch.is_empty() { Ok(()) } else { self.store.write(batch, "write pieces") }
    }

    fn get(&self, key: &PieceKey) -> Result<Option<Bytes>, Error> {
        let mut before = None;
        loop {
            match self.store.find(key)? {
                Found::Nothing => return Ok(None),
                Found::Bytes(bytes) => return Ok(Some(bytes)),
                // Its slot may have become another piece's since the note was read. Then there is another note, or none.
                Found::Damaged(note) if before != Some(note) => before = Some(note),
                Found::Damaged(_) => {
                    let reason = "not what was written".into();
                    return Err(Error::CorruptBytes { name: format!("{key:?}"), reason });
                }
            }
        }
    }

    fn delete(&self, data: DataId) -> Result<(), Error> {
        let first = PieceKey { data, part: 0, check: [0; 8] };
        let last = PieceKey { data, part: u32::MAX, check: [0xff; 8] };
        let (mut keys, mut len) = (Vec::new(), 0);
        self.store.notes(&row(NOTES, &first), &after(NOTES, &last), |key, note| {
            keys.push(key);
            len += if note.place == Place::Row { u64::from(note.len) } else { 0 };
            true
        })?;
        // Before the notes: as long as these are there, whoever looks for what is left finds them.
        self.store.large.remove(data)?;
        if keys.is_empty() {
            return Ok(());
        }
        let mut batch = WriteBatch::default();
        for space in [NOTES, BYTES] {
            if keys.len() > PIECES_DELETE_COUNT_MAX {
                batch.delete_range(&row(space, &first)[..], &after(space, &last)[..]);
            } else {
                keys.iter().for_each(|key| batch.delete(row(space, key)));
            }
        }
        self.store.write(batch, "delete pieces")?;
        // A piece that came meanwhile may have gone with them, and left its bytes.
        self.store.remove_unused(data)?;
        if self.store.deleted.fetch_add(len, Ordering::Relaxed) + len >= PIECES_RECLAIM_LEN
            && let Some(wake) = &self.wake
        {
            // Full: it is woken already.
            let _ = wake.try_send(());
        }
        Ok(())
    }

    fn delete_piece(&self, key: &PieceKey) -> Result<(), Error> {
        let mut batch = WriteBatch::default();
        batch.delete(row(NOTES, key));
        batch.delete(row(BYTES, key));
        let in_large_file = self.store.note_of_slot((key.data, key.part))?;
        self.store.write(batch, "delete a piece")?;
        match in_large_file {
            Some((of, _)) if of == *key => self.store.remove_unused(key.data),
            _ => Ok(()),
        }
    }

    fn keys(&self, from: &PieceKey, limit: usize) -> Result<Vec<PieceKey>, Error> {
        let mut keys = Vec::new();
        if limit > 0 {
            self.store.notes(&row(NOTES, from), &[BYTES], |key, _| {
                keys.push(key);
                keys.len() < limit
            })?;
        }
        Ok(keys)
    }
}

/// Adds the rows of a piece whose bytes are in one of them.
fn put_rows(batch: &mut WriteBatch, key: &PieceKey, bytes: &[u8], crc: u32) -> Result<(), Error> {
    batch.put(row(NOTES, key), Note::of(bytes, crc, Place::Row)?.encoded());
    batch.put(row(BYTES, key), bytes);
    Ok(())
}

fn row(space: u8, key: &PieceKey) -> Row {
    let mut row = [0; KEY_LEN];
    row[0] = space;
    row[1..9].copy_from_slice(&(key.data.0 ^ i64::MIN).to_be_bytes());
    row[9..13].copy_from_slice(&key.part.to_be_bytes());
    row[13..].copy_from_slice(&key.check);
    row
}

/// What comes just after the row of `key`: one byte more.
fn after(space: u8, key: &PieceKey) -> Vec<u8> {
    [&row(space, key)[..], &[0]].concat()
}

/// The opposite of [`row`].
fn parse(row: &[u8]) -> Option<PieceKey> {
    let row: &Row = row.try_into().ok()?;
    let (data, rest) = row[1..].split_first_chunk()?;
    let (part, rest) = rest.split_first_chunk()?;
    Some(PieceKey {
        data: DataId(i64::from_be_bytes(*data) ^ i64::MIN),
        part: u32::from_be_bytes(*part),
        check: rest.try_into().ok()?,
    })
}

fn options(file_len_max: u64) -> Options {
    let mut blocks = BlockBasedOptions::default();
    blocks.set_block_cache(&Cache::new_lru_cache(PIECES_CACHE_LEN));
    blocks.set_bloom_filter(10.0, false);
    blocks.set_cache_index_and_filter_blocks(true);
    let mut options = Options::default();
    options.create_if_missing(true);
    options.set_block_based_table_factory(&blocks);
    // Photos, videos and archives are compressed already; keys are random.
    options.set_compression_type(DBCompressionType::None);
    options.set_enable_blob_files(true);
    options.set_blob_compression_type(DBCompressionType::None);
    options.set_min_blob_size(PIECES_BLOB_LEN_MIN);
    options.set_blob_file_size(file_len_max);
    // Only within a sweep.
    options.set_enable_blob_gc(false);
    options.set_write_buffer_size(PIECES_BUFFER_LEN);
    options.set_max_write_buffer_number(2);
    // A flush makes rows of a kilobyte and a blob file of the rest: levels are small, and there may be many new ones,
    // above all while a sweep holds up their merging.
    options.set_level_zero_file_num_compaction_trigger(8);
    options.set_level_zero_slowdown_writes_trigger(500);
    options.set_level_zero_stop_writes_trigger(1000);
    options.set_target_file_size_base(2 << 20);
    options.set_max_bytes_for_level_base(8 << 20);
    options.set_level_compaction_dynamic_level_bytes(true);
    // Buffers of files that are read or written from end to end: a few at a time.
    options.set_compaction_readahead_size(128 << 10);
    options.set_writable_file_max_buffer_size(256 << 10);
    options.set_max_open_files(PIECES_OPEN_FILES_MAX);
    options.set_max_background_jobs(2);
    // Replays up to the first record that is not whole: what follows was not synced, so nobody was told of it.
    options.set_wal_recovery_mode(DBRecoveryMode::PointInTime);
    // Spreads the writing of files, so that a sync of the log does not wait behind one large write.
    options.set_bytes_per_sync(1 << 20);
    options.set_stats_dump_period_sec(0);
    options.set_stats_persist_period_sec(0);
    options.set_log_level(LogLevel::Warn);
    options.set_keep_log_file_num(2);
    options.set_max_log_file_size(1 << 20);
    options
}

#[cfg(test)]
mod tests;
