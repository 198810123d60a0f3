//! Blobs in an S3 store: each is one object, written once and never changed.
//!
//! ```text
//! {prefix}blobs/{first 2 digits of the blob}/{64 digits of the blob}.{16 digits of the data}
//! ```
//!
//! All digits are lower-case hexadecimal. The data is part of the name, so that a blob that is deleted and comes again has
//! another object, which a late deletion cannot hit.
//!
//! Calls block and run on threads of their own; never call them from asynchronous code. Each ends within a time that the
//! options give: requests that fail are repeated, with growing pauses, a few times.
//!
//! | module    | what it is                                          |
//! |-----------|-----------------------------------------------------|
//! | here      | objects: written, read, deleted, listed             |
//! | `options` | which store, as whom, and how patient to be with it |
//! | `faults`  | what goes wrong with a store in memory              |
//!
//! Deliberately absent: a look at uploads that a crash left unfinished. Stores drop them by a rule of the bucket
//! (`AbortIncompleteMultipartUpload`).

mod faults;
mod options;

use std::{future::Future, ops::Range, sync::Arc, time::Duration};

use bytes::Bytes;
use object_store::{
    MultipartUpload, ObjectStore, ObjectStoreExt as _, PutPayload, memory::InMemory, path::Path,
};
use tokio::{
    runtime::{Builder, Runtime},
    task::JoinSet,
    time::timeout,
};

pub use self::options::{Credentials, S3Options};
use crate::{
    Error,
    ids::{BlobId, DataId},
    limits::{
        REMOTE_PART_IN_MEMORY_COUNT, REMOTE_PART_LEN, REMOTE_REASON_LEN_MAX, REMOTE_THREAD_COUNT,
    },
};

/// An object of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Object {
    /// The blob that it holds.
    pub blob: BlobId,
    /// The upload that brought it.
    pub data: DataId,
    /// Its length, in bytes.
    pub len: u64,
}

/// The objects of a bucket that are blobs.
#[derive(Debug)]
pub struct Objects {
    store: Arc<dyn ObjectStore>,
    bucket: String,
    /// Ends with a slash unless it is empty.
    prefix: String,
    deadline: Duration,
    /// Of a store in memory.
    faults: Option<faults::Faults>,
    /// There until the drop.
    runtime: Option<Runtime>,
}

impl Drop for Objects {
    fn drop(&mut self) {
        // A drop of the runtime would wait for its threads, which asynchronous code must not.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Objects {
    /// Makes ready to talk to the store; no request is made, see [`Objects::probe`].
    ///
    /// The credentials come from the environment ([`Credentials::from_env`]), or from the machine's or container's
    /// own service.
    ///
    /// # Errors
    ///
    /// [`Error::Remote`] if the options make no sense, [`Error::Engine`] if there are no threads to be had.
    pub fn connect(options: &S3Options) -> Result<Self, Error> {
        // Without a key of its own, object_store looks where the environment points for one.
        Self::over(options::store(options, Credentials::from_env().as_ref())?, options)
    }

    /// As [`Objects::connect`], with other credentials.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn connect_as(options: &S3Options, credentials: &Credentials) -> Result<Self, Error> {
        Self::over(options::store(options, Some(credentials))?, options)
    }

    /// Objects in memory, for tests.
    ///
    /// # Errors
    ///
    /// [`Error::Engine`] if there are no threads to be had.
    pub fn in_memory() -> Result<Self, Error> {
        let mut objects = Self::over(Arc::new(InMemory::new()), &S3Options::default())?;
        objects.faults = Some(faults::Faults::default());
        Ok(objects)
    }

    /// Lets the next `count` requests to a store in memory fail.
    pub fn fail(&self, count: u64) {
        self.faults.iter().for_each(|faults| faults.fail(count));
    }

    /// Lets requests to a store in memory wait, or no longer.
    pub fn hold(&self, hold: bool) {
        self.faults.iter().for_each(|faults| faults.hold(hold));
    }

    /// How many requests to a store in memory wait.
    pub fn held(&self) -> usize {
        self.faults.as_ref().map_or(0, faults::Faults::held)
    }

    /// How many waited at most since they were told to.
    pub fn held_most(&self) -> usize {
        self.faults.as_ref().map_or(0, faults::Faults::held_most)
    }

    /// How many requests were made of a store in memory.
    pub fn requests(&self) -> u64 {
        self.faults.as_ref().map_or(0, faults::Faults::requests)
    }

    fn over(store: Arc<dyn ObjectStore>, options: &S3Options) -> Result<Self, Error> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(REMOTE_THREAD_COUNT)
            .thread_name("remote-store")
            .enable_all()
            .build();
        let runtime = runtime.map_err(|error| Error::Engine {
            doing: "start the threads of the remote store",
            reason: error.to_string(),
        })?;
        let prefix = options.prefix.trim_matches('/');
        let slash = if prefix.is_empty() { "" } else { "/" };
        Ok(Self {
            store,
            bucket: options.bucket.clone(),
            prefix: format!("{prefix}{slash}"),
            deadline: options.deadline(),
            faults: None,
            runtime: Some(runtime),
        })
    }

    /// Checks that the bucket is there, and can be listed and written.
    ///
    /// # Errors
    ///
    /// [`Error::Remote`].
    pub fn probe(&self) -> Result<(), Error> {
        let folder = self.path("blobs/00");
        let listed = self.run("list", &self.bucket, self.store.list_with_delimiter(Some(&folder)));
        listed?.ok_or_else(|| remote("list", &self.bucket, "there is no such bucket".into()))?;
        let path = self.path("probe");
        let written = self.run("write", path.as_ref(), self.store.put(&path, "probe".into()))?;
        written.ok_or_else(|| remote("write", &self.bucket, "there is no such bucket".into()))?;
        self.run("delete", path.as_ref(), self.store.delete(&path)).map(drop)
    }

    /// Writes a blob of `len` bytes, which `next_piece` gives in order, in pieces of any length, until it says `None`.
    ///
    /// The object is there when this returns, with its length checked; or not at all. At most
    /// [`REMOTE_PART_IN_MEMORY_COUNT`] parts are in memory.
    ///
    /// # Errors
    ///
    /// [`Error::Remote`]; [`Error::CorruptBytes`] if the pieces have another length; what `next_piece` fails with.
    pub fn put(
        &self,
        blob: BlobId,
        data: DataId,
        len: u64,
        next_piece: &mut dyn FnMut() -> Result<Option<Bytes>, Error>,
    ) -> Result<(), Error> {
        let path = self.path(&name(blob, data));
        let mut parts = Parts { next_piece, path: &path, rest: Bytes::new(), left: len };
        if len <= REMOTE_PART_LEN as u64 {
            let whole = parts.next()?.unwrap_or_default();
            parts.end()?;
            self.found("write", &path, self.store.put(&path, whole))?;
        } else {
            let mut upload = self.found("write", &path, self.store.put_multipart(&path))?;
            let sent = self
                .send(&mut *upload, &path, parts)
                .and_then(|()| self.found("complete", &path, upload.complete()));
            if let Err(error) = sent {
                // The first failure is what the caller wants to know; the parts are dropped by the bucket's rule at last.
                let _ = self.run("abort", path.as_ref(), upload.abort());
                return Err(error);
            }
        }
        let stored = self.found("look up", &path, self.store.head(&path))?.size;
        if stored != len {
            return Err(remote("write", path.as_ref(), format!("it has {stored} of {len} bytes")));
        }
        Ok(())
    }

    fn send(
        &self,
        upload: &mut dyn MultipartUpload,
        path: &Path,
        mut parts: Parts<'_>,
    ) -> Result<(), Error> {
        // What is under way is cancelled when this is dropped.
        let mut sending = JoinSet::new();
        loop {
            while sending.len() >= REMOTE_PART_IN_MEMORY_COUNT {
                self.sent(path, &mut sending)?;
            }
            let Some(part) = parts.next()? else { break };
            sending.spawn_on(upload.put_part(part), self.runtime().handle());
        }
        parts.end()?;
        while !sending.is_empty() {
            self.sent(path, &mut sending)?;
        }
        Ok(())
    }

    /// Waits for one of the parts that are under way.
    fn sent(
        &self,
        path: &Path,
        sending: &mut JoinSet<object_store::Result<()>>,
    ) -> Result<(), Error> {
        self.found("write a part of", path, async {
            match sending.join_next().await {
                Some(Ok(sent)) => sent,
                Some(Err(error)) => Err(error.into()),
                None => Ok(()),
            }
        })
    }

    /// The bytes of a blob in `range`, or `None` if there is no such object.
    ///
    /// They are those that the store gave: whoever knows the hashes checks them, see [`super::check_piece`].
    ///
    /// # Errors
    ///
    /// [`Error::Remote`], also if the object ends before the range does.
    pub fn read(
        &self,
        blob: BlobId,
        data: DataId,
        range: Range<u64>,
    ) -> Result<Option<Bytes>, Error> {
        if range.is_empty() {
            return Ok(Some(Bytes::new()));
        }
        let path = self.path(&name(blob, data));
        let len = range.end - range.start;
        let bytes = self.run("read", path.as_ref(), self.store.get_range(&path, range))?;
        match bytes {
            Some(bytes) if bytes.len() as u64 != len => {
                let reason = format!("it gave {} of {len} bytes", bytes.len());
                Err(remote("read", path.as_ref(), reason))
            }
            bytes => Ok(bytes),
        }
    }

    /// Deletes a blob's object. Nothing happens if there is none.
    ///
    /// # Errors
    ///
    /// [`Error::Remote`].
    pub fn delete(&self, blob: BlobId, data: DataId) -> Result<(), Error> {
        let path = self.path(&name(blob, data));
        self.run("delete", path.as_ref(), self.store.delete(&path)).map(drop)
    }

    /// The objects whose blobs begin with `first`, in order: a 256th of all. Other names are passed over.
    ///
    /// Cost: a request for each thousand, and about a hundred bytes of memory for each.
    ///
    /// # Errors
    ///
    /// [`Error::Remote`].
    pub fn list(&self, first: u8) -> Result<Vec<Object>, Error> {
        let folder = self.path(&format!("blobs/{first:02x}"));
        let listed =
            self.run("list", folder.as_ref(), self.store.list_with_delimiter(Some(&folder)))?;
        let listed = listed.map(|listed| listed.objects).unwrap_or_default();
        let mut objects: Vec<_> = listed
            .iter()
            .filter_map(|meta| {
                let (blob, data) = parse(meta.location.filename()?)?;
                Some(Object { blob, data, len: meta.size })
            })
            .collect();
        objects.sort_unstable();
        Ok(objects)
    }

    fn path(&self, name: &str) -> Path {
        Path::from(format!("{}{name}", self.prefix))
    }

    fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().expect("it is taken by the drop alone")
    }

    /// Waits for an answer; `None` if what was asked for is not there.
    fn run<T>(
        &self,
        doing: &'static str,
        name: &str,
        answer: impl Future<Output = object_store::Result<T>>,
    ) -> Result<Option<T>, Error> {
        if self.faults.as_ref().is_some_and(|faults| !faults.meet()) {
            return Err(remote(doing, name, "injected".into()));
        }
        match self.runtime().block_on(async { timeout(self.deadline, answer).await }) {
            Ok(Ok(answer)) => Ok(Some(answer)),
            Ok(Err(object_store::Error::NotFound { .. })) => Ok(None),
            Ok(Err(error)) => Err(failed(doing, name, &error)),
            Err(_) => {
                Err(remote(doing, name, format!("no answer in {} s", self.deadline.as_secs())))
            }
        }
    }

    /// As [`Objects::run`], for what must be there.
    fn found<T>(
        &self,
        doing: &'static str,
        path: &Path,
        answer: impl Future<Output = object_store::Result<T>>,
    ) -> Result<T, Error> {
        let answer = self.run(doing, path.as_ref(), answer)?;
        answer.ok_or_else(|| remote(doing, path.as_ref(), "it is not there".into()))
    }
}

/// Cuts pieces of any length into parts of [`REMOTE_PART_LEN`], the last of the rest. Copies nothing.
struct Parts<'a> {
    next_piece: &'a mut dyn FnMut() -> Result<Option<Bytes>, Error>,
    path: &'a Path,
    /// What of the last piece belongs to the next part.
    rest: Bytes,
    /// How many bytes are still to come.
    left: u64,
}

impl Parts<'_> {
    /// The next part, or `None` after the last.
    fn next(&mut self) -> Result<Option<PutPayload>, Error> {
        let wanted = usize::try_from(self.left).unwrap_or(usize::MAX).min(REMOTE_PART_LEN);
        let (mut part, mut len) = (Vec::new(), 0);
        while len < wanted {
            if self.rest.is_empty() {
                let piece = (self.next_piece)()?;
                self.rest = piece.ok_or_else(|| self.wrong("fewer bytes than announced"))?;
            }
            let taken = self.rest.split_to(self.rest.len().min(wanted - len));
            len += taken.len();
            part.push(taken);
        }
        self.left -= len as u64;
        Ok((len > 0).then(|| PutPayload::from_iter(part)))
    }

    /// Checks that nothing follows.
    fn end(&mut self) -> Result<(), Error> {
        loop {
            if !self.rest.is_empty() {
                return Err(self.wrong("more bytes than announced"));
            }
            match (self.next_piece)()? {
                Some(piece) => self.rest = piece,
                None => return Ok(()),
            }
        }
    }

    fn wrong(&self, reason: &str) -> Error {
        Error::CorruptBytes { name: self.path.to_string(), reason: reason.into() }
    }
}

fn name(blob: BlobId, data: DataId) -> String {
    format!("blobs/{:02x}/{blob}.{:016x}", blob.0[0], data.0)
}

/// The opposite of [`name`], without the folders.
fn parse(file: &str) -> Option<(BlobId, DataId)> {
    let (blob, data) = file.split_once('.')?;
    let is_hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if blob.len() != 64 || data.len() != 16 || !is_hex(blob) || !is_hex(data) {
        return None;
    }
    let mut id = [0; 32];
    for (byte, digits) in id.iter_mut().zip(blob.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?;
    }
    let data = u64::from_str_radix(data, 16).ok()?;
    Some((BlobId(id), DataId(data.cast_signed())))
}

fn failed(doing: &'static str, name: &str, error: &object_store::Error) -> Error {
    use object_store::Error::{PermissionDenied, Unauthenticated};
    let text = error.to_string();
    // The body of an answer may repeat parts of the credentials; of that its code is told.
    let (said, body) = text.split_once('<').unwrap_or((&text, ""));
    let code = body.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
    let code = code.map_or("", |(code, _)| code);
    let denied = matches!(error, PermissionDenied { .. } | Unauthenticated { .. })
        // Lists fail with an error that tells less.
        || said.contains(": 403 Forbidden") || said.contains(": 401 Unauthorized");
    let reason = if denied {
        format!("access denied {code}: check the credentials in the environment, and their rights")
    } else {
        format!("{}{code}", said.replace('\n', " "))
    };
    remote(doing, name, reason)
}

fn remote(doing: &'static str, name: &str, mut reason: String) -> Error {
    reason.truncate(reason.floor_char_boundary(REMOTE_REASON_LEN_MAX));
    Error::Remote { doing, name: name.into(), reason }
}

#[cfg(test)]
mod tests {
    use std::{
        pin::Pin,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use object_store::{PutResult, UploadPart};

    use super::*;

    /// Gives `len` bytes in pieces that end elsewhere than parts do.
    fn pieces(len: usize) -> impl FnMut() -> Result<Option<Bytes>, Error> {
        let mut left = Bytes::from(vec![7; len]);
        move || {
            let piece = left.split_to(left.len().min(300_001));
            Ok((!piece.is_empty()).then_some(piece))
        }
    }

    /// `REMOTE_PART_LEN`: up to it an object goes in one request; beyond, in parts of it and the rest.
    #[test]
    fn long_objects_go_in_parts() {
        let objects = Objects::in_memory().unwrap();
        // Begin, each part, complete; and a look at what is there.
        for (len, requests) in
            [(REMOTE_PART_LEN, 2), (REMOTE_PART_LEN + 1, 5), (2 * REMOTE_PART_LEN + 1, 6)]
        {
            let before = objects.requests();
            let (blob, data) = (BlobId([1; 32]), DataId(1));
            objects.put(blob, data, len as u64, &mut pieces(len)).unwrap();
            assert_eq!(objects.requests() - before, requests, "{len}");
        }
    }

    /// A store that takes its time for each part.
    #[derive(Debug, Default)]
    struct Slow {
        lens: Vec<usize>,
        taken: Arc<AtomicUsize>,
    }

    type Answer<'a, T> = Pin<Box<dyn Future<Output = object_store::Result<T>> + Send + 'a>>;

    impl MultipartUpload for Slow {
        fn put_part(&mut self, part: PutPayload) -> UploadPart {
            self.lens.push(part.content_length());
            let taken = Arc::clone(&self.taken);
            Box::pin(async move {
                tokio::time::sleep(Duration::from_millis(20)).await;
                taken.fetch_add(1, Ordering::Relaxed);
                drop(part);
                Ok(())
            })
        }

        fn complete<'s, 'a>(&'s mut self) -> Answer<'a, PutResult>
        where
            's: 'a,
        {
            unreachable!("parts are sent, no more")
        }

        fn abort<'s, 'a>(&'s mut self) -> Answer<'a, ()>
        where
            's: 'a,
        {
            unreachable!("parts are sent, no more")
        }
    }

    /// `REMOTE_PART_IN_MEMORY_COUNT`: nothing of a part is gathered before enough of those before it were taken.
    #[test]
    fn few_parts_are_in_memory() {
        const COUNT: usize = 3 * REMOTE_PART_IN_MEMORY_COUNT;
        let objects = Objects::in_memory().unwrap();
        let mut upload = Slow::default();
        let taken = Arc::clone(&upload.taken);
        let part = Bytes::from(vec![7; REMOTE_PART_LEN]);
        let mut gathered = 0;
        let mut next_piece = || {
            if gathered == COUNT {
                return Ok(None);
            }
            gathered += 1;
            let in_memory = gathered - taken.load(Ordering::Relaxed);
            assert!(in_memory <= REMOTE_PART_IN_MEMORY_COUNT, "{in_memory} parts");
            Ok(Some(part.clone()))
        };
        let path = objects.path("object");
        let left = (COUNT * REMOTE_PART_LEN) as u64;
        let parts = Parts { next_piece: &mut next_piece, path: &path, rest: Bytes::new(), left };
        objects.send(&mut upload, &path, parts).unwrap();
        assert_eq!(upload.lens, [REMOTE_PART_LEN; COUNT]);
        assert_eq!(taken.load(Ordering::Relaxed), COUNT);
    }

    /// `REMOTE_THREAD_COUNT`: so many threads talk to the store, for any number of callers.
    #[test]
    fn few_threads_talk_to_the_store() {
        let objects = Objects::in_memory().unwrap();
        assert_eq!(objects.runtime().metrics().num_workers(), REMOTE_THREAD_COUNT);
        std::thread::scope(|scope| {
            for number in 0..10 * REMOTE_THREAD_COUNT as u8 {
                let objects = &objects;
                scope.spawn(move || {
                    let (blob, data) = (BlobId([number; 32]), DataId(1));
                    objects.put(blob, data, 1000, &mut pieces(1000)).unwrap();
                    assert_eq!(objects.list(number).unwrap().len(), 1);
                });
            }
        });
    }

    /// `REMOTE_REASON_LEN_MAX`: what a store says is cut, between two characters.
    #[test]
    fn reasons_are_cut() {
        for (said, kept) in [
            ("x".repeat(REMOTE_REASON_LEN_MAX), REMOTE_REASON_LEN_MAX),
            ("x".repeat(REMOTE_REASON_LEN_MAX + 1), REMOTE_REASON_LEN_MAX),
            (format!("x{}", "é".repeat(REMOTE_REASON_LEN_MAX)), REMOTE_REASON_LEN_MAX - 1),
        ] {
            let error = object_store::Error::NotImplemented {
                operation: said.clone(),
                implementer: String::new(),
            };
            let told = error.to_string();
            let Error::Remote { reason, .. } = failed("write", "x", &error) else { panic!() };
            assert!(told.starts_with(&reason) && reason.len() <= kept, "{reason}");
            assert!(reason.len() + 3 >= REMOTE_REASON_LEN_MAX, "{} bytes", reason.len());
        }
    }
}
