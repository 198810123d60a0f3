//! Pieces on disk: what was acknowledged is there after anything, what was deleted leaves the disk, and memory stays flat.
#![cfg(feature = "rocks")]
#![expect(clippy::disallowed_methods, reason = "a real disk is waited for")]

use std::{
    env, fs,
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command},
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use storage::{
    DataId, Error,
    blobs::{PieceKey, Pieces as _, RocksPieces, suite},
};

/// What tells a child process of these tests what to do, and where.
const TASK: &str = "BAUDOT_TEST_PIECES";

fn key(data: i64, part: u32) -> PieceKey {
    PieceKey { data: DataId(data), part, check: [7; 8] }
}

/// The piece of a key: bytes that no other key has, and that do not compress.
fn piece(key: &PieceKey, len: usize) -> Vec<u8> {
    let mut state = key.data.0.cast_unsigned() ^ u64::from(key.part) << 32 ^ 0x9e37_79b9_7f4a_7c15;
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(len);
    bytes
}

fn fill(pieces: &RocksPieces, data: i64, count: u32, len: usize) {
    for part in 0..count {
        pieces.put(&key(data, part), &piece(&key(data, part), len)).unwrap();
    }
}

#[track_caller]
fn check(pieces: &RocksPieces, data: i64, count: u32, len: usize) {
    for part in 0..count {
        let found = pieces.get(&key(data, part)).unwrap();
        assert!(found.as_deref() == Some(&*piece(&key(data, part), len)), "{data} {part}");
    }
}

fn blob_files(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|ending| ending == "blob")).collect()
}

fn len_on_disk(folder: &Path) -> u64 {
    // A file may go between being listed and being looked at.
    blob_files(folder).iter().filter_map(|path| path.metadata().ok()).map(|file| file.len()).sum()
}

#[test]
fn passes_the_suite() {
    let folder = tempfile::tempdir().unwrap();
    let pieces = RocksPieces::open(folder.path()).unwrap();
    suite::run(&pieces);
    pieces.compact().unwrap();
    suite::run(&pieces);
}

#[test]
fn what_was_written_is_there_after_opening_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("not").join("there");
    // The last few are in the log alone, the others in blob files.
    for (round, count) in [(1, 3), (2, 20), (3, 0)] {
        let pieces = RocksPieces::open(&path).unwrap();
        fill(&pieces, round, count, 512 << 10);
        check(&pieces, 1, 3, 512 << 10);
        check(&pieces, 2, if round == 1 { 0 } else { 20 }, 512 << 10);
    }
}

#[test]
fn errors_of_opening_say_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let pieces = RocksPieces::open(folder.path()).unwrap();
    let error = RocksPieces::open(folder.path()).err().unwrap();
    assert!(matches!(error, Error::Locked { .. }), "{error}");
    drop(pieces);
    // A file where the folder should be: root may write anywhere, so that rights cannot be tested by it.
    let file = folder.path().join("file");
    fs::write(&file, []).unwrap();
    let error = RocksPieces::open(&file).err().unwrap();
    assert!(matches!(error, Error::Unwritable { .. }), "{error}");
}

#[test]
fn too_long_pieces_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let pieces = RocksPieces::open(folder.path()).unwrap();
    let error = pieces.put(&key(1, 1), &vec![0; (512 << 10) + 1]).unwrap_err();
    assert_eq!(error, Error::TooLong { len: (512 << 10) + 1 });
}

/// One flipped byte in a blob file is an error of the piece that has it, and of no other. Keys are listed without a look at
/// any piece.
#[test]
fn a_flipped_byte_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let pieces = RocksPieces::open(folder.path()).unwrap();
    fill(&pieces, 1, 4, 100_000);
    pieces.compact().unwrap();
    drop(pieces);

    let files = blob_files(folder.path());
    let [file] = &*files else { panic!("{files:?}") };
    let content = fs::read(file).unwrap();
    let wanted = &piece(&key(1, 2), 100_000)[5000..5032];
    let at = content.windows(32).position(|window| window == wanted).unwrap();
    let mut file = fs::OpenOptions::new().read(true).write(true).open(file).unwrap();
    let mut byte = [0];
    file.seek(SeekFrom::Start(at as u64)).unwrap();
    file.read_exact(&mut byte).unwrap();
    file.seek(SeekFrom::Start(at as u64)).unwrap();
    file.write_all(&[byte[0] ^ 1]).unwrap();
    drop(file);

    let pieces = RocksPieces::open(folder.path()).unwrap();
    check(&pieces, 1, 2, 100_000);
    let error = pieces.get(&key(1, 2)).unwrap_err();
    assert!(error.is_corrupt_bytes(), "{error}");
    assert_eq!(pieces.get(&key(1, 3)).unwrap().unwrap(), piece(&key(1, 3), 100_000));
    let keys = pieces.keys(&key(i64::MIN, 0), 10).unwrap();
    assert_eq!(keys, [0, 1, 2, 3].map(|part| key(1, part)));
    // Deleting reads no bytes either.
    pieces.delete(DataId(1)).unwrap();
    assert_eq!(pieces.keys(&key(i64::MIN, 0), 10).unwrap(), []);
}

/// The same in a large file.
#[test]
fn a_flipped_byte_of_a_large_file_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let pieces = RocksPieces::open(folder.path()).unwrap();
    let keyed =
        [0, 1, 2].map(|part| (key(1, part), Bytes::from(piece(&key(1, part), 512 << 10)).into()));
    pieces.put_large(&keyed).unwrap();
    drop(pieces);
    let file = folder.path().join("large").join("0000000000000001");
    let mut file = fs::OpenOptions::new().read(true).write(true).open(file).unwrap();
    let (at, mut byte) = (SeekFrom::Start((512 << 10) + 70_000), [0]);
    file.seek(at).unwrap();
    file.read_exact(&mut byte).unwrap();
    file.seek(at).unwrap();
    file.write_all(&[byte[0] ^ 1]).unwrap();
    drop(file);
    let pieces = RocksPieces::open(folder.path()).unwrap();
    let error = pieces.get(&key(1, 1)).unwrap_err();
    assert!(error.is_corrupt_bytes(), "{error}");
    for part in [0, 2] {
        assert!(pieces.get(&key(1, part)).unwrap().unwrap() == piece(&key(1, part), 512 << 10));
    }
}

/// Listing keys reads no blob file: it works while all of them are gone.
#[test]
fn keys_need_no_blob_files() {
    let folder = tempfile::tempdir().unwrap();
    let pieces = RocksPieces::open(folder.path()).unwrap();
    fill(&pieces, 1, 30, 512 << 10);
    let files = blob_files(folder.path());
    assert!(!files.is_empty());
    for file in files {
        fs::remove_file(file).unwrap();
    }
    assert_eq!(pieces.keys(&key(i64::MIN, 0), 100).unwrap().len(), 30);
}

/// Deleted bytes leave the disk: whole files, and files that have something live in between.
#[test]
fn deleted_bytes_leave_the_disk() {
    const LEN: usize = 64 << 10;
    let folder = tempfile::tempdir().unwrap();
    let pieces = RocksPieces::open(folder.path()).unwrap();
    // A datum that goes lies beside one that stays, so that each file has some of both.
    for part in 0..300 {
        for data in [1, 2, 3, 4] {
            let key = key(data, part);
            pieces.put(&key, &piece(&key, LEN)).unwrap();
        }
    }
    for data in [1, 2, 3] {
        pieces.delete(DataId(data)).unwrap();
    }
    pieces.compact().unwrap();
    check(&pieces, 4, 300, LEN);
    let disk = pieces.disk().unwrap();
    let live = 300 * LEN as u64;
    assert!(disk.garbage_len == 0 && disk.len >= live && disk.len < live * 11 / 10, "{disk:?}");
    wait_for(|| len_on_disk(folder.path()) < live * 11 / 10);
    pieces.delete(DataId(4)).unwrap();
    pieces.compact().unwrap();
    wait_for(|| blob_files(folder.path()).is_empty());
}

/// Nobody has to ask for it: after enough deletions the room comes back.
#[test]
fn room_comes_back_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let pieces = RocksPieces::open(folder.path()).unwrap();
    fill(&pieces, 1, 160, 512 << 10);
    fill(&pieces, 2, 10, 512 << 10);
    assert!(len_on_disk(folder.path()) > 60 << 20);
    pieces.delete(DataId(1)).unwrap();
    wait_for(|| len_on_disk(folder.path()) < 10 << 20);
    check(&pieces, 2, 10, 512 << 10);
}

fn wait_for(mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it does not come to pass");
        thread::sleep(Duration::from_millis(20));
    }
}

fn start(task: &str, folder: &Path) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["child", "--exact", "--nocapture", "--test-threads=1"])
        .env(TASK, format!("{task}={}", folder.display()))
        .spawn()
        .unwrap()
}

/// What child processes do; nothing when it runs among the tests.
#[test]
fn child() {
    let Ok(task) = env::var(TASK) else { return };
    match task.split_once('=') {
        Some(("write", folder)) => write_until_killed(Path::new(folder)),
        Some(("peak", folder)) => write_much(Path::new(folder)),
        _ => panic!("{task}"),
    }
}

fn write_until_killed(folder: &Path) {
    let pieces = RocksPieces::open(&folder.join("pieces")).unwrap();
    let acknowledged = fs::File::create(folder.join("acknowledged")).unwrap();
    thread::scope(|scope| {
        for data in 0..5 {
            let (pieces, mut acknowledged) = (&pieces, &acknowledged);
            scope.spawn(move || {
                for part in 0.. {
                    let key = key(data, part);
                    let bytes = piece(&key, 300_000);
                    // Short files, and large ones.
                    match data {
                        0..3 => pieces.put(&key, &bytes).unwrap(),
                        _ => pieces.put_large(&[(key, Bytes::from(bytes).into())]).unwrap(),
                    }
                    acknowledged.write_all(format!("{data} {part}\n").as_bytes()).unwrap();
                }
            });
        }
    });
}

/// `kill -9` at any moment: each piece that was acknowledged is whole, and the store opens and takes more.
#[test]
fn what_was_acknowledged_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let acknowledged = folder.path().join("acknowledged");
    for lines in [5, 60] {
        let mut child = start("write", folder.path());
        wait_for(|| {
            fs::read_to_string(&acknowledged).is_ok_and(|text| text.lines().count() >= lines)
        });
        child.kill().unwrap();
        child.wait().unwrap();
        let pieces = RocksPieces::open(&folder.path().join("pieces")).unwrap();
        let text = fs::read_to_string(&acknowledged).unwrap();
        for line in text.lines() {
            let (data, part) = line.split_once(' ').unwrap();
            let key = key(data.parse().unwrap(), part.parse().unwrap());
            assert!(pieces.get(&key).unwrap().unwrap() == piece(&key, 300_000), "{line}");
        }
        // What was under way is there as a whole or not at all.
        for key in pieces.keys(&key(i64::MIN, 0), usize::MAX).unwrap() {
            assert!(pieces.get(&key).unwrap().unwrap() == piece(&key, 300_000), "{key:?}");
        }
        fs::remove_file(&acknowledged).unwrap();
    }
}

/// The most memory that this process had, in bytes.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

fn write_much(folder: &Path) {
    const LEN: usize = 512 << 10;
    let pieces = RocksPieces::open(folder).unwrap();
    let put = |data: i64, count: u32| {
        thread::scope(|scope| {
            for data in [data, data + 1, data + 2, data + 3] {
                let pieces = &pieces;
                scope.spawn(move || {
                    for part in 0..count {
                        let key = key(data, part);
                        let bytes = piece(&key, LEN);
                        match data % 2 {
                            0 => pieces.put(&key, &bytes).unwrap(),
                            _ => pieces
                                .put_large(&[(key, Bytes::from(bytes.clone()).into())])
                                .unwrap(),
                        }
                        assert!(pieces.get(&key).unwrap().unwrap() == bytes);
                    }
                });
            }
        });
    };
    let before = peak();
    put(0, 2);
    let little = peak();
    put(10, 150);
    let much = peak();
    for data in 10..13 {
        pieces.delete(DataId(data)).unwrap();
    }
    pieces.compact().unwrap();
    let swept = peak();
    let text = format!("{before} {little} {much} {swept}");
    fs::write(folder.join("peak"), text).unwrap();
}

/// 300 MB from four threads take no more memory than 4 MB do, but for the buffers; nor does giving the room back.
#[test]
fn memory_stays_flat() {
    let folder = tempfile::tempdir().unwrap();
    let status = start("peak", folder.path()).wait().unwrap();
    assert!(status.success());
    let text = fs::read_to_string(folder.path().join("peak")).unwrap();
    let peaks: Vec<u64> = text.split(' ').map(|number| number.parse().unwrap()).collect();
    let [_, little, _, swept] = *peaks else { panic!("{text}") };
    assert!(swept - little < 20 << 20, "{text}");
}
