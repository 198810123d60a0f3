//! The bytes of large files: in a file for each data, past RocksDB.
//!
//! ```text
//! large/<data, 16 hex digits>    slot 0 │ slot 1 │ slot 2 │ …        a slot for each part, 512 KiB apart
//! ```
//!
//! Slots that are not full, or not written, take no room: the file has holes there. Which slots hold what is told by the notes
//! of [`super`], which are written once the bytes are durable; so whatever else a slot holds is nobody's, and is written over.
//!
//! Bytes go past the system's cache where the file system lets them (`O_DIRECT`): they are written once, are not read
//! soon, and copying 512 KiB into that cache takes as long as hashing them.

use std::{
    collections::HashSet,
    fs::{self, File, OpenOptions},
    io::{self, IoSlice},
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;

use crate::{
    Error,
    ids::DataId,
    limits::{LARGE_ADDRESS_ALIGNMENT, LARGE_BUFFERS_KEPT_MAX, PIECE_LEN_MAX},
};

/// What lengths and offsets are multiples of where bytes go past the system's cache.
const ALIGNMENT: usize = 4096;

/// Which part of which data.
pub(super) type Slot = (DataId, u32);

/// What is to be written into a slot.
#[derive(Clone, Copy)]
pub(super) struct Piece<'b> {
    pub(super) slot: Slot,
    pub(super) bytes: &'b [u8],
}

/// A folder of them.
pub(super) struct LargeFiles {
    folder: PathBuf,
    /// Whether bytes go past the system's cache.
    direct: bool,
    buffers: Arc<Buffers>,
    /// Slots that are being written.
    taken: Mutex<HashSet<Slot>>,
    /// Held by the one that creates a file.
    creating: Mutex<()>,
}

/// Slots that only one may write, until this is dropped.
pub(super) struct Taken<'f> {
    files: &'f LargeFiles,
    slots: Vec<Slot>,
}

impl Taken<'_> {
    /// Takes another one; false if somebody has it.
    pub(super) fn take(&mut self, slot: Slot) -> bool {
        let is_free = lock(&self.files.taken).insert(slot);
        if is_free {
            self.slots.push(slot);
        }
        is_free
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let mut taken = lock(&self.files.taken);
        for slot in &self.slots {
            taken.remove(slot);
        }
    }
}

impl LargeFiles {
    /// In `folder`, which is created.
    pub(super) fn open(folder: PathBuf) -> Result<Self, Error> {
        let open = || {
            fs::create_dir_all(&folder)?;
            if let Some(parent) = folder.parent() {
                File::open(parent)?.sync_all()?;
            }
            let direct = can_write_direct(&folder);
            // From here on each file that is there has a name that is durable.
            File::open(&folder)?.sync_all()?;
            Ok(direct)
        };
        let direct = open().map_err(|error: io::Error| Error::Unwritable {
            path: folder.clone(),
            reason: error.to_string(),
        })?;
        let (buffers, taken, creating) = Default::default();
        Ok(Self { folder, direct, buffers, taken, creating })
    }

    /// No slots yet, for somebody who is about to write some.
    pub(super) fn none_taken(&self) -> Taken<'_> {
        Taken { files: self, slots: Vec::new() }
    }

    /// Writes bytes into slots; they are durable when this returns.
    pub(super) fn write(&self, pieces: &[Piece<'_>]) -> Result<(), Error> {
        self.write_pieces(pieces).map_err(|error| failed("write a large file", &error))
    }

    fn write_pieces(&self, pieces: &[Piece<'_>]) -> io::Result<()> {
        let mut pieces = pieces.to_vec();
        pieces.sort_unstable_by_key(|piece| piece.slot);
        let mut files = Vec::new();
        for of_data in pieces.chunk_by(|one, next| one.slot.0 == next.slot.0) {
            let [Piece { slot: (data, _), .. }, ..] = of_data else { continue };
            let file = self.file(*data)?;
            for run in of_data.chunk_by(|one, next| self.is_run(one, next)) {
                self.write_run(&file, run)?;
            }
            files.push(file);
        }
        files.iter().try_for_each(File::sync_data)
    }

    /// Whether one write takes both: they lie one behind the other, and none has to be copied.
    fn is_run(&self, one: &Piece<'_>, next: &Piece<'_>) -> bool {
        let follows = one.bytes.len() == PIECE_LEN_MAX && one.slot.1 + 1 == next.slot.1;
        follows && self.goes_as_it_is(one.bytes) && self.goes_as_it_is(next.bytes)
    }

    fn goes_as_it_is(&self, bytes: &[u8]) -> bool {
        let is_aligned = bytes.as_ptr().align_offset(LARGE_ADDRESS_ALIGNMENT) == 0
            && bytes.len().is_multiple_of(ALIGNMENT);
        is_aligned || !self.direct
    }

    fn write_run(&self, file: &File, run: &[Piece<'_>]) -> io::Result<()> {
        if let [first, _, ..] = run {
            let slices: Vec<_> = run.iter().map(|piece| IoSlice::new(piece.bytes)).collect();
            let at = offset(first.slot.1);
            let written = rustix::io::retry_on_intr(|| rustix::io::pwritev(file, &slices, at))?;
            if written == slices.iter().map(|slice| slice.len()).sum::<usize>() {
                return Ok(());
            }
        }
        run.iter().try_for_each(|piece| {
            let (bytes, at) = (piece.bytes, offset(piece.slot.1));
            if self.goes_as_it_is(bytes) {
                return file.write_all_at(bytes, at);
            }
            let mut buffer = Buffers::lend(&self.buffers, bytes.len());
            buffer.fill(bytes);
            file.write_all_at(buffer.aligned(), at)
        })
    }

    /// A file to write to, whose name is durable.
    fn file(&self, data: DataId) -> io::Result<File> {
        let path = self.path(data);
        let mut options = options(self.direct);
        options.write(true);
        // Until its name is durable nobody else takes it for a file that is there.
        let _creating = lock(&self.creating);
        match options.open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let file = options.create(true).open(&path)?;
                if let Err(error) = self.sync_folder() {
                    fs::remove_file(&path)?;
                    return Err(error);
                }
                Ok(file)
            }
            opened => opened,
        }
    }

    /// The first `len` bytes of a slot, fewer at the file's end; `None` if there is no such file.
    pub(super) fn read(&self, (data, part): Slot, len: usize) -> Result<Option<Bytes>, Error> {
        let read = || -> io::Result<Bytes> {
            let file = options(self.direct).read(true).open(self.path(data))?;
            let mut buffer = Buffers::lend(&self.buffers, len);
            let mut read = 0;
            while read < len {
                let from = if self.direct { read - read % ALIGNMENT } else { read };
                let room = &mut buffer.aligned_mut()[from..];
                match file.read_at(room, offset(part) + from as u64) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    // The end of the file.
                    Ok(more) if from + more <= read => break,
                    more => read = from + more?,
                }
            }
            Ok(Bytes::from_owner(buffer).slice(..read.min(len)))
        };
        match read() {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("read a large file", &error)),
        }
    }

    /// Removes the file of `data`, if there is one, for good.
    pub(super) fn remove(&self, data: DataId) -> Result<(), Error> {
        let removed = match fs::remove_file(self.path(data)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed.and_then(|()| self.sync_folder()),
        };
        removed.map_err(|error| failed("remove a large file", &error))
    }

    /// The same, if none of its slots is being written, and none holds anything.
    pub(super) fn remove_unless(
        &self,
        data: DataId,
        is_used: impl FnOnce() -> Result<bool, Error>,
    ) -> Result<(), Error> {
        // A slot is free after its note was written, and whoever takes one now creates the file anew.
        let taken = lock(&self.taken);
        if taken.iter().any(|(of, _)| *of == data) || is_used()? {
            return Ok(());
        }
        self.remove(data)
    }

    /// Whose files there are.
    pub(super) fn datas(&self) -> Result<Vec<DataId>, Error> {
        let list = || {
            let mut datas = Vec::new();
            for file in fs::read_dir(&self.folder)? {
                let name = file?.file_name();
                let number = name.to_str().and_then(|name| u64::from_str_radix(name, 16).ok());
                datas.extend(number.map(|number| DataId(number.cast_signed())));
            }
            Ok(datas)
        };
        list().map_err(|error| failed("list large files", &error))
    }

    fn sync_folder(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
    }

    fn path(&self, data: DataId) -> PathBuf {
        self.folder.join(format!("{:016x}", data.0))
    }
}

fn offset(part: u32) -> u64 {
    u64::from(part) * PIECE_LEN_MAX as u64
}

fn options(direct: bool) -> OpenOptions {
    #[cfg(target_os = "linux")]
    const DIRECT: i32 = rustix::fs::OFlags::DIRECT.bits().cast_signed();
    #[cfg(not(target_os = "linux"))]
    const DIRECT: i32 = 0;
    let mut options = OpenOptions::new();
    options.custom_flags(if direct { DIRECT } else { 0 });
    options
}

/// Whether the file system lets bytes past the system's cache. Some say so only when they are written.
fn can_write_direct(folder: &Path) -> bool {
    let path = folder.join("write.probe");
    let write = || {
        let file = options(true).write(true).create(true).open(&path)?;
        // From an address that is aligned no better than has to be.
        let buffer = vec![0; 2 * ALIGNMENT + LARGE_ADDRESS_ALIGNMENT];
        let start = buffer.as_ptr().align_offset(ALIGNMENT) + LARGE_ADDRESS_ALIGNMENT;
        file.write_all_at(&buffer[start..][..ALIGNMENT], 0)
    };
    let written: io::Result<()> = write();
    cfg!(target_os = "linux") && fs::remove_file(&path).is_ok() && written.is_ok()
}

/// Buffers for the longest pieces, for those to come: the system would clear their pages anew each time.
#[derive(Default)]
struct Buffers(Mutex<Vec<Vec<u8>>>);

impl Buffers {
    /// One for `len` bytes.
    fn lend(buffers: &Arc<Self>, len: usize) -> Buffer {
        let aligned_len = len.next_multiple_of(ALIGNMENT);
        let kept = if aligned_len == PIECE_LEN_MAX { lock(&buffers.0).pop() } else { None };
        let room = kept.unwrap_or_else(|| vec![0; aligned_len + ALIGNMENT]);
        Buffer {
            start: room.as_ptr().align_offset(ALIGNMENT),
            aligned_len,
            room,
            from: Arc::clone(buffers),
        }
    }
}

/// Room at an aligned address, of an aligned length.
struct Buffer {
    room: Vec<u8>,
    start: usize,
    aligned_len: usize,
    from: Arc<Buffers>,
}

impl Buffer {
    fn aligned(&self) -> &[u8] {
        &self.room[self.start..][..self.aligned_len]
    }

    fn aligned_mut(&mut self) -> &mut [u8] {
        &mut self.room[self.start..][..self.aligned_len]
    }

    /// These bytes, and zeros up to the aligned length.
    fn fill(&mut self, bytes: &[u8]) {
        let (front, rest) = self.aligned_mut().split_at_mut(bytes.len());
        front.copy_from_slice(bytes);
        rest.fill(0);
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        self.aligned()
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut kept = lock(&self.from.0);
        if self.aligned_len == PIECE_LEN_MAX && kept.len() < LARGE_BUFFERS_KEPT_MAX {
            kept.push(std::mem::take(&mut self.room));
        }
    }
}

fn failed(doing: &'static str, error: &io::Error) -> Error {
    let reason = error.to_string();
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Error::DiskFull { doing, reason }
        }
        _ => Error::Engine { doing, reason },
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened() -> (tempfile::TempDir, LargeFiles) {
        let folder = tempfile::tempdir().unwrap();
        let files = LargeFiles::open(folder.path().join("large")).unwrap();
        (folder, files)
    }

    /// Where the file system takes bytes past the system's cache and where it does not, what is written is read.
    #[test]
    fn both_ways_give_the_same() {
        for direct in [true, false] {
            let (_folder, mut files) = opened();
            files.direct &= direct;
            let bytes: Vec<u8> = (0..3 * PIECE_LEN_MAX).map(|at| (at % 251) as u8).collect();
            let cut = [0, 5, 4096, PIECE_LEN_MAX, PIECE_LEN_MAX + 1, 2 * PIECE_LEN_MAX];
            let pieces = cut.windows(2).zip(0..).map(|(ends, part)| Piece {
                slot: (DataId(1), part),
                bytes: &bytes[ends[0]..ends[1]],
            });
            let pieces: Vec<_> = pieces.collect();
            files.write(&pieces).unwrap();
            for Piece { slot, bytes } in pieces {
                assert!(files.read(slot, bytes.len()).unwrap().unwrap() == bytes, "{slot:?}");
            }
            assert_eq!(files.read((DataId(2), 0), 1).unwrap(), None);
            // Behind the end there is nothing; a file that was cut off has fewer bytes.
            assert_eq!(files.read((DataId(1), 9), 10).unwrap().unwrap(), [0; 0][..]);
            let file = OpenOptions::new().write(true).open(files.path(DataId(1))).unwrap();
            file.set_len(offset(3) + 1000).unwrap();
            assert_eq!(files.read((DataId(1), 3), 5000).unwrap().unwrap().len(), 1000);
        }
    }

    /// `LARGE_ADDRESS_ALIGNMENT`: only what lies at such an address, and is as long as it has to be, goes as it is.
    #[test]
    fn what_is_aligned_is_not_copied() {
        let (_folder, mut files) = opened();
        let room = vec![0_u8; 4 * ALIGNMENT];
        let aligned = &room[room.as_ptr().align_offset(ALIGNMENT)..];
        for direct in [true, false] {
            files.direct = direct;
            for (at, len, fits) in [
                (0, ALIGNMENT, true),
                (LARGE_ADDRESS_ALIGNMENT, 2 * ALIGNMENT, true),
                (LARGE_ADDRESS_ALIGNMENT / 2, ALIGNMENT, false),
                (LARGE_ADDRESS_ALIGNMENT, ALIGNMENT + LARGE_ADDRESS_ALIGNMENT, false),
            ] {
                let is_ready = files.goes_as_it_is(&aligned[at..][..len]);
                assert_eq!(is_ready, fits || !direct, "{len} at {at}");
            }
        }
    }

    /// What fills a piece up to an aligned length is nothing that a buffer had before.
    #[test]
    fn nothing_of_others_is_written() {
        let (_folder, files) = opened();
        let mut used = Buffers::lend(&files.buffers, PIECE_LEN_MAX);
        used.fill(&[7; PIECE_LEN_MAX]);
        drop(used);
        let bytes = [1; PIECE_LEN_MAX - 10];
        files.write(&[Piece { slot: (DataId(1), 0), bytes: &bytes }]).unwrap();
        let written = fs::read(files.path(DataId(1))).unwrap();
        assert!(written[..bytes.len()] == bytes);
        assert!(written[bytes.len()..].iter().all(|byte| *byte == 0));
    }

    /// `LARGE_BUFFERS_KEPT_MAX`: so many wait for the next pieces, of the greatest length alone.
    #[test]
    fn few_buffers_are_kept() {
        let (_folder, files) = opened();
        let kept = || lock(&files.buffers.0).len();
        drop(Buffers::lend(&files.buffers, PIECE_LEN_MAX - ALIGNMENT));
        assert_eq!(kept(), 0);
        let lend = |_| Buffers::lend(&files.buffers, PIECE_LEN_MAX);
        for count in [1, LARGE_BUFFERS_KEPT_MAX, LARGE_BUFFERS_KEPT_MAX + 1] {
            let lent: Vec<_> = (0..count).map(lend).collect();
            assert_eq!(kept(), 0);
            drop(lent);
            assert_eq!(kept(), count.min(LARGE_BUFFERS_KEPT_MAX));
        }
    }

    /// A full disk is told as such.
    #[test]
    fn errors_tell_of_a_full_disk() {
        let error = io::Error::from(io::ErrorKind::StorageFull);
        assert!(failed("write", &error).is_disk_full());
        let error = io::Error::from(io::ErrorKind::PermissionDenied);
        assert!(!failed("write", &error).is_disk_full());
    }
}
