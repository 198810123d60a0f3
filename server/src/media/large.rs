//! Parts of large files are stored by threads of their own, those that came meanwhile together.
//!
//! ```text
//! save, save, save … ──► queue ──► a thread: all that wait ──► hash each ──► Pieces::put_large, once ──► answers
//! ```
//!
//! One sync serves all of them, and what is answered together comes back together: the parts that a client sends next are read
//! and deciphered side by side. While one thread waits for the disk, another hashes; but it waits for so many as are stored
//! together before it begins, unless nothing else is under way. So a lone part waits for nothing, and many cost little each.

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
};

use storage::{
    Error,
    blobs::{Pieces, Summed},
};
use tokio::sync::oneshot;

use super::uploads::{Incoming, Written};
use crate::{
    gateway::this_shard,
    limits,
    rpc::{Result, RpcError},
    updates::Hub,
};

type Outcome = core::result::Result<Written, Error>;

/// The threads, and the queue before them.
pub(crate) struct LargeParts {
    queue: Arc<Queue>,
    threads: Vec<JoinHandle<()>>,
}

struct Job {
    part: Incoming,
    /// Which shard's thread its request waits on.
    shard: Option<usize>,
    to: oneshot::Sender<Outcome>,
}

/// What became of a part, on its way to the request that brought it.
pub(crate) struct Stored {
    to: oneshot::Sender<Outcome>,
    outcome: Outcome,
}

impl Stored {
    /// Hands it over.
    pub(crate) fn give(self) {
        // Whoever waited may be gone.
        let _ = self.to.send(self.outcome);
    }
}

/// What waits. [`super::uploads`] bounds how much that is.
#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    /// How many threads are storing.
    busy: usize,
    closed: bool,
}

impl State {
    /// Whether a thread may begin with what waits.
    fn is_ready(&self) -> bool {
        let count = self.jobs.len();
        count >= limits::PARTS_TOGETHER_COUNT || (count > 0 && self.busy == 0)
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, job: Job) {
        self.lock().jobs.push_back(job);
    }

    /// Has a thread begin, if one may.
    fn begin(&self) {
        if self.lock().is_ready() {
            self.changed.notify_one();
        }
    }

    /// What is to be stored next; `None` once the queue is closed. Whoever has it is busy until it says that it is done.
    fn next(&self) -> Option<Vec<Job>> {
        let mut state = self.lock();
        while !state.is_ready() {
            if state.closed {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.busy += 1;
        let count = state.jobs.len().min(limits::PARTS_TOGETHER_COUNT);
        Some(state.jobs.drain(..count).collect())
    }

    fn done(&self) {
        self.lock().busy -= 1;
        self.begin();
    }

    /// Nothing more comes; what waits is not stored.
    fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.jobs.clear();
        self.changed.notify_all();
    }
}

impl LargeParts {
    /// Starts the threads.
    ///
    /// # Errors
    ///
    /// The system gives none.
    pub(super) fn start(pieces: &Arc<dyn Pieces>, hub: &Arc<Hub>) -> io::Result<Self> {
        let mut parts = Self { queue: Arc::default(), threads: Vec::new() };
        for _ in 0..limits::LARGE_PARTS_THREADS {
            let (pieces, hub) = (Arc::clone(pieces), Arc::clone(hub));
            let queue = Arc::clone(&parts.queue);
            let work = move || {
                while let Some(jobs) = queue.next() {
                    // A panic costs these parts, whose requests learn of it by the end of their channels.
                    let by_shard = catch_unwind(AssertUnwindSafe(|| store(&*pieces, jobs)));
                    for (shard, parts) in by_shard.unwrap_or_default() {
                        match shard {
                            Some(shard) => hub.stored(shard, parts),
                            None => parts.into_iter().for_each(Stored::give),
                        }
                    }
                    queue.done();
                }
            };
            parts.threads.push(thread::Builder::new().name("media-large".into()).spawn(work)?);
        }
        Ok(parts)
    }

    /// Stores a part. Once this returns it is durable.
    ///
    /// # Errors
    ///
    /// `INTERNAL` if the threads have ended; inside, what the store says.
    pub(super) async fn store(&self, part: Incoming) -> Result<Outcome> {
        let (to, done) = oneshot::channel();
        self.queue.push(Job { part, shard: this_shard(), to });
        // Those that were read with it come first, so that they are stored with it.
        tokio::task::yield_now().await;
        self.queue.begin();
        done.await.map_err(|_| RpcError::INTERNAL)
    }
}

impl Drop for LargeParts {
    fn drop(&mut self) {
        self.queue.close();
        for thread in self.threads.drain(..) {
            // Its panic was reported.
            let _ = thread.join();
        }
    }
}

/// Stores parts. What became of them goes to each shard at once, so that their requests go on side by side.
fn store(pieces: &dyn Pieces, jobs: Vec<Job>) -> BTreeMap<Option<usize>, Vec<Stored>> {
    let (keyed, hashes): (Vec<_>, Vec<_>) = jobs
        .iter()
        .map(|Job { part, .. }| {
            // Before it is hashed: see `Summed`.
            let summed = Summed::from(part.bytes.clone());
            let (key, hash) = part.hash();
            ((key, summed), hash)
        })
        .unzip();
    let together = pieces.put_large(&keyed);
    let mut by_shard: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for ((Job { shard, to, .. }, hash), alone) in jobs.into_iter().zip(hashes).zip(keyed) {
        let key = alone.0;
        let put = match &together {
            // What fails of one file need not be another's trouble.
            Err(error) if !error.is_disk_full() => pieces.put_large(&[alone]),
            together => together.clone(),
        };
        let outcome = put.and_then(|()| Written::of(pieces, key, hash));
        by_shard.entry(shard).or_default().push(Stored { to, outcome });
    }
    by_shard
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use bytes::Bytes;
    use storage::{
        DataId,
        blobs::{MemoryPieces, PieceKey},
    };

    use super::*;

    /// A store in which something happens before pieces of large files are stored.
    struct Hooked<F> {
        pieces: MemoryPieces,
        before: F,
    }

    impl<F> Pieces for Hooked<F>
    where
        F: Fn(&[(PieceKey, Summed)]) -> core::result::Result<(), Error> + Send + Sync,
    {
        fn put(&self, key: &PieceKey, bytes: &[u8]) -> core::result::Result<(), Error> {
            self.pieces.put(key, bytes)
        }

        fn put_large(&self, pieces: &[(PieceKey, Summed)]) -> core::result::Result<(), Error> {
            (self.before)(pieces)?;
            self.pieces.put_large(pieces)
        }

        fn get(&self, key: &PieceKey) -> core::result::Result<Option<Bytes>, Error> {
            self.pieces.get(key)
        }

        fn delete(&self, data: DataId) -> core::result::Result<(), Error> {
            self.pieces.delete(data)
        }

        fn delete_piece(&self, key: &PieceKey) -> core::result::Result<(), Error> {
            self.pieces.delete_piece(key)
        }

        fn keys(
            &self,
            from: &PieceKey,
            limit: usize,
        ) -> core::result::Result<Vec<PieceKey>, Error> {
            self.pieces.keys(from, limit)
        }
    }

    fn hooked<F>(before: F) -> Arc<dyn Pieces>
    where
        F: Fn(&[(PieceKey, Summed)]) -> core::result::Result<(), Error> + Send + Sync + 'static,
    {
        Arc::new(Hooked { pieces: MemoryPieces::default(), before })
    }

    /// A store that tells how many pieces it is given at once, and waits for leave each time.
    fn gated() -> (Arc<dyn Pieces>, mpsc::Receiver<usize>, mpsc::Sender<()>) {
        let ((begun, begins), (leaves, leave)) = (mpsc::channel(), mpsc::channel());
        let (begun, leave) = (Mutex::new(begun), Mutex::new(leave));
        let store = hooked(move |pieces| {
            begun.lock().unwrap().send(pieces.len()).unwrap();
            leave.lock().unwrap().recv().unwrap();
            Ok(())
        });
        (store, begins, leaves)
    }

    /// `PARTS_TOGETHER_COUNT`, `LARGE_PARTS_THREADS`: a lone part waits for nothing; while it is being stored so many others
    /// are gathered, and no more threads store at once; whoever is left over goes when nothing else is under way.
    #[tokio::test]
    async fn parts_are_stored_together() {
        const COUNT: usize = limits::PARTS_TOGETHER_COUNT;
        const THREADS: usize = limits::LARGE_PARTS_THREADS;
        let (store, begins, leaves) = gated();
        let parts = Arc::new(LargeParts::start(&store, &Arc::default()).unwrap());
        let mut numbers = 0..;
        let mut storing = tokio::task::JoinSet::new();
        let mut come = async |count: usize| {
            for part in numbers.by_ref().take(count) {
                let bytes = Bytes::from(vec![part as u8; 1024]);
                let offset = Some(u64::from(part) * 1024);
                let part = Incoming { data: DataId(1), part, offset, bytes };
                let parts = Arc::clone(&parts);
                storing.spawn(async move { parts.store(part).await.unwrap().map(drop) });
            }
            // All of them are in the queue, and told.
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
        };
        come(1).await;
        assert_eq!(begins.recv().unwrap(), 1);
        for _ in 1..THREADS {
            come(COUNT - 1).await;
            assert_eq!(parts.queue.lock().jobs.len(), COUNT - 1, "they wait for one more");
            come(1).await;
            assert_eq!(begins.recv().unwrap(), COUNT);
        }
        come(COUNT + 2).await;
        assert_eq!(parts.queue.lock().jobs.len(), COUNT + 2, "there is no other thread");
        leaves.send(()).unwrap();
        assert_eq!(begins.recv().unwrap(), COUNT);
        for _ in 0..THREADS {
            leaves.send(()).unwrap();
        }
        assert_eq!(begins.recv().unwrap(), 2, "nothing else is under way");
        leaves.send(()).unwrap();
        while let Some(stored) = storing.join_next().await {
            stored.unwrap().unwrap();
        }
        let first = PieceKey { data: DataId(1), part: 0, check: [0; 8] };
        assert_eq!(store.keys(&first, usize::MAX).unwrap().len(), THREADS * COUNT + 3);
    }

    /// What fails of one file is no other's trouble, and a panic costs those parts alone that were stored with it.
    #[tokio::test]
    async fn trouble_stays_where_it_is() {
        let store = hooked(|pieces| {
            let has = |data| pieces.iter().any(|(key, _)| key.data == DataId(data));
            assert!(!has(2), "tested");
            if has(1) {
                Err(Error::Engine { doing: "test", reason: "broken".into() })
            } else {
                Ok(())
            }
        });
        let parts = LargeParts::start(&store, &Arc::default()).unwrap();
        let part = |data| {
            let bytes = Bytes::from_static(b"x");
            Incoming { data: DataId(data), part: 0, offset: Some(0), bytes }
        };
        for _ in 0..2 * limits::LARGE_PARTS_THREADS {
            parts.store(part(2)).await.unwrap_err();
            let all =
                tokio::join!(parts.store(part(3)), parts.store(part(1)), parts.store(part(4)));
            assert!(all.0.unwrap().is_ok() && all.1.unwrap().is_err() && all.2.unwrap().is_ok());
        }
    }

    /// What waits when the server stops is not stored, and nobody waits for it for ever.
    #[tokio::test]
    async fn what_waits_at_the_end_fails() {
        let (store, begins, leaves) = gated();
        let parts = LargeParts::start(&store, &Arc::default()).unwrap();
        let push = |part| {
            let (to, done) = oneshot::channel();
            let bytes = Bytes::from_static(b"x");
            let part = Incoming { data: DataId(1), part, offset: None, bytes };
            parts.queue.push(Job { part, shard: None, to });
            parts.queue.begin();
            done
        };
        let first = push(0);
        assert_eq!(begins.recv().unwrap(), 1);
        let second = push(1);
        parts.queue.close();
        leaves.send(()).unwrap();
        drop(parts);
        first.await.unwrap().unwrap();
        second.await.unwrap_err();
    }
}
