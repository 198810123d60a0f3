//! The media service: from parts that clients send to files that clients fetch.
//!
//! ```text
//! upload.saveFilePart ──► uploads ──► Pieces (bytes), then uploads.store (row)
//! sendMedia …         ──► intake  ──► image pool ──► Pieces, then files.make (row) ──► blobs, holders
//! upload.getFile      ──► access (who may see it) ──► reader ──► cache ──► Pieces | remote store
//! ```
//!
//! | module | what it is |
//! |---|---|
//! | [`uploads`] | parts come in |
//! | `large` | those of large files are stored together |
//! | [`intake`] | files are made of uploads: photos, documents, previews |
//! | [`image`] | pictures are decoded, scaled and written, on threads of their own |
//! | [`mod@reference`] | file references: issued, checked |
//! | [`access`] | from a location to bytes that the asker may see |
//! | [`reader`] | ranges of blobs, through the cache |
//! | [`chores`] | what is over goes |
//! | [`mover`] | blobs move between here and a remote store |
//! | [`check`] | everything is looked at |
//! | [`depot`] | what the three before work with |
//! | [`fetch`] | files from addresses |
//!
//! # Copies
//!
//! A part is decrypted where it was read, and from then on it is a slice of its packet: hashed once and handed to the store
//! of pieces once, on one thread, in one hop. A piece that is fetched comes from the cache or the store as one buffer; the
//! answer copies the range asked for into the packet that is sealed in place.
//!
//! # Threads
//!
//! Whatever may block (pieces, the remote store, hashes of whole files) runs on threads of the media service's own, so that
//! it takes neither a shard's time nor the threads of handshakes. How much waits for them is bounded by semaphores: bytes of
//! parts by account and in all, reads in all.

pub mod access;
pub mod check;
pub mod chores;
pub mod depot;
pub mod fetch;
pub mod image;
pub mod intake;
pub(crate) mod large;
pub mod mover;
mod parts;
pub mod reader;
pub mod reference;
#[cfg(test)]
pub(crate) mod stage;
pub mod uploads;

use std::{io, sync::Arc};

use storage::blobs::{Pieces, s3::Objects};
use tokio::sync::{AcquireError, Semaphore};

use crate::{
    config, limits,
    rpc::{Result, RpcError},
    updates::Hub,
};

/// What the media service consists of: `shared.media`.
pub struct Media {
    /// The store of pieces on this machine.
    pub pieces: Arc<dyn Pieces>,
    /// The remote store, where one is configured.
    pub remote: Option<Arc<Objects>>,
    /// The threads that pictures are worked on.
    pub images: image::Pool,
    /// What fetches files from addresses.
    pub fetcher: fetch::Fetcher,
    /// What file references are signed with.
    pub(crate) reference_secret: [u8; 32],
    pub(crate) uploads: uploads::Uploads,
    pub(crate) large: large::LargeParts,
    pub(crate) reader: reader::Reader,
    threads: Threads,
}

impl Media {
    /// Starts the threads.
    ///
    /// # Errors
    ///
    /// The system gives none.
    pub fn start(
        config: &config::Media,
        pieces: Arc<dyn Pieces>,
        remote: Option<Arc<Objects>>,
        reference_secret: [u8; 32],
        hub: &Arc<Hub>,
    ) -> io::Result<Self> {
        Ok(Self {
            large: large::LargeParts::start(&pieces, hub)?,
            pieces,
            remote,
            images: image::Pool::new(config.image_threads, image::Bounds::SERVER)?,
            fetcher: fetch::Fetcher::new(fetch::FetchOptions {
                enabled: config.external_fetch,
                allowed: config.external_allowed.clone(),
                ..fetch::FetchOptions::default()
            }),
            reference_secret,
            uploads: uploads::Uploads::default(),
            reader: reader::Reader::new(config.cache_mib * 1024 * 1024),
            threads: Threads::start()?,
        })
    }

    /// Runs `work` on a thread that may block. Waits while all of them are busy.
    ///
    /// # Errors
    ///
    /// `INTERNAL` if it panicked; that is logged.
    pub async fn block<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        self.threads.run(work).await
    }
}

/// Threads that may block.
struct Threads {
    runtime: Option<tokio::runtime::Runtime>,
    /// A permit a thread: what does not run waits at its caller, in order.
    free: Semaphore,
}

impl Threads {
    fn start() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .thread_name("media")
            .max_blocking_threads(limits::MEDIA_THREADS)
            .build()?;
        Ok(Self { runtime: Some(runtime), free: Semaphore::new(limits::MEDIA_THREADS) })
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let closed = |_: AcquireError| RpcError::INTERNAL;
        let _free = self.free.acquire().await.map_err(closed)?;
        let runtime = self.runtime.as_ref().ok_or(RpcError::INTERNAL)?;
        runtime.handle().spawn_blocking(work).await.map_err(|error| {
            tracing::error!(%error, "work on files failed");
            RpcError::INTERNAL
        })
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        // What runs is finished by its thread; a part that was not acknowledged may be lost.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Barrier,
        atomic::{AtomicUsize, Ordering},
    };

    use tokio::task::JoinSet;

    use super::*;

    /// `MEDIA_THREADS`: so many work at once, and no more; all have their turn.
    #[tokio::test]
    async fn work_that_blocks_has_so_many_threads() {
        const COUNT: usize = limits::MEDIA_THREADS;
        let threads = Arc::new(Threads::start().unwrap());
        let (at_work, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        // Ends with all of them at work at once, or never.
        let all = Arc::new(Barrier::new(COUNT));
        let mut works = JoinSet::new();
        for _ in 0..4 * COUNT {
            let (threads, all) = (Arc::clone(&threads), Arc::clone(&all));
            let (at_work, most) = (Arc::clone(&at_work), Arc::clone(&most));
            works.spawn(async move {
                let work = move || {
                    let count = at_work.fetch_add(1, Ordering::SeqCst) + 1;
                    most.fetch_max(count, Ordering::SeqCst);
                    all.wait();
                    // Who may not work yet has a moment to begin.
                    std::thread::sleep(std::time::Duration::from_millis(20));
                    at_work.fetch_sub(1, Ordering::SeqCst);
                };
                threads.run(work).await.unwrap();
            });
        }
        works.join_all().await;
        assert_eq!(most.load(Ordering::SeqCst), COUNT);
    }
}
