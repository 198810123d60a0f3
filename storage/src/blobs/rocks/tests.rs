//! The bounds of pieces in RocksDB, and what a store of its own shows of them.

use std::fs;

use bytes::Bytes;

use super::*;

/// A store in a folder of its own.
struct Opened {
    pieces: RocksPieces,
    folder: tempfile::TempDir,
}

impl Opened {
    fn new() -> Self {
        Self::with(PIECES_FILE_LEN_MAX)
    }

    fn with(file_len_max: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { pieces: RocksPieces::open_with(folder.path(), file_len_max).unwrap(), folder }
    }

    /// Writes a piece whose bytes do not compress.
    fn put(&self, data: i64, part: u32, len: usize) {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let bytes: Vec<u8> = (0..len)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state as u8
            })
            .collect();
        self.pieces.put(&key(data, part), &bytes).unwrap();
    }

    fn flush(&self) {
        self.pieces.store.db.flush().unwrap();
    }

    fn number(&self, property: &str) -> u64 {
        self.pieces.store.db.property_int_value(property).unwrap().unwrap()
    }

    /// The lengths of all blob files.
    fn blob_files(&self) -> Vec<u64> {
        let files = fs::read_dir(self.folder.path()).unwrap().map(Result::unwrap);
        let blobs = files.filter(|file| file.path().extension().is_some_and(|e| e == "blob"));
        blobs.map(|file| file.metadata().unwrap().len()).collect()
    }
}

/// The names and lengths of all large files.
fn large_files(opened: &Opened) -> Vec<(String, u64)> {
    let files = fs::read_dir(opened.folder.path().join("large")).unwrap().map(Result::unwrap);
    let mut files: Vec<_> = files
        .map(|file| (file.file_name().into_string().unwrap(), file.metadata().unwrap().len()))
        .collect();
    files.sort();
    files
}

fn key(data: i64, part: u32) -> PieceKey {
    PieceKey { data: DataId(data), part, check: [7; 8] }
}

/// `PIECES_DELETE_COUNT_MAX`: up to it pieces are deleted one by one, beyond by a range; their neighbours stay.
#[test]
fn many_pieces_are_deleted_by_a_range() {
    for (count, by_range) in [(PIECES_DELETE_COUNT_MAX, false), (PIECES_DELETE_COUNT_MAX + 1, true)]
    {
        let opened = Opened::new();
        for data in [1, 2, 3] {
            (0..count as u32).for_each(|part| opened.put(data, part, 10));
        }
        opened.pieces.delete(DataId(2)).unwrap();
        let one_by_one = opened.number("rocksdb.num-deletes-active-mem-table");
        // Each piece has two rows.
        assert_eq!(one_by_one, if by_range { 0 } else { 2 * count as u64 });
        let left = opened.pieces.keys(&key(i64::MIN, 0), usize::MAX).unwrap();
        assert_eq!(left.len(), 2 * count);
        assert!(left.iter().all(|key| key.data != DataId(2)));
        assert_eq!(opened.pieces.get(&key(2, 0)).unwrap(), None);
        assert!(opened.pieces.get(&key(1, count as u32 - 1)).unwrap().is_some());
        assert!(opened.pieces.get(&key(3, 0)).unwrap().is_some());
    }
}

/// `PIECES_BLOB_LEN_MIN`: what is shorter lies in its row.
#[test]
fn short_pieces_lie_in_rows() {
    let opened = Opened::new();
    opened.put(1, 0, PIECES_BLOB_LEN_MIN as usize - 1);
    opened.flush();
    assert_eq!(opened.pieces.disk().unwrap().len, 0);
    opened.put(1, 1, PIECES_BLOB_LEN_MIN as usize);
    opened.flush();
    assert!(opened.pieces.disk().unwrap().len >= PIECES_BLOB_LEN_MIN);
}

/// `PIECES_BUFFER_LEN`: so much is gathered in memory, hardly more, and then becomes a blob file.
#[test]
fn buffers_are_short() {
    let opened = Opened::new();
    let count = 4 * PIECES_BUFFER_LEN / PIECE_LEN_MAX;
    for part in 0..count {
        opened.put(1, part as u32, PIECE_LEN_MAX);
        let gathered = opened.number("rocksdb.cur-size-active-mem-table");
        // What begins a new buffer, and the room that one has at first.
        assert!(gathered <= (PIECES_BUFFER_LEN + 2 * PIECE_LEN_MAX) as u64, "{gathered}");
    }
    opened.flush();
    let files = opened.blob_files();
    assert!(files.len() >= 3, "{files:?}");
    assert!(files.iter().all(|len| *len <= (PIECES_BUFFER_LEN + PIECE_LEN_MAX) as u64));
}

/// `PIECES_CACHE_LEN`: however many keys, indexes and filters are read, no more of them is kept.
#[test]
fn the_cache_is_bounded() {
    let opened = Opened::new();
    for data in 0..40_000 {
        let mut batch = WriteBatch::default();
        for part in 0..2 {
            let note = Note::of(&[], 0, Place::Row).unwrap();
            batch.put(row(NOTES, &key(data, part)), note.encoded());
            batch.put(row(BYTES, &key(data, part)), [7; 60]);
        }
        opened.pieces.store.db.write(batch).unwrap();
    }
    opened.flush();
    let mut most = 0;
    for data in 0..40_000 {
        // Found, and damaged: there is no such piece.
        opened.pieces.get(&key(data, 0)).unwrap_err();
        most = most.max(opened.number("rocksdb.block-cache-usage"));
    }
    assert!(most <= PIECES_CACHE_LEN as u64, "{most}");
    assert!(most > PIECES_CACHE_LEN as u64 / 2, "{most}: it was never full");
}

/// `PIECES_OPEN_FILES_MAX`: with more files than that, all of them are read, and no more are open.
#[cfg(target_os = "linux")]
#[test]
fn few_files_are_open() {
    let opened = Opened::new();
    let count = PIECES_OPEN_FILES_MAX as u32 + 44;
    for part in 0..count {
        opened.put(1, part, PIECES_BLOB_LEN_MIN as usize);
        opened.flush();
    }
    assert!(opened.blob_files().len() > PIECES_OPEN_FILES_MAX as usize);
    for part in 0..count {
        assert!(opened.pieces.get(&key(1, part)).unwrap().is_some());
    }
    let folder = opened.folder.path().canonicalize().unwrap();
    let open = fs::read_dir("/proc/self/fd").unwrap().filter_map(|file| {
        let path = fs::read_link(file.ok()?.path()).ok()?;
        path.starts_with(&folder).then_some(path)
    });
    let open = open.count();
    assert!(open <= PIECES_OPEN_FILES_MAX as usize, "{open}");
    assert!(open > PIECES_OPEN_FILES_MAX as usize / 2, "{open}: it was never reached");
}

/// `PIECES_RECLAIM_LEN`: below it nothing wakes who gives room back; with the piece that reaches it, that begins.
#[test]
fn room_comes_back_after_so_much() {
    let opened = Opened::new();
    let count = (PIECES_RECLAIM_LEN / PIECE_LEN_MAX as u64) as i64;
    (0..count).for_each(|data| opened.put(data, 0, PIECE_LEN_MAX));
    let deleted = || opened.pieces.store.deleted.load(Ordering::Relaxed);
    for data in 1..count {
        opened.pieces.delete(DataId(data)).unwrap();
        assert_eq!(deleted(), data as u64 * PIECE_LEN_MAX as u64);
    }
    // Not even later.
    drop(opened.pieces.store.sweeping.lock().unwrap());
    assert_eq!(deleted(), PIECES_RECLAIM_LEN - PIECE_LEN_MAX as u64);
    opened.pieces.delete(DataId(0)).unwrap();
    let done = (0..6000).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        deleted() == 0
    });
    assert!(done, "it does not begin");
}

/// `PIECES_FILE_LEN_MAX`, in small: a sweep makes no longer file of the files that it puts together.
#[test]
fn sweeps_write_short_files() {
    const { assert!(PIECES_FILE_LEN_MAX > PIECES_BUFFER_LEN as u64) };
    const LEN: usize = PIECE_LEN_MAX / 4;
    // With what a file has before each piece, which is less than a hundred bytes.
    let four = 4 * LEN as u64;
    for (max, count) in [(four, 10), (four + 400, 8), (PIECES_FILE_LEN_MAX, 1)] {
        let opened = Opened::with(max);
        for part in 0..40 {
            opened.put(1, part, LEN);
            opened.put(2, part, LEN);
        }
        opened.pieces.delete(DataId(2)).unwrap();
        opened.pieces.compact().unwrap();
        assert_eq!(opened.pieces.disk().unwrap().garbage_len, 0);
        assert_eq!(opened.number("rocksdb.num-blob-files"), count, "{max}");
    }
}

fn put_large(opened: &Opened, large: &[(PieceKey, Bytes)]) {
    let large: Vec<_> = large.iter().map(|(key, bytes)| (*key, bytes.clone().into())).collect();
    opened.pieces.put_large(&large).unwrap();
}

/// `LARGE_PIECE_LEN_MIN`: shorter pieces lie with those of short files, and a file of them alone has no other.
#[test]
fn short_pieces_of_large_files_lie_in_rows() {
    let opened = Opened::new();
    let piece = |part, len| (key(1, part), Bytes::from(vec![part as u8; len]));
    put_large(&opened, &[piece(0, LARGE_PIECE_LEN_MIN - 1)]);
    assert_eq!(large_files(&opened), []);
    put_large(&opened, &[piece(1, LARGE_PIECE_LEN_MIN), piece(2, 10)]);
    let end = PIECE_LEN_MAX + LARGE_PIECE_LEN_MIN;
    assert_eq!(large_files(&opened), [("0000000000000001".to_owned(), end as u64)]);
    assert_eq!(opened.pieces.get(&key(1, 2)).unwrap().unwrap(), vec![2; 10]);
    // Nothing of them goes through a blob file.
    opened.flush();
    assert!(opened.pieces.disk().unwrap().len < 2 * LARGE_PIECE_LEN_MIN as u64);
}

/// With the last piece that is in it a large file goes, and with its data; what others write is left alone.
#[test]
fn large_files_leave_the_disk() {
    let opened = Opened::new();
    let piece = |data, part| (key(data, part), Bytes::from(vec![7; LARGE_PIECE_LEN_MIN]));
    put_large(&opened, &[piece(1, 0), piece(1, 1), piece(2, 0), piece(-1, 9)]);
    let names = || large_files(&opened).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    let name = |data: i64| format!("{data:016x}");
    assert_eq!(names(), [name(1), name(2), name(-1)]);
    opened.pieces.delete_piece(&key(1, 0)).unwrap();
    assert_eq!(names(), [name(1), name(2), name(-1)]);
    let mut taken = opened.pieces.store.large.none_taken();
    assert!(taken.take((DataId(1), 5)));
    opened.pieces.delete_piece(&key(1, 1)).unwrap();
    assert_eq!(names(), [name(1), name(2), name(-1)], "somebody writes it");
    drop(taken);
    put_large(&opened, &[piece(1, 1)]);
    opened.pieces.delete_piece(&key(1, 1)).unwrap();
    assert_eq!(names(), [name(2), name(-1)]);
    opened.pieces.delete(DataId(-1)).unwrap();
    assert_eq!(names(), [name(2)]);
    // A crash between both halves of a deletion left the notes, or a file without notes.
    fs::remove_file(opened.folder.path().join("large").join(name(2))).unwrap();
    fs::write(opened.folder.path().join("large").join(name(3)), [7; 5000]).unwrap();
    assert_eq!(opened.pieces.get(&key(2, 0)).unwrap(), None);
    opened.pieces.delete(DataId(2)).unwrap();
    opened.pieces.delete(DataId(3)).unwrap();
    assert_eq!(names(), Vec::<String>::new());
    assert_eq!(opened.pieces.keys(&key(i64::MIN, 0), 10).unwrap(), []);
}

/// What a crash left without a note goes when the store is opened; what has one stays.
#[test]
fn bytes_without_notes_go_at_the_start() {
    let opened = Opened::new();
    let piece = (key(-7, 1), Bytes::from(vec![7; LARGE_PIECE_LEN_MIN]));
    put_large(&opened, std::slice::from_ref(&piece));
    opened.put(5, 0, 10);
    let Opened { pieces, folder } = opened;
    drop(pieces);
    for data in [5_i64, 6, -8] {
        fs::write(folder.path().join("large").join(format!("{data:016x}")), [7; 5000]).unwrap();
    }
    let pieces = RocksPieces::open(folder.path()).unwrap();
    let opened = Opened { pieces, folder };
    let files = large_files(&opened);
    assert_eq!(files.iter().map(|(name, _)| &**name).collect::<Vec<_>>(), ["fffffffffffffff9"]);
    assert_eq!(opened.pieces.get(&piece.0).unwrap(), Some(piece.1));
    assert_eq!(opened.pieces.keys(&key(i64::MIN, 0), 10).unwrap(), [piece.0, key(5, 0)]);
}

/// A file that somebody put something into while it was looked at stays.
#[test]
fn large_files_in_use_stay() {
    let opened = Opened::new();
    let piece = |part| (key(1, part), Bytes::from(vec![part as u8; LARGE_PIECE_LEN_MIN]));
    put_large(&opened, &[piece(0), piece(1)]);
    opened.pieces.store.remove_unused(DataId(1)).unwrap();
    opened.pieces.delete_piece(&key(1, 0)).unwrap();
    assert_eq!(opened.pieces.get(&key(1, 1)).unwrap(), Some(piece(1).1));
}

/// A piece whose slot was another's when it came, and that comes again, lies in one place only.
#[test]
fn a_piece_lies_in_one_place() {
    let opened = Opened::new();
    let piece = (key(1, 0), Bytes::from(vec![7; LARGE_PIECE_LEN_MIN]));
    let mut taken = opened.pieces.store.large.none_taken();
    assert!(taken.take((DataId(1), 0)));
    put_large(&opened, std::slice::from_ref(&piece));
    assert_eq!(large_files(&opened), []);
    drop(taken);
    put_large(&opened, std::slice::from_ref(&piece));
    assert_eq!(large_files(&opened).len(), 1);
    assert_eq!(opened.pieces.store.db.get(row(BYTES, &piece.0)).unwrap(), None);
    assert_eq!(opened.pieces.get(&piece.0).unwrap(), Some(piece.1));
}

/// A piece that came before is not written again, so that what is durable stays so; what lies in a slot without a note
/// is written over.
#[test]
fn slots_are_written_once() {
    let opened = Opened::new();
    let (one, other) = (vec![1; PIECE_LEN_MAX], vec![2; PIECE_LEN_MAX]);
    let put = |check: u8, bytes: &[u8]| {
        let key = PieceKey { check: [check; 8], ..key(1, 0) };
        put_large(&opened, &[(key, Bytes::copy_from_slice(bytes))]);
        assert!(opened.pieces.get(&key).unwrap().unwrap() == bytes);
    };
    let path = opened.folder.path().join("large").join("0000000000000001");
    put(1, &one);
    let written = fs::metadata(&path).unwrap().modified().unwrap();
    put(1, &one);
    put(2, &other);
    put(1, &other);
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), written);
    assert!(fs::read(&path).unwrap() == one);
    opened.pieces.delete(DataId(1)).unwrap();
    fs::write(&path, vec![9; 3 * PIECE_LEN_MAX]).unwrap();
    put(2, &other);
    assert!(fs::read(&path).unwrap()[..PIECE_LEN_MAX] == other);
}

/// A piece whose bytes are there no more, or not as they were, is written again when it comes again.
#[test]
fn what_was_lost_is_written_again() {
    let opened = Opened::new();
    let piece = |part| (key(1, part), Bytes::from(vec![part as u8 + 1; PIECE_LEN_MAX]));
    put_large(&opened, &[piece(0), piece(1)]);
    let path = opened.folder.path().join("large").join("0000000000000001");
    fs::remove_file(&path).unwrap();
    put_large(&opened, &[piece(0)]);
    assert_eq!(opened.pieces.get(&key(1, 0)).unwrap(), Some(piece(0).1));
    assert_eq!(opened.pieces.get(&key(1, 1)).ok().flatten(), None, "it did not come again");
    fs::write(&path, vec![9; 2 * PIECE_LEN_MAX]).unwrap();
    opened.pieces.get(&key(1, 1)).unwrap_err();
    put_large(&opened, &[piece(1)]);
    assert_eq!(opened.pieces.get(&key(1, 1)).unwrap(), Some(piece(1).1));
}
