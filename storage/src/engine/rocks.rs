//! The engine on RocksDB: a folder that one process has open.
//!
//! Two column families share one log and so one batch: `owners` has what owners own, `partitions` what partitions own
//! ([`PARTITION_SPACE`]). The deliveries in the latter die young and are deleted by ranges, which would cost the reads of
//! the former.
//!
//! Measured figures behind the choices: a put costs 2.5 to 3 us of CPU, so rows are few; a sync costs far more, so a
//! group has one; forward scans are faster than backward ones.

use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use rocksdb::{
    BlockBasedIndexType, BlockBasedOptions, Cache, ColumnFamily, ColumnFamilyDescriptor, DB,
    DBCompressionType, DBRecoveryMode, InfoLogger, LogLevel, Options, ReadOptions, SliceTransform,
    SnapshotWithThreadMode, WriteBatch, WriteOptions,
};

use crate::error::Error;
use crate::format::{self, PARTITION_SPACE};
use crate::ids::{Owner, Partitions};
use crate::key::KeyReader;

use super::{Batch, Durability, Engine, Order, Snapshot, Visit};

const OWNERS: &str = "owners";
const PARTITIONS: &str = "partitions";

/// How a store is opened. The default is for a server of a few gigabytes of memory.
#[derive(Clone, Debug)]
pub struct RocksOptions {
    /// How many partitions the store has. Fixed when it is created.
    pub partitions: Partitions,
    /// How many bytes of blocks, indexes and filters are kept in memory.
    pub block_cache_len: usize,
    /// How many bytes of rows are gathered in memory before they become a file.
    pub write_buffer_len: usize,
    /// How long the log may get, in bytes: what a start has to read again at most.
    pub wal_len_max: u64,
    /// How many threads flush and compact.
    pub background_jobs: i32,
    /// How many files are kept open.
    pub open_files_max: i32,
    /// Told what RocksDB warns of: above all that the end of the log was torn, and how much of it is dropped.
    pub warn: fn(&str),
}

impl Default for RocksOptions {
    fn default() -> Self {
        Self {
            partitions: Partitions::default(),
            block_cache_len: 256 << 20,
            write_buffer_len: 64 << 20,
            wal_len_max: 128 << 20,
            background_jobs: 2,
            open_files_max: 1024,
            warn: |_| {},
        }
    }
}

/// A store in a folder.
pub struct Rocks {
    db: DB,
}

impl Rocks {
    /// Opens the store in `path`, or creates one there; the folders above are created too.
    ///
    /// # Errors
    ///
    /// [`Error::Locked`], [`Error::Unwritable`], [`Error::Format`], [`Error::DiskFull`], [`Error::Engine`]: the text
    /// says what to do.
    pub fn open(path: &Path, options: &RocksOptions) -> Result<Self, Error> {
        probe(path)?;
        let cache = Cache::new_lru_cache(options.block_cache_len);
        let families = [
            ColumnFamilyDescriptor::new(OWNERS, owners(options, &cache)),
            ColumnFamilyDescriptor::new(PARTITIONS, partitions(options, &cache)),
        ];
        let db = DB::open_cf_descriptors(&whole(options), path, families)
            .map_err(|error| not_opened(path, error))?;
        let rocks = Self { db };
        format::ensure(&rocks, options.partitions)?;
        Ok(rocks)
    }

    fn family(&self, key: &[u8]) -> &ColumnFamily {
        self.family_named(if is_partitions(key) { PARTITIONS } else { OWNERS })
    }

    fn family_named(&self, name: &str) -> &ColumnFamily {
        self.db.cf_handle(name).expect("the store was opened with its families")
    }
}

fn is_partitions(key: &[u8]) -> bool {
    key.first().is_some_and(|first| *first >= PARTITION_SPACE)
}

/// Makes the folder, and checks that it can be written.
///
/// RocksDB reports a folder that it may not write in words of its own; this says it as the system does.
pub(crate) fn probe(path: &Path) -> Result<(), Error> {
    let write = || {
        std::fs::create_dir_all(path)?;
        let file = path.join("write.probe");
        std::fs::write(&file, [])?;
        std::fs::remove_file(file)
    };
    write().map_err(|error: io::Error| Error::Unwritable {
        path: path.into(),
        reason: error.to_string(),
    })
}

/// Why the store in `path` could not be opened.
pub(crate) fn not_opened(path: &Path, error: rocksdb::Error) -> Error {
    let text = error.to_string();
    if text.contains("While lock file") || text.contains("lock hold by") {
        return Error::Locked { path: path.into() };
    }
    failed("open the store", error)
}

/// Options of the store as a whole.
fn whole(options: &RocksOptions) -> Options {
    let mut whole = Options::default();
    whole.create_if_missing(true);
    whole.create_missing_column_families(true);
    whole.set_max_background_jobs(options.background_jobs);
    whole.set_max_open_files(options.open_files_max);
    whole.set_max_total_wal_size(options.wal_len_max);
    // Replays up to the first record that is not whole: what follows was not synced, so nobody was told of it.
    whole.set_wal_recovery_mode(DBRecoveryMode::PointInTime);
    // Spreads the writing of files, so that a sync of the log does not wait behind one large write.
    whole.set_bytes_per_sync(1 << 20);
    let warn = options.warn;
    whole.set_info_logger(InfoLogger::new_callback_logger(LogLevel::Warn, move |level, text| {
        // Its settings come as headers, which nobody asked for.
        if matches!(level, LogLevel::Warn | LogLevel::Error | LogLevel::Fatal) {
            warn(text);
        }
    }));
    whole
}

/// Options of the rows of owners.
fn owners(options: &RocksOptions, cache: &Cache) -> Options {
    let mut owners = family(options, cache);
    owners.set_write_buffer_size(options.write_buffer_len);
    // Filters by owner: a scan skips the files that have no row of it.
    owners.set_prefix_extractor(SliceTransform::create("baudot.owner", prefix, Some(has_prefix)));
    owners.set_memtable_prefix_bloom_ratio(0.02);
    owners.set_memtable_whole_key_filtering(true);
    owners
}

/// Options of the rows of partitions: little, short-lived, read at starts only.
fn partitions(options: &RocksOptions, cache: &Cache) -> Options {
    let mut partitions = family(options, cache);
    partitions.set_write_buffer_size((options.write_buffer_len / 4).max(1 << 20));
    partitions
}

fn family(_options: &RocksOptions, cache: &Cache) -> Options {
    let mut blocks = BlockBasedOptions::default();
    blocks.set_block_cache(cache);
    blocks.set_block_size(16 << 10);
    blocks.set_bloom_filter(10.0, false);
    // Indexes and filters of a file in blocks, of which a look-up needs one each. Whole they take megabytes, which a cache has no
    // room for in any of its shards: then each look-up reads them, and computes their checksum, for a millisecond or two.
    blocks.set_index_type(BlockBasedIndexType::TwoLevelIndexSearch);
    blocks.set_partition_filters(true);
    blocks.set_cache_index_and_filter_blocks(true);
    blocks.set_pin_l0_filter_and_index_blocks_in_cache(true);
    let mut family = Options::default();
    family.set_block_based_table_factory(&blocks);
    family.set_compression_type(DBCompressionType::Lz4);
    family.set_level_compaction_dynamic_level_bytes(true);
    family.set_max_write_buffer_number(3);
    family
}

/// How long the part of a key is that the rows of an owner share: bucket and owner.
fn prefix_len(key: &[u8]) -> Option<usize> {
    if is_partitions(key) {
        return None;
    }
    let mut reader = KeyReader::new(key);
    reader.take(2)?;
    Owner::skip(&mut reader)?;
    Some(key.len() - reader.rest().len())
}

fn has_prefix(key: &[u8]) -> bool {
    prefix_len(key).is_some()
}

fn prefix(key: &[u8]) -> &[u8] {
    prefix_len(key).map_or(key, |len| &key[..len])
}

impl Engine for Rocks {
    fn snapshot(&self) -> Box<dyn Snapshot + '_> {
        Box::new(RocksSnapshot { rocks: self, snapshot: self.db.snapshot() })
    }

    fn write(&self, batch: &Batch, durability: Durability) -> Result<(), Error> {
        let (owners, partitions) = (self.family_named(OWNERS), self.family_named(PARTITIONS));
        let of = |key: &[u8]| if is_partitions(key) { partitions } else { owners };
        let len: usize = batch.rows.iter().map(|row| row.len() + 16).sum();
        let mut writes = WriteBatch::with_capacity_bytes(len);
        for (start, end) in &batch.cleared {
            writes.delete_range_cf(of(start), start, end);
        }
        for row in &batch.rows {
            match row.value() {
                Some(value) => writes.put_cf(of(row.key()), row.key(), value),
                None => writes.delete_cf(of(row.key()), row.key()),
            }
        }
        let mut options = WriteOptions::default();
        options.set_sync(durability == Durability::Synced);
        self.db.write_opt(writes, &options).map_err(|error| failed("write a batch", error))
    }

    fn sync(&self) -> Result<(), Error> {
        self.db.flush_wal(true).map_err(|error| failed("sync the log", error))
    }
}

struct RocksSnapshot<'e> {
    rocks: &'e Rocks,
    snapshot: SnapshotWithThreadMode<'e, DB>,
}

impl RocksSnapshot<'_> {
    fn scan_family(
        &self,
        (start, end): (&[u8], &[u8]),
        order: Order,
        visit: &mut Visit<'_>,
    ) -> Result<ControlFlow<()>, Error> {
        let mut options = ReadOptions::default();
        options.set_iterate_lower_bound(start);
        options.set_iterate_upper_bound(end);
        let owner = prefix_len(start);
        let within_owner =
            owner.is_some_and(|len| prefix_len(end) == owner && start[..len] == end[..len]);
        options.set_total_order_seek(!within_owner);
        let mut rows = self.snapshot.raw_iterator_cf_opt(self.rocks.family(start), options);
        match order {
            Order::Forward => rows.seek(start),
            Order::Backward => rows.seek_to_last(),
        }
        while let Some((key, value)) = rows.item() {
            if visit(key, value).is_break() {
                return Ok(ControlFlow::Break(()));
            }
            match order {
                Order::Forward => rows.next(),
                Order::Backward => rows.prev(),
            }
        }
        rows.status().map_err(|error| failed("scan rows", error))?;
        Ok(ControlFlow::Continue(()))
    }
}

impl Snapshot for RocksSnapshot<'_> {
    fn get(&self, key: &[u8], visit: &mut dyn FnMut(&[u8])) -> Result<bool, Error> {
        let found = self.snapshot.get_pinned_cf(self.rocks.family(key), key);
        let found = found.map_err(|error| failed("read a row", error))?;
        Ok(found.map(|value| visit(&value)).is_some())
    }

    fn scan(
        &self,
        start: &[u8],
        end: &[u8],
        order: Order,
        visit: &mut Visit<'_>,
    ) -> Result<(), Error> {
        if start >= end {
            return Ok(());
        }
        let border: &[u8] = &[PARTITION_SPACE];
        if is_partitions(start) || end <= border {
            return self.scan_family((start, end), order, visit).map(drop);
        }
        let mut parts = [(start, border), (border, end)];
        if order == Order::Backward {
            parts.reverse();
        }
        for part in parts {
            if self.scan_family(part, order, visit)?.is_break() {
                break;
            }
        }
        Ok(())
    }
}

/// Why RocksDB did not do what it was asked for.
pub(crate) fn failed(doing: &'static str, error: rocksdb::Error) -> Error {
    let reason = error.into_string();
    if reason.contains("No space left on device") || reason.contains("NoSpace") {
        return Error::DiskFull { doing, reason };
    }
    Error::Engine { doing, reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::UserId;
    use crate::engine::{Row, suite};
    use crate::key::{Key as _, KeyBuf};

    fn options() -> RocksOptions {
        RocksOptions {
            block_cache_len: 1 << 20,
            write_buffer_len: 64 << 10,
            ..RocksOptions::default()
        }
    }

    #[test]
    fn passes_the_suite() {
        let mut folders = Vec::new();
        suite::run(&mut || {
            let folder = tempfile::tempdir().unwrap();
            let rocks = Rocks::open(folder.path(), &options()).unwrap();
            folders.push(folder);
            rocks
        });
    }

    #[test]
    fn what_was_written_is_there_after_opening_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("not").join("there");
        let rows: Vec<_> = [&b"\0\0a"[..], b"\xf0\0\x01b"]
            .map(|key| Row::put(&[key, b"value"].concat(), key.len()))
            .into();
        let rocks = Rocks::open(&path, &options()).unwrap();
        rocks.write(&Batch { rows, ..Batch::default() }, Durability::Synced).unwrap();
        drop(rocks);
        let rocks = Rocks::open(&path, &options()).unwrap();
        let mut count = 0;
        let mut visit = |_: &[u8], value: &[u8]| {
            count += usize::from(value == b"value");
            ControlFlow::Continue(())
        };
        rocks.snapshot().scan(b"", b"\xff", Order::Forward, &mut visit).unwrap();
        assert_eq!(count, 2);
    }

    /// Looking for what is not there reads little, also from files whose filters would fill the cache.
    #[test]
    #[cfg(target_os = "linux")]
    fn a_look_up_reads_no_whole_filter() {
        const COUNT: u32 = 600_000;
        const LOOK_UPS: u32 = 500;
        let folder = tempfile::tempdir().unwrap();
        let options = RocksOptions { write_buffer_len: 64 << 20, ..options() };
        let rocks = Rocks::open(folder.path(), &options).unwrap();
        let user = Owner::User(UserId(7));
        let mut start = KeyBuf::new();
        user.bucket().0.encode(&mut start);
        user.encode(&mut start);
        // Every second key is there.
        let key = |number: u32| [&start[..], &number.to_be_bytes()].concat();
        for first in (0..COUNT).step_by(10_000) {
            let row = |number: u32| Row::put(&key(2 * number), start.len() + 4);
            let rows = (first..first + 10_000).map(row).collect();
            rocks.write(&Batch { rows, ..Batch::default() }, Durability::Buffered).unwrap();
        }
        rocks.db.compact_range_cf(rocks.family_named(OWNERS), None::<&[u8]>, None::<&[u8]>);
        // Filters of files that this process wrote may be held in memory.
        drop(rocks);
        let rocks = Rocks::open(folder.path(), &options).unwrap();
        let read = || {
            let io = std::fs::read_to_string("/proc/self/io").unwrap();
            let line = io.lines().find_map(|line| line.strip_prefix("rchar: ")).unwrap();
            line.parse::<u64>().unwrap()
        };
        let before = read();
        for number in (0..COUNT).step_by((COUNT / LOOK_UPS) as usize) {
            assert_eq!(value_of(&rocks, &key(2 * number + 1)), None);
        }
        let each = (read() - before) / u64::from(LOOK_UPS);
        assert!(each < 64 << 10, "{each} bytes");
    }

    fn value_of(rocks: &Rocks, key: &[u8]) -> Option<Vec<u8>> {
        let mut found = None;
        rocks.snapshot().get(key, &mut |value| found = Some(value.to_vec())).unwrap();
        found
    }

    /// The log of a store, of which there is one as long as little was written.
    fn log_of(folder: &Path) -> std::path::PathBuf {
        let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        files.filter(|path| path.extension().is_some_and(|end| end == "log")).max().unwrap()
    }

    static WARNINGS: std::sync::Mutex<Vec<String>> = std::sync::Mutex::new(Vec::new());

    /// The process is killed and the last record of the log is torn, wherever: each record that was synced before is there, of
    /// the last nothing is, the store warns, and what is written from then on is kept.
    #[test]
    fn a_torn_last_record_takes_nothing_else_with_it() {
        let options =
            RocksOptions { warn: |text| WARNINGS.lock().unwrap().push(text.into()), ..options() };
        let folder = tempfile::tempdir().unwrap();
        let whole = folder.path().join("whole");
        let rocks = Rocks::open(&whole, &options).unwrap();
        let put = |rocks: &Rocks, number: u8| {
            let row = [&[0, 0, number][..], &[number; 300]].concat();
            let rows = vec![Row::put(&row, 3)];
            rocks.write(&Batch { rows, ..Batch::default() }, Durability::Synced).unwrap();
        };
        (0..9).for_each(|number| put(&rocks, number));
        let log = log_of(&whole);
        let before = std::fs::metadata(&log).unwrap().len();
        put(&rocks, 9);
        let bytes = std::fs::read(&log).unwrap();
        let record = bytes.len() - usize::try_from(before).unwrap();
        assert!(record > 300);
        // As a killed process leaves it: nothing was closed.
        let torn = |name: String, bytes: &[u8]| {
            let copy = folder.path().join(name);
            std::fs::create_dir(&copy).unwrap();
            for file in std::fs::read_dir(&whole).unwrap() {
                let file = file.unwrap();
                std::fs::copy(file.path(), copy.join(file.file_name())).unwrap();
            }
            std::fs::write(log_of(&copy), bytes).unwrap();
            copy
        };
        let mut cases = Vec::new();
        for len in [1, 5, 7, 8, 20, 299, record - 1] {
            cases.push((torn(format!("cut-{len}"), &bytes[..bytes.len() - len]), true));
        }
        for at in [1, 4, 6, 8, 100, record] {
            let mut bytes = bytes.clone();
            let at = bytes.len() - at;
            bytes[at] ^= 0x55;
            cases.push((torn(format!("flipped-{at}"), &bytes), true));
        }
        cases.push((torn("whole-copy".into(), &bytes), false));
        for (copy, is_torn) in cases {
            WARNINGS.lock().unwrap().clear();
            let rocks = Rocks::open(&copy, &options).unwrap();
            let name = copy.display();
            for number in 0..9 {
                assert_eq!(value_of(&rocks, &[0, 0, number]), Some(vec![number; 300]), "{name}");
            }
            assert_eq!(value_of(&rocks, &[0, 0, 9]).is_none(), is_torn, "{name}");
            let warned = WARNINGS.lock().unwrap().iter().any(|text| text.contains("dropping"));
            assert_eq!(warned, is_torn, "{name}: {:?}", WARNINGS.lock().unwrap());
            put(&rocks, 10);
            drop(rocks);
            let rocks = Rocks::open(&copy, &options).unwrap();
            assert!(
                value_of(&rocks, &[0, 0, 8]).is_some() && value_of(&rocks, &[0, 0, 10]).is_some()
            );
        }
    }

    #[test]
    fn errors_of_opening_say_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let rocks = Rocks::open(folder.path(), &options()).unwrap();
        let error = Rocks::open(folder.path(), &options()).err().unwrap();
        assert!(matches!(error, Error::Locked { .. }), "{error}");
        drop(rocks);

        let other = RocksOptions { partitions: Partitions::new(3).unwrap(), ..options() };
        let error = Rocks::open(folder.path(), &other).err().unwrap();
        assert!(matches!(error, Error::Format { found: 64, needed: 3, .. }), "{error}");

        // A file where the folder should be: root may write anywhere, so that rights cannot be tested by it.
        let file = folder.path().join("file");
        std::fs::write(&file, []).unwrap();
        let error = Rocks::open(&file, &options()).err().unwrap();
        assert!(matches!(error, Error::Unwritable { .. }), "{error}");
    }

    #[test]
    fn prefixes_are_bucket_and_owner() {
        for owner in [Owner::User(UserId(7)), Owner::phone("123"), Owner::username("name")] {
            let space = crate::table::Space::new(owner);
            let table = crate::Table::<u8, ()>::new(3, "three");
            let row = space.row(table, &9);
            assert_eq!(prefix_len(&row), Some(row.len() - 2));
            assert_eq!(prefix_len(&row[..row.len() - 2]), Some(row.len() - 2));
            assert_eq!(prefix_len(&row[..row.len() - 3]), None);
        }
        assert_eq!(prefix_len(b"\xf0\0\x01abcdefghijklmn"), None);
    }
}
